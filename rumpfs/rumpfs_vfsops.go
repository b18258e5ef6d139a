package rumpfs

import (
	"sync/atomic"

	"rumpvfs/genfs"
	"rumpvfs/kern"
	"rumpvfs/namei"
	"rumpvfs/vnode"
)

// MOUNT_RUMPFS is the type that mount(2) is given.
const MOUNT_RUMPFS = "rumpfs"

// maxNamlen is RUMPFS_MAXNAMLEN.
const maxNamlen = 255

// mountData is what rumpfs keeps of a mount: rumpfs_mount. The letters give what guards a field:
//
//	:  stable while mounted
//	a  atomic
type mountData struct {
	root      *vnode.Vnode // :  referenced
	dataBytes atomic.Int64 // a: what the files hold, on the machine's account
	nodeBytes atomic.Int64 // a: what nodes and names take, in FS.nodeBytes
}

// Name implements vnode.VFSOps.
func (fs *FS) Name() string { return MOUNT_RUMPFS }

// mountfs makes an empty file system for mp.
//
//netbsd:sys/rump/librump/rumpvfs/rumpfs.c rumpfs_mountfs
func (fs *FS) mountfs(l *kern.Lwp, mp *vnode.Mount) error {
	m := new(mountData)
	rn := fs.makeprivate(m, vnode.VDIR, defaultMode, kern.NODEV, kern.DEV_BSIZE)
	if rn == nil {
		return kern.ENOMEM
	}
	rn.dir.parent = rn
	var err error
	if m.root, err = fs.makevnode(l, mp, rn); err != nil {
		rn.freeprivate()
		return err
	}
	m.root.SetVflag(vnode.VV_ROOT)
	mp.Data = m
	mp.Stat.Namemax = maxNamlen
	mp.Stat.Iosize = kern.DEV_BSIZE
	mp.SetFlag(kern.MNT_LOCAL)
	mp.SetIflag(kern.IMNT_MPSAFE | kern.IMNT_CAN_RWTORO)
	mp.FsBshift = kern.DEV_BSHIFT
	mp.GetNewFsid(l)
	return nil
}

// defaultMode is the mode of a root directory.
const defaultMode = 0o755

// Mount mounts an empty file system; it takes no argument of its own, so that there is none to get either (the reference would
// mount a second file system in the place of the first). An update changes nothing but what the vnode layer keeps.
//
//netbsd:sys/rump/librump/rumpvfs/rumpfs.c rumpfs_mount
func (fs *FS) Mount(l *kern.Lwp, mp *vnode.Mount, path string, data any) error {
	if mp.Flag()&(kern.MNT_UPDATE|kern.MNT_GETARGS) != 0 {
		return nil
	}
	if err := namei.SetStatvfsInfo(l, path, MOUNT_RUMPFS, MOUNT_RUMPFS, mp); err != nil {
		return err
	}
	return fs.mountfs(l, mp)
}

// Start implements vnode.VFSOps. There is nothing to start.
func (fs *FS) Start(*kern.Lwp, *vnode.Mount, int) error { return nil }

// Unmount ends a mount: EBUSY if it is in use, unless MNT_FORCE says to take it away from its users. All files are gone.
//
//netbsd:sys/rump/librump/rumpvfs/rumpfs.c rumpfs_unmount
func (fs *FS) Unmount(l *kern.Lwp, mp *vnode.Mount, mntflags int) error {
	m := mp.Data.(*mountData)
	flags := vnode.FlushFlags(mntflags)
	if fs.k.Dead() != nil {
		flags |= vnode.FORCECLOSE
	}
	if m.root.Usecount() > 1 && flags&vnode.FORCECLOSE == 0 {
		return kern.EBUSY
	}
	if err := mp.Vflush(l, m.root, flags); err != nil {
		return err
	}
	m.root.Gone(l)
	// No vnode leads to the nodes any more. The reference leaks them.
	fs.freeData(m.dataBytes.Swap(0))
	fs.nodeBytes.Add(-m.nodeBytes.Swap(0))
	return nil
}

// Root returns the root directory.
//
// Postconditions: the vnode has a reference more and is locked exclusively.
//
//netbsd:sys/rump/librump/rumpvfs/rumpfs.c rumpfs_root
func (fs *FS) Root(l *kern.Lwp, mp *vnode.Mount) (*vnode.Vnode, error) {
	vp := mp.Data.(*mountData).root
	vp.Ref(l)
	return vnode.Locked(l, vp, nil)
}

// Sync implements vnode.VFSOps. There is nowhere to write to.
func (fs *FS) Sync(*kern.Lwp, *vnode.Mount, int, *kern.Cred) error { return nil }

// Vget fails: file numbers lead nowhere.
//
//netbsd:sys/rump/librump/rumpvfs/rumpfs.c rumpfs_vget
func (fs *FS) Vget(*kern.Lwp, *vnode.Mount, uint64) (*vnode.Vnode, error) {
	return nil, kern.EOPNOTSUPP
}

// Mountroot mounts rumpfs as the root of a kernel at boot.
//
// Postconditions: the mount is on the list of mounts, not busy.
//
//netbsd:sys/rump/librump/rumpvfs/rumpfs.c rumpfs_mountroot
func (fs *FS) Mountroot(l *kern.Lwp, sys *vnode.System) error {
	mp, err := sys.RootMountAlloc(l, fs, "rootdev")
	if err != nil {
		return err
	}
	if err := fs.mountfs(l, mp); err != nil {
		kern.Panicf("mounting rootfs failed: %v", err)
	}
	sys.MountlistAppend(l, mp)
	if err := namei.SetStatvfsInfo(l, "/", MOUNT_RUMPFS, MOUNT_RUMPFS, mp); err != nil {
		kern.Panicf("set_statvfs_info failed for rootfs: %v", err)
	}
	mp.ClearFlag(kern.MNT_RDONLY)
	mp.Unbusy(l, false)
	return nil
}

// RenamelockEnter keeps renames in mp from each other.
func (fs *FS) RenamelockEnter(l *kern.Lwp, mp *vnode.Mount) error {
	return genfs.RenamelockEnter(l, mp)
}

// RenamelockExit lets the next rename begin.
func (fs *FS) RenamelockExit(l *kern.Lwp, mp *vnode.Mount) { genfs.RenamelockExit(l, mp) }

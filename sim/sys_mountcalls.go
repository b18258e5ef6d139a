package sim

import (
	"rumpvfs/kern"
	"rumpvfs/namei"
	"rumpvfs/vfs"
	"rumpvfs/vnode"
)

// Mount mounts a file system of type fstype (such as "rumpfs") on the
// directory path. flags are MNT_ flags: with MNT_UPDATE those of what is
// mounted there change; with MNT_GETARGS data, a pointer that the file system
// knows, is filled with what it was mounted with. data is the file system's own
// argument, nil for none; a [vnode.MountData] stands for so many bytes of a
// C structure.
//
// Errors: those of the walk; ENODEV for an unknown type; EINVAL for data of no
// length or of more than VFS_MAX_MOUNT_DATA bytes, for MNT_GETARGS with other
// flags or without data, and where path is not the root of a mount that should
// be; ENOTDIR; EPERM for all but the superuser; EOPNOTSUPP for what the file
// system does not do, and see [kern.QuirkMountExtattr]; those of the file
// system.
//
//netbsd:sys/kern/vfs_syscalls.c sys___mount50, do_sys_mount
func (p *Proc) Mount(fstype, path string, flags int, data any) (err error) {
	l, err := p.enter("mount")
	if err != nil {
		return err
	}
	defer p.leave(l, &err)
	vp, err := p.lookup(l, kern.AT_FDCWD, vnode.FOLLOW, path)
	if err != nil {
		return err
	}
	f := uint32(flags)
	if f&(kern.MNT_GETARGS|kern.MNT_UPDATE) == 0 {
		return p.mountNew(l, vp, fstype, path, f, data)
	}
	defer vp.Rele(l)
	if err := checkMountData(data, f); err != nil {
		return err
	}
	if f&kern.MNT_GETARGS == 0 {
		return p.k.F.Update(l, vp, path, f, data)
	}
	if data == nil {
		return kern.EINVAL
	}
	return p.k.F.Getargs(l, vp, path, f, data)
}

// mountNew mounts a file system on vp.
//
// Postconditions: the reference to vp is gone or the mount's.
//
//netbsd:sys/kern/vfs_syscalls.c mount_get_vfsops
func (p *Proc) mountNew(l *kern.Lwp, vp *vnode.Vnode, fstype, path string, flags uint32, data any) error {
	if fstype == "ufs" {
		fstype = "ffs"
	}
	op := p.k.V.GetOpsByName(l, fstype)
	if op == nil {
		vp.Rele(l)
		return kern.ENODEV
	}
	if err := checkMountData(data, flags); err != nil {
		p.k.V.DelRef(l, op)
		vp.Rele(l)
		return err
	}
	return p.k.F.Mount(l, vp, op, path, flags, data)
}

// checkMountData checks the size of data that comes as bytes. For an update
// none is taken to be what the kernel of NetBSD 3.0 wanted for exports.
func checkMountData(data any, flags uint32) error {
	raw, ok := data.(vnode.MountData)
	if !ok || len(raw) == 0 && flags&kern.MNT_UPDATE != 0 {
		return nil
	}
	if len(raw) == 0 || len(raw) > kern.VFS_MAX_MOUNT_DATA {
		return kern.EINVAL
	}
	return nil
}

// Unmount takes away what is mounted on path; flags is 0, or MNT_FORCE even
// if it is in use: what is open there is dead from then on.
//
// Errors: those of the walk; EPERM for all but the superuser; EINVAL for the
// root file system, and if path is not the root of a mount; EBUSY.
//
//netbsd:sys/kern/vfs_syscalls.c sys_unmount
func (p *Proc) Unmount(path string, flags int) (err error) {
	l, err := p.enter("unmount")
	if err != nil {
		return err
	}
	defer p.leave(l, &err)
	vp, err := p.lookupLocked(l, kern.AT_FDCWD, vnode.FOLLOW, path)
	if err != nil {
		return err
	}
	mp := vp.Mount()
	mp.Ref()
	isRoot := vp.Vflag()&vnode.VV_ROOT != 0
	vp.Put(l)
	defer mp.Destroy(l)
	if err := kern.AuthorizeSystem(l.Cred); err != nil {
		return err
	}
	if mp.Flag()&kern.MNT_ROOTFS != 0 || !isRoot {
		return kern.EINVAL
	}
	return vfs.Unmount(l, mp, flags)
}

// cwds returns where every process stands, each shared once more for the
// caller.
func (k *Kernel) cwds(l *kern.Lwp) []*namei.Cwdinfo {
	k.procLock.Enter(l)
	defer k.procLock.Exit(l)
	all := make([]*namei.Cwdinfo, len(k.procs))
	for i, p := range k.procs {
		all[i] = p.cwd.Share()
	}
	return all
}

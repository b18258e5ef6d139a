package vnode

import (
	"fmt"
	"sync/atomic"

	"rumpvfs/kern"
)

// VFSOps is what a file system does for its mounts: the vfsops of the C
// kernel. Embed [BaseVFS] for the defaults.
type VFSOps interface {
	// Name is the type that mount(2) is given.
	Name() string
	// Mount mounts (or with MNT_UPDATE updates) mp at path. data is the
	// file system's own argument, already decoded.
	Mount(l *kern.Lwp, mp *Mount, path string, data any) error
	Start(l *kern.Lwp, mp *Mount, flags int) error
	Unmount(l *kern.Lwp, mp *Mount, mntflags int) error
	// Root returns the root vnode referenced and locked exclusively.
	Root(l *kern.Lwp, mp *Mount) (*Vnode, error)
	Statvfs(l *kern.Lwp, mp *Mount, sbp *kern.Statvfs) error
	Sync(l *kern.Lwp, mp *Mount, waitfor int, cred *kern.Cred) error
	// Vget returns the vnode of a file number referenced and locked.
	Vget(l *kern.Lwp, mp *Mount, ino uint64) (*Vnode, error)
	Fhtovp(l *kern.Lwp, mp *Mount, fid []byte) (*Vnode, error)
	Vptofh(l *kern.Lwp, vp *Vnode) (fid []byte, err error)
	// Extattrctl is asked to start or stop extended attributes.
	Extattrctl(l *kern.Lwp, mp *Mount, cmd int) error
	// Suspendctl is asked to suspend all operations or to resume them.
	Suspendctl(l *kern.Lwp, mp *Mount, cmd int) error
	// Mountroot mounts the file system as root at boot.
	Mountroot(l *kern.Lwp, sys *System) error
	RenamelockEnter(l *kern.Lwp, mp *Mount) error
	RenamelockExit(l *kern.Lwp, mp *Mount)
}

// Mount is a mounted file system. The letters give what guards a field:
//
//	:  stable after mounting
//	a  atomic
//	l  System.mountlistLock
//	m  System.mntvnodeLock
//	u  Unmounting
//	U  Updating, or a mount that nobody else can see
type Mount struct {
	Op      VFSOps
	Covered *Vnode // :  the directory mounted on, referenced; nil for the root
	Syncer  *Vnode // U: the syncer's vnode of this mount
	Data    any    // :  the file system's own

	Unmounting kern.Mutex // short; no vnode lock is waited for under it
	Renamelock kern.Mutex // renames of directories, one at a time
	Updating   kern.Mutex // mount updates, one at a time

	Stat      kern.Statvfs // :  what does not change: names, identifiers, owner
	FsBshift  int          // :
	DevBshift int          // :

	flag  atomic.Uint32 // a: MNT_*
	iflag atomic.Uint32 // a: IMNT_*

	sys        *System
	trans      *fstransMount // :  fstrans(9), nil for a file system without
	refcnt     atomic.Int32  // a: references to this structure
	busynest   int           // u: nested vfs_busy
	unmounter  *kern.Lwp     // u: who is unmounting it
	unmountCV  kern.CV       // u: unmounter is done
	gen        uint64        // :
	next, prev *Mount        // l: mount list
	listed     bool          // l: is on the mount list
	seq        uint64        // l: place on the mount list, growing
	vnodes     mntVnodeList  // m
	loading    int           // m: vnodes being made
	loadingCV  kern.CV       // m: loading is 0
	closedBy   *kern.Lwp     // m: only this lwp may make vnodes; nil: everybody

	latest atomic.Pointer[kern.Statvfs] // a: the statistics that were asked for last
}

// Latest returns the statistics that were remembered last, or what is known
// without asking the file system.
func (mp *Mount) Latest() kern.Statvfs {
	if sb := mp.latest.Load(); sb != nil {
		return *sb
	}
	return mp.Stat
}

// Remember keeps statistics for [Mount.Latest].
func (mp *Mount) Remember(sb kern.Statvfs) { mp.latest.Store(&sb) }

// Flag returns the MNT_ flags.
func (mp *Mount) Flag() uint32 { return mp.flag.Load() }

// SetFlag sets MNT_ flags.
func (mp *Mount) SetFlag(f uint32) { mp.flag.Or(f) }

// ClearFlag clears MNT_ flags.
func (mp *Mount) ClearFlag(f uint32) { mp.flag.And(^f) }

// ReplaceFlag makes those MNT_ flags that mask has be as in f.
func (mp *Mount) ReplaceFlag(mask, f uint32) {
	for {
		old := mp.flag.Load()
		if mp.flag.CompareAndSwap(old, old&^mask|f&mask) {
			return
		}
	}
}

// Iflag returns the IMNT_ flags.
func (mp *Mount) Iflag() uint32 { return mp.iflag.Load() }

// SetIflag sets IMNT_ flags.
func (mp *Mount) SetIflag(f uint32) { mp.iflag.Or(f) }

// ClearIflag clears IMNT_ flags.
func (mp *Mount) ClearIflag(f uint32) { mp.iflag.And(^f) }

// System returns the vnode layer that mp belongs to.
func (mp *Mount) System() *System { return mp.sys }

// Gen numbers the mounts of a kernel in the order in which they were made.
func (mp *Mount) Gen() uint64 { return mp.gen }

// HasVnodes reports whether vnodes belong to the mount.
func (mp *Mount) HasVnodes(l *kern.Lwp) bool {
	mp.sys.mntvnodeLock.Enter(l)
	has := mp.vnodes.first != nil
	mp.sys.mntvnodeLock.Exit(l)
	return has
}

// String names the mount by where it is.
func (mp *Mount) String() string { return fmt.Sprintf("mount on %q", mp.Stat.Mntonname) }

// KernelState describes the mount.
//
//netbsd:sys/kern/vfs_subr.c vfs_mount_print
func (mp *Mount) KernelState() string {
	return fmt.Sprintf("mount %q flag %#x iflag %#x refcnt %d busynest %d",
		mp.Stat.Mntonname, mp.Flag(), mp.Iflag(), mp.refcnt.Load(), mp.busynest)
}

// MountData is an argument of mount(2) that nobody has decoded: the bytes of
// a C structure. A file system that takes an argument of its own answers EINVAL
// for it.
type MountData []byte

// BaseVFS answers for whatever a file system does not do. A file system
// embeds it and defines the rest.
type BaseVFS struct{}

// Mount refuses.
func (BaseVFS) Mount(*kern.Lwp, *Mount, string, any) error { return kern.EOPNOTSUPP }

// Start has nothing to do.
func (BaseVFS) Start(*kern.Lwp, *Mount, int) error { return nil }

// Unmount refuses.
func (BaseVFS) Unmount(*kern.Lwp, *Mount, int) error { return kern.EOPNOTSUPP }

// Root has none.
func (BaseVFS) Root(*kern.Lwp, *Mount) (*Vnode, error) { return nil, kern.EOPNOTSUPP }

// Statvfs knows nothing.
func (BaseVFS) Statvfs(*kern.Lwp, *Mount, *kern.Statvfs) error { return kern.EOPNOTSUPP }

// Sync has nothing to write.
func (BaseVFS) Sync(*kern.Lwp, *Mount, int, *kern.Cred) error { return nil }

// Vget finds no file by its number.
func (BaseVFS) Vget(*kern.Lwp, *Mount, uint64) (*Vnode, error) { return nil, kern.EOPNOTSUPP }

// Fhtovp knows no file handles.
func (BaseVFS) Fhtovp(*kern.Lwp, *Mount, []byte) (*Vnode, error) { return nil, kern.EOPNOTSUPP }

// Vptofh makes no file handles.
func (BaseVFS) Vptofh(*kern.Lwp, *Vnode) ([]byte, error) { return nil, kern.EOPNOTSUPP }

// Extattrctl has no extended attributes.
func (BaseVFS) Extattrctl(*kern.Lwp, *Mount, int) error { return kern.EOPNOTSUPP }

// Suspendctl cannot be suspended.
func (BaseVFS) Suspendctl(*kern.Lwp, *Mount, int) error { return kern.EOPNOTSUPP }

// Mountroot refuses to be the root.
func (BaseVFS) Mountroot(*kern.Lwp, *System) error { return kern.EOPNOTSUPP }

// RenamelockEnter takes the mount's lock for renames of directories.
//
//netbsd:sys/miscfs/genfs/genfs_vfsops.c genfs_renamelock_enter
func (BaseVFS) RenamelockEnter(l *kern.Lwp, mp *Mount) error {
	mp.Renamelock.Enter(l)
	return nil
}

// RenamelockExit releases it.
//
//netbsd:sys/miscfs/genfs/genfs_vfsops.c genfs_renamelock_exit
func (BaseVFS) RenamelockExit(l *kern.Lwp, mp *Mount) { mp.Renamelock.Exit(l) }

// VFS_MOUNT mounts a file system, or updates its mount.
func VFS_MOUNT(l *kern.Lwp, mp *Mount, path string, data any) error {
	return mp.Op.Mount(l, mp, path, data)
}

// VFS_START makes a file system that was just mounted operational.
func VFS_START(l *kern.Lwp, mp *Mount, flags int) error { return mp.Op.Start(l, mp, flags) }

// VFS_UNMOUNT flushes a file system and gives up what it has.
func VFS_UNMOUNT(l *kern.Lwp, mp *Mount, mntflags int) error { return mp.Op.Unmount(l, mp, mntflags) }

// VFS_ROOT returns the root of a file system.
//
// Postconditions: on success the vnode is referenced and locked exclusively.
func VFS_ROOT(l *kern.Lwp, mp *Mount) (*Vnode, error) { return mp.Op.Root(l, mp) }

// VFS_STATVFS fills in what is known about a file system.
func VFS_STATVFS(l *kern.Lwp, mp *Mount, sbp *kern.Statvfs) error { return mp.Op.Statvfs(l, mp, sbp) }

// VFS_SYNC writes what is dirty; waitfor is MNT_WAIT, MNT_NOWAIT or MNT_LAZY.
func VFS_SYNC(l *kern.Lwp, mp *Mount, waitfor int, cred *kern.Cred) error {
	return mp.Op.Sync(l, mp, waitfor, cred)
}

// VFS_VGET returns the vnode of a file number.
//
// Postconditions: on success the vnode is referenced and locked exclusively.
func VFS_VGET(l *kern.Lwp, mp *Mount, ino uint64) (*Vnode, error) { return mp.Op.Vget(l, mp, ino) }

// VFS_FHTOVP returns the vnode of a file handle.
//
// Postconditions: on success the vnode is referenced and locked exclusively.
func VFS_FHTOVP(l *kern.Lwp, mp *Mount, fid []byte) (*Vnode, error) {
	return mp.Op.Fhtovp(l, mp, fid)
}

// VFS_VPTOFH returns a vnode's file handle.
func VFS_VPTOFH(l *kern.Lwp, vp *Vnode) ([]byte, error) { return vp.Mount().Op.Vptofh(l, vp) }

// VFS_EXTATTRCTL starts or stops extended attributes, as cmd says.
func VFS_EXTATTRCTL(l *kern.Lwp, mp *Mount, cmd int) error { return mp.Op.Extattrctl(l, mp, cmd) }

// VFS_SUSPENDCTL suspends a file system or resumes it, as cmd says.
func VFS_SUSPENDCTL(l *kern.Lwp, mp *Mount, cmd int) error { return mp.Op.Suspendctl(l, mp, cmd) }

// VFS_RENAMELOCK_ENTER begins the rename of a directory.
func VFS_RENAMELOCK_ENTER(l *kern.Lwp, mp *Mount) error { return mp.Op.RenamelockEnter(l, mp) }

// VFS_RENAMELOCK_EXIT ends it.
func VFS_RENAMELOCK_EXIT(l *kern.Lwp, mp *Mount) { mp.Op.RenamelockExit(l, mp) }

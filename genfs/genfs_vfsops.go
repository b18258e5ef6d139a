package genfs

import (
	"rumpvfs/kern"
	"rumpvfs/vnode"
)

// VFS answers for a file system that has no storage to speak of and nothing to
// give up, as far as it does not for itself. A file system embeds it in place of
// [vnode.BaseVFS].
type VFS struct{ vnode.BaseVFS }

// Unmount ends a mount that nobody uses, or with MNT_FORCE one that somebody does.
func (VFS) Unmount(l *kern.Lwp, mp *vnode.Mount, mntflags int) error {
	return mp.Vflush(l, nil, vnode.FlushFlags(mntflags))
}

// Statvfs has nothing to count.
func (VFS) Statvfs(l *kern.Lwp, mp *vnode.Mount, sbp *kern.Statvfs) error { return Statvfs(l, mp, sbp) }

// Statvfs is for file systems that have no storage to speak of.
//
//netbsd:sys/miscfs/genfs/genfs_vfsops.c genfs_statvfs
func Statvfs(_ *kern.Lwp, mp *vnode.Mount, sbp *kern.Statvfs) error {
	sbp.Bsize, sbp.Frsize, sbp.Iosize = kern.DEV_BSIZE, kern.DEV_BSIZE, kern.DEV_BSIZE
	sbp.Blocks = 2 // df divides by it
	sbp.Bfree, sbp.Bavail, sbp.Bresvd = 0, 0, 0
	sbp.Files, sbp.Ffree, sbp.Favail, sbp.Fresvd = 0, 0, 0, 0
	mp.CopyStatvfsInfo(sbp)
	return nil
}

// RenamelockEnter begins a rename that may move a directory.
//
// Postconditions: the mount's rename lock is held.
//
//netbsd:sys/miscfs/genfs/genfs_vfsops.c genfs_renamelock_enter
func RenamelockEnter(l *kern.Lwp, mp *vnode.Mount) error {
	mp.Renamelock.Enter(l)
	return nil
}

// RenamelockExit ends what [RenamelockEnter] began.
//
// Preconditions: the mount's rename lock is held.
// Postconditions: it is not.
//
//netbsd:sys/miscfs/genfs/genfs_vfsops.c genfs_renamelock_exit
func RenamelockExit(l *kern.Lwp, mp *vnode.Mount) { mp.Renamelock.Exit(l) }

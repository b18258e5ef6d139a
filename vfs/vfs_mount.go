package vfs

import (
	"slices"

	"rumpvfs/kern"
	"rumpvfs/vnode"
)

// Unmount takes mp away from where it is mounted. Errors: EBUSY if it is in
// use, unless MNT_FORCE is set; ENOENT if somebody else has unmounted it;
// those of the file system.
//
// Preconditions: the caller has a reference to mp, and holds no vnode lock.
// Postconditions: the reference is still the caller's; on success the mount
// list's is gone, and so is the covered directory's.
//
//netbsd:sys/kern/vfs_mount.c dounmount
func Unmount(l *kern.Lwp, mp *vnode.Mount, flags int) error {
	if err := mp.BeginUnmount(l); err != nil {
		return err
	}
	mp.Updating.Enter(l)
	err := unmountSync(l, mp, flags)
	mp.Updating.Exit(l)
	mp.EndUnmount(l, err == nil)
	if err != nil {
		return err
	}
	if mp.Covered != nil {
		_ = mp.Covered.Lock(l, vnode.LK_EXCLUSIVE|vnode.LK_RETRY)
		mp.Covered.SetMountedhere(nil)
		_ = vnode.VOP_UNLOCK(l, mp.Covered)
	}
	sys := mp.System()
	sys.MountlistRemove(l, mp)
	if mp.HasVnodes(l) {
		kern.Panicf("unmount: dangling vnode: %v", mp)
	}
	covered := mp.Covered
	mp.Destroy(l)
	if covered != nil {
		covered.Rele(l)
	}
	return nil
}

// unmountSync writes out what the file system has and lets it go. A file
// system that stays gets its flags back.
//
// Preconditions: mp is being unmounted and its updating lock is held.
func unmountSync(l *kern.Lwp, mp *vnode.Mount, flags int) (err error) {
	async := mp.Flag() & kern.MNT_ASYNC
	mp.ClearFlag(kern.MNT_ASYNC)
	if sys := mp.System(); sys.NameCache != nil {
		sys.NameCache.PurgeVFS(l, mp)
	}
	if mp.Flag()&kern.MNT_RDONLY == 0 {
		err = vnode.VFS_SYNC(l, mp, kern.MNT_WAIT, l.Cred)
	}
	if err == nil || flags&kern.MNT_FORCE != 0 {
		err = vnode.VFS_UNMOUNT(l, mp, flags)
	}
	if err != nil {
		mp.SetFlag(async)
	}
	return err
}

// UnmountAll unmounts every file system of the kernel, the last mounted
// first, and returns the first error; it goes on with the others after one.
//
// Preconditions: the caller holds no vnode lock.
//
//netbsd:sys/kern/vfs_mount.c vfs_unmountall1
func UnmountAll(l *kern.Lwp, sys *vnode.System, flags int) (first error) {
	var mounts []*vnode.Mount
	for mp := range sys.BusyMounts(l) {
		mp.Ref()
		mounts = append(mounts, mp)
	}
	for _, mp := range slices.Backward(mounts) {
		if err := Unmount(l, mp, flags); err != nil && first == nil {
			first = err
		}
		mp.Destroy(l)
	}
	return first
}

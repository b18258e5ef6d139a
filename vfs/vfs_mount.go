package vfs

import (
	"slices"

	"rumpvfs/kern"
	"rumpvfs/namei"
	"rumpvfs/vnode"
)

// mountFlags are the flags of mount(2) that a new mount begins with.
const mountFlags = kern.MNT_BASIC_FLAGS | kern.MNT_FORCE | kern.MNT_IGNORE

// Mount mounts a file system of type op on the directory vp, which path leads
// to; flags are those of mount(2), data is the file system's own. Errors:
// EPERM for all but the superuser; ENOTDIR; EINVAL for MNT_EXPORTED, or if path
// leads elsewhere meanwhile; EBUSY if something else was mounted there
// meanwhile; those of the file system.
//
// EOPNOTSUPP for MNT_EXTATTR from a file system without extended attributes
// does not mean that it is not mounted, see [kern.QuirkMountExtattr].
//
// Preconditions: vp is referenced and not locked, op has a reference
// (vnode.System.GetOpsByName); the caller holds no vnode lock.
// Postconditions: both references belong to the mount, or on failure are gone.
//
//netbsd:sys/kern/vfs_mount.c mount_domount
func (s *System) Mount(l *kern.Lwp, vp *vnode.Vnode, op vnode.VFSOps, path string, flags uint32, data any) error {
	err := kern.AuthorizeSystem(l.Cred)
	switch {
	case err != nil:
	case vp.Type() != vnode.VDIR:
		err = kern.ENOTDIR
	case flags&kern.MNT_EXPORTED != 0:
		err = kern.EINVAL
	}
	if err != nil {
		s.V.DelRef(l, op)
		vp.Rele(l)
		return err
	}
	mp := s.V.MountAlloc(l, op, vp)
	mp.Stat.Owner = l.Cred.EUID
	mp.SetFlag(flags & mountFlags)
	mp.Updating.Enter(l)
	if err := s.mountOn(l, mp, path, data); err != nil {
		mp.Updating.Exit(l)
		mp.Unbusy(l, false)
		mp.Destroy(l)
		vp.Rele(l)
		return err
	}
	s.checkdirs(l, vp)
	mp.Updating.Exit(l)
	mp.Unbusy(l, true)
	err = s.start(l, mp, flags)
	mp.Destroy(l)
	return err
}

// mountOn has the file system mount itself and covers the directory with it.
// In the C kernel a failure here also uncovers the directory that somebody
// else has covered meanwhile.
//
// Preconditions: mp is new, busy, and its updating lock is held.
// Postconditions: on failure the file system is unmounted again.
func (s *System) mountOn(l *kern.Lwp, mp *vnode.Mount, path string, data any) error {
	err := vnode.VFS_MOUNT(l, mp, path, data)
	mp.ClearFlag(kern.MNT_OP_FLAGS)
	if err != nil {
		return err
	}
	if err = s.cover(l, mp, path); err != nil {
		if vnode.VFS_UNMOUNT(l, mp, kern.MNT_FORCE) != nil {
			kern.Panicf("Unmounting fresh file system failed: %v", mp)
		}
	}
	return err
}

// cover puts mp where everybody finds it: over its directory, if path still
// leads there, and on the list of mounts.
func (s *System) cover(l *kern.Lwp, mp *vnode.Mount, path string) error {
	nd := namei.Acquire(l)
	nd.Init(l, vnode.LOOKUP, vnode.FOLLOW|vnode.LOCKLEAF|vnode.TRYEMULROOT, path)
	err := nd.Namei(l)
	found := nd.Vp
	nd.Release(l)
	if err != nil {
		return err
	}
	defer found.Put(l)
	vp := mp.Covered
	if found != vp {
		return kern.EINVAL
	}
	if vp.Mountedhere() != nil {
		return kern.EBUSY
	}
	if err := vp.InvalBuf(l, vnode.V_SAVE, l.Cred); err != nil {
		return err
	}
	if s.V.NameCache != nil {
		s.V.NameCache.Purge(l, vp)
	}
	mp.ClearIflag(kern.IMNT_WANTRDWR)
	s.V.MountlistAppend(l, mp)
	adjustSyncer(l, mp)
	vp.SetMountedhere(mp)
	return nil
}

// start begins work on a file system that has just been mounted.
func (s *System) start(l *kern.Lwp, mp *vnode.Mount, flags uint32) error {
	var sb kern.Statvfs
	if vnode.VFS_STATVFS(l, mp, &sb) == nil {
		mp.Remember(sb)
	}
	if err := vnode.VFS_START(l, mp, 0); err != nil || flags&kern.MNT_EXTATTR == 0 {
		return err
	}
	err := vnode.VFS_EXTATTRCTL(l, mp, kern.EXTATTR_CMD_START)
	if err != nil && !s.K.Quirks.Has(kern.QuirkMountExtattr) {
		mp.ClearFlag(kern.MNT_EXTATTR)
		err = nil
	}
	return err
}

// checkdirs makes those who stand in a directory that was just covered, or
// have it as their root, stand in the root of what covers it. (The C kernel
// keeps that root locked meanwhile, against the order of locks: getcwd locks
// vnodes below the lock of the working directory.)
//
// Preconditions: the caller holds no vnode lock and keeps olddp referenced.
//
//netbsd:sys/kern/vfs_mount.c mount_checkdirs
func (s *System) checkdirs(l *kern.Lwp, olddp *vnode.Vnode) {
	if olddp.Usecount() == 1 {
		return
	}
	newdp, err := vnode.VFS_ROOT(l, olddp.Mountedhere())
	if err != nil {
		kern.Panicf("mount: lost mount")
	}
	_ = vnode.VOP_UNLOCK(l, newdp)
	for s.moveCwds(l, olddp, newdp) {
		// Once more: a process may have been made from one not yet moved.
	}
	if s.V.Root.Load() == olddp {
		newdp.Ref(l)
		s.V.Root.Store(newdp)
		olddp.Rele(l)
	}
	newdp.Rele(l)
}

// moveCwds moves every process that there is from olddp to newdp and reports
// whether there was one to move.
func (s *System) moveCwds(l *kern.Lwp, olddp, newdp *vnode.Vnode) bool {
	moved := false
	for _, cwdi := range s.Cwds(l) {
		if cwdi.Replace(l, olddp, newdp) {
			moved = true
		}
		cwdi.Free(l)
	}
	return moved
}

// mountOf returns the mount of a vnode, referenced, and whether vp is its
// root. (The C kernel takes no reference, and a forced unmount takes the mount
// away from it.)
//
// Preconditions: vp is referenced and not locked.
func mountOf(l *kern.Lwp, vp *vnode.Vnode) (mp *vnode.Mount, isRoot bool) {
	_ = vp.Lock(l, vnode.LK_SHARED|vnode.LK_RETRY)
	mp = vp.Mount()
	mp.Ref()
	isRoot = vp.Vflag()&vnode.VV_ROOT != 0
	_ = vnode.VOP_UNLOCK(l, vp)
	return mp, isRoot
}

// Update changes the flags of the mount whose root is vp, and has the file
// system take up data. Errors: EINVAL if vp is no root; EOPNOTSUPP for making
// it read-only or reloading it where the file system cannot; EPERM for all but
// the superuser, or if it is being unmounted; those of the file system.
//
// Preconditions: vp is referenced; the caller holds no vnode lock.
//
//netbsd:sys/kern/vfs_syscalls.c mount_update
func (s *System) Update(l *kern.Lwp, vp *vnode.Vnode, path string, flags uint32, data any) error {
	mp, isRoot := mountOf(l, vp)
	defer mp.Destroy(l)
	saved := mp.Flag()
	if !isRoot {
		return kern.EINVAL
	}
	if flags&(kern.MNT_RELOAD|kern.MNT_RDONLY) != 0 && saved&kern.MNT_RDONLY == 0 && mp.Iflag()&kern.IMNT_CAN_RWTORO == 0 {
		return kern.EOPNOTSUPP
	}
	if err := kern.AuthorizeSystem(l.Cred); err != nil {
		return err
	}
	// The C kernel has the syncer go on, which may put the syncer's vnode
	// back on its list while it is being thrown away here.
	s.V.FreezeSyncer(l)
	defer s.V.ThawSyncer(l)
	if mp.Busy(l) != nil {
		return kern.EPERM
	}
	mp.Updating.Enter(l)
	err := s.update(l, mp, path, flags, data)
	mp.Updating.Exit(l)
	mp.Unbusy(l, false)
	if err == nil {
		s.updateExtattr(l, mp, saved, flags)
	}
	return err
}

// update is Update of a mount that is busy and whose updating lock is held.
func (s *System) update(l *kern.Lwp, mp *vnode.Mount, path string, flags uint32, data any) error {
	const settable = kern.MNT_OP_FLAGS | kern.MNT_BASIC_FLAGS
	saved := mp.Flag()
	if flags&kern.MNT_RDONLY == 0 && saved&kern.MNT_RDONLY != 0 {
		mp.SetIflag(kern.IMNT_WANTRDWR)
	}
	mp.ReplaceFlag(settable, flags)
	err := vnode.VFS_MOUNT(l, mp, path, data)
	if err != nil {
		mp.ReplaceFlag(settable, saved)
	}
	mp.ClearFlag(kern.MNT_OP_FLAGS)
	mp.ClearIflag(kern.IMNT_WANTRDWR)
	adjustSyncer(l, mp)
	return err
}

// updateExtattr starts or stops extended attributes when an update has
// changed whether there shall be any.
func (s *System) updateExtattr(l *kern.Lwp, mp *vnode.Mount, saved, flags uint32) {
	was, is := saved&kern.MNT_EXTATTR != 0, flags&kern.MNT_EXTATTR != 0
	switch {
	case !was && is:
		if vnode.VFS_EXTATTRCTL(l, mp, kern.EXTATTR_CMD_START) != nil {
			mp.ClearFlag(kern.MNT_EXTATTR)
		}
	case was && !is:
		if vnode.VFS_EXTATTRCTL(l, mp, kern.EXTATTR_CMD_STOP) != nil && s.K.Quirks.Has(kern.QuirkMountExtattr) {
			mp.SetFlag(kern.MNT_RDONLY)
		}
	}
}

// Getargs has the file system whose root is vp fill data with the argument
// that it was mounted with. Errors: EINVAL if vp is no root, or if other flags
// than MNT_GETARGS are set; EPERM as of [System.Update]; those of the file
// system.
//
// Preconditions: vp is referenced; the caller holds no vnode lock.
//
//netbsd:sys/kern/vfs_syscalls.c mount_getargs
func (s *System) Getargs(l *kern.Lwp, vp *vnode.Vnode, path string, flags uint32, data any) error {
	if flags&^kern.MNT_GETARGS != 0 {
		return kern.EINVAL
	}
	mp, isRoot := mountOf(l, vp)
	defer mp.Destroy(l)
	if err := kern.AuthorizeSystem(l.Cred); err != nil {
		return err
	}
	if !isRoot {
		return kern.EINVAL
	}
	if mp.Busy(l) != nil {
		return kern.EPERM
	}
	mp.Updating.Enter(l)
	mp.ReplaceFlag(kern.MNT_OP_FLAGS, kern.MNT_GETARGS)
	err := vnode.VFS_MOUNT(l, mp, path, data)
	mp.ClearFlag(kern.MNT_OP_FLAGS)
	mp.Updating.Exit(l)
	mp.Unbusy(l, false)
	return err
}

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
	sys := mp.System()
	// A vnode that the syncer has in hand would be in use. The C kernel
	// leaves the syncer alone where the mount has no vnode of the syncer's.
	sys.FreezeSyncer(l)
	defer sys.ThawSyncer(l)
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
	covered := mp.Covered
	if covered != nil {
		_ = covered.Lock(l, vnode.LK_EXCLUSIVE|vnode.LK_RETRY)
		covered.SetMountedhere(nil)
		_ = vnode.VOP_UNLOCK(l, covered)
	}
	sys.MountlistRemove(l, mp)
	if mp.HasVnodes(l) {
		kern.Panicf("unmount: dangling vnode: %v", mp)
	}
	mp.Destroy(l)
	if covered != nil {
		covered.Rele(l)
	}
	return nil
}

// unmountSync writes out what the file system has and lets it go. A file
// system that stays gets its flags and its syncer back.
//
// Preconditions: mp is being unmounted, its updating lock is held, the syncer
// is frozen.
func unmountSync(l *kern.Lwp, mp *vnode.Mount, flags int) (err error) {
	async := mp.Flag() & kern.MNT_ASYNC
	mp.ClearFlag(kern.MNT_ASYNC)
	if sys := mp.System(); sys.NameCache != nil {
		sys.NameCache.PurgeVFS(l, mp)
	}
	if mp.Syncer != nil {
		deallocateSyncvnode(l, mp)
	}
	if mp.Flag()&kern.MNT_RDONLY == 0 {
		err = vnode.VFS_SYNC(l, mp, kern.MNT_WAIT, l.Cred)
	}
	if err == nil || flags&kern.MNT_FORCE != 0 {
		err = vnode.VFS_UNMOUNT(l, mp, flags)
	}
	if err != nil {
		mp.SetFlag(async)
		adjustSyncer(l, mp)
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

// SyncAll has every file system that may be written start to write out what
// it has.
//
// Preconditions: the caller holds no vnode lock.
//
//netbsd:sys/kern/vfs_syscalls.c do_sys_sync
func SyncAll(l *kern.Lwp, sys *vnode.System) {
	for mp := range sys.BusyMounts(l) {
		mp.Updating.Enter(l)
		if mp.Flag()&kern.MNT_RDONLY == 0 {
			async := mp.Flag() & kern.MNT_ASYNC
			mp.ClearFlag(kern.MNT_ASYNC)
			_ = vnode.VFS_SYNC(l, mp, kern.MNT_NOWAIT, l.Cred)
			mp.SetFlag(async)
		}
		mp.Updating.Exit(l)
	}
}

// Shutdown writes out what there is and unmounts every file system; the first
// error is returned. flags is MNT_FORCE to take file systems from their users.
//
// Preconditions: the caller holds no vnode lock.
//
//netbsd:sys/kern/vfs_mount.c vfs_shutdown, vfs_sync_all, vfs_unmountall
func Shutdown(l *kern.Lwp, sys *vnode.System, flags int) error {
	SyncAll(l, sys)
	return UnmountAll(l, sys, flags)
}

package vfs

import (
	"rumpvfs/genfs"
	"rumpvfs/kern"
	"rumpvfs/vnode"
)

// SyncOps is the vector of the vnode through which the syncer comes to a
// whole file system: it is on the syncer's worklist, and syncing it syncs all
// that the file system has.
//
//netbsd:sys/miscfs/syncfs/sync_vnops.c sync_vnodeop_entries
var SyncOps = vnode.Ops{
	Name:     "sync",
	Close:    genfs.NullopClose,
	Fsync:    syncFsync,
	Inactive: syncInactive,
	Reclaim:  func(*kern.Lwp, *vnode.Vnode) error { return nil },
	Lock:     genfs.Lock,
	Unlock:   genfs.Unlock,
	Print:    func(*kern.Lwp, *vnode.Vnode) error { return nil },
	Islocked: genfs.Islocked,
	Putpages: genfs.NullPutpages,
}

// adjustSyncer has the syncer look after a mount that is written to in its
// own time, and no other.
//
// Preconditions: the mount's updating lock is held.
func adjustSyncer(l *kern.Lwp, mp *vnode.Mount) {
	wanted := mp.Flag()&(kern.MNT_RDONLY|kern.MNT_ASYNC) == 0
	switch {
	case wanted && mp.Syncer == nil:
		allocateSyncvnode(l, mp)
	case !wanted && mp.Syncer != nil:
		deallocateSyncvnode(l, mp)
	}
}

// allocateSyncvnode gives a mount its vnode of the syncer's. When it is due
// for the first time differs from mount to mount, so that not all of them are
// synced in the same second.
//
// Preconditions: the mount's updating lock is held, and it is not past the
// point where vnodes of it can be made.
//
//netbsd:sys/miscfs/syncfs/sync_vnops.c vfs_allocate_syncvnode
func allocateSyncvnode(l *kern.Lwp, mp *vnode.Mount) {
	sys := mp.System()
	vp, err := sys.GetNewVnode(l, vnode.VT_VFS, mp, &SyncOps, nil)
	kern.KASSERTOf(err == nil, "error == 0", mp)
	vp.AddWritecount(l, 1)
	vp.Interlock.Enter(l)
	vp.SyncerAddToWorklist(l, sys.SyncerScatter(l)%vnode.Syncdelay)
	vp.Interlock.Exit(l)
	mp.Syncer = vp
}

// deallocateSyncvnode takes it away.
//
// Preconditions: the mount's updating lock is held, and the syncer is frozen
// or has never seen the vnode.
//
//netbsd:sys/miscfs/syncfs/sync_vnops.c vfs_deallocate_syncvnode
func deallocateSyncvnode(l *kern.Lwp, mp *vnode.Mount) {
	vp := mp.Syncer
	mp.Syncer = nil
	vp.Interlock.Enter(l)
	vp.SyncerRemoveFromWorklist(l)
	vp.Interlock.Exit(l)
	vp.AddWritecount(l, -1)
	vp.Gone(l)
}

// syncFsync syncs the file system, when it is the syncer that asks.
//
//netbsd:sys/miscfs/syncfs/sync_vnops.c sync_fsync
func syncFsync(l *kern.Lwp, syncvp *vnode.Vnode, cred *kern.Cred, flags int, _, _ int64) error {
	if flags&vnode.FSYNC_LAZY == 0 {
		return nil
	}
	mp := syncvp.Mount()
	syncvp.Interlock.Enter(l)
	syncvp.SyncerAddToWorklist(l, vnode.Syncdelay)
	syncvp.Interlock.Exit(l)
	if mp.Busy(l) == nil {
		_ = vnode.VFS_SYNC(l, mp, kern.MNT_LAZY, cred)
		mp.Unbusy(l, false)
	}
	return nil
}

//netbsd:sys/miscfs/syncfs/sync_vnops.c sync_inactive
func syncInactive(l *kern.Lwp, vp *vnode.Vnode) (recycle bool, err error) {
	return false, vnode.VOP_UNLOCK(l, vp)
}

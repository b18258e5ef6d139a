package vfs

import (
	"rumpvfs/genfs"
	"rumpvfs/kern"
	"rumpvfs/uvm"
	"rumpvfs/vnode"
)

// DeadOps is the vector of vnodes whose file system has let go of them.
// Locking still works; hardly anything else does, and what has no entry
// answers EBADF.
//
//netbsd:sys/miscfs/deadfs/dead_vnops.c dead_vnodeop_entries
var DeadOps = vnode.Ops{
	Name:     "dead",
	Default:  deadDefaultError,
	Bwrite:   func(*kern.Lwp, *vnode.Vnode, *vnode.Buf) error { return nil },
	Lookup:   deadLookup,
	Open:     deadOpen,
	Close:    func(*kern.Lwp, *vnode.Vnode, int, *kern.Cred) error { return nil },
	Read:     deadRead,
	Write:    deadWrite,
	Fcntl:    func(*kern.Lwp, *vnode.Vnode, uint32, any, int, *kern.Cred) error { return nil },
	Ioctl:    deadIoctl,
	Poll:     deadPoll,
	Remove:   deadRemove,
	Link:     deadLink,
	Rename:   deadRename,
	Rmdir:    deadRemove,
	Fsync:    func(*kern.Lwp, *vnode.Vnode, *kern.Cred, int, int64, int64) error { return nil },
	Seek:     func(*kern.Lwp, *vnode.Vnode, int64, int64, *kern.Cred) error { return nil },
	Inactive: deadInactive,
	Reclaim:  func(*kern.Lwp, *vnode.Vnode) error { return nil },
	Lock:     genfs.Deadlock,
	Unlock:   genfs.Deadunlock,
	Bmap:     deadBmap,
	Strategy: deadStrategy,
	Print:    func(*kern.Lwp, *vnode.Vnode) error { return nil },
	Islocked: genfs.Deadislocked,
	Revoke:   func(*kern.Lwp, *vnode.Vnode, int) error { return nil },
	Getpages: deadGetpages,
	Putpages: deadPutpages,
}

//netbsd:sys/miscfs/deadfs/dead_vnops.c dead_default_error
func deadDefaultError(*kern.Lwp, vnode.Args) error { return kern.EBADF }

//netbsd:sys/miscfs/deadfs/dead_vnops.c dead_lookup
func deadLookup(*kern.Lwp, *vnode.Vnode, *vnode.Componentname) (*vnode.Vnode, error) {
	return nil, kern.ENOENT
}

//netbsd:sys/miscfs/deadfs/dead_vnops.c dead_open
func deadOpen(*kern.Lwp, *vnode.Vnode, int, *kern.Cred) error { return kern.ENXIO }

// deadRead gives end of file on what was a terminal and EIO on all else.
//
//netbsd:sys/miscfs/deadfs/dead_vnops.c dead_read
func deadRead(_ *kern.Lwp, vp *vnode.Vnode, _ *kern.Uio, _ int, _ *kern.Cred) error {
	if vp.Vflag()&vnode.VV_ISTTY == 0 {
		return kern.EIO
	}
	return nil
}

//netbsd:sys/miscfs/deadfs/dead_vnops.c dead_write
func deadWrite(*kern.Lwp, *vnode.Vnode, *kern.Uio, int, *kern.Cred) error { return kern.EIO }

//netbsd:sys/miscfs/deadfs/dead_vnops.c dead_ioctl
func deadIoctl(*kern.Lwp, *vnode.Vnode, uint64, any, int, *kern.Cred) error { return kern.EBADF }

// deadPoll reports all events: the caller shall find out at once.
//
//netbsd:sys/miscfs/deadfs/dead_vnops.c dead_poll
func deadPoll(_ *kern.Lwp, _ *vnode.Vnode, events int) (int, error) { return events, nil }

// deadRemove serves remove and rmdir: it only keeps their contract.
//
//netbsd:sys/miscfs/deadfs/dead_vnops.c dead_remove, dead_rmdir
func deadRemove(l *kern.Lwp, dvp, vp *vnode.Vnode, _ *vnode.Componentname) error {
	dvp.Put(l)
	vp.Put(l)
	return kern.EIO
}

//netbsd:sys/miscfs/deadfs/dead_vnops.c dead_link
func deadLink(l *kern.Lwp, dvp, _ *vnode.Vnode, _ *vnode.Componentname) error {
	dvp.Put(l)
	return kern.EIO
}

//netbsd:sys/miscfs/deadfs/dead_vnops.c dead_rename
func deadRename(l *kern.Lwp, fdvp, fvp *vnode.Vnode, _ *vnode.Componentname, tdvp, tvp *vnode.Vnode, _ *vnode.Componentname) error {
	fdvp.Rele(l)
	fvp.Rele(l)
	if tvp != nil && tvp != tdvp {
		_ = vnode.VOP_UNLOCK(l, tvp)
	}
	tdvp.Put(l)
	if tvp != nil {
		tvp.Rele(l)
	}
	return kern.EIO
}

//netbsd:sys/miscfs/deadfs/dead_vnops.c dead_inactive
func deadInactive(l *kern.Lwp, vp *vnode.Vnode) (recycle bool, err error) {
	return false, vnode.VOP_UNLOCK(l, vp)
}

//netbsd:sys/miscfs/deadfs/dead_vnops.c dead_bmap
func deadBmap(*kern.Lwp, *vnode.Vnode, int64) (*vnode.Vnode, int64, int, error) {
	return nil, 0, 0, kern.EIO
}

//netbsd:sys/miscfs/deadfs/dead_vnops.c dead_strategy
func deadStrategy(l *kern.Lwp, _ *vnode.Vnode, bp *vnode.Buf) error {
	bp.Error = kern.EIO
	bp.Resid = bp.Bcount
	vnode.Biodone(l, bp)
	return kern.EIO
}

//netbsd:sys/miscfs/deadfs/dead_vnops.c dead_getpages
func deadGetpages(l *kern.Lwp, vp *vnode.Vnode, _ int64, _ []*uvm.Page, _ int, _ int, _ int, _ int, flags int) (int, error) {
	if flags&uvm.PGO_LOCKED == 0 {
		vp.Interlock.Exit(l)
	}
	return 0, kern.EFAULT
}

//netbsd:sys/miscfs/deadfs/dead_vnops.c dead_putpages
func deadPutpages(l *kern.Lwp, vp *vnode.Vnode, _, _ int64, _ int) error {
	vp.Interlock.Exit(l)
	return kern.EFAULT
}

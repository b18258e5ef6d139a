package genfs

import (
	"rumpvfs/kern"
	"rumpvfs/vnode"
)

// Events of poll(2) that a file always has.
const (
	POLLIN     = 0x0001
	POLLOUT    = 0x0004
	POLLRDNORM = 0x0040
	POLLWRNORM = POLLOUT
)

// Poll answers that a file can be read and written without waiting.
//
//netbsd:sys/miscfs/genfs/genfs_vnops.c genfs_poll
func Poll(_ *kern.Lwp, _ *vnode.Vnode, events int) (int, error) {
	return events & (POLLIN | POLLOUT | POLLRDNORM | POLLWRNORM), nil
}

// Seek allows any offset but negative ones, which are EINVAL.
//
//netbsd:sys/miscfs/genfs/genfs_vnops.c genfs_seek
func Seek(_ *kern.Lwp, _ *vnode.Vnode, _, newoff int64, _ *kern.Cred) error {
	if newoff < 0 {
		return kern.EINVAL
	}
	return nil
}

// Abortop is for file systems whose lookup leaves nothing behind.
//
//netbsd:sys/miscfs/genfs/genfs_vnops.c genfs_abortop
func Abortop(*kern.Lwp, *vnode.Vnode, *vnode.Componentname) error { return nil }

// Fcntl accepts new file-status flags; all else is EOPNOTSUPP.
//
//netbsd:sys/miscfs/genfs/genfs_vnops.c genfs_fcntl
func Fcntl(_ *kern.Lwp, _ *vnode.Vnode, command uint32, _ any, _ int, _ *kern.Cred) error {
	if command == kern.F_SETFL {
		return nil
	}
	return kern.EOPNOTSUPP
}

// Badop is for operations that cannot be meant for the vnode: it panics.
//
//netbsd:sys/miscfs/genfs/genfs_vnops.c genfs_badop
func Badop(*kern.Lwp, vnode.Args) error {
	kern.Panicf("genfs: bad op")
	return nil
}

// Nullop does nothing, successfully.
//
//netbsd:sys/miscfs/genfs/genfs_vnops.c genfs_nullop
func Nullop(*kern.Lwp, vnode.Args) error { return nil }

// NullopClose is [Nullop] for the slots of open, close, access and mmap, which
// take the same.
func NullopClose(*kern.Lwp, *vnode.Vnode, int, *kern.Cred) error { return nil }

// NullopFsync is [Nullop] for the slot of fsync.
func NullopFsync(*kern.Lwp, *vnode.Vnode, *kern.Cred, int, int64, int64) error { return nil }

// Einval fails with EINVAL.
//
//netbsd:sys/miscfs/genfs/genfs_vnops.c genfs_einval
func Einval(*kern.Lwp, vnode.Args) error { return kern.EINVAL }

// Ebadf fails with EBADF.
//
//netbsd:sys/miscfs/genfs/genfs_vnops.c genfs_ebadf
func Ebadf(*kern.Lwp, vnode.Args) error { return kern.EBADF }

// Enoioctl says that an ioctl is not known here.
//
//netbsd:sys/miscfs/genfs/genfs_vnops.c genfs_enoioctl
func Enoioctl(*kern.Lwp, vnode.Args) error { return kern.EPASSTHROUGH }

// EnoioctlIoctl is [Enoioctl] for the slot of ioctl.
func EnoioctlIoctl(*kern.Lwp, *vnode.Vnode, uint64, any, int, *kern.Cred) error {
	return kern.EPASSTHROUGH
}

// Eopnotsupp fails with EOPNOTSUPP and does what the operation owes its
// caller all the same: vnodes are put, released or unlocked as the operation
// promises, and the component name is given up. It is not for lookup, whose
// callers count on a vnode, nor for abortop, which it calls.
//
// Preconditions: those of the operation.
// Postconditions: those of the operation in case of an error.
//
//netbsd:sys/miscfs/genfs/genfs_vnops.c genfs_eopnotsupp
func Eopnotsupp(l *kern.Lwp, a vnode.Args) error {
	op := a.Desc().Offset
	kern.KASSERT(op != vnode.VOP_LOOKUP_DESCOFFSET, "desc->vdesc_offset != VOP_LOOKUP_DESCOFFSET")
	kern.KASSERT(op != vnode.VOP_ABORTOP_DESCOFFSET, "desc->vdesc_offset != VOP_ABORTOP_DESCOFFSET")
	vnode.Abandon(l, a)
	return kern.EOPNOTSUPP
}

// EopnotsuppLink is [Eopnotsupp] for file systems without hard links.
//
// Preconditions: dvp is locked exclusively.
// Postconditions: dvp is unlocked and released.
func EopnotsuppLink(l *kern.Lwp, dvp, vp *vnode.Vnode, cnp *vnode.Componentname) error {
	return Eopnotsupp(l, &vnode.LinkArgs{Dvp: dvp, Vp: vp, Cnp: cnp})
}

// Revoke makes vp and all its aliases dead.
//
// Preconditions: flags has REVOKEALL. vp is referenced, not locked.
//
//netbsd:sys/miscfs/genfs/genfs_vnops.c genfs_revoke
func Revoke(l *kern.Lwp, vp *vnode.Vnode, flags int) error {
	if flags&vnode.REVOKEALL == 0 {
		kern.Panicf("genfs_revoke: not revokeall")
	}
	vp.Revoke(l)
	return nil
}

// Mmap allows every mapping.
//
//netbsd:sys/miscfs/genfs/genfs_vnops.c genfs_mmap
func Mmap(*kern.Lwp, *vnode.Vnode, int, *kern.Cred) error { return nil }

// NullPutpages is for vnodes that never have pages.
//
// Preconditions: the interlock is held.
// Postconditions: it is released.
//
//netbsd:sys/miscfs/genfs/genfs_vnops.c genfs_null_putpages
func NullPutpages(l *kern.Lwp, vp *vnode.Vnode, _, _ int64, _ int) error {
	kern.KASSERTOf(vp.NPages() == 0, "vp->v_uobj.uo_npages == 0", vp)
	vp.Interlock.Exit(l)
	return nil
}

// KeepInactive keeps the vnode of a file that nobody uses: it may be wanted
// again. For the slot of inactive.
func KeepInactive(l *kern.Lwp, vp *vnode.Vnode) (recycle bool, err error) {
	return false, vnode.VOP_UNLOCK(l, vp)
}

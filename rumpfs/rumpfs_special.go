package rumpfs

import (
	"rumpvfs/genfs"
	"rumpvfs/kern"
	"rumpvfs/vnode"
)

// vopOpen is told that a file is opened.
//
//netbsd:sys/rump/librump/rumpvfs/rumpfs.c rump_vop_open
func vopOpen(l *kern.Lwp, vp *vnode.Vnode, mode int, cred *kern.Cred) error {
	rn := nodeOf(vp)
	switch vp.Type() {
	case vnode.VREG:
		if rn.phonesHost() {
			return rn.openMapped(l, mode)
		}
	case vnode.VFIFO, vnode.VBAD:
		if !rn.fs.quirk(kern.QuirkFifoIO) {
			return kern.EOPNOTSUPP
		}
	}
	return nil
}

// vopSuccess is fsync: memory is all there is.
//
//netbsd:sys/rump/librump/rumpvfs/rumpfs.c rump_vop_success
func vopSuccess(*kern.Lwp, *vnode.Vnode, *kern.Cred, int, int64, int64) error { return nil }

// vopInactive closes the host's file and says that a file without a name need not keep its vnode.
//
// Preconditions: vp is locked exclusively.
// Postconditions: it is unlocked.
//
//netbsd:sys/rump/librump/rumpvfs/rumpfs.c rump_vop_inactive
func vopInactive(l *kern.Lwp, vp *vnode.Vnode) (bool, error) {
	rn := nodeOf(vp)
	if rn.phonesHost() {
		rn.hostClose(l, &rn.host.readfd)
		rn.hostClose(l, &rn.host.writefd)
	}
	recycle := rn.canReclaim
	return recycle, vnode.VOP_UNLOCK(l, vp)
}

// vopReclaim parts a node from its vnode. Without a name the node is gone too.
//
//netbsd:sys/rump/librump/rumpvfs/rumpfs.c rump_vop_reclaim
func vopReclaim(l *kern.Lwp, vp *vnode.Vnode) error {
	rn := nodeOf(vp)
	rn.lockf.Drop(l, vp)
	rn.fs.reclock.Enter(l)
	rn.vp.Store(nil)
	if rn.canReclaim {
		rn.freed.Store(true)
	}
	rn.fs.reclock.Exit(l)
	genfs.NodeDestroy(l, vp)
	vp.Interlock.Enter(l)
	vp.Data = nil
	vp.Interlock.Exit(l)
	if rn.canReclaim {
		if rn.isUnion() {
			kern.QuirkEtfsDirData.Undefined() // the reference frees what it takes for a pointer
		}
		rn.freeprivate()
	}
	return nil
}

// vopSpec sends an operation on a device node where it belongs: attributes and locks are rumpfs's, all else is specfs's.
//
//netbsd:sys/rump/librump/rumpvfs/rumpfs.c rump_vop_spec
func (fs *FS) vopSpec(l *kern.Lwp, a vnode.Args) error {
	switch a.Desc().Offset {
	case vnode.VOP_ACCESS_DESCOFFSET, vnode.VOP_GETATTR_DESCOFFSET, vnode.VOP_SETATTR_DESCOFFSET,
		vnode.VOP_LOCK_DESCOFFSET, vnode.VOP_UNLOCK_DESCOFFSET, vnode.VOP_ISLOCKED_DESCOFFSET,
		vnode.VOP_RECLAIM_DESCOFFSET:
		return fs.vnodeops.Call(l, a)
	}
	return fs.vsys.SpecOps.Call(l, a)
}

// vopRevoke takes a file from its users, but with QuirkRevokeIgnored answers as if it were not there.
//
//netbsd:sys/miscfs/genfs/genfs_vnops.c genfs_revoke
func vopRevoke(l *kern.Lwp, vp *vnode.Vnode, flags int) error {
	if vp.System().K.Quirks.Has(kern.QuirkRevokeIgnored) {
		return kern.EOPNOTSUPP
	}
	return genfs.Revoke(l, vp, flags)
}

// vopAdvlock does what advlock(9) asks with the locks of the node. The vnode is not locked; one that loses its node meanwhile
// answers as the dead one that it is about to be.
//
//netbsd:sys/rump/librump/rumpvfs/rumpfs.c rump_vop_advlock
func vopAdvlock(l *kern.Lwp, vp *vnode.Vnode, id any, op int, fl *kern.Flock, flags int) error {
	vp.Interlock.Enter(l)
	size := vp.Size
	rn, ok := vp.Data.(*node)
	vp.Interlock.Exit(l)
	if !ok {
		return kern.EBADF
	}
	return rn.lockf.Advlock(l, vp, id, op, fl, flags, size)
}

// vopPathconf answers pathconf(2). The vnode need not be locked, so the node is left alone.
//
//netbsd:sys/rump/librump/rumpvfs/rumpfs.c rump_vop_pathconf
func vopPathconf(l *kern.Lwp, vp *vnode.Vnode, name int) (int64, error) {
	funny := vp.System().K.Quirks.Has(kern.QuirkPathconf)
	switch name {
	case kern.PC_LINK_MAX:
		return kern.LINK_MAX, nil
	case kern.PC_NAME_MAX:
		return maxNamlen, nil
	case kern.PC_PATH_MAX:
		return kern.PATH_MAX, nil
	case kern.PC_PIPE_BUF:
		return kern.PIPE_BUF, nil
	case kern.PC_CHOWN_RESTRICTED, kern.PC_NO_TRUNC, kern.PC_SYNC_IO, kern.PC_2_SYMLINKS:
		return 1, nil
	case kern.PC_FILESIZEBITS:
		if funny {
			return 43, nil
		}
		return 64, nil
	case kern.PC_SYMLINK_MAX:
		if funny {
			return kern.MAXPATHLEN, nil
		}
		return kern.MAXPATHLEN - 1, nil
	}
	return 0, kern.EINVAL
}

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
	vp.Disown(l)
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

// AdvisoryLocks are the locks on the file, for genfs.Advlock.
//
//netbsd:sys/rump/librump/rumpvfs/rumpfs.c rump_vop_advlock
func (rn *node) AdvisoryLocks() *vnode.Lockf { return &rn.lockf }

// vopPathconf answers pathconf(2). The vnode need not be locked, so the node is left alone.
//
//netbsd:sys/rump/librump/rumpvfs/rumpfs.c rump_vop_pathconf
func vopPathconf(l *kern.Lwp, vp *vnode.Vnode, name int) (int64, error) {
	if vp.System().K.Quirks.Has(kern.QuirkPathconf) {
		switch name {
		case kern.PC_FILESIZEBITS:
			return 43, nil
		case kern.PC_SYMLINK_MAX:
			return kern.MAXPATHLEN, nil
		}
	}
	return genfs.Pathconf(l, vp, name)
}

package tmpfs

import (
	"rumpvfs/kern"
	"rumpvfs/vnode"
)

// own reports whether the operation on a device or fifo is about its node,
// which tmpfs keeps, and not about what it leads to.
func own(offset int) bool {
	switch offset {
	case vnode.VOP_ACCESS_DESCOFFSET, vnode.VOP_GETATTR_DESCOFFSET, vnode.VOP_SETATTR_DESCOFFSET,
		vnode.VOP_FCNTL_DESCOFFSET, vnode.VOP_INACTIVE_DESCOFFSET, vnode.VOP_RECLAIM_DESCOFFSET,
		vnode.VOP_LOCK_DESCOFFSET, vnode.VOP_UNLOCK_DESCOFFSET, vnode.VOP_ISLOCKED_DESCOFFSET,
		vnode.VOP_PRINT_DESCOFFSET:
		return true
	}
	return false
}

// vopSpec sends an operation on a device where it belongs.
//
//netbsd:sys/fs/tmpfs/tmpfs_specops.c tmpfs_specop_entries, tmpfs_spec_close
func (fs *FS) vopSpec(l *kern.Lwp, a vnode.Args) error {
	if own(a.Desc().Offset) {
		return fs.ops.Call(l, a)
	}
	return fs.vsys.SpecOps.Call(l, a)
}

// specRead moves the access time of a device and reads it.
//
//netbsd:sys/fs/tmpfs/tmpfs_specops.c tmpfs_spec_read
func (fs *FS) specRead(l *kern.Lwp, vp *vnode.Vnode, uio *kern.Uio, ioflag int, cred *kern.Cred) error {
	nodeOf(vp).update(l, updateAtime)
	return fs.vsys.SpecOps.Read(l, vp, uio, ioflag, cred)
}

// specWrite moves the modification time of a device and writes to it.
//
//netbsd:sys/fs/tmpfs/tmpfs_specops.c tmpfs_spec_write
func (fs *FS) specWrite(l *kern.Lwp, vp *vnode.Vnode, uio *kern.Uio, ioflag int, cred *kern.Cred) error {
	nodeOf(vp).update(l, updateMtime)
	return fs.vsys.SpecOps.Write(l, vp, uio, ioflag, cred)
}

// vopFifo sends an operation on a fifo where it belongs.
//
//netbsd:sys/fs/tmpfs/tmpfs_fifoops.c tmpfs_fifoop_entries, tmpfs_fifo_close
func (fs *FS) vopFifo(l *kern.Lwp, a vnode.Args) error {
	if own(a.Desc().Offset) {
		return fs.ops.Call(l, a)
	}
	return fs.fifo.Call(l, a)
}

// fifoRead moves the access time of a fifo and reads it.
//
//netbsd:sys/fs/tmpfs/tmpfs_fifoops.c tmpfs_fifo_read
func (fs *FS) fifoRead(l *kern.Lwp, vp *vnode.Vnode, uio *kern.Uio, ioflag int, cred *kern.Cred) error {
	nodeOf(vp).update(l, updateAtime)
	return fs.fifo.Call(l, &vnode.ReadArgs{Vp: vp, Uio: uio, Ioflag: ioflag, Cred: cred})
}

// fifoWrite moves the modification time of a fifo and writes to it.
//
//netbsd:sys/fs/tmpfs/tmpfs_fifoops.c tmpfs_fifo_write
func (fs *FS) fifoWrite(l *kern.Lwp, vp *vnode.Vnode, uio *kern.Uio, ioflag int, cred *kern.Cred) error {
	nodeOf(vp).update(l, updateMtime)
	return fs.fifo.Call(l, &vnode.WriteArgs{Vp: vp, Uio: uio, Ioflag: ioflag, Cred: cred})
}

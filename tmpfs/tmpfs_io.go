package tmpfs

import (
	"rumpvfs/kern"
	"rumpvfs/uvm"
	"rumpvfs/vnode"
)

// vopOpen keeps files that are marked append-only from being opened for
// other writing (EPERM).
//
//netbsd:sys/fs/tmpfs/tmpfs_vnops.c tmpfs_open
func vopOpen(_ *kern.Lwp, vp *vnode.Vnode, mode int, _ *kern.Cred) error {
	if nodeOf(vp).flags&kern.APPEND != 0 && mode&(kern.FWRITE|kern.O_APPEND) == kern.FWRITE {
		return kern.EPERM
	}
	return nil
}

// vopRead reads a file.
//
// Preconditions: vp is locked, shared or exclusively.
//
//netbsd:sys/fs/tmpfs/tmpfs_vnops.c tmpfs_read
func vopRead(l *kern.Lwp, vp *vnode.Vnode, uio *kern.Uio, ioflag int, _ *kern.Cred) (err error) {
	if vp.Type() == vnode.VDIR {
		return kern.EISDIR
	}
	if uio.Offset < 0 || vp.Type() != vnode.VREG {
		return kern.EINVAL
	}
	if uio.Resid == 0 {
		return nil
	}
	n := nodeOf(vp)
	for err == nil && uio.Resid > 0 && uio.Offset < n.size {
		chunk := min(n.size-uio.Offset, uio.Resid)
		err = uvm.UbcUiomove(l, n.aobj, uio, chunk, ioflag&vnode.IO_ADV_MASK, uvm.UBC_READ|uvm.UBC_PARTIALOK)
	}
	n.update(l, updateAtime)
	return err
}

// vopWrite writes a file. First of all there must be memory for all of it;
// if the transfer then fails, a file that has grown is cut back.
//
// Preconditions: vp is locked exclusively.
//
//netbsd:sys/fs/tmpfs/tmpfs_vnops.c tmpfs_write
func vopWrite(l *kern.Lwp, vp *vnode.Vnode, uio *kern.Uio, ioflag int, _ *kern.Cred) (err error) {
	if uio.Offset < 0 || vp.Type() != vnode.VREG {
		return kern.EINVAL
	}
	if uio.Resid == 0 {
		return nil
	}
	n := nodeOf(vp)
	oldsize := n.size
	if ioflag&vnode.IO_APPEND != 0 {
		uio.Offset = n.size
	}
	if end := uio.Offset + uio.Resid; end < 0 {
		return kern.ENOSPC // more than there can be memory for
	} else if end > n.size {
		if err := n.resize(l, vp, end); err != nil {
			return err
		}
	}
	for err == nil && uio.Resid > 0 {
		chunk := min(n.size-uio.Offset, uio.Resid)
		err = uvm.UbcUiomove(l, n.aobj, uio, chunk, ioflag&vnode.IO_ADV_MASK, uvm.UBC_WRITE)
	}
	if err != nil {
		_ = n.resize(l, vp, oldsize)
	}
	n.update(l, updateMtime|updateCtime)
	vp.Knote(l, kern.NOTE_WRITE)
	return err
}

// resize makes the file newsize bytes long, or answers ENOSPC. What is cut
// off reads as zeros when the file grows again.
//
// Preconditions: vp, the node's vnode, is locked exclusively.
//
//netbsd:sys/fs/tmpfs/tmpfs_subr.c tmpfs_reg_resize
func (n *node) resize(l *kern.Lwp, vp *vnode.Vnode, newsize int64) error {
	oldbytes, newbytes := roundPage(uint64(n.size)), roundPage(uint64(newsize))
	switch {
	case newbytes > oldbytes:
		if !n.mnt.mem.incr(l, newbytes-oldbytes) {
			return kern.ENOSPC
		}
	case newsize < n.size:
		uvm.UbcZerorange(l, n.aobj, newsize, min(int64(newbytes), n.size)-newsize, 0)
	}
	grows := newsize > n.size
	n.size = newsize
	vp.SetSize(l, newsize)
	if newbytes < oldbytes {
		n.mnt.mem.decr(l, oldbytes-newbytes)
	}
	if grows {
		vp.Knote(l, kern.NOTE_EXTEND)
	}
	return nil
}

// vopReadlink reads the target of a symbolic link.
//
//netbsd:sys/fs/tmpfs/tmpfs_vnops.c tmpfs_readlink
func vopReadlink(l *kern.Lwp, vp *vnode.Vnode, uio *kern.Uio, _ *kern.Cred) error {
	n := nodeOf(vp)
	target := n.target[:min(int64(len(n.target)), uio.Resid)]
	err := uio.Move([]byte(target))
	n.update(l, updateAtime)
	return err
}

// vopGetpages gets pages of the file, which its memory object has. EINVAL
// beyond the end.
//
// Preconditions: the interlock is held.
// Postconditions: it is released, unless PGO_LOCKED is set.
//
//netbsd:sys/fs/tmpfs/tmpfs_vnops.c tmpfs_getpages
func vopGetpages(l *kern.Lwp, vp *vnode.Vnode, offset int64, m []*uvm.Page, count, centeridx, accessType, advice, flags int) (int, error) {
	n := nodeOf(vp)
	if vp.Size <= offset+int64(centeridx)<<kern.PAGE_SHIFT {
		if flags&uvm.PGO_LOCKED == 0 {
			vp.Interlock.Exit(l)
		}
		return 0, kern.EINVAL
	}
	if flags&uvm.PGO_LOCKED != 0 {
		return 0, kern.EBUSY
	}
	if vp.Size < offset+int64(count)<<kern.PAGE_SHIFT {
		count = int((kern.RoundPage(vp.Size) - offset) >> kern.PAGE_SHIFT)
	}
	if flags&uvm.PGO_NOTIMESTAMP == 0 {
		n.stamp(l, vp, accessType)
	}
	clear(m[:count])
	return n.aobj.Pager.Get(l, n.aobj, offset, m, count, centeridx, accessType, advice, flags|uvm.PGO_ALLPAGES)
}

// stamp moves the time stamps of a file that is mapped and touched.
func (n *node) stamp(l *kern.Lwp, vp *vnode.Vnode, accessType int) {
	which := 0
	mflag := vp.Mount().Flag()
	if mflag&kern.MNT_NOATIME == 0 {
		which |= updateAtime
	}
	if accessType&uvm.VM_PROT_WRITE != 0 {
		which |= updateMtime
		if mflag&kern.MNT_RELATIME != 0 {
			which |= updateAtime
		}
	}
	n.update(l, which)
}

// vopPutpages frees pages of the file; there is nowhere to write them to.
//
// Preconditions: the interlock is held.
// Postconditions: it is released.
//
//netbsd:sys/fs/tmpfs/tmpfs_vnops.c tmpfs_putpages
func vopPutpages(l *kern.Lwp, vp *vnode.Vnode, offlo, offhi int64, flags int) error {
	n, ok := vp.Data.(*node)
	if !ok || vp.Type() != vnode.VREG {
		vp.Interlock.Exit(l)
		return nil
	}
	return n.aobj.Pager.Put(l, n.aobj, offlo, offhi, flags)
}

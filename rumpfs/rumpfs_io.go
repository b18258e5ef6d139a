package rumpfs

import (
	"rumpvfs/kern"
	"rumpvfs/uvm"
	"rumpvfs/vnode"
)

// vopRead reads a file through the page cache.
//
// What is left of the file behind the offset is an unsigned number: beyond the end, it is so large that all of the request
// is read, and the page cache has the last word.
//
// Preconditions: vp is locked, shared or exclusively.
//
//netbsd:sys/rump/librump/rumpvfs/rumpfs.c rump_vop_read
func vopRead(l *kern.Lwp, vp *vnode.Vnode, uio *kern.Uio, ioflag int, cred *kern.Cred) error {
	rn := nodeOf(vp)
	switch vp.Type() {
	case vnode.VDIR:
		return kern.EISDIR
	case vnode.VFIFO, vnode.VBAD:
		if !rn.fs.quirk(kern.QuirkFifoIO) {
			return kern.EOPNOTSUPP
		}
	}
	if rn.phonesHost() {
		return rn.etread(l, uio)
	}
	dlen := rn.dlen()
	before := uio.Resid
	if uint64(uio.Offset) > dlen && !rn.fs.quirk(kern.QuirkReadBeyondEOF) {
		if before > 0 {
			rn.wasRead(vp)
		}
		return nil
	}
	var err error
	for uio.Resid > 0 && err == nil {
		chunk := min(uint64(uio.Resid), dlen-uint64(uio.Offset))
		if chunk == 0 {
			break
		}
		err = uvm.UbcUiomove(l, &vp.Object, uio, int64(chunk), ioflag&vnode.IO_ADV_MASK, uvm.UBC_READ|uvm.UBC_PARTIALOK)
	}
	if before > 0 {
		rn.wasRead(vp)
	}
	return err
}

// vopWrite writes a file through the page cache. First of all there must be memory for all of it, else the error is ENOSPC
// and nothing has changed. If the transfer then fails, a file that has grown is cut back.
//
// Preconditions: vp is locked exclusively.
//
//netbsd:sys/rump/librump/rumpvfs/rumpfs.c rump_vop_write
func vopWrite(l *kern.Lwp, vp *vnode.Vnode, uio *kern.Uio, ioflag int, cred *kern.Cred) error {
	rn := nodeOf(vp)
	if ioflag&vnode.IO_APPEND != 0 {
		uio.Offset = rn.fileSize(l, vp)
	}
	if err := rn.mayWrite(vp, uio); err != nil {
		return err
	}
	if rn.phonesHost() {
		return rn.etwrite(l, uio)
	}
	if uio.Resid == 0 && !rn.fs.quirk(kern.QuirkZeroWriteGrows) {
		return nil
	}
	oldlen, newlen := rn.data.len, uint64(uio.Offset)+uint64(uio.Resid)
	grows := oldlen < newlen
	if grows && !rn.grow(l, vp, newlen) {
		return kern.ENOSPC
	}
	before := uio.Resid
	err := rn.writeChunks(l, vp, uio, ioflag)
	if err != nil && grows {
		rn.cut(l, vp, oldlen)
	}
	if uio.Resid < before {
		rn.clearSetID(cred)
		rn.modified()
	}
	return err
}

// writeChunks moves what uio holds to the page cache. The file is as long as it needs to be.
func (rn *node) writeChunks(l *kern.Lwp, vp *vnode.Vnode, uio *kern.Uio, ioflag int) error {
	for uio.Resid > 0 {
		chunk := min(uint64(uio.Resid), rn.data.len-uint64(uio.Offset))
		if chunk == 0 {
			break
		}
		err := uvm.UbcUiomove(l, &vp.Object, uio, int64(chunk), ioflag&vnode.IO_ADV_MASK, uvm.UBC_WRITE|uvm.UBC_PARTIALOK)
		if err != nil {
			return err
		}
	}
	return nil
}

// mayWrite sorts out what is no regular file, and what file flags protect.
func (rn *node) mayWrite(vp *vnode.Vnode, uio *kern.Uio) error {
	switch vp.Type() {
	case vnode.VDIR, vnode.VLNK:
		if rn.fs.quirk(kern.QuirkWriteNotFile) {
			kern.QuirkWriteNotFile.Undefined()
		}
		if vp.Type() == vnode.VDIR {
			return kern.EISDIR
		}
		return kern.EINVAL
	case vnode.VFIFO, vnode.VBAD:
		if !rn.fs.quirk(kern.QuirkFifoIO) {
			return kern.EOPNOTSUPP
		}
	}
	if rn.va.Flags&kern.APPEND != 0 && uio.Offset != vp.Size && !rn.fs.quirk(kern.QuirkFileFlags) {
		return kern.EPERM
	}
	return nil
}

// bmapRun is how many more blocks follow in a row: a number that the reference picked.
const bmapRun = 16

// vopBmap says that block bn is block bn.
//
//netbsd:sys/rump/librump/rumpvfs/rumpfs.c rump_vop_bmap
func vopBmap(l *kern.Lwp, vp *vnode.Vnode, bn int64) (*vnode.Vnode, int64, int, error) {
	return vp, bn, bmapRun, nil
}

// vopStrategy moves pages between the page cache and the node's data. What a page has behind the end of the data is read as
// zeros and not written.
//
//netbsd:sys/rump/librump/rumpvfs/rumpfs.c rump_vop_strategy
func vopStrategy(l *kern.Lwp, vp *vnode.Vnode, bp *vnode.Buf) error {
	rn := nodeOf(vp)
	bp.Error = kern.EINVAL
	if vp.Type() == vnode.VREG {
		rn.transfer(l, bp)
		bp.Resid = 0
		bp.Error = nil
	}
	vnode.Biodone(l, bp)
	return nil
}

// transfer does what bp asks of the node's data.
func (rn *node) transfer(l *kern.Lwp, bp *vnode.Buf) {
	rn.dataLock.Enter(l)
	off, n := uint64(bp.Blkno)<<kern.DEV_BSHIFT, uint64(bp.Bcount)
	left := rn.data.len - off
	if off > rn.data.len {
		if rn.fs.quirk(kern.QuirkStrategyBeyondEnd) {
			rn.dataLock.Exit(l)
			kern.QuirkStrategyBeyondEnd.Undefined()
		}
		left = 0
	}
	n = min(n, left)
	if bp.IsWrite() {
		rn.data.writeAt(bp.Data[:n], off)
	} else {
		clear(bp.Data[n:bp.Bcount])
		rn.data.readAt(bp.Data[:n], off)
	}
	rn.dataLock.Exit(l)
}

package vnode

import (
	"rumpvfs/kern"
	"rumpvfs/uvm"
)

// Mapin makes bp.Data a window on pages that follow one another in the file:
// their own memory if it is in one piece, a copy otherwise. The device may
// fill only part of the window; what it leaves alone survives [Buf.Mapout].
//
// Preconditions: the pages are busy and the caller's.
//
//netbsd:sys/rump/librump/rumpkern/vm.c uvm_pagermapin
func (bp *Buf) Mapin(pgs []*uvm.Page) {
	bp.pages = append(bp.pages[:0], pgs...)
	bp.Bufsize = len(pgs) << kern.PAGE_SHIFT
	bp.Data = uvm.Contiguous(pgs)
	bp.copied = bp.Data == nil
	if !bp.copied {
		return
	}
	if cap(bp.window) < bp.Bufsize {
		bp.window = make([]byte, bp.Bufsize)
	}
	bp.Data = bp.window[:bp.Bufsize]
	for i, pg := range pgs {
		copy(bp.Data[i<<kern.PAGE_SHIFT:], pg.Data)
	}
}

// Mapout ends the window of [Buf.Mapin]. What was read from the device is in
// the pages then.
//
// Preconditions: the pages are still busy.
//
//netbsd:sys/rump/librump/rumpkern/vm.c uvm_pagermapout
func (bp *Buf) Mapout() {
	if bp.IsRead() && bp.copied {
		for i, pg := range bp.pages {
			copy(pg.Data, bp.Data[i<<kern.PAGE_SHIFT:])
		}
	}
	bp.Data = nil
}

// AioBiodone is the Iodone of transfers of mapped-in pages that nobody waits
// for: it ends the window, lets the pages go and gives bp back. Pages to be
// released are freed. An error of the transfer is not passed on.
//
// Preconditions: the interlock of bp's vnode is not held.
//
//netbsd:sys/rump/librump/rumpvfs/vm_vfs.c uvm_aio_biodone, uvm_aio_aiodone
func AioBiodone(l *kern.Lwp, bp *Buf) {
	pgs := bp.pages
	o := pgs[0].Object
	bp.Mapout()
	o.Interlock.Enter(l)
	pageout := 0
	for _, pg := range pgs {
		if pg.Flags&uvm.PG_PAGEOUT != 0 {
			pageout++
			pg.Flags = pg.Flags&^uvm.PG_PAGEOUT | uvm.PG_RELEASED
		}
	}
	uvm.PageUnbusy(l, pgs)
	o.Interlock.Exit(l)
	o.System().PageoutDone(l, pageout)
	if bp.IsWrite() && bp.Cflags&BC_AGE != 0 {
		bp.Objlock.Enter(l)
		bp.vwakeup(l)
		bp.Objlock.Exit(l)
	}
	PutIOBuf(l, bp)
}

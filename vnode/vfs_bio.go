package vnode

import "rumpvfs/kern"

// Biowait waits until the transfer of bp is over and returns its error.
//
// Preconditions: the caller owns bp and has started the transfer.
//
//netbsd:sys/kern/vfs_bio.c biowait
func Biowait(l *kern.Lwp, bp *Buf) error {
	// Of a buffer of the cache others may set flags without being its owner.
	kern.KASSERT(bp.Slot != nil || bp.Cflags&BC_BUSY != 0, "ISSET(bp->b_cflags, BC_BUSY)")
	bp.Objlock.Enter(l)
	for bp.Oflags&(BO_DONE|BO_DELWRI) == 0 {
		bp.done.Wait(l, bp.Objlock)
	}
	bp.Objlock.Exit(l)
	return bp.Error
}

// Biodone says that the transfer of bp is over; drivers call it, once for
// each transfer, in whatever thread they like. A buffer with Iodone is handed
// to it, an asynchronous one goes back to the cache, and for all others
// [Biowait] returns.
//
// Preconditions: Objlock is not held.
// Postconditions: bp is no longer the caller's.
//
//netbsd:sys/kern/vfs_bio.c biodone, biodone2
func Biodone(l *kern.Lwp, bp *Buf) {
	bp.Objlock.Enter(l)
	if bp.Oflags&BO_DONE != 0 {
		kern.Panicf("biodone2 already")
	}
	bp.Flags &^= B_COWDONE
	bp.Oflags |= BO_DONE
	if bp.IsWrite() {
		bp.vwakeup(l)
	}
	callout := bp.Iodone
	bp.Iodone = nil
	async := bp.Flags&B_ASYNC != 0
	if callout == nil && !async {
		bp.done.Broadcast(l)
	}
	bp.Objlock.Exit(l)
	switch {
	case callout != nil:
		callout(l, bp)
	case async:
		bp.noteAsync()
		bp.sys.Cache.Brelse(l, bp, 0)
	}
}

// AsyncCount returns how many asynchronous transfers of bp, a buffer of the
// cache, are over.
//
// Preconditions: the caller owns bp.
func (bp *Buf) AsyncCount() uint64 { return bp.asyncs.Load() >> 8 }

// AsyncError returns the error of the asynchronous transfer before which
// AsyncCount was n, if it is over and none has followed; else nil. The caller
// need no longer own bp: the driver may be done with it before it is asked, or
// long after.
func (bp *Buf) AsyncError(n uint64) error {
	v := bp.asyncs.Load()
	if v>>8 != n+1 {
		return nil
	}
	return kern.Errno(v & 0x7f).Err()
}

// noteAsync notes the outcome of an asynchronous transfer.
func (bp *Buf) noteAsync() {
	var e kern.Errno
	if bp.Error != nil {
		e, _ = bp.Error.(kern.Errno)
	}
	bp.asyncs.Store((bp.AsyncCount()+1)<<8 | uint64(e)&0x7f)
}

// vwakeup counts a write of bp's vnode as over, and wakes those who wait for
// the last one.
//
// Preconditions: Objlock is held.
//
//netbsd:sys/kern/vfs_vnode.c vwakeup
func (bp *Buf) vwakeup(l *kern.Lwp) {
	vp := bp.Vp
	if vp == nil {
		return
	}
	kern.KASSERTOf(bp.Objlock == vp.Interlock, "bp->b_objlock == vp->v_interlock", vp)
	vp.EndOutput(l)
}

// Startoutput counts n more writes of vp as in progress.
//
// Preconditions: the interlock is not held.
func (vp *Vnode) Startoutput(l *kern.Lwp, n int) {
	vp.Interlock.Enter(l)
	vp.AddOutput(n)
	vp.Interlock.Exit(l)
}

// AddOutput is Startoutput for who holds the interlock.
func (vp *Vnode) AddOutput(n int) { vp.numoutput += n }

// EndOutput counts one write of vp as over, and wakes those who wait for the
// last one.
//
// Preconditions: the interlock is held. Once it is released vp may be gone,
// if the caller has no reference.
func (vp *Vnode) EndOutput(l *kern.Lwp) {
	vp.numoutput--
	kern.KASSERTOf(vp.numoutput >= 0, "vp->v_numoutput >= 0", vp)
	if vp.numoutput == 0 {
		vp.cv.Broadcast(l)
	}
}

// Numoutput returns how many writes of vp are in progress.
//
// Preconditions: the interlock is held.
func (vp *Vnode) Numoutput() int { return vp.numoutput }

// Waitoutput waits until no write of vp is in progress.
//
// Preconditions: the interlock is held.
// Postconditions: the same; it was released meanwhile.
func (vp *Vnode) Waitoutput(l *kern.Lwp) {
	for vp.numoutput != 0 {
		vp.cv.Wait(l, vp.Interlock)
	}
}

// Nestiobuf makes bp, fresh from [GetIOBuf], the size bytes from offset on
// of the master buffer mbp. When all parts of the master are accounted for,
// by their completion or by [NestiobufDone], the master is done.
//
//netbsd:sys/kern/vfs_bio.c nestiobuf_setup
func Nestiobuf(l *kern.Lwp, mbp, bp *Buf, offset, size int) {
	kern.KASSERT(mbp.Bcount >= offset+size, "mbp->b_bcount >= offset + size")
	bp.Vp, bp.Dev, bp.Objlock = mbp.Vp, mbp.Dev, mbp.Objlock
	bp.Cflags = BC_BUSY
	bp.Flags = B_ASYNC | mbp.Flags&B_READ
	bp.Iodone = nestiobufIodone
	bp.Data = mbp.Data[offset : offset+size]
	bp.Resid, bp.Bcount, bp.Bufsize = size, size, size
	bp.master = mbp
	if bp.IsWrite() && bp.Vp != nil {
		bp.Vp.Startoutput(l, 1)
	}
}

// nestiobufIodone passes the outcome of a nested buffer on to its master. A
// short transfer is an error, for the master cannot tell which part is
// missing.
//
//netbsd:sys/kern/vfs_bio.c nestiobuf_iodone
func nestiobufIodone(l *kern.Lwp, bp *Buf) {
	mbp, err, donebytes := bp.master, bp.Error, bp.Bufsize
	kern.KASSERT(bp.Bcount <= bp.Bufsize, "bp->b_bcount <= bp->b_bufsize")
	if err == nil && (bp.Bcount < bp.Bufsize || bp.Resid > 0) {
		err = kern.EIO
	}
	PutIOBuf(l, bp)
	NestiobufDone(l, mbp, donebytes, err)
}

// NestiobufDone accounts for donebytes of the master buffer mbp, completed
// with err. With the last of them the master is done.
//
//netbsd:sys/kern/vfs_bio.c nestiobuf_done
func NestiobufDone(l *kern.Lwp, mbp *Buf, donebytes int, err error) {
	if donebytes == 0 {
		return
	}
	mbp.Objlock.Enter(l)
	kern.KASSERT(mbp.Resid >= donebytes, "mbp->b_resid >= donebytes")
	mbp.Resid -= donebytes
	if err != nil {
		mbp.Error = err
	}
	last := mbp.Resid == 0
	if last && mbp.Error != nil {
		mbp.Resid = mbp.Bcount
	}
	mbp.Objlock.Exit(l)
	if last {
		Biodone(l, mbp)
	}
}

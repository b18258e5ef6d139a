package blkdev

import (
	"rumpvfs/hypercall"
	"rumpvfs/kern"
	"rumpvfs/vnode"
)

// physioConcurrency is how many transfers of one call may be under way.
const physioConcurrency = 16

// physio is one call of [Physio]. Guarded by lock unless marked.
type physio struct {
	lock      kern.Mutex
	cv        kern.CV
	running   int   // transfers under way
	failed    int   // transfers that were not done to their end
	err       error // of the failed one with the lowest offset
	endoffset int64 // where that one ended; -1 if there is none
}

var physioLockClass = hypercall.LockClass{Name: "physio_lock", Rank: 620}

// Strategy is a driver that does transfers.
type Strategy interface {
	Strategy(l *kern.Lwp, bp *vnode.Buf)
}

// Physio transfers between a device and somebody's memory without the buffer
// cache, at most MAXPHYS bytes at a time. Of several transfers only what
// comes before the first that is not done to its end counts, and the error is
// that one's.
//
// Errors: those of the driver; EINVAL for an offset that is not a multiple of
// DEV_BSIZE, EFAULT if the memory ends before the transfer does.
//
//netbsd:sys/kern/kern_physio.c physio
func Physio(l *kern.Lwp, v *vnode.System, d Strategy, dev kern.Dev, flags uint32, uio *kern.Uio) error {
	ps := &physio{endoffset: -1}
	ps.lock.Init(l.K.Sys, &physioLockClass)
	ps.cv.Init(l.K.Sys, "physio")
	err := ps.start(l, v, d, dev, flags, uio)
	ps.lock.Enter(l)
	ps.wait(l, 0)
	ps.lock.Exit(l)
	if ps.failed != 0 {
		delta := uio.Offset - ps.endoffset
		kern.KASSERT(delta > 0, "delta > 0")
		uio.Resid += delta
	}
	if err == nil {
		err = ps.err
	}
	return err
}

// start begins one transfer after the other, until all are begun, one fails,
// or one cannot be begun.
func (ps *physio) start(l *kern.Lwp, v *vnode.System, d Strategy, dev kern.Dev, flags uint32, uio *kern.Uio) error {
	for uio.Resid > 0 {
		for len(uio.Iov) > 0 && len(uio.Iov[0]) == 0 {
			uio.Iov = uio.Iov[1:]
		}
		if !ps.ready(l) {
			return nil
		}
		if uio.Offset%kern.DEV_BSIZE != 0 {
			return kern.EINVAL
		}
		if len(uio.Iov) == 0 {
			return kern.EFAULT
		}
		ps.lock.Enter(l)
		ps.running++
		ps.lock.Exit(l)
		todo := int(min(kern.MAXPHYS, int64(len(uio.Iov[0])), uio.Resid))
		bp := v.GetIOBuf(l)
		bp.Dev, bp.Private, bp.Iodone = dev, ps, physioDone
		bp.Cflags = vnode.BC_BUSY
		bp.Flags = flags | vnode.B_PHYS | vnode.B_RAW
		bp.Blkno = kern.Btodb(uio.Offset)
		bp.Data = uio.Iov[0][:todo:todo]
		bp.Bcount, bp.Bufsize = todo, todo
		d.Strategy(l, bp)
		uio.Iov[0] = uio.Iov[0][todo:]
		uio.Offset += int64(todo)
		uio.Resid -= int64(todo)
	}
	return nil
}

// ready waits until another transfer may begin. False if one has failed.
func (ps *physio) ready(l *kern.Lwp) bool {
	ps.lock.Enter(l)
	ok := ps.failed == 0
	if ok {
		ps.wait(l, physioConcurrency-1)
	}
	ps.lock.Exit(l)
	return ok
}

// wait waits until at most n transfers are under way.
//
// Preconditions: lock is held.
//
//netbsd:sys/kern/kern_physio.c physio_wait
func (ps *physio) wait(l *kern.Lwp, n int) {
	for ps.running > n {
		ps.cv.Wait(l, &ps.lock)
	}
}

// physioDone accounts for a transfer that is over.
//
//netbsd:sys/kern/kern_physio.c physio_done, physio_biodone
func physioDone(l *kern.Lwp, bp *vnode.Buf) {
	ps := bp.Private.(*physio)
	todo, done := bp.Bufsize, bp.Bcount-bp.Resid
	kern.KASSERT(bp.Bcount <= todo, "bp->b_bcount <= todo")
	kern.KASSERT(bp.Resid <= bp.Bcount, "bp->b_resid <= bp->b_bcount")
	kern.KASSERT(done != todo || bp.Error == nil, "bp->b_error == 0")
	ps.lock.Enter(l)
	if done != todo {
		end := kern.Dbtob(bp.Blkno) + int64(done)
		if ps.endoffset == -1 || end < ps.endoffset {
			ps.endoffset, ps.err = end, bp.Error
		}
		ps.failed++
	}
	ps.running--
	ps.cv.Signal(l)
	ps.lock.Exit(l)
	vnode.PutIOBuf(l, bp)
}

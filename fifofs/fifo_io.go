package fifofs

import (
	"rumpvfs/kern"
	"rumpvfs/vnode"
)

// unlocked calls f with the fifo's lock in place of the vnode's.
func (fi *fifoinfo) unlocked(l *kern.Lwp, vp *vnode.Vnode, f func() error) error {
	_ = vnode.VOP_UNLOCK(l, vp)
	fi.lock.Enter(l)
	err := f()
	fi.lock.Exit(l)
	_ = vp.Lock(l, vnode.LK_EXCLUSIVE|vnode.LK_RETRY)
	return err
}

// vopRead reads what there is, after waiting for some; at the end of file
// nothing. The end of file is where the last writer has gone and all is read.
// With QuirkFifoEOF that is told once, and who reads again waits for a writer,
// as who reads before there was one does. With IO_NDELAY the answer to a wait
// is EWOULDBLOCK, or nothing if there is no writer.
//
// Preconditions: vp is locked, shared or exclusively.
// Postconditions: vp is locked exclusively; it was unlocked meanwhile.
//
//netbsd:sys/miscfs/fifofs/fifo_vnops.c fifo_read
//netbsd:sys/kern/uipc_socket.c soreceive
func vopRead(l *kern.Lwp, vp *vnode.Vnode, uio *kern.Uio, ioflag int, _ *kern.Cred) error {
	if uio.Resid == 0 {
		return nil
	}
	fi := of(vp)
	once := l.K.Quirks.Has(kern.QuirkFifoEOF)
	return fi.unlocked(l, vp, func() error {
		for fi.buf.cc == 0 {
			switch {
			case fi.cantrcvmore:
				if once && !fi.dead {
					fi.cantrcvmore = false
				}
				return nil
			case fi.writers == 0 && !once:
				return nil
			case ioflag&vnode.IO_NDELAY != 0:
				if fi.writers == 0 {
					return nil
				}
				return kern.EWOULDBLOCK
			}
			if err := fi.rcv.WaitSig(l, &fi.lock); err != nil {
				return err
			}
		}
		err := fi.buf.take(uio)
		fi.wakeWriters(l)
		return err
	})
}

// vopWrite writes all, waiting for room as often as needed. EPIPE if there is
// no reader. Up to PIPE_BUF bytes come in one piece: they wait until there is
// room for all of them. With IO_NDELAY as much is written as there is room for
// (all or nothing of up to lowat bytes), EWOULDBLOCK if that is nothing.
//
// Preconditions: vp is locked.
// Postconditions: vp is locked exclusively; it was unlocked meanwhile.
//
//netbsd:sys/miscfs/fifofs/fifo_vnops.c fifo_write
//netbsd:sys/kern/uipc_socket.c sosend
func vopWrite(l *kern.Lwp, vp *vnode.Vnode, uio *kern.Uio, ioflag int, _ *kern.Cred) error {
	fi := of(vp)
	return fi.unlocked(l, vp, func() error {
		for {
			space := int64(fi.buf.space())
			switch {
			case fi.cantsendmore:
				return kern.EPIPE
			case space < uio.Resid && space < lowat:
				if ioflag&vnode.IO_NDELAY != 0 {
					return kern.EWOULDBLOCK
				}
				if err := fi.snd.WaitSig(l, &fi.lock); err != nil {
					return err
				}
				continue
			}
			err := fi.buf.append(uio)
			fi.wakeReaders(l)
			if err != nil || uio.Resid == 0 {
				return err
			}
		}
	})
}

// vopIoctl tells how much there is to read (FIONREAD) and room to write
// (FIONSPACE), keeps who is told of what happens (FIOSETOWN, FIOGETOWN), and
// accepts FIONBIO and FIOASYNC; EOPNOTSUPP for other commands. data is an
// *int32, EFAULT for anything else. Who has the fifo open for both gets the
// answers of the write side, as in the C kernel, where the same command goes to
// one socket after the other.
//
//netbsd:sys/miscfs/fifofs/fifo_vnops.c fifo_ioctl
//netbsd:sys/kern/sys_socket.c soo_ioctl
func vopIoctl(l *kern.Lwp, vp *vnode.Vnode, com uint64, data any, fflag int, _ *kern.Cred) error {
	if com == kern.FIONBIO || com == kern.FIOASYNC {
		return nil
	}
	fi := of(vp)
	if fi == nil {
		return kern.EBADF
	}
	n, ok := data.(*int32)
	if !ok {
		return kern.EFAULT
	}
	if com == kern.FIOSETOWN {
		if err := mayOwn(l, *n); err != nil {
			return err
		}
	}
	fi.lock.Enter(l)
	defer fi.lock.Exit(l)
	reads, writes := fflag&kern.FREAD != 0, fflag&kern.FWRITE != 0
	switch com {
	case kern.FIOSETOWN:
		if reads {
			fi.rowner = *n
		}
		if writes {
			fi.wowner = *n
		}
	case kern.FIOGETOWN:
		if *n = fi.rowner; writes {
			*n = fi.wowner
		}
	case kern.FIONREAD:
		*n = int32(fi.buf.cc)
		if writes {
			*n = 0 // in the other direction
		}
	case kern.FIONWRITE:
		*n = 0
	case kern.FIONSPACE:
		*n = pipsiz
		if writes {
			*n = int32(fi.buf.space())
		}
	default:
		return kern.EOPNOTSUPP
	}
	return nil
}

// mayOwn says whether a process with a number, or if that is negative a
// process group, can be told of something: ESRCH if there is no such process,
// EINVAL for groups, of which a rump kernel has only number 0.
//
//netbsd:sys/kern/kern_descrip.c fsetown, fgetown
//netbsd:sys/kern/kern_proc.c pgid_in_session
func mayOwn(l *kern.Lwp, id int32) error {
	switch {
	case id > 0 && !l.K.HasProc(l, id):
		return kern.ESRCH
	case id < 0:
		return kern.EINVAL
	}
	return nil
}

// vopPoll says whether a read, or a write that is not too large, would not
// wait. Hanging up is not told.
//
//netbsd:sys/miscfs/fifofs/fifo_vnops.c fifo_poll
//netbsd:sys/kern/uipc_socket.c sopoll
func vopPoll(l *kern.Lwp, vp *vnode.Vnode, events int) (revents int, err error) {
	fi := of(vp)
	if fi == nil {
		return events, nil
	}
	fi.lock.Enter(l)
	defer fi.lock.Exit(l)
	if in := events & (kern.POLLIN | kern.POLLRDNORM); in != 0 {
		if fi.readable() {
			revents |= in
		} else {
			fi.rsel.Selrecord(l)
		}
	}
	if out := events & (kern.POLLOUT | kern.POLLWRNORM); out != 0 {
		if fi.writable() {
			revents |= out
		} else {
			fi.wsel.Selrecord(l)
		}
	}
	return revents, nil
}

// vopKqfilter attaches EVFILT_READ or EVFILT_WRITE; EINVAL for others.
//
//netbsd:sys/miscfs/fifofs/fifo_vnops.c fifo_kqfilter
func vopKqfilter(l *kern.Lwp, vp *vnode.Vnode, kn *kern.Knote) error {
	fi := of(vp)
	switch {
	case fi == nil:
		return kern.EBADF
	case kn.Filter == kern.EVFILT_READ:
		kn.Attach(l, readFilter{}, fi)
	case kn.Filter == kern.EVFILT_WRITE && l.K.Quirks.Has(kern.QuirkFifoKqueueWrite):
		kn.Attach(l, wrongFilter{}, fi)
	case kn.Filter == kern.EVFILT_WRITE:
		kn.Attach(l, writeFilter{}, fi)
	default:
		return kern.EINVAL
	}
	return nil
}

// fifoNote is what the filters have in common.
type fifoNote struct{}

func (fifoNote) Lock(l *kern.Lwp, kn *kern.Knote)   { kn.Hook.(*fifoinfo).lock.Enter(l) }
func (fifoNote) Unlock(l *kern.Lwp, kn *kern.Knote) { kn.Hook.(*fifoinfo).lock.Exit(l) }

// readFilter has an event if there is something to read, or the end of file.
//
//netbsd:sys/miscfs/fifofs/fifo_vnops.c filt_fiforead
type readFilter struct{ fifoNote }

func (readFilter) List(kn *kern.Knote) *kern.Klist { return &kn.Hook.(*fifoinfo).rsel.Klist }

func (readFilter) Event(kn *kern.Knote, _ uint32) bool {
	fi := kn.Hook.(*fifoinfo)
	return event(kn, fi.buf.cc, 1, fi.cantrcvmore)
}

// writeFilter has an event if there is room, or nobody to read.
//
//netbsd:sys/miscfs/fifofs/fifo_vnops.c filt_fifowrite
type writeFilter struct{ fifoNote }

func (writeFilter) List(kn *kern.Knote) *kern.Klist { return &kn.Hook.(*fifoinfo).wsel.Klist }

func (writeFilter) Event(kn *kern.Knote, _ uint32) bool {
	fi := kn.Hook.(*fifoinfo)
	return event(kn, fi.buf.space(), lowat, fi.cantsendmore)
}

// wrongFilter is the write filter on the socket that is read from.
type wrongFilter struct{ writeFilter }

func (wrongFilter) Event(kn *kern.Knote, _ uint32) bool { return event(kn, pipsiz, lowat, true) }

// event fills in an event of n bytes, which is one from least bytes on or at
// the end of file.
func event(kn *kern.Knote, n, least int, eof bool) bool {
	kn.Data = int64(n)
	if eof {
		kn.Flags |= kern.EV_EOF
		return true
	}
	kn.Flags &^= kern.EV_EOF
	return n >= least
}

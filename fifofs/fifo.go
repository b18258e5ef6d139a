// Package fifofs is what fifos do: readers and writers that open one meet, and
// what the writers write the readers read. A file system that has fifos keeps
// their attributes itself and hands everything else on to [Ops].
//
// A fifo exists while somebody has it open, or is about to; Vnode.Fifoinfo has
// it. The C kernel makes it of two sockets; what of them shows is in this
// package. There are no signals: who writes to a fifo without readers gets EPIPE
// and no SIGPIPE. A wait ends by what is waited for, with the vnode, or if the
// lwp is interrupted (EINTR).
package fifofs

import (
	"rumpvfs/genfs"
	"rumpvfs/hypercall"
	"rumpvfs/kern"
	"rumpvfs/vnode"
)

// fifoinfo is a fifo that is open. Its fields are guarded by lock.
type fifoinfo struct {
	self any // this one, to be found by

	lock    kern.Mutex
	readers int
	writers int
	buf     sockbuf
	dead    bool // the vnode is: nobody waits for anything any more

	// cantrcvmore: reading an empty fifo is at the end of file.
	// cantsendmore: nobody will read what is written.
	cantrcvmore, cantsendmore bool

	// Who is to be told of what happens (so_pgid), as a reader and as a writer
	// have said. Nobody ever is: there are no signals.
	rowner, wowner int32

	meet kern.CV // who opens waits for somebody on the other side
	rcv  kern.CV // a reader waits for data
	snd  kern.CV // a writer waits for room

	rsel, wsel kern.Selinfo
}

var fifoLockClass = hypercall.LockClass{Name: "fifo_lock", Rank: 640}

// of returns the fifo that vp is, nil if nobody has it open.
func of(vp *vnode.Vnode) *fifoinfo {
	p := vp.Fifoinfo.Load()
	if p == nil {
		return nil
	}
	return (*p).(*fifoinfo)
}

func newFifoinfo(l *kern.Lwp) *fifoinfo {
	fi := new(fifoinfo)
	fi.self = fi
	sys := l.K.Sys
	fi.lock.Init(sys, &fifoLockClass)
	fi.meet.Init(sys, "fifoopen")
	fi.rcv.Init(sys, "fiford")
	fi.snd.Init(sys, "fifowr")
	return fi
}

// Ops is fifo_vnodeop_entries. Attributes are the business of the file system
// that the fifo is in.
//
//netbsd:sys/miscfs/fifofs/fifo_vnops.c fifo_vnodeop_entries
func Ops() *vnode.Ops { return &fifoOps }

var fifoOps = vnode.Ops{
	Name: "fifo",
	Lookup: func(*kern.Lwp, *vnode.Vnode, *vnode.Componentname) (*vnode.Vnode, error) {
		return nil, kern.ENOTDIR
	},
	Open:     vopOpen,
	Close:    vopClose,
	Read:     vopRead,
	Write:    vopWrite,
	Ioctl:    vopIoctl,
	Poll:     vopPoll,
	Kqfilter: vopKqfilter,
	Revoke:   genfs.Revoke,
	Fsync:    genfs.NullopFsync,
	Bmap: func(_ *kern.Lwp, vp *vnode.Vnode, bn int64) (*vnode.Vnode, int64, int, error) {
		return vp, bn, 0, nil
	},
	Pathconf: vopPathconf,
	Advlock: func(*kern.Lwp, *vnode.Vnode, any, int, *kern.Flock, int) error {
		return kern.EINVAL
	},
	Bwrite:   func(*kern.Lwp, *vnode.Vnode, *vnode.Buf) error { return nil },
	Putpages: genfs.NullPutpages,
}

// readerGone and writerGone say that nobody has the fifo open any more for
// reading, or writing.
//
// Preconditions: lock is held.
func (fi *fifoinfo) readerGone(l *kern.Lwp) {
	fi.cantsendmore = true
	fi.wakeWriters(l)
}

func (fi *fifoinfo) writerGone(l *kern.Lwp) {
	fi.cantrcvmore = true
	fi.wakeReaders(l)
}

//netbsd:sys/kern/uipc_socket2.c sowakeup
func (fi *fifoinfo) wakeReaders(l *kern.Lwp) {
	fi.rsel.Selnotify(l, kern.NOTE_SUBMIT)
	fi.rcv.Broadcast(l)
}

func (fi *fifoinfo) wakeWriters(l *kern.Lwp) {
	fi.wsel.Selnotify(l, kern.NOTE_SUBMIT)
	fi.snd.Broadcast(l)
}

// readable reports whether a read would not wait.
//
//netbsd:sys/sys/socketvar.h soreadable
func (fi *fifoinfo) readable() bool { return fi.buf.cc > 0 || fi.cantrcvmore }

// writable reports whether a write would not wait, if it is not too large.
//
//netbsd:sys/sys/socketvar.h sowritable
func (fi *fifoinfo) writable() bool { return fi.buf.space() >= lowat || fi.cantsendmore }

// vopOpen opens the fifo and waits until it is open on the other side as well;
// a reader does not wait if there is something to read. With O_NONBLOCK nobody
// waits: a reader finds nothing, a writer gets ENXIO. ENXIO too if the file is
// revoked meanwhile.
//
// Preconditions: vp is locked.
// Postconditions: it still is; it was unlocked meanwhile.
//
//netbsd:sys/miscfs/fifofs/fifo_vnops.c fifo_open
func vopOpen(l *kern.Lwp, vp *vnode.Vnode, mode int, cred *kern.Cred) error {
	fi := of(vp)
	if fi == nil {
		fi = newFifoinfo(l)
		vp.Fifoinfo.Store(&fi.self)
	}
	fi.lock.Enter(l)
	fi.count(l, mode)
	err := fi.meetOther(l, vp, mode)
	fi.lock.Exit(l)
	if err != nil {
		_ = vnode.VOP_CLOSE(l, vp, mode, cred)
	}
	return err
}

// count counts who opens.
func (fi *fifoinfo) count(l *kern.Lwp, mode int) {
	if mode&kern.FREAD != 0 {
		fi.readers++
		if fi.readers == 1 {
			fi.cantsendmore = false
			fi.meet.Broadcast(l)
		}
	}
	if mode&kern.FWRITE != 0 {
		fi.writers++
		if fi.writers == 1 {
			fi.cantrcvmore = false
			fi.meet.Broadcast(l)
		}
	}
}

// meetOther waits for somebody on the other side.
//
// Preconditions: vp and lock are held.
// Postconditions: they still are; they were not meanwhile.
func (fi *fifoinfo) meetOther(l *kern.Lwp, vp *vnode.Vnode, mode int) error {
	if mode&kern.O_NONBLOCK != 0 {
		if mode&kern.FWRITE != 0 && fi.readers == 0 {
			return kern.ENXIO
		}
		return nil
	}
	alone := func() bool {
		return mode&kern.FREAD != 0 && !fi.readable() && fi.writers == 0 ||
			mode&kern.FWRITE != 0 && fi.readers == 0
	}
	var err error
	for err == nil && !fi.dead && alone() {
		_ = vnode.VOP_UNLOCK(l, vp)
		err = fi.meet.WaitSig(l, &fi.lock)
		fi.lock.Exit(l)
		_ = vp.Lock(l, vnode.LK_EXCLUSIVE|vnode.LK_RETRY)
		fi.lock.Enter(l)
	}
	if fi.dead {
		return kern.ENXIO
	}
	return err
}

// vopClose ends a use of the fifo. When there is none any more, what is in it
// is lost. FNONBLOCK without FREAD and FWRITE ends all uses, because the vnode
// dies.
//
// Preconditions: vp is locked exclusively.
//
//netbsd:sys/miscfs/fifofs/fifo_vnops.c fifo_close
func vopClose(l *kern.Lwp, vp *vnode.Vnode, fflag int, _ *kern.Cred) error {
	fi := of(vp)
	if fi == nil {
		return nil
	}
	fi.lock.Enter(l)
	if fflag&(kern.FREAD|kern.FWRITE|kern.FNONBLOCK) == kern.FNONBLOCK {
		fi.dead = true
		fi.readers, fi.writers = 0, 0
		fi.readerGone(l)
		fi.writerGone(l)
		fi.meet.Broadcast(l)
	} else {
		if fflag&kern.FREAD != 0 {
			if fi.readers--; fi.readers == 0 {
				fi.readerGone(l)
			}
		}
		if fflag&kern.FWRITE != 0 {
			if fi.writers--; fi.writers == 0 {
				fi.writerGone(l)
			}
		}
	}
	if fi.readers+fi.writers == 0 {
		vp.Fifoinfo.Store(nil)
	}
	fi.lock.Exit(l)
	return nil
}

// vopPathconf tells the limits of a fifo.
//
//netbsd:sys/miscfs/fifofs/fifo_vnops.c fifo_pathconf
func vopPathconf(_ *kern.Lwp, _ *vnode.Vnode, name int) (int64, error) {
	switch name {
	case kern.PC_LINK_MAX:
		return kern.LINK_MAX, nil
	case kern.PC_PIPE_BUF:
		return kern.PIPE_BUF, nil
	case kern.PC_CHOWN_RESTRICTED, kern.PC_SYNC_IO:
		return 1, nil
	}
	return 0, kern.EINVAL
}

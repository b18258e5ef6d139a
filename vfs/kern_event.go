package vfs

import (
	"math"
	"slices"
	"time"

	"rumpvfs/hypercall"
	"rumpvfs/kern"
	"rumpvfs/vnode"
)

// Kqueue is an open file of kqueue(2): filters on descriptors of a table, and
// the events that they have come to. The letters give what guards a field:
//
//	:  stable
//	q  lock
//	r  register
type Kqueue struct {
	fdp *Filedesc // :

	register kern.Mutex
	notes    []*kern.Knote // r: all filters

	lock  kern.Mutex
	cv    kern.CV       // q
	queue []*kern.Knote // q: filters with an event to report
	sel   kern.Selinfo  // q
}

var (
	registerClass = hypercall.LockClass{Name: "kq_register", Rank: 195}
	kqueueClass   = hypercall.LockClass{Name: "kq_lock", Rank: 860}
)

// keventSize is the size of a struct kevent, in bytes.
const keventSize = 40

// What Knote.Status says.
const (
	knActive   = 1 << iota // there is an event
	knQueued               // on the queue
	knDisabled             // not to be reported
)

// NewKqueue makes a kqueue for the descriptors of fdp. EMFILE, ENFILE as
// [Filedesc.AllocFile].
//
// Postconditions: on success fd is a descriptor of it.
//
//netbsd:sys/kern/kern_event.c kqueue1
func NewKqueue(l *kern.Lwp, fdp *Filedesc) (fd int, err error) {
	fp, fd, err := fdp.AllocFile(l)
	if err != nil {
		return -1, err
	}
	kq := &Kqueue{fdp: fdp}
	kq.register.Init(l.K.Sys, &registerClass)
	kq.lock.Init(l.K.Sys, &kqueueClass)
	kq.cv.Init(l.K.Sys, "kqueue")
	fp.Attach(DTYPE_KQUEUE, kq, nil, kern.FREAD|kern.FWRITE)
	fdp.lock.Enter(l)
	fdp.kqueues = append(fdp.kqueues, kq)
	fdp.lock.Exit(l)
	fdp.Affix(l, fp, fd)
	return fd, nil
}

// Lock locks the queue of events.
func (kq *Kqueue) Lock(l *kern.Lwp) { kq.lock.Enter(l) }

// Unlock unlocks it.
func (kq *Kqueue) Unlock(l *kern.Lwp) { kq.lock.Exit(l) }

// Activate notes that kn has an event.
//
// Preconditions: the kqueue is locked.
//
//netbsd:sys/kern/kern_event.c knote_activate
func (kq *Kqueue) Activate(l *kern.Lwp, kn *kern.Knote) {
	kn.Status |= knActive
	if kn.Status&knDisabled == 0 {
		kq.enqueue(l, kn)
	}
}

// enqueue puts kn on the queue if there is an event and it is not there, and
// wakes who waits for one.
//
//netbsd:sys/kern/kern_event.c knote_enqueue
func (kq *Kqueue) enqueue(l *kern.Lwp, kn *kern.Knote) {
	if kn.Status&(knActive|knQueued) != knActive {
		return
	}
	kn.Status |= knQueued
	kq.queue = append(kq.queue, kn)
	kq.cv.Broadcast(l)
	kq.sel.Selnotify(l, kern.NOTE_SUBMIT)
}

// Kevent changes what is watched as changes say, then reports events, as many
// as the slice has room for. It waits for the first: for ever if timeout is
// negative, otherwise for at most that long. EINTR if l is interrupted. A
// change that fails is reported as an event with EV_ERROR, or if there is no room as the error: EBADF for what is
// no descriptor, EINVAL for a filter that there is not, or not for such a file,
// ENOENT for one that is not watched.
//
//netbsd:sys/kern/kern_event.c kevent1
func (kq *Kqueue) Kevent(l *kern.Lwp, changes, events []kern.Kevent, timeout time.Duration) (n int, err error) {
	for _, kev := range changes {
		kev.Flags &^= kern.EV_SYSFLAGS
		err := kq.change(l, &kev)
		if err == nil {
			continue
		}
		if n == len(events) {
			return 0, err
		}
		kev.Flags, kev.Data = kern.EV_ERROR, int64(err.(kern.Errno))
		events[n] = kev
		n++
	}
	if n > 0 || len(events) == 0 {
		return n, nil
	}
	return kq.scan(l, events, timeout)
}

// change does what one change says.
//
//netbsd:sys/kern/kern_event.c kqueue_register
func (kq *Kqueue) change(l *kern.Lwp, kev *kern.Kevent) error {
	switch kev.Filter {
	case kern.EVFILT_READ, kern.EVFILT_WRITE, kern.EVFILT_VNODE:
	default:
		return kern.EINVAL
	}
	fp := kq.fdp.Get(l, kev.Ident)
	if fp == nil {
		return kern.EBADF
	}
	defer kq.fdp.Putfile(l, kev.Ident)
	kq.register.Enter(l)
	defer kq.register.Exit(l)
	kn := kq.find(kev)
	switch {
	case kev.Flags&kern.EV_ADD != 0:
		var err error
		if kn, err = kq.add(l, fp, kn, kev); err != nil {
			return err
		}
	case kn == nil:
		return kern.ENOENT
	case kev.Flags&kern.EV_DELETE != 0:
		kq.detach(l, kn)
		return nil
	}
	kq.lock.Enter(l)
	if kev.Flags&kern.EV_DISABLE != 0 {
		kn.Status |= knDisabled
	}
	if kev.Flags&kern.EV_ENABLE != 0 {
		kn.Status &^= knDisabled
		kq.enqueue(l, kn)
	}
	kq.lock.Exit(l)
	return nil
}

// find returns the filter that a change is about, or nil.
func (kq *Kqueue) find(kev *kern.Kevent) *kern.Knote {
	for _, kn := range kq.notes {
		if kn.Ident == kev.Ident && kn.Filter == kev.Filter {
			return kn
		}
	}
	return nil
}

// add makes a filter, or changes kn.
//
// Preconditions: register is held.
func (kq *Kqueue) add(l *kern.Lwp, fp *File, kn *kern.Knote, kev *kern.Kevent) (*kern.Knote, error) {
	if kn == nil {
		kn = &kern.Knote{Kq: kq, Kevent: *kev, Sfflags: kev.Fflags, Obj: fp}
		kn.Fflags, kn.Data = 0, 0
		if err := fp.Ops.Kqfilter(l, fp, kn); err != nil {
			return nil, err
		}
		kq.notes = append(kq.notes, kn)
	} else {
		kq.lock.Enter(l)
		kn.Sfflags, kn.Udata = kev.Fflags, kev.Udata
		kq.lock.Exit(l)
	}
	if kn.Ask(l) {
		kq.lock.Enter(l)
		kq.Activate(l, kn)
		kq.lock.Exit(l)
	}
	return kn, nil
}

// detach ends a filter.
//
// Preconditions: register is held.
//
//netbsd:sys/kern/kern_event.c knote_detach
func (kq *Kqueue) detach(l *kern.Lwp, kn *kern.Knote) {
	kn.Detach(l)
	is := func(other *kern.Knote) bool { return other == kn }
	kq.notes = slices.DeleteFunc(kq.notes, is)
	kq.lock.Enter(l)
	kq.queue = slices.DeleteFunc(kq.queue, is)
	kq.lock.Exit(l)
}

// scan reports events.
//
//netbsd:sys/kern/kern_event.c kqueue_scan
func (kq *Kqueue) scan(l *kern.Lwp, events []kern.Kevent, timeout time.Duration) (n int, err error) {
	deadline := l.K.Sys.Uptime() + timeout
	for {
		kq.register.Enter(l)
		n = kq.collect(l, events)
		kq.register.Exit(l)
		left := deadline - l.K.Sys.Uptime()
		if n > 0 || timeout >= 0 && left <= 0 {
			return n, nil
		}
		if timeout < 0 {
			left = timeout
		}
		kq.lock.Enter(l)
		for err = nil; err == nil && len(kq.queue) == 0; {
			err = kq.cv.TimedWaitSig(l, &kq.lock, left)
		}
		kq.lock.Exit(l)
		if err == kern.EINTR {
			return 0, err
		}
	}
}

// collect takes events off the queue, each once. A filter whose event stays is
// put back at the end.
//
// Preconditions: register is held.
func (kq *Kqueue) collect(l *kern.Lwp, events []kern.Kevent) (n int) {
	kq.lock.Enter(l)
	defer kq.lock.Exit(l)
	for left := len(kq.queue); left > 0 && n < len(events); left-- {
		kn := kq.queue[0]
		kq.queue = slices.Delete(kq.queue, 0, 1)
		kn.Status &^= knQueued
		if kn.Status&knDisabled != 0 || !kq.still(l, kn) {
			continue
		}
		events[n] = kn.Kevent
		n++
		switch {
		case kn.Flags&kern.EV_ONESHOT != 0:
			kq.lock.Exit(l)
			kq.detach(l, kn)
			kq.lock.Enter(l)
		case kn.Flags&kern.EV_CLEAR != 0:
			kn.Data, kn.Fflags = 0, 0
			kn.Status &^= knActive
		default:
			kn.Status |= knQueued
			kq.queue = append(kq.queue, kn)
		}
	}
	return n
}

// still reports whether the event of kn, taken off the queue, is to be
// reported now: it is still there, and has not come again meanwhile.
//
// Preconditions: the kqueue is locked; it is unlocked meanwhile.
func (kq *Kqueue) still(l *kern.Lwp, kn *kern.Knote) bool {
	if kn.Flags&kern.EV_ONESHOT != 0 {
		return true
	}
	kq.lock.Exit(l)
	event := kn.Ask(l)
	kq.lock.Enter(l)
	if kn.Status&knQueued != 0 {
		return false
	}
	if !event {
		kn.Status &^= knActive
	}
	return event
}

// fdclose ends the filters on a descriptor that is being closed.
//
//netbsd:sys/kern/kern_event.c knote_fdclose
func (kq *Kqueue) fdclose(l *kern.Lwp, fd int) {
	kq.register.Enter(l)
	for i := len(kq.notes) - 1; i >= 0; i-- {
		if kq.notes[i].Ident == fd {
			kq.detach(l, kq.notes[i])
		}
	}
	kq.register.Exit(l)
}

// Read fails: events are for [Kqueue.Kevent].
func (*Kqueue) Read(*kern.Lwp, *File, *kern.Uio, int) error { return kern.ENXIO }

// Write fails.
func (*Kqueue) Write(*kern.Lwp, *File, *kern.Uio, int) error { return kern.ENXIO }

// Ioctl knows no commands: those of the C kernel are about names of filters.
//
//netbsd:sys/kern/kern_event.c kqueue_ioctl
func (*Kqueue) Ioctl(*kern.Lwp, *File, uint64, any) error { return kern.ENOTTY }

// Fcntl knows no commands.
//
//netbsd:sys/kern/kern_event.c kqueue_fcntl
func (*Kqueue) Fcntl(*kern.Lwp, *File, uint32, any) error { return kern.ENOTTY }

// Poll reports whether there are events.
//
//netbsd:sys/kern/kern_event.c kqueue_poll
func (kq *Kqueue) Poll(l *kern.Lwp, _ *File, events int) (int, error) {
	events &= kern.POLLIN | kern.POLLRDNORM
	kq.lock.Enter(l)
	defer kq.lock.Exit(l)
	if len(kq.queue) == 0 {
		kq.sel.Selrecord(l)
		return 0, nil
	}
	return events, nil
}

// Kqfilter fails: a kqueue is not watched by another.
func (*Kqueue) Kqfilter(*kern.Lwp, *File, *kern.Knote) error { return kern.EINVAL }

// Stat tells how many events there are.
//
//netbsd:sys/kern/kern_event.c kqueue_stat
func (kq *Kqueue) Stat(l *kern.Lwp, _ *File, sb *kern.Stat) error {
	kq.lock.Enter(l)
	*sb = kern.Stat{Mode: kern.S_IFIFO, Size: int64(len(kq.queue)), Blksize: keventSize}
	kq.lock.Exit(l)
	return nil
}

// Close ends all filters.
//
//netbsd:sys/kern/kern_event.c kqueue_close
func (kq *Kqueue) Close(l *kern.Lwp, _ *File) error {
	kq.fdp.lock.Enter(l)
	kq.fdp.kqueues = slices.DeleteFunc(kq.fdp.kqueues, func(other *Kqueue) bool { return other == kq })
	kq.fdp.lock.Exit(l)
	kq.register.Enter(l)
	for len(kq.notes) > 0 {
		kq.detach(l, kq.notes[0])
	}
	kq.register.Exit(l)
	return nil
}

// Pollfd asks what can be done with a descriptor.
type Pollfd struct {
	FD      int // negative: is passed over
	Events  int // POLL_ that the caller wants to know of
	Revents int // those that hold; POLLNVAL if there is no such descriptor
}

// Poll fills in Revents of fds and returns of how many it is not 0. If that is
// none it waits: for ever if timeout is negative, otherwise for at most that
// long. EINVAL if there are far more than descriptors.
//
//netbsd:sys/kern/sys_select.c pollcommon, pollscan
func (fdp *Filedesc) Poll(l *kern.Lwp, fds []Pollfd, timeout time.Duration) (int, error) {
	if len(fds) > 1000+len(*fdp.dt.Load()) {
		return 0, kern.EINVAL
	}
	return kern.Poll(l, timeout, func() (n int, err error) {
		for i := range fds {
			if fds[i].Revents, err = fdp.pollOne(l, &fds[i]); err != nil {
				return 0, err
			}
			if fds[i].Revents != 0 {
				n++
			}
		}
		return n, nil
	})
}

func (fdp *Filedesc) pollOne(l *kern.Lwp, p *Pollfd) (int, error) {
	if p.FD < 0 {
		return 0, nil
	}
	fp := fdp.Get(l, p.FD)
	if fp == nil {
		return kern.POLLNVAL, nil
	}
	defer fdp.Putfile(l, p.FD)
	return fp.Ops.Poll(l, fp, p.Events&math.MaxInt16|kern.POLLERR|kern.POLLHUP)
}

// GetKqueue is Get for a descriptor that must be a kqueue: EBADF if it is not.
func (fdp *Filedesc) GetKqueue(l *kern.Lwp, fd int) (*Kqueue, error) {
	fp := fdp.Get(l, fd)
	if fp == nil {
		return nil, kern.EBADF
	}
	kq, ok := fp.Ops.(*Kqueue)
	if !ok {
		fdp.Putfile(l, fd)
		return nil, kern.EBADF
	}
	return kq, nil
}

// Kqfilter asks the file system.
//
//netbsd:sys/kern/vfs_vnops.c vn_kqfilter
func (VnodeOps) Kqfilter(l *kern.Lwp, fp *File, kn *kern.Knote) error {
	return vnode.VOP_KQFILTER(l, fp.Vnode(), kn)
}

// Kqfilter fails: nothing is to be told of a console.
//
//netbsd:sys/kern/kern_descrip.c fnullop_kqfilter
func (ConsoleOps) Kqfilter(*kern.Lwp, *File, *kern.Knote) error { return kern.EOPNOTSUPP }

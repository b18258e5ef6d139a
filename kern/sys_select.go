package kern

import (
	"slices"
	"sync/atomic"
	"time"

	"rumpvfs/hypercall"
)

var selectLockClass = hypercall.LockClass{Name: "select_lock", Rank: 870}

// Selinfo is what an object has for those who wait for it to change: the lwps
// that poll it, and filters of kevent(2). The object's lock is held for all
// that is done with it. The zero value has nobody.
type Selinfo struct {
	Klist Klist

	pollers []*poller    // Kernel.selectLock
	n       atomic.Int32 // a: of them; becomes positive under the object's lock alone
}

// poller is an lwp in poll(2).
type poller struct {
	cv     CV
	reset  bool       // Kernel.selectLock: something has changed since the scan began
	polled []*Selinfo // Kernel.selectLock: what it was recorded with
}

// Selrecord has l, if it is in poll(2), look again once the object says
// Selnotify.
//
// Preconditions: the object's lock is held.
//
//netbsd:sys/kern/sys_select.c selrecord
func (sip *Selinfo) Selrecord(l *Lwp) {
	p := l.polling
	if p == nil {
		return
	}
	l.K.selectLock.Enter(l)
	if !slices.Contains(sip.pollers, p) {
		sip.pollers = append(sip.pollers, p)
		sip.n.Add(1)
		p.polled = append(p.polled, sip)
	}
	l.K.selectLock.Exit(l)
}

// Selnotify says that the object has changed: lwps that poll it look again,
// and filters get hint.
//
// Preconditions: the object's lock is held.
//
//netbsd:sys/kern/sys_select.c selnotify
func (sip *Selinfo) Selnotify(l *Lwp, hint uint32) {
	sip.Klist.Note(l, hint)
	if sip.n.Load() == 0 {
		return
	}
	l.K.selectLock.Enter(l)
	for _, p := range sip.pollers {
		p.reset = true
		p.cv.Broadcast(l)
	}
	l.K.selectLock.Exit(l)
}

// Poll calls scan, which asks objects whether there is something to report,
// until there is. It waits in between for one of them to change: for ever if
// timeout is negative, otherwise for at most that long. EINTR if l is
// interrupted.
//
//netbsd:sys/kern/sys_select.c sel_do_scan
func Poll(l *Lwp, timeout time.Duration, scan func() (n int, err error)) (n int, err error) {
	p := &poller{}
	p.cv.Init(l.K.Sys, "select")
	l.polling = p
	defer func() { l.polling = nil }()
	deadline := l.K.Sys.Uptime() + timeout
	for {
		p.reset = false
		n, err = scan()
		left := deadline - l.K.Sys.Uptime()
		if n != 0 || err != nil || timeout >= 0 && left <= 0 {
			p.clear(l)
			return n, err
		}
		if timeout < 0 {
			left = timeout
		}
		l.K.selectLock.Enter(l)
		for err == nil && !p.reset {
			err = p.cv.TimedWaitSig(l, &l.K.selectLock, left)
		}
		l.K.selectLock.Exit(l)
		p.clear(l)
		if err == EINTR {
			return 0, err
		}
	}
}

// clear takes the poller off all objects.
//
//netbsd:sys/kern/sys_select.c selclear
func (p *poller) clear(l *Lwp) {
	l.K.selectLock.Enter(l)
	for _, sip := range p.polled {
		sip.pollers = slices.DeleteFunc(sip.pollers, func(q *poller) bool { return q == p })
		sip.n.Add(-1)
	}
	p.polled = p.polled[:0]
	l.K.selectLock.Exit(l)
}

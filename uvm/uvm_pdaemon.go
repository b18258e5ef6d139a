package uvm

import (
	"sync/atomic"
	"time"

	"rumpvfs/hypercall"
	"rumpvfs/kern"
)

var (
	daemonLockClass  = hypercall.LockClass{Name: "pagedaemon", Rank: 110}
	pdaemonLockClass = hypercall.LockClass{Name: "pdaemonmtx", Rank: 900}
)

const (
	// daemonChunk is how many pages the page daemon tries to write and
	// free before it looks whether that was enough.
	daemonChunk = 64
	// drainBuffers is how many bytes of buffers it asks for at a time.
	drainBuffers = 10
	// lockRetries is how often it waits for an lwp that holds the lock of
	// an object and probably lets go of it soon.
	lockRetries = 16
)

// pagedaemon is the part of System that the page daemon works with. Guarded
// by pdaemonmtx unless marked:
//
//	:  stable after boot
//	a  atomic
type pagedaemon struct {
	work       kern.Mutex // held by the page daemon while it works
	pdaemonmtx kern.Mutex
	pdaemoncv  kern.CV // the page daemon waits for work
	oomwait    kern.CV // others wait for memory
	donecv     kern.CV // waiting for the page daemon to end

	stepped  bool                     // : there is no thread, DaemonStep is called
	lwp      atomic.Pointer[kern.Lwp] // a: the page daemon while it works
	started  atomic.Bool              // a: written under pdaemonmtx
	running  bool
	stopping bool
	waiters  int // lwps in oomwait that nobody has woken yet
	patient  int // lwps in Wait that will give up when nothing comes free
	paging   int // pages on their way out
}

func (d *pagedaemon) init(k *kern.Kernel, stepped bool) {
	d.stepped = stepped
	d.work.Init(k.Sys, &daemonLockClass)
	d.pdaemonmtx.Init(k.Sys, &pdaemonLockClass)
	d.pdaemoncv.Init(k.Sys, "pdaemon")
	d.oomwait.Init(k.Sys, "oomwait")
	d.donecv.Init(k.Sys, "pdstop")
}

// IsPagedaemon reports whether l is the page daemon at work. It may use a
// little more memory than others, and its looking at a page is not use.
func (d *pagedaemon) IsPagedaemon(l *kern.Lwp) bool { return d.lwp.Load() == l }

// needPagedaemon reports whether memory is short.
func (s *System) needPagedaemon() bool {
	return s.limited && s.physmem.Load() > s.dddlim
}

// KickPdaemon wakes the page daemon if memory is short. Once the page
// daemon runs it takes no lock, so a call may be missed; who really needs memory calls Wait, which is not.
//
//netbsd:sys/rump/librump/rumpkern/vm.c uvm_kick_pdaemon
func (s *System) KickPdaemon(l *kern.Lwp) {
	if s.needPagedaemon() {
		s.startDaemon(l)
		s.pdaemoncv.Signal(l)
	}
}

// Wait sleeps until the page daemon has been at work. There may or may not be
// memory then. Sleepers report oomwait; why is for the panic of a page daemon
// that has run out of its own reserve.
//
// Preconditions: no locks are held that freeing pages takes.
//
//netbsd:sys/rump/librump/rumpkern/vm.c uvm_wait
func (s *System) Wait(l *kern.Lwp, why string) { s.wait(l, why, false) }

// wait is Wait, also for those who may give up: to them it matters to hear soon
// that nothing came free.
func (s *System) wait(l *kern.Lwp, why string, patient bool) {
	daemon := s.IsPagedaemon(l)
	if !daemon {
		s.startDaemon(l)
	}
	s.pdaemonmtx.Enter(l)
	if daemon && s.paging == 0 {
		s.pdaemonmtx.Exit(l)
		kern.Panicf("pagedaemon out of memory: %s", why)
	}
	s.waiters++
	if patient {
		s.patient++
	}
	s.pdaemoncv.Signal(l)
	s.oomwait.Wait(l, &s.pdaemonmtx)
	if patient {
		s.patient--
	}
	s.pdaemonmtx.Exit(l)
}

// PageoutStart notes that n more pages are being written to be freed.
//
//netbsd:sys/rump/librump/rumpkern/vm.c uvm_pageout_start
func (s *System) PageoutStart(l *kern.Lwp, n int) {
	s.pdaemonmtx.Enter(l)
	s.paging += n
	s.pdaemonmtx.Exit(l)
}

// PageoutDone notes that n of them are done, and lets those who wait for
// memory try again.
//
//netbsd:sys/rump/librump/rumpkern/vm.c uvm_pageout_done
func (s *System) PageoutDone(l *kern.Lwp, n int) {
	if n == 0 {
		return
	}
	s.pdaemonmtx.Enter(l)
	kern.KASSERT(s.paging >= n, "uvm_pageout_done: uvmexp.paging >= npages")
	s.paging -= n
	s.wakeWaiters(l)
	s.pdaemonmtx.Exit(l)
}

// wakeWaiters wakes those who wait for memory. pdaemonmtx is held.
func (s *System) wakeWaiters(l *kern.Lwp) {
	if s.waiters > 0 {
		s.waiters = 0
		s.oomwait.Broadcast(l)
	}
}

// startDaemon starts the page daemon's thread when it is first needed: most
// kernels never need it.
func (s *System) startDaemon(l *kern.Lwp) {
	if s.stepped || s.started.Load() {
		return
	}
	s.pdaemonmtx.Enter(l)
	if !s.started.Load() && !s.stopping {
		s.started.Store(true)
		s.running = true
		kern.StartLwp(s.k, s.Kproc, "pdaemon", s.pageout)
	}
	s.pdaemonmtx.Exit(l)
}

// HoldDaemon waits until the page daemon's thread has finished what it does,
// and keeps it from doing more until [System.LetDaemon].
//
// Preconditions: the caller has no lock that the page daemon may wait for.
func (s *System) HoldDaemon(l *kern.Lwp) { s.work.Enter(l) }

// LetDaemon lets the page daemon work again.
func (s *System) LetDaemon(l *kern.Lwp) { s.work.Exit(l) }

// StopDaemon ends the page daemon for good, if it was ever started, and waits
// for that. Part of an orderly shutdown.
//
// Preconditions: no locks are held; nobody waits for memory.
func (s *System) StopDaemon(l *kern.Lwp) {
	s.pdaemonmtx.Enter(l)
	s.stopping = true
	for s.running {
		s.pdaemoncv.Broadcast(l)
		s.donecv.Wait(l, &s.pdaemonmtx)
	}
	s.pdaemonmtx.Exit(l)
}

// pageout is the page daemon.
//
//netbsd:sys/rump/librump/rumpkern/vm.c uvm_pageout
func (s *System) pageout(l *kern.Lwp) {
	s.pdaemonmtx.Enter(l)
	for {
		s.wakeWaiters(l)
		if s.stopping {
			break
		}
		s.pdaemoncv.Wait(l, &s.pdaemonmtx)
		wanted := s.waiters > 0
		s.pdaemonmtx.Exit(l)
		s.work.Enter(l)
		progress := s.reclaim(l, wanted)
		s.work.Exit(l)
		s.pdaemonmtx.Enter(l)
		if !progress && s.waiters > s.patient && s.paging == 0 && !s.stopping {
			s.k.Sys.ConsoleWrite([]byte("page daemon: no memory to reclaim, sleeping\n"))
			s.pdaemoncv.TimedWait(l, &s.pdaemonmtx, time.Second)
		}
	}
	s.running = false
	s.donecv.Broadcast(l)
	s.pdaemonmtx.Exit(l)
}

// DaemonStep does on l what the page daemon does when it is woken, including
// the waking of those who wait for memory. It reports whether memory is no
// longer short or something was freed. For kernels configured with
// StepDaemon.
//
// Preconditions: no locks are held; no other lwp is in DaemonStep.
//
//netbsd:sys/rump/librump/rumpkern/vm.c uvm_pageout
func (s *System) DaemonStep(l *kern.Lwp) bool {
	kern.KASSERT(s.stepped, "DaemonStep: the page daemon is stepped")
	s.pdaemonmtx.Enter(l)
	wanted := s.waiters > 0
	s.pdaemonmtx.Exit(l)
	progress := s.reclaim(l, wanted)
	s.pdaemonmtx.Enter(l)
	s.wakeWaiters(l)
	s.pdaemonmtx.Exit(l)
	return progress
}

// reclaim tries one source of memory after the other until there is enough:
// pages that nobody uses, pages of files, buffers. Enough is when memory is not
// short, and, if somebody wants memory, something was freed. It reports whether
// there is enough or something was freed; the reference counts a page that
// could not be written as success, and tries it again without end.
func (s *System) reclaim(l *kern.Lwp, wanted bool) bool {
	kern.KASSERT(s.lwp.CompareAndSwap(nil, l), "uvm_pageout: one page daemon")
	defer s.lwp.Store(nil)
	before := s.freed.Load()
	enough := func() bool { return !s.needPagedaemon() && (!wanted || s.freed.Load() != before) }
	s.reclaimFree(l)
	if !enough() {
		s.cleanPages(l)
		s.reclaimFree(l)
	}
	if !enough() && s.DrainBuffers != nil {
		s.DrainBuffers(l, drainBuffers)
	}
	return enough() || s.freed.Load() != before
}

// cleanPages writes back and frees pages, the longest unused first. Pages that
// are busy or whose object is locked are passed over; if nothing else is left,
// it waits a little for locks.
func (s *System) cleanPages(l *kern.Lwp) {
	cleaned := 0
	for range lockRetries {
		locked := false
		skip := 0 // pages at the head of the queue not worth another look
		for cleaned < daemonChunk && s.cleanOne(l, &skip, &locked) {
			cleaned++
		}
		if cleaned > 0 || !locked {
			break
		}
		l.Sleep(time.Nanosecond)
	}
}

// cleanOne puts out the first page of the queue, after skip others, that can
// be had; false if none can. It adds to skip the pages it passed over: when
// the queue has changed by the next call those may be others, which does no
// harm.
func (s *System) cleanOne(l *kern.Lwp, skip *int, locked *bool) bool {
	s.pageqlock.Enter(l)
	pg := s.lru.head
	for i := 0; i < *skip && pg != nil; i++ {
		pg = pg.next
	}
	for ; pg != nil; pg = pg.next {
		tried, err := s.processPage(l, pg, locked)
		if !tried || err != nil { // a page that cannot be written stays where it is
			*skip++
		}
		if tried {
			return true
		}
	}
	s.pageqlock.Exit(l)
	return false
}

// processPage puts out pg if it is not busy and its object not locked. The
// lock order is object, then queue; here it is the other way round, so the
// object's lock is only tried. pg cannot go away before that: leaving the
// queue takes the queue's lock.
//
// Preconditions: pageqlock is held.
// Postconditions: pageqlock is released if it tried to.
//
//netbsd:sys/rump/librump/rumpkern/vm.c processpage
func (s *System) processPage(l *kern.Lwp, pg *Page, locked *bool) (tried bool, err error) {
	o := pg.Object
	if !o.Interlock.TryEnter(l) {
		*locked = true
		return false, nil
	}
	if pg.Flags&PG_BUSY != 0 {
		o.Interlock.Exit(l)
		return false, nil
	}
	off := pg.Offset
	s.pageqlock.Exit(l)
	return true, o.Pager.Put(l, o, off, off+PAGE_SIZE, PGO_CLEANIT|PGO_FREE)
}

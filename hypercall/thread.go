package hypercall

import (
	"fmt"
	"math"
	"sync"
	"time"
)

// maxID is the highest thread id: what fits into the 24 owner bits of a lock.
const maxID = 1<<24 - 1

// Thread is one thread of control of a System. The zero value is not yet a thread: Adopt or Start makes it one. It must not
// be copied, and may be adopted or started again once it has gone.
//
// Fields are guarded by: (c) constant between Adopt or Start and the thread's end; (m) System.mu; (p) mu, Native and
// Checked; (d) only the one thread that runs, Deterministic; (b) the bucket of the turnstile it waits in; (t) the thread itself.
type Thread struct {
	me   uint64  // (c) what a lock held exclusively records: id and wBit
	sys  *System // (c)
	det  bool    // (c) sys is deterministic
	base bool    // (c) begun by Start, not adopted
	name string  // (c)

	prev, next *Thread // (m) list of live threads

	mu      sync.Mutex
	waiting waitKind      // (p, d) what it is parked for, 0 while it runs
	tokens  waitKind      // (p, d) wake-ups that came before their park
	wmesg   string        // (p, d) what it waits for
	wakeup  chan struct{} // (t) made at the first park
	timer   *time.Timer   // (t) made at the first park with a timeout

	on      *word   // (b) word of the lock or condition variable it is queued on
	qnext   *Thread // (b) next in the bucket
	op      RWOp    // (b, d) how it wants the lock
	starved bool    // (b) it was woken once and lost the lock to a newcomer
	granted bool    // (b) the lock was handed over; read by the thread after it was woken

	wants    *lockWord     // (d) the lock that it is about to enter as op says
	wake     time.Duration // (d) deadline while it is on the timer list
	expired  bool          // (d) the timer woke it
	advances int           // (d) jumps of time in its waits since Entered; of a hub thread
	co       *coroutine    // (d) what it runs on; nil for a hub thread
	finished word          // 1 once a started thread's body is over; Join waits on it

	held []heldLock // (t) kept by a LockChecker
}

// ID is the number that locks record: 1 to 2^24-1, different for all live threads of a System, given out again after the end.
func (t *Thread) ID() uint32 { return uint32(t.me) >> ownShift }

// Name is the name given to Adopt or Start.
func (t *Thread) Name() string { return t.name }

// Deterministic reports whether the thread is one of a deterministic machine.
func (t *Thread) Deterministic() bool { return t.det }

// Sys is the machine that the thread belongs to.
func (t *Thread) Sys() *System { return t.sys }

// Wmesg says what the thread waits for, "" if it does not wait.
func (t *Thread) Wmesg() string {
	t.mu.Lock()
	defer t.mu.Unlock()
	return t.wmesg
}

// enlist gives t its identity and puts it on the list of live threads. It refuses to begin a thread on a dead machine: since
// that is decided under mu, where a machine dies too, Shutdown waits for every thread that was begun.
func (s *System) enlist(t *Thread, name string, base bool) bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	if base && s.death.Load() != nil {
		return false
	}
	id := s.lastID + 1
	if n := len(s.freeIDs); n > 0 {
		id, s.freeIDs = s.freeIDs[n-1], s.freeIDs[:n-1]
	} else if id > maxID {
		panic(fmt.Sprintf("hypercall: more than %d threads", maxID))
	} else {
		s.lastID = id
	}
	t.me, t.sys, t.name = uint64(id)<<ownShift|wBit, s, name
	t.det, t.base = s.mode == Deterministic, base
	t.waiting, t.tokens, t.wmesg, t.advances = 0, 0, "", 0
	t.wants, t.co = nil, nil
	t.finished.store(0)
	t.held = t.held[:0]
	t.prev, t.next = s.lastThr, nil
	if t.prev == nil {
		s.threads = t
	} else {
		t.prev.next = t
	}
	s.lastThr = t
	if base && !t.det {
		s.started.Add(1)
	}
	return true
}

// delist ends t: its id may be given out again.
func (s *System) delist(t *Thread) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if t.prev == nil {
		s.threads = t.next
	} else {
		t.prev.next = t.next
	}
	if t.next == nil {
		s.lastThr = t.prev
	} else {
		t.next.prev = t.prev
	}
	t.prev, t.next = nil, nil
	s.freeIDs = append(s.freeIDs, t.ID())
}

// Adopt makes the calling goroutine a thread of the machine. One goroutine may adopt several threads and act as one or the
// other; in Deterministic mode it acts as the hub, which runs the coroutines whenever the thread it acts as must wait.
//
// Postconditions: t.Exit is to be called when the goroutine no longer acts as t.
func (s *System) Adopt(t *Thread, name string) { s.enlist(t, name, false) }

// Entered says that t begins a new call. In Deterministic mode a hub thread that waits again and again within one call, each time
// for time to pass, at last counts as blocked for ever.
func (t *Thread) Entered() { t.advances = 0 }

// Exit ends an adopted thread. A started one ends when its body returns.
func (t *Thread) Exit() {
	if c := t.sys.checker; c != nil {
		c.Ended(t)
	}
	t.sys.delist(t)
}

// Returned says that t has come back from a call into the kernel, where it holds no lock: the Checker is told.
func (t *Thread) Returned() {
	if c := t.sys.checker; c != nil {
		c.Returned(t)
	}
}

// Start begins a thread that runs body: a goroutine, or in Deterministic mode a coroutine that runs when it is chosen. On a
// machine that has stopped nothing is begun. A panic in body ends the thread and goes to the OnPanic function.
//
//netbsd:lib/librumpuser/rumpuser_pth.c rumpuser_thread_create
func (s *System) Start(t *Thread, name string, body func()) {
	if !s.enlist(t, name, true) {
		return
	}
	if t.det {
		s.startCoroutine(t, body)
		return
	}
	go func() {
		defer s.started.Done()
		s.runBody(t, body)
	}()
}

// runBody is the base of every started thread.
func (s *System) runBody(t *Thread, body func()) {
	defer s.ended(t)
	defer func() {
		switch r := recover().(type) {
		case nil, Killed, Stopped:
		default:
			s.panicked(r)
		}
	}()
	if s.death.Load() == nil {
		body()
		if s.checker != nil {
			s.checker.Ended(t)
		}
	}
}

// ended takes a started thread off the list and wakes whoever joins it.
func (s *System) ended(t *Thread) {
	t.Touch(t, Write)
	s.delist(t)
	b := s.bucket(&t.finished)
	b.mu.Lock()
	t.finished.store(1)
	wake := b.take(&t.finished, math.MaxInt, true)
	b.mu.Unlock()
	wakeChain(wake)
}

// Join waits until the started thread t has ended. me is the calling thread.
//
//netbsd:lib/librumpuser/rumpuser_pth.c rumpuser_thread_join
func (t *Thread) Join(me *Thread) {
	b := me.sys.bucket(&t.finished)
	b.mu.Lock()
	if t.finished.load() != 0 {
		b.mu.Unlock()
		me.Touch(t, Woken)
		return
	}
	b.push(me, &t.finished, false)
	b.mu.Unlock()
	if r := me.park(waitQueue, "join", 0); r > expired {
		b.cancel(me)
		me.fail(r)
	}
	me.Touch(t, Woken)
}

// OnPanic names the function that gets the value of a panic that ended a started thread; it is called on that thread, at the
// point of the panic. Without one the machine stops with that value as reason.
func (s *System) OnPanic(f func(value any)) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.onPanic = f
}

func (s *System) panicked(value any) {
	s.mu.Lock()
	f := s.onPanic
	s.mu.Unlock()
	if f == nil {
		s.Stop(value)
		return
	}
	defer func() { // the handler may itself run into the end of the machine
		if r := recover(); r != nil {
			s.Stop(value)
		}
	}()
	f(value)
}

// Stopped is the panic that unwinds a thread which parks, or waits for a lock, on a machine that was stopped.
type Stopped struct{ Reason any }

func (e Stopped) Error() string { return fmt.Sprint("hypercall: machine stopped: ", e.Reason) }

// Killed is the panic that unwinds a thread of a machine that was shut down.
type Killed struct{}

func (Killed) Error() string { return "hypercall: machine shut down" }

// death is why a machine no longer runs.
type death struct {
	reason any
	killed bool
}

// Stop ends the machine: every parked thread, and every thread that from now on parks or takes the slow path into a lock, panics
// with Stopped{reason}. Threads that run are not interrupted. Only the first call has an effect.
func (s *System) Stop(reason any) { s.die(&death{reason: reason}) }

// Stopped returns the reason given to the first Stop, nil if the machine was not stopped.
func (s *System) Stopped() any {
	if d := s.death.Load(); d != nil {
		return d.reason
	}
	return nil
}

// die makes d the cause of death, unless there is one already that is as strong, and wakes every thread.
func (s *System) die(d *death) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if old := s.death.Load(); old != nil {
		if old.killed || !d.killed {
			return
		}
		d.reason = old.reason
	}
	s.death.Store(d)
	for t := s.threads; t != nil; t = t.next {
		t.wakeDead()
	}
}

// raise panics because the machine has died.
func (s *System) raise() {
	d := s.death.Load()
	if d.killed {
		panic(Killed{})
	}
	panic(Stopped{d.reason})
}

// Shutdown ends the machine for good. Threads that Start began and that have not ended are unwound by a Killed panic at the
// point where they wait, and Shutdown returns their names in the order in which they were started once the last is gone. Adopted
// threads that wait get the same panic. The caller must not be a started thread.
func (s *System) Shutdown() []string {
	var left []string
	var coroutines []*Thread
	s.mu.Lock()
	for t := s.threads; t != nil; t = t.next {
		if t.base {
			left, coroutines = append(left, t.name), append(coroutines, t)
		}
	}
	s.mu.Unlock()
	s.die(&death{killed: true})
	if s.mode != Deterministic {
		s.started.Wait()
		return left
	}
	for _, t := range coroutines {
		t.co.stop()
		if t.finished.load() == 0 { // it had never run
			s.ended(t)
		}
	}
	s.sched.run, s.sched.timers, s.sched.chosen = nil, nil, nil
	return left
}

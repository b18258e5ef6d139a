package hypercall

import (
	"fmt"
	"iter"
	"slices"
	"strings"
	"time"
)

// maxAdvances is how often virtual time may jump in the waits of one call of a hub thread before it counts as blocked for ever:
// threads that wake at intervals, see that there is nothing to do and wait again would otherwise hide it.
const maxAdvances = 10000

// sched is the deterministic scheduler. Threads begun by Start are coroutines; every other thread is the hub, the goroutine that
// calls into the kernel, which runs coroutines until the thread it acts as is chosen again. One of them runs at a time, so
// nothing here is locked.
type sched struct {
	pickFn     func(n int) int
	picker     Scheduler
	watcher    Watcher
	coroutines *Coroutines
	rand       splitmix
	now        time.Duration // virtual time since boot
	run        []*Thread     // runnable, in the order in which they became so; never the one that runs
	timers     []*Thread     // waiting with a deadline, by deadline, then in order of arrival
	chosen     *Thread       // off the run queue, to be continued by the hub
	switches   uint64
}

// Switches counts how often one thread gave way to another, Deterministic mode only.
func (s *System) Switches() uint64 { return s.sched.switches }

// Blocked is the panic, in Deterministic mode, of a wait that can never end: no thread is runnable and none will ever be. The
// machine is stopped with it.
type Blocked struct {
	Waiting []string // every waiting thread as "name: what it waits for"
}

func (e Blocked) Error() string {
	return "hypercall: blocked for ever: " + strings.Join(e.Waiting, ", ")
}

func (s *System) blocked(t *Thread) {
	b := Blocked{Waiting: []string{t.name + ": " + t.wmesg}}
	t.wmesg = ""
	s.mu.Lock()
	for x := s.threads; x != nil; x = x.next {
		if x.waiting != 0 {
			b.Waiting = append(b.Waiting, x.name+": "+x.wmesg)
		}
	}
	s.mu.Unlock()
	s.Stop(b)
	panic(b)
}

func (s *System) startCoroutine(t *Thread, body func()) {
	p := s.sched.coroutines
	if p == nil {
		p = new(Coroutines)
	}
	t.co = p.get()
	t.co.body = func() { s.runBody(t, body) }
	s.sched.run = append(s.sched.run, t)
}

// Coroutines keeps coroutines whose threads have ended, for threads of the same machine or of others to run on, one machine after the other. The zero
// value has none. Close ends those that it has.
type Coroutines struct{ free []*coroutine }

// A coroutine runs one body after the other.
type coroutine struct {
	resume func() (struct{}, bool) // continues it
	stop   func()                  // unwinds it
	yield  func(struct{}) bool     // leaves it
	body   func()                  // nil once it is over
}

func (p *Coroutines) get() *coroutine {
	if n := len(p.free); n > 0 {
		c := p.free[n-1]
		p.free = p.free[:n-1]
		return c
	}
	c := new(coroutine)
	c.resume, c.stop = iter.Pull(func(yield func(struct{}) bool) {
		for c.yield = yield; ; {
			c.body()
			c.body = nil
			if !yield(struct{}{}) {
				return
			}
		}
	})
	return c
}

// Close ends the coroutines that wait for a body.
func (p *Coroutines) Close() {
	for _, c := range p.free {
		c.stop()
	}
	p.free = nil
}

// choose takes the next thread off the run queue, nil if it is empty.
func (s *System) choose() *Thread {
	q := &s.sched
	if t := q.chosen; t != nil {
		q.chosen = nil
		return t
	}
	n, i := len(q.run), 0
	if n == 0 {
		return nil
	}
	switch {
	case q.picker != nil:
		i = q.picker.Pick(q.run)
	case n == 1:
	case q.pickFn != nil:
		i = q.pickFn(n)
	default:
		i = q.rand.below(n)
	}
	if uint(i) >= uint(n) {
		panic(fmt.Sprintf("hypercall: Pick(%d) = %d", n, i))
	}
	t := q.run[i]
	copy(q.run[i:], q.run[i+1:])
	q.run[n-1] = nil
	q.run = q.run[:n-1]
	return t
}

// continueThread lets a coroutine run until it gives way.
func (s *System) continueThread(t *Thread) {
	s.sched.switches++
	c := t.co
	c.resume()
	if c.body == nil { // t has ended
		if p := s.sched.coroutines; p != nil {
			p.free = append(p.free, c)
		} else {
			c.stop()
		}
	}
}

// Step lets one started thread run until it gives way, and reports whether there was one. Native machines have no steps. It is called between kernel
// calls, by the goroutine that is the hub.
func (s *System) Step() bool {
	if s.mode != Deterministic {
		return false
	}
	t := s.choose()
	if t == nil {
		return false
	}
	s.continueThread(t)
	return true
}

// alone reports whether nobody but the thread that runs could, and nobody watches.
func (q *sched) alone() bool { return len(q.run) == 0 && q.chosen == nil && q.watcher == nil }

// giveWay lets others run until t, which is on the run queue or waits, is chosen.
func (s *System) giveWay(t *Thread) outcome {
	if t.co == nil {
		if !s.runOthers(t) {
			return stuck
		}
	} else if to := s.choose(); to != t {
		s.sched.chosen = to
		if !t.co.yield(struct{}{}) {
			s.forget(t)
			return dead
		}
	}
	if s.death.Load() != nil {
		return dead
	}
	if t.expired {
		t.expired = false
		return expired
	}
	return woken
}

// runOthers is the hub's loop: it ends when t is chosen, or false if that can never be.
func (s *System) runOthers(t *Thread) bool {
	for {
		to := s.choose()
		switch {
		case to == t:
			return true
		case to != nil:
			s.continueThread(to)
		case len(s.sched.timers) == 0 || t.advances >= maxAdvances:
			wmesg := t.wmesg
			s.forget(t)
			t.wmesg = wmesg // blocked tells it
			return false
		default:
			s.advance()
			if t.wake == 0 { // what others wait for until t's own deadline does not count
				t.advances++
			}
		}
	}
}

// advance moves time to the next deadline and makes those who waited for it runnable.
func (s *System) advance() {
	q := &s.sched
	q.now = q.timers[0].wake
	for len(q.timers) > 0 && q.timers[0].wake == q.now {
		t := q.timers[0]
		t.expired = true
		s.unparkDet(t, t.waiting)
	}
}

func (s *System) point(t *Thread) {
	q := &s.sched
	if s.death.Load() != nil {
		s.raise()
	}
	if len(q.run) == 0 && q.chosen == nil {
		return
	}
	q.run = append(q.run, t)
	if r := s.giveWay(t); r == dead {
		s.raise()
	}
}

func (s *System) parkDet(t *Thread, kind waitKind, wmesg string, timeout time.Duration) outcome {
	if s.death.Load() != nil {
		return dead
	}
	if t.tokens&kind != 0 {
		t.tokens &^= kind
		return woken
	}
	if timeout < 0 {
		return expired
	}
	t.waiting, t.wmesg = kind, wmesg
	if timeout > 0 {
		s.addTimer(t, timeout)
	}
	return s.giveWay(t)
}

// addTimer puts t on the timer list, behind those with the same deadline.
func (s *System) addTimer(t *Thread, timeout time.Duration) {
	q := &s.sched
	t.wake = q.now + timeout
	if t.wake < q.now {
		t.wake = 1<<63 - 1
	}
	i, _ := slices.BinarySearchFunc(q.timers, t.wake, func(x *Thread, wake time.Duration) int {
		if x.wake <= wake {
			return -1
		}
		return 1
	})
	q.timers = slices.Insert(q.timers, i, t)
}

func (s *System) unparkDet(t *Thread, kind waitKind) {
	if t.waiting != kind {
		t.tokens |= kind
		return
	}
	s.forget(t)
	s.sched.run = append(s.sched.run, t)
}

// forget ends t's wait.
func (s *System) forget(t *Thread) {
	if t.wake != 0 {
		q := &s.sched
		i := slices.Index(q.timers, t)
		q.timers = slices.Delete(q.timers, i, i+1)
		t.wake = 0
	}
	t.waiting, t.wmesg = 0, ""
}

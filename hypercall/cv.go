package hypercall

import "time"

// CV is a condition variable. Whoever waits is woken by a Signal or Broadcast or by its timeout, never without cause, the one
// that waits longest first. The zero value is ready; Init gives the name that is shown for its waiters.
type CV struct {
	n     word // waiters; changes with the bucket's mu held
	wname string
}

// Init names c.
//
//netbsd:lib/librumpuser/rumpuser_pth.c rumpuser_cv_init
func (c *CV) Init(s *System, wmesg string) {
	c.wname = wmesg
	s.Made(c)
}

// Destroy ends c's use. It panics with LockError if threads wait for it.
//
//netbsd:lib/librumpuser/rumpuser_pth.c rumpuser_cv_destroy
func (c *CV) Destroy(t *Thread) {
	if c.n.load() != 0 && t.sys.death.Load() == nil {
		panic(LockError{Op: "destroying a condition variable with waiters", Lock: c.wname, Thread: t.name})
	}
}

// HasWaiters reports whether a thread waits for c.
//
//netbsd:lib/librumpuser/rumpuser_pth.c rumpuser_cv_has_waiters
func (c *CV) HasWaiters() bool { return c.n.load() != 0 }

// Wait lets go of m, waits for c, and takes m again. It panics with LockError if t does not hold m; if the machine dies, it
// panics without m.
//
// Preconditions: t holds m.
// Postconditions: t holds m, after it was not held.
//
//netbsd:lib/librumpuser/rumpuser_pth.c rumpuser_cv_wait
func (c *CV) Wait(t *Thread, m *Mutex) { c.TimedWait(t, m, 0) }

// TimedWait is Wait that ends after d at the latest and then returns true; 0 is without limit.
//
// Preconditions: t holds m.
// Postconditions: t holds m, after it was not held.
//
//netbsd:lib/librumpuser/rumpuser_pth.c rumpuser_cv_timedwait
func (c *CV) TimedWait(t *Thread, m *Mutex, d time.Duration) (timedout bool) {
	s := t.sys
	if s.death.Load() != nil {
		s.raise()
	}
	if !m.Owned(t) {
		panic(m.error(t, "waiting without the lock"))
	}
	t.Touch(c, Write)
	b := s.bucket(&c.n)
	b.mu.Lock()
	b.push(t, &c.n, false)
	c.n.add(1)
	b.mu.Unlock()
	m.Exit(t)
	r := t.park(waitQueue, c.wname, d)
	if r != woken && b.cancelCount(t, &c.n) {
		timedout = true
	} else if r == expired {
		r = t.park(waitQueue, c.wname, 0) // signalled at the last moment: the wake-up is there or on its way
	}
	if r > expired {
		t.fail(r)
	}
	t.Touch(c, Woken)
	m.Enter(t)
	return timedout
}

// Signal wakes the thread that has waited longest.
//
//netbsd:lib/librumpuser/rumpuser_pth.c rumpuser_cv_signal
func (c *CV) Signal(t *Thread) {
	t.Touch(c, Write)
	if c.n.load() != 0 {
		c.wake(t, 1)
	}
}

// Broadcast wakes every thread that waits.
//
//netbsd:lib/librumpuser/rumpuser_pth.c rumpuser_cv_broadcast
func (c *CV) Broadcast(t *Thread) {
	t.Touch(c, Write)
	if n := c.n.load(); n != 0 {
		c.wake(t, n)
	}
}

func (c *CV) wake(t *Thread, n uint64) {
	b := t.sys.bucket(&c.n)
	b.mu.Lock()
	n = min(n, c.n.load())
	c.n.add(-n)
	chain := b.take(&c.n, int(n), true)
	b.mu.Unlock()
	wakeChain(chain)
}

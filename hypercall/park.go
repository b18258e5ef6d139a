package hypercall

import (
	"runtime"
	"time"
)

// waitKind tells the two reasons to park apart, so that an Unpark is never taken for a lock's hand-over nor the reverse. It is a
// bit set where it counts tokens.
type waitKind uint8

const (
	waitToken waitKind = 1 << iota // Park: until Unpark
	waitQueue                      // queued on a lock, a condition variable or a thread's end
)

// outcome is how a park ended.
type outcome uint8

const (
	woken   outcome = iota
	expired         // the timeout passed
	dead            // the machine was stopped or shut down
	stuck           // Deterministic: nobody can ever run
)

// Park waits until Unpark was called on t, or, if timeout is not 0, until timeout has passed. An Unpark that came while t ran is
// kept, as one token, and ends the next Park at once. wmesg says what is waited for. A negative timeout only takes the token.
//
// Only t itself may call it. It panics with Stopped, Killed or, in Deterministic mode, Blocked.
func (t *Thread) Park(wmesg string, timeout time.Duration) (timedout bool) {
	t.Touch(t, Write)
	r := t.park(waitToken, wmesg, timeout)
	if r > expired {
		t.fail(r)
	}
	t.Touch(t, Woken)
	return r == expired
}

// Unpark ends the Park that t is in or, if it is in none, the next one. Any thread may call it.
func (t *Thread) Unpark() {
	t.Touch(t, Write)
	t.unpark(waitToken)
}

// Sleep waits for d to pass. In Deterministic mode that costs no real time.
//
//netbsd:lib/librumpuser/rumpuser.c rumpuser_clock_sleep
func (t *Thread) Sleep(d time.Duration) {
	if d <= 0 {
		t.Point()
		return
	}
	if r := t.park(waitQueue, "sleep", d); r > expired {
		t.fail(r)
	}
}

// Point is a scheduling point: in Deterministic mode another thread may run here.
func (t *Thread) Point() {
	if t.det {
		t.sys.point(t)
	}
}

// Run gives the machine's started threads a chance to run. In Deterministic mode it returns when none is runnable; time does
// not pass. It is called between kernel calls, by the goroutine that is the hub.
func (s *System) Run() {
	if s.mode != Deterministic {
		runtime.Gosched()
		return
	}
	for s.Step() {
	}
}

// fail raises the panic that ends t's wait. Whoever queued t must have taken it off first.
func (t *Thread) fail(r outcome) {
	if r == stuck {
		t.sys.blocked(t)
	}
	t.sys.raise()
}

func (t *Thread) park(kind waitKind, wmesg string, timeout time.Duration) outcome {
	if wmesg == "" {
		wmesg = "wait"
	}
	if t.det {
		return t.sys.parkDet(t, kind, wmesg, timeout)
	}
	if r, done := t.parkBegin(kind, wmesg, timeout); done {
		return r
	}
	if timeout == 0 {
		<-t.wakeup
		return t.parkEnd()
	}
	if t.timer == nil {
		t.timer = time.NewTimer(timeout)
	} else {
		t.timer.Reset(timeout)
	}
	select {
	case <-t.wakeup:
		t.timer.Stop()
		return t.parkEnd()
	case <-t.timer.C:
	}
	t.mu.Lock()
	if t.waiting != 0 {
		t.waiting, t.wmesg = 0, ""
		t.mu.Unlock()
		return expired
	}
	t.mu.Unlock()
	<-t.wakeup // the waker was faster, its signal is on the way
	return t.parkEnd()
}

// parkBegin marks t as waiting unless there is a reason not to wait.
func (t *Thread) parkBegin(kind waitKind, wmesg string, timeout time.Duration) (r outcome, done bool) {
	t.mu.Lock()
	defer t.mu.Unlock()
	// The machine's death is stored before its threads are woken one by one under their mu, so it is seen either here or there.
	if t.sys.death.Load() != nil {
		return dead, true
	}
	if t.tokens&kind != 0 {
		t.tokens &^= kind
		return woken, true
	}
	if timeout < 0 {
		return expired, true
	}
	if t.wakeup == nil {
		t.wakeup = make(chan struct{}, 1)
	}
	t.waiting, t.wmesg = kind, wmesg
	return woken, false
}

func (t *Thread) parkEnd() outcome {
	if t.sys.death.Load() != nil {
		return dead
	}
	return woken
}

func (t *Thread) unpark(kind waitKind) {
	if t.det {
		t.sys.unparkDet(t, kind)
		return
	}
	t.mu.Lock()
	if t.waiting != kind {
		t.tokens |= kind
		t.mu.Unlock()
		return
	}
	t.waiting, t.wmesg = 0, ""
	t.mu.Unlock()
	t.wakeup <- struct{}{} // there is room: one signal a wait
}

// wakeDead ends whatever t waits for, since the machine has died. Called with System.mu held.
func (t *Thread) wakeDead() {
	if t.det {
		if t.waiting != 0 {
			t.sys.unparkDet(t, t.waiting)
		}
		return
	}
	t.mu.Lock()
	defer t.mu.Unlock()
	if t.waiting != 0 {
		t.waiting, t.wmesg = 0, ""
		t.wakeup <- struct{}{}
	}
}

package kern

import (
	"time"

	"rumpvfs/hypercall"
)

// Mutex is kmutex_t: a mutual-exclusion lock owned by an lwp. The zero
// value is an unlocked mutex of a native kernel; Init makes it one of a
// given kernel and class.
type Mutex struct{ m hypercall.Mutex }

// Init makes m an unlocked mutex of class c.
func (m *Mutex) Init(sys *hypercall.System, c *hypercall.LockClass) { m.m.Init(sys, c) }

// Enter acquires m, sleeping while another lwp owns it.
func (m *Mutex) Enter(l *Lwp) { m.m.Enter(&l.Thread) }

// Exit releases m, which l owns.
func (m *Mutex) Exit(l *Lwp) { m.m.Exit(&l.Thread) }

// TryEnter acquires m if that needs no sleep.
func (m *Mutex) TryEnter(l *Lwp) bool { return m.m.TryEnter(&l.Thread) }

// Owned reports whether l owns m.
func (m *Mutex) Owned(l *Lwp) bool { return m.m.Owned(&l.Thread) }

// Held reports whether any lwp owns m.
func (m *Mutex) Held() bool { return m.m.Held() }

// Destroy ends m, which nobody owns.
func (m *Mutex) Destroy(l *Lwp) { m.m.Destroy(&l.Thread) }

// RWLock is krwlock_t: held by one writer or any number of readers.
type RWLock struct{ rw hypercall.RWLock }

// Init makes rw an unlocked lock of class c.
func (rw *RWLock) Init(sys *hypercall.System, c *hypercall.LockClass) { rw.rw.Init(sys, c) }

// Enter acquires rw exclusively.
func (rw *RWLock) Enter(l *Lwp) { rw.rw.WEnter(&l.Thread) }

// REnter acquires rw shared.
func (rw *RWLock) REnter(l *Lwp) { rw.rw.REnter(&l.Thread) }

// Exit releases rw, however l holds it.
func (rw *RWLock) Exit(l *Lwp) { rw.rw.Exit(&l.Thread) }

// TryEnter acquires rw exclusively if that needs no sleep.
func (rw *RWLock) TryEnter(l *Lwp) bool { return rw.rw.TryEnter(&l.Thread, hypercall.Writer) }

// TryREnter acquires rw shared if that needs no sleep.
func (rw *RWLock) TryREnter(l *Lwp) bool { return rw.rw.TryEnter(&l.Thread, hypercall.Reader) }

// WriteHeld reports whether l holds rw exclusively.
func (rw *RWLock) WriteHeld(l *Lwp) bool { return rw.rw.WriteHeld(&l.Thread) }

// ReadHeld reports whether anybody holds rw shared.
func (rw *RWLock) ReadHeld() bool { return rw.rw.ReadHeld() }

// Held reports whether anybody holds rw.
func (rw *RWLock) Held() bool { return rw.rw.Held() }

// Touch tells a watching scheduler of an access to a word that lies beside
// rw and is used without it.
func (rw *RWLock) Touch(l *Lwp, how hypercall.Access) { rw.rw.Touch(&l.Thread, how) }

// Destroy ends rw, which nobody holds.
func (rw *RWLock) Destroy(l *Lwp) { rw.rw.Destroy(&l.Thread) }

// CV is kcondvar_t, a condition to wait for under a mutex.
type CV struct{ cv hypercall.CV }

// Init makes cv a condition that sleepers report as wmesg.
func (cv *CV) Init(sys *hypercall.System, wmesg string) { cv.cv.Init(sys, wmesg) }

// Wait releases m, sleeps until woken, and acquires m again.
func (cv *CV) Wait(l *Lwp, m *Mutex) { cv.cv.Wait(&l.Thread, &m.m) }

// TimedWait is Wait for at most d; it reports whether the time ran out.
func (cv *CV) TimedWait(l *Lwp, m *Mutex, d time.Duration) bool {
	return cv.cv.TimedWait(&l.Thread, &m.m, d)
}

// sigSleep is a sleep that an interrupt ends.
type sigSleep struct {
	cv *CV
	m  *Mutex
}

// WaitSig is Wait for a sleep that a signal may end: EINTR if l is or was
// interrupted. The mutex is held again in any case.
//
//netbsd:sys/kern/kern_condvar.c cv_wait_sig
func (cv *CV) WaitSig(l *Lwp, m *Mutex) error { return cv.TimedWaitSig(l, m, -1) }

// TimedWaitSig is WaitSig for at most d, unless that is negative: EWOULDBLOCK
// if the time ran out.
//
//netbsd:sys/kern/kern_condvar.c cv_timedwait_sig
func (cv *CV) TimedWaitSig(l *Lwp, m *Mutex, d time.Duration) (err error) {
	l.sleep.Store(&sigSleep{cv, m})
	defer l.sleep.Store(nil)
	switch {
	case l.interrupted.Load():
	case d < 0:
		cv.Wait(l, m)
	case cv.TimedWait(l, m, d):
		err = EWOULDBLOCK
	}
	if l.interrupted.Load() {
		return EINTR
	}
	return err
}

// Interrupt ends l's sleep in WaitSig, and keeps it from another, as a signal
// does that is not ignored. by is who does it.
//
// Preconditions: by holds no lock.
func (l *Lwp) Interrupt(by *Lwp) {
	l.interrupted.Store(true)
	// Either l has not looked yet, or it holds the mutex until it sleeps.
	if s := l.sleep.Load(); s != nil {
		s.m.Enter(by)
		s.cv.Broadcast(by)
		s.m.Exit(by)
	}
}

// ClearInterrupt takes back an interrupt that nobody has seen, or all have.
func (l *Lwp) ClearInterrupt() { l.interrupted.Store(false) }

// Signal wakes the first sleeper.
func (cv *CV) Signal(l *Lwp) { cv.cv.Signal(&l.Thread) }

// Broadcast wakes all sleepers.
func (cv *CV) Broadcast(l *Lwp) { cv.cv.Broadcast(&l.Thread) }

// HasWaiters reports whether anybody sleeps.
func (cv *CV) HasWaiters() bool { return cv.cv.HasWaiters() }

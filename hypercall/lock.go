package hypercall

import (
	"fmt"
	"runtime"
	"sync/atomic"
)

// LockClass names the locks that have one place in the lock order. It is static data.
type LockClass struct {
	Name string
	Rank int // place in the lock order, 0 if it has none; what that means is up to the Checker
	Sub  int // place among the classes of one rank of which locks may be held together

	// Nest says that locks of the class may be held together, in an order that is not known beforehand.
	Nest bool
	// Reorders says that the order of locks that nest may change while a lock of the class is held exclusively.
	Reorders bool
}

// Lock is a Mutex or a RWLock as a Checker sees it: comparable, the same value for the same lock.
type Lock interface{ Class() *LockClass }

// RWOp is how a lock is held. A Mutex is held as Writer.
type RWOp uint8

const (
	Reader RWOp = iota // shared
	Writer             // exclusively
)

func (op RWOp) String() string {
	if op == Reader {
		return "reader"
	}
	return "writer"
}

// Checker is told of lock operations, on the thread that does them. It must not block on locks of the machine.
type Checker interface {
	Wanted(t *Thread, l Lock, op RWOp)   // before t enters and perhaps waits; not called for attempts
	Acquired(t *Thread, l Lock, op RWOp) // t holds it now
	Released(t *Thread, l Lock, op RWOp) // t is about to let go of it
	Changed(t *Thread, l Lock, op RWOp)  // t held it the other way before
	Destroyed(t *Thread, l Lock)
	Returned(t *Thread) // t comes back from a call, see Thread.Returned
	Ended(t *Thread)    // t is about to end
}

// LockError is the panic of a thread that misuses a lock.
type LockError struct {
	Op     string // what was wrong, such as "locking against myself"
	Lock   string // name of the lock's class
	Thread string // who did it
	Holder string // who held the lock exclusively, "" if nobody
}

func (e LockError) Error() string {
	s := fmt.Sprintf("%s: lock %q, thread %q", e.Op, e.Lock, e.Thread)
	if e.Holder != "" {
		s += fmt.Sprintf(", held by %q", e.Holder)
	}
	return s
}

// A lock is one atomic word,
//
//	version:32  owner or readers:24  flags:8
//
// The version counts exclusive holds of a RWLock that are over; a Mutex has none. If wBit is set, the owner bits hold the id of the
// exclusive holder, else the number of shared holders. Entering and leaving with no flag set is one compare-and-swap, all
// other cases go the slow way. slowBit, set once at Init, sends every operation there.
//
// Invariant: waitBit is set exactly while a thread is queued on the word in its turnstile; it changes only with the bucket's mu
// held. Native threads that are woken compete with newcomers; one that loses queues first in line, starved, and then the release
// hands the lock over. Deterministic releases always do. Readers never pass waiters, so writers do not starve.
const (
	slowBit  = 1 << 0
	waitBit  = 1 << 1
	wBit     = 1 << 2
	deadBit  = 1 << 3 // destroyed
	ownShift = 8
	rOne     = 1 << ownShift
	ownMask  = 0xffffff00
	flagMask = 0x000000ff
	lowMask  = 0xffffffff
	verOne   = 1 << 32
)

const (
	spinRounds = 12 // attempts before a native thread queues
	spinLoads  = 30 // length of one round
)

type lockWord struct {
	s     word
	class *LockClass
}

// A word is what threads queue on.
type word struct {
	_ [0]atomic.Uint64 // aligned as one
	v uint64
}

func (w *word) load() uint64             { return atomic.LoadUint64(&w.v) }
func (w *word) store(x uint64)           { atomic.StoreUint64(&w.v, x) }
func (w *word) and(x uint64)             { atomic.AndUint64(&w.v, x) }
func (w *word) add(x uint64)             { atomic.AddUint64(&w.v, x) }
func (w *word) cas(from, to uint64) bool { return atomic.CompareAndSwapUint64(&w.v, from, to) }

// swap is cas for t, which has just loaded what the word is changed from: in a deterministic machine nobody can have come between.
func (w *word) swap(t *Thread, from, to uint64) bool {
	if t.det {
		w.v = to
		return true
	}
	return w.cas(from, to)
}

// Class returns the class given to Init, nil if there was none.
func (l *lockWord) Class() *LockClass { return l.class }

func (l *lockWord) init(s *System, c *LockClass, word uint64) {
	l.class = c
	if s != nil {
		word |= s.slow
		s.Made(l)
	}
	l.s.store(word)
}

// error makes the panic value for a misuse by t.
func (l *lockWord) error(t *Thread, op string) LockError {
	e := LockError{Op: op, Lock: "?", Thread: t.name}
	if l.class != nil {
		e.Lock = l.class.Name
	}
	if w := l.s.load(); w&wBit != 0 {
		e.Holder = t.sys.nameOf(w)
	}
	return e
}

// nameOf returns the name of the thread that word records as owner.
func (s *System) nameOf(word uint64) string {
	s.mu.Lock()
	defer s.mu.Unlock()
	for t := s.threads; t != nil; t = t.next {
		if t.me&ownMask == word&ownMask {
			return t.name
		}
	}
	return "a thread that is gone"
}

// admits reports whether a lock with word w can be taken; a reader that was woken passes those that still wait.
func admits(w uint64, op RWOp, wasWoken bool) bool {
	if w&(wBit|deadBit) != 0 {
		return false
	}
	if op == Writer {
		return w&ownMask == 0
	}
	return wasWoken || w&waitBit == 0
}

// take returns w with the lock taken by t.
func take(w uint64, t *Thread, op RWOp) uint64 {
	if op == Writer {
		return w | t.me
	}
	return w + rOne
}

// enter takes the lock the slow way.
func (l *lockWord) enter(t *Thread, op RWOp) {
	s := t.sys
	w := l.s.load()
	if s.death.Load() != nil {
		s.raise()
	}
	if w&deadBit != 0 {
		panic(l.error(t, "entering a destroyed lock"))
	}
	if w&(ownMask|wBit) == t.me {
		panic(l.error(t, "locking against myself"))
	}
	if s.checker != nil {
		s.checker.Wanted(t, l, op)
	}
	if t.det && !s.sched.alone() {
		l.pointBefore(t, op)
	}
	l.contend(t, op)
	if s.checker != nil {
		s.checker.Acquired(t, l, op)
	}
}

// pointBefore is a scheduling point at which others can see what lock t is about to enter.
func (l *lockWord) pointBefore(t *Thread, op RWOp) {
	t.wants, t.op = l, op
	t.Point()
	t.wants = nil
	t.Touch(l, accessOf(op))
}

func accessOf(op RWOp) Access {
	if op == Reader {
		return Share
	}
	return Acquire
}

// contend spins, then waits, until t has the lock.
func (l *lockWord) contend(t *Thread, op RWOp) {
	wasWoken := false
	for spun := 0; ; {
		w := l.s.load()
		switch {
		case w&deadBit != 0:
			panic(l.error(t, "waiting for a lock that was destroyed"))
		case admits(w, op, wasWoken):
			if l.s.swap(t, w, take(w, t, op)) {
				return
			}
		case spun < spinRounds && !t.det:
			l.spin(spun)
			spun++
		default:
			queued, granted := l.wait(t, op, wasWoken)
			if granted {
				return
			}
			if queued {
				wasWoken, spun = true, spinRounds
			}
		}
	}
}

// spin passes a little time: first on the processor, then letting other goroutines run.
func (l *lockWord) spin(round int) {
	if round >= spinRounds/2 || runtime.NumCPU() == 1 {
		runtime.Gosched()
		return
	}
	for range spinLoads {
		l.s.load()
	}
}

// wait queues t and parks it. queued is false if the lock changed meanwhile, so that it is worth trying again; granted says
// that whoever let go of the lock has given it to t.
func (l *lockWord) wait(t *Thread, op RWOp, wasWoken bool) (queued, granted bool) {
	b := t.sys.bucket(&l.s)
	b.mu.Lock()
	w := l.s.load()
	if w&deadBit != 0 || admits(w, op, wasWoken) || !l.s.cas(w, w|waitBit) {
		b.mu.Unlock()
		return false, false
	}
	t.op, t.starved = op, wasWoken
	b.push(t, &l.s, wasWoken)
	b.mu.Unlock()
	if r := t.park(waitQueue, l.wmesg(), 0); r != woken {
		if b.cancel(t) {
			l.settle(b)
		}
		t.fail(r)
	}
	t.Touch(l, Woken)
	return true, t.granted
}

// settle restores the invariant of waitBit after a waiter gave up.
func (l *lockWord) settle(b *bucket) {
	b.mu.Lock()
	defer b.mu.Unlock()
	if b.first(&l.s) == nil {
		l.s.and(^uint64(waitBit))
	}
}

func (l *lockWord) wmesg() string {
	if l.class == nil {
		return "lock"
	}
	return l.class.Name
}

// exit lets go of the lock the slow way; version is what an exclusive hold adds to the version.
func (l *lockWord) exit(t *Thread, op RWOp, version uint64) {
	s := t.sys
	w := l.s.load()
	if op == Writer && w&(ownMask|wBit) != t.me || op == Reader && (w&wBit != 0 || w&ownMask == 0) {
		if s.death.Load() != nil {
			return // a thread that unwinds may have lost the lock where its wait ended
		}
		panic(l.error(t, "leaving a lock that is not held"))
	}
	if s.checker != nil {
		s.checker.Released(t, l, op)
	}
	if op == Reader {
		t.Touch(l, Unshare)
	} else {
		t.Touch(l, Release)
	}
	for {
		w := l.s.load()
		if w&waitBit != 0 {
			l.exitWaiters(t, op, version)
			return
		}
		if l.s.swap(t, w, release(w, op, version)) {
			return
		}
	}
}

// release returns w with one hold less.
func release(w uint64, op RWOp, version uint64) uint64 {
	if op == Writer {
		return w&^(ownMask|wBit) + version
	}
	return w - rOne
}

// exitWaiters lets go of a lock that others wait for and, if nobody holds it any more, wakes those whose turn it is.
func (l *lockWord) exitWaiters(t *Thread, op RWOp, version uint64) {
	b := t.sys.bucket(&l.s)
	b.mu.Lock()
	var wake *Thread
	for {
		w := l.s.load()
		n := release(w, op, version)
		if n&ownMask != 0 { // other readers stay
			if l.s.cas(w, n) {
				break
			}
			continue
		}
		first, count, rest := b.turn(&l.s)
		grant := first != nil && (t.det || first.starved)
		if grant {
			n = grantTo(n, first, count)
		}
		if !rest {
			n &^= waitBit
		}
		if l.s.cas(w, n) {
			wake = b.take(&l.s, count, grant)
			break
		}
	}
	b.mu.Unlock()
	wakeChain(wake)
}

// grantTo returns w, held by nobody or by readers, with the lock taken by the count waiters from first on.
func grantTo(w uint64, first *Thread, count int) uint64 {
	if first.op == Writer {
		return take(w, first, Writer)
	}
	return w + uint64(count)*rOne
}

// tryEnter takes the lock if that needs no waiting, else returns false.
func (l *lockWord) tryEnter(t *Thread, op RWOp) bool {
	t.Point()
	t.Touch(l, Try)
	for {
		w := l.s.load()
		if w&deadBit != 0 {
			panic(l.error(t, "entering a destroyed lock"))
		}
		if !admits(w, op, false) {
			return false
		}
		if l.s.swap(t, w, take(w, t, op)) {
			break
		}
	}
	if c := t.sys.checker; c != nil {
		c.Acquired(t, l, op)
	}
	return true
}

// destroy makes the lock unusable. On a machine that has died it may be held by a thread that was unwound.
func (l *lockWord) destroy(t *Thread) {
	w := l.s.load()
	if w&deadBit != 0 {
		panic(l.error(t, "destroying a destroyed lock"))
	}
	if w&(ownMask|waitBit) != 0 && t.sys.death.Load() == nil {
		panic(l.error(t, "destroying a lock that is held"))
	}
	l.s.store(w&^(ownMask|wBit|waitBit) | deadBit)
	if c := t.sys.checker; c != nil {
		c.Destroyed(t, l)
	}
}

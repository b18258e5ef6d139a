package hypercall

// Scheduler decides, on a deterministic machine, which thread goes on at each scheduling point.
type Scheduler interface {
	// Pick chooses among the runnable threads, of which there is at least one: 0 <= result < len(run). The last is the
	// one that has come to the point, if it wants to go on. run is valid during the call.
	Pick(run []*Thread) int
}

// Watcher is told, on a deterministic machine, what its threads do that other threads may notice. What is named by what are locks,
// condition variables, threads, and whatever else Made and Touch are called with, the same value for the same one.
type Watcher interface {
	// Made says that something begins its life, made by the thread that runs.
	Made(what any)
	// Accessed says that t does something to it: at once or, if t has to wait for a lock, again when it has it.
	Accessed(t *Thread, what any, how Access)
}

// Access is what a thread does to what it shares with others. The first four and Unshare are of locks, the next three of what
// goes without a lock: a condition variable, a thread's token, a word that is named by a lock that lies beside it, or something else.
type Access uint8

const (
	Acquire Access = iota // enters a lock, to hold it alone
	Share                 // enters a lock as a reader
	Try                   // enters a lock if nobody holds it
	Release               // leaves a lock that it held alone
	Unshare               // leaves a lock as a reader
	Read                  // looks
	Add                   // adds to a counter or takes from it, whatever it was
	Write                 // changes
	Woken                 // has waited for it, and goes on since another thread wanted that
)

// Made tells the Watcher, if there is one, of something new that threads share without a lock. Locks and condition variables tell of
// themselves.
func (s *System) Made(what any) {
	if w := s.sched.watcher; w != nil {
		w.Made(what)
	}
}

// Touch tells the Watcher, if there is one, of an access of t to something that was Made.
func (t *Thread) Touch(what any, how Access) {
	if t.det {
		if w := t.sys.sched.watcher; w != nil {
			w.Accessed(t, what, how)
		}
	}
}

// Touch tells the Watcher, if there is one, of an access to a word that lies beside the lock and that threads use without it.
func (l *lockWord) Touch(t *Thread, how Access) { t.Touch(l, how) }

// Wants returns the lock that the thread is about to enter and how, nil if it is about to do anything else. Deterministic mode only.
func (t *Thread) Wants() (what any, how Access) {
	if t.wants == nil {
		return nil, 0
	}
	return t.wants, accessOf(t.op)
}

// MustWait reports, of a thread that is about to enter a lock, whether it could only queue: somebody holds the lock exclusively, or the
// thread wants to be a reader and others are before it. To choose such a thread is never worth while, as long as there is another:
// the same comes of choosing it when the lock is free. A writer that waits for readers to leave is not meant: it holds up
// those who come later. Deterministic mode only.
func (t *Thread) MustWait() bool {
	if t.wants == nil {
		return false
	}
	w := t.wants.s.load()
	if w&wBit != 0 {
		return w&ownMask != t.me&ownMask
	}
	return t.op == Reader && w&waitBit != 0
}

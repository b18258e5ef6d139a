//go:build deadlock

package hypercall

import (
	"bytes"
	"sync"

	"github.com/sasha-s/go-deadlock"
)

// This file is a second opinion on the order of locks, for programs that are built with -tags deadlock: a Checked machine is watched
// by go-deadlock too, which sees a lock as one that is taken and left beside it. It knows less than a LockChecker: it compares pairs
// of locks, so that a circle of three is none to it; it knows no classes; it takes attempts for waiting, so that it is not told of
// them; and for it an order never changes, so that it is not told of classes that nest either.

// secondOpinion is the Checker that asks another one first, and then go-deadlock.
type secondOpinion struct {
	Checker
	mu      sync.Mutex
	waiting map[*Thread]Lock
	beside  map[Lock]*deadlock.RWMutex
	held    map[holding]RWOp
}

// holding says that a thread holds a lock, and so the one beside it.
type holding struct {
	t *Thread
	l Lock
}

// objections are what go-deadlock has found. Like all its state they are the program's, not the machine's.
type objections struct {
	mu   sync.Mutex
	text bytes.Buffer
}

var found objections

func (o *objections) Write(b []byte) (int, error) {
	o.mu.Lock()
	defer o.mu.Unlock()
	return o.text.Write(b)
}

// take returns what was found and forgets it.
func (o *objections) take() string {
	o.mu.Lock()
	defer o.mu.Unlock()
	defer o.text.Reset()
	return o.text.String()
}

var listen = sync.OnceFunc(func() {
	deadlock.Opts.DeadlockTimeout = 0 // no lock beside another is ever waited for
	deadlock.Opts.OnPotentialDeadlock = func() {}
	deadlock.Opts.LogBuf = &found
})

// watched adds go-deadlock to the checker of a Checked machine, if that is a LockChecker that panics.
func watched(c Checker) Checker {
	if first, ok := c.(*LockChecker); ok && first.Report == nil {
		return newSecondOpinion(first)
	}
	return c
}

func newSecondOpinion(first Checker) *secondOpinion {
	listen()
	return &secondOpinion{
		Checker: first, waiting: map[*Thread]Lock{}, beside: map[Lock]*deadlock.RWMutex{}, held: map[holding]RWOp{},
	}
}

// Wanted notes that what t gets next it has waited for.
func (o *secondOpinion) Wanted(t *Thread, l Lock, op RWOp) {
	o.Checker.Wanted(t, l, op)
	if c := l.Class(); c != nil && c.Nest {
		return
	}
	o.mu.Lock()
	o.waiting[t] = l
	o.mu.Unlock()
}

// Acquired takes the lock beside l, and panics with LockError if go-deadlock objects.
func (o *secondOpinion) Acquired(t *Thread, l Lock, op RWOp) {
	o.Checker.Acquired(t, l, op)
	if mu := o.take(t, l, op); mu != nil {
		enter(mu, op)
		if text := found.take(); text != "" {
			panic(LockError{Op: text, Lock: l.Class().name(), Thread: t.name})
		}
	}
}

// take returns the lock beside l, which t is to take, nil if t has not waited for l.
func (o *secondOpinion) take(t *Thread, l Lock, op RWOp) *deadlock.RWMutex {
	o.mu.Lock()
	defer o.mu.Unlock()
	if o.waiting[t] != l {
		return nil
	}
	delete(o.waiting, t)
	mu := o.beside[l]
	if mu == nil {
		mu = new(deadlock.RWMutex)
		o.beside[l] = mu
	}
	o.held[holding{t, l}] = op
	return mu
}

func enter(mu *deadlock.RWMutex, op RWOp) {
	if op == Writer {
		mu.Lock()
	} else {
		mu.RLock()
	}
}

func leave(mu *deadlock.RWMutex, op RWOp) {
	if op == Writer {
		mu.Unlock()
	} else {
		mu.RUnlock()
	}
}

// Released leaves the lock beside l.
func (o *secondOpinion) Released(t *Thread, l Lock, op RWOp) {
	o.Checker.Released(t, l, op)
	o.mu.Lock()
	h := holding{t, l}
	was, ok := o.held[h]
	delete(o.held, h)
	mu := o.beside[l]
	o.mu.Unlock()
	if ok {
		leave(mu, was)
	}
}

// Changed takes the lock beside l as l is held now.
func (o *secondOpinion) Changed(t *Thread, l Lock, op RWOp) {
	o.Checker.Changed(t, l, op)
	o.mu.Lock()
	h := holding{t, l}
	was, ok := o.held[h]
	mu := o.beside[l]
	if ok {
		o.held[h] = op
	}
	o.mu.Unlock()
	if ok {
		leave(mu, was)
		enter(mu, op)
	}
}

// Destroyed forgets l.
func (o *secondOpinion) Destroyed(t *Thread, l Lock) {
	o.Checker.Destroyed(t, l)
	o.mu.Lock()
	delete(o.beside, l)
	o.mu.Unlock()
}

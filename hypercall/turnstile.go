package hypercall

import (
	"sync"
	"unsafe"
)

// Threads that wait for a lock, a condition variable or a thread's end are queued in a turnstile: a bucket chosen by the
// address of the word they wait for. A bucket holds the waiters of several words, those of each in the order of their turn.

const bucketBits = 4

type turnstiles [1 << bucketBits]bucket

type bucket struct {
	mu         sync.Mutex
	head, tail *Thread
	_          [40]byte // one bucket a cache line
}

// bucket returns the turnstile of a word.
func (s *System) bucket(on *word) *bucket {
	ts := s.turn.Load()
	if ts == nil {
		s.turn.CompareAndSwap(nil, new(turnstiles))
		ts = s.turn.Load()
	}
	h := uint64(uintptr(unsafe.Pointer(on))) * 0x9e3779b97f4a7c15
	return &ts[h>>(64-bucketBits)]
}

// push queues t on a word, behind the others or, if it has lost its turn, before them. Called with mu held.
func (b *bucket) push(t *Thread, on *word, first bool) {
	t.on, t.granted = on, false
	switch {
	case b.head == nil:
		t.qnext = nil
		b.head, b.tail = t, t
	case first:
		t.qnext, b.head = b.head, t
	default:
		t.qnext, b.tail.qnext, b.tail = nil, t, t
	}
}

// remove takes t out of the queue; prev is the thread before it, nil if it is the head. Called with mu held.
func (b *bucket) remove(prev, t *Thread) {
	if prev == nil {
		b.head = t.qnext
	} else {
		prev.qnext = t.qnext
	}
	if b.tail == t {
		b.tail = prev
	}
	t.on, t.qnext = nil, nil
}

// first returns the waiter of a word whose turn it is. Called with mu held.
func (b *bucket) first(on *word) *Thread {
	t := b.head
	for t != nil && t.on != on {
		t = t.qnext
	}
	return t
}

// turn looks at whose turn a word is: the first waiter, and how many may hold it together with that one: one writer, or all
// readers before the first writer. rest says whether others wait behind them. Called with mu held.
func (b *bucket) turn(on *word) (first *Thread, count int, rest bool) {
	first = b.first(on)
	for t := first; t != nil; t = t.qnext {
		if t.on != on {
			continue
		}
		if t != first && (first.op == Writer || t.op == Writer) {
			return first, count, true
		}
		count++
	}
	return first, count, false
}

// take dequeues the first n waiters of a word, chained by qnext in their order, and tells them whether they were granted what they
// wait for. Called with mu held.
func (b *bucket) take(on *word, n int, granted bool) *Thread {
	var chain, last, prev *Thread
	for t := b.head; t != nil && n > 0; {
		next := t.qnext
		if t.on != on {
			prev, t = t, next
			continue
		}
		b.remove(prev, t)
		t.granted = granted
		if last == nil {
			chain = t
		} else {
			last.qnext = t
		}
		last, t = t, next
		n--
	}
	return chain
}

// cancel takes t out of the queue if it is still there, and reports whether it was.
func (b *bucket) cancel(t *Thread) bool {
	b.mu.Lock()
	defer b.mu.Unlock()
	return b.drop(t)
}

// cancelCount is cancel for a word that counts its waiters.
func (b *bucket) cancelCount(t *Thread, count *word) bool {
	b.mu.Lock()
	defer b.mu.Unlock()
	if !b.drop(t) {
		return false
	}
	count.add(^uint64(0))
	return true
}

// drop is cancel with mu held.
func (b *bucket) drop(t *Thread) bool {
	var prev *Thread
	for x := b.head; x != nil; prev, x = x, x.qnext {
		if x == t {
			b.remove(prev, t)
			return true
		}
	}
	return false
}

// wakeChain wakes threads that were dequeued, in their order. A thread may run, and queue elsewhere, as soon as it is woken.
func wakeChain(t *Thread) {
	for t != nil {
		next := t.qnext
		t.qnext = nil
		t.unpark(waitQueue)
		t = next
	}
}

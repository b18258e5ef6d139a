package hypercall

import (
	"fmt"
	"slices"
	"strings"
	"sync"
)

// A LockRule is what a LockChecker demands.
type LockRule uint8

const (
	LockOrder    LockRule = iota // who holds a lock waits only for locks further down the order
	LockPlace                    // and for none that has the same place in it
	LockAgain                    // nor for one that it holds
	LockCircle                   // locks whose order is only learned are always waited for in one order
	LockOwner                    // who leaves a lock is who has entered it
	LockAtReturn                 // a thread holds nothing when it returns from a call
	LockAtEnd                    // and nothing when it ends
)

func (r LockRule) String() string {
	return [...]string{
		"out of order", "two locks of one place in the order", "lock entered again", "circle of locks",
		"lock left by another thread", "lock held at return", "lock held at the end of its thread",
	}[r]
}

// A LockReport is a breach of a LockRule. It is the panic of the thread that commits it, unless its LockChecker has a Report function.
type LockReport struct {
	Rule   LockRule
	Thread string
	Lock   string   // class of the lock that is waited for, left or held too long
	Held   []string // classes of the locks that the thread holds, in the order in which it took them
	Circle []string // LockCircle: the classes from the lock that is waited for to one that is held
}

func (r LockReport) Error() string {
	s := fmt.Sprintf("%s: %s, thread %q", r.Rule, r.Lock, r.Thread)
	if len(r.Held) > 0 {
		s += ", holding " + strings.Join(r.Held, " ")
	}
	if len(r.Circle) > 0 {
		s += ", circle " + strings.Join(r.Circle, " > ")
	}
	return s
}

// A LockChecker is the Checker of one machine that reports what could lead to a deadlock, even if nothing comes of it this time, and
// what is wrong in any case:
//
//   - A thread that holds a lock waits only for locks of a class with a higher rank, or with the same rank and a higher subclass.
//     Classes without a rank have no order beforehand, nor have the locks of a class that nests: that order is learned, from all
//     threads, and what closes a circle of any length is reported. If one and the same lock was held exclusively by whoever took
//     two steps of a circle, they cannot meet, and it is none.
//   - It waits for no lock that it holds, not even as a second reader.
//   - Who leaves a lock is who entered it, readers too.
//   - It holds nothing when a call returns (Thread.Returned) and when it ends.
//
// Attempts are in any order; what is waited for under a lock that was got by an attempt is not.
type LockChecker struct {
	// Report gets what is found, on the thread that does it; nil: the thread panics with it.
	Report func(LockReport)

	mu       sync.Mutex
	classes  map[*LockClass]*orderNode
	single   map[Lock]*orderNode
	edges    map[[2]*orderNode]*orderEdge
	searches int

	unranked bool        // there are locks without a rank
	early    []orderEdge // between classes, learned before there were any: these have no circles, and are not in edges yet
	gates    []Lock      // theirs
}

// An orderNode is a place in the learned order: a class, or one lock of a class that nests or of none.
type orderNode struct {
	class         *LockClass
	lock          Lock // nil for a class
	after, before []*orderEdge
	searched      int // number of the last search that came by

	bit     uint64 // of a class, while there are bits left
	settled uint64 // bits of the classes whose locks may be waited for under one of this: there is no more to learn
}

// An orderEdge says that one lock was waited for under another.
type orderEdge struct {
	from, to *orderNode
	gates    []Lock // held exclusively besides, each time
}

// heldLock is a lock that a thread holds.
type heldLock struct {
	lock  Lock
	op    RWOp
	class *orderNode // of its class, once another lock was waited for under it
}

// NewLockChecker makes a checker that has learned nothing yet.
func NewLockChecker() *LockChecker {
	return &LockChecker{
		classes: map[*LockClass]*orderNode{}, single: map[Lock]*orderNode{}, edges: map[[2]*orderNode]*orderEdge{},
	}
}

// name is the class's name, with the number of its subclass.
func (c *LockClass) name() string {
	switch {
	case c == nil:
		return "lock"
	case c.Sub != 0:
		return fmt.Sprintf("%s/%d", c.Name, c.Sub)
	}
	return c.Name
}

// Wanted checks that t may wait for l.
func (c *LockChecker) Wanted(t *Thread, l Lock, _ RWOp) {
	for i := range t.held {
		if rule, circle, bad := c.judge(t, &t.held[i], l); bad {
			c.report(t, rule, l, circle)
		}
	}
}

// judge says which rule t breaks by waiting for l under h.
func (c *LockChecker) judge(t *Thread, h *heldLock, l Lock) (rule LockRule, circle []string, bad bool) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if h.class == nil {
		h.class = c.classNode(h.lock.Class())
	}
	if h.class.settled&c.classNode(l.Class()).bit != 0 {
		return 0, nil, false
	}
	if h.lock == l {
		return LockAgain, nil, true
	}
	if rule, bad = breach(h.lock.Class(), l.Class()); bad {
		return rule, nil, true
	}
	circle = c.learn(t, h.lock, l)
	return LockCircle, circle, circle != nil
}

// breach says which rule the classes alone forbid to break by waiting for want under have.
func breach(have, want *LockClass) (rule LockRule, bad bool) {
	switch {
	case have == nil || want == nil:
		return 0, false
	case have == want:
		return LockPlace, !want.Nest
	case have.Rank == 0 || want.Rank == 0:
		return 0, false
	case have.Rank == want.Rank && have.Sub == want.Sub:
		return LockPlace, true
	}
	return LockOrder, have.Rank > want.Rank || have.Rank == want.Rank && have.Sub > want.Sub
}

// learn notes that want is waited for under have, and returns the circle that this closes, if it does for the first time. Called with mu held.
func (c *LockChecker) learn(t *Thread, have, want Lock) (circle []string) {
	from, to := c.node(have, want), c.node(want, have)
	if from.lock == nil && to.lock == nil && !c.unranked && to.bit != 0 {
		c.learnEarly(t, have, from, to)
		return nil
	}
	e := c.edges[[2]*orderNode{from, to}]
	switch {
	case e == nil:
		e = &orderEdge{from, to, t.gates(nil, have)}
		c.add(e)
	case len(e.gates) == 0 || t.holdsAll(e.gates):
		return nil
	default:
		e.gates = slices.DeleteFunc(e.gates, func(g Lock) bool { return !t.holds(g) })
	}
	c.searches++
	return c.path(to, from, e.gates)
}

// learnEarly is learn while all classes have ranks, which alone rule out circles.
func (c *LockChecker) learnEarly(t *Thread, have Lock, from, to *orderNode) {
	n := len(c.gates)
	c.gates = t.gates(c.gates, have)
	c.early = append(c.early, orderEdge{from, to, c.gates[n:len(c.gates):len(c.gates)]})
	from.settled |= to.bit
}

// unsettle makes circles be looked for among classes too, from the first lock without a rank on. What was learned early stays, with the locks
// that were held the first time.
func (c *LockChecker) unsettle() {
	if c.unranked {
		return
	}
	c.unranked = true
	for i := range c.early {
		e := &c.early[i]
		e.from.settled = 0
		c.add(e)
	}
}

func (c *LockChecker) add(e *orderEdge) {
	c.edges[[2]*orderNode{e.from, e.to}] = e
	e.from.after, e.to.before = append(e.from.after, e), append(e.to.before, e)
}

// node returns the place of l in an order with other: of its class, unless that says nothing about the two.
func (c *LockChecker) node(l, other Lock) *orderNode {
	class := l.Class()
	if class == nil || class == other.Class() {
		n := c.single[l]
		if n == nil {
			n = &orderNode{class: class, lock: l}
			c.single[l] = n
		}
		return n
	}
	return c.classNode(class)
}

func (c *LockChecker) classNode(class *LockClass) *orderNode {
	n := c.classes[class]
	if n == nil {
		n = &orderNode{class: class, bit: 1 << len(c.classes)}
		c.classes[class] = n
		if class == nil || class.Rank == 0 {
			c.unsettle()
		}
	}
	return n
}

// gates appends what t holds exclusively besides l.
func (t *Thread) gates(gates []Lock, l Lock) []Lock {
	for _, h := range t.held {
		if h.op == Writer && h.lock != l {
			gates = append(gates, h.lock)
		}
	}
	return gates
}

func (t *Thread) holds(l Lock) bool {
	return slices.ContainsFunc(t.held, func(h heldLock) bool { return h.lock == l && h.op == Writer })
}

func (t *Thread) holdsAll(gates []Lock) bool {
	return !slices.ContainsFunc(gates, func(g Lock) bool { return !t.holds(g) })
}

// path returns the classes on a way from a node to another along what was learned, but not under one of the gates; nil if there is none.
func (c *LockChecker) path(from, to *orderNode, gates []Lock) []string {
	if from == to {
		return []string{to.class.name()}
	}
	from.searched = c.searches
	for _, e := range from.after {
		if e.to.searched == c.searches || slices.ContainsFunc(e.gates, func(g Lock) bool { return slices.Contains(gates, g) }) {
			continue
		}
		if p := c.path(e.to, to, gates); p != nil {
			return append([]string{from.class.name()}, p...)
		}
	}
	return nil
}

// report tells of a breach, unless the machine has died: then threads unwind as they can.
func (c *LockChecker) report(t *Thread, rule LockRule, l Lock, circle []string) {
	if t.sys.death.Load() != nil {
		return
	}
	r := LockReport{Rule: rule, Thread: t.name, Lock: l.Class().name(), Circle: circle}
	for _, h := range t.held {
		r.Held = append(r.Held, h.lock.Class().name())
	}
	if c.Report == nil {
		panic(r)
	}
	c.Report(r)
}

// Acquired notes that t holds l.
func (c *LockChecker) Acquired(t *Thread, l Lock, op RWOp) {
	t.held = append(t.held, heldLock{lock: l, op: op})
}

// Released checks that t holds l, and notes that it does no more.
func (c *LockChecker) Released(t *Thread, l Lock, op RWOp) {
	for i := len(t.held) - 1; i >= 0; i-- {
		if t.held[i].lock == l && t.held[i].op == op {
			t.held = slices.Delete(t.held, i, i+1)
			if k := l.Class(); k != nil && k.Reorders && op == Writer {
				c.forgetNested()
			}
			return
		}
	}
	c.report(t, LockOwner, l, nil)
}

// Changed notes how t holds l now.
func (c *LockChecker) Changed(t *Thread, l Lock, op RWOp) {
	for i := range t.held {
		if t.held[i].lock == l {
			t.held[i].op = op
			return
		}
	}
	c.report(t, LockOwner, l, nil)
}

// Destroyed forgets l.
func (c *LockChecker) Destroyed(_ *Thread, l Lock) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if n := c.single[l]; n != nil {
		c.isolate(n)
		delete(c.single, l)
	}
}

// isolate forgets what was learned of n.
func (c *LockChecker) isolate(n *orderNode) {
	for _, e := range n.after {
		delete(c.edges, [2]*orderNode{e.from, e.to})
		e.to.before = without(e.to.before, e)
	}
	for _, e := range n.before {
		delete(c.edges, [2]*orderNode{e.from, e.to})
		e.from.after = without(e.from.after, e)
	}
	n.after, n.before = nil, nil
}

func without(edges []*orderEdge, e *orderEdge) []*orderEdge {
	i := slices.Index(edges, e)
	return slices.Delete(edges, i, i+1)
}

// forgetNested forgets the order among locks of classes that nest.
func (c *LockChecker) forgetNested() {
	c.mu.Lock()
	defer c.mu.Unlock()
	for _, n := range c.single {
		if n.class != nil {
			c.isolate(n)
		}
	}
}

// Returned checks that t holds nothing.
func (c *LockChecker) Returned(t *Thread) { c.none(t, LockAtReturn) }

// Ended checks that t holds nothing.
func (c *LockChecker) Ended(t *Thread) { c.none(t, LockAtEnd) }

func (c *LockChecker) none(t *Thread, rule LockRule) {
	held := t.held
	defer func() { t.held = t.held[:0] }()
	for _, h := range held {
		c.report(t, rule, h.lock, nil)
	}
}

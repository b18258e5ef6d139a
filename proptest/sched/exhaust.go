package sched

import (
	"context"
	"fmt"
	"math/bits"

	"rumpvfs/hypercall"
)

// The exhaustive search is stateless: it runs everything from the start again for each schedule. It is the source-DPOR of Abdulla, Aronis, Jonsson and
// Sagonas ("Optimal Dynamic Partial Order Reduction", 2014): after each run it looks for races, pairs of dependent steps of two threads that nothing
// else orders, and has each race run the other way round too, from where the first of the two steps was chosen; sleep sets keep it from running twice
// what only orders independent steps otherwise.
//
// Two steps are independent if no access of one depends on one of the other (see dependent). A step is all that a thread does from one scheduling
// point to the next: at most one lock is entered in it, at its beginning.
//
// A thread that is about to enter a lock that is held is not chosen until the lock is free, for to choose it earlier only has it queue. A writer
// that waits for readers to leave is chosen, since from then on it keeps other readers out.

// An access is what a step did to something.
type access struct {
	what uint64
	how  hypercall.Access
}

// dependent reports whether it may make a difference in which order two threads make these accesses.
func (a access) dependent(b access) bool {
	if a.what != b.what {
		return false
	}
	if a.how > b.how {
		a, b = b, a
	}
	switch a.how {
	case hypercall.Acquire:
		return b.how == hypercall.Acquire || b.how == hypercall.Share || b.how == hypercall.Try || b.how == hypercall.Unshare || b.how == hypercall.Woken
	case hypercall.Share:
		return b.how == hypercall.Try || b.how == hypercall.Woken
	case hypercall.Try:
		return b.how <= hypercall.Unshare || b.how == hypercall.Woken
	case hypercall.Release, hypercall.Unshare:
		return false
	case hypercall.Read, hypercall.Add:
		return b.how != a.how
	}
	return true
}

// A footprint is what a step did.
type footprint []access

func (f footprint) dependent(g footprint) bool {
	for _, a := range f {
		for _, b := range g {
			if a.dependent(b) {
				return true
			}
		}
	}
	return false
}

// A threads is a set of threads, by letter.
type threads uint64

func threadBit(who byte) threads {
	if who >= 'a' {
		return 1 << (who - 'a')
	}
	return 1 << (26 + who - 'A')
}

// index is the number of a thread in clocks.
func threadIndex(who byte) int { return bits.TrailingZeros64(uint64(threadBit(who))) }

// A sleeper is a thread whose next step, whose footprint is known, need not be run until a dependent one has been.
type sleeper struct {
	who  byte
	does footprint
}

// A choice is a place on the path that is being run: a step, and what is to be run in its stead.
type choice struct {
	who      byte
	does     footprint
	ready    threads // that could be chosen
	todo     threads // that are to be chosen
	done     threads // that have been
	asleep   []sleeper
	explored []sleeper         // of done, but for who
	clock    [maxThreads]int32 // the last step of each thread that comes before this one, whatever is done; 0 none, else 1+its place
}

// maxThreads is how many threads have letters.
const maxThreads = 52

// An exhauster is the chooser, and the watcher, of an exhaustive search.
type exhauster struct {
	control   *Control
	unreduced bool
	path      []choice
	at        int  // place of the next step
	cut       bool // the rest of the run repeats another
	asleep    []sleeper
	stuck     []choice // the steps of threads that wait for locks when the run ends or is cut, which they cannot make

	racing []int // steps that race with the one that is looked at
	ids    map[any]uint64
	made   [maxThreads + 1]uint64 // things made by each thread, and by the hub
}

// exhaust has once run under all schedules, or under so many if most is not 0.
func exhaust(ctx context.Context, c *Control, once func() *Failure, most int, unreduced bool) (f *Failure, stats Stats) {
	x := &exhauster{control: c, unreduced: unreduced, ids: map[any]uint64{}}
	defer func() { c.watcher = nil }()
	for ctx.Err() == nil && (most == 0 || stats.Schedules < most) {
		c.watcher = x
		c.begin(x)
		x.begin()
		f := once()
		stats.Steps += len(c.steps)
		switch {
		case x.cut:
			stats.Cut++
		case f != nil:
			stats.Schedules++
			f.Schedule = c.schedule()
			return f, stats
		default:
			stats.Schedules++
		}
		x.path = x.path[:x.at]
		if !unreduced {
			x.races()
		}
		if !x.next() {
			stats.Exhausted = true
			return nil, stats
		}
	}
	return nil, stats
}

func (x *exhauster) begin() {
	x.at, x.cut, x.stuck = 0, false, x.stuck[:0]
	clear(x.ids)
	clear(x.made[:])
}

// next goes back to the last place where something is left to be run, and chooses it. It is false if there is none.
func (x *exhauster) next() bool {
	for len(x.path) > 0 {
		p := &x.path[len(x.path)-1]
		p.done |= threadBit(p.who)
		left := p.todo &^ p.done
		for _, s := range p.asleep {
			left &^= threadBit(s.who)
		}
		if left != 0 {
			p.explored = append(p.explored, sleeper{p.who, p.does})
			p.who, p.does = letterOf(bits.TrailingZeros64(uint64(left))), nil
			return true
		}
		x.path = x.path[:len(x.path)-1]
	}
	return false
}

func letterOf(i int) byte {
	if i < 26 {
		return 'a' + byte(i)
	}
	return 'A' + byte(i-26)
}

// choose implements chooser.
func (x *exhauster) choose(c *Control, run []*hypercall.Thread) int {
	if x.cut {
		return c.usual(run)
	}
	if x.at < len(x.path) {
		p := &x.path[x.at]
		i := c.find(run, p.who)
		if i < 0 {
			panic(fmt.Sprintf("sched: the run is not deterministic: thread %c cannot make step %d", p.who, x.at))
		}
		p.does = p.does[:0]
		x.at++
		return i
	}
	return x.chooseNew(c, run)
}

// chooseNew chooses at a place that no run has come to.
func (x *exhauster) chooseNew(c *Control, run []*hypercall.Thread) int {
	p := choice{ready: allOf(c, run)}
	if !x.unreduced {
		p.asleep = x.sleepers()
		if ready := readyOf(c, run); ready != 0 {
			p.ready = ready
		} else if len(x.stuck) == 0 {
			x.noteStuck(c, run)
		}
	}
	free := p.ready
	for _, s := range p.asleep {
		free &^= threadBit(s.who)
	}
	if free == 0 {
		x.cut = true
		x.noteStuck(c, run)
		return c.usual(run)
	}
	i := c.usual(run)
	if threadBit(c.letter(run[i]))&free == 0 {
		i = c.find(run, letterOf(bits.TrailingZeros64(uint64(free))))
	}
	p.who = c.letter(run[i])
	p.todo = threadBit(p.who)
	if x.unreduced {
		p.todo = p.ready
	}
	x.path = append(x.path, p)
	x.at++
	return i
}

// noteStuck notes, at the end of a run, what locks threads wait for: though they do not get them, they race with those who did.
func (x *exhauster) noteStuck(c *Control, run []*hypercall.Thread) {
	for _, t := range run {
		if what, how := t.Wants(); what != nil && t.MustWait() {
			x.stuck = append(x.stuck, choice{who: c.letter(t), does: footprint{{x.id(what), how}}})
		}
	}
}

// readyOf are the threads that would not only queue for a lock.
func readyOf(c *Control, run []*hypercall.Thread) (ready threads) {
	for _, t := range run {
		if !t.MustWait() {
			ready |= threadBit(c.letter(t))
		}
	}
	return ready
}

func allOf(c *Control, run []*hypercall.Thread) (all threads) {
	for _, t := range run {
		all |= threadBit(c.letter(t))
	}
	return all
}

// sleepers are those that sleep after the last step: those that slept before it or were chosen in its stead, unless the step has woken them.
func (x *exhauster) sleepers() []sleeper {
	if x.at == 0 {
		return nil
	}
	p := &x.path[x.at-1]
	x.asleep = x.asleep[:0]
	for _, list := range [...][]sleeper{p.asleep, p.explored} {
		for _, s := range list {
			if s.who != p.who && !s.does.dependent(p.does) {
				x.asleep = append(x.asleep, s)
			}
		}
	}
	if len(x.asleep) == 0 {
		return nil
	}
	return append([]sleeper(nil), x.asleep...)
}

// Made implements hypercall.Watcher: what is made is named by who made it and how many things that has made before, so that it has the
// same name in every run that comes to it in whatever order of independent steps.
func (x *exhauster) Made(what any) {
	by := maxThreads
	if x.control.on && len(x.control.steps) > 0 {
		by = threadIndex(x.control.last)
	}
	x.made[by]++
	x.ids[what] = uint64(by+1)<<32 | x.made[by]
}

// Accessed implements hypercall.Watcher.
func (x *exhauster) Accessed(t *hypercall.Thread, what any, how hypercall.Access) {
	if x.cut || !x.control.on || x.at == 0 {
		return
	}
	p := &x.path[x.at-1]
	a := access{x.id(what), how}
	for _, b := range p.does {
		if a == b {
			return
		}
	}
	p.does = append(p.does, a)
}

// id is the name of a thing. Threads are named by their letter; what nobody has seen being made shares a name.
func (x *exhauster) id(what any) uint64 {
	if t, ok := what.(*hypercall.Thread); ok {
		return 1<<60 | uint64(x.control.letter(t))
	}
	return x.ids[what]
}

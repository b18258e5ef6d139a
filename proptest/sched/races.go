package sched

import (
	"math/bits"

	"rumpvfs/hypercall"
)

// A past is what has been done to a thing so far: the places on the path where it was.
type past struct {
	acquired int32   // the last that took the lock to hold it alone, or was given it; 1+its place, 0 none
	shared   []int32 // those that took it as readers since
	released []int32 // those that left it since acquired
	unshared []int32
	tried    []int32

	written int32   // the last write
	added   []int32 // since
	read    []int32
	woken   []int32
}

// races goes through the run that is over, and has each race run the other way round.
func (x *exhauster) races() {
	now := map[byte]*[maxThreads]int32{}
	things := map[uint64]*past{}
	for i := range x.path {
		p := &x.path[i]
		if now[p.who] == nil {
			now[p.who] = new([maxThreads]int32)
		}
		clock := now[p.who]
		for _, a := range p.does {
			th := things[a.what]
			if th == nil {
				th = new(past)
				things[a.what] = th
			}
			x.meet(i, clock, th, a.how)
		}
		x.reverse(i, clock)
		clock[threadIndex(p.who)] = int32(i + 1)
		p.clock = *clock
		for _, a := range p.does {
			things[a.what].note(int32(i+1), a.how)
		}
	}
	n := len(x.path)
	for _, p := range x.stuck {
		x.path = append(x.path[:n], p)
		if th, clock := things[p.does[0].what], now[p.who]; th != nil && clock != nil {
			x.meet(n, clock, th, p.does[0].how)
			x.reverse(n, clock)
		}
	}
	x.path = x.path[:n]
}

// meet has step i, whose thread has come to clock, do something to a thing: it races with those before it that it depends on and that clock
// knows nothing of, and comes after them.
func (x *exhauster) meet(i int, clock *[maxThreads]int32, th *past, how hypercall.Access) {
	switch how {
	case hypercall.Acquire:
		x.after(i, clock, true, th.acquired)
		x.after(i, clock, true, th.shared...)
		x.after(i, clock, true, th.tried...)
		x.after(i, clock, false, th.released...)
		x.after(i, clock, true, th.unshared...)
	case hypercall.Share:
		x.after(i, clock, true, th.acquired)
		x.after(i, clock, true, th.tried...)
		x.after(i, clock, false, th.released...)
	case hypercall.Try:
		x.after(i, clock, true, th.acquired)
		x.after(i, clock, true, th.shared...)
		x.after(i, clock, true, th.tried...)
		x.after(i, clock, true, th.released...)
		x.after(i, clock, true, th.unshared...)
	case hypercall.Release:
		x.after(i, clock, true, th.tried...)
	case hypercall.Unshare:
		x.after(i, clock, true, th.tried...)
		x.after(i, clock, true, th.acquired)
	case hypercall.Read:
		x.after(i, clock, true, th.written)
		x.after(i, clock, true, th.added...)
	case hypercall.Add:
		x.after(i, clock, true, th.written)
		x.after(i, clock, true, th.read...)
	case hypercall.Write:
		x.after(i, clock, true, th.written)
		x.after(i, clock, true, th.added...)
		x.after(i, clock, true, th.read...)
		x.after(i, clock, true, th.woken...)
	case hypercall.Woken:
		for _, list := range [...][]int32{th.shared, th.released, th.unshared, th.tried, th.added, th.read, {th.acquired, th.written}} {
			x.after(i, clock, false, list...)
		}
	}
}

// note adds what step at (1+its place) did.
func (th *past) note(at int32, how hypercall.Access) {
	switch how {
	case hypercall.Acquire:
		th.acquired = at
		th.shared, th.released, th.unshared, th.tried = th.shared[:0], th.released[:0], th.unshared[:0], th.tried[:0]
	case hypercall.Share:
		th.shared = append(th.shared, at)
	case hypercall.Try:
		th.tried = append(th.tried, at)
	case hypercall.Release:
		th.released = append(th.released, at)
	case hypercall.Unshare:
		th.unshared = append(th.unshared, at)
	case hypercall.Read:
		th.read = append(th.read, at)
	case hypercall.Add:
		th.added = append(th.added, at)
	case hypercall.Write:
		th.written = at
		th.read, th.added, th.woken = th.read[:0], th.added[:0], th.woken[:0]
	case hypercall.Woken:
		th.woken = append(th.woken, at)
	}
}

// after has step i come after others (1+their places). With race, it races with those that clock knows nothing of.
func (x *exhauster) after(i int, clock *[maxThreads]int32, race bool, others ...int32) {
	if race {
		for _, at := range others {
			if at > 0 && at <= int32(i) && x.path[at-1].who != x.path[i].who && clock[threadIndex(x.path[at-1].who)] < at {
				x.racing = append(x.racing, int(at-1))
			}
		}
	}
	for _, at := range others {
		if at > 0 && at <= int32(i) {
			o := &x.path[at-1]
			for k, v := range o.clock {
				clock[k] = max(clock[k], v)
			}
		}
	}
}

// reverse has the races of step j with those noted, where clock is what comes before j, run the other way round: where the other step was
// chosen, one of the threads is to be chosen that can begin what leads to j without it.
func (x *exhauster) reverse(j int, clock *[maxThreads]int32) {
	for _, i := range x.racing {
		p := &x.path[i]
		initials := x.initials(i, j, clock)
		asleep := threads(0)
		for _, s := range p.asleep {
			asleep |= threadBit(s.who)
		}
		first := threadBit(x.path[j].who)
		switch {
		case initials&(p.todo|p.done|asleep) != 0:
		case initials&first&p.ready != 0:
			p.todo |= first
		case initials&p.ready != 0:
			p.todo |= 1 << bits.TrailingZeros64(uint64(initials&p.ready))
		default:
			p.todo |= p.ready
		}
	}
	x.racing = x.racing[:0]
}

// initials are the threads that can make the first of the steps between i and j, and j, that do not come after i.
func (x *exhauster) initials(i, j int, clock *[maxThreads]int32) (set threads) {
	by := threadIndex(x.path[i].who)
	seen := threads(0)          // threads that have a step among them
	var first [maxThreads]int32 // 1+the place of that step
	for k := i + 1; k <= j; k++ {
		c := &x.path[k].clock
		if k == j {
			c = clock
		} else if c[by] >= int32(i+1) {
			continue
		}
		who := x.path[k].who
		if seen&threadBit(who) != 0 {
			continue
		}
		free := true
		for o, f := range first {
			if f > 0 && c[o] >= f {
				free = false
				break
			}
		}
		seen |= threadBit(who)
		first[threadIndex(who)] = int32(k + 1)
		if free {
			set |= threadBit(who)
		}
	}
	return set
}

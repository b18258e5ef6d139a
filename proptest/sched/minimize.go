package sched

import (
	"context"
	"slices"
)

// minimize makes the failure f, which by has found, as small as it can: first the fewest calls, then the fewest preemptions. A smaller program
// counts as failing if a search of a hundred schedules, or the schedule itself, finds a failure of the same kind.
func (e *explorer) minimize(ctx context.Context, f *Failure, by Strategy, o Options, stats *Stats) {
	o.Whole = true
	if o.Schedules == 0 || o.Schedules > minimizeWith {
		o.Schedules = minimizeWith
	}
	for shrunk := true; shrunk && ctx.Err() == nil; {
		shrunk = false
		for _, p := range f.Program.smaller() {
			if g := e.fails(ctx, p, f, by, o, stats); g != nil {
				*f, shrunk = *g, true
				break
			}
		}
	}
	e.use(f.Program)
	e.preemptOnce(ctx, f, stats)
	for shrunk := true; shrunk && ctx.Err() == nil; {
		shrunk = false
		for _, s := range f.Schedule.simpler() {
			g := e.replay(s)
			stats.Minimizing++
			if g != nil && g.Kind == f.Kind && g.Schedule.smaller(f.Schedule) {
				*f, shrunk = *g, true
				break
			}
		}
	}
}

// preemptOnce looks for a schedule with at most one preemption under which the program fails as in f.
func (e *explorer) preemptOnce(ctx context.Context, f *Failure, stats *Stats) {
	lwps := len(f.Program.Lwps)
	for n := 0; n < len(e.control.steps) && f.Schedule.Preemptions() > min(n, 1) && ctx.Err() == nil; n++ {
		for i := range lwps * lwps {
			s := Schedule{[]stretch{{'a' + byte(i/lwps), n}, {who: 'a' + byte(i%lwps)}}}
			g := e.replay(s)
			stats.Minimizing++
			if g != nil && g.Kind == f.Kind {
				*f = *g
				break
			}
		}
	}
}

// simpler are schedules with a stretch less, which is left out or made with the one before of the same thread.
func (s Schedule) simpler() (list []Schedule) {
	for i := range s.stretches {
		list = append(list, s.without(i))
	}
	for i := 2; i < len(s.stretches); i++ {
		x, y := s.stretches[i-2], s.stretches[i]
		if x.who != y.who {
			continue
		}
		t := s.without(i)
		if t.stretches[i-2].steps = x.steps + y.steps; y.steps == 0 {
			t.stretches[i-2].steps = 0
		}
		list = append(list, t)
	}
	return list
}

// minimizeWith is how many schedules a smaller program has to fail in.
const minimizeWith = 100

// fails is a failure of p that is as f, or nil.
func (e *explorer) fails(ctx context.Context, p *Program, f *Failure, by Strategy, o Options, stats *Stats) *Failure {
	e.use(p)
	stats.Minimizing++
	if g := e.replay(f.Schedule); g != nil && g.Kind == f.Kind {
		return g
	}
	g, s := Search(ctx, &e.control, e.once, by, o)
	stats.Minimizing += s.Schedules
	if g == nil || g.Kind != f.Kind {
		return nil
	}
	g.Program = p
	return g
}

// smaller reports whether a schedule is simpler than another: fewer preemptions, then fewer stretches.
func (s Schedule) smaller(t Schedule) bool {
	if a, b := s.Preemptions(), t.Preemptions(); a != b {
		return a < b
	}
	return len(s.stretches) < len(t.stretches)
}

// smaller are the programs with one call less, those of lwps first.
func (p *Program) smaller() (list []*Program) {
	for i := range p.Lwps {
		for j := range p.Lwps[i] {
			q := p.clone()
			if q.Lwps[i] = slices.Delete(q.Lwps[i], j, j+1); len(q.Lwps[i]) == 0 {
				q.Lwps = slices.Delete(q.Lwps, i, i+1)
			}
			if len(q.Lwps) > 0 {
				list = append(list, q)
			}
		}
	}
	for i := range p.After {
		q := p.clone()
		q.After = slices.Delete(q.After, i, i+1)
		list = append(list, q)
	}
	for i := range p.Before {
		q := p.clone()
		q.Before = slices.Delete(q.Before, i, i+1)
		if q.Check() == nil {
			list = append(list, q)
		}
	}
	return list
}

func (p *Program) clone() *Program {
	q := &Program{Before: slices.Clone(p.Before), After: slices.Clone(p.After)}
	for _, list := range p.Lwps {
		q.Lwps = append(q.Lwps, slices.Clone(list))
	}
	return q
}

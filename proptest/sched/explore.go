package sched

import (
	"context"
	"fmt"

	"rumpvfs/proptest/call"
	"rumpvfs/proptest/clause"
	"rumpvfs/proptest/model"
)

// A Strategy is a way to choose schedules.
type Strategy int

const (
	Random     Strategy = iota // at each point any thread that can run, each as likely
	PCT                        // by random priorities that change at few points
	Exhaustive                 // all schedules, but for those that only order independent steps otherwise
)

// String is the name of the strategy.
func (s Strategy) String() string {
	switch s {
	case Random:
		return "random"
	case PCT:
		return "pct"
	case Exhaustive:
		return "exhaustive"
	}
	return fmt.Sprintf("Strategy(%d)", int(s))
}

// ParseStrategy is the strategy with a name.
func ParseStrategy(name string) (Strategy, error) {
	for s := Random; s <= Exhaustive; s++ {
		if s.String() == name {
			return s, nil
		}
	}
	return 0, fmt.Errorf("no strategy is called %q: it is random, pct or exhaustive", name)
}

// A System is what programs run on, and what it should answer. It serves one search at a time.
type System struct {
	Name string
	Boot Boot
	// Model is what calls should answer. Before them it makes those of Home, which lead to where Boot has put process 0.
	Model model.Config
	Home  []call.Call
	// Renumbers says that a file may get the inode number of one that is gone, so that numbers do not tell files apart.
	Renumbers bool
	// Same says whether the system answers a call as the model did, which gave want because of a clause. It leaves inodes alone. nil:
	// if the results are equal.
	Same func(c *call.Call, got, want *call.Result, because clause.ID) bool

	explorer explorer // of Explore, whose memory is used again
	home     *model.Model
}

// model is a model that has come to where Boot has put process 0. It is to be copied.
func (s *System) model() *model.Model {
	if s.home == nil {
		s.home = model.New(s.Model)
		for i := range s.Home {
			s.home.Do(&s.Home[i], new(call.Result))
		}
	}
	return s.home
}

// Options bound a search. The zero Options are those of a search of 1000 schedules, or of all.
type Options struct {
	Seed uint64
	// Schedules is how many schedules are run at most; 0 is 1000, of Exhaustive without bound.
	Schedules int
	// Depth is that of the bugs that PCT looks for: the number of steps whose order matters. 0 is 3.
	Depth int
	// Unreduced has Exhaustive run independent steps in all orders too, and choose threads that only queue for a lock.
	Unreduced bool
	// Seen, if not nil, is given every history that is not known yet. It is valid during the call.
	Seen func(*History)
	// Whole leaves a failure as it was found; otherwise the program and the schedule are made as small as can be.
	Whole bool
}

// Stats are the figures of a search.
type Stats struct {
	Schedules  int // that were run to their end
	Cut        int // that were given up because they repeat others
	Steps      int // of all of them
	Histories  int // different ones
	Sequential int // of these, those that some order of whole calls explains
	Minimizing int // schedules run to make a failure smaller
	Exhausted  bool
}

// Add adds the figures of another search. Exhausted stays if both were.
func (s *Stats) Add(t Stats) {
	s.Schedules += t.Schedules
	s.Cut += t.Cut
	s.Steps += t.Steps
	s.Histories += t.Histories
	s.Sequential += t.Sequential
	s.Minimizing += t.Minimizing
	s.Exhausted = s.Exhausted && t.Exhausted
}

// Explore runs a program under one schedule after the other until one fails, and gives that failure, or nil. It also ends, without
// a failure, when ctx does. The program must be one that Check finds nothing wrong with.
func Explore(ctx context.Context, p *Program, on *System, by Strategy, o Options) (*Failure, Stats) {
	e := &on.explorer
	e.on, e.seen = on, o.Seen
	e.use(p)
	f, stats := Search(ctx, &e.control, e.once, by, o)
	stats.Histories, stats.Sequential = len(e.verdicts), e.sequential
	if f != nil {
		f.Program = p
		if !o.Whole {
			e.minimize(ctx, f, by, o, &stats)
		}
		e.blame(f)
	}
	return f, stats
}

// Replay runs a program once under a schedule. It gives what happened, and the failure if it is one.
func Replay(p *Program, on *System, s Schedule) (*History, *Failure) {
	e := explorer{on: on}
	e.use(p)
	f := e.replay(s)
	if f != nil {
		e.blame(f)
	}
	return &e.run.history, f
}

// blame says of a difference, which is run again, whose answer it is in.
func (e *explorer) blame(f *Failure) {
	if f.Kind != Difference {
		return
	}
	e.use(f.Program)
	if g := e.replay(f.Schedule); g == nil || g.Kind != f.Kind {
		return
	}
	if d, clauses := e.check.blame(&e.run.history); d != nil {
		f.Blamed, f.Clauses = fmt.Sprintf("%s: %v", d.who(), d.Call), clauses
	}
}

// An explorer runs a program under schedules.
type explorer struct {
	on         *System
	control    Control
	run        run
	check      checker
	verdicts   map[uint64]bool // by digest of the history
	sequential int
	follow     follower
	seen       func(*History)
}

func (e *explorer) use(p *Program) {
	e.run.program, e.run.control = p, &e.control
	e.check.use(p, e.on)
	if e.verdicts == nil {
		e.verdicts = map[uint64]bool{}
	}
	clear(e.verdicts)
	e.sequential = 0
}

// once runs the program with the control as it is set up, and says what was wrong.
func (e *explorer) once() *Failure {
	h := &e.run.history
	var key uint64
	var good, known bool
	err := e.run.execute(e.on.Boot, func() bool {
		key = h.digest()
		good, known = e.verdicts[key]
		return known
	})
	if err != nil {
		return &Failure{Kind: kindOf(err), Why: err.Error(), History: h.String()}
	}
	if !known {
		good = e.judge(h)
		e.verdicts[key] = good
	}
	if !good {
		return &Failure{Kind: Difference, Why: "no order of steps of the calls explains the results", History: h.String()}
	}
	return nil
}

// judge reports whether a history that is seen for the first time is one of the specification.
func (e *explorer) judge(h *History) bool {
	if e.seen != nil {
		e.seen(h)
	}
	if e.check.sequential(h) {
		e.sequential++
		return true
	}
	return e.check.linearizable(h)
}

// replay is once under a schedule.
func (e *explorer) replay(s Schedule) *Failure {
	e.follow.begin(s)
	e.control.begin(&e.follow)
	f := e.once()
	if f != nil {
		f.Program, f.Schedule = e.run.program, e.control.schedule()
	}
	return f
}

// Search has once run, each time under another schedule, until it fails. once boots a machine whose scheduler is c.Scheduler(), calls
// c.Begin before what is to be explored and c.End after it, and shuts the machine down. Explore does so with kernels.
func Search(ctx context.Context, c *Control, once func() *Failure, by Strategy, o Options) (f *Failure, stats Stats) {
	most := o.Schedules
	if most == 0 && by != Exhaustive {
		most = 1000
	}
	if by == Exhaustive {
		return exhaust(ctx, c, once, most, o.Unreduced)
	}
	g := rng(o.Seed)
	p := pct{depth: o.Depth}
	if p.depth == 0 {
		p.depth = 3
	}
	for stats.Schedules < most && ctx.Err() == nil {
		if by == Random {
			c.begin(&random{rng(g.next())})
		} else {
			p.rng = rng(g.next())
			p.begin()
			c.begin(&p)
		}
		f := once()
		stats.Schedules++
		stats.Steps += len(c.steps)
		if f != nil {
			f.Schedule = c.schedule()
			return f, stats
		}
	}
	return nil, stats
}

package main

import (
	"context"
	"encoding/json"
	"fmt"
	"io"
	"runtime/debug"
	"sync"
	"time"

	"github.com/spf13/cobra"

	"rumpvfs/kern"
	"rumpvfs/proptest/mutant"
	"rumpvfs/proptest/repro"
	"rumpvfs/proptest/sched"
	"rumpvfs/sim"
)

// schedulesFlags are the flags of the command.
type schedulesFlags struct {
	searchFlags
	strategy string
	fs       string
	mutant   string
	each     int
	lwps     int
	calls    int
	depth    int
	replay   string
	locks    bool
}

func newSchedules() *cobra.Command {
	var f schedulesFlags
	cmd := &cobra.Command{
		Use:   "schedules",
		Short: "Run concurrent programs under many schedules",
		Long: `schedules runs programs, which are a few calls of each of several lwps, on
deterministic kernels under one schedule after the other. Answers must be those
of the model for some order of the steps of the calls; nobody may wait for ever,
and nothing be left over. The strategies are random, pct (priorities that change
at few points) and exhaustive, which by default runs all pairs of 25 calls in 5
trees under all schedules that differ in the order of dependent steps.

What goes wrong is made small, shown with its schedule, such as a12ba3 (lwp a
runs for 12 steps, b until it waits or ends, a for 3 steps), and written to a
directory: as a PROGRAM with what happened, which --replay runs again under a
schedule; as a Go test that does so; and as a C program that has processes of a
real NetBSD or Linux make the calls at the same time, again and again, and
counts what comes of it. --mutant has a bug be there to be found. The last line
are figures. The exit status is 0 only if nothing was found wrong.`,
		Example: `  rumpvfs schedules --strategy exhaustive
  rumpvfs schedules --strategy pct --lwps 4 --schedules 1000000
  rumpvfs schedules --fs tmpfs --strategy random --time 1m --json
  rumpvfs schedules --fs tmpfs --replay a12ba3 failure.txt`,
		RunE: func(cmd *cobra.Command, args []string) error { return f.run(cmd, args) },
	}
	f.add(cmd, "schedules")
	fl := cmd.Flags()
	fl.StringVar(&f.strategy, "strategy", "pct", "random, pct or exhaustive")
	fl.StringVar(&f.fs, "fs", "rumpfs", "file system: rumpfs or tmpfs")
	fl.StringVar(&f.mutant, "mutant", "", "boot kernels with this bug; rumpvfs mutants --list has their names")
	fl.IntVar(&f.each, "each", 0, "schedules of each program; 0 for 100, of exhaustive for all")
	fl.IntVar(&f.lwps, "lwps", 2, "lwps of a program")
	fl.IntVar(&f.calls, "calls", 0, "calls of an lwp at most; 0 for 2, of exhaustive for 1")
	fl.IntVar(&f.depth, "depth", 3, "of pct: how many steps must come in a certain order for the bugs that are looked for")
	fl.StringVar(&f.replay, "replay", "", "schedule to run a PROGRAM under, once")
	fl.BoolVar(&f.locks, "check-locks", true, "check the order of locks too, at some cost")
	return cmd
}

// A ground is what programs run on, and what they are made of.
type ground struct {
	on       *sched.System
	universe sched.Universe
	race     repro.Race // what all that go wrong have in common
}

// ground makes what a worker runs programs on.
func (f *schedulesFlags) ground() (*ground, error) {
	var g ground
	check := func(c *sim.Config) { c.CheckLocks = f.locks }
	config := fmt.Sprintf("func(c *sim.Config) { c.CheckLocks = %v })", f.locks)
	switch f.fs {
	case "rumpfs":
		g.on, g.universe = sched.Rumpfs(kern.Fixed, check), sched.Names()
		g.race.Imports, g.race.System = []string{"rumpvfs/kern", "rumpvfs/sim"}, "on := sched.Rumpfs(kern.Fixed, "+config
	case "tmpfs":
		g.on, g.universe = sched.Tmpfs(check), sched.Moves()
		g.race.Imports, g.race.System = []string{"rumpvfs/sim"}, "on := sched.Tmpfs("+config
	default:
		return nil, usageError{fmt.Errorf("no file system is called %q, only rumpfs, tmpfs", f.fs)}
	}
	g.race.On, g.race.Command = f.fs, fmt.Sprintf("rumpvfs schedules --fs %s --check-locks=%v", f.fs, f.locks)
	if f.mutant == "" {
		return &g, nil
	}
	m, err := mutant.Named(f.mutant)
	if err != nil {
		return nil, usageError{err}
	}
	if m.FS() != f.fs {
		return nil, usageError{fmt.Errorf("the bug %s is one of %s", m.Name, m.FS())}
	}
	g.on, g.race = mutant.System(m), mutant.Reproducer(m)
	return &g, nil
}

func (f *schedulesFlags) run(cmd *cobra.Command, args []string) error {
	g, err := f.ground()
	if err != nil {
		return err
	}
	if cmd.Flags().Changed("replay") {
		return f.runAgain(cmd, g.on, args)
	}
	if err := none(cmd, args); err != nil {
		return err
	}
	by, err := sched.ParseStrategy(f.strategy)
	switch {
	case err != nil:
		return usageError{err}
	case f.lwps < 1 || f.lwps > sched.MaxLwps:
		return usageError{fmt.Errorf("there are from 1 to %d lwps", sched.MaxLwps)}
	case f.depth < 1 || f.each < 0 || f.calls < 0:
		return usageError{fmt.Errorf("depth is at least 1, and nothing is negative")}
	}
	if err := f.check(); err != nil {
		return err
	}
	q := &queue{f: f, by: by, universe: g.universe}
	if by == sched.Exhaustive {
		f.endless = true
		if f.lwps == 2 && f.calls <= 1 {
			q.programs = g.universe.Pairs()
		}
	}
	c := campaign[scheduled]{
		flags: &f.searchFlags, add: (*scheduled).add,
		begin: func(int) (worker[scheduled], error) {
			own, err := f.ground() // kernels of one are booted one after the other
			return &scheduler{ground: own, queue: q}, err
		},
		progress: func(sum *scheduled, took time.Duration) string {
			return fmt.Sprintf("%d schedules, %d/s, %d programs", sum.Schedules, perSecond(uint64(sum.Schedules), took), sum.programs)
		},
	}
	defer debug.SetGCPercent(debug.SetGCPercent(garbage))
	defer debug.SetMemoryLimit(debug.SetMemoryLimit(memory))
	t, took, err := c.run(cmd)
	if err != nil {
		return err
	}
	return conclude(cmd, f.json, []figure{
		{"fs", f.fs}, {"strategy", by.String()}, {"lwps", f.lwps}, {"schedules", t.Schedules}, {"cut", t.Cut}, {"steps", t.Steps},
		{"seconds", seconds(took)}, {"rate", perSecond(uint64(t.Schedules), took)}, {"programs", t.programs}, {"of", q.programs},
		{"exhausted", t.whole}, {"histories", t.Histories}, {"sequential", t.Sequential},
	}, c.failing, c.failures)
}

// garbage is how much memory, in per cent of what is in use, may be filled before it is collected: kernels are small and soon gone.
const garbage = 800

// memory is how many bytes may be in use before it is collected all the same.
const memory = 1 << 30

// runAgain runs a program under a schedule.
func (f *schedulesFlags) runAgain(cmd *cobra.Command, on *sched.System, args []string) error {
	s, err := sched.ParseSchedule(f.replay)
	if err != nil {
		return usageError{err}
	}
	if len(args) != 1 {
		return usageError{fmt.Errorf("--replay wants one PROGRAM; see %s --help", cmd.CommandPath())}
	}
	name, src, err := readInput(cmd, args[0])
	if err != nil {
		return err
	}
	p, err := sched.Parse(name, string(src), on)
	if err != nil {
		return usageError{err}
	}
	h, failure := sched.Replay(p, on, s)
	w := cmd.OutOrStdout()
	if failure != nil {
		if err := f.show(w, failure); err != nil {
			return err
		}
		return errReported
	}
	if _, err = fmt.Fprint(w, h); err != nil {
		return err
	}
	return printFigures(w, f.json, []figure{{"fs", f.fs}, {"schedules", 1}, {"calls", len(h.Calls)}, {"failures", 0}})
}

// show shows a failure.
func (f *schedulesFlags) show(w io.Writer, failure *sched.Failure) (err error) {
	if !f.json {
		_, err = fmt.Fprintf(w, "%v\n", failure)
		return err
	}
	return json.NewEncoder(w).Encode(map[string]string{
		"kind": failure.Kind.String(), "why": failure.Why, "schedule": failure.Schedule.String(),
		"program": failure.Program.String(), "history": failure.History,
	})
}

// A queue has programs, which several workers take one after the other.
type queue struct {
	f        *schedulesFlags
	by       sched.Strategy
	universe sched.Universe
	programs int // there are, 0 without end

	mu       sync.Mutex
	next     int // mu: program to be taken
	promised int // mu: schedules that workers are to run
	ran      int // mu: schedules that they have run
}

// take gives the number of the next program, and how many schedules it may run, 0 for all.
func (q *queue) take() (i, most int, ok bool) {
	q.mu.Lock()
	defer q.mu.Unlock()
	if q.programs > 0 && q.next == q.programs {
		return 0, 0, false
	}
	if most = q.f.each; most == 0 && q.by != sched.Exhaustive {
		most = 100
	}
	if q.f.most > 0 {
		left := int(q.f.most) - q.promised
		if q.by == sched.Exhaustive {
			left = int(q.f.most) - q.ran
		}
		if left <= 0 {
			return 0, 0, false
		}
		if most == 0 || left < most {
			most = left
		}
	}
	q.promised += most
	q.next++
	return q.next - 1, most, true
}

// program makes the program of a number.
func (q *queue) program(i int) *sched.Program {
	if q.programs > 0 {
		return q.universe.Pair(i)
	}
	calls := q.f.calls
	if calls == 0 {
		calls = 2
		if q.by == sched.Exhaustive {
			calls = 1
		}
	}
	return q.universe.Random(q.f.seed^uint64(i)*0xd1342543de82ef95, q.f.lwps, calls)
}

// A scheduler is a worker.
type scheduler struct {
	*ground
	*queue
	sum  scheduled
	over bool // there is no program left
}

// Done reports whether the programs are at their end.
func (w *scheduler) Done() bool { return w.over }

// Close does nothing: no kernel is left.
func (w *scheduler) Close() error { return nil }

func (w *scheduler) figures() scheduled { return w.sum }

func (w *scheduler) next(ctx context.Context) (*finding, error) {
	i, most, ok := w.take()
	if !ok {
		w.over = true
		return nil, nil
	}
	failure, stats := sched.Explore(ctx, w.program(i), w.on, w.by, sched.Options{
		Seed: w.f.seed + uint64(i)*0x9e3779b97f4a7c15, Schedules: most, Depth: w.f.depth,
	})
	w.queue.mu.Lock()
	w.queue.ran += stats.Schedules
	w.queue.mu.Unlock()
	w.sum.Add(stats)
	if ctx.Err() == nil || failure != nil {
		w.sum.programs++
	}
	if stats.Exhausted {
		w.sum.whole++
	}
	if failure == nil {
		return nil, nil
	}
	return &finding{fmt.Sprint(failure.Kind, failure.Program), func(name string) (*reproducer, error) {
		race := w.race
		race.Name = name
		race.Again(failure, w.on)
		return &reproducer{name, failure.String(), race.Files()}, nil
	}}, nil
}

// scheduled is what schedulers have come to.
type scheduled struct {
	sched.Stats
	programs int
	whole    int // of them, those that were exhausted
}

func (s *scheduled) add(o *scheduled) {
	s.Add(o.Stats)
	s.programs += o.programs
	s.whole += o.whole
}

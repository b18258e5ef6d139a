package main

import (
	"context"
	"encoding/json"
	"fmt"
	"io"
	"runtime"
	"runtime/debug"
	"sync"
	"time"

	"github.com/spf13/cobra"

	"rumpvfs/kern"
	"rumpvfs/proptest/sched"
	"rumpvfs/sim"
)

// schedulesFlags are the flags of the command.
type schedulesFlags struct {
	strategy  string
	fs        string
	duration  time.Duration
	schedules int
	each      int
	seed      uint64
	lwps      int
	calls     int
	depth     int
	jobs      int
	failures  int
	replay    string
	locks     bool
	json      bool
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

What goes wrong is made small and shown with its schedule, such as a12ba3: lwp a
runs for 12 steps, b until it waits or ends, a for 3 steps. --replay runs a
PROGRAM again under such a schedule, and shows what happens. The last line are
figures. The exit status is 0 only if nothing was found wrong.`,
		Example: `  rumpvfs schedules --strategy exhaustive
  rumpvfs schedules --strategy pct --lwps 4 --schedules 1000000
  rumpvfs schedules --fs tmpfs --strategy random --time 1m --json
  rumpvfs schedules --fs tmpfs --replay a12ba3 failure.txt`,
		RunE: func(cmd *cobra.Command, args []string) error { return f.run(cmd, args) },
	}
	fl := cmd.Flags()
	fl.StringVar(&f.strategy, "strategy", "pct", "random, pct or exhaustive")
	fl.StringVar(&f.fs, "fs", "rumpfs", "file system: rumpfs or tmpfs")
	fl.DurationVar(&f.duration, "time", 0, "how long to go on; 10s if --schedules says nothing either; of exhaustive, at most")
	fl.IntVar(&f.schedules, "schedules", 0, "how many schedules to run; 0 for as many as there is time for")
	fl.IntVar(&f.each, "each", 0, "schedules of each program; 0 for 100, of exhaustive for all")
	fl.Uint64Var(&f.seed, "seed", 0, "seed of programs and schedules")
	fl.IntVar(&f.lwps, "lwps", 2, "lwps of a program")
	fl.IntVar(&f.calls, "calls", 0, "calls of an lwp at most; 0 for 2, of exhaustive for 1")
	fl.IntVar(&f.depth, "depth", 3, "of pct: how many steps must come in a certain order for the bugs that are looked for")
	fl.IntVar(&f.jobs, "jobs", runtime.GOMAXPROCS(0), "kernels that run at a time")
	fl.IntVar(&f.failures, "failures", 3, "failures that end the run")
	fl.StringVar(&f.replay, "replay", "", "schedule to run a PROGRAM under, once")
	fl.BoolVar(&f.locks, "check-locks", true, "check the order of locks too, at some cost")
	fl.BoolVar(&f.json, "json", false, "print JSON")
	return cmd
}

// system makes what a worker runs programs on.
func (f *schedulesFlags) system() (*sched.System, sched.Universe, error) {
	check := func(c *sim.Config) { c.CheckLocks = f.locks }
	switch f.fs {
	case "rumpfs":
		return sched.Rumpfs(kern.Fixed, check), sched.Names(), nil
	case "tmpfs":
		return sched.Tmpfs(check), sched.Moves(), nil
	}
	return nil, sched.Universe{}, usageError{fmt.Errorf("no file system is called %q, only rumpfs, tmpfs", f.fs)}
}

func (f *schedulesFlags) run(cmd *cobra.Command, args []string) error {
	on, u, err := f.system()
	if err != nil {
		return err
	}
	if cmd.Flags().Changed("replay") {
		return f.runAgain(cmd, on, args)
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
	case f.jobs < 1 || f.failures < 1 || f.depth < 1 || f.each < 0 || f.schedules < 0 || f.calls < 0 || f.duration < 0:
		return usageError{fmt.Errorf("jobs, failures and depth are at least 1, and nothing is negative")}
	}
	s := &searching{f: f, by: by, u: u, start: time.Now(), live: newLiveLine(cmd.ErrOrStderr(), time.Now())}
	s.programs = f.programs(by, &u)
	if f.duration == 0 && f.schedules == 0 && by != sched.Exhaustive {
		f.duration = 10 * time.Second
	}
	ctx, cancel := context.WithCancel(cmd.Context())
	if f.duration > 0 {
		ctx, cancel = context.WithTimeout(cmd.Context(), f.duration)
	}
	defer cancel()
	defer debug.SetGCPercent(debug.SetGCPercent(garbage))
	defer debug.SetMemoryLimit(debug.SetMemoryLimit(memory))
	s.search(ctx, cancel)
	if err := s.finish(cmd.OutOrStdout(), time.Since(s.start)); err != nil {
		return err
	}
	return cmd.Context().Err()
}

// garbage is how much memory, in per cent of what is in use, may be filled before it is collected: kernels are small and soon gone.
const garbage = 800

// memory is how many bytes may be in use before it is collected all the same.
const memory = 1 << 30

// programs is how many programs there are, 0 if as many as one likes.
func (f *schedulesFlags) programs(by sched.Strategy, u *sched.Universe) int {
	if by == sched.Exhaustive && f.lwps == 2 && f.calls <= 1 {
		return u.Pairs()
	}
	return 0
}

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
		return reportFailure(w, f.json, failure)
	}
	if _, err = fmt.Fprint(w, h); err != nil {
		return err
	}
	return printFigures(w, f.json, []figure{{"fs", f.fs}, {"schedules", 1}, {"calls", len(h.Calls)}, {"failures", 0}})
}

// reportFailure shows a failure. The error says that it has.
func reportFailure(w io.Writer, asJSON bool, failure *sched.Failure) error {
	err := showFailure(w, asJSON, failure)
	if err == nil {
		err = errReported
	}
	return err
}

func showFailure(w io.Writer, asJSON bool, failure *sched.Failure) (err error) {
	if !asJSON {
		_, err = fmt.Fprintf(w, "%v\n", failure)
		return err
	}
	return json.NewEncoder(w).Encode(map[string]string{
		"kind": failure.Kind.String(), "why": failure.Why, "schedule": failure.Schedule.String(),
		"program": failure.Program.String(), "history": failure.History,
	})
}

// A searching is a run of the command: programs that several workers take one after the other.
type searching struct {
	f        *schedulesFlags
	by       sched.Strategy
	u        sched.Universe
	programs int // there are, 0 without end
	start    time.Time
	live     *liveLine

	mu       sync.Mutex
	next     int // program to be taken
	promised int // schedules that workers are to run
	done     int // programs
	whole    int // of them, those that were exhausted
	stats    sched.Stats
	failures []*sched.Failure
}

// search has workers take programs until there are none, or ctx ends; cancel ends the others after the last failure.
func (s *searching) search(ctx context.Context, cancel func()) {
	var all sync.WaitGroup
	for range s.f.jobs {
		all.Go(func() {
			on, _, _ := s.f.system()
			for ctx.Err() == nil {
				i, most, ok := s.take()
				if !ok {
					return
				}
				failure, stats := sched.Explore(ctx, s.program(i), on, s.by, sched.Options{
					Seed: s.f.seed + uint64(i)*0x9e3779b97f4a7c15, Schedules: most, Depth: s.f.depth,
				})
				if s.note(ctx, failure, stats) {
					cancel()
				}
			}
		})
	}
	all.Wait()
	s.live.clear()
}

// take gives the number of the next program, and how many schedules it may run, 0 for all.
func (s *searching) take() (i, most int, ok bool) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.programs > 0 && s.next == s.programs {
		return 0, 0, false
	}
	if most = s.f.each; most == 0 && s.by != sched.Exhaustive {
		most = 100
	}
	if s.f.schedules > 0 {
		left := s.f.schedules - s.promised
		if s.by == sched.Exhaustive {
			left = s.f.schedules - s.stats.Schedules
		}
		if left <= 0 {
			return 0, 0, false
		}
		if most == 0 || left < most {
			most = left
		}
	}
	s.promised += most
	s.next++
	return s.next - 1, most, true
}

// program makes the program of a number.
func (s *searching) program(i int) *sched.Program {
	if s.programs > 0 {
		return s.u.Pair(i)
	}
	calls := s.f.calls
	if calls == 0 {
		calls = 2
		if s.by == sched.Exhaustive {
			calls = 1
		}
	}
	return s.u.Random(s.f.seed^uint64(i)*0xd1342543de82ef95, s.f.lwps, calls)
}

// note adds up what came of a program. It reports whether there are enough failures.
func (s *searching) note(ctx context.Context, failure *sched.Failure, stats sched.Stats) bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.stats.Add(stats)
	if ctx.Err() == nil || failure != nil {
		s.done++
	}
	if stats.Exhausted {
		s.whole++
	}
	if failure != nil {
		s.failures = append(s.failures, failure)
	}
	if now := time.Now(); s.live.due(now) {
		took := now.Sub(s.start)
		s.live.print(now, fmt.Sprintf("%d schedules, %d/s, %d programs, %d failures", s.stats.Schedules,
			perSecond(uint64(s.stats.Schedules), took), s.done, len(s.failures)))
	}
	return len(s.failures) >= s.f.failures
}

// finish shows failures and figures.
func (s *searching) finish(w io.Writer, took time.Duration) error {
	for _, failure := range s.failures {
		if err := showFailure(w, s.f.json, failure); err != nil {
			return err
		}
	}
	t := &s.stats
	err := printFigures(w, s.f.json, []figure{
		{"fs", s.f.fs}, {"strategy", s.by.String()}, {"lwps", s.f.lwps}, {"schedules", t.Schedules}, {"cut", t.Cut}, {"steps", t.Steps},
		{"seconds", seconds(took)}, {"rate", perSecond(uint64(t.Schedules), took)}, {"programs", s.done}, {"of", s.programs}, {"exhausted", s.whole},
		{"histories", t.Histories}, {"sequential", t.Sequential}, {"failures", len(s.failures)},
	})
	if err == nil && len(s.failures) > 0 {
		err = errReported
	}
	return err
}

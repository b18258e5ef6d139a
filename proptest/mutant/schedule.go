package mutant

import (
	"context"
	"slices"

	"rumpvfs/hypercall"
	"rumpvfs/kern"
	"rumpvfs/proptest/sched"
	"rumpvfs/sim"
)

// System is a kernel with a bug for package sched; m nil is one without. Operations are checked and are scheduling points.
func System(m *Mutant) *sched.System {
	k := &Kernel{mutant: m}
	change := func(c *sim.Config) {
		c.Hooks, c.CheckLocks = &kern.Hooks{Check: true}, true
		if m != nil && m.vector != nil {
			c.Wrap = k.wrap
		}
	}
	on := sched.Rumpfs(kern.Fixed, change)
	if m != nil && m.Tmpfs {
		on = sched.Tmpfs(change)
	}
	boot := on.Boot
	on.Boot = func(s hypercall.Scheduler) (*sim.Kernel, error) {
		k.memory = memory{}
		return boot(s)
	}
	return on
}

// Race runs a program on a mutant until a schedule shows the bug: under all schedules that order differently what depends on each
// other, as many as may be, and then under as many random ones, since nobody sees what the memory of a bug depends on. There is
// no failure if none shows it.
func Race(ctx context.Context, m *Mutant, p *sched.Program, o sched.Options) (f *sched.Failure, stats sched.Stats) {
	for _, by := range []sched.Strategy{sched.Exhaustive, sched.Random} {
		var s sched.Stats
		f, s = sched.Explore(ctx, p, System(m), by, o)
		if stats.Add(s); f != nil {
			break
		}
	}
	return f, stats
}

// schedules is how many of each kind Hunt runs of a program before it goes on to the next.
const schedules = 200

// huntRace runs the programs on a mutant.
func huntRace(ctx context.Context, m *Mutant, seed uint64) (*Kill, error) {
	k := &Kill{Mutant: m}
	list, err := sched.Programs(System(m))
	if err != nil {
		return nil, err
	}
	for i := range list {
		if ctx.Err() != nil {
			break
		}
		f, stats := Race(ctx, m, list[i].Program, sched.Options{Seed: seed, Schedules: schedules})
		k.Tried += uint64(stats.Schedules)
		if f != nil {
			k.Race, k.Minimal = f, minimalProgram(ctx, m, f.Program)
			break
		}
	}
	return k, nil
}

// minimalProgram reports whether a program shows a mutant no more when any one call of its lwps is left out, or any one that looks
// at what has come of them.
func minimalProgram(ctx context.Context, m *Mutant, p *sched.Program) bool {
	shows := func(less sched.Program) bool {
		f, _ := Race(ctx, m, &less, sched.Options{Schedules: schedules, Whole: true})
		return f != nil
	}
	for i, list := range p.Lwps {
		for j := range list {
			less := *p
			less.Lwps = slices.Clone(p.Lwps)
			less.Lwps[i] = slices.Delete(slices.Clone(list), j, j+1)
			if shows(less) {
				return false
			}
		}
	}
	for i := range p.After {
		less := *p
		less.After = slices.Delete(slices.Clone(p.After), i, i+1)
		if shows(less) {
			return false
		}
	}
	return true
}

package mutant

import (
	"context"
	_ "embed"
	"fmt"
	"strings"

	"rumpvfs/hypercall"
	"rumpvfs/kern"
	"rumpvfs/proptest/sched"
	"rumpvfs/sim"
)

// System is a kernel with a bug for package sched; m nil is one without. Operations are checked and are scheduling points.
func System(m *Mutant) *sched.System {
	k := &Kernel{mutant: m}
	change := func(c *sim.Config) {
		c.Hooks = &kern.Hooks{Check: true}
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

//go:embed programs.txt
var programsText string

// A Program is a program with a title.
type Program struct {
	*sched.Program
	Title string
}

// Programs are what concurrent mutants are run with: a few calls of two lwps each, of every kind that the bugs are about.
func Programs(on *sched.System) (list []Program, err error) {
	for i, section := range strings.Split("\n"+programsText, "\n=== ")[1:] {
		title, text, _ := strings.Cut(section, "\n")
		if strings.HasSuffix(title, "(rumpfs)") && on.Name != "rumpfs" {
			continue
		}
		p, err := sched.Parse(title, processes(text), on.Model)
		if err != nil {
			return nil, fmt.Errorf("program %d: %w", i+1, err)
		}
		list = append(list, Program{p, title})
	}
	return list, nil
}

// processes gives each lwp of a program a process of its own.
func processes(text string) string {
	before, rest, _ := strings.Cut(text, "lwp\n")
	var b strings.Builder
	b.WriteString(before)
	parts := strings.Split(rest, "lwp\n")
	for i := range parts {
		fmt.Fprintf(&b, "p%d = rfork COPY\nswitch p0\n", i+1)
	}
	for i, part := range parts {
		fmt.Fprintf(&b, "lwp p%d\n%s", i+1, part)
	}
	return b.String()
}

package proptest

import (
	"context"
	"fmt"
	"strings"

	"rumpvfs/hypercall"
	"rumpvfs/kern"
	"rumpvfs/proptest/call"
	"rumpvfs/proptest/clause"
	"rumpvfs/proptest/driver"
	"rumpvfs/proptest/meta"
	"rumpvfs/proptest/repro"
	"rumpvfs/proptest/sched"
	"rumpvfs/proptest/shrink"
	"rumpvfs/proptest/story"
	"rumpvfs/proptest/target"
	"rumpvfs/sim"
)

// mount boots a kernel and shuts it down. It reports whether that has worked; if not because of a panic, that is a finding.
func (r *Report) mount(t *Target) (up bool, err error) {
	k, err := sim.Boot(t.config(hypercall.Deterministic))
	if err != nil {
		return false, fmt.Errorf("proptest: %s: %w", t.Name, err)
	}
	if t.Prepare != nil {
		err = t.Prepare(k.Init())
	}
	reason := k.Err()
	if down := k.Shutdown(); err == nil && reason == nil {
		err, reason = down, down
	}
	if reason != nil {
		r.add(Finding{Rule: rule(driver.PanicKind(reason)), Stage: "mounting it", Why: firstLine(reason), Script: strings.Join(t.Setup, "\n")})
		return false, nil
	}
	if err != nil {
		return false, fmt.Errorf("proptest: %s: %w", t.Name, err)
	}
	return true, nil
}

// lives tells what files usually go through.
func (r *Report) lives(ctx context.Context, t *Target, m *compared, _ Effort) error {
	return r.stories(ctx, t, m, story.Lives(), 1)
}

// rare tells what is rare, in long stories.
func (r *Report) rare(ctx context.Context, t *Target, m *compared, _ Effort) error {
	return r.stories(ctx, t, m, story.Rare(), 16)
}

// stories tells stories, and looks at the whole kernel after so many calls of each.
func (r *Report) stories(ctx context.Context, t *Target, m *compared, list []story.Story, every int) error {
	d, err := t.driver(m, driver.Config{Every: every})
	if err != nil {
		return err
	}
	guide := t.Model(kern.Fixed)
	for _, s := range list {
		if ctx.Err() != nil || r.full() {
			break
		}
		calls, err := t.told(guide, &s)
		if err != nil {
			return err
		}
		f, err := d.Replay(calls)
		if err != nil {
			return err
		}
		r.Stories++
		if f != nil {
			if err := r.found(t, m, d, f, "story: "+s.Title); err != nil {
				return err
			}
		}
	}
	r.Calls += d.Stats.Calls
	r.close(d, "stories")
	return nil
}

// calls makes random calls.
func (r *Report) calls(ctx context.Context, t *Target, m *compared, e Effort) error {
	d, err := t.driver(m, driver.Config{Seed: e.Seed, Calls: e.Calls})
	if err != nil {
		return err
	}
	for ctx.Err() == nil && !d.Done() && !r.full() {
		f, err := d.Next()
		if err != nil {
			return err
		}
		if f == nil {
			continue
		}
		if err := r.found(t, m, d, f, "random calls"); err != nil {
			return err
		}
	}
	r.Calls += d.Stats.Calls
	r.close(d, "random calls")
	return nil
}

// close ends a driver. What is left over was found before, unless it is of no call.
func (r *Report) close(d *driver.Driver, stage string) {
	if err := d.Close(); err != nil && len(r.Findings) == 0 {
		r.add(Finding{Rule: driver.Leftover.String(), Stage: stage, Why: firstLine(err)})
	}
}

// patience is how many calls are made to make a script small.
const patience = 2_000_000

// small makes a failure small.
func small(d *driver.Driver, f *driver.Failure) (*driver.Failure, error) {
	like, made := d.Like(f), 0
	script := shrink.Minimize(f.Script, func(s []call.Call) bool {
		made += len(s)
		return made < patience && like(s)
	})
	g, err := d.Replay(script)
	if err == nil && g != nil {
		f = g
	}
	return f, err
}

// finding is what a small failure says.
func (m *compared) finding(f *driver.Failure, stage string) Finding {
	finding := Finding{Clause: m.broken, Rule: rule(f.Kind), Stage: stage, Why: "The kernel answers otherwise."}
	if f.Err != nil {
		finding.Why = firstLine(f.Err)
	}
	if f.Kind != driver.Differs && f.Kind != driver.Invalid {
		finding.Clause = 0
	}
	return finding
}

// rule is what is broken when a driver finds a failure of a kind.
func rule(k driver.Kind) string {
	switch k {
	case driver.Differs:
		return "answer"
	case driver.Invalid:
		return "invariants"
	}
	return k.String()
}

// found adds the finding that a failure is.
func (r *Report) found(t *Target, m *compared, d *driver.Driver, f *driver.Failure, stage string) error {
	f, err := m.small(d, f)
	if err != nil {
		return err
	}
	finding := m.finding(f, stage)
	system, err := target.New(t.config(hypercall.Deterministic), t.Prepare)
	if err != nil {
		return err
	}
	if finding.Case, err = repro.New("conform", f.Script, m, system); err != nil {
		return err
	}
	_ = system.Close() // what it has left over is what is being shown
	finding.Script = text(t, &finding, finding.Case)
	r.add(finding)
	return nil
}

// small is small, after which broken is the clause that the small script breaks, if any.
func (m *compared) small(d *driver.Driver, f *driver.Failure) (*driver.Failure, error) {
	f, err := small(d, f)
	if err != nil {
		return nil, err
	}
	m.broken = 0
	if _, err := d.Replay(f.Script); err != nil {
		return nil, err
	}
	return f, nil
}

// text completes a case, and is it as people read it.
func text(t *Target, f *Finding, c *repro.Case) string {
	for i := range c.Got {
		c.Got[i].File.Dev = c.Want[i].File.Dev
	}
	c.Why, c.FS, c.Setup, c.Quirks = f.Why, t.Name, t.Setup, kern.Fixed
	c.Fifofs = t.Caps.Fifos
	return string(c.Text())
}

// sweeps tells lives again and again, and each time another operation or request for memory fails in one of their calls.
func (r *Report) sweeps(ctx context.Context, t *Target, m *compared, e Effort) error {
	d, system, err := t.faultDriver(m, driver.Config{}, false)
	if err != nil {
		return err
	}
	guide := t.Model(kern.Fixed)
	for _, s := range story.Lives() {
		calls, err := t.told(guide, &s)
		if err != nil {
			return err
		}
		if err := r.sweep(ctx, t, m, d, system, calls, "story: "+s.Title, e.enough()); err != nil {
			return err
		}
	}
	r.Calls += d.Stats.Calls
	r.Faults += system.faults
	r.close(d, "stories")
	return nil
}

// enough is of how many calls of a kind in a script a sweep has something fail: others will fail alike.
func (e *Effort) enough() int {
	if e.Calls < usual {
		return 1
	}
	return 4
}

// sweep makes the calls of a script as often as there is something in one of them that can fail.
func (r *Report) sweep(ctx context.Context, t *Target, m *compared, d *driver.Driver, system *failing, script []call.Call, stage string, enough int) error {
	defer func() { system.forced = nil }()
	var kinds [call.NumOps]int
	for i := range script {
		if kinds[script[i].Op]++; kinds[script[i].Op] > enough {
			continue
		}
		before := 0
		for j := range i {
			if script[j] == script[i] {
				before++
			}
		}
		for _, memory := range []bool{false, true} {
			for n := 1; ctx.Err() == nil && !r.full(); n++ {
				system.forced = &failure{call: script[i], before: before, nth: n}
				if memory {
					system.forced.nth, system.forced.memory = 0, n
				}
				f, err := d.Replay(script)
				if err != nil {
					return err
				}
				fired := system.forced.fired
				if f != nil {
					if err := r.foundFault(t, m, d, system, f, stage); err != nil {
						return err
					}
				}
				if !fired {
					break
				}
			}
		}
	}
	return nil
}

// faults makes random calls in some of which something fails.
func (r *Report) faults(ctx context.Context, t *Target, m *compared, e Effort) error {
	d, system, err := t.faultDriver(m, driver.Config{Seed: e.Seed, Calls: (e.Calls + 1) / 2}, true)
	if err != nil {
		return err
	}
	for ctx.Err() == nil && !d.Done() && !r.full() {
		f, err := d.Next()
		if err != nil {
			return err
		}
		if f != nil {
			if err := r.foundFault(t, m, d, system, f, "random calls"); err != nil {
				return err
			}
		}
	}
	r.Calls += d.Stats.Calls
	r.Faults += system.faults
	r.close(d, "random calls")
	return nil
}

// foundFault adds the finding that a failure is in which something has failed before.
func (r *Report) foundFault(t *Target, m *compared, d *driver.Driver, system *failing, f *driver.Failure, stage string) error {
	f, err := m.small(d, f)
	if err != nil {
		return err
	}
	finding := m.finding(f, stage+", where something fails")
	again := &failing{model: m, forced: system.forced}
	if err := again.boot(t, true); err != nil {
		return err
	}
	c, err := repro.New("conform", f.Script, unfailing{again}, again)
	if err != nil {
		return err
	}
	_ = again.Close() // what it has left over is what is being shown
	c.Notes = again.log
	finding.Script = text(t, &finding, c)
	r.add(finding)
	return nil
}

// rules makes random scripts and tries on them the rules of package meta that are about file systems.
func (r *Report) rules(ctx context.Context, t *Target, _ *compared, e Effort) error {
	c := meta.Config{Seed: e.Seed, Calls: (e.Calls + 1) / 2, Failures: e.Failures, FS: t.FS, Leave: t.Leave, Kernel: t.config(hypercall.Deterministic)}
	for _, rule := range meta.Rules() {
		if rule.Name != "quirk" { // a kernel that is tested has none
			c.Rules = append(c.Rules, rule)
		}
	}
	runner := meta.NewRunner(c)
	var list []*meta.Failure
	guide := t.Model(kern.Fixed)
	for _, s := range story.Lives() {
		calls, err := t.told(guide, &s)
		if err != nil {
			return err
		}
		f, err := runner.Script(calls)
		if err != nil {
			return err
		}
		if f != nil {
			list = append(list, f)
			break // one is enough, and others will be alike
		}
	}
	more, err := runner.Run(ctx)
	if err != nil {
		return err
	}
	list = append(list, more...)
	for _, f := range list {
		r.add(Finding{Rule: f.Rule.Name, Stage: "rules", Why: f.Rule.Sentence, Script: f.String()})
	}
	for name, n := range runner.Tried { //policy:unordered sums
		r.Rules[name] += n
	}
	if err := runner.Close(); err != nil {
		r.add(Finding{Rule: driver.Leftover.String(), Stage: "rules", Why: firstLine(err)})
	}
	return nil
}

// programs runs programs of two lwps under many schedules: those of package sched, and random ones.
func (r *Report) programs(ctx context.Context, t *Target, m *compared, e Effort) error {
	if t.NoNames {
		return nil
	}
	on := t.system(m)
	list, err := sched.Programs(on)
	if err != nil {
		return err
	}
	for _, p := range list {
		r.explore(ctx, p.Program, on, sched.Exhaustive, sched.Options{Schedules: e.Schedules}, p.Title)
	}
	exact := on.Same // which is for programs that give no inode number to a second file
	on.Renumbers, on.Same = true, func(c *call.Call, got, want *call.Result, because clause.ID) bool {
		return sched.SameNames(c, got, want, because) || exact(c, got, want, because)
	}
	u := sched.Names()
	if t.Caps.Rename || t.Caps.Tmpfs {
		u = sched.Moves()
	}
	for i := range uint64(e.Schedules) {
		seed := e.Seed<<32 + i
		r.explore(ctx, u.Random(seed, 2, 2), on, sched.PCT, sched.Options{Seed: seed, Schedules: few}, "a random program")
	}
	return nil
}

// program is a failure as a program that Replay can read, with all else in comments.
func program(f *sched.Failure) string {
	comment := func(b *strings.Builder, text string) {
		for line := range strings.Lines(text) {
			b.WriteString("# " + line)
		}
	}
	lines := f.Program.String()
	before, after, _ := strings.Cut(f.String(), lines)
	var b strings.Builder
	comment(&b, before)
	b.WriteString(lines)
	comment(&b, after)
	return b.String()
}

// Replay runs a program of a finding again, under its schedule. There is no failure if nothing goes wrong.
func Replay(t Target, text, schedule string) (*sched.Failure, error) {
	allowed, err := t.check()
	if err != nil {
		return nil, err
	}
	on := t.system(&compared{allowed: allowed})
	p, err := sched.Parse(t.Name, text, on)
	if err != nil {
		return nil, err
	}
	s, err := sched.ParseSchedule(schedule)
	if err != nil {
		return nil, err
	}
	_, f := sched.Replay(p, on, s)
	return f, nil
}

// few is under how many schedules each random program is run.
const few = 5

// explore runs a program under many schedules.
func (r *Report) explore(ctx context.Context, p *sched.Program, on *sched.System, by sched.Strategy, o sched.Options, title string) {
	if ctx.Err() != nil || r.full() {
		return
	}
	f, stats := sched.Explore(ctx, p, on, by, o)
	r.Programs++
	r.Schedules += stats.Schedules
	if f == nil {
		return
	}
	finding := Finding{Rule: f.Kind.String(), Stage: "schedules: " + title, Why: f.Why, Script: program(f)}
	if len(f.Clauses) > 0 {
		finding.Clause = f.Clauses[0]
	}
	r.add(finding)
}

package proptest

import (
	"context"
	"fmt"
	"strings"
	"testing"

	"rumpvfs/hypercall"
	"rumpvfs/kern"
	"rumpvfs/proptest/clause"
	"rumpvfs/proptest/driver"
	"rumpvfs/proptest/model"
	"rumpvfs/proptest/repro"
	"rumpvfs/proptest/sched"
	"rumpvfs/proptest/shrink"
	"rumpvfs/proptest/target"
)

// Effort says how much is tried.
type Effort struct {
	Seed      uint64
	Calls     uint64 // random calls of one lwp after the other; 0 is 10,000
	Schedules int    // of each program of two lwps; 0 is 20
	Failures  int    // that end the search; 0 is 3
}

// A Finding is a promise that a file system does not keep.
type Finding struct {
	Clause clause.ID // that is broken; 0 if it is no answer that is wrong
	Why    string    // a line
	Script string    // that shows it, as small as it gets, with the model's answers and where the kernel gives another

	// Case writes the script in other forms, as a Go test, a shell script, a C program. Nil for a program of several lwps.
	Case *repro.Case
}

// String is the finding as a report has it.
func (f *Finding) String() string {
	if f.Clause == 0 {
		return f.Why + "\n" + f.Script
	}
	return fmt.Sprintf("clause %v is broken: %s %s\n%s", f.Clause, f.Clause.Info().Sentence, f.Why, f.Script)
}

// A Report is what came of testing a file system.
type Report struct {
	Name      string
	Calls     uint64
	Clauses   int // exercised
	Programs  int
	Schedules int
	Findings  []Finding
}

// Conform tests a file system and reports each promise that it breaks as an error of t: with the clause of the model, a script
// that shows it and is as small as it gets, and both answers. A promise is what the model says of a call's answer; what
// vnode_if.src says of locks and references; that the kernel's invariants hold after every call; that nothing is left over when it
// is shut down; and that answers to several lwps are those of some order of their steps.
func Conform(t *testing.T, target Target) {
	t.Helper()
	r, err := Check(t.Context(), target, Effort{})
	if err != nil {
		t.Fatal(err)
	}
	for i := range r.Findings {
		t.Errorf("%s: %v", target.Name, &r.Findings[i])
	}
	t.Logf("%s: %d calls, %d clauses, %d programs of two lwps under %d schedules", r.Name, r.Calls, r.Clauses, r.Programs, r.Schedules)
}

// Check does what Conform does, with as much effort as is said, until ctx ends. The error is that of a target that makes no
// sense or a kernel that does not boot.
func Check(ctx context.Context, t Target, e Effort) (*Report, error) {
	allowed, err := t.check()
	if err != nil {
		return nil, err
	}
	if e.Calls == 0 {
		e.Calls = 10_000
	}
	if e.Schedules == 0 {
		e.Schedules = 20
	}
	if e.Failures == 0 {
		e.Failures = 3
	}
	m := &compared{Model: model.New(model.Config{Quirks: kern.Fixed, Caps: t.Caps, Tree: t.Tree}), allowed: allowed}
	r := &Report{Name: t.Name}
	if err := r.calls(ctx, &t, m, e); err != nil {
		return nil, err
	}
	if !t.NoNames && len(r.Findings) < e.Failures {
		err = r.programs(ctx, &t, m, e)
	}
	return r, err
}

// calls makes random calls.
func (r *Report) calls(ctx context.Context, t *Target, m *compared, e Effort) error {
	d, err := t.driver(m, e.Seed, e.Calls, hypercall.Deterministic)
	if err != nil {
		return err
	}
	seen := map[string]bool{}
	for ctx.Err() == nil && !d.Done() && len(r.Findings) < e.Failures {
		f, err := d.Next()
		if err != nil {
			return err
		}
		if f == nil {
			continue
		}
		finding, err := found(t, m, d, f)
		if err != nil {
			return err
		}
		if key := fmt.Sprint(finding.Clause, finding.Why); !seen[key] {
			seen[key] = true
			r.Findings = append(r.Findings, finding)
		}
	}
	r.Calls, r.Clauses = d.Stats.Calls, m.Coverage.Hit()
	if err := d.Close(); err != nil && len(r.Findings) == 0 {
		r.Findings = append(r.Findings, Finding{Why: err.Error()})
	}
	return nil
}

// found makes a failure small and says what is wrong with it.
func found(t *Target, m *compared, d *driver.Driver, f *driver.Failure) (Finding, error) {
	small := shrink.Minimize(f.Script, d.Like(f))
	m.broken = 0
	if g, err := d.Replay(small); err != nil {
		return Finding{}, err
	} else if g != nil {
		f = g
	}
	finding := Finding{Clause: m.broken, Why: f.Kind.String() + "."}
	if f.Err != nil {
		finding.Clause = 0
		finding.Why, _, _ = strings.Cut(f.Err.Error(), "\n")
	}
	system, err := target.New(t.config(hypercall.Deterministic), t.Prepare)
	if err != nil {
		return finding, err
	}
	if finding.Case, err = repro.New("conform-"+t.Name, f.Script, m, system); err != nil {
		return finding, err
	}
	_ = system.Close() // what it has left over is what is being shown
	for i := range finding.Case.Got {
		finding.Case.Got[i].File.Dev = finding.Case.Want[i].File.Dev
	}
	finding.Case.Why, finding.Case.FS, finding.Case.Setup, finding.Case.Quirks = finding.Why, t.Name, t.Setup, kern.Fixed
	finding.Case.Fifofs = t.Caps.Fifos
	finding.Script = string(finding.Case.Text())
	return finding, nil
}

// programs runs programs of two lwps under many schedules.
func (r *Report) programs(ctx context.Context, t *Target, m *compared, e Effort) error {
	on := t.system(m)
	list, err := sched.Programs(on)
	if err != nil {
		return err
	}
	for _, p := range list {
		if ctx.Err() != nil || len(r.Findings) >= e.Failures {
			return nil
		}
		f, stats := sched.Explore(ctx, p.Program, on, sched.Exhaustive, sched.Options{Schedules: e.Schedules})
		r.Programs++
		r.Schedules += stats.Schedules
		if f != nil {
			r.Findings = append(r.Findings, Finding{Why: fmt.Sprintf("%s: %v: %s", p.Title, f.Kind, f.Why), Script: f.String()})
		}
	}
	return nil
}

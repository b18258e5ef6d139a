package proptest

import (
	"context"
	"fmt"
	"strings"
	"testing"

	"rumpvfs/kern"
	"rumpvfs/proptest/clause"
	"rumpvfs/proptest/repro"
)

// Effort says how much is tried.
type Effort struct {
	Seed      uint64
	Calls     uint64 // random calls of one lwp after the other; half as many with errors, and half as many under rules; 0 is usual
	Schedules int    // of each program of two lwps; 0 is 20
	Failures  int    // that end the search; 0 is 3
}

// usual is how many random calls are made if nothing else is said. Where there are to be fewer, errors are met in fewer calls of stories.
const usual = 10_000

// A Finding is a promise that a file system does not keep.
type Finding struct {
	Name   string    // tells it from the others of the report
	Clause clause.ID // that is broken; 0 if it is no answer that is wrong
	Rule   string    // that is broken, a word or two: "answer", "contract", "locks", "leftover", ...
	Stage  string    // what has found it
	Why    string    // a line
	Script string    // that shows it, as small as it gets, with the model's answers and where the kernel gives another

	// Case writes the script in other forms, as a Go test, a shell script, a C program. Nil if no such form can show it: a program of
	// several lwps, or a kernel in which something fails.
	Case *repro.Case
}

// String is the finding as a report has it.
func (f *Finding) String() string {
	head := "rule " + f.Rule + " is broken:"
	if f.Clause != 0 {
		head = fmt.Sprintf("clause %v is broken: %s", f.Clause, f.Clause.Info().Sentence)
	}
	return fmt.Sprintf("%s %s (%s)\n%s", head, f.Why, f.Stage, f.Script)
}

// A Report is what came of testing a file system.
type Report struct {
	Name      string
	Calls     uint64 // compared with the model
	Clauses   int    // exercised
	Stories   int
	Faults    uint64            // errors that calls met
	Rules     map[string]uint64 // how often each was tried
	Programs  int
	Schedules int
	Findings  []Finding

	coverage clause.Coverage
	most     int             // findings that end the search
	seen     map[string]bool // what was found
}

// Add adds what came of testing the file system again.
func (r *Report) Add(o *Report) {
	r.Calls += o.Calls
	r.Stories += o.Stories
	r.Faults += o.Faults
	r.Programs += o.Programs
	r.Schedules += o.Schedules
	for name, n := range o.Rules { //policy:unordered sums
		r.Rules[name] += n
	}
	r.coverage.Add(&o.coverage)
	r.Clauses = r.coverage.Hit()
	for _, f := range o.Findings {
		r.add(f)
	}
}

// String is the figures in a line.
func (r *Report) String() string {
	tried := uint64(0)
	for _, n := range r.Rules { //policy:unordered a sum
		tried += n
	}
	return fmt.Sprintf("%s: %d calls, %d clauses, %d stories, %d errors, %d rules tried %d times, %d programs of two lwps under %d schedules",
		r.Name, r.Calls, r.Clauses, r.Stories, r.Faults, len(r.Rules), tried, r.Programs, r.Schedules)
}

// full reports whether enough was found.
func (r *Report) full() bool { return len(r.Findings) >= r.most }

// add adds a finding, unless it is known.
func (r *Report) add(f Finding) {
	if key := fmt.Sprint(f.Clause, f.Rule, f.Why); !r.seen[key] && !r.full() {
		r.seen[key] = true
		f.Name = fmt.Sprintf("conform-%s-%d", r.Name, len(r.Findings)+1)
		if f.Case != nil {
			f.Case.Name = f.Name
		}
		r.Findings = append(r.Findings, f)
	}
}

// Conform tests a file system and reports each promise that it breaks as an error of t: with the clause of the model or the rule, a
// script that shows it and is as small as it gets, and both answers. A promise is
//
//   - what the model says of a call's answer, at random and in stories that lead to what is rare;
//   - what vnode_if.src says of locks and references, and the order of locks;
//   - that the kernel's invariants hold after every call, and nothing is left over when it is shut down;
//   - that a call which fails, because an operation or memory does, has done nothing;
//   - the rules of package meta: that what must not be noticed is not;
//   - that answers to several lwps are those of some order of their steps.
//
// With -short fewer random calls are made. [Check] does as much as one wants.
func Conform(t *testing.T, target Target) {
	t.Helper()
	e := Effort{}
	if testing.Short() {
		e.Calls, e.Schedules = 500, 5
	}
	r, err := Check(t.Context(), target, e)
	if err != nil {
		t.Fatal(err)
	}
	for i := range r.Findings {
		t.Errorf("%s: %v", target.Name, &r.Findings[i])
	}
	t.Log(r)
}

// A stage is a part of a test.
type stage func(context.Context, *Target, *compared, Effort) error

// Check does what Conform does, with as much effort as is said, until ctx ends. The error is that of a target that makes no
// sense or a kernel that does not boot.
func Check(ctx context.Context, t Target, e Effort) (*Report, error) {
	allowed, err := t.check()
	if err != nil {
		return nil, err
	}
	if e.Calls == 0 {
		e.Calls = usual
	}
	if e.Schedules == 0 {
		e.Schedules = 20
	}
	if e.Failures == 0 {
		e.Failures = 3
	}
	r := &Report{Name: t.Name, most: e.Failures, seen: map[string]bool{}, Rules: map[string]uint64{}}
	if up, err := r.mount(&t); !up {
		return r, err
	}
	stages := []stage{r.lives, r.calls, r.rules, r.programs, r.sweeps, r.faults, r.rare}
	for i, fs := range append([]FS{t.FS}, t.Small...) {
		on := t
		on.FS = fs
		m := &compared{Model: fs.Model(kern.Fixed), allowed: allowed}
		for _, stage := range stages {
			if ctx.Err() != nil || r.full() {
				break
			}
			if err := stage(ctx, &on, m, e); err != nil {
				return nil, fmt.Errorf("proptest: %s: %w", fs.Name, err)
			}
		}
		r.coverage.Add(&m.Coverage)
		if i == 0 {
			e.Calls = (e.Calls + 1) / 2
			stages = []stage{r.lives, r.calls, r.faults, r.rare} // the others know nothing of limits
		}
	}
	r.Clauses = r.coverage.Hit()
	return r, nil
}

// firstLine is what an error says at first.
func firstLine(err error) string {
	line, _, _ := strings.Cut(err.Error(), "\n")
	return line
}

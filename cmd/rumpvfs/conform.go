package main

import (
	"context"
	"encoding/json"
	"fmt"
	"io"
	"time"

	"github.com/spf13/cobra"

	"rumpvfs/proptest"
	"rumpvfs/proptest/driver"
	"rumpvfs/proptest/repro"
)

// conformFlags are the flags of the command.
type conformFlags struct {
	fs       string
	effort   proptest.Effort
	duration time.Duration
	out      string
	json     bool
}

func newConform() *cobra.Command {
	var f conformFlags
	cmd := &cobra.Command{
		Use:   "conform",
		Short: "Hold a file system against all that is promised",
		Long: `conform tests a file system of the project as proptest.Conform does one that is
ported: stories that lead to what is rare and random calls against the model,
with the contract of each operation, the order of locks and the invariants of
the whole kernel checked; calls in which an operation or memory fails; rules
that relate answers; programs of two lwps under many schedules. Each promise
that is broken is named by its clause or rule, with a script that shows it. With
--time all that is random is done again with other seeds, and twice as much of
it each time. The exit status is 0 only if nothing is broken.`,
		Example: `  rumpvfs conform --fs tmpfs
  rumpvfs conform --fs rumpfs --calls 1000000 --schedules 1000
  rumpvfs conform --fs tmpfs --time 5m`,
		Args: none,
		RunE: func(cmd *cobra.Command, _ []string) error { return f.run(cmd) },
	}
	fl := cmd.Flags()
	addFS(cmd, &f.fs)
	fl.Uint64Var(&f.effort.Calls, "calls", 10_000, "random calls")
	fl.IntVar(&f.effort.Schedules, "schedules", 20, "schedules of each program")
	fl.IntVar(&f.effort.Failures, "failures", 3, "findings that end the search")
	fl.DurationVar(&f.duration, "time", 0, "how long to go on; 0 is once")
	fl.Uint64Var(&f.effort.Seed, "seed", 0, "seed of the calls")
	fl.StringVar(&f.out, "out", "", "directory to write reproducers to, in all forms that there are")
	fl.BoolVar(&f.json, "json", false, "print JSON, one finding a line, then the figures")
	return cmd
}

func (f *conformFlags) run(cmd *cobra.Command) error {
	fs, err := driver.FSNamed(f.fs)
	if err != nil {
		return usageError{err}
	}
	if f.effort.Calls < 1 || f.effort.Schedules < 1 || f.effort.Failures < 1 || f.duration < 0 {
		return usageError{fmt.Errorf("there is at least one call, schedule and finding, and no negative time")}
	}
	start := time.Now()
	r, err := f.check(cmd.Context(), proptest.Built(fs))
	if err != nil {
		return err
	}
	for i := range r.Findings {
		if err := f.print(cmd.OutOrStdout(), &r.Findings[i]); err != nil {
			return err
		}
	}
	took := time.Since(start)
	if err := printFigures(cmd.OutOrStdout(), f.json, []figure{{"fs", r.Name}, {"calls", r.Calls}, {"clauses", r.Clauses},
		{"stories", r.Stories}, {"errors", r.Faults}, {"rules", len(r.Rules)}, {"programs", r.Programs},
		{"schedules", r.Schedules}, {"findings", len(r.Findings)}, {"seconds", seconds(took)}}); err != nil {
		return err
	}
	if len(r.Findings) > 0 {
		return errReported
	}
	return cmd.Context().Err()
}

// check tests the file system once, or for as long as was asked.
func (f *conformFlags) check(ctx context.Context, t proptest.Target) (*proptest.Report, error) {
	if f.duration == 0 {
		return proptest.Check(ctx, t, f.effort)
	}
	ctx, cancel := context.WithTimeout(ctx, f.duration)
	defer cancel()
	e := f.effort
	r, err := proptest.Check(ctx, t, e)
	for err == nil && ctx.Err() == nil && len(r.Findings) < e.Failures {
		e.Seed, e.Calls, e.Schedules = e.Seed+1, 2*e.Calls, 2*e.Schedules
		var more *proptest.Report
		if more, err = proptest.Check(ctx, t, e); err == nil {
			r.Add(more)
		}
	}
	return r, err
}

func (f *conformFlags) print(w io.Writer, finding *proptest.Finding) error {
	if f.out != "" {
		r := &reproducer{name: finding.Name, files: []repro.File{{Suffix: ".txt", Text: []byte(finding.Script)}}}
		if finding.Case != nil {
			r = ofCase(finding.Case)
		}
		if _, err := r.write(f.out); err != nil {
			return err
		}
	}
	if !f.json {
		_, err := fmt.Fprintln(w, finding)
		return err
	}
	clause := ""
	if finding.Clause != 0 {
		clause = finding.Clause.String()
	}
	return json.NewEncoder(w).Encode(struct {
		Clause string `json:"clause,omitempty"`
		Rule   string `json:"rule"`
		Stage  string `json:"stage"`
		Why    string `json:"why"`
		Script string `json:"script"`
	}{clause, finding.Rule, finding.Stage, finding.Why, finding.Script})
}

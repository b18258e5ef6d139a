package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"runtime"
	"strings"
	"sync"
	"time"

	"github.com/spf13/cobra"

	"rumpvfs/kern"
	"rumpvfs/proptest/meta"
)

// metaFlags are the flags of the command.
type metaFlags struct {
	quirks, rules  string
	duration       time.Duration
	calls, seed    uint64
	jobs, failures int
	json           bool
}

func newMeta() *cobra.Command {
	var f metaFlags
	cmd := &cobra.Command{
		Use:   "meta",
		Short: "Make random scripts and others that must answer alike",
		Long: `meta checks kernels against themselves. It makes random scripts, changes each, or
the kernel, in ways that must not be noticed, such as "a/../b" in the place of
"b" or vnodes that go at any point, and compares what both answer. It lists the
rules with how often each was tried. A script for which a rule does not hold is
made as small as it gets.`,
		Example: `  rumpvfs meta --calls 1000000
  rumpvfs meta --time 1m --rules recycle,few-vnodes --quirks fixed`,
		Args: none,
		RunE: func(cmd *cobra.Command, _ []string) error { return f.run(cmd) },
	}
	fl := cmd.Flags()
	fl.StringVar(&f.quirks, "quirks", "rev1125", "defects of the reference that kernels have, as in run")
	fl.StringVar(&f.rules, "rules", "", "rules to try, separated by commas; all if none is named")
	fl.DurationVar(&f.duration, "time", 0, "how long to go on; a minute if --calls says nothing either")
	fl.Uint64Var(&f.calls, "calls", 0, "how many calls to make; 0 for as many as there is time for")
	fl.Uint64Var(&f.seed, "seed", 0, "seed of the scripts")
	fl.IntVar(&f.jobs, "jobs", runtime.GOMAXPROCS(0), "scripts that are made at a time")
	fl.IntVar(&f.failures, "failures", 3, "failures that end a job")
	fl.BoolVar(&f.json, "json", false, "print the figures as JSON")
	return cmd
}

// config is what the flags ask for.
func (f *metaFlags) config() (c meta.Config, err error) {
	if f.jobs < 1 || f.jobs > maxJobs || f.failures < 1 {
		return c, usageError{fmt.Errorf("there are from 1 to %d jobs, and at least 1 failure", maxJobs)}
	}
	if c.Quirks, err = kern.ParseQuirks(f.quirks); err != nil {
		return c, usageError{err}
	}
	c.Seed, c.Calls, c.Failures = f.seed, (f.calls+uint64(f.jobs)-1)/uint64(f.jobs), f.failures
	if f.rules == "" {
		return c, nil
	}
	for name := range strings.SplitSeq(f.rules, ",") {
		rule, ok := meta.RuleNamed(name)
		if !ok {
			return c, usageError{fmt.Errorf("no rule is called %q", name)}
		}
		c.Rules = append(c.Rules, rule)
	}
	return c, nil
}

// metaResult is what the jobs came to.
type metaResult struct {
	mu             sync.Mutex
	calls, scripts uint64            // mu
	tried          map[string]uint64 // mu
	failures       []*meta.Failure   // mu
	err            error             // mu
}

func (f *metaFlags) run(cmd *cobra.Command) error {
	c, err := f.config()
	if err != nil {
		return err
	}
	if f.duration == 0 && f.calls == 0 {
		f.duration = time.Minute
	}
	ctx := cmd.Context()
	if f.duration > 0 {
		var cancel context.CancelFunc
		ctx, cancel = context.WithTimeout(ctx, f.duration)
		defer cancel()
	}
	start := time.Now()
	r := metaResult{tried: map[string]uint64{}}
	var jobs sync.WaitGroup
	for i := range f.jobs {
		own := c
		own.Stream = uint64(i)
		jobs.Go(func() { r.work(ctx, own) })
	}
	jobs.Wait()
	if r.err != nil {
		return r.err
	}
	if err := f.print(cmd.OutOrStdout(), &r, time.Since(start)); err != nil {
		return err
	}
	return cmd.Context().Err()
}

// work is one job.
func (r *metaResult) work(ctx context.Context, c meta.Config) {
	runner := meta.NewRunner(c)
	failures, err := runner.Run(ctx)
	err = errors.Join(err, runner.Close())
	r.mu.Lock()
	defer r.mu.Unlock()
	r.err = errors.Join(r.err, err)
	r.failures = append(r.failures, failures...)
	r.calls += runner.Calls
	r.scripts += runner.Scripts
	for name, n := range runner.Tried {
		r.tried[name] += n
	}
}

// print prints the rules and the figures. The error is errReported if something was found wrong.
func (f *metaFlags) print(w io.Writer, r *metaResult, took time.Duration) error {
	tried := 0
	for _, rule := range meta.Rules() {
		if r.tried[rule.Name] == 0 {
			continue
		}
		tried++
		if !f.json {
			fmt.Fprintf(w, "%9d %s: %s\n", r.tried[rule.Name], rule.Name, rule.Sentence)
		}
	}
	for _, failure := range r.failures {
		if !f.json {
			fmt.Fprintln(w, failure)
		}
	}
	err := printFigures(w, f.json, []figure{
		{"rules", tried}, {"calls", r.calls}, {"scripts", r.scripts}, {"seconds", seconds(took)}, {"rate", perSecond(r.calls, took)},
		{"failures", len(r.failures)},
	})
	if err == nil && len(r.failures) > 0 {
		err = errReported
	}
	return err
}

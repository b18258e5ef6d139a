package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"runtime"
	"sync"
	"time"

	"github.com/spf13/cobra"

	"rumpvfs/proptest/driver"
	"rumpvfs/proptest/host"
)

// hostFlags are the flags of the command.
type hostFlags struct {
	fs             string
	duration       time.Duration
	calls, seed    uint64
	jobs, failures int
	json           bool
}

func newHost() *cobra.Command {
	var f hostFlags
	cmd := &cobra.Command{
		Use:   "host",
		Short: "Make random scripts on a kernel and on Linux",
		Long: `host makes random scripts on a kernel without quirks, on the model, and on a
tmpfs of the Linux that it runs on, in a child process with a root directory and
credentials of its own, for which it needs the superuser. What NetBSD and Linux
do otherwise is a table; host lists what of it occurred, and how often. Anything
else that differs is a failure, and made as small as it gets.`,
		Example: `  rumpvfs host --calls 5000000`,
		Args:    none,
		RunE:    func(cmd *cobra.Command, _ []string) error { return f.run(cmd) },
	}
	fl := cmd.Flags()
	fl.StringVar(&f.fs, "fs", "rumpfs", "file system")
	fl.DurationVar(&f.duration, "time", 0, "how long to go on; a minute if --calls says nothing either")
	fl.Uint64Var(&f.calls, "calls", 0, "how many calls to compare; 0 for as many as there is time for")
	fl.Uint64Var(&f.seed, "seed", 0, "seed of the scripts")
	fl.IntVar(&f.jobs, "jobs", runtime.GOMAXPROCS(0), "kernels that run at a time")
	fl.IntVar(&f.failures, "failures", 3, "failures that end a job")
	fl.BoolVar(&f.json, "json", false, "print the figures as JSON")
	return cmd
}

// hostResult is what the jobs came to.
type hostResult struct {
	mu             sync.Mutex
	calls, scripts uint64            // mu
	seen           []uint64          // mu: of each difference
	failures       []*driver.Failure // mu
	err            error             // mu
}

func (f *hostFlags) run(cmd *cobra.Command) error {
	fs, err := driver.FSNamed(f.fs)
	if err != nil {
		return usageError{err}
	}
	if f.jobs < 1 || f.jobs > maxJobs || f.failures < 1 {
		return usageError{fmt.Errorf("there are from 1 to %d jobs, and at least 1 failure", maxJobs)}
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
	r := hostResult{seen: make([]uint64, len(host.Differences()))}
	var jobs sync.WaitGroup
	for i := range f.jobs {
		jobs.Go(func() {
			r.work(ctx, host.Config{
				Seed: f.seed, Stream: uint64(i), Calls: (f.calls + uint64(f.jobs) - 1) / uint64(f.jobs), Failures: f.failures, FS: fs,
			})
		})
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
func (r *hostResult) work(ctx context.Context, c host.Config) {
	runner, err := host.NewRunner(c)
	var failures []*driver.Failure
	if err == nil {
		failures, err = runner.Run(ctx)
		err = errors.Join(err, runner.Close())
	}
	r.mu.Lock()
	defer r.mu.Unlock()
	r.err = errors.Join(r.err, err)
	r.failures = append(r.failures, failures...)
	if runner == nil {
		return
	}
	r.calls += runner.Calls
	r.scripts += runner.Scripts
	for i, n := range runner.Seen {
		r.seen[i] += n
	}
}

// print prints what differed and the figures. The error is errReported if something was found wrong.
func (f *hostFlags) print(w io.Writer, r *hostResult, took time.Duration) error {
	kinds := 0
	for i, d := range host.Differences() {
		if r.seen[i] == 0 {
			continue
		}
		kinds++
		if f.json {
			continue
		}
		if _, err := fmt.Fprintf(w, "%9d %s: %s\n", r.seen[i], d.Name, d.Sentence); err != nil {
			return err
		}
	}
	for _, failure := range r.failures {
		if f.json {
			break
		}
		if err := printFailure(w, failure); err != nil {
			return err
		}
	}
	err := printFigures(w, f.json, []figure{
		{"fs", f.fs}, {"calls", r.calls}, {"scripts", r.scripts}, {"seconds", seconds(took)}, {"rate", perSecond(r.calls, took)},
		{"differences", kinds}, {"failures", len(r.failures)},
	})
	if err == nil && len(r.failures) > 0 {
		err = errReported
	}
	return err
}

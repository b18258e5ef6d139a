package main

import (
	"context"
	"fmt"
	"runtime"
	"strconv"
	"strings"
	"time"

	"github.com/spf13/cobra"
)

// fuzzFlags are the flags of the command.
type fuzzFlags struct {
	test     testFlags
	duration time.Duration
	calls    uint64
	seed     uint64
	jobs     int
	shard    string
	failures int
	out      string
	results  string
	json     bool
}

func newFuzz() *cobra.Command {
	var f fuzzFlags
	cmd := &cobra.Command{
		Use:   "fuzz",
		Short: "Make random scripts on kernel and model",
		Long: `fuzz makes random scripts of system calls on a kernel and on an oracle, and
compares after every call. Of failures that are alike the first is made as small
as it gets, shown with both answers, and written to a directory as text, trace,
Go test, shell script and C program. It ends with a line of figures. The exit
status is 0 only if nothing was found wrong.

The same seed, shard and jobs make the same scripts. Shard I of N is one of N
runs that have no script in common; "fuzz merge" adds their results up.`,
		Example: `  rumpvfs fuzz --time 1m
  rumpvfs fuzz --calls 10000000 --fs tmpfs --quirks fixed
  rumpvfs fuzz --model fixed --failures 20
  rumpvfs fuzz --time 1h --shard 3/16 --results shard-3.json`,
		Args: none,
		RunE: func(cmd *cobra.Command, _ []string) error { return f.run(cmd) },
	}
	f.test.add(cmd, 100)
	fl := cmd.Flags()
	fl.DurationVar(&f.duration, "time", 0, "how long to go on; a minute if --calls says nothing either")
	fl.Uint64Var(&f.calls, "calls", 0, "how many calls to make; 0 for as many as there is time for")
	fl.Uint64Var(&f.seed, "seed", 0, "seed of the scripts")
	fl.IntVar(&f.jobs, "jobs", runtime.GOMAXPROCS(0), "kernels that run at a time")
	fl.StringVar(&f.shard, "shard", "0/1", "which of how many runs this is")
	fl.IntVar(&f.failures, "failures", 10, "different failures that end the run")
	fl.StringVar(&f.out, "out", "fuzz-failures", "directory to write failures to; made when there is one")
	fl.StringVar(&f.results, "results", "", "file to write the results to, for fuzz merge")
	fl.BoolVar(&f.json, "json", false, "print the figures as JSON")
	cmd.AddCommand(newMerge())
	return cmd
}

func (f *fuzzFlags) run(cmd *cobra.Command) error {
	config, err := f.test.config()
	if err != nil {
		return err
	}
	shard, shards, err := parseShard(f.shard)
	if err != nil {
		return err
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
	config.Seed = f.seed
	campaign := newCampaign(config, f, shard*maxJobs)
	r, err := campaign.run(ctx, cmd.OutOrStdout(), cmd.ErrOrStderr())
	if err != nil {
		return err
	}
	r.Shards = 1
	r.FS, r.Quirks, r.Oracle = f.test.fs, f.test.quirks, f.test.oracle
	if f.test.model != "" {
		r.Quirks += " model " + f.test.model
	}
	if shards > 1 || f.results != "" {
		if f.results == "" {
			f.results = fmt.Sprintf("fuzz-%d-of-%d.json", shard, shards)
		}
		if err := r.write(f.results); err != nil {
			return err
		}
	}
	if err := r.finish(cmd.OutOrStdout(), f.json); err != nil {
		return err
	}
	return cmd.Context().Err()
}

// maxJobs is how many workers a shard may have, so that no two of any shards have a stream of scripts in common.
const maxJobs = 1024

// parseShard reads I/N.
func parseShard(text string) (i, n uint64, err error) {
	first, second, _ := strings.Cut(text, "/")
	i, e1 := strconv.ParseUint(first, 10, 32)
	n, e2 := strconv.ParseUint(second, 10, 32)
	if e1 != nil || e2 != nil || i >= n {
		return 0, 0, usageError{fmt.Errorf("a shard is I/N with I below N, not %q", text)}
	}
	return i, n, nil
}

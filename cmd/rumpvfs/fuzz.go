package main

import (
	"context"
	"fmt"
	"strconv"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"rumpvfs/proptest/driver"
)

// fuzzFlags are the flags of the command.
type fuzzFlags struct {
	searchFlags
	test    testFlags
	shard   string
	results string
}

func newFuzz() *cobra.Command {
	var f fuzzFlags
	cmd := &cobra.Command{
		Use:   "fuzz",
		Short: "Make random scripts on kernel and model",
		Long: `fuzz makes random scripts of system calls on a kernel and on an oracle, and
compares after every call. After every hundredth, and at the end of a script,
the whole kernel is checked (--check says how often): its references, locks,
lists, trees, pages and buffers must fit together. Of failures that are alike
the first is made as small as it gets, shown with both answers, and written to a
directory as text, trace, Go test, shell script and C program. It ends with a
line of figures. The exit status is 0 only if nothing was found wrong.

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
	f.add(cmd, "calls")
	fl := cmd.Flags()
	fl.StringVar(&f.shard, "shard", "0/1", "which of how many runs this is")
	fl.StringVar(&f.results, "results", "", "file to write the results to, for fuzz merge")
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
	if err := f.check(); err != nil {
		return err
	}
	config.Seed, config.Calls, config.Stream = f.seed, f.share(), shard*maxJobs
	c := f.campaign(config)
	sum, took, err := c.run(cmd)
	if err != nil {
		return err
	}
	r := newFuzzResult(sum, took)
	r.Shards, r.Failing, r.Failures = 1, c.failing, c.failures
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
	return conclude(cmd, f.json, r.figures(), c.failing, c.failures)
}

// campaign is what the command does.
func (f *fuzzFlags) campaign(config driver.Config) *campaign[driver.Stats] {
	return &campaign[driver.Stats]{
		flags: &f.searchFlags, patience: stuck, add: (*driver.Stats).Add,
		begin: func(i int) (worker[driver.Stats], error) {
			own := config
			own.Stream += uint64(i)
			d, err := driver.New(own)
			return &fuzzer{d, own}, err
		},
		progress: func(sum *driver.Stats, took time.Duration) string {
			hit, reachable := newFuzzResult(sum, took).covered()
			return fmt.Sprintf("%d calls, %d/s, %d of %d clauses, %d states", sum.Calls, perSecond(sum.Calls, took), hit, reachable, sum.States.Count())
		},
	}
}

// A fuzzer is a worker.
type fuzzer struct {
	*driver.Driver
	config driver.Config
}

func (w *fuzzer) figures() driver.Stats { return w.Stats }

func (w *fuzzer) next(context.Context) (*finding, error) {
	f, err := w.Next()
	if f == nil || err != nil {
		return nil, err
	}
	return &finding{signature(f), func(name string) (*reproducer, error) { return reproduce(w.config, name, f) }}, nil
}

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

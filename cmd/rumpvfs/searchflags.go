package main

import (
	"context"
	"fmt"
	"runtime"
	"time"

	"github.com/spf13/cobra"
)

// searchFlags are the flags that searches have in common. What they are when the flags are added is what they are by default.
type searchFlags struct {
	duration time.Duration
	most     uint64
	seed     uint64
	jobs     int
	failures int
	out      string
	json     bool
	endless  bool // without being told otherwise, the search goes on to its end
}

// add adds the flags of a search that ends with time, after as many units as --UNITS says, or with failures.
func (f *searchFlags) add(cmd *cobra.Command, units string) {
	f.out = cmd.Name() + "-failures"
	f.addBasics(cmd)
	fl := cmd.Flags()
	fl.DurationVar(&f.duration, "time", 0, "how long to go on; a minute if --"+units+" says nothing either")
	fl.Uint64Var(&f.most, units, 0, "how many "+units+" to make; 0 for as many as there is time for")
	fl.IntVar(&f.failures, "failures", 10, "different failures that end the run")
}

// addBasics adds those of any search.
func (f *searchFlags) addBasics(cmd *cobra.Command) {
	fl := cmd.Flags()
	fl.Uint64Var(&f.seed, "seed", f.seed, "seed of all that is random")
	fl.IntVar(&f.jobs, "jobs", runtime.GOMAXPROCS(0), "how much is done at a time")
	fl.StringVar(&f.out, "out", f.out, "directory to write failures to, in all forms; made when there is one")
	fl.BoolVar(&f.json, "json", false, "print JSON: what is found, one a line, then the figures")
}

// maxJobs is how many workers a run may have, so that no two of any shards have a stream of scripts in common.
const maxJobs = 1024

// check says what makes no sense.
func (f *searchFlags) check() error {
	switch {
	case f.jobs < 1 || f.jobs > maxJobs:
		return usageError{fmt.Errorf("there are from 1 to %d jobs", maxJobs)}
	case f.failures < 1:
		return usageError{fmt.Errorf("at least 1 failure ends the run")}
	case f.duration < 0:
		return usageError{fmt.Errorf("--time is not negative")}
	}
	return nil
}

// limited is ctx with the time that there is.
func (f *searchFlags) limited(ctx context.Context) (context.Context, context.CancelFunc) {
	if f.duration == 0 && f.most == 0 && !f.endless {
		f.duration = time.Minute
	}
	if f.duration == 0 {
		return context.WithCancel(ctx)
	}
	return context.WithTimeout(ctx, f.duration)
}

// share is how much of what there is to be made each job makes, 0 for as much as there is time for.
func (f *searchFlags) share() uint64 { return (f.most + uint64(f.jobs) - 1) / uint64(f.jobs) }

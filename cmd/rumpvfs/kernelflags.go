package main

import (
	"fmt"
	"runtime"

	"github.com/spf13/cobra"

	"rumpvfs/hypercall"
	"rumpvfs/kern"
	"rumpvfs/sim"
)

// kernelFlags say what kernels to boot.
type kernelFlags struct {
	quirks string
	native bool
	seed   uint64
	fifofs bool
}

func (f *kernelFlags) add(cmd *cobra.Command) {
	f.addQuirks(cmd)
	fl := cmd.Flags()
	fl.BoolVar(&f.native, "native", false, "run kernels on goroutines in place of the deterministic scheduler")
	fl.BoolVar(&f.fifofs, "fifofs", false, "boot kernels with fifofs, so that fifos of tmpfs can be opened")
	fl.Uint64Var(&f.seed, "seed", 0, "seed of the deterministic scheduler")
}

// addQuirks adds the flag that says what defects kernels have.
func (f *kernelFlags) addQuirks(cmd *cobra.Command) {
	cmd.Flags().StringVar(&f.quirks, "quirks", "rev1125",
		"defects of the reference that kernels have: rev1125 for all, fixed for none, then names to add or, with a minus, to leave out")
}

// config is the kernel that the flags ask for.
func (f *kernelFlags) config() (sim.Config, error) {
	quirks, err := kern.ParseQuirks(f.quirks)
	if err != nil {
		return sim.Config{}, usageError{err}
	}
	c := sim.Config{Mode: hypercall.Deterministic, Seed: f.seed, Without: kern.Rev1125 &^ quirks, Fifofs: f.fifofs}
	if f.native {
		c.Mode = hypercall.Native
	}
	return c, nil
}

// addJobs adds the flag that says how many sections run at a time.
func addJobs(cmd *cobra.Command, jobs *int) {
	cmd.Flags().IntVar(jobs, "jobs", runtime.GOMAXPROCS(0), "sections to run at a time")
}

// atLeast wants the number of a flag not to be less than least.
func atLeast(cmd *cobra.Command, flag string, n, least int) error {
	if n < least {
		return usageError{fmt.Errorf("--%s %d: expected at least %d; see %s --help", flag, n, least, cmd.CommandPath())}
	}
	return nil
}

package main

import (
	"fmt"

	"github.com/spf13/cobra"

	"rumpvfs/hypercall"
	"rumpvfs/kern"
	"rumpvfs/proptest/driver"
)

// testFlags say what is compared with what.
type testFlags struct {
	fs, quirks, model, oracle string
	deterministic             bool
	check                     int
}

// add adds the flags. The whole kernel is checked after every so many calls.
func (f *testFlags) add(cmd *cobra.Command, check int) {
	addFS(cmd, &f.fs)
	fl := cmd.Flags()
	fl.StringVar(&f.quirks, "quirks", "rev1125", "defects of the reference that kernel and model have, as in run")
	fl.StringVar(&f.model, "model", "", "those of the model, if it is to have others; fixed is POSIX")
	fl.StringVar(&f.oracle, "oracle", "model", "what the kernel is compared with: "+oracleNames())
	fl.BoolVar(&f.deterministic, "deterministic", false, "run kernels that notice a call which never returns, at a third of the speed")
	fl.IntVar(&f.check, "check", check, "check references, locks, lists, trees, pages and all else of the kernel after so many calls each and at the end of a script; 0 for never")
}

// addFS adds a flag for one of the project's file systems.
func addFS(cmd *cobra.Command, fs *string) {
	cmd.Flags().StringVar(fs, "fs", "rumpfs", "file system: "+driver.FSNames())
}

// config is the driver's configuration that the flags ask for.
func (f *testFlags) config() (driver.Config, error) {
	quirks, err := kern.ParseQuirks(f.quirks)
	if err != nil {
		return driver.Config{}, usageError{err}
	}
	model := quirks
	if f.model != "" {
		if model, err = kern.ParseQuirks(f.model); err != nil {
			return driver.Config{}, usageError{err}
		}
	}
	fs, err := driver.FSNamed(f.fs)
	if err != nil {
		return driver.Config{}, usageError{err}
	}
	o, err := oracleNamed(f.oracle)
	if err != nil {
		return driver.Config{}, err
	}
	c := driver.Config{FS: fs, Quirks: quirks}
	if f.deterministic {
		c.Mode = hypercall.Deterministic
	}
	if f.check < 0 {
		return driver.Config{}, usageError{fmt.Errorf("--check is not negative")}
	}
	if f.check > 0 {
		c.Check, c.Every = driver.Invariants, f.check
	}
	o.set(&c, model)
	return c, nil
}

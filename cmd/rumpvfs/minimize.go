package main

import (
	"fmt"

	"github.com/spf13/cobra"

	"rumpvfs/proptest/call"
	"rumpvfs/proptest/driver"
	"rumpvfs/proptest/shrink"
	"rumpvfs/sim/script"
)

// minimizeFlags are the flags of the command.
type minimizeFlags struct {
	test testFlags
	out  string
	json bool
}

func newMinimize() *cobra.Command {
	var f minimizeFlags
	cmd := &cobra.Command{
		Use:   "minimize SCRIPT",
		Short: "Make a script that fails as small as it gets",
		Long: `minimize makes the calls of each section of a script, or of a trace, on kernel
and oracle. A section that fails is made smaller until leaving out any call or
making any argument simpler loses the failure, and is shown with both answers.
The exit status is 0 only if no section fails.`,
		Example: `  rumpvfs minimize --model fixed failing.rvs`,
		Args: func(cmd *cobra.Command, args []string) error {
			if len(args) != 1 {
				return usageError{fmt.Errorf("minimize wants one SCRIPT; see %s --help", cmd.CommandPath())}
			}
			return nil
		},
		RunE: func(cmd *cobra.Command, args []string) error { return f.run(cmd, args[0]) },
	}
	f.test.add(cmd, 1)
	cmd.Flags().StringVar(&f.out, "out", "", "directory to write what fails to, in all forms")
	cmd.Flags().BoolVar(&f.json, "json", false, "print the figures as JSON")
	return cmd
}

func (f *minimizeFlags) run(cmd *cobra.Command, file string) error {
	config, err := f.test.config()
	if err != nil {
		return err
	}
	s, err := readScript(cmd, file)
	if err != nil {
		return err
	}
	d, err := driver.New(config)
	if err != nil {
		return err
	}
	defer func() { _ = d.Close() }() // what is left over is a failure, and has been shown
	before, after, tries, failures := 0, 0, 0, 0
	for i := range s.Sections {
		sec := &s.Sections[i]
		calls, err := callsOf(config, sec)
		if err != nil {
			return fmt.Errorf("%s:%w", s.File, err)
		}
		before += len(calls)
		failure, err := d.Replay(calls)
		if err != nil {
			return err
		}
		if failure == nil {
			continue
		}
		failures++
		like := d.Like(failure)
		small := shrink.Minimize(failure.Script, func(script []call.Call) bool {
			tries++
			return cmd.Context().Err() == nil && like(script)
		})
		if err := f.show(cmd, config, sec, d, small); err != nil {
			return err
		}
		after += len(small)
	}
	err = printFigures(cmd.OutOrStdout(), f.json, []figure{
		{"sections", len(s.Sections)}, {"calls", before}, {"failures", failures}, {"left", after}, {"tries", tries},
	})
	switch {
	case err != nil:
		return err
	case cmd.Context().Err() != nil:
		return cmd.Context().Err()
	case failures > 0:
		return errReported
	}
	return nil
}

// show prints what is left of a section, and writes it to files.
func (f *minimizeFlags) show(cmd *cobra.Command, config driver.Config, sec *script.Section, d *driver.Driver, small []call.Call) error {
	failure, err := d.Replay(small)
	if err != nil || failure == nil {
		return err
	}
	name := sec.Name
	if name == "" {
		name = "script"
	}
	r, err := caseOf(config, name, failure)
	if err != nil {
		return err
	}
	if _, err := cmd.OutOrStdout().Write(r.Text()); err != nil || f.out == "" {
		return err
	}
	_, err = ofCase(r).write(f.out)
	return err
}

// readScript reads a script or a trace.
func readScript(cmd *cobra.Command, file string) (*script.Script, error) {
	name, src, err := readInput(cmd, file)
	if err != nil {
		return nil, err
	}
	s, err := script.Parse(name, src)
	if err != nil {
		if t, e := script.ParseTrace(name, src); e == nil {
			return t, nil
		}
	}
	return s, err
}

// callsOf are the calls of a section, whose names are bound to what the oracle answers. Lines that prepare the file system
// are left out, since that is done anyway.
func callsOf(config driver.Config, sec *script.Section) ([]call.Call, error) {
	oracle, err := config.NewOracle()
	if err != nil {
		return nil, err
	}
	defer func() { _ = oracle.Close() }()
	return call.ReadSection(sec, oracle, config.FS.Setup)
}

package main

import (
	"bufio"
	"context"
	"fmt"
	"time"

	"github.com/spf13/cobra"

	"rumpvfs/sim"
	"rumpvfs/sim/replay"
	"rumpvfs/sim/script"
)

// newRun makes the command that runs scripts.
func newRun() *cobra.Command {
	var kernel kernelFlags
	var jobs int
	cmd := &cobra.Command{
		Use:   "run SCRIPT...",
		Short: "Run scripts of system calls and print their traces",
		Long: `run makes the system calls of scripts and prints each with its result. Each
section of a script, from a line "=== name" to the next, has a kernel of its
own. A SCRIPT may be compressed; "-" is standard input. What a kernel says when
it panics, which the trace shows as PANIC, goes to standard error.`,
		Example: `  rumpvfs run examples/tour.rvs
  echo 'mkdir "/a/b" 0755' | rumpvfs run -
  rumpvfs run --quirks fixed examples/tour.rvs`,
		Args: atLeastOne("a SCRIPT"),
		RunE: func(cmd *cobra.Command, files []string) error {
			if err := atLeast(cmd, "jobs", jobs, 1); err != nil {
				return err
			}
			config, err := kernel.config()
			if err != nil {
				return err
			}
			scripts, err := readAll(cmd, files, script.Parse)
			if err != nil {
				return err
			}
			return run(cmd, scripts, config, jobs)
		},
	}
	kernel.add(cmd)
	addJobs(cmd, &jobs)
	return cmd
}

func run(cmd *cobra.Command, scripts []*script.Script, config sim.Config, jobs int) error {
	out := bufio.NewWriter(cmd.OutOrStdout())
	p := newProgress(cmd.ErrOrStderr(), countSections(scripts), time.Now())
	failed := false
	for _, s := range scripts {
		err := ordered(cmd.Context(), len(s.Sections), jobs,
			func(ctx context.Context, i int) replay.Outcome { return replay.Run(ctx, &s.Sections[i], config) },
			func(_ int, o replay.Outcome) error {
				p.step(time.Now())
				if _, err := o.WriteTo(out); err != nil {
					return err
				}
				if o.Stop == nil && o.Err == nil && o.Left == nil {
					return nil
				}
				p.clear()
				if err := out.Flush(); err != nil {
					return err
				}
				failed = failed || o.Err != nil || o.Left != nil
				return complain(cmd, s.File, &o)
			})
		p.clear()
		if err != nil {
			_ = out.Flush()
			return err
		}
	}
	if err := out.Flush(); err != nil {
		return err
	}
	if failed {
		return errReported
	}
	return nil
}

// complain says on standard error what a trace does not show. The error is
// that of an interrupt, which ends the run.
func complain(cmd *cobra.Command, file string, o *replay.Outcome) error {
	if err := cmd.Context().Err(); err != nil {
		return err
	}
	w := cmd.ErrOrStderr()
	at := fmt.Sprintf("%s:%d: ", file, o.Section.Line)
	if o.Stop != nil {
		fmt.Fprintf(w, "%s:%d: %v\n", file, o.Section.Lines[len(o.Results)-1].Number, o.Stop)
	}
	if o.Err != nil {
		fmt.Fprintf(w, "%ssection %q: %v\n", at, o.Section.Name, o.Err)
	}
	if o.Left != nil {
		fmt.Fprintf(w, "%ssection %q: %v\n", at, o.Section.Name, o.Left)
	}
	return nil
}

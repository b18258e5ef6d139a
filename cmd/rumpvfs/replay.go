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

// newReplay makes the command that compares with traces.
func newReplay() *cobra.Command {
	var kernel kernelFlags
	var jobs, before int
	cmd := &cobra.Command{
		Use:   "replay TRACE...",
		Short: "Make the calls of recorded traces again and compare the results",
		Long: `replay makes the system calls of traces again, and shows each result that
differs: what was expected against what the kernel answered, after the lines
before it. It ends with a line of totals. A TRACE may be compressed; "-" is
standard input. The exit status is 0 if no result differs.`,
		Example: `  rumpvfs replay sim/replay/testdata/names.trace.gz
  rumpvfs replay --jobs 1 --before 10 my.trace
  rumpvfs run my.rvs | rumpvfs replay --quirks fixed -`,
		Args: atLeastOne("a TRACE"),
		RunE: func(cmd *cobra.Command, files []string) error {
			if err := atLeast(cmd, "jobs", jobs, 1); err != nil {
				return err
			}
			if err := atLeast(cmd, "before", before, 0); err != nil {
				return err
			}
			config, err := kernel.config()
			if err != nil {
				return err
			}
			traces, err := readAll(cmd, files, script.ParseTrace)
			if err != nil {
				return err
			}
			return compare(cmd, traces, config, jobs, before)
		},
	}
	kernel.add(cmd)
	addJobs(cmd, &jobs)
	cmd.Flags().IntVar(&before, "before", 3, "lines to show before a difference")
	return cmd
}

func compare(cmd *cobra.Command, traces []*script.Script, config sim.Config, jobs, before int) error {
	out := bufio.NewWriter(cmd.OutOrStdout())
	p := newProgress(cmd.ErrOrStderr(), countSections(traces), time.Now())
	var total replay.Totals
	failed := false
	for _, tr := range traces {
		err := ordered(cmd.Context(), len(tr.Sections), jobs,
			func(ctx context.Context, i int) replay.Outcome { return replay.Run(ctx, &tr.Sections[i], config) },
			func(_ int, o replay.Outcome) error {
				if err := cmd.Context().Err(); err != nil {
					return err
				}
				p.step(time.Now())
				t := o.Compare()
				total.Add(t)
				if t.Differ == 0 && o.Err == nil && o.Left == nil {
					return nil
				}
				failed = true
				p.clear()
				if err := o.Explain(out, tr.File, before); err != nil {
					return err
				}
				return out.Flush()
			})
		p.clear()
		if err != nil {
			_ = out.Flush()
			return err
		}
	}
	fmt.Fprintln(out, total)
	if err := out.Flush(); err != nil {
		return err
	}
	if failed {
		return errReported
	}
	return nil
}

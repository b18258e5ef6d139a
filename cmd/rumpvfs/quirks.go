package main

import (
	"context"
	"fmt"
	"time"

	"github.com/spf13/cobra"

	"rumpvfs/kern"
	"rumpvfs/proptest/learn"
)

// quirksFlags are the flags of the command.
type quirksFlags struct {
	duration time.Duration
	seed     uint64
	out      string
	json     bool
}

func newQuirks() *cobra.Command {
	var f quirksFlags
	cmd := &cobra.Command{
		Use:   "quirks",
		Short: "Find the quirks of the reference by comparing with POSIX",
		Long: `quirks compares a kernel that has all quirks of the reference with a model that
begins as POSIX. Each difference is made as small as it gets, shown with the
quirks that it comes from, and learned by the model, until every quirk of the
table that POSIX promises otherwise is found. The exit status is 0 only if all
of them were, and nothing else.`,
		Example: `  rumpvfs quirks
  rumpvfs quirks --seed 5 --out found`,
		Args: none,
		RunE: func(cmd *cobra.Command, _ []string) error { return f.run(cmd) },
	}
	fl := cmd.Flags()
	fl.DurationVar(&f.duration, "time", time.Minute, "how long to go on")
	fl.Uint64Var(&f.seed, "seed", 0, "seed of the scripts")
	fl.StringVar(&f.out, "out", "", "directory to write what was found to, in all forms")
	fl.BoolVar(&f.json, "json", false, "print the figures as JSON")
	return cmd
}

func (f *quirksFlags) run(cmd *cobra.Command) error {
	ctx, cancel := context.WithTimeout(cmd.Context(), f.duration)
	defer cancel()
	start, w := time.Now(), cmd.OutOrStdout()
	l, found, want := learn.New(f.seed), kern.Fixed, kern.POSIXQuirks()
	calls, unknown := uint64(0), 0
	for ctx.Err() == nil && unknown == 0 && l.Wants(want) {
		lesson, err := l.Next(ctx)
		if err != nil {
			return err
		}
		if lesson == nil {
			break
		}
		calls += lesson.Calls
		if len(lesson.Quirks) == 0 {
			unknown++
		}
		for _, q := range lesson.Quirks {
			found = found.With(q)
		}
		if !f.json {
			fmt.Fprintf(w, "%v after %.2f seconds:\n%s\n", lesson.Quirks, time.Since(start).Seconds(), lesson.Case.Text())
		}
		if f.out != "" {
			if _, err := ofCase(lesson.Case).write(f.out); err != nil {
				return err
			}
		}
	}
	missing := want &^ found
	err := printFigures(w, f.json, []figure{
		{"posix", count(want)}, {"found", count(found & want)}, {"others", count(found &^ want)}, {"unknown", unknown}, {"calls", calls},
		{"seconds", seconds(time.Since(start))},
	})
	switch {
	case err != nil:
		return err
	case cmd.Context().Err() != nil:
		return cmd.Context().Err()
	case missing != 0:
		return fmt.Errorf("not found: %v", missing)
	case unknown > 0:
		return errReported
	}
	return nil
}

// count is how many quirks are in a set.
func count(s kern.Quirks) (n int) {
	for _, q := range kern.AllQuirks() {
		if s.Has(q) {
			n++
		}
	}
	return n
}

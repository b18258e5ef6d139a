package main

import (
	"context"
	"encoding/json"
	"fmt"
	"io"
	"runtime"
	"time"

	"github.com/spf13/cobra"

	"rumpvfs/kern"
	"rumpvfs/proptest/driver"
	"rumpvfs/proptest/exhaust"
)

// exhaustFlags are the flags of the command.
type exhaustFlags struct {
	depth, jobs, names int
	fs, quirks, out    string
	raw, audit, json   bool
}

func newExhaust() *cobra.Command {
	var f exhaustFlags
	cmd := &cobra.Command{
		Use:   "exhaust",
		Short: "Make all short scripts on kernel and model",
		Long: `exhaust makes all scripts of up to K calls over a few names, and compares every
answer of the kernel with the model. Scripts that lead to the same state are
gone on with once, whatever names they use. --raw makes each script by itself on
a kernel of its own. --audit does both and compares what they came to, which
shows that states which count as the same are. Of failures the first three are
made as small as they get, shown with both answers, and written to a directory as
text, trace, Go test, shell script and C program.`,
		Example: `  rumpvfs exhaust -k 5
  rumpvfs exhaust -k 3 --audit --quirks fixed`,
		Args: none,
		RunE: func(cmd *cobra.Command, _ []string) error { return f.run(cmd) },
	}
	fl := cmd.Flags()
	fl.IntVarP(&f.depth, "depth", "k", 4, "calls of a script at most")
	fl.IntVar(&f.names, "names", 2, "names of files")
	fl.IntVar(&f.jobs, "jobs", runtime.GOMAXPROCS(0), "kernels that run at a time")
	addFS(cmd, &f.fs)
	fl.StringVar(&f.quirks, "quirks", "rev1125", "defects of the reference that kernel and model have, as in run")
	fl.StringVar(&f.out, "out", cmd.Name()+"-failures", "directory to write failures to, in all forms; made when there is one")
	fl.BoolVar(&f.raw, "raw", false, "make every script by itself")
	fl.BoolVar(&f.audit, "audit", false, "search both ways and compare")
	fl.BoolVar(&f.json, "json", false, "print JSON, one level a line, then the sum")
	return cmd
}

// config is the search that the flags ask for.
func (f *exhaustFlags) config() (exhaust.Config, error) {
	quirks, err := kern.ParseQuirks(f.quirks)
	if err != nil {
		return exhaust.Config{}, usageError{err}
	}
	fs, err := driver.FSNamed(f.fs)
	if err != nil {
		return exhaust.Config{}, usageError{err}
	}
	if f.names < 1 || f.names > 3 {
		return exhaust.Config{}, usageError{fmt.Errorf("names are from 1 to 3, not %d", f.names)}
	}
	names := []string{"a", "b", "c"}[:f.names]
	return exhaust.Config{
		Depth: f.depth, Names: names, Calls: exhaust.Alphabet(names...), FS: fs, Quirks: quirks, Raw: f.raw, Record: f.audit,
	}, nil
}

func (f *exhaustFlags) run(cmd *cobra.Command) error {
	c, err := f.config()
	if err != nil {
		return err
	}
	s, err := exhaust.New(c)
	if err != nil {
		return usageError{err}
	}
	if !f.audit {
		return f.search(cmd, s, c)
	}
	if err := f.search(cmd, s, c); err != nil {
		return err
	}
	c.Raw = !c.Raw
	other, err := exhaust.New(c)
	if err != nil {
		return err
	}
	if err := f.search(cmd, other, c); err != nil {
		return err
	}
	if c.Raw {
		s, other = other, s
	}
	err = exhaust.Audit(s, other)
	if err := printFigures(cmd.OutOrStdout(), f.json, []figure{{"agree", err == nil}, {"states", s.Totals().States}}); err != nil {
		return err
	}
	return err
}

// search goes through all levels, and prints them and their sum. The error is errReported if something was found wrong.
func (f *exhaustFlags) search(cmd *cobra.Command, s *exhaust.Search, c exhaust.Config) error {
	start, w := time.Now(), cmd.OutOrStdout()
	var stopped error
	for s.More() && stopped == nil {
		if stopped = level(cmd.Context(), s, f.jobs); stopped != nil {
			break
		}
		s.Deepen()
		if err := f.print(w, &s.Levels[len(s.Levels)-1]); err != nil {
			return err
		}
	}
	for i, failure := range s.Failures[:min(len(s.Failures), 3)] {
		if err := f.explain(cmd.ErrOrStderr(), i+1, failure, c); err != nil {
			return err
		}
	}
	took, t := time.Since(start), s.Totals()
	err := printFigures(w, f.json, []figure{
		{"depth", len(s.Levels)}, {"alphabet", len(c.Calls)}, {"merged", !c.Raw}, {"states", t.States}, {"transitions", t.Transitions},
		{"scripts", scripts(len(c.Calls), len(s.Levels))}, {"booted", t.Booted}, {"undone", t.Undone},
		{"seconds", seconds(took)}, {"rate", perSecond(t.Transitions, took)}, {"failures", len(s.Failures)},
	})
	switch {
	case err != nil:
		return err
	case len(s.Failures) > 0:
		return errReported
	}
	return stopped
}

// level goes through one level. The error is that of an interrupt, or of a kernel that does not boot.
func level(ctx context.Context, s *exhaust.Search, jobs int) error {
	type expanded struct {
		part *exhaust.Part
		err  error
	}
	return ordered(ctx, s.Chunks(), jobs,
		func(_ context.Context, i int) expanded {
			p, err := s.Expand(i)
			return expanded{p, err}
		},
		func(_ int, e expanded) error {
			if e.err == nil {
				s.Merge(e.part)
			}
			return e.err
		})
}

// scripts is how many scripts of up to depth calls there are.
func scripts(calls, depth int) (n uint64) {
	power := uint64(1)
	for range depth {
		power *= uint64(calls)
		n += power
	}
	return n
}

func (f *exhaustFlags) print(w io.Writer, l *exhaust.Level) error {
	if f.json {
		return json.NewEncoder(w).Encode(l)
	}
	_, err := fmt.Fprintf(w, "after %d calls: %d transitions, %d new states\n", l.Depth, l.Transitions, l.States)
	return err
}

// explain prints a failure of a number with its script, which is made as small as it gets first, and writes it down.
func (f *exhaustFlags) explain(w io.Writer, n int, failure *driver.Failure, c exhaust.Config) error {
	config := driver.Config{FS: c.FS, Quirks: c.Quirks, System: c.System}
	r, err := reproduce(config, fmt.Sprintf("failure-%d", n), failure)
	if err != nil {
		return err
	}
	file, err := r.write(f.out)
	if err != nil {
		return err
	}
	_, err = fmt.Fprintf(w, "failure %d, in %s:\n%s\n", n, file, r.text)
	return err
}

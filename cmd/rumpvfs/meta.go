package main

import (
	"context"
	"fmt"
	"maps"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"rumpvfs/kern"
	"rumpvfs/proptest/driver"
	"rumpvfs/proptest/meta"
)

// metaFlags are the flags of the command.
type metaFlags struct {
	searchFlags
	fs, quirks, rules string
}

func newMeta() *cobra.Command {
	var f metaFlags
	cmd := &cobra.Command{
		Use:   "meta",
		Short: "Make random scripts and others that must answer alike",
		Long: `meta checks kernels against themselves. It makes random scripts, changes each, or
the kernel, in ways that must not be noticed, such as "a/../b" in the place of
"b" or vnodes that go at any point, and compares what both answer; at the end of
a script the whole kernel is checked. It lists the rules with how often each was
tried. Of scripts for which a rule does not hold, and which are alike, the first
is made as small as it gets, shown, and written to a directory as text, Go test
(which tries the rule again), shell script and C program, and as a trace where
no special kernel is needed.`,
		Example: `  rumpvfs meta --calls 1000000
  rumpvfs meta --time 1m --rules recycle,few-vnodes --quirks fixed`,
		Args: none,
		RunE: func(cmd *cobra.Command, _ []string) error { return f.run(cmd) },
	}
	f.add(cmd, "calls")
	fl := cmd.Flags()
	fl.StringVar(&f.fs, "fs", "rumpfs", "file system")
	fl.StringVar(&f.quirks, "quirks", "rev1125", "defects of the reference that kernels have, as in run")
	fl.StringVar(&f.rules, "rules", "", "rules to try, separated by commas; all if none is named")
	return cmd
}

// config is what the flags ask for.
func (f *metaFlags) config() (c meta.Config, err error) {
	if err := f.check(); err != nil {
		return c, err
	}
	if c.FS, err = driver.FSNamed(f.fs); err != nil {
		return c, usageError{err}
	}
	if c.Quirks, err = kern.ParseQuirks(f.quirks); err != nil {
		return c, usageError{err}
	}
	c.Seed, c.Calls = f.seed, f.share()
	if f.rules == "" {
		return c, nil
	}
	for name := range strings.SplitSeq(f.rules, ",") {
		rule, ok := meta.RuleNamed(name)
		if !ok {
			return c, usageError{fmt.Errorf("no rule is called %q", name)}
		}
		c.Rules = append(c.Rules, rule)
	}
	return c, nil
}

func (f *metaFlags) run(cmd *cobra.Command) error {
	config, err := f.config()
	if err != nil {
		return err
	}
	c := campaign[tried]{
		flags: &f.searchFlags, patience: stuck, add: (*tried).add,
		begin: func(i int) (worker[tried], error) {
			own := config
			own.Stream = uint64(i)
			return &changer{meta.NewRunner(own)}, nil
		},
		progress: func(sum *tried, took time.Duration) string {
			return fmt.Sprintf("%d calls, %d/s", sum.calls, perSecond(sum.calls, took))
		},
	}
	sum, took, err := c.run(cmd)
	if err != nil {
		return err
	}
	for _, rule := range meta.Rules() {
		if n := sum.times[rule.Name]; n > 0 && !f.json {
			fmt.Fprintf(cmd.OutOrStdout(), "%9d %s: %s\n", n, rule.Name, rule.Sentence)
		}
	}
	return conclude(cmd, f.json, []figure{
		{"fs", f.fs}, {"rules", len(sum.times)}, {"calls", sum.calls}, {"scripts", sum.scripts}, {"seconds", seconds(took)}, {"rate", perSecond(sum.calls, took)},
	}, c.failing, c.failures)
}

// A changer is a worker.
type changer struct{ *meta.Runner }

func (w changer) next(context.Context) (*finding, error) {
	f, err := w.Next()
	if f == nil || err != nil {
		return nil, err
	}
	return &finding{f.Signature(), func(name string) (*reproducer, error) { return ofCase(meta.Reproducer(name, w.Shrunk(f))), nil }}, nil
}

func (w changer) figures() tried { return tried{w.Calls, w.Scripts, maps.Clone(w.Tried)} }

// tried is what changers have come to.
type tried struct {
	calls, scripts uint64
	times          map[string]uint64 // that each rule was tried
}

func (t *tried) add(o *tried) {
	t.calls += o.calls
	t.scripts += o.scripts
	if t.times == nil {
		t.times = map[string]uint64{}
	}
	for name, n := range o.times {
		t.times[name] += n
	}
}

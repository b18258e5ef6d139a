package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"slices"
	"time"

	"github.com/spf13/cobra"

	"rumpvfs/proptest/driver"
	"rumpvfs/proptest/host"
)

// hostFlags are the flags of the command.
type hostFlags struct {
	searchFlags
	fs string
}

func newHost() *cobra.Command {
	var f hostFlags
	cmd := &cobra.Command{
		Use:   "host",
		Short: "Make random scripts on a kernel and on Linux",
		Long: `host makes random scripts on a kernel without quirks, on the model, and on a
tmpfs of the Linux that it runs on, in a child process with a root directory and
credentials of its own, for which it needs the superuser. What NetBSD and Linux
do otherwise is a table; host lists what of it occurred, and how often. Anything
else that differs is a failure: of those that are alike the first is made as small
as it gets, shown with both answers, and written to a directory as text, trace,
Go test (which asks Linux again), shell script and C program.`,
		Example: `  rumpvfs host --calls 5000000`,
		Args:    none,
		RunE:    func(cmd *cobra.Command, _ []string) error { return f.run(cmd) },
	}
	f.add(cmd, "calls")
	addFS(cmd, &f.fs)
	return cmd
}

func (f *hostFlags) run(cmd *cobra.Command) error {
	fs, err := driver.FSNamed(f.fs)
	if err != nil {
		return usageError{err}
	}
	if err := f.check(); err != nil {
		return err
	}
	c := campaign[hosted]{
		flags: &f.searchFlags, patience: stuck, add: (*hosted).add,
		begin: func(i int) (worker[hosted], error) {
			r, err := host.NewRunner(host.Config{Seed: f.seed, Stream: uint64(i), Calls: f.share(), FS: fs})
			return &hoster{r, fs}, err
		},
		progress: func(sum *hosted, took time.Duration) string {
			return fmt.Sprintf("%d calls, %d/s, %d differences", sum.calls, perSecond(sum.calls, took), sum.kinds())
		},
	}
	sum, took, err := c.run(cmd)
	if err != nil {
		return err
	}
	if !f.json {
		if err := sum.print(cmd.OutOrStdout()); err != nil {
			return err
		}
	}
	return conclude(cmd, f.json, []figure{
		{"fs", f.fs}, {"calls", sum.calls}, {"scripts", sum.scripts}, {"seconds", seconds(took)}, {"rate", perSecond(sum.calls, took)},
		{"differences", sum.kinds()},
	}, c.failing, c.failures)
}

// A hoster is a worker.
type hoster struct {
	*host.Runner
	fs driver.FS
}

func (w *hoster) next(context.Context) (*finding, error) {
	f, err := w.Next()
	if f == nil || err != nil {
		return nil, err
	}
	return &finding{signature(f), func(name string) (*reproducer, error) { return ofCase(host.Reproducer(name, w.fs, w.Shrunk(f))), nil }}, nil
}

func (w *hoster) figures() hosted { return hosted{w.Calls, w.Scripts, slices.Clone(w.Seen)} }

// hosted is what hosters have come to.
type hosted struct {
	calls, scripts uint64
	seen           []uint64 // of each difference
}

func (h *hosted) add(o *hosted) {
	h.calls += o.calls
	h.scripts += o.scripts
	if h.seen == nil {
		h.seen = make([]uint64, len(host.Differences()))
	}
	for i, n := range o.seen {
		h.seen[i] += n
	}
}

// kinds is how many differences were seen.
func (h *hosted) kinds() (n int) {
	for _, times := range h.seen {
		n += int(min(times, 1))
	}
	return n
}

// print lists the differences that were seen.
func (h *hosted) print(w io.Writer) (err error) {
	for i, d := range host.Differences() {
		if h.seen[i] > 0 {
			_, e := fmt.Fprintf(w, "%9d %s: %s\n", h.seen[i], d.Name, d.Sentence)
			err = errors.Join(err, e)
		}
	}
	return err
}

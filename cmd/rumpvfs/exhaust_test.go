package main

import (
	"bytes"
	"context"
	"errors"
	"path/filepath"
	"strings"
	"testing"

	"github.com/spf13/cobra"

	"rumpvfs/hypercall"
	"rumpvfs/kern"
	"rumpvfs/proptest/call"
	"rumpvfs/proptest/driver"
	"rumpvfs/proptest/exhaust"
)

// A stubborn kernel says that a directory exists where it is not empty.
type stubborn struct{ call.System }

func (b stubborn) Do(c *call.Call, r *call.Result) {
	if b.System.Do(c, r); c.Op == call.Rmdir && r.Errno == kern.ENOTEMPTY {
		r.Fail(kern.EEXIST)
	}
}

// TestExhaustFinds shows what the command prints of a kernel that is wrong: a script from which nothing can be left out.
func TestExhaustFinds(t *testing.T) {
	c := exhaust.Config{Depth: 3, Names: []string{"a", "b"}, Calls: exhaust.Alphabet("a", "b"), FS: driver.Rumpfs(), Quirks: kern.Fixed}
	c.System = func() (call.System, error) {
		k, err := c.FS.Kernel(c.Quirks, hypercall.Native)
		return stubborn{k}, err
	}
	s, err := exhaust.New(c)
	if err != nil {
		t.Fatal(err)
	}
	var out, errs bytes.Buffer
	cmd := &cobra.Command{}
	cmd.SetOut(&out)
	cmd.SetErr(&errs)
	cmd.SetContext(context.Background())
	f := exhaustFlags{jobs: 2, out: t.TempDir()}
	if err := f.search(cmd, s, c); !errors.Is(err, errReported) {
		t.Errorf("%v", err)
	}
	const want = "but got => EEXIST"
	if got := errs.String(); !strings.Contains(got, want) || !strings.Contains(got, "rmdir") || strings.Contains(got, "lstat") {
		t.Errorf("%s", got)
	}
	if list, err := filepath.Glob(filepath.Join(f.out, "failure_1*")); err != nil || len(list) != 5 {
		t.Error(list, err)
	}
	if !strings.Contains(out.String(), "depth=3 ") || strings.Contains(out.String(), "failures=0") {
		t.Errorf("%s", out.String())
	}
}

// TestExhaustInterrupted stops a search and has its results so far.
func TestExhaustInterrupted(t *testing.T) {
	ctx, cancel := context.WithCancel(context.Background())
	cancel()
	var out bytes.Buffer
	cmd := &cobra.Command{}
	cmd.SetOut(&out)
	cmd.SetContext(ctx)
	f := exhaustFlags{depth: 3, names: 2, jobs: 2, fs: "rumpfs", quirks: "fixed"}
	if err := f.run(cmd); !errors.Is(err, context.Canceled) || !strings.HasPrefix(out.String(), "depth=0 ") {
		t.Errorf("%v\n%s", err, out.String())
	}
}

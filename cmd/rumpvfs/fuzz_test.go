package main

import (
	"bytes"
	"context"
	"errors"
	"io"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/spf13/cobra"

	"rumpvfs/kern"
	"rumpvfs/proptest/call"
	"rumpvfs/proptest/driver"
	"rumpvfs/proptest/mutant"
)

// TestFuzzInterrupted stops a run and has its results so far.
func TestFuzzInterrupted(t *testing.T) {
	ctx, cancel := context.WithCancel(context.Background())
	cancel()
	var out bytes.Buffer
	cmd := &cobra.Command{}
	cmd.SetOut(&out)
	cmd.SetContext(ctx)
	f := fuzzFlags{searchFlags: searchFlags{jobs: 2, failures: 1}, test: testFlags{fs: "rumpfs", oracle: "model"}, shard: "0/1"}
	if err := f.run(cmd); !errors.Is(err, context.Canceled) || !strings.Contains(out.String(), "calls=0 ") {
		t.Errorf("%v\n%s", err, out.String())
	}
}

// TestFuzzInvariant has a kernel leak references, which shows in no answer, and finds the call that does.
func TestFuzzInvariant(t *testing.T) {
	leak, err := mutant.Named("lookup-dotdot-leak")
	if err != nil {
		t.Fatal(err)
	}
	f := fuzzFlags{searchFlags: searchFlags{jobs: 1, failures: 1, most: 10000, out: t.TempDir()}, test: testFlags{fs: "rumpfs", oracle: "model", check: 100}}
	c, err := f.test.config()
	if err != nil {
		t.Fatal(err)
	}
	c.Quirks = kern.Fixed
	c.System = func() (call.System, error) { return mutant.New(leak, c.FS, mutant.Config{Quirks: c.Quirks}) }
	var out bytes.Buffer
	cmd := &cobra.Command{}
	cmd.SetOut(&out)
	cmd.SetContext(context.Background())
	campaign := f.campaign(c)
	if _, _, err := campaign.run(cmd); err != nil {
		t.Error(err)
	}
	if len(campaign.failures) != 1 {
		t.Fatalf("%v\n%s", campaign.failures, out.String())
	}
	text := campaign.failures[0].Script
	if !strings.HasPrefix(text, "# invalid: broken: ") || strings.Count(text, " => ") > 2 || strings.Contains(text, "but got") {
		t.Error(text)
	}
	if list, err := filepath.Glob(filepath.Join(f.out, "failure_1*")); err != nil || len(list) != 5 {
		t.Error(list, err)
	}
}

// A sleeper is a system whose calls never return until it is woken.
type sleeper struct {
	call.System
	woken chan struct{}
}

func (s sleeper) Do(*call.Call, *call.Result) { <-s.woken }

// TestFuzzStuck notices a call that never returns.
func TestFuzzStuck(t *testing.T) {
	fs := driver.Rumpfs()
	woken := make(chan struct{})
	defer close(woken)
	c := driver.Config{FS: fs, System: func() (call.System, error) { return sleeper{fs.Model(0), woken}, nil }}
	f := fuzzFlags{searchFlags: searchFlags{jobs: 1, failures: 1}}
	campaign := f.campaign(c)
	campaign.patience = time.Millisecond
	cmd := &cobra.Command{}
	cmd.SetOut(io.Discard)
	cmd.SetContext(context.Background())
	if _, _, err := campaign.run(cmd); err == nil || !strings.Contains(err.Error(), "never ends") {
		t.Error(err)
	}
}

// TestJob checks that the example of a cluster's job asks for what the command knows.
func TestJob(t *testing.T) {
	src, err := os.ReadFile("../../examples/kubernetes/fuzz-job.yaml")
	if err != nil {
		t.Fatal(err)
	}
	var args []string
	for line := range strings.Lines(string(src)) {
		if arg, is := strings.CutPrefix(strings.TrimSpace(line), "- --"); is {
			args = append(args, "--"+strings.ReplaceAll(arg, "$(JOB_COMPLETION_INDEX)", "15"))
		}
	}
	cmd := newFuzz()
	if err := cmd.ParseFlags(args); err != nil || len(args) < 6 {
		t.Fatal(args, err)
	}
	if i, n, err := parseShard(cmd.Flags().Lookup("shard").Value.String()); err != nil || i != 15 || n != 16 {
		t.Error(i, n, err)
	}
	if !strings.Contains(string(src), "completions: 16\n") {
		t.Error("not as many pods as shards")
	}
}

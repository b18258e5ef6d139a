package main

import (
	"bytes"
	"context"
	"errors"
	"os"
	"strings"
	"testing"
	"time"

	"github.com/spf13/cobra"

	"rumpvfs/proptest/call"
	"rumpvfs/proptest/driver"
)

// TestFuzzInterrupted stops a run and has its results so far.
func TestFuzzInterrupted(t *testing.T) {
	ctx, cancel := context.WithCancel(context.Background())
	cancel()
	var out bytes.Buffer
	cmd := &cobra.Command{}
	cmd.SetOut(&out)
	cmd.SetContext(ctx)
	f := fuzzFlags{test: testFlags{fs: "rumpfs", oracle: "model"}, jobs: 2, shard: "0/1", failures: 1}
	if err := f.run(cmd); !errors.Is(err, context.Canceled) || !strings.Contains(out.String(), "calls=0 ") {
		t.Errorf("%v\n%s", err, out.String())
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
	campaign := newCampaign(c, &fuzzFlags{jobs: 1, failures: 1}, 0)
	campaign.patience = time.Millisecond
	var live bytes.Buffer
	if _, err := campaign.run(context.Background(), &live, &live); err == nil || !strings.Contains(err.Error(), "never ends") {
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

package main

import (
	"bytes"
	"context"
	"errors"
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

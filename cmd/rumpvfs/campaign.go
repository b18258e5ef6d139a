package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"sync"
	"time"

	"rumpvfs/proptest/driver"
)

// A campaign is workers that make scripts until time, calls or patience end.
type campaign struct {
	config driver.Config
	flags  *fuzzFlags
	stream uint64 // of the first worker
	line   *liveLine
	out    io.Writer
	// patience is how long a script may take. Natively, a call may wait for ever.
	patience time.Duration

	mu       sync.Mutex
	stats    []driver.Stats // mu: of each worker, as it last said
	moved    []time.Time    // mu: when each did
	failing  uint64         // mu
	failures []fuzzFailure  // mu
	known    map[string]int // mu: signature to index in failures
	err      error          // mu: why a worker could not go on
}

func newCampaign(c driver.Config, f *fuzzFlags, stream uint64) *campaign {
	return &campaign{
		config: c, flags: f, stream: stream, known: map[string]int{}, patience: stuck,
		stats: make([]driver.Stats, f.jobs), moved: make([]time.Time, f.jobs),
	}
}

// publish is how often a worker says how far it is.
const publish = 50 * time.Millisecond

// stuck is how long a worker may say nothing.
const stuck = 30 * time.Second

// run makes scripts and gives what came of them.
func (c *campaign) run(ctx context.Context, out, live io.Writer) (*fuzzResult, error) {
	start := time.Now()
	c.out, c.line = out, newLiveLine(live, start)
	ctx, stop := context.WithCancel(ctx)
	defer stop()
	var workers sync.WaitGroup
	for i := range c.stats {
		c.moved[i] = start
		workers.Add(1)
		go func() {
			defer workers.Done()
			if err := c.work(ctx, i, stop); err != nil {
				c.fail(err)
				stop()
			}
		}()
	}
	done := make(chan struct{})
	go func() {
		workers.Wait()
		close(done)
	}()
	err := c.watch(done, start)
	c.mu.Lock()
	defer c.mu.Unlock()
	c.line.clear()
	return c.result(time.Since(start)), errors.Join(err, c.err)
}

// watch shows how far the workers are until they are done, or until one is stuck.
func (c *campaign) watch(done chan struct{}, start time.Time) error {
	tick := time.NewTicker(redraw)
	defer tick.Stop()
	for {
		select {
		case <-done:
			return nil
		case now := <-tick.C:
			c.mu.Lock()
			if c.line.due(now) {
				c.line.print(now, c.progress(now.Sub(start)))
			}
			for i, moved := range c.moved {
				if now.Sub(moved) > c.patience {
					n := c.stats[i].Scripts
					c.mu.Unlock()
					return fmt.Errorf("stuck: with seed %d, a script soon after number %d of worker %d never ends; --deterministic tells which call",
						c.flags.seed, n, i)
				}
			}
			c.mu.Unlock()
		}
	}
}

// progress is how far the workers are, in a line.
func (c *campaign) progress(took time.Duration) string {
	r := c.result(took)
	hit, reachable := r.covered()
	states := driver.Sketch(r.States)
	return fmt.Sprintf("%d calls, %d/s, %d of %d clauses, %d states, %d failures", r.Calls, perSecond(r.Calls, took), hit, reachable,
		states.Count(), len(r.Failures))
}

// result adds up what the workers have said.
func (c *campaign) result(took time.Duration) *fuzzResult {
	var sum driver.Stats
	for i := range c.stats {
		sum.Add(&c.stats[i])
	}
	r := &fuzzResult{Seconds: float64(took.Milliseconds()) / 1000, Failing: c.failing, Failures: c.failures}
	r.count(&sum)
	return r
}

func (c *campaign) fail(err error) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.err = errors.Join(c.err, err)
}

// work is worker i.
func (c *campaign) work(ctx context.Context, i int, stop func()) error {
	config := c.config
	config.Stream = c.stream + uint64(i)
	if n := uint64(c.flags.jobs); c.flags.calls > 0 {
		config.Calls = (c.flags.calls + n - 1) / n
	}
	d, err := driver.New(config)
	if err != nil {
		return err
	}
	defer c.say(i, d)
	last := time.Now()
	for ctx.Err() == nil && !d.Done() {
		f, err := d.Next()
		if err != nil {
			return err
		}
		if f != nil {
			if err := c.found(f, stop); err != nil {
				return err
			}
		}
		if now := time.Now(); now.Sub(last) > publish {
			last = now
			c.say(i, d)
		}
	}
	return d.Close()
}

// say publishes how far worker i is.
func (c *campaign) say(i int, d *driver.Driver) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.stats[i] = d.Stats
	c.moved[i] = time.Now()
}

// found shows a failure if it is of a new kind, as small as it gets.
func (c *campaign) found(f *driver.Failure, stop func()) error {
	key := signature(f)
	if c.seen(key) {
		return nil
	}
	small, err := minimize(c.config, f)
	if err != nil {
		return err
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	i := c.known[key]
	r, err := reproducer(c.config, fmt.Sprintf("failure-%d", i+1), small)
	if err != nil {
		return err
	}
	text := string(r.Text())
	if small.Err != nil {
		text += small.String() + "\n"
	}
	trace, err := writeForms(c.flags.out, r)
	if err != nil {
		return err
	}
	c.failures[i].Script, c.failures[i].Trace = text, trace
	c.line.clear()
	if _, err := fmt.Fprintf(c.out, "failure %d, in %s:\n%s\n", i+1, trace, text); err != nil {
		return err
	}
	if len(c.failures) >= c.flags.failures {
		stop()
	}
	return nil
}

// seen counts a failure and reports whether one like it was seen before.
func (c *campaign) seen(key string) bool {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.failing++
	i, known := c.known[key]
	if !known {
		i = len(c.failures)
		c.known[key] = i
		c.failures = append(c.failures, fuzzFailure{Signature: key})
	}
	c.failures[i].Scripts++
	return known
}

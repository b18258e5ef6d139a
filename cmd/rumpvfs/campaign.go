package main

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"sync"
	"time"

	"github.com/spf13/cobra"
)

// A worker looks for failures. It is used by one goroutine.
type worker[S any] interface {
	// Done reports whether there is no more to be made.
	Done() bool
	// next makes something and says what is wrong with it; nil is nothing.
	next(ctx context.Context) (*finding, error)
	// figures are a copy of what it has come to so far.
	figures() S
	Close() error
}

// A finding is what a worker has come upon.
type finding struct {
	signature string // those with the same one are alike: the first is shown
	// reproduce makes it as small as it gets, under a name. The worker that has found it makes nothing else meanwhile.
	reproduce func(name string) (*reproducer, error)
}

// A failure is one or more findings that are alike.
type failure struct {
	Signature string `json:"signature"`
	Scripts   uint64 `json:"scripts"`         // how many there are
	Trace     string `json:"trace,omitempty"` // file
	Script    string `json:"script"`          // the smallest, as text with both answers
}

// A campaign is workers that go on until time, work or patience ends.
type campaign[S any] struct {
	flags *searchFlags
	// begin makes worker i.
	begin func(i int) (worker[S], error)
	add   func(sum, figures *S)
	// progress is how far all workers are, in words.
	progress func(sum *S, took time.Duration) string
	// patience is how long a worker may say nothing: natively, a call may wait for ever. 0 is for ever.
	patience time.Duration

	out   io.Writer
	line  *liveLine
	start time.Time

	mu       sync.Mutex
	said     []S            // mu: the figures of each worker, as it last said
	moved    []time.Time    // mu: when each did
	failing  uint64         // mu
	failures []failure      // mu
	known    map[string]int // mu: signature to index in failures
	err      error          // mu: why a worker could not go on
}

// publish is how often a worker says how far it is.
const publish = 50 * time.Millisecond

// stuck is how long a worker may say nothing.
const stuck = 30 * time.Second

// run has all workers work, and gives what they have come to in which time. The error does not say that something was found.
func (c *campaign[S]) run(cmd *cobra.Command) (sum *S, took time.Duration, err error) {
	c.start, c.out, c.known = time.Now(), cmd.OutOrStdout(), map[string]int{}
	c.line = newLiveLine(cmd.ErrOrStderr(), c.start)
	c.said, c.moved = make([]S, c.flags.jobs), make([]time.Time, c.flags.jobs)
	ctx, stop := c.flags.limited(cmd.Context())
	defer stop()
	var workers sync.WaitGroup
	for i := range c.flags.jobs {
		c.moved[i] = c.start
		workers.Go(func() {
			if err := c.work(ctx, i, stop); err != nil {
				c.mu.Lock()
				defer c.mu.Unlock()
				c.err = errors.Join(c.err, err)
				stop()
			}
		})
	}
	done := make(chan struct{})
	go func() {
		workers.Wait()
		close(done)
	}()
	err = c.watch(done)
	c.mu.Lock()
	defer c.mu.Unlock()
	c.line.clear()
	return c.sum(), time.Since(c.start), errors.Join(err, c.err)
}

// sum adds up what the workers have said.
func (c *campaign[S]) sum() *S {
	sum := new(S)
	for i := range c.said {
		c.add(sum, &c.said[i])
	}
	return sum
}

// watch shows how far the workers are until they are done, or until one is stuck.
func (c *campaign[S]) watch(done chan struct{}) error {
	tick := time.NewTicker(redraw)
	defer tick.Stop()
	for {
		select {
		case <-done:
			return nil
		case now := <-tick.C:
			if err := c.look(now); err != nil {
				return err
			}
		}
	}
}

// look shows how far the workers are. The error says which is stuck.
func (c *campaign[S]) look(now time.Time) error {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.line.due(now) {
		c.line.print(now, fmt.Sprintf("%s, %d failures", c.progress(c.sum(), now.Sub(c.start)), len(c.failures)))
	}
	for i, moved := range c.moved {
		if c.patience > 0 && now.Sub(moved) > c.patience {
			return fmt.Errorf("stuck: with seed %d, a script of worker %d never ends; fuzz --deterministic tells which call", c.flags.seed, i)
		}
	}
	return nil
}

// work is worker i.
func (c *campaign[S]) work(ctx context.Context, i int, stop func()) error {
	w, err := c.begin(i)
	if err != nil {
		return err
	}
	defer c.say(i, w)
	last := time.Now()
	for ctx.Err() == nil && !w.Done() {
		f, err := w.next(ctx)
		if err != nil {
			return errors.Join(err, w.Close())
		}
		if f != nil {
			if err := c.found(f, stop); err != nil {
				return errors.Join(err, w.Close())
			}
		}
		if now := time.Now(); now.Sub(last) > publish {
			last = now
			c.say(i, w)
		}
	}
	return w.Close()
}

// say publishes how far worker i is.
func (c *campaign[S]) say(i int, w worker[S]) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.said[i], c.moved[i] = w.figures(), time.Now()
}

// found shows what was found if it is of a new kind, and writes it down.
func (c *campaign[S]) found(f *finding, stop func()) error {
	i, known := c.count(f.signature)
	if known {
		return nil
	}
	r, err := f.reproduce(fmt.Sprintf("failure-%d", i+1))
	if err != nil {
		return err
	}
	file, err := r.write(c.flags.out)
	if err != nil {
		return err
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	c.failures[i].Script, c.failures[i].Trace = r.text, file
	c.line.clear()
	if len(c.failures) >= c.flags.failures {
		stop()
	}
	if !c.flags.json {
		_, err = fmt.Fprintf(c.out, "failure %d, in %s:\n%s\n", i+1, file, r.text)
		return err
	}
	return json.NewEncoder(c.out).Encode(c.failures[i])
}

// count counts a failure and gives its number, and whether one like it was seen before.
func (c *campaign[S]) count(signature string) (i int, known bool) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.failing++
	if i, known = c.known[signature]; !known {
		i = len(c.failures)
		c.known[signature] = i
		c.failures = append(c.failures, failure{Signature: signature})
	}
	c.failures[i].Scripts++
	return i, known
}

// conclude prints the figures of a search. The error is errReported if something was found wrong, or says that it was interrupted.
func conclude(cmd *cobra.Command, asJSON bool, figures []figure, failing uint64, failures []failure) error {
	figures = append(figures, figure{"failing", failing}, figure{"failures", len(failures)})
	if err := printFigures(cmd.OutOrStdout(), asJSON, figures); err != nil {
		return err
	}
	if failing > 0 {
		return errReported
	}
	return cmd.Context().Err()
}

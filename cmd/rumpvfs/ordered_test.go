package main

import (
	"bytes"
	"context"
	"errors"
	"sync/atomic"
	"testing"
	"time"
)

func TestOrdered(t *testing.T) {
	for _, jobs := range []int{-1, 1, 2, 8} {
		var working, most atomic.Int32
		next := 0
		err := ordered(context.Background(), 100, jobs,
			func(_ context.Context, i int) int {
				most.Store(max(most.Load(), working.Add(1)))
				time.Sleep(time.Duration(i%3) * 100 * time.Microsecond)
				working.Add(-1)
				return i * i
			},
			func(i, square int) error {
				if i != next || square != i*i {
					t.Fatalf("jobs %d: result %d of %d, expected that of %d", jobs, square, i, next)
				}
				next++
				return nil
			})
		if err != nil || next != 100 || int(most.Load()) > max(jobs, 1) {
			t.Errorf("jobs %d: %v after %d results, %d at a time", jobs, err, next, most.Load())
		}
	}
}

func TestOrderedEnds(t *testing.T) {
	begun := atomic.Int32{}
	work := func(context.Context, int) int { return int(begun.Add(1)) }
	full := errors.New("full")
	err := ordered(context.Background(), 1000, 2, work, func(i, _ int) error {
		if i == 3 {
			return full
		}
		return nil
	})
	if !errors.Is(err, full) || begun.Load() == 1000 {
		t.Errorf("%v after %d", err, begun.Load())
	}
	ctx, cancel := context.WithCancel(context.Background())
	err = ordered(ctx, 1000, 2, work, func(i, _ int) error {
		if i == 3 {
			cancel()
		}
		return nil
	})
	if !errors.Is(err, context.Canceled) {
		t.Errorf("%v after an interrupt", err)
	}
}

func TestProgress(t *testing.T) {
	var b bytes.Buffer
	now := time.Unix(0, 0)
	p := newProgress(&b, 10, now)
	for _, at := range []time.Duration{100, 900, 1100, 1500, 2300, 4000, 5000} {
		p.step(now.Add(at * time.Millisecond))
	}
	p.clear()
	if want := "3 of 10 sections\n5 of 10 sections\n7 of 10 sections\n"; b.String() != want {
		t.Errorf("in a file: %q, want %q", b.String(), want)
	}

	b.Reset()
	p = newProgress(&b, 10, now)
	p.terminal = true
	p.clear()
	for _, at := range []time.Duration{900, 1100, 1200, 1300} {
		p.step(now.Add(at * time.Millisecond))
	}
	p.clear()
	if want := "\r2 of 10 sections\x1b[K\r4 of 10 sections\x1b[K\r\x1b[K"; b.String() != want {
		t.Errorf("on a terminal: %q, want %q", b.String(), want)
	}
}

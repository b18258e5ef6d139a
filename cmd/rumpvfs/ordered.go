package main

import "context"

// ordered does work(i) for i from 0 to n-1, up to jobs at a time, and hands
// the results to emit in order. It waits for work that has begun; an error of
// emit or the end of ctx lets no more begin.
func ordered[T any](ctx context.Context, n, jobs int, work func(ctx context.Context, i int) T, emit func(i int, result T) error) error {
	ctx, cancel := context.WithCancel(ctx)
	defer cancel()
	jobs = max(jobs, 1)
	slots := make(chan struct{}, jobs) // work going on
	// What is done or going on and not yet emitted; bounded, so that one slow
	// section does not make all later results pile up behind it.
	pending := make(chan chan T, 4*jobs)
	go func() {
		defer close(pending)
		for i := range n {
			if ctx.Err() != nil {
				return // select would choose by chance
			}
			select {
			case slots <- struct{}{}:
			case <-ctx.Done():
				return
			}
			result := make(chan T, 1)
			go func() {
				defer func() { <-slots }()
				result <- work(ctx, i)
			}()
			pending <- result
		}
	}()
	var err error
	i := 0
	for result := range pending {
		r := <-result
		if err == nil {
			if err = emit(i, r); err != nil {
				cancel()
			}
		}
		i++
	}
	if err == nil && i < n {
		err = ctx.Err()
	}
	return err
}

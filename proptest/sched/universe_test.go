package sched_test

import (
	"context"
	"testing"

	"rumpvfs/kern"
	"rumpvfs/proptest/sched"
)

func universes() map[*sched.System]sched.Universe {
	return map[*sched.System]sched.Universe{sched.Rumpfs(kern.Fixed, nil): sched.Names(), sched.Tmpfs(nil): sched.Moves()}
}

// TestPairs exhausts some of all pairs.
func TestPairs(t *testing.T) {
	for on, u := range universes() {
		seen := map[string]bool{}
		for i := range u.Pairs() {
			p := u.Pair(i)
			seen[p.String()] = true
			if i%41 != 0 {
				continue
			}
			f, stats := sched.Explore(context.Background(), p, on, sched.Exhaustive, sched.Options{Schedules: 300})
			if f != nil {
				t.Errorf("%s pair %d: %v", on.Name, i, f)
			}
			if testing.Verbose() {
				t.Logf("%s %d: %+v", on.Name, i, stats)
			}
		}
		if len(u.Calls) != 25 || len(u.Trees) != 5 || len(seen) != u.Pairs() {
			t.Errorf("%s: %d calls, %d trees, %d different programs of %d", on.Name, len(u.Calls), len(u.Trees), len(seen), u.Pairs())
		}
	}
}

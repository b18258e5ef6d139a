package sched_test

import (
	"context"
	"fmt"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

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

// TestPairsReduced: what comes of a program under the schedules of the reduced search is what comes of it under all.
func TestPairsReduced(t *testing.T) {
	small := map[string][]int{ // pairs that have at most a few hundred schedules
		"rumpfs": {46, 69, 92, 115, 161, 253, 966, 989, 1150, 1173, 1196, 1242, 1403, 1495, 1518, 1541, 1587, 1610},
		"tmpfs":  {0, 345, 460, 690, 851, 1150, 1242, 1380},
	}
	for on, u := range universes() {
		for _, i := range small[on.Name] {
			t.Run(fmt.Sprint(on.Name, " ", i), func(t *testing.T) {
				reduced, few := answers(t, on, u.Pair(i), false)
				all, many := answers(t, on, u.Pair(i), true)
				if diff := cmp.Diff(all, reduced); diff != "" {
					t.Errorf("%v, all and reduced:\n%s", u.Pair(i), diff)
				}
				if few > many {
					t.Errorf("%d schedules, more than the %d of all", few, many)
				}
			})
		}
	}
}

// answers exhausts a program, and counts schedules and what calls answered in them.
func answers(t *testing.T, on *sched.System, p *sched.Program, unreduced bool) (found map[string]bool, schedules int) {
	t.Helper()
	found = map[string]bool{}
	f, stats := sched.Explore(context.Background(), p, on, sched.Exhaustive, sched.Options{Unreduced: unreduced, Schedules: 3000, Seen: func(h *sched.History) {
		var b strings.Builder
		for lwp := -1; lwp < len(p.Lwps); lwp++ {
			for i := range h.Calls {
				if d := &h.Calls[i]; d.Lwp == lwp {
					fmt.Fprintln(&b, d.Call, d.Result.Format(d.Call))
				}
			}
		}
		found[b.String()] = true
	}})
	if f != nil || !stats.Exhausted {
		t.Fatalf("%v, %+v", f, stats)
	}
	return found, stats.Schedules
}

package proptest_test

import (
	"os"
	"slices"
	"strings"
	"testing"

	"rumpvfs/hypercall"
	"rumpvfs/kern"
	"rumpvfs/proptest/call"
	"rumpvfs/proptest/clause"
	"rumpvfs/proptest/driver"
	"rumpvfs/proptest/gen"
	"rumpvfs/proptest/model"
	"rumpvfs/proptest/story"
)

// tell makes the calls of a story on model and kernel.
func tell(t *testing.T, fs driver.FS, s *story.Story, m *model.Model, k call.System) {
	t.Helper()
	calls, err := s.Calls(m, fs.Caps.Tmpfs && !fs.Caps.Fifos && !testing.Short())
	if err != nil || m.Reset() != nil || k.Reset() != nil {
		t.Fatalf("%s: %v, or no reset", s.Title, err)
	}
	var want, got call.Result
	for i := range calls {
		c := &calls[i]
		m.Do(c, &want)
		k.Do(c, &got)
		if !want.Equal(&got) {
			t.Errorf("%s, on %s: %v => %s (%v), kernel => %s", s.Title, fs.Name, c, want.Format(c), m.Last, got.Format(c))
			return
		}
	}
	if want.Stop != call.Running { // a kernel that has stopped goes on saying so
		c := call.Call{Op: call.Sync}
		m.Do(&c, &want)
		if k.Do(&c, &got); !want.Equal(&got) {
			t.Errorf("%s, on %s: %v => %s, kernel => %s", s.Title, fs.Name, &c, want.Format(&c), got.Format(&c))
		}
	}
}

// wander makes random calls on a model.
func wander(m *model.Model, seed uint64, calls int, c gen.Config) {
	g := gen.New(gen.NewRand(seed, 0), c)
	var r call.Result
	for calls > 0 {
		_ = m.Reset()
		g.Begin()
		for range g.Length() {
			var c call.Call
			g.Next(&c)
			m.Do(&c, &r)
			g.Note(&c, &r)
			if calls--; r.Stop != call.Running {
				break
			}
		}
	}
}

// covered is the share of the clauses, of those that can be reached, which the tests of this package reach: 97 in 100 at
// least.
const covered = 0.97

// TestStories tells the stories to kernel and model, on each file system as it is and without quirks, then makes random
// calls on the model, and counts the clauses. testdata/missed.txt lists the clauses that are not reached so.
func TestStories(t *testing.T) {
	var all clause.Coverage
	for i, fs := range driver.FileSystems() {
		for _, q := range []kern.Quirks{kern.Rev1125, kern.Fixed} {
			m := fs.Model(q)
			k, err := fs.Kernel(q, hypercall.Deterministic)
			if err != nil {
				t.Fatal(err)
			}
			for _, s := range story.All() {
				tell(t, fs, &s, m, k)
			}
			if err := k.Close(); err != nil {
				t.Error(err)
			}
			if testing.Short() {
				continue
			}
			wander(m, uint64(i), 150_000, gen.Config{Fifos: fs.Caps.Fifos})
			m.Do(&call.Call{}, new(call.Result))
			all.Add(&m.Coverage)
		}
	}
	if !testing.Short() { // else the clauses that only wandering reaches are missing
		checkCoverage(t, &all)
	}
}

// checkCoverage compares the clauses that were not reached with the list of those that need not be.
func checkCoverage(t *testing.T, all *clause.Coverage) {
	t.Helper()
	src, err := os.ReadFile("testdata/missed.txt")
	if err != nil {
		t.Fatal(err)
	}
	var excused []string
	for line := range strings.Lines(string(src)) {
		if line = strings.TrimSpace(line); line != "" && line[0] != '#' {
			excused = append(excused, line)
		}
	}
	for _, name := range excused {
		if id := clause.Named(name); id == 0 || all[id] > 0 {
			t.Errorf("%s is on the list of what is missed, and is reached or no clause", name)
		}
	}
	missing := all.Missing()
	for _, id := range missing {
		if !slices.Contains(excused, id.String()) {
			t.Errorf("%v is not reached any more: %s", id, id.Info().Sentence)
		}
	}
	if hit := all.Hit(); float64(hit) < covered*float64(hit+len(missing)) {
		t.Errorf("%d clauses reached, %d not", hit, len(missing))
	}
	for id := clause.ID(1); int(id) <= len(clause.All()); id++ {
		if all[id] > 0 && id.Info().Unreachable != "" {
			t.Errorf("%v is reached: %s", id, id.Info().Unreachable)
		}
	}
}

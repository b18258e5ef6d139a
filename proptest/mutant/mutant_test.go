package mutant

import (
	"context"
	"flag"
	"os"
	"strings"
	"testing"

	"rumpvfs/kern"
	"rumpvfs/proptest/driver"
)

// update hunts the mutants of which testdata has no killer, for so long each, and writes down what it finds.
var update = flag.Duration("update", 0, "hunt for killers that are missing in testdata")

const killersFile = "testdata/killers.rvs"

// killers reads testdata.
func killers(t *testing.T) map[string]Killer {
	t.Helper()
	src, err := os.ReadFile(killersFile)
	if err != nil && *update == 0 {
		t.Fatal(err)
	}
	list, err := ParseKillers(killersFile, src)
	if err != nil {
		t.Fatal(err)
	}
	found := map[string]Killer{}
	for _, k := range list {
		found[k.Name] = k
	}
	return found
}

// hunted adds killers that are missing.
func hunted(t *testing.T, known map[string]Killer) {
	var list []Killer
	for _, m := range All() {
		k, ok := known[m.Name]
		if m.Kind == Concurrent {
			continue
		}
		if !ok {
			ctx, cancel := context.WithTimeout(context.Background(), *update)
			found, err := Hunt(ctx, m, 1, 0)
			cancel()
			if err != nil || found.Failure == nil {
				t.Errorf("%s: not found in %d calls: %v", m.Name, found.Tried, err)
				continue
			}
			t.Logf("%s: %d calls, minimal %v", m.Name, found.Tried, found.Minimal)
			k = Killer{m.Name, found.Failure.Script}
			known[m.Name] = k
		}
		list = append(list, k)
	}
	if err := os.WriteFile(killersFile, WriteKillers(list), 0o666); err != nil {
		t.Fatal(err)
	}
}

// TestKillers makes the calls of each killer on its mutant, which shows, and on a kernel without a bug, which has nothing to
// show.
func TestKillers(t *testing.T) {
	known := killers(t)
	if *update > 0 {
		hunted(t, known)
	}
	for _, m := range All() {
		if m.Kind == Concurrent {
			continue
		}
		k, ok := known[m.Name]
		delete(known, m.Name)
		if !ok {
			t.Errorf("%s: no killer", m.Name)
			continue
		}
		f, err := Replay(m, k.Script)
		if err != nil || f == nil {
			t.Errorf("%s: not noticed: %v", m.Name, err)
		}
		if m.Oracle == Model && f != nil && f.Kind != driver.Differs {
			t.Errorf("%s: the model should notice: %v", m.Name, f)
		}
		without := Replay
		if m.Kind == Fault {
			without = ReplayFaults
		}
		if f, err := without(nil, k.Script); err != nil || f != nil {
			t.Errorf("%s: without the bug: %v, %v", m.Name, f, err)
		}
	}
	for name := range known {
		t.Errorf("%s: there is no such mutant", name)
	}
}

// TestAll checks what is said about the mutants, and that there are as many as there should be.
func TestAll(t *testing.T) {
	names, whats := map[string]bool{}, map[string]bool{}
	real := 0
	for _, m := range All() {
		if names[m.Name] || whats[m.What] {
			t.Errorf("%s: twice", m.Name)
		}
		names[m.Name], whats[m.What] = true, true
		if !strings.HasSuffix(m.What, ".") || (m.vector == nil) == (m.sysent == nil) {
			t.Errorf("%s: incomplete", m.Name)
		}
		if m.Origin != "" {
			real++
		}
		if got, err := Named(m.Name); err != nil || got.What != m.What {
			t.Errorf("%s: Named: %v", m.Name, err)
		}
	}
	if len(names) < 219 || real < 31 {
		t.Errorf("%d mutants, %d from NetBSD", len(names), real)
	}
}

func TestNamed(t *testing.T) {
	for name, want := range map[string]string{"lock-end": "lock-end-overflow", "none-of-these": "no mutant"} {
		if _, err := Named(name); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%s: %v", name, err)
		}
	}
}

// TestWithoutABug: the wrapping itself changes nothing.
func TestWithoutABug(t *testing.T) {
	nothing := &Mutant{Name: "nothing", vector: func(*vector) {}}
	k, err := Hunt(context.Background(), nothing, 1, 20000)
	if err != nil || k.Failure != nil || k.Tried < 20000 {
		t.Errorf("%+v, %v", k, err)
	}
	if f, err := Replay(nil, nil); f != nil || err != nil {
		t.Error(f, err)
	}
	sys, err := New(nil, driver.Rumpfs(), Config{Quirks: kern.Fixed})
	if err != nil || sys.Close() != nil {
		t.Error(err)
	}
}

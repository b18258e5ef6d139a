package mutant

import (
	"context"
	"fmt"
	"os"
	"strings"
	"testing"

	"rumpvfs/proptest/sched"
)

const racesFile = "testdata/races.txt"

// shown is whether a program shows a mutant.
func shown(m *Mutant, p sched.Titled) bool {
	f, _ := Race(context.Background(), m, p.Program, sched.Options{Schedules: 100, Whole: true})
	return f != nil
}

// programs are those for the file system that a mutant is in, by title.
func programs(t *testing.T, m *Mutant) (list []sched.Titled, titled map[string]sched.Titled) {
	t.Helper()
	list, err := sched.Programs(System(m))
	if err != nil {
		t.Fatal(err)
	}
	titled = map[string]sched.Titled{}
	for _, p := range list {
		titled[p.Title] = p
	}
	return list, titled
}

// raced looks for programs that show mutants, and writes down which.
func raced(t *testing.T) {
	var b strings.Builder
	for _, m := range All() {
		if m.Kind != Concurrent {
			continue
		}
		list, _ := programs(t, m)
		for _, p := range list {
			if shown(m, p) {
				fmt.Fprintf(&b, "%s: %s\n", m.Name, p.Title)
				break
			}
		}
	}
	if err := os.WriteFile(racesFile, []byte(b.String()), 0o666); err != nil {
		t.Fatal(err)
	}
}

// TestRaces runs on each mutant of concurrency a program that shows it, which it does, and all programs on kernels without a
// bug, which have nothing to show.
func TestRaces(t *testing.T) {
	if *update > 0 {
		raced(t)
	}
	src, err := os.ReadFile(racesFile)
	if err != nil {
		t.Fatal(err)
	}
	known := map[string]string{}
	for line := range strings.Lines(string(src)) {
		name, title, _ := strings.Cut(strings.TrimSpace(line), ": ")
		known[name] = title
	}
	for _, m := range All() {
		if m.Kind != Concurrent {
			continue
		}
		_, titled := programs(t, m)
		if p, ok := titled[known[m.Name]]; !ok || !shown(m, p) {
			t.Errorf("%s: not noticed", m.Name)
		}
		delete(known, m.Name)
	}
	for name := range known {
		t.Errorf("%s: there is no such mutant", name)
	}
	for _, m := range []*Mutant{{Name: "nothing", vector: func(*vector) {}}, {Name: "nothing", Tmpfs: true, vector: func(*vector) {}}} {
		list, _ := programs(t, m)
		for _, p := range list {
			if shown(m, p) {
				t.Errorf("%s: without a bug", p.Title)
			}
		}
	}
}

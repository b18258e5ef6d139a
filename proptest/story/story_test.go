package story_test

import (
	"fmt"
	"testing"

	"rumpvfs/kern"
	"rumpvfs/proptest/driver"
	"rumpvfs/proptest/story"
)

// TestAll reads all stories for each file system, and counts what they are for: most clauses of the model that file systems have
// anything to do with.
func TestAll(t *testing.T) {
	titles := map[string]bool{}
	for _, s := range story.All() {
		if titles[s.Title] {
			t.Errorf("%q is told twice", s.Title)
		}
		titles[s.Title] = true
	}
	for _, fs := range driver.FileSystems() {
		m := fs.Model(kern.Fixed)
		for _, s := range story.All() {
			if calls, err := s.Calls(m, false); err != nil || len(calls) == 0 {
				t.Errorf("%s: %s: %d calls, %v", fs.Name, s.Title, len(calls), err)
			}
		}
		if n := m.Coverage.Hit(); !fs.Caps.ReadOnly && n < 600 {
			t.Errorf("%s: only %d clauses", fs.Name, n)
		} else {
			t.Logf("%s: %d clauses", fs.Name, n)
		}
	}
}

func Example() {
	s := story.All()[23]
	calls, err := s.Calls(driver.Tmpfs().Model(kern.Fixed), true)
	fmt.Println(s.Title, err)
	for i := range calls {
		fmt.Println(&calls[i])
	}
	// Output:
	// as much of a path as fits <nil>
	// mkdir "/a" 0755
	// mkdir "/a/e" 0755
	// chdir "/a/e"
	// getcwd 3
	// getcwd 4
	// getcwd 5
}

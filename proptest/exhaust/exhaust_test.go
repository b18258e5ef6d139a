package exhaust

import (
	"errors"
	"fmt"
	"slices"
	"strings"
	"testing"

	"rumpvfs/hypercall"
	"rumpvfs/kern"
	"rumpvfs/proptest/call"
	"rumpvfs/proptest/driver"
)

var ab = []string{"a", "b"}

// search runs a search.
func search(t testing.TB, c Config) *Search {
	t.Helper()
	s, err := New(c)
	if err != nil {
		t.Fatal(err)
	}
	if err := s.Run(); err != nil {
		t.Fatal(err)
	}
	return s
}

// TestKernel makes all scripts of three calls, with and without the reference's defects.
func TestKernel(t *testing.T) {
	for quirks, states := range map[kern.Quirks][]uint64{kern.Rev1125: {9, 113, 983}, kern.Fixed: {9, 107, 858}} {
		s := search(t, Config{Depth: 3, Names: ab, Calls: Alphabet(ab...), Quirks: quirks})
		for _, f := range s.Failures {
			t.Errorf("%v: %v", quirks, f)
		}
		for i, l := range s.Levels {
			if l.States != states[i] {
				t.Errorf("%v: %d new states after %d calls, want %d", quirks, l.States, l.Depth, states[i])
			}
		}
	}
}

// TestAudit makes all scripts of two calls one by one.
func TestAudit(t *testing.T) {
	c := Config{Depth: 2, Names: ab, Calls: Alphabet(ab...), Quirks: kern.Fixed, Record: true}
	merged := search(t, c)
	c.Raw = true
	raw := search(t, c)
	if err := Audit(raw, merged); err != nil || len(raw.Failures) > 0 {
		t.Error(err, raw.Failures)
	}
	if n := uint64(len(c.Calls)); raw.Totals().Transitions != n+n*n || raw.Totals().Booted != n+n*n {
		t.Errorf("%d calls, %+v", n, raw.Totals())
	}
}

// TestAuditFinds checks that an audit finds a state that does not stand for all that is in it: here where in a directory
// an offset is, which the state leaves out and lseek shows.
func TestAuditFinds(t *testing.T) {
	c := Config{Depth: 5, Quirks: kern.Fixed, Record: true, Raw: true, Calls: []call.Call{{Op: call.Mknod, Path: "/tmp/a", Mode: kern.S_IFWHT},
		{Op: call.Open, Path: "/tmp"}, {Op: call.Getdents, FD: 3, N: 512}, {Op: call.Lseek, FD: 3, Flags: kern.SEEK_CUR}}}
	s := search(t, c)
	if len(s.Failures) == 0 || s.Failures[0].Kind != driver.Invalid || !strings.Contains(s.Failures[0].Err.Error(), "something else") {
		t.Error(s.Failures)
	}
}

// TestAuditCompares checks that searches that differ do not pass.
func TestAuditCompares(t *testing.T) {
	c := Config{Depth: 2, Names: ab, Calls: Alphabet(ab...), Quirks: kern.Fixed, Record: true}
	merged := search(t, c)
	for name, spoil := range map[string]func(s *Search){
		"levels":      func(s *Search) { s.Levels = s.Levels[:1] },
		"states":      func(s *Search) { s.Levels[1].States++ },
		"reached":     func(s *Search) { s.seen[Key{1}] = struct{}{} },
		"transitions": func(s *Search) { s.record[transition{call: 1}] = outcome{} },
		"came to": func(s *Search) {
			for k := range s.record {
				s.record[k] = outcome{}
			}
		},
	} {
		other := search(t, c)
		if spoil(other); Audit(other, merged) == nil || !strings.Contains(Audit(other, merged).Error(), name) {
			t.Errorf("%s: %v", name, Audit(other, merged))
		}
	}
}

// A broken kernel is wrong about some calls.
type broken struct {
	call.System
	do    func(c *call.Call, r *call.Result)
	reset func() error
}

func (b *broken) Do(c *call.Call, r *call.Result) {
	b.System.Do(c, r)
	b.do(c, r)
}

func (b *broken) Reset() error { return errors.Join(b.System.Reset(), b.reset()) }

// TestFinds plants bugs.
func TestFinds(t *testing.T) {
	for _, tc := range []struct {
		name  string
		depth int
		raw   bool
		kind  driver.Kind
		bug   func() (do func(c *call.Call, r *call.Result), reset func() error)
		last  call.Op
		short bool // the script that shows it has no more calls than the depth
	}{
		{"an answer", 1, false, driver.Differs, func() (func(*call.Call, *call.Result), func() error) {
			return func(c *call.Call, r *call.Result) {
				if c.Op == call.Readlink && r.Errno == kern.ENOENT {
					r.Fail(kern.EINVAL)
				}
			}, nil
		}, call.Readlink, false},
		{"a third call", 3, true, driver.Differs, func() (func(*call.Call, *call.Result), func() error) {
			made := 0
			return func(c *call.Call, r *call.Result) {
				if made++; made == 3 && c.Op == call.Getcwd {
					r.Ret++
				}
			}, func() error { made = 0; return nil }
		}, call.Getcwd, true},
		{"a name that is not forgotten", 1, false, driver.Differs, func() (func(*call.Call, *call.Result), func() error) {
			removed := false
			return func(c *call.Call, r *call.Result) {
				removed = removed || c.Op == call.Rmdir && r.Errno == 0
				if c.Op == call.Mknod && c.Path == "b" && removed {
					r.Fail(kern.EEXIST)
				}
			}, func() error { removed = false; return nil }
		}, call.Mknod, false},
		{"a panic", 2, false, driver.Panics, func() (func(*call.Call, *call.Result), func() error) {
			return func(c *call.Call, r *call.Result) {
				if c.Op == call.Fchdir && r.Errno == kern.ENOTDIR {
					r.Fail(0)
					r.Stop = call.Panic
				}
			}, nil
		}, call.Fchdir, false},
		{"what is left over", 2, false, driver.Leftover, func() (func(*call.Call, *call.Result), func() error) {
			dups := 0
			return func(c *call.Call, r *call.Result) {
					if c.Op == call.Dup && r.Errno == 0 {
						dups++
					}
				}, func() error {
					if dups > 0 {
						return errors.New("a reference")
					}
					return nil
				}
		}, call.None, false},
	} {
		c := Config{Depth: tc.depth, Names: ab, Calls: Alphabet(ab...), Quirks: kern.Fixed, Raw: tc.raw}
		c.System = func() (call.System, error) {
			k, err := driver.Rumpfs().Kernel(kern.Fixed, hypercall.Native)
			do, reset := tc.bug()
			if reset == nil {
				reset = func() error { return nil }
			}
			return &broken{k, do, reset}, err
		}
		if tc.raw {
			c.Names, c.Calls = nil, []call.Call{{Op: call.Getcwd, N: 100}, {Op: call.Umask}, {Op: call.Getpid}}
		}
		s := search(t, c)
		if len(s.Failures) == 0 {
			t.Errorf("%s: not found", tc.name)
			continue
		}
		f := s.Failures[0]
		if f.Kind != tc.kind || tc.last != call.None && f.Script[len(f.Script)-1].Op != tc.last || tc.short && len(f.Script) > tc.depth {
			t.Errorf("%s: %v", tc.name, f)
		}
	}
}

// TestConfig checks what is no search.
func TestConfig(t *testing.T) {
	for says, c := range map[string]Config{
		"scripts have from 1 to 7 calls, not 0":  {Calls: Alphabet("a")},
		"not 8":                                  {Calls: Alphabet("a"), Depth: 8},
		"0 calls":                                {Depth: 1},
		"257 calls":                              {Depth: 1, Calls: make([]call.Call, 257)},
		`and stat "b", with other names, is not`: {Depth: 1, Names: ab, Calls: []call.Call{{Op: call.Stat, Path: "a"}}},
		`and stat "../a/", with other names, is not`: {Depth: 1, Names: ab, Calls: []call.Call{{Op: call.Stat, Path: "../b/"}}},
	} {
		if _, err := New(c); err == nil || !strings.Contains(err.Error(), says) {
			t.Errorf("%v, want %s", err, says)
		}
	}
	none := errors.New("no kernel")
	s, err := New(Config{Depth: 1, Calls: Alphabet("a"), System: func() (call.System, error) { return nil, none }})
	if err != nil || !errors.Is(s.Run(), none) {
		t.Error(err)
	}
}

// TestAlphabet checks that there is no call twice, and all kinds.
func TestAlphabet(t *testing.T) {
	for n, names := range [][]string{{"a"}, ab, {"a", "b", "c"}} {
		calls := Alphabet(names...)
		kinds := map[call.Op]bool{}
		for i, c := range calls {
			if kinds[c.Op] = true; slices.Contains(calls[:i], c) {
				t.Errorf("%v is there twice", c)
			}
		}
		if len(kinds) < 30 || n == 1 && len(calls) < 100 {
			t.Errorf("%v: %d calls of %d kinds", names, len(calls), len(kinds))
		}
		if _, err := newSymmetry(names, calls); err != nil {
			t.Error(err)
		}
	}
}

// TestOrder checks that a search comes to the same scripts every time.
func TestOrder(t *testing.T) {
	c := Config{Depth: 2, Names: ab, Calls: Alphabet(ab...), Quirks: kern.Rev1125}
	one, two := search(t, c), search(t, c)
	if !slices.Equal(one.frontier, two.frontier) || !slices.Equal(one.Levels, two.Levels) {
		t.Error("two searches differ")
	}
}

func BenchmarkSearch(b *testing.B) {
	var transitions uint64
	for b.Loop() {
		s := search(b, Config{Depth: 3, Names: ab, Calls: Alphabet(ab...), Quirks: kern.Rev1125})
		transitions += s.Totals().Transitions
	}
	b.ReportMetric(float64(transitions)/b.Elapsed().Seconds(), "transitions/s")
}

// What two calls can come to, in a world of one name.
func Example() {
	s, err := New(Config{Depth: 2, Names: []string{"a"}, Calls: []call.Call{
		{Op: call.Mkdir, Path: "a", Mode: 0o755}, {Op: call.Rmdir, Path: "a"}, {Op: call.Stat, Path: "a/.."}}})
	if err != nil {
		fmt.Println(err)
		return
	}
	if err := s.Run(); err != nil {
		fmt.Println(err)
	}
	for _, l := range s.Levels {
		fmt.Printf("after %d: %d transitions, %d new states\n", l.Depth, l.Transitions, l.States)
	}
	fmt.Println(len(s.Failures), "failures")
	// Output:
	// after 1: 3 transitions, 1 new states
	// after 2: 3 transitions, 0 new states
	// 0 failures
}

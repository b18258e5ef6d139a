package meta

import (
	"context"
	"errors"
	"strings"
	"testing"

	"rumpvfs/kern"
	"rumpvfs/proptest/call"
	"rumpvfs/proptest/driver"
	"rumpvfs/proptest/target"
	"rumpvfs/sim"
)

// TestRules tries all rules, with and without the reference's defects.
func TestRules(t *testing.T) {
	for _, q := range []kern.Quirks{kern.Fixed, kern.Rev1125} {
		r := NewRunner(Config{Quirks: q, Calls: 60000})
		list, err := r.Run(context.Background())
		if err != nil {
			t.Fatal(err)
		}
		for _, f := range list {
			t.Errorf("%v: %v", q, f)
		}
		for _, rule := range Rules() {
			if r.Tried[rule.Name] == 0 && len(list) == 0 {
				t.Errorf("%v: %s never tried", q, rule.Name)
			}
		}
		if err := r.Close(); err != nil {
			t.Error(err)
		}
	}
}

// TestFileSystems tries the rules that are about file systems on each.
func TestFileSystems(t *testing.T) {
	for _, fs := range driver.FileSystems() {
		r := NewRunner(Config{Quirks: kern.Fixed, Calls: 10000, FS: fs})
		list, err := r.Run(context.Background())
		if err != nil {
			t.Fatal(err)
		}
		for _, f := range list {
			t.Errorf("%s: %v", fs.Name, f)
		}
		if r.Tried["recycle"] == 0 || (r.Tried["names"] == 0) != (len(fs.Tree) > 0) {
			t.Errorf("%s: %v", fs.Name, r.Tried)
		}
		if err := r.Close(); err != nil {
			t.Error(err)
		}
	}
}

// A liar is a kernel that is wrong at times.
type liar struct {
	call.System
	lie func(c *call.Call, r *call.Result)
}

func (l liar) Do(c *call.Call, r *call.Result) {
	l.System.Do(c, r)
	l.lie(c, r)
}

// TestFinds plants a bug for each rule in the kernel that makes the other script, and looks at the script that shows it.
func TestFinds(t *testing.T) {
	names := func(part string) func(c *call.Call, r *call.Result) {
		return func(c *call.Call, r *call.Result) {
			if c.Op == call.Lstat && strings.Contains(c.Path, part) && r.Errno == 0 {
				r.Fail(kern.EIO)
			}
		}
	}
	lost := func(c *call.Call, r *call.Result) { r.File.Nlink += r.File.Mode & 1 }
	synced := false
	for rule, bug := range map[string]struct {
		kernel string
		lie    func(c *call.Call, r *call.Result)
		calls  int // that it takes at most
	}{
		"parent":  {"plain", names("/../"), 2},
		"dot":     {"plain", names("./"), 2},
		"slashes": {"plain", names("//"), 2},
		"names":   {"plain", names("b"), 2},
		"sync": {"plain", func(c *call.Call, r *call.Result) {
			if synced && c.Op == call.Umask {
				r.Ret++
			}
			synced = c.Op == call.Sync
		}, 1},
		"recycle":    {"recycle", lost, 2},
		"few-vnodes": {"few-vnodes", lost, 2},
		"boundary":   {"deeper", lost, 2},
		"unmounted":  {"unmounted", lost, 2},
		"quirk":      {"quirk", lost, 2},
		"language": {"language", func(c *call.Call, r *call.Result) {
			if c.Op == call.Umask {
				r.Data = append(r.Data, '0')
			}
		}, 1},
	} {
		f := planted(t, rule, bug.kernel, bug.lie)
		if f == nil || f.Rule.Name != rule || len(f.Script) > bug.calls {
			t.Errorf("%s: %v", rule, f)
		} else if text := f.String(); !strings.Contains(text, f.Rule.Sentence) || !strings.Contains(text, f.Script[0].String()) {
			t.Error(text)
		} else {
			reproduced(t, f)
		}
	}
}

// reproduced writes a failure down, reads it, and tries the rule again on kernels that do not lie.
func reproduced(t *testing.T, f *Failure) {
	t.Helper()
	c := Reproducer("a-failure", f)
	written := string(c.Text())
	if shown := strings.Contains(written, "but got") || f.Rule.text && strings.Contains(written, f.got()); !shown {
		t.Errorf("%s: only the script:\n%s", f.Rule.Name, written)
	}
	for _, file := range c.Files() {
		if trace := file.Suffix == ".trace"; len(file.Text) == 0 || trace && (f.Rule.base != nil || f.Rule.other != nil) {
			t.Errorf("%s: %s\n%s", f.Rule.Name, file.Suffix, file.Text)
		}
	}
	if g, err := Replay(f.Rule.Name, f.FS.Name, f.Quirks, f.Seed, f.Choices, strings.Join(c.Test.Lines, "\n")); g != nil || err != nil {
		t.Errorf("%s: again: %v, %v", f.Rule.Name, g, err)
	}
}

// TestReplay reads what makes no sense.
func TestReplay(t *testing.T) {
	for _, tc := range []struct{ rule, fs, script string }{{"no-such-rule", "rumpfs", ""}, {"dot", "no-such-fs", ""}, {"dot", "rumpfs", "frobnicate"}} {
		if f, err := Replay(tc.rule, tc.fs, kern.Fixed, 0, 0, tc.script); f != nil || err == nil {
			t.Errorf("%v: %v, %v", tc, f, err)
		}
	}
}

// planted is what a rule finds if a kernel lies.
func planted(t *testing.T, name, kernel string, lie func(c *call.Call, r *call.Result)) *Failure {
	t.Helper()
	rule, ok := RuleNamed(name)
	if !ok {
		t.Fatalf("no rule is called %s", name)
	}
	r := NewRunner(Config{Quirks: kern.Fixed, Calls: 4000000, Rules: []Rule{rule}})
	r.wrap = func(name string, k call.System) call.System {
		if strings.HasPrefix(name, kernel) {
			return liar{k, lie}
		}
		return k
	}
	list, err := r.Run(context.Background())
	if err != nil {
		t.Fatal(err)
	}
	if len(list) == 0 {
		return nil
	}
	return list[0]
}

// A leaker is a kernel that says it is broken once a directory was removed.
type leaker struct {
	call.System
	broken bool
}

func (l *leaker) Do(c *call.Call, r *call.Result) {
	l.System.Do(c, r)
	l.broken = l.broken || c.Op == call.Rmdir && r.Errno == 0
}

func (l *leaker) Reset() error {
	l.broken = false
	return l.System.Reset()
}

func (l *leaker) Check() error {
	if l.broken {
		return errors.New("broken: a reference too many")
	}
	return nil
}

// TestInvariants has either kernel of a rule be broken after the script.
func TestInvariants(t *testing.T) {
	for _, kernel := range []string{"remembering", "few-vnodes"} {
		rule, _ := RuleNamed("few-vnodes")
		r := NewRunner(Config{Quirks: kern.Fixed, Calls: 100000, Rules: []Rule{rule}})
		r.wrap = func(name string, k call.System) call.System {
			if name == kernel {
				return &leaker{System: k}
			}
			return k
		}
		list, err := r.Run(context.Background())
		if err != nil || len(list) != 1 || len(list[0].Script) != 2 || !strings.Contains(list[0].String(), "a reference too many") {
			t.Fatalf("%s: %v, %v", kernel, list, err)
		}
		if text := string(Reproducer("broken", list[0]).Text()); !strings.Contains(text, "# rule few-vnodes: broken: a reference too many") {
			t.Error(text)
		}
		if err := r.Close(); err != nil {
			t.Error(err)
		}
	}
}

// TestForgottenSize has the rule about vnodes that go find the quirk that it leaves out.
func TestForgottenSize(t *testing.T) {
	rule, _ := RuleNamed("recycle")
	rule.base = plain
	rule.other = func(r *Runner) (call.System, error) {
		return r.kernel("forgetful", func() (call.System, error) {
			k, err := target.New(sim.Config{}, nil)
			return &recycler{k, r}, err
		})
	}
	r := NewRunner(Config{Quirks: kern.Rev1125, Rules: []Rule{rule}, Calls: 3000000})
	list, err := r.Run(context.Background())
	if err != nil || len(list) != 1 {
		t.Fatal(list, err)
	}
	if f := list[0]; len(f.Script) > 6 {
		t.Errorf("%v", f)
	}
	if err := r.Close(); err != nil {
		t.Error(err)
	}
}

// TestChanges shows what rules make of paths.
func TestChanges(t *testing.T) {
	for _, path := range []string{"/a/b", "tmp", "..", "nn/x", "e//n/"} {
		if got := rotate(rotate(path, 1), len(rotated)-1); got != path {
			t.Errorf("%q comes back as %q", path, got)
		}
	}
	if got := rotate("/a/nn/tmp/../abc", 1); got != "/b/aa/tmp/../abc" {
		t.Errorf("%q", got)
	}
	for _, path := range []string{"", "/", "//", call.NullPath, strings.Repeat("a/", roomy)} {
		if changeable(path) {
			t.Errorf("%.10q is changed", path)
		}
	}
}

func BenchmarkRules(b *testing.B) {
	for _, rule := range Rules() {
		b.Run(rule.Name, func(b *testing.B) {
			r := NewRunner(Config{Quirks: kern.Fixed, Calls: uint64(b.N), Rules: []Rule{rule}})
			if list, err := r.Run(context.Background()); err != nil || len(list) > 0 {
				b.Error(list, err)
			}
			if err := r.Close(); err != nil {
				b.Error(err)
			}
		})
	}
}

package hypercall

import (
	"strings"
	"sync"
	"testing"

	"github.com/google/go-cmp/cmp"
)

// lockStories are what threads do with locks, in words "THREAD DO LOCK": + enters as writer, < as reader, ? tries to enter, - leaves,
// d downgrades, u upgrades, x destroys, ^ leaves a lock that another thread entered as reader; "1." returns from a call, "1e" ends
// the thread. Locks a to f are mutexes of classes without rank; r, s, t have ranks 10, 20, 30; p has r's; k, l and m are three
// subclasses of rank 50; v, w, x, y nest, in one class; R is a lock that reorders these; i, j are of one class that does not
// nest; g, h are read-write locks; n has no class.
//
// rule is what is reported, "" for nothing.
var lockStories = []struct {
	name  string
	story string
	rule  string
}{
	// To report.
	{"two threads, two locks", "1+a 1+b 1-b 1-a 2+b 2+a 2-a 2-b", "circle"},
	{"one thread, two orders", "1+a 1+b 1-b 1-a 1+b 1+a 1-a 1-b", "circle"},
	{"circle of three", "1+a 1+b 1-b 1-a 2+b 2+c 2-c 2-b 3+c 3+a 3-a 3-c", "circle"},
	{"circle of five", "1+a 1+b 1-b 1-a 1+b 1+c 1-c 1-b 1+c 1+d 1-d 1-c 1+d 1+e 1-e 1-d 2+e 2+a 2-a 2-e", "circle"},
	{"circle through a lock held further out", "1+a 1+b 1+c 1-c 1-b 1-a 2+c 2+a 2-a 2-c", "circle"},
	{"circle through ranks", "1+r 1+a 1-a 1-r 2+s 2+b 2-b 2-s 1+a 1+s 1-s 1-a 2+b 2+r 2-r 2-b", "circle"},
	{"ranks", "1+s 1+r 1-r 1-s", "out of order"},
	{"ranks, one between", "1+r 1+t 1+s 1-s 1-t 1-r", "out of order"},
	{"ranks, inner lock left first", "1+r 1+t 1-r 1+s 1-s 1-t", "out of order"},
	{"one place", "1+r 1+p 1-p 1-r", "one place"},
	{"two of a class", "1+i 1+j 1-j 1-i", "one place"},
	{"subclasses", "1+l 1+k 1-k 1-l", "out of order"},
	{"subclasses, one left out", "1+m 1+k 1-k 1-m", "out of order"},
	{"nested both ways", "1+v 1+w 1-w 1-v 2+w 2+v 2-v 2-w", "circle"},
	{"nested circle of three", "1+v 1+w 1-w 1-v 1+w 1+x 1-x 1-w 2+x 2+v 2-v 2-x", "circle"},
	{"reader again", "1<g 1<g 1-g 1-g", "again"},
	{"readers in two orders", "1<g 1<h 1-h 1-g 2<h 2<g 2-g 2-h", "circle"},
	{"under a lock got by an attempt", "1+a 1+b 1-b 1-a 2?b 2+a 2-a 2-b", "circle"},
	{"reader's lock left by another", "1<g 2^g", "another thread"},
	{"held at return", "1+a 1.", "held at return"},
	{"reader at return", "1<g 1.", "held at return"},
	{"got by an attempt, held at return", "1?a 1.", "held at return"},
	{"held at the end", "1+a 1e", "held at the end"},
	{"nested both ways under two different locks", "1+a 1+v 1+w 1-w 1-v 1-a 2+b 2+w 2+v 2-v 2-w 2-b", "circle"},
	{"nested both ways under one lock, then without", "1+a 1+v 1+w 1-w 1-v 1-a 2+a 2+w 2+v 2-v 2-w 2-a 1+v 1+w 1-w 1-v", "circle"},
	{"nested both ways under a lock held by readers", "1<g 1+v 1+w 1-w 1-v 1-g 2<g 2+w 2+v 2-v 2-w 2-g", "circle"},
	{"order after an upgrade", "1<g 1u 1+a 1-a 1-g 2+a 2+g 2-g 2-a", "circle"},
	{"ranks, then one without", "1+r 1+t 1-t 1-r 2+a 2+r 2-r 2-a 2+t 2+a 2-a 2-t", "circle"},
	{"ranks under another, then without it", "1+r 1+s 1+t 1-t 1-s 1-r 3+a 3+s 3-s 3-a 2+r 2+t 2+a 2-a 2-t 2-r 1+s 1+t 1-t 1-s", "circle"},
	{"without a class", "1+n 1+a 1-a 1-n 2+a 2+n 2-n 2-a", "circle"},

	// Not to report.
	{"one lock", "1+a 1-a 2+a 2-a 1.", ""},
	{"one order", "1+a 1+b 1-b 1-a 2+a 2+b 2-b 2-a", ""},
	{"left in another order", "1+a 1+b 1-a 1-b 2+a 2+b 2-a 2-b 1. 2.", ""},
	{"one after the other", "1+a 1-a 1+b 1-b 2+b 2-b 2+a 2-a", ""},
	{"hand over hand", "1+a 1+b 1-a 1+c 1-b 1-c 2+b 2+c 2-b 2-c", ""},
	{"tree of orders", "1+a 1+b 1-b 1+c 1-c 1-a 2+b 2+c 2-c 2-b", ""},
	{"attempt the other way", "1+a 1+b 1-b 1-a 2+b 2?a 2-a 2-b", ""},
	{"attempt against ranks", "1+s 1?r 1-r 1-s", ""},
	{"attempt at another of the class", "1+i 1?j 1-j 1-i", ""},
	{"ranks in order", "1+r 1+s 1+t 1-t 1-s 1-r", ""},
	{"ranks with a gap", "1+r 1+t 1-t 1-r 2+s 2+t 2-t 2-s", ""},
	{"ranks after leaving", "1+t 1-t 1+r 1-r", ""},
	{"subclasses in order", "1+k 1+l 1+m 1-m 1-l 1-k", ""},
	{"two of a class, one at a time", "1+i 1-i 1+j 1-j", ""},
	{"ranks under another, then one without", "1+r 1+s 1+t 1-t 1-s 1-r 3+a 3+s 3-s 3-a 2+r 2+t 2+a 2-a 2-t 2-r", ""},
	{"nested one way", "1+v 1+w 1+x 1-x 1-w 1-v 2+v 2+x 2-x 2-v", ""},
	{"nested under a rank", "1+r 1+v 1+w 1-w 1-v 1-r", ""},
	{"nested the other way after reordering", "1+v 1+w 1-w 1-v 2+R 2-R 2+w 2+v 2-v 2-w", ""},
	{"nested, one destroyed", "1+v 1+w 1-w 1-v 1+w 1+x 1-x 1-w 1xw 2+x 2+v 2-v 2-x", ""},
	{"nested both ways under one lock", "1+a 1+v 1+w 1-w 1-v 1-a 2+a 2+w 2+v 2-v 2-w 2-a", ""},
	{"nested circle of three, under one lock for two of them", "1+v 1+w 1-w 1-v 1+R 1-R 1+a 1+w 1+x 1-x 1-w 1-a 2+a 2+x 2+w 2-w 2-x 2-a", ""},
	{"readers one way", "1<g 1<h 1-h 1-g 2<g 2<h 2-h 2-g 1.", ""},
	{"two readers", "1<g 2<g 1-g 2-g 1. 2.", ""},
	{"downgraded and left", "1+g 1d 1-g 1. 1e", ""},
	{"upgraded and left", "1<g 1u 1-g 1. 1e", ""},
	{"attempt that fails", "1+a 2?a 1-a 1. 2.", ""},
	{"again after leaving", "1<g 1-g 1<g 1-g 1.", ""},
	{"lock of another thread at return", "1+a 2. 1-a 1.", ""},
}

// A lockCast is the locks and threads of a story.
type lockCast struct {
	sys     *System
	threads [4]Thread
	locks   map[byte]*RWLock
	act     func(thread int, act func()) // has a thread do something
}

func newLockCast(s *System) *lockCast {
	c := &lockCast{sys: s, locks: map[byte]*RWLock{'n': {}}, act: func(_ int, act func()) { act() }}
	nest := &LockClass{Name: "nest", Nest: true, Rank: 100}
	single := &LockClass{Name: "single"}
	for _, group := range []struct {
		names string
		class LockClass
	}{
		{"abcdefgh", LockClass{}}, {"rp", LockClass{Rank: 10}}, {"s", LockClass{Rank: 20}}, {"t", LockClass{Rank: 30}},
		{"k", LockClass{Rank: 50}}, {"l", LockClass{Rank: 50, Sub: 1}}, {"m", LockClass{Rank: 50, Sub: 2}},
		{"R", LockClass{Rank: 90, Reorders: true}},
	} {
		for _, name := range []byte(group.names) {
			class := group.class
			class.Name = string(name)
			c.add(s, name, &class)
		}
	}
	for _, name := range []byte("vwxy") {
		c.add(s, name, nest)
	}
	c.add(s, 'i', single)
	c.add(s, 'j', single)
	c.locks['n'].Init(s, nil)
	for i := range c.threads {
		s.Adopt(&c.threads[i], string(rune('0'+i)))
	}
	return c
}

func (c *lockCast) add(s *System, name byte, class *LockClass) {
	c.locks[name] = new(RWLock)
	c.locks[name].Init(s, class)
}

// play does what a story says.
func (c *lockCast) play(story string) {
	var last *RWLock
	for _, word := range strings.Fields(story) {
		if len(word) > 2 {
			last = c.locks[word[2]]
		}
		i := int(word[0] - '0')
		c.act(i, func() { c.do(&c.threads[i], word[1], last) })
	}
}

// do does one thing.
func (c *lockCast) do(t *Thread, what byte, l *RWLock) {
	switch what {
	case '+':
		l.WEnter(t)
	case '<':
		l.REnter(t)
	case '?':
		l.TryEnter(t, Writer)
	case '-':
		l.Exit(t)
	case '^':
		l.RExit(t)
	case 'd':
		l.Downgrade(t)
	case 'u':
		l.TryUpgrade(t)
	case 'x':
		l.Destroy(t)
	case '.':
		t.Returned()
	case 'e':
		c.sys.checker.Ended(t)
	}
}

// reports is a Report function and what it was given.
type reports struct {
	mu  sync.Mutex
	all []LockReport
}

func (r *reports) add(report LockReport) {
	r.mu.Lock()
	r.all = append(r.all, report)
	r.mu.Unlock()
}

// collecting makes a checker that reports to r.
func (r *reports) collecting() *LockChecker {
	c := NewLockChecker()
	c.Report = r.add
	return c
}

func TestLockChecker(t *testing.T) {
	bad := 0
	for _, c := range lockStories {
		if c.rule != "" {
			bad++
		}
		for _, mode := range []Mode{Checked, Deterministic} {
			t.Run(mode.String()+" "+c.name, func(t *testing.T) {
				var got reports
				newLockCast(NewSystem(Config{Mode: mode, Checker: got.collecting()})).play(c.story)
				switch {
				case c.rule == "" && len(got.all) > 0:
					t.Errorf("reports %v", got.all)
				case c.rule != "" && len(got.all) == 0:
					t.Errorf("reports nothing, want %q", c.rule)
				case c.rule != "" && !strings.Contains(got.all[0].Error(), c.rule):
					t.Errorf("reports %v, want %q", got.all, c.rule)
				}
			})
		}
	}
	if good := len(lockStories) - bad; bad < 20 || good < 20 {
		t.Errorf("%d stories to report, %d not to", bad, good)
	}
}

// TestLockReport: a report says who, what and the circle, and of a circle it comes once.
func TestLockReport(t *testing.T) {
	var got reports
	c := newLockCast(NewSystem(Config{Mode: Checked, Checker: got.collecting()}))
	c.play("1+a 1+b 1-b 1-a 2+b 2+c 2-c 2-b 3+c 3+a 3-a 3-c 3+c 3+a 3-a 3-c 1+m 1+k 1-k 1-m")
	want := []LockReport{
		{Rule: LockCircle, Thread: "3", Lock: "a", Held: []string{"c"}, Circle: []string{"a", "b", "c"}},
		{Rule: LockOrder, Thread: "1", Lock: "k", Held: []string{"m/2"}},
	}
	if diff := cmp.Diff(want, got.all); diff != "" {
		t.Error(diff)
	}
	const text = `circle of locks: a, thread "3", holding c, circle a > b > c`
	if s := got.all[0].Error(); s != text {
		t.Errorf("%s, want %s", s, text)
	}
}

// TestLockCheckerPanics: without a Report function the thread panics, in the call or where it ends.
func TestLockCheckerPanics(t *testing.T) {
	s := machine(t, Config{Mode: Checked, Checker: NewLockChecker()})
	var ended any
	s.OnPanic(func(v any) { ended = v })
	me := adopted(t, s, "me")
	var kept, m Mutex
	kept.Init(s, &LockClass{Name: "kept"})
	m.Init(s, &LockClass{Name: "m"})
	kept.Enter(me)
	func() {
		defer func() {
			if r, ok := recover().(LockReport); !ok || r.Rule != LockAtReturn {
				t.Errorf("return with a lock: %v", r)
			}
		}()
		me.Returned()
	}()
	var th Thread
	s.Start(&th, "keeper", func() { m.Enter(&th) })
	th.Join(me)
	if r, ok := ended.(LockReport); !ok || r.Rule != LockAtEnd || r.Thread != "keeper" {
		t.Errorf("end with a lock: %v", ended)
	}
}

// TestLockCheckerUpgrade: a thread that upgrades and leaves what another has entered.
func TestLockCheckerUpgrade(t *testing.T) {
	var got reports
	s := machine(t, Config{Mode: Checked, Checker: got.collecting()})
	me, other := adopted(t, s, "me"), adopted(t, s, "other")
	var rw RWLock
	rw.Init(s, &LockClass{Name: "rw"})
	rw.REnter(me)
	rw.TryUpgrade(other)
	rw.WExit(other)
	if len(got.all) != 2 || got.all[0].Rule != LockOwner || got.all[1].Rule != LockOwner {
		t.Errorf("reports %v", got.all)
	}
	me.held = nil
}

// BenchmarkChecker: two locks, entered and left, native, with the slow path alone, and with a checker: natively there is
// no difference between a machine that has a checker in its program and one that has none.
func BenchmarkChecker(b *testing.B) {
	for _, c := range []struct {
		name    string
		mode    Mode
		checker Checker
	}{
		{"native", Native, nil}, {"native, not asked for", Native, NewLockChecker()},
		{"checked, none", Checked, nil}, {"checked", Checked, NewLockChecker()},
		{"deterministic, none", Deterministic, nil}, {"deterministic", Deterministic, NewLockChecker()},
	} {
		b.Run(c.name, func(b *testing.B) {
			s := NewSystem(Config{Mode: c.mode, Checker: c.checker})
			var t Thread
			s.Adopt(&t, "me")
			var outer, inner Mutex
			outer.Init(s, &LockClass{Name: "outer", Rank: 1})
			inner.Init(s, &LockClass{Name: "inner", Rank: 2})
			b.ReportAllocs()
			for b.Loop() {
				outer.Enter(&t)
				inner.Enter(&t)
				inner.Exit(&t)
				outer.Exit(&t)
			}
		})
	}
}

package driver

import (
	"context"
	"errors"
	"math"
	"strings"
	"testing"

	"rumpvfs/hypercall"
	"rumpvfs/kern"
	"rumpvfs/proptest/call"
	"rumpvfs/proptest/clause"
	"rumpvfs/proptest/gen"
)

// A liar is a system that is wrong about one kind of call.
type liar struct {
	call.System
	op   call.Op
	lie  func(*call.Result)
	left error
}

func (l *liar) Do(c *call.Call, r *call.Result) {
	l.System.Do(c, r)
	if c.Op == l.op {
		l.lie(r)
	}
}

func (l *liar) Reset() error {
	if err := l.System.Reset(); err != nil {
		return err
	}
	return l.left
}

// lying makes a driver of a model that lies against one that does not.
func lying(t *testing.T, l liar, c Config) *Driver {
	t.Helper()
	l.System = Rumpfs().Model(kern.Rev1125)
	c.Quirks = kern.Rev1125
	c.System = func() (call.System, error) { return &l, nil }
	d, err := New(c)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = d.Close() })
	return d
}

// TestFailures checks that each kind of failure is found, and that its script shows it again.
func TestFailures(t *testing.T) {
	none := func(*call.Result) {}
	for _, tc := range []struct {
		kind   Kind
		liar   liar
		config Config
		says   string
	}{
		{Differs, liar{op: call.Rmdir, lie: func(r *call.Result) { r.Errno ^= 1 }}, Config{}, "rmdir"},
		{Panics, liar{op: call.Chdir, lie: func(r *call.Result) { r.Fail(0); r.Stop = call.Panic }}, Config{}, "PANIC"},
		{Leftover, liar{lie: none, left: errors.New("a lock is held")}, Config{}, "a lock is held"},
		{Invalid, liar{lie: none}, Config{Check: func(_ call.System, c *call.Call) error {
			if c.Op == call.Unlink {
				return errors.New("a reference is lost")
			}
			return nil
		}}, "a reference is lost"},
		{Crash, liar{op: call.Mkdir, lie: func(*call.Result) { panic("oops") }}, Config{}, "oops"},
	} {
		d := lying(t, tc.liar, tc.config)
		list, err := d.Run(context.Background())
		if err != nil || len(list) != 1 {
			t.Fatalf("%v: %d failures, %v", tc.kind, len(list), err)
		}
		f := list[0]
		if f.Kind != tc.kind || !strings.Contains(f.String(), tc.says) {
			t.Errorf("%v: %v", tc.kind, f)
		}
		if tc.kind != Leftover && (f.Index != len(f.Script)-1 || f.op() != tc.liar.op && tc.liar.op != call.None) {
			t.Errorf("%v: it shows at call %d of %d", tc.kind, f.Index, len(f.Script))
		}
		if !d.Like(f)(f.Script) {
			t.Errorf("%v: not again", tc.kind)
		}
		if tc.kind != Leftover && d.Like(f)(nil) {
			t.Errorf("%v: no calls fail", tc.kind)
		}
	}
}

// TestEvery checks that a system is looked at after so many calls of a script each, after its last, and after no other.
func TestEvery(t *testing.T) {
	for _, tc := range []struct {
		every, calls, broken int // broken is the call from which on something is wrong
		index                int // of the call at which that shows
	}{
		{0, 10, 3, 3}, {1, 10, 3, 3}, {4, 10, 3, 3}, {4, 10, 4, 7}, {4, 10, 8, 9}, {100, 10, 0, 9}, {100, 1, 0, 0},
	} {
		made, looked := 0, 0
		d := lying(t, liar{op: call.Umask, lie: func(*call.Result) { made++ }}, Config{Every: tc.every, Check: func(call.System, *call.Call) error {
			if looked++; made > tc.broken {
				return errors.New("broken")
			}
			return nil
		}})
		script := make([]call.Call, tc.calls)
		for i := range script {
			script[i].Op = call.Umask
		}
		f, err := d.Replay(script)
		if err != nil || f == nil || f.Kind != Invalid || f.Index != tc.index || len(f.Script) != tc.index+1 {
			t.Errorf("every %d of %d: %v, %v", tc.every, tc.calls, f, err)
		}
		if every := max(tc.every, 1); looked != (tc.index+every)/every || d.Stats.Checks != uint64(looked) {
			t.Errorf("every %d of %d: looked %d times", tc.every, tc.calls, looked)
		}
	}
}

// TestWaiting checks that a script ends before a call that would wait for ever, or where the kernel notices that, after it,
// and after a panic that is wanted.
func TestWaiting(t *testing.T) {
	for _, mode := range []hypercall.Mode{hypercall.Native, hypercall.Deterministic} {
		waiting(t, mode)
	}
}

func waiting(t *testing.T, mode hypercall.Mode) {
	d, err := New(Config{Quirks: kern.Rev1125, Mode: mode})
	if err != nil {
		t.Fatal(err)
	}
	open := call.Call{Op: call.Open, Path: "/f", Flags: kern.O_CREAT | kern.O_RDWR | kern.O_EXLOCK, Mode: 0o644}
	fifo := []call.Call{{Op: call.Mkfifo, Path: "/p"}, {Op: call.Open, Path: "/p", Flags: kern.O_RDWR}, {Op: call.Write, FD: 3, Data: "x"}, {Op: call.Sync}}
	for _, script := range [][]call.Call{{open, open, open}, fifo} {
		before := d.Stats.Calls
		d.got.Reset()
		if f, err := d.Replay(script); f != nil || err != nil {
			t.Errorf("%v, %v", f, err)
		}
		if script[0] == open && (d.got.Stop == call.Blocked) != (mode == hypercall.Deterministic) {
			t.Errorf("mode %v: %v", mode, d.got.Stop)
		}
		if made := d.Stats.Calls - before; made >= uint64(len(script)) {
			t.Errorf("all %d calls made", made)
		}
	}
	if err := d.Close(); err != nil {
		t.Error(err)
	}
}

// TestSame checks that what is taken for the same is no failure.
func TestSame(t *testing.T) {
	d := lying(t, liar{op: call.Unlink, lie: func(r *call.Result) { r.Errno ^= 1 }}, Config{Calls: 2000,
		Same: func(c *call.Call, want, got *call.Result, id clause.ID) bool {
			if c.Op == call.Unlink {
				return id.Info().Op == call.Unlink || id.Info().Op == call.None
			}
			return want.Equal(got)
		}})
	if list, err := d.Run(context.Background()); len(list) > 0 || err != nil || !d.Done() {
		t.Error(list, err, d.Stats.Calls)
	}
}

// TestStreams checks that a seed and a stream always make the same scripts, and others others.
func TestStreams(t *testing.T) {
	var first Stats
	for i, c := range []Config{{Seed: 1}, {Seed: 1}, {Seed: 2}, {Seed: 1, Stream: 1}} {
		c.Calls = 3000
		d, err := New(c)
		if err != nil {
			t.Fatal(err)
		}
		if list, err := d.Run(context.Background()); len(list) > 0 || err != nil {
			t.Fatal(list, err)
		}
		switch same := d.Stats == first; {
		case i == 0:
			first = d.Stats
		case same != (i == 1):
			t.Errorf("run %d is as the first: %v", i, same)
		}
		if err := d.Close(); err != nil {
			t.Error(err)
		}
	}
	sum := first
	sum.Add(&first)
	if sum.States.Count() != first.States.Count() {
		t.Error("states are counted twice")
	}
	if sum.Calls != 2*first.Calls || sum.Scripts != 2*first.Scripts || sum.Coverage.Hit() != first.Coverage.Hit() {
		t.Error("figures do not add up")
	}
}

// TestSketch counts numbers, in two parts that overlap.
func TestSketch(t *testing.T) {
	var a, b Sketch
	r := gen.NewRand(1, 1)
	for i, n := 0, 1; n <= 1_000_000; n *= 10 {
		for ; i < n; i++ {
			h := r.Uint64()
			a.Put(h)
			if i%3 == 0 {
				b.Put(h)
			}
		}
		sum := a
		sum.Add(&b)
		if got := float64(a.Count()); math.Abs(got-float64(n)) > 0.05*float64(n) || sum != a {
			t.Errorf("%d counted as %v", n, got)
		}
	}
	if hash([]byte("a")) == hash([]byte("b")) || new(Sketch).Count() != 0 {
		t.Error("hash or empty sketch")
	}
}

func TestFileSystems(t *testing.T) {
	for _, fs := range FileSystems() {
		if got, err := FSNamed(fs.Name); err != nil || got.Name != fs.Name {
			t.Error(got.Name, err)
		}
	}
	if _, err := FSNamed("ext2fs"); err == nil || !strings.Contains(err.Error(), "rumpfs") {
		t.Error(err)
	}
}

// BenchmarkDriver makes calls on kernel and model.
func BenchmarkDriver(b *testing.B) {
	for _, bb := range []struct {
		name   string
		quirks kern.Quirks
		mode   hypercall.Mode
	}{{"rev1125", kern.Rev1125, hypercall.Native}, {"fixed", kern.Fixed, hypercall.Native}, {"deterministic", kern.Rev1125, hypercall.Deterministic}} {
		b.Run(bb.name, func(b *testing.B) {
			d, err := New(Config{Quirks: bb.quirks, Mode: bb.mode, Calls: uint64(b.N)})
			if err != nil {
				b.Fatal(err)
			}
			b.ReportAllocs()
			b.ResetTimer()
			list, err := d.Run(context.Background())
			if err != nil || len(list) > 0 {
				b.Fatal(list, err)
			}
			b.ReportMetric(float64(d.Stats.Calls)/b.Elapsed().Seconds(), "calls/s")
		})
	}
}

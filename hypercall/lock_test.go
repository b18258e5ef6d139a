package hypercall

import (
	"errors"
	"fmt"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"
)

var testClass = LockClass{Name: "test lock", Rank: 1}

// machine is a System for one test; what is left at the end fails it.
func machine(t testing.TB, c Config) *System {
	s := NewSystem(c)
	t.Cleanup(func() {
		if left := s.Shutdown(); s.Stopped() == nil && left != nil {
			t.Errorf("threads left: %v", left)
		}
	})
	return s
}

// adopted is a hub thread for one test.
func adopted(t testing.TB, s *System, name string) *Thread {
	th := new(Thread)
	s.Adopt(th, name)
	t.Cleanup(th.Exit)
	return th
}

// caught returns what f panics with.
func caught(f func()) (r any) {
	defer func() { r = recover() }()
	f()
	return nil
}

// spawn starts n threads and waits for them on hub.
func spawn(s *System, hub *Thread, n int, body func(t *Thread, i int)) {
	ts := make([]Thread, n)
	for i := range ts {
		s.Start(&ts[i], fmt.Sprint("t", i), func() { body(&ts[i], i) })
	}
	for i := range ts {
		ts[i].Join(hub)
	}
}

// modes runs a test natively, checked, and over many deterministic schedules.
func modes(t *testing.T, seeds int, f func(t *testing.T, s *System, hub *Thread)) {
	for _, m := range []Mode{Native, Checked} {
		t.Run(m.String(), func(t *testing.T) {
			s := machine(t, Config{Mode: m, Checker: new(countChecker)})
			f(t, s, adopted(t, s, "hub"))
		})
	}
	t.Run(Deterministic.String(), func(t *testing.T) {
		for seed := range seeds {
			s := NewSystem(Config{Mode: Deterministic, Seed: uint64(seed)})
			var hub Thread
			s.Adopt(&hub, "hub")
			f(t, s, &hub)
			hub.Exit()
			if left := s.Shutdown(); left != nil {
				t.Fatalf("seed %d: left %v", seed, left)
			}
		}
	})
}

// rounds is how often a loop of a test goes round in the machine's mode.
func rounds(s *System, native, deterministic int) int {
	if s.Mode() == Deterministic {
		return deterministic
	}
	return native
}

func TestMutexExcludes(t *testing.T) {
	modes(t, 300, func(t *testing.T, s *System, hub *Thread) {
		var m Mutex
		m.Init(s, &testClass)
		n, total := rounds(s, 3000, 5), 0
		spawn(s, hub, 4, func(me *Thread, i int) {
			for j := range n {
				if j%7 == 3 {
					for !m.TryEnter(me) {
						me.Sleep(time.Microsecond)
					}
				} else {
					m.Enter(me)
				}
				if !m.Owned(me) || m.Owned(hub) {
					t.Error("wrong owner")
				}
				v := total
				me.Point()
				total = v + 1
				m.Exit(me)
			}
		})
		if total != 4*n {
			t.Errorf("total %d, want %d", total, 4*n)
		}
		m.Destroy(hub)
	})
}

func TestRWLockExcludes(t *testing.T) {
	modes(t, 300, func(t *testing.T, s *System, hub *Thread) {
		var rw RWLock
		rw.Init(s, &testClass)
		var a, b, upgrades int
		n := rounds(s, 2000, 5)
		spawn(s, hub, 5, func(me *Thread, i int) {
			for j := range n {
				if i < 3 {
					rw.REnter(me)
					if a != b {
						t.Error("reader sees a writer at work")
					}
					me.Point()
					if a != b || !rw.ReadHeld() || !rw.Held() || rw.WriteHeld(me) {
						t.Error("reader is not protected")
					}
					if j%3 == 0 && rw.TryUpgrade(me) {
						a++
						b++
						upgrades++
					}
					rw.Exit(me)
					continue
				}
				rw.WEnter(me)
				a++
				me.Point()
				b++
				if !rw.WriteHeld(me) || rw.ReadHeld() {
					t.Error("writer does not hold it")
				}
				if j%2 == 0 {
					rw.Downgrade(me)
					if a != b {
						t.Error("a writer got in while downgrading")
					}
				}
				rw.Exit(me)
			}
		})
		if a != b || a != 2*n+upgrades {
			t.Errorf("a %d, b %d, want %d", a, b, 2*n+upgrades)
		}
		rw.Destroy(hub)
	})
}

func TestZeroLocksAreNative(t *testing.T) {
	s := machine(t, Config{})
	me := adopted(t, s, "me")
	var m Mutex
	var rw RWLock
	var cv CV
	m.Enter(me)
	if m.TryEnter(me) {
		t.Error("entered twice")
	}
	cv.Signal(me)
	m.Exit(me)
	rw.Enter(me, Reader)
	if !rw.TryEnter(me, Reader) || rw.TryEnter(me, Writer) {
		t.Error("two readers, no writer")
	}
	rw.Exit(me)
	rw.RExit(me)
	rw.Enter(me, Writer)
	rw.Exit(me)
	if rw.Held() || m.Owned(me) || m.Class() != nil {
		t.Error("still held")
	}
}

func TestSeq(t *testing.T) {
	s := machine(t, Config{})
	me := adopted(t, s, "me")
	var rw RWLock
	rw.Init(s, &testClass)
	v0, ok := rw.Seq()
	if !ok {
		t.Fatal("free lock is not readable")
	}
	rw.REnter(me)
	rw.RExit(me)
	if v, ok := rw.Seq(); v != v0 || !ok {
		t.Error("a reader changed the version")
	}
	rw.WEnter(me)
	if _, ok := rw.Seq(); ok {
		t.Error("readable under a writer")
	}
	rw.WExit(me)
	v1, _ := rw.Seq()
	rw.WEnter(me)
	rw.Downgrade(me)
	v2, ok := rw.Seq()
	rw.RExit(me)
	if v0 == v1 || v1 == v2 || !ok {
		t.Error("versions", v0, v1, v2, ok)
	}
	rw.Destroy(me)
	if _, ok := rw.Seq(); ok {
		t.Error("readable after destruction")
	}
	rw.Init(s, &testClass)
	if v, ok := rw.Seq(); !ok || v == v2 || v == v1 {
		t.Error("version after a new Init", v, ok)
	}
	d := machine(t, Config{Mode: Deterministic})
	rw.Init(d, &testClass)
	if _, ok := rw.Seq(); ok {
		t.Error("readable on a deterministic machine")
	}
}

func TestMisuse(t *testing.T) {
	type env struct {
		s      *System
		me, ot *Thread
		m      Mutex
		rw     RWLock
		cv     CV
	}
	cases := []struct {
		op     string
		holder string
		f      func(e *env)
	}{
		{"locking against myself", "me", func(e *env) { e.m.Enter(e.me); e.m.Enter(e.me) }},
		{"locking against myself", "me", func(e *env) { e.rw.WEnter(e.me); e.rw.WEnter(e.me) }},
		{"locking against myself", "me", func(e *env) { e.rw.WEnter(e.me); e.rw.REnter(e.me) }},
		{"leaving a lock that is not held", "", func(e *env) { e.m.Exit(e.me) }},
		{"leaving a lock that is not held", "other", func(e *env) { e.m.Enter(e.ot); e.m.Exit(e.me) }},
		{"leaving a lock that is not held", "", func(e *env) { e.rw.Exit(e.me) }},
		{"leaving a lock that is not held", "", func(e *env) { e.rw.REnter(e.me); e.rw.WExit(e.me) }},
		{"leaving a lock that is not held", "other", func(e *env) { e.rw.WEnter(e.ot); e.rw.Exit(e.me) }},
		{"leaving a lock that is not held", "other", func(e *env) { e.rw.WEnter(e.ot); e.rw.RExit(e.me) }},
		{"downgrading a lock that is not held as writer", "", func(e *env) { e.rw.REnter(e.me); e.rw.Downgrade(e.me) }},
		{"upgrading a lock that is not held as reader", "me", func(e *env) { e.rw.WEnter(e.me); e.rw.TryUpgrade(e.me) }},
		{"destroying a lock that is held", "other", func(e *env) { e.m.Enter(e.ot); e.m.Destroy(e.me) }},
		{"destroying a lock that is held", "", func(e *env) { e.rw.REnter(e.ot); e.rw.Destroy(e.me) }},
		{"destroying a destroyed lock", "", func(e *env) { e.m.Destroy(e.me); e.m.Destroy(e.me) }},
		{"entering a destroyed lock", "", func(e *env) { e.m.Destroy(e.me); e.m.Enter(e.me) }},
		{"entering a destroyed lock", "", func(e *env) { e.rw.Destroy(e.me); e.rw.TryEnter(e.me, Writer) }},
		{"waiting without the lock", "other", func(e *env) { e.m.Enter(e.ot); e.cv.Wait(e.me, &e.m) }},
	}
	for _, mode := range []Mode{Native, Checked, Deterministic} {
		for i, c := range cases {
			s := NewSystem(Config{Mode: mode})
			e := &env{s: s, me: adopted(t, s, "me"), ot: adopted(t, s, "other")}
			e.m.Init(s, &testClass)
			e.rw.Init(s, &testClass)
			want := LockError{Op: c.op, Lock: "test lock", Thread: "me", Holder: c.holder}
			if got := caught(func() { c.f(e) }); got != want {
				t.Errorf("%v case %d: %v, want %v", mode, i, got, want)
			}
		}
	}
	e := LockError{Op: "op", Lock: "l", Thread: "a", Holder: "b"}
	if got := e.Error(); got != `op: lock "l", thread "a", held by "b"` {
		t.Error(got)
	}
}

func TestOwnerThatIsGone(t *testing.T) {
	s := machine(t, Config{})
	me := adopted(t, s, "me")
	var m Mutex
	var gone Thread
	s.Adopt(&gone, "gone")
	m.Enter(&gone)
	gone.Exit()
	got := fmt.Sprint(caught(func() { m.Exit(me) }))
	if !strings.Contains(got, "a thread that is gone") {
		t.Error(got)
	}
}

// A writer that waits keeps new readers out, also natively.
func TestWriterDoesNotStarve(t *testing.T) {
	s := machine(t, Config{})
	hub := adopted(t, s, "hub")
	var rw RWLock
	var done sync.WaitGroup
	stop := make(chan struct{})
	ts := make([]Thread, 3)
	for i := range ts {
		done.Add(1)
		s.Start(&ts[i], "reader", func() {
			defer done.Done()
			for {
				rw.REnter(&ts[i])
				time.Sleep(10 * time.Microsecond)
				rw.RExit(&ts[i])
				select {
				case <-stop:
					return
				default:
				}
			}
		})
	}
	for range 50 {
		rw.WEnter(hub)
		rw.WExit(hub)
	}
	close(stop)
	done.Wait()
	for i := range ts {
		ts[i].Join(hub)
	}
}

// The lock goes to waiters in the order in which they came, readers between two writers together.
func TestTurnstileOrder(t *testing.T) {
	s := machine(t, Config{Mode: Deterministic, Pick: func(int) int { return 0 }})
	hub := adopted(t, s, "hub")
	var rw RWLock
	rw.Init(s, &testClass)
	var order []string
	var ts [6]Thread
	ops := []RWOp{Writer, Reader, Reader, Writer, Reader, Reader}
	rw.WEnter(hub)
	for i, op := range ops {
		s.Start(&ts[i], fmt.Sprintf("%v%d", op, i), func() {
			me := &ts[i]
			rw.Enter(me, op)
			order = append(order, "+"+me.Name())
			me.Sleep(time.Millisecond)
			order = append(order, "-"+me.Name())
			rw.Exit(me)
		})
	}
	s.Run()
	if ts[3].Wmesg() != "test lock" || hub.Wmesg() != "" {
		t.Error("wmesg", ts[3].Wmesg(), hub.Wmesg())
	}
	rw.WExit(hub)
	for i := range ts {
		ts[i].Join(hub)
	}
	want := "+writer0 -writer0 +reader1 +reader2 -reader1 -reader2 +writer3 -writer3 +reader4 +reader5 -reader4 -reader5"
	if got := strings.Join(order, " "); got != want {
		t.Errorf("got  %s\nwant %s", got, want)
	}
}

// A downgrade lets the readers in whose turn it is, but none behind a writer.
func TestDowngradeAdmitsReaders(t *testing.T) {
	for _, first := range []RWOp{Reader, Writer} {
		s := NewSystem(Config{Mode: Deterministic, Pick: func(int) int { return 0 }})
		hub := adopted(t, s, "hub")
		var rw RWLock
		rw.Init(s, &testClass)
		rw.WEnter(hub)
		in := 0
		var ts [3]Thread
		for i, op := range []RWOp{first, Reader, Writer} {
			s.Start(&ts[i], "t", func() { rw.Enter(&ts[i], op); in++; rw.Exit(&ts[i]) })
		}
		s.Run()
		rw.Downgrade(hub)
		s.Run()
		if want := map[RWOp]int{Reader: 2, Writer: 0}[first]; in != want {
			t.Errorf("first waiter %v: %d entered, want %d", first, in, want)
		}
		if rw.TryUpgrade(hub) {
			t.Error("upgraded past a waiting writer")
		}
		rw.RExit(hub)
		s.Run()
		if in != 3 {
			t.Errorf("%d entered in the end", in)
		}
		if left := s.Shutdown(); left != nil {
			t.Error(left)
		}
	}
}

func TestCV(t *testing.T) {
	modes(t, 200, func(t *testing.T, s *System, hub *Thread) {
		var m Mutex
		var full, empty CV
		m.Init(s, &testClass)
		full.Init(s, "full")
		empty.Init(s, "empty")
		var queue []int
		n := rounds(s, 1000, 6)
		sum := 0
		spawn(s, hub, 4, func(me *Thread, i int) {
			for j := range n {
				m.Enter(me)
				if i < 2 {
					for len(queue) == 2 {
						full.Wait(me, &m)
					}
					queue = append(queue, j)
					empty.Signal(me)
				} else {
					for len(queue) == 0 {
						empty.Wait(me, &m)
					}
					sum += queue[0]
					queue = slices.Delete(queue, 0, 1)
					full.Signal(me)
				}
				if !m.Owned(me) {
					t.Error("lost the mutex")
				}
				m.Exit(me)
			}
		})
		if want := n * (n - 1); sum != want || full.HasWaiters() || empty.HasWaiters() {
			t.Errorf("sum %d, want %d", sum, want)
		}
		full.Destroy(hub)
	})
}

func TestCVOrderAndBroadcast(t *testing.T) {
	s := machine(t, Config{Mode: Deterministic, Seed: 7})
	hub := adopted(t, s, "hub")
	var m Mutex
	var cv CV
	m.Init(s, &testClass)
	cv.Init(s, "turn")
	var queued, order []int
	var ts [5]Thread
	for i := range ts {
		s.Start(&ts[i], "w", func() {
			m.Enter(&ts[i])
			queued = append(queued, i)
			cv.Wait(&ts[i], &m)
			order = append(order, i)
			m.Exit(&ts[i])
		})
	}
	s.Run()
	if ts[0].Wmesg() != "turn" || !cv.HasWaiters() {
		t.Error("nobody waits")
	}
	if r, ok := caught(func() { cv.Destroy(hub) }).(LockError); !ok {
		t.Error("destroyed with waiters:", r)
	}
	for range 2 {
		cv.Signal(hub)
		s.Run()
	}
	cv.Broadcast(hub)
	s.Run()
	if !slices.Equal(order[:2], queued[:2]) || len(order) != 5 {
		t.Errorf("queued %v, woken %v", queued, order)
	}
	cv.Signal(hub)
	cv.Broadcast(hub)
}

func TestTimedWait(t *testing.T) {
	modes(t, 50, func(t *testing.T, s *System, hub *Thread) {
		var m Mutex
		var cv CV
		m.Init(s, &testClass)
		m.Enter(hub)
		start := s.Uptime()
		if !cv.TimedWait(hub, &m, 2*time.Millisecond) || !m.Owned(hub) {
			t.Error("no timeout")
		}
		if d := s.Uptime() - start; d < 2*time.Millisecond || s.Mode() == Deterministic && d != 2*time.Millisecond {
			t.Error("waited", d)
		}
		if !cv.TimedWait(hub, &m, -1) || cv.HasWaiters() {
			t.Error("no immediate timeout")
		}
		m.Exit(hub)
		// Signals race with timeouts. Each is seen by one waiter; natively a waiter may time out between question and signal.
		n := rounds(s, 200, 4)
		waiting, signals, seen := 0, 0, 0
		spawn(s, hub, 3, func(me *Thread, i int) {
			for range n {
				m.Enter(me)
				if i == 0 {
					if cv.HasWaiters() {
						cv.Signal(me)
						signals++
					}
					m.Exit(me)
					me.Sleep(time.Millisecond / 20)
					continue
				}
				waiting++
				if !cv.TimedWait(me, &m, time.Millisecond/20) {
					seen++
				}
				waiting--
				m.Exit(me)
			}
		})
		if seen > signals || seen < signals && s.Mode() == Deterministic || waiting != 0 || cv.HasWaiters() {
			t.Errorf("%d signals, %d seen, %d waiting", signals, seen, waiting)
		}
	})
}

// countChecker checks that what it is told fits together.
type countChecker struct {
	mu     sync.Mutex
	holds  map[Lock]int
	events []string
}

func (c *countChecker) add(t *Thread, l Lock, ev string, d int) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.holds == nil {
		c.holds = map[Lock]int{}
	}
	c.holds[l] += d
	if len(c.events) < 100 {
		c.events = append(c.events, fmt.Sprint(t.Name(), " ", ev, " ", l.Class().Name))
	}
}
func (c *countChecker) Wanted(t *Thread, l Lock, op RWOp)   { c.add(t, l, "wants "+op.String(), 0) }
func (c *countChecker) Acquired(t *Thread, l Lock, op RWOp) { c.add(t, l, "takes "+op.String(), 1) }
func (c *countChecker) Released(t *Thread, l Lock, op RWOp) { c.add(t, l, "leaves "+op.String(), -1) }
func (c *countChecker) Changed(t *Thread, l Lock, op RWOp)  { c.add(t, l, "turns "+op.String(), 0) }
func (c *countChecker) Destroyed(t *Thread, l Lock)         { c.add(t, l, "destroys", 0) }
func (c *countChecker) Returned(*Thread)                    {}
func (c *countChecker) Ended(*Thread)                       {}

func TestCheckerIsTold(t *testing.T) {
	for _, mode := range []Mode{Checked, Deterministic} {
		c := new(countChecker)
		s := machine(t, Config{Mode: mode, Checker: c})
		me := adopted(t, s, "me")
		a, b := LockClass{Name: "a"}, LockClass{Name: "b"}
		var m Mutex
		var rw RWLock
		m.Init(s, &a)
		rw.Init(s, &b)
		m.Enter(me)
		m.Exit(me)
		m.TryEnter(me)
		m.Exit(me)
		rw.REnter(me)
		rw.TryUpgrade(me)
		rw.Downgrade(me)
		rw.Exit(me)
		rw.WEnter(me)
		rw.Exit(me)
		m.Destroy(me)
		want := []string{
			"me wants writer a", "me takes writer a", "me leaves writer a", "me takes writer a", "me leaves writer a",
			"me wants reader b", "me takes reader b", "me turns writer b", "me turns reader b", "me leaves reader b",
			"me wants writer b", "me takes writer b", "me leaves writer b", "me destroys a",
		}
		if !slices.Equal(c.events, want) {
			t.Errorf("%v: %q", mode, c.events)
		}
		for l, n := range c.holds {
			if n != 0 {
				t.Errorf("%s held %d times", l.Class().Name, n)
			}
		}
	}
}

// A machine that dies wakes those who wait for locks; unwinding them does not count as misuse.
func TestStopUnwindsLockWaiters(t *testing.T) {
	for _, mode := range []Mode{Native, Checked, Deterministic} {
		s := NewSystem(Config{Mode: mode})
		hub := adopted(t, s, "hub")
		var m, held Mutex
		var cv CV
		m.Init(s, &testClass)
		held.Init(s, &testClass)
		held.Enter(hub)
		var ts [2]Thread
		var got [2]any
		s.Start(&ts[0], "lock", func() {
			got[0] = caught(func() { held.Enter(&ts[0]) })
		})
		s.Start(&ts[1], "cv", func() {
			got[1] = caught(func() {
				m.Enter(&ts[1])
				defer m.Exit(&ts[1])
				cv.Wait(&ts[1], &m)
			})
		})
		for ts[0].Wmesg() == "" || ts[1].Wmesg() == "" {
			s.Run()
		}
		why := errors.New("why")
		s.Stop(why)
		s.Stop("late")
		s.Run()
		s.Shutdown()
		for i := range got {
			if got[i] != (Stopped{why}) && got[i] != (Killed{}) {
				t.Errorf("%v: thread %d got %v", mode, i, got[i])
			}
		}
		if s.Stopped() != why || cv.HasWaiters() {
			t.Errorf("%v: stopped %v, cv %v", mode, s.Stopped(), cv.HasWaiters())
		}
		if mode != Native { // the fast path of a native lock does not look
			if got := caught(func() { m.Enter(hub) }); got != (Killed{}) {
				t.Errorf("%v: lock after the end: %v", mode, got)
			}
		}
		held.Destroy(hub)
	}
}

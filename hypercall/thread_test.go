package hypercall

import (
	"bytes"
	"errors"
	"fmt"
	"runtime"
	"slices"
	"strings"
	"sync/atomic"
	"testing"
	"time"
)

func TestIDs(t *testing.T) {
	s := machine(t, Config{})
	var a, b, c Thread
	s.Adopt(&a, "a")
	s.Adopt(&b, "b")
	if a.ID() == 0 || a.ID() == b.ID() || a.Name() != "a" || b.Sys() != s {
		t.Error("identity", a.ID(), b.ID(), a.Name())
	}
	old := a.ID()
	a.Exit()
	s.Adopt(&c, "c")
	if c.ID() != old {
		t.Errorf("id %d is not used again: %d", old, c.ID())
	}
	b.Exit()
	c.Exit()
}

func TestIDsRunOut(t *testing.T) {
	s := machine(t, Config{})
	s.lastID = maxID - 1
	a := adopted(t, s, "a")
	if a.ID() != maxID {
		t.Error(a.ID())
	}
	var b Thread
	if r := caught(func() { s.Adopt(&b, "b") }); r == nil {
		t.Error("an id too many:", b.ID())
	}
}

func TestParkTokens(t *testing.T) {
	modes(t, 30, func(t *testing.T, s *System, hub *Thread) {
		hub.Unpark()
		hub.Unpark() // one token only
		if hub.Park("token", 0) {
			t.Error("timeout in spite of a token")
		}
		if !hub.Park("token", -1) || !hub.Park("token", time.Millisecond) {
			t.Error("two tokens")
		}
		var th Thread
		woken := false
		s.Start(&th, "sleeper", func() {
			th.Park("", 0)
			woken = true
		})
		for th.Wmesg() != "wait" {
			s.Run()
		}
		th.Unpark()
		th.Join(hub)
		th.Join(hub)
		if !woken {
			t.Error("not woken")
		}
	})
}

// A token for Park does not end the wait for a lock, nor the other way round.
func TestTokensDoNotMix(t *testing.T) {
	modes(t, 30, func(t *testing.T, s *System, hub *Thread) {
		var m Mutex
		m.Init(s, &testClass)
		m.Enter(hub)
		var th Thread
		order := []string{}
		s.Start(&th, "w", func() {
			m.Enter(&th)
			order = append(order, "locked")
			m.Exit(&th)
			th.Park("token", 0)
			order = append(order, "parked")
		})
		for th.Wmesg() != "test lock" {
			s.Run()
		}
		th.Unpark()
		s.Run()
		if len(order) != 0 {
			t.Error("got the lock without its being free")
		}
		m.Exit(hub)
		th.Join(hub)
		if fmt.Sprint(order) != "[locked parked]" {
			t.Error(order)
		}
	})
}

func TestVirtualTime(t *testing.T) {
	epoch := time.Date(2001, 2, 3, 4, 5, 6, 0, time.UTC)
	s := machine(t, Config{Mode: Deterministic, Epoch: epoch})
	hub := adopted(t, s, "hub")
	var ts [3]Thread
	var order []string
	for i := range ts {
		s.Start(&ts[i], fmt.Sprint("t", i), func() {
			for range 2 {
				ts[i].Sleep(time.Duration(3-i) * time.Hour)
				order = append(order, fmt.Sprintf("%s@%v", ts[i].Name(), s.Uptime()))
			}
		})
	}
	s.Run()
	if s.Uptime() != 0 || len(order) != 0 {
		t.Error("time passes in Run")
	}
	hub.Sleep(0)
	hub.Sleep(100 * time.Hour)
	want := "[t2@1h0m0s t1@2h0m0s t2@2h0m0s t0@3h0m0s t1@4h0m0s t0@6h0m0s]"
	if got := fmt.Sprint(order); got != want {
		t.Errorf("got  %s\nwant %s", got, want)
	}
	if got := s.Now(); !got.Equal(epoch.Add(100 * time.Hour)) {
		t.Error(got)
	}
	// A time too far to be reached is the end of time.
	var th Thread
	s.Start(&th, "eon", func() { th.Sleep(1<<63 - 1) })
	th.Join(hub)
	if s.Uptime() != 1<<63-1 {
		t.Error(s.Uptime())
	}
}

func TestNativeTime(t *testing.T) {
	s := machine(t, Config{})
	me := adopted(t, s, "me")
	a, up := time.Now(), s.Uptime()
	me.Sleep(time.Millisecond)
	me.Sleep(time.Millisecond)
	if d := s.Now().Sub(a); d < 2*time.Millisecond || s.Uptime()-up < 2*time.Millisecond {
		t.Error("slept", d)
	}
	if s.Step() || s.Switches() != 0 {
		t.Error("a native machine steps")
	}
}

func TestBlocked(t *testing.T) {
	stages := map[string]func(s *System, hub *Thread, m *Mutex, cv *CV){
		"park":      func(s *System, hub *Thread, m *Mutex, cv *CV) { hub.Park("forever", 0) },
		"test lock": func(s *System, hub *Thread, m *Mutex, cv *CV) { m.Enter(hub) },
		"join":      func(s *System, hub *Thread, m *Mutex, cv *CV) { s.threads.next.Join(hub) },
		"cv": func(s *System, hub *Thread, m *Mutex, cv *CV) {
			var own Mutex
			own.Init(s, &testClass)
			own.Enter(hub)
			defer own.Exit(hub)
			cv.Wait(hub, &own)
		},
	}
	for name, f := range stages {
		s := NewSystem(Config{Mode: Deterministic})
		hub := adopted(t, s, "hub")
		var m Mutex
		var cv CV
		m.Init(s, &testClass)
		cv.Init(s, "cv")
		var holder, daemon Thread
		s.Start(&holder, "holder", func() { m.Enter(&holder); holder.Park("hold", 0) })
		s.Start(&daemon, "daemon", func() {
			for {
				daemon.Sleep(time.Second) // for ever busy with nothing
			}
		})
		s.Run()
		b, ok := caught(func() { f(s, hub, &m, &cv) }).(Blocked)
		if !ok || len(b.Waiting) != 3 || !strings.HasPrefix(b.Waiting[0], "hub: ") ||
			!slices.Contains(b.Waiting, "holder: hold") || !slices.Contains(b.Waiting, "daemon: sleep") {
			t.Fatalf("%s: %v %v", name, ok, b)
		}
		if !strings.Contains(b.Error(), "holder: hold") {
			t.Error(b.Error())
		}
		// The machine has stopped, and no queue remembers the hub.
		if _, ok := s.Stopped().(Blocked); !ok || cv.HasWaiters() {
			t.Errorf("%s: stopped %v", name, s.Stopped())
		}
		if r, ok := caught(func() { hub.Park("again", 0) }).(Stopped); !ok || !strings.Contains(r.Error(), "blocked for ever") {
			t.Errorf("%s: afterwards %v", name, r)
		}
		s.Run()
		s.Shutdown()
	}
}

func TestShutdown(t *testing.T) {
	for _, mode := range []Mode{Native, Deterministic} {
		s := NewSystem(Config{Mode: mode})
		hub := adopted(t, s, "hub")
		var ts [5]Thread
		var got [5]any
		for i, wait := range []func(th *Thread){
			func(th *Thread) { th.Park("p", 0) },
			func(th *Thread) { th.Sleep(time.Hour) },
			func(th *Thread) { ts[0].Join(th) },
			func(th *Thread) {},
		} {
			s.Start(&ts[i], fmt.Sprint("t", i), func() { got[i] = caught(func() { wait(&ts[i]) }) })
		}
		ts[3].Join(hub)
		for i := range 3 {
			for ts[i].Wmesg() == "" {
				s.Run()
			}
		}
		if mode == Deterministic {
			s.Start(&ts[4], "never", func() { got[4] = "ran" })
		}
		left := s.Shutdown()
		want := "[t0 t1 t2]"
		if mode == Deterministic {
			want = "[t0 t1 t2 never]"
		}
		if fmt.Sprint(left) != want || got[3] != nil || got[4] != nil {
			t.Errorf("%v: left %v, want %s; %v", mode, left, want, got)
		}
		for i := range 3 {
			if got[i] != (Killed{}) {
				t.Errorf("%v: t%d got %v", mode, i, got[i])
			}
		}
		var late Thread
		s.Start(&late, "late", func() { t.Error("began on a dead machine") })
		s.Run()
		s.Stop("too late")
		if s.Shutdown() != nil || s.Stopped() != nil || late.ID() != 0 {
			t.Errorf("%v: not idempotent", mode)
		}
		if r := caught(func() { hub.Park("p", time.Hour) }); r != (Killed{}) || !strings.Contains(r.(error).Error(), "shut down") {
			t.Errorf("%v: %v", mode, r)
		}
		if mode == Deterministic {
			ts[4].Join(hub) // it counts as ended
		}
	}
}

func TestShutdownWakesAdopted(t *testing.T) {
	s := NewSystem(Config{})
	var other Thread
	s.Adopt(&other, "other")
	got := make(chan any)
	go func() {
		r := caught(func() { other.Park("p", time.Hour) })
		other.Exit()
		got <- r
	}()
	for other.Wmesg() == "" {
		runtime.Gosched()
	}
	if left := s.Shutdown(); left != nil {
		t.Error(left)
	}
	if r := <-got; r != (Killed{}) {
		t.Error(r)
	}
}

func TestPanicOfThread(t *testing.T) {
	boom := errors.New("boom")
	for _, mode := range []Mode{Native, Deterministic} {
		s := NewSystem(Config{Mode: mode})
		hub := adopted(t, s, "hub")
		var th Thread
		var got any
		s.OnPanic(func(v any) { got = v })
		s.Start(&th, "a", func() { panic(boom) })
		th.Join(hub)
		if got != boom || s.Stopped() != nil {
			t.Errorf("%v: %v", mode, got)
		}
		s.OnPanic(func(v any) { panic("the handler fails") })
		s.Start(&th, "b", func() { panic(boom) })
		caught(func() { th.Join(hub) })
		if s.Shutdown(); s.Stopped() != boom {
			t.Errorf("%v: stopped with %v", mode, s.Stopped())
		}

		s = NewSystem(Config{Mode: mode})
		s.Start(&th, "c", func() { var p *int; *p = 1 })
		for s.Stopped() == nil {
			s.Run()
		}
		if _, ok := s.Stopped().(runtime.Error); !ok {
			t.Errorf("%v: stopped with %v", mode, s.Stopped())
		}
		s.Shutdown()
	}
}

// A thread that was never run when the machine stops does not begin, and Point unwinds.
func TestStopDeterministic(t *testing.T) {
	s := NewSystem(Config{Mode: Deterministic})
	hub := adopted(t, s, "hub")
	var ts [3]Thread
	var got any
	s.Start(&ts[0], "a", func() {
		got = caught(func() {
			for {
				ts[0].Point()
			}
		})
	})
	s.Start(&ts[1], "b", func() { ts[1].Point(); ts[1].Point(); s.Stop("b") })
	s.Run()
	if got != (Stopped{"b"}) {
		t.Error(got)
	}
	s.Start(&ts[2], "c", func() { t.Error("began") })
	s.Run()
	if r := caught(hub.Point); r != (Stopped{"b"}) {
		t.Error(r)
	}
	if left := s.Shutdown(); left != nil {
		t.Error(left)
	}
}

// TestPollingForEver has a call of the hub that waits again whenever time has passed, whether others or its own timeouts wake it:
// at last it is blocked. Many calls that wait once are not.
func TestPollingForEver(t *testing.T) {
	for name, poll := range map[string]func(s *System, hub *Thread){
		"own timeouts": func(_ *System, hub *Thread) {
			for {
				hub.Sleep(time.Second)
			}
		},
		"woken by another": func(s *System, hub *Thread) {
			var other Thread
			s.Start(&other, "other", func() {
				for {
					other.Sleep(time.Second)
					hub.Unpark()
				}
			})
			for {
				hub.Park("more", 0)
			}
		},
	} {
		s := NewSystem(Config{Mode: Deterministic})
		var hub Thread
		s.Adopt(&hub, "hub")
		for range 2 * maxAdvances {
			hub.Entered()
			hub.Sleep(time.Second)
		}
		b, ok := caught(func() { poll(s, &hub) }).(Blocked)
		if !ok || !strings.HasPrefix(b.Waiting[0], "hub: ") || b.Waiting[0] == "hub: " || len(s.sched.timers) > 1 {
			t.Errorf("%s: %v", name, b)
		}
		hub.Exit()
		s.Shutdown()
	}
}

// story runs threads that meet at points, locks and timers, and returns what they did in which order.
func story(c Config) string {
	c.Mode = Deterministic
	s := NewSystem(c)
	defer s.Shutdown()
	var hub Thread
	s.Adopt(&hub, "hub")
	defer hub.Exit()
	var m Mutex
	m.Init(s, &testClass)
	var b bytes.Buffer
	spawn(s, &hub, 4, func(me *Thread, i int) {
		for range 3 {
			m.Enter(me)
			fmt.Fprint(&b, i)
			me.Point()
			m.Exit(me)
			me.Sleep(time.Duration(s.Random() % 3))
			fmt.Fprint(&b, i)
		}
	})
	return b.String()
}

func TestSameSeedSameSchedule(t *testing.T) {
	seen := map[string]bool{}
	for seed := range uint64(100) {
		first := story(Config{Seed: seed})
		for range 3 {
			if again := story(Config{Seed: seed}); again != first {
				t.Fatalf("seed %d:\n%s\n%s", seed, first, again)
			}
		}
		seen[first] = true
	}
	if len(seen) < 90 {
		t.Errorf("100 seeds give only %d schedules", len(seen))
	}
	const golden = "321012222121130103330030"
	if got := story(Config{Seed: 1}); got != golden {
		t.Errorf("seed 1 gives %s, on every machine it should be %s", got, golden)
	}
}

// Pick enumerates all schedules of two threads.
func TestEnumerate(t *testing.T) {
	seen := map[string]int{}
	runs := 0
	var choices, sizes []int // the path through the tree of choices
	for {
		depth := 0
		s := NewSystem(Config{Mode: Deterministic, Pick: func(n int) int {
			if depth == len(choices) {
				choices, sizes = append(choices, 0), append(sizes, n)
			}
			depth++
			return choices[depth-1]
		}})
		var hub Thread
		s.Adopt(&hub, "hub")
		var b bytes.Buffer
		var ts [2]Thread
		for i := range ts {
			s.Start(&ts[i], "t", func() {
				for range 3 {
					fmt.Fprint(&b, i)
					ts[i].Point()
				}
			})
		}
		s.Run()
		hub.Exit()
		s.Shutdown()
		seen[b.String()]++
		runs++
		for len(choices) > 0 && choices[len(choices)-1]+1 == sizes[len(choices)-1] {
			choices, sizes = choices[:len(choices)-1], sizes[:len(sizes)-1]
		}
		if len(choices) == 0 {
			break
		}
		choices[len(choices)-1]++
	}
	if len(seen) != 20 { // 6! / (3! 3!)
		t.Errorf("%d runs, %d interleavings: %v", runs, len(seen), seen)
	}
}

func TestBadPick(t *testing.T) {
	s := NewSystem(Config{Mode: Deterministic, Pick: func(n int) int { return n }})
	var ts [2]Thread
	for i := range ts {
		s.Start(&ts[i], "t", func() {})
	}
	if r := caught(s.Run); fmt.Sprint(r) != "hypercall: Pick(2) = 2" {
		t.Error(r)
	}
	s.Shutdown()
}

// Several hub threads take turns on one goroutine.
func TestHubThreads(t *testing.T) {
	s := machine(t, Config{Mode: Deterministic, Seed: 3})
	p0, p1 := adopted(t, s, "p0"), adopted(t, s, "p1")
	var m Mutex
	m.Init(s, &testClass)
	var th Thread
	s.Start(&th, "holder", func() {
		m.Enter(&th)
		th.Sleep(time.Second)
		m.Exit(&th)
	})
	if !s.Step() || s.Step() {
		t.Error("steps")
	}
	m.Enter(p0) // runs the holder
	if s.Uptime() != time.Second {
		t.Error(s.Uptime())
	}
	m.Exit(p0)
	m.Enter(p1)
	if r, ok := caught(func() { m.Enter(p0) }).(Blocked); !ok || fmt.Sprint(r.Waiting) != "[p0: test lock]" {
		t.Error(r)
	}
}

// Step leaves the thread that was chosen next for the following Step.
func TestStep(t *testing.T) {
	s := machine(t, Config{Mode: Deterministic, Pick: func(n int) int { return 0 }})
	var ts [3]Thread
	var b bytes.Buffer
	for i := range ts {
		s.Start(&ts[i], "t", func() {
			fmt.Fprint(&b, i)
			ts[i].Point()
			fmt.Fprint(&b, i)
		})
	}
	var after []string
	for s.Step() {
		after = append(after, b.String())
	}
	if got := fmt.Sprint(after); got != "[0 01 012 0120 01201 012012]" || s.Switches() != 6 {
		t.Error(got, s.Switches())
	}
}

func TestManyMachines(t *testing.T) {
	var n atomic.Int64
	for i := range 1000 {
		s := NewSystem(Config{Mode: Mode(i % 3), Seed: uint64(i)})
		var hub Thread
		s.Adopt(&hub, "hub")
		spawn(s, &hub, 2, func(*Thread, int) { n.Add(1) })
		hub.Exit()
		if left := s.Shutdown(); left != nil {
			t.Fatal(left)
		}
	}
	if n.Load() != 2000 {
		t.Error(n.Load())
	}
}

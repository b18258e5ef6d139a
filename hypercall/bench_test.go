package hypercall

import (
	"testing"
	"time"
)

func BenchmarkMutex(b *testing.B) {
	b.ReportAllocs()
	s := NewSystem(Config{})
	me := adopted(b, s, "me")
	var m Mutex
	m.Init(s, &testClass)
	for b.Loop() {
		m.Enter(me)
		m.Exit(me)
	}
}

func BenchmarkRWLock(b *testing.B) {
	b.ReportAllocs()
	s := NewSystem(Config{})
	me := adopted(b, s, "me")
	var rw RWLock
	rw.Init(s, &testClass)
	b.Run("write", func(b *testing.B) {
		for b.Loop() {
			rw.WEnter(me)
			rw.WExit(me)
		}
	})
	b.Run("read", func(b *testing.B) {
		for b.Loop() {
			rw.REnter(me)
			rw.RExit(me)
		}
	})
	b.Run("generic", func(b *testing.B) {
		for b.Loop() {
			rw.Enter(me, Writer)
			rw.Exit(me)
		}
	})
	b.Run("held", func(b *testing.B) {
		for b.Loop() {
			if rw.WriteHeld(me) {
				b.Fatal()
			}
		}
	})
}

func BenchmarkContended(b *testing.B) {
	for _, n := range []int{2, 8} {
		b.Run(map[int]string{2: "2", 8: "8"}[n], func(b *testing.B) {
			b.ReportAllocs()
			s := machine(b, Config{})
			hub := adopted(b, s, "hub")
			var rw RWLock
			rw.Init(s, &testClass)
			count := 0
			spawn(s, hub, n, func(me *Thread, i int) {
				for range b.N / n {
					rw.WEnter(me)
					count++
					rw.WExit(me)
				}
			})
		})
	}
}

// A lock operation on a deterministic machine where nobody else wants to run.
func BenchmarkMutexDeterministic(b *testing.B) {
	b.ReportAllocs()
	s := NewSystem(Config{Mode: Deterministic})
	me := adopted(b, s, "me")
	var m Mutex
	m.Init(s, &testClass)
	for b.Loop() {
		m.Enter(me)
		m.Exit(me)
	}
}

// From one coroutine to another.
func BenchmarkSwitch(b *testing.B) {
	b.ReportAllocs()
	s := NewSystem(Config{Mode: Deterministic})
	var ts [2]Thread
	for i := range ts {
		s.Start(&ts[i], "t", func() {
			for {
				ts[i].Point()
			}
		})
	}
	for b.Loop() {
		s.Step()
	}
	s.Shutdown()
}

func BenchmarkPointNative(b *testing.B) {
	b.ReportAllocs()
	me := adopted(b, NewSystem(Config{}), "me")
	for b.Loop() {
		me.Point()
	}
}

// One thread wakes another and waits for it.
func BenchmarkParkUnpark(b *testing.B) {
	for _, mode := range []Mode{Native, Deterministic} {
		b.Run(mode.String(), func(b *testing.B) {
			b.ReportAllocs()
			s := NewSystem(Config{Mode: mode})
			hub := adopted(b, s, "hub")
			var th Thread
			s.Start(&th, "t", func() {
				for {
					th.Park("ping", 0)
					hub.Unpark()
				}
			})
			for b.Loop() {
				th.Unpark()
				hub.Park("pong", time.Hour)
			}
			s.Shutdown()
		})
	}
}

func BenchmarkMachine(b *testing.B) {
	for _, mode := range []Mode{Native, Deterministic} {
		b.Run(mode.String(), func(b *testing.B) {
			b.ReportAllocs()
			for b.Loop() {
				s := NewSystem(Config{Mode: mode})
				var hub Thread
				s.Adopt(&hub, "hub")
				hub.Exit()
				s.Shutdown()
			}
		})
	}
}

package sched_test

import (
	"context"
	"fmt"
	"math/rand/v2"
	"strings"
	"testing"

	"rumpvfs/hypercall"
	"rumpvfs/proptest/sched"
)

// A toy is a machine with a few threads, which do operations on locks and words.
type toy struct {
	control sched.Control
	bodies  []string // of each thread: operations, separated by blanks

	s       *hypercall.System
	locks   [3]hypercall.Mutex
	rw      hypercall.RWLock
	cv      hypercall.CV
	words   [3]int
	regs    []int
	threads []hypercall.Thread
}

// run runs the threads once and gives what came of it: each thread's register and the words, or why it did not end.
func (y *toy) run() (outcome string) {
	s := hypercall.NewSystem(hypercall.Config{Mode: hypercall.Deterministic, Scheduler: y.control.Scheduler()})
	y.s, y.words, y.regs, y.threads = s, [3]int{}, make([]int, len(y.bodies)), make([]hypercall.Thread, len(y.bodies))
	for i := range y.locks {
		y.locks[i].Init(s, &hypercall.LockClass{Name: fmt.Sprint("lock", i)})
	}
	y.rw.Init(s, &hypercall.LockClass{Name: "rw"})
	y.cv.Init(s, "cv")
	var hub hypercall.Thread
	s.Adopt(&hub, "hub")
	y.control.Begin("hub")
	for i, body := range y.bodies {
		s.Start(&y.threads[i], string(rune('a'+i)), func() { y.body(i, body) })
	}
	defer func() {
		if r := recover(); r != nil {
			outcome = fmt.Sprint(r)
		}
		y.control.End()
		s.Shutdown()
	}()
	s.Run()
	for i := range y.threads {
		y.threads[i].Join(&hub)
	}
	if s.Stopped() != nil {
		return fmt.Sprint(s.Stopped())
	}
	return fmt.Sprint(y.regs, y.words)
}

// body does operations: "L0" and "U0" take and leave lock 0, "T0" tries to, and if it fails the rest up to the U0 is left out; "R", "W" and "E"
// take the rwlock as reader or writer and leave it; "r0" reads word 0 and "w0" writes what was read last and the thread's number, without
// a lock; "+0" adds to it; "c0" waits for the cv with lock 0 unless word 0 is set, "s" signals; "." is a point.
func (y *toy) body(i int, ops string) {
	t := &y.threads[i]
	skip := ""
	for _, op := range strings.Fields(ops) {
		n := 0
		if len(op) > 1 {
			n = int(op[1] - '0')
		}
		if skip != "" && op != skip {
			continue
		}
		if skip != "" {
			skip = ""
			continue
		}
		switch op[0] {
		case 'L':
			y.locks[n].Enter(t)
		case 'U':
			y.locks[n].Exit(t)
		case 'T':
			if !y.locks[n].TryEnter(t) {
				y.regs[i] = y.regs[i]*10 + 9
				skip = "U" + op[1:]
			}
		case 'R':
			y.rw.REnter(t)
		case 'W':
			y.rw.WEnter(t)
		case 'E':
			y.rw.Exit(t)
		case 'r':
			y.locks[n].Touch(t, hypercall.Read)
			y.regs[i] = y.regs[i]*10 + y.words[n]
		case 'w':
			y.locks[n].Touch(t, hypercall.Write)
			y.words[n] = y.regs[i]%10*2%7 + i + 1
		case '+':
			y.locks[n].Touch(t, hypercall.Add)
			y.words[n]++
		case 'c':
			for y.locks[0].Touch(t, hypercall.Read); y.words[0] == 0; y.locks[0].Touch(t, hypercall.Read) {
				y.cv.Wait(t, &y.locks[0])
			}
		case 's':
			y.cv.Signal(t)
		case '.':
			t.Point()
		}
	}
}

// outcomes are all that come of the bodies, and how many schedules were run: at most most.
func outcomes(most int, unreduced bool, bodies ...string) (map[string]bool, sched.Stats) {
	y := &toy{bodies: bodies}
	seen := map[string]bool{}
	_, stats := sched.Search(context.Background(), &y.control, func() *sched.Failure {
		seen[y.run()] = true
		return nil
	}, sched.Exhaustive, sched.Options{Unreduced: unreduced, Schedules: most})
	return seen, stats
}

// TestReduction compares what the reduced search sees of toys with what the whole enumeration does.
func TestReduction(t *testing.T) {
	for _, bodies := range [][]string{
		{"r0 . w0", "r0 . w0"},
		{"L0 r0 . w0 U0", "L0 r0 . w0 U0"},
		{"L0 L1 U1 U0", "L1 L0 U0 U1"},
		{"L0 . r1 U0", "T0 w1 U0", ". w1"},
		{"R r0 E", "W w0 E", "R r0 E"},
		{"R . R E E", ". W E"},
		{"L0 c0 r0 U0", "L0 w0 s U0", ". +1"},
		{"+0 . +0", "+0 . r0"},
		{". w1 r1", "R r0 E L0 . L1 . w1 U1 r1 U0", "L1 . L0 . w1 U0 w1 U1 T0 w1 U0"},
		{"w0 L1 r1 U1", "w0 L1 w1 U1", "r1"},
	} {
		agree(t, 30_000, bodies...)
	}
	dice := rand.New(rand.NewPCG(1, 2))
	for range toys {
		agree(t, 250, randomBodies(dice)...)
	}
}

// toys is how many random ones are compared. 5,000 and up to 50,000 schedules each were, once.
const toys = 120

// agree compares the outcomes of bodies unless there are more than so many schedules.
func agree(t *testing.T, most int, bodies ...string) {
	t.Helper()
	want, all := outcomes(most, true, bodies...)
	if !all.Exhausted {
		return
	}
	got, some := outcomes(0, false, bodies...)
	for o := range want {
		if !got[o] {
			t.Errorf("%q: missed %s: %d schedules of %d", bodies, o, some.Schedules, all.Schedules)
		}
	}
	for o := range got {
		if !want[o] {
			t.Errorf("%q: %s cannot be", bodies, o)
		}
	}
	if some.Schedules > all.Schedules {
		t.Errorf("%q: %d schedules in place of %d", bodies, some.Schedules, all.Schedules)
	}
}

// randomBodies are two or three threads with a few critical sections each. If there are attempts to take a lock, every lock is seen held: there is
// a point after it is taken.
func randomBodies(dice *rand.Rand) (bodies []string) {
	threads, tries := 2+dice.IntN(2), dice.IntN(2) == 0
	word := func() string { return fmt.Sprint([]string{"r", "w", "+"}[dice.IntN(3)], dice.IntN(2)) }
	for range threads {
		var b []string
		for range 1 + dice.IntN(5-threads) {
			n := dice.IntN(2)
			l, m, u, v := fmt.Sprint("L", n), fmt.Sprint("L", 1-n), fmt.Sprint("U", n), fmt.Sprint("U", 1-n)
			if tries {
				l, m = l+" .", m+" ."
			}
			switch dice.IntN(5) {
			case 0:
				b = append(b, l, word(), word(), u)
			case 1:
				if tries {
					l = fmt.Sprint("T", n)
				}
				b = append(b, l, word(), u)
			case 2:
				b = append(b, []string{"R", "W"}[dice.IntN(2)], word(), "E")
			case 3:
				b = append(b, l, m, word(), v, word(), u)
			case 4:
				b = append(b, ".", word(), word())
			}
		}
		bodies = append(bodies, strings.Join(b, " "))
	}
	return bodies
}

package sched_test

import (
	"context"
	"strings"
	"testing"

	"rumpvfs/hypercall"
	"rumpvfs/kern"
	"rumpvfs/proptest/call"
	"rumpvfs/proptest/sched"
	"rumpvfs/sim"
	"rumpvfs/vnode"
)

// TestToys has each strategy look for what is wrong with toys, and find nothing where nothing is.
func TestToys(t *testing.T) {
	for _, c := range []struct {
		name   string
		bodies []string
		wrong  string // part of an outcome that must be found; "" none may be but right
		right  string
	}{
		{name: "lost update", bodies: []string{". r0 . w0", ". r0 . w0"}, wrong: "[0 0] [2"},
		{name: "update under a lock", bodies: []string{"L0 r0 . w0 U0", "L0 r0 . w0 U0"}, right: "[0 1] [4 0 0],[2 0] [5 0 0]"},
		{name: "locks in two orders", bodies: []string{"L0 L1 U1 U0", "L1 L0 U0 U1"}, wrong: "blocked for ever"},
		{name: "locks in one order", bodies: []string{"L0 L1 U1 U0", "L0 L1 U1 U0"}, right: "[0 0] [0 0 0]"},
		{name: "three in a ring", bodies: []string{"L0 L1 U1 U0", "L1 L2 U2 U1", "L2 L0 U0 U2"}, wrong: "blocked for ever"},
		{name: "a reader again behind a writer", bodies: []string{"R . R E E", "W E"}, wrong: "blocked for ever"},
		{name: "readers twice without a writer", bodies: []string{"R . R E E", "R E"}, right: "[0 0] [0 0 0]"},
		{name: "wake-up before the wait", bodies: []string{"L0 . c0 U0", "s . w0"}, wrong: "blocked for ever"},
		{name: "wake-up under the lock", bodies: []string{"L0 . c0 U0", "L0 w0 s U0"}, right: "[0 0] [2 0 0]"},
		{name: "an attempt that fails", bodies: []string{"L0 . U0", "T0 U0"}, wrong: "[0 9]"},
	} {
		for by := sched.Random; by <= sched.Exhaustive; by++ {
			y := &toy{bodies: c.bodies}
			f, stats := sched.Search(context.Background(), &y.control, func() *sched.Failure {
				o := y.run()
				switch {
				case c.wrong != "" && strings.Contains(o, c.wrong):
					return &sched.Failure{Why: o}
				case c.wrong == "" && !contains(strings.Split(c.right, ","), o):
					return &sched.Failure{Why: o}
				}
				return nil
			}, by, sched.Options{Schedules: 500})
			switch {
			case c.wrong != "" && f == nil:
				t.Errorf("%s: %v does not find it in %d schedules", c.name, by, stats.Schedules)
			case c.wrong == "" && f != nil:
				t.Errorf("%s: %v reports %s, schedule %v", c.name, by, f.Why, f.Schedule)
			case by == sched.Exhaustive && f == nil && !stats.Exhausted:
				t.Errorf("%s: %+v", c.name, stats)
			}
		}
	}
}

func contains(list []string, s string) bool {
	for _, x := range list {
		if x == s {
			return true
		}
	}
	return false
}

// An evilMkdir is what is done in place of mkdir, the real one.
type evilMkdir func(l *kern.Lwp, dvp *vnode.Vnode, cnp *vnode.Componentname, mkdir func() (*vnode.Vnode, error)) (*vnode.Vnode, error)

// broken is a kernel whose rumpfs does evil.
func broken(evil evilMkdir) *sched.System {
	return sched.Rumpfs(kern.Fixed, func(c *sim.Config) {
		c.Wrap = func(ops *vnode.Ops) *vnode.Ops {
			if ops.Mkdir == nil {
				return ops
			}
			now := *ops
			now.Mkdir = func(l *kern.Lwp, dvp *vnode.Vnode, cnp *vnode.Componentname, vap *vnode.Vattr) (*vnode.Vnode, error) {
				return evil(l, dvp, cnp, func() (*vnode.Vnode, error) { return ops.Mkdir(l, dvp, cnp, vap) })
			}
			return &now
		}
	})
}

// TestBrokenKernels plants bugs in a kernel that show only when lwps meet. Each strategy finds each, and makes it as small as it can be.
func TestBrokenKernels(t *testing.T) {
	stir := []call.Call{{Op: call.Lstat, Path: "/d"}}
	mkdir := func(path string) []call.Call { return []call.Call{{Op: call.Mkdir, Path: path, Mode: 0o755}} }
	list := func(calls ...[]call.Call) (all []call.Call) {
		for _, c := range calls {
			all = append(all, c...)
		}
		return all
	}
	p := sched.Forked(list(mkdir("/d"), mkdir("/e")), []call.Call{{Op: call.Lstat, Path: "/d/x"}, {Op: call.Lstat, Path: "/d"}},
		list(stir, mkdir("/d/x")), list(mkdir("/e/y"), mkdir("/d/x")))
	var first, second kern.Mutex
	var of *hypercall.System
	busy := 0
	for _, c := range []struct {
		name string
		kind sched.Kind
		evil evilMkdir
	}{
		{"mkdir lets the directory go and looks no more", sched.Difference,
			func(l *kern.Lwp, dvp *vnode.Vnode, _ *vnode.Componentname, mkdir func() (*vnode.Vnode, error)) (*vnode.Vnode, error) {
				_ = vnode.VOP_UNLOCK(l, dvp)
				l.Point()
				_ = dvp.Lock(l, vnode.LK_EXCLUSIVE|vnode.LK_RETRY)
				return mkdir()
			}},
		{"locks in the order of names", sched.Deadlock,
			func(l *kern.Lwp, _ *vnode.Vnode, cnp *vnode.Componentname, mkdir func() (*vnode.Vnode, error)) (*vnode.Vnode, error) {
				if cnp.Name() == "dev" { // boot
					of = l.Sys()
					first.Init(of, &hypercall.LockClass{Name: "first"})
					second.Init(of, &hypercall.LockClass{Name: "second"})
				}
				a, b := &first, &second
				if cnp.Name() == "y" {
					a, b = b, a
				}
				a.Enter(l)
				defer a.Exit(l)
				b.Enter(l)
				defer b.Exit(l)
				return mkdir()
			}},
		{"a reference is lost where two make names", sched.Leftover,
			func(l *kern.Lwp, dvp *vnode.Vnode, cnp *vnode.Componentname, mkdir func() (*vnode.Vnode, error)) (*vnode.Vnode, error) {
				dvp.System().Root.Load().VLock.Touch(l, hypercall.Write)
				busy++
				l.Point()
				dvp.System().Root.Load().VLock.Touch(l, hypercall.Write)
				if busy > 1 {
					dvp.Ref(l)
				}
				busy--
				return mkdir()
			}},
	} {
		for by := sched.Random; by <= sched.Exhaustive; by++ {
			on := broken(c.evil)
			f, stats := sched.Explore(context.Background(), p, on, by, sched.Options{Seed: 5})
			if f == nil || f.Kind != c.kind {
				t.Errorf("%s: %v finds %v, %+v", c.name, by, f, stats)
				continue
			}
			if testing.Verbose() {
				t.Logf("%s: %v, %+v\n%v", c.name, by, stats, f)
			}
			if n := f.Program.Calls(); n != 2 || len(f.Program.Lwps) != 2 || f.Schedule.Preemptions() > 1 {
				t.Errorf("%s: %v: not minimal:\n%v", c.name, by, f)
			}
			again, err := sched.Parse("again", f.Program.String(), on)
			if err != nil {
				t.Fatal(err)
			}
			s, err := sched.ParseSchedule(f.Schedule.String())
			if err != nil {
				t.Fatal(err)
			}
			if _, g := sched.Replay(again, on, s); g == nil || g.String() != f.String() {
				t.Errorf("%s: %v: replayed\n%v\nwas\n%v", c.name, by, g, f)
			}
		}
		for by := sched.Random; by <= sched.Exhaustive; by++ {
			if f, _ := sched.Explore(context.Background(), p, sched.Rumpfs(kern.Fixed, nil), by, sched.Options{Schedules: 200}); f != nil {
				t.Errorf("a kernel that is not broken: %v", f)
			}
		}
	}
}

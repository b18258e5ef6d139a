package vnode

import (
	"strings"
	"testing"
	"time"

	"rumpvfs/hypercall"
	"rumpvfs/kern"
)

// drain cleans all that is unused and returns what was cleaned in which order.
func (k *toyKernel) drain() string {
	k.fs.told(k.l)
	for k.sys.DrainStep(k.l) == nil {
	}
	return k.fs.told(k.l)
}

func (k *toyKernel) hold(vp *Vnode, n int) {
	vp.Interlock.Enter(k.l)
	for range n {
		vp.Hold(k.l)
	}
	for range -n {
		vp.HoldRele(k.l)
	}
	vp.Interlock.Exit(k.l)
}

func TestDrainOrder(t *testing.T) {
	for _, c := range []struct {
		name string
		f    func(k *toyKernel)
		want string
	}{
		{"first unused, first cleaned", func(*toyKernel) {}, "reclaim(0) reclaim(1) reclaim(2) reclaim(3)"},
		{"used since goes last", func(k *toyKernel) { k.find(0).Rele(k.l) }, "reclaim(1) reclaim(2) reclaim(3) reclaim(0)"},
		{"used since in another order", func(k *toyKernel) {
			k.find(2).Rele(k.l)
			k.find(0).Rele(k.l)
			k.find(1).Rele(k.l)
		}, "reclaim(3) reclaim(2) reclaim(0) reclaim(1)"},
		{"the last used since", func(k *toyKernel) { k.find(3).Rele(k.l) }, "reclaim(0) reclaim(1) reclaim(2) reclaim(3)"},
		{"all used since", func(k *toyKernel) {
			for n := range 4 {
				k.find(3 - n).Rele(k.l)
			}
		}, "reclaim(3) reclaim(2) reclaim(1) reclaim(0)"},
		{"in use is left alone", func(k *toyKernel) { k.find(1); k.find(3) }, "reclaim(0) reclaim(2)"},
		{"held goes after others", func(k *toyKernel) {
			k.hold(k.fs.cached(k.l, 2), 2)
			k.hold(k.fs.cached(k.l, 0), 1)
		}, "reclaim(1) reclaim(3) reclaim(2) reclaim(0)"},
		{"no longer held is as if unused just now", func(k *toyKernel) {
			k.hold(k.fs.cached(k.l, 0), 1)
			k.hold(k.fs.cached(k.l, 0), -1)
		}, "reclaim(1) reclaim(2) reclaim(3) reclaim(0)"},
		{"held while in use", func(k *toyKernel) {
			vp := k.find(0)
			k.hold(vp, 1)
			vp.Rele(k.l)
		}, "reclaim(1) reclaim(2) reclaim(3) reclaim(0)"},
		{"interlock not to be had", func(k *toyKernel) {
			other := kern.NewLwp(k.k, nil, "other")
			k.fs.cached(k.l, 0).Interlock.Enter(other)
			k.fs.cached(k.l, 1).Interlock.Enter(other)
			k.tb.Cleanup(other.Exit)
		}, "reclaim(2) reclaim(3)"},
	} {
		t.Run(c.name, func(t *testing.T) {
			k := newToyKernel(t, hypercall.Config{}, Config{Stepped: true})
			for n := range 4 {
				k.find(n).Rele(k.l)
			}
			for n := range 4 {
				k.fs.cached(k.l, n).Data.(*toyFile).reclaim = func(l *kern.Lwp, vp *Vnode) {
					for vp.holdcnt > 0 { // as the buffer cache would
						k.hold(vp, -1)
					}
				}
			}
			c.f(k)
			if got := k.drain(); got != c.want {
				t.Errorf("cleaned %s, want %s", got, c.want)
			}
		})
	}
}

func TestDrainedThenReleased(t *testing.T) {
	k := newStory(t)
	a := k.find(0)
	a.Rele(k.l)
	k.find(0) // in use, still on the list
	k.want("in use", k.drain(), "")
	k.want("off the list", a.Refs.Load(), int32(1))
	a.Rele(k.l)
	k.want("on it again", k.drain(), "reclaim(0)")
}

func TestDesiredVnodes(t *testing.T) {
	for _, mode := range []hypercall.Mode{hypercall.Native, hypercall.Deterministic} {
		k := newToyKernel(t, hypercall.Config{Mode: mode}, Config{DesiredVnodes: 32})
		most := 0
		for round := range 50 {
			for n := range 64 {
				k.find(n).Rele(k.l)
				most = max(most, k.sys.NumVnodes())
			}
			if mode == hypercall.Native || round%2 == 0 {
				continue
			}
			k.l.Point()
		}
		cleaned := false
		for range 10_000 { // the native thread comes when the host lets it
			if cleaned = strings.Contains(k.fs.told(k.l), "reclaim"); cleaned || mode != hypercall.Native {
				break
			}
			time.Sleep(time.Millisecond)
		}
		k.want("something was cleaned", cleaned, true)
		k.want("the thread runs", k.sys.drainLwp != nil, true)
		k.end()
	}
}

func TestDrainVnodes(t *testing.T) {
	k := newStory(t)
	for n := range 64 {
		k.find(n).Rele(k.l)
	}
	k.want("without threads nobody cleans", k.sys.NumVnodes(), 64)
	used := k.find(40)
	k.want("to ten", k.sys.DrainVnodes(k.l, 10), nil)
	k.want("vnodes", k.sys.NumVnodes(), 10)
	k.want("to none", k.sys.DrainVnodes(k.l, 0), error(kern.EBUSY))
	k.want("vnodes", k.sys.NumVnodes(), 1)
	used.Rele(k.l)
}

// Cleaning a directory's vnode drops the reference that its file system has
// to another: that the worker of one kernel runs into the other is fine.
func TestReclaimReleasesAnother(t *testing.T) {
	k := newStory(t)
	parent, child := k.find(1), k.find(2)
	child.Data.(*toyFile).reclaim = func(l *kern.Lwp, _ *Vnode) { parent.Rele(l) }
	k.fs.unlink(k.l, child)
	k.fs.unlink(k.l, parent)
	child.Rele(k.l)
	k.wantTold("rele", "inactive(2) inactive(1) reclaim(1) reclaim(2)")
	k.want("vnodes", k.sys.NumVnodes(), 0)
}

package vnode

import (
	"fmt"
	"runtime"
	"slices"
	"strings"
	"sync/atomic"

	"rumpvfs/kern"
)

// Ledger remembers who took and who dropped references to vnodes. It is a
// sink for the events of a kernel, so that it costs nothing where there is
// none, and passes them on to Next unless that is nil. It only grows: it is
// for finding a leak. The zero Ledger is empty.
type Ledger struct {
	Next kern.Sink
	last atomic.Pointer[posting]
}

// posting is a reference taken or dropped.
type posting struct {
	vp     *Vnode
	holder string // the function outside this package that did it
	amount int    // 1 or -1
	prev   *posting
}

// Event notes the references.
func (g *Ledger) Event(l *kern.Lwp, e *kern.Event) {
	switch e.Kind {
	case kern.EvRef:
		g.post(e.Args.(*Vnode), 1)
	case kern.EvRele:
		g.post(e.Args.(*Vnode), -1)
	}
	if g.Next != nil {
		g.Next.Event(l, e)
	}
}

func (g *Ledger) post(vp *Vnode, amount int) {
	p := &posting{vp: vp, holder: holder(), amount: amount}
	for {
		p.prev = g.last.Load()
		if g.last.CompareAndSwap(p.prev, p) {
			return
		}
	}
}

// holder names the innermost function on the stack that is not part of the
// life cycle itself.
func holder() string {
	var pcs [32]uintptr
	frames := runtime.CallersFrames(pcs[:runtime.Callers(3, pcs[:])])
	for {
		f, more := frames.Next()
		if !lifeCycleMethod(f.Function) || !more {
			return f.Function[strings.LastIndexByte(f.Function, '/')+1:]
		}
	}
}

// lifeCycleMethod reports whether a function takes and drops references for
// others.
func lifeCycleMethod(name string) bool {
	for _, recv := range [...]string{"Vnode", "System", "VnodeIterator", "vnodePager", "Ledger"} {
		if strings.HasPrefix(name, "rumpvfs/vnode.(*"+recv+").") {
			return true
		}
	}
	return strings.HasPrefix(name, "rumpvfs/vnode.emitRef")
}

// Unbalanced names the vnodes for which more references were taken than
// dropped, or fewer, in the order in which they were first seen, and the
// functions whose takes and drops differ: a leak is near one that took, and
// should have dropped or handed over what it took.
func (g *Ledger) Unbalanced() []string {
	var all []*posting
	for p := g.last.Load(); p != nil; p = p.prev {
		all = append(all, p)
	}
	slices.Reverse(all)
	var order []*Vnode
	accounts := map[*Vnode][]*posting{}
	for _, p := range all {
		if accounts[p.vp] == nil {
			order = append(order, p.vp)
		}
		accounts[p.vp] = append(accounts[p.vp], p)
	}
	var left []string
	for _, vp := range order {
		if sum, text := balance(accounts[vp]); sum != 0 {
			left = append(left, fmt.Sprintf("%v: %d references: %s", vp.Type(), sum, text))
		}
	}
	return left
}

// balance sums up the postings of a vnode, as a whole and for each holder.
func balance(account []*posting) (sum int, text string) {
	var order []string
	net := map[string]int{}
	for _, p := range account {
		if !slices.Contains(order, p.holder) {
			order = append(order, p.holder)
		}
		net[p.holder] += p.amount
		sum += p.amount
	}
	var words []string
	for _, h := range order {
		if net[h] != 0 {
			words = append(words, fmt.Sprintf("%s %+d", h, net[h]))
		}
	}
	return sum, strings.Join(words, ", ")
}

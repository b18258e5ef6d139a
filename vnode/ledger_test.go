package vnode

import (
	"fmt"
	"testing"

	"rumpvfs/kern"
)

func leakOne(l *kern.Lwp, vp *Vnode) { vp.Ref(l) }

func dropOne(l *kern.Lwp, vp *Vnode) { vp.Rele(l) }

func TestLedger(t *testing.T) {
	k := newStory(t)
	sink := new(refSink)
	g := &Ledger{Next: sink}
	k.l.Hooks = &kern.Hooks{Sink: g}
	k.want("empty", fmt.Sprint(g.Unbalanced()), "[]")
	a, b := k.find(1), k.find(2)
	leakOne(k.l, b)
	leakOne(k.l, b)
	dropOne(k.l, b)
	dropOne(k.l, a)
	k.want("b leaks", fmt.Sprint(g.Unbalanced()), "[VREG: 2 references: vnode.(*toyfs).make +1, vnode.leakOne +2, vnode.dropOne -1]")
	dropOne(k.l, b)
	dropOne(k.l, b)
	for _, end := range []func(vp *Vnode){
		func(vp *Vnode) { vp.Gone(k.l) },
		func(vp *Vnode) { vp.Recycle(k.l) },
		func(vp *Vnode) { vp.ReleAsync(k.l); k.sys.ReleFlush(k.l) },
		func(vp *Vnode) { vp.Lock(k.l, LK_EXCLUSIVE); vp.Put(k.l) },
		func(vp *Vnode) { vp.Ref(k.l); vp.Gone(k.l); vp.Recycle(k.l) },
	} {
		end(k.find(3))
	}
	vp, _ := k.sys.GetNewVnode(k.l, VT_RUMP, k.fs.mp, k.fs.ops, nil)
	vp.UngetNew(k.l)
	k.fs.mp.Vflush(k.l, nil, 0)
	k.l.Hooks = nil
	k.want("balanced", fmt.Sprint(g.Unbalanced()), "[]")
	k.want("passed on", sink.refs == sink.reles && sink.refs > 8, true)
}

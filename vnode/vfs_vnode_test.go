package vnode

import (
	"fmt"
	"strings"
	"sync"
	"testing"

	"rumpvfs/hypercall"
	"rumpvfs/kern"
)

func TestLastReferenceMakesUnused(t *testing.T) {
	k := newStory(t)
	vp := k.find(1)
	k.want("new", vp.Usecount(), 1)
	vp.Ref(k.l)
	vp.Rele(k.l)
	k.wantTold("one of two references", "")
	vp.Rele(k.l)
	k.wantTold("the last reference", "inactive(1)")
	k.want("unused", vp.Usecount(), 0)
	k.want("flags", vp.Iflag(), uint32(0))
	k.want("kept", k.find(1), vp)
	k.want("used again", vp.Usecount(), 1)
	vp.Rele(k.l)
	k.wantTold("again the last", "inactive(1)")
	k.want("vnodes", k.sys.NumVnodes(), 1)
}

func TestUnlinkedIsRecycledAtOnce(t *testing.T) {
	k := newStory(t)
	vp := k.find(1)
	k.fs.unlink(k.l, vp)
	vp.Lock(k.l, LK_EXCLUSIVE)
	vp.Put(k.l)
	k.wantTold("put", "inactive(1) reclaim(1)")
	k.want("vnodes", k.sys.NumVnodes(), 0)
	k.want("dead for good", vp.TryRef(), false)
	k.want("mount references", k.fs.mp.Refcnt(), 1)
}

func TestRecycleOfUnusedKeepsLists(t *testing.T) {
	k := newStory(t)
	for n := range 4 {
		k.find(n).Rele(k.l) // listed
	}
	vp := k.find(2)
	k.fs.unlink(k.l, vp)
	k.fs.told(k.l)
	vp.Rele(k.l)
	k.wantTold("rele", "inactive(2) reclaim(2)")
	for k.sys.DrainStep(k.l) == nil {
	}
	k.wantTold("drain", "reclaim(0) reclaim(1) reclaim(3)")
}

func TestReleaseKeepsLockedOrder(t *testing.T) {
	for _, mode := range []hypercall.Mode{hypercall.Native, hypercall.Checked, hypercall.Deterministic} {
		k := newToyKernel(t, hypercall.Config{Mode: mode}, Config{Stepped: true})
		vp := k.find(1)
		vp.Lock(k.l, LK_SHARED)
		vp.Put(k.l)
		k.wantTold("put of a shared lock", "inactive(1)")
		vp = k.find(1)
		vp.Ref(k.l)
		vp.Lock(k.l, LK_EXCLUSIVE)
		vp.Put(k.l)
		k.want("unlocked", vp.VLock.Held(), false)
		vp.Lock(k.l, LK_EXCLUSIVE)
		vp.Put(k.l)
		k.wantTold("put of an exclusive lock", "inactive(1)")
		k.want("unlocked", vp.VLock.Held(), false)
		k.end()
	}
}

func TestUngetNew(t *testing.T) {
	k := newStory(t)
	vp, err := k.sys.GetNewVnode(k.l, VT_RUMP, k.fs.mp, k.fs.ops, nil)
	if err != nil {
		t.Fatal(err)
	}
	k.want("vnodes", k.sys.NumVnodes(), 1)
	vp.UngetNew(k.l)
	k.want("vnodes", k.sys.NumVnodes(), 0)
	k.want("mount references", k.fs.mp.Refcnt(), 1)
	k.wantTold("unget", "")
}

func TestSharedInterlock(t *testing.T) {
	k := newStory(t)
	var slock kern.Mutex
	slock.Init(k.k.Sys, &interlockClass)
	k.fs.mp.SetIflag(kern.IMNT_MPSAFE)
	vp, err := k.sys.GetNewVnode(k.l, VT_RUMP, k.fs.mp, k.fs.ops, &slock)
	if err != nil {
		t.Fatal(err)
	}
	k.want("interlock", vp.Interlock, &slock)
	k.want("flags", vp.Iflag(), uint32(VI_LOCKSHARE))
	k.want("vflags", vp.Vflag(), uint32(VV_MPSAFE))
	vp.UngetNew(k.l)
	slock.Enter(k.l) // still works
	slock.Exit(k.l)
}

// A vnode that somebody uses is cleaned under him: to him it is dead, and it
// is freed when he lets go.
func TestGoneWhileReferenced(t *testing.T) {
	k := newStory(t)
	vp := k.find(1)
	vp.SetVflag(VV_ROOT)
	vp.Ref(k.l)
	vp.Gone(k.l)
	k.wantTold("gone", "inactive(1) reclaim(1)")
	k.want("references", vp.Usecount(), 1)
	k.want("mount", vp.Mount(), k.sys.DeadMount)
	k.want("mount references", k.fs.mp.Refcnt(), 1)
	k.want("operations", vp.Ops(), k.sys.DeadOps)
	k.want("flags", vp.Iflag(), uint32(VI_CLEAN))
	k.want("vflags", vp.Vflag(), uint32(VV_LOCKSWORK))
	k.want("tag", vp.Tag, VT_NON)
	k.want("type", vp.Type(), VREG)
	k.want("read", VOP_READ(k.l, vp, nil, 0, nil), error(kern.EIO))
	k.want("lock", vp.Lock(k.l, LK_EXCLUSIVE), error(kern.ENOENT))
	k.want("lock, nowait", vp.Lock(k.l, LK_EXCLUSIVE|LK_NOWAIT), error(kern.ENOENT))
	k.want("lock, retry", vp.Lock(k.l, LK_EXCLUSIVE|LK_RETRY), nil)
	VOP_UNLOCK(k.l, vp)
	vp.Interlock.Enter(k.l)
	k.want("get", vp.Get(k.l, 0), error(kern.ENOENT))
	k.want("another vnode", k.find(1) != vp, true)
	k.find(1).Rele(k.l)
	k.fs.cached(k.l, 1).Rele(k.l)
	vp.Ref(k.l)
	vp.Gone(k.l) // again is no harm
	vp.Revoke(k.l)
	k.want("references", vp.Usecount(), 1)
	vp.Rele(k.l)
	k.want("vnodes", k.sys.NumVnodes(), 1)
}

func TestRecycle(t *testing.T) {
	k := newStory(t)
	vp := k.find(1)
	vp.Ref(k.l)
	k.want("with two references", vp.Recycle(k.l), false)
	vp.Rele(k.l)
	k.want("with one", vp.Recycle(k.l), true)
	k.wantTold("recycle", "reclaim(1)")
	k.want("vnodes", k.sys.NumVnodes(), 0)

	vp = k.find(2)
	vp.Ref(k.l)
	vp.Gone(k.l)
	k.want("of a dead one", vp.Recycle(k.l), true)
	k.want("vnodes", k.sys.NumVnodes(), 0)
}

func TestRevokeOfFile(t *testing.T) {
	k := newStory(t)
	vp := k.find(1)
	k.want("revoke", VOP_REVOKE(k.l, vp, REVOKEALL), nil)
	k.wantTold("revoke", "inactive(1) reclaim(1)")
	k.want("references", vp.Usecount(), 1)
	vp.Rele(k.l)
	k.want("vnodes", k.sys.NumVnodes(), 0)
}

// What happens to a vnode while VOP_INACTIVE or VOP_RECLAIM run.
func TestDuringTransition(t *testing.T) {
	k := newStory(t)
	other := kern.NewLwp(k.k, k.l.Proc, "other")
	defer other.Exit()
	try := func(what string) func(*kern.Lwp, *Vnode) {
		return func(_ *kern.Lwp, vp *Vnode) {
			k.want(what+": TryRef", vp.TryRef(), false)
			vp.Interlock.Enter(other)
			k.want(what+": Get", vp.Get(other, LK_NOWAIT), error(kern.EBUSY))
			k.fs.note(k.l, "flags(%#x)", vp.Iflag())
			vp.Interlock.Enter(other)
			k.fs.note(k.l, "dead(%t)", vp.DeadCheck(other, VDEAD_NOWAIT) == kern.EBUSY)
			vp.Interlock.Exit(other)
		}
	}
	vp := k.find(1)
	vp.Data.(*toyFile).inactive = try("inactive")
	vp.Data.(*toyFile).reclaim = try("reclaim")
	vp.Rele(k.l)
	k.wantTold("rele", "flags(0x100000) dead(false) inactive(1)")
	vp = k.find(1)
	vp.Ref(k.l)
	vp.Gone(k.l)
	k.wantTold("gone", "flags(0x101000) dead(true) inactive(1) flags(0x101000) dead(true) reclaim(1)")
	vp.Rele(k.l)
}

// Who waits for a vnode that turns out to be recycled gets ENOENT and frees
// it. To vclean it is in use: it is deactivated once more.
func TestWaiterOutlivesRecycled(t *testing.T) {
	k := newToyKernel(t, hypercall.Config{Mode: hypercall.Deterministic}, Config{})
	vp := k.find(1)
	f := vp.Data.(*toyFile)
	k.fs.unlink(k.l, vp)
	var waiter *kern.Lwp
	f.inactive = func(l *kern.Lwp, vp *Vnode) {
		if waiter != nil {
			return
		}
		waiter = kern.StartLwp(k.k, k.l.Proc, "waiter", func(l *kern.Lwp) {
			vp.Interlock.Enter(l)
			k.want("get", vp.Get(l, 0), error(kern.ENOENT))
		})
		for vp.Usecount() == 1 {
			l.Point()
		}
	}
	vp.Rele(k.l)
	k.wantTold("rele", "inactive(1) inactive(1) reclaim(1)")
	waiter.Join(&k.l.Thread)
	k.want("vnodes", k.sys.NumVnodes(), 0)
	k.end()
}

func TestFlagsOfUnusedGo(t *testing.T) {
	k := newStory(t)
	vp := k.find(1)
	vp.Interlock.Enter(k.l)
	vp.SetIflag(VI_TEXT | VI_EXECMAP | VI_WRMAP | VI_WRMAPDIRTY)
	vp.ClearIflag(VI_TEXT)
	vp.Interlock.Exit(k.l)
	vp.SetVflag(VV_MAPPED | VV_SYSTEM)
	k.want("flags", vp.Iflag(), uint32(VI_EXECMAP|VI_WRMAP|VI_WRMAPDIRTY))
	vp.Rele(k.l)
	k.want("flags", vp.Iflag(), uint32(VI_WRMAPDIRTY))
	k.want("vflags", vp.Vflag(), uint32(VV_SYSTEM))
}

func TestDeferredRelease(t *testing.T) {
	k := newStory(t)
	other := kern.NewLwp(k.k, k.l.Proc, "other")
	defer other.Exit()
	vp := k.find(1)
	vp.VLock.Enter(other)
	vp.Rele(k.l)
	k.wantTold("rele of a locked vnode", "")
	k.want("references", vp.Usecount(), 1)
	if left := k.sys.Audit(k.l); !strings.Contains(fmt.Sprint(left), "1 releases of vnodes not done") {
		t.Errorf("audit: %v", left)
	}
	vp.VLock.Exit(other)
	k.want("step", k.sys.ReleStep(k.l), true)
	k.want("step", k.sys.ReleStep(k.l), false)
	k.wantTold("worker", "inactive(1)")

	a, b := k.find(1), k.find(2)
	a.Ref(k.l)
	a.ReleAsync(k.l)
	k.want("references", a.Usecount(), 1)
	a.ReleAsync(k.l)
	b.ReleAsync(k.l)
	k.wantTold("async", "")
	k.find(1).Rele(k.l) // somebody comes and goes meanwhile
	k.wantTold("use of a deferred one", "")
	k.sys.ReleFlush(k.l)
	k.wantTold("flush", "inactive(1) inactive(2)")
}

func TestReleThread(t *testing.T) {
	for _, mode := range []hypercall.Mode{hypercall.Native, hypercall.Deterministic} {
		k := newToyKernel(t, hypercall.Config{Mode: mode}, Config{})
		for n := range 10 {
			k.find(n).ReleAsync(k.l)
		}
		k.sys.ReleFlush(k.l)
		k.want("inactive", strings.Count(k.fs.told(k.l), "inactive"), 10)
		k.end()
		k.want("background threads after the end", k.sys.releLwp != nil, true)
	}
}

func TestBadReferenceCounts(t *testing.T) {
	for _, c := range []struct {
		name, want string
		f          func(k *toyKernel, vp *Vnode)
	}{
		{"rele of unused", "bad ref count", func(k *toyKernel, vp *Vnode) { vp.Rele(k.l); vp.Rele(k.l) }},
		{"open for writing", "bad ref count", func(k *toyKernel, vp *Vnode) { vp.AddWritecount(k.l, 1); vp.Rele(k.l) }},
		{"writecount below zero", "v_writecount >= 0", func(k *toyKernel, vp *Vnode) { vp.AddWritecount(k.l, -1) }},
		{"ref of unused", "v_usecount != 0", func(k *toyKernel, vp *Vnode) { vp.Rele(k.l); vp.Ref(k.l) }},
		{"hold without interlock", "mutex_owned", func(k *toyKernel, vp *Vnode) { vp.Hold(k.l) }},
		{"holdrele without hold", "holdrelel: holdcnt", func(k *toyKernel, vp *Vnode) { vp.Interlock.Enter(k.l); vp.HoldRele(k.l) }},
		{"get without interlock", "mutex_owned", func(k *toyKernel, vp *Vnode) { vp.Get(k.l, 0) }},
		{"state flags", "viGate", func(k *toyKernel, vp *Vnode) { vp.SetIflag(VI_CLEAN) }},
		{"state flags", "viGate", func(k *toyKernel, vp *Vnode) { vp.ClearIflag(VI_CHANGING) }},
		{"wrong lock flags", "LK_SHARED", func(k *toyKernel, vp *Vnode) { vp.Lock(k.l, 1<<20) }},
		{"unget with data", "v_data == NULL", func(k *toyKernel, vp *Vnode) { vp.UngetNew(k.l) }},
		{"reclaim refuses", "cannot reclaim", func(k *toyKernel, vp *Vnode) { k.fs.resist = kern.EBUSY; vp.Gone(k.l) }},
		{"dead but not clean", "dead but not clean", func(k *toyKernel, vp *Vnode) {
			vp.op.Store(k.sys.DeadOps)
			vp.Interlock.Enter(k.l)
			vp.relel(k.l, 0)
		}},
		{"unmount busy", "mnt_busynest", func(k *toyKernel, vp *Vnode) { k.fs.mp.Unbusy(k.l, false) }},
		{"not on the list", "mount list", func(k *toyKernel, vp *Vnode) { k.sys.MountlistRemove(k.l, k.sys.DeadMount) }},
		{"free of a used vnode", "v_usecount == 0", func(k *toyKernel, vp *Vnode) { vp.free(k.l) }},
	} {
		k := newToyKernel(t, hypercall.Config{}, Config{Stepped: true})
		vp := k.find(1)
		if msg := kernelPanic(t, func() { c.f(k, vp) }); !strings.Contains(msg, c.want) {
			t.Errorf("%s: %q, want %q", c.name, msg, c.want)
		}
	}
}

// Every schedule of two lwps that find a file, one that unlinks it and one
// that cleans it ends with everybody holding either a live or a dead vnode,
// and nothing left over.
func TestGetRacesClean(t *testing.T) {
	live, dead := 0, 0
	for seed := range uint64(400) {
		k := newToyKernel(t, hypercall.Config{Mode: hypercall.Deterministic, Seed: seed}, Config{})
		k.verbose = false
		vp := k.find(1)
		vp.Ref(k.l)
		var lwps []*kern.Lwp
		run := func(name string, f func(l *kern.Lwp)) {
			lwps = append(lwps, kern.StartLwp(k.k, k.l.Proc, name, f))
		}
		for range 2 {
			run("finder", func(l *kern.Lwp) {
				for range 3 {
					vp, err := k.fs.find(l, 1)
					if err != nil {
						t.Errorf("find: %v", err)
						return
					}
					if err := vp.Lock(l, LK_EXCLUSIVE); err == nil {
						live++
						if vp.Data.(*toyFile).vp != vp {
							t.Error("a locked vnode that is alive is not its file's")
						}
						vp.Put(l)
					} else {
						dead++
						vp.Rele(l)
					}
				}
			})
		}
		run("unlinker", func(l *kern.Lwp) {
			if vp.Lock(l, LK_EXCLUSIVE) == nil {
				k.fs.unlink(l, vp)
				VOP_UNLOCK(l, vp)
			}
			vp.Rele(l)
		})
		run("cleaner", func(l *kern.Lwp) { vp.Gone(l) })
		for _, w := range lwps {
			w.Join(&k.l.Thread)
		}
		k.end()
		if t.Failed() {
			t.Fatalf("seed %d", seed)
		}
	}
	if live == 0 || dead == 0 {
		t.Errorf("%d found alive and %d dead: the race did not happen", live, dead)
	}
}

// The same, and more, at full speed.
func TestHammer(t *testing.T) {
	rounds := 2000
	if testing.Short() {
		rounds = 200
	}
	for _, mode := range []hypercall.Mode{hypercall.Native, hypercall.Checked} {
		k := newToyKernel(t, hypercall.Config{Mode: mode}, Config{DesiredVnodes: 8})
		k.verbose = false
		var wg sync.WaitGroup
		for g := range 8 {
			wg.Add(1)
			go func() {
				defer wg.Done()
				l := kern.NewLwp(k.k, k.l.Proc, fmt.Sprint("hammer", g))
				defer l.Exit()
				k.hammer(l, g, rounds)
			}()
		}
		wg.Wait()
		k.end()
	}
}

// And in schedules that can be repeated.
func TestHammerSchedules(t *testing.T) {
	for seed := range uint64(100) {
		k := newToyKernel(t, hypercall.Config{Mode: hypercall.Deterministic, Seed: seed}, Config{DesiredVnodes: 8})
		k.verbose = false
		var lwps []*kern.Lwp
		for g := range 3 {
			lwps = append(lwps, kern.StartLwp(k.k, k.l.Proc, fmt.Sprint("hammer", g), func(l *kern.Lwp) { k.hammer(l, g, 40) }))
		}
		for _, w := range lwps {
			w.Join(&k.l.Thread)
		}
		k.end()
		if t.Failed() {
			t.Fatalf("seed %d", seed)
		}
	}
}

func (k *toyKernel) hammer(l *kern.Lwp, g, rounds int) {
	for i := range rounds {
		vp, err := k.fs.find(l, (i*7+g)%16)
		if err != nil {
			k.tb.Errorf("find: %v", err)
			return
		}
		switch (i + g) % 8 {
		case 0:
			if vp.Lock(l, LK_EXCLUSIVE) == nil {
				vp.Put(l)
				continue
			}
		case 1:
			if vp.Lock(l, LK_EXCLUSIVE) == nil {
				k.fs.unlink(l, vp)
				vp.Put(l)
				continue
			}
		case 2:
			if vp.Lock(l, LK_SHARED) == nil {
				vp.Put(l)
				continue
			}
		case 3:
			if i%16 == 0 {
				vp.Gone(l)
				continue
			}
			if vp.Recycle(l) {
				continue
			}
		case 4:
			vp.Interlock.Enter(l)
			vp.Hold(l)
			vp.Interlock.Exit(l)
			vp.Interlock.Enter(l)
			vp.HoldRele(l)
			vp.Interlock.Exit(l)
		case 5:
			vp.ReleAsync(l)
			continue
		case 6:
			if vp.TryRef() {
				vp.Rele(l)
			}
			if i%64 == 0 {
				k.sys.DrainStep(l)
			}
		}
		vp.Rele(l)
	}
}

func TestAccessors(t *testing.T) {
	k := newStory(t)
	vp := k.find(1)
	mp := vp.Mount()
	k.want("systems", vp.System() == k.sys && mp.System() == k.sys, true)
	vp.SetGenfs("g")
	k.want("genfs", vp.Genfs(), any("g"))
	vp.SetMountedhere(mp)
	k.want("mounted here", vp.Mountedhere(), mp)
	mp.SetFlag(kern.MNT_RDONLY | kern.MNT_NOEXEC)
	mp.ClearFlag(kern.MNT_RDONLY)
	k.want("flags", mp.Flag(), uint32(kern.MNT_NOEXEC))
	k.hold(vp, 2)
	k.want("holds", vp.Holdcnt(), 2)
	k.hold(vp, -2)
	vp.Lock(k.l, LK_EXCLUSIVE)
	vp.Interlock.Enter(k.l)
	k.want("get", vp.Get(k.l, LK_EXCLUSIVE|LK_NOWAIT), error(kern.EBUSY))
	k.want("references", vp.Usecount(), 1)
	vp.Put(k.l)
	it := mp.VnodeIterator(k.l)
	k.want("a marker", it.marker.Iflag(), uint32(VI_MARKER))
	it.Destroy(k.l)
}

type tableOfNames struct{ names, attrs int }

func (t *tableOfNames) NamesChanged() { t.names++ }
func (t *tableOfNames) AttrsChanged() { t.attrs++ }

func TestNameTableHearsOfChanges(t *testing.T) {
	k := newStory(t)
	vp := k.find(1)
	ct := new(tableOfNames)
	nt := NameTable(ct)
	vp.Names.Store(&nt)
	VOP_SETATTR(k.l, vp, nil, nil)
	k.want("after setattr", *ct, tableOfNames{0, 1})
	VOP_MKDIR(k.l, vp, nil, nil)
	k.want("after mkdir", *ct, tableOfNames{1, 2})
	vp.Gone(k.l)
	k.want("after the end", *ct, tableOfNames{2, 2})
}

type refSink struct{ refs, reles int }

func (s *refSink) Event(_ *kern.Lwp, e *kern.Event) {
	switch e.Kind {
	case kern.EvRef:
		s.refs++
	case kern.EvRele:
		s.reles++
	}
}

func TestReferencesAreReported(t *testing.T) {
	k := newStory(t)
	sink := new(refSink)
	k.l.Hooks = &kern.Hooks{Sink: sink}
	vp := k.find(1)
	vp.Ref(k.l)
	vp.Rele(k.l)
	vp.Rele(k.l)
	k.find(1).ReleAsync(k.l)
	k.sys.ReleFlush(k.l)
	k.l.Hooks = nil
	k.want("events", *sink, refSink{3, 3})
	k.want("text", strings.HasPrefix(vp.KernelState(), "vnode VREG tag 3 usecount 0"), true)
}

func TestReleaseAllocatesNothing(t *testing.T) {
	k := newStory(t)
	k.verbose = false
	vp := k.find(1)
	vp.Rele(k.l)
	if n := testing.AllocsPerRun(100, func() {
		vp.Interlock.Enter(k.l)
		vp.Get(k.l, LK_EXCLUSIVE)
		vp.Put(k.l)
	}); n != 0 {
		t.Errorf("%v allocations", n)
	}
}

func benchToy(b *testing.B) (*toyKernel, *Vnode) {
	k := newToyKernel(b, hypercall.Config{}, Config{Stepped: true})
	k.verbose = false
	k.fs.ops.Inactive = func(l *kern.Lwp, vp *Vnode) (bool, error) { return false, VOP_UNLOCK(l, vp) }
	vp, err := k.fs.find(k.l, 1)
	if err != nil {
		b.Fatal(err)
	}
	b.ReportAllocs()
	return k, vp
}

func BenchmarkRefRele(b *testing.B) {
	k, vp := benchToy(b)
	for b.Loop() {
		vp.Ref(k.l)
		vp.Rele(k.l)
	}
}

// From unused to used and locked, and back.
func BenchmarkGetPut(b *testing.B) {
	k, vp := benchToy(b)
	vp.Rele(k.l)
	for b.Loop() {
		vp.Interlock.Enter(k.l)
		vp.Get(k.l, LK_EXCLUSIVE)
		vp.Put(k.l)
	}
}

func BenchmarkTryRefLockPut(b *testing.B) {
	k, vp := benchToy(b)
	vp.Rele(k.l)
	for b.Loop() {
		vp.TryRef()
		vp.Lock(k.l, LK_EXCLUSIVE)
		vp.Put(k.l)
	}
}

func BenchmarkTryRefRele(b *testing.B) {
	k, vp := benchToy(b)
	vp.Rele(k.l)
	for b.Loop() {
		vp.TryRef()
		vp.Rele(k.l)
	}
}

func BenchmarkGetNewVnode(b *testing.B) {
	k, _ := benchToy(b)
	for b.Loop() {
		vp, _ := k.sys.GetNewVnode(k.l, VT_RUMP, k.fs.mp, k.fs.ops, nil)
		vp.UngetNew(k.l)
	}
}

func BenchmarkNewSystem(b *testing.B) {
	k, _ := benchToy(b)
	for b.Loop() {
		NewSystem(k.k, k.sys.UVM, Config{})
	}
}

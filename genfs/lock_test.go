package genfs_test

import (
	"testing"

	"rumpvfs/genfs"
	"rumpvfs/hypercall"
	"rumpvfs/kern"
	"rumpvfs/vnode"
)

// other runs body as another lwp of m, to its end.
func (m *machine) other(body func(l *kern.Lwp)) {
	o := m.start("other", body)
	o.Join(&m.l.Thread)
}

func (m *machine) start(name string, body func(l *kern.Lwp)) *kern.Lwp {
	return kern.StartLwp(m.K, m.l.Proc, name, body)
}

var det = hypercall.Config{Mode: hypercall.Deterministic, Seed: 1}

func islocked(l *kern.Lwp, vp *vnode.Vnode) int {
	state, _ := vnode.VOP_ISLOCKED(l, vp)
	return state
}

func TestLock(t *testing.T) {
	m := newMachine(t, det)
	vp := m.open(t, "")
	for _, c := range []struct{ flags, other, mine int }{
		{vnode.LK_SHARED, vnode.LK_SHARED, vnode.LK_SHARED},
		{vnode.LK_EXCLUSIVE, 0, vnode.LK_EXCLUSIVE},
	} {
		if err := vp.Lock(m.l, c.flags); err != nil {
			t.Fatal(err)
		}
		if got := islocked(m.l, vp); got != c.mine {
			t.Errorf("locked with %#x: the owner sees %#x, want %#x", c.flags, got, c.mine)
		}
		m.other(func(l *kern.Lwp) {
			if got := islocked(l, vp); got != c.other {
				t.Errorf("locked with %#x: another sees %#x, want %#x", c.flags, got, c.other)
			}
			wantErr(t, "exclusive", vp.Lock(l, vnode.LK_EXCLUSIVE|vnode.LK_NOWAIT), kern.EBUSY)
			err := vp.Lock(l, vnode.LK_SHARED|vnode.LK_NOWAIT)
			if c.flags == vnode.LK_EXCLUSIVE {
				wantErr(t, "shared", err, kern.EBUSY)
			} else if wantErr(t, "shared", err, nil); err == nil {
				vnode.VOP_UNLOCK(l, vp)
			}
		})
		vnode.VOP_UNLOCK(m.l, vp)
		if got := islocked(m.l, vp); got != 0 {
			t.Errorf("unlocked: %#x", got)
		}
	}
	if err := vp.Lock(m.l, vnode.LK_EXCLUSIVE|vnode.LK_NOWAIT); err != nil {
		t.Error(err)
	}
	vnode.VOP_UNLOCK(m.l, vp)
}

// Who waits for the lock of a vnode that dies meanwhile gets ENOENT, or with
// LK_RETRY the lock of the dead vnode.
func TestLockOfDyingVnode(t *testing.T) {
	for seed := range uint64(50) {
		m := newMachine(t, hypercall.Config{Mode: hypercall.Deterministic, Seed: seed})
		vp := m.open(t, "data")
		vp.Ref(m.l)
		var lwps []*kern.Lwp
		for range 3 {
			vp.Ref(m.l)
			lwps = append(lwps, m.start("locker", func(l *kern.Lwp) {
				if err := vp.Lock(l, vnode.LK_EXCLUSIVE); err == nil {
					vnode.VOP_UNLOCK(l, vp)
				} else if err != kern.ENOENT {
					t.Errorf("seed %d: %v", seed, err)
				}
				if err := vp.Lock(l, vnode.LK_SHARED|vnode.LK_RETRY); err != nil {
					t.Errorf("seed %d: with LK_RETRY: %v", seed, err)
				}
				vnode.VOP_UNLOCK(l, vp)
				vp.Rele(l)
			}))
		}
		vp.Gone(m.l)
		for _, l := range lwps {
			l.Join(&m.l.Thread)
		}
		deadLocks(t, m, vp)
	}
}

// deadLocks locks a dead vnode in all ways.
func deadLocks(t *testing.T, m *machine, vp *vnode.Vnode) {
	t.Helper()
	l := m.l
	wantErr(t, "dead", vp.Lock(l, vnode.LK_EXCLUSIVE), kern.ENOENT)
	wantErr(t, "dead, LK_NOWAIT", vp.Lock(l, vnode.LK_EXCLUSIVE|vnode.LK_NOWAIT), kern.ENOENT)
	wantErr(t, "dead, genfs", genfs.Lock(l, vp, vnode.LK_EXCLUSIVE), kern.ENOENT)
	wantErr(t, "dead, genfs, LK_NOWAIT", genfs.Lock(l, vp, vnode.LK_SHARED|vnode.LK_NOWAIT), kern.ENOENT)
	for _, flags := range []int{vnode.LK_RETRY, vnode.LK_RETRY | vnode.LK_NOWAIT} {
		wantErr(t, "dead, LK_RETRY", vp.Lock(l, vnode.LK_EXCLUSIVE|flags), nil)
		if got := islocked(l, vp); got != vnode.LK_EXCLUSIVE {
			t.Errorf("dead and locked: %#x", got)
		}
		m.other(func(l *kern.Lwp) {
			wantErr(t, "dead and locked", vp.Lock(l, vnode.LK_SHARED|flags|vnode.LK_NOWAIT), kern.EBUSY)
		})
		vnode.VOP_UNLOCK(l, vp)
	}
	vp.Interlock.Enter(l)
	m.other(func(l *kern.Lwp) {
		wantErr(t, "interlock held", genfs.Lock(l, vp, vnode.LK_EXCLUSIVE|vnode.LK_NOWAIT), kern.EBUSY)
		wantErr(t, "interlock held", genfs.Deadlock(l, vp, vnode.LK_EXCLUSIVE|vnode.LK_NOWAIT), kern.EBUSY)
	})
	vp.Interlock.Exit(l)
	vp.Rele(l)
}

// While a vnode is being cleaned the lock of the dead one is not to be had.
func TestDeadlockWhileCleaning(t *testing.T) {
	m := newMachine(t, det)
	vp := m.open(t, "")
	vp.Ref(m.l)
	inReclaim := false
	reclaim := m.fs.ops.Reclaim
	var waiter *kern.Lwp
	m.fs.ops.Reclaim = func(l *kern.Lwp, vp *vnode.Vnode) error {
		inReclaim = true
		vp.Interlock.Enter(l)
		vp.Interlock.Exit(l)
		wantErr(t, "genfs, LK_NOWAIT", genfs.Lock(l, vp, vnode.LK_EXCLUSIVE|vnode.LK_NOWAIT), kern.EBUSY)
		wantErr(t, "dead, LK_NOWAIT", genfs.Deadlock(l, vp, vnode.LK_EXCLUSIVE|vnode.LK_NOWAIT), kern.EBUSY)
		waiter = m.start("waiter", func(l *kern.Lwp) {
			if !inReclaim {
				t.Error("too late to see the vnode dying")
			}
			wantErr(t, "dead, LK_RETRY", genfs.Deadlock(l, vp, vnode.LK_EXCLUSIVE|vnode.LK_RETRY), nil)
			if inReclaim {
				t.Error("got the lock of a vnode that is still being cleaned")
			}
			genfs.Deadunlock(l, vp)
		})
		for range 20 {
			l.Point()
		}
		inReclaim = false
		return reclaim(l, vp)
	}
	vp.Gone(m.l)
	waiter.Join(&m.l.Thread)
	vp.Rele(m.l)
}

func TestNolock(t *testing.T) {
	m := newMachine(t, hypercall.Config{})
	vp := m.open(t, "")
	if err := genfs.Nolock(m.l, vp, vnode.LK_EXCLUSIVE); err != nil {
		t.Error(err)
	}
	if state, err := genfs.Noislocked(m.l, vp); state != 0 || err != nil {
		t.Error(state, err)
	}
	if err := genfs.Nounlock(m.l, vp); err != nil {
		t.Error(err)
	}
}

// lockSink keeps the lock events.
type lockSink []string

func (s *lockSink) Event(_ *kern.Lwp, e *kern.Event) {
	switch e.Kind {
	case kern.EvLock:
		*s = append(*s, "lock "+e.Text)
	case kern.EvUnlock:
		*s = append(*s, "unlock")
	}
}

func TestLockEvents(t *testing.T) {
	m := newMachine(t, hypercall.Config{})
	vp := m.open(t, "")
	var sink lockSink
	m.l.Hooks = &kern.Hooks{Sink: &sink}
	for _, flags := range []int{vnode.LK_SHARED, vnode.LK_EXCLUSIVE | vnode.LK_NOWAIT} {
		if err := vp.Lock(m.l, flags); err != nil {
			t.Fatal(err)
		}
		vnode.VOP_UNLOCK(m.l, vp)
	}
	want := []string{"lock shared", "unlock", "lock exclusive", "unlock"}
	if len(sink) != len(want) {
		t.Fatalf("events %q, want %q", sink, want)
	}
	for i := range want {
		if sink[i] != want[i] {
			t.Errorf("event %d: %q, want %q", i, sink[i], want[i])
		}
	}
}

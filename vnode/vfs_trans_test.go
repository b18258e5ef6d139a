package vnode

import (
	"fmt"
	"testing"

	"rumpvfs/hypercall"
	"rumpvfs/kern"
)

// suspendfs is a toyfs that can be suspended.
type suspendfs struct{ *toyfs }

func (fs suspendfs) Suspendctl(l *kern.Lwp, mp *Mount, cmd int) error {
	if cmd == SUSPEND_RESUME {
		mp.FstransSetstate(l, FSTRANS_NORMAL)
		return nil
	}
	mp.FstransSetstate(l, FSTRANS_SUSPENDING)
	mp.FstransSetstate(l, FSTRANS_SUSPENDED)
	return nil
}

// suspendable makes the file system of k one.
func (k *toyKernel) suspendable() *Mount {
	mp := k.fs.mp
	mp.Op = suspendfs{k.fs}
	mp.FstransMount()
	k.fs.ops.Lock = func(l *kern.Lwp, vp *Vnode, flags int) error {
		mp := vp.Mount()
		if flags&LK_NOWAIT == 0 {
			mp.FstransStart(l, FSTRANS_SHARED)
		} else if err := mp.FstransStartNowait(l, FSTRANS_SHARED); err != nil {
			return err
		}
		err := toyLock(l, vp, flags)
		if err != nil {
			mp.FstransDone(l)
		}
		return err
	}
	k.fs.ops.Unlock = func(l *kern.Lwp, vp *Vnode) error {
		mp := vp.Mount()
		vp.VLock.Exit(l)
		mp.FstransDone(l)
		return nil
	}
	return mp
}

func TestFstransNone(t *testing.T) {
	k := newStory(t)
	var none *Mount
	for _, mp := range []*Mount{none, k.fs.mp} {
		mp.FstransStart(k.l, FSTRANS_SHARED)
		k.want("start", mp.FstransStartNowait(k.l, FSTRANS_SHARED), nil)
		k.want("owner", mp.FstransIsOwner(k.l), false)
		mp.FstransDone(k.l)
	}
	k.want("suspend", k.fs.mp.Suspend(k.l), error(kern.EOPNOTSUPP))
	k.want("extattrctl", VFS_EXTATTRCTL(k.l, k.fs.mp, kern.EXTATTR_CMD_START), error(kern.EOPNOTSUPP))
}

func TestFstransStates(t *testing.T) {
	k := newStory(t)
	mp := k.suspendable()
	other := kern.NewLwp(k.k, k.l.Proc, "other")
	start := func(l *kern.Lwp, lock FstransLock) error {
		err := mp.FstransStartNowait(l, lock)
		if err == nil {
			mp.FstransDone(l)
		}
		return err
	}
	busy := error(kern.EBUSY)
	for _, c := range []struct {
		state        FstransState
		lazy, shared error
		owner        bool
	}{
		{FSTRANS_NORMAL, nil, nil, false},
		{FSTRANS_SUSPENDING, nil, busy, true},
		{FSTRANS_SUSPENDED, busy, busy, true},
		{FSTRANS_SUSPENDING, nil, busy, true},
		{FSTRANS_NORMAL, nil, nil, false},
	} {
		mp.FstransSetstate(k.l, c.state)
		name := fmt.Sprint("state ", c.state)
		k.want(name, mp.FstransGetstate(), c.state)
		k.want(name+" lazy", start(other, FSTRANS_LAZY), c.lazy)
		k.want(name+" shared", start(other, FSTRANS_SHARED), c.shared)
		k.want(name+" who suspends", start(k.l, FSTRANS_SHARED), nil)
		k.want(name+" owner", mp.FstransIsOwner(k.l), c.owner)
		k.want(name+" another", mp.FstransIsOwner(other), false)
	}
	mp.FstransStart(k.l, FSTRANS_LAZY)
	mp.FstransStart(k.l, FSTRANS_SHARED)
	mp.FstransDone(k.l)
	k.want("nested", mp.FstransIsOwner(k.l), false)
	mp.FstransDone(k.l)
	other.Exit()
	mp.FstransUnmount()
	k.want("no more", mp.hasTrans(), false)
}

// While a file system is suspended nobody but who suspends it works in it,
// over many schedules.
func TestSuspend(t *testing.T) {
	for seed := range uint64(200) {
		k := newToyKernel(t, hypercall.Config{Mode: hypercall.Deterministic, Seed: seed}, Config{})
		k.verbose = false
		mp := k.suspendable()
		suspended, working := false, 0
		var lwps []*kern.Lwp
		for n := range 3 {
			lwps = append(lwps, kern.StartLwp(k.k, k.l.Proc, "worker", func(l *kern.Lwp) {
				for range 4 {
					vp, err := k.fs.find(l, n)
					if err != nil {
						t.Error(err)
						return
					}
					if err := vp.Lock(l, LK_EXCLUSIVE); err != nil {
						t.Error(err)
						return
					}
					working++
					if suspended {
						t.Errorf("seed %d: working in a suspended file system", seed)
					}
					l.Point()
					working--
					vp.Put(l)
				}
			}))
		}
		lwps = append(lwps, kern.StartLwp(k.k, k.l.Proc, "suspender", func(l *kern.Lwp) {
			for range 3 {
				if err := mp.Suspend(l); err != nil {
					t.Error(err)
				}
				suspended = true
				if working != 0 {
					t.Errorf("seed %d: suspended while %d work", seed, working)
				}
				l.Point()
				vp, err := k.fs.find(l, 9)
				if err != nil {
					t.Error(err)
					return
				}
				_ = vp.Lock(l, LK_EXCLUSIVE)
				vp.Put(l)
				suspended = false
				mp.Resume(l)
			}
		}))
		for _, lwp := range lwps {
			lwp.Join(&k.l.Thread)
		}
		mp.FstransUnmount()
		k.end()
		if t.Failed() {
			return
		}
	}
}

// Vnodes of a suspended file system are neither released nor drained.
func TestSuspendedWork(t *testing.T) {
	k := newStory(t)
	mp := k.suspendable()
	unused, last := k.find(1), k.find(2)
	unused.Rele(k.l)
	k.fs.told(k.l)
	other := kern.NewLwp(k.k, k.l.Proc, "suspender")
	k.want("suspend", mp.Suspend(other), nil)
	last.ReleAsync(k.l)
	k.want("release", k.sys.ReleStep(k.l), true)
	k.want("another", k.sys.ReleStep(k.l), false)
	k.want("drain", k.sys.DrainStep(k.l), error(kern.EBUSY))
	k.wantTold("suspended", "")
	mp.Resume(other)
	k.want("drain", k.sys.DrainStep(k.l), nil)
	k.wantTold("resumed", "reclaim(1)")
	k.want("release", k.sys.ReleStep(k.l), true)
	k.wantTold("resumed", "inactive(2)")
	other.Exit()
	mp.FstransUnmount()
}

package vnode

import (
	"fmt"
	"slices"
	"testing"
	"time"

	"rumpvfs/hypercall"
	"rumpvfs/kern"
)

// syncs has the file system write down what it is asked to sync; a file is
// clean then unless it is in dirty.
func (k *toyKernel) syncs(dirty ...int) {
	k.fs.ops.Fsync = func(l *kern.Lwp, vp *Vnode, _ *kern.Cred, flags int, _, _ int64) error {
		if flags != FSYNC_LAZY { // not the syncer
			return nil
		}
		n := vp.Data.(*toyFile).n
		k.fs.note(l, "fsync(%d)", n)
		if !slices.Contains(dirty, n) {
			vp.Interlock.Enter(l)
			vp.SyncerRemoveFromWorklist(l)
			vp.Interlock.Exit(l)
		}
		return nil
	}
}

func (k *toyKernel) dirty(n, delay int) *Vnode {
	vp := k.find(n)
	vp.Interlock.Enter(k.l)
	vp.SyncerAddToWorklist(k.l, delay)
	vp.Interlock.Exit(k.l)
	return vp
}

func (k *toyKernel) clean(vp *Vnode) {
	vp.Interlock.Enter(k.l)
	vp.SyncerRemoveFromWorklist(k.l)
	vp.Interlock.Exit(k.l)
}

func TestSyncerStep(t *testing.T) {
	k := newStory(t)
	k.want("nothing ever", k.sys.SyncerStep(k.l), 0)
	k.syncs(2)
	k.dirty(1, 0).Rele(k.l)
	k.dirty(3, 2).Rele(k.l)
	stays := k.dirty(2, 0)
	k.fs.told(k.l)
	for second, want := range []string{"fsync(1) inactive(1) fsync(2)", "", "fsync(3) inactive(3)"} {
		k.sys.SyncerStep(k.l)
		k.wantTold(fmt.Sprint("second ", second), want)
	}
	for range Syncdelay - 2 {
		k.sys.SyncerStep(k.l)
		k.wantTold("what is dirty still", "")
	}
	k.want("synced", k.sys.SyncerStep(k.l), 1)
	k.wantTold("what is dirty still, after Syncdelay", "fsync(2)")
	k.clean(stays)
	stays.Rele(k.l)
}

// What somebody else has locked, or its interlock, is tried again a second
// later.
func TestSyncerStepBusy(t *testing.T) {
	for _, held := range []struct {
		name       string
		take, drop func(l *kern.Lwp, vp *Vnode)
	}{
		{"vnode lock", func(l *kern.Lwp, vp *Vnode) { vp.Lock(l, LK_EXCLUSIVE) }, func(l *kern.Lwp, vp *Vnode) { VOP_UNLOCK(l, vp) }},
		{"interlock", func(l *kern.Lwp, vp *Vnode) { vp.Interlock.Enter(l) }, func(l *kern.Lwp, vp *Vnode) { vp.Interlock.Exit(l) }},
	} {
		k := newStory(t)
		k.syncs()
		vp := k.dirty(1, 0)
		other := kern.NewLwp(k.k, k.l.Proc, "other")
		held.take(other, vp)
		k.want(held.name, k.sys.SyncerStep(k.l), 0)
		held.drop(other, vp)
		k.want(held.name+" free, before its time", k.sys.SyncerStep(k.l), 0)
		k.want(held.name+" free", k.sys.SyncerStep(k.l), 1)
		k.wantTold(held.name, "fsync(1)")
		other.Exit()
		vp.Rele(k.l)
	}
}

// The thread appears with the first dirty vnode and works once a second, but
// not while it is frozen.
func TestSyncerThread(t *testing.T) {
	k := newToyKernel(t, hypercall.Config{Mode: hypercall.Deterministic}, Config{})
	k.syncs()
	k.want("no thread", k.sys.syncer.lwp, (*kern.Lwp)(nil))
	vp := k.dirty(1, 3)
	k.fs.told(k.l)
	var cv kern.CV
	sleep := func(d time.Duration) {
		k.fs.lock.Enter(k.l)
		cv.TimedWait(k.l, &k.fs.lock, d)
		k.fs.lock.Exit(k.l)
	}
	sleep(2500 * time.Millisecond)
	k.wantTold("after 2.5 seconds", "")
	k.sys.FreezeSyncer(k.l)
	sleep(5 * time.Second)
	k.wantTold("frozen", "")
	k.sys.ThawSyncer(k.l)
	sleep(time.Second)
	k.wantTold("thawed", "fsync(1)")
	vp.Interlock.Enter(k.l)
	vp.SyncerAddToWorklist(k.l, 1)
	vp.Interlock.Exit(k.l)
	sleep(5 * time.Second)
	k.wantTold("again", "fsync(1)")
	vp.Rele(k.l)
	k.end()
}

func TestSyncerScatter(t *testing.T) {
	k := newStory(t)
	var got []int
	for range 10 {
		got = append(got, k.sys.SyncerScatter(k.l))
	}
	k.want("scattered", fmt.Sprint(got), "[16 8 24 4 12 20 28 2 6 10]")
}

// A vnode is found through its mount when it is complete, whoever unmounts
// meanwhile.
func TestLoadVnode(t *testing.T) {
	outcomes := map[string]bool{}
	for seed := range uint64(200) {
		k := newToyKernel(t, hypercall.Config{Mode: hypercall.Deterministic, Seed: seed}, Config{})
		k.verbose = false
		mp := k.fs.mp
		mp.Ref()
		var made, unmounted error
		a := kern.StartLwp(k.k, k.l.Proc, "maker", func(l *kern.Lwp) {
			l.Point()
			vp, err := k.sys.LoadVnode(l, VT_RUMP, mp, k.fs.ops, nil, func(vp *Vnode) error {
				l.Point()
				l.Point()
				vp.Data = &toyFile{fs: k.fs, n: 1}
				return nil
			})
			if made = err; err == nil {
				vp.Rele(l)
			}
		})
		b := kern.StartLwp(k.k, k.l.Proc, "unmounter", func(l *kern.Lwp) { unmounted = k.unmount(l, mp, int(seed%2)*kern.MNT_FORCE) })
		a.Join(&k.l.Thread)
		b.Join(&k.l.Thread)
		outcomes[fmt.Sprint(made, unmounted)] = true
		mp.Destroy(k.l)
		k.end()
	}
	want := map[string]bool{
		fmt.Sprint(nil, nil): true, fmt.Sprint(kern.ENOENT, nil): true, fmt.Sprint(nil, kern.EBUSY): true,
	}
	if fmt.Sprint(outcomes) != fmt.Sprint(want) {
		t.Errorf("outcomes %v, want %v", outcomes, want)
	}
}

// An error while a vnode gets its data leaves nothing behind.
func TestLoadVnodeFails(t *testing.T) {
	k := newStory(t)
	refs := k.fs.mp.Refcnt()
	for _, mp := range []*Mount{k.fs.mp, nil} {
		_, err := k.sys.LoadVnode(k.l, VT_RUMP, mp, k.fs.ops, nil, func(*Vnode) error { return kern.EIO })
		k.want("load", err, error(kern.EIO))
	}
	k.want("vnodes", k.sys.NumVnodes(), 0)
	k.want("references to the mount", k.fs.mp.Refcnt(), refs)
}

// While a forced unmount goes on only who unmounts makes vnodes, and after
// one that failed everybody.
func TestNewVnodesWhileUnmounting(t *testing.T) {
	k := newStory(t)
	mp := k.fs.mp
	other := kern.NewLwp(k.k, k.l.Proc, "other")
	k.want("begin", mp.BeginUnmount(k.l), nil)
	vp, err := k.fs.find(other, 1)
	k.want("before it is certain", err, nil)
	k.want("not forced", mp.Vflush(k.l, nil, 0), error(kern.EBUSY))
	second, err := k.fs.find(other, 2)
	k.want("after it has failed", err, nil)
	second.Rele(other)
	k.want("forced", mp.Vflush(k.l, nil, FORCECLOSE), nil)
	_, err = k.fs.find(other, 3)
	k.want("somebody else", err, error(kern.ENOENT))
	own, err := k.fs.find(k.l, 3)
	k.want("who unmounts", err, nil)
	own.Rele(k.l)
	mp.EndUnmount(k.l, false)
	again, err := k.fs.find(other, 4)
	k.want("after all", err, nil)
	again.Rele(other)
	vp.Rele(k.l)
	other.Exit()
}

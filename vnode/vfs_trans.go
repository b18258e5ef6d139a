package vnode

import (
	"slices"
	"sync/atomic"

	"rumpvfs/hypercall"
	"rumpvfs/kern"
)

// fstrans(9): a file system that can be suspended, for a snapshot say, has
// everybody who works in it say when that begins and ends. Transactions nest.
// A file system that has not called FstransMount has none: then all of this
// costs a test.

// FstransLock is what somebody does in a file system.
type FstransLock int

const (
	FSTRANS_LAZY   FstransLock = 1 // writes back what is dirty; granted while not suspended
	FSTRANS_SHARED FstransLock = 2 // anything else; granted while not suspending either

	fstransExcl FstransLock = 3 // has suspended it
)

// FstransState is the state of a file system.
type FstransState int32

const (
	FSTRANS_NORMAL FstransState = iota
	FSTRANS_SUSPENDING
	FSTRANS_SUSPENDED
)

var (
	suspendLockClass = hypercall.LockClass{Name: "vfs_suspend_lock", Rank: 130}
	fstransLockClass = hypercall.LockClass{Name: "fstrans_lock", Rank: 740}
)

// fstrans is the fstrans state of a kernel.
type fstrans struct {
	suspendLock kern.Mutex // one suspends at a time
	lock        kern.Mutex
	stateCV     kern.CV // lock: a state has changed
	countCV     kern.CV // lock: a transaction has ended while not everything was granted
}

func (f *fstrans) init(hs *hypercall.System) {
	f.suspendLock.Init(hs, &suspendLockClass)
	f.lock.Init(hs, &fstransLockClass)
	f.stateCV.Init(hs, "fstchg")
	f.countCV.Init(hs, "fstcnt")
}

// fstransMount is the fstrans state of a mount. A transaction is counted
// before the state is looked at, a change of state stored before the counts
// are: one of the two sees the other.
type fstransMount struct {
	state   atomic.Int32                  // a, changes under fstrans.lock
	running [fstransExcl + 1]atomic.Int32 // a: outermost transactions by FstransLock
}

// grants reports whether the state lets a transaction run.
//
//netbsd:sys/kern/vfs_trans.c grant_lock
func (fm *fstransMount) grants(t FstransLock) bool {
	state := FstransState(fm.state.Load())
	return state == FSTRANS_NORMAL || t == fstransExcl || state == FSTRANS_SUSPENDING && t == FSTRANS_LAZY
}

// changeDone reports whether no transaction runs that is not granted.
//
//netbsd:sys/kern/vfs_trans.c state_change_done
func (fm *fstransMount) changeDone() bool {
	for t := FSTRANS_LAZY; t <= fstransExcl; t++ {
		if fm.running[t].Load() != 0 && !fm.grants(t) {
			return false
		}
	}
	return true
}

// fstransLwp is what an lwp does in one file system.
type fstransLwp struct {
	mp    *Mount
	count int
	lock  FstransLock
}

// fstransOf returns the transactions of an lwp.
//
//netbsd:sys/kern/vfs_trans.c fstrans_get_lwp_info
func fstransOf(l *kern.Lwp) *[]fstransLwp {
	list, ok := l.Fstrans.(*[]fstransLwp)
	if !ok {
		list = new([]fstransLwp)
		l.Fstrans = list
	}
	return list
}

func fstransIndex(list []fstransLwp, mp *Mount) int {
	return slices.IndexFunc(list, func(f fstransLwp) bool { return f.mp == mp })
}

// hasTrans reports whether mp has transactions at all.
func (mp *Mount) hasTrans() bool { return mp != nil && mp.Iflag()&kern.IMNT_HAS_TRANS != 0 }

// FstransMount gives a file system that is being mounted transactions.
//
//netbsd:sys/kern/vfs_trans.c fstrans_mount
func (mp *Mount) FstransMount() {
	mp.trans = new(fstransMount)
	mp.SetIflag(kern.IMNT_HAS_TRANS)
}

// FstransUnmount takes them away when it is unmounted. None runs.
//
//netbsd:sys/kern/vfs_trans.c fstrans_unmount, fstrans_mount_dtor
func (mp *Mount) FstransUnmount() {
	kern.KASSERTOf(mp.trans != nil, "mp->mnt_transinfo != NULL", mp)
	kern.KASSERTOf(mp.FstransGetstate() == FSTRANS_NORMAL, "fmi->fmi_state == FSTRANS_NORMAL", mp)
	mp.ClearIflag(kern.IMNT_HAS_TRANS)
}

// FstransStart begins a transaction, when the state of the file system allows
// it; within another one of l's it only counts. mp may be nil.
//
// Preconditions: l holds no lock that who suspends may want.
//
//netbsd:sys/kern/vfs_trans.c _fstrans_start
func (mp *Mount) FstransStart(l *kern.Lwp, t FstransLock) {
	if mp.hasTrans() {
		_ = mp.fstransStart(l, t, true)
	}
}

// FstransStartNowait is FstransStart that fails with EBUSY rather than wait.
//
//netbsd:sys/kern/vfs_trans.c _fstrans_start
func (mp *Mount) FstransStartNowait(l *kern.Lwp, t FstransLock) error {
	if !mp.hasTrans() {
		return nil
	}
	return mp.fstransStart(l, t, false)
}

func (mp *Mount) fstransStart(l *kern.Lwp, t FstransLock, wait bool) error {
	list := fstransOf(l)
	if i := fstransIndex(*list, mp); i >= 0 {
		kern.KASSERTOf(t != fstransExcl, "lock_type != FSTRANS_EXCL", mp)
		(*list)[i].count++
		return nil
	}
	f, fm := &mp.sys.fstrans, mp.trans
	for fm.running[t].Add(1); !fm.grants(t); fm.running[t].Add(1) {
		mp.fstransEnded(l, t)
		if !wait {
			return kern.EBUSY
		}
		f.lock.Enter(l)
		for !fm.grants(t) {
			f.stateCV.Wait(l, &f.lock)
		}
		f.lock.Exit(l)
	}
	*list = append(*list, fstransLwp{mp, 1, t})
	return nil
}

// fstransEnded takes a transaction off the account. Who waits for that is
// woken.
func (mp *Mount) fstransEnded(l *kern.Lwp, t FstransLock) {
	f := &mp.sys.fstrans
	mp.trans.running[t].Add(-1)
	if FstransState(mp.trans.state.Load()) != FSTRANS_NORMAL {
		f.lock.Enter(l)
		f.countCV.Broadcast(l)
		f.lock.Exit(l)
	}
}

// FstransDone ends what FstransStart began.
//
//netbsd:sys/kern/vfs_trans.c fstrans_done
func (mp *Mount) FstransDone(l *kern.Lwp) {
	if !mp.hasTrans() {
		return
	}
	list := fstransOf(l)
	i := fstransIndex(*list, mp)
	kern.KASSERTOf(i >= 0, "fli->fli_trans_cnt > 0", mp)
	own := &(*list)[i]
	own.count--
	if own.count > 0 {
		return
	}
	t := own.lock
	*list = slices.Delete(*list, i, i+1)
	mp.fstransEnded(l, t)
}

// FstransIsOwner reports whether l has suspended the file system.
//
//netbsd:sys/kern/vfs_trans.c fstrans_is_owner
func (mp *Mount) FstransIsOwner(l *kern.Lwp) bool {
	if !mp.hasTrans() {
		return false
	}
	list := *fstransOf(l)
	i := fstransIndex(list, mp)
	return i >= 0 && list[i].lock == fstransExcl
}

// FstransGetstate returns the state of a file system that has transactions.
//
//netbsd:sys/kern/vfs_trans.c fstrans_getstate
func (mp *Mount) FstransGetstate() FstransState { return FstransState(mp.trans.state.Load()) }

// FstransSetstate changes the state of a file system, and returns when no
// transaction runs that the new one does not grant. Who leaves FSTRANS_NORMAL
// may go on working in the file system, and is who must return to it.
//
// Preconditions: the caller has no transaction, and no lock that others may
// want before theirs end.
//
//netbsd:sys/kern/vfs_trans.c fstrans_setstate
func (mp *Mount) FstransSetstate(l *kern.Lwp, state FstransState) {
	f, fm := &mp.sys.fstrans, mp.trans
	old := mp.FstransGetstate()
	if old == state {
		return
	}
	f.lock.Enter(l)
	fm.state.Store(int32(state))
	for !fm.changeDone() {
		f.countCV.Wait(l, &f.lock)
	}
	f.stateCV.Broadcast(l)
	f.lock.Exit(l)
	if old == FSTRANS_NORMAL {
		mp.FstransStart(l, fstransExcl)
	}
	if state == FSTRANS_NORMAL {
		mp.FstransDone(l)
		mp.sys.resumeReleases(l)
	}
}

// What VFS_SUSPENDCTL is to do.
const (
	SUSPEND_SUSPEND = 1
	SUSPEND_RESUME  = 2
)

// Suspend asks a file system to suspend all operations, the syncer's too,
// until [Mount.Resume]. The errors are those of the file system.
//
// Preconditions: the caller holds no lock of the vnode layer.
//
//netbsd:sys/kern/vfs_trans.c vfs_suspend
func (mp *Mount) Suspend(l *kern.Lwp) error {
	f := &mp.sys.fstrans
	f.suspendLock.Enter(l)
	mp.sys.FreezeSyncer(l)
	err := VFS_SUSPENDCTL(l, mp, SUSPEND_SUSPEND)
	if err != nil {
		mp.sys.ThawSyncer(l)
		f.suspendLock.Exit(l)
	}
	return err
}

// Resume ends what Suspend has begun.
//
//netbsd:sys/kern/vfs_trans.c vfs_resume
func (mp *Mount) Resume(l *kern.Lwp) {
	_ = VFS_SUSPENDCTL(l, mp, SUSPEND_RESUME)
	mp.sys.ThawSyncer(l)
	mp.sys.fstrans.suspendLock.Exit(l)
}

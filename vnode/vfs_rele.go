package vnode

import (
	"rumpvfs/hypercall"
	"rumpvfs/kern"
)

// Rele drops a reference. The last one calls VOP_INACTIVE, and cleans and
// frees the vnode if its file is gone. If that needs the vnode lock and
// somebody else holds it, the work is left to a thread.
//
// Preconditions: the caller has a reference, is not the one who locked vp,
// and does not hold the interlock.
// Postconditions: the reference is gone.
//
//netbsd:sys/kern/vfs_vnode.c vrele
func (vp *Vnode) Rele(l *kern.Lwp) {
	if l.Noticed() {
		emitRef(l, kern.EvRele, vp)
	}
	if !vp.tryRele() {
		vp.releLast(l, false)
	}
}

// Put unlocks the vnode and drops a reference.
//
// Preconditions: the caller has a reference and has locked vp.
// Postconditions: both are gone.
//
//netbsd:sys/kern/vfs_vnode.c vput
func (vp *Vnode) Put(l *kern.Lwp) {
	// VOP_INACTIVE wants the lock that we have: to keep it is what the
	// reference does when nobody comes between its unlock and lock.
	if vp.Refs.Load()&^refListed == 1 && l.Hooks == nil && !vp.sys.faithful && vp.VLock.WriteHeld(l) {
		vp.releLast(l, true)
		return
	}
	VOP_UNLOCK(l, vp)
	vp.Rele(l)
}

// ReleAsync drops a reference; if it is the last, in a thread. It is for
// callers who hold locks that VOP_INACTIVE may want.
//
// Preconditions: the caller has a reference and does not hold the interlock.
// Postconditions: the reference is gone, or will be.
//
//netbsd:sys/kern/vfs_vnode.c vrele_async
func (vp *Vnode) ReleAsync(l *kern.Lwp) {
	if l.Noticed() {
		emitRef(l, kern.EvRele, vp)
	}
	if !vp.tryRele() {
		vp.Interlock.Enter(l)
		vp.relel(l, releAsync)
	}
}

// tryRele drops a reference unless it is the last.
//
//netbsd:sys/kern/vfs_vnode.c vtryrele
func (vp *Vnode) tryRele() bool {
	for {
		u := vp.Refs.Load()
		if u&refCount <= 1 {
			return false
		}
		if vp.Refs.CompareAndSwap(u, u-1) {
			return true
		}
	}
}

// lastRef drops a reference, or if it is the last closes the gate and keeps
// it. It reports whether it was the last.
func (vp *Vnode) lastRef() bool {
	for {
		u := vp.Refs.Load()
		if u&refCount > 1 {
			if vp.Refs.CompareAndSwap(u, u-1) {
				return false
			}
			continue
		}
		kern.KASSERTOf(u&refChanging == 0, "(vp->v_iflag & VI_CHANGING) == 0", vp)
		if vp.Refs.CompareAndSwap(u, u|refChanging) {
			return true
		}
	}
}

// viUnused are the flags that an unused vnode does not keep.
const viUnused = VI_TEXT | VI_EXECMAP | VI_WRMAP

// releLast drops what seemed to be the last reference. As long as nobody else
// appears it needs no interlock: the gate in Refs keeps others out, and the
// vnode stays on the free list that it is on. It leaves all but the common
// case to relel. locked says that the caller has locked vp.
//
// Postconditions: the reference and the lock are gone.
func (vp *Vnode) releLast(l *kern.Lwp, locked bool) {
	u := vp.Refs.Load()
	common := u&^refListed == 1 && vp.writecount.Load() == 0 && !vp.sys.mustDefer(l)
	if common && !locked {
		locked = vp.Lock(l, LK_EXCLUSIVE|LK_RETRY|LK_NOWAIT) == nil
		common = locked
	}
	vp.VLock.Touch(l, hypercall.Write)
	if !common || !vp.Refs.CompareAndSwap(u, u|refChanging) {
		if locked {
			VOP_UNLOCK(l, vp)
		}
		vp.Interlock.Enter(l)
		vp.relel(l, 0)
		return
	}
	recycle, _ := VOP_INACTIVE(l, vp)
	if !recycle && vp.iflag.Load()&viUnused == 0 && vp.Vflag()&VV_MAPPED == 0 {
		vp.unused = vp.sys.unuses.Add(1)
		vp.VLock.Touch(l, hypercall.Write)
		if vp.Refs.CompareAndSwap(1|refChanging|refListed, refListed) {
			return
		}
	}
	vp.Interlock.Enter(l)
	vp.settle(l, recycle)
}

// mustDefer reports whether l must not call VOP_INACTIVE itself.
func (sys *System) mustDefer(l *kern.Lwp) bool { return sys.UVM.IsPagedaemon(l) }

// relel drops a reference, as [Vnode.Rele] or as flags say.
//
// Preconditions: the interlock is held; with releChanged the gate is the
// caller's.
// Postconditions: the interlock is released, the reference gone and the gate
// open.
//
//netbsd:sys/kern/vfs_vnode.c vrelel
func (vp *Vnode) relel(l *kern.Lwp, flags releFlags) {
	kern.KASSERTOf(vp.Interlock.Owned(l), "mutex_owned(vp->v_interlock)", vp)
	kern.KASSERTOf(!vp.marker, "(vp->v_iflag & VI_MARKER) == 0", vp)
	vp.VLock.Touch(l, hypercall.Write)
	if vp.ops() == vp.sys.DeadOps && !vp.Dying() {
		kern.Panicf("dead but not clean %v", vp)
	}
	if vp.tryRele() {
		vp.keep(l, flags)
		return
	}
	if vp.Usecount() == 0 || vp.Writecount() != 0 {
		kern.Panicf("vrelel: bad ref count %v", vp)
	}
	kern.KASSERTOf(vp.Refs.Load()&refXlock == 0, "(vp->v_iflag & VI_XLOCK) == 0", vp)
	if vp.Refs.Load()&refClean != 0 {
		vp.Refs.Or(refChanging)
		vp.drop(l)
		return
	}
	if !vp.lockToRele(l, flags) {
		if flags&releChanged != 0 {
			vp.openGate(l)
		}
		vp.sys.deferRele(l, vp)
		return
	}
	if flags&releChanged == 0 && !vp.lastRef() || flags&releChanged != 0 && vp.tryRele() {
		VOP_UNLOCK(l, vp)
		vp.keep(l, flags)
		return
	}
	vp.Interlock.Exit(l)
	// While it is being deactivated the vnode may gain references. If the
	// file is gone it is recycled all the same: somebody may wait to use
	// the file's place again.
	recycle, _ := VOP_INACTIVE(l, vp)
	vp.Interlock.Enter(l)
	vp.settle(l, recycle)
}

// keep ends a release that left others with references.
//
// Preconditions: the interlock is held.
// Postconditions: it is released and the caller's gate, if any, open.
func (vp *Vnode) keep(l *kern.Lwp, flags releFlags) {
	if flags&releChanged != 0 {
		vp.openGate(l)
	}
	vp.Interlock.Exit(l)
}

// lockToRele locks vp for VOP_INACTIVE, if that is the caller's to call and
// the lock is to be had.
//
// Preconditions: the interlock is held.
// Postconditions: the same; it was released meanwhile.
func (vp *Vnode) lockToRele(l *kern.Lwp, flags releFlags) bool {
	if flags&releAsync != 0 || vp.sys.mustDefer(l) {
		return false
	}
	lk := LK_EXCLUSIVE | LK_RETRY
	if flags&releWait == 0 {
		lk |= LK_NOWAIT
	}
	vp.Interlock.Exit(l)
	err := vp.Lock(l, lk)
	vp.Interlock.Enter(l)
	kern.KASSERTOf(err == nil || flags&releWait == 0, "error == 0", vp)
	return err == nil
}

// settle decides what becomes of a vnode after VOP_INACTIVE.
//
// Preconditions: the interlock is held, the gate is the caller's.
// Postconditions: the interlock is released, the gate open, the reference
// gone.
func (vp *Vnode) settle(l *kern.Lwp, recycle bool) {
	if !recycle && vp.tryRele() {
		vp.keep(l, releChanged)
		return
	}
	vp.iflag.And(^uint32(viUnused))
	vp.ClearVflag(VV_MAPPED)
	if recycle {
		vp.clean(l)
	}
	vp.drop(l)
}

// drop gives up the reference kept until now. If it is still the last, a dead
// vnode is destroyed and any other goes on a free list.
//
// Preconditions: the interlock is held, the gate is the caller's.
// Postconditions: the interlock is released, the gate open, the reference
// gone.
func (vp *Vnode) drop(l *kern.Lwp) {
	vp.VLock.Touch(l, hypercall.Write)
	vp.unused = vp.sys.unuses.Add(1)
	for {
		u := vp.Refs.Load()
		switch {
		case u&refCount > 1:
			if vp.Refs.CompareAndSwap(u, u-1) {
				vp.openGate(l)
				vp.Interlock.Exit(l)
				return
			}
		case u&refClean != 0:
			vp.unlist(l)
			if vp.Refs.CompareAndSwap(u&^refListed, u&^refListed-1) {
				vp.destroy(l)
				return
			}
		case u&refListed == 0:
			vp.enlist(l)
		default:
			if vp.Refs.CompareAndSwap(u, refListed) {
				vp.Interlock.Exit(l)
				return
			}
		}
	}
}

// destroy frees a dead vnode without references.
//
// Preconditions: the interlock is held.
// Postconditions: it is released and vp gone.
func (vp *Vnode) destroy(l *kern.Lwp) {
	kern.KASSERTOf(vp.holdcnt == 0, "vp->v_holdcnt == 0", vp)
	kern.KASSERTOf(vp.Writecount() == 0, "vp->v_writecount == 0", vp)
	vp.Interlock.Exit(l)
	vp.sys.leaveMntque(l, vp)
	if vp.Dev != nil {
		vp.Dev.Destroy(l, vp)
		vp.Dev = nil
	}
	vp.free(l)
}

// deferRele hands the last reference to the worker.
//
// Preconditions: the interlock is held.
// Postconditions: it is released; the reference is the worker's.
func (sys *System) deferRele(l *kern.Lwp, vp *Vnode) {
	sys.releLock.Enter(l)
	sys.appendRele(vp)
	sys.relePend++
	sys.releCV.Signal(l)
	sys.releLock.Exit(l)
	vp.Interlock.Exit(l)
	sys.startWorker(l, &sys.releLock, &sys.releLwp, "vrele", sys.releThread)
}

// startWorker starts a thread of the vnode layer if it does not run yet.
// slot, guarded by lock, is where it is recorded.
func (sys *System) startWorker(l *kern.Lwp, lock *kern.Mutex, slot **kern.Lwp, name string, body func(*kern.Lwp)) {
	if sys.stepped || sys.stopping.Load() {
		return
	}
	lock.Enter(l)
	start := *slot == nil
	if start {
		*slot = kern.StartLwp(sys.K, sys.UVM.Kproc, name, body)
	}
	lock.Exit(l)
}

// releThread does the releases that others could not do.
//
//netbsd:sys/kern/vfs_vnode.c vrele_thread
func (sys *System) releThread(l *kern.Lwp) {
	for !sys.stopping.Load() {
		more := false
		sys.work(l, func() { more = sys.ReleStep(l) })
		if more {
			continue
		}
		sys.releLock.Enter(l)
		if sys.releFirst == nil && !sys.stopping.Load() {
			sys.releCV.Wait(l, &sys.releLock)
		}
		sys.releLock.Exit(l)
	}
}

// resumeReleases has those releases done that had to be left undone while a
// file system was suspended.
func (sys *System) resumeReleases(l *kern.Lwp) {
	sys.releLock.Enter(l)
	for _, vp := range sys.releSkip {
		sys.appendRele(vp)
	}
	sys.releSkip = nil
	sys.releCV.Signal(l)
	sys.releLock.Exit(l)
}

// appendRele puts vp at the end of the list of those to be released.
//
// Preconditions: releLock is held.
func (sys *System) appendRele(vp *Vnode) {
	if sys.releTail == nil {
		sys.releFirst = vp
	} else {
		sys.releTail.releNext = vp
	}
	sys.releTail = vp
}

// ReleStep does one deferred release, waiting for the vnode lock, and reports
// whether there was one. It is put off if the file system is suspended.
func (sys *System) ReleStep(l *kern.Lwp) bool {
	sys.releLock.Enter(l)
	vp := sys.releFirst
	if vp == nil {
		sys.releLock.Exit(l)
		return false
	}
	sys.releFirst, vp.releNext = vp.releNext, nil
	if sys.releFirst == nil {
		sys.releTail = nil
	}
	mp := vp.Mount()
	if mp.FstransStartNowait(l, FSTRANS_LAZY) != nil {
		sys.releSkip = append(sys.releSkip, vp)
		sys.releLock.Exit(l)
		return true
	}
	sys.relePend--
	sys.releActive++
	sys.releLock.Exit(l)

	vp.Interlock.Enter(l)
	vp.relel(l, releWait)
	mp.FstransDone(l)

	sys.releLock.Enter(l)
	sys.releActive--
	sys.releDone.Broadcast(l)
	sys.releLock.Exit(l)
	return true
}

// ReleFlush returns when no release is deferred or in progress. It does those
// that are there itself.
//
// Preconditions: the caller has locked no vnode.
//
//netbsd:sys/kern/vfs_vnode.c vrele_flush
func (sys *System) ReleFlush(l *kern.Lwp) {
	for sys.ReleStep(l) {
	}
	sys.releLock.Enter(l)
	for sys.releActive > 0 {
		sys.releDone.Wait(l, &sys.releLock)
	}
	sys.releLock.Exit(l)
}

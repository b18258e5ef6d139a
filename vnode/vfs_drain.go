package vnode

import "rumpvfs/kern"

// freeList is a list of unused vnodes, the longest unused first. A vnode
// that is used again stays where it is; it may be out of date there in two
// ways, in use or used since, which whoever wants a vnode from the list finds
// out. In the list's order freeAge grows.
type freeList struct{ first, last *Vnode }

// insert puts vp where its age belongs, at the end or close to it.
func (fl *freeList) insert(vp *Vnode) {
	vp.freeAge, vp.freeList = vp.unused, fl
	after := fl.last
	for after != nil && after.freeAge > vp.freeAge {
		after = after.freePrev
	}
	vp.freePrev = after
	if after == nil {
		vp.freeNext, fl.first = fl.first, vp
	} else {
		vp.freeNext, after.freeNext = after.freeNext, vp
	}
	if vp.freeNext == nil {
		fl.last = vp
	} else {
		vp.freeNext.freePrev = vp
	}
}

func (fl *freeList) remove(vp *Vnode) {
	if vp.freePrev == nil {
		fl.first = vp.freeNext
	} else {
		vp.freePrev.freeNext = vp.freeNext
	}
	if vp.freeNext == nil {
		fl.last = vp.freePrev
	} else {
		vp.freeNext.freePrev = vp.freePrev
	}
	vp.freeNext, vp.freePrev, vp.freeList = nil, nil, nil
}

// properList returns the free list that vp belongs on: the drain takes from
// the other one only when this one has nothing.
func (vp *Vnode) properList() *freeList {
	if vp.holdcnt > 0 {
		return &vp.sys.holdList
	}
	return &vp.sys.freeList
}

// enlist puts vp, still in use, on a free list.
//
// Preconditions: the interlock is held, the gate is the caller's, vp is on no
// list.
func (vp *Vnode) enlist(l *kern.Lwp) {
	vp.sys.freeLock.Enter(l)
	vp.properList().insert(vp)
	vp.Refs.Or(refListed)
	vp.sys.freeLock.Exit(l)
}

// unlist takes vp, in use, off its free list if it is on one.
//
//netbsd:sys/kern/vfs_vnode.c vremfree
func (vp *Vnode) unlist(l *kern.Lwp) {
	if vp.Refs.Load()&refListed == 0 {
		return
	}
	vp.sys.freeLock.Enter(l)
	if vp.freeList != nil {
		vp.freeList.remove(vp)
		vp.Refs.And(^refListed)
	}
	vp.sys.freeLock.Exit(l)
}

// relist moves vp to the other free list after its holdcnt became positive
// or zero. One in use leaves the list and finds the right one when it is
// unused.
//
// Preconditions: the interlock is held.
func (vp *Vnode) relist(l *kern.Lwp) {
	if vp.Refs.Load()&refListed == 0 {
		return
	}
	sys := vp.sys
	sys.freeLock.Enter(l)
	for vp.freeList != nil {
		if vp.claim() {
			vp.freeList.remove(vp)
			vp.unused = sys.unuses.Add(1)
			vp.properList().insert(vp)
			vp.unclaim(l)
			break
		}
		u := vp.Refs.Load()
		if u&refCount != 0 && vp.Refs.CompareAndSwap(u, u&^refListed) {
			vp.freeList.remove(vp)
		}
	}
	sys.freeLock.Exit(l)
}

// claim makes an unused vnode the caller's: it has the only reference and the
// gate. It fails if the vnode is in use.
func (vp *Vnode) claim() bool {
	return vp.Refs.CompareAndSwap(refListed, 1|refChanging|refListed)
}

// unclaim undoes claim. Whoever came meanwhile goes on.
//
// Preconditions: the interlock is held.
func (vp *Vnode) unclaim(l *kern.Lwp) {
	vp.Refs.Add(-1)
	vp.openGate(l)
}

// Hold says that a page or buffer of the vnode exists: it is drained later
// than those that have none.
//
// Preconditions: the interlock is held.
//
//netbsd:sys/kern/vfs_vnode.c vholdl
func (vp *Vnode) Hold(l *kern.Lwp) {
	kern.KASSERTOf(vp.Interlock.Owned(l), "mutex_owned(vp->v_interlock)", vp)
	vp.holdcnt++
	if vp.holdcnt == 1 {
		vp.relist(l)
	}
}

// HoldRele takes Hold back.
//
// Preconditions: the interlock is held.
//
//netbsd:sys/kern/vfs_vnode.c holdrelel
func (vp *Vnode) HoldRele(l *kern.Lwp) {
	kern.KASSERTOf(vp.Interlock.Owned(l), "mutex_owned(vp->v_interlock)", vp)
	if vp.holdcnt <= 0 {
		kern.Panicf("holdrelel: holdcnt vp %v", vp)
	}
	vp.holdcnt--
	if vp.holdcnt == 0 {
		vp.relist(l)
	}
}

// Holdcnt returns the number of holds.
//
// Preconditions: the interlock is held.
func (vp *Vnode) Holdcnt() int { return vp.holdcnt }

// take claims the vnode of a free list that is unused longest and takes it
// off. It returns nil if none is to be had.
//
// Preconditions: freeLock is held.
// Postconditions: the same, the interlock of the vnode is held, and a
// transaction on its mount has begun.
func (sys *System) take(l *kern.Lwp, fl *freeList) *Vnode {
	for vp := fl.first; vp != nil; {
		next := vp.freeNext
		u := vp.Refs.Load()
		switch {
		case u&refCount != 0:
			if vp.Refs.CompareAndSwap(u, u&^refListed) {
				fl.remove(vp)
				vp = next
			}
		case !vp.Interlock.TryEnter(l):
			vp = next
		case vp.Mount().FstransStartNowait(l, FSTRANS_SHARED) != nil:
			vp.Interlock.Exit(l)
			vp = next
		case !vp.claim():
			vp.Mount().FstransDone(l)
			vp.Interlock.Exit(l)
		case vp.unused == vp.freeAge:
			fl.remove(vp)
			vp.Refs.And(^refListed)
			return vp
		default: // used since: to its place, which may be the one it has
			fl.remove(vp)
			fl.insert(vp)
			vp.unclaim(l)
			vp.Mount().FstransDone(l)
			vp.Interlock.Exit(l)
			if vp.freeNext != next {
				vp = next
			}
		}
	}
	return nil
}

// DrainStep cleans and frees one unused vnode, the one unused longest,
// preferably one without pages and buffers. The error is EBUSY if there is
// none to be had.
//
//netbsd:sys/kern/vfs_vnode.c cleanvnode
func (sys *System) DrainStep(l *kern.Lwp) error {
	sys.freeLock.Enter(l)
	vp := sys.take(l, &sys.freeList)
	if vp == nil {
		vp = sys.take(l, &sys.holdList)
	}
	sys.freeLock.Exit(l)
	if vp == nil {
		return kern.EBUSY
	}
	mp := vp.Mount()
	vp.clean(l)
	vp.relel(l, releChanged)
	mp.FstransDone(l)
	return nil
}

// DrainVnodes cleans unused vnodes until there are at most target vnodes.
// The error is EBUSY if too many are in use.
//
//netbsd:sys/kern/vfs_vnode.c vfs_drainvnodes
func (sys *System) DrainVnodes(l *kern.Lwp, target int) error {
	for sys.NumVnodes() > target {
		if err := sys.DrainStep(l); err != nil {
			return err
		}
	}
	return nil
}

// askDrain says that there are too many vnodes.
func (sys *System) askDrain(l *kern.Lwp) {
	sys.freeLock.Enter(l)
	sys.drainAsked = true
	sys.drainCV.Signal(l)
	sys.freeLock.Exit(l)
	sys.startWorker(l, &sys.freeLock, &sys.drainLwp, "vdrain", sys.drainThread)
}

// drainThread keeps the number of vnodes near what is desired.
//
//netbsd:sys/kern/vfs_vnode.c vdrain_thread
func (sys *System) drainThread(l *kern.Lwp) {
	for !sys.stopping.Load() {
		sys.work(l, func() { _ = sys.DrainVnodes(l, sys.desiredvnodes) })
		sys.freeLock.Enter(l)
		if !sys.drainAsked && !sys.stopping.Load() {
			sys.drainCV.Wait(l, &sys.freeLock)
		}
		sys.drainAsked = false
		sys.freeLock.Exit(l)
	}
}

package vnode

import (
	"fmt"

	"rumpvfs/hypercall"
	"rumpvfs/kern"
)

// The life of a vnode.
//
// A vnode is made by GetNewVnode with one reference. While it has any it is
// in use. The last one to go calls VOP_INACTIVE, whose answer decides: kept,
// unused, on a free list, until somebody finds it again (Get) or the drain
// takes it; or recycled at once. To recycle or clean it means VOP_RECLAIM, by
// which the file system forgets it; what is left is dead, answers with the
// dead operations to whoever still has it, and is freed with the last
// reference.
//
// Refs holds the number of references and, above it, the state:
//
//	refListed    is on a free list. A vnode taken into use again stays there:
//	             whoever cleans the list takes it off.
//	refChanging  VI_CHANGING, the gate: somebody is deciding about the last
//	             reference, or cleans the vnode. Get waits, TryRef fails.
//	refXlock     VI_XLOCK: is being cleaned; implies refChanging.
//	refClean     VI_CLEAN: has been cleaned.
//
// Invariants:
//
//   - No references and not dead means refListed and no gate: Refs is
//     exactly refListed. Who wants such a vnode for good (to clean it, to
//     move it to the other list) claims it: a compare-and-swap to one
//     reference and the gate. A claim also owns Vnode.unused.
//   - The gate is opened, and refXlock and refClean are changed, under the
//     interlock, unless Refs says that nobody can be waiting: then one
//     compare-and-swap takes the last reference and opens the gate.
//   - While the gate is closed the number of references can grow (Get counts
//     before it waits), and only the owner of the gate takes the last.
const (
	refCount    = 1<<24 - 1
	refListed   = 1 << 24
	refChanging = 1 << 25
	refXlock    = 1 << 26
	refClean    = 1 << 27
)

// Flags of relel.
type releFlags uint8

const (
	releAsync   releFlags = 1 << iota // always leave it to the worker
	releChanged                       // the caller owns the gate
	releWait                          // wait for the vnode lock
)

// Flag of DeadCheck.
const VDEAD_NOWAIT = 0x0001

// alloc makes a vnode with one reference that belongs to nobody yet.
//
//netbsd:sys/kern/vfs_vnode.c vnalloc
func (sys *System) alloc(l *kern.Lwp) *Vnode {
	vp := new(Vnode)
	vp.sys = sys
	vp.Object.Init(sys.UVM, vp.pager(), &interlockClass)
	vp.cv.Init(sys.K.Sys, "vnode")
	vp.VLock.Init(sys.K.Sys, &vnodeLockClass)
	vp.Refs.Store(1)
	vp.Size, vp.WriteSize = VSIZENOTSET, VSIZENOTSET
	if n := sys.numvnodes.Add(1); n > int64(sys.desiredvnodes+sys.desiredvnodes/10) {
		sys.askDrain(l)
	}
	return vp
}

// free ends a vnode that nobody can find any more.
//
//netbsd:sys/kern/vfs_vnode.c vnfree
func (vp *Vnode) free(l *kern.Lwp) {
	kern.KASSERTOf(vp.Usecount() == 0, "vp->v_usecount == 0", vp)
	vp.VLock.Destroy(l)
	vp.sys.numvnodes.Add(-1)
	vp.Object.Destroy(l)
}

// GetNewVnode makes a vnode of mp (nil for a device of no file system) with
// the operations ops. If slock is not nil it becomes the vnode's interlock,
// shared with others. The error is ENOENT if mp is being unmounted, whatever
// else there is to be said for it.
//
// Preconditions: the caller holds no interlock.
// Postconditions: on success the vnode has one reference and is not locked.
//
//netbsd:sys/kern/vfs_vnode.c getnewvnode
func (sys *System) GetNewVnode(l *kern.Lwp, tag Vtag, mp *Mount, ops *Ops, slock *kern.Mutex) (*Vnode, error) {
	return sys.LoadVnode(l, tag, mp, ops, slock, func(*Vnode) error { return nil })
}

// LoadVnode is GetNewVnode for a file system whose users may be many: load
// gives the vnode its data before a forced unmount can find it. An error of
// load, which then has left no data in the vnode, is returned.
//
// Preconditions: the caller holds no interlock; load locks no vnode.
// Postconditions: on success the vnode has one reference and is not locked.
func (sys *System) LoadVnode(l *kern.Lwp, tag Vtag, mp *Mount, ops *Ops, slock *kern.Mutex, load func(*Vnode) error) (*Vnode, error) {
	if mp != nil {
		if err := mp.beginVnode(l); err != nil {
			return nil, err
		}
	}
	vp := sys.alloc(l)
	vp.Tag = tag
	if sys.wrap != nil {
		ops = sys.wrap(ops)
	}
	vp.op.Store(ops)
	if slock != nil {
		vp.SetLock(slock)
		vp.iflag.Or(VI_LOCKSHARE)
	}
	vp.mount.Store(mp)
	if mp != nil && mp.Iflag()&kern.IMNT_MPSAFE != 0 {
		vp.SetVflag(VV_MPSAFE)
	}
	if l.Noticed() {
		emitRef(l, kern.EvRef, vp)
	}
	if err := load(vp); err != nil {
		sys.insmntque(l, vp, nil)
		vp.UngetNew(l)
		if mp != nil {
			mp.endVnode(l, nil)
		}
		return nil, err
	}
	if mp == nil {
		sys.insmntque(l, vp, nil)
	} else {
		mp.endVnode(l, vp)
	}
	return vp, nil
}

// UngetNew takes GetNewVnode back for a vnode that turned out not to be
// needed.
//
// Preconditions: vp is fresh: one reference, no data.
// Postconditions: vp is gone.
//
//netbsd:sys/kern/vfs_vnode.c ungetnewvnode
func (vp *Vnode) UngetNew(l *kern.Lwp) {
	kern.KASSERTOf(vp.Usecount() == 1, "vp->v_usecount == 1", vp)
	kern.KASSERTOf(vp.Data == nil, "vp->v_data == NULL", vp)
	emitRef(l, kern.EvRele, vp)
	vp.Interlock.Enter(l)
	vp.Refs.Or(refClean)
	vp.relel(l, 0)
}

// Ref takes a reference.
//
// Preconditions: the caller holds, or something that it keeps from going
// holds, a reference already.
//
//netbsd:sys/kern/vfs_vnode.c vref
func (vp *Vnode) Ref(l *kern.Lwp) {
	if vp.Refs.Add(1)&refCount <= 1 || l.Noticed() {
		vp.refWatched(l)
	}
}

func (vp *Vnode) refWatched(l *kern.Lwp) {
	kern.KASSERTOf(vp.Usecount() > 1, "vp->v_usecount != 0", vp)
	emitRef(l, kern.EvRef, vp)
}

// emitRef reports that vp gained a reference or is about to lose one.
func emitRef(l *kern.Lwp, kind kern.EventKind, vp *Vnode) {
	how := hypercall.Add
	if vp.Usecount() <= 1 {
		how = hypercall.Write
	}
	vp.VLock.Touch(l, how)
	if l.Watched() {
		l.Hooks.Sink.Event(l, &kern.Event{
			Kind: kind, Name: vp.typeName(), Depth: l.Depth, Args: vp,
			Text: fmt.Sprintf("usecount %d", vp.Usecount()),
		})
	}
}

// TryRef takes a reference if vp is neither dead nor changing its state; vp
// may be unused. It needs no lock.
func (vp *Vnode) TryRef() bool {
	for {
		u := vp.Refs.Load()
		if u&(refChanging|refClean) != 0 {
			return false
		}
		if vp.Refs.CompareAndSwap(u, u+1) {
			return true
		}
	}
}

// Get takes a reference to a vnode that the caller found in a table of its
// own, and locks it if flags has LK_SHARED or LK_EXCLUSIVE. If the vnode
// changes its state Get waits, or fails with EBUSY if flags has LK_NOWAIT. The
// error is ENOENT if the vnode is dead: whoever looked for it looks again.
//
// Preconditions: the interlock is held, and has been since the vnode was
// found.
// Postconditions: the interlock is released. On success vp has one reference
// more and is locked as asked; on an error, nothing.
//
//netbsd:sys/kern/vfs_vnode.c vget
func (vp *Vnode) Get(l *kern.Lwp, flags int) error {
	kern.KASSERTOf(!vp.marker, "(vp->v_iflag & VI_MARKER) == 0", vp)
	kern.KASSERTOf(vp.Interlock.Owned(l), "mutex_owned(vp->v_interlock)", vp)
	kern.KASSERTOf(flags&^(LK_SHARED|LK_EXCLUSIVE|LK_NOWAIT) == 0, "(flags & ~(LK_SHARED|LK_EXCLUSIVE|LK_NOWAIT)) == 0", vp)
	if vp.Refs.Load()&refClean != 0 {
		vp.Interlock.Exit(l)
		return kern.ENOENT
	}
	if vp.Refs.Add(1)&refChanging != 0 {
		if err := vp.getChanging(l, flags); err != nil {
			return err
		}
	}
	vp.Interlock.Exit(l)
	if l.Noticed() {
		emitRef(l, kern.EvRef, vp)
	}
	if flags&(LK_EXCLUSIVE|LK_SHARED) == 0 {
		return nil
	}
	err := vp.Lock(l, flags)
	if err != nil {
		vp.Rele(l)
	}
	return err
}

// getChanging waits until a vnode has decided what becomes of it.
//
// Preconditions: the interlock is held; the caller's reference is counted.
// Postconditions: on success the same; on an error the reference is gone and
// the interlock released.
func (vp *Vnode) getChanging(l *kern.Lwp, flags int) error {
	if flags&LK_NOWAIT != 0 {
		vp.relel(l, 0)
		return kern.EBUSY
	}
	vp.wait(l, refChanging)
	if vp.Refs.Load()&refClean != 0 {
		vp.relel(l, 0)
		return kern.ENOENT
	}
	return nil
}

// wait sleeps while any of the state bits is set.
//
// Preconditions: the interlock is held and the caller has a reference.
// Postconditions: the same; the interlock was released meanwhile.
//
//netbsd:sys/kern/vfs_vnode.c vwait
func (vp *Vnode) wait(l *kern.Lwp, bits int32) {
	kern.KASSERTOf(vp.Usecount() != 0, "vp->v_usecount != 0", vp)
	for vp.Refs.Load()&bits != 0 {
		vp.cv.Wait(l, vp.Interlock)
	}
}

// openGate lets those go on who wait for the vnode to change.
//
// Preconditions: the interlock is held; the gate is the caller's.
func (vp *Vnode) openGate(l *kern.Lwp) {
	kern.KASSERTOf(vp.Refs.Load()&refChanging != 0, "(vp->v_iflag & VI_CHANGING) != 0", vp)
	vp.VLock.Touch(l, hypercall.Write)
	vp.Refs.And(^refChanging)
	vp.cv.Broadcast(l)
}

// DeadCheck tells whether a vnode is dead (ENOENT) or dying: then it waits
// for the end and returns ENOENT, or with VDEAD_NOWAIT returns EBUSY. Once
// there was an error there is always one.
//
// Preconditions: the interlock is held and the caller has a reference.
// Postconditions: the same; the interlock was released if there was something
// to wait for.
//
//netbsd:sys/kern/vfs_vnode.c vdead_check
func (vp *Vnode) DeadCheck(l *kern.Lwp, flags int) error {
	kern.KASSERTOf(vp.Interlock.Owned(l), "mutex_owned(vp->v_interlock)", vp)
	if vp.Refs.Load()&refXlock != 0 {
		if flags&VDEAD_NOWAIT != 0 {
			return kern.EBUSY
		}
		vp.wait(l, refXlock)
	}
	if vp.Refs.Load()&refClean != 0 {
		return kern.ENOENT
	}
	return nil
}

// Dying reports whether the vnode is dead or being cleaned. To who holds the
// vnode lock the answer false stays true, for cleaning begins with that lock;
// the interlock is not needed.
func (vp *Vnode) Dying() bool { return vp.Refs.Load()&(refXlock|refClean) != 0 }

// Lock locks the vnode as flags ask: LK_SHARED or LK_EXCLUSIVE, LK_NOWAIT to
// get EBUSY rather than wait, LK_RETRY to lock it even if it is dead. The
// error is ENOENT for a dead vnode.
//
// Preconditions: the caller has a reference and does not hold the interlock.
// Postconditions: on success the vnode is locked; VOP_UNLOCK unlocks it.
//
//netbsd:sys/kern/vfs_vnops.c vn_lock
func (vp *Vnode) Lock(l *kern.Lwp, flags int) error {
	kern.KASSERTOf(flags&^(LK_SHARED|LK_EXCLUSIVE|LK_NOWAIT|LK_RETRY) == 0,
		"(flags & ~(LK_SHARED|LK_EXCLUSIVE|LK_NOWAIT|LK_RETRY)) == 0", vp)
	kern.KASSERTOf(!vp.Interlock.Owned(l), "!mutex_owned(vp->v_interlock)", vp)
	err := VOP_LOCK(l, vp, flags)
	if err == nil {
		return nil
	}
	if flags&LK_RETRY != 0 && err == kern.ENOENT {
		err = VOP_LOCK(l, vp, flags)
	}
	kern.KASSERTOf(flags&(LK_RETRY|LK_NOWAIT) != LK_RETRY || err == nil,
		"(flags & LK_RETRY) == 0 || (flags & LK_NOWAIT) != 0 || error == 0", vp)
	return err
}

// Recycle cleans and frees a vnode that nobody but the caller uses, and
// reports whether it did.
//
// Preconditions: the caller has a reference and holds no lock of vp.
// Postconditions: if true, the reference is gone.
//
//netbsd:sys/kern/vfs_vnode.c vrecycle
func (vp *Vnode) Recycle(l *kern.Lwp) bool {
	kern.KASSERTOf(!vp.marker, "(vp->v_iflag & VI_MARKER) == 0", vp)
	vp.Interlock.Enter(l)
	for {
		u := vp.Refs.Load()
		switch {
		case u&refCount != 1:
			vp.Interlock.Exit(l)
			return false
		case u&refChanging != 0:
			vp.cv.Wait(l, vp.Interlock)
		case u&refClean != 0:
			emitRef(l, kern.EvRele, vp)
			vp.relel(l, 0)
			return true
		case vp.Refs.CompareAndSwap(u, u|refChanging):
			emitRef(l, kern.EvRele, vp)
			vp.clean(l)
			vp.relel(l, releChanged)
			return true
		}
	}
}

// Gone cleans a vnode whoever else uses it: to them it is dead from now on.
//
// Preconditions: the caller has a reference and holds no lock of vp.
// Postconditions: the reference is gone.
//
//netbsd:sys/kern/vfs_vnode.c vgone
func (vp *Vnode) Gone(l *kern.Lwp) {
	emitRef(l, kern.EvRele, vp)
	vp.Interlock.Enter(l)
	for {
		u := vp.Refs.Load()
		if u&refChanging != 0 {
			vp.wait(l, refChanging)
		} else if vp.Refs.CompareAndSwap(u, u|refChanging) {
			break
		}
	}
	vp.clean(l)
	vp.relel(l, releChanged)
}

// Revoke ends all use of a vnode, or of all vnodes of the same device.
//
// Preconditions: the caller has a reference and holds no lock of vp.
// Postconditions: the same.
//
//netbsd:sys/kern/vfs_vnode.c vrevoke
func (vp *Vnode) Revoke(l *kern.Lwp) {
	kern.KASSERTOf(vp.Usecount() > 0, "vp->v_usecount > 0", vp)
	if vp.Refs.Load()&refClean != 0 {
		return
	}
	t := vp.Type()
	if t != VBLK && t != VCHR {
		vp.Ref(l)
		vp.Gone(l)
		return
	}
	dev := vp.Dev.Rdev()
	for {
		vq, err := vp.sys.Devices.Lookup(l, t, dev)
		if err != nil {
			return
		}
		vq.Gone(l)
	}
}

// clean parts a vnode from its file system.
//
// Preconditions: the interlock is held, the gate and a reference are the
// caller's.
// Postconditions: the same, and the vnode is dead.
//
//netbsd:sys/kern/vfs_vnode.c vclean
func (vp *Vnode) clean(l *kern.Lwp) {
	u := vp.Refs.Load()
	kern.KASSERTOf(vp.Interlock.Owned(l), "mutex_owned(vp->v_interlock)", vp)
	kern.KASSERTOf(u&refCount != 0, "vp->v_usecount != 0", vp)
	if u&refClean != 0 {
		return
	}
	active := u&refCount > 1
	isDev := vp.Type() == VBLK || vp.Type() == VCHR
	// A device in use by a file system lives on without its node.
	doclose := !(active && vp.Type() == VBLK && vp.Dev != nil && vp.Dev.Mounted())
	vp.Interlock.Exit(l)

	vp.mustLock(l)
	vp.Interlock.Enter(l)
	kern.KASSERTOf(!vp.Dying(), "(vp->v_iflag & (VI_XLOCK | VI_CLEAN)) == 0", vp)
	vp.Refs.Or(refXlock)
	vp.iflag.And(^uint32(VI_TEXT | VI_EXECMAP))
	vp.Interlock.Exit(l)

	if doclose {
		vp.purgeData(l)
		if active && isDev {
			vp.Dev.Revoke(l, vp)
		}
		if vp.Fifoinfo.Load() != nil { // the C kernel lets those who wait there wait for ever
			VOP_CLOSE(l, vp, kern.FNONBLOCK, nil)
		}
	}
	// Either way the vnode lock goes: those who wait for it find the vnode
	// dying, wait for the end of that, and ask the new operations.
	if active {
		VOP_INACTIVE(l, vp)
	} else {
		VOP_UNLOCK(l, vp)
	}
	if err := VOP_RECLAIM(l, vp); err != nil {
		kern.Panicf("vclean: cannot reclaim %v", vp)
	}
	kern.KASSERTOf(vp.Data == nil, "vp->v_data == NULL", vp)
	kern.KASSERTOf(vp.NPages() == 0, "vp->v_uobj.uo_npages == 0", vp)
	vp.bury(l, doclose)
}

// mustLock locks the vnode exclusively, dead or alive. As a rule nobody else
// can have it, and the caller may hold locks in front of which it stands in
// the order: a walk lets go of a directory whose child it has locked.
func (vp *Vnode) mustLock(l *kern.Lwp) {
	if vp.Lock(l, LK_EXCLUSIVE|LK_RETRY|LK_NOWAIT) == nil {
		return
	}
	err := vp.Lock(l, LK_EXCLUSIVE|LK_RETRY)
	kern.KASSERTOf(err == nil, "error == 0", vp)
}

// purgeData writes back what the vnode has in memory and forgets it. If that
// fails the data is lost. It waits for the page daemon, which writes without a
// reference, and may be at it still when the pages have gone.
//
// Preconditions: vp is locked exclusively.
func (vp *Vnode) purgeData(l *kern.Lwp) {
	err := vp.InvalBuf(l, V_SAVE, nil)
	if err != nil {
		err = vp.InvalBuf(l, 0, nil)
	}
	kern.KASSERTOf(err == nil, "error == 0", vp)
	kern.KASSERTOf(vp.iflag.Load()&VI_ONWORKLST == 0, "(vp->v_iflag & VI_ONWORKLST) == 0", vp)
	vp.Interlock.Enter(l)
	vp.Waitoutput(l)
	vp.Interlock.Exit(l)
}

// bury gives a reclaimed vnode its place among the dead. A device whose node
// went but that is still in use (dead is false) gets the operations of
// devices.
//
// Postconditions: the interlock is held.
func (vp *Vnode) bury(l *kern.Lwp, dead bool) {
	sys := vp.sys
	if sys.NameCache != nil {
		sys.NameCache.Purge(l, vp)
	}
	vp.namesChanged(l)
	vp.ClearVflag(VV_ROOT)
	sys.DeadMount.Ref()
	sys.insmntque(l, vp, sys.DeadMount)

	vp.Interlock.Enter(l)
	if dead {
		vp.op.Store(sys.DeadOps)
		vp.SetVflag(VV_LOCKSWORK)
		vp.Refs.Or(refClean)
	} else {
		vp.op.Store(sys.SpecOps)
		vp.ClearVflag(VV_LOCKSWORK)
	}
	vp.Tag = VT_NON
	vp.Klist.Note(l, kern.NOTE_REVOKE)
	vp.Refs.And(^refXlock)
	vp.cv.Broadcast(l)
	kern.KASSERTOf(vp.iflag.Load()&VI_ONWORKLST == 0, "(vp->v_iflag & VI_ONWORKLST) == 0", vp)
}

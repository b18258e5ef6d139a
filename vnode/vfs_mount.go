package vnode

import (
	"iter"

	"rumpvfs/kern"
)

// MountAlloc makes a mount of a file system of type op, to cover the
// directory covered (nil for the root and for mounts that nobody sees).
//
// Postconditions: the mount has one reference and is busy, which is another.
//
//netbsd:sys/kern/vfs_mount.c vfs_mountalloc
func (sys *System) MountAlloc(l *kern.Lwp, op VFSOps, covered *Vnode) *Mount {
	mp := &Mount{Op: op, Covered: covered, sys: sys}
	mp.refcnt.Store(1)
	mp.Unmounting.Init(sys.K.Sys, &unmountingLockClass)
	mp.Renamelock.Init(sys.K.Sys, &renameLockClass)
	mp.Updating.Init(sys.K.Sys, &updatingLockClass)
	mp.unmountCV.Init(sys.K.Sys, "unmount")
	mp.loadingCV.Init(sys.K.Sys, "vnload")
	err := mp.Busy(l)
	kern.KASSERT(err == nil, "error == 0")
	mp.gen = sys.mountgen.Add(1) - 1
	return mp
}

// RootMountAlloc makes a read-only mount for the root from a device called
// devname. The file system is one that was attached, or ENODEV.
//
// Postconditions: on success as of [System.MountAlloc], and the file system
// type has a reference.
//
//netbsd:sys/kern/vfs_mount.c vfs_rootmountalloc
func (sys *System) RootMountAlloc(l *kern.Lwp, op VFSOps, devname string) (*Mount, error) {
	if sys.GetOpsByName(l, op.Name()) == nil {
		return nil, kern.ENODEV
	}
	mp := sys.MountAlloc(l, op, nil)
	mp.SetFlag(kern.MNT_RDONLY)
	mp.Stat.Fstypename = clip(op.Name(), kern.VFS_NAMELEN)
	mp.Stat.Mntonname = "/"
	mp.Stat.Mntfromname = clip(devname, kern.VFS_MNAMELEN)
	return mp, nil
}

// clip shortens a name to what fits in size bytes with a NUL.
func clip(name string, size int) string { return name[:min(len(name), size-1)] }

// GetNewFsid gives the mount an identifier that no other on the mount list
// has.
//
//netbsd:sys/kern/vfs_mount.c vfs_getnewfsid
func (mp *Mount) GetNewFsid(l *kern.Lwp) {
	sys := mp.sys
	sys.mntidLock.Enter(l)
	mtype := int32(makefstype(mp.Op.Name()))
	if sys.mntid == 0 {
		sys.mntid++
	}
	id := kern.Fsid{Val: [2]int32{int32(kern.Makedev(mtype&0xff, int32(sys.mntid))), mtype}}
	for sys.GetVFS(l, id) != nil {
		id.Val[0]++
		sys.mntid++
	}
	mp.Stat.Fsidx = id
	mp.Stat.Fsid = uint64(int64(id.Val[0]))
	sys.mntidLock.Exit(l)
}

// makefstype makes a number of the name of a file system type.
//
//netbsd:sys/kern/vfs_mount.c makefstype
func makefstype(name string) int64 {
	var n int64
	for _, c := range []byte(name) {
		n = n<<2 ^ int64(int8(c))
	}
	return n
}

// GetVFS returns the mount with an identifier, or nil. The caller gets no
// reference.
//
//netbsd:sys/kern/vfs_mount.c vfs_getvfs
func (sys *System) GetVFS(l *kern.Lwp, id kern.Fsid) *Mount {
	sys.mountlistLock.Enter(l)
	mp := sys.mountFirst
	for mp != nil && mp.Stat.Fsidx != id {
		mp = mp.next
	}
	sys.mountlistLock.Exit(l)
	return mp
}

// Ref takes a reference to the mount structure; it does not keep the file
// system from being unmounted.
func (mp *Mount) Ref() { mp.refcnt.Add(1) }

// Refcnt returns the number of references; each vnode has one.
func (mp *Mount) Refcnt() int { return int(mp.refcnt.Load()) }

// Destroy drops a reference; the last one frees the mount.
//
//netbsd:sys/kern/vfs_mount.c vfs_destroy
func (mp *Mount) Destroy(l *kern.Lwp) {
	left := mp.refcnt.Add(-1)
	if left > 0 {
		return
	}
	kern.KASSERTOf(left == 0, "mp->mnt_refcnt == 0", mp)
	mp.Unmounting.Destroy(l)
	mp.Updating.Destroy(l)
	mp.Renamelock.Destroy(l)
	mp.sys.DelRef(l, mp.Op)
}

// Busy keeps the file system from being unmounted until [Mount.Unbusy]. It
// waits while an attempt to unmount is in progress; the error is ENOENT if
// that succeeded. Any number may have it busy.
//
// Preconditions: the caller has a reference, or holds the mount list.
// Postconditions: on success the mount is busy and has another reference.
//
//netbsd:sys/kern/vfs_mount.c vfs_busy
func (mp *Mount) Busy(l *kern.Lwp) error {
	kern.KASSERTOf(mp.refcnt.Load() > 0, "mp->mnt_refcnt > 0", mp)
	mp.Unmounting.Enter(l)
	mp.awaitUnmount(l)
	if mp.Iflag()&kern.IMNT_GONE != 0 {
		mp.Unmounting.Exit(l)
		return kern.ENOENT
	}
	mp.busynest++
	mp.Unmounting.Exit(l)
	mp.Ref()
	return nil
}

// Unbusy undoes Busy. With keepref the reference that Busy took stays.
//
//netbsd:sys/kern/vfs_mount.c vfs_unbusy
func (mp *Mount) Unbusy(l *kern.Lwp, keepref bool) {
	kern.KASSERTOf(mp.refcnt.Load() > 0, "mp->mnt_refcnt > 0", mp)
	mp.Unmounting.Enter(l)
	kern.KASSERTOf(mp.busynest != 0, "mp->mnt_busynest != 0", mp)
	mp.busynest--
	mp.Unmounting.Exit(l)
	if !keepref {
		mp.Destroy(l)
	}
}

// MountlistAppend puts the mount on the mount list, as the last.
//
//netbsd:sys/kern/vfs_mount.c mountlist_append
func (sys *System) MountlistAppend(l *kern.Lwp, mp *Mount) {
	sys.mountlistLock.Enter(l)
	sys.mountSeq++
	mp.prev, mp.next, mp.listed, mp.seq = sys.mountLast, nil, true, sys.mountSeq
	if mp.prev == nil {
		sys.mountFirst = mp
	} else {
		mp.prev.next = mp
	}
	sys.mountLast = mp
	sys.mountlistLock.Exit(l)
}

// MountlistRemove takes the mount off the mount list. An iteration that has
// arrived at it goes on from there.
func (sys *System) MountlistRemove(l *kern.Lwp, mp *Mount) {
	sys.mountlistLock.Enter(l)
	kern.KASSERTOf(mp.listed, "mount is on the mount list", mp)
	if mp.prev == nil {
		sys.mountFirst = mp.next
	} else {
		mp.prev.next = mp.next
	}
	if mp.next == nil {
		sys.mountLast = mp.prev
	} else {
		mp.next.prev = mp.prev
	}
	mp.next, mp.prev, mp.listed = nil, nil, false
	sys.mountlistLock.Exit(l)
}

// Mounts returns the mounts in the order in which they were mounted, without
// references: each may be gone by the time it is looked at, which Busy tells.
func (sys *System) Mounts(l *kern.Lwp) []*Mount {
	var all []*Mount
	sys.mountlistLock.Enter(l)
	for mp := sys.mountFirst; mp != nil; mp = mp.next {
		all = append(all, mp)
	}
	sys.mountlistLock.Exit(l)
	return all
}

// BusyMounts goes through the mounts there are, in the order in which they
// were mounted, each of them busy while it is looked at. It waits for those
// that are being unmounted and passes over those that are gone.
//
// Preconditions: l holds no lock of the vnode layer.
func (sys *System) BusyMounts(l *kern.Lwp) iter.Seq[*Mount] {
	return func(yield func(*Mount) bool) {
		// The list is not locked while an unmount is waited for, which may
		// wait for a vnode that somebody has locked who wants the list.
		more := true
		for mp := sys.mountAfter(l, nil); mp != nil; {
			if mp.Busy(l) == nil {
				more = yield(mp)
				mp.Unbusy(l, false)
			}
			done := mp
			if mp = nil; more {
				mp = sys.mountAfter(l, done)
			}
			done.Destroy(l)
		}
	}
}

// mountAfter returns the mount that follows mp on the mount list, or did when
// mp was still there; the first for nil.
//
// Postconditions: the result, unless nil, has a reference for the caller.
func (sys *System) mountAfter(l *kern.Lwp, mp *Mount) *Mount {
	sys.mountlistLock.Enter(l)
	next := sys.mountFirst
	if mp != nil {
		for next != nil && next.seq <= mp.seq {
			next = next.next
		}
	}
	if next != nil {
		next.Ref()
	}
	sys.mountlistLock.Exit(l)
	return next
}

// mntVnodeList is the list of the vnodes of a mount, the newest last.
type mntVnodeList struct{ first, last *Vnode }

// insert puts vp into the list behind after, first if that is nil.
func (list *mntVnodeList) insert(vp, after *Vnode) {
	vp.mntList, vp.mntPrev = list, after
	if after == nil {
		vp.mntNext, list.first = list.first, vp
	} else {
		vp.mntNext, after.mntNext = after.mntNext, vp
	}
	if vp.mntNext == nil {
		list.last = vp
	} else {
		vp.mntNext.mntPrev = vp
	}
}

func (list *mntVnodeList) remove(vp *Vnode) {
	if vp.mntPrev == nil {
		list.first = vp.mntNext
	} else {
		vp.mntPrev.mntNext = vp.mntNext
	}
	if vp.mntNext == nil {
		list.last = vp.mntPrev
	} else {
		vp.mntNext.mntPrev = vp.mntPrev
	}
	vp.mntNext, vp.mntPrev, vp.mntList = nil, nil, nil
}

// insmntque moves a vnode to mount mp, nil for none.
//
// Preconditions: a reference to mp is the vnode's.
// Postconditions: the vnode's reference to its old mount is gone.
//
//netbsd:sys/kern/vfs_mount.c vfs_insmntque
func (sys *System) insmntque(l *kern.Lwp, vp *Vnode, mp *Mount) {
	list := &sys.nomount
	if mp != nil {
		list = &mp.vnodes
	}
	sys.mntvnodeLock.Enter(l)
	old := vp.mount.Load()
	if vp.mntList != nil {
		vp.mntList.remove(vp)
	}
	vp.mount.Store(mp)
	list.insert(vp, list.last)
	sys.mntvnodeLock.Exit(l)
	if old != nil {
		old.Destroy(l)
	}
}

// leaveMntque takes a vnode that is about to be freed off its mount.
//
//netbsd:sys/kern/vfs_mount.c vfs_insmntque
func (sys *System) leaveMntque(l *kern.Lwp, vp *Vnode) {
	sys.mntvnodeLock.Enter(l)
	vp.mntList.remove(vp)
	old := vp.mount.Load()
	vp.mount.Store(nil)
	sys.mntvnodeLock.Exit(l)
	if old != nil {
		old.Destroy(l)
	}
}

// VnodeIterator goes through the vnodes of a mount while others come and go.
type VnodeIterator struct {
	mp     *Mount
	marker Vnode // mntvnodeLock: where in the list
}

// VnodeIterator begins to go through the vnodes of the mount. The caller ends
// with [VnodeIterator.Destroy].
//
//netbsd:sys/kern/vfs_mount.c vfs_vnode_iterator_init
func (mp *Mount) VnodeIterator(l *kern.Lwp) *VnodeIterator {
	it := &VnodeIterator{mp: mp}
	it.marker.marker = true
	mp.sys.mntvnodeLock.Enter(l)
	mp.vnodes.insert(&it.marker, nil)
	mp.sys.mntvnodeLock.Exit(l)
	return it
}

// Destroy ends the iteration.
//
//netbsd:sys/kern/vfs_mount.c vfs_vnode_iterator_destroy
func (it *VnodeIterator) Destroy(l *kern.Lwp) {
	it.mp.sys.mntvnodeLock.Enter(l)
	if it.marker.mntList != nil {
		it.mp.vnodes.remove(&it.marker)
	}
	it.mp.sys.mntvnodeLock.Exit(l)
}

// Next returns the next vnode that want, if there is one, wants, or nil. It
// passes over vnodes that die. want is called with the interlock of the vnode
// and the list of the mount's vnodes locked.
//
// Postconditions: the vnode has one reference more.
//
//netbsd:sys/kern/vfs_mount.c vfs_vnode_iterator_next
func (it *VnodeIterator) Next(l *kern.Lwp, want func(*Vnode) bool) *Vnode {
	sys, list := it.mp.sys, &it.mp.vnodes
	for {
		sys.mntvnodeLock.Enter(l)
		if it.marker.mntList == nil {
			sys.mntvnodeLock.Exit(l)
			return nil
		}
		vp := it.marker.mntNext
		list.remove(&it.marker)
		for vp != nil && !vp.enterIf(l, want) {
			vp = vp.mntNext
		}
		if vp == nil {
			sys.mntvnodeLock.Exit(l)
			return nil
		}
		list.insert(&it.marker, vp)
		sys.mntvnodeLock.Exit(l)
		if vp.Get(l, 0) == nil {
			return vp
		}
	}
}

// enterIf takes the interlock of a vnode that is not dying and that want
// wants.
//
// Postconditions: the interlock is held if the result is true.
func (vp *Vnode) enterIf(l *kern.Lwp, want func(*Vnode) bool) bool {
	if vp.marker {
		return false
	}
	vp.Interlock.Enter(l)
	if vp.Refs.Load()&refXlock == 0 && (want == nil || want(vp)) {
		return true
	}
	vp.Interlock.Exit(l)
	return false
}

// FlushFlags are the flags of [Mount.Vflush] for an unmount with mntflags.
func FlushFlags(mntflags int) int {
	if mntflags&kern.MNT_FORCE != 0 {
		return FORCECLOSE
	}
	return 0
}

// Vflush cleans all vnodes of the mount but skip, if that is not nil, and
// with SKIPSYSTEM those marked VV_SYSTEM. With WRITECLOSE files that are not
// open for writing are left alone. Vnodes in use are cleaned only with
// FORCECLOSE; without, the error is EBUSY if there are any.
//
// While the mount is being unmounted success means that nobody but the caller
// can make vnodes of it any more, and with FORCECLOSE nobody can even before:
// [System.GetNewVnode] answers ENOENT then. WRITECLOSE is not for unmounting.
//
// Preconditions: the caller has locked no vnode of the mount.
//
//netbsd:sys/kern/vfs_mount.c vflush
func (mp *Mount) Vflush(l *kern.Lwp, skip *Vnode, flags int) error {
	mp.sys.ReleFlush(l)
	last := mp.Iflag()&kern.IMNT_UNMOUNT != 0 && flags&WRITECLOSE == 0
	if last && flags&FORCECLOSE != 0 {
		mp.closeVnodes(l)
	}
	for {
		err := mp.flushVnodes(l, skip, flags)
		if err != nil || !last || mp.closeFlushed(l, skip, flags) {
			return err
		}
	}
}

// flushVnodes cleans once all vnodes that are to be flushed.
func (mp *Mount) flushVnodes(l *kern.Lwp, skip *Vnode, flags int) error {
	var busy error
	it := mp.VnodeIterator(l)
	for {
		vp := it.Next(l, func(vp *Vnode) bool { return vp.toFlush(skip, flags) })
		if vp == nil {
			break
		}
		if vp.Recycle(l) {
			continue
		}
		if flags&FORCECLOSE != 0 {
			vp.Gone(l)
			continue
		}
		vp.Rele(l)
		busy = kern.EBUSY
	}
	it.Destroy(l)
	return busy
}

//netbsd:sys/kern/vfs_mount.c vflush_selector
func (vp *Vnode) toFlush(skip *Vnode, flags int) bool {
	switch {
	case vp == skip:
		return false
	case flags&SKIPSYSTEM != 0 && vp.Vflag()&VV_SYSTEM != 0:
		return false
	case flags&WRITECLOSE != 0 && vp.Type() == VREG:
		return vp.Writecount() != 0
	}
	return true
}

// beginVnode says that a vnode is about to be made for the mount. The error
// is ENOENT if it is unmounted, or past the point where it can be kept from
// being so.
//
// It does not wait for an unmount as [Mount.Busy] does: the caller may have
// vnodes locked that the unmount wants.
//
// Postconditions: on success a reference to the mount is the vnode's, and
// [Mount.endVnode] is due.
func (mp *Mount) beginVnode(l *kern.Lwp) error {
	sys := mp.sys
	sys.mntvnodeLock.Enter(l)
	defer sys.mntvnodeLock.Exit(l)
	if mp.closedBy != nil && mp.closedBy != l || mp.Iflag()&kern.IMNT_GONE != 0 {
		return kern.ENOENT
	}
	mp.loading++
	mp.Ref()
	return nil
}

// endVnode puts a vnode that was made, nil for none, among those of the mount,
// unless it has died meanwhile and is where the dead are.
func (mp *Mount) endVnode(l *kern.Lwp, vp *Vnode) {
	sys := mp.sys
	sys.mntvnodeLock.Enter(l)
	if vp != nil && vp.mntList == nil {
		mp.vnodes.insert(vp, mp.vnodes.last)
	}
	mp.loading--
	if mp.loading == 0 {
		mp.loadingCV.Broadcast(l)
	}
	sys.mntvnodeLock.Exit(l)
}

// closeVnodes lets only l make vnodes of the mount, and waits for those that
// others are making.
func (mp *Mount) closeVnodes(l *kern.Lwp) {
	mp.sys.mntvnodeLock.Enter(l)
	mp.closedBy = l
	mp.awaitLoading(l)
	mp.sys.mntvnodeLock.Exit(l)
}

// awaitLoading waits until no vnode is being made.
//
// Preconditions: mntvnodeLock is held.
// Postconditions: the same; it was released meanwhile.
func (mp *Mount) awaitLoading(l *kern.Lwp) {
	for mp.loading > 0 {
		mp.loadingCV.Wait(l, &mp.sys.mntvnodeLock)
	}
}

// closeFlushed is closeVnodes if no vnode is left that is to be flushed, and
// reports whether it did. For one that somebody else is cleaning it waits.
func (mp *Mount) closeFlushed(l *kern.Lwp, skip *Vnode, flags int) bool {
	sys := mp.sys
	sys.mntvnodeLock.Enter(l)
	mp.awaitLoading(l)
	vp := mp.vnodes.first
	for vp != nil && (vp.marker || !vp.toFlush(skip, flags)) {
		vp = vp.mntNext
	}
	if vp == nil {
		mp.closedBy = l
		sys.mntvnodeLock.Exit(l)
		return true
	}
	vp.Interlock.Enter(l)
	sys.mntvnodeLock.Exit(l)
	if vp.Get(l, 0) == nil {
		vp.Rele(l)
	}
	return false
}

// awaitUnmount waits for the end of an attempt to unmount.
//
// Preconditions: Unmounting is held.
// Postconditions: the same; it was released meanwhile.
func (mp *Mount) awaitUnmount(l *kern.Lwp) {
	for mp.unmounter != nil {
		kern.KASSERTOf(mp.unmounter != l, "mutex_owned(&mp->mnt_unmounting) == 0", mp)
		mp.unmountCV.Wait(l, &mp.Unmounting)
	}
}

// BeginUnmount starts to unmount: nobody can make the mount busy until
// [Mount.EndUnmount]. EBUSY if it is busy now, ENOENT if it is gone.
//
// The C kernel keeps mnt_unmounting locked from here to the end, and has
// whoever makes a vnode wait for it: a forced unmount and an lwp that has a
// directory locked to create a file in it then wait for each other. Here the
// one who creates does not wait, see [Mount.Vflush].
//
//netbsd:sys/kern/vfs_mount.c dounmount
func (mp *Mount) BeginUnmount(l *kern.Lwp) error {
	mp.Unmounting.Enter(l)
	defer mp.Unmounting.Exit(l)
	mp.awaitUnmount(l)
	if mp.busynest != 0 {
		return kern.EBUSY
	}
	if mp.Iflag()&kern.IMNT_GONE != 0 {
		return kern.ENOENT
	}
	mp.unmounter = l
	mp.SetIflag(kern.IMNT_UNMOUNT)
	return nil
}

// EndUnmount ends what BeginUnmount has begun; gone says that the file
// system is unmounted, so that it can never be busy again.
func (mp *Mount) EndUnmount(l *kern.Lwp, gone bool) {
	if !gone {
		mp.sys.mntvnodeLock.Enter(l)
		mp.closedBy = nil
		mp.sys.mntvnodeLock.Exit(l)
	}
	mp.Unmounting.Enter(l)
	if gone {
		mp.SetIflag(kern.IMNT_GONE)
	} else {
		mp.ClearIflag(kern.IMNT_UNMOUNT)
	}
	mp.unmounter = nil
	mp.unmountCV.Broadcast(l)
	mp.Unmounting.Exit(l)
}

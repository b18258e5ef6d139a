package vnode

import "rumpvfs/kern"

// A CheckedFS is a file system that knows its invariants.
type CheckedFS interface {
	// Check verifies all files of a mount, and counts the references to
	// vnodes that the file system has (Vnode.HeldBy). Of the vnodes it
	// verifies what is its own: the rest is the vnode layer's.
	Check(c *kern.Checkup, mp *Mount)
}

// A CheckedCache is a name cache that knows its invariants.
type CheckedCache interface{ Check(c *kern.Checkup) }

// HeldBy counts, in a Checkup, a reference to vp.
func (vp *Vnode) HeldBy(c *kern.Checkup, who string) { c.Count(&vp.refs, who) }

// WrittenBy counts, in a Checkup, a use of vp for writing.
func (vp *Vnode) WrittenBy(c *kern.Checkup, who string) { c.Count(&vp.writers, who) }

// FirstVnode returns the first vnode of the mount, NextOfMount the one that
// follows vp among those of its mount; nil if there is none.
//
// Preconditions: the kernel is at rest.
func (mp *Mount) FirstVnode() *Vnode { return mp.vnodes.first }

// NextOfMount is explained at [Mount.FirstVnode].
func (vp *Vnode) NextOfMount() *Vnode { return vp.mntNext }

// Count counts the references that the vnode layer and the file systems have,
// and has the file systems verify themselves.
//
// Preconditions: the kernel is at rest.
func (sys *System) Count(c *kern.Checkup) {
	if vp := sys.Root.Load(); vp != nil {
		vp.HeldBy(c, "the kernel, as root directory")
	}
	for mp := sys.mountFirst; mp != nil; mp = mp.next {
		if mp.Covered != nil {
			mp.Covered.HeldBy(c, "what is mounted on it")
		}
		if mp.Syncer != nil {
			mp.Syncer.HeldBy(c, "the syncer")
			mp.Syncer.WrittenBy(c, "the syncer")
		}
		if fs, ok := mp.Op.(CheckedFS); ok {
			fs.Check(c, mp)
		}
	}
	for vp := sys.releFirst; vp != nil; vp = vp.releNext {
		vp.HeldBy(c, "a release that is due")
	}
	for _, vp := range sys.releSkip {
		vp.HeldBy(c, "a release that was put off")
	}
	if cache, ok := sys.NameCache.(CheckedCache); ok {
		cache.Check(c)
	}
}

// Check verifies mounts, vnodes, free lists, the worklist of the syncer and
// the account of advisory locks, after all references were counted.
//
// Preconditions: the kernel is at rest.
func (sys *System) Check(c *kern.Checkup) {
	n := sys.nomount.check(c, nil)
	if sys.DeadMount != nil {
		n += sys.DeadMount.check(c)
	}
	var prev *Mount
	for mp := sys.mountFirst; mp != nil; mp = mp.next {
		switch {
		case !mp.listed || mp.prev != prev || prev != nil && prev.seq >= mp.seq:
			c.Brokenf(mp, "the mount list is broken here")
		case mp.Covered != nil && mp.Covered.Mountedhere() != mp:
			c.Brokenf(mp, "the directory that it covers does not know: %s", mp.Covered.KernelState())
		}
		n += mp.check(c)
		if mp.busynest != 0 {
			c.Brokenf(mp, "busy %d times", mp.busynest)
		}
		prev = mp
	}
	if sys.mountLast != prev {
		c.Brokenf("mount list", "it does not end with its last")
	}
	if int64(n) != sys.numvnodes.Load() {
		c.Brokenf("vnodes", "%d of mounts, but numvnodes is %d", n, sys.numvnodes.Load())
	}
	sys.checkReleases(c)
	sys.freeLock.Enter(c.L)
	n = sys.freeList.check(c, sys) + sys.holdList.check(c, sys)
	sys.freeLock.Exit(c.L)
	if listed := c.Counted(&sys.listed); n != listed {
		c.Brokenf("free lists", "they have %d vnodes, but %d say so", n, listed)
	}
	sys.syncer.check(c)
	if ls := sys.lockf.Load(); ls != nil {
		ls.check(c)
	}
}

// checkReleases verifies the list of releases that are due.
func (sys *System) checkReleases(c *kern.Checkup) {
	n := len(sys.releSkip)
	var last *Vnode
	for vp := sys.releFirst; vp != nil; vp = vp.releNext {
		n++
		last = vp
	}
	switch {
	case sys.releTail != last:
		c.Brokenf("releases", "the list does not end with its tail")
	case sys.releActive != 0:
		c.Brokenf("releases", "%d in progress", sys.releActive)
	case sys.relePend != n:
		c.Brokenf("releases", "%d are due, but %d in the list", sys.relePend, n)
	}
}

// check verifies a mount and its vnodes, and returns their number.
func (mp *Mount) check(c *kern.Checkup) int {
	n := mp.vnodes.check(c, mp)
	refs := 1 + n + mp.busynest
	switch {
	case mp.Refcnt() != refs:
		c.Brokenf(mp, "refcnt %d, but %d references", mp.Refcnt(), refs)
	case mp.unmounter != nil || mp.Iflag()&(kern.IMNT_UNMOUNT|kern.IMNT_GONE) != 0:
		c.Brokenf(mp, "is being unmounted")
	case mp.loading != 0 || mp.closedBy != nil:
		c.Brokenf(mp, "vnodes are being made or flushed")
	}
	if mp.trans != nil {
		for t := range mp.trans.running {
			if running := mp.trans.running[t].Load(); running != 0 {
				c.Brokenf(mp, "%d transactions of kind %d run", running, t)
			}
		}
	}
	mp.checkLocks(c)
	return n
}

// checkLocks verifies that nobody holds a lock of the mount.
func (mp *Mount) checkLocks(c *kern.Checkup) {
	for _, m := range [...]struct {
		lock *kern.Mutex
		name string
	}{{&mp.Unmounting, "mnt_unmounting"}, {&mp.Updating, "mnt_updating"}, {&mp.Renamelock, "mnt_renamelock"}} {
		if m.lock.Held() {
			c.Brokenf(mp, "%s is held", m.name)
		}
	}
}

// check verifies a list of vnodes and each of them, and returns their number.
func (list *mntVnodeList) check(c *kern.Checkup, mp *Mount) (n int) {
	var prev *Vnode
	for vp := list.first; vp != nil; vp = vp.mntNext {
		n++
		switch {
		case vp.mntPrev != prev || vp.mntList != list:
			c.Brokenf(vp, "the list of vnodes of its mount is broken here")
			return n
		case vp.marker:
			c.Brokenf(vp, "an iterator was not destroyed")
		case vp.Mount() != mp:
			c.Brokenf(vp, "is in the list of another mount")
		default:
			vp.check(c)
		}
		prev = vp
	}
	if list.last != prev {
		c.Brokenf("vnodes of a mount", "the list does not end with its last")
	}
	return n
}

// check verifies a vnode.
func (vp *Vnode) check(c *kern.Checkup) {
	if vp.VLock.Held() {
		c.Brokenf(vp, "is locked")
	}
	if vp.Interlock.Held() {
		c.Brokenf(vp, "its interlock is held")
		return
	}
	vp.Interlock.Enter(c.L)
	defer vp.Interlock.Exit(c.L)
	vp.checkRefs(c)
	vp.checkState(c)
	vp.checkMounted(c)
	if held := vp.cleanblk.check(c, vp, false) + vp.dirtyblk.check(c, vp, true); held != vp.holdcnt {
		c.Brokenf(vp, "holdcnt %d, but %d buffers", vp.holdcnt, held)
	}
	if f, ok := vp.Data.(Lockable); ok {
		f.AdvisoryLocks().Check(c, vp)
	}
	vp.Object.Check(c, vp, max(vp.Size, vp.WriteSize))
	if vp.iflag.Load()&VI_ONWORKLST != 0 {
		c.Add(&vp.sys.syncer.tally, 1)
	}
}

// checkRefs compares the counts of references and writers with what was
// found.
func (vp *Vnode) checkRefs(c *kern.Checkup) {
	if n := c.Counted(&vp.refs); n != vp.Usecount() {
		c.Miscounted(vp, &vp.refs, "usecount %d, but %d references", vp.Usecount(), n)
	}
	if n := c.Counted(&vp.writers); n != vp.Writecount() {
		c.Miscounted(vp, &vp.writers, "writecount %d, but %d uses for writing", vp.Writecount(), n)
	}
}

// checkState verifies what Refs says of the vnode's life, and its place on the
// free lists.
func (vp *Vnode) checkState(c *kern.Checkup) {
	u := vp.Refs.Load()
	listed := u&refListed != 0
	switch {
	case u&(refChanging|refXlock) != 0:
		c.Brokenf(vp, "changes its state")
	case listed != (vp.freeList != nil):
		c.Brokenf(vp, "refListed is %v, but on a free list is %v", listed, vp.freeList != nil)
	case u&refCount == 0 && u&refClean != 0:
		c.Brokenf(vp, "is dead and unused, but not freed")
	case u&refCount == 0 && !listed:
		c.Brokenf(vp, "is unused, but on no free list")
	case listed && vp.freeList != vp.properList():
		c.Brokenf(vp, "is on the wrong free list for its holdcnt")
	case u&refClean != 0 && (vp.ops() != vp.sys.DeadOps || vp.Mount() != vp.sys.DeadMount || vp.Data != nil):
		c.Brokenf(vp, "is clean, but not where the dead are")
	case u&refClean == 0 && vp.ops() == vp.sys.DeadOps:
		c.Brokenf(vp, "is dead, but not clean")
	case vp.numoutput != 0:
		c.Brokenf(vp, "%d writes in progress", vp.numoutput)
	case vp.Size > vp.WriteSize:
		c.Brokenf(vp, "size %d above writesize %d", vp.Size, vp.WriteSize)
	}
	if listed {
		c.Add(&vp.sys.listed, 1)
	}
}

// checkMounted verifies that what is mounted on vp knows.
func (vp *Vnode) checkMounted(c *kern.Checkup) {
	if mp := vp.Mountedhere(); mp != nil && (mp.Covered != vp || !mp.listed) {
		c.Brokenf(vp, "is covered by a mount that does not cover it: %s", mp.KernelState())
	}
}

// check verifies the buffers of vp that are in the list, and returns their
// number.
func (bl *bufList) check(c *kern.Checkup, vp *Vnode, dirty bool) (n int) {
	var prev *Buf
	for bp := bl.first; bp != nil; bp = bp.vnbNext {
		n++
		switch {
		case bp.vnbPrev != prev || bp.onList != bl:
			c.Brokenf(vp, "the list of its buffers is broken at block %d", bp.Lblkno)
			return n
		case bp.Vp != vp:
			c.Brokenf(vp, "block %d in its list of buffers belongs to another", bp.Lblkno)
		case (bp.Oflags&BO_DELWRI != 0) != dirty:
			c.Brokenf(vp, "block %d is in the wrong list of buffers, dirty is %v", bp.Lblkno, !dirty)
		}
		prev = bp
	}
	return n
}

// check verifies a free list and returns its length.
//
// Preconditions: freeLock is held.
func (fl *freeList) check(c *kern.Checkup, sys *System) (n int) {
	var prev *Vnode
	for vp := fl.first; vp != nil; vp = vp.freeNext {
		n++
		switch {
		case vp.freePrev != prev || vp.freeList != fl:
			c.Brokenf(vp, "the free list is broken here")
			return n
		case vp.Refs.Load()&refListed == 0:
			c.Brokenf(vp, "is on a free list, but not refListed")
		case prev != nil && prev.freeAge > vp.freeAge:
			c.Brokenf(vp, "stands behind a younger one on the free list")
		case vp.freeAge > vp.unused || vp.unused > sys.unuses.Load():
			c.Brokenf(vp, "its age on the free list, %d, is after its last use, %d", vp.freeAge, vp.unused)
		}
		prev = vp
	}
	if fl.last != prev {
		c.Brokenf("free list", "it does not end with its last")
	}
	return n
}

// check verifies the syncer's worklist.
func (s *syncer) check(c *kern.Checkup) {
	s.lock.Enter(c.L)
	defer s.lock.Exit(c.L)
	n := 0
	for slot := range s.pending {
		var prev *Vnode
		for vp := s.pending[slot].first; vp != nil; vp = vp.syncNext {
			n++
			if vp.syncPrev != prev || vp.syncSlot != slot || vp.iflag.Load()&VI_ONWORKLST == 0 {
				c.Brokenf(vp, "the syncer's worklist is broken here, slot %d", slot)
				return
			}
			prev = vp
		}
		if s.pending[slot].last != prev {
			c.Brokenf("syncer's worklist", "slot %d does not end with its last", slot)
		}
	}
	if on := c.Counted(&s.tally); n != s.queued || n != on {
		c.Brokenf("syncer's worklist", "queued %d, but %d in it, and %d vnodes say so", s.queued, n, on)
	}
}

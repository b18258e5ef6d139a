package genfs

import (
	"rumpvfs/kern"
	"rumpvfs/uvm"
	"rumpvfs/vnode"
)

// A get is a call of [Getpages] on its way. Offsets and sizes are bytes.
type get struct {
	vp     *vnode.Vnode
	node   *Node
	m      []*uvm.Page // the caller's
	offset int64
	count  int // pages wanted
	center int
	flags  int

	async      bool // nobody waits; the pages are let go
	memwrite   bool // the pages are going to be written to
	overwrite  bool // as a whole
	blockalloc bool // and need blocks
	glocked    bool // the caller holds the node's lock

	// What this attempt found, and works on.
	size    int64       // of the file
	diskeof int64       // where its last block ends,
	memeof  int64       // and where its last page ends
	npages  int         // of the wanted pages, those before memeof
	start   int64       // range that is read if anything is: whole blocks
	end     int64       //
	ridx    int         // index in pgs of the first wanted page
	pgs     []*uvm.Page // pages from start on
	own     bool        // pgs is not the caller's array
	hole    bool        // a block is not allocated
}

// Getpages brings count pages from a byte offset on into m, busy: from the
// cache, or read with VOP_BMAP and VOP_STRATEGY. Pages behind the end of the
// file do not come, and their entries of m keep as they are; that the page at
// centeridx is one of them is EINVAL. With PGO_PASTEOF the end is that of a
// write in progress, and with PGO_OVERWRITE new pages are not read, for all
// of them is going to be written.
//
// With PGO_LOCKED only what is at hand comes, and EBUSY says that the page
// at centeridx is not. Without PGO_SYNCIO reading is begun and the pages are
// let go when it is over; m may then be nil.
//
// Preconditions: the interlock is held.
// Postconditions: it is released, but kept with PGO_LOCKED. The pages in m
// are busy, and the caller's.
//
//netbsd:sys/miscfs/genfs/genfs_io.c genfs_getpages
func Getpages(l *kern.Lwp, vp *vnode.Vnode, offset int64, m []*uvm.Page, count, centeridx, accessType, _, flags int) (int, error) {
	memwrite := accessType&uvm.VM_PROT_WRITE != 0
	g := get{
		vp: vp, node: VTOG(vp), m: m, offset: offset, count: count, center: centeridx, flags: flags,
		async:      flags&uvm.PGO_SYNCIO == 0,
		memwrite:   memwrite,
		overwrite:  flags&uvm.PGO_OVERWRITE != 0,
		blockalloc: memwrite && flags&uvm.PGO_NOBLOCKALLOC == 0,
		glocked:    flags&uvm.PGO_GLOCKHELD != 0,
	}
	g.check()
	if flags&uvm.PGO_LOCKED == 0 {
		mp := vp.Mount()
		if err := startTrans(l, vp, vnode.FSTRANS_SHARED); err != nil {
			vp.Interlock.Exit(l)
			return count, err
		}
		defer mp.FstransDone(l)
	}
	again, err := true, error(nil)
	for again {
		again, err = g.attempt(l)
		g.putArray(l)
	}
	return count, err
}

func (g *get) check() {
	switch g.vp.Type() {
	case vnode.VREG, vnode.VDIR, vnode.VLNK, vnode.VBLK:
	default:
		kern.KASSERTOf(false, "vp->v_type == VREG || vp->v_type == VDIR || vp->v_type == VLNK || vp->v_type == VBLK", g.vp)
	}
	kern.KASSERTOf(g.center >= 0 && g.center <= g.count, "ap->a_centeridx <= orignpages", g.vp)
	kern.KASSERTOf(g.offset&kern.PAGE_MASK == 0 && g.offset >= 0, "origoffset is a page's", g.vp)
	kern.KASSERTOf(g.count > 0, "orignpages > 0", g.vp)
}

// attempt tries to get the pages. The file may shrink while the interlock is
// released; then the attempt has to be made again.
//
// Preconditions: the interlock is held.
// Postconditions: it is still held if again is true; otherwise as for
// [Getpages].
func (g *get) attempt(l *kern.Lwp) (again bool, err error) {
	vp := g.vp
	g.measure()
	if g.offset+int64(g.center)<<kern.PAGE_SHIFT >= g.memeof {
		if g.flags&uvm.PGO_LOCKED == 0 {
			vp.Interlock.Exit(l)
		}
		return false, kern.EINVAL
	}
	g.stamp(l)
	if g.flags&uvm.PGO_LOCKED != 0 {
		return false, g.atHand(l)
	}
	g.layout(l)
	if !g.enterNode(l) {
		return true, nil
	}
	if !g.findWanted(l) {
		return false, g.giveUp(l, g.pgs[g.ridx:g.ridx+g.npages])
	}
	if g.resident() {
		g.exitNode(l)
		g.finish(l, g.ridx+g.npages)
		return false, nil
	}
	if g.overwrite {
		g.exitNode(l)
		for _, pg := range g.pgs[g.ridx : g.ridx+g.npages] {
			pg.Flags &^= uvm.PG_RDONLY | uvm.PG_CLEAN
		}
		g.finish(l, g.ridx+g.npages)
		return false, nil
	}
	if !g.findBlocks(l) {
		return false, g.giveUp(l, g.pgs)
	}
	vp.Interlock.Exit(l)
	return false, g.read(l)
}

// measure finds out where the file ends, on disk and in memory.
func (g *get) measure() {
	vp, size := g.vp, g.node.ops.Size
	g.size = vp.Size
	g.diskeof = size(vp, g.size, 0)
	if g.flags&uvm.PGO_PASTEOF == 0 {
		g.memeof = size(vp, g.size, GOP_SIZE_MEM)
		return
	}
	newsize := max(g.size, g.offset+int64(g.count)<<kern.PAGE_SHIFT)
	g.memeof = size(vp, newsize, GOP_SIZE_MEM)
	if limit := kern.RoundPage(size(vp, vp.WriteSize, GOP_SIZE_MEM)); newsize > limit {
		kern.Panicf("genfs_getpages: past eof: %d vs. %d", newsize, limit)
	}
}

// stamp marks the file's times for update.
func (g *get) stamp(l *kern.Lwp) {
	if g.node.ops.MarkUpdate == nil || g.flags&uvm.PGO_NOTIMESTAMP != 0 || !stampable(g.vp) {
		return
	}
	flags := 0
	if g.vp.Mount().Flag()&kern.MNT_NOATIME == 0 {
		flags = GOP_UPDATE_ACCESSED
	}
	if g.memwrite {
		flags |= GOP_UPDATE_MODIFIED
	}
	if flags != 0 {
		g.node.markUpdate(l, g.vp, flags)
	}
}

// stampable reports whether page I/O moves the file's times: on a block
// device that depends on the mount.
func stampable(vp *vnode.Vnode) bool {
	return vp.Type() != vnode.VBLK || vp.Mount().Flag()&kern.MNT_NODEVMTIME == 0
}

// atHand is what there is to PGO_LOCKED.
func (g *get) atHand(l *kern.Lwp) error {
	kern.KASSERTOf(!g.glocked, "!glocked", g.vp)
	flags := vnode.UFP_NOWAIT | vnode.UFP_NOALLOC
	if g.memwrite {
		flags |= vnode.UFP_NORDONLY
	}
	m := g.m[:g.count]
	if _, found := g.vp.FindPages(l, g.offset, m, flags); found == 0 {
		return kern.EBUSY
	}
	if g.node.Rdtrylock(l) {
		g.node.Unlock(l)
	} else {
		relPages(l, m)
		for i, pg := range m {
			if pg != uvm.PGO_DONTCARE {
				m[i] = nil
			}
		}
	}
	if m[g.center] == nil {
		return kern.EBUSY
	}
	if g.memwrite {
		g.node.markDirty(l, g.vp)
	}
	return nil
}

// shifts returns the block sizes of the file system and of its device.
func shifts(vp *vnode.Vnode) (fsBshift, devBshift int) {
	if vp.Type() == vnode.VBLK {
		return kern.DEV_BSHIFT, kern.DEV_BSHIFT
	}
	return vp.Mount().FsBshift, vp.Mount().DevBshift
}

// layout finds out which pages have to be read if any has, in whole blocks,
// and makes room for them: in the caller's array if it will do.
func (g *get) layout(l *kern.Lwp) {
	fsBshift, _ := shifts(g.vp)
	mask := int64(1)<<fsBshift - 1
	g.npages = int(min(int64(g.count), kern.RoundPage(g.memeof-g.offset)>>kern.PAGE_SHIFT))
	if g.npages <= 0 {
		kern.Undefined("getpages-eof-overflow")
	}
	wanted := int64(g.npages) << kern.PAGE_SHIFT
	g.start = g.offset &^ mask
	g.end = min(kern.RoundPage((g.offset+wanted+mask)&^mask), kern.RoundPage(g.memeof))
	g.ridx = int((g.offset - g.start) >> kern.PAGE_SHIFT)
	n := int((g.end - g.start) >> kern.PAGE_SHIFT)
	if g.own = n > len(g.m) || g.ridx > 0; g.own {
		g.pgs = uvm.PageArray(l, n)
		return
	}
	g.pgs = g.m[:n]
	clear(g.pgs)
}

// putArray ends the use of an array that is not the caller's.
func (g *get) putArray(l *kern.Lwp) {
	if g.own {
		uvm.PutPageArray(l, g.pgs)
		g.own = false
	}
}

// enterNode takes the node's lock, against truncation and, when blocks are
// going to be allocated, against other readers. It reports whether the file
// is still as long as it was.
//
// Preconditions: the interlock is held.
// Postconditions: the same, and the node's lock is held if the answer is true.
func (g *get) enterNode(l *kern.Lwp) bool {
	switch {
	case g.glocked:
		kern.KASSERTOf(g.node.Wrlocked(l), "genfs_node_wrlocked(vp)", g.vp)
		return true
	case !g.blockalloc && g.node.Rdtrylock(l):
		// The node's lock comes before the interlock, but trying it in
		// the other order cannot deadlock, and the file cannot shrink
		// meanwhile.
		return true
	}
	g.vp.Interlock.Exit(l)
	if g.blockalloc {
		g.node.Wrlock(l)
	} else {
		g.node.Rdlock(l)
	}
	g.vp.Interlock.Enter(l)
	if g.vp.Size < g.size {
		g.exitNode(l)
		return false
	}
	return true
}

// exitNode releases the node's lock unless the caller held it before.
func (g *get) exitNode(l *kern.Lwp) {
	if !g.glocked {
		g.node.Unlock(l)
	}
}

// find makes pages from an offset on busy, allocating those that are not
// there. It reports whether it got all of them: an asynchronous call may not.
func (g *get) find(l *kern.Lwp, offset int64, pgs []*uvm.Page) bool {
	flags := vnode.UFP_ALL
	if g.async {
		flags = vnode.UFP_NOWAIT
	}
	_, found := g.vp.FindPages(l, offset, pgs, flags)
	return found == len(pgs)
}

func (g *get) findWanted(l *kern.Lwp) bool {
	return g.find(l, g.offset, g.pgs[g.ridx:g.ridx+g.npages])
}

// resident reports whether all that is wanted of the pages is in memory.
func (g *get) resident() bool {
	missing := uint32(uvm.PG_FAKE)
	if g.blockalloc {
		missing |= uvm.PG_RDONLY
	}
	for _, pg := range g.pgs[g.ridx : g.ridx+g.npages] {
		if pg.Flags&missing != 0 {
			return false
		}
	}
	return true
}

// findBlocks makes the pages of the whole range busy. Those that are busy
// already are let go first: waiting for a page at a lower offset while one
// holds others could deadlock.
func (g *get) findBlocks(l *kern.Lwp) bool {
	if g.start == g.offset && len(g.pgs) == g.npages {
		return true
	}
	relPages(l, g.pgs[g.ridx:g.ridx+g.npages])
	clear(g.pgs)
	return g.find(l, g.start, g.pgs)
}

// giveUp ends an asynchronous call that would have to wait.
//
// Preconditions: the interlock and the node's lock are held.
// Postconditions: they are not, and no page is busy.
func (g *get) giveUp(l *kern.Lwp, pgs []*uvm.Page) error {
	kern.KASSERTOf(g.async, "async != 0", g.vp)
	g.exitNode(l)
	relPages(l, pgs)
	clear(pgs)
	g.vp.Interlock.Exit(l)
	return kern.EBUSY
}

// finish hands out the wanted pages of the first n of g.pgs and lets the
// others go.
//
// Preconditions: the interlock is held.
// Postconditions: it is not.
func (g *get) finish(l *kern.Lwp, n int) {
	for i, pg := range g.pgs[:n] {
		if pg == nil {
			continue
		}
		if !g.overwrite {
			pg.Flags &^= uvm.PG_FAKE
		}
		kern.KASSERTOf(!g.memwrite || !g.blockalloc || pg.Flags&uvm.PG_RDONLY == 0,
			"!memwrite || !blockalloc || (pg->flags & PG_RDONLY) == 0", g.vp)
		if i < g.ridx || i >= g.ridx+g.npages || g.async {
			g.letGo(l, pg)
			g.pgs[i] = nil
		}
	}
	if g.memwrite {
		g.node.markDirty(l, g.vp)
	}
	g.vp.Interlock.Exit(l)
	if g.own && g.m != nil {
		copy(g.m, g.pgs[g.ridx:g.ridx+g.npages])
	}
}

// letGo makes a page idle that is valid now. One that was to be overwritten,
// and has not been, holds zeros.
func (g *get) letGo(l *kern.Lwp, pg *uvm.Page) {
	if pg.Flags&uvm.PG_FAKE != 0 {
		pg.PageZero()
		pg.Flags &^= uvm.PG_FAKE
	}
	unbusy(l, pg)
}

// unbusy makes one page idle.
func unbusy(l *kern.Lwp, pg *uvm.Page) {
	pgs := [1]*uvm.Page{pg}
	uvm.PageUnbusy(l, pgs[:])
}

// relPages makes pages idle and frees those that hold nothing yet.
//
// Preconditions: the interlock is held.
//
//netbsd:sys/miscfs/genfs/genfs_io.c genfs_rel_pages
func relPages(l *kern.Lwp, pgs []*uvm.Page) {
	for _, pg := range pgs {
		if pg == nil || pg == uvm.PGO_DONTCARE {
			continue
		}
		if pg.Flags&uvm.PG_FAKE != 0 {
			pg.Flags |= uvm.PG_RELEASED
		}
		unbusy(l, pg)
	}
}

// markDirty notes that pages of vp are going to be dirty.
//
// Preconditions: the interlock is held.
//
//netbsd:sys/miscfs/genfs/genfs_io.c genfs_markdirty
func (gp *Node) markDirty(l *kern.Lwp, vp *vnode.Vnode) {
	gp.dirtygen++
	iflag := vp.Iflag()
	if iflag&vnode.VI_ONWORKLST == 0 {
		vp.SyncerAddToWorklist(l, vnode.Filedelay)
	}
	if iflag&(vnode.VI_WRMAP|vnode.VI_WRMAPDIRTY) == vnode.VI_WRMAP {
		vp.SetIflag(vnode.VI_WRMAPDIRTY)
	}
}

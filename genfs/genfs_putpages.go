package genfs

import (
	"math"

	"rumpvfs/kern"
	"rumpvfs/uvm"
	"rumpvfs/vnode"
)

// maxPages is how many pages are written in one transfer.
const maxPages = kern.MAXPHYS >> kern.PAGE_SHIFT

// lastPage is the end of an object: where no page can be.
const lastPage = math.MaxInt64 &^ kern.PAGE_MASK

// A put is a pass of [Putpages] on its way.
type put struct {
	vp         *vnode.Vnode
	node       *Node
	lo, hi     int64 // range, bytes
	flags      int
	pagedaemon bool
	modified   bool // pages were written
	wasclean   bool // nothing was dirty, nothing is being written
	cleanall   bool // if so, the file is clean as a whole
	dirtygen   int  // of the node, when the pass began
	outputs    int  // of the page daemon: writes that keep the vnode, which it has no reference to
}

// Putpages writes (PGO_CLEANIT) or frees (PGO_FREE) the pages between two
// byte offsets, or to the end of the file if offhi is 0. Dirty pages are
// written in clusters of up to MAXPHYS bytes. With PGO_SYNCIO it returns when
// they are written. PGO_BUSYFAIL is EDEADLK at a page that somebody else has
// busy; otherwise it is waited for.
//
// Preconditions: the interlock is held.
// Postconditions: it is released.
//
//netbsd:sys/miscfs/genfs/genfs_io.c genfs_putpages, genfs_do_putpages
func Putpages(l *kern.Lwp, vp *vnode.Vnode, offlo, offhi int64, flags int) error {
	kern.KASSERTOf(flags&(uvm.PGO_CLEANIT|uvm.PGO_FREE|uvm.PGO_DEACTIVATE) != 0,
		"origflags & (PGO_CLEANIT|PGO_FREE|PGO_DEACTIVATE)", vp)
	kern.KASSERTOf(offlo&kern.PAGE_MASK == 0 && offhi&kern.PAGE_MASK == 0,
		"(startoff & PAGE_MASK) == 0 && (endoff & PAGE_MASK) == 0", vp)
	kern.KASSERTOf(offlo < offhi || offhi == 0, "startoff < endoff || endoff == 0", vp)
	if offhi == 0 || flags&uvm.PGO_ALLPAGES != 0 {
		offhi = lastPage
	}
	mp := vp.Mount()
	if flags&uvm.PGO_CLEANIT != 0 {
		if err := startTrans(l, vp, vnode.FSTRANS_LAZY); err != nil {
			vp.Interlock.Exit(l)
			return err
		}
		defer mp.FstransDone(l)
	}
	for {
		if vp.NPages() == 0 {
			offWorklist(l, vp)
			vp.Interlock.Exit(l)
			return nil
		}
		p := put{vp: vp, node: VTOG(vp), lo: offlo, hi: offhi, flags: flags}
		err := p.pass(l)
		onWorklist := vp.Iflag()&vnode.VI_ONWORKLST != 0
		if flags&uvm.PGO_RECLAIM == 0 || !onWorklist {
			vp.Interlock.Exit(l)
			return err
		}
		// A vnode that is reclaimed must become clean, whatever the
		// writing says.
	}
}

// startTrans begins a transaction on the mount of vp. The page daemon does not
// wait for one: EBUSY.
//
// Preconditions: the interlock is held.
// Postconditions: the same; it was released if there was something to wait
// for.
func startTrans(l *kern.Lwp, vp *vnode.Vnode, t vnode.FstransLock) error {
	mp := vp.Mount()
	err := mp.FstransStartNowait(l, t)
	if err == nil || vp.System().UVM.IsPagedaemon(l) {
		return err
	}
	vp.Interlock.Exit(l)
	mp.FstransStart(l, t)
	vp.Interlock.Enter(l)
	return nil
}

// offWorklist takes a vnode that has nothing dirty off the syncer's list.
//
// Preconditions: the interlock is held.
func offWorklist(l *kern.Lwp, vp *vnode.Vnode) {
	if vp.Iflag()&vnode.VI_ONWORKLST == 0 {
		return
	}
	vp.ClearIflag(vnode.VI_WRMAPDIRTY)
	if !vp.HasDirtyBufs() {
		vp.SyncerRemoveFromWorklist(l)
	}
}

// pass goes over the pages once.
//
// Preconditions: the interlock is held.
// Postconditions: the same; it may have been released meanwhile.
func (p *put) pass(l *kern.Lwp) error {
	p.begin(l)
	vp := p.vp
	var err error
	if vp.Iflag()&vnode.VI_ONWORKLST != 0 || p.flags&(uvm.PGO_FREE|uvm.PGO_DEACTIVATE) != 0 {
		err = p.scan(l)
	}
	if p.modified && vp.Iflag()&vnode.VI_WRMAPDIRTY != 0 && stampable(vp) {
		p.node.markUpdate(l, vp, GOP_UPDATE_MODIFIED)
	}
	if p.cleanall && p.wasclean && p.node.dirtygen == p.dirtygen {
		offWorklist(l, vp)
	}
	if !p.wasclean && p.flags&uvm.PGO_SYNCIO != 0 {
		vp.Waitoutput(l)
	}
	for ; p.outputs > 0; p.outputs-- {
		vp.EndOutput(l)
	}
	return err
}

// begin finds out what a pass has to do. If the vnode is not on the syncer's
// list nothing is dirty. The C kernel then gives up PGO_CLEANIT, and so frees,
// unwritten, a busy page that it waits for and that comes back dirty.
func (p *put) begin(l *kern.Lwp) {
	vp := p.vp
	onWorklist := vp.Iflag()&vnode.VI_ONWORKLST != 0
	kern.KASSERTOf(onWorklist || vp.Iflag()&vnode.VI_WRMAPDIRTY == 0,
		"(vp->v_iflag & VI_ONWORKLST) != 0 || (vp->v_iflag & VI_WRMAPDIRTY) == 0", vp)
	p.wasclean = vp.Numoutput() == 0
	p.cleanall = onWorklist && p.flags&uvm.PGO_CLEANIT != 0 && p.wasclean && p.lo == 0 && p.hi == lastPage
	p.dirtygen = p.node.dirtygen
	p.pagedaemon = vp.System().UVM.IsPagedaemon(l)
}

// scan puts the pages of the range, one cluster after the other.
func (p *put) scan(l *kern.Lwp) error {
	it := p.vp.Pages(p.lo, p.hi)
	for pg := it.Next(); pg != nil; pg = it.Next() {
		if pg.Flags&(uvm.PG_RELEASED|uvm.PG_PAGEOUT) != 0 {
			p.wasclean = false
			continue
		}
		if pg.Flags&uvm.PG_BUSY != 0 {
			if p.flags&uvm.PGO_BUSYFAIL != 0 {
				return kern.EDEADLK
			}
			if p.pagedaemon {
				return nil
			}
			it.From(pg.Offset)
			pg.Wait(l, "genput")
			p.vp.Interlock.Enter(l)
			continue
		}
		if p.flags&uvm.PGO_CLEANIT == 0 || pg.Flags&uvm.PG_CLEAN != 0 {
			p.drop(l, pg)
			continue
		}
		next, err := p.clean(l, pg)
		if err != nil {
			return err
		}
		it.From(next)
	}
	return nil
}

// drop frees an idle page that need not be written, if that is what the pass
// is for.
func (p *put) drop(l *kern.Lwp, pg *uvm.Page) {
	if p.flags&uvm.PGO_FREE != 0 && p.flags&uvm.PGO_DEACTIVATE == 0 {
		p.vp.PageFree(l, pg)
	}
}

// clean writes a dirty page and the dirty ones next to it. It returns where
// they end.
//
// Preconditions: the interlock is held. The page is idle.
// Postconditions: the same; the interlock was released meanwhile.
func (p *put) clean(l *kern.Lwp, pg *uvm.Page) (next int64, err error) {
	p.wasclean = false
	p.modified = true
	pg.Flags |= uvm.PG_CLEAN | uvm.PG_BUSY
	array := uvm.PageArray(l, maxPages)
	pgs := p.cluster(l, pg, array)
	next = pgs[len(pgs)-1].Offset + kern.PAGE_SIZE
	if p.flags&uvm.PGO_FREE != 0 && p.flags&uvm.PGO_DEACTIVATE == 0 {
		p.release(l, pgs)
	}
	if p.pagedaemon {
		p.vp.AddOutput(1)
		p.outputs++
	}
	p.vp.Interlock.Exit(l)
	err = p.node.ops.Write(l, p.vp, pgs, p.flags)
	uvm.PutPageArray(l, array)
	p.vp.Interlock.Enter(l)
	return next, err
}

// cluster collects the dirty pages around a page: half as many before it as
// fit, and then those behind it.
func (p *put) cluster(l *kern.Lwp, pg *uvm.Page, pgs []*uvm.Page) []*uvm.Page {
	const flags = vnode.UFP_NOWAIT | vnode.UFP_NOALLOC | vnode.UFP_DIRTYONLY
	n := int(min(maxPages>>1, pg.Offset>>kern.PAGE_SHIFT))
	back, _ := p.vp.FindPages(l, pg.Offset-kern.PAGE_SIZE, pgs[:n], flags|vnode.UFP_BACKWARD)
	copy(pgs, pgs[n-back:n])
	clear(pgs[back:n])
	pgs[back] = pg
	ahead, _ := p.vp.FindPages(l, pg.Offset+kern.PAGE_SIZE, pgs[back+1:], flags)
	return pgs[:back+1+ahead]
}

// release marks the pages of the range, which are about to be written, to be
// freed when that is done.
func (p *put) release(l *kern.Lwp, pgs []*uvm.Page) {
	freeflag, n := uint32(uvm.PG_RELEASED), 0
	if p.pagedaemon {
		freeflag = uvm.PG_PAGEOUT
	}
	for _, pg := range pgs {
		if pg.Offset >= p.lo && pg.Offset < p.hi {
			pg.Flags |= freeflag
			n++
		}
	}
	if p.pagedaemon {
		p.vp.System().UVM.PageoutStart(l, n)
	}
}

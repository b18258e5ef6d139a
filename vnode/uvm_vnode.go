package vnode

import (
	"rumpvfs/kern"
	"rumpvfs/uvm"
)

// vnodePager is a vnode as the pager of its own object.
type vnodePager Vnode

// pager returns what the object of vp is paged by.
func (vp *Vnode) pager() uvm.Pager { return (*vnodePager)(vp) }

// Reference gains a reference to the vnode.
//
// Preconditions: somebody holds one already. The interlock is not held.
//
//netbsd:sys/uvm/uvm_vnode.c uvn_reference
func (p *vnodePager) Reference(l *kern.Lwp, _ *uvm.Object) { (*Vnode)(p).Ref(l) }

// Detach drops a reference to the vnode.
//
// Preconditions: the interlock is not held.
//
//netbsd:sys/uvm/uvm_vnode.c uvn_detach
func (p *vnodePager) Detach(l *kern.Lwp, _ *uvm.Object) { (*Vnode)(p).Rele(l) }

// Get brings pages in with VOP_GETPAGES.
//
// Preconditions: the interlock is held.
// Postconditions: it is released, but with PGO_LOCKED it is kept.
//
//netbsd:sys/uvm/uvm_vnode.c uvn_get
func (p *vnodePager) Get(l *kern.Lwp, _ *uvm.Object, offset int64, pgs []*uvm.Page, npages, centeridx, access, advice, flags int) (int, error) {
	return VOP_GETPAGES(l, (*Vnode)(p), offset, pgs, npages, centeridx, access, advice, flags)
}

// Put writes or frees pages with VOP_PUTPAGES.
//
// Preconditions: the interlock is held.
// Postconditions: it is released.
//
//netbsd:sys/uvm/uvm_vnode.c uvn_put
func (p *vnodePager) Put(l *kern.Lwp, _ *uvm.Object, offlo, offhi int64, flags int) error {
	return VOP_PUTPAGES(l, (*Vnode)(p), offlo, offhi, flags)
}

// Flags of [Vnode.FindPages].
const (
	UFP_ALL       = 0x00
	UFP_NOWAIT    = 0x01 // pass over what one would have to wait for
	UFP_NOALLOC   = 0x02 // only pages that are there
	UFP_NOCACHE   = 0x04 // only pages that are not there yet
	UFP_NORDONLY  = 0x08 // pass over read-only pages
	UFP_DIRTYONLY = 0x10 // end at the first page that is clean, and make the others clean
	UFP_BACKWARD  = 0x20 // from the end of pgs down; offset is that of its last page
)

// FindPages makes the pages from a byte offset on busy and stores them in
// pgs, with pages allocated where there are none. Entries of pgs that are not
// nil are passed over. It returns how many entries it looked at and how many
// pages it found.
//
// Preconditions: the interlock is held.
// Postconditions: the same; it was released meanwhile if there was something
// to wait for.
//
//netbsd:sys/uvm/uvm_vnode.c uvn_findpages
func (vp *Vnode) FindPages(l *kern.Lwp, offset int64, pgs []*uvm.Page, flags int) (count, found int) {
	i, step, delta := 0, 1, int64(kern.PAGE_SIZE)
	if flags&UFP_BACKWARD != 0 {
		i, step, delta = len(pgs)-1, -1, -delta
	}
	for ; i >= 0 && i < len(pgs); i, offset = i+step, offset+delta {
		if vp.findPage(l, offset, &pgs[i], flags) {
			found++
		} else if flags&UFP_DIRTYONLY != 0 {
			break
		}
		count++
	}
	return count, found
}

//netbsd:sys/uvm/uvm_vnode.c uvn_findpage
func (vp *Vnode) findPage(l *kern.Lwp, offset int64, pgp **uvm.Page, flags int) bool {
	kern.KASSERTOf(vp.Interlock.Owned(l), "mutex_owned(uobj->vmobjlock)", vp)
	if *pgp != nil {
		return false
	}
	for {
		pg := vp.PageLookup(l, offset)
		if pg == nil {
			if flags&UFP_NOALLOC != 0 {
				return false
			}
			if pg = vp.PageAlloc(l, offset, 0); pg != nil {
				*pgp = pg
				return true
			}
			if flags&UFP_NOWAIT != 0 {
				return false
			}
			vp.Interlock.Exit(l)
			vp.Object.System().Wait(l, "uvn_fp1")
			vp.Interlock.Enter(l)
			continue
		}
		switch {
		case flags&UFP_NOCACHE != 0:
			return false
		case pg.Flags&uvm.PG_BUSY == 0:
			return claimPage(pg, pgp, flags)
		case flags&UFP_NOWAIT != 0:
			return false
		}
		pg.Wait(l, "uvn_fp2")
		vp.Interlock.Enter(l)
	}
}

// claimPage makes an idle page busy, if it is of the kind that flags ask for.
func claimPage(pg *uvm.Page, pgp **uvm.Page, flags int) bool {
	if flags&UFP_NORDONLY != 0 && pg.Flags&uvm.PG_RDONLY != 0 {
		return false
	}
	if flags&UFP_DIRTYONLY != 0 {
		if pg.Flags&uvm.PG_CLEAN != 0 {
			return false
		}
		pg.Flags |= uvm.PG_CLEAN
	}
	pg.Flags |= uvm.PG_BUSY
	*pgp = pg
	return true
}

// SetSize gives a vnode's object another size in bytes. To grow changes only
// the numbers. To shrink frees the pages that lie wholly behind the new end;
// the page that the end is in stays as it is, and what it holds behind the
// end comes back if the file grows again.
//
// Preconditions: vp is locked exclusively, or new. The interlock is not held.
//
//netbsd:sys/uvm/uvm_vnode.c uvm_vnp_setsize
func (vp *Vnode) SetSize(l *kern.Lwp, newsize int64) {
	pgend := kern.RoundPage(newsize)
	vp.Interlock.Enter(l)
	oldsize := vp.WriteSize
	kern.KASSERTOf(newsize != VSIZENOTSET, "newsize != VSIZENOTSET", vp)
	kern.KASSERTOf(vp.Size <= oldsize, "vp->v_size <= vp->v_writesize", vp)
	kern.KASSERTOf(vp.Size == oldsize || newsize == oldsize || newsize <= vp.Size,
		"vp->v_size == vp->v_writesize || newsize == vp->v_writesize || newsize <= vp->v_size", vp)
	kern.KASSERTOf(oldsize != VSIZENOTSET || pgend > oldsize, "oldsize != VSIZENOTSET || pgend > oldsize", vp)
	if oldsize > pgend {
		// The size stays the old one until the pages are gone: who
		// reads meanwhile may bring them back, but then waits for us
		// at the vnode lock or finds them beyond the end.
		_ = VOP_PUTPAGES(l, vp, pgend, 0, uvm.PGO_FREE|uvm.PGO_SYNCIO)
		vp.Interlock.Enter(l)
	}
	vp.Size, vp.WriteSize = newsize, newsize
	vp.Interlock.Exit(l)
}

// SetWriteSize says how far a write in progress is going to extend a file.
// It is undone, or made good, by [Vnode.SetSize].
//
// Preconditions: vp is locked exclusively. The interlock is not held.
//
//netbsd:sys/uvm/uvm_vnode.c uvm_vnp_setwritesize
func (vp *Vnode) SetWriteSize(l *kern.Lwp, newsize int64) {
	vp.Interlock.Enter(l)
	for _, size := range [...]int64{newsize, vp.Size, vp.WriteSize} {
		kern.KASSERTOf(size != VSIZENOTSET, "size != VSIZENOTSET", vp)
	}
	kern.KASSERTOf(vp.Size <= vp.WriteSize, "vp->v_size <= vp->v_writesize", vp)
	kern.KASSERTOf(vp.Size <= newsize, "vp->v_size <= newsize", vp)
	vp.WriteSize = newsize
	vp.Interlock.Exit(l)
}

// ZeroRange fills n bytes of the file with zeros, in the page cache.
//
// Preconditions: vp is locked exclusively, and its write size reaches as far
// as the range. The interlock is not held.
//
//netbsd:sys/rump/librump/rumpvfs/vm_vfs.c ubc_zerorange
func (vp *Vnode) ZeroRange(l *kern.Lwp, offset, n int64) {
	uvm.UbcZerorange(l, &vp.Object, offset, n, 0)
}

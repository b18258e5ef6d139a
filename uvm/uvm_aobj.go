package uvm

import (
	"rumpvfs/hypercall"
	"rumpvfs/kern"
)

// aobjPager backs objects with memory alone. A rump kernel has no swap: what
// such an object holds stays until it is freed.
//
//netbsd:sys/uvm/uvm_aobj.c aobj_pager
type aobjPager struct{}

// NewAobj makes an anonymous memory object with one reference. Its Interlock
// may outlive it: a vnode that shares it goes later.
//
//netbsd:sys/uvm/uvm_aobj.c uao_create
func NewAobj(sys *System, c *hypercall.LockClass) *Object {
	o := &Object{}
	o.Init(sys, aobjPager{}, c)
	lock := new(kern.Mutex)
	lock.Init(sys.k.Sys, c)
	o.SetLock(lock)
	o.Refs.Store(1)
	return o
}

// Reference adds a reference.
//
//netbsd:sys/uvm/uvm_aobj.c uao_reference
func (aobjPager) Reference(_ *kern.Lwp, o *Object) { o.Refs.Add(1) }

// Detach drops a reference; the last one frees the pages and the object.
//
//netbsd:sys/uvm/uvm_aobj.c uao_detach
func (aobjPager) Detach(l *kern.Lwp, o *Object) {
	o.Interlock.Enter(l)
	if o.Refs.Add(-1) > 0 {
		o.Interlock.Exit(l)
		return
	}
	o.freePages(l, 0, 0)
	o.Interlock.Exit(l)
	o.Destroy(l)
}

// Get makes the pages that are not there yet; they are zero.
//
//netbsd:sys/uvm/uvm_aobj.c uao_get
func (aobjPager) Get(l *kern.Lwp, o *Object, off int64, pgs []*Page, npages, centeridx, _, _, flags int) (int, error) {
	if flags&PGO_LOCKED != 0 {
		return 0, kern.EBUSY
	}
	for i := range npages {
		if pgs[i] != nil || i != centeridx && flags&PGO_ALLPAGES == 0 {
			continue
		}
		pgs[i] = o.aobjPage(l, off+int64(i)<<PAGE_SHIFT)
	}
	o.Interlock.Exit(l)
	return npages, nil
}

// aobjPage returns the page at off, busy.
//
// Preconditions: the Interlock is held, and is released while waiting.
func (o *Object) aobjPage(l *kern.Lwp, off int64) *Page {
	for {
		pg := o.PageLookup(l, off)
		switch {
		case pg != nil && pg.Flags&PG_BUSY != 0:
			pg.Wait(l, "uao_get")
			o.Interlock.Enter(l)
		case pg != nil:
			pg.Flags |= PG_BUSY
			return pg
		default:
			if pg = o.PageAlloc(l, off, UVM_PGA_ZERO); pg != nil {
				pg.Flags &^= PG_FAKE
				return pg
			}
			o.Interlock.Exit(l)
			o.sys.Wait(l, "uao_getpage")
			o.Interlock.Enter(l)
		}
	}
}

// Put frees pages if it is told to free and not to write them: writing
// leads nowhere, so what shall be cleaned stays.
//
//netbsd:sys/uvm/uvm_aobj.c uao_put
func (aobjPager) Put(l *kern.Lwp, o *Object, lo, hi int64, flags int) error {
	if flags&PGO_ALLPAGES != 0 {
		lo, hi = 0, 0
	}
	if flags&(PGO_CLEANIT|PGO_FREE|PGO_DEACTIVATE) == PGO_FREE && o.Refs.Load() <= 1 {
		o.freePages(l, lo, hi)
	}
	o.Interlock.Exit(l)
	return nil
}

// freePages frees the pages at lo and above but below hi (0: the end).
//
// Preconditions: the Interlock is held, and is released while waiting.
func (o *Object) freePages(l *kern.Lwp, lo, hi int64) {
	it := o.Pages(lo, hi)
	for pg := it.Next(); pg != nil; pg = it.Next() {
		if pg.Flags&PG_BUSY != 0 {
			it.From(pg.Offset)
			pg.Wait(l, "uao_put")
			o.Interlock.Enter(l)
			continue
		}
		o.PageFree(l, pg)
	}
}

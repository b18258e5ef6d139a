package uvm

import (
	"fmt"

	"rumpvfs/hypercall"
	"rumpvfs/kern"
)

var pageqLockClass = hypercall.LockClass{Name: "uvm_pageqlock", Rank: 820}

// Page is a page of an object.
//
//	:  stable while the page belongs to an object
//	b  who has the page busy; if nobody has, who holds the object's Interlock
//	i  the object's Interlock
//	q  System.pageqlock
type Page struct {
	Object *Object // :
	Offset int64   // : in the object, bytes, a multiple of PAGE_SIZE
	Flags  uint32  // i: PG_*
	Data   []byte  // b: PAGE_SIZE bytes

	born       uint64  // : Object.born when the page was made
	unbusy     kern.CV // i: waiting for the end of PG_BUSY
	next, prev *Page   // q: page queue or free list
	stale      bool    // b: Data may not be zero
}

// KernelState describes the page.
//
//netbsd:sys/uvm/uvm_page.c uvm_page_printit
func (pg *Page) KernelState() string {
	return fmt.Sprintf("page offset %#x flags %#x", pg.Offset, pg.Flags)
}

// pageQueue is a queue of pages, the longest unused one first.
type pageQueue struct{ head, tail *Page }

func (q *pageQueue) insertTail(pg *Page) {
	pg.prev, pg.next = q.tail, nil
	if q.tail == nil {
		q.head = pg
	} else {
		q.tail.next = pg
	}
	q.tail = pg
}

func (q *pageQueue) insertHead(pg *Page) {
	pg.prev, pg.next = nil, q.head
	if q.head == nil {
		q.tail = pg
	} else {
		q.head.prev = pg
	}
	q.head = pg
}

// insertAfter puts pg behind at, which is in the queue.
func (q *pageQueue) insertAfter(at, pg *Page) {
	if at == q.tail {
		q.insertTail(pg)
		return
	}
	pg.prev, pg.next = at, at.next
	at.next.prev = pg
	at.next = pg
}

func (q *pageQueue) remove(pg *Page) {
	if pg.prev == nil {
		q.head = pg.next
	} else {
		pg.prev.next = pg.next
	}
	if pg.next == nil {
		q.tail = pg.prev
	} else {
		pg.next.prev = pg.prev
	}
	pg.prev, pg.next = nil, nil
}

// PageAlloc makes a page of o at offset off: busy, clean and fake, or with
// UVM_PGA_ZERO in flags zeroed and dirty. Its contents are zero either way:
// what an earlier file left in it does not show. It returns nil when there is
// no memory; the caller then releases its locks and calls [System.Wait].
//
// Preconditions: the Interlock is held, and o has no page at off.
//
//netbsd:sys/rump/librump/rumpkern/vm.c uvm_pagealloc_strat
func (o *Object) PageAlloc(l *kern.Lwp, off int64, flags int) *Page {
	kern.KASSERTOf(o.Interlock.Owned(l), "uvm_pagealloc: mutex_owned(uobj->vmobjlock)", o)
	kern.KASSERTOf(off >= 0 && off&PAGE_MASK == 0, "uvm_pagealloc: offset is a page's", o)
	pg := o.sys.getPage(l)
	if pg == nil {
		return nil
	}
	o.born++
	pg.Object, pg.Offset, pg.born = o, off, o.born
	pg.Flags = PG_CLEAN | PG_BUSY | PG_FAKE
	if flags&UVM_PGA_ZERO != 0 {
		pg.Flags &^= PG_CLEAN
	}
	kern.KASSERTOf(o.index.put(pg), "uvm_pagealloc: no page there yet", o)
	o.npages++
	o.sys.enqueue(l, pg)
	if l.Watched() {
		pg.emit(l, "pagealloc")
	}
	return pg
}

// PageFree ends pg. Whoever waits for it is woken and will find it gone.
//
// Preconditions: the Interlock is held; pg belongs to o; nobody else has it
// busy.
//
//netbsd:sys/rump/librump/rumpkern/vm.c uvm_pagefree
func (o *Object) PageFree(l *kern.Lwp, pg *Page) {
	kern.KASSERTOf(pg.Object == o && o.Interlock.Owned(l), "uvm_pagefree: mutex_owned(uobj->vmobjlock)", pg)
	if l.Watched() {
		pg.emit(l, "pagefree")
	}
	pg.Wakeup(l)
	kern.KASSERTOf(o.index.remove(pg), "uvm_pagefree: page is in its object", pg)
	o.npages--
	o.sys.putPage(l, pg)
}

// PageLookup returns the page at offset off, or nil. The page counts as
// used, unless it is the page daemon that asks.
//
// Preconditions: the Interlock is held.
//
//netbsd:sys/rump/librump/rumpkern/vm.c uvm_pagelookup
func (o *Object) PageLookup(l *kern.Lwp, off int64) *Page {
	pg := o.index.get(off)
	if pg != nil {
		o.sys.requeue(l, pg)
	}
	return pg
}

// PageZero fills pg with zeros, which makes it dirty.
//
// Preconditions: the Interlock is held, or pg is busy for the caller.
//
//netbsd:sys/rump/librump/rumpkern/vm.c uvm_pagezero
func (pg *Page) PageZero() {
	pg.Flags &^= PG_CLEAN
	clear(pg.Data)
}

// PageLocked reports whether l holds the Interlock of the page's object.
//
//netbsd:sys/rump/librump/rumpkern/vm.c uvm_page_locked_p
func (pg *Page) PageLocked(l *kern.Lwp) bool { return pg.Object.Interlock.Owned(l) }

// Wait marks the busy page as wanted and sleeps until whoever has it lets go
// of it or frees it. The caller then looks the page up again: it may be gone,
// or busy for somebody else. wmesg says in a trace which wait this is.
//
// Preconditions: the Interlock is held and the page is busy.
// Postconditions: the Interlock is released.
//
//netbsd:sys/uvm/uvm.h UVM_UNLOCK_AND_WAIT
func (pg *Page) Wait(l *kern.Lwp, wmesg string) {
	m := pg.Object.Interlock
	kern.KASSERTOf(m.Owned(l) && pg.Flags&PG_BUSY != 0, "UVM_UNLOCK_AND_WAIT: page is busy", pg)
	if l.Watched() {
		pg.emit(l, wmesg)
	}
	pg.Flags |= PG_WANTED
	pg.unbusy.Wait(l, m)
	m.Exit(l) // not pg's any more: pg may be free or another object's
}

// Wakeup wakes those who wait for pg.
//
// Preconditions: the Interlock is held. The caller clears PG_WANTED before it
// releases it.
func (pg *Page) Wakeup(l *kern.Lwp) {
	if pg.Flags&PG_WANTED != 0 {
		pg.unbusy.Broadcast(l)
	}
}

// PageUnbusy lets go of pages, all of one object, and frees those that are
// PG_RELEASED. Elements that are nil or PGO_DONTCARE are passed over.
//
// Preconditions: the Interlock is held; the caller has the pages busy.
//
//netbsd:sys/rump/librump/rumpkern/vm.c uvm_page_unbusy
func PageUnbusy(l *kern.Lwp, pgs []*Page) {
	for _, pg := range pgs {
		if pg == nil || pg == PGO_DONTCARE {
			continue
		}
		kern.KASSERTOf(pg.PageLocked(l), "uvm_page_unbusy: mutex_owned(pg->uobject->vmobjlock)", pg)
		kern.KASSERTOf(pg.Flags&PG_BUSY != 0, "uvm_page_unbusy: pg->flags & PG_BUSY", pg)
		if pg.Flags&PG_RELEASED != 0 {
			pg.Object.PageFree(l, pg)
			continue
		}
		pg.Wakeup(l)
		pg.Flags &^= PG_WANTED | PG_BUSY
	}
}

//go:noinline
func (pg *Page) emit(l *kern.Lwp, name string) {
	l.Emit(kern.EvPage, name, fmt.Sprintf("offset %d flags %#x", pg.Offset, pg.Flags), nil)
}

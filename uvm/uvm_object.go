package uvm

import (
	"fmt"
	"math"
	"sync/atomic"

	"rumpvfs/hypercall"
	"rumpvfs/kern"
)

// Pager connects an object with what backs it.
//
// Get and Put are entered with the object's Interlock held and return with it
// released, except that Get keeps it when flags has PGO_LOCKED.
type Pager interface {
	// Reference adds a reference to the object, Detach drops one.
	Reference(l *kern.Lwp, o *Object)
	Detach(l *kern.Lwp, o *Object)

	// Get puts into pgs the npages pages from off on, busy and valid, or
	// with PGO_OVERWRITE perhaps not valid. Elements that are PGO_DONTCARE
	// stay. Where the object ends the rest of pgs stays nil. access is of
	// VM_PROT_, advice of UVM_ADV_, flags of PGO_. The page at centeridx
	// must be had for the call to succeed. It returns how much of pgs it
	// dealt with: npages, or less with PGO_LOCKED.
	Get(l *kern.Lwp, o *Object, off int64, pgs []*Page, npages, centeridx, access, advice, flags int) (n int, err error)

	// Put writes back, frees or both the pages at lo and above but below
	// hi; hi 0 stands for the end of the object.
	Put(l *kern.Lwp, o *Object, lo, hi int64, flags int) error
}

// Object is a memory object: something that has pages. The zero value
// becomes one by Init; it costs no memory as long as it has no pages.
//
//	:  stable from Init or SetLock on
//	a  atomic
//	i  Interlock
type Object struct {
	Interlock *kern.Mutex  // : guards the pages; may be shared by several objects
	Refs      atomic.Int32 // a: references
	Pager     Pager        // :

	sys    *System    // :
	own    kern.Mutex // what Interlock is unless SetLock says otherwise
	npages int        // i
	born   uint64     // i: pages ever made, so that an iteration can tell new ones
	index  pageIndex  // i
}

// Init makes o an object of sys without pages and references, with an
// Interlock of its own of class c.
//
//netbsd:sys/uvm/uvm_object.c uvm_obj_init
func (o *Object) Init(sys *System, pager Pager, c *hypercall.LockClass) {
	o.own.Init(sys.k.Sys, c)
	o.Interlock = &o.own
	o.Pager = pager
	o.sys = sys
	o.npages, o.born = 0, 0
	o.index = pageIndex{}
	o.Refs.Store(0)
}

// SetLock makes m the Interlock of o, shared with whoever else uses m.
//
// Preconditions: nobody else knows o yet, and o has no pages.
//
//netbsd:sys/uvm/uvm_object.c uvm_obj_setlock
func (o *Object) SetLock(m *kern.Mutex) {
	kern.KASSERTOf(o.npages == 0, "uvm_obj_setlock: object has no pages", o)
	o.Interlock = m
}

// Destroy ends o.
//
// Preconditions: o has no pages, and nobody else uses o or its own Interlock.
//
//netbsd:sys/uvm/uvm_object.c uvm_obj_destroy
func (o *Object) Destroy(l *kern.Lwp) {
	kern.KASSERTOf(o.npages == 0, "uvm_obj_destroy: object has no pages", o)
	o.own.Destroy(l)
	o.Interlock = nil
}

// System returns the memory that o's pages come from.
func (o *Object) System() *System { return o.sys }

// NPages returns the number of pages.
//
// Preconditions: the Interlock is held, or a momentary value will do and
// nobody can change it.
func (o *Object) NPages() int { return o.npages }

// KernelState describes the object.
//
//netbsd:sys/uvm/uvm_object.c uvm_object_printit
func (o *Object) KernelState() string {
	return fmt.Sprintf("object npages %d refs %d", o.npages, o.Refs.Load())
}

// PageIter walks over pages of an object in the order of their offsets. It
// remembers an offset and no page, so the Interlock may be released between
// calls of Next, and pages may come and go. Pages that are made after the
// walk began are passed over, which is what ends a walk that sleeps while
// another lwp appends.
type PageIter struct {
	o    *Object
	off  int64  // next offset to look at
	hi   int64  // where to end
	born uint64 // value of Object.born when the walk began
}

// Pages begins a walk over the pages at lo and above but below hi; hi 0
// stands for the end of the object. Unlike PageLookup the walk does not count
// as use of a page.
//
// Preconditions: the Interlock is held.
func (o *Object) Pages(lo, hi int64) PageIter {
	if hi == 0 {
		hi = math.MaxInt64
	}
	return PageIter{o: o, off: lo, hi: hi, born: o.born}
}

// Next returns the next page, or nil at the end.
//
// Preconditions: the Interlock is held.
func (it *PageIter) Next() *Page {
	for it.off < it.hi {
		pg := it.o.index.ceil(it.off)
		if pg == nil || pg.Offset >= it.hi {
			break
		}
		it.off = pg.Offset + 1
		if pg.born <= it.born {
			return pg
		}
	}
	it.off = it.hi
	return nil
}

// From continues the walk with the first page at off or above: at the page
// that Next just returned, to see whether it is still there, or further on.
func (it *PageIter) From(off int64) { it.off = off }

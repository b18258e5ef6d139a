package uvm

import "rumpvfs/kern"

// arrayPages is the length of the page arrays that an lwp keeps: enough for
// 64 KiB at any offset.
const arrayPages = 32

// pageArrays are arrays that an lwp keeps for reuse. Transfers nest, so there
// may be several.
type pageArrays struct{ free [][]*Page }

// PageArray returns an array of n nil elements, without allocating if n is at
// most 32. It is given back with PutPageArray.
func PageArray(l *kern.Lwp, n int) []*Page {
	if n > arrayPages {
		return make([]*Page, n)
	}
	a, _ := l.Uvm.(*pageArrays)
	if a == nil || len(a.free) == 0 {
		return make([]*Page, n, arrayPages)
	}
	last := len(a.free) - 1
	pgs := a.free[last]
	a.free = a.free[:last]
	return pgs[:n]
}

// PutPageArray ends the use of an array from PageArray.
func PutPageArray(l *kern.Lwp, pgs []*Page) {
	if cap(pgs) != arrayPages {
		return
	}
	a, _ := l.Uvm.(*pageArrays)
	if a == nil {
		a = &pageArrays{}
		l.Uvm = a
	}
	clear(pgs)
	a.free = append(a.free, pgs)
}

// pagerFlags are how UBC asks for pages: it waits for them, lets the file
// system allocate backing store itself, and leaves time stamps alone.
const pagerFlags = PGO_SYNCIO | PGO_NOBLOCKALLOC | PGO_NOTIMESTAMP

// Len2npages returns how many pages n bytes at offset off touch.
//
//netbsd:sys/rump/librump/rumpvfs/vm_vfs.c len2npages
func Len2npages(off, n int64) int {
	end := (uint64(off+n) + PAGE_MASK) &^ PAGE_MASK // may be 2^63
	return int((end - uint64(off)&^PAGE_MASK) >> PAGE_SHIFT)
}

// maxTransfer is how many pages are asked of the pager at once: a caller may
// state any length, even one for which there could be no array.
const maxTransfer = 256

// UbcUiomove moves todo bytes, at least 1, between the pages of o from
// uio.Offset on and the memory of uio. All pages are asked of the pager at
// once; for those that it does not deliver, because the object ends before
// them, it is asked again, so that a transfer across the end moves what is
// there and then fails as the pager says. flags is of UBC_; UBC_WRITE agrees
// with uio.RW. Advice is not passed on, as there is nobody to take it. Up to
// 64 KiB nothing is allocated.
//
// Preconditions: the Interlock is not held; the caller keeps the size of o
// from changing.
//
//netbsd:sys/rump/librump/rumpvfs/vm_vfs.c ubc_uiomove
func UbcUiomove(l *kern.Lwp, o *Object, uio *kern.Uio, todo int64, advice, flags int) error {
	kern.KASSERTOf(todo > 0 && todo <= uio.Resid, "ubc_uiomove: 0 < todo <= uio_resid", o)
	pgoFlags, prot := pagerFlags, VM_PROT_READ
	if flags&UBC_WRITE != 0 {
		pgoFlags |= PGO_PASTEOF
		prot |= VM_PROT_WRITE
	}
	if flags&UBC_FAULTBUSY != 0 {
		pgoFlags |= PGO_OVERWRITE
	}
	pgs := PageArray(l, min(Len2npages(uio.Offset, todo), maxTransfer))
	err := ubcTransfer(l, o, uio, todo, prot, pgoFlags, pgs)
	PutPageArray(l, pgs)
	return err
}

// ubcTransfer is UbcUiomove with the array to put pages in, which is empty.
func ubcTransfer(l *kern.Lwp, o *Object, uio *kern.Uio, todo int64, prot, pgoFlags int, pgs []*Page) error {
	o.Interlock.Enter(l)
	for todo > 0 {
		npages := min(Len2npages(uio.Offset, todo), maxTransfer)
		npages, err := o.Pager.Get(l, o, kern.TruncPage(uio.Offset), pgs[:npages], npages, 0, prot, 0, pgoFlags)
		if err != nil {
			return err
		}
		o.Interlock.Enter(l)
		kern.KASSERTOf(pgs[0] != nil, "ubc_uiomove: pgo_get delivers the first page", o)
		moved, err := movePages(pgs[:npages], uio, todo)
		PageUnbusy(l, pgs[:npages])
		if err != nil {
			o.Interlock.Exit(l)
			return err
		}
		todo -= moved
		clear(pgs)
	}
	o.Interlock.Exit(l)
	return nil
}

// movePages moves up to todo bytes between the pages up to the first that is
// missing and uio, and returns how many. The Interlock is held.
func movePages(pgs []*Page, uio *kern.Uio, todo int64) (moved int64, err error) {
	for _, pg := range pgs {
		if pg == nil {
			break
		}
		pageoff := uio.Offset & PAGE_MASK
		n := min(todo-moved, PAGE_SIZE-pageoff)
		kern.KASSERTOf(n > 0, "ubc_uiomove: xfersize > 0", pg)
		if err = uio.Move(pg.Data[pageoff : pageoff+n]); err != nil {
			break
		}
		if uio.RW == kern.UIO_WRITE {
			pg.Flags &^= PG_CLEAN | PG_FAKE
		}
		moved += n
	}
	return moved, err
}

// zeroPages is how many pages UbcZerorange works on at a time.
const zeroPages = 32

// UbcZerorange zeroes the n bytes of o from off on, through the cache. It
// works beyond the end of the object too, up to the size that a write in
// progress will give it. flags is of UBC_.
//
// Preconditions: the Interlock is not held; the caller keeps the size of o
// from changing.
//
//netbsd:sys/rump/librump/rumpvfs/vm_vfs.c ubc_zerorange
func UbcZerorange(l *kern.Lwp, o *Object, off, n int64, flags int) {
	if n == 0 {
		return
	}
	maxpages := min(zeroPages, int(kern.RoundPage(n)>>PAGE_SHIFT))
	pgs := PageArray(l, maxpages)
	o.Interlock.Enter(l)
	for n > 0 {
		npages := min(maxpages, int(kern.RoundPage(n)>>PAGE_SHIFT))
		npages, _ = o.Pager.Get(l, o, kern.TruncPage(off), pgs[:npages], npages, 0,
			VM_PROT_READ|VM_PROT_WRITE, 0, pagerFlags|PGO_PASTEOF)
		o.Interlock.Enter(l)
		kern.KASSERTOf(pgs[0] != nil, "ubc_zerorange: pgo_get delivers the first page", o)
		for _, pg := range pgs[:npages] {
			if pg == nil {
				break
			}
			pageoff := off & PAGE_MASK
			chunk := min(PAGE_SIZE-pageoff, n)
			clear(pg.Data[pageoff : pageoff+chunk])
			pg.Flags &^= PG_CLEAN
			off += chunk
			n -= chunk
		}
		PageUnbusy(l, pgs[:npages])
		clear(pgs)
	}
	o.Interlock.Exit(l)
	PutPageArray(l, pgs)
}

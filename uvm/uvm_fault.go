package uvm

import "rumpvfs/kern"

// Fault moves bytes between b and o, at a byte offset, as a program does that
// has o mapped: each page is brought in by the pager, for reading or for
// writing as rw says, and one that is written to is dirty. n is how many bytes
// were moved before the first page that the pager does not give, with its error:
// EINVAL beyond the end of the object.
//
// Preconditions: the Interlock is not held; off is not negative.
//
//netbsd:sys/uvm/uvm_fault.c uvm_fault_internal
func Fault(l *kern.Lwp, o *Object, off int64, b []byte, rw kern.UioRW) (n int, err error) {
	prot := VM_PROT_READ
	if rw == kern.UIO_WRITE {
		prot = VM_PROT_WRITE
	}
	pgs := PageArray(l, 1)
	defer PutPageArray(l, pgs)
	for n < len(b) {
		at := off + int64(n)
		o.Interlock.Enter(l)
		if _, err := o.Pager.Get(l, o, kern.TruncPage(at), pgs, 1, 0, prot, 0, PGO_SYNCIO); err != nil {
			return n, err
		}
		o.Interlock.Enter(l)
		data := pgs[0].Data[at&PAGE_MASK:]
		if rw == kern.UIO_WRITE {
			n += copy(data, b[n:])
			pgs[0].Flags &^= PG_CLEAN
		} else {
			n += copy(b[n:], data)
		}
		PageUnbusy(l, pgs)
		o.Interlock.Exit(l)
		clear(pgs)
	}
	return n, nil
}

package sim

import (
	"rumpvfs/kern"
	"rumpvfs/vnode"
)

// scratch is memory that the system calls of one lwp use over and over: what
// goes through an operation vector escapes, and the hot calls shall not
// allocate. A call is not re-entered, so one of it is enough.
type scratch struct {
	uio  kern.Uio
	iov  [1][]byte
	stat kern.Stat
	va   vnode.Vattr
}

func scratchOf(l *kern.Lwp) *scratch {
	s, ok := l.Sim.(*scratch)
	if !ok {
		s = &scratch{}
		l.Sim = s
	}
	return s
}

// scratchUio makes the lwp's uio a transfer of b at offset off.
func scratchUio(l *kern.Lwp, b []byte, off int64, rw kern.UioRW) *kern.Uio {
	s := scratchOf(l)
	s.uio.InitUio(&s.iov, b, off, rw)
	return &s.uio
}

// scratchVattr is the lwp's attribute set, which changes nothing yet.
func scratchVattr(l *kern.Lwp) *vnode.Vattr {
	va := &scratchOf(l).va
	va.Null()
	return va
}

package vfs

import (
	"rumpvfs/kern"
	"rumpvfs/vnode"
)

// scratch is what a call of this layer would otherwise allocate: what is
// passed through an operation vector escapes. A call uses each part for one
// operation and is not re-entered, so an lwp needs one of it.
type scratch struct {
	uio kern.Uio
	iov [1][]byte
	va  vnode.Vattr
}

func scratchOf(l *kern.Lwp) *scratch {
	if s, ok := l.Vfs.(*scratch); ok {
		return s
	}
	s := &scratch{}
	l.Vfs = s
	return s
}

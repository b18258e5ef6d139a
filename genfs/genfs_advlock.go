package genfs

import (
	"rumpvfs/kern"
	"rumpvfs/vnode"
)

// Advlock does what advlock(9) asks with the locks of a [vnode.Lockable]. The vnode is
// not locked; one that loses its file meanwhile answers as the dead one that it
// is about to be, EBADF.
func Advlock(l *kern.Lwp, vp *vnode.Vnode, id any, op int, fl *kern.Flock, flags int) error {
	vp.Interlock.Enter(l)
	size := vp.Size
	f, ok := vp.Data.(vnode.Lockable)
	vp.Interlock.Exit(l)
	if !ok {
		return kern.EBADF
	}
	return f.AdvisoryLocks().Advlock(l, vp, id, op, fl, flags, size)
}

package genfs

import (
	"rumpvfs/kern"
	"rumpvfs/vnode"
)

// Kqfilter attaches EVFILT_READ and EVFILT_VNODE to a file whose file system
// says with [vnode.Vnode.Knote] what happens to it. EINVAL for other filters.
//
//netbsd:sys/miscfs/genfs/genfs_vnops.c genfs_kqfilter
func Kqfilter(l *kern.Lwp, vp *vnode.Vnode, kn *kern.Knote) error {
	switch kn.Filter {
	case kern.EVFILT_READ:
		kn.Attach(l, readFilter{}, vp)
	case kern.EVFILT_VNODE:
		kn.Attach(l, vnodeFilter{}, vp)
	default:
		return kern.EINVAL
	}
	return nil
}

// vnodeNote is what filters on a vnode have in common. Its lock is the
// interlock.
type vnodeNote struct{}

func (vnodeNote) Lock(l *kern.Lwp, kn *kern.Knote)   { kn.Hook.(*vnode.Vnode).Interlock.Enter(l) }
func (vnodeNote) Unlock(l *kern.Lwp, kn *kern.Knote) { kn.Hook.(*vnode.Vnode).Interlock.Exit(l) }
func (vnodeNote) List(kn *kern.Knote) *kern.Klist    { return &kn.Hook.(*vnode.Vnode).Klist }

// readFilter has an event as long as the file's offset is not at its end.
//
//netbsd:sys/miscfs/genfs/genfs_vnops.c filt_genfsread
type readFilter struct{ vnodeNote }

func (readFilter) Event(kn *kern.Knote, hint uint32) bool {
	if hint == kern.NOTE_REVOKE {
		kn.Flags |= kern.EV_EOF | kern.EV_ONESHOT
		return true
	}
	kn.Data = kn.Hook.(*vnode.Vnode).Size - kn.Obj.Offset()
	return kn.Data != 0
}

// vnodeFilter has an event once something has happened that was asked for.
//
//netbsd:sys/miscfs/genfs/genfs_vnops.c filt_genfsvnode
type vnodeFilter struct{ vnodeNote }

func (vnodeFilter) Event(kn *kern.Knote, hint uint32) bool {
	kn.Fflags |= kn.Sfflags & hint
	if hint == kern.NOTE_REVOKE {
		kn.Flags |= kern.EV_EOF
		return true
	}
	return kn.Fflags != 0
}

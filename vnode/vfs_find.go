package vnode

import (
	"sync/atomic"

	"rumpvfs/kern"
)

// FindVnode returns the vnode of a file: the one that its file system keeps in
// *at, or if that is nil the one that load makes. load is [System.LoadVnode]
// with a function that stores the new vnode in *at, under lock, unless there is
// one by then: that is ERESTART, and the search begins anew.
//
// Preconditions: lock, under which *at changes, is not held; something that the
// caller has locked keeps the file.
// Postconditions: on success the vnode has a reference more and is not locked.
func FindVnode(l *kern.Lwp, lock *kern.Mutex, at *atomic.Pointer[Vnode], load func() (*Vnode, error)) (*Vnode, error) {
	for {
		if vp := at.Load(); vp != nil && l.Hooks == nil && vp.TryRef() {
			return vp, nil
		}
		lock.Enter(l)
		vp := at.Load()
		if vp == nil {
			lock.Exit(l)
			vp, err := load()
			if err != kern.ERESTART {
				return vp, err
			}
			continue
		}
		vp.Interlock.Enter(l)
		lock.Exit(l)
		if vp.Get(l, 0) == nil {
			return vp, nil
		}
	}
}

// Locked locks a vnode that has just been found, unless that was an error, which it
// passes on.
//
// Preconditions: vp is referenced.
// Postconditions: on success vp is locked exclusively.
func Locked(l *kern.Lwp, vp *Vnode, err error) (*Vnode, error) {
	if err == nil {
		_ = vp.Lock(l, LK_EXCLUSIVE|LK_RETRY) // with LK_RETRY it does not fail
	}
	return vp, err
}

// Disown ends what [FindVnode] has begun: the vnode stands for no file any more.
// Who looks at Data without the vnode lock does so under the interlock.
func (vp *Vnode) Disown(l *kern.Lwp) {
	vp.Interlock.Enter(l)
	vp.Data = nil
	vp.Interlock.Exit(l)
}

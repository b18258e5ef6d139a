package genfs

import (
	"rumpvfs/kern"
	"rumpvfs/vnode"
)

// enter takes the vnode lock as flags ask, waiting for it.
func enter(l *kern.Lwp, vp *vnode.Vnode, flags int) {
	if flags&vnode.LK_EXCLUSIVE != 0 {
		vp.VLock.Enter(l)
	} else {
		vp.VLock.REnter(l)
	}
}

// tryEnter takes the vnode lock as flags ask if that needs no sleep.
func tryEnter(l *kern.Lwp, vp *vnode.Vnode, flags int) bool {
	if flags&vnode.LK_EXCLUSIVE != 0 {
		return vp.VLock.TryEnter(l)
	}
	return vp.VLock.TryREnter(l)
}

// tryDeadCheck says whether vp, which is locked, is dead or dying: EBUSY also
// if the difference cannot be found out without a sleep.
func tryDeadCheck(l *kern.Lwp, vp *vnode.Vnode) error {
	if !vp.Dying() {
		return nil
	}
	if !vp.Interlock.TryEnter(l) {
		return kern.EBUSY
	}
	err := vp.DeadCheck(l, vnode.VDEAD_NOWAIT)
	vp.Interlock.Exit(l)
	return err
}

// Lock locks a vnode, shared or exclusively as flags say. It fails with
// ENOENT if the vnode died before the lock was granted, having waited until
// it was quite dead; with LK_NOWAIT it fails with EBUSY where it would have to
// wait.
//
// Preconditions: vp is referenced and not locked by the caller.
// Postconditions: vp is locked, on success.
//
//netbsd:sys/miscfs/genfs/genfs_vnops.c genfs_lock
func Lock(l *kern.Lwp, vp *vnode.Vnode, flags int) error {
	if flags&vnode.LK_NOWAIT != 0 {
		return lockNowait(l, vp, flags)
	}
	mp := vp.Mount()
	mp.FstransStart(l, vnode.FSTRANS_SHARED)
	enter(l, vp, flags)
	if !vp.Dying() {
		emitLock(l, kern.EvLock, vp, flags)
		return nil
	}
	vp.VLock.Exit(l)
	mp.FstransDone(l)
	vp.Interlock.Enter(l)
	err := vp.DeadCheck(l, 0)
	kern.KASSERTOf(err == kern.ENOENT, "error == ENOENT", vp)
	vp.Interlock.Exit(l)
	return err
}

func lockNowait(l *kern.Lwp, vp *vnode.Vnode, flags int) error {
	mp := vp.Mount()
	if err := mp.FstransStartNowait(l, vnode.FSTRANS_SHARED); err != nil {
		return err
	}
	if !tryEnter(l, vp, flags) {
		mp.FstransDone(l)
		return kern.EBUSY
	}
	err := tryDeadCheck(l, vp)
	if err != nil {
		vp.VLock.Exit(l)
		mp.FstransDone(l)
		return err
	}
	emitLock(l, kern.EvLock, vp, flags)
	return nil
}

// emitLock reports that a vnode is locked, or that it is unlocked.
func emitLock(l *kern.Lwp, kind kern.EventKind, vp *vnode.Vnode, flags int) {
	if !l.Watched() {
		return
	}
	how := ""
	switch {
	case flags&vnode.LK_EXCLUSIVE != 0:
		how = "exclusive"
	case flags&vnode.LK_SHARED != 0:
		how = "shared"
	}
	l.Emit(kind, vp.Type().String(), how, nil)
}

// Unlock unlocks a vnode, however it is locked.
//
// Preconditions: vp is locked by the caller.
// Postconditions: it is not.
//
//netbsd:sys/miscfs/genfs/genfs_vnops.c genfs_unlock
func Unlock(l *kern.Lwp, vp *vnode.Vnode) error {
	mp := vp.Mount()
	vp.VLock.Exit(l)
	mp.FstransDone(l)
	emitLock(l, kern.EvUnlock, vp, 0)
	return nil
}

// Islocked says how a vnode is locked: LK_EXCLUSIVE by the caller, LK_SHARED
// by anybody, or 0.
//
//netbsd:sys/miscfs/genfs/genfs_vnops.c genfs_islocked
func Islocked(l *kern.Lwp, vp *vnode.Vnode) (int, error) {
	switch {
	case vp.VLock.WriteHeld(l):
		return vnode.LK_EXCLUSIVE, nil
	case vp.VLock.ReadHeld():
		return vnode.LK_SHARED, nil
	}
	return 0, nil
}

// Deadlock locks a vnode that is dead or becomes so. Without LK_RETRY it
// fails with ENOENT, once the vnode is quite dead; with LK_NOWAIT it fails
// with EBUSY where it would have to wait.
//
// Preconditions: vp is referenced and not locked by the caller.
// Postconditions: vp is locked, on success.
//
//netbsd:sys/miscfs/genfs/genfs_vnops.c genfs_deadlock
func Deadlock(l *kern.Lwp, vp *vnode.Vnode, flags int) error {
	if flags&vnode.LK_NOWAIT != 0 {
		return deadlockNowait(l, vp, flags)
	}
	enter(l, vp, flags)
	vp.Interlock.Enter(l)
	err := vp.DeadCheck(l, vnode.VDEAD_NOWAIT)
	if err == kern.EBUSY {
		// Who cleans the vnode needs its lock.
		vp.VLock.Exit(l)
		err = vp.DeadCheck(l, 0)
		kern.KASSERTOf(err == kern.ENOENT, "error == ENOENT", vp)
		vp.Interlock.Exit(l)
		enter(l, vp, flags)
		vp.Interlock.Enter(l)
	}
	kern.KASSERTOf(err == kern.ENOENT, "error == ENOENT", vp)
	vp.Interlock.Exit(l)
	if flags&vnode.LK_RETRY == 0 {
		vp.VLock.Exit(l)
		return kern.ENOENT
	}
	return nil
}

func deadlockNowait(l *kern.Lwp, vp *vnode.Vnode, flags int) error {
	if !tryEnter(l, vp, flags) {
		return kern.EBUSY
	}
	err := tryDeadCheck(l, vp)
	if err == kern.ENOENT && flags&vnode.LK_RETRY != 0 {
		err = nil
	}
	if err != nil {
		vp.VLock.Exit(l)
	}
	return err
}

// Deadunlock unlocks a dead vnode.
//
// Preconditions: vp is locked by the caller.
// Postconditions: it is not.
//
//netbsd:sys/miscfs/genfs/genfs_vnops.c genfs_deadunlock
func Deadunlock(l *kern.Lwp, vp *vnode.Vnode) error {
	vp.VLock.Exit(l)
	return nil
}

// Deadislocked is [Islocked] for dead vnodes.
//
//netbsd:sys/miscfs/genfs/genfs.h genfs_deadislocked
func Deadislocked(l *kern.Lwp, vp *vnode.Vnode) (int, error) { return Islocked(l, vp) }

// Nolock is for vnodes that nothing needs to be locked of.
//
//netbsd:sys/miscfs/genfs/genfs_vnops.c genfs_nolock
func Nolock(*kern.Lwp, *vnode.Vnode, int) error { return nil }

// Nounlock goes with [Nolock].
//
//netbsd:sys/miscfs/genfs/genfs_vnops.c genfs_nounlock
func Nounlock(*kern.Lwp, *vnode.Vnode) error { return nil }

// Noislocked goes with [Nolock].
//
//netbsd:sys/miscfs/genfs/genfs_vnops.c genfs_noislocked
func Noislocked(*kern.Lwp, *vnode.Vnode) (int, error) { return 0, nil }

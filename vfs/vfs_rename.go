package vfs

import (
	"rumpvfs/kern"
	"rumpvfs/namei"
	"rumpvfs/vnode"
)

// RenameAbort drops what a walk of rename has found.
func RenameAbort(l *kern.Lwp, nd *namei.Nameidata) {
	_ = vnode.VOP_ABORTOP(l, nd.Dvp, &nd.Cnd)
	nd.Dvp.Rele(l)
	if nd.Vp != nil {
		nd.Vp.Rele(l)
	}
}

// Rename renames from what fnd to what tnd has found, in one file
// system (EXDEV) under its rename lock.
//
// Preconditions: everything is referenced and nothing locked.
// Postconditions: no reference is left; both Nameidata are still the caller's.
//
//netbsd:sys/kern/vfs_syscalls.c do_sys_renameat
func Rename(l *kern.Lwp, fnd, tnd *namei.Nameidata) error {
	mp := fnd.Dvp.Mount()
	err := error(kern.EXDEV)
	if mp == tnd.Dvp.Mount() {
		err = vnode.VFS_RENAMELOCK_ENTER(l, mp)
	}
	if err != nil {
		RenameAbort(l, tnd)
		RenameAbort(l, fnd)
		return err
	}
	defer vnode.VFS_RENAMELOCK_EXIT(l, mp)
	done, err := renameLocked(l, fnd, tnd)
	if !done {
		RenameAbort(l, tnd)
		RenameAbort(l, fnd)
	}
	return err
}

// renameLocked looks the target up once more, now under the rename lock,
// and renames. done says that VOP_RENAME has taken the references.
func renameLocked(l *kern.Lwp, fnd, tnd *namei.Nameidata) (done bool, err error) {
	fvp, tdvp, old := fnd.Vp, tnd.Dvp, tnd.Vp
	_ = tdvp.Lock(l, vnode.LK_EXCLUSIVE|vnode.LK_RETRY)
	tvp, err := namei.Relookup(l, tdvp, &tnd.Cnd)
	if err != nil {
		_ = vnode.VOP_UNLOCK(l, tdvp)
		return false, err
	}
	if old != nil {
		old.Rele(l)
	}
	tnd.Vp = tvp
	if same, err := renameOdd(fnd, tnd); same || err != nil {
		if tvp != nil && tvp != tdvp {
			_ = vnode.VOP_UNLOCK(l, tvp)
		}
		_ = vnode.VOP_UNLOCK(l, tdvp)
		return false, err
	}
	return true, vnode.VOP_RENAME(l, fnd.Dvp, fvp, &fnd.Cnd, tdvp, tvp, &tnd.Cnd)
}

// renameOdd finds the cases that no file system is asked about: directories
// and others do not mix, a directory does not move into itself, and a name
// renamed to itself is left alone.
func renameOdd(fnd, tnd *namei.Nameidata) (same bool, err error) {
	fvp, tvp := fnd.Vp, tnd.Vp
	if tvp != nil {
		fdir, tdir := fvp.Type() == vnode.VDIR, tvp.Type() == vnode.VDIR
		if fdir && !tdir {
			return false, kern.ENOTDIR
		}
		if !fdir && tdir {
			return false, kern.EISDIR
		}
	}
	if fvp == tnd.Dvp {
		return false, kern.EINVAL
	}
	return fvp == tvp && fnd.Dvp == tnd.Dvp && fnd.Cnd.Name() == tnd.Cnd.Name(), nil
}

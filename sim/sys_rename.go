package sim

import (
	"rumpvfs/kern"
	"rumpvfs/namei"
	"rumpvfs/vnode"
)

// Rename moves a name, replacing what to names. Renaming a file onto another
// name of itself removes from, as BSD has it.
//
//netbsd:sys/kern/vfs_syscalls.c sys_rename, do_sys_renameat
func (p *Proc) Rename(from, to string) (err error) {
	l, err := p.enter("rename")
	if err != nil {
		return err
	}
	defer p.leave(l, &err)
	for _, path := range []string{from, to} {
		if err := copyinPath(path); err != nil {
			return err
		}
	}
	fnd, err := p.renameFrom(l, from)
	if err != nil {
		return err
	}
	defer fnd.Release(l)
	tnd, err := p.renameTo(l, to, fnd.Vp.Type() == vnode.VDIR)
	if err != nil {
		abortUnlocked(l, fnd)
		return err
	}
	defer tnd.Release(l)
	return renameNames(l, fnd, tnd)
}

// renameFrom walks to what is to be renamed. EINVAL for . and ..
//
// Postconditions: directory and vnode are referenced, neither is locked.
func (p *Proc) renameFrom(l *kern.Lwp, path string) (*namei.Nameidata, error) {
	return p.renameWalk(l, path, vnode.DELETE, 0)
}

// renameTo walks to the new name, likewise.
func (p *Proc) renameTo(l *kern.Lwp, path string, dir bool) (*namei.Nameidata, error) {
	flags := uint32(vnode.NOCACHE)
	if dir {
		flags |= vnode.CREATEDIR
	}
	return p.renameWalk(l, path, vnode.RENAME, flags)
}

func (p *Proc) renameWalk(l *kern.Lwp, path string, op, flags uint32) (*namei.Nameidata, error) {
	nd, err := p.nameiat(l, kern.AT_FDCWD, op, vnode.LOCKPARENT|vnode.INRENAME|flags, path)
	if err != nil {
		return nil, err
	}
	if nd.Dvp != nd.Vp {
		_ = vnode.VOP_UNLOCK(l, nd.Dvp)
	}
	if name := nd.Cnd.Name(); name == "." || name == ".." {
		abortUnlocked(l, nd)
		nd.Release(l)
		return nil, kern.EINVAL
	}
	return nd, nil
}

// abortUnlocked drops what a walk of rename has found.
func abortUnlocked(l *kern.Lwp, nd *namei.Nameidata) {
	_ = vnode.VOP_ABORTOP(l, nd.Dvp, &nd.Cnd)
	nd.Dvp.Rele(l)
	if nd.Vp != nil {
		nd.Vp.Rele(l)
	}
}

// renameNames renames from what fnd to what tnd has found, in one file
// system (EXDEV) under its rename lock.
//
// Preconditions: everything is referenced and nothing locked.
// Postconditions: no reference is left.
func renameNames(l *kern.Lwp, fnd, tnd *namei.Nameidata) error {
	mp := fnd.Dvp.Mount()
	err := error(kern.EXDEV)
	if mp == tnd.Dvp.Mount() {
		err = vnode.VFS_RENAMELOCK_ENTER(l, mp)
	}
	if err != nil {
		abortUnlocked(l, tnd)
		abortUnlocked(l, fnd)
		return err
	}
	defer vnode.VFS_RENAMELOCK_EXIT(l, mp)
	done, err := renameLocked(l, fnd, tnd)
	if !done {
		abortUnlocked(l, tnd)
		abortUnlocked(l, fnd)
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

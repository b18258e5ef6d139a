package sim

import (
	"rumpvfs/kern"
	"rumpvfs/namei"
	"rumpvfs/vfs"
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
		vfs.RenameAbort(l, fnd)
		return err
	}
	defer tnd.Release(l)
	return vfs.Rename(l, fnd, tnd)
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
		vfs.RenameAbort(l, nd)
		nd.Release(l)
		return nil, kern.EINVAL
	}
	return nd, nil
}

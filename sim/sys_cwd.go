package sim

import (
	"rumpvfs/kern"
	"rumpvfs/namei"
	"rumpvfs/vnode"
)

// chdirLookup walks to a directory that the caller may search.
//
// Postconditions: the directory is referenced, and not locked.
//
//netbsd:sys/kern/vfs_syscalls.c chdir_lookup
func (p *Proc) chdirLookup(l *kern.Lwp, path string) (*vnode.Vnode, error) {
	vp, err := p.lookupLocked(l, kern.AT_FDCWD, vnode.FOLLOW, path)
	if err != nil {
		return nil, err
	}
	if err := searchable(l, vp); err != nil {
		vp.Put(l)
		return nil, err
	}
	_ = vnode.VOP_UNLOCK(l, vp)
	return vp, nil
}

func searchable(l *kern.Lwp, vp *vnode.Vnode) error {
	if vp.Type() != vnode.VDIR {
		return kern.ENOTDIR
	}
	return vnode.VOP_ACCESS(l, vp, vnode.VEXEC, l.Cred)
}

// Chdir makes path the working directory.
//
//netbsd:sys/kern/vfs_syscalls.c sys_chdir
func (p *Proc) Chdir(path string) (err error) {
	l, err := p.enter("chdir")
	if err != nil {
		return err
	}
	defer p.leave(l, &err)
	vp, err := p.chdirLookup(l, path)
	if err != nil {
		return err
	}
	p.cwd.Chdir(l, vp)
	return nil
}

// Fchdir makes an open directory the working directory, or what is mounted
// on it. EPERM if it is outside the process's root.
//
//netbsd:sys/kern/vfs_syscalls.c sys_fchdir
func (p *Proc) Fchdir(fd int) (err error) {
	l, err := p.enter("fchdir")
	if err != nil {
		return err
	}
	defer p.leave(l, &err)
	_, vp, err := p.getVnode(l, fd)
	if err != nil {
		return err
	}
	defer p.fd.Putfile(l, fd)
	vp.Ref(l)
	_ = vp.Lock(l, vnode.LK_EXCLUSIVE|vnode.LK_RETRY)
	if err := searchable(l, vp); err != nil {
		vp.Put(l)
		return err
	}
	for mp := vp.Mountedhere(); mp != nil; mp = vp.Mountedhere() {
		err := mp.Busy(l)
		vp.Put(l)
		if err != nil {
			return err
		}
		vp, err = vnode.VFS_ROOT(l, mp)
		mp.Unbusy(l, false)
		if err != nil {
			return err
		}
	}
	_ = vnode.VOP_UNLOCK(l, vp)
	return p.cwd.ChdirUnder(l, vp)
}

// Chroot makes path the root directory of the process; root only (EPERM). A
// working directory outside the new root moves to it.
//
//netbsd:sys/kern/vfs_syscalls.c sys_chroot, change_root
func (p *Proc) Chroot(path string) (err error) {
	l, err := p.enter("chroot")
	if err != nil {
		return err
	}
	defer p.leave(l, &err)
	if err := kern.AuthorizeSystem(l.Cred); err != nil {
		return err
	}
	vp, err := p.chdirLookup(l, path)
	if err != nil {
		return err
	}
	p.cwd.ChangeRoot(l, vp)
	return nil
}

// Fchroot is Chroot to an open directory.
//
//netbsd:sys/kern/vfs_syscalls.c sys_fchroot
func (p *Proc) Fchroot(fd int) (err error) {
	l, err := p.enter("fchroot")
	if err != nil {
		return err
	}
	defer p.leave(l, &err)
	if err := kern.AuthorizeSystem(l.Cred); err != nil {
		return err
	}
	_, vp, err := p.getVnode(l, fd)
	if err != nil {
		return err
	}
	defer p.fd.Putfile(l, fd)
	_ = vp.Lock(l, vnode.LK_EXCLUSIVE|vnode.LK_RETRY)
	err = searchable(l, vp)
	_ = vnode.VOP_UNLOCK(l, vp)
	if err != nil {
		return err
	}
	vp.Ref(l)
	p.cwd.ChangeRoot(l, vp)
	return nil
}

// Getcwd returns the path of the working directory below the process's root.
func (p *Proc) Getcwd() (string, error) { return p.GetcwdN(kern.MAXPATHLEN) }

// GetcwdN is Getcwd for a caller that has room for n bytes, the NUL
// included: ERANGE if it does not fit.
//
//netbsd:sys/kern/vfs_getcwd.c sys___getcwd
func (p *Proc) GetcwdN(n uint64) (path string, err error) {
	l, err := p.enter("getcwd")
	if err != nil {
		return "", err
	}
	defer p.leave(l, &err)
	return namei.Getcwd(l, n)
}

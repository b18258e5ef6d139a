package sim

import (
	"rumpvfs/kern"
	"rumpvfs/namei"
	"rumpvfs/vnode"
)

// newName walks to a name to be made. EEXIST if it is there.
//
// Postconditions: on success nd.Dvp is locked and the caller releases nd.
func (p *Proc) newName(l *kern.Lwp, fdat int, flags uint32, path string) (*namei.Nameidata, error) {
	nd, err := p.nameiat(l, fdat, vnode.CREATE, vnode.LOCKPARENT|flags, path)
	if err != nil {
		return nil, err
	}
	if nd.Vp != nil {
		abort(l, nd, false)
		nd.Release(l)
		return nil, kern.EEXIST
	}
	return nd, nil
}

// made ends a creating call: the new vnode, if err is nil, and the parent
// are let go.
func made(l *kern.Lwp, nd *namei.Nameidata, vp *vnode.Vnode, err error) error {
	if err == nil {
		vp.Rele(l)
	}
	nd.Dvp.Put(l)
	nd.Release(l)
	return err
}

// perm takes the umask off a mode.
func (p *Proc) perm(mode uint32) uint32 { return mode &^ p.cwd.Cmask() }

// Mkdir makes a directory.
//
//netbsd:sys/kern/vfs_syscalls.c sys_mkdir, do_sys_mkdirat
func (p *Proc) Mkdir(path string, mode uint32) error {
	return p.mkdirat("mkdir", kern.AT_FDCWD, path, mode)
}

// Mkdirat is Mkdir with a relative path taken from the directory fdat.
//
//netbsd:sys/kern/vfs_syscalls.c sys_mkdirat
func (p *Proc) Mkdirat(fdat int, path string, mode uint32) error {
	return p.mkdirat("mkdirat", fdat, path, mode)
}

func (p *Proc) mkdirat(name string, fdat int, path string, mode uint32) (err error) {
	l, err := p.enter(name)
	if err != nil {
		return err
	}
	defer p.leave(l, &err)
	nd, err := p.newName(l, fdat, vnode.CREATEDIR, path)
	if err != nil {
		return err
	}
	va := scratchVattr(l)
	va.Type = vnode.VDIR
	va.Mode = p.perm(mode & kern.ACCESSPERMS)
	vp, err := vnode.VOP_MKDIR(l, nd.Dvp, &nd.Cnd, va)
	return made(l, nd, vp, err)
}

// Symlink makes a symbolic link to target. Neither may be longer than
// MAXPATHLEN-1 (ENAMETOOLONG).
//
//netbsd:sys/kern/vfs_syscalls.c sys_symlink, do_sys_symlinkat
func (p *Proc) Symlink(target, path string) (err error) {
	l, err := p.enter("symlink")
	if err != nil {
		return err
	}
	defer p.leave(l, &err)
	if err := copyinPath(target); err != nil {
		return err
	}
	nd, err := p.newName(l, kern.AT_FDCWD, 0, path)
	if err != nil {
		return err
	}
	va := scratchVattr(l)
	va.Type = vnode.VLNK
	va.Mode = p.perm(kern.ACCESSPERMS)
	vp, err := vnode.VOP_SYMLINK(l, nd.Dvp, &nd.Cnd, va, target)
	return made(l, nd, vp, err)
}

// Mkfifo makes a fifo.
//
//netbsd:sys/kern/vfs_syscalls.c sys_mkfifo, do_sys_mkfifoat
func (p *Proc) Mkfifo(path string, mode uint32) (err error) {
	l, err := p.enter("mkfifo")
	if err != nil {
		return err
	}
	defer p.leave(l, &err)
	nd, err := p.newName(l, kern.AT_FDCWD, 0, path)
	if err != nil {
		return err
	}
	va := scratchVattr(l)
	va.Type = vnode.VFIFO
	va.Mode = p.perm(mode & kern.ALLPERMS)
	vp, err := vnode.VOP_MKNOD(l, nd.Dvp, &nd.Cnd, va)
	return made(l, nd, vp, err)
}

// Mknod makes a character or block device, a regular file (S_IFREG) or a
// whiteout (S_IFWHT); root only (EPERM). Other types are EINVAL.
//
//netbsd:sys/kern/vfs_syscalls.c sys___mknod50, do_sys_mknodat
func (p *Proc) Mknod(path string, mode uint32, dev kern.Dev) (err error) {
	l, err := p.enter("mknod")
	if err != nil {
		return err
	}
	defer p.leave(l, &err)
	if err := kern.AuthorizeSystem(l.Cred); err != nil {
		return err
	}
	nd, err := p.newName(l, kern.AT_FDCWD, 0, path)
	if err != nil {
		return err
	}
	va := scratchVattr(l)
	va.Mode = p.perm(mode & kern.ALLPERMS)
	va.Rdev = dev
	switch mode & kern.S_IFMT {
	case kern.S_IFMT:
		va.Type = vnode.VBAD
	case kern.S_IFCHR:
		va.Type = vnode.VCHR
	case kern.S_IFBLK:
		va.Type = vnode.VBLK
	case kern.S_IFREG:
		va.Type = vnode.VREG
		va.Rdev = kern.NODEV
		vp, err := vnode.VOP_CREATE(l, nd.Dvp, &nd.Cnd, va)
		return made(l, nd, vp, err)
	case kern.S_IFWHT:
		return whiteout(l, nd, vnode.CREATE)
	}
	if va.Type == vnode.VNON || va.Rdev == kern.NODEV {
		abort(l, nd, false)
		nd.Release(l)
		return kern.EINVAL
	}
	vp, err := vnode.VOP_MKNOD(l, nd.Dvp, &nd.Cnd, va)
	return made(l, nd, vp, err)
}

// whiteout makes or deletes a whiteout where nd has come to, and lets the
// parent and nd go.
func whiteout(l *kern.Lwp, nd *namei.Nameidata, op int) error {
	err := vnode.VOP_WHITEOUT(l, nd.Dvp, &nd.Cnd, op)
	if err != nil {
		_ = vnode.VOP_ABORTOP(l, nd.Dvp, &nd.Cnd)
	}
	nd.Dvp.Put(l)
	nd.Release(l)
	return err
}

// Undelete removes a whiteout; EEXIST if path is anything else.
//
//netbsd:sys/kern/vfs_syscalls.c sys_undelete
func (p *Proc) Undelete(path string) (err error) {
	l, err := p.enter("undelete")
	if err != nil {
		return err
	}
	defer p.leave(l, &err)
	nd, err := p.nameiat(l, kern.AT_FDCWD, vnode.DELETE, vnode.LOCKPARENT|vnode.DOWHITEOUT, path)
	if err != nil {
		return err
	}
	if nd.Vp != nil || nd.Cnd.Flags&vnode.ISWHITEOUT == 0 {
		abort(l, nd, false)
		nd.Release(l)
		return kern.EEXIST
	}
	return whiteout(l, nd, vnode.DELETE)
}

// Unlink removes a name that is not a directory's (EPERM).
//
//netbsd:sys/kern/vfs_syscalls.c sys_unlink, do_sys_unlinkat
func (p *Proc) Unlink(path string) error {
	return p.unlinkat("unlink", kern.AT_FDCWD, path, 0)
}

// Unlinkat is Unlink, or with AT_REMOVEDIR Rmdir, with a relative path taken
// from the directory fdat.
//
//netbsd:sys/kern/vfs_syscalls.c sys_unlinkat
func (p *Proc) Unlinkat(fdat int, path string, flag int) error {
	return p.unlinkat("unlinkat", fdat, path, flag)
}

// Rmdir removes an empty directory.
//
//netbsd:sys/kern/vfs_syscalls.c sys_rmdir
func (p *Proc) Rmdir(path string) error {
	return p.unlinkat("rmdir", kern.AT_FDCWD, path, kern.AT_REMOVEDIR)
}

func (p *Proc) unlinkat(name string, fdat int, path string, flag int) (err error) {
	l, err := p.enter(name)
	if err != nil {
		return err
	}
	defer p.leave(l, &err)
	nd, err := p.nameiat(l, fdat, vnode.DELETE, vnode.LOCKPARENT|vnode.LOCKLEAF, path)
	if err != nil {
		return err
	}
	defer nd.Release(l)
	rmdir := flag&kern.AT_REMOVEDIR != 0
	if err := removable(nd, rmdir); err != nil {
		abort(l, nd, true)
		return err
	}
	if rmdir {
		return vnode.VOP_RMDIR(l, nd.Dvp, nd.Vp, &nd.Cnd)
	}
	return vnode.VOP_REMOVE(l, nd.Dvp, nd.Vp, &nd.Cnd)
}

// removable checks what the file system is not asked about.
func removable(nd *namei.Nameidata, rmdir bool) error {
	vp := nd.Vp
	isDir := vp.Type() == vnode.VDIR
	switch {
	case vp.Vflag()&vnode.VV_ROOT != 0:
		return kern.EBUSY
	case isDir && vp.Mountedhere() != nil:
		return kern.EBUSY
	case nd.Dvp == vp:
		return kern.EINVAL
	case isDir && !rmdir:
		return kern.EPERM
	case !isDir && rmdir:
		return kern.ENOTDIR
	}
	return nil
}

// Link gives the file that path names, following symlinks, another name.
//
//netbsd:sys/kern/vfs_syscalls.c sys_link, do_sys_linkat
func (p *Proc) Link(path, link string) (err error) {
	l, err := p.enter("link")
	if err != nil {
		return err
	}
	defer p.leave(l, &err)
	vp, err := p.lookup(l, kern.AT_FDCWD, vnode.FOLLOW, path)
	if err != nil {
		return err
	}
	defer vp.Rele(l)
	nd, err := p.newName(l, kern.AT_FDCWD, 0, link)
	if err != nil {
		return err
	}
	defer nd.Release(l)
	switch {
	case vp.Type() == vnode.VDIR:
		err = kern.EPERM
	case nd.Dvp.Mount() != vp.Mount():
		err = kern.EXDEV
	default:
		return vnode.VOP_LINK(l, nd.Dvp, vp, &nd.Cnd)
	}
	abort(l, nd, false)
	return err
}

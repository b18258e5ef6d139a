package sim

import (
	"strings"

	"rumpvfs/kern"
	"rumpvfs/namei"
	"rumpvfs/vfs"
	"rumpvfs/vnode"
)

// dostatvfs gets the statistics of mp: with ST_NOWAIT the remembered ones.
// To a process with a root of its own the file system is mounted where that
// process sees it; if it does not see it, it is on "/" if asRoot, else EPERM.
//
//netbsd:sys/kern/vfs_syscalls.c dostatvfs
func (p *Proc) dostatvfs(l *kern.Lwp, mp *vnode.Mount, flags int, asRoot bool) (sb kern.Statvfs, err error) {
	rdir := p.rootDir(l)
	if rdir != nil {
		defer rdir.Rele(l)
	}
	if flags != kern.MNT_WAIT && flags != 0 {
		sb = mp.Latest()
	} else {
		if err := vnode.VFS_STATVFS(l, mp, &sb); err != nil {
			return sb, err
		}
		if rdir == nil {
			mp.Remember(sb)
		}
	}
	if rdir != nil {
		root, err := namei.PathOf(l, rdir)
		if err != nil {
			return sb, err
		}
		if sb.Mntonname, err = seenFrom(root, sb.Mntonname, asRoot); err != nil {
			return sb, err
		}
	}
	sb.Flag = uint64(mp.Flag() & kern.MNT_VISFLAGMASK)
	return sb, nil
}

// rootDir returns the process's own root directory with a reference, or nil
// if it has none.
func (p *Proc) rootDir(l *kern.Lwp) *vnode.Vnode {
	cdir, rdir := p.cwd.Dirs(l)
	if cdir != nil {
		cdir.Rele(l)
	}
	return rdir
}

// seenFrom is how the path on looks from the directory root: what is not
// below it is "/" if asRoot, and EPERM otherwise.
func seenFrom(root, on string, asRoot bool) (string, error) {
	if root == "/" {
		return on, nil
	}
	rest, below := strings.CutPrefix(on, root)
	switch {
	case below && rest == "":
		return "/", nil
	case below && rest[0] == '/':
		return rest, nil
	case asRoot:
		return "/", nil
	}
	return "", kern.EPERM
}

// Statvfs1 gets statistics of the file system that path is on. flags is
// ST_WAIT or ST_NOWAIT.
//
//netbsd:sys/kern/vfs_syscalls.c sys_statvfs1, do_sys_pstatvfs
func (p *Proc) Statvfs1(path string, flags int) (sb kern.Statvfs, err error) {
	l, err := p.enter("statvfs1")
	if err != nil {
		return sb, err
	}
	defer p.leave(l, &err)
	vp, err := p.lookup(l, kern.AT_FDCWD, vnode.FOLLOW, path)
	if err != nil {
		return sb, err
	}
	defer vp.Rele(l)
	return p.dostatvfs(l, vp.Mount(), flags, true)
}

// Fstatvfs1 gets statistics of the file system of an open file.
//
//netbsd:sys/kern/vfs_syscalls.c sys_fstatvfs1
func (p *Proc) Fstatvfs1(fd, flags int) (sb kern.Statvfs, err error) {
	l, err := p.enter("fstatvfs1")
	if err != nil {
		return sb, err
	}
	defer p.leave(l, &err)
	_, vp, err := p.getVnode(l, fd)
	if err != nil {
		return sb, err
	}
	defer p.fd.Putfile(l, fd)
	return p.dostatvfs(l, vp.Mount(), flags, true)
}

// Getvfsstat gets statistics of all file systems that the process can see,
// in the order they were mounted.
//
//netbsd:sys/kern/vfs_syscalls.c sys_getvfsstat, do_sys_getvfsstat
func (p *Proc) Getvfsstat(flags int) (list []kern.Statvfs, err error) {
	l, err := p.enter("getvfsstat")
	if err != nil {
		return nil, err
	}
	defer p.leave(l, &err)
	root := false
	for mp := range p.k.V.BusyMounts(l) {
		sb, err := p.dostatvfs(l, mp, flags, false)
		if err == nil {
			list = append(list, sb)
			root = root || sb.Mntonname == "/"
		}
	}
	rdir := p.rootDir(l)
	if rdir == nil {
		return list, nil
	}
	defer rdir.Rele(l)
	if !root {
		sb, err := p.dostatvfs(l, rdir.Mount(), flags, true)
		if err != nil {
			return nil, err
		}
		list = append(list, sb)
	}
	return list, nil
}

// Sync asks every file system that may be written to write out what it has.
//
//netbsd:sys/kern/vfs_syscalls.c sys_sync
func (p *Proc) Sync() (err error) {
	l, err := p.enter("sync")
	if err != nil {
		return err
	}
	defer p.leave(l, &err)
	vfs.SyncAll(l, p.k.V)
	return nil
}

// Getfh returns a handle by which the file can be found again; root only
// (EPERM). EOPNOTSUPP where the file system has none.
//
//netbsd:sys/kern/vfs_syscalls.c sys___getfh30
func (p *Proc) Getfh(path string) (fh []byte, err error) {
	l, err := p.enter("getfh")
	if err != nil {
		return nil, err
	}
	defer p.leave(l, &err)
	if err := kern.AuthorizeSystem(l.Cred); err != nil {
		return nil, err
	}
	vp, err := p.lookupLocked(l, kern.AT_FDCWD, vnode.FOLLOW, path)
	if err != nil {
		return nil, err
	}
	defer vp.Put(l)
	return vnode.VFS_VPTOFH(l, vp)
}

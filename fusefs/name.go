//go:build linux

package fusefs

import (
	"strings"

	"rumpvfs/kern"
	"rumpvfs/namei"
	"rumpvfs/vfs"
	"rumpvfs/vnode"

	"github.com/hanwen/go-fuse/v2/fuse"
)

// walk looks for a name in the directory with the number dir. What is mounted
// there is gone into; a symbolic link is not followed. The Nameidata is the
// caller's until Release.
func (s *server) walk(l *kern.Lwp, dir uint64, op, flags uint32, name string) (*namei.Nameidata, error) {
	dvp, err := s.nodes.get(dir)
	if err != nil {
		return nil, err
	}
	if strings.ContainsAny(name, "/\x00") {
		return nil, kern.EINVAL
	}
	if name, err = namei.Copyin(name); err != nil {
		return nil, err
	}
	nd := namei.Acquire(l)
	nd.Init(l, op, flags, name)
	nd.At(dvp)
	if err := nd.Namei(l); err != nil {
		nd.Release(l)
		return nil, err
	}
	return nd, nil
}

// tell tells the host of vp.
//
// Preconditions: vp is referenced and not locked.
// Postconditions: the reference is gone or passed on.
func (s *server) tell(l *kern.Lwp, vp *vnode.Vnode, out *fuse.EntryOut) error {
	_ = vp.Lock(l, vnode.LK_SHARED|vnode.LK_RETRY)
	err := s.stat(l, vp, &out.Attr)
	_ = vnode.VOP_UNLOCK(l, vp)
	if err != nil {
		vp.Rele(l)
		return err
	}
	out.NodeId, out.Generation = s.nodes.tell(l, vp), generation
	out.SetEntryTimeout(s.cache)
	// The host checks permissions by these attributes before it goes on, and
	// would ask for them again if they did not hold for a moment: the least
	// that it knows is a tick of its clock.
	out.SetAttrTimeout(max(s.cache, 1))
	return nil
}

// Lookup finds a name. Of one that is not there the host may be told too, if
// it may keep anything.
func (s *server) Lookup(_ <-chan struct{}, in *fuse.InHeader, name string, out *fuse.EntryOut) fuse.Status {
	return s.do("lookup", in, func(l *kern.Lwp) error {
		vp, err := s.find(l, in.NodeId, name)
		if err == kern.ENOENT && s.cache > 0 {
			out.SetEntryTimeout(s.cache) // number 0: there is no such name
			return nil
		}
		if err != nil {
			return err
		}
		return s.tell(l, vp, out)
	})
}

// find returns the vnode of a name, referenced. Nothing is above the root.
func (s *server) find(l *kern.Lwp, dir uint64, name string) (*vnode.Vnode, error) {
	if dir == fuse.FUSE_ROOT_ID && name == ".." {
		name = "."
	}
	nd, err := s.walk(l, dir, vnode.LOOKUP, vnode.NOFOLLOW, name)
	if err != nil {
		return nil, err
	}
	vp := nd.Vp
	nd.Release(l)
	return vp, nil
}

// maker is one of the operations that make a name.
type maker func(l *kern.Lwp, dvp *vnode.Vnode, cnp *vnode.Componentname, va *vnode.Vattr) (*vnode.Vnode, error)

// newName walks to a name to be made: EEXIST if it is there.
//
// Postconditions: on success nd.Dvp is referenced and locked.
func (s *server) newName(l *kern.Lwp, dir uint64, flags uint32, name string) (*namei.Nameidata, error) {
	nd, err := s.walk(l, dir, vnode.CREATE, vnode.LOCKPARENT|flags, name)
	if err != nil {
		return nil, err
	}
	if nd.Vp != nil {
		_ = vnode.VOP_ABORTOP(l, nd.Dvp, &nd.Cnd)
		if nd.Dvp == nd.Vp {
			nd.Dvp.Rele(l)
		} else {
			nd.Dvp.Put(l)
		}
		nd.Vp.Rele(l)
		nd.Release(l)
		return nil, kern.EEXIST
	}
	return nd, nil
}

// makeName makes a file of type t with make, and tells the host of it.
func (s *server) makeName(l *kern.Lwp, dir uint64, name string, t vnode.Vtype, mode uint32, rdev kern.Dev, make maker, out *fuse.EntryOut) error {
	flags := uint32(0)
	if t == vnode.VDIR {
		flags = vnode.CREATEDIR
	}
	nd, err := s.newName(l, dir, flags, name)
	if err != nil {
		return err
	}
	defer nd.Release(l)
	var va vnode.Vattr
	va.Null()
	va.Type, va.Mode, va.Rdev = t, mode, rdev
	vp, err := make(l, nd.Dvp, &nd.Cnd, &va)
	nd.Dvp.Put(l)
	if err != nil {
		return err
	}
	return s.tell(l, vp, out)
}

// Mknod makes a file that is no directory or symbolic link. The host has
// taken the umask off; devices are for the superuser.
//
//netbsd:sys/kern/vfs_syscalls.c do_sys_mknodat, do_sys_mkfifoat
//netbsd:sys/kern/uipc_usrreq.c unp_bind
func (s *server) Mknod(_ <-chan struct{}, in *fuse.MknodIn, name string, out *fuse.EntryOut) fuse.Status {
	return s.do("mknod", &in.InHeader, func(l *kern.Lwp) error {
		t, make, rdev := vnode.IFTOVT(in.Mode), maker(vnode.VOP_MKNOD), kern.NODEV
		switch t {
		case vnode.VREG, vnode.VSOCK:
			make = vnode.VOP_CREATE
		case vnode.VFIFO:
		case vnode.VCHR, vnode.VBLK:
			if err := kern.AuthorizeSystem(l.Cred); err != nil {
				return err
			}
			rdev = kern.Dev(in.Rdev)
		default:
			return kern.EINVAL
		}
		return s.makeName(l, in.NodeId, name, t, in.Mode&kern.ALLPERMS, rdev, make, out)
	})
}

// Mkdir makes a directory.
//
//netbsd:sys/kern/vfs_syscalls.c do_sys_mkdirat
func (s *server) Mkdir(_ <-chan struct{}, in *fuse.MkdirIn, name string, out *fuse.EntryOut) fuse.Status {
	return s.do("mkdir", &in.InHeader, func(l *kern.Lwp) error {
		return s.makeName(l, in.NodeId, name, vnode.VDIR, in.Mode&kern.ACCESSPERMS, kern.NODEV, vnode.VOP_MKDIR, out)
	})
}

// Symlink makes a symbolic link to target.
//
//netbsd:sys/kern/vfs_syscalls.c do_sys_symlinkat
func (s *server) Symlink(_ <-chan struct{}, in *fuse.InHeader, target, name string, out *fuse.EntryOut) fuse.Status {
	return s.do("symlink", in, func(l *kern.Lwp) error {
		target, err := namei.Copyin(target)
		if err != nil {
			return err
		}
		make := func(l *kern.Lwp, dvp *vnode.Vnode, cnp *vnode.Componentname, va *vnode.Vattr) (*vnode.Vnode, error) {
			return vnode.VOP_SYMLINK(l, dvp, cnp, va, target)
		}
		return s.makeName(l, in.NodeId, name, vnode.VLNK, kern.ACCESSPERMS, kern.NODEV, make, out)
	})
}

// Readlink tells where a symbolic link leads to.
//
//netbsd:sys/kern/vfs_syscalls.c do_sys_readlinkat
func (s *server) Readlink(_ <-chan struct{}, in *fuse.InHeader) (target []byte, status fuse.Status) {
	status = s.do("readlink", in, func(l *kern.Lwp) error {
		vp, err := s.nodes.get(in.NodeId)
		if err != nil {
			return err
		}
		if vp.Type() != vnode.VLNK {
			return kern.EINVAL
		}
		_ = vp.Lock(l, vnode.LK_EXCLUSIVE|vnode.LK_RETRY)
		defer vnode.VOP_UNLOCK(l, vp)
		var uio kern.Uio
		var iov [1][]byte
		b := make([]byte, kern.MAXPATHLEN)
		uio.InitUio(&iov, b, 0, kern.UIO_READ)
		err = vnode.VOP_READLINK(l, vp, &uio, l.Cred)
		target = b[:len(b)-int(uio.Resid)]
		return err
	})
	return target, status
}

// Link gives a file another name.
//
//netbsd:sys/kern/vfs_syscalls.c do_sys_linkat
func (s *server) Link(_ <-chan struct{}, in *fuse.LinkIn, name string, out *fuse.EntryOut) fuse.Status {
	return s.do("link", &in.InHeader, func(l *kern.Lwp) error {
		vp, err := s.nodes.get(in.Oldnodeid)
		if err != nil {
			return err
		}
		if vp.Type() == vnode.VDIR {
			return kern.EPERM
		}
		nd, err := s.newName(l, in.NodeId, 0, name)
		if err != nil {
			return err
		}
		defer nd.Release(l)
		if nd.Dvp.Mount() != vp.Mount() {
			_ = vnode.VOP_ABORTOP(l, nd.Dvp, &nd.Cnd)
			nd.Dvp.Put(l)
			return kern.EXDEV
		}
		if err := vnode.VOP_LINK(l, nd.Dvp, vp, &nd.Cnd); err != nil {
			return err
		}
		vp.Ref(l)
		return s.tell(l, vp, out)
	})
}

// Unlink takes a name away that is not a directory's.
func (s *server) Unlink(_ <-chan struct{}, in *fuse.InHeader, name string) fuse.Status {
	return s.do("unlink", in, func(l *kern.Lwp) error { return s.remove(l, in.NodeId, name, vnode.VOP_REMOVE, false) })
}

// Rmdir takes an empty directory away.
func (s *server) Rmdir(_ <-chan struct{}, in *fuse.InHeader, name string) fuse.Status {
	return s.do("rmdir", in, func(l *kern.Lwp) error { return s.remove(l, in.NodeId, name, vnode.VOP_RMDIR, true) })
}

//netbsd:sys/kern/vfs_syscalls.c do_sys_unlinkat
func (s *server) remove(l *kern.Lwp, dir uint64, name string, op func(*kern.Lwp, *vnode.Vnode, *vnode.Vnode, *vnode.Componentname) error, rmdir bool) error {
	nd, err := s.walk(l, dir, vnode.DELETE, vnode.LOCKPARENT|vnode.LOCKLEAF, name)
	if err != nil {
		return err
	}
	defer nd.Release(l)
	vp := nd.Vp
	switch {
	case vp.Vflag()&vnode.VV_ROOT != 0, vp.Mountedhere() != nil:
		err = kern.EBUSY
	case nd.Dvp == vp:
		err = kern.EINVAL
	case vp.Type() == vnode.VDIR && !rmdir:
		err = kern.EPERM
	case vp.Type() != vnode.VDIR && rmdir:
		err = kern.ENOTDIR
	default:
		return op(l, nd.Dvp, vp, &nd.Cnd)
	}
	_ = vnode.VOP_ABORTOP(l, nd.Dvp, &nd.Cnd)
	if nd.Dvp == vp {
		nd.Dvp.Rele(l)
	} else {
		nd.Dvp.Put(l)
	}
	vp.Put(l)
	return err
}

// Rename moves a name. EINVAL for flags: the kernel of 2014 knows neither
// RENAME_NOREPLACE nor RENAME_EXCHANGE.
func (s *server) Rename(_ <-chan struct{}, in *fuse.RenameIn, from, to string) fuse.Status {
	return s.do("rename", &in.InHeader, func(l *kern.Lwp) error {
		if in.Flags != 0 {
			return kern.EINVAL
		}
		fnd, err := s.renameWalk(l, in.NodeId, vnode.DELETE, 0, from)
		if err != nil {
			return err
		}
		defer fnd.Release(l)
		flags := uint32(vnode.NOCACHE)
		if fnd.Vp.Type() == vnode.VDIR {
			flags |= vnode.CREATEDIR
		}
		tnd, err := s.renameWalk(l, in.Newdir, vnode.RENAME, flags, to)
		if err != nil {
			vfs.RenameAbort(l, fnd)
			return err
		}
		defer tnd.Release(l)
		return vfs.Rename(l, fnd, tnd)
	})
}

// renameWalk walks to one of the two names of a rename.
//
// Postconditions: directory and vnode are referenced, neither is locked.
func (s *server) renameWalk(l *kern.Lwp, dir uint64, op, flags uint32, name string) (*namei.Nameidata, error) {
	if name == "." || name == ".." {
		return nil, kern.EINVAL
	}
	nd, err := s.walk(l, dir, op, vnode.LOCKPARENT|vnode.INRENAME|flags, name)
	if err != nil {
		return nil, err
	}
	if nd.Dvp != nd.Vp {
		_ = vnode.VOP_UNLOCK(l, nd.Dvp)
	}
	return nd, nil
}

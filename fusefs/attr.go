//go:build linux

package fusefs

import (
	"rumpvfs/kern"
	"rumpvfs/vfs"
	"rumpvfs/vnode"

	"github.com/hanwen/go-fuse/v2/fuse"
)

// stat fills out with the attributes of vp.
//
// Preconditions: vp is locked.
func (s *server) stat(l *kern.Lwp, vp *vnode.Vnode, out *fuse.Attr) error {
	var sb kern.Stat
	if err := vfs.Stat(l, vp, &sb); err != nil {
		return err
	}
	*out = fuse.Attr{
		Ino:  s.ino(vp.Mount(), sb.Ino),
		Mode: sb.Mode, Nlink: sb.Nlink, Owner: fuse.Owner{Uid: sb.UID, Gid: sb.GID},
		Size: uint64(sb.Size), Blocks: uint64(sb.Blocks), Blksize: uint32(sb.Blksize),
		Atime: uint64(sb.Atim.Sec), Atimensec: uint32(sb.Atim.Nsec),
		Mtime: uint64(sb.Mtim.Sec), Mtimensec: uint32(sb.Mtim.Nsec),
		Ctime: uint64(sb.Ctim.Sec), Ctimensec: uint32(sb.Ctim.Nsec),
	}
	if sb.Rdev != kern.NODEV {
		out.Rdev = uint32(sb.Rdev) // both kernels pack device numbers alike
	}
	return nil
}

// ino is the number that the host shows for file number ino of mp. To the host
// all that is mounted below the served directory is one file system, where
// two files do not have one number.
func (s *server) ino(mp *vnode.Mount, ino uint64) uint64 { return ino ^ (mp.Gen()-s.rootgen)<<48 }

// GetAttr tells the attributes of a file.
func (s *server) GetAttr(_ <-chan struct{}, in *fuse.GetAttrIn, out *fuse.AttrOut) fuse.Status {
	return s.do("getattr", &in.InHeader, func(l *kern.Lwp) error {
		vp, err := s.nodes.get(in.NodeId)
		if err != nil {
			return err
		}
		_ = vp.Lock(l, vnode.LK_SHARED|vnode.LK_RETRY)
		defer vnode.VOP_UNLOCK(l, vp)
		out.SetTimeout(s.cache)
		return s.stat(l, vp, &out.Attr)
	})
}

// SetAttr changes attributes as chmod, chown, utimensat, truncate and
// ftruncate do, whichever of them the host has been asked for.
func (s *server) SetAttr(_ <-chan struct{}, in *fuse.SetAttrIn, out *fuse.AttrOut) fuse.Status {
	return s.do("setattr", &in.InHeader, func(l *kern.Lwp) error {
		vp, err := s.nodes.get(in.NodeId)
		if err != nil {
			return err
		}
		_ = vp.Lock(l, vnode.LK_EXCLUSIVE|vnode.LK_RETRY)
		defer vnode.VOP_UNLOCK(l, vp)
		if err := s.change(l, vp, in); err != nil {
			return err
		}
		out.SetTimeout(s.cache)
		return s.stat(l, vp, &out.Attr)
	})
}

// change makes the changes that in asks for, one after the other until there
// is an error.
//
// Preconditions: vp is locked exclusively.
func (s *server) change(l *kern.Lwp, vp *vnode.Vnode, in *fuse.SetAttrIn) error {
	if size, ok := in.GetSize(); ok {
		if err := s.truncate(l, vp, in, int64(size)); err != nil {
			return err
		}
	}
	if in.Valid&(fuse.FATTR_UID|fuse.FATTR_GID) != 0 {
		uid, _ := in.GetUID()
		gid, _ := in.GetGID()
		if err := vfs.ChangeOwner(l, vp, uid, gid, true); err != nil {
			return err
		}
	}
	if mode, ok := in.GetMode(); ok {
		if err := setMode(l, vp, mode, l.Cred); err != nil {
			return err
		}
	}
	if in.Valid&(fuse.FATTR_ATIME|fuse.FATTR_MTIME) != 0 {
		return changeTimes(l, vp, &in.SetAttrInCommon)
	}
	return nil
}

func setMode(l *kern.Lwp, vp *vnode.Vnode, mode uint32, cred *kern.Cred) error {
	var va vnode.Vattr
	va.Null()
	va.Mode = mode
	return vnode.VOP_SETATTR(l, vp, &va, cred)
}

// truncate sets the size of a file: through a handle as who opened it for
// writing may, else as who may write to it.
//
//netbsd:sys/kern/vfs_syscalls.c sys_truncate, sys_ftruncate
func (s *server) truncate(l *kern.Lwp, vp *vnode.Vnode, in *fuse.SetAttrIn, size int64) error {
	cred := l.Cred
	if fh, ok := in.GetFh(); ok {
		h, err := s.handles.get(fh)
		if err != nil {
			return err
		}
		if h.flags&kern.FWRITE == 0 {
			return kern.EINVAL
		}
		cred = h.cred
	}
	if vp.Type() == vnode.VDIR {
		return kern.EISDIR
	}
	if err := vfs.Writechk(vp); err != nil {
		return err
	}
	if in.Valid&fuse.FATTR_FH == 0 {
		if err := vnode.VOP_ACCESS(l, vp, vnode.VWRITE, cred); err != nil {
			return err
		}
	}
	var va vnode.Vattr
	va.Null()
	va.Size = uint64(size)
	if err := vnode.VOP_SETATTR(l, vp, &va, cred); err != nil {
		return err
	}
	if in.Valid&fuse.FATTR_KILL_SUIDGID != 0 {
		return killPriv(l, vp)
	}
	return nil
}

// killPriv takes the set-id bits off a file that somebody without privileges
// has written to, because the host says so: it is its rule, which tmpfs of
// 2014 does not have.
//
// Preconditions: vp is locked exclusively.
func killPriv(l *kern.Lwp, vp *vnode.Vnode) error {
	var va vnode.Vattr
	if err := vnode.VOP_GETATTR(l, vp, &va, l.Cred); err != nil {
		return err
	}
	mode := va.Mode &^ kern.S_ISUID
	if mode&kern.S_IXGRP != 0 {
		mode &^= kern.S_ISGID
	}
	if mode == va.Mode {
		return nil
	}
	return setMode(l, vp, mode, kern.RootCred())
}

// changeTimes sets the times that in names.
func changeTimes(l *kern.Lwp, vp *vnode.Vnode, in *fuse.SetAttrInCommon) error {
	t := l.K.Sys.Now()
	now := kern.Timespec{Sec: t.Unix(), Nsec: int64(t.Nanosecond())}
	ts := [2]kern.Timespec{{Nsec: kern.UTIME_OMIT}, {Nsec: kern.UTIME_OMIT}}
	if in.Valid&fuse.FATTR_ATIME != 0 {
		ts[0] = kern.Timespec{Sec: int64(in.Atime), Nsec: int64(in.Atimensec)}
	}
	if in.Valid&fuse.FATTR_MTIME != 0 {
		ts[1] = kern.Timespec{Sec: int64(in.Mtime), Nsec: int64(in.Mtimensec)}
	}
	if in.Valid&fuse.FATTR_ATIME_NOW != 0 {
		ts[0] = now
	}
	if in.Valid&fuse.FATTR_MTIME_NOW != 0 {
		ts[1] = now
	}
	const bothNow = fuse.FATTR_ATIME_NOW | fuse.FATTR_MTIME_NOW
	return vfs.ChangeTimes(l, vp, ts, in.Valid&bothNow == bothNow)
}

// Access says whether who asks may use a file in the ways of a mask: for
// access(2) and before chdir(2).
func (s *server) Access(_ <-chan struct{}, in *fuse.AccessIn) fuse.Status {
	return s.do("access", &in.InHeader, func(l *kern.Lwp) error {
		vp, err := s.nodes.get(in.NodeId)
		if err != nil {
			return err
		}
		_ = vp.Lock(l, vnode.LK_EXCLUSIVE|vnode.LK_RETRY)
		defer vnode.VOP_UNLOCK(l, vp)
		// The bits of R_OK, W_OK and X_OK are those of VREAD, VWRITE, VEXEC.
		mode := int(in.Mask) & (vnode.VREAD | vnode.VWRITE | vnode.VEXEC)
		if err := vnode.VOP_ACCESS(l, vp, mode, l.Cred); err != nil {
			return err
		}
		if mode&vnode.VWRITE != 0 {
			return vfs.Writechk(vp)
		}
		return nil
	})
}

package vfs

import (
	"rumpvfs/hypercall"
	"rumpvfs/kern"
	"rumpvfs/namei"
	"rumpvfs/vnode"
)

// Open looks nd's path up and opens what it finds, or creates it when fmode
// says O_CREAT. fmode has the flags of open files, cmode the permissions of
// a new file with the umask taken off.
//
// Errors: those of the walk; EINVAL for O_CREAT with O_DIRECTORY; EEXIST for
// O_EXCL; EFTYPE for a symlink not to be followed; EOPNOTSUPP for a socket;
// those of the file system.
//
// Postconditions: the vnode is returned referenced and locked exclusively,
// and counted as written to if opened so.
//
//netbsd:sys/kern/vfs_vnops.c vn_open
func Open(l *kern.Lwp, nd *namei.Nameidata, fmode int32, cmode uint32) (*vnode.Vnode, error) {
	const createDir = kern.O_CREAT | kern.O_DIRECTORY
	if fmode&createDir == createDir {
		return nil, kern.EINVAL
	}
	openFlags(nd, fmode)
	if err := nd.Namei(l); err != nil {
		return nil, err
	}
	if fmode&kern.O_CREAT != 0 {
		created, err := openCreate(l, nd, fmode, cmode)
		if err != nil {
			return nil, err
		}
		if created {
			fmode &^= kern.O_TRUNC
		} else {
			fmode &^= kern.O_CREAT
		}
	}
	vp := nd.Vp
	if err := OpenVnode(l, vp, fmode); err != nil {
		vp.Put(l)
		return nil, err
	}
	return vp, nil
}

// openFlags tells namei what an open with fmode wants.
func openFlags(nd *namei.Nameidata, fmode int32) {
	cn := &nd.Cnd
	cn.Flags &= vnode.TRYEMULROOT | vnode.NOCHROOT
	if fmode&kern.O_CREAT == 0 {
		cn.Nameiop = vnode.LOOKUP
		cn.Flags |= vnode.LOCKLEAF
		if fmode&kern.O_NOFOLLOW == 0 {
			cn.Flags |= vnode.FOLLOW
		}
		return
	}
	cn.Nameiop = vnode.CREATE
	cn.Flags |= vnode.LOCKPARENT | vnode.LOCKLEAF
	if fmode&(kern.O_EXCL|kern.O_NOFOLLOW) == 0 {
		cn.Flags |= vnode.FOLLOW
	}
}

// openCreate makes the file if the walk found none, and lets the parent go.
//
// Preconditions: nd.Dvp is locked, nd.Vp too if there is one.
// Postconditions: on success nd.Vp is locked; on an error nothing is held.
func openCreate(l *kern.Lwp, nd *namei.Nameidata, fmode int32, cmode uint32) (created bool, err error) {
	if nd.Vp != nil {
		vnode.VOP_ABORTOP(l, nd.Dvp, &nd.Cnd)
		putParent(l, nd.Dvp, nd.Vp)
		nd.Dvp = nil
		if fmode&kern.O_EXCL != 0 {
			nd.Vp.Put(l)
			return false, kern.EEXIST
		}
		return false, nil
	}
	va := &scratchOf(l).va
	va.Null()
	va.Type = vnode.VREG
	va.Mode = cmode
	if fmode&kern.O_EXCL != 0 {
		va.Vaflags |= vnode.VA_EXCLUSIVE
	}
	nd.Vp, err = vnode.VOP_CREATE(l, nd.Dvp, &nd.Cnd, va)
	nd.Dvp.Put(l)
	nd.Dvp = nil
	if err != nil {
		return false, err
	}
	_ = nd.Vp.Lock(l, vnode.LK_EXCLUSIVE|vnode.LK_RETRY)
	return true, nil
}

// putParent lets go of a locked parent, which is its own child for "." and
// then keeps its lock for the child's sake.
func putParent(l *kern.Lwp, dvp, vp *vnode.Vnode) {
	if dvp == vp {
		dvp.Rele(l)
	} else {
		dvp.Put(l)
	}
}

// OpenVnode does what an open with the flags fmode does to the vnode it has
// found, or with O_CREAT made: checks that it may, truncates, and counts.
//
// Preconditions: vp is referenced and locked exclusively.
// Postconditions: it still is. After a success [Close] is due.
func OpenVnode(l *kern.Lwp, vp *vnode.Vnode, fmode int32) error {
	switch vp.Type() {
	case vnode.VSOCK:
		return kern.EOPNOTSUPP
	case vnode.VLNK:
		return kern.EFTYPE
	}
	if fmode&kern.O_CREAT == 0 {
		if err := openchk(l, vp, l.Cred, fmode); err != nil {
			return err
		}
	}
	if fmode&kern.O_TRUNC != 0 {
		va := &scratchOf(l).va
		va.Null()
		va.Size = 0
		if err := vnode.VOP_SETATTR(l, vp, va, l.Cred); err != nil {
			return err
		}
	}
	if err := vnode.VOP_OPEN(l, vp, int(fmode), l.Cred); err != nil {
		return err
	}
	if fmode&kern.FWRITE != 0 {
		vp.AddWritecount(l, 1)
	}
	return nil
}

// Writechk reports ETXTBSY for a vnode that a process executes.
//
//netbsd:sys/kern/vfs_vnops.c vn_writechk
func Writechk(vp *vnode.Vnode) error {
	if vp.Iflag()&vnode.VI_TEXT != 0 {
		return kern.ETXTBSY
	}
	return nil
}

// openchk checks that an existing vnode may be opened with fflags.
//
//netbsd:sys/kern/vfs_vnops.c vn_openchk
func openchk(l *kern.Lwp, vp *vnode.Vnode, cred *kern.Cred, fflags int32) error {
	if fflags&kern.O_DIRECTORY != 0 && vp.Type() != vnode.VDIR {
		return kern.ENOTDIR
	}
	perm := 0
	if fflags&kern.FREAD != 0 {
		perm = vnode.VREAD
	}
	if fflags&(kern.FWRITE|kern.O_TRUNC) != 0 {
		perm |= vnode.VWRITE
		if vp.Type() == vnode.VDIR {
			return kern.EISDIR
		}
		if err := Writechk(vp); err != nil {
			return err
		}
	}
	return vnode.VOP_ACCESS(l, vp, perm, cred)
}

// Close closes a vnode opened with flags.
//
// Preconditions: vp is referenced and unlocked.
// Postconditions: the reference is gone.
//
//netbsd:sys/kern/vfs_vnops.c vn_close
func Close(l *kern.Lwp, vp *vnode.Vnode, flags int32, cred *kern.Cred) error {
	if flags&kern.FWRITE != 0 {
		vp.AddWritecount(l, -1)
	}
	_ = vp.Lock(l, vnode.LK_EXCLUSIVE|vnode.LK_RETRY)
	err := vnode.VOP_CLOSE(l, vp, int(flags), cred)
	vp.Put(l)
	return err
}

// Size returns the file's size in bytes, as its attributes have it.
//
// Preconditions: vp is referenced and not locked.
func Size(l *kern.Lwp, vp *vnode.Vnode) (int64, error) {
	va := &scratchOf(l).va
	_ = vp.Lock(l, vnode.LK_SHARED|vnode.LK_RETRY)
	err := vnode.VOP_GETATTR(l, vp, va, l.Cred)
	_ = vnode.VOP_UNLOCK(l, vp)
	return int64(va.Size), err
}

// Stat fills sb from vp's attributes; EBADF for a vnode without a type, which
// is what a dead one has.
//
// Preconditions: vp is locked.
//
//netbsd:sys/kern/vfs_vnops.c vn_stat
func Stat(l *kern.Lwp, vp *vnode.Vnode, sb *kern.Stat) error {
	va := &scratchOf(l).va
	*va = vnode.Vattr{}
	if err := vnode.VOP_GETATTR(l, vp, va, l.Cred); err != nil {
		return err
	}
	t := vp.Type()
	if t == vnode.VNON || t == vnode.VBAD {
		return kern.EBADF
	}
	*sb = kern.Stat{
		Dev:       va.Fsid,
		Ino:       va.Fileid,
		Mode:      vnode.MAKEIMODE(t, va.Mode),
		Nlink:     va.Nlink,
		UID:       va.UID,
		GID:       va.GID,
		Rdev:      va.Rdev,
		Size:      int64(va.Size),
		Atim:      va.Atime,
		Mtim:      va.Mtime,
		Ctim:      va.Ctime,
		Birthtim:  va.Birthtime,
		Blksize:   int32(va.Blocksize),
		FileFlags: uint32(va.Flags),
		Blocks:    int64(va.Bytes / kern.S_BLKSIZE),
	}
	return nil
}

// Readdir reads directory entries into buf from the file's offset on, and
// returns how many bytes it has filled; no more than MAXBSIZE. EINVAL if the
// file is no directory. At the end of the upper directory of a union mount it
// goes on in the lower one, which from then on is the file's vnode.
//
// Preconditions: the caller has a reference to fp.
//
//netbsd:sys/kern/vfs_vnops.c vn_readdir
func Readdir(l *kern.Lwp, fp *File, buf []byte) (done int, err error) {
	if len(buf) > kern.MAXBSIZE {
		buf = buf[:kern.MAXBSIZE]
	}
	for {
		vp := fp.Vnode()
		if vp.Type() != vnode.VDIR {
			return 0, kern.EINVAL
		}
		s := scratchOf(l)
		_ = vp.Lock(l, vnode.LK_SHARED|vnode.LK_RETRY)
		fp.Touch(l, hypercall.Write)
		s.uio.InitUio(&s.iov, buf, fp.Offset(), kern.UIO_READ)
		_, err = vnode.VOP_READDIR(l, vp, &s.uio, fp.Cred, nil)
		fp.Touch(l, hypercall.Write)
		fp.SetOffset(s.uio.Offset)
		done = len(buf) - int(s.uio.Resid)
		var lower *vnode.Vnode
		if err == nil && done == 0 {
			lower = belowUnion(l, vp)
		}
		_ = vnode.VOP_UNLOCK(l, vp)
		if err != nil {
			return 0, err
		}
		if lower == nil {
			return done, nil
		}
		fp.goLower(l, vp, lower)
	}
}

// belowUnion returns what the root of a union mount covers, referenced; nil
// if upper is no such root or covers nothing.
//
// Preconditions: upper is locked, which keeps it from being unmounted.
func belowUnion(l *kern.Lwp, upper *vnode.Vnode) *vnode.Vnode {
	if upper.Vflag()&vnode.VV_ROOT == 0 || upper.Mount().Flag()&kern.MNT_UNION == 0 {
		return nil
	}
	lower := upper.Mount().Covered
	if lower != nil {
		lower.Ref(l)
	} else if l.K.Quirks.Has(kern.QuirkCoveredByRoot) {
		kern.QuirkCoveredByRoot.Undefined()
	}
	return lower
}

// goLower makes lower, the directory that upper covers, the file's vnode. If
// two lwps come to the end of upper at once, one of them does it.
//
// Postconditions: the reference to lower is gone or the file's.
func (fp *File) goLower(l *kern.Lwp, upper, lower *vnode.Vnode) {
	if !fp.vp.CompareAndSwap(upper, lower) {
		lower.Rele(l)
		return
	}
	fp.SetOffset(0)
	upper.Rele(l)
}

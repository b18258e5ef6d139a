package sim

import (
	"math"

	"rumpvfs/hypercall"
	"rumpvfs/kern"
	"rumpvfs/vfs"
	"rumpvfs/vnode"
)

// Read reads from the descriptor's offset on and moves it.
//
//netbsd:sys/kern/sys_generic.c sys_read, dofileread
func (p *Proc) Read(fd int, b []byte) (n int, err error) { return p.ReadN(fd, b, uint64(len(b))) }

// ReadN is Read as C has it: a length apart from the memory. More than
// 2^63-1 is EINVAL; if more arrives than b holds, EFAULT.
func (p *Proc) ReadN(fd int, b []byte, nbyte uint64) (n int, err error) {
	return p.transfer("read", kern.UIO_READ, fd, b, nbyte, 0, vfs.FOF_UPDATE_OFFSET)
}

// Pread reads at offset off and leaves the descriptor's alone.
//
//netbsd:sys/kern/vfs_syscalls.c sys_pread
func (p *Proc) Pread(fd int, b []byte, off int64) (n int, err error) {
	return p.PreadN(fd, b, uint64(len(b)), off)
}

// PreadN is Pread with a length apart from the memory, see [Proc.ReadN].
func (p *Proc) PreadN(fd int, b []byte, nbyte uint64, off int64) (n int, err error) {
	return p.transfer("pread", kern.UIO_READ, fd, b, nbyte, off, 0)
}

// Write writes at the descriptor's offset, or at the end of a file opened
// with O_APPEND, and moves it.
//
//netbsd:sys/kern/sys_generic.c sys_write, dofilewrite
func (p *Proc) Write(fd int, b []byte) (n int, err error) {
	return p.transfer("write", kern.UIO_WRITE, fd, b, uint64(len(b)), 0, vfs.FOF_UPDATE_OFFSET)
}

// Pwrite writes at offset off and leaves the descriptor's alone.
//
//netbsd:sys/kern/vfs_syscalls.c sys_pwrite
func (p *Proc) Pwrite(fd int, b []byte, off int64) (n int, err error) {
	return p.transfer("pwrite", kern.UIO_WRITE, fd, b, uint64(len(b)), off, 0)
}

// transfer is what reading and writing have in common. Without
// FOF_UPDATE_OFFSET it is a positional one, which a file must allow.
func (p *Proc) transfer(name string, rw kern.UioRW, fd int, b []byte, nbyte uint64, off int64, flags int) (n int, err error) {
	l, err := p.enter(name)
	if err != nil {
		return 0, err
	}
	defer p.leave(l, &err)
	fp := p.fd.Get(l, fd)
	if fp == nil {
		return 0, kern.EBADF
	}
	defer p.fd.Putfile(l, fd)
	need := int32(kern.FREAD)
	if rw == kern.UIO_WRITE {
		need = kern.FWRITE
	}
	if fp.Flag()&need == 0 {
		return 0, kern.EBADF
	}
	if flags&vfs.FOF_UPDATE_OFFSET == 0 {
		if err := positional(l, fp, off); err != nil {
			return 0, err
		}
	}
	if nbyte > math.MaxInt64 {
		return 0, kern.EINVAL
	}
	uio := scratchUio(l, b, off, rw)
	uio.Resid = int64(nbyte)
	if rw == kern.UIO_READ {
		err = fp.Ops.Read(l, fp, uio, flags)
	} else {
		err = fp.Ops.Write(l, fp, uio, flags)
	}
	n = int(int64(nbyte) - uio.Resid)
	uio.Iov = nil // the caller's memory is its own again
	if err == kern.ERESTART || err == kern.EINTR || err == kern.EWOULDBLOCK {
		if n > 0 {
			err = nil
		}
	}
	if err != nil {
		return 0, err
	}
	return n, nil
}

// positional checks that fp can be read and written at off: ESPIPE unless it
// is a vnode and no fifo.
func positional(l *kern.Lwp, fp *vfs.File, off int64) error {
	if fp.Type != vfs.DTYPE_VNODE || fp.Vnode().Type() == vnode.VFIFO {
		return kern.ESPIPE
	}
	return vnode.VOP_SEEK(l, fp.Vnode(), fp.Offset(), off, fp.Cred)
}

// Lseek moves the descriptor's offset and returns the new one. EINVAL for a
// whence it does not know and for a negative result, ESPIPE for a fifo.
//
//netbsd:sys/kern/vfs_syscalls.c sys_lseek
func (p *Proc) Lseek(fd int, off int64, whence int) (newoff int64, err error) {
	l, err := p.enter("lseek")
	if err != nil {
		return 0, err
	}
	defer p.leave(l, &err)
	fp := p.fd.Get(l, fd)
	if fp == nil {
		return 0, kern.EBADF
	}
	defer p.fd.Putfile(l, fd)
	if fp.Type != vfs.DTYPE_VNODE || fp.Vnode().Type() == vnode.VFIFO {
		return 0, kern.ESPIPE
	}
	vp := fp.Vnode()
	fp.Touch(l, hypercall.Write)
	switch whence {
	case kern.SEEK_SET:
		newoff = off
	case kern.SEEK_CUR:
		newoff = fp.Offset() + off
	case kern.SEEK_END:
		size, err := vfs.Size(l, vp)
		if err != nil {
			return 0, err
		}
		newoff = off + size
	default:
		return 0, kern.EINVAL
	}
	if err := vnode.VOP_SEEK(l, vp, fp.Offset(), newoff, l.Cred); err != nil {
		return 0, err
	}
	fp.Touch(l, hypercall.Write)
	fp.SetOffset(newoff)
	return newoff, nil
}

// Getdents reads directory entries into b, see [kern.Dirent], and returns
// how many bytes it has filled.
//
//netbsd:sys/kern/vfs_syscalls.c sys___getdents30
func (p *Proc) Getdents(fd int, b []byte) (n int, err error) {
	l, err := p.enter("getdents")
	if err != nil {
		return 0, err
	}
	defer p.leave(l, &err)
	fp, err := p.fd.GetVnode(l, fd)
	if err != nil {
		return 0, err
	}
	defer p.fd.Putfile(l, fd)
	if fp.Flag()&kern.FREAD == 0 {
		return 0, kern.EBADF
	}
	return vfs.Readdir(l, fp, b)
}

// onVnode runs f on the locked vnode of a descriptor. flag, if not 0, is
// what the descriptor must be open for; otherwise the call is not.
func (p *Proc) onVnode(name string, fd int, flag int32, not error, f func(*kern.Lwp, *vfs.File, *vnode.Vnode) error) (err error) {
	l, err := p.enter(name)
	if err != nil {
		return err
	}
	defer p.leave(l, &err)
	fp, vp, err := p.getVnode(l, fd)
	if err != nil {
		return err
	}
	defer p.fd.Putfile(l, fd)
	if flag != 0 && fp.Flag()&flag == 0 {
		return not
	}
	_ = vp.Lock(l, vnode.LK_EXCLUSIVE|vnode.LK_RETRY)
	err = f(l, fp, vp)
	_ = vnode.VOP_UNLOCK(l, vp)
	return err
}

// Ftruncate sets the size of an open file: EINVAL if it is not open for
// writing, EISDIR for a directory.
//
//netbsd:sys/kern/vfs_syscalls.c sys_ftruncate
func (p *Proc) Ftruncate(fd int, size int64) error {
	return p.onVnode("ftruncate", fd, kern.FWRITE, kern.EINVAL, func(l *kern.Lwp, fp *vfs.File, vp *vnode.Vnode) error {
		if vp.Type() == vnode.VDIR {
			return kern.EISDIR
		}
		if err := vfs.Writechk(vp); err != nil {
			return err
		}
		return setSize(l, vp, size, fp.Cred)
	})
}

// Truncate sets the size of the file that path names.
//
//netbsd:sys/kern/vfs_syscalls.c sys_truncate
func (p *Proc) Truncate(path string, size int64) (err error) {
	l, err := p.enter("truncate")
	if err != nil {
		return err
	}
	defer p.leave(l, &err)
	vp, err := p.lookup(l, kern.AT_FDCWD, vnode.FOLLOW, path)
	if err != nil {
		return err
	}
	_ = vp.Lock(l, vnode.LK_EXCLUSIVE|vnode.LK_RETRY)
	defer vp.Put(l)
	if vp.Type() == vnode.VDIR {
		return kern.EISDIR
	}
	if err := vfs.Writechk(vp); err != nil {
		return err
	}
	if err := vnode.VOP_ACCESS(l, vp, vnode.VWRITE, l.Cred); err != nil {
		return err
	}
	return setSize(l, vp, size, l.Cred)
}

func setSize(l *kern.Lwp, vp *vnode.Vnode, size int64, cred *kern.Cred) error {
	if size < 0 && !l.K.Quirks.Has(kern.QuirkTruncateMinusOne) {
		return kern.EINVAL
	}
	va := scratchVattr(l)
	va.Size = uint64(size)
	return vnode.VOP_SETATTR(l, vp, va, cred)
}

// Fsync writes the file's data and attributes out.
//
//netbsd:sys/kern/vfs_syscalls.c sys_fsync
func (p *Proc) Fsync(fd int) error {
	return p.fsync("fsync", fd, 0, nil, vnode.FSYNC_WAIT, 0, 0)
}

// Fdatasync writes the file's data out; EBADF if it is not open for writing.
//
//netbsd:sys/kern/vfs_syscalls.c sys_fdatasync
func (p *Proc) Fdatasync(fd int) error {
	return p.fsync("fdatasync", fd, kern.FWRITE, kern.EBADF, vnode.FSYNC_WAIT|vnode.FSYNC_DATAONLY, 0, 0)
}

func (p *Proc) fsync(name string, fd int, flag int32, not error, how int, lo, hi int64) error {
	return p.onVnode(name, fd, flag, not, func(l *kern.Lwp, fp *vfs.File, vp *vnode.Vnode) error {
		return vnode.VOP_FSYNC(l, vp, fp.Cred, how, lo, hi)
	})
}

// FsyncRange writes part of the file out: FDATASYNC or FFILESYNC, FDISKSYNC
// besides, and n 0 for the whole file. EBADF if it is not open for writing,
// EINVAL for both or neither and for a range that ends before it begins.
//
//netbsd:sys/kern/vfs_syscalls.c sys_fsync_range
func (p *Proc) FsyncRange(fd int, flags int, start, n int64) error {
	how := vnode.FSYNC_WAIT
	var bad error
	switch flags & (kern.FDATASYNC | kern.FFILESYNC) {
	case kern.FDATASYNC:
		how |= vnode.FSYNC_DATAONLY
	case kern.FFILESYNC:
	default:
		bad = kern.EINVAL
	}
	if flags&kern.FDISKSYNC != 0 {
		how |= vnode.FSYNC_CACHE
	}
	var lo, hi int64
	if n != 0 {
		lo, hi = start, start+n
		if hi < lo {
			bad = kern.EINVAL
		}
	}
	return p.onVnode("fsync_range", fd, kern.FWRITE, kern.EBADF, func(l *kern.Lwp, fp *vfs.File, vp *vnode.Vnode) error {
		if bad != nil {
			return bad
		}
		return vnode.VOP_FSYNC(l, vp, fp.Cred, how, lo, hi)
	})
}

package sim

import (
	"math"

	"rumpvfs/hypercall"
	"rumpvfs/kern"
	"rumpvfs/namei"
	"rumpvfs/uvm"
	"rumpvfs/vfs"
	"rumpvfs/vnode"
)

// Open opens path and returns the lowest free descriptor. mode is for a file
// that O_CREAT makes.
//
//netbsd:sys/kern/vfs_syscalls.c sys_open, do_sys_openat
func (p *Proc) Open(path string, flags int, mode uint32) (fd int, err error) {
	return p.openat("open", kern.AT_FDCWD, path, flags, mode)
}

// Openat is Open with a relative path taken from the directory fdat.
//
//netbsd:sys/kern/vfs_syscalls.c sys_openat
func (p *Proc) Openat(fdat int, path string, flags int, mode uint32) (fd int, err error) {
	return p.openat("openat", fdat, path, flags, mode)
}

func (p *Proc) openat(name string, fdat int, path string, flags int, mode uint32) (fd int, err error) {
	l, err := p.enter(name)
	if err != nil {
		return -1, err
	}
	defer p.leave(l, &err)
	if err := copyinPath(path); err != nil {
		return -1, err
	}
	var dvp *vnode.Vnode
	if fdat != kern.AT_FDCWD {
		if _, dvp, err = p.getVnode(l, fdat); err != nil {
			return -1, err
		}
		defer p.fd.Putfile(l, fdat)
	}
	return p.doOpen(l, dvp, path, int32(flags), mode)
}

//netbsd:sys/kern/vfs_syscalls.c do_open
func (p *Proc) doOpen(l *kern.Lwp, dvp *vnode.Vnode, path string, oflags int32, mode uint32) (int, error) {
	fflags := kern.FFLAGS(oflags &^ kern.O_SEARCH)
	if fflags&(kern.FREAD|kern.FWRITE) == 0 {
		return -1, kern.EINVAL
	}
	fp, fd, err := p.fd.AllocFile(l)
	if err != nil {
		return -1, err
	}
	cmode := mode &^ p.cwd.Cmask() & kern.ALLPERMS &^ kern.S_ISTXT
	vp, err := p.openVnode(l, dvp, path, fflags, cmode)
	if err == nil {
		err = p.openSetfp(l, fp, vp, fd, fflags)
	}
	if err != nil {
		p.fd.Abort(l, fp, fd)
		if err == kern.ERESTART {
			err = kern.EINTR
		}
		return -1, err
	}
	_ = vnode.VOP_UNLOCK(l, vp)
	p.fd.Affix(l, fp, fd)
	return fd, nil
}

func (p *Proc) openVnode(l *kern.Lwp, dvp *vnode.Vnode, path string, fflags int32, cmode uint32) (*vnode.Vnode, error) {
	nd := namei.Acquire(l)
	defer nd.Release(l)
	nd.Init(l, vnode.LOOKUP, vnode.FOLLOW|vnode.TRYEMULROOT, path)
	if dvp != nil {
		nd.At(dvp)
	}
	return vfs.Open(l, nd, fflags, cmode)
}

// openSetfp makes fp the open file of vp, and takes the flock that O_SHLOCK
// or O_EXLOCK asks for.
//
// Preconditions: vp is locked.
// Postconditions: it still is, but on an error is closed and let go.
//
//netbsd:sys/kern/vfs_syscalls.c open_setfp
func (p *Proc) openSetfp(l *kern.Lwp, fp *vfs.File, vp *vnode.Vnode, fd int, fflags int32) error {
	fp.Attach(vfs.DTYPE_VNODE, vfs.VnodeOps{}, vp, fflags&kern.FMASK)
	if fflags&(kern.O_EXLOCK|kern.O_SHLOCK) != 0 {
		fl := kern.Flock{Type: kern.F_RDLCK, Whence: kern.SEEK_SET}
		if fflags&kern.O_EXLOCK != 0 {
			fl.Type = kern.F_WRLCK
		}
		how := kern.F_FLOCK
		if fflags&kern.FNONBLOCK == 0 {
			how |= kern.F_WAIT
		}
		_ = vnode.VOP_UNLOCK(l, vp)
		if err := vnode.VOP_ADVLOCK(l, vp, fp, kern.F_SETLK, &fl, how); err != nil {
			_ = vfs.Close(l, vp, fp.Flag(), fp.Cred)
			return err
		}
		_ = vp.Lock(l, vnode.LK_EXCLUSIVE|vnode.LK_RETRY)
		fp.SetFlag(kern.FHASLOCK)
	}
	if fflags&kern.O_CLOEXEC != 0 {
		p.fd.SetExclose(l, fd, true)
	}
	return nil
}

// Close closes a descriptor.
//
//netbsd:sys/kern/sys_descrip.c sys_close
func (p *Proc) Close(fd int) (err error) {
	l, err := p.enter("close")
	if err != nil {
		return err
	}
	defer p.leave(l, &err)
	if p.fd.Get(l, fd) == nil {
		return kern.EBADF
	}
	if err = p.fd.Close(l, fd); err == kern.ERESTART {
		err = kern.EINTR
	}
	return err
}

// Dup makes the lowest free descriptor one for the same open file.
//
//netbsd:sys/kern/sys_descrip.c sys_dup
func (p *Proc) Dup(fd int) (newfd int, err error) {
	return p.dupfd("dup", fd, 0, false)
}

func (p *Proc) dupfd(name string, fd, min int, exclose bool) (newfd int, err error) {
	l, err := p.enter(name)
	if err != nil {
		return -1, err
	}
	defer p.leave(l, &err)
	fp := p.fd.Get(l, fd)
	if fp == nil {
		return -1, kern.EBADF
	}
	defer p.fd.Putfile(l, fd)
	if uint32(min) >= uint32(p.fd.Limit()) {
		return -1, kern.EINVAL
	}
	return p.fd.Dup(l, fp, min, exclose)
}

// Dup2 makes to, closed first if open, a descriptor for the open file of
// from. EBADF if from is not open or to is beyond the table's limit.
//
//netbsd:sys/kern/sys_descrip.c sys_dup2, dodup
func (p *Proc) Dup2(from, to int) (newfd int, err error) {
	l, err := p.enter("dup2")
	if err != nil {
		return -1, err
	}
	defer p.leave(l, &err)
	fp := p.fd.Get(l, from)
	if fp == nil {
		return -1, kern.EBADF
	}
	fp.Ref()
	p.fd.Putfile(l, from)
	switch {
	case uint(to) >= uint(p.fd.Limit()):
		err = kern.EBADF
	case from != to:
		err = p.fd.Dup2(l, fp, to, 0)
	}
	_ = fp.Closef(l)
	if err != nil {
		return -1, err
	}
	return to, nil
}

// Fcntl does what fcntl(2) does for the commands whose argument is a number.
// EINVAL for a command it does not know; EFAULT for those that [Proc.FcntlLock]
// is for, since a number is no pointer.
//
//netbsd:sys/kern/sys_descrip.c sys_fcntl
func (p *Proc) Fcntl(fd, cmd int, arg int64) (ret int, err error) {
	switch cmd {
	case kern.F_DUPFD:
		return p.dupfd("fcntl", fd, int(int32(arg)), false)
	case kern.F_DUPFD_CLOEXEC:
		return p.dupfd("fcntl", fd, int(int32(arg)), true)
	}
	l, err := p.enter("fcntl")
	if err != nil {
		return -1, err
	}
	defer p.leave(l, &err)
	switch cmd {
	case kern.F_CLOSEM:
		return 0, p.closem(l, fd)
	case kern.F_MAXFD:
		return p.fd.Lastfile(l), nil
	case kern.F_GETLK, kern.F_SETLK, kern.F_SETLKW:
		return -1, kern.EFAULT
	}
	fp := p.fd.Get(l, fd)
	if fp == nil {
		return -1, kern.EBADF
	}
	defer p.fd.Putfile(l, fd)
	fp.Touch(l, hypercall.Read)
	if int32(cmd) < 0 {
		return 0, fcntlForfs(l, fp, uint32(cmd), arg)
	}
	return p.fcntlFile(l, fp, fd, cmd, arg)
}

// closem closes fd and every higher descriptor. Unlike the reference it does
// not go round and round while another lwp has a higher one half open.
func (p *Proc) closem(l *kern.Lwp, fd int) error {
	if fd < 0 {
		return kern.EBADF
	}
	for i := p.fd.Lastfile(l); i >= fd; i-- {
		if p.fd.Get(l, i) != nil {
			_ = p.fd.Close(l, i)
		}
	}
	return nil
}

// fcntlForfs passes a command to the file system, its argument as it is.
//
//netbsd:sys/kern/sys_descrip.c fcntl_forfs
func fcntlForfs(l *kern.Lwp, fp *vfs.File, cmd uint32, arg int64) error {
	if fp.Flag()&(kern.FREAD|kern.FWRITE) == 0 {
		return kern.EBADF
	}
	return fp.Ops.Fcntl(l, fp, cmd, arg)
}

func (p *Proc) fcntlFile(l *kern.Lwp, fp *vfs.File, fd, cmd int, arg int64) (int, error) {
	switch cmd {
	case kern.F_GETFD:
		if p.fd.Exclose(l, fd) {
			return kern.FD_CLOEXEC, nil
		}
		return 0, nil
	case kern.F_SETFD:
		p.fd.SetExclose(l, fd, arg&kern.FD_CLOEXEC != 0)
		return 0, nil
	case kern.F_GETNOSIGPIPE:
		if fp.Flag()&kern.FNOSIGPIPE != 0 {
			return 1, nil
		}
		return 0, nil
	case kern.F_SETNOSIGPIPE:
		if arg != 0 {
			fp.SetFlag(kern.FNOSIGPIPE)
		} else {
			fp.ClearFlag(kern.FNOSIGPIPE)
		}
		return 0, nil
	case kern.F_GETFL:
		return int(kern.OFLAGS(fp.Flag())), nil
	case kern.F_SETFL:
		return 0, setfl(l, fp, int32(arg))
	case kern.F_GETOWN:
		var owner int32
		err := fp.Ops.Ioctl(l, fp, kern.FIOGETOWN, &owner)
		return int(owner), err
	case kern.F_SETOWN:
		owner := int32(arg)
		return 0, fp.Ops.Ioctl(l, fp, kern.FIOSETOWN, &owner)
	}
	return -1, kern.EINVAL
}

// setfl changes the file status flags, if the file system and the driver let
// it. Not atomic, as in the reference.
func setfl(l *kern.Lwp, fp *vfs.File, oflags int32) error {
	old := fp.Flag()
	want := kern.FFLAGS(oflags) & kern.FCNTLFLAGS
	if err := fp.Ops.Fcntl(l, fp, kern.F_SETFL, want); err != nil {
		return err
	}
	tell := func(flag int32, com uint64, flags int32) error {
		if (want^old)&flag == 0 {
			return nil
		}
		on := flags & flag
		return fp.Ops.Ioctl(l, fp, com, &on)
	}
	err := tell(kern.FNONBLOCK, kern.FIONBIO, want)
	if err == nil {
		if err = tell(kern.FASYNC, kern.FIOASYNC, want); err != nil {
			_ = tell(kern.FNONBLOCK, kern.FIONBIO, old)
		}
	}
	if err != nil {
		_ = fp.Ops.Fcntl(l, fp, kern.F_SETFL, old)
		return err
	}
	fp.Touch(l, hypercall.Write)
	fp.ClearFlag(kern.FCNTLFLAGS)
	fp.SetFlag(want)
	return nil
}

// FcntlLock does F_GETLK, F_SETLK and F_SETLKW. The locks belong to the
// process; F_GETLK makes *fl the conflicting lock or F_UNLCK, the others leave
// it alone.
//
// Errors: EBADF also for a descriptor not open for what the lock says;
// EAGAIN for a conflict that F_SETLK meets; EDEADLK; EINVAL for a range or
// type that makes no sense.
//
//netbsd:sys/kern/sys_descrip.c do_fcntl_lock
func (p *Proc) FcntlLock(fd, cmd int, fl *kern.Flock) (err error) {
	l, err := p.enter("fcntl")
	if err != nil {
		return err
	}
	defer p.leave(l, &err)
	fp := p.fd.Get(l, fd)
	if fp == nil {
		return kern.EBADF
	}
	defer p.fd.Putfile(l, fd)
	if fp.Type != vfs.DTYPE_VNODE {
		return kern.EINVAL
	}
	in := *fl
	if in.Whence == kern.SEEK_CUR {
		fp.Touch(l, hypercall.Read)
		in.Start += fp.Offset()
	}
	switch cmd {
	case kern.F_GETLK:
		if in.Type != kern.F_RDLCK && in.Type != kern.F_WRLCK && in.Type != kern.F_UNLCK {
			return kern.EINVAL
		}
		err = vnode.VOP_ADVLOCK(l, fp.Vnode(), p.proc, kern.F_GETLK, &in, kern.F_POSIX)
		if err == nil {
			*fl = in
		}
		return err
	case kern.F_SETLK:
		return p.setlk(l, fp, &in, kern.F_POSIX)
	case kern.F_SETLKW:
		return p.setlk(l, fp, &in, kern.F_POSIX|kern.F_WAIT)
	}
	return kern.EINVAL
}

func (p *Proc) setlk(l *kern.Lwp, fp *vfs.File, fl *kern.Flock, how int) error {
	need := int32(0)
	switch fl.Type {
	case kern.F_RDLCK:
		need = kern.FREAD
	case kern.F_WRLCK:
		need = kern.FWRITE
	case kern.F_UNLCK:
		return vnode.VOP_ADVLOCK(l, fp.Vnode(), p.proc, kern.F_UNLCK, fl, kern.F_POSIX)
	default:
		return kern.EINVAL
	}
	if fp.Flag()&need == 0 {
		return kern.EBADF
	}
	p.proc.AdvLocked.Store(true)
	return vnode.VOP_ADVLOCK(l, fp.Vnode(), p.proc, kern.F_SETLK, fl, how)
}

// Flock takes or gives back a lock on the whole file that belongs to the
// open file: LOCK_SH, LOCK_EX or LOCK_UN, with LOCK_NB EAGAIN in place of
// waiting.
//
//netbsd:sys/kern/sys_descrip.c sys_flock
func (p *Proc) Flock(fd, how int) (err error) {
	l, err := p.enter("flock")
	if err != nil {
		return err
	}
	defer p.leave(l, &err)
	fp := p.fd.Get(l, fd)
	if fp == nil {
		return kern.EBADF
	}
	defer p.fd.Putfile(l, fd)
	if fp.Type != vfs.DTYPE_VNODE {
		return kern.EOPNOTSUPP
	}
	fl := kern.Flock{Whence: kern.SEEK_SET}
	switch how &^ kern.LOCK_NB {
	case kern.LOCK_UN:
		fl.Type = kern.F_UNLCK
		fp.ClearFlag(kern.FHASLOCK)
		return vnode.VOP_ADVLOCK(l, fp.Vnode(), fp, kern.F_UNLCK, &fl, kern.F_FLOCK)
	case kern.LOCK_EX:
		fl.Type = kern.F_WRLCK
	case kern.LOCK_SH:
		fl.Type = kern.F_RDLCK
	default:
		return kern.EINVAL
	}
	fp.SetFlag(kern.FHASLOCK)
	flags := kern.F_FLOCK
	if how&kern.LOCK_NB == 0 {
		flags |= kern.F_WAIT
	}
	return vnode.VOP_ADVLOCK(l, fp.Vnode(), fp, kern.F_SETLK, &fl, flags)
}

// PosixFadvise declares how a part of a file will be used. As in POSIX it
// returns the error where other calls return a result.
//
//netbsd:sys/kern/sys_descrip.c do_posix_fadvise
func (p *Proc) PosixFadvise(fd int, off, n int64, advice int) (err error) {
	l, err := p.enter("posix_fadvise")
	if err != nil {
		return err
	}
	defer p.leave(l, &err)
	end := int64(math.MaxInt64)
	switch {
	case n < 0 || n > 0 && (off < 0 || n > math.MaxInt64-off):
		return kern.EINVAL
	case n > 0:
		end = off + n
	}
	fp := p.fd.Get(l, fd)
	if fp == nil {
		return kern.EBADF
	}
	defer p.fd.Putfile(l, fd)
	if fp.Type != vfs.DTYPE_VNODE {
		return kern.EOPNOTSUPP
	}
	switch advice {
	case kern.POSIX_FADV_NORMAL, kern.POSIX_FADV_RANDOM, kern.POSIX_FADV_SEQUENTIAL:
		fp.SetAdvice(uint32(advice))
	case kern.POSIX_FADV_WILLNEED, kern.POSIX_FADV_NOREUSE:
		// A rump kernel does not read ahead.
	case kern.POSIX_FADV_DONTNEED:
		return dontNeed(l, fp.Vnode(), off, end)
	default:
		return kern.EINVAL
	}
	return nil
}

// dontNeed cleans and deactivates the whole pages within [off, end).
func dontNeed(l *kern.Lwp, vp *vnode.Vnode, off, end int64) error {
	if t := vp.Type(); t != vnode.VREG && t != vnode.VBLK {
		return nil
	}
	lo, hi := kern.RoundPage(off), kern.TruncPage(end)
	if lo >= hi || off > lo {
		return nil
	}
	vp.Interlock.Enter(l)
	return vnode.VOP_PUTPAGES(l, vp, lo, hi, uvm.PGO_DEACTIVATE|uvm.PGO_CLEANIT)
}

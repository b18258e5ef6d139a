package sim

import (
	"rumpvfs/kern"
	"rumpvfs/vfs"
	"rumpvfs/vnode"
)

// Stat describes the file that path names, following symlinks.
//
//netbsd:sys/kern/vfs_syscalls.c sys___stat50, do_sys_statat
func (p *Proc) Stat(path string) (kern.Stat, error) {
	return p.statat("stat", kern.AT_FDCWD, path, vnode.FOLLOW)
}

// Lstat is Stat without following a symlink at the end.
//
//netbsd:sys/kern/vfs_syscalls.c sys___lstat50
func (p *Proc) Lstat(path string) (kern.Stat, error) {
	return p.statat("lstat", kern.AT_FDCWD, path, vnode.NOFOLLOW)
}

// Fstatat is Stat, or with AT_SYMLINK_NOFOLLOW Lstat, with a relative path
// taken from the directory fdat.
//
//netbsd:sys/kern/vfs_syscalls.c sys_fstatat
func (p *Proc) Fstatat(fdat int, path string, flag int) (kern.Stat, error) {
	return p.statat("fstatat", fdat, path, followUnless(flag))
}

// followUnless is FOLLOW unless AT_SYMLINK_NOFOLLOW says not to.
func followUnless(flag int) uint32 {
	if flag&kern.AT_SYMLINK_NOFOLLOW != 0 {
		return vnode.NOFOLLOW
	}
	return vnode.FOLLOW
}

func (p *Proc) statat(name string, fdat int, path string, follow uint32) (sb kern.Stat, err error) {
	l, err := p.enter(name)
	if err != nil {
		return sb, err
	}
	defer p.leave(l, &err)
	vp, err := p.lookupLocked(l, fdat, follow, path)
	if err != nil {
		return sb, err
	}
	err = vfs.Stat(l, vp, &sb)
	vp.Put(l)
	return sb, err
}

// Fstat describes an open file.
//
//netbsd:sys/kern/sys_descrip.c sys___fstat50, do_sys_fstat
func (p *Proc) Fstat(fd int) (sb kern.Stat, err error) {
	l, err := p.enter("fstat")
	if err != nil {
		return sb, err
	}
	defer p.leave(l, &err)
	fp := p.fd.Get(l, fd)
	if fp == nil {
		return sb, kern.EBADF
	}
	defer p.fd.Putfile(l, fd)
	s := scratchOf(l)
	err = fp.Ops.Stat(l, fp, &s.stat)
	return s.stat, err
}

// Access checks whether the real user and group may use the file in the
// ways of mode: R_OK, W_OK and X_OK, or F_OK for whether it is there.
// EINVAL for other bits.
//
//netbsd:sys/kern/vfs_syscalls.c sys_access, do_sys_accessat
func (p *Proc) Access(path string, mode int) (err error) {
	l, err := p.enter("access")
	if err != nil {
		return err
	}
	defer p.leave(l, &err)
	if mode&^(kern.R_OK|kern.W_OK|kern.X_OK) != 0 {
		return kern.EINVAL
	}
	cred := l.Cred
	if cred.EUID != cred.UID || cred.EGID != cred.GID {
		cred = cred.Dup()
		cred.EUID, cred.EGID = cred.UID, cred.GID
	}
	nd, err := p.nameiatAs(l, kern.AT_FDCWD, vnode.LOOKUP, vnode.FOLLOW|vnode.LOCKLEAF, path, cred)
	if err != nil {
		return err
	}
	vp := nd.Vp
	nd.Release(l)
	defer vp.Put(l)
	if mode == kern.F_OK {
		return nil
	}
	vmode := 0
	if mode&kern.R_OK != 0 {
		vmode |= vnode.VREAD
	}
	if mode&kern.W_OK != 0 {
		vmode |= vnode.VWRITE
	}
	if mode&kern.X_OK != 0 {
		vmode |= vnode.VEXEC
	}
	if err := vnode.VOP_ACCESS(l, vp, vmode, cred); err != nil {
		return err
	}
	if mode&kern.W_OK != 0 {
		return vfs.Writechk(vp)
	}
	return nil
}

// attrPath runs change on the locked vnode that path names.
func (p *Proc) attrPath(name, path string, follow uint32, change func(*kern.Lwp, *vnode.Vnode) error) (err error) {
	l, err := p.enter(name)
	if err != nil {
		return err
	}
	defer p.leave(l, &err)
	vp, err := p.lookup(l, kern.AT_FDCWD, follow, path)
	if err != nil {
		return err
	}
	_ = vp.Lock(l, vnode.LK_EXCLUSIVE|vnode.LK_RETRY)
	err = change(l, vp)
	vp.Put(l)
	return err
}

// attrFd runs change on the locked vnode of a descriptor.
func (p *Proc) attrFd(name string, fd int, change func(*kern.Lwp, *vnode.Vnode) error) error {
	return p.onVnode(name, fd, 0, nil, func(l *kern.Lwp, _ *vfs.File, vp *vnode.Vnode) error {
		return change(l, vp)
	})
}

//netbsd:sys/kern/vfs_syscalls.c change_mode
func changeMode(mode uint32) func(*kern.Lwp, *vnode.Vnode) error {
	return func(l *kern.Lwp, vp *vnode.Vnode) error {
		va := scratchVattr(l)
		va.Mode = mode & kern.ALLPERMS
		return vnode.VOP_SETATTR(l, vp, va, l.Cred)
	}
}

// Chmod sets the permissions of the file that path names.
//
//netbsd:sys/kern/vfs_syscalls.c sys_chmod, do_sys_chmodat
func (p *Proc) Chmod(path string, mode uint32) error {
	return p.attrPath("chmod", path, vnode.FOLLOW, changeMode(mode))
}

// Lchmod is Chmod without following a symlink at the end.
//
//netbsd:sys/kern/vfs_syscalls.c sys_lchmod
func (p *Proc) Lchmod(path string, mode uint32) error {
	return p.attrPath("lchmod", path, vnode.NOFOLLOW, changeMode(mode))
}

// Fchmod sets the permissions of an open file.
//
//netbsd:sys/kern/vfs_syscalls.c sys_fchmod
func (p *Proc) Fchmod(fd int, mode uint32) error {
	return p.attrFd("fchmod", fd, changeMode(mode))
}

func changeOwner(uid, gid uint32) func(*kern.Lwp, *vnode.Vnode) error {
	return func(l *kern.Lwp, vp *vnode.Vnode) error { return vfs.ChangeOwner(l, vp, uid, gid, false) }
}

// Chown sets owner and group of the file that path names; ^0 leaves either
// as it is.
//
//netbsd:sys/kern/vfs_syscalls.c sys_chown, do_sys_chownat
func (p *Proc) Chown(path string, uid, gid uint32) error {
	return p.attrPath("chown", path, vnode.FOLLOW, changeOwner(uid, gid))
}

// Lchown is Chown without following a symlink at the end.
//
//netbsd:sys/kern/vfs_syscalls.c sys_lchown
func (p *Proc) Lchown(path string, uid, gid uint32) error {
	return p.attrPath("lchown", path, vnode.NOFOLLOW, changeOwner(uid, gid))
}

// Fchown sets owner and group of an open file.
//
//netbsd:sys/kern/vfs_syscalls.c sys_fchown
func (p *Proc) Fchown(fd int, uid, gid uint32) error {
	return p.attrFd("fchown", fd, changeOwner(uid, gid))
}

//netbsd:sys/kern/vfs_syscalls.c change_flags
func changeFlags(flags uint32) func(*kern.Lwp, *vnode.Vnode) error {
	return func(l *kern.Lwp, vp *vnode.Vnode) error {
		va := scratchVattr(l)
		va.Flags = uint64(flags)
		return vnode.VOP_SETATTR(l, vp, va, l.Cred)
	}
}

// Chflags sets the flags (UF_NODUMP and so on) of the file that path names.
//
//netbsd:sys/kern/vfs_syscalls.c sys_chflags
func (p *Proc) Chflags(path string, flags uint32) error {
	return p.attrPath("chflags", path, vnode.FOLLOW, changeFlags(flags))
}

// Lchflags is Chflags without following a symlink at the end.
//
//netbsd:sys/kern/vfs_syscalls.c sys_lchflags
func (p *Proc) Lchflags(path string, flags uint32) error {
	return p.attrPath("lchflags", path, vnode.NOFOLLOW, changeFlags(flags))
}

// Fchflags sets the flags of an open file.
//
//netbsd:sys/kern/vfs_syscalls.c sys_fchflags
func (p *Proc) Fchflags(fd int, flags uint32) error {
	return p.attrFd("fchflags", fd, changeFlags(flags))
}

// Timeval is a time in seconds and microseconds.
type Timeval struct{ Sec, Usec int64 }

// valid reports whether the microseconds make sense.
func (tv Timeval) valid() bool {
	return tv.Usec >= 0 && tv.Usec < 1_000_000
}

// timespec converts as TIMEVAL_TO_TIMESPEC does, without looking whether the
// microseconds make sense.
func (tv Timeval) timespec() kern.Timespec {
	if tv.Usec == kern.UTIME_NOW || tv.Usec == kern.UTIME_OMIT {
		return kern.Timespec{Nsec: tv.Usec}
	}
	return kern.Timespec{Sec: tv.Sec, Nsec: tv.Usec * 1000}
}

// changeTimes sets access and modification time, or with nil both to now.
//
//netbsd:sys/kern/vfs_syscalls.c do_sys_utimes
func changeTimes(tv *[2]Timeval) func(*kern.Lwp, *vnode.Vnode) error {
	return func(l *kern.Lwp, vp *vnode.Vnode) error {
		if tv != nil && !l.K.Quirks.Has(kern.QuirkUtimesUnchecked) && !(tv[0].valid() && tv[1].valid()) {
			return kern.EINVAL
		}
		ts, null := timesOf(l, tv)
		return vfs.ChangeTimes(l, vp, ts, null)
	}
}

// timesOf resolves UTIME_NOW; null says that both times are now, which
// more people may set.
func timesOf(l *kern.Lwp, tv *[2]Timeval) (ts [2]kern.Timespec, null bool) {
	now := l.K.Nanotime()
	if tv == nil {
		return [2]kern.Timespec{now, now}, true
	}
	ts = [2]kern.Timespec{tv[0].timespec(), tv[1].timespec()}
	null = ts[0].Nsec == kern.UTIME_NOW && ts[1].Nsec == kern.UTIME_NOW
	for i := range ts {
		if ts[i].Nsec == kern.UTIME_NOW {
			ts[i] = now
		}
	}
	return ts, null
}

// Utimes sets the access and modification time of the file that path names;
// nil is now.
//
//netbsd:sys/kern/vfs_syscalls.c sys___utimes50
func (p *Proc) Utimes(path string, tv *[2]Timeval) error {
	return p.attrPath("utimes", path, vnode.FOLLOW, changeTimes(tv))
}

// Lutimes is Utimes without following a symlink at the end.
//
//netbsd:sys/kern/vfs_syscalls.c sys___lutimes50
func (p *Proc) Lutimes(path string, tv *[2]Timeval) error {
	return p.attrPath("lutimes", path, vnode.NOFOLLOW, changeTimes(tv))
}

// Futimes sets the times of an open file.
//
//netbsd:sys/kern/vfs_syscalls.c sys___futimes50
func (p *Proc) Futimes(fd int, tv *[2]Timeval) error {
	return p.attrFd("futimes", fd, changeTimes(tv))
}

// Readlink reads the target of a symbolic link into b, cutting it off where
// b ends, and returns how many bytes there are. EINVAL for anything else.
//
//netbsd:sys/kern/vfs_syscalls.c sys_readlink, do_sys_readlinkat
func (p *Proc) Readlink(path string, b []byte) (n int, err error) {
	l, err := p.enter("readlink")
	if err != nil {
		return 0, err
	}
	defer p.leave(l, &err)
	vp, err := p.lookupLocked(l, kern.AT_FDCWD, vnode.NOFOLLOW, path)
	if err != nil {
		return 0, err
	}
	defer vp.Put(l)
	if vp.Type() != vnode.VLNK {
		return 0, kern.EINVAL
	}
	if vp.Mount().Flag()&kern.MNT_SYMPERM != 0 {
		if err := vnode.VOP_ACCESS(l, vp, vnode.VREAD, l.Cred); err != nil {
			return 0, err
		}
	}
	uio := scratchUio(l, b, 0, kern.UIO_READ)
	err = vnode.VOP_READLINK(l, vp, uio, l.Cred)
	uio.Iov = nil
	if err != nil {
		return 0, err
	}
	return len(b) - int(uio.Resid), nil
}

// Pathconf tells a limit of the file that path names: PC_NAME_MAX and so on.
//
//netbsd:sys/kern/vfs_syscalls.c sys_pathconf
func (p *Proc) Pathconf(path string, name int) (val int64, err error) {
	l, err := p.enter("pathconf")
	if err != nil {
		return 0, err
	}
	defer p.leave(l, &err)
	vp, err := p.lookupLocked(l, kern.AT_FDCWD, vnode.FOLLOW, path)
	if err != nil {
		return 0, err
	}
	defer vp.Put(l)
	return vnode.VOP_PATHCONF(l, vp, name)
}

// Fpathconf tells a limit of an open file.
//
//netbsd:sys/kern/sys_descrip.c sys_fpathconf
func (p *Proc) Fpathconf(fd, name int) (val int64, err error) {
	l, err := p.enter("fpathconf")
	if err != nil {
		return 0, err
	}
	defer p.leave(l, &err)
	fp := p.fd.Get(l, fd)
	if fp == nil {
		return 0, kern.EBADF
	}
	defer p.fd.Putfile(l, fd)
	if fp.Type != vfs.DTYPE_VNODE {
		return 0, kern.EOPNOTSUPP
	}
	// The reference calls the operation without the lock that it asks for.
	vp := fp.Vnode()
	_ = vp.Lock(l, vnode.LK_SHARED|vnode.LK_RETRY)
	val, err = vnode.VOP_PATHCONF(l, vp, name)
	_ = vnode.VOP_UNLOCK(l, vp)
	return val, err
}

// Revoke takes the file away from everybody who has it open; for its owner
// and root (EPERM).
//
//netbsd:sys/kern/vfs_syscalls.c sys_revoke, dorevoke
func (p *Proc) Revoke(path string) (err error) {
	l, err := p.enter("revoke")
	if err != nil {
		return err
	}
	defer p.leave(l, &err)
	vp, err := p.lookup(l, kern.AT_FDCWD, vnode.FOLLOW, path)
	if err != nil {
		return err
	}
	defer vp.Rele(l)
	var va vnode.Vattr
	_ = vp.Lock(l, vnode.LK_SHARED|vnode.LK_RETRY)
	err = vnode.VOP_GETATTR(l, vp, &va, l.Cred)
	_ = vnode.VOP_UNLOCK(l, vp)
	if err != nil {
		return err
	}
	if l.Cred.EUID != va.UID && !l.Cred.IsRoot() {
		return kern.EPERM
	}
	if vp.Type() == vnode.VDIR && !l.K.Quirks.Has(kern.QuirkRevokeIgnored) {
		return kern.EINVAL
	}
	_ = vnode.VOP_REVOKE(l, vp, vnode.REVOKEALL)
	return nil
}

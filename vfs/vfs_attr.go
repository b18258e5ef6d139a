package vfs

import (
	"rumpvfs/kern"
	"rumpvfs/vnode"
)

// ChangeOwner sets owner and group, each unless it is ^0. By the rules of
// NetBSD that takes away the set-id bit that goes with each; by those of POSIX,
// which the same call has for programs that want them, both bits, unless it is
// the superuser who calls.
//
// Preconditions: vp is locked exclusively.
//
//netbsd:sys/kern/vfs_syscalls.c change_owner
func ChangeOwner(l *kern.Lwp, vp *vnode.Vnode, uid, gid uint32, posix bool) error {
	var va vnode.Vattr
	if err := vnode.VOP_GETATTR(l, vp, &va, l.Cred); err != nil {
		return err
	}
	mode := va.Mode
	if posix && kern.AuthorizeVnode(l.Cred, kern.KAUTH_VNODE_RETAIN_SUID, kern.EPERM) != nil || !posix && uid != vnode.VNOVALID {
		mode &^= kern.S_ISUID
	}
	if posix && kern.AuthorizeVnode(l.Cred, kern.KAUTH_VNODE_RETAIN_SGID, kern.EPERM) != nil || !posix && gid != vnode.VNOVALID {
		mode &^= kern.S_ISGID
	}
	if mode == va.Mode {
		mode = vnode.VNOVALMode
	}
	va.Null()
	va.UID, va.GID, va.Mode = uid, gid, mode
	return vnode.VOP_SETATTR(l, vp, &va, l.Cred)
}

// ChangeTimes sets access and modification time, each unless its nanoseconds
// are UTIME_OMIT. A modification before the file was born moves its birth.
// null says that both are the current time, which more people may set.
//
// Preconditions: vp is locked exclusively.
//
//netbsd:sys/kern/vfs_syscalls.c do_sys_utimensat
func ChangeTimes(l *kern.Lwp, vp *vnode.Vnode, ts [2]kern.Timespec, null bool) error {
	var va vnode.Vattr
	born := vnode.VOP_GETATTR(l, vp, &va, l.Cred) == nil && before(ts[1], va.Birthtime)
	va.Null()
	if ts[0].Nsec != kern.UTIME_OMIT {
		va.Atime = ts[0]
	}
	if ts[1].Nsec != kern.UTIME_OMIT {
		va.Mtime = ts[1]
		if born {
			va.Birthtime = ts[1]
		}
	}
	if null {
		va.Vaflags |= vnode.VA_UTIMES_NULL
	}
	return vnode.VOP_SETATTR(l, vp, &va, l.Cred)
}

func before(a, b kern.Timespec) bool {
	return a.Sec < b.Sec || a.Sec == b.Sec && a.Nsec < b.Nsec
}

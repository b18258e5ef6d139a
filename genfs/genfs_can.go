package genfs

import (
	"slices"
	"strings"

	"rumpvfs/kern"
	"rumpvfs/vnode"
)

// The Can functions are the file system's word on who may do what, for files
// with owner, group and mode. They do not know the superuser: callers pass
// the answer to kern.AuthorizeVnode, which does.

// AccessAction converts the mode of VOP_ACCESS to the action that is
// authorized, for a file of type t and mode fileMode.
//
//netbsd:sys/sys/kauth.h KAUTH_ACCESS_ACTION, FS_OBJECT_CAN_EXEC
//netbsd:sys/kern/kern_auth.c kauth_mode_to_action
func AccessAction(mode int, t vnode.Vtype, fileMode uint32) kern.Action {
	var action kern.Action
	if mode&vnode.VREAD != 0 {
		action |= kern.KAUTH_VNODE_READ_DATA
	}
	if mode&vnode.VWRITE != 0 {
		action |= kern.KAUTH_VNODE_WRITE_DATA
	}
	if mode&vnode.VEXEC != 0 {
		action |= kern.KAUTH_VNODE_EXECUTE
	}
	if t == vnode.VDIR || fileMode&(kern.S_IXUSR|kern.S_IXGRP|kern.S_IXOTH) != 0 {
		action |= kern.KAUTH_VNODE_IS_EXEC
	}
	return action
}

// CanAccess checks want (VREAD, VWRITE, VEXEC) against a file's mode: the
// owner's bits count for the owner, the group's for members of the group, and
// the rest for all others. It answers EACCES if a bit is missing.
//
//netbsd:sys/miscfs/genfs/genfs_vnops.c genfs_can_access
func CanAccess(_ vnode.Vtype, mode, uid, gid uint32, want int, cred *kern.Cred) error {
	bits := uint32(want) & (vnode.VREAD | vnode.VWRITE | vnode.VEXEC)
	switch {
	case cred.EUID == uid:
		bits <<= 6
	case cred.EGID == gid || isMember(cred, gid):
		bits <<= 3
	}
	if mode&bits != bits {
		return kern.EACCES
	}
	return nil
}

// Access is the usual answer to VOP_ACCESS, when nothing but mode, owner and
// group of a file is in the way of want: EACCES, unless the superuser asks.
func Access(t vnode.Vtype, mode, uid, gid uint32, want int, cred *kern.Cred) error {
	return kern.AuthorizeVnode(cred, AccessAction(want, t, mode), CanAccess(t, mode, uid, gid, want, cred))
}

// isMember reports whether gid is a supplementary group. The effective group
// does not count.
//
//netbsd:sys/kern/kern_auth.c kauth_cred_ismember_gid
func isMember(cred *kern.Cred, gid uint32) bool { return slices.Contains(cred.Groups, gid) }

// CanChmod checks a change of mode. Only the owner may make it (EPERM); the
// sticky bit is for directories (EFTYPE), and set-group-id for those who have
// the file's group among their supplementary ones (EPERM).
//
//netbsd:sys/miscfs/genfs/genfs_vnops.c genfs_can_chmod
func CanChmod(t vnode.Vtype, cred *kern.Cred, curUID, curGID, newMode uint32) error {
	switch {
	case cred.EUID != curUID:
		return kern.EPERM
	case t != vnode.VDIR && newMode&kern.S_ISTXT != 0:
		return kern.EFTYPE
	case newMode&kern.S_ISGID != 0 && !isMember(cred, curGID):
		return kern.EPERM
	}
	return nil
}

// CanChown checks a change of owner and group: the owner may give the file
// to a group of its own, nothing else (EPERM).
//
//netbsd:sys/miscfs/genfs/genfs_vnops.c genfs_can_chown
func CanChown(cred *kern.Cred, curUID, curGID, newUID, newGID uint32) error {
	if cred.EUID != curUID || newUID != curUID {
		return kern.EPERM
	}
	if newGID == curGID || cred.EGID == newGID || isMember(cred, newGID) {
		return nil
	}
	return kern.EPERM
}

// CanChtimes checks a change of times: the owner may set any (EPERM
// otherwise), who may write to the file the current time; the error then is
// that of VOP_ACCESS.
//
// Preconditions: vp is locked exclusively.
//
//netbsd:sys/miscfs/genfs/genfs_vnops.c genfs_can_chtimes
func CanChtimes(l *kern.Lwp, vp *vnode.Vnode, vaflags, ownerUID uint32, cred *kern.Cred) error {
	if cred.EUID == ownerUID {
		return nil
	}
	if vaflags&vnode.VA_UTIMES_NULL == 0 {
		return kern.EPERM
	}
	return vnode.VOP_ACCESS(l, vp, vnode.VWRITE, cred)
}

// CanChflags checks a change of file flags: the owner may change those that
// are not the system's, on what is not a device (EPERM).
//
//netbsd:sys/miscfs/genfs/genfs_vnops.c genfs_can_chflags
func CanChflags(cred *kern.Cred, t vnode.Vtype, ownerUID uint32, changingSys bool) error {
	if cred.EUID != ownerUID || changingSys || t == vnode.VCHR || t == vnode.VBLK {
		return kern.EPERM
	}
	return nil
}

// CanSticky checks whether a name may go from a sticky directory: for the
// owner of the directory or the file (EPERM).
//
//netbsd:sys/miscfs/genfs/genfs_vnops.c genfs_can_sticky
func CanSticky(cred *kern.Cred, dirUID, fileUID uint32) error {
	if cred.EUID != dirUID && cred.EUID != fileUID {
		return kern.EPERM
	}
	return nil
}

// CanExtattr checks access to an extended attribute: who may so access the
// file may, but not in the system's name space (EPERM).
//
// Preconditions: vp is locked exclusively.
//
//netbsd:sys/miscfs/genfs/genfs_vnops.c genfs_can_extattr
func CanExtattr(l *kern.Lwp, cred *kern.Cred, mode int, vp *vnode.Vnode, attr string) error {
	const system = "system"
	if len(attr) >= len(system) && strings.EqualFold(attr[:len(system)], system) {
		return kern.EPERM
	}
	return vnode.VOP_ACCESS(l, vp, mode, cred)
}

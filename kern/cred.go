package kern

import "slices"

// Cred is a set of credentials. A Cred is never changed once it is shared:
// who changes identity makes a copy.
type Cred struct {
	UID, EUID, SvUID uint32
	GID, EGID, SvGID uint32
	Groups           []uint32 // supplementary, without EGID
}

// RootCred returns the credentials that process 1 boots with.
func RootCred() *Cred { return &Cred{} }

// Dup returns a copy that the caller may change.
//
//netbsd:sys/kern/kern_auth.c kauth_cred_dup
func (c *Cred) Dup() *Cred {
	n := *c
	n.Groups = slices.Clone(c.Groups)
	return &n
}

// IsMember reports whether gid is the effective or a supplementary group.
//
//netbsd:sys/kern/kern_auth.c kauth_cred_ismember_gid
func (c *Cred) IsMember(gid uint32) bool {
	return c.EGID == gid || slices.Contains(c.Groups, gid)
}

// IsRoot reports whether the superuser model grants c its privileges.
//
//netbsd:sys/secmodel/suser/secmodel_suser.c suser_isroot
func (c *Cred) IsRoot() bool { return c.EUID == 0 }

// Action is what a credential wants to do to a vnode: the kauth(9) actions
// of the vnode scope.
type Action uint32

const (
	KAUTH_VNODE_READ_DATA Action = 1 << iota
	KAUTH_VNODE_WRITE_DATA
	KAUTH_VNODE_EXECUTE
	KAUTH_VNODE_DELETE
	KAUTH_VNODE_WRITE_TIMES
	KAUTH_VNODE_WRITE_FLAGS
	KAUTH_VNODE_READ_SYSFLAGS
	KAUTH_VNODE_WRITE_SYSFLAGS
	KAUTH_VNODE_RENAME
	KAUTH_VNODE_CHANGE_OWNERSHIP
	KAUTH_VNODE_WRITE_SECURITY
	KAUTH_VNODE_ADD_LINK
	KAUTH_VNODE_RETAIN_SUID
	KAUTH_VNODE_RETAIN_SGID
	// KAUTH_VNODE_IS_EXEC says of an EXECUTE that the file has an
	// execute bit at all: without one not even root may execute it.
	KAUTH_VNODE_IS_EXEC
	// KAUTH_VNODE_HAS_SYSFLAGS says that system flags are set already.
	KAUTH_VNODE_HAS_SYSFLAGS
)

// AuthorizeVnode decides action: the superuser may do everything but execute
// what nobody may execute; of others the file system's decision stands.
//
//netbsd:sys/kern/kern_auth.c kauth_authorize_vnode
//netbsd:sys/secmodel/suser/secmodel_suser.c secmodel_suser_vnode_cb
func AuthorizeVnode(c *Cred, action Action, fsDecision error) error {
	if c.IsRoot() && (action&KAUTH_VNODE_EXECUTE == 0 || action&KAUTH_VNODE_IS_EXEC != 0) {
		return nil
	}
	return fsDecision
}

// AuthorizeSystem decides what only the superuser may: mounting, chroot,
// making devices, revoking.
//
//netbsd:sys/kern/kern_auth.c kauth_authorize_system
func AuthorizeSystem(c *Cred) error {
	if c.IsRoot() {
		return nil
	}
	return EPERM
}

package rumpfs

import (
	"rumpvfs/genfs"
	"rumpvfs/kern"
	"rumpvfs/vnode"
)

// checkPossible says whether a file can be written to at all.
//
//netbsd:sys/rump/librump/rumpvfs/rumpfs.c rump_check_possible
func (rn *node) checkPossible(vp *vnode.Vnode, mode int) error {
	if mode&vnode.VWRITE == 0 {
		return nil
	}
	switch vp.Type() {
	case vnode.VDIR, vnode.VLNK, vnode.VREG:
		if isReadOnly(vp) {
			return kern.EROFS
		}
	}
	if rn.va.Flags&kern.IMMUTABLE != 0 && !rn.fs.quirk(kern.QuirkFileFlags) {
		return kern.EPERM
	}
	return nil
}

// checkPermitted says whether cred may use a file.
//
//netbsd:sys/rump/librump/rumpvfs/rumpfs.c rump_check_permitted
func (rn *node) checkPermitted(vp *vnode.Vnode, mode int, cred *kern.Cred) error {
	return genfs.Access(vp.Type(), rn.va.Mode, rn.va.UID, rn.va.GID, mode, cred)
}

// vopAccess says whether cred may use a file as mode asks.
//
//netbsd:sys/rump/librump/rumpvfs/rumpfs.c rump_vop_access
func vopAccess(l *kern.Lwp, vp *vnode.Vnode, mode int, cred *kern.Cred) error {
	rn := nodeOf(vp)
	rn.mustLive()
	if err := rn.checkPossible(vp, mode); err != nil {
		return err
	}
	return rn.checkPermitted(vp, mode, cred)
}

// mustLive panics if the reference has freed the node while somebody has the device open.
func (rn *node) mustLive() {
	if rn.va.Type == vnode.VCHR && rn.freed.Load() && rn.fs.quirk(kern.QuirkEtfsChar) {
		kern.QuirkEtfsChar.Undefined()
	}
}

// vopGetattr fills in a file's attributes.
//
// Preconditions: vp is locked, shared or exclusively.
//
//netbsd:sys/rump/librump/rumpvfs/rumpfs.c rump_vop_getattr
func vopGetattr(l *kern.Lwp, vp *vnode.Vnode, vap *vnode.Vattr, cred *kern.Cred) error {
	rn := nodeOf(vp)
	rn.mustLive()
	*vap = rn.va
	vap.Atime = rn.atime()
	vap.Size = uint64(vp.Size)
	if rn.va.Type != vnode.VREG {
		return nil
	}
	dlen := rn.data.len
	if rn.phonesHost() {
		dlen = uint64(rn.fileSize(l, vp))
		vap.Size = dlen
	}
	if !rn.fs.quirk(kern.QuirkBlocksConstant) {
		vap.Bytes = (dlen + kern.S_BLKSIZE - 1) &^ (kern.S_BLKSIZE - 1)
	}
	return nil
}

// vopSetattr changes a file's attributes: times, flags, owner, mode and size, in this order. If one of them may not be
// changed, those before it have been.
//
// Preconditions: vp is locked exclusively.
//
//netbsd:sys/rump/librump/rumpvfs/rumpfs.c rump_vop_setattr
func vopSetattr(l *kern.Lwp, vp *vnode.Vnode, vap *vnode.Vattr, cred *kern.Cred) error {
	rn := nodeOf(vp)
	rn.mustLive()
	for _, set := range [...]func(*node, *kern.Lwp, *vnode.Vnode, *vnode.Vattr, *kern.Cred) error{
		(*node).mayChange, (*node).setTimes, (*node).setFlags, (*node).setOwner, (*node).setMode, (*node).setSize,
	} {
		if err := set(rn, l, vp, vap, cred); err != nil {
			return err
		}
	}
	return nil
}

// mayChange says whether mount and file flags let attributes change.
func (rn *node) mayChange(l *kern.Lwp, vp *vnode.Vnode, vap *vnode.Vattr, cred *kern.Cred) error {
	others := timesGiven(vap) || vap.UID != vnode.VNOVALID || vap.GID != vnode.VNOVALID || vap.Mode != vnode.VNOVALMode
	resized := vp.Type() == vnode.VREG && vap.Size != ^uint64(0)
	if isReadOnly(vp) && (others || resized || vap.Flags != vnode.VNOVALFlags) && !rn.fs.quirk(kern.QuirkReadOnlyAttrs) {
		return kern.EROFS
	}
	if rn.va.Flags&(kern.IMMUTABLE|kern.APPEND) != 0 && (others || resized) && !rn.fs.quirk(kern.QuirkFileFlags) {
		return kern.EPERM
	}
	return nil
}

func timesGiven(vap *vnode.Vattr) bool {
	for _, ts := range [...]*kern.Timespec{&vap.Atime, &vap.Ctime, &vap.Mtime, &vap.Birthtime} {
		if isGiven(*ts) {
			return true
		}
	}
	return false
}

func isGiven(ts kern.Timespec) bool { return ts.Sec != vnode.VNOVAL || ts.Nsec != vnode.VNOVAL }

func (rn *node) setTimes(l *kern.Lwp, vp *vnode.Vnode, vap *vnode.Vattr, cred *kern.Cred) error {
	if !timesGiven(vap) {
		return nil
	}
	err := kern.AuthorizeVnode(cred, kern.KAUTH_VNODE_WRITE_TIMES, genfs.CanChtimes(l, vp, vap.Vaflags, rn.va.UID, cred))
	if err != nil {
		return err
	}
	rn.va.Atime = rn.atime()
	rn.accessed.Store(0)
	rn.changed()
	rn.setTime(&rn.va.Atime, vap.Atime)
	rn.setTime(&rn.va.Ctime, vap.Ctime)
	rn.setTime(&rn.va.Mtime, vap.Mtime)
	rn.setTime(&rn.va.Birthtime, vap.Birthtime)
	return nil
}

// setTime sets what is given of a time. With QuirkTimeMinusOne seconds and nanoseconds are given or not on their own.
func (rn *node) setTime(to *kern.Timespec, ts kern.Timespec) {
	if !rn.fs.quirk(kern.QuirkTimeMinusOne) {
		if isGiven(ts) {
			*to = ts
		}
		return
	}
	if ts.Sec != vnode.VNOVAL {
		to.Sec = ts.Sec
	}
	if ts.Nsec != vnode.VNOVAL {
		to.Nsec = ts.Nsec
	}
}

func (rn *node) setFlags(l *kern.Lwp, vp *vnode.Vnode, vap *vnode.Vattr, cred *kern.Cred) error {
	if vap.Flags == vnode.VNOVALFlags {
		return nil
	}
	system := (vap.Flags^rn.va.Flags)&kern.SF_SETTABLE != 0 || rn.va.Flags&(kern.SF_IMMUTABLE|kern.SF_APPEND) != 0
	system = system && !rn.fs.quirk(kern.QuirkFileFlags)
	err := kern.AuthorizeVnode(cred, kern.KAUTH_VNODE_WRITE_FLAGS, genfs.CanChflags(cred, vp.Type(), rn.va.UID, system))
	if err != nil {
		return err
	}
	rn.va.Flags = vap.Flags
	rn.changed()
	return nil
}

func (rn *node) setOwner(l *kern.Lwp, vp *vnode.Vnode, vap *vnode.Vattr, cred *kern.Cred) error {
	uid, gid := vap.UID, vap.GID
	if uid == vnode.VNOVALID && gid == vnode.VNOVALID {
		return nil
	}
	if uid == vnode.VNOVALID {
		uid = rn.va.UID
	}
	if gid == vnode.VNOVALID {
		gid = rn.va.GID
	}
	err := kern.AuthorizeVnode(cred, kern.KAUTH_VNODE_CHANGE_OWNERSHIP,
		genfs.CanChown(cred, rn.va.UID, rn.va.GID, uid, gid))
	if err != nil {
		return err
	}
	rn.va.UID, rn.va.GID = uid, gid
	rn.changed()
	return nil
}

func (rn *node) setMode(l *kern.Lwp, vp *vnode.Vnode, vap *vnode.Vattr, cred *kern.Cred) error {
	if vap.Mode == vnode.VNOVALMode {
		return nil
	}
	err := kern.AuthorizeVnode(cred, kern.KAUTH_VNODE_WRITE_SECURITY,
		genfs.CanChmod(vp.Type(), cred, rn.va.UID, rn.va.GID, vap.Mode))
	if err != nil {
		return err
	}
	rn.va.Mode = vap.Mode
	rn.changed()
	return nil
}

// setSize makes a regular file longer or shorter. The error is ENOSPC if memory does not hold as much; then nothing has changed.
func (rn *node) setSize(l *kern.Lwp, vp *vnode.Vnode, vap *vnode.Vattr, cred *kern.Cred) error {
	if vp.Type() != vnode.VREG || vap.Size == ^uint64(0) {
		return nil
	}
	switch {
	case rn.phonesHost():
		if err := rn.truncateMapped(l, vp, vap.Size); err != nil {
			return err
		}
	case vap.Size == rn.data.len:
	case vap.Size < rn.data.len:
		rn.zeroTail(l, vp, int64(vap.Size))
		rn.cut(l, vp, vap.Size)
	case !rn.grow(l, vp, vap.Size):
		return kern.ENOSPC
	}
	rn.clearSetID(cred)
	rn.modified()
	return nil
}

// zeroTail clears what the page of the new end of a file has behind it, so that it does not come back when the file grows.
func (rn *node) zeroTail(l *kern.Lwp, vp *vnode.Vnode, end int64) {
	if tail := min(kern.RoundPage(end), vp.Size) - end; tail > 0 && !rn.fs.quirk(kern.QuirkStaleTail) {
		vp.ZeroRange(l, end, tail)
	}
}

// clearSetID takes the set-id bits from a file whose contents cred has changed.
func (rn *node) clearSetID(cred *kern.Cred) {
	if !rn.fs.quirk(kern.QuirkSetIDKept) && !cred.IsRoot() {
		rn.va.Mode &^= kern.S_ISUID | kern.S_ISGID
	}
}

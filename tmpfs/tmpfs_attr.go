package tmpfs

import (
	"rumpvfs/genfs"
	"rumpvfs/kern"
	"rumpvfs/vnode"
)

// vopAccess checks permissions; immutable files are not written to (EPERM).
//
//netbsd:sys/fs/tmpfs/tmpfs_vnops.c tmpfs_access
func vopAccess(_ *kern.Lwp, vp *vnode.Vnode, mode int, cred *kern.Cred) error {
	n := nodeOf(vp)
	t := vp.Type()
	writing := mode&vnode.VWRITE != 0
	switch t {
	case vnode.VDIR, vnode.VLNK, vnode.VREG:
		if writing && readOnly(vp) {
			return kern.EROFS
		}
	case vnode.VBLK, vnode.VCHR, vnode.VSOCK, vnode.VFIFO:
	default:
		return kern.EINVAL
	}
	if writing && n.flags&kern.IMMUTABLE != 0 {
		return kern.EPERM
	}
	return genfs.Access(t, n.mode, n.uid, n.gid, mode, cred)
}

//netbsd:sys/fs/tmpfs/tmpfs_vnops.c tmpfs_getattr
func vopGetattr(l *kern.Lwp, vp *vnode.Vnode, vap *vnode.Vattr, _ *kern.Cred) error {
	n := nodeOf(vp)
	vap.Null()
	vap.Type = vp.Type()
	vap.Mode = n.mode
	vap.Nlink = n.links
	vap.UID, vap.GID = n.uid, n.gid
	vap.Fsid = uint64(int64(vp.Mount().Stat.Fsidx.Val[0]))
	vap.Fileid = n.id
	vap.Size = uint64(n.size)
	vap.Blocksize = kern.PAGE_SIZE
	n.tlock.Enter(l)
	vap.Atime, vap.Mtime, vap.Ctime, vap.Birthtime = n.times.access, n.times.mod, n.times.change, n.times.birth
	n.tlock.Exit(l)
	vap.Gen = uint64(n.gen)
	vap.Flags = uint64(n.flags)
	vap.Rdev = kern.NODEV
	if vap.Type == vnode.VBLK || vap.Type == vnode.VCHR {
		vap.Rdev = n.rdev
	}
	vap.Bytes = roundPage(uint64(n.size))
	vap.Vaflags = 0
	return nil
}

// vopSetattr changes attributes, one kind after the other until there is an
// error. EINVAL for those that cannot be set.
//
//netbsd:sys/fs/tmpfs/tmpfs_vnops.c tmpfs_setattr
func vopSetattr(l *kern.Lwp, vp *vnode.Vnode, vap *vnode.Vattr, cred *kern.Cred) (err error) {
	const none = ^uint64(0)
	if vap.Type != vnode.VNON || vap.Nlink != vnode.VNOVALID || vap.Fsid != none || vap.Fileid != none ||
		vap.Blocksize != vnode.VNOVAL || vap.Ctime.Sec != vnode.VNOVAL || vap.Gen != none ||
		vap.Rdev != kern.NODEV || vap.Bytes != none {
		return kern.EINVAL
	}
	if vap.Flags != none {
		err = chflags(l, vp, uint32(vap.Flags), cred)
	}
	if err == nil && vap.Size != none {
		err = chsize(l, vp, int64(vap.Size))
	}
	if err == nil && (vap.UID != vnode.VNOVALID || vap.GID != vnode.VNOVALID) {
		err = chown(l, vp, vap.UID, vap.GID, cred)
	}
	if err == nil && vap.Mode != vnode.VNOVALMode {
		err = chmod(l, vp, vap.Mode, cred)
	}
	if err == nil && (vap.Atime.Sec != vnode.VNOVAL || vap.Mtime.Sec != vnode.VNOVAL || vap.Birthtime.Sec != vnode.VNOVAL) {
		err = chtimes(l, vp, vap, cred)
	}
	return err
}

// mayChange refuses to change a file on a read-only mount (EROFS) and one
// that its flags protect (EPERM).
func mayChange(vp *vnode.Vnode) error {
	if readOnly(vp) {
		return kern.EROFS
	}
	if nodeOf(vp).flags&(kern.IMMUTABLE|kern.APPEND) != 0 {
		return kern.EPERM
	}
	return nil
}

//netbsd:sys/fs/tmpfs/tmpfs_subr.c tmpfs_chflags
func chflags(l *kern.Lwp, vp *vnode.Vnode, flags uint32, cred *kern.Cred) error {
	n := nodeOf(vp)
	if readOnly(vp) {
		return kern.EROFS
	}
	action := kern.KAUTH_VNODE_WRITE_FLAGS
	changingSys := flags&kern.SF_SETTABLE != n.flags&kern.SF_SETTABLE
	if changingSys {
		action |= kern.KAUTH_VNODE_WRITE_SYSFLAGS
	}
	if n.flags&(kern.SF_IMMUTABLE|kern.SF_APPEND) != 0 {
		action |= kern.KAUTH_VNODE_HAS_SYSFLAGS
	}
	err := kern.AuthorizeVnode(cred, action, genfs.CanChflags(cred, vp.Type(), n.uid, changingSys))
	if err != nil {
		return err
	}
	if !changingSys {
		flags = n.flags&kern.SF_SETTABLE | flags&kern.UF_SETTABLE
	}
	n.flags = flags
	n.update(l, updateCtime)
	vp.Knote(l, kern.NOTE_ATTRIB)
	return nil
}

//netbsd:sys/fs/tmpfs/tmpfs_subr.c tmpfs_chmod
func chmod(l *kern.Lwp, vp *vnode.Vnode, mode uint32, cred *kern.Cred) error {
	if err := mayChange(vp); err != nil {
		return err
	}
	n := nodeOf(vp)
	err := kern.AuthorizeVnode(cred, kern.KAUTH_VNODE_WRITE_SECURITY,
		genfs.CanChmod(vp.Type(), cred, n.uid, n.gid, mode))
	if err != nil {
		return err
	}
	n.mode = mode & kern.ALLPERMS
	n.update(l, updateCtime)
	vp.Knote(l, kern.NOTE_ATTRIB)
	return nil
}

//netbsd:sys/fs/tmpfs/tmpfs_subr.c tmpfs_chown
func chown(l *kern.Lwp, vp *vnode.Vnode, uid, gid uint32, cred *kern.Cred) error {
	n := nodeOf(vp)
	if uid == vnode.VNOVALID {
		uid = n.uid
	}
	if gid == vnode.VNOVALID {
		gid = n.gid
	}
	if err := mayChange(vp); err != nil {
		return err
	}
	err := kern.AuthorizeVnode(cred, kern.KAUTH_VNODE_CHANGE_OWNERSHIP,
		genfs.CanChown(cred, n.uid, n.gid, uid, gid))
	if err != nil {
		return err
	}
	n.uid, n.gid = uid, gid
	n.update(l, updateCtime)
	vp.Knote(l, kern.NOTE_ATTRIB)
	return nil
}

// chsize sets the size of a file; devices and fifos have none to set.
//
//netbsd:sys/fs/tmpfs/tmpfs_subr.c tmpfs_chsize
func chsize(l *kern.Lwp, vp *vnode.Vnode, size int64) error {
	switch vp.Type() {
	case vnode.VDIR:
		return kern.EISDIR
	case vnode.VREG:
	case vnode.VBLK, vnode.VCHR, vnode.VFIFO:
		return nil
	default:
		return kern.EOPNOTSUPP
	}
	if err := mayChange(vp); err != nil {
		return err
	}
	n := nodeOf(vp)
	if size < 0 {
		return kern.EINVAL
	}
	if size == n.size {
		return nil
	}
	if err := n.resize(l, vp, size); err != nil {
		return err
	}
	n.update(l, updateCtime|updateMtime)
	return nil
}

//netbsd:sys/fs/tmpfs/tmpfs_subr.c tmpfs_chtimes
func chtimes(l *kern.Lwp, vp *vnode.Vnode, vap *vnode.Vattr, cred *kern.Cred) error {
	if err := mayChange(vp); err != nil {
		return err
	}
	n := nodeOf(vp)
	err := kern.AuthorizeVnode(cred, kern.KAUTH_VNODE_WRITE_TIMES, genfs.CanChtimes(l, vp, vap.Vaflags, n.uid, cred))
	if err != nil {
		return err
	}
	n.tlock.Enter(l)
	for _, t := range [...]struct{ to, from *kern.Timespec }{
		{&n.times.access, &vap.Atime}, {&n.times.mod, &vap.Mtime}, {&n.times.birth, &vap.Birthtime},
	} {
		if t.from.Sec != vnode.VNOVAL {
			*t.to = *t.from
		}
	}
	n.tlock.Exit(l)
	vp.Knote(l, kern.NOTE_ATTRIB)
	return nil
}

package rumpfs

import (
	"rumpvfs/genfs"
	"rumpvfs/kern"
	"rumpvfs/vnode"
)

// newFile is what the creating operations differ in.
type newFile struct {
	vtype  vnode.Vtype
	rdev   kern.Dev
	size   int64
	target []byte // of a symbolic link
}

// enter makes a node, its vnode and its name. The error is ENOMEM if there is no memory for it, else that of GetNewVnode;
// then nothing has changed.
//
// Preconditions: dvp is locked exclusively, and lookup has said that the name may be created.
// Postconditions: dvp still is; the result is referenced and not locked.
func enter(l *kern.Lwp, dvp *vnode.Vnode, cnp *vnode.Componentname, vap *vnode.Vattr, f newFile) (*vnode.Vnode, error) {
	rnd := dirOf(dvp)
	fs := rnd.fs
	memory := direntBytes + int64(len(cnp.Name())+len(f.target))
	if !fs.reserve(rnd.mnt, memory) {
		return nil, kern.ENOMEM
	}
	rn := fs.makeprivate(rnd.mnt, f.vtype, vap.Mode&kern.ALLPERMS, f.rdev, f.size)
	if rn == nil {
		fs.release(rnd.mnt, memory)
		return nil, kern.ENOMEM
	}
	rn.target = f.target
	rn.inherit(rnd, cnp)
	vp, err := fs.makevnode(l, dvp.Mount(), rn)
	if err != nil {
		fs.release(rnd.mnt, memory-int64(len(f.target)))
		rn.freeprivate()
		return nil, err
	}
	rnd.makedir(cnp, rn)
	rnd.modified()
	if f.vtype == vnode.VDIR && !fs.quirk(kern.QuirkDirNlink) {
		rnd.va.Nlink++
	}
	return vp, nil
}

// inherit gives a new node what it has from its directory, its maker and the whiteout that it replaces.
func (rn *node) inherit(rnd *node, cnp *vnode.Componentname) {
	if rn.dir != nil {
		rn.dir.parent = rnd
	}
	if cnp.Flags&vnode.ISWHITEOUT != 0 && (rn.dir != nil || rn.fs.quirk(kern.QuirkOpaqueFiles)) {
		rn.va.Flags |= kern.UF_OPAQUE
	}
	if rn.fs.quirk(kern.QuirkOwnerRoot) {
		return
	}
	rn.va.UID, rn.va.GID = cnp.Cred.EUID, rnd.va.GID
	if rn.dir == nil && !cnp.Cred.IsRoot() && !cnp.Cred.IsMember(rn.va.GID) {
		rn.va.Mode &^= kern.S_ISGID
	}
}

// vopMkdir makes a directory.
//
//netbsd:sys/rump/librump/rumpvfs/rumpfs.c rump_vop_mkdir
func vopMkdir(l *kern.Lwp, dvp *vnode.Vnode, cnp *vnode.Componentname, vap *vnode.Vattr) (*vnode.Vnode, error) {
	return enter(l, dvp, cnp, vap, newFile{vtype: vnode.VDIR, rdev: kern.NODEV, size: kern.DEV_BSIZE})
}

// vopMknod makes a device, a fifo or a file of no type.
//
//netbsd:sys/rump/librump/rumpvfs/rumpfs.c rump_vop_mknod
func vopMknod(l *kern.Lwp, dvp *vnode.Vnode, cnp *vnode.Componentname, vap *vnode.Vattr) (*vnode.Vnode, error) {
	return enter(l, dvp, cnp, vap, newFile{vtype: vap.Type, rdev: vap.Rdev, size: kern.DEV_BSIZE})
}

// vopCreate makes a regular file or a socket.
//
//netbsd:sys/rump/librump/rumpvfs/rumpfs.c rump_vop_create
func vopCreate(l *kern.Lwp, dvp *vnode.Vnode, cnp *vnode.Componentname, vap *vnode.Vattr) (*vnode.Vnode, error) {
	f := newFile{vtype: vap.Type, rdev: kern.NODEV}
	if vap.Type == vnode.VSOCK {
		f.size = kern.DEV_BSIZE
	}
	return enter(l, dvp, cnp, vap, f)
}

// vopSymlink makes a symbolic link.
//
//netbsd:sys/rump/librump/rumpvfs/rumpfs.c rump_vop_symlink
func vopSymlink(l *kern.Lwp, dvp *vnode.Vnode, cnp *vnode.Componentname, vap *vnode.Vattr, target string) (*vnode.Vnode, error) {
	kern.KASSERT(len(target) < kern.MAXPATHLEN, "linklen < MAXPATHLEN")
	return enter(l, dvp, cnp, vap, newFile{vtype: vnode.VLNK, rdev: kern.NODEV, size: int64(len(target)), target: []byte(target)})
}

// vopReadlink reads where a symbolic link leads to.
//
//netbsd:sys/rump/librump/rumpvfs/rumpfs.c rump_vop_readlink
func vopReadlink(l *kern.Lwp, vp *vnode.Vnode, uio *kern.Uio, cred *kern.Cred) error {
	rn := nodeOf(vp)
	defer rn.wasRead(vp)
	return uio.Move(rn.target)
}

// vopRmdir takes an empty directory out of its parent. Whiteouts go with it.
//
// Preconditions: dvp and vp are referenced and locked exclusively.
// Postconditions: both are given up, on errors too.
//
//netbsd:sys/rump/librump/rumpvfs/rumpfs.c rump_vop_rmdir
func vopRmdir(l *kern.Lwp, dvp, vp *vnode.Vnode, cnp *vnode.Componentname) error {
	err := rmdir(dirOf(dvp), dirOf(vp), dvp, vp, cnp)
	dvp.Put(l)
	vp.Put(l)
	return err
}

func rmdir(rnd, rn *node, dvp, vp *vnode.Vnode, cnp *vnode.Componentname) error {
	if !rn.dir.onlyWhiteouts() {
		return kern.ENOTEMPTY
	}
	// Looking ".." up lets go of the lock: the directory that it was looked up in may be gone, and its parent empty.
	if rnd.host == nil && rnd.dir.parent == nil && !rn.fs.quirk(kern.QuirkRemovedDirCreate) {
		return kern.ENOENT
	}
	if err := rnd.mayRemove(rn, dvp, vp, cnp.Cred); err != nil {
		return err
	}
	for e := rn.dir.order.seek(0); e != nil; e = rn.dir.order.seek(0) {
		rn.dir.remove(e)
		rn.releaseEntry(e)
	}
	rnd.unname(rn, cnp)
	rn.dir.parent = nil
	if !rn.fs.quirk(kern.QuirkDirNlink) {
		rnd.va.Nlink--
	}
	return nil
}

// vopRemove takes a name that is no directory out of its directory.
//
// Preconditions: dvp and vp are referenced and locked exclusively.
// Postconditions: both are given up, on errors too.
//
//netbsd:sys/rump/librump/rumpvfs/rumpfs.c rump_vop_remove
func vopRemove(l *kern.Lwp, dvp, vp *vnode.Vnode, cnp *vnode.Componentname) error {
	rnd, rn := dirOf(dvp), nodeOf(vp)
	err := rnd.mayRemove(rn, dvp, vp, cnp.Cred)
	if err == nil {
		rnd.unname(rn, cnp)
	}
	dvp.Put(l)
	vp.Put(l)
	return err
}

// unname takes rn's name away. From then on rn goes with its vnode.
func (rnd *node) unname(rn *node, cnp *vnode.Componentname) {
	rnd.freedir(cnp)
	rn.canReclaim = true
	if !rn.fs.quirk(kern.QuirkNlinkKept) {
		rn.va.Nlink = 0
	}
	rnd.modified()
	rn.changed()
}

// mayRemove says whether file flags and the sticky bit let cred take rn out of rnd. From a directory of the host nothing can be
// taken; with QuirkEtfsUnlink the attempt ends the kernel, at the latest because rnd has no entry for rn.
func (rnd *node) mayRemove(rn *node, dvp, vp *vnode.Vnode, cred *kern.Cred) error {
	if rnd.host != nil && rnd.host.names {
		if !rn.fs.quirk(kern.QuirkEtfsUnlink) {
			return kern.EOPNOTSUPP
		}
		if rn.dir == nil && rn.phonesHost() {
			kern.QuirkEtfsUnlink.Undefined()
		}
	}
	if !rn.fs.quirk(kern.QuirkFileFlags) && (rn.va.Flags&(kern.IMMUTABLE|kern.APPEND) != 0 || rnd.va.Flags&kern.APPEND != 0) {
		return kern.EPERM
	}
	if !rn.fs.quirk(kern.QuirkSticky) && rnd.va.Mode&kern.S_ISTXT != 0 {
		return kern.AuthorizeVnode(cred, kern.KAUTH_VNODE_DELETE, genfs.CanSticky(cred, rnd.va.UID, rn.va.UID))
	}
	return nil
}

// vopWhiteout says that the file system has whiteouts, makes one, or takes one away.
//
// Preconditions: dvp is locked exclusively; for a whiteout to go, lookup has found it.
//
//netbsd:sys/rump/librump/rumpvfs/rumpfs.c rump_vop_whiteout
func vopWhiteout(l *kern.Lwp, dvp *vnode.Vnode, cnp *vnode.Componentname, flags int) error {
	rnd := dirOf(dvp)
	switch flags {
	case vnode.LOOKUP:
		return nil
	case vnode.CREATE:
		if !rnd.reserveEntry(cnp.Name()) {
			return kern.ENOMEM
		}
		rnd.makedir(cnp, nil)
	case vnode.DELETE:
		cnp.Flags &^= vnode.DOWHITEOUT
		rnd.freedir(cnp)
	default:
		kern.Panicf("unknown whiteout op %d", flags)
	}
	rnd.modified()
	return nil
}

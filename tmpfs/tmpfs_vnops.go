package tmpfs

import (
	"fmt"

	"rumpvfs/genfs"
	"rumpvfs/kern"
	"rumpvfs/namei"
	"rumpvfs/vnode"
)

func readOnly(vp *vnode.Vnode) bool { return vp.Mount().Flag()&kern.MNT_RDONLY != 0 }

// vopLookup finds a name in a directory. A removed directory is empty, and
// has not even "..".
//
// Preconditions: dvp is locked exclusively.
// Postconditions: dvp still is; the result is referenced and, unless it is
// dvp, not locked.
//
//netbsd:sys/fs/tmpfs/tmpfs_vnops.c tmpfs_lookup
func vopLookup(l *kern.Lwp, dvp *vnode.Vnode, cnp *vnode.Componentname) (*vnode.Vnode, error) {
	dn := nodeOf(dvp)
	if err := vnode.VOP_ACCESS(l, dvp, vnode.VEXEC, cnp.Cred); err != nil {
		return nil, err
	}
	last := cnp.Flags&vnode.ISLASTCN != 0
	renames := last && cnp.Nameiop == vnode.RENAME
	deletes := last && cnp.Nameiop == vnode.DELETE
	switch {
	case (deletes || renames) && readOnly(dvp):
		return nil, kern.EROFS
	case dn.links == 0: // asked before the name cache, which may still have its "."
		return nil, kern.ENOENT
	}
	if vp, found := namei.CacheLookup(l, dvp, cnp); vp != nil {
		return vp, nil
	} else if found {
		return nil, kern.ENOENT
	}
	switch {
	case cnp.Flags&vnode.ISDOTDOT != 0:
		if renames {
			return nil, kern.EINVAL
		}
		if dn.dir.parent == nil {
			return nil, kern.ENOENT
		}
		return dn.dir.parent.vnode(l, dvp.Mount())
	case cnp.Name() == ".":
		if renames {
			return nil, kern.EISDIR
		}
		dvp.Ref(l)
		cacheEnter(l, dvp, dvp, cnp)
		return dvp, nil
	}
	de := dn.dir.names[cnp.Name()]
	if de == nil || de.whiteout() {
		return nil, dn.lookupMissing(l, dvp, cnp, de)
	}
	n := de.node
	if !last && n.typ != vnode.VDIR && n.typ != vnode.VLNK {
		return nil, kern.ENOTDIR
	}
	if deletes || renames {
		if err := dn.mayRemove(l, dvp, cnp.Cred, n); err != nil {
			return nil, err
		}
	}
	vp, err := n.vnode(l, dvp.Mount())
	if err == nil {
		cacheEnter(l, dvp, vp, cnp)
	}
	return vp, err
}

// cacheEnter enters the answer to a lookup into the name cache; for a name
// to be created that would be of no use.
func cacheEnter(l *kern.Lwp, dvp, vp *vnode.Vnode, cnp *vnode.Componentname) {
	if cnp.Nameiop != vnode.CREATE {
		namei.CacheEnter(l, dvp, vp, cnp)
	}
}

// lookupMissing answers the lookup of a name that is not there, or is a
// whiteout de.
func (dn *node) lookupMissing(l *kern.Lwp, dvp *vnode.Vnode, cnp *vnode.Componentname, de *dirent) error {
	err := error(kern.ENOENT)
	if cnp.Flags&vnode.ISLASTCN != 0 && (cnp.Nameiop == vnode.CREATE || cnp.Nameiop == vnode.RENAME) {
		if err := vnode.VOP_ACCESS(l, dvp, vnode.VWRITE, cnp.Cred); err != nil {
			return err
		}
		err = kern.EJUSTRETURN
	}
	if de != nil {
		cnp.Flags |= vnode.ISWHITEOUT
	}
	cacheEnter(l, dvp, nil, cnp)
	return err
}

// mayRemove checks that cred may remove n from the directory: it must be
// able to write there, and in a sticky one own either.
func (dn *node) mayRemove(l *kern.Lwp, dvp *vnode.Vnode, cred *kern.Cred, n *node) error {
	if err := vnode.VOP_ACCESS(l, dvp, vnode.VWRITE, cred); err != nil {
		return err
	}
	if dn.mode&kern.S_ISTXT == 0 {
		return nil
	}
	if kern.AuthorizeVnode(cred, kern.KAUTH_VNODE_DELETE, genfs.CanSticky(cred, dn.uid, n.uid)) != nil {
		return kern.EPERM
	}
	return nil
}

// constructNode makes a file under the name cnp.
//
// Preconditions: dvp is locked, and the name is not in it, or is a whiteout.
// Postconditions: dvp still is; the new vnode is referenced and not locked.
//
//netbsd:sys/fs/tmpfs/tmpfs_subr.c tmpfs_construct_node
func constructNode(l *kern.Lwp, dvp *vnode.Vnode, vap *vnode.Vattr, cnp *vnode.Componentname, target string) (*vnode.Vnode, error) {
	dn := nodeOf(dvp)
	m := dn.mnt
	if dn.links == 0 {
		return nil, kern.ENOENT
	}
	if vap.Type == vnode.VDIR && dn.links == kern.LINK_MAX {
		return nil, kern.EMLINK
	}
	n, err := m.allocNode(l, vap.Type, cnp.Cred.EUID, dn.gid, vap.Mode, target, vap.Rdev)
	if err != nil {
		return nil, err
	}
	de, err := m.allocDirent(l, cnp.Name())
	if err != nil {
		n.abandon(l)
		return nil, err
	}
	n.keep(l)
	vp, err := n.vnodeGet(l, dvp.Mount())
	if err != nil {
		m.freeDirent(l, de)
		n.abandon(l)
		return nil, err
	}
	if cnp.Flags&vnode.ISWHITEOUT != 0 {
		wde := dn.dir.names[cnp.Name()]
		dn.detach(l, wde)
		m.freeDirent(l, wde)
		n.flags |= kern.UF_OPAQUE
	}
	dn.attach(l, de, n)
	dn.update(l, updateMtime|updateCtime)
	return vp, nil
}

// abandon frees a node that never got a name.
func (n *node) abandon(l *kern.Lwp) {
	n.links = 0
	n.mnt.freeNode(l, n)
}

//netbsd:sys/fs/tmpfs/tmpfs_vnops.c tmpfs_create
func vopCreate(l *kern.Lwp, dvp *vnode.Vnode, cnp *vnode.Componentname, vap *vnode.Vattr) (*vnode.Vnode, error) {
	return constructNode(l, dvp, vap, cnp, "")
}

// vopMknod makes devices and fifos; EINVAL for others.
//
//netbsd:sys/fs/tmpfs/tmpfs_vnops.c tmpfs_mknod
func vopMknod(l *kern.Lwp, dvp *vnode.Vnode, cnp *vnode.Componentname, vap *vnode.Vattr) (*vnode.Vnode, error) {
	switch vap.Type {
	case vnode.VBLK, vnode.VCHR, vnode.VFIFO:
		return constructNode(l, dvp, vap, cnp, "")
	}
	return nil, kern.EINVAL
}

//netbsd:sys/fs/tmpfs/tmpfs_vnops.c tmpfs_mkdir
func vopMkdir(l *kern.Lwp, dvp *vnode.Vnode, cnp *vnode.Componentname, vap *vnode.Vattr) (*vnode.Vnode, error) {
	return constructNode(l, dvp, vap, cnp, "")
}

//netbsd:sys/fs/tmpfs/tmpfs_vnops.c tmpfs_symlink
func vopSymlink(l *kern.Lwp, dvp *vnode.Vnode, cnp *vnode.Componentname, vap *vnode.Vattr, target string) (*vnode.Vnode, error) {
	return constructNode(l, dvp, vap, cnp, target)
}

// vopRemove removes a name that is not a directory's.
//
//netbsd:sys/fs/tmpfs/tmpfs_vnops.c tmpfs_remove
func vopRemove(l *kern.Lwp, dvp, vp *vnode.Vnode, cnp *vnode.Componentname) error {
	err := removeName(l, dvp, vp, cnp)
	vp.Put(l)
	if dvp == vp {
		dvp.Rele(l)
	} else {
		dvp.Put(l)
	}
	return err
}

func removeName(l *kern.Lwp, dvp, vp *vnode.Vnode, cnp *vnode.Componentname) error {
	if vp.Type() == vnode.VDIR {
		return kern.EPERM
	}
	dn, n := nodeOf(dvp), nodeOf(vp)
	if n.flags&(kern.IMMUTABLE|kern.APPEND) != 0 || dn.flags&kern.APPEND != 0 {
		return kern.EPERM
	}
	de := dn.dir.names[cnp.Name()]
	kern.KASSERTOf(de != nil && de.node == n, "de && de->td_node == node", vp)
	dn.detach(l, de)
	dn.dispose(l, de, cnp)
	if n.links > 0 {
		n.update(l, updateCtime)
	}
	dn.update(l, updateMtime|updateCtime)
	return nil
}

// dispose frees an entry that was taken out, or with DOWHITEOUT puts it back
// as a whiteout.
func (dn *node) dispose(l *kern.Lwp, de *dirent, cnp *vnode.Componentname) {
	if cnp.Flags&vnode.DOWHITEOUT != 0 {
		dn.attach(l, de, nil)
	} else {
		dn.mnt.freeDirent(l, de)
	}
}

// vopRmdir removes an empty directory, with whiteouts that are in it.
//
//netbsd:sys/fs/tmpfs/tmpfs_vnops.c tmpfs_rmdir
func vopRmdir(l *kern.Lwp, dvp, vp *vnode.Vnode, cnp *vnode.Componentname) error {
	err := rmdirName(l, dvp, vp, cnp)
	dvp.Put(l)
	vp.Put(l)
	return err
}

func rmdirName(l *kern.Lwp, dvp, vp *vnode.Vnode, cnp *vnode.Componentname) error {
	dn, n := nodeOf(dvp), nodeOf(vp)
	if !n.dir.onlyWhiteouts() {
		return kern.ENOTEMPTY
	}
	if dn.flags&kern.APPEND != 0 || n.flags&(kern.IMMUTABLE|kern.APPEND) != 0 {
		return kern.EPERM
	}
	// Looking ".." up lets go of the lock: the directory that it was looked up
	// in may be gone, and this one empty. The reference panics.
	if n.dir.parent != dn {
		return kern.ENOENT
	}
	de := dn.dir.names[cnp.Name()]
	kern.KASSERTOf(de != nil && de.node == n, "de && de->td_node == node", vp)
	n.links-- // its "."
	dn.detach(l, de)
	if cache := vp.System().NameCache; cache != nil {
		cache.Purge(l, dvp)
	}
	dn.dispose(l, de, cnp)
	for wde, _ := n.dir.from(0); wde != nil; wde, _ = n.dir.from(0) {
		n.detach(l, wde)
		n.mnt.freeDirent(l, wde)
	}
	dn.update(l, updateMtime|updateCtime)
	return nil
}

// onlyWhiteouts reports whether there are no entries but whiteouts.
func (d *directory) onlyWhiteouts() bool {
	if d.count == 0 {
		return true
	}
	if !d.whiteouts {
		return false
	}
	for _, de := range d.order {
		if de != nil && !de.whiteout() {
			return false
		}
	}
	return true
}

// vopLink gives a file another name.
//
//netbsd:sys/fs/tmpfs/tmpfs_vnops.c tmpfs_link
func vopLink(l *kern.Lwp, dvp, vp *vnode.Vnode, cnp *vnode.Componentname) error {
	_ = vp.Lock(l, vnode.LK_EXCLUSIVE|vnode.LK_RETRY)
	err := linkName(l, dvp, vp, cnp)
	_ = vnode.VOP_UNLOCK(l, vp)
	dvp.Put(l)
	return err
}

func linkName(l *kern.Lwp, dvp, vp *vnode.Vnode, cnp *vnode.Componentname) error {
	n, ok := vp.Data.(*node)
	if !ok {
		return kern.ENOENT // died while nobody had it locked
	}
	if n.links == kern.LINK_MAX {
		return kern.EMLINK
	}
	if n.flags&(kern.IMMUTABLE|kern.APPEND) != 0 {
		return kern.EPERM
	}
	de, err := n.mnt.allocDirent(l, cnp.Name())
	if err != nil {
		return err
	}
	dn := nodeOf(dvp)
	dn.attach(l, de, n)
	dn.update(l, updateMtime|updateCtime)
	n.update(l, updateCtime)
	n.knote(l, kern.NOTE_LINK)
	return nil
}

// vopWhiteout makes and deletes whiteouts.
//
//netbsd:sys/fs/tmpfs/tmpfs_vnops.c tmpfs_whiteout
func vopWhiteout(l *kern.Lwp, dvp *vnode.Vnode, cnp *vnode.Componentname, op int) error {
	dn := nodeOf(dvp)
	switch op {
	case vnode.CREATE:
		de, err := dn.mnt.allocDirent(l, cnp.Name())
		if err != nil {
			return err
		}
		dn.attach(l, de, nil)
	case vnode.DELETE:
		cnp.Flags &^= vnode.DOWHITEOUT
		de := dn.dir.names[cnp.Name()]
		if de == nil {
			return kern.ENOENT
		}
		dn.detach(l, de)
		dn.mnt.freeDirent(l, de)
	}
	dn.update(l, updateMtime|updateCtime)
	return nil
}

// vopReaddir reads directory entries, "." and ".." first. Of a removed
// directory there are none.
//
//netbsd:sys/fs/tmpfs/tmpfs_vnops.c tmpfs_readdir
func vopReaddir(l *kern.Lwp, vp *vnode.Vnode, uio *kern.Uio, _ *kern.Cred, cookies *vnode.Cookies) (eof bool, err error) {
	if vp.Type() != vnode.VDIR {
		return false, kern.ENOTDIR
	}
	n := nodeOf(vp)
	if n.links != 0 {
		err = n.getdents(l, uio, cookies)
	}
	return err == nil && uio.Offset == dirseqEOF, err
}

// vopInactive says that a file without a name need not keep its vnode. No file
// handle leads to it any more.
//
//netbsd:sys/fs/tmpfs/tmpfs_vnops.c tmpfs_inactive
func vopInactive(l *kern.Lwp, vp *vnode.Vnode) (recycle bool, err error) {
	n := nodeOf(vp)
	if recycle = n.links == 0; recycle {
		n.gen = 0
	}
	return recycle, vnode.VOP_UNLOCK(l, vp)
}

// vopReclaim parts a node from its vnode. Without a name the node is gone
// too, unless somebody is about to get its vnode.
//
//netbsd:sys/fs/tmpfs/tmpfs_vnops.c tmpfs_reclaim
func vopReclaim(l *kern.Lwp, vp *vnode.Vnode) error {
	n := nodeOf(vp)
	n.lockf.Drop(l, vp)
	n.vlock.Enter(l)
	n.vp.Store(nil)
	n.dead = n.links == 0
	free := n.orphan()
	n.vlock.Exit(l)
	vp.Disown(l)
	if free {
		n.mnt.freeNode(l, n)
	}
	return nil
}

// vopPathconf tells the limits of a file, but none of symbolic links.
//
//netbsd:sys/fs/tmpfs/tmpfs_vnops.c tmpfs_pathconf
func vopPathconf(l *kern.Lwp, vp *vnode.Vnode, name int) (int64, error) {
	if name == kern.PC_2_SYMLINKS || name == kern.PC_SYMLINK_MAX {
		return 0, kern.EINVAL
	}
	return genfs.Pathconf(l, vp, name)
}

// AdvisoryLocks are the locks on the file, for genfs.Advlock.
//
//netbsd:sys/fs/tmpfs/tmpfs_vnops.c tmpfs_advlock
func (n *node) AdvisoryLocks() *vnode.Lockf { return &n.lockf }

// vopPrint tells the trace what the file is.
//
//netbsd:sys/fs/tmpfs/tmpfs_vnops.c tmpfs_print
func vopPrint(l *kern.Lwp, vp *vnode.Vnode) error {
	n := nodeOf(vp)
	l.Emit(kern.EvVopLeave, "print", fmt.Sprintf("tag VT_TMPFS, flags %#x, links %d, mode %#o, owner %d, group %d, size %d",
		n.flags, n.links, n.mode, n.uid, n.gid, n.size), nil)
	return nil
}

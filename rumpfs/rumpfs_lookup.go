package rumpfs

import (
	"strings"

	"rumpvfs/hypercall"
	"rumpvfs/kern"
	"rumpvfs/vnode"
)

// vopLookup finds a name in a directory. ".." of a removed directory does not exist; other than that the file system knows
// "." and ".." without entries. In the root directory of the kernel mappings come first. Names in a mapped directory, and only
// those, are asked of the host.
//
// Preconditions: dvp is locked exclusively.
// Postconditions: dvp still is; the result is referenced and, unless it is dvp, not locked.
//
//netbsd:sys/rump/librump/rumpvfs/rumpfs.c rump_vop_lookup
func vopLookup(l *kern.Lwp, dvp *vnode.Vnode, cnp *vnode.Componentname) (*vnode.Vnode, error) {
	rnd := dirOf(dvp)
	if err := vnode.VOP_ACCESS(l, dvp, vnode.VEXEC, cnp.Cred); err != nil {
		return nil, err
	}
	last := cnp.Flags&vnode.ISLASTCN != 0
	if last && (cnp.Nameiop == vnode.DELETE || cnp.Nameiop == vnode.RENAME) && isReadOnly(dvp) {
		return nil, kern.EROFS
	}
	if cnp.Name() == "." {
		dvp.Ref(l)
		return dvp, nil
	}
	if last && cnp.Nameiop == vnode.RENAME {
		return nil, kern.EOPNOTSUPP
	}
	if dvp == rnd.fs.vsys.Root.Load() && (cnp.Nameiop == vnode.LOOKUP || cnp.Nameiop == vnode.CREATE) {
		if rn := rnd.fs.lookupMapped(l, cnp); rn != nil {
			return rnd.fs.getvnode(l, dvp.Mount(), rn)
		}
	}
	switch {
	case rnd.host != nil && rnd.host.names:
		return rnd.lookupHost(l, dvp, cnp)
	case cnp.Flags&vnode.ISDOTDOT == 0:
		return rnd.lookupEntry(l, dvp, cnp, rnd.dir.find(cnp.Name()))
	case rnd.dir.parent != nil:
		return rnd.lookupParent(l, dvp)
	}
	return rnd.lookupEntry(l, dvp, cnp, nil)
}

// lookupParent returns what ".." leads to.
func (rnd *node) lookupParent(l *kern.Lwp, dvp *vnode.Vnode) (*vnode.Vnode, error) {
	parent := rnd.dir.parent
	vp, err := rnd.fs.getvnode(l, dvp.Mount(), parent)
	if err != nil && parent.freed.Load() {
		if parent.host != nil {
			kern.QuirkEtfsDirSubdir.Undefined()
		}
		kern.QuirkRemovedDirCreate.Undefined()
	}
	return vp, err
}

// lookupMapped returns what a mapping gives for the rest of the path, or nil. It tells namei how much of the path that takes,
// slashes behind it included.
//
//netbsd:sys/rump/librump/rumpvfs/rumpfs.c rump_vop_lookup
func (fs *FS) lookupMapped(l *kern.Lwp, cnp *vnode.Componentname) *node {
	fs.etfsLock.Enter(l)
	et := fs.etfsFind(l, cnp.Nameptr, false)
	fs.etfsLock.Exit(l)
	if et == nil {
		return nil
	}
	rest := cnp.Nameptr[len(et.key):]
	kern.KASSERT(rest == "" || rest[0] == '/', `*cp == '\0' || *cp == '/'`)
	if rest == "" && et.node.va.Type != vnode.VDIR {
		cnp.Flags &^= vnode.REQUIREDIR
	}
	slashes := len(rest) - len(strings.TrimLeft(rest, "/"))
	cnp.Consume += len(et.key) - cnp.Namelen + slashes
	return et.node
}

// lookupHost asks the host for a name in a mapped directory. Each lookup gives a new file. Nothing can be made there: the
// host's ENOENT is the answer.
//
//netbsd:sys/rump/librump/rumpvfs/rumpfs.c rump_vop_lookup
func (rnd *node) lookupHost(l *kern.Lwp, dvp *vnode.Vnode, cnp *vnode.Componentname) (*vnode.Vnode, error) {
	if cnp.Flags&vnode.ISDOTDOT != 0 {
		return nil, kern.EOPNOTSUPP
	}
	fs, subdirs := rnd.fs, rnd.host.subdirs
	path := rnd.host.path + "/" + cnp.Name()
	size, ft, err := fs.hostFileInfo(l, path)
	if err != nil {
		return nil, err
	}
	if ft != hypercall.FileReg && ft != hypercall.FileDir ||
		ft == hypercall.FileDir && !subdirs && !fs.quirk(kern.QuirkEtfsDirSubdir) {
		return nil, kern.ENOENT
	}
	rn := fs.makeprivate(dvp.Mount().Data.(*mountData), vtypeOfHost(ft), defaultMode, kern.NODEV, size)
	if rn == nil {
		return nil, kern.ENOMEM
	}
	rn.canReclaim = true
	rn.host = &hostFile{
		path: path, phones: subdirs || !fs.quirk(kern.QuirkEtfsDirData),
		names: subdirs && ft == hypercall.FileDir, subdirs: subdirs, readfd: -1, writefd: -1,
	}
	vp, err := fs.makevnode(l, dvp.Mount(), rn)
	if err != nil {
		rn.freeprivate()
	}
	return vp, err
}

// lookupEntry answers a lookup that has found rd, or nil, in the directory.
func (rnd *node) lookupEntry(l *kern.Lwp, dvp *vnode.Vnode, cnp *vnode.Componentname, rd *dirent) (*vnode.Vnode, error) {
	last := cnp.Flags&vnode.ISLASTCN != 0
	creates := last && cnp.Nameiop == vnode.CREATE
	if rd == nil {
		if creates {
			return nil, rnd.mayCreate(l, dvp, cnp)
		}
		return nil, kern.ENOENT
	}
	if last && cnp.Nameiop == vnode.DELETE {
		if err := vnode.VOP_ACCESS(l, dvp, vnode.VWRITE, cnp.Cred); err != nil {
			return nil, err
		}
	}
	if rd.isWhiteout() {
		cnp.Flags |= vnode.ISWHITEOUT
		switch {
		case creates && !rnd.fs.quirk(kern.QuirkWhiteoutUnchecked):
			return nil, rnd.mayCreate(l, dvp, cnp)
		case creates, rnd.undeletes(cnp):
			return nil, kern.EJUSTRETURN
		}
		return nil, kern.ENOENT
	}
	return rnd.fs.getvnode(l, dvp.Mount(), rd.node)
}

// mayCreate answers the lookup of a name that is to be created and does not exist.
func (rnd *node) mayCreate(l *kern.Lwp, dvp *vnode.Vnode, cnp *vnode.Componentname) error {
	if isReadOnly(dvp) {
		return kern.EROFS
	}
	if err := vnode.VOP_ACCESS(l, dvp, vnode.VWRITE, cnp.Cred); err != nil {
		return err
	}
	if rnd.dir.parent == nil && !rnd.fs.quirk(kern.QuirkRemovedDirCreate) {
		return kern.ENOENT
	}
	return kern.EJUSTRETURN
}

// undeletes reports whether the lookup is for taking a whiteout away.
func (rnd *node) undeletes(cnp *vnode.Componentname) bool {
	const wants = vnode.ISLASTCN | vnode.DOWHITEOUT
	return cnp.Nameiop == vnode.DELETE && cnp.Flags&wants == wants && !rnd.fs.quirk(kern.QuirkUndelete)
}

func isReadOnly(vp *vnode.Vnode) bool { return vp.Mount().Flag()&kern.MNT_RDONLY != 0 }

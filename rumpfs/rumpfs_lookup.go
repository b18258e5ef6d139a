package rumpfs

import (
	"rumpvfs/kern"
	"rumpvfs/vnode"
)

// vopLookup finds a name in a directory. ".." of a removed directory does not exist; other than that the file system knows
// "." and ".." without entries.
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
	if cnp.Flags&vnode.ISDOTDOT == 0 {
		return rnd.lookupEntry(l, dvp, cnp, rnd.dir.find(cnp.Name()))
	}
	if rnd.dir.parent != nil {
		return rnd.fs.getvnode(l, dvp.Mount(), rnd.dir.parent)
	}
	return rnd.lookupEntry(l, dvp, cnp, nil)
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
		if creates || rnd.undeletes(cnp) {
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

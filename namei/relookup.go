package namei

import (
	"rumpvfs/kern"
	"rumpvfs/vnode"
)

// Relookup looks up once more the last component of a walk, which rename
// needs after it has given up a directory's lock. The error is EROFS if cnp
// says RDONLY and changes names, or the file system's. A name that does not
// exist and may be created gives nil and no error.
//
// Preconditions: dvp is locked exclusively.
// Postconditions: so it is still; the result is referenced and locked
// exclusively, unless it is nil.
//
//netbsd:sys/kern/vfs_lookup.c relookup
func Relookup(l *kern.Lwp, dvp *vnode.Vnode, cnp *vnode.Componentname) (*vnode.Vnode, error) {
	checkRelookup(cnp)
	cnp.Flags |= vnode.INRELOOKUP
	vp, err := vnode.VOP_LOOKUP(l, dvp, cnp)
	cnp.Flags &^= vnode.INRELOOKUP
	if err != nil {
		if vp != nil {
			kern.Panicf("leaf `%s' should be empty", cnp.Nameptr)
		}
		if err != kern.EJUSTRETURN {
			return nil, err
		}
	}
	if vp != nil && vp.Type() == vnode.VLNK && cnp.Flags&vnode.FOLLOW != 0 {
		kern.Panicf("relookup: symlink found")
	}
	if cnp.Flags&vnode.RDONLY != 0 && cnp.Nameiop != vnode.LOOKUP {
		if vp != nil {
			vp.Rele(l)
		}
		return nil, kern.EROFS
	}
	if vp != nil && vp != dvp {
		if err = vp.Lock(l, vnode.LK_EXCLUSIVE); err != nil {
			vp.Rele(l)
			return nil, err
		}
	}
	return vp, nil
}

// checkRelookup insists that cnp is the last component of a path, and one
// that can be created or removed.
func checkRelookup(cnp *vnode.Componentname) {
	switch {
	case cnp.Nameptr == "":
		kern.Panicf("relookup: null name")
	case componentLen(cnp.Nameptr) != cnp.Namelen:
		kern.Panicf("relookup: bad len")
	case trimSlashes(cnp.Nameptr[cnp.Namelen:]) != "":
		kern.Panicf("relookup: not last component")
	case cnp.Flags&vnode.ISDOTDOT != 0:
		kern.Panicf("relookup: lookup on dot-dot")
	}
}

package mutant

import (
	"rumpvfs/kern"
	"rumpvfs/vnode"
)

// renames are bugs about renaming and linking, which of the file systems only tmpfs can.
func renames() []Mutant {
	list := []Mutant{
		{Name: "rename-dotdot-stale", What: "\"..\" of a directory that was moved leads to where it was.", vector: renameDotdotStale},
		{Name: "rename-replaced-nlink", What: "An open file whose name rename gives to another still has a link.", vector: renameReplacedNlink},
		{Name: "rename-parent-nlink", What: "Moving a directory leaves the link counts of both parents.", vector: renameParentNlink},
		{Name: "rename-links-of-one", What: "Renaming a file to another name of it changes nothing.", vector: renameLinksOfOne},
		{Name: "rename-sticky", What: "rename takes a name out of a sticky directory for anybody who may write there.", vector: renameSticky},
		{Name: "link-uncounted", What: "Another name does not count as a link.", vector: linkUncounted},
		{Name: "link-immutable", What: "An immutable file may be given another name.", vector: linkImmutable},
		{Name: "remove-counts-twice", What: "Removing one of three names takes two links.", vector: removeCountsTwice},
	}
	for i := range list {
		list[i].Tmpfs = true
	}
	return list
}

// renaming is the operation.
type renaming = func(l *kern.Lwp, fdvp, fvp *vnode.Vnode, fcnp *vnode.Componentname, tdvp, tvp *vnode.Vnode, tcnp *vnode.Componentname) error

// rename puts f around renaming.
func (v *vector) rename(f func(was renaming) renaming) { v.Ops.Rename = f(v.was.Rename) }

func renameDotdotStale(v *vector) {
	v.rename(func(was renaming) renaming {
		return func(l *kern.Lwp, fdvp, fvp *vnode.Vnode, fcnp *vnode.Componentname, tdvp, tvp *vnode.Vnode, tcnp *vnode.Componentname) error {
			err := was(l, fdvp, fvp, fcnp, tdvp, tvp, tcnp)
			if err == nil && fvp.Type() == vnode.VDIR && fdvp != tdvp {
				v.put(fvp, fdvp)
			}
			return err
		}
	})
	v.Ops.Lookup = func(l *kern.Lwp, dvp *vnode.Vnode, cnp *vnode.Componentname) (*vnode.Vnode, error) {
		if old, moved := v.node[dvp].(*vnode.Vnode); moved && cnp.Flags&vnode.ISDOTDOT != 0 && old.TryRef() {
			return old, nil
		}
		return v.was.Lookup(l, dvp, cnp)
	}
}

func renameReplacedNlink(v *vector) {
	v.getattr(func(vp *vnode.Vnode, vap *vnode.Vattr) {
		if v.node[vp] == true {
			vap.Nlink++
		}
	})
	v.rename(func(was renaming) renaming {
		return func(l *kern.Lwp, fdvp, fvp *vnode.Vnode, fcnp *vnode.Componentname, tdvp, tvp *vnode.Vnode, tcnp *vnode.Componentname) error {
			err := was(l, fdvp, fvp, fcnp, tdvp, tvp, tcnp)
			if err == nil && tvp != nil && tvp != fvp && tvp.Type() != vnode.VDIR {
				v.put(tvp, true)
			}
			return err
		}
	})
}

func renameParentNlink(v *vector) {
	v.miscounts()
	v.rename(func(was renaming) renaming {
		return func(l *kern.Lwp, fdvp, fvp *vnode.Vnode, fcnp *vnode.Componentname, tdvp, tvp *vnode.Vnode, tcnp *vnode.Componentname) error {
			from, to := v.attributes(l, fdvp).Fileid, v.attributes(l, tdvp).Fileid
			replaces := tvp != nil
			err := was(l, fdvp, fvp, fcnp, tdvp, tvp, tcnp)
			if err == nil && fvp.Type() == vnode.VDIR && from != to {
				v.add(from, 1)
				if !replaces {
					v.add(to, -1)
				}
			}
			return err
		}
	})
}

func renameLinksOfOne(v *vector) {
	v.rename(func(was renaming) renaming {
		return func(l *kern.Lwp, fdvp, fvp *vnode.Vnode, fcnp *vnode.Componentname, tdvp, tvp *vnode.Vnode, tcnp *vnode.Componentname) error {
			if fvp != tvp || fvp.Type() == vnode.VDIR {
				return was(l, fdvp, fvp, fcnp, tdvp, tvp, tcnp)
			}
			tvp.Put(l)
			tdvp.Put(l)
			fdvp.Rele(l)
			fvp.Rele(l)
			return nil
		}
	})
}

func renameSticky(v *vector) {
	v.rename(func(was renaming) renaming {
		return func(l *kern.Lwp, fdvp, fvp *vnode.Vnode, fcnp *vnode.Componentname, tdvp, tvp *vnode.Vnode, tcnp *vnode.Componentname) error {
			from, to := fcnp.Cred, tcnp.Cred
			fcnp.Cred, tcnp.Cred = kern.RootCred(), kern.RootCred()
			err := was(l, fdvp, fvp, fcnp, tdvp, tvp, tcnp)
			fcnp.Cred, tcnp.Cred = from, to
			return err
		}
	})
}

// link puts f around linking.
func (v *vector) link(f removal) { v.Ops.Link = f }

func linkUncounted(v *vector) {
	v.miscounts()
	v.link(func(l *kern.Lwp, dvp, vp *vnode.Vnode, cnp *vnode.Componentname) error {
		err := v.was.Link(l, dvp, vp, cnp)
		if err == nil {
			v.add(v.attributes(l, vp).Fileid, -1)
		}
		return err
	})
}

func linkImmutable(v *vector) {
	v.link(func(l *kern.Lwp, dvp, vp *vnode.Vnode, cnp *vnode.Componentname) error {
		_ = vp.Lock(l, vnode.LK_EXCLUSIVE|vnode.LK_RETRY)
		flags := v.attributes(l, vp).Flags
		v.set(l, vp, func(va *vnode.Vattr) { va.Flags = flags &^ kern.IMMUTABLE })
		_ = vnode.VOP_UNLOCK(l, vp)
		err := v.was.Link(l, dvp, vp, cnp)
		v.made(l, vp, func(va *vnode.Vattr) { va.Flags = flags })
		return err
	})
}

func removeCountsTwice(v *vector) {
	v.miscounts()
	v.remove(func(was removal) removal {
		return func(l *kern.Lwp, dvp, vp *vnode.Vnode, cnp *vnode.Componentname) error {
			va := v.attributes(l, vp)
			err := was(l, dvp, vp, cnp)
			if err == nil && va.Nlink == 3 {
				v.add(va.Fileid, -1)
			}
			return err
		}
	})
}

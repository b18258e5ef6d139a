package tmpfs

import (
	"rumpvfs/genfs"
	"rumpvfs/kern"
	"rumpvfs/vnode"
)

// renamer is what genfs asks of tmpfs about a rename.
//
//netbsd:sys/fs/tmpfs/tmpfs_rename.c tmpfs_genfs_rename_ops
type renamer struct{}

type side = genfs.RenameSide[*dirent]

// vopRename renames a file or directory.
//
//netbsd:sys/fs/tmpfs/tmpfs_rename.c tmpfs_rename, tmpfs_sane_rename
func vopRename(l *kern.Lwp, fdvp, fvp *vnode.Vnode, fcnp *vnode.Componentname, tdvp, tvp *vnode.Vnode, tcnp *vnode.Componentname) error {
	return genfs.InsaneRename(l, genfs.RenameOps[*dirent](renamer{}), fdvp, fvp, fcnp, tdvp, tvp, tcnp)
}

//netbsd:sys/fs/tmpfs/tmpfs_rename.c tmpfs_gro_directory_empty_p
func (renamer) DirectoryEmpty(vp, _ *vnode.Vnode) bool { return nodeOf(vp).size == 0 }

//netbsd:sys/fs/tmpfs/tmpfs_rename.c tmpfs_gro_rename_check_possible
func (renamer) RenameCheckPossible(fdvp, fvp, tdvp, tvp *vnode.Vnode) error {
	var tflags uint32
	if tvp != nil {
		tflags = nodeOf(tvp).flags
	}
	return genfs.UfslikeRenameCheckPossible(nodeOf(fdvp).flags, nodeOf(fvp).flags, nodeOf(tdvp).flags, tflags, tvp != nil)
}

func owned(vp *vnode.Vnode) genfs.Owned {
	if vp == nil {
		return genfs.Owned{}
	}
	n := nodeOf(vp)
	return genfs.Owned{Vp: vp, Mode: n.mode, UID: n.uid}
}

//netbsd:sys/fs/tmpfs/tmpfs_rename.c tmpfs_gro_rename_check_permitted
func (renamer) RenameCheckPermitted(l *kern.Lwp, cred *kern.Cred, fdvp, fvp, tdvp, tvp *vnode.Vnode) error {
	return genfs.UfslikeRenameCheckPermitted(l, cred, owned(fdvp), owned(fvp), owned(tdvp), owned(tvp))
}

//netbsd:sys/fs/tmpfs/tmpfs_rename.c tmpfs_gro_remove_check_possible
func (renamer) RemoveCheckPossible(dvp, vp *vnode.Vnode) error {
	return genfs.UfslikeRemoveCheckPossible(nodeOf(dvp).flags, nodeOf(vp).flags)
}

//netbsd:sys/fs/tmpfs/tmpfs_rename.c tmpfs_gro_remove_check_permitted
func (renamer) RemoveCheckPermitted(l *kern.Lwp, cred *kern.Cred, dvp, vp *vnode.Vnode) error {
	return genfs.UfslikeRemoveCheckPermitted(l, cred, owned(dvp), owned(vp))
}

// Rename moves the source's entry to the target's directory and name, and
// takes away what had that name. Memory for a longer name is had first, for
// from then on nothing may fail.
//
//netbsd:sys/fs/tmpfs/tmpfs_rename.c tmpfs_gro_rename
func (renamer) Rename(l *kern.Lwp, f, t *side) error {
	fdn, tdn, n := nodeOf(f.Dvp), nodeOf(t.Dvp), nodeOf(f.Vp)
	m := n.mnt
	// As in the reference the old name's room is given back even where the
	// new name needs as much.
	if !m.mem.incr(l, nameBytes(t.Cnp.Namelen)) {
		return kern.ENOSPC
	}
	oldRoom := nameBytes(len(f.De.name))
	if t.Vp != nil {
		tdn.replace(l, t)
	}
	if f.Dvp != t.Dvp {
		fdn.detach(l, f.De)
		f.De.name = string([]byte(t.Cnp.Name()))
		tdn.attach(l, f.De, n)
	} else {
		fdn.dir.rename(f.De, string([]byte(t.Cnp.Name())))
		if t.Vp == nil {
			fdn.knote(l, kern.NOTE_WRITE)
		}
	}
	m.mem.decr(l, oldRoom)
	fdn.update(l, updateMtime|updateCtime)
	tdn.update(l, updateMtime|updateCtime)
	n.update(l, updateCtime)
	n.knote(l, kern.NOTE_RENAME)
	genfs.RenameCachePurge(l, f.Dvp, f.Vp, t.Dvp, t.Vp)
	return nil
}

// replace takes the target of a rename out of its directory.
func (tdn *node) replace(l *kern.Lwp, t *side) {
	tn := nodeOf(t.Vp)
	if tn.typ == vnode.VDIR {
		kern.KASSERTOf(tn.size == 0 && tn.links == 2, "VP_TO_TMPFS_NODE(tvp)->tn_links == 2", t.Vp)
		tn.links-- // its "."
	}
	tdn.detach(l, t.De)
	tdn.mnt.freeDirent(l, t.De)
}

// Remove takes the source's entry away.
//
//netbsd:sys/fs/tmpfs/tmpfs_rename.c tmpfs_gro_remove
func (renamer) Remove(l *kern.Lwp, s *side) error {
	dn := nodeOf(s.Dvp)
	dn.detach(l, s.De)
	dn.mnt.freeDirent(l, s.De)
	dn.update(l, updateMtime|updateCtime)
	return nil
}

//netbsd:sys/fs/tmpfs/tmpfs_rename.c tmpfs_gro_lookup
func (renamer) Lookup(l *kern.Lwp, dvp *vnode.Vnode, cnp *vnode.Componentname) (*vnode.Vnode, *dirent, error) {
	de := nodeOf(dvp).dir.names[cnp.Name()]
	if de == nil || de.whiteout() {
		return nil, nil, kern.ENOENT
	}
	vp, err := de.node.vnode(l, dvp.Mount())
	return vp, de, err
}

// removed reports whether the locked directory vp has been removed.
//
//netbsd:sys/fs/tmpfs/tmpfs_rename.c tmpfs_rmdired_p
func removed(vp *vnode.Vnode) bool {
	n, ok := vp.Data.(*node)
	return !ok || n.dir.parent == nil
}

// Genealogy climbs from tdvp to the root, one lock at a time, child before
// parent; the rename lock keeps the tree from changing above.
//
//netbsd:sys/fs/tmpfs/tmpfs_rename.c tmpfs_gro_genealogy
func (r renamer) Genealogy(l *kern.Lwp, fdvp, tdvp *vnode.Vnode) (*vnode.Vnode, error) {
	if err := r.LockDirectory(l, tdvp); err != nil {
		return nil, err
	}
	vp := tdvp
	vp.Ref(l)
	for {
		n := nodeOf(vp)
		parent := n.dir.parent
		if parent == n {
			vp.Put(l)
			return nil, nil
		}
		if parent.vp.Load() == fdvp {
			_ = vnode.VOP_UNLOCK(l, vp)
			return vp, nil
		}
		mp := vp.Mount()
		parent.keep(l)
		vp.Put(l)
		var err error
		if vp, err = parent.vnodeGet(l, mp); err != nil {
			return nil, err
		}
		_ = vp.Lock(l, vnode.LK_EXCLUSIVE|vnode.LK_RETRY)
		if removed(vp) {
			vp.Put(l)
			return nil, kern.ENOENT
		}
	}
}

//netbsd:sys/fs/tmpfs/tmpfs_rename.c tmpfs_gro_lock_directory
func (renamer) LockDirectory(l *kern.Lwp, dvp *vnode.Vnode) error {
	_ = dvp.Lock(l, vnode.LK_EXCLUSIVE|vnode.LK_RETRY)
	if removed(dvp) {
		_ = vnode.VOP_UNLOCK(l, dvp)
		return kern.ENOENT
	}
	return nil
}

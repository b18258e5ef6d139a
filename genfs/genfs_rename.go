package genfs

import (
	"rumpvfs/kern"
	"rumpvfs/vnode"
)

// RenameOps is what [SaneRename] asks of a file system. E is the file
// system's handle on a directory entry, as Lookup found it.
//
//netbsd:sys/miscfs/genfs/genfs.h genfs_rename_ops
type RenameOps[E any] interface {
	// DirectoryEmpty reports whether vp, a directory in dvp, has no
	// entries. Both are locked.
	DirectoryEmpty(vp, dvp *vnode.Vnode) bool
	// RenameCheckPossible looks at flags and the like, and
	// RenameCheckPermitted at permissions. Everything is locked; tvp may
	// be nil.
	RenameCheckPossible(fdvp, fvp, tdvp, tvp *vnode.Vnode) error
	RenameCheckPermitted(l *kern.Lwp, cred *kern.Cred, fdvp, fvp, tdvp, tvp *vnode.Vnode) error
	// RemoveCheckPossible and RemoveCheckPermitted do so for a removal.
	RemoveCheckPossible(dvp, vp *vnode.Vnode) error
	RemoveCheckPermitted(l *kern.Lwp, cred *kern.Cred, dvp, vp *vnode.Vnode) error
	// Rename changes the entries; Remove removes one.
	Rename(l *kern.Lwp, f, t *RenameSide[E]) error
	Remove(l *kern.Lwp, s *RenameSide[E]) error
	// Lookup finds a name in the locked directory dvp: ENOENT if it is not
	// there. The vnode is referenced and not locked.
	Lookup(l *kern.Lwp, dvp *vnode.Vnode, cnp *vnode.Componentname) (*vnode.Vnode, E, error)
	// Genealogy returns which child of fdvp is tdvp or above it,
	// referenced, or nil if fdvp is not above tdvp. Nothing is locked.
	Genealogy(l *kern.Lwp, fdvp, tdvp *vnode.Vnode) (*vnode.Vnode, error)
	// LockDirectory locks a directory: ENOENT if it was removed.
	LockDirectory(l *kern.Lwp, dvp *vnode.Vnode) error
}

// RenameSide is the source or the target of a rename.
type RenameSide[E any] struct {
	Dvp *vnode.Vnode         // the directory
	Cnp *vnode.Componentname // the name in it
	Vp  *vnode.Vnode         // what has the name; nil for nothing
	De  E                    // its entry

	missingOK bool  // the name need not be there
	dotError  error // what renaming "." or onto it is
}

// InsaneRename makes a VOP_RENAME of a rename that locks for itself: it
// unlocks what the protocol has locked and releases what it has looked up,
// since in between everything may have changed.
//
//netbsd:sys/miscfs/genfs/genfs_rename.c genfs_insane_rename
func InsaneRename[E any](l *kern.Lwp, ops RenameOps[E], fdvp, fvp *vnode.Vnode, fcnp *vnode.Componentname, tdvp, tvp *vnode.Vnode, tcnp *vnode.Componentname) error {
	_ = vnode.VOP_UNLOCK(l, tdvp)
	if tvp != nil && tvp != tdvp {
		_ = vnode.VOP_UNLOCK(l, tvp)
	}
	fvp.Rele(l)
	if tvp != nil {
		tvp.Rele(l)
	}
	err := SaneRename(l, ops, fdvp, fcnp, tdvp, tcnp, fcnp.Cred)
	fdvp.Rele(l)
	tdvp.Rele(l)
	return err
}

// SaneRename renames fcnp in fdvp to tcnp in tdvp.
//
// Preconditions: both directories are referenced and not locked; the rename
// lock of the mount is held if they differ.
//
//netbsd:sys/miscfs/genfs/genfs_rename.c genfs_sane_rename
func SaneRename[E any](l *kern.Lwp, ops RenameOps[E], fdvp *vnode.Vnode, fcnp *vnode.Componentname, tdvp *vnode.Vnode, tcnp *vnode.Componentname, cred *kern.Cred) error {
	if (fcnp.Flags|tcnp.Flags)&vnode.ISDOTDOT != 0 {
		return kern.EINVAL
	}
	f := &RenameSide[E]{Dvp: fdvp, Cnp: fcnp, dotError: kern.EINVAL}
	t := &RenameSide[E]{Dvp: tdvp, Cnp: tcnp, missingOK: true, dotError: kern.EISDIR}
	if err := renameEnter(l, ops, f, t); err != nil {
		return err
	}
	defer renameExit(l, f, t)
	if f.Vp == t.Vp {
		return renameSame(l, ops, f, t, cred)
	}
	if err := renameKinds(ops, f, t); err != nil {
		return err
	}
	if err := ops.RenameCheckPossible(fdvp, f.Vp, tdvp, t.Vp); err != nil {
		return err
	}
	err := ops.RenameCheckPermitted(l, cred, fdvp, f.Vp, tdvp, t.Vp)
	err = kern.AuthorizeVnode(cred, kern.KAUTH_VNODE_DELETE, err)
	err = kern.AuthorizeVnode(cred, kern.KAUTH_VNODE_RENAME, err)
	if err != nil {
		return err
	}
	return ops.Rename(l, f, t)
}

// renameSame renames a file to another name of itself, which BSD takes for
// removing the first; to the very same name does nothing.
func renameSame[E any](l *kern.Lwp, ops RenameOps[E], f, t *RenameSide[E], cred *kern.Cred) error {
	if f.Vp.Type() == vnode.VDIR {
		return kern.EINVAL
	}
	if f.Dvp == t.Dvp && f.Cnp.Name() == t.Cnp.Name() {
		return nil
	}
	return renameRemove(l, ops, f, cred)
}

// renameRemove removes the source's name.
//
//netbsd:sys/miscfs/genfs/genfs_rename.c genfs_rename_remove
func renameRemove[E any](l *kern.Lwp, ops RenameOps[E], f *RenameSide[E], cred *kern.Cred) error {
	if err := ops.RemoveCheckPossible(f.Dvp, f.Vp); err != nil {
		return err
	}
	err := ops.RemoveCheckPermitted(l, cred, f.Dvp, f.Vp)
	if err := kern.AuthorizeVnode(cred, kern.KAUTH_VNODE_DELETE, err); err != nil {
		return err
	}
	if err := ops.Remove(l, f); err != nil {
		return err
	}
	// Somebody may have looked the name up since the walk to it.
	RenameCachePurge(l, f.Dvp, f.Vp, f.Dvp, nil)
	return nil
}

// renameKinds keeps directories and others apart, and what is in a
// directory from being lost.
func renameKinds[E any](ops RenameOps[E], f, t *RenameSide[E]) error {
	if t.Vp == nil {
		return nil
	}
	fdir, tdir := f.Vp.Type() == vnode.VDIR, t.Vp.Type() == vnode.VDIR
	switch {
	case fdir && tdir:
		if !ops.DirectoryEmpty(t.Vp, t.Dvp) {
			return kern.ENOTEMPTY
		}
	case fdir:
		return kern.ENOTDIR
	case tdir:
		return kern.EISDIR
	}
	return nil
}

// renameEnter looks both names up and locks everything, ancestors first.
//
// Postconditions: on success both directories and what is in them are locked,
// and the latter referenced.
//
//netbsd:sys/miscfs/genfs/genfs_rename.c genfs_rename_enter
func renameEnter[E any](l *kern.Lwp, ops RenameOps[E], f, t *RenameSide[E]) error {
	if f.Dvp == t.Dvp {
		return renameEnterCommon(l, ops, f, t)
	}
	return renameEnterSeparate(l, ops, f, t)
}

// renameEnterCommon is renameEnter within one directory.
//
//netbsd:sys/miscfs/genfs/genfs_rename.c genfs_rename_enter_common
func renameEnterCommon[E any](l *kern.Lwp, ops RenameOps[E], f, t *RenameSide[E]) (err error) {
	dvp := f.Dvp
	if err := enterDirectory(l, ops, dvp); err != nil {
		return err
	}
	defer func() {
		if err != nil {
			_ = vnode.VOP_UNLOCK(l, dvp)
		}
	}()
	if err = f.find(l, ops, nil, nil); err != nil {
		return err
	}
	if err = t.find(l, ops, nil, nil); err != nil {
		f.release(l)
		return err
	}
	return lockBoth(l, f, t)
}

// renameEnterSeparate is renameEnter between two directories. The one that is
// above the other is locked first; if neither is, the target's.
//
//netbsd:sys/miscfs/genfs/genfs_rename.c genfs_rename_enter_separate
func renameEnterSeparate[E any](l *kern.Lwp, ops RenameOps[E], f, t *RenameSide[E]) error {
	between, err := ops.Genealogy(l, f.Dvp, t.Dvp)
	if err != nil {
		return err
	}
	if between == nil {
		above, err := ops.Genealogy(l, t.Dvp, f.Dvp)
		if err != nil { // the source's directory was removed, as its lock will show
			above = nil
		}
		if above != nil {
			defer above.Rele(l)
		}
		return renameLock(l, ops, t, f, above, kern.ENOTEMPTY)
	}
	defer between.Rele(l)
	return renameLock(l, ops, f, t, between, kern.EINVAL)
}

// renameLock locks the directories of a and b and what they name, a's
// first. overlap is the error if a names the directory of b, or above, which is
// above that. (The reference locks above before it looks: who is on the way from
// there to the directory of b then waits for ever, and so does it.)
//
//netbsd:sys/miscfs/genfs/genfs_rename.c genfs_rename_lock
func renameLock[E any](l *kern.Lwp, ops RenameOps[E], a, b *RenameSide[E], above *vnode.Vnode, overlap error) (err error) {
	if err := enterDirectory(l, ops, a.Dvp); err != nil {
		return err
	}
	defer func() {
		if err != nil {
			_ = vnode.VOP_UNLOCK(l, a.Dvp)
		}
	}()
	if err = a.find(l, ops, b.Dvp, overlap); err != nil {
		return err
	}
	if err = enterDirectory(l, ops, b.Dvp); err != nil {
		a.release(l)
		return err
	}
	// That b names the directory of a would take a hard link to a directory.
	if err = b.find(l, ops, a.Dvp, kern.EIO); err != nil {
		_ = vnode.VOP_UNLOCK(l, b.Dvp)
		a.release(l)
		return err
	}
	if a.Vp != nil && a.Vp == above {
		switch {
		case a.covered() || b.covered():
			err = kern.EBUSY
		case overlap == kern.ENOTEMPTY && b.Vp.Type() != vnode.VDIR:
			err = kern.EISDIR
		default:
			err = overlap
		}
		b.release(l)
		a.release(l)
	} else {
		err = lockBoth(l, a, b)
	}
	if err != nil {
		_ = vnode.VOP_UNLOCK(l, b.Dvp)
	}
	return err
}

// covered reports whether the name is that of a mount point.
func (s *RenameSide[E]) covered() bool {
	return s.Vp != nil && s.Vp.Type() == vnode.VDIR && s.Vp.Mountedhere() != nil
}

// enterDirectory locks a directory that nothing is mounted on.
func enterDirectory[E any](l *kern.Lwp, ops RenameOps[E], dvp *vnode.Vnode) error {
	if err := ops.LockDirectory(l, dvp); err != nil {
		return err
	}
	if dvp.Mountedhere() != nil {
		_ = vnode.VOP_UNLOCK(l, dvp)
		return kern.EBUSY
	}
	return nil
}

// find looks the name up in the locked directory. Finding other is overlap.
//
// Postconditions: on success s.Vp, unless it is nil, is referenced.
func (s *RenameSide[E]) find(l *kern.Lwp, ops RenameOps[E], other *vnode.Vnode, overlap error) (err error) {
	s.Vp, s.De, err = ops.Lookup(l, s.Dvp, s.Cnp)
	switch {
	case err == kern.ENOENT && s.missingOK:
		s.Vp = nil
		return nil
	case err != nil:
		return err
	case s.Vp == s.Dvp:
		err = s.dotError
	case s.Vp == other:
		err = overlap
	}
	if err != nil {
		s.release(l)
	}
	return err
}

func (s *RenameSide[E]) release(l *kern.Lwp) {
	if s.Vp != nil {
		s.Vp.Rele(l)
		s.Vp = nil
	}
}

// lockBoth locks what a and b name, which may be the same. EBUSY for a
// mount point; ENOENT for what was revoked, as for a walk that comes to it,
// where the reference goes on with a vnode that has no file.
//
// Postconditions: on an error neither is locked or referenced.
func lockBoth[E any](l *kern.Lwp, a, b *RenameSide[E]) error {
	for _, s := range [...]*RenameSide[E]{a, b} {
		if s.Vp == nil || s == b && a.Vp == b.Vp {
			continue
		}
		err := s.Vp.Lock(l, vnode.LK_EXCLUSIVE)
		if err == nil && !s.covered() {
			continue
		}
		if err == nil {
			err = kern.EBUSY
			_ = vnode.VOP_UNLOCK(l, s.Vp)
		}
		if s == b && a.Vp != nil {
			_ = vnode.VOP_UNLOCK(l, a.Vp)
		}
		b.release(l)
		a.release(l)
		return err
	}
	return nil
}

// renameExit unlocks everything and releases what was looked up.
//
//netbsd:sys/miscfs/genfs/genfs_rename.c genfs_rename_exit
func renameExit[E any](l *kern.Lwp, f, t *RenameSide[E]) {
	if t.Vp != nil && t.Vp != f.Vp {
		_ = vnode.VOP_UNLOCK(l, t.Vp)
	}
	_ = vnode.VOP_UNLOCK(l, f.Vp)
	if t.Vp != nil {
		t.Vp.Rele(l)
	}
	if t.Dvp != f.Dvp {
		_ = vnode.VOP_UNLOCK(l, t.Dvp)
	}
	f.Vp.Rele(l)
	_ = vnode.VOP_UNLOCK(l, f.Dvp)
}

// RenameCachePurge forgets what the name cache has of directories that a
// rename has changed.
//
//netbsd:sys/miscfs/genfs/genfs_rename.c genfs_rename_cache_purge
func RenameCachePurge(l *kern.Lwp, fdvp, fvp, tdvp, tvp *vnode.Vnode) {
	cache := fdvp.System().NameCache
	if cache == nil {
		return
	}
	cache.Purge(l, fdvp)
	if fvp.Type() == vnode.VDIR {
		cache.Purge(l, fvp)
	}
	if tdvp != fdvp {
		cache.Purge(l, tdvp)
	}
	if tvp != nil && tvp.Type() == vnode.VDIR {
		cache.Purge(l, tvp)
	}
}

const flagsProtected = kern.IMMUTABLE | kern.APPEND

// UfslikeRenameCheckPossible lets file flags forbid a rename: EPERM. The
// flags are those of the directories and files; clobber says that there is a
// target.
//
//netbsd:sys/miscfs/genfs/genfs_rename.c genfs_ufslike_rename_check_possible
func UfslikeRenameCheckPossible(fdflags, fflags, tdflags, tflags uint32, clobber bool) error {
	forbidden := (fdflags | fflags) & flagsProtected
	forbidden |= tdflags & kern.IMMUTABLE
	if clobber {
		forbidden |= (tdflags | tflags) & flagsProtected
	}
	if forbidden != 0 {
		return kern.EPERM
	}
	return nil
}

// Owned is what the permission to rename or remove depends on, of a
// directory or file.
type Owned struct {
	Vp   *vnode.Vnode // nil: there is none
	Mode uint32
	UID  uint32
}

// UfslikeRenameCheckPermitted checks that cred may write to the directories,
// to a directory that changes its parent, and past the sticky bit.
//
// Preconditions: all vnodes are locked.
//
//netbsd:sys/miscfs/genfs/genfs_rename.c genfs_ufslike_rename_check_permitted
func UfslikeRenameCheckPermitted(l *kern.Lwp, cred *kern.Cred, fd, f, td, t Owned) error {
	if err := vnode.VOP_ACCESS(l, fd.Vp, vnode.VWRITE, cred); err != nil {
		return err
	}
	if fd.Vp != td.Vp {
		if err := vnode.VOP_ACCESS(l, td.Vp, vnode.VWRITE, cred); err != nil {
			return err
		}
		if f.Vp.Type() == vnode.VDIR {
			if err := vnode.VOP_ACCESS(l, f.Vp, vnode.VWRITE, cred); err != nil {
				return err
			}
		}
	}
	if err := ufslikeCheckSticky(cred, fd, f); err != nil {
		return err
	}
	return ufslikeCheckSticky(cred, td, t)
}

// UfslikeRemoveCheckPossible lets file flags forbid a removal: EPERM.
//
//netbsd:sys/miscfs/genfs/genfs_rename.c genfs_ufslike_remove_check_possible
func UfslikeRemoveCheckPossible(dflags, flags uint32) error {
	if (dflags|flags)&flagsProtected != 0 {
		return kern.EPERM
	}
	return nil
}

// UfslikeRemoveCheckPermitted checks that cred may write to the directory and
// past the sticky bit.
//
//netbsd:sys/miscfs/genfs/genfs_rename.c genfs_ufslike_remove_check_permitted
func UfslikeRemoveCheckPermitted(l *kern.Lwp, cred *kern.Cred, d, f Owned) error {
	if err := vnode.VOP_ACCESS(l, d.Vp, vnode.VWRITE, cred); err != nil {
		return err
	}
	return ufslikeCheckSticky(cred, d, f)
}

//netbsd:sys/miscfs/genfs/genfs_rename.c genfs_ufslike_check_sticky
func ufslikeCheckSticky(cred *kern.Cred, d, f Owned) error {
	if d.Mode&kern.S_ISTXT != 0 && f.Vp != nil {
		return CanSticky(cred, d.UID, f.UID)
	}
	return nil
}

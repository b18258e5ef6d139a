package namei

import (
	"strings"

	"rumpvfs/kern"
	"rumpvfs/vnode"
)

// componentLen returns the length of the component that path begins with.
//
//netbsd:sys/kern/vfs_lookup.c namei_getcomponent
func componentLen(path string) int {
	if i := strings.IndexByte(path, '/'); i >= 0 {
		return i
	}
	return len(path)
}

// parsepath finds the end of the component that Nameptr begins with, skips
// the slashes behind it, and sets the flags that follow from its place in the
// path.
//
//netbsd:sys/kern/vfs_lookup.c lookup_parsepath
func (nd *Nameidata) parsepath() error {
	cnp := &nd.Cnd
	name := cnp.Nameptr
	n := componentLen(name)
	cnp.Consume, cnp.Namelen = 0, n
	if n > kern.KERNEL_NAME_MAX {
		return kern.ENAMETOOLONG
	}
	end := n
	for end < len(name) && name[end] == '/' {
		end++
	}
	nd.slashes = end - n
	nd.next = len(nd.path) - len(name) + end

	flags := cnp.Flags &^ (vnode.REQUIREDIR | vnode.MAKEENTRY | vnode.ISLASTCN | vnode.ISDOTDOT)
	if nd.slashes > 0 {
		flags |= vnode.REQUIREDIR
	}
	if end == len(name) {
		flags |= vnode.ISLASTCN
	}
	if end < len(name) || nd.docache {
		flags |= vnode.MAKEENTRY
	}
	if n == 2 && name[0] == '.' && name[1] == '.' {
		flags |= vnode.ISDOTDOT
	}
	cnp.Flags = flags
	return nil
}

// lookupOnce looks up the current component.
//
// Preconditions: searchdir is referenced and locked exclusively.
// Postconditions: so is dvp, which is searchdir or what took its place: the
// covered directory on the way up and down through a union, the root of the
// mounted file system on the way down. vp is referenced and locked
// exclusively, may be dvp, and is nil on failure or if it may be created.
//
//netbsd:sys/kern/vfs_lookup.c lookup_once
func (nd *Nameidata) lookupOnce(l *kern.Lwp, searchdir *vnode.Vnode) (dvp, vp *vnode.Vnode, err error) {
	kern.KASSERTOf(lockedExcl(l, searchdir), "VOP_ISLOCKED(searchdir) == LK_EXCLUSIVE", searchdir)
	if nd.Cnd.Flags&vnode.ISDOTDOT != 0 {
		searchdir, vp = nd.dotdot(l, searchdir)
	}
	if vp == nil {
		searchdir, vp, err = nd.lookupUnion(l, searchdir)
		if vp != nil {
			nd.consume(l)
			searchdir, vp, err = nd.lockFound(l, searchdir, vp)
		}
	}
	kern.KASSERTOf(lockedExcl(l, searchdir), "VOP_ISLOCKED(*newsearchdir_ret) == LK_EXCLUSIVE", searchdir)
	if vp != nil && vp != searchdir {
		kern.KASSERTOf(lockedExcl(l, vp), "VOP_ISLOCKED(*foundobj_ret) == LK_EXCLUSIVE", vp)
	}
	return searchdir, vp, err
}

// dotdot does what is to be done about ".." before the file system is asked.
// At the root it is the root itself, outside of the root it is the root too, and
// at the root of a mounted file system it is the ".." of the directory that is
// covered. vp is nil if the file system of dvp is to be asked.
//
//netbsd:sys/kern/vfs_lookup.c lookup_once
func (nd *Nameidata) dotdot(l *kern.Lwp, searchdir *vnode.Vnode) (dvp, vp *vnode.Vnode) {
	for {
		rootvp := rootvnode(searchdir)
		if searchdir == nd.Rootdir || searchdir == rootvp {
			if l.Watched() {
				l.Emit(kern.EvNamei, "dotdot", "\"..\" of the root directory is the root directory", nil)
			}
			searchdir.Ref(l)
			return searchdir, searchdir
		}
		if nd.Rootdir != rootvp && !nd.inJail(l, searchdir) {
			return nd.backToJail(l, searchdir)
		}
		if searchdir.Vflag()&vnode.VV_ROOT == 0 || nd.Cnd.Flags&vnode.NOCROSSMOUNT != 0 {
			return searchdir, nil
		}
		if l.Watched() {
			nd.traceMount(l, "up", searchdir.Mount())
		}
		covered := toCovered(l, searchdir)
		if covered == nil {
			searchdir.Ref(l)
			return searchdir, searchdir
		}
		searchdir = covered
	}
}

// inJail reports whether searchdir is below the root of the walk. The lock
// on it is given up meanwhile.
func (nd *Nameidata) inJail(l *kern.Lwp, searchdir *vnode.Vnode) bool {
	vnode.VOP_UNLOCK(l, searchdir)
	under := VnIsUnder(l, searchdir, nd.Rootdir)
	lockRetry(l, searchdir)
	return under
}

// backToJail puts a walk that has left its root back there: both results are
// the root, with two references and one lock.
func (nd *Nameidata) backToJail(l *kern.Lwp, searchdir *vnode.Vnode) (dvp, vp *vnode.Vnode) {
	if l.Watched() {
		nd.traceEscape(l)
	}
	searchdir.Put(l)
	root := nd.Rootdir
	root.Ref(l)
	root.Ref(l)
	lockRetry(l, root)
	return root, root
}

// toCovered goes from the root of a mounted file system to the directory
// that it covers. The result is nil if it covers none: it is the root file
// system's own, after something was mounted over it or with MNT_UNION set.
//
// Preconditions: root is referenced and locked exclusively.
// Postconditions: unless the result is nil, that holds for it, and for root no
// more.
func toCovered(l *kern.Lwp, root *vnode.Vnode) *vnode.Vnode {
	covered := root.Mount().Covered
	if covered == nil {
		if l.K.Quirks.Has(kern.QuirkCoveredByRoot) {
			kern.QuirkCoveredByRoot.Undefined()
		}
		return nil
	}
	covered.Ref(l)
	root.Put(l)
	lockRetry(l, covered)
	return covered
}

// lookupUnion asks the file system for the component, and if it is the root
// of a union mount that does not have it, the one below.
//
// Preconditions: searchdir is referenced and locked exclusively.
// Postconditions: so is dvp. vp is referenced but not locked; nil without an
// error if the component does not exist and may be created.
//
//netbsd:sys/kern/vfs_lookup.c lookup_once
func (nd *Nameidata) lookupUnion(l *kern.Lwp, searchdir *vnode.Vnode) (dvp, vp *vnode.Vnode, err error) {
	for {
		vp, err = vnode.VOP_LOOKUP(l, searchdir, &nd.Cnd)
		if err == nil {
			kern.KASSERTOf(vp != nil, "foundobj != NULL", searchdir)
			return searchdir, vp, nil
		}
		if vp != nil {
			kern.Panicf("leaf `%s' should be empty", nd.Cnd.Nameptr)
		}
		if err != kern.ENOENT || searchdir.Vflag()&vnode.VV_ROOT == 0 || searchdir.Mount().Flag()&kern.MNT_UNION == 0 {
			break
		}
		if l.Watched() {
			nd.traceMount(l, "union", searchdir.Mount())
		}
		covered := toCovered(l, searchdir)
		if covered == nil {
			break
		}
		searchdir = covered
	}
	if err == kern.EJUSTRETURN {
		err = nd.mayCreate()
	}
	return searchdir, nil, err
}

// mayCreate says whether the caller may be told that the name is free. With
// slashes behind it, it may only become a directory.
func (nd *Nameidata) mayCreate() error {
	if nd.Cnd.Flags&(vnode.REQUIREDIR|vnode.CREATEDIR) == vnode.REQUIREDIR {
		return kern.ENOENT
	}
	if nd.rdonly {
		return kern.EROFS
	}
	return nil
}

// consume goes on in the path where the file system says, if it took more or
// less than the component. The count is relative to the end of the name and
// includes the slashes behind what was taken.
//
//netbsd:sys/kern/vfs_lookup.c lookup_once
func (nd *Nameidata) consume(l *kern.Lwp) {
	cnp := &nd.Cnd
	if cnp.Consume == 0 {
		return
	}
	nd.next += cnp.Consume - nd.slashes
	cnp.Consume = 0
	if nd.next < 0 || nd.next > len(nd.path) {
		if l.K.Quirks.Has(kern.QuirkCnConsume) {
			kern.QuirkCnConsume.Undefined()
		}
		nd.next = len(nd.path)
	}
	if nd.next == len(nd.path) {
		cnp.Flags |= vnode.ISLASTCN
	}
	if l.Watched() {
		nd.traceConsume(l)
	}
}

// lockFound locks what the file system found and, if something is mounted
// there, goes on to the root of that.
//
// Preconditions: searchdir is referenced and locked exclusively; foundobj is
// referenced, and not locked unless it is searchdir.
// Postconditions: as those of lookupOnce.
//
//netbsd:sys/kern/vfs_lookup.c lookup_once
func (nd *Nameidata) lockFound(l *kern.Lwp, searchdir, foundobj *vnode.Vnode) (dvp, vp *vnode.Vnode, err error) {
	if searchdir != foundobj {
		if nd.Cnd.Flags&vnode.ISDOTDOT != 0 {
			err = lockParent(l, searchdir, foundobj)
		} else {
			err = foundobj.Lock(l, vnode.LK_EXCLUSIVE)
		}
		if err != nil {
			foundobj.Rele(l)
			return searchdir, nil, err
		}
	}
	if nd.Cnd.Flags&vnode.NOCROSSMOUNT == 0 {
		for foundobj.Type() == vnode.VDIR {
			mp := foundobj.Mountedhere()
			if mp == nil {
				break
			}
			if l.Watched() {
				nd.traceMount(l, "down", mp)
			}
			if searchdir, foundobj, err = enterMount(l, searchdir, foundobj, mp); err != nil {
				return searchdir, nil, err
			}
		}
	}
	return searchdir, foundobj, nil
}

// lockParent locks the parent of a locked directory, which it unlocks
// meanwhile: parent before child. By the time it has the parent a rename may
// have put that below the directory, so it waits for neither with the other
// locked, unlike the reference, where such a rename and the walk wait for each
// other for ever.
//
// Postconditions: dir is locked as before; parent too, unless there is an
// error.
func lockParent(l *kern.Lwp, dir, parent *vnode.Vnode) error {
	vnode.VOP_UNLOCK(l, dir)
	for {
		err := parent.Lock(l, vnode.LK_EXCLUSIVE)
		if err != nil {
			lockRetry(l, dir)
			return err
		}
		if dir.Lock(l, vnode.LK_EXCLUSIVE|vnode.LK_RETRY|vnode.LK_NOWAIT) == nil {
			return nil
		}
		vnode.VOP_UNLOCK(l, parent)
		lockRetry(l, dir)
		if parent.Lock(l, vnode.LK_EXCLUSIVE|vnode.LK_NOWAIT) == nil {
			return nil
		}
		vnode.VOP_UNLOCK(l, dir)
	}
}

// enterMount goes from foundobj, which mp covers, to the root of mp. That is
// searchdir from then on too, so that vnodes of two file systems are not
// locked together; unless it is no directory.
//
// Preconditions: searchdir and foundobj are referenced and locked exclusively.
// Postconditions: so are dvp and vp; on failure foundobj is given up.
//
//netbsd:sys/kern/vfs_lookup.c lookup_once
func enterMount(l *kern.Lwp, searchdir, foundobj *vnode.Vnode, mp *vnode.Mount) (dvp, vp *vnode.Vnode, err error) {
	if err = mp.Busy(l); err != nil {
		if searchdir != foundobj {
			foundobj.Put(l)
		} else {
			foundobj.Rele(l)
		}
		return searchdir, nil, err
	}
	if searchdir != foundobj {
		vnode.VOP_UNLOCK(l, searchdir)
	}
	foundobj.Put(l)
	root, err := vnode.VFS_ROOT(l, mp)
	mp.Unbusy(l, false)
	if err != nil {
		lockRetry(l, searchdir)
		return searchdir, nil, err
	}
	if root.Type() == vnode.VDIR {
		searchdir.Rele(l)
		root.Ref(l)
		return root, root, nil
	}
	vnode.VOP_UNLOCK(l, root)
	lockRetry(l, searchdir)
	lockRetry(l, root)
	return searchdir, root, nil
}

package namei

import (
	"strings"

	"rumpvfs/kern"
	"rumpvfs/vnode"
)

// Namei walks along the path. The errors are ENOENT, ENOTDIR, EACCES, ELOOP
// (more than MAXSYMLINKS symbolic links), ENAMETOOLONG (a component longer
// than KERNEL_NAME_MAX, or a path that a symbolic link makes too long),
// EROFS, EEXIST and EBUSY (where an operation that changes names would need
// the parent of a root), and whatever file systems return.
//
// Preconditions: l holds no vnode lock.
// Postconditions: on success nd.Vp and nd.Dvp are as their comments say;
// CREATE (and RENAME, if the file system has it so) may succeed with nd.Vp
// nil, and then nd.Dvp with LOCKPARENT is where to create nd.Cnd.Name(). The
// two may be the same vnode (the last component is "." or a mount point), with
// two references and one lock; without LOCKLEAF that one is not locked then,
// LOCKPARENT or not. On failure both are nil and nothing is held.
//
//netbsd:sys/kern/vfs_lookup.c namei
func (nd *Nameidata) Namei(l *kern.Lwp) error {
	nd.begin()
	return nd.run(l)
}

func (nd *Nameidata) run(l *kern.Lwp) error {
	err := nd.tryEmulroot(l)
	nd.leaveJail(l)
	if err != nil {
		kern.KASSERT(nd.Dvp == nil, "ndp->ni_dvp == NULL")
		kern.KASSERT(nd.Vp == nil, "ndp->ni_vp == NULL")
	}
	if l.Watched() {
		nd.traceResult(l, err)
	}
	return err
}

// tryEmulroot walks from the emulation root if there is one, and if that
// fails in a way that allows it, from the real root.
//
//netbsd:sys/kern/vfs_lookup.c namei_tryemulroot
func (nd *Nameidata) tryEmulroot(l *kern.Lwp) error {
	path := nd.path
	nd.attemptRetry = false
	err := nd.oneroot(l)
	if err == nil || nd.Erootdir == nil || !nd.attemptRetry {
		return err
	}
	if l.Watched() {
		l.Emit(kern.EvNamei, "retry", "not below the emulation root: once more from the real root", err)
	}
	nd.Cnd.Flags &^= vnode.TRYEMULROOT
	nd.path = path
	return nd.oneroot(l)
}

// oneroot walks along the whole path once.
//
//netbsd:sys/kern/vfs_lookup.c namei_oneroot
func (nd *Nameidata) oneroot(l *kern.Lwp) error {
	nd.Dvp, nd.Vp = nil, nil
	searchdir, err := nd.start(l)
	if err != nil {
		return err
	}
	cnp := &nd.Cnd
	nd.docache = cnp.Flags&vnode.NOCACHE == 0 && cnp.Nameiop != vnode.DELETE
	nd.rdonly = cnp.Flags&vnode.RDONLY != 0
	cnp.Nameptr = trimSlashes(nd.path)
	var foundobj *vnode.Vnode
	if cnp.Nameptr == "" { // nothing but slashes
		searchdir, foundobj = nil, searchdir
		cnp.Flags |= vnode.ISLASTCN
	} else if searchdir, foundobj, err = nd.walk(l, searchdir); err != nil {
		return err
	}
	return nd.finish(l, searchdir, foundobj)
}

func trimSlashes(path string) string {
	for len(path) > 0 && path[0] == '/' {
		path = path[1:]
	}
	return path
}

// start finds the directory to start from.
//
// Postconditions: on success that directory is referenced and locked
// exclusively.
//
//netbsd:sys/kern/vfs_lookup.c namei_start
func (nd *Nameidata) start(l *kern.Lwp) (*vnode.Vnode, error) {
	if nd.path == "" {
		return nil, kern.ENOENT
	}
	nd.loopcnt = 0
	var startdir *vnode.Vnode
	if nd.mode&fromNfsd != 0 {
		startdir = nd.getStartdirForNfsd(l)
	} else {
		startdir = nd.getStartdir(l)
	}
	if l.Watched() {
		nd.traceStart(l, startdir)
	}
	if startdir.Type() != vnode.VDIR {
		startdir.Rele(l)
		return nil, kern.ENOTDIR
	}
	lockRetry(l, startdir)
	return startdir, nil
}

// getStartdir settles root and emulation root of the walk and returns the
// directory to start from, referenced. A root of the process's own is kept
// until the walk is over, for another lwp may call chroot, or mount something
// there, meanwhile: the reference only borrows it. The emulation root is borrowed.
//
//netbsd:sys/kern/vfs_lookup.c namei_getstartdir
func (nd *Nameidata) getStartdir(l *kern.Lwp) *vnode.Vnode {
	nd.leaveJail(l)
	cwdi := cwdinfoOf(l.Proc)
	cwdi.lock.REnter(l)
	nd.Rootdir = cwdi.Rdir
	if nd.Rootdir == nil || nd.Cnd.Flags&vnode.NOCHROOT != 0 {
		nd.Rootdir = rootvnode(cwdi.Cdir)
	}
	erootdir := nd.wantedEmulroot(cwdi)
	startdir := nd.Rootdir
	switch {
	case nd.path[0] != '/':
		erootdir = nil
		if startdir = nd.atdir; startdir == nil {
			startdir = cwdi.Cdir
		}
	case erootdir != nil:
		startdir = erootdir
	}
	nd.Erootdir = erootdir
	startdir.Ref(l)
	if nd.Rootdir == cwdi.Rdir {
		nd.jail = nd.Rootdir
		nd.jail.Ref(l)
	}
	cwdi.lock.Exit(l)
	return startdir
}

// leaveJail lets go of the root that getStartdir kept.
func (nd *Nameidata) leaveJail(l *kern.Lwp) {
	if nd.jail != nil {
		nd.jail.Rele(l)
		nd.jail = nil
	}
}

// wantedEmulroot returns the emulation root for an absolute path, nil for
// none. A path that begins with "/../" means the real root, unless the caller
// has chosen the emulation root himself.
func (nd *Nameidata) wantedEmulroot(cwdi *Cwdinfo) *vnode.Vnode {
	switch {
	case nd.Cnd.Flags&vnode.TRYEMULROOT == 0:
		return nil
	case nd.Cnd.Flags&vnode.EMULROOTSET != 0:
		return nd.Erootdir
	case strings.HasPrefix(nd.path, "/../"):
		return nil
	}
	return cwdi.Edir
}

// rootvnode is the root directory of the kernel that vp belongs to.
func rootvnode(vp *vnode.Vnode) *vnode.Vnode { return vp.System().Root.Load() }

// lockRetry locks vp exclusively, dead or alive.
func lockRetry(l *kern.Lwp, vp *vnode.Vnode) {
	vp.Lock(l, vnode.LK_EXCLUSIVE|vnode.LK_RETRY)
}

// lockedExcl reports whether l holds vp's lock exclusively. It is for
// assertions, which are no operations that anybody watches.
func lockedExcl(l *kern.Lwp, vp *vnode.Vnode) bool {
	if l.Hooks == nil {
		state, _ := vnode.VOP_ISLOCKED(l, vp)
		return state == vnode.LK_EXCLUSIVE
	}
	a := vnode.IslockedArgs{Vp: vp}
	return vp.Ops().Call(l, &a) == nil && a.State == vnode.LK_EXCLUSIVE
}

// drop gives up a directory whose child is kept: they may be the same vnode,
// and then the lock stays with the child.
func drop(l *kern.Lwp, dvp, child *vnode.Vnode) {
	if dvp == child {
		dvp.Rele(l)
	} else {
		dvp.Put(l)
	}
}

// walk looks up one component after the other.
//
// Preconditions: searchdir is referenced and locked exclusively.
// Postconditions: that is over. On success dvp and vp are referenced and
// locked exclusively; dvp is nil if the path led to a root by way of a symbolic
// link, vp is nil if it may be created; on failure both are nil.
func (nd *Nameidata) walk(l *kern.Lwp, searchdir *vnode.Vnode) (dvp, vp *vnode.Vnode, err error) {
	cnp := &nd.Cnd
	for {
		if searchdir.Mount() == nil { // unmounted
			searchdir.Put(l)
			return nil, nil, kern.ENOENT
		}
		kern.KASSERT(cnp.Nameptr != "" && cnp.Nameptr[0] != '/', "cnp->cn_nameptr[0] != '/' && cnp->cn_nameptr[0] != '\\0'")
		foundobj := (*vnode.Vnode)(nil)
		if err = nd.parsepath(); err == nil {
			if l.Watched() {
				nd.traceComponent(l)
			}
			searchdir, foundobj, err = nd.lookupOnce(l, searchdir)
		}
		if err != nil {
			searchdir.Put(l)
			nd.attemptRetry = true
			return nil, nil, err
		}
		if foundobj == nil {
			return searchdir, nil, nil
		}
		if nd.atsymlink(foundobj) {
			if searchdir, err = nd.passSymlink(l, searchdir, foundobj); err != nil {
				return nil, nil, err
			}
			if cnp.Nameptr == "" { // to "/", with nothing after it
				cnp.Flags |= vnode.ISLASTCN
				return nil, searchdir, nil
			}
			continue
		}
		if cnp.Flags&vnode.REQUIREDIR != 0 && foundobj.Type() != vnode.VDIR {
			drop(l, searchdir, foundobj)
			foundobj.Put(l)
			nd.attemptRetry = true
			return nil, nil, kern.ENOTDIR
		}
		if cnp.Flags&vnode.ISLASTCN != 0 {
			return searchdir, foundobj, nil
		}
		cnp.Nameptr = nd.path[nd.next:]
		drop(l, searchdir, foundobj)
		searchdir = foundobj
	}
}

// finish brings what was found into the state that the caller asked for.
//
// Preconditions: searchdir and foundobj, each unless nil, are referenced and
// locked exclusively.
//
//netbsd:sys/kern/vfs_lookup.c namei_oneroot
func (nd *Nameidata) finish(l *kern.Lwp, searchdir, foundobj *vnode.Vnode) error {
	cnp := &nd.Cnd
	if foundobj != nil {
		if foundobj == nd.Erootdir {
			searchdir, foundobj = nd.leaveEmulroot(l, searchdir, foundobj)
		}
		if err := nd.checkChange(searchdir, foundobj); err != nil {
			if searchdir != nil {
				drop(l, searchdir, foundobj)
			}
			foundobj.Put(l)
			nd.attemptRetry = true
			return err
		}
		if cnp.Flags&vnode.LOCKLEAF == 0 {
			vnode.VOP_UNLOCK(l, foundobj)
		}
	}
	if cnp.Flags&vnode.LOCKPARENT == 0 && searchdir != nil {
		drop(l, searchdir, foundobj)
		searchdir = nil
	}
	nd.Dvp, nd.Vp = searchdir, foundobj
	return nil
}

// leaveEmulroot replaces the emulation root as result by the real root:
// programs that go up until they are at "/" would not get there otherwise.
func (nd *Nameidata) leaveEmulroot(l *kern.Lwp, searchdir, foundobj *vnode.Vnode) (dvp, vp *vnode.Vnode) {
	if searchdir != nil {
		drop(l, searchdir, foundobj)
	}
	foundobj.Put(l)
	nd.Rootdir.Ref(l)
	lockRetry(l, nd.Rootdir)
	return nil, nd.Rootdir
}

// checkChange refuses operations that would change a name there is no
// directory for, because the result is a root, and those that the caller
// declared read-only.
func (nd *Nameidata) checkChange(searchdir, foundobj *vnode.Vnode) error {
	op := nd.Cnd.Nameiop
	if op == vnode.LOOKUP {
		return nil
	}
	if searchdir == nil || searchdir.Mount() != foundobj.Mount() {
		if op == vnode.CREATE {
			return kern.EEXIST
		}
		return kern.EBUSY
	}
	if nd.rdonly && op != vnode.CREATE {
		return kern.EROFS
	}
	return nil
}

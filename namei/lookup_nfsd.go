package namei

import (
	"strings"

	"rumpvfs/kern"
	"rumpvfs/vnode"
)

// LookupForNfsd is [Nameidata.Namei] for a file server: the walk starts at
// forcecwd whatever the path begins with, ".." stops at the real root only,
// magic strings stay as they are, and with never any symbolic link that would
// be followed is EINVAL.
//
// Preconditions: l holds no vnode lock; the caller keeps forcecwd, which is
// not nil, referenced.
// Postconditions: those of Namei.
//
//netbsd:sys/kern/vfs_lookup.c lookup_for_nfsd, namei_getstartdir_for_nfsd
func (nd *Nameidata) LookupForNfsd(l *kern.Lwp, forcecwd *vnode.Vnode, never bool) error {
	kern.KASSERT(nd.atdir == nil, "ndp->ni_atdir == NULL")
	nd.atdir = forcecwd
	nd.mode = inhibitMagic | fromNfsd
	if never {
		nd.mode |= neverFollow
	}
	nd.begin()
	return nd.run(l)
}

func (nd *Nameidata) getStartdirForNfsd(l *kern.Lwp) *vnode.Vnode {
	kern.KASSERT(nd.atdir != nil, "state->ndp->ni_atdir != NULL")
	nd.Rootdir, nd.Erootdir = rootvnode(nd.atdir), nil
	nd.atdir.Ref(l)
	return nd.atdir
}

// LookupForNfsdIndex looks up the path, which must be a single name, in
// startdir, as WebNFS does for index files. ENAMETOOLONG if it is longer than
// KERNEL_NAME_MAX, EINVAL if it has a slash.
//
// Preconditions: l holds no vnode lock; the caller keeps startdir referenced;
// LOCKPARENT is not asked for.
// Postconditions: nd.Vp is as after [Nameidata.Namei], nd.Dvp is nil.
//
//netbsd:sys/kern/vfs_lookup.c lookup_for_nfsd_index
func (nd *Nameidata) LookupForNfsdIndex(l *kern.Lwp, startdir *vnode.Vnode) error {
	kern.KASSERT(nd.atdir == nil, "ndp->ni_atdir == NULL")
	nd.atdir = startdir
	if len(nd.path) > kern.KERNEL_NAME_MAX {
		return kern.ENAMETOOLONG
	}
	if strings.IndexByte(nd.path, '/') >= 0 {
		return kern.EINVAL
	}
	nd.begin()
	return nd.lookupIndex(l)
}

//netbsd:sys/kern/vfs_lookup.c do_lookup_for_nfsd_index
func (nd *Nameidata) lookupIndex(l *kern.Lwp) error {
	cnp := &nd.Cnd
	startdir := nd.atdir
	nd.Rootdir = rootvnode(startdir)
	nd.docache, nd.rdonly = true, cnp.Flags&vnode.RDONLY != 0
	nd.Dvp, nd.Vp = nil, nil
	cnp.Nameptr = nd.path
	kern.KASSERT(nd.parsepath() == nil, "cnp->cn_namelen <= KERNEL_NAME_MAX")
	// The walk may change the directory: it gets a reference of its own.
	startdir.Ref(l)
	lockRetry(l, startdir)
	startdir, foundobj, err := nd.lookupOnce(l, startdir)
	drop(l, startdir, foundobj)
	if err != nil || foundobj == nil {
		return err
	}
	nd.Vp = foundobj
	kern.KASSERT(cnp.Flags&vnode.LOCKPARENT == 0, "(cnp->cn_flags & LOCKPARENT) == 0")
	if cnp.Flags&vnode.LOCKLEAF == 0 {
		vnode.VOP_UNLOCK(l, foundobj)
	}
	return nil
}

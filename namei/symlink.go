package namei

import (
	"bytes"

	"rumpvfs/kern"
	"rumpvfs/vnode"
)

// atsymlink reports whether foundobj is a symbolic link that is to be
// followed: in the middle of a path and before slashes always, at the end with
// FOLLOW.
//
//netbsd:sys/kern/vfs_lookup.c namei_atsymlink
func (nd *Nameidata) atsymlink(foundobj *vnode.Vnode) bool {
	return foundobj.Type() == vnode.VLNK && nd.Cnd.Flags&(vnode.FOLLOW|vnode.REQUIREDIR) != 0
}

// passSymlink replaces the component just looked up by the text of the
// symbolic link foundobj and returns the directory to go on from. The slashes
// behind the component are back in the path then.
//
// Preconditions: searchdir and foundobj are referenced and locked exclusively.
// Postconditions: that is over; on success it holds for the result.
//
//netbsd:sys/kern/vfs_lookup.c namei_oneroot
func (nd *Nameidata) passSymlink(l *kern.Lwp, searchdir, foundobj *vnode.Vnode) (*vnode.Vnode, error) {
	nd.next -= nd.slashes
	var err error = kern.EINVAL
	if nd.mode&neverFollow == 0 {
		err = nd.follow(l, searchdir, foundobj)
	}
	if err != nil {
		kern.KASSERT(searchdir != foundobj, "searchdir != foundobj")
		searchdir.Put(l)
		foundobj.Put(l)
		return nil, err
	}
	// Unlocked before the directory is locked that an absolute path starts at.
	vnode.VOP_UNLOCK(l, foundobj)
	if nd.path != "" && nd.path[0] == '/' {
		searchdir = nd.restart(l, searchdir)
	}
	kern.KASSERTOf(lockedExcl(l, searchdir), "VOP_ISLOCKED(searchdir) == LK_EXCLUSIVE", searchdir)
	foundobj.Rele(l)
	return searchdir, nil
}

// follow makes the text of the symbolic link foundobj and what is left of the
// path the new path. ELOOP if there were too many links, ENOENT if the text is
// empty, ENAMETOOLONG if the new path is too long.
//
//netbsd:sys/kern/vfs_lookup.c namei_follow
func (nd *Nameidata) follow(l *kern.Lwp, searchdir, foundobj *vnode.Vnode) error {
	cnp := &nd.Cnd
	kern.KASSERTOf(lockedExcl(l, searchdir), "VOP_ISLOCKED(searchdir) == LK_EXCLUSIVE", searchdir)
	kern.KASSERTOf(lockedExcl(l, foundobj), "VOP_ISLOCKED(foundobj) == LK_EXCLUSIVE", foundobj)
	nd.loopcnt++
	if nd.loopcnt > kern.MAXSYMLINKS {
		return kern.ELOOP
	}
	if foundobj.Mount().Flag()&kern.MNT_SYMPERM != 0 {
		if err := vnode.VOP_ACCESS(l, foundobj, vnode.VEXEC, cnp.Cred); err != nil {
			return err
		}
	}
	text, err := nd.readlink(l, foundobj)
	if err != nil {
		return err
	}
	rest := nd.path[nd.next:]
	if len(text)+len(rest)+1 >= kern.MAXPATHLEN {
		return kern.ENAMETOOLONG
	}
	if l.Watched() {
		nd.traceSymlink(l, text, rest)
	}
	text = append(text, rest...)
	if i := bytes.IndexByte(text, 0); i >= 0 {
		text = text[:i]
	}
	nd.path = string(text)
	cnp.Nameptr = nd.path
	return nil
}

// readlink reads the text of a symbolic link, with magic strings replaced
// where that is configured.
func (nd *Nameidata) readlink(l *kern.Lwp, vp *vnode.Vnode) ([]byte, error) {
	if nd.link == nil {
		nd.link = make([]byte, kern.MAXPATHLEN)
	}
	nd.uio.InitUio(&nd.iov, nd.link, 0, kern.UIO_READ)
	if err := vnode.VOP_READLINK(l, vp, &nd.uio, nd.Cnd.Cred); err != nil {
		return nil, err
	}
	text := nd.link[:kern.MAXPATHLEN-nd.uio.Resid]
	if len(text) == 0 {
		return nil, kern.ENOENT
	}
	if nd.mode&inhibitMagic == 0 {
		if magic := cwdinfoOf(l.Proc).Magic; magic != nil {
			return magic.substitute(text, l.Cred, l.K.Quirks)
		}
	}
	return text, nil
}

// restart gives up searchdir for the directory that an absolute symbolic link
// starts at. Inside of the emulation root that is the emulation root, unless the
// link begins with "/../".
//
//netbsd:sys/kern/vfs_lookup.c namei_follow
func (nd *Nameidata) restart(l *kern.Lwp, searchdir *vnode.Vnode) *vnode.Vnode {
	searchdir.Put(l)
	searchdir = nd.Erootdir
	if searchdir == nil || len(nd.path) >= 4 && nd.path[1:4] == "../" {
		nd.Erootdir = nil
		searchdir = nd.Rootdir
	}
	searchdir.Ref(l)
	lockRetry(l, searchdir)
	nd.Cnd.Nameptr = trimSlashes(nd.path)
	return searchdir
}

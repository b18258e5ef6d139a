package namei

import (
	"rumpvfs/kern"
	"rumpvfs/vnode"
)

// opmask holds the bits of Componentname.Flags that are an operation's, and
// so may not be set there (OPMASK).
const opmask = 3

// walkMode says what is special about a walk.
type walkMode uint8

const (
	neverFollow  walkMode = 1 << iota // a symbolic link to be followed is EINVAL
	inhibitMagic                      // the text of symbolic links is not substituted
	fromNfsd                          // start at Atdir, whatever the path begins with, below the real root
)

// Nameidata is one walk along a path: its arguments, its state and its
// results. It belongs to one lwp.
//
// [Acquire] takes one from the lwp's stock and [Nameidata.Release] puts it
// back, so that a walk allocates nothing unless it meets a symbolic link. Walks
// nest: an lwp may have any number of them in use.
type Nameidata struct {
	// Rootdir is the directory that an absolute path starts at and that
	// ".." does not leave. Set by the walk, and borrowed when that is over.
	Rootdir *vnode.Vnode
	// Erootdir is the emulation root in use, nil for none. Borrowed; set by
	// the walk, or by the caller who asks for EMULROOTSET.
	Erootdir *vnode.Vnode

	// Vp is the result, referenced, and locked exclusively if LOCKLEAF was
	// asked for; nil if the walk failed, or if the name does not exist and
	// may be created.
	Vp *vnode.Vnode
	// Dvp is the result's directory, referenced and locked exclusively (but
	// see [Nameidata.Namei]) if LOCKPARENT was asked for, otherwise nil.
	Dvp *vnode.Vnode

	// Cnd is the current component, in the end the last one, as file
	// systems see it. The bytes of the name belong to the path that was
	// walked: who keeps them for long makes a copy.
	Cnd vnode.Componentname

	jail  *vnode.Vnode // Rootdir if it is the process's own: referenced during the walk
	atdir *vnode.Vnode // where a relative path starts; nil: the working directory
	path  string       // the path, with the symbolic links met so far put in
	next  int          // offset in path of what follows the component and its slashes

	slashes int // how many slashes followed the component
	loopcnt int // symbolic links followed so far

	mode         walkMode
	docache      bool // the last component may be entered into the name cache
	rdonly       bool // RDONLY was asked for
	attemptRetry bool // the error allows another try from the real root

	uio  kern.Uio
	iov  [1][]byte
	link []byte // MAXPATHLEN bytes for the text of a symbolic link; made when the first one is met
	free *Nameidata
}

// Acquire takes a Nameidata from l's stock. [Nameidata.Init] makes it ready
// for a walk, [Nameidata.Release] puts it back.
func Acquire(l *kern.Lwp) *Nameidata {
	nd, _ := l.Nameidata.(*Nameidata)
	if nd == nil {
		return new(Nameidata)
	}
	l.Nameidata, nd.free = nd.free, nil
	return nd
}

// Release ends the use of nd. The vnodes in it are the caller's business.
func (nd *Nameidata) Release(l *kern.Lwp) {
	nd.Rootdir, nd.Erootdir, nd.Vp, nd.Dvp, nd.atdir = nil, nil, nil, nil, nil
	nd.Cnd.Nameptr, nd.Cnd.Namelen, nd.Cnd.Cred, nd.path = "", 0, nil, ""
	nd.free, _ = l.Nameidata.(*Nameidata)
	l.Nameidata = nd
}

// Init prepares a walk along path (NDINIT): op is LOOKUP, CREATE, DELETE or
// RENAME, flags any of LOCKLEAF, LOCKPARENT, TRYEMULROOT, EMULROOTSET,
// NOCACHE, FOLLOW, NOCHROOT, NOCROSSMOUNT, RDONLY, CREATEDIR, DOWHITEOUT and
// INRENAME. The credentials are those of l. path holds no NUL and less than
// MAXPATHLEN bytes: what comes from a user goes through [Copyin] first.
//
//netbsd:sys/sys/namei.src NDINIT
func (nd *Nameidata) Init(l *kern.Lwp, op, flags uint32, path string) {
	cnp := &nd.Cnd
	cnp.Nameiop, cnp.Flags, cnp.Cred = op, flags, l.Cred
	cnp.Nameptr, cnp.Namelen, cnp.Consume = "", 0, 0
	nd.Rootdir, nd.Erootdir, nd.Vp, nd.Dvp, nd.atdir = nil, nil, nil, nil, nil
	nd.path, nd.mode = path, 0
}

// At makes a relative path start at dvp instead of the working directory, as
// openat(2) and its like need. nil changes nothing. The caller keeps dvp
// referenced during the walk; that it is a directory is found out by the
// walk.
//
//netbsd:sys/sys/namei.src NDAT
func (nd *Nameidata) At(dvp *vnode.Vnode) { nd.atdir = dvp }

// begin checks what the caller has asked for.
//
//netbsd:sys/kern/vfs_lookup.c namei_init
func (nd *Nameidata) begin() {
	cnp := &nd.Cnd
	kern.KASSERT(cnp.Flags&vnode.INRELOOKUP == 0, "(state->cnp->cn_flags & INRELOOKUP) == 0")
	kern.KASSERT(len(nd.path) < kern.MAXPATHLEN, "!\"kernel path too long in pathbuf_create\"")
	if cnp.Cred == nil {
		kern.Panicf("namei: bad cred/proc")
	}
	if cnp.Nameiop&^opmask != 0 {
		kern.Panicf("namei: nameiop contaminated with flags")
	}
	if cnp.Flags&opmask != 0 {
		kern.Panicf("namei: flags contaminated with nameiops")
	}
	nd.slashes, nd.docache, nd.rdonly = 0, false, false
}

// Copyin takes a path as a user passes it: it ends at the first NUL.
// ENAMETOOLONG if there is none within MAXPATHLEN bytes; the end of the
// string counts as one.
//
//netbsd:sys/kern/vfs_lookup.c pathbuf_copyin
func Copyin(path string) (string, error) {
	for i := 0; i < len(path); i++ {
		if path[i] == 0 {
			path = path[:i]
			break
		}
	}
	if len(path) >= kern.MAXPATHLEN {
		return "", kern.ENAMETOOLONG
	}
	return path, nil
}

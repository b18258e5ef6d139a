// Package hellofs is the smallest file system that is one: a directory with the files that it was given, which nobody can change.
//
// A file system is a [vnode.VFSOps], for its mounts, and a [vnode.Ops], for its files, in which what is not there answers
// EOPNOTSUPP. A file here is a node. Others see it through a vnode, which comes when the file is looked up and goes when
// nobody uses it any more.
package hellofs

import (
	"maps"
	"slices"
	"sync/atomic"

	"rumpvfs/genfs"
	"rumpvfs/hypercall"
	"rumpvfs/kern"
	"rumpvfs/namei"
	"rumpvfs/vnode"
)

// FS is hellofs in one kernel.
type FS struct {
	genfs.VFS
	sys   *vnode.System
	ops   *vnode.Ops
	files map[string]string
	lock  kern.Mutex // guards node.vp
}

// lockClass comes after the locks of vnodes and before their interlocks.
var lockClass = hypercall.LockClass{Name: "hellofs", Rank: 597}

// New makes hellofs for a kernel. files are contents by name; each mount shows them.
func New(sys *vnode.System, files map[string]string) *FS {
	fs := &FS{sys: sys, ops: &vnodeOps, files: files}
	fs.lock.Init(sys.K.Sys, &lockClass)
	return fs
}

// A node is a file, or the directory that has them all. But for vp nothing in it changes.
type node struct {
	fs    *FS
	va    vnode.Vattr
	name  string
	text  string // what is in the file
	vflag uint32 // of its vnode
	files []*node
	lockf vnode.Lockf
	vp    atomic.Pointer[vnode.Vnode] // changed under FS.lock
}

func (fs *FS) newNode(mp *vnode.Mount, t vnode.Vtype, mode uint32, ino, size uint64, name string) *node {
	now := fs.sys.K.Nanotime()
	return &node{fs: fs, name: name, va: vnode.Vattr{
		Type: t, Mode: mode, Nlink: 1, Fileid: ino, Fsid: uint64(int64(mp.Stat.Fsidx.Val[0])), Size: size, Blocksize: kern.DEV_BSIZE,
		Bytes: (size + kern.S_BLKSIZE - 1) &^ (kern.S_BLKSIZE - 1), Rdev: kern.NODEV, Atime: now, Mtime: now, Ctime: now, Birthtime: now,
	}}
}

func nodeOf(vp *vnode.Vnode) *node { return vp.Data.(*node) }

// vnode gives the node's vnode, with a reference more and not locked.
func (n *node) vnode(l *kern.Lwp, mp *vnode.Mount) (*vnode.Vnode, error) {
	return vnode.FindVnode(l, &n.fs.lock, &n.vp, func() (*vnode.Vnode, error) {
		return n.fs.sys.LoadVnode(l, vnode.VT_NON, mp, n.fs.ops, nil, func(vp *vnode.Vnode) error {
			n.fs.lock.Enter(l)
			defer n.fs.lock.Exit(l)
			if n.vp.Load() != nil {
				return kern.ERESTART // somebody was faster
			}
			vp.SetType(n.va.Type)
			vp.SetVflag(vnode.VV_LOCKSWORK | n.vflag)
			vp.Size, vp.WriteSize, vp.Data = int64(n.va.Size), int64(n.va.Size), n
			n.vp.Store(vp)
			return nil
		})
	})
}

// AdvisoryLocks are the locks on the file, for genfs.Advlock.
func (n *node) AdvisoryLocks() *vnode.Lockf { return &n.lockf }

// Name gives the type of the file system.
func (fs *FS) Name() string { return "hellofs" }

// Mount mounts the files, read-only whether that was asked for or not.
func (fs *FS) Mount(l *kern.Lwp, mp *vnode.Mount, path string, _ any) error {
	if mp.Flag()&(kern.MNT_UPDATE|kern.MNT_GETARGS) != 0 {
		return kern.EOPNOTSUPP
	}
	mp.GetNewFsid(l)
	mp.SetFlag(kern.MNT_LOCAL | kern.MNT_RDONLY)
	mp.Stat.Namemax, mp.FsBshift, mp.DevBshift = kern.KERNEL_NAME_MAX, kern.DEV_BSHIFT, kern.DEV_BSHIFT
	root := fs.newNode(mp, vnode.VDIR, 0o755, 1, kern.DEV_BSIZE, "")
	root.va.Nlink, root.vflag = 2, vnode.VV_ROOT
	for i, name := range slices.Sorted(maps.Keys(fs.files)) {
		n := fs.newNode(mp, vnode.VREG, 0o644, uint64(i)+2, uint64(len(fs.files[name])), name)
		n.text = fs.files[name]
		root.files = append(root.files, n)
	}
	mp.Data = root
	return namei.SetStatvfsInfo(l, path, fs.Name(), fs.Name(), mp)
}

// Root gives the root directory, referenced and locked.
func (fs *FS) Root(l *kern.Lwp, mp *vnode.Mount) (*vnode.Vnode, error) {
	vp, err := mp.Data.(*node).vnode(l, mp)
	return vnode.Locked(l, vp, err)
}

var vnodeOps = vnode.Ops{
	Name: "hellofs", Lookup: lookup, Access: access, Getattr: getattr, Setattr: setattr, Read: read, Readdir: readdir,
	Open: genfs.NullopClose, Close: genfs.NullopClose, Seek: genfs.Seek, Fsync: genfs.NullopFsync, Pathconf: genfs.Pathconf,
	Advlock: genfs.Advlock, Revoke: genfs.Revoke, Putpages: genfs.NullPutpages, Inactive: genfs.KeepInactive, Reclaim: reclaim,
	Lock: genfs.Lock, Unlock: genfs.Unlock, Islocked: genfs.Islocked,
}

// lookup finds a name. Who wants to make or remove one hears that nothing can be changed.
func lookup(l *kern.Lwp, dvp *vnode.Vnode, cnp *vnode.Componentname) (*vnode.Vnode, error) {
	if err := vnode.VOP_ACCESS(l, dvp, vnode.VEXEC, cnp.Cred); err != nil {
		return nil, err
	}
	changes := cnp.Flags&vnode.ISLASTCN != 0 && cnp.Nameiop != vnode.LOOKUP
	switch {
	case changes && cnp.Nameiop != vnode.CREATE:
		return nil, kern.EROFS
	case cnp.Name() == ".":
		dvp.Ref(l)
		return dvp, nil
	}
	for _, n := range nodeOf(dvp).files {
		if n.name == cnp.Name() {
			return n.vnode(l, dvp.Mount())
		}
	}
	if changes {
		return nil, kern.EROFS
	}
	return nil, kern.ENOENT
}

func access(_ *kern.Lwp, vp *vnode.Vnode, mode int, cred *kern.Cred) error {
	if mode&vnode.VWRITE != 0 {
		return kern.EROFS
	}
	va := &nodeOf(vp).va
	return genfs.Access(va.Type, va.Mode, va.UID, va.GID, mode, cred)
}

func getattr(_ *kern.Lwp, vp *vnode.Vnode, vap *vnode.Vattr, _ *kern.Cred) error {
	*vap = nodeOf(vp).va
	return nil
}

// setattr changes nothing, if that is what is asked for.
func setattr(_ *kern.Lwp, _ *vnode.Vnode, vap *vnode.Vattr, _ *kern.Cred) error {
	var none vnode.Vattr
	none.Null()
	if none.Vaflags = vap.Vaflags; *vap != none {
		return kern.EROFS
	}
	return nil
}

func read(_ *kern.Lwp, vp *vnode.Vnode, uio *kern.Uio, _ int, _ *kern.Cred) error {
	if vp.Type() == vnode.VDIR {
		return kern.EISDIR
	}
	text := nodeOf(vp).text
	return uio.Move([]byte(text[min(uio.Offset, int64(len(text))):]))
}

// readdir gives names, the last first. The offset is 0 at first, and then the place of the name read last, counted from 1.
func readdir(_ *kern.Lwp, vp *vnode.Vnode, uio *kern.Uio, _ *kern.Cred, _ *vnode.Cookies) (eof bool, err error) {
	files, off := nodeOf(vp).files, uio.Offset
	at := min(uint64(off)-1, uint64(len(files)))
	begin, moved := off, 1
	for at > 0 && moved > 0 && err == nil && uio.Resid > 0 {
		d := kern.Dirent{Fileno: files[at-1].va.Fileid, Type: kern.DT_REG, Name: files[at-1].name}
		if moved, err = d.Move(uio); moved > 0 {
			off, at = int64(at), at-1
		} else if off == begin {
			err = kern.EINVAL // not even one fits
		}
	}
	uio.Offset = off
	return at == 0, err
}

// reclaim parts node and vnode.
func reclaim(l *kern.Lwp, vp *vnode.Vnode) error {
	n := nodeOf(vp)
	n.lockf.Drop(l, vp)
	n.fs.lock.Enter(l)
	n.vp.Store(nil)
	n.fs.lock.Exit(l)
	vp.Disown(l)
	return nil
}

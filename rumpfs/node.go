package rumpfs

import (
	"math"
	"sync/atomic"

	"rumpvfs/genfs"
	"rumpvfs/kern"
	"rumpvfs/vnode"
)

// node is a file: rumpfs_node. It outlives its vnodes; from the time it loses its name it lives as long as its vnode. The
// letters give what guards a field:
//
//	:  stable
//	v  the vnode lock
//	r  FS.reclock to change it, none to look
//	d  dataLock, and to change it the vnode lock too
//	a  atomic
type node struct {
	fs  *FS        // :
	mnt *mountData // :

	vp         atomic.Pointer[vnode.Vnode] // r: nil while it has none
	va         vnode.Vattr                 // v: attributes, but for the size; type, file number and device are stable
	accessed   atomic.Int64                // a: a later access time than va has, ns since 1970; 0 is none. Readers share the vnode lock
	canReclaim bool                        // v: has no name any more
	lockf      vnode.Lockf                 // its own

	host  *hostFile   // :  nil unless it comes from the host
	freed atomic.Bool // r to set it: gone in the reference, so it gets no vnode any more

	dir    *directory // v: of VDIR
	target []byte     // :  of VLNK

	dataLock kern.Mutex
	data     fileData // d: of VREG

	tally kern.Tally // how often a Checkup has found the node
}

// nodeOf returns the node of a vnode.
func nodeOf(vp *vnode.Vnode) *node { return vp.Data.(*node) }

// dirOf returns the node of a vnode that must be a directory.
func dirOf(vp *vnode.Vnode) *node {
	rn := nodeOf(vp)
	kern.KASSERTOf(rn.dir != nil, "vp->v_type == VDIR", vp)
	return rn
}

// nodeBytes is what a node counts against the limit, besides its link target.
const nodeBytes = 512

// reserve takes n bytes of the memory for nodes and names, and reports whether it was there.
func (fs *FS) reserve(m *mountData, n int64) bool {
	if fs.nodeBytes.Add(n) > fs.nodeLimit {
		fs.nodeBytes.Add(-n)
		return false
	}
	m.nodeBytes.Add(n)
	return true
}

func (fs *FS) release(m *mountData, n int64) {
	m.nodeBytes.Add(-n)
	fs.nodeBytes.Add(-n)
}

// makeprivate makes a node without a name, or returns nil if there is no memory for it.
//
//netbsd:sys/rump/librump/rumpvfs/rumpfs.c makeprivate
func (fs *FS) makeprivate(m *mountData, vt vnode.Vtype, mode uint32, rdev kern.Dev, size int64) *node {
	kern.KASSERT(mode&^kern.ALLPERMS == 0, "(mode & ~ALLPERMS) == 0")
	if !fs.reserve(m, nodeBytes) {
		return nil
	}
	rn := &node{fs: fs, mnt: m}
	rn.dataLock.Init(fs.k.Sys, &dataClass)
	ino := fs.lastino.Add(1)
	ts := fs.k.Nanotime()
	rn.va = vnode.Vattr{
		Type: vt, Mode: mode, Nlink: 1, Fsid: ino, Fileid: ino, Size: uint64(size), Blocksize: kern.DEV_BSIZE,
		Atime: ts, Mtime: ts, Ctime: ts, Birthtime: ts, Rdev: rdev, Bytes: kern.DEV_BSIZE,
	}
	if vt == vnode.VDIR {
		rn.va.Nlink = 2
		rn.dir = new(directory)
	}
	return rn
}

// freeprivate gives back what a node takes. Nobody can find it.
func (rn *node) freeprivate() {
	if n := rn.data.len; n > 0 {
		rn.data.resize(0)
		rn.releaseData(n)
	}
	rn.fs.release(rn.mnt, nodeBytes+int64(len(rn.target)))
}

// makevnode gives a node a vnode. The error is ERESTART if another lwp has given it one meanwhile, ENOENT if the node is freed,
// else that of LoadVnode.
//
// Preconditions: reclock is not held.
// Postconditions: on success the vnode has one reference and is not locked.
//
//netbsd:sys/rump/librump/rumpvfs/rumpfs.c makevnode
func (fs *FS) makevnode(l *kern.Lwp, mp *vnode.Mount, rn *node) (*vnode.Vnode, error) {
	kern.KASSERT(!fs.reclock.Owned(l), "!mutex_owned(&reclock)")
	device := rn.va.Type == vnode.VCHR || rn.va.Type == vnode.VBLK
	ops := fs.vnodeops
	if device {
		ops = &fs.specops
	}
	return fs.vsys.LoadVnode(l, vnode.VT_RUMP, mp, ops, nil, func(vp *vnode.Vnode) error {
		vp.SetType(rn.va.Type)
		vp.SetVflag(vnode.VV_LOCKSWORK)
		fs.reclock.Enter(l)
		defer fs.reclock.Exit(l)
		if rn.vp.Load() != nil {
			return kern.ERESTART
		}
		if rn.freed.Load() {
			return kern.ENOENT
		}
		vp.Size = rn.initialSize() // which the lock of a vnode guards, but there is none
		vp.WriteSize = vp.Size
		vp.Data = rn
		genfs.NodeInit(vp, &genfsOps)
		if device { // from here on a revoke may find it
			fs.vsys.Devices.NodeInit(l, vp, rn.va.Rdev)
		}
		rn.vp.Store(vp)
		return nil
	})
}

// initialSize is the size of a new vnode of the node.
func (rn *node) initialSize() int64 {
	if rn.data.len > 0 && !rn.fs.quirk(kern.QuirkSizeForgotten) {
		return int64(rn.data.len)
	}
	return int64(rn.va.Size)
}

// getvnode returns the vnode of a node, made if it has none.
//
// Preconditions: something the caller has locked keeps the node.
// Postconditions: on success the vnode has a reference more and is not locked.
func (fs *FS) getvnode(l *kern.Lwp, mp *vnode.Mount, rn *node) (*vnode.Vnode, error) {
	return vnode.FindVnode(l, &fs.reclock, &rn.vp, func() (*vnode.Vnode, error) { return fs.makevnode(l, mp, rn) })
}

// maxDataLen is the longest file that the vnode layer can round up to pages. No memory account holds as much.
const maxDataLen = math.MaxInt64 - 2*kern.PAGE_SIZE

// reserveData takes n bytes of the memory for what files hold, that of the machine and that of the kernel. If the page daemon
// can make room it is waited for.
func (rn *node) reserveData(l *kern.Lwp, n int64) bool {
	sys := rn.fs.k.Sys
	if !sys.Reserve(n) {
		return false
	}
	if !rn.fs.vsys.UVM.TryHypermalloc(l, n, "rumpfs") {
		sys.Release(n)
		return false
	}
	rn.mnt.dataBytes.Add(n)
	return true
}

// releaseData gives n bytes back.
func (rn *node) releaseData(n uint64) {
	rn.mnt.dataBytes.Add(-int64(n))
	rn.fs.freeData(int64(n))
}

func (fs *FS) freeData(n int64) {
	fs.k.Sys.Release(n)
	fs.vsys.UVM.Hyperfree(n)
}

// grow makes the file longer, in the account, the data and the page cache, or reports that memory does not hold as much.
//
// Preconditions: vp, the node's vnode, is locked exclusively; newlen is more than the length of the data.
func (rn *node) grow(l *kern.Lwp, vp *vnode.Vnode, newlen uint64) bool {
	if newlen > maxDataLen || !rn.reserveData(l, int64(newlen-rn.data.len)) {
		return false
	}
	if rn.isUnion() {
		kern.QuirkEtfsDirData.Undefined() // the reference frees what it takes for the old data
	}
	rn.resizeData(l, newlen)
	vp.SetSize(l, int64(newlen))
	return true
}

// cut makes the file shorter. The page cache comes first, so that nothing is written back behind the end.
//
// Preconditions: vp, the node's vnode, is locked exclusively; newlen is less than the length of the data.
func (rn *node) cut(l *kern.Lwp, vp *vnode.Vnode, newlen uint64) {
	oldlen := rn.data.len
	vp.SetSize(l, int64(newlen))
	rn.resizeData(l, newlen)
	rn.releaseData(oldlen - newlen)
}

// resizeData makes the file's data n bytes long. The account has been seen to.
func (rn *node) resizeData(l *kern.Lwp, n uint64) {
	rn.dataLock.Enter(l)
	rn.data.resize(n)
	rn.dataLock.Exit(l)
}

// dlen is rn_dlen: the length of the data, which for a symbolic link is that of its target.
//
// Preconditions: the vnode lock is held.
func (rn *node) dlen() uint64 {
	if rn.va.Type == vnode.VLNK {
		return uint64(len(rn.target))
	}
	return rn.data.len
}

// modified moves the times of a change of contents, changed that of a change of attributes. With QuirkTimesStill nothing does.
//
// Preconditions: the vnode is locked exclusively.
func (rn *node) modified() {
	if !rn.fs.quirk(kern.QuirkTimesStill) {
		rn.va.Mtime = rn.fs.k.Nanotime()
		rn.va.Ctime = rn.va.Mtime
	}
}

func (rn *node) changed() {
	if !rn.fs.quirk(kern.QuirkTimesStill) {
		rn.va.Ctime = rn.fs.k.Nanotime()
	}
}

// wasRead moves the access time.
//
// Preconditions: the vnode is locked, shared or exclusively.
func (rn *node) wasRead(vp *vnode.Vnode) {
	if !rn.fs.quirk(kern.QuirkTimesStill) && vp.Mount().Flag()&(kern.MNT_NOATIME|kern.MNT_RDONLY) == 0 {
		rn.accessed.Store(rn.fs.k.Sys.Now().UnixNano())
	}
}

// atime is the access time.
func (rn *node) atime() kern.Timespec {
	if ns := rn.accessed.Load(); ns != 0 {
		return kern.Timespec{Sec: ns / 1e9, Nsec: ns % 1e9}
	}
	return rn.va.Atime
}

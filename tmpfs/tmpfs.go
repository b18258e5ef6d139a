// Package tmpfs is NetBSD's memory file system: everything that rumpfs lacks
// (rename, hard links, time stamps, limits, file handles) on the same
// framework.
//
// A file system type is an [FS], made at boot; a mounted file system is a
// tmpfsMount; a file is a node, which a vnode stands for while it is in use.
// A node lives as long as it has a name or a vnode.
package tmpfs

import (
	"rumpvfs/genfs"
	"rumpvfs/hypercall"
	"rumpvfs/kern"
	"rumpvfs/vnode"
)

// MOUNT_TMPFS is the type that mount(2) is given.
const MOUNT_TMPFS = "tmpfs"

// FS is tmpfs in one kernel.
type FS struct {
	vnode.BaseVFS

	k       *kern.Kernel
	vsys    *vnode.System
	ops     *vnode.Ops // of files and directories
	specops vnode.Ops  // of device nodes
	fifoops vnode.Ops  // of fifos
	fifo    *vnode.Ops // what fifos do besides keeping attributes
}

// New makes tmpfs for the kernel k. fifo are the operations of fifos.
//
//netbsd:sys/fs/tmpfs/tmpfs_vfsops.c tmpfs_init
func New(k *kern.Kernel, vsys *vnode.System, fifo *vnode.Ops) *FS {
	fs := &FS{k: k, vsys: vsys, ops: &vnodeOps, fifo: fifo}
	fs.specops = vnode.Ops{Name: "tmpfs device", Default: fs.vopSpec, Read: fs.specRead, Write: fs.specWrite}
	fs.fifoops = vnode.Ops{Name: "tmpfs fifo", Default: fs.vopFifo, Read: fs.fifoRead, Write: fs.fifoWrite}
	return fs
}

// The classes of the package's locks. A node's vlock comes before the
// interlock of its vnode; nothing is waited for under the others.
var (
	vlockClass = hypercall.LockClass{Name: "tn_vlock", Rank: 595}
	dataClass  = hypercall.LockClass{Name: "tn_aobj", Rank: 600}
	nodesClass = hypercall.LockClass{Name: "tm_lock", Rank: 580}
	timesClass = hypercall.LockClass{Name: "tn_times", Rank: 941}
	memClass   = hypercall.LockClass{Name: "tm_acc_lock", Rank: 940}
)

// vnodeOps is tmpfs_vnodeop_entries. Operations that are not here give
// EOPNOTSUPP.
//
//netbsd:sys/fs/tmpfs/tmpfs_vnops.c tmpfs_vnodeop_entries
var vnodeOps = vnode.Ops{
	Name:     "tmpfs",
	Lookup:   vopLookup,
	Create:   vopCreate,
	Mknod:    vopMknod,
	Open:     vopOpen,
	Close:    genfs.NullopClose,
	Access:   vopAccess,
	Getattr:  vopGetattr,
	Setattr:  vopSetattr,
	Read:     vopRead,
	Write:    vopWrite,
	Ioctl:    genfs.EnoioctlIoctl,
	Fcntl:    genfs.Fcntl,
	Poll:     genfs.Poll,
	Kqfilter: genfs.Kqfilter,
	Revoke:   genfs.Revoke,
	Mmap:     genfs.Mmap,
	Fsync:    genfs.NullopFsync,
	Seek:     genfs.Seek,
	Remove:   vopRemove,
	Link:     vopLink,
	Rename:   vopRename,
	Mkdir:    vopMkdir,
	Rmdir:    vopRmdir,
	Symlink:  vopSymlink,
	Readdir:  vopReaddir,
	Readlink: vopReadlink,
	Abortop:  genfs.Abortop,
	Inactive: vopInactive,
	Reclaim:  vopReclaim,
	Lock:     genfs.Lock,
	Unlock:   genfs.Unlock,
	Print:    vopPrint,
	Pathconf: vopPathconf,
	Islocked: genfs.Islocked,
	Advlock:  genfs.Advlock,
	Bwrite:   func(*kern.Lwp, *vnode.Vnode, *vnode.Buf) error { return nil },
	Getpages: vopGetpages,
	Putpages: vopPutpages,
	Whiteout: vopWhiteout,
}

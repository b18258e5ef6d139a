// Package rumpfs is the root file system of the rump kernel: a tree of nodes in memory, reached through the vnode layer.
//
// Reading order: node.go (what a file is, and how it gets a vnode), dirent.go and slots.go (directories), data.go (what
// regular files hold), then the operations: rumpfs_vfsops.go, rumpfs_lookup.go, rumpfs_dirops.go, rumpfs_readdir.go,
// rumpfs_attr.go, rumpfs_io.go, rumpfs_special.go. Then what comes from the host: etfs.go (which names stand for its files) and
// hostfile.go (opening, reading and writing them). Last fifo.go, the operations of fifos for other file systems.
//
// Where the operations deviate from POSIX as the reference does, they ask the kernel's set of quirks. Their locking is that
// of the vnode layer: vnode_if.src says which vnodes an operation finds locked, and a node's fields say which lock guards them.
package rumpfs

import (
	"sync/atomic"

	"rumpvfs/genfs"
	"rumpvfs/hypercall"
	"rumpvfs/kern"
	"rumpvfs/vnode"
)

// Config is what a kernel may say about its root file system.
type Config struct {
	// NodeLimit is how many bytes nodes, names and link targets may take before making another is refused with ENOMEM; 0
	// is 4 GiB. What files hold is on the memory accounts of the machine and of the kernel instead, and refused with ENOSPC.
	NodeLimit int64
	// Blk makes devices of host files. Without it none can be mapped as a device.
	Blk Rumpblk
}

// Rumpblk is the driver of the devices that are files of the host: [blkdev.Rumpblk].
type Rumpblk interface {
	Register(l *kern.Lwp, path string, begin, size int64) (minor int32, err error)
	Deregister(l *kern.Lwp, path string) error
}

const defaultNodeLimit = 4 << 30

// FS is rumpfs in one kernel: what its mounts share. The letters give what guards a field:
//
//	:  stable
//	a  atomic
//	e  etfsLock
type FS struct {
	genfs.VFS

	k    *kern.Kernel  // :
	vsys *vnode.System // :
	blk  Rumpblk       // :

	vnodeops *vnode.Ops // :  of everything but devices
	specops  vnode.Ops  // :  of devices

	lastino   atomic.Uint64 // a: the last file number given out
	nodeLimit int64         // :
	nodeBytes atomic.Int64  // a: what all nodes and names take

	reclock kern.Mutex // guards which vnode a node has

	etfsLock kern.Mutex
	etfs     []*etfs   // e: mappings, the newest first
	etfsMem  mountData // what the nodes of mappings take
}

// File numbers: that of all whiteouts, and the last one below those given out.
const (
	inoWhiteout = 1
	inoLast     = 2
)

// New makes rumpfs for a kernel. vsys has its device table and the operations of devices set before the first device node
// gets a vnode.
//
//netbsd:sys/rump/librump/rumpvfs/rumpfs.c rumpfs_init
func New(k *kern.Kernel, vsys *vnode.System, c Config) *FS {
	fs := &FS{k: k, vsys: vsys, blk: c.Blk, vnodeops: &vnodeOps, nodeLimit: c.NodeLimit}
	if fs.nodeLimit == 0 {
		fs.nodeLimit = defaultNodeLimit
	}
	fs.specops = vnode.Ops{Name: "rumpfs device", Default: fs.vopSpec}
	fs.lastino.Store(inoLast)
	fs.reclock.Init(k.Sys, &reclockClass)
	fs.etfsLock.Init(k.Sys, &etfsClass)
	return fs
}

// Done ends rumpfs and the mappings that are left, which closes the host files of devices. No mount of it is left.
//
//netbsd:sys/rump/librump/rumpvfs/rumpfs.c rumpfs_done
func (fs *FS) Done(l *kern.Lwp) {
	fs.etfsDone(l)
	fs.reclock.Destroy(l)
	fs.etfsLock.Destroy(l)
}

// quirk reports whether the kernel has q.
func (fs *FS) quirk(q kern.Quirk) bool { return fs.k.Quirks.Has(q) }

// The classes of the package's locks. reclock comes before that of devices and before interlocks; a data lock is taken last; nothing is waited for under
// etfsLock.
var (
	etfsClass    = hypercall.LockClass{Name: "etfs_lock", Rank: 575}
	reclockClass = hypercall.LockClass{Name: "reclock", Rank: 540}
	dataClass    = hypercall.LockClass{Name: "rn_data", Rank: 950}
)

// genfsOps is what rumpfs answers when genfs asks about a file.
var genfsOps = genfs.Ops{Size: genfs.Size, Write: genfs.GopWrite}

// vnodeOps is rump_vnodeop_entries. Operations that are not here give EOPNOTSUPP.
var vnodeOps = vnode.Ops{
	Name:     "rumpfs",
	Lookup:   vopLookup,
	Getattr:  vopGetattr,
	Setattr:  vopSetattr,
	Mkdir:    vopMkdir,
	Rmdir:    vopRmdir,
	Remove:   vopRemove,
	Mknod:    vopMknod,
	Create:   vopCreate,
	Symlink:  vopSymlink,
	Readlink: vopReadlink,
	Access:   vopAccess,
	Readdir:  vopReaddir,
	Read:     vopRead,
	Write:    vopWrite,
	Open:     vopOpen,
	Close:    genfs.NullopClose,
	Seek:     genfs.Seek,
	Getpages: genfs.Getpages,
	Putpages: genfs.Putpages,
	Whiteout: vopWhiteout,
	Fsync:    vopSuccess,
	Lock:     genfs.Lock,
	Unlock:   genfs.Unlock,
	Islocked: genfs.Islocked,
	Inactive: vopInactive,
	Reclaim:  vopReclaim,
	Link:     genfs.EopnotsuppLink,
	Pathconf: vopPathconf,
	Bmap:     vopBmap,
	Strategy: vopStrategy,
	Advlock:  genfs.Advlock,
	Revoke:   vopRevoke,
}

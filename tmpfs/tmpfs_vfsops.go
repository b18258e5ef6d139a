package tmpfs

import (
	"encoding/binary"
	"math"
	"sync/atomic"

	"rumpvfs/genfs"
	"rumpvfs/kern"
	"rumpvfs/namei"
	"rumpvfs/vnode"
)

// Args is what a tmpfs is mounted with. With MNT_GETARGS it is filled in.
//
//netbsd:sys/fs/tmpfs/tmpfs_args.h tmpfs_args
type Args struct {
	NodesMax uint64 // files; 3 or less for as many as memory allows
	SizeMax  int64  // bytes of memory; less than a page for no limit
	RootUID  uint32
	RootGID  uint32
	RootMode uint32
}

// DefaultArgs mounts without limits, the root directory writable for
// everybody.
func DefaultArgs() *Args { return &Args{RootMode: 0o1777} }

// tmpfsMount is a mounted tmpfs.
type tmpfsMount struct {
	fs   *FS
	mem  memory
	root *node // :

	nodesMax atomic.Int64
	nodesCnt atomic.Int64

	lock    kern.Mutex
	nodes   *node    // lock: all nodes, the newest first
	lastID  uint64   // lock: how many numbers there have been
	freeIDs []uint64 // lock: numbers not in use, the last freed last
}

func mountOf(mp *vnode.Mount) *tmpfsMount { return mp.Data.(*tmpfsMount) }

// Name returns "tmpfs".
func (fs *FS) Name() string { return MOUNT_TMPFS }

// Mount mounts or updates a tmpfs. data is an [*Args]; anything else is
// EINVAL.
//
//netbsd:sys/fs/tmpfs/tmpfs_vfsops.c tmpfs_mount
func (fs *FS) Mount(l *kern.Lwp, mp *vnode.Mount, path string, data any) error {
	args, ok := data.(*Args)
	if !ok || args == nil {
		return kern.EINVAL
	}
	if mp.Flag()&kern.MNT_GETARGS != 0 {
		return getargs(mp, args)
	}
	memlimit := uint64(math.MaxUint64)
	if args.SizeMax >= kern.PAGE_SIZE {
		memlimit = uint64(args.SizeMax)
	}
	nodes := args.NodesMax
	if nodes <= 3 {
		nodes = 3 + memlimit/1024
	}
	nodes = min(nodes, math.MaxInt32)
	if mp.Flag()&kern.MNT_UPDATE != 0 {
		return mountOf(mp).update(l, args, memlimit, int64(nodes))
	}
	if err := fs.mountNew(l, mp, args, memlimit, int64(nodes)); err != nil {
		return err
	}
	err := namei.SetStatvfsInfo(l, path, MOUNT_TMPFS, MOUNT_TMPFS, mp)
	if err != nil {
		_ = fs.Unmount(l, mp, kern.MNT_FORCE)
	}
	return err
}

func getargs(mp *vnode.Mount, args *Args) error {
	m, ok := mp.Data.(*tmpfsMount)
	if !ok {
		return kern.EIO
	}
	*args = Args{
		NodesMax: uint64(m.nodesMax.Load()), SizeMax: int64(m.mem.limit),
		RootUID: m.root.uid, RootGID: m.root.gid, RootMode: m.root.mode,
	}
	return nil
}

// update changes limits and what the root directory is like; EBUSY if more
// is in use than the new limits allow.
func (m *tmpfsMount) update(l *kern.Lwp, args *Args, memlimit uint64, nodes int64) error {
	if nodes < m.nodesCnt.Load() {
		return kern.EBUSY
	}
	if err := m.mem.set(l, memlimit); err != nil {
		return err
	}
	m.nodesMax.Store(nodes)
	m.root.uid, m.root.gid, m.root.mode = args.RootUID, args.RootGID, args.RootMode
	return nil
}

func (fs *FS) mountNew(l *kern.Lwp, mp *vnode.Mount, args *Args, memlimit uint64, nodes int64) error {
	m := &tmpfsMount{fs: fs}
	m.nodesMax.Store(nodes)
	m.mem.limit = memlimit
	m.mem.lock.Init(fs.k.Sys, &memClass)
	m.lock.Init(fs.k.Sys, &nodesClass)
	root, err := m.allocNode(l, vnode.VDIR, args.RootUID, args.RootGID, args.RootMode&kern.ALLPERMS, "", kern.NODEV)
	if err != nil {
		return err
	}
	root.links++ // nobody's entry leads to it
	root.dir.parent = root
	m.root = root
	mp.Data = m
	mp.SetFlag(kern.MNT_LOCAL)
	mp.SetIflag(kern.IMNT_MPSAFE)
	mp.Stat.Namemax = kern.KERNEL_NAME_MAX
	mp.FsBshift = kern.PAGE_SHIFT
	mp.DevBshift = kern.DEV_BSHIFT
	mp.GetNewFsid(l)
	return nil
}

// Start implements vnode.VFSOps. There is nothing to start.
//
//netbsd:sys/fs/tmpfs/tmpfs_vfsops.c tmpfs_start
func (fs *FS) Start(*kern.Lwp, *vnode.Mount, int) error { return nil }

// Unmount ends a mount and all that is in it: EBUSY if it is in use, unless
// MNT_FORCE is set.
//
//netbsd:sys/fs/tmpfs/tmpfs_vfsops.c tmpfs_unmount
func (fs *FS) Unmount(l *kern.Lwp, mp *vnode.Mount, mntflags int) error {
	m := mountOf(mp)
	if err := mp.Vflush(l, nil, vnode.FlushFlags(mntflags)); err != nil {
		return err
	}
	m.empty(l)
	for m.nodes != nil {
		m.freeNode(l, m.nodes)
	}
	kern.KASSERT(m.mem.used == 0, "mp->tm_bytes_used == 0")
	m.mem.lock.Destroy(l)
	m.lock.Destroy(l)
	mp.Data = nil
	return nil
}

// empty takes all entries out of all directories, so that nothing has a link
// any more. No node has a vnode.
func (m *tmpfsMount) empty(l *kern.Lwp) {
	for n := m.nodes; n != nil; n = n.next {
		if n.typ != vnode.VDIR {
			continue
		}
		for de, _ := n.dir.from(0); de != nil; de, _ = n.dir.from(0) {
			n.detach(l, de)
			m.freeDirent(l, de)
		}
		n.links-- // its "."
	}
	m.root.links--
}

// Root returns the root directory.
//
// Postconditions: the vnode is referenced and locked exclusively.
//
//netbsd:sys/fs/tmpfs/tmpfs_vfsops.c tmpfs_root
func (fs *FS) Root(l *kern.Lwp, mp *vnode.Mount) (*vnode.Vnode, error) {
	return getLocked(l, mp, mountOf(mp).root)
}

// getLocked returns the vnode of a node that the mount keeps.
func getLocked(l *kern.Lwp, mp *vnode.Mount, n *node) (*vnode.Vnode, error) {
	vp, err := n.vnode(l, mp)
	return vnode.Locked(l, vp, err)
}

// Vget fails: file handles are the way to find a file by number.
//
//netbsd:sys/fs/tmpfs/tmpfs_vfsops.c tmpfs_vget
func (fs *FS) Vget(*kern.Lwp, *vnode.Mount, uint64) (*vnode.Vnode, error) {
	return nil, kern.EOPNOTSUPP
}

// A file handle is 16 bytes: its length, padding, the generation and the
// number of the node.
const fidLen = 16

// Vptofh returns a handle by which the file can be found again.
//
//netbsd:sys/fs/tmpfs/tmpfs_vfsops.c tmpfs_vptofh
func (fs *FS) Vptofh(_ *kern.Lwp, vp *vnode.Vnode) ([]byte, error) {
	n := nodeOf(vp)
	fid := make([]byte, fidLen)
	binary.LittleEndian.PutUint16(fid, fidLen)
	binary.LittleEndian.PutUint32(fid[4:], n.gen)
	binary.LittleEndian.PutUint64(fid[8:], n.id)
	return fid, nil
}

// Fhtovp finds the file of a handle: EINVAL if it is no handle, ESTALE if
// the file is gone.
//
// Postconditions: the vnode is referenced and locked exclusively.
//
//netbsd:sys/fs/tmpfs/tmpfs_vfsops.c tmpfs_fhtovp
func (fs *FS) Fhtovp(l *kern.Lwp, mp *vnode.Mount, fid []byte) (*vnode.Vnode, error) {
	if len(fid) != fidLen {
		return nil, kern.EINVAL
	}
	m := mountOf(mp)
	n := m.find(l, binary.LittleEndian.Uint64(fid[8:]))
	if n == nil {
		return nil, kern.ESTALE
	}
	vp, err := n.vnodeGet(l, mp)
	if vp, err = vnode.Locked(l, vp, err); err != nil {
		return nil, err
	}
	if n.gen != binary.LittleEndian.Uint32(fid[4:]) {
		vp.Put(l)
		return nil, kern.ESTALE
	}
	return vp, nil
}

// find returns the node with a number, kept for the caller to get its vnode.
func (m *tmpfsMount) find(l *kern.Lwp, id uint64) *node {
	m.lock.Enter(l)
	defer m.lock.Exit(l)
	n := m.nodes
	for n != nil && n.id != id {
		n = n.next
	}
	if n != nil {
		n.keep(l)
	}
	return n
}

// Statvfs tells how much room is left.
//
//netbsd:sys/fs/tmpfs/tmpfs_vfsops.c tmpfs_statvfs
func (fs *FS) Statvfs(l *kern.Lwp, mp *vnode.Mount, sbp *kern.Statvfs) error {
	m := mountOf(mp)
	sbp.Iosize, sbp.Frsize, sbp.Bsize = kern.PAGE_SIZE, kern.PAGE_SIZE, kern.PAGE_SIZE
	m.mem.lock.Enter(l)
	avail := m.mem.pagesAvail()
	sbp.Blocks = m.mem.bytesMax() >> kern.PAGE_SHIFT
	m.mem.lock.Exit(l)
	sbp.Bavail, sbp.Bfree = avail, avail
	cnt := uint64(m.nodesCnt.Load())
	free := min(uint64(m.nodesMax.Load())-cnt, avail*kern.PAGE_SIZE/nodeBytes)
	sbp.Files = cnt + free
	sbp.Favail, sbp.Ffree = free, free
	mp.CopyStatvfsInfo(sbp)
	return nil
}

// Sync implements vnode.VFSOps. There is nowhere to write to.
//
//netbsd:sys/fs/tmpfs/tmpfs_vfsops.c tmpfs_sync
func (fs *FS) Sync(*kern.Lwp, *vnode.Mount, int, *kern.Cred) error { return nil }

// RenamelockEnter keeps renames in mp from each other.
func (fs *FS) RenamelockEnter(l *kern.Lwp, mp *vnode.Mount) error {
	return genfs.RenamelockEnter(l, mp)
}

// RenamelockExit lets the next rename begin.
func (fs *FS) RenamelockExit(l *kern.Lwp, mp *vnode.Mount) { genfs.RenamelockExit(l, mp) }

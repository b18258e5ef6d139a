package tmpfs

import (
	"sync/atomic"

	"rumpvfs/kern"
	"rumpvfs/uvm"
	"rumpvfs/vnode"
)

// node is an inode. Its fields are guarded by the lock of its vnode, except
//
//	:  stable
//	a  atomic
//	n  tmpfsMount.lock
//	t  tlock, for a file is read, and its access time moved, by several at once
//	v  vlock
type node struct {
	mnt *tmpfsMount // :

	vlock   kern.Mutex                  // guards the bond with the vnode
	vp      atomic.Pointer[vnode.Vnode] // a: changed under v
	getters int                         // v: lwps about to get the vnode; the node stays meanwhile
	dead    bool                        // v: has no name and never will

	typ vnode.Vtype // :
	id  uint64      // :
	gen uint32      // 0 once it has neither name nor user

	size     int64 // bytes
	uid, gid uint32
	mode     uint32
	flags    uint32
	links    uint32
	lockf    vnode.Lockf

	tlock kern.Mutex
	times times // t

	rdev   kern.Dev    // : of a device
	target string      // : of a symbolic link
	dir    directory   // of a directory
	aobj   *uvm.Object // : of a regular file: what it holds

	next, prev *node // n

	tally kern.Tally // links that a Checkup has found
}

// times are a file's time stamps.
type times struct{ access, mod, change, birth kern.Timespec }

// allocNode makes a node without a name, or ENOSPC.
//
//netbsd:sys/fs/tmpfs/tmpfs_subr.c tmpfs_alloc_node
func (m *tmpfsMount) allocNode(l *kern.Lwp, t vnode.Vtype, uid, gid, mode uint32, target string, rdev kern.Dev) (*node, error) {
	if !m.nodeGet(l) {
		return nil, kern.ENOSPC
	}
	n := &node{mnt: m, typ: t, uid: uid, gid: gid, mode: mode, rdev: rdev}
	n.vlock.Init(m.fs.k.Sys, &vlockClass)
	n.tlock.Init(m.fs.k.Sys, &timesClass)
	now := m.fs.k.Nanotime()
	n.times = times{now, now, now, now}
	switch t {
	case vnode.VDIR:
		n.dir.init()
		n.links = 1 // for its "."
	case vnode.VLNK:
		// A link of no length has no room for its NUL, as in the reference.
		if target != "" {
			n.size = int64(len(target)) + 1
			if !m.mem.incr(l, nameBytes(int(n.size))) {
				m.nodePut(l)
				return nil, kern.ENOSPC
			}
			n.target = string([]byte(target))
		}
	case vnode.VREG:
		n.aobj = uvm.NewAobj(m.fs.vsys.UVM, &dataClass)
	}
	m.enlist(l, n)
	return n, nil
}

// freeNode ends a node that has neither name nor vnode.
//
//netbsd:sys/fs/tmpfs/tmpfs_subr.c tmpfs_free_node
func (m *tmpfsMount) freeNode(l *kern.Lwp, n *node) {
	m.delist(l, n)
	switch n.typ {
	case vnode.VLNK:
		if n.size > 0 {
			m.mem.decr(l, nameBytes(int(n.size)))
		}
	case vnode.VREG:
		if n.size > 0 {
			m.mem.decr(l, roundPage(uint64(n.size)))
		}
		n.aobj.Pager.Detach(l, n.aobj)
	case vnode.VDIR:
		kern.KASSERT(n.dir.count == 0, "TAILQ_EMPTY(&node->tn_spec.tn_dir.tn_dir)")
	}
	kern.KASSERT(n.vp.Load() == nil && n.links == 0, "node->tn_links == 0")
	n.vlock.Destroy(l)
	n.tlock.Destroy(l)
	m.nodePut(l)
}

// enlist numbers the node and enters it into the mount's list.
func (m *tmpfsMount) enlist(l *kern.Lwp, n *node) {
	m.lock.Enter(l)
	n.id = m.takeID()
	n.gen = 1 + uint32(m.fs.k.Sys.Random())%genMask
	n.next = m.nodes
	if m.nodes != nil {
		m.nodes.prev = n
	}
	m.nodes = n
	m.lock.Exit(l)
}

// takeID returns a number for a new node: as in the reference, where it is
// the node's place in memory, the one freed last, else a new one. The first
// is 2, for whiteouts are shown as 1.
//
// Preconditions: lock is held.
func (m *tmpfsMount) takeID() uint64 {
	if k := len(m.freeIDs); k > 0 {
		id := m.freeIDs[k-1]
		m.freeIDs = m.freeIDs[:k-1]
		return id
	}
	m.lastID++
	return m.lastID + whiteoutFileno
}

func (m *tmpfsMount) delist(l *kern.Lwp, n *node) {
	m.lock.Enter(l)
	m.freeIDs = append(m.freeIDs, n.id)
	if n.prev == nil {
		m.nodes = n.next
	} else {
		n.prev.next = n.next
	}
	if n.next != nil {
		n.next.prev = n.prev
	}
	m.lock.Exit(l)
}

// genMask bounds generation numbers, which are never 0.
const genMask = 1<<30 - 1

// nodeOf returns the node that vp stands for.
func nodeOf(vp *vnode.Vnode) *node { return vp.Data.(*node) }

// vnode returns the node's vnode.
//
// Preconditions: a directory that the caller has locked leads to the node.
// Postconditions: on success the vnode is referenced and not locked.
func (n *node) vnode(l *kern.Lwp, mp *vnode.Mount) (*vnode.Vnode, error) {
	if vp := n.vp.Load(); vp != nil && l.Hooks == nil && vp.TryRef() {
		return vp, nil
	}
	n.keep(l)
	return n.vnodeGet(l, mp)
}

// keep says that the caller is about to get the node's vnode, so that the
// node is not freed before. [node.vnodeGet] ends it.
//
// Preconditions: something that the caller has locked keeps the node now.
func (n *node) keep(l *kern.Lwp) {
	n.vlock.Enter(l)
	n.getters++
	n.vlock.Exit(l)
}

// vnodeGet returns the node's vnode, made if there is none.
//
// Preconditions: the caller called keep, and locks no vnode that is locked
// after this one.
// Postconditions: on success the vnode is referenced and not locked.
//
//netbsd:sys/fs/tmpfs/tmpfs_subr.c tmpfs_vnode_get
func (n *node) vnodeGet(l *kern.Lwp, mp *vnode.Mount) (*vnode.Vnode, error) {
	vp, err := vnode.FindVnode(l, &n.vlock, &n.vp, func() (*vnode.Vnode, error) { return n.vnodeMake(l, mp) })
	n.kept(l)
	return vp, err
}

// kept ends what keep has begun. A node that lost its last name meanwhile and
// got no vnode is freed.
func (n *node) kept(l *kern.Lwp) {
	n.vlock.Enter(l)
	n.getters--
	free := n.orphan()
	n.vlock.Exit(l)
	if free {
		n.mnt.freeNode(l, n)
	}
}

// orphan reports whether nothing leads to the node any more.
//
// Preconditions: vlock is held.
func (n *node) orphan() bool { return n.dead && n.getters == 0 && n.vp.Load() == nil }

// vnodeMake makes a vnode for the node: ERESTART if somebody else did.
func (n *node) vnodeMake(l *kern.Lwp, mp *vnode.Mount) (*vnode.Vnode, error) {
	fs := n.mnt.fs
	ops := fs.ops
	var slock *kern.Mutex
	switch n.typ {
	case vnode.VBLK, vnode.VCHR:
		ops = &fs.specops
	case vnode.VFIFO:
		ops = &fs.fifoops
	case vnode.VREG:
		slock = n.aobj.Interlock // one lock for the vnode's pages and the file's
	}
	return fs.vsys.LoadVnode(l, vnode.VT_TMPFS, mp, ops, slock, func(vp *vnode.Vnode) error {
		vp.SetType(n.typ)
		vp.SetVflag(vnode.VV_LOCKSWORK)
		if n.typ == vnode.VBLK || n.typ == vnode.VCHR {
			fs.vsys.Devices.NodeInit(l, vp, n.rdev)
		}
		n.vlock.Enter(l)
		defer n.vlock.Exit(l)
		if n.vp.Load() != nil {
			return kern.ERESTART
		}
		// What the lock of the vnode guards does not change while there is none.
		if n.typ == vnode.VDIR && n.dir.parent == n {
			vp.SetVflag(vnode.VV_ROOT)
		}
		vp.Size, vp.WriteSize = n.size, n.size
		vp.Data = n
		n.vp.Store(vp)
		return nil
	})
}

// knote tells filters of kevent(2) what has happened to the file.
//
// Preconditions: its vnode, if there is one, is locked or cannot go.
func (n *node) knote(l *kern.Lwp, hint uint32) {
	if vp := n.vp.Load(); vp != nil {
		vp.Knote(l, hint)
	}
}

// update flags: which time stamps an operation moves.
const (
	updateAtime = 1 << iota
	updateMtime
	updateCtime
)

// update moves time stamps to now.
//
//netbsd:sys/fs/tmpfs/tmpfs_subr.c tmpfs_update
func (n *node) update(l *kern.Lwp, which int) {
	now := n.mnt.fs.k.Nanotime()
	n.tlock.Enter(l)
	if which&updateAtime != 0 {
		n.times.access = now
	}
	if which&updateMtime != 0 {
		n.times.mod = now
	}
	if which&updateCtime != 0 {
		n.times.change = now
	}
	n.tlock.Exit(l)
}

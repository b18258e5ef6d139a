package specfs

import (
	"slices"
	"sync/atomic"

	"rumpvfs/blkdev"
	"rumpvfs/hypercall"
	"rumpvfs/kern"
	"rumpvfs/vnode"
)

// System is the device vnodes of one kernel.
type System struct {
	v     *vnode.System
	devsw *blkdev.Devsw
	cache *blkdev.Cache
	ops   vnode.Ops

	lock  kern.Mutex
	nodes map[devKey][]*vnode.Vnode // lock: the vnodes of each device, the newest last
}

type devKey struct {
	t    vnode.Vtype
	rdev kern.Dev
}

// node is the device part of a vnode (specnode). The letters give what guards
// a field:
//
//	:     stable
//	lock  System.lock
type node struct {
	sys     *System
	dev     *dev   // :
	key     devKey // :
	opencnt int    // lock: opens through this vnode
	gone    bool   // lock: revoked, closing
}

// dev is the state that all vnodes of a device share (specdev).
type dev struct {
	opencnt int                         // lock: opens through any vnode
	bdevvp  atomic.Pointer[vnode.Vnode] // a: of a block device, the one vnode it is open through; written under lock
	mounted atomic.Pointer[vnode.Mount] // a: what is mounted from it
	lockf   vnode.Lockf                 // advisory locks
}

var deviceLockClass = hypercall.LockClass{Name: "device_lock", Rank: 550}

// New makes the device layer above v with the drivers of devsw, whose block
// devices are read and written through cache.
//
//netbsd:sys/miscfs/specfs/spec_vnops.c spec_init
func New(k *kern.Kernel, v *vnode.System, devsw *blkdev.Devsw, cache *blkdev.Cache) *System {
	s := &System{v: v, devsw: devsw, cache: cache, nodes: make(map[devKey][]*vnode.Vnode)}
	s.lock.Init(k.Sys, &deviceLockClass)
	s.ops = s.vector()
	return s
}

// Ops returns the operations of device vnodes: the vector of those that
// belong to no file system, to which file systems forward theirs.
func (s *System) Ops() *vnode.Ops { return &s.ops }

// NodeInit makes the new vnode vp one of the device rdev.
//
// Preconditions: vp is VBLK or VCHR, and nobody else knows of it.
//
//netbsd:sys/miscfs/specfs/spec_vnops.c spec_node_init
func (s *System) NodeInit(l *kern.Lwp, vp *vnode.Vnode, rdev kern.Dev) {
	t := vp.Type()
	kern.KASSERTOf(t == vnode.VBLK || t == vnode.VCHR, "vp->v_type == VBLK || vp->v_type == VCHR", vp)
	kern.KASSERTOf(vp.Dev == nil, "vp->v_specnode == NULL", vp)
	key := devKey{t, rdev}
	n := &node{sys: s, key: key}
	s.lock.Enter(l)
	if known := s.nodes[key]; len(known) > 0 {
		n.dev = nodeOf(known[0]).dev
	} else {
		n.dev = &dev{}
	}
	vp.Dev = n
	s.nodes[key] = append(s.nodes[key], vp)
	s.lock.Exit(l)
}

func nodeOf(vp *vnode.Vnode) *node { return vp.Dev.(*node) }

// Rdev returns the device number.
func (n *node) Rdev() kern.Dev { return n.key.rdev }

// Mounted reports whether a file system is mounted from the device.
func (n *node) Mounted() bool { return n.dev.mounted.Load() != nil }

// Lookup returns a vnode of the device that is not dead or dying; of an open
// block device the one it is open through. ENOENT if there is none.
//
// Postconditions: the vnode is referenced.
//
//netbsd:sys/miscfs/specfs/spec_vnops.c spec_node_lookup_by_dev
func (s *System) Lookup(l *kern.Lwp, t vnode.Vtype, rdev kern.Dev) (*vnode.Vnode, error) {
	s.lock.Enter(l)
	vp := s.living(l, s.nodes[devKey{t, rdev}])
	if vp == nil {
		s.lock.Exit(l)
		return nil, kern.ENOENT
	}
	if open := nodeOf(vp).dev.bdevvp.Load(); open != nil && open != vp {
		vp.Interlock.Exit(l)
		vp = open
		vp.Interlock.Enter(l)
	}
	s.lock.Exit(l)
	if err := vp.Get(l, 0); err != nil {
		return nil, err
	}
	return vp, nil
}

// living returns the newest of the vnodes that lives, with its interlock
// held.
func (s *System) living(l *kern.Lwp, vnodes []*vnode.Vnode) *vnode.Vnode {
	for i := len(vnodes) - 1; i >= 0; i-- {
		vp := vnodes[i]
		vp.Interlock.Enter(l)
		if !vp.Dying() {
			return vp
		}
		vp.Interlock.Exit(l)
	}
	return nil
}

// MountedFS returns what is mounted from the block device devvp, or nil.
//
//netbsd:sys/miscfs/specfs/spec_vnops.c spec_node_getmountedfs
func MountedFS(devvp *vnode.Vnode) *vnode.Mount { return nodeOf(devvp).dev.mounted.Load() }

// SetMountedFS records what is mounted from the block device devvp, nil for
// nothing any more.
//
//netbsd:sys/miscfs/specfs/spec_vnops.c spec_node_setmountedfs
func SetMountedFS(devvp *vnode.Vnode, mp *vnode.Mount) {
	d := nodeOf(devvp).dev
	kern.KASSERTOf(d.mounted.Load() == nil || mp == nil, "sd_mountpoint == NULL || mp == NULL", devvp)
	d.mounted.Store(mp)
}

// Revoke closes the device if vp holds it open, however often. Opening it
// through vp fails from then on.
//
// Preconditions: vp is locked exclusively, and dying.
//
//netbsd:sys/miscfs/specfs/spec_vnops.c spec_node_revoke
func (n *node) Revoke(l *kern.Lwp, vp *vnode.Vnode) {
	n.sys.lock.Enter(l)
	kern.KASSERTOf(!n.gone && n.opencnt <= n.dev.opencnt, "sn->sn_opencnt <= sd->sd_opencnt", vp)
	open := n.opencnt != 0
	if open {
		n.dev.opencnt -= n.opencnt - 1
		n.opencnt = 1
		n.gone = true
	}
	n.sys.lock.Exit(l)
	if !open {
		return
	}
	n.dev.lockf.Drop(l, vp)
	_ = vnode.VOP_CLOSE(l, vp, kern.FNONBLOCK, nil)
	n.sys.lock.Enter(l)
	kern.KASSERTOf(n.opencnt == 0, "sn->sn_opencnt == 0", vp)
	n.sys.lock.Exit(l)
}

// Destroy forgets a vnode that is being freed. With the last of a device go its
// advisory locks: an lwp may have taken one while another closed its descriptor.
//
//netbsd:sys/miscfs/specfs/spec_vnops.c spec_node_destroy
func (n *node) Destroy(l *kern.Lwp, vp *vnode.Vnode) {
	kern.KASSERTOf(n.opencnt == 0, "sn->sn_opencnt == 0", vp)
	if n.sys.forget(l, vp, n.key) {
		n.dev.lockf.Drop(l, vp)
	}
	vp.Dev = nil
}

// forget takes a vnode from those of its device, and reports whether it was the
// last.
func (s *System) forget(l *kern.Lwp, vp *vnode.Vnode, key devKey) bool {
	s.lock.Enter(l)
	defer s.lock.Exit(l)
	vnodes := s.nodes[key]
	i := slices.Index(vnodes, vp)
	if i < 0 {
		kern.Panicf("spec_node_destroy: corrupt hash: %v", vp)
	}
	if vnodes = slices.Delete(vnodes, i, i+1); len(vnodes) > 0 {
		s.nodes[key] = vnodes
	} else {
		delete(s.nodes, key)
	}
	return len(vnodes) == 0
}

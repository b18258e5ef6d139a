//go:build linux

package fusefs

import (
	"maps"
	"slices"
	"sync"

	"rumpvfs/kern"
	"rumpvfs/vnode"

	"github.com/hanwen/go-fuse/v2/fuse"
)

// node is a file that the host knows.
type node struct {
	vp      *vnode.Vnode // referenced
	lookups uint64       // how many times the host was told of it and has not forgotten
}

// nodes are the files that the host knows, by the number that it knows them
// by. A number is never used again, so all are of one generation.
type nodes struct {
	mu      sync.Mutex
	byID    map[uint64]*node
	ids     map[*vnode.Vnode]uint64
	last    uint64 // the highest number given out
	lookups uint64 // of all nodes
}

// generation is that of every node.
const generation = 1

// init makes root, whose reference passes to the table, the root directory.
// The host never forgets it.
func (t *nodes) init(root *vnode.Vnode) {
	t.byID = map[uint64]*node{fuse.FUSE_ROOT_ID: {vp: root, lookups: 1}}
	t.ids = map[*vnode.Vnode]uint64{root: fuse.FUSE_ROOT_ID}
	t.last, t.lookups = fuse.FUSE_ROOT_ID, 1
}

// get returns the vnode of a number, without a reference of its own: the host
// does not forget a file while it asks for it. ESTALE if there is none.
func (t *nodes) get(id uint64) (*vnode.Vnode, error) {
	t.mu.Lock()
	defer t.mu.Unlock()
	n := t.byID[id]
	if n == nil {
		return nil, kern.ESTALE
	}
	return n.vp, nil
}

// tell counts that the host is told of vp, and returns its number.
//
// Preconditions: the caller has a reference to vp.
// Postconditions: the reference is gone or the table's.
func (t *nodes) tell(l *kern.Lwp, vp *vnode.Vnode) uint64 {
	t.mu.Lock()
	id, known := t.ids[vp]
	if !known {
		t.last++
		id = t.last
		t.ids[vp], t.byID[id] = id, &node{vp: vp}
	}
	t.byID[id].lookups++
	t.lookups++
	t.mu.Unlock()
	if known {
		vp.Rele(l)
	}
	return id
}

// forget takes back n times that the host was told of a node. If those were
// all it returns the vnode, whose reference is the caller's then.
func (t *nodes) forget(id, n uint64) *vnode.Vnode {
	t.mu.Lock()
	defer t.mu.Unlock()
	nd := t.byID[id]
	if nd == nil {
		return nil
	}
	n = min(n, nd.lookups)
	nd.lookups -= n
	t.lookups -= n
	if nd.lookups > 0 {
		return nil
	}
	delete(t.byID, id)
	delete(t.ids, nd.vp)
	return nd.vp
}

// forgetAll empties the table and returns the vnodes, whose references are
// the caller's then.
func (t *nodes) forgetAll() (vps []*vnode.Vnode) {
	t.mu.Lock()
	defer t.mu.Unlock()
	for _, id := range slices.Sorted(maps.Keys(t.byID)) {
		vps = append(vps, t.byID[id].vp)
	}
	t.byID, t.ids, t.lookups = nil, nil, 0
	return vps
}

// count returns how many files the host knows, and how many times it was told
// of them.
func (t *nodes) count() (known int, lookups uint64) {
	t.mu.Lock()
	defer t.mu.Unlock()
	return len(t.byID), t.lookups
}

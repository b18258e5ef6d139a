package rumpfs

import (
	"fmt"
	"math/bits"

	"rumpvfs/kern"
	"rumpvfs/vnode"
)

// checkup is what a [kern.Checkup] finds in one mount.
type checkup struct {
	*kern.Checkup
	fs        *FS
	m         *mountData
	mp        *vnode.Mount
	nodeBytes int64 // that the nodes found take
	dataBytes int64
}

// Check verifies the tree of a mount, files without a name included: that each node is reached once, the names of directories,
// what files hold, the bonds with vnodes, and the accounts of memory.
//
// Preconditions: the kernel is at rest.
func (fs *FS) Check(c *kern.Checkup, mp *vnode.Mount) {
	m := mp.Data.(*mountData)
	m.root.HeldBy(c, "the file system, as its root")
	cu := checkup{Checkup: c, fs: fs, m: m, mp: mp}
	root := nodeOf(m.root)
	c.Add(&root.tally, 1)
	cu.node(root)
	if root.dir.parent != root {
		c.Brokenf(root, "the root directory is not its own parent")
	}
	for vp := mp.FirstVnode(); vp != nil; vp = vp.NextOfMount() {
		cu.vnode(vp)
	}
	cu.accounts()
}

// vnode verifies the bond of a vnode with its node, and a node that no name leads to.
func (c *checkup) vnode(vp *vnode.Vnode) {
	rn, ok := vp.Data.(*node)
	if !ok { // the syncer's
		return
	}
	if rn.vp.Load() != vp {
		c.Brokenf(vp, "its node has another vnode, or none")
	}
	if c.Counted(&rn.tally) > 0 {
		return
	}
	if !rn.canReclaim && rn.host == nil && !c.mayLose() {
		c.Brokenf(rn, "no name leads to it, and it does not say so")
	}
	c.Add(&rn.tally, 1)
	c.node(rn)
}

// mayLose reports whether what is made in a directory that was removed is lost with that.
func (c *checkup) mayLose() bool { return c.fs.quirk(kern.QuirkRemovedDirCreate) }

// node verifies a node and all that is below it.
func (c *checkup) node(rn *node) {
	if rn.mnt == c.m {
		c.nodeBytes += nodeBytes + int64(len(rn.target))
		c.dataBytes += int64(rn.data.len)
	}
	switch {
	case rn.fs != c.fs:
		c.Brokenf(rn, "belongs to another kernel")
	case rn.vp.Load() != nil && (rn.vp.Load().Data != rn || rn.vp.Load().Mount() != c.mp):
		c.Brokenf(rn, "its vnode is not its own: %s", rn.vp.Load().KernelState())
	case (rn.dir != nil) != (rn.va.Type == vnode.VDIR):
		c.Brokenf(rn, "a directory, or not")
	case rn.freed.Load() && rn.host == nil:
		c.Brokenf(rn, "is freed")
	}
	if what := rn.data.broken(); what != "" {
		c.Brokenf(rn, "its data: %s", what)
	}
	if rn.dir != nil {
		c.directory(rn)
	}
}

// directory verifies the names of a directory, and the nodes that they lead to.
func (c *checkup) directory(rnd *node) {
	d := rnd.dir
	if what := d.order.broken(); what != "" {
		c.Brokenf(rnd, "its slots: %s", what)
		return
	}
	heads, subdirs := 0, 0
	for e := d.order.seek(0); e != nil; e = d.order.older(e) {
		if rnd.mnt == c.m {
			c.nodeBytes += direntBytes + int64(len(e.name))
		}
		head := d.names[e.name]
		if head == e {
			heads++
		}
		for head != nil && head != e {
			head = head.shadow
		}
		if head == nil {
			c.Brokenf(rnd, "%q is in its slots, but cannot be found", e.name)
		}
		if rn := e.node; rn != nil {
			c.entry(rnd, rn, e)
			if rn.dir != nil {
				subdirs++
			}
		}
	}
	if heads != len(d.names) {
		c.Brokenf(rnd, "%d names, but %d in its slots", len(d.names), heads)
	}
	if want := 2 + subdirs; !c.fs.quirk(kern.QuirkDirNlink) && d.parent != nil && int(rnd.va.Nlink) != want {
		c.Brokenf(rnd, "nlink %d, but %d subdirectories", rnd.va.Nlink, subdirs)
	}
}

// entry verifies the node that a name of a directory leads to.
func (c *checkup) entry(rnd, rn *node, e *dirent) {
	c.Add(&rn.tally, 1)
	if n := c.Counted(&rn.tally); n > 1 {
		c.Brokenf(rn, "%q is a second name of it", e.name)
		return
	}
	switch {
	case rn.canReclaim:
		c.Brokenf(rn, "has the name %q and does not know", e.name)
	case rn.dir != nil && rn.dir.parent != rnd:
		c.Brokenf(rn, "is in a directory, as %q, that is not its parent", e.name)
	}
	c.node(rn)
}

// accounts compares what the nodes found take with the accounts.
func (c *checkup) accounts() {
	for _, a := range [...]struct {
		name        string
		says, found int64
	}{{"nodes and names", c.m.nodeBytes.Load(), c.nodeBytes}, {"data", c.m.dataBytes.Load(), c.dataBytes}} {
		if a.says < a.found || a.says > a.found && !c.mayLose() {
			c.Brokenf(c.mp, "the account of %s is %d bytes, but they take %d", a.name, a.says, a.found)
		}
	}
}

// broken says which invariant of the slots is broken, "" if none.
func (s *slots) broken() string {
	n := 0
	var seq uint64
	for block, live := range s.live {
		for ; live != 0; live &= live - 1 {
			slot := block*slotsPerBlock + bits.TrailingZeros64(live)
			switch d := s.ent[slot]; {
			case d == nil || d.slot != slot:
				return fmt.Sprintf("slot %d has another's entry, or none", slot)
			case d.seq <= seq:
				return fmt.Sprintf("slot %d is older than the one before", slot)
			default:
				seq = d.seq
			}
			n++
		}
		if got := s.fen[block]; got != s.cellBefore(block+1)+uint32(bits.OnesCount64(s.live[block])) {
			return fmt.Sprintf("cell %d of the tree counts %d", block, got)
		}
	}
	if n != s.n {
		return fmt.Sprintf("%d entries, but n is %d", n, s.n)
	}
	return ""
}

// broken says which invariant of the data is broken, "" if none.
func (d *fileData) broken() string {
	for i, c := range d.chunks {
		if i > 0 && d.chunks[i-1].index >= c.index {
			return fmt.Sprintf("chunk %d is not behind the one before", c.index)
		}
		used := 0
		for p := range c.pages {
			if c.pages[p] == nil {
				continue
			}
			used++
			if (c.index*pagesPerChunk+uint64(p))*kern.PAGE_SIZE >= d.len {
				return fmt.Sprintf("page %d lies beyond the end, %d", c.index*pagesPerChunk+uint64(p), d.len)
			}
		}
		if used != c.used {
			return fmt.Sprintf("chunk %d has %d pages, not %d", c.index, used, c.used)
		}
	}
	return ""
}

// KernelState describes the node.
func (rn *node) KernelState() string {
	return fmt.Sprintf("rumpfs node %d type %v mode %o nlink %d length %d", rn.va.Fileid, rn.va.Type, rn.va.Mode, rn.va.Nlink, rn.data.len)
}

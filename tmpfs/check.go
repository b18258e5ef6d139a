package tmpfs

import (
	"fmt"

	"rumpvfs/kern"
	"rumpvfs/vnode"
)

// Check verifies all nodes of a mount: links, the names of directories, what
// files hold, the bonds with vnodes, and the accounts of nodes and memory.
//
// Preconditions: the kernel is at rest.
func (fs *FS) Check(c *kern.Checkup, mp *vnode.Mount) {
	m := mountOf(mp)
	nodes, used := 0, uint64(0)
	var prev *node
	for n := m.nodes; n != nil; n = n.next {
		if n.prev != prev || n.mnt != m {
			c.Brokenf(n, "the list of nodes is broken here")
			return
		}
		prev = n
		nodes++
		used += nodeBytes + n.checkContents(c)
		if n.typ == vnode.VDIR {
			used += n.checkNames(c)
		}
	}
	c.Add(&m.root.tally, 1) // nobody's entry leads to it
	for n := m.nodes; n != nil; n = n.next {
		n.checkLinks(c)
		n.checkBond(c, mp)
	}
	if int64(nodes) > m.nodesCnt.Load() { // one that memory was refused for stays counted
		c.Brokenf(mp, "the account of nodes is %d, but there are %d", m.nodesCnt.Load(), nodes)
	}
	if m.mem.used != used {
		c.Brokenf(mp, "the account of memory is %d bytes, but files take %d", m.mem.used, used)
	}
}

// checkContents verifies what a node other than a directory holds, and
// returns what that counts for in the account of memory.
func (n *node) checkContents(c *kern.Checkup) uint64 {
	switch n.typ {
	case vnode.VLNK:
		if n.size == 0 {
			return 0
		}
		if n.size != int64(len(n.target))+1 {
			c.Brokenf(n, "size %d, but its target has %d bytes", n.size, len(n.target))
		}
		return nameBytes(int(n.size))
	case vnode.VREG:
		n.aobj.Interlock.Enter(c.L)
		n.aobj.Check(c, n, n.size)
		n.aobj.Interlock.Exit(c.L)
		if n.aobj.Refs.Load() != 1 {
			c.Brokenf(n, "its memory has %d references", n.aobj.Refs.Load())
		}
		return roundPage(uint64(n.size))
	}
	return 0
}

// checkNames verifies the entries of a directory and counts the links that
// they make. It returns what they count for in the account of memory.
func (n *node) checkNames(c *kern.Checkup) (used uint64) {
	d := &n.dir
	count, heads, seq := 0, 0, int64(dirseqStart-1)
	for _, de := range d.order {
		if de == nil {
			continue
		}
		count++
		used += direntBytes + nameBytes(len(de.name))
		head := d.names[de.name]
		switch {
		case de.seq <= seq || de.seq >= d.next:
			c.Brokenf(n, "%q, number %d, is out of order", de.name, de.seq)
		case head == nil || head.seq > de.seq:
			c.Brokenf(n, "%q is an entry that its name does not lead to", de.name)
		case head == de:
			heads++
		}
		seq = de.seq
		if de.node != nil {
			de.checkNode(c, n)
		} else if !d.whiteouts {
			c.Brokenf(n, "%q is a whiteout in a directory without", de.name)
		}
	}
	if count != d.count || heads != len(d.names) {
		c.Brokenf(n, "count %d and %d names, but %d entries and %d names", d.count, len(d.names), count, heads)
	}
	if n.size != int64(count)*direntBytes {
		c.Brokenf(n, "size %d, but %d entries", n.size, count)
	}
	if d.parent == nil && count != 0 {
		c.Brokenf(n, "was removed with %d entries", count)
	}
	return used
}

// checkNode verifies the node that an entry of dn leads to, and counts links.
func (de *dirent) checkNode(c *kern.Checkup, dn *node) {
	c.Add(&de.node.tally, 1)
	if de.node.typ != vnode.VDIR {
		return
	}
	c.Add(&dn.tally, 1) // for its ".."
	if de.node.dir.parent != dn {
		c.Brokenf(de.node, "is in a directory, as %q, that is not its parent", de.name)
	}
}

// checkLinks compares the number of links with those found.
func (n *node) checkLinks(c *kern.Checkup) {
	found := c.Counted(&n.tally)
	if n.typ == vnode.VDIR {
		found++ // its "."
		if n.dir.parent == nil {
			found-- // which rmdir takes away
		}
	}
	if int(n.links) != found {
		c.Brokenf(n, "%d links, but %d were found", n.links, found)
	}
}

// checkBond verifies the bond with the vnode.
func (n *node) checkBond(c *kern.Checkup, mp *vnode.Mount) {
	vp := n.vp.Load()
	switch {
	case n.vlock.Held() || n.tlock.Held():
		c.Brokenf(n, "is locked")
	case n.getters != 0:
		c.Brokenf(n, "%d lwps are about to get its vnode", n.getters)
	case vp == nil && n.links == 0:
		c.Brokenf(n, "has neither name nor vnode, and was not freed")
	case vp == nil:
	case vp.Data != n || vp.Mount() != mp:
		c.Brokenf(n, "its vnode is not its own: %s", vp.KernelState())
	case vp.Type() != n.typ:
		c.Brokenf(n, "its vnode has another type: %s", vp.KernelState())
	case vp.Size != n.size && n.typ != vnode.VBLK && n.typ != vnode.VCHR:
		c.Brokenf(n, "its vnode has another size: %s", vp.KernelState())
	case n.typ == vnode.VREG && vp.Interlock != n.aobj.Interlock:
		c.Brokenf(n, "its vnode has another interlock than its memory")
	}
}

// KernelState describes the node.
func (n *node) KernelState() string {
	return fmt.Sprintf("tmpfs node %d type %v mode %o links %d size %d", n.id, n.typ, n.mode, n.links, n.size)
}

package namei

import (
	"fmt"

	"rumpvfs/kern"
	"rumpvfs/vnode"
)

// Check verifies the name cache: that its entries are of vnodes that live and
// in directories, that a list has all entries that others have, and that
// there are no more than are allowed. It may be asked at any time.
//
// Preconditions: the lwp of ck holds no lock that comes after the cache's own.
func (c *Cache) Check(ck *kern.Checkup) {
	c.lock.REnter(ck.L)
	defer c.lock.Exit(ck.L)
	var total [vnode.NumNameLists]int
	named := 0
	total[vnode.ByAge] = checkRing(ck, c.oldest, vnode.ByAge)
	ncp := c.oldest
	for range total[vnode.ByAge] {
		if c.entries[ncp.NameKey] != ncp {
			ck.Brokenf(entry{ncp}, "is not found by its name")
		}
		checkEntry(ck, ncp)
		if ncp.Dvp.Dnclist == ncp {
			total[vnode.ByDirectory] += checkRing(ck, ncp, vnode.ByDirectory)
		}
		if ncp.Vp != nil {
			named++
			if ncp.Vp.Nclist == ncp {
				total[vnode.ByVnode] += checkRing(ck, ncp, vnode.ByVnode)
			}
		}
		ncp = ncp.Next[vnode.ByAge]
	}
	n := len(c.entries)
	if total != [...]int{vnode.ByAge: n, vnode.ByDirectory: n, vnode.ByVnode: named} {
		ck.Brokenf("name cache", "%d entries, %d with a vnode; on the lists: %v", n, named, total)
	}
	if n > c.most {
		ck.Brokenf("name cache", "%d entries, more than %d", n, c.most)
	}
}

// checkEntry verifies the vnodes of an entry.
func checkEntry(ck *kern.Checkup, ncp *vnode.Namecache) {
	dvp, vp := ncp.Dvp, ncp.Vp
	if dvp.Type() != vnode.VDIR {
		ck.Brokenf(entry{ncp}, "is in what is no directory")
	}
	if dvp.Iflag()&vnode.VI_CLEAN != 0 {
		ck.Brokenf(entry{ncp}, "is in a dead directory")
	}
	if vp != nil && vp.Iflag()&vnode.VI_CLEAN != 0 {
		ck.Brokenf(entry{ncp}, "leads to a dead vnode")
	}
	if vp != nil && ncp.Whiteout {
		ck.Brokenf(entry{ncp}, "is a whiteout that leads to a vnode")
	}
}

// checkRing verifies a list from its first entry on and returns its length,
// that of the part that is linked.
func checkRing(ck *kern.Checkup, first *vnode.Namecache, which int) (n int) {
	for ncp := first; ncp != nil; {
		n++
		if which == vnode.ByDirectory && ncp.Dvp != first.Dvp || which == vnode.ByVnode && ncp.Vp != first.Vp {
			ck.Brokenf(entry{ncp}, "is on the list of another vnode")
		}
		next := ncp.Next[which]
		if next == nil || next.Prev[which] != ncp {
			ck.Brokenf(entry{ncp}, "is not linked in list %d", which)
			break
		}
		if ncp = next; ncp == first {
			break
		}
	}
	return n
}

// entry is a name that is in the cache.
type entry struct{ *vnode.Namecache }

func (e entry) String() string { return fmt.Sprintf("name cache: %q", e.Name[:e.Nlen]) }

// Audit names what is left in the cache when all file systems are unmounted.
func (c *Cache) Audit(l *kern.Lwp) []string {
	ck := kern.NewCheckup(l, c.Check)
	ck.Begin()
	left := ck.End()
	if n := c.Len(l); n != 0 {
		left = append(left, fmt.Sprintf("%d names in the name cache", n))
	}
	return left
}

// Len returns how many names the cache has.
func (c *Cache) Len(l *kern.Lwp) int {
	c.lock.REnter(l)
	defer c.lock.Exit(l)
	return len(c.entries)
}

package namei

import (
	"fmt"

	"rumpvfs/kern"
	"rumpvfs/vnode"
)

// Check names what is wrong with the name cache: entries of vnodes that are
// dead, of different mounts, or in what is no directory; entries that one
// list has and another has not; more entries than are allowed. Nothing means
// that all is well. It may be asked at any time.
//
// Preconditions: l holds no lock that comes after the cache's own.
func (c *Cache) Check(l *kern.Lwp) []string {
	var wrong []string
	report := func(ncp *vnode.Namecache, what string) {
		wrong = append(wrong, fmt.Sprintf("name cache: %q: %s", ncp.Name[:ncp.Nlen], what))
	}
	c.lock.REnter(l)
	defer c.lock.Exit(l)
	byAge := ring(c.oldest, vnode.ByAge, report)
	total := [vnode.NumNameLists]int{vnode.ByAge: len(byAge)}
	named := 0
	for _, ncp := range byAge {
		if c.entries[ncp.NameKey] != ncp {
			report(ncp, "is not found by its name")
		}
		for _, what := range checkEntry(ncp) {
			report(ncp, what)
		}
		if ncp.Dvp.Dnclist == ncp {
			list := ring(ncp, vnode.ByDirectory, report)
			for _, e := range list {
				if e.Dvp != ncp.Dvp {
					report(e, "is on the list of another directory")
				}
			}
			total[vnode.ByDirectory] += len(list)
		}
		if ncp.Vp == nil {
			continue
		}
		named++
		if ncp.Vp.Nclist == ncp {
			list := ring(ncp, vnode.ByVnode, report)
			for _, e := range list {
				if e.Vp != ncp.Vp {
					report(e, "is on the list of another vnode")
				}
			}
			total[vnode.ByVnode] += len(list)
		}
	}
	n := len(c.entries)
	if total != [...]int{vnode.ByAge: n, vnode.ByDirectory: n, vnode.ByVnode: named} {
		wrong = append(wrong, fmt.Sprintf("name cache: %d entries, %d with a vnode; on the lists: %v", n, named, total))
	}
	if n > c.most {
		wrong = append(wrong, fmt.Sprintf("name cache: %d entries, more than %d", n, c.most))
	}
	return wrong
}

// checkEntry says what is wrong with the vnodes of an entry.
func checkEntry(ncp *vnode.Namecache) (wrong []string) {
	dvp, vp := ncp.Dvp, ncp.Vp
	if dvp.Type() != vnode.VDIR {
		wrong = append(wrong, "is in what is no directory")
	}
	if dvp.Iflag()&vnode.VI_CLEAN != 0 {
		wrong = append(wrong, "is in a dead directory")
	}
	if vp == nil {
		return wrong
	}
	if vp.Iflag()&vnode.VI_CLEAN != 0 {
		wrong = append(wrong, "leads to a dead vnode")
	}
	if ncp.Whiteout {
		wrong = append(wrong, "is a whiteout that leads to a vnode")
	}
	return wrong
}

// ring returns the entries of a list from first on.
func ring(first *vnode.Namecache, which int, report func(*vnode.Namecache, string)) (list []*vnode.Namecache) {
	for ncp := first; ncp != nil; {
		list = append(list, ncp)
		next := ncp.Next[which]
		if next == nil || next.Prev[which] != ncp {
			report(ncp, fmt.Sprintf("is not linked in list %d", which))
			break
		}
		if ncp = next; ncp == first {
			break
		}
	}
	return list
}

// Audit names what is left in the cache when all file systems are unmounted.
func (c *Cache) Audit(l *kern.Lwp) []string {
	left := c.Check(l)
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

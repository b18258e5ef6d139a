package namei

import (
	"sync/atomic"

	"rumpvfs/hypercall"
	"rumpvfs/kern"
	"rumpvfs/vnode"
)

// Cache is the name cache of a kernel: what names in directories led to, and
// which did not exist, for file systems that enter them. It is never needed
// for an answer, only for its speed.
//
// Its entries hold no references. So a vnode's entries go, by Purge, before
// the vnode does, and who finds a vnode here gets it as from any other table:
// unless it is about to change.
//
// The lock is taken shared to look, exclusively to change. The C kernel has a
// lock for each processor, one for each entry and one for changes; entries
// that were dropped while others looked are collected by a thread. Here they
// go at once.
type Cache struct {
	most int // :  how many names to keep
	lock kern.RWLock

	entries map[vnode.NameKey]*vnode.Namecache // lock: made with the first
	oldest  *vnode.Namecache                   // lock: all of them, in the order in which they were entered
	spare   *vnode.Namecache                   // lock: not in use, by Next[ByAge]

	stats cacheStats // a
}

// CacheStats counts what the name cache was asked.
type CacheStats struct {
	Goodhits  uint64 // found
	Neghits   uint64 // known not to exist
	Badhits   uint64 // found, and dropped: the name is about to change
	Falsehits uint64 // found, but the vnode is about to go
	Miss      uint64
	Long      uint64 // names longer than NCHNAMLEN
	Revhits   uint64 // getcwd found the name of a directory
	Revmiss   uint64
}

type cacheStats struct {
	good, neg, bad, gone, miss, long, revhit, revmiss atomic.Uint64
}

var cacheLockClass = hypercall.LockClass{Name: "namecache_lock", Rank: 590}

// NewCache makes the name cache of a kernel. It keeps as many names as there
// should be vnodes.
//
//netbsd:sys/kern/vfs_cache.c nchinit
func NewCache(sys *vnode.System) *Cache {
	c := &Cache{most: sys.DesiredVnodes()}
	c.lock.Init(sys.K.Sys, &cacheLockClass)
	return c
}

// cacheOf returns the name cache of the kernel that vp belongs to, nil for
// none.
func cacheOf(vp *vnode.Vnode) *Cache {
	c, _ := vp.System().NameCache.(*Cache)
	return c
}

// Stats returns what has been counted so far.
func (c *Cache) Stats() CacheStats {
	s := &c.stats
	return CacheStats{
		Goodhits: s.good.Load(), Neghits: s.neg.Load(), Badhits: s.bad.Load(), Falsehits: s.gone.Load(),
		Miss: s.miss.Load(), Long: s.long.Load(), Revhits: s.revhit.Load(), Revmiss: s.revmiss.Load(),
	}
}

// keyOf makes the key of a name, which is short enough.
func keyOf(dvp *vnode.Vnode, name string) vnode.NameKey {
	k := vnode.NameKey{Dvp: dvp, Nlen: uint8(len(name))}
	copy(k.Name[:], name)
	return k
}

// CacheLookup asks the name cache for the name cnp in dvp. If it knows, found
// is true: vp is what the name leads to, or nil if it does not exist, and then
// ISWHITEOUT is set in cnp.Flags if that is because of a whiteout. A name that
// is about to change (not MAKEENTRY, or to be created) is forgotten, and not
// found.
//
// Preconditions: dvp is locked exclusively.
// Postconditions: vp is referenced, not locked.
//
//netbsd:sys/kern/vfs_cache.c cache_lookup
func CacheLookup(l *kern.Lwp, dvp *vnode.Vnode, cnp *vnode.Componentname) (vp *vnode.Vnode, found bool) {
	c := cacheOf(dvp)
	if c == nil {
		return nil, false
	}
	if cnp.Namelen > vnode.NCHNAMLEN {
		c.stats.long.Add(1)
		return nil, false
	}
	key := keyOf(dvp, cnp.Name())
	c.lock.REnter(l)
	ncp := c.entries[key]
	if ncp == nil {
		c.lock.Exit(l)
		c.stats.miss.Add(1)
		return nil, false
	}
	vp = ncp.Vp
	creates := cnp.Nameiop == vnode.CREATE && cnp.Flags&vnode.ISLASTCN != 0
	if cnp.Flags&vnode.MAKEENTRY == 0 || vp == nil && creates {
		c.lock.Exit(l)
		c.stats.bad.Add(1)
		c.forget(l, key)
		return nil, false
	}
	if !ncp.Hit.Load() {
		ncp.Hit.Store(true)
	}
	if vp == nil {
		if ncp.Whiteout {
			cnp.Flags |= vnode.ISWHITEOUT
		}
		c.lock.Exit(l)
		c.stats.neg.Add(1)
		return nil, true
	}
	if !c.get(l, vp) {
		c.stats.gone.Add(1)
		return nil, false
	}
	c.stats.good.Add(1)
	return vp, true
}

// get takes a reference to a vnode that an entry leads to, unless it is about
// to change.
//
// Preconditions: the lock is held shared.
// Postconditions: it is not held.
func (c *Cache) get(l *kern.Lwp, vp *vnode.Vnode) bool {
	if l.Hooks == nil && vp.TryRef() {
		c.lock.Exit(l)
		return true
	}
	vp.Interlock.Enter(l)
	c.lock.Exit(l)
	return vp.Get(l, vnode.LK_NOWAIT) == nil
}

// forget drops an entry, if it is still there.
//
//netbsd:sys/kern/vfs_cache.c cache_invalidate
func (c *Cache) forget(l *kern.Lwp, key vnode.NameKey) {
	c.lock.Enter(l)
	if ncp := c.entries[key]; ncp != nil {
		c.drop(ncp)
	}
	c.lock.Exit(l)
}

// drop takes an entry off all lists and keeps it to be used again.
//
// Preconditions: the lock is held exclusively.
//
//netbsd:sys/kern/vfs_cache.c cache_disassociate
func (c *Cache) drop(ncp *vnode.Namecache) {
	delete(c.entries, ncp.NameKey)
	ncp.Remove(&c.oldest, vnode.ByAge)
	ncp.Remove(&ncp.Dvp.Dnclist, vnode.ByDirectory)
	if ncp.Vp != nil {
		ncp.Remove(&ncp.Vp.Nclist, vnode.ByVnode)
	}
	ncp.Dvp, ncp.Vp, ncp.Whiteout = nil, nil, false
	ncp.Hit.Store(false)
	ncp.Next[vnode.ByAge], c.spare = c.spare, ncp
}

// CacheEnter remembers that the name cnp in dvp leads to vp, or with nil that
// it does not exist; with ISWHITEOUT in cnp.Flags, because of a whiteout. Names
// without MAKEENTRY, those longer than NCHNAMLEN, and vnodes that are dying
// are not remembered.
//
// Preconditions: dvp is locked exclusively; vp is referenced.
//
//netbsd:sys/kern/vfs_cache.c cache_enter
func CacheEnter(l *kern.Lwp, dvp, vp *vnode.Vnode, cnp *vnode.Componentname) {
	c := cacheOf(dvp)
	if c == nil || cnp.Flags&vnode.MAKEENTRY == 0 || cnp.Namelen > vnode.NCHNAMLEN {
		return
	}
	c.lock.Enter(l)
	defer c.lock.Exit(l)
	if vp != nil && vp.Dying() {
		return // its Purge may be over
	}
	if old := c.entries[keyOf(dvp, cnp.Name())]; old != nil {
		c.drop(old)
	}
	ncp := c.fresh()
	ncp.NameKey = keyOf(dvp, cnp.Name())
	ncp.Vp = vp
	ncp.Whiteout = vp == nil && cnp.Flags&vnode.ISWHITEOUT != 0
	c.entries[ncp.NameKey] = ncp
	ncp.Insert(&c.oldest, vnode.ByAge)
	ncp.InsertHead(&dvp.Dnclist, vnode.ByDirectory)
	switch {
	case vp == nil:
	case isDots(ncp):
		ncp.Insert(&vp.Nclist, vnode.ByVnode)
	default:
		ncp.InsertHead(&vp.Nclist, vnode.ByVnode)
	}
}

// isDots reports whether the entry is for "." or "..", which say nothing about
// the name of what they lead to. In a vnode's list they come last.
func isDots(ncp *vnode.Namecache) bool {
	return ncp.Name[0] == '.' && (ncp.Nlen == 1 || ncp.Nlen == 2 && ncp.Name[1] == '.')
}

// fresh returns an entry to fill in; if there are too many, older ones go
// first.
//
// Preconditions: the lock is held exclusively.
func (c *Cache) fresh() *vnode.Namecache {
	if c.entries == nil {
		c.entries = make(map[vnode.NameKey]*vnode.Namecache)
	}
	if len(c.entries) >= c.most {
		c.prune(c.most * lowat / 100)
	}
	if ncp := c.spare; ncp != nil {
		c.spare, ncp.Next[vnode.ByAge] = ncp.Next[vnode.ByAge], nil
		return ncp
	}
	return new(vnode.Namecache)
}

// lowat is down to how many percent of what is allowed a full cache is
// pruned.
const lowat = 95

// prune drops the oldest entries until there are target, fewer than now. An
// entry that was hit since it was last looked at gets another turn.
//
// Preconditions: the lock is held exclusively.
//
//netbsd:sys/kern/vfs_cache.c cache_prune, cache_reclaim
func (c *Cache) prune(target int) {
	for len(c.entries) > target {
		if c.oldest.Hit.Swap(false) {
			c.oldest = c.oldest.Next[vnode.ByAge]
		} else {
			c.drop(c.oldest)
		}
	}
}

// Purge forgets all names of vp, and in vp if it is a directory.
//
//netbsd:sys/kern/vfs_cache.c cache_purge1
func (c *Cache) Purge(l *kern.Lwp, vp *vnode.Vnode) {
	c.lock.Enter(l)
	for vp.Nclist != nil {
		c.drop(vp.Nclist)
	}
	for vp.Dnclist != nil {
		c.drop(vp.Dnclist)
	}
	c.lock.Exit(l)
}

// PurgeVFS forgets all names in a file system.
//
//netbsd:sys/kern/vfs_cache.c cache_purgevfs
func (c *Cache) PurgeVFS(l *kern.Lwp, mp *vnode.Mount) {
	c.lock.Enter(l)
	ncp := c.oldest
	for range len(c.entries) {
		next := ncp.Next[vnode.ByAge]
		if ncp.Dvp.Mount() == mp {
			c.drop(ncp)
		}
		ncp = next
	}
	c.lock.Exit(l)
}

// revlookup goes up from vp by way of an entry that leads to it: it returns
// the directory of that, nil if there is none, and puts the name in front of
// t, unless that is nil. ERANGE if there is no room for it.
//
// Preconditions: vp is locked exclusively.
// Postconditions: dvp is referenced, not locked.
//
//netbsd:sys/kern/vfs_cache.c cache_revlookup
func (c *Cache) revlookup(l *kern.Lwp, vp *vnode.Vnode, t *tail) (dvp *vnode.Vnode, err error) {
	c.lock.REnter(l)
	ncp := vp.Nclist
	if ncp == nil || isDots(ncp) {
		c.lock.Exit(l)
		c.stats.revmiss.Add(1)
		return nil, nil
	}
	pos := 0
	if t != nil {
		pos = t.pos
		if err = t.name(ncp.Name[:ncp.Nlen]); err != nil {
			c.lock.Exit(l)
			return nil, err
		}
	}
	dvp = ncp.Dvp
	if !c.get(l, dvp) {
		if t != nil {
			t.pos = pos
		}
		c.stats.revmiss.Add(1)
		return nil, nil
	}
	c.stats.revhit.Add(1)
	return dvp, nil
}

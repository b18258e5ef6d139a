package blkdev

import (
	"fmt"
	"math"
	"math/bits"

	"rumpvfs/hypercall"
	"rumpvfs/kern"
	"rumpvfs/vnode"
)

// Queues of buffers that nobody owns.
const (
	BQ_LOCKED = iota // to stay in memory
	BQ_LRU           // valid, the longest unused first
	BQ_AGE           // invalid or stale: the first to be used again
	numQueues

	bqNone = -1
)

const (
	// bufcachePct is the part of limited memory that buffers may use.
	bufcachePct = 5
	// bufmemShift makes the high water mark the low one.
	bufmemShift = 3
	// bufmemMinHigh is the least high water mark, bytes.
	bufmemMinHigh = 64 * 1024 << bufmemShift
)

// CacheConfig says how a buffer cache shall be.
type CacheConfig struct {
	// MemLimit is the memory of the kernel in bytes, of which buffers may
	// have 5 per cent; 0 is no limit, for buffers neither.
	MemLimit int64
	// Hiwater is how many bytes buffers may have instead; 0 is as
	// MemLimit says. Too little is made enough.
	Hiwater int64
	// MountedFS returns what is mounted from a block device, to charge its
	// transfers to; nil for nothing.
	MountedFS func(devvp *vnode.Vnode) *vnode.Mount
}

// Cache is the buffer cache of one kernel: blocks of vnodes, as file systems
// on disk and block devices read and write them. A buffer belongs to whoever
// has set BC_BUSY, and to the cache while nobody has. The letters give what
// guards a field:
//
//	:  stable after boot
//	c  lock, the reference's bufcache_lock
//
// The lock comes before the interlock of a buffer's vnode, and before Objlock of
// all other buffers.
type Cache struct {
	v         *vnode.System                         // :
	devsw     *Devsw                                // :
	mountedFS func(devvp *vnode.Vnode) *vnode.Mount // :
	lowater   int64                                 // : bytes that are never refused
	hiwater   int64                                 // : bytes above which buffers are freed

	lock       kern.Mutex
	needbuffer kern.CV              // c: a buffer has come free
	blocks     map[blockKey]*header // c: the buffers that belong to a vnode
	queues     [numQueues]bqueue    // c
	bufmem     int64                // c: bytes that buffers have
	nbuf       int                  // c: buffers there are
	writing    int                  // c: buffers being written
	spare      *header              // c: headers without memory, to use again
}

type blockKey struct {
	vp     *vnode.Vnode
	lblkno int64
}

// header is a buffer of the cache: what others see of it, and what is the
// cache's. The letters are those of [Cache] and [vnode.Buf].
type header struct {
	vnode.Buf

	busy       kern.CV // c: waiting for BC_BUSY to go
	refcnt     int     // c: one for the buffer, one for each who waits for it
	writing    bool    // c: counted in Cache.writing
	queue      int     // c: the queue it is in, or bqNone
	prev, next *header // c: in that queue; next also among spare ones
}

// headerOf returns the cache's part of a buffer that came from the cache.
func headerOf(bp *vnode.Buf) *header { return bp.Slot.(*header) }

// bqueue is a queue of buffers.
type bqueue struct {
	first, last *header
	bytes       int64
}

var bufcacheLockClass = hypercall.LockClass{Name: "bufcache_lock", Rank: 577}

// NewCache makes a buffer cache for the vnodes of v. It allocates nothing else
// before the first block is read.
//
//netbsd:sys/kern/vfs_bio.c bufinit
func NewCache(v *vnode.System, devsw *Devsw, cfg CacheConfig) *Cache {
	c := &Cache{v: v, devsw: devsw, mountedFS: cfg.MountedFS}
	c.lock.Init(v.K.Sys, &bufcacheLockClass)
	c.needbuffer.Init(v.K.Sys, "needbuf")
	c.setWatermarks(cfg)
	return c
}

// setWatermarks says how much memory buffers may have. Without a limit nothing
// but what has become invalid is used again, and that at once.
//
//netbsd:sys/kern/vfs_bio.c buf_setwm, buf_memcalc
func (c *Cache) setWatermarks(cfg CacheConfig) {
	c.hiwater = cfg.Hiwater
	if c.hiwater == 0 {
		c.hiwater = cfg.MemLimit / 100 * bufcachePct
	}
	if c.hiwater == 0 {
		c.hiwater = math.MaxInt64
		return
	}
	c.hiwater = max(c.hiwater, bufmemMinHigh)
	c.lowater = c.hiwater >> bufmemShift
}

// insertHead puts a buffer where it is used again first.
//
//netbsd:sys/kern/vfs_bio.c binsheadfree
func (c *Cache) insertHead(h *header, queue int) {
	q := c.enqueue(h, queue)
	h.prev, h.next = nil, q.first
	if q.first == nil {
		q.last = h
	} else {
		q.first.prev = h
	}
	q.first = h
}

// insertTail puts a buffer where it is used again last.
//
//netbsd:sys/kern/vfs_bio.c binstailfree
func (c *Cache) insertTail(h *header, queue int) {
	q := c.enqueue(h, queue)
	h.prev, h.next = q.last, nil
	if q.last == nil {
		q.first = h
	} else {
		q.last.next = h
	}
	q.last = h
}

func (c *Cache) enqueue(h *header, queue int) *bqueue {
	kern.KASSERT(h.queue == bqNone, "bp->b_freelistindex == -1")
	q := &c.queues[queue]
	h.queue = queue
	q.bytes += int64(h.Bufsize)
	return q
}

// bremfree takes a buffer out of its queue.
//
//netbsd:sys/kern/vfs_bio.c bremfree
func (c *Cache) bremfree(h *header) {
	kern.KASSERT(h.queue != bqNone, "bqidx != -1")
	q := &c.queues[h.queue]
	q.bytes -= int64(h.Bufsize)
	if h.prev == nil {
		q.first = h.next
	} else {
		h.prev.next = h.next
	}
	if h.next == nil {
		q.last = h.prev
	} else {
		h.next.prev = h.prev
	}
	h.queue, h.prev, h.next = bqNone, nil, nil
}

// newHeader returns a buffer without memory, owned by the caller.
//
// Preconditions: lock is held.
func (c *Cache) newHeader() *header {
	h := c.spare
	if h != nil {
		c.spare = h.next
	} else {
		h = &header{}
		h.busy.Init(c.v.K.Sys, "biolock")
		c.v.InitBuf(&h.Buf)
		h.Slot = h
	}
	h.next, h.queue, h.refcnt = nil, bqNone, 1
	h.Cflags = vnode.BC_BUSY
	c.nbuf++
	return h
}

// brele drops a reference to a buffer that has no memory. With the last it is
// free.
//
// Preconditions: lock is held.
//
//netbsd:sys/kern/vfs_bio.c brele
func (c *Cache) brele(h *header) {
	if h.refcnt--; h.refcnt > 0 {
		return
	}
	h.forget()
	h.next, c.spare = c.spare, h
	c.nbuf--
}

// forget clears what a buffer was used for.
func (h *header) forget() {
	h.Cflags, h.Oflags, h.Flags = 0, 0, 0
	h.Dev = kern.NODEV
	h.Blkno, h.Lblkno, h.Rawblkno = 0, 0, 0
	h.Iodone, h.Error, h.Private = nil, nil, nil
	h.Resid, h.Bcount = 0, 0
}

// lotsfree decides whether there shall be one more buffer rather than another
// use of an old one: the fuller the cache, the less likely.
//
// Preconditions: lock is held.
//
//netbsd:sys/kern/vfs_bio.c buf_lotsfree
func (c *Cache) lotsfree() bool {
	const steps = 16
	switch {
	case c.bufmem < c.lowater:
		return true
	case c.bufmem > c.hiwater, c.queues[BQ_AGE].first != nil:
		return false
	}
	thresh := (c.bufmem - c.lowater) / ((c.hiwater - c.lowater) / steps)
	return thresh == 0 || int64(c.v.K.Sys.Random()%steps) >= thresh
}

// canrelease returns how many bytes the cache should give back.
//
// Preconditions: lock is held.
//
//netbsd:sys/kern/vfs_bio.c buf_canrelease
func (c *Cache) canrelease() int64 {
	switch {
	case c.bufmem < c.lowater:
		return 0
	case c.bufmem > c.hiwater:
		return c.bufmem - c.hiwater
	}
	return c.queues[BQ_AGE].bytes
}

// roundsize returns how much memory a buffer of size bytes has: the next power
// of two, DEV_BSIZE at least. More than MAXBSIZE is a panic.
//
//netbsd:sys/kern/vfs_bio.c buf_roundsize, buf_mempoolidx
func roundsize(size int) int {
	if size <= 0 || size > kern.MAXBSIZE {
		kern.Panicf("buf mem pool index %d", bits.Len(uint(size-1)>>kern.DEV_BSHIFT))
	}
	return kern.DEV_BSIZE << bits.Len(uint(size-1)>>kern.DEV_BSHIFT)
}

// CacheStats tells about a buffer cache.
type CacheStats struct {
	Buffers int   // there are
	Bytes   int64 // they have
	Dirty   int   // that nobody owns and that wait to be written
	Busy    int   // that somebody owns
}

// Stats counts the buffers.
func (c *Cache) Stats(l *kern.Lwp) CacheStats {
	c.lock.Enter(l)
	defer c.lock.Exit(l)
	s := CacheStats{Buffers: c.nbuf, Bytes: c.bufmem}
	idle := 0
	for i := range c.queues {
		for h := c.queues[i].first; h != nil; h = h.next {
			if h.Cflags&vnode.BC_BUSY != 0 {
				continue // being flushed
			}
			idle++
			if h.Oflags&vnode.BO_DELWRI != 0 {
				s.Dirty++
			}
		}
	}
	s.Busy = c.nbuf - idle
	return s
}

// Audit names what is left over when a kernel is about to end: buffers that
// somebody owns, that wait to be written or that belong to a vnode.
//
// Preconditions: nobody else is in the kernel; every vnode is clean.
// Postconditions: memory of buffers that hold nothing is given back.
func (c *Cache) Audit(l *kern.Lwp) (left []string) {
	s := c.Stats(l)
	if s.Busy != 0 {
		left = append(left, fmt.Sprintf("%d buffers owned by somebody", s.Busy))
	}
	if s.Dirty != 0 {
		left = append(left, fmt.Sprintf("%d buffers not written", s.Dirty))
	}
	c.lock.Enter(l)
	defer c.lock.Exit(l)
	if n := len(c.blocks); n != 0 {
		left = append(left, fmt.Sprintf("%d buffers of vnodes", n))
	}
	for len(left) == 0 && c.queues[BQ_AGE].first != nil {
		c.trim(l)
	}
	return left
}

package blkdev

import (
	"rumpvfs/kern"
	"rumpvfs/vnode"
)

// Check verifies the buffer cache: queues, the index of blocks, memory and
// numbers of buffers.
//
// Preconditions: the kernel is at rest.
func (c *Cache) Check(ck *kern.Checkup) {
	const name = "buffer cache"
	c.lock.Enter(ck.L)
	defer c.lock.Exit(ck.L)
	n, mem, indexed := 0, int64(0), 0
	for i := range c.queues {
		k, bytes, blocks := c.checkQueue(ck, i)
		n, mem, indexed = n+k, mem+bytes, indexed+blocks
	}
	switch {
	case c.writing != 0:
		ck.Brokenf(name, "%d buffers are being written", c.writing)
	case n != c.nbuf:
		ck.Brokenf(name, "%d buffers, but %d in the queues", c.nbuf, n)
	case mem != c.bufmem:
		ck.Brokenf(name, "buffers have %d bytes, but those in the queues %d", c.bufmem, mem)
	case indexed != len(c.blocks):
		ck.Brokenf(name, "%d blocks in the index, but %d buffers of vnodes", len(c.blocks), indexed)
	}
}

// checkQueue verifies a queue. It returns the number of its buffers, their
// memory, and how many belong to a vnode.
func (c *Cache) checkQueue(ck *kern.Checkup, queue int) (n int, bytes int64, blocks int) {
	var prev *header
	q := &c.queues[queue]
	for h := q.first; h != nil; h = h.next {
		n++
		bytes += int64(h.Bufsize)
		if h.prev != prev || h.queue != queue {
			ck.Brokenf(h, "queue %d is broken here", queue)
			return n, bytes, blocks
		}
		c.checkBuffer(ck, h)
		if h.Vp != nil {
			blocks++
		}
		prev = h
	}
	if q.last != prev || q.bytes != bytes {
		ck.Brokenf("buffer cache", "queue %d does not end with its last, or has other than its %d bytes", queue, q.bytes)
	}
	return n, bytes, blocks
}

func (c *Cache) checkBuffer(ck *kern.Checkup, h *header) {
	switch {
	case h.Cflags&(vnode.BC_BUSY|vnode.BC_WANTED|vnode.BC_VFLUSH) != 0:
		ck.Brokenf(h, "somebody owns it")
	case h.refcnt != 1:
		ck.Brokenf(h, "%d references", h.refcnt)
	case h.Vp != nil && c.blocks[blockKey{h.Vp, h.Lblkno}] != h:
		ck.Brokenf(h, "the index leads elsewhere")
	case (h.Vp == nil) != (h.Cflags&vnode.BC_INVAL != 0):
		ck.Brokenf(h, "is invalid, or belongs to no vnode, but not both")
	case len(h.Data) != h.Bufsize || h.Bufsize == 0:
		ck.Brokenf(h, "has %d bytes of memory, not %d", len(h.Data), h.Bufsize)
	}
}

package blkdev

import (
	"time"

	"rumpvfs/kern"
	"rumpvfs/vnode"
)

// Incore reports whether the cache has the block, valid or about to be. It may
// go any time.
//
//netbsd:sys/kern/vfs_bio.c incore
func (c *Cache) Incore(l *kern.Lwp, vp *vnode.Vnode, blkno int64) bool {
	c.lock.Enter(l)
	defer c.lock.Exit(l)
	return c.incore(vp, blkno) != nil
}

// incore finds the buffer of a block unless it is marked invalid.
//
// Preconditions: lock is held.
func (c *Cache) incore(vp *vnode.Vnode, blkno int64) *header {
	h := c.blocks[blockKey{vp, blkno}]
	if h == nil || h.Cflags&vnode.BC_INVAL != 0 {
		return nil
	}
	return h
}

// Getblk returns a buffer for the block blkno of vp, of size bytes. If the
// block is in the cache it is that one; else nothing of it is valid, and of
// the two flags BO_DONE and BO_DELWRI none is set. It is up to the caller that
// all requests for a block have the same size. The page daemon may get nil.
//
// Postconditions: the buffer is the caller's, until Brelse or a write.
//
//netbsd:sys/kern/vfs_bio.c getblk
func (c *Cache) Getblk(l *kern.Lwp, vp *vnode.Vnode, blkno int64, size int) *vnode.Buf {
	var h *header
	preserve := false
	c.lock.Enter(l)
	for h == nil {
		if h = c.incore(vp, blkno); h != nil {
			ok, err := c.bbusy(l, h)
			if err != nil {
				c.lock.Exit(l)
				return nil
			}
			if !ok {
				h = nil
				continue
			}
			if h.Oflags&(vnode.BO_DONE|vnode.BO_DELWRI) != 0 && h.Bcount < size && vp.Type() != vnode.VBLK {
				kern.Panicf("getblk: block size invariant failed: %v", vp)
			}
			c.bremfree(h)
			preserve = true
			break
		}
		if h = c.getnewbuf(l, false, 0); h == nil {
			continue
		}
		if c.incore(vp, blkno) != nil { // it came while we slept
			c.brelsel(l, h, 0)
			h = nil
			continue
		}
		c.associate(l, h, vp, blkno)
	}
	c.lock.Exit(l)
	if h.Flags&vnode.B_LOCKED != 0 {
		kern.KASSERT(h.Bufsize >= size, "bp->b_bufsize >= size")
		return &h.Buf
	}
	if c.Allocbuf(l, &h.Buf, size, preserve) != nil {
		c.Brelse(l, &h.Buf, vnode.BC_INVAL)
		return nil
	}
	return &h.Buf
}

// associate makes a buffer that of a block.
//
// Preconditions: lock is held; the caller owns the buffer.
func (c *Cache) associate(l *kern.Lwp, h *header, vp *vnode.Vnode, blkno int64) {
	if c.blocks == nil {
		c.blocks = make(map[blockKey]*header)
	}
	c.blocks[blockKey{vp, blkno}] = h
	h.Blkno, h.Lblkno, h.Rawblkno = blkno, blkno, blkno
	vp.Interlock.Enter(l)
	h.Getvp(l, vp)
	vp.Interlock.Exit(l)
}

// Geteblk returns a buffer of size bytes that belongs to no vnode.
//
// Postconditions: the buffer is the caller's, until Brelse.
//
//netbsd:sys/kern/vfs_bio.c geteblk
func (c *Cache) Geteblk(l *kern.Lwp, size int) *vnode.Buf {
	var h *header
	c.lock.Enter(l)
	for h == nil {
		h = c.getnewbuf(l, false, 0)
	}
	h.Cflags |= vnode.BC_INVAL
	c.lock.Exit(l)
	err := c.Allocbuf(l, &h.Buf, size, false)
	kern.KASSERT(err == nil, "error == 0")
	return &h.Buf
}

// Allocbuf gives a buffer memory for size bytes. With preserve it keeps what it
// held, as far as it fits. ENOMEM for the page daemon, which cannot wait; then
// nothing has changed but Bcount.
//
// Preconditions: the caller owns the buffer.
//
//netbsd:sys/kern/vfs_bio.c allocbuf
func (c *Cache) Allocbuf(l *kern.Lwp, bp *vnode.Buf, size int, preserve bool) error {
	desired := roundsize(size)
	bp.Bcount = size
	old := bp.Bufsize
	if old == desired {
		return nil
	}
	data := c.alloc(l, desired)
	if data == nil {
		return kern.ENOMEM
	}
	if preserve {
		copy(data, bp.Data)
	}
	c.v.UVM.Hyperfree(int64(old))
	bp.Data, bp.Bufsize = data, desired
	c.lock.Enter(l)
	c.bufmem += int64(desired - old)
	if c.bufmem > c.hiwater {
		for c.canrelease() > 0 && c.trim(l) > 0 {
		}
	}
	c.lock.Exit(l)
	return nil
}

// alloc returns memory for a buffer. If memory is short it frees other buffers,
// or waits for that; the page daemon gets nil.
//
//netbsd:sys/kern/vfs_bio.c buf_alloc
func (c *Cache) alloc(l *kern.Lwp, size int) []byte {
	for !c.v.UVM.Hypermalloc(l, int64(size), false, "bufmem") {
		c.lock.Enter(l)
		if c.drain(l, 1) == 0 {
			if c.v.UVM.IsPagedaemon(l) {
				c.lock.Exit(l)
				return nil
			}
			c.needbuffer.TimedWait(l, &c.lock, time.Second/4)
		}
		c.lock.Exit(l)
	}
	return make([]byte, size)
}

// getnewbuf returns a buffer that belongs to no vnode: a new one, unless
// fromQueue says not to, or one of the queues. After it had to write one, or
// to wait for one up to timo (0 is without end), it returns nil, and the caller
// must look anew at what it was about.
//
// Preconditions: lock is held.
// Postconditions: the same; it may have been released meanwhile. The caller
// owns the buffer.
//
//netbsd:sys/kern/vfs_bio.c getnewbuf
func (c *Cache) getnewbuf(l *kern.Lwp, fromQueue bool, timo time.Duration) *header {
	if !fromQueue && c.lotsfree() {
		return c.newHeader()
	}
	h := c.dequeue()
	if h == nil {
		if !fromQueue || !c.v.UVM.IsPagedaemon(l) {
			c.needbuffer.TimedWait(l, &c.lock, timo)
		}
		return nil
	}
	if h.Oflags&vnode.BO_DELWRI != 0 {
		h.Cflags |= vnode.BC_AGE
		c.lock.Exit(l)
		_ = c.Bawrite(l, &h.Buf)
		c.lock.Enter(l)
		return nil
	}
	c.unhash(l, h)
	h.forget()
	h.Cflags = vnode.BC_BUSY
	return h
}

// dequeue takes the buffer out of the queues that is to be used again first. Of
// those that are being flushed it takes note only: they will be used again
// soon.
//
// Preconditions: lock is held.
// Postconditions: the caller owns the buffer.
func (c *Cache) dequeue() *header {
	for {
		h := c.queues[BQ_AGE].first
		if h == nil {
			h = c.queues[BQ_LRU].first
		}
		if h == nil {
			return nil
		}
		c.bremfree(h)
		kern.KASSERT(h.Bufsize > 0, "buffer on queue but empty")
		if h.Cflags&vnode.BC_VFLUSH == 0 {
			kern.KASSERT(h.Cflags&vnode.BC_BUSY == 0, "!ISSET(bp->b_cflags, BC_BUSY)")
			h.Cflags |= vnode.BC_BUSY
			return h
		}
		h.Cflags &^= vnode.BC_VFLUSH
		h.Cflags |= vnode.BC_AGE
	}
}

// trim frees one buffer of the queues and returns how many bytes that gave; 0
// if there was none to be had at once.
//
// Preconditions: lock is held.
// Postconditions: the same; it may have been released meanwhile.
//
//netbsd:sys/kern/vfs_bio.c buf_trim
func (c *Cache) trim(l *kern.Lwp) int64 {
	h := c.getnewbuf(l, true, time.Second/hz)
	if h == nil {
		return 0
	}
	size := int64(h.Bufsize)
	c.bufmem -= size
	c.v.UVM.Hyperfree(size)
	h.Data, h.Bufsize, h.Bcount = nil, 0, 0
	c.brelsel(l, h, 0)
	return size
}

// Drain frees buffers until n bytes have been freed or few are left. Dirty ones
// are written. The page daemon calls it.
func (c *Cache) Drain(l *kern.Lwp, n int) {
	c.lock.Enter(l)
	c.drain(l, int64(n))
	c.lock.Exit(l)
}

//netbsd:sys/kern/vfs_bio.c buf_drain
func (c *Cache) drain(l *kern.Lwp, n int64) (freed int64) {
	for freed < n && c.bufmem > c.lowater {
		sz := c.trim(l)
		if sz <= 0 {
			break
		}
		freed += sz
	}
	return freed
}

// bbusy makes the caller the owner of a buffer. If somebody else is, it waits
// until he is not, and returns false: the caller must look anew. The page
// daemon does not wait: EDEADLK.
//
// Preconditions: lock is held.
// Postconditions: the same; it may have been released meanwhile.
//
//netbsd:sys/kern/vfs_bio.c bbusy, bref
func (c *Cache) bbusy(l *kern.Lwp, h *header) (mine bool, err error) {
	if h.Cflags&vnode.BC_BUSY == 0 {
		h.Cflags |= vnode.BC_BUSY
		return true, nil
	}
	if c.v.UVM.IsPagedaemon(l) {
		return false, kern.EDEADLK
	}
	h.Cflags |= vnode.BC_WANTED
	h.refcnt++
	h.busy.Wait(l, &c.lock)
	if h.refcnt > 1 {
		h.refcnt--
	} else {
		c.brele(h)
	}
	return false, nil
}

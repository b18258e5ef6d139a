package blkdev

import (
	"sync/atomic"
	"time"

	"rumpvfs/kern"
	"rumpvfs/vnode"
)

// hz is how many ticks the reference's clock has a second.
const hz = 100

// Bread returns the block blkno of vp, read if it is not in the cache. size is
// that of the block in bytes. What could not be read of it says Resid.
//
// Errors: those of the device; ENOMEM for the page daemon, which cannot wait.
//
// Postconditions: without an error the buffer is the caller's, until Brelse or
// a write.
//
//netbsd:sys/kern/vfs_bio.c bread
func (c *Cache) Bread(l *kern.Lwp, vp *vnode.Vnode, blkno int64, size int) (*vnode.Buf, error) {
	bp := c.doread(l, vp, blkno, size, 0)
	if bp == nil {
		return nil, kern.ENOMEM
	}
	return c.await(l, bp)
}

// await waits until a read is over.
func (c *Cache) await(l *kern.Lwp, bp *vnode.Buf) (*vnode.Buf, error) {
	if err := vnode.Biowait(l, bp); err != nil {
		c.Brelse(l, bp, 0)
		return nil, err
	}
	return bp, nil
}

// Breadn is Bread that also begins to read the blocks rablks, of the sizes
// rasizes, into the cache.
//
//netbsd:sys/kern/vfs_bio.c breadn
func (c *Cache) Breadn(l *kern.Lwp, vp *vnode.Vnode, blkno int64, size int, rablks []int64, rasizes []int) (*vnode.Buf, error) {
	bp := c.doread(l, vp, blkno, size, 0)
	if bp == nil {
		return nil, kern.ENOMEM
	}
	for i, ra := range rablks {
		if !c.Incore(l, vp, ra) {
			c.doread(l, vp, ra, rasizes[i], vnode.B_ASYNC)
		}
	}
	return c.await(l, bp)
}

// doread gets a block and begins to read it if it is not valid. The buffer of
// an asynchronous read is no longer the caller's. nil if the page daemon can
// get none.
//
//netbsd:sys/kern/vfs_bio.c bio_doread
func (c *Cache) doread(l *kern.Lwp, vp *vnode.Vnode, blkno int64, size int, async uint32) *vnode.Buf {
	bp := c.Getblk(l, vp, blkno, size)
	if bp == nil {
		kern.KASSERT(c.v.UVM.IsPagedaemon(l), "curlwp == uvm.pagedaemon_lwp")
		return nil
	}
	if bp.Oflags&(vnode.BO_DONE|vnode.BO_DELWRI) == 0 {
		bp.Flags |= vnode.B_READ | async
		_ = vnode.VOP_STRATEGY(l, vp, bp) // the error is the buffer's
	} else if async != 0 {
		c.Brelse(l, bp, 0)
	}
	if mp := c.charged(vp); mp != nil {
		if async == 0 {
			atomic.AddUint64(&mp.Stat.Syncreads, 1)
		} else {
			atomic.AddUint64(&mp.Stat.Asyncreads, 1)
		}
	}
	return bp
}

// charged returns the mount that transfers of vp count for, nil if there is
// none: of a block device the one that is mounted from it.
func (c *Cache) charged(vp *vnode.Vnode) *vnode.Mount {
	if vp.Type() != vnode.VBLK {
		return vp.Mount()
	}
	if c.mountedFS == nil {
		return nil
	}
	return c.mountedFS(vp)
}

// Bwrite writes a buffer. With B_ASYNC it does not wait; the error is then
// that of a device which is done already. On a file system that is mounted
// MNT_ASYNC, what would wait becomes a delayed write.
//
// Preconditions: the caller owns the buffer, which belongs to a vnode.
// Postconditions: it no longer does.
//
//netbsd:sys/kern/vfs_bio.c bwrite
func (c *Cache) Bwrite(l *kern.Lwp, bp *vnode.Buf) error {
	vp := bp.Vp
	mp := c.charged(vp)
	sync := bp.Flags&vnode.B_ASYNC == 0
	if mp != nil {
		if sync && mp.Flag()&kern.MNT_ASYNC != 0 {
			c.Bdwrite(l, bp)
			return nil
		}
		if sync {
			atomic.AddUint64(&mp.Stat.Syncwrites, 1)
		} else {
			atomic.AddUint64(&mp.Stat.Asyncwrites, 1)
		}
	}
	c.beginWrite(l, bp)
	n := bp.AsyncCount()
	_ = vnode.VOP_STRATEGY(l, vp, bp) // the error is the buffer's
	if !sync {
		return bp.AsyncError(n)
	}
	err := vnode.Biowait(l, bp)
	c.Brelse(l, bp, 0)
	return err
}

// beginWrite counts a buffer as being written and makes it a clean one.
func (c *Cache) beginWrite(l *kern.Lwp, bp *vnode.Buf) {
	h := headerOf(bp)
	bp.Error = nil
	bp.Flags &^= vnode.B_READ
	c.lock.Enter(l)
	kern.KASSERT(bp.Cflags&vnode.BC_BUSY != 0, "ISSET(bp->b_cflags, BC_BUSY)")
	h.writing = true
	c.writing++
	bp.Objlock.Enter(l)
	wasdelayed := bp.Oflags&vnode.BO_DELWRI != 0
	bp.Oflags &^= vnode.BO_DONE | vnode.BO_DELWRI
	if wasdelayed {
		bp.Reassign(l)
	}
	bp.Vp.AddOutput(1)
	bp.Objlock.Exit(l)
	c.lock.Exit(l)
}

// VnBwrite is VOP_BWRITE of vnodes whose buffers are in the cache.
//
//netbsd:sys/kern/vfs_bio.c vn_bwrite
func (c *Cache) VnBwrite(l *kern.Lwp, _ *vnode.Vnode, bp *vnode.Buf) error { return c.Bwrite(l, bp) }

// Bdwrite marks a buffer to be written later: when it is to be used again, when
// the vnode is synchronised, or when the syncer comes by. That is for what is
// likely to change again soon.
//
// Preconditions: the caller owns the buffer.
// Postconditions: it no longer does.
//
//netbsd:sys/kern/vfs_bio.c bdwrite
func (c *Cache) Bdwrite(l *kern.Lwp, bp *vnode.Buf) {
	if c.onTape(l, bp) {
		_ = c.Bawrite(l, bp) // the order of writes matters there
		return
	}
	c.lock.Enter(l)
	kern.KASSERT(bp.Cflags&vnode.BC_BUSY != 0, "ISSET(bp->b_cflags, BC_BUSY)")
	bp.Objlock.Enter(l)
	if bp.Oflags&vnode.BO_DELWRI == 0 {
		bp.Oflags |= vnode.BO_DELWRI
		bp.Reassign(l)
	}
	bp.Oflags &^= vnode.BO_DONE
	bp.Objlock.Exit(l)
	c.brelsel(l, headerOf(bp), 0)
	c.lock.Exit(l)
}

func (c *Cache) onTape(l *kern.Lwp, bp *vnode.Buf) bool {
	if bp.Dev == kern.NODEV {
		return false
	}
	d, err := c.devsw.Block(l, bp.Dev)
	return err == nil && d.Type() == D_TAPE
}

// Bawrite begins to write a buffer and does not wait. The error is that of a
// device which is done already.
//
// Preconditions: the caller owns the buffer, which belongs to a vnode.
// Postconditions: it no longer does.
//
//netbsd:sys/kern/vfs_bio.c bawrite
func (c *Cache) Bawrite(l *kern.Lwp, bp *vnode.Buf) error {
	kern.KASSERT(bp.Vp != nil, "bp->b_vp != NULL")
	bp.Flags |= vnode.B_ASYNC
	return vnode.VOP_BWRITE(l, bp.Vp, bp)
}

// Brelse gives a buffer back to the cache, after the BC_ flags set were set.
// One with an error, or that is not to be kept, is invalid from then on.
//
// Preconditions: the caller owns the buffer.
// Postconditions: it no longer does.
//
//netbsd:sys/kern/vfs_bio.c brelse
func (c *Cache) Brelse(l *kern.Lwp, bp *vnode.Buf, set uint32) {
	c.lock.Enter(l)
	c.brelsel(l, headerOf(bp), set)
	c.lock.Exit(l)
}

// brelsel is Brelse for who holds the lock.
//
// Preconditions: lock is held; the caller owns the buffer.
//
//netbsd:sys/kern/vfs_bio.c brelsel
func (c *Cache) brelsel(l *kern.Lwp, h *header, set uint32) {
	h.Cflags |= set
	kern.KASSERT(h.Cflags&vnode.BC_BUSY != 0, "ISSET(bp->b_cflags, BC_BUSY)")
	kern.KASSERT(h.Iodone == nil, "bp->b_iodone == NULL")
	if h.writing {
		h.writing = false
		c.writing--
	}
	c.needbuffer.Signal(l)
	if h.Cflags&vnode.BC_WANTED != 0 {
		h.Cflags &^= vnode.BC_WANTED | vnode.BC_AGE
	}
	if h.Flags&vnode.B_LOCKED != 0 {
		h.Error = nil // it is tried again
	}
	if h.Cflags&vnode.BC_NOCACHE != 0 || h.Error != nil {
		h.Cflags |= vnode.BC_INVAL
	}
	if !c.staysQueued(h) {
		c.requeue(l, h)
	}
	h.Cflags &^= vnode.BC_AGE | vnode.BC_BUSY | vnode.BC_NOCACHE
	h.Flags &^= vnode.B_ASYNC
	h.busy.Broadcast(l)
	if h.Bufsize <= 0 {
		c.brele(h)
	}
}

// staysQueued looks at a buffer that was flushed from where it is in a queue,
// and reports whether it stays there. If not, it is taken out.
func (c *Cache) staysQueued(h *header) bool {
	if h.Cflags&vnode.BC_VFLUSH == 0 {
		return false
	}
	h.Cflags &^= vnode.BC_VFLUSH
	if h.Cflags&(vnode.BC_INVAL|vnode.BC_AGE) == 0 && h.Flags&vnode.B_LOCKED == 0 {
		return true
	}
	c.bremfree(h)
	return false
}

// requeue puts a buffer into the queue that is right for it.
func (c *Cache) requeue(l *kern.Lwp, h *header) {
	switch {
	case h.Bufsize <= 0:
		c.dissociate(l, h)
	case h.Cflags&vnode.BC_INVAL != 0:
		c.dissociate(l, h)
		c.insertHead(h, BQ_AGE)
	case h.Flags&vnode.B_LOCKED != 0:
		c.insertTail(h, BQ_LOCKED)
	case h.Cflags&vnode.BC_AGE != 0:
		c.insertTail(h, BQ_AGE)
	default:
		c.insertTail(h, BQ_LRU)
	}
}

// dissociate parts a buffer that holds nothing of worth from its vnode.
func (c *Cache) dissociate(l *kern.Lwp, h *header) {
	h.Objlock.Enter(l)
	h.Oflags &^= vnode.BO_DONE | vnode.BO_DELWRI
	h.Objlock.Exit(l)
	c.unhash(l, h)
}

// unhash parts a buffer from its vnode, if it has one.
func (c *Cache) unhash(l *kern.Lwp, h *header) {
	vp := h.Vp
	if vp == nil {
		return
	}
	if key := (blockKey{vp, h.Lblkno}); c.blocks[key] == h {
		delete(c.blocks, key)
	}
	vp.Interlock.Enter(l)
	h.Relvp(l)
	vp.Interlock.Exit(l)
}

// Syncwait waits until no buffer is being written, a few seconds at most, and
// returns how many still are.
//
//netbsd:sys/kern/vfs_bio.c buf_syncwait
func (c *Cache) Syncwait(l *kern.Lwp) int {
	const tries = 20
	prev := 0
	for iter := 0; ; {
		c.lock.Enter(l)
		n := c.writing
		c.lock.Exit(l)
		if n == 0 || iter == tries {
			return n
		}
		if prev == 0 {
			prev = n
		}
		l.Sleep(time.Duration(max(1, hz/25*iter)) * time.Second / hz)
		if n >= prev {
			iter++
		} else {
			prev = n
		}
	}
}

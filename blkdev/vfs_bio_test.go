package blkdev

import (
	"bytes"
	"fmt"
	"slices"
	"testing"

	"rumpvfs/hypercall"
	"rumpvfs/kern"
	"rumpvfs/vnode"
)

const bsize = kern.BLKDEV_IOSIZE

// blk returns the block number of the i-th block of a device.
func blk(i int) int64 { return int64(i * bsize / kern.DEV_BSIZE) }

func (m *machine) bread(vp *vnode.Vnode, i int) *vnode.Buf {
	m.t.Helper()
	bp, err := m.cache.Bread(m.l, vp, blk(i), bsize)
	if err != nil {
		m.t.Fatalf("block %d: %v", i, err)
	}
	return bp
}

// get returns what a block holds.
func (m *machine) get(vp *vnode.Vnode, i int) []byte {
	m.t.Helper()
	bp := m.bread(vp, i)
	b := bytes.Clone(bp.Data[:bsize])
	m.cache.Brelse(m.l, bp, 0)
	return b
}

// fill returns the buffer of a block, which holds nothing but c.
func (m *machine) fill(vp *vnode.Vnode, i int, c byte) *vnode.Buf {
	bp := m.cache.Getblk(m.l, vp, blk(i), bsize)
	copy(bp.Data, block(c))
	return bp
}

func block(c byte) []byte { return bytes.Repeat([]byte{c}, bsize) }

func TestBread(t *testing.T) {
	for _, q := range []kern.Quirks{kern.Rev1125, kern.Fixed} {
		testBread(t, q, map[bool]string{true: "1000 0", false: "2048 1048"}[q == kern.Rev1125])
	}
}

// testBread reads a disk whose last block has a count and a residue of atEnd.
func testBread(t *testing.T, q kern.Quirks, atEnd string) {
	h := hypercall.NewFaultHost(nil)
	m := newMachine(t, setup{quirks: q, Config: hypercall.Config{Host: h}})
	disk := pattern(4*bsize + 1000)
	vp := m.disk("/disk", disk)
	for range 3 {
		for i := range 4 {
			if !bytes.Equal(m.get(vp, i), disk[i*bsize:][:bsize]) {
				t.Errorf("block %d is another", i)
			}
		}
	}
	m.want("reads", h.Calls(hypercall.OpReadAt), 4)

	bp := m.bread(vp, 4)
	m.want("the end", fmt.Sprint(bp.Bcount, bp.Resid), atEnd)
	if !bytes.Equal(bp.Data[:bsize], append(disk[4*bsize:], make([]byte, bsize-1000)...)) {
		t.Error("the last block is another")
	}
	m.cache.Brelse(m.l, bp, 0)
	_, err := m.cache.Bread(m.l, vp, blk(5), bsize)
	m.want("beyond the end", err, kern.EINVAL)
	m.want("beyond the end", m.cache.Incore(m.l, vp, blk(5)), false)

	h.SetFaults(hypercall.Fault{Op: hypercall.OpReadAt, Err: hypercall.HostErrno(kern.EIO)})
	m.want("a cached block", m.bread(vp, 1).Error, nil)
	m.cache.Brelse(m.l, &m.cache.blocks[blockKey{vp, blk(1)}].Buf, vnode.BC_NOCACHE)
	m.want("kept", m.cache.Incore(m.l, vp, blk(1)), false)
	_, err = m.cache.Bread(m.l, vp, blk(1), bsize)
	m.want("a block that cannot be read", err, kern.EIO)
	h.SetFaults()
	if !bytes.Equal(m.get(vp, 1), disk[bsize:][:bsize]) {
		t.Error("an error stays")
	}
	m.want("stats", m.cache.Stats(m.l), CacheStats{Buffers: 6, Bytes: 6 * bsize})
	m.end(vp)
}

func TestBreadn(t *testing.T) {
	h := hypercall.NewFaultHost(nil)
	m := newMachine(t, setup{Config: hypercall.Config{Host: h}})
	disk := pattern(8 * bsize)
	vp := m.disk("/disk", disk)
	m.get(vp, 3)
	ra := []int64{blk(1), blk(3), blk(2), blk(100)}
	sizes := []int{bsize, bsize, bsize, bsize}
	bp, err := m.cache.Breadn(m.l, vp, blk(0), bsize, ra, sizes)
	m.want("breadn", err, nil)
	if !bytes.Equal(bp.Data, disk[:bsize]) {
		t.Error("another block")
	}
	m.cache.Brelse(m.l, bp, 0)
	for i := range 4 {
		m.want(fmt.Sprint("in core ", i), m.cache.Incore(m.l, vp, blk(i)), true)
	}
	m.want("reads", h.Calls(hypercall.OpReadAt), 4)
	m.want("asynchronous", m.blk.Stats().Async, 3)
	m.cache.doread(m.l, vp, blk(1), bsize, vnode.B_ASYNC) // it came meanwhile
	m.get(vp, 1)
	h.SetFaults(hypercall.Fault{Op: hypercall.OpReadAt, Err: hypercall.HostErrno(kern.EIO)})
	_, err = m.cache.Breadn(m.l, vp, blk(5), bsize, nil, nil)
	m.want("breadn", err, kern.EIO)
	m.end(vp)
}

// The three ways to write differ in when the host's file has it, and in who
// is told of an error.
func TestWrite(t *testing.T) {
	h := hypercall.NewFaultHost(nil)
	m := newMachine(t, setup{Config: hypercall.Config{Host: h}})
	disk := pattern(4 * bsize)
	vp := m.disk("/disk", disk)

	m.want("bwrite", m.cache.Bwrite(m.l, m.fill(vp, 0, 'a')), nil)
	copy(disk, block('a'))
	m.want("syncs", h.Calls(hypercall.OpSync), 1)
	m.want("bawrite", m.cache.Bawrite(m.l, m.fill(vp, 1, 'b')), nil)
	copy(disk[bsize:], block('b'))
	m.want("syncs", h.Calls(hypercall.OpSync), 1)
	if !bytes.Equal(m.data("/disk"), disk) {
		t.Error("bwrite and bawrite have not written")
	}
	m.cache.Bdwrite(m.l, m.fill(vp, 2, 'c'))
	m.cache.Bdwrite(m.l, m.fill(vp, 2, 'd'))
	m.want("stats", m.cache.Stats(m.l), CacheStats{Buffers: 3, Bytes: 3 * bsize, Dirty: 1})
	if !bytes.Equal(m.data("/disk"), disk) {
		t.Error("bdwrite has written")
	}
	if !bytes.Equal(m.get(vp, 2), block('d')) {
		t.Error("what is to be written is not what is read")
	}
	m.want("on the worklist", vp.Iflag()&vnode.VI_ONWORKLST != 0, true)
	m.want("audit", m.cache.Audit(m.l), "[1 buffers not written 3 buffers of vnodes]")
	m.flush(vp)
	copy(disk[2*bsize:], block('d'))
	if !bytes.Equal(m.data("/disk"), disk) {
		t.Error("the flush has not written")
	}
	m.want("on the worklist", vp.Iflag()&vnode.VI_ONWORKLST != 0, false)
	m.want("writes", h.Calls(hypercall.OpWriteAt), 3)
	m.cache.Bdwrite(m.l, m.fill(vp, 2, 'e'))
	m.want("bwrite of a delayed one", m.cache.Bwrite(m.l, m.bread(vp, 2)), nil)
	m.want("still to be written", vp.DirtyBufs() == nil, true)
	m.want("read after write", string(m.get(vp, 2)), string(block('e')))

	h.SetFaults(hypercall.Fault{Op: hypercall.OpWriteAt, Err: hypercall.HostErrno(kern.ENOSPC)})
	m.want("bwrite", m.cache.Bwrite(m.l, m.fill(vp, 0, 'x')), kern.ENOSPC)
	m.want("bawrite", m.cache.Bawrite(m.l, m.fill(vp, 1, 'x')), kern.ENOSPC)
	m.cache.Bdwrite(m.l, m.fill(vp, 2, 'x'))
	m.flush(vp)
	for i, c := range []byte("abe") {
		m.want("in core", m.cache.Incore(m.l, vp, blk(i)), false)
		m.want("what could not be written is lost", m.get(vp, i)[0], c)
	}
	m.want("syncwait", m.cache.Syncwait(m.l), 0)
	m.end(vp)
}

// flush synchronises a vnode.
func (m *machine) flush(vp *vnode.Vnode) {
	m.t.Helper()
	vp.VLock.Enter(m.l)
	m.want("flush", vp.FlushBuf(m.l, vnode.FSYNC_WAIT), nil)
	vp.VLock.Exit(m.l)
}

// What is dirty when the last user goes is written.
func TestDirtyAtTheEnd(t *testing.T) {
	m := newMachine(t, setup{})
	vp := m.disk("/disk", pattern(bsize))
	m.cache.Bdwrite(m.l, m.fill(vp, 0, 'a'))
	vp.Ref(m.l)
	vp.Rele(m.l)
	m.end(vp)
	if !bytes.Equal(m.data("/disk"), block('a')) {
		t.Error("it is lost")
	}
}

// Transfers are counted for the file system that a device has, which also says
// whether writes are to be waited for.
func TestChargedFS(t *testing.T) {
	mp := new(vnode.Mount)
	m := newMachine(t, setup{mounted: mp})
	vp := m.disk("/disk", pattern(16*bsize))
	bp, err := m.cache.Breadn(m.l, vp, blk(0), bsize, []int64{blk(1), blk(2)}, []int{bsize, bsize})
	m.want("read", err, nil)
	m.want("write", m.cache.Bwrite(m.l, bp), nil)
	for i := range 3 {
		m.want("write", m.cache.Bawrite(m.l, m.fill(vp, i, 'a')), nil)
	}
	st := mp.Stat
	m.want("counted", fmt.Sprint(st.Syncreads, st.Asyncreads, st.Syncwrites, st.Asyncwrites), "1 2 1 3")
	mp.SetFlag(kern.MNT_ASYNC)
	m.want("write", m.cache.Bwrite(m.l, m.fill(vp, 5, 'b')), nil)
	m.want("dirty", m.cache.Stats(m.l).Dirty, 1)
	m.want("counted", mp.Stat.Syncwrites, 1)
	m.cache.mountedFS = nil
	m.want("write", m.cache.Bwrite(m.l, m.bread(vp, 5)), nil)
	m.want("dirty", m.cache.Stats(m.l).Dirty, 0)
	m.end(vp)
}

// tape is a disk that is read and written in the order of requests.
type tape struct{ *Rumpblk }

func (tape) Type() DevType { return D_TAPE }

func TestTape(t *testing.T) {
	m := newMachine(t, setup{})
	m.want("attach", m.devsw.AttachBlock(m.l, "tape", 7, tape{m.blk}), nil)
	m.file("/tape", pattern(bsize))
	m.register("/tape")
	vp, err := m.Bdevvp(m.l, kern.Makedev(7, 0))
	m.want("vnode", err, nil)
	m.cache.Bdwrite(m.l, m.fill(vp, 0, 't'))
	m.want("written at once", string(m.data("/tape")), string(block('t')))
	m.want("a disk", m.cache.onTape(m.l, &vnode.Buf{Dev: kern.Makedev(RUMPBLK_DEVMAJOR, 0)}), false)
	m.want("no driver", m.cache.onTape(m.l, &vnode.Buf{Dev: kern.Makedev(3, 0)}), false)
	m.want("no device", m.cache.onTape(m.l, &vnode.Buf{Dev: kern.NODEV}), false)
	m.end(vp)
}

func TestBufferWithoutVnode(t *testing.T) {
	m := newMachine(t, setup{})
	bp := m.cache.Geteblk(m.l, 1000)
	m.want("sizes", fmt.Sprint(bp.Bcount, bp.Bufsize, len(bp.Data), bp.Vp), "1000 1024 1024 <nil>")
	m.want("stats", m.cache.Stats(m.l), CacheStats{Buffers: 1, Bytes: 1024, Busy: 1})
	m.want("audit", m.cache.Audit(m.l), "[1 buffers owned by somebody]")
	copy(bp.Data, "keep me")
	m.want("grow", m.cache.Allocbuf(m.l, bp, 5000, true), nil)
	m.want("grown", fmt.Sprintf("%d %d %q", bp.Bcount, len(bp.Data), bp.Data[:8]), `5000 8192 "keep me\x00"`)
	m.want("shrink", m.cache.Allocbuf(m.l, bp, 3, true), nil)
	m.want("shrunk", fmt.Sprintf("%d %d %q", bp.Bcount, len(bp.Data), bp.Data[:7]), `3 512 "keep me"`)
	m.want("bytes", m.cache.Stats(m.l).Bytes, 512)
	m.cache.Brelse(m.l, bp, 0)
	m.want("age", m.cache.queues[BQ_AGE].first == headerOf(bp), true)
	m.end()
}

func TestRoundsize(t *testing.T) {
	for size, want := range map[int]int{1: 512, 512: 512, 513: 1024, 2048: 2048, 40000: 65536, 65536: 65536} {
		if got := roundsize(size); got != want {
			t.Errorf("%d: %d, want %d", size, got, want)
		}
	}
	for _, size := range []int{0, -1, kern.MAXBSIZE + 1} {
		if msg := kernelPanic(t, func() { roundsize(size) }); msg == "" {
			t.Errorf("%d: no panic", size)
		}
	}
}

// A file's blocks have one size; a device's need not.
func TestBlockSizes(t *testing.T) {
	m := newMachine(t, setup{})
	vp := m.disk("/disk", pattern(8*bsize))
	m.get(vp, 0)
	bp, err := m.cache.Bread(m.l, vp, 0, 2*bsize)
	m.want("a larger block", fmt.Sprint(len(bp.Data), " ", bp.Bcount, " ", name(err)), "4096 4096 <nil>")
	m.cache.Brelse(m.l, bp, 0)

	cvp, err := m.Cdevvp(m.l, kern.Makedev(RUMPBLK_DEVMAJOR, 0))
	m.want("vnode", err, nil)
	m.get(cvp, 0)
	m.want("getblk", kernelPanic(t, func() { m.cache.Getblk(m.l, cvp, 0, 2*bsize) }),
		"getblk: block size invariant failed: "+fmt.Sprint(cvp))
}

// order returns the blocks of a queue, those that belong to no vnode as -1.
func (m *machine) order(queue int) []int {
	var blocks []int
	for h := m.cache.queues[queue].first; h != nil; h = h.next {
		if h.Vp == nil {
			blocks = append(blocks, -1)
		} else {
			blocks = append(blocks, int(h.Lblkno*kern.DEV_BSIZE/bsize))
		}
	}
	return blocks
}

// Buffers go to the queue that fits what they are worth.
func TestQueues(t *testing.T) {
	m := newMachine(t, setup{})
	vp := m.disk("/disk", pattern(16*bsize))
	for i := range 5 {
		m.get(vp, i)
	}
	m.get(vp, 1)
	m.want("the last used is last", m.order(BQ_LRU), "[0 2 3 4 1]")
	m.cache.Brelse(m.l, m.bread(vp, 2), vnode.BC_AGE)
	m.cache.Brelse(m.l, m.bread(vp, 3), vnode.BC_AGE)
	m.cache.Brelse(m.l, m.bread(vp, 4), vnode.BC_INVAL)
	m.want("stale ones", m.order(BQ_AGE), "[-1 2 3]")
	m.get(vp, 2)
	m.want("a stale one is used", m.order(BQ_LRU), "[0 1 2]")

	bp := m.bread(vp, 0)
	bp.Flags |= vnode.B_LOCKED
	bp.Error = kern.EIO
	m.cache.Brelse(m.l, bp, 0)
	m.want("locked", m.order(BQ_LOCKED), "[0]")
	m.want("tried again", bp.Error, nil)
	bp = m.cache.Getblk(m.l, vp, 0, bsize)
	m.want("locked buffer keeps its size", kernelPanic(t, func() {
		bp.Flags |= vnode.B_LOCKED
		m.cache.Brelse(m.l, bp, 0)
		m.cache.Getblk(m.l, vp, 0, 2*bsize)
	}), `kernel diagnostic assertion "bp->b_bufsize >= size" failed`)
	bp.Flags &^= vnode.B_LOCKED
	m.cache.Brelse(m.l, bp, 0)

	// What is flushed stays where it is.
	m.cache.Bdwrite(m.l, m.fill(vp, 1, 'x'))
	m.get(vp, 2)
	m.want("before", m.order(BQ_LRU), "[0 1 2]")
	m.flush(vp)
	m.want("after", m.order(BQ_LRU), "[0 1 2]")
	m.end(vp)
}

// What becomes invalid while the caller owns it is no longer found, although
// its buffer is still there.
func TestInvalidWhileOwned(t *testing.T) {
	m := newMachine(t, setup{})
	vp := m.disk("/disk", pattern(4*bsize))
	old := m.bread(vp, 1)
	m.cache.lock.Enter(m.l)
	old.Cflags |= vnode.BC_INVAL
	m.cache.lock.Exit(m.l)
	m.want("in core", m.cache.Incore(m.l, vp, blk(1)), false)
	again := m.bread(vp, 1)
	m.want("another buffer", old != again, true)
	m.cache.Brelse(m.l, old, 0)
	m.want("in core", m.cache.Incore(m.l, vp, blk(1)), true)
	m.cache.Brelse(m.l, again, 0)
	m.end(vp)
}

// Invalidating throws buffers away, truncating those behind a block; neither
// writes.
func TestInvalAndTrunc(t *testing.T) {
	m := newMachine(t, setup{})
	disk := pattern(8 * bsize)
	vp := m.disk("/disk", disk)
	for i := range 8 {
		bp := m.bread(vp, i)
		if i%2 == 0 {
			copy(bp.Data, block('x'))
			m.cache.Bdwrite(m.l, bp)
		} else {
			m.cache.Brelse(m.l, bp, 0)
		}
	}
	m.want("trunc", m.cache.TruncBufs(m.l, vp, blk(3)), nil)
	m.want("queue", m.order(BQ_LRU), "[0 1 2]")
	m.want("dirty", m.cache.Stats(m.l).Dirty, 2)
	m.want("inval", m.cache.InvalBufs(m.l, vp), nil)
	m.want("queue", m.order(BQ_LRU), "[]")
	m.want("buffers to use again", slices.Max(m.order(BQ_AGE)), -1)
	m.want("worklist", vp.Iflag()&vnode.VI_ONWORKLST, 0)
	if !bytes.Equal(m.data("/disk"), disk) {
		t.Error("something was written")
	}
	m.end(vp)
}

func TestFlushOfClean(t *testing.T) {
	m := newMachine(t, setup{})
	vp := m.disk("/disk", pattern(bsize))
	bp := m.bread(vp, 0)
	bp.Objlock.Enter(m.l)
	m.cache.lock.Enter(m.l)
	bp.Oflags |= vnode.BO_DELWRI
	bp.Reassign(m.l)
	bp.Oflags &^= vnode.BO_DELWRI
	bp.Objlock.Exit(m.l)
	m.cache.lock.Exit(m.l)
	m.cache.FlushBufs(m.l, vp) // owned by somebody
	m.cache.Brelse(m.l, bp, 0)
	m.want("flush", kernelPanic(t, func() { m.cache.FlushBufs(m.l, vp) }), "vflushbuf: not dirty, bp of "+fmt.Sprint(vp))
}

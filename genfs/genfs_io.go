package genfs

import (
	"rumpvfs/kern"
	"rumpvfs/uvm"
	"rumpvfs/vnode"
)

// read fills the pages of g.pgs that are not valid from the device, or with
// zeros where the file has no block or ends.
//
// Preconditions: the pages are busy; the node's lock is held, the interlock
// is not.
// Postconditions: the node's lock is not held. On success those of [Getpages].
func (g *get) read(l *kern.Lwp) error {
	mbp := g.readBuf(l)
	bytes := int64(mbp.Bcount)
	g.zeroTail(bytes)
	started, err := g.readBlocks(l, mbp, bytes)
	if g.async {
		g.exitNode(l)
		return nil
	}
	if started {
		err = vnode.Biowait(l, mbp)
	}
	mbp.Mapout()
	if err == nil && g.hole && g.blockalloc {
		err = g.alloc(l)
	}
	vnode.PutIOBuf(l, mbp)
	g.exitNode(l)
	g.vp.Interlock.Enter(l)
	if err != nil {
		relPages(l, g.pgs)
		clear(g.pgs)
		g.vp.Interlock.Exit(l)
		return err
	}
	g.finish(l, len(g.pgs))
	return nil
}

// readBuf makes the buffer for all of the pages. It transfers what lies
// before the end of the file.
func (g *get) readBuf(l *kern.Lwp) *vnode.Buf {
	mbp := vnode.GetIOBuf(l, g.vp)
	mbp.Flags, mbp.Cflags = vnode.B_READ, vnode.BC_BUSY
	if g.async {
		mbp.Flags |= vnode.B_ASYNC
		mbp.Iodone = vnode.AioBiodone
	}
	mbp.Mapin(g.pgs)
	bytes := min(mbp.Bufsize, int(max(g.diskeof-g.start, 0)))
	mbp.Bcount, mbp.Resid = bytes, bytes
	return mbp
}

// zeroTail fills what lies behind the end of the file with zeros, in those
// pages that hold nothing yet.
func (g *get) zeroTail(bytes int64) {
	for i := bytes >> kern.PAGE_SHIFT; i < int64(len(g.pgs)); i++ {
		if pg := g.pgs[i]; pg.Flags&uvm.PG_FAKE != 0 {
			clear(pg.Data[max(bytes-i<<kern.PAGE_SHIFT, 0):])
		}
	}
}

// readBlocks starts the reading of bytes bytes, one buffer for each run of
// blocks that lie together. It reports whether any was started; if none was,
// err says why. All of mbp is accounted for: it completes when the last run
// does.
func (g *get) readBlocks(l *kern.Lwp, mbp *vnode.Buf, bytes int64) (started bool, err error) {
	skipped := int64(0)
	for done := int64(0); done < bytes; {
		if n := g.valid(done, bytes); n > 0 {
			done, skipped = done+n, skipped+n
			continue
		}
		run, devvp, blkno, e := mapBlocks(l, g.vp, g.start+done, bytes-done)
		if e != nil {
			err, skipped = e, skipped+bytes-done
			break
		}
		run = g.fakeRun(done, run)
		if blkno == noBlock {
			g.zeroHole(l, mbp, done, run)
			skipped += run
		} else {
			started = true
			startIO(l, mbp, devvp, blkno, done, run)
		}
		done += run
	}
	vnode.NestiobufDone(l, mbp, int(skipped), err)
	return started, err
}

// valid returns how many bytes of the page at done need not be read: none of
// a page that holds nothing yet. A read-only page is a sign of a hole.
func (g *get) valid(done, bytes int64) int64 {
	pg := g.pgs[done>>kern.PAGE_SHIFT]
	if pg.Flags&uvm.PG_FAKE != 0 {
		return 0
	}
	if pg.Flags&uvm.PG_RDONLY != 0 {
		g.hole = true
	}
	return min(kern.PAGE_SIZE, bytes-done)
}

// fakeRun shortens a run that reaches beyond the page at done, so that it
// ends before the next page that holds something.
func (g *get) fakeRun(done, run int64) int64 {
	if done+run <= kern.RoundPage(done) {
		return run
	}
	pidx := int(done >> kern.PAGE_SHIFT)
	pcount := 1
	for pidx+pcount < len(g.pgs) && g.pgs[pidx+pcount].Flags&uvm.PG_FAKE != 0 {
		pcount++
	}
	return min(run, int64(pcount)<<kern.PAGE_SHIFT-done&kern.PAGE_MASK)
}

// zeroHole fills what has no block with zeros. Unless blocks are going to be
// allocated the pages become read-only: before the next write to one it is
// asked for again.
func (g *get) zeroHole(l *kern.Lwp, mbp *vnode.Buf, done, run int64) {
	g.hole = true
	clear(mbp.Data[done : done+run])
	lo, hi := done>>kern.PAGE_SHIFT, kern.RoundPage(done+run)>>kern.PAGE_SHIFT
	g.vp.Interlock.Enter(l)
	for _, pg := range g.pgs[lo:hi] {
		if g.memwrite {
			pg.Flags &^= uvm.PG_CLEAN
		}
		if !g.blockalloc {
			pg.Flags |= uvm.PG_RDONLY
		}
	}
	g.vp.Interlock.Exit(l)
}

// alloc allocates the blocks that are missing. All pages are dirty then.
func (g *get) alloc(l *kern.Lwp) error {
	length := int64(len(g.pgs)) << kern.PAGE_SHIFT
	if err := g.node.ops.Alloc(l, g.vp, g.start, length, 0, l.Cred); err != nil {
		return err
	}
	g.vp.Interlock.Enter(l)
	for _, pg := range g.pgs {
		pg.Flags &^= uvm.PG_CLEAN | uvm.PG_RDONLY
	}
	g.vp.Interlock.Exit(l)
	return nil
}

// noBlock is the block number of a hole.
const noBlock = -1

// mapBlocks finds out where the bytes from a file offset on are: how many of
// at most n lie together, on which device, and the number of the first block
// there, in the device's units, or noBlock.
func mapBlocks(l *kern.Lwp, vp *vnode.Vnode, offset, n int64) (run int64, devvp *vnode.Vnode, blkno int64, err error) {
	fsBshift, devBshift := shifts(vp)
	lbn := offset >> fsBshift
	devvp, blkno, runp, err := vnode.VOP_BMAP(l, vp, lbn)
	if err != nil {
		return 0, nil, 0, err
	}
	run = min((lbn+1+int64(runp))<<fsBshift-offset, n)
	if blkno != noBlock {
		blkno += (offset - lbn<<fsBshift) >> devBshift
	}
	return run, devvp, blkno, nil
}

// startIO starts the transfer of n bytes at an offset of mbp: with mbp itself
// if that is all of it.
func startIO(l *kern.Lwp, mbp *vnode.Buf, devvp *vnode.Vnode, blkno, offset, n int64) {
	bp := mbp
	if offset != 0 || n != int64(mbp.Bcount) {
		bp = vnode.GetIOBuf(l, mbp.Vp)
		vnode.Nestiobuf(l, mbp, bp, int(offset), int(n))
	}
	bp.Lblkno, bp.Blkno = 0, blkno
	_ = vnode.VOP_STRATEGY(l, devvp, bp)
}

// GopWrite writes pages to the blocks of the file: Ops.Write of most file
// systems.
//
// Preconditions: the pages are busy and follow one another. No interlock is
// held.
// Postconditions: the pages are let go, or will be when the writing is over.
//
//netbsd:sys/miscfs/genfs/genfs_io.c genfs_gop_write, genfs_gop_write_rwmap, genfs_do_io
func GopWrite(l *kern.Lwp, vp *vnode.Vnode, pgs []*uvm.Page, flags int) error {
	start := pgs[0].Offset
	bytes := writable(l, vp, start, int64(len(pgs))<<kern.PAGE_SHIFT)
	// One for the transfer, one until the pages are let go.
	vp.Startoutput(l, 2)
	mbp := vnode.GetIOBuf(l, vp)
	mbp.Mapin(pgs)
	mbp.Bcount, mbp.Resid = int(bytes), int(bytes)
	mbp.Flags, mbp.Cflags = vnode.B_WRITE, vnode.BC_BUSY|vnode.BC_AGE
	async := flags&uvm.PGO_SYNCIO == 0
	if async {
		mbp.Flags |= vnode.B_ASYNC
		mbp.Iodone = vnode.AioBiodone
	}
	writeBlocks(l, mbp, start, bytes)
	if async {
		return nil
	}
	err := vnode.Biowait(l, mbp)
	vnode.AioBiodone(l, mbp)
	return err
}

// writable returns how much of length bytes from start on lies before the
// end that the file has, or is about to have, on disk. The page daemon comes
// here without the vnode lock, while others change the size.
func writable(l *kern.Lwp, vp *vnode.Vnode, start, length int64) int64 {
	vp.Interlock.Enter(l)
	size, end := vp.Size, vp.WriteSize
	vp.Interlock.Exit(l)
	kern.KASSERTOf(size <= end, "vp->v_size <= vp->v_writesize", vp)
	bytes := VTOG(vp).ops.Size(vp, end, 0) - start
	kern.KASSERTOf(bytes != 0, "bytes != 0", vp)
	if bytes < 0 || bytes > length { // the C kernel compares them as unsigned
		return length
	}
	return bytes
}

// writeBlocks starts the writing of bytes bytes of mbp to the file from start
// on. What has no block is passed over. All of mbp is accounted for.
func writeBlocks(l *kern.Lwp, mbp *vnode.Buf, start, bytes int64) {
	skipped, failed := int64(0), error(nil)
	for done := int64(0); done < bytes; {
		run, devvp, blkno, err := mapBlocks(l, mbp.Vp, start+done, bytes-done)
		if err != nil {
			skipped, failed = skipped+bytes-done, err
			break
		}
		if blkno == noBlock {
			skipped += run
		} else {
			startIO(l, mbp, devvp, blkno, done, run)
		}
		done += run
	}
	vnode.NestiobufDone(l, mbp, int(skipped), failed)
}

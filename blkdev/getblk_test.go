package blkdev

import (
	"bytes"
	"fmt"
	"testing"
	"time"

	"rumpvfs/hypercall"
	"rumpvfs/kern"
	"rumpvfs/vnode"
)

// A full cache uses buffers again, the longest unused first, and writes what is
// dirty before.
func TestEviction(t *testing.T) {
	const n = 64
	m := newMachine(t, setup{Config: det, hiwater: 1})
	c := m.cache
	m.want("water marks", fmt.Sprint(c.lowater, " ", c.hiwater), fmt.Sprint(64<<10, " ", 512<<10))
	disk := pattern(n * kern.MAXBSIZE)
	vp := m.disk("/disk", disk)
	for i := range n {
		bn := int64(i * kern.MAXBSIZE / kern.DEV_BSIZE)
		bp, err := c.Bread(m.l, vp, bn, kern.MAXBSIZE)
		m.want("read", err, nil)
		bp.Data[i]++
		c.Bdwrite(m.l, bp)
		if s := c.Stats(m.l); s.Bytes > c.hiwater+kern.MAXBSIZE {
			t.Errorf("%d bytes of buffers", s.Bytes)
		}
	}
	first := bytes.Equal(m.data("/disk")[:kern.MAXBSIZE], disk[:kern.MAXBSIZE])
	m.want("the first block is unwritten", first, false)
	m.flush(vp)
	for i := range n {
		disk[i*kern.MAXBSIZE+i]++
	}
	if !bytes.Equal(m.data("/disk"), disk) {
		t.Error("something was lost")
	}
	m.end(vp)
}

// The fuller the cache, the less likely is another buffer.
func TestLotsfree(t *testing.T) {
	m := newMachine(t, setup{Config: det, hiwater: 1 << 20})
	c := m.cache
	for _, x := range []struct {
		bufmem   int64
		least    int
		most     int
		released int64
	}{
		{0, 1000, 1000, 0},
		{c.lowater - 1, 1000, 1000, 0},
		{c.lowater, 1000, 1000, 0},
		{(c.lowater + c.hiwater) / 2, 400, 600, 0},
		{c.hiwater, 0, 0, 0},
		{c.hiwater + 1, 0, 0, 1},
	} {
		c.bufmem = x.bufmem
		n := 0
		for range 1000 {
			if c.lotsfree() {
				n++
			}
		}
		if n < x.least || n > x.most {
			t.Errorf("%d bytes: %d of 1000", x.bufmem, n)
		}
		m.want("to release", c.canrelease(), x.released)
	}
	c.bufmem = 0
	bp := c.Geteblk(m.l, 65536)
	c.Brelse(m.l, bp, 0)
	c.bufmem = c.lowater
	m.want("with an aged one", c.lotsfree(), false)
	m.want("to release", c.canrelease(), 65536)
	c.bufmem = 65536
	m.end()
}

func TestDrain(t *testing.T) {
	m := newMachine(t, setup{hiwater: 1 << 30})
	vp := m.disk("/disk", pattern(200*bsize))
	for i := range 100 {
		m.cache.Bdwrite(m.l, m.fill(vp, i, 'a'))
	}
	m.cache.Drain(m.l, 1) // less than the low water mark is not touched
	m.cache.lowater = 10 * bsize
	m.want("dirty", m.cache.Stats(m.l), CacheStats{Buffers: 100, Bytes: 100 * bsize, Dirty: 100})
	m.cache.Drain(m.l, 1) // writes one
	m.want("bytes", m.cache.Stats(m.l).Bytes, 100*bsize)
	m.cache.Drain(m.l, 1) // frees it
	m.want("bytes", m.cache.Stats(m.l).Bytes, 99*bsize)
	m.want("another is not in core", m.cache.Incore(m.l, vp, blk(0)), false)
	m.flush(vp)
	m.cache.Drain(m.l, 1<<20)
	m.want("few are kept", m.cache.Stats(m.l).Bytes, 10*bsize)
	m.end(vp)
}

// When nothing is left to be used again, the next waits for a buffer.
func TestWaitForBuffer(t *testing.T) {
	m := newMachine(t, setup{Config: det})
	vp := m.disk("/disk", pattern(32*kern.MAXBSIZE))
	var held []*vnode.Buf
	for i := range 3 {
		held = append(held, m.bread(vp, i))
	}
	m.cache.hiwater = bsize
	got := false
	w := kern.StartLwp(m.k, m.l.Proc, "waiter", func(l *kern.Lwp) {
		bp := m.cache.Geteblk(l, 512)
		got = true
		m.cache.Brelse(l, bp, 0)
	})
	for range 10 {
		m.l.Point()
	}
	m.want("got one", got, false)
	for _, bp := range held {
		m.cache.Brelse(m.l, bp, 0)
	}
	w.Join(&m.l.Thread)
	m.want("got one", got, true)
	m.end(vp)
}

// The page daemon waits for nobody, and gets no more than there is.
func TestPagedaemon(t *testing.T) {
	const limit = 1 << 20
	m := newMachine(t, setup{Config: det, limit: limit})
	vp := m.disk("/disk", pattern(32*kern.MAXBSIZE))
	busy := m.bread(vp, 0)
	asDaemon := func(f func(l *kern.Lwp)) {
		m.UVM.DrainBuffers = func(l *kern.Lwp, _ int) { f(l) }
		m.UVM.DaemonStep(m.l)
	}
	// Memory must be short for the page daemon to come that far.
	var taken int64
	for m.UVM.Hypermalloc(m.l, 512, false, "test") {
		taken += 512
	}
	ran := 0
	asDaemon(func(l *kern.Lwp) {
		ran++
		m.want("a busy block", m.cache.Getblk(l, vp, 0, bsize) == nil, true)
		_, err := m.cache.Bread(l, vp, 0, bsize)
		m.want("a busy block", err, kern.ENOMEM)
		_, err = m.cache.Breadn(l, vp, 0, bsize, nil, nil)
		m.want("a busy block", err, kern.ENOMEM)
		m.want("inval", m.cache.InvalBufs(l, vp), kern.EDEADLK)
	})
	// It has a reserve of its own, but that ends, too.
	asDaemon(func(l *kern.Lwp) {
		ran++
		for m.UVM.Hypermalloc(l, 512, false, "test") {
			taken += 512
		}
		m.want("a new block", m.cache.Getblk(l, vp, blk(4), bsize) == nil, true)
		m.want("in core", m.cache.Incore(l, vp, blk(4)), false)
	})
	m.want("ran", ran, 2)
	m.UVM.Hyperfree(taken)
	m.cache.Brelse(m.l, busy, 0)
	m.end(vp)
}

// Who needs memory that others have frees buffers, or waits for them.
func TestAllocWaits(t *testing.T) {
	const limit = 1 << 20
	m := newMachine(t, setup{Config: det, limit: limit})
	vp := m.disk("/disk", pattern(32*kern.MAXBSIZE))
	for i := range 4 {
		bp, err := m.cache.Bread(m.l, vp, int64(i*128), kern.MAXBSIZE)
		m.want("read", err, nil)
		m.cache.Brelse(m.l, bp, 0)
	}
	var taken int64
	for m.UVM.Hypermalloc(m.l, 512, false, "test") {
		taken += 512
	}
	bytes := m.cache.Stats(m.l).Bytes
	bp := m.cache.Geteblk(m.l, kern.MAXBSIZE) // in place of an old one
	m.cache.Brelse(m.l, bp, 0)
	m.want("bytes", m.cache.Stats(m.l).Bytes, bytes)

	m.cache.Drain(m.l, 1<<20)
	for m.UVM.Hypermalloc(m.l, 512, false, "test") {
		taken += 512
	}
	before := m.k.Sys.Uptime()
	w := kern.StartLwp(m.k, m.l.Proc, "waiter", func(l *kern.Lwp) {
		m.cache.Brelse(l, m.cache.Geteblk(l, kern.MAXBSIZE), 0)
	})
	for range 10 {
		m.l.Point()
	}
	m.UVM.Hyperfree(taken)
	w.Join(&m.l.Thread)
	if m.k.Sys.Uptime() == before {
		t.Error("it has not waited")
	}
	m.end(vp)
}

// churn lets lwps read and change counters in the blocks of a device that has
// more of them than the cache. Each block counts how often it was changed.
func churn(t *testing.T, m *machine, vp *vnode.Vnode, lwps, blocks, rounds int, size int) {
	counts := make([][]byte, lwps) // by lwp and block
	var ws []*kern.Lwp
	for w := range lwps {
		counts[w] = make([]byte, blocks)
		ws = append(ws, kern.StartLwp(m.k, m.l.Proc, fmt.Sprint("churn", w), func(l *kern.Lwp) {
			for range rounds {
				r := l.K.Sys.Random()
				b := int(r % uint64(blocks))
				bn := int64(b * size / kern.DEV_BSIZE)
				bp, err := m.cache.Bread(l, vp, bn, size)
				if err != nil {
					t.Errorf("block %d: %v", b, err)
					return
				}
				bp.Data[size-1]++
				counts[w][b]++
				switch r >> 32 % 5 {
				case 0:
					err = m.cache.Bwrite(l, bp)
				case 1:
					err = m.cache.Bawrite(l, bp)
				case 2:
					vp.VLock.REnter(l)
					m.cache.Bdwrite(l, bp)
					m.cache.FlushBufs(l, vp)
					vp.VLock.Exit(l)
				default:
					m.cache.Bdwrite(l, bp)
				}
				if err != nil {
					t.Errorf("block %d: %v", b, err)
				}
			}
		}))
	}
	for _, w := range ws {
		w.Join(&m.l.Thread)
	}
	m.flush(vp)
	m.want("syncwait", m.cache.Syncwait(m.l), 0)
	disk := m.data("/disk")
	for b := range blocks {
		var want byte
		for w := range lwps {
			want += counts[w][b]
		}
		if got := disk[(b+1)*size-1]; got != want {
			t.Errorf("block %d counts %d, want %d", b, got, want)
		}
	}
}

// No change to a block is lost, whoever makes it and however it is written.
func TestChurn(t *testing.T) {
	const blocks, size = 24, kern.MAXBSIZE / 2
	for seed := range uint64(30) {
		cfg := det
		cfg.Seed = seed
		m := newMachine(t, setup{Config: cfg, hiwater: 1})
		vp := m.disk("/disk", make([]byte, blocks*size))
		churn(t, m, vp, 4, blocks, 60, size)
		m.end(vp)
		if t.Failed() {
			t.Fatalf("seed %d", seed)
		}
	}
}

func TestChurnNative(t *testing.T) {
	const blocks, size = 24, kern.MAXBSIZE / 2
	m := newMachine(t, setup{hiwater: 1})
	vp := m.disk("/disk", make([]byte, blocks*size))
	churn(t, m, vp, 6, blocks, 300, size)
	m.end(vp)
}

// slowDisk is a disk whose asynchronous transfers are over some time after
// they began.
type slowDisk struct {
	*Rumpblk
	late *lateDisk
}

func (d slowDisk) Strategy(l *kern.Lwp, bp *vnode.Buf) {
	d.late.lock.Enter(l)
	d.late.pending = append(d.late.pending, bp)
	d.late.cv.Broadcast(l)
	d.late.lock.Exit(l)
}

// newSlowDisk makes a machine with a disk of major number 8 whose transfers
// take their time.
func newSlowDisk(t *testing.T, seed uint64, data []byte) (*machine, *lateDisk, *vnode.Vnode) {
	cfg := det
	cfg.Seed = seed
	m := newMachine(t, setup{Config: cfg, hiwater: 1})
	late := &lateDisk{m: m, fail: 1 << 62}
	late.lock.Init(m.k.Sys, &lateDiskLockClass)
	late.cv.Init(m.k.Sys, "latedisk")
	late.do = func(l *kern.Lwp, bp *vnode.Buf) { m.blk.Strategy(l, bp) }
	kern.StartLwp(m.k, m.l.Proc, "disk", late.work)
	m.want("attach", m.devsw.AttachBlock(m.l, "slow", 8, slowDisk{m.blk, late}), nil)
	m.file("/disk", data)
	m.register("/disk")
	vp, err := m.Bdevvp(m.l, kern.Makedev(8, 0))
	m.want("vnode", err, nil)
	return m, late, vp
}

// The same with a disk that completes transfers later, in any order.
func TestChurnSlowDisk(t *testing.T) {
	const blocks, size = 24, kern.MAXBSIZE / 2
	for seed := range uint64(30) {
		m, late, vp := newSlowDisk(t, seed, make([]byte, blocks*size))
		churn(t, m, vp, 4, blocks, 60, size)
		late.stop()
		m.end(vp)
		if t.Failed() {
			t.Fatalf("seed %d", seed)
		}
	}
}

// Writes that take their time are waited for, a while.
func TestSyncwait(t *testing.T) {
	m, late, vp := newSlowDisk(t, 1, pattern(16*bsize))
	delay := time.Hour
	late.do = func(l *kern.Lwp, bp *vnode.Buf) {
		l.Sleep(delay)
		m.blk.Strategy(l, bp)
	}
	write := func() {
		for i := range 3 {
			m.want("bawrite", m.cache.Bawrite(m.l, m.fill(vp, i, 'a')), nil)
		}
	}
	write()
	m.want("an hour each", m.cache.Syncwait(m.l), 3)
	m.l.Sleep(4 * time.Hour)
	m.want("syncwait", m.cache.Syncwait(m.l), 0)
	delay = time.Second
	write()
	m.want("a second each", m.cache.Syncwait(m.l), 0)
	late.stop()
	m.end(vp)
}

// Invalidating waits for whoever owns a buffer.
func TestInvalWaits(t *testing.T) {
	for seed := range uint64(20) {
		cfg := det
		cfg.Seed = seed
		m := newMachine(t, setup{Config: cfg})
		vp := m.disk("/disk", pattern(16*bsize))
		bps := []*vnode.Buf{m.bread(vp, 0), m.bread(vp, 1)}
		m.get(vp, 2)
		w := kern.StartLwp(m.k, m.l.Proc, "inval", func(l *kern.Lwp) {
			vp.VLock.Enter(l)
			m.want("inval", vp.InvalBuf(l, 0, nil), nil)
			vp.VLock.Exit(l)
		})
		for range 5 {
			m.l.Point()
		}
		m.cache.Bdwrite(m.l, bps[0])
		m.cache.Brelse(m.l, bps[1], 0)
		w.Join(&m.l.Thread)
		m.want("in core", len(m.cache.blocks), 0)
		m.end(vp)
	}
}

// A warm block is read, and written, without an allocation.
func TestAllocations(t *testing.T) {
	m := newMachine(t, setup{hiwater: 1})
	vp := m.disk("/disk", make([]byte, 64*kern.MAXBSIZE))
	var i int64
	for _, c := range []struct {
		name string
		f    func()
	}{
		{"read", func() {
			bp, _ := m.cache.Bread(m.l, vp, 0, bsize)
			m.cache.Brelse(m.l, bp, 0)
		}},
		{"delayed write", func() { m.cache.Bdwrite(m.l, m.cache.Getblk(m.l, vp, 0, bsize)) }},
		{"asynchronous write", func() { m.cache.Bawrite(m.l, m.cache.Getblk(m.l, vp, 0, bsize)) }},
		{"synchronous write", func() { m.cache.Bwrite(m.l, m.cache.Getblk(m.l, vp, 0, bsize)) }},
		{"cold read", func() {
			i++
			bp, _ := m.cache.Bread(m.l, vp, i%64*128, kern.MAXBSIZE)
			m.cache.Brelse(m.l, bp, 0)
		}},
	} {
		for range 200 { // to fill the cache
			c.f()
		}
		if n := testing.AllocsPerRun(200, c.f); n != 0 {
			t.Errorf("%s: %v allocations", c.name, n)
		}
	}
	m.end(vp)
}

// Sequential transfers of 64 MiB through a cache of a kernel with 4 MiB.
func BenchmarkSequential(b *testing.B) {
	const size = 64 << 20
	for _, op := range []string{"write", "read"} {
		b.Run(op, func(b *testing.B) {
			m := newMachine(b, setup{limit: 4 << 20, Config: hypercall.Config{Host: zeroHost{hypercall.NewMemHost()}}})
			vp := m.disk("/disk", []byte{0})
			m.blk.minors[0].Load().size = size
			b.SetBytes(size)
			b.ReportAllocs()
			for b.Loop() {
				for i := range size / bsize {
					if op == "write" {
						m.cache.Bawrite(m.l, m.cache.Getblk(m.l, vp, blk(i), bsize))
					} else {
						bp, _ := m.cache.Bread(m.l, vp, blk(i), bsize)
						m.cache.Brelse(m.l, bp, 0)
					}
				}
			}
			b.ReportMetric(float64(m.cache.Stats(m.l).Bytes), "bufmem")
			m.end(vp)
		})
	}
}

// BenchmarkWarm is a block that is in the cache.
func BenchmarkWarm(b *testing.B) {
	m := newMachine(b, setup{})
	vp := m.disk("/disk", make([]byte, bsize))
	b.ReportAllocs()
	for b.Loop() {
		bp, _ := m.cache.Bread(m.l, vp, 0, bsize)
		m.cache.Brelse(m.l, bp, 0)
	}
	m.end(vp)
}

// zeroHost is a host whose files hold NUL bytes, however much is written.
type zeroHost struct{ hypercall.Host }

func (zeroHost) ReadAt(_ int, b []byte, _ int64) (int, error) {
	clear(b)
	return len(b), nil
}

func (zeroHost) WriteAt(_ int, b []byte, _ int64) (int, error) { return len(b), nil }

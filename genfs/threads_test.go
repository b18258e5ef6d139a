package genfs_test

import (
	"bytes"
	"testing"

	"rumpvfs/genfs"
	"rumpvfs/hypercall"
	"rumpvfs/kern"
	"rumpvfs/uvm"
	"rumpvfs/vnode"
)

// disk runs the device of m in an lwp of its own until stop is called.
func (m *machine) disk() (stop func()) {
	m.fs.async = true
	done := false
	l := m.start("disk", func(l *kern.Lwp) {
		for !done || len(m.fs.late) > 0 {
			m.fs.settle(l)
			l.Point()
		}
	})
	return func() {
		done = true
		l.Join(&m.l.Thread)
	}
}

// Readers, a writer and a flusher share a file whose device answers late, in
// many orders; in the end the device has what was written.
func TestLateDevice(t *testing.T) {
	for seed := range uint64(100) {
		m := newMachine(t, hypercall.Config{Mode: hypercall.Deterministic, Seed: seed})
		m.fs.run = int(seed % 20)
		data := pattern(6 * page)
		vp := m.open(t, string(data))
		f := fileOf(vp)
		stop := m.disk()
		fresh := bytes.Repeat([]byte("new!"), page)
		var lwps []*kern.Lwp
		run := func(name string, body func(l *kern.Lwp)) { lwps = append(lwps, m.start(name, body)) }
		for range 2 {
			run("reader", func(l *kern.Lwp) {
				mm := *m
				mm.l = l
				for i := range 6 {
					b := make([]byte, page)
					if err := mm.read(vp, int64(i)*page, b); err != nil {
						t.Errorf("seed %d: %v", seed, err)
					}
					if !bytes.Equal(b, data[i*page:(i+1)*page]) && !bytes.Equal(b, fresh[:page]) {
						t.Errorf("seed %d: page %d is torn", seed, i)
					}
				}
			})
		}
		run("writer", func(l *kern.Lwp) {
			mm := *m
			mm.l = l
			for i := range 6 {
				if err := mm.write(vp, int64(i)*page, fresh[:page]); err != nil {
					t.Errorf("seed %d: %v", seed, err)
				}
			}
		})
		run("flusher", func(l *kern.Lwp) {
			mm := *m
			mm.l = l
			for i := range 3 {
				flags := []int{uvm.PGO_CLEANIT, uvm.PGO_CLEANIT | uvm.PGO_SYNCIO, uvm.PGO_CLEANIT | uvm.PGO_FREE}[i]
				if err := mm.put(vp, 0, 0, flags); err != nil {
					t.Errorf("seed %d: %v", seed, err)
				}
			}
		})
		for _, l := range lwps {
			l.Join(&m.l.Thread)
		}
		if err := m.put(vp, 0, 0, uvm.PGO_CLEANIT|uvm.PGO_FREE|uvm.PGO_RECLAIM|uvm.PGO_SYNCIO); err != nil {
			t.Error(err)
		}
		stop()
		m.audit(t, vp)
		if !bytes.Equal(f.data, bytes.Repeat(fresh[:page], 6)) {
			t.Fatalf("seed %d: the device misses writes: %s", seed, diff(f.data, bytes.Repeat(fresh[:page], 6)))
		}
	}
}

// A read that waits for the node's lock while the file shrinks looks at the
// size again.
func TestShrinkWhileReading(t *testing.T) {
	m := newMachine(t, det)
	vp := m.open(t, string(pattern(3*page)))
	gp := genfs.VTOG(vp)
	gp.Wrlock(m.l)
	var err error
	reader := m.start("reader", func(l *kern.Lwp) {
		mm := *m
		mm.l = l
		_, err = mm.get(vp, 2*page, 1, 0, ro, uvm.PGO_SYNCIO)
	})
	for range 50 {
		m.l.Point()
	}
	vp.SetSize(m.l, 1)
	gp.Unlock(m.l)
	reader.Join(&m.l.Thread)
	wantErr(t, "read of what was cut off", err, kern.EINVAL)
	m.audit(t, vp)
}

// A page that somebody else has busy is waited for, by who wants it and by
// who puts it.
func TestBusyPage(t *testing.T) {
	for seed := range uint64(20) {
		m := newMachine(t, hypercall.Config{Mode: hypercall.Deterministic, Seed: seed})
		vp := m.open(t, string(pattern(2*page)))
		pgs, err := m.get(vp, 0, 2, 0, rw, uvm.PGO_SYNCIO|uvm.PGO_NOBLOCKALLOC)
		if err != nil {
			t.Fatal(err)
		}
		var order []string
		step := func(name string, body func(m *machine)) *kern.Lwp {
			return m.start(name, func(l *kern.Lwp) {
				mm := *m
				mm.l = l
				body(&mm)
				order = append(order, name)
			})
		}
		putter := step("putter", func(m *machine) {
			if err := m.put(vp, 0, 0, uvm.PGO_CLEANIT|uvm.PGO_FREE|uvm.PGO_SYNCIO); err != nil {
				t.Error(err)
			}
		})
		reader := step("reader", func(m *machine) {
			if err := m.read(vp, 0, make([]byte, page)); err != nil {
				t.Error(err)
			}
		})
		for range 50 {
			m.l.Point()
		}
		if len(order) != 0 {
			t.Fatalf("seed %d: %v did not wait", seed, order)
		}
		vp.Interlock.Enter(m.l)
		copy(pgs[1].Data, "written while busy")
		pgs[1].Flags &^= uvm.PG_CLEAN
		uvm.PageUnbusy(m.l, pgs)
		vp.Interlock.Exit(m.l)
		putter.Join(&m.l.Thread)
		reader.Join(&m.l.Thread)
		if !bytes.HasPrefix(fileOf(vp).data[page:], []byte("written while busy")) {
			t.Errorf("seed %d: lost a write", seed)
		}
		m.audit(t, vp)
	}
}

// A file larger than memory: the page daemon writes and frees pages while
// others are made.
func TestPagedaemon(t *testing.T) {
	for seed := range uint64(5) {
		m := newSmallMachine(t, hypercall.Config{Mode: hypercall.Deterministic, Seed: seed},
			uvm.Config{MemLimit: uvm.MinMemLimit})
		vp := m.open(t, "")
		data := pattern(2 * uvm.MinMemLimit)
		const chunk = 8 * page
		for off := 0; off < len(data); off += chunk {
			if err := m.write(vp, int64(off), data[off:off+chunk]); err != nil {
				t.Fatal(err)
			}
		}
		got := make([]byte, chunk)
		for off := 0; off < len(data); off += chunk {
			if err := m.read(vp, int64(off), got); err != nil {
				t.Fatal(err)
			}
			if !bytes.Equal(got, data[off:off+chunk]) {
				t.Fatalf("seed %d: wrong data at %d: %s", seed, off, diff(got, data[off:off+chunk]))
			}
		}
		if n := vp.NPages() * page; n >= uvm.MinMemLimit {
			t.Errorf("seed %d: %d bytes of pages", seed, n)
		}
		if m.fs.writes == 0 {
			t.Errorf("seed %d: nothing was written", seed)
		}
		m.UVM.StopDaemon(m.l)
		m.audit(t, vp)
	}
}

// The page daemon does not wait for a page that has become busy since it
// chose it.
func TestPagedaemonMeetsBusyPage(t *testing.T) {
	m := newSmallMachine(t, det, uvm.Config{MemLimit: uvm.MinMemLimit, StepDaemon: true})
	const n = 210 // pages: more than nine tenths of memory
	vp := m.open(t, string(pattern(n*page)))
	b := make([]byte, page)
	for i := range n {
		if err := m.read(vp, int64(i)*page, b); err != nil {
			t.Fatal(err)
		}
	}
	var busy []*uvm.Page
	m.fs.ops.Putpages = func(l *kern.Lwp, vp *vnode.Vnode, lo, hi int64, flags int) error {
		if len(busy) < 3 {
			it := vp.Pages(lo, hi)
			pg := it.Next()
			pg.Flags |= uvm.PG_BUSY
			busy = append(busy, pg)
		}
		return genfs.Putpages(l, vp, lo, hi, flags)
	}
	m.UVM.DaemonStep(m.l)
	if len(busy) != 3 || vp.NPages() >= n || vp.NPages() < 3 {
		t.Errorf("%d pages left, %d busy", vp.NPages(), len(busy))
	}
	m.unbusy(vp, busy)
	m.audit(t, vp)
}

// The page daemon writes the pages of a vnode that it has no reference to. The
// vnode does not go before the daemon is done with it, although its pages do.
func TestPagedaemonMeetsReclaim(t *testing.T) {
	m := newSmallMachine(t, det, uvm.Config{MemLimit: uvm.MinMemLimit, StepDaemon: true})
	vp := m.open(t, "")
	if err := m.write(vp, 0, pattern(page)); err != nil {
		t.Fatal(err)
	}
	if !m.UVM.Hypermalloc(m.l, uvm.MinMemLimit*80/100, false, "test") {
		t.Fatal("no memory to use up")
	}
	gone, written := false, 0
	m.fs.genfs.Write = func(l *kern.Lwp, vp *vnode.Vnode, pgs []*uvm.Page, flags int) error {
		err := genfs.GopWrite(l, vp, pgs, flags)
		if m.UVM.IsPagedaemon(l) {
			written += len(pgs)
			for range 1000 {
				l.Point()
			}
			if gone {
				t.Error("the vnode is gone, and the page daemon has it")
			}
		}
		return err
	}
	other := kern.StartLwp(m.l.K, m.l.Proc, "other", func(l *kern.Lwp) {
		vp.Gone(l)
		gone = true
	})
	m.UVM.DaemonStep(m.l)
	other.Join(&m.l.Thread)
	if written == 0 || m.UVM.Pages() != 0 {
		t.Errorf("the page daemon has written %d pages, %d are left", written, m.UVM.Pages())
	}
}

// A vnode that is recycled writes its dirty pages first.
func TestReclaimFlushes(t *testing.T) {
	m := newMachine(t, hypercall.Config{})
	vp := m.open(t, string(pattern(page)))
	f := fileOf(vp)
	if err := m.write(vp, 0, []byte("remember me")); err != nil {
		t.Fatal(err)
	}
	if !vp.Recycle(m.l) {
		t.Fatal("not recycled")
	}
	if !bytes.HasPrefix(f.data, []byte("remember me")) {
		t.Error("what was dirty is lost")
	}
}

func benchVnode(b *testing.B) (*machine, *vnode.Vnode) {
	m := newMachine(b, hypercall.Config{})
	vp := m.open(b, string(pattern(256*page)))
	if err := m.read(vp, 0, make([]byte, 256*page)); err != nil {
		b.Fatal(err)
	}
	b.ReportAllocs()
	b.ResetTimer()
	return m, vp
}

// BenchmarkGetpagesWarm is VOP_GETPAGES and letting go of one resident page.
func BenchmarkGetpagesWarm(b *testing.B) {
	m, vp := benchVnode(b)
	pgs := make([]*uvm.Page, 1)
	const flags = uvm.PGO_SYNCIO | uvm.PGO_NOBLOCKALLOC | uvm.PGO_NOTIMESTAMP
	for i := range b.N {
		vp.Interlock.Enter(m.l)
		pgs[0] = nil
		if _, err := vnode.VOP_GETPAGES(m.l, vp, int64(i&255)*page, pgs, 1, 0, ro, 0, flags); err != nil {
			b.Fatal(err)
		}
		vp.Interlock.Enter(m.l)
		uvm.PageUnbusy(m.l, pgs)
		vp.Interlock.Exit(m.l)
	}
}

// BenchmarkPread4K is UBC reading a warm page.
func BenchmarkPread4K(b *testing.B) {
	m, vp := benchVnode(b)
	buf := make([]byte, page)
	for i := range b.N {
		if err := m.read(vp, int64(i&255)*page, buf); err != nil {
			b.Fatal(err)
		}
	}
}

// BenchmarkGetpagesCold reads a page from the device and frees it.
func BenchmarkGetpagesCold(b *testing.B) {
	m, vp := benchVnode(b)
	buf := make([]byte, 1)
	for range b.N {
		m.put(vp, 0, page, uvm.PGO_FREE)
		if err := m.read(vp, 0, buf); err != nil {
			b.Fatal(err)
		}
	}
}

// BenchmarkFlush dirties a page and writes it.
func BenchmarkFlush(b *testing.B) {
	m, vp := benchVnode(b)
	for range b.N {
		if err := m.write(vp, 0, []byte("x")); err != nil {
			b.Fatal(err)
		}
		m.put(vp, 0, page, uvm.PGO_CLEANIT|uvm.PGO_SYNCIO)
	}
}

// BenchmarkLockUnlock is VOP_LOCK and VOP_UNLOCK of a free vnode.
func BenchmarkLockUnlock(b *testing.B) {
	for _, c := range []struct {
		name  string
		flags int
	}{{"exclusive", vnode.LK_EXCLUSIVE}, {"shared", vnode.LK_SHARED}} {
		b.Run(c.name, func(b *testing.B) {
			m, vp := benchVnode(b)
			for range b.N {
				if err := vp.Lock(m.l, c.flags); err != nil {
					b.Fatal(err)
				}
				vnode.VOP_UNLOCK(m.l, vp)
			}
		})
	}
}

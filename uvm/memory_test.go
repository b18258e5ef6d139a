package uvm

import (
	"slices"
	"strings"
	"testing"

	"rumpvfs/hypercall"
	"rumpvfs/kern"
)

func TestParseMemLimit(t *testing.T) {
	for text, want := range map[string]int64{
		"0": 0, "4096": 4096, "3k": 3 << 10, "64m": 64 << 20, "2g": 2 << 30,
		"": -1, "m": -1, "64mm": -1, "1t": -1, "-1": -1, " 1": -1, "1 m": -1, "9999999999g": -1,
		"9223372036854775807": 1<<63 - 1, "9223372036854775808": -1,
	} {
		v, err := ParseMemLimit(text)
		if want < 0 && err != kern.EINVAL || want >= 0 && (v != want || err != nil) {
			t.Errorf("%q is %d, %v; want %d", text, v, err, want)
		}
	}
}

// TestMemoryLimit shows that a page that cannot be had is nil, and that freed
// pages are had again.
func TestMemoryLimit(t *testing.T) {
	m := boot(t, 0, Config{MemLimit: 1, StepDaemon: true})
	f := newFile(m, "")
	want := int64(MinMemLimit-2*kern.MAXPHYS) / PAGE_SIZE
	for range 2 {
		f.Interlock.Enter(m.l)
		n := int64(0)
		for f.PageAlloc(m.l, n*PAGE_SIZE, 0) != nil {
			n++
		}
		if n != want || m.Hypermalloc(m.l, 1, false, "") {
			t.Errorf("%d pages of %d", n, want)
		}
		_ = f.Put(m.l, &f.Object, 0, 0, PGO_FREE)
	}
	m.reclaimFree(m.l)
	if used := m.physmem.Load(); used != 0 {
		t.Errorf("%d bytes in use after everything was freed", used)
	}
	if !m.Hypermalloc(m.l, 5, false, "") || m.physmem.Load() != 5 {
		t.Error("five bytes")
	}
	m.Hyperfree(5)
}

func TestUnlimited(t *testing.T) {
	m := boot(t, 0, Config{})
	for range 2 {
		if !m.Hypermalloc(m.l, 1<<62, false, "") {
			t.Error("there is no limit")
		}
	}
	m.Hyperfree(1 << 62)
}

// lruOrder lists the page numbers on the page queue.
func lruOrder(s *System) (order []int64) {
	for pg := s.lru.head; pg != nil; pg = pg.next {
		order = append(order, pg.Offset/PAGE_SIZE)
	}
	return order
}

func TestPageQueue(t *testing.T) {
	m := boot(t, 0, Config{MemLimit: MinMemLimit, StepDaemon: true})
	f := newFile(m, "")
	f.Interlock.Enter(m.l)
	check := func(what string, want ...int64) {
		t.Helper()
		if got := lruOrder(m.System); !slices.Equal(got, want) {
			t.Errorf("%s: %v, want %v", what, got, want)
		}
	}
	var pgs []*Page
	for i := range int64(4) {
		pgs = append(pgs, f.PageAlloc(m.l, i*PAGE_SIZE, 0))
	}
	check("made", 0, 1, 2, 3)
	f.PageLookup(m.l, PAGE_SIZE)
	check("1 looked up", 0, 2, 3, 1)
	f.PageLookup(m.l, PAGE_SIZE)
	check("again", 0, 2, 3, 1)
	f.PageLookup(m.l, 0)
	check("0 looked up", 2, 3, 1, 0)
	m.lwp.Store(m.l)
	f.PageLookup(m.l, 2*PAGE_SIZE)
	m.lwp.Store(nil)
	check("2 looked up by the page daemon", 2, 3, 1, 0)
	f.PageFree(m.l, pgs[3])
	check("3 freed", 2, 1, 0)
	f.PageFree(m.l, pgs[0])
	check("0 freed", 2, 1)
	f.PageFree(m.l, pgs[2])
	f.PageFree(m.l, pgs[1])
	check("all freed")
	f.Interlock.Exit(m.l)
}

// fill makes pages of f, dirty and idle, until there is no memory.
func fill(l *kern.Lwp, f *memFile) (pages int64) {
	f.Interlock.Enter(l)
	defer f.Interlock.Exit(l)
	for ; ; pages++ {
		pg := f.PageAlloc(l, pages*PAGE_SIZE, UVM_PGA_ZERO)
		if pg == nil {
			return pages
		}
		pg.Data[0] = byte(pages)
		pg.Flags &^= PG_FAKE
		PageUnbusy(l, []*Page{pg})
	}
}

// TestDaemonStep has the page daemon at full memory: it writes back and frees
// the pages that were not used for longest, but none that is busy.
func TestDaemonStep(t *testing.T) {
	m := boot(t, 0, Config{MemLimit: MinMemLimit, StepDaemon: true})
	l := m.l
	f := newFile(m, "")
	if !m.DaemonStep(l) || f.puts != 0 {
		t.Error("there is nothing to do")
	}
	n := fill(l, f)
	f.Interlock.Enter(l)
	f.PageLookup(l, 0) // used
	busy := f.index.get(PAGE_SIZE)
	busy.Flags |= PG_BUSY
	f.Interlock.Exit(l)
	if !m.DaemonStep(l) {
		t.Error("no progress")
	}
	if m.Pages() != n-daemonChunk || f.puts != daemonChunk {
		t.Errorf("%d of %d pages left after %d writes, want %d", m.Pages(), n, f.puts, n-daemonChunk)
	}
	if order := lruOrder(m.System); order[0] != 1 || order[1] != daemonChunk+2 || order[len(order)-1] != 0 {
		t.Errorf("left: %v", order)
	}
	for i := int64(2); i < daemonChunk+2; i++ {
		if f.data[i*PAGE_SIZE] != byte(i) {
			t.Errorf("page %d was not written", i)
		}
	}
	f.Interlock.Enter(l)
	PageUnbusy(l, []*Page{busy})
	f.Interlock.Exit(l)
	if m.needPagedaemon() {
		t.Error("memory is still short")
	}
	f.dispose(l)
}

// TestDaemonPassesOver has every page busy or locked, so that only the caches
// above can help.
func TestDaemonPassesOver(t *testing.T) {
	m := boot(t, hypercall.Deterministic, Config{MemLimit: MinMemLimit, StepDaemon: true})
	l := m.l
	f := newFile(m, "")
	n := fill(l, f)
	var asked []int
	var released int64
	m.DrainBuffers = func(_ *kern.Lwp, n int) {
		asked = append(asked, n)
		m.Hyperfree(released)
	}

	holder := kern.NewLwp(m.k, nil, "holder")
	f.Interlock.Enter(holder)
	began := m.k.Sys.Uptime()
	if m.DaemonStep(l) || m.Pages() != n {
		t.Error("progress with the object locked")
	}
	if waited := m.k.Sys.Uptime() - began; waited != lockRetries {
		t.Errorf("waited %v for the lock", waited)
	}
	f.Interlock.Exit(holder)
	holder.Exit()

	f.Interlock.Enter(l)
	it := f.Pages(0, 0)
	for pg := it.Next(); pg != nil; pg = it.Next() {
		pg.Flags |= PG_BUSY
	}
	f.Interlock.Exit(l)
	released = 1
	if !m.DaemonStep(l) || m.Pages() != n {
		t.Error("drained buffers are progress, busy pages stay")
	}
	if !slices.Equal(asked, []int{drainBuffers, drainBuffers}) {
		t.Errorf("buffers asked for: %v", asked)
	}
	m.DrainBuffers = nil
	if m.DaemonStep(l) {
		t.Error("progress out of nothing")
	}
}

// TestMemoryPressure writes more than there is memory: the page daemon, a
// thread started when it is first needed, makes room, and every byte is there
// in the end.
func TestMemoryPressure(t *testing.T) {
	for _, mode := range []hypercall.Mode{hypercall.Native, hypercall.Deterministic} {
		m := boot(t, mode, Config{MemLimit: MinMemLimit})
		f := newFile(m, "")
		const chunks = 64 // of 64 KiB: four times the memory
		buf := make([]byte, 64<<10)
		for i := range int64(chunks) {
			for j := range buf {
				buf[j] = byte(i + 1)
			}
			if _, err := move(m.l, f, buf, i<<16, kern.UIO_WRITE, UBC_WRITE); err != nil {
				t.Fatal(err)
			}
			f.size = (i + 1) << 16
		}
		for i := range int64(chunks) {
			if _, err := move(m.l, f, buf, i<<16, kern.UIO_READ, UBC_READ); err != nil {
				t.Fatal(err)
			}
			if strings.Trim(string(buf), string(rune(i+1))) != "" {
				t.Fatalf("%v: wrong data in chunk %d", mode, i)
			}
		}
		if used := m.physmem.Load(); used > MinMemLimit {
			t.Errorf("%v: %d bytes in use", mode, used)
		}
		m.StopDaemon(m.l)
		f.dispose(m.l)
		m.reclaimFree(m.l)
		if used := m.physmem.Load(); used != 0 {
			t.Errorf("%v: %d bytes in use after everything was freed", mode, used)
		}
	}
}

// TestMemoryPressureShared has several lwps read and write the same files,
// larger than memory together.
func TestMemoryPressureShared(t *testing.T) {
	for _, mode := range []hypercall.Mode{hypercall.Native, hypercall.Deterministic} {
		m := boot(t, mode, Config{MemLimit: MinMemLimit})
		const size = 2 << 20
		files := [2]*memFile{newFile(m, ""), newFile(m, "")}
		for _, f := range files {
			f.size = size
		}
		var lwps [4]*kern.Lwp
		for i := range lwps {
			lwps[i] = kern.StartLwp(m.k, nil, "user", func(l *kern.Lwp) {
				mine := make([]byte, 3*PAGE_SIZE)
				for j := range mine {
					mine[j] = byte(i + 1)
				}
				got := make([]byte, len(mine))
				for n := range int64(60) {
					f := files[n&1]
					off := (n*4 + int64(i)) * int64(len(mine)) % (size - int64(len(mine)))
					if _, err := move(l, f, mine, off, kern.UIO_WRITE, UBC_WRITE); err != nil {
						t.Error(err)
					}
					if _, err := move(l, f, got, off, kern.UIO_READ, UBC_READ); err != nil {
						t.Error(err)
					}
				}
			})
		}
		for _, l := range lwps {
			l.Join(&m.l.Thread)
		}
		m.StopDaemon(m.l)
		for _, f := range files {
			checkIdle(t, m.l, f)
			f.dispose(m.l)
		}
	}
}

// TestDaemonSays has the page daemon unable to help: it says so once a second
// and goes on; memory that then comes free is had.
func TestDaemonSays(t *testing.T) {
	var console strings.Builder
	sys := hypercall.NewSystem(hypercall.Config{Mode: hypercall.Deterministic, Console: &console})
	k := kern.NewKernel(sys, kern.Rev1125)
	s := NewSystem(k, Config{MemLimit: MinMemLimit})
	l := kern.NewLwp(k, nil, "test")
	if !s.Hypermalloc(l, s.limit, true, "test") {
		t.Fatal("all of the memory")
	}
	got := false
	other := kern.StartLwp(k, nil, "other", func(l *kern.Lwp) { got = s.Hypermalloc(l, 1, true, "test") })
	l.Sleep(3500e6)
	if said := strings.Count(console.String(), "no memory to reclaim"); said < 3 || said > 4 || got {
		t.Errorf("said %d times, the other has memory: %v", said, got)
	}
	s.Hyperfree(s.limit)
	other.Join(&l.Thread)
	if !got {
		t.Error("no memory")
	}
	s.StopDaemon(l)
	s.StopDaemon(l)
	if left := sys.Shutdown(); len(left) != 0 {
		t.Errorf("left %v", left)
	}
}

func TestPageout(t *testing.T) {
	m := boot(t, hypercall.Deterministic, Config{MemLimit: MinMemLimit, StepDaemon: true})
	woken := false
	waiter := kern.StartLwp(m.k, nil, "waiter", func(l *kern.Lwp) { m.Wait(l, "test"); woken = true })
	m.k.Sys.Run()
	m.PageoutStart(m.l, 2)
	m.PageoutDone(m.l, 0)
	m.k.Sys.Run()
	if woken {
		t.Error("nothing is done yet")
	}
	m.PageoutDone(m.l, 1)
	waiter.Join(&m.l.Thread)
	mustPanic(t, "uvmexp.paging >= npages", func() { m.PageoutDone(m.l, 2) })
}

func TestDaemonOutOfMemory(t *testing.T) {
	m := boot(t, 0, Config{MemLimit: MinMemLimit, StepDaemon: true})
	m.Hypermalloc(m.l, m.limit, false, "")
	m.DrainBuffers = func(l *kern.Lwp, _ int) {
		if !m.Hypermalloc(l, 2*kern.MAXPHYS, false, "") {
			t.Error("the page daemon's reserve")
		}
		mustPanic(t, "pagedaemon out of memory", func() { m.Hypermalloc(l, 1, true, "test") })
	}
	m.DaemonStep(m.l)
}

func TestDaemonStepIsForSteppedKernels(t *testing.T) {
	m := boot(t, 0, Config{})
	mustPanic(t, "stepped", func() { m.DaemonStep(m.l) })
}

// TestTryHypermalloc asks for more than there is: it is refused when the page
// daemon has nothing more to free, and had as soon as something can be.
func TestTryHypermalloc(t *testing.T) {
	for _, mode := range []hypercall.Mode{hypercall.Native, hypercall.Deterministic} {
		m := boot(t, mode, Config{MemLimit: MinMemLimit})
		l := m.l
		if m.TryHypermalloc(l, m.limit+1, "test") || m.started.Load() {
			t.Error("no memory is ever enough, and nobody needs to look for it")
		}
		f := newFile(m, "")
		n := fill(l, f)
		if !m.TryHypermalloc(l, 100*PAGE_SIZE, "test") {
			t.Errorf("%v: pages of files make room", mode)
		}
		if m.Pages() > n-100 {
			t.Errorf("%v: %d of %d pages left", mode, m.Pages(), n)
		}
		if m.TryHypermalloc(l, m.limit-99*PAGE_SIZE, "test") {
			t.Errorf("%v: more than the limit", mode)
		}
		m.Hyperfree(100 * PAGE_SIZE)
		m.StopDaemon(l)
		f.dispose(l)
		if left := m.Audit(l); left != nil {
			t.Errorf("%v: left %q", mode, left)
		}
	}
}

// TestHostRefuses has a host without memory for a while: who may wait gets it
// later, with and without a limit of the kernel's own.
func TestHostRefuses(t *testing.T) {
	for _, limit := range []int64{0, MinMemLimit} {
		host := hypercall.NewFaultHost(nil, hypercall.Fault{Op: hypercall.OpMalloc, Err: hypercall.HostErrno(kern.ENOMEM)})
		sys := hypercall.NewSystem(hypercall.Config{Mode: hypercall.Deterministic, Host: host})
		k := kern.NewKernel(sys, kern.Rev1125)
		s := NewSystem(k, Config{MemLimit: limit})
		l := kern.NewLwp(k, nil, "test")
		if s.Hypermalloc(l, 1, false, "test") || s.TryHypermalloc(l, 1, "test") || s.newPage(l) != nil || s.physmem.Load() != 0 {
			t.Errorf("limit %d: there is no memory", limit)
		}
		got := false
		other := kern.StartLwp(k, nil, "other", func(l *kern.Lwp) { got = s.Hypermalloc(l, 1, true, "test") })
		l.Sleep(2500e6)
		if left := s.Audit(l); len(left) != 1 || left[0] != "1 lwps that wait for memory" || got {
			t.Errorf("limit %d: %q, the other has memory: %v", limit, left, got)
		}
		host.SetFaults()
		other.Join(&l.Thread)
		if !got {
			t.Errorf("limit %d: no memory", limit)
		}
		s.Hyperfree(1)
		s.StopDaemon(l)
		if left := s.Audit(l); left != nil {
			t.Errorf("limit %d: left %q", limit, left)
		}
		if left := sys.Shutdown(); len(left) != 0 {
			t.Errorf("limit %d: left %v", limit, left)
		}
	}
}

// TestDaemonUnwritable has the page daemon meet pages that cannot be written:
// it takes others, and says when there are none.
func TestDaemonUnwritable(t *testing.T) {
	m := boot(t, 0, Config{MemLimit: MinMemLimit, StepDaemon: true})
	l := m.l
	bad, good := newFile(m, ""), newFile(m, "")
	bad.Interlock.Enter(l)
	for i := range int64(daemonChunk / 2) {
		pg := bad.PageAlloc(l, i*PAGE_SIZE, UVM_PGA_ZERO)
		pg.Flags &^= PG_FAKE
		PageUnbusy(l, []*Page{pg})
	}
	bad.Interlock.Exit(l)
	bad.putErr = kern.EIO
	n := fill(l, good)
	if !m.DaemonStep(l) || good.puts != daemonChunk/2 || bad.puts != daemonChunk/2 {
		t.Errorf("%d and %d writes", bad.puts, good.puts)
	}
	good.putErr = kern.EIO
	m.reclaimFree(l)
	fill(l, good)
	if m.DaemonStep(l) {
		t.Error("progress without a page that can be written")
	}
	if left := m.Audit(l); len(left) != 1 || !strings.Contains(left[0], "pages") {
		t.Errorf("%d pages: left %q", n, left)
	}
	bad.putErr, good.putErr = nil, nil
	bad.dispose(l)
	good.dispose(l)
}

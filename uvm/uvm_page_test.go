package uvm

import (
	"bytes"
	"slices"
	"testing"
	"unsafe"

	"rumpvfs/hypercall"
	"rumpvfs/kern"
)

func TestPageLife(t *testing.T) {
	m := boot(t, 0, Config{})
	l := m.l
	f := newFile(m, "")
	f.Interlock.Enter(l)
	pg := f.PageAlloc(l, 8*PAGE_SIZE, 0)
	if pg.Flags != PG_BUSY|PG_CLEAN|PG_FAKE || pg.Object != &f.Object || pg.Offset != 8*PAGE_SIZE || len(pg.Data) != PAGE_SIZE {
		t.Fatalf("new page is %v of %p", pg.KernelState(), pg.Object)
	}
	if f.NPages() != 1 || m.Pages() != 1 || f.PageLookup(l, 8*PAGE_SIZE) != pg || f.PageLookup(l, 0) != nil {
		t.Error("the object does not have its page")
	}
	if !pg.PageLocked(l) {
		t.Error("the page's object is locked")
	}
	pg.Data[7] = 'x'
	pg.PageZero()
	if pg.Data[7] != 0 || pg.Flags&PG_CLEAN != 0 {
		t.Error("a zeroed page is zero and dirty")
	}
	PageUnbusy(l, []*Page{nil, pg, PGO_DONTCARE})
	if pg.Flags != PG_FAKE {
		t.Errorf("unbusy: %s", pg.KernelState())
	}
	pg.Flags |= PG_BUSY | PG_RELEASED
	PageUnbusy(l, []*Page{pg})
	if f.NPages() != 0 || m.Pages() != 0 || f.PageLookup(l, 8*PAGE_SIZE) != nil {
		t.Error("a released page is freed when its user lets go of it")
	}
	f.Interlock.Exit(l)
	if f.System() != m.System {
		t.Error("System")
	}
	f.Destroy(l)
}

// TestFreshPageIsZero shows that no file sees what another left in a page.
func TestFreshPageIsZero(t *testing.T) {
	m := boot(t, 0, Config{})
	l := m.l
	f := newFile(m, "")
	zero := make([]byte, PAGE_SIZE)
	for range 3 {
		f.Interlock.Enter(l)
		for i := range int64(100) {
			flags := 0
			if i&1 != 0 {
				flags = UVM_PGA_ZERO
			}
			pg := f.PageAlloc(l, i*PAGE_SIZE, flags)
			if !bytes.Equal(pg.Data, zero) {
				t.Fatalf("page %d is not zero", i)
			}
			if (pg.Flags&PG_CLEAN == 0) != (flags != 0) {
				t.Fatalf("page %d: flags %#x", i, pg.Flags)
			}
			copy(pg.Data, "secret")
		}
		_ = f.Put(l, &f.Object, 0, 0, PGO_FREE)
	}
	f.Destroy(l)
}

func TestFreeListIsBounded(t *testing.T) {
	m := boot(t, 0, Config{})
	f := newFile(m, "")
	f.Interlock.Enter(m.l)
	for i := range int64(3 * maxFree) {
		f.PageAlloc(m.l, i*PAGE_SIZE, 0)
	}
	_ = f.Put(m.l, &f.Object, 0, 0, PGO_FREE)
	if m.nfree != maxFree {
		t.Errorf("%d free pages are kept, want %d", m.nfree, maxFree)
	}
	f.Destroy(m.l)
}

func TestPageAssertions(t *testing.T) {
	m := boot(t, 0, Config{})
	l := m.l
	f, other := newFile(m, ""), newFile(m, "")
	f.Interlock.Enter(l)
	pg := f.PageAlloc(l, 0, 0)
	for _, c := range []struct {
		what string
		do   func()
	}{
		{"no page there yet", func() { f.PageAlloc(l, 0, 0) }},
		{"offset is a page's", func() { f.PageAlloc(l, 1, 0) }},
		{"offset is a page's", func() { f.PageAlloc(l, -PAGE_SIZE, 0) }},
		{"mutex_owned", func() { other.PageAlloc(l, 0, 0) }},
		{"mutex_owned", func() { other.PageFree(l, pg) }},
		{"PG_BUSY", func() { PageUnbusy(l, []*Page{pg}); PageUnbusy(l, []*Page{pg}) }},
		{"page is busy", func() { pg.Wait(l, "test") }},
		{"object has no pages", func() { f.SetLock(other.Interlock) }},
		{"object npages 2", func() { f.PageAlloc(l, PAGE_SIZE, 0); f.Destroy(l) }},
		{"page is in its object", func() {
			f.PageFree(l, pg)
			pg.Object = &f.Object
			f.PageFree(l, pg)
		}},
	} {
		mustPanic(t, c.what, c.do)
	}
	f.Interlock.Exit(l)
	mustPanic(t, "mutex_owned", func() {
		f.Interlock.Enter(l)
		stray := f.PageAlloc(l, 9*PAGE_SIZE, 0)
		f.Interlock.Exit(l)
		PageUnbusy(l, []*Page{stray})
	})
}

func TestSharedInterlock(t *testing.T) {
	m := boot(t, 0, Config{})
	a, b := newFile(m, ""), newFile(m, "")
	b.SetLock(a.Interlock)
	a.Interlock.Enter(m.l)
	if !b.Interlock.Owned(m.l) {
		t.Error("one lock for two objects")
	}
	pg := b.PageAlloc(m.l, 0, 0)
	b.PageFree(m.l, pg)
	a.Interlock.Exit(m.l)
	b.Destroy(m.l)
	a.Destroy(m.l)
}

// TestWaitForBusyPage has one lwp hold a page that others want: all of them
// get it in the end, one at a time, and one finds it gone.
func TestWaitForBusyPage(t *testing.T) {
	for _, mode := range []hypercall.Mode{hypercall.Native, hypercall.Deterministic} {
		m := boot(t, mode, Config{})
		f := newFile(m, "")
		f.Interlock.Enter(m.l)
		held := f.getPage(m.l, 0, 0)
		f.Interlock.Exit(m.l)

		const lwps = 4
		var started, had int // Interlock
		var others [lwps]*kern.Lwp
		for i := range others {
			others[i] = kern.StartLwp(m.k, nil, "other", func(l *kern.Lwp) {
				f.Interlock.Enter(l)
				started++
				pg := f.getPage(l, 0, 0)
				had++
				l.Point()
				PageUnbusy(l, []*Page{pg})
				f.Interlock.Exit(l)
			})
		}
		for waiting := 0; waiting < lwps; {
			m.k.Sys.Run()
			f.Interlock.Enter(m.l)
			waiting = started
			f.Interlock.Exit(m.l)
		}
		f.Interlock.Enter(m.l)
		if had != 0 || held.Flags&PG_WANTED == 0 {
			t.Errorf("%v: %d lwps have a page that is busy, flags %#x", mode, had, held.Flags)
		}
		held.Flags |= PG_RELEASED
		PageUnbusy(m.l, []*Page{held})
		f.Interlock.Exit(m.l)
		for _, o := range others {
			o.Join(&m.l.Thread)
		}
		if had != lwps || f.NPages() != 1 {
			t.Errorf("%v: %d of %d lwps had the page, %d pages", mode, had, lwps, f.NPages())
		}
		f.dispose(m.l)
	}
}

func TestPageEvents(t *testing.T) {
	m := boot(t, hypercall.Deterministic, Config{})
	var seen events
	m.l.Hooks = &kern.Hooks{Sink: &seen}
	f := newFile(m, "")
	f.Interlock.Enter(m.l)
	pg := f.PageAlloc(m.l, PAGE_SIZE, 0)
	f.Interlock.Exit(m.l)
	waiter := kern.StartLwp(m.k, nil, "waiter", func(l *kern.Lwp) {
		l.Hooks = m.l.Hooks
		f.Interlock.Enter(l)
		pg.Wait(l, "uvn_fp2")
	})
	m.k.Sys.Run()
	f.Interlock.Enter(m.l)
	f.PageFree(m.l, pg)
	f.Interlock.Exit(m.l)
	waiter.Join(&m.l.Thread)
	if want := (events{
		"pagealloc offset 4096 flags 0x49",
		"uvn_fp2 offset 4096 flags 0x49",
		"pagefree offset 4096 flags 0x4b",
	}); !slices.Equal(seen, want) {
		t.Errorf("events %q, want %q", seen, want)
	}
}

// TestContiguous shows that the pages of a transfer are neighbours when they
// are made and again after they were freed and made anew.
func TestContiguous(t *testing.T) {
	m := boot(t, 0, Config{})
	f := newFile(m, "")
	l := m.l
	f.Interlock.Enter(l)
	for i := range int64(maxSlab - 1) { // what is made at first is small
		f.PageAlloc(l, (1000+i)*PAGE_SIZE, 0)
	}
	for range 2 {
		var pgs []*Page
		for i := range int64(maxSlab) {
			pgs = append(pgs, f.PageAlloc(l, i*PAGE_SIZE, 0))
			pgs[i].Data[0] = byte(i)
		}
		mem := Contiguous(pgs)
		if len(mem) != maxSlab*PAGE_SIZE || cap(mem) != len(mem) {
			t.Fatalf("%d pages in a row: %d bytes in one piece, capacity %d", maxSlab, len(mem), cap(mem))
		}
		for i := range pgs {
			if mem[i*PAGE_SIZE] != byte(i) {
				t.Fatalf("page %d is not in its place", i)
			}
		}
		if Contiguous([]*Page{pgs[1], pgs[0]}) != nil || Contiguous([]*Page{pgs[0], pgs[2]}) != nil ||
			Contiguous([]*Page{pgs[maxSlab-1], pgs[0]}) != nil {
			t.Error("pages out of order are in one piece")
		}
		if one := Contiguous(pgs[3:4]); &one[0] != &pgs[3].Data[0] || len(one) != PAGE_SIZE {
			t.Error("a page alone")
		}
		for _, pg := range pgs {
			f.PageFree(l, pg)
		}
	}
	f.Interlock.Exit(l)
}

// TestFreeListOrder shows which memory is used again first: that of the file
// freed last, and within it in the order of the file.
func TestFreeListOrder(t *testing.T) {
	m := boot(t, 0, Config{})
	f, g := newFile(m, ""), newFile(m, "")
	l := m.l
	make3 := func(f *memFile) (pgs [3]*Page) {
		f.Interlock.Enter(l)
		for i := range pgs {
			pgs[i] = f.PageAlloc(l, int64(i)*PAGE_SIZE, 0)
		}
		f.Interlock.Exit(l)
		return pgs
	}
	free := func(f *memFile, pgs [3]*Page) {
		f.Interlock.Enter(l)
		for _, pg := range pgs {
			f.PageFree(l, pg)
		}
		f.Interlock.Exit(l)
	}
	f.Interlock.Enter(l)
	for i := range int64(7) { // slabs of 1, 2 and 4
		f.PageAlloc(l, (1000+i)*PAGE_SIZE, 0)
	}
	f.Interlock.Exit(l)
	first, second := make3(f), make3(g) // of the same slab
	free(f, first)
	free(g, second)
	again := make3(f)
	if again != first { // freed one after the other, they are neighbours again
		t.Error("the neighbours come in another order")
	}
	if make3(g) != second {
		t.Error("what follows in memory does not follow on the list")
	}
	free(g, second)
	free(f, again)
	if make3(f) != again || make3(g) != second {
		t.Error("the pages freed last are not used first")
	}
}

// TestObjectIsSmall keeps an object without pages from costing much: there is
// one in every vnode.
func TestObjectIsSmall(t *testing.T) {
	if n := unsafe.Sizeof(Object{}); n > 128 {
		t.Errorf("an object is %d bytes", n)
	}
	m := boot(t, 0, Config{})
	f := newFile(m, "")
	if n := testing.AllocsPerRun(10, func() { f.Init(m.System, f, &testLockClass) }); n != 0 {
		t.Errorf("Init allocates %v times", n)
	}
}

func BenchmarkPageAllocFree(b *testing.B) {
	m := boot(b, 0, Config{})
	f := newFile(m, "")
	f.Interlock.Enter(m.l)
	f.PageAlloc(m.l, PAGE_SIZE, 0)
	b.ReportAllocs()
	for b.Loop() {
		f.PageFree(m.l, f.PageAlloc(m.l, 0, 0))
	}
	f.Interlock.Exit(m.l)
}

func BenchmarkNewSystem(b *testing.B) {
	k := kern.NewKernel(hypercall.NewSystem(hypercall.Config{}), kern.Rev1125)
	b.ReportAllocs()
	for b.Loop() {
		NewSystem(k, Config{})
	}
}

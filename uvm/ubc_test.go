package uvm

import (
	"bytes"
	"fmt"
	"math"
	"slices"
	"strings"
	"testing"

	"pgregory.net/rapid"

	"rumpvfs/kern"
)

// move transfers buf at off of f through UBC.
func move(l *kern.Lwp, f *memFile, buf []byte, off int64, rw kern.UioRW, flags int) (moved int64, err error) {
	var u kern.Uio
	var iov [1][]byte
	u.InitUio(&iov, buf, off, rw)
	err = UbcUiomove(l, &f.Object, &u, int64(len(buf)), UVM_ADV_RANDOM, flags)
	return u.Offset - off, err
}

func TestLen2npages(t *testing.T) {
	for _, c := range []struct {
		off, n int64
		want   int
	}{
		{0, 1, 1}, {0, PAGE_SIZE, 1}, {0, PAGE_SIZE + 1, 2}, {PAGE_MASK, 1, 1}, {PAGE_MASK, 2, 2},
		{100, 65536, 17}, {math.MaxInt64 - 9, 9, 1}, {math.MaxInt64 - PAGE_SIZE, PAGE_SIZE, 2},
	} {
		if got := Len2npages(c.off, c.n); got != c.want {
			t.Errorf("%d bytes at %d are on %d pages, want %d", c.n, c.off, got, c.want)
		}
	}
}

func TestUbcRead(t *testing.T) {
	text := strings.Repeat("0123456789", 1000) // 10000 bytes, the last page partly beyond the end
	for _, c := range []struct {
		off   int64
		n     int
		moved int64
		err   error
		gets  int
	}{
		{0, 1, 1, nil, 1},
		{0, 4096, 4096, nil, 1},
		{4000, 200, 200, nil, 1},
		{0, 10000, 10000, nil, 1},
		{9999, 100, 100, nil, 1},          // NUL bytes up to the end of the page
		{12287, 1, 1, nil, 1},             // the last of them
		{12000, 500, 288, kern.EINVAL, 2}, // and no further
		{12288, 1, 0, kern.EINVAL, 1},
		{0, 100000, 12288, kern.EINVAL, 2},
		{math.MaxInt64 - 100, 100, 0, kern.EINVAL, 1},
	} {
		m := boot(t, 0, Config{})
		f := newFile(m, text)
		for _, temperature := range []string{"cold", "warm"} {
			f.gets = nil
			buf := bytes.Repeat([]byte{'?'}, c.n)
			moved, err := move(m.l, f, buf, c.off, kern.UIO_READ, UBC_READ|UBC_PARTIALOK)
			want := bytes.Repeat([]byte{'?'}, c.n)
			clear(want[:c.moved])
			if c.off < int64(len(text)) {
				copy(want[:c.moved], text[c.off:])
			}
			if moved != c.moved || err != c.err || !bytes.Equal(buf, want) {
				t.Errorf("%s, %d at %d: moved %d, %v, right data %v", temperature, c.n, c.off, moved, err, bytes.Equal(buf, want))
			}
			first := get{kern.TruncPage(c.off), Len2npages(c.off, int64(c.n)), VM_PROT_READ, 0,
				PGO_SYNCIO | PGO_NOBLOCKALLOC | PGO_NOTIMESTAMP, true}
			if len(f.gets) != c.gets || f.gets[0] != first {
				t.Errorf("%s, %d at %d: asked the pager for %+v, want first %+v of %d", temperature, c.n, c.off, f.gets, first, c.gets)
			}
			checkIdle(t, m.l, f)
		}
		f.dispose(m.l)
	}
}

// checkIdle fails if f's Interlock is held or a page busy.
func checkIdle(t interface{ Errorf(string, ...any) }, l *kern.Lwp, f *memFile) {
	f.Interlock.Enter(l)
	it := f.Pages(0, 0)
	for pg := it.Next(); pg != nil; pg = it.Next() {
		if pg.Flags&(PG_BUSY|PG_WANTED|PG_RELEASED) != 0 {
			t.Errorf("%s is left behind", pg.KernelState())
		}
	}
	f.Interlock.Exit(l)
}

func TestUbcWrite(t *testing.T) {
	m := boot(t, 0, Config{})
	f := newFile(m, "old contents")
	if n, err := move(m.l, f, []byte("new"), 4, kern.UIO_WRITE, UBC_WRITE); n != 3 || err != nil {
		t.Fatal(n, err)
	}
	want := get{0, 1, VM_PROT_READ | VM_PROT_WRITE, 0, PGO_SYNCIO | PGO_NOBLOCKALLOC | PGO_NOTIMESTAMP | PGO_PASTEOF, true}
	if f.gets[0] != want {
		t.Errorf("asked the pager for %+v, want %+v", f.gets[0], want)
	}
	f.Interlock.Enter(m.l)
	if pg := f.PageLookup(m.l, 0); string(pg.Data[:13]) != "old newtents\x00" || pg.Flags != 0 {
		t.Errorf("%s %q", pg.KernelState(), pg.Data[:13])
	}
	f.Interlock.Exit(m.l)

	// Beyond the end, without reading first.
	big := bytes.Repeat([]byte("x"), 2*PAGE_SIZE)
	if n, err := move(m.l, f, big, 2*PAGE_SIZE, kern.UIO_WRITE, UBC_WRITE|UBC_FAULTBUSY); n != 2*PAGE_SIZE || err != nil {
		t.Fatal(n, err)
	}
	if f.gets[1].flags != want.flags|PGO_OVERWRITE || f.gets[1].npages != 2 {
		t.Errorf("asked the pager for %+v", f.gets[1])
	}
	f.Interlock.Enter(m.l)
	if pg := f.PageLookup(m.l, 3*PAGE_SIZE); pg.Flags != 0 || pg.Data[PAGE_MASK] != 'x' {
		t.Errorf("an overwritten page is valid and dirty: %s", pg.KernelState())
	}
	f.Interlock.Exit(m.l)
	f.dispose(m.l)
}

func TestUbcErrors(t *testing.T) {
	m := boot(t, 0, Config{})
	f := newFile(m, "x")
	f.getErr = kern.EIO
	if n, err := move(m.l, f, make([]byte, 5), 0, kern.UIO_READ, UBC_READ); n != 0 || err != kern.EIO {
		t.Errorf("moved %d, %v", n, err)
	}
	checkIdle(t, m.l, f)
	mustPanic(t, "0 < todo <= uio_resid", func() { move(m.l, f, nil, 0, kern.UIO_READ, UBC_READ) })
	mustPanic(t, "0 < todo <= uio_resid", func() {
		_ = UbcUiomove(m.l, &f.Object, &kern.Uio{Resid: 5}, 6, 0, UBC_READ)
	})
	mustPanic(t, "delivers the first page", func() { UbcZerorange(m.l, &f.Object, 0, 1, UBC_WRITE) })
}

func TestUbcZerorange(t *testing.T) {
	for _, c := range []struct{ off, n int64 }{
		{0, 0}, {0, 1}, {0, PAGE_SIZE}, {100, PAGE_SIZE}, {4095, 2}, {5000, 1}, {10, 40 * PAGE_SIZE}, {200 * PAGE_SIZE, 33 * PAGE_SIZE},
	} {
		m := boot(t, 0, Config{})
		f := newFile(m, strings.Repeat("x", 50*PAGE_SIZE))
		UbcZerorange(m.l, &f.Object, c.off, c.n, 0)
		for _, g := range f.gets {
			want := get{g.off, g.npages, VM_PROT_READ | VM_PROT_WRITE, 0,
				PGO_SYNCIO | PGO_NOBLOCKALLOC | PGO_NOTIMESTAMP | PGO_PASTEOF, true}
			if g != want || g.npages < 1 || g.npages > 32 {
				t.Errorf("%d at %d: asked the pager for %+v", c.n, c.off, g)
			}
		}
		checkIdle(t, m.l, f)
		f.Interlock.Enter(m.l)
		_ = f.Put(m.l, &f.Object, 0, 0, PGO_CLEANIT|PGO_FREE) // what is dirty goes to data
		for i, b := range f.data {
			inside := int64(i) >= c.off && int64(i) < c.off+c.n || i >= 50*PAGE_SIZE
			if (b == 0) != inside {
				t.Fatalf("%d at %d: byte %d is %q", c.n, c.off, i, b)
			}
		}
		if int64(len(f.data)) < c.off+c.n {
			t.Errorf("%d at %d: only %d bytes", c.n, c.off, len(f.data))
		}
	}
}

// TestUbcModel moves data back and forth at random, with pages written back
// and freed in between, and compares with a plain byte slice.
func TestUbcModel(t *testing.T) {
	m := boot(t, 0, Config{})
	rapid.Check(t, func(t *rapid.T) {
		const size = 20 * PAGE_SIZE
		f := newFile(m, "")
		f.size = size
		model := make([]byte, size)
		extent := func(t *rapid.T) (off, n int64) {
			off = rapid.Int64Range(0, size-1).Draw(t, "offset")
			return off, rapid.Int64Range(1, size-off).Draw(t, "bytes")
		}
		t.Repeat(map[string]func(*rapid.T){
			"write": func(t *rapid.T) {
				off, n := extent(t)
				buf := bytes.Repeat([]byte{rapid.Byte().Draw(t, "byte")}, int(n))
				flags := UBC_WRITE
				if off&PAGE_MASK == 0 && n&PAGE_MASK == 0 {
					flags |= UBC_FAULTBUSY
				}
				if moved, err := move(m.l, f, buf, off, kern.UIO_WRITE, flags); moved != n || err != nil {
					t.Fatal(moved, err)
				}
				copy(model[off:], buf)
			},
			"zero": func(t *rapid.T) {
				off, n := extent(t)
				UbcZerorange(m.l, &f.Object, off, n, UBC_WRITE)
				clear(model[off : off+n])
			},
			"read": func(t *rapid.T) {
				off, n := extent(t)
				buf := make([]byte, n)
				if moved, err := move(m.l, f, buf, off, kern.UIO_READ, UBC_READ); moved != n || err != nil {
					t.Fatal(moved, err)
				}
				if !bytes.Equal(buf, model[off:off+n]) {
					t.Fatal("wrong data")
				}
			},
			"put": func(t *rapid.T) {
				off, n := extent(t)
				f.Interlock.Enter(m.l)
				_ = f.Put(m.l, &f.Object, kern.TruncPage(off), kern.RoundPage(off+n), PGO_CLEANIT|PGO_FREE)
			},
			"": func(t *rapid.T) { checkIdle(t, m.l, f) },
		})
		f.dispose(m.l)
	})
	if n := m.Pages(); n != 0 {
		t.Errorf("%d pages are left", n)
	}
}

func TestPageArray(t *testing.T) {
	m := boot(t, 0, Config{})
	a, b := PageArray(m.l, 3), PageArray(m.l, 32)
	a[2] = PGO_DONTCARE
	b[31] = PGO_DONTCARE
	PutPageArray(m.l, a)
	PutPageArray(m.l, b)
	for range 2 {
		c, d := PageArray(m.l, 32), PageArray(m.l, 32)
		if &c[0] == &d[0] || len(c) != 32 || slices.ContainsFunc(slices.Concat(c, d), func(pg *Page) bool { return pg != nil }) {
			t.Error("two users share an array, or it is not empty")
		}
		PutPageArray(m.l, c)
		PutPageArray(m.l, d)
	}
	big := PageArray(m.l, 33)
	if len(big) != 33 {
		t.Error(len(big))
	}
	PutPageArray(m.l, big)
	if len(m.l.Uvm.(*pageArrays).free) != 2 {
		t.Error("a big array is kept")
	}
}

// warmPager has its pages in memory and does the least that a pager can.
type warmPager struct{ memFile }

func (f *warmPager) Get(l *kern.Lwp, o *Object, off int64, pgs []*Page, npages, centeridx, access, advice, flags int) (int, error) {
	for i := range pgs {
		pgs[i] = o.PageLookup(l, off+int64(i)*PAGE_SIZE)
		pgs[i].Flags |= PG_BUSY
	}
	o.Interlock.Exit(l)
	return npages, nil
}

func warmFile(m machine, size int64) *warmPager {
	f := &warmPager{}
	f.Init(m.System, &f.memFile, &testLockClass)
	f.size = size
	UbcZerorange(m.l, &f.Object, 0, size, UBC_WRITE)
	f.Pager = f
	return f
}

func TestUbcAllocatesNothing(t *testing.T) {
	m := boot(t, 0, Config{})
	f := warmFile(m, 1<<20)
	buf := make([]byte, 64<<10)
	var u kern.Uio
	var iov [1][]byte
	for _, rw := range []kern.UioRW{kern.UIO_READ, kern.UIO_WRITE} {
		if n := testing.AllocsPerRun(100, func() {
			u.InitUio(&iov, buf, 100, rw)
			if err := UbcUiomove(m.l, &f.Object, &u, int64(len(buf)), 0, UBC_READ); err != nil {
				t.Fatal(err)
			}
		}); n != 0 {
			t.Errorf("direction %d: %v allocations", rw, n)
		}
	}
}

func BenchmarkUbcUiomove(b *testing.B) {
	for _, n := range []int{1, 4096, 65536} {
		for rw, name := range []string{"read", "write"} {
			b.Run(fmt.Sprint(name, "/", n), func(b *testing.B) {
				m := boot(b, 0, Config{})
				f := warmFile(m, 1<<20)
				buf := make([]byte, n)
				var u kern.Uio
				var iov [1][]byte
				off := int64(0)
				b.SetBytes(int64(n))
				b.ReportAllocs()
				for b.Loop() {
					u.InitUio(&iov, buf, off, kern.UioRW(rw))
					if err := UbcUiomove(m.l, &f.Object, &u, int64(n), 0, UBC_READ); err != nil {
						b.Fatal(err)
					}
					if off += PAGE_SIZE; off+int64(n) > 1<<20 {
						off = 0
					}
				}
			})
		}
	}
}

// TestUbcAnyLength moves a length for which there could be no array of pages:
// what is there arrives, and then the pager has its say.
func TestUbcAnyLength(t *testing.T) {
	m := boot(t, 0, Config{})
	f := newFile(m, strings.Repeat("x", 3*PAGE_SIZE))
	b := make([]byte, 2*PAGE_SIZE)
	uio := kern.Uio{Iov: [][]byte{b}, Resid: math.MaxInt64, RW: kern.UIO_READ}
	if err := UbcUiomove(m.l, &f.Object, &uio, math.MaxInt64, 0, UBC_READ); err != kern.EFAULT {
		t.Errorf("memory ends before the file: %v", err)
	}
	if n := math.MaxInt64 - uio.Resid; n != int64(len(b)) || b[n-1] != 'x' {
		t.Errorf("%d bytes arrived", n)
	}
}

package genfs_test

import (
	"bytes"
	"math"
	"strings"
	"testing"

	"rumpvfs/genfs"
	"rumpvfs/hypercall"
	"rumpvfs/kern"
	"rumpvfs/uvm"
	"rumpvfs/vnode"
)

const (
	page   = kern.PAGE_SIZE
	ro     = uvm.VM_PROT_READ
	rw     = uvm.VM_PROT_READ | uvm.VM_PROT_WRITE
	syncio = uvm.PGO_SYNCIO
)

// A read across the end of the file within its last block gives NULs; one
// that begins behind the last block is EINVAL, and so is one that goes on
// into the next page, though that moves what is there.
func TestReadAroundEOF(t *testing.T) {
	for _, c := range []struct {
		size   int
		off, n int64
		want   error
	}{
		{10, 0, 10, nil},
		{10, 5, 20, nil},
		{10, 11, 10, nil},
		{10, 11, page, kern.EINVAL},
		{10, page - 1, 1, nil},
		{10, page, 1, kern.EINVAL},
		{0, 0, 1, kern.EINVAL},
		{5000, 5001, 10, nil},
		{5000, 5001, 10000, kern.EINVAL},
		{5000, 2 * page, 10, kern.EINVAL},
		{5000, math.MaxInt64 - 2*page, 10, kern.EINVAL},
	} {
		m := newMachine(t, hypercall.Config{})
		vp := m.open(t, strings.Repeat("x", c.size))
		got := bytes.Repeat([]byte("?"), int(c.n))
		wantErr(t, "read", m.read(vp, c.off, got), c.want)
		m.audit(t, vp)
		if c.want != nil {
			continue
		}
		want := bytes.Repeat([]byte("\x00"), int(c.n))
		for i := c.off; i < int64(c.size) && i < c.off+c.n; i++ {
			want[i-c.off] = 'x'
		}
		if !bytes.Equal(got, want) {
			t.Errorf("size %d, read %d at %d: %q, want %q", c.size, c.n, c.off, got, want)
		}
	}
}

// A shrink keeps the page that the new end is in as it is, so that what was
// cut off comes back when the file grows again. Whole pages are gone.
func TestStaleTailAfterShrink(t *testing.T) {
	m := newMachine(t, hypercall.Config{})
	vp := m.open(t, "")
	if err := m.write(vp, 0, bytes.Repeat([]byte("ab"), page)); err != nil {
		t.Fatal(err)
	}
	if n := vp.NPages(); n != 2 {
		t.Fatalf("%d pages, want 2", n)
	}
	vp.SetSize(m.l, 4)
	if n := vp.NPages(); n != 1 {
		t.Fatalf("%d pages after the shrink, want 1", n)
	}
	vp.SetSize(m.l, 2*page)
	got := make([]byte, 2*page)
	if err := m.read(vp, 0, got); err != nil {
		t.Fatal(err)
	}
	want := append(bytes.Repeat([]byte("ab"), page/2), make([]byte, page)...)
	if !bytes.Equal(got, want) {
		t.Error("the cut-off tail of the first page did not come back, or the second did")
	}
	vp.SetSize(m.l, 0)
	if n := vp.NPages(); n != 0 {
		t.Errorf("%d pages of an empty file", n)
	}
}

// Reading asks the device for each page once, in as few transfers as the
// blocks allow, and only for what is not there.
func TestReadTransfers(t *testing.T) {
	for _, c := range []struct {
		name   string
		bshift int
		run    int
		warm   []int // pages read before
		reads  int
	}{
		{"all together", 9, 127, nil, 1},
		{"a run of 17 blocks at a time", 9, 16, nil, 8},
		{"block by block", 12, 0, nil, 16},
		{"around one in the middle", 9, 127, []int{5}, 2},
		{"around the first", 9, 127, []int{0}, 1},
		{"around the last", 9, 127, []int{15}, 1},
		{"around every other", 9, 127, []int{0, 2, 4, 6, 8, 10, 12, 14}, 8},
	} {
		m := newMachine(t, hypercall.Config{})
		m.setBshift(c.bshift)
		m.fs.run = c.run
		data := pattern(16 * page)
		vp := m.open(t, string(data))
		one := make([]byte, page)
		for _, i := range c.warm {
			if err := m.read(vp, int64(i)*page, one); err != nil {
				t.Fatal(err)
			}
		}
		m.fs.reads = 0
		got := make([]byte, len(data))
		if err := m.read(vp, 0, got); err != nil {
			t.Fatal(err)
		}
		if !bytes.Equal(got, data) {
			t.Errorf("%s: wrong data", c.name)
		}
		if m.fs.reads != c.reads {
			t.Errorf("%s: %d transfers, want %d", c.name, m.fs.reads, c.reads)
		}
		m.audit(t, vp)
	}
}

func pattern(n int) []byte {
	b := make([]byte, n)
	for i := range b {
		b[i] = byte(i*7 + i>>8)
	}
	return b
}

// Blocks larger than a page are read as a whole: the pages that were not
// asked for are in the cache afterwards, and idle.
func TestLargeBlocks(t *testing.T) {
	m := newMachine(t, hypercall.Config{})
	m.setBshift(14)
	data := pattern(10 * page)
	vp := m.open(t, string(data))
	pgs, err := m.get(vp, 5*page, 2, 0, ro, syncio)
	if err != nil {
		t.Fatal(err)
	}
	for i, pg := range pgs {
		if !bytes.Equal(pg.Data, data[(5+i)*page:(6+i)*page]) {
			t.Errorf("page %d has the wrong data", 5+i)
		}
	}
	m.unbusy(vp, pgs)
	if vp.NPages() != 4 || m.fs.reads != 1 {
		t.Errorf("%d pages in %d transfers, want the block of 4 in one", vp.NPages(), m.fs.reads)
	}
	// What is resident comes without the rest of its block.
	m.put(vp, 4*page, 5*page, uvm.PGO_FREE)
	pgs, err = m.get(vp, 5*page, 2, 1, ro, syncio)
	if err != nil || pgs[0].Offset != 5*page || pgs[1].Offset != 6*page || m.fs.reads != 1 {
		t.Errorf("resident pages: %v, %d transfers", err, m.fs.reads)
	}
	m.unbusy(vp, pgs)
	// The last block ends with the file.
	pgs, err = m.get(vp, 9*page, 1, 0, ro, syncio)
	if err != nil {
		t.Fatal(err)
	}
	m.unbusy(vp, pgs)
	m.audit(t, vp)
}

// Errors of the device and of Bmap come back, and no page that was not read
// stays.
func TestReadErrors(t *testing.T) {
	m := newMachine(t, hypercall.Config{})
	vp := m.open(t, string(pattern(4*page)))
	m.fs.fail = kern.ENXIO
	wantErr(t, "device error", m.read(vp, 0, make([]byte, page)), kern.ENXIO)
	m.fs.fail = nil
	m.fs.bmapFail = 0
	wantErr(t, "no map of the first block", m.read(vp, 0, make([]byte, page)), kern.EIO)
	m.fs.bmapFail = 8
	wantErr(t, "no map of the second page", m.read(vp, 0, make([]byte, 2*page)), kern.EIO)
	m.fs.bmapFail = -1
	m.fs.run, m.fs.short = 0, 100
	wantErr(t, "short transfer", m.read(vp, 0, make([]byte, page)), kern.EIO)
	m.fs.short = 0
	if n := vp.NPages(); n != 0 {
		t.Errorf("%d pages in the cache", n)
	}
	m.audit(t, vp)
}

// A hole reads as zeros and makes the page read-only; writing to it without
// backing store leaves it so, and with backing store allocates that.
func TestHoles(t *testing.T) {
	m := newMachine(t, hypercall.Config{})
	data := pattern(3 * page)
	vp := m.open(t, string(data))
	f := fileOf(vp)
	for bn := int64(8); bn < 12; bn++ { // half of the second page
		f.holes[bn] = true
	}
	pgs, err := m.get(vp, 0, 3, 0, ro, syncio)
	if err != nil {
		t.Fatal(err)
	}
	clear(data[page : page+page/2])
	for i, pg := range pgs {
		if !bytes.Equal(pg.Data, data[i*page:(i+1)*page]) {
			t.Errorf("page %d has the wrong data", i)
		}
		if got := pg.Flags&uvm.PG_RDONLY != 0; got != (i == 1) {
			t.Errorf("page %d read-only: %v", i, got)
		}
	}
	m.unbusy(vp, pgs)

	// What is at hand for writing does not include it.
	vp.Interlock.Enter(m.l)
	pgs = make([]*uvm.Page, 3)
	_, err = vnode.VOP_GETPAGES(m.l, vp, 0, pgs, 3, 1, rw, 0, uvm.PGO_LOCKED)
	wantErr(t, "PGO_LOCKED of a read-only page", err, kern.EBUSY)
	uvm.PageUnbusy(m.l, pgs)
	vp.Interlock.Exit(m.l)

	m.fs.fail = kern.ENOSPC
	_, err = m.get(vp, page, 1, 0, rw, syncio)
	wantErr(t, "allocation", err, kern.ENOSPC)
	m.fs.fail = nil
	pgs, err = m.get(vp, page, 1, 0, rw, syncio)
	if err != nil {
		t.Fatal(err)
	}
	if pgs[0].Flags&(uvm.PG_RDONLY|uvm.PG_CLEAN) != 0 || len(f.holes) != 0 {
		t.Errorf("page flags %#x, holes %v after the allocation", pgs[0].Flags, f.holes)
	}
	m.unbusy(vp, pgs)
	if err := m.put(vp, 0, 0, uvm.PGO_CLEANIT|syncio); err != nil {
		t.Fatal(err)
	}
	if !bytes.Equal(f.data, data) {
		t.Error("the hole was not written as zeros")
	}
	m.audit(t, vp)
}

// A hole that is read for a write without backing store is dirty at once, and
// its page stays read-only.
func TestHoleForWrite(t *testing.T) {
	m := newMachine(t, hypercall.Config{})
	vp := m.open(t, string(pattern(page)))
	for bn := int64(0); bn < 8; bn++ {
		fileOf(vp).holes[bn] = true
	}
	pgs, err := m.get(vp, 0, 1, 0, rw, syncio|uvm.PGO_NOBLOCKALLOC)
	if err != nil {
		t.Fatal(err)
	}
	if f := pgs[0].Flags & (uvm.PG_CLEAN | uvm.PG_RDONLY); f != uvm.PG_RDONLY {
		t.Errorf("flags %#x, want dirty and read-only", f)
	}
	m.unbusy(vp, pgs)
	// Nowhere to write it to, which is no error.
	if err := m.put(vp, 0, 0, uvm.PGO_CLEANIT|syncio); err != nil {
		t.Error(err)
	}
	if m.fs.writes != 0 {
		t.Errorf("%d transfers to a hole", m.fs.writes)
	}
	m.audit(t, vp)
}

// With PGO_OVERWRITE nothing is read, and the pages come fake and dirty;
// those that were not asked for are zero.
func TestOverwrite(t *testing.T) {
	m := newMachine(t, hypercall.Config{})
	vp := m.open(t, string(pattern(2*page)))
	pgs, err := m.get(vp, 0, 2, 0, rw, syncio|uvm.PGO_OVERWRITE|uvm.PGO_NOBLOCKALLOC)
	if err != nil {
		t.Fatal(err)
	}
	for _, pg := range pgs {
		if pg.Flags&(uvm.PG_FAKE|uvm.PG_CLEAN|uvm.PG_RDONLY) != uvm.PG_FAKE {
			t.Errorf("flags %#x, want fake and dirty", pg.Flags)
		}
	}
	if m.fs.reads != 0 {
		t.Errorf("%d transfers", m.fs.reads)
	}
	m.unbusy(vp, pgs)

	// Nobody takes the pages of an asynchronous overwrite: they are zeroed.
	vp2 := m.open(t, string(pattern(2*page)))
	vp2.Interlock.Enter(m.l)
	if _, err := vnode.VOP_GETPAGES(m.l, vp2, 0, nil, 1, 0, rw, 0, uvm.PGO_OVERWRITE|uvm.PGO_NOBLOCKALLOC); err != nil {
		t.Fatal(err)
	}
	got := make([]byte, page)
	if err := m.read(vp2, 0, got); err != nil || !bytes.Equal(got, make([]byte, page)) {
		t.Errorf("overwritten page: %v, not zero", err)
	}
	m.audit(t, vp2)
}

// PGO_PASTEOF lets a write in progress have pages behind the end, up to the
// write size; further is a panic.
func TestPastEOF(t *testing.T) {
	m := newMachine(t, hypercall.Config{})
	vp := m.open(t, "0123456789")
	vp.SetWriteSize(m.l, 3*page)
	pgs, err := m.get(vp, page, 2, 0, rw, syncio|uvm.PGO_PASTEOF|uvm.PGO_NOBLOCKALLOC)
	if err != nil {
		t.Fatal(err)
	}
	for _, pg := range pgs {
		if !bytes.Equal(pg.Data, make([]byte, page)) {
			t.Error("not zero behind the end")
		}
	}
	m.unbusy(vp, pgs)
	if m.fs.reads != 0 {
		t.Errorf("%d transfers for what is not on the device", m.fs.reads)
	}
	p := m.panics(func() { m.get(vp, 3*page, 1, 0, rw, syncio|uvm.PGO_PASTEOF) })
	if p == nil || !strings.Contains(p.Msg, "past eof") {
		t.Errorf("beyond the write size: %v", p)
	}
}

// PGO_LOCKED takes what is in memory and idle, keeps the interlock, and knows
// PGO_DONTCARE.
func TestAtHand(t *testing.T) {
	m := newMachine(t, hypercall.Config{})
	vp := m.open(t, string(pattern(4*page)))
	l := m.l
	if err := m.read(vp, page, make([]byte, 2*page)); err != nil {
		t.Fatal(err)
	}
	get := func(center, access int) ([]*uvm.Page, error) {
		pgs := []*uvm.Page{nil, nil, uvm.PGO_DONTCARE, nil}
		_, err := vnode.VOP_GETPAGES(l, vp, 0, pgs, 4, center, access, 0, uvm.PGO_LOCKED)
		return pgs, err
	}
	vp.Interlock.Enter(l)
	pgs, err := get(1, rw)
	if err != nil || pgs[0] != nil || pgs[1] == nil || pgs[2] != uvm.PGO_DONTCARE || pgs[3] != nil {
		t.Errorf("pages %v, %v", pgs, err)
	}
	if vp.Iflag()&vnode.VI_ONWORKLST == 0 {
		t.Error("got a page for writing and is not on the worklist")
	}
	_, err = get(1, ro)
	wantErr(t, "busy page", err, kern.EBUSY)
	uvm.PageUnbusy(l, pgs)
	pgs, err = get(0, ro)
	wantErr(t, "page that is not there", err, kern.EBUSY)
	uvm.PageUnbusy(l, pgs)
	if _, err = vnode.VOP_GETPAGES(l, vp, 4*page, make([]*uvm.Page, 1), 1, 0, ro, 0, uvm.PGO_LOCKED); err != kern.EINVAL {
		t.Errorf("behind the end: %v", err)
	}

	// While blocks are being allocated or cut off nothing is at hand.
	vp.Interlock.Exit(l)
	genfs.VTOG(vp).Wrlock(l)
	vp.Interlock.Enter(l)
	pgs, err = get(1, ro)
	wantErr(t, "node locked", err, kern.EBUSY)
	if pgs[1] != nil || pgs[2] != uvm.PGO_DONTCARE {
		t.Errorf("pages %v are not restored", pgs)
	}
	vp.Interlock.Exit(l)
	genfs.VTOG(vp).Unlock(l)
	m.audit(t, vp)
}

// Who holds the node's lock says so with PGO_GLOCKHELD, or would wait for
// itself.
func TestGlockHeld(t *testing.T) {
	m := newMachine(t, hypercall.Config{})
	vp := m.open(t, string(pattern(2*page)))
	gp := genfs.VTOG(vp)
	gp.Wrlock(m.l)
	pgs, err := m.get(vp, 0, 2, 0, rw, syncio|uvm.PGO_GLOCKHELD)
	if err != nil {
		t.Fatal(err)
	}
	m.unbusy(vp, pgs)
	if !gp.Wrlocked(m.l) {
		t.Error("the node's lock is gone")
	}
	gp.Unlock(m.l)
	gp.Rdlock(m.l)
	if gp.Wrlocked(m.l) || !gp.Rdtrylock(m.l) {
		t.Error("a shared lock does not share")
	}
	gp.Unlock(m.l)
	gp.Unlock(m.l)
}

// Page I/O stamps the file as the caller and the mount want it.
func TestStamps(t *testing.T) {
	for _, c := range []struct {
		access, flags int
		mount         uint32
		typ           vnode.Vtype
		want          int
	}{
		{ro, 0, 0, vnode.VREG, genfs.GOP_UPDATE_ACCESSED},
		{rw, 0, 0, vnode.VREG, genfs.GOP_UPDATE_ACCESSED | genfs.GOP_UPDATE_MODIFIED},
		{ro, uvm.PGO_NOTIMESTAMP, 0, vnode.VREG, 0},
		{ro, 0, kern.MNT_NOATIME, vnode.VREG, 0},
		{rw, 0, kern.MNT_NOATIME, vnode.VREG, genfs.GOP_UPDATE_MODIFIED},
		{ro, 0, 0, vnode.VBLK, genfs.GOP_UPDATE_ACCESSED},
		{ro, 0, kern.MNT_NODEVMTIME, vnode.VBLK, 0},
	} {
		m := newMachine(t, hypercall.Config{})
		m.mp.SetFlag(c.mount)
		vp := m.open(t, string(pattern(page)))
		vp.SetType(c.typ)
		pgs, err := m.get(vp, 0, 1, 0, c.access, syncio|c.flags)
		if err != nil {
			t.Fatal(err)
		}
		m.unbusy(vp, pgs)
		if m.fs.stamps != c.want {
			t.Errorf("access %d flags %#x mount %#x %v: stamps %d, want %d", c.access, c.flags, c.mount, c.typ, m.fs.stamps, c.want)
		}
	}
}

// Dirty pages are written in clusters around the first, as many as a transfer
// takes, and are clean then.
func TestClusters(t *testing.T) {
	for _, c := range []struct {
		name   string
		dirty  []int // of 40 pages
		lo, hi int64
		writes int
		left   int // dirty pages
	}{
		{"all", seq(0, 40), 0, 0, 3, 0},
		{"one", seq(7, 8), 0, 0, 1, 0},
		{"apart", []int{1, 3, 5}, 0, 0, 3, 0},
		{"the neighbours of a range come along", seq(0, 12), 6 * page, 7 * page, 1, 0},
		{"but no more than half a transfer before it", seq(0, 40), 20 * page, 21 * page, 1, 24},
		{"nothing in the range", seq(0, 4), 20 * page, 21 * page, 0, 4},
	} {
		m := newMachine(t, hypercall.Config{})
		m.fs.run = 1000
		vp := m.open(t, strings.Repeat("-", 40*page))
		for _, i := range c.dirty {
			if err := m.write(vp, int64(i)*page, []byte("dirty")); err != nil {
				t.Fatal(err)
			}
		}
		if err := m.put(vp, c.lo, c.hi, uvm.PGO_CLEANIT|syncio); err != nil {
			t.Fatal(err)
		}
		if m.fs.writes != c.writes {
			t.Errorf("%s: %d transfers, want %d", c.name, m.fs.writes, c.writes)
		}
		if n := dirty(m, vp); n != c.left {
			t.Errorf("%s: %d dirty pages left, want %d", c.name, n, c.left)
		}
		if n := bytes.Count(fileOf(vp).data, []byte("dirty")); n != len(c.dirty)-c.left {
			t.Errorf("%s: %d pages written", c.name, n)
		}
		m.audit(t, vp)
	}
}

func seq(lo, hi int) []int {
	var s []int
	for i := lo; i < hi; i++ {
		s = append(s, i)
	}
	return s
}

func dirty(m *machine, vp *vnode.Vnode) (n int) {
	vp.Interlock.Enter(m.l)
	defer vp.Interlock.Exit(m.l)
	it := vp.Pages(0, 0)
	for pg := it.Next(); pg != nil; pg = it.Next() {
		if pg.Flags&uvm.PG_CLEAN == 0 {
			n++
		}
	}
	return n
}

// A vnode is on the syncer's worklist from the first write until a whole pass
// finds nothing dirty.
func TestWorklist(t *testing.T) {
	m := newMachine(t, hypercall.Config{})
	vp := m.open(t, string(pattern(2*page)))
	on := func() bool { return vp.Iflag()&vnode.VI_ONWORKLST != 0 }
	if err := m.read(vp, 0, make([]byte, page)); err != nil || on() {
		t.Fatalf("after a read: %v, on the worklist %v", err, on())
	}
	if err := m.write(vp, 0, []byte("x")); err != nil || !on() {
		t.Fatalf("after a write: %v, on the worklist %v", err, on())
	}
	m.put(vp, 0, 0, uvm.PGO_CLEANIT|syncio)
	if !on() {
		t.Error("off the worklist after a pass that wrote")
	}
	m.put(vp, 0, page, uvm.PGO_CLEANIT|syncio)
	if !on() {
		t.Error("off the worklist after half a pass")
	}
	m.put(vp, 0, 0, uvm.PGO_CLEANIT|syncio)
	if on() {
		t.Error("on the worklist after a pass that had nothing to write")
	}
	// What is on no worklist is not looked at, but for freeing it.
	m.fs.writes = 0
	m.put(vp, 0, 0, uvm.PGO_CLEANIT|syncio)
	m.put(vp, 0, 0, uvm.PGO_CLEANIT|uvm.PGO_DEACTIVATE|syncio)
	if m.fs.writes != 0 || vp.NPages() != 1 {
		t.Errorf("%d writes, %d pages", m.fs.writes, vp.NPages())
	}
	m.put(vp, 0, 0, uvm.PGO_CLEANIT|uvm.PGO_FREE|syncio)
	if vp.NPages() != 0 {
		t.Errorf("%d pages after PGO_FREE", vp.NPages())
	}
	// Without pages the vnode is clean at once.
	m.write(vp, 0, []byte("x"))
	m.put(vp, 0, 0, uvm.PGO_FREE)
	if !on() {
		t.Error("off the worklist because a dirty page was thrown away")
	}
	m.put(vp, 0, 0, uvm.PGO_FREE)
	if on() {
		t.Error("on the worklist without pages")
	}
}

// Cleaning and freeing in one go writes what is dirty first; freeing alone
// throws it away.
func TestFree(t *testing.T) {
	m := newMachine(t, hypercall.Config{})
	vp := m.open(t, "")
	f := fileOf(vp)
	m.write(vp, 0, pattern(3*page))
	m.put(vp, 0, 0, uvm.PGO_CLEANIT|uvm.PGO_FREE|syncio)
	if !bytes.Equal(f.data, pattern(3*page)) || vp.NPages() != 0 {
		t.Errorf("not all written, or %d pages left", vp.NPages())
	}
	m.write(vp, 0, []byte("lost"))
	m.put(vp, 0, 0, uvm.PGO_FREE|syncio)
	if !bytes.Equal(f.data, pattern(3*page)) || vp.NPages() != 0 {
		t.Errorf("written though to be thrown away, or %d pages left", vp.NPages())
	}
	// Reclaiming goes on until the vnode is off the worklist.
	m.write(vp, 0, []byte("kept"))
	m.put(vp, 0, 0, uvm.PGO_ALLPAGES|uvm.PGO_CLEANIT|uvm.PGO_FREE|uvm.PGO_RECLAIM|syncio)
	if string(f.data[:4]) != "kept" || vp.Iflag()&vnode.VI_ONWORKLST != 0 || vp.NPages() != 0 {
		t.Error("not clean after PGO_RECLAIM")
	}
}

// Pages that could be written to through a mapping are noted as dirty, and
// writing them moves the file's times.
func TestWritableMapping(t *testing.T) {
	m := newMachine(t, hypercall.Config{})
	vp := m.open(t, string(pattern(page)))
	vp.Interlock.Enter(m.l)
	vp.SetIflag(vnode.VI_WRMAP)
	vp.Interlock.Exit(m.l)
	if err := m.write(vp, 0, []byte("x")); err != nil {
		t.Fatal(err)
	}
	if vp.Iflag()&vnode.VI_WRMAPDIRTY == 0 || m.fs.stamps != 0 {
		t.Errorf("iflag %#x stamps %d after the write", vp.Iflag(), m.fs.stamps)
	}
	m.put(vp, 0, 0, uvm.PGO_CLEANIT|syncio)
	if m.fs.stamps != genfs.GOP_UPDATE_MODIFIED {
		t.Errorf("stamps %d after the flush", m.fs.stamps)
	}
	m.put(vp, 0, 0, uvm.PGO_CLEANIT|syncio)
	if vp.Iflag()&vnode.VI_WRMAPDIRTY != 0 {
		t.Error("still noted as dirty when clean")
	}
	// A file system that keeps no times need not be told.
	m.fs.genfs.MarkUpdate = nil
	m.write(vp, 0, []byte("x"))
	if err := m.put(vp, 0, 0, uvm.PGO_CLEANIT|syncio); err != nil {
		t.Error(err)
	}
}

// An error of a write comes back, and the pages count as clean: the rump
// kernel forgets about them.
func TestWriteErrors(t *testing.T) {
	m := newMachine(t, hypercall.Config{})
	vp := m.open(t, string(pattern(4*page)))
	for _, c := range []struct {
		name string
		set  func()
		want error
	}{
		{"device", func() { m.fs.fail = kern.ENXIO }, kern.ENXIO},
		{"map", func() { m.fs.bmapFail = 4 }, kern.EIO},
		{"short transfer", func() { m.fs.run, m.fs.short = 0, 1 }, kern.EIO},
	} {
		if err := m.write(vp, 0, []byte("x")); err != nil {
			t.Fatal(err)
		}
		c.set()
		wantErr(t, c.name, m.put(vp, 0, 0, uvm.PGO_CLEANIT|syncio), c.want)
		m.fs.fail, m.fs.bmapFail, m.fs.run, m.fs.short = nil, -1, 16, 0
		if n := dirty(m, vp); n != 0 {
			t.Errorf("%s: %d dirty pages", c.name, n)
		}
		m.audit(t, vp)
	}
}

// Asynchronous writes keep pages busy until the transfer is over.
func TestAsyncWrite(t *testing.T) {
	m := newMachine(t, hypercall.Config{})
	vp := m.open(t, string(pattern(2*page)))
	m.write(vp, 0, []byte("later"))
	m.fs.async = true
	if err := m.put(vp, 0, 0, uvm.PGO_CLEANIT); err != nil {
		t.Fatal(err)
	}
	if n := vp.Numoutput(); n != 2 {
		t.Errorf("%d writes in progress, want 2", n)
	}
	wantErr(t, "busy page", m.put(vp, 0, 0, uvm.PGO_FREE|uvm.PGO_BUSYFAIL), kern.EDEADLK)
	m.fs.settle(m.l)
	m.audit(t, vp)
	if string(fileOf(vp).data[:5]) != "later" {
		t.Error("not written")
	}
	// Pages that are on their way out are left alone.
	m.write(vp, 0, []byte("again"))
	m.put(vp, 0, 0, uvm.PGO_CLEANIT|uvm.PGO_FREE)
	if err := m.put(vp, 0, 0, uvm.PGO_CLEANIT|uvm.PGO_FREE|uvm.PGO_BUSYFAIL); err != nil {
		t.Errorf("put of a page on its way out: %v", err)
	}
	m.fs.settle(m.l)
	m.audit(t, vp)
	if vp.NPages() != 0 || string(fileOf(vp).data[:5]) != "again" {
		t.Errorf("%d pages, data %q", vp.NPages(), fileOf(vp).data[:5])
	}
}

// Asynchronous reads let the pages go by themselves. What they read does not
// count as read: the rump kernel leaves such pages fake.
func TestAsyncRead(t *testing.T) {
	m := newMachine(t, hypercall.Config{})
	data := pattern(3 * page)
	vp := m.open(t, string(data))
	m.fs.async = true
	vp.Interlock.Enter(m.l)
	if _, err := vnode.VOP_GETPAGES(m.l, vp, 0, nil, 3, 0, ro, 0, 0); err != nil {
		t.Fatal(err)
	}
	vp.Interlock.Enter(m.l)
	_, err := vnode.VOP_GETPAGES(m.l, vp, 0, nil, 3, 0, ro, 0, 0)
	wantErr(t, "pages busy", err, kern.EBUSY)
	m.fs.settle(m.l)
	m.audit(t, vp)
	m.fs.async, m.fs.reads = false, 0
	got := make([]byte, len(data))
	if err := m.read(vp, 0, got); err != nil || !bytes.Equal(got, data) {
		t.Errorf("read after the asynchronous one: %v", err)
	}
	if m.fs.reads != 2 {
		t.Errorf("%d transfers, want 2", m.fs.reads)
	}
	// Resident pages are let go at once.
	vp.Interlock.Enter(m.l)
	if _, err := vnode.VOP_GETPAGES(m.l, vp, 0, nil, 3, 0, ro, 0, 0); err != nil {
		t.Error(err)
	}
	m.audit(t, vp)

	// With large blocks, one of which is half there and busy.
	m2 := newMachine(t, hypercall.Config{})
	m2.setBshift(14)
	vp = m2.open(t, string(pattern(4*page)))
	pgs, err := m2.get(vp, 0, 1, 0, ro, syncio|uvm.PGO_OVERWRITE)
	if err != nil {
		t.Fatal(err)
	}
	vp.Interlock.Enter(m2.l)
	_, err = vnode.VOP_GETPAGES(m2.l, vp, 2*page, nil, 1, 0, ro, 0, 0)
	wantErr(t, "page of the block busy", err, kern.EBUSY)
	m2.unbusy(vp, pgs)
	m2.audit(t, vp)
}

// Arguments that make no sense are panics of the kernel, not of the program.
func TestBadCalls(t *testing.T) {
	m := newMachine(t, hypercall.Config{})
	vp := m.open(t, string(pattern(page)))
	fifo := m.open(t, "")
	fifo.SetType(vnode.VFIFO)
	for name, f := range map[string]func(){
		"getpages of a fifo":     func() { m.get(fifo, 0, 1, 0, ro, syncio) },
		"getpages of no page":    func() { m.get(vp, 0, 0, 0, ro, syncio) },
		"getpages off a page":    func() { m.get(vp, 1, 1, 0, ro, syncio) },
		"putpages to no end":     func() { m.put(vp, 0, 0, 0) },
		"putpages off a page":    func() { m.put(vp, 0, 1, uvm.PGO_FREE) },
		"putpages back to front": func() { m.put(vp, page, page, uvm.PGO_FREE) },
		"size without a value":   func() { vp.SetSize(m.l, vnode.VSIZENOTSET) },
		"bad op":                 func() { genfs.Badop(m.l, &vnode.LockArgs{Vp: vp}) },
		"revoke of one alias":    func() { genfs.Revoke(m.l, vp, 0) },
	} {
		p := m.panics(f)
		if p == nil {
			t.Errorf("%s: no panic", name)
		}
		if vp.Interlock.Owned(m.l) {
			vp.Interlock.Exit(m.l)
		}
		if fifo.Interlock.Owned(m.l) {
			fifo.Interlock.Exit(m.l)
		}
	}
}

// A file whose last page ends where numbers do: its size rounded up to pages
// is negative. Nobody can have such a file in memory, devices aside.
func TestSizeOverflow(t *testing.T) {
	m := newMachine(t, hypercall.Config{})
	vp := m.open(t, "x")
	vp.SetSize(m.l, math.MaxInt64-page)
	if err := m.read(vp, 0, make([]byte, 1)); err != nil {
		t.Error(err)
	}
	for _, size := range []int64{math.MaxInt64, math.MaxInt64 - 100} {
		vp = m.open(t, "x")
		vp.Size, vp.WriteSize = size, size
		wantErr(t, "size rounds to a negative number", m.read(vp, 0, make([]byte, 1)), kern.EINVAL)
	}
	vp.Size, vp.WriteSize = math.MaxInt64-600, math.MaxInt64-600
	if p := m.panics(func() { m.read(vp, 0, make([]byte, 1)) }); p == nil || !strings.Contains(p.Msg, "undefined: ") {
		t.Errorf("%v, want an undefined quirk", p)
	}
}

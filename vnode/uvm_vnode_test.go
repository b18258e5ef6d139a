package vnode

import (
	"bytes"
	"fmt"
	"testing"

	"rumpvfs/kern"
	"rumpvfs/uvm"
)

const pageSize = kern.PAGE_SIZE

// newPages makes n pages of vp from an offset on, idle, each filled with its
// number.
func (t *toyKernel) newPages(vp *Vnode, off int64, n int, flags uint32) []*uvm.Page {
	t.tb.Helper()
	vp.Interlock.Enter(t.l)
	defer vp.Interlock.Exit(t.l)
	var pgs []*uvm.Page
	for i := range n {
		pg := vp.PageAlloc(t.l, off+int64(i)*pageSize, 0)
		pg.Flags = flags
		for j := range pg.Data {
			pg.Data[j] = byte(i + 1)
		}
		pgs = append(pgs, pg)
	}
	return pgs
}

func (t *toyKernel) freePages(vp *Vnode) {
	vp.Interlock.Enter(t.l)
	it := vp.Pages(0, 0)
	for pg := it.Next(); pg != nil; pg = it.Next() {
		vp.PageFree(t.l, pg)
	}
	vp.Interlock.Exit(t.l)
}

// The pager passes on what it is asked to the operations of the vnode, and
// counts references.
func TestVnodePager(t *testing.T) {
	k := newStory(t)
	var calls []string
	k.fs.ops.Getpages = func(l *kern.Lwp, vp *Vnode, off int64, m []*uvm.Page, n, center, access, advice, flags int) (int, error) {
		calls = append(calls, fmt.Sprintf("get %d %d %d %d %d %d %#x", off, len(m), n, center, access, advice, flags))
		vp.Interlock.Exit(l)
		return n - 1, kern.EIO
	}
	k.fs.ops.Putpages = func(l *kern.Lwp, vp *Vnode, lo, hi int64, flags int) error {
		calls = append(calls, fmt.Sprintf("put %d %d %#x", lo, hi, flags))
		vp.Interlock.Exit(l)
		return kern.ENXIO
	}
	vp := k.find(1)
	o := &vp.Object
	o.Pager.Reference(k.l, o)
	if vp.Usecount() != 2 {
		t.Errorf("%d references", vp.Usecount())
	}
	o.Pager.Detach(k.l, o)
	if vp.Usecount() != 1 {
		t.Errorf("%d references", vp.Usecount())
	}
	vp.Interlock.Enter(k.l)
	if n, err := o.Pager.Get(k.l, o, 4096, make([]*uvm.Page, 3), 2, 1, uvm.VM_PROT_READ, 5, 0x82); n != 1 || err != kern.EIO {
		t.Errorf("Get = %d, %v", n, err)
	}
	vp.Interlock.Enter(k.l)
	if err := o.Pager.Put(k.l, o, 4096, 8192, 9); err != kern.ENXIO {
		t.Errorf("Put = %v", err)
	}
	if got, want := fmt.Sprint(calls), "[get 4096 3 2 1 1 5 0x82 put 4096 8192 0x9]"; got != want {
		t.Errorf("calls %s, want %s", got, want)
	}
	k.fs.ops.Putpages = toyPutpages
	vp.Rele(k.l)
}

// What FindPages finds depends on its flags and the pages' state.
func TestFindPages(t *testing.T) {
	const (
		idle  = 0
		clean = uvm.PG_CLEAN
		busy  = uvm.PG_BUSY
		ronly = uvm.PG_RDONLY | uvm.PG_CLEAN
	)
	for _, c := range []struct {
		name  string
		state []uint32 // of the pages there are
		n     int      // pages asked for
		flags int
		count int
		found string // x found, . not
	}{
		{"all", []uint32{idle, clean}, 2, UFP_ALL, 2, "xx"},
		{"allocate", []uint32{idle}, 3, UFP_ALL, 3, "xxx"},
		{"no allocation", []uint32{idle}, 3, UFP_NOALLOC, 3, "x.."},
		{"busy", []uint32{idle, busy, idle}, 3, UFP_NOWAIT, 3, "x.x"},
		{"only new", []uint32{idle, idle}, 4, UFP_NOCACHE, 4, "..xx"},
		{"read-only", []uint32{ronly, clean}, 2, UFP_NORDONLY, 2, ".x"},
		{"dirty", []uint32{idle, idle, clean, idle}, 4, UFP_NOWAIT | UFP_NOALLOC | UFP_DIRTYONLY, 2, "xx.."},
		{"dirty backward", []uint32{idle, clean, idle, idle}, 4, UFP_NOWAIT | UFP_NOALLOC | UFP_DIRTYONLY | UFP_BACKWARD, 2, "..xx"},
		{"dirty up to a gap", []uint32{idle}, 3, UFP_NOWAIT | UFP_NOALLOC | UFP_DIRTYONLY, 1, "x.."},
		{"backward", []uint32{idle, idle, idle}, 3, UFP_BACKWARD, 3, "xxx"},
	} {
		k := newStory(t)
		vp := k.find(1)
		k.fs.ops.Putpages = toyPutpages
		there := k.newPages(vp, 0, len(c.state), 0)
		for i, f := range c.state {
			there[i].Flags = f
		}
		pgs := make([]*uvm.Page, c.n)
		off := int64(0)
		if c.flags&UFP_BACKWARD != 0 {
			off = int64(c.n-1) * pageSize
		}
		vp.Interlock.Enter(k.l)
		count, found := vp.FindPages(k.l, off, pgs, c.flags)
		vp.Interlock.Exit(k.l)
		got := ""
		for i, pg := range pgs {
			switch {
			case pg == nil:
				got += "."
			case pg.Offset != int64(i)*pageSize || pg.Flags&uvm.PG_BUSY == 0:
				t.Errorf("%s: page %d is %+v", c.name, i, pg)
			default:
				got += "x"
			}
			if pg != nil && c.flags&UFP_DIRTYONLY != 0 && pg.Flags&uvm.PG_CLEAN == 0 {
				t.Errorf("%s: page %d is still dirty", c.name, i)
			}
		}
		if count != c.count || got != c.found || found != bytes.Count([]byte(got), []byte("x")) {
			t.Errorf("%s: count %d found %d %s, want %d %s", c.name, count, found, got, c.count, c.found)
		}
		k.freePages(vp)
		vp.Rele(k.l)
	}
}

// Entries that are filled already are passed over.
func TestFindPagesKeeps(t *testing.T) {
	k := newStory(t)
	vp := k.find(1)
	pgs := []*uvm.Page{nil, uvm.PGO_DONTCARE}
	vp.Interlock.Enter(k.l)
	count, found := vp.FindPages(k.l, 0, pgs, UFP_ALL)
	vp.Interlock.Exit(k.l)
	if count != 2 || found != 1 || pgs[1] != uvm.PGO_DONTCARE || vp.NPages() != 1 {
		t.Errorf("count %d found %d pages %v", count, found, pgs)
	}
	k.freePages(vp)
	vp.Rele(k.l)
}

// Shrinking frees whole pages behind the new end, growing frees none.
func TestSetSize(t *testing.T) {
	k := newStory(t)
	var freed []int64
	k.fs.ops.Putpages = func(l *kern.Lwp, vp *Vnode, lo, hi int64, flags int) error {
		if hi != 0 || flags != uvm.PGO_FREE|uvm.PGO_SYNCIO {
			t.Errorf("putpages %d to %d flags %#x", lo, hi, flags)
		}
		freed = append(freed, lo)
		vp.Interlock.Exit(l)
		return nil
	}
	vp := k.find(1)
	for _, c := range []struct {
		size int64
		free string
	}{
		{10 * pageSize, "[]"},
		{9*pageSize + 1, "[]"}, // in the last page
		{9 * pageSize, "[36864]"},
		{5*pageSize - 1, "[20480]"},
		{5 * pageSize, "[]"},
		{0, "[0]"},
	} {
		freed = nil
		vp.SetSize(k.l, c.size)
		if vp.Size != c.size || vp.WriteSize != c.size {
			t.Errorf("size %d and %d, want %d", vp.Size, vp.WriteSize, c.size)
		}
		if got := fmt.Sprint(freed); got != c.free {
			t.Errorf("to size %d: freed from %s, want %s", c.size, got, c.free)
		}
	}
	vp.SetWriteSize(k.l, 100)
	if vp.Size != 0 || vp.WriteSize != 100 {
		t.Errorf("size %d and %d, want 0 and 100", vp.Size, vp.WriteSize)
	}
	for name, f := range map[string]func(){
		"neither the write size nor a shrink": func() { vp.SetSize(k.l, 50) },
		"below the size":                      func() { vp.SetWriteSize(k.l, -2) },
		"no size":                             func() { vp.SetWriteSize(k.l, VSIZENOTSET) },
	} {
		func() {
			defer func() {
				if _, ok := recover().(*kern.Panic); !ok {
					t.Errorf("%s: no kernel panic", name)
				}
				vp.Interlock.Exit(k.l)
			}()
			f()
		}()
	}
	vp.SetSize(k.l, 100)
	k.fs.ops.Putpages = toyPutpages
	vp.Rele(k.l)
}

func TestZeroRange(t *testing.T) {
	k := newStory(t)
	vp := k.find(1)
	vp.SetSize(k.l, 2*pageSize)
	k.newPages(vp, 0, 2, uvm.PG_CLEAN)
	k.fs.ops.Getpages = func(l *kern.Lwp, vp *Vnode, off int64, m []*uvm.Page, n, _, _, _, _ int) (int, error) {
		vp.FindPages(l, off, m[:n], UFP_ALL)
		vp.Interlock.Exit(l)
		return n, nil
	}
	vp.ZeroRange(k.l, pageSize-10, 20)
	vp.Interlock.Enter(k.l)
	first, second := vp.PageLookup(k.l, 0), vp.PageLookup(k.l, pageSize)
	if first.Data[pageSize-11] != 1 || first.Data[pageSize-10] != 0 || second.Data[9] != 0 || second.Data[10] != 2 {
		t.Error("not the right range is zero")
	}
	if (first.Flags|second.Flags)&uvm.PG_CLEAN != 0 {
		t.Error("the pages are not dirty")
	}
	vp.Interlock.Exit(k.l)
	k.freePages(vp)
	vp.Rele(k.l)
}

// A window shows its pages, be they one piece of memory or not, and what is
// read through it reaches them.
func TestMapin(t *testing.T) {
	k := newStory(t)
	vp := k.find(1)
	pgs := k.newPages(vp, 0, 6, uvm.PG_BUSY)
	shuffled := []*uvm.Page{pgs[5], pgs[0], pgs[3]}
	for _, c := range []struct {
		name string
		pgs  []*uvm.Page
		read bool
	}{
		{"one page", pgs[:1], true},
		{"pages in a row", pgs, true},
		{"pages anywhere", shuffled, true},
		{"written from pages anywhere", shuffled, false},
	} {
		bp := GetIOBuf(k.l, vp)
		if c.read {
			bp.Flags = B_READ
		}
		bp.Mapin(c.pgs)
		if len(bp.Data) != len(c.pgs)*pageSize || bp.Bufsize != len(bp.Data) {
			t.Fatalf("%s: window of %d bytes, bufsize %d", c.name, len(bp.Data), bp.Bufsize)
		}
		for i, pg := range c.pgs {
			if !bytes.Equal(bp.Data[i*pageSize:(i+1)*pageSize], pg.Data) {
				t.Errorf("%s: page %d does not show", c.name, i)
			}
		}
		last := len(c.pgs) - 1
		old := c.pgs[last].Data[1]
		if c.read {
			bp.Data[last*pageSize] = 'r'
		}
		bp.Mapout()
		if got := c.pgs[last].Data; c.read && (got[0] != 'r' || got[1] != old) {
			t.Errorf("%s: page holds %d %d after the read", c.name, got[0], got[1])
		}
		PutIOBuf(k.l, bp)
	}
	vp.Interlock.Enter(k.l)
	uvm.PageUnbusy(k.l, pgs)
	vp.Interlock.Exit(k.l)
	k.freePages(vp)
	vp.Rele(k.l)
}

// When an asynchronous transfer is over its pages are idle, and those to be
// released gone.
func TestAioBiodone(t *testing.T) {
	k := newStory(t)
	vp := k.find(1)
	pgs := k.newPages(vp, 0, 3, uvm.PG_BUSY|uvm.PG_CLEAN)
	pgs[1].Flags |= uvm.PG_RELEASED
	pgs[2].Flags |= uvm.PG_PAGEOUT
	k.sys.UVM.PageoutStart(k.l, 1)
	vp.Startoutput(k.l, 2)
	bp := GetIOBuf(k.l, vp)
	bp.Mapin(pgs)
	bp.Flags, bp.Cflags = B_WRITE|B_ASYNC, BC_BUSY|BC_AGE
	bp.Iodone = AioBiodone
	Biodone(k.l, bp)
	if vp.NPages() != 1 || pgs[0].Flags != uvm.PG_CLEAN {
		t.Errorf("%d pages, the first with flags %#x", vp.NPages(), pgs[0].Flags)
	}
	if n := k.numoutput(vp); n != 0 {
		t.Errorf("%d writes in progress", n)
	}
	k.freePages(vp)
	vp.Rele(k.l)
}

// A vnode is in one queue of the worklist, the one that is due when it was
// asked for last.
func TestWorklist(t *testing.T) {
	k := newStory(t)
	s := &k.sys.syncer
	a, b, c := k.find(1), k.find(2), k.find(3)
	queue := func(n int) (vps []*Vnode) {
		for vp := s.pending[n].first; vp != nil; vp = vp.syncNext {
			vps = append(vps, vp)
		}
		return vps
	}
	check := func(n int, want ...*Vnode) {
		t.Helper()
		if got := queue(n); fmt.Sprint(got) != fmt.Sprint(want) {
			t.Errorf("queue %d holds %d vnodes, want %d", n, len(got), len(want))
		}
	}
	add := func(vp *Vnode, delay int) {
		vp.Interlock.Enter(k.l)
		vp.SyncerAddToWorklist(k.l, delay)
		vp.Interlock.Exit(k.l)
	}
	remove := func(vp *Vnode) {
		vp.Interlock.Enter(k.l)
		vp.SyncerRemoveFromWorklist(k.l)
		vp.Interlock.Exit(k.l)
	}
	remove(a) // is not there, which is fine
	add(a, 5)
	add(b, 5)
	add(c, 5)
	check(5, a, b, c)
	add(b, 1000)
	check(5, a, c)
	check(SYNCER_MAXDELAY-2, b)
	add(a, 5)
	check(5, c, a)
	remove(c)
	remove(a)
	remove(b)
	check(5)
	for _, vp := range []*Vnode{a, b, c} {
		if vp.Iflag()&VI_ONWORKLST != 0 {
			t.Error("removed, and still on the worklist")
		}
		vp.Rele(k.l)
	}
	s.delayno = syncerLast - 1
	d := k.find(4)
	add(d, 2)
	check(1, d)
	remove(d)
	d.Rele(k.l)
}

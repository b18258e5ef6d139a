package uvm

import (
	"strings"
	"testing"

	"rumpvfs/hypercall"
	"rumpvfs/kern"
)

var testLockClass = hypercall.LockClass{Name: "v_interlock", Rank: 700}

// machine is a kernel's memory with an lwp to use it.
type machine struct {
	*System
	k *kern.Kernel
	l *kern.Lwp
}

func boot(t testing.TB, mode hypercall.Mode, c Config) machine {
	t.Helper()
	sys := hypercall.NewSystem(hypercall.Config{Mode: mode, Seed: 1})
	k := kern.NewKernel(sys, kern.Rev1125)
	m := machine{System: NewSystem(k, c), k: k, l: kern.NewLwp(k, nil, "test")}
	m.Kproc = kern.NewProc(k, kern.RootCred())
	t.Cleanup(func() {
		if !t.Failed() && sys.Stopped() == nil {
			if left := sys.Shutdown(); len(left) != 0 {
				t.Errorf("threads left: %v", left)
			}
		}
	})
	return m
}

// memFile is a pager whose backing store is memory, and a plain rendering of
// what genfs does with pages.
type memFile struct {
	Object
	data   []byte // the backing store
	size   int64  // logical size; with PGO_PASTEOF pages behind it may be had
	gets   []get  // what Get was asked for
	puts   int
	getErr error
	putErr error
}

type get struct {
	off             int64
	npages          int
	access, advice  int
	flags           int
	interlockLocked bool
}

func newFile(m machine, text string) *memFile {
	f := &memFile{data: []byte(text), size: int64(len(text))}
	f.Init(m.System, f, &testLockClass)
	return f
}

func (f *memFile) Reference(*kern.Lwp, *Object) { f.Refs.Add(1) }
func (f *memFile) Detach(*kern.Lwp, *Object)    { f.Refs.Add(-1) }

func (f *memFile) Get(l *kern.Lwp, o *Object, off int64, pgs []*Page, npages, centeridx, access, advice, flags int) (int, error) {
	defer o.Interlock.Exit(l)
	f.gets = append(f.gets, get{off, npages, access, advice, flags, o.Interlock.Owned(l)})
	memeof := kern.RoundPage(f.size)
	if flags&PGO_PASTEOF != 0 {
		memeof = max(memeof, off+int64(npages)*PAGE_SIZE)
	}
	if f.getErr != nil {
		return npages, f.getErr
	}
	if off >= memeof {
		return npages, kern.EINVAL
	}
	for i := range min(npages, int((memeof-off)>>PAGE_SHIFT)) {
		if pgs[i] != PGO_DONTCARE {
			pgs[i] = f.getPage(l, off+int64(i)*PAGE_SIZE, flags)
		}
	}
	return npages, nil
}

// getPage returns the page at off busy, and valid unless it is to be overwritten.
func (f *memFile) getPage(l *kern.Lwp, off int64, flags int) *Page {
	for {
		pg := f.PageLookup(l, off)
		switch {
		case pg == nil:
			if pg = f.PageAlloc(l, off, 0); pg == nil {
				f.Interlock.Exit(l)
				f.System().Wait(l, "test")
				f.Interlock.Enter(l)
				continue
			}
			if flags&PGO_OVERWRITE == 0 {
				if off < int64(len(f.data)) {
					copy(pg.Data, f.data[off:])
				}
				pg.Flags &^= PG_FAKE
			}
		case pg.Flags&PG_BUSY != 0:
			pg.Wait(l, "getpage")
			f.Interlock.Enter(l)
			continue
		}
		pg.Flags |= PG_BUSY
		return pg
	}
}

func (f *memFile) Put(l *kern.Lwp, o *Object, lo, hi int64, flags int) error {
	defer o.Interlock.Exit(l)
	f.puts++
	if f.putErr != nil {
		return f.putErr
	}
	for it := o.Pages(lo, hi); ; {
		pg := it.Next()
		if pg == nil {
			return nil
		}
		if pg.Flags&PG_CLEAN == 0 && flags&PGO_CLEANIT != 0 {
			if need := pg.Offset + PAGE_SIZE; int64(len(f.data)) < need {
				f.data = append(f.data, make([]byte, need-int64(len(f.data)))...)
			}
			copy(f.data[pg.Offset:], pg.Data)
			pg.Flags |= PG_CLEAN
		}
		if flags&PGO_FREE != 0 {
			o.PageFree(l, pg)
		}
	}
}

// dispose frees the pages of f and ends it.
func (f *memFile) dispose(l *kern.Lwp) {
	f.Interlock.Enter(l)
	_ = f.Put(l, &f.Object, 0, 0, PGO_FREE)
	f.Destroy(l)
}

// mustPanic runs f, which has to be stopped by a kernel panic that mentions what.
func mustPanic(t *testing.T, what string, f func()) {
	t.Helper()
	defer func() {
		t.Helper()
		p, _ := recover().(*kern.Panic)
		if p == nil || !strings.Contains(p.Error(), what) {
			t.Errorf("panic is %v, want one about %q", p, what)
		}
	}()
	f()
}

// events keeps the texts of the events that it is given.
type events []string

func (e *events) Event(_ *kern.Lwp, ev *kern.Event) { *e = append(*e, ev.Name+" "+ev.Text) }

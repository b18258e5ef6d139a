package uvm

import (
	"fmt"
	"math"
	"slices"
	"testing"

	"pgregory.net/rapid"
)

// TestPageIndexModel compares the index with a sorted slice, for any sequence
// of operations.
func TestPageIndexModel(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		var x pageIndex
		model := map[int64]*Page{}
		offsets := rapid.OneOf(
			rapid.Int64Range(0, 3*chunkPages),             // crowded
			rapid.Int64Range(0, 40*treeDegree*chunkPages), // spread
			rapid.Just(int64(math.MaxInt64>>PAGE_SHIFT)),
		)
		draw := func(t *rapid.T) int64 { return offsets.Draw(t, "page") << PAGE_SHIFT }
		t.Repeat(map[string]func(*rapid.T){
			"put": func(t *rapid.T) {
				pg := &Page{Offset: draw(t)}
				old := model[pg.Offset]
				if x.put(pg) != (old == nil) {
					t.Fatalf("put at %#x does not agree that there was %v", pg.Offset, old)
				}
				if old == nil {
					model[pg.Offset] = pg
				}
			},
			"fill": func(t *rapid.T) { // many chunks, so that the tree gets inner nodes
				first := draw(t) >> PAGE_SHIFT &^ chunkMask
				for n := first; n < first+100*chunkPages && n <= math.MaxInt64>>PAGE_SHIFT; n += chunkPages {
					pg := &Page{Offset: n << PAGE_SHIFT}
					if x.put(pg) {
						model[pg.Offset] = pg
					}
				}
			},
			"remove": func(t *rapid.T) {
				off := draw(t)
				pg := model[off]
				if pg == nil {
					pg = &Page{Offset: off}
				}
				if x.remove(pg) != (model[off] == pg) {
					t.Fatalf("remove at %#x", off)
				}
				delete(model, off)
			},
			"remove another": func(t *rapid.T) {
				if x.remove(&Page{Offset: draw(t)}) {
					t.Fatal("removed a page that was never put")
				}
			},
			"get": func(t *rapid.T) {
				if off := draw(t); x.get(off) != model[off] {
					t.Fatalf("get %#x", off)
				}
			},
			"": func(t *rapid.T) {
				off := draw(t) + rapid.Int64Range(0, PAGE_MASK).Draw(t, "byte")
				want := int64(-1)
				for o := range model {
					if o >= off && (want < 0 || o < want) {
						want = o
					}
				}
				switch pg := x.ceil(off); {
				case pg == nil && want >= 0:
					t.Fatalf("ceil %#x is nil, want %#x", off, want)
				case pg != nil && (pg.Offset != want || pg != model[want]):
					t.Fatalf("ceil %#x is %#x, want %#x", off, pg.Offset, want)
				}
				if (x.last == nil && x.tree == nil) != (len(model) == 0) {
					t.Fatal("an index without pages holds memory, or the other way round")
				}
			},
		})
	})
}

func TestPageIter(t *testing.T) {
	m := boot(t, 0, Config{})
	l := m.l
	f := newFile(m, "")
	f.Interlock.Enter(l)
	page := func(n int64) *Page {
		pg := f.PageAlloc(l, n*PAGE_SIZE, 0)
		pg.Flags &^= PG_BUSY
		return pg
	}
	for _, n := range []int64{900, 3, 64, 5, 0, 70000} {
		page(n)
	}
	walk := func(lo, hi int64, visit func(it *PageIter, n int64)) (seen []int64) {
		it := f.Pages(lo, hi)
		for pg := it.Next(); pg != nil; pg = it.Next() {
			n := pg.Offset / PAGE_SIZE
			seen = append(seen, n)
			if visit != nil {
				visit(&it, n)
			}
		}
		if it.Next() != nil {
			t.Error("a walk goes on after its end")
		}
		return seen
	}
	check := func(what string, got []int64, want ...int64) {
		t.Helper()
		if !slices.Equal(got, want) {
			t.Errorf("%s: %v, want %v", what, got, want)
		}
	}
	check("all", walk(0, 0, nil), 0, 3, 5, 64, 900, 70000)
	check("to the highest offset", walk(0, math.MaxInt64&^PAGE_MASK, nil), 0, 3, 5, 64, 900, 70000)
	check("a range", walk(3*PAGE_SIZE, 64*PAGE_SIZE, nil), 3, 5)
	check("nothing in it", walk(6*PAGE_SIZE, 64*PAGE_SIZE, nil))
	check("nothing behind", walk(70001*PAGE_SIZE, 0, nil))
	check("pages that come are passed over, pages that go are not seen",
		walk(0, 0, func(_ *PageIter, n int64) {
			if n == 3 {
				page(4)
				page(100000)
				f.PageFree(l, f.PageLookup(l, 64*PAGE_SIZE))
				f.PageFree(l, f.PageLookup(l, 3*PAGE_SIZE))
			}
		}), 0, 3, 5, 900, 70000)
	again := 2
	check("a page looked at again, then a jump",
		walk(0, 0, func(it *PageIter, n int64) {
			if n == 4 && again > 0 {
				again--
				it.From(4 * PAGE_SIZE)
			}
			if n == 5 {
				it.From(901 * PAGE_SIZE)
			}
		}), 0, 4, 4, 4, 5, 70000, 100000)
	if n := testing.AllocsPerRun(10, func() {
		it := f.Pages(0, 0)
		for it.Next() != nil {
		}
	}); n != 0 {
		t.Errorf("a walk allocates %v times", n)
	}
	f.Interlock.Exit(l)
	f.dispose(l)
}

func BenchmarkPageIndex(b *testing.B) {
	for _, n := range []int{1, 16, 256, 4096, 262144} {
		var x pageIndex
		for i := range n {
			x.put(&Page{Offset: int64(i) << PAGE_SHIFT})
		}
		b.Run(fmt.Sprint("sequential/", n), func(b *testing.B) {
			b.ReportAllocs()
			i := 0
			for b.Loop() {
				if x.get(int64(i)<<PAGE_SHIFT) == nil {
					b.Fatal("lost")
				}
				if i++; i == n {
					i = 0
				}
			}
		})
		b.Run(fmt.Sprint("random/", n), func(b *testing.B) {
			b.ReportAllocs()
			s := uint32(1)
			for b.Loop() {
				s ^= s << 13
				s ^= s >> 17
				s ^= s << 5
				if x.get(int64(s%uint32(n))<<PAGE_SHIFT) == nil {
					b.Fatal("lost")
				}
			}
		})
	}
}

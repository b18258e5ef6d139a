package uvm

import (
	"math/bits"

	"github.com/google/btree"
)

const (
	chunkShift = 6 // a chunk is 64 pages, 256 KiB
	chunkPages = 1 << chunkShift
	chunkMask  = chunkPages - 1
	treeDegree = 32
)

// pageChunk holds the pages of one aligned range of an object. There is none
// without pages.
type pageChunk struct {
	n    int64  // number of the chunk: offset / (chunkPages * PAGE_SIZE)
	live uint64 // bit i: pages[i] is set
	page [chunkPages]*Page
}

// chunkRef is an element of the tree. The key is a copy of the chunk's
// number: the tree is lost if a key in it changes.
type chunkRef struct {
	n int64
	c *pageChunk
}

func chunkLess(a, b chunkRef) bool { return a.n < b.n }

// pageIndex finds pages by their offset. Most files fit into one chunk, so
// the tree exists only once a second one does. All methods are O(log n), and
// O(1) near the last chunk used.
type pageIndex struct {
	last *pageChunk              // the last chunk used; without tree the only one
	tree *btree.BTreeG[chunkRef] // all chunks, if there are two or more
}

func chunkOf(off int64) (n int64, slot uint) {
	pno := off >> PAGE_SHIFT
	return pno >> chunkShift, uint(pno & chunkMask)
}

// chunk returns chunk number n, or nil.
func (x *pageIndex) chunk(n int64) *pageChunk {
	if c := x.last; c != nil && c.n == n {
		return c
	}
	if x.tree == nil {
		return nil
	}
	ref, ok := x.tree.Get(chunkRef{n: n})
	if !ok {
		return nil
	}
	x.last = ref.c
	return ref.c
}

// get returns the page at off, or nil.
func (x *pageIndex) get(off int64) *Page {
	n, slot := chunkOf(off)
	c := x.chunk(n)
	if c == nil {
		return nil
	}
	return c.page[slot]
}

// ceil returns the first page at off or above, or nil.
func (x *pageIndex) ceil(off int64) *Page {
	if rem := off & PAGE_MASK; rem != 0 {
		if off += PAGE_SIZE - rem; off < 0 {
			return nil
		}
	}
	n, slot := chunkOf(off)
	if c := x.chunk(n); c != nil {
		if live := c.live >> slot << slot; live != 0 {
			return c.page[bits.TrailingZeros64(live)]
		}
	}
	c := x.chunkAfter(n)
	if c == nil {
		return nil
	}
	return c.page[bits.TrailingZeros64(c.live)]
}

// chunkAfter returns the first chunk with a number above n, or nil.
func (x *pageIndex) chunkAfter(n int64) *pageChunk {
	if x.tree == nil {
		if x.last != nil && x.last.n > n {
			return x.last
		}
		return nil
	}
	var found *pageChunk
	x.tree.AscendGreaterOrEqual(chunkRef{n: n + 1}, func(ref chunkRef) bool {
		found = ref.c
		return false
	})
	if found != nil {
		x.last = found
	}
	return found
}

// put adds pg and reports whether its place was free.
func (x *pageIndex) put(pg *Page) bool {
	n, slot := chunkOf(pg.Offset)
	c := x.chunk(n)
	if c == nil {
		c = x.add(n)
	}
	if c.page[slot] != nil {
		return false
	}
	c.page[slot] = pg
	c.live |= 1 << slot
	return true
}

// add makes chunk number n.
func (x *pageIndex) add(n int64) *pageChunk {
	c := &pageChunk{n: n}
	if x.tree == nil && x.last != nil {
		x.tree = btree.NewG(treeDegree, chunkLess)
		x.tree.ReplaceOrInsert(chunkRef{x.last.n, x.last})
	}
	if x.tree != nil {
		x.tree.ReplaceOrInsert(chunkRef{n, c})
	}
	x.last = c
	return c
}

// remove takes the page at off out and reports whether it was pg.
func (x *pageIndex) remove(pg *Page) bool {
	n, slot := chunkOf(pg.Offset)
	c := x.chunk(n)
	if c == nil || c.page[slot] != pg {
		return false
	}
	c.page[slot] = nil
	c.live &^= 1 << slot
	if c.live == 0 {
		x.drop(c)
	}
	return true
}

// drop removes the empty chunk c.
func (x *pageIndex) drop(c *pageChunk) {
	x.last = nil
	if x.tree == nil {
		return
	}
	x.tree.Delete(chunkRef{n: c.n})
	if x.tree.Len() == 1 {
		ref, _ := x.tree.Min()
		x.last, x.tree = ref.c, nil
	}
}

package uvm

import "rumpvfs/kern"

// pgTransient are the flags that a page has only while somebody works with
// it.
const pgTransient = PG_BUSY | PG_WANTED | PG_PAGEOUT | PG_RELEASED | PG_FAKE

// Check verifies the pages of o: that they are o's, idle, below size (the end
// of what o backs, in bytes) and as many as o says. of is what o belongs to.
//
// Preconditions: the Interlock is held.
func (o *Object) Check(c *kern.Checkup, of kern.Stater, size int64) {
	n := 0
	end := kern.RoundPage(size)
	it := o.Pages(0, 0)
	for pg := it.Next(); pg != nil; pg = it.Next() {
		n++
		switch {
		case pg.Object != o:
			c.Brokenf(of, "page at %#x belongs to another object", pg.Offset)
		case o.index.get(pg.Offset) != pg:
			c.Brokenf(of, "page at %#x is in another's place", pg.Offset)
		case pg.Offset >= end:
			c.Brokenf(of, "page at %#x lies beyond the end, %#x", pg.Offset, end)
		case pg.Flags&pgTransient != 0:
			c.Brokenf(of, "page at %#x is not idle, flags %#x", pg.Offset, pg.Flags)
		}
	}
	if n != o.npages {
		c.Brokenf(of, "npages %d, but it has %d pages", o.npages, n)
	}
	c.Add(&o.sys.tally, n)
}

// Check verifies the queues of pages and the account of memory, after all
// objects were checked.
func (s *System) Check(c *kern.Checkup) {
	const name = "page queues"
	s.pageqlock.Enter(c.L)
	defer s.pageqlock.Exit(c.L)
	if n := c.Counted(&s.tally); int64(n) != s.inObject.Load() {
		c.Brokenf(name, "%d pages in objects, but %d were found", s.inObject.Load(), n)
	}
	if n := s.lru.check(c, name, true); s.limited && int64(n) != s.inObject.Load() {
		c.Brokenf(name, "%d pages in objects, but %d in the page queue", s.inObject.Load(), n)
	}
	if n := s.free.check(c, name, false); n != s.nfree {
		c.Brokenf(name, "%d free pages, but %d on the free list", s.nfree, n)
	}
	if used := s.physmem.Load(); s.limited && used < (s.inObject.Load()+int64(s.nfree))*PAGE_SIZE {
		c.Brokenf(name, "%d bytes of memory in use are less than the pages", used)
	}
}

// check verifies a queue of pages that are in objects, or of those that are
// not, and returns their number.
func (q *pageQueue) check(c *kern.Checkup, name string, inObject bool) (n int) {
	var prev *Page
	for pg := q.head; pg != nil; pg = pg.next {
		n++
		if pg.prev != prev {
			c.Brokenf(name, "the queue is broken before %s", pg.KernelState())
			return n
		}
		if (pg.Object != nil) != inObject || inObject && pg.Object.index.get(pg.Offset) != pg {
			c.Brokenf(name, "a page is in the wrong queue: %s", pg.KernelState())
		}
		prev = pg
	}
	if q.tail != prev {
		c.Brokenf(name, "the queue does not end with its tail")
	}
	return n
}

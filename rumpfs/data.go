package rumpfs

import (
	"bytes"
	"slices"

	"rumpvfs/kern"
)

// fileData is what a regular file holds below the page cache: the buffer that the reference allocates in one piece, here
// in pages, of which those with nothing but zeros are absent. Growing costs nothing.
//
// It knows no locks and no memory account; the node that it belongs to does.
type fileData struct {
	len    uint64       // bytes, present or not
	chunks []*dataChunk // in ascending order of index
	hint   int          // the chunk found last
}

// pagesPerChunk balances what a small file costs against the number of chunks of a large one.
const pagesPerChunk = 64

type (
	dataPage  = [kern.PAGE_SIZE]byte
	dataChunk struct {
		index uint64 // of its first page, divided by pagesPerChunk
		used  int    // pages present
		pages [pagesPerChunk]*dataPage
	}
)

//policy:static only compared with
var zeroPage dataPage

// findChunk returns where the chunk of an index is, or where it would stand.
func (d *fileData) findChunk(index uint64) (int, bool) {
	for i := d.hint; i < d.hint+2 && i < len(d.chunks); i++ {
		if d.chunks[i].index == index {
			d.hint = i
			return i, true
		}
	}
	i, ok := slices.BinarySearchFunc(d.chunks, index, func(c *dataChunk, index uint64) int {
		switch {
		case c.index < index:
			return -1
		case c.index > index:
			return 1
		}
		return 0
	})
	if ok {
		d.hint = i
	}
	return i, ok
}

// page returns the page of a number, or nil for one of zeros.
func (d *fileData) page(number uint64) *dataPage {
	if i, ok := d.findChunk(number / pagesPerChunk); ok {
		return d.chunks[i].pages[number%pagesPerChunk]
	}
	return nil
}

// makePage returns the page of a number, made if it is absent.
func (d *fileData) makePage(number uint64) *dataPage {
	i, ok := d.findChunk(number / pagesPerChunk)
	if !ok {
		d.chunks = slices.Insert(d.chunks, i, &dataChunk{index: number / pagesPerChunk})
	}
	c := d.chunks[i]
	p := c.pages[number%pagesPerChunk]
	if p == nil {
		p = new(dataPage)
		c.pages[number%pagesPerChunk] = p
		c.used++
	}
	return p
}

// readAt copies the data from off on to b. All of it must lie below len.
func (d *fileData) readAt(b []byte, off uint64) {
	for len(b) > 0 {
		in := off % kern.PAGE_SIZE
		n := min(len(b), int(kern.PAGE_SIZE-in))
		if p := d.page(off / kern.PAGE_SIZE); p != nil {
			copy(b[:n], p[in:])
		} else {
			clear(b[:n])
		}
		b, off = b[n:], off+uint64(n)
	}
}

// writeAt copies b to the data from off on. All of it must lie below len.
func (d *fileData) writeAt(b []byte, off uint64) {
	for len(b) > 0 {
		in := off % kern.PAGE_SIZE
		n := min(len(b), int(kern.PAGE_SIZE-in))
		p := d.page(off / kern.PAGE_SIZE)
		if p == nil && !bytes.Equal(b[:n], zeroPage[:n]) {
			p = d.makePage(off / kern.PAGE_SIZE)
		}
		if p != nil {
			copy(p[in:], b[:n])
		}
		b, off = b[n:], off+uint64(n)
	}
}

// resize makes the data n bytes long: what is cut off is freed, what is added is zeros.
func (d *fileData) resize(n uint64) {
	shrinks := n < d.len
	d.len = n
	if !shrinks {
		return
	}
	last := (n + kern.PAGE_SIZE - 1) / kern.PAGE_SIZE // first page that goes
	if in := n % kern.PAGE_SIZE; in != 0 {
		if p := d.page(last - 1); p != nil {
			clear(p[in:])
		}
	}
	i, ok := d.findChunk(last / pagesPerChunk)
	if ok && last%pagesPerChunk != 0 {
		d.chunks[i].free(last % pagesPerChunk)
		if d.chunks[i].used > 0 {
			i++
		}
	}
	d.chunks = slices.Delete(d.chunks, i, len(d.chunks))
	d.hint = 0
}

// free frees the pages from the one numbered first in the chunk on.
func (c *dataChunk) free(first uint64) {
	for i := first; i < pagesPerChunk; i++ {
		if c.pages[i] != nil {
			c.pages[i] = nil
			c.used--
		}
	}
}

package model

import (
	"rumpvfs/kern"
)

// A page is as much of a file as the kernel keeps in one piece.
type page [kern.PAGE_SIZE]byte

// nearPages is how many pages of a file are in an array.
const nearPages = 8

// data is what a regular file holds: pages by number, of which those that were never written to are absent, and zeros.
//
// Where the file ends within a page, the page goes on. Whether one can see what is there is up to the quirks.
type data struct {
	near [nearPages]*page
	far  map[int64]*page
}

func (d *data) page(i int64) *page {
	if i < nearPages {
		return d.near[i]
	}
	return d.far[i]
}

// pageFor is the page of a number, made if it is absent.
func (m *Model) pageFor(d *data, i int64) *page {
	if pg := d.page(i); pg != nil {
		return pg
	}
	var pg *page
	if k := len(m.spare); k > 0 {
		pg = m.spare[k-1]
		m.spare = m.spare[:k-1]
	} else {
		pg = m.pages.get()
	}
	*pg = page{}
	if i < nearPages {
		d.near[i] = pg
		return pg
	}
	if d.far == nil {
		d.far = map[int64]*page{}
	}
	d.far[i] = pg
	return pg
}

// writeAt puts data into a file.
func (m *Model) writeAt(n *node, off int64, s string) {
	for len(s) > 0 {
		in := off % kern.PAGE_SIZE
		k := copy(m.pageFor(&n.data, off/kern.PAGE_SIZE)[in:], s)
		s, off = s[k:], off+int64(k)
	}
}

// appendAt appends k bytes of a file to b.
func (m *Model) appendAt(b []byte, n *node, off, k int64) []byte {
	for k > 0 {
		in := off % kern.PAGE_SIZE
		take := min(k, kern.PAGE_SIZE-in)
		pg := n.data.page(off / kern.PAGE_SIZE)
		if pg == nil {
			pg = &m.zeros
		}
		b = append(b, pg[in:in+take]...)
		k, off = k-take, off+take
	}
	return b
}

// resize makes a file shorter or longer, if there is memory for that. What is cut off comes back as zeros when the file
// grows again; with quirk stale-tail only from the next page on.
func (m *Model) resize(n *node, size int64) bool {
	if m.isTmpfs() {
		return m.tmpResize(n, size)
	}
	if size > n.size {
		if m.bytes+(size-n.size) > m.limit || size > maxSize {
			return false
		}
	} else {
		m.cut(n, size)
	}
	m.bytes += size - n.size
	n.size = size
	return true
}

// maxSize is more than any file could hold.
const maxSize = 1<<63 - 1 - 2*kern.PAGE_SIZE

func (m *Model) cut(n *node, size int64) {
	d := &n.data
	first := (size + kern.PAGE_SIZE - 1) / kern.PAGE_SIZE // page that goes
	for i := first; i < nearPages; i++ {
		if d.near[i] != nil {
			m.spare = append(m.spare, d.near[i])
			d.near[i] = nil
		}
	}
	for i, pg := range d.far { //policy:unordered spare pages are alike, they are cleared before use
		if i >= first {
			m.spare = append(m.spare, pg)
			delete(d.far, i)
		}
	}
	if in := size % kern.PAGE_SIZE; in != 0 && !m.has(kern.QuirkStaleTail) {
		if pg := d.page(first - 1); pg != nil {
			clear(pg[in:])
		}
	}
}

package uvm

// Contiguous returns the memory of pgs, at least one page, as one piece, or
// nil if it is not in one piece. A single page always is.
//
// The C kernel copies the pages of an I/O into a window and, after a read,
// back. As long as the pages are busy that cannot be told from a window that
// is the memory of the pages itself: nobody else looks at them, and what the
// device leaves alone stays as it was. The free list hands out neighbours
// together so that most transfers need no copy.
func Contiguous(pgs []*Page) []byte {
	n := len(pgs) * PAGE_SIZE
	if cap(pgs[0].Data) < n {
		return nil
	}
	// The capacity of a page's memory ends where what was allocated with
	// it ends: this reaches into pages of the same allocation only, and
	// is given away only if they are pgs.
	mem := pgs[0].Data[:n]
	for i, pg := range pgs {
		if &mem[i*PAGE_SIZE] != &pg.Data[0] {
			return nil
		}
	}
	return mem[:n:n]
}

package uvm

import (
	"bytes"
	"testing"
)

// TestHandOn has kernels, one after the other, write all over their pages. Each finds them empty, and after the first nobody makes any.
func TestHandOn(t *testing.T) {
	var mem Memory
	made := map[*byte]bool{}
	for kernel := range 4 {
		m := boot(t, 0, Config{Memory: &mem})
		f := newFile(m, "")
		f.Interlock.Enter(m.l)
		for i := range int64(100) {
			pg := f.PageAlloc(m.l, i*PAGE_SIZE, 0)
			if bytes.Count(pg.Data, []byte{0}) != PAGE_SIZE {
				t.Fatalf("kernel %d: page %d is not zero", kernel, i)
			}
			for b := range pg.Data {
				pg.Data[b] = byte(kernel + 1)
			}
			first := &pg.Data[0]
			if kernel > 0 && !made[first] {
				t.Errorf("kernel %d: page %d is new", kernel, i)
			}
			made[first] = true
		}
		f.Interlock.Exit(m.l)
		m.HandOn()
	}
}

// TestHandOnFew: of a kernel that had much only a little is kept.
func TestHandOnFew(t *testing.T) {
	var mem Memory
	m := boot(t, 0, Config{Memory: &mem})
	f := newFile(m, "")
	f.Interlock.Enter(m.l)
	for i := range int64(2000) {
		f.PageAlloc(m.l, i*PAGE_SIZE, 0)
	}
	f.Interlock.Exit(m.l)
	m.HandOn()
	m.HandOn()
	pages := 0
	for _, pgs := range mem.spare {
		pages += len(pgs)
	}
	if len(mem.spare) != maxSpare || pages >= 3*maxSlab {
		t.Errorf("%d pages in %d slabs are kept", pages, len(mem.spare))
	}
}

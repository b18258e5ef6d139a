package rumpfs

import (
	"bytes"
	"math"
	"testing"

	"pgregory.net/rapid"

	"rumpvfs/kern"
)

// TestDataModel compares fileData with a byte slice.
func TestDataModel(t *testing.T) {
	const most = 3 * pagesPerChunk * kern.PAGE_SIZE
	rapid.Check(t, func(t *rapid.T) {
		var d fileData
		var model []byte
		span := func(t *rapid.T) (off, n int) {
			if len(model) == 0 {
				return 0, 0
			}
			off = rapid.IntRange(0, len(model)-1).Draw(t, "off")
			return off, rapid.IntRange(0, min(len(model)-off, 3*kern.PAGE_SIZE)).Draw(t, "n")
		}
		t.Repeat(map[string]func(*rapid.T){
			"resize": func(t *rapid.T) {
				n := rapid.IntRange(0, most).Draw(t, "len")
				d.resize(uint64(n))
				if n <= len(model) {
					model = model[:n:n]
				} else {
					model = append(model, make([]byte, n-len(model))...)
				}
			},
			"write": func(t *rapid.T) {
				off, n := span(t)
				b := bytes.Repeat([]byte{rapid.Byte().Draw(t, "byte")}, n)
				d.writeAt(b, uint64(off))
				copy(model[off:], b)
			},
			"read": func(t *rapid.T) {
				off, n := span(t)
				got := bytes.Repeat([]byte{0xaa}, n)
				d.readAt(got, uint64(off))
				if !bytes.Equal(got, model[off:off+n]) {
					t.Fatalf("%d bytes at %d differ", n, off)
				}
			},
			"": func(t *rapid.T) { d.check(t, len(model)) },
		})
		all := make([]byte, len(model))
		d.readAt(all, 0)
		if !bytes.Equal(all, model) {
			t.Fatalf("contents differ at the end")
		}
	})
}

// check verifies the length, the order of the chunks and the counts of pages.
func (d *fileData) check(t *rapid.T, n int) {
	if d.len != uint64(n) {
		t.Fatalf("len is %d, want %d", d.len, n)
	}
	for i, c := range d.chunks {
		if i > 0 && c.index <= d.chunks[i-1].index {
			t.Fatalf("chunk %d follows %d", c.index, d.chunks[i-1].index)
		}
		used := 0
		for j, p := range c.pages {
			if p == nil {
				continue
			}
			used++
			if first := (c.index*pagesPerChunk + uint64(j)) * kern.PAGE_SIZE; first >= d.len {
				t.Fatalf("page at %d of %d bytes", first, d.len)
			}
		}
		if used != c.used || used == 0 {
			t.Fatalf("chunk %d counts %d pages and has %d", c.index, c.used, used)
		}
	}
}

// pages counts the pages that are there.
func (d *fileData) pages() (n int) {
	for _, c := range d.chunks {
		n += c.used
	}
	return n
}

func TestDataIsSparse(t *testing.T) {
	var d fileData
	d.resize(math.MaxInt64)
	d.writeAt([]byte("end"), math.MaxInt64-3)
	d.writeAt(make([]byte, 10*kern.PAGE_SIZE), 1<<40)
	if n := d.pages(); n != 1 {
		t.Errorf("%d pages, want 1", n)
	}
	b := make([]byte, 4)
	d.readAt(b, math.MaxInt64-4)
	if string(b) != "\x00end" {
		t.Errorf("read %q", b)
	}
	d.resize(1)
	if len(d.chunks) != 0 {
		t.Errorf("%d pages in %d chunks after shrinking", d.pages(), len(d.chunks))
	}
}

func BenchmarkDataSequentialWrite(b *testing.B) {
	b.ReportAllocs()
	buf := bytes.Repeat([]byte{1}, 1<<16)
	b.SetBytes(16 << 20)
	for b.Loop() {
		var d fileData
		for off := uint64(0); off < 16<<20; off += 1 << 16 {
			d.resize(off + 1<<16)
			d.writeAt(buf, off)
		}
	}
}

func BenchmarkDataPageAccess(b *testing.B) {
	b.ReportAllocs()
	var d fileData
	d.resize(64 << 20)
	buf := bytes.Repeat([]byte{1}, kern.PAGE_SIZE)
	for off := uint64(0); off < 64<<20; off += kern.PAGE_SIZE {
		d.writeAt(buf, off)
	}
	i := uint64(0)
	for b.Loop() {
		d.readAt(buf[:8], i*7919%(64<<20-8))
		i++
	}
}

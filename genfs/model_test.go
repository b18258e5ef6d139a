package genfs_test

import (
	"bytes"
	"fmt"
	"testing"

	"pgregory.net/rapid"

	"rumpvfs/hypercall"
	"rumpvfs/kern"
	"rumpvfs/uvm"
)

const modelMax = 9 * page

// model is a file as its cache and its device see it, without kernel.
type model struct {
	size   int
	device []byte
	cache  map[int][]byte // by number of the page
	dirty  map[int]bool
}

func newModel(data []byte) *model {
	return &model{size: len(data), device: bytes.Clone(data), cache: map[int][]byte{}, dirty: map[int]bool{}}
}

// blocks is the size in whole blocks: what the device has of the file.
func (m *model) blocks() int { return (m.size + kern.DEV_BSIZE - 1) &^ (kern.DEV_BSIZE - 1) }

// page returns page i, read from the device if need be.
func (m *model) page(i int) []byte {
	if p := m.cache[i]; p != nil {
		return p
	}
	p := make([]byte, page)
	if lo, hi := i*page, min(m.blocks(), len(m.device)); lo < hi {
		copy(p, m.device[lo:hi])
	}
	m.cache[i] = p
	return p
}

func (m *model) setSize(n int) {
	for i := range m.cache {
		if i*page >= n && n < m.size {
			delete(m.cache, i)
			delete(m.dirty, i)
		}
	}
	m.size = n
}

func (m *model) write(off int, data []byte) {
	if off+len(data) > m.size {
		m.setSize(off + len(data))
	}
	for i := range data {
		n := (off + i) / page
		m.page(n)[(off+i)%page] = data[i]
		m.dirty[n] = true
	}
}

func (m *model) read(off, n int) []byte {
	b := make([]byte, n)
	for i := range b {
		b[i] = m.page((off + i) / page)[(off+i)%page]
	}
	return b
}

// clean writes the dirty pages, as much of them as the file has blocks.
func (m *model) clean() {
	for i := range m.dirty {
		lo, hi := i*page, min((i+1)*page, m.blocks())
		if need := hi - len(m.device); need > 0 {
			m.device = append(m.device, make([]byte, need)...)
		}
		copy(m.device[lo:hi], m.cache[i])
	}
	clear(m.dirty)
}

// TestPagesModel does reads, writes, truncations, flushes and evictions at
// random and compares with the model: every byte up to the end of the last
// page, and the device in the end.
func TestPagesModel(t *testing.T) {
	rapid.Check(t, func(rt *rapid.T) {
		m := newMachine(t, hypercall.Config{})
		m.setBshift(kern.DEV_BSHIFT)
		m.fs.run = rapid.SampledFrom([]int{0, 5, 16, 1000}).Draw(rt, "run")
		data := pattern(rapid.IntRange(0, modelMax).Draw(rt, "size"))
		vp := m.open(t, string(data))
		mo := newModel(data)
		check := func(err error) {
			if err != nil {
				rt.Fatal(err)
			}
		}
		rt.Repeat(map[string]func(*rapid.T){
			"write": func(rt *rapid.T) {
				off := rapid.IntRange(0, modelMax-1).Draw(rt, "off")
				n := rapid.IntRange(1, modelMax-off).Draw(rt, "n")
				b := bytes.Repeat([]byte{byte(rapid.IntRange(1, 255).Draw(rt, "byte"))}, n)
				check(m.write(vp, int64(off), b))
				mo.write(off, b)
			},
			"read": func(rt *rapid.T) {
				end := (mo.blocks() + page - 1) &^ (page - 1)
				if end == 0 {
					rt.Skip("empty")
				}
				off := rapid.IntRange(0, end-1).Draw(rt, "off")
				if off&^(page-1) >= mo.blocks() {
					rt.Skip("behind the end")
				}
				b := make([]byte, rapid.IntRange(1, end-off).Draw(rt, "n"))
				check(m.read(vp, int64(off), b))
				if want := mo.read(off, len(b)); !bytes.Equal(b, want) {
					rt.Fatalf("read %d at %d: %s", len(b), off, diff(b, want))
				}
			},
			"truncate": func(rt *rapid.T) {
				n := rapid.IntRange(0, modelMax).Draw(rt, "n")
				vp.SetSize(m.l, int64(n))
				mo.setSize(n)
			},
			"flush": func(*rapid.T) {
				check(m.put(vp, 0, 0, uvm.PGO_CLEANIT|uvm.PGO_SYNCIO))
				mo.clean()
			},
			"evict": func(*rapid.T) {
				check(m.put(vp, 0, 0, uvm.PGO_CLEANIT|uvm.PGO_FREE|uvm.PGO_SYNCIO))
				mo.clean()
				clear(mo.cache)
			},
			"": func(rt *rapid.T) {
				if got, want := dirty(m, vp), len(mo.dirty); got != want {
					rt.Fatalf("%d dirty pages, want %d", got, want)
				}
				if got, want := vp.NPages(), len(mo.cache); got != want {
					rt.Fatalf("%d pages, want %d", got, want)
				}
				m.audit(t, vp)
			},
		})
		check(m.put(vp, 0, 0, uvm.PGO_CLEANIT|uvm.PGO_SYNCIO))
		mo.clean()
		if got := fileOf(vp).data; !bytes.Equal(got, mo.device) {
			rt.Fatalf("device: %s", diff(got, mo.device))
		}
	})
}

func diff(got, want []byte) string {
	for i := range min(len(got), len(want)) {
		if got[i] != want[i] {
			return fmt.Sprintf("byte %d is %#x, want %#x", i, got[i], want[i])
		}
	}
	return fmt.Sprintf("%d bytes, want %d", len(got), len(want))
}

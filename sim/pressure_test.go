package sim_test

import (
	"bytes"
	"fmt"
	"runtime"
	"testing"

	"rumpvfs/hypercall"
	"rumpvfs/kern"
	"rumpvfs/sim"
)

// tight is a kernel with next to no memory: 4 MiB, and 32 vnodes.
var tight = map[string]string{"RUMP_MEMLIMIT": "4m", "RUMP_NVNODES": "32"}

const (
	manyFiles  = 2000
	manyBytes  = 2 << 20 // of all of them together
	sizeOfMany = manyBytes / manyFiles
)

// many writes and rereads files that need many more vnodes than a kernel has.
// Their data has no other place than the memory that the pages want too.
type many struct {
	testing.TB
	p   *sim.Proc
	buf []byte
}

func (m *many) path(i int) string { return fmt.Sprintf("/many/%d", i) }

// data is what file i holds: 1,048 bytes, other ones in every file and pass.
func (m *many) data(i, pass int) []byte {
	return bytes.Repeat(fmt.Appendf(nil, "%08d", i<<8|pass), sizeOfMany/8)
}

func (m *many) write(pass int) {
	m.Helper()
	for i := range manyFiles {
		fd := value[int](m)(m.p.Open(m.path(i), kern.O_CREAT|kern.O_WRONLY|kern.O_TRUNC, 0o644))
		data := m.data(i, pass)
		wants(m, "write", value[int](m)(m.p.Write(fd, data)), len(data))
		ok(m, m.p.Close(fd))
	}
}

// reread wants every byte of what was written in a pass.
func (m *many) reread(pass int) {
	m.Helper()
	for i := range manyFiles {
		fd := value[int](m)(m.p.Open(m.path(i), kern.O_RDONLY, 0))
		n := value[int](m)(m.p.Read(fd, m.buf))
		if !bytes.Equal(m.buf[:n], m.data(i, pass)) {
			m.Fatalf("%s lost what was written: %q", m.path(i), m.buf[:n])
		}
		ok(m, m.p.Close(fd))
	}
}

func newMany(t testing.TB, k *sim.Kernel) *many {
	m := &many{t, k.Init(), make([]byte, sizeOfMany+1)}
	ok(t, m.p.Mkdir("/many", 0o755))
	return m
}

// TestManyFiles writes 2,000 files of together 2 MiB in a kernel with 4 MiB
// and 32 vnodes, and reads them again: nothing is lost, and neither the
// kernel nor the program takes more memory for it.
func TestManyFiles(t *testing.T) {
	for _, mode := range []hypercall.Mode{hypercall.Native, hypercall.Deterministic} {
		k := boot(t, sim.Config{Mode: mode, Params: tight, Without: kern.Fixed.With(kern.QuirkSizeForgotten)})
		m := newMany(t, k)
		before := heap()
		m.write(1)
		m.reread(1)
		if n := k.V.NumVnodes(); n > 36 && mode == hypercall.Deterministic { // the drain thread may be late otherwise
			t.Errorf("%v: %d vnodes", mode, n)
		}
		if n := k.UVM.Pages() * kern.PAGE_SIZE; n > 4<<20-manyBytes {
			t.Errorf("%v: %d bytes of pages", mode, n)
		}
		if grown := heap() - before; grown > 16<<20 {
			t.Errorf("%v: the program has taken %d bytes", mode, grown)
		}
	}
}

// heap returns how many bytes the program uses.
func heap() int64 {
	runtime.GC()
	var s runtime.MemStats
	runtime.ReadMemStats(&s)
	return int64(s.HeapAlloc)
}

// BenchmarkManyFiles is what memory pressure costs: the same files in a kernel
// that has plenty of memory and in one that has little.
func BenchmarkManyFiles(b *testing.B) {
	for _, c := range []struct {
		name   string
		params map[string]string
	}{{"plenty", nil}, {"tight", tight}} {
		b.Run(c.name, func(b *testing.B) {
			m := newMany(b, boot(b, sim.Config{Params: c.params, Without: kern.Fixed.With(kern.QuirkSizeForgotten)}))
			b.SetBytes(2 * manyBytes)
			b.ReportAllocs()
			for pass := 0; b.Loop(); pass++ {
				m.write(pass & 0xff)
				m.reread(pass & 0xff)
			}
		})
	}
}

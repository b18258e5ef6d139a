package sim_test

import (
	"bytes"
	"errors"
	"math/rand/v2"
	"strings"
	"testing"

	"rumpvfs/hypercall"
	"rumpvfs/kern"
	"rumpvfs/sim"
	"rumpvfs/tmpfs"
)

// mapFS boots a kernel and returns a process that stands in an empty tmpfs. On
// rumpfs nothing can be mapped.
func mapFS(t testing.TB, c sim.Config) *sim.Proc {
	t.Helper()
	p := boot(t, c).Init()
	ok(t, p.Mount(tmpfs.MOUNT_TMPFS, "/tmp", 0, tmpfs.DefaultArgs()))
	ok(t, p.Chdir("/tmp"))
	return p
}

func isBus(err error, off int64) bool {
	var bus *sim.BusError
	return errors.As(err, &bus) && bus.Off == off && errors.Is(err, kern.EINVAL)
}

// TestMapping: what is written to a file is in its mapping, and the other way.
func TestMapping(t *testing.T) {
	p := mapFS(t, sim.Config{})
	fd := create(t, p, "f", strings.Repeat("abcd", 3000)) // 12000 bytes: 3 pages, the last in part
	m := value[*sim.Mapping](t)(p.Mmap(fd, 0, 4*kern.PAGE_SIZE, kern.PROT_READ|kern.PROT_WRITE, kern.MAP_SHARED))
	b := make([]byte, 6)
	at := func(off int64) string { return string(b[:value[int](t)(m.ReadAt(b, off))]) }
	wants(t, "read across pages", at(kern.PAGE_SIZE-2), "cdabcd")
	value[int](t)(p.Pwrite(fd, []byte("XYZ"), kern.PAGE_SIZE-1))
	wants(t, "what write wrote", at(kern.PAGE_SIZE-2), "cXYZcd")
	wants(t, "write", value[int](t)(m.WriteAt([]byte("123456"), 2*kern.PAGE_SIZE-3)), 6)
	value[int](t)(p.Pread(fd, b, 2*kern.PAGE_SIZE-3))
	wants(t, "what the mapping wrote", string(b), "123456")
	wants(t, "behind the end, in the last page", at(12000), "\x00\x00\x00\x00\x00\x00")
	n, err := m.ReadAt(b, 3*kern.PAGE_SIZE-2)
	if n != 2 || !isBus(err, 3*kern.PAGE_SIZE) {
		t.Errorf("a page behind the end: %d, %v", n, err)
	}
	if n, err = m.WriteAt(b, 3*kern.PAGE_SIZE); n != 0 || !isBus(err, 3*kern.PAGE_SIZE) {
		t.Errorf("writing there: %d, %v", n, err)
	}
	ok(t, p.Ftruncate(fd, 4*kern.PAGE_SIZE))
	wants(t, "once the file is longer", at(3*kern.PAGE_SIZE), "\x00\x00\x00\x00\x00\x00")
	ok(t, p.Ftruncate(fd, 1))
	if n, err = m.ReadAt(b, kern.PAGE_SIZE); n != 0 || !isBus(err, kern.PAGE_SIZE) {
		t.Errorf("truncated: %d, %v", n, err)
	}
	wants(t, "the first page", at(0), "a\x00\x00\x00\x00\x00")
	ok(t, p.Unlink("f"))
	ok(t, p.Close(fd))
	wants(t, "an unlinked, closed file", at(0)[:1], "a")
	ok(t, p.Kernel().Check())
	ok(t, m.Munmap())
	if _, err := m.ReadAt(b, 0); err != kern.EINVAL {
		t.Errorf("unmapped: %v", err)
	}
	if err := m.Munmap(); err != kern.EINVAL {
		t.Errorf("unmapped twice: %v", err)
	}
}

// TestMappingBytes has all of a mapping as a slice, and its changes put back.
func TestMappingBytes(t *testing.T) {
	p := mapFS(t, sim.Config{})
	fd := create(t, p, "f", strings.Repeat("x", 5000))
	m := value[*sim.Mapping](t)(p.Mmap(fd, 100, 3*kern.PAGE_SIZE, kern.PROT_READ|kern.PROT_WRITE, kern.MAP_SHARED))
	b, err := m.Bytes()
	if len(b) != 2*kern.PAGE_SIZE-100 || !isBus(err, 2*kern.PAGE_SIZE-100) {
		t.Fatalf("%d bytes, %v", len(b), err)
	}
	copy(b[10:], "hello")
	value[int](t)(p.Pwrite(fd, []byte("others"), 100+20))
	ok(t, m.Msync(0, m.Len(), kern.MS_SYNC))
	got := make([]byte, 30)
	value[int](t)(p.Pread(fd, got, 100))
	wants(t, "both changes", string(got), "xxxxxxxxxxhelloxxxxxothersxxxx")
	again, _ := m.Bytes()
	if &again[0] != &b[0] || string(b[18:28]) != "xxothersxx" {
		t.Errorf("%q", b[18:28])
	}
	ok(t, m.Msync(0, 0, kern.MS_ASYNC))
	ok(t, m.Msync(0, m.Len(), kern.MS_INVALIDATE))
	value[int](t)(m.ReadAt(got, 0))
	wants(t, "after it was forgotten", string(got), "xxxxxxxxxxhelloxxxxxothersxxxx")
	for _, bad := range []struct {
		off, n int64
		flags  int
	}{{0, 1, 0}, {0, 1, kern.MS_SYNC | kern.MS_ASYNC}, {0, 1, 8}, {-1, 1, kern.MS_SYNC}, {0, m.Len() + 1, kern.MS_SYNC}, {0, -1, kern.MS_SYNC}} {
		if err := m.Msync(bad.off, bad.n, bad.flags); err != kern.EINVAL {
			t.Errorf("%v: %v", bad, err)
		}
	}
}

// TestPrivateMapping keeps what is written to it to itself.
func TestPrivateMapping(t *testing.T) {
	p := mapFS(t, sim.Config{})
	create(t, p, "f", strings.Repeat("x", 5000))
	fd := value[int](t)(p.Open("f", kern.O_RDONLY, 0))
	m := value[*sim.Mapping](t)(p.Mmap(fd, 0, 5000, kern.PROT_READ|kern.PROT_WRITE, 0))
	wants(t, "write", value[int](t)(m.WriteAt([]byte("mine"), 4094)), 4)
	wants(t, "the file", content(t, p, "f"), strings.Repeat("x", 5000))
	w := value[int](t)(p.Open("f", kern.O_WRONLY, 0))
	value[int](t)(p.Pwrite(w, []byte("theirs"), 4094))
	b := make([]byte, 8)
	value[int](t)(m.ReadAt(b, 4092))
	wants(t, "pages that were written to", string(b), "xxminexx")
	ok(t, p.Truncate("f", 0))
	value[int](t)(m.ReadAt(b, 4092))
	wants(t, "they outlive the file's", string(b), "xxminexx")
	ok(t, m.Msync(0, 5000, kern.MS_SYNC))
}

// TestMmapRefuses is what cannot be mapped, and touched.
func TestMmapRefuses(t *testing.T) {
	p := mapFS(t, sim.Config{})
	rw := create(t, p, "f", "data")
	r := value[int](t)(p.Open("f", kern.O_RDONLY, 0))
	w := value[int](t)(p.Open("f", kern.O_WRONLY, 0))
	dir := value[int](t)(p.Open(".", kern.O_RDONLY, 0))
	null := value[int](t)(p.Open("/dev/null", kern.O_RDWR, 0))
	const read, write, shared, private = kern.PROT_READ, kern.PROT_WRITE, kern.MAP_SHARED, kern.MAP_PRIVATE
	for _, c := range []struct {
		fd          int
		off, n      int64
		prot, flags int
		want        kern.Errno
	}{
		{99, 0, 1, read, shared, kern.EBADF},
		{create(t, p, "/f", "on rumpfs"), 0, 1, read, shared, kern.EOPNOTSUPP},
		{dir, 0, 1, read, shared, kern.ENODEV},
		{null, 0, 1, read, shared, kern.ENODEV},
		{1, 0, 1, read, shared, kern.ENODEV},
		{r, 0, 0, read, shared, kern.EINVAL},
		{r, 0, -1, read, shared, kern.EINVAL},
		{r, -1, 1, read, shared, kern.EINVAL},
		{r, 0, 1, read, shared | private, kern.EINVAL},
		{r, 0, 1, read, 64, kern.EINVAL},
		{r, 1<<63 - 5000, 5000, read, shared, kern.EOVERFLOW},
		{r, 0, 1, write, shared, kern.EACCES},
		{w, 0, 1, read, shared, kern.EACCES},
		{w, 0, 1, read, private, kern.EACCES},
	} {
		if m, err := p.Mmap(c.fd, c.off, c.n, c.prot, c.flags); m != nil || err != c.want {
			t.Errorf("%+v: %v", c, err)
		}
	}
	m := value[*sim.Mapping](t)(p.Mmap(r, 0, 4, read, shared))
	if n, err := m.ReadAt(make([]byte, 9), 1); n != 3 || err != kern.EFAULT {
		t.Errorf("beyond the mapping: %d, %v", n, err)
	}
	for _, off := range []int64{-1, 5} {
		if n, err := m.ReadAt(make([]byte, 1), off); n != 0 || err != kern.EFAULT {
			t.Errorf("at %d: %d, %v", off, n, err)
		}
	}
	if _, err := m.WriteAt([]byte("x"), 0); err != kern.EFAULT {
		t.Errorf("without PROT_WRITE: %v", err)
	}
	ok(t, p.Chflags("f", kern.UF_APPEND))
	if _, err := p.Mmap(rw, 0, 1, write, shared); err != kern.EPERM {
		t.Errorf("append-only: %v", err)
	}
	ok(t, p.Chflags("f", 0))
	// A file that is revoked, or whose file system goes, has no memory.
	ok(t, p.Revoke("f"))
	var bus *sim.BusError
	if _, err := m.ReadAt(make([]byte, 1), 0); !errors.As(err, &bus) || bus.Off != 0 {
		t.Errorf("revoked: %v", err)
	}
}

// TestExitUnmaps: what a process has mapped goes with it, and a child gets
// nothing of it.
func TestExitUnmaps(t *testing.T) {
	p := mapFS(t, sim.Config{})
	q, err := p.Rfork(sim.RUMP_RFCFDG)
	ok(t, err)
	fd := create(t, q, "f", "data")
	m := value[*sim.Mapping](t)(q.Mmap(fd, 0, 4, kern.PROT_READ, kern.MAP_SHARED))
	ok(t, p.Kernel().Check())
	ok(t, q.Exit())
	if _, err := m.ReadAt(make([]byte, 1), 0); err != kern.ESRCH {
		t.Errorf("%v", err)
	}
}

// TestMappingIsTheFile makes random reads, writes, truncations and touches of
// two mappings, and compares with a slice.
func TestMappingIsTheFile(t *testing.T) {
	p := mapFS(t, sim.Config{Without: kern.Rev1125})
	fd := create(t, p, "f", "")
	const most = 5 * kern.PAGE_SIZE
	var maps [2]*sim.Mapping
	for i := range maps {
		maps[i] = value[*sim.Mapping](t)(p.Mmap(fd, 0, most, kern.PROT_READ|kern.PROT_WRITE, kern.MAP_SHARED))
	}
	var want []byte
	rnd := rand.New(rand.NewPCG(3, 4))
	for i := range 2000 {
		off, n := rnd.Int64N(most), 1+rnd.IntN(6000)
		m := maps[rnd.IntN(2)]
		data := bytes.Repeat([]byte{byte(i)}, n)
		switch rnd.IntN(6) {
		case 0:
			size := rnd.IntN(most)
			ok(t, p.Ftruncate(fd, int64(size)))
			grown := make([]byte, size)
			copy(grown, want)
			want = grown
		case 1:
			data = data[:min(int64(n), most-off)]
			value[int](t)(p.Pwrite(fd, data, off))
			if end := int(off) + len(data); end > len(want) {
				want = append(want, make([]byte, end-len(want))...)
			}
			copy(want[off:], data)
		case 2: // within the file, for what is behind its end may or may not stay
			if off >= int64(len(want)) {
				continue
			}
			data = data[:min(n, len(want)-int(off))]
			wants(t, "touched", value[int](t)(m.WriteAt(data, off)), len(data))
			copy(want[off:], data)
		case 3:
			ok(t, m.Msync(0, most, []int{kern.MS_SYNC, kern.MS_ASYNC, kern.MS_INVALIDATE}[i%3]))
		default:
			got := make([]byte, n)
			k, err := m.ReadAt(got, off)
			end := kern.RoundPage(int64(len(want)))
			if reach := min(max(end-off, 0), int64(n), most-off); int64(k) != reach {
				t.Fatalf("%d: read %d at %d of %d: %v", i, k, off, len(want), err)
			}
			if in := min(k, len(want)-int(off)); in > 0 && !bytes.Equal(got[:in], want[off:int(off)+in]) {
				t.Fatalf("%d: other bytes at %d", i, off)
			}
		}
	}
	wants(t, "the file", content(t, p, "f"), string(want))
	ok(t, p.Kernel().Check())
}

// TestMappingRaces has lwps touch, write, truncate and write back one file.
func TestMappingRaces(t *testing.T) {
	race := func(t *testing.T, c sim.Config, rounds int) {
		p := mapFS(t, c)
		fd := create(t, p, "f", strings.Repeat("x", 3*kern.PAGE_SIZE))
		m := value[*sim.Mapping](t)(p.Mmap(fd, 0, 3*kern.PAGE_SIZE, kern.PROT_READ|kern.PROT_WRITE, kern.MAP_SHARED))
		var lwps []*sim.Lwp
		for i := range 3 {
			q := value[*sim.Proc](t)(p.Rfork(sim.RUMP_RFSHFD))
			lwps = append(lwps, q.Go("lwp", func(q *sim.Proc) {
				mine, err := q.Mmap(fd, 0, 3*kern.PAGE_SIZE, kern.PROT_READ|kern.PROT_WRITE, kern.MAP_SHARED)
				if err != nil {
					t.Error(err)
					return
				}
				rnd := rand.New(rand.NewPCG(c.Seed, uint64(i)))
				b := make([]byte, 5000)
				var bus *sim.BusError
				for range rounds {
					off := rnd.Int64N(2 * kern.PAGE_SIZE)
					switch rnd.IntN(5) {
					case 0:
						_, err = mine.WriteAt(b, off)
					case 1:
						_, err = mine.ReadAt(b, off)
					case 2:
						_, err = q.Pwrite(fd, b, off)
					case 3:
						err = q.Ftruncate(fd, off)
					case 4:
						err = mine.Msync(0, mine.Len(), kern.MS_SYNC|i%2*kern.MS_INVALIDATE)
					}
					if err != nil && err != kern.EFAULT && !errors.As(err, &bus) {
						t.Error(err)
					}
				}
				_ = q.Exit()
			}))
		}
		for _, lwp := range lwps {
			ok(t, p.Join(lwp))
		}
		ok(t, m.Munmap())
		ok(t, p.Kernel().Check())
	}
	for seed := range uint64(16) {
		race(t, sim.Config{Mode: hypercall.Deterministic, Seed: seed}, 20)
	}
	race(t, sim.Config{}, 300)
}

// BenchmarkMapping touches 4 KiB that are in memory, beside pread of them.
func BenchmarkMapping(b *testing.B) {
	p := mapFS(b, sim.Config{})
	fd := create(b, p, "f", strings.Repeat("x", 1<<16))
	m := value[*sim.Mapping](b)(p.Mmap(fd, 0, 1<<16, kern.PROT_READ|kern.PROT_WRITE, kern.MAP_SHARED))
	buf := make([]byte, kern.PAGE_SIZE)
	for name, f := range map[string]func() error{
		"ReadAt":  func() error { _, err := m.ReadAt(buf, 8192); return err },
		"WriteAt": func() error { _, err := m.WriteAt(buf, 8192); return err },
		"pread":   func() error { _, err := p.Pread(fd, buf, 8192); return err },
	} {
		b.Run(name, func(b *testing.B) {
			b.ReportAllocs()
			for b.Loop() {
				if err := f(); err != nil {
					b.Fatal(err)
				}
			}
		})
	}
}

package sim_test

import (
	"bytes"
	"math"
	"strings"
	"testing"

	"rumpvfs/kern"
	"rumpvfs/sim"
)

func TestReadWrite(t *testing.T) {
	p := boot(t, sim.Config{}).Init()
	fd := create(t, p, "/f", "hello, world")
	b := make([]byte, 5)
	wants(t, "at the end", value[int](t)(p.Read(fd, b)), 0)
	value[int64](t)(p.Lseek(fd, 7, kern.SEEK_SET))
	wants(t, "read", value[int](t)(p.Read(fd, b)), 5)
	wants(t, "read", string(b), "world")
	wants(t, "pread", value[int](t)(p.Pread(fd, b, 0)), 5)
	wants(t, "pread", string(b), "hello")
	wants(t, "pwrite", value[int](t)(p.Pwrite(fd, []byte("J"), 0)), 1)
	wants(t, "offset", value[int64](t)(p.Lseek(fd, 0, kern.SEEK_CUR)), 12)
	wants(t, "content", content(t, p, "/f"), "Jello, world")

	ro := value[int](t)(p.Open("/f", kern.O_RDONLY, 0))
	wo := value[int](t)(p.Open("/f", kern.O_WRONLY, 0))
	dir := value[int](t)(p.Open("/", kern.O_RDONLY, 0))
	for _, c := range []struct {
		name string
		do   func() (int, error)
		n    int
		err  error
	}{
		{"read, not open", func() (int, error) { return p.Read(99, b) }, 0, kern.EBADF},
		{"write, not open", func() (int, error) { return p.Write(-1, b) }, 0, kern.EBADF},
		{"read, write only", func() (int, error) { return p.Read(wo, b) }, 0, kern.EBADF},
		{"write, read only", func() (int, error) { return p.Write(ro, b) }, 0, kern.EBADF},
		{"pread, write only", func() (int, error) { return p.Pread(wo, b, -1) }, 0, kern.EBADF},
		{"pread, not open", func() (int, error) { return p.Pread(99, b, -1) }, 0, kern.EBADF},
		{"pwrite, read only", func() (int, error) { return p.Pwrite(ro, b, 0) }, 0, kern.EBADF},
		{"read, a directory", func() (int, error) { return p.Read(dir, b) }, 0, kern.EISDIR},
		{"pread, negative", func() (int, error) { return p.Pread(ro, b, -1) }, 0, kern.EINVAL},
		{"pwrite, negative", func() (int, error) { return p.Pwrite(wo, b, math.MinInt64) }, 0, kern.EINVAL},
		{"pwrite, the console", func() (int, error) { return p.Pwrite(1, b, 0) }, 0, kern.ESPIPE},
		{"pread, the console", func() (int, error) { return p.Pread(1, b, 0) }, 0, kern.EBADF},
		{"read, more than 2^63", func() (int, error) { return p.ReadN(ro, b, 1<<63) }, 0, kern.EINVAL},
		{"pread, more than 2^63", func() (int, error) { return p.PreadN(ro, b, math.MaxUint64, 0) }, 0, kern.EINVAL},
		{"read, memory too small", func() (int, error) { return p.ReadN(ro, b, 12) }, 0, kern.EFAULT},
		{"read, memory just enough", func() (int, error) { return p.PreadN(ro, b, 1<<62, 7) }, 5, nil},
		{"pread, nothing", func() (int, error) { return p.Pread(ro, nil, 0) }, 0, nil},
		{"pread, nothing of nothing", func() (int, error) { return p.PreadN(ro, nil, 1, 12) }, 0, nil},
		{"pread, no memory", func() (int, error) { return p.PreadN(ro, nil, 1, 0) }, 0, kern.EFAULT},
		{"pwrite, at the last offset", func() (int, error) { return p.Pwrite(wo, b, math.MaxInt64) }, 0, kern.EFBIG},
		{"pwrite, too much", func() (int, error) { return p.Pwrite(wo, b, math.MaxInt64-5) }, 0, kern.ENOSPC},
		{"pread, at the last offset", func() (int, error) { return p.Pread(ro, b, math.MaxInt64) }, 0, kern.EINVAL},
		{"pread, far behind the end", func() (int, error) { return p.Pread(ro, b, math.MaxInt64-4) }, 0, kern.EINVAL},
		{"pread, behind the end", func() (int, error) { return p.Pread(ro, b, 100) }, 5, nil},
	} {
		if n, err := c.do(); n != c.n || err != c.err {
			t.Errorf("%s: %d %v, want %d %v", c.name, n, err, c.n, c.err)
		}
	}
	wants(t, "content", content(t, p, "/f"), "Jello, world")
}

func TestReadBehindEndFixed(t *testing.T) {
	p := boot(t, sim.Config{Without: kern.Rev1125}).Init()
	fd := create(t, p, "/f", "text")
	for _, off := range []int64{4, 5, 4095, 4096, 1 << 40, math.MaxInt64} {
		wants(t, "pread behind the end", value[int](t)(p.Pread(fd, make([]byte, 9), off)), 0)
	}
}

func TestSparse(t *testing.T) {
	p := boot(t, sim.Config{}).Init()
	fd := create(t, p, "/f", "")
	const gib = 1 << 30
	for off := int64(0); off < 3*gib; off += gib {
		wants(t, "pwrite", value[int](t)(p.Pwrite(fd, []byte("x"), off+gib-1)), 1)
	}
	wants(t, "size", value[kern.Stat](t)(p.Fstat(fd)).Size, 3*gib)
	b := make([]byte, 3)
	wants(t, "pread", value[int](t)(p.Pread(fd, b, 2*gib-2)), 3)
	wants(t, "pread", string(b), "\x00x\x00")
	_, err := p.Pwrite(fd, []byte("x"), 4*gib)
	check(t, "more than the kernel has", err, kern.ENOSPC)
	wants(t, "size", value[kern.Stat](t)(p.Fstat(fd)).Size, 3*gib)
	check(t, "truncate", p.Truncate("/f", 5*gib), kern.ENOSPC)
	check(t, "truncate", p.Ftruncate(fd, math.MaxInt64), kern.ENOSPC)
	ok(t, p.Ftruncate(fd, 0))
	ok(t, p.Ftruncate(fd, 4*gib-1<<20))
}

func TestMemLimit(t *testing.T) {
	p := boot(t, sim.Config{MemLimit: 1 << 20}).Init()
	fd := create(t, p, "/f", "")
	_, err := p.Write(fd, make([]byte, 2<<20))
	check(t, "write", err, kern.ENOSPC)
	wants(t, "size", value[kern.Stat](t)(p.Fstat(fd)).Size, 0)
	value[int](t)(p.Write(fd, make([]byte, 512<<10)))
	_, err = p.Write(fd, make([]byte, 600<<10))
	check(t, "write", err, kern.ENOSPC)
	wants(t, "size", value[kern.Stat](t)(p.Fstat(fd)).Size, 512<<10)
	ok(t, p.Unlink("/f"))
	ok(t, p.Close(fd))
	fd = create(t, p, "/g", "")
	value[int](t)(p.Write(fd, make([]byte, 1000<<10)))
}

// TestPageDaemon writes and reads a file that fits into memory once, as data, but not twice, with its cached pages.
func TestPageDaemon(t *testing.T) {
	p := boot(t, sim.Config{Params: map[string]string{"RUMP_MEMLIMIT": "10m"}}).Init()
	fd := create(t, p, "/f", "")
	chunk := bytes.Repeat([]byte("0123456789abcdef"), 4096)
	for i := range 128 { // 8 MiB
		chunk[0] = byte(i)
		value[int](t)(p.Write(fd, chunk))
	}
	for i := range 128 {
		wants(t, "pread", value[int](t)(p.Pread(fd, chunk, int64(i)<<16)), 1<<16)
		if chunk[0] != byte(i) || string(chunk[1:16]) != "123456789abcdef" {
			t.Fatalf("chunk %d holds %q", i, chunk[:16])
		}
	}
}

func TestLseek(t *testing.T) {
	p := boot(t, sim.Config{}).Init()
	fd := create(t, p, "/f", "0123456789")
	ok(t, p.Mkfifo("/fifo", 0o666))
	fifo := value[int](t)(p.Open("/fifo", kern.O_RDONLY, 0))
	for _, c := range []struct {
		fd     int
		off    int64
		whence int
		want   int64
		err    error
	}{
		{fd, 0, kern.SEEK_CUR, 10, nil},
		{fd, 4, kern.SEEK_SET, 4, nil},
		{fd, 3, kern.SEEK_CUR, 7, nil},
		{fd, -8, kern.SEEK_CUR, 0, kern.EINVAL},
		{fd, -4, kern.SEEK_END, 6, nil},
		{fd, math.MaxInt64, kern.SEEK_SET, math.MaxInt64, nil},
		{fd, 1, kern.SEEK_CUR, 0, kern.EINVAL}, // wraps around
		{fd, math.MaxInt64, kern.SEEK_END, 0, kern.EINVAL},
		{fd, 0, 3, 0, kern.EINVAL},
		{fd, 0, -1, 0, kern.EINVAL},
		{fd, math.MinInt64, kern.SEEK_SET, 0, kern.EINVAL},
		{99, 0, 3, 0, kern.EBADF},
		{1, 0, 3, 0, kern.ESPIPE},
		{fifo, 0, 3, 0, kern.ESPIPE},
	} {
		got, err := p.Lseek(c.fd, c.off, c.whence)
		if got != c.want || err != c.err {
			t.Errorf("lseek %d %d %d: %d %v, want %d %v", c.fd, c.off, c.whence, got, err, c.want, c.err)
		}
	}
	_, err := p.Pread(fifo, make([]byte, 1), 0)
	check(t, "pread of a fifo", err, kern.ESPIPE)
	wants(t, "read of a fifo", value[int](t)(p.Read(fifo, make([]byte, 1))), 0)
}

func TestTruncate(t *testing.T) {
	p := boot(t, sim.Config{Without: kern.Rev1125}).Init()
	fd := create(t, p, "/f", strings.Repeat("x", 5000))
	ro := value[int](t)(p.Open("/f", kern.O_RDONLY, 0))
	dir := value[int](t)(p.Open("/", kern.O_RDONLY, 0))
	ok(t, p.Truncate("/f", 10))
	ok(t, p.Ftruncate(fd, 20))
	wants(t, "content", content(t, p, "/f"), strings.Repeat("x", 10)+strings.Repeat("\x00", 10))
	for _, c := range []struct {
		name     string
		got, err error
	}{
		{"ftruncate, not open", p.Ftruncate(99, 0), kern.EBADF},
		{"ftruncate, read only", p.Ftruncate(ro, 0), kern.EINVAL},
		{"ftruncate, a directory", p.Ftruncate(dir, 0), kern.EINVAL},
		{"ftruncate, the console", p.Ftruncate(1, 0), kern.EINVAL},
		{"ftruncate, -1", p.Ftruncate(fd, -1), kern.EINVAL},
		{"ftruncate, negative", p.Ftruncate(fd, math.MinInt64), kern.EINVAL},
		{"truncate, a directory", p.Truncate("/", 0), kern.EISDIR},
		{"truncate, not there", p.Truncate("/none", 0), kern.ENOENT},
		{"truncate, -1", p.Truncate("/f", -1), kern.EINVAL},
	} {
		check(t, c.name, c.got, c.err)
	}
	ok(t, p.Setuid(7))
	check(t, "not one's own", p.Truncate("/f", 0), kern.EACCES)
	ok(t, p.Ftruncate(fd, 0)) // the descriptor was opened by root
}

func TestFsync(t *testing.T) {
	p := boot(t, sim.Config{}).Init()
	fd := create(t, p, "/f", "text")
	ro := value[int](t)(p.Open("/f", kern.O_RDONLY, 0))
	for _, c := range []struct {
		name     string
		got, err error
	}{
		{"fsync", p.Fsync(fd), nil},
		{"fsync, read only", p.Fsync(ro), nil},
		{"fsync, not open", p.Fsync(99), kern.EBADF},
		{"fsync, the console", p.Fsync(1), kern.EINVAL},
		{"fdatasync", p.Fdatasync(fd), nil},
		{"fdatasync, read only", p.Fdatasync(ro), kern.EBADF},
		{"fsync_range", p.FsyncRange(fd, kern.FDATASYNC, 0, 0), nil},
		{"fsync_range", p.FsyncRange(fd, kern.FFILESYNC|kern.FDISKSYNC, 1, 2), nil},
		{"fsync_range, both", p.FsyncRange(fd, kern.FFILESYNC|kern.FDATASYNC, 0, 0), kern.EINVAL},
		{"fsync_range, neither", p.FsyncRange(fd, kern.FDISKSYNC, 0, 0), kern.EINVAL},
		{"fsync_range, backwards", p.FsyncRange(fd, kern.FFILESYNC, 1, -1), kern.EINVAL},
		{"fsync_range, too long", p.FsyncRange(fd, kern.FFILESYNC, 1, math.MaxInt64), kern.EINVAL},
		{"fsync_range, read only", p.FsyncRange(ro, 0, 0, 0), kern.EBADF},
		{"sync", p.Sync(), nil},
	} {
		check(t, c.name, c.got, c.err)
	}
}

// list reads a directory with a buffer of n bytes.
func list(t testing.TB, p *sim.Proc, fd, n int) (names []string) {
	t.Helper()
	b := make([]byte, n)
	for {
		rest := b[:value[int](t)(p.Getdents(fd, b))]
		if len(rest) == 0 {
			return names
		}
		for len(rest) > 0 {
			d, more, err := kern.DecodeDirent(rest)
			ok(t, err)
			names, rest = append(names, d.Name), more
		}
	}
}

func TestGetdents(t *testing.T) {
	p := boot(t, sim.Config{}).Init()
	ok(t, p.Mkdir("/d", 0o755))
	for _, name := range []string{"one", "two", "three"} {
		ok(t, p.Close(create(t, p, "/d/"+name, "")))
	}
	fd := value[int](t)(p.Open("/d", kern.O_RDONLY, 0))
	wants(t, "all", strings.Join(list(t, p, fd, 8192), " "), "three two one")
	value[int64](t)(p.Lseek(fd, 0, kern.SEEK_SET))
	f := value[int](t)(p.Open("/d/one", kern.O_RDONLY, 0))
	for _, c := range []struct {
		fd  int
		err error
	}{{99, kern.EBADF}, {f, kern.EINVAL}, {1, kern.EINVAL}} {
		_, err := p.Getdents(c.fd, make([]byte, 512))
		check(t, "getdents", err, c.err)
	}
	wo := create(t, p, "/w", "")
	ok(t, p.Close(wo))
	wo = value[int](t)(p.Open("/w", kern.O_WRONLY, 0))
	_, err := p.Getdents(wo, make([]byte, 512))
	check(t, "getdents, write only", err, kern.EBADF)
}

func TestDevices(t *testing.T) {
	p := boot(t, sim.Config{}).Init()
	null := value[int](t)(p.Open("/dev/null", kern.O_RDWR, 0))
	zero := value[int](t)(p.Open("/dev/zero", kern.O_RDWR, 0))
	b := []byte("stuff")
	wants(t, "null", value[int](t)(p.Read(null, b)), 0)
	wants(t, "null", value[int](t)(p.Write(null, make([]byte, 100<<10))), 100<<10)
	wants(t, "zero", value[int](t)(p.Read(zero, b)), 5)
	wants(t, "zero", string(b), "\x00\x00\x00\x00\x00")
	wants(t, "zero", value[int](t)(p.Write(zero, b)), 5)
	_, err := p.ReadN(zero, b, 1<<62)
	check(t, "zero, without end", err, kern.EFAULT)
	ok(t, p.Mknod("/dev/odd", kern.S_IFCHR|0o666, kern.Makedev(2, 99)))
	_, err = p.Open("/dev/odd", kern.O_RDWR, 0)
	check(t, "no such minor", err, kern.ENXIO)
	ok(t, p.Mknod("/dev/none", kern.S_IFBLK|0o666, kern.Makedev(77, 0)))
	_, err = p.Open("/dev/none", kern.O_RDWR, 0)
	check(t, "no such major", err, kern.ENXIO)
}

func TestConsole(t *testing.T) {
	var out bytes.Buffer
	p := boot(t, sim.Config{Console: &out}).Init()
	for fd := range 3 {
		wants(t, "write", value[int](t)(p.Write(fd, []byte("hello "))), 6)
	}
	big := strings.Repeat("x", 10000)
	value[int](t)(p.Write(1, []byte(big)))
	wants(t, "console", out.String(), "hello hello hello "+big)
	_, err := p.Read(0, make([]byte, 1))
	check(t, "read", err, kern.EBADF)
	wants(t, "fstat", value[kern.Stat](t)(p.Fstat(0)).Mode, kern.S_IFCHR|0o600)
	_, err = p.Fpathconf(0, kern.PC_NAME_MAX)
	check(t, "fpathconf", err, kern.EOPNOTSUPP)
}

package sim_test

import (
	"fmt"
	"strings"
	"testing"

	"rumpvfs/kern"
	"rumpvfs/sim"
	"rumpvfs/tmpfs"
)

func bootB(b *testing.B) *sim.Proc {
	b.Helper()
	k, err := sim.Boot(sim.Config{})
	if err != nil {
		b.Fatal(err)
	}
	b.Cleanup(func() {
		if err := k.Shutdown(); err != nil {
			b.Error(err)
		}
	})
	b.ReportAllocs()
	return k.Init()
}

// must stops the benchmark at the first error.
func must(b *testing.B, err error) {
	b.Helper()
	if err != nil {
		b.Fatal(err)
	}
}

// mkfile makes a file of size bytes and returns a descriptor for it.
func mkfile(b *testing.B, p *sim.Proc, path string, size int) int {
	b.Helper()
	fd, err := p.Open(path, kern.O_RDWR|kern.O_CREAT, 0o644)
	must(b, err)
	if size > 0 {
		_, err = p.Write(fd, make([]byte, size))
		must(b, err)
	}
	return fd
}

// BenchmarkStatDepth stats a file below 1 to 16 directories.
func BenchmarkStatDepth(b *testing.B) {
	for _, depth := range []int{1, 2, 4, 8, 16} {
		b.Run(fmt.Sprint(depth), func(b *testing.B) {
			p := bootB(b)
			path := ""
			for i := 1; i < depth; i++ {
				path += "/d"
				must(b, p.Mkdir(path, 0o755))
			}
			path += "/f"
			must(b, p.Close(mkfile(b, p, path, 0)))
			for b.Loop() {
				if _, err := p.Stat(path); err != nil {
					b.Fatal(err)
				}
			}
		})
	}
}

// BenchmarkStatWidth stats one of many files of a directory.
func BenchmarkStatWidth(b *testing.B) {
	for _, n := range []int{10, 100, 1_000, 10_000} {
		b.Run(fmt.Sprint(n), func(b *testing.B) {
			p := bootB(b)
			fill(b, p, "/dir", n)
			path := fmt.Sprintf("/dir/file%06d", n/2)
			for b.Loop() {
				if _, err := p.Stat(path); err != nil {
					b.Fatal(err)
				}
			}
		})
	}
}

// fill makes a directory with n empty files.
func fill(b *testing.B, p *sim.Proc, dir string, n int) {
	b.Helper()
	must(b, p.Mkdir(dir, 0o755))
	for i := range n {
		must(b, p.Close(mkfile(b, p, fmt.Sprintf("%s/file%06d", dir, i), 0)))
	}
}

func BenchmarkOpenClose(b *testing.B) {
	p := bootB(b)
	must(b, p.Close(mkfile(b, p, "/f", 0)))
	for b.Loop() {
		fd, err := p.Open("/f", kern.O_RDONLY, 0)
		if err != nil {
			b.Fatal(err)
		}
		if err := p.Close(fd); err != nil {
			b.Fatal(err)
		}
	}
}

func BenchmarkCreateUnlink(b *testing.B) {
	p := bootB(b)
	for b.Loop() {
		fd, err := p.Open("/f", kern.O_RDWR|kern.O_CREAT|kern.O_EXCL, 0o644)
		if err != nil {
			b.Fatal(err)
		}
		if err := p.Close(fd); err != nil {
			b.Fatal(err)
		}
		if err := p.Unlink("/f"); err != nil {
			b.Fatal(err)
		}
	}
}

func BenchmarkMkdirRmdir(b *testing.B) {
	p := bootB(b)
	for b.Loop() {
		if err := p.Mkdir("/d", 0o755); err != nil {
			b.Fatal(err)
		}
		if err := p.Rmdir("/d"); err != nil {
			b.Fatal(err)
		}
	}
}

const (
	blockSize = 4 << 10
	fileSize  = 1 << 20
)

func BenchmarkPread(b *testing.B) {
	p := bootB(b)
	fd := mkfile(b, p, "/f", fileSize)
	buf := make([]byte, blockSize)
	b.SetBytes(blockSize)
	for off := int64(0); b.Loop(); off = (off + blockSize) % fileSize {
		if _, err := p.Pread(fd, buf, off); err != nil {
			b.Fatal(err)
		}
	}
}

func BenchmarkPwrite(b *testing.B) {
	p := bootB(b)
	fd := mkfile(b, p, "/f", fileSize)
	buf := []byte(strings.Repeat("x", blockSize))
	b.SetBytes(blockSize)
	for off := int64(0); b.Loop(); off = (off + blockSize) % fileSize {
		if _, err := p.Pwrite(fd, buf, off); err != nil {
			b.Fatal(err)
		}
	}
}

// BenchmarkWriteSequential writes files of 1 to 64 MiB by 64 KiB: the bytes a
// second shall not fall with the length.
func BenchmarkWriteSequential(b *testing.B) {
	const chunk = 64 << 10
	for _, size := range []int{1 << 20, 4 << 20, 16 << 20, 64 << 20} {
		b.Run(fmt.Sprintf("%dMiB", size>>20), func(b *testing.B) {
			p := bootB(b)
			buf := make([]byte, chunk)
			b.SetBytes(int64(size))
			for b.Loop() {
				fd := mkfile(b, p, "/f", 0)
				for range size / chunk {
					if _, err := p.Write(fd, buf); err != nil {
						b.Fatal(err)
					}
				}
				must(b, p.Close(fd))
				must(b, p.Unlink("/f"))
			}
		})
	}
}

func BenchmarkGetdents1000(b *testing.B) {
	p := bootB(b)
	fill(b, p, "/dir", 1000)
	fd, err := p.Open("/dir", kern.O_RDONLY, 0)
	must(b, err)
	buf := make([]byte, 64<<10)
	for b.Loop() {
		if _, err := p.Lseek(fd, 0, kern.SEEK_SET); err != nil {
			b.Fatal(err)
		}
		if n, err := p.Getdents(fd, buf); err != nil || n == 0 {
			b.Fatal(n, err)
		}
	}
}

// BenchmarkNameCache has names looked up on a tmpfs, 4 directories deep, and
// the path of a directory that is one of 1,000, with the name cache and
// without. A directory of tmpfs is a map; what the cache spares is getcwd's
// search.
func BenchmarkNameCache(b *testing.B) {
	for _, c := range []struct {
		name string
		c    sim.Config
	}{{"with", sim.Config{}}, {"without", sim.Config{NoNameCache: true}}} {
		k, err := sim.Boot(c.c)
		must(b, err)
		p := k.Init()
		must(b, p.Mount(tmpfs.MOUNT_TMPFS, "/tmp", 0, tmpfs.DefaultArgs()))
		for _, dir := range []string{"/tmp/a", "/tmp/a/b", "/tmp/a/b/c"} {
			must(b, p.Mkdir(dir, 0o755))
		}
		for i := range 1000 {
			must(b, p.Mkdir(fmt.Sprint("/tmp/a/b/c/", i), 0o755))
		}
		for _, name := range []string{"500", "none"} {
			b.Run("stat "+name+" "+c.name, func(b *testing.B) {
				b.ReportAllocs()
				path := "/tmp/a/b/c/" + name
				for b.Loop() {
					_, _ = p.Stat(path)
				}
			})
		}
		must(b, p.Chdir("/tmp/a/b/c/500"))
		b.Run("getcwd "+c.name, func(b *testing.B) {
			b.ReportAllocs()
			for b.Loop() {
				if _, err := p.Getcwd(); err != nil {
					b.Fatal(err)
				}
			}
		})
		must(b, k.Shutdown())
	}
}

// BenchmarkBootShutdown is the whole life of a kernel.
func BenchmarkBootShutdown(b *testing.B) {
	b.ReportAllocs()
	for b.Loop() {
		k, err := sim.Boot(sim.Config{})
		if err != nil {
			b.Fatal(err)
		}
		if err := k.Shutdown(); err != nil {
			b.Fatal(err)
		}
	}
}

package tmpfs_test

import (
	"fmt"
	"testing"

	"rumpvfs/kern"
	"rumpvfs/sim"
	"rumpvfs/tmpfs"
)

// benchWorld is a kernel with a tmpfs on /t that has n files.
func benchWorld(b *testing.B, n int) *sim.Proc {
	b.Helper()
	k, err := sim.Boot(sim.Config{})
	if err != nil {
		b.Fatal(err)
	}
	p := k.Init()
	if err := p.Mkdir("/t", 0o755); err != nil {
		b.Fatal(err)
	}
	if err := p.Mount(tmpfs.MOUNT_TMPFS, "/t", 0, tmpfs.DefaultArgs()); err != nil {
		b.Fatal(err)
	}
	for i := range n {
		fd, err := p.Open(fmt.Sprintf("/t/f%d", i), kern.O_CREAT|kern.O_RDWR, 0o644)
		if err != nil {
			b.Fatal(err)
		}
		_ = p.Close(fd)
	}
	b.Cleanup(func() {
		if err := k.Shutdown(); err != nil {
			b.Error(err)
		}
	})
	b.ReportAllocs()
	return p
}

func BenchmarkCreateUnlink(b *testing.B) {
	p := benchWorld(b, 1000)
	for b.Loop() {
		fd, err := p.Open("/t/new", kern.O_CREAT|kern.O_RDWR, 0o644)
		if err != nil {
			b.Fatal(err)
		}
		_ = p.Close(fd)
		if err := p.Unlink("/t/new"); err != nil {
			b.Fatal(err)
		}
	}
}

func BenchmarkStat(b *testing.B) {
	p := benchWorld(b, 1000)
	for b.Loop() {
		if _, err := p.Stat("/t/f500"); err != nil {
			b.Fatal(err)
		}
	}
}

func BenchmarkRename(b *testing.B) {
	p := benchWorld(b, 1000)
	names := [2]string{"/t/f0", "/t/other"}
	for i := 0; b.Loop(); i++ {
		if err := p.Rename(names[i%2], names[1-i%2]); err != nil {
			b.Fatal(err)
		}
	}
}

func BenchmarkGetdents1000(b *testing.B) {
	p := benchWorld(b, 1000)
	fd, err := p.Open("/t", kern.O_RDONLY, 0)
	if err != nil {
		b.Fatal(err)
	}
	buf := make([]byte, 64<<10)
	for b.Loop() {
		if _, err := p.Lseek(fd, 0, kern.SEEK_SET); err != nil {
			b.Fatal(err)
		}
		if n, err := p.Getdents(fd, buf); n == 0 || err != nil {
			b.Fatal(n, err)
		}
	}
}

func BenchmarkWriteRead64k(b *testing.B) {
	p := benchWorld(b, 1)
	fd, err := p.Open("/t/f0", kern.O_RDWR, 0)
	if err != nil {
		b.Fatal(err)
	}
	buf := make([]byte, 64<<10)
	b.SetBytes(2 * int64(len(buf)))
	for b.Loop() {
		if _, err := p.Pwrite(fd, buf, 0); err != nil {
			b.Fatal(err)
		}
		if _, err := p.Pread(fd, buf, 0); err != nil {
			b.Fatal(err)
		}
	}
}

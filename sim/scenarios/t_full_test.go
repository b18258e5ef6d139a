package scenarios

import (
	"bytes"
	"testing"

	"rumpvfs/hypercall"
	"rumpvfs/kern"
	"rumpvfs/sim"
)

// TestFillfs writes one file until the file system is full: that is ENOSPC,
// what fitted is all there, and removing it makes room again. NetBSD leaves
// rumpfs out, which has no size of its own; here the kernel's memory has.
func TestFillfs(t *testing.T) {
	each(t, func(t *testing.T, fs fileSystem) {
		k := fs.mounted(t, sim.Config{Mode: hypercall.Deterministic, MemLimit: imageSize})
		p := k.Init()
		ok(t, p.Chdir("/mnt"))
		first := fill(t, p)
		ok(t, p.Unlink("big"))
		if again := fill(t, p); again != first {
			t.Errorf("%d bytes fit the first time, %d the second", first, again)
		}
	})
}

// fill writes big until nothing fits any more, and returns how much did.
func fill(t *testing.T, p *sim.Proc) (total int64) {
	t.Helper()
	fd := value[int](t)(p.Open("big", kern.O_CREAT|kern.O_RDWR, 0o644))
	block := make([]byte, 8192)
	for i := 0; ; i++ {
		n, err := p.Write(fd, fillBlock(block, i))
		total += int64(n)
		if err != nil {
			wants(t, "the last write", err, error(kern.ENOSPC))
			break
		}
		if total > imageSize {
			t.Fatalf("%d bytes fit where only %d should", total, imageSize)
		}
	}
	if total < imageSize/2 {
		t.Errorf("full after %d bytes", total)
	}
	checkFilled(t, p, fd, total)
	ok(t, p.Close(fd))
	return total
}

// fillBlock makes b the block i of the file.
func fillBlock(b []byte, i int) []byte {
	for j := range b {
		b[j] = byte(i + 1)
	}
	return b
}

func checkFilled(t *testing.T, p *sim.Proc, fd int, total int64) {
	t.Helper()
	wants(t, "size", value[kern.Stat](t)(p.Fstat(fd)).Size, total)
	got, want := make([]byte, 8192), make([]byte, 8192)
	for i := 0; int64(i)*8192 < total; i++ {
		n := value[int](t)(p.Pread(fd, got, int64(i)*8192))
		if fillBlock(want, i); !bytes.Equal(got[:n], want[:n]) {
			t.Fatalf("block %d is not what was written", i)
		}
	}
}

package blkdev_test

import (
	"fmt"
	"testing"

	"rumpvfs/blkdev"
	"rumpvfs/hypercall"
	"rumpvfs/kern"
)

func newLwp(t testing.TB) *kern.Lwp {
	k := kern.NewKernel(hypercall.NewSystem(hypercall.Config{}), kern.Rev1125)
	l := kern.NewLwp(k, nil, "test")
	t.Cleanup(l.Exit)
	return l
}

// ExampleNull reads from and writes to the devices that every kernel has.
func ExampleNull() {
	k := kern.NewKernel(hypercall.NewSystem(hypercall.Config{}), kern.Rev1125)
	l := kern.NewLwp(k, nil, "main")
	defer l.Exit()
	zero := kern.Makedev(blkdev.NullMajor, blkdev.DEV_ZERO)
	devsw := blkdev.NewDevsw(k)
	if err := devsw.AttachChar(l, "null", blkdev.NullMajor, blkdev.Null{}); err != nil {
		fmt.Println(err)
		return
	}
	driver, err := devsw.Char(l, zero)
	if err != nil {
		fmt.Println(err)
		return
	}
	b := []byte("some text")
	uio := kern.Uio{Iov: [][]byte{b[:4]}, Resid: 4, RW: kern.UIO_READ}
	fmt.Println(driver.Read(l, zero, &uio, 0), uio.Resid, uio.Offset)
	fmt.Printf("%q\n", b)
	// Output:
	// <nil> 0 4
	// "\x00\x00\x00\x00 text"
}

type dummy struct{ blkdev.Null }

func TestDevsw(t *testing.T) {
	l := newLwp(t)
	sw := blkdev.NewDevsw(l.K)
	dev := kern.Makedev(7, 1)
	if _, err := sw.Char(l, dev); err != kern.ENXIO {
		t.Errorf("no driver: %v", err)
	}
	if _, err := sw.Block(l, dev); err != kern.ENXIO {
		t.Errorf("no block driver: %v", err)
	}
	for _, c := range []struct {
		name  string
		major int32
		err   error
	}{{"a", 7, nil}, {"b", 7, kern.EEXIST}, {"a", 7, kern.EEXIST}, {"a", 8, kern.EINVAL}, {"b", 8, nil}} {
		if err := sw.AttachChar(l, c.name, c.major, dummy{}); err != c.err {
			t.Errorf("%s as %d: %v, want %v", c.name, c.major, err, c.err)
		}
	}
	if d, err := sw.Char(l, dev); d != (dummy{}) || err != nil {
		t.Errorf("driver %v, %v", d, err)
	}
	if _, err := sw.Block(l, dev); err != kern.ENXIO {
		t.Errorf("a character driver serves block devices: %v", err)
	}
}

func TestNull(t *testing.T) {
	l := newLwp(t)
	null, zero, none := kern.Makedev(2, blkdev.DEV_NULL), kern.Makedev(2, blkdev.DEV_ZERO), kern.Makedev(2, 5)
	var d blkdev.Null
	for _, c := range []struct {
		dev       kern.Dev
		open      error
		read      int64 // bytes left of 1000
		rerr      error
		write     int64
		werr      error
		newoffset int64 // after reading
	}{
		{null, nil, 1000, nil, 0, nil, 7},
		{zero, nil, 0, nil, 0, nil, 1007},
		{none, kern.ENXIO, 1000, kern.ENXIO, 1000, kern.ENXIO, 7},
	} {
		if err := d.Open(l, c.dev, kern.FREAD); err != c.open {
			t.Errorf("open %v: %v", c.dev, err)
		}
		b := make([]byte, 1000)
		for i := range b {
			b[i] = 'x'
		}
		r := kern.Uio{Iov: [][]byte{b[:3], b[3:]}, Resid: 1000, Offset: 7, RW: kern.UIO_READ}
		if err := d.Read(l, c.dev, &r, 0); err != c.rerr || r.Resid != c.read || r.Offset != c.newoffset {
			t.Errorf("read %v: %v, %d left, offset %d", c.dev, err, r.Resid, r.Offset)
		}
		for i := range b {
			if zeroed := b[i] == 0; zeroed != (c.dev == zero) {
				t.Fatalf("read %v: byte %d is %d", c.dev, i, b[i])
			}
		}
		w := kern.Uio{Iov: [][]byte{b}, Resid: 1000, Offset: 7, RW: kern.UIO_WRITE}
		if err := d.Write(l, c.dev, &w, 0); err != c.werr || w.Resid != c.write || w.Offset != 7 {
			t.Errorf("write %v: %v, %d left, offset %d", c.dev, err, w.Resid, w.Offset)
		}
		if err := d.Close(l, c.dev, 0); err != nil {
			t.Errorf("close %v: %v", c.dev, err)
		}
	}
	short := kern.Uio{Iov: [][]byte{make([]byte, 10)}, Resid: 1000, RW: kern.UIO_READ}
	if err := d.Read(l, zero, &short, 0); err != kern.EFAULT || short.Resid != 990 {
		t.Errorf("memory that ends: %v, %d left", err, short.Resid)
	}
	if got, err := d.Poll(l, null, kern.POLLIN|kern.POLLHUP|kern.POLLOUT); got != kern.POLLIN|kern.POLLOUT || err != nil {
		t.Errorf("poll: %#x, %v", got, err)
	}
	if err := d.Ioctl(l, null, kern.FIONREAD, nil, 0); err != kern.ENODEV {
		t.Errorf("ioctl: %v", err)
	}
	if d.Type() != blkdev.D_OTHER {
		t.Errorf("type %v", d.Type())
	}
}

// BenchmarkZero reads 64 KiB of nothing.
func BenchmarkZero(b *testing.B) {
	l := newLwp(b)
	buf := make([]byte, 64<<10)
	var iov [1][]byte
	var uio kern.Uio
	b.SetBytes(int64(len(buf)))
	b.ReportAllocs()
	for b.Loop() {
		uio.InitUio(&iov, buf, 0, kern.UIO_READ)
		if err := (blkdev.Null{}).Read(l, kern.Makedev(2, blkdev.DEV_ZERO), &uio, 0); err != nil {
			b.Fatal(err)
		}
	}
}

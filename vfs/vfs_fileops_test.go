package vfs_test

import (
	"bytes"
	"errors"
	"fmt"
	"math"
	"testing"

	"rumpvfs/kern"
	"rumpvfs/sim"
	"rumpvfs/vfs"
	"rumpvfs/vnode"
)

// TestOffset: where reads and writes begin, and where they leave the offset.
func TestOffset(t *testing.T) {
	tb := newTable(t, sim.Config{})
	fp, _ := tb.open("/f", kern.O_RDWR|kern.O_CREAT, 0o644)
	tb.write(fp, "0123456789", -1)
	tb.want("after a write", fp.Offset(), int64(10))
	tb.write(fp, "ab", 4)
	tb.want("after a positional write", fp.Offset(), int64(10))
	fp.SetOffset(3)
	tb.want("read", tb.read(fp, 4, -1), "3ab6")
	tb.want("after a read", fp.Offset(), int64(7))
	tb.want("positional read", tb.read(fp, 2, 0), "01")
	tb.want("after it", fp.Offset(), int64(7))
	tb.want("read up to the end", tb.read(fp, 99, -1), "789")
	tb.want("at the end", fp.Offset(), int64(10))
}

// TestAppend: a file opened with O_APPEND is written at its end wherever the
// offset is, even by pwrite.
func TestAppend(t *testing.T) {
	tb := newTable(t, sim.Config{})
	other, _ := tb.open("/f", kern.O_RDWR|kern.O_CREAT, 0o644)
	tb.write(other, "0123", -1)
	fp, _ := tb.open("/f", kern.O_RDWR|kern.O_APPEND, 0)
	tb.want("at first", fp.Offset(), int64(0))
	tb.write(fp, "", -1)
	tb.want("a write of nothing", fp.Offset(), int64(0))
	tb.write(fp, "45", -1)
	tb.want("after a write", fp.Offset(), int64(6))
	tb.write(other, "67", -1) // not appended: over the 45
	fp.SetOffset(1)
	tb.write(fp, "89", 0)
	tb.want("after a positional write", fp.Offset(), int64(1))
	tb.want("what is there", tb.read(fp, 99, 0), "01236789")
	tb.want("reads go by the offset", tb.read(fp, 2, -1), "12")
}

func TestFileSizeLimit(t *testing.T) {
	tb := newTable(t, sim.Config{})
	fp, _ := tb.open("/f", kern.O_RDWR|kern.O_CREAT, 0o644)
	for _, off := range []int64{math.MaxInt64, math.MaxInt64 - 3} {
		n, err := tb.move(fp, kern.UIO_WRITE, []byte("12345"), off)
		if n != 0 || err != kern.EFBIG {
			t.Errorf("at %d: %d, %v", off, n, err)
		}
	}
	fp.SetOffset(math.MaxInt64)
	_, err := tb.move(fp, kern.UIO_WRITE, []byte("12345"), -1)
	tb.want("at the offset", err, kern.EFBIG)
	tb.want("which stays", fp.Offset(), int64(math.MaxInt64))
	fp.SetFlag(kern.O_APPEND)
	tb.write(fp, "12345", -1) // the end of the file counts
	tb.want("offset", fp.Offset(), int64(5))
}

// TestConcurrentReaders: two lwps that read through one descriptor may read the
// same bytes, but the offset moves by what both have read.
func TestConcurrentReaders(t *testing.T) {
	both := 0
	seeds(t, 60, func(t *testing.T, c sim.Config) {
		k := boot(t, c)
		p := k.Init()
		fd, err := p.Open("/f", kern.O_RDWR|kern.O_CREAT, 0o644)
		if err == nil {
			_, err = p.Pwrite(fd, []byte("01234567"), 0)
		}
		if err != nil {
			t.Fatal(err)
		}
		var got []string
		for i := range 2 {
			p.Go(fmt.Sprint(i), func(q *sim.Proc) {
				b := make([]byte, 4)
				n, err := q.Read(fd, b)
				if err != nil {
					t.Error(err)
				}
				got = append(got, string(b[:n]))
			})
		}
		k.Run()
		if len(got) == 2 && got[0] == got[1] {
			both++
		}
		if off, err := p.Lseek(fd, 0, kern.SEEK_CUR); off != 8 || err != nil {
			t.Errorf("offset %d after %q: %v", off, got, err)
		}
	})
	if both == 0 {
		t.Error("no schedule had them read the same bytes")
	}
}

// TestConcurrentAppenders: what several append is all there, nothing mixed.
func TestConcurrentAppenders(t *testing.T) {
	seeds(t, 20, func(t *testing.T, c sim.Config) {
		k := boot(t, c)
		p := k.Init()
		for i := range 3 {
			p.Go(fmt.Sprint(i), func(q *sim.Proc) {
				fd, err := q.Open("/f", kern.O_WRONLY|kern.O_CREAT|kern.O_APPEND, 0o644)
				if err != nil {
					t.Error(err)
					return
				}
				for range 3 {
					if _, err := q.Write(fd, bytes.Repeat([]byte{'a' + byte(i)}, 10)); err != nil {
						t.Error(err)
					}
				}
				_ = q.Close(fd)
			})
		}
		k.Run()
		fd, err := p.Open("/f", kern.O_RDONLY, 0)
		if err != nil {
			t.Fatal(err)
		}
		b := make([]byte, 200)
		n, err := p.Read(fd, b)
		if n != 90 || err != nil {
			t.Fatalf("%d bytes, %v", n, err)
		}
		for i := 0; i < n; i += 10 {
			if !bytes.Equal(b[i:i+10], bytes.Repeat(b[i:i+1], 10)) {
				t.Errorf("mixed: %q", b[:n])
			}
		}
	})
}

// TestIoflags: what the flags of an open file tell the file system.
func TestIoflags(t *testing.T) {
	tb := newTable(t, sim.Config{})
	fp, _ := tb.open("/f", kern.O_RDWR|kern.O_CREAT, 0o644)
	spy := &vnode.Ops{Name: "spy"}
	var got int
	spy.Read = func(_ *kern.Lwp, _ *vnode.Vnode, _ *kern.Uio, ioflag int, _ *kern.Cred) error {
		got = ioflag
		return nil
	}
	spy.Write = spy.Read
	spy.Lock = func(*kern.Lwp, *vnode.Vnode, int) error { return nil }
	spy.Unlock = func(*kern.Lwp, *vnode.Vnode) error { return nil }
	vp, err := tb.k.V.GetNewVnode(tb.l, vnode.VT_NON, nil, spy, nil)
	tb.must(err)
	vp.Size, vp.WriteSize = 0, 0
	vp.SetType(vnode.VREG)
	real := fp.Vnode()
	fp.Attach(vfs.DTYPE_VNODE, vfs.VnodeOps{}, vp, 0)
	for _, c := range []struct {
		flags       int32
		advice      uint32
		read, write int
	}{
		{0, 0, 0, vnode.IO_UNIT},
		{kern.FNONBLOCK, 0, vnode.IO_NDELAY, vnode.IO_UNIT | vnode.IO_NDELAY},
		{kern.FALTIO | kern.FDIRECT, 0, vnode.IO_ALTSEMANTICS | vnode.IO_DIRECT, vnode.IO_UNIT | vnode.IO_ALTSEMANTICS | vnode.IO_DIRECT},
		{kern.FFSYNC, 0, 0, vnode.IO_UNIT | vnode.IO_SYNC},
		{kern.FRSYNC, 0, 0, vnode.IO_UNIT},
		{kern.FFSYNC | kern.FRSYNC, 0, vnode.IO_SYNC, vnode.IO_UNIT | vnode.IO_SYNC},
		{kern.FDSYNC, 0, 0, vnode.IO_UNIT | vnode.IO_DSYNC},
		{kern.FDSYNC | kern.FFSYNC, 0, 0, vnode.IO_UNIT | vnode.IO_SYNC},
		{kern.FAPPEND, 0, 0, vnode.IO_UNIT | vnode.IO_APPEND},
		{0, kern.POSIX_FADV_SEQUENTIAL, kern.POSIX_FADV_SEQUENTIAL, vnode.IO_UNIT | kern.POSIX_FADV_SEQUENTIAL},
	} {
		fp.ClearFlag(-1)
		fp.SetFlag(c.flags)
		fp.SetAdvice(c.advice)
		_, err := tb.move(fp, kern.UIO_READ, make([]byte, 1), 0)
		tb.must(err)
		tb.want(fmt.Sprintf("reading with %#x", c.flags), got, c.read)
		_, err = tb.move(fp, kern.UIO_WRITE, make([]byte, 1), 0)
		tb.must(err)
		tb.want(fmt.Sprintf("writing with %#x", c.flags), got, c.write)
	}
	mp := real.Mount()
	mp.SetFlag(kern.MNT_SYNCHRONOUS)
	fp.Attach(vfs.DTYPE_VNODE, vfs.VnodeOps{}, real, kern.FREAD|kern.FWRITE)
	tb.write(fp, "x", 0)
	mp.ClearFlag(kern.MNT_SYNCHRONOUS)
	spy.Inactive = func(*kern.Lwp, *vnode.Vnode) (bool, error) { return true, nil }
	spy.Reclaim = func(*kern.Lwp, *vnode.Vnode) error { return nil }
	spy.Putpages = func(l *kern.Lwp, vp *vnode.Vnode, _, _ int64, _ int) error {
		vp.Interlock.Exit(l)
		return nil
	}
	spy.Fsync = func(*kern.Lwp, *vnode.Vnode, *kern.Cred, int, int64, int64) error { return nil }
	vp.Rele(tb.l)
}

func TestIoctl(t *testing.T) {
	tb := newTable(t, sim.Config{})
	fp, _ := tb.open("/f", kern.O_RDWR|kern.O_CREAT, 0o644)
	tb.write(fp, "0123456789", -1)
	fp.SetOffset(3)
	dev, _ := tb.open("/dev/null", kern.O_RDWR, 0)
	n32, n64, neg32, neg64 := new(int32), new(int64), new(int32), new(int64)
	*n32, *neg32, *neg64 = 5, -1, -1
	for _, c := range []struct {
		what string
		fp   *vfs.File
		com  uint64
		data any
		err  error
	}{
		{"FIONREAD", fp, kern.FIONREAD, n32, nil},
		{"FIONREAD into nothing", fp, kern.FIONREAD, nil, kern.EFAULT},
		{"FIONBIO", fp, kern.FIONBIO, n32, nil},
		{"FIOASYNC", fp, kern.FIOASYNC, n32, nil},
		{"FIOGETBMAP of a negative block", fp, kern.FIOGETBMAP, neg64, kern.EINVAL},
		{"OFIOGETBMAP of a negative block", fp, kern.OFIOGETBMAP, neg32, kern.EINVAL},
		{"FIOGETBMAP into a string", fp, kern.FIOGETBMAP, "", kern.EFAULT},
		{"FIONWRITE into nothing", fp, kern.FIONWRITE, nil, kern.EFAULT},
		{"an unknown command to a device", dev, 0x1234, nil, kern.ENODEV},
		{"FIONREAD of a device", dev, kern.FIONREAD, n32, kern.ENODEV},
	} {
		if err := c.fp.Ops.Ioctl(tb.l, c.fp, c.com, c.data); err != c.err {
			t.Errorf("%s: %v, want %v", c.what, err, c.err)
		}
	}
	tb.want("bytes to read", *n32, int32(7))
	tb.must(fp.Ops.Ioctl(tb.l, fp, kern.FIONSPACE, n32))
	tb.want("space", *n32, int32(0))
	*n32, *n64 = 3, 3
	tb.must(errors.Join(fp.Ops.Ioctl(tb.l, fp, kern.FIOGETBMAP, n64), fp.Ops.Ioctl(tb.l, fp, kern.OFIOGETBMAP, n32)))
	tb.want("block", int64(*n32), *n64)
	if err := fp.Ops.Ioctl(tb.l, fp, 0x1234, nil); err == nil {
		t.Error("a file knows an unknown command")
	}
	vp := fp.Vnode()
	vp.SetType(vnode.VLNK)
	tb.want("a symlink", fp.Ops.Ioctl(tb.l, fp, kern.FIONBIO, n32), kern.EPASSTHROUGH)
	vp.SetType(vnode.VREG)
}

func TestFileStatPollFcntl(t *testing.T) {
	tb := newTable(t, sim.Config{})
	fp, _ := tb.open("/f", kern.O_RDWR|kern.O_CREAT, 0o640)
	tb.write(fp, "0123456789", -1)
	var sb kern.Stat
	tb.must(fp.Ops.Stat(tb.l, fp, &sb))
	tb.want("mode", sb.Mode, uint32(kern.S_IFREG|0o640))
	tb.want("size", sb.Size, int64(10))
	tb.want("device", sb.Rdev, kern.NODEV)
	_, err := fp.Ops.Poll(tb.l, fp, kern.POLLIN)
	tb.want("poll, which rumpfs has not", err, kern.EOPNOTSUPP)
	dev, _ := tb.open("/dev/null", kern.O_RDWR, 0)
	got, err := dev.Ops.Poll(tb.l, dev, kern.POLLIN|kern.POLLHUP)
	tb.must(err)
	tb.want("poll", got, kern.POLLIN)
	tb.must(dev.Ops.Fcntl(tb.l, dev, kern.F_SETFL, int32(0)))
	tb.want("F_GETLK is not the file system's", dev.Ops.Fcntl(tb.l, dev, kern.F_GETLK, nil), kern.EOPNOTSUPP)
	vp := fp.Vnode()
	for _, odd := range []vnode.Vtype{vnode.VNON, vnode.VBAD} {
		vp.SetType(odd)
		tb.want("stat of "+odd.String(), fp.Ops.Stat(tb.l, fp, &sb), kern.EBADF)
	}
	vp.SetType(vnode.VREG)
}

// TestConsole: what process 1 has as descriptors 0 to 2.
func TestConsole(t *testing.T) {
	var out bytes.Buffer
	k := boot(t, sim.Config{Console: &out})
	p := k.Init()
	long := bytes.Repeat([]byte("console "), 1000)
	for fd := range 3 {
		if n, err := p.Write(fd, long); n != len(long) || err != nil {
			t.Errorf("descriptor %d: %d, %v", fd, n, err)
		}
	}
	if !bytes.Equal(out.Bytes(), bytes.Repeat(long, 3)) {
		t.Errorf("%d bytes came out", out.Len())
	}
	if _, err := p.Read(0, long); err != kern.EBADF {
		t.Errorf("reading: %v", err)
	}
	sb, err := p.Fstat(1)
	if want := (kern.Stat{Mode: kern.S_IFCHR | 0o600, Atim: sb.Atim, Mtim: sb.Atim, Ctim: sb.Atim, Birthtim: sb.Atim}); sb != want || err != nil {
		t.Errorf("stat %+v, %v", sb, err)
	}
	if sb.Atim != k.K.Boottime || sb.Atim.Sec == 0 {
		t.Errorf("from %v", sb.Atim)
	}
	if _, err := p.Pread(0, long, 0); err != kern.EBADF {
		t.Errorf("pread: %v", err)
	}
	if _, err := p.Lseek(0, 0, kern.SEEK_SET); err != kern.ESPIPE {
		t.Errorf("lseek: %v", err)
	}
	if _, err := p.Fcntl(0, kern.F_SETFL, kern.O_NONBLOCK); err != kern.ENOTTY {
		t.Errorf("F_SETFL with O_NONBLOCK: %v", err)
	}
	l := kern.NewLwp(k.K, nil, "test")
	defer l.Exit()
	o := vfs.ConsoleOps{}
	short := &kern.Uio{Resid: 5, RW: kern.UIO_WRITE, Iov: [][]byte{[]byte("x")}}
	events, perr := o.Poll(l, nil, kern.POLLIN)
	for _, c := range []struct {
		what      string
		got, want error
	}{
		{"reading", o.Read(l, nil, short, 0), nil},
		{"writing what is not there", o.Write(l, nil, short, 0), kern.EFAULT},
		{"TIOCGETA", o.Ioctl(l, nil, vfs.TIOCGETA, nil), nil},
		{"another ioctl", o.Ioctl(l, nil, kern.FIONBIO, nil), kern.ENOTTY},
		{"F_SETFL", o.Fcntl(l, nil, kern.F_SETFL, nil), nil},
		{"another fcntl", o.Fcntl(l, nil, kern.F_GETFL, nil), kern.EOPNOTSUPP},
		{"poll", perr, nil},
		{"close", o.Close(l, nil), nil},
	} {
		if c.got != c.want {
			t.Errorf("%s: %v, want %v", c.what, c.got, c.want)
		}
	}
	if events != 0 {
		t.Errorf("poll: %#x", events)
	}
}

// TestFifoHasNoOffset: nothing that names an offset works on a fifo.
func TestFifoHasNoOffset(t *testing.T) {
	p := boot(t, sim.Config{}).Init()
	if err := p.Mkfifo("/fifo", 0o600); err != nil {
		t.Fatal(err)
	}
	fd, err := p.Open("/fifo", kern.O_RDWR|kern.O_NONBLOCK, 0)
	if err != nil {
		t.Fatal(err)
	}
	b := make([]byte, 1)
	_, seek := p.Lseek(fd, 0, kern.SEEK_CUR)
	_, pread := p.Pread(fd, b, 0)
	_, pwrite := p.Pwrite(fd, b, 0)
	for what, err := range map[string]error{"lseek": seek, "pread": pread, "pwrite": pwrite} {
		if err != kern.ESPIPE {
			t.Errorf("%s: %v", what, err)
		}
	}
}

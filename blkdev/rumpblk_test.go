package blkdev

import (
	"bytes"
	"fmt"
	"strings"
	"testing"

	"rumpvfs/hypercall"
	"rumpvfs/kern"
	"rumpvfs/vnode"
)

func TestRegister(t *testing.T) {
	h := hypercall.NewFaultHost(nil)
	m := newMachine(t, setup{Config: hypercall.Config{Host: h}})
	m.file("/disk", pattern(2048))
	m.file("/empty", nil)
	m.want("mkdir", h.Mkdir("/dir"), nil)
	m.want("mkfifo", h.Mkfifo("/fifo"), nil)
	register := func(path string, begin, size int64) string {
		minor, err := m.blk.Register(m.l, path, begin, size)
		return fmt.Sprint(minor, " ", name(err))
	}
	m.want("a file that is not there", register("/nosuch", 0, RUMPBLK_SIZENOTSET), "0 ENOENT")
	m.want("a directory", register("/dir", 0, RUMPBLK_SIZENOTSET), "0 EINVAL")
	m.want("a fifo", register("/fifo", 0, RUMPBLK_SIZENOTSET), "0 EINVAL")
	m.want("a file", register("/disk", 512, 1024), "0 <nil>")
	m.want("again, whatever the window", register("/disk", 0, RUMPBLK_SIZENOTSET), "0 <nil>")
	m.want("by another name", register("//disk", 0, RUMPBLK_SIZENOTSET), "1 <nil>")
	m.want("an empty one, with its size", register("/empty", 0, 0), "2 <nil>")

	h.SetFaults(hypercall.Fault{Op: hypercall.OpOpen, Err: hypercall.HostErrno(kern.EMFILE)})
	m.want("one that cannot be opened", register("/./disk", 0, 512), "0 EMFILE")
	h.SetFaults()
	for i := 3; i < RumpblkMinors; i++ {
		m.want("another", register("/"+strings.Repeat("./", i)+"disk", 0, 512), fmt.Sprint(i, " <nil>"))
	}
	m.file("/last", []byte("x"))
	m.want("one too many", register("/last", 0, 0), "0 EBUSY")
	m.want("deregister", m.blk.Deregister(m.l, "//disk"), nil)
	m.want("deregister again", m.blk.Deregister(m.l, "//disk"), "ENOENT")
	m.want("its minor number is free", register("/last", 0, 0), "1 <nil>")
	m.want("descriptors", h.OpenFDs(), RumpblkMinors)

	m.want("deregister", m.blk.Deregister(m.l, "/last"), nil)
	m.want("a window beyond the end", kernelPanic(t, func() { register("/last", 1, 1) }),
		`kernel diagnostic assertion "size + offset <= flen" failed`)
	m.blk.giveMinor(m.l, 1)
	m.want("a window that begins at the end", kernelPanic(t, func() { register("/last", 1, RUMPBLK_SIZENOTSET) }),
		`kernel diagnostic assertion "offset < flen" failed`)
	m.end()
}

// The host's permissions decide how a device can be opened.
func TestOpenDevice(t *testing.T) {
	h := hypercall.NewFaultHost(nil, hypercall.Fault{Op: hypercall.OpOpen, Nth: 1, Err: hypercall.HostErrno(kern.EACCES)})
	m := newMachine(t, setup{Config: hypercall.Config{Host: h}})
	m.file("/ro", pattern(512))
	m.file("/rw", pattern(512))
	ro, rw := m.register("/ro"), m.register("/rw")
	for _, c := range []struct {
		dev  kern.Dev
		flag int
		want error
	}{
		{ro, kern.FREAD, nil},
		{ro, kern.FWRITE, kern.EACCES},
		{ro, kern.FREAD | kern.FWRITE, kern.EACCES},
		{rw, kern.FREAD | kern.FWRITE | kern.FNONBLOCK, nil},
		{kern.Makedev(RUMPBLK_DEVMAJOR, 5), kern.FREAD, kern.ENXIO},
		{kern.Makedev(RUMPBLK_DEVMAJOR, RumpblkMinors), kern.FREAD, kern.ENXIO},
	} {
		m.want(fmt.Sprint("open ", c.dev.Minor(), c.flag), m.blk.Open(m.l, c.dev, c.flag), c.want)
	}
	m.want("close", m.blk.Close(m.l, rw, kern.FREAD), nil)
	m.want("type", m.blk.Type(), D_DISK)
	events, err := m.blk.Poll(m.l, rw, kern.POLLIN|kern.POLLPRI|kern.POLLOUT)
	m.want("poll", fmt.Sprint(events, err), fmt.Sprint(kern.POLLIN|kern.POLLOUT, nil))
	m.end()
}

func TestMinorBeyondTheTable(t *testing.T) {
	m := newMachine(t, setup{quirks: kern.Rev1125})
	m.want("open", kernelPanic(t, func() { m.blk.Open(m.l, kern.Makedev(RUMPBLK_DEVMAJOR, 16), kern.FREAD) }),
		"undefined: rumpblk-minor")
	m.end()
}

func TestDiskIoctls(t *testing.T) {
	m := newMachine(t, setup{})
	m.file("/a", pattern(512))
	m.file("/b", pattern(1300))
	m.register("/a")
	dev := m.register("/b")
	var lp Disklabel
	m.want("DIOCGDINFO", m.blk.Ioctl(m.l, dev, DIOCGDINFO, &lp, kern.FREAD), nil)
	want := Disklabel{Magic: DISKMAGIC, Magic2: DISKMAGIC, Type: DTYPE_RUMPD, Typename: "rumpd", Packname: "fictitious",
		Secsize: 512, Nsectors: 2, Ntracks: 1, Ncylinders: 1, Secpercyl: 2, Secperunit: 1300, RPM: 11, Interleave: 1, Npartitions: 2}
	want.Partitions[1].Size = 2
	m.want("label", lp, want)
	var pi Partinfo
	m.want("DIOCGPART", m.blk.Ioctl(m.l, dev, DIOCGPART, &pi, kern.FREAD), nil)
	m.want("partition", fmt.Sprint(*pi.Part, pi.Size()), fmt.Sprint(Partition{Size: 2}, 1024))
	m.want("DIOCCACHESYNC", m.blk.Ioctl(m.l, dev, DIOCCACHESYNC, nil, kern.FWRITE), nil)
	m.want("media size", m.blk.Ioctl(m.l, dev, 0x40086484, new(int64), kern.FREAD), "ENOTTY")
	m.want("DIOCGDINFO to nowhere", m.blk.Ioctl(m.l, dev, DIOCGDINFO, nil, kern.FREAD), "EFAULT")
	m.want("DIOCGPART to nowhere", m.blk.Ioctl(m.l, dev, DIOCGPART, &lp, kern.FREAD), "EFAULT")
	m.want("deregister", m.blk.Deregister(m.l, "/b"), nil)
	m.want("DIOCGDINFO of none", m.blk.Ioctl(m.l, dev, DIOCGDINFO, &lp, kern.FREAD), nil)
	m.want("label of none", lp, Disklabel{})
	_, err := Part(m.l, Null{}, dev)
	m.want("partition of /dev/null", err, "ENOTTY")
	m.end()
}

// transfer makes a synchronous transfer and tells how it went.
func (m *machine) transfer(dev kern.Dev, flags uint32, blkno int64, data []byte) string {
	bp := m.GetIOBuf(m.l)
	defer vnode.PutIOBuf(m.l, bp)
	bp.Dev, bp.Flags, bp.Cflags, bp.Blkno = dev, flags, vnode.BC_BUSY, blkno
	bp.Data, bp.Bcount, bp.Bufsize = data, len(data), len(data)
	m.blk.Strategy(m.l, bp)
	err := vnode.Biowait(m.l, bp)
	return fmt.Sprint(bp.Bcount-bp.Resid, " ", bp.Resid, " ", name(err))
}

// A transfer ends where the device ends, a read of a block there gives NUL
// bytes for the rest.
func TestStrategyBounds(t *testing.T) {
	tail := kern.Fixed.With(kern.QuirkBlkTail)
	for _, w := range []struct {
		begin, size int64
		quirks      kern.Quirks
	}{{0, 2500, tail}, {512, 2500, tail}, {100, 2500, tail}, {100, 2500, kern.Fixed}} {
		m := newMachine(t, setup{quirks: w.quirks})
		// short is the outcome of a transfer that the end cuts off.
		short := func(done, n int) string {
			if w.quirks.Has(kern.QuirkBlkTail) {
				return fmt.Sprint(done, " 0 <nil>")
			}
			return fmt.Sprint(done, " ", n-done, " <nil>")
		}
		disk := pattern(4000)
		m.file("/disk", disk)
		minor, err := m.blk.Register(m.l, "/disk", w.begin, w.size)
		m.want("register", err, nil)
		dev := kern.Makedev(RUMPBLK_DEVMAJOR, minor)
		window := disk[w.begin : w.begin+w.size]
		for _, c := range []struct {
			blkno int64
			n     int
			want  string // done, residue, error
		}{
			{0, 512, "512 0 <nil>"},
			{1, 1024, "1024 0 <nil>"},
			{4, 512, short(452, 512)},
			{0, 4096, short(2500, 4096)},
			{5, 512, "0 512 EINVAL"},
			{1 << 40, 512, "0 512 EINVAL"},
			{1<<54 - 1, 1024, "0 1024 EINVAL"},
			{0, 100, "0 100 EINVAL"},
			{-1, 512, "0 512 EINVAL"},
			{0, 0, "0 0 <nil>"},
		} {
			b := bytes.Repeat([]byte{0xee}, c.n)
			m.want(fmt.Sprintf("%v: read %d at %d", w, c.n, c.blkno), m.transfer(dev, vnode.B_READ, c.blkno, b), c.want)
			var n int
			if fmt.Sscan(c.want, &n); n > 0 && !bytes.Equal(b[:n], window[c.blkno*512:][:n]) {
				t.Errorf("%v: read %d at %d: other bytes", w, c.n, c.blkno)
			}
			if n > 0 && len(bytes.Trim(b[n:], "\x00")) != 0 {
				t.Errorf("%v: read %d at %d: %x after the end", w, c.n, c.blkno, b[n:])
			}
		}
		x := bytes.Repeat([]byte{'x'}, 512)
		m.want("write", m.transfer(dev, vnode.B_WRITE, 1, x), "512 0 <nil>")
		m.want("write at the end", m.transfer(dev, vnode.B_WRITE, 4, x), short(452, 512))
		copy(window[512:1024], x)
		copy(window[2048:], x)
		if !bytes.Equal(m.data("/disk"), disk) {
			t.Errorf("%v: the file is other than what was written", w)
		}
		m.want("raw read of the end", m.transfer(dev, vnode.B_READ|vnode.B_PHYS, 4, x), short(452, 512))
		m.want("what follows is the caller's", string(x[452:]), strings.Repeat("x", 60))
		m.want("stats", m.blk.Stats(), RumpblkStats{Total: 12, Reads: 10, Bwrite: 1024})
		m.end()
	}
}

func TestAtTheEnd(t *testing.T) {
	m := newMachine(t, setup{})
	m.file("/disk", pattern(1024))
	dev := m.register("/disk")
	m.want("read", m.transfer(dev, vnode.B_READ, 2, make([]byte, 512)), "0 512 <nil>")
	m.want("write", m.transfer(dev, vnode.B_WRITE, 2, make([]byte, 512)), "0 512 <nil>")
	m.want("deregister", m.blk.Deregister(m.l, "/disk"), nil)
	m.want("none there", m.transfer(dev, vnode.B_READ, 0, make([]byte, 512)), "0 512 EBADF")
	m.end()
}

// Whatever happens to the file of the host, a transfer says so.
func TestHostFails(t *testing.T) {
	h := hypercall.NewFaultHost(nil)
	m := newMachine(t, setup{Config: hypercall.Config{Host: h}})
	m.file("/disk", pattern(1024))
	dev := m.register("/disk")
	b := make([]byte, 1024)
	h.SetFaults(hypercall.Fault{Op: hypercall.OpReadAt, Err: hypercall.HostErrno(kern.EIO)})
	m.want("read", m.transfer(dev, vnode.B_READ, 0, b), "0 1024 EIO")
	h.SetFaults(hypercall.Fault{Op: hypercall.OpWriteAt, Short: true, Limit: 100, Err: hypercall.HostErrno(kern.ENOSPC)})
	m.want("write", m.transfer(dev, vnode.B_WRITE, 0, b), "0 1024 ENOSPC")
	h.SetFaults(hypercall.Fault{Op: hypercall.OpWriteAt, Short: true, Limit: 100})
	m.want("short write", m.transfer(dev, vnode.B_WRITE, 0, b), "100 924 <nil>")
	h.SetFaults(hypercall.Fault{Op: hypercall.OpSync, Err: hypercall.HostErrno(kern.EIO)})
	m.want("a write that is not synchronised", m.transfer(dev, vnode.B_WRITE, 0, b), "1024 0 <nil>")
	m.want("syncs", h.Calls(hypercall.OpSync), 1)
	h.SetFaults()
	m.want("truncate", h.Truncate("/disk", 300), nil)
	m.want("read of a file that shrank", m.transfer(dev, vnode.B_READ, 0, b), "300 724 <nil>")
	m.want("error of another kind", hostError(fmt.Errorf("whatever")), "EIO")
	m.end()
}

func TestRumpblkParams(t *testing.T) {
	for _, c := range []struct {
		params  string
		err     string
		console string
		fail    uint32
		seed    uint32
		shift   uint
	}{
		{"", "<nil>", "", 0, 0, 9},
		{"RUMP_BLKFAIL=0 RUMP_BLKFAIL_SEED=7", "<nil>", "rumpblk: 0 of 10000 transfers will fail, seed 7\n", 0, 7, 9},
		{"RUMP_BLKFAIL=500 RUMP_BLKFAIL_SEED=4294967295", "<nil>",
			"rumpblk: 500 of 10000 transfers will fail, seed 4294967295\n", 500, 4294967295, 9},
		{"RUMP_BLKFAIL=99999 RUMP_BLKFAIL_SEED=1", "<nil>", "rumpblk: 10000 of 10000 transfers will fail, seed 1\n", 10000, 1, 9},
		{"RUMP_BLKFAIL=-1", `RUMP_BLKFAIL="-1": not a number below 2^31`, "", 0, 0, 0},
		{"RUMP_BLKFAIL=1 RUMP_BLKFAIL_SEED=4294967296", `RUMP_BLKFAIL_SEED="4294967296": not a number below 2^32`, "", 0, 0, 0},
		{"RUMP_BLKSECTSHIFT=11", "<nil>", "rumpblk: sectors of 2048 bytes\n", 0, 0, 11},
		{"RUMP_BLKSECTSHIFT=8", "<nil>", "rumpblk: RUMP_BLKSECTSHIFT 8 is less than 9\nrumpblk: sectors of 512 bytes\n", 0, 0, 9},
		{"RUMP_BLKSECTSHIFT=31", "RUMP_BLKSECTSHIFT=31: more than 30", "", 0, 0, 0},
		{"RUMP_BLKSECTSHIFT=x", `RUMP_BLKSECTSHIFT="x": not a number below 2^32`, "", 0, 0, 0},
	} {
		params := map[string]string{}
		for _, p := range strings.Fields(c.params) {
			name, value, _ := strings.Cut(p, "=")
			params[name] = value
		}
		var console bytes.Buffer
		k := kern.NewKernel(hypercall.NewSystem(hypercall.Config{Params: params, Console: &console}), 0)
		d, err := NewRumpblk(&vnode.System{K: k})
		if fmt.Sprint(err) != c.err {
			t.Errorf("%s: %v", c.params, err)
		}
		if err == nil && (d.blkfail != c.fail || d.randstate != c.seed || d.sectshift != c.shift || console.String() != c.console) {
			t.Errorf("%s: fail %d, seed %d, shift %d, console %q", c.params, d.blkfail, d.randstate, d.sectshift, console.String())
		}
	}
	seeds := map[uint32]bool{}
	for seed := range uint64(4) {
		k := kern.NewKernel(hypercall.NewSystem(hypercall.Config{Mode: hypercall.Deterministic, Seed: seed,
			Params: map[string]string{"RUMP_BLKFAIL": "1"}}), 0)
		d, err := NewRumpblk(&vnode.System{K: k})
		if err != nil {
			t.Fatal(err)
		}
		seeds[d.randstate] = true
	}
	if len(seeds) != 4 {
		t.Errorf("without a seed the sequence is always the same: %v", seeds)
	}
}

func TestSectors(t *testing.T) {
	m := newMachine(t, setup{Config: hypercall.Config{Params: map[string]string{"RUMP_BLKSECTSHIFT": "12"}}})
	m.file("/disk", pattern(10000))
	dev := m.register("/disk")
	m.want("half a sector", m.transfer(dev, vnode.B_READ, 0, make([]byte, 2048)), "0 2048 EINVAL")
	m.want("a sector", m.transfer(dev, vnode.B_READ, 8, make([]byte, 4096)), "4096 0 <nil>")
	pi, err := m.blk.Part(m.l, dev)
	m.want("partition", fmt.Sprint(pi.Size(), pi.Disklab.Secsize, err), "8192 4096 <nil>")
	m.end()
}

// The generator is the one that C libraries used to have, and says which of
// the transfers fail. The first numbers of seed 1 were computed by hand:
//
//	1 * 1103515245 + 12345                            = 1103527590
//	1103527590 * 1103515245 + 12345 mod 2^32          = 2524885223; mod 2^31 = 377401575
func TestBlkfail(t *testing.T) {
	m := newMachine(t, setup{Config: hypercall.Config{Params: map[string]string{"RUMP_BLKFAIL": "5000", "RUMP_BLKFAIL_SEED": "1"}}})
	for i, want := range []uint32{1103527590, 377401575, 662824084} {
		m.want(fmt.Sprint("number ", i), m.blk.gimmerand(m.l), want)
	}
	// 1103527590 mod 10000 = 7590, 1575, 4084: the first passes, two fail.
	m.blk.randstate = 1
	m.file("/disk", pattern(512))
	dev := m.register("/disk")
	b := make([]byte, 512)
	m.want("7590", m.transfer(dev, vnode.B_READ, 0, b), "512 0 <nil>")
	m.want("1575", m.transfer(dev, vnode.B_READ, 0, b), "0 512 EIO")
	m.want("4084", m.transfer(dev, vnode.B_WRITE, 0, b), "0 512 EIO")
	m.want("stats", m.blk.Stats(), RumpblkStats{Total: 1, Reads: 1})
	m.end()
}

// Every transfer fails, and of the raw device the reference believes that all
// was done.
func TestBlkfailRaw(t *testing.T) {
	for _, q := range []kern.Quirks{kern.Rev1125, kern.Fixed} {
		var console bytes.Buffer
		m := newMachine(t, setup{quirks: q, Config: hypercall.Config{Console: &console,
			Params: map[string]string{"RUMP_BLKFAIL": "10000", "RUMP_BLKFAIL_SEED": "1"}}})
		m.file("/disk", pattern(512))
		dev := m.register("/disk")
		console.Reset()
		read := func() error { return m.blk.Read(m.l, dev, m.uio(kern.UIO_READ, 0, 512), 0) }
		if q == kern.Fixed {
			m.want("read", read(), "EIO")
			m.want("console", console.String(), "rumpblk: fault injected at block 0\n")
			m.end()
			continue
		}
		m.want("read", kernelPanic(t, func() { read() }), `kernel diagnostic assertion "bp->b_error == 0" failed`)
	}
}

package specfs_test

import (
	"bytes"
	"fmt"
	"runtime"
	"slices"
	"testing"

	"pgregory.net/rapid"

	"rumpvfs/blkdev"
	"rumpvfs/hypercall"
	"rumpvfs/kern"
	"rumpvfs/rumpfs"
	"rumpvfs/sim"
	"rumpvfs/specfs"
	"rumpvfs/vnode"
)

const bsize = kern.BLKDEV_IOSIZE

// tester is what testing.TB and rapid.T have in common.
type tester interface {
	Helper()
	Errorf(format string, args ...any)
	Fatal(args ...any)
}

// disk is a kernel with a block device /blk that is the file /disk of its host.
type disk struct {
	tester
	k    *sim.Kernel
	p    *sim.Proc
	host *hypercall.FaultHost
}

func newDisk(t tester, c sim.Config, data []byte) *disk {
	t.Helper()
	d := &disk{tester: t, host: hypercall.NewFaultHost(nil)}
	d.write("/disk", data)
	c.Host = d.host
	k, err := sim.Boot(c)
	if err != nil {
		t.Fatal(err)
	}
	d.k, d.p = k, k.Init()
	d.want("register", k.EtfsRegister("/blk", "/disk", rumpfs.RUMP_ETFS_BLK), nil)
	return d
}

func (d *disk) write(path string, data []byte) {
	d.Helper()
	if _, err := d.host.WriteFile(path, data); err != nil {
		d.Fatal(err)
	}
}

// holds checks what the file of the host holds.
func (d *disk) holds(what string, want []byte) {
	d.Helper()
	got, err := d.host.ReadFile("/disk")
	if err != nil || !bytes.Equal(got, want) {
		d.Errorf("%s: the host's file is another, %v", what, err)
	}
}

func (d *disk) want(what string, got, want any) {
	d.Helper()
	if fmt.Sprint(got) != fmt.Sprint(want) {
		d.Errorf("%s: %v, want %v", what, got, want)
	}
}

func (d *disk) open(path string, flags int) int {
	d.Helper()
	fd, err := d.p.Open(path, flags, 0)
	if err != nil {
		d.Fatal(err)
	}
	return fd
}

// pread and pwrite tell what the calls of these names answer.
func (d *disk) pread(fd, n int, off int64) string {
	b := make([]byte, n)
	n, err := d.p.Pread(fd, b, off)
	return outcome(b[:n], n, err)
}

func (d *disk) pwrite(fd int, b []byte, off int64) string {
	n, err := d.p.Pwrite(fd, b, off)
	return outcome(nil, n, err)
}

func outcome(b []byte, n int, err error) string {
	if e, ok := err.(kern.Errno); ok {
		return e.Name()
	}
	if err != nil {
		return err.Error()
	}
	return fmt.Sprintf("%d %.20q", n, b)
}

func (d *disk) shutdown() {
	d.Helper()
	d.want("shutdown", d.k.Shutdown(), nil)
	d.want("host descriptors", d.host.OpenFDs(), 0)
}

func TestBlockDevice(t *testing.T) {
	data := bytes.Repeat([]byte("0123456789abcdef"), 5*bsize/16)
	d := newDisk(t, sim.Config{Mode: hypercall.Deterministic}, data)
	fd := d.open("/blk", kern.O_RDWR)
	d.want("read", d.pread(fd, 10, 2040), `10 "89abcdef01"`)
	d.want("read nothing", d.pread(fd, 0, 0), `0 ""`)
	d.want("the end", d.pread(fd, 10, 5*bsize-4), `4 "cdef"`)
	d.want("at the end", d.pread(fd, 10, 5*bsize), `0 ""`)
	d.want("behind the end", d.pread(fd, 10, 6*bsize), "EINVAL")
	d.want("into what is behind the end", d.pread(fd, 3*bsize, 4*bsize), fmt.Sprintf("%d %.20q", bsize, data))
	d.want("before the begin", d.pread(fd, 10, -1), "EINVAL")
	d.want("before the begin", d.pwrite(fd, []byte("x"), -1), "EINVAL")
	d.want("write nothing", d.pwrite(fd, nil, -1), `0 ""`)
	n, err := d.p.PreadN(fd, make([]byte, 100), 200, 0)
	d.want("less memory than promised", outcome(nil, n, err), "EFAULT")

	d.want("write", d.pwrite(fd, []byte("X"), 7), `1 ""`)
	d.want("write of a block", d.pwrite(fd, bytes.Repeat([]byte{'B'}, bsize), bsize), fmt.Sprintf(`%d ""`, bsize))
	d.want("write to a block's end", d.pwrite(fd, []byte("EE"), 3*bsize-2), `2 ""`)
	d.want("write over two", d.pwrite(fd, []byte("2222"), 4*bsize-2), `4 ""`)
	d.want("write over the end", d.pwrite(fd, []byte("9999"), 5*bsize-2), `2 ""`)
	d.want("a block at the end, which is no error", d.pwrite(fd, make([]byte, bsize), 5*bsize), `0 ""`)
	d.want("behind the end", d.pwrite(fd, make([]byte, bsize), 6*bsize), "EINVAL")
	d.want("behind the end", d.pwrite(fd, make([]byte, 1), 6*bsize), "EINVAL")
	copy(data[bsize:], bytes.Repeat([]byte{'B'}, bsize))
	copy(data[3*bsize-2:], "EE")
	copy(data[4*bsize-2:], "22")
	copy(data[5*bsize-2:], "99")
	copy(data[4*bsize:], "22") // with the rest of its block
	d.holds("blocks that were written to their end", data)
	copy(data[7:], "X")
	d.want("fsync", d.p.Fsync(fd), nil)
	d.holds("fsync", data)
	d.want("write", d.pwrite(fd, []byte("c"), 0), `1 ""`)
	data[0] = 'c'
	d.want("close", d.p.Close(fd), nil)
	d.holds("close", data)

	// Nothing is kept beyond the last close: the medium may be another.
	copy(data, "other medium")
	d.write("/disk", data)
	fd = d.open("/blk", kern.O_RDONLY)
	d.want("read", d.pread(fd, 12, 0), `12 "other medium"`)
	d.shutdown()
}

// A device that ends within a block is filled up with NUL bytes, in which
// writes are seen until the block leaves memory. If it ends within a sector, its
// last block can only be written if it was in memory already.
func TestOddDevice(t *testing.T) {
	data := bytes.Repeat([]byte{'A'}, 1000)
	d := newDisk(t, sim.Config{}, data)
	fd := d.open("/blk", kern.O_RDWR)
	d.want("write", d.pwrite(fd, []byte("lost"), 0), `4 ""`)
	d.want("fsync", d.p.Fsync(fd), nil)
	d.holds("fsync", data)
	d.want("write to the end of a block", d.pwrite(fd, []byte("lost"), bsize-4), "EINVAL")
	d.want("read", d.pread(fd, 5, 998), `5 "AA\x00\x00\x00"`)
	d.want("write", d.pwrite(fd, []byte("Bcd"), 999), `3 ""`)
	d.want("read", d.pread(fd, 5, 998), `5 "ABcd\x00"`)
	data[999] = 'B'
	d.want("close", d.p.Close(fd), nil)
	d.holds("close", data)
	fd = d.open("/blk", kern.O_RDWR)
	d.want("read", d.pread(fd, 5, 998), `5 "AB\x00\x00\x00"`)
	d.want("the next block", d.pread(fd, 5, bsize), "EINVAL")
	d.shutdown()
}

// Without the quirk it ends where it ends.
func TestOddDeviceFixed(t *testing.T) {
	data := bytes.Repeat([]byte{'A'}, 1000)
	d := newDisk(t, sim.Config{Without: kern.Rev1125}, data)
	fd := d.open("/blk", kern.O_RDWR)
	d.want("write", d.pwrite(fd, []byte("kept"), 0), `4 ""`)
	d.want("write over the end", d.pwrite(fd, []byte("Bcd"), 999), `1 ""`)
	d.want("write at the end", d.pwrite(fd, []byte("Bcd"), 1000), `0 ""`)
	d.want("read", d.pread(fd, 5, 998), `2 "AB"`)
	d.want("read in the last block", d.pread(fd, 5, 1500), `0 ""`)
	copy(data, "kept")
	data[999] = 'B'
	d.want("write all", d.pwrite(fd, make([]byte, bsize), 0), `1000 ""`)
	d.want("fsync", d.p.Fsync(fd), nil)
	d.holds("fsync", make([]byte, 1000))
	d.shutdown()
}

// blockModel is what the calls on a block device of size bytes answer.
type blockModel struct {
	size  int
	tail  bool   // QuirkBlkTail
	disk  []byte // up to the end of the last block
	atEnd bool   // the block at the end is in memory
}

func newBlockModel(data []byte, tail bool) *blockModel {
	mo := &blockModel{size: len(data), tail: tail, disk: make([]byte, (len(data)+bsize-1)/bsize*bsize)}
	copy(mo.disk, data)
	return mo
}

// block does one block of a transfer: do is given what is there.
func (mo *blockModel) block(off, n int, write bool, do func(b []byte)) (int, string) {
	start, on := off/bsize*bsize, off%bsize
	n = min(n, bsize-on)
	switch {
	case start > mo.size:
		return 0, "EINVAL"
	case start == mo.size:
		// With the quirk a block that is not in memory is not read before
		// all of it is written; its driver has no objection.
		whole := mo.tail && write && n == bsize && !mo.atEnd
		mo.atEnd = true
		if whole {
			return n, ""
		}
		return 0, ""
	case !mo.tail:
		n = min(n, max(mo.size-off, 0))
	}
	do(mo.disk[off : off+n])
	return n, ""
}

func (mo *blockModel) transfer(off, n int, write bool, do func(b []byte)) string {
	done := 0
	for done < n {
		k, err := mo.block(off+done, n-done, write, do)
		if err != "" {
			return err
		}
		if k == 0 {
			break
		}
		done += k
	}
	return fmt.Sprint(done)
}

// reopened is what is left when the device was closed.
func (mo *blockModel) reopened() {
	clear(mo.disk[mo.size:])
	mo.atEnd = false
}

// TestBlockDeviceModel reads and writes at random, and compares with the model
// and, whenever all should be written, with the host's file.
func TestBlockDeviceModel(t *testing.T) {
	t.Run("rev1125", func(t *testing.T) {
		size := rapid.Map(rapid.IntRange(1, 24), func(n int) int { return n * 512 })
		rapid.Check(t, func(rt *rapid.T) { testBlockModel(rt, 0, size.Draw(rt, "size")) })
	})
	t.Run("fixed", func(t *testing.T) {
		size := rapid.OneOf(rapid.IntRange(1, 6*bsize), rapid.Map(rapid.IntRange(1, 6), func(n int) int { return n * bsize }))
		rapid.Check(t, func(rt *rapid.T) { testBlockModel(rt, kern.Rev1125, size.Draw(rt, "size")) })
	})
}

func testBlockModel(rt *rapid.T, fixed kern.Quirks, size int) {
	data := make([]byte, size)
	for i := range data {
		data[i] = byte(i*7 + i>>8)
	}
	d := newDisk(rt, sim.Config{Mode: hypercall.Deterministic, Without: fixed}, data)
	mo := newBlockModel(data, !fixed.Has(kern.QuirkBlkTail))
	fd := d.open("/blk", kern.O_RDWR)
	offset := rapid.OneOf(rapid.IntRange(0, size+2*bsize), rapid.Map(rapid.IntRange(0, size/512+4), func(n int) int { return n * 512 }))
	length := rapid.OneOf(rapid.IntRange(1, 3*bsize), rapid.Just(bsize), rapid.Just(512))
	rt.Repeat(map[string]func(*rapid.T){
		"read": func(rt *rapid.T) {
			off, b := offset.Draw(rt, "offset"), make([]byte, length.Draw(rt, "length"))
			var want []byte
			answer := mo.transfer(off, len(b), false, func(p []byte) { want = append(want, p...) })
			n, err := d.p.Pread(fd, b, int64(off))
			if got := told(n, err); got != answer || err == nil && !bytes.Equal(b[:n], want) {
				rt.Fatalf("%d bytes at %d: %s, want %s", len(b), off, got, answer)
			}
		},
		"write": func(rt *rapid.T) {
			off, b := offset.Draw(rt, "offset"), bytes.Repeat([]byte{rapid.Byte().Draw(rt, "byte")}, length.Draw(rt, "length"))
			rest := b
			answer := mo.transfer(off, len(b), true, func(p []byte) { rest = rest[copy(p, rest):] })
			if got := told(d.p.Pwrite(fd, b, int64(off))); got != answer {
				rt.Fatalf("%d bytes at %d: %s, want %s", len(b), off, got, answer)
			}
		},
		"fsync": func(*rapid.T) {
			d.want("fsync", d.p.Fsync(fd), nil)
			d.holds("fsync", mo.disk[:size])
		},
		"close": func(*rapid.T) {
			d.want("close", d.p.Close(fd), nil)
			d.holds("close", mo.disk[:size])
			mo.reopened()
			fd = d.open("/blk", kern.O_RDWR)
		},
	})
	d.shutdown()
	d.holds("shutdown", mo.disk[:size])
}

// told is a count or an errno in words.
func told(n int, err error) string {
	if e, ok := err.(kern.Errno); ok {
		return e.Name()
	}
	return fmt.Sprint(n)
}

// TestDiskFails has the host's file fail under a device.
func TestDiskFails(t *testing.T) {
	data := bytes.Repeat([]byte{'A'}, 4*bsize)
	d := newDisk(t, sim.Config{}, data)
	fd := d.open("/blk", kern.O_RDWR)
	fail := func(op hypercall.HostOp, e kern.Errno) {
		d.host.SetFaults(hypercall.Fault{Op: op, Err: hypercall.HostErrno(e)})
	}
	fail(hypercall.OpReadAt, kern.EIO)
	d.want("read", d.pread(fd, 10, 0), "EIO")
	d.want("write of a part", d.pwrite(fd, []byte("x"), 0), "EIO")
	fail(hypercall.OpWriteAt, kern.ENOSPC)
	d.want("write of a block", d.pwrite(fd, make([]byte, bsize), 0), "ENOSPC")
	d.want("write of a part", d.pwrite(fd, []byte("x"), 0), `1 ""`)
	d.want("read", d.pread(fd, 2, 0), `2 "xA"`)
	d.want("fsync, as in the reference", d.p.Fsync(fd), nil)
	d.host.SetFaults()
	d.want("what could not be written is lost", d.pread(fd, 2, 0), `2 "AA"`)
	d.holds("the host", data)

	d.want("write of a part", d.pwrite(fd, []byte("y"), 3*bsize), `1 ""`)
	fail(hypercall.OpWriteAt, kern.EIO)
	d.want("close", d.p.Close(fd), nil)
	d.host.SetFaults()
	d.holds("the host", data)

	fd = d.open("/blk", kern.O_RDWR)
	d.want("truncate", d.host.Truncate("/disk", 100), nil)
	d.want("a file that shrank", d.pread(fd, 200, 0), fmt.Sprintf("200 %.20q", data))
	d.want("a file that shrank", d.pread(fd, 10, bsize), `0 ""`)
	d.shutdown()
}

// TestBlkfail is the driver's own fault injection seen from above.
func TestBlkfail(t *testing.T) {
	d := newDisk(t, sim.Config{Params: map[string]string{"RUMP_BLKFAIL": "10000", "RUMP_BLKFAIL_SEED": "1"}}, make([]byte, 4*bsize))
	fd := d.open("/blk", kern.O_RDWR)
	d.want("read", d.pread(fd, 10, 0), "EIO")
	d.want("write of a block", d.pwrite(fd, make([]byte, bsize), 0), "EIO")
	d.want("write of a part", d.pwrite(fd, []byte("x"), 0), "EIO")
	d.shutdown()
	if k, err := sim.Boot(sim.Config{Params: map[string]string{"RUMP_BLKFAIL": "x"}}); err == nil || k != nil {
		t.Error("RUMP_BLKFAIL=x boots")
	}
}

// TestRawDevice: the character device is the same file without the cache.
func TestRawDevice(t *testing.T) {
	data := bytes.Repeat([]byte("0123456789abcdef"), 100<<10/16)
	d := newDisk(t, sim.Config{}, data)
	d.want("register", d.k.EtfsRegister("/raw", "/disk", rumpfs.RUMP_ETFS_CHR), nil)
	fd, blk := d.open("/raw", kern.O_RDWR), d.open("/blk", kern.O_RDWR)
	d.want("read", d.pread(fd, 512, 1024), fmt.Sprintf("512 %.20q", data))
	d.want("read all", d.pread(fd, len(data)+1024, 0), fmt.Sprintf("%d %.20q", len(data), data))
	d.want("not a sector", d.pread(fd, 100, 0), "EINVAL")
	d.want("not at a sector", d.pread(fd, 512, 100), "EINVAL")
	d.want("write", d.pwrite(fd, bytes.Repeat([]byte{'W'}, 512), 512), `512 ""`)
	d.want("the block device has it", d.pread(blk, 4, 510), `4 "efWW"`)
	d.want("write to the cache", d.pwrite(blk, []byte("cached"), 0), `6 ""`)
	d.want("the raw device does not have it", d.pread(fd, 512, 0), fmt.Sprintf("512 %.20q", data))
	d.want("fsync", d.p.Fsync(blk), nil)
	d.want("now it does", d.pread(fd, 512, 0), `512 "cached6789abcdef0123"`)
	d.shutdown()
}

// TestRemovedWhileOpen takes the file away below an open device: what was not
// written is lost, nothing is left over.
func TestRemovedWhileOpen(t *testing.T) {
	data := bytes.Repeat([]byte{'A'}, 4*bsize)
	d := newDisk(t, sim.Config{Mode: hypercall.Deterministic}, data)
	fd := d.open("/blk", kern.O_RDWR)
	d.want("write", d.pwrite(fd, []byte("lost"), 0), `4 ""`)
	d.want("remove", d.k.EtfsRemove("/blk"), nil)
	d.want("read", d.pread(fd, 1, 0), "EIO")
	d.want("write", d.pwrite(fd, []byte("x"), 0), "EIO")
	_, err := d.p.Open("/blk", kern.O_RDONLY, 0)
	d.want("open", err, kern.ENOENT)
	d.want("register again", d.k.EtfsRegister("/blk", "/disk", rumpfs.RUMP_ETFS_BLK), nil)
	again := d.open("/blk", kern.O_RDONLY)
	d.want("read", d.pread(again, 4, 0), `4 "AAAA"`)
	d.want("read by the old descriptor", d.pread(fd, 1, 0), "EIO")
	d.want("close", d.p.Close(fd), nil)
	d.want("revoke", d.p.Revoke("/blk"), nil)
	d.want("read", d.pread(again, 4, 0), "EIO")
	d.holds("the host", data)
	d.shutdown()
}

// A device of the host that can only be read.
func TestReadOnlyDisk(t *testing.T) {
	host := hypercall.NewFaultHost(nil, hypercall.Fault{Op: hypercall.OpOpen, Nth: 1, Err: hypercall.HostErrno(kern.EACCES)})
	k, err := sim.Boot(sim.Config{Host: host})
	if err != nil {
		t.Fatal(err)
	}
	d := &disk{tester: t, k: k, p: k.Init(), host: host}
	d.write("/disk", make([]byte, 512))
	d.want("register", k.EtfsRegister("/blk", "/disk", rumpfs.RUMP_ETFS_BLK), nil)
	_, err = d.p.Open("/blk", kern.O_RDWR, 0)
	d.want("open for writing", err, kern.EACCES)
	fd := d.open("/blk", kern.O_RDONLY)
	d.want("read", d.pread(fd, 2, 0), `2 "\x00\x00"`)
	d.shutdown()
}

// partitioned is a toy that is a disk with a partition.
type partitioned struct {
	*toy
	lp    blkdev.Disklabel
	sizes []int // of the transfers
}

func (d *partitioned) Part(*kern.Lwp, kern.Dev) (blkdev.Partinfo, error) {
	return blkdev.Partinfo{Disklab: &d.lp, Part: &d.lp.Partitions[0]}, d.fail
}

func (d *partitioned) Strategy(l *kern.Lwp, bp *vnode.Buf) {
	d.sizes = append(d.sizes, bp.Bcount)
	bp.Resid = 0
	vnode.Biodone(l, bp)
}

// nameless is a kernel whose devices have no names and no locks.
func nameless(t *testing.T, block blkdev.BlockDriver, char blkdev.CharDriver) (m *machine, blk, chr *vnode.Vnode) {
	m = boot(t, sim.Config{})
	sw := blkdev.NewDevsw(m.k.K)
	m.spec = specfs.New(m.k.K, m.k.V, sw, m.k.Cache)
	m.k.V.SpecOps, m.k.V.Devices = m.spec.Ops(), m.spec
	m.must(sw.AttachBlock(m.l, "block", toyMajor, block))
	m.must(sw.AttachChar(m.l, "char", toyMajor, char))
	return m, m.device(vnode.VBLK, toyMajor), m.device(vnode.VCHR, toyMajor)
}

// TestPartition: a disk has the size of its partition, and its blocks that of
// the file system in it.
func TestPartition(t *testing.T) {
	disk := &partitioned{toy: &toy{t: blkdev.D_DISK}}
	disk.lp.Secsize = 1024
	part := &disk.lp.Partitions[0]
	*part = blkdev.Partition{Size: 100, Fsize: 1024, Frag: 8, Fstype: blkdev.FS_BSDFFS}
	m, blk, chr := nameless(t, disk, disk)
	l := m.l
	read := func(n int) {
		uio := &kern.Uio{Iov: [][]byte{make([]byte, n)}, Resid: int64(n), RW: kern.UIO_READ}
		m.must(vnode.VOP_READ(l, blk, uio, 0, l.Cred))
	}
	for _, vp := range []*vnode.Vnode{blk, chr} {
		m.must(vnode.VOP_OPEN(l, vp, kern.FREAD, l.Cred))
		m.want("size", vp.Size, int64(102400))
	}
	read(20000)
	m.want("of FFS", fmt.Sprint(disk.sizes), "[8192 8192 8192]")
	for _, p := range []blkdev.Partition{{Fstype: blkdev.FS_BSDFFS, Fsize: 1024}, {Fstype: blkdev.FS_BSDFFS, Frag: 8}, {Fsize: 1024, Frag: 8}} {
		disk.sizes = nil
		*part = p
		m.must(blk.InvalBuf(l, 0, nil))
		read(1)
		m.want("of another", fmt.Sprint(disk.sizes), "[2048]")
	}
	m.must(vnode.VOP_CLOSE(l, blk, kern.FREAD, l.Cred))
	disk.lp.Partitions[0].Size = 200
	m.must(vnode.VOP_OPEN(l, blk, kern.FREAD, l.Cred))
	m.want("size", blk.Size, int64(204800))
	m.must(vnode.VOP_CLOSE(l, blk, kern.FREAD, l.Cred))
	m.must(vnode.VOP_CLOSE(l, chr, kern.FREAD, l.Cred))
	blk.Put(l)
	chr.Put(l)
}

// What is a disk is asked of the character device, and where it is depends on
// the driver.
func TestNoPartition(t *testing.T) {
	disk := &toy{t: blkdev.D_DISK}
	for i, c := range []struct {
		block blkdev.BlockDriver
		char  blkdev.CharDriver
	}{
		{&toy{}, disk}, // knows no partitions
		{&partitioned{toy: disk, lp: blkdev.Disklabel{Secsize: 512}}, &toy{}}, // is no disk
	} {
		m, blk, chr := nameless(t, c.block, c.char)
		blk.SetSize(m.l, 77)
		m.must(vnode.VOP_OPEN(m.l, blk, kern.FREAD, m.l.Cred))
		m.want(fmt.Sprint("size ", i), blk.Size, int64(77))
		uio := &kern.Uio{Iov: [][]byte{make([]byte, 3)}, Resid: 3, RW: kern.UIO_READ}
		m.must(vnode.VOP_READ(m.l, blk, uio, 0, m.l.Cred))
		m.must(vnode.VOP_CLOSE(m.l, blk, kern.FREAD, m.l.Cred))
		blk.Put(m.l)
		chr.Put(m.l)
	}
}

// TestNotOpen: reading and writing is for who has the device open.
func TestNotOpen(t *testing.T) {
	m, blk, chr := nameless(t, &toy{}, &toy{})
	l := m.l
	uio := &kern.Uio{Iov: [][]byte{make([]byte, 3)}, Resid: 3, RW: kern.UIO_READ}
	const assertion = `kernel diagnostic assertion "vp == vp->v_specnode->sn_dev->sd_bdevvp" failed`
	for what, f := range map[string]func(){
		"read":     func() { _ = vnode.VOP_READ(l, blk, uio, 0, l.Cred) },
		"write":    func() { _ = vnode.VOP_WRITE(l, blk, uio, 0, l.Cred) },
		"ioctl":    func() { _ = vnode.VOP_IOCTL(l, blk, 1, nil, 0, l.Cred) },
		"strategy": func() { _ = vnode.VOP_STRATEGY(l, blk, vnode.GetIOBuf(l, blk)) },
	} {
		if p := panicOf(f); p == nil || p.Msg != assertion {
			t.Errorf("%s: %v", what, p)
		}
	}
	fifo := m.device(vnode.VCHR, toyMajor)
	fifo.SetType(vnode.VFIFO)
	for what, f := range map[string]func(){
		"spec_read":  func() { _ = m.spec.Ops().Read(l, fifo, uio, 0, l.Cred) },
		"spec_write": func() { _ = m.spec.Ops().Write(l, fifo, uio, 0, l.Cred) },
	} {
		if p := panicOf(f); p == nil || p.Msg[:len(what)] != what {
			t.Errorf("%s: %v", what, p)
		}
	}
	fifo.SetType(vnode.VCHR)
	for _, vp := range []*vnode.Vnode{blk, chr, fifo} {
		vp.Put(l)
	}
}

// TestDriverGone: an open device whose driver is not there any more.
func TestDriverGone(t *testing.T) {
	m, blk, chr := nameless(t, &toy{}, &toy{})
	l := m.l
	m.must(vnode.VOP_OPEN(l, blk, kern.FREAD, l.Cred))
	m.must(vnode.VOP_OPEN(l, chr, kern.FREAD, l.Cred))
	m.want("ioctl", vnode.VOP_IOCTL(l, blk, 7, nil, 0, l.Cred), nil)
	events, err := vnode.VOP_POLL(l, blk, kern.POLLIN)
	m.want("poll", fmt.Sprint(events, err), fmt.Sprint(kern.POLLIN, nil))
	ops := specfs.New(m.k.K, m.k.V, blkdev.NewDevsw(m.k.K), m.k.Cache).Ops()
	uio := &kern.Uio{Iov: [][]byte{make([]byte, 3)}, Resid: 3, RW: kern.UIO_READ}
	bp := vnode.GetIOBuf(l, blk)
	bp.Flags, bp.Cflags, bp.Bcount = vnode.B_READ, vnode.BC_BUSY, 512
	m.want("strategy", ops.Strategy(l, blk, bp), nil)
	m.want("strategy", fmt.Sprint(vnode.Biowait(l, bp) == kern.ENXIO, bp.Resid), "true 512")
	vnode.PutIOBuf(l, bp)
	m.want("read, by the way of the vnode", ops.Read(l, blk, uio, 0, l.Cred), nil)
	m.want("ioctl", ops.Ioctl(l, blk, 7, nil, 0, l.Cred), kern.ENXIO)
	m.want("close", ops.Close(l, blk, kern.FREAD, l.Cred), kern.ENXIO)
	m.want("close", ops.Close(l, chr, kern.FREAD, l.Cred), kern.ENXIO)
	blk.Put(l)
	chr.Put(l)
}

// toldFS is a file system that is told when its device is synchronised.
type toldFS struct {
	vnode.BaseVFS
	answer error
	calls  int
}

func (*toldFS) Name() string { return "told" }

func (fs *toldFS) Fsync(*kern.Lwp, *vnode.Mount, *vnode.Vnode, int) error {
	fs.calls++
	return fs.answer
}

// TestFsyncOfMounted: the file system on a device may synchronise it itself.
func TestFsyncOfMounted(t *testing.T) {
	disk := &partitioned{toy: &toy{}}
	m, blk, chr := nameless(t, disk, &toy{})
	l := m.l
	m.must(vnode.VOP_OPEN(l, blk, kern.FREAD|kern.FWRITE, l.Cred))
	fs := &toldFS{}
	mp := m.k.V.MountAlloc(l, fs, nil)
	specfs.SetMountedFS(blk, mp)
	write := func() {
		uio := &kern.Uio{Iov: [][]byte{make([]byte, 3)}, Resid: 3, RW: kern.UIO_WRITE}
		m.must(vnode.VOP_WRITE(l, blk, uio, 0, l.Cred))
		disk.sizes = nil
	}
	for _, c := range []struct {
		answer error
		want   error
		writes int
	}{{nil, nil, 0}, {kern.EIO, kern.EIO, 0}, {kern.EOPNOTSUPP, nil, 1}} {
		write()
		fs.answer = c.answer
		m.want(fmt.Sprint("fsync ", c.answer), vnode.VOP_FSYNC(l, blk, l.Cred, vnode.FSYNC_WAIT, 0, 0), c.want)
		m.want("writes", len(disk.sizes), c.writes)
	}
	m.want("asked", fs.calls, 3)
	m.want("reads", mp.Stat.Syncreads, uint64(3))
	specfs.SetMountedFS(blk, nil)
	m.must(vnode.VOP_CLOSE(l, blk, kern.FREAD, l.Cred))
	mp.Destroy(l)
	blk.Put(l)
	chr.Put(l)
}

// TestDiskFailsInTurn makes each call to the host fail, one after the other. The
// calls on the device answer an errno or what they answer without a failure, and
// nothing is left over.
func TestDiskFailsInTurn(t *testing.T) {
	total := int64(1)
	for n := int64(0); n <= total; n++ {
		data := bytes.Repeat([]byte{'A'}, 4*bsize)
		d := newDisk(t, sim.Config{Mode: hypercall.Deterministic}, data)
		fd := d.open("/blk", kern.O_RDWR)
		d.host.SetFaults(hypercall.Fault{Nth: max(n, 1), Err: hypercall.HostErrno(kern.EIO)})
		if n == 0 {
			d.host.SetFaults()
		}
		for _, c := range []struct{ got, want string }{
			{d.pread(fd, 3, 0), `3 "AAA"`},
			{d.pwrite(fd, []byte("xy"), bsize-1), `2 ""`},
			{d.pwrite(fd, make([]byte, bsize), 2*bsize), fmt.Sprintf(`%d ""`, bsize)},
			{told(0, d.p.Fsync(fd)), "0"},
			{d.pread(fd, 3, 3*bsize), `3 "AAA"`},
			{d.pwrite(fd, []byte("z"), 0), `1 ""`},
			{told(0, d.p.Close(fd)), "0"},
		} {
			if c.got != c.want && (n == 0 || c.got != "EIO") {
				t.Errorf("call %d fails: %s, want %s", n, c.got, c.want)
			}
		}
		if n == 0 {
			total = d.host.Calls(hypercall.OpAny)
			d.want("reads and writes", fmt.Sprint(d.host.Calls(hypercall.OpReadAt), d.host.Calls(hypercall.OpWriteAt)), "3 4")
		}
		d.host.SetFaults()
		d.shutdown()
	}
}

// TestBlockDeviceRaces lets lwps read and write a device while its file is
// taken away and put back.
func TestBlockDeviceRaces(t *testing.T) {
	for seed := range uint64(60) {
		d := newDisk(t, sim.Config{Mode: hypercall.Deterministic, Seed: seed}, make([]byte, 4*bsize))
		allow := func(what string, err error, errs ...error) {
			if err != nil && !slices.Contains(errs, err) {
				t.Errorf("seed %d: %s: %v", seed, what, err)
			}
		}
		for i := range 3 {
			d.p.Go(fmt.Sprint("user", i), func(p *sim.Proc) {
				for n := range 4 {
					fd, err := p.Open("/blk", kern.O_RDWR, 0)
					if err != nil {
						allow("open", err, kern.EBUSY, kern.ENOENT, kern.ENXIO, kern.EBADF)
						continue
					}
					_, err = p.Pwrite(fd, make([]byte, (n+1)*700), int64(i*1000))
					allow("write", err, kern.EIO, kern.EBADF, kern.ENXIO)
					_, err = p.Pread(fd, make([]byte, 3000), int64(n*1000))
					allow("read", err, kern.EIO, kern.EBADF, kern.ENXIO)
					allow("fsync", p.Fsync(fd), kern.EIO, kern.EBADF)
					allow("close", p.Close(fd), kern.EBADF)
				}
			})
		}
		d.p.Go("host", func(p *sim.Proc) {
			for range 3 {
				allow("remove", p.EtfsRemove("/blk"), kern.EBUSY)
				allow("register", p.EtfsRegister("/blk", "/disk", rumpfs.RUMP_ETFS_BLK), kern.EEXIST)
			}
		})
		d.k.Run()
		if err := d.k.Err(); err != nil {
			t.Errorf("seed %d: %v", seed, err)
			continue
		}
		d.shutdown()
		if t.Failed() {
			t.Fatalf("seed %d", seed)
		}
	}
}

// TestMemoryPressure writes and rereads 64 MiB through the buffer cache of a
// kernel that has 4 MiB. Nothing is lost, and the program needs no more memory
// than that, besides what the host keeps the file in.
func TestMemoryPressure(t *testing.T) {
	const size, chunk = 64 << 20, 64 << 10
	d := newDisk(t, sim.Config{Params: map[string]string{"RUMP_MEMLIMIT": "4m", "RUMP_NVNODES": "32"}}, make([]byte, size))
	fd := d.open("/blk", kern.O_RDWR)
	b := make([]byte, chunk)
	before := heap()
	for off := int64(0); off < size; off += chunk {
		for i := 0; i < chunk; i += 512 {
			b[i] = byte(off>>16) + byte(i>>9)
		}
		if n, err := d.p.Pwrite(fd, b, off+100); err != nil || n != chunk && off+chunk < size {
			t.Fatalf("write at %d: %d, %v", off, n, err)
		}
	}
	mem := d.k.Cache
	l := kern.NewLwp(d.k.K, nil, "test")
	if s := mem.Stats(l); s.Bytes > 1<<20 {
		t.Errorf("%d bytes of buffers", s.Bytes)
	}
	l.Exit()
	for off := int64(0); off < size; off += chunk {
		if _, err := d.p.Pread(fd, b, off+100); err != nil {
			t.Fatalf("read at %d: %v", off, err)
		}
		for i := 0; i < chunk && (off+chunk < size || i < chunk-100); i += 512 {
			if b[i] != byte(off>>16)+byte(i>>9) {
				t.Fatalf("lost what was written at %d", off+int64(i))
			}
		}
	}
	if grown := heap() - before; grown > 4<<20 {
		t.Errorf("the program has taken %d bytes", grown)
	}
	d.shutdown()
}

// heap returns how many bytes the program uses.
func heap() int64 {
	runtime.GC()
	var s runtime.MemStats
	runtime.ReadMemStats(&s)
	return int64(s.HeapAlloc)
}

// BenchmarkBlockDevice reads and writes a device that does not fit into the
// cache, in pieces of 64 KiB.
func BenchmarkBlockDevice(b *testing.B) {
	const size, chunk = 64 << 20, 64 << 10
	for _, op := range []string{"write", "read"} {
		b.Run(op, func(b *testing.B) {
			d := newDisk(b, sim.Config{Params: map[string]string{"RUMP_MEMLIMIT": "4m", "RUMP_NVNODES": "32"}}, make([]byte, size))
			fd := d.open("/blk", kern.O_RDWR)
			buf := make([]byte, chunk)
			b.SetBytes(size)
			b.ReportAllocs()
			for b.Loop() {
				for off := int64(0); off < size; off += chunk {
					var err error
					if op == "write" {
						_, err = d.p.Pwrite(fd, buf, off)
					} else {
						_, err = d.p.Pread(fd, buf, off)
					}
					if err != nil {
						b.Fatal(err)
					}
				}
			}
			d.shutdown()
		})
	}
}

package blkdev

import (
	"fmt"
	"strconv"
	"sync/atomic"

	"rumpvfs/hypercall"
	"rumpvfs/kern"
	"rumpvfs/vnode"
)

const (
	// RUMPBLK_DEVMAJOR is the major number, of block and of character devices.
	RUMPBLK_DEVMAJOR = 197
	// RUMPBLK_SIZENOTSET is the size of a device that goes to the end of
	// its file.
	RUMPBLK_SIZENOTSET = int64(-1)

	// RumpblkMinors is how many devices there can be.
	RumpblkMinors = 16
	// BLKFAIL_MAX is what RUMP_BLKFAIL counts in: so many of it fail.
	BLKFAIL_MAX = 10000
)

// Rumpblk is the driver of block devices, and of the raw ones beside them,
// that are files of the host or windows on them. The letters give what guards
// a field:
//
//	:  stable
//	a  atomic
//	m  rumpblk_lock
type Rumpblk struct {
	v         *vnode.System // :
	sys       *hypercall.System
	blkfail   uint32 // : of BLKFAIL_MAX transfers so many fail
	sectshift uint   // : log2 of the bytes a sector has

	lock      kern.Mutex
	paths     [RumpblkMinors]string // m: the file of each minor; "" for a free one
	randstate uint32                // m

	minors [RumpblkMinors]atomic.Pointer[rblkdev] // a: the devices that are open below
	stats  rumpblkStats                           // a
}

// rblkdev is one device. It does not change: what it was stays with the
// transfers that are under way when its minor number is given up.
type rblkdev struct {
	fd         int
	mode       int   // FREAD, FWRITE
	size       int64 // bytes
	hostoffset int64 // bytes
	label      Disklabel
}

type rumpblkStats struct {
	total, async, reads, bwrite, bwriteAsync atomic.Uint64
}

// RumpblkStats is what a [Rumpblk] has done.
type RumpblkStats struct {
	Total       uint64 // transfers that reached the file or its end
	Async       uint64 // of these, asynchronous
	Reads       uint64 // of these, reads
	Bwrite      uint64 // bytes asked to be written
	BwriteAsync uint64 // of these, asynchronously
}

var rumpblkLockClass = hypercall.LockClass{Name: "rumpblk_lock", Rank: 570}

// NewRumpblk makes the driver of a kernel. Of the parameters of the machine it
// heeds RUMP_BLKFAIL, of [BLKFAIL_MAX] transfers so many fail with EIO;
// RUMP_BLKFAIL_SEED, where the sequence of failures begins; RUMP_BLKSECTSHIFT,
// log2 of the sector size. The error says which of them is no number.
//
//netbsd:sys/rump/librump/rumpvfs/rumpblk.c rumpblk_init
func NewRumpblk(v *vnode.System) (*Rumpblk, error) {
	d := &Rumpblk{v: v, sys: v.K.Sys, sectshift: kern.DEV_BSHIFT}
	d.lock.Init(d.sys, &rumpblkLockClass)
	if err := d.initFail(); err != nil {
		return nil, err
	}
	return d, d.initSectshift()
}

// param reads a numeric parameter.
func (d *Rumpblk) param(name string, bits int) (n uint64, ok bool, err error) {
	text, ok := d.sys.Param(name)
	if !ok {
		return 0, false, nil
	}
	if n, err = strconv.ParseUint(text, 10, bits); err != nil {
		return 0, false, fmt.Errorf("%s=%q: not a number below 2^%d", name, text, bits)
	}
	return n, true, nil
}

func (d *Rumpblk) initFail() error {
	fail, ok, err := d.param("RUMP_BLKFAIL", 31)
	if err != nil || !ok {
		return err
	}
	seed, ok, err := d.param("RUMP_BLKFAIL_SEED", 32)
	if err != nil {
		return err
	}
	if !ok {
		seed = d.sys.Random()
	}
	d.blkfail, d.randstate = uint32(min(fail, BLKFAIL_MAX)), uint32(seed)
	d.printf("rumpblk: %d of %d transfers will fail, seed %d\n", d.blkfail, BLKFAIL_MAX, d.randstate)
	return nil
}

func (d *Rumpblk) initSectshift() error {
	shift, ok, err := d.param("RUMP_BLKSECTSHIFT", 32)
	switch {
	case err != nil || !ok:
		return err
	case shift > 30:
		return fmt.Errorf("RUMP_BLKSECTSHIFT=%d: more than 30", shift)
	case shift < kern.DEV_BSHIFT:
		d.printf("rumpblk: RUMP_BLKSECTSHIFT %d is less than %d\n", shift, kern.DEV_BSHIFT)
	default:
		d.sectshift = uint(shift)
	}
	d.printf("rumpblk: sectors of %d bytes\n", 1<<d.sectshift)
	return nil
}

func (d *Rumpblk) printf(format string, args ...any) {
	d.sys.ConsoleWrite(fmt.Appendf(nil, format, args...))
}

// defaultLabel is the label of a disk of size bytes whose only partition is
// part.
//
//netbsd:sys/rump/librump/rumpvfs/rumpblk.c makedefaultlabel
func (d *Rumpblk) defaultLabel(size int64, part int) Disklabel {
	sectors := uint32(size >> d.sectshift)
	lp := Disklabel{
		Magic: DISKMAGIC, Magic2: DISKMAGIC,
		Type: DTYPE_RUMPD, Typename: "rumpd", Packname: "fictitious",
		Secsize: 1 << d.sectshift, Nsectors: sectors, Ntracks: 1, Ncylinders: 1, Secpercyl: sectors,
		Secperunit: uint32(size), RPM: 11, Interleave: 1,
		Npartitions: uint16(part + 1),
	}
	lp.Partitions[part].Size = sectors
	return lp
}

// Register makes a device of size bytes, from byte begin on, of the host's
// file path; with RUMPBLK_SIZENOTSET up to its end. A file that is registered
// already keeps its minor number and its window. It is an assertion that the
// window lies within the file.
//
// Errors: those of the host; EINVAL for what is neither a file nor a device,
// EBUSY if there are [RumpblkMinors] devices.
//
//netbsd:sys/rump/librump/rumpvfs/rumpblk.c rumpblk_register
func (d *Rumpblk) Register(l *kern.Lwp, path string, begin, size int64) (minor int32, err error) {
	flen, ft, err := d.sys.Host().FileInfo(path)
	if err != nil {
		return 0, hostError(err)
	}
	if ft != hypercall.FileReg && ft != hypercall.FileBlk && ft != hypercall.FileChr {
		return 0, kern.EINVAL
	}
	i, known, err := d.takeMinor(l, path)
	if err != nil || known {
		return int32(i), err
	}
	if size != RUMPBLK_SIZENOTSET {
		kern.KASSERT(uint64(size)+uint64(begin) <= uint64(flen), "size + offset <= flen")
	} else {
		kern.KASSERT(uint64(begin) < uint64(flen), "offset < flen")
		size = flen - begin
	}
	rblk := &rblkdev{size: size, hostoffset: begin, label: d.defaultLabel(size, i)}
	if err := d.backendOpen(rblk, path); err != nil {
		d.giveMinor(l, i)
		return 0, err
	}
	d.minors[i].Store(rblk)
	return int32(i), nil
}

// takeMinor finds the minor number of path; known says that it has one
// already. EBUSY if none is free.
func (d *Rumpblk) takeMinor(l *kern.Lwp, path string) (i int, known bool, err error) {
	d.lock.Enter(l)
	defer d.lock.Exit(l)
	free := -1
	for i, p := range d.paths {
		switch {
		case p == path:
			return i, true, nil
		case p == "" && free < 0:
			free = i
		}
	}
	if free < 0 {
		return 0, false, kern.EBUSY
	}
	d.paths[free] = path
	return free, false, nil
}

func (d *Rumpblk) giveMinor(l *kern.Lwp, i int) {
	d.lock.Enter(l)
	d.paths[i] = ""
	d.lock.Exit(l)
}

// Deregister gives up the device of the host's file path: ENOENT if there is
// none. Nobody uses it any more.
//
//netbsd:sys/rump/librump/rumpvfs/rumpblk.c rumpblk_deregister, backend_close
func (d *Rumpblk) Deregister(l *kern.Lwp, path string) error {
	d.lock.Enter(l)
	i := -1
	for m, p := range d.paths {
		if p == path && d.minors[m].Load() != nil {
			i = m
		}
	}
	d.lock.Exit(l)
	if i < 0 {
		return kern.ENOENT
	}
	if rblk := d.minors[i].Swap(nil); rblk != nil {
		_ = d.sys.Host().Close(rblk.fd) // as in the reference nobody is told
	}
	d.giveMinor(l, i)
	return nil
}

// backendOpen opens the file, for reading only if it cannot be written.
//
//netbsd:sys/rump/librump/rumpvfs/rumpblk.c backend_open
func (d *Rumpblk) backendOpen(rblk *rblkdev, path string) (err error) {
	rblk.mode = kern.FREAD | kern.FWRITE
	rblk.fd, err = d.sys.Host().Open(path, hypercall.OpenRDWR|hypercall.OpenBIO)
	if err != nil {
		rblk.mode = kern.FREAD
		rblk.fd, err = d.sys.Host().Open(path, hypercall.OpenRDONLY|hypercall.OpenBIO)
	}
	return hostError(err)
}

// hostError is the kernel's errno for an error of the host.
func hostError(err error) error {
	if err == nil {
		return nil
	}
	if he, ok := err.(hypercall.HostErrno); ok {
		return kern.Errno(he)
	}
	return kern.EIO
}

// device returns the device of dev, nil if its minor number is free. The
// reference looks at whatever lies in memory behind its table for minor
// numbers that it does not have.
func (d *Rumpblk) device(dev kern.Dev) *rblkdev {
	m := dev.Minor()
	if m >= 0 && m < RumpblkMinors {
		return d.minors[m].Load()
	}
	if d.v.K.Quirks.Has(kern.QuirkRumpblkMinor) {
		kern.QuirkRumpblkMinor.Undefined()
	}
	return nil
}

// Type returns D_DISK.
func (d *Rumpblk) Type() DevType { return D_DISK }

// Open lets a device be opened: ENXIO if it is not registered, EACCES for
// writing if the host's file can only be read.
//
//netbsd:sys/rump/librump/rumpvfs/rumpblk.c rumpblk_open
func (d *Rumpblk) Open(_ *kern.Lwp, dev kern.Dev, flag int) error {
	rblk := d.device(dev)
	if rblk == nil {
		return kern.ENXIO
	}
	if flag&(kern.FREAD|kern.FWRITE)&^rblk.mode != 0 {
		return kern.EACCES
	}
	return nil
}

// Close has nothing to close: the host's file is open while the device is
// registered.
//
//netbsd:sys/rump/librump/rumpvfs/rumpblk.c rumpblk_close
func (d *Rumpblk) Close(*kern.Lwp, kern.Dev, int) error { return nil }

// Ioctl serves DIOCGDINFO, DIOCGPART and DIOCCACHESYNC; ENOTTY for all else.
//
//netbsd:sys/rump/librump/rumpvfs/rumpblk.c rumpblk_ioctl
func (d *Rumpblk) Ioctl(l *kern.Lwp, dev kern.Dev, com uint64, data any, _ int) error {
	switch com {
	case DIOCGDINFO:
		lp, ok := data.(*Disklabel)
		if !ok {
			return kern.EFAULT
		}
		*lp = *d.label(dev)
	case DIOCGPART:
		pi, ok := data.(*Partinfo)
		if !ok {
			return kern.EFAULT
		}
		*pi, _ = d.Part(l, dev)
	case DIOCCACHESYNC: // writes are synchronous enough
	default:
		return kern.ENOTTY
	}
	return nil
}

// label returns the label of a device, an empty one if it is not registered.
func (d *Rumpblk) label(dev kern.Dev) *Disklabel {
	if rblk := d.device(dev); rblk != nil {
		return &rblk.label
	}
	return &Disklabel{}
}

// Part returns the partition that has the whole device.
func (d *Rumpblk) Part(_ *kern.Lwp, dev kern.Dev) (Partinfo, error) {
	lp := d.label(dev)
	return Partinfo{Disklab: lp, Part: &lp.Partitions[DISKPART(dev)]}, nil
}

// Poll finds a device always ready.
//
//netbsd:sys/kern/sys_select.c seltrue
func (d *Rumpblk) Poll(_ *kern.Lwp, _ kern.Dev, events int) (int, error) {
	return events & (kern.POLLIN | kern.POLLOUT | kern.POLLRDNORM | kern.POLLWRNORM), nil
}

// Read reads from the raw device.
//
//netbsd:sys/rump/librump/rumpvfs/rumpblk.c rumpblk_read, do_physio
func (d *Rumpblk) Read(l *kern.Lwp, dev kern.Dev, uio *kern.Uio, _ int) error {
	return Physio(l, d.v, d, dev, vnode.B_READ, uio)
}

// Write writes to the raw device.
//
//netbsd:sys/rump/librump/rumpvfs/rumpblk.c rumpblk_write, do_physio
func (d *Rumpblk) Write(l *kern.Lwp, dev kern.Dev, uio *kern.Uio, _ int) error {
	return Physio(l, d.v, d, dev, vnode.B_WRITE, uio)
}

// Strategy does the transfer, unless it is one of those that shall fail. It is
// over on return. The residue of one that fails stays what it was
// ([kern.QuirkBlkfailResid]).
//
//netbsd:sys/rump/librump/rumpvfs/rumpblk.c rumpblk_strategy, rumpblk_strategy_fail
func (d *Rumpblk) Strategy(l *kern.Lwp, bp *vnode.Buf) {
	if d.blkfail == 0 || d.gimmerand(l)%BLKFAIL_MAX >= d.blkfail {
		d.dostrategy(l, bp)
		return
	}
	d.printf("rumpblk: fault injected at block %d\n", bp.Blkno)
	if !d.v.K.Quirks.Has(kern.QuirkBlkfailResid) {
		bp.Resid = bp.Bcount
	}
	bp.Error = kern.EIO
	vnode.Biodone(l, bp)
}

// gimmerand returns the next number of a sequence that the seed determines,
// whatever else uses random numbers.
//
//netbsd:sys/rump/librump/rumpvfs/rumpblk.c gimmerand
func (d *Rumpblk) gimmerand(l *kern.Lwp) uint32 {
	d.lock.Enter(l)
	defer d.lock.Exit(l)
	d.randstate = d.randstate*1103515245 + 12345
	return d.randstate % 0x80000000
}

// dostrategy does the transfer as far as the device goes: nothing at its end,
// EINVAL beyond, and for what is not whole sectors.
//
//netbsd:sys/rump/librump/rumpvfs/rumpblk.c dostrategy
func (d *Rumpblk) dostrategy(l *kern.Lwp, bp *vnode.Buf) {
	if bp.Bcount%(1<<d.sectshift) != 0 {
		biodone(l, bp, 0, kern.EINVAL)
		return
	}
	d.count(bp)
	rblk := d.device(bp.Dev)
	if rblk == nil {
		biodone(l, bp, 0, kern.EBADF)
		return
	}
	off := kern.Dbtob(bp.Blkno)
	if off < 0 && !d.v.K.Quirks.Has(kern.QuirkRumpblkNegative) {
		biodone(l, bp, 0, kern.EINVAL)
		return
	}
	count := bp.Bcount
	if uint64(off)+uint64(count) > uint64(rblk.size) {
		sz := rblk.size - off
		if sz == 0 {
			biodone(l, bp, 0, nil)
			return
		}
		if sz < 0 {
			biodone(l, bp, 0, kern.EINVAL)
			return
		}
		count = int(int32(sz))
		if d.v.K.Quirks.Has(kern.QuirkBlkTail) || count > bp.Bcount {
			bp.Bcount = count
		}
	}
	off += rblk.hostoffset
	data, ok := window(bp, count, off)
	if !ok {
		biodone(l, bp, 0, kern.EINVAL)
		return
	}
	op := hypercall.BIOREAD
	if bp.IsWrite() {
		op = hypercall.BIOWRITE
		if bp.Flags&vnode.B_ASYNC == 0 {
			op |= hypercall.BIOSYNC
		}
	}
	d.sys.BIO(&l.Thread, rblk.fd, op, data, off, func(n int, err error) {
		if err != nil {
			n = 0
		}
		if bp.IsRead() && bp.Flags&vnode.B_PHYS == 0 {
			// A block that goes beyond the device; the reference
			// leaves what the memory held.
			clear(bp.Data[n:])
		}
		biodone(l, bp, n, hostError(err))
	})
}

// window returns the memory of a transfer of count bytes at byte off of the
// host's file. Only with a negative offset on the device does the size that was computed exceed
// the buffer: the host refuses such a transfer, or, if the device is a window
// on its file, overwrites what follows in memory.
func window(bp *vnode.Buf, count int, off int64) (data []byte, ok bool) {
	if count >= 0 && count <= len(bp.Data) {
		return bp.Data[:count], true
	}
	if off >= 0 {
		kern.QuirkRumpblkNegative.Undefined()
	}
	return nil, false
}

// count counts a transfer.
func (d *Rumpblk) count(bp *vnode.Buf) {
	async := bp.Flags&vnode.B_ASYNC != 0
	d.stats.total.Add(1)
	if async {
		d.stats.async.Add(1)
	}
	if bp.IsRead() {
		d.stats.reads.Add(1)
		return
	}
	d.stats.bwrite.Add(uint64(bp.Bcount))
	if async {
		d.stats.bwriteAsync.Add(uint64(bp.Bcount))
	}
}

// Stats returns what the driver has done so far.
func (d *Rumpblk) Stats() RumpblkStats {
	s := &d.stats
	return RumpblkStats{s.total.Load(), s.async.Load(), s.reads.Load(), s.bwrite.Load(), s.bwriteAsync.Load()}
}

// biodone ends a transfer of which n bytes were done.
//
//netbsd:sys/rump/librump/rumpvfs/rump_vfs.c rump_biodone
func biodone(l *kern.Lwp, bp *vnode.Buf, n int, err error) {
	bp.Resid = bp.Bcount - n
	kern.KASSERT(bp.Resid >= 0, "bp->b_resid >= 0")
	bp.Error = err
	vnode.Biodone(l, bp)
}

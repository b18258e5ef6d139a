package blkdev

import (
	"bytes"
	"fmt"
	"testing"

	"rumpvfs/hypercall"
	"rumpvfs/kern"
	"rumpvfs/vnode"
)

// uio returns a transfer whose memory comes in pieces of the sizes.
func (m *machine) uio(rw kern.UioRW, off int64, sizes ...int) *kern.Uio {
	u := &kern.Uio{Offset: off, RW: rw}
	for _, n := range sizes {
		u.Iov = append(u.Iov, make([]byte, n))
		u.Resid += int64(n)
	}
	return u
}

func TestRawDevice(t *testing.T) {
	const size = 200 << 10
	for _, c := range []struct {
		name  string
		off   int64
		sizes []int
		extra int64 // residue beyond the memory
		want  string
	}{
		{"a sector", 512, []int{512}, 0, "512 <nil>"},
		{"nothing", 512, nil, 0, "0 <nil>"},
		{"several transfers", 0, []int{100 << 10}, 0, "102400 <nil>"},
		{"scattered", 1024, []int{512, 0, 65536 + 512, 1024}, 0, fmt.Sprint(65536+2048, " <nil>")},
		{"to the end", size - 512, []int{512}, 0, "512 <nil>"},
		{"beyond the end", size - 512, []int{2048}, 0, "512 <nil>"},
		{"beyond the end, several transfers", size - 70<<10, []int{100 << 10}, 0, fmt.Sprint(70<<10, " <nil>")},
		{"at the end", size, []int{512}, 0, "0 <nil>"},
		{"behind the end", size + 512, []int{512}, 0, "0 EINVAL"},
		{"no offset of a sector", 100, []int{512}, 0, "0 EINVAL"},
		{"less than a sector", 0, []int{100}, 0, "0 EINVAL"},
		{"less than a sector at last", 0, []int{512, 100}, 0, "512 EINVAL"},
		{"an odd piece", 0, []int{100, 512}, 0, "0 EINVAL"},
		{"less memory than promised", 0, []int{512}, 512, "512 EFAULT"},
		{"no memory", 0, nil, 512, "0 EFAULT"},
		{"before the begin", -512, []int{512}, 0, "0 EINVAL"},
	} {
		for _, rw := range []kern.UioRW{kern.UIO_READ, kern.UIO_WRITE} {
			m := newMachine(t, setup{quirks: kern.Rev1125})
			disk := pattern(size)
			m.file("/disk", disk)
			dev := m.register("/disk")
			u := m.uio(rw, c.off, c.sizes...)
			pieces := append([][]byte(nil), u.Iov...)
			count := u.Resid + c.extra
			u.Resid = count
			var err error
			if rw == kern.UIO_READ {
				err = m.blk.Read(m.l, dev, u, 0)
			} else {
				for _, p := range pieces {
					copy(p, bytes.Repeat([]byte{'w'}, len(p)))
				}
				err = m.blk.Write(m.l, dev, u, 0)
			}
			n := int(count - u.Resid)
			m.want(fmt.Sprint(c.name, " ", rw), fmt.Sprint(n, " ", name(err)), c.want)
			if got := bytes.Join(pieces, nil); n > 0 && rw == kern.UIO_READ && !bytes.Equal(got[:n], disk[c.off:][:n]) {
				t.Errorf("%s: other bytes", c.name)
			}
			if n > 0 && rw == kern.UIO_WRITE {
				copy(disk[c.off:], bytes.Repeat([]byte{'w'}, n))
				if !bytes.Equal(m.data("/disk"), disk) {
					t.Errorf("%s: the file is other than what was written", c.name)
				}
			}
			m.end()
		}
	}
}

// Before the begin of a device the reference goes wrong in three ways.
func TestRawNegativeOffset(t *testing.T) {
	for _, c := range []struct {
		name   string
		quirks kern.Quirks
		begin  int64
		off    int64
		want   string
	}{
		{"a window shows what precedes it", kern.Rev1125, 1024, -512, "512 <nil>"},
		{"not if fixed", kern.Fixed, 1024, -512, "0 EINVAL"},
		{"beyond memory", kern.Rev1125, 1024, -1024, "undefined: rumpblk-negative"},
		{"refused by the host", kern.Rev1125, 0, -1024, `kernel diagnostic assertion "bp->b_bcount <= todo" failed`},
		{"fixed", kern.Fixed, 0, -1024, "0 EINVAL"},
	} {
		m := newMachine(t, setup{quirks: c.quirks})
		m.file("/disk", pattern(4096))
		minor, err := m.blk.Register(m.l, "/disk", c.begin, 2048)
		m.want("register", err, nil)
		u := m.uio(kern.UIO_READ, c.off, 512)
		b := u.Iov[0]
		read := func() string {
			err := m.blk.Read(m.l, kern.Makedev(RUMPBLK_DEVMAJOR, minor), u, 0)
			return fmt.Sprint(512-u.Resid, " ", name(err))
		}
		if c.want[0] != '5' && c.want[0] != '0' {
			m.want(c.name, kernelPanic(t, func() { read() }), c.want)
			continue
		}
		m.want(c.name, read(), c.want)
		if c.want[0] == '5' && !bytes.Equal(b, pattern(4096)[512:1024]) {
			t.Errorf("%s: other bytes", c.name)
		}
		m.end()
	}
}

// lateDisk is a driver whose transfers are over when its lwp comes to it, in
// whatever order; those at or behind fail go wrong.
type lateDisk struct {
	m       *machine
	lock    kern.Mutex
	cv      kern.CV
	pending []*vnode.Buf // lock
	most    int          // lock: that were pending at once
	fail    int64
	do      func(l *kern.Lwp, bp *vnode.Buf) // makes the transfer, to its end
	quit    bool                             // lock
}

var lateDiskLockClass = hypercall.LockClass{Name: "late_disk", Rank: 630}

func newLateDisk(m *machine) *lateDisk {
	d := &lateDisk{m: m, fail: 1 << 62}
	d.do = d.pretend
	d.lock.Init(m.k.Sys, &lateDiskLockClass)
	d.cv.Init(m.k.Sys, "latedisk")
	kern.StartLwp(m.k, m.l.Proc, "disk", d.work)
	return d
}

func (d *lateDisk) Strategy(l *kern.Lwp, bp *vnode.Buf) {
	d.lock.Enter(l)
	d.pending = append(d.pending, bp)
	d.most = max(d.most, len(d.pending))
	d.cv.Broadcast(l)
	d.lock.Exit(l)
}

func (d *lateDisk) work(l *kern.Lwp) {
	d.lock.Enter(l)
	for !d.quit || len(d.pending) > 0 {
		if len(d.pending) == 0 {
			d.cv.Wait(l, &d.lock)
			continue
		}
		i := int(l.K.Sys.Random() % uint64(len(d.pending)))
		bp := d.pending[i]
		d.pending = append(d.pending[:i], d.pending[i+1:]...)
		d.lock.Exit(l)
		d.do(l, bp)
		l.Point()
		d.lock.Enter(l)
	}
	d.lock.Exit(l)
}

// pretend makes a transfer that has no effect.
func (d *lateDisk) pretend(l *kern.Lwp, bp *vnode.Buf) {
	bp.Resid, bp.Error = 0, nil
	if bp.Blkno >= d.fail {
		bp.Resid, bp.Error = bp.Bcount, kern.Errno(1+bp.Blkno%7)
	}
	vnode.Biodone(l, bp)
}

func (d *lateDisk) stop() {
	d.lock.Enter(d.m.l)
	d.quit = true
	d.cv.Broadcast(d.m.l)
	d.lock.Exit(d.m.l)
	for range 100 {
		d.m.l.Point()
	}
}

// A driver may have several transfers of a call at once, complete them in any
// order, and what counts is the first that failed.
func TestPhysioConcurrency(t *testing.T) {
	most := 0
	for seed := range uint64(40) {
		cfg := det
		cfg.Seed = seed
		m := newMachine(t, setup{Config: cfg})
		d := newLateDisk(m)
		u := m.uio(kern.UIO_READ, 0, 30*kern.MAXPHYS)
		m.want("read", Physio(m.l, m.System, d, kern.NODEV, vnode.B_READ, u), nil)
		m.want("residue", u.Resid, 0)
		most = max(most, d.most)

		const good = 3 * kern.MAXPHYS
		d.fail = good / kern.DEV_BSIZE
		u = m.uio(kern.UIO_READ, 0, 30*kern.MAXPHYS)
		m.want("read that fails", Physio(m.l, m.System, d, kern.NODEV, vnode.B_READ, u), kern.Errno(1+d.fail%7))
		m.want("done", 30*kern.MAXPHYS-u.Resid, good)
		d.stop()
		m.end()
	}
	if most < 2 || most > physioConcurrency {
		t.Errorf("%d transfers at once", most)
	}
}

package rumpfs

import (
	"bytes"
	"fmt"
	"math"
	"strings"
	"testing"

	"pgregory.net/rapid"

	"rumpvfs/kern"
	"rumpvfs/uvm"
	"rumpvfs/vnode"
)

func TestReadAndWrite(t *testing.T) {
	both(t, func(t *testing.T, m *machine, fixed bool) {
		f := must(m.create(m.root, "f", 0o644))
		for _, c := range []struct {
			off  int64
			data string
			flag int
			want string
		}{
			{0, "hello world", 0, "hello world"},
			{0, "HELLO", 0, "HELLO world"},
			{20, "end", 0, "HELLO world\x00\x00\x00\x00\x00\x00\x00\x00\x00end"},
			{0, "APP", vnode.IO_APPEND, "HELLO world\x00\x00\x00\x00\x00\x00\x00\x00\x00endAPP"},
		} {
			if n, err := m.write(f, c.off, c.data, c.flag); n != int64(len(c.data)) || err != nil {
				t.Errorf("write %q: %d, %v", c.data, n, err)
			}
			if got := must(m.read(f, 0, 100)); got != c.want {
				t.Errorf("after writing %q: %q", c.data, got)
			}
			if got := m.stat(f).Size; got != uint64(len(c.want)) {
				t.Errorf("size %d, want %d", got, len(c.want))
			}
		}
		f.Rele(m.l)
	})
}

// TestReadBeyondEnd has the cases of the reference's traces.
func TestReadBeyondEnd(t *testing.T) {
	for _, c := range []struct {
		size, off int64
		n         int
		want      int // bytes, all NUL; -1 is EINVAL
	}{
		{10, 10, 10, 0}, {10, 11, 10, 10}, {10, 11, 4096, -1}, {10, 4090, 10, -1}, {10, 4095, 1, 1}, {10, 4096, 1, -1},
		{10, 8192, 4096, -1}, {10, 100000, 10, -1}, {0, 0, 10, 0}, {0, 1, 10, -1}, {5000, 5001, 10, 10}, {5000, 5001, 10000, -1},
		{5000, 8191, 10, -1}, {5000, 8192, 10, -1}, {5000, 1 << 20, 10, -1}, {10, 11, 0, 0}, {10, math.MaxInt64, 1, -1},
	} {
		both(t, func(t *testing.T, m *machine, fixed bool) {
			f := must(m.create(m.root, "f", 0o644))
			must(m.write(f, 0, strings.Repeat("x", int(c.size)), 0))
			got, err := m.read(f, c.off, c.n)
			want, wantErr := strings.Repeat("\x00", max(c.want, 0)), error(nil)
			if c.want < 0 {
				wantErr = kern.EINVAL
			}
			if fixed {
				want, wantErr = "", nil
			}
			if err != wantErr || err == nil && got != want {
				t.Errorf("size %d, read of %d at %d: %q, %v, want %q, %v", c.size, c.n, c.off, got, err, want, wantErr)
			}
			f.Rele(m.l)
		})
	}
}

func TestStaleBytesAfterShrinking(t *testing.T) {
	both(t, func(t *testing.T, m *machine, fixed bool) {
		f := must(m.create(m.root, "f", 0o644))
		must(m.write(f, 0, "abcdefghijklmnopqrstuvwxyz", 0))
		wantErr(t, "shrink", m.truncate(f, 5), nil)
		if got := must(m.read(f, 0, 26)); got != "abcde" {
			t.Errorf("after shrinking: %q", got)
		}
		if got := must(m.read(f, 6, 4)); got != pick(fixed, "ghij", "") {
			t.Errorf("beyond the end: %q", got)
		}
		wantErr(t, "grow", m.truncate(f, 8), nil)
		if got := must(m.read(f, 0, 26)); got != pick(fixed, "abcdefgh", "abcde\x00\x00\x00") {
			t.Errorf("after growing: %q", got)
		}
		must(m.write(f, 20, "Z", 0))
		if got := must(m.read(f, 0, 26)); got != pick(fixed, "abcdefghijklmnopqrstZ", "abcde"+strings.Repeat("\x00", 15)+"Z") {
			t.Errorf("after writing: %q", got)
		}
		wantErr(t, "truncate", m.truncate(f, 0), nil)
		must(m.write(f, 20, "Z", 0))
		if got := must(m.read(f, 0, 26)); got != strings.Repeat("\x00", 20)+"Z" {
			t.Errorf("after truncating to nothing: %q", got)
		}
		f.Rele(m.l)
	})
}

func TestBlocks(t *testing.T) {
	both(t, func(t *testing.T, m *machine, fixed bool) {
		f := must(m.create(m.root, "f", 0o644))
		for _, c := range []struct{ size, bytes uint64 }{{0, 0}, {1, 512}, {512, 512}, {513, 1024}, {70000, 70144}} {
			wantErr(t, "truncate", m.truncate(f, c.size), nil)
			if got := m.stat(f).Bytes; got != pick(fixed, 512, c.bytes) {
				t.Errorf("%d bytes hold %d", c.size, got)
			}
		}
		f.Rele(m.l)
	})
}

// brokenPager delivers no page.
type brokenPager struct{ uvm.Pager }

func (brokenPager) Get(l *kern.Lwp, o *uvm.Object, _ int64, _ []*uvm.Page, _, _, _, _, _ int) (int, error) {
	o.Interlock.Exit(l)
	return 0, kern.EIO
}

func TestFailedWriteLeavesFileAsItWas(t *testing.T) {
	both(t, func(t *testing.T, m *machine, fixed bool) {
		f := must(m.create(m.root, "f", 0o644))
		must(m.write(f, 0, "before", 0))
		held := m.k.Sys.Reserved()
		pager := f.Pager
		f.Pager = brokenPager{pager}
		n, err := m.write(f, 3, "longer than before", 0)
		f.Pager = pager
		if n != 0 || err != kern.EIO {
			t.Errorf("write: %d, %v", n, err)
		}
		if got := must(m.read(f, 0, 100)); got != "before" {
			t.Errorf("read %q", got)
		}
		if got := m.k.Sys.Reserved(); got != held {
			t.Errorf("%d bytes reserved, before it were %d", got, held)
		}
		f.Rele(m.l)
	})
}

func TestZeroWriteBeyondEnd(t *testing.T) {
	both(t, func(t *testing.T, m *machine, fixed bool) {
		f := must(m.create(m.root, "f", 0o644))
		if n, err := m.write(f, 512, "", 0); n != 0 || err != nil {
			t.Errorf("write: %d, %v", n, err)
		}
		if got := m.stat(f).Size; got != pick[uint64](fixed, 512, 0) {
			t.Errorf("size %d", got)
		}
		f.Rele(m.l)
	})
}

func TestSpaceRunsOut(t *testing.T) {
	const limit = 1 << 20
	for _, q := range []kern.Quirks{kern.Rev1125, kern.Fixed} {
		m := boot(t, config{quirks: q, memLimit: limit})
		f, g := must(m.create(m.root, "f", 0o644)), must(m.create(m.root, "g", 0o644))
		wantErr(t, "all of it", m.truncate(f, limit), nil)
		wantErr(t, "one more byte", m.truncate(g, 1), kern.ENOSPC)
		if n, err := m.write(f, limit, "x", 0); n != 0 || err != kern.ENOSPC {
			t.Errorf("write: %d, %v", n, err)
		}
		for _, size := range []uint64{1 << 62, math.MaxInt64, 1 << 63, 1<<64 - 2, 1<<63 + limit + 1} {
			wantErr(t, fmt.Sprint("truncate to ", size), m.truncate(f, size), kern.ENOSPC)
		}
		wantErr(t, "truncate to -1", m.truncate(f, 1<<64-1), nil)
		for _, off := range []int64{1 << 62, math.MaxInt64, math.MaxInt64 - 1} {
			_, err := m.write(f, off, "xyz", 0)
			wantErr(t, fmt.Sprint("write at ", off), err, kern.ENOSPC)
		}
		if va := m.stat(f); va.Size != limit {
			t.Errorf("size %d", va.Size)
		}
		wantErr(t, "shrink", m.truncate(f, limit-10), nil)
		must(m.write(g, 0, "0123456789", 0))
		wantErr(t, "unlink", m.remove(m.root, "f"), nil)
		wantErr(t, "still held", m.truncate(g, limit), kern.ENOSPC)
		f.Rele(m.l)
		wantErr(t, "gone with its last reference", m.truncate(g, limit), nil)
		g.Rele(m.l)
		m.end()
	}
}

// TestSpaceWithoutLimit has a machine that would hand out anything.
func TestSpaceWithoutLimit(t *testing.T) {
	m := boot(t, config{quirks: kern.Fixed, memLimit: math.MaxInt64})
	f := must(m.create(m.root, "f", 0o644))
	wantErr(t, "as long as can be", m.truncate(f, maxDataLen), nil)
	for _, size := range []uint64{maxDataLen + 1, math.MaxInt64, 1 << 63, 1<<63 + 5} {
		wantErr(t, fmt.Sprint("truncate to ", size), m.truncate(f, size), kern.ENOSPC)
	}
	must(m.write(f, 1<<61, "far away", 0))
	if got := must(m.read(f, 1<<61, 8)); got != "far away" {
		t.Errorf("read %q", got)
	}
	m.lock(f)
	f.Interlock.Enter(m.l)
	wantErr(t, "write back", vnode.VOP_PUTPAGES(m.l, f, 0, 0, 0x003), nil) // PGO_CLEANIT|PGO_SYNCIO
	vnode.VOP_UNLOCK(m.l, f)
	if n := nodeOf(f).data.pages(); n != 1 {
		t.Errorf("%d pages hold one write", n)
	}
	wantErr(t, "shrink", m.truncate(f, 3), nil)
	f.Rele(m.l)
	m.end()
}

func TestDataOutlivesVnode(t *testing.T) {
	both(t, func(t *testing.T, m *machine, fixed bool) {
		f := must(m.create(m.root, "f", 0o644))
		d := must(m.mkdir(m.root, "d", 0o755))
		must(m.create(d, "x", 0o644)).Rele(m.l)
		must(m.write(f, 0, "kept", 0))
		ino := m.stat(f).Fileid
		f.Rele(m.l)
		d.Rele(m.l)
		m.recycle()
		f = must(m.find(m.root, "f"))
		if va := m.stat(f); va.Fileid != ino || va.Size != pick[uint64](fixed, 0, 4) {
			t.Errorf("%+v", va)
		}
		got, err := m.read(f, 0, 10)
		if err != pick[error](fixed, kern.EINVAL, nil) || fixed && got != "kept" {
			t.Errorf("read %q, %v", got, err)
		}
		d = must(m.find(m.root, "d"))
		if got := m.ls(d); got != "x" {
			t.Errorf("ls: %s", got)
		}
		f.Rele(m.l)
		d.Rele(m.l)
	})
}

func TestWriteToFileWhoseSizeIsForgotten(t *testing.T) {
	m := boot(t, config{quirks: kern.Rev1125})
	f := must(m.create(m.root, "f", 0o644))
	must(m.write(f, 0, "kept", 0))
	f.Rele(m.l)
	m.recycle()
	f = must(m.find(m.root, "f"))
	if got := panics(t, func() { m.write(f, 0, "ab", 0) }); !strings.Contains(got, "past eof") {
		t.Error(got)
	}
}

func TestNotRegularFiles(t *testing.T) {
	both(t, func(t *testing.T, m *machine, fixed bool) {
		p := must(m.mknod(m.root, "p", vnode.VFIFO, kern.NODEV))
		l := must(m.symlink(m.root, "l", "target"))
		unsupported := pick[error](fixed, nil, kern.EOPNOTSUPP)
		m.lock(p)
		wantErr(t, "open a fifo", vnode.VOP_OPEN(m.l, p, kern.FREAD, m.cred), unsupported)
		vnode.VOP_UNLOCK(m.l, p)
		got, err := m.read(p, 0, 10)
		if got != "" && err == nil || err != unsupported {
			t.Errorf("read of a fifo: %q, %v", got, err)
		}
		_, err = m.read(m.root, 0, 10)
		wantErr(t, "read of a directory", err, kern.EISDIR)
		_, err = m.read(l, 0, 10)
		wantErr(t, "read of a link", err, kern.EINVAL)
		if fixed {
			_, err = m.write(p, 0, "x", 0)
			wantErr(t, "write to a fifo", err, kern.EOPNOTSUPP)
			_, err = m.write(m.root, 0, "x", 0)
			wantErr(t, "write to a directory", err, kern.EISDIR)
			_, err = m.write(l, 0, "x", 0)
			wantErr(t, "write to a link", err, kern.EINVAL)
		}
		wantErr(t, "truncate of a fifo", m.truncate(p, 0), nil)
		l.Rele(m.l)
		p.Rele(m.l)
	})
}

func TestWhatTheReferenceDiesOf(t *testing.T) {
	m := boot(t, config{quirks: kern.Rev1125})
	p := must(m.mknod(m.root, "p", vnode.VFIFO, kern.NODEV))
	l := must(m.symlink(m.root, "l", "target"))
	f := must(m.create(m.root, "f", 0o644))
	f.Rele(m.l)
	bp := vnode.GetIOBuf(m.l, f)
	bp.Bcount, bp.Data, bp.Blkno = 512, make([]byte, 512), 1
	for what, c := range map[string]struct {
		do   func()
		want string
	}{
		"write to a fifo":      {func() { m.write(p, 0, "abc", 0) }, "VREG"},
		"write to a directory": {func() { m.write(m.root, 0, "x", 0) }, "undefined: write-not-file"},
		"write to a link":      {func() { m.write(l, 0, "x", 0) }, "undefined: write-not-file"},
		"strategy":             {func() { vnode.VOP_STRATEGY(m.l, f, bp) }, "undefined: strategy-beyond-end"},
	} {
		if got := panics(t, c.do); !strings.Contains(got, c.want) {
			t.Errorf("%s: %s", what, got)
		}
	}
}

func TestStrategy(t *testing.T) {
	m := boot(t, config{quirks: kern.Fixed})
	f := must(m.create(m.root, "f", 0o644))
	wantErr(t, "truncate", m.truncate(f, 700), nil)
	transfer := func(vp *vnode.Vnode, flags uint32, blkno int64, b []byte) error {
		bp := vnode.GetIOBuf(m.l, vp)
		defer vnode.PutIOBuf(m.l, bp)
		bp.Flags, bp.Cflags, bp.Bcount, bp.Data, bp.Blkno = flags, vnode.BC_BUSY, len(b), b, blkno
		if bp.IsWrite() {
			vp.Startoutput(m.l, 1)
		}
		wantErr(t, "strategy", vnode.VOP_STRATEGY(m.l, vp, bp), nil)
		return vnode.Biowait(m.l, bp)
	}
	wantErr(t, "write", transfer(f, vnode.B_WRITE, 1, bytes.Repeat([]byte("w"), 512)), nil)
	b := bytes.Repeat([]byte("?"), 1024)
	wantErr(t, "read", transfer(f, vnode.B_READ, 1, b), nil)
	if want := strings.Repeat("w", 188) + strings.Repeat("\x00", 836); string(b) != want {
		t.Errorf("read %q", b)
	}
	wantErr(t, "read beyond the end", transfer(f, vnode.B_READ, 8, b), nil)
	if strings.Trim(string(b), "\x00") != "" {
		t.Errorf("read %q", b)
	}
	wantErr(t, "directory", transfer(m.root, vnode.B_READ, 0, b), kern.EINVAL)
	devvp, bn, run, err := vnode.VOP_BMAP(m.l, f, 7)
	if devvp != f || bn != 7 || run != 16 || err != nil {
		t.Errorf("bmap: %v %d %d %v", devvp, bn, run, err)
	}
	f.Rele(m.l)
	m.end()
}

// TestFileModel compares a file with a byte slice, vnodes being recycled at times.
func TestFileModel(t *testing.T) {
	for _, q := range []kern.Quirks{kern.Fixed, kern.Fixed.With(kern.QuirkTimesStill)} {
		rapid.Check(t, func(rt *rapid.T) {
			m := boot(t, config{quirks: q})
			f := must(m.create(m.root, "f", 0o644))
			var model []byte
			const most = 40_000
			rt.Repeat(map[string]func(*rapid.T){
				"write": func(rt *rapid.T) {
					off := rapid.IntRange(0, most).Draw(rt, "off")
					b := bytes.Repeat([]byte{rapid.Byte().Draw(rt, "byte")}, rapid.IntRange(1, 9000).Draw(rt, "n"))
					must(m.write(f, int64(off), string(b), 0))
					if more := off + len(b) - len(model); more > 0 {
						model = append(model, make([]byte, more)...)
					}
					copy(model[off:], b)
				},
				"truncate": func(rt *rapid.T) {
					n := rapid.IntRange(0, most).Draw(rt, "len")
					wantErr(t, "truncate", m.truncate(f, uint64(n)), nil)
					if n <= len(model) {
						model = model[:n:n]
					} else {
						model = append(model, make([]byte, n-len(model))...)
					}
				},
				"read": func(rt *rapid.T) {
					off, n := rapid.IntRange(0, most).Draw(rt, "off"), rapid.IntRange(0, most).Draw(rt, "n")
					want := ""
					if off < len(model) {
						want = string(model[off:min(len(model), off+n)])
					}
					if got := must(m.read(f, int64(off), n)); got != want {
						rt.Fatalf("read of %d bytes at %d differs", n, off)
					}
				},
				"recycle": func(rt *rapid.T) {
					f.Rele(m.l)
					m.recycle()
					f = must(m.find(m.root, "f"))
				},
				"": func(rt *rapid.T) {
					if got := m.stat(f).Size; got != uint64(len(model)) {
						rt.Fatalf("size %d, want %d", got, len(model))
					}
				},
			})
			f.Rele(m.l)
			m.end()
		})
	}
}

func TestHotOperationsAllocateNothing(t *testing.T) {
	for _, q := range []kern.Quirks{kern.Rev1125, kern.Fixed} {
		m := boot(t, config{quirks: q, unchecked: true})
		f := must(m.create(m.root, "f", 0o644))
		buf := bytes.Repeat([]byte("x"), 4096)
		var iov [1][]byte
		var u kern.Uio
		var va vnode.Vattr
		cnp := &vnode.Componentname{Flags: vnode.ISLASTCN, Cred: m.cred, Nameptr: "f", Namelen: 1}
		ops := map[string]func(){
			"write": func() {
				u.InitUio(&iov, buf, 8192, kern.UIO_WRITE)
				must(0, vnode.VOP_WRITE(m.l, f, &u, 0, m.cred))
			},
			"read": func() {
				u.InitUio(&iov, buf, 8192, kern.UIO_READ)
				must(0, vnode.VOP_READ(m.l, f, &u, 0, m.cred))
			},
			"getattr": func() { must(0, vnode.VOP_GETATTR(m.l, f, &va, m.cred)) },
			"access":  func() { must(0, vnode.VOP_ACCESS(m.l, f, vnode.VREAD, m.cred)) },
		}
		m.lock(f)
		ops["write"]()
		for what, op := range ops {
			if n := testing.AllocsPerRun(100, op); n != 0 {
				t.Errorf("%s allocates %v times", what, n)
			}
		}
		vnode.VOP_UNLOCK(m.l, f)
		m.lock(m.root)
		if n := testing.AllocsPerRun(100, func() { must(vnode.VOP_LOOKUP(m.l, m.root, cnp)).Rele(m.l) }); n != 0 {
			t.Errorf("lookup allocates %v times", n)
		}
		vnode.VOP_UNLOCK(m.l, m.root)
		f.Rele(m.l)
		m.end()
	}
}

func BenchmarkWriteSequential(b *testing.B) {
	for _, size := range []int64{1 << 20, 16 << 20} {
		b.Run(fmt.Sprint(size>>20, "MiB"), func(b *testing.B) {
			m := boot(b, config{quirks: kern.Rev1125, unchecked: true})
			data := strings.Repeat("x", 1<<16)
			b.SetBytes(size)
			b.ReportAllocs()
			for b.Loop() {
				f := must(m.create(m.root, "f", 0o644))
				for off := int64(0); off < size; off += 1 << 16 {
					must(m.write(f, off, data, 0))
				}
				f.Rele(m.l)
				must(0, m.remove(m.root, "f"))
			}
			m.end()
		})
	}
}

func BenchmarkGetattr(b *testing.B) {
	m := boot(b, config{quirks: kern.Rev1125, unchecked: true})
	var va vnode.Vattr
	m.lock(m.root)
	b.ReportAllocs()
	for b.Loop() {
		vnode.VOP_GETATTR(m.l, m.root, &va, m.cred)
	}
	vnode.VOP_UNLOCK(m.l, m.root)
	m.end()
}

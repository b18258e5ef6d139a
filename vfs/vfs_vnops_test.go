package vfs_test

import (
	"fmt"
	"slices"
	"strings"
	"testing"

	"rumpvfs/hypercall"
	"rumpvfs/kern"
	"rumpvfs/sim"
	"rumpvfs/vfs"
	"rumpvfs/vnode"
)

func TestOpen(t *testing.T) {
	tb := newTable(t, sim.Config{})
	p := tb.k.Init()
	for _, err := range []error{
		p.Mkdir("/dir", 0o755), p.Symlink("file", "/link"), p.Symlink("nowhere", "/dangling"),
		p.Mknod("/nodev", kern.S_IFCHR|0o666, kern.Makedev(99, 0)),
	} {
		tb.must(err)
	}
	fp, fd := tb.open("/file", kern.O_RDWR|kern.O_CREAT, 0o644)
	tb.write(fp, "content", -1)
	tb.close(fd)
	for _, c := range []struct {
		path  string
		flags int32
		err   error
	}{
		{"/file", kern.O_RDONLY, nil},
		{"/none", kern.O_RDONLY, kern.ENOENT},
		{"/file", kern.O_CREAT | kern.O_DIRECTORY, kern.EINVAL},
		{"/file", kern.O_DIRECTORY, kern.ENOTDIR},
		{"/dir", kern.O_DIRECTORY, nil},
		{"/dir", kern.O_RDWR, kern.EISDIR},
		{"/dir", kern.O_RDONLY | kern.O_TRUNC, kern.EISDIR},
		{"/dir", kern.O_RDONLY | kern.O_CREAT, nil},
		{"/dir/.", kern.O_RDONLY | kern.O_CREAT, nil},
		{"/", kern.O_RDONLY | kern.O_CREAT, kern.EEXIST},
		{"/file", kern.O_CREAT | kern.O_EXCL, kern.EEXIST},
		{"/dir/.", kern.O_CREAT | kern.O_EXCL, kern.EEXIST},
		{"/link", kern.O_CREAT | kern.O_EXCL, kern.EEXIST},
		{"/link", kern.O_RDONLY, nil},
		{"/link", kern.O_RDONLY | kern.O_NOFOLLOW, kern.EFTYPE},
		{"/link", kern.O_RDONLY | kern.O_CREAT | kern.O_NOFOLLOW, kern.EFTYPE},
		{"/dangling", kern.O_RDONLY, kern.ENOENT},
		{"/nodev", kern.O_RDONLY, kern.ENXIO},
		{"/nodev", kern.O_RDWR, kern.ENXIO},
		{"/dev/null", kern.O_RDWR | kern.O_TRUNC, nil},
	} {
		_, fd, err := tb.tryOpen(c.path, c.flags, 0o600)
		if err != c.err {
			t.Errorf("%s with %#x: %v, want %v", c.path, c.flags, err, c.err)
		}
		if err == nil {
			tb.close(fd)
		}
	}
	tb.want("open files but the console", tb.k.F.OpenFiles()-1, 0)
}

// TestOpenTruncates: O_TRUNC empties a file that was there, and does nothing
// to one that is made, so not even the right to write to it is asked for.
func TestOpenTruncates(t *testing.T) {
	tb := newTable(t, sim.Config{})
	fp, fd := tb.open("/f", kern.O_RDWR|kern.O_CREAT|kern.O_TRUNC, 0)
	tb.write(fp, "content", -1)
	tb.close(fd)
	fp, _ = tb.open("/f", kern.O_RDWR|kern.O_TRUNC, 0)
	tb.want("content", tb.read(fp, 10, -1), "")
	tb.write(fp, "more", -1)
	fp, _ = tb.open("/f", kern.O_RDONLY|kern.O_TRUNC, 0)
	tb.want("opened to read", tb.read(fp, 10, -1), "")
}

// TestOpenExecuted: what is being executed is not written.
func TestOpenExecuted(t *testing.T) {
	tb := newTable(t, sim.Config{})
	fp, _ := tb.open("/f", kern.O_RDONLY|kern.O_CREAT, 0o755)
	vp := fp.Vnode()
	vp.Interlock.Enter(tb.l)
	vp.SetIflag(vnode.VI_TEXT)
	vp.Interlock.Exit(tb.l)
	_, _, err := tb.tryOpen("/f", kern.O_RDWR, 0)
	tb.want("to write", err, kern.ETXTBSY)
	_, _, err = tb.tryOpen("/f", kern.O_RDONLY|kern.O_TRUNC, 0)
	tb.want("to truncate", err, kern.ETXTBSY)
	tb.open("/f", kern.O_RDONLY, 0)
	tb.want("truncate(2)", tb.k.Init().Truncate("/f", 0), kern.ETXTBSY)
}

func TestOpenSocket(t *testing.T) {
	tb := newTable(t, sim.Config{})
	fp, _ := tb.open("/f", kern.O_RDONLY|kern.O_CREAT, 0o755)
	fp.Vnode().SetType(vnode.VSOCK)
	_, _, err := tb.tryOpen("/f", kern.O_RDONLY, 0)
	tb.want("a socket", err, kern.EOPNOTSUPP)
	fp.Vnode().SetType(vnode.VREG)
}

// TestOpenPermission: a file is made with whatever mode, and its maker may
// use it as asked; later the mode counts.
func TestOpenPermission(t *testing.T) {
	p := boot(t, sim.Config{Without: kern.Rev1125}).Init()
	must := func(err error) {
		t.Helper()
		if err != nil {
			t.Fatal(err)
		}
	}
	must(p.Chmod("/tmp", 0o777))
	must(p.Setuid(7))
	fd, err := p.Open("/tmp/f", kern.O_RDWR|kern.O_CREAT|kern.O_EXCL, 0o000)
	must(err)
	if _, err := p.Write(fd, []byte("x")); err != nil {
		t.Error(err)
	}
	if _, err := p.Open("/tmp/f", kern.O_RDONLY, 0); err != kern.EACCES {
		t.Errorf("to read: %v", err)
	}
	if _, err := p.Open("/tmp/f", kern.O_WRONLY|kern.O_CREAT, 0); err != kern.EACCES {
		t.Errorf("to write: %v", err)
	}
}

// TestWritecount: a vnode knows how often it is open for writing.
func TestWritecount(t *testing.T) {
	tb := newTable(t, sim.Config{})
	fp, w := tb.open("/f", kern.O_WRONLY|kern.O_CREAT, 0o644)
	_, r := tb.open("/f", kern.O_RDONLY, 0)
	_, rw := tb.open("/f", kern.O_RDWR, 0)
	vp := fp.Vnode()
	for _, c := range []struct{ fd, left int }{{-1, 2}, {w, 1}, {rw, 0}} {
		if c.fd >= 0 {
			tb.close(c.fd)
		}
		tb.want("open for writing", vp.Writecount(), c.left)
	}
	n, err := vfs.Size(tb.l, vp)
	tb.must(err)
	tb.want("size", n, int64(0))
	tb.close(r)
}

// names reads a directory to its end, so many bytes at a time.
func (t *table) names(fp *vfs.File, size int) []string {
	t.Helper()
	var names []string
	buf := make([]byte, size)
	for {
		n, err := vfs.Readdir(t.l, fp, buf)
		t.must(err)
		if n == 0 {
			return names
		}
		for b := buf[:n]; len(b) > 0; {
			var d kern.Dirent
			d, b, err = kern.DecodeDirent(b)
			t.must(err)
			names = append(names, string(d.Name))
		}
	}
}

func TestReaddir(t *testing.T) {
	tb := newTable(t, sim.Config{Without: kern.Rev1125})
	p := tb.k.Init()
	tb.must(p.Mkdir("/d", 0o755))
	for i := range 5 {
		tb.must(p.Mkdir(fmt.Sprint("/d/", i), 0o755))
	}
	fp, _ := tb.open("/d", kern.O_RDONLY, 0)
	for _, size := range []int{1 << 20, 100, 64} {
		fp.SetOffset(0)
		got := tb.names(fp, size)
		slices.Sort(got)
		tb.want(fmt.Sprint("by ", size, " bytes"), strings.Join(got, " "), "0 1 2 3 4")
	}
	fp, _ = tb.open("/f", kern.O_RDONLY|kern.O_CREAT, 0o644)
	_, err := vfs.Readdir(tb.l, fp, make([]byte, 100))
	tb.want("a file", err, kern.EINVAL)
}

// union makes the root a union mount over /lower, which has one name of its
// own.
func union(t *table) (undo func()) {
	p := t.k.Init()
	t.must(p.Mkdir("/lower", 0o755))
	t.must(p.Mkdir("/lower/below", 0o755))
	lower, _ := t.open("/lower", kern.O_RDONLY, 0)
	mp := lower.Vnode().Mount()
	mp.Covered = lower.Vnode()
	mp.SetFlag(kern.MNT_UNION)
	return func() {
		mp.Covered = nil
		mp.ClearFlag(kern.MNT_UNION)
	}
}

// TestReaddirUnion: behind the end of the upper directory comes the lower
// one, and the open file stays there.
func TestReaddirUnion(t *testing.T) {
	tb := newTable(t, sim.Config{})
	fp, _ := tb.open("/", kern.O_RDONLY, 0)
	defer union(tb)()
	upper := fp.Vnode()
	var lower *vnode.Vnode
	got := tb.names(fp, 1024)
	if lower = fp.Vnode(); lower == upper {
		t.Error("still in the upper directory")
	}
	if i := slices.Index(got, "below"); i < slices.Index(got, "lower") || strings.Count(strings.Join(got, " "), "below") != 1 {
		t.Errorf("names %v", got)
	}
	fp.SetOffset(0)
	got = tb.names(fp, 1024)
	slices.Sort(got)
	tb.want("read again", strings.Join(got, " "), "below")
}

// TestReaddirUnionRace: two lwps come to the end of the upper directory at
// once. The audit at shutdown finds a reference that is missing or left.
func TestReaddirUnionRace(t *testing.T) {
	seeds(t, 60, func(t *testing.T, c sim.Config) {
		tb := newTable(t, c)
		fp, _ := tb.open("/", kern.O_RDONLY, 0)
		undo := union(tb)
		n, err := vfs.Readdir(tb.l, fp, make([]byte, 4096))
		tb.must(err)
		if n == 0 {
			t.Fatal("an empty root")
		}
		for i := range 2 {
			kern.StartLwp(tb.k.K, tb.l.Proc, fmt.Sprint(i), func(l *kern.Lwp) {
				if _, err := vfs.Readdir(l, fp, make([]byte, 4096)); err != nil {
					t.Error(err)
				}
			})
		}
		tb.k.Run()
		undo()
		if fp.Vnode() == tb.k.V.Root.Load() {
			t.Error("still in the upper directory")
		}
	})
}

// script makes calls that go through all of this layer; errors do not
// matter. It says when it revokes.
func script(p *sim.Proc, revoking *bool) {
	_ = p.Mkdir("/d", 0o755)
	_ = p.Symlink("d/f", "/l")
	for _, flags := range []int{kern.O_RDWR | kern.O_CREAT, kern.O_RDWR | kern.O_TRUNC, kern.O_WRONLY | kern.O_APPEND | kern.O_EXLOCK, kern.O_RDONLY | kern.O_SHLOCK | kern.O_NONBLOCK} {
		fd, err := p.Open("/l", flags, 0o644)
		if err != nil {
			fd, err = p.Open("/d/f", flags, 0o644)
		}
		if err != nil {
			continue
		}
		_, _ = p.Write(fd, []byte("hello"))
		_, _ = p.Lseek(fd, -2, kern.SEEK_END)
		_, _ = p.Read(fd, make([]byte, 5))
		_ = p.FcntlLock(fd, kern.F_SETLK, &kern.Flock{Type: kern.F_RDLCK, Len: 3})
		_, _ = p.Fstat(fd)
		_, _ = p.Dup2(fd, 7)
		_ = p.Close(fd)
		_ = p.Close(7)
	}
	fd, err := p.Open("/d", kern.O_RDONLY, 0)
	if err == nil {
		_, _ = p.Getdents(fd, make([]byte, 512))
		_ = p.Close(fd)
	}
	fd, err = p.Open("/dev/zero", kern.O_RDWR, 0)
	if err == nil {
		_, _ = p.Read(fd, make([]byte, 8))
		_, _ = p.Write(fd, make([]byte, 8))
		*revoking = true
		_ = p.Revoke("/dev/zero")
		*revoking = false
		_, _ = p.Read(fd, make([]byte, 8))
		_ = p.Close(fd)
	}
}

// TestFaults has each vnode operation of a script fail, one a run. Whatever
// fails, no lock and no reference stays behind: the kernel checks each
// operation's contract, and audits itself at shutdown.
func TestFaults(t *testing.T) {
	runs := 0
	for nth := 1; ; nth++ {
		h := &kern.Hooks{Check: true}
		k, err := sim.Boot(sim.Config{Mode: hypercall.Deterministic, Hooks: h, Without: kern.Rev1125})
		if err != nil {
			t.Fatal(err)
		}
		seen, failed, revoking := 0, "", false
		h.Fault = func(_ *kern.Lwp, op string) error {
			if op == "VOP_CLOSE" && revoking {
				return nil // a device that cannot be taken away is the kernel's end
			}
			if seen++; seen != nth {
				return nil
			}
			failed = op
			return kern.EIO
		}
		script(k.Init(), &revoking)
		h.Fault = nil
		if err := k.Err(); err != nil {
			t.Errorf("%s, the operation number %d, failed: %v", failed, nth, err)
		}
		if err := k.Shutdown(); err != nil {
			t.Errorf("%s, the operation number %d, failed: %v", failed, nth, err)
		}
		if failed == "" {
			break
		}
		runs++
	}
	if runs < 50 {
		t.Errorf("only %d operations", runs)
	}
}

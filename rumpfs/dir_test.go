package rumpfs

import (
	"fmt"
	"strings"
	"testing"

	"rumpvfs/kern"
	"rumpvfs/vnode"
)

func TestNewestNameComesFirst(t *testing.T) {
	both(t, func(t *testing.T, m *machine, fixed bool) {
		must(m.create(m.root, "one", 0o644)).Rele(m.l)
		must(m.mkdir(m.root, "two", 0o755)).Rele(m.l)
		must(m.symlink(m.root, "three", "x")).Rele(m.l)
		if got := m.ls(m.root); got != "three two one" {
			t.Errorf("ls: %s", got)
		}
		wantErr(t, "remove", m.remove(m.root, "two"), nil) // the system call keeps unlink from directories
		must(m.create(m.root, "one more", 0o644)).Rele(m.l)
		if got := m.ls(m.root); got != "one more three one" {
			t.Errorf("ls: %s", got)
		}
		_, err := m.find(m.root, "two")
		wantErr(t, "lookup of what was removed", err, kern.ENOENT)
		_, err = m.create(m.root, "one", 0o644)
		wantErr(t, "create twice", err, kern.EEXIST)
	})
}

func TestDotAndDotdot(t *testing.T) {
	both(t, func(t *testing.T, m *machine, fixed bool) {
		d := must(m.mkdir(m.root, "d", 0o755))
		for _, c := range []struct {
			dvp  *vnode.Vnode
			name string
			want *vnode.Vnode
		}{{d, ".", d}, {d, "..", m.root}, {m.root, "..", m.root}, {m.root, "d", d}} {
			vp := must(m.find(c.dvp, c.name))
			if vp != c.want {
				t.Errorf("%s is %s", c.name, vp.KernelState())
			}
			vp.Rele(m.l)
		}
		wantErr(t, "rmdir", m.rmdir(m.root, "d"), nil)
		_, err := m.find(d, "..")
		wantErr(t, ".. of a removed directory", err, kern.ENOENT)
		d.Rele(m.l)
	})
}

func TestRmdirWantsEmptyDirectory(t *testing.T) {
	both(t, func(t *testing.T, m *machine, fixed bool) {
		d := must(m.mkdir(m.root, "d", 0o755))
		must(m.create(d, "f", 0o644)).Rele(m.l)
		wantErr(t, "whiteout", m.whiteout(d, "w", vnode.CREATE), nil)
		wantErr(t, "rmdir", m.rmdir(m.root, "d"), kern.ENOTEMPTY)
		wantErr(t, "remove", m.remove(d, "f"), nil)
		wantErr(t, "rmdir with only a whiteout in it", m.rmdir(m.root, "d"), nil)
		if got := m.stat(d).Nlink; got != pick[uint32](fixed, 2, 0) {
			t.Errorf("removed directory has %d links", got)
		}
		if got := m.ls(d); got != "" {
			t.Errorf("removed directory has %s", got)
		}
		d.Rele(m.l)
	})
}

func TestCreateInRemovedDirectory(t *testing.T) {
	both(t, func(t *testing.T, m *machine, fixed bool) {
		d := must(m.mkdir(m.root, "d", 0o755))
		wantErr(t, "rmdir", m.rmdir(m.root, "d"), nil)
		for _, name := range []string{"x", "..", ".."} {
			vp, err := m.create(d, name, 0o644)
			wantErr(t, "create "+name, err, pick[error](fixed, nil, kern.ENOENT))
			if err == nil {
				vp.Rele(m.l)
			}
		}
		if got := m.ls(d); got != pick(fixed, ".. .. x", "") {
			t.Errorf("ls: %s", got)
		}
		_, err := m.find(d, "..")
		wantErr(t, "what is called .. is not found", err, kern.ENOENT)
		if !fixed { // of two entries with one name the newest goes
			wantErr(t, "whiteout replaces nothing", m.whiteout(d, "..", vnode.CREATE), nil)
			m.lock(d)
			cnp := &vnode.Componentname{Nameiop: vnode.DELETE, Cred: m.cred, Nameptr: "..", Namelen: 2}
			for i, want := range []string{".. .. x", ".. x", "x"} {
				wantErr(t, "delete", vnode.VOP_WHITEOUT(m.l, d, cnp, vnode.DELETE), nil)
				vnode.VOP_UNLOCK(m.l, d)
				if got := m.ls(d); got != want {
					t.Errorf("after %d removals: %s, want %s", i+1, got, want)
				}
				m.lock(d)
			}
			vnode.VOP_UNLOCK(m.l, d)
			wantErr(t, "remove x", m.remove(d, "x"), nil)
		}
		d.Rele(m.l)
	})
}

func TestWhiteouts(t *testing.T) {
	both(t, func(t *testing.T, m *machine, fixed bool) {
		d := must(m.mkdir(m.root, "d", 0o755))
		m.lock(d)
		wantErr(t, "are there whiteouts", vnode.VOP_WHITEOUT(m.l, d, nil, vnode.LOOKUP), nil)
		vnode.VOP_UNLOCK(m.l, d)
		for range 2 {
			wantErr(t, "whiteout", m.whiteout(d, "w", vnode.CREATE), nil)
			if got := m.ls(d); got != "w (whiteout)" {
				t.Errorf("ls: %s", got)
			}
		}
		_, err := m.find(d, "w")
		wantErr(t, "lookup", err, kern.ENOENT)
		wantErr(t, "unlink", m.remove(d, "w"), kern.ENOENT)
		wantErr(t, "undelete", m.whiteout(d, "w", vnode.DELETE), pick[error](fixed, kern.ENOENT, nil))
		if got := m.ls(d); got != pick(fixed, "w (whiteout)", "") {
			t.Errorf("ls after undelete: %s", got)
		}
		wantErr(t, "undelete what is not there", m.whiteout(d, "x", vnode.DELETE), kern.ENOENT)
		d.Rele(m.l)
		wantErr(t, "undelete a directory", m.whiteout(m.root, "d", vnode.DELETE), kern.EEXIST)
	})
}

func TestWhateverReplacesWhiteoutIsOpaque(t *testing.T) {
	both(t, func(t *testing.T, m *machine, fixed bool) {
		for i, c := range []struct {
			make  func(name string) (*vnode.Vnode, error)
			fixed uint64
		}{
			{func(n string) (*vnode.Vnode, error) { return m.create(m.root, n, 0o644) }, 0},
			{func(n string) (*vnode.Vnode, error) { return m.mkdir(m.root, n, 0o755) }, kern.UF_OPAQUE},
			{func(n string) (*vnode.Vnode, error) { return m.symlink(m.root, n, "t") }, 0},
			{func(n string) (*vnode.Vnode, error) { return m.mknod(m.root, n, vnode.VFIFO, kern.NODEV) }, 0},
		} {
			name := fmt.Sprint("w", i)
			wantErr(t, "whiteout", m.whiteout(m.root, name, vnode.CREATE), nil)
			vp := must(c.make(name))
			if got := m.stat(vp).Flags; got != pick(fixed, kern.UF_OPAQUE, c.fixed) {
				t.Errorf("%v has flags %#x", vp.Type(), got)
			}
			vp.Rele(m.l)
		}
		if got := m.ls(m.root); got != "w3 w2 w1 w0" {
			t.Errorf("ls: %s", got)
		}
	})
}

func TestDeleteLeavingWhiteout(t *testing.T) {
	m := boot(t, config{quirks: kern.Rev1125})
	must(m.create(m.root, "f", 0o644)).Rele(m.l)
	vp, cnp, err := m.look(m.root, "f", vnode.DELETE, vnode.LOCKPARENT|vnode.LOCKLEAF|vnode.DOWHITEOUT)
	wantErr(t, "lookup", err, nil)
	m.lock(vp)
	m.root.Ref(m.l)
	wantErr(t, "remove", vnode.VOP_REMOVE(m.l, m.root, vp, cnp), nil)
	if got := m.ls(m.root); got != "f (whiteout)" {
		t.Errorf("ls: %s", got)
	}
	m.end()
}

func TestMakedirAndFreedirAssertions(t *testing.T) {
	m := boot(t, config{})
	cnp := &vnode.Componentname{Nameiop: vnode.DELETE, Cred: m.cred, Nameptr: "nosuch", Namelen: 6}
	m.lock(m.root)
	for _, c := range []struct {
		op, flags uint32
		want      string
	}{
		{vnode.DELETE, 0, "could not find directory entry: nosuch"},
		{vnode.RENAME, 0, "unknown whiteout op 3"},
		{vnode.CREATE, vnode.ISWHITEOUT | vnode.DOWHITEOUT, `kernel diagnostic assertion "(cnp->cn_flags & DOWHITEOUT) == 0" failed`},
	} {
		cnp.Flags = c.flags
		if got := panics(t, func() { vopWhiteout(m.l, m.root, cnp, int(c.op)) }); got != c.want {
			t.Errorf("whiteout %d: %s, want %s", c.op, got, c.want)
		}
	}
	vnode.VOP_UNLOCK(m.l, m.root)
	f := must(m.create(m.root, "f", 0o644))
	if got := panics(t, func() { dirOf(f) }); !strings.Contains(got, "VDIR") {
		t.Errorf("a file as directory: %s", got)
	}
	f.Rele(m.l)
}

// TestGetdents goes through a directory in pieces and compares offsets: the numbers are those of the reference's traces.
func TestGetdents(t *testing.T) {
	both(t, func(t *testing.T, m *machine, fixed bool) {
		for _, n := range []string{"one", "two", "three", "four"} {
			must(m.create(m.root, n, 0o644)).Rele(m.l)
		}
		var off int64
		step := func(n int, want string, wantOff, fixedOff int64, wantErr, fixedErr error) {
			t.Helper()
			names, _, err := m.getdents(m.root, &off, n)
			if got := strings.Join(names, " "); got != want {
				t.Errorf("getdents of %d bytes: %s, want %s", n, got, want)
			}
			if err != pick(fixed, wantErr, fixedErr) || off != pick(fixed, wantOff, fixedOff) {
				t.Errorf("getdents of %d bytes: error %v, offset %d", n, err, off)
			}
		}
		step(0, "", 0, 0, nil, nil)
		step(24, "four", 1, 4, nil, nil)
		if fixed {
			step(32, "three", 0, 3, nil, nil)
			step(40, "two", 0, 2, nil, nil)
			step(10, "", 0, 2, nil, kern.EINVAL)
			must(m.create(m.root, "five", 0o644)).Rele(m.l)
			wantErr(t, "remove", m.remove(m.root, "three"), nil)
			step(100, "one", 0, 1, nil, nil)
			step(100, "", 0, 1, nil, nil)
			return
		}
		step(32, "three", 1, 0, nil, nil)
		step(40, "three", 1, 0, nil, nil)
		step(100, "three two one", 4, 0, nil, nil)
		step(100, "", 4, 0, nil, nil)
		off = 100
		step(100, "", 4, 0, nil, nil)
		off = -7
		step(24, "four", 1, 0, nil, nil)
		off = 0
		step(16, "", 1<<32-1, 0, nil, nil)
		step(4096, "", 4, 0, nil, nil)
	})
}

func TestGetdentsSaysWhenItIsDone(t *testing.T) {
	both(t, func(t *testing.T, m *machine, fixed bool) {
		must(m.create(m.root, "a", 0o644)).Rele(m.l)
		must(m.create(m.root, "b", 0o644)).Rele(m.l)
		off := int64(0)
		names, eof, err := m.getdents(m.root, &off, 16)
		wantErr(t, "getdents", err, nil)
		wantNames(t, names, "b")
		if eof {
			t.Error("end of file after the first of two names")
		}
		names, eof, err = m.getdents(m.root, &off, 16)
		wantErr(t, "getdents", err, nil)
		wantNames(t, names, "a")
		if !eof {
			t.Error("no end of file after the last name")
		}
	})
}

func TestLongestNameFitsItsBuffer(t *testing.T) {
	m := boot(t, config{unchecked: true})
	name := strings.Repeat("n", maxNamlen)
	must(m.create(m.root, name, 0o644)).Rele(m.l)
	var iov [1][]byte
	var u kern.Uio
	buf := make([]byte, 4096)
	if got := m.ls(m.root); got != name {
		t.Errorf("ls: %s", got)
	}
	if n := testing.AllocsPerRun(20, func() {
		u.InitUio(&iov, buf, 0, kern.UIO_READ)
		m.lock(m.root)
		vnode.VOP_READDIR(m.l, m.root, &u, m.cred, nil)
		vnode.VOP_UNLOCK(m.l, m.root)
	}); n != 0 {
		t.Errorf("%v allocations a readdir", n)
	}
	m.end()
}

// TestReaddirFault reads entries into memory that ends within the second one.
// Reading goes on with that one, or with the quirk with the one before it.
func TestReaddirFault(t *testing.T) {
	both(t, func(t *testing.T, m *machine, fixed bool) {
		for _, name := range []string{"c", "b", "a"} {
			must(m.create(m.root, name, 0o644)).Rele(m.l)
		}
		const entry = 24 // bytes that one takes
		u := kern.Uio{Iov: [][]byte{make([]byte, entry+5)}, Resid: 10 * entry}
		m.lock(m.root)
		eof, err := vnode.VOP_READDIR(m.l, m.root, &u, m.cred, nil)
		vnode.VOP_UNLOCK(m.l, m.root)
		wantErr(t, "readdir", err, kern.EFAULT)
		names, _, err := m.getdents(m.root, &u.Offset, 10*entry)
		want := "a b c"
		if fixed {
			want = "b c"
		}
		if got := strings.Join(names, " "); got != want || err != nil || eof {
			t.Errorf("then %q, want %q, %v", got, want, err)
		}
	})
}

func TestSymlink(t *testing.T) {
	both(t, func(t *testing.T, m *machine, fixed bool) {
		vp := must(m.symlink(m.root, "l", "target"))
		if va := m.stat(vp); va.Size != 6 || va.Type != vnode.VLNK {
			t.Errorf("size %d type %v", va.Size, va.Type)
		}
		for _, c := range []struct {
			n    int
			want string
		}{{100, "target"}, {3, "tar"}, {0, ""}} {
			var iov [1][]byte
			var u kern.Uio
			buf := make([]byte, c.n)
			u.InitUio(&iov, buf, 0, kern.UIO_READ)
			m.lock(vp)
			wantErr(t, "readlink", vnode.VOP_READLINK(m.l, vp, &u, m.cred), nil)
			vnode.VOP_UNLOCK(m.l, vp)
			if got := string(buf[:int64(c.n)-u.Resid]); got != c.want {
				t.Errorf("readlink of %d bytes: %q", c.n, got)
			}
		}
		vp.Rele(m.l)
		long := strings.Repeat("t", kern.MAXPATHLEN)
		if got := panics(t, func() { vopSymlink(m.l, m.root, nil, nil, long) }); !strings.Contains(got, "linklen < MAXPATHLEN") {
			t.Errorf("symlink of %d bytes: %s", len(long), got)
		}
	})
}

func TestReadOnlyMount(t *testing.T) {
	both(t, func(t *testing.T, m *machine, fixed bool) {
		f := must(m.create(m.root, "f", 0o666))
		d := must(m.mkdir(m.root, "d", 0o777))
		p := must(m.mknod(m.root, "p", vnode.VFIFO, kern.NODEV))
		m.mp.SetFlag(kern.MNT_RDONLY)
		_, err := m.create(m.root, "x", 0o644)
		wantErr(t, "create", err, kern.EROFS)
		wantErr(t, "remove", m.remove(m.root, "f"), kern.EROFS)
		wantErr(t, "remove what is not there", m.remove(m.root, "nosuch"), kern.EROFS)
		for _, c := range []struct {
			vp   *vnode.Vnode
			mode int
			want error
		}{
			{f, vnode.VWRITE, kern.EROFS}, {d, vnode.VWRITE, kern.EROFS}, {p, vnode.VWRITE, nil},
			{f, vnode.VREAD, nil}, {d, vnode.VEXEC, nil},
		} {
			m.lock(c.vp)
			wantErr(t, fmt.Sprint("access ", c.vp.Type(), " ", c.mode), vnode.VOP_ACCESS(m.l, c.vp, c.mode, m.cred), c.want)
			vnode.VOP_UNLOCK(m.l, c.vp)
		}
		wantErr(t, "chmod", m.set(f, func(va *vnode.Vattr) { va.Mode = 0o600 }), pick[error](fixed, nil, kern.EROFS))
		wantErr(t, "nothing", m.set(f, func(va *vnode.Vattr) {}), nil)
		if got := m.stat(f).Mode; got != pick[uint32](fixed, 0o600, 0o666) {
			t.Errorf("mode is %o", got)
		}
		m.mp.ClearFlag(kern.MNT_RDONLY)
		f.Rele(m.l)
		d.Rele(m.l)
		p.Rele(m.l)
	})
}

func TestRename(t *testing.T) {
	m := boot(t, config{quirks: kern.Rev1125})
	must(m.create(m.root, "f", 0o644)).Rele(m.l)
	_, _, err := m.look(m.root, "f", vnode.RENAME, vnode.LOCKPARENT)
	wantErr(t, "lookup for rename", err, kern.EOPNOTSUPP)
	vnode.VOP_UNLOCK(m.l, m.root)
	f := must(m.find(m.root, "f"))
	m.lock(m.root)
	m.root.Ref(m.l)
	cnp := &vnode.Componentname{Nameiop: vnode.CREATE, Cred: m.cred, Nameptr: "g", Namelen: 1}
	wantErr(t, "link", vnode.VOP_LINK(m.l, m.root, f, cnp), kern.EOPNOTSUPP)
	f.Rele(m.l)
	m.end()
}

func TestNoMemoryForNodes(t *testing.T) {
	limits := map[string]int64{
		"no node": nodeBytes + direntBytes + 1, "no entry": 2*nodeBytes + 1, "no room at all": nodeBytes,
	}
	for name, limit := range limits {
		t.Run(name, func(t *testing.T) {
			m := boot(t, config{nodeLimit: limit})
			_, err := m.create(m.root, "f", 0o644)
			wantErr(t, "create", err, kern.ENOMEM)
			if limit < nodeBytes+direntBytes+1 {
				wantErr(t, "whiteout", m.whiteout(m.root, "w", vnode.CREATE), kern.ENOMEM)
			}
			if got := m.ls(m.root); got != "" {
				t.Errorf("ls: %s", got)
			}
			m.end()
		})
	}
	t.Run("after removal", func(t *testing.T) {
		m := boot(t, config{nodeLimit: 2*nodeBytes + direntBytes + 2})
		for range 3 {
			must(m.symlink(m.root, "l", "t")).Rele(m.l)
			_, err := m.create(m.root, "f", 0o644)
			wantErr(t, "create", err, kern.ENOMEM)
			wantErr(t, "remove", m.remove(m.root, "l"), nil)
		}
		m.end()
	})
}

func BenchmarkLookup(b *testing.B) {
	for _, n := range []int{10, 10_000} {
		b.Run(fmt.Sprint(n), func(b *testing.B) {
			m := boot(b, config{quirks: kern.Rev1125, unchecked: true})
			names := make([]string, n)
			for i := range names {
				names[i] = fmt.Sprintf("name%06d", i)
				must(m.create(m.root, names[i], 0o644)).Rele(m.l)
			}
			m.lock(m.root)
			cnp := &vnode.Componentname{Flags: vnode.ISLASTCN, Cred: m.cred, Namelen: len(names[0])}
			b.ReportAllocs()
			i := 0
			for b.Loop() {
				cnp.Nameptr = names[i*7919%n]
				i++
				vp, err := vnode.VOP_LOOKUP(m.l, m.root, cnp)
				if err != nil {
					b.Fatal(err)
				}
				vp.Rele(m.l)
			}
			vnode.VOP_UNLOCK(m.l, m.root)
			m.end()
		})
	}
}

func BenchmarkCreateRemove(b *testing.B) {
	m := boot(b, config{quirks: kern.Rev1125, unchecked: true})
	b.ReportAllocs()
	for b.Loop() {
		must(m.create(m.root, "name", 0o644)).Rele(m.l)
		if err := m.remove(m.root, "name"); err != nil {
			b.Fatal(err)
		}
	}
	m.end()
}

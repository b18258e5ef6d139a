package rumpfs

import (
	"testing"

	"rumpvfs/kern"
	"rumpvfs/vnode"
)

func TestFreshAttributes(t *testing.T) {
	both(t, func(t *testing.T, m *machine, fixed bool) {
		f := must(m.create(m.root, "f", 0o644))
		d := must(m.mkdir(m.root, "d", 0o7755))
		c := must(m.mknod(m.root, "c", vnode.VCHR, kern.Makedev(40, 7)))
		s := must(m.make(m.root, "s", attrs(vnode.VSOCK, 0o600), vnode.VOP_CREATE))
		for _, w := range []struct {
			vp    *vnode.Vnode
			t     vnode.Vtype
			mode  uint32
			nlink uint32
			size  uint64
			rdev  kern.Dev
			bytes uint64
		}{
			{m.root, vnode.VDIR, 0o755, pick[uint32](fixed, 2, 3), 512, kern.NODEV, 512},
			{f, vnode.VREG, 0o644, 1, 0, kern.NODEV, pick[uint64](fixed, 512, 0)},
			{d, vnode.VDIR, 0o7755, 2, 512, kern.NODEV, 512},
			{c, vnode.VCHR, 0o644, 1, 512, kern.Makedev(40, 7), 512},
			{s, vnode.VSOCK, 0o600, 1, 512, kern.NODEV, 512},
		} {
			va := m.stat(w.vp)
			if va.Type != w.t || va.Mode != w.mode || va.Nlink != w.nlink || va.Size != w.size || va.Rdev != w.rdev ||
				va.Bytes != w.bytes || va.Blocksize != 512 || va.Fsid != va.Fileid || va.UID != 0 || va.GID != 0 {
				t.Errorf("%v: %+v, want %+v", w.t, va, w)
			}
		}
		if a, b := m.stat(m.root).Fileid, m.stat(f).Fileid; a != inoLast+1 || b != a+1 {
			t.Errorf("the root is file %d, the first file in it %d", a, b)
		}
		for _, vp := range []*vnode.Vnode{f, d, c, s} {
			vp.Rele(m.l)
		}
	})
}

func TestOwnerOfWhatIsCreated(t *testing.T) {
	both(t, func(t *testing.T, m *machine, fixed bool) {
		d := must(m.mkdir(m.root, "pub", 0o2777))
		wantErr(t, "chown", m.set(d, func(va *vnode.Vattr) { va.UID, va.GID = 50, 60 }), nil)
		m.as(100, 200)
		f := must(m.create(d, "f", 0o2644))
		sub := must(m.mkdir(d, "d", 0o2755))
		type owner struct{ uid, gid, mode uint32 }
		va := m.stat(f)
		if got, want := (owner{va.UID, va.GID, va.Mode}), pick(fixed, owner{0, 0, 0o2644}, owner{100, 60, 0o644}); got != want {
			t.Errorf("file: %v, want %v", got, want)
		}
		va = m.stat(sub)
		if got, want := (owner{va.UID, va.GID, va.Mode}), pick(fixed, owner{0, 0, 0o2755}, owner{100, 60, 0o2755}); got != want {
			t.Errorf("directory: %v, want %v", got, want)
		}
		wantErr(t, "chmod by the maker", m.set(f, func(va *vnode.Vattr) { va.Mode = 0o600 }), pick[error](fixed, kern.EPERM, nil))
		m.asRoot()
		sub.Rele(m.l)
		f.Rele(m.l)
		d.Rele(m.l)
	})
}

func TestPermission(t *testing.T) {
	m := boot(t, config{quirks: kern.Rev1125})
	d := must(m.mkdir(m.root, "d", 0o755))
	f := must(m.create(d, "f", 0o640))
	must(m.create(d, "g", 0o644)).Rele(m.l)
	m.lock(f)
	wantErr(t, "root executes what nobody may", vnode.VOP_ACCESS(m.l, f, vnode.VEXEC, m.cred), kern.EACCES)
	vnode.VOP_UNLOCK(m.l, f)
	m.as(100, 100)
	m.lock(f)
	wantErr(t, "read", vnode.VOP_ACCESS(m.l, f, vnode.VREAD, m.cred), kern.EACCES)
	vnode.VOP_UNLOCK(m.l, f)
	_, err := m.create(d, "x", 0o644)
	wantErr(t, "create", err, kern.EACCES)
	wantErr(t, "remove", m.remove(d, "g"), kern.EACCES)
	for what, set := range map[string]func(*vnode.Vattr){
		"chmod":   func(va *vnode.Vattr) { va.Mode = 0o777 },
		"chown":   func(va *vnode.Vattr) { va.UID = 100 },
		"chgrp":   func(va *vnode.Vattr) { va.GID = 100 },
		"chflags": func(va *vnode.Vattr) { va.Flags = kern.UF_NODUMP },
		"utimes":  func(va *vnode.Vattr) { va.Mtime = kern.Timespec{Sec: 1} },
	} {
		before := m.stat(f)
		wantErr(t, what, m.set(f, set), kern.EPERM)
		if got := m.stat(f); got != before {
			t.Errorf("%s failed and changed %+v to %+v", what, before, got)
		}
	}
	m.asRoot()
	wantErr(t, "chmod", m.set(d, func(va *vnode.Vattr) { va.Mode = 0o700 }), nil)
	m.as(100, 100)
	_, err = m.find(d, "f")
	wantErr(t, "search", err, kern.EACCES)
	m.asRoot()
	f.Rele(m.l)
	d.Rele(m.l)
	m.end()
}

func TestSetattr(t *testing.T) {
	both(t, func(t *testing.T, m *machine, fixed bool) {
		f := must(m.create(m.root, "f", 0o644))
		wantErr(t, "all at once", m.set(f, func(va *vnode.Vattr) {
			va.Mode, va.UID, va.GID, va.Flags, va.Size = 0o7777, 1, 2, kern.UF_NODUMP, 10
			va.Atime, va.Mtime = kern.Timespec{Sec: 3, Nsec: 4}, kern.Timespec{Sec: 5, Nsec: 6}
		}), nil)
		va := m.stat(f)
		if va.Mode != 0o7777 || va.UID != 1 || va.GID != 2 || va.Flags != kern.UF_NODUMP || va.Size != 10 {
			t.Errorf("%+v", va)
		}
		if va.Atime != (kern.Timespec{Sec: 3, Nsec: 4}) || !fixed && va.Mtime != (kern.Timespec{Sec: 5, Nsec: 6}) {
			t.Errorf("times %v %v", va.Atime, va.Mtime)
		}
		wantErr(t, "chgrp", m.set(f, func(va *vnode.Vattr) { va.GID = 7 }), nil)
		wantErr(t, "chown", m.set(f, func(va *vnode.Vattr) { va.UID = 8 }), nil)
		if va = m.stat(f); va.UID != 8 || va.GID != 7 {
			t.Errorf("owner %d %d", va.UID, va.GID)
		}
		f.Rele(m.l)
	})
}

func TestTimeMinusOne(t *testing.T) {
	both(t, func(t *testing.T, m *machine, fixed bool) {
		f := must(m.create(m.root, "f", 0o644))
		utimes := func(sec, nsec int64) kern.Timespec {
			wantErr(t, "utimes", m.set(f, func(va *vnode.Vattr) { va.Atime = kern.Timespec{Sec: sec, Nsec: nsec} }), nil)
			return m.stat(f).Atime
		}
		utimes(7, 8)
		if got := utimes(-1, 0); got != pick(fixed, kern.Timespec{Sec: 7}, kern.Timespec{Sec: -1}) {
			t.Errorf("utimes -1 0: %v", got)
		}
		if got := utimes(5, -1000); got != (kern.Timespec{Sec: 5, Nsec: -1000}) {
			t.Errorf("utimes 5 -1000: %v", got)
		}
		f.Rele(m.l)
	})
}

// TestTimesMove has each operation that should move times, and looks which it moved from long ago.
func TestTimesMove(t *testing.T) {
	both(t, func(t *testing.T, m *machine, fixed bool) {
		d := must(m.mkdir(m.root, "d", 0o755))
		f := must(m.create(d, "f", 0o644))
		l := must(m.symlink(d, "l", "t"))
		_, err := m.write(f, 0, "0123456789", 0)
		wantErr(t, "write", err, nil)
		old := kern.Timespec{Sec: 100}
		for _, c := range []struct {
			what  string
			vp    *vnode.Vnode
			moves string // of a, m, c
			do    func() error
		}{
			{"read", f, "a", func() error { _, err := m.read(f, 0, 5); return err }},
			{"read of nothing", f, "", func() error { _, err := m.read(f, 0, 0); return err }},
			{"write", f, "mc", func() error { _, err := m.write(f, 0, "x", 0); return err }},
			{"write of nothing", f, "", func() error { _, err := m.write(f, 0, "", 0); return err }},
			{"truncate", f, "mc", func() error { return m.truncate(f, 5) }},
			{"chmod", f, "c", func() error { return m.set(f, func(va *vnode.Vattr) { va.Mode = 0o600 }) }},
			{"chown", f, "c", func() error { return m.set(f, func(va *vnode.Vattr) { va.UID = 1 }) }},
			{"chflags", f, "c", func() error { return m.set(f, func(va *vnode.Vattr) { va.Flags = kern.UF_NODUMP }) }},
			{"utimes", f, "c", func() error { return m.set(f, func(va *vnode.Vattr) { va.Mtime = old }) }},
			{"getdents", d, "a", func() error { m.ls(d); return nil }},
			{"create", d, "mc", func() error { vp, err := m.create(d, "g", 0o644); vp.Rele(m.l); return err }},
			{"unlink", d, "mc", func() error { return m.remove(d, "g") }},
			{"whiteout", d, "mc", func() error { return m.whiteout(d, "w", vnode.CREATE) }},
			{"unlink of an open file", f, "c", func() error { return m.remove(d, "f") }},
			{"readlink", l, "a", func() error {
				m.lock(l)
				defer vnode.VOP_UNLOCK(m.l, l)
				return vnode.VOP_READLINK(m.l, l, &kern.Uio{}, m.cred)
			}},
		} {
			wantErr(t, "utimes", m.set(c.vp, func(va *vnode.Vattr) { va.Atime, va.Mtime, va.Ctime = old, old, old }), nil)
			wantErr(t, c.what, c.do(), nil)
			va, moved := m.stat(c.vp), ""
			for _, ts := range []struct {
				name string
				ts   kern.Timespec
			}{{"a", va.Atime}, {"m", va.Mtime}, {"c", va.Ctime}} {
				if ts.ts != old {
					moved += ts.name
				}
			}
			if moved != pick(fixed, "", c.moves) {
				t.Errorf("%s moves %q", c.what, moved)
			}
		}
		l.Rele(m.l)
		f.Rele(m.l)
		d.Rele(m.l)
	})
}

func TestAccessTimeOnNoatimeMount(t *testing.T) {
	m := boot(t, config{quirks: kern.Fixed})
	f := must(m.create(m.root, "f", 0o644))
	before := m.stat(f).Atime
	m.mp.SetFlag(kern.MNT_NOATIME)
	must(m.read(f, 0, 10))
	if got := m.stat(f).Atime; got != before {
		t.Errorf("access time moved from %v to %v", before, got)
	}
	f.Rele(m.l)
	m.end()
}

func TestLinkCounts(t *testing.T) {
	both(t, func(t *testing.T, m *machine, fixed bool) {
		f := must(m.create(m.root, "f", 0o644))
		must(m.mkdir(m.root, "a", 0o755)).Rele(m.l)
		must(m.mkdir(m.root, "b", 0o755)).Rele(m.l)
		if got := m.stat(m.root).Nlink; got != pick[uint32](fixed, 2, 4) {
			t.Errorf("root has %d links with two directories in it", got)
		}
		wantErr(t, "rmdir", m.rmdir(m.root, "a"), nil)
		wantErr(t, "unlink", m.remove(m.root, "f"), nil)
		if got := m.stat(m.root).Nlink; got != pick[uint32](fixed, 2, 3) {
			t.Errorf("root has %d links with one directory in it", got)
		}
		if got := m.stat(f).Nlink; got != pick[uint32](fixed, 1, 0) {
			t.Errorf("removed open file has %d links", got)
		}
		f.Rele(m.l)
	})
}

func TestStickyDirectory(t *testing.T) {
	both(t, func(t *testing.T, m *machine, fixed bool) {
		d := must(m.mkdir(m.root, "tmp", 0o1777))
		must(m.create(d, "f", 0o644)).Rele(m.l)
		must(m.mkdir(d, "d", 0o755)).Rele(m.l)
		m.as(100, 100)
		must(m.create(d, "mine", 0o644)).Rele(m.l)
		wantErr(t, "unlink one's own", m.remove(d, "mine"), nil)
		wantErr(t, "unlink another's", m.remove(d, "f"), pick[error](fixed, nil, kern.EPERM))
		wantErr(t, "rmdir another's", m.rmdir(d, "d"), pick[error](fixed, nil, kern.EPERM))
		m.asRoot()
		if got := m.ls(d); got != pick(fixed, "", "d f") {
			t.Errorf("ls: %s", got)
		}
		d.Rele(m.l)
	})
}

func TestFileFlags(t *testing.T) {
	both(t, func(t *testing.T, m *machine, fixed bool) {
		refused := pick[error](fixed, nil, kern.EPERM)
		d := must(m.mkdir(m.root, "d", 0o777))
		f := must(m.create(d, "f", 0o666))
		chflags := func(vp *vnode.Vnode, flags uint64) error {
			return m.set(vp, func(va *vnode.Vattr) { va.Flags = flags })
		}
		wantErr(t, "chown", m.set(f, func(va *vnode.Vattr) { va.UID = 100 }), nil)
		wantErr(t, "immutable", chflags(f, kern.UF_IMMUTABLE), nil)
		m.lock(f)
		wantErr(t, "open for writing", vnode.VOP_ACCESS(m.l, f, vnode.VWRITE, m.cred), refused)
		wantErr(t, "open for reading", vnode.VOP_ACCESS(m.l, f, vnode.VREAD, m.cred), nil)
		vnode.VOP_UNLOCK(m.l, f)
		wantErr(t, "chmod", m.set(f, func(va *vnode.Vattr) { va.Mode = 0o600 }), refused)
		wantErr(t, "append only", chflags(f, kern.UF_APPEND), nil)
		wantErr(t, "truncate", m.truncate(f, 0), refused)
		_, err := m.write(f, 0, "first", vnode.IO_APPEND)
		wantErr(t, "append", err, nil)
		_, err = m.write(f, 0, "X", 0)
		wantErr(t, "overwrite", err, refused)
		m.as(100, 100)
		wantErr(t, "owner sets a system flag", chflags(f, kern.SF_APPEND), refused)
		wantErr(t, "owner sets a flag", chflags(f, kern.UF_APPEND), nil)
		m.asRoot()
		wantErr(t, "superuser sets a system flag", chflags(f, kern.SF_APPEND), nil)
		m.as(100, 100)
		wantErr(t, "owner clears a system flag", chflags(f, 0), refused)
		m.asRoot()
		if fixed {
			wantErr(t, "unlink", m.remove(d, "f"), kern.EPERM)
			wantErr(t, "clear", chflags(f, 0), nil)
			wantErr(t, "append only directory", chflags(d, kern.UF_APPEND), nil)
			wantErr(t, "unlink there", m.remove(d, "f"), kern.EPERM)
			wantErr(t, "clear", chflags(d, 0), nil)
		}
		wantErr(t, "unlink", m.remove(d, "f"), nil)
		f.Rele(m.l)
		d.Rele(m.l)
	})
}

func TestWritingClearsSetID(t *testing.T) {
	both(t, func(t *testing.T, m *machine, fixed bool) {
		f := must(m.create(m.root, "f", 0o6777))
		_, err := m.write(f, 0, "root", 0)
		wantErr(t, "write", err, nil)
		if got := m.stat(f).Mode; got != 0o6777 {
			t.Errorf("mode %o after the superuser wrote", got)
		}
		m.as(100, 100)
		wantErr(t, "truncate", m.truncate(f, 2), nil)
		if got := m.stat(f).Mode; got != pick[uint32](fixed, 0o6777, 0o777) {
			t.Errorf("mode %o after another wrote", got)
		}
		m.asRoot()
		f.Rele(m.l)
	})
}

package genfs_test

import (
	"math"
	"testing"

	"rumpvfs/genfs"
	"rumpvfs/hypercall"
	"rumpvfs/kern"
	"rumpvfs/vnode"
)

func TestSimpleOps(t *testing.T) {
	m := newMachine(t, hypercall.Config{})
	l, vp := m.l, m.open(t, "")
	if got, err := genfs.Poll(l, vp, -1); got != genfs.POLLIN|genfs.POLLOUT|genfs.POLLRDNORM || err != nil {
		t.Errorf("Poll = %#x, %v", got, err)
	}
	if got, _ := genfs.Poll(l, vp, genfs.POLLOUT|0x2); got != genfs.POLLOUT {
		t.Errorf("Poll = %#x", got)
	}
	for off, want := range map[int64]error{
		0: nil, 1: nil, math.MaxInt64: nil, -1: kern.EINVAL, math.MinInt64: kern.EINVAL,
	} {
		if err := genfs.Seek(l, vp, 7, off, nil); err != want {
			t.Errorf("Seek to %d: %v, want %v", off, err, want)
		}
	}
	a := &vnode.CloseArgs{Vp: vp}
	for _, c := range []struct {
		name      string
		got, want error
	}{
		{"Abortop", genfs.Abortop(l, vp, nil), nil},
		{"Fcntl F_SETFL", genfs.Fcntl(l, vp, kern.F_SETFL, nil, 0, nil), nil},
		{"Fcntl F_GETFL", genfs.Fcntl(l, vp, kern.F_GETFL, nil, 0, nil), kern.EOPNOTSUPP},
		{"Nullop", genfs.Nullop(l, a), nil},
		{"NullopClose", genfs.NullopClose(l, vp, 0, nil), nil},
		{"NullopFsync", genfs.NullopFsync(l, vp, nil, 0, 0, 0), nil},
		{"Einval", genfs.Einval(l, a), kern.EINVAL},
		{"Ebadf", genfs.Ebadf(l, a), kern.EBADF},
		{"Enoioctl", genfs.Enoioctl(l, a), kern.EPASSTHROUGH},
		{"EnoioctlIoctl", genfs.EnoioctlIoctl(l, vp, 0, nil, 0, nil), kern.EPASSTHROUGH},
		{"Mmap", genfs.Mmap(l, vp, 0, nil), nil},
		{"Kqfilter", genfs.Kqfilter(l, vp, &kern.Knote{Kevent: kern.Kevent{Filter: kern.EVFILT_WRITE}}), kern.EINVAL},
	} {
		if c.got != c.want {
			t.Errorf("%s: %v, want %v", c.name, c.got, c.want)
		}
	}
}

// An operation that is not supported still takes what it was given.
func TestEopnotsupp(t *testing.T) {
	m := newMachine(t, hypercall.Config{})
	l := m.l
	dvp, vp := m.open(t, ""), m.open(t, "")
	refs := func(what string, d, v int) {
		t.Helper()
		if dvp.Usecount() != d || vp.Usecount() != v {
			t.Errorf("%s: %d and %d references, want %d and %d", what, dvp.Usecount(), vp.Usecount(), d, v)
		}
		if islocked(l, dvp) != 0 || islocked(l, vp) != 0 {
			t.Errorf("%s: still locked", what)
		}
	}
	lock := func(vps ...*vnode.Vnode) {
		for _, vp := range vps {
			vp.Ref(l)
			if err := vp.Lock(l, vnode.LK_EXCLUSIVE); err != nil {
				t.Fatal(err)
			}
		}
	}
	cnp := &vnode.Componentname{Nameptr: "x", Namelen: 1}

	lock(dvp)
	wantErr(t, "link", genfs.EopnotsuppLink(l, dvp, vp, cnp), kern.EOPNOTSUPP)
	refs("link", 1, 1)
	lock(dvp, vp)
	wantErr(t, "remove", genfs.Eopnotsupp(l, &vnode.RemoveArgs{Dvp: dvp, Vp: vp, Cnp: cnp}), kern.EOPNOTSUPP)
	refs("remove", 1, 1)
	lock(dvp)
	dvp.Ref(l)
	wantErr(t, "rmdir .", genfs.Eopnotsupp(l, &vnode.RmdirArgs{Dvp: dvp, Vp: dvp, Cnp: cnp}), kern.EOPNOTSUPP)
	refs("rmdir .", 1, 1)
	if m.fs.aborts != 3 {
		t.Errorf("%d names given up, want 3", m.fs.aborts)
	}
	lock(dvp)
	vp.Ref(l)
	vp.Ref(l)
	wantErr(t, "rename", genfs.Eopnotsupp(l, &vnode.RenameArgs{
		Fdvp: vp, Fvp: vp, Fcnp: cnp, Tdvp: dvp, Tvp: nil, Tcnp: cnp}), kern.EOPNOTSUPP)
	refs("rename", 1, 1)
	if m.fs.aborts != 3 {
		t.Error("rename gave up the names, which are its caller's")
	}
	lock(vp)
	vp.Rele(l)
	wantErr(t, "inactive", genfs.Eopnotsupp(l, &vnode.InactiveArgs{Vp: vp}), kern.EOPNOTSUPP)
	refs("inactive", 1, 1)
	for _, a := range []vnode.Args{&vnode.LookupArgs{Dvp: dvp, Cnp: cnp}, &vnode.AbortopArgs{Dvp: dvp, Cnp: cnp}} {
		if m.panics(func() { genfs.Eopnotsupp(l, a) }) == nil {
			t.Errorf("%s: no panic", a.Desc().Name)
		}
	}
}

func TestRevoke(t *testing.T) {
	m := newMachine(t, hypercall.Config{})
	vp := m.open(t, "data")
	if err := vnode.VOP_REVOKE(m.l, vp, vnode.REVOKEALL); err != nil {
		t.Fatal(err)
	}
	if !vp.Dying() {
		t.Error("alive after a revoke")
	}
	vp.Rele(m.l)
}

func TestNullPutpages(t *testing.T) {
	m := newMachine(t, hypercall.Config{})
	vp := m.open(t, "data")
	vp.Interlock.Enter(m.l)
	if err := genfs.NullPutpages(m.l, vp, 0, 0, 0); err != nil || vp.Interlock.Owned(m.l) {
		t.Errorf("%v, or the interlock is still held", err)
	}
	if err := m.read(vp, 0, make([]byte, 4)); err != nil {
		t.Fatal(err)
	}
	vp.Interlock.Enter(m.l)
	if m.panics(func() { genfs.NullPutpages(m.l, vp, 0, 0, 0) }) == nil {
		t.Error("no panic though there is a page")
	}
	vp.Interlock.Exit(m.l)
}

func TestStatvfs(t *testing.T) {
	m := newMachine(t, hypercall.Config{})
	sb := kern.Statvfs{Bfree: 7, Files: 7}
	if err := vnode.VFS_STATVFS(m.l, m.mp, &sb); err != nil {
		t.Fatal(err)
	}
	if sb.Bsize != 512 || sb.Frsize != 512 || sb.Iosize != 512 || sb.Blocks != 2 || sb.Bfree != 0 || sb.Files != 0 {
		t.Errorf("%+v", sb)
	}
	if sb.Mntonname != "/" {
		t.Errorf("mounted on %q", sb.Mntonname)
	}
}

func TestRenamelock(t *testing.T) {
	m := newMachine(t, det)
	if err := genfs.RenamelockEnter(m.l, m.mp); err != nil {
		t.Fatal(err)
	}
	entered := false
	o := m.start("other", func(l *kern.Lwp) {
		genfs.RenamelockEnter(l, m.mp)
		entered = true
		genfs.RenamelockExit(l, m.mp)
	})
	for range 20 {
		m.l.Point()
	}
	if entered {
		t.Error("two renames at a time")
	}
	genfs.RenamelockExit(m.l, m.mp)
	o.Join(&m.l.Thread)
	if !entered {
		t.Error("no second rename")
	}
}

func TestSize(t *testing.T) {
	m := newMachine(t, hypercall.Config{})
	vp := m.open(t, "")
	for _, c := range []struct {
		bshift     int
		size, want int64
	}{
		{9, 0, 0}, {9, 1, 512}, {9, 512, 512}, {9, 513, 1024}, {14, 1, 16384},
		{9, math.MaxInt64, math.MinInt64},
	} {
		m.setBshift(c.bshift)
		if got := genfs.Size(vp, c.size, 0); got != c.want {
			t.Errorf("Size(%d) in blocks of %d = %d, want %d", c.size, 1<<c.bshift, got, c.want)
		}
	}
}

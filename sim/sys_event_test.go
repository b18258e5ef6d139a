package sim_test

import (
	"fmt"
	"strings"
	"testing"
	"time"

	"rumpvfs/hypercall"
	"rumpvfs/kern"
	"rumpvfs/sim"
	"rumpvfs/tmpfs"
	"rumpvfs/vfs"
)

// watched is a file of a tmpfs that a kqueue watches for all that can happen.
type watched struct {
	t  *testing.T
	p  *sim.Proc
	kq int
}

const allNotes = kern.NOTE_DELETE | kern.NOTE_WRITE | kern.NOTE_EXTEND | kern.NOTE_ATTRIB | kern.NOTE_LINK |
	kern.NOTE_RENAME | kern.NOTE_REVOKE

func newWatched(t *testing.T, c sim.Config) *watched {
	p := boot(t, c).Init()
	ok(t, p.Mkdir("/t", 0o755))
	ok(t, p.Mount(tmpfs.MOUNT_TMPFS, "/t", 0, tmpfs.DefaultArgs()))
	ok(t, p.Mkdir("/t/d", 0o755))
	ok(t, p.Mkdir("/t/e", 0o755))
	create(t, p, "/t/d/f", "data")
	return &watched{t, p, value[int](t)(p.Kqueue())}
}

func (w *watched) add(path string, filter uint32, flags uint32) int {
	w.t.Helper()
	fd := value[int](w.t)(w.p.Open(path, kern.O_RDONLY, 0))
	change := []kern.Kevent{{Ident: fd, Filter: filter, Flags: kern.EV_ADD | flags, Fflags: allNotes, Udata: path}}
	if _, err := w.p.Kevent(w.kq, change, nil, 0); err != nil {
		w.t.Fatal(err)
	}
	return fd
}

// events are what has happened, as text.
func (w *watched) events() string {
	list := make([]kern.Kevent, 8)
	n := value[int](w.t)(w.p.Kevent(w.kq, nil, list, 0))
	var all []string
	for _, e := range list[:n] {
		all = append(all, fmt.Sprint(e.Udata, ":", notes(e)))
	}
	return strings.Join(all, " ")
}

func notes(e kern.Kevent) string {
	if e.Filter == kern.EVFILT_READ {
		return fmt.Sprint(e.Data)
	}
	var names []string
	for i, name := range []string{"delete", "write", "extend", "attrib", "link", "rename", "revoke"} {
		if e.Fflags>>i&1 != 0 {
			names = append(names, name)
		}
	}
	if e.Flags&kern.EV_EOF != 0 {
		names = append(names, "eof")
	}
	return strings.Join(names, "+")
}

// TestVnodeEvents tells what a kqueue hears of a file and of its directory.
func TestVnodeEvents(t *testing.T) {
	w := newWatched(t, sim.Config{Mode: hypercall.Deterministic})
	p := w.p
	w.add("/t/d", kern.EVFILT_VNODE, kern.EV_CLEAR)
	w.add("/t/d/f", kern.EVFILT_VNODE, kern.EV_CLEAR)
	w.add("/t/e", kern.EVFILT_VNODE, kern.EV_CLEAR)
	fd := value[int](t)(p.Open("/t/d/f", kern.O_RDWR, 0))
	write := func(s string) error { _, err := p.Write(fd, []byte(s)); return err }
	for _, s := range []struct {
		what string
		do   func() error
		want string
	}{
		{"nothing", func() error { return nil }, ""},
		{"reading", func() error { _, err := p.Read(fd, make([]byte, 1)); return err }, ""},
		{"writing", func() error { return write("x") }, "/t/d/f:write"},
		{"growing", func() error { return write("more") }, "/t/d/f:write+extend"},
		{"chmod", func() error { return p.Chmod("/t/d/f", 0o600) }, "/t/d/f:attrib"},
		{"chown", func() error { return p.Chown("/t/d/f", 1, 1) }, "/t/d/f:attrib"},
		{"utimes", func() error { return p.Utimes("/t/d/f", nil) }, "/t/d/f:attrib"},
		{"chflags", func() error { return p.Chflags("/t/d/f", 0) }, "/t/d/f:attrib"},
		{"truncating", func() error { return p.Truncate("/t/d/f", 2) }, ""},
		{"lengthening", func() error { return p.Truncate("/t/d/f", 20) }, "/t/d/f:extend"},
		{"link", func() error { return p.Link("/t/d/f", "/t/d/g") }, "/t/d:write /t/d/f:link"},
		{"unlink", func() error { return p.Unlink("/t/d/g") }, "/t/d/f:link /t/d:write"},
		{"mkdir", func() error { return p.Mkdir("/t/d/x", 0o755) }, "/t/d:write+link"},
		{"rmdir", func() error { return p.Rmdir("/t/d/x") }, "/t/d:write+link"},
		{"mknod", func() error { return p.Mknod("/t/d/n", kern.S_IFCHR, 0) }, "/t/d:write"},
		{"rename", func() error { return p.Rename("/t/d/f", "/t/d/h") }, "/t/d:write /t/d/f:rename"},
		{"rename over", func() error { return p.Rename("/t/d/n", "/t/d/h") }, "/t/d/f:delete /t/d:write"},
		{"rename to a directory", func() error { return p.Rename("/t/d/h", "/t/e/h") }, "/t/d:write /t/e:write"},
		{"removing a directory", func() error { return p.Rmdir("/t/d") }, "/t/d:delete"},
		{"revoke", func() error { return p.Revoke("/t/e/h") }, ""},
	} {
		ok(t, s.do())
		if got := w.events(); got != s.want {
			t.Errorf("%s: %q, not %q", s.what, got, s.want)
		}
	}
}

// TestVnodeRevoked: a file that is revoked, or whose file system goes, says so.
func TestVnodeRevoked(t *testing.T) {
	w := newWatched(t, sim.Config{})
	w.add("/t/d/f", kern.EVFILT_VNODE, 0)
	r := w.add("/t/d/f", kern.EVFILT_READ, 0)
	w.add("/t/e", kern.EVFILT_VNODE, 0)
	if got := w.events(); got != "/t/d/f:4" {
		t.Error(got)
	}
	ok(t, w.p.Revoke("/t/d/f"))
	if got := w.events(); got != "/t/d/f:4 /t/d/f:revoke+eof" && got != "/t/d/f:revoke+eof /t/d/f:4" {
		t.Error(got)
	}
	ok(t, w.p.Unmount("/t", kern.MNT_FORCE))
	if got := w.events(); !strings.Contains(got, "/t/e:revoke+eof") {
		t.Error(got)
	}
	ok(t, w.p.Close(r))
}

// TestReadEvents: there is something to read as long as the offset is not at
// the end.
func TestReadEvents(t *testing.T) {
	w := newWatched(t, sim.Config{})
	fd := w.add("/t/d/f", kern.EVFILT_READ, 0)
	is := func(want string) {
		t.Helper()
		if got := w.events(); got != want {
			t.Errorf("%q, not %q", got, want)
		}
	}
	is("/t/d/f:4")
	is("/t/d/f:4")
	_ = value[int](t)(w.p.Read(fd, make([]byte, 3)))
	is("/t/d/f:1")
	_ = value[int](t)(w.p.Read(fd, make([]byte, 3)))
	is("")
	ok(t, w.p.Truncate("/t/d/f", 10))
	is("/t/d/f:6")
}

// TestKeventFlags are ways to watch, and not to.
func TestKeventFlags(t *testing.T) {
	w := newWatched(t, sim.Config{})
	p := w.p
	fd := w.add("/t/d/f", kern.EVFILT_VNODE, kern.EV_ONESHOT)
	change := func(c kern.Kevent) error {
		_, err := p.Kevent(w.kq, []kern.Kevent{c}, nil, 0)
		return err
	}
	again := func(flags uint32) kern.Kevent {
		return kern.Kevent{Ident: fd, Filter: kern.EVFILT_VNODE, Flags: flags, Fflags: kern.NOTE_ATTRIB, Udata: "again"}
	}
	is := func(what, want string) {
		t.Helper()
		if got := w.events(); got != want {
			t.Errorf("%s: %q, not %q", what, got, want)
		}
	}
	ok(t, p.Chmod("/t/d/f", 0o600))
	is("once", "/t/d/f:attrib")
	ok(t, p.Chmod("/t/d/f", 0o600))
	is("and never again", "")
	if err := change(again(kern.EV_DELETE)); err != kern.ENOENT {
		t.Error(err)
	}
	ok(t, change(again(kern.EV_ADD|kern.EV_DISABLE)))
	ok(t, p.Chmod("/t/d/f", 0o600))
	is("disabled", "")
	ok(t, change(again(kern.EV_ENABLE)))
	is("enabled", "again:attrib")
	is("stays", "again:attrib")
	ok(t, change(kern.Kevent{Ident: fd, Filter: kern.EVFILT_VNODE, Flags: kern.EV_ADD, Udata: "changed"}))
	is("changed", "changed:attrib")
	ok(t, change(again(kern.EV_DELETE)))
	is("deleted", "")
	for _, c := range []struct {
		c    kern.Kevent
		want kern.Errno
	}{
		{kern.Kevent{Ident: 99, Flags: kern.EV_ADD}, kern.EBADF},
		{kern.Kevent{Ident: fd, Filter: 77, Flags: kern.EV_ADD}, kern.EINVAL},
		{kern.Kevent{Ident: fd, Filter: kern.EVFILT_WRITE, Flags: kern.EV_ADD}, kern.EINVAL},
		{kern.Kevent{Ident: w.kq, Filter: kern.EVFILT_READ, Flags: kern.EV_ADD}, kern.EINVAL},
		{kern.Kevent{Ident: 0, Filter: kern.EVFILT_READ, Flags: kern.EV_ADD}, kern.EOPNOTSUPP},
	} {
		if err := change(c.c); err != c.want {
			t.Errorf("%+v: %v", c.c, err)
		}
		events := make([]kern.Kevent, 2)
		n, err := p.Kevent(w.kq, []kern.Kevent{c.c, c.c}, events, -1)
		if n != 2 || err != nil || events[1].Flags != kern.EV_ERROR || events[1].Data != int64(c.want) {
			t.Errorf("%+v: %d %v %+v", c.c, n, err, events)
		}
	}
	if _, err := p.Kevent(fd, nil, nil, 0); err != kern.EBADF {
		t.Error(err)
	}
	if _, err := p.Kevent(99, nil, nil, 0); err != kern.EBADF {
		t.Error(err)
	}
	// A child gets no kqueue, unless it has the same table.
	q, err := p.Rfork(sim.RUMP_RFFDG)
	ok(t, err)
	if _, err := q.Kevent(w.kq, nil, nil, 0); err != kern.EBADF {
		t.Error(err)
	}
	ok(t, q.Exit())
	st := value[kern.Stat](t)(p.Fstat(w.kq))
	if st.Size != 0 || !kern.S_ISFIFO(st.Mode) {
		t.Errorf("%+v", st)
	}
	if _, err := p.Read(w.kq, make([]byte, 1)); err != kern.ENXIO {
		t.Error(err)
	}
}

// TestKeventWaits: who waits is woken by what another does; a timeout ends a
// wait in which nothing happens; one that nothing can end is a deadlock.
func TestKeventWaits(t *testing.T) {
	wait := func(t *testing.T, c sim.Config) {
		w := newWatched(t, c)
		fd := w.add("/t/d/f", kern.EVFILT_VNODE, kern.EV_CLEAR)
		var lwps []*sim.Lwp
		heard := make([]int, 2)
		for i := range heard {
			lwps = append(lwps, w.p.Go("waiter", func(q *sim.Proc) {
				events := make([]kern.Kevent, 1)
				if i == 0 {
					n, err := q.Kevent(w.kq, nil, events, -1)
					if err == nil {
						heard[i] = n
					}
				} else if n, err := q.Poll([]vfs.Pollfd{{FD: w.kq, Events: kern.POLLIN}}, -1); err == nil {
					heard[i] = n
				}
			}))
		}
		lwps = append(lwps, w.p.Go("writer", func(q *sim.Proc) {
			for i := range 100 { // until both have heard
				if err := q.Chmod("/t/d/f", uint32(i)); err != nil {
					t.Error(err)
				}
			}
			for range 2 {
				if _, err := q.Kevent(w.kq, []kern.Kevent{{Ident: fd, Filter: kern.EVFILT_READ, Flags: kern.EV_ADD}}, nil, 0); err != nil {
					t.Error(err)
				}
			}
		}))
		for _, lwp := range lwps {
			ok(t, w.p.Join(lwp))
		}
		if heard[0] != 1 || heard[1] != 1 {
			t.Errorf("heard %v", heard)
		}
	}
	for seed := range uint64(40) {
		wait(t, sim.Config{Mode: hypercall.Deterministic, Seed: seed})
	}
	for range 3 {
		wait(t, sim.Config{})
	}
	w := newWatched(t, sim.Config{Mode: hypercall.Deterministic})
	events := make([]kern.Kevent, 1)
	if n, err := w.p.Kevent(w.kq, nil, events, time.Hour); n != 0 || err != nil {
		t.Error(n, err)
	}
	if _, err := w.p.Kevent(w.kq, nil, events, -1); err == nil || !strings.Contains(err.Error(), "kqueue") {
		t.Error(err)
	}
}

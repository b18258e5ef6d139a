package tmpfs_test

import (
	"fmt"
	"slices"
	"strings"
	"testing"

	"rumpvfs/kern"
	"rumpvfs/namei"
	"rumpvfs/sim"
	"rumpvfs/tmpfs"
	"rumpvfs/vnode"
)

// a world is a kernel with a tmpfs mounted on /t, where process p stands.
type world struct {
	*testing.T
	k *sim.Kernel
	p *sim.Proc
}

// newWorld mounts a tmpfs. In the end nothing may be left over.
func newWorld(t *testing.T, args *tmpfs.Args) *world {
	t.Helper()
	return bootWorld(t, sim.Config{}, args)
}

func bootWorld(t *testing.T, c sim.Config, args *tmpfs.Args) *world {
	t.Helper()
	k, err := sim.Boot(c)
	w := &world{t, k, nil}
	w.ok(err)
	w.p = k.Init()
	w.ok(w.p.Mkdir("/t", 0o755))
	w.ok(w.p.Mount(tmpfs.MOUNT_TMPFS, "/t", 0, args))
	w.ok(w.p.Chdir("/t"))
	t.Cleanup(func() {
		if err := k.Check(); err != nil {
			t.Error(err)
		}
		if err := k.Shutdown(); err != nil {
			t.Error(err)
		}
	})
	return w
}

func (w *world) ok(err error) {
	w.Helper()
	if err != nil {
		w.Fatal(err)
	}
}

func (w *world) want(what string, got, want error) {
	w.Helper()
	if got != want {
		w.Errorf("%s: %v, want %v", what, got, want)
	}
}

// as is the world as a process of another user sees it.
func (w *world) as(uid, gid uint32) *world {
	w.Helper()
	p, err := w.p.Rfork(sim.RUMP_RFCFDG)
	w.ok(err)
	w.ok(p.Setgid(gid))
	w.ok(p.Setuid(uid))
	return &world{w.T, w.k, p}
}

// make makes files: names that end in a slash are directories, "a->b" is a
// symbolic link, "a=b" another name for a, all else a file that holds its name.
func (w *world) make(names ...string) {
	w.Helper()
	for _, name := range names {
		if dir, ok := strings.CutSuffix(name, "/"); ok {
			w.ok(w.p.Mkdir(dir, 0o755))
		} else if link, target, ok := strings.Cut(name, "->"); ok {
			w.ok(w.p.Symlink(target, link))
		} else if old, link, ok := strings.Cut(name, "="); ok {
			w.ok(w.p.Link(old, link))
		} else {
			w.write(name, name)
		}
	}
}

func (w *world) write(name, text string) {
	w.Helper()
	fd, err := w.p.Open(name, kern.O_CREAT|kern.O_WRONLY|kern.O_TRUNC, 0o644)
	w.ok(err)
	if text != "" {
		n, err := w.p.Write(fd, []byte(text))
		if n != len(text) {
			w.Fatalf("wrote %d bytes: %v", n, err)
		}
	}
	w.ok(w.p.Close(fd))
}

func (w *world) read(name string) string {
	w.Helper()
	fd, err := w.p.Open(name, kern.O_RDONLY, 0)
	w.ok(err)
	b := make([]byte, 1000)
	n, err := w.p.Read(fd, b)
	w.ok(err)
	w.ok(w.p.Close(fd))
	return string(b[:n])
}

func (w *world) stat(name string) kern.Stat {
	w.Helper()
	sb, err := w.p.Lstat(name)
	w.ok(err)
	return sb
}

// tree lists what is below dir in the order of the directory: names as make
// takes them, files with what they hold and how many names they have.
func (w *world) tree(dir string) (all []string) {
	w.Helper()
	for _, d := range w.list(dir) {
		if d.Name == "." || d.Name == ".." {
			continue
		}
		name := strings.TrimPrefix(dir+"/"+d.Name, "./")
		switch d.Type {
		case kern.DT_DIR:
			all = append(all, name+"/")
			all = append(all, w.tree(name)...)
		case kern.DT_REG:
			all = append(all, fmt.Sprintf("%s(%s)%d", name, w.read(name), w.stat(name).Nlink))
		case kern.DT_LNK:
			b := make([]byte, 100)
			n, err := w.p.Readlink(name, b)
			w.ok(err)
			all = append(all, name+"->"+string(b[:n]))
		default:
			all = append(all, fmt.Sprintf("%s of type %d", name, d.Type))
		}
	}
	return all
}

func (w *world) list(dir string) (ents []kern.Dirent) {
	w.Helper()
	fd, err := w.p.Open(dir, kern.O_RDONLY, 0)
	w.ok(err)
	defer w.p.Close(fd)
	b := make([]byte, 4096)
	for {
		n, err := w.p.Getdents(fd, b)
		w.ok(err)
		if n == 0 {
			return ents
		}
		ents = append(ents, decode(w.T, b[:n])...)
	}
}

func decode(t testing.TB, b []byte) (ents []kern.Dirent) {
	t.Helper()
	for len(b) > 0 {
		d, rest, err := kern.DecodeDirent(b)
		if err != nil {
			t.Fatal(err)
		}
		ents, b = append(ents, d), rest
	}
	return ents
}

func names(ents []kern.Dirent) (all []string) {
	for _, d := range ents {
		all = append(all, d.Name)
	}
	return all
}

// in runs f as a call with the vnode of a name, referenced and not locked.
func (w *world) in(name string, f func(l *kern.Lwp, vp *vnode.Vnode) error) error {
	return w.p.Call("test", nil, func(l *kern.Lwp) error {
		nd := namei.Acquire(l)
		defer nd.Release(l)
		nd.Init(l, vnode.LOOKUP, vnode.NOFOLLOW, name)
		if err := nd.Namei(l); err != nil {
			return err
		}
		defer nd.Vp.Rele(l)
		return f(l, nd.Vp)
	})
}

func (w *world) statvfs() kern.Statvfs {
	w.Helper()
	sb, err := w.p.Statvfs1("/t", 0)
	w.ok(err)
	return sb
}

// A name moves to wherever it is moved, and replaces what was there, or says
// why not.
func TestRename(t *testing.T) {
	for _, c := range []struct {
		make     string
		from, to string
		err      error
		after    string
	}{
		{"a", "a", "b", nil, "b(a)1"},
		{"a", "a", "a", nil, "a(a)1"},
		{"a b c", "a", "c", nil, "c(a)1 b(b)1"},
		{"a a=b", "a", "b", nil, "b(a)1"},
		{"a d/ d/x", "a", "d/a", nil, "d/ d/x(d/x)1 d/a(a)1"},
		{"a d/ d/a", "a", "d/a", nil, "d/ d/a(a)1"},
		{"a d/ a=d/b", "a", "d/b", nil, "d/ d/b(a)1"},
		{"d/ d/a b", "d/a", "b", nil, "d/ b(d/a)1"},
		{"d/ d/x e/", "d", "f", nil, "f/ f/x(d/x)1 e/"},
		{"d/ d/x e/", "d", "e", nil, "e/ e/x(d/x)1"},
		{"d/ e/ e/f/", "d", "e/f", nil, "e/ e/f/"},
		{"d/ d/x e/ e/y", "d", "e", kern.ENOTEMPTY, "d/ d/x(d/x)1 e/ e/y(e/y)1"},
		{"d/ e/ e/f/ e/f/y", "d", "e/f", kern.ENOTEMPTY, "d/ e/ e/f/ e/f/y(e/f/y)1"},
		{"d/ d/e/", "d", "d/e/f", kern.EINVAL, "d/ d/e/"},
		{"d/ d/e/", "d", "d/e", kern.EINVAL, "d/ d/e/"},
		{"d/ d/e/", "d/e", "d", kern.ENOTEMPTY, "d/ d/e/"},
		{"d/ d/e/ d/e/f/", "d/e/f", "d", kern.ENOTEMPTY, "d/ d/e/ d/e/f/"},
		{"a d/", "a", "d", kern.EISDIR, "a(a)1 d/"},
		{"a d/", "d", "a", kern.ENOTDIR, "a(a)1 d/"},
		{"d/ d/e/ b/", "d/e", "b/e", nil, "d/ b/ b/e/"},
		{"d/ d/e/ b/ b/e/", "d/e", "b/e", nil, "d/ b/ b/e/"},
		{"s->x a", "s", "a", nil, "a->x"},
		{"a d/", "d/.", "e", kern.EINVAL, "a(a)1 d/"},
		{"a d/", "d/..", "e", kern.EINVAL, "a(a)1 d/"},
		{"a d/", "a", "d/..", kern.EINVAL, "a(a)1 d/"},
		{"a", "b", "c", kern.ENOENT, "a(a)1"},
		{"a", "a", "d/b", kern.ENOENT, "a(a)1"},
		{"a", "a", "/a", kern.EOPNOTSUPP, "a(a)1"},
		{"d/", "d", "e/", nil, "e/"},
		{"a", "a", "b/", kern.ENOENT, "a(a)1"},
	} {
		t.Run(fmt.Sprintf("%s: %s to %s", c.make, c.from, c.to), func(t *testing.T) {
			w := newWorld(t, tmpfs.DefaultArgs())
			w.make(strings.Fields(c.make)...)
			w.want("rename", w.p.Rename(c.from, c.to), c.err)
			if got := strings.Join(w.tree("."), " "); got != c.after {
				t.Errorf("after it: %s, want %s", got, c.after)
			}
			dirs := uint32(0)
			for _, d := range w.list(".") {
				if d.Type == kern.DT_DIR {
					dirs++
				}
			}
			if sb := w.stat("."); sb.Nlink != dirs { // "." and ".." count for the directory's own two
				t.Errorf("the root has %d links, and %d directories in it", sb.Nlink, dirs)
			}
		})
	}
}

// A directory that moves has another parent.
func TestRenameMovesDotdot(t *testing.T) {
	w := newWorld(t, tmpfs.DefaultArgs())
	w.make("a/", "b/", "a/d/", "b/f")
	w.ok(w.p.Chdir("a/d"))
	w.ok(w.p.Rename("/t/a/d", "/t/b/e"))
	if got := w.read("../f"); got != "b/f" {
		t.Errorf("%q", got)
	}
	if cwd, err := w.p.Getcwd(); cwd != "/t/b/e" || err != nil {
		t.Errorf("%q %v", cwd, err)
	}
	if a, b := w.stat("/t/a").Nlink, w.stat("/t/b").Nlink; a != 2 || b != 3 {
		t.Errorf("%d and %d links", a, b)
	}
	fd, err := w.p.Open(".", kern.O_RDONLY, 0)
	w.ok(err)
	w.ok(w.p.Rmdir("/t/b/e"))
	_, err = w.p.Stat("..")
	w.want("stat of .. of a removed directory", err, kern.ENOENT)
	w.want("mkdir there", w.p.Mkdir("x", 0o755), kern.ENOENT)
	w.want("rename to there", w.p.Rename("/t/b/f", "x"), kern.ENOENT)
	if n, err := w.p.Getdents(fd, make([]byte, 1000)); n != 0 || err != nil {
		t.Errorf("a removed directory has %d bytes of entries: %v", n, err)
	}
	w.ok(w.p.Close(fd))
}

// What flags forbid. The superuser has no way around either, but may change
// the flags.
func TestFlags(t *testing.T) {
	calls := []struct {
		name string
		do   func(p *sim.Proc) error
	}{
		{"chmod", func(p *sim.Proc) error { return p.Chmod("f", 0o600) }},
		{"chown", func(p *sim.Proc) error { return p.Chown("f", 1, 1) }},
		{"utimes", func(p *sim.Proc) error { return p.Utimes("f", nil) }},
		{"truncate", func(p *sim.Proc) error { return p.Truncate("f", 1) }},
		{"link", func(p *sim.Proc) error { return p.Link("f", "g") }},
		{"unlink", func(p *sim.Proc) error { return p.Unlink("f") }},
		{"rename", func(p *sim.Proc) error { return p.Rename("f", "g") }},
		{"rename over", func(p *sim.Proc) error { return p.Rename("h", "f") }},
		{"write", func(p *sim.Proc) error { return reopen(p, "f", kern.O_WRONLY) }},
		{"append", func(p *sim.Proc) error { return reopen(p, "f", kern.O_WRONLY|kern.O_APPEND) }},
		{"create", func(p *sim.Proc) error { return reopen(p, "n", kern.O_WRONLY|kern.O_CREAT) }},
		{"mkdir", func(p *sim.Proc) error { return p.Mkdir("m", 0o755) }},
		{"rmdir", func(p *sim.Proc) error { return p.Rmdir("d") }},
	}
	for _, c := range []struct {
		on        string
		flags     uint32
		forbidden string
	}{
		{"f", kern.UF_IMMUTABLE, "chmod chown utimes truncate link unlink rename rename over write append"},
		{"f", kern.SF_IMMUTABLE, "chmod chown utimes truncate link unlink rename rename over write append"},
		{"f", kern.UF_APPEND, "chmod chown utimes truncate link unlink rename rename over write"},
		{"f", kern.UF_NODUMP, ""},
		{".", kern.UF_IMMUTABLE, "link unlink rename rename over create mkdir rmdir"},
		{".", kern.SF_APPEND, "unlink rename rename over rmdir"},
		{"d", kern.UF_IMMUTABLE, "rmdir"},
		{"d", kern.UF_APPEND, "rmdir"},
	} {
		t.Run(fmt.Sprintf("%s %#x", c.on, c.flags), func(t *testing.T) {
			for _, call := range calls {
				w := newWorld(t, tmpfs.DefaultArgs())
				w.make("f", "h", "d/")
				w.ok(w.p.Chflags(c.on, c.flags))
				var want error
				if slices.Contains(strings.Fields(strings.ReplaceAll(c.forbidden, "rename over", "rename_over")), strings.ReplaceAll(call.name, " ", "_")) {
					want = kern.EPERM
				}
				w.want(call.name, call.do(w.p), want)
				if want != nil {
					w.ok(w.p.Chflags(c.on, 0))
				}
			}
		})
	}
}

// reopen opens a file and closes it.
func reopen(p *sim.Proc, name string, flags int) error {
	fd, err := p.Open(name, flags, 0o644)
	if err != nil {
		return err
	}
	return p.Close(fd)
}

// Who may change which flags.
func TestChflags(t *testing.T) {
	w := newWorld(t, tmpfs.DefaultArgs())
	u := w.as(7, 7)
	u.make("f")
	u.ok(u.p.Chflags("f", kern.UF_NODUMP|kern.UF_OPAQUE))
	u.want("system flags", u.p.Chflags("f", kern.SF_ARCHIVED), kern.EPERM)
	w.want("another", w.as(8, 8).p.Chflags("f", 0), kern.EPERM)
	w.ok(w.p.Chflags("f", kern.SF_ARCHIVED|kern.UF_NODUMP))
	// Who changes none of the system's flags keeps them.
	u.ok(u.p.Chflags("f", kern.SF_ARCHIVED|kern.UF_OPAQUE))
	if got := w.stat("f").FileFlags; got != kern.SF_ARCHIVED|kern.UF_OPAQUE {
		t.Errorf("flags %#x", got)
	}
}

// In a sticky directory its owner, and the owner of a file, may take the file
// away; nobody else.
func TestSticky(t *testing.T) {
	for _, c := range []struct {
		dirUID, fileUID, by uint32
		want                error
	}{
		{1, 2, 1, nil}, {1, 2, 2, nil}, {1, 2, 3, kern.EPERM}, {1, 2, 0, nil}, {3, 3, 2, kern.EPERM},
	} {
		for _, call := range []string{"unlink", "rmdir", "rename", "rename over"} {
			w := newWorld(t, tmpfs.DefaultArgs())
			w.make("d/", "d/f", "d/e/", "d/mine")
			w.ok(w.p.Chmod("d", 0o1777))
			w.ok(w.p.Chown("d", c.dirUID, 0))
			for _, f := range []string{"d/f", "d/e"} {
				w.ok(w.p.Chown(f, c.fileUID, 0))
			}
			w.ok(w.p.Chown("d/mine", c.by, 0))
			p := w.as(c.by, c.by).p
			var err error
			switch call {
			case "unlink":
				err = p.Unlink("d/f")
			case "rmdir":
				err = p.Rmdir("d/e")
			case "rename":
				err = p.Rename("d/f", "d/g")
			case "rename over":
				err = p.Rename("d/mine", "d/f")
			}
			w.want(fmt.Sprintf("%s by %d of what is %d's in a directory of %d", call, c.by, c.fileUID, c.dirUID), err, c.want)
		}
	}
}

// Which times a call moves, of the file and of its directory: a, m, c.
func TestTimes(t *testing.T) {
	for _, c := range []struct {
		name      string
		do        func(w *world) error
		file, dir string
	}{
		{"stat", func(w *world) error { _, err := w.p.Stat("d/f"); return err }, "", ""},
		{"read", func(w *world) error { w.read("d/f"); return nil }, "a", ""},
		{"write", func(w *world) error { w.write("d/f", "x"); return nil }, "mc", ""},
		{"truncate", func(w *world) error { return w.p.Truncate("d/f", 99) }, "mc", ""},
		{"truncate to the same size", func(w *world) error { return w.p.Truncate("d/f", 3) }, "", ""},
		{"chmod", func(w *world) error { return w.p.Chmod("d/f", 0o600) }, "c", ""},
		{"chown", func(w *world) error { return w.p.Chown("d/f", 1, 1) }, "c", ""},
		{"chflags", func(w *world) error { return w.p.Chflags("d/f", kern.UF_NODUMP) }, "c", ""},
		{"utimes", func(w *world) error { return w.p.Utimes("d/f", nil) }, "am", ""}, // not even c, as in the reference
		{"link", func(w *world) error { return w.p.Link("d/f", "d/g") }, "c", "mc"},
		{"rename", func(w *world) error {
			if err := w.p.Rename("d/f", "d/g"); err != nil {
				return err
			}
			return w.p.Link("d/g", "d/f")
		}, "c", "mc"},
		{"unlink of another name", func(w *world) error { return w.p.Unlink("d/h") }, "c", "mc"},
		{"getdents", func(w *world) error { w.list("d"); return nil }, "", "a"},
		{"create", func(w *world) error { w.write("d/new", ""); return nil }, "", "mc"},
		{"mkdir", func(w *world) error { return w.p.Mkdir("d/e", 0o755) }, "", "mc"},
		{"rmdir", func(w *world) error { return w.p.Rmdir("d/empty") }, "", "mc"},
		{"symlink", func(w *world) error { return w.p.Symlink("x", "d/s") }, "", "mc"},
		{"whiteout", func(w *world) error { return w.p.Mknod("d/w", kern.S_IFWHT, 0) }, "", "mc"},
	} {
		t.Run(c.name, func(t *testing.T) {
			w := newWorld(t, tmpfs.DefaultArgs())
			w.make("d/", "d/f", "d/f=d/h", "d/empty/")
			file, dir := w.stat("d/f"), w.stat("d")
			w.ok(c.do(w))
			if got := moved(file, w.stat("d/f")); got != c.file {
				t.Errorf("of the file %q, want %q", got, c.file)
			}
			if got := moved(dir, w.stat("d")); got != c.dir {
				t.Errorf("of the directory %q, want %q", got, c.dir)
			}
		})
	}
}

// moved says which times differ.
func moved(a, b kern.Stat) (which string) {
	if a.Atim != b.Atim {
		which += "a"
	}
	if a.Mtim != b.Mtim {
		which += "m"
	}
	if a.Ctim != b.Ctim {
		which += "c"
	}
	if a.Birthtim != b.Birthtim {
		which += "b"
	}
	return which
}

// A modification before the birth of a file moves its birth.
func TestBirth(t *testing.T) {
	w := newWorld(t, tmpfs.DefaultArgs())
	w.make("f")
	w.ok(w.p.Utimes("f", &[2]sim.Timeval{{Sec: 5, Usec: 6}, {Sec: 7, Usec: 8}}))
	sb := w.stat("f")
	if sb.Atim != (kern.Timespec{Sec: 5, Nsec: 6000}) || sb.Mtim != (kern.Timespec{Sec: 7, Nsec: 8000}) || sb.Birthtim != sb.Mtim {
		t.Errorf("%+v", sb)
	}
}

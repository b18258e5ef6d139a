package gofs_test

import (
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path"
	"slices"
	"strings"
	"sync"
	"testing"
	"testing/fstest"
	"time"

	"rumpvfs/gofs"
	"rumpvfs/kern"
	"rumpvfs/sim"
	"rumpvfs/tmpfs"
)

// boot gives the view of process 1 of a kernel without quirks, with a tmpfs as working directory.
func boot(t testing.TB, c sim.Config) *gofs.OS {
	t.Helper()
	k, err := sim.Boot(c)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := k.Shutdown(); err != nil {
			t.Error(err)
		}
	})
	o := gofs.New(k.Init())
	ok(t, o.Mkdir("/mnt", 0o755))
	ok(t, k.Init().Mount("tmpfs", "/mnt", 0, tmpfs.DefaultArgs()))
	ok(t, o.Chdir("/mnt"))
	return o
}

func fixed(t testing.TB) *gofs.OS { return boot(t, sim.Config{Without: kern.Rev1125}) }

func ok(t testing.TB, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}

// wants compares what errors.Is finds in an error, or that there is none.
func wants(t testing.TB, what string, err, want error) {
	t.Helper()
	if !errors.Is(err, want) {
		t.Errorf("%s: %v, want %v", what, err, want)
	}
}

func equal[T comparable](t testing.TB, what string, got, want T) {
	t.Helper()
	if got != want {
		t.Errorf("%s: %v, want %v", what, got, want)
	}
}

// TestFS has the standard library's judge look at trees of rumpfs and of tmpfs.
func TestFS(t *testing.T) {
	o := fixed(t)
	for _, dir := range []string{"/tmp", "/mnt"} {
		ok(t, o.MkdirAll(dir+"/a/b/c", 0o755))
		ok(t, o.WriteFile(dir+"/empty", nil, 0o600))
		ok(t, o.WriteFile(dir+"/a/hello", []byte("hello, world\n"), 0o644))
		ok(t, o.WriteFile(dir+"/a/b/big", []byte(strings.Repeat("0123456789", 2000)), 0o444))
		ok(t, o.Symlink("hello", dir+"/a/link"))
		ok(t, o.Symlink("a/b", dir+"/dirlink"))
		if err := fstest.TestFS(o.DirFS(dir), "a/hello", "a/b/big", "a/b/c", "a/link", "empty", "dirlink"); err != nil {
			t.Errorf("%s: %v", dir, err)
		}
	}
}

// TestNamesOfAnFS: an FS takes what package io/fs calls a name, and its errors speak of that name.
func TestNamesOfAnFS(t *testing.T) {
	f := fixed(t).DirFS("/mnt")
	for _, bad := range []string{"", "/", "/a", "a/", "../a", "a/../b", "a//b", "./a"} {
		for what, err := range map[string]error{
			"Mkdir": f.Mkdir(bad, 0o777), "Remove": f.Remove(bad), "WriteFile": f.WriteFile(bad, nil, 0o666),
			"Rename": f.Rename("a", bad), "Link": f.Link(bad, "a"), "Symlink": f.Symlink("a", bad), "Chmod": f.Chmod(bad, 0),
			"Truncate": f.Truncate(bad, 0), "RemoveAll": f.RemoveAll(bad), "MkdirAll": f.MkdirAll(bad, 0o777),
		} {
			wants(t, fmt.Sprintf("%s(%q)", what, bad), err, fs.ErrInvalid)
		}
		_, err := f.Open(bad)
		wants(t, fmt.Sprintf("Open(%q)", bad), err, fs.ErrInvalid)
		_, err = f.Sub(bad)
		wants(t, fmt.Sprintf("Sub(%q)", bad), err, fs.ErrInvalid)
	}
	wants(t, "RemoveAll of all", f.RemoveAll("."), fs.ErrInvalid)
	var p *fs.PathError
	if _, err := f.Stat("no/where"); !errors.As(err, &p) || p.Path != "no/where" || p.Op != "stat" || p.Err != kern.ENOENT {
		t.Errorf("Stat: %v", err)
	}
	var l *os.LinkError
	if err := f.Rename("no", "where"); !errors.As(err, &l) || l.Old != "no" || l.New != "where" || l.Err != kern.ENOENT {
		t.Errorf("Rename: %v", err)
	}
}

// TestWritingThroughAnFS does everything once.
func TestWritingThroughAnFS(t *testing.T) {
	root := fixed(t).DirFS("/mnt")
	ok(t, root.Mkdir("d", 0o700))
	sub, err := root.Sub("d")
	ok(t, err)
	f := sub.(*gofs.FS)
	ok(t, f.MkdirAll("x/y", 0o755))
	ok(t, f.WriteFile("x/f", []byte("12345"), 0o640))
	ok(t, f.Truncate("x/f", 3))
	ok(t, f.Link("x/f", "x/y/g"))
	ok(t, f.Rename("x/y/g", "h"))
	ok(t, f.Symlink("h", "s"))
	ok(t, f.Chown("h", 7, -1))
	ok(t, f.Chmod("s", 0o600|fs.ModeSetuid))
	ok(t, f.Lchown("s", 8, 9))
	ok(t, f.Chtimes("h", time.Time{}, time.Unix(1000, 5000)))
	i, err := root.Stat("d/s")
	ok(t, err)
	equal(t, "name", i.Name(), "s")
	equal(t, "size", i.Size(), 3)
	equal(t, "mode", i.Mode(), 0o600|fs.ModeSetuid)
	equal(t, "time", i.ModTime().UnixNano(), 1000*1e9+5000)
	equal(t, "owner", i.Sys().(*kern.Stat).UID, 7)
	i, err = root.Lstat("d/s")
	ok(t, err)
	equal(t, "owner of the link", i.Sys().(*kern.Stat).UID, 8)
	to, err := root.ReadLink("d/s")
	ok(t, err)
	equal(t, "link", to, "h")
	file, err := f.Create("new")
	ok(t, err)
	ok(t, file.Close())
	ok(t, f.Remove("new"))
	ok(t, f.Remove("x/y"))
	ok(t, root.RemoveAll("d"))
	list, err := root.ReadDir(".")
	ok(t, err)
	equal(t, "what is left", len(list), 0)
}

// TestFile reads, writes and moves about in a file.
func TestFile(t *testing.T) {
	o := fixed(t)
	f, err := o.OpenFile("f", os.O_RDWR|os.O_CREATE|os.O_EXCL, 0o666)
	ok(t, err)
	_, err = o.OpenFile("f", os.O_RDWR|os.O_CREATE|os.O_EXCL, 0o666)
	wants(t, "O_EXCL", err, fs.ErrExist)
	n, err := f.WriteString("hello, world")
	ok(t, err)
	equal(t, "written", n, 12)
	_, err = f.WriteAt([]byte("W"), 7)
	ok(t, err)
	b := make([]byte, 20)
	n, err = f.ReadAt(b, 7)
	wants(t, "ReadAt", err, io.EOF)
	equal(t, "read", string(b[:n]), "World")
	_, err = f.ReadAt(b, 1<<40)
	wants(t, "ReadAt beyond the end", err, io.EOF)
	_, err = f.ReadAt(b, -1)
	wants(t, "ReadAt(-1)", err, fs.ErrInvalid)
	_, err = f.WriteAt(b, -1)
	wants(t, "WriteAt(-1)", err, fs.ErrInvalid)
	_, err = f.Read(b)
	wants(t, "Read at the end", err, io.EOF)
	off, err := f.Seek(-5, io.SeekEnd)
	ok(t, err)
	equal(t, "offset", off, 7)
	all, err := io.ReadAll(f)
	ok(t, err)
	equal(t, "rest", string(all), "World")
	ok(t, f.Truncate(5))
	ok(t, f.Sync())
	ok(t, f.Chmod(0o600))
	ok(t, f.Chown(1, 2))
	i, err := f.Stat()
	ok(t, err)
	equal(t, "size", i.Size(), 5)
	equal(t, "description", fmt.Sprint(i)[:12], "-rw------- 5")
	ok(t, f.Close())
	wants(t, "Close again", f.Close(), fs.ErrClosed)
	_, err = f.Read(b)
	wants(t, "Read", err, fs.ErrClosed)
	_, err = f.Stat()
	wants(t, "Stat", err, fs.ErrClosed)
	wants(t, "Sync", f.Sync(), fs.ErrClosed)

	a, err := o.OpenFile("f", os.O_WRONLY|os.O_APPEND, 0)
	ok(t, err)
	_, err = a.Write([]byte("!"))
	ok(t, err)
	_, err = a.Read(b)
	wants(t, "reading what is open for writing", err, kern.EBADF)
	ok(t, a.Close())
	all, err = o.ReadFile("f")
	ok(t, err)
	equal(t, "appended", string(all), "hello!")
}

// TestReadDir reads a directory in pieces.
func TestReadDir(t *testing.T) {
	o := fixed(t)
	var want []string
	for i := range 500 {
		name := fmt.Sprintf("name-that-is-not-short-%03d", i)
		want = append(want, name)
		ok(t, o.WriteFile(name, make([]byte, i), 0o666))
	}
	d, err := o.Open(".")
	ok(t, err)
	var got []string
	for {
		list, err := d.ReadDir(7)
		if err == io.EOF {
			break
		}
		ok(t, err)
		for _, e := range list {
			got = append(got, e.Name())
		}
	}
	slices.Sort(got)
	if !slices.Equal(got, want) {
		t.Errorf("%d names: %q", len(got), got)
	}
	_, err = d.Seek(0, io.SeekStart)
	ok(t, err)
	ok(t, o.Remove(want[0]))
	infos, err := d.Readdir(-1)
	ok(t, err)
	equal(t, "after a removal", len(infos), 499)
	size := int64(0)
	for _, i := range infos {
		size += i.Size()
	}
	equal(t, "bytes", size, 499*500/2)
	names, err := d.Readdirnames(-1)
	ok(t, err)
	equal(t, "at the end", len(names), 0)
	_, err = d.Readdirnames(1)
	wants(t, "at the end", err, io.EOF)
	ok(t, d.Close())
	_, err = o.ReadDir(want[1])
	wants(t, "a file", err, kern.EINVAL)
}

func TestMkdirAll(t *testing.T) {
	o := fixed(t)
	ok(t, o.WriteFile("file", nil, 0o666))
	ok(t, o.Symlink("nowhere", "dangling"))
	for _, c := range []struct {
		path string
		want error
	}{
		{"a/b/c", nil}, {"a/b/c", nil}, {"/mnt//x/y/", nil}, {"a/../z/./w", nil}, {"v/.", nil}, {"/", nil},
		{"file", kern.ENOTDIR}, {"file/x", kern.ENOTDIR}, {"dangling", kern.EEXIST}, {"", kern.ENOENT},
		{strings.Repeat("n", 300), kern.ENAMETOOLONG},
	} {
		err := o.MkdirAll(c.path, 0o755)
		if c.want == nil {
			ok(t, err)
			i, err := o.Stat(c.path)
			ok(t, err)
			equal(t, c.path, i.IsDir(), true)
			continue
		}
		wants(t, c.path, err, c.want)
	}
}

// TestRemoveAll takes down a tree that is deeper than a path is long, with more levels than a process has descriptors.
func TestRemoveAll(t *testing.T) {
	o := fixed(t)
	ok(t, o.RemoveAll("nothing"))
	ok(t, o.RemoveAll(""))
	wants(t, ".", o.RemoveAll("x/."), kern.EINVAL)
	wants(t, "..", o.RemoveAll(".."), kern.EINVAL)
	ok(t, o.MkdirAll("outside/kept", 0o755))
	const depth = 700
	for i := range depth {
		ok(t, o.Mkdir("d", 0o755))
		ok(t, o.WriteFile(fmt.Sprint("f", i), nil, 0o644))
		ok(t, o.Symlink("/mnt/outside", "link"))
		ok(t, o.Chdir("d"))
	}
	ok(t, o.Chdir("/mnt"))
	ok(t, o.RemoveAll("d"))
	_, err := o.Lstat("d")
	wants(t, "d", err, fs.ErrNotExist)
	_, err = o.Stat("outside/kept")
	ok(t, err)
	wants(t, "a directory that is busy", o.RemoveAll("/mnt"), kern.EBUSY)
	ok(t, o.WriteFile("file", nil, 0o666))
	wants(t, "below a file", o.RemoveAll("file/x"), kern.ENOTDIR)
}

// TestErrorsAreTheKernels: what users of file systems in memory keep complaining about, and what a kernel says.
func TestErrorsAreTheKernels(t *testing.T) {
	o := fixed(t)
	ok(t, o.MkdirAll("dir/sub", 0o755))
	ok(t, o.MkdirAll("far/away", 0o755))
	ok(t, o.WriteFile("file", []byte("x"), 0o644))
	ok(t, o.Symlink("/mnt/far/away", "dir/link"))
	ok(t, o.Symlink("loop", "loop"))
	for _, c := range []struct {
		what string
		err  error
		want error
	}{
		{"a parent that is missing", o.WriteFile("no/parent", nil, 0o644), kern.ENOENT},
		{"a parent that is a file", o.WriteFile("file/child", nil, 0o644), kern.ENOTDIR},
		{"mkdir below what is missing", o.Mkdir("no/dir", 0o755), kern.ENOENT},
		{"removing a directory with something in it", o.Remove("dir"), kern.ENOTEMPTY},
		{"writing a directory", o.WriteFile("dir", nil, 0o644), kern.EISDIR},
		{"a link to itself", o.Truncate("loop", 0), kern.ELOOP},
		{"a file is no directory, even if a slash says so", o.Truncate("file/", 0), kern.ENOTDIR},
		{"renaming a directory into itself", o.Rename("dir", "dir/sub/dir"), kern.EINVAL},
		{"renaming a file over a directory", o.Rename("file", "dir"), kern.EISDIR},
		{"a name that is too long", o.Mkdir(strings.Repeat("n", 256), 0o755), kern.ENAMETOOLONG},
		{"a NUL byte", o.Mkdir("a\x00b", 0o755), kern.EINVAL},
	} {
		wants(t, c.what, c.err, c.want)
	}
	// ".." goes to the parent of where the link leads, not to where the link is.
	ok(t, o.WriteFile("far/here", []byte("parent of away"), 0o644))
	b, err := o.ReadFile("dir/link/../here")
	ok(t, err)
	equal(t, "..", string(b), "parent of away")
	// A removed file that is open is still a file.
	f, err := o.Open("file")
	ok(t, err)
	ok(t, o.Remove("file"))
	b, err = io.ReadAll(f)
	ok(t, err)
	equal(t, "a removed file", string(b), "x")
	ok(t, f.Close())
}

// TestPermissions: the kernel looks who asks.
func TestPermissions(t *testing.T) {
	o := fixed(t)
	ok(t, o.WriteFile("secret", []byte("x"), 0o600))
	ok(t, o.MkdirAll("private/x", 0o700))
	user, err := o.Proc().Rfork(sim.RUMP_RFFDG)
	ok(t, err)
	ok(t, user.Setuid(1000))
	u := gofs.New(user)
	_, err = u.ReadFile("secret")
	wants(t, "reading", err, fs.ErrPermission)
	_, err = u.Stat("private/x")
	wants(t, "searching", err, fs.ErrPermission)
	wants(t, "chown", u.Chown("secret", 1000, 1000), fs.ErrPermission)
	wants(t, "writing", u.WriteFile("/dev/new", nil, 0o600), fs.ErrPermission)
	ok(t, u.WriteFile("mine", nil, 0o600))
	i, err := o.Stat("mine")
	ok(t, err)
	equal(t, "owner", i.Sys().(*kern.Stat).UID, 1000)
	dir, err := u.Getwd()
	ok(t, err)
	equal(t, "working directory", dir, "/mnt")
}

func TestModes(t *testing.T) {
	o := fixed(t)
	p := o.Proc()
	ok(t, p.Mknod("chr", kern.S_IFCHR|0o600, kern.Makedev(1, 2)))
	ok(t, p.Mknod("blk", kern.S_IFBLK|0o600, kern.Makedev(1, 2)))
	ok(t, p.Mkfifo("fifo", 0o600))
	ok(t, o.Symlink("x", "link"))
	ok(t, o.Mkdir("dir", 0o700))
	ok(t, o.WriteFile("reg", nil, 0o600))
	ok(t, o.Chmod("dir", 0o700|fs.ModeSetuid|fs.ModeSetgid|fs.ModeSticky))
	list, err := o.ReadDir(".")
	ok(t, err)
	var got []string
	for _, e := range list {
		i, err := e.Info()
		ok(t, err)
		equal(t, e.Name(), i.Mode().Type(), e.Type())
		got = append(got, fmt.Sprintf("%s %v", e.Name(), i.Mode().Type()))
	}
	want := "blk D---------,chr Dc---------,dir d---------,fifo p---------,link L---------,reg ----------"
	equal(t, "types", strings.Join(got, ","), want)
	i, err := o.Stat("dir")
	ok(t, err)
	equal(t, "mode", i.Mode().String(), "dugtrwx------")
}

// TestSameFile tells files apart by what they are, not by what they are called.
func TestSameFile(t *testing.T) {
	o := fixed(t)
	ok(t, o.WriteFile("a", nil, 0o600))
	ok(t, o.WriteFile("c", nil, 0o600))
	ok(t, o.Link("a", "b"))
	stat := func(name string) fs.FileInfo {
		i, err := o.Stat(name)
		ok(t, err)
		return i
	}
	equal(t, "two names", gofs.SameFile(stat("a"), stat("b")), true)
	equal(t, "two files", gofs.SameFile(stat("a"), stat("c")), false)
}

// TestRumpfsAsItIs: on rumpfs 1.125 one does without what it does without.
func TestRumpfsAsItIs(t *testing.T) {
	o := boot(t, sim.Config{})
	ok(t, o.WriteFile("/tmp/f", nil, 0o600))
	wants(t, "rename", o.Rename("/tmp/f", "/tmp/g"), errors.ErrUnsupported)
	wants(t, "link", o.Link("/tmp/f", "/tmp/g"), errors.ErrUnsupported)
	wants(t, "chtimes", o.Chtimes("/tmp/none", time.Time{}, time.Time{}), fs.ErrNotExist)
}

// TestManyGoroutines share one view and, two by two, files.
func TestManyGoroutines(t *testing.T) {
	o := fixed(t)
	var wg sync.WaitGroup
	for i := range 8 {
		wg.Go(func() {
			dir := fmt.Sprint("d", i/2)
			for n := range 30 {
				name := path.Join(dir, fmt.Sprint(i, "-", n))
				if err := errors.Join(o.MkdirAll(dir, 0o755), o.WriteFile(name, []byte(name), 0o644)); err != nil {
					t.Error(err)
					return
				}
				b, err := o.ReadFile(name)
				if err != nil || string(b) != name {
					t.Errorf("%s: %q %v", name, b, err)
				}
				if err := o.Remove(name); err != nil {
					t.Error(err)
				}
			}
		})
	}
	wg.Wait()
}

// TestCloseWhileOthersRead: the descriptor is not given to another file under a call that uses it.
func TestCloseWhileOthersRead(t *testing.T) {
	o := fixed(t)
	ok(t, o.WriteFile("a", []byte("a"), 0o644))
	ok(t, o.WriteFile("b", []byte("b"), 0o644))
	for range 50 {
		f, err := o.Open("a")
		ok(t, err)
		var wg sync.WaitGroup
		for range 4 {
			wg.Go(func() {
				var b [1]byte
				if _, err := f.ReadAt(b[:], 0); err == nil && b[0] != 'a' || err != nil && !errors.Is(err, fs.ErrClosed) {
					t.Errorf("%q %v", b, err)
				}
			})
		}
		wg.Go(func() {
			if err := f.Close(); err != nil {
				t.Error(err)
			}
			if g, err := o.Open("b"); err != nil {
				t.Error(err)
			} else if err := g.Close(); err != nil {
				t.Error(err)
			}
		})
		wg.Wait()
	}
}

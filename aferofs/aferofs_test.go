package aferofs_test

import (
	"errors"
	"fmt"
	"io"
	"io/fs"
	"log"
	"os"
	"testing"

	"github.com/spf13/afero"

	"rumpvfs/aferofs"
	"rumpvfs/gofs"
	"rumpvfs/kern"
	"rumpvfs/sim"
	"rumpvfs/tmpfs"
)

// boot gives process 1 of a kernel without quirks, in a tmpfs.
func boot(t testing.TB) (*sim.Proc, afero.Fs) {
	t.Helper()
	k, err := sim.Boot(sim.Config{Without: kern.Rev1125})
	ok(t, err)
	t.Cleanup(func() { ok(t, k.Shutdown()) })
	p := k.Init()
	ok(t, p.Mkdir("/mnt", 0o755))
	ok(t, p.Mount("tmpfs", "/mnt", 0, tmpfs.DefaultArgs()))
	ok(t, p.Chdir("/mnt"))
	return p, aferofs.New(gofs.New(p))
}

func ok(t testing.TB, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}

func write(t testing.TB, f afero.Fs, path, data string) {
	t.Helper()
	ok(t, afero.WriteFile(f, path, []byte(data), 0o644))
}

// TestComplaints is what users of afero and go-billy report of file systems in memory: what was wanted of them, and here is.
func TestComplaints(t *testing.T) {
	for _, c := range []struct {
		complaint string
		do        func(t *testing.T, f afero.Fs) error
		want      error
	}{
		{"a file is made though its directory is missing", func(t *testing.T, f afero.Fs) error {
			_, err := f.Create("no/such/dir/file")
			return err
		}, fs.ErrNotExist},
		{"Mkdir makes parents", func(t *testing.T, f afero.Fs) error { return f.Mkdir("no/dir", 0o755) }, fs.ErrNotExist},
		{"a file is made below a file", func(t *testing.T, f afero.Fs) error {
			write(t, f, "file", "x")
			return afero.WriteFile(f, "file/child", nil, 0o644)
		}, kern.ENOTDIR},
		{"MkdirAll goes through a file", func(t *testing.T, f afero.Fs) error {
			write(t, f, "file", "x")
			return f.MkdirAll("file/dir", 0o755)
		}, kern.ENOTDIR},
		{"Remove removes a directory with files in it", func(t *testing.T, f afero.Fs) error {
			ok(t, f.Mkdir("dir", 0o755))
			write(t, f, "dir/file", "x")
			return f.Remove("dir")
		}, kern.ENOTEMPTY},
		{"Mkdir of what is there", func(t *testing.T, f afero.Fs) error {
			ok(t, f.Mkdir("dir", 0o755))
			return f.Mkdir("dir", 0o755)
		}, fs.ErrExist},
		{"a directory is opened for writing", func(t *testing.T, f afero.Fs) error {
			ok(t, f.Mkdir("dir", 0o755))
			_, err := f.OpenFile("dir", os.O_RDWR, 0)
			return err
		}, kern.EISDIR},
		{"O_EXCL is ignored", func(t *testing.T, f afero.Fs) error {
			write(t, f, "file", "x")
			_, err := f.OpenFile("file", os.O_CREATE|os.O_EXCL|os.O_WRONLY, 0o644)
			return err
		}, fs.ErrExist},
		{"what is open for reading is written", func(t *testing.T, f afero.Fs) error {
			write(t, f, "file", "x")
			r, err := f.Open("file")
			ok(t, err)
			defer r.Close()
			_, err = r.Write([]byte("y"))
			return err
		}, kern.EBADF},
		{"a loop of symbolic links does not end", func(t *testing.T, f afero.Fs) error {
			s := f.(afero.Symlinker)
			ok(t, s.SymlinkIfPossible("b", "a"))
			ok(t, s.SymlinkIfPossible("a", "b"))
			_, err := f.Stat("a")
			return err
		}, kern.ELOOP},
		{"a directory is renamed into itself", func(t *testing.T, f afero.Fs) error {
			ok(t, f.MkdirAll("a/b", 0o755))
			return f.Rename("a", "a/b/c")
		}, kern.EINVAL},
		{"a rename replaces a full directory", func(t *testing.T, f afero.Fs) error {
			ok(t, f.MkdirAll("a", 0o755))
			ok(t, f.MkdirAll("b/full", 0o755))
			return f.Rename("a", "b")
		}, kern.ENOTEMPTY},
		{"a slash behind a file's name is nothing", func(t *testing.T, f afero.Fs) error {
			write(t, f, "file", "x")
			_, err := f.Stat("file/")
			return err
		}, kern.ENOTDIR},
		{"a read at the end gives no io.EOF", func(t *testing.T, f afero.Fs) error {
			write(t, f, "file", "x")
			r, err := f.Open("file")
			ok(t, err)
			defer r.Close()
			_, err = r.ReadAt(make([]byte, 4), 1)
			return err
		}, io.EOF},
		{"a closed file is read", func(t *testing.T, f afero.Fs) error {
			write(t, f, "file", "x")
			r, err := f.Open("file")
			ok(t, err)
			ok(t, r.Close())
			_, err = r.Read(make([]byte, 4))
			return err
		}, fs.ErrClosed},
		{"a name of any length is taken", func(t *testing.T, f afero.Fs) error {
			return f.Mkdir(fmt.Sprintf("%0256d", 0), 0o755)
		}, kern.ENAMETOOLONG},
	} {
		t.Run(c.complaint, func(t *testing.T) {
			_, f := boot(t)
			if err := c.do(t, f); !errors.Is(err, c.want) {
				t.Errorf("%v, want %v", err, c.want)
			}
		})
	}
}

// TestDotDot: ".." is not taken out of a path before the walk.
func TestDotDot(t *testing.T) {
	_, f := boot(t)
	ok(t, f.MkdirAll("far/away", 0o755))
	ok(t, f.MkdirAll("near", 0o755))
	write(t, f, "far/file", "far")
	write(t, f, "near/file", "near")
	ok(t, f.(afero.Symlinker).SymlinkIfPossible("../far/away", "near/link"))
	b, err := afero.ReadFile(f, "near/link/../file")
	ok(t, err)
	if string(b) != "far" {
		t.Errorf("%q", b)
	}
	if _, err := f.Stat("missing/../near"); !errors.Is(err, fs.ErrNotExist) {
		t.Errorf("out of a directory that is missing: %v", err)
	}
}

// TestPermissions: who may not, may not; what is removed and open can be read.
func TestPermissions(t *testing.T) {
	p, f := boot(t)
	ok(t, f.Mkdir("closed", 0o700))
	write(t, f, "closed/file", "x")
	write(t, f, "readable", "data")
	user, err := p.Rfork(sim.RUMP_RFFDG)
	ok(t, err)
	ok(t, user.Setuid(1000))
	u := aferofs.New(gofs.New(user))
	if _, err := u.Open("closed/file"); !errors.Is(err, fs.ErrPermission) {
		t.Errorf("searching: %v", err)
	}
	if err := u.Chmod("readable", 0o777); !errors.Is(err, fs.ErrPermission) {
		t.Errorf("chmod: %v", err)
	}
	if err := u.Remove("readable"); !errors.Is(err, fs.ErrPermission) {
		t.Errorf("the sticky bit: %v", err)
	}
	r, err := u.Open("readable")
	ok(t, err)
	ok(t, f.Remove("readable"))
	b, err := io.ReadAll(r)
	ok(t, err)
	if string(b) != "data" {
		t.Errorf("a removed file that is open: %q", b)
	}
	ok(t, r.Close())
}

// TestAferosOwnHelpers: what afero builds on a file system works on this one.
func TestAferosOwnHelpers(t *testing.T) {
	_, f := boot(t)
	dir, err := afero.TempDir(f, "/mnt", "d")
	ok(t, err)
	tmp, err := afero.TempFile(f, dir, "x")
	ok(t, err)
	ok(t, tmp.Close())
	base := afero.NewBasePathFs(f, dir)
	write(t, base, "/in", "12345")
	var walked []string
	ok(t, afero.Walk(f, dir, func(path string, i fs.FileInfo, err error) error {
		walked = append(walked, path)
		return err
	}))
	if len(walked) != 3 || walked[1] != dir+"/in" {
		t.Errorf("Walk: %q", walked)
	}
	matches, err := afero.Glob(f, dir+"/i*")
	ok(t, err)
	if len(matches) != 1 {
		t.Errorf("Glob: %q", matches)
	}
	if i, ok, err := f.(afero.Lstater).LstatIfPossible(dir + "/in"); !ok || err != nil || i.Size() != 5 {
		t.Errorf("Lstat: %v %v %v", i, ok, err)
	}
	ok(t, f.(afero.Symlinker).SymlinkIfPossible("in", dir+"/link"))
	if to, err := f.(afero.Symlinker).ReadlinkIfPossible(dir + "/link"); to != "in" || err != nil {
		t.Errorf("Readlink: %q %v", to, err)
	}
	ok(t, f.RemoveAll(dir))
	if f.Name() != "rumpvfs" {
		t.Error(f.Name())
	}
}

func Example() {
	k, err := sim.Boot(sim.Config{})
	if err != nil {
		log.Fatal(err)
	}
	var files afero.Fs = aferofs.New(gofs.New(k.Init()))
	fmt.Println(afero.WriteFile(files, "/tmp/config", []byte("on\n"), 0o600))
	fmt.Println(afero.WriteFile(files, "/tmp/config/more", nil, 0o600))
	fmt.Println(k.Shutdown())
	// Output:
	// <nil>
	// open /tmp/config/more: ENOTDIR: a directory is needed here
	// <nil>
}

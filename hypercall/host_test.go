package hypercall

import (
	"bytes"
	"errors"
	"fmt"
	"io/fs"
	"math"
	"os"
	"path/filepath"
	"runtime"
	"strings"
	"syscall"
	"testing"
)

// hosts runs a test on an in-memory host, on a real one below a directory, and on the whole system; dir is a fresh directory of it.
func hosts(t *testing.T, f func(t *testing.T, h Host, dir string)) {
	real := NewRealHost(t.TempDir())
	whole := NewRealHost("")
	for name, h := range map[string]Host{"mem": NewMemHost(), "real": real, "whole": whole} {
		t.Run(name, func(t *testing.T) {
			if name == "whole" {
				t.Setenv("TMPDIR", t.TempDir())
			}
			dir, err := h.TempDir()
			if err != nil {
				t.Fatal(err)
			}
			f(t, h, dir)
			if n := h.OpenFDs(); n != 0 {
				t.Errorf("%d descriptors open", n)
			}
			if err := h.RemoveAll(dir); err != nil {
				t.Error(err)
			}
			if _, _, err := h.FileInfo(dir); !errors.Is(err, fs.ErrNotExist) {
				t.Error("still there:", err)
			}
			if err := h.RemoveAll(dir); err != nil {
				t.Error(err)
			}
		})
	}
	real.CloseAll()
}

// result prints what a host call answered.
func result(v any, err error) string {
	if err != nil {
		if _, ok := err.(HostErrno); !ok {
			return fmt.Sprintf("%T %v", err, err)
		}
		return err.Error()
	}
	return fmt.Sprint(v)
}

// script runs lines of host calls on names in dir and returns what they answered.
func script(h Host, dir, text string) (got string) {
	for line := range strings.Lines(text) {
		f := strings.Fields(line)
		if len(f) == 0 {
			continue
		}
		path := func(i int) string {
			if f[i] == "''" {
				return ""
			}
			return strings.ReplaceAll(strings.ReplaceAll(dir+"/"+f[i], "@", dir), "^", "\x00")
		}
		var r string
		switch f[0] {
		case "info":
			size, ft, err := h.FileInfo(path(1))
			r = result(fmt.Sprint(size, " ", ft), err)
		case "type":
			_, ft, err := h.FileInfo(path(1))
			r = result(ft, err)
		case "mkdir":
			r = result("ok", h.Mkdir(path(1)))
		case "write":
			r = result(h.WriteFile(path(1), []byte(f[2])))
		case "read":
			b, err := h.ReadFile(path(1))
			r = result(string(b), err)
		case "copy":
			r = result(h.Copy(path(1), path(2)))
		case "truncate":
			var n int64
			fmt.Sscan(f[2], &n)
			r = result("ok", h.Truncate(path(1), n))
		case "symlink":
			target := strings.ReplaceAll(f[1], "@", dir)
			if target == "''" {
				target = ""
			}
			r = result("ok", h.Symlink(target, path(2)))
		case "mkfifo":
			r = result("ok", h.Mkfifo(path(1)))
		case "remove":
			r = result("ok", h.Remove(path(1)))
		case "removeall":
			r = result("ok", h.RemoveAll(path(1)))
		case "open":
			var mode OpenMode
			fmt.Sscan(f[2], &mode)
			fd, err := h.Open(path(1), mode)
			if r = result("ok", err); err == nil {
				r = result("ok", h.Close(fd))
			}
		}
		got += strings.Join(f, " ") + " => " + r + "\n"
	}
	return got
}

const hostStory = `
mkdir d => ok
mkdir d => EEXIST
mkdir d/sub/ => ok
mkdir no/sub => ENOENT
type d => dir
info no => ENOENT
info '' => ENOENT
info a^b => EINVAL
write f hello => 5
write f hi => 2
info f => 2 reg
read f => hi
info f/ => ENOTDIR
info f/x => ENOTDIR
mkdir f => EEXIST
write d x => EISDIR
read d => EISDIR
read no => ENOENT
truncate f 4 => ok
truncate f 1 => ok
truncate f -1 => EINVAL
truncate no 1 => ENOENT
read f => h
copy f g => 1
copy f f => 1
read g => h
copy no g => ENOENT
copy d g => EISDIR
copy f d => EISDIR
symlink f ln => ok
symlink '' l0 => ENOENT
symlink f ln => EEXIST
symlink @/g labs => ok
symlink ../f d/up => ok
symlink d ld => ok
symlink loop loop => ok
symlink nowhere dangling => ok
read ln => h
read labs => h
read d/up => h
read ld/up => h
read ld/../f => h
type ld => dir
type ld/sub/ => dir
type ./d/./sub => dir
type ln/ => ENOTDIR
info loop => ELOOP
info dangling => ENOENT
mkdir dangling => EEXIST
remove dangling => ok
write made-through x => 1
open f 0 => ok
open f 1 => ok
open f 2 => ok
open f 3 => EINVAL
open f 12 => EEXIST
open d 0 => ok
open d 2 => EISDIR
open d 4 => EISDIR
open no 0 => ENOENT
open new 6 => ok
info new => 0 reg
open no/new 6 => ENOENT
mkfifo ff => ok
mkfifo ff => EEXIST
mkfifo no/ff => ENOENT
type ff => other
open ff 0 => ENXIO
read ff => ENXIO
write ff x => ENXIO
remove ff => ok
remove d => EPERM
remove no => ENOENT
remove no/no => ENOENT
remove g => ok
read labs => ENOENT
removeall d => ok
info ld => ENOENT
`

func TestHostStory(t *testing.T) {
	if runtime.GOOS == "windows" || runtime.GOOS == "js" {
		return // those hosts have other errors
	}
	want := strings.TrimLeft(hostStory, "\n")
	var calls string
	for line := range strings.Lines(want) {
		call, _, _ := strings.Cut(line, " => ")
		calls += call + "\n"
	}
	hosts(t, func(t *testing.T, h Host, dir string) {
		got := strings.Split(script(h, dir, calls), "\n")
		for i, w := range strings.Split(want, "\n") {
			if got[i] != w {
				t.Errorf("got  %s\nwant %s", got[i], w)
			}
		}
	})
}

func TestHostIO(t *testing.T) {
	hosts(t, func(t *testing.T, h Host, dir string) {
		name := dir + "/f"
		fd, err := h.Open(name, OpenRDWR|OpenCREATE|OpenBIO)
		if err != nil {
			t.Fatal(err)
		}
		rd, err := h.Open(name, OpenRDONLY)
		if err != nil || rd == fd || h.OpenFDs() != 2 {
			t.Fatal(rd, fd, err)
		}
		data := bytes.Repeat([]byte("0123456789abcdef"), 1024)
		if n, err := h.WriteAt(fd, data, 10000); n != len(data) || err != nil {
			t.Error(n, err)
		}
		if size, _, _ := h.FileInfo(name); size != 10000+int64(len(data)) {
			t.Error("size", size)
		}
		b := bytes.Repeat([]byte{0xff}, 20000)
		if n, err := h.ReadAt(rd, b, 8000); n != 18384 || err != nil || !bytes.Equal(b[2000:n], data) || !bytes.Equal(b[:2000], make([]byte, 2000)) {
			t.Error("read", n, err)
		}
		if b[18384] != 0xff {
			t.Error("read past the end of the file")
		}
		if n, err := h.ReadAt(rd, b, 1<<40); n != 0 || err != nil {
			t.Error("read beyond the end", n, err)
		}
		if _, err := h.WriteAt(rd, b, 0); err != eBADF {
			t.Error("write to a file open for reading:", err)
		}
		if _, err := h.ReadAt(fd, b, -1); err != eINVAL {
			t.Error("negative offset:", err)
		}
		if _, err := h.WriteAt(fd, b, -1); err != eINVAL {
			t.Error("negative offset:", err)
		}
		if err := h.Truncate(name, 10004); err != nil {
			t.Error(err)
		}
		if err := h.Truncate(name, 12000); err != nil {
			t.Error(err)
		}
		if n, err := h.ReadAt(rd, b[:16], 9998); n != 16 || err != nil || string(b[:6]) != "\x00\x000123" || !bytes.Equal(b[6:16], make([]byte, 10)) {
			t.Errorf("after truncation %d %v %q", n, err, b[:16])
		}
		for _, flags := range []SyncFlags{SyncREAD, SyncWRITE | SyncSYNC, SyncREAD | SyncWRITE | SyncBARRIER} {
			if err := h.Sync(fd, flags, 0, 0); err != nil {
				t.Error(err)
			}
		}
		if err := h.Sync(fd, SyncBARRIER, 0, 0); err != eINVAL {
			t.Error(err)
		}
		if h.Close(rd) != nil || h.Close(rd) != eBADF {
			t.Error("close")
		}
		for _, bad := range []int{rd, -1, 1000} {
			_, e1 := h.ReadAt(bad, b, 0)
			_, e2 := h.WriteAt(bad, b, 0)
			if e3 := h.Sync(bad, SyncWRITE, 0, 0); e1 != eBADF || e2 != eBADF || e3 != eBADF {
				t.Error(bad, e1, e2, e3)
			}
		}
		if again, err := h.Open(dir, OpenRDONLY); again != rd || err != nil {
			t.Error("lowest descriptor", again, err)
		} else if _, err := h.ReadAt(again, b, 0); err != eISDIR && runtime.GOOS != "windows" {
			t.Error("read of a directory:", err)
		}
		h.Close(rd)
		h.Close(fd)
	})
}

func TestMemHostLimits(t *testing.T) {
	h := NewMemHost()
	got := script(h, "", `
info /
info //
mkdir .
mkdir ..
mkdir //
removeall /
removeall .
removeall no/no
write x/ data
open y/ 6
mkfifo z/
symlink / rootlink
type rootlink
type rootlink/
mkdir h1
type ../..`)
	want := `info / => 4096 dir
info // => 4096 dir
mkdir . => EEXIST
mkdir .. => EEXIST
mkdir // => EEXIST
removeall / => EINVAL
removeall . => EINVAL
removeall no/no => ok
write x/ data => EISDIR
open y/ 6 => EISDIR
mkfifo z/ => ENOENT
symlink / rootlink => ok
type rootlink => dir
type rootlink/ => dir
mkdir h1 => ok
type ../.. => dir
`
	if got != want {
		t.Errorf("got\n%s\nwant\n%s", got, want)
	}
	if dir, err := h.TempDir(); dir != "/h2" || err != nil {
		t.Error("TempDir", dir, err)
	}
	long := strings.Repeat("n", 256)
	for name, want := range map[string]error{long: eNAMETOOLONG, long[1:]: nil, strings.Repeat("a/", 2050): eNAMETOOLONG} {
		if err := h.Mkdir(name); !errors.Is(err, want) {
			t.Errorf("mkdir of %d bytes: %v", len(name), err)
		}
	}
	if err := h.Symlink(strings.Repeat("a/", 2048), "l"); err != eNAMETOOLONG {
		t.Error(err)
	}
	fd, _ := h.Open("/big", OpenRDWR|OpenCREATE)
	if n, err := h.WriteAt(fd, []byte("x"), math.MaxInt64-1); n != 1 || err != nil {
		t.Error(n, err)
	}
	if _, err := h.WriteAt(fd, []byte("x"), math.MaxInt64); err != eFBIG {
		t.Error(err)
	}
	if _, err := h.ReadFile("/big"); err != eFBIG {
		t.Error(err)
	}
	if n, err := h.Copy("/big", "/copy"); n != math.MaxInt64 || err != nil {
		t.Error(n, err)
	}
	if n, err := h.WriteAt(fd, nil, 0); n != 0 || err != nil {
		t.Error(n, err)
	}
	h.Close(fd)
	if h.Close(fd) != eBADF || h.Remove("/a\x00") != eINVAL || h.RemoveAll("a\x00") != eINVAL {
		t.Error("errors")
	}
}

// Nothing leads out of a real host's root.
func TestRealHostStaysInside(t *testing.T) {
	outer := t.TempDir()
	inner := filepath.Join(outer, "root")
	if err := os.Mkdir(inner, 0o755); err != nil {
		t.Fatal(err)
	}
	secret := filepath.Join(outer, "secret")
	os.WriteFile(secret, []byte("secret"), 0o644)
	os.Symlink(secret, filepath.Join(inner, "abs"))
	os.Symlink("..", filepath.Join(inner, "up"))
	h := NewRealHost(inner)
	defer h.CloseAll()
	for _, name := range []string{"../secret", "/../secret", "abs", "up/secret", "/up"} {
		if b, err := h.ReadFile(name); err == nil {
			t.Errorf("%s: read %q", name, b)
		}
		if h.Mkfifo(name+"/x") == nil || h.Mkdir(name+"/x") == nil || h.Remove(name+"/x") == nil {
			t.Errorf("%s: changed", name)
		}
	}
	if _, ft, err := h.FileInfo("/"); ft != FileDir || err != nil {
		t.Error(ft, err)
	}
}

func TestRealHostWithoutRoot(t *testing.T) {
	h := NewRealHost(filepath.Join(t.TempDir(), "missing"))
	got := script(h, "", hostStory)
	if n := strings.Count(got, "ENOENT"); n < strings.Count(got, "\n")-6 {
		t.Error(got)
	}
	if _, err := h.TempDir(); err != eNOENT {
		t.Error(err)
	}
}

func TestRealHostDevice(t *testing.T) {
	if runtime.GOOS != "linux" {
		return // no device that is everywhere
	}
	h := NewRealHost("")
	if _, _, err := h.FileInfo("/dev/null"); err != eOPNOTSUPP {
		t.Error(err)
	}
	fd, err := h.Open("/dev/zero", OpenRDONLY)
	if err != nil {
		t.Fatal(err)
	}
	b := []byte{1, 2, 3}
	if n, err := h.ReadAt(fd, b, 0); n != 3 || err != nil || b[2] != 0 {
		t.Error(n, err, b)
	}
	h.CloseAll()
	if h.OpenFDs() != 0 {
		t.Error("still open")
	}
	if got := []FileType{fileType(fs.ModeDevice), fileType(fs.ModeDevice | fs.ModeCharDevice), fileType(fs.ModeSocket)}; fmt.Sprint(got) != "[blk chr other]" {
		t.Error(got)
	}
}

func TestErrno(t *testing.T) {
	for e, target := range map[HostErrno]error{
		2: fs.ErrNotExist, 17: fs.ErrExist, 66: fs.ErrExist, 1: fs.ErrPermission, 13: fs.ErrPermission, 22: fs.ErrInvalid,
		9: fs.ErrClosed, 45: errors.ErrUnsupported, 78: errors.ErrUnsupported,
	} {
		if !errors.Is(e, target) || errors.Is(e, syscall.E2BIG) || errors.Is(HostErrno(5), target) {
			t.Errorf("%v is not %v", e, target)
		}
	}
	if got := fmt.Sprint(HostErrno(2), HostErrno(35), HostErrno(62), HostErrno(96), HostErrno(0), HostErrno(97), HostErrno(-1)); got != "ENOENT EAGAIN ELOOP EPROTO errno 0 errno 97 errno -1" {
		t.Error(got)
	}
	for _, x := range []struct {
		err  error
		want error
	}{
		{nil, nil}, {syscall.ENOSPC, HostErrno(28)}, {&fs.PathError{Err: syscall.ELOOP}, eLOOP}, {eFBIG, eFBIG},
		{os.ErrClosed, eBADF}, {fs.ErrNotExist, eNOENT}, {errors.New("what"), eINVAL}, {syscall.Errno(9999), eINVAL},
	} {
		if got := translate(x.err); got != x.want {
			t.Errorf("%v becomes %v, want %v", x.err, got, x.want)
		}
	}
}

func TestBIO(t *testing.T) {
	modes(t, 3, func(t *testing.T, s *System, hub *Thread) {
		h := s.Host()
		fd, err := h.Open("/disk", OpenRDWR|OpenCREATE|OpenBIO)
		if err != nil {
			t.Fatal(err)
		}
		block := bytes.Repeat([]byte("x"), 512)
		calls := 0
		s.BIO(hub, fd, BIOWRITE|BIOSYNC, block, 512, func(n int, err error) {
			calls++
			if n != 512 || err != nil {
				t.Error(n, err)
			}
		})
		b := make([]byte, 1024)
		s.BIO(hub, fd, BIOREAD, b, 512, func(n int, err error) {
			calls++
			if n != 512 || err != nil || b[0] != 'x' {
				t.Error(n, err)
			}
		})
		h.Close(fd)
		s.BIO(hub, fd, BIOWRITE, b, 0, func(n int, err error) {
			calls++
			if n != 0 || err != eBADF {
				t.Error(n, err)
			}
		})
		if calls != 3 {
			t.Error(calls)
		}
	})
}

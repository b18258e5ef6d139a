package kern

import (
	"errors"
	"fmt"
	"io/fs"
	"strings"
	"testing"
)

func TestErrnoNamesAreDistinctAndFoundAgain(t *testing.T) {
	seen := map[string]Errno{}
	for e := EMOVEFD; e <= ELAST; e++ {
		if e == 0 || e == -1 {
			continue
		}
		name := e.Name()
		if prev, dup := seen[name]; dup {
			t.Errorf("%d and %d are both %s", prev, e, name)
		}
		seen[name] = e
		if back, ok := ErrnoByName(name); !ok || back != e {
			t.Errorf("ErrnoByName(%q) = %d, %v; want %d", name, back, ok, e)
		}
		if msg := e.Error(); !strings.HasPrefix(msg, name+": ") || len(msg) < len(name)+8 {
			t.Errorf("%d says %q", e, msg)
		}
	}
	if len(seen) != 96+5 {
		t.Errorf("%d numbers have names, want 101", len(seen))
	}
}

// The numbers that differ most between systems, so that a shifted table
// cannot pass.
func TestErrnoNumbersAreNetBSDs(t *testing.T) {
	for _, c := range []struct {
		e    Errno
		n    int
		name string
	}{
		{EPERM, 1, "EPERM"}, {EDEADLK, 11, "EDEADLK"}, {EPIPE, 32, "EPIPE"}, {EAGAIN, 35, "EAGAIN"},
		{EWOULDBLOCK, 35, "EAGAIN"}, {EOPNOTSUPP, 45, "EOPNOTSUPP"}, {ELOOP, 62, "ELOOP"},
		{ENAMETOOLONG, 63, "ENAMETOOLONG"}, {ENOTEMPTY, 66, "ENOTEMPTY"}, {ESTALE, 70, "ESTALE"},
		{ENOSYS, 78, "ENOSYS"}, {EFTYPE, 79, "EFTYPE"}, {EOVERFLOW, 84, "EOVERFLOW"},
		{ENOTSUP, 86, "ENOTSUP"}, {ENOATTR, 93, "ENOATTR"}, {ELAST, 96, "EPROTO"},
		{EJUSTRETURN, -2, "EJUSTRETURN"}, {ERESTART, -3, "ERESTART"}, {EPASSTHROUGH, -4, "EPASSTHROUGH"},
		{EDUPFD, -5, "EDUPFD"}, {EMOVEFD, -6, "EMOVEFD"},
	} {
		if int(c.e) != c.n || c.e.Name() != c.name {
			t.Errorf("%s is %d %s", c.name, int(c.e), c.e.Name())
		}
	}
	if e, ok := ErrnoByName("EWOULDBLOCK"); !ok || e != EAGAIN {
		t.Errorf("EWOULDBLOCK is %v", e)
	}
}

func TestErrnoUnknownNumber(t *testing.T) {
	for _, e := range []Errno{0, -1, -7, 97, 127, -128} {
		if want := fmt.Sprintf("errno %d", int(e)); e.Name() != want || !strings.HasPrefix(e.Error(), want+": ") {
			t.Errorf("%d: name %q, error %q", int(e), e.Name(), e.Error())
		}
	}
	for _, name := range []string{"", "ENOTHING", "enoent"} {
		if e, ok := ErrnoByName(name); ok {
			t.Errorf("ErrnoByName(%q) found %v", name, e)
		}
	}
}

func TestErrnoAnswersErrorsIs(t *testing.T) {
	targets := []error{fs.ErrNotExist, fs.ErrExist, fs.ErrPermission, fs.ErrInvalid, fs.ErrClosed, errors.ErrUnsupported}
	want := map[Errno]error{
		ENOENT: fs.ErrNotExist, EEXIST: fs.ErrExist, ENOTEMPTY: fs.ErrExist, EPERM: fs.ErrPermission,
		EACCES: fs.ErrPermission, EINVAL: fs.ErrInvalid, EBADF: fs.ErrClosed,
		ENOSYS: errors.ErrUnsupported, ENOTSUP: errors.ErrUnsupported, EOPNOTSUPP: errors.ErrUnsupported,
	}
	for e := EPERM; e <= ELAST; e++ {
		wrapped := &fs.PathError{Op: "open", Path: "x", Err: e}
		for _, target := range targets {
			if got := errors.Is(wrapped, target); got != (want[e] == target) {
				t.Errorf("errors.Is(%s, %v) = %v", e.Name(), target, got)
			}
		}
		if !errors.Is(wrapped, e) {
			t.Errorf("%s is not itself", e.Name())
		}
	}
}

func TestErrnoOf(t *testing.T) {
	for _, c := range []struct {
		err  error
		want Errno
		ok   bool
	}{
		{nil, 0, true},
		{ENOENT, ENOENT, true},
		{ERESTART, ERESTART, true},
		{fmt.Errorf("walk: %w", &fs.PathError{Op: "stat", Path: "/", Err: ELOOP}), ELOOP, true},
		{errors.New("something else"), 0, false},
	} {
		if got, ok := ErrnoOf(c.err); got != c.want || ok != c.ok {
			t.Errorf("ErrnoOf(%v) = %v, %v; want %v, %v", c.err, got, ok, c.want, c.ok)
		}
	}
	if err := Errno(0).Err(); err != nil {
		t.Errorf("Errno(0).Err() = %v", err)
	}
	if err := EIO.Err(); err != EIO {
		t.Errorf("EIO.Err() = %v", err)
	}
}

// Kernel code returns an Errno as an error wherever it fails.
func TestErrnoInAnInterfaceDoesNotAllocate(t *testing.T) {
	var sink error
	for e := EMOVEFD; e <= ELAST; e++ {
		if n := testing.AllocsPerRun(10, func() {
			sink = e
			if got, _ := ErrnoOf(sink); got != e {
				t.Errorf("ErrnoOf(%v) = %v", sink, got)
			}
		}); n != 0 {
			t.Fatalf("%s: %v allocations", e.Name(), n)
		}
	}
}

var benchmarkErr error

func BenchmarkErrnoInAnInterface(b *testing.B) {
	b.ReportAllocs()
	e := EMOVEFD
	for b.Loop() {
		benchmarkErr = e
		if e++; e > ELAST {
			e = EMOVEFD
		}
	}
}

func ExampleErrno() {
	var err error = ENOENT
	fmt.Println(err)
	fmt.Println(errors.Is(err, fs.ErrNotExist))
	e, _ := ErrnoOf(err)
	fmt.Println(e.Name(), int(e))
	// Output:
	// ENOENT: nothing has that name
	// true
	// ENOENT 2
}

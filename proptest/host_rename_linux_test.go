package proptest_test

import (
	"fmt"
	"math/rand/v2"
	"os"
	"path/filepath"
	"strings"
	"syscall"
	"testing"

	"rumpvfs/kern"
	"rumpvfs/proptest/call"
	"rumpvfs/proptest/model"
)

// hostNames makes calls about names in a directory of the host, with relative paths.
type hostNames struct{ dir string }

// hostErrnos are the errors of the host that calls about names give.
var hostErrnos = map[error]kern.Errno{
	syscall.EPERM: kern.EPERM, syscall.ENOENT: kern.ENOENT, syscall.EBUSY: kern.EBUSY, syscall.EEXIST: kern.EEXIST,
	syscall.ENOTDIR: kern.ENOTDIR, syscall.EISDIR: kern.EISDIR, syscall.EINVAL: kern.EINVAL, syscall.ENOTEMPTY: kern.ENOTEMPTY,
	syscall.ELOOP: kern.ELOOP, syscall.ENAMETOOLONG: kern.ENAMETOOLONG,
}

// do makes a call and gives its error; kind and links are what Lstat finds.
func (h *hostNames) do(c *call.Call) (e kern.Errno, kind, links uint32, err error) {
	path, path2 := filepath.Join(h.dir, "x")[:len(h.dir)+1]+c.Path, h.dir+"/"+c.Path2
	var st syscall.Stat_t
	switch c.Op {
	case call.Mkdir:
		err = syscall.Mkdir(path, 0o755)
	case call.Rmdir:
		err = syscall.Rmdir(path)
	case call.Unlink:
		err = syscall.Unlink(path)
	case call.Symlink:
		err = syscall.Symlink(c.Path2, path)
	case call.Link:
		// Linux does not follow a symbolic link here; the standard leaves it free.
		if to, e := filepath.EvalSymlinks(path); e == nil {
			path = to
		} else if syscall.Lstat(path, &st) == nil {
			return kern.ENOENT, 0, 0, nil
		}
		err = syscall.Link(path, path2)
	case call.Rename:
		err = syscall.Rename(path, path2)
	case call.Open:
		var fd int
		if fd, err = syscall.Open(path, syscall.O_CREAT|syscall.O_EXCL|syscall.O_RDWR, 0o644); err == nil {
			err = syscall.Close(fd)
		}
	default:
		err = syscall.Lstat(path, &st)
	}
	if err == nil {
		return 0, st.Mode & syscall.S_IFMT, uint32(st.Nlink), nil
	}
	e, known := hostErrnos[err]
	if known {
		err = nil
	}
	return e, 0, 0, err
}

// TestNamesOnHost makes, renames and links names on the host and on the model, which agree on what works, on the types and
// link counts of what is there, and on the errors as far as POSIX says which.
func TestNamesOnHost(t *testing.T) {
	base, err := os.MkdirTemp("/dev/shm", "rumpvfs")
	if err != nil {
		base = t.TempDir()
	}
	t.Cleanup(func() { _ = os.RemoveAll(base) })
	m := model.New(model.Config{Quirks: kern.Fixed, Caps: model.Caps{Rename: true, Link: true, PosixRename: true}})
	p := &picker{rand.New(rand.NewPCG(11, 12))}
	renamed := 0
	for round := range 150 {
		h := &hostNames{filepath.Join(base, fmt.Sprint(round))}
		if err := os.Mkdir(h.dir, 0o755); err != nil {
			t.Fatal(err)
		}
		if err := m.Reset(); err != nil {
			t.Fatal(err)
		}
		var r call.Result
		m.Do(&call.Call{Op: call.Mkdir, Path: "/w", Mode: 0o755}, &r)
		m.Do(&call.Call{Op: call.Chdir, Path: "/w"}, &r)
		var story []string
		for range 120 {
			c := nameCall(p)
			story = append(story, c.String())
			if m.Do(&c, &r); c.Op == call.Open && r.Errno == 0 {
				m.Do(&call.Call{Op: call.Close, FD: int32(r.Ret)}, new(call.Result))
			}
			if c.Op == call.Open {
				m.Last = 0
			}
			e, kind, links, err := h.do(&c)
			if err != nil {
				t.Fatalf("%v: %v", c, err)
			}
			// Of two paths more than one thing may be wrong, and the standard does not say which counts.
			twice := (c.Op == call.Link || c.Op == call.Rename) && e != 0 && r.Errno != 0
			ok := e == r.Errno || twice || m.Last != 0 && m.Last.Allows(e)
			if c.Op == call.Lstat && e == 0 {
				ok = ok && kind == r.File.Mode&kern.S_IFMT && (kind == kern.S_IFDIR || links == r.File.Nlink)
			}
			if !ok {
				t.Fatalf("%s\n=> %s (%v), on the host %v %o %d", strings.Join(story, "\n"), r.Format(&c), m.Last, e, kind, links)
			}
			if c.Op == call.Rename && e == 0 {
				renamed++
			}
		}
	}
	if renamed < 150 {
		t.Errorf("only %d names renamed", renamed)
	}
}

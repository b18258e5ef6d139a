//go:build linux

package fusefs

import (
	"log"
	"strings"
	"sync"
	"syscall"
	"testing"

	"github.com/hanwen/go-fuse/v2/fuse"
)

// logWriter counts the lines of a log.
type logWriter struct {
	mu   sync.Mutex
	text strings.Builder
}

func (w *logWriter) Write(b []byte) (int, error) {
	w.mu.Lock()
	defer w.mu.Unlock()
	return w.text.Write(b)
}

func (w *logWriter) lines() int { return strings.Count(w.text.String(), "\n") }

func (w *logWriter) logger() *log.Logger { return log.New(w, "", 0) }

// lk is a request for a byte-range lock of owner over the bytes from start on;
// n is how many, 0 for all.
func (h *host) lk(node, fh, owner uint64, typ uint32, start, n uint64) *fuse.LkIn {
	end := start + n - 1
	if n == 0 {
		end = hostEOF
	}
	return &fuse.LkIn{
		InHeader: h.header(node), Fh: fh, Owner: owner,
		Lk: fuse.FileLock{Start: start, End: end, Typ: typ, Pid: uint32(owner) + 1000},
	}
}

func TestByteRangeLocks(t *testing.T) {
	h := newHost(t, "/mnt")
	c := h.create(root, "f", syscall.O_RDWR, 0o644)
	n, fh := c.NodeId, c.Fh
	h.want("lock", h.SetLk(nil, h.lk(n, fh, 1, syscall.F_WRLCK, 10, 10)), 0)
	h.want("lock of another", h.SetLk(nil, h.lk(n, fh, 2, syscall.F_RDLCK, 0, 0)), syscall.EAGAIN)
	h.want("lock beside it", h.SetLk(nil, h.lk(n, fh, 2, syscall.F_WRLCK, 20, 0)), 0)
	var out fuse.LkOut
	h.want("getlk", h.GetLk(nil, h.lk(n, fh, 3, syscall.F_WRLCK, 0, 15), &out), 0)
	if want := (fuse.FileLock{Start: 10, End: 19, Typ: syscall.F_WRLCK, Pid: 1001}); out.Lk != want {
		t.Errorf("%+v, want %+v", out.Lk, want)
	}
	h.want("getlk", h.GetLk(nil, h.lk(n, fh, 3, syscall.F_RDLCK, 25, 1), &out), 0)
	if want := (fuse.FileLock{Start: 20, End: hostEOF, Typ: syscall.F_WRLCK, Pid: 1002}); out.Lk != want {
		t.Errorf("%+v, want %+v", out.Lk, want)
	}
	h.want("getlk", h.GetLk(nil, h.lk(n, fh, 3, syscall.F_RDLCK, 0, 5), &out), 0)
	if out.Lk.Typ != syscall.F_UNLCK {
		t.Errorf("%+v", out.Lk)
	}
	// A program that closes any descriptor of the file has no locks on it.
	h.want("flush", h.Flush(nil, &fuse.FlushIn{InHeader: h.header(n), Fh: fh, LockOwner: 1}), 0)
	h.want("flush", h.Flush(nil, &fuse.FlushIn{InHeader: h.header(n), Fh: fh, LockOwner: 77}), 0)
	h.want("lock", h.SetLk(nil, h.lk(n, fh, 3, syscall.F_WRLCK, 10, 10)), 0)
	for _, owner := range []uint64{2, 3} {
		h.want("unlock", h.SetLk(nil, h.lk(n, fh, owner, syscall.F_UNLCK, 0, 0)), 0)
	}
	if st := h.stats(); st.Owners != 0 {
		t.Errorf("%+v", st)
	}
	h.want("lock of nothing", h.SetLk(nil, h.lk(n, 999, 1, syscall.F_WRLCK, 0, 0)), syscall.EBADF)
}

// One waits for a lock until the other gives it back, or until it is
// interrupted; two who would wait for each other are told.
func TestWaitingForLocks(t *testing.T) {
	h := newHost(t, "/mnt")
	c := h.create(root, "f", syscall.O_RDWR, 0o644)
	n, fh := c.NodeId, c.Fh
	h.want("lock", h.SetLk(nil, h.lk(n, fh, 1, syscall.F_WRLCK, 0, 1)), 0)
	h.want("lock", h.SetLk(nil, h.lk(n, fh, 2, syscall.F_WRLCK, 1, 1)), 0)
	got := make(chan fuse.Status)
	cancel := make(chan struct{})
	go func() { got <- h.SetLkw(cancel, h.lk(n, fh, 2, syscall.F_WRLCK, 0, 1)) }()
	go func() { got <- h.SetLkw(cancel, h.lk(n, fh, 1, syscall.F_WRLCK, 1, 1)) }()
	h.want("who came second", <-got, syscall.EDEADLK)
	close(cancel)
	h.want("interrupted", <-got, syscall.EINTR)
	go func() { got <- h.SetLkw(nil, h.lk(n, fh, 2, syscall.F_WRLCK, 0, 1)) }()
	h.want("unlock", h.SetLk(nil, h.lk(n, fh, 1, syscall.F_UNLCK, 0, 0)), 0)
	h.want("waited for", <-got, 0)
	// An interrupt that came before.
	go func() { got <- h.SetLkw(cancel, h.lk(n, fh, 1, syscall.F_WRLCK, 0, 1)) }()
	h.want("interrupted", <-got, syscall.EINTR)
}

func TestFlock(t *testing.T) {
	h := newHost(t, "/mnt")
	c := h.create(root, "f", syscall.O_RDWR, 0o644)
	other := h.open(c.NodeId, syscall.O_RDONLY)
	flock := func(fh uint64, typ uint32) *fuse.LkIn {
		in := h.lk(c.NodeId, fh, fh, typ, 0, 0)
		in.LkFlags = fuse.LK_FLOCK
		return in
	}
	h.want("flock", h.SetLk(nil, flock(c.Fh, syscall.F_WRLCK)), 0)
	h.want("flock of another", h.SetLk(nil, flock(other, syscall.F_RDLCK)), syscall.EAGAIN)
	h.close(c.NodeId, c.Fh) // gives it back
	h.want("flock of another", h.SetLkw(nil, flock(other, syscall.F_RDLCK)), 0)
	h.want("funlock", h.SetLk(nil, flock(other, syscall.F_UNLCK)), 0)
}

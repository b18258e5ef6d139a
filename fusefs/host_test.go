//go:build linux

package fusefs

import (
	"io"
	"log"
	"syscall"
	"testing"

	"github.com/hanwen/go-fuse/v2/fuse"

	"rumpvfs/sim"
	"rumpvfs/tmpfs"
)

// host makes the requests that a host would make, without a mount: a program
// of some user that knows files by number.
type host struct {
	*server
	t      *testing.T
	k      *sim.Kernel
	caller fuse.Caller
}

// root is the number of the root directory.
const root = fuse.FUSE_ROOT_ID

// newHost boots a kernel and serves a tmpfs of it, or with "/" its root. What
// the server holds must be gone in the end.
func newHost(t *testing.T, path string) *host {
	t.Helper()
	k, err := sim.Boot(sim.Config{})
	if err != nil {
		t.Fatal(err)
	}
	p := k.Init()
	ok(t, p.Mkdir("/mnt", 0o755))
	ok(t, p.Mount(tmpfs.MOUNT_TMPFS, "/mnt", 0, tmpfs.DefaultArgs()))
	s, err := newServer(k, path, &Options{Logger: log.New(io.Discard, "", 0)})
	ok(t, err)
	h := &host{server: s, t: t, k: k}
	t.Cleanup(func() {
		s.OnUnmount()
		if st := s.stats(); st.Nodes+st.Handles+st.Owners != 0 || st.Lookups != 0 {
			t.Errorf("left after the unmount: %+v", st)
		}
		if err := k.Check(); err != nil {
			t.Error(err)
		}
		if err := k.Shutdown(); err != nil {
			t.Error(err)
		}
	})
	return h
}

func ok(t *testing.T, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}

// as is the host when a program of another user calls.
func (h *host) as(uid, gid uint32) *host {
	c := *h
	c.caller = fuse.Caller{Owner: fuse.Owner{Uid: uid, Gid: gid}}
	return &c
}

func (h *host) header(node uint64) fuse.InHeader {
	return fuse.InHeader{NodeId: node, Caller: h.caller}
}

// want fails unless got is the status for errno.
func (h *host) want(what string, got fuse.Status, errno syscall.Errno) {
	h.t.Helper()
	if got != fuse.Status(errno) {
		h.t.Fatalf("%s: %v, want %v", what, got, fuse.Status(errno))
	}
}

func (h *host) lookup(dir uint64, name string) fuse.EntryOut {
	h.t.Helper()
	e, status := h.tryLookup(dir, name)
	h.want("lookup "+name, status, 0)
	return e
}

func (h *host) tryLookup(dir uint64, name string) (e fuse.EntryOut, status fuse.Status) {
	in := h.header(dir)
	status = h.Lookup(nil, &in, name, &e)
	return e, status
}

func (h *host) mkdir(dir uint64, name string, mode uint32) fuse.EntryOut {
	h.t.Helper()
	var e fuse.EntryOut
	h.want("mkdir "+name, h.Mkdir(nil, &fuse.MkdirIn{InHeader: h.header(dir), Mode: mode}, name, &e), 0)
	return e
}

func (h *host) create(dir uint64, name string, flags int, mode uint32) fuse.CreateOut {
	h.t.Helper()
	c, status := h.tryCreate(dir, name, flags, mode)
	h.want("create "+name, status, 0)
	return c
}

func (h *host) tryCreate(dir uint64, name string, flags int, mode uint32) (c fuse.CreateOut, status fuse.Status) {
	status = h.Create(nil, &fuse.CreateIn{InHeader: h.header(dir), Flags: uint32(flags), Mode: mode}, name, &c)
	return c, status
}

// touch makes a file that nobody has open.
func (h *host) touch(dir uint64, name string, mode uint32) uint64 {
	h.t.Helper()
	c := h.create(dir, name, syscall.O_WRONLY, mode)
	h.close(c.NodeId, c.Fh)
	return c.NodeId
}

func (h *host) close(node, fh uint64) {
	h.Release(nil, &fuse.ReleaseIn{InHeader: h.header(node), Fh: fh})
}

func (h *host) tryOpen(node uint64, flags int) (fuse.OpenOut, fuse.Status) {
	var o fuse.OpenOut
	status := h.Open(nil, &fuse.OpenIn{InHeader: h.header(node), Flags: uint32(flags)}, &o)
	return o, status
}

func (h *host) open(node uint64, flags int) uint64 {
	h.t.Helper()
	o, status := h.tryOpen(node, flags)
	h.want("open", status, 0)
	return o.Fh
}

func (h *host) write(node, fh uint64, off int64, text string, flags int) {
	h.t.Helper()
	n, status := h.Write(nil, &fuse.WriteIn{InHeader: h.header(node), Fh: fh, Offset: uint64(off), Flags: uint32(flags)}, []byte(text))
	h.want("write", status, 0)
	if int(n) != len(text) {
		h.t.Fatalf("wrote %d bytes of %d", n, len(text))
	}
}

func (h *host) read(node, fh uint64, off int64) string {
	h.t.Helper()
	b := make([]byte, 4096)
	r, status := h.Read(nil, &fuse.ReadIn{InHeader: h.header(node), Fh: fh, Offset: uint64(off), Size: uint32(len(b))}, b)
	h.want("read", status, 0)
	got, status := r.Bytes(b)
	h.want("read", status, 0)
	return string(got)
}

func (h *host) stat(node uint64) fuse.Attr {
	h.t.Helper()
	var a fuse.AttrOut
	h.want("getattr", h.GetAttr(nil, &fuse.GetAttrIn{InHeader: h.header(node)}, &a), 0)
	return a.Attr
}

func (h *host) setattr(node uint64, set func(in *fuse.SetAttrIn)) (fuse.Attr, fuse.Status) {
	var in fuse.SetAttrIn
	in.InHeader = h.header(node)
	set(&in)
	var a fuse.AttrOut
	status := h.SetAttr(nil, &in, &a)
	return a.Attr, status
}

func (h *host) chmod(node uint64, mode uint32) fuse.Status {
	_, status := h.setattr(node, func(in *fuse.SetAttrIn) { in.Valid, in.Mode = fuse.FATTR_MODE, mode })
	return status
}

func (h *host) unlink(dir uint64, name string) fuse.Status {
	in := h.header(dir)
	return h.Unlink(nil, &in, name)
}

func (h *host) rmdir(dir uint64, name string) fuse.Status {
	in := h.header(dir)
	return h.Rmdir(nil, &in, name)
}

func (h *host) rename(dir uint64, from string, newdir uint64, to string, flags uint32) fuse.Status {
	return h.Rename(nil, &fuse.RenameIn{InHeader: h.header(dir), Newdir: newdir, Flags: flags}, from, to)
}

// list reads a directory through buffers of size bytes.
func (h *host) list(dir uint64, size int) (names []string) {
	h.t.Helper()
	fh := h.opendir(dir)
	defer h.ReleaseDir(&fuse.ReleaseIn{InHeader: h.header(dir), Fh: fh})
	for off := uint64(0); ; {
		part, next := h.readdir(dir, fh, off, size)
		if len(part) == 0 {
			return names
		}
		names, off = append(names, part...), next
	}
}

func (h *host) opendir(dir uint64) uint64 {
	h.t.Helper()
	var o fuse.OpenOut
	h.want("opendir", h.OpenDir(nil, &fuse.OpenIn{InHeader: h.header(dir)}, &o), 0)
	return o.Fh
}

// readdir reads names from an offset on, and the offset to go on at.
func (h *host) readdir(dir, fh, off uint64, size int) (names []string, next uint64) {
	h.t.Helper()
	b := make([]byte, size)
	l := fuse.NewDirEntryList(b, off)
	h.want("readdir", h.ReadDir(nil, &fuse.ReadIn{InHeader: h.header(dir), Fh: fh, Offset: off}, l), 0)
	return direntNames(b), l.Offset
}

// direntNames finds the names in what READDIR answers: 24 bytes (number,
// offset, length of the name, type), the name, and bytes up to a multiple of 8.
func direntNames(b []byte) (names []string) {
	for len(b) >= 24 {
		n := int(b[16]) | int(b[17])<<8
		if n == 0 {
			break
		}
		names = append(names, string(b[24:24+n]))
		b = b[(24+n+7)&^7:]
	}
	return names
}

//go:build linux

package fusefs

import (
	"maps"
	"math"
	"slices"
	"sync"
	"syscall"

	"rumpvfs/kern"
	"rumpvfs/namei"
	"rumpvfs/vfs"
	"rumpvfs/vnode"

	"github.com/hanwen/go-fuse/v2/fuse"
)

// handle is a file or directory that is open.
type handle struct {
	vp    *vnode.Vnode // referenced
	flags int32        // FREAD, FWRITE
	cred  *kern.Cred   // of who opened it

	mu   sync.Mutex
	read bool            // mu: the directory was read
	ents []fuse.DirEntry // mu: what was in it
}

// close closes the file. An flock that it holds goes.
func (h *handle) close(l *kern.Lwp) error {
	fl := kern.Flock{Type: kern.F_UNLCK, Whence: kern.SEEK_SET}
	_ = vnode.VOP_ADVLOCK(l, h.vp, h, kern.F_UNLCK, &fl, kern.F_FLOCK)
	return vfs.Close(l, h.vp, h.flags, h.cred)
}

// handles are the open files, by the number that the host knows them by.
type handles struct {
	mu   sync.Mutex
	open map[uint64]*handle
	last uint64
}

func (t *handles) add(h *handle) uint64 {
	t.mu.Lock()
	defer t.mu.Unlock()
	t.last++
	t.open[t.last] = h
	return t.last
}

// get returns an open file, EBADF if there is none of that number.
func (t *handles) get(fh uint64) (*handle, error) {
	t.mu.Lock()
	defer t.mu.Unlock()
	h := t.open[fh]
	if h == nil {
		return nil, kern.EBADF
	}
	return h, nil
}

// take returns an open file, nil if there is none, and forgets it.
func (t *handles) take(fh uint64) *handle {
	t.mu.Lock()
	defer t.mu.Unlock()
	h := t.open[fh]
	delete(t.open, fh)
	return h
}

func (t *handles) takeAll() (all []*handle) {
	t.mu.Lock()
	defer t.mu.Unlock()
	for _, fh := range slices.Sorted(maps.Keys(t.open)) {
		all = append(all, t.open[fh])
	}
	clear(t.open)
	return all
}

func (t *handles) count() int {
	t.mu.Lock()
	defer t.mu.Unlock()
	return len(t.open)
}

const (
	hostExec     = 0x20 // in OpenIn.Flags: to be executed
	openKillPriv = 1    // in OpenIn.Mode, which now holds flags: FUSE_OPEN_KILL_SUIDGID
)

// openFlags converts the host's flags of an open to those of open files.
func openFlags(host uint32) (flags int32) {
	flags = kern.FFLAGS(int32(host & syscall.O_ACCMODE))
	if host&syscall.O_TRUNC != 0 {
		flags |= kern.O_TRUNC
	}
	if host&syscall.O_EXCL != 0 {
		flags |= kern.O_EXCL
	}
	if host&syscall.O_APPEND != 0 {
		flags |= kern.O_APPEND
	}
	return flags
}

// Open opens a file.
func (s *server) Open(_ <-chan struct{}, in *fuse.OpenIn, out *fuse.OpenOut) fuse.Status {
	return s.do("open", &in.InHeader, func(l *kern.Lwp) error {
		return s.open(l, in, out, vnode.VREG)
	})
}

// OpenDir opens a directory.
func (s *server) OpenDir(_ <-chan struct{}, in *fuse.OpenIn, out *fuse.OpenOut) fuse.Status {
	return s.do("opendir", &in.InHeader, func(l *kern.Lwp) error {
		return s.open(l, in, out, vnode.VDIR)
	})
}

// open opens a vnode of type t: devices, fifos and sockets are the host's own
// (ENXIO).
func (s *server) open(l *kern.Lwp, in *fuse.OpenIn, out *fuse.OpenOut, t vnode.Vtype) error {
	vp, err := s.nodes.get(in.NodeId)
	if err != nil {
		return err
	}
	if vp.Type() != t {
		return kern.ENXIO
	}
	flags := openFlags(in.Flags) &^ kern.O_EXCL
	_ = vp.Lock(l, vnode.LK_EXCLUSIVE|vnode.LK_RETRY)
	defer vnode.VOP_UNLOCK(l, vp)
	if in.Flags&hostExec != 0 {
		err = openExec(l, vp)
	} else {
		err = vfs.OpenVnode(l, vp, flags)
	}
	if err == nil && in.Mode&openKillPriv != 0 && flags&kern.O_TRUNC != 0 {
		err = killPriv(l, vp)
	}
	if err != nil {
		return err
	}
	vp.Ref(l)
	out.Fh = s.handles.add(&handle{vp: vp, flags: flags & kern.FMASK, cred: l.Cred})
	return nil
}

// openExec opens a program that is to be executed, for which it need not be
// readable.
func openExec(l *kern.Lwp, vp *vnode.Vnode) error {
	if err := vnode.VOP_ACCESS(l, vp, vnode.VEXEC, l.Cred); err != nil {
		return err
	}
	return vnode.VOP_OPEN(l, vp, kern.FREAD, l.Cred)
}

// Create opens a name, made first if it is not there. The host has taken the
// umask off.
func (s *server) Create(_ <-chan struct{}, in *fuse.CreateIn, name string, out *fuse.CreateOut) fuse.Status {
	return s.do("create", &in.InHeader, func(l *kern.Lwp) error {
		dvp, err := s.nodes.get(in.NodeId)
		if err != nil {
			return err
		}
		if name, err = namei.Copyin(name); err != nil {
			return err
		}
		flags := openFlags(in.Flags) | kern.O_CREAT | kern.O_NOFOLLOW
		nd := namei.Acquire(l)
		defer nd.Release(l)
		nd.Init(l, vnode.LOOKUP, 0, name)
		nd.At(dvp)
		vp, err := vfs.Open(l, nd, flags, in.Mode&kern.ALLPERMS&^kern.S_ISTXT)
		if err != nil {
			return err
		}
		_ = vnode.VOP_UNLOCK(l, vp)
		vp.Ref(l)
		h := &handle{vp: vp, flags: flags & kern.FMASK, cred: l.Cred}
		if err := s.tell(l, vp, &out.EntryOut); err != nil {
			_ = h.close(l)
			return err
		}
		out.Fh = s.handles.add(h)
		return nil
	})
}

// Release closes a file.
func (s *server) Release(_ <-chan struct{}, in *fuse.ReleaseIn) { s.release(in) }

// ReleaseDir closes a directory.
func (s *server) ReleaseDir(in *fuse.ReleaseIn) { s.release(in) }

func (s *server) release(in *fuse.ReleaseIn) {
	if h := s.handles.take(in.Fh); h != nil {
		s.doAs("close", h.cred, h.close)
	}
}

// Read reads an open file.
//
//netbsd:sys/kern/vfs_vnops.c vn_read
func (s *server) Read(_ <-chan struct{}, in *fuse.ReadIn, b []byte) (fuse.ReadResult, fuse.Status) {
	h, err := s.handles.get(in.Fh)
	if err != nil {
		return nil, s.status(err)
	}
	n := 0
	status := s.doAs("read", h.cred, func(l *kern.Lwp) error {
		var uio kern.Uio
		var iov [1][]byte
		uio.InitUio(&iov, b, int64(in.Offset), kern.UIO_READ)
		_ = h.vp.Lock(l, vnode.LK_SHARED|vnode.LK_RETRY)
		err := vnode.VOP_READ(l, h.vp, &uio, 0, h.cred)
		_ = vnode.VOP_UNLOCK(l, h.vp)
		n = len(b) - int(uio.Resid)
		return err
	})
	return fuse.ReadResultData(b[:n]), status
}

// Write writes an open file: at its end if it was opened to be appended to and
// the host does not write back pages that it has kept.
//
//netbsd:sys/kern/vfs_vnops.c vn_write
func (s *server) Write(_ <-chan struct{}, in *fuse.WriteIn, b []byte) (written uint32, status fuse.Status) {
	h, err := s.handles.get(in.Fh)
	if err != nil {
		return 0, s.status(err)
	}
	if in.Offset+uint64(len(b)) > math.MaxInt64 {
		return 0, s.status(kern.EFBIG)
	}
	ioflag := vnode.IO_UNIT
	if in.Flags&syscall.O_APPEND != 0 && in.WriteFlags&fuse.WRITE_CACHE == 0 {
		ioflag |= vnode.IO_APPEND
	}
	status = s.doAs("write", h.cred, func(l *kern.Lwp) error {
		var uio kern.Uio
		var iov [1][]byte
		uio.InitUio(&iov, b, int64(in.Offset), kern.UIO_WRITE)
		_ = h.vp.Lock(l, vnode.LK_EXCLUSIVE|vnode.LK_RETRY)
		defer vnode.VOP_UNLOCK(l, h.vp)
		err := vnode.VOP_WRITE(l, h.vp, &uio, ioflag, h.cred)
		written = uint32(len(b) - int(uio.Resid))
		if err == nil && in.WriteFlags&fuse.WRITE_KILL_SUIDGID != 0 {
			err = killPriv(l, h.vp)
		}
		return err
	})
	return written, status
}

// Fsync writes out what a file has.
func (s *server) Fsync(_ <-chan struct{}, in *fuse.FsyncIn) fuse.Status {
	return s.do("fsync", &in.InHeader, func(l *kern.Lwp) error {
		h, err := s.handles.get(in.Fh)
		if err != nil {
			return err
		}
		_ = h.vp.Lock(l, vnode.LK_EXCLUSIVE|vnode.LK_RETRY)
		defer vnode.VOP_UNLOCK(l, h.vp)
		return vnode.VOP_FSYNC(l, h.vp, h.cred, vnode.FSYNC_WAIT, 0, 0)
	})
}

// FsyncDir writes out what a directory has.
func (s *server) FsyncDir(cancel <-chan struct{}, in *fuse.FsyncIn) fuse.Status {
	return s.Fsync(cancel, in)
}

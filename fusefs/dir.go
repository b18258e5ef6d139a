//go:build linux

package fusefs

import (
	"rumpvfs/kern"
	"rumpvfs/vnode"

	"github.com/hanwen/go-fuse/v2/fuse"
)

// ReadDir tells names of a directory from an offset on, as many as fit.
func (s *server) ReadDir(_ <-chan struct{}, in *fuse.ReadIn, out *fuse.DirEntryList) fuse.Status {
	return s.readdir(in, func(_ *kern.Lwp, e fuse.DirEntry) bool { return out.AddDirEntry(e) })
}

// ReadDirPlus tells names with their attributes. Where the name is gone
// meanwhile, or may not be looked up, it tells the name alone.
func (s *server) ReadDirPlus(_ <-chan struct{}, in *fuse.ReadIn, out *fuse.DirEntryList) fuse.Status {
	return s.readdir(in, func(l *kern.Lwp, e fuse.DirEntry) bool {
		entry := out.AddDirLookupEntry(e)
		if entry == nil {
			return false
		}
		if e.Name == "." || e.Name == ".." {
			return true
		}
		vp, err := s.find(l, in.NodeId, e.Name)
		if err == nil {
			err = s.tell(l, vp, entry)
		}
		if err != nil {
			*entry = fuse.EntryOut{}
		}
		return true
	})
}

// readdir hands the entries from in.Offset on to add, until that has no room.
// The directory is read as a whole when it is read from its beginning, and the
// offset counts its entries. So a program that removes what it has read misses
// nothing, which the offsets of a file system do not promise: tmpfs answers
// EINVAL for one whose entry is gone, those of rumpfs move.
func (s *server) readdir(in *fuse.ReadIn, add func(*kern.Lwp, fuse.DirEntry) bool) fuse.Status {
	return s.do("getdents", &in.InHeader, func(l *kern.Lwp) error {
		h, err := s.handles.get(in.Fh)
		if err != nil {
			return err
		}
		h.mu.Lock()
		defer h.mu.Unlock()
		if in.Offset == 0 || !h.read {
			if h.ents, err = s.entries(l, h); err != nil {
				return err
			}
			h.read = true
		}
		for i := in.Offset; i < uint64(len(h.ents)); i++ {
			e := h.ents[i]
			e.Off = i + 1
			if !add(l, e) {
				break
			}
		}
		return nil
	})
}

// dirChunk is how large a directory is taken to be at first, in bytes.
const dirChunk = 4096

// entries reads a whole directory in one go, into a buffer that grows until it
// has room for it.
func (s *server) entries(l *kern.Lwp, h *handle) ([]fuse.DirEntry, error) {
	_ = h.vp.Lock(l, vnode.LK_SHARED|vnode.LK_RETRY)
	defer vnode.VOP_UNLOCK(l, h.vp)
	for size := dirChunk; ; size *= 2 {
		b := make([]byte, size)
		var uio kern.Uio
		var iov [1][]byte
		uio.InitUio(&iov, b, 0, kern.UIO_READ)
		eof, err := vnode.VOP_READDIR(l, h.vp, &uio, h.cred, nil)
		if err != nil {
			return nil, err
		}
		if b = b[:size-int(uio.Resid)]; eof || len(b) == 0 {
			return s.decode(b, h.vp.Mount())
		}
	}
}

// decode converts the entries of a directory of mp. Whiteouts are no names to
// the host.
func (s *server) decode(b []byte, mp *vnode.Mount) (ents []fuse.DirEntry, err error) {
	for len(b) > 0 {
		var d kern.Dirent
		if d, b, err = kern.DecodeDirent(b); err != nil {
			return nil, err
		}
		if d.Type != kern.DT_WHT {
			ents = append(ents, fuse.DirEntry{Name: d.Name, Mode: kern.DTTOIF(d.Type), Ino: s.ino(mp, d.Fileno)})
		}
	}
	return ents, nil
}

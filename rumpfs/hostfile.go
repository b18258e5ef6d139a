package rumpfs

import (
	"errors"

	"rumpvfs/hypercall"
	"rumpvfs/kern"
	"rumpvfs/vnode"
)

// hostFile is what a node has besides if it stands for a file of the host: a mapping, or something below a mapped directory. The
// letters give what guards a field:
//
//	:  stable
//	v  the vnode lock, exclusively to change it
type hostFile struct {
	window         // :  of a regular file
	path    string // :  on the host
	phones  bool   // :  RUMPNODE_ET_PHONE_HOST: reading and writing is done on the host
	names   bool   // :  RUMPNODE_DIR_ET: the names in it are the host's
	subdirs bool   // :  RUMPNODE_DIR_ETSUBS: those of directories too

	readfd, writefd int // v: host descriptors of a regular file, -1 if not open
}

// phonesHost reports whether the data of a node are the host's. Only a regular file ever gets as far as its data.
func (rn *node) phonesHost() bool { return rn.host != nil && rn.host.phones }

// isUnion reports whether the reference has descriptors where it looks for the data of a node.
func (rn *node) isUnion() bool {
	return rn.host != nil && !rn.host.phones && rn.va.Type == vnode.VREG && rn.fs.quirk(kern.QuirkEtfsDirData)
}

// hostError is the kernel's number for an error of the host.
func hostError(err error) error {
	var e hypercall.HostErrno
	switch {
	case err == nil:
		return nil
	case errors.As(err, &e):
		return kern.Errno(e)
	}
	return kern.EIO
}

// hypercalled tells who watches of a call to the host, and returns the kernel's number for its error.
func hypercalled(l *kern.Lwp, name, path string, err error) error {
	err = hostError(err)
	l.Emit(kern.EvHypercall, name, path, err)
	return err
}

func (fs *FS) hostFileInfo(l *kern.Lwp, path string) (size int64, ft hypercall.FileType, err error) {
	l.Point()
	size, ft, err = fs.k.Sys.Host().FileInfo(path)
	return size, ft, hypercalled(l, "rumpuser_getfileinfo", path, err)
}

// hostOpen opens the host's file into *fd, unless that is open already.
func (rn *node) hostOpen(l *kern.Lwp, mode hypercall.OpenMode, fd *int) error {
	if *fd != -1 {
		return nil
	}
	l.Point()
	n, err := rn.fs.k.Sys.Host().Open(rn.host.path, mode)
	if err = hypercalled(l, "rumpuser_open", rn.host.path, err); err == nil {
		*fd = n
	}
	return err
}

// hostClose closes *fd if it is open. What the host says about it is lost, as in the reference.
func (rn *node) hostClose(l *kern.Lwp, fd *int) {
	if *fd == -1 {
		return
	}
	err := rn.fs.k.Sys.Host().Close(*fd)
	_ = hypercalled(l, "rumpuser_close", rn.host.path, err)
	*fd = -1
}

// openMapped opens the host's file for what mode asks.
//
// Preconditions: the vnode is locked exclusively.
func (rn *node) openMapped(l *kern.Lwp, mode int) error {
	h := rn.host
	err := error(kern.EINVAL)
	for _, half := range [...]struct {
		flag int
		mode hypercall.OpenMode
		fd   *int
	}{{kern.FREAD, hypercall.OpenRDONLY, &h.readfd}, {kern.FWRITE, hypercall.OpenWRONLY, &h.writefd}} {
		if mode&half.flag == 0 {
			continue
		}
		known := *half.fd != -1
		err = rn.hostOpen(l, half.mode, half.fd)
		if rn.fs.quirk(kern.QuirkEtfsOpen) {
			if known {
				return nil
			}
		} else if err != nil {
			return err
		}
	}
	return err
}

// room is how many of the n bytes at an offset the window of a mapped file lets through.
func (rn *node) room(off, n int64) int64 {
	if !rn.host.bounded || rn.fs.quirk(kern.QuirkEtfsWindow) {
		return n
	}
	return min(n, max(0, int64(rn.host.size)-off))
}

// buffer returns memory for n bytes that are to go to or to come from uio: its own if that is in one piece. If there is less
// than n it is one byte more than there is, so that moving it all fails.
func buffer(uio *kern.Uio, n int64) []byte {
	if len(uio.Iov) > 0 && int64(len(uio.Iov[0])) >= n {
		return uio.Iov[0][:n]
	}
	mapped := int64(1)
	for _, iov := range uio.Iov {
		mapped += int64(len(iov))
	}
	return make([]byte, min(n, mapped))
}

// etread reads the host's file.
//
// Preconditions: the vnode is locked, shared or exclusively.
//
//netbsd:sys/rump/librump/rumpvfs/rumpfs.c etread
func (rn *node) etread(l *kern.Lwp, uio *kern.Uio) error {
	n := rn.room(uio.Offset, uio.Resid)
	if n == 0 {
		return nil
	}
	buf := buffer(uio, n)
	l.Point()
	got, err := rn.fs.k.Sys.Host().ReadAt(rn.host.readfd, buf, uio.Offset+int64(rn.host.begin))
	if err := hypercalled(l, "rumpuser_iovread", rn.host.path, err); err != nil {
		return err
	}
	kern.KASSERT(got <= len(buf), "n <= bufsize")
	return uio.Move(buf[:got])
}

// etwrite writes to the host's file. What the host does not take is left in uio, whose offset counts it all the same.
//
// Preconditions: the vnode is locked exclusively.
//
//netbsd:sys/rump/librump/rumpvfs/rumpfs.c etwrite
func (rn *node) etwrite(l *kern.Lwp, uio *kern.Uio) error {
	if uio.Resid == 0 {
		return nil
	}
	off, n := uio.Offset, rn.room(uio.Offset, uio.Resid)
	if n == 0 {
		return kern.ENOSPC
	}
	left := uio.Resid - n
	buf := buffer(uio, n)
	if err := uio.Move(buf); err != nil {
		return err
	}
	kern.KASSERT(uio.Resid == left, "uio->uio_resid == 0")
	l.Point()
	put, err := rn.fs.k.Sys.Host().WriteAt(rn.host.writefd, buf, off+int64(rn.host.begin))
	if err := hypercalled(l, "rumpuser_iovwrite", rn.host.path, err); err != nil {
		return err
	}
	kern.KASSERT(put <= len(buf), "n <= bufsize")
	uio.Resid = left + n - int64(put)
	return nil
}

// fileSize is the size of a file. That of a mapped one without a window is, but for QuirkEtfsSize, what the host says.
//
// Preconditions: the vnode is locked, shared or exclusively.
func (rn *node) fileSize(l *kern.Lwp, vp *vnode.Vnode) int64 {
	if !rn.phonesHost() || rn.host.bounded || rn.fs.quirk(kern.QuirkEtfsSize) {
		return vp.Size
	}
	fsize, _, err := rn.fs.hostFileInfo(l, rn.host.path)
	if err != nil {
		return vp.Size
	}
	return max(0, fsize-int64(rn.host.begin))
}

// truncateMapped sets the size of a mapped regular file, without QuirkEtfsSize. EINVAL if it has a window.
func (rn *node) truncateMapped(l *kern.Lwp, vp *vnode.Vnode, size uint64) error {
	h := rn.host
	if rn.fs.quirk(kern.QuirkEtfsSize) || size == uint64(rn.fileSize(l, vp)) {
		return nil
	}
	if h.bounded || size > maxDataLen-h.begin {
		return kern.EINVAL
	}
	l.Point()
	err := rn.fs.k.Sys.Host().Truncate(h.path, int64(h.begin+size))
	return hypercalled(l, "truncate", h.path, err)
}

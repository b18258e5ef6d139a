package hypercall

import (
	"errors"
	"fmt"
	"io"
	"io/fs"
	"math/rand/v2"
	"os"
	"path"
	"path/filepath"
	"strings"
	"sync"
	"syscall"
)

// RealHost is the operating system's files: those below one directory, which nothing leads out of, or all of them. Permissions are those
// of the process. On systems without fifos Mkfifo answers EOPNOTSUPP.
//
// Fields are guarded by: (m) mu; (c) constant.
type RealHost struct {
	dir string // (c) "" for the whole system

	mu   sync.Mutex
	tree hostTree   // (m) nil until first used
	fds  []*os.File // (m) by descriptor, nil if not open
}

// NewRealHost returns the files below the directory root, which is opened at first use; symbolic links that lead out of it are
// refused, absolute ones too. An empty root stands for the whole system.
func NewRealHost(root string) *RealHost { return &RealHost{dir: root} }

// hostTree is what os.Root and package os have in common.
type hostTree interface {
	OpenFile(name string, flag int, perm os.FileMode) (*os.File, error)
	Stat(name string) (os.FileInfo, error)
	Lstat(name string) (os.FileInfo, error)
	Mkdir(name string, perm os.FileMode) error
	Symlink(target, name string) error
	Remove(name string) error
	RemoveAll(name string) error
}

// wholeOS is the hostTree of the whole system.
type wholeOS struct{}

func (wholeOS) OpenFile(name string, flag int, perm os.FileMode) (*os.File, error) {
	return os.OpenFile(name, flag, perm)
}
func (wholeOS) Stat(name string) (os.FileInfo, error)     { return os.Stat(name) }
func (wholeOS) Lstat(name string) (os.FileInfo, error)    { return os.Lstat(name) }
func (wholeOS) Mkdir(name string, perm os.FileMode) error { return os.Mkdir(name, perm) }
func (wholeOS) Symlink(target, name string) error         { return os.Symlink(target, name) }
func (wholeOS) Remove(name string) error                  { return os.Remove(name) }
func (wholeOS) RemoveAll(name string) error               { return os.RemoveAll(name) }

// at returns the tree, and name as the tree knows it.
func (h *RealHost) at(name string) (hostTree, string, error) {
	if strings.IndexByte(name, 0) >= 0 {
		return nil, "", eINVAL
	}
	if name == "" {
		return nil, "", eNOENT
	}
	h.mu.Lock()
	defer h.mu.Unlock()
	if h.tree == nil {
		if h.dir == "" {
			h.tree = wholeOS{}
		} else {
			root, err := os.OpenRoot(h.dir)
			if err != nil {
				return nil, "", translate(err)
			}
			h.tree = root
		}
	}
	if h.dir != "" {
		if name = strings.TrimLeft(name, "/"); name == "" {
			name = "."
		}
	}
	return h.tree, name, nil
}

// CloseAll closes what the host still has open; it stays usable.
func (h *RealHost) CloseAll() {
	h.mu.Lock()
	defer h.mu.Unlock()
	for _, f := range h.fds {
		if f != nil {
			f.Close()
		}
	}
	if r, ok := h.tree.(*os.Root); ok {
		r.Close()
	}
	h.tree, h.fds = nil, nil
}

// FileInfo implements Host. A device's size is where its end is; one that does not tell answers EOPNOTSUPP.
//
//netbsd:lib/librumpuser/rumpuser_file.c rumpuser_getfileinfo
func (h *RealHost) FileInfo(name string) (size int64, ft FileType, err error) {
	tree, name, err := h.at(name)
	if err != nil {
		return 0, 0, err
	}
	fi, err := tree.Stat(name)
	if err != nil {
		return 0, 0, translate(err)
	}
	ft = fileType(fi.Mode())
	if ft != FileBlk && ft != FileChr {
		return fi.Size(), ft, nil
	}
	f, err := tree.OpenFile(name, os.O_RDONLY, 0)
	if err != nil {
		return 0, 0, translate(err)
	}
	defer f.Close()
	if size, err = f.Seek(0, io.SeekEnd); err != nil || size == 0 {
		return 0, 0, eOPNOTSUPP
	}
	return size, ft, nil
}

func fileType(m fs.FileMode) FileType {
	switch {
	case m.IsDir():
		return FileDir
	case m.IsRegular():
		return FileReg
	case m&fs.ModeCharDevice != 0:
		return FileChr
	case m&fs.ModeDevice != 0:
		return FileBlk
	}
	return FileOther
}

// Open implements Host.
//
//netbsd:lib/librumpuser/rumpuser_file.c rumpuser_open
func (h *RealHost) Open(name string, mode OpenMode) (int, error) {
	flag := [...]int{os.O_RDONLY, os.O_WRONLY, os.O_RDWR, -1}[mode&OpenACCMODE]
	if flag < 0 {
		return -1, eINVAL
	}
	if mode&OpenCREATE != 0 {
		flag |= os.O_CREATE
	}
	if mode&OpenEXCL != 0 {
		flag |= os.O_EXCL
	}
	f, err := h.openFile(name, flag)
	if err != nil {
		return -1, err
	}
	h.mu.Lock()
	defer h.mu.Unlock()
	for fd, old := range h.fds {
		if old == nil {
			h.fds[fd] = f
			return fd, nil
		}
	}
	h.fds = append(h.fds, f)
	return len(h.fds) - 1, nil
}

// openFile opens what is no fifo and no socket: those might block.
func (h *RealHost) openFile(name string, flag int) (*os.File, error) {
	tree, name, err := h.at(name)
	if err != nil {
		return nil, err
	}
	if fi, err := tree.Stat(name); err == nil && fileType(fi.Mode()) == FileOther {
		return nil, eNXIO
	}
	f, err := tree.OpenFile(name, flag, 0o644)
	return f, translate(err)
}

func (h *RealHost) file(fd int) (*os.File, error) {
	h.mu.Lock()
	defer h.mu.Unlock()
	if fd < 0 || fd >= len(h.fds) || h.fds[fd] == nil {
		return nil, eBADF
	}
	return h.fds[fd], nil
}

// Close implements Host. A failure to flush is not reported.
//
//netbsd:lib/librumpuser/rumpuser_file.c rumpuser_close
func (h *RealHost) Close(fd int) error {
	f, err := h.file(fd)
	if err != nil {
		return err
	}
	h.mu.Lock()
	h.fds[fd] = nil
	h.mu.Unlock()
	f.Sync()
	f.Close()
	return nil
}

// OpenFDs implements Host.
func (h *RealHost) OpenFDs() int {
	h.mu.Lock()
	defer h.mu.Unlock()
	n := 0
	for _, f := range h.fds {
		if f != nil {
			n++
		}
	}
	return n
}

// ReadAt implements Host.
//
//netbsd:lib/librumpuser/rumpuser_file.c rumpuser_iovread
func (h *RealHost) ReadAt(fd int, b []byte, off int64) (int, error) {
	f, err := h.file(fd)
	if err != nil {
		return 0, err
	}
	n, err := f.ReadAt(b, off)
	if err == io.EOF {
		err = nil
	}
	return n, translate(err)
}

// WriteAt implements Host.
//
//netbsd:lib/librumpuser/rumpuser_file.c rumpuser_iovwrite
func (h *RealHost) WriteAt(fd int, b []byte, off int64) (int, error) {
	f, err := h.file(fd)
	if err != nil {
		return 0, err
	}
	n, err := f.WriteAt(b, off)
	return n, translate(err)
}

// Sync implements Host.
//
//netbsd:lib/librumpuser/rumpuser_file.c rumpuser_syncfd
func (h *RealHost) Sync(fd int, flags SyncFlags, off, n int64) error {
	f, err := h.file(fd)
	if err != nil {
		return err
	}
	if flags&(SyncREAD|SyncWRITE) == 0 {
		return eINVAL
	}
	if flags&SyncWRITE == 0 {
		return nil
	}
	return translate(f.Sync())
}

// TempDir implements Host: below the root, or where the system keeps temporary files.
func (h *RealHost) TempDir() (string, error) {
	if h.dir == "" {
		name, err := os.MkdirTemp("", "rumpvfs-")
		return name, translate(err)
	}
	for {
		name := fmt.Sprintf("/rumpvfs-%016x", rand.Uint64())
		if err := h.Mkdir(name); err != eEXIST {
			return name, err
		}
	}
}

// RemoveAll implements Host.
func (h *RealHost) RemoveAll(name string) error {
	tree, name, err := h.at(name)
	if err != nil {
		return err
	}
	return translate(tree.RemoveAll(name))
}

// Mkdir implements Host.
func (h *RealHost) Mkdir(name string) error {
	tree, name, err := h.at(name)
	if err != nil {
		return err
	}
	return translate(tree.Mkdir(name, 0o755))
}

// WriteFile implements Host.
func (h *RealHost) WriteFile(name string, data []byte) (int, error) {
	f, err := h.openFile(name, os.O_WRONLY|os.O_CREATE|os.O_TRUNC)
	if err != nil {
		return 0, err
	}
	defer f.Close()
	n, err := f.Write(data)
	return n, translate(err)
}

// ReadFile implements Host.
func (h *RealHost) ReadFile(name string) ([]byte, error) {
	f, err := h.openFile(name, os.O_RDONLY)
	if err != nil {
		return nil, err
	}
	defer f.Close()
	b, err := io.ReadAll(f)
	if err != nil {
		return nil, translate(err)
	}
	return b, nil
}

// Copy implements Host.
func (h *RealHost) Copy(from, to string) (int64, error) {
	src, err := h.openFile(from, os.O_RDONLY)
	if err != nil {
		return 0, err
	}
	defer src.Close()
	a, err := src.Stat()
	if err != nil {
		return 0, translate(err)
	}
	if a.IsDir() {
		return 0, eISDIR
	}
	dst, err := h.openFile(to, os.O_WRONLY|os.O_CREATE)
	if err != nil {
		return 0, err
	}
	defer dst.Close()
	if b, err := dst.Stat(); err == nil && os.SameFile(a, b) {
		return a.Size(), nil
	}
	if err := dst.Truncate(0); err != nil {
		return 0, translate(err)
	}
	n, err := io.Copy(dst, src)
	return n, translate(err)
}

// Truncate implements Host.
func (h *RealHost) Truncate(name string, size int64) error {
	if size < 0 {
		return eINVAL
	}
	f, err := h.openFile(name, os.O_WRONLY)
	if err != nil {
		return err
	}
	defer f.Close()
	return translate(f.Truncate(size))
}

// Symlink implements Host. Below a root an absolute target is stored as the relative path that leads there, provided that the
// path of the link itself passes no symbolic link.
func (h *RealHost) Symlink(target, name string) error {
	if target == "" {
		return eNOENT
	}
	tree, inner, err := h.at(name)
	if err != nil {
		return err
	}
	if h.dir != "" && strings.HasPrefix(target, "/") {
		rel, err := filepath.Rel(filepath.FromSlash(path.Dir(path.Clean("/"+name))), filepath.FromSlash(path.Clean(target)))
		if err != nil {
			return translate(err)
		}
		target = filepath.ToSlash(rel)
	}
	return translate(tree.Symlink(target, inner))
}

// Mkfifo implements Host. Below a root the parent directory is checked not to lead out of it.
func (h *RealHost) Mkfifo(name string) error {
	tree, inner, err := h.at(name)
	if err != nil {
		return err
	}
	if root, ok := tree.(*os.Root); ok {
		if _, err := tree.Stat(path.Dir(inner)); err != nil {
			return translate(err)
		}
		inner = filepath.Join(root.Name(), filepath.FromSlash(inner))
	}
	return translate(mkfifo(inner))
}

// Remove implements Host.
func (h *RealHost) Remove(name string) error {
	tree, name, err := h.at(name)
	if err != nil {
		return err
	}
	fi, err := tree.Lstat(name)
	if err != nil {
		return translate(err)
	}
	if fi.IsDir() {
		return ePERM
	}
	return translate(tree.Remove(name))
}

// translate makes a HostErrno of an error of package os, nil of nil.
//
//netbsd:lib/librumpuser/rumpuser_errtrans.c rumpuser__errtrans
func translate(err error) error {
	if err == nil {
		return nil
	}
	var he HostErrno
	if errors.As(err, &he) {
		return he
	}
	var en syscall.Errno
	if errors.As(err, &en) {
		for _, x := range hostErrnos {
			if x.host == en {
				return x.errno
			}
		}
	}
	for _, x := range ioErrnos {
		if errors.Is(err, x.err) {
			return x.errno
		}
	}
	return eINVAL // as the reference answers for a number it does not know
}

// ioErrnos is for errors that are no errno of POSIX, such as those of Windows.
var ioErrnos = [...]struct {
	err   error
	errno HostErrno
}{
	{fs.ErrNotExist, eNOENT}, {fs.ErrExist, eEXIST}, {fs.ErrPermission, eACCES}, {fs.ErrClosed, eBADF},
	{errors.ErrUnsupported, eOPNOTSUPP},
}

// hostErrnos holds the errors that file operations return.
var hostErrnos = [...]struct {
	host  syscall.Errno
	errno HostErrno
}{
	{syscall.EPERM, ePERM}, {syscall.ENOENT, eNOENT}, {syscall.EINTR, 4}, {syscall.EIO, eIO}, {syscall.ENXIO, eNXIO},
	{syscall.E2BIG, 7}, {syscall.EBADF, eBADF}, {syscall.ENOMEM, 12}, {syscall.EACCES, eACCES}, {syscall.EFAULT, 14},
	{syscall.EBUSY, 16}, {syscall.EEXIST, eEXIST}, {syscall.EXDEV, 18}, {syscall.ENODEV, 19}, {syscall.ENOTDIR, eNOTDIR},
	{syscall.EISDIR, eISDIR}, {syscall.EINVAL, eINVAL}, {syscall.ENFILE, 23}, {syscall.EMFILE, 24}, {syscall.ENOTTY, 25},
	{textBusy, 26}, {syscall.EFBIG, eFBIG}, {syscall.ENOSPC, 28}, {syscall.ESPIPE, 29}, {syscall.EROFS, 30},
	{syscall.EMLINK, 31}, {syscall.EPIPE, 32}, {syscall.ERANGE, 34}, {syscall.EAGAIN, 35}, {syscall.EOPNOTSUPP, eOPNOTSUPP},
	{syscall.ETIMEDOUT, 60}, {syscall.ELOOP, eLOOP}, {syscall.ENAMETOOLONG, eNAMETOOLONG}, {syscall.ENOTEMPTY, eNOTEMPTY},
	{syscall.EDQUOT, 69}, {syscall.ESTALE, 70}, {syscall.ENOLCK, 77}, {syscall.ENOSYS, eNOSYS}, {syscall.EOVERFLOW, 84},
	{syscall.EILSEQ, 85}, {syscall.ENOTSUP, 86},
}

var _ Host = (*RealHost)(nil)

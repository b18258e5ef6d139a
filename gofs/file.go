package gofs

import (
	"io"
	"io/fs"
	"sync"
	"sync/atomic"

	"rumpvfs/kern"
)

// A File is an open file. Its methods may be called by several goroutines; they share one offset, as the kernel has it.
// Close gives the descriptor back when the last call in progress is over.
type File struct {
	os   *OS
	path string // as it was opened
	fd   int

	users atomic.Int64 // calls in progress; closing after Close, and closed when the descriptor is given back

	dir sync.Mutex // guards what follows
	buf []byte     // of a directory: what has been read and not been given out
	mem []byte     // what buf is part of
}

const (
	closing = 1 << 62
	closed  = 1 << 61
)

// begin begins a call. It fails once Close has been called.
func (f *File) begin(op string) error {
	if f.users.Add(1)&closing == 0 {
		return nil
	}
	f.users.Add(-1)
	return pathError(op, f.path, fs.ErrClosed)
}

func (f *File) end() { _ = f.closeIfLast() }

// closeIfLast ends a call; the last one after Close gives the descriptor back.
func (f *File) closeIfLast() error {
	if f.users.Add(-1) == closing && f.users.CompareAndSwap(closing, closing|closed) {
		return f.os.p.Close(f.fd)
	}
	return nil
}

// Close closes the file. A second time is fs.ErrClosed.
func (f *File) Close() error {
	if err := f.begin("close"); err != nil {
		return err
	}
	if f.users.Or(closing)&closing != 0 {
		f.end()
		return pathError("close", f.path, fs.ErrClosed)
	}
	return pathError("close", f.path, f.closeIfLast())
}

// Name is the path by which the file was opened.
func (f *File) Name() string { return f.path }

// Fd is the file's descriptor in the process.
func (f *File) Fd() int { return f.fd }

// Stat describes the file.
func (f *File) Stat() (fs.FileInfo, error) {
	if err := f.begin("stat"); err != nil {
		return nil, err
	}
	defer f.end()
	return info("stat", f.path)(f.os.p.Fstat(f.fd))
}

// eof is what a transfer of n of len(b) bytes ended with.
func (f *File) eof(op string, n int, b []byte, err error) error {
	if err == nil && n == 0 && len(b) > 0 {
		return io.EOF
	}
	return pathError(op, f.path, err)
}

// Read reads at the file's offset. At the end it is io.EOF.
func (f *File) Read(b []byte) (int, error) {
	if err := f.begin("read"); err != nil {
		return 0, err
	}
	defer f.end()
	n, err := f.os.p.Read(f.fd, b)
	return n, f.eof("read", n, b, err)
}

// ReadAt fills b from offset off on. What is less ends with the error that says why, io.EOF at the end of the file.
func (f *File) ReadAt(b []byte, off int64) (n int, err error) {
	if err := f.begin("read"); err != nil {
		return 0, err
	}
	defer f.end()
	if off < 0 {
		return 0, pathError("read", f.path, kern.EINVAL)
	}
	for n < len(b) {
		m, err := f.os.p.Pread(f.fd, b[n:], off+int64(n))
		n += m
		if err := f.eof("read", m, b[n-m:], err); err != nil {
			return n, err
		}
	}
	return n, nil
}

// Write writes all of b at the file's offset, or at the end if it was opened with os.O_APPEND.
func (f *File) Write(b []byte) (int, error) {
	return f.write(b, func(b []byte, _ int64) (int, error) { return f.os.p.Write(f.fd, b) })
}

// WriteString is Write of a string.
func (f *File) WriteString(s string) (int, error) { return f.Write([]byte(s)) }

// WriteAt writes all of b at offset off.
func (f *File) WriteAt(b []byte, off int64) (int, error) {
	if off < 0 {
		return 0, pathError("write", f.path, kern.EINVAL)
	}
	return f.write(b, func(b []byte, done int64) (int, error) { return f.os.p.Pwrite(f.fd, b, off+done) })
}

// write calls put with what is left until nothing is.
func (f *File) write(b []byte, put func(b []byte, done int64) (int, error)) (n int, err error) {
	if err := f.begin("write"); err != nil {
		return 0, err
	}
	defer f.end()
	for {
		m, err := put(b[n:], int64(n))
		n += m
		if err == nil && m == 0 && n < len(b) {
			err = io.ErrShortWrite
		}
		if err != nil || n == len(b) {
			return n, pathError("write", f.path, err)
		}
	}
}

// Seek moves the offset. Of a directory, only the begin is a place to go to.
func (f *File) Seek(offset int64, whence int) (int64, error) {
	if err := f.begin("seek"); err != nil {
		return 0, err
	}
	defer f.end()
	f.dir.Lock()
	f.buf = nil
	f.dir.Unlock()
	off, err := f.os.p.Lseek(f.fd, offset, whence)
	return off, pathError("seek", f.path, err)
}

// do is a call that answers with nothing but an error.
func (f *File) do(op string, call func(fd int) error) error {
	if err := f.begin(op); err != nil {
		return err
	}
	defer f.end()
	return pathError(op, f.path, call(f.fd))
}

// Truncate makes the file size bytes long. The offset stays.
func (f *File) Truncate(size int64) error {
	return f.do("truncate", func(fd int) error { return f.os.p.Ftruncate(fd, size) })
}

// Sync writes out what the kernel holds of the file.
func (f *File) Sync() error { return f.do("sync", f.os.p.Fsync) }

// Chmod is [OS.Chmod] of the file.
func (f *File) Chmod(mode fs.FileMode) error {
	return f.do("chmod", func(fd int) error { return f.os.p.Fchmod(fd, modeBits(mode)) })
}

// Chown is [OS.Chown] of the file.
func (f *File) Chown(uid, gid int) error {
	return f.do("chown", func(fd int) error { return f.os.p.Fchown(fd, uint32(uid), uint32(gid)) })
}

// Chdir makes the directory the working directory of the process.
func (f *File) Chdir() error { return f.do("chdir", f.os.p.Fchdir) }

// all reads what is left of the file.
func (f *File) all() ([]byte, error) {
	st, err := f.Stat()
	if err != nil {
		return nil, err
	}
	b := make([]byte, 0, max(st.Size(), 0)+1)
	for {
		n, err := f.Read(b[len(b):cap(b)])
		b = b[:len(b)+n]
		switch {
		case err == io.EOF:
			return b, nil
		case err != nil:
			return b, err
		case len(b) == cap(b):
			b = append(b, 0)[:len(b)]
		}
	}
}

package gofs

import (
	"io/fs"
	"os"
	"time"

	"rumpvfs/kern"
	"rumpvfs/sim"
)

// OS is the file system as a process sees it, in the manner of package os. Relative paths begin in the process's working
// directory, absolute ones in its root.
type OS struct{ p *sim.Proc }

// New makes the view of p, with p's identity, working directory, root and umask, also when they change. Files that are
// opened take p's descriptors, of which there are kern.NOFILE.
func New(p *sim.Proc) *OS { return &OS{p} }

// Proc is the process whose view it is.
func (o *OS) Proc() *sim.Proc { return o.p }

func pathError(op, path string, err error) error {
	if err == nil {
		return nil
	}
	return &fs.PathError{Op: op, Path: path, Err: err}
}

func linkError(op, from, to string, err error) error {
	if err == nil {
		return nil
	}
	return &os.LinkError{Op: op, Old: from, New: to, Err: err}
}

// openFlags turns flags of package os, which differ between hosts, into the kernel's.
func openFlags(flag int) int {
	k := kern.O_CLOEXEC
	switch {
	case flag&os.O_RDWR != 0:
		k |= kern.O_RDWR
	case flag&os.O_WRONLY != 0:
		k |= kern.O_WRONLY
	}
	for _, f := range [...]struct{ os, kernel int }{
		{os.O_APPEND, kern.O_APPEND}, {os.O_CREATE, kern.O_CREAT}, {os.O_EXCL, kern.O_EXCL}, {os.O_SYNC, kern.O_SYNC},
		{os.O_TRUNC, kern.O_TRUNC},
	} {
		if flag&f.os != 0 {
			k |= f.kernel
		}
	}
	return k
}

// Open opens a file for reading.
func (o *OS) Open(path string) (*File, error) { return o.OpenFile(path, os.O_RDONLY, 0) }

// Create opens a file for reading and writing, empties it, and makes it first if there is none.
func (o *OS) Create(path string) (*File, error) {
	return o.OpenFile(path, os.O_RDWR|os.O_CREATE|os.O_TRUNC, 0o666)
}

// OpenFile opens a file. flag is made of the O_ constants of package os; perm holds for a file that is made.
func (o *OS) OpenFile(path string, flag int, perm fs.FileMode) (*File, error) {
	fd, err := o.p.Open(path, openFlags(flag), modeBits(perm))
	if err != nil {
		return nil, pathError("open", path, err)
	}
	return &File{os: o, path: path, fd: fd}, nil
}

// Stat describes what path leads to.
func (o *OS) Stat(path string) (fs.FileInfo, error) { return info("stat", path)(o.p.Stat(path)) }

// Lstat is Stat, but a symbolic link at the end of path is not followed.
func (o *OS) Lstat(path string) (fs.FileInfo, error) { return info("lstat", path)(o.p.Lstat(path)) }

// Mkdir makes a directory.
func (o *OS) Mkdir(path string, perm fs.FileMode) error {
	return pathError("mkdir", path, o.p.Mkdir(path, modeBits(perm)))
}

// MkdirAll makes a directory and all that are missing on the way to it. That it is there already is no error.
func (o *OS) MkdirAll(path string, perm fs.FileMode) error {
	st, err := o.p.Stat(path)
	switch {
	case err == nil && isDir(&st):
		return nil
	case err == nil:
		return pathError("mkdir", path, kern.ENOTDIR)
	case err != kern.ENOENT:
		return pathError("mkdir", path, err)
	}
	if up := parent(path); up != "" {
		if err := o.MkdirAll(up, perm); err != nil {
			return err
		}
	}
	err = o.p.Mkdir(path, modeBits(perm))
	if err != nil {
		if st, again := o.p.Stat(path); again == nil && isDir(&st) {
			return nil // "x/.", or somebody else was faster
		}
	}
	return pathError("mkdir", path, err)
}

// parent is path without its last name, "" if nothing is left. It is no longer than path: what stands before the last name.
func parent(path string) string {
	i := len(path)
	for i > 0 && path[i-1] == '/' {
		i--
	}
	for i > 0 && path[i-1] != '/' {
		i--
	}
	for i > 1 && path[i-1] == '/' {
		i--
	}
	if i == 1 && path[0] == '/' {
		return ""
	}
	return path[:i]
}

// Remove removes a name: that of a directory if the directory is empty.
func (o *OS) Remove(path string) error {
	err := o.p.Unlink(path)
	if err == nil {
		return nil
	}
	switch notDir := o.p.Rmdir(path); notDir {
	case nil:
		return nil
	case kern.ENOTDIR:
		return pathError("remove", path, err)
	default:
		return pathError("remove", path, notDir)
	}
}

// Rename gives a file another name, taking the place of a file that has it. An error is an *os.LinkError.
func (o *OS) Rename(from, to string) error {
	return linkError("rename", from, to, o.p.Rename(from, to))
}

// Link gives a file one more name. An error is an *os.LinkError.
func (o *OS) Link(from, to string) error { return linkError("link", from, to, o.p.Link(from, to)) }

// Symlink makes a symbolic link at path that leads to target. An error is an *os.LinkError.
func (o *OS) Symlink(target, path string) error {
	return linkError("symlink", target, path, o.p.Symlink(target, path))
}

// Readlink is where the symbolic link at path leads to.
func (o *OS) Readlink(path string) (string, error) {
	b := make([]byte, kern.MAXPATHLEN)
	n, err := o.p.Readlink(path, b)
	return string(b[:n]), pathError("readlink", path, err)
}

// Chmod sets the permissions of a file, with fs.ModeSetuid, fs.ModeSetgid and fs.ModeSticky.
func (o *OS) Chmod(path string, mode fs.FileMode) error {
	return pathError("chmod", path, o.p.Chmod(path, modeBits(mode)))
}

// Chown sets owner and group of a file; -1 leaves one as it is.
func (o *OS) Chown(path string, uid, gid int) error {
	return pathError("chown", path, o.p.Chown(path, uint32(uid), uint32(gid)))
}

// Lchown is Chown, but a symbolic link at the end of path is not followed.
func (o *OS) Lchown(path string, uid, gid int) error {
	return pathError("lchown", path, o.p.Lchown(path, uint32(uid), uint32(gid)))
}

// Chtimes sets the times of a file, to the microsecond. A zero time leaves one as it is.
func (o *OS) Chtimes(path string, atime, mtime time.Time) error {
	st, err := o.p.Stat(path)
	if err != nil {
		return pathError("chtimes", path, err)
	}
	tv := [2]sim.Timeval{timeval(atime, st.Atim), timeval(mtime, st.Mtim)}
	return pathError("chtimes", path, o.p.Utimes(path, &tv))
}

func timeval(t time.Time, old kern.Timespec) sim.Timeval {
	if t.IsZero() {
		return sim.Timeval{Sec: old.Sec, Usec: old.Nsec / 1000}
	}
	return sim.Timeval{Sec: t.Unix(), Usec: int64(t.Nanosecond()) / 1000}
}

// Truncate makes a file size bytes long.
func (o *OS) Truncate(path string, size int64) error {
	return pathError("truncate", path, o.p.Truncate(path, size))
}

// Chdir makes path the working directory of the process.
func (o *OS) Chdir(path string) error { return pathError("chdir", path, o.p.Chdir(path)) }

// Getwd is the path of the working directory.
func (o *OS) Getwd() (string, error) {
	dir, err := o.p.Getcwd()
	return dir, pathError("getwd", ".", err)
}

// ReadFile reads a whole file.
func (o *OS) ReadFile(path string) ([]byte, error) {
	f, err := o.Open(path)
	if err != nil {
		return nil, err
	}
	b, err := f.all()
	return b, first(err, f.Close())
}

// WriteFile makes data the contents of a file, which is made with perm if there is none.
func (o *OS) WriteFile(path string, data []byte, perm fs.FileMode) error {
	f, err := o.OpenFile(path, os.O_WRONLY|os.O_CREATE|os.O_TRUNC, perm)
	if err != nil {
		return err
	}
	_, err = f.Write(data)
	return first(err, f.Close())
}

// ReadDir reads a directory. Entries are in the order of their names.
func (o *OS) ReadDir(path string) ([]fs.DirEntry, error) {
	f, err := o.Open(path)
	if err != nil {
		return nil, err
	}
	list, err := f.ReadDir(-1)
	sortByName(list)
	return list, first(err, f.Close())
}

// first is the first error that is one.
func first(errs ...error) error {
	for _, err := range errs {
		if err != nil {
			return err
		}
	}
	return nil
}

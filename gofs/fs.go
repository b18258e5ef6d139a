package gofs

import (
	"errors"
	"io/fs"
	"os"
	"time"
)

// FS is a directory of a kernel with all that is below it, for package io/fs: names are as fs.ValidPath wants them, "." is
// the directory itself. It also has the methods of [OS] that change something. A symbolic link may lead out of it, as with
// os.DirFS.
type FS struct {
	os  *OS
	dir string
}

var (
	_ fs.StatFS     = (*FS)(nil)
	_ fs.ReadDirFS  = (*FS)(nil)
	_ fs.ReadFileFS = (*FS)(nil)
	_ fs.SubFS      = (*FS)(nil)
	_ fs.ReadLinkFS = (*FS)(nil)
)

// DirFS is the tree below dir.
func (o *OS) DirFS(dir string) *FS { return &FS{o, dir} }

// do calls f with the path that a name stands for. Errors speak of the name.
func (f *FS) do(op, name string, call func(path string) error) error {
	if !fs.ValidPath(name) {
		return pathError(op, name, fs.ErrInvalid)
	}
	err := call(f.path(name))
	var p *fs.PathError
	if errors.As(err, &p) {
		return pathError(p.Op, name, p.Err)
	}
	return err
}

func (f *FS) path(name string) string {
	if name == "." {
		return f.dir
	}
	return f.dir + "/" + name
}

// ask is do for a call that answers with something.
func ask[T any](f *FS, op, name string, call func(path string) (T, error)) (answer T, err error) {
	err = f.do(op, name, func(path string) (err error) {
		answer, err = call(path)
		return err
	})
	return answer, err
}

// do2 is do for a call with two names.
func (f *FS) do2(op, from, to string, call func(from, to string) error) error {
	if !fs.ValidPath(from) || !fs.ValidPath(to) {
		return linkError(op, from, to, fs.ErrInvalid)
	}
	return relink(from, to, call(f.path(from), f.path(to)))
}

// relink makes the error of a call with two paths speak of names.
func relink(from, to string, err error) error {
	var l *os.LinkError
	if errors.As(err, &l) {
		return linkError(l.Op, from, to, l.Err)
	}
	return err
}

// Open opens a file for reading.
func (f *FS) Open(name string) (fs.File, error) {
	file, err := f.OpenFile(name, os.O_RDONLY, 0)
	if err != nil {
		return nil, err
	}
	return file, nil
}

// OpenFile is [OS.OpenFile].
func (f *FS) OpenFile(name string, flag int, perm fs.FileMode) (*File, error) {
	return ask(f, "open", name, func(path string) (*File, error) { return f.os.OpenFile(path, flag, perm) })
}

// Create is [OS.Create].
func (f *FS) Create(name string) (*File, error) { return ask(f, "open", name, f.os.Create) }

// Stat is [OS.Stat].
func (f *FS) Stat(name string) (fs.FileInfo, error) { return f.named("stat", name, f.os.Stat) }

// Lstat is [OS.Lstat].
func (f *FS) Lstat(name string) (fs.FileInfo, error) { return f.named("lstat", name, f.os.Lstat) }

// named is a stat call whose answer has the name that was asked for.
func (f *FS) named(op, name string, call func(path string) (fs.FileInfo, error)) (fs.FileInfo, error) {
	i, err := ask(f, op, name, call)
	if err != nil {
		return nil, err
	}
	i.(*fileInfo).name = base(name)
	return i, nil
}

// ReadDir is [OS.ReadDir].
func (f *FS) ReadDir(name string) ([]fs.DirEntry, error) {
	return ask(f, "readdir", name, f.os.ReadDir)
}

// ReadFile is [OS.ReadFile].
func (f *FS) ReadFile(name string) ([]byte, error) { return ask(f, "read", name, f.os.ReadFile) }

// ReadLink is [OS.Readlink].
func (f *FS) ReadLink(name string) (string, error) { return ask(f, "readlink", name, f.os.Readlink) }

// Sub is the tree below a directory of f. Whether there is one shows when it is used.
func (f *FS) Sub(dir string) (fs.FS, error) {
	if !fs.ValidPath(dir) {
		return nil, pathError("sub", dir, fs.ErrInvalid)
	}
	return f.os.DirFS(f.path(dir)), nil
}

// WriteFile is [OS.WriteFile].
func (f *FS) WriteFile(name string, data []byte, perm fs.FileMode) error {
	return f.do("open", name, func(path string) error { return f.os.WriteFile(path, data, perm) })
}

// Mkdir is [OS.Mkdir].
func (f *FS) Mkdir(name string, perm fs.FileMode) error {
	return f.do("mkdir", name, func(path string) error { return f.os.Mkdir(path, perm) })
}

// MkdirAll is [OS.MkdirAll].
func (f *FS) MkdirAll(name string, perm fs.FileMode) error {
	return f.do("mkdir", name, func(path string) error { return f.os.MkdirAll(path, perm) })
}

// Remove is [OS.Remove].
func (f *FS) Remove(name string) error { return f.do("remove", name, f.os.Remove) }

// RemoveAll is [OS.RemoveAll]. The directory itself cannot be removed.
func (f *FS) RemoveAll(name string) error {
	if name == "." {
		return pathError("removeall", name, fs.ErrInvalid)
	}
	return f.do("removeall", name, f.os.RemoveAll)
}

// Rename is [OS.Rename].
func (f *FS) Rename(from, to string) error { return f.do2("rename", from, to, f.os.Rename) }

// Link is [OS.Link].
func (f *FS) Link(from, to string) error { return f.do2("link", from, to, f.os.Link) }

// Symlink is [OS.Symlink]. The target is a path of the kernel, not a name.
func (f *FS) Symlink(target, name string) error {
	if !fs.ValidPath(name) {
		return linkError("symlink", target, name, fs.ErrInvalid)
	}
	return relink(target, name, f.os.Symlink(target, f.path(name)))
}

// Chmod is [OS.Chmod].
func (f *FS) Chmod(name string, mode fs.FileMode) error {
	return f.do("chmod", name, func(path string) error { return f.os.Chmod(path, mode) })
}

// Chown is [OS.Chown].
func (f *FS) Chown(name string, uid, gid int) error {
	return f.do("chown", name, func(path string) error { return f.os.Chown(path, uid, gid) })
}

// Lchown is [OS.Lchown].
func (f *FS) Lchown(name string, uid, gid int) error {
	return f.do("lchown", name, func(path string) error { return f.os.Lchown(path, uid, gid) })
}

// Chtimes is [OS.Chtimes].
func (f *FS) Chtimes(name string, atime, mtime time.Time) error {
	return f.do("chtimes", name, func(path string) error { return f.os.Chtimes(path, atime, mtime) })
}

// Truncate is [OS.Truncate].
func (f *FS) Truncate(name string, size int64) error {
	return f.do("truncate", name, func(path string) error { return f.os.Truncate(path, size) })
}

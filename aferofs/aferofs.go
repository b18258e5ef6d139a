// Package aferofs lets programs that are written for afero run on a kernel, so that their tests meet what real file
// systems do: ENOTDIR, permissions, "..", symbolic links, files that are removed while they are open.
package aferofs

import (
	"io/fs"

	"github.com/spf13/afero"

	"rumpvfs/gofs"
)

// Fs is a process's view of its kernel as an afero.Fs. All it does is what [gofs.OS] does, whose errors it returns.
type Fs struct{ *gofs.OS }

var (
	_ afero.Fs        = Fs{}
	_ afero.Symlinker = Fs{}
)

// New makes an afero.Fs of a process's view.
func New(os *gofs.OS) Fs { return Fs{os} }

// Name is what afero calls the kind of file system.
func (Fs) Name() string { return "rumpvfs" }

// file makes what opening answers an afero.File: nil if there is an error.
func file(f *gofs.File, err error) (afero.File, error) {
	if err != nil {
		return nil, err
	}
	return f, nil
}

// Create is [gofs.OS.Create].
func (f Fs) Create(path string) (afero.File, error) { return file(f.OS.Create(path)) }

// Open is [gofs.OS.Open].
func (f Fs) Open(path string) (afero.File, error) { return file(f.OS.Open(path)) }

// OpenFile is [gofs.OS.OpenFile].
func (f Fs) OpenFile(path string, flag int, perm fs.FileMode) (afero.File, error) {
	return file(f.OS.OpenFile(path, flag, perm))
}

// LstatIfPossible is [gofs.OS.Lstat], which is possible.
func (f Fs) LstatIfPossible(path string) (fs.FileInfo, bool, error) {
	i, err := f.Lstat(path)
	return i, true, err
}

// SymlinkIfPossible is [gofs.OS.Symlink].
func (f Fs) SymlinkIfPossible(target, path string) error { return f.Symlink(target, path) }

// ReadlinkIfPossible is [gofs.OS.Readlink].
func (f Fs) ReadlinkIfPossible(path string) (string, error) { return f.Readlink(path) }

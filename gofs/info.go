package gofs

import (
	"io/fs"
	"time"

	"rumpvfs/kern"
)

// fileInfo describes a file.
type fileInfo struct {
	name string
	st   kern.Stat
}

// info makes what a stat call answers what package io/fs wants.
func info(op, path string) func(kern.Stat, error) (fs.FileInfo, error) {
	return func(st kern.Stat, err error) (fs.FileInfo, error) {
		if err != nil {
			return nil, pathError(op, path, err)
		}
		return &fileInfo{base(path), st}, nil
	}
}

// base is the last name of a path: "." if it is empty, "/" if there are only slashes.
func base(path string) string {
	end := len(path)
	for end > 0 && path[end-1] == '/' {
		end--
	}
	if end == 0 {
		if path == "" {
			return "."
		}
		return "/"
	}
	begin := end
	for begin > 0 && path[begin-1] != '/' {
		begin--
	}
	return path[begin:end]
}

func (i *fileInfo) Name() string       { return i.name }
func (i *fileInfo) Size() int64        { return i.st.Size }
func (i *fileInfo) Mode() fs.FileMode  { return fileMode(i.st.Mode) }
func (i *fileInfo) ModTime() time.Time { return time.Unix(i.st.Mtim.Sec, i.st.Mtim.Nsec) }
func (i *fileInfo) IsDir() bool        { return isDir(&i.st) }

// Sys is a *kern.Stat, all that the kernel says of the file.
func (i *fileInfo) Sys() any       { return &i.st }
func (i *fileInfo) String() string { return fs.FormatFileInfo(i) }

func isDir(st *kern.Stat) bool { return st.Mode&kern.S_IFMT == kern.S_IFDIR }

// SameFile reports whether two descriptions, which this package made, are of one file.
func SameFile(a, b fs.FileInfo) bool {
	x, ok := a.Sys().(*kern.Stat)
	y, also := b.Sys().(*kern.Stat)
	return ok && also && x.Dev == y.Dev && x.Ino == y.Ino
}

// A dirEntry is a name in a directory, and the path by which more can be found out.
type dirEntry struct {
	os   *OS
	dir  string
	name string
	typ  fs.FileMode
}

func (e *dirEntry) Name() string      { return e.name }
func (e *dirEntry) IsDir() bool       { return e.typ == fs.ModeDir }
func (e *dirEntry) Type() fs.FileMode { return e.typ }
func (e *dirEntry) String() string    { return fs.FormatDirEntry(e) }

// Info describes the file that has the name now.
func (e *dirEntry) Info() (fs.FileInfo, error) {
	path := e.name
	if e.dir != "" {
		path = e.dir + "/" + e.name
	}
	return e.os.Lstat(path)
}

// special are the bits that have other places in a FileMode than in the kernel's mode.
//
//policy:static read only
var special = [...]struct {
	mode fs.FileMode
	bit  uint32
}{{fs.ModeSetuid, kern.S_ISUID}, {fs.ModeSetgid, kern.S_ISGID}, {fs.ModeSticky, kern.S_ISVTX}}

// modeBits are the permissions of mode as the kernel has them.
func modeBits(mode fs.FileMode) uint32 {
	bits := uint32(mode.Perm())
	for _, s := range special {
		if mode&s.mode != 0 {
			bits |= s.bit
		}
	}
	return bits
}

// fileMode is the kernel's mode as package io/fs has it.
func fileMode(mode uint32) fs.FileMode {
	m := fs.FileMode(mode)&fs.ModePerm | typeMode(kern.IFTODT(mode))
	for _, s := range special {
		if mode&s.bit != 0 {
			m |= s.mode
		}
	}
	return m
}

// typeMode is a type of a directory entry as package io/fs has it. A whiteout and what is not known are irregular.
func typeMode(t uint8) fs.FileMode {
	switch t {
	case kern.DT_REG:
		return 0
	case kern.DT_DIR:
		return fs.ModeDir
	case kern.DT_LNK:
		return fs.ModeSymlink
	case kern.DT_FIFO:
		return fs.ModeNamedPipe
	case kern.DT_SOCK:
		return fs.ModeSocket
	case kern.DT_CHR:
		return fs.ModeDevice | fs.ModeCharDevice
	case kern.DT_BLK:
		return fs.ModeDevice
	}
	return fs.ModeIrregular
}

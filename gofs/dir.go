package gofs

import (
	"io"
	"io/fs"
	"slices"
	"strings"

	"rumpvfs/kern"
)

// direntsSize is how many bytes of entries are read at a time.
const direntsSize = 8 << 10

// ReadDir gives out the next n entries of a directory, in the kernel's order; with n <= 0 all that are left. There is no
// entry for "." and "..", nor for a whiteout. It ends with io.EOF if n > 0.
func (f *File) ReadDir(n int) (list []fs.DirEntry, err error) {
	if err := f.begin("readdir"); err != nil {
		return nil, err
	}
	defer f.end()
	f.dir.Lock()
	defer f.dir.Unlock()
	for n <= 0 || len(list) < n {
		d, err := f.nextDirent()
		if err == io.EOF {
			break
		}
		if err != nil {
			return list, pathError("readdir", f.path, err)
		}
		if d.Name != "." && d.Name != ".." && d.Type != kern.DT_WHT {
			list = append(list, &dirEntry{f.os, f.path, d.Name, typeMode(d.Type)})
		}
	}
	if n > 0 && len(list) == 0 {
		return nil, io.EOF
	}
	return list, nil
}

// nextDirent takes an entry out of the buffer, or io.EOF.
//
// Preconditions: f.dir is held.
func (f *File) nextDirent() (d kern.Dirent, err error) {
	if len(f.buf) == 0 {
		if f.mem == nil {
			f.mem = make([]byte, direntsSize)
		}
		n, err := f.os.p.Getdents(f.fd, f.mem)
		if err != nil {
			return d, err
		}
		if n == 0 {
			return d, io.EOF
		}
		f.buf = f.mem[:n]
	}
	d, f.buf, err = kern.DecodeDirent(f.buf)
	return d, err
}

// Readdirnames is ReadDir for names alone.
func (f *File) Readdirnames(n int) (names []string, err error) {
	list, err := f.ReadDir(n)
	for _, e := range list {
		names = append(names, e.Name())
	}
	return names, err
}

// Readdir is ReadDir with descriptions. What is gone by the time it is asked about is left out.
func (f *File) Readdir(n int) (infos []fs.FileInfo, err error) {
	list, err := f.ReadDir(n)
	for _, e := range list {
		st, serr := f.os.p.Fstatat(f.fd, e.Name(), kern.AT_SYMLINK_NOFOLLOW)
		if serr == kern.ENOENT {
			continue
		}
		if serr != nil {
			return infos, pathError("lstat", f.path+"/"+e.Name(), serr)
		}
		infos = append(infos, &fileInfo{e.Name(), st})
	}
	return infos, err
}

func sortByName(list []fs.DirEntry) {
	slices.SortFunc(list, func(a, b fs.DirEntry) int { return strings.Compare(a.Name(), b.Name()) })
}

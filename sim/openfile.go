package sim

import (
	"strings"

	"rumpvfs/kern"
	"rumpvfs/namei"
	"rumpvfs/vfs"
	"rumpvfs/vnode"
)

// An OpenFile is what a process stands on: a descriptor's open file, or its
// working directory.
type OpenFile struct {
	FD     int    // -1 for the working directory
	Flags  int32  // FREAD, FWRITE and others of the open file
	Offset int64  // bytes
	Type   string // reg, dir, chr and so on; "console" for what is no vnode
	On     string // where the file system is mounted; empty for the console and for dead files
	Path   string // of a directory, as far as it can be found out; files have no way back to their names

	Stat kern.Stat
	Err  error // why there is no Stat: a file whose file system is gone has none
}

// Files lists the working directory and the open files of the process, by
// descriptor.
func (p *Proc) Files() (files []OpenFile, err error) {
	l, err := p.enter("files")
	if err != nil {
		return nil, err
	}
	defer p.leave(l, &err)
	cdir, rdir := p.cwd.Dirs(l)
	f := OpenFile{FD: -1, Flags: kern.FREAD}
	f.describe(l, cdir)
	files = append(files, f)
	cdir.Rele(l)
	if rdir != nil {
		rdir.Rele(l)
	}
	for fd := 0; fd <= p.fd.Lastfile(l); fd++ {
		fp := p.fd.Get(l, fd)
		if fp == nil {
			continue
		}
		f := OpenFile{FD: fd, Flags: fp.Flag(), Offset: fp.Offset(), Type: "console"}
		if fp.Type == vfs.DTYPE_VNODE {
			f.describe(l, fp.Vnode())
		}
		files = append(files, f)
		p.fd.Putfile(l, fd)
	}
	return files, nil
}

// describe fills in what is known about the file's vnode.
//
// Preconditions: the caller keeps vp referenced and holds no vnode lock.
func (f *OpenFile) describe(l *kern.Lwp, vp *vnode.Vnode) {
	f.Type = strings.ToLower(strings.TrimPrefix(vp.Type().String(), "V"))
	_ = vp.Lock(l, vnode.LK_SHARED|vnode.LK_RETRY)
	f.On = vp.Mount().Stat.Mntonname
	f.Err = vfs.Stat(l, vp, &f.Stat)
	_ = vnode.VOP_UNLOCK(l, vp)
	if f.Err == nil && vp.Type() == vnode.VDIR {
		f.Path, _ = namei.PathOf(l, vp)
	}
}

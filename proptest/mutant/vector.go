package mutant

import (
	"rumpvfs/kern"
	"rumpvfs/vnode"
)

// A memory is what a bug knows of the kernel that it is in. It needs no lock: of a kernel with a bug, one lwp runs at a time.
type memory struct {
	n     int
	count map[any]int
	node  map[any]any
}

// add adds to what is counted for a key, and gives the sum.
func (m *memory) add(key any, n int) int {
	if m.count == nil {
		m.count = map[any]int{}
	}
	m.count[key] += n
	return m.count[key]
}

// put remembers something.
func (m *memory) put(key, value any) {
	if m.node == nil {
		m.node = map[any]any{}
	}
	m.node[key] = value
}

// A vector is a copy of a vector that a bug gets into. Its methods put a function around an operation, if the vector has it.
type vector struct {
	*vnode.Ops           // to be changed
	was        vnode.Ops // as the file system has it
	*memory
}

// getattr has f change what a file's attributes seem to be.
func (v *vector) getattr(f func(*vnode.Vnode, *vnode.Vattr)) {
	if v.was.Getattr == nil {
		return
	}
	was := v.Ops.Getattr
	v.Ops.Getattr = func(l *kern.Lwp, vp *vnode.Vnode, vap *vnode.Vattr, cred *kern.Cred) error {
		err := was(l, vp, vap, cred)
		if err == nil {
			f(vp, vap)
		}
		return err
	}
}

// setattr has f change what attributes a file is to get.
func (v *vector) setattr(f func(*kern.Lwp, *vnode.Vnode, *vnode.Vattr)) {
	if v.was.Setattr == nil {
		return
	}
	was := v.Ops.Setattr
	v.Ops.Setattr = func(l *kern.Lwp, vp *vnode.Vnode, vap *vnode.Vattr, cred *kern.Cred) error {
		changed := *vap
		f(l, vp, &changed)
		return was(l, vp, &changed, cred)
	}
}

// around has f do what setattr is asked, with the file system's own.
func (v *vector) around(f func(l *kern.Lwp, vp *vnode.Vnode, vap *vnode.Vattr, cred *kern.Cred) error) {
	if v.was.Setattr != nil {
		v.Ops.Setattr = f
	}
}

// access has f answer whether a file may be used; err is what the file system says.
func (v *vector) access(f func(l *kern.Lwp, vp *vnode.Vnode, mode int, cred *kern.Cred, err error) error) {
	if v.was.Access == nil {
		return
	}
	v.Ops.Access = func(l *kern.Lwp, vp *vnode.Vnode, mode int, cred *kern.Cred) error {
		return f(l, vp, mode, cred, v.was.Access(l, vp, mode, cred))
	}
}

// lookup has f see what a lookup gave.
func (v *vector) lookup(f func(l *kern.Lwp, dvp, vp *vnode.Vnode, cnp *vnode.Componentname, err error) (*vnode.Vnode, error)) {
	if v.was.Lookup == nil {
		return
	}
	v.Ops.Lookup = func(l *kern.Lwp, dvp *vnode.Vnode, cnp *vnode.Componentname) (*vnode.Vnode, error) {
		vp, err := v.was.Lookup(l, dvp, cnp)
		return f(l, dvp, vp, cnp, err)
	}
}

// making is one of the operations that make a file.
type making = func(l *kern.Lwp, dvp *vnode.Vnode, cnp *vnode.Componentname, vap *vnode.Vattr) (*vnode.Vnode, error)

// create puts f around the making of files of all types but directories and symbolic links.
func (v *vector) create(f func(making) making) {
	if v.was.Create != nil {
		v.Ops.Create = f(v.was.Create)
	}
	if v.was.Mknod != nil {
		v.Ops.Mknod = f(v.was.Mknod)
	}
}

// mkdir puts f around the making of directories.
func (v *vector) mkdir(f func(making) making) {
	if v.was.Mkdir != nil {
		v.Ops.Mkdir = f(v.was.Mkdir)
	}
}

// symlink has f make symbolic links.
func (v *vector) symlink(f func(l *kern.Lwp, dvp *vnode.Vnode, cnp *vnode.Componentname, vap *vnode.Vattr, target string) (*vnode.Vnode, error)) {
	if v.was.Symlink != nil {
		v.Ops.Symlink = f
	}
}

// transfer is reading or writing.
type transfer = func(l *kern.Lwp, vp *vnode.Vnode, uio *kern.Uio, ioflag int, cred *kern.Cred) error

// read has f read regular files.
func (v *vector) read(f transfer) {
	if v.was.Read != nil {
		v.Ops.Read = f
	}
}

// write has f write regular files.
func (v *vector) write(f transfer) {
	if v.was.Write != nil {
		v.Ops.Write = f
	}
}

// removal is taking a name away: of a file or of a directory.
type removal = func(l *kern.Lwp, dvp, vp *vnode.Vnode, cnp *vnode.Componentname) error

// remove puts f around the removal of names that are no directories.
func (v *vector) remove(f func(removal) removal) {
	if v.was.Remove != nil {
		v.Ops.Remove = f(v.was.Remove)
	}
}

// rmdir puts f around the removal of directories.
func (v *vector) rmdir(f func(removal) removal) {
	if v.was.Rmdir != nil {
		v.Ops.Rmdir = f(v.was.Rmdir)
	}
}

// whiteout has f make and take away whiteouts.
func (v *vector) whiteout(f func(l *kern.Lwp, dvp *vnode.Vnode, cnp *vnode.Componentname, flags int) error) {
	if v.was.Whiteout != nil {
		v.Ops.Whiteout = f
	}
}

// advlock has f change what an advisory lock is asked for.
func (v *vector) advlock(f func(vp *vnode.Vnode, op *int, fl *kern.Flock, flags *int)) {
	if v.was.Advlock == nil {
		return
	}
	v.Ops.Advlock = func(l *kern.Lwp, vp *vnode.Vnode, id any, op int, fl *kern.Flock, flags int) error {
		f(vp, &op, fl, &flags)
		return v.was.Advlock(l, vp, id, op, fl, flags)
	}
}

// attributes gives all attributes of a locked file, past what the bug does to them.
func (v *vector) attributes(l *kern.Lwp, vp *vnode.Vnode) (va vnode.Vattr) {
	_ = v.was.Getattr(l, vp, &va, l.Cred)
	return va
}

// set changes attributes behind the caller's back, as the superuser.
func (v *vector) set(l *kern.Lwp, vp *vnode.Vnode, change func(*vnode.Vattr)) {
	var va vnode.Vattr
	va.Null()
	change(&va)
	_ = v.was.Setattr(l, vp, &va, kern.RootCred())
}

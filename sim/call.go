package sim

import (
	"errors"
	"fmt"
	"runtime/debug"
	"strings"

	"rumpvfs/hypercall"
	"rumpvfs/kern"
	"rumpvfs/namei"
	"rumpvfs/vfs"
	"rumpvfs/vnode"
)

// NullPath is the path that stands for a null pointer: every call that takes
// it answers EFAULT when it copies its path in.
const NullPath = "\x00"

// enter begins a system call: it finds the lwp that makes it and refreshes
// its credentials. A kernel that has stopped answers why, a process that has
// exited ESRCH.
func (p *Proc) enter(name string) (*kern.Lwp, error) {
	if err := p.k.K.Dead(); err != nil {
		p.endIfDown()
		return nil, err
	}
	if !p.begin() {
		p.endIfDown()
		return nil, kern.ESRCH
	}
	l := p.l
	if !p.busy.CompareAndSwap(false, true) {
		l = kern.NewLwp(p.k.K, p.proc, "extra")
	}
	l.Entered()
	l.Cred = p.proc.Cred()
	if l.Hooks != nil {
		l.Emit(kern.EvSyscall, name, "", nil)
	}
	return l, nil
}

// endIfDown ends an lwp of its own thread whose kernel has been shut down, so
// that Shutdown does not wait for a body that goes on whatever its calls say.
func (p *Proc) endIfDown() {
	if p.started && p.k.down.Load() {
		panic(hypercall.Killed{})
	}
}

// leave ends a system call. It is deferred, so that it also receives what a
// kernel panic throws and turns it into the call's error.
func (p *Proc) leave(l *kern.Lwp, err *error) {
	r := recover()
	if r != nil {
		*err = p.k.died(r)
	}
	if p.calls.Add(-1) == exiting {
		if e := p.free(l); e != nil {
			*err = e
		}
	}
	if p.k.checked && r == nil {
		if e := p.returned(l); e != nil {
			*err = e
		}
	}
	if l.Hooks != nil {
		l.Emit(kern.EvSysret, "", "", *err)
	}
	if l == p.l {
		p.busy.Store(false)
	} else {
		l.Exit()
	}
	if r != nil {
		p.endIfDown()
	}
}

// returned tells the checker of locks that l has come back from a call. If l
// still holds one, that stops the kernel.
func (p *Proc) returned(l *kern.Lwp) (err error) {
	defer func() {
		if r := recover(); r != nil {
			err = p.k.died(r)
		}
	}()
	l.Returned()
	return nil
}

// died stops the kernel for the panic value r and returns the reason. A
// kernel that is shut down has not stopped, it is gone: ESRCH.
func (k *Kernel) died(r any) error {
	switch v := r.(type) {
	case *kern.Panic:
		return k.K.Die(v)
	case hypercall.Blocked:
		return k.K.Die(v)
	case hypercall.Stopped:
		return k.K.Dead()
	case hypercall.Killed:
		return kern.ESRCH
	case error:
		if e := (hypercall.LockError{}); errors.As(v, &e) {
			return k.K.Die(&kern.Panic{Msg: e.Error(), Stack: debug.Stack()})
		}
		if r := (hypercall.LockReport{}); errors.As(v, &r) {
			return k.K.Die(&kern.Panic{Msg: r.Error(), Stack: debug.Stack(), Cause: r})
		}
	}
	return k.K.Die(&kern.Panic{Msg: fmt.Sprint(r), Stack: debug.Stack()})
}

// copyinPath checks a path as copying it in does: EINVAL for a NUL byte,
// which a C caller cannot pass, ENAMETOOLONG if it does not fit MAXPATHLEN
// with its NUL.
func copyinPath(path string) error {
	if path == NullPath {
		return kern.EFAULT
	}
	if strings.IndexByte(path, 0) >= 0 {
		return kern.EINVAL
	}
	if len(path) >= kern.MAXPATHLEN {
		return kern.ENAMETOOLONG
	}
	return nil
}

// nameiat walks path, from the directory fdat if that is not AT_FDCWD. The
// nameidata is the caller's until nd.Release.
//
//netbsd:sys/kern/vfs_syscalls.c fd_nameiat
func (p *Proc) nameiat(l *kern.Lwp, fdat int, op, flags uint32, path string) (*namei.Nameidata, error) {
	return p.nameiatAs(l, fdat, op, flags, path, l.Cred)
}

func (p *Proc) nameiatAs(l *kern.Lwp, fdat int, op, flags uint32, path string, cred *kern.Cred) (*namei.Nameidata, error) {
	if err := copyinPath(path); err != nil {
		return nil, err
	}
	nd := namei.Acquire(l)
	nd.Init(l, op, flags|vnode.TRYEMULROOT, path)
	nd.Cnd.Cred = cred
	err := p.walk(l, fdat, nd.Namei, nd)
	if err != nil {
		nd.Release(l)
		return nil, err
	}
	return nd, nil
}

// walk runs a walk with nd starting at fdat, whose descriptor stays in use
// meanwhile.
func (p *Proc) walk(l *kern.Lwp, fdat int, f func(*kern.Lwp) error, nd *namei.Nameidata) error {
	if fdat == kern.AT_FDCWD {
		return f(l)
	}
	dfp, err := p.fd.GetVnode(l, fdat)
	if err != nil {
		return err
	}
	defer p.fd.Putfile(l, fdat)
	nd.At(dfp.Vnode())
	return f(l)
}

// lookup is a walk that only wants the vnode.
//
// Postconditions: the vnode is referenced, and not locked.
//
//netbsd:sys/kern/vfs_syscalls.c fd_nameiat_simple_user
func (p *Proc) lookup(l *kern.Lwp, fdat int, follow uint32, path string) (*vnode.Vnode, error) {
	nd, err := p.nameiat(l, fdat, vnode.LOOKUP, follow, path)
	if err != nil {
		return nil, err
	}
	vp := nd.Vp
	nd.Release(l)
	return vp, nil
}

// lookupLocked is lookup with the vnode locked.
func (p *Proc) lookupLocked(l *kern.Lwp, fdat int, follow uint32, path string) (*vnode.Vnode, error) {
	return p.lookup(l, fdat, follow|vnode.LOCKLEAF, path)
}

// abort drops what a walk with LOCKPARENT found, when the call is not to go
// on. The leaf is locked if the walk had LOCKLEAF.
func abort(l *kern.Lwp, nd *namei.Nameidata, leafLocked bool) {
	_ = vnode.VOP_ABORTOP(l, nd.Dvp, &nd.Cnd)
	if nd.Dvp == nd.Vp {
		nd.Dvp.Rele(l)
	} else {
		nd.Dvp.Put(l)
	}
	switch {
	case nd.Vp == nil:
	case leafLocked:
		nd.Vp.Put(l)
	default:
		nd.Vp.Rele(l)
	}
}

// getVnode returns the open file and vnode of a descriptor; the caller ends
// with Putfile.
func (p *Proc) getVnode(l *kern.Lwp, fd int) (*vfs.File, *vnode.Vnode, error) {
	fp, err := p.fd.GetVnode(l, fd)
	if err != nil {
		return nil, nil, err
	}
	return fp, fp.Vnode(), nil
}

package mutant

import (
	"hash/fnv"

	"rumpvfs/hypercall"
	"rumpvfs/kern"
	"rumpvfs/proptest/call"
	"rumpvfs/proptest/driver"
	"rumpvfs/proptest/model"
	"rumpvfs/vnode"
)

// A failing is what a file system is to do wrong during a call: one operation fails, below the bug, which has to cope with that.
type failing struct {
	op      string // the operation; empty for none
	err     kern.Errno
	fired   bool
	changed bool // something has been changed: from then on a call may not be undone
}

// fail says whether an operation fails now, and with what. An operation that changes something and does not fail ends the time in
// which others may.
func (f *failing) fail(op string, changes bool) error {
	if f.op == op && !f.fired && !f.changed {
		f.fired = true
		return f.err
	}
	if changes {
		f.changed = true
	}
	return nil
}

// failable is a copy of a vector whose operations fail when f says so, and then do what is promised of an error.
func (f *failing) failable(ops *vnode.Ops) *vnode.Ops {
	was, now := *ops, *ops
	now.Lookup = func(l *kern.Lwp, dvp *vnode.Vnode, cnp *vnode.Componentname) (*vnode.Vnode, error) {
		if err := f.fail("lookup", false); err != nil {
			return nil, err
		}
		return was.Lookup(l, dvp, cnp)
	}
	makes := func(op string, was making) making {
		return func(l *kern.Lwp, dvp *vnode.Vnode, cnp *vnode.Componentname, vap *vnode.Vattr) (*vnode.Vnode, error) {
			if err := f.fail(op, true); err != nil {
				return nil, err
			}
			return was(l, dvp, cnp, vap)
		}
	}
	now.Create, now.Mknod, now.Mkdir = makes("create", was.Create), makes("mknod", was.Mknod), makes("mkdir", was.Mkdir)
	now.Symlink = func(l *kern.Lwp, dvp *vnode.Vnode, cnp *vnode.Componentname, vap *vnode.Vattr, target string) (*vnode.Vnode, error) {
		if err := f.fail("symlink", true); err != nil {
			return nil, err
		}
		return was.Symlink(l, dvp, cnp, vap, target)
	}
	removes := func(op string, was removal) removal {
		return func(l *kern.Lwp, dvp, vp *vnode.Vnode, cnp *vnode.Componentname) error {
			if err := f.fail(op, true); err != nil {
				dvp.Put(l)
				vp.Put(l)
				return err
			}
			return was(l, dvp, vp, cnp)
		}
	}
	now.Remove, now.Rmdir = removes("remove", was.Remove), removes("rmdir", was.Rmdir)
	now.Whiteout = func(l *kern.Lwp, dvp *vnode.Vnode, cnp *vnode.Componentname, flags int) error {
		if flags != vnode.LOOKUP {
			if err := f.fail("whiteout", true); err != nil {
				return err
			}
		}
		return was.Whiteout(l, dvp, cnp, flags)
	}
	f.failableFile(&was, &now)
	return &now
}

// failableFile does the same for the operations on files.
func (f *failing) failableFile(was, now *vnode.Ops) {
	now.Getattr = func(l *kern.Lwp, vp *vnode.Vnode, vap *vnode.Vattr, cred *kern.Cred) error {
		if err := f.fail("getattr", false); err != nil {
			return err
		}
		return was.Getattr(l, vp, vap, cred)
	}
	now.Setattr = func(l *kern.Lwp, vp *vnode.Vnode, vap *vnode.Vattr, cred *kern.Cred) error {
		if err := f.fail("setattr", true); err != nil {
			return err
		}
		return was.Setattr(l, vp, vap, cred)
	}
	now.Access = func(l *kern.Lwp, vp *vnode.Vnode, mode int, cred *kern.Cred) error {
		if err := f.fail("access", false); err != nil {
			return err
		}
		return was.Access(l, vp, mode, cred)
	}
	now.Open = func(l *kern.Lwp, vp *vnode.Vnode, mode int, cred *kern.Cred) error {
		if err := f.fail("open", false); err != nil {
			return err
		}
		return was.Open(l, vp, mode, cred)
	}
	moves := func(op string, was transfer) transfer {
		return func(l *kern.Lwp, vp *vnode.Vnode, uio *kern.Uio, ioflag int, cred *kern.Cred) error {
			if err := f.fail(op, true); err != nil {
				return err
			}
			return was(l, vp, uio, ioflag, cred)
		}
	}
	now.Read, now.Write = moves("read", was.Read), moves("write", was.Write)
	now.Readlink = func(l *kern.Lwp, vp *vnode.Vnode, uio *kern.Uio, cred *kern.Cred) error {
		if err := f.fail("readlink", true); err != nil {
			return err
		}
		return was.Readlink(l, vp, uio, cred)
	}
	now.Readdir = func(l *kern.Lwp, vp *vnode.Vnode, uio *kern.Uio, cred *kern.Cred, cookies *vnode.Cookies) (bool, error) {
		if err := f.fail("readdir", true); err != nil {
			return false, err
		}
		return was.Readdir(l, vp, uio, cred, cookies)
	}
	now.Fsync = func(l *kern.Lwp, vp *vnode.Vnode, cred *kern.Cred, flags int, lo, hi int64) error {
		if err := f.fail("fsync", true); err != nil {
			return err
		}
		return was.Fsync(l, vp, cred, flags, lo, hi)
	}
}

// failings are what may fail in a call: each operation that it cannot do without.
//
//policy:static read only
var failings = [call.NumOps][]string{
	call.Open: {"lookup", "access", "create", "open"}, call.Openat: {"lookup", "create", "open"},
	call.Mkdir: {"lookup", "mkdir"}, call.Mkdirat: {"lookup", "mkdir"}, call.Mknod: {"lookup", "mknod", "create"}, call.Mkfifo: {"lookup", "mknod"},
	call.Symlink: {"lookup", "symlink"}, call.Readlink: {"lookup", "readlink"}, call.Rmdir: {"lookup", "rmdir"},
	call.Unlink: {"lookup", "remove"}, call.Unlinkat: {"lookup", "remove", "rmdir"}, call.Undelete: {"lookup", "whiteout"},
	call.Stat: {"lookup", "getattr", "access"}, call.Lstat: {"lookup", "getattr"}, call.Fstat: {"getattr"}, call.Fstatat: {"lookup", "getattr"},
	call.Access: {"lookup", "access"}, call.Chdir: {"lookup", "access"}, call.Read: {"read"}, call.Pread: {"read"}, call.Write: {"write"},
	call.Pwrite: {"write"}, call.Getdents: {"readdir"}, call.Chmod: {"lookup", "setattr"}, call.Fchmod: {"setattr"}, call.Chflags: {"setattr"},
	call.Fchown: {"getattr", "setattr"}, call.Chown: {"getattr", "setattr"}, call.Truncate: {"access", "setattr"}, call.Ftruncate: {"setattr"},
	call.Fsync: {"fsync"}, call.Utimes: {"setattr"},
}

// rarity is in how many calls each operation that may fail does so in one.
const rarity = 16

// plan says what fails in a call. It depends on nothing but the call, so that it stays while a script is shrunk.
func (f *failing) plan(c *call.Call) {
	*f = failing{}
	ops := failings[c.Op]
	h := fnv.New32a()
	_, _ = h.Write([]byte{byte(c.Op), byte(c.FD), byte(c.Mode), byte(c.Flags), byte(c.N), byte(c.Off)})
	_, _ = h.Write([]byte(c.Path))
	if n := int(h.Sum32()>>8) % rarity; n < len(ops) {
		f.op, f.err = ops[n], kern.EIO
	}
}

// A faulty is a kernel whose file system fails now and then, and the model of it: a call in which it does answers the error, and
// nothing has happened.
type faulty struct {
	*Kernel
	model *model.Model
	got   call.Result
}

// A plain is the model of a kernel whose file system fails.
type plain struct{ f *faulty }

func (p plain) Do(c *call.Call, r *call.Result) {
	f := p.f
	f.Kernel.failing.plan(c)
	f.Kernel.Do(c, &f.got)
	fired, err := f.Kernel.failing.fired, f.Kernel.failing.err
	f.Kernel.failing = failing{}
	if fired {
		r.Fail(err)
		return
	}
	f.model.Do(c, r)
}

func (p plain) Reset() error { return p.f.model.Reset() }

func (p plain) Close() error { return nil }

// Do answers what the kernel did when the model was asked.
func (f *faulty) Do(_ *call.Call, r *call.Result) {
	data := append(r.Data[:0], f.got.Data...)
	*r = f.got
	r.Data = data
}

// faultConfig says that calls are made on a mutant, or with m nil on a kernel without a bug, whose file system fails.
func faultConfig(m *Mutant, c driver.Config) driver.Config {
	f := new(faulty)
	c.Quirks, c.FS = kern.Fixed, driver.Rumpfs()
	c.Gen.Leave = append(c.Gen.Leave, call.Chroot, call.Fchroot) // who cannot find out whether it is in its root takes it that it is not
	c.Oracle = func() (call.System, error) {
		f.model = c.FS.Model(c.Quirks)
		return plain{f}, nil
	}
	c.System = func() (call.System, error) {
		k, err := New(m, c.FS, Config{Quirks: c.Quirks, Mode: hypercall.Deterministic, Faults: true})
		f.Kernel = k
		return f, err
	}
	return c
}

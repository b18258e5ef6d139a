package proptest

import (
	"fmt"
	"hash/fnv"

	"rumpvfs/hypercall"
	"rumpvfs/kern"
	"rumpvfs/proptest/call"
	"rumpvfs/proptest/driver"
	"rumpvfs/proptest/target"
)

// A failing is a kernel with the target in which something fails now and then, during a call: an operation of the file system, when it
// is called by the kernel or by another operation, or a request for memory. The call then answers the error, and nothing has happened:
// no name, no attribute, no reference and no lock has changed.
type failing struct {
	*target.Kernel
	host  *hypercall.FaultHost
	model *compared
	got   call.Result

	forced  *failure // nil, or what alone is to fail
	on      bool     // a call is being made
	nth     int      // which of the operations of the call that may fail does; 0 none
	seen    int      // of them so far
	changed bool     // an operation has changed something: from then on the call may not be undone
	what    string   // has failed
	log     []string // what has failed in each call
	wrong   error    // what a call that failed has left
	faults  uint64
}

// A failure is something that fails in one call of a script. It names the call by what it is, so that it stays while the script is shrunk.
type failure struct {
	call   call.Call
	before int // calls that are the same come first
	nth    int // which of its operations that may fail; 0 if it is memory
	memory int // which of its requests for memory

	met   int // calls that are the same so far
	fired bool
}

// boot boots a kernel with the target. locks says whether it verifies the order of locks.
func (f *failing) boot(t *Target, locks bool) (err error) {
	f.host, f.log, f.wrong = hypercall.NewFaultHost(t.Config.Host), f.log[:0], nil
	c := t.config(hypercall.Deterministic)
	c.CheckLocks = locks
	c.Host, c.Hooks = f.host, &kern.Hooks{Check: true, Fault: f.fault}
	f.Kernel, err = target.New(c, t.Prepare)
	return err
}

// Reset begins anew.
func (f *failing) Reset() error {
	f.log, f.wrong = f.log[:0], nil
	if f.forced != nil {
		f.forced.met = 0
	}
	return f.Kernel.Reset()
}

// changes are the operations that may fail, and whether they change something.
//
//policy:static read only
var changes = map[string]bool{
	"VOP_LOOKUP": false, "VOP_ACCESS": false, "VOP_GETATTR": false, "VOP_OPEN": false, "VOP_READLINK": false,
	"VOP_READ": true, "VOP_READDIR": true, "VOP_WRITE": true, "VOP_SETATTR": true, "VOP_FSYNC": true, "VOP_CREATE": true, "VOP_MKNOD": true, "VOP_MKDIR": true,
	"VOP_SYMLINK": true, "VOP_REMOVE": true, "VOP_RMDIR": true, "VOP_LINK": true, "VOP_RENAME": true, "VOP_WHITEOUT": true,
}

// fault is asked before each operation.
func (f *failing) fault(_ *kern.Lwp, op string) error {
	change, may := changes[op]
	if !f.on || !may || f.changed || f.what != "" {
		return nil
	}
	if f.seen++; f.seen == f.nth {
		f.what = op + " fails with EIO"
		return kern.EIO
	}
	f.changed = change
	return nil
}

// rarity is in how many calls of random scripts something fails in one.
const rarity = 3

// plan says what fails in a call.
func (f *failing) plan(c *call.Call) {
	f.on, f.nth, f.seen, f.changed, f.what = true, 0, 0, false, ""
	if f.forced == nil {
		f.random(c)
		return
	}
	if *c != f.forced.call {
		return
	}
	if f.forced.met++; f.forced.met == f.forced.before+1 {
		f.nth = f.forced.nth
		f.refuse(f.forced.memory)
	}
}

// refuse has the nth request for memory fail, if n is not 0.
func (f *failing) refuse(n int) {
	if n > 0 {
		f.host.SetFaults(hypercall.Fault{Op: hypercall.OpMalloc, Nth: int64(n), Err: hypercall.HostErrno(kern.ENOMEM)})
	}
}

// random chooses what fails in a call. It depends on nothing but the call.
func (f *failing) random(c *call.Call) {
	h := fnv.New32a()
	_, _ = h.Write([]byte{byte(c.Op), byte(c.FD), byte(c.Mode), byte(c.Flags), byte(c.N), byte(c.Off), byte(c.Size)})
	_, _ = h.Write([]byte(c.Path + "\x00" + c.Path2))
	n := h.Sum32() >> 8
	if n%rarity != 0 {
		return
	}
	n /= rarity
	if n%3 == 0 {
		f.refuse(int(1 + n/3%2))
	} else {
		f.nth = int(1 + n/3%6)
	}
}

// call makes a call in which something may fail.
func (f *failing) call(c *call.Call) {
	f.plan(c)
	f.Kernel.Do(c, &f.got)
	f.on = false
	if f.host.Injected() > 0 {
		f.what = "there is no memory"
	}
	f.host.SetFaults()
	if f.log = append(f.log, f.what); f.what != "" {
		f.faults++
		if f.forced != nil {
			f.forced.fired = true
		}
	}
}

// gaveUp reports whether the call has failed because something else had.
func (f *failing) gaveUp() bool {
	if f.what == "" || f.got.Stop != call.Running {
		return false
	}
	switch f.got.Errno {
	case kern.EIO:
		return true
	case kern.ENOMEM, kern.ENOSPC:
		return f.nth == 0
	}
	return false
}

// Do answers what the kernel did when the oracle was asked.
func (f *failing) Do(_ *call.Call, r *call.Result) {
	data := append(r.Data[:0], f.got.Data...)
	*r = f.got
	r.Data = data
}

// An unfailing is the oracle of a failing.
type unfailing struct{ *failing }

// Do has the kernel make the call, and answers the same if that has failed, else as the model.
func (o unfailing) Do(c *call.Call, r *call.Result) {
	f := o.failing
	if !f.model.diverged {
		f.call(c)
	}
	if f.model.diverged || !f.gaveUp() {
		f.model.Do(c, r)
		return
	}
	r.Reset()
	r.Fail(f.got.Errno)
	f.look(c)
}

// Reset begins anew.
func (o unfailing) Reset() error { return o.model.Reset() }

// Close does nothing: the failing itself is closed.
func (o unfailing) Close() error { return nil }

// look finds out whether what a call that failed was about is as it was.
func (f *failing) look(c *call.Call) {
	var list []call.Call
	for _, path := range []string{c.Path, c.Path2} {
		if path != "" {
			list = append(list, call.Call{Op: call.Lstat, Proc: c.Proc, Path: path})
		}
	}
	if c.Op.TakesFD() {
		list = append(list, call.Call{Op: call.Fstat, Proc: c.Proc, FD: c.FD})
	}
	var want, got call.Result
	for i := range list {
		f.model.Do(&list[i], &want)
		f.Kernel.Do(&list[i], &got)
		if got.File.Dev = want.File.Dev; !want.Equal(&got) && f.wrong == nil {
			f.model.broken = f.model.Last
			f.wrong = fmt.Errorf("after %v, which has failed, %v => %s, not %s", c, &list[i], got.Format(&list[i]), want.Format(&list[i]))
		}
	}
}

// faultDriver makes calls on a kernel with the target that fails, and on the model. The failing is the driver's system. locks says
// whether the order of locks is verified.
func (t *Target) faultDriver(m *compared, c driver.Config, locks bool) (*driver.Driver, *failing, error) {
	f := &failing{model: m}
	c.FS, c.Quirks, c.Same = t.FS, kern.Fixed, m.same
	c.Gen.Leave = append(append(c.Gen.Leave, t.Leave...), call.Chroot, call.Fchroot) // who cannot find out whether it is in its root takes it that it is not
	c.System = func() (call.System, error) { return f, f.boot(t, locks) }
	c.Oracle = func() (call.System, error) { return unfailing{f}, nil }
	c.Check = func(call.System, *call.Call) error {
		if f.wrong != nil || f.forced != nil && f.what == "" {
			return f.wrong
		}
		return f.Kernel.Check()
	}
	d, err := driver.New(c)
	return d, f, err
}

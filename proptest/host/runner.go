package host

import (
	"bytes"
	"context"
	"errors"

	"rumpvfs/hypercall"
	"rumpvfs/kern"
	"rumpvfs/proptest/call"
	"rumpvfs/proptest/clause"
	"rumpvfs/proptest/driver"
	"rumpvfs/proptest/gen"
	"rumpvfs/proptest/model"
	"rumpvfs/proptest/shrink"
)

// A Batcher is a system that makes many calls at once, while somebody else does something else.
type Batcher interface {
	call.System
	Send([]call.Call) error
	Receive() ([]call.Result, error)
}

// Config says what is run.
type Config struct {
	Seed     uint64
	Calls    uint64 // to be compared; 0: until the context ends
	Failures int    // that end the run; 0 is 1
	Stream   uint64 // tells runners with one seed apart
	FS       driver.FS
	// System makes the system under test; nil is a native kernel.
	System func() (call.System, error)
	// Host is what is compared with; nil is a new Host.
	Host Batcher
}

// A Runner makes random scripts on a model, which leads, on a kernel without quirks, and on the host, and compares: the
// kernel with the model, and the host with the kernel.
type Runner struct {
	*Comparer
	Calls   uint64 // compared
	Scripts uint64

	config Config
	model  *model.Model
	kernel call.System
	host   Batcher
	gen    *gen.Gen
	led    call.Result // of the model's last call
	got    call.Result // of the kernel's
	now    *trial      // is being led
	sent   *trial      // is under way on the host, or nil
	spare  *trial
}

// A trial is a script and what came of it.
type trial struct {
	script []call.Call
	cases  []Case      // of the calls that the host makes too
	batch  []call.Call // those calls
	failed *driver.Failure
}

// NewRunner makes a runner, which Close ends.
func NewRunner(c Config) (r *Runner, err error) {
	if c.FS.Name == "" {
		c.FS = driver.Rumpfs()
	}
	c.Failures = max(c.Failures, 1)
	r = &Runner{Comparer: NewComparer(c.FS), config: c, host: c.Host, model: c.FS.Model(kern.Fixed), now: new(trial), spare: new(trial)}
	if r.host == nil {
		if r.host, err = New(); err != nil {
			return nil, err
		}
	}
	if c.System == nil {
		c.System = func() (call.System, error) { return c.FS.Kernel(kern.Fixed, hypercall.Native) }
	}
	if r.kernel, err = c.System(); err != nil {
		return nil, errors.Join(err, r.host.Close())
	}
	r.gen = gen.New(gen.NewRand(c.Seed, c.Stream), gen.Config{Procs: 1, Fifos: c.FS.Caps.Fifos})
	return r, nil
}

// Close ends kernel and host.
func (r *Runner) Close() error {
	_, err := r.finish()
	return errors.Join(err, r.kernel.Close(), r.host.Close())
}

// Run makes scripts until the context ends, there are as many calls as Config.Calls says, or as many failures as
// Config.Failures. The error is that of a kernel or host that cannot be had.
func (r *Runner) Run(ctx context.Context) (failures []*driver.Failure, err error) {
	for ctx.Err() == nil && !r.Done() && len(failures) < r.config.Failures {
		f, err := r.Next()
		if err != nil {
			return failures, err
		}
		if f != nil {
			failures = append(failures, r.Shrunk(f))
		}
	}
	return failures, nil
}

// Done reports whether the calls that were asked for are compared, and no script is left to be.
func (r *Runner) Done() bool { return r.enough() && r.sent == nil }

func (r *Runner) enough() bool { return r.config.Calls > 0 && r.Calls >= r.config.Calls }

// Next makes one random script, unless there are enough, and compares the one before, which the host makes at the same time. There is no
// failure if all that differs is in the table.
func (r *Runner) Next() (*driver.Failure, error) {
	if r.enough() {
		return r.finish()
	}
	r.gen.Begin()
	if err := r.begin(); err != nil {
		return nil, err
	}
	for range r.gen.Length() {
		var c call.Call
		if r.gen.Next(&c); c.Op == call.Getdents {
			c.N = whole
		}
		if !r.lead(c) {
			break
		}
		r.gen.Note(&c, &r.led)
		if look, ok := made(&c); ok && r.led.Errno == 0 && !r.lead(look) {
			break
		}
	}
	f, err := r.finish()
	if f == nil && err == nil {
		f, err = r.send()
	}
	return f, err
}

// made is a look at what a call has made, so that what is not the same shows at once.
func made(c *call.Call) (look call.Call, ok bool) {
	dir := int32(kern.AT_FDCWD)
	switch c.Op {
	case call.Openat, call.Mkdirat:
		dir = c.FD
	case call.Open, call.Mkdir, call.Mknod, call.Mkfifo, call.Symlink:
	default:
		return look, false
	}
	return call.Call{Op: call.Fstatat, FD: dir, Path: c.Path, Flags: kern.AT_SYMLINK_NOFOLLOW}, true
}

// whole is a buffer for any directory of a script: how many entries fit in a shorter one is not compared.
const whole = 1 << 16

// Replay makes the calls of a script, when no other is under way.
func (r *Runner) Replay(script []call.Call) (*driver.Failure, error) {
	if err := r.begin(); err != nil {
		return nil, err
	}
	for _, c := range script {
		if !r.lead(c) {
			break
		}
	}
	if f, err := r.send(); f != nil || err != nil {
		return f, err
	}
	return r.finish()
}

// begin begins anew with the model and the kernel.
func (r *Runner) begin() error {
	t := r.now
	t.script, t.cases, t.batch, t.failed = t.script[:0], t.cases[:0], t.batch[:0], nil
	return errors.Join(r.model.Reset(), r.kernel.Reset())
}

// send sends the script that was led to the host, unless the kernel has failed in it.
func (r *Runner) send() (*driver.Failure, error) {
	t := r.now
	if t.failed != nil {
		return t.failed, nil
	}
	if err := r.host.Reset(); err != nil {
		return nil, err
	}
	r.sent, r.now, r.spare = t, r.spare, nil
	return nil, r.host.Send(t.batch)
}

// finish compares the script that is under way on the host, if one is.
func (r *Runner) finish() (*driver.Failure, error) {
	t := r.sent
	if t == nil {
		return nil, nil
	}
	results, err := r.host.Receive()
	r.sent, r.spare = nil, t
	if err != nil {
		return nil, err
	}
	r.Scripts++
	r.Begin()
	for i := range t.cases {
		x := &t.cases[i]
		x.Host = &results[i]
		r.Calls++
		ok, goesOn := r.Compare(x)
		if !ok {
			return t.failure(x, x.Host, errHost), nil
		}
		if !goesOn {
			break
		}
	}
	return nil, nil
}

// lead makes a call on model and kernel, and reports whether the script goes on. A call that no host has is left out, and is
// ENOSYS.
func (r *Runner) lead(c call.Call) bool {
	x := Case{Call: &c, Clause: &noClause}
	if r.Leaves(&x) {
		r.led.Fail(kern.ENOSYS)
		return true
	}
	r.model.Do(&c, &r.led)
	if r.led.Stop != call.Running {
		return false
	}
	t := r.now
	t.script = append(t.script, c)
	x.at, x.Ours, x.Clause = len(t.script)-1, keep(&r.led), r.model.Last.Info()
	if r.kernel.Do(&c, &r.got); !r.got.Equal(&r.led) {
		t.failed = t.failure(&x, &r.got, errKernel)
		return false
	}
	if !r.Leaves(&x) {
		t.cases, t.batch = append(t.cases, x), append(t.batch, c)
	}
	return true
}

// noClause is what is known of a call before it is made.
//
//policy:static read only
var noClause clause.Clause

// keep copies a result, whose data is used again.
func keep(r *call.Result) *call.Result {
	c := *r
	c.Data = bytes.Clone(r.Data)
	return &c
}

// What differs.
//
//policy:static read only
var (
	errKernel = errors.New("the kernel is not as the model")
	errHost   = errors.New("the host is not as the kernel, and the table does not say why")
)

func (t *trial) failure(x *Case, got *call.Result, err error) *driver.Failure {
	return &driver.Failure{
		Kind: driver.Differs, Script: append([]call.Call(nil), t.script[:x.at+1]...), Index: x.at, Want: *x.Ours, Got: *keep(got),
		Clause: clause.Named(x.Clause.Name()), Err: err,
	}
}

// Shrunk makes the script of a failure that Next has just found as small as it gets.
func (r *Runner) Shrunk(f *driver.Failure) *driver.Failure {
	seen, calls, scripts := append([]uint64(nil), r.Seen...), r.Calls, r.Scripts
	op := f.Script[f.Index].Op
	fails := func(script []call.Call) bool {
		g, err := r.Replay(script)
		return err == nil && g != nil && g.Err == f.Err && g.Script[g.Index].Op == op
	}
	if fails(f.Script) {
		if g, err := r.Replay(shrink.Minimize(f.Script, fails)); err == nil && g != nil {
			f = g
		}
	}
	r.Seen, r.Calls, r.Scripts = seen, calls, scripts // trying again does not count
	return f
}

package replay

import (
	"errors"
	"fmt"
	"maps"
	"slices"

	"rumpvfs/hypercall"
	"rumpvfs/kern"
	"rumpvfs/sim"
	"rumpvfs/sim/script"
)

// A Session runs the calls of one section, one after the other. It is used by
// one goroutine at a time.
type Session struct {
	Kernel *sim.Kernel

	host    hypercall.Host
	home    string // the section's private host directory, "$H"
	current *sim.Proc
	procs   map[string]*sim.Proc // by the names that rfork was bound to, and p0
	names   map[string]int64
	aliases script.Aliases
	buf     []byte // what reads read into
}

// NewSession boots a kernel for a session. If c names no host, it gets an
// in-memory one; the private directory is a temporary one of the host.
func NewSession(c sim.Config) (*Session, error) {
	if c.Host == nil {
		c.Host = hypercall.NewMemHost()
	}
	home, err := c.Host.TempDir()
	if err != nil {
		return nil, fmt.Errorf("host directory: %w", err)
	}
	k, err := sim.Boot(c)
	if err != nil {
		return nil, errors.Join(err, c.Host.RemoveAll(home))
	}
	return &Session{
		Kernel:  k,
		host:    c.Host,
		home:    home,
		current: k.Init(),
		procs:   map[string]*sim.Proc{"p0": k.Init()},
		names:   map[string]int64{},
	}, nil
}

// Proc returns the process that makes the next call.
func (s *Session) Proc() *sim.Proc { return s.current }

// Name returns the name that rfork was bound to when it made p, "p0" for the
// first process, or "" if there is none.
func (s *Session) Name(p *sim.Proc) string {
	for _, name := range slices.Sorted(maps.Keys(s.procs)) {
		if s.procs[name] == p {
			return name
		}
	}
	return ""
}

// Home returns the session's private host directory.
func (s *Session) Home() string { return s.home }

// Close shuts the kernel down and removes the private host directory. The
// error says what the kernel left over, if it had not stopped before. A file
// that the reference can use but not close without corrupting memory is not
// left over.
func (s *Session) Close() error {
	stopped := s.Kernel.Err()
	err := s.Kernel.Shutdown()
	var panic *kern.Panic
	if stopped != nil || errors.As(err, &panic) && panic.IsUndefined() {
		err = nil
	}
	return errors.Join(err, s.host.RemoveAll(s.home))
}

// A Result is what a call answered.
type Result struct {
	Text  string // as a trace shows it
	Errno kern.Errno
	// Stop is why the kernel has stopped, in this call or before: a
	// *kern.Panic, a hypercall.Blocked, or what else it was stopped for.
	Stop error
}

// Do makes a call. The error says why there is no result: a name in it is not
// bound, or the kernel was stopped from outside.
func (s *Session) Do(c *script.Call) (Result, error) {
	args, err := c.Resolve(s.lookup)
	if err != nil {
		return Result{}, err
	}
	a := calls[c.Name](s, args)
	if c.Bind != "" {
		s.bind(c, a)
	}
	return a.result()
}

func (s *Session) lookup(name string) (int64, bool) {
	v, ok := s.names[name]
	return v, ok
}

// bind gives c's name the value that the call returned, and if that was rfork
// makes it the new process's name as well.
func (s *Session) bind(c *script.Call, a answer) {
	s.names[c.Bind] = a.value
	if a.err != nil {
		s.names[c.Bind] = -1
	} else if c.Name == "rfork" {
		s.procs[c.Bind] = s.current
	}
}

// An answer is what a call gave, before it is text.
type answer struct {
	value int64
	text  string // empty for the value alone
	err   error
}

func (a answer) result() (Result, error) {
	var (
		errno   kern.Errno
		host    hypercall.HostErrno
		panic   *kern.Panic
		blocked hypercall.Blocked
	)
	switch {
	case a.err == nil && a.text == "":
		return Result{Text: script.FormatInt(a.value)}, nil
	case a.err == nil:
		return Result{Text: a.text}, nil
	case errors.As(a.err, &errno):
		return Result{Text: script.FormatErrno(errno), Errno: errno}, nil
	case errors.As(a.err, &host):
		return Result{Text: "-1", Errno: kern.Errno(host)}, nil
	case errors.As(a.err, &panic):
		return Result{Text: script.PANIC, Stop: a.err}, nil
	case errors.As(a.err, &blocked):
		return Result{Text: script.BLOCKED, Stop: a.err}, nil
	}
	return Result{}, fmt.Errorf("the kernel was stopped: %w", a.err)
}

// number is the answer of a call that returns n.
func number[N int | int64](n N, err error) answer { return answer{value: int64(n), err: err} }

// done is the answer of a call that returns 0.
func done(err error) answer { return answer{err: err} }

package kern

import "sync/atomic"

// Proc is a process: what the layers below the system calls need to know of
// it. Descriptor table and working directory belong to upper layers.
type Proc struct {
	Pid int32
	K   *Kernel

	cred atomic.Pointer[Cred] // replaced as a whole, never changed in place
	Cwdi any                  // namei.Cwdinfo: working and root directory, umask
	Fdp  any                  // vfs.Filedesc: descriptor table

	// AdvLocked is PK_ADVLOCK: the process may hold POSIX byte-range
	// locks, so that closing a descriptor has to release them.
	AdvLocked atomic.Bool

	nlwps atomic.Int32 // lwps there are
}

// NewProc makes a process with the next pid, counting from 1.
// The caller serialises calls.
func NewProc(k *Kernel, cred *Cred) *Proc {
	k.lastPid++
	p := &Proc{Pid: k.lastPid, K: k}
	p.cred.Store(cred)
	return p
}

// Cred returns the process's credentials. They are immutable and shared.
func (p *Proc) Cred() *Cred { return p.cred.Load() }

// SetCred gives the process other credentials. Calls in progress keep those
// they began with.
func (p *Proc) SetCred(c *Cred) { p.cred.Store(c) }

// Nlwps returns how many lwps the process has.
func (p *Proc) Nlwps() int { return int(p.nlwps.Load()) }

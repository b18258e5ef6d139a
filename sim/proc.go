package sim

import (
	"slices"
	"strconv"
	"sync/atomic"

	"rumpvfs/kern"
	"rumpvfs/namei"
	"rumpvfs/vfs"
)

// Proc is a process, or one of several lwps of a process (see [Proc.Go]).
type Proc struct {
	*process
	l       *kern.Lwp
	busy    atomic.Bool // l is in a call; a second goroutine gets an lwp of its own
	started bool        // l runs on a thread of its own
}

// process is what the lwps of a process share.
type process struct {
	k    *Kernel
	proc *kern.Proc
	fd   *vfs.Filedesc
	cwd  *namei.Cwdinfo
	name string // "pid 1"

	maps   kern.Mutex // held while memory is touched
	mapped []*Mapping // maps

	// calls counts the calls in progress. With exiting set no new one
	// begins, and the last to end frees the process and sets freed.
	calls atomic.Int64
}

const (
	exiting = 1 << 62
	freed   = 1 << 61
)

// begin begins a call, unless the process has exited.
func (p *process) begin() bool {
	if p.calls.Add(1)&exiting == 0 {
		return true
	}
	p.calls.Add(-1)
	return false
}

// free lets go of what the process holds, if it has exited and nobody else
// does or did that.
//
// Preconditions: no call is in progress but that of l, which has ended.
//
//netbsd:sys/rump/librump/rumpkern/lwproc.c lwproc_proc_free
func (p *process) free(l *kern.Lwp) (err error) {
	defer func() {
		if r := recover(); r != nil {
			err = p.k.died(r)
		}
	}()
	if p.calls.CompareAndSwap(exiting, exiting|freed) && p.k.K.Dead() == nil {
		p.fd.Free(l)
		p.unmapAll(l)
		p.k.forget(l, p) // nobody finds its directories any more
		p.cwd.Free(l)
	}
	return nil
}

// Kernel returns the kernel that p lives in.
func (p *Proc) Kernel() *Kernel { return p.k }

// RforkFlags says what a new process gets as its descriptor table.
type RforkFlags int

const (
	RUMP_RFFDG  RforkFlags = iota + 1 // a copy
	RUMP_RFCFDG                       // an empty table
	RUMP_RFSHFD                       // the same table
)

// Rfork makes a process with a copy of p's credentials, working directory,
// root and umask, and with the descriptors that flags says.
//
//netbsd:sys/rump/librump/rumpkern/lwproc.c lwproc_newproc
func (p *Proc) Rfork(flags RforkFlags) (child *Proc, err error) {
	l, err := p.enter("rfork")
	if err != nil {
		return nil, err
	}
	defer p.leave(l, &err)
	var fd *vfs.Filedesc
	switch flags {
	case RUMP_RFFDG:
		fd = p.fd.Copy(l)
	case RUMP_RFCFDG:
		fd = p.k.F.NewFiledesc(kern.NOFILE)
	case RUMP_RFSHFD:
		fd = p.fd.Share()
	default:
		return nil, kern.EINVAL
	}
	return p.k.newProc(l, p.proc.Cred(), fd, p.cwd.Copy(l)), nil
}

// newProc enters a process into the table. fd and cwd pass to it.
func (k *Kernel) newProc(l *kern.Lwp, cred *kern.Cred, fd *vfs.Filedesc, cwd *namei.Cwdinfo) *Proc {
	p := &Proc{process: &process{k: k, fd: fd, cwd: cwd}}
	p.maps.Init(k.Sys, &mapsLockClass)
	if l != nil {
		k.procLock.Enter(l)
		defer k.procLock.Exit(l)
	}
	p.proc = kern.NewProc(k.K, cred)
	p.name = "pid " + strconv.Itoa(int(p.proc.Pid))
	p.proc.Cwdi = cwd
	p.proc.Fdp = fd
	p.l = kern.NewLwp(k.K, p.proc, "main")
	k.procs = append(k.procs, p)
	return p
}

// Exit ends the process: its descriptors are closed, its directories let go.
// Calls of other lwps that are in progress are still done first; later ones
// are ESRCH.
//
//netbsd:sys/rump/librump/rumpkern/lwproc.c rump_lwproc_releaselwp
func (p *Proc) Exit() (err error) {
	l, err := p.enter("exit")
	if err != nil {
		return err
	}
	defer p.leave(l, &err)
	if p.calls.Or(exiting)&exiting != 0 {
		return kern.ESRCH
	}
	return nil
}

func (k *Kernel) forget(l *kern.Lwp, p *process) {
	k.procLock.Enter(l)
	for i, q := range k.procs {
		if q.process == p {
			k.procs = append(k.procs[:i], k.procs[i+1:]...)
			break
		}
	}
	k.procLock.Exit(l)
}

//netbsd:sys/kern/kern_proc.c proc_find
func (k *Kernel) hasProc(l *kern.Lwp, pid int32) bool {
	k.procLock.Enter(l)
	defer k.procLock.Exit(l)
	return slices.ContainsFunc(k.procs, func(p *Proc) bool { return p.proc.Pid == pid })
}

// Lwp is a thread of a process that [Proc.Go] has started.
type Lwp struct{ l *kern.Lwp }

// Go runs body in a new lwp of the process, on a goroutine of its own or, in
// a deterministic kernel, when the scheduler picks it. body makes its calls
// on the Proc that it is given. When the kernel is shut down, a call of an lwp
// that has not ended does not return: the deferred functions of body run, and
// the lwp ends. In a kernel that has stopped before body begins it never does.
func (p *Proc) Go(name string, body func(p *Proc)) *Lwp {
	return &Lwp{kern.StartLwp(p.k.K, p.proc, name, func(l *kern.Lwp) {
		body(&Proc{process: p.process, l: l, started: true})
	})}
}

// Join waits until lwp has ended. The error is why the kernel has stopped, if
// it has: a deterministic one where all wait for each other stops with
// [hypercall.Blocked].
func (p *Proc) Join(lwp *Lwp) (err error) {
	l, err := p.enter("join")
	if err != nil {
		return err
	}
	defer p.leave(l, &err)
	lwp.l.Join(&l.Thread)
	return nil
}

// Getpid returns the process's number. The first process is 1.
func (p *Proc) Getpid() int { return int(p.proc.Pid) }

// Cred returns the credentials that the next call will have.
func (p *Proc) Cred() *kern.Cred { return p.proc.Cred() }

package sim

import (
	"sync/atomic"

	"rumpvfs/kern"
	"rumpvfs/namei"
	"rumpvfs/vfs"
)

// Proc is a process, or one of several lwps of a process (see [Proc.Go]).
type Proc struct {
	k    *Kernel
	proc *kern.Proc
	fd   *vfs.Filedesc
	cwd  *namei.Cwdinfo

	l      *kern.Lwp
	busy   atomic.Bool // l is in a call; a second goroutine gets an lwp of its own
	exited atomic.Bool
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
	p := &Proc{k: k, fd: fd, cwd: cwd}
	if l != nil {
		k.procLock.Enter(l)
		defer k.procLock.Exit(l)
	}
	p.proc = kern.NewProc(k.K, cred)
	p.proc.Cwdi = cwd
	p.proc.Fdp = fd
	p.l = kern.NewLwp(k.K, p.proc, "main")
	k.procs = append(k.procs, p)
	return p
}

// Exit ends the process: its descriptors are closed, its directories let go.
//
//netbsd:sys/rump/librump/rumpkern/lwproc.c lwproc_proc_free
func (p *Proc) Exit() (err error) {
	l, err := p.enter("exit")
	if err != nil {
		return err
	}
	p.exited.Store(true)
	defer p.leave(l, &err)
	p.fd.Free(l)
	p.cwd.Free(l)
	p.k.forget(l, p)
	return nil
}

func (k *Kernel) forget(l *kern.Lwp, p *Proc) {
	k.procLock.Enter(l)
	for i, q := range k.procs {
		if q == p {
			k.procs = append(k.procs[:i], k.procs[i+1:]...)
			break
		}
	}
	k.procLock.Exit(l)
}

// Go runs body in a new lwp of the process, on a goroutine of its own or, in
// a deterministic kernel, when the scheduler picks it. body makes its calls
// on the Proc that it is given.
func (p *Proc) Go(name string, body func(p *Proc)) {
	q := &Proc{k: p.k, proc: p.proc, fd: p.fd, cwd: p.cwd}
	q.l = kern.StartLwp(p.k.K, p.proc, name, func(l *kern.Lwp) {
		q.l = l
		body(q)
	})
}

// Getpid returns the process's number. The first process is 1.
func (p *Proc) Getpid() int { return int(p.proc.Pid) }

// Cred returns the credentials that the next call will have.
func (p *Proc) Cred() *kern.Cred { return p.proc.Cred() }

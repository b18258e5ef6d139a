package sim

import "rumpvfs/kern"

// Call runs f as a system call of p, with cred in place of the process's own
// credentials unless it is nil. It is how a service that is no process of the
// kernel, such as a server of files, makes calls on vnodes: the error is that
// of f, why the kernel has stopped (f may then have been cut off where it
// waited), or ESRCH after the process has exited.
//
// f keeps no vnode lock and does not use l afterwards.
func (p *Proc) Call(name string, cred *kern.Cred, f func(l *kern.Lwp) error) (err error) {
	l, err := p.enter(name)
	if err != nil {
		return err
	}
	defer p.leave(l, &err)
	if cred != nil {
		l.Cred = cred
	}
	return f(l)
}

// Newlwp makes another lwp of the process, for a goroutine of the caller. The
// calls of the Proc that it returns are made by that lwp; it ends with
// Releaselwp.
//
//netbsd:sys/rump/librump/rumpkern/lwproc.c rump_lwproc_newlwp
func (p *Proc) Newlwp() *Proc {
	return &Proc{process: p.process, l: kern.NewLwp(p.k.K, p.proc, "lwp")}
}

// Releaselwp ends an lwp that Newlwp made and that is in no call. The process
// lives on.
func (p *Proc) Releaselwp() { p.l.Exit() }

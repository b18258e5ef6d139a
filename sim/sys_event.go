package sim

import (
	"time"

	"rumpvfs/kern"
	"rumpvfs/vfs"
)

// Poll says in Revents of fds what can be done with each descriptor without
// waiting, and returns of how many there is something to say. If of none, it
// waits for that: for ever if timeout is negative, otherwise for at most that
// long. EINVAL if there are far more than descriptors.
//
//netbsd:sys/kern/sys_select.c sys_poll
func (p *Proc) Poll(fds []vfs.Pollfd, timeout time.Duration) (n int, err error) {
	l, err := p.enter("poll")
	if err != nil {
		return 0, err
	}
	defer p.leave(l, &err)
	return p.fd.Poll(l, fds, timeout)
}

// Kqueue makes a kqueue, with which to wait for events, and returns a
// descriptor of it. EMFILE, ENFILE. A child of the process does not get it,
// unless it shares the descriptors.
//
//netbsd:sys/kern/kern_event.c sys_kqueue
func (p *Proc) Kqueue() (fd int, err error) {
	l, err := p.enter("kqueue")
	if err != nil {
		return -1, err
	}
	defer p.leave(l, &err)
	return vfs.NewKqueue(l, p.fd)
}

// Kevent changes what a kqueue watches and then stores events that have
// happened into events; see [vfs.Kqueue.Kevent]. EBADF if kq is no kqueue.
//
//netbsd:sys/kern/kern_event.c sys___kevent50
func (p *Proc) Kevent(kq int, changes, events []kern.Kevent, timeout time.Duration) (n int, err error) {
	l, err := p.enter("kevent")
	if err != nil {
		return 0, err
	}
	defer p.leave(l, &err)
	k, err := p.fd.GetKqueue(l, kq)
	if err != nil {
		return 0, err
	}
	defer p.fd.Putfile(l, kq)
	return k.Kevent(l, changes, events, timeout)
}

package kern

import (
	"sync/atomic"

	"rumpvfs/hypercall"
)

// Lwp is a light-weight process: a thread of execution in the kernel. It is
// the curlwp of the C kernel, passed explicitly. An Lwp is used by one
// goroutine at a time.
type Lwp struct {
	hypercall.Thread
	K     *Kernel
	Proc  *Proc
	Cred  *Cred  // credentials for the call in progress; refreshed at system-call entry
	Hooks *Hooks // nil: nothing watches this lwp

	// Scratch space of upper layers, one slot each, made on first use and
	// kept for the life of the lwp so that hot paths allocate nothing.
	VopFrames any // vnode: argument structs of forwarded operations
	Nameidata any // namei: path walk state
	Vfs       any // vfs: attributes, uio of directory reads
	Sim       any // sim: uio of reads and writes
	Fstrans   any // vnode: fstrans(9) state of this lwp
	Uvm       any // uvm: arrays of pages for transfers

	polling *poller // nil unless in poll(2)

	Depth int // nesting of vnode operations, kept only while Hooks is set

	interrupted atomic.Bool              // an interrupt is pending
	sleep       atomic.Pointer[sigSleep] // what it waits for in WaitSig
}

// NewLwp makes an lwp of p for the calling goroutine, which then is a hub
// of the scheduler. The lwp ends with Exit.
func NewLwp(k *Kernel, p *Proc, name string) *Lwp {
	l := newLwp(k, p)
	k.Sys.Adopt(&l.Thread, name)
	return l
}

func newLwp(k *Kernel, p *Proc) *Lwp {
	l := &Lwp{K: k, Proc: p, Hooks: k.Hooks}
	if p != nil {
		l.Cred = p.Cred()
		p.nlwps.Add(1)
	}
	return l
}

// Exit ends an lwp that NewLwp made. One that StartLwp started ends when its
// body returns.
func (l *Lwp) Exit() {
	l.leaveProc()
	l.Thread.Exit()
}

func (l *Lwp) leaveProc() {
	if l.Proc != nil {
		l.Proc.nlwps.Add(-1)
	}
}

// StartLwp runs body in a new lwp of p with its own thread.
func StartLwp(k *Kernel, p *Proc, name string, body func(l *Lwp)) *Lwp {
	l := newLwp(k, p)
	k.Sys.Start(&l.Thread, name, func() {
		defer l.leaveProc()
		body(l)
	})
	return l
}

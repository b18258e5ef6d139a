package kern

import (
	"fmt"
	"strings"
	"sync/atomic"

	"rumpvfs/hypercall"
)

// Kernel is one running kernel as seen by all layers: the machine below it,
// whether it has panicked, and the numbers it hands out. The layers keep
// their own state in values of their own which the boot code wires together.
type Kernel struct {
	Sys      *hypercall.System
	Quirks   Quirks
	Boottime Timespec // when the kernel was made
	Hooks    *Hooks   // copied into every new lwp; nil when nothing watches

	// HasProc reports whether there is a process with a number (proc_find).
	// Who keeps the processes sets it. It takes proc_lock.
	HasProc func(l *Lwp, pid int32) bool

	selectLock Mutex // who polls what

	dead    atomic.Pointer[death]
	lastPid int32 // :: boot and fork are serialised by the process table's lock
}

// NewKernel makes a kernel on the machine sys.
func NewKernel(sys *hypercall.System, quirks Quirks) *Kernel {
	k := &Kernel{Sys: sys, Quirks: quirks}
	k.Boottime = k.Nanotime()
	k.selectLock.Init(sys, &selectLockClass)
	return k
}

// Nanotime is the time of day.
//
//netbsd:sys/kern/kern_tc.c nanotime
func (k *Kernel) Nanotime() Timespec {
	now := k.Sys.Now()
	return Timespec{Sec: now.Unix(), Nsec: int64(now.Nanosecond())}
}

// Panic is a kernel panic. It is an error, and once a kernel has panicked
// every later call of that kernel returns it. The host program goes on.
type Panic struct {
	Msg   string // what the kernel said
	State string // the vnode or object it said it of, as vprint would; may be empty
	Stack []byte // Go stack of the lwp that panicked, if it was a run-time error
	Cause error  // what was broken, if it was the contract of an operation or the order of locks
}

// Unwrap returns the cause, for [errors.As].
func (p *Panic) Unwrap() error { return p.Cause }

func (p *Panic) Error() string {
	if p.State == "" {
		return "panic: " + p.Msg
	}
	return "panic: " + p.Msg + "\n" + p.State
}

// IsUndefined reports whether the reference would have corrupted memory
// instead.
func (p *Panic) IsUndefined() bool { return strings.HasPrefix(p.Msg, undefined) }

const undefined = "undefined: "

// death is why a kernel stopped.
type death struct{ reason error }

// Dead returns why the kernel stopped, or nil while it runs: a [*Panic], or
// what the machine says when nobody in it can ever run again.
func (k *Kernel) Dead() error {
	if d := k.dead.Load(); d != nil {
		return d.reason
	}
	return nil
}

// Die stops the kernel: the first reason is kept, everybody who sleeps in
// the kernel is woken to unwind. It returns the reason that counts.
func (k *Kernel) Die(reason error) error {
	if k.dead.CompareAndSwap(nil, &death{reason}) {
		k.Sys.Stop(reason)
	}
	return k.Dead()
}

// Stater is what an assertion can print: vnodes, mounts, pages.
type Stater interface{ KernelState() string }

// Panicf stops the kernel with a message, as panic(9) does. It does not
// return: the call in progress unwinds to its system-call entry. Arguments
// that are a [Stater] have their state kept in the panic.
func Panicf(format string, args ...any) {
	p := &Panic{Msg: fmt.Sprintf(format, args...)}
	for _, a := range args {
		if s, ok := a.(Stater); ok {
			p.State = s.KernelState()
			break
		}
	}
	panic(p)
}

// KASSERT panics when cond is false. Assertions are always on; what names
// the broken invariant.
func KASSERT(cond bool, what string) {
	if !cond {
		assertFailed(what, nil)
	}
}

// KASSERTOf is KASSERT with the object whose state the panic shall show.
func KASSERTOf(cond bool, what string, of Stater) {
	if !cond {
		assertFailed(what, of)
	}
}

//go:noinline
func assertFailed(what string, of Stater) {
	p := &Panic{Msg: "kernel diagnostic assertion \"" + what + "\" failed"}
	if of != nil {
		p.State = of.KernelState()
	}
	panic(p)
}

// Undefined panics where the reference would corrupt memory. quirk is the
// name of the quirk in the table.
func Undefined(quirk string) { Panicf("%s%s", undefined, quirk) }

package driver

import (
	"errors"
	"fmt"
	"strings"

	"rumpvfs/hypercall"
	"rumpvfs/proptest/call"
	"rumpvfs/proptest/clause"
	"rumpvfs/vnode"
)

// A Kind says what is wrong.
type Kind uint8

const (
	Differs  Kind = iota + 1 // oracle and system answer differently
	Panics                   // the system panics, and the oracle does not
	Leftover                 // the system cannot begin anew, because something is left over
	Invalid                  // a check after a call found something wrong
	Crash                    // a Go panic
	Contract                 // an operation is not called, or does not return, as vnode_if.src promises
	Locks                    // locks are taken in an order that may end in a deadlock, or not left
)

func (k Kind) String() string {
	switch k {
	case Differs:
		return "differs"
	case Panics:
		return "panics"
	case Leftover:
		return "leftover"
	case Invalid:
		return "invalid"
	case Crash:
		return "crash"
	case Contract:
		return "contract"
	case Locks:
		return "locks"
	}
	return "none"
}

// A Failure is a script that shows what is wrong.
type Failure struct {
	Kind   Kind
	Script []call.Call
	Index  int // of the call at which it shows; of a leftover, their number
	Want   call.Result
	Got    call.Result
	Clause clause.ID // by which the oracle answered, 0 if it does not say
	Err    error     // what is wrong, unless it is the answer, or a panic of a system that does not say why
}

// PanicKind is the kind of a failure that is a panic of a kernel: Contract, Locks or Panics.
func PanicKind(err error) Kind {
	switch {
	case errors.As(err, new(vnode.Breach)):
		return Contract
	case errors.As(err, new(hypercall.LockReport)):
		return Locks
	}
	return Panics
}

// String is the failure in two lines or three: the last call with what was wanted and what came.
func (f *Failure) String() string {
	var b strings.Builder
	fmt.Fprintf(&b, "%v after %d calls", f.Kind, min(f.Index+1, len(f.Script)))
	if f.Index < len(f.Script) {
		c := &f.Script[f.Index]
		fmt.Fprintf(&b, ": p%d %v", c.Proc, c)
		if f.Kind == Differs || f.Got.Stop == call.Panic {
			fmt.Fprintf(&b, "\n\twant %s (%v)\n\tgot  %s", f.Want.Format(c), f.Clause, f.Got.Format(c))
		}
	}
	if f.Err != nil {
		fmt.Fprintf(&b, "\n\t%v", f.Err)
	}
	return b.String()
}

// op is the call at which the failure shows, None if it is a leftover.
func (f *Failure) op() call.Op {
	if f.Index < len(f.Script) {
		return f.Script[f.Index].Op
	}
	return call.None
}

// keep copies a result, whose data is used again.
func keep(r *call.Result) call.Result {
	c := *r
	c.Data = append([]byte(nil), r.Data...)
	return c
}

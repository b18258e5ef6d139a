package driver

import (
	"fmt"
	"strings"

	"rumpvfs/proptest/call"
	"rumpvfs/proptest/clause"
)

// A Kind says what is wrong.
type Kind uint8

const (
	Differs  Kind = iota + 1 // oracle and system answer differently
	Panics                   // the system panics, and the oracle does not
	Leftover                 // the system cannot begin anew, because something is left over
	Invalid                  // a check after a call found something wrong
	Crash                    // a Go panic
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
	Err    error     // of Leftover, Invalid and Crash: what is wrong
}

// String is the failure in two lines or three: the last call with what was wanted and what came.
func (f *Failure) String() string {
	var b strings.Builder
	fmt.Fprintf(&b, "%v after %d calls", f.Kind, min(f.Index+1, len(f.Script)))
	if f.Index < len(f.Script) {
		c := &f.Script[f.Index]
		fmt.Fprintf(&b, ": p%d %v", c.Proc, c)
		if f.Kind == Differs || f.Kind == Panics {
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

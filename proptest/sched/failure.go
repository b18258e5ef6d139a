package sched

import (
	"fmt"
	"strings"

	"rumpvfs/proptest/clause"
)

// A Kind is what went wrong.
type Kind int

const (
	Difference Kind = iota // the results are not those of the specification
	Deadlock               // lwps wait for each other, or for what never comes
	Panic                  // the kernel panicked
	Leftover               // references, locks or the like were left over when the kernel was shut down, or there was no end
	Contract               // an operation was not called, or did not return, as vnode_if.src promises
	Locks                  // locks were taken in an order that may end in a deadlock, or not left
)

// String is the kind in a word.
func (k Kind) String() string {
	return [...]string{"difference", "deadlock", "panic", "leftover", "contract", "locks"}[k]
}

// A Failure is a program and a schedule under which it goes wrong.
type Failure struct {
	Kind     Kind
	Why      string
	Program  *Program
	Schedule Schedule
	History  string

	// Of a difference: the first call with an answer that no order of steps explains, and the clauses by which the model might have
	// answered it.
	Blamed  string
	Clauses []clause.ID
}

// String is all of it, so that it can be seen and done again.
func (f *Failure) String() string {
	var b strings.Builder
	fmt.Fprintf(&b, "%v: %s\n", f.Kind, f.Why)
	if f.Blamed != "" {
		fmt.Fprintf(&b, "the answer to %s should be by\n", f.Blamed)
	}
	for _, id := range f.Clauses {
		fmt.Fprintf(&b, "\t%v: %s\n", id, id.Info().Sentence)
	}
	fmt.Fprintf(&b, "schedule %v\n", f.Schedule)
	if f.Program != nil {
		b.WriteString(f.Program.String())
	}
	if f.History != "" {
		b.WriteString("history\n")
		b.WriteString(f.History)
	}
	return b.String()
}

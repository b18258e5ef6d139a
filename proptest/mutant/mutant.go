package mutant

import (
	"fmt"
	"slices"
	"strings"

	"rumpvfs/proptest/call"
	"rumpvfs/proptest/driver"
)

// A Kind says what it takes to see a bug.
type Kind uint8

const (
	Plain      Kind = iota // calls, one after the other
	Concurrent             // calls of several lwps at a time
	Fault                  // a file system that fails
)

func (k Kind) String() string { return [...]string{"plain", "concurrent", "fault"}[k] }

// An Oracle is what should notice a bug.
type Oracle uint8

const (
	Model    Oracle = iota // the answers of the reference model
	Contract               // what the operations promise of locks and references, checked as they run, or an assertion
	Audit                  // what is left over when the kernel is shut down
)

func (o Oracle) String() string { return [...]string{"model", "contract", "audit"}[o] }

// A Mutant is a bug that a kernel can be booted with.
type Mutant struct {
	Name   string
	What   string // a sentence: what the kernel does wrong
	Origin string // where NetBSD had it: the file, the last revision with it and one without; empty if it is made up
	Kind   Kind
	Oracle Oracle
	Tmpfs  bool // the bug is in tmpfs
	Fifofs bool // the bug is in the fifos of tmpfs; the others are in rumpfs
	Waits  bool // a call may wait for ever, or forget a lock: only a deterministic kernel says so

	vector func(*vector)                               // changes the operations of a file system
	sysent func(*memory, do, *call.Call, *call.Result) // makes a call in place of the kernel, with its help
}

// do is how the kernel makes a call.
type do func(*call.Call, *call.Result)

// FS is the name of the file system that the bug is in.
func (m *Mutant) FS() string { return m.system().Name }

// system is the file system that the bug is in.
func (m *Mutant) system() driver.FS {
	switch {
	case m.Fifofs:
		return driver.FifoTmpfs()
	case m.Tmpfs:
		return driver.Tmpfs()
	}
	return driver.Rumpfs()
}

// ops is the name of the vector that the bug is in.
func (m *Mutant) ops() string {
	if m.Fifofs {
		return "tmpfs fifo"
	}
	if m.Tmpfs {
		return "tmpfs"
	}
	return "rumpfs"
}

// All are the mutants, in the order of their subjects.
func All() []*Mutant {
	list := slices.Concat(attributes(), names(), contents(), permissions(), locks(), calls(), corners(), renames(), fifos(), races(), mishandled())
	all := make([]*Mutant, len(list))
	for i := range list {
		all[i] = &list[i]
	}
	return all
}

// Named finds a mutant. The error lists names that are like it.
func Named(name string) (*Mutant, error) {
	var like []string
	for _, m := range All() {
		if m.Name == name {
			return m, nil
		}
		if strings.Contains(m.Name, name) {
			like = append(like, m.Name)
		}
	}
	if len(like) > 0 {
		return nil, fmt.Errorf("no mutant is called %q; there are %s", name, strings.Join(like, ", "))
	}
	return nil, fmt.Errorf("no mutant is called %q", name)
}

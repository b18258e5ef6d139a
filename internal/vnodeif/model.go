// Package vnodeif compiles the table of vnode operations, vnode/vnode_if.src,
// into the Go source of the operation vector and into its documentation. The
// grammar is described at the head of the table itself.
//
//	parse.go   text to model, with the errors of single lines
//	check.go   the rules that a whole operation has to keep
//	gen.go     model to Go
//	doc.go     model to Markdown
package vnodeif

import (
	"errors"
	"fmt"
	"strings"
)

// A File is a parsed table.
type File struct {
	Name    string // for messages
	Imports []Import
	Ops     []*Op
}

// An Import is a package that types of the table come from.
type Import struct {
	Path string
	Line int
}

// base is the name the package is used under.
func (i Import) base() string { return i.Path[strings.LastIndexByte(i.Path, '/')+1:] }

// An Op is one vnode operation.
type Op struct {
	Name    string
	Doc     []string // lines of text
	NoFault bool
	Params  []*Param
	Line    int
}

// A Direction says which way a parameter goes.
type Direction string

const (
	In    Direction = "in"
	Ref   Direction = "ref"   // in, pointing to what is changed
	Out   Direction = "out"   // a result
	InOut Direction = "inout" // an argument and a result
)

// An Interlock says what becomes of a vnode's interlock.
type Interlock string

const (
	InterlockNone  Interlock = ""
	InterlockEntry Interlock = "entry" // held on entry
	InterlockDrop  Interlock = "drop"  // held on entry, not on return
)

// A Param is an argument or a result of an operation.
type Param struct {
	Dir       Direction
	Name      string
	Type      string
	Locked    bool // has a lock mark: the three states follow
	LockIn    byte
	LockOut   byte
	LockErr   byte
	Put       bool
	Rele      bool
	Unlock    bool
	Makes     bool
	Names     bool
	Attrs     bool
	Interlock Interlock
	Namei     string // flags namei must be asked for
	Line      int
}

// IsVnode reports whether the parameter is a vnode.
func (p *Param) IsVnode() bool { return p.Type == "*Vnode" }

// IsArg reports whether the parameter is an argument.
func (p *Param) IsArg() bool { return p.Dir != Out }

// IsResult reports whether the parameter is a result.
func (p *Param) IsResult() bool { return p.Dir == Out || p.Dir == InOut }

// Nilable reports whether a vnode argument may be nil.
func (p *Param) Nilable() bool { return p.LockIn == 'X' }

// An Error is a fault in the table.
type Error struct {
	File string
	Line int
	Msg  string
}

func (e *Error) Error() string { return fmt.Sprintf("%s:%d: %s", e.File, e.Line, e.Msg) }

// errorList collects the errors of a file.
type errorList struct {
	file string
	errs []error
}

func (el *errorList) add(line int, format string, args ...any) {
	el.errs = append(el.errs, &Error{el.file, line, fmt.Sprintf(format, args...)})
}

func (el *errorList) err() error { return errors.Join(el.errs...) }

package vnode

import (
	"fmt"
	"strings"

	"rumpvfs/kern"
)

//go:generate go run rumpvfs/internal/vnodeif/cmd/vnodeif vnode_if.src vnode_if.go ../docs/VOPS.md

// Generic is a routine that can serve any operation: it finds out from the
// descriptor what it is asked to do. It must not keep a after it returns,
// nor anything that it got from a's pointer methods.
type Generic = func(l *kern.Lwp, a Args) error

// Args is an operation on its way to a [Generic] routine: the arguments, and
// room for the results. Which type it has says the descriptor; a routine
// that knows the operation asserts, say, a.(*LookupArgs).
//
// The methods that return a pointer to a parameter let a layer put its own
// vnodes and names in the place of those it was called with.
type Args interface {
	// Desc returns the operation's descriptor.
	Desc() *Desc
	// Call performs the operation with the routine of ops, unwatched.
	Call(l *kern.Lwp, ops *Ops) error
	// VnodeArg returns where the i-th vnode argument is, nil after the last.
	VnodeArg(i int) **Vnode
	// VnodeResult returns where the vnode that comes back is, or nil.
	VnodeResult() **Vnode
	// ComponentnameArg returns where the (first) component name is, or nil.
	ComponentnameArg() **Componentname
	// CredArg returns where the credentials are, or nil.
	CredArg() **kern.Cred
	// Param returns the i-th parameter of the descriptor.
	Param(i int) any
}

// noArgs answers for what an operation does not have.
type noArgs struct{}

func (noArgs) VnodeResult() **Vnode              { return nil }
func (noArgs) ComponentnameArg() **Componentname { return nil }
func (noArgs) CredArg() **kern.Cred              { return nil }

// A Desc describes an operation, as vnode_if.src has it. It is the
// vnodeop_desc of the C kernel, with the lock states added.
type Desc struct {
	Offset  int    // VOP_LOOKUP_DESCOFFSET
	Name    string // VOP_LOOKUP
	NoFault bool   // callers cannot cope with an error
	Names   bool   // changes the names of a directory
	Attrs   bool   // changes the attributes of a vnode
	Params  []ParamDesc
}

// OpDesc returns the descriptor of the operation with an offset.
func OpDesc(offset int) *Desc { return &opDescs[offset] }

// A ParamDesc describes a parameter of an operation.
type ParamDesc struct {
	Name       string
	Kind       ParamKind
	Dir        Direction
	LockIn     LockState // of a vnode: on entry,
	LockOut    LockState // on success
	LockErr    LockState // and on an error
	WillPut    bool      // is unlocked and released
	WillRele   bool      // is released
	WillUnlock bool      // is unlocked
	WillMake   bool      // is a result with a new reference
	Names      bool      // its names may change
	Attrs      bool      // its attributes may change
	Interlock  Interlock
}

// ParamKind is what generic routines know of a parameter's type.
type ParamKind uint8

const (
	ParamOther ParamKind = iota
	ParamVnode
	ParamComponentname
	ParamCred
)

// Direction says which way a parameter goes.
type Direction uint8

const (
	DirIn    Direction = iota // an argument
	DirRef                    // an argument that points to what is changed
	DirOut                    // a result
	DirInOut                  // an argument and a result
)

// LockState is what the contract says of a vnode's lock.
type LockState byte

const (
	LockExclusive LockState = 'L' // held exclusively by the caller
	LockHeld      LockState = 'S' // held shared or exclusively
	LockNotHeld   LockState = 'U' // not held exclusively by the caller
	LockIfSet     LockState = 'X' // LockExclusive unless the vnode is nil
	LockSame      LockState = '=' // as on entry
	LockNone      LockState = '-' // no vnode
)

// Interlock is what the contract says of a vnode's interlock.
type Interlock uint8

const (
	InterlockNone  Interlock = iota
	InterlockEntry           // held on entry
	InterlockDrop            // held on entry, released on return
)

// Cookies receives, from VOP_READDIR, the directory offset that follows each
// entry read.
type Cookies []int64

// frame keeps an argument struct for its next use. A call nested in one of
// the same operation finds the frame empty and makes another struct.
type frame[T any] struct{ free *T }

func (fr *frame[T]) take() *T {
	a := fr.free
	if a == nil {
		return new(T)
	}
	fr.free = nil
	return a
}

func (fr *frame[T]) give(a *T) {
	var zero T
	*a = zero
	fr.free = a
}

func framesOf(l *kern.Lwp) *vopFrames {
	if fr, ok := l.VopFrames.(*vopFrames); ok {
		return fr
	}
	fr := new(vopFrames)
	l.VopFrames = fr
	return fr
}

// Call performs an operation with the routines of ops whatever the vnodes'
// own vectors are. It is how a vector hands operations on to another one.
//
//netbsd:sys/sys/vnode.h VOCALL
func (ops *Ops) Call(l *kern.Lwp, a Args) error { return a.Call(l, ops) }

// VCALL performs an operation on vp like the front ends do, watched if the
// lwp is, with arguments that the caller made.
//
// Preconditions: those of the operation.
// Postconditions: those of the operation.
//
//netbsd:sys/sys/vnode.h VCALL
func VCALL(l *kern.Lwp, vp *Vnode, a Args) error {
	var err error
	if ops := vp.ops(); l.Hooks == nil {
		err = a.Call(l, ops)
	} else {
		err = ops.watch(l, a)
	}
	tellChanges(l, a)
	return err
}

// tellChanges is what the front ends of marked operations do in line.
func tellChanges(l *kern.Lwp, a Args) {
	if d := a.Desc(); !d.Names && !d.Attrs {
		return
	}
	eachVnode(a, func(_ int, p *ParamDesc, vp *Vnode) {
		if p.Names {
			vp.namesChanged(l)
		}
		if p.Attrs {
			vp.attrsChanged(l)
		}
	})
}

// eachVnode calls f for the vnode arguments that are not nil, in their order;
// n counts the others too.
func eachVnode(a Args, f func(n int, p *ParamDesc, vp *Vnode)) {
	n := 0
	for i, d := 0, a.Desc(); i < len(d.Params); i++ {
		p := &d.Params[i]
		if p.Kind != ParamVnode || p.Dir != DirIn {
			continue
		}
		if vp := *a.VnodeArg(n); vp != nil {
			f(n, p, vp)
		}
		n++
	}
}

// forward answers an operation that has no routine of its own.
//
//netbsd:sys/kern/vfs_init.c vn_default_error
func (ops *Ops) forward(l *kern.Lwp, a Args) error {
	if ops.Default == nil {
		return kern.EOPNOTSUPP
	}
	return ops.Default(l, a)
}

// send performs an operation that cannot go straight to its routine: with f
// if there is one, else watched or forwarded.
func (ops *Ops) send(l *kern.Lwp, f Generic, a Args) error {
	switch {
	case f != nil:
		return f(l, a)
	case l.Hooks != nil:
		return ops.watch(l, a)
	}
	return ops.forward(l, a)
}

// watch performs an operation of an lwp that has hooks: it verifies the
// contract, reports to the sink, injects faults and lets others run.
func (ops *Ops) watch(l *kern.Lwp, a Args) error {
	h := l.Hooks
	var c contract
	if h.Check {
		c.enter(l, a)
	}
	report(l, h, kern.EvVopEnter, a, nil)
	l.Depth++
	err := ops.disturb(l, h, a)
	l.Depth--
	if h.Check {
		c.leave(l, a, err)
	}
	report(l, h, kern.EvVopLeave, a, err)
	return err
}

func (ops *Ops) disturb(l *kern.Lwp, h *kern.Hooks, a Args) error {
	if d := a.Desc(); h.Fault != nil && !d.NoFault {
		if err := h.Fault(l, d.Name); err != nil {
			Abandon(l, a)
			return err
		}
	}
	if h.Points {
		l.Point()
	}
	return a.Call(l, ops)
}

// Abandon does for an operation that is not carried out what its contract
// promises also on errors: the component name is given up (rename's caller
// does that itself), vnodes are put, released or unlocked, an interlock is
// dropped.
//
// Preconditions: the operation's own.
// Postconditions: the operation's own in case of an error.
func Abandon(l *kern.Lwp, a Args) {
	if cnpp := a.ComponentnameArg(); cnpp != nil && a.Desc().abortable() {
		VOP_ABORTOP(l, *a.VnodeArg(0), *cnpp)
	}
	var last *Vnode
	eachVnode(a, func(_ int, p *ParamDesc, vp *Vnode) { last = p.abandon(l, vp, last) })
}

// abortable reports whether VOP_ABORTOP is due: never in itself, and lookup
// has left nothing behind before it ran.
func (d *Desc) abortable() bool {
	switch d.Offset {
	case VOP_LOOKUP_DESCOFFSET, VOP_ABORTOP_DESCOFFSET, VOP_RENAME_DESCOFFSET:
		return false
	}
	return true
}

// abandon does for the vnode what the descriptor promises. A vnode that is
// given twice is locked once: last is the one that was put before.
func (p *ParamDesc) abandon(l *kern.Lwp, vp, last *Vnode) *Vnode {
	switch {
	case p.WillPut && vp == last:
		vp.Rele(l)
	case p.WillPut:
		vp.Put(l)
		return vp
	case p.WillRele:
		vp.Rele(l)
	case p.WillUnlock:
		VOP_UNLOCK(l, vp)
	case p.Interlock == InterlockDrop:
		vp.Interlock.Exit(l)
	}
	return last
}

// report hands an event to the sink, if there is one.
func report(l *kern.Lwp, h *kern.Hooks, kind kern.EventKind, a Args, err error) {
	if h.Sink == nil {
		return
	}
	h.Sink.Event(l, &kern.Event{
		Kind: kind, Name: a.Desc().Name, Depth: l.Depth, Err: err, Args: a,
		Text: ArgsText(a, kind == kern.EvVopLeave, (*Vnode).typeName),
	})
}

// ArgsText words the arguments of an operation, or its results. Vnodes are
// called what name says; what only the program can read is left out.
func ArgsText(a Args, results bool, name func(*Vnode) string) string {
	var words []string
	for i, p := range a.Desc().Params {
		if (p.Dir == DirOut && !results) || (p.Dir != DirOut && p.Dir != DirInOut && results) {
			continue
		}
		if s := valueText(a.Param(i), name); s != "" {
			words = append(words, p.Name+"="+s)
		}
	}
	return strings.Join(words, " ")
}

func valueText(v any, name func(*Vnode) string) string {
	switch v := v.(type) {
	case *Vnode:
		if v == nil {
			return "nil"
		}
		return name(v)
	case *Componentname:
		return v.text()
	case *kern.Uio:
		if v != nil {
			return fmt.Sprintf("%d@%d", v.Resid, v.Offset)
		}
	case string:
		return fmt.Sprintf("%q", v)
	case bool, int, int64, uint32, uint64:
		return fmt.Sprint(v)
	}
	return ""
}

func (vp *Vnode) typeName() string { return vp.Type().String() }

var nameiopNames = [...]string{LOOKUP: "LOOKUP", CREATE: "CREATE", DELETE: "DELETE", RENAME: "RENAME"}

// text words a component name: the name, what it is looked up for, and the
// flags that change what a file system does.
func (cnp *Componentname) text() string {
	var b strings.Builder
	fmt.Fprintf(&b, "%q", cnp.Name())
	if int(cnp.Nameiop) < len(nameiopNames) {
		b.WriteString("/" + nameiopNames[cnp.Nameiop])
	}
	for _, f := range [...]struct {
		flag uint32
		name string
	}{
		{ISDOTDOT, "ISDOTDOT"}, {ISLASTCN, "ISLASTCN"}, {ISWHITEOUT, "ISWHITEOUT"},
		{DOWHITEOUT, "DOWHITEOUT"}, {LOCKPARENT, "LOCKPARENT"}, {RDONLY, "RDONLY"},
	} {
		if cnp.Flags&f.flag != 0 {
			b.WriteString("|" + f.name)
		}
	}
	return b.String()
}

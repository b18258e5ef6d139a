package vnodeif

import (
	"slices"
	"strings"
)

// MaxVnodes is how many vnodes an operation may take.
const MaxVnodes = 4

// Names that generated code uses itself.
var (
	takenOps    = []string{"default", "name", "call"}
	takenParams = []string{"l", "f", "a", "fr", "ops", "err"}
	// Methods of the argument structs, whose fields are the parameters.
	takenFields = []string{"Desc", "Call", "VnodeArg", "VnodeResult", "ComponentnameArg", "CredArg", "Param"}
)

// check applies the rules that go beyond a single line.
func check(f *File, el *errorList) {
	checkImports(f, el)
	if len(f.Ops) == 0 {
		el.add(1, "no operations")
	}
	seen := map[string]int{}
	for _, op := range f.Ops {
		if line := seen[op.Name]; line != 0 {
			el.add(op.Line, "operation %s stands already in line %d", op.Name, line)
		}
		seen[op.Name] = op.Line
		checkOp(op, el)
	}
}

// checkImports sees to it that packages used are imported, and the reverse.
func checkImports(f *File, el *errorList) {
	imported := map[string]bool{}
	for _, imp := range f.Imports {
		if imported[imp.base()] {
			el.add(imp.Line, "%s is imported twice", imp.base())
		}
		imported[imp.base()] = true
	}
	used := map[string]bool{"kern": true}
	for _, op := range f.Ops {
		for _, p := range op.Params {
			q := qualifier(p.Type)
			used[q] = true
			if q != "" && !imported[q] {
				el.add(p.Line, "type %s of %s: package %s is not imported", p.Type, p.Name, q)
			}
			if imported[p.Name] {
				el.add(p.Line, "parameter %s hides the package of that name", p.Name)
			}
		}
	}
	if !imported["kern"] {
		el.add(1, "package kern is not imported")
	}
	for _, imp := range f.Imports {
		if !used[imp.base()] {
			el.add(imp.Line, "%s is imported and not used", imp.base())
		}
	}
}

// qualifier returns the package name in a type, or "".
func qualifier(typ string) string {
	pkg, _, ok := strings.Cut(strings.TrimLeft(typ, "[]*"), ".")
	if !ok {
		return ""
	}
	return pkg
}

func checkOp(op *Op, el *errorList) {
	if !isName(op.Name) || slices.Contains(takenOps, op.Name) {
		el.add(op.Line, "%q cannot name an operation", op.Name)
	}
	if len(op.Doc) == 0 || op.Doc[0] == "" {
		el.add(op.Line, "operation %s has no text", op.Name)
	}
	if len(op.Params) == 0 || op.Params[0].Dir != In || !op.Params[0].IsVnode() || op.Params[0].Nilable() {
		el.add(op.Line, "operation %s: the first parameter must be a vnode going in, never nil", op.Name)
	}
	if n := len(op.vnodeArgs()); n > MaxVnodes {
		el.add(op.Line, "operation %s takes %d vnodes, more than %d", op.Name, n, MaxVnodes)
	}
	if n := len(op.vnodeResults()); n > 1 {
		el.add(op.Line, "operation %s returns %d vnodes, more than 1", op.Name, n)
	}
	seen := map[string]bool{}
	for _, p := range op.Params {
		if seen[p.Name] || seen[p.Result()] {
			el.add(p.Line, "parameter %s stands already in operation %s", p.Name, op.Name)
		}
		seen[p.Name], seen[p.Result()] = true, true
		checkParam(p, el)
	}
}

func checkParam(p *Param, el *errorList) {
	if !isName(p.Name) || slices.Contains(takenParams, p.Name) || slices.Contains(takenFields, exported(p.Name)) {
		el.add(p.Line, "%q cannot name a parameter", p.Name)
	}
	isCnp := p.Type == "*Componentname"
	if p.Namei != "" && !isCnp {
		el.add(p.Line, "namei of %s, which is no component name", p.Name)
	}
	switch {
	case !p.IsVnode():
		if p.Locked || p.Put || p.Rele || p.Unlock || p.Makes || p.Names || p.Attrs || p.Interlock != "" {
			el.add(p.Line, "%s is no vnode and has a vnode's marks", p.Name)
		}
	case !p.Locked:
		el.add(p.Line, "vnode %s has no lock states", p.Name)
	case p.Dir == In:
		checkVnodeArg(p, el)
	case p.Dir == Out:
		checkVnodeResult(p, el)
	default:
		el.add(p.Line, "vnode %s can be in or out, not %s", p.Name, p.Dir)
	}
}

func checkVnodeArg(p *Param, el *errorList) {
	states := string([]byte{p.LockIn, p.LockOut, p.LockErr})
	if strings.Contains(states, "-") {
		el.add(p.Line, "vnode %s goes in: its lock state cannot be -", p.Name)
	}
	if p.Makes {
		el.add(p.Line, "vnode %s goes in: it cannot be made", p.Name)
	}
	if p.Put && (states != "LUU" && states != "XUU") {
		el.add(p.Line, "put vnode %s has lock states %s: want L U U or X U U", p.Name, spaced(states))
	}
	if p.Unlock && states != "LUU" {
		el.add(p.Line, "unlocked vnode %s has lock states %s: want L U U", p.Name, spaced(states))
	}
	if p.Rele && states != "UUU" {
		el.add(p.Line, "released vnode %s has lock states %s: want U U U", p.Name, spaced(states))
	}
	if p.Put && p.Unlock || p.Put && p.Rele || p.Unlock && p.Rele {
		el.add(p.Line, "vnode %s: only one of put, rele and unlock", p.Name)
	}
	if p.Nilable() && !p.Put {
		el.add(p.Line, "vnode %s is locked if not nil (X): it must be put", p.Name)
	}
}

func checkVnodeResult(p *Param, el *errorList) {
	if p.LockIn != '-' || p.LockErr != '-' || p.LockOut == '-' || p.LockOut == '=' {
		el.add(p.Line, "vnode result %s: want lock states -, one of L S U, and -", p.Name)
	}
	if p.Put || p.Rele || p.Unlock || p.Names || p.Attrs || p.Interlock != "" {
		el.add(p.Line, "vnode result %s can only be marked makes", p.Name)
	}
}

func spaced(states string) string { return strings.Join(strings.Split(states, ""), " ") }

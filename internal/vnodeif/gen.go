package vnodeif

import (
	"bytes"
	_ "embed"
	"fmt"
	"go/format"
	"slices"
	"strings"
	"text/template"
)

//go:embed vnode_if.go.tmpl
var goTemplate string

// Go returns the Go source of the operation vector, formatted.
func (f *File) Go() ([]byte, error) {
	var b bytes.Buffer
	if err := template.Must(template.New("go").Parse(goTemplate)).Execute(&b, f); err != nil {
		return nil, err
	}
	return format.Source(b.Bytes())
}

// exported returns name with its first letter a capital.
func exported(name string) string { return strings.ToUpper(name[:1]) + name[1:] }

// Title is the operation's name in Go: Lookup.
func (op *Op) Title() string { return exported(op.Name) }

// Upper is the operation's name in the manual, less VOP_: LOOKUP.
func (op *Op) Upper() string { return strings.ToUpper(op.Name) }

// First is the name of the vnode that the operation is sent to.
func (op *Op) First() string { return op.Params[0].Name }

func (op *Op) filter(keep func(*Param) bool) []*Param {
	return slices.DeleteFunc(slices.Clone(op.Params), func(p *Param) bool { return !keep(p) })
}

func (op *Op) args() []*Param { return op.filter((*Param).IsArg) }

// Results are the parameters that come back.
func (op *Op) Results() []*Param { return op.filter((*Param).IsResult) }

func (op *Op) vnodeArgs() []*Param {
	return op.filter(func(p *Param) bool { return p.IsVnode() && p.IsArg() })
}

func (op *Op) vnodeResults() []*Param {
	return op.filter(func(p *Param) bool { return p.IsVnode() && p.IsResult() })
}

// Field is the parameter's name in the argument struct.
func (p *Param) Field() string { return exported(p.Name) }

// Result is the name of the result in a signature: an argument that comes
// back needs a second one.
func (p *Param) Result() string {
	if p.Dir == InOut {
		return p.Name + "Out"
	}
	return p.Name
}

// list joins what f says of each parameter.
func list(params []*Param, f func(p *Param) string) string {
	var words []string
	for _, p := range params {
		words = append(words, f(p))
	}
	return strings.Join(words, ", ")
}

// ArgDecls declares the arguments: "dvp *Vnode, cnp *Componentname".
func (op *Op) ArgDecls() string {
	args := op.args()
	var b strings.Builder
	for i, p := range args {
		b.WriteString(p.Name)
		if i+1 < len(args) && args[i+1].Type == p.Type {
			b.WriteString(", ")
			continue
		}
		b.WriteString(" " + p.Type)
		if i+1 < len(args) {
			b.WriteString(", ")
		}
	}
	return b.String()
}

// ArgNames lists the arguments: "dvp, cnp".
func (op *Op) ArgNames() string { return list(op.args(), func(p *Param) string { return p.Name }) }

// ArgFields lists the fields of the struct a that hold the arguments.
func (op *Op) ArgFields() string {
	return list(op.args(), func(p *Param) string { return "a." + p.Field() })
}

// ResultDecls declares the results by name: "(vpp *Vnode, err error)".
func (op *Op) ResultDecls() string {
	if len(op.Results()) == 0 {
		return "error"
	}
	return "(" + list(op.Results(), func(p *Param) string { return p.Result() + " " + p.Type }) + ", err error)"
}

// ResultTypes declares the results: "(*Vnode, error)".
func (op *Op) ResultTypes() string {
	if len(op.Results()) == 0 {
		return "error"
	}
	return "(" + list(op.Results(), func(p *Param) string { return p.Type }) + ", error)"
}

// ResultNames lists the results: "vpp, err".
func (op *Op) ResultNames() string {
	return list(append(op.Results(), &Param{Name: "err"}), (*Param).Result)
}

// ResultFields lists where Call stores the results: "a.Vpp, err".
func (op *Op) ResultFields() string {
	return strings.TrimPrefix(list(op.Results(), func(p *Param) string { return "a." + p.Field() })+", err", ", ")
}

// ReadResults lists the results read back from the struct: "a.Vpp".
func (op *Op) ReadResults() string {
	return list(op.Results(), func(p *Param) string { return "a." + p.Field() })
}

// Signature is the type of the operation's slot.
func (op *Op) Signature() string {
	return "func(l *kern.Lwp, " + op.ArgDecls() + ") " + op.ResultTypes()
}

// Names reports whether the operation changes the names of a directory.
func (op *Op) Names() bool {
	return slices.ContainsFunc(op.Params, func(p *Param) bool { return p.Names })
}

// Attrs reports whether the operation changes attributes.
func (op *Op) Attrs() bool {
	return slices.ContainsFunc(op.Params, func(p *Param) bool { return p.Attrs })
}

// Marked reports whether the front end has to tell of changes.
func (op *Op) Marked() bool { return op.Names() || op.Attrs() }

// Changed are the parameters that a change must be told of.
func (op *Op) Changed() []*Param { return op.filter(func(p *Param) bool { return p.Names || p.Attrs }) }

// VnodeFields lists the fields of the vnode arguments, by their number.
func (op *Op) VnodeFields() []string {
	var fields []string
	for _, p := range op.vnodeArgs() {
		fields = append(fields, p.Field())
	}
	return fields
}

// VnodeResult is the field of the vnode that is returned, or "".
func (op *Op) VnodeResult() string { return firstField(op.vnodeResults()) }

// ComponentnameField is the field of the first component name, or "".
func (op *Op) ComponentnameField() string {
	return firstField(op.filter(func(p *Param) bool { return p.Type == "*Componentname" }))
}

// CredField is the field of the credentials, or "".
func (op *Op) CredField() string {
	return firstField(op.filter(func(p *Param) bool { return p.Type == "*kern.Cred" }))
}

func firstField(params []*Param) string {
	if len(params) == 0 {
		return ""
	}
	return params[0].Field()
}

// Comment is the operation's text as Go comment lines.
func (op *Op) Comment() string {
	var b strings.Builder
	fmt.Fprintf(&b, "// VOP_%s %s", op.Upper(), strings.ToLower(op.Doc[0][:1])+op.Doc[0][1:])
	for _, line := range op.Doc[1:] {
		b.WriteString("\n// " + line)
	}
	return b.String() + "\n//\n" + op.contract()
}

// contract words what is asked of the caller and what it gets back.
func (op *Op) contract() string {
	var before, after []string
	for _, p := range op.Params {
		if !p.IsVnode() {
			continue
		}
		if s := entryWords(p); s != "" {
			before = append(before, s)
		}
		if s := returnWords(p); s != "" {
			after = append(after, s)
		}
	}
	var lines []string
	if len(before) > 0 {
		lines = append(lines, "// Preconditions: "+strings.Join(before, "; ")+".")
	}
	if len(after) > 0 {
		lines = append(lines, "// Postconditions: "+strings.Join(after, "; ")+".")
	}
	if len(lines) == 0 {
		lines = []string{"// The lock of " + op.First() + " does not matter."}
	}
	return strings.Join(lines, "\n")
}

var entryText = map[byte]string{
	'L': "%s is locked exclusively",
	'S': "%s is locked",
	'U': "%s is not locked by the caller",
	'X': "%s is nil or locked exclusively",
}

func entryWords(p *Param) string {
	if p.Dir == Out {
		return ""
	}
	var words []string
	if s := entryText[p.LockIn]; s != "" {
		words = append(words, fmt.Sprintf(s, p.Name))
	}
	if p.Interlock != InterlockNone {
		words = append(words, "the interlock of "+p.Name+" is held")
	}
	return strings.Join(words, ", ")
}

func returnWords(p *Param) string {
	switch {
	case p.Makes:
		return "on success " + p.Name + " is referenced and not locked"
	case p.Put:
		return p.Name + " is unlocked and released"
	case p.Rele:
		return p.Name + " is released"
	case p.Interlock == InterlockDrop:
		return "the interlock of " + p.Name + " is released"
	case p.Unlock, p.LockIn != p.LockOut && p.LockOut == p.LockErr && p.LockOut == 'U' && p.IsArg():
		return p.Name + " is unlocked"
	case p.LockIn == 'U' && p.LockOut != 'U':
		return "on success " + p.Name + " is locked"
	case p.LockIn != 'U' && p.LockOut == 'U' && p.IsArg():
		return "on success " + p.Name + " is unlocked"
	}
	return ""
}

// Kind is the descriptor's word for the parameter's type.
func (p *Param) Kind() string {
	switch p.Type {
	case "*Vnode":
		return "ParamVnode"
	case "*Componentname":
		return "ParamComponentname"
	case "*kern.Cred":
		return "ParamCred"
	}
	return "ParamOther"
}

var directionNames = map[Direction]string{In: "DirIn", Ref: "DirRef", Out: "DirOut", InOut: "DirInOut"}

// Literal is the parameter's descriptor as Go.
func (p *Param) Literal() string {
	var b strings.Builder
	fmt.Fprintf(&b, "{Name: %q, Kind: %s, Dir: %s", p.Name, p.Kind(), directionNames[p.Dir])
	if p.Locked {
		fmt.Fprintf(&b, ", LockIn: %q, LockOut: %q, LockErr: %q", p.LockIn, p.LockOut, p.LockErr)
	}
	for _, flag := range []struct {
		set  bool
		name string
	}{
		{p.Put, "WillPut"}, {p.Rele, "WillRele"}, {p.Unlock, "WillUnlock"}, {p.Makes, "WillMake"},
		{p.Names, "Names"}, {p.Attrs, "Attrs"},
	} {
		if flag.set {
			b.WriteString(", " + flag.name + ": true")
		}
	}
	if p.Interlock != InterlockNone {
		b.WriteString(", Interlock: Interlock" + exported(string(p.Interlock)))
	}
	return b.String() + "}"
}

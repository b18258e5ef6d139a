package script

import (
	"fmt"
	"strconv"
	"strings"

	"rumpvfs/kern"
)

// A Script is a parsed file. Only its first section may be without header.
type Script struct {
	File     string
	Sections []Section
}

// A Section is what one kernel runs.
type Section struct {
	Header string // the whole line, "=== name"; empty if calls come before any header
	Name   string
	Line   int // number of the header's line, from 1
	Lines  []Line
}

// A Line is a call, or a comment or blank line, which has no Call.
type Line struct {
	Number int    // from 1
	Text   string // a call without leading blanks and without result; anything else as it stands
	Call   *Call
	Result string // of a call in a trace
}

// Echo is the line as a trace shows it, for a call up to but without " => ".
func (l *Line) Echo() string {
	if l.Call != nil && l.Text == "" {
		return l.Call.String()
	}
	return l.Text
}

// A Call is one system call of a script.
type Call struct {
	Bind    string // name that is bound to what the call returns, or empty
	Name    string
	Args    []Arg
	Comment string // from its "#" on, or empty
	Line    int    // number of its line, from 1; 0 if it was not read from a file

	spec *Spec
}

// Spec is the description of the call.
func (c *Call) Spec() *Spec { return c.spec }

// An ArgKind says how an argument is written.
type ArgKind int

const (
	ArgString ArgKind = iota // Parts
	ArgNull                  // NULL
	ArgNumber                // Terms
	ArgWord                  // Word
	ArgOption                // Word=Terms
)

// An Arg is one argument as written.
type Arg struct {
	Kind  ArgKind
	Parts []Part
	Terms []Term
	Word  string

	param int // index in Spec.Params
}

// A Part is a string and how often it stands there. Parts are joined.
type Part struct {
	Text   string
	Repeat int64
}

// A Term is a number, a NetBSD name, "dev:MAJOR,MINOR" or a bound name. Terms
// are ORed.
type Term struct {
	Text  string // as written
	Value int64  // unless Bound
	Bound bool   // Text names a value that only a run knows
}

// MaxString is the largest length in bytes of a string argument, repeats
// expanded.
const MaxString = 64 << 20

// String makes a string argument of one part.
func String(s string) Arg { return Strings(Part{s, 1}) }

// Strings makes a string argument of parts.
func Strings(parts ...Part) Arg { return Arg{Kind: ArgString, Parts: parts} }

// Null makes the null pointer.
func Null() Arg { return Arg{Kind: ArgNull} }

// Word makes an argument such as rfork's COPY or a process's name.
func Word(w string) Arg { return Arg{Kind: ArgWord, Word: w} }

// Number makes a decimal argument.
func Number(n int64) Arg { return numberArg(Term{Text: strconv.FormatInt(n, 10), Value: n}) }

// Octal makes an argument as modes are written.
func Octal(n uint32) Arg { return numberArg(Term{Text: octal(n), Value: int64(n)}) }

// Device makes a "dev:MAJOR,MINOR" argument.
func Device(major, minor int32) Arg {
	return numberArg(Term{Text: fmt.Sprintf("dev:%d,%d", major, minor), Value: int64(kern.Makedev(major, minor))})
}

// Bound makes an argument that is whatever a name is bound to when the call
// is made.
func Bound(name string) Arg { return numberArg(Term{Text: name, Bound: true}) }

// Flags makes an argument of NetBSD names, which must exist.
func Flags(names ...string) Arg {
	a := Arg{Kind: ArgNumber}
	for _, name := range names {
		v, ok := constants[name]
		if !ok {
			panic("script: no constant is called " + name)
		}
		a.Terms = append(a.Terms, Term{Text: name, Value: v})
	}
	return a
}

// Or joins number arguments with "|".
func Or(args ...Arg) Arg {
	a := Arg{Kind: ArgNumber}
	for _, b := range args {
		a.Terms = append(a.Terms, b.Terms...)
	}
	return a
}

// Option makes a name=number argument of mount.
func Option(name string, value Arg) Arg { return Arg{Kind: ArgOption, Word: name, Terms: value.Terms} }

func numberArg(t Term) Arg { return Arg{Kind: ArgNumber, Terms: []Term{t}} }

func octal(n uint32) string {
	if n == 0 {
		return "0"
	}
	return "0" + strconv.FormatUint(uint64(n), 8)
}

// NewCall makes a call from its name and arguments. The error says which
// argument does not fit.
func NewCall(name string, args ...Arg) (*Call, error) {
	c := &Call{Name: name, Args: args, spec: Lookup(name)}
	if c.spec == nil {
		return nil, fmt.Errorf("%s: %s", name, expectedCall)
	}
	if at, expected := c.fit(); expected != "" {
		token := "end of line"
		if at < len(args) {
			token = args[at].String()
		}
		return nil, fmt.Errorf("%s: %s: %s", name, abridge(token), expected)
	}
	return c, nil
}

// String is the argument in canonical form.
func (a Arg) String() string { return string(a.append(nil)) }

func (a Arg) append(b []byte) []byte {
	switch a.Kind {
	case ArgNull:
		return append(b, "NULL"...)
	case ArgWord:
		return append(b, a.Word...)
	case ArgOption:
		b = append(b, a.Word...)
		b = append(b, '=')
	case ArgString:
		return a.appendString(b)
	}
	for i, t := range a.Terms {
		if i > 0 {
			b = append(b, '|')
		}
		b = append(b, t.Text...)
	}
	return b
}

func (a Arg) appendString(b []byte) []byte {
	for i, p := range a.Parts {
		if i > 0 {
			b = append(b, '+')
		}
		b = AppendQuoted(b, p.Text)
		if p.Repeat != 1 {
			b = append(b, '*')
			b = strconv.AppendInt(b, p.Repeat, 10)
		}
	}
	return b
}

// String is the call in canonical form: one blank between tokens, strings
// quoted as results are, the comment at the end.
func (c *Call) String() string {
	var b []byte
	if c.Bind != "" {
		b = append(b, c.Bind...)
		b = append(b, " = "...)
	}
	b = append(b, c.Name...)
	for _, a := range c.Args {
		b = append(b, ' ')
		b = a.append(b)
	}
	if c.Comment != "" {
		b = append(b, ' ')
		b = append(b, c.Comment...)
	}
	return string(b)
}

// String is the script in canonical form, which parses to the same calls.
func (s *Script) String() string {
	var b strings.Builder
	for i := range s.Sections {
		s.Sections[i].write(&b)
	}
	return b.String()
}

func (s *Section) write(b *strings.Builder) {
	if s.Header != "" {
		b.WriteString(s.Header)
		b.WriteByte('\n')
	}
	for i := range s.Lines {
		if l := &s.Lines[i]; l.Call != nil {
			b.WriteString(l.Call.String())
		} else {
			b.WriteString(l.Text)
		}
		b.WriteByte('\n')
	}
}

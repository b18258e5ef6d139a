package script

import (
	"fmt"
	"slices"
	"strings"
)

// A SyntaxError says which token of which line is not of the language, and
// what should stand in its place.
type SyntaxError struct {
	File     string
	Line     int // from 1
	Token    string
	Expected string
}

// Error gives "file:line: token: what was expected".
func (e *SyntaxError) Error() string {
	return fmt.Sprintf("%s:%d: %s: %s", e.File, e.Line, abridge(e.Token), e.Expected)
}

const (
	endOfLine      = "end of line"
	expectedCall   = "expected the name of a call"
	expectedName   = "expected a name that is not a constant: letters, digits and _, no digit first"
	expectedLength = "expected a string of at most 64 MiB, repeats expanded"
)

// abridge makes a token fit for a message: short, and of printable ASCII.
func abridge(token string) string {
	const limit = 60
	var b []byte
	for i := range min(len(token), limit) {
		if c := token[i]; c < 0x20 || c > 0x7e {
			b = fmt.Appendf(b, `\x%02x`, c)
		} else {
			b = append(b, c)
		}
	}
	if len(token) > limit {
		b = append(b, "..."...)
	}
	return string(b)
}

// Parse reads a script. The error is a *[SyntaxError] that gives file as the
// file's name.
func Parse(file string, src []byte) (*Script, error) {
	return parse(NewParser(file), src, (*Parser).Line)
}

// ParseTrace reads a trace: a script in which each call has " => " and its
// result behind it.
func ParseTrace(file string, src []byte) (*Script, error) {
	return parse(NewParser(file), src, (*Parser).TraceLine)
}

func parse(p *Parser, src []byte, line func(*Parser, string) (Line, error)) (*Script, error) {
	s := &Script{File: p.file}
	for rest := string(src); rest != ""; {
		var text string
		text, rest, _ = strings.Cut(rest, "\n")
		l, err := line(p, text)
		if err != nil {
			return nil, err
		}
		if name, ok := headerName(l.Text); ok && l.Call == nil {
			s.Sections = append(s.Sections, Section{Header: l.Text, Name: name, Line: l.Number})
			continue
		}
		if len(s.Sections) == 0 {
			s.Sections = []Section{{Line: l.Number}}
		}
		last := &s.Sections[len(s.Sections)-1]
		last.Lines = append(last.Lines, l)
	}
	return s, nil
}

// headerName recognises the header of a section.
func headerName(text string) (name string, ok bool) {
	rest, ok := strings.CutPrefix(strings.TrimLeft(text, blanks), "===")
	if !ok || rest != "" && !strings.Contains(blanks, rest[:1]) {
		return "", false
	}
	return strings.Trim(rest, blanks), true
}

const blanks = " \t"

// A Parser reads a line at a time, and remembers what the lines before mean
// for the next one: the names that are bound, the processes there are and
// which of them runs.
type Parser struct {
	file    string
	line    int
	bound   map[string]bool
	procs   map[string]bool
	current string // the running process; empty if rfork was not bound to a name
}

// NewParser makes a parser that stands before the first line of a file.
func NewParser(file string) *Parser {
	p := &Parser{file: file}
	p.reset()
	return p
}

// reset forgets the section.
func (p *Parser) reset() {
	p.bound = map[string]bool{}
	p.procs = map[string]bool{"p0": true}
	p.current = "p0"
}

// Line reads the next line of a script. A line with an error changes nothing
// but the line's number.
func (p *Parser) Line(text string) (Line, error) { return p.read(text, false) }

// TraceLine reads the next line of a trace.
func (p *Parser) TraceLine(text string) (Line, error) { return p.read(text, true) }

func (p *Parser) read(text string, trace bool) (Line, error) {
	p.line++
	text = strings.TrimRight(text, "\r\n")
	l := Line{Number: p.line, Text: text}
	trimmed := strings.TrimLeft(text, blanks)
	if trimmed == "" || trimmed[0] == '#' {
		return l, nil
	}
	if strings.HasPrefix(trimmed, "===") {
		if _, ok := headerName(text); !ok {
			return Line{}, p.fail(trimmed, `expected a blank after "==="`)
		}
		p.reset()
		return l, nil
	}
	l.Text = trimmed
	if trace {
		call, result, ok := SplitResult(trimmed)
		if !ok {
			return Line{}, p.fail(endOfLine, `expected " => " and a result`)
		}
		l.Text, l.Result = call, result
	}
	var err error
	if l.Call, err = p.call(l.Text); err != nil {
		return Line{}, err
	}
	return l, nil
}

const arrow = " => "

// SplitResult cuts a line of a trace at the last " => " that is not between
// quotes. If there is none or the quotes do not pair, since a comment may hold
// a single one, it is the last " => " behind which they do.
func SplitResult(line string) (call, result string, ok bool) {
	at, balanced := arrowFromLeft(line)
	if at < 0 || !balanced {
		at = arrowFromRight(line)
	}
	if at < 0 {
		return line, "", false
	}
	return line[:at], line[at+len(arrow):], true
}

// arrowFromLeft finds the last " => " outside quotes, or -1, and whether the
// quotes pair.
func arrowFromLeft(line string) (at int, balanced bool) {
	at = -1
	quoted := false
	for i := 0; i < len(line); i++ {
		switch {
		case line[i] == '"':
			quoted = !quoted
		case quoted && line[i] == '\\':
			i++
		case !quoted && strings.HasPrefix(line[i:], arrow):
			at = i
		}
	}
	return at, !quoted
}

// arrowFromRight finds the last " => " with an even number of quotes behind
// it, or -1. Escaped quotes do not count.
func arrowFromRight(line string) int {
	even := true
	for i := len(line) - 1; i >= 0; i-- {
		switch {
		case line[i] == '"':
			before := strings.TrimRight(line[:i], `\`)
			if (i-len(before))%2 == 0 {
				even = !even
			}
		case even && strings.HasPrefix(line[i:], arrow):
			return i
		}
	}
	return -1
}

func (p *Parser) fail(token, expected string) error {
	return &SyntaxError{File: p.file, Line: p.line, Token: token, Expected: expected}
}

// call parses a line's call and, if it is right, notes what it binds.
func (p *Parser) call(text string) (*Call, error) {
	tokens, comment, bad := lex(text)
	if bad != nil {
		return nil, p.fail(bad.token, bad.expected)
	}
	c := &Call{Comment: comment, Line: p.line}
	if len(tokens) > 1 && tokens[1].text == "=" {
		c.Bind = tokens[0].text
		if !bindable(c.Bind) {
			return nil, p.fail(c.Bind, expectedName)
		}
		tokens = tokens[2:]
	}
	if len(tokens) == 0 {
		return nil, p.fail(endOfLine, expectedCall)
	}
	c.Name = tokens[0].text
	if c.spec = Lookup(c.Name); c.spec == nil {
		return nil, p.fail(c.Name, expectedCall)
	}
	if err := p.arguments(c, tokens[1:]); err != nil {
		return nil, err
	}
	return c, p.note(c)
}

// arguments turns tokens into c.Args.
func (p *Parser) arguments(c *Call, tokens []token) error {
	at := func(i int) string {
		if i < len(tokens) {
			return tokens[i].text
		}
		return endOfLine
	}
	shapes := make([]shape, len(tokens))
	for i := range tokens {
		shapes[i] = tokens[i].shape
	}
	params, bad, expected := c.spec.assign(shapes)
	if expected != "" {
		return p.fail(at(bad), expected)
	}
	for i := range tokens {
		a, bad := p.argument(&tokens[i], &c.spec.Params[params[i]])
		if bad != nil {
			return p.fail(bad.token, bad.expected)
		}
		c.Args = append(c.Args, a)
	}
	if bad, expected := c.fit(); expected != "" {
		return p.fail(at(bad), expected)
	}
	return nil
}

// argument turns a token into an argument for a parameter.
func (p *Parser) argument(t *token, param *Param) (a Arg, bad *badToken) {
	number := t.text
	switch {
	case t.shape == shapeString:
		return Arg{Kind: ArgString, Parts: t.parts}, nil
	case t.shape == shapeNull:
		return Arg{Kind: ArgNull}, nil
	case t.shape == shapeOption:
		a.Kind = ArgOption
		a.Word, number, _ = strings.Cut(t.text, "=")
	case param.isWord(t.text):
		return Arg{Kind: ArgWord, Word: t.text}, nil
	default:
		a.Kind = ArgNumber
	}
	a.Terms, bad = p.terms(number)
	if bad != nil && bad.token == "" {
		bad = &badToken{t.text, param.expected()}
	}
	return a, bad
}

// isWord reports whether p takes text for a word; a misspelt one is found
// later.
func (p *Param) isWord(text string) bool {
	if p.Kind == KindWord || p.Kind == KindProc {
		return true
	}
	return slices.Contains(p.Words, text)
}

// terms parses a number. An error without token means that nothing stood
// where a term should.
func (p *Parser) terms(text string) ([]Term, *badToken) {
	var terms []Term
	for part := range strings.SplitSeq(text, "|") {
		t, expected := parseTerm(part)
		if expected == "" && t.Bound && !p.bound[part] {
			expected = "expected a number, a constant's name or a name bound before"
		}
		if expected != "" {
			return nil, &badToken{part, expected}
		}
		terms = append(terms, t)
	}
	return terms, nil
}

// note checks and remembers what c does to names and processes.
func (p *Parser) note(c *Call) error {
	switch c.Name {
	case "rfork":
		if c.Bind == "p0" {
			return p.fail(c.Bind, "expected another name than the first process's")
		}
		p.current = c.Bind
		if c.Bind != "" {
			p.procs[c.Bind] = true
		}
	case "switch":
		to := c.Args[0].Word
		if !p.procs[to] {
			return p.fail(to, c.spec.Params[0].expected())
		}
		if to == p.current {
			return p.fail(to, "expected a process that is not the running one")
		}
		p.current = to
	case "exit":
		if p.current == "p0" {
			return p.fail(c.Name, "expected a process other than p0 to run")
		}
		delete(p.procs, p.current)
		p.current = "p0"
	}
	if c.Bind != "" {
		p.bound[c.Bind] = true
	}
	return nil
}

func bindable(name string) bool {
	_, taken := constants[name]
	return isName(name) && !taken && name != "NULL"
}

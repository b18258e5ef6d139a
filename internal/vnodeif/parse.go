package vnodeif

import (
	"go/ast"
	"go/parser"
	"go/token"
	"slices"
	"strconv"
	"strings"
)

// Parse reads and checks a table. The error joins an [*Error] for each fault
// found, in the order of the lines within each operation.
func Parse(name string, src []byte) (*File, error) {
	p := &tableParser{file: &File{Name: name}, errorList: errorList{file: name}}
	for i, line := range strings.Split(string(src), "\n") {
		p.line = i + 1
		p.parseLine(line)
	}
	if p.op != nil {
		p.add(p.op.Line, "operation %s has no closing }", p.op.Name)
	}
	if len(p.errs) == 0 {
		check(p.file, &p.errorList)
	}
	return p.file, p.err()
}

type tableParser struct {
	errorList
	file *File
	line int
	doc  []string // the text collected for the next operation
	op   *Op      // the operation being read, nil between two
}

func (p *tableParser) parseLine(line string) {
	text := strings.TrimSpace(line)
	if strings.HasPrefix(text, "//") {
		p.parseDoc(strings.TrimSpace(text[2:]))
		return
	}
	text, _, _ = strings.Cut(text, "#")
	words := strings.Fields(text)
	switch {
	case len(words) == 0:
	case p.op != nil && words[0] == "}":
		p.parseClose(words)
	case p.op != nil:
		p.parseParam(words)
	case words[0] == "import":
		p.parseImport(words)
	case words[0] == "op":
		p.parseOp(words)
	default:
		p.add(p.line, "unexpected %q: want import, op or a // text", words[0])
	}
}

func (p *tableParser) parseDoc(text string) {
	if p.op != nil {
		p.add(p.line, "text inside operation %s: it belongs before the op line", p.op.Name)
		return
	}
	p.doc = append(p.doc, text)
}

func (p *tableParser) parseImport(words []string) {
	if len(words) != 2 {
		p.add(p.line, "want: import \"path\"")
		return
	}
	path, err := strconv.Unquote(words[1])
	if err != nil || path == "" {
		p.add(p.line, "bad import path %s", words[1])
		return
	}
	p.file.Imports = append(p.file.Imports, Import{path, p.line})
}

func (p *tableParser) parseOp(words []string) {
	op := &Op{Doc: p.doc, Line: p.line}
	p.doc = nil
	if n := len(words); n < 3 || words[n-1] != "{" {
		p.add(p.line, "want: op NAME [nofault] {")
		return
	}
	op.Name = words[1]
	for _, mark := range words[2 : len(words)-1] {
		if mark != "nofault" {
			p.add(p.line, "unknown mark %q of operation %s", mark, op.Name)
		}
		op.NoFault = true
	}
	p.op = op
}

func (p *tableParser) parseClose(words []string) {
	if len(words) > 1 {
		p.add(p.line, "unexpected %q after }", words[1])
	}
	p.file.Ops = append(p.file.Ops, p.op)
	p.op = nil
}

func (p *tableParser) parseParam(words []string) {
	if len(words) < 3 {
		p.add(p.line, "want: DIRECTION NAME TYPE [MARK...]")
		return
	}
	par := &Param{Dir: Direction(words[0]), Name: words[1], Type: words[2], Line: p.line}
	if !slices.Contains([]Direction{In, Ref, Out, InOut}, par.Dir) {
		p.add(p.line, "unknown direction %q: want in, ref, out or inout", words[0])
	}
	p.parseType(par.Type)
	for marks := words[3:]; len(marks) > 0; {
		marks = p.parseMark(par, marks)
	}
	p.op.Params = append(p.op.Params, par)
}

// parseType sees to it that a type is one that Go can read.
func (p *tableParser) parseType(typ string) {
	expr, err := parser.ParseExpr(typ)
	if err != nil || !isType(expr) {
		p.add(p.line, "bad type %q", typ)
	}
}

// isType reports whether an expression has the form of a type that the table
// may use: a name, qualified or not, a pointer or a slice.
func isType(e ast.Expr) bool {
	switch e := e.(type) {
	case *ast.Ident:
		return true
	case *ast.SelectorExpr:
		_, ok := e.X.(*ast.Ident)
		return ok
	case *ast.StarExpr:
		return isType(e.X)
	case *ast.ArrayType:
		return e.Len == nil && isType(e.Elt)
	}
	return false
}

// parseMark reads one mark and returns the words that follow it.
func (p *tableParser) parseMark(par *Param, words []string) []string {
	mark, rest := words[0], words[1:]
	flags := map[string]*bool{
		"put": &par.Put, "rele": &par.Rele, "unlock": &par.Unlock,
		"makes": &par.Makes, "names": &par.Names, "attrs": &par.Attrs,
	}
	if flag := flags[mark]; flag != nil {
		if *flag {
			p.add(p.line, "%s of %s is said twice", mark, par.Name)
		}
		*flag = true
		return rest
	}
	switch mark {
	case "lock":
		return p.parseLock(par, rest)
	case "interlock":
		return p.parseInterlock(par, rest)
	case "namei":
		if len(rest) == 0 {
			p.add(p.line, "namei of %s wants its flags", par.Name)
			return nil
		}
		par.Namei = rest[0]
		return rest[1:]
	}
	p.add(p.line, "unknown mark %q of %s", mark, par.Name)
	return rest
}

func (p *tableParser) parseLock(par *Param, words []string) []string {
	if len(words) < 3 {
		p.add(p.line, "lock of %s wants three states: entry, success, error", par.Name)
		return nil
	}
	if par.Locked {
		p.add(p.line, "lock of %s is said twice", par.Name)
	}
	par.Locked = true
	par.LockIn = p.lockState(par, words[0], "LSUX=-")
	par.LockOut = p.lockState(par, words[1], "LSU=-")
	par.LockErr = p.lockState(par, words[2], "LSU=-")
	return words[3:]
}

func (p *tableParser) lockState(par *Param, word, allowed string) byte {
	if len(word) != 1 || !strings.Contains(allowed, word) {
		p.add(p.line, "lock state %q of %s: want one of %s", word, par.Name, strings.Join(strings.Split(allowed, ""), " "))
		return '='
	}
	return word[0]
}

func (p *tableParser) parseInterlock(par *Param, words []string) []string {
	if len(words) == 0 || words[0] != string(InterlockEntry) && words[0] != string(InterlockDrop) {
		p.add(p.line, "interlock of %s wants entry or drop", par.Name)
		return nil
	}
	par.Interlock = Interlock(words[0])
	return words[1:]
}

// isName reports whether s can name an operation or a parameter.
func isName(s string) bool {
	return token.IsIdentifier(s) && s[0] >= 'a' && s[0] <= 'z'
}

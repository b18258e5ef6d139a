package policy

import (
	"fmt"
	"go/ast"
	"go/token"
	"regexp"
	"strconv"
	"strings"
)

// A Class is a lock class: one declaration in the code, or one row of the
// table in docs/locking.md.
type Class struct {
	Package string
	Name    string
	Rank    int
	Pos     token.Position
}

func (c Class) String() string {
	return fmt.Sprintf("class %q of %s with rank %d", c.Name, c.Package, c.Rank)
}

// Classes collects the lock classes that the code declares, tests aside.
func Classes(t *Tree) (all []Class, findings []Finding) {
	for _, f := range t.Go {
		if f.Test() {
			continue
		}
		ast.Inspect(f.AST, func(n ast.Node) bool {
			lit, ok := n.(*ast.CompositeLit)
			if !ok || !isLockClass(f, lit.Type) {
				return true
			}
			c := Class{Package: f.Package(), Pos: t.Position(lit.Pos())}
			if what := c.read(lit); what != "" {
				findings = append(findings, Finding{c.Pos, what})
			}
			all = append(all, c)
			return true
		})
	}
	return all, findings
}

// isLockClass reports whether e names hypercall.LockClass in f.
func isLockClass(f *File, e ast.Expr) bool {
	switch e := e.(type) {
	case *ast.SelectorExpr:
		p, ok := e.X.(*ast.Ident)
		return ok && p.Name == "hypercall" && e.Sel.Name == "LockClass"
	case *ast.Ident:
		return f.Package() == "hypercall" && e.Name == "LockClass"
	}
	return false
}

// read takes name and rank from a literal whose fields are constants.
func (c *Class) read(lit *ast.CompositeLit) string {
	for _, e := range lit.Elts {
		kv, ok := e.(*ast.KeyValueExpr)
		if !ok {
			return "lock class without field names"
		}
		key := kv.Key.(*ast.Ident).Name
		if key == "Nest" || key == "Reorders" {
			continue // true, or it would not be there
		}
		v, ok := kv.Value.(*ast.BasicLit)
		if !ok {
			return "lock class that is not static data"
		}
		var err error
		switch key {
		case "Name":
			c.Name, err = strconv.Unquote(v.Value)
		case "Rank":
			c.Rank, err = strconv.Atoi(v.Value)
		}
		if err != nil {
			return err.Error()
		}
	}
	if c.Name == "" || c.Rank == 0 {
		return "lock class without name or rank"
	}
	return ""
}

var classRow = regexp.MustCompile("^\\| *([0-9]+) *\\| *`([^`]+)` *\\| *`([^`]+)` *\\|")

// ClassTable reads the rows "| rank | `class` | `package` | ..." of a text.
func ClassTable(name, text string) (all []Class) {
	n := 0
	for line := range strings.Lines(text) {
		n++
		if m := classRow.FindStringSubmatch(line); m != nil {
			rank, err := strconv.Atoi(m[1])
			if err != nil {
				continue
			}
			all = append(all, Class{Package: m[3], Name: m[2], Rank: rank, Pos: token.Position{Filename: name, Line: n}})
		}
	}
	return all
}

// CompareClasses finds where the table and the code differ, and ranks that
// fall in the table. Classes of one rank share a place, and are never held
// together.
func CompareClasses(code, table []Class) (all []Finding) {
	inTable, inCode := map[string]Class{}, map[string]Class{}
	for i, c := range table {
		if _, dup := inTable[c.Name]; dup {
			all = append(all, Finding{c.Pos, c.String() + " is twice in the table"})
		}
		if i > 0 && c.Rank < table[i-1].Rank {
			all = append(all, Finding{c.Pos, c.String() + " ranks above the row before it"})
		}
		inTable[c.Name] = c
	}
	for _, c := range code {
		if _, dup := inCode[c.Name]; dup {
			all = append(all, Finding{c.Pos, c.String() + " is declared twice"})
		}
		inCode[c.Name] = c
		if d, ok := inTable[c.Name]; !ok || d.Package != c.Package || d.Rank != c.Rank {
			all = append(all, Finding{c.Pos, c.String() + " is not so in the table"})
		}
	}
	for _, c := range table {
		if _, ok := inCode[c.Name]; !ok {
			all = append(all, Finding{c.Pos, c.String() + " is not in the code"})
		}
	}
	return all
}

package policy

import (
	"go/ast"
	"go/token"
	"go/types"
	"slices"
)

// A linter collects what one package breaks.
type linter struct {
	p         *Package
	unordered map[token.Position]bool // lines where map order is excused
	sorted    map[ast.Node]bool       // calls whose result is sorted at once
	found     []Finding
}

// Lint finds what kernel code may not do: start goroutines, use channels or
// the locks and waits of package sync, read the clock, or depend on the order
// of a map. Such code blocks through hypercall and tells time by its kernel,
// so that a deterministic kernel answers the same way every time.
func Lint(p *Package) []Finding {
	l := &linter{p: p, unordered: p.excused("unordered"), sorted: map[ast.Node]bool{}}
	for _, f := range p.Files {
		ast.Inspect(f, l.visit)
	}
	return l.found
}

func (l *linter) report(n ast.Node, what string) {
	l.found = append(l.found, Finding{l.p.tree.Position(n.Pos()), what})
}

func (l *linter) visit(n ast.Node) bool {
	switch n := n.(type) {
	case *ast.GoStmt:
		l.report(n, "go statement")
	case *ast.ChanType, *ast.SendStmt, *ast.SelectStmt:
		l.report(n, "channel")
	case *ast.UnaryExpr:
		if n.Op == token.ARROW {
			l.report(n, "channel")
		}
	case *ast.RangeStmt:
		l.ranged(n)
	case *ast.CallExpr:
		l.call(n)
	case *ast.SelectorExpr:
		l.selector(n)
	}
	return true
}

// ranged looks at what a range statement goes over.
func (l *linter) ranged(n *ast.RangeStmt) {
	switch l.p.Info.TypeOf(n.X).Underlying().(type) {
	case *types.Map:
		l.order(n)
	case *types.Chan:
		l.report(n, "channel")
	}
}

// order reports a use of map order unless the line is excused.
func (l *linter) order(n ast.Node) {
	if !l.unordered[line(l.p.tree.Fset.Position(n.Pos()), 0)] {
		l.report(n, "order of a map; sort, or give the reason why it cannot show: //policy:unordered REASON")
	}
}

// call looks at iterators over maps, which are fine inside slices.Sorted.
func (l *linter) call(n *ast.CallExpr) {
	pkg, name := l.callee(n.Fun)
	switch {
	case pkg == "slices" && (name == "Sorted" || name == "SortedFunc" || name == "SortedStableFunc"):
		l.sorted[n.Args[0]] = true
	case pkg == "maps" && (name == "Keys" || name == "Values" || name == "All") && !l.sorted[n]:
		l.order(n)
	}
}

// callee is the package and name of the package-level function that fun is.
func (l *linter) callee(fun ast.Expr) (pkg, name string) {
	if i, ok := fun.(*ast.IndexExpr); ok {
		fun = i.X
	}
	s, ok := fun.(*ast.SelectorExpr)
	if !ok {
		return "", ""
	}
	o := l.p.Info.Uses[s.Sel]
	if o == nil || o.Pkg() == nil || o.Parent() != o.Pkg().Scope() {
		return "", ""
	}
	return o.Pkg().Path(), o.Name()
}

// banned are the names of the standard library that kernel code may not use.
var banned = map[string][]string{
	"time":    {"Now", "Since", "Until", "Sleep", "After", "AfterFunc", "Tick", "NewTimer", "NewTicker", "Timer", "Ticker"},
	"sync":    {"Mutex", "RWMutex", "Cond", "NewCond", "WaitGroup", "Once", "OnceFunc", "OnceValue", "OnceValues", "Map", "Locker"},
	"iter":    {"Pull", "Pull2"},
	"context": {"WithTimeout", "WithDeadline"},
	"runtime": {"Gosched", "Goexit", "GOMAXPROCS", "NumGoroutine", "LockOSThread", "SetFinalizer", "AddCleanup", "GC"},
	"fmt":     {"Print", "Printf", "Println", "Scan", "Scanf", "Scanln"},
}

func (l *linter) selector(n *ast.SelectorExpr) {
	pkg, name := l.callee(n)
	if slices.Contains(banned[pkg], name) {
		l.report(n, pkg+"."+name)
	}
}

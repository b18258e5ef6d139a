package policy

import (
	"go/ast"
	"go/token"
	"go/types"
	"slices"
)

// staticTypes are the types whose package-level values are handed around by
// address and never change.
var staticTypes = []string{
	Module + "/hypercall.LockClass",
	Module + "/vnode.Ops",
	Module + "/vnode.Desc",
	Module + "/genfs.Ops",
}

// State finds package-level state in a package: init functions, and variables
// that are not the static data they should be. A variable is taken for static
// if its type is no lock, atomic or pool, and no function assigns to it, to a
// part of it or through it, nor takes its address, unless it is of a type made
// to be pointed to.
func State(p *Package) []Finding {
	s := &stateLinter{linter: linter{p: p}, static: p.excused("static")}
	for _, f := range p.Files {
		for _, d := range f.Decls {
			switch d := d.(type) {
			case *ast.FuncDecl:
				if d.Recv == nil && d.Name.Name == "init" {
					s.report(d, "init function")
				}
			case *ast.GenDecl:
				s.declared(d)
			}
		}
		ast.Inspect(f, s.visit)
	}
	return s.found
}

type stateLinter struct {
	linter
	static map[token.Position]bool // lines with a //policy:static directive
}

// declared looks at the variables that d declares.
func (s *stateLinter) declared(d *ast.GenDecl) {
	if d.Tok != token.VAR {
		return
	}
	for _, spec := range d.Specs {
		for _, name := range spec.(*ast.ValueSpec).Names {
			if t := s.p.Info.Defs[name].Type(); syncType(t) {
				s.report(name, "package-level variable "+name.Name+" of type "+t.String())
			}
		}
	}
}

// syncType reports whether t is of a package whose types exist to be changed.
func syncType(t types.Type) bool {
	n, ok := t.(*types.Named)
	if !ok || n.Obj().Pkg() == nil {
		return false
	}
	p := n.Obj().Pkg().Path()
	return p == "sync" || p == "sync/atomic"
}

func (s *stateLinter) visit(n ast.Node) bool {
	switch n := n.(type) {
	case *ast.AssignStmt:
		if n.Tok != token.DEFINE {
			for _, e := range n.Lhs {
				s.changed(e)
			}
		}
	case *ast.IncDecStmt:
		s.changed(n.X)
	case *ast.RangeStmt:
		if n.Tok == token.ASSIGN {
			s.changed(n.Key)
			s.changed(n.Value)
		}
	case *ast.UnaryExpr:
		if n.Op == token.AND {
			s.addressed(n.X)
		}
	case *ast.SliceExpr:
		if _, ok := s.p.Info.TypeOf(n.X).Underlying().(*types.Array); ok {
			s.addressed(n.X)
		}
	case *ast.CallExpr:
		s.passed(n)
	}
	return true
}

// changed looks at an expression that is assigned to.
func (s *stateLinter) changed(e ast.Expr) {
	if v := s.variable(e); v != nil {
		s.report(e, "assignment to package-level variable "+v.Name())
	}
}

// addressed looks at an expression whose address is taken.
func (s *stateLinter) addressed(e ast.Expr) {
	v := s.variable(e)
	if v == nil || s.excusedVar(v) {
		return
	}
	t := s.p.Info.TypeOf(e)
	if slices.Contains(staticTypes, types.TypeString(t, nil)) {
		return
	}
	s.report(e, "address of package-level variable "+v.Name())
}

// passed looks at calls that change their first argument or their receiver.
func (s *stateLinter) passed(n *ast.CallExpr) {
	switch fun := n.Fun.(type) {
	case *ast.Ident:
		if b, ok := s.p.Info.Uses[fun].(*types.Builtin); ok && (b.Name() == "delete" || b.Name() == "clear" || b.Name() == "copy") {
			s.changed(n.Args[0])
		}
	case *ast.SelectorExpr:
		sel := s.p.Info.Selections[fun]
		if sel == nil || sel.Kind() != types.MethodVal {
			return
		}
		_, pointer := sel.Obj().(*types.Func).Signature().Recv().Type().(*types.Pointer)
		if _, already := s.p.Info.TypeOf(fun.X).(*types.Pointer); pointer && !already {
			s.addressed(fun.X)
		}
	}
}

// excusedVar reports whether v, a variable of this package, is declared static.
func (s *stateLinter) excusedVar(v *types.Var) bool {
	return s.static[line(s.p.tree.Fset.Position(v.Pos()), 0)]
}

// variable is the package-level variable that e is, lies in or is reached
// from; nil if there is none.
func (s *stateLinter) variable(e ast.Expr) *types.Var {
	for {
		switch x := e.(type) {
		case *ast.ParenExpr:
			e = x.X
		case *ast.IndexExpr:
			e = x.X
		case *ast.SliceExpr:
			e = x.X
		case *ast.StarExpr:
			e = x.X
		case *ast.SelectorExpr:
			if v := packageVar(s.p.Info.Uses[x.Sel]); v != nil {
				return v
			}
			e = x.X
		case *ast.Ident:
			return packageVar(s.p.Info.Uses[x])
		default:
			return nil
		}
	}
}

func packageVar(o types.Object) *types.Var {
	v, ok := o.(*types.Var)
	if !ok || v.Pkg() == nil || v.Parent() != v.Pkg().Scope() {
		return nil
	}
	return v
}

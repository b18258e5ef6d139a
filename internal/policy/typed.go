package policy

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"go/ast"
	"go/importer"
	"go/parser"
	"go/token"
	"go/types"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
)

// A Package is one package of the module with its types.
type Package struct {
	Path  string // below the module, as in Layers
	Files []*ast.File
	Types *types.Package
	Info  *types.Info
	tree  *Tree
}

// A Loader checks packages against what the Go tool compiled of those that
// they import.
type Loader struct {
	tree    *Tree
	listed  []listed
	exports map[string]string // compiled package by import path
	imp     types.Importer
}

type listed struct {
	ImportPath, Dir, Export string
	GoFiles                 []string
	Standard                bool
	Module                  *struct{ Main bool }
}

// NewLoader asks the Go tool for all packages of t, and for extra ones.
func NewLoader(t *Tree, extra ...string) (*Loader, error) {
	cmd := exec.Command("go", append([]string{"list", "-export", "-deps", "-json=ImportPath,Dir,Export,GoFiles,Standard,Module", "./..."}, extra...)...)
	cmd.Dir = t.Root
	var stderr bytes.Buffer
	cmd.Stderr = &stderr
	out, err := cmd.Output()
	if err != nil {
		return nil, fmt.Errorf("go list: %w\n%s", err, &stderr)
	}
	l := &Loader{tree: t, exports: map[string]string{}}
	for d := json.NewDecoder(bytes.NewReader(out)); ; {
		var p listed
		if err := d.Decode(&p); errors.Is(err, io.EOF) {
			break
		} else if err != nil {
			return nil, err
		}
		l.exports[p.ImportPath] = p.Export
		if p.Module != nil && p.Module.Main {
			l.listed = append(l.listed, p)
		}
	}
	l.imp = importer.ForCompiler(t.Fset, "gc", func(path string) (io.ReadCloser, error) {
		if l.exports[path] == "" {
			return nil, fmt.Errorf("no compiled package %s", path)
		}
		return os.Open(l.exports[path])
	})
	return l, nil
}

// Packages checks every package of the module.
func (l *Loader) Packages() ([]*Package, error) {
	var all []*Package
	for _, p := range l.listed {
		var files []*ast.File
		for _, name := range p.GoFiles {
			f, err := parser.ParseFile(l.tree.Fset, filepath.Join(p.Dir, name), nil, parser.ParseComments|parser.SkipObjectResolution)
			if err != nil {
				return nil, err
			}
			files = append(files, f)
		}
		pkg, err := l.check(strings.TrimPrefix(p.ImportPath, Module+"/"), files)
		if err != nil {
			return nil, err
		}
		all = append(all, pkg)
	}
	return all, nil
}

// Source checks a package that is one file of the given text.
func (l *Loader) Source(path, text string) (*Package, error) {
	f, err := parser.ParseFile(l.tree.Fset, path+".go", text, parser.ParseComments|parser.SkipObjectResolution)
	if err != nil {
		return nil, err
	}
	return l.check(path, []*ast.File{f})
}

func (l *Loader) check(path string, files []*ast.File) (*Package, error) {
	info := &types.Info{
		Types:      map[ast.Expr]types.TypeAndValue{},
		Defs:       map[*ast.Ident]types.Object{},
		Uses:       map[*ast.Ident]types.Object{},
		Selections: map[*ast.SelectorExpr]*types.Selection{},
	}
	conf := types.Config{Importer: l.imp}
	tp, err := conf.Check(Module+"/"+path, l.tree.Fset, files, info)
	if err != nil {
		return nil, err
	}
	return &Package{Path: path, Files: files, Types: tp, Info: info, tree: l.tree}, nil
}

// excused is the set of lines that a //policy:WORD directive with a reason
// covers: its own and the next.
func (p *Package) excused(word string) map[token.Position]bool {
	lines := map[token.Position]bool{}
	for _, f := range p.Files {
		for _, g := range f.Comments {
			for _, c := range g.List {
				reason, ok := strings.CutPrefix(c.Text, "//policy:"+word+" ")
				if !ok || strings.TrimSpace(reason) == "" {
					continue
				}
				at := p.tree.Fset.Position(c.Pos())
				lines[line(at, 0)], lines[line(at, 1)] = true, true
			}
		}
	}
	return lines
}

// line is the beginning of the line that lies down lines below at.
func line(at token.Position, down int) token.Position {
	return token.Position{Filename: at.Filename, Line: at.Line + down}
}

package policy

import (
	"errors"
	"go/ast"
	"go/parser"
	"go/token"
	"io/fs"
	"os"
	"path"
	"path/filepath"
	"strings"
)

// Module is the path of the module that the tree holds.
const Module = "rumpvfs"

// A Tree is the source of the module, parsed.
type Tree struct {
	Root string // directory of go.mod
	Fset *token.FileSet
	Go   []*File  // Go files, by path
	All  []string // every file, relative to Root, with slashes
}

// A File is one Go file.
type File struct {
	Path string // relative to the root, with slashes
	AST  *ast.File
}

// Package is the import path of f's directory below the module, "" for the
// module's root.
func (f *File) Package() string {
	if d := path.Dir(f.Path); d != "." {
		return d
	}
	return ""
}

// Test reports whether f is only compiled for tests.
func (f *File) Test() bool { return strings.HasSuffix(f.Path, "_test.go") }

// FindRoot returns the directory of the go.mod that governs the current
// directory.
func FindRoot() (string, error) {
	d, err := os.Getwd()
	if err != nil {
		return "", err
	}
	for {
		if _, err := os.Stat(filepath.Join(d, "go.mod")); err == nil {
			return d, nil
		}
		up := filepath.Dir(d)
		if up == d {
			return "", errors.New("no go.mod here or above")
		}
		d = up
	}
}

// Load parses the tree below root. Directories that begin with a dot are
// only listed if they hold checks (.ci), testdata is listed but not parsed.
func Load(root string) (*Tree, error) {
	t := &Tree{Root: root, Fset: token.NewFileSet()}
	err := filepath.WalkDir(root, func(p string, d fs.DirEntry, err error) error {
		if err != nil {
			return err
		}
		rel, err := filepath.Rel(root, p)
		if err != nil {
			return err
		}
		return t.visit(filepath.ToSlash(rel), d)
	})
	return t, err
}

// visit adds one file of the walk or skips a directory.
func (t *Tree) visit(rel string, d fs.DirEntry) error {
	if d.IsDir() {
		if hidden := strings.HasPrefix(d.Name(), ".") && rel != "." && rel != ".ci"; hidden || rel == "bin" {
			return filepath.SkipDir
		}
		return nil
	}
	if !d.Type().IsRegular() || strings.HasSuffix(rel, ".test") || strings.HasSuffix(rel, ".prof") {
		return nil
	}
	t.All = append(t.All, rel)
	if !strings.HasSuffix(rel, ".go") || strings.Contains("/"+rel, "/testdata/") {
		return nil
	}
	f, err := parser.ParseFile(t.Fset, filepath.Join(t.Root, filepath.FromSlash(rel)), nil, parser.ParseComments|parser.SkipObjectResolution)
	if err != nil {
		return err
	}
	t.Go = append(t.Go, &File{Path: rel, AST: f})
	return nil
}

// Position is where pos lies, with the file named relative to the root.
func (t *Tree) Position(pos token.Pos) token.Position {
	p := t.Fset.Position(pos)
	if rel, err := filepath.Rel(t.Root, p.Filename); err == nil {
		p.Filename = filepath.ToSlash(rel)
	}
	return p
}

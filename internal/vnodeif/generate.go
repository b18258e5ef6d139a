package vnodeif

import (
	"os"
	"path/filepath"
)

// Compile returns the Go source and the documentation of a table.
func Compile(name string, src []byte) (code, doc []byte, err error) {
	f, err := Parse(name, src)
	if err != nil {
		return nil, nil, err
	}
	code, err = f.Go()
	return code, f.Markdown(), err
}

// Generate compiles the table in srcPath and writes what comes out.
func Generate(srcPath, goPath, docPath string) error {
	src, err := os.ReadFile(srcPath)
	if err != nil {
		return err
	}
	code, doc, err := Compile(filepath.Base(srcPath), src)
	if err != nil {
		return err
	}
	if err := os.WriteFile(goPath, code, 0o666); err != nil {
		return err
	}
	return os.WriteFile(docPath, doc, 0o666)
}

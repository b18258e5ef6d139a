package main

import (
	"fmt"
	"os"
	"path/filepath"
	"strings"

	"rumpvfs/proptest/call"
	"rumpvfs/proptest/driver"
	"rumpvfs/proptest/repro"
	"rumpvfs/proptest/shrink"
)

// minimize makes the script of a failure as small as it gets, with a driver of its own that checks after every call.
func minimize(c driver.Config, f *driver.Failure) (*driver.Failure, error) {
	c.Every = 1
	d, err := driver.New(c)
	if err != nil {
		return nil, err
	}
	defer func() { _ = d.Close() }() // what it has left over is what is being shown
	if g, err := d.Replay(f.Script); err == nil && g != nil {
		f = g
	}
	small := shrink.Minimize(f.Script, d.Like(f))
	g, err := d.Replay(small)
	if err != nil || g == nil {
		return f, err // it does not fail again
	}
	return g, nil
}

// reproducer makes a case of a failure.
func reproducer(c driver.Config, name string, f *driver.Failure) (*repro.Case, error) {
	oracle, err := c.NewOracle()
	if err != nil {
		return nil, err
	}
	defer func() { _ = oracle.Close() }()
	system, err := c.NewSystem()
	if err != nil {
		return nil, err
	}
	defer func() { _ = system.Close() }()
	r, err := repro.New(name, f.Script, oracle, system)
	if err != nil {
		return nil, err
	}
	r.Why, r.FS, r.Setup, r.Fifofs, r.Quirks = why(f), c.FS.Name, c.FS.Setup, c.FS.Caps.Fifos, c.Quirks
	return r, nil
}

// why is what is wrong, in a line.
func why(f *driver.Failure) string {
	switch {
	case f.Err != nil:
		first, _, _ := strings.Cut(f.Err.Error(), "\n")
		return f.Kind.String() + ": " + first
	case f.Clause != 0:
		return fmt.Sprintf("%v: %v: %s", f.Kind, f.Clause, f.Clause.Info().Sentence)
	}
	return f.Kind.String()
}

// writeForms writes a case to a directory in all forms and gives the name of the trace.
func writeForms(dir string, c *repro.Case) (trace string, err error) {
	if err := os.MkdirAll(dir, 0o777); err != nil {
		return "", err
	}
	for _, form := range repro.Forms() {
		name := filepath.Join(dir, strings.Map(fileRune, c.Name)+form.Suffix)
		if err := os.WriteFile(name, form.Write(c), 0o666); err != nil {
			return "", err
		}
		if form.Suffix == ".trace" {
			trace = name
		}
	}
	return trace, nil
}

// fileRune is what stands in a file's name for a character of a case's.
func fileRune(r rune) rune {
	if r >= 'a' && r <= 'z' || r >= 'A' && r <= 'Z' || r >= '0' && r <= '9' {
		return r
	}
	return '_'
}

// signature tells failures apart: those with the same one are shown once.
func signature(f *driver.Failure) string {
	op := call.None
	if f.Index < len(f.Script) {
		op = f.Script[f.Index].Op
	}
	return fmt.Sprintf("%v %v %v %v %d", f.Kind, op, f.Clause, f.Got.Errno, f.Got.Stop)
}

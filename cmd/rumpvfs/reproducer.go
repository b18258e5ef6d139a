package main

import (
	"cmp"
	"fmt"
	"os"
	"path/filepath"
	"strings"

	"rumpvfs/proptest/call"
	"rumpvfs/proptest/driver"
	"rumpvfs/proptest/repro"
	"rumpvfs/proptest/shrink"
)

// A reproducer is a failure in all its forms.
type reproducer struct {
	name  string
	text  string // for people
	files []repro.File
}

// write writes all forms to a directory and gives the name of the one to run again.
func (r *reproducer) write(dir string) (file string, err error) {
	if err := os.MkdirAll(dir, 0o777); err != nil {
		return "", err
	}
	forms := map[string]string{}
	for _, f := range r.files {
		name := filepath.Join(dir, strings.Map(fileRune, r.name)+f.Suffix)
		if err := os.WriteFile(name, f.Text, 0o666); err != nil {
			return "", err
		}
		forms[f.Suffix] = name
	}
	return cmp.Or(forms[".trace"], forms[".txt"]), nil
}

// fileRune is what stands in a file's name for a character of a case's.
func fileRune(r rune) rune {
	if r >= 'a' && r <= 'z' || r >= 'A' && r <= 'Z' || r >= '0' && r <= '9' {
		return r
	}
	return '_'
}

// ofCase is a case as a reproducer.
func ofCase(c *repro.Case) *reproducer { return &reproducer{c.Name, string(c.Text()), c.Files()} }

// minimize makes the script of a failure as small as it gets, with a driver of its own that checks after every call.
func minimize(c driver.Config, f *driver.Failure) (*driver.Failure, error) {
	c.Every = 1
	d, err := driver.New(c)
	if err != nil {
		return nil, err
	}
	defer func() { _ = d.Close() }() // what it has left over is what is being shown
	again := func(script []call.Call) {
		if g, err := d.Replay(script); err == nil && g != nil {
			f = g
		}
	}
	again(f.Script)
	again(shrink.Minimize(f.Script, d.Like(f)))
	return f, nil
}

// reproduce makes a failure as small as it gets and writes it in all forms.
func reproduce(c driver.Config, name string, f *driver.Failure) (*reproducer, error) {
	f, err := minimize(c, f)
	if err != nil {
		return nil, err
	}
	whole, err := caseOf(c, name, f)
	if err != nil {
		return nil, err
	}
	r := ofCase(whole)
	if f.Err != nil {
		r.text += f.String() + "\n"
	}
	return r, nil
}

// caseOf makes a case of a failure.
func caseOf(c driver.Config, name string, f *driver.Failure) (*repro.Case, error) {
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

// signature tells failures apart: those with the same one are shown once.
func signature(f *driver.Failure) string {
	op := call.None
	if f.Index < len(f.Script) {
		op = f.Script[f.Index].Op
	}
	return fmt.Sprintf("%v %v %v %v %d", f.Kind, op, f.Clause, f.Got.Errno, f.Got.Stop)
}

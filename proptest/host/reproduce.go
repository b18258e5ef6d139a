package host

import (
	"errors"
	"fmt"

	"rumpvfs/kern"
	"rumpvfs/proptest/call"
	"rumpvfs/proptest/driver"
	"rumpvfs/proptest/repro"
	"rumpvfs/sim/script"
)

// Reproducer is a failure of a [Runner] as a case for package repro. If it is the host that answers otherwise, the oracle is the kernel, and
// a Go test asks the host again: it passes once the kernel answers as the host does, or the table says why not.
func Reproducer(name string, fs driver.FS, f *driver.Failure) *repro.Case {
	c := &repro.Case{Name: name, Why: f.Err.Error(), FS: fs.Name, Setup: fs.Setup, Fifofs: fs.Caps.Fifos, Quirks: kern.Fixed, Script: f.Script}
	if f.Clause != 0 {
		c.Why += fmt.Sprintf(" (%v: %s)", f.Clause, f.Clause.Info().Sentence)
	}
	m := fs.Model(kern.Fixed)
	for i := range f.Script {
		var r call.Result
		m.Do(&f.Script[i], &r)
		c.Want = append(c.Want, r)
	}
	c.Got = append(c.Got, c.Want...)
	c.Got[f.Index] = f.Got
	if !errors.Is(f.Err, errHost) {
		return c
	}
	c.System = "Linux"
	c.Test = &repro.Test{
		Imports: []string{"rumpvfs/proptest/host"},
		Init:    "host.Child() // the program of the test is the child that makes calls on Linux, too",
		Body: fmt.Sprintf(`h, err := host.New()
	if err != nil {
		t.Skip(err)
	}
	failure, err := host.Replay(h, %q, text)
	if failure != nil || err != nil {
		t.Error(failure, err)
	}`, fs.Name),
	}
	return c
}

// Replay makes the calls of a script on the model and on a kernel with a file system of the project, and on a host, which it closes. There is
// no failure if all that differs is in the table.
func Replay(h Batcher, fsName, text string) (*driver.Failure, error) {
	fs, err := driver.FSNamed(fsName)
	if err != nil {
		return nil, errors.Join(err, h.Close())
	}
	r, err := NewRunner(Config{FS: fs, Host: h})
	if err != nil {
		return nil, err
	}
	f, err := r.read(text)
	return f, errors.Join(err, r.Close())
}

// read makes the calls of a script that is text.
func (r *Runner) read(text string) (*driver.Failure, error) {
	s, err := script.Parse("script", []byte(text))
	if err != nil {
		return nil, err
	}
	calls, err := call.ReadSection(&s.Sections[0], r.config.FS.Model(kern.Fixed), r.config.FS.Setup)
	if err != nil {
		return nil, err
	}
	return r.Replay(calls)
}

package call

import (
	"fmt"
	"strings"

	"rumpvfs/kern"
	"rumpvfs/sim/script"
)

// FromScript makes a call of the first process from a line of a script in which no name is bound and that is no switch.
// The error says why there is no such call.
func FromScript(s *script.Call) (Call, error) {
	c, ok, err := NewReader().Call(s)
	if err == nil && !ok {
		err = fmt.Errorf("%s is no system call", s.Name)
	}
	return c, err
}

// A Reader makes calls from the lines of one section of a script, following its names and processes. As names are bound
// to results, each call's result must be noted before the next line is read.
type Reader struct {
	names map[string]int64
	procs map[string]uint8
	now   uint8
	made  uint8
}

// NewReader makes a reader for a section.
func NewReader() *Reader {
	return &Reader{names: map[string]int64{}, procs: map[string]uint8{"p0": 0}}
}

// ReadSection reads the calls of a section of a script, or of a trace, whose names are bound to what a system answers. Lines that are those
// of setup, in their order, are left out. The error begins with the number of a line.
func ReadSection(sec *script.Section, on System, setup []string) (calls []Call, err error) {
	r := NewReader()
	var res Result
	for i := range sec.Lines {
		l := &sec.Lines[i]
		if l.Call == nil {
			continue
		}
		if len(setup) > 0 && l.Call.String() == setup[0] {
			setup = setup[1:]
			continue
		}
		c, ok, err := r.Call(l.Call)
		if err != nil {
			return nil, fmt.Errorf("%d: %w", l.Number, err)
		}
		if !ok {
			continue
		}
		calls = append(calls, c)
		on.Do(&c, &res)
		r.Note(l.Call, &c, &res)
	}
	return calls, nil
}

// Call makes a call from a line. Not ok means that the line is a switch, which makes none. The error says what the
// line has that no call has: one of the host's calls, a mount, a path of the host, a name that is not bound.
func (r *Reader) Call(s *script.Call) (c Call, ok bool, err error) {
	if s.Name == "switch" {
		return r.switchTo(s)
	}
	c.Op, c.Proc = OpNamed(s.Name), r.now
	if c.Op == None {
		return c, false, fmt.Errorf("%s is no call that is modelled", s.Name)
	}
	args, err := s.Resolve(func(name string) (int64, bool) {
		v, ok := r.names[name]
		return v, ok
	})
	if err != nil {
		return c, false, err
	}
	for i, f := range specs[c.Op].fields {
		if err := c.set(f, i, args); err != nil {
			return c, false, fmt.Errorf("%s: %w", s.Name, err)
		}
	}
	return c, true, nil
}

func (r *Reader) switchTo(s *script.Call) (c Call, ok bool, err error) {
	proc, known := r.procs[s.Args[0].Word]
	if !known {
		return c, false, fmt.Errorf("switch: no process is called %s", s.Args[0].Word)
	}
	r.now = proc
	return c, false, nil
}

// Note says what came of the call that s made.
func (r *Reader) Note(s *script.Call, c *Call, res *Result) {
	value := res.Ret
	if res.Errno != 0 {
		value = -1
		if c.Op == PosixFadvise {
			value = int64(res.Errno)
		}
	}
	switch {
	case res.Errno != 0:
	case c.Op == Rfork:
		value = 0
		r.made++
		r.now = r.made
		if s.Bind != "" {
			r.procs[s.Bind] = r.made
		}
	case c.Op == Exit:
		r.now = 0
	}
	if s.Bind != "" {
		r.names[s.Bind] = value
	}
}

// set makes argument i of a line the field f.
func (c *Call) set(f field, i int, a script.Args) (err error) {
	switch f {
	case fPath:
		c.Path, err = scriptPath(a, i)
	case fPath2:
		c.Path2, err = scriptPath(a, i)
	case fData:
		b, _ := a.Bytes(i)
		c.Data = string(b)
	case fFD:
		c.FD = a.Int32(i)
	case fN:
		c.N = a.Int64(i)
		if c.Op == Dup2 {
			c.N = int64(a.Int32(i))
		}
	case fBuf, fDev:
		c.N = a.Int64(i)
	case fOff:
		c.Off = a.Int64(i)
	case fSize:
		c.Size = a.Int64(i)
	case fMode, fType, fAccess:
		c.Mode = a.Uint32(i)
	case fUID:
		c.UID = a.Uint32(i)
	case fGID:
		c.GID = a.Uint32(i)
	case fGroups:
		c.Data = Groups(a.Uint32s(i)...)
	case fTimes:
		c.setTimes(i, a)
	case fCmd:
		c.Flags = a.Int32(i)
		c.setLock(i+1, a)
	case fCopy:
		c.Flags = map[string]int32{"COPY": RforkCopy, "CLEAR": RforkClear, "SHARE": RforkShare}[a.Word(i)]
	default:
		c.Flags = a.Int32(i)
	}
	return err
}

func scriptPath(a script.Args, i int) (string, error) {
	p, ok := a.Text(i)
	switch {
	case !ok:
		return NullPath, nil
	case strings.HasPrefix(p, "$H"):
		return "", fmt.Errorf("%q is a path of the host", p)
	}
	return p, nil
}

func (c *Call) setTimes(i int, a script.Args) {
	at, mt, ok := a.Times(i)
	c.Null = !ok
	c.Arg = [4]int64{at.Sec, int64(at.Usec), mt.Sec, int64(mt.Usec)}
}

func (c *Call) setLock(i int, a script.Args) {
	if fl, ok := a.Flock(i); ok {
		c.Arg = [4]int64{int64(fl.Type), int64(fl.Whence), fl.Start, fl.Len}
		return
	}
	c.N = a.Int64(i)
	if c.Flags == kern.F_DUPFD || c.Flags == kern.F_DUPFD_CLOEXEC {
		c.N = int64(int32(c.N))
	}
}

package script

import (
	"fmt"
	"strings"

	"rumpvfs/kern"
)

// Args are the arguments of one call at the time it is made: bound names have
// values, defaults stand in for what was left out. Parameters are numbered
// from 0 as in Spec.Params.
type Args struct {
	call   *Call
	values []int64 // of Call.Args, where they are numbers
}

// Resolve looks up the bound names among c's arguments. The error says which
// of them names does not know.
func (c *Call) Resolve(names func(name string) (value int64, ok bool)) (Args, error) {
	values := make([]int64, len(c.Args))
	for i := range c.Args {
		for _, t := range c.Args[i].Terms {
			v := t.Value
			if t.Bound {
				var ok bool
				if v, ok = names(t.Text); !ok {
					return Args{}, fmt.Errorf("%s: %s is not bound", c.Name, t.Text)
				}
			}
			values[i] |= v
		}
	}
	return Args{c, values}, nil
}

// find gives the index in Call.Args of parameter i, or -1.
func (a Args) find(i int) int {
	for n := range a.call.Args {
		if a.call.Args[n].param == i {
			return n
		}
	}
	return -1
}

// count is how many arguments belong to parameter i.
func (a Args) count(i int) (n int) {
	for k := range a.call.Args {
		if a.call.Args[k].param == i {
			n++
		}
	}
	return n
}

// Given reports whether parameter i was written, not left to its default.
func (a Args) Given(i int) bool { return a.find(i) >= 0 }

// Int64 is parameter i, a number of 64 bits, or its default.
func (a Args) Int64(i int) int64 {
	n := a.find(i)
	switch {
	case n < 0:
		return a.call.spec.Params[i].Default
	case a.call.Args[n].Kind == ArgWord:
		return ENDOFF
	}
	return a.values[n]
}

// Int32 is parameter i, a number truncated to 32 bits, or its default.
func (a Args) Int32(i int) int32 { return int32(a.Int64(i)) }

// Uint32 is parameter i, a number truncated to 32 bits, or its default.
func (a Args) Uint32(i int) uint32 { return uint32(a.Int64(i)) }

// Uint32s are the numbers of parameter i, which takes any number of them.
func (a Args) Uint32s(i int) []uint32 {
	var all []uint32
	for n := range a.call.Args {
		if a.call.Args[n].param == i {
			all = append(all, uint32(a.values[n]))
		}
	}
	return all
}

// Bytes is parameter i, a string with repeats expanded; not ok means NULL or
// left out.
func (a Args) Bytes(i int) (b []byte, ok bool) {
	n := a.find(i)
	if n < 0 || a.call.Args[n].Kind != ArgString {
		return nil, false
	}
	return a.call.Args[n].expand(), true
}

func (a *Arg) expand() []byte {
	b := make([]byte, 0, a.length())
	for _, p := range a.Parts {
		if p.Text != "" { // of which there may be more than an int counts
			b = append(b, strings.Repeat(p.Text, int(p.Repeat))...)
		}
	}
	return b
}

// Text is parameter i, a string up to its first NUL; not ok means NULL or
// left out.
func (a Args) Text(i int) (s string, ok bool) {
	b, ok := a.Bytes(i)
	s, _, _ = strings.Cut(string(b), "\x00")
	return s, ok
}

// Path is parameter i, a path: "$H" at its very start is replaced by home,
// the section's host directory, and it ends at its first NUL. Not ok means
// NULL.
func (a Args) Path(i int, home string) (path string, ok bool) {
	path, ok = a.Text(i)
	if rest, private := strings.CutPrefix(path, "$H"); private {
		path = home + rest
	}
	return path, ok
}

// Word is parameter i, one of its words or a process's name.
func (a Args) Word(i int) string {
	if n := a.find(i); n >= 0 {
		return a.call.Args[n].Word
	}
	return ""
}

// Option is the value of a name=number argument; not ok if it was not given.
func (a Args) Option(name string) (value int64, ok bool) {
	for n := range a.call.Args {
		if arg := &a.call.Args[n]; arg.Kind == ArgOption && arg.Word == name {
			return a.values[n], true
		}
	}
	return 0, false
}

// A Timeval is a moment: seconds since 1970 and microseconds, which nothing
// keeps within a second.
type Timeval struct {
	Sec  int64
	Usec int32
}

// Times is parameter i, the times of access and modification; not ok means
// NULL.
func (a Args) Times(i int) (atime, mtime Timeval, ok bool) {
	n := a.find(i)
	if n < 0 || a.call.Args[n].Kind == ArgNull {
		return Timeval{}, Timeval{}, false
	}
	v := a.values[n : n+4]
	return Timeval{v[0], int32(v[1])}, Timeval{v[2], int32(v[3])}, true
}

// Flock is fcntl's TYPE WHENCE START LEN, parameter i; not ok if fcntl has a
// plain argument or none.
func (a Args) Flock(i int) (fl kern.Flock, ok bool) {
	n := a.find(i)
	if n < 0 || a.count(i) < 4 {
		return kern.Flock{}, false
	}
	v := a.values[n : n+4]
	return kern.Flock{Type: int16(v[0]), Whence: int16(v[1]), Start: v[2], Len: v[3]}, true
}

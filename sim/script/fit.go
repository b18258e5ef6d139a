package script

import (
	"slices"
	"strings"

	"rumpvfs/kern"
)

// A shape is what can be said of an argument before its parameter is known.
type shape int

const (
	shapeString shape = iota
	shapeNull
	shapeBare // a number or a word
	shapeOption
)

func (a *Arg) shape() shape {
	switch a.Kind {
	case ArgString:
		return shapeString
	case ArgNull:
		return shapeNull
	case ArgOption:
		return shapeOption
	}
	return shapeBare
}

// accepts reports whether p can begin with an argument of a shape.
func (p *Param) accepts(s shape) bool {
	switch p.Kind {
	case KindPath, KindString, KindData:
		return s == shapeString || s == shapeNull
	case KindOption:
		return s == shapeOption
	case KindTimes:
		return s == shapeNull || s == shapeBare
	}
	return s == shapeBare
}

// expected says what p takes, for messages.
func (p *Param) expected() string {
	switch p.Kind {
	case KindPath, KindString, KindData:
		return "expected " + p.Name + ", a quoted string or NULL"
	case KindOption:
		return "expected one of " + strings.Join(p.Words, "= ") + "= and a number"
	case KindTimes:
		return "expected NULL, or SEC USEC SEC USEC"
	case KindWord:
		return "expected " + strings.Join(p.Words, " or ")
	case KindProc:
		return "expected p0 or a name that rfork was bound to"
	case KindFcntl:
		return "expected one number, or TYPE WHENCE START LEN for a lock command"
	}
	if p.Words != nil {
		return "expected " + p.Name + ", a number or " + strings.Join(p.Words, " or ")
	}
	return "expected " + p.Name + ", a number"
}

// assign gives each argument its parameter's index. If they do not fit, at
// is the first argument that does not, len(shapes) if one is missing, and
// expected is what should be there.
func (s *Spec) assign(shapes []shape) (params []int, at int, expected string) {
	params = make([]int, len(shapes))
	next := 0
	take := func(param, n int) {
		for range n {
			params[next] = param
			next++
		}
	}
	for i := range s.Params {
		p := &s.Params[i]
		left := shapes[next:]
		ok := len(left) > 0 && p.accepts(left[0])
		switch {
		case p.Kind == KindFcntl:
			n := min(len(left), 4)
			if bad := slices.IndexFunc(left[:n], func(s shape) bool { return s != shapeBare }); bad >= 0 {
				return nil, next + bad, p.expected()
			}
			take(i, n)
		case p.Kind == KindTimes && ok && left[0] == shapeBare:
			for n := range 4 {
				if n == len(left) || left[n] != shapeBare {
					return nil, next + n, p.expected()
				}
			}
			take(i, 4)
		case p.Rest:
			for next < len(shapes) && p.accepts(shapes[next]) {
				take(i, 1)
			}
		case ok:
			take(i, 1)
		case !p.Optional:
			return nil, next, p.expected()
		}
	}
	if next < len(shapes) {
		return nil, next, s.tooMany(next, params)
	}
	return params, 0, ""
}

// tooMany says what would have been right in place of argument at, which no
// parameter took.
func (s *Spec) tooMany(at int, params []int) string {
	used := -1
	if at > 0 {
		used = params[at-1]
	}
	if used+1 < len(s.Params) {
		return s.Params[used+1].expected()
	}
	if used >= 0 && s.Params[used].Rest {
		return s.Params[used].expected()
	}
	return "expected the end of the line; usage: " + s.Usage()
}

// fit checks the arguments of a call that was made from values and notes
// their parameters. at and expected are as assign gives them.
func (c *Call) fit() (at int, expected string) {
	shapes := make([]shape, len(c.Args))
	for i := range c.Args {
		shapes[i] = c.Args[i].shape()
	}
	params, at, expected := c.spec.assign(shapes)
	if expected != "" {
		return at, expected
	}
	for i := range c.Args {
		a := &c.Args[i]
		a.param = params[i]
		if expected := a.check(&c.spec.Params[a.param]); expected != "" {
			return i, expected
		}
		if a.Kind == ArgOption && c.option(a.Word) != a {
			return i, "expected each option once"
		}
	}
	return c.fitFcntl()
}

// option is the first argument that gives the option a name, or nil.
func (c *Call) option(name string) *Arg {
	for i := range c.Args {
		if a := &c.Args[i]; a.Kind == ArgOption && a.Word == name {
			return a
		}
	}
	return nil
}

// check looks at the value of an argument whose shape fits p.
func (a *Arg) check(p *Param) (expected string) {
	switch a.Kind {
	case ArgString:
		if a.length() > MaxString {
			return expectedLength
		}
	case ArgOption:
		if !slices.Contains(p.Words, a.Word) || len(a.Terms) == 0 {
			return p.expected()
		}
	case ArgWord:
		if p.Kind != KindProc && !slices.Contains(p.Words, a.Word) {
			return p.expected()
		}
	case ArgNumber:
		if p.Kind == KindWord || p.Kind == KindProc || len(a.Terms) == 0 {
			return p.expected()
		}
	}
	return ""
}

// length is the expanded length in bytes of a string, or more than MaxString
// if it is longer than that.
func (a *Arg) length() int64 {
	total := int64(0)
	for i := range a.Parts {
		total = a.Parts[i].addLength(total)
	}
	return total
}

// addLength adds the expanded length of p to total, without overflow: past
// MaxString the sum is MaxString+1.
func (p *Part) addLength(total int64) int64 {
	n := int64(len(p.Text))
	if total > MaxString || p.Repeat < 0 || n > 0 && p.Repeat > (MaxString-total)/n {
		return MaxString + 1
	}
	return total + n*p.Repeat
}

// fitFcntl checks that fcntl's lock commands, and only they, have a lock as
// argument. A command that only a run knows is taken at its word.
func (c *Call) fitFcntl() (at int, expected string) {
	if c.Name != "fcntl" {
		return 0, ""
	}
	cmd, known := c.Args[1].static()
	given := len(c.Args) - 2
	lock := isLockCommand(int32(cmd))
	switch {
	case known && lock && given < 4, !known && given > 1 && given < 4:
		return len(c.Args), "expected " + [4]string{"TYPE", "WHENCE", "START", "LEN"}[given] + ", a number"
	case known && !lock && given > 1:
		return 3, "expected the end of the line; only F_GETLK, F_SETLK and F_SETLKW take TYPE WHENCE START LEN"
	}
	return 0, ""
}

func isLockCommand(cmd int32) bool {
	return cmd == kern.F_GETLK || cmd == kern.F_SETLK || cmd == kern.F_SETLKW
}

// static is the value of a number that needs no run to be known.
func (a *Arg) static() (n int64, known bool) {
	for _, t := range a.Terms {
		if t.Bound {
			return 0, false
		}
		n |= t.Value
	}
	return n, true
}

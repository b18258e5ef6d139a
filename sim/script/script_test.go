package script

import (
	"fmt"
	"maps"
	"slices"
	"strings"
	"testing"

	"pgregory.net/rapid"
	"rumpvfs/kern"
)

// drawString draws a string argument: any bytes, some repeated.
func drawString(t *rapid.T) Arg {
	var parts []Part
	for range rapid.IntRange(1, 3).Draw(t, "parts") {
		text := rapid.SliceOfN(rapid.Byte(), 0, 6).Draw(t, "text")
		parts = append(parts, Part{string(text), rapid.Int64Range(0, 300).Draw(t, "repeat")})
	}
	return Strings(parts...)
}

// drawNumber draws a number argument of up to three terms; bound are the names
// it may use.
func drawNumber(t *rapid.T, bound []string) Arg {
	names := slices.Sorted(maps.Keys(constants))
	var terms []Arg
	for range rapid.IntRange(1, 3).Draw(t, "terms") {
		switch rapid.IntRange(0, 4).Draw(t, "term") {
		case 0:
			terms = append(terms, Number(rapid.Int64().Draw(t, "n")))
		case 1:
			terms = append(terms, Octal(rapid.Uint32().Draw(t, "mode")))
		case 2:
			terms = append(terms, Flags(rapid.SampledFrom(names).Draw(t, "name")))
		case 3:
			terms = append(terms, Device(rapid.Int32().Draw(t, "major"), rapid.Int32().Draw(t, "minor")))
		case 4:
			if len(bound) == 0 {
				terms = append(terms, Number(1))
			} else {
				terms = append(terms, Bound(rapid.SampledFrom(bound).Draw(t, "bound")))
			}
		}
	}
	return Or(terms...)
}

// drawArgs draws the arguments of one parameter.
func drawArgs(t *rapid.T, p *Param, bound []string) []Arg {
	some := func(n int) []Arg {
		var args []Arg
		for range n {
			args = append(args, drawNumber(t, bound))
		}
		return args
	}
	if p.Optional && rapid.Bool().Draw(t, "leave out") {
		return nil
	}
	switch p.Kind {
	case KindPath, KindString, KindData:
		if rapid.IntRange(0, 9).Draw(t, "null") == 0 {
			return []Arg{Null()}
		}
		return []Arg{drawString(t)}
	case KindWord:
		return []Arg{Word(rapid.SampledFrom(p.Words).Draw(t, "word"))}
	case KindProc:
		return []Arg{Word("p0")}
	case KindOption:
		var args []Arg
		for _, w := range p.Words {
			if rapid.Bool().Draw(t, w) {
				args = append(args, Option(w, drawNumber(t, bound)))
			}
		}
		return args
	case KindTimes:
		if rapid.Bool().Draw(t, "null") {
			return []Arg{Null()}
		}
		return some(4)
	case KindFcntl:
		return nil
	}
	if p.Rest {
		return some(rapid.IntRange(0, 4).Draw(t, "rest"))
	}
	if p.Words != nil && rapid.Bool().Draw(t, "word") {
		return []Arg{Word(p.Words[0])}
	}
	return some(1)
}

// drawCall draws any call but those that go on in another process.
func drawCall(t *rapid.T, bound []string) *Call {
	spec := rapid.SampledFrom(Calls).Filter(func(s Spec) bool {
		return s.Name != "switch" && s.Name != "exit" && s.Name != "fcntl"
	}).Draw(t, "spec")
	var args []Arg
	for i := range spec.Params {
		args = append(args, drawArgs(t, &spec.Params[i], bound)...)
	}
	c, err := NewCall(spec.Name, args...)
	if err != nil {
		t.Fatalf("%v", err)
	}
	return c
}

func drawFcntl(t *rapid.T, bound []string) *Call {
	args := []Arg{drawNumber(t, bound), Flags("F_SETLK")}
	n := 4
	if rapid.Bool().Draw(t, "plain") {
		args[1], n = Flags("F_SETFL"), rapid.IntRange(0, 1).Draw(t, "args")
	}
	for range n {
		args = append(args, drawNumber(t, bound))
	}
	c, err := NewCall("fcntl", args...)
	if err != nil {
		t.Fatalf("%v", err)
	}
	return c
}

// What a minimiser writes must read back as what it had.
func TestRenderedScriptParsesToItself(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		s := &Script{}
		for i := range rapid.IntRange(1, 3).Draw(t, "sections") {
			sec := Section{}
			if i > 0 || rapid.Bool().Draw(t, "header") {
				sec.Name = fmt.Sprintf("section %d", i)
				sec.Header = "=== " + sec.Name
			}
			var bound []string
			for range rapid.IntRange(1, 5).Draw(t, "lines") {
				c := drawCall(t, bound)
				if rapid.IntRange(0, 5).Draw(t, "fcntl") == 0 {
					c = drawFcntl(t, bound)
				}
				if rapid.Bool().Draw(t, "bind") {
					c.Bind = rapid.SampledFrom([]string{"f", "d", "p1", "open", "_9"}).Draw(t, "name")
					bound = append(bound, c.Bind)
				}
				c.Comment = rapid.SampledFrom([]string{"", "# why", `# a "`}).Draw(t, "comment")
				sec.Lines = append(sec.Lines, Line{Call: c})
			}
			sec.Lines = append(sec.Lines, Line{Text: rapid.SampledFrom([]string{"", "  ", " # c"}).Draw(t, "text")})
			s.Sections = append(s.Sections, sec)
		}
		reparse(t, s)
	})
}

func TestNewCallRefuses(t *testing.T) {
	for _, c := range []struct {
		name string
		args []Arg
		want string
	}{
		{"nosuch", nil, "nosuch: expected the name of a call"},
		{"close", nil, "close: end of line: expected FD, a number"},
		{"close", []Arg{String("x")}, `close: "x": expected FD, a number`},
		{"close", []Arg{Word("COPY")}, `close: COPY: expected FD, a number`},
		{"close", []Arg{Or()}, `close: : expected FD, a number`},
		{"rfork", []Arg{Word("BOTH")}, `rfork: BOTH: expected COPY or CLEAR or SHARE`},
		{"rfork", []Arg{Number(1)}, `rfork: 1: expected COPY or CLEAR or SHARE`},
		{"switch", []Arg{Number(1)}, `switch: 1: expected p0`},
		{"stat", []Arg{Strings(Part{"x", -1})}, `stat: "x"*-1: ` + expectedLength},
		{"stat", []Arg{Strings(Part{"x", MaxString}, Part{"y", 1})}, `stat: "x"*67108864+"y": ` + expectedLength},
	} {
		if _, err := NewCall(c.name, c.args...); err == nil || !strings.HasPrefix(err.Error(), c.want) {
			t.Errorf("%s: %v, want %s", c.name, err, c.want)
		}
	}
}

func TestFlagsNeedsAConstant(t *testing.T) {
	defer func() {
		if recover() == nil {
			t.Error("O_NOSUCH is a flag")
		}
	}()
	Flags("O_NOSUCH")
}

// The table is what help prints and what the parser obeys.
func TestTableOfCalls(t *testing.T) {
	seen := map[string]bool{}
	for i := range Calls {
		s := &Calls[i]
		if seen[s.Name] || !isName(s.Name) || Lookup(s.Name) != s {
			t.Errorf("%s is listed twice or cannot be found", s.Name)
		}
		seen[s.Name] = true
		if !strings.HasSuffix(s.Help, ".") || strings.Count(s.Help, ".") != 1 {
			t.Errorf("%s: help is not one sentence: %s", s.Name, s.Help)
		}
		if !slices.IsSorted(s.Errors) || len(slices.Compact(slices.Clone(s.Errors))) != len(s.Errors) {
			t.Errorf("%s: errors out of order or twice: %v", s.Name, s.Errors)
		}
		optional := false
		for j := range s.Params {
			p := &s.Params[j]
			if optional && !p.Optional && !p.Rest {
				t.Errorf("%s: %s comes after a parameter that may be left out", s.Name, p.Name)
			}
			optional = optional || p.Optional
			if p.Rest && j != len(s.Params)-1 {
				t.Errorf("%s: %s is not last", s.Name, p.Name)
			}
		}
	}
	if Lookup("") != nil || Lookup("opens") != nil {
		t.Error("a call that does not exist is found")
	}
}

func TestUsage(t *testing.T) {
	for name, want := range map[string]string{
		"sync":                   "sync",
		"open":                   "open P FLAGS [MODE]",
		"symlink":                "symlink TARGET P",
		"readlink":               "readlink P [N]",
		"setgroups":              "setgroups N...",
		"utimes":                 "utimes P NULL | SEC USEC SEC USEC",
		"fcntl":                  "fcntl FD CMD [ARG] | TYPE WHENCE START LEN",
		"rfork":                  "rfork COPY|CLEAR|SHARE",
		"switch":                 "switch PROCESS",
		"mount":                  "mount TYPE P FLAGS [SOURCE] [size=N] [nodes=N] [mode=N] [uid=N] [gid=N] [mntflags=N] [datalen=N]",
		"etfs_register_withsize": "etfs_register_withsize KEY HOST REG|BLK|CHR|DIR|DIR_SUBDIRS BEGIN SIZE|ENDOFF",
	} {
		if got := Lookup(name).Usage(); got != want {
			t.Errorf("usage %q, want %q", got, want)
		}
	}
}

func ExampleNewCall() {
	c, err := NewCall("open", Strings(Part{"/d/", 1}, Part{"x", 200}), Flags("O_RDWR", "O_CREAT"), Octal(0o644))
	if err != nil {
		panic(err)
	}
	c.Bind = "f"
	fmt.Println(c)
	// Output: f = open "/d/"+"x"*200 O_RDWR|O_CREAT 0644
}

func ExampleParse() {
	_, err := Parse("demo", []byte("umask 022\nopen \"/f\" O_CREATE 0644\n"))
	fmt.Println(err)
	// Output: demo:2: O_CREATE: expected a number, a constant's name or a name bound before
}

func ExampleCall_Resolve() {
	s, _ := Parse("demo", []byte("f = open \"$H/dir/\"+\"a\"*3 O_RDWR|O_CREAT\n"))
	c := s.Sections[0].Lines[0].Call
	args, _ := c.Resolve(func(string) (int64, bool) { return 0, false })
	path, _ := args.Path(0, "/host")
	fmt.Printf("%s %s %#x %#o\n", c.Name, path, args.Int32(1), args.Uint32(2))
	fmt.Println(args.Int32(1) == kern.O_RDWR|kern.O_CREAT, args.Given(2))
	// Output:
	// open /host/dir/aaa 0x202 0
	// true false
}

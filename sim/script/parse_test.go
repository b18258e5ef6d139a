package script

import (
	"errors"
	"fmt"
	"os"
	"reflect"
	"strings"
	"testing"
)

func readTrace(t testing.TB) string {
	src, err := os.ReadFile("testdata/lines.trace")
	if err != nil {
		t.Fatal(err)
	}
	return string(src)
}

// echo writes a trace as run does: the echoed line, and behind a call its
// result.
func echo(s *Script) string {
	var b strings.Builder
	for _, sec := range s.Sections {
		if sec.Header != "" {
			fmt.Fprintln(&b, sec.Header)
		}
		for i := range sec.Lines {
			l := &sec.Lines[i]
			b.WriteString(l.Echo())
			if l.Call != nil {
				b.WriteString(" => " + l.Result)
			}
			b.WriteByte('\n')
		}
	}
	return b.String()
}

func TestTraceEchoesToTheByte(t *testing.T) {
	src := readTrace(t)
	s, err := ParseTrace("lines.trace", []byte(src))
	if err != nil {
		t.Fatal(err)
	}
	if got := echo(s); got != src {
		t.Errorf("echo differs:\n%s", got)
	}
	var names []string
	for _, sec := range s.Sections {
		names = append(names, fmt.Sprintf("%d:%s:%d", sec.Line, sec.Name, len(sec.Lines)))
	}
	want := "[1::2 3:plain calls and results:11 15:shapes:15 31:processes:6]"
	if got := fmt.Sprint(names); got != want {
		t.Errorf("sections %s, want %s", got, want)
	}
}

// A call loses its leading blanks, nothing else; line ends may be CR LF.
func TestScriptEcho(t *testing.T) {
	src := " \t stat   \"/\"\t# why \r\n\t\n  === x \n  # c\ngetpid"
	s, err := Parse("x", []byte(src))
	if err != nil {
		t.Fatal(err)
	}
	if got, want := echo(s), "stat   \"/\"\t# why  => \n\t\n  === x \n  # c\ngetpid => \n"; got != want {
		t.Errorf("echo %q, want %q", got, want)
	}
	if len(s.Sections) != 2 || s.Sections[0].Header != "" || s.Sections[1].Name != "x" {
		t.Errorf("sections %+v", s.Sections)
	}
	c := s.Sections[0].Lines[0].Call
	if c.Comment != "# why " || c.Line != 1 || c.Name != "stat" || c.Spec().Name != "stat" {
		t.Errorf("call %+v", c)
	}
}

func TestCanonicalText(t *testing.T) {
	for in, want := range map[string]string{
		`f  =  open	"/a"+"b"*1+"c"*010 O_RDWR|3 0644  # x`: `f = open "/a"+"b"+"c"*8 O_RDWR|3 0644 # x`,
		`write 1 "\t\r\a\b\f\v\377\x7fé"`:                  `write 1 "\x09\x0d\x07\x08\x0c\x0b\xff\x7f\xc3\xa9"`,
		`write 1 ""*0x10`:                                  `write 1 ""*16`,
		`write 1 "\x007"`:                                  `write 1 "\x007"`,
		`mount "t" "/" 0 gid=5 uid=-1|dev:1,2`:             `mount "t" "/" 0 gid=5 uid=-1|dev:1,2`,
	} {
		s, err := Parse("x", []byte(in))
		if err != nil {
			t.Error(err)
			continue
		}
		if got := s.String(); got != want+"\n" {
			t.Errorf("%s\nbecomes %s\nwant    %s", in, got, want)
		}
	}
}

func TestSplitResult(t *testing.T) {
	for _, c := range []struct{ line, call, result string }{
		{`stat "/" => ENOENT`, `stat "/"`, `ENOENT`},
		{`read 0 9 => 6 "a => b"`, `read 0 9`, `6 "a => b"`},
		{`read 0 9 => 8 "\" => \"b"`, `read 0 9`, `8 "\" => \"b"`},
		{`write 0 " => " # => x => 4`, `write 0 " => " # => x`, `4`},
		{`read 0 9 # one " only => 6 "a => b"`, `read 0 9 # one " only`, `6 "a => b"`},
		{`sync => `, `sync`, ``},
		{`sync # " => 5 "\\ => "`, `sync # "`, `5 "\\ => "`},
		{`sync # " => 4 "\" => "`, `sync # "`, `4 "\" => "`},
	} {
		call, result, ok := SplitResult(c.line)
		if !ok || call != c.call || result != c.result {
			t.Errorf("%s\nis cut into %q and %q, %v", c.line, call, result, ok)
		}
	}
	for _, line := range []string{"", "sync", `write 0 " => "`, `sync =>`, `sync # "`} {
		if call, result, ok := SplitResult(line); ok || call != line || result != "" {
			t.Errorf("%q is cut into %q and %q", line, call, result)
		}
	}
}

func TestSyntaxErrors(t *testing.T) {
	for _, c := range []struct{ src, want string }{
		{"nosuch 1", "x:1: nosuch: expected the name of a call"},
		{"\n\nf =", "x:3: end of line: expected the name of a call"},
		{"=", "x:1: =: expected the name of a call"},
		{"1f = sync", "x:1: 1f: " + expectedName},
		{"O_RDWR = sync", "x:1: O_RDWR: " + expectedName},
		{"NULL = sync", "x:1: NULL: " + expectedName},
		{"a-b = sync", "x:1: a-b: " + expectedName},
		{"====", `x:1: ====: expected a blank after "==="`},

		{"stat", "x:1: end of line: expected P, a quoted string or NULL"},
		{"stat /f", "x:1: /f: expected P, a quoted string or NULL"},
		{`stat "/f`, `x:1: "/f: expected a closing quote`},
		{`stat "/f\`, `x:1: \: expected \n `},
		{`stat "/f\q"`, `x:1: \q": expected \n `},
		{`stat "/f\x4"`, `x:1: \x4": expected \n `},
		{`stat "/f\xg0"`, `x:1: \xg0: expected \n `},
		{`stat "/f\400"`, `x:1: \400: expected \n `},
		{`stat "/f\18"`, `x:1: \18": expected \n `},
		{`stat "/f\0"`, `x:1: \0": expected \n `},
		{`stat "/" "/"`, `x:1: "/": expected the end of the line; usage: stat P`},
		{`stat "/"*`, `x:1: *: expected a count right after "*"`},
		{`stat "/"*-1`, `x:1: *-1: expected a count right after "*"`},
		{`stat "/"*x`, `x:1: *x: expected a count right after "*"`},
		{`stat "/"*18446744073709551615`, `x:1: *18446744073709551615: expected a count right after "*"`},
		{`stat "/"* 3`, `x:1: * 3: expected a count right after "*"`},
		{`stat "/"+`, `x:1: +: expected a quoted string right after "+"`},
		{`stat "/"+NULL`, `x:1: +NULL: expected a quoted string right after "+"`},
		{`stat "/"x`, `x:1: x: expected a blank, "*" or "+" after the string`},
		{`stat "/"#`, `x:1: #: expected a blank, "*" or "+" after the string`},
		{`stat NULL*2`, `x:1: NULL*2: expected P, a quoted string or NULL`},
		{`stat "/"*67108865`, `x:1: "/"*67108865: ` + expectedLength},
		{`stat "ab"*9223372036854775807`, `x:1: "ab"*9223372036854775807: ` + expectedLength},
		{`stat "a"*67108864+"b"`, `x:1: "a"*67108864+"b": ` + expectedLength},

		{"close", "x:1: end of line: expected FD, a number"},
		{`close "x"`, `x:1: "x": expected FD, a number`},
		{"close NULL", "x:1: NULL: expected FD, a number"},
		{"close f", "x:1: f: expected a number, a constant's name or a name bound before"},
		{"close 3|", "x:1: 3|: expected FD, a number"},
		{"close 3||4", "x:1: 3||4: expected FD, a number"},
		{"close 3x", "x:1: 3x: expected a number of at most 64 bits"},
		{"close 08", "x:1: 08: expected a number of at most 64 bits"},
		{"close 0x", "x:1: 0x: expected a number of at most 64 bits"},
		{"close 0b1", "x:1: 0b1: expected a number of at most 64 bits"},
		{"close 1_0", "x:1: 1_0: expected a number of at most 64 bits"},
		{"close +1", "x:1: +1: expected a number of at most 64 bits"},
		{"close --1", "x:1: --1: expected a number of at most 64 bits"},
		{"close 18446744073709551616", "x:1: 18446744073709551616: expected a number of at most 64 bits"},
		{"close -9223372036854775809", "x:1: -9223372036854775809: expected a number of at most 64 bits"},
		{"close dev:1", "x:1: dev:1: expected dev:MAJOR,MINOR, two numbers"},
		{"close dev:1,x", "x:1: dev:1,x: expected dev:MAJOR,MINOR, two numbers"},
		{"close dev:1,4294967296", "x:1: dev:1,4294967296: expected dev:MAJOR,MINOR, two numbers"},
		{"close fd=3", "x:1: fd=3: expected FD, a number"},
		{"f = sync\n=== new\nclose f", "x:3: f: expected a number, a constant's name or a name bound before"},
		{"sync => 0", "x:1: =>: expected the end of the line; usage: sync"},
		{`readlink "/" "/"`, `x:1: "/": expected N, a number`},
		{"setgroups 1 NULL", "x:1: NULL: expected N, a number"},

		{"rfork FORK", "x:1: FORK: expected COPY or CLEAR or SHARE"},
		{"rfork 0", "x:1: 0: expected COPY or CLEAR or SHARE"},
		{"p0 = rfork COPY", "x:1: p0: expected another name than the first process's"},
		{"switch p0", "x:1: p0: expected a process that is not the running one"},
		{"switch p1", "x:1: p1: expected p0 or a name that rfork was bound to"},
		{"p1 = rfork COPY\nswitch p1", "x:2: p1: expected a process that is not the running one"},
		{"p1 = rfork COPY\nexit\nswitch p1", "x:3: p1: expected p0 or a name that rfork was bound to"},
		{"exit", "x:1: exit: expected a process other than p0 to run"},
		{"rfork COPY\nexit\nexit", "x:3: exit: expected a process other than p0 to run"},

		{`utimes "/f"`, "x:1: end of line: expected NULL, or SEC USEC SEC USEC"},
		{`utimes "/f" 1 2 3`, "x:1: end of line: expected NULL, or SEC USEC SEC USEC"},
		{`utimes "/f" 1 2 NULL 4`, "x:1: NULL: expected NULL, or SEC USEC SEC USEC"},
		{`utimes "/f" NULL 1`, "x:1: 1: expected the end of the line; usage: utimes P NULL | SEC USEC SEC USEC"},
		{"fcntl 0 F_SETLK", "x:1: end of line: expected TYPE, a number"},
		{"fcntl 0 F_SETLK 1 2", "x:1: end of line: expected START, a number"},
		{"fcntl 0 8 1 2 3", "x:1: end of line: expected LEN, a number"},
		{"f = dup 0\nfcntl 0 f 1 2", "x:2: end of line: expected START, a number"},
		{"fcntl 0 F_GETFL 1 2", "x:1: 2: expected the end of the line; only F_GETLK"},
		{"fcntl 0 F_SETLK 1 2 3 4 5", "x:1: 5: expected the end of the line; usage: fcntl FD CMD [ARG] | TYPE WHENCE START LEN"},
		{`fcntl 0 F_SETFL "x"`, `x:1: "x": expected one number, or TYPE WHENCE START LEN`},
		{`mount "t" "/" 0 color=1`, "x:1: color=1: expected one of size= nodes= "},
		{`mount "t" "/" 0 size=`, "x:1: size=: expected one of size= nodes= "},
		{`mount "t" "/" 0 size=x`, "x:1: x: expected a number, a constant's name"},
		{`mount "t" "/" 0 size=1 size=2`, "x:1: size=2: expected each option once"},
		{`mount "t" "/" 0 size=1 "source"`, `x:1: "source": expected one of size= `},
		{`etfs_register_withsize "k" "h" REG 0 END`, "x:1: END: expected a number, a constant's name"},
		{`etfs_register_withsize "k" "h" REG 0`, "x:1: end of line: expected SIZE, a number or ENDOFF"},

		{"close " + strings.Repeat("9", 100), "x:1: " + strings.Repeat("9", 60) + "...: expected"},
		{"close \x01\xff", `x:1: \x01\xff: expected`},
	} {
		_, err := Parse("x", []byte(c.src))
		var se *SyntaxError
		if !errors.As(err, &se) || !strings.HasPrefix(err.Error(), c.want) {
			t.Errorf("%s\ngives %v\nwant  %s", c.src, err, c.want)
		}
	}
	if _, err := ParseTrace("x", []byte("sync => 0\nsync\n")); err == nil || err.Error() != `x:2: end of line: expected " => " and a result` {
		t.Errorf("a trace without result gives %v", err)
	}
}

// Hostile lines take time in proportion to their length.
func TestLongLines(t *testing.T) {
	const n = 200_000
	for _, line := range []string{
		`sync # "` + strings.Repeat(` => "\"`, n),
		`stat "a"` + strings.Repeat(`+"a"`, n) + ` => ENAMETOOLONG`,
		`setgroups` + strings.Repeat(` 1`, n) + ` => EINVAL`,
		`close 1` + strings.Repeat(`|1`, n) + ` => EBADF`,
	} {
		l, err := NewParser("x").TraceLine(line)
		if err != nil || len(l.Call.String()) < n {
			t.Errorf("%.20s...: %v", line, err)
		}
	}
}

// A shell goes on after a bad line: nothing of it sticks.
func TestParserForgetsABadLine(t *testing.T) {
	p := NewParser("shell")
	if _, err := p.Line(`f = open "/f"`); err == nil {
		t.Error("open without flags is accepted")
	}
	if _, err := p.Line("close f"); err == nil {
		t.Error("the bad line bound a name")
	}
	if _, err := p.Line("f = dup 0"); err != nil {
		t.Error(err)
	}
	l, err := p.Line("  close f")
	if err != nil || l.Number != 4 || l.Text != "close f" || l.Call.Name != "close" {
		t.Errorf("line %+v, %v", l, err)
	}
	if l, err = p.TraceLine("close f => EBADF"); err != nil || l.Result != "EBADF" {
		t.Errorf("line %+v, %v", l, err)
	}
}

func TestUnnamedProcess(t *testing.T) {
	src := "rfork COPY\nswitch p0\np1 = rfork CLEAR\nrfork SHARE\nswitch p1\nexit\ngetpid\n"
	if _, err := Parse("x", []byte(src)); err != nil {
		t.Error(err)
	}
}

// plain removes what only a file gives: positions, source text, results.
func plain(s *Script) *Script {
	s.File = ""
	for i := range s.Sections {
		s.Sections[i].Line = 0
		for j := range s.Sections[i].Lines {
			l := &s.Sections[i].Lines[j]
			l.Number, l.Result = 0, ""
			if l.Call != nil {
				l.Call.Line, l.Text = 0, ""
			}
		}
	}
	return s
}

// reparse checks that the canonical text of s parses to s.
func reparse(t interface{ Fatalf(string, ...any) }, s *Script) {
	text := s.String()
	again, err := Parse("again", []byte(text))
	if err != nil {
		t.Fatalf("canonical text does not parse: %v\n%s", err, text)
	}
	if got := again.String(); got != text {
		t.Fatalf("canonical text is not canonical:\n%s\nbecomes\n%s", text, got)
	}
	if !reflect.DeepEqual(plain(again), plain(s)) {
		t.Fatalf("canonical text means something else:\n%s", text)
	}
}

func FuzzParse(f *testing.F) {
	f.Add([]byte(readTrace(f)))
	for _, seed := range []string{
		"", "\r", "===", "f = open \"/\"+\"x\"*300 O_RDONLY # c\nclose f", "write 1 \"\\x00\\377\"*70000000",
		"mknod \"/\" 0 dev:-1,99999999999", "fcntl 1 F_SETLK 1", "stat \"\\", "close 0xffffffffffffffff|-9223372036854775808",
		"p1 = rfork COPY\nswitch p0\nswitch p1\nexit", "utimes NULL NULL", "mount \"a\" \"b\" 0 size=0 uid=-1",
	} {
		f.Add([]byte(seed))
	}
	f.Fuzz(func(t *testing.T, src []byte) {
		for _, read := range []func(string, []byte) (*Script, error){Parse, ParseTrace} {
			s, err := read("fuzz", src)
			var se *SyntaxError
			switch {
			case err == nil:
				reparse(t, s)
			case !errors.As(err, &se) || se.Line < 1 || se.Token == "" || se.Expected == "":
				t.Errorf("error %#v", err)
			}
		}
	})
}

func BenchmarkParseTrace(b *testing.B) {
	src := []byte(readTrace(b))
	b.SetBytes(int64(len(src)))
	b.ReportAllocs()
	for b.Loop() {
		if _, err := ParseTrace("x", src); err != nil {
			b.Fatal(err)
		}
	}
}

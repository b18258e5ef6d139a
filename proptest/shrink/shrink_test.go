package shrink

import (
	"fmt"
	"strings"
	"testing"

	"rumpvfs/kern"
	"rumpvfs/proptest/call"
	"rumpvfs/proptest/driver"
	"rumpvfs/proptest/gen"
)

// isMinimal reports what could still be left out or made simpler, "" if nothing.
func isMinimal(script []call.Call, fails func([]call.Call) bool) string {
	for i := range script {
		less := append(append([]call.Call(nil), script[:i]...), script[i+1:]...)
		if fails(less) {
			return fmt.Sprintf("%v is not needed", script[i])
		}
		for _, c := range Simpler(script[i]) {
			with := append([]call.Call(nil), script...)
			if with[i] = c; fails(with) {
				return fmt.Sprintf("%v could be %v", script[i], c)
			}
		}
	}
	return ""
}

// text is a script, a call a line.
func text(script []call.Call) string {
	var b strings.Builder
	for _, c := range script {
		fmt.Fprintf(&b, "p%d %v\n", c.Proc, c)
	}
	return b.String()
}

// TestMinimize shrinks scripts by what they contain.
func TestMinimize(t *testing.T) {
	long := gen.New(gen.NewRand(3, 0), gen.Config{})
	var script []call.Call
	for range 400 {
		var c call.Call
		long.Next(&c)
		script = append(script, c)
	}
	script = append(script, call.Call{Op: call.Open, Path: "/x/y", Flags: kern.O_CREAT | kern.O_RDWR, Mode: 0o644, Proc: 2},
		call.Call{Op: call.Pwrite, FD: 7, Data: "0123456789", Off: 5000, Proc: 1}, call.Call{Op: call.Setgroups, Data: call.Groups(1, 2, 3)})
	for _, tc := range []struct {
		name  string
		fails func([]call.Call) bool
		want  string
	}{
		{"anything", func([]call.Call) bool { return true }, ""},
		{"a call", func(l []call.Call) bool { return len(l) > 0 && l[len(l)-1].Op == call.Setgroups }, "p0 setgroups\n"},
		{"two calls in order", func(l []call.Call) bool {
			at := strings.Index(text(l), "open")
			return at >= 0 && strings.Contains(text(l)[at:], "pwrite")
		}, "p0 open \"/\" O_RDONLY\np0 pwrite 0 \"\" 0\n"},
		{"a number", func(l []call.Call) bool {
			for _, c := range l {
				if c.Op == call.Pwrite && c.Off >= 1234 {
					return true
				}
			}
			return false
		}, "p0 pwrite 0 \"\" 1234\n"},
		{"a flag and a name", func(l []call.Call) bool {
			for _, c := range l {
				if c.Op == call.Open && c.Flags&kern.O_CREAT != 0 && strings.Contains(c.Path, "/y") {
					return true
				}
			}
			return false
		}, "p0 open \"/y\" O_RDONLY|O_CREAT\n"},
	} {
		got := Minimize(script, tc.fails)
		if text(got) != tc.want {
			t.Errorf("%s: %s", tc.name, text(got))
		}
		if tc.want != "" {
			if more := isMinimal(got, tc.fails); more != "" {
				t.Errorf("%s: %s", tc.name, more)
			}
		}
	}
}

// TestSimplerEnds checks that what is simpler than a call is another call, and that there is an end to it.
func TestSimplerEnds(t *testing.T) {
	g := gen.New(gen.NewRand(5, 0), gen.Config{})
	for range 2000 {
		var c call.Call
		g.Next(&c)
		for steps := 0; ; steps++ {
			list := Simpler(c)
			if len(list) == 0 {
				break
			}
			if steps > 20000 {
				t.Fatalf("no end, at %+v", c)
			}
			for i, s := range list {
				if s == c {
					t.Fatalf("%+v is simpler than itself", c)
				}
				if s.Op != c.Op {
					t.Fatalf("%v is another call than %v", s, c)
				}
				if i > 40 {
					break
				}
			}
			c = list[steps%len(list)]
		}
	}
}

// TestMinimizeDifferences finds what a fixed kernel does otherwise than the reference and shrinks it.
func TestMinimizeDifferences(t *testing.T) {
	fs := driver.Rumpfs()
	d, err := driver.New(driver.Config{Seed: 1, System: func() (call.System, error) { return fs.Kernel(kern.Rev1125, 0) }})
	if err != nil {
		t.Fatal(err)
	}
	for found := 0; found < 5; {
		f, err := d.Next()
		if err != nil {
			t.Fatal(err)
		}
		if f == nil {
			continue
		}
		found++
		fails := d.Like(f)
		small := Minimize(f.Script, fails)
		if len(small) > 8 || !fails(small) {
			t.Errorf("%v:\n%s", f, text(small))
		}
		if more := isMinimal(small, fails); more != "" {
			t.Errorf("%s:\n%s", more, text(small))
		}
	}
	if err := d.Close(); err != nil {
		t.Error(err)
	}
}

// FuzzMinimize shrinks scripts to the calls of one kind, whatever else is in them.
func FuzzMinimize(f *testing.F) {
	f.Add([]byte("some calls"), byte(call.Open))
	f.Add([]byte("\x03\x91\x77\x20\x41\x88\xfe\x10\x33\x5a\xc0\x02\x9e\x61\x77\x20\x41\x88"), byte(call.Mkdir))
	f.Fuzz(func(t *testing.T, input []byte, op byte) {
		src := &gen.Bytes{Rest: input}
		g := gen.New(src, gen.Config{})
		var script []call.Call
		for !src.Empty() && len(script) < 50 {
			var c call.Call
			g.Next(&c)
			script = append(script, c)
		}
		fails := func(list []call.Call) bool {
			for _, c := range list {
				if c.Op == call.Op(op)%call.NumOps {
					return true
				}
			}
			return false
		}
		if small := Minimize(script, fails); fails(script) && (len(small) != 1 || len(Simpler(small[0])) > 0) {
			t.Fatalf("%v of\n%s", small, text(script))
		}
	})
}

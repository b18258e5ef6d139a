package repro

import (
	"bytes"
	"fmt"
	"go/format"
	"slices"
	"strings"
)

// A Test is what a Go test does to show a failure.
type Test struct {
	Imports []string // packages, but for testing
	Init    string   // a statement that the program of the test begins with, or none
	Lines   []string // of text, which Body is about; nil: those of the script
	Body    string   // the statements of the test
}

// replays is the test that compares with a trace, which has the oracle's answers.
func replays(c *Case) *Test {
	config := "Mode: hypercall.Deterministic, Without: kern.Rev1125 &^ quirks"
	if c.Fifofs {
		config += ", Fifofs: true"
	}
	return &Test{
		Imports: []string{"context", "strings", "rumpvfs/hypercall", "rumpvfs/kern", "rumpvfs/sim", "rumpvfs/sim/replay", "rumpvfs/sim/script"},
		Body: fmt.Sprintf("quirks, err := kern.ParseQuirks(%q)", c.Quirks.String()) + `
	if err != nil {
		t.Fatal(err)
	}
	s, err := script.ParseTrace(t.Name(), []byte(text))
	if err != nil {
		t.Fatal(err)
	}
	o := replay.Run(context.Background(), &s.Sections[0], sim.Config{` + config + `})
	if o.Err != nil || o.Left != nil {
		t.Error(o.Err, o.Left)
	}
	if o.Compare().Differ > 0 {
		var report strings.Builder
		if err := o.Explain(&report, t.Name(), len(s.Sections[0].Lines)); err != nil {
			t.Fatal(err)
		}
		t.Error(report.String())
	}`,
	}
}

// GoTest is the case as a Go test of a module that requires this one. It fails as long as what the case shows is so.
func (c *Case) GoTest() []byte {
	var head bytes.Buffer
	c.head(&head, "// ")
	if c.Test != nil && c.Test.Lines != nil {
		return c.Test.write(c.Name, head.String())
	}
	test := replays(c)
	if c.Test != nil {
		*test = *c.Test
	}
	for _, l := range c.lines() {
		if c.Test == nil {
			l.text += " => " + l.want
		}
		test.Lines = append(test.Lines, l.text)
	}
	return test.write(c.Name, head.String())
}

// write writes the test.
func (t *Test) write(name, head string) []byte {
	var b bytes.Buffer
	b.WriteString("package repro\n\nimport (\n")
	imports := append(slices.Clone(t.Imports), "strings", "testing")
	slices.Sort(imports)
	imports = slices.Compact(imports)
	for i, own := range []bool{false, true} {
		if i > 0 {
			b.WriteString("\n")
		}
		for _, path := range imports {
			if strings.HasPrefix(path, "rumpvfs/") == own {
				fmt.Fprintf(&b, "\t%q\n", path)
			}
		}
	}
	b.WriteString(")\n\n")
	if t.Init != "" {
		fmt.Fprintf(&b, "func init() {\n\t%s\n}\n\n", t.Init)
	}
	fmt.Fprintf(&b, "%sfunc Test%s(t *testing.T) {\n\ttext := strings.Join([]string{\n", head, identifier(name))
	for _, l := range t.Lines {
		if strings.Contains(l, "`") {
			fmt.Fprintf(&b, "\t\t%q,\n", l)
		} else {
			fmt.Fprintf(&b, "\t\t`%s`,\n", l)
		}
	}
	fmt.Fprintf(&b, "\t}, \"\\n\") + \"\\n\"\n\t%s\n}\n", t.Body)
	src, err := format.Source(b.Bytes())
	if err != nil {
		panic("repro: " + err.Error()) // it is we who wrote it
	}
	return src
}

// identifier makes a Go name of a case's.
func identifier(name string) string {
	var b strings.Builder
	for _, part := range strings.FieldsFunc(name, func(r rune) bool { return !letter(r) }) {
		b.WriteString(strings.ToUpper(part[:1]) + part[1:])
	}
	return b.String()
}

func letter(r rune) bool { return r >= 'a' && r <= 'z' || r >= 'A' && r <= 'Z' || r >= '0' && r <= '9' }

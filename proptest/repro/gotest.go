package repro

import (
	"bytes"
	"fmt"
	"go/format"
	"strings"
)

// identifier makes a Go name of the case's.
func (c *Case) identifier() string {
	var b strings.Builder
	for _, part := range strings.FieldsFunc(c.Name, func(r rune) bool { return !letter(r) }) {
		b.WriteString(strings.ToUpper(part[:1]) + part[1:])
	}
	return b.String()
}

func letter(r rune) bool { return r >= 'a' && r <= 'z' || r >= 'A' && r <= 'Z' || r >= '0' && r <= '9' }

// GoTest is the case as a Go test of a module that requires this one.
func (c *Case) GoTest() []byte {
	var b bytes.Buffer
	b.WriteString("package repro\n\nimport (\n\t\"context\"\n\t\"strings\"\n\t\"testing\"\n\n" +
		"\t\"rumpvfs/hypercall\"\n\t\"rumpvfs/kern\"\n\t\"rumpvfs/sim\"\n\t\"rumpvfs/sim/replay\"\n\t\"rumpvfs/sim/script\"\n)\n\n")
	c.head(&b, "// ")
	fmt.Fprintf(&b, "func Test%s(t *testing.T) {\n", c.identifier())
	b.WriteString("\ttrace := strings.Join([]string{\n")
	for _, l := range c.lines() {
		text := l.text + " => " + l.want
		if strings.Contains(text, "`") {
			fmt.Fprintf(&b, "\t\t%q,\n", text)
		} else {
			fmt.Fprintf(&b, "\t\t`%s`,\n", text)
		}
	}
	b.WriteString("\t}, \"\\n\") + \"\\n\"\n")
	config := "Mode: hypercall.Deterministic, Without: kern.Rev1125 &^ quirks"
	if c.Fifofs {
		config += ", Fifofs: true"
	}
	fmt.Fprintf(&b, "\tquirks, err := kern.ParseQuirks(%q)\n", c.Quirks.String())
	b.WriteString(`	if err != nil {
		t.Fatal(err)
	}
	s, err := script.ParseTrace(t.Name(), []byte(trace))
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
	}
}
`)
	src, err := format.Source(b.Bytes())
	if err != nil {
		panic("repro: " + err.Error()) // it is we who wrote it
	}
	return src
}

package replay

import (
	"context"
	"errors"
	"strings"
	"testing"

	"rumpvfs/sim/script"
)

// explained runs a trace and gives its totals and what is explained.
func explained(t *testing.T, trace string, change func(*Outcome)) (Totals, string) {
	t.Helper()
	tr, err := script.ParseTrace("t", []byte(trace))
	if err != nil {
		t.Fatal(err)
	}
	var total Totals
	var b strings.Builder
	for i := range tr.Sections {
		o := Run(context.Background(), &tr.Sections[i], deterministic)
		if change != nil {
			change(&o)
		}
		total.Add(o.Compare())
		if err := o.Explain(&b, tr.File, 2); err != nil {
			t.Fatal(err)
		}
	}
	return total, b.String()
}

func TestExplain(t *testing.T) {
	for _, c := range []struct {
		name, trace string
		change      func(*Outcome)
		totals      string
		explained   string
	}{
		{"all agrees", "=== s\ngetpid => 1\n", nil, "sections=1 calls=1 agree=1 differ=0", ""},
		{
			"differences and the lines before them",
			"=== s\ngetpid => 1\n# note\ngetpid => 1\ngetpid => 2\ngetpid => 3\ngetpid => 1\ngetpid => 1\ngetpid => 1\ngetpid => 4\n", nil,
			"sections=1 calls=8 agree=5 differ=3",
			"t:5: s\n" +
				"      3  # note\n      4  getpid => 1\n" +
				"      5  getpid\n      expected: 2\n      got:      1\n" +
				"      6  getpid\n      expected: 3\n      got:      1\n" +
				"t:10: s\n" +
				"      8  getpid => 1\n      9  getpid => 1\n" +
				"     10  getpid\n      expected: 4\n      got:      1\n",
		},
		{
			"a kernel that does not boot", "=== a\ngetpid => 1\n=== b\ngetpid => 1\n",
			func(o *Outcome) {
				if o.Section.Name == "a" {
					*o = Outcome{Section: o.Section, Err: errors.New("no kernel")}
				}
			},
			"sections=2 calls=2 agree=1 differ=1",
			"t:1: a: no kernel; 1 calls not made\n",
		},
		{
			"calls behind a panic that was expected", "=== s\nmkfifo \"/p\" 0600 => 0\nf = open \"/p\" O_RDWR => 3\nwrite f \"x\" => PANIC\ngetpid => 1\n", nil,
			"sections=1 calls=4 agree=3 differ=1",
			"t:1: s: PANIC ended the section; 1 calls not made\n",
		},
		{
			"a reference that is left over", "=== s\ngetpid => 1\n",
			func(o *Outcome) { o.Left = errors.New("left over at shutdown: 1 vnode") },
			"sections=1 calls=1 agree=1 differ=0",
			"t:1: s: left over at shutdown: 1 vnode\n",
		},
	} {
		totals, text := explained(t, c.trace, c.change)
		if totals.String() != c.totals || text != c.explained {
			t.Errorf("%s: %v\n%s", c.name, totals, text)
		}
	}
}

func TestExplainUnexpectedPanic(t *testing.T) {
	totals, text := explained(t, "=== s\nmkfifo \"/p\" 0600 => 0\nf = open \"/p\" O_RDWR => 3\nwrite f \"x\" => 1\ngetpid => 1\n", nil)
	if totals.String() != "sections=1 calls=4 agree=2 differ=2" {
		t.Error(totals)
	}
	for _, want := range []string{
		"      expected: 1\n      got:      PANIC\n      panic: kernel diagnostic assertion",
		"      the section ended here; 1 calls not made\n",
	} {
		if !strings.Contains(text, want) {
			t.Errorf("%s\nlacks %s", text, want)
		}
	}
}

// full is a writer with no room.
type full struct{}

func (full) Write([]byte) (int, error) { return 0, errors.New("full") }

func TestWriteErrors(t *testing.T) {
	tr, err := script.ParseTrace("t", []byte("=== s\ngetpid => 2\ngetpid => 3\n"))
	if err != nil {
		t.Fatal(err)
	}
	o := Run(context.Background(), &tr.Sections[0], deterministic)
	if err := o.Explain(full{}, "t", 2); err == nil || err.Error() != "full" {
		t.Errorf("Explain: %v", err)
	}
	if _, err := o.WriteTo(full{}); err == nil || err.Error() != "full" {
		t.Errorf("WriteTo: %v", err)
	}
}

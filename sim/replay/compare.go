package replay

import (
	"fmt"
	"io"

	"rumpvfs/sim/script"
)

// Totals counts what was compared.
type Totals struct {
	Sections int
	Calls    int // those of the traces
	Agree    int // calls whose result is the recorded one
	Differ   int // all other calls, those that were not reached included
}

// Add adds the counts of u.
func (t *Totals) Add(u Totals) {
	t.Sections += u.Sections
	t.Calls += u.Calls
	t.Agree += u.Agree
	t.Differ += u.Differ
}

func (t Totals) String() string {
	return fmt.Sprintf("sections=%d calls=%d agree=%d differ=%d", t.Sections, t.Calls, t.Agree, t.Differ)
}

// Compare counts how many calls of a section of a trace have the recorded
// result.
func (o *Outcome) Compare() Totals {
	t := Totals{Sections: 1}
	for i := range o.Section.Lines {
		if o.Section.Lines[i].Call == nil {
			continue
		}
		t.Calls++
		if o.agrees(i) {
			t.Agree++
		}
	}
	t.Differ = t.Calls - t.Agree
	return t
}

func (o *Outcome) agrees(i int) bool {
	return i < len(o.Results) && o.Results[i] == o.Section.Lines[i].Result
}

// Explain writes every difference between a section of a trace and what came
// of it: what was expected against what was got, after up to before lines
// that precede it.
func (o *Outcome) Explain(w io.Writer, file string, before int) error {
	e := explainer{w: w, o: o, file: file, before: before}
	e.differences()
	e.rest()
	return e.err
}

// An explainer writes the differences of a section; the first error to do so
// ends it.
type explainer struct {
	w      io.Writer
	o      *Outcome
	file   string
	before int
	shown  int // lines of the section that need not be shown as context
	err    error
}

func (e *explainer) printf(format string, args ...any) {
	if e.err == nil {
		_, e.err = fmt.Fprintf(e.w, format, args...)
	}
}

func (e *explainer) differences() {
	for i := range e.o.Results {
		l := &e.o.Section.Lines[i]
		if l.Call == nil || e.o.agrees(i) {
			continue
		}
		e.context(i)
		e.printf("  %5d  %s\n      expected: %s\n      got:      %s\n", l.Number, l.Text, l.Result, e.o.Results[i])
		e.shown = i + 1
	}
}

// context introduces what follows about line i.
func (e *explainer) context(i int) {
	from := max(e.shown, i-e.before, 0)
	if e.shown == 0 || from > e.shown {
		e.printf("%s:%d: %s\n", e.file, e.o.Section.Lines[i].Number, e.o.Section.Name)
	}
	for n := from; n < i; n++ {
		l := &e.o.Section.Lines[n]
		text := l.Text
		if l.Call != nil {
			text += " => " + l.Result
		}
		e.printf("  %5d  %s\n", l.Number, text)
	}
}

// rest says why the section ended before its trace does.
func (e *explainer) rest() {
	o := e.o
	missing := 0
	for i := len(o.Results); i < len(o.Section.Lines); i++ {
		if o.Section.Lines[i].Call != nil {
			missing++
		}
	}
	unexpected := o.Stop != nil && !o.agrees(len(o.Results)-1)
	switch {
	case o.Err != nil:
		e.printf("%s:%d: %s: %v; %d calls not made\n", e.file, o.Section.Line, o.Section.Name, o.Err, missing)
	case unexpected:
		e.printf("      %v\n", o.Stop)
		if missing > 0 {
			e.printf("      the section ended here; %d calls not made\n", missing)
		}
	case missing > 0:
		e.printf("%s:%d: %s: %s ended the section; %d calls not made\n", e.file, o.Section.Line, o.Section.Name, script.PANIC, missing)
	}
	if o.Left != nil {
		e.printf("%s:%d: %s: %v\n", e.file, o.Section.Line, o.Section.Name, o.Left)
	}
}

package model

import (
	"bytes"
	"compress/gzip"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"rumpvfs/kern"
	"rumpvfs/proptest/call"
	"rumpvfs/sim/script"
)

// recorded reads a trace that was recorded on a NetBSD rump kernel of July 2014.
func recorded(t testing.TB, file string) *script.Script {
	t.Helper()
	src, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	z, err := gzip.NewReader(bytes.NewReader(src))
	if err != nil {
		t.Fatal(err)
	}
	if src, err = io.ReadAll(z); err != nil {
		t.Fatal(err)
	}
	tr, err := script.ParseTrace(filepath.Base(file), src)
	if err != nil {
		t.Fatal(err)
	}
	return tr
}

// families are the recorded traces that the model covers, with how many calls of each it answers at least. Sections of the
// tour that mount or map files of the host are followed as far as they go without.
var families = []struct {
	name  string
	calls int
	whole bool
}{{"names", 10005, true}, {"files", 5749, true}, {"attrs", 6979, true}, {"dirs", 7582, true}, {"locks", 3847, true}, {"tour", 887, false}}

// TestRecorded makes the calls of the recorded traces on the model: each answers what the kernel answered.
func TestRecorded(t *testing.T) {
	m := New(Config{Quirks: kern.Rev1125})
	for _, f := range families {
		t.Run(f.name, func(t *testing.T) {
			tr := recorded(t, "../../sim/replay/testdata/"+f.name+".trace.gz")
			calls, left := 0, 0
			var report strings.Builder
			for i := range tr.Sections {
				n, whole := replay(m, &tr.Sections[i], &report)
				if calls += n; !whole {
					left++
				}
			}
			if report.Len() > 0 {
				t.Error(report.String())
			}
			if calls < f.calls || f.whole && left > 0 {
				t.Errorf("%d calls, and %d sections left", calls, left)
			}
		})
	}
}

// replay makes the calls of a section up to the first that is none of the model's.
func replay(m *Model, sec *script.Section, report *strings.Builder) (calls int, whole bool) {
	if err := m.Reset(); err != nil {
		fmt.Fprintln(report, err)
	}
	rd := call.NewReader()
	var r call.Result
	for i := range sec.Lines {
		l := &sec.Lines[i]
		if l.Call == nil {
			continue
		}
		c, ok, err := rd.Call(l.Call)
		if err != nil {
			return calls, false
		}
		if !ok {
			continue
		}
		m.Do(&c, &r)
		rd.Note(l.Call, &c, &r)
		calls++
		if got := r.Format(&c); got != l.Result {
			fmt.Fprintf(report, "%s:%d: %s\n\t=> %s\n\twant %s (%v)\n", sec.Name, l.Number, l.Echo(), got, l.Result, m.Last)
			return calls, true
		}
	}
	return calls, true
}

// callsOf makes calls of the lines of a section up to the first that is none of the model's.
func (m *Model) callsOf(t testing.TB, lines []script.Line) (calls []call.Call) {
	if err := m.Reset(); err != nil {
		t.Fatal(err)
	}
	rd := call.NewReader()
	var r call.Result
	for i := range lines {
		if lines[i].Call == nil {
			continue
		}
		c, ok, err := rd.Call(lines[i].Call)
		if err != nil {
			return calls
		}
		if ok {
			m.Do(&c, &r)
			rd.Note(lines[i].Call, &c, &r)
			calls = append(calls, c)
		}
	}
	return calls
}

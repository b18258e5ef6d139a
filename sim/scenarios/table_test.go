package scenarios

import (
	"context"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"rumpvfs/hypercall"
	"rumpvfs/kern"
	"rumpvfs/sim"
	"rumpvfs/sim/replay"
	"rumpvfs/sim/script"
)

// A row is a case in the table of docs/SCENARIOS.md.
type row struct {
	name     string
	tests    []string // "script", names of tests
	verdicts []string // in the order of fileSystems
	why      string
}

// verdicts are what may come of a case.
var verdicts = []string{"as wanted", "EOPNOTSUPP", "in part", "differs", "none"}

// table reads the table.
func table(t *testing.T) (rows []row) {
	t.Helper()
	src := value[[]byte](t)(os.ReadFile("../../docs/SCENARIOS.md"))
	for line := range strings.Lines(string(src)) {
		if !strings.HasPrefix(line, "| t_") {
			continue
		}
		cells := strings.Split(strings.Trim(line, "|\n"), "|")
		if len(cells) != 6 {
			t.Fatalf("%d columns: %s", len(cells), line)
		}
		for i := range cells {
			cells[i] = strings.TrimSpace(cells[i])
		}
		rows = append(rows, row{cells[0], strings.Split(cells[2], ", "), cells[3:5], cells[5]})
	}
	return rows
}

// TestTable holds the table to what there is: every section and every test
// stands in it, everything in it exists, and what it says came of a case is
// what the trace says.
func TestTable(t *testing.T) {
	rows := table(t)
	wants(t, "cases", len(rows), 46+9+8)
	for i, fs := range fileSystems {
		all := sections(t, fs.name)
		for _, r := range rows {
			r.check(t, fs.name, r.verdicts[i], all[r.name])
			delete(all, r.name)
		}
		for name := range all {
			t.Errorf("%s: section %s is no case of the table", fs.name, name)
		}
	}
	var named []string
	for _, r := range rows {
		for _, test := range r.tests {
			if test != "script" {
				named = append(named, test)
			}
		}
	}
	slices.Sort(named)
	if own := ownTests(t); !slices.Equal(named, own) {
		t.Errorf("the table names the tests %v, there are %v", named, own)
	}
}

// check compares a row with its section, nil if the file system has none.
func (r *row) check(t *testing.T, fs, verdict string, sec *script.Section) {
	t.Helper()
	if !slices.Contains(verdicts, verdict) {
		t.Errorf("%s: %s: %q says nothing", fs, r.name, verdict)
	}
	if verdict != "as wanted" && r.why == "" {
		t.Errorf("%s: %s: %s, and the table does not say why", fs, r.name, verdict)
	}
	scripted := slices.Contains(r.tests, "script") && verdict != "none"
	if (sec != nil) != scripted {
		t.Errorf("%s: %s: a section: %v, but the table says %v", fs, r.name, sec != nil, scripted)
	}
	if sec == nil {
		return
	}
	refused := slices.ContainsFunc(sec.Lines, func(l script.Line) bool { return l.Result == "EOPNOTSUPP" })
	if refused != (verdict == "EOPNOTSUPP") {
		t.Errorf("%s: %s: something is EOPNOTSUPP: %v, but the table says %s", fs, r.name, refused, verdict)
	}
}

// ownTests lists the tests of the package that tell a case of NetBSD's: all
// in files that are named like theirs.
func ownTests(t *testing.T) (names []string) {
	t.Helper()
	for _, file := range value[[]string](t)(filepath.Glob("t_*_test.go")) {
		src := value[[]byte](t)(os.ReadFile(file))
		for line := range strings.Lines(string(src)) {
			if rest, is := strings.CutPrefix(line, "func Test"); is {
				name, _, _ := strings.Cut(rest, "(")
				names = append(names, "Test"+name)
			}
		}
	}
	slices.Sort(names)
	return names
}

// TestFixed runs rumpfs's sections without quirks: each call succeeds or fails
// as with them. The exception is the one case whose answers NetBSD's test does
// not want.
func TestFixed(t *testing.T) {
	refused := 0
	for name, sec := range sections(t, "rumpfs") {
		o := replay.Run(context.Background(), sec, sim.Config{Mode: hypercall.Deterministic, Without: kern.Rev1125})
		if o.Err != nil || o.Stop != nil || o.Left != nil {
			t.Errorf("%s: %v, %v, %v", name, o.Err, o.Stop, o.Left)
			continue
		}
		for i, l := range sec.Lines {
			want, _, _ := strings.Cut(l.Result, " ")
			got, _, _ := strings.Cut(o.Results[i], " ")
			switch {
			case l.Call == nil || got == want:
			case name == "t_ro/attrs" && got == "EROFS":
				refused++
			default:
				t.Errorf("%s: %s: %s, want %s", name, l.Text, got, want)
			}
		}
	}
	wants(t, "attributes refused on what is mounted read-only", refused, 6)
}

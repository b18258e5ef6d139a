package replay

import (
	"bytes"
	"compress/gzip"
	"context"
	"io"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"rumpvfs/sim"
	"rumpvfs/sim/script"
)

// recorded reads a trace that was recorded on a NetBSD rump kernel of July
// 2014.
func recorded(t testing.TB, file string) *script.Script {
	t.Helper()
	f, err := os.Open(file)
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	z, err := gzip.NewReader(f)
	if err != nil {
		t.Fatal(err)
	}
	src, err := io.ReadAll(z)
	if err != nil {
		t.Fatal(err)
	}
	tr, err := script.ParseTrace(filepath.Base(strings.TrimSuffix(file, ".gz")), src)
	if err != nil {
		t.Fatal(err)
	}
	return tr
}

// TestRecordedWithoutNameCache makes the calls on a tmpfs again in kernels
// without the name cache: nothing is different.
func TestRecordedWithoutNameCache(t *testing.T) {
	c := deterministic
	c.NoNameCache = true
	for name, all := range map[string]Totals{
		"tmpfs": {257, 7981, 7981, 0}, "tour-tmpfs": {7, 258, 258, 0},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			testTrace(t, recorded(t, "testdata/"+name+".trace.gz"), c, all)
		})
	}
}

// shownDifferences is how many differing sections a failing test explains.
const shownDifferences = 5

// TestRecorded makes every call of the recorded traces again: each answers
// what it answered then, and every kernel shuts down with nothing left over.
func TestRecorded(t *testing.T) {
	for name, all := range map[string]Totals{
		"names":  {260, 10005, 10005, 0},
		"files":  {219, 5749, 5749, 0},
		"attrs":  {207, 7167, 7167, 0},
		"dirs":   {220, 7582, 7582, 0},
		"locks":  {158, 4338, 4338, 0},
		"etfs":   {258, 7999, 7999, 0},
		"mounts": {220, 8309, 8309, 0},
		"tmpfs":  {257, 7981, 7981, 0},
		"tour":   {70, 1273, 1273, 0},

		"tour-tmpfs": {7, 258, 258, 0},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			testTrace(t, recorded(t, "testdata/"+name+".trace.gz"), deterministic, all)
		})
	}
}

func testTrace(t *testing.T, tr *script.Script, c sim.Config, want Totals) {
	var total Totals
	var report bytes.Buffer
	shown := 0
	for i := range tr.Sections {
		o := Run(context.Background(), &tr.Sections[i], c)
		u := o.Compare()
		total.Add(u)
		if u.Differ == 0 && o.Err == nil && o.Left == nil {
			continue
		}
		if shown++; shown <= shownDifferences {
			if err := o.Explain(&report, tr.File, 3); err != nil {
				t.Fatal(err)
			}
		}
	}
	if shown > 0 || total != want {
		t.Errorf("%d sections differ; %v, want %v\n%s", shown, total, want, report.String())
	}
}

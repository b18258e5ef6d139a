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

	"rumpvfs/hypercall"
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

// shownDifferences is how many differing sections a failing test explains.
const shownDifferences = 5

// TestRecorded makes every call of the recorded traces again: each answers
// what it answered then, and every kernel shuts down with nothing left over.
func TestRecorded(t *testing.T) {
	files, err := filepath.Glob("testdata/*.trace.gz")
	if err != nil || len(files) != 6 {
		t.Fatalf("traces %v, %v", files, err)
	}
	for _, file := range files {
		t.Run(strings.TrimSuffix(filepath.Base(file), ".trace.gz"), func(t *testing.T) {
			t.Parallel()
			testTrace(t, recorded(t, file))
		})
	}
}

func testTrace(t *testing.T, tr *script.Script) {
	var total Totals
	var report bytes.Buffer
	shown := 0
	for i := range tr.Sections {
		o := Run(context.Background(), &tr.Sections[i], sim.Config{Mode: hypercall.Deterministic})
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
	if shown > 0 {
		t.Errorf("%d sections differ; %v\n%s", shown, total, report.String())
	}
}

package replay

import (
	"path/filepath"
	"strings"
	"testing"

	"rumpvfs/sim/script"
)

// TestRecordedInvariants makes the recorded calls once more, with the order
// of locks verified, and all invariants of the kernel after each call.
func TestRecordedInvariants(t *testing.T) {
	traces, err := filepath.Glob("testdata/*.trace.gz")
	if err != nil || len(traces) < 10 {
		t.Fatalf("traces: %v, %v", traces, err)
	}
	for _, name := range traces {
		t.Run(strings.TrimSuffix(filepath.Base(name), ".trace.gz"), func(t *testing.T) {
			t.Parallel()
			tr := recorded(t, name)
			for i := range tr.Sections {
				verify(t, &tr.Sections[i])
			}
		})
	}
}

// verify makes the calls of a section until the kernel stops as it is meant
// to, and Check after each.
func verify(t *testing.T, sec *script.Section) {
	c := deterministic
	c.CheckLocks = true
	s, err := NewSession(c)
	if err != nil {
		t.Fatal(err)
	}
	for i := range sec.Lines {
		l := &sec.Lines[i]
		if l.Call == nil {
			continue
		}
		r, err := s.Do(l.Call)
		if err != nil {
			t.Fatalf("%s: %s: %v", sec.Header, l.Call, err)
		}
		if r.Stop != nil {
			if r.Text != l.Result {
				t.Errorf("%s: %s: %v", sec.Header, l.Call, r.Stop)
			}
			break
		}
		if err := s.Kernel.Check(); err != nil {
			t.Fatalf("%s: after %s: %v", sec.Header, l.Call, err)
		}
	}
	if err := s.Close(); err != nil {
		t.Errorf("%s: %v", sec.Header, err)
	}
}

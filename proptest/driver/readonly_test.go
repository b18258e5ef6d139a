package driver

import (
	"context"
	"testing"

	"rumpvfs/hypercall"
	"rumpvfs/kern"
	"rumpvfs/proptest/clause"
)

// TestReadOnly: nothing changes on a file system that is mounted read-only; with the quirk, attributes do.
func TestReadOnly(t *testing.T) {
	for _, quirks := range []kern.Quirks{0, kern.Rev1125} {
		d := agreed(t, Config{Calls: 40000, FS: ReadOnlyRumpfs(), Quirks: quirks, Mode: hypercall.Deterministic})
		for i, c := range clause.All() {
			if c.Cause == clause.ReadOnly && quirks == 0 && d.Stats.Coverage[i+1] == 0 {
				t.Errorf("%s never came", c.Name())
			}
		}
	}
}

// agreed makes random calls, in which kernel and model shall not differ.
func agreed(t *testing.T, c Config) *Driver {
	t.Helper()
	d, err := New(c)
	if err != nil {
		t.Fatal(err)
	}
	failures, err := d.Run(context.Background())
	if err != nil {
		t.Fatal(err)
	}
	for _, f := range failures {
		t.Errorf("%v", f)
	}
	if err := d.Close(); err != nil {
		t.Error(err)
	}
	return d
}

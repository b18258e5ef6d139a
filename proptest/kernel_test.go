package proptest_test

import (
	"context"
	"os"
	"strconv"
	"testing"

	"rumpvfs/kern"
	"rumpvfs/proptest/call"
	"rumpvfs/proptest/driver"
	"rumpvfs/proptest/repro"
	"rumpvfs/proptest/shrink"
)

// callsFrom is how many calls a test makes: as many as RUMPVFS_CALLS says, or n, or with -short a part of them.
func callsFrom(n int) int {
	if more, err := strconv.Atoi(os.Getenv("RUMPVFS_CALLS")); err == nil {
		return more
	}
	if testing.Short() {
		return n / 10
	}
	return n
}

// seedFrom is the seed of a test: RUMPVFS_SEED, or 0.
func seedFrom() uint64 {
	seed, _ := strconv.ParseUint(os.Getenv("RUMPVFS_SEED"), 10, 64)
	return seed
}

// minimal shows a script on which two systems differ, as small as it gets.
func minimal(t *testing.T, oracle, system call.System, script []call.Call) string {
	t.Helper()
	d, err := driver.New(driver.Config{
		Oracle: func() (call.System, error) { return oracle, nil }, System: func() (call.System, error) { return system, nil },
	})
	if err != nil {
		t.Fatal(err)
	}
	f, err := d.Replay(script)
	if err != nil {
		t.Fatal(err)
	}
	if f != nil {
		script = shrink.Minimize(f.Script, d.Like(f))
	}
	c, err := repro.New("minimal", script, oracle, system)
	if err != nil {
		t.Fatal(err)
	}
	return string(c.Text())
}

// compare makes random calls on a kernel and a model, and has the kernel verify its invariants after each.
func compare(t *testing.T, c driver.Config) {
	t.Helper()
	c.Seed, c.Failures, c.Check = seedFrom(), 3, driver.Invariants
	d, err := driver.New(c)
	if err != nil {
		t.Fatal(err)
	}
	list, err := d.Run(context.Background())
	if err != nil {
		t.Fatal(err)
	}
	for _, f := range list {
		system, err := c.NewSystem()
		if err != nil {
			t.Fatal(err)
		}
		t.Errorf("%s, quirks %v: %v\n%s", c.FS.Name, c.Quirks, f, minimal(t, c.FS.Model(c.Quirks), system, f.Script))
	}
	if err := d.Close(); err != nil {
		t.Error(err)
	}
}

// TestKernelIsModel makes random calls on kernel and model, on each file system, as the reference has it and as POSIX does.
// RUMPVFS_CALLS says how many, RUMPVFS_SEED which.
func TestKernelIsModel(t *testing.T) {
	for _, fs := range driver.FileSystems() {
		for name, quirks := range map[string]kern.Quirks{"rev1125": kern.Rev1125, "fixed": kern.Fixed} {
			t.Run(fs.Name+"/"+name, func(t *testing.T) {
				t.Parallel()
				compare(t, driver.Config{FS: fs, Quirks: quirks, Calls: uint64(callsFrom(40000))})
			})
		}
	}
}

// TestEachQuirk does the same with each quirk alone, and with all but it: a quirk is told from the others. The size that a
// vnode forgets is not modelled, and a revoked file gets a new vnode.
func TestEachQuirk(t *testing.T) {
	for _, q := range kern.AllQuirks() {
		alone, without := kern.Fixed.With(q), kern.Rev1125.Without(q)
		switch q {
		case kern.QuirkSizeForgotten:
			alone = alone.With(kern.QuirkRevokeIgnored)
		case kern.QuirkRevokeIgnored:
			without = without.Without(kern.QuirkSizeForgotten)
		}
		for _, quirks := range []kern.Quirks{alone, without} {
			compare(t, driver.Config{FS: driver.Rumpfs(), Quirks: quirks, Calls: uint64(callsFrom(2000))})
		}
	}
}

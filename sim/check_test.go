package sim_test

import (
	"testing"

	"rumpvfs/hypercall"
	"rumpvfs/kern"
	"rumpvfs/sim"
	"rumpvfs/tmpfs"
)

// TestCheckAfterEachCall has a monkey make calls on rumpfs, tmpfs below it,
// and both with hardly any vnodes: after each call every invariant holds.
func TestCheckAfterEachCall(t *testing.T) {
	for seed := range uint64(80) {
		c := sim.Config{Mode: hypercall.Deterministic, Seed: seed, CheckLocks: true, Without: []kern.Quirks{0, kern.Rev1125}[seed%2]}
		if seed%3 == 0 {
			c.Params = map[string]string{"RUMP_NVNODES": "8"}
		}
		k := boot(t, c)
		m := &monkey{p: k.Init(), dice: seeded(seed)}
		var last string
		m.log = func(s string) { last = s }
		if seed%4 < 2 {
			if err := m.p.Mkdir("/d", 0o755); err != nil {
				t.Fatal(err)
			}
			if err := m.p.Mount(tmpfs.MOUNT_TMPFS, "/d", 0, tmpfs.DefaultArgs()); err != nil {
				t.Fatal(err)
			}
		}
		for range 250 {
			m.run(1)
			if k.Err() != nil {
				break
			}
			if err := k.Check(); err != nil {
				t.Fatalf("seed %d: after %s: %v", seed, last, err)
			}
		}
	}
}

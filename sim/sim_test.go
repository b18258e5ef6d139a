package sim_test

import (
	"testing"

	"rumpvfs/sim"
)

// boot boots a kernel that must be clean when the test ends, unless it has
// stopped.
func boot(t *testing.T, c sim.Config) *sim.Kernel {
	t.Helper()
	k, err := sim.Boot(c)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := k.Shutdown(); err != nil {
			t.Error(err)
		}
	})
	return k
}

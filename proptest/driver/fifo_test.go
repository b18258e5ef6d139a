package driver

import (
	"testing"

	"rumpvfs/hypercall"
	"rumpvfs/kern"
	"rumpvfs/proptest/clause"
)

// TestFifos makes random calls on fifos that can be opened, those that wait for ever too, of which a deterministic kernel says
// so: everything comes that the model knows of fifos.
func TestFifos(t *testing.T) {
	came := map[clause.Cause]bool{}
	for _, quirks := range []kern.Quirks{kern.Fixed, kern.Rev1125} {
		d := agreed(t, Config{Calls: 20000, FS: FifoTmpfs(), Quirks: quirks, Mode: hypercall.Deterministic})
		for i, c := range clause.All() {
			came[c.Cause] = came[c.Cause] || d.Stats.Coverage[i+1] > 0
		}
	}
	for i, cause := range []clause.Cause{clause.NoReader, clause.AwaitsReader, clause.AwaitsWriter, clause.NoData, clause.AwaitsData, clause.EndTold,
		clause.BrokenPipe, clause.NoRoom, clause.AwaitsRoom, clause.InPart, clause.NoLocks, clause.GetOwner, clause.SetOwner, clause.NoSuchOwner, clause.NoGroup} {
		if !came[cause] {
			t.Errorf("number %d of the causes never came", i)
		}
	}
}

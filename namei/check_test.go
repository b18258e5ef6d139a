package namei

import (
	"strings"
	"testing"

	"rumpvfs/kern"
)

// TestCwdinfoCheckSees breaks what a Cwdinfo says of itself: it is named.
func TestCwdinfoCheckSees(t *testing.T) {
	for _, c := range []struct {
		name string
		harm func(w *world)
		want string // "" for nothing
	}{
		{"nothing", func(*world) {}, ""},
		{"with all directories", func(w *world) {
			w.cwdi.ChangeRoot(w.l, w.vp("/d"))
			w.cwdi.SetEdir(w.l, w.vp("/m"))
		}, ""},
		{"shared", func(w *world) { w.cwdi.Share() }, "pid 1: cwdinfo refcnt 2, but 1 uses (pid 1)"},
		{"locked", func(w *world) { w.cwdi.lock.Enter(w.l) }, "pid 1: cwdi_lock is held"},
	} {
		t.Run(c.name, func(t *testing.T) {
			w := testWorld(t)
			c.harm(w)
			ck := kern.NewCheckup(w.l, func(ck *kern.Checkup) { w.cwdi.Count(ck, "pid 1") })
			ck.Begin()
			w.cwdi.Check(ck, "pid 1")
			if broken := strings.Join(ck.End(), "\n"); c.want == "" && broken != "" || !strings.Contains(broken, c.want) {
				t.Errorf("broken: %q, want %q", broken, c.want)
			}
		})
	}
}

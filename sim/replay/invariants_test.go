package replay

import (
	"context"
	"path/filepath"
	"strings"
	"testing"

	"rumpvfs/kern"
	"rumpvfs/sim/script"
	"rumpvfs/vnode"
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

// TestBroken replays a trace in which all answers are right, and a vnode is
// referred to once too often.
func TestBroken(t *testing.T) {
	var leaks vnode.Ops
	c := deterministic
	c.Wrap = func(ops *vnode.Ops) *vnode.Ops {
		if ops.Name != "rumpfs" {
			return ops
		}
		if leaks.Name == "" {
			leaks = *ops
			leaks.Lookup = func(l *kern.Lwp, dvp *vnode.Vnode, cnp *vnode.Componentname) (*vnode.Vnode, error) {
				vp, err := ops.Lookup(l, dvp, cnp)
				if err == nil && cnp.Flags&vnode.ISDOTDOT != 0 {
					vp.Ref(l)
				}
				return vp, err
			}
		}
		return &leaks
	}
	tr, err := script.ParseTrace("leak", []byte("mkdir \"d\" 0755 => 0\naccess \"d/..\" F_OK => 0\n"))
	if err != nil {
		t.Fatal(err)
	}
	o := Run(context.Background(), &tr.Sections[0], c)
	if o.Compare().Differ > 0 || o.Err != nil || o.Left == nil || !strings.Contains(o.Left.Error(), "broken: ") {
		t.Errorf("%v, %v, %v", o.Compare(), o.Err, o.Left)
	}
}

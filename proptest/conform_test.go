package proptest_test

import (
	"context"
	"fmt"
	"log"
	"strings"
	"testing"

	"rumpvfs/kern"
	"rumpvfs/proptest"
	"rumpvfs/proptest/call"
	"rumpvfs/proptest/driver"
	"rumpvfs/sim"
	"rumpvfs/vnode"
)

// TestConform: the file systems of the project do.
func TestConform(t *testing.T) {
	for _, fs := range []driver.FS{driver.Rumpfs(), driver.Tmpfs()} {
		if testing.Short() && !fs.Root {
			continue // TestConformFifos has it
		}
		t.Run(fs.Name, func(t *testing.T) {
			t.Parallel()
			proptest.Conform(t, proptest.Built(fs))
		})
	}
}

// TestConformFifos: so do the fifos of tmpfs, which else is as before, so that less is tried.
func TestConformFifos(t *testing.T) {
	t.Parallel()
	r, err := proptest.Check(t.Context(), proptest.Built(driver.FifoTmpfs()), proptest.Effort{Calls: 1000, Schedules: 3})
	if err != nil || len(r.Findings) > 0 {
		t.Errorf("%+v, %v", r, err)
	}
}

// broken is rumpfs with an operation that does something wrong.
func broken(change func(was vnode.Ops, now *vnode.Ops)) proptest.Target {
	t := proptest.Built(driver.Rumpfs())
	t.Config = sim.Config{Wrap: func(ops *vnode.Ops) *vnode.Ops {
		if ops.Name != "rumpfs" {
			return ops
		}
		now := *ops
		change(*ops, &now)
		return &now
	}}
	return t
}

// TestConformReports: of file systems that are broken the report names the clause.
func TestConformReports(t *testing.T) {
	for name, tc := range map[string]struct {
		change func(was vnode.Ops, now *vnode.Ops)
		want   []string
	}{
		"removes what is not empty": {func(was vnode.Ops, now *vnode.Ops) {
			now.Rmdir = func(l *kern.Lwp, dvp, vp *vnode.Vnode, cnp *vnode.Componentname) error {
				err := was.Rmdir(l, dvp, vp, cnp)
				if err == kern.ENOTEMPTY {
					err = nil
				}
				return err
			}
		}, []string{"ENOTEMPTY.not-empty is broken", "mkdir", "but got => 0"}},
		"keeps a reference": {func(was vnode.Ops, now *vnode.Ops) {
			now.Symlink = func(l *kern.Lwp, dvp *vnode.Vnode, cnp *vnode.Componentname, vap *vnode.Vattr, target string) (*vnode.Vnode, error) {
				vp, err := was.Symlink(l, dvp, cnp, vap, target)
				if err == nil {
					dvp.Ref(l)
				}
				return vp, err
			}
		}, []string{"symlink"}},
		"leaves a directory unlocked": {func(was vnode.Ops, now *vnode.Ops) {
			now.Create = func(l *kern.Lwp, dvp *vnode.Vnode, cnp *vnode.Componentname, vap *vnode.Vattr) (*vnode.Vnode, error) {
				vp, err := was.Create(l, dvp, cnp, vap)
				_ = vnode.VOP_UNLOCK(l, dvp)
				return vp, err
			}
		}, []string{"rule contract is broken", "VOP_CREATE: dvp (VDIR) is not locked exclusively on return", "O_CREAT"}},
	} {
		r, err := proptest.Check(context.Background(), broken(tc.change), proptest.Effort{Failures: 1})
		if err != nil || len(r.Findings) != 1 {
			t.Errorf("%s: %+v, %v", name, r, err)
			continue
		}
		for _, want := range tc.want {
			if got := r.Findings[0].String(); !strings.Contains(got, want) {
				t.Errorf("%s: no %q in\n%s", name, want, got)
			}
		}
		if len(r.Findings[0].Case.Script) > 4 {
			t.Errorf("%s: not small:\n%s", name, r.Findings[0].Script)
		}
	}
}

// TestConformRaces: what only shows when lwps meet is found too.
func TestConformRaces(t *testing.T) {
	target := broken(func(was vnode.Ops, now *vnode.Ops) {
		now.Mkdir = func(l *kern.Lwp, dvp *vnode.Vnode, cnp *vnode.Componentname, vap *vnode.Vattr) (*vnode.Vnode, error) {
			_ = vnode.VOP_UNLOCK(l, dvp)
			_ = dvp.Lock(l, vnode.LK_EXCLUSIVE|vnode.LK_RETRY)
			return was.Mkdir(l, dvp, cnp, vap)
		}
	})
	r, err := proptest.Check(context.Background(), target, proptest.Effort{Calls: 500, Failures: 1})
	if err != nil || len(r.Findings) != 1 || !strings.Contains(r.Findings[0].String(), "a directory twice") {
		t.Fatalf("%v, %v, %v", r, r.Findings, err)
	}
	_, schedule, _ := strings.Cut(r.Findings[0].Script, "# schedule ")
	schedule, _, _ = strings.Cut(schedule, "\n")
	if f, err := proptest.Replay(target, r.Findings[0].Script, schedule); err != nil || f == nil || len(f.Clauses) != 1 {
		t.Errorf("again: %v, %v", f, err)
	}
	if f, err := proptest.Replay(proptest.Built(driver.Rumpfs()), r.Findings[0].Script, schedule); err != nil || f != nil {
		t.Errorf("on a file system that is right: %v, %v", f, err)
	}
}

// A kernel whose file system removes directories that are not empty, and what the report says of it.
func ExampleCheck() {
	target := broken(func(was vnode.Ops, now *vnode.Ops) {
		now.Rmdir = func(l *kern.Lwp, dvp, vp *vnode.Vnode, cnp *vnode.Componentname) error {
			if err := was.Rmdir(l, dvp, vp, cnp); err != kern.ENOTEMPTY {
				return err
			}
			return nil
		}
	})
	target.Leave = []call.Op{call.Unlinkat}
	report, err := proptest.Check(context.Background(), target, proptest.Effort{Failures: 1})
	if err != nil {
		log.Fatal(err)
	}
	for _, finding := range report.Findings {
		fmt.Println(finding.Clause, finding.Clause.Info().Sentence)
	}
	// Output:
	// rmdir.ENOTEMPTY.not-empty The directory has names in it, other than whiteouts.
}

// TestDeviations: what is said to be otherwise may be, and what makes no sense is an error.
func TestDeviations(t *testing.T) {
	target := broken(func(was vnode.Ops, now *vnode.Ops) {
		now.Rmdir = func(l *kern.Lwp, dvp, vp *vnode.Vnode, cnp *vnode.Componentname) error {
			err := was.Rmdir(l, dvp, vp, cnp)
			if err == kern.ENOTEMPTY {
				err = kern.EEXIST
			}
			return err
		}
	})
	target.Leave = []call.Op{call.Unlinkat}
	target.Deviations = []proptest.Deviation{{Clause: "rmdir.ENOTEMPTY.not-empty", Errno: kern.EEXIST, Why: "POSIX has both."}}
	r, err := proptest.Check(context.Background(), target, proptest.Effort{Calls: 3000, Schedules: 1})
	if err != nil || len(r.Findings) > 0 {
		t.Errorf("%v, %v, %v", r, r.Findings, err)
	}
	target.Deviations[0].Clause = "rmdir.none"
	if _, err := proptest.Check(context.Background(), target, proptest.Effort{}); err == nil || !strings.Contains(err.Error(), "no clause") {
		t.Error(err)
	}
	if _, err := proptest.Check(context.Background(), proptest.Target{}, proptest.Effort{}); err == nil {
		t.Error("a target without a name")
	}
}

package hellofs_test

import (
	"context"
	"strings"
	"testing"

	"rumpvfs/kern"
	"rumpvfs/proptest"
	"rumpvfs/vnode"
)

// TestBroken makes a mistake in hellofs that whoever brings a file system over might make, one at a time, and reads what the
// conformance kit says of it.
func TestBroken(t *testing.T) {
	for _, tc := range []struct {
		name   string
		change func(was vnode.Ops, now *vnode.Ops)
		want   string // is in the first line of the report
	}{
		{"lookup says that nobody may remove a name", func(was vnode.Ops, now *vnode.Ops) {
			now.Lookup = func(l *kern.Lwp, dvp *vnode.Vnode, cnp *vnode.Componentname) (*vnode.Vnode, error) {
				vp, err := was.Lookup(l, dvp, cnp)
				if err == kern.EROFS && cnp.Nameiop == vnode.DELETE {
					err = kern.EPERM
				}
				return vp, err
			}
		}, ".EROFS.read-only is broken"},
		{"lookup of . takes two references", func(was vnode.Ops, now *vnode.Ops) {
			now.Lookup = func(l *kern.Lwp, dvp *vnode.Vnode, cnp *vnode.Componentname) (*vnode.Vnode, error) {
				vp, err := was.Lookup(l, dvp, cnp)
				if vp == dvp {
					vp.Ref(l)
				}
				return vp, err
			}
		}, "rule invariants is broken"},
		{"lookup gives the file locked", func(was vnode.Ops, now *vnode.Ops) {
			now.Lookup = func(l *kern.Lwp, dvp *vnode.Vnode, cnp *vnode.Componentname) (*vnode.Vnode, error) {
				vp, err := was.Lookup(l, dvp, cnp)
				if err == nil && vp != dvp {
					_ = vp.Lock(l, vnode.LK_EXCLUSIVE|vnode.LK_RETRY)
				}
				return vp, err
			}
		}, "rule contract is broken: panic: VOP_LOOKUP"},
		{"lookup unlocks the directory where it may not be searched", func(was vnode.Ops, now *vnode.Ops) {
			now.Lookup = func(l *kern.Lwp, dvp *vnode.Vnode, cnp *vnode.Componentname) (*vnode.Vnode, error) {
				vp, err := was.Lookup(l, dvp, cnp)
				if err == kern.EIO {
					_ = vnode.VOP_UNLOCK(l, dvp)
				}
				return vp, err
			}
		}, "rule contract is broken: panic: VOP_LOOKUP"},
		{"access lets files be written", func(was vnode.Ops, now *vnode.Ops) {
			now.Access = func(l *kern.Lwp, vp *vnode.Vnode, mode int, cred *kern.Cred) error {
				return was.Access(l, vp, mode&^vnode.VWRITE, cred)
			}
		}, ".EROFS.read-only is broken"},
		{"access lets everybody in", func(_ vnode.Ops, now *vnode.Ops) {
			now.Access = func(_ *kern.Lwp, _ *vnode.Vnode, mode int, _ *kern.Cred) error {
				if mode&vnode.VWRITE != 0 {
					return kern.EROFS
				}
				return nil
			}
		}, ".EACCES."},
		{"setattr says that it has changed what it has not", func(_ vnode.Ops, now *vnode.Ops) {
			now.Setattr = func(*kern.Lwp, *vnode.Vnode, *vnode.Vattr, *kern.Cred) error { return nil }
		}, ".EROFS.read-only is broken"},
		{"getattr counts one link of the directory", func(was vnode.Ops, now *vnode.Ops) {
			now.Getattr = func(l *kern.Lwp, vp *vnode.Vnode, vap *vnode.Vattr, cred *kern.Cred) error {
				err := was.Getattr(l, vp, vap, cred)
				vap.Nlink = 1
				return err
			}
		}, "stat.ok."},
		{"readdir leaves out the last name", func(was vnode.Ops, now *vnode.Ops) {
			now.Readdir = func(l *kern.Lwp, vp *vnode.Vnode, uio *kern.Uio, cred *kern.Cred, cookies *vnode.Cookies) (bool, error) {
				if uio.Offset == 0 {
					uio.Offset = 2
				}
				return was.Readdir(l, vp, uio, cred, cookies)
			}
		}, "clause getdents."},
		{"readdir is at the end where nothing fits", func(was vnode.Ops, now *vnode.Ops) {
			now.Readdir = func(l *kern.Lwp, vp *vnode.Vnode, uio *kern.Uio, cred *kern.Cred, cookies *vnode.Cookies) (bool, error) {
				eof, err := was.Readdir(l, vp, uio, cred, cookies)
				if err == kern.EINVAL {
					err = nil
				}
				return eof, err
			}
		}, "clause getdents.EINVAL."},
		{"read goes on behind the end", func(was vnode.Ops, now *vnode.Ops) {
			now.Read = func(l *kern.Lwp, vp *vnode.Vnode, uio *kern.Uio, ioflag int, cred *kern.Cred) error {
				err := was.Read(l, vp, uio, ioflag, cred)
				if err == nil && uio.Resid > 0 {
					err = uio.Move([]byte{0})
				}
				return err
			}
		}, "read."},
	} {
		t.Run(tc.name, func(t *testing.T) {
			t.Parallel()
			target := conforming()
			target.Config.Wrap = func(ops *vnode.Ops) *vnode.Ops {
				if ops.Name != "hellofs" {
					return ops
				}
				now := *ops
				tc.change(*ops, &now)
				return &now
			}
			r, err := proptest.Check(context.Background(), target, proptest.Effort{Calls: 1000, Failures: 1})
			if err != nil || len(r.Findings) != 1 {
				t.Fatalf("%v, %v", r, err)
			}
			got := r.Findings[0].String()
			if head, _, _ := strings.Cut(got, "\n"); !strings.Contains(head, tc.want) {
				t.Errorf("no %q in\n%s", tc.want, got)
			}
			t.Log(got)
		})
	}
}

package proptest_test

import (
	"context"
	"strings"
	"testing"

	"rumpvfs/kern"
	"rumpvfs/namei"
	"rumpvfs/proptest"
	"rumpvfs/proptest/driver"
	"rumpvfs/vnode"
)

// wrapped is a file system of the project whose operations change changes.
func wrapped(fs proptest.FS, change func(was vnode.Ops, now *vnode.Ops)) proptest.Target {
	t := proptest.Built(fs)
	t.Config.Wrap = func(ops *vnode.Ops) *vnode.Ops {
		if ops.Name != fs.Name {
			return ops
		}
		now := *ops
		change(*ops, &now)
		return &now
	}
	return t
}

// removal is taking a name away.
type removal = func(*kern.Lwp, *vnode.Vnode, *vnode.Vnode, *vnode.Componentname) error

// removes has f see what became of the removal of a name: of a directory that is locked and referenced, and a file that is
// referenced.
func removes(was removal, f func(l *kern.Lwp, dvp, vp *vnode.Vnode, cnp *vnode.Componentname, err error)) removal {
	return func(l *kern.Lwp, dvp, vp *vnode.Vnode, cnp *vnode.Componentname) error {
		dvp.Ref(l)
		vp.Ref(l)
		err := was(l, dvp, vp, cnp)
		_ = dvp.Lock(l, vnode.LK_EXCLUSIVE|vnode.LK_RETRY)
		f(l, dvp, vp, cnp, err)
		dvp.Put(l)
		vp.Rele(l)
		return err
	}
}

// TestBroken has each of these tmpfs be reported for what is wrong with it.
func TestBroken(t *testing.T) {
	for i, tc := range []struct {
		name   string
		change func(was vnode.Ops, now *vnode.Ops)
		want   string // what the report says
	}{
		{"rmdir answers another error", func(was vnode.Ops, now *vnode.Ops) {
			now.Rmdir = func(l *kern.Lwp, dvp, vp *vnode.Vnode, cnp *vnode.Componentname) error {
				err := was.Rmdir(l, dvp, vp, cnp)
				if err == kern.ENOTEMPTY {
					err = kern.EEXIST
				}
				return err
			}
		}, "clause rmdir.ENOTEMPTY.not-empty"},
		{"symlink keeps a reference", func(was vnode.Ops, now *vnode.Ops) {
			now.Symlink = func(l *kern.Lwp, dvp *vnode.Vnode, cnp *vnode.Componentname, vap *vnode.Vattr, target string) (*vnode.Vnode, error) {
				vp, err := was.Symlink(l, dvp, cnp, vap, target)
				if err == nil {
					dvp.Ref(l)
				}
				return vp, err
			}
		}, "rule invariants"},
		{"unlink of a directory leaves it locked", func(was vnode.Ops, now *vnode.Ops) {
			now.Remove = func(l *kern.Lwp, dvp, vp *vnode.Vnode, cnp *vnode.Componentname) error {
				vp.Ref(l)
				err := was.Remove(l, dvp, vp, cnp)
				if err != nil {
					_ = vp.Lock(l, vnode.LK_EXCLUSIVE|vnode.LK_RETRY)
				}
				vp.Rele(l)
				return err
			}
		}, "rule contract"},
		{"a third name is not counted", func(was vnode.Ops, now *vnode.Ops) {
			now.Getattr = func(l *kern.Lwp, vp *vnode.Vnode, vap *vnode.Vattr, cred *kern.Cred) error {
				err := was.Getattr(l, vp, vap, cred)
				if err == nil && vap.Type == vnode.VREG && vap.Nlink == 3 {
					vap.Nlink = 2
				}
				return err
			}
		}, "stat.ok."},
		{"readdir leaves out the name that did not fit", func(was vnode.Ops, now *vnode.Ops) {
			now.Readdir = func(l *kern.Lwp, vp *vnode.Vnode, uio *kern.Uio, cred *kern.Cred, cookies *vnode.Cookies) (bool, error) {
				eof, err := was.Readdir(l, vp, uio, cred, cookies)
				if err != nil || eof {
					return eof, err
				}
				var iov [1][]byte
				var next kern.Uio
				next.InitUio(&iov, make([]byte, 32), uio.Offset, kern.UIO_READ)
				next.System = true
				_, err = was.Readdir(l, vp, &next, cred, nil)
				uio.Offset = next.Offset
				return false, err
			}
		}, "clause getdents.ok."},
		{"the size that a file had stays when it is cut", staleSize, "stat.ok."},
		{"rename locks a file before its directory", renameUpwards, "rule locks"},
		{"a name stays in the name cache", func(was vnode.Ops, now *vnode.Ops) {
			now.Remove = removes(was.Remove, func(l *kern.Lwp, dvp, vp *vnode.Vnode, cnp *vnode.Componentname, err error) {
				if cnp.Flags |= vnode.MAKEENTRY; err == nil {
					namei.CacheEnter(l, dvp, vp, cnp)
				}
			})
		}, "clause lstat.ENOENT.absent"},
		{"lookup gives the file locked", func(was vnode.Ops, now *vnode.Ops) {
			now.Lookup = func(l *kern.Lwp, dvp *vnode.Vnode, cnp *vnode.Componentname) (*vnode.Vnode, error) {
				vp, err := was.Lookup(l, dvp, cnp)
				if err == nil && vp != dvp && cnp.Flags&vnode.LOCKPARENT != 0 {
					_ = vp.Lock(l, vnode.LK_EXCLUSIVE|vnode.LK_RETRY)
				}
				return vp, err
			}
		}, "rule contract"},
		{"a directory that there is no memory for stays", func(was vnode.Ops, now *vnode.Ops) {
			now.Mkdir = func(l *kern.Lwp, dvp *vnode.Vnode, cnp *vnode.Componentname, vap *vnode.Vattr) (*vnode.Vnode, error) {
				vp, err := was.Mkdir(l, dvp, cnp, vap)
				if err == nil && !dvp.System().UVM.Hypermalloc(l, 64, false, "broken") {
					vp.Rele(l)
					return nil, kern.ENOSPC
				}
				return vp, err
			}
		}, "clause lstat.ENOENT.absent"},
		{"a lookup that may not be made keeps the directory", func(was vnode.Ops, now *vnode.Ops) {
			now.Lookup = func(l *kern.Lwp, dvp *vnode.Vnode, cnp *vnode.Componentname) (*vnode.Vnode, error) {
				vp, err := was.Lookup(l, dvp, cnp)
				if err == kern.EIO {
					dvp.Ref(l)
				}
				return vp, err
			}
		}, "rule invariants"},
		{"where there is no room create keeps the directory", func(was vnode.Ops, now *vnode.Ops) {
			now.Create = func(l *kern.Lwp, dvp *vnode.Vnode, cnp *vnode.Componentname, vap *vnode.Vattr) (*vnode.Vnode, error) {
				vp, err := was.Create(l, dvp, cnp, vap)
				if err == kern.ENOSPC {
					dvp.Ref(l)
				}
				return vp, err
			}
		}, "rule invariants"},
		{"mkdir lets others in", func(was vnode.Ops, now *vnode.Ops) {
			now.Mkdir = func(l *kern.Lwp, dvp *vnode.Vnode, cnp *vnode.Componentname, vap *vnode.Vattr) (*vnode.Vnode, error) {
				_ = vnode.VOP_UNLOCK(l, dvp)
				_ = dvp.Lock(l, vnode.LK_EXCLUSIVE|vnode.LK_RETRY)
				return was.Mkdir(l, dvp, cnp, vap)
			}
		}, "clause mkdir.EEXIST.exists"},
		{"a lookup of .. waits for the parent", func(was vnode.Ops, now *vnode.Ops) {
			now.Lookup = func(l *kern.Lwp, dvp *vnode.Vnode, cnp *vnode.Componentname) (*vnode.Vnode, error) {
				vp, err := was.Lookup(l, dvp, cnp)
				if err == nil && cnp.Flags&vnode.ISDOTDOT != 0 && vp != dvp {
					_ = vp.Lock(l, vnode.LK_EXCLUSIVE|vnode.LK_RETRY)
					_ = vnode.VOP_UNLOCK(l, vp)
				}
				return vp, err
			}
		}, "rule locks"},
		{"flags are the vnode's", vnodeFlags, "rule recycle"},
	} {
		if testing.Short() && i%4 > 0 {
			continue // other tests make these calls too
		}
		t.Run(tc.name, func(t *testing.T) {
			t.Parallel()
			r, err := proptest.Check(context.Background(), wrapped(driver.Tmpfs(), tc.change), proptest.Effort{Calls: 1000, Failures: 1})
			if err != nil || len(r.Findings) != 1 {
				t.Fatalf("%v, %v", r, err)
			}
			if got := r.Findings[0].String(); !strings.Contains(strings.SplitN(got, "\n", 2)[0], tc.want) {
				t.Errorf("no %q in\n%s", tc.want, got)
			} else {
				t.Logf("%v\n%s", r, got)
			}
		})
	}
}

// staleSize has a file that was cut say its old size until it is written.
func staleSize(was vnode.Ops, now *vnode.Ops) {
	old := map[*vnode.Vnode]uint64{}
	now.Setattr = func(l *kern.Lwp, vp *vnode.Vnode, vap *vnode.Vattr, cred *kern.Cred) error {
		size := uint64(vp.Size)
		err := was.Setattr(l, vp, vap, cred)
		if err == nil && vap.Size < size {
			old[vp] = size
		}
		return err
	}
	now.Write = func(l *kern.Lwp, vp *vnode.Vnode, uio *kern.Uio, ioflag int, cred *kern.Cred) error {
		delete(old, vp)
		return was.Write(l, vp, uio, ioflag, cred)
	}
	now.Getattr = func(l *kern.Lwp, vp *vnode.Vnode, vap *vnode.Vattr, cred *kern.Cred) error {
		err := was.Getattr(l, vp, vap, cred)
		if size, stale := old[vp]; stale && err == nil {
			vap.Size = size
		}
		return err
	}
	now.Reclaim = func(l *kern.Lwp, vp *vnode.Vnode) error {
		delete(old, vp)
		return was.Reclaim(l, vp)
	}
}

// renameUpwards locks what is renamed, and then the directory that it is in.
func renameUpwards(was vnode.Ops, now *vnode.Ops) {
	now.Rename = func(l *kern.Lwp, fdvp, fvp *vnode.Vnode, fcnp *vnode.Componentname, tdvp, tvp *vnode.Vnode, tcnp *vnode.Componentname) error {
		if fdvp != tdvp && fvp != tdvp && fvp != fdvp && tvp != fdvp && tvp != fvp {
			_ = fvp.Lock(l, vnode.LK_EXCLUSIVE|vnode.LK_RETRY)
			_ = fdvp.Lock(l, vnode.LK_EXCLUSIVE|vnode.LK_RETRY)
			_ = vnode.VOP_UNLOCK(l, fdvp)
			_ = vnode.VOP_UNLOCK(l, fvp)
		}
		return was.Rename(l, fdvp, fvp, fcnp, tdvp, tvp, tcnp)
	}
}

// vnodeFlags keeps a flag that means nothing to the kernel with the vnode of a file, and not with the file.
func vnodeFlags(was vnode.Ops, now *vnode.Ops) {
	nodump := map[*vnode.Vnode]bool{}
	now.Setattr = func(l *kern.Lwp, vp *vnode.Vnode, vap *vnode.Vattr, cred *kern.Cred) error {
		changed := *vap
		if vap.Flags != vnode.VNOVALFlags {
			changed.Flags &^= kern.UF_NODUMP
		}
		err := was.Setattr(l, vp, &changed, cred)
		if err == nil && vap.Flags != vnode.VNOVALFlags {
			nodump[vp] = vap.Flags&kern.UF_NODUMP != 0
		}
		return err
	}
	now.Getattr = func(l *kern.Lwp, vp *vnode.Vnode, vap *vnode.Vattr, cred *kern.Cred) error {
		err := was.Getattr(l, vp, vap, cred)
		if err == nil && nodump[vp] {
			vap.Flags |= kern.UF_NODUMP
		}
		return err
	}
	now.Reclaim = func(l *kern.Lwp, vp *vnode.Vnode) error {
		delete(nodump, vp)
		return was.Reclaim(l, vp)
	}
}

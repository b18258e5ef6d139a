package namei

import (
	"testing"

	"rumpvfs/hypercall"
	"rumpvfs/kern"
	"rumpvfs/vnode"
)

func TestCwdinfo(t *testing.T) {
	w := testWorld(t)
	if got := w.cwdi.SetCmask(w.l, 0o77); got != kern.CMASK {
		t.Errorf("first umask %o", got)
	}
	w.cwdi.Chdir(w.l, w.vp("/d"))
	w.cwdi.ChangeRoot(w.l, w.vp("/"))
	w.cwdi.SetEdir(w.l, w.vp("/m"))
	w.cwdi.Magic = new(MagicLinks)
	w.rebase()

	c := w.cwdi.Copy(w.l)
	if c.Cdir != w.cwdi.Cdir || c.Rdir != w.cwdi.Rdir || c.Edir != w.cwdi.Edir || c.Cmask() != 0o77 || c.Magic != w.cwdi.Magic {
		t.Error("the copy differs")
	}
	c.SetCmask(w.l, 0)
	c.Chdir(w.l, w.vp("/d/e"))
	if w.cwdi.Cmask() != 0o77 || w.cwdi.Cdir != w.at("/d").vp {
		t.Error("the copy is not one")
	}
	if c.Share() != c {
		t.Error("sharing copies")
	}
	c.Free(w.l)
	if w.at("/d/e").vp.Usecount() != 1 {
		t.Error("the first of two users freed it")
	}
	c.Free(w.l)
	w.balanced("copy")
}

func TestCwdunshare(t *testing.T) {
	w := testWorld(t)
	p := kern.NewProc(w.k, kern.RootCred())
	w.cwdi.SetEdir(w.l, w.vp("/m"))
	p.Cwdi = w.cwdi.Share()
	Cwdunshare(w.l, p)
	own := cwdinfoOf(p)
	if own == w.cwdi || own.Cdir != w.cwdi.Cdir {
		t.Fatal("still shared")
	}
	Cwdunshare(w.l, p)
	if cwdinfoOf(p) != own {
		t.Error("what was not shared was copied")
	}
	Cwdexec(w.l, p)
	if own.Edir != nil || w.cwdi.Edir == nil {
		t.Error("the emulation root outlived exec")
	}
	own.Free(w.l)
	w.cwdi.SetEdir(w.l, nil)
	w.balanced("unshare")
}

func TestDirs(t *testing.T) {
	w := testWorld(t)
	root := w.sys.Root.Load()
	if cdir, rdir := w.cwdi.Dirs(w.l); cdir != root || rdir != nil {
		t.Error("not the root at first")
	} else {
		cdir.Rele(w.l)
	}
	w.cwdi.ChangeRoot(w.l, w.vp("/d"))
	cdir, rdir := w.cwdi.Dirs(w.l)
	if cdir != rdir || rdir != w.at("/d").vp {
		t.Error("who is outside of his new root is put into it")
	}
	cdir.Rele(w.l)
	rdir.Rele(w.l)
}

func TestChdirUnder(t *testing.T) {
	w := testWorld(t)
	if err := w.cwdi.ChdirUnder(w.l, w.vp("/m")); err != nil || w.getcwdOf() != "/m" {
		t.Errorf("without a root: %v", err)
	}
	w.cwdi.ChangeRoot(w.l, w.vp("/m/sub"))
	w.rebase()
	if err := w.cwdi.ChdirUnder(w.l, w.vp("/d")); err != kern.EPERM || w.getcwdOf() != "/" {
		t.Errorf("out of the root: %v", err)
	}
	w.balanced("fchdir out of the root")
	if err := w.cwdi.ChdirUnder(w.l, w.vp("/m/sub/deep")); err != nil || w.getcwdOf() != "/deep" {
		t.Errorf("below the root: %v", err)
	}
}

func (w *world) getcwdOf() string {
	w.rebase()
	return w.getcwd(100)
}

func TestChdirLookup(t *testing.T) {
	w := testWorld(t)
	w.at("/d/e").deny = vnode.VEXEC
	for path, want := range map[string]string{
		"/ld": "root:/d", "/d/e": "EACCES", "/f": "ENOTDIR", "/nosuch": "ENOENT", "/m": "fs1:/",
	} {
		vp, err := ChdirLookup(w.l, path)
		if got := w.result(&Nameidata{Vp: vp}, err); got != want {
			t.Errorf("%s: %s, want %s", path, got, want)
		}
		rele(w.l, vp)
		w.balanced(path)
	}
}

func TestReplace(t *testing.T) {
	w := testWorld(t)
	old, new, other := w.vp("/d"), w.vp("/m"), w.vp("/d/e")
	w.cwdi.Chdir(w.l, w.vp("/d"))
	w.cwdi.ChangeRoot(w.l, w.vp("/d"))
	if w.cwdi.Replace(w.l, other, new) || w.cwdi.Cdir != old {
		t.Error("replaced what was not there")
	}
	if !w.cwdi.Replace(w.l, old, new) || w.cwdi.Cdir != new || w.cwdi.Rdir != new {
		t.Error("not replaced")
	}
	if old.Usecount() != 1 || new.Usecount() != 3 {
		t.Errorf("references: old %d, new %d", old.Usecount(), new.Usecount())
	}
}

// TestOneKernelAmongMany has roots that do not mix.
func TestOneKernelAmongMany(t *testing.T) {
	a, b := newWorld(t, hypercall.Native, "/a"), newWorld(t, hypercall.Native, "/b")
	if got := a.walk(lookup, 0, "/a") + a.walk(lookup, 0, "/b") + b.walk(lookup, 0, "/b") + b.walk(lookup, 0, "/a"); got != "root:/aENOENTroot:/bENOENT" {
		t.Error(got)
	}
}

// TestRootIsKept mounts something on the root of a process while that walks
// from it: the walk ends where it began, and the last reference to the old root
// is its own.
func TestRootIsKept(t *testing.T) {
	w := newWorldSeed(t, hypercall.Config{}, "/jail/\n/jail/d/\n/jail/d/up -> /\n/other/")
	var old, other *vnode.Vnode
	ops := memfsOps
	ops.Lookup = func(l *kern.Lwp, dvp *vnode.Vnode, cnp *vnode.Componentname) (*vnode.Vnode, error) {
		vp, err := memfsLookup(l, dvp, cnp)
		if cnp.Name() == "up" {
			w.cwdi.Replace(l, old, other)
			if n := old.Usecount(); n != 1 {
				t.Errorf("%d references to the old root", n)
			}
		}
		return vp, err
	}
	w.fs.ops = &ops
	old, other = w.vp("/jail"), w.vp("/other")
	old.Ref(w.l)
	w.cwdi.Chdir(w.l, old)
	w.cwdi.ChangeRoot(w.l, old)
	nd := Acquire(w.l)
	nd.Init(w.l, vnode.LOOKUP, vnode.FOLLOW, "/d/up")
	if err := nd.Namei(w.l); err != nil || nd.Vp != old {
		t.Errorf("the walk ends with %v", err)
	}
	w.letGo(nd)
	if n := old.Usecount(); n != 0 {
		t.Errorf("%d references to the old root in the end", n)
	}
	other.Rele(w.l)
}

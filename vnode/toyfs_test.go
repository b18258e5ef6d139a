package vnode

import (
	"fmt"
	"strings"
	"testing"

	"rumpvfs/hypercall"
	"rumpvfs/kern"
	"rumpvfs/uvm"
)

// toyfs is a file system of numbered files, just big enough to have a life
// cycle: it finds vnodes in a table of its own, like rumpfs does, and writes
// down what the kernel asks of it.
type toyfs struct {
	BaseVFS
	k    *toyKernel
	mp   *Mount
	name string
	ops  *Ops

	lock  kern.Mutex
	files [64]*toyFile
	log   []string // lock

	resist error // lock: what reclaim answers
}

type toyFile struct {
	fs       *toyfs
	n        int
	vp       *Vnode                       // fs.lock
	unlinked bool                         // fs.lock
	inactive func(l *kern.Lwp, vp *Vnode) // called within VOP_INACTIVE, the vnode still locked
	reclaim  func(l *kern.Lwp, vp *Vnode)
	dev      DeviceNode
	t        Vtype
}

var toyLockClass = hypercall.LockClass{Name: "toyfs", Rank: 550}

func (fs *toyfs) Name() string { return fs.name }

func (fs *toyfs) Unmount(l *kern.Lwp, mp *Mount, mntflags int) error {
	flags := 0
	if mntflags&kern.MNT_FORCE != 0 {
		flags |= FORCECLOSE
	}
	return mp.Vflush(l, nil, flags)
}

// note writes something down; stories compare it.
func (fs *toyfs) note(l *kern.Lwp, format string, args ...any) {
	fs.lock.Enter(l)
	fs.log = append(fs.log, fmt.Sprintf(format, args...))
	fs.lock.Exit(l)
}

// told returns and forgets what was written down.
func (fs *toyfs) told(l *kern.Lwp) string {
	fs.lock.Enter(l)
	defer fs.lock.Exit(l)
	s := strings.Join(fs.log, " ")
	fs.log = nil
	return s
}

// toyLock follows genfs_lock.
func toyLock(l *kern.Lwp, vp *Vnode, flags int) error {
	nowait := flags&LK_NOWAIT != 0
	switch {
	case nowait && flags&LK_SHARED != 0 && !vp.VLock.TryREnter(l), nowait && flags&LK_EXCLUSIVE != 0 && !vp.VLock.TryEnter(l):
		return kern.EBUSY
	case nowait:
	case flags&LK_SHARED != 0:
		vp.VLock.REnter(l)
	default:
		vp.VLock.Enter(l)
	}
	if !vp.Dying() {
		return nil
	}
	vp.VLock.Exit(l)
	if nowait {
		return kern.EBUSY
	}
	vp.Interlock.Enter(l)
	err := vp.DeadCheck(l, 0)
	vp.Interlock.Exit(l)
	return err
}

// toyDeadLock follows genfs_deadlock.
func toyDeadLock(l *kern.Lwp, vp *Vnode, flags int) error {
	if flags&LK_NOWAIT != 0 {
		if !vp.VLock.TryEnter(l) {
			return kern.EBUSY
		}
	} else {
		vp.VLock.Enter(l)
	}
	vp.Interlock.Enter(l)
	err := vp.DeadCheck(l, VDEAD_NOWAIT)
	vp.Interlock.Exit(l)
	if err == kern.ENOENT && flags&LK_RETRY != 0 {
		return nil
	}
	vp.VLock.Exit(l)
	return err
}

func toyUnlock(l *kern.Lwp, vp *Vnode) error {
	vp.VLock.Exit(l)
	return nil
}

func toyPutpages(l *kern.Lwp, vp *Vnode, _, _ int64, _ int) error {
	vp.Interlock.Exit(l)
	return nil
}

func toyInactive(l *kern.Lwp, vp *Vnode) (bool, error) {
	f := vp.Data.(*toyFile)
	if f.inactive != nil {
		f.inactive(l, vp)
	}
	f.fs.lock.Enter(l)
	recycle := f.unlinked
	f.fs.lock.Exit(l)
	if f.fs.k.verbose {
		f.fs.note(l, "inactive(%d)", f.n)
	}
	return recycle, VOP_UNLOCK(l, vp)
}

func toyReclaim(l *kern.Lwp, vp *Vnode) error {
	f := vp.Data.(*toyFile)
	if f.reclaim != nil {
		f.reclaim(l, vp)
	}
	if f.fs.k.verbose {
		f.fs.note(l, "reclaim(%d)", f.n)
	}
	f.fs.lock.Enter(l)
	f.vp = nil
	err := f.fs.resist
	f.fs.lock.Exit(l)
	vp.Data = nil
	return err
}

func toyOps() *Ops {
	return &Ops{
		Name: "toyfs", Lock: toyLock, Unlock: toyUnlock, Inactive: toyInactive, Reclaim: toyReclaim,
		Putpages: toyPutpages,
		Fsync:    func(*kern.Lwp, *Vnode, *kern.Cred, int, int64, int64) error { return nil },
		Revoke: func(l *kern.Lwp, vp *Vnode, _ int) error {
			vp.Revoke(l)
			return nil
		},
	}
}

func toyDeadOps() *Ops {
	return &Ops{
		Name: "dead", Lock: toyDeadLock, Unlock: toyUnlock, Putpages: toyPutpages,
		Inactive: func(l *kern.Lwp, vp *Vnode) (bool, error) { return false, VOP_UNLOCK(l, vp) },
		Read:     func(*kern.Lwp, *Vnode, *kern.Uio, int, *kern.Cred) error { return kern.EIO },
	}
}

// find returns the vnode of a file, made if there is none, with a reference.
func (fs *toyfs) find(l *kern.Lwp, n int) (*Vnode, error) {
	for {
		fs.lock.Enter(l)
		f := fs.files[n]
		if f == nil {
			f = &toyFile{fs: fs, n: n, t: VREG}
			fs.files[n] = f
		}
		vp := f.vp
		if vp == nil {
			fs.lock.Exit(l)
			vp, err := fs.make(l, f)
			if vp != nil || err != nil {
				return vp, err
			}
			continue
		}
		vp.Interlock.Enter(l)
		fs.lock.Exit(l)
		if vp.Get(l, 0) == nil {
			return vp, nil
		}
	}
}

// make makes the vnode of a file, or nothing if somebody else just did.
func (fs *toyfs) make(l *kern.Lwp, f *toyFile) (*Vnode, error) {
	vp, err := fs.k.sys.GetNewVnode(l, VT_RUMP, fs.mp, fs.ops, nil)
	if err != nil {
		return nil, err
	}
	fs.lock.Enter(l)
	if f.vp != nil || fs.files[f.n] != f {
		fs.lock.Exit(l)
		vp.UngetNew(l)
		return nil, nil
	}
	vp.Size, vp.WriteSize = 0, 0
	vp.SetType(f.t)
	vp.Dev = f.dev
	vp.Data = f
	f.vp = vp
	fs.lock.Exit(l)
	return vp, nil
}

// unlink makes the file of a vnode go with the last reference.
func (fs *toyfs) unlink(l *kern.Lwp, vp *Vnode) {
	fs.lock.Enter(l)
	f := vp.Data.(*toyFile)
	f.unlinked = true
	fs.files[f.n] = nil
	fs.lock.Exit(l)
}

// cached returns the vnode that a file has, without a reference.
func (fs *toyfs) cached(l *kern.Lwp, n int) *Vnode {
	fs.lock.Enter(l)
	defer fs.lock.Exit(l)
	if fs.files[n] == nil {
		return nil
	}
	return fs.files[n].vp
}

// toyKernel is a kernel with a toyfs.
type toyKernel struct {
	tb      testing.TB
	k       *kern.Kernel
	sys     *System
	l       *kern.Lwp
	fs      *toyfs
	verbose bool // file systems write down what they are asked
}

type toyDead struct{ BaseVFS }

func (toyDead) Name() string { return "dead" }

func newToyKernel(tb testing.TB, hc hypercall.Config, c Config) *toyKernel {
	tb.Helper()
	k := kern.NewKernel(hypercall.NewSystem(hc), kern.Rev1125)
	t := &toyKernel{tb: tb, k: k, verbose: true}
	us := uvm.NewSystem(k, uvm.Config{StepDaemon: true})
	us.Kproc = kern.NewProc(k, kern.RootCred())
	t.sys = NewSystem(k, us, c)
	t.l = kern.NewLwp(k, us.Kproc, "test")
	t.sys.DeadOps = toyDeadOps()
	t.sys.DeadMount = t.sys.MountAlloc(t.l, toyDead{}, nil)
	t.sys.DeadMount.Unbusy(t.l, false)
	t.fs = t.mount("toyfs")
	return t
}

// newStory is a native kernel without threads.
func newStory(t *testing.T) *toyKernel {
	k := newToyKernel(t, hypercall.Config{}, Config{Stepped: true})
	t.Cleanup(k.end)
	return k
}

func (t *toyKernel) mount(name string) *toyfs {
	fs := &toyfs{k: t, name: name, ops: toyOps()}
	fs.lock.Init(t.k.Sys, &toyLockClass)
	fs.mp = t.sys.MountAlloc(t.l, fs, nil)
	fs.mp.Stat.Mntonname = "/" + name
	t.sys.MountlistAppend(t.l, fs.mp)
	fs.mp.Unbusy(t.l, false)
	return fs
}

// find is toyfs.find for a story, where nothing can go wrong.
func (t *toyKernel) find(n int) *Vnode {
	t.tb.Helper()
	vp, err := t.fs.find(t.l, n)
	if err != nil {
		t.tb.Fatalf("file %d: %v", n, err)
	}
	return vp
}

// end shuts the kernel down and fails the test if something is left over.
func (t *toyKernel) end() {
	t.tb.Helper()
	if t.tb.Failed() || t.k.Dead() != nil {
		return
	}
	t.sys.StopThreads(t.l)
	t.sys.ReleFlush(t.l)
	if left := t.sys.Audit(t.l); left != nil {
		t.tb.Errorf("left over: %s", strings.Join(left, "; "))
	}
	for _, mp := range t.sys.Mounts(t.l) {
		if err := t.unmount(t.l, mp, kern.MNT_FORCE); err != nil {
			t.tb.Errorf("unmount %s: %v", mp.Stat.Mntonname, err)
		}
	}
	if n := t.sys.NumVnodes(); n != 0 {
		t.tb.Errorf("%d vnodes after the last unmount", n)
	}
	if left := t.k.Sys.Shutdown(); left != nil {
		t.tb.Errorf("threads left: %v", left)
	}
}

// unmount is the core of dounmount.
func (t *toyKernel) unmount(l *kern.Lwp, mp *Mount, flags int) error {
	if err := mp.BeginUnmount(l); err != nil {
		return err
	}
	err := VFS_UNMOUNT(l, mp, flags)
	mp.EndUnmount(l, err == nil)
	if err != nil {
		return err
	}
	t.sys.MountlistRemove(l, mp)
	if mp.HasVnodes(l) {
		kern.Panicf("unmount: dangling vnode")
	}
	mp.Destroy(l)
	return nil
}

func (t *toyKernel) wantTold(what, want string) {
	t.tb.Helper()
	if got := t.fs.told(t.l); got != want {
		t.tb.Errorf("%s: the file system was asked %q, want %q", what, got, want)
	}
}

func (t *toyKernel) want(what string, got, want any) {
	t.tb.Helper()
	if got != want {
		t.tb.Errorf("%s: %v, want %v", what, got, want)
	}
}

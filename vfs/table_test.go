package vfs_test

import (
	"fmt"
	"testing"

	"rumpvfs/hypercall"
	"rumpvfs/kern"
	"rumpvfs/namei"
	"rumpvfs/sim"
	"rumpvfs/vfs"
	"rumpvfs/vnode"
)

// table is a process made by hand: its lwp, its descriptor table, and the
// kernel around it.
type table struct {
	testing.TB
	k   *sim.Kernel
	l   *kern.Lwp
	fdp *vfs.Filedesc
}

func boot(tb testing.TB, c sim.Config) *sim.Kernel {
	tb.Helper()
	k, err := sim.Boot(c)
	if err != nil {
		tb.Fatal(err)
	}
	tb.Cleanup(func() {
		if err := k.Shutdown(); err != nil {
			tb.Error(err)
		}
	})
	return k
}

func newTable(tb testing.TB, c sim.Config) *table {
	tb.Helper()
	k := boot(tb, c)
	p := kern.NewProc(k.K, kern.RootCred())
	t := &table{TB: tb, k: k, l: kern.NewLwp(k.K, p, "test"), fdp: k.F.NewFiledesc(kern.NOFILE)}
	cwd := namei.NewCwdinfo(k.K)
	p.Fdp, p.Cwdi = t.fdp, cwd
	root := k.V.Root.Load()
	root.Ref(t.l)
	cwd.Chdir(t.l, root)
	tb.Cleanup(func() {
		if k.Err() == nil {
			t.fdp.Free(t.l)
			cwd.Free(t.l)
			t.l.Exit()
		}
	})
	return t
}

// ops are the operations of an open file that notes how often it is closed.
type ops struct {
	vfs.ConsoleOps
	closed *int
	err    error
}

func (o ops) Close(*kern.Lwp, *vfs.File) error {
	*o.closed++
	return o.err
}

// file makes an open file with a descriptor of its own, and returns what
// counts its closing.
func (t *table) file() (fp *vfs.File, fd int, closed *int) {
	t.Helper()
	fp, fd, err := t.fdp.AllocFile(t.l)
	t.must(err)
	closed = new(int)
	fp.Attach(vfs.DTYPE_MISC, ops{closed: closed}, nil, kern.FREAD|kern.FWRITE)
	t.fdp.Affix(t.l, fp, fd)
	return fp, fd, closed
}

// open opens a file as open(2) does.
func (t *table) open(path string, oflags int32, mode uint32) (*vfs.File, int) {
	t.Helper()
	fp, fd, err := t.tryOpen(path, oflags, mode)
	t.must(err)
	return fp, fd
}

func (t *table) tryOpen(path string, oflags int32, mode uint32) (*vfs.File, int, error) {
	fp, fd, err := t.fdp.AllocFile(t.l)
	if err != nil {
		return nil, -1, err
	}
	vp, err := t.vnOpen(path, oflags, mode)
	if err != nil {
		t.fdp.Abort(t.l, fp, fd)
		return nil, -1, err
	}
	fp.Attach(vfs.DTYPE_VNODE, vfs.VnodeOps{}, vp, kern.FFLAGS(oflags)&kern.FMASK)
	_ = vnode.VOP_UNLOCK(t.l, vp)
	t.fdp.Affix(t.l, fp, fd)
	return fp, fd, nil
}

func (t *table) vnOpen(path string, oflags int32, mode uint32) (*vnode.Vnode, error) {
	nd := namei.Acquire(t.l)
	defer nd.Release(t.l)
	nd.Init(t.l, vnode.LOOKUP, vnode.FOLLOW, path)
	return vfs.Open(t.l, nd, kern.FFLAGS(oflags), mode)
}

func (t *table) close(fd int) {
	t.Helper()
	if t.fdp.Get(t.l, fd) == nil {
		t.Fatalf("descriptor %d is not open", fd)
	}
	t.must(t.fdp.Close(t.l, fd))
}

// move transfers b, at the file's own offset if off is negative.
func (t *table) move(fp *vfs.File, rw kern.UioRW, b []byte, off int64) (int, error) {
	var u kern.Uio
	var iov [1][]byte
	flags := 0
	if off < 0 {
		flags, off = vfs.FOF_UPDATE_OFFSET, 0
	}
	u.InitUio(&iov, b, off, rw)
	err := fp.Ops.Read
	if rw == kern.UIO_WRITE {
		err = fp.Ops.Write
	}
	e := err(t.l, fp, &u, flags)
	return len(b) - int(u.Resid), e
}

func (t *table) write(fp *vfs.File, s string, off int64) {
	t.Helper()
	n, err := t.move(fp, kern.UIO_WRITE, []byte(s), off)
	t.must(err)
	t.want("bytes written", n, len(s))
}

func (t *table) read(fp *vfs.File, n int, off int64) string {
	t.Helper()
	b := make([]byte, n)
	n, err := t.move(fp, kern.UIO_READ, b, off)
	t.must(err)
	return string(b[:n])
}

func (t *table) must(err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}

func (t *table) want(what string, got, want any) {
	t.Helper()
	if got != want {
		t.Errorf("%s: %v, want %v", what, got, want)
	}
}

// panicOf returns the kernel panic that f ends in, if it does.
func panicOf(f func()) (p *kern.Panic) {
	defer func() {
		if r := recover(); r != nil {
			p, _ = r.(*kern.Panic)
		}
	}()
	f()
	return nil
}

func seeds(t *testing.T, n uint64, f func(t *testing.T, c sim.Config)) {
	for seed := range n {
		if f(t, sim.Config{Mode: hypercall.Deterministic, Seed: seed}); t.Failed() {
			t.Fatal(fmt.Sprint("seed ", seed))
		}
	}
}

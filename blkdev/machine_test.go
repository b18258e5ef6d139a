package blkdev

import (
	"fmt"
	"io"
	"testing"

	"rumpvfs/hypercall"
	"rumpvfs/kern"
	"rumpvfs/uvm"
	"rumpvfs/vnode"
)

// setup says what machine a test wants.
type setup struct {
	hypercall.Config
	quirks  kern.Quirks
	limit   int64 // memory, bytes
	hiwater int64
	mounted *vnode.Mount // what every block device is said to have
}

// machine is a kernel with a driver of block devices, a buffer cache, and
// vnodes of devices, but no file system.
type machine struct {
	*vnode.System
	t     testing.TB
	k     *kern.Kernel
	l     *kern.Lwp
	host  hypercall.Host
	devsw *Devsw
	blk   *Rumpblk
	cache *Cache
	ops   vnode.Ops
}

// bareNode is what a vnode of a device has.
type bareNode struct {
	rdev    kern.Dev
	mounted bool
}

func (n *bareNode) Rdev() kern.Dev                       { return n.rdev }
func (n *bareNode) Mounted() bool                        { return n.mounted }
func (n *bareNode) Revoke(*kern.Lwp, *vnode.Vnode)       {}
func (n *bareNode) Destroy(_ *kern.Lwp, vp *vnode.Vnode) { vp.Dev = nil }

type bareDevices struct{ mounted bool }

func (d bareDevices) NodeInit(_ *kern.Lwp, vp *vnode.Vnode, rdev kern.Dev) {
	vp.Dev = &bareNode{rdev, d.mounted}
}

func (bareDevices) Lookup(*kern.Lwp, vnode.Vtype, kern.Dev) (*vnode.Vnode, error) {
	return nil, kern.ENOENT
}

// noFS is a file system that is mounted only to be counted for.
type noFS struct{ vnode.BaseVFS }

func (noFS) Name() string { return "none" }

func newMachine(t testing.TB, s setup) *machine {
	t.Helper()
	if s.Host == nil {
		s.Host = hypercall.NewMemHost()
	}
	m := &machine{t: t, host: s.Host}
	m.k = kern.NewKernel(hypercall.NewSystem(s.Config), s.quirks)
	m.l = kern.NewLwp(m.k, kern.NewProc(m.k, kern.RootCred()), "test")
	us := uvm.NewSystem(m.k, uvm.Config{MemLimit: s.limit, StepDaemon: true})
	m.System = vnode.NewSystem(m.k, us, vnode.Config{Stepped: true})
	m.devsw = NewDevsw(m.k)
	blk, err := NewRumpblk(m.System)
	if err != nil {
		t.Fatal(err)
	}
	m.blk = blk
	m.want("attach", m.devsw.AttachBlock(m.l, "rumpblk", RUMPBLK_DEVMAJOR, blk), nil)
	m.want("attach", m.devsw.AttachChar(m.l, "rumpblk", RUMPBLK_DEVMAJOR, blk), nil)
	m.cache = NewCache(m.System, m.devsw, CacheConfig{MemLimit: s.limit, Hiwater: s.hiwater,
		MountedFS: func(*vnode.Vnode) *vnode.Mount { return s.mounted }})
	m.Cache = m.cache
	us.DrainBuffers = m.cache.Drain
	m.Devices = bareDevices{s.mounted != nil}
	m.ops = m.vector()
	m.SpecOps, m.DeadOps = &m.ops, &m.ops
	m.DeadMount = m.MountAlloc(m.l, noFS{}, nil)
	return m
}

// vector returns the operations that a device's vnode needs here.
func (m *machine) vector() vnode.Ops {
	return vnode.Ops{
		Name: "bare",
		Lock: func(l *kern.Lwp, vp *vnode.Vnode, flags int) error {
			if flags&vnode.LK_SHARED != 0 {
				vp.VLock.REnter(l)
			} else {
				vp.VLock.Enter(l)
			}
			return nil
		},
		Unlock: func(l *kern.Lwp, vp *vnode.Vnode) error {
			vp.VLock.Exit(l)
			return nil
		},
		Inactive: func(l *kern.Lwp, vp *vnode.Vnode) (bool, error) { return true, vnode.VOP_UNLOCK(l, vp) },
		Reclaim:  func(*kern.Lwp, *vnode.Vnode) error { return nil },
		Putpages: func(l *kern.Lwp, vp *vnode.Vnode, _, _ int64, _ int) error {
			vp.Interlock.Exit(l)
			return nil
		},
		Fsync: func(l *kern.Lwp, vp *vnode.Vnode, _ *kern.Cred, flags int, _, _ int64) error {
			return vp.FlushBuf(l, flags)
		},
		Strategy: func(l *kern.Lwp, vp *vnode.Vnode, bp *vnode.Buf) error {
			bp.Dev = vp.Dev.Rdev()
			d, err := m.devsw.Block(l, bp.Dev)
			if err != nil {
				return err
			}
			d.Strategy(l, bp)
			return nil
		},
		Bwrite: m.cache.VnBwrite,
	}
}

// name returns the name of an errno.
func name(err error) string {
	if e, ok := err.(kern.Errno); ok {
		return e.Name()
	}
	return fmt.Sprint(err)
}

func (m *machine) want(what string, got, want any) {
	m.t.Helper()
	if err, ok := got.(error); ok {
		got = name(err)
	}
	if err, ok := want.(error); ok {
		want = name(err)
	}
	if fmt.Sprint(got) != fmt.Sprint(want) {
		m.t.Errorf("%s: %v, want %v", what, got, want)
	}
}

// file makes a file of the host.
func (m *machine) file(name string, data []byte) {
	m.t.Helper()
	if _, err := m.host.WriteFile(name, data); err != nil {
		m.t.Fatal(err)
	}
}

// register makes a device of a file of the host.
func (m *machine) register(name string) kern.Dev {
	m.t.Helper()
	minor, err := m.blk.Register(m.l, name, 0, RUMPBLK_SIZENOTSET)
	if err != nil {
		m.t.Fatal(err)
	}
	return kern.Makedev(RUMPBLK_DEVMAJOR, minor)
}

// disk makes a block device that holds data, and a vnode of it.
func (m *machine) disk(name string, data []byte) *vnode.Vnode {
	m.t.Helper()
	m.file(name, data)
	vp, err := m.Bdevvp(m.l, m.register(name))
	if err != nil {
		m.t.Fatal(err)
	}
	return vp
}

// data returns what a file of the host holds.
func (m *machine) data(name string) []byte {
	m.t.Helper()
	b, err := m.host.ReadFile(name)
	if err != nil {
		m.t.Fatal(err)
	}
	return b
}

// end gives up a vnode and audits the machine.
func (m *machine) end(vps ...*vnode.Vnode) {
	m.t.Helper()
	for _, vp := range vps {
		vp.Rele(m.l)
	}
	for i, p := range m.blk.paths {
		if p != "" && m.blk.minors[i].Load() != nil {
			m.want("deregister", m.blk.Deregister(m.l, p), nil)
		}
	}
	m.want("host descriptors", m.host.OpenFDs(), 0)
	m.want("audit of vnodes", m.Audit(m.l), "[]")
	m.want("audit of buffers", m.cache.Audit(m.l), "[]")
	m.checkCache()
	m.l.Exit()
	m.want("threads", m.k.Sys.Shutdown(), "[]")
}

// broken is what Check says of the cache while nobody works with it.
func (m *machine) broken() []string {
	ck := kern.NewCheckup(m.l, func(*kern.Checkup) {})
	ck.Begin()
	m.cache.Check(ck)
	return ck.End()
}

func (m *machine) checkCache() {
	m.t.Helper()
	for _, what := range m.broken() {
		m.t.Error(what)
	}
}

// kernelPanic returns the message of the kernel panic that f ends in.
func kernelPanic(t testing.TB, f func()) (msg string) {
	t.Helper()
	defer func() {
		t.Helper()
		if p, ok := recover().(*kern.Panic); ok {
			msg = p.Msg
		} else {
			t.Error("no kernel panic")
		}
	}()
	f()
	return ""
}

// pattern returns n bytes in which every 64 differ.
func pattern(n int) []byte {
	b := make([]byte, n)
	for i := range b {
		b[i] = byte(i>>6*31 + i)
	}
	return b
}

var det = hypercall.Config{Mode: hypercall.Deterministic, Console: io.Discard}

package genfs_test

import (
	"errors"
	"testing"

	"rumpvfs/genfs"
	"rumpvfs/hypercall"
	"rumpvfs/kern"
	"rumpvfs/uvm"
	"rumpvfs/vnode"
)

// machine is a kernel with one mounted memfs.
type machine struct {
	*vnode.System
	l  *kern.Lwp
	mp *vnode.Mount
	fs *memfs

	files    []*vnode.Vnode // that tests made
	panicked bool

	uio kern.Uio // of the transfer in progress
	iov [1][]byte
}

// memfs is a file system whose device is a byte slice a file: its transfers
// go wrong, come in small runs, meet holes and take their time as told.
type memfs struct {
	vnode.BaseVFS
	ops      vnode.Ops
	genfs    genfs.Ops
	bshift   int   // of a file-system block
	run      int   // blocks behind the first that Bmap finds together
	fail     error // of the next transfers
	bmapFail int64 // block number that Bmap refuses, -1 for none
	stamps   int   // GOP_UPDATE flags seen
	reads    int   // transfers
	writes   int   //
	short    int   // bytes that transfers leave undone
	access   error // what VOP_ACCESS answers
	late     []func(l *kern.Lwp)
	async    bool // transfers are over only when settled
	aborts   int
	onRead   func() // called before a transfer from the device
}

// memfile is the device of a file: data, and which blocks there are.
type memfile struct {
	data  []byte
	holes map[int64]bool // file-system blocks
}

func (*memfs) Name() string { return "memfs" }

func (fs *memfs) Statvfs(l *kern.Lwp, mp *vnode.Mount, sbp *kern.Statvfs) error {
	return genfs.Statvfs(l, mp, sbp)
}

func newMachine(t testing.TB, c hypercall.Config) *machine {
	t.Helper()
	return newSmallMachine(t, c, uvm.Config{})
}

// newSmallMachine is newMachine with as much memory as uc says.
func newSmallMachine(t testing.TB, c hypercall.Config, uc uvm.Config) *machine {
	t.Helper()
	k := kern.NewKernel(hypercall.NewSystem(c), 0)
	l := kern.NewLwp(k, kern.NewProc(k, kern.RootCred()), "test")
	us := uvm.NewSystem(k, uc)
	us.Kproc = l.Proc
	sys := vnode.NewSystem(k, us, vnode.Config{Stepped: true})
	fs := &memfs{bshift: kern.DEV_BSHIFT, bmapFail: -1, run: 16}
	fs.genfs = genfs.Ops{Size: genfs.Size, Write: genfs.GopWrite, Alloc: fs.alloc,
		MarkUpdate: func(_ *kern.Lwp, _ *vnode.Vnode, flags int) { fs.stamps |= flags }}
	fs.ops = vnode.Ops{
		Name: "memfs",
		Lock: genfs.Lock, Unlock: genfs.Unlock, Islocked: genfs.Islocked,
		Getpages: genfs.Getpages, Putpages: genfs.Putpages,
		Bmap: fs.bmap, Strategy: fs.strategy,
		Fsync: func(l *kern.Lwp, vp *vnode.Vnode, _ *kern.Cred, _ int, lo, hi int64) error {
			vp.Interlock.Enter(l)
			return vnode.VOP_PUTPAGES(l, vp, lo, hi, uvm.PGO_CLEANIT|uvm.PGO_SYNCIO)
		},
		Access:   func(*kern.Lwp, *vnode.Vnode, int, *kern.Cred) error { return fs.access },
		Inactive: func(l *kern.Lwp, vp *vnode.Vnode) (bool, error) { return false, vnode.VOP_UNLOCK(l, vp) },
		Reclaim: func(l *kern.Lwp, vp *vnode.Vnode) error {
			genfs.NodeDestroy(l, vp)
			vp.Data = nil
			return nil
		},
		Abortop: func(*kern.Lwp, *vnode.Vnode, *vnode.Componentname) error { fs.aborts++; return nil },
		Revoke:  genfs.Revoke,
	}
	sys.DeadOps = &vnode.Ops{
		Name: "dead", Lock: genfs.Deadlock, Unlock: genfs.Deadunlock, Islocked: genfs.Deadislocked,
		Inactive: fs.ops.Inactive, Reclaim: func(*kern.Lwp, *vnode.Vnode) error { return nil },
	}
	sys.DeadMount = sys.MountAlloc(l, fs, nil)
	mp := sys.MountAlloc(l, fs, nil)
	mp.FsBshift, mp.DevBshift = fs.bshift, kern.DEV_BSHIFT
	mp.Stat.Mntonname = "/"
	m := &machine{System: sys, l: l, mp: mp, fs: fs}
	t.Cleanup(func() { m.end(t) })
	return m
}

// end audits the machine unless it has panicked: what a test leaves over are
// its files at most, idle and unlocked.
func (m *machine) end(t testing.TB) {
	if m.panicked || t.Failed() {
		return
	}
	m.UVM.StopDaemon(m.l)
	m.StopThreads(m.l)
	for _, vp := range m.files {
		if vp.Interlock == nil { // it has gone
			continue
		}
		m.audit(t, vp)
		if state, _ := vnode.VOP_ISLOCKED(m.l, vp); state != 0 {
			t.Errorf("left locked: %v", vp)
		}
	}
	m.l.Exit()
	if left := m.System.K.Sys.Shutdown(); len(left) != 0 {
		t.Errorf("left over: %v", left)
	}
}

// setBshift gives the file system blocks of 1<<bshift bytes.
func (m *machine) setBshift(bshift int) { m.fs.bshift, m.mp.FsBshift = bshift, bshift }

// open makes a file with the given data on its device.
func (m *machine) open(t testing.TB, data string) *vnode.Vnode {
	t.Helper()
	vp, err := m.GetNewVnode(m.l, vnode.VT_RUMP, m.mp, &m.fs.ops, nil)
	if err != nil {
		t.Fatal(err)
	}
	vp.SetType(vnode.VREG)
	vp.Data = &memfile{data: []byte(data), holes: map[int64]bool{}}
	genfs.NodeInit(vp, &m.fs.genfs)
	vp.SetSize(m.l, int64(len(data)))
	m.files = append(m.files, vp)
	return vp
}

func fileOf(vp *vnode.Vnode) *memfile { return vp.Data.(*memfile) }

func (fs *memfs) bmap(_ *kern.Lwp, vp *vnode.Vnode, bn int64) (*vnode.Vnode, int64, int, error) {
	if bn == fs.bmapFail {
		return nil, 0, 0, kern.EIO
	}
	f := fileOf(vp)
	run := 0
	for run < fs.run && f.holes[bn+int64(run)+1] == f.holes[bn] && bn+int64(run)+1 != fs.bmapFail {
		run++
	}
	if f.holes[bn] {
		return vp, -1, run, nil
	}
	return vp, bn << (fs.bshift - kern.DEV_BSHIFT), run, nil
}

func (fs *memfs) alloc(_ *kern.Lwp, vp *vnode.Vnode, off, length int64, _ int, _ *kern.Cred) error {
	if fs.fail != nil {
		return fs.fail
	}
	for bn := off >> fs.bshift; bn<<fs.bshift < off+length; bn++ {
		delete(fileOf(vp).holes, bn)
	}
	return nil
}

func (fs *memfs) strategy(l *kern.Lwp, vp *vnode.Vnode, bp *vnode.Buf) error {
	if fs.async {
		fs.late = append(fs.late, func(l *kern.Lwp) {
			fs.transfer(fileOf(vp), bp)
			vnode.Biodone(l, bp)
		})
		return nil
	}
	fs.transfer(fileOf(vp), bp)
	vnode.Biodone(l, bp)
	return nil
}

func (fs *memfs) transfer(f *memfile, bp *vnode.Buf) {
	if fs.fail != nil {
		bp.Error = fs.fail
		return
	}
	bp.Resid = fs.short
	off := bp.Blkno << kern.DEV_BSHIFT
	if bp.IsWrite() {
		fs.writes++
		if need := off + int64(bp.Bcount); need > int64(len(f.data)) {
			f.data = append(f.data, make([]byte, need-int64(len(f.data)))...)
		}
		copy(f.data[off:], bp.Data[:bp.Bcount])
		return
	}
	fs.reads++
	if fs.onRead != nil {
		fs.onRead()
	}
	clear(bp.Data[:bp.Bcount])
	if off < int64(len(f.data)) {
		copy(bp.Data[:bp.Bcount], f.data[off:])
	}
}

// settle ends the transfers that are under way.
func (fs *memfs) settle(l *kern.Lwp) {
	for len(fs.late) > 0 {
		next := fs.late[0]
		fs.late = fs.late[1:]
		next(l)
	}
}

// write writes through the cache, growing the file first like rumpfs.
func (m *machine) write(vp *vnode.Vnode, off int64, data []byte) error {
	if end := off + int64(len(data)); end > vp.Size {
		vp.SetSize(m.l, end)
	}
	return m.move(vp, off, data, kern.UIO_WRITE)
}

func (m *machine) read(vp *vnode.Vnode, off int64, data []byte) error {
	return m.move(vp, off, data, kern.UIO_READ)
}

func (m *machine) move(vp *vnode.Vnode, off int64, data []byte, rw kern.UioRW) error {
	m.uio.InitUio(&m.iov, data, off, rw)
	flags := uvm.UBC_READ
	if rw == kern.UIO_WRITE {
		flags = uvm.UBC_WRITE
	}
	return uvm.UbcUiomove(m.l, &vp.Object, &m.uio, int64(len(data)), 0, flags)
}

// put calls VOP_PUTPAGES.
func (m *machine) put(vp *vnode.Vnode, lo, hi int64, flags int) error {
	vp.Interlock.Enter(m.l)
	return vnode.VOP_PUTPAGES(m.l, vp, lo, hi, flags)
}

// get calls VOP_GETPAGES.
func (m *machine) get(vp *vnode.Vnode, off int64, n, center, access, flags int) ([]*uvm.Page, error) {
	pgs := make([]*uvm.Page, n)
	vp.Interlock.Enter(m.l)
	count, err := vnode.VOP_GETPAGES(m.l, vp, off, pgs, n, center, access, 0, flags)
	if count != n {
		panic("VOP_GETPAGES changed the count")
	}
	return pgs, err
}

// unbusy lets go of pages.
func (m *machine) unbusy(vp *vnode.Vnode, pgs []*uvm.Page) {
	vp.Interlock.Enter(m.l)
	uvm.PageUnbusy(m.l, pgs)
	vp.Interlock.Exit(m.l)
}

// audit fails the test if pages are busy or output is in progress.
func (m *machine) audit(t testing.TB, vp *vnode.Vnode) {
	t.Helper()
	vp.Interlock.Enter(m.l)
	defer vp.Interlock.Exit(m.l)
	it := vp.Pages(0, 0)
	for pg := it.Next(); pg != nil; pg = it.Next() {
		if pg.Flags&uvm.PG_BUSY != 0 {
			t.Errorf("page at %d is busy: flags %#x", pg.Offset, pg.Flags)
		}
	}
	if n := vp.Numoutput(); n != 0 {
		t.Errorf("%d writes in progress", n)
	}
}

// panics returns what kernel panic f ends in. After one the machine is not
// audited.
func (m *machine) panics(f func()) (p *kern.Panic) {
	defer func() {
		if r := recover(); r != nil {
			p = r.(*kern.Panic)
			m.panicked = true
		}
	}()
	f()
	return nil
}

func wantErr(t testing.TB, what string, err, want error) {
	t.Helper()
	if !errors.Is(err, want) {
		t.Errorf("%s: %v, want %v", what, err, want)
	}
}

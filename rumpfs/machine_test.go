package rumpfs

import (
	"slices"
	"strings"
	"testing"

	"rumpvfs/genfs"
	"rumpvfs/hypercall"
	"rumpvfs/kern"
	"rumpvfs/namei"
	"rumpvfs/uvm"
	"rumpvfs/vnode"
)

// machine is a kernel that has rumpfs and nothing but what it stands on, driven by vnode operations.
type machine struct {
	t    testing.TB
	k    *kern.Kernel
	vsys *vnode.System
	fs   *FS
	l    *kern.Lwp
	mp   *vnode.Mount
	root *vnode.Vnode // referenced
	cred *kern.Cred
}

// config says what a test's machine has that others do not.
type config struct {
	quirks    kern.Quirks
	memLimit  int64
	nodeLimit int64
	vnodes    int
	mode      hypercall.Mode
	unchecked bool
}

// devices is a device table that knows no device.
type devices struct{ made []kern.Dev }

type device kern.Dev

func (d device) Rdev() kern.Dev                { return kern.Dev(d) }
func (device) Mounted() bool                   { return false }
func (device) Revoke(*kern.Lwp, *vnode.Vnode)  {}
func (device) Destroy(*kern.Lwp, *vnode.Vnode) {}
func (d *devices) NodeInit(l *kern.Lwp, vp *vnode.Vnode, rdev kern.Dev) {
	d.made = append(d.made, rdev)
	vp.Dev = device(rdev)
}

func (d *devices) Lookup(*kern.Lwp, vnode.Vtype, kern.Dev) (*vnode.Vnode, error) {
	return nil, kern.ENOENT
}

// specOps are the operations of devices: they cannot be opened.
var specOps = vnode.Ops{
	Name:     "device",
	Open:     func(*kern.Lwp, *vnode.Vnode, int, *kern.Cred) error { return kern.ENXIO },
	Putpages: genfs.NullPutpages,
	Inactive: func(l *kern.Lwp, vp *vnode.Vnode) (bool, error) { return false, vnode.VOP_UNLOCK(l, vp) },
}

// deadOps are those of vnodes that rumpfs has forgotten.
var deadOps = vnode.Ops{
	Name:     "dead",
	Default:  func(*kern.Lwp, vnode.Args) error { return kern.EBADF },
	Lock:     genfs.Deadlock,
	Unlock:   genfs.Deadunlock,
	Islocked: genfs.Deadislocked,
	Putpages: genfs.NullPutpages,
	Inactive: func(l *kern.Lwp, vp *vnode.Vnode) (bool, error) { return false, vnode.VOP_UNLOCK(l, vp) },
	Reclaim:  func(*kern.Lwp, *vnode.Vnode) error { return nil },
}

type deadVFS struct{ vnode.BaseVFS }

func (deadVFS) Name() string { return "dead" }

func boot(t testing.TB, c config) *machine {
	t.Helper()
	k := kern.NewKernel(hypercall.NewSystem(hypercall.Config{Mode: c.mode, MemLimit: c.memLimit}), c.quirks)
	if !c.unchecked {
		k.Hooks = &kern.Hooks{Check: true}
	}
	m := &machine{t: t, k: k, cred: kern.RootCred()}
	m.l = kern.NewLwp(k, kern.NewProc(k, m.cred), "test")
	m.vsys = vnode.NewSystem(k, uvm.NewSystem(k, uvm.Config{}), vnode.Config{DesiredVnodes: c.vnodes, Stepped: true})
	m.vsys.Devices, m.vsys.SpecOps, m.vsys.DeadOps = new(devices), &specOps, &deadOps
	m.vsys.DeadMount = m.vsys.MountAlloc(m.l, deadVFS{}, nil)
	m.fs = New(k, m.vsys, Config{NodeLimit: c.nodeLimit})
	m.l.Proc.Cwdi = namei.NewCwdinfo(k)
	must(0, m.vsys.Attach(m.l, m.fs))
	if err := m.fs.Mountroot(m.l, m.vsys); err != nil {
		t.Fatal(err)
	}
	m.mp = m.vsys.Mounts(m.l)[0]
	root, err := vnode.VFS_ROOT(m.l, m.mp)
	if err != nil {
		t.Fatal(err)
	}
	vnode.VOP_UNLOCK(m.l, root)
	m.root = root
	m.vsys.Root.Store(root)
	return m
}

// end gives up the root and fails the test if anything is left over.
func (m *machine) end() {
	m.t.Helper()
	m.root.Rele(m.l)
	m.vsys.Root.Store(nil)
	if err := m.fs.Unmount(m.l, m.mp, 0); err != nil {
		m.t.Fatalf("unmount: %v", err)
	}
	if n, b := m.k.Sys.Reserved(), m.fs.nodeBytes.Load(); n != 0 || b != 0 {
		m.t.Errorf("after unmounting, %d bytes of data and %d of nodes are reserved", n, b)
	}
	if left := m.vsys.Audit(m.l); len(left) != 0 {
		m.t.Errorf("left over: %s", strings.Join(left, "; "))
	}
	m.fs.Done(m.l)
	m.l.Exit()
}

// as makes the machine act for a user of one group.
func (m *machine) as(uid, gid uint32) {
	m.cred = &kern.Cred{UID: uid, EUID: uid, SvUID: uid, GID: gid, EGID: gid, SvGID: gid, Groups: []uint32{gid}}
}

func (m *machine) asRoot() { m.cred = kern.RootCred() }

func (m *machine) lock(vp *vnode.Vnode) {
	m.t.Helper()
	if err := vp.Lock(m.l, vnode.LK_EXCLUSIVE|vnode.LK_RETRY); err != nil {
		m.t.Fatal(err)
	}
}

// look looks a name up with dvp locked, and leaves it so.
func (m *machine) look(dvp *vnode.Vnode, name string, op, flags uint32) (*vnode.Vnode, *vnode.Componentname, error) {
	m.t.Helper()
	m.lock(dvp)
	cnp := &vnode.Componentname{Nameiop: op, Flags: flags | vnode.ISLASTCN, Cred: m.cred, Nameptr: name, Namelen: len(name)}
	if name == ".." {
		cnp.Flags |= vnode.ISDOTDOT
	}
	vp, err := vnode.VOP_LOOKUP(m.l, dvp, cnp)
	return vp, cnp, err
}

// find returns what a name stands for, referenced.
func (m *machine) find(dvp *vnode.Vnode, name string) (*vnode.Vnode, error) {
	m.t.Helper()
	vp, _, err := m.look(dvp, name, vnode.LOOKUP, 0)
	vnode.VOP_UNLOCK(m.l, dvp)
	return vp, err
}

// make makes whatever vap says, with the operation f, and returns it referenced.
func (m *machine) make(dvp *vnode.Vnode, name string, vap *vnode.Vattr,
	f func(*kern.Lwp, *vnode.Vnode, *vnode.Componentname, *vnode.Vattr) (*vnode.Vnode, error),
) (*vnode.Vnode, error) {
	m.t.Helper()
	vp, cnp, err := m.look(dvp, name, vnode.CREATE, vnode.LOCKPARENT)
	if err == nil {
		if vp != dvp {
			vp.Rele(m.l)
		}
		vnode.VOP_UNLOCK(m.l, dvp)
		return nil, kern.EEXIST
	}
	if err == kern.EJUSTRETURN {
		vp, err = f(m.l, dvp, cnp, vap)
	}
	vnode.VOP_UNLOCK(m.l, dvp)
	return vp, err
}

func attrs(t vnode.Vtype, mode uint32) *vnode.Vattr {
	var va vnode.Vattr
	va.Null()
	va.Type, va.Mode = t, mode
	return &va
}

func (m *machine) create(dvp *vnode.Vnode, name string, mode uint32) (*vnode.Vnode, error) {
	m.t.Helper()
	return m.make(dvp, name, attrs(vnode.VREG, mode), vnode.VOP_CREATE)
}

func (m *machine) mkdir(dvp *vnode.Vnode, name string, mode uint32) (*vnode.Vnode, error) {
	m.t.Helper()
	return m.make(dvp, name, attrs(vnode.VDIR, mode), vnode.VOP_MKDIR)
}

func (m *machine) mknod(dvp *vnode.Vnode, name string, t vnode.Vtype, rdev kern.Dev) (*vnode.Vnode, error) {
	m.t.Helper()
	va := attrs(t, 0o644)
	va.Rdev = rdev
	return m.make(dvp, name, va, vnode.VOP_MKNOD)
}

func (m *machine) symlink(dvp *vnode.Vnode, name, target string) (*vnode.Vnode, error) {
	m.t.Helper()
	return m.make(dvp, name, attrs(vnode.VLNK, 0o777),
		func(l *kern.Lwp, dvp *vnode.Vnode, cnp *vnode.Componentname, vap *vnode.Vattr) (*vnode.Vnode, error) {
			return vnode.VOP_SYMLINK(l, dvp, cnp, vap, target)
		})
}

// whiteout makes a whiteout, or with vnode.DELETE takes one away as undelete(2) does.
func (m *machine) whiteout(dvp *vnode.Vnode, name string, op int) error {
	m.t.Helper()
	flags := uint32(vnode.LOCKPARENT)
	if op == vnode.DELETE {
		flags |= vnode.DOWHITEOUT
	}
	vp, cnp, err := m.look(dvp, name, uint32(op), flags)
	if err == nil {
		vp.Rele(m.l)
		err = kern.EEXIST
	} else if err == kern.EJUSTRETURN {
		err = vnode.VOP_WHITEOUT(m.l, dvp, cnp, op)
	}
	vnode.VOP_UNLOCK(m.l, dvp)
	return err
}

// take removes a name with the operation f.
func (m *machine) take(dvp *vnode.Vnode, name string, f func(*kern.Lwp, *vnode.Vnode, *vnode.Vnode, *vnode.Componentname) error) error {
	m.t.Helper()
	vp, cnp, err := m.look(dvp, name, vnode.DELETE, vnode.LOCKPARENT|vnode.LOCKLEAF)
	if err != nil {
		vnode.VOP_UNLOCK(m.l, dvp)
		return err
	}
	m.lock(vp)
	dvp.Ref(m.l)
	return f(m.l, dvp, vp, cnp)
}

func (m *machine) remove(dvp *vnode.Vnode, name string) error {
	m.t.Helper()
	return m.take(dvp, name, vnode.VOP_REMOVE)
}

func (m *machine) rmdir(dvp *vnode.Vnode, name string) error {
	m.t.Helper()
	return m.take(dvp, name, vnode.VOP_RMDIR)
}

func (m *machine) stat(vp *vnode.Vnode) vnode.Vattr {
	m.t.Helper()
	var va vnode.Vattr
	vp.Lock(m.l, vnode.LK_SHARED|vnode.LK_RETRY)
	err := vnode.VOP_GETATTR(m.l, vp, &va, m.cred)
	vnode.VOP_UNLOCK(m.l, vp)
	if err != nil {
		m.t.Fatalf("getattr: %v", err)
	}
	return va
}

// set changes the attributes that f fills in.
func (m *machine) set(vp *vnode.Vnode, f func(*vnode.Vattr)) error {
	m.t.Helper()
	var va vnode.Vattr
	va.Null()
	f(&va)
	m.lock(vp)
	err := vnode.VOP_SETATTR(m.l, vp, &va, m.cred)
	vnode.VOP_UNLOCK(m.l, vp)
	return err
}

func (m *machine) truncate(vp *vnode.Vnode, n uint64) error {
	m.t.Helper()
	return m.set(vp, func(va *vnode.Vattr) { va.Size = n })
}

func (m *machine) write(vp *vnode.Vnode, off int64, data string, ioflag int) (int64, error) {
	m.t.Helper()
	var iov [1][]byte
	var u kern.Uio
	u.InitUio(&iov, []byte(data), off, kern.UIO_WRITE)
	m.lock(vp)
	err := vnode.VOP_WRITE(m.l, vp, &u, ioflag, m.cred)
	vnode.VOP_UNLOCK(m.l, vp)
	return int64(len(data)) - u.Resid, err
}

func (m *machine) read(vp *vnode.Vnode, off int64, n int) (string, error) {
	m.t.Helper()
	var iov [1][]byte
	var u kern.Uio
	buf := make([]byte, n)
	u.InitUio(&iov, buf, off, kern.UIO_READ)
	vp.Lock(m.l, vnode.LK_SHARED|vnode.LK_RETRY)
	err := vnode.VOP_READ(m.l, vp, &u, 0, m.cred)
	vnode.VOP_UNLOCK(m.l, vp)
	return string(buf[:int64(n)-u.Resid]), err
}

// getdents reads entries into n bytes from *off on, and moves it.
func (m *machine) getdents(vp *vnode.Vnode, off *int64, n int) (names []string, eof bool, err error) {
	m.t.Helper()
	var iov [1][]byte
	var u kern.Uio
	buf := make([]byte, n)
	u.InitUio(&iov, buf, *off, kern.UIO_READ)
	vp.Lock(m.l, vnode.LK_SHARED|vnode.LK_RETRY)
	eof, err = vnode.VOP_READDIR(m.l, vp, &u, m.cred, nil)
	vnode.VOP_UNLOCK(m.l, vp)
	*off = u.Offset
	for rest := buf[:int64(n)-u.Resid]; len(rest) > 0; {
		var d kern.Dirent
		var derr error
		if d, rest, derr = kern.DecodeDirent(rest); derr != nil {
			m.t.Fatalf("getdents returned garbage: %v", derr)
		}
		if d.Type == kern.DT_WHT {
			d.Name += " (whiteout)"
			if d.Fileno != inoWhiteout {
				m.t.Errorf("whiteout has number %d", d.Fileno)
			}
		}
		names = append(names, d.Name)
	}
	return names, eof, err
}

func (m *machine) ls(vp *vnode.Vnode) string {
	m.t.Helper()
	off := int64(0)
	names, _, err := m.getdents(vp, &off, 1<<16)
	if err != nil {
		m.t.Fatalf("getdents: %v", err)
	}
	return strings.Join(names, " ")
}

// recycle makes the kernel forget the vnodes that nobody uses.
func (m *machine) recycle() {
	m.t.Helper()
	for m.vsys.DrainStep(m.l) == nil {
	}
}

// panics runs f and returns the message of the kernel panic that it ends in.
func panics(t *testing.T, f func()) (msg string) {
	t.Helper()
	defer func() {
		p, ok := recover().(*kern.Panic)
		if !ok {
			t.Fatal("no kernel panic")
		}
		msg = p.Msg
	}()
	f()
	return ""
}

// must returns v, and fails the test if there is an error.
func must[T any](v T, err error) T {
	if err != nil {
		panic("unexpected error: " + err.Error())
	}
	return v
}

// both runs a test on a kernel with all quirks and on one with none.
func both(t *testing.T, f func(t *testing.T, m *machine, fixed bool)) {
	for name, q := range map[string]kern.Quirks{"rev1125": kern.Rev1125, "fixed": kern.Fixed} {
		t.Run(name, func(t *testing.T) {
			m := boot(t, config{quirks: q})
			f(t, m, q == kern.Fixed)
			m.end()
		})
	}
}

// pick returns want with quirks, fixed without.
func pick[T any](isFixed bool, want, fixed T) T {
	if isFixed {
		return fixed
	}
	return want
}

func wantErr(t *testing.T, what string, err, want error) {
	t.Helper()
	if err != want {
		t.Errorf("%s: %v, want %v", what, err, want)
	}
}

func wantNames(t *testing.T, got []string, want ...string) {
	t.Helper()
	if !slices.Equal(got, want) {
		t.Errorf("names are %q, want %q", got, want)
	}
}

package vnode

import (
	"errors"
	"slices"
	"strings"
	"testing"

	"rumpvfs/hypercall"
	"rumpvfs/kern"
)

func newTestLwp(tb testing.TB) *kern.Lwp {
	tb.Helper()
	k := kern.NewKernel(hypercall.NewSystem(hypercall.Config{}), kern.Rev1125)
	l := kern.NewLwp(k, nil, "test")
	tb.Cleanup(l.Exit)
	return l
}

// newTestVnode makes a vnode with three references, one more than any
// operation drops.
func newTestVnode(ops *Ops) *Vnode {
	vp := &Vnode{Size: 0, WriteSize: 0}
	vp.Interlock = new(kern.Mutex)
	vp.Refs.Store(3)
	vp.SetType(VDIR)
	vp.SetVflag(VV_LOCKSWORK)
	vp.op.Store(ops)
	return vp
}

// lockingOps is a vector that locks vnodes as genfs does and supports no more.
func lockingOps() *Ops {
	return &Ops{
		Name: "test",
		Lock: func(l *kern.Lwp, vp *Vnode, flags int) error {
			if flags&LK_SHARED != 0 {
				vp.VLock.REnter(l)
			} else {
				vp.VLock.Enter(l)
			}
			return nil
		},
		Unlock: func(l *kern.Lwp, vp *Vnode) error {
			vp.VLock.Exit(l)
			return nil
		},
		Islocked: func(l *kern.Lwp, vp *Vnode) (int, error) {
			switch {
			case vp.VLock.WriteHeld(l):
				return LK_EXCLUSIVE, nil
			case vp.VLock.ReadHeld():
				return LK_SHARED, nil
			}
			return 0, nil
		},
		Abortop: func(*kern.Lwp, *Vnode, *Componentname) error { return nil },
	}
}

func lockTest(l *kern.Lwp, vps ...*Vnode) {
	for _, vp := range vps {
		vp.VLock.Enter(l)
	}
}

// kernelPanic returns the message of the kernel panic that f ends in, or "".
func kernelPanic(t *testing.T, f func()) (msg string) {
	t.Helper()
	defer func() {
		if r := recover(); r != nil {
			p, ok := r.(*kern.Panic)
			if !ok {
				t.Fatalf("panicked with %v", r)
			}
			msg = p.Msg
		}
	}()
	f()
	return ""
}

func componentname(name string) *Componentname {
	return &Componentname{Nameptr: name, Namelen: len(name)}
}

func TestDescriptors(t *testing.T) {
	for off := range opDescs {
		d := OpDesc(off)
		if d.Offset != off || !strings.HasPrefix(d.Name, "VOP_") {
			t.Errorf("descriptor %d is %+v", off, d)
		}
	}
	if d := OpDesc(VOP_DEFAULT_DESCOFFSET); d.Name != "VOP_DEFAULT" || len(d.Params) != 0 {
		t.Errorf("default is %+v", d)
	}
	d := OpDesc(VOP_REMOVE_DESCOFFSET)
	if !d.Names || !d.Attrs || !d.Params[0].WillPut || !d.Params[1].WillPut || d.Params[0].LockIn != LockExclusive {
		t.Errorf("remove is %+v", d)
	}
}

func TestTypedRoutineIsCalled(t *testing.T) {
	l := newTestLwp(t)
	found := newTestVnode(&Ops{})
	dvp := newTestVnode(&Ops{Lookup: func(_ *kern.Lwp, _ *Vnode, cnp *Componentname) (*Vnode, error) {
		if cnp.Name() == "a" {
			return found, nil
		}
		return nil, kern.ENOENT
	}})
	if vp, err := VOP_LOOKUP(l, dvp, componentname("a")); vp != found || err != nil {
		t.Errorf("lookup of a = %p, %v", vp, err)
	}
	if vp, err := VOP_LOOKUP(l, dvp, componentname("b")); vp != nil || err != error(kern.ENOENT) {
		t.Errorf("lookup of b = %p, %v", vp, err)
	}
}

func TestNilMeansDefault(t *testing.T) {
	l := newTestLwp(t)
	var seen []string
	vp := newTestVnode(&Ops{Default: func(_ *kern.Lwp, a Args) error {
		seen = append(seen, a.Desc().Name)
		if a, ok := a.(*PathconfArgs); ok {
			a.Retval = int64(a.Name) + 1
		}
		return nil
	}})
	if n, err := VOP_PATHCONF(l, vp, 4); n != 5 || err != nil {
		t.Errorf("pathconf = %d, %v", n, err)
	}
	if n, err := VOP_ISLOCKED(l, vp); n != 0 || err != nil {
		t.Errorf("islocked = %d, %v; want a zero result", n, err)
	}
	if want := []string{"VOP_PATHCONF", "VOP_ISLOCKED"}; !slices.Equal(seen, want) {
		t.Errorf("default saw %v, want %v", seen, want)
	}
}

func TestNoDefaultIsEOPNOTSUPP(t *testing.T) {
	l := newTestLwp(t)
	vp := newTestVnode(&Ops{})
	if err := VOP_FSYNC(l, vp, nil, 0, 0, 0); err != error(kern.EOPNOTSUPP) {
		t.Errorf("front end: %v", err)
	}
	if err := vp.Ops().Call(l, &FsyncArgs{Vp: vp}); err != error(kern.EOPNOTSUPP) {
		t.Errorf("Call: %v", err)
	}
}

// A vector whose default hands on to another vector, as rumpfs's devices do.
func TestCallHandsOn(t *testing.T) {
	l := newTestLwp(t)
	spec := &Ops{
		Read:    func(_ *kern.Lwp, _ *Vnode, uio *kern.Uio, _ int, _ *kern.Cred) error { uio.Resid = 0; return nil },
		Default: func(*kern.Lwp, Args) error { return kern.EBADF },
	}
	vp := newTestVnode(&Ops{Default: func(l *kern.Lwp, a Args) error { return spec.Call(l, a) }})
	uio := kern.Uio{Resid: 7}
	if err := VOP_READ(l, vp, &uio, 0, nil); err != nil || uio.Resid != 0 {
		t.Errorf("read: %v, %d left", err, uio.Resid)
	}
	if err := VOP_REVOKE(l, vp, 0); err != error(kern.EBADF) {
		t.Errorf("revoke: %v, want the other vector's default", err)
	}
}

// A default that performs the same operation on a lower vnode must not find
// its own arguments changed.
func TestNestedCallsHaveTheirOwnArguments(t *testing.T) {
	l := newTestLwp(t)
	lower := newTestVnode(&Ops{Default: func(_ *kern.Lwp, a Args) error {
		a.(*BmapArgs).Bnp = 2 * a.(*BmapArgs).Bn
		return nil
	}})
	upper := newTestVnode(&Ops{Default: func(l *kern.Lwp, a Args) error {
		ba := a.(*BmapArgs)
		_, bn, _, err := VOP_BMAP(l, lower, ba.Bn+1)
		ba.Bnp = 100*ba.Bn + bn
		return err
	}})
	for range 2 {
		if _, bn, _, err := VOP_BMAP(l, upper, 3); bn != 308 || err != nil {
			t.Errorf("bmap = %d, %v; want 308", bn, err)
		}
	}
}

func TestAdapter(t *testing.T) {
	l := newTestLwp(t)
	generic := func(_ *kern.Lwp, a Args) error {
		a.(*PollArgs).Revents = a.(*PollArgs).Events &^ 1
		return kern.EINTR
	}
	vp := newTestVnode(&Ops{Poll: AdaptPoll(generic)})
	if n, err := VOP_POLL(l, vp, 7); n != 6 || err != error(kern.EINTR) {
		t.Errorf("poll = %d, %v", n, err)
	}
}

type countingTable struct{ names, attrs int }

func (c *countingTable) NamesChanged() { c.names++ }
func (c *countingTable) AttrsChanged() { c.attrs++ }

func TestMarkedOperationsTellTheNameTable(t *testing.T) {
	l := newTestLwp(t)
	ok := func(*kern.Lwp, Args) error { return nil }
	ops := &Ops{Default: ok, Rmdir: AdaptRmdir(ok)}
	newDir := func() (*Vnode, *countingTable) {
		c := new(countingTable)
		vp := newTestVnode(ops)
		var nt NameTable = c
		vp.Names.Store(&nt)
		return vp, c
	}
	dvp, dirTable := newDir()
	vp, leafTable := newDir()
	for _, tt := range []struct {
		name      string
		call      func() error
		dir, leaf countingTable
	}{
		{"getattr", func() error { return VOP_GETATTR(l, dvp, new(Vattr), nil) }, countingTable{}, countingTable{}},
		{"setattr", func() error { return VOP_SETATTR(l, dvp, new(Vattr), nil) }, countingTable{0, 1}, countingTable{}},
		{"rmdir", func() error { return VOP_RMDIR(l, dvp, vp, nil) }, countingTable{1, 1}, countingTable{1, 1}},
		{"remove", func() error { return VOP_REMOVE(l, dvp, vp, nil) }, countingTable{1, 1}, countingTable{0, 1}},
		{"rename to nothing", func() error { return VOP_RENAME(l, dvp, vp, nil, dvp, nil, nil) }, countingTable{2, 2}, countingTable{1, 1}},
		{"VCALL link", func() error { return VCALL(l, dvp, &LinkArgs{Dvp: dvp, Vp: vp}) }, countingTable{1, 1}, countingTable{0, 1}},
		{"VCALL read", func() error { return VCALL(l, dvp, &ReadArgs{Vp: dvp}) }, countingTable{}, countingTable{}},
	} {
		*dirTable, *leafTable = countingTable{}, countingTable{}
		if err := tt.call(); err != nil {
			t.Errorf("%s: %v", tt.name, err)
		}
		if *dirTable != tt.dir || *leafTable != tt.leaf {
			t.Errorf("%s: directory %v, leaf %v; want %v, %v", tt.name, *dirTable, *leafTable, tt.dir, tt.leaf)
		}
	}
}

// Each argument struct must describe itself: a layer finds every vnode.
func TestArgsAgreeWithDescriptors(t *testing.T) {
	vp := newTestVnode(&Ops{})
	for _, a := range []Args{
		&BwriteArgs{}, &LookupArgs{}, &CreateArgs{}, &MknodArgs{}, &OpenArgs{}, &CloseArgs{}, &AccessArgs{},
		&GetattrArgs{}, &SetattrArgs{}, &ReadArgs{}, &WriteArgs{}, &IoctlArgs{}, &FcntlArgs{}, &PollArgs{},
		&KqfilterArgs{}, &RevokeArgs{}, &MmapArgs{}, &FsyncArgs{}, &SeekArgs{}, &RemoveArgs{}, &LinkArgs{},
		&RenameArgs{}, &MkdirArgs{}, &RmdirArgs{}, &SymlinkArgs{}, &ReaddirArgs{}, &ReadlinkArgs{}, &AbortopArgs{},
		&InactiveArgs{}, &ReclaimArgs{}, &LockArgs{}, &UnlockArgs{}, &BmapArgs{}, &StrategyArgs{}, &PrintArgs{},
		&IslockedArgs{}, &PathconfArgs{}, &AdvlockArgs{}, &WhiteoutArgs{}, &GetpagesArgs{}, &PutpagesArgs{},
		&CloseextattrArgs{}, &GetextattrArgs{}, &ListextattrArgs{}, &OpenextattrArgs{}, &DeleteextattrArgs{},
		&SetextattrArgs{},
	} {
		n := 0
		for i, p := range a.Desc().Params {
			a.Param(i) // must exist
			switch {
			case p.Kind == ParamVnode && p.Dir == DirIn:
				*a.VnodeArg(n) = vp
				n++
			case p.Kind == ParamVnode:
				*a.VnodeResult() = vp
			case p.Kind == ParamComponentname && a.Desc().Offset != VOP_RENAME_DESCOFFSET:
				*a.ComponentnameArg() = componentname("a")
			case p.Kind == ParamCred:
				*a.CredArg() = new(kern.Cred)
			}
			if p.Kind == ParamVnode && a.Param(i) != any(vp) {
				t.Errorf("%s: parameter %s does not hold the vnode", a.Desc().Name, p.Name)
			}
		}
		for what, agrees := range map[string]bool{
			"a vnode result":   hasParam(a, ParamVnode, DirOut) == (a.VnodeResult() != nil),
			"a component name": hasParam(a, ParamComponentname, DirIn, DirRef) == (a.ComponentnameArg() != nil),
			"credentials":      hasParam(a, ParamCred, DirIn) == (a.CredArg() != nil),
		} {
			if !agrees {
				t.Errorf("%s and its descriptor disagree on %s", a.Desc().Name, what)
			}
		}
		if a.VnodeArg(n) != nil {
			t.Errorf("%s has more vnodes than its descriptor", a.Desc().Name)
		}
	}
}

func hasParam(a Args, kind ParamKind, dirs ...Direction) bool {
	return slices.ContainsFunc(a.Desc().Params, func(p ParamDesc) bool {
		return p.Kind == kind && slices.Contains(dirs, p.Dir)
	})
}

type recorder struct{ events []kern.Event }

func (r *recorder) Event(_ *kern.Lwp, e *kern.Event) { r.events = append(r.events, *e) }

func (r *recorder) lines() []string {
	var lines []string
	for _, e := range r.events {
		line := strings.Repeat("  ", e.Depth) + map[kern.EventKind]string{kern.EvVopEnter: "> ", kern.EvVopLeave: "< "}[e.Kind] + e.Name
		if e.Text != "" {
			line += " " + e.Text
		}
		if e.Err != nil {
			line += " " + e.Err.Error()
		}
		lines = append(lines, line)
	}
	return lines
}

func TestTrace(t *testing.T) {
	l := newTestLwp(t)
	rec := &recorder{}
	l.Hooks = &kern.Hooks{Sink: rec, Points: true}
	ops := lockingOps()
	ops.Lookup = func(l *kern.Lwp, dvp *Vnode, cnp *Componentname) (*Vnode, error) {
		_, err := VOP_PATHCONF(l, dvp, 4)
		return nil, err
	}
	dvp := newTestVnode(ops)
	cnp := componentname("a/b")
	cnp.Namelen, cnp.Nameiop, cnp.Flags = 1, DELETE, ISLASTCN|LOCKPARENT
	if _, err := VOP_LOOKUP(l, dvp, cnp); err != error(kern.EOPNOTSUPP) {
		t.Fatal(err)
	}
	if err := VCALL(l, dvp, &ReadArgs{Vp: dvp, Uio: &kern.Uio{Resid: 3, Offset: 9}}); err != error(kern.EOPNOTSUPP) {
		t.Fatal(err)
	}
	none := " " + kern.EOPNOTSUPP.Error()
	want := []string{
		`> VOP_LOOKUP dvp=VDIR cnp="a"/DELETE|ISLASTCN|LOCKPARENT`,
		`  > VOP_PATHCONF vp=VDIR name=4`,
		`  < VOP_PATHCONF retval=0` + none,
		`< VOP_LOOKUP vpp=nil` + none,
		`> VOP_READ vp=VDIR uio=3@9 ioflag=0`,
		`< VOP_READ` + none,
	}
	if got := rec.lines(); !slices.Equal(got, want) {
		t.Errorf("trace\n%s\nwant\n%s", strings.Join(got, "\n"), strings.Join(want, "\n"))
	}
	if l.Depth != 0 {
		t.Errorf("depth is %d after all", l.Depth)
	}
}

func TestArgsText(t *testing.T) {
	alias := func(*Vnode) string { return "v7" }
	vp := newTestVnode(&Ops{})
	a := &SymlinkArgs{Dvp: vp, Vpp: vp, Cnp: componentname("n"), Target: "to\n"}
	a.Cnp.Nameiop = 99
	if got, want := ArgsText(a, false, alias), `dvp=v7 cnp="n" target="to\n"`; got != want {
		t.Errorf("got %s, want %s", got, want)
	}
	if got, want := ArgsText(a, true, alias), `vpp=v7`; got != want {
		t.Errorf("got %s, want %s", got, want)
	}
	g := &GetpagesArgs{Vp: vp, Count: 2}
	if got, want := ArgsText(g, true, alias), `count=2`; got != want {
		t.Errorf("got %s, want %s", got, want)
	}
	if got, want := ArgsText(&GetextattrArgs{Vp: vp, Name: "x"}, false, alias), `vp=v7 attrnamespace=0 name="x"`; got != want {
		t.Errorf("got %s, want %s", got, want)
	}
}

func TestFaultKeepsTheContract(t *testing.T) {
	l := newTestLwp(t)
	aborted := 0
	ops := lockingOps()
	ops.Abortop = func(*kern.Lwp, *Vnode, *Componentname) error { aborted++; return nil }
	ops.Default = func(_ *kern.Lwp, a Args) error {
		t.Errorf("%s was carried out", a.Desc().Name)
		return nil
	}
	l.Hooks = &kern.Hooks{Check: true, Fault: func(_ *kern.Lwp, op string) error {
		if op == "VOP_UNLOCK" || op == "VOP_ABORTOP" {
			t.Errorf("fault asked for %s", op)
		}
		return kern.EIO
	}}
	cnp := componentname("a")
	dvp, vp, other, free := newTestVnode(ops), newTestVnode(ops), newTestVnode(ops), newTestVnode(ops)
	for _, tt := range []struct {
		name    string
		lock    []*Vnode
		call    func() error
		dropped []*Vnode
		aborts  int
	}{
		{"lookup", []*Vnode{dvp}, func() error { _, err := VOP_LOOKUP(l, dvp, cnp); return err }, nil, 0},
		{"create", []*Vnode{dvp}, func() error { _, err := VOP_CREATE(l, dvp, cnp, nil); return err }, nil, 1},
		{"remove", []*Vnode{dvp, vp}, func() error { return VOP_REMOVE(l, dvp, vp, cnp) }, []*Vnode{dvp, vp}, 1},
		{"remove of .", []*Vnode{dvp}, func() error { return VOP_REMOVE(l, dvp, dvp, cnp) }, []*Vnode{dvp, dvp}, 1},
		{"rename", []*Vnode{other}, func() error { return VOP_RENAME(l, dvp, vp, cnp, other, nil, cnp) }, []*Vnode{dvp, vp, other}, 0},
		{"rename onto", []*Vnode{dvp, free}, func() error { return VOP_RENAME(l, dvp, vp, cnp, dvp, free, cnp) }, []*Vnode{dvp, vp, dvp, free}, 0},
	} {
		t.Run(tt.name, func(t *testing.T) {
			refs := map[*Vnode]int{}
			for _, v := range []*Vnode{dvp, vp, other, free} {
				v.Refs.Store(3)
				refs[v] = 3
			}
			for _, v := range tt.dropped {
				refs[v]--
			}
			aborted = 0
			lockTest(l, tt.lock...)
			if err := tt.call(); err != error(kern.EIO) {
				t.Errorf("error %v, want EIO", err)
			}
			for v, n := range refs {
				if v.Usecount() != n {
					t.Errorf("a vnode has %d references, want %d", v.Usecount(), n)
				}
			}
			if aborted != tt.aborts {
				t.Errorf("VOP_ABORTOP %d times, want %d", aborted, tt.aborts)
			}
			if len(tt.dropped) == 0 {
				for _, v := range tt.lock {
					v.VLock.Exit(l)
				}
			}
		})
	}
}

func TestFaultDropsInterlock(t *testing.T) {
	l := newTestLwp(t)
	vp := newTestVnode(lockingOps())
	l.Hooks = &kern.Hooks{Check: true, Fault: func(*kern.Lwp, string) error { return kern.EIO }}
	vp.Interlock.Enter(l)
	if err := VOP_PUTPAGES(l, vp, 0, 0, 0); err != error(kern.EIO) {
		t.Error(err)
	}
	if vp.Interlock.Owned(l) {
		t.Error("the interlock is held")
	}
}

func TestAbandonUnlocks(t *testing.T) {
	l := newTestLwp(t)
	vp := newTestVnode(lockingOps())
	lockTest(l, vp)
	Abandon(l, &InactiveArgs{Vp: vp})
	if vp.VLock.Held() || vp.Usecount() != 3 {
		t.Errorf("locked %v, %d references", vp.VLock.Held(), vp.Usecount())
	}
}

// Breaches of the contract stop the kernel and say who broke what.
func TestContractBreaches(t *testing.T) {
	cnp := componentname("a")
	cred := new(kern.Cred)
	var made *Vnode
	for _, tt := range []struct {
		name string
		set  func(l *kern.Lwp, ops *Ops)
		call func(l *kern.Lwp, dvp, vp *Vnode)
		want string
	}{
		{"not locked", nil, func(l *kern.Lwp, dvp, _ *Vnode) { VOP_LOOKUP(l, dvp, cnp) },
			"VOP_LOOKUP: dvp (VDIR) is not locked exclusively on entry"},
		{"locked shared", nil, func(l *kern.Lwp, dvp, _ *Vnode) {
			dvp.VLock.REnter(l)
			VOP_ACCESS(l, dvp, VEXEC, cred)
		}, "VOP_ACCESS: vp (VDIR) is not locked exclusively on entry"},
		{"shared is enough", nil, func(l *kern.Lwp, dvp, _ *Vnode) {
			dvp.VLock.REnter(l)
			VOP_READ(l, dvp, nil, 0, cred)
		}, ""},
		{"shared is needed", nil, func(l *kern.Lwp, dvp, _ *Vnode) { VOP_READ(l, dvp, nil, 0, cred) },
			"VOP_READ: vp (VDIR) is not locked on entry"},
		{"locked", nil, func(l *kern.Lwp, dvp, _ *Vnode) { lockTest(l, dvp); VOP_POLL(l, dvp, 1) },
			"VOP_POLL: vp (VDIR) is locked on entry"},
		{"no vnode", nil, func(l *kern.Lwp, dvp, _ *Vnode) { lockTest(l, dvp); VOP_REMOVE(l, dvp, nil, cnp) },
			"VOP_REMOVE: vp is nil"},
		{"no reference", nil, func(l *kern.Lwp, dvp, vp *Vnode) {
			lockTest(l, dvp, vp)
			vp.Refs.Store(0)
			VOP_REMOVE(l, dvp, vp, cnp)
		}, "VOP_REMOVE: vp (VDIR) is to be released and has no reference"},
		{"no interlock", nil, func(l *kern.Lwp, dvp, _ *Vnode) { VOP_GETPAGES(l, dvp, 0, nil, 0, 0, 0, 0, 0) },
			"VOP_GETPAGES: vp (VDIR) comes without its interlock"},
		{"interlock kept", nil, func(l *kern.Lwp, dvp, _ *Vnode) {
			dvp.Interlock.Enter(l)
			VOP_PUTPAGES(l, dvp, 0, 0, 0)
		}, "VOP_PUTPAGES: vp (VDIR) still has its interlock held"},
		{"lock lost", func(l *kern.Lwp, ops *Ops) {
			ops.Access = func(l *kern.Lwp, vp *Vnode, _ int, _ *kern.Cred) error { vp.VLock.Exit(l); return nil }
		}, func(l *kern.Lwp, dvp, _ *Vnode) { lockTest(l, dvp); VOP_ACCESS(l, dvp, VEXEC, cred) },
			"VOP_ACCESS: vp (VDIR) is not locked exclusively on return"},
		{"lock gained", func(l *kern.Lwp, ops *Ops) {
			ops.Mmap = func(l *kern.Lwp, vp *Vnode, _ int, _ *kern.Cred) error { vp.VLock.Enter(l); return nil }
		}, func(l *kern.Lwp, dvp, _ *Vnode) { VOP_MMAP(l, dvp, 0, cred) },
			"VOP_MMAP: vp (VDIR) is locked on return"},
		{"lock kept as it was", func(l *kern.Lwp, ops *Ops) {
			ops.Mmap = func(*kern.Lwp, *Vnode, int, *kern.Cred) error { return nil }
		}, func(l *kern.Lwp, dvp, _ *Vnode) { lockTest(l, dvp); VOP_MMAP(l, dvp, 0, cred) }, ""},
		{"not put", func(l *kern.Lwp, ops *Ops) {
			ops.Rmdir = func(*kern.Lwp, *Vnode, *Vnode, *Componentname) error { return nil }
		}, func(l *kern.Lwp, dvp, vp *Vnode) { lockTest(l, dvp, vp); VOP_RMDIR(l, dvp, vp, cnp) },
			"VOP_RMDIR: dvp (VDIR) is locked on return"},
		{"lock that locks nothing", func(l *kern.Lwp, ops *Ops) {
			ops.Lock = func(*kern.Lwp, *Vnode, int) error { return nil }
		}, func(l *kern.Lwp, dvp, _ *Vnode) { VOP_LOCK(l, dvp, LK_EXCLUSIVE) },
			"VOP_LOCK: vp (VDIR) is not locked on return"},
		{"lock and unlock", nil, func(l *kern.Lwp, dvp, _ *Vnode) {
			VOP_LOCK(l, dvp, LK_SHARED)
			VOP_UNLOCK(l, dvp)
			VOP_LOCK(l, dvp, LK_EXCLUSIVE)
			VOP_UNLOCK(l, dvp)
		}, ""},
		{"nobody knows", func(l *kern.Lwp, ops *Ops) { ops.Islocked = nil }, func(l *kern.Lwp, dvp, _ *Vnode) {
			lockTest(l, dvp)
			VOP_ACCESS(l, dvp, VEXEC, cred)
		}, "VOP_ACCESS: vp (VDIR) is not locked exclusively on entry"},
		{"no discipline", nil, func(l *kern.Lwp, dvp, _ *Vnode) {
			dvp.ClearVflag(VV_LOCKSWORK)
			VOP_ACCESS(l, dvp, VEXEC, cred)
		}, ""},
		{"nothing made", func(l *kern.Lwp, ops *Ops) {
			ops.Lookup = func(*kern.Lwp, *Vnode, *Componentname) (*Vnode, error) { return nil, nil }
		}, lookupTest, "VOP_LOOKUP: vpp is nil on success"},
		{"made with an error", func(l *kern.Lwp, ops *Ops) {
			ops.Lookup = func(_ *kern.Lwp, dvp *Vnode, _ *Componentname) (*Vnode, error) { return dvp, kern.ENOENT }
		}, lookupTest, "VOP_LOOKUP: vpp (VDIR) comes back along with an error"},
		{"made without reference", func(l *kern.Lwp, ops *Ops) {
			made = newTestVnode(ops)
			made.Refs.Store(0)
			ops.Lookup = lookupMade(&made)
		}, lookupTest, "VOP_LOOKUP: vpp (VDIR) comes back without a reference"},
		{"made locked", func(l *kern.Lwp, ops *Ops) {
			made = newTestVnode(ops)
			made.Refs.Store(1)
			lockTest(l, made)
			ops.Lookup = lookupMade(&made)
		}, lookupTest, "VOP_LOOKUP: vpp (VDIR) comes back locked"},
		{"made without size", func(l *kern.Lwp, ops *Ops) {
			made = newTestVnode(ops)
			made.WriteSize = VSIZENOTSET
			ops.Lookup = lookupMade(&made)
		}, lookupTest, "VOP_LOOKUP: vpp (VDIR) comes back without a size"},
		{"found itself", func(l *kern.Lwp, ops *Ops) {
			ops.Lookup = func(_ *kern.Lwp, dvp *Vnode, _ *Componentname) (*Vnode, error) { return dvp, nil }
		}, lookupTest, ""},
		{"borrowed", func(l *kern.Lwp, ops *Ops) {
			ops.Bmap = func(*kern.Lwp, *Vnode, int64) (*Vnode, int64, int, error) { return nil, 0, 0, nil }
		}, func(l *kern.Lwp, dvp, _ *Vnode) { VOP_BMAP(l, dvp, 0) }, ""},
	} {
		t.Run(tt.name, func(t *testing.T) {
			l := newTestLwp(t)
			l.Hooks = &kern.Hooks{Check: true}
			ops := lockingOps()
			dvp, vp := newTestVnode(ops), newTestVnode(ops)
			if tt.set != nil {
				tt.set(l, ops)
			}
			if got := kernelPanic(t, func() { tt.call(l, dvp, vp) }); got != tt.want {
				t.Errorf("panic %q, want %q", got, tt.want)
			}
		})
	}
}

func lookupTest(l *kern.Lwp, dvp, _ *Vnode) {
	lockTest(l, dvp)
	VOP_LOOKUP(l, dvp, componentname("a"))
}

func lookupMade(made **Vnode) func(*kern.Lwp, *Vnode, *Componentname) (*Vnode, error) {
	return func(*kern.Lwp, *Vnode, *Componentname) (*Vnode, error) { return *made, nil }
}

func TestBreachKeepsTheVnodeState(t *testing.T) {
	l := newTestLwp(t)
	l.Hooks = &kern.Hooks{Check: true}
	vp := newTestVnode(lockingOps())
	defer func() {
		if p, ok := recover().(*kern.Panic); !ok || p.State != vp.KernelState() {
			t.Errorf("panic %+v lacks the vnode's state", p)
		}
	}()
	VOP_FSYNC(l, vp, nil, 0, 0, 0)
}

func TestErrorsAreErrnos(t *testing.T) {
	l := newTestLwp(t)
	err := VOP_SEEK(l, newTestVnode(&Ops{}), 0, 0, nil)
	var errno kern.Errno
	if !errors.As(err, &errno) {
		t.Errorf("%v is no Errno", err)
	}
}

var (
	benchVnode *Vnode
	errBench   error
)

func BenchmarkVOP(b *testing.B) {
	l := newTestLwp(b)
	cnp := componentname("a")
	direct := newTestVnode(&Ops{
		Lookup: func(_ *kern.Lwp, dvp *Vnode, _ *Componentname) (*Vnode, error) { return dvp, nil },
		Remove: func(*kern.Lwp, *Vnode, *Vnode, *Componentname) error { return nil },
	})
	forwarded := newTestVnode(&Ops{Default: func(_ *kern.Lwp, a Args) error { return nil }})
	unsupported := newTestVnode(&Ops{})
	handedOn := newTestVnode(&Ops{Default: func(l *kern.Lwp, a Args) error { return direct.Ops().Call(l, a) }})
	adapted := newTestVnode(&Ops{Lookup: AdaptLookup(func(*kern.Lwp, Args) error { return nil })})
	for _, bm := range []struct {
		name string
		vp   *Vnode
	}{
		{"Direct", direct}, {"Forwarded", forwarded}, {"HandedOn", handedOn}, {"Adapted", adapted}, {"Unsupported", unsupported},
	} {
		b.Run("Lookup"+bm.name, func(b *testing.B) {
			b.ReportAllocs()
			for b.Loop() {
				benchVnode, errBench = VOP_LOOKUP(l, bm.vp, cnp)
			}
		})
	}
	b.Run("RemoveMarked", func(b *testing.B) {
		b.ReportAllocs()
		for b.Loop() {
			errBench = VOP_REMOVE(l, direct, direct, cnp)
		}
	})
}

func TestNoAllocations(t *testing.T) {
	l := newTestLwp(t)
	cnp := componentname("a")
	ok := func(*kern.Lwp, Args) error { return nil }
	vp := newTestVnode(&Ops{
		Default: ok,
		Lookup:  func(_ *kern.Lwp, dvp *Vnode, _ *Componentname) (*Vnode, error) { return dvp, nil },
		Poll:    AdaptPoll(ok),
	})
	points := &kern.Hooks{Points: true}
	for _, tt := range []struct {
		name  string
		hooks *kern.Hooks
		call  func()
	}{
		{"direct", nil, func() { VOP_LOOKUP(l, vp, cnp) }},
		{"forwarded", nil, func() { VOP_SYMLINK(l, vp, cnp, nil, "to") }},
		{"adapted", nil, func() { VOP_POLL(l, vp, 1) }},
		{"direct with scheduling points", points, func() { VOP_LOOKUP(l, vp, cnp) }},
		{"forwarded with scheduling points", points, func() { VOP_SYMLINK(l, vp, cnp, nil, "to") }},
	} {
		l.Hooks = tt.hooks
		if n := testing.AllocsPerRun(100, tt.call); n != 0 {
			t.Errorf("%s: %v allocations a call", tt.name, n)
		}
	}
}

package kern_test

import (
	"errors"
	"fmt"
	"slices"
	"testing"
	"time"

	"rumpvfs/hypercall"
	"rumpvfs/kern"
)

func newKernel(c hypercall.Config) *kern.Kernel {
	return kern.NewKernel(hypercall.NewSystem(c), kern.Rev1125)
}

func newLwp(t testing.TB, c hypercall.Config) *kern.Lwp {
	k := newKernel(c)
	l := kern.NewLwp(k, kern.NewProc(k, kern.RootCred()), "test")
	t.Cleanup(l.Exit)
	return l
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

type object string

func (o object) KernelState() string { return "object " + string(o) }

// ExampleKernel_Die shows how a kernel panics: the call unwinds to where it
// came in, and from then on the kernel answers with its panic.
func ExampleKernel_Die() {
	k := kern.NewKernel(hypercall.NewSystem(hypercall.Config{}), kern.Rev1125)
	func() {
		defer func() {
			if p, ok := recover().(*kern.Panic); ok {
				_ = k.Die(p)
			}
		}()
		kern.KASSERT(1+1 == 3, "the sum is right")
	}()
	fmt.Println(k.Dead())
	// Output: panic: kernel diagnostic assertion "the sum is right" failed
}

func TestPanics(t *testing.T) {
	kern.KASSERT(true, "fine")
	kern.KASSERTOf(true, "fine", object("a"))
	for _, c := range []struct {
		f          func()
		msg, state string
		undefined  bool
	}{
		{func() { kern.KASSERT(false, "x == y") }, `kernel diagnostic assertion "x == y" failed`, "", false},
		{func() { kern.KASSERTOf(false, "x == y", object("a")) }, `kernel diagnostic assertion "x == y" failed`, "object a", false},
		{func() { kern.Panicf("lost %d of %v", 3, object("b")) }, "lost 3 of b", "object b", false},
		{func() { kern.Panicf("plain") }, "plain", "", false},
		{func() { kern.Undefined("some-quirk") }, "undefined: some-quirk", "", true},
	} {
		p := panicOf(c.f)
		if p == nil || p.Msg != c.msg || p.State != c.state {
			t.Errorf("panic %+v, want %q %q", p, c.msg, c.state)
			continue
		}
		want := "panic: " + c.msg
		if c.state != "" {
			want += "\n" + c.state
		}
		if p.Error() != want {
			t.Errorf("error %q, want %q", p.Error(), want)
		}
		if got := p.IsUndefined(); got != c.undefined {
			t.Errorf("%q is undefined: %v", p.Msg, got)
		}
	}
}

// TestDieOnce: the first reason counts, and who sleeps is woken to unwind.
func TestDieOnce(t *testing.T) {
	k := newKernel(hypercall.Config{Mode: hypercall.Deterministic})
	if k.Dead() != nil {
		t.Error("dead at birth")
	}
	p := kern.NewProc(k, kern.RootCred())
	kern.StartLwp(k, p, "sleeper", func(l *kern.Lwp) { l.Sleep(time.Hour) })
	k.Sys.Run()
	first, second := errors.New("first"), errors.New("second")
	if got := k.Die(first); got != first {
		t.Errorf("reason %v", got)
	}
	if got := k.Die(second); got != first || k.Dead() != first {
		t.Errorf("reason %v", got)
	}
	_ = k.Sys.Shutdown()
	if n := p.Nlwps(); n != 0 {
		t.Errorf("%d lwps are left", n)
	}
}

func TestBoottime(t *testing.T) {
	epoch := time.Date(2014, 7, 15, 1, 2, 3, 4, time.UTC)
	k := newKernel(hypercall.Config{Mode: hypercall.Deterministic, Epoch: epoch})
	if want := (kern.Timespec{Sec: epoch.Unix(), Nsec: 4}); k.Boottime != want {
		t.Errorf("booted at %+v, want %+v", k.Boottime, want)
	}
}

func TestProcs(t *testing.T) {
	k := newKernel(hypercall.Config{Mode: hypercall.Deterministic})
	root, user := kern.RootCred(), &kern.Cred{EUID: 7}
	p, q := kern.NewProc(k, root), kern.NewProc(k, user)
	if p.Pid != 1 || q.Pid != 2 || p.K != k {
		t.Errorf("pids %d and %d", p.Pid, q.Pid)
	}
	l := kern.NewLwp(k, q, "l")
	if l.Cred != user || q.Cred() != user || q.Nlwps() != 1 {
		t.Errorf("credentials %+v, %d lwps", l.Cred, q.Nlwps())
	}
	q.SetCred(root)
	if l.Cred != user || q.Cred() != root {
		t.Error("a call in progress has changed its credentials")
	}
	var inside *kern.Lwp
	started := kern.StartLwp(k, q, "started", func(l *kern.Lwp) { inside = l })
	if q.Nlwps() != 2 {
		t.Errorf("%d lwps, one of which is to run", q.Nlwps())
	}
	k.Sys.Run()
	if inside != started || inside.Cred != root || q.Nlwps() != 1 {
		t.Errorf("started %p, inside %p, %d lwps", started, inside, q.Nlwps())
	}
	l.Exit()
	orphan := kern.NewLwp(k, nil, "orphan")
	if orphan.Proc != nil || orphan.Cred != nil || q.Nlwps() != 0 {
		t.Errorf("an lwp without a process: %+v", orphan)
	}
	orphan.Exit()
}

// sink notes events.
type sink []kern.Event

func (s *sink) Event(_ *kern.Lwp, e *kern.Event) { *s = append(*s, *e) }

func TestHooks(t *testing.T) {
	k := newKernel(hypercall.Config{})
	l := kern.NewLwp(k, nil, "unwatched")
	defer l.Exit()
	l.Emit(kern.EvNamei, "lost", "", nil)
	if l.Watched() {
		t.Error("watched without hooks")
	}
	k.Hooks = &kern.Hooks{Check: true}
	w := kern.NewLwp(k, nil, "watched")
	defer w.Exit()
	if w.Hooks != k.Hooks || w.Watched() {
		t.Error("watched without a sink")
	}
	var s sink
	k.Hooks.Sink = &s
	w.Depth = 3
	w.Emit(kern.EvNamei, "component", "usr", kern.ENOENT)
	want := kern.Event{Kind: kern.EvNamei, Name: "component", Text: "usr", Depth: 3, Err: kern.ENOENT}
	if !w.Watched() || len(s) != 1 || s[0] != want {
		t.Errorf("events %+v, want %+v", s, want)
	}
}

func TestCred(t *testing.T) {
	c := &kern.Cred{UID: 1, EUID: 2, GID: 3, EGID: 4, Groups: []uint32{5, 6}}
	for gid, want := range []bool{3: false, 4: true, 5: true, 6: true, 7: false} {
		if c.IsMember(uint32(gid)) != want {
			t.Errorf("member of %d: %v", gid, !want)
		}
	}
	d := c.Dup()
	d.EUID, d.Groups[0] = 0, 9
	if c.EUID != 2 || !slices.Equal(c.Groups, []uint32{5, 6}) || !d.IsRoot() || c.IsRoot() {
		t.Errorf("%+v is a copy of %+v", d, c)
	}
	if !kern.RootCred().IsRoot() || kern.RootCred().IsMember(1) || !kern.RootCred().IsMember(0) {
		t.Error("root")
	}
	if kern.AuthorizeSystem(c) != kern.EPERM || kern.AuthorizeSystem(d) != nil {
		t.Error("AuthorizeSystem")
	}
}

// TestAuthorizeVnode: root may do everything but execute what nobody may.
func TestAuthorizeVnode(t *testing.T) {
	root, user := kern.RootCred(), &kern.Cred{EUID: 7}
	for _, c := range []struct {
		cred     *kern.Cred
		action   kern.Action
		fs, want error
	}{
		{user, kern.KAUTH_VNODE_READ_DATA, nil, nil},
		{user, kern.KAUTH_VNODE_READ_DATA, kern.EACCES, kern.EACCES},
		{root, kern.KAUTH_VNODE_READ_DATA | kern.KAUTH_VNODE_WRITE_DATA, kern.EACCES, nil},
		{root, kern.KAUTH_VNODE_DELETE, kern.EPERM, nil},
		{root, kern.KAUTH_VNODE_EXECUTE, kern.EACCES, kern.EACCES},
		{root, kern.KAUTH_VNODE_EXECUTE | kern.KAUTH_VNODE_READ_DATA, kern.EACCES, kern.EACCES},
		{root, kern.KAUTH_VNODE_EXECUTE, nil, nil},
		{root, kern.KAUTH_VNODE_EXECUTE | kern.KAUTH_VNODE_IS_EXEC, kern.EACCES, nil},
		{user, kern.KAUTH_VNODE_EXECUTE | kern.KAUTH_VNODE_IS_EXEC, kern.EACCES, kern.EACCES},
	} {
		if got := kern.AuthorizeVnode(c.cred, c.action, c.fs); got != c.want {
			t.Errorf("uid %d, action %#x, the file system says %v: %v, want %v", c.cred.EUID, c.action, c.fs, got, c.want)
		}
	}
}

var testLockClass = hypercall.LockClass{Name: "test"}

func TestLocks(t *testing.T) {
	l := newLwp(t, hypercall.Config{})
	other := kern.NewLwp(l.K, nil, "other")
	defer other.Exit()
	var m kern.Mutex
	m.Init(l.K.Sys, &testLockClass)
	m.Enter(l)
	if !m.Owned(l) || m.Owned(other) || m.TryEnter(other) {
		t.Error("who owns the mutex")
	}
	m.Exit(l)
	if !m.TryEnter(other) || m.Owned(l) {
		t.Error("it is not free")
	}
	m.Exit(other)
	m.Destroy(l)

	var rw kern.RWLock
	rw.Init(l.K.Sys, &testLockClass)
	rw.REnter(l)
	if !rw.TryREnter(other) || rw.TryEnter(other) || rw.WriteHeld(l) || !rw.ReadHeld() || !rw.Held() {
		t.Error("shared")
	}
	rw.Exit(l)
	rw.Exit(other)
	rw.Enter(l)
	if rw.TryREnter(other) || !rw.WriteHeld(l) || rw.ReadHeld() || !rw.Held() {
		t.Error("exclusive")
	}
	rw.Exit(l)
	if !rw.TryEnter(other) {
		t.Error("it is not free")
	}
	rw.Exit(other)
	if rw.Held() {
		t.Error("held by nobody")
	}
	rw.Destroy(l)
}

func TestCondition(t *testing.T) {
	l := newLwp(t, hypercall.Config{Mode: hypercall.Deterministic, Pick: func(int) int { return 0 }})
	var m kern.Mutex
	var cv kern.CV
	m.Init(l.K.Sys, &testLockClass)
	cv.Init(l.K.Sys, "test")
	var woken []int
	for i := range 3 {
		kern.StartLwp(l.K, l.Proc, fmt.Sprint(i), func(l *kern.Lwp) {
			m.Enter(l)
			cv.Wait(l, &m)
			woken = append(woken, i)
			m.Exit(l)
		})
		l.K.Sys.Run()
	}
	if !cv.HasWaiters() {
		t.Error("nobody waits")
	}
	cv.Signal(l)
	l.K.Sys.Run()
	if !slices.Equal(woken, []int{0}) {
		t.Errorf("woken %v", woken)
	}
	cv.Broadcast(l)
	l.K.Sys.Run()
	if !slices.Equal(woken, []int{0, 1, 2}) || cv.HasWaiters() {
		t.Errorf("woken %v", woken)
	}
	m.Enter(l)
	if !cv.TimedWait(l, &m, time.Second) || l.K.Sys.Uptime() != time.Second {
		t.Errorf("no time out after %v", l.K.Sys.Uptime())
	}
	m.Exit(l)
}

// ExampleUio_Move moves bytes from the kernel into memory that comes in
// pieces.
func ExampleUio_Move() {
	a, b := make([]byte, 3), make([]byte, 5)
	uio := kern.Uio{Iov: [][]byte{a, nil, b}, Resid: 8, Offset: 100, RW: kern.UIO_READ}
	fmt.Println(uio.Move([]byte("kernel")), uio.Resid, uio.Offset)
	fmt.Printf("%q %q\n", a, b)
	// Output:
	// <nil> 2 106
	// "ker" "nel\x00\x00"
}

func TestUio(t *testing.T) {
	var u kern.Uio
	var iov [1][]byte
	user := []byte("from user memory")
	u.InitUio(&iov, user, 10, kern.UIO_WRITE)
	buf := make([]byte, 9)
	if err := u.Move(buf); err != nil || string(buf) != "from user" || u.Resid != 7 || u.Offset != 19 {
		t.Errorf("%v %q %+v", err, buf, u)
	}
	if err := u.Move(buf); err != nil || string(buf[:7]) != " memory" || u.Resid != 0 || u.Offset != 26 {
		t.Errorf("%v %q %+v", err, buf, u)
	}
	if err := u.Move(buf); err != nil {
		t.Errorf("nothing left: %v", err)
	}
	u = kern.Uio{Iov: [][]byte{user}, Resid: 3, RW: kern.UIO_WRITE}
	if err := u.Move(buf); err != nil || u.Resid != 0 || u.Offset != 3 || len(u.Iov[0]) != len(user)-3 {
		t.Errorf("more memory than is to be moved: %v %+v", err, u)
	}
	u = kern.Uio{Iov: [][]byte{user[:4]}, Resid: 10, RW: kern.UIO_READ}
	if err := u.Move([]byte("0123456789")); err != kern.EFAULT || u.Resid != 6 || u.Offset != 4 || string(user[:5]) != "0123 " {
		t.Errorf("memory that ends: %v %+v", err, u)
	}
	if n := testing.AllocsPerRun(10, func() {
		u.InitUio(&iov, user, 0, kern.UIO_READ)
		_ = u.Move(buf)
	}); n != 0 {
		t.Errorf("%v allocations", n)
	}
}

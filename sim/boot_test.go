package sim_test

import (
	"errors"
	"strings"
	"sync"
	"testing"
	"time"

	"rumpvfs/hypercall"
	"rumpvfs/kern"
	"rumpvfs/rumpfs"
	"rumpvfs/sim"
	"rumpvfs/vnode"
)

// TestBoot shows what a fresh kernel has.
func TestBoot(t *testing.T) {
	p := boot(t, sim.Config{}).Init()
	for path, mode := range map[string]uint32{
		"/": kern.S_IFDIR | 0o755, "/dev": kern.S_IFDIR | 0o755, "/tmp": kern.S_IFDIR | 0o1777,
		"/dev/null": kern.S_IFCHR | 0o644, "/dev/zero": kern.S_IFCHR | 0o644,
	} {
		wants(t, path, value[kern.Stat](t)(p.Stat(path)).Mode, mode)
	}
	wants(t, "cwd", value[string](t)(p.Getcwd()), "/")
	wants(t, "descriptors", value[int](t)(p.Fcntl(0, kern.F_MAXFD, 0)), 2)
	wants(t, "root", p.Cred().EUID, 0)
}

func TestBootParams(t *testing.T) {
	for _, c := range []struct {
		params map[string]string
		bad    string
	}{
		{map[string]string{"RUMP_NVNODES": "10"}, ""},
		{map[string]string{"RUMP_NVNODES": "0"}, "RUMP_NVNODES"},
		{map[string]string{"RUMP_NVNODES": "many"}, "RUMP_NVNODES"},
		{map[string]string{"RUMP_MEMLIMIT": "64m"}, ""},
		{map[string]string{"RUMP_MEMLIMIT": "lots"}, "RUMP_MEMLIMIT"},
		{map[string]string{"SOMETHING_ELSE": "x"}, ""},
	} {
		k, err := sim.Boot(sim.Config{Params: c.params})
		if c.bad == "" {
			ok(t, err)
			ok(t, k.Shutdown())
		} else if err == nil || !strings.Contains(err.Error(), c.bad) {
			t.Errorf("%v: %v", c.params, err)
		}
	}
}

// TestWrap: operations in other hands than the file system's.
func TestWrap(t *testing.T) {
	p := boot(t, sim.Config{Wrap: func(ops *vnode.Ops) *vnode.Ops {
		if ops.Name != rumpfs.MOUNT_RUMPFS {
			return ops
		}
		now := *ops
		now.Getattr = func(l *kern.Lwp, vp *vnode.Vnode, vap *vnode.Vattr, cred *kern.Cred) error {
			err := ops.Getattr(l, vp, vap, cred)
			vap.UID = 7
			return err
		}
		return &now
	}}).Init()
	wants(t, "owner", value[kern.Stat](t)(p.Stat("/")).UID, 7)
	wants(t, "owner of a device", value[kern.Stat](t)(p.Stat("/dev/null")).UID, 0)
}

// strange is a file system of which there is only the name.
type strange struct{ vnode.BaseVFS }

func (strange) Name() string { return "strange" }

func TestFileSystems(t *testing.T) {
	add := func(*kern.Kernel, *vnode.System) vnode.VFSOps { return strange{} }
	p := boot(t, sim.Config{FileSystems: []func(*kern.Kernel, *vnode.System) vnode.VFSOps{add}}).Init()
	check(t, "mount", p.Mount("strange", "/tmp", 0, nil), kern.EOPNOTSUPP)
	check(t, "mount of what is not there", p.Mount("stranger", "/tmp", 0, nil), kern.ENODEV)
	_, err := sim.Boot(sim.Config{FileSystems: []func(*kern.Kernel, *vnode.System) vnode.VFSOps{add, add}})
	check(t, "two of a name", err, kern.EEXIST)
}

func TestEpoch(t *testing.T) {
	epoch := time.Date(1999, 12, 31, 23, 59, 59, 0, time.UTC)
	p := boot(t, sim.Config{Mode: hypercall.Deterministic, Epoch: epoch}).Init()
	ok(t, p.Close(create(t, p, "/f", "")))
	wants(t, "birth", value[kern.Stat](t)(p.Stat("/f")).Birthtim.Sec, epoch.Unix())
}

// TestPanic: a kernel panic is a value, of this call and of every later one;
// other kernels do not notice.
func TestPanic(t *testing.T) {
	for _, mode := range []hypercall.Mode{hypercall.Native, hypercall.Deterministic} {
		k, other := boot(t, sim.Config{Mode: mode}), boot(t, sim.Config{Mode: mode})
		p := k.Init()
		child := value[*sim.Proc](t)(p.Rfork(sim.RUMP_RFCFDG))
		_, err := p.Write(mkfifo(t, p), []byte("x"))
		var panicked *kern.Panic
		if !errors.As(err, &panicked) {
			t.Fatalf("%v: write to a fifo: %v, want a panic", mode, err)
		}
		if !strings.Contains(panicked.Msg, "v_type == VREG") || !strings.Contains(panicked.State, "VFIFO") || panicked.Stack != nil {
			t.Errorf("panic %q, state %q, stack %s", panicked.Msg, panicked.State, panicked.Stack)
		}
		_, later := p.Stat("/")
		wants(t, "stat", later, err)
		wants(t, "another process", child.Exit(), err)
		wants(t, "Err", k.Err(), err)
		for _, call := range everyCall(p) {
			wants(t, "every call", call(), err)
		}
		_, err = other.Init().Stat("/")
		check(t, "another kernel", err, nil)
		check(t, "shutdown", k.Shutdown(), nil)
		wants(t, "after that", p.Mkdir("/x", 0), later)
	}
}

// TestFifoFixed: without the quirk there is no fifofs.
func TestFifoFixed(t *testing.T) {
	p := boot(t, sim.Config{Without: kern.Rev1125}).Init()
	ok(t, p.Mkfifo("/fifo", 0o666))
	_, err := p.Open("/fifo", kern.O_RDWR, 0)
	check(t, "open", err, kern.EOPNOTSUPP)
}

// everyCall are all system calls, without their results.
func everyCall(p *sim.Proc) []func() error {
	var calls []func() error
	m := &monkey{p: p, dice: seeded(1), waits: true, fifos: true, absurd: true}
	for _, d := range deeds {
		calls = append(calls, func() error { _, err := d.do(m); return err })
	}
	return calls
}

// TestShutdownWhileBusy shuts a kernel down that goroutines are at work in:
// they come to an end, and the error says that they were there, unless none was
// in a call just then.
func TestShutdownWhileBusy(t *testing.T) {
	for round := range 10 {
		k, err := sim.Boot(sim.Config{Without: kern.Rev1125})
		ok(t, err)
		var busy, done sync.WaitGroup
		for i := range 4 {
			p := k.Init()
			if i%2 != 0 {
				p = value[*sim.Proc](t)(p.Rfork(sim.RUMP_RFFDG))
			}
			m := &monkey{p: p, dice: seeded(uint64(round*10 + i))}
			busy.Add(1)
			done.Go(func() {
				m.run(20)
				busy.Done()
				for err := error(nil); err != kern.ESRCH; _, err = p.Getcwd() {
					m.run(5)
				}
			})
		}
		busy.Wait()
		if err := k.Shutdown(); err != nil && !strings.Contains(err.Error(), ": calls in progress") {
			t.Error(err)
		}
		done.Wait()
		check(t, "why it stopped", k.Err(), nil)
	}
}

// TestShutdown: afterwards there is nobody.
func TestShutdown(t *testing.T) {
	k, err := sim.Boot(sim.Config{})
	ok(t, err)
	p := k.Init()
	child := value[*sim.Proc](t)(p.Rfork(sim.RUMP_RFSHFD))
	create(t, p, "/f", "open until the end")
	ok(t, p.Mkdir("/d", 0o755))
	ok(t, child.Chroot("/d"))
	ok(t, k.Shutdown())
	_, err = p.Stat("/")
	check(t, "stat", err, kern.ESRCH)
	check(t, "exit", child.Exit(), kern.ESRCH)
	check(t, "shutdown again", k.Shutdown(), nil)
	check(t, "Err", k.Err(), nil)
	k.Run()
}

// TestPowerOff: a kernel ends as it is, whatever there is in it, and answers
// that from then on.
func TestPowerOff(t *testing.T) {
	for _, mode := range []hypercall.Mode{hypercall.Native, hypercall.Checked, hypercall.Deterministic} {
		t.Run(mode.String(), func(t *testing.T) {
			k, err := sim.Boot(sim.Config{Mode: mode})
			ok(t, err)
			p := k.Init()
			child := value[*sim.Proc](t)(p.Rfork(sim.RUMP_RFSHFD))
			create(t, p, "/f", "never written back")
			ok(t, child.Chdir("/dev"))
			ok(t, k.Check())
			k.PowerOff()
			check(t, "Err", k.Err(), sim.ErrPoweredOff)
			_, err = p.Stat("/f")
			check(t, "stat", err, sim.ErrPoweredOff)
			check(t, "exit", child.Exit(), sim.ErrPoweredOff)
			check(t, "check", k.Check(), sim.ErrPoweredOff)
			k.PowerOff()
			check(t, "shutdown", k.Shutdown(), nil)
		})
	}
}

// TestPowerOffStopped: a kernel that has stopped keeps its reason, and one
// that was shut down has none.
func TestPowerOffStopped(t *testing.T) {
	k, err := sim.Boot(sim.Config{Mode: hypercall.Deterministic})
	ok(t, err)
	p := k.Init()
	fd := create(t, p, "/f", "")
	ok(t, p.Flock(fd, kern.LOCK_EX))
	_, err = p.Open("/f", kern.O_RDONLY|kern.O_SHLOCK, 0)
	if !errors.As(err, &hypercall.Blocked{}) {
		t.Errorf("waiting for oneself: %v", err)
	}
	k.PowerOff()
	if !errors.As(k.Err(), &hypercall.Blocked{}) {
		t.Errorf("why it stopped: %v", k.Err())
	}

	k, err = sim.Boot(sim.Config{})
	ok(t, err)
	ok(t, k.Shutdown())
	k.PowerOff()
	check(t, "Err", k.Err(), nil)
}

// TestShutdownNamesLwps: an lwp that has not ended is left over.
func TestShutdownNamesLwps(t *testing.T) {
	k, err := sim.Boot(sim.Config{Mode: hypercall.Deterministic})
	ok(t, err)
	p := k.Init()
	ok(t, p.Flock(create(t, p, "/f", ""), kern.LOCK_EX))
	unwound, returned := false, false
	p.Go("sleeper", func(p *sim.Proc) {
		defer func() { unwound = true }()
		_, _ = p.Open("/f", kern.O_RDONLY|kern.O_SHLOCK, 0)
		returned = true
	})
	p.Go("never run", func(p *sim.Proc) {})
	for k.Sys.Step() && len(k.Procs()) > 0 {
		break
	}
	err = k.Shutdown()
	if err == nil || !strings.Contains(err.Error(), "sleeper") && !strings.Contains(err.Error(), "never run") {
		t.Errorf("shutdown: %v, want it to name the lwps", err)
	}
	if returned && !unwound {
		t.Error("a call returned after the shutdown")
	}
}

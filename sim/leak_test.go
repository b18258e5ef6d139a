package sim

import (
	"strings"
	"testing"

	"rumpvfs/hypercall"
	"rumpvfs/kern"
	"rumpvfs/vfs"
	"rumpvfs/vnode"
)

// TestLeaks leaves things over on purpose: Shutdown names them.
func TestLeaks(t *testing.T) {
	for _, c := range []struct {
		name string
		leak func(t *testing.T, p *Proc, l *kern.Lwp)
		want string
	}{
		{"nothing", func(*testing.T, *Proc, *kern.Lwp) {}, ""},
		{"a reference to a directory", func(t *testing.T, p *Proc, l *kern.Lwp) {
			if _, err := p.lookup(l, kern.AT_FDCWD, vnode.FOLLOW, "/tmp"); err != nil {
				t.Fatal(err)
			}
		}, "VDIR"},
		{"a reference to a file", func(t *testing.T, p *Proc, l *kern.Lwp) {
			vp, err := p.lookup(l, kern.AT_FDCWD, vnode.FOLLOW, "/f")
			if err != nil {
				t.Fatal(err)
			}
			vp.Ref(l)
		}, "usecount 2"},
		{"a locked vnode", func(t *testing.T, p *Proc, l *kern.Lwp) {
			if _, err := p.lookupLocked(l, kern.AT_FDCWD, vnode.FOLLOW, "/tmp"); err != nil {
				t.Fatal(err)
			}
		}, "VDIR"},
		{"a busy mount", func(t *testing.T, p *Proc, l *kern.Lwp) {
			if err := p.k.V.Mounts(l)[0].Busy(l); err != nil {
				t.Fatal(err)
			}
		}, "busy"},
		{"an open file", func(t *testing.T, p *Proc, l *kern.Lwp) {
			fp, _, err := p.fd.AllocFile(l)
			if err != nil {
				t.Fatal(err)
			}
			fp.Attach(vfs.DTYPE_MISC, vfs.ConsoleOps{}, nil, 0)
		}, "1 open files"},
		{"a descriptor table", func(_ *testing.T, p *Proc, _ *kern.Lwp) { p.fd.Share() }, "open files"},
		{"a working directory", func(_ *testing.T, p *Proc, _ *kern.Lwp) { p.cwd.Share() }, "VDIR"},
		{"memory", func(t *testing.T, p *Proc, _ *kern.Lwp) {
			if !p.k.Sys.Reserve(4711) {
				t.Fatal("no memory")
			}
		}, "4711 bytes"},
		{"a host descriptor", func(t *testing.T, p *Proc, _ *kern.Lwp) {
			h := p.k.Sys.Host()
			if _, err := h.WriteFile("/f", nil); err != nil {
				t.Fatal(err)
			}
			if _, err := h.Open("/f", hypercall.OpenRDONLY); err != nil {
				t.Fatal(err)
			}
		}, "1 host descriptors"},
	} {
		t.Run(c.name, func(t *testing.T) {
			k, err := Boot(Config{Mode: hypercall.Deterministic})
			if err != nil {
				t.Fatal(err)
			}
			p := k.Init()
			fd, err := p.Open("/f", kern.O_CREAT|kern.O_RDWR, 0o644)
			if err != nil {
				t.Fatal(err)
			}
			if err := p.Close(fd); err != nil {
				t.Fatal(err)
			}
			err = func() (err error) {
				l, err := p.enter("leak")
				if err != nil {
					return err
				}
				defer p.leave(l, &err)
				c.leak(t, p, l)
				return nil
			}()
			if err != nil {
				t.Fatal(err)
			}
			err = k.Shutdown()
			switch {
			case c.want == "" && err != nil:
				t.Error(err)
			case c.want != "" && (err == nil || !strings.Contains(err.Error(), c.want)):
				t.Errorf("%v, want it to name %q", err, c.want)
			}
		})
	}
}

// TestDied turns what unwinds a call into the call's error.
func TestDied(t *testing.T) {
	for _, c := range []struct {
		name   string
		thrown any
		want   string
	}{
		{"a kernel panic", &kern.Panic{Msg: "out of cheese"}, "panic: out of cheese"},
		{"a run-time error", "index out of range", "panic: index out of range"},
		{"an error", kern.EIO, "panic: " + kern.EIO.Error()},
		{"a lock misused", hypercall.LockError{Op: "unlocking"}, "panic: unlocking"},
		{"no way on", hypercall.Blocked{Waiting: []string{"a: b"}}, "a: b"},
	} {
		k, err := Boot(Config{})
		if err != nil {
			t.Fatal(err)
		}
		p := k.Init()
		err = func() (err error) {
			l, err := p.enter("throw")
			if err != nil {
				return err
			}
			defer p.leave(l, &err)
			panic(c.thrown)
		}()
		if err == nil || !strings.Contains(err.Error(), c.want) || k.Err().Error() != err.Error() {
			t.Errorf("%s: %v, want %q", c.name, err, c.want)
		}
		if err := k.Shutdown(); err != nil {
			t.Error(err)
		}
	}
}

// TestBackgroundPanic: a kernel thread that panics stops the kernel.
func TestBackgroundPanic(t *testing.T) {
	k, err := Boot(Config{Mode: hypercall.Deterministic})
	if err != nil {
		t.Fatal(err)
	}
	kern.StartLwp(k.K, k.init.proc, "kthread", func(*kern.Lwp) { kern.Panicf("boo") })
	k.Run()
	if k.Err() == nil || k.Err().Error() != "panic: boo" {
		t.Errorf("stopped because of %v", k.Err())
	}
	if _, err := k.Init().Stat("/"); err != k.Err() {
		t.Errorf("stat: %v", err)
	}
	if err := k.Shutdown(); err != nil {
		t.Error(err)
	}
}

package sim

import (
	"strings"
	"testing"

	"rumpvfs/hypercall"
	"rumpvfs/kern"
	"rumpvfs/tmpfs"
	"rumpvfs/vfs"
	"rumpvfs/vnode"
)

// checked boots a kernel with a file, a directory, a link, a device and
// a tmpfs with the same.
func checked(t testing.TB, c Config) *Kernel {
	t.Helper()
	k, err := Boot(c)
	if err != nil {
		t.Fatal(err)
	}
	p := k.Init()
	need := func(err error) {
		t.Helper()
		if err != nil {
			t.Fatal(err)
		}
	}
	need(p.Mkdir("/t", 0o755))
	need(p.Mount(tmpfs.MOUNT_TMPFS, "/t", 0, tmpfs.DefaultArgs()))
	for _, dir := range []string{"/", "/t/"} {
		fd, err := p.Open(dir+"f", kern.O_CREAT|kern.O_RDWR, 0o644)
		need(err)
		_, err = p.Write(fd, []byte("some data"))
		need(err)
		need(p.Mkdir(dir+"d", 0o755))
		need(p.Symlink("f", dir+"l"))
		need(p.FcntlLock(fd, kern.F_SETLK, &kern.Flock{Type: kern.F_WRLCK}))
	}
	need(p.Chdir("/t/d"))
	return k
}

// TestCheckNames breaks what the system calls can reach, one invariant a
// case: Check names it.
func TestCheckNames(t *testing.T) {
	lookup := func(t *testing.T, p *Proc, l *kern.Lwp, path string) *vnode.Vnode {
		vp, err := p.lookup(l, kern.AT_FDCWD, 0, path)
		if err != nil {
			t.Fatal(err)
		}
		return vp
	}
	for _, c := range []struct {
		name string
		harm func(t *testing.T, p *Proc, l *kern.Lwp)
		want []string
	}{
		{"nothing", func(*testing.T, *Proc, *kern.Lwp) {}, nil},
		{"a reference to a directory", func(t *testing.T, p *Proc, l *kern.Lwp) { lookup(t, p, l, "/tmp") },
			[]string{"vnode VDIR", "usecount 1, but 0 references"}},
		{"a reference to the working directory", func(t *testing.T, p *Proc, l *kern.Lwp) { lookup(t, p, l, ".") },
			[]string{"vnode VDIR", "usecount 2, but 1 references (working directory)"}},
		{"a reference lost", func(t *testing.T, p *Proc, l *kern.Lwp) {
			vp := lookup(t, p, l, ".")
			vp.Rele(l)
			vp.Rele(l)
		}, []string{"usecount 0, but 1 references (working directory)"}},
		{"a locked vnode", func(t *testing.T, p *Proc, l *kern.Lwp) {
			_ = lookup(t, p, l, "/tmp").Lock(l, vnode.LK_EXCLUSIVE)
		}, []string{"vnode VDIR", "is locked"}},
		{"a writer", func(t *testing.T, p *Proc, l *kern.Lwp) {
			vp := lookup(t, p, l, "/f")
			vp.AddWritecount(l, 1)
			vp.Rele(l)
		}, []string{"writecount 2, but 1 uses for writing (open file)"}},
		{"a busy mount", func(t *testing.T, p *Proc, l *kern.Lwp) { _ = p.k.V.Mounts(l)[1].Busy(l) },
			[]string{`mount "/t"`, "busy 1 times"}},
		{"an open file", func(t *testing.T, p *Proc, l *kern.Lwp) {
			fp, _, err := p.fd.AllocFile(l)
			if err != nil {
				t.Fatal(err)
			}
			fp.Attach(vfs.DTYPE_MISC, vfs.ConsoleOps{}, nil, 0)
		}, []string{"open files: there are 4, but descriptors lead to 3", "descriptor 5: in use is true, but open is false"}},
	} {
		t.Run(c.name, func(t *testing.T) {
			k := checked(t, Config{Mode: hypercall.Deterministic, CheckLocks: c.name != "a locked vnode"})
			p := k.Init()
			l, err := p.enter("harm")
			if err != nil {
				t.Fatal(err)
			}
			c.harm(t, p, l)
			p.leave(l, &err)
			err = k.Check()
			if c.want == nil && err != nil {
				t.Error(err)
			}
			for _, want := range c.want {
				if err == nil || !strings.Contains(err.Error(), want) {
					t.Errorf("%v, want it to say %q", err, want)
				}
			}
		})
	}
}

func BenchmarkCheck(b *testing.B) {
	k := checked(b, Config{Stepped: true})
	b.ReportAllocs()
	for b.Loop() {
		if err := k.Check(); err != nil {
			b.Fatal(err)
		}
	}
}

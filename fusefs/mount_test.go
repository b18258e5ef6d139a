//go:build linux

package fusefs

import (
	"errors"
	"io"
	"io/fs"
	"log"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
	"time"

	"golang.org/x/sys/unix"

	"rumpvfs/sim"
	"rumpvfs/tmpfs"
)

// mounted serves a tmpfs of a new kernel at a new directory, or skips the test
// on a machine where nothing can be mounted.
func mounted(t *testing.T, o *Options) (dir string, m *Mountpoint, k *sim.Kernel) {
	t.Helper()
	if err := canMount(); err != nil {
		t.Skip(err) //policy:skip needs /dev/fuse and the right to mount
	}
	k, err := sim.Boot(sim.Config{})
	ok(t, err)
	p := k.Init()
	ok(t, p.Mkdir("/mnt", 0o755))
	ok(t, p.Mount(tmpfs.MOUNT_TMPFS, "/mnt", 0, tmpfs.DefaultArgs()))
	dir = t.TempDir()
	o.Logger = log.New(io.Discard, "", 0)
	m, err = Mount(k, "/mnt", dir, o)
	ok(t, err)
	t.Cleanup(func() {
		if err := m.Unmount(); err != nil {
			t.Error(err)
			_ = m.Detach() // whatever went wrong, no mount is left behind
			return
		}
		if st := m.Stats(); st.Nodes+st.Handles+st.Owners != 0 {
			t.Errorf("left after the unmount: %+v", st)
		}
		if err := k.Shutdown(); err != nil {
			t.Error(err)
		}
	})
	return dir, m, k
}

// canMount says why nothing can be mounted here, nil if it can.
func canMount() error {
	if os.Geteuid() != 0 {
		return errors.New("not root")
	}
	f, err := os.OpenFile("/dev/fuse", os.O_RDWR, 0)
	if err != nil {
		return err
	}
	_ = f.Close()
	// In a container root may not mount.
	dir, err := os.MkdirTemp("", "canmount")
	if err != nil {
		return err
	}
	defer os.Remove(dir)
	if err := syscall.Mount("none", dir, "tmpfs", 0, ""); err != nil {
		return err
	}
	return syscall.Unmount(dir, syscall.MNT_DETACH)
}

// A program of the host works with files of the kernel.
func TestMount(t *testing.T) {
	dir, m, k := mounted(t, &Options{Source: "kernel", Device: true})
	name := filepath.Join(dir, "a", "b")
	ok(t, os.MkdirAll(name, 0o755))
	file := filepath.Join(name, "file")
	ok(t, os.WriteFile(file, []byte("hello"), 0o600))
	ok(t, os.Symlink("b/file", filepath.Join(dir, "a", "s")))
	if b, err := os.ReadFile(filepath.Join(dir, "a", "s")); string(b) != "hello" || err != nil {
		t.Errorf("%q %v", b, err)
	}
	if sb, err := k.Init().Stat("/mnt/a/b/file"); err != nil || sb.Size != 5 {
		t.Errorf("%+v %v", sb, err)
	}
	// What a process of the kernel does is seen at once.
	ok(t, k.Init().Rename("/mnt/a/b/file", "/mnt/a/moved"))
	if _, err := os.Stat(file); !errors.Is(err, fs.ErrNotExist) {
		t.Error(err)
	}
	if b, err := os.ReadFile(filepath.Join(dir, "a", "moved")); string(b) != "hello" || err != nil {
		t.Errorf("%q %v", b, err)
	}
	if err := os.Remove(filepath.Join(dir, "a")); !errors.Is(err, syscall.ENOTEMPTY) {
		t.Error(err)
	}
	ok(t, os.RemoveAll(filepath.Join(dir, "a")))
	if ents, err := os.ReadDir(dir); len(ents) != 0 || err != nil {
		t.Errorf("%v %v", ents, err)
	}
	b, err := os.ReadFile("/proc/self/mounts")
	ok(t, err)
	if !strings.Contains(string(b), "kernel "+dir+" fuse.rumpvfs rw") {
		t.Errorf("%s is not among the mounts", dir)
	}
	if m.Dir() != dir || m.Stats().Requests == 0 {
		t.Errorf("%q %+v", m.Dir(), m.Stats())
	}
}

// What the host's calls answer where the kernel of 2014 has nothing.
func TestMountAnswers(t *testing.T) {
	dir, _, _ := mounted(t, &Options{})
	a, b := filepath.Join(dir, "a"), filepath.Join(dir, "b")
	ok(t, os.WriteFile(a, []byte("a"), 0o644))
	ok(t, os.WriteFile(b, []byte("b"), 0o644))
	is := func(what string, err error, want syscall.Errno) {
		t.Helper()
		if !errors.Is(err, want) {
			t.Errorf("%s: %v, want %v", what, err, want)
		}
	}
	is("RENAME_EXCHANGE", unix.Renameat2(unix.AT_FDCWD, a, unix.AT_FDCWD, b, unix.RENAME_EXCHANGE), syscall.EINVAL)
	is("RENAME_NOREPLACE", unix.Renameat2(unix.AT_FDCWD, a, unix.AT_FDCWD, b+"2", unix.RENAME_NOREPLACE), syscall.EINVAL)
	_, err := unix.Open(dir, unix.O_TMPFILE|unix.O_RDWR, 0o600)
	is("O_TMPFILE", err, syscall.EOPNOTSUPP)
	_, err = unix.Getxattr(a, "user.x", nil)
	is("getxattr", err, syscall.EOPNOTSUPP)
	is("setxattr", unix.Setxattr(a, "user.x", []byte("1"), 0), syscall.EOPNOTSUPP)
	f, err := os.OpenFile(a, os.O_RDWR, 0)
	ok(t, err)
	defer f.Close()
	is("fallocate", unix.Fallocate(int(f.Fd()), 0, 0, 100), syscall.EOPNOTSUPP)
	if _, err := os.ReadDir(filepath.Join(dir, "a")); !errors.Is(err, syscall.ENOTDIR) {
		t.Error(err)
	}
}

// A file is mapped, and what is written there gets into the kernel. It is
// another process that maps it: this one could not serve the page fault of one
// of its own threads while that keeps all others from running.
func TestMountMmap(t *testing.T) {
	const env = "FUSEFS_TEST_MAP"
	if name := os.Getenv(env); name != "" {
		mapped(t, name)
		return
	}
	dir, _, k := mounted(t, &Options{})
	cmd := exec.Command(os.Args[0], "-test.run=^TestMountMmap$")
	cmd.Env = append(os.Environ(), env+"="+filepath.Join(dir, "f"))
	if out, err := cmd.CombinedOutput(); err != nil {
		t.Fatalf("%v: %s", err, out)
	}
	p := k.Init()
	fd, err := p.Open("/mnt/f", 0, 0)
	ok(t, err)
	got := make([]byte, 6)
	if _, err := p.Pread(fd, got, 5000); string(got) != "mapped" || err != nil {
		t.Errorf("%q %v", got, err)
	}
	ok(t, p.Close(fd))
}

// mapped makes a file and writes to it through a mapping.
func mapped(t *testing.T, name string) {
	f, err := os.OpenFile(name, os.O_RDWR|os.O_CREATE, 0o644)
	ok(t, err)
	defer f.Close()
	ok(t, f.Truncate(10000))
	b, err := unix.Mmap(int(f.Fd()), 0, 10000, unix.PROT_READ|unix.PROT_WRITE, unix.MAP_SHARED)
	ok(t, err)
	copy(b[5000:], "mapped")
	ok(t, unix.Msync(b, unix.MS_SYNC))
	ok(t, unix.Munmap(b))
}

// Two descriptors exclude each other, a program that waits is woken, and one
// that is killed while it waits goes.
func TestMountLocks(t *testing.T) {
	dir, m, _ := mounted(t, &Options{})
	name := filepath.Join(dir, "f")
	f, err := os.Create(name)
	ok(t, err)
	g, err := os.OpenFile(name, os.O_RDWR, 0)
	ok(t, err)
	ok(t, syscall.Flock(int(f.Fd()), syscall.LOCK_EX))
	if err := syscall.Flock(int(g.Fd()), syscall.LOCK_SH|syscall.LOCK_NB); err != syscall.EAGAIN {
		t.Error(err)
	}
	lk := syscall.Flock_t{Type: syscall.F_WRLCK, Start: 100, Len: 10}
	if err := syscall.FcntlFlock(f.Fd(), syscall.F_SETLK, &lk); err != syscall.EAGAIN { // one space, as in the kernel
		t.Error(err)
	}
	ok(t, syscall.Flock(int(f.Fd()), syscall.LOCK_UN))
	ok(t, syscall.FcntlFlock(f.Fd(), syscall.F_SETLK, &lk))
	ok(t, f.Close())
	if st := m.Stats(); st.Owners != 0 {
		t.Errorf("%+v after a close", st)
	}
	ok(t, syscall.Flock(int(g.Fd()), syscall.LOCK_EX))
	waiter := exec.Command("flock", name, "true")
	if waiter.Err != nil {
		t.Log(waiter.Err)
	} else {
		ok(t, waiter.Start())
		for i := 0; m.Stats().Handles < 2 && i < 10_000; i++ { // until it has the file open
			time.Sleep(time.Millisecond)
		}
		ok(t, waiter.Process.Kill())
		if err := waiter.Wait(); err == nil {
			t.Error("it got the lock")
		}
	}
	ok(t, g.Close())
}

// Programs that were told how long things stay as they are do not ask again,
// and files that are removed or opened are as they should be all the same.
func TestMountCache(t *testing.T) {
	dir, m, _ := mounted(t, &Options{Cache: time.Hour})
	name := filepath.Join(dir, "f")
	if _, err := os.Stat(name); !errors.Is(err, fs.ErrNotExist) {
		t.Error(err)
	}
	ok(t, os.WriteFile(name, []byte("1"), 0o644))
	before := m.Stats().Requests
	for range 100 {
		if fi, err := os.Stat(name); err != nil || fi.Size() != 1 {
			t.Fatal(fi, err)
		}
	}
	if asked := m.Stats().Requests - before; asked > 10 {
		t.Errorf("%d requests for 100 stats", asked)
	}
	ok(t, os.Remove(name))
	if _, err := os.Stat(name); !errors.Is(err, fs.ErrNotExist) {
		t.Error(err)
	}
}

// A mount that is in use is not unmounted, but can be taken out of the names.
func TestMountBusy(t *testing.T) {
	dir, m, _ := mounted(t, &Options{ReadOnly: true})
	if err := os.WriteFile(filepath.Join(dir, "f"), nil, 0o644); !errors.Is(err, syscall.EROFS) {
		t.Error(err)
	}
	d, err := os.Open(dir)
	ok(t, err)
	if err := m.Unmount(); !errors.Is(err, syscall.EBUSY) {
		t.Error(err)
	}
	if err := Unmount(filepath.Dir(dir), false); err == nil {
		t.Error("unmounted what is no mount")
	}
	ok(t, m.Detach())
	ok(t, d.Close())
	<-m.Done()
}

func TestMountErrors(t *testing.T) {
	if err := canMount(); err != nil {
		t.Skip(err) //policy:skip needs /dev/fuse and the right to mount
	}
	k, err := sim.Boot(sim.Config{})
	ok(t, err)
	if _, err := Mount(k, "/", filepath.Join(t.TempDir(), "nothing"), nil); !errors.Is(err, fs.ErrNotExist) {
		t.Error(err)
	}
	if _, err := Mount(k, "/nothing", t.TempDir(), nil); !errors.Is(err, fs.ErrNotExist) {
		t.Error(err)
	}
	ok(t, k.Shutdown())
}

func TestTopmost(t *testing.T) {
	const table = `25 1 8:1 / / rw - ext4 /dev/sda rw
30 25 0:40 / /a\040b rw - tmpfs none rw
31 30 0:41 / /a\040b rw shared:1 - fuse.rumpvfs tmpfs rw
malformed
32 25 0:42 / /c rw - tmpfs none rw
`
	for dir, want := range map[string]string{"/a b": "fuse.rumpvfs", "/c": "tmpfs", "/d": "", "/": "ext4"} {
		if got := topmost([]byte(table), dir); got != want {
			t.Errorf("%q: %q, want %q", dir, got, want)
		}
	}
}

//go:build amd64 || arm64

package host

import (
	"fmt"
	"runtime"
	"strconv"

	"golang.org/x/sys/unix"

	"rumpvfs/kern"
	"rumpvfs/proptest/call"
)

// worlds are where scripts run, one after the other: each has an empty directory for its root. They share a thread that
// has nothing in common with the rest of the process, as long as a script does not give the superuser's privileges away.
type worlds struct {
	made   int
	thread *thread
	exec   executor
}

// atATime is how many worlds a tmpfs holds until another takes its place. To mount one takes as long as many calls.
const atATime = 200

// next ends the world that there is and begins another.
func (w *worlds) next() error {
	root, err := w.makeRoot()
	if err != nil {
		return fmt.Errorf("no tmpfs: %w", err)
	}
	w.exec.begin()
	if w.thread != nil {
		if w.thread.do(func() { err = begin(root) }); err == nil {
			return nil
		}
		w.thread.end()
	}
	w.thread = newThread()
	w.thread.do(func() {
		if err = unix.Unshare(unix.CLONE_FS | unix.CLONE_FILES); err == nil {
			err = begin(root)
		}
	})
	if err != nil {
		err = fmt.Errorf("no root of its own: %w", err)
	}
	return err
}

// do makes calls in the world that there is.
func (w *worlds) do(calls []call.Call) []call.Result {
	results := make([]call.Result, len(calls))
	w.thread.do(func() {
		for i := range calls {
			w.exec.do(&calls[i], &results[i])
		}
	})
	return results
}

// makeRoot makes a directory for a world, and in it what a kernel of ours begins with.
func (w *worlds) makeRoot() (root string, err error) {
	if w.made%atATime == 0 {
		if err := unix.Unmount(worldDir, unix.MNT_DETACH); err != nil && err != unix.EINVAL {
			return "", err
		}
		if err := unix.Mount("world", worldDir, "tmpfs", unix.MS_STRICTATIME, "mode=755"); err != nil {
			return "", err
		}
	}
	w.made++
	root = worldDir + "/" + strconv.Itoa(w.made)
	for _, f := range []struct {
		name string
		mode uint32
		dev  uint64
	}{
		{"", unix.S_IFDIR | 0o755, 0}, {"/dev", unix.S_IFDIR | 0o755, 0}, {"/tmp", unix.S_IFDIR | 0o1777, 0},
		{"/dev/null", unix.S_IFCHR | 0o644, linuxDev(devNull)}, {"/dev/zero", unix.S_IFCHR | 0o644, linuxDev(devZero)},
	} {
		if f.mode&unix.S_IFMT == unix.S_IFDIR {
			err = unix.Mkdir(root+f.name, 0o755)
		} else {
			err = unix.Mknod(root+f.name, f.mode, int(f.dev))
		}
		// A script that a chroot has let out may have left something to be inherited.
		if err == nil {
			err = unix.Chown(root+f.name, 0, 0)
		}
		if err == nil {
			err = unix.Chmod(root+f.name, f.mode&^unix.S_IFMT)
		}
		if err != nil {
			return "", err
		}
	}
	return root, nil
}

// begin gives the thread what a script begins with. The error may be that it has no privileges any more.
func begin(root string) error {
	for _, call := range [][4]uintptr{{unix.SYS_SETRESUID}, {unix.SYS_SETRESGID}, {unix.SYS_SETGROUPS}, {unix.SYS_CLOSE_RANGE, 0, kern.NOFILE - 1}} {
		if _, _, e := unix.RawSyscall(call[0], call[1], call[2], call[3]); e != 0 {
			return e
		}
	}
	unix.Umask(kern.CMASK)
	for _, step := range []func() error{
		func() error { return unix.Fchdir(rootFD) },
		func() error { return unix.Chroot(".") },
		openConsole,
		func() error { return unix.Chroot(root) },
		func() error { return unix.Chdir("/") },
	} {
		if err := step(); err != nil {
			return err
		}
	}
	return nil
}

func openConsole() error {
	fd, err := unix.Open(console, unix.O_WRONLY, 0)
	for n := 1; err == nil && n < 3; n++ {
		err = unix.Dup3(fd, n, 0)
	}
	return err
}

// A thread is one of the system's that is used for nothing else.
type thread struct {
	work chan func()
	done chan struct{}
}

func newThread() *thread {
	t := &thread{make(chan func()), make(chan struct{})}
	go t.live()
	return t
}

// live ends with the thread: locked to the end, it is not used again.
func (t *thread) live() {
	runtime.LockOSThread()
	for f := range t.work {
		f()
		t.done <- struct{}{}
	}
}

// do has the thread do something.
func (t *thread) do(f func()) {
	t.work <- f
	<-t.done
}

func (t *thread) end() { close(t.work) }

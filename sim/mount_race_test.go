package sim_test

import (
	"errors"
	"fmt"
	"slices"
	"testing"

	"rumpvfs/hypercall"
	"rumpvfs/kern"
	"rumpvfs/sim"
	"rumpvfs/tmpfs"
)

// mountErrors are what calls below a mount point may answer while the file
// system there comes and goes.
var mountErrors = []error{
	nil, kern.ENOENT, kern.EBADF, kern.EIO, kern.EEXIST, kern.ENXIO, kern.ENOTEMPTY, kern.EBUSY, kern.EINVAL,
	kern.EOPNOTSUPP, kern.EPERM, kern.EISDIR, kern.ENOTDIR, kern.EFTYPE, kern.EFAULT, kern.ESRCH, kern.EROFS,
}

// fileSystems are mounted in turn.
var fileSystems = [...]string{"rumpfs", tmpfs.MOUNT_TMPFS}

// argsOf is what a file system is mounted with.
func argsOf(fs string) any {
	if fs == tmpfs.MOUNT_TMPFS {
		return tmpfs.DefaultArgs()
	}
	return nil
}

// worker makes calls and reports those whose answer makes no sense.
type worker struct {
	t    *testing.T
	name string
	fs   string // what it mounts
	p    *sim.Proc
	done []string
}

// want notes what a call answered; false means that the kernel has stopped.
func (w *worker) want(call string, err error) bool {
	w.done = append(w.done, fmt.Sprint(call, ": ", err))
	if w.p.Kernel().Err() != nil {
		return false
	}
	if !slices.ContainsFunc(mountErrors, func(e error) bool { return errors.Is(err, e) }) {
		w.t.Errorf("%s: %s: %v", w.name, call, err)
	}
	return true
}

// use creates, reads and removes files in and below the mount point.
func (w *worker) use(rounds int) {
	p := w.p
	for i := range rounds {
		dir := fmt.Sprintf("/m/%s%d", w.name, i)
		w.want("mkdir", p.Mkdir(dir, 0o755))
		w.want("chdir", p.Chdir(dir))
		fd, err := p.Open("f", kern.O_CREAT|kern.O_RDWR, 0o644)
		w.want("open", err)
		_, err = p.Stat("../../m/" + w.name)
		w.want("stat", err)
		if fd >= 0 && err == nil {
			_, err = p.Write(fd, []byte("data"))
			w.want("write", err)
		}
		_, err = p.Getcwd()
		w.want("getcwd", err)
		w.want("unlink", p.Unlink("f"))
		w.want("symlink", p.Symlink("f", "/m/link"))
		w.want("mknod", p.Mknod("/m/zero"+w.name, kern.S_IFCHR|0o666, kern.Makedev(2, 12)))
		if z, err := p.Open("/m/zero"+w.name, kern.O_RDWR, 0); err == nil {
			_, err = p.Read(z, make([]byte, 10))
			w.want("read zero", err)
			w.want("close zero", p.Close(z))
		}
		w.want("chdir /", p.Chdir("/"))
		w.want("rmdir", p.Rmdir(dir))
		if fd >= 0 {
			w.want("close", p.Close(fd))
		}
		if d, err := p.Open("/m", kern.O_RDONLY, 0); err == nil {
			_, err = p.Getdents(d, make([]byte, 512))
			w.want("getdents", err)
			w.want("close dir", p.Close(d))
		}
	}
}

// remount mounts and unmounts.
func (w *worker) remount(rounds int, how ...int) {
	for i := range rounds {
		w.want("mount", w.p.Mount(w.fs, "/m", []int{0, kern.MNT_UNION, kern.MNT_NOATIME}[i%3], argsOf(w.fs)))
		_, err := w.p.Getvfsstat(0)
		w.want("getvfsstat", err)
		w.want("update", w.p.Mount("", "/m", kern.MNT_UPDATE|[]int{0, kern.MNT_RDONLY}[i%2], nil))
		w.want("sync", w.p.Sync())
		w.want("unmount", w.p.Unmount("/m", how[i%len(how)]))
	}
}

// race runs workers, who mount fs, on a kernel until all have ended.
func race(t *testing.T, c sim.Config, fs string, bodies ...func(w *worker)) {
	c.CheckLocks = c.Mode == hypercall.Deterministic
	k, err := sim.Boot(c)
	if err != nil {
		t.Fatal(err)
	}
	p := k.Init()
	if err := p.Mkdir("/m", 0o755); err != nil {
		t.Fatal(err)
	}
	var lwps []*sim.Lwp
	var workers []*worker
	for i, body := range bodies {
		q, err := p.Rfork(sim.RUMP_RFCFDG)
		if err != nil {
			t.Fatal(err)
		}
		w := &worker{t: t, name: string(rune('a' + i)), fs: fs}
		workers = append(workers, w)
		lwps = append(lwps, q.Go(w.name, func(q *sim.Proc) {
			w.p = q
			body(w)
			_ = q.Exit()
		}))
	}
	for _, lwp := range lwps {
		if err := p.Join(lwp); err != nil {
			break
		}
	}
	failed := k.Check()
	for range 8 { // what is mounted still
		if p.Unmount("/m", kern.MNT_FORCE) != nil {
			break
		}
	}
	if err := errors.Join(failed, k.Shutdown()); err != nil {
		t.Errorf("seed %d: %v", c.Seed, err)
		if p, ok := failed.(*kern.Panic); ok {
			t.Logf("%s", p.Stack)
		}
		for _, w := range workers {
			t.Logf("%s: %q", w.name, w.done[max(0, len(w.done)-3):])
		}
	}
}

// TestForcedUnmountRaces takes a file system away from those who use it, over
// many schedules: nobody waits for ever, nothing is left over.
func TestForcedUnmountRaces(t *testing.T) {
	for seed := range uint64(300) {
		race(t, sim.Config{Mode: hypercall.Deterministic, Seed: seed}, fileSystems[seed%2],
			func(w *worker) { w.use(3) }, func(w *worker) { w.use(3) },
			func(w *worker) { w.remount(4, kern.MNT_FORCE, 0) },
		)
		if t.Failed() {
			return
		}
	}
}

// TestMountRaces has several lwps mount on and unmount from the same
// directory.
func TestMountRaces(t *testing.T) {
	for seed := range uint64(200) {
		race(t, sim.Config{Mode: hypercall.Deterministic, Seed: seed}, fileSystems[seed%2],
			func(w *worker) { w.remount(4, kern.MNT_FORCE) }, func(w *worker) { w.remount(4, 0, kern.MNT_FORCE) },
			func(w *worker) { w.use(2) },
		)
		if t.Failed() {
			return
		}
	}
}

// TestForcedUnmountDrain does it with vnodes thrown away all the time.
func TestForcedUnmountDrain(t *testing.T) {
	for seed := range uint64(100) {
		race(t, sim.Config{Mode: hypercall.Deterministic, Seed: seed, Params: map[string]string{"RUMP_NVNODES": "4"}, Without: kern.Rev1125}, fileSystems[seed%2],
			func(w *worker) { w.use(3) }, func(w *worker) { w.use(3) },
			func(w *worker) { w.remount(4, 0, kern.MNT_FORCE) },
		)
		if t.Failed() {
			return
		}
	}
}

// TestForcedUnmountNative is the same on goroutines.
func TestForcedUnmountNative(t *testing.T) {
	for _, fs := range fileSystems {
		race(t, sim.Config{}, fs,
			func(w *worker) { w.use(40) }, func(w *worker) { w.use(40) },
			func(w *worker) { w.use(40) }, func(w *worker) { w.use(40) },
			func(w *worker) { w.remount(100, kern.MNT_FORCE, kern.MNT_FORCE, 0) },
		)
	}
}

// TestLocksOfDeadFile takes a file away from one who has it locked and one
// who waits for that: the lock goes with the file, from its user's account
// too, and who waits gets EBADF.
func TestLocksOfDeadFile(t *testing.T) {
	for _, fs := range fileSystems {
		for name, away := range map[string]func(p *sim.Proc) error{
			"unmount": func(p *sim.Proc) error { return p.Unmount("/m", kern.MNT_FORCE) },
			"revoke":  func(p *sim.Proc) error { return p.Revoke("/m/f") },
		} {
			t.Run(fs+" "+name, func(t *testing.T) {
				k := boot(t, sim.Config{Mode: hypercall.Deterministic, Without: kern.Rev1125})
				p := k.Init()
				ok(t, p.Mkdir("/m", 0o755))
				ok(t, p.Mount(fs, "/m", 0, argsOf(fs)))
				fd := create(t, p, "/m/f", "")
				ok(t, p.FcntlLock(fd, kern.F_SETLK, &kern.Flock{Type: kern.F_WRLCK}))
				q := value[*sim.Proc](t)(p.Rfork(sim.RUMP_RFFDG))
				waited := errors.New("not at all")
				lwp := q.Go("waits", func(q *sim.Proc) {
					waited = q.FcntlLock(fd, kern.F_SETLKW, &kern.Flock{Type: kern.F_WRLCK})
				})
				k.Run()
				ok(t, away(p))
				ok(t, p.Join(lwp))
				check(t, "who waits for the lock", waited, kern.EBADF)
				ok(t, k.Check())
			})
		}
	}
}

// TestRenameUpAndDown tries to move a directory below itself, and what is
// below onto it, while others are on their way there: the rename must not lock
// what is above a directory after that.
func TestRenameUpAndDown(t *testing.T) {
	for seed := range uint64(60) {
		k := boot(t, sim.Config{Mode: hypercall.Deterministic, Seed: seed})
		p := k.Init()
		ok(t, p.Mkdir("/m", 0o755))
		ok(t, p.Mount(tmpfs.MOUNT_TMPFS, "/m", 0, tmpfs.DefaultArgs()))
		ok(t, p.Mkdir("/m/d", 0o755))
		ok(t, p.Mkdir("/m/d/e", 0o755))
		ok(t, p.Mkdir("/m/d/e/dir", 0o755))
		ok(t, p.Close(create(t, p, "/m/d/e/file", "")))
		var lwps []*sim.Lwp
		for range 2 {
			lwps = append(lwps, p.Go("walker", func(p *sim.Proc) {
				for range 10 {
					_, _ = p.Stat("/m/d/e/f")
				}
			}))
		}
		for range 5 {
			check(t, "rename below itself", p.Rename("/m/d", "/m/d/e/x"), kern.EINVAL)
			check(t, "rename of a directory", p.Rename("/m/d/e/dir", "/m/d"), kern.ENOTEMPTY)
			check(t, "rename of a file", p.Rename("/m/d/e/file", "/m/d"), kern.EISDIR)
		}
		for _, lwp := range lwps {
			ok(t, p.Join(lwp))
		}
		ok(t, k.Check())
	}
}

// TestRaces has lwps do to each other what seldom meets: revoking what another
// renames, and removing the directory that another removes by way of "..".
func TestRaces(t *testing.T) {
	revoker := func(p *sim.Proc) { _ = p.Revoke("/m/f"); _ = p.Revoke("/m/g") }
	for name, bodies := range map[string][]func(p *sim.Proc){
		"revoke and rename": {revoker, revoker, func(p *sim.Proc) { _ = p.Rename("/m/f", "/m/g"); _ = p.Rename("/m/g", "/m/f") }},
		"rmdir and rmdir": {
			func(p *sim.Proc) { _ = p.Mkdir("/m/d", 0o755); _ = p.Mkdir("/m/d/e", 0o755); _ = p.Rmdir("/m/d/e") },
			func(p *sim.Proc) { _ = p.Rmdir("/m/d/e/..") },
		},
	} {
		t.Run(name, func(t *testing.T) {
			for seed := range uint64(60) {
				k := boot(t, sim.Config{Mode: hypercall.Deterministic, Seed: seed, Without: kern.Rev1125, CheckLocks: true})
				p := k.Init()
				ok(t, p.Mkdir("/m", 0o755))
				ok(t, p.Mount(tmpfs.MOUNT_TMPFS, "/m", 0, tmpfs.DefaultArgs()))
				ok(t, p.Close(create(t, p, "/m/f", "")))
				var lwps []*sim.Lwp
				for i, body := range bodies {
					lwps = append(lwps, p.Go(fmt.Sprint("lwp", i), func(p *sim.Proc) {
						for range 10 {
							body(p)
						}
					}))
				}
				for _, lwp := range lwps {
					ok(t, p.Join(lwp))
				}
				ok(t, k.Check())
				if t.Failed() {
					t.Fatalf("seed %d", seed)
				}
			}
		})
	}
}

package sim_test

import (
	"testing"

	"rumpvfs/kern"
	"rumpvfs/sim"
)

func TestCwd(t *testing.T) {
	p := boot(t, sim.Config{}).Init()
	ok(t, p.Mkdir("/d", 0o755))
	ok(t, p.Mkdir("/d/e", 0o755))
	ok(t, p.Symlink("d/e", "/l"))
	f := create(t, p, "/d/f", "")
	for _, c := range []struct {
		path string
		err  error
		cwd  string
	}{
		{"/d", nil, "/d"}, {"e", nil, "/d/e"}, {"..", nil, "/d"}, {"/l", nil, "/d/e"}, {"../f", kern.ENOTDIR, "/d/e"},
		{"/none", kern.ENOENT, "/d/e"}, {sim.NullPath, kern.EFAULT, "/d/e"}, {"../../..", nil, "/"},
	} {
		check(t, "chdir "+c.path, p.Chdir(c.path), c.err)
		wants(t, "getcwd", value[string](t)(p.Getcwd()), c.cwd)
	}
	d := value[int](t)(p.Open("/d", kern.O_RDONLY, 0))
	check(t, "fchdir", p.Fchdir(d), nil)
	check(t, "fchdir, a file", p.Fchdir(f), kern.ENOTDIR)
	check(t, "fchdir, the console", p.Fchdir(1), kern.EINVAL)
	check(t, "fchdir, not open", p.Fchdir(99), kern.EBADF)
	for _, c := range []struct {
		n   uint64
		err error
	}{{0, kern.ERANGE}, {1, kern.ERANGE}, {2, kern.ERANGE}, {3, nil}, {1<<31 - 1, nil}, {1 << 31, kern.ERANGE}} { // an int
		_, err := p.GetcwdN(c.n)
		check(t, "getcwd", err, c.err)
	}
	ok(t, p.Chmod("/d/e", 0))
	e := value[int](t)(p.Open("/d/e", kern.O_RDONLY, 0))
	ok(t, p.Setuid(7))
	check(t, "chdir", p.Chdir("/d/e"), kern.EACCES)
	check(t, "fchdir", p.Fchdir(e), kern.EACCES)
}

func TestRemovedCwd(t *testing.T) {
	p := boot(t, sim.Config{}).Init()
	ok(t, p.Mkdir("/d", 0o755))
	ok(t, p.Chdir("/d"))
	ok(t, p.Rmdir("/d"))
	_, err := p.Getcwd()
	check(t, "getcwd", err, kern.ENOENT)
	_, err = p.Stat("..")
	check(t, "stat ..", err, kern.ENOENT)
	_, err = p.Stat(".")
	check(t, "stat .", err, nil)
}

// TestChroot is a jail, and attempts to break out of it.
func TestChroot(t *testing.T) {
	p := boot(t, sim.Config{}).Init()
	ok(t, p.Mkdir("/jail", 0o755))
	ok(t, p.Mkdir("/jail/cell", 0o755))
	ok(t, p.Close(create(t, p, "/secret", "")))
	outside := value[int](t)(p.Open("/", kern.O_RDONLY, 0))
	jail := value[int](t)(p.Open("/jail", kern.O_RDONLY, 0))
	f := value[int](t)(p.Open("/secret", kern.O_RDONLY, 0))
	free := value[*sim.Proc](t)(p.Rfork(sim.RUMP_RFFDG))

	check(t, "chroot, a file", p.Chroot("/secret"), kern.ENOTDIR)
	check(t, "chroot, not there", p.Chroot("/none"), kern.ENOENT)
	check(t, "fchroot, a file", p.Fchroot(f), kern.ENOTDIR)
	check(t, "fchroot, not open", p.Fchroot(99), kern.EBADF)
	ok(t, p.Chroot("/jail"))
	wants(t, "the working directory moves in", value[string](t)(p.Getcwd()), "/")
	for _, path := range []string{"/secret", "../secret", "/../secret", "/cell/../../secret"} {
		_, err := p.Stat(path)
		check(t, "stat "+path, err, kern.ENOENT)
	}
	check(t, "out with an old descriptor", p.Fchdir(outside), kern.EPERM)
	_, err := p.Openat(outside, "secret", kern.O_RDONLY, 0)
	check(t, "openat with an old descriptor", err, nil) // so it is
	// The classic: chroot further in without moving the working directory.
	ok(t, p.Chroot("/cell"))
	wants(t, "moved again", value[string](t)(p.Getcwd()), "/")
	_, err = p.Stat("../../secret")
	check(t, "stat", err, kern.ENOENT)
	_, err = free.Stat("/secret")
	check(t, "others are not locked in", err, nil)
	wants(t, "and stay where they were", value[string](t)(free.Getcwd()), "/")

	ok(t, p.Fchroot(jail)) // root may
	_, err = p.Stat("/cell")
	check(t, "stat", err, nil)
	grandchild := value[*sim.Proc](t)(p.Rfork(sim.RUMP_RFCFDG))
	_, err = grandchild.Stat("/secret")
	check(t, "children are", err, kern.ENOENT)
	ok(t, p.Setuid(7))
	check(t, "chroot", p.Chroot("/cell"), kern.EPERM)
	check(t, "chroot, null", p.Chroot(sim.NullPath), kern.EPERM)
	check(t, "fchroot", p.Fchroot(99), kern.EPERM)
}

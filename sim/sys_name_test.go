package sim_test

import (
	"strings"
	"testing"

	"rumpvfs/kern"
	"rumpvfs/sim"
)

// TestNames makes and removes names of all kinds, in this order.
func TestNames(t *testing.T) {
	p := boot(t, sim.Config{}).Init()
	long := strings.Repeat("n", 1024)
	for _, c := range []struct {
		name string
		do   func() error
		err  error
	}{
		{"mkdir", func() error { return p.Mkdir("/d", 0o7777) }, nil},
		{"mkdir, again", func() error { return p.Mkdir("/d", 0o755) }, kern.EEXIST},
		{"mkdir, trailing slash", func() error { return p.Mkdir("/d/e///", 0o755) }, nil},
		{"mkdir, .", func() error { return p.Mkdir("/d/.", 0o755) }, kern.EEXIST},
		{"mkdir, root", func() error { return p.Mkdir("/", 0o755) }, kern.EEXIST},
		{"mkdir, no parent", func() error { return p.Mkdir("/x/y", 0o755) }, kern.ENOENT},
		{"mkdir, null", func() error { return p.Mkdir(sim.NullPath, 0o755) }, kern.EFAULT},
		{"mkdirat, not open", func() error { return p.Mkdirat(99, "x", 0o755) }, kern.EBADF},
		{"symlink", func() error { return p.Symlink("/d/f", "/l") }, nil},
		{"symlink, again", func() error { return p.Symlink("/d/f", "/l") }, kern.EEXIST},
		{"symlink, long", func() error { return p.Symlink(long, "/x") }, kern.ENAMETOOLONG},
		{"symlink, as long as can be", func() error { return p.Symlink(long[:1023], "/longest") }, nil},
		{"symlink, bad target first", func() error { return p.Symlink("\x00x", sim.NullPath) }, kern.EINVAL},
		{"symlink, null", func() error { return p.Symlink(sim.NullPath, "/x") }, kern.EFAULT},
		{"symlink, empty", func() error { return p.Symlink("", "/empty") }, nil},
		{"mkfifo", func() error { return p.Mkfifo("/fifo", 0o666) }, nil},
		{"mkfifo, again", func() error { return p.Mkfifo("/fifo", 0o666) }, kern.EEXIST},
		{"mknod, character device", func() error { return p.Mknod("/d/c", kern.S_IFCHR|0o600, kern.Makedev(1, 2)) }, nil},
		{"mknod, block device", func() error { return p.Mknod("/d/b", kern.S_IFBLK|0o600, kern.Makedev(3, 4)) }, nil},
		{"mknod, file", func() error { return p.Mknod("/d/f", kern.S_IFREG|0o600, 7) }, nil},
		{"mknod, again", func() error { return p.Mknod("/d/f", kern.S_IFREG|0o600, 7) }, kern.EEXIST},
		{"mknod, whiteout", func() error { return p.Mknod("/d/w", kern.S_IFWHT, 0) }, nil},
		{"mknod, whiteout again", func() error { return p.Mknod("/d/f", kern.S_IFWHT, 0) }, kern.EEXIST},
		{"mknod, directory", func() error { return p.Mknod("/d/x", kern.S_IFDIR, 0) }, kern.EINVAL},
		{"mknod, socket", func() error { return p.Mknod("/d/x", kern.S_IFSOCK, 0) }, kern.EINVAL},
		{"mknod, fifo", func() error { return p.Mknod("/d/x", kern.S_IFIFO, 0) }, kern.EINVAL},
		{"mknod, nothing", func() error { return p.Mknod("/d/x", 0, 0) }, kern.EINVAL},
		{"mknod, no device", func() error { return p.Mknod("/d/x", kern.S_IFCHR, kern.NODEV) }, kern.EINVAL},
		{"mknod, no parent", func() error { return p.Mknod("/x/y", kern.S_IFREG, 0) }, kern.ENOENT},
		{"link", func() error { return p.Link("/d/f", "/hard") }, kern.EOPNOTSUPP},
		{"link, directory", func() error { return p.Link("/d", "/hard") }, kern.EPERM},
		{"link, exists", func() error { return p.Link("/d/f", "/d") }, kern.EEXIST},
		{"link, bad path", func() error { return p.Link("/d/f", "\x00x") }, kern.EINVAL},
		{"link, not there", func() error { return p.Link("/none", "\x00x") }, kern.ENOENT},
		{"rename", func() error { return p.Rename("/d/f", "/d/g") }, kern.EOPNOTSUPP},
		{"rename, not there", func() error { return p.Rename("/none", "/d/g") }, kern.ENOENT},
		{"rename, .", func() error { return p.Rename("/d/.", "/d/g") }, kern.EINVAL},
		{"rename, ..", func() error { return p.Rename("/d/..", "/d/g") }, kern.EINVAL},
		{"rename, bad path", func() error { return p.Rename("/none", "\x00x") }, kern.EINVAL},
		{"rename, no parent", func() error { return p.Rename("/d/f", "/none/g") }, kern.ENOENT},
		{"rename, onto .", func() error { return p.Rename("/d/f", "/d/.") }, kern.EINVAL},
		{"undelete", func() error { return p.Undelete("/d/w") }, kern.ENOENT},
		{"undelete, file", func() error { return p.Undelete("/d/f") }, kern.EEXIST},
		{"undelete, directory", func() error { return p.Undelete("/d/.") }, kern.EEXIST},
		{"undelete, not there", func() error { return p.Undelete("/none") }, kern.ENOENT},
		{"unlink, directory", func() error { return p.Unlink("/d") }, kern.EPERM},
		{"unlink, root", func() error { return p.Unlink("/") }, kern.EBUSY},
		{"unlink, .", func() error { return p.Unlink("/d/.") }, kern.EINVAL},
		{"unlink, not there", func() error { return p.Unlink("/none") }, kern.ENOENT},
		{"unlink, through a file", func() error { return p.Unlink("/d/f/x") }, kern.ENOTDIR},
		{"rmdir, file", func() error { return p.Rmdir("/d/f") }, kern.ENOTDIR},
		{"rmdir, not empty", func() error { return p.Rmdir("/d") }, kern.ENOTEMPTY},
		{"rmdir, ..", func() error { return p.Rmdir("/d/e/..") }, kern.ENOTEMPTY},
		{"rmdir, .", func() error { return p.Rmdir("/d/e/.") }, kern.EINVAL},
		{"rmdir", func() error { return p.Rmdir("/d/e") }, nil},
		{"unlinkat, odd flags", func() error { return p.Unlinkat(kern.AT_FDCWD, "/d/f", 1) }, nil},
		{"unlinkat, not open", func() error { return p.Unlinkat(99, "f", 0) }, kern.EBADF},
		{"unlinkat, bad path first", func() error { return p.Unlinkat(99, "\x00", 0) }, kern.EFAULT},
		{"unlink, symlink", func() error { return p.Unlink("/l") }, nil},
		{"unlink, fifo", func() error { return p.Unlink("/fifo") }, nil},
		{"unlink, device", func() error { return p.Unlink("/d/c") }, nil},
	} {
		if err := c.do(); err != c.err {
			t.Errorf("%s: %v, want %v", c.name, err, c.err)
		}
	}
	wants(t, "mkdir takes no sticky bit", value[kern.Stat](t)(p.Stat("/d")).Mode, kern.S_IFDIR|0o755)
	_, err := p.Stat("/d/w")
	check(t, "a whiteout is not there", err, kern.ENOENT)
	ok(t, p.Setuid(7))
	check(t, "mknod", p.Mknod("/tmp/x", kern.S_IFREG, 0), kern.EPERM)
	check(t, "mkfifo", p.Mkfifo("/tmp/x", 0o600), nil)
	check(t, "mkdir", p.Mkdir("/x", 0o700), kern.EACCES)
	check(t, "unlink", p.Unlink("/d/b"), kern.EACCES)
}

func TestNamesAt(t *testing.T) {
	p := boot(t, sim.Config{}).Init()
	ok(t, p.Mkdir("/d", 0o755))
	d := value[int](t)(p.Open("/d", kern.O_RDONLY, 0))
	ok(t, p.Mkdirat(d, "e", 0o700))
	wants(t, "mkdirat", value[kern.Stat](t)(p.Stat("/d/e")).Mode, kern.S_IFDIR|0o700)
	check(t, "unlinkat", p.Unlinkat(d, "e", 0), kern.EPERM)
	check(t, "unlinkat", p.Unlinkat(d, "e", kern.AT_REMOVEDIR), nil)
	ok(t, p.Rmdir("/d"))
	check(t, "in a removed directory", p.Mkdirat(d, "x", 0o755), nil) // the reference lets one
	check(t, "unlinkat", p.Unlinkat(d, "x", kern.AT_REMOVEDIR), nil)
}

// TestUndeleteFixed: without the quirk whiteouts go.
func TestUndeleteFixed(t *testing.T) {
	p := boot(t, sim.Config{Without: kern.Rev1125}).Init()
	ok(t, p.Mknod("/w", kern.S_IFWHT, 0))
	ok(t, p.Undelete("/w"))
	check(t, "again", p.Undelete("/w"), kern.ENOENT)
	ok(t, p.Mkdir("/d", 0o755))
	d := value[int](t)(p.Open("/d", kern.O_RDONLY, 0))
	ok(t, p.Rmdir("/d"))
	check(t, "in a removed directory", p.Mkdirat(d, "x", 0o755), kern.ENOENT)
}

func TestUmask(t *testing.T) {
	p := boot(t, sim.Config{}).Init()
	wants(t, "at boot", value[uint32](t)(p.Umask(0o77)), 0o22)
	ok(t, p.Mkdir("/d", 0o777))
	ok(t, p.Mkfifo("/fifo", 0o666))
	ok(t, p.Symlink("x", "/l"))
	ok(t, p.Mknod("/n", kern.S_IFREG|0o4666, 0))
	ok(t, p.Close(value[int](t)(p.Open("/f", kern.O_CREAT|kern.O_RDWR, 0o7777))))
	for path, mode := range map[string]uint32{"/d": 0o700, "/fifo": 0o600, "/l": 0o700, "/n": 0o4600, "/f": 0o6700} {
		wants(t, path, value[kern.Stat](t)(p.Lstat(path)).Mode&kern.ALLPERMS, mode)
	}
	child := value[*sim.Proc](t)(p.Rfork(sim.RUMP_RFSHFD))
	wants(t, "inherited", value[uint32](t)(child.Umask(^uint32(0))), 0o77)
	wants(t, "the parent's is its own", value[uint32](t)(p.Umask(0)), 0o77)
	wants(t, "permissions only", value[uint32](t)(child.Umask(0)), 0o7777)
}

package sim_test

import (
	"math"
	"strings"
	"testing"

	"rumpvfs/hypercall"
	"rumpvfs/kern"
	"rumpvfs/sim"
)

func TestStat(t *testing.T) {
	p := boot(t, sim.Config{}).Init()
	ok(t, p.Mkdir("/d", 0o751))
	fd := create(t, p, "/d/f", "12345")
	ok(t, p.Symlink("d/f", "/l"))
	d := value[int](t)(p.Open("/d", kern.O_RDONLY, 0))

	f := value[kern.Stat](t)(p.Stat("/d/f"))
	wants(t, "mode", f.Mode, kern.S_IFREG|0o644)
	wants(t, "size", f.Size, 5)
	wants(t, "nlink", f.Nlink, 1)
	wants(t, "stat through a link", value[kern.Stat](t)(p.Stat("/l")), f)
	wants(t, "fstat", value[kern.Stat](t)(p.Fstat(fd)), f)
	wants(t, "fstatat", value[kern.Stat](t)(p.Fstatat(d, "f", 0)), f)
	wants(t, "fstatat AT_FDCWD", value[kern.Stat](t)(p.Fstatat(kern.AT_FDCWD, "l", 0)), f)
	l := value[kern.Stat](t)(p.Lstat("/l"))
	wants(t, "lstat", l.Mode, kern.S_IFLNK|0o755)
	wants(t, "lstat", l.Size, 3)
	wants(t, "fstatat AT_SYMLINK_NOFOLLOW", value[kern.Stat](t)(p.Fstatat(d, "../l", kern.AT_SYMLINK_NOFOLLOW)), l)
	wants(t, "directory", value[kern.Stat](t)(p.Fstat(d)).Mode, kern.S_IFDIR|0o751)
	null := value[kern.Stat](t)(p.Stat("/dev/null"))
	wants(t, "device", null.Mode, kern.S_IFCHR|0o644) // less the umask
	wants(t, "device", null.Rdev, kern.Makedev(2, 2))
	wants(t, "no device", f.Rdev, kern.NODEV)

	for _, c := range []struct {
		name string
		do   func() (kern.Stat, error)
		err  error
	}{
		{"not there", func() (kern.Stat, error) { return p.Stat("/none") }, kern.ENOENT},
		{"through a file", func() (kern.Stat, error) { return p.Stat("/d/f/") }, kern.ENOTDIR},
		{"not open", func() (kern.Stat, error) { return p.Fstat(99) }, kern.EBADF},
		{"not open", func() (kern.Stat, error) { return p.Fstatat(99, "f", 0) }, kern.EBADF},
		{"bad path first", func() (kern.Stat, error) { return p.Fstatat(99, "\x00f", 0) }, kern.EINVAL},
		{"no directory", func() (kern.Stat, error) { return p.Fstatat(fd, "f", 0) }, kern.ENOTDIR},
		{"long name", func() (kern.Stat, error) { return p.Stat(strings.Repeat("n", 256)) }, kern.ENAMETOOLONG},
		{"long path", func() (kern.Stat, error) { return p.Stat(strings.Repeat("/.", 512)) }, kern.ENAMETOOLONG},
		{"100 KiB", func() (kern.Stat, error) { return p.Stat(strings.Repeat("y", 100<<10)) }, kern.ENAMETOOLONG},
		{"empty", func() (kern.Stat, error) { return p.Stat("") }, kern.ENOENT},
		{"null", func() (kern.Stat, error) { return p.Lstat(sim.NullPath) }, kern.EFAULT},
	} {
		sb, err := c.do()
		check(t, c.name, err, c.err)
		wants(t, c.name, sb, kern.Stat{})
	}
}

func TestAccess(t *testing.T) {
	p := boot(t, sim.Config{}).Init()
	ok(t, p.Close(create(t, p, "/f", "")))
	ok(t, p.Mkdir("/closed", 0o700))
	ok(t, p.Close(create(t, p, "/closed/f", "")))
	for _, c := range []struct {
		path string
		mode int
		err  error
	}{
		{"/f", kern.F_OK, nil},
		{"/f", kern.R_OK | kern.W_OK, nil},
		{"/f", kern.X_OK, kern.EACCES}, // not even root
		{"/closed", kern.X_OK, nil},
		{"/f", 8, kern.EINVAL},
		{"/none", 8, kern.EINVAL},
		{"/none", kern.F_OK, kern.ENOENT},
	} {
		check(t, "root: access "+c.path, p.Access(c.path, c.mode), c.err)
	}
	ok(t, p.Setuid(0))
	ok(t, p.Seteuid(7))
	check(t, "the real user counts", p.Access("/closed/f", kern.W_OK), nil)
	_, err := p.Stat("/closed/f")
	check(t, "and the effective one elsewhere", err, kern.EACCES)
	ok(t, p.Seteuid(0))
	ok(t, p.Setuid(7))
	for _, c := range []struct {
		path string
		mode int
		err  error
	}{
		{"/f", kern.R_OK, nil}, {"/f", kern.W_OK, kern.EACCES}, {"/f", kern.R_OK | kern.W_OK, kern.EACCES},
		{"/closed", kern.F_OK, nil}, {"/closed", kern.X_OK, kern.EACCES}, {"/closed/f", kern.F_OK, kern.EACCES},
	} {
		check(t, "user: access "+c.path, p.Access(c.path, c.mode), c.err)
	}
}

// attributes is what the chmod family changes.
type attributes struct {
	mode, uid, gid, flags uint32
}

func attrs(t testing.TB, p *sim.Proc, path string) attributes {
	t.Helper()
	sb := value[kern.Stat](t)(p.Lstat(path))
	return attributes{sb.Mode & kern.ALLPERMS, sb.UID, sb.GID, sb.FileFlags}
}

func TestChange(t *testing.T) {
	p := boot(t, sim.Config{}).Init()
	fd := create(t, p, "/f", "")
	ok(t, p.Symlink("/f", "/l"))
	const keep = ^uint32(0)
	for _, c := range []struct {
		name    string
		got     error
		path    string
		want    attributes
		wantErr error
	}{
		{"chmod", p.Chmod("/l", 0o6755), "/f", attributes{mode: 0o6755}, nil},
		{"chown", p.Chown("/l", 1, keep), "/f", attributes{mode: 0o2755, uid: 1}, nil},
		{"chown", p.Chown("/f", keep, 2), "/f", attributes{mode: 0o755, uid: 1, gid: 2}, nil},
		{"fchmod, high bits", p.Fchmod(fd, keep), "/f", attributes{mode: 0o7777, uid: 1, gid: 2}, nil},
		{"chown, nothing", p.Chown("/f", keep, keep), "/f", attributes{mode: 0o7777, uid: 1, gid: 2}, nil},
		{"fchown", p.Fchown(fd, 3, 4), "/f", attributes{mode: 0o1777, uid: 3, gid: 4}, nil},
		{"chflags", p.Chflags("/l", kern.UF_NODUMP), "/f", attributes{0o1777, 3, 4, kern.UF_NODUMP}, nil},
		{"fchflags", p.Fchflags(fd, 0), "/f", attributes{0o1777, 3, 4, 0}, nil},
		{"lchmod", p.Lchmod("/l", 0o700), "/l", attributes{mode: 0o700}, nil},
		{"lchown", p.Lchown("/l", 5, 6), "/l", attributes{mode: 0o700, uid: 5, gid: 6}, nil},
		{"lchflags", p.Lchflags("/l", kern.UF_OPAQUE), "/l", attributes{0o700, 5, 6, kern.UF_OPAQUE}, nil},
		{"chmod, not there", p.Chmod("/none", 0), "/f", attributes{0o1777, 3, 4, 0}, kern.ENOENT},
		{"lchmod, null", p.Lchmod(sim.NullPath, 0), "/f", attributes{0o1777, 3, 4, 0}, kern.EFAULT},
		{"fchmod, not open", p.Fchmod(99, 0), "/f", attributes{0o1777, 3, 4, 0}, kern.EBADF},
		{"fchmod, the console", p.Fchmod(1, 0), "/f", attributes{0o1777, 3, 4, 0}, kern.EINVAL},
		{"fchown, not open", p.Fchown(-1, 0, 0), "/f", attributes{0o1777, 3, 4, 0}, kern.EBADF},
	} {
		check(t, c.name, c.got, c.wantErr)
		_ = c
	}
	wants(t, "in the end", attrs(t, p, "/f"), attributes{0o1777, 3, 4, 0})
	wants(t, "in the end", attrs(t, p, "/l"), attributes{0o700, 5, 6, kern.UF_OPAQUE})

	ok(t, p.Setgid(4))
	ok(t, p.Setgroups(8))
	ok(t, p.Setuid(3))
	check(t, "owner: chmod", p.Chmod("/f", 0o640), nil)
	check(t, "owner: chown to another group of his", p.Chown("/f", keep, 8), nil)
	check(t, "owner: chown away", p.Chown("/f", 9, keep), kern.EPERM)
	check(t, "owner: chown to a foreign group", p.Chown("/f", keep, 9), kern.EPERM)
	check(t, "other: lchmod", p.Lchmod("/l", 0), kern.EPERM)
	wants(t, "in the end", attrs(t, p, "/f"), attributes{mode: 0o640, uid: 3, gid: 8})
}

func TestUtimes(t *testing.T) {
	k := boot(t, sim.Config{Mode: hypercall.Deterministic})
	p := k.Init()
	fd := create(t, p, "/f", "")
	ok(t, p.Symlink("/f", "/l"))
	times := func(path string) (a, m kern.Timespec) {
		sb := value[kern.Stat](t)(p.Lstat(path))
		return sb.Atim, sb.Mtim
	}
	now := kern.Timespec{Sec: k.Sys.Now().Unix()}
	for _, c := range []struct {
		name         string
		set          func(tv *[2]sim.Timeval) error
		path         string
		tv           *[2]sim.Timeval
		atime, mtime kern.Timespec
	}{
		{"utimes", func(tv *[2]sim.Timeval) error { return p.Utimes("/l", tv) }, "/f",
			&[2]sim.Timeval{{5, 6}, {7, 8}}, kern.Timespec{Sec: 5, Nsec: 6000}, kern.Timespec{Sec: 7, Nsec: 8000}},
		{"lutimes", func(tv *[2]sim.Timeval) error { return p.Lutimes("/l", tv) }, "/l",
			&[2]sim.Timeval{{1, 2}, {3, 4}}, kern.Timespec{Sec: 1, Nsec: 2000}, kern.Timespec{Sec: 3, Nsec: 4000}},
		{"futimes, omit", func(tv *[2]sim.Timeval) error { return p.Futimes(fd, tv) }, "/f",
			&[2]sim.Timeval{{9, kern.UTIME_OMIT}, {8, 9}}, kern.Timespec{Sec: 5, Nsec: 6000}, kern.Timespec{Sec: 8, Nsec: 9000}},
		{"futimes, omit", func(tv *[2]sim.Timeval) error { return p.Futimes(fd, tv) }, "/f",
			&[2]sim.Timeval{{10, 11}, {8, kern.UTIME_OMIT}}, kern.Timespec{Sec: 10, Nsec: 11000}, kern.Timespec{Sec: 8, Nsec: 9000}},
		{"now and then", func(tv *[2]sim.Timeval) error { return p.Futimes(fd, tv) }, "/f",
			&[2]sim.Timeval{{0, 0}, {8, kern.UTIME_NOW}}, kern.Timespec{}, now},
		{"now", func(tv *[2]sim.Timeval) error { return p.Utimes("/f", tv) }, "/f", nil, now, now},
		{"huge", func(tv *[2]sim.Timeval) error { return p.Utimes("/f", tv) }, "/f",
			&[2]sim.Timeval{{math.MaxInt64, -3}, {math.MinInt64, 1 << 40}},
			kern.Timespec{Sec: math.MaxInt64, Nsec: -3000}, kern.Timespec{Sec: math.MinInt64, Nsec: 1000 << 40}},
	} {
		check(t, c.name, c.set(c.tv), nil)
		if a, m := times(c.path); a != c.atime || m != c.mtime {
			t.Errorf("%s: %v %v, want %v %v", c.name, a, m, c.atime, c.mtime)
		}
	}
	check(t, "not open", p.Futimes(99, nil), kern.EBADF)
	check(t, "not there", p.Utimes("/none", nil), kern.ENOENT)
	ok(t, p.Setuid(7))
	check(t, "not one's own", p.Utimes("/f", &[2]sim.Timeval{}), kern.EPERM)
	check(t, "now, but may not write", p.Utimes("/f", nil), kern.EACCES)
}

// TestUtimesBirth: a file cannot be modified before it was born.
func TestUtimesBirth(t *testing.T) {
	p := boot(t, sim.Config{Without: kern.Rev1125}).Init()
	ok(t, p.Close(create(t, p, "/f", "")))
	ok(t, p.Utimes("/f", &[2]sim.Timeval{{Sec: 5}, {Sec: 6}}))
	wants(t, "birth", value[kern.Stat](t)(p.Stat("/f")).Birthtim, kern.Timespec{Sec: 6})
	for _, tv := range [][2]sim.Timeval{{{Usec: -1}, {}}, {{}, {Usec: 1_000_000}}} {
		check(t, "utimes", p.Utimes("/f", &tv), kern.EINVAL)
	}
}

func TestReadlink(t *testing.T) {
	p := boot(t, sim.Config{}).Init()
	ok(t, p.Symlink("some/where", "/l"))
	ok(t, p.Close(create(t, p, "/f", "")))
	b := make([]byte, 100)
	wants(t, "readlink", string(b[:value[int](t)(p.Readlink("/l", b))]), "some/where")
	wants(t, "short", string(b[:value[int](t)(p.Readlink("/l", b[:4]))]), "some")
	wants(t, "no room", value[int](t)(p.Readlink("/l", nil)), 0)
	for _, c := range []struct {
		path string
		err  error
	}{{"/f", kern.EINVAL}, {"/", kern.EINVAL}, {"/none", kern.ENOENT}, {"", kern.ENOENT}} {
		_, err := p.Readlink(c.path, b)
		check(t, "readlink "+c.path, err, c.err)
	}
}

func TestPathconf(t *testing.T) {
	p := boot(t, sim.Config{}).Init()
	fd := create(t, p, "/f", "")
	wants(t, "NAME_MAX", value[int64](t)(p.Pathconf("/", kern.PC_NAME_MAX)), 255)
	wants(t, "NAME_MAX", value[int64](t)(p.Fpathconf(fd, kern.PC_NAME_MAX)), 255)
	_, err := p.Pathconf("/", -1)
	check(t, "odd name", err, kern.EINVAL)
	_, err = p.Fpathconf(fd, 1<<30)
	check(t, "odd name", err, kern.EINVAL)
	_, err = p.Fpathconf(99, kern.PC_NAME_MAX)
	check(t, "not open", err, kern.EBADF)
	_, err = p.Pathconf("/none", kern.PC_NAME_MAX)
	check(t, "not there", err, kern.ENOENT)
}

func TestRevoke(t *testing.T) {
	p := boot(t, sim.Config{}).Init()
	null := value[int](t)(p.Open("/dev/null", kern.O_RDWR, 0))
	check(t, "not there", p.Revoke("/none"), kern.ENOENT)
	check(t, "root", p.Revoke("/dev/null"), nil)
	_, err := p.Read(null, make([]byte, 1))
	check(t, "read", err, kern.EIO)
	_, err = p.Fstat(null)
	check(t, "fstat", err, kern.EBADF)
	check(t, "close", p.Close(null), nil)
	value[int](t)(p.Open("/dev/null", kern.O_RDWR, 0))
	ok(t, p.Setuid(7))
	check(t, "not one's own", p.Revoke("/dev/zero"), kern.EPERM)
}

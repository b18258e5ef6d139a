package sim_test

import (
	"math"
	"testing"

	"rumpvfs/kern"
	"rumpvfs/sim"
)

func TestOpen(t *testing.T) {
	p := boot(t, sim.Config{}).Init()
	ok(t, p.Mkdir("/d", 0o755))
	ok(t, p.Close(create(t, p, "/f", "text")))
	ok(t, p.Symlink("/f", "/l"))
	ok(t, p.Symlink("/nowhere", "/dangling"))
	ok(t, p.Symlink("/loop", "/loop"))
	for _, c := range []struct {
		path  string
		flags int
		err   error
	}{
		{"/f", kern.O_RDONLY, nil},
		{"/f", kern.O_WRONLY, nil},
		{"/f", kern.O_RDWR, nil},
		{"/f", kern.O_ACCMODE, kern.EINVAL},
		{"/f", kern.O_RDWR | kern.O_SEARCH, nil},
		{"/none", kern.O_RDONLY, kern.ENOENT},
		{"", kern.O_RDONLY, kern.ENOENT},
		{sim.NullPath, kern.O_RDONLY, kern.EFAULT},
		{"/f\x00", kern.O_RDONLY, kern.EINVAL},
		{string(make([]byte, 2000)), kern.O_RDONLY, kern.EINVAL},
		{"/f/x", kern.O_RDONLY, kern.ENOTDIR},
		{"/f", kern.O_CREAT | kern.O_EXCL, kern.EEXIST},
		{"/f", kern.O_CREAT | kern.O_DIRECTORY, kern.EINVAL},
		{"/f", kern.O_DIRECTORY, kern.ENOTDIR},
		{"/d", kern.O_DIRECTORY, nil},
		{"/d", kern.O_RDONLY, nil},
		{"/d", kern.O_WRONLY, kern.EISDIR},
		{"/d", kern.O_RDONLY | kern.O_TRUNC, kern.EISDIR},
		{"/d", kern.O_CREAT | kern.O_RDWR, kern.EISDIR},
		{"/l", kern.O_RDONLY, nil},
		{"/l", kern.O_RDONLY | kern.O_NOFOLLOW, kern.EFTYPE},
		{"/l", kern.O_RDWR | kern.O_CREAT | kern.O_EXCL, kern.EEXIST},
		{"/dangling", kern.O_RDONLY, kern.ENOENT},
		{"/loop", kern.O_RDONLY, kern.ELOOP},
		{"/new", kern.O_RDWR | kern.O_CREAT | kern.O_EXCL, nil},
		{"/dangling", kern.O_RDWR | kern.O_CREAT, nil},
	} {
		fd, err := p.Open(c.path, c.flags, 0o600)
		if err != c.err {
			t.Errorf("open %q %#x: %v, want %v", c.path, c.flags, err, c.err)
		}
		if err != nil {
			wants(t, "descriptor on failure", fd, -1)
			continue
		}
		wants(t, "lowest descriptor", fd, 3)
		ok(t, p.Close(fd))
	}
	wants(t, "made through the link", value[kern.Stat](t)(p.Stat("/nowhere")).Mode, kern.S_IFREG|0o600)
	wants(t, "O_TRUNC not yet", content(t, p, "/f"), "text")
	ok(t, p.Close(value[int](t)(p.Open("/f", kern.O_WRONLY|kern.O_TRUNC, 0))))
	wants(t, "O_TRUNC", content(t, p, "/f"), "")
}

func TestOpenat(t *testing.T) {
	p := boot(t, sim.Config{}).Init()
	ok(t, p.Mkdir("/d", 0o755))
	d := value[int](t)(p.Open("/d", kern.O_RDONLY, 0))
	f := create(t, p, "/f", "")
	fd := value[int](t)(p.Openat(d, "x", kern.O_RDWR|kern.O_CREAT, 0o644))
	if _, err := p.Stat("/d/x"); err != nil {
		t.Error(err)
	}
	for _, c := range []struct {
		fdat int
		path string
		err  error
	}{
		{d, "x", nil}, {d, "/f", nil}, {d, "../f", nil}, {kern.AT_FDCWD, "f", nil},
		{f, "x", kern.ENOTDIR}, {f, "/f", nil}, {99, "x", kern.EBADF}, {99, "/f", kern.EBADF}, {-1, "x", kern.EBADF},
		{0, "x", kern.EINVAL}, {99, "x\x00", kern.EINVAL}, {99, sim.NullPath, kern.EFAULT}, {math.MinInt, "x", kern.EBADF},
	} {
		fd, err := p.Openat(c.fdat, c.path, kern.O_RDONLY, 0)
		if err != c.err {
			t.Errorf("openat %d %q: %v, want %v", c.fdat, c.path, err, c.err)
		}
		if err == nil {
			ok(t, p.Close(fd))
		}
	}
	ok(t, p.Close(fd))
}

func TestOpenPermissions(t *testing.T) {
	p := boot(t, sim.Config{}).Init()
	ok(t, p.Close(create(t, p, "/f", "text"))) // root's, 0644
	ok(t, p.Mkdir("/closed", 0o700))
	ok(t, p.Close(create(t, p, "/closed/f", "")))
	ok(t, p.Setuid(7))
	for _, c := range []struct {
		path  string
		flags int
		err   error
	}{
		{"/f", kern.O_RDONLY, nil},
		{"/f", kern.O_WRONLY, kern.EACCES},
		{"/f", kern.O_RDONLY | kern.O_TRUNC, kern.EACCES},
		{"/closed", kern.O_RDONLY, kern.EACCES},
		{"/closed/f", kern.O_RDONLY, kern.EACCES},
		{"/tmp/new", kern.O_RDWR | kern.O_CREAT, nil},
		{"/new", kern.O_RDWR | kern.O_CREAT, kern.EACCES},
	} {
		fd, err := p.Open(c.path, c.flags, 0o400)
		if err != c.err {
			t.Errorf("open %q %#x: %v, want %v", c.path, c.flags, err, c.err)
		}
		if err == nil {
			ok(t, p.Close(fd))
		}
	}
}

// TestTableFull fills a descriptor table: it holds RLIMIT_NOFILE descriptors.
func TestTableFull(t *testing.T) {
	p := boot(t, sim.Config{}).Init()
	for fd := 3; fd < kern.NOFILE; fd++ {
		wants(t, "open", value[int](t)(p.Open("/", kern.O_RDONLY, 0)), fd)
	}
	_, err := p.Open("/", kern.O_RDONLY, 0)
	check(t, "open", err, kern.EMFILE)
	_, err = p.Dup(0)
	check(t, "dup", err, kern.EMFILE)
	_, err = p.Fcntl(0, kern.F_DUPFD, 4)
	check(t, "fcntl F_DUPFD", err, kern.EMFILE)
	wants(t, "F_MAXFD", value[int](t)(p.Fcntl(-7, kern.F_MAXFD, 0)), kern.NOFILE-1)
	ok(t, p.Close(70))
	wants(t, "the free one", value[int](t)(p.Dup(0)), 70)
	_, err = p.Fcntl(100, kern.F_CLOSEM, 0)
	check(t, "F_CLOSEM", err, nil)
	wants(t, "F_MAXFD", value[int](t)(p.Fcntl(0, kern.F_MAXFD, 0)), 99)
	_, err = p.Fcntl(-1, kern.F_CLOSEM, 0)
	check(t, "F_CLOSEM", err, kern.EBADF)
}

func TestDup(t *testing.T) {
	p := boot(t, sim.Config{}).Init()
	fd := create(t, p, "/f", "0123456789")
	other := value[int](t)(p.Dup(fd))
	wants(t, "dup", other, 4)
	value[int64](t)(p.Lseek(fd, 5, kern.SEEK_SET))
	wants(t, "one offset for both", value[int64](t)(p.Lseek(other, 0, kern.SEEK_CUR)), 5)
	for _, c := range []struct {
		from, to, want int
		err            error
	}{
		{fd, 60, 60, nil}, // the table grows
		{fd, 60, 60, nil}, // over an open one
		{fd, fd, fd, nil},
		{fd, kern.NOFILE, -1, kern.EBADF},
		{fd, -1, -1, kern.EBADF},
		{fd, math.MinInt, -1, kern.EBADF},
		{fd, math.MaxInt, -1, kern.EBADF},
		{99, 5, -1, kern.EBADF},
		{99, 99, -1, kern.EBADF},
		{-1, 5, -1, kern.EBADF},
	} {
		got, err := p.Dup2(c.from, c.to)
		if got != c.want || err != c.err {
			t.Errorf("dup2 %d %d: %d %v, want %d %v", c.from, c.to, got, err, c.want, c.err)
		}
	}
	ok(t, p.Close(fd))
	wants(t, "still open elsewhere", value[int64](t)(p.Lseek(60, 0, kern.SEEK_CUR)), 5)
	check(t, "close", p.Close(fd), kern.EBADF)
	check(t, "close", p.Close(-1), kern.EBADF)
	check(t, "close", p.Close(1<<40), kern.EBADF)
	_, err := p.Dup(fd)
	check(t, "dup", err, kern.EBADF)
}

func TestFcntl(t *testing.T) {
	p := boot(t, sim.Config{}).Init()
	fd := create(t, p, "/f", "text")
	none := value[int](t)(p.Open("/dev/null", kern.O_RDONLY, 0))
	ok(t, p.Close(none))
	null := value[int](t)(p.Open("/dev/null", kern.O_RDWR, 0))
	for _, c := range []struct {
		fd, cmd int
		arg     int64
		want    int
		err     error
	}{
		{fd, kern.F_GETFD, 0, 0, nil},
		{fd, kern.F_SETFD, kern.FD_CLOEXEC, 0, nil},
		{fd, kern.F_GETFD, 0, kern.FD_CLOEXEC, nil},
		{fd, kern.F_SETFD, 2, 0, nil},
		{fd, kern.F_GETFD, 0, 0, nil},
		{fd, kern.F_GETFL, 0, kern.O_RDWR, nil},
		{fd, kern.F_SETFL, kern.O_APPEND, 0, kern.EOPNOTSUPP}, // rumpfs has no fcntl
		{fd, kern.F_GETFL, 0, kern.O_RDWR, nil},
		{1, kern.F_SETFL, kern.O_APPEND | kern.O_CREAT | kern.O_WRONLY, 0, nil},
		{1, kern.F_GETFL, 0, kern.O_WRONLY | kern.O_APPEND, nil},
		{1, kern.F_SETFL, kern.O_NONBLOCK, 0, kern.ENOTTY},
		{1, kern.F_GETFL, 0, kern.O_WRONLY | kern.O_APPEND, nil},
		{fd, kern.F_GETNOSIGPIPE, 0, 0, nil},
		{fd, kern.F_SETNOSIGPIPE, 1, 0, nil},
		{fd, kern.F_GETNOSIGPIPE, 0, 1, nil},
		{fd, kern.F_SETNOSIGPIPE, 0, 0, nil},
		{fd, kern.F_GETNOSIGPIPE, 0, 0, nil},
		{fd, kern.F_DUPFD, 20, 20, nil},
		{fd, kern.F_DUPFD, 20, 21, nil},
		{20, kern.F_GETFD, 0, 0, nil},
		{fd, kern.F_DUPFD_CLOEXEC, 20, 22, nil},
		{22, kern.F_GETFD, 0, kern.FD_CLOEXEC, nil},
		{fd, kern.F_DUPFD, kern.NOFILE, -1, kern.EINVAL},
		{fd, kern.F_DUPFD, -1, -1, kern.EINVAL},
		{fd, kern.F_DUPFD, math.MinInt64 + 23, 23, nil}, // an int is what counts
		{99, kern.F_DUPFD, 5, -1, kern.EBADF},
		{fd, 999, 0, -1, kern.EINVAL},
		{99, 999, 0, -1, kern.EBADF},
		{-1, kern.F_GETFD, 0, -1, kern.EBADF},
		{fd, kern.F_GETLK, 0, -1, kern.EFAULT},
		{fd, kern.F_SETLKW, 1, -1, kern.EFAULT},
		{fd, kern.F_FSCTL, 0, 0, kern.EOPNOTSUPP},
		{null, kern.F_SETFL, kern.O_NONBLOCK, 0, kern.ENODEV}, // the driver knows no FIONBIO
		{null, kern.F_SETFL, kern.O_ASYNC, 0, kern.ENODEV},
		{null, kern.F_GETFL, 0, kern.O_RDWR, nil},
		{1, kern.F_SETFL, 0, 0, nil},
		{1, kern.F_FSCTL, 0, 0, kern.EOPNOTSUPP},
	} {
		got, err := p.Fcntl(c.fd, c.cmd, c.arg)
		if got != c.want || err != c.err {
			t.Errorf("fcntl %d %d %d: %d %v, want %d %v", c.fd, c.cmd, c.arg, got, err, c.want, c.err)
		}
	}
	for _, cmd := range []int{kern.F_GETOWN, kern.F_SETOWN} {
		if _, err := p.Fcntl(fd, cmd, 1); err == nil {
			t.Errorf("fcntl %d: a file has an owner", cmd)
		}
	}
}

func TestCloexecAndAppend(t *testing.T) {
	p := boot(t, sim.Config{}).Init()
	ok(t, p.Close(create(t, p, "/f", "one")))
	fd := value[int](t)(p.Open("/f", kern.O_RDWR|kern.O_APPEND|kern.O_CLOEXEC, 0))
	wants(t, "F_GETFD", value[int](t)(p.Fcntl(fd, kern.F_GETFD, 0)), kern.FD_CLOEXEC)
	value[int](t)(p.Write(fd, []byte("two")))
	wants(t, "appended", content(t, p, "/f"), "onetwo")
	wants(t, "offset", value[int64](t)(p.Lseek(fd, 0, kern.SEEK_CUR)), 6)
	ok(t, p.Close(fd))
	fd = value[int](t)(p.Open("/f", kern.O_RDONLY, 0))
	wants(t, "the next one has it not", value[int](t)(p.Fcntl(fd, kern.F_GETFD, 0)), 0)
}

func TestFcntlLock(t *testing.T) {
	k := boot(t, sim.Config{})
	p := k.Init()
	fd := create(t, p, "/f", "0123456789")
	q := value[*sim.Proc](t)(p.Rfork(sim.RUMP_RFFDG))
	ro := value[int](t)(p.Open("/f", kern.O_RDONLY, 0))
	lock := func(kind int16, start, n int64) *kern.Flock { return &kern.Flock{Type: kind, Start: start, Len: n} }
	for _, c := range []struct {
		name    string
		p       *sim.Proc
		fd, cmd int
		fl      *kern.Flock
		err     error
	}{
		{"take", p, fd, kern.F_SETLK, lock(kern.F_WRLCK, 0, 5), nil},
		{"conflict", q, fd, kern.F_SETLK, lock(kern.F_RDLCK, 4, 1), kern.EAGAIN},
		{"beside it", q, fd, kern.F_SETLK, lock(kern.F_RDLCK, 5, 1), nil},
		{"wait in vain", p, fd, kern.F_SETLK, lock(kern.F_WRLCK, 5, 1), kern.EAGAIN},
		{"no such type", p, fd, kern.F_SETLK, lock(9, 0, 0), kern.EINVAL},
		{"no such type", p, fd, kern.F_GETLK, lock(9, 0, 0), kern.EINVAL},
		{"no such command", p, fd, 77, lock(kern.F_RDLCK, 0, 0), kern.EINVAL},
		{"negative", p, fd, kern.F_SETLK, lock(kern.F_RDLCK, -1, 0), kern.EINVAL},
		{"odd whence", p, fd, kern.F_SETLK, &kern.Flock{Type: kern.F_RDLCK, Whence: 5}, kern.EINVAL},
		{"not open", p, 99, kern.F_SETLK, lock(kern.F_RDLCK, 0, 0), kern.EBADF},
		{"not for writing", p, ro, kern.F_SETLK, lock(kern.F_WRLCK, 0, 0), kern.EBADF},
		{"for reading", p, ro, kern.F_SETLK, lock(kern.F_RDLCK, 100, 1), nil},
		{"the console", p, 1, kern.F_SETLK, lock(kern.F_WRLCK, 0, 0), kern.EINVAL},
		{"give back", p, fd, kern.F_SETLK, lock(kern.F_UNLCK, 0, 0), nil},
		{"free again", q, fd, kern.F_SETLKW, lock(kern.F_WRLCK, 0, 0), nil},
	} {
		check(t, c.name, c.p.FcntlLock(c.fd, c.cmd, c.fl), c.err)
	}
	fl := lock(kern.F_WRLCK, 3, 4)
	ok(t, p.FcntlLock(fd, kern.F_GETLK, fl))
	wants(t, "F_GETLK", *fl, kern.Flock{Type: kern.F_WRLCK, Pid: 2})
	fl = lock(kern.F_WRLCK, 3, 4)
	ok(t, q.FcntlLock(fd, kern.F_GETLK, fl))
	wants(t, "F_GETLK of one's own", *fl, kern.Flock{Type: kern.F_UNLCK, Start: 3, Len: 4})

	// SEEK_CUR counts from the offset, and leaves the caller's struct alone.
	ok(t, q.FcntlLock(fd, kern.F_SETLK, lock(kern.F_UNLCK, 0, 0)))
	fl = &kern.Flock{Type: kern.F_WRLCK, Whence: kern.SEEK_CUR, Start: -3, Len: 2}
	ok(t, q.FcntlLock(fd, kern.F_SETLK, fl))
	wants(t, "unchanged", fl.Start, -3)
	fl = lock(kern.F_RDLCK, 0, 0)
	ok(t, p.FcntlLock(fd, kern.F_GETLK, fl))
	wants(t, "SEEK_CUR", *fl, kern.Flock{Type: kern.F_WRLCK, Start: 7, Len: 2, Pid: 2})

	// Closing any descriptor of the file lets the process's locks go.
	ok(t, q.Close(value[int](t)(q.Open("/f", kern.O_RDONLY, 0))))
	ok(t, p.FcntlLock(fd, kern.F_SETLK, lock(kern.F_WRLCK, 0, 0)))
}

func TestFlock(t *testing.T) {
	p := boot(t, sim.Config{}).Init()
	a := create(t, p, "/f", "")
	b := value[int](t)(p.Open("/f", kern.O_RDONLY, 0))
	same := value[int](t)(p.Dup(a))
	for _, c := range []struct {
		name    string
		fd, how int
		err     error
	}{
		{"shared", a, kern.LOCK_SH, nil},
		{"shared twice", b, kern.LOCK_SH, nil},
		{"exclusive", b, kern.LOCK_EX | kern.LOCK_NB, kern.EAGAIN},
		{"give back", a, kern.LOCK_UN, nil},
		{"give back again", a, kern.LOCK_UN | kern.LOCK_NB, nil},
		{"exclusive", b, kern.LOCK_EX, nil},
		{"conflict", a, kern.LOCK_SH | kern.LOCK_NB, kern.EAGAIN},
		{"no operation", a, 0, kern.EINVAL},
		{"no operation", a, kern.LOCK_NB, kern.EINVAL},
		{"two operations", a, kern.LOCK_SH | kern.LOCK_EX, kern.EINVAL},
		{"not open", 99, kern.LOCK_SH, kern.EBADF},
		{"the console", 1, kern.LOCK_SH, kern.EOPNOTSUPP},
	} {
		check(t, c.name, p.Flock(c.fd, c.how), c.err)
	}
	ok(t, p.Close(b)) // releases it
	ok(t, p.Flock(a, kern.LOCK_EX|kern.LOCK_NB))
	ok(t, p.Close(a))
	_, err := p.Open("/f", kern.O_RDONLY|kern.O_SHLOCK|kern.O_NONBLOCK, 0)
	check(t, "still held through the duplicate", err, kern.EAGAIN)
	ok(t, p.Close(same))
	fd := value[int](t)(p.Open("/f", kern.O_RDWR|kern.O_EXLOCK, 0))
	_, err = p.Open("/f", kern.O_RDONLY|kern.O_SHLOCK|kern.O_NONBLOCK, 0)
	check(t, "O_SHLOCK", err, kern.EAGAIN)
	wants(t, "the descriptor is given back", value[int](t)(p.Dup(0)), fd+1)
}

func TestPosixFadvise(t *testing.T) {
	p := boot(t, sim.Config{}).Init()
	fd := create(t, p, "/f", string(make([]byte, 20000)))
	ok(t, p.Mkdir("/d", 0o755))
	d := value[int](t)(p.Open("/d", kern.O_RDONLY, 0))
	for _, c := range []struct {
		fd     int
		off, n int64
		advice int
		err    error
	}{
		{fd, 0, 0, kern.POSIX_FADV_NORMAL, nil},
		{fd, 0, 0, kern.POSIX_FADV_RANDOM, nil},
		{fd, 0, 0, kern.POSIX_FADV_SEQUENTIAL, nil},
		{fd, 0, 0, kern.POSIX_FADV_WILLNEED, nil},
		{fd, 0, 0, kern.POSIX_FADV_DONTNEED, nil},
		{fd, 100, 8192, kern.POSIX_FADV_DONTNEED, nil},
		{fd, 100, 100, kern.POSIX_FADV_DONTNEED, nil},
		{fd, math.MaxInt64, 0, kern.POSIX_FADV_DONTNEED, nil},
		{fd, -5000, 0, kern.POSIX_FADV_DONTNEED, nil},
		{d, 0, 0, kern.POSIX_FADV_DONTNEED, nil},
		{fd, 0, 0, kern.POSIX_FADV_NOREUSE, nil},
		{fd, 0, 0, 6, kern.EINVAL},
		{fd, 0, -1, kern.POSIX_FADV_NORMAL, kern.EINVAL},
		{fd, 1, math.MaxInt64, kern.POSIX_FADV_NORMAL, kern.EINVAL},
		{fd, 0, math.MaxInt64, kern.POSIX_FADV_NORMAL, nil},
		{fd, -1, 1, kern.POSIX_FADV_NORMAL, kern.EINVAL},
		{99, 0, -1, kern.POSIX_FADV_NORMAL, kern.EINVAL},
		{99, 0, 0, kern.POSIX_FADV_NORMAL, kern.EBADF},
		{1, 0, 0, kern.POSIX_FADV_NORMAL, kern.EOPNOTSUPP},
	} {
		if err := p.PosixFadvise(c.fd, c.off, c.n, c.advice); err != c.err {
			t.Errorf("posix_fadvise %d %d %d %d: %v, want %v", c.fd, c.off, c.n, c.advice, err, c.err)
		}
	}
}

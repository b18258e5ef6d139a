package vfs_test

import (
	"fmt"
	"maps"
	"slices"
	"sync/atomic"
	"testing"

	"pgregory.net/rapid"

	"rumpvfs/kern"
	"rumpvfs/sim"
	"rumpvfs/vfs"
	"rumpvfs/vnode"
)

// ExampleFiledesc_Dup2 has two descriptors of one open file: they share its
// offset, and the file is closed with the last of them.
func ExampleFiledesc_Dup2() {
	k, err := sim.Boot(sim.Config{})
	if err != nil {
		fmt.Println(err)
		return
	}
	p := k.Init()
	fd, _ := p.Open("/motd", kern.O_RDWR|kern.O_CREAT, 0o644)
	_, _ = p.Dup2(fd, 10)
	_, _ = p.Write(fd, []byte("hello, "))
	_, _ = p.Write(10, []byte("world"))
	_ = p.Close(fd)
	b := make([]byte, 32)
	n, err := p.Pread(10, b, 0)
	fmt.Printf("%q %v\n", b[:n], err)
	fmt.Println(k.F.OpenFiles(), "open files") // the console is the other
	fmt.Println(p.Close(fd))
	fmt.Println(k.Shutdown())
	// Output:
	// "hello, world" <nil>
	// 2 open files
	// EBADF: the descriptor is not open, or not open for this
	// <nil>
}

func TestLowestDescriptor(t *testing.T) {
	tb := newTable(t, sim.Config{})
	tb.want("last of an empty table", tb.fdp.Lastfile(tb.l), -1)
	fp, _, _ := tb.file()
	for want := 1; want < tb.fdp.Limit(); want++ { // the table grows on the way
		fd, err := tb.fdp.Dup(tb.l, fp, 0, false)
		tb.must(err)
		tb.want("lowest", fd, want)
	}
	_, err := tb.fdp.Dup(tb.l, fp, 0, false)
	tb.want("a full table", err, kern.EMFILE)
	_, _, err = tb.fdp.AllocFile(tb.l)
	tb.want("a full table, with file", err, kern.EMFILE)
	for _, fd := range []int{100, 7, 64, 63} {
		tb.close(fd)
	}
	for _, c := range []struct{ from, want int }{{8, 63}, {8, 64}, {65, 100}, {0, 7}} {
		fd, err := tb.fdp.Dup(tb.l, fp, c.from, false)
		tb.must(err)
		tb.want(fmt.Sprint("lowest from ", c.from), fd, c.want)
	}
	tb.close(50)
	if fd, err := tb.fdp.Dup(tb.l, fp, 51, false); err != kern.EMFILE {
		t.Errorf("above the free one: %d, %v", fd, err)
	}
	tb.want("last", tb.fdp.Lastfile(tb.l), 127)
	tb.close(127)
	tb.close(126)
	tb.want("last", tb.fdp.Lastfile(tb.l), 125)
}

func TestHighDescriptor(t *testing.T) {
	tb := newTable(t, sim.Config{})
	fp, _, _ := tb.file()
	fd, err := tb.fdp.Dup(tb.l, fp, 100, true)
	tb.must(err)
	tb.want("descriptor", fd, 100)
	tb.want("close on exec", tb.fdp.Exclose(tb.l, 100), true)
	tb.want("last", tb.fdp.Lastfile(tb.l), 100)
	for _, fd := range []int{-1, 99, 127, 128, 1 << 40} {
		if tb.fdp.Get(tb.l, fd) != nil {
			t.Errorf("descriptor %d is open", fd)
		}
	}
}

// TestDescriptorModel compares a table with a map.
func TestDescriptorModel(t *testing.T) {
	tb := newTable(t, sim.Config{})
	rapid.Check(t, func(t *rapid.T) {
		m := &tableModel{table: tb, open: map[int]*vfs.File{}, exclose: map[int]bool{}, closed: map[*vfs.File]*int{}}
		m.fdp = tb.k.F.NewFiledesc(40)
		m.keep, _, _ = m.file()
		m.open[0] = m.keep
		defer func() { m.fdp.Free(m.l) }()
		fds := rapid.IntRange(0, 39)
		t.Repeat(map[string]func(*rapid.T){
			"open":    m.openOne,
			"close":   func(t *rapid.T) { m.closeOne(t, fds.Draw(t, "fd")) },
			"dup":     func(t *rapid.T) { m.dup(t, fds.Draw(t, "from"), rapid.Bool().Draw(t, "exclose")) },
			"dup2":    func(t *rapid.T) { m.dup2(t, fds.Draw(t, "fd"), rapid.Bool().Draw(t, "exclose")) },
			"abort":   m.abort,
			"copy":    m.copy,
			"":        m.compare,
			"exclose": func(t *rapid.T) { m.setExclose(fds.Draw(t, "fd")) },
		})
	})
}

type tableModel struct {
	*table
	keep    *vfs.File
	open    map[int]*vfs.File
	exclose map[int]bool
	closed  map[*vfs.File]*int
}

// lowest is the descriptor that an allocation must give, 40 for none.
func (m *tableModel) lowest(from int) int {
	for m.open[from] != nil {
		from++
	}
	return from
}

func (m *tableModel) openOne(t *rapid.T) {
	fp, fd, err := m.fdp.AllocFile(m.l)
	if want := m.lowest(0); want == 40 {
		if err != kern.EMFILE {
			t.Fatalf("full: %v", err)
		}
		return
	} else if err != nil || fd != want {
		t.Fatalf("%d %v, want %d", fd, err, want)
	}
	if m.fdp.Get(m.l, fd) != nil {
		t.Fatal("half open and yet there")
	}
	closed := new(int)
	fp.Attach(vfs.DTYPE_MISC, ops{closed: closed}, nil, 0)
	m.fdp.Affix(m.l, fp, fd)
	m.open[fd], m.closed[fp] = fp, closed
}

func (m *tableModel) abort(t *rapid.T) {
	if m.lowest(0) == 40 {
		return
	}
	fp, fd, err := m.fdp.AllocFile(m.l)
	if err != nil {
		t.Fatal(err)
	}
	m.fdp.SetExclose(m.l, fd, true)
	m.fdp.Abort(m.l, fp, fd)
}

func (m *tableModel) closeOne(t *rapid.T, fd int) {
	if m.open[fd] == nil || fd == 0 {
		return
	}
	m.fdp.Get(m.l, fd)
	if err := m.fdp.Close(m.l, fd); err != nil {
		t.Fatal(err)
	}
	m.drop(t, fd)
}

// drop takes a descriptor out of the model; with the last of a file that
// must have been closed, once.
func (m *tableModel) drop(t *rapid.T, fd int) {
	fp := m.open[fd]
	delete(m.open, fd)
	delete(m.exclose, fd)
	if fp == m.keep {
		return
	}
	last := !slices.Contains(slices.Collect(maps.Values(m.open)), fp)
	if n := *m.closed[fp]; n == 1 != last || n > 1 {
		t.Fatalf("closed %d times, last descriptor: %v", n, last)
	}
	if last {
		delete(m.closed, fp) // the file will be used again
	}
}

func (m *tableModel) dup(t *rapid.T, from int, exclose bool) {
	fd, err := m.fdp.Dup(m.l, m.keep, from, exclose)
	want := m.lowest(from)
	if want == 40 {
		if err != kern.EMFILE {
			t.Fatalf("full: %v", err)
		}
		return
	}
	if err != nil || fd != want {
		t.Fatalf("%d %v, want %d", fd, err, want)
	}
	m.open[fd] = m.keep
	m.exclose[fd] = exclose
}

func (m *tableModel) dup2(t *rapid.T, fd int, exclose bool) {
	if fd == 0 {
		return
	}
	var flags int32
	if exclose {
		flags = kern.O_CLOEXEC
	}
	if err := m.fdp.Dup2(m.l, m.keep, fd, flags); err != nil {
		t.Fatal(err)
	}
	if m.open[fd] != nil {
		m.drop(t, fd)
	}
	m.open[fd], m.exclose[fd] = m.keep, exclose
}

func (m *tableModel) setExclose(fd int) {
	if m.open[fd] != nil {
		m.exclose[fd] = !m.exclose[fd]
		m.fdp.SetExclose(m.l, fd, m.exclose[fd])
	}
}

// copy goes on in a copy of the table, as after a fork.
func (m *tableModel) copy(t *rapid.T) {
	n := m.fdp.Copy(m.l)
	m.fdp.Free(m.l)
	m.fdp = n
	m.compare(t)
}

func (m *tableModel) compare(t *rapid.T) {
	last := -1
	for fd := range 40 {
		fp := m.fdp.Get(m.l, fd)
		if fp != m.open[fd] {
			t.Fatalf("descriptor %d: %p, want %p", fd, fp, m.open[fd])
		}
		if fp == nil {
			continue
		}
		last = fd
		if m.fdp.Exclose(m.l, fd) != m.exclose[fd] {
			t.Fatalf("descriptor %d: close on exec is not %v", fd, m.exclose[fd])
		}
		m.fdp.Putfile(m.l, fd)
	}
	if got := m.fdp.Lastfile(m.l); got != last {
		t.Fatalf("last %d, want %d", got, last)
	}
}

func TestDup2Flags(t *testing.T) {
	tb := newTable(t, sim.Config{})
	fp, _, closed := tb.file()
	tb.want("an unknown flag", tb.fdp.Dup2(tb.l, fp, 5, kern.O_APPEND), kern.EINVAL)
	tb.must(tb.fdp.Dup2(tb.l, fp, 5, kern.O_NONBLOCK))
	tb.want("flags", fp.Flag(), int32(kern.FREAD|kern.FWRITE|kern.FNONBLOCK))
	for fd := range 2 {
		tb.want("not yet closed", *closed, 0)
		tb.close(5 * fd)
	}
	tb.want("closed", *closed, 1)
	fp, _, _ = tb.file()
	if p := panicOf(func() { _ = tb.fdp.Dup2(tb.l, fp, tb.fdp.Limit(), 0) }); p == nil {
		t.Error("a descriptor beyond the limit")
	}
	if p := panicOf(func() { tb.fdp.Affix(tb.l, fp, 0) }); p == nil {
		t.Error("affixed twice")
	}
}

// TestHalfOpen: while a descriptor is being opened it is nobody's to use, and
// dup2 onto it waits.
func TestHalfOpen(t *testing.T) {
	seeds(t, 40, func(t *testing.T, c sim.Config) {
		tb := newTable(t, c)
		fp, _, _ := tb.file()
		half, fd, err := tb.fdp.AllocFile(tb.l)
		tb.must(err)
		n := tb.fdp.Copy(tb.l)
		if n.Get(tb.l, 0) != fp || n.Get(tb.l, fd) != nil {
			t.Error("a copy has what is half open")
		}
		n.Putfile(tb.l, 0)
		n.Free(tb.l)
		done := false
		kern.StartLwp(tb.k.K, tb.l.Proc, "dup2", func(l *kern.Lwp) {
			if err := tb.fdp.Dup2(l, fp, fd, 0); err != nil {
				t.Error(err)
			}
			done = true
		})
		tb.k.Run()
		tb.want("dup2 done", done, false)
		var closed int
		if c.Seed%2 == 0 {
			half.Attach(vfs.DTYPE_MISC, ops{closed: &closed}, nil, 0)
			tb.fdp.Affix(tb.l, half, fd)
		} else {
			tb.fdp.Abort(tb.l, half, fd)
		}
		for !done {
			tb.l.Sleep(1e7)
		}
		tb.want("closed", closed, 1-int(c.Seed%2))
		tb.want("open files", tb.k.F.OpenFiles(), 2)
		if tb.fdp.Get(tb.l, fd) != fp {
			t.Error("dup2 came to nothing")
		}
		tb.fdp.Putfile(tb.l, fd)
	})
}

// TestCloseInUse: a descriptor is closed when the last lwp that uses it is
// done; until then it is neither open nor free.
func TestCloseInUse(t *testing.T) {
	seeds(t, 40, func(t *testing.T, c sim.Config) {
		tb := newTable(t, c)
		_, fd, closed := tb.file()
		for range 4 { // this lwp, two closers, and one that only uses it
			tb.fdp.Get(tb.l, fd)
		}
		var done []string
		kern.StartLwp(tb.k.K, tb.l.Proc, "close", func(l *kern.Lwp) {
			done = append(done, fmt.Sprint(tb.fdp.Close(l, fd)))
		})
		tb.k.Run()
		tb.want("closers that are done", len(done), 0)
		if tb.fdp.Get(tb.l, fd) != nil {
			t.Error("it can be used again")
		}
		if _, free, _ := tb.file(); free == fd {
			t.Error("it is free")
		}
		tb.want("the other closer", tb.fdp.Close(tb.l, fd), kern.EBADF)
		tb.want("closed", *closed, 0)
		tb.fdp.Putfile(tb.l, fd)
		tb.k.Run()
		tb.want("closed, with a last user", *closed, 0)
		tb.fdp.Get(tb.l, fd) // too late: wakes the closer for nothing
		tb.fdp.Putfile(tb.l, fd)
		tb.k.Run()
		tb.want("closers", fmt.Sprint(done), "[<nil>]")
		tb.want("closed", *closed, 1)
	})
}

// TestDescriptorRaces: several lwps open, use, duplicate and close the same
// few descriptors. In the end every file is closed exactly once.
func TestDescriptorRaces(t *testing.T) {
	seeds(t, 60, func(t *testing.T, c sim.Config) {
		tb := newTable(t, c)
		keep, _, _ := tb.file()
		var open, closed int
		for i := range 4 {
			kern.StartLwp(tb.k.K, tb.l.Proc, fmt.Sprint(i), func(l *kern.Lwp) {
				for n := range 20 {
					race(tb, l, keep, i+n, &open, &closed)
				}
			})
		}
		for tb.l.Proc.Nlwps() > 1 {
			tb.l.Sleep(1e7)
		}
		for fd := range tb.fdp.Limit() {
			if tb.fdp.Get(tb.l, fd) != nil {
				_ = tb.fdp.Close(tb.l, fd)
			}
		}
		tb.want("closed", closed, open)
		tb.want("open files but the console", tb.k.F.OpenFiles()-1, 0)
	})
}

func race(tb *table, l *kern.Lwp, keep *vfs.File, n int, open, closed *int) {
	fd := 1 + n%6
	switch n % 5 {
	case 0:
		fp, fd, err := tb.fdp.AllocFile(l)
		if err != nil {
			return
		}
		l.Point()
		fp.Attach(vfs.DTYPE_MISC, ops{closed: closed}, nil, 0)
		tb.fdp.Affix(l, fp, fd)
		*open++
	case 1, 2:
		if tb.fdp.Get(l, fd) != nil {
			_ = tb.fdp.Close(l, fd)
		}
	case 3:
		if err := tb.fdp.Dup2(l, keep, fd, 0); err != nil {
			tb.Error(err)
		}
	case 4:
		if fp := tb.fdp.Get(l, fd); fp != nil {
			l.Point()
			_ = fp.Flag()
			tb.fdp.Putfile(l, fd)
		}
	}
}

// TestGetWhileGrowing looks descriptors up, without a lock, while the table
// grows under it.
func TestGetWhileGrowing(t *testing.T) {
	tb := newTable(t, sim.Config{})
	fp, _, _ := tb.file()
	var stop atomic.Bool
	for range 2 {
		kern.StartLwp(tb.k.K, tb.l.Proc, "get", func(l *kern.Lwp) {
			for !stop.Load() {
				if got := tb.fdp.Get(l, 0); got != fp {
					t.Error("descriptor 0 got lost")
				}
				tb.fdp.Putfile(l, 0)
				for fd := 1; fd < kern.NOFILE; fd++ {
					if got := tb.fdp.Get(l, fd); got != nil {
						if got != fp {
							t.Errorf("descriptor %d is another file", fd)
						}
						tb.fdp.Putfile(l, fd)
					}
				}
			}
		})
	}
	for range 20 {
		for range kern.NOFILE - 1 {
			if _, err := tb.fdp.Dup(tb.l, fp, 0, false); err != nil {
				t.Error(err)
			}
		}
		for fd := kern.NOFILE - 1; fd > 0; fd-- {
			tb.close(fd)
		}
	}
	stop.Store(true)
	for tb.l.Proc.Nlwps() > 1 {
		tb.l.Sleep(1e6)
	}
}

// TestSharedTable: processes that share a table; the last one closes.
func TestSharedTable(t *testing.T) {
	tb := newTable(t, sim.Config{})
	_, fd, closed := tb.file()
	shared := tb.fdp.Share()
	shared.Free(tb.l)
	tb.want("closed by the first", *closed, 0)
	if tb.fdp.Get(tb.l, fd) == nil {
		t.Fatal("gone")
	}
	tb.fdp.Putfile(tb.l, fd)
	n := tb.fdp.Copy(tb.l)
	tb.close(fd)
	tb.want("closed, a copy is left", *closed, 0)
	n.Free(tb.l)
	tb.want("closed", *closed, 1)
}

// TestCopyLargeTable copies a table that has grown.
func TestCopyLargeTable(t *testing.T) {
	tb := newTable(t, sim.Config{})
	fp, _, _ := tb.file()
	tb.must(tb.fdp.Dup2(tb.l, fp, 120, kern.O_CLOEXEC))
	n := tb.fdp.Copy(tb.l)
	tb.want("last", n.Lastfile(tb.l), 120)
	tb.want("close on exec", n.Exclose(tb.l, 120), true)
	n.Free(tb.l)
}

// TestTooManyFiles: a kernel has 1772 open files at most.
func TestTooManyFiles(t *testing.T) {
	tb := newTable(t, sim.Config{})
	var tables []*vfs.Filedesc
	own := tb.fdp
	n := tb.k.F.OpenFiles()
	var err error
	for err == nil {
		tb.fdp = tb.k.F.NewFiledesc(1000)
		tables = append(tables, tb.fdp)
		for range 1000 {
			var fp *vfs.File
			var fd int
			if fp, fd, err = tb.fdp.AllocFile(tb.l); err != nil {
				break
			}
			fp.Attach(vfs.DTYPE_MISC, vfs.ConsoleOps{}, nil, 0)
			tb.fdp.Affix(tb.l, fp, fd)
			n++
		}
	}
	tb.want("error", err, kern.ENFILE)
	tb.want("files", n, 1772)
	last := tables[len(tables)-1]
	fd := last.Lastfile(tb.l)
	tb.close(fd)
	if _, got, _ := tb.file(); got != fd {
		t.Errorf("the refused descriptor is still reserved: got %d, want %d", got, fd)
	}
	for _, fdp := range tables {
		fdp.Free(tb.l)
	}
	tb.fdp = own
}

func TestGetVnode(t *testing.T) {
	tb := newTable(t, sim.Config{})
	_, fd, _ := tb.file()
	_, err := tb.fdp.GetVnode(tb.l, fd)
	tb.want("no vnode", err, kern.EINVAL)
	_, err = tb.fdp.GetVnode(tb.l, 9)
	tb.want("not open", err, kern.EBADF)
	fp, fd := tb.open("/f", kern.O_RDWR|kern.O_CREAT, 0o600)
	got, err := tb.fdp.GetVnode(tb.l, fd)
	tb.must(err)
	tb.want("file", got, fp)
	tb.fdp.Putfile(tb.l, fd)
	vp := fp.Vnode()
	vp.SetType(vnode.VBAD)
	_, err = tb.fdp.GetVnode(tb.l, fd)
	tb.want("a bad vnode", err, kern.EBADF)
	vp.SetType(vnode.VREG)
}

// TestCloseReleasesLocks: closing any descriptor of a file takes all the
// process's byte ranges on it; an flock goes with the open file.
func TestCloseReleasesLocks(t *testing.T) {
	k := boot(t, sim.Config{})
	p := k.Init()
	q, err := p.Rfork(sim.RUMP_RFCFDG)
	if err != nil {
		t.Fatal(err)
	}
	open := func(p *sim.Proc) int {
		t.Helper()
		fd, err := p.Open("/f", kern.O_RDWR|kern.O_CREAT, 0o600)
		if err != nil {
			t.Fatal(err)
		}
		return fd
	}
	ranged, other, theirs := open(p), open(p), open(q)
	locked := func() string {
		t.Helper()
		fl := kern.Flock{Type: kern.F_WRLCK}
		if err := q.FcntlLock(theirs, kern.F_GETLK, &fl); err != nil {
			t.Fatal(err)
		}
		return fmt.Sprint(fl.Type != kern.F_UNLCK, " ", fl.Pid)
	}
	want := func(what, want string) {
		t.Helper()
		if got := locked(); got != want {
			t.Errorf("%s: %s, want %s", what, got, want)
		}
	}
	if err := p.FcntlLock(ranged, kern.F_SETLK, &kern.Flock{Type: kern.F_WRLCK, Start: 5}); err != nil {
		t.Fatal(err)
	}
	want("a byte range", "true 1")
	if err := p.Close(other); err != nil {
		t.Fatal(err)
	}
	want("after a close of another descriptor", "false 0")
	if err := p.Flock(ranged, kern.LOCK_EX); err != nil {
		t.Fatal(err)
	}
	dup, err := p.Dup(ranged)
	if err != nil {
		t.Fatal(err)
	}
	want("an flock", "true -1")
	_ = p.Close(ranged)
	want("one descriptor closed", "true -1")
	_ = p.Close(dup)
	want("both closed", "false 0")
	_ = p.FcntlLock(open(p), kern.F_SETLK, &kern.Flock{Type: kern.F_RDLCK})
	child, err := p.Rfork(sim.RUMP_RFFDG)
	if err != nil {
		t.Fatal(err)
	}
	fd := open(child)
	if err := child.FcntlLock(fd, kern.F_SETLK, &kern.Flock{Type: kern.F_RDLCK}); err != nil {
		t.Fatal(err)
	}
	if err := child.Exit(); err != nil {
		t.Fatal(err)
	}
	want("a process that exits only releases its own", "true 1")
	if err := q.FcntlLock(theirs, kern.F_SETLK, &kern.Flock{Type: kern.F_RDLCK}); err != nil {
		t.Fatal(err)
	}
}

// TestClosem closes from a descriptor on.
func TestClosem(t *testing.T) {
	p := boot(t, sim.Config{}).Init()
	for _, to := range []int{5, 60, 127} {
		if _, err := p.Dup2(0, to); err != nil {
			t.Fatal(err)
		}
	}
	if _, err := p.Fcntl(-1, kern.F_CLOSEM, 0); err != kern.EBADF {
		t.Errorf("negative: %v", err)
	}
	if n, err := p.Fcntl(5, kern.F_CLOSEM, 0); n != 0 || err != nil {
		t.Error(n, err)
	}
	if last, err := p.Fcntl(0, kern.F_MAXFD, 0); last != 2 || err != nil {
		t.Errorf("last %d, %v", last, err)
	}
}

func BenchmarkGetPut(b *testing.B) {
	tb := newTable(b, sim.Config{})
	_, fd, _ := tb.file()
	b.ReportAllocs()
	for b.Loop() {
		if tb.fdp.Get(tb.l, fd) == nil {
			b.Fatal("not open")
		}
		tb.fdp.Putfile(tb.l, fd)
	}
}

// BenchmarkGetPutShared has all CPUs look up the same descriptor.
func BenchmarkGetPutShared(b *testing.B) {
	tb := newTable(b, sim.Config{})
	_, fd, _ := tb.file()
	b.ReportAllocs()
	b.RunParallel(func(pb *testing.PB) {
		l := kern.NewLwp(tb.k.K, tb.l.Proc, "extra")
		defer l.Exit()
		for pb.Next() {
			if tb.fdp.Get(l, fd) == nil {
				b.Error("not open")
			}
			tb.fdp.Putfile(l, fd)
		}
	})
}

func BenchmarkAllocFile(b *testing.B) {
	tb := newTable(b, sim.Config{})
	var closed int
	var o vfs.Fileops = ops{closed: &closed}
	b.ReportAllocs()
	for b.Loop() {
		fp, fd, err := tb.fdp.AllocFile(tb.l)
		if err != nil {
			b.Fatal(err)
		}
		fp.Attach(vfs.DTYPE_MISC, o, nil, 0)
		tb.fdp.Affix(tb.l, fp, fd)
		tb.fdp.Get(tb.l, fd)
		_ = tb.fdp.Close(tb.l, fd)
	}
}

package host

import (
	"context"
	"fmt"
	"os"
	"strings"
	"testing"

	"rumpvfs/kern"
	"rumpvfs/proptest/call"
	"rumpvfs/proptest/clause"
	"rumpvfs/proptest/driver"
	"rumpvfs/proptest/model"
)

func TestMain(m *testing.M) {
	Child()
	os.Exit(m.Run())
}

// linux is a host, on machines that let us have one.
func linux(t testing.TB) *Host {
	t.Helper()
	h, err := New()
	if err != nil {
		t.Skip(err) //policy:skip not Linux, or not the superuser
	}
	return h
}

// TestCalls makes calls on Linux, twice, each time in a new world.
func TestCalls(t *testing.T) {
	h := linux(t)
	for range 2 {
		for _, c := range []struct {
			call call.Call
			want string
		}{
			{call.Call{Op: call.Getids}, "uid=0 euid=0 gid=0 egid=0"},
			{call.Call{Op: call.Mkdir, Path: "/a", Mode: 0o777}, "0"},
			{call.Call{Op: call.Open, Path: "a/f", Flags: kern.O_CREAT | kern.O_RDWR, Mode: 0o666}, "3"},
			{call.Call{Op: call.Write, FD: 3, Data: "hello"}, "5"},
			{call.Call{Op: call.Pread, FD: 3, N: 10, Off: 1}, `4 "ello"`},
			{call.Call{Op: call.Lseek, FD: 3, Off: -1, Flags: kern.SEEK_END}, "4"},
			{call.Call{Op: call.Read, FD: 3, N: 1 << 20}, "EFAULT"},
			{call.Call{Op: call.Symlink, Path: "/l", Path2: "a/f"}, "0"},
			{call.Call{Op: call.Readlink, Path: "/l", N: 2}, `2 "a/"`},
			{call.Call{Op: call.Fcntl, FD: 3, Flags: kern.F_GETFL}, "0x2"},
			{call.Call{Op: call.Fcntl, FD: 3, Flags: kern.F_SETLK, Arg: [4]int64{kern.F_WRLCK}}, "0"},
			{call.Call{Op: call.Fcntl, FD: 3, Flags: kern.F_DUPFD, N: 9}, "9"},
			{call.Call{Op: call.Dup2, FD: 3, N: 128}, "EBADF"},
			{call.Call{Op: call.Dup2, FD: 3, N: 3}, "3"},
			{call.Call{Op: call.Fcntl, FD: 9, Flags: kern.F_CLOSEM}, "0"},
			{call.Call{Op: call.Fstat, FD: 9}, "EBADF"},
			{call.Call{Op: call.Close, FD: 150}, "EBADF"},
			{call.Call{Op: call.Utimes, Path: "/a", Arg: [4]int64{1, 2, 3, 4}}, "0"},
			{call.Call{Op: call.Times, Path: "/a"}, "0 atime=1.000002000 mtime=3.000004000"},
			{call.Call{Op: call.Open, Path: "/a"}, "4"},
			{call.Call{Op: call.Getdents, FD: 4, N: 512}, `8 "f":reg:i1`},
			{call.Call{Op: call.Stat, Path: "/dev/null"}, "0 type=chr mode=0644 nlink=1 uid=0 gid=0 size=0 blksize=4096 blocks=0 flags=0x0 gen=0 rdev=2,2 ino=i2 dev=ino"},
			{call.Call{Op: call.Mknod, Path: "/dev/mem", Mode: kern.S_IFCHR | 0o666, N: 1<<8 | 1}, "0"},
			{call.Call{Op: call.Open, Path: "/dev/mem"}, "ENXIO"}, // not the machine's
			{call.Call{Op: call.Chroot, Path: "/a"}, "0"},
			{call.Call{Op: call.Lstat, Path: "/../../../proc"}, "ENOENT"},
			{call.Call{Op: call.Setuid, UID: 100}, "0"},
			{call.Call{Op: call.Seteuid}, "EPERM"},
			{call.Call{Op: call.Mkdir, Path: "/x"}, "EACCES"},
			{call.Call{Op: call.Getids}, "uid=100 euid=100 gid=0 egid=0"},
			{call.Call{Op: call.Undelete, Path: "/x"}, "ENOSYS"},
			{call.Call{Op: call.Getids, Proc: 1}, "ENOSYS"},
		} {
			var r call.Result
			h.Do(&c.call, &r)
			if got := r.Format(&c.call); c.want != "" && got != c.want {
				t.Errorf("%v => %s, want %s", c.call, got, c.want)
			}
		}
		if err := h.Reset(); err != nil {
			t.Error(err)
		}
	}
	if err := h.Close(); err != nil {
		t.Error(err)
	}
	var r call.Result
	if h.Do(&call.Call{Op: call.Getids}, &r); r.Stop != call.Broken {
		t.Errorf("a child that has gone answers %v", r)
	}
}

// TestKernelIsHost makes random calls on kernels and on Linux: nothing differs but what the table says.
func TestKernelIsHost(t *testing.T) {
	for _, fs := range []driver.FS{driver.Rumpfs(), driver.Tmpfs(), driver.FifoTmpfs()} {
		r, err := NewRunner(Config{Host: linux(t), Calls: 12000, Seed: 1, FS: fs})
		if err != nil {
			t.Fatal(err)
		}
		failures, err := r.Run(context.Background())
		if err != nil {
			t.Fatal(err)
		}
		for _, f := range failures {
			t.Errorf("%s: %s", fs.Name, text(f))
		}
		if err := r.Close(); err != nil {
			t.Error(err)
		}
		if !r.Done() || r.Scripts == 0 {
			t.Errorf("%s: %d calls, %d scripts", fs.Name, r.Calls, r.Scripts)
		}
	}
}

// text is a failure with its script.
func text(f *driver.Failure) string {
	var b strings.Builder
	for _, c := range f.Script {
		fmt.Fprintln(&b, c)
	}
	return b.String() + f.String()
}

// TestNamesOnHost makes, renames and links names on the model of a file system that can do that, and on Linux.
func TestNamesOnHost(t *testing.T) {
	fs := driver.FS{Name: "names", Caps: model.Caps{Rename: true, Link: true, PosixRename: true}}
	r, err := NewRunner(Config{Host: linux(t), Calls: 20000, Seed: 2, FS: fs, System: func() (call.System, error) { return fs.Model(kern.Fixed), nil }})
	if err != nil {
		t.Fatal(err)
	}
	renamed := 0
	for !r.Done() {
		f, err := r.Next()
		if err != nil {
			t.Fatal(err)
		}
		if f != nil {
			t.Fatal(text(r.Shrunk(f)))
		}
		for _, x := range r.now.cases {
			if (x.Call.Op == call.Rename || x.Call.Op == call.Link) && x.Ours.Errno == 0 {
				renamed++
			}
		}
	}
	if err := r.Close(); err != nil {
		t.Error(err)
	}
	if renamed < 30 {
		t.Errorf("only %d names renamed or linked", renamed)
	}
}

// A liar is a model that is wrong about one kind of call.
type liar struct {
	call.System
	lie func(c *call.Call, r *call.Result)
}

func (l liar) Do(c *call.Call, r *call.Result) {
	l.System.Do(c, r)
	l.lie(c, r)
}

// TestFinds plants bugs in a host that is a model, and in a kernel.
func TestFinds(t *testing.T) {
	honest := func(*call.Call, *call.Result) {}
	bug := func(c *call.Call, r *call.Result) {
		if c.Op == call.Rmdir && r.Errno == kern.ENOTEMPTY {
			r.Errno = kern.EACCES
		}
	}
	for name, tc := range map[string]struct {
		host, kernel func(*call.Call, *call.Result)
		says, shows  string
	}{
		"none":   {honest, honest, "", ""},
		"host":   {bug, honest, "the table does not say why", "but Linux => EACCES"},
		"kernel": {honest, bug, "the kernel is not as the model", "but got => EACCES"},
	} {
		fs := driver.Rumpfs()
		r, err := NewRunner(Config{
			Seed: 3, Calls: 100000, FS: fs, Host: &batcher{System: liar{fs.Model(kern.Fixed), tc.host}},
			System: func() (call.System, error) { return liar{fs.Model(kern.Fixed), tc.kernel}, nil },
		})
		if err != nil {
			t.Fatal(err)
		}
		list, err := r.Run(context.Background())
		switch {
		case err != nil:
			t.Error(name, err)
		case tc.says == "" && len(list) > 0:
			t.Errorf("%s: %v", name, text(list[0]))
		case tc.says != "" && (len(list) != 1 || len(list[0].Script) > 4 || !strings.Contains(list[0].String(), tc.says)):
			t.Errorf("%s: %d failures", name, len(list))
			for _, f := range list {
				t.Error(text(f))
			}
		case tc.says != "":
			c := Reproducer("bug", fs, list[0])
			if written := string(c.Text()); !strings.Contains(written, tc.shows) || len(c.Files()) != 5 {
				t.Errorf("%s: %s", name, written)
			}
			lines, _ := call.Scripts(c.Script)
			var script strings.Builder
			for _, l := range lines {
				fmt.Fprintln(&script, l)
			}
			f, err := Replay(&batcher{System: liar{fs.Model(kern.Fixed), tc.host}}, fs.Name, script.String())
			if err != nil || (f != nil) != (name == "host") {
				t.Errorf("%s: again: %v, %v", name, f, err)
			}
		}
	}
}

// TestReplay reads what makes no sense.
func TestReplay(t *testing.T) {
	fs := driver.Rumpfs()
	for _, tc := range []struct{ fs, script string }{{"no-such-fs", ""}, {fs.Name, "frobnicate"}, {fs.Name, `host_read "x"`}} {
		if f, err := Replay(&batcher{System: fs.Model(kern.Fixed)}, tc.fs, tc.script); f != nil || err == nil {
			t.Errorf("%v: %v, %v", tc, f, err)
		}
	}
}

// A batcher makes calls when they are sent.
type batcher struct {
	call.System
	results []call.Result
}

func (b *batcher) Send(calls []call.Call) error {
	b.results = make([]call.Result, len(calls))
	for i := range calls {
		b.Do(&calls[i], &b.results[i])
	}
	return nil
}

func (b *batcher) Receive() ([]call.Result, error) { return b.results, nil }

// TestExplained has a driver compare a kernel with Linux, a call at a time, and finds what is planted in the kernel.
func TestExplained(t *testing.T) {
	h := linux(t)
	for _, planted := range []bool{false, true} {
		fs := driver.Rumpfs()
		d, err := driver.New(driver.Config{
			FS: fs, Quirks: kern.Fixed, Seed: 4, Calls: 8000, Oracle: func() (call.System, error) { return NewExplained(fs, still{h}), nil },
			System: func() (call.System, error) {
				return liar{fs.Model(kern.Fixed), func(c *call.Call, r *call.Result) {
					if planted && c.Op == call.Unlink && r.Errno == kern.ENOENT {
						r.Errno = kern.ENOTDIR
					}
				}}, nil
			},
		})
		if err != nil {
			t.Fatal(err)
		}
		list, err := d.Run(context.Background())
		if err != nil || len(list) > 0 != planted {
			t.Errorf("%v: %v, %v", planted, list, err)
		}
	}
	if err := h.Close(); err != nil {
		t.Error(err)
	}
}

// A still system is not closed.
type still struct{ call.System }

func (still) Close() error { return nil }

// TestTable checks that differences can be told apart, and say what they are.
func TestTable(t *testing.T) {
	names := map[string]bool{}
	for _, d := range Differences() {
		if names[d.Name] || !strings.HasSuffix(d.Sentence, ".") || d.Leaves == nil && d.Explains == nil && d.Parts == nil {
			t.Errorf("%s: %s", d.Name, d.Sentence)
		}
		names[d.Name] = true
	}
}

// TestDifferences shows some of the table.
func TestDifferences(t *testing.T) {
	open := call.Call{Op: call.Open, Path: "a", Flags: kern.O_CREAT}
	lookup := call.Call{Op: call.Unlink, Path: "a"}
	for _, c := range []struct {
		call       call.Call
		cause      clause.Cause
		ours, host kern.Errno
		ok, goesOn bool
	}{
		{lookup, clause.Absent, kern.ENOENT, kern.ENOENT, true, true},
		{lookup, clause.Absent, kern.ENOENT, kern.EACCES, false, false},
		{lookup, clause.IsDir, kern.EPERM, kern.EISDIR, true, true},
		{lookup, clause.OK, 0, kern.EISDIR, false, false},
		{open, clause.Directory, 0, kern.EISDIR, true, false},
		{open, clause.IsLink, kern.EFTYPE, kern.ELOOP, true, true},
		{open, clause.IsLink, kern.EFTYPE, 0, false, false},
	} {
		x := Case{Call: &c.call, Ours: &call.Result{Errno: c.ours}, Host: &call.Result{Errno: c.host}, Clause: clause.Of(c.call.Op, c.cause).Info()}
		if ok, goesOn := NewComparer(driver.Rumpfs()).Compare(&x); ok != c.ok || goesOn != c.goesOn {
			t.Errorf("%v: ours %v, the host's %v: %v, %v", c.call, c.ours, c.host, ok, goesOn)
		}
	}
}

// TestInodes checks that files are told apart whatever their numbers are; ours may be used again.
func TestInodes(t *testing.T) {
	c := NewComparer(driver.Rumpfs())
	stat := call.Call{Op: call.Stat, Path: "a"}
	for _, s := range []struct {
		ours, host uint32
		same       bool
	}{{1, 7, true}, {2, 8, true}, {1, 7, true}, {1, 8, false}, {3, 7, false}, {2, 9, true}, {2, 9, true}, {2, 8, false}, {4, 8, false}} {
		file := func(ino uint32) *call.Result { return &call.Result{File: call.File{Mode: kern.S_IFREG, Ino: ino}} }
		x := Case{Call: &stat, Ours: file(s.ours), Host: file(s.host), Clause: clause.Of(call.Stat, clause.OK).Info()}
		if ok, _ := c.Compare(&x); ok != s.same {
			t.Errorf("%d is %d: %v", s.ours, s.host, ok)
		}
	}
}

func BenchmarkHost(b *testing.B) {
	r, err := NewRunner(Config{Host: linux(b), Calls: uint64(b.N)})
	if err != nil {
		b.Fatal(err)
	}
	if list, err := r.Run(context.Background()); err != nil || len(list) > 0 {
		b.Error(list, err)
	}
	if err := r.Close(); err != nil {
		b.Error(err)
	}
	b.ReportMetric(float64(r.Calls)/b.Elapsed().Seconds(), "calls/s")
}

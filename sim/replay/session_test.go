package replay

import (
	"context"
	"errors"
	"fmt"
	"runtime"
	"strings"
	"testing"

	"rumpvfs/hypercall"
	"rumpvfs/kern"
	"rumpvfs/sim"
	"rumpvfs/sim/script"
)

var deterministic = sim.Config{Mode: hypercall.Deterministic}

// traceOf runs a script and gives its trace; no kernel may leave anything
// over.
func traceOf(t testing.TB, src string, c sim.Config) string {
	t.Helper()
	s, err := script.Parse("script", []byte(src))
	if err != nil {
		t.Fatal(err)
	}
	var b strings.Builder
	for i := range s.Sections {
		o := Run(context.Background(), &s.Sections[i], c)
		if o.Err != nil || o.Left != nil {
			t.Fatalf("section %q: %v, %v", s.Sections[i].Name, o.Err, o.Left)
		}
		if _, err := o.WriteTo(&b); err != nil {
			t.Fatal(err)
		}
	}
	return b.String()
}

// testStory runs the calls of a trace, whose results are what is expected.
func testStory(t *testing.T, trace string) {
	t.Helper()
	testStoryIn(t, deterministic, trace)
}

// testStoryIn does so in kernels of its own kind.
func testStoryIn(t *testing.T, c sim.Config, trace string) {
	t.Helper()
	trace = strings.TrimLeft(strings.ReplaceAll(trace, "\t", ""), "\n")
	tr, err := script.ParseTrace("story", []byte(trace))
	if err != nil {
		t.Fatal(err)
	}
	for i := range tr.Sections {
		o := Run(context.Background(), &tr.Sections[i], c)
		var b strings.Builder
		if err := o.Explain(&b, tr.File, 2); err != nil {
			t.Fatal(err)
		}
		if b.Len() > 0 {
			t.Error("\n" + b.String())
		}
	}
}

func TestNamesAreBoundToResults(t *testing.T) {
	testStory(t, `
	f = open "/f" O_CREAT|O_RDWR 0644 => 3
	n = write f "four" => 4
	n = dup n => EBADF
	close n => EBADF
	f = open "/nosuch" O_RDONLY => ENOENT
	# f is -1 now
	fstat f => EBADF
	len = getcwd => 2 "/"
	dup2 3 len => 2
	old = umask 07 => 0022
	mkdir "/d" old|0700 => 0
	chmod "/d" old|0100 => 0
	advice = posix_fadvise 3 0 0 99 => 22
	lseek 3 advice SEEK_SET => 22
	`)
}

func TestProcesses(t *testing.T) {
	testStory(t, `
	f = open "/f" O_CREAT|O_RDWR 0644 => 3
	p1 = rfork COPY => 0 pid=2
	# the name is the call's 0 besides
	lseek f p1 SEEK_CUR => 0
	getpid => 2
	chdir "/tmp" => 0
	setgid 7 => 0
	setgroups 1 2 => 0
	setegid 7 => 0
	setuid 5 => 0
	seteuid 5 => 0
	getids => uid=5 euid=5 gid=7 egid=7
	p2 = rfork CLEAR => 0 pid=3
	getcwd => 5 "/tmp"
	open "/f" O_RDONLY => 0
	fstat f => EBADF
	switch p0 => pid=1
	p3 = rfork SHARE => 0 pid=4
	close f => 0
	exit => now p0
	close f => EBADF
	getids => uid=0 euid=0 gid=0 egid=0
	switch p1 => pid=2
	close f => 0
	rfork COPY => 0 pid=5
	exit => now p0
	`)
}

func TestHostFiles(t *testing.T) {
	testStory(t, `
	host_mkdir "$H/d" => 0
	n = host_write "$H/d/f" "0123456789"*20 => 200
	host_copy "$H/d/f" "$H/g" => 200
	host_truncate "$H/g" 4 => 0
	host_read "$H/g" => 4 "0123"
	host_read "$H/d/f" => 200 head="0123456789012345" tail="4567890123456789" nonzero=200 fnv1a64=46dc083bd7097b35
	host_symlink "$H/g" "$H/l" => 0
	host_read "$H/l" => 4 "0123"
	host_mkfifo "$H/p" => 0
	host_unlink "$H/g" => 0
	host_read "$H/g" => -1
	host_read NULL => -1
	m = host_write "$H/nosuch/f" "x" => -1
	symlink "$H/d" "/l" => 0
	`)
}

func TestNullPointers(t *testing.T) {
	testStory(t, `
	open NULL O_RDONLY => EFAULT
	stat NULL => EFAULT
	symlink "x" NULL => EFAULT
	symlink NULL "/x" => EFAULT
	f = open "/f" O_CREAT|O_RDWR 0644 => 3
	write f NULL => 0
	utimes "/f" NULL => 0
	futimes f 1 2 3 4 => 0
	times "/f" => 0 atime=1.000002000 mtime=3.000004000
	times "/nosuch" => ENOENT
	`)
}

func TestAbsurdArguments(t *testing.T) {
	testStory(t, `
	f = open "/f" O_CREAT|O_RDWR 0644 => 3
	write f "hello" => 5
	lseek f 0 SEEK_SET => 0
	read f 18446744073709551615 => EINVAL
	read f 9223372036854775807 => 5 "hello"
	pread f 4611686018427387904 1 => 4 "ello"
	pread f -1 0 => EINVAL
	pread f 1 -1 => EINVAL
	readlink "/f" 18446744073709551615 => EINVAL
	symlink "f" "/l" => 0
	readlink "/l" 18446744073709551615 => 1 "f"
	readlink "/l" 0 => 0 ""
	d = open "/" O_RDONLY => 4
	getdents d 9223372036854775807 => 80 "l":lnk:i1 "f":reg:i2 "tmp":dir:i3 "dev":dir:i4
	getdents -1 512 => EBADF
	getcwd 1 => ERANGE
	close 2147483647 => EBADF
	close -1 => EBADF
	truncate "/f" 9223372036854775807 => ENOSPC
	pwrite f "x" 1073741824 => 1
	fcntl f F_DUPFD 1000 => EINVAL
	fcntl f F_GETFL => 0x2
	fcntl f 9999 1 => EINVAL
	fsync_range f FFILESYNC 0 9223372036854775807 => 0
	getfh "/nosuch" => ENOENT
	getvfsstat => 1 rumpfs@"/"
	statvfs1 "/nosuch" => ENOENT
	`)
}

func TestPanicAndDeadlockEndTheSection(t *testing.T) {
	const src = `
=== panic
mkfifo "/p" 0644
f = open "/p" O_RDWR
write f "x"
# not reached
getpid
=== deadlock
f = open "/f" O_CREAT|O_RDWR 0644
flock f LOCK_EX
g = open "/f" O_RDWR
flock g LOCK_SH
getpid
`
	const want = `
=== panic
mkfifo "/p" 0644 => 0
f = open "/p" O_RDWR => 3
write f "x" => PANIC
=== deadlock
f = open "/f" O_CREAT|O_RDWR 0644 => 3
flock f LOCK_EX => 0
g = open "/f" O_RDWR => 4
flock g LOCK_SH => BLOCKED
`
	if got := traceOf(t, src, deterministic); got != want {
		t.Errorf("trace:\n%s", got)
	}
}

func TestStopIsTheReason(t *testing.T) {
	s, err := NewSession(deterministic)
	if err != nil {
		t.Fatal(err)
	}
	p := s.Proc()
	if err := p.Mkfifo("/p", 0o600); err != nil {
		t.Fatal(err)
	}
	fd, err := p.Open("/p", kern.O_RDWR, 0)
	if err != nil {
		t.Fatal(err)
	}
	c, err := script.NewCall("write", script.Number(int64(fd)), script.String("x"))
	if err != nil {
		t.Fatal(err)
	}
	for range 2 { // this call and every later one
		r, err := s.Do(c)
		var panic *kern.Panic
		if err != nil || r.Text != script.PANIC || !errors.As(r.Stop, &panic) {
			t.Fatalf("result %+v, %v", r, err)
		}
	}
	if err := s.Close(); err != nil {
		t.Error(err)
	}
}

func TestEveryCallIsBound(t *testing.T) {
	for i := range script.Calls {
		if name := script.Calls[i].Name; calls[name] == nil {
			t.Errorf("%s has no system call", name)
		}
	}
	if len(calls) != len(script.Calls) {
		t.Errorf("%d system calls for %d calls of the language", len(calls), len(script.Calls))
	}
}

func TestDoNeedsNames(t *testing.T) {
	s, err := NewSession(deterministic)
	if err != nil {
		t.Fatal(err)
	}
	defer s.Close()
	unbound, err := script.NewCall("close", script.Bound("nobody"))
	if err != nil {
		t.Fatal(err)
	}
	if _, err := s.Do(unbound); err == nil || err.Error() != "close: nobody is not bound" {
		t.Errorf("error %v", err)
	}
	if s.Name(s.Proc()) != "p0" || s.Name(nil) != "" || s.Home() == "" {
		t.Errorf("the process is %q, home %q", s.Name(s.Proc()), s.Home())
	}
}

func TestInterrupt(t *testing.T) {
	s, err := script.Parse("script", []byte("getpid\nf = open \"/f\" O_CREAT|O_RDWR 0644\nflock f LOCK_EX\n"+
		"g = open \"/f\" O_RDWR\nflock g LOCK_EX\ngetpid\n"))
	if err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithCancel(context.Background())
	cancel()
	o := Run(ctx, &s.Sections[0], deterministic)
	if !errors.Is(o.Err, context.Canceled) || len(o.Results) != 0 {
		t.Errorf("deterministic: %v after %d lines", o.Err, len(o.Results))
	}

	// The fifth call of a native kernel waits until the interrupt.
	ctx, cancel = context.WithCancel(context.Background())
	console := console(func() { cancel() })
	s.Sections[0].Lines[0].Call, err = script.NewCall("write", script.Number(1), script.String("go"))
	if err != nil {
		t.Fatal(err)
	}
	o = Run(ctx, &s.Sections[0], sim.Config{Console: console})
	if !errors.Is(o.Err, context.Canceled) || len(o.Results) > 4 {
		t.Errorf("native: %v after %d lines", o.Err, len(o.Results))
	}
}

// console is a console that tells when it is written to.
type console func()

func (c console) Write(b []byte) (int, error) {
	c()
	return len(b), nil
}

func TestBootErrors(t *testing.T) {
	c := sim.Config{Params: map[string]string{"RUMP_NVNODES": "none"}}
	if _, err := NewSession(c); err == nil || !strings.Contains(err.Error(), "RUMP_NVNODES") {
		t.Errorf("error %v", err)
	}
	s, err := script.Parse("script", []byte("getpid"))
	if err != nil {
		t.Fatal(err)
	}
	if o := Run(context.Background(), &s.Sections[0], c); o.Err == nil {
		t.Error("a section ran without a kernel")
	}
}

const everything = `mkdir "/d" 0755
f = open "/d/f" O_CREAT|O_RDWR 0644
write f "abc"*1000
p1 = rfork COPY
pread f 5000 1
fcntl f F_SETLK F_WRLCK SEEK_SET 0 10
switch p0
fcntl f F_GETLK F_WRLCK SEEK_SET 5 1
d = open "/d" O_RDONLY
getdents d 4096
stat "/d/f"
statvfs1 "/"
utimes "/d/f" NULL
times "/d/f"
sync
`

// TestSameTextEachTime runs a script with several processes 100 times, and
// with one, two and eight processors: its trace is the same text.
func TestSameTextEachTime(t *testing.T) {
	src := ""
	for i := range 4 {
		src += fmt.Sprintf("=== %d\n", i) + everything
	}
	want := traceOf(t, src, deterministic)
	defer runtime.GOMAXPROCS(runtime.GOMAXPROCS(0))
	for _, procs := range []int{1, 2, 8} {
		runtime.GOMAXPROCS(procs)
		for i := range 100 {
			if got := traceOf(t, src, deterministic); got != want {
				t.Fatalf("run %d with GOMAXPROCS=%d:\n%s", i, procs, got)
			}
		}
	}
}

package call

import (
	"strings"
	"testing"

	"rumpvfs/kern"
	"rumpvfs/sim/script"
)

// TestOpsAreCallsOfTheLanguage checks names and arguments of every call against the script language.
func TestOpsAreCallsOfTheLanguage(t *testing.T) {
	for o := None + 1; o < NumOps; o++ {
		spec := script.Lookup(o.String())
		if spec == nil {
			t.Errorf("there is no call %v", o)
			continue
		}
		if len(spec.Params) < len(specs[o].fields) || OpNamed(o.String()) != o {
			t.Errorf("%v: %d parameters, %d fields", o, len(spec.Params), len(specs[o].fields))
		}
	}
	if OpNamed("mount") != None || None.String() != "none" || NumOps.TakesFD() || NumOps.TakesPath() || NumOps.TakesPath2() {
		t.Error("what is no call has a name or arguments")
	}
}

// TestLines writes calls as lines, and reads the lines again.
func TestLines(t *testing.T) {
	for _, c := range []struct {
		call Call
		line string
	}{
		{Call{Op: Open, Path: "a b", Flags: kern.O_RDWR | kern.O_CREAT, Mode: 0o644}, `open "a b" O_RDWR|O_CREAT 0644`},
		{Call{Op: Open, Path: NullPath}, `open NULL O_RDONLY`},
		{Call{Op: Open, Path: "/x", Flags: 3 | 1<<30}, `open "/x" 3|1073741824`},
		{Call{Op: Openat, FD: kern.AT_FDCWD, Path: strings.Repeat("n", 20) + "/x", Flags: kern.O_WRONLY}, `openat AT_FDCWD "n"*20+"/x" O_WRONLY`},
		{Call{Op: Write, FD: 3, Data: "\x00\xff" + strings.Repeat("z", 16)}, `write 3 "\x00\xff"+"z"*16`},
		{Call{Op: Write, FD: 3}, `write 3 ""`},
		{Call{Op: Pread, FD: 3, N: -1, Off: 1 << 40}, `pread 3 -1 1099511627776`},
		{Call{Op: Lseek, FD: 3, Off: -5, Flags: kern.SEEK_END}, `lseek 3 -5 SEEK_END`},
		{Call{Op: Lseek, FD: 3, Flags: 9}, `lseek 3 0 9`},
		{Call{Op: Unlinkat, FD: 3, Path: "x", Flags: kern.AT_REMOVEDIR}, `unlinkat 3 "x" AT_REMOVEDIR`},
		{Call{Op: Symlink, Path: "/l", Path2: "to"}, `symlink "to" "/l"`},
		{Call{Op: Readlink, Path: "/l", N: 4096}, `readlink "/l"`},
		{Call{Op: Readlink, Path: "/l", N: 5}, `readlink "/l" 5`},
		{Call{Op: Getcwd, N: 1024}, `getcwd`},
		{Call{Op: Getcwd, N: 3}, `getcwd 3`},
		{Call{Op: Mknod, Path: "/n", Mode: kern.S_IFCHR | 0o600, N: int64(kern.Makedev(2, 12))}, `mknod "/n" S_IFCHR|0600 dev:2,12`},
		{Call{Op: Mknod, Path: "/n", Mode: kern.S_IFWHT, N: -1}, `mknod "/n" S_IFWHT|0 -1`},
		{Call{Op: Mknod, Path: "/n", Mode: kern.S_IFMT}, `mknod "/n" 0170000`},
		{Call{Op: Mknod, Path: "/n", Mode: 0o600}, `mknod "/n" 0600`},
		{Call{Op: Access, Path: "/n", Mode: kern.R_OK | kern.X_OK | 0x10}, `access "/n" R_OK|X_OK|16`},
		{Call{Op: Access, Path: "/n"}, `access "/n" F_OK`},
		{Call{Op: Chown, Path: "/n", UID: 5, GID: ^uint32(0)}, `chown "/n" 5 -1`},
		{Call{Op: Chflags, Path: "/n", Flags: kern.UF_IMMUTABLE | kern.SF_APPEND}, `chflags "/n" UF_IMMUTABLE|SF_APPEND`},
		{Call{Op: Utimes, Path: "/n", Null: true}, `utimes "/n" NULL`},
		{Call{Op: Futimes, FD: 3, Arg: [4]int64{1, 2, -3, 4}}, `futimes 3 1 2 -3 4`},
		{Call{Op: FsyncRange, FD: 3, Flags: kern.FFILESYNC | kern.FDISKSYNC, Off: 1, Size: 2}, `fsync_range 3 FFILESYNC|FDISKSYNC 1 2`},
		{Call{Op: PosixFadvise, FD: 3, Off: 1, Size: 2, Flags: 4}, `posix_fadvise 3 1 2 4`},
		{Call{Op: Statvfs1, Path: "/", Flags: kern.ST_WAIT}, `statvfs1 "/"`},
		{Call{Op: Fstatvfs1, FD: 3, Flags: kern.ST_NOWAIT}, `fstatvfs1 3 ST_NOWAIT`},
		{Call{Op: Pathconf, Path: "/", Flags: kern.PC_NAME_MAX}, `pathconf "/" _PC_NAME_MAX`},
		{Call{Op: Setgroups, Data: Groups(1, 2)}, `setgroups 1 2`},
		{Call{Op: Fcntl, FD: 3, Flags: kern.F_SETLK, Arg: [4]int64{kern.F_WRLCK, kern.SEEK_SET, 0, 4}}, `fcntl 3 F_SETLK F_WRLCK SEEK_SET 0 4`},
		{Call{Op: Fcntl, FD: 3, Flags: kern.F_DUPFD}, `fcntl 3 F_DUPFD 0`},
		{Call{Op: Fcntl, FD: 3, Flags: kern.F_SETFD, N: 1}, `fcntl 3 F_SETFD FD_CLOEXEC`},
		{Call{Op: Fcntl, FD: 3, Flags: kern.F_SETFL, N: kern.O_APPEND}, `fcntl 3 F_SETFL O_APPEND`},
		{Call{Op: Fcntl, FD: 3, Flags: kern.F_SETOWN, N: 1}, `fcntl 3 F_SETOWN 1`},
		{Call{Op: Fcntl, FD: 3, Flags: 77}, `fcntl 3 77`},
		{Call{Op: Flock, FD: 3, Flags: kern.LOCK_EX | kern.LOCK_NB}, `flock 3 LOCK_EX|LOCK_NB`},
		{Call{Op: Rfork, Flags: RforkShare}, `rfork SHARE`},
		{Call{Op: Exit, Proc: 0}, `exit`},
	} {
		if got := c.call.String(); got != c.line {
			t.Errorf("%+v\n\tis %s, want %s", c.call, got, c.line)
		}
		if again, err := FromScript(c.call.Script()); err != nil || again != c.call {
			t.Errorf("%s\n\tis %+v, want %+v, %v", c.line, again, c.call, err)
		}
	}
}

// TestNoCalls reads lines that are no calls.
func TestNoCalls(t *testing.T) {
	for _, line := range []string{`mount "tmpfs" "/" 0`, `stat "$H/x"`, `symlink "$H" "/x"`, `switch p0`, `host_unlink "/x"`} {
		s, err := parse(line)
		if err != nil {
			t.Fatal(err)
		}
		if c, err := FromScript(s); err == nil {
			t.Errorf("%s is %+v", line, c)
		}
	}
}

func parse(line string) (*script.Call, error) {
	p := script.NewParser("test")
	if strings.HasPrefix(line, "switch") {
		if _, err := p.Line("p1 = rfork COPY"); err != nil {
			return nil, err
		}
	}
	l, err := p.Line(line)
	return l.Call, err
}

// TestScripts writes calls of several processes, leaving out what nobody can make.
func TestScripts(t *testing.T) {
	calls := []Call{
		{Op: Sync}, {Op: Rfork, Flags: RforkCopy}, {Op: Getpid}, {Op: Getpid, Proc: 1}, {Op: Getpid, Proc: 7}, {Op: Exit},
		{Op: Rfork, Flags: RforkClear, Proc: 1}, {Op: Exit, Proc: 2}, {Op: Getpid, Proc: 2}, {Op: Sync, Proc: 1},
	}
	want := "sync; p1 = rfork COPY; switch p0; getpid; switch p1; getpid; p2 = rfork CLEAR; exit; switch p1; sync"
	lines, which := Scripts(calls)
	var text []string
	for _, l := range lines {
		text = append(text, l.String())
	}
	if got := strings.Join(text, "; "); got != want || len(which) != len(lines) || which[0] != 0 || which[2] != -1 || which[9] != 9 {
		t.Errorf("%s\n%v, want\n%s", got, which, want)
	}
	s, err := script.Parse("test", []byte(strings.Join(text, "\n")))
	if err != nil {
		t.Fatal(err)
	}
	rd := NewReader()
	var back []Call
	for i := range s.Sections[0].Lines {
		l := s.Sections[0].Lines[i].Call
		c, ok, err := rd.Call(l)
		if err != nil {
			t.Fatal(err)
		}
		if ok {
			rd.Note(l, &c, &Result{})
			back = append(back, c)
		}
	}
	for i, n := range []int{0, 1, 2, 3, 6, 7, 9} {
		if i >= len(back) || back[i] != calls[n] {
			t.Errorf("call %d came back as %+v", n, back)
		}
	}
}

// TestNames binds names to results.
func TestNames(t *testing.T) {
	p, rd := script.NewParser("test"), NewReader()
	make := func(line string, r Result) Call {
		l, err := p.Line(line)
		if err != nil {
			t.Fatal(err)
		}
		c, _, err := rd.Call(l.Call)
		if err != nil {
			t.Fatal(err)
		}
		rd.Note(l.Call, &c, &r)
		return c
	}
	make(`f = open "/f" O_RDONLY`, Result{Ret: 7})
	if c := make(`e = posix_fadvise f 0 0 0`, Result{Errno: kern.EBADF, Ret: -1}); c.FD != 7 {
		t.Errorf("%+v", c)
	}
	if c := make(`g = dup e`, Result{Errno: kern.EBADF, Ret: -1}); c.FD != int32(kern.EBADF) {
		t.Errorf("%+v", c)
	}
	if c := make(`close g`, Result{Errno: kern.EBADF, Ret: -1}); c.FD != -1 {
		t.Errorf("%+v", c)
	}
}

// TestResults renders results as traces show them.
func TestResults(t *testing.T) {
	entries := AppendEntry(AppendEntry(nil, kern.DT_WHT, 3, "w"), kern.DT_DIR, 70000, strings.Repeat("d", 300))
	for _, c := range []struct {
		call Call
		res  Result
		text string
	}{
		{Call{Op: Open}, Result{Ret: 3}, "3"},
		{Call{Op: Open}, Result{Errno: kern.ENOENT, Ret: -1}, "ENOENT"},
		{Call{Op: Read}, Result{Stop: Panic}, "PANIC"},
		{Call{Op: Flock}, Result{Stop: Blocked}, "BLOCKED"},
		{Call{Op: Read}, Result{Stop: Broken, Data: []byte("why")}, `BROKEN "why"`},
		{Call{Op: PosixFadvise}, Result{Errno: kern.EINVAL}, "22"},
		{Call{Op: Read}, Result{Ret: 2, Data: []byte("a\x00")}, `2 "a\x00"`},
		{Call{Op: Getcwd}, Result{Ret: 2, Data: []byte("/")}, `2 "/"`},
		{Call{Op: Umask}, Result{Ret: 0o22}, "0022"},
		{Call{Op: Getids}, Result{Data: []byte("uid=0")}, "uid=0"},
		{Call{Op: Rfork}, Result{Ret: 2}, "0 pid=2"},
		{Call{Op: Exit}, Result{}, "now p0"},
		{Call{Op: Times}, Result{Times: [2]kern.Timespec{{Sec: 1}, {Sec: 2, Nsec: -1000}}}, "0 atime=1.000000000 mtime=2.-00001000"},
		{Call{Op: Fcntl, Flags: kern.F_GETFL}, Result{Ret: 0x8a}, "0x8a"},
		{Call{Op: Fcntl, Flags: kern.F_GETLK}, Result{Lock: kern.Flock{Type: kern.F_UNLCK}}, "0 F_UNLCK whence=0 start=0 len=0"},
		{Call{Op: Getdents}, Result{Ret: 16, Data: entries}, `16 "w":wht:i3 "` + strings.Repeat("d", 300) + `":dir:i70000`},
		{Call{Op: Stat}, Result{File: File{Mode: kern.S_IFCHR | 0o644, Nlink: 1, Ino: 2, Rdev: kern.Makedev(2, 12)}},
			"0 type=chr mode=0644 nlink=1 uid=0 gid=0 size=0 blksize=0 blocks=0 flags=0x0 gen=0 rdev=2,12 ino=i2 dev=ino"},
		{Call{Op: Fstat}, Result{File: File{Mode: kern.S_IFSOCK, Ino: 1, Dev: 4, Rdev: kern.NODEV}},
			"0 type=sock mode=0000 nlink=0 uid=0 gid=0 size=0 blksize=0 blocks=0 flags=0x0 gen=0 rdev=none ino=i1 dev=d4"},
	} {
		if got := c.res.Format(&c.call); got != c.text {
			t.Errorf("%s, want %s", got, c.text)
		}
	}
	for typ, name := range map[uint8]string{kern.DT_FIFO: "fifo", kern.DT_BLK: "blk", kern.DT_REG: "reg", kern.DT_LNK: "lnk", 15: "none"} {
		if typeName(typ) != name {
			t.Errorf("type %d is %s", typ, typeName(typ))
		}
	}
}

func TestEqual(t *testing.T) {
	var a, b Result
	b.Data = []byte("x")
	if b.Reset(); !a.Equal(&b) {
		t.Error("nothing differs from nothing")
	}
	for _, change := range []func(*Result){
		func(r *Result) { r.Errno = 1 }, func(r *Result) { r.Stop = Panic }, func(r *Result) { r.Ret = 1 }, func(r *Result) { r.File.Ino = 1 },
		func(r *Result) { r.Times[1].Sec = 1 }, func(r *Result) { r.Lock.Len = 1 }, func(r *Result) { r.Data = append(r.Data, 1) },
	} {
		if c := a; true {
			if change(&c); c.Equal(&a) {
				t.Errorf("%+v is %+v", c, a)
			}
		}
	}
	if b.Fail(kern.EPERM); b.Errno != kern.EPERM || b.Ret != -1 || len(b.Data) != 0 {
		t.Errorf("%+v", b)
	}
}

func TestBuffer(t *testing.T) {
	for n, want := range map[int64]int{0: 0, 5: 5, -1: MaxBuffer, 1 << 40: MaxBuffer} {
		if got := (&Call{N: n}).Buffer(); got != want {
			t.Errorf("%d bytes: %d", n, got)
		}
	}
}

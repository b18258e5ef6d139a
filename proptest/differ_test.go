package proptest_test

import (
	"fmt"
	"math/rand/v2"
	"os"
	"strconv"
	"strings"
	"testing"

	"rumpvfs/kern"
	"rumpvfs/proptest/call"
	"rumpvfs/proptest/model"
	"rumpvfs/proptest/target"
	"rumpvfs/sim"
)

// A picker makes random calls: few names, few descriptors, and the values at which something changes.
type picker struct{ *rand.Rand }

func pick[T any](p *picker, list ...T) T { return list[p.IntN(len(list))] }

// rarely is true once in n times.
func (p *picker) rarely(n int) bool { return p.IntN(n) == 0 }

func (p *picker) name() string {
	if p.rarely(60) {
		return strings.Repeat("n", pick(p, 255, 256))
	}
	return pick(p, "a", "b", "c", "a", "b", "d", "e", ".", "..")
}

func (p *picker) path() string {
	switch p.IntN(150) {
	case 0:
		return ""
	case 1:
		return call.NullPath
	case 2:
		return strings.Repeat("./", 511) + pick(p, "a", "ab")
	case 3:
		return pick(p, "/", "//", "/..", "/.", "..", ".")
	case 4:
		return pick(p, "/dev/null", "/dev/zero", "/dev", "/tmp", "/dev/null/")
	}
	var b strings.Builder
	if p.rarely(2) {
		b.WriteString("/")
	}
	for i := range 1 + p.IntN(4)*p.IntN(2) {
		if i > 0 {
			b.WriteString(pick(p, "/", "/", "/", "//"))
		}
		b.WriteString(p.name())
	}
	if p.rarely(12) {
		b.WriteString(pick(p, "/", "//", "/."))
	}
	return b.String()
}

func (p *picker) fd() int32 {
	if p.rarely(30) {
		return pick[int32](p, -1, 99, 127, 128, kern.AT_FDCWD, 1<<30)
	}
	return int32(p.IntN(11))
}

func (p *picker) at() int32 {
	if p.rarely(3) {
		return kern.AT_FDCWD
	}
	return p.fd()
}

func (p *picker) offset() int64 {
	switch p.IntN(20) {
	case 0:
		return pick[int64](p, -1, -5, 1<<31, 1<<62, 1<<63-1, 3<<30)
	case 1, 2, 3:
		return pick[int64](p, 4095, 4096, 4097, 8191, 8192, 12288, 40960, 65536, 100000)
	case 4:
		return int64(p.IntN(20000))
	}
	return int64(p.IntN(30))
}

func (p *picker) size() int64 {
	switch p.IntN(8) {
	case 0:
		return pick[int64](p, 0, 1, 23, 24, 25, 47, 48, 64, 4096, 65536, 100000)
	case 1:
		return pick[int64](p, 4095, 4096, 4097, 8192)
	case 2:
		return 4096
	}
	return int64(p.IntN(200))
}

func (p *picker) mode() uint32 {
	return pick[uint32](p, 0o777, 0o755, 0o644, 0o600, 0o700, 0o077, 0, 0o1777, 0o2755, 0o4755, 0o6777, 0o7777, 0o666, 0o500, 0o222, 0o111)
}

func (p *picker) id() uint32 { return pick[uint32](p, 0, 100, 101, 200, ^uint32(0)) }

func (p *picker) oflags() int32 {
	flags := pick[int32](p, kern.O_RDONLY, kern.O_RDWR, kern.O_RDWR, kern.O_WRONLY)
	for _, f := range []struct {
		flag int32
		n    int
	}{{kern.O_CREAT, 2}, {kern.O_TRUNC, 8}, {kern.O_EXCL, 8}, {kern.O_APPEND, 6}, {kern.O_NOFOLLOW, 12}, {kern.O_DIRECTORY, 12},
		{kern.O_CLOEXEC, 12}, {kern.O_NONBLOCK, 8}, {kern.O_SHLOCK | kern.O_NONBLOCK, 16}, {kern.O_EXLOCK | kern.O_NONBLOCK, 20},
		{kern.O_SYNC, 30}, {kern.O_ACCMODE, 80}} {
		if p.rarely(f.n) {
			flags |= f.flag
		}
	}
	return flags
}

// ops are the calls, as often as they shall come.
var ops = weighted(map[call.Op]int{
	call.Open: 60, call.Openat: 10, call.Close: 15, call.Dup: 4, call.Dup2: 4, call.Read: 15, call.Pread: 15, call.Write: 20,
	call.Pwrite: 15, call.Lseek: 12, call.Getdents: 20, call.Mkdir: 25, call.Mkdirat: 6, call.Rmdir: 12, call.Unlink: 15,
	call.Unlinkat: 8, call.Symlink: 15, call.Readlink: 5, call.Link: 4, call.Rename: 4, call.Mknod: 12, call.Mkfifo: 4,
	call.Stat: 12, call.Lstat: 12, call.Fstat: 10, call.Fstatat: 6, call.Times: 6, call.Access: 8, call.Chmod: 10, call.Lchmod: 2,
	call.Fchmod: 3, call.Chown: 8, call.Lchown: 2, call.Fchown: 3, call.Chflags: 4, call.Lchflags: 1, call.Fchflags: 2,
	call.Truncate: 6, call.Ftruncate: 8, call.Utimes: 4, call.Lutimes: 1, call.Futimes: 2, call.Fsync: 1, call.Fdatasync: 1,
	call.FsyncRange: 1, call.Sync: 1, call.Chdir: 8, call.Fchdir: 5, call.Chroot: 1, call.Fchroot: 1, call.Getcwd: 6,
	call.Umask: 2, call.Setuid: 1, call.Seteuid: 5, call.Setgid: 1, call.Setegid: 3, call.Setgroups: 2, call.Getids: 1,
	call.Getpid: 1, call.Pathconf: 1, call.Fpathconf: 1, call.PosixFadvise: 2, call.Statvfs1: 1, call.Fstatvfs1: 1,
	call.Getvfsstat: 1, call.Getfh: 1, call.Revoke: 2, call.Fcntl: 25, call.Flock: 8, call.Undelete: 4, call.Rfork: 3, call.Exit: 1,
})

func weighted(weights map[call.Op]int) (list []call.Op) {
	for o := call.None + 1; o < call.NumOps; o++ {
		for range weights[o] {
			list = append(list, o)
		}
	}
	return list
}

var blocks = []string{"x", "hello", "0123456789", "", strings.Repeat("ab", 2050), strings.Repeat("z", 4096), strings.Repeat("q", 9000)}

func (p *picker) call(procs int) (c call.Call) {
	c.Op = ops[p.IntN(len(ops))]
	if procs > 1 {
		c.Proc = uint8(p.IntN(procs))
	}
	c.Path, c.Path2, c.FD = "", "", 0
	if c.Op.TakesPath() {
		c.Path = p.path()
	}
	if c.Op.TakesPath2() {
		c.Path2 = p.path()
	}
	if c.Op.TakesFD() {
		c.FD = p.fd()
	}
	p.arguments(&c)
	return c
}

func (p *picker) arguments(c *call.Call) {
	switch c.Op {
	case call.Open, call.Openat:
		c.Flags, c.Mode = p.oflags(), p.mode()
		if c.Op == call.Openat {
			c.FD = p.at()
		}
	case call.Dup2:
		c.N = int64(p.fd())
	case call.Read, call.Getdents:
		c.N = p.size()
	case call.Pread:
		c.N, c.Off = p.size(), p.offset()
		if p.rarely(40) {
			c.N = -1
		}
	case call.Write:
		c.Data = pick(p, blocks...)
	case call.Pwrite:
		c.Data, c.Off = pick(p, blocks...), p.offset()
	case call.Lseek:
		c.Off, c.Flags = p.offset(), int32(p.IntN(3))
		if p.rarely(20) {
			c.Flags = 7
		}
		if p.rarely(5) {
			c.Off = -c.Off
		}
	case call.Mkdir, call.Mkfifo, call.Chmod, call.Lchmod, call.Fchmod, call.Umask:
		c.Mode = p.mode()
		if c.Op == call.Umask {
			c.Mode = pick[uint32](p, 0, 0o22, 0o77, 0o777)
		}
	case call.Mkdirat:
		c.FD, c.Mode = p.at(), p.mode()
	case call.Unlinkat:
		c.FD, c.Flags = p.at(), pick[int32](p, 0, kern.AT_REMOVEDIR)
	case call.Fstatat:
		c.FD, c.Flags = p.at(), pick[int32](p, 0, kern.AT_SYMLINK_NOFOLLOW)
	case call.Readlink:
		c.N = pick[int64](p, 4096, 4096, 0, 1, 3)
	case call.Mknod:
		c.Mode = p.mode() | pick[uint32](p, kern.S_IFWHT, kern.S_IFWHT, kern.S_IFREG, kern.S_IFCHR, kern.S_IFCHR, kern.S_IFBLK, kern.S_IFIFO,
			kern.S_IFSOCK, kern.S_IFDIR, 0)
		c.N = pick(p, int64(2<<8|2), 2<<8|12, 2<<8|3, 1<<8|1, 5<<8|77, -1)
	case call.Access:
		c.Mode = uint32(p.IntN(8))
		if p.rarely(20) {
			c.Mode = 0x10
		}
	default:
		p.more(c)
	}
}

func (p *picker) more(c *call.Call) {
	switch c.Op {
	case call.Chown, call.Lchown, call.Fchown, call.Setuid, call.Seteuid, call.Setgid, call.Setegid:
		if c.Op != call.Setgid && c.Op != call.Setegid {
			c.UID = p.id()
		}
		if c.Op != call.Setuid && c.Op != call.Seteuid {
			c.GID = p.id()
		}
	case call.Chflags, call.Lchflags, call.Fchflags:
		c.Flags = pick[int32](p, 0, 0, 0, kern.UF_NODUMP, kern.UF_IMMUTABLE, kern.UF_APPEND, kern.SF_APPEND, kern.SF_IMMUTABLE, kern.SF_ARCHIVED, -1)
	case call.Truncate, call.Ftruncate:
		c.Size = p.offset()
	case call.Utimes, call.Lutimes, call.Futimes:
		if c.Null = p.rarely(3); !c.Null {
			c.Arg = [4]int64{pick[int64](p, 1, 100, -1, 0), pick[int64](p, 0, 0, 5, 999999, 1000000, -1), pick[int64](p, 1, 200, -1, -2), pick[int64](p, 0, 7)}
		}
	case call.FsyncRange:
		c.Flags = pick[int32](p, kern.FDATASYNC, kern.FFILESYNC, kern.FDATASYNC|kern.FFILESYNC, 0, kern.FFILESYNC|kern.FDISKSYNC)
		c.Off, c.Size = p.offset(), pick[int64](p, 0, 10, -1)
	case call.Getcwd:
		c.N = pick[int64](p, 1024, 1024, 1024, 0, 1, 2, 3, 5, 100000)
	case call.Setgroups:
		c.Data = call.Groups(make([]uint32, pick(p, 0, 1, 2, 16, 17))...)
		if len(c.Data) == 8 {
			c.Data = call.Groups(100, 200)
		}
	case call.Pathconf, call.Fpathconf:
		c.Flags = int32(p.IntN(18))
	case call.PosixFadvise:
		c.Off, c.Size, c.Flags = p.offset(), pick[int64](p, 0, 10, 4096, -1, 1<<63-1), pick[int32](p, 0, 1, 2, 3, 4, 5, 6, -1)
	case call.Statvfs1, call.Fstatvfs1:
		c.Flags = pick[int32](p, kern.ST_WAIT, kern.ST_NOWAIT)
	case call.Flock:
		c.Flags = pick[int32](p, kern.LOCK_SH, kern.LOCK_EX, kern.LOCK_UN, 0, 3) | kern.LOCK_NB
	case call.Fcntl:
		p.fcntl(c)
	case call.Rfork:
		c.Flags = pick[int32](p, call.RforkCopy, call.RforkClear, call.RforkShare)
	}
}

func (p *picker) fcntl(c *call.Call) {
	c.Flags = pick[int32](p, kern.F_SETLK, kern.F_SETLK, kern.F_SETLK, kern.F_SETLK, kern.F_GETLK, kern.F_GETLK, kern.F_DUPFD, kern.F_GETFD,
		kern.F_SETFD, kern.F_GETFL, kern.F_SETFL, kern.F_GETOWN, kern.F_SETOWN, kern.F_MAXFD, kern.F_DUPFD_CLOEXEC, kern.F_GETNOSIGPIPE,
		kern.F_SETNOSIGPIPE, 77)
	if p.rarely(60) {
		c.Flags, c.FD = kern.F_CLOSEM, pick[int32](p, 5, 6, 7, -1)
	}
	if p.rarely(60) {
		c.Flags = -1 << 31
	}
	switch {
	case c.IsLock():
		c.Arg = [4]int64{pick[int64](p, kern.F_RDLCK, kern.F_WRLCK, kern.F_WRLCK, kern.F_UNLCK), int64(p.IntN(3)), int64(p.IntN(12)), int64(p.IntN(8))}
		if p.rarely(15) {
			c.Arg[2], c.Arg[3] = int64(p.IntN(20)-10), int64(p.IntN(20)-10)
		}
		if p.rarely(40) {
			c.Arg[p.IntN(2)] = 9
		}
	case c.Flags == kern.F_DUPFD || c.Flags == kern.F_DUPFD_CLOEXEC:
		c.N = pick[int64](p, 0, 5, 10, 127, 128, -1)
	case c.Flags == kern.F_SETFL:
		c.N = pick[int64](p, 0, kern.O_NONBLOCK, kern.O_APPEND, kern.O_ASYNC)
	case c.Flags == kern.F_SETFD, c.Flags == kern.F_SETNOSIGPIPE:
		c.N = int64(p.IntN(2))
	case c.Flags == kern.F_SETOWN:
		c.N = 1
	}
}

// script makes calls until the model stops or n are made, leaving out those that would wait.
func (p *picker) script(m *model.Model, n int) (calls []call.Call) {
	if err := m.Reset(); err != nil {
		panic(err)
	}
	var r call.Result
	procs := 1
	for len(calls) < n {
		c := p.call(procs)
		if c.Op == call.Rfork && procs == 4 || c.Op == call.Exit && !p.rarely(3) {
			continue
		}
		m.Do(&c, &r)
		if r.Stop == call.Blocked {
			return calls
		}
		if c.Op == call.Rfork && r.Errno == 0 {
			procs++
		}
		calls = append(calls, c)
		if r.Stop != call.Running {
			return calls
		}
	}
	return calls
}

// differ makes calls on both systems and returns the index of the first that they answer differently, or -1.
func differ(a, b call.System, calls []call.Call, ra, rb *call.Result) (int, error) {
	if err := a.Reset(); err != nil {
		return 0, err
	}
	if err := b.Reset(); err != nil {
		return 0, err
	}
	for i := range calls {
		a.Do(&calls[i], ra)
		b.Do(&calls[i], rb)
		if !ra.Equal(rb) {
			return i, nil
		}
		if ra.Stop != call.Running {
			return -1, nil
		}
	}
	return -1, nil
}

// shrink leaves out what is not needed for two systems to differ.
func shrink(a, b call.System, calls []call.Call) []call.Call {
	var ra, rb call.Result
	fails := func(list []call.Call) bool {
		i, err := differ(a, b, list, &ra, &rb)
		return i >= 0 || err != nil
	}
	for size := len(calls) / 2; size > 0; {
		removed := false
		for i := 0; i+size <= len(calls); {
			less := append(append([]call.Call(nil), calls[:i]...), calls[i+size:]...)
			if fails(less) {
				calls, removed = less, true
			} else {
				i++
			}
		}
		if !removed || size > 1 {
			size /= 2
		}
	}
	return calls
}

func explain(a, b call.System, calls []call.Call) string {
	var out strings.Builder
	var ra, rb call.Result
	_ = a.Reset()
	_ = b.Reset()
	for i := range calls {
		a.Do(&calls[i], &ra)
		b.Do(&calls[i], &rb)
		fmt.Fprintf(&out, "p%d %v => %s", calls[i].Proc, calls[i], ra.Format(&calls[i]))
		if !ra.Equal(&rb) {
			fmt.Fprintf(&out, "\n\tkernel => %s", rb.Format(&calls[i]))
			if m, ok := a.(*model.Model); ok {
				fmt.Fprintf(&out, " (%v)", m.Last)
			}
			return out.String()
		}
		out.WriteByte('\n')
	}
	return out.String()
}

// callsFrom is how many calls a test makes: as many as RUMPVFS_CALLS says, or n.
func callsFrom(n int) int {
	if more, err := strconv.Atoi(os.Getenv("RUMPVFS_CALLS")); err == nil {
		return more
	}
	return n
}

// seedFrom is the seed of a test: RUMPVFS_SEED, or 0.
func seedFrom() uint64 {
	seed, _ := strconv.ParseUint(os.Getenv("RUMPVFS_SEED"), 10, 64)
	return seed
}

// compare makes random calls on a kernel and a model with the same quirks and reports the first few differences, shrunk.
func compare(t *testing.T, quirks kern.Quirks, want int) {
	m := model.New(model.Config{Quirks: quirks})
	k, err := target.New(sim.Config{Fixed: kern.Rev1125 &^ quirks}, nil)
	if err != nil {
		t.Fatal(err)
	}
	p := &picker{rand.New(rand.NewPCG(seedFrom(), uint64(quirks)))}
	var ra, rb call.Result
	for total, failed := 0, 0; total < want && failed < 3; {
		calls := p.script(m, 20+p.IntN(300))
		i, err := differ(m, k, calls, &ra, &rb)
		if total += len(calls); i < 0 && err == nil {
			continue
		}
		failed++
		if err != nil {
			t.Errorf("%v: %v", quirks, err)
			continue
		}
		t.Errorf("%v, after %d calls:\n%s", quirks, total, explain(m, k, shrink(m, k, calls[:i+1])))
	}
	if err := k.Close(); err != nil {
		t.Error(err)
	}
}

// TestKernelIsModel makes random calls on kernel and model, as the reference has it and as POSIX does. RUMPVFS_CALLS says
// how many, RUMPVFS_SEED which.
func TestKernelIsModel(t *testing.T) {
	for name, quirks := range map[string]kern.Quirks{"rev1125": kern.Rev1125, "fixed": kern.Fixed} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			compare(t, quirks, callsFrom(60000))
		})
	}
}

// TestEachQuirk does the same with each quirk alone, and with all but it: a quirk is told from the others. The size that a
// vnode forgets is not modelled, and a revoked file gets a new vnode.
func TestEachQuirk(t *testing.T) {
	for _, q := range kern.AllQuirks() {
		alone, without := kern.Fixed.With(q), kern.Rev1125.Without(q)
		switch q {
		case kern.QuirkSizeForgotten:
			alone = alone.With(kern.QuirkRevokeIgnored)
		case kern.QuirkRevokeIgnored:
			without = without.Without(kern.QuirkSizeForgotten)
		}
		compare(t, alone, callsFrom(2500))
		compare(t, without, callsFrom(2500))
	}
}

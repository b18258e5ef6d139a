package sim_test

import (
	"bytes"
	"fmt"
	"math"
	"math/rand/v2"
	"strings"

	"rumpvfs/kern"
	"rumpvfs/sim"
)

// dice is where a monkey gets its decisions from: bytes that a fuzzer varies,
// or a seeded generator.
type dice struct {
	bytes []byte
	rnd   *rand.Rand
}

func seeded(seed uint64) *dice { return &dice{rnd: rand.New(rand.NewPCG(seed, 0x6d6f6e6b6579))} }

// below returns a number of 0..n-1, 0 when the bytes are used up.
func (d *dice) below(n int) int {
	if d.rnd != nil {
		return d.rnd.IntN(n)
	}
	if len(d.bytes) == 0 {
		return 0
	}
	b := d.bytes[0]
	d.bytes = d.bytes[1:]
	return int(b) % n
}

func (d *dice) over() bool { return d.rnd == nil && len(d.bytes) == 0 }

func pick[T any](d *dice, of []T) T { return of[d.below(len(of))] }

// monkey makes arbitrary calls.
type monkey struct {
	p      *sim.Proc
	dice   *dice
	absurd bool // arguments without sense, too
	fifos  bool // fifos and other odd nodes, whose use stops the kernel
	waits  bool // calls that may wait for ever, too; unless absurd, no flock, for which a process can wait that has it
	buf    [8192]byte
	deeds  []deed // nil: all
	log    func(string)
}

var paths = []string{
	"/a", "/b", "/d", "/d/a", "/d/b", "/d/e", "/d/e/a", "/d/e/d", "/l", "/d/l", "a", "b", "d", "l", "e/a",
	"..", ".", "/", "../a", "d/..", "/d/../b", "/d/e/..", "/d/./e/.", "/d/", "/d/e/", "/l/a", "/l/", "/dev/null",
	"/dev/zero", "/tmp/a", "/tmp/../d", "d/e/../../a",
}

var absurdPaths = []string{
	"", "\x00", "a\x00b", strings.Repeat("/", 1000), strings.Repeat("x", 255), strings.Repeat("x", 256),
	strings.Repeat("a/", 511), strings.Repeat("a/", 512), strings.Repeat("y", 100<<10), strings.Repeat("d/../", 200),
	"\xff\xfe", "/d/e/f/g/h", "//a", "/d//e", "...", "@machine", "/\x01\n", "/dev/odd", "/dev/zero/..",
}

func (m *monkey) path() string {
	if m.absurd && m.dice.below(8) == 0 {
		return pick(m.dice, absurdPaths)
	}
	return pick(m.dice, paths)
}

var extremes = []int64{
	0, 1, -1, 2, 3, 511, 512, 4095, 4096, 4097, 65535, 65536, 1 << 20, 1 << 30, 1<<31 - 1, 1 << 31, 1<<32 - 1, 1 << 32,
	math.MaxInt64, math.MaxInt64 - 1, math.MaxInt64 - 4095, math.MaxInt64 - 4096, math.MinInt64, math.MinInt64 + 1,
	-4096, -1 << 31, 1<<62 - 1, 1 << 62, 1 << 43, 0x5555555555555555,
}

func (m *monkey) number(n int) int64 {
	if m.absurd && m.dice.below(6) == 0 {
		return pick(m.dice, extremes)
	}
	return int64(m.dice.below(n))
}

func (m *monkey) fd() int {
	if m.absurd && m.dice.below(8) == 0 {
		return int(pick(m.dice, extremes))
	}
	return 2 + m.dice.below(8) // the console's last, those that are open, some that are not
}

func (m *monkey) dirfd() int {
	if m.dice.below(3) == 0 {
		return kern.AT_FDCWD
	}
	return m.fd()
}

func (m *monkey) mode() uint32 {
	return pick(m.dice, []uint32{0o755, 0o777, 0o644, 0o1777, 0o700, 0, 0o111, 0o4755, 0o2755, ^uint32(0)})
}

func (m *monkey) oflags() int {
	f := m.dice.below(3)
	if m.dice.below(2) == 0 {
		f |= kern.O_CREAT
	}
	f |= pick(m.dice, []int{
		0, 0, 0, kern.O_EXCL, kern.O_TRUNC, kern.O_APPEND, kern.O_NOFOLLOW, kern.O_DIRECTORY, kern.O_CLOEXEC,
		kern.O_SYNC, kern.O_DIRECT, kern.O_NONBLOCK | kern.O_EXLOCK, kern.O_NONBLOCK | kern.O_SHLOCK,
	})
	if m.absurd && m.dice.below(8) == 0 {
		f = int(pick(m.dice, extremes))
	}
	switch {
	case !m.waits && f&(kern.O_EXLOCK|kern.O_SHLOCK) != 0:
		f |= kern.O_NONBLOCK
	case m.waits && !m.absurd:
		f &^= kern.O_EXLOCK | kern.O_SHLOCK
	}
	return f
}

func (m *monkey) data() []byte { return m.buf[:m.number2(len(m.buf))] }

// number2 is a length that a slice of n can have.
func (m *monkey) number2(n int) int64 { return max(0, min(m.number(n), int64(n))) }

func (m *monkey) id() uint32 {
	return pick(m.dice, []uint32{0, 0, 1, 2, ^uint32(0), 1 << 31})
}

func (m *monkey) times() *[2]sim.Timeval {
	if m.dice.below(3) == 0 {
		return nil
	}
	return &[2]sim.Timeval{
		{Sec: m.number(100), Usec: pick(m.dice, []int64{0, 5, kern.UTIME_NOW, kern.UTIME_OMIT, -1, 1 << 40, m.number(9)})},
		{Sec: m.number(100), Usec: pick(m.dice, []int64{0, 5, kern.UTIME_NOW, kern.UTIME_OMIT, -1, 1 << 40, m.number(9)})},
	}
}

func (m *monkey) flock() *kern.Flock {
	return &kern.Flock{
		Type:   int16(1 + m.dice.below(3) + m.odd(9)),
		Whence: int16(m.dice.below(3) + m.odd(5)),
		Start:  m.number(64), Len: m.number(64) - m.number(20),
	}
}

// odd is mostly 0.
func (m *monkey) odd(n int) int {
	if m.absurd && m.dice.below(16) == 0 {
		return n
	}
	return 0
}

// whole is a length as a C caller may state it.
func (m *monkey) whole(b []byte) uint64 {
	if m.absurd && m.dice.below(4) == 0 {
		return uint64(pick(m.dice, extremes))
	}
	return uint64(len(b))
}

// sane is a length at which even a sparse file costs little to look at.
func (m *monkey) size() int64 {
	if m.absurd {
		return m.number(20000)
	}
	return int64(m.dice.below(20000))
}

type deed struct {
	name string
	do   func(m *monkey) (string, error)
}

// result0 is for calls that return nothing.
func result0(err error) (string, error) { return "", err }

func result[T any](v T, err error) (string, error) { return fmt.Sprint(v), err }

var deeds = []deed{
	{"open", func(m *monkey) (string, error) { return result(m.p.Open(m.path(), m.oflags(), m.mode())) }},
	{"open", func(m *monkey) (string, error) { return result(m.p.Open(m.path(), m.oflags(), m.mode())) }},
	{"openat", func(m *monkey) (string, error) { return result(m.p.Openat(m.dirfd(), m.path(), m.oflags(), m.mode())) }},
	{"close", func(m *monkey) (string, error) { return result0(m.p.Close(m.fd())) }},
	{"close", func(m *monkey) (string, error) { return result0(m.p.Close(m.fd())) }},
	{"dup", func(m *monkey) (string, error) { return result(m.p.Dup(m.fd())) }},
	{"dup2", func(m *monkey) (string, error) { return result(m.p.Dup2(m.fd(), m.fd())) }},
	{"read", func(m *monkey) (string, error) { b := m.data(); return result(m.p.ReadN(m.fd(), b, m.whole(b))) }},
	{"read", func(m *monkey) (string, error) { return result(m.p.Read(m.fd(), m.data())) }},
	{"pread", func(m *monkey) (string, error) {
		b := m.data()
		return result(m.p.PreadN(m.fd(), b, m.whole(b), m.number(20000)))
	}},
	{"write", func(m *monkey) (string, error) { return result(m.p.Write(m.fd(), m.data())) }},
	{"pwrite", func(m *monkey) (string, error) { return result(m.p.Pwrite(m.fd(), m.data(), m.number(20000))) }},
	{"lseek", func(m *monkey) (string, error) {
		return result(m.p.Lseek(m.fd(), m.number(20000), int(m.number(3))))
	}},
	{"getdents", func(m *monkey) (string, error) { return result(m.p.Getdents(m.fd(), m.data())) }},
	{"mkdir", func(m *monkey) (string, error) { return result0(m.p.Mkdir(m.path(), m.mode())) }},
	{"mkdir", func(m *monkey) (string, error) { return result0(m.p.Mkdir(m.path(), m.mode())) }},
	{"mkdirat", func(m *monkey) (string, error) { return result0(m.p.Mkdirat(m.dirfd(), m.path(), m.mode())) }},
	{"rmdir", func(m *monkey) (string, error) { return result0(m.p.Rmdir(m.path())) }},
	{"rmdir", func(m *monkey) (string, error) { return result0(m.p.Rmdir(m.path())) }},
	{"unlink", func(m *monkey) (string, error) { return result0(m.p.Unlink(m.path())) }},
	{"unlink", func(m *monkey) (string, error) { return result0(m.p.Unlink(m.path())) }},
	{"unlinkat", func(m *monkey) (string, error) {
		return result0(m.p.Unlinkat(m.dirfd(), m.path(), pick(m.dice, []int{0, kern.AT_REMOVEDIR, -1})))
	}},
	{"symlink", func(m *monkey) (string, error) { return result0(m.p.Symlink(m.path(), m.path())) }},
	{"symlink", func(m *monkey) (string, error) { return result0(m.p.Symlink(m.path(), "/l")) }},
	{"readlink", func(m *monkey) (string, error) { return result(m.p.Readlink(m.path(), m.data())) }},
	{"link", func(m *monkey) (string, error) { return result0(m.p.Link(m.path(), m.path())) }},
	{"rename", func(m *monkey) (string, error) { return result0(m.p.Rename(m.path(), m.path())) }},
	{"mknod", func(m *monkey) (string, error) {
		t := pick(m.dice, []uint32{
			kern.S_IFREG, kern.S_IFREG, kern.S_IFWHT, kern.S_IFWHT, kern.S_IFCHR, kern.S_IFBLK, kern.S_IFDIR, kern.S_IFSOCK, kern.S_IFMT, 0,
		})
		if t == kern.S_IFMT && !m.fifos {
			t = kern.S_IFIFO
		}
		return result0(m.p.Mknod(m.path(), m.mode()&^kern.S_IFMT|t, kern.Dev(m.number(1024))))
	}},
	{"mkfifo", func(m *monkey) (string, error) {
		if !m.fifos {
			return result0(nil)
		}
		return result0(m.p.Mkfifo(m.path(), m.mode()))
	}},
	{"stat", func(m *monkey) (string, error) { return stat(m.p.Stat(m.path())) }},
	{"lstat", func(m *monkey) (string, error) { return stat(m.p.Lstat(m.path())) }},
	{"fstat", func(m *monkey) (string, error) { return stat(m.p.Fstat(m.fd())) }},
	{"fstatat", func(m *monkey) (string, error) { return stat(m.p.Fstatat(m.dirfd(), m.path(), int(m.number(0x400)))) }},
	{"access", func(m *monkey) (string, error) { return result0(m.p.Access(m.path(), int(m.number(9)))) }},
	{"chmod", func(m *monkey) (string, error) { return result0(m.p.Chmod(m.path(), m.mode())) }},
	{"lchmod", func(m *monkey) (string, error) { return result0(m.p.Lchmod(m.path(), m.mode())) }},
	{"fchmod", func(m *monkey) (string, error) { return result0(m.p.Fchmod(m.fd(), m.mode())) }},
	{"chown", func(m *monkey) (string, error) { return result0(m.p.Chown(m.path(), m.id(), m.id())) }},
	{"lchown", func(m *monkey) (string, error) { return result0(m.p.Lchown(m.path(), m.id(), m.id())) }},
	{"fchown", func(m *monkey) (string, error) { return result0(m.p.Fchown(m.fd(), m.id(), m.id())) }},
	{"chflags", func(m *monkey) (string, error) { return result0(m.p.Chflags(m.path(), m.flags())) }},
	{"lchflags", func(m *monkey) (string, error) { return result0(m.p.Lchflags(m.path(), m.flags())) }},
	{"fchflags", func(m *monkey) (string, error) { return result0(m.p.Fchflags(m.fd(), m.flags())) }},
	{"truncate", func(m *monkey) (string, error) { return result0(m.p.Truncate(m.path(), m.size())) }},
	{"ftruncate", func(m *monkey) (string, error) { return result0(m.p.Ftruncate(m.fd(), m.size())) }},
	{"utimes", func(m *monkey) (string, error) { return result0(m.p.Utimes(m.path(), m.times())) }},
	{"lutimes", func(m *monkey) (string, error) { return result0(m.p.Lutimes(m.path(), m.times())) }},
	{"futimes", func(m *monkey) (string, error) { return result0(m.p.Futimes(m.fd(), m.times())) }},
	{"fsync", func(m *monkey) (string, error) { return result0(m.p.Fsync(m.fd())) }},
	{"fdatasync", func(m *monkey) (string, error) { return result0(m.p.Fdatasync(m.fd())) }},
	{"fsync_range", func(m *monkey) (string, error) {
		how := pick(m.dice, []int{kern.FDATASYNC, kern.FFILESYNC, kern.FDATASYNC | kern.FDISKSYNC, 0, -1})
		return result0(m.p.FsyncRange(m.fd(), how, m.number(20000), m.number(20000)))
	}},
	{"sync", func(m *monkey) (string, error) { return result0(m.p.Sync()) }},
	{"chdir", func(m *monkey) (string, error) { return result0(m.p.Chdir(m.path())) }},
	{"fchdir", func(m *monkey) (string, error) { return result0(m.p.Fchdir(m.fd())) }},
	{"chroot", func(m *monkey) (string, error) { return result0(m.p.Chroot(m.path())) }},
	{"fchroot", func(m *monkey) (string, error) { return result0(m.p.Fchroot(m.fd())) }},
	{"getcwd", func(m *monkey) (string, error) { return result(m.p.Getcwd()) }},
	{"getcwd", func(m *monkey) (string, error) { return result(m.p.GetcwdN(uint64(m.number(20)))) }},
	{"umask", func(m *monkey) (string, error) { return result(m.p.Umask(m.mode())) }},
	{"setuid", func(m *monkey) (string, error) {
		if m.dice.below(4) > 0 { // few come back from it
			return result0(m.p.Seteuid(m.id()))
		}
		return result0(m.p.Setuid(m.id()))
	}},
	{"setgid", func(m *monkey) (string, error) {
		if m.dice.below(2) == 0 {
			return result0(m.p.Setegid(m.id()))
		}
		return result0(m.p.Setgid(m.id()))
	}},
	{"setgroups", func(m *monkey) (string, error) {
		return result0(m.p.Setgroups(make([]uint32, m.number2(20))...))
	}},
	{"pathconf", func(m *monkey) (string, error) { return result(m.p.Pathconf(m.path(), int(m.number(14)))) }},
	{"fpathconf", func(m *monkey) (string, error) { return result(m.p.Fpathconf(m.fd(), int(m.number(14)))) }},
	{"posix_fadvise", func(m *monkey) (string, error) {
		return result0(m.p.PosixFadvise(m.fd(), m.number(20000), m.number(20000), int(m.number(7))))
	}},
	{"statvfs", func(m *monkey) (string, error) { return result(m.p.Statvfs1(m.path(), int(m.number(4)))) }},
	{"fstatvfs", func(m *monkey) (string, error) { return result(m.p.Fstatvfs1(m.fd(), int(m.number(4)))) }},
	{"getvfsstat", func(m *monkey) (string, error) { return result(m.p.Getvfsstat(int(m.number(4)))) }},
	{"getfh", func(m *monkey) (string, error) { return result(m.p.Getfh(m.path())) }},
	{"revoke", func(m *monkey) (string, error) { return result0(m.p.Revoke(m.path())) }},
	{"undelete", func(m *monkey) (string, error) { return result0(m.p.Undelete(m.path())) }},
	{"fcntl", func(m *monkey) (string, error) {
		return result(m.p.Fcntl(m.fd(), int(m.number(18)), m.number(64)))
	}},
	{"setlk", func(m *monkey) (string, error) {
		fl := m.flock()
		err := m.p.FcntlLock(m.fd(), pick(m.dice, []int{kern.F_GETLK, kern.F_SETLK, kern.F_SETLK, 77}), fl)
		return result(*fl, err)
	}},
	{"setlkw", func(m *monkey) (string, error) {
		if !m.waits {
			return result0(nil)
		}
		return result0(m.p.FcntlLock(m.fd(), kern.F_SETLKW, m.flock()))
	}},
	{"flock", func(m *monkey) (string, error) {
		if m.waits && !m.absurd {
			return result0(nil)
		}
		how := pick(m.dice, []int{kern.LOCK_SH, kern.LOCK_EX, kern.LOCK_UN, 0, -1})
		return result0(m.p.Flock(m.fd(), how|kern.LOCK_NB))
	}},
}

func (m *monkey) flags() uint32 {
	return pick(m.dice, []uint32{0, kern.UF_NODUMP, kern.UF_OPAQUE, kern.UF_IMMUTABLE, kern.SF_APPEND, ^uint32(0)})
}

// stat shows what does not depend on the clock.
func stat(sb kern.Stat, err error) (string, error) {
	return fmt.Sprintf("%o %d %d %d:%d %d %#x", sb.Mode, sb.Ino, sb.Nlink, sb.UID, sb.GID, sb.Size, sb.FileFlags), err
}

// step makes one call.
func (m *monkey) step() error {
	of := m.deeds
	if of == nil {
		of = deeds
	}
	d := pick(m.dice, of)
	text, err := d.do(m)
	if m.log != nil {
		m.log(fmt.Sprintf("%d: %s %s %v", m.p.Getpid(), d.name, text, err))
	}
	return err
}

// run makes n calls, or as many as there are dice for. It ends early with
// the kernel.
func (m *monkey) run(n int) {
	copy(m.buf[:], bytes.Repeat([]byte("monkey business "), len(m.buf)/16))
	for range n {
		if m.dice.over() || m.p.Kernel().Err() != nil {
			return
		}
		_ = m.step()
	}
}

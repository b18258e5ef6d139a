//go:build amd64 || arm64

package host

import (
	"strconv"
	"time"
	"unsafe"

	"golang.org/x/sys/unix"

	"rumpvfs/kern"
	"rumpvfs/proptest/call"
)

// An executor makes calls from the thread that it is used by.
type executor struct {
	began  int64 // seconds since 1970
	inodes map[inode]uint32
	path   [2][]byte
	data   []byte
	buf    []byte
	groups []uint32

	// What the kernel reads and writes by address, and which therefore is not on a stack, that may move.
	st    unix.Stat_t
	lock  unix.Flock_t
	times [2]unix.Timespec
	ids   [6]uint32
}

// An inode is what aliases are given to.
type inode struct{ dev, ino uint64 }

// bootTime is how many seconds a world may have begun before its first call.
const bootTime = 5

func (x *executor) begin() {
	x.began = time.Now().Unix() - bootTime
	if clear(x.inodes); x.buf == nil {
		x.inodes, x.buf = map[inode]uint32{}, make([]byte, maxRead)
	}
}

// maxRead is how many bytes a call can read.
const maxRead = 1 << 17

// do makes a call. One that Linux does not have, or that cannot be made here, is ENOSYS.
func (x *executor) do(c *call.Call, r *call.Result) {
	r.Reset()
	if c.Op.TakesFD() && c.FD >= kern.NOFILE && !closesFrom(c) {
		r.Fail(kern.EBADF) // what is there is not the script's
		return
	}
	e, ok := x.descriptor(c, r)
	if !ok {
		e, ok = x.name(c, r)
	}
	if !ok {
		e, ok = x.attribute(c, r)
	}
	if !ok {
		e, ok = x.identity(c, r)
	}
	switch {
	case !ok || c.Proc != 0:
		r.Fail(kern.ENOSYS)
	case e != 0:
		r.Fail(errnoOf(e))
	}
}

// sys makes a system call and stores what it returns.
func sys(r *call.Result, trap uintptr, args ...uintptr) unix.Errno {
	var a [6]uintptr
	copy(a[:], args)
	n, _, e := unix.Syscall6(trap, a[0], a[1], a[2], a[3], a[4], a[5])
	if e == 0 {
		r.Ret = int64(n)
	}
	return e
}

// text is a path as the kernel wants it, good until the next one in the same place.
func (x *executor) text(place int, path string) uintptr {
	if path == call.NullPath {
		return 0
	}
	x.path[place] = append(append(x.path[place][:0], path...), 0)
	return uintptr(unsafe.Pointer(&x.path[place][0]))
}

// bytes is data as the kernel wants it.
func (x *executor) bytes(s string) uintptr {
	x.data = append(append(x.data[:0], s...), 0)
	return uintptr(unsafe.Pointer(&x.data[0]))
}

func (x *executor) buffer() uintptr { return uintptr(unsafe.Pointer(&x.buf[0])) }

// cwd is AT_FDCWD, which Linux and NetBSD have in common.
const cwd = ^uintptr(99)

func fd(c *call.Call) uintptr { return uintptr(c.FD) }

// descriptor makes a call about an open file.
func (x *executor) descriptor(c *call.Call, r *call.Result) (unix.Errno, bool) {
	switch c.Op {
	case call.Open:
		return sys(r, unix.SYS_OPENAT, cwd, x.text(0, c.Path), uintptr(toLinux(c.Flags)), uintptr(c.Mode)), true
	case call.Openat:
		return sys(r, unix.SYS_OPENAT, fd(c), x.text(0, c.Path), uintptr(toLinux(c.Flags)), uintptr(c.Mode)), true
	case call.Close:
		return sys(r, unix.SYS_CLOSE, fd(c)), true
	case call.Dup:
		return sys(r, unix.SYS_DUP, fd(c)), true
	case call.Dup2:
		return dup2(c, r), true
	case call.Read:
		return x.read(r, unix.SYS_READ, c, fd(c), x.buffer(), uintptr(c.N)), true
	case call.Pread:
		return x.read(r, unix.SYS_PREAD64, c, fd(c), x.buffer(), uintptr(c.N), uintptr(c.Off)), true
	case call.Write:
		return sys(r, unix.SYS_WRITE, fd(c), x.bytes(c.Data), uintptr(len(c.Data))), true
	case call.Pwrite:
		return sys(r, unix.SYS_PWRITE64, fd(c), x.bytes(c.Data), uintptr(len(c.Data)), uintptr(c.Off)), true
	case call.Lseek:
		return sys(r, unix.SYS_LSEEK, fd(c), uintptr(c.Off), uintptr(c.Flags)), true
	case call.Getdents:
		return x.getdents(c, r), true
	case call.Ftruncate:
		return sys(r, unix.SYS_FTRUNCATE, fd(c), uintptr(c.Size)), true
	case call.Fsync:
		return sys(r, unix.SYS_FSYNC, fd(c)), true
	case call.Fdatasync:
		return sys(r, unix.SYS_FDATASYNC, fd(c)), true
	case call.Fchdir:
		return sys(r, unix.SYS_FCHDIR, fd(c)), true
	case call.PosixFadvise:
		return sys(r, unix.SYS_FADVISE64, fd(c), uintptr(c.Off), uintptr(c.Size), uintptr(c.Flags)), true
	case call.Fcntl:
		return x.fcntl(c, r), true
	case call.Flock:
		return sys(r, unix.SYS_FLOCK, fd(c), uintptr(c.Flags)), true
	}
	return 0, false
}

// dup2 is dup2, which not every processor's Linux has.
func dup2(c *call.Call, r *call.Result) unix.Errno {
	if int64(c.FD) == c.N {
		e := sys(r, unix.SYS_FCNTL, fd(c), unix.F_GETFD)
		r.Ret = c.N
		return e
	}
	return sys(r, unix.SYS_DUP3, fd(c), uintptr(c.N), 0)
}

// read makes a call that fills the buffer.
func (x *executor) read(r *call.Result, trap uintptr, c *call.Call, args ...uintptr) unix.Errno {
	if c.N > maxRead {
		return unix.EFAULT
	}
	e := sys(r, trap, args...)
	if e == 0 {
		r.Data = append(r.Data, x.buf[:r.Ret]...)
	}
	return e
}

// getdents reads the rest of a directory, without "." and "..".
func (x *executor) getdents(c *call.Call, r *call.Result) unix.Errno {
	var st unix.Stat_t
	dir := unix.Fstat(int(c.FD), &st)
	for {
		if e := sys(r, unix.SYS_GETDENTS64, fd(c), x.buffer(), maxRead); e != 0 || r.Ret == 0 {
			r.Ret = int64(len(r.Data))
			return e
		}
		if dir != nil {
			return unix.EIO
		}
		for rest := x.buf[:r.Ret]; len(rest) > 0; {
			d := (*unix.Dirent)(unsafe.Pointer(&rest[0]))
			name := unix.ByteSliceToString(rest[19:d.Reclen])
			if name != "." && name != ".." {
				r.Data = call.AppendEntry(r.Data, d.Type, x.alias(st.Dev, d.Ino), name)
			}
			rest = rest[d.Reclen:]
		}
	}
}

// alias is the number that a file is shown by.
func (x *executor) alias(dev, ino uint64) uint32 {
	key := inode{dev, ino}
	n := x.inodes[key]
	if n == 0 {
		n = uint32(len(x.inodes)) + 1
		x.inodes[key] = n
	}
	return n
}

// closesFrom reports whether the call closes a descriptor and all above it.
func closesFrom(c *call.Call) bool { return c.Op == call.Fcntl && c.Flags == kern.F_CLOSEM }

func (x *executor) fcntl(c *call.Call, r *call.Result) unix.Errno {
	switch {
	case c.IsLock():
		return x.fcntlLock(c, r)
	case c.Flags == kern.F_DUPFD:
		return sys(r, unix.SYS_FCNTL, fd(c), unix.F_DUPFD, uintptr(c.N))
	case c.Flags == kern.F_DUPFD_CLOEXEC:
		return sys(r, unix.SYS_FCNTL, fd(c), unix.F_DUPFD_CLOEXEC, uintptr(c.N))
	case closesFrom(c) && c.FD < 0:
		return unix.EBADF
	case closesFrom(c) && c.FD >= kern.NOFILE:
		return 0
	case closesFrom(c):
		return sys(r, unix.SYS_CLOSE_RANGE, fd(c), kern.NOFILE-1, 0)
	case c.Flags == kern.F_GETFL:
		e := sys(r, unix.SYS_FCNTL, fd(c), unix.F_GETFL)
		r.Ret = fromLinux(int(r.Ret))
		return e
	case c.Flags == kern.F_GETFD:
		return sys(r, unix.SYS_FCNTL, fd(c), unix.F_GETFD)
	case c.Flags == kern.F_SETFD:
		return sys(r, unix.SYS_FCNTL, fd(c), unix.F_SETFD, uintptr(c.N))
	}
	return sys(r, unix.SYS_FCNTL, fd(c), noCommand)
}

// noCommand is an fcntl command that neither system has.
const noCommand = 0x7777

func (x *executor) fcntlLock(c *call.Call, r *call.Result) unix.Errno {
	cmd := uintptr(unix.F_SETLK)
	if c.Flags == kern.F_GETLK {
		cmd = unix.F_GETLK
	}
	fl := &x.lock
	*fl = unix.Flock_t{Type: lockType(c.Arg[0]), Whence: int16(c.Arg[1]), Start: c.Arg[2], Len: c.Arg[3]}
	e := sys(r, unix.SYS_FCNTL, fd(c), cmd, uintptr(unsafe.Pointer(fl)))
	if e == 0 && c.Flags == kern.F_GETLK {
		r.Lock = kern.Flock{Type: netbsdLockType(fl.Type), Whence: fl.Whence, Start: fl.Start, Len: fl.Len, Pid: fl.Pid}
		if fl.Type == unix.F_UNLCK {
			r.Lock.Pid = 0
		}
	}
	return e
}

// name makes a call about a path.
func (x *executor) name(c *call.Call, r *call.Result) (unix.Errno, bool) {
	path := x.text(0, c.Path)
	switch c.Op {
	case call.Mkdir:
		return sys(r, unix.SYS_MKDIRAT, cwd, path, uintptr(c.Mode)), true
	case call.Mkdirat:
		return sys(r, unix.SYS_MKDIRAT, fd(c), path, uintptr(c.Mode)), true
	case call.Rmdir:
		return sys(r, unix.SYS_UNLINKAT, cwd, path, unix.AT_REMOVEDIR), true
	case call.Unlink:
		return sys(r, unix.SYS_UNLINKAT, cwd, path, 0), true
	case call.Unlinkat:
		return sys(r, unix.SYS_UNLINKAT, fd(c), path, uintptr(toLinuxAt(c.Flags))), true
	case call.Symlink:
		return sys(r, unix.SYS_SYMLINKAT, x.text(1, c.Path2), cwd, path), true
	case call.Readlink:
		return x.read(r, unix.SYS_READLINKAT, c, cwd, path, x.buffer(), uintptr(c.N)), true
	case call.Link:
		return sys(r, unix.SYS_LINKAT, cwd, path, cwd, x.text(1, c.Path2), unix.AT_SYMLINK_FOLLOW), true
	case call.Rename:
		return sys(r, unix.SYS_RENAMEAT2, cwd, path, cwd, x.text(1, c.Path2), 0), true
	case call.Mknod:
		return sys(r, unix.SYS_MKNODAT, cwd, path, uintptr(c.Mode), uintptr(linuxDev(kern.Dev(c.N)))), true
	case call.Mkfifo:
		return sys(r, unix.SYS_MKNODAT, cwd, path, uintptr(c.Mode&kern.ALLPERMS|unix.S_IFIFO), 0), true
	case call.Truncate:
		return sys(r, unix.SYS_TRUNCATE, path, uintptr(c.Size)), true
	case call.Access:
		return sys(r, unix.SYS_FACCESSAT, cwd, path, uintptr(c.Mode)), true
	case call.Chdir:
		return sys(r, unix.SYS_CHDIR, path), true
	case call.Chroot:
		return sys(r, unix.SYS_CHROOT, path), true
	case call.Getcwd:
		return x.getcwd(c, r), true
	}
	return 0, false
}

func (x *executor) getcwd(c *call.Call, r *call.Result) unix.Errno {
	e := sys(r, unix.SYS_GETCWD, x.buffer(), uintptr(min(max(c.N, 0), maxRead)))
	if e == 0 {
		r.Data = append(r.Data, x.buf[:r.Ret-1]...)
	}
	return e
}

// attribute makes a call about what files have besides names and data.
func (x *executor) attribute(c *call.Call, r *call.Result) (unix.Errno, bool) {
	path := x.text(0, c.Path)
	switch c.Op {
	case call.Stat:
		return x.stat(c, r, cwd, path, 0), true
	case call.Lstat, call.Times:
		return x.stat(c, r, cwd, path, unix.AT_SYMLINK_NOFOLLOW), true
	case call.Fstatat:
		return x.stat(c, r, fd(c), path, uintptr(toLinuxAt(c.Flags))), true
	case call.Fstat:
		e := sys(r, unix.SYS_FSTAT, fd(c), uintptr(unsafe.Pointer(&x.st)))
		if e == 0 {
			x.describe(c, r)
		}
		return e, true
	case call.Chmod:
		return sys(r, unix.SYS_FCHMODAT, cwd, path, uintptr(c.Mode)), true
	case call.Fchmod:
		return sys(r, unix.SYS_FCHMOD, fd(c), uintptr(c.Mode)), true
	case call.Chown:
		return sys(r, unix.SYS_FCHOWNAT, cwd, path, uintptr(c.UID), uintptr(c.GID), 0), true
	case call.Lchown:
		return sys(r, unix.SYS_FCHOWNAT, cwd, path, uintptr(c.UID), uintptr(c.GID), unix.AT_SYMLINK_NOFOLLOW), true
	case call.Fchown:
		return sys(r, unix.SYS_FCHOWN, fd(c), uintptr(c.UID), uintptr(c.GID)), true
	case call.Utimes:
		return x.utimes(c, r, cwd, path, 0), true
	case call.Lutimes:
		return x.utimes(c, r, cwd, path, unix.AT_SYMLINK_NOFOLLOW), true
	case call.Futimes:
		return x.utimes(c, r, fd(c), 0, 0), true
	}
	return 0, false
}

func (x *executor) stat(c *call.Call, r *call.Result, dir, path, flags uintptr) unix.Errno {
	e := sys(r, sysFstatat, dir, path, uintptr(unsafe.Pointer(&x.st)), flags)
	if e == 0 {
		x.describe(c, r)
	}
	return e
}

// describe makes an answer of what was found.
func (x *executor) describe(c *call.Call, r *call.Result) {
	st := &x.st
	if c.Op == call.Times {
		r.Times = [2]kern.Timespec{x.moment(st.Atim), x.moment(st.Mtim)}
		return
	}
	rdev := kern.NODEV
	if kind := st.Mode & unix.S_IFMT; kind == unix.S_IFCHR || kind == unix.S_IFBLK {
		rdev = netbsdDev(st.Rdev)
	}
	r.File = call.File{
		Mode: st.Mode, Nlink: uint32(st.Nlink), UID: st.Uid, GID: st.Gid, Size: st.Size, Blocks: st.Blocks, Blksize: int32(st.Blksize),
		Ino: x.alias(st.Dev, st.Ino), Rdev: rdev,
	}
}

// moment is a time stamp, or call.Recent if the clock has said so since the world began.
func (x *executor) moment(ts unix.Timespec) kern.Timespec {
	if ts.Sec >= x.began && ts.Sec <= time.Now().Unix() {
		return kern.Timespec{Sec: call.Recent}
	}
	return kern.Timespec{Sec: ts.Sec, Nsec: ts.Nsec}
}

func (x *executor) utimes(c *call.Call, r *call.Result, dir, path, flags uintptr) unix.Errno {
	x.times = [2]unix.Timespec{{Sec: c.Arg[0], Nsec: c.Arg[1] * 1000}, {Sec: c.Arg[2], Nsec: c.Arg[3] * 1000}}
	at := uintptr(unsafe.Pointer(&x.times))
	if c.Null {
		at = 0
	}
	return sys(r, unix.SYS_UTIMENSAT, dir, path, at, flags)
}

// keepID leaves an id as it is.
const keepID = ^uintptr(0)

// identity makes a call about the caller.
func (x *executor) identity(c *call.Call, r *call.Result) (unix.Errno, bool) {
	switch c.Op {
	case call.Umask:
		return sys(r, unix.SYS_UMASK, uintptr(c.Mode)), true
	case call.Setuid:
		return sys(r, unix.SYS_SETUID, uintptr(c.UID)), true
	case call.Seteuid:
		return sys(r, unix.SYS_SETRESUID, keepID, uintptr(c.UID), keepID), true
	case call.Setgid:
		return sys(r, unix.SYS_SETGID, uintptr(c.GID)), true
	case call.Setegid:
		return sys(r, unix.SYS_SETRESGID, keepID, uintptr(c.GID), keepID), true
	case call.Setgroups:
		x.groups = append(c.AppendGroups(x.groups[:0]), 0)
		return sys(r, unix.SYS_SETGROUPS, uintptr(len(x.groups)-1), uintptr(unsafe.Pointer(&x.groups[0]))), true
	case call.Getids:
		return x.getids(r), true
	}
	return 0, false
}

func (x *executor) getids(r *call.Result) unix.Errno {
	id := func(i int) uintptr { return uintptr(unsafe.Pointer(&x.ids[i])) }
	if e := sys(r, unix.SYS_GETRESUID, id(0), id(1), id(2)); e != 0 {
		return e
	}
	if e := sys(r, unix.SYS_GETRESGID, id(3), id(4), id(5)); e != 0 {
		return e
	}
	for _, f := range [...]struct {
		name string
		id   uint32
	}{{"uid=", x.ids[0]}, {" euid=", x.ids[1]}, {" gid=", x.ids[3]}, {" egid=", x.ids[4]}} {
		r.Data = append(r.Data, f.name...)
		r.Data = strconv.AppendUint(r.Data, uint64(f.id), 10)
	}
	return 0
}

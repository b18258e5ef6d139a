package gen

import (
	"strings"

	"rumpvfs/kern"
	"rumpvfs/proptest/call"
)

func (g *Gen) offset() int64 {
	switch g.src.Choose(20) {
	case 19:
		return pick[int64](g, -1, -5, 1<<31, 1<<62, 1<<63-1, 3<<30)
	case 16, 17, 18:
		return pick[int64](g, 4095, 4096, 4097, 8191, 8192, 12288, 40960, 65536, 100000)
	case 15:
		return int64(g.src.Choose(20000))
	}
	return int64(g.src.Choose(30))
}

func (g *Gen) size() int64 {
	switch g.src.Choose(8) {
	case 5:
		return pick[int64](g, 0, 1, 23, 24, 25, 47, 48, 64, 4096, 65536, 100000)
	case 6:
		return pick[int64](g, 4095, 4096, 4097, 8192)
	case 7:
		return 4096
	}
	return int64(g.src.Choose(200))
}

//policy:static read only
var modes = []uint32{0o777, 0o755, 0o644, 0o600, 0o700, 0o077, 0, 0o1777, 0o2755, 0o4755, 0o6777, 0o7777, 0o666, 0o500, 0o222, 0o111, 0o770, 0o640, 0o007}

func (g *Gen) mode() uint32 { return modes[g.src.Choose(len(modes))] }

func (g *Gen) id() uint32 { return pick[uint32](g, 0, 100, 101, 200, ^uint32(0)) }

// oflags are the flags of open, each with the number of opens of which one has it.
//
//policy:static read only
var oflags = []struct {
	flag int32
	n    int
}{
	{kern.O_TRUNC, 8}, {kern.O_EXCL, 8}, {kern.O_APPEND, 6}, {kern.O_NOFOLLOW, 12}, {kern.O_DIRECTORY, 12}, {kern.O_CLOEXEC, 12},
	{kern.O_NONBLOCK, 8}, {kern.O_SHLOCK | kern.O_NONBLOCK, 16}, {kern.O_EXLOCK | kern.O_NONBLOCK, 20}, {kern.O_SYNC, 30}, {kern.O_ACCMODE, 80},
}

func (g *Gen) oflags() int32 {
	flags := pick[int32](g, kern.O_RDONLY, kern.O_RDWR, kern.O_RDWR, kern.O_WRONLY)
	if g.rarely(2) {
		flags |= kern.O_CREAT
	}
	if !g.rarely(2) {
		return flags
	}
	for i := range oflags {
		if g.rarely((oflags[i].n + 1) / 2) {
			flags |= oflags[i].flag
		}
	}
	return flags
}

//policy:static read only
var (
	blocks   = []string{"x", "hello", "0123456789", "", strings.Repeat("ab", 2050), strings.Repeat("z", 4096), strings.Repeat("q", 9000)}
	portions = []string{"", strings.Repeat("1", 512), strings.Repeat("2", 1024), strings.Repeat("3", 1700), strings.Repeat("4", 2048),
		strings.Repeat("5", 2049), strings.Repeat("6", 4095)} // of a fifo
	groups = []string{call.Groups(), call.Groups(0), call.Groups(100, 200), call.Groups(make([]uint32, 16)...), call.Groups(make([]uint32, 17)...)}
)

// block is what is written: few scripts are full of large blocks.
func (g *Gen) block() string {
	if g.fifos.len() > 0 && g.rarely(2) {
		return portions[g.src.Choose(len(portions))]
	}
	if !g.rarely(3) {
		return blocks[g.src.Choose(3)]
	}
	return blocks[g.src.Choose(len(blocks))]
}

func (g *Gen) arguments(c *call.Call) {
	switch c.Op {
	case call.Open, call.Openat:
		c.Flags, c.Mode = g.oflags(), g.mode()
		if g.isFifo(c.Path) {
			c.Flags = c.Flags&^kern.O_ACCMODE | pick[int32](g, kern.O_RDONLY, kern.O_RDONLY, kern.O_WRONLY, kern.O_WRONLY, kern.O_RDWR)
			if !g.rarely(16) {
				c.Flags |= kern.O_NONBLOCK
			}
		}
		if c.Op == call.Openat {
			c.FD = g.at(c.Proc)
		}
	case call.Dup2:
		c.N = int64(g.fd(c.Proc))
	case call.Read, call.Getdents:
		c.N = g.size()
	case call.Pread:
		c.N, c.Off = g.size(), g.offset()
		if g.rarely(40) {
			c.N = -1
		}
	case call.Write:
		c.Data = g.block()
	case call.Pwrite:
		c.Data, c.Off = g.block(), g.offset()
	case call.Lseek:
		c.Off, c.Flags = g.offset(), int32(g.src.Choose(3))
		if g.rarely(20) {
			c.Flags = 7
		}
		if g.rarely(5) {
			c.Off = -c.Off
		}
	default:
		g.named(c)
	}
}

// named makes the arguments of calls about names and attributes.
func (g *Gen) named(c *call.Call) {
	switch c.Op {
	case call.Mkdir, call.Mkfifo, call.Chmod, call.Lchmod, call.Fchmod:
		c.Mode = g.mode()
	case call.Umask:
		c.Mode = pick[uint32](g, 0, 0o22, 0o77, 0o777)
	case call.Mkdirat:
		c.FD, c.Mode = g.at(c.Proc), g.mode()
	case call.Unlinkat:
		c.FD, c.Flags = g.at(c.Proc), pick[int32](g, 0, kern.AT_REMOVEDIR)
	case call.Fstatat:
		c.FD, c.Flags = g.at(c.Proc), pick[int32](g, 0, kern.AT_SYMLINK_NOFOLLOW)
	case call.Readlink:
		c.N = pick[int64](g, 4096, 4096, 0, 1, 3)
	case call.Mknod:
		c.Mode = g.mode() | pick[uint32](g, kern.S_IFWHT, kern.S_IFWHT, kern.S_IFREG, kern.S_IFCHR, kern.S_IFCHR, kern.S_IFBLK,
			kern.S_IFIFO, kern.S_IFSOCK, kern.S_IFDIR, 0)
		c.N = pick(g, int64(2<<8|2), 2<<8|12, 2<<8|3, 1<<8|1, 5<<8|77, -1)
	case call.Access:
		c.Mode = uint32(g.src.Choose(8))
		if g.rarely(20) {
			c.Mode = 0x10
		}
	case call.Chflags, call.Lchflags, call.Fchflags:
		c.Flags = pick[int32](g, 0, 0, 0, kern.UF_NODUMP, kern.UF_IMMUTABLE, kern.UF_APPEND, kern.SF_APPEND, kern.SF_IMMUTABLE,
			kern.SF_ARCHIVED, -1)
	case call.Chown, call.Lchown, call.Fchown:
		c.UID, c.GID = g.id(), g.id()
	case call.Truncate, call.Ftruncate:
		c.Size = g.offset()
	case call.Utimes, call.Lutimes, call.Futimes:
		if c.Null = g.rarely(3); !c.Null {
			c.Arg = [4]int64{pick[int64](g, 1, 100, -1, 0), pick[int64](g, 0, 0, 5, 999999, 1000000, -1), pick[int64](g, 1, 200, -1, -2),
				pick[int64](g, 0, 7)}
		}
	default:
		g.other(c)
	}
}

// other makes the arguments of calls about processes, locks and limits.
func (g *Gen) other(c *call.Call) {
	switch c.Op {
	case call.Setuid, call.Seteuid:
		c.UID = g.id()
	case call.Setgid, call.Setegid:
		c.GID = g.id()
	case call.FsyncRange:
		c.Flags = pick[int32](g, kern.FDATASYNC, kern.FFILESYNC, kern.FDATASYNC|kern.FFILESYNC, 0, kern.FFILESYNC|kern.FDISKSYNC)
		c.Off, c.Size = g.offset(), pick[int64](g, 0, 10, -1)
	case call.Getcwd:
		c.N = pick[int64](g, 1024, 1024, 1024, 0, 1, 2, 3, 5, 7, 9, 100000)
	case call.Setgroups:
		c.Data = groups[g.src.Choose(len(groups))]
	case call.Pathconf, call.Fpathconf:
		c.Flags = int32(g.src.Choose(18))
	case call.PosixFadvise:
		c.Off, c.Size = g.offset(), pick[int64](g, 0, 10, 4096, -1, 1<<63-1)
		c.Flags = int32(g.src.Choose(8)) - 1
	case call.Statvfs1, call.Fstatvfs1:
		c.Flags = pick[int32](g, kern.ST_WAIT, kern.ST_NOWAIT)
	case call.Flock:
		c.Flags = pick[int32](g, kern.LOCK_SH, kern.LOCK_EX, kern.LOCK_UN, 0, 3) | kern.LOCK_NB
	case call.Fcntl:
		g.fcntl(c)
	case call.Rfork:
		c.Flags = pick[int32](g, call.RforkCopy, call.RforkClear, call.RforkShare)
	}
}

//policy:static read only
var commands = []int32{kern.F_SETLK, kern.F_SETLK, kern.F_SETLK, kern.F_SETLK, kern.F_GETLK, kern.F_GETLK, kern.F_DUPFD, kern.F_GETFD,
	kern.F_SETFD, kern.F_GETFL, kern.F_SETFL, kern.F_GETOWN, kern.F_SETOWN, kern.F_MAXFD, kern.F_DUPFD_CLOEXEC, kern.F_GETNOSIGPIPE,
	kern.F_SETNOSIGPIPE, 77}

func (g *Gen) fcntl(c *call.Call) {
	c.Flags = commands[g.src.Choose(len(commands))]
	if g.rarely(60) {
		c.Flags, c.FD = kern.F_CLOSEM, pick[int32](g, 5, 6, 7, -1)
	}
	if g.rarely(60) {
		c.Flags = -1 << 31
	}
	if g.piped && g.rarely(4) {
		c.Flags = pick[int32](g, kern.F_SETFL, kern.F_SETOWN, kern.F_GETOWN)
	}
	switch {
	case c.IsLock():
		c.Arg = [4]int64{pick[int64](g, kern.F_RDLCK, kern.F_WRLCK, kern.F_WRLCK, kern.F_UNLCK), int64(g.src.Choose(3)),
			int64(g.src.Choose(12)), int64(g.src.Choose(8))}
		if g.rarely(15) {
			c.Arg[2], c.Arg[3] = int64(g.src.Choose(20)-10), int64(g.src.Choose(20)-10)
		}
		if g.rarely(40) {
			c.Arg[g.src.Choose(2)] = 9
		}
	case c.Flags == kern.F_DUPFD || c.Flags == kern.F_DUPFD_CLOEXEC:
		c.N = pick[int64](g, 0, 5, 10, 127, 128, -1)
	case c.Flags == kern.F_SETFL:
		c.N = pick[int64](g, 0, kern.O_NONBLOCK, kern.O_APPEND, kern.O_ASYNC)
	case c.Flags == kern.F_SETFD, c.Flags == kern.F_SETNOSIGPIPE:
		c.N = int64(g.src.Choose(2))
	case c.Flags == kern.F_SETOWN:
		c.N = 1
		if g.piped {
			c.N = pick[int64](g, 0, 1, 2, 3, 99, -1)
		}
	}
}

package replay

import (
	"rumpvfs/sim"
	"rumpvfs/sim/script"
)

// calls is what each call of the language does. Never written to.
var calls = map[string]func(*Session, script.Args) answer{
	"open": func(s *Session, a script.Args) answer {
		return number(s.current.Open(s.path(a, 0), int(a.Int32(1)), a.Uint32(2)))
	},
	"openat": func(s *Session, a script.Args) answer {
		return number(s.current.Openat(fd(a, 0), s.path(a, 1), int(a.Int32(2)), a.Uint32(3)))
	},
	"close": onFd((*sim.Proc).Close),
	"dup":   func(s *Session, a script.Args) answer { return number(s.current.Dup(fd(a, 0))) },
	"dup2":  func(s *Session, a script.Args) answer { return number(s.current.Dup2(fd(a, 0), fd(a, 1))) },
	"read":  (*Session).read,
	"pread": (*Session).pread,
	"write": func(s *Session, a script.Args) answer {
		data, _ := a.Bytes(1)
		return number(s.current.Write(fd(a, 0), data))
	},
	"pwrite": func(s *Session, a script.Args) answer {
		data, _ := a.Bytes(1)
		return number(s.current.Pwrite(fd(a, 0), data, a.Int64(2)))
	},
	"lseek": func(s *Session, a script.Args) answer {
		return number(s.current.Lseek(fd(a, 0), a.Int64(1), int(a.Int32(2))))
	},
	"getdents": (*Session).getdents,

	"mkdir": onPathMode((*sim.Proc).Mkdir),
	"mkdirat": func(s *Session, a script.Args) answer {
		return done(s.current.Mkdirat(fd(a, 0), s.path(a, 1), a.Uint32(2)))
	},
	"rmdir":  onPath((*sim.Proc).Rmdir),
	"unlink": onPath((*sim.Proc).Unlink),
	"unlinkat": func(s *Session, a script.Args) answer {
		return done(s.current.Unlinkat(fd(a, 0), s.path(a, 1), int(a.Int32(2))))
	},
	"symlink":  onTwoPaths((*sim.Proc).Symlink),
	"readlink": (*Session).readlink,
	"link":     onTwoPaths((*sim.Proc).Link),
	"rename":   onTwoPaths((*sim.Proc).Rename),
	"mknod":    (*Session).mknod,
	"mkfifo":   onPathMode((*sim.Proc).Mkfifo),
	"undelete": onPath((*sim.Proc).Undelete),

	"stat":      func(s *Session, a script.Args) answer { return s.stat(s.current.Stat(s.path(a, 0))) },
	"lstat":     func(s *Session, a script.Args) answer { return s.stat(s.current.Lstat(s.path(a, 0))) },
	"fstat":     func(s *Session, a script.Args) answer { return s.stat(s.current.Fstat(fd(a, 0))) },
	"fstatat":   (*Session).fstatat,
	"times":     (*Session).times,
	"access":    (*Session).access,
	"chmod":     onPathMode((*sim.Proc).Chmod),
	"lchmod":    onPathMode((*sim.Proc).Lchmod),
	"fchmod":    onFdWord((*sim.Proc).Fchmod),
	"chown":     onPathOwner((*sim.Proc).Chown),
	"lchown":    onPathOwner((*sim.Proc).Lchown),
	"fchown":    (*Session).fchown,
	"chflags":   onPathMode((*sim.Proc).Chflags),
	"lchflags":  onPathMode((*sim.Proc).Lchflags),
	"fchflags":  onFdWord((*sim.Proc).Fchflags),
	"truncate":  func(s *Session, a script.Args) answer { return done(s.current.Truncate(s.path(a, 0), a.Int64(1))) },
	"ftruncate": func(s *Session, a script.Args) answer { return done(s.current.Ftruncate(fd(a, 0), a.Int64(1))) },
	"utimes":    func(s *Session, a script.Args) answer { return done(s.current.Utimes(s.path(a, 0), timevals(a))) },
	"lutimes":   func(s *Session, a script.Args) answer { return done(s.current.Lutimes(s.path(a, 0), timevals(a))) },
	"futimes":   func(s *Session, a script.Args) answer { return done(s.current.Futimes(fd(a, 0), timevals(a))) },

	"fsync":       onFd((*sim.Proc).Fsync),
	"fdatasync":   onFd((*sim.Proc).Fdatasync),
	"fsync_range": (*Session).fsyncRange,
	"sync":        func(s *Session, _ script.Args) answer { return done(s.current.Sync()) },

	"chdir":   onPath((*sim.Proc).Chdir),
	"fchdir":  onFd((*sim.Proc).Fchdir),
	"chroot":  onPath((*sim.Proc).Chroot),
	"fchroot": onFd((*sim.Proc).Fchroot),
	"getcwd":  (*Session).getcwd,
	"umask":   (*Session).umask,

	"setuid":    onID((*sim.Proc).Setuid),
	"seteuid":   onID((*sim.Proc).Seteuid),
	"setgid":    onID((*sim.Proc).Setgid),
	"setegid":   onID((*sim.Proc).Setegid),
	"setgroups": func(s *Session, a script.Args) answer { return done(s.current.Setgroups(a.Uint32s(0)...)) },
	"getids":    (*Session).getids,
	"getpid":    func(s *Session, _ script.Args) answer { return number(s.current.Getpid(), nil) },

	"pathconf": func(s *Session, a script.Args) answer {
		return number(s.current.Pathconf(s.path(a, 0), int(a.Int32(1))))
	},
	"fpathconf": func(s *Session, a script.Args) answer {
		return number(s.current.Fpathconf(fd(a, 0), int(a.Int32(1))))
	},
	"posix_fadvise": (*Session).posixFadvise,
	"statvfs1": func(s *Session, a script.Args) answer {
		return statvfs(s.current.Statvfs1(s.path(a, 0), int(a.Int32(1))))
	},
	"fstatvfs1": func(s *Session, a script.Args) answer {
		return statvfs(s.current.Fstatvfs1(fd(a, 0), int(a.Int32(1))))
	},
	"getvfsstat": (*Session).getvfsstat,
	"mount":      (*Session).mount,
	"unmount": func(s *Session, a script.Args) answer {
		return done(s.current.Unmount(s.path(a, 0), int(a.Int32(1))))
	},
	"getfh":  (*Session).getfh,
	"revoke": onPath((*sim.Proc).Revoke),
	"fcntl":  (*Session).fcntl,
	"flock":  func(s *Session, a script.Args) answer { return done(s.current.Flock(fd(a, 0), int(a.Int32(1)))) },

	"etfs_register":          (*Session).etfsRegister,
	"etfs_register_withsize": (*Session).etfsRegisterWithsize,
	"etfs_remove":            (*Session).etfsRemove,

	"rfork":  (*Session).rfork,
	"switch": (*Session).switchTo,
	"exit":   (*Session).exit,

	"host_mkdir":    func(s *Session, a script.Args) answer { return done(s.host.Mkdir(s.hostPath(a, 0))) },
	"host_write":    (*Session).hostWrite,
	"host_read":     (*Session).hostRead,
	"host_copy":     (*Session).hostCopy,
	"host_truncate": (*Session).hostTruncate,
	"host_symlink": func(s *Session, a script.Args) answer {
		return done(s.host.Symlink(s.hostPath(a, 0), s.hostPath(a, 1)))
	},
	"host_mkfifo": func(s *Session, a script.Args) answer { return done(s.host.Mkfifo(s.hostPath(a, 0))) },
	"host_unlink": func(s *Session, a script.Args) answer { return done(s.host.Remove(s.hostPath(a, 0))) },
}

// The shapes that several calls share.

func onFd(f func(*sim.Proc, int) error) func(*Session, script.Args) answer {
	return func(s *Session, a script.Args) answer { return done(f(s.current, fd(a, 0))) }
}

func onFdWord(f func(*sim.Proc, int, uint32) error) func(*Session, script.Args) answer {
	return func(s *Session, a script.Args) answer { return done(f(s.current, fd(a, 0), a.Uint32(1))) }
}

func onPath(f func(*sim.Proc, string) error) func(*Session, script.Args) answer {
	return func(s *Session, a script.Args) answer { return done(f(s.current, s.path(a, 0))) }
}

func onPathMode(f func(*sim.Proc, string, uint32) error) func(*Session, script.Args) answer {
	return func(s *Session, a script.Args) answer { return done(f(s.current, s.path(a, 0), a.Uint32(1))) }
}

func onPathOwner(f func(*sim.Proc, string, uint32, uint32) error) func(*Session, script.Args) answer {
	return func(s *Session, a script.Args) answer {
		return done(f(s.current, s.path(a, 0), a.Uint32(1), a.Uint32(2)))
	}
}

func onTwoPaths(f func(p *sim.Proc, from, to string) error) func(*Session, script.Args) answer {
	return func(s *Session, a script.Args) answer { return done(f(s.current, s.path(a, 0), s.path(a, 1))) }
}

func onID(f func(*sim.Proc, uint32) error) func(*Session, script.Args) answer {
	return func(s *Session, a script.Args) answer { return done(f(s.current, a.Uint32(0))) }
}

// fd is parameter i, a descriptor.
func fd(a script.Args, i int) int { return int(a.Int32(i)) }

// path is parameter i, a path as the kernel takes it.
func (s *Session) path(a script.Args, i int) string {
	p, ok := a.Path(i, s.home)
	if !ok {
		return sim.NullPath
	}
	return p
}

package mutant

import (
	"rumpvfs/kern"
	"rumpvfs/proptest/call"
)

// calls are bugs above the file systems: in descriptors, processes and paths.
func calls() []Mutant {
	return []Mutant{
		{Name: "open-cloexec-device", What: "Opening a device forgets O_CLOEXEC.",
			Origin: "sys/kern/kern_descrip.c 1.224, not in 1.229", sysent: openCloexecDevice},
		{Name: "open-trunc-excl", What: "O_EXCL without O_CREAT keeps O_TRUNC from emptying the file.", sysent: openTruncExcl},
		{Name: "open-nofollow-created", What: "O_NOFOLLOW follows a symbolic link where O_CREAT may make the file.", sysent: openNofollowCreated},
		{Name: "open-mode-setid", What: "A file cannot be made with its set-user-id bit.", sysent: openModeSetid},
		{Name: "openat-cwd", What: "openat looks relative paths up in the working directory.", sysent: openatCwd},
		{Name: "mkdirat-cwd", What: "mkdirat looks relative paths up in the working directory.", sysent: mkdiratCwd},
		{Name: "unlinkat-any", What: "unlinkat removes a directory without being told to.", sysent: unlinkatAny},
		{Name: "fstatat-follows", What: "fstatat follows a symbolic link although it is told not to.", sysent: fstatatFollows},
		{Name: "lchmod-follows", What: "lchmod changes the file that a symbolic link leads to.", sysent: renamed(call.Lchmod, call.Chmod)},
		{Name: "lchown-follows", What: "lchown changes the file that a symbolic link leads to.", sysent: renamed(call.Lchown, call.Chown)},
		{Name: "lutimes-follows", What: "lutimes changes the file that a symbolic link leads to.", sysent: renamed(call.Lutimes, call.Utimes)},
		{Name: "chflags-link", What: "chflags changes a symbolic link and not what it leads to.", sysent: renamed(call.Chflags, call.Lchflags)},
		{Name: "dup-copies-cloexec", What: "A duplicate of a descriptor is closed on exec if the descriptor is.", sysent: dupCopiesCloexec},
		{Name: "dupfd-minimum", What: "F_DUPFD gives the lowest free descriptor, whatever the minimum.", sysent: dupfdMinimum},
		{Name: "dupfd-cloexec-forgotten", What: "F_DUPFD_CLOEXEC does not set the flag.", sysent: dupfdCloexecForgotten},
		{Name: "dup2-closes-first", What: "dup2 closes its target also if the source is no descriptor.", sysent: dup2ClosesFirst},
		{Name: "closem-keeps-first", What: "F_CLOSEM keeps the descriptor that it is called on.", sysent: closemKeepsFirst},
		{Name: "lseek-end-plus", What: "SEEK_END counts backwards.", sysent: lseekEndPlus},
		{Name: "lseek-fails-moves", What: "An lseek to a negative offset rewinds before it fails.", sysent: lseekFailsMoves},
		{Name: "pread-moves", What: "pread moves the offset.", sysent: preadMoves},
		{Name: "pwrite-moves", What: "pwrite moves the offset.", sysent: pwriteMoves},
		{Name: "chdir-unsearchable", What: "A chdir that is refused for search permission succeeds.", sysent: chdirUnsearchable},
		{Name: "chroot-moves-cwd", What: "The new root becomes the working directory even if that is below it.", sysent: chrootMovesCwd},
		{Name: "getcwd-short-buffer", What: "getcwd takes a buffer without room for the final NUL.", sysent: getcwdShortBuffer},
		{Name: "umask-mkfifo", What: "mkfifo does not heed the umask.", sysent: umaskMkfifo},
		{Name: "umask-inherited", What: "A new process begins with the usual umask.", sysent: umaskInherited},
		{Name: "rfork-share-copies", What: "A process that is to share descriptors gets a copy.", sysent: rforkShareCopies},
		{Name: "truncate-directory", What: "truncate of a directory does nothing and says so.", sysent: truncateDirectory},
		{Name: "setfl-keeps-append", What: "F_SETFL leaves O_APPEND as it was.", sysent: setflKeepsAppend},
		{Name: "fsync-needs-write", What: "fsync wants a descriptor for writing, as fdatasync does.", sysent: renamed(call.Fsync, call.Fdatasync)},
		{Name: "mknod-whiteout-exists", What: "A whiteout cannot be made where there is one.", sysent: mknodWhiteoutExists},
	}
}

// renamed makes a call in place of another.
func renamed(from, to call.Op) func(*memory, do, *call.Call, *call.Result) {
	return func(_ *memory, next do, c *call.Call, r *call.Result) {
		changed := *c
		if c.Op == from {
			changed.Op = to
		}
		next(&changed, r)
	}
}

// aside makes a call that answers nothing.
func aside(next do, c call.Call) (r call.Result) {
	next(&c, &r)
	return r
}

// cloexec sets or clears the close-on-exec flag of a descriptor.
func cloexec(next do, c *call.Call, fd, flag int64) {
	aside(next, call.Call{Op: call.Fcntl, Proc: c.Proc, FD: int32(fd), Flags: kern.F_SETFD, N: flag})
}

func openCloexecDevice(_ *memory, next do, c *call.Call, r *call.Result) {
	next(c, r)
	if c.Op != call.Open || c.Flags&kern.O_CLOEXEC == 0 || r.Errno != 0 {
		return
	}
	st := aside(next, call.Call{Op: call.Fstat, Proc: c.Proc, FD: int32(r.Ret)})
	if st.File.Mode&kern.S_IFMT == kern.S_IFCHR {
		cloexec(next, c, r.Ret, 0)
	}
}

// changing has f change a call before it is made.
func changing(next do, c *call.Call, r *call.Result, f func(*call.Call)) {
	changed := *c
	f(&changed)
	next(&changed, r)
}

func openTruncExcl(_ *memory, next do, c *call.Call, r *call.Result) {
	changing(next, c, r, func(c *call.Call) {
		if c.Op == call.Open && c.Flags&(kern.O_CREAT|kern.O_EXCL) == kern.O_EXCL {
			c.Flags &^= kern.O_TRUNC
		}
	})
}

func openNofollowCreated(_ *memory, next do, c *call.Call, r *call.Result) {
	changing(next, c, r, func(c *call.Call) {
		if c.Op == call.Open && c.Flags&(kern.O_CREAT|kern.O_NOFOLLOW) == kern.O_CREAT|kern.O_NOFOLLOW {
			c.Flags &^= kern.O_NOFOLLOW
		}
	})
}

func openModeSetid(_ *memory, next do, c *call.Call, r *call.Result) {
	changing(next, c, r, func(c *call.Call) {
		if c.Op == call.Open {
			c.Mode &^= kern.S_ISUID
		}
	})
}

func openatCwd(_ *memory, next do, c *call.Call, r *call.Result) {
	atCwd(call.Openat, next, c, r)
}

func mkdiratCwd(_ *memory, next do, c *call.Call, r *call.Result) {
	atCwd(call.Mkdirat, next, c, r)
}

// atCwd makes an at call relative to the working directory if its directory is one.
func atCwd(op call.Op, next do, c *call.Call, r *call.Result) {
	changed := *c
	if c.Op == op {
		st := aside(next, call.Call{Op: call.Fstat, Proc: c.Proc, FD: c.FD})
		if st.Errno == 0 && st.File.Mode&kern.S_IFMT == kern.S_IFDIR {
			changed.FD = kern.AT_FDCWD
		}
	}
	next(&changed, r)
}

func unlinkatAny(_ *memory, next do, c *call.Call, r *call.Result) {
	next(c, r)
	if c.Op == call.Unlinkat && c.Flags == 0 && r.Errno == kern.EPERM {
		changed := *c
		changed.Flags = kern.AT_REMOVEDIR
		if again := aside(next, changed); again.Errno == 0 {
			r.Reset()
		}
	}
}

func fstatatFollows(_ *memory, next do, c *call.Call, r *call.Result) {
	changing(next, c, r, func(c *call.Call) {
		if c.Op == call.Fstatat {
			c.Flags &^= kern.AT_SYMLINK_NOFOLLOW
		}
	})
}

func dupCopiesCloexec(_ *memory, next do, c *call.Call, r *call.Result) {
	next(c, r)
	if c.Op == call.Dup && r.Errno == 0 {
		flag := aside(next, call.Call{Op: call.Fcntl, Proc: c.Proc, FD: c.FD, Flags: kern.F_GETFD})
		cloexec(next, c, r.Ret, flag.Ret)
	}
}

func dupfdMinimum(_ *memory, next do, c *call.Call, r *call.Result) {
	changing(next, c, r, func(c *call.Call) {
		if c.Op == call.Fcntl && c.Flags == kern.F_DUPFD && c.N >= 0 && c.N < kern.NOFILE {
			c.N = 0
		}
	})
}

func dupfdCloexecForgotten(_ *memory, next do, c *call.Call, r *call.Result) {
	changing(next, c, r, func(c *call.Call) {
		if c.Op == call.Fcntl && c.Flags == kern.F_DUPFD_CLOEXEC {
			c.Flags = kern.F_DUPFD
		}
	})
}

func dup2ClosesFirst(_ *memory, next do, c *call.Call, r *call.Result) {
	next(c, r)
	if c.Op == call.Dup2 && r.Errno == kern.EBADF && c.N > 2 {
		aside(next, call.Call{Op: call.Close, Proc: c.Proc, FD: int32(c.N)})
	}
}

func closemKeepsFirst(_ *memory, next do, c *call.Call, r *call.Result) {
	changing(next, c, r, func(c *call.Call) {
		if c.Op == call.Fcntl && c.Flags == kern.F_CLOSEM && c.FD >= 0 {
			c.FD++
		}
	})
}

func lseekEndPlus(_ *memory, next do, c *call.Call, r *call.Result) {
	changing(next, c, r, func(c *call.Call) {
		if c.Op == call.Lseek && c.Flags == kern.SEEK_END {
			c.Off = -c.Off
		}
	})
}

func lseekFailsMoves(_ *memory, next do, c *call.Call, r *call.Result) {
	next(c, r)
	if c.Op == call.Lseek && r.Errno == kern.EINVAL && c.Off < 0 {
		aside(next, call.Call{Op: call.Lseek, Proc: c.Proc, FD: c.FD})
	}
}

// moves has the offset behind what a call has transferred.
func moves(op call.Op, next do, c *call.Call, r *call.Result) {
	next(c, r)
	if c.Op == op && r.Errno == 0 && r.Ret > 0 {
		aside(next, call.Call{Op: call.Lseek, Proc: c.Proc, FD: c.FD, Off: c.Off + r.Ret})
	}
}

func preadMoves(_ *memory, next do, c *call.Call, r *call.Result) { moves(call.Pread, next, c, r) }

func pwriteMoves(_ *memory, next do, c *call.Call, r *call.Result) { moves(call.Pwrite, next, c, r) }

// asSuperuser makes a call with the effective user 0, if the process may become that.
func asSuperuser(next do, c *call.Call, r *call.Result, euid uint32) {
	root := aside(next, call.Call{Op: call.Seteuid, Proc: c.Proc})
	if root.Errno != 0 {
		return
	}
	next(c, r)
	aside(next, call.Call{Op: call.Seteuid, Proc: c.Proc, UID: euid})
}

func chdirUnsearchable(m *memory, next do, c *call.Call, r *call.Result) {
	next(c, r)
	switch {
	case r.Errno == 0 && (c.Op == call.Seteuid || c.Op == call.Setuid):
		m.put(c.Proc, c.UID)
	case c.Op == call.Chdir && r.Errno == kern.EACCES:
		if euid, known := m.node[c.Proc].(uint32); known {
			asSuperuser(next, c, r, euid)
		}
	}
}

func chrootMovesCwd(_ *memory, next do, c *call.Call, r *call.Result) {
	next(c, r)
	if c.Op == call.Chroot && r.Errno == 0 {
		aside(next, call.Call{Op: call.Chdir, Proc: c.Proc, Path: "/"})
	}
}

func getcwdShortBuffer(_ *memory, next do, c *call.Call, r *call.Result) {
	changing(next, c, r, func(c *call.Call) {
		if c.Op == call.Getcwd && c.N > 1 {
			c.N++
		}
	})
}

func umaskMkfifo(_ *memory, next do, c *call.Call, r *call.Result) {
	if c.Op != call.Mkfifo {
		next(c, r)
		return
	}
	old := aside(next, call.Call{Op: call.Umask, Proc: c.Proc})
	next(c, r)
	aside(next, call.Call{Op: call.Umask, Proc: c.Proc, Mode: uint32(old.Ret)})
}

func umaskInherited(m *memory, next do, c *call.Call, r *call.Result) {
	next(c, r)
	if c.Op == call.Rfork && r.Errno == 0 {
		m.n++
		aside(next, call.Call{Op: call.Umask, Proc: uint8(m.n), Mode: kern.CMASK})
	}
}

func rforkShareCopies(_ *memory, next do, c *call.Call, r *call.Result) {
	changing(next, c, r, func(c *call.Call) {
		if c.Op == call.Rfork && c.Flags == call.RforkShare {
			c.Flags = call.RforkCopy
		}
	})
}

func truncateDirectory(_ *memory, next do, c *call.Call, r *call.Result) {
	next(c, r)
	if c.Op == call.Truncate && r.Errno == kern.EISDIR {
		r.Reset()
	}
}

func setflKeepsAppend(_ *memory, next do, c *call.Call, r *call.Result) {
	changing(next, c, r, func(c *call.Call) {
		if c.Op == call.Fcntl && c.Flags == kern.F_SETFL {
			c.N = c.N&^kern.O_APPEND | aside(next, call.Call{Op: call.Fcntl, Proc: c.Proc, FD: c.FD, Flags: kern.F_GETFL}).Ret&kern.O_APPEND
		}
	})
}

func mknodWhiteoutExists(_ *memory, next do, c *call.Call, r *call.Result) {
	if c.Op == call.Mknod && c.Mode&kern.S_IFMT == kern.S_IFWHT {
		un := aside(next, call.Call{Op: call.Undelete, Proc: c.Proc, Path: c.Path})
		next(c, r)
		if un.Errno == 0 && r.Errno == 0 {
			r.Fail(kern.EEXIST)
		}
		return
	}
	next(c, r)
}

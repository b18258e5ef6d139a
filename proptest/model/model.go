package model

import (
	"rumpvfs/proptest/call"
	"rumpvfs/proptest/clause"
)

// handlers are what each call does. Never written to.
//
//policy:static read only
var handlers = [call.NumOps]func(*Model, *proc, *call.Call, *call.Result) clause.Cause{
	call.Open: (*Model).open, call.Openat: (*Model).open,
	call.Close: (*Model).close, call.Dup: (*Model).dup, call.Dup2: (*Model).dup2,
	call.Read: (*Model).read, call.Pread: (*Model).read, call.Write: (*Model).write, call.Pwrite: (*Model).write,
	call.Lseek: (*Model).lseek, call.Getdents: (*Model).getdents,
	call.Mkdir: (*Model).mkdir, call.Mkdirat: (*Model).mkdir,
	call.Rmdir: (*Model).remove, call.Unlink: (*Model).remove, call.Unlinkat: (*Model).remove,
	call.Symlink: (*Model).symlink, call.Readlink: (*Model).readlink, call.Link: (*Model).link, call.Rename: (*Model).rename,
	call.Mknod: (*Model).mknod, call.Mkfifo: (*Model).mkfifo,
	call.Stat: (*Model).stat, call.Lstat: (*Model).stat, call.Fstat: (*Model).fstat, call.Fstatat: (*Model).stat,
	call.Times: (*Model).stat, call.Access: (*Model).access,
	call.Chmod: (*Model).chmod, call.Lchmod: (*Model).chmod, call.Fchmod: (*Model).chmod,
	call.Chown: (*Model).chown, call.Lchown: (*Model).chown, call.Fchown: (*Model).chown,
	call.Chflags: (*Model).chflags, call.Lchflags: (*Model).chflags, call.Fchflags: (*Model).chflags,
	call.Truncate: (*Model).truncate, call.Ftruncate: (*Model).ftruncate,
	call.Utimes: (*Model).utimes, call.Lutimes: (*Model).utimes, call.Futimes: (*Model).utimes,
	call.Fsync: (*Model).fsync, call.Fdatasync: (*Model).fsync, call.FsyncRange: (*Model).fsync, call.Sync: (*Model).sync,
	call.Chdir: (*Model).chdir, call.Fchdir: (*Model).fchdir, call.Chroot: (*Model).chroot, call.Fchroot: (*Model).chroot,
	call.Getcwd: (*Model).getcwd, call.Umask: (*Model).umask,
	call.Setuid: (*Model).setid, call.Seteuid: (*Model).setid, call.Setgid: (*Model).setid, call.Setegid: (*Model).setid,
	call.Setgroups: (*Model).setgroups, call.Getids: (*Model).getids, call.Getpid: (*Model).getpid,
	call.Pathconf: (*Model).pathconf, call.Fpathconf: (*Model).pathconf, call.PosixFadvise: (*Model).fadvise,
	call.Statvfs1: (*Model).statvfs, call.Fstatvfs1: (*Model).statvfs, call.Getvfsstat: (*Model).getvfsstat,
	call.Getfh: (*Model).getfh, call.Revoke: (*Model).revoke, call.Fcntl: (*Model).fcntl, call.Flock: (*Model).flock,
	call.Undelete: (*Model).undelete, call.Rfork: (*Model).rfork, call.Exit: (*Model).exit,
}

// Do answers a call.
func (m *Model) Do(c *call.Call, r *call.Result) {
	*r = call.Result{Data: r.Data[:0]}
	m.finish(c, m.answer(c, r), r)
}

// finish turns the cause of an answer into what a result says of it.
func (m *Model) finish(c *call.Call, cause clause.Cause, r *call.Result) {
	if m.undefined {
		cause = clause.Undefined
	}
	m.Last = clause.Of(c.Op, cause)
	m.Coverage[m.Last]++
	switch cause {
	case clause.FifoPanic, clause.DeadPanic, clause.Undefined:
		m.stop = call.Panic
	case clause.Unknown:
		m.stop = call.Unknown
	case clause.Waits, clause.AwaitsReader, clause.AwaitsWriter, clause.AwaitsData, clause.AwaitsRoom, clause.EndTold:
		m.stop = call.Blocked
	}
	if e := m.Last.Errno(); e != 0 || m.stop != call.Running {
		r.Fail(e)
		r.Stop = m.stop
	}
}

// answer says what comes of a call, and why.
func (m *Model) answer(c *call.Call, r *call.Result) clause.Cause {
	switch {
	case m.stop != call.Running:
		m.undefined = false
		return clause.Stopped
	case c.Op >= call.NumOps || handlers[c.Op] == nil:
		return clause.NoCall
	case int(c.Proc) >= len(m.procs) || !m.procs[c.Proc].here, c.Op == call.Exit && c.Proc == 0:
		return clause.NoProcess
	}
	return handlers[c.Op](m, &m.procs[c.Proc], c, r)
}

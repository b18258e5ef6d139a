package clause

import (
	"rumpvfs/kern"
	"rumpvfs/proptest/call"
)

// A row says which causes answer a call.
type row struct {
	op     call.Op
	causes [][]Cause
}

// Causes that belong together.
//
//policy:static read only
var (
	walks = []Cause{Null, PathLong, Empty, NameLong, Search, Component, ThroughFile, SlashOnFile, Loop,
		EmptyLink, LinkLong}
	finds   = []Cause{Absent, Whiteout}
	creates = []Cause{RootExists, Exists, ReadOnly, DirWrite, DirProtected, DirRemoved, NoSpace}
	deletes = []Cause{RootBusy, ReadOnly, DirWrite, DirProtected}
	ats     = []Cause{BadFD, NotVnode, StartNotDir}
	files   = []Cause{BadFD, NotVnode}
	living  = []Cause{BadFD, NotVnode, RevokedFD}
	removes = []Cause{Dot, Protected, Sticky, StillOpen, OtherNames}
	kinds   = []Cause{OK, Directory, Device, Fifo}
	opens   = []Cause{Absent, Whiteout, RootExists, Exists, DirWrite, DirProtected, DirRemoved, Slash, NoAccessMode, TableFull,
		CreateDirectory, IsLink, WantedDir, IsDir, ReadOnly, Permission, Protected, AppendOnly, NoSpace, NoFifo, NoDriver, NoReader, AwaitsReader, AwaitsWriter, NoLocks, Locked, Waits, Created, Existing,
		OverWhiteout, Directory, Device, Fifo, Truncated}
	reads      = []Cause{BadFD, NotReadable, BadLength, Revoked, IsDir, EOF, Nothing, Short, OK, Beyond, BeyondPage, Fault, Zeros}
	writes     = []Cause{BadFD, NotWritable, Revoked, Device, FifoPanic, Nothing, TooFar, AppendOnly, NoSpace, Grown, OK, Appended, Hole, Extended}
	pwrites    = []Cause{BadFD, NotWritable, Revoked, Device, Nothing, TooFar, AppendOnly, NoSpace, Grown, OK, Appended, Hole, Extended}
	removesDir = []Cause{Dot, Protected, Sticky, StillOpen}
	chmods     = []Cause{ReadOnly, Protected, NotOwner, StickyFile, OtherGroup, OK}
	chowns     = []Cause{Nothing, ReadOnly, Protected, NotOwner, OtherGroup, StickyFile, LostSetID, OK}
	chflags    = []Cause{ReadOnly, NotOwner, SystemFlags, DeviceFlags, OK}
	utimes     = []Cause{BadTime, Nothing, ReadOnly, Protected, NotOwner, Permission, Now, OK}
	sizes      = []Cause{Negative, Protected, NoSize, MinusOne, NoSpace, OK}
	syncs      = []Cause{NotWritable, OK}
	ids        = []Cause{Nothing, NotSuper, OK}
	roots      = []Cause{RootSearch, RootRemoved, RootDeep, OK}
	done       = []Cause{OK}
)

//policy:static read only
var table = []row{
	{call.None, [][]Cause{{NoCall, NoProcess, Stopped, Undefined}}},
	{call.Open, [][]Cause{walks, opens}},
	{call.Openat, [][]Cause{ats, walks, opens}},
	{call.Close, [][]Cause{{BadFD, StillOpen, OK}}},
	{call.Dup, [][]Cause{{BadFD, TableFull, OK}}},
	{call.Dup2, [][]Cause{{BadFD, BadNewFD, Same, Replaced, OK}}},
	{call.Read, [][]Cause{reads, {NoData, AwaitsData, EndTold}}},
	{call.Pread, [][]Cause{reads, {NoPosition, Negative}}},
	{call.Write, [][]Cause{writes, {BrokenPipe, NoRoom, AwaitsRoom, InPart, Console}}},
	{call.Pwrite, [][]Cause{pwrites, {NoPosition, Negative}}},
	{call.Lseek, [][]Cause{{BadFD, NoPosition, BadWhence, Negative, RevokedFD, OK}}},
	{call.Getdents, [][]Cause{files, {NotReadable, NotDir, NoEntry, ShortBuffer, WentBack, Short, Nothing, EOF, OK}}},
	{call.Mkdir, [][]Cause{walks, creates, {OverWhiteout, OK}}},
	{call.Mkdirat, [][]Cause{ats, walks, creates, {OverWhiteout, OK}}},
	{call.Rmdir, [][]Cause{walks, finds, deletes, removesDir, {NotDir, NotEmpty, OK}}},
	{call.Unlink, [][]Cause{walks, finds, deletes, removes, {IsDir, OK}}},
	{call.Unlinkat, [][]Cause{ats, walks, finds, deletes, removes, {IsDir, NotDir, NotEmpty, OK}}},
	{call.Symlink, [][]Cause{{TargetNull, TargetLong}, walks, creates, {Slash, OverWhiteout, OK}}},
	{call.Readlink, [][]Cause{walks, finds, {NotLink, Short, OK}}},
	{call.Link, [][]Cause{walks, finds, creates, {Slash, IsDir, NoLink, LinkMax, Protected, OverWhiteout, OK}}},
	{call.Rename, [][]Cause{{TargetNull, TargetLong}, walks, finds, deletes, {DirRemoved, Slash, Dot, NoRename, NotDir, IsDir, Within,
		NotEmpty, Protected, Permission, NoSpace, Sticky, SameName, SameFile, Replaced, OK}}},
	{call.Mknod, [][]Cause{{NotSuper}, walks, creates, {Slash, NoDevice, BadType, Device, MadeWhiteout, OverWhiteout, OK}}},
	{call.Mkfifo, [][]Cause{walks, creates, {Slash, OverWhiteout, OK}}},
	{call.Stat, [][]Cause{walks, finds, kinds}},
	{call.Lstat, [][]Cause{walks, finds, kinds, {Link}}},
	{call.Fstat, [][]Cause{{BadFD, RevokedFD, Console, Nameless}, kinds}},
	{call.Fstatat, [][]Cause{ats, walks, finds, kinds, {Link}}},
	{call.Times, [][]Cause{walks, finds, done}},
	{call.Access, [][]Cause{{BadMode}, walks, finds, {ReadOnly, Permission, Protected, There, OK}}},
	{call.Chmod, [][]Cause{walks, finds, chmods}},
	{call.Lchmod, [][]Cause{walks, finds, chmods}},
	{call.Fchmod, [][]Cause{living, chmods}},
	{call.Chown, [][]Cause{walks, finds, chowns}},
	{call.Lchown, [][]Cause{walks, finds, chowns}},
	{call.Fchown, [][]Cause{living, chowns}},
	{call.Chflags, [][]Cause{walks, finds, chflags}},
	{call.Lchflags, [][]Cause{walks, finds, chflags}},
	{call.Fchflags, [][]Cause{living, chflags}},
	{call.Truncate, [][]Cause{walks, finds, {IsDir, ReadOnly, Permission}, sizes}},
	{call.Ftruncate, [][]Cause{living, {NotWritable}, sizes}},
	{call.Utimes, [][]Cause{walks, finds, utimes}},
	{call.Lutimes, [][]Cause{walks, finds, utimes}},
	{call.Futimes, [][]Cause{living, utimes}},
	{call.Fsync, [][]Cause{files, done}},
	{call.Fdatasync, [][]Cause{files, syncs}},
	{call.FsyncRange, [][]Cause{files, syncs, {BadFlags, BadRange}}},
	{call.Sync, [][]Cause{done}},
	{call.Chdir, [][]Cause{walks, finds, {NotDir, NotSearchable, OK}}},
	{call.Fchdir, [][]Cause{files, {NotDir, NotSearchable, Outside, OK}}},
	{call.Chroot, [][]Cause{{NotSuper}, walks, finds, {NotDir, NotSearchable, Moved, OK}}},
	{call.Fchroot, [][]Cause{{NotSuper}, files, {NotDir, NotSearchable, Moved, OK}}},
	{call.Getcwd, [][]Cause{{ShortBuffer, Partial, Search, Outside, Removed, OK}}},
	{call.Umask, [][]Cause{done}},
	{call.Setuid, [][]Cause{ids}},
	{call.Seteuid, [][]Cause{ids}},
	{call.Setgid, [][]Cause{ids}},
	{call.Setegid, [][]Cause{ids}},
	{call.Setgroups, [][]Cause{{TooManyGroups, NotSuper, OK}}},
	{call.Getids, [][]Cause{done}},
	{call.Getpid, [][]Cause{done}},
	{call.Pathconf, [][]Cause{walks, finds, {NoFifo, BadName, OK}}},
	{call.Fpathconf, [][]Cause{living, {BadName, OK}}},
	{call.PosixFadvise, [][]Cause{{BadRange, BadFD, NotVnode, BadAdvice, RevokedFD, OK}}},
	{call.Statvfs1, [][]Cause{walks, finds, roots, {Unasked}}},
	{call.Fstatvfs1, [][]Cause{living, roots, {Unasked, Nowhere, DeadPanic}}},
	{call.Getvfsstat, [][]Cause{roots}},
	{call.Getfh, [][]Cause{{NotSuper}, walks, finds, {NoHandles, OK}}},
	{call.Revoke, [][]Cause{walks, finds, {NotOwner, Device, Ignored, Unknown, IsDir, OK}}},
	{call.Fcntl, [][]Cause{{BadFD, DupFD, BadNewFD, TableFull, CloseM, MaxFD, GetFD, SetFD, GetFL, SetFL, GetNoSigpipe, SetNoSigpipe,
		NoSetFlags, NoIoctl, NoDevIoctl, NoOwner, PassThrough, GetOwner, SetOwner, NoSuchOwner, NoGroup, BadCommand, NoCommand, Ignored, NotVnode, RevokedFD, BadLockType, WrongMode,
		NoLocks, BadWhence, BadRange, LockSet, Unlocked, NoLock, FoundLock, Locked, Waits}}},
	{call.Flock, [][]Cause{{BadFD, NotVnode, RevokedFD, NoLocks, BadOperation, LockSet, Unlocked, Locked, Waits}}},
	{call.Undelete, [][]Cause{walks, finds, deletes, {Slash, Sticky, NotWhiteout, OK}}},
	{call.Rfork, [][]Cause{{Copied, Cleared, Shared}}},
	{call.Exit, [][]Cause{{StillOpen, OK}}},
}

// An exception is what is not as usual with a cause in some calls.
type exception struct {
	cause       Cause
	ops         []call.Op
	errno       kern.Errno
	also        []kern.Errno
	sentence    string
	unreachable string
}

//policy:static read only
var special = []exception{
	{cause: NotWritable, ops: []call.Op{call.Ftruncate}, errno: kern.EINVAL, also: []kern.Errno{kern.EBADF}},
	{cause: NotVnode, ops: []call.Op{call.Flock, call.Fpathconf, call.PosixFadvise}, errno: kern.EOPNOTSUPP},
	{cause: NotDir, ops: []call.Op{call.Getdents}, errno: kern.EINVAL, also: []kern.Errno{kern.ENOTDIR},
		sentence: "The descriptor is no directory's."},
	{cause: IsDir, ops: []call.Op{call.Unlink, call.Unlinkat, call.Link}, errno: kern.EPERM, also: []kern.Errno{kern.EISDIR}},
	{cause: RevokedFD, ops: []call.Op{call.PosixFadvise}, errno: kern.EFAULT, sentence: "The range has whole pages, and the file has been revoked."},
	{cause: ShortBuffer, ops: []call.Op{call.Getcwd}, errno: kern.ERANGE},
	{cause: BadNewFD, ops: []call.Op{call.Dup2}, errno: kern.EBADF},
	{cause: IsDir, ops: []call.Op{call.Revoke}, errno: kern.EINVAL},
	{cause: Outside, ops: []call.Op{call.Getcwd}, errno: kern.ENOENT},
	{cause: Negative, ops: []call.Op{call.Truncate, call.Ftruncate}, sentence: "The size is negative."},
	{cause: StartNotDir, ops: []call.Op{call.Openat, call.Mkdirat, call.Unlinkat, call.Fstatat}, sentence: "The descriptor is no directory's."},
	{cause: Slash, ops: []call.Op{call.Undelete}, sentence: "Slashes follow the name."},
	// What only the superuser gets to.
	{cause: Search, ops: superuser, unreachable: privileged},
	{cause: DirWrite, ops: superuser, unreachable: privileged},
	{cause: NotSearchable, ops: superuser, unreachable: privileged},
}

//policy:static read only
var superuser = []call.Op{call.Mknod, call.Chroot, call.Fchroot, call.Getfh}

// Why clauses cannot be reached.
const (
	privileged = "only the superuser gets there, to whom nothing of this is refused"
)

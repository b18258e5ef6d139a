package host

import (
	"slices"
	"strings"

	"rumpvfs/kern"
	"rumpvfs/proptest/call"
	"rumpvfs/proptest/clause"
)

// A Difference is a way in which NetBSD, as a kernel without quirks is, and Linux differ.
type Difference struct {
	Name     string
	Sentence string
	// Leaves reports whether a call is not made on the host, as ours has answered it and left everything as it was, or as
	// there is no such call. Host is not there yet, nor, if the call itself tells, Ours and Clause.
	Leaves func(x *Case) bool
	// Explains reports whether this is why the answers differ.
	Explains func(x *Case) bool
	// Parts reports whether files or descriptors are not the same from then on, though the answers are.
	Parts func(x *Case) bool
	// Ends is whether files or descriptors are not the same from then on.
	Ends bool
}

// Differences are all that are known. What is not among them is a failure.
func Differences() []Difference { return append([]Difference(nil), differences...) }

// noCalls are those that Linux has nothing like, or only for the whole machine.
//
//policy:static read only
var noCalls = [call.NumOps]bool{
	call.Lchmod: true, call.Chflags: true, call.Lchflags: true, call.Fchflags: true, call.FsyncRange: true, call.Sync: true,
	call.Fchroot: true, call.Getpid: true, call.Pathconf: true, call.Fpathconf: true, call.Statvfs1: true, call.Fstatvfs1: true,
	call.Getvfsstat: true, call.Getfh: true, call.Revoke: true, call.Undelete: true,
}

// NoCalls are the calls that scripts do without when they are to be made on the host, too.
func NoCalls() (ops []call.Op) {
	for o := call.None + 1; o < call.NumOps; o++ {
		if noCalls[o] || o == call.Rfork || o == call.Exit {
			ops = append(ops, o)
		}
	}
	return ops
}

//policy:static read only
var differences = []Difference{
	{
		Name:     "no-such-call",
		Sentence: "Linux has no such call, or none that a script could make without the rest of the machine noticing.",
		Leaves:   func(x *Case) bool { return noCalls[x.Call.Op] },
	},
	{
		Name:     "one-process",
		Sentence: "Scripts have one process on the host.",
		Leaves:   func(x *Case) bool { return x.Call.Op == call.Rfork || x.Call.Op == call.Exit || x.Call.Proc != 0 },
	},
	{
		Name:     "open-flags",
		Sentence: "Linux has no O_SHLOCK and O_EXLOCK, and takes an access mode of 3.",
		Leaves: func(x *Case) bool {
			return opens(x.Call) && (x.Call.Flags&(kern.O_SHLOCK|kern.O_EXLOCK) != 0 || x.Call.Flags&kern.O_ACCMODE == kern.O_ACCMODE)
		},
	},
	{
		Name:     "fcntl-commands",
		Sentence: "Linux has no F_MAXFD and F_GETNOSIGPIPE, and lets status flags and owners of all files be set.",
		Leaves: func(x *Case) bool {
			switch x.Call.Flags {
			case kern.F_MAXFD, kern.F_GETNOSIGPIPE, kern.F_SETNOSIGPIPE, kern.F_SETFL, kern.F_GETOWN, kern.F_SETOWN:
				return x.Call.Op == call.Fcntl
			}
			return false
		},
	},
	{
		Name:     "whiteouts",
		Sentence: "Linux shows no whiteouts.",
		Leaves:   func(x *Case) bool { return x.Call.Op == call.Mknod && x.Call.Mode&kern.S_IFMT == kern.S_IFWHT },
	},
	{
		Name:     "device-numbers",
		Sentence: "NODEV is no device number on NetBSD; Linux has no such exception.",
		Leaves:   func(x *Case) bool { return x.Call.Op == call.Mknod && (x.Call.N < 0 || x.Call.N >= 1<<20) },
	},
	{
		Name:     "group-limit",
		Sentence: "A process has 16 groups at most on NetBSD, 65536 on Linux.",
		Leaves:   func(x *Case) bool { return x.because(clause.TooManyGroups) },
	},
	{
		Name:     "console",
		Sentence: "Descriptors 0 to 2 are the console, which on NetBSD is in no file system; on the host they are a device in one.",
		Leaves: func(x *Case) bool {
			return x.because(clause.NotVnode, clause.Console, clause.NoIoctl, clause.NoPosition)
		},
	},
	{
		Name:     "path-limits",
		Sentence: "A path has 1023 bytes at most on NetBSD, 4095 on Linux.",
		Leaves:   func(x *Case) bool { return x.because(clause.PathLong, clause.LinkLong, clause.TargetLong) },
	},
	{
		Name:     "memory",
		Sentence: "On NetBSD a file is charged for its size, on Linux for what was written to it.",
		Leaves:   func(x *Case) bool { return x.because(clause.NoSpace) },
	},
	{
		Name:     "fifos",
		Sentence: "Without a file system of fifos there is none to be opened.",
		Leaves:   func(x *Case) bool { return x.because(clause.NoFifo) },
	},
	{
		Name:     "fifo-locks",
		Sentence: "Fifos have no locks on NetBSD.",
		Leaves:   func(x *Case) bool { return x.because(clause.NoLocks) },
	},
	{
		Name:     "fifo-room",
		Sentence: "A fifo holds 4096 bytes on NetBSD, 65536 on Linux.",
		Leaves:   func(x *Case) bool { return x.because(clause.NoRoom) },
		Explains: func(x *Case) bool { return x.because(clause.InPart) && x.Host.Ret > x.Ours.Ret },
		Ends:     true,
	},
	{
		Name:     "fifo-nothing",
		Sentence: "Writing nothing to a fifo that nobody reads is EPIPE on NetBSD, and nothing on Linux.",
		Leaves:   func(x *Case) bool { return x.because(clause.BrokenPipe) && x.Call.Data == "" },
	},
	{
		Name:     "fifo-advice",
		Sentence: "posix_fadvise has nothing against fifos on NetBSD.",
		Explains: func(x *Case) bool { return x.Call.Op == call.PosixFadvise && x.is(0, kern.ESPIPE) },
	},
	{
		Name:     "no-rename",
		Sentence: "rumpfs renames nothing and gives no file a second name.",
		Leaves: func(x *Case) bool {
			return x.because(clause.NoRename, clause.NoLink) && x.Ours.Errno == kern.EOPNOTSUPP
		},
	},
	{
		Name:     "mknod-types",
		Sentence: "mknod makes regular files, fifos, sockets and what has no type for everybody on Linux; on NetBSD not all, and for the superuser.",
		Leaves: func(x *Case) bool {
			if x.Call.Op != call.Mknod {
				return false
			}
			switch x.Call.Mode & kern.S_IFMT {
			case kern.S_IFREG, kern.S_IFCHR, kern.S_IFBLK, kern.S_IFWHT:
				return x.because(clause.NotSuper)
			}
			return true
		},
	},
	{
		Name:     "creation-sticky",
		Sentence: "The sticky bit of open and mkdir is dropped on NetBSD.",
		Leaves: func(x *Case) bool {
			return (opens(x.Call) || x.Call.Op == call.Mkdir || x.Call.Op == call.Mkdirat) && x.Call.Mode&kern.S_ISTXT != 0
		},
	},
	{
		Name:     "chmod-bits",
		Sentence: "Bits that the caller may not set are an error on NetBSD: the sticky bit of a file, and set-group-id for another group, even where chown would leave it. Linux drops the latter and sets the former.",
		Leaves: func(x *Case) bool {
			chmod := x.Call.Op == call.Chmod || x.Call.Op == call.Fchmod
			return x.because(clause.StickyFile) || x.because(clause.OtherGroup) && (chmod || x.Call.GID == same)
		},
	},
	{
		Name:     "id-minus-one",
		Sentence: "setuid and setgid to -1 do nothing on NetBSD, and are EINVAL on Linux.",
		Leaves: func(x *Case) bool {
			return (x.Call.Op == call.Setuid || x.Call.Op == call.Setgid) && x.because(clause.Nothing)
		},
	},
	{
		Name:     "effective-id",
		Sentence: "seteuid and setegid to what is effective already are allowed on Linux; on NetBSD only the real and the saved id are.",
		Leaves: func(x *Case) bool {
			return (x.Call.Op == call.Seteuid || x.Call.Op == call.Setegid) && x.because(clause.NotSuper)
		},
	},
	{
		Name:     "at-absolute",
		Sentence: "The descriptor of an at call must be a directory's on NetBSD even if the path is absolute.",
		Leaves: func(x *Case) bool {
			return x.because(clause.BadFD, clause.StartNotDir) && x.Call.Op.TakesPath() && strings.HasPrefix(x.Call.Path, "/")
		},
	},
	{
		Name:     "empty-link",
		Sentence: "A symbolic link has a target of one byte at least on Linux.",
		Leaves:   func(x *Case) bool { return x.Call.Op == call.Symlink && x.Call.Path2 == "" },
	},
	{
		Name:     "nothing",
		Sentence: "chown to -1 and -1, and utimes that leaves both times, do nothing on NetBSD; on Linux they are for the owner, and chown takes set-id bits.",
		Leaves: func(x *Case) bool {
			switch x.Call.Op {
			case call.Chown, call.Lchown, call.Fchown, call.Utimes, call.Lutimes, call.Futimes:
				return x.because(clause.Nothing)
			}
			return false
		},
	},
	{
		Name:     "fdatasync",
		Sentence: "fdatasync is for who may write on NetBSD.",
		Leaves:   func(x *Case) bool { return x.Call.Op == call.Fdatasync && x.because(clause.NotWritable) },
	},
	{
		Name:     "fadvise-range",
		Sentence: "posix_fadvise looks at the range first, and thinks that it ends, on NetBSD.",
		Leaves:   func(x *Case) bool { return x.Call.Op == call.PosixFadvise && x.because(clause.BadRange) },
	},
	{
		Name:     "fchdir-outside",
		Sentence: "fchdir does not lead out of a root directory on NetBSD.",
		Leaves:   func(x *Case) bool { return x.Call.Op == call.Fchdir && x.because(clause.Outside) },
	},
	{
		Name:     "getcwd-search",
		Sentence: "getcwd goes up by reading directories on NetBSD, which needs permission; Linux knows.",
		Leaves:   func(x *Case) bool { return x.Call.Op == call.Getcwd && x.because(clause.Search, clause.Outside) },
	},
	{
		Name:     "getcwd-removed-root",
		Sentence: "In a root directory that has been removed getcwd is \"/\" on NetBSD and ENOENT on Linux.",
		Explains: func(x *Case) bool {
			return x.Call.Op == call.Getcwd && x.is(0, kern.ENOENT) && string(x.Ours.Data) == "/"
		},
	},
	{
		Name:     "truncate-others",
		Sentence: "Truncating what is no regular file does nothing on NetBSD and is EINVAL on Linux.",
		Explains: func(x *Case) bool { return x.because(clause.NoSize) && x.Host.Errno == kern.EINVAL },
	},
	{
		Name:     "which-error",
		Sentence: "POSIX lets the system choose the error.",
		Explains: func(x *Case) bool { return x.both() && allows(x.Clause, x.Host.Errno) },
	},
	{
		Name:     "which-first",
		Sentence: "Two things are wrong with the call, and each system looks for another one first.",
		Explains: func(x *Case) bool { return x.both() && comesFirst(x) },
	},
	{
		Name:     "create-directory",
		Sentence: "O_CREAT opens a directory that is there on NetBSD, and is EISDIR on Linux.",
		Explains: func(x *Case) bool {
			return opens(x.Call) && x.because(clause.Directory, clause.IsDir, clause.Permission) && x.Call.Flags&kern.O_CREAT != 0 && x.Host.Errno == kern.EISDIR
		},
		Ends: true,
	},
	{
		Name:     "protected-files",
		Sentence: "Linux may refuse O_CREAT of what is there, in a sticky directory, and somebody else's.",
		Explains: func(x *Case) bool {
			return opens(x.Call) && x.Call.Flags&kern.O_CREAT != 0 && x.Host.Errno == kern.EACCES && !x.because(clause.Created)
		},
		Ends: true,
	},
	{
		Name:     "protected-links",
		Sentence: "Linux may refuse a second name for somebody else's file.",
		Explains: func(x *Case) bool { return x.Call.Op == call.Link && x.is(0, kern.EPERM) },
		Ends:     true,
	},
	{
		Name:     "offset-overflow",
		Sentence: "Reading up to behind the largest offset gives what there is on NetBSD, and is EINVAL on Linux.",
		Explains: func(x *Case) bool {
			return (x.Call.Op == call.Read || x.Call.Op == call.Pread) && x.because(clause.EOF) && x.Host.Errno == kern.EINVAL
		},
	},
	{
		Name:     "negative-offset",
		Sentence: "A device takes any offset on NetBSD.",
		Explains: func(x *Case) bool {
			return (x.Call.Off < 0 || x.because(clause.Device, clause.Zeros)) && x.is(0, kern.EINVAL)
		},
	},
	{
		Name:     "mkdir-link",
		Sentence: "mkdir of a symbolic link with a slash behind makes what it leads to on NetBSD.",
		Explains: func(x *Case) bool {
			return (x.Call.Op == call.Mkdir || x.Call.Op == call.Mkdirat) && x.is(0, kern.EEXIST) && strings.HasSuffix(x.Call.Path, "/")
		},
		Ends: true,
	},
	{
		Name:     "append-overflow",
		Sentence: "Where one writes does not matter to a file that is appended to on NetBSD; on Linux it must make sense.",
		Explains: func(x *Case) bool {
			return x.because(clause.Appended) && x.Host.Errno == kern.EINVAL
		},
		Ends: true,
	},
	{
		Name:     "two-paths",
		Sentence: "Something is wrong with each of two paths, or with one of them in two ways; the systems do not look in the same order.",
		Explains: func(x *Case) bool { return x.both() && (x.Call.Op == call.Link || x.Call.Op == call.Rename) },
	},
	{
		Name:     "sync-device",
		Sentence: "/dev/null, /dev/zero and fifos can be synchronized on NetBSD, and are EINVAL on Linux.",
		Explains: func(x *Case) bool {
			return (x.Call.Op == call.Fsync || x.Call.Op == call.Fdatasync) && x.is(0, kern.EINVAL)
		},
	},
	{
		Name:     "root-dotdot",
		Sentence: "\"..\" in the root directory leads to it on NetBSD even if it may not be searched.",
		Explains: func(x *Case) bool { return x.Host.Errno == kern.EACCES && x.climbs },
		Ends:     true,
	},
	{
		Name:     "removed-dotdot",
		Sentence: "\"..\", and on tmpfs \".\", in a removed directory does not exist on NetBSD; on Linux it leads where it did.",
		Explains: func(x *Case) bool {
			return x.because(clause.Absent, clause.Component, clause.DirRemoved) && (x.climbs || x.tmpfs && nameless(x.Call.Path))
		},
		Ends: true,
	},
	{
		Name:     "symlink-times",
		Sentence: "Everybody may set the times of a symbolic link to the current one on Linux, where everybody may write to it.",
		Explains: func(x *Case) bool {
			return x.Call.Op == call.Lutimes && x.because(clause.Permission) && x.Host.Errno == 0
		},
		Ends: true,
	},
	{
		Name:     "no-name",
		Sentence: "A path that ends in \".\", \"..\" or nothing has no name that could be made, removed or renamed; which error that is, and whether it comes first, differs.",
		Explains: func(x *Case) bool {
			return x.both() && (x.Call.Op.TakesPath() && nameless(x.Call.Path) || x.Call.Op.TakesPath2() && nameless(x.Call.Path2))
		},
	},
	{
		Name:     "lock-overflow",
		Sentence: "A lock ends at the largest offset at most on Linux.",
		Explains: func(x *Case) bool { return x.Call.IsLock() && x.Host.Errno == kern.EOVERFLOW },
		Ends:     true,
	},
	{
		Name:     "flock-fcntl",
		Sentence: "Locks of flock and of fcntl exclude each other on NetBSD, and not on Linux.",
		Explains: func(x *Case) bool {
			return x.because(clause.Locked) && x.Host.Errno == 0 || x.because(clause.FoundLock) && x.Ours.Lock.Pid == -1
		},
		Ends: true,
	},
	{
		Name:     "slash-behind",
		Sentence: "What is wrong with slashes behind a name that is to be made, and whether a symbolic link there is followed, differs. O_CREAT of it is EISDIR on Linux, before all else, a symbolic link's target included.",
		Explains: func(x *Case) bool {
			return x.both() && makes(x.Call) && (strings.HasSuffix(x.Call.Path, "/") || opens(x.Call) && x.Host.Errno == kern.EISDIR)
		},
	},
	{
		Name:     "remove-link",
		Sentence: "Removing or renaming a symbolic link with a slash behind is about what it leads to on NetBSD, and ENOTDIR on Linux.",
		Explains: func(x *Case) bool {
			slash := strings.HasSuffix(x.Call.Path, "/") || x.Call.Op == call.Rename && strings.HasSuffix(x.Call.Path2, "/")
			return (removes(x.Call) || x.Call.Op == call.Rename) && slash && x.Host.Errno == kern.ENOTDIR
		},
		Ends: true,
	},
	{
		Name:     "chroot-permission",
		Sentence: "chroot looks at the path before it looks at who asks on Linux.",
		Explains: func(x *Case) bool { return x.both() && x.Call.Op == call.Chroot && x.because(clause.NotSuper) },
	},
	{
		Name:     "rename-itself",
		Sentence: "Renaming a file to itself does nothing on Linux, whoever asks.",
		Explains: func(x *Case) bool {
			return x.Call.Op == call.Rename && x.because(clause.DirWrite, clause.Sticky) && x.Host.Errno == 0
		},
		Ends: true,
	},
	{
		Name:     "set-id",
		Sentence: "What costs a file its set-id bits differs: who opened it counts on NetBSD, who changes it on Linux; chown takes both on Linux.",
		Explains: func(x *Case) bool {
			return x.differsIn(func(f *call.File) { f.Mode &^= kern.S_ISUID | kern.S_ISGID })
		},
	},
	{
		Name:     "getlk",
		Sentence: "F_GETLK of F_UNLCK is EINVAL on Linux; where nothing is in the way it leaves what it was given, which NetBSD counts from the beginning.",
		Explains: func(x *Case) bool {
			free := x.Ours.Lock.Type == kern.F_UNLCK && x.Host.Lock.Type == kern.F_UNLCK
			return x.Call.IsLock() && x.Call.Flags == kern.F_GETLK && (free || x.Call.Arg[0] == kern.F_UNLCK && x.Host.Errno == kern.EINVAL)
		},
	},
	{
		Name:     "getfl",
		Sentence: "F_GETFL gives O_DIRECTORY and O_NOFOLLOW too on Linux, and on NetBSD whether there was an flock. On the host all files are open with O_NONBLOCK, which is not shown, so that no call waits.",
		Explains: func(x *Case) bool {
			return x.Call.Op == call.Fcntl && x.Call.Flags == kern.F_GETFL && x.Ours.Ret&^(kern.O_NONBLOCK|kern.FHASLOCK) == x.Host.Ret&^(kern.O_DIRECTORY|kern.O_NOFOLLOW)
		},
	},
	{
		Name:     "removed-directory",
		Sentence: "Reading a directory that has been removed is ENOENT on Linux.",
		Explains: func(x *Case) bool {
			return x.Call.Op == call.Getdents && x.Ours.Errno == 0 && len(x.Ours.Data) == 0 && x.Host.Errno == kern.ENOENT
		},
	},
	{
		Name:     "access-time",
		Sentence: "The access time of a directory moves on Linux when nothing is left to be read, and on NetBSD when getcwd reads it.",
		Explains: func(x *Case) bool {
			return x.Call.Op == call.Times && x.is(0, 0) && x.Ours.Times[1] == x.Host.Times[1] &&
				(x.Host.Times[0].Sec == call.Recent || x.Ours.Times[0].Sec == call.Recent)
		},
	},
	{
		Name:     "truncate-time",
		Sentence: "Truncating a file to the size that it has moves its time of modification on NetBSD.",
		Explains: func(x *Case) bool {
			return x.Call.Op == call.Times && x.is(0, 0) && x.Ours.Times[0] == x.Host.Times[0] && x.Ours.Times[1].Sec == call.Recent
		},
	},
	{
		Name:     "readlink-nothing",
		Sentence: "readlink of no bytes is EINVAL on Linux, before all else.",
		Explains: func(x *Case) bool { return x.Call.Op == call.Readlink && x.Call.N == 0 && x.Host.Errno == kern.EINVAL },
	},
	{
		Name:     "symlink-mode",
		Sentence: "A symbolic link has the permissions that the umask leaves on NetBSD, and all on Linux.",
		Explains: func(x *Case) bool {
			return x.Ours.File.Mode&kern.S_IFMT == kern.S_IFLNK && x.differsIn(func(f *call.File) { f.Mode |= kern.ACCESSPERMS })
		},
	},
	{
		Name:     "symlink-size",
		Sentence: "On NetBSD's tmpfs the size of a symbolic link counts the NUL behind its target.",
		Explains: func(x *Case) bool {
			return x.Ours.File.Size == x.Host.File.Size+1 && x.differsIn(func(f *call.File) {
				if f.Mode&kern.S_IFMT == kern.S_IFLNK {
					f.Size, f.GID, f.Mode = 0, 0, f.Mode|kern.ACCESSPERMS
				}
			})
		},
	},
	{
		Name:     "tmpfs-times",
		Sentence: "To NetBSD's tmpfs -1 is no time, and truncating a file to the size that it has is nothing.",
		Explains: func(x *Case) bool {
			return x.tmpfs && x.Call.Op == call.Times && x.is(0, 0) && untold(x.Ours.Times[0], x.Host.Times[0]) && untold(x.Ours.Times[1], x.Host.Times[1])
		},
	},
	{
		Name:     "device-times",
		Sentence: "Reading and writing a device or a fifo moves its times on NetBSD's tmpfs, however little is read or written.",
		Explains: func(x *Case) bool {
			return x.tmpfs && x.Call.Op == call.Times && x.is(0, 0) && untold(x.Host.Times[0], x.Ours.Times[0]) && untold(x.Host.Times[1], x.Ours.Times[1])
		},
	},
	{
		Name:     "inode-reuse",
		Sentence: "NetBSD's tmpfs gives the number of a file that has gone to a new one soon.",
		Explains: func(x *Case) bool { return x.reused },
	},
	{
		Name:     "new-group",
		Sentence: "A new file has the group of its directory on NetBSD, of the caller on Linux unless the directory has the set-group-id bit, which new directories then get too.",
		Explains: func(x *Case) bool {
			return x.differsIn(func(f *call.File) {
				if f.GID, f.Mode = 0, f.Mode&^kern.S_ISGID; f.Mode&kern.S_IFMT == kern.S_IFLNK {
					f.Mode |= kern.ACCESSPERMS
				}
			})
		},
		Ends: true,
	},
	{
		Name:     "directory-position",
		Sentence: "Where in a directory one reads, and what of names that come and go meanwhile is read, is up to the file system.",
		Explains: func(x *Case) bool {
			return x.Call.Op == call.Getdents && x.Host.Errno == 0 && (x.Ours.Errno == 0 || x.tmpfs && x.Ours.Errno == kern.EINVAL)
		},
	},
	{
		Name:     "directory-seek",
		Sentence: "The offset and the size of a directory count nothing in particular; what they are is up to the file system.",
		Explains: func(x *Case) bool {
			return x.Call.Op == call.Lseek || x.Call.IsLock() && x.Call.Arg[1] != kern.SEEK_SET && (x.Ours.Errno == kern.EINVAL || x.Host.Errno == kern.EINVAL)
		},
		Ends: true,
	},
	{
		Name:     "getcwd-buffer",
		Sentence: "A buffer that is too short is ERANGE; one that is so short that nothing would fit is EINVAL on NetBSD.",
		Explains: func(x *Case) bool { return x.Call.Op == call.Getcwd && x.is(kern.EINVAL, kern.ERANGE) },
	},
	{
		Name:     "rename-same-file",
		Sentence: "Renaming a file to another name of itself takes the first name away on BSD, and does nothing on Linux and in POSIX.",
		Parts:    func(x *Case) bool { return x.because(clause.SameFile) },
	},
	{
		Name:     "getdents-buffer",
		Sentence: "How many entries fit in a buffer is up to the file system.",
		Leaves:   func(x *Case) bool { return x.Call.Op == call.Getdents && x.Call.N < whole },
	},
	{
		Name:     "chroot-outside",
		Sentence: "A working directory outside the new root becomes the new root on NetBSD; on Linux it stays where it is.",
		Parts:    func(x *Case) bool { return x.because(clause.Moved) },
	},
}

// untold reports whether a time is the same, or has moved only on the other system.
func untold(here, there kern.Timespec) bool {
	return here == there || there.Sec == -1 || there.Sec == call.Recent
}

// nameless reports whether no name is at the end of a path.
func nameless(path string) bool {
	path = strings.TrimRight(path, "/")
	switch last := path[strings.LastIndexByte(path, '/')+1:]; last {
	case "", ".", "..":
		return true
	}
	return false
}

// A first is an error of Linux's in the place of one of ours.
type first struct {
	cause clause.Cause
	host  kern.Errno
	ops   []call.Op // none is all
}

//policy:static read only
var firsts = []first{
	{clause.NotReadable, kern.ENOTDIR, []call.Op{call.Getdents}},
	{clause.DirWrite, kern.EPERM, []call.Op{call.Link}},
	{clause.DirWrite, kern.ENOENT, []call.Op{call.Open, call.Openat, call.Mkdir, call.Mkdirat, call.Symlink, call.Mknod, call.Mkfifo}}, // the directory is gone
	{clause.BadFD, kern.EINVAL, []call.Op{call.Openat, call.Flock, call.Pwrite, call.Pread, call.Ftruncate, call.Lseek, call.Futimes, call.PosixFadvise, call.Fcntl}},
	{clause.BadFD, kern.EISDIR, []call.Op{call.Unlinkat}},
	{clause.BadFD, kern.EFAULT, []call.Op{call.Futimes}},
	{clause.Null, kern.EBADF, []call.Op{call.Openat, call.Mkdirat, call.Unlinkat, call.Fstatat}},
	{clause.BadLength, kern.EFAULT, []call.Op{call.Read, call.Pread}},
	{clause.NotReadable, kern.EINVAL, []call.Op{call.Pread}},
	{clause.NotReadable, kern.ESPIPE, []call.Op{call.Pread}},
	{clause.NotWritable, kern.ESPIPE, []call.Op{call.Pwrite}},
	{clause.BadAdvice, kern.ESPIPE, []call.Op{call.PosixFadvise}},
	{clause.NotWritable, kern.EINVAL, []call.Op{call.Pwrite, call.Ftruncate}},
	{clause.Null, kern.EINVAL, []call.Op{call.Open, call.Openat}},
	{clause.NoCommand, kern.EINVAL, nil},
	{clause.NameLong, kern.EACCES, nil},
	{clause.NameLong, kern.ENOENT, nil},
	{clause.ShortBuffer, kern.ENOENT, []call.Op{call.Getcwd}},
	{clause.Sticky, kern.EISDIR, []call.Op{call.Unlink, call.Unlinkat}},
	{clause.NotEmpty, kern.EPERM, []call.Op{call.Rmdir, call.Unlinkat}},
	{clause.NotDir, kern.EPERM, []call.Op{call.Rmdir, call.Unlinkat}},
	{clause.DirWrite, kern.EISDIR, []call.Op{call.Open, call.Openat, call.Unlink, call.Unlinkat}},
	{clause.SlashOnFile, kern.EPERM, []call.Op{call.Rmdir, call.Unlink, call.Unlinkat}},
	{clause.TableFull, kern.EINVAL, []call.Op{call.Open, call.Openat}},
	{clause.IsDir, kern.EINVAL, []call.Op{call.Read, call.Pread}},
	{clause.WrongMode, kern.EINVAL, []call.Op{call.Fcntl}},
	{clause.TooFar, kern.EINVAL, []call.Op{call.Write, call.Pwrite}},
	{clause.Permission, kern.EINVAL, []call.Op{call.Truncate}},
	{clause.SlashOnFile, kern.EEXIST, []call.Op{call.Mkdir, call.Mkdirat, call.Symlink, call.Mknod, call.Mkfifo}},
	{clause.Slash, kern.EPERM, []call.Op{call.Mknod}},
}

// comesFirst reports whether the error of Linux's is known to come before ours.
func comesFirst(x *Case) bool {
	for i := range firsts {
		f := &firsts[i]
		if f.cause == x.Clause.Cause && f.host == x.Host.Errno && (len(f.ops) == 0 || slices.Contains(f.ops, x.Call.Op)) {
			return true
		}
	}
	return x.Call.Op == call.Truncate && x.Call.Size < 0 && x.Host.Errno == kern.EINVAL // before the path
}

func allows(c *clause.Clause, e kern.Errno) bool {
	for _, also := range c.Also {
		if also == e {
			return true
		}
	}
	return false
}

// makes reports whether a call may make a name.
func makes(c *call.Call) bool {
	switch c.Op {
	case call.Mkdir, call.Mkdirat, call.Mknod, call.Mkfifo, call.Symlink:
		return true
	}
	return opens(c) && c.Flags&kern.O_CREAT != 0
}

func removes(c *call.Call) bool {
	return c.Op == call.Unlink || c.Op == call.Unlinkat || c.Op == call.Rmdir
}

// same, as an owner or group, leaves it as it is.
const same = ^uint32(0)

func opens(c *call.Call) bool { return c.Op == call.Open || c.Op == call.Openat }

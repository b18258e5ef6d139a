package kern

// Open flags, file-status flags and what else open(2), fcntl(2), flock(2),
// lseek(2) and the at-calls take. O_ names are what a caller says; F names
// are the same bits as an open file keeps them (f_flag), where reading and
// writing are two bits of their own; [FFLAGS] and [OFLAGS] convert.
const (
	O_RDONLY  = 0x00000000
	O_WRONLY  = 0x00000001
	O_RDWR    = 0x00000002
	O_ACCMODE = 0x00000003 // mask of the three above

	O_NONBLOCK  = 0x00000004
	O_APPEND    = 0x00000008
	O_SHLOCK    = 0x00000010 // take a shared flock
	O_EXLOCK    = 0x00000020 // take an exclusive flock
	O_ASYNC     = 0x00000040
	O_SYNC      = 0x00000080
	O_NOFOLLOW  = 0x00000100 // a symlink as last component is an error
	O_CREAT     = 0x00000200
	O_TRUNC     = 0x00000400
	O_EXCL      = 0x00000800
	O_NOCTTY    = 0x00008000
	O_DSYNC     = 0x00010000
	O_RSYNC     = 0x00020000
	O_ALT_IO    = 0x00040000
	O_DIRECT    = 0x00080000
	O_DIRECTORY = 0x00200000
	O_CLOEXEC   = 0x00400000
	O_SEARCH    = 0x00800000
	O_NOSIGPIPE = 0x01000000

	O_FSYNC  = O_SYNC
	O_NDELAY = O_NONBLOCK

	// O_MASK is all that open(2) takes; O_SEARCH is not among it.
	O_MASK = O_ACCMODE | O_NONBLOCK | O_APPEND | O_SHLOCK | O_EXLOCK | O_ASYNC | O_SYNC | O_CREAT |
		O_TRUNC | O_EXCL | O_DSYNC | O_RSYNC | O_NOCTTY | O_ALT_IO | O_NOFOLLOW | O_DIRECT |
		O_DIRECTORY | O_CLOEXEC | O_NOSIGPIPE
)

// Flags of an open file.
const (
	FREAD  = 0x00000001
	FWRITE = 0x00000002

	FMARK     = 0x00001000
	FDEFER    = 0x00002000
	FHASLOCK  = 0x00004000 // an flock is held through this open file
	FSCAN     = 0x00100000
	FSILENT   = 0x40000000
	FKIOCTL   = 0x80000000 // the ioctl comes from the kernel itself
	FAPPEND   = O_APPEND
	FASYNC    = O_ASYNC
	FNDELAY   = O_NONBLOCK
	FNONBLOCK = O_NONBLOCK
	FFSYNC    = O_SYNC
	FDSYNC    = O_DSYNC
	FRSYNC    = O_RSYNC
	FALTIO    = O_ALT_IO
	FDIRECT   = O_DIRECT

	FNOSIGPIPE = O_NOSIGPIPE

	// FCNTLFLAGS is what F_SETFL can change, FMASK what an open file
	// keeps of the flags it was opened with.
	FCNTLFLAGS = FAPPEND | FASYNC | FFSYNC | FNONBLOCK | FDSYNC | FRSYNC | FALTIO | FDIRECT | FNOSIGPIPE
	FMASK      = FREAD | FWRITE | FCNTLFLAGS
)

// FFLAGS converts flags of open(2) to flags of an open file.
func FFLAGS(oflags int32) int32 { return oflags + 1 }

// OFLAGS converts flags of an open file to flags of open(2).
func OFLAGS(fflags int32) int32 { return fflags - 1 }

// Commands of fcntl(2), and its flag of a descriptor.
const (
	F_DUPFD         = 0
	F_GETFD         = 1
	F_SETFD         = 2
	F_GETFL         = 3
	F_SETFL         = 4
	F_GETOWN        = 5
	F_SETOWN        = 6
	F_GETLK         = 7
	F_SETLK         = 8
	F_SETLKW        = 9
	F_CLOSEM        = 10 // close the descriptor and all above it
	F_MAXFD         = 11 // the largest open descriptor
	F_DUPFD_CLOEXEC = 12
	F_GETNOSIGPIPE  = 13
	F_SETNOSIGPIPE  = 14

	FD_CLOEXEC = 1
)

// Commands of fcntl(2) that go to the file system: direction, length of the
// parameter and a number in one 32-bit word.
const (
	F_PARAM_MASK = 0xfff
	F_PARAM_MAX  = 4095
	F_FSCTL      = -0x80000000 // the sign bit: the command is the file system's
	F_FSVOID     = 0x40000000
	F_FSOUT      = 0x20000000
	F_FSIN       = 0x10000000
	F_FSINOUT    = F_FSIN | F_FSOUT
	F_FSDIRMASK  = 0x70000000
	F_FSPRIV     = 0x00008000
)

// F_PARAM_LEN is the length in bytes of the parameter of a file system's
// command.
func F_PARAM_LEN(cmd int32) int32 { return cmd >> 16 & F_PARAM_MASK }

// Types of a byte-range lock, and flags that go with one into VOP_ADVLOCK.
const (
	F_RDLCK = 1
	F_UNLCK = 2
	F_WRLCK = 3

	F_WAIT  = 0x010 // sleep until the lock is granted
	F_FLOCK = 0x020 // flock(2): the open file owns it
	F_POSIX = 0x040 // fcntl(2): the process owns it
)

// A Flock describes a byte-range lock.
type Flock struct {
	Start  int64 // bytes, from what Whence says
	Len    int64 // bytes; 0 means to the end of the file, negative ends before Start
	Pid    int32 // owner, an answer of F_GETLK; -1 for an flock
	Type   int16 // F_RDLCK, F_UNLCK or F_WRLCK
	Whence int16 // SEEK_SET, SEEK_CUR or SEEK_END
}

// Operations of flock(2).
const (
	LOCK_SH = 0x01
	LOCK_EX = 0x02
	LOCK_NB = 0x04
	LOCK_UN = 0x08
)

// Where lseek(2) and byte-range locks count from.
const (
	SEEK_SET = 0
	SEEK_CUR = 1
	SEEK_END = 2
)

// Advice of posix_fadvise(2).
const (
	POSIX_FADV_NORMAL     = 0
	POSIX_FADV_RANDOM     = 1
	POSIX_FADV_SEQUENTIAL = 2
	POSIX_FADV_WILLNEED   = 3
	POSIX_FADV_DONTNEED   = 4
	POSIX_FADV_NOREUSE    = 5
)

// The at-calls: the working directory's pseudo descriptor, and flags.
const (
	AT_FDCWD            = -100
	AT_EACCESS          = 0x100
	AT_SYMLINK_NOFOLLOW = 0x200
	AT_SYMLINK_FOLLOW   = 0x400
	AT_REMOVEDIR        = 0x800
)

// Requests that fcntl(2) and ioctl(2) make of any open file, encoded as
// direction, length of the parameter, group 'f' and number.
const (
	FIOCLEX     = 0x20006601
	FIONCLEX    = 0x20006602
	FIONREAD    = 0x4004667f
	FIONBIO     = 0x8004667e
	FIOASYNC    = 0x8004667d
	FIOSETOWN   = 0x8004667c
	FIOGETOWN   = 0x4004667b
	FIOGETBMAP  = 0xc008667a
	OFIOGETBMAP = 0xc004667a
	FIONWRITE   = 0x40046679
	FIONSPACE   = 0x40046678
)

package script

import (
	"slices"
	"strings"

	"rumpvfs/kern"
)

// A Kind says what a parameter takes and how wide it is.
type Kind int

const (
	KindPath   Kind = iota // string, or NULL; "$H" at its start is the host directory; ends at the first NUL
	KindString             // string, or NULL
	KindData               // string of any bytes, or NULL
	KindInt                // number, truncated to 32 bits: descriptors, flags, modes, ids, names
	KindLong               // number of 64 bits: offsets, lengths, device numbers
	KindWord               // one of the parameter's Words
	KindProc               // a process: p0, or a name that rfork was bound to
	KindOption             // any number of name=number, the names from Words
	KindTimes              // NULL, or SEC USEC SEC USEC
	KindFcntl              // nothing or one number; TYPE WHENCE START LEN for a lock command
)

// A Param is one parameter of a call.
type Param struct {
	Name     string
	Kind     Kind
	Optional bool
	Rest     bool     // takes all arguments that are left, even none
	Default  int64    // if Optional
	Words    []string // KindWord, KindOption; words a KindLong takes besides numbers
}

// A Spec describes one call.
type Spec struct {
	Name   string
	Params []Param
	Help   string       // one sentence: what it does and what it answers
	Errors []kern.Errno // those that it may give, in order of number
}

// ENDOFF is the SIZE of etfs_register_withsize that means "up to the end of
// the host file".
const ENDOFF = -1

func path(name string) Param { return Param{Name: name, Kind: KindPath} }
func data(name string) Param { return Param{Name: name, Kind: KindData} }
func num(name string) Param  { return Param{Name: name, Kind: KindInt} }
func long(name string) Param { return Param{Name: name, Kind: KindLong} }

func optional(p Param, value int64) Param {
	p.Optional, p.Default = true, value
	return p
}

func word(name string, words ...string) Param { return Param{Name: name, Kind: KindWord, Words: words} }

// Parameter lists that several calls share.
var (
	onePath    = []Param{path("P")}
	oneFD      = []Param{num("FD")}
	pathMode   = []Param{path("P"), num("MODE")}
	pathOwner  = []Param{path("P"), num("UID"), num("GID")}
	pathFlags  = []Param{path("P"), num("F")}
	pathTimes  = []Param{path("P"), {Name: "TIMES", Kind: KindTimes}}
	twoPaths   = []Param{path("FROM"), path("TO")}
	fdPathFlag = []Param{num("FD"), path("P"), num("FLAG")}
	oneID      = []Param{num("N")}
	etfsType   = word("TYPE", "REG", "BLK", "CHR", "DIR", "DIR_SUBDIRS")
)

// Errors that belong together.
var (
	walkErrors = []kern.Errno{kern.ENOENT, kern.EACCES, kern.EFAULT, kern.ENOTDIR, kern.ELOOP, kern.ENAMETOOLONG}
	makeErrors = errs(walkErrors, kern.EEXIST, kern.ENOSPC, kern.EROFS)
	fdErrors   = []kern.Errno{kern.EBADF}
)

// errs gives the errors of base and more in order of number, each once.
func errs(base []kern.Errno, more ...kern.Errno) []kern.Errno {
	all := slices.Concat(base, more)
	slices.Sort(all)
	return slices.Compact(all)
}

// Calls lists every call of the language, by subject.
//
//policy:static read only
var Calls = []Spec{
	{"open", []Param{path("P"), num("FLAGS"), optional(num("MODE"), 0)},
		"Opens the file P, making it first if O_CREAT says so, and answers the lowest free descriptor.",
		errs(makeErrors, kern.ENXIO, kern.EBUSY, kern.EISDIR, kern.EINVAL, kern.EMFILE, kern.EAGAIN, kern.EOPNOTSUPP, kern.EFTYPE, kern.EPERM)},
	{"openat", []Param{num("FD"), path("P"), num("FLAGS"), optional(num("MODE"), 0)},
		"Opens as open does, starting a relative path at the directory FD.",
		errs(makeErrors, kern.EBADF, kern.ENXIO, kern.EBUSY, kern.EISDIR, kern.EINVAL, kern.EMFILE, kern.EAGAIN, kern.EOPNOTSUPP, kern.EFTYPE, kern.EPERM)},
	{"close", oneFD, "Frees the descriptor FD, and drops the process's byte-range locks on its file.", fdErrors},
	{"dup", oneFD, "Answers the lowest free descriptor, made to share FD's open file.",
		errs(fdErrors, kern.EMFILE)},
	{"dup2", []Param{num("FD"), num("N")}, "Makes descriptor N share FD's open file, closing what N was, and answers N.",
		fdErrors},
	{"read", []Param{num("FD"), long("N")}, "Reads up to N bytes at the file's position and moves it; answers the count and the bytes.",
		errs(fdErrors, kern.EIO, kern.EISDIR, kern.EINVAL, kern.EFAULT, kern.EAGAIN)},
	{"pread", []Param{num("FD"), long("N"), long("OFF")}, "Reads up to N bytes at OFF; answers the count and the bytes.",
		errs(fdErrors, kern.EIO, kern.EISDIR, kern.EINVAL, kern.ESPIPE, kern.EFAULT)},
	{"write", []Param{num("FD"), data("DATA")}, "Writes DATA at the file's position and moves it; answers the count.",
		errs(fdErrors, kern.EIO, kern.EINVAL, kern.EFBIG, kern.ENOSPC, kern.EPERM, kern.EPIPE, kern.EAGAIN)},
	{"pwrite", []Param{num("FD"), data("DATA"), long("OFF")}, "Writes DATA at OFF; answers the count.",
		errs(fdErrors, kern.EIO, kern.EINVAL, kern.EFBIG, kern.ENOSPC, kern.ESPIPE, kern.EPERM)},
	{"lseek", []Param{num("FD"), long("OFF"), num("WHENCE")}, "Moves the file's position and answers the new one.",
		errs(fdErrors, kern.EINVAL, kern.ESPIPE)},
	{"getdents", []Param{num("FD"), long("N")}, "Reads directory entries into a buffer of N bytes; answers the byte count and the entries.",
		errs(fdErrors, kern.EIO, kern.EINVAL)},

	{"mkdir", pathMode, "Makes a directory.", errs(makeErrors, kern.EPERM)},
	{"mkdirat", []Param{num("FD"), path("P"), num("MODE")}, "Makes a directory, starting a relative path at the directory FD.",
		errs(makeErrors, kern.EBADF, kern.EINVAL, kern.EPERM)},
	{"rmdir", onePath, "Removes an empty directory.",
		errs(walkErrors, kern.EPERM, kern.EBUSY, kern.EINVAL, kern.EROFS, kern.ENOTEMPTY)},
	{"unlink", onePath, "Removes a name that is no directory.",
		errs(walkErrors, kern.EPERM, kern.EBUSY, kern.EINVAL, kern.EROFS)},
	{"unlinkat", fdPathFlag, "Removes a name as unlink does, or as rmdir with AT_REMOVEDIR, starting a relative path at the directory FD.",
		errs(walkErrors, kern.EPERM, kern.EBADF, kern.EBUSY, kern.EINVAL, kern.EROFS, kern.ENOTEMPTY)},
	{"symlink", []Param{path("TARGET"), path("P")}, "Makes P a symbolic link to TARGET.", errs(makeErrors, kern.EPERM)},
	{"readlink", []Param{path("P"), optional(long("N"), 4096)}, "Reads up to N bytes of a symbolic link's target; answers the count and the bytes.",
		errs(walkErrors, kern.EINVAL)},
	{"link", twoPaths, "Gives the file FROM the further name TO.",
		errs(makeErrors, kern.EPERM, kern.EXDEV, kern.EMLINK, kern.EOPNOTSUPP)},
	{"rename", twoPaths, "Gives the file FROM the name TO instead, replacing what TO was.",
		errs(walkErrors, kern.EPERM, kern.EBUSY, kern.EXDEV, kern.EISDIR, kern.EINVAL, kern.ENOSPC, kern.EROFS, kern.EOPNOTSUPP, kern.ENOTEMPTY)},
	{"mknod", []Param{path("P"), num("MODE"), optional(long("DEV"), 0)}, "Makes a device node, a whiteout or a regular file.",
		errs(makeErrors, kern.EPERM, kern.EINVAL)},
	{"mkfifo", pathMode, "Makes a fifo.", errs(makeErrors, kern.EPERM)},

	{"stat", onePath, "Tells the attributes of the file that P leads to.", errs(walkErrors)},
	{"lstat", onePath, "Tells the attributes of P, of a symbolic link those of the link itself.", errs(walkErrors)},
	{"fstat", oneFD, "Tells the attributes of an open file.", fdErrors},
	{"fstatat", fdPathFlag, "Tells attributes as stat does, or as lstat with AT_SYMLINK_NOFOLLOW, starting a relative path at the directory FD.",
		errs(walkErrors, kern.EBADF, kern.EINVAL)},
	{"times", onePath, "Tells the times of last access and modification of P, as lstat would.", errs(walkErrors)},
	{"access", pathMode, "Checks whether the real user may do to P what MODE asks.", errs(walkErrors, kern.EINVAL, kern.EROFS, kern.EPERM)},
	{"chmod", pathMode, "Sets the permission bits.", errs(walkErrors, kern.EPERM, kern.EROFS, kern.EFTYPE)},
	{"lchmod", pathMode, "Sets the permission bits, of a symbolic link those of the link itself.", errs(walkErrors, kern.EPERM, kern.EROFS, kern.EFTYPE)},
	{"fchmod", []Param{num("FD"), num("MODE")}, "Sets the permission bits of an open file.", errs(fdErrors, kern.EPERM, kern.EROFS, kern.EINVAL, kern.EFTYPE)},
	{"chown", pathOwner, "Sets owner and group; -1 leaves one as it is.", errs(walkErrors, kern.EPERM, kern.EROFS, kern.EFTYPE)},
	{"lchown", pathOwner, "Sets owner and group, of a symbolic link those of the link itself.", errs(walkErrors, kern.EPERM, kern.EROFS, kern.EFTYPE)},
	{"fchown", []Param{num("FD"), num("UID"), num("GID")}, "Sets owner and group of an open file.", errs(fdErrors, kern.EPERM, kern.EROFS, kern.EINVAL, kern.EFTYPE)},
	{"chflags", pathFlags, "Sets the file flags.", errs(walkErrors, kern.EPERM, kern.EROFS, kern.EOPNOTSUPP)},
	{"lchflags", pathFlags, "Sets the file flags, of a symbolic link those of the link itself.", errs(walkErrors, kern.EPERM, kern.EROFS, kern.EOPNOTSUPP)},
	{"fchflags", []Param{num("FD"), num("F")}, "Sets the file flags of an open file.", errs(fdErrors, kern.EPERM, kern.EROFS, kern.EOPNOTSUPP, kern.EINVAL)},
	{"truncate", []Param{path("P"), long("N")}, "Sets the size of a file in bytes.", errs(walkErrors, kern.EISDIR, kern.EINVAL, kern.EFBIG, kern.ENOSPC, kern.EROFS, kern.EPERM)},
	{"ftruncate", []Param{num("FD"), long("N")}, "Sets the size of an open file in bytes.", errs(fdErrors, kern.EISDIR, kern.EINVAL, kern.EFBIG, kern.ENOSPC, kern.EPERM)},
	{"utimes", pathTimes, "Sets the times of last access and modification, NULL to now.", errs(walkErrors, kern.EPERM, kern.EROFS, kern.EINVAL)},
	{"lutimes", pathTimes, "Sets the times, of a symbolic link those of the link itself.", errs(walkErrors, kern.EPERM, kern.EROFS, kern.EINVAL)},
	{"futimes", []Param{num("FD"), {Name: "TIMES", Kind: KindTimes}}, "Sets the times of an open file.", errs(fdErrors, kern.EPERM, kern.EROFS, kern.EINVAL, kern.EACCES)},
	{"fsync", oneFD, "Writes an open file's data and attributes back.", errs(fdErrors, kern.EIO, kern.EINVAL)},
	{"fdatasync", oneFD, "Writes an open file's data back.", errs(fdErrors, kern.EIO, kern.EINVAL)},
	{"fsync_range", []Param{num("FD"), num("F"), long("OFF"), long("N")}, "Writes N bytes from OFF back, as F (FDATASYNC or FFILESYNC, and FDISKSYNC) asks.",
		errs(fdErrors, kern.EIO, kern.EINVAL)},
	{"sync", nil, "Starts writing everything back.", nil},

	{"chdir", onePath, "Sets the working directory.", errs(walkErrors)},
	{"fchdir", oneFD, "Sets the working directory to an open directory.", errs(fdErrors, kern.ENOENT, kern.EACCES, kern.ENOTDIR, kern.EINVAL, kern.EPERM)},
	{"chroot", onePath, "Sets the root directory.", errs(walkErrors, kern.EPERM)},
	{"fchroot", oneFD, "Sets the root directory to an open directory.", errs(fdErrors, kern.EPERM, kern.EACCES, kern.ENOTDIR, kern.EINVAL)},
	{"getcwd", []Param{optional(long("N"), kern.MAXPATHLEN)}, "Answers the length of the working directory's path, the NUL counted, and the path; N is the room for it.",
		[]kern.Errno{kern.ENOENT, kern.EBADF, kern.EACCES, kern.EINVAL, kern.ERANGE}},
	{"umask", []Param{num("MODE")}, "Sets the permission bits that new files do not get, and answers those before.", nil},
	{"setuid", oneID, "Sets the real, effective and saved user.", []kern.Errno{kern.EPERM}},
	{"seteuid", oneID, "Sets the effective user.", []kern.Errno{kern.EPERM}},
	{"setgid", oneID, "Sets the real, effective and saved group.", []kern.Errno{kern.EPERM}},
	{"setegid", oneID, "Sets the effective group.", []kern.Errno{kern.EPERM}},
	{"setgroups", []Param{{Name: "N", Kind: KindInt, Rest: true}}, "Sets the supplementary groups.", []kern.Errno{kern.EPERM, kern.EINVAL}},
	{"getids", nil, "Tells the real and effective user and group.", nil},
	{"getpid", nil, "Answers the number of the process.", nil},

	{"pathconf", []Param{path("P"), num("NAME")}, "Answers a limit (_PC_NAME_MAX and so on) of the file system that P is on.", errs(walkErrors, kern.EINVAL, kern.EOPNOTSUPP)},
	{"fpathconf", []Param{num("FD"), num("NAME")}, "Answers a limit of the file system that an open file is on.", errs(fdErrors, kern.EINVAL, kern.EOPNOTSUPP)},
	{"posix_fadvise", []Param{num("FD"), long("OFF"), long("N"), num("ADV")}, "Announces how N bytes from OFF will be used; answers the error as a number.",
		errs(fdErrors, kern.EINVAL, kern.ESPIPE, kern.EOPNOTSUPP, kern.EFAULT)},
	{"statvfs1", []Param{path("P"), optional(num("F"), kern.ST_WAIT)}, "Tells about the file system that P is on.", errs(walkErrors, kern.ERANGE)},
	{"fstatvfs1", []Param{num("FD"), optional(num("F"), kern.ST_WAIT)}, "Tells about the file system that an open file is on.", errs(fdErrors, kern.EINVAL, kern.EACCES, kern.ENOENT, kern.ERANGE)},
	{"getvfsstat", nil, "Answers how many file systems are mounted, and which.", errs(nil, kern.EACCES, kern.ENOENT, kern.ERANGE)},
	{"getfh", onePath, "Makes a file handle for P.", errs(walkErrors, kern.EPERM, kern.EOPNOTSUPP)},
	{"revoke", onePath, "Makes every open descriptor of the device P useless.", errs(walkErrors, kern.EPERM, kern.EOPNOTSUPP, kern.EINVAL)},
	{"fcntl", []Param{num("FD"), num("CMD"), {Name: "ARG", Kind: KindFcntl}}, "Duplicates a descriptor, tells or sets its flags, or tests, takes or gives up a byte-range lock, as CMD asks.",
		errs(fdErrors, kern.EINTR, kern.EDEADLK, kern.ESRCH, kern.EINVAL, kern.EMFILE, kern.EAGAIN, kern.EOPNOTSUPP, kern.ENOTTY, kern.ENODEV, kern.EPASSTHROUGH)},
	{"flock", []Param{num("FD"), num("OP")}, "Takes a lock on the whole file (LOCK_SH or LOCK_EX, and LOCK_NB not to wait), or gives it up (LOCK_UN).",
		errs(fdErrors, kern.EINVAL, kern.EAGAIN, kern.EOPNOTSUPP)},
	{"mount", []Param{{Name: "TYPE", Kind: KindString}, path("P"), num("FLAGS"),
		{Name: "SOURCE", Kind: KindString, Optional: true},
		{Name: "OPTION", Kind: KindOption, Rest: true, Words: []string{"size", "nodes", "mode", "uid", "gid", "mntflags", "datalen"}}},
		"Mounts a file system of a type (rumpfs, tmpfs) on the directory P.",
		errs(walkErrors, kern.EPERM, kern.ENXIO, kern.ENOMEM, kern.ENOTBLK, kern.EBUSY, kern.ENODEV, kern.EINVAL, kern.EOPNOTSUPP)},
	{"unmount", []Param{path("P"), optional(num("FLAGS"), 0)}, "Unmounts what is mounted on P, with MNT_FORCE even if files are open.",
		errs(walkErrors, kern.EPERM, kern.EBUSY, kern.EINVAL)},
	{"undelete", onePath, "Removes the whiteout P.", errs(walkErrors, kern.EPERM, kern.EBUSY, kern.EEXIST, kern.EROFS, kern.EOPNOTSUPP)},

	{"etfs_register", []Param{path("KEY"), path("HOST"), etfsType}, "Maps the host file HOST to the path KEY of this kernel.",
		[]kern.Errno{kern.ENOENT, kern.EEXIST, kern.ENOTDIR, kern.EISDIR, kern.EINVAL}},
	{"etfs_register_withsize", []Param{path("KEY"), path("HOST"), etfsType, long("BEGIN"),
		{Name: "SIZE", Kind: KindLong, Words: []string{"ENDOFF"}}},
		"Maps SIZE bytes from BEGIN of the host file HOST to the path KEY of this kernel.",
		[]kern.Errno{kern.ENOENT, kern.EEXIST, kern.ENOTDIR, kern.EISDIR, kern.EINVAL}},
	{"etfs_remove", []Param{path("KEY")}, "Removes the mapping KEY.", []kern.Errno{kern.ENOENT, kern.EBUSY, kern.EINVAL}},

	{"rfork", []Param{word("FILES", "COPY", "CLEAR", "SHARE")}, "Makes a process whose descriptor table is a copy, empty or shared, and goes on in it; answers its pid.", nil},
	{"switch", []Param{{Name: "PROCESS", Kind: KindProc}}, "Goes on in another process.", nil},
	{"exit", nil, "Ends the process and goes on in p0.", nil},

	{"host_mkdir", onePath, "Makes a directory on the host.", nil},
	{"host_write", []Param{path("P"), data("DATA")}, "Makes a host file whose contents are DATA.", nil},
	{"host_read", onePath, "Reads a whole host file.", nil},
	{"host_copy", twoPaths, "Copies a host file.", nil},
	{"host_truncate", []Param{path("P"), long("N")}, "Sets the size of a host file.", nil},
	{"host_symlink", []Param{path("TARGET"), path("P")}, "Makes a symbolic link on the host.", nil},
	{"host_mkfifo", onePath, "Makes a fifo on the host.", nil},
	{"host_unlink", onePath, "Removes a host file.", nil},
}

// Lookup finds the description of a call, or nil.
func Lookup(name string) *Spec {
	for i := range Calls {
		if Calls[i].Name == name {
			return &Calls[i]
		}
	}
	return nil
}

// Usage is how the call is written: its name and parameters, with brackets
// around what may be left out.
func (s *Spec) Usage() string {
	var b strings.Builder
	b.WriteString(s.Name)
	for i := range s.Params {
		b.WriteByte(' ')
		b.WriteString(s.Params[i].usage())
	}
	return b.String()
}

func (p *Param) usage() string {
	switch {
	case p.Kind == KindTimes:
		return "NULL | SEC USEC SEC USEC"
	case p.Kind == KindFcntl:
		return "[ARG] | TYPE WHENCE START LEN"
	case p.Kind == KindOption:
		return "[" + strings.Join(p.Words, "=N] [") + "=N]"
	case p.Kind == KindWord:
		return strings.Join(p.Words, "|")
	case p.Rest:
		return p.Name + "..."
	}
	u := p.Name
	if p.Words != nil {
		u += "|" + strings.Join(p.Words, "|")
	}
	if p.Optional {
		u = "[" + u + "]"
	}
	return u
}

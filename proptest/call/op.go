package call

// An Op is a system call.
type Op uint8

// The system calls, in the order of the script language. Sharing a name with it, they share arguments and meaning.
const (
	None Op = iota // no call: every system answers ENOSYS
	Open
	Openat
	Close
	Dup
	Dup2
	Read
	Pread
	Write
	Pwrite
	Lseek
	Getdents
	Mkdir
	Mkdirat
	Rmdir
	Unlink
	Unlinkat
	Symlink
	Readlink
	Link
	Rename
	Mknod
	Mkfifo
	Stat
	Lstat
	Fstat
	Fstatat
	Times
	Access
	Chmod
	Lchmod
	Fchmod
	Chown
	Lchown
	Fchown
	Chflags
	Lchflags
	Fchflags
	Truncate
	Ftruncate
	Utimes
	Lutimes
	Futimes
	Fsync
	Fdatasync
	FsyncRange
	Sync
	Chdir
	Fchdir
	Chroot
	Fchroot
	Getcwd
	Umask
	Setuid
	Seteuid
	Setgid
	Setegid
	Setgroups
	Getids
	Getpid
	Pathconf
	Fpathconf
	PosixFadvise
	Statvfs1
	Fstatvfs1
	Getvfsstat
	Getfh
	Revoke
	Fcntl
	Flock
	Undelete
	Rfork
	Exit

	NumOps
)

// A field is where a call of the script language has an argument of a Call.
type field uint8

const (
	fPath field = iota
	fPath2
	fData
	fFD
	fN         // N, in decimal
	fBuf       // N, a length that may be left out
	fOff       // Off
	fSize      // Size
	fDev       // N, a device number
	fMode      // Mode, in octal
	fType      // Mode with S_IF bits
	fAccess    // Mode, R_OK and so on
	fOflags    // Flags of open
	fAtFlags   // Flags of the at calls
	fWhence    // Flags of lseek
	fSyncFlags // Flags of fsync_range
	fFileFlags // Flags of chflags
	fLockOp    // Flags of flock
	fStFlags   // Flags of statvfs1
	fAdvice    // Flags of posix_fadvise
	fName      // Flags of pathconf
	fCmd       // Flags of fcntl, and its argument: N or Arg
	fCopy      // Flags of rfork
	fUID
	fGID
	fGroups
	fTimes
)

// An opSpec says how a call is written.
type opSpec struct {
	name   string
	fields []field
}

//policy:static read only
var specs = [NumOps]opSpec{
	Open:         {"open", []field{fPath, fOflags, fMode}},
	Openat:       {"openat", []field{fFD, fPath, fOflags, fMode}},
	Close:        {"close", []field{fFD}},
	Dup:          {"dup", []field{fFD}},
	Dup2:         {"dup2", []field{fFD, fN}},
	Read:         {"read", []field{fFD, fN}},
	Pread:        {"pread", []field{fFD, fN, fOff}},
	Write:        {"write", []field{fFD, fData}},
	Pwrite:       {"pwrite", []field{fFD, fData, fOff}},
	Lseek:        {"lseek", []field{fFD, fOff, fWhence}},
	Getdents:     {"getdents", []field{fFD, fN}},
	Mkdir:        {"mkdir", []field{fPath, fMode}},
	Mkdirat:      {"mkdirat", []field{fFD, fPath, fMode}},
	Rmdir:        {"rmdir", []field{fPath}},
	Unlink:       {"unlink", []field{fPath}},
	Unlinkat:     {"unlinkat", []field{fFD, fPath, fAtFlags}},
	Symlink:      {"symlink", []field{fPath2, fPath}},
	Readlink:     {"readlink", []field{fPath, fBuf}},
	Link:         {"link", []field{fPath, fPath2}},
	Rename:       {"rename", []field{fPath, fPath2}},
	Mknod:        {"mknod", []field{fPath, fType, fDev}},
	Mkfifo:       {"mkfifo", []field{fPath, fMode}},
	Stat:         {"stat", []field{fPath}},
	Lstat:        {"lstat", []field{fPath}},
	Fstat:        {"fstat", []field{fFD}},
	Fstatat:      {"fstatat", []field{fFD, fPath, fAtFlags}},
	Times:        {"times", []field{fPath}},
	Access:       {"access", []field{fPath, fAccess}},
	Chmod:        {"chmod", []field{fPath, fMode}},
	Lchmod:       {"lchmod", []field{fPath, fMode}},
	Fchmod:       {"fchmod", []field{fFD, fMode}},
	Chown:        {"chown", []field{fPath, fUID, fGID}},
	Lchown:       {"lchown", []field{fPath, fUID, fGID}},
	Fchown:       {"fchown", []field{fFD, fUID, fGID}},
	Chflags:      {"chflags", []field{fPath, fFileFlags}},
	Lchflags:     {"lchflags", []field{fPath, fFileFlags}},
	Fchflags:     {"fchflags", []field{fFD, fFileFlags}},
	Truncate:     {"truncate", []field{fPath, fSize}},
	Ftruncate:    {"ftruncate", []field{fFD, fSize}},
	Utimes:       {"utimes", []field{fPath, fTimes}},
	Lutimes:      {"lutimes", []field{fPath, fTimes}},
	Futimes:      {"futimes", []field{fFD, fTimes}},
	Fsync:        {"fsync", []field{fFD}},
	Fdatasync:    {"fdatasync", []field{fFD}},
	FsyncRange:   {"fsync_range", []field{fFD, fSyncFlags, fOff, fSize}},
	Sync:         {"sync", nil},
	Chdir:        {"chdir", []field{fPath}},
	Fchdir:       {"fchdir", []field{fFD}},
	Chroot:       {"chroot", []field{fPath}},
	Fchroot:      {"fchroot", []field{fFD}},
	Getcwd:       {"getcwd", []field{fBuf}},
	Umask:        {"umask", []field{fMode}},
	Setuid:       {"setuid", []field{fUID}},
	Seteuid:      {"seteuid", []field{fUID}},
	Setgid:       {"setgid", []field{fGID}},
	Setegid:      {"setegid", []field{fGID}},
	Setgroups:    {"setgroups", []field{fGroups}},
	Getids:       {"getids", nil},
	Getpid:       {"getpid", nil},
	Pathconf:     {"pathconf", []field{fPath, fName}},
	Fpathconf:    {"fpathconf", []field{fFD, fName}},
	PosixFadvise: {"posix_fadvise", []field{fFD, fOff, fSize, fAdvice}},
	Statvfs1:     {"statvfs1", []field{fPath, fStFlags}},
	Fstatvfs1:    {"fstatvfs1", []field{fFD, fStFlags}},
	Getvfsstat:   {"getvfsstat", nil},
	Getfh:        {"getfh", []field{fPath}},
	Revoke:       {"revoke", []field{fPath}},
	Fcntl:        {"fcntl", []field{fFD, fCmd}},
	Flock:        {"flock", []field{fFD, fLockOp}},
	Undelete:     {"undelete", []field{fPath}},
	Rfork:        {"rfork", []field{fCopy}},
	Exit:         {"exit", nil},
}

// String is the call's name in the script language.
func (o Op) String() string {
	if o == None || o >= NumOps {
		return "none"
	}
	return specs[o].name
}

// OpNamed finds a call by its name in the script language, or gives None.
func OpNamed(name string) Op {
	for o := None + 1; o < NumOps; o++ {
		if specs[o].name == name {
			return o
		}
	}
	return None
}

// has reports whether the call has an argument of one of the kinds.
func (o Op) has(kinds ...field) bool {
	for _, f := range specs[o].fields {
		for _, k := range kinds {
			if f == k {
				return true
			}
		}
	}
	return false
}

// TakesFD reports whether the call's FD counts.
func (o Op) TakesFD() bool { return o < NumOps && o.has(fFD) }

// TakesPath reports whether the call's Path counts.
func (o Op) TakesPath() bool { return o < NumOps && o.has(fPath) }

// TakesPath2 reports whether the call's Path2 counts, which is a symbolic link's target or a second name.
func (o Op) TakesPath2() bool { return o < NumOps && o.has(fPath2) }

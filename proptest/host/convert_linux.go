//go:build amd64 || arm64

package host

import (
	"golang.org/x/sys/unix"

	"rumpvfs/kern"
)

// The devices that a kernel of ours boots with.
const (
	devNull kern.Dev = 2<<8 | 2
	devZero kern.Dev = 2<<8 | 12
)

// noDriver is a major number that Linux leaves to experiments, so that there is no driver.
const noDriver = 120

// linuxDev gives a device number of NetBSD's its counterpart: one with a driver only for /dev/null and /dev/zero.
func linuxDev(d kern.Dev) uint64 {
	switch d {
	case devNull:
		return unix.Mkdev(1, 3)
	case devZero:
		return unix.Mkdev(1, 5)
	}
	return unix.Mkdev(noDriver, uint32(d))
}

func netbsdDev(d uint64) kern.Dev {
	switch d {
	case unix.Mkdev(1, 3):
		return devNull
	case unix.Mkdev(1, 5):
		return devZero
	}
	return kern.Dev(unix.Minor(d))
}

// A bit is a flag with its value on both systems.
type bit struct{ netbsd, linux int }

//policy:static read only
var openFlags = []bit{{kern.O_CREAT, unix.O_CREAT}, {kern.O_EXCL, unix.O_EXCL}, {kern.O_TRUNC, unix.O_TRUNC}, {kern.O_APPEND, unix.O_APPEND},
	{kern.O_DIRECTORY, unix.O_DIRECTORY}, {kern.O_NOFOLLOW, unix.O_NOFOLLOW}, {kern.O_NONBLOCK, unix.O_NONBLOCK}, {kern.O_CLOEXEC, unix.O_CLOEXEC},
	{kern.O_SYNC, unix.O_SYNC}}

// toLinux translates flags of open. Nothing that is opened may keep a call waiting.
func toLinux(flags int32) int {
	f := int(flags & kern.O_ACCMODE)
	for _, b := range openFlags {
		if int(flags)&b.netbsd != 0 {
			f |= b.linux
		}
	}
	return f | unix.O_NONBLOCK
}

// fromLinux translates status flags, without O_NONBLOCK, which toLinux gives to all.
func fromLinux(flags int) (f int64) {
	f = int64(flags & unix.O_ACCMODE)
	for _, b := range openFlags {
		if b.linux != unix.O_NONBLOCK && flags&b.linux == b.linux {
			f |= int64(b.netbsd)
		}
	}
	return f
}

// atFlags are those of the at calls.
//
//policy:static read only
var atFlags = []bit{{kern.AT_REMOVEDIR, unix.AT_REMOVEDIR}, {kern.AT_SYMLINK_NOFOLLOW, unix.AT_SYMLINK_NOFOLLOW}}

func toLinuxAt(flags int32) (f int) {
	for _, b := range atFlags {
		if int(flags)&b.netbsd != 0 {
			f |= b.linux
		}
	}
	return f
}

//policy:static read only
var lockTypes = []bit{{kern.F_RDLCK, unix.F_RDLCK}, {kern.F_WRLCK, unix.F_WRLCK}, {kern.F_UNLCK, unix.F_UNLCK}}

// lockType translates a type of lock; what is none stays none.
func lockType(t int64) int16 {
	for _, b := range lockTypes {
		if int64(b.netbsd) == t {
			return int16(b.linux)
		}
	}
	return 99
}

func netbsdLockType(t int16) int16 {
	for _, b := range lockTypes {
		if b.linux == int(t) {
			return int16(b.netbsd)
		}
	}
	return 0
}

// errnos are the errors whose numbers differ; up to ERANGE they do not.
//
//policy:static read only
var errnos = map[unix.Errno]kern.Errno{
	unix.EAGAIN: kern.EAGAIN, unix.ELOOP: kern.ELOOP, unix.ENAMETOOLONG: kern.ENAMETOOLONG, unix.ENOTEMPTY: kern.ENOTEMPTY,
	unix.EOPNOTSUPP: kern.EOPNOTSUPP, unix.ENOSYS: kern.ENOSYS, unix.EOVERFLOW: kern.EOVERFLOW, unix.ENOLCK: kern.ENOLCK,
	unix.EDEADLK: kern.EDEADLK, unix.ESTALE: kern.ESTALE, unix.EDQUOT: kern.EDQUOT, unix.ENODATA: kern.ENODATA,
}

// errnoOf translates an error. One that NetBSD does not have becomes ELAST.
func errnoOf(e unix.Errno) kern.Errno {
	if n, ok := errnos[e]; ok {
		return n
	}
	if e <= unix.ERANGE {
		return kern.Errno(e)
	}
	return kern.ELAST
}

package kern

import "encoding/binary"

// Parts of a file's mode: type, then the bits that chmod(2) sets.
const (
	S_IFMT   = 0o170000
	S_IFIFO  = 0o010000
	S_IFCHR  = 0o020000
	S_IFDIR  = 0o040000
	S_IFBLK  = 0o060000
	S_IFREG  = 0o100000
	S_IFLNK  = 0o120000
	S_IFSOCK = 0o140000
	S_IFWHT  = 0o160000
	S_ARCH1  = 0o200000
	S_ARCH2  = 0o400000

	S_ISUID = 0o4000
	S_ISGID = 0o2000
	S_ISTXT = 0o1000
	S_ISVTX = S_ISTXT

	S_IRWXU  = 0o700
	S_IRUSR  = 0o400
	S_IWUSR  = 0o200
	S_IXUSR  = 0o100
	S_IREAD  = S_IRUSR
	S_IWRITE = S_IWUSR
	S_IEXEC  = S_IXUSR
	S_IRWXG  = 0o070
	S_IRGRP  = 0o040
	S_IWGRP  = 0o020
	S_IXGRP  = 0o010
	S_IRWXO  = 0o007
	S_IROTH  = 0o004
	S_IWOTH  = 0o002
	S_IXOTH  = 0o001

	ACCESSPERMS = S_IRWXU | S_IRWXG | S_IRWXO
	ALLPERMS    = S_ISUID | S_ISGID | S_ISTXT | ACCESSPERMS
	DEFFILEMODE = S_IRUSR | S_IWUSR | S_IRGRP | S_IWGRP | S_IROTH | S_IWOTH

	S_BLKSIZE = 512 // bytes a unit of Stat.Blocks
)

// S_ISDIR reports whether mode is a directory's.
func S_ISDIR(mode uint32) bool { return mode&S_IFMT == S_IFDIR }

// S_ISCHR reports whether mode is a character device's.
func S_ISCHR(mode uint32) bool { return mode&S_IFMT == S_IFCHR }

// S_ISBLK reports whether mode is a block device's.
func S_ISBLK(mode uint32) bool { return mode&S_IFMT == S_IFBLK }

// S_ISREG reports whether mode is a regular file's.
func S_ISREG(mode uint32) bool { return mode&S_IFMT == S_IFREG }

// S_ISFIFO reports whether mode is a fifo's.
func S_ISFIFO(mode uint32) bool { return mode&S_IFMT == S_IFIFO }

// S_ISLNK reports whether mode is a symbolic link's.
func S_ISLNK(mode uint32) bool { return mode&S_IFMT == S_IFLNK }

// S_ISSOCK reports whether mode is a socket's.
func S_ISSOCK(mode uint32) bool { return mode&S_IFMT == S_IFSOCK }

// S_ISWHT reports whether mode is a whiteout's.
func S_ISWHT(mode uint32) bool { return mode&S_IFMT == S_IFWHT }

// File flags, set by chflags(2): the owner may change the UF_ half, only the
// superuser the SF_ half.
const (
	UF_SETTABLE  = 0x0000ffff
	UF_NODUMP    = 0x00000001
	UF_IMMUTABLE = 0x00000002
	UF_APPEND    = 0x00000004
	UF_OPAQUE    = 0x00000008

	SF_SETTABLE  = 0xffff0000
	SF_ARCHIVED  = 0x00010000
	SF_IMMUTABLE = 0x00020000
	SF_APPEND    = 0x00040000
	SF_SNAPSHOT  = 0x00200000
	SF_LOG       = 0x00400000
	SF_SNAPINVAL = 0x00800000

	OPAQUE    = UF_OPAQUE
	APPEND    = UF_APPEND | SF_APPEND
	IMMUTABLE = UF_IMMUTABLE | SF_IMMUTABLE
)

// Nanoseconds with a meaning of their own in utimensat(2) and futimens(2).
const (
	UTIME_NOW  = 1<<30 - 1
	UTIME_OMIT = 1<<30 - 2
)

// A Timespec is a moment: seconds since 1970 and nanoseconds.
type Timespec struct {
	Sec  int64
	Nsec int64
}

// Stat is what stat(2) tells about a file. File systems fill it through
// VOP_GETATTR, so the widths are those of the kernel.
type Stat struct {
	Dev       uint64 // the mounted file system's number
	Mode      uint32 // S_IF type and permission bits
	Ino       uint64
	Nlink     uint32
	UID       uint32
	GID       uint32
	Rdev      Dev // of a device node; NODEV otherwise
	Atim      Timespec
	Mtim      Timespec
	Ctim      Timespec
	Birthtim  Timespec
	Size      int64 // bytes
	Blocks    int64 // S_BLKSIZE units
	Blksize   int32 // bytes
	FileFlags uint32
	Gen       uint32
}

// A Dev is a device number: major in bits 8 to 19, minor in the low 8 bits
// and bits 20 to 31.
type Dev uint64

// NODEV is no device, and NODEVMAJOR no major number.
const (
	NODEV      Dev = 1<<64 - 1
	NODEVMAJOR     = -1
)

// Makedev packs a device number; bits that have no room are lost.
//
//netbsd:sys/sys/types.h makedev
func Makedev(major, minor int32) Dev {
	return Dev(uint32(major)<<8&0x000fff00 | uint32(minor)<<12&0xfff00000 | uint32(minor)&0x000000ff)
}

// Major is the driver's number, 0 to 4095.
//
//netbsd:sys/sys/types.h major
func (d Dev) Major() int32 { return int32(uint32(d) & 0x000fff00 >> 8) }

// Minor is the number by which the driver knows the device, 0 to 1048575.
//
//netbsd:sys/sys/types.h minor
func (d Dev) Minor() int32 { return int32(uint32(d)&0xfff00000>>12 | uint32(d)&0x000000ff) }

// MAXNAMLEN is the longest name that a [Dirent] can carry, in bytes.
const MAXNAMLEN = 511

// File types in a [Dirent].
const (
	DT_UNKNOWN = 0
	DT_FIFO    = 1
	DT_CHR     = 2
	DT_DIR     = 4
	DT_BLK     = 6
	DT_REG     = 8
	DT_LNK     = 10
	DT_SOCK    = 12
	DT_WHT     = 14
)

// IFTODT converts a mode to the file type of a directory entry.
func IFTODT(mode uint32) uint8 { return uint8(mode & S_IFMT >> 12) }

// DTTOIF converts the file type of a directory entry to a mode's type bits.
func DTTOIF(dtype uint8) uint32 { return uint32(dtype) << 12 }

// A Dirent is a directory entry as getdents(2) returns it. In memory it is
// little-endian: 8 bytes of Fileno, 2 of record length, 2 of name length, 1
// of Type, then the name, a NUL, and NULs up to a multiple of 8.
type Dirent struct {
	Fileno uint64
	Type   uint8
	Name   string
}

const (
	direntNameOff = 8 + 2 + 2 + 1
	direntAlign   = 8 - 1
)

// DirentReclen is the length in bytes of a record whose name has namlen
// bytes.
//
//netbsd:sys/sys/dirent.h _DIRENT_RECLEN
func DirentReclen(namlen int) int {
	return (direntNameOff + namlen + 1 + direntAlign) &^ direntAlign
}

// Reclen is the length in bytes of d's record.
//
//netbsd:sys/sys/dirent.h _DIRENT_SIZE
func (d *Dirent) Reclen() int { return DirentReclen(len(d.Name)) }

// Append appends d's record to b. A name longer than [MAXNAMLEN] is the
// caller's mistake: its length would not be the kernel's.
func (d *Dirent) Append(b []byte) []byte {
	reclen := d.Reclen()
	b = binary.LittleEndian.AppendUint64(b, d.Fileno)
	b = binary.LittleEndian.AppendUint16(b, uint16(reclen))
	b = binary.LittleEndian.AppendUint16(b, uint16(len(d.Name)))
	b = append(b, d.Type)
	b = append(b, d.Name...)
	return append(b, "\x00\x00\x00\x00\x00\x00\x00\x00"[:reclen-direntNameOff-len(d.Name)]...)
}

// Move hands d's record to a reader, as uiomove does, and returns the bytes that it
// takes: 0 if there is no room for it. The error is EFAULT.
func (d *Dirent) Move(uio *Uio) (n int, err error) {
	if int64(d.Reclen()) > uio.Resid {
		return 0, nil
	}
	var buf [direntNameOff + MAXNAMLEN + 1 + direntAlign]byte
	b := d.Append(buf[:0])
	return len(b), uio.Move(b)
}

// DecodeDirent reads the record at the start of b and returns what follows
// it. The error is EINVAL if b does not begin with a whole, consistent
// record.
func DecodeDirent(b []byte) (d Dirent, rest []byte, err error) {
	if len(b) < direntNameOff {
		return Dirent{}, b, EINVAL
	}
	reclen := int(binary.LittleEndian.Uint16(b[8:]))
	namlen := int(binary.LittleEndian.Uint16(b[10:]))
	if reclen > len(b) || reclen < DirentReclen(namlen) {
		return Dirent{}, b, EINVAL
	}
	return Dirent{
		Fileno: binary.LittleEndian.Uint64(b),
		Type:   b[12],
		Name:   string(b[direntNameOff : direntNameOff+namlen]),
	}, b[reclen:], nil
}

package call

import (
	"bytes"
	"fmt"
	"strconv"

	"rumpvfs/kern"
	"rumpvfs/sim/script"
)

// A Stop says why a system answers no more.
type Stop uint8

const (
	Running Stop = iota
	Panic        // the kernel panicked in this call or before
	Blocked      // the call can never return
	Broken       // the system itself failed; Data says how
	Unknown      // the system, a model, does not say what comes of this call
)

// Recent is the second that stands for every moment since the system began: what the clock says shows in no result.
const Recent = -1 << 62

// A File is what the stat family tells.
type File struct {
	Mode  uint32 // S_IF type and permissions
	Nlink uint32
	UID   uint32
	GID   uint32
	Flags uint32
	Gen   uint32
	Size  int64
	// Blocks counts 512 bytes, Blksize is in bytes.
	Blocks  int64
	Blksize int32
	// Ino counts the inodes in the order in which results showed them, from 1; Dev the devices likewise, where 0 is a
	// device that equals the inode's own number.
	Ino  uint32
	Dev  uint32
	Rdev kern.Dev
}

// A Result is what a call answered. What else than Errno counts depends on the call; the rest is zero.
type Result struct {
	Errno kern.Errno // 0 is success
	Stop  Stop
	Ret   int64 // what the call returns

	File  File             // the stat family
	Times [2]kern.Timespec // Times: of access and of modification
	Lock  kern.Flock       // F_GETLK

	// Data are the bytes that read, pread and readlink gave, getcwd's path, getdents's entries (see AppendEntry), and of
	// statvfs1, fstatvfs1, getvfsstat, getids the text of the result.
	Data []byte
}

// Reset makes r the answer 0, keeping its memory.
func (r *Result) Reset() { *r = Result{Data: r.Data[:0]} }

// Fail makes r an error.
func (r *Result) Fail(e kern.Errno) {
	r.Reset()
	r.Errno, r.Ret = e, -1
}

// Equal reports whether two systems answered a call the same.
func (r *Result) Equal(s *Result) bool {
	return r.Errno == s.Errno && r.Stop == s.Stop && r.Ret == s.Ret && r.File == s.File && r.Times == s.Times &&
		r.Lock == s.Lock && bytes.Equal(r.Data, s.Data)
}

// AppendEntry appends a directory entry to the Data of a getdents result: type, alias of the inode, length of the name
// and name.
func AppendEntry(b []byte, dtype uint8, ino uint32, name string) []byte {
	return append(appendHead(b, dtype, ino, len(name)), name...)
}

func appendHead(b []byte, dtype uint8, ino uint32, n int) []byte {
	return append(b, dtype, byte(ino), byte(ino>>8), byte(ino>>16), byte(ino>>24), byte(n), byte(n>>8))
}

// An Entry is one of the entries that getdents gave.
type Entry struct {
	Type uint8  // DT_DIR and so on
	Ino  uint32 // as File.Ino
	Name string
}

// Entries decodes the Data of a getdents result.
func (r *Result) Entries() (list []Entry) {
	for b := r.Data; len(b) >= 7; {
		n := int(b[5]) | int(b[6])<<8
		ino := uint32(b[1]) | uint32(b[2])<<8 | uint32(b[3])<<16 | uint32(b[4])<<24
		list = append(list, Entry{b[0], ino, string(b[7 : 7+n])})
		b = b[7+n:]
	}
	return list
}

// Format renders the answer to c as a trace shows it.
func (r *Result) Format(c *Call) string {
	switch {
	case r.Stop == Panic:
		return script.PANIC
	case r.Stop == Blocked:
		return script.BLOCKED
	case r.Stop == Unknown:
		return "UNKNOWN"
	case r.Stop == Broken:
		return "BROKEN " + script.Quote(r.Data)
	case c.Op == PosixFadvise:
		return script.FormatFadvise(r.Errno)
	case r.Errno != 0:
		return script.FormatErrno(r.Errno)
	}
	return r.success(c)
}

func (r *Result) success(c *Call) string {
	switch c.Op {
	case Read, Pread, Readlink:
		return script.FormatData(r.Data)
	case Getdents:
		return r.entries()
	case Stat, Lstat, Fstat, Fstatat:
		return r.File.String()
	case Times:
		return script.FormatTimes(&kern.Stat{Atim: r.Times[0], Mtim: r.Times[1]})
	case Getcwd:
		return script.FormatCwd(string(r.Data))
	case Umask:
		return script.FormatUmask(uint32(r.Ret))
	case Statvfs1, Fstatvfs1, Getvfsstat, Getids:
		return string(r.Data)
	case Rfork:
		return script.FormatRfork(int32(r.Ret))
	case Exit:
		return script.FormatExit()
	case Fcntl:
		switch c.Flags {
		case kern.F_GETLK:
			return script.FormatFlock(r.Lock)
		case kern.F_GETFL:
			return script.FormatFlags(int32(r.Ret))
		}
	}
	return script.FormatInt(r.Ret)
}

func (r *Result) entries() string {
	b := strconv.AppendInt(nil, r.Ret, 10)
	for _, e := range r.Entries() {
		b = append(b, ' ')
		b = script.AppendQuoted(b, e.Name)
		b = append(b, ':')
		b = append(b, typeName(e.Type)...)
		b = append(b, ":i"...)
		b = strconv.AppendUint(b, uint64(e.Ino), 10)
	}
	return string(b)
}

func typeName(dtype uint8) string {
	switch dtype {
	case kern.DT_FIFO:
		return "fifo"
	case kern.DT_CHR:
		return "chr"
	case kern.DT_DIR:
		return "dir"
	case kern.DT_BLK:
		return "blk"
	case kern.DT_REG:
		return "reg"
	case kern.DT_LNK:
		return "lnk"
	case kern.DT_SOCK:
		return "sock"
	case kern.DT_WHT:
		return "wht"
	}
	return "none"
}

// String renders the file as a trace shows it.
func (f File) String() string {
	rdev := "none"
	if f.Rdev != kern.NODEV {
		rdev = fmt.Sprintf("%d,%d", f.Rdev.Major(), f.Rdev.Minor())
	}
	dev := "ino"
	if f.Dev != 0 {
		dev = fmt.Sprintf("d%d", f.Dev)
	}
	return fmt.Sprintf("0 type=%s mode=%04o nlink=%d uid=%d gid=%d size=%d blksize=%d blocks=%d flags=0x%x gen=%d rdev=%s ino=i%d dev=%s",
		typeName(kern.IFTODT(f.Mode)), f.Mode&kern.ALLPERMS, f.Nlink, f.UID, f.GID, f.Size,
		f.Blksize, f.Blocks, f.Flags, f.Gen, rdev, f.Ino, dev)
}

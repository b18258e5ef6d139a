package call

import (
	"encoding/binary"

	"rumpvfs/kern"
)

// NullPath is the path that stands for the null pointer.
const NullPath = "\x00"

// MaxBuffer is the memory in bytes that a call which reads has, however much it asks for: what goes beyond is EFAULT.
const MaxBuffer = 64 << 20

// A Call is one system call. Its arguments are concrete, and two calls are the same if they are equal by ==. Which
// fields count depends on Op; the others are zero.
type Call struct {
	Op   Op
	Proc uint8 // who calls: 0 is the first process, n the one that the nth Rfork made
	Null bool  // utimes: the null pointer in place of Arg

	FD int32 // descriptor, or directory of an at call

	// Flags are those of open, the at calls, chflags, fsync_range, statvfs1; fcntl's command, flock's operation,
	// lseek's whence, posix_fadvise's advice, pathconf's name; and whether rfork copies descriptors (RforkCopy,
	// RforkClear, RforkShare).
	Flags int32
	Mode  uint32 // permissions, with S_IF bits for mknod; access's R_OK and so on
	UID   uint32
	GID   uint32

	Path  string // NullPath is the null pointer; there is no other NUL in it
	Path2 string // symlink's target; the new name of link and rename
	Data  string // what is written; setgroups's groups as AppendGroups makes them

	N    int64 // length of a buffer, dup2's new descriptor, fcntl's argument, mknod's device
	Off  int64 // offset
	Size int64 // new size of a file; length of a range

	// Arg is utimes's seconds and microseconds of access and of modification, or the type, whence, start and length
	// of fcntl's lock.
	Arg [4]int64
}

// What a new process gets as descriptors: Flags of Rfork.
const (
	RforkCopy  = 1 // a copy of the table
	RforkClear = 2 // an empty one
	RforkShare = 3 // the same one
)

// Groups encodes groups for Call.Data.
func Groups(groups ...uint32) string {
	var b []byte
	for _, g := range groups {
		b = binary.LittleEndian.AppendUint32(b, g)
	}
	return string(b)
}

// AppendGroups appends the groups of a setgroups call to list.
func (c *Call) AppendGroups(list []uint32) []uint32 {
	for b := c.Data; len(b) >= 4; b = b[4:] {
		list = append(list, uint32(b[0])|uint32(b[1])<<8|uint32(b[2])<<16|uint32(b[3])<<24)
	}
	return list
}

// IsLock reports whether the call is an fcntl that takes a lock in Arg.
func (c *Call) IsLock() bool {
	return c.Op == Fcntl && (c.Flags == kern.F_GETLK || c.Flags == kern.F_SETLK || c.Flags == kern.F_SETLKW)
}

// Buffer is the memory in bytes that a reading call has.
func (c *Call) Buffer() int {
	if uint64(c.N) > MaxBuffer {
		return MaxBuffer
	}
	return int(c.N)
}

// A System executes calls, one after the other: a kernel, a model, another operating system. It is used by one goroutine
// at a time.
type System interface {
	// Do makes the call and says in *r what came of it. r.Data is reused. A call of a process that there is not, or
	// that has exited, is ESRCH; so is an Exit of process 0, which nothing comes of.
	Do(c *Call, r *Result)
	// Reset begins anew: as at first, whatever happened since.
	Reset() error
	// Close frees what the system holds. The error says what was left over.
	Close() error
}

// A Waiter is a System that may notice a call which waits for ever, and then answers [Blocked]; from others such a call does
// not return.
type Waiter interface {
	System
	NoticesWaits() bool
}

// NoticesWaits reports whether a system is a [Waiter] that does.
func NoticesWaits(s System) bool {
	w, ok := s.(Waiter)
	return ok && w.NoticesWaits()
}

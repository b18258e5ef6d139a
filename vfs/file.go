package vfs

import (
	"sync/atomic"

	"rumpvfs/hypercall"
	"rumpvfs/kern"
	"rumpvfs/namei"
	"rumpvfs/vnode"
)

// System is the open-file layer of one kernel. The letters give what guards a
// field:
//
//	a  atomic
//	f  fileLock
type System struct {
	K *kern.Kernel
	V *vnode.System
	// Cwds returns the Cwdinfo of every process, each shared once more for
	// the caller. Set at boot.
	Cwds func(l *kern.Lwp) []*namei.Cwdinfo

	fileLock kern.Mutex
	freeFile *File        // f: released files, to be used again
	made     int          // f: files there are, free ones included
	nfiles   atomic.Int32 // a: open files
	tally    kern.Tally   // open files that a Checkup has found
}

// maxFiles is how many open files a kernel allows (kern.maxfiles of a rump
// kernel, which is built for 32 users).
const maxFiles = 1772

var (
	fileLockClass = hypercall.LockClass{Name: "filelist_lock", Rank: 830}
	fdLockClass   = hypercall.LockClass{Name: "fd_lock", Rank: 840}
)

// NewSystem makes the open-file layer above v.
func NewSystem(k *kern.Kernel, v *vnode.System) *System {
	s := &System{K: k, V: v}
	s.fileLock.Init(k.Sys, &fileLockClass)
	return s
}

// OpenFiles returns how many open files there are. A kernel that shuts down
// has none.
func (s *System) OpenFiles() int { return int(s.nfiles.Load()) }

// FileType says what an open file is.
type FileType uint8

const (
	DTYPE_VNODE FileType = iota + 1
	DTYPE_MISC
	DTYPE_KQUEUE
)

// FOF_UPDATE_OFFSET makes a transfer begin at the file's own offset and move
// it.
const FOF_UPDATE_OFFSET = 1

// Fileops is what a kind of open file does.
type Fileops interface {
	// Read and Write transfer uio. Without FOF_UPDATE_OFFSET the
	// transfer is at uio.Offset.
	Read(l *kern.Lwp, fp *File, uio *kern.Uio, flags int) error
	Write(l *kern.Lwp, fp *File, uio *kern.Uio, flags int) error
	Ioctl(l *kern.Lwp, fp *File, com uint64, data any) error
	Fcntl(l *kern.Lwp, fp *File, com uint32, data any) error
	Poll(l *kern.Lwp, fp *File, events int) (int, error)
	// Kqfilter attaches an event filter.
	Kqfilter(l *kern.Lwp, fp *File, kn *kern.Knote) error
	Stat(l *kern.Lwp, fp *File, sb *kern.Stat) error
	Close(l *kern.Lwp, fp *File) error
}

// File is an open file: what open(2) makes and descriptors share. No lock
// guards it; who looks at what others change says so with Touch. The letters
// give what guards a field:
//
//	:  stable while a reference is held
//	a  atomic
type File struct {
	Type FileType   // :
	Ops  Fileops    // :
	Cred *kern.Cred // :  of who opened it

	flag   atomic.Uint32               // a: FREAD and the like
	offset atomic.Int64                // a: two readers at once begin at the same one and both add to it, as in the C kernel
	advice atomic.Uint32               // a: posix_fadvise
	vp     atomic.Pointer[vnode.Vnode] // a: DTYPE_VNODE; readdir of a union mount exchanges it
	count  atomic.Int32                // a: references

	sys  *System
	next *File      // on the free list
	refs kern.Tally // references that a Checkup has found
}

// Flag returns the flags of the open file.
func (fp *File) Flag() int32 { return int32(fp.flag.Load()) }

// SetFlag sets flags, ClearFlag clears them.
func (fp *File) SetFlag(f int32) { fp.flag.Or(uint32(f)) }

// ClearFlag clears flags.
func (fp *File) ClearFlag(f int32) { fp.flag.And(^uint32(f)) }

// Vnode returns the vnode of a DTYPE_VNODE file.
func (fp *File) Vnode() *vnode.Vnode { return fp.vp.Load() }

// Offset returns where the next read or write begins, in bytes.
func (fp *File) Offset() int64 { return fp.offset.Load() }

// SetOffset sets it.
func (fp *File) SetOffset(off int64) { fp.offset.Store(off) }

// advance moves it by n bytes from where it is now. That is not where the
// transfer began if somebody else has used the file meanwhile.
func (fp *File) advance(l *kern.Lwp, n int64) {
	fp.Touch(l, hypercall.Add)
	fp.offset.Add(n)
}

// Touch tells of an access to the file's offset, flags or count of
// references.
func (fp *File) Touch(l *kern.Lwp, how hypercall.Access) { l.Thread.Touch(fp, how) }

// SetAdvice records the access pattern that reads and writes will declare.
func (fp *File) SetAdvice(advice uint32) { fp.advice.Store(advice) }

// Attach makes fp the open file of kind t. For a vnode the reference that
// the caller holds passes to the file.
func (fp *File) Attach(t FileType, ops Fileops, vp *vnode.Vnode, flags int32) {
	fp.Type, fp.Ops = t, ops
	fp.vp.Store(vp)
	fp.flag.Store(uint32(flags))
}

// newFile returns an unreferenced file opened by l, or nil if there are too
// many open files.
func (s *System) newFile(l *kern.Lwp) *File {
	fp := s.takeFile(l)
	if fp == nil {
		return nil
	}
	s.nfiles.Add(1)
	s.K.Sys.Made(fp)
	fp.Cred = l.Cred
	fp.offset.Store(0)
	fp.advice.Store(0)
	return fp
}

// takeFile takes a file off the free list, or makes one if maxFiles allows.
//
//netbsd:sys/kern/kern_descrip.c file_ctor
func (s *System) takeFile(l *kern.Lwp) *File {
	s.fileLock.Enter(l)
	defer s.fileLock.Exit(l)
	if fp := s.freeFile; fp != nil {
		s.freeFile, fp.next = fp.next, nil
		return fp
	}
	if s.made == maxFiles {
		return nil
	}
	s.made++
	return &File{sys: s}
}

// freeFileOf puts a file that nobody refers to on the free list.
func (s *System) freeFileOf(l *kern.Lwp, fp *File) {
	kern.KASSERT(fp.count.Load() == 0, "fp->f_count == 0")
	fp.Type, fp.Ops, fp.Cred = 0, nil, nil
	fp.vp.Store(nil)
	s.nfiles.Add(-1)
	s.fileLock.Enter(l)
	fp.next, s.freeFile = s.freeFile, fp
	s.fileLock.Exit(l)
}

// Ref gains a reference to the file.
func (fp *File) Ref() { fp.count.Add(1) }

// Closef drops a reference to the file; the last one releases its flock and
// closes it.
//
//netbsd:sys/kern/kern_descrip.c closef
func (fp *File) Closef(l *kern.Lwp) error {
	fp.Touch(l, hypercall.Write)
	n := fp.count.Add(-1)
	kern.KASSERT(n >= 0, "fp->f_count > 0")
	if n > 0 {
		return nil
	}
	if fp.Flag()&kern.FHASLOCK != 0 && fp.Type == DTYPE_VNODE {
		fl := wholeFile(kern.F_UNLCK)
		_ = vnode.VOP_ADVLOCK(l, fp.Vnode(), fp, kern.F_UNLCK, &fl, kern.F_FLOCK)
	}
	err := fp.Ops.Close(l, fp)
	fp.sys.freeFileOf(l, fp)
	return err
}

// wholeFile is a byte-range lock of type t over the whole file.
func wholeFile(t int16) kern.Flock { return kern.Flock{Type: t, Whence: kern.SEEK_SET} }

package vnode

import (
	"fmt"
	"sync/atomic"

	"rumpvfs/hypercall"
	"rumpvfs/kern"
	"rumpvfs/uvm"
)

// Flags of a transfer, Buf.Flags. B_WRITE is the absence of B_READ.
const (
	B_WRITE      = 0x00000000
	B_ASYNC      = 0x00000004 // nobody waits
	B_COWDONE    = 0x00000400 // copy-on-write is already done
	B_GATHERED   = 0x00001000
	B_LOCKED     = 0x00004000 // to stay in memory
	B_PHYS       = 0x00040000 // to or from user memory
	B_RAW        = 0x00080000 // made by physio
	B_READ       = 0x00100000
	B_DEVPRIVATE = 0x02000000 // for the driver
)

// Flags that belong to the buffer cache, Buf.Cflags.
const (
	BC_AGE     = 0x00000001 // to be reused early
	BC_BUSY    = 0x00000010 // somebody owns the buffer
	BC_INVAL   = 0x00002000 // holds nothing of worth
	BC_NOCACHE = 0x00008000 // not to be kept
	BC_WANTED  = 0x00800000 // somebody waits for it
	BC_VFLUSH  = 0x04000000 // being synchronised
)

// Flags that belong to the object, Buf.Oflags.
const (
	BO_DELWRI = 0x00000080 // a write that waits until the buffer is reused
	BO_DONE   = 0x00000200 // the transfer is over
)

// Buf describes one transfer between memory and a device: those of the page
// cache and of drivers come from [GetIOBuf], those of blocks from the buffer
// cache. The letters give what guards a field:
//
//	b  whoever has set BC_BUSY
//	c  the buffer cache's lock
//	o  Objlock
//	a  atomic
//	:  stable
type Buf struct {
	Iodone   func(l *kern.Lwp, bp *Buf) // b: called once, when the transfer is over
	Error    error                      // b
	Resid    int                        // b: bytes not transferred yet
	Flags    uint32                     // b: B_*
	Bufsize  int                        // b: bytes that Data stands for
	Bcount   int                        // b: bytes to transfer
	Dev      kern.Dev                   // b
	Data     []byte                     // b
	Blkno    int64                      // b: where on the device, DEV_BSIZE units
	Rawblkno int64                      // b: where on the volume, DEV_BSIZE units
	Private  any                        // b: the owner's
	Lblkno   int64                      // c: where in the file, file-system blocks
	Cflags   uint32                     // c: BC_*
	Vp       *Vnode                     // c: the file; nil for none
	Oflags   uint32                     // o: BO_*
	Objlock  *kern.Mutex                // c: Vp's interlock, or System's for all others
	Slot     any                        // :  the buffer cache's own; nil if it is not one of its buffers

	sys              *System
	asyncs           atomic.Uint64 // a: see AsyncCount; the error is in the lowest byte
	done             kern.CV       // o
	master           *Buf          // b: what a nested buffer is part of
	pages            []*uvm.Page   // b: what Data is a window on
	copied           bool          // b: the window is not the pages' own memory
	window           []byte        // b: what it is then, kept for its next use
	next             *Buf          // bufPool.lock: free list
	vnbNext, vnbPrev *Buf          // o: the buffers of Vp
	onList           *bufList      // o
}

// IsRead reports whether the transfer goes from the device to memory.
//
//netbsd:sys/sys/buf.h BUF_ISREAD
func (bp *Buf) IsRead() bool { return bp.Flags&B_READ != 0 }

// IsWrite reports whether the transfer goes from memory to the device.
//
//netbsd:sys/sys/buf.h BUF_ISWRITE
func (bp *Buf) IsWrite() bool { return bp.Flags&B_READ == 0 }

var (
	bufferLockClass  = hypercall.LockClass{Name: "buffer_lock", Rank: 610}
	bufPoolLockClass = hypercall.LockClass{Name: "bufio_cache", Rank: 810}
)

// bufPool keeps the buffers of a kernel that are not in use.
type bufPool struct {
	objlock kern.Mutex // buffer_lock: completion of buffers without a vnode
	lock    kern.Mutex
	free    *Buf // lock
}

func (p *bufPool) init(hs *hypercall.System) {
	p.objlock.Init(hs, &bufferLockClass)
	p.lock.Init(hs, &bufPoolLockClass)
}

func (p *bufPool) get(l *kern.Lwp) *Buf {
	p.lock.Enter(l)
	bp := p.free
	if bp != nil {
		p.free = bp.next
	}
	p.lock.Exit(l)
	if bp == nil {
		bp = new(Buf)
	}
	return bp
}

// GetIOBuf returns a buffer for a transfer of vp that does not go through
// the buffer cache. It is the caller's until [PutIOBuf].
//
//netbsd:sys/kern/vfs_bio.c getiobuf
func GetIOBuf(l *kern.Lwp, vp *Vnode) *Buf {
	bp := vp.sys.GetIOBuf(l)
	bp.Vp, bp.Objlock = vp, vp.Interlock
	return bp
}

// InitBuf makes bp, which is all zero, an idle buffer that belongs to no vnode.
//
//netbsd:sys/kern/vfs_bio.c buf_init
func (sys *System) InitBuf(bp *Buf) {
	bp.done.Init(sys.K.Sys, "biowait")
	bp.sys, bp.Objlock, bp.Dev = sys, &sys.bufs.objlock, kern.NODEV
}

// GetIOBuf returns a buffer for a transfer that belongs to no vnode.
func (sys *System) GetIOBuf(l *kern.Lwp) *Buf {
	bp := sys.bufs.get(l)
	sys.InitBuf(bp)
	return bp
}

// PutIOBuf gives back a buffer of [GetIOBuf]. Nobody waits for it any more.
//
//netbsd:sys/kern/vfs_bio.c putiobuf, buf_destroy
func PutIOBuf(l *kern.Lwp, bp *Buf) {
	p := &bp.sys.bufs
	bp.reset()
	p.lock.Enter(l)
	bp.next, p.free = p.free, bp
	p.lock.Exit(l)
}

// reset forgets the last transfer. What cost memory stays.
func (bp *Buf) reset() {
	clear(bp.pages)
	bp.pages = bp.pages[:0]
	bp.Iodone, bp.Error, bp.Private, bp.Data, bp.Vp, bp.Objlock, bp.master = nil, nil, nil, nil, nil, nil, nil
	bp.Flags, bp.Cflags, bp.Oflags = 0, 0, 0
	bp.Resid, bp.Bufsize, bp.Bcount = 0, 0, 0
	bp.Blkno, bp.Rawblkno, bp.Lblkno = 0, 0, 0
}

// bufList holds the buffers of a vnode, last in first.
type bufList struct{ first *Buf }

func (bl *bufList) insert(bp *Buf) {
	bp.onList, bp.vnbPrev, bp.vnbNext = bl, nil, bl.first
	if bl.first != nil {
		bl.first.vnbPrev = bp
	}
	bl.first = bp
}

func (bl *bufList) remove(bp *Buf) {
	if bp.vnbPrev == nil {
		bl.first = bp.vnbNext
	} else {
		bp.vnbPrev.vnbNext = bp.vnbNext
	}
	if bp.vnbNext != nil {
		bp.vnbNext.vnbPrev = bp.vnbPrev
	}
	bp.onList, bp.vnbNext, bp.vnbPrev = nil, nil, nil
}

// NextOfVnode returns the buffer that follows bp among the clean or the dirty
// ones of its vnode, nil if there is none.
//
// Preconditions: the interlock of the vnode or the buffer cache's lock is
// held.
func (bp *Buf) NextOfVnode() *Buf { return bp.vnbNext }

// CleanBufs returns the first buffer of vp in the cache that need not be
// written.
//
// Preconditions: the interlock or the buffer cache's lock is held.
func (vp *Vnode) CleanBufs() *Buf { return vp.cleanblk.first }

// DirtyBufs returns the first buffer of vp in the cache that waits to be
// written.
//
// Preconditions: the interlock or the buffer cache's lock is held.
func (vp *Vnode) DirtyBufs() *Buf { return vp.dirtyblk.first }

// HasDirtyBufs reports whether buffers of vp wait to be written.
//
// Preconditions: the interlock is held.
func (vp *Vnode) HasDirtyBufs() bool { return vp.dirtyblk.first != nil }

// KernelState describes the buffer.
//
//netbsd:sys/kern/vfs_subr.c vfs_buf_print
func (bp *Buf) KernelState() string {
	s := fmt.Sprintf("buffer block %d bufsize %d flags %#x cflags %#x oflags %#x", bp.Lblkno, bp.Bufsize, bp.Flags, bp.Cflags, bp.Oflags)
	if bp.Vp != nil {
		s += " of " + bp.Vp.KernelState()
	}
	return s
}

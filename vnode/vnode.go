package vnode

import (
	"fmt"
	"sync/atomic"

	"rumpvfs/kern"
	"rumpvfs/uvm"
)

// Vtype is the type of a vnode.
type Vtype uint8

const (
	VNON Vtype = iota
	VREG
	VDIR
	VBLK
	VCHR
	VLNK
	VSOCK
	VFIFO
	VBAD // dead
)

var vtypeNames = [...]string{"VNON", "VREG", "VDIR", "VBLK", "VCHR", "VLNK", "VSOCK", "VFIFO", "VBAD"}

func (t Vtype) String() string { return vtypeNames[t] }

// Vtag says which file system a vnode's data belongs to; for display only.
type Vtag uint8

const (
	VT_NON Vtag = iota
	VT_VFS
	VT_TMPFS
	VT_RUMP
)

// Flags locked by the vnode lock, or stable.
const (
	VV_ROOT      = 0x00000001 // root of its file system
	VV_SYSTEM    = 0x00000002 // used by the kernel
	VV_ISTTY     = 0x00000004 // represents a terminal
	VV_MAPPED    = 0x00000008 // might have user mappings
	VV_MPSAFE    = 0x00000010 // file system code takes no big lock
	VV_LOCKSWORK = 0x00000020 // the file system follows the locking discipline
)

// Flags locked by the interlock. [Vnode.Iflag] shows them all.
const (
	VI_TEXT       = 0x00000100
	VI_EXECMAP    = 0x00000200
	VI_WRMAP      = 0x00000400
	VI_WRMAPDIRTY = 0x00000800 // might have dirty pages
	VI_XLOCK      = 0x00001000 // locked to change type
	VI_ONWORKLST  = 0x00004000 // on the syncer's worklist
	VI_MARKER     = 0x00008000 // a marker in a list, not a vnode
	VI_LAYER      = 0x00020000
	VI_LOCKSHARE  = 0x00040000 // the interlock is shared with another vnode
	VI_CLEAN      = 0x00080000 // has been reclaimed
	VI_CHANGING   = 0x00100000 // changes state
)

// viGate are the VI_ flags that live in the reference count's word rather
// than in iflag; see vfs_vnode.go.
const viGate = VI_XLOCK | VI_CLEAN | VI_CHANGING

// Vnode lock flags.
const (
	LK_SHARED    = 0x00000001
	LK_EXCLUSIVE = 0x00000002
	LK_NOWAIT    = 0x00000010
	LK_RETRY     = 0x00020000 // lock it even if it is dead
)

// Flags for the I/O operations; the lowest bits are the access-pattern advice.
const (
	IO_ADV_MASK      = 0x00003
	IO_UNIT          = 0x00010
	IO_APPEND        = 0x00020
	IO_SYNC          = 0x40 | IO_DSYNC
	IO_NODELOCKED    = 0x00080
	IO_NDELAY        = 0x00100
	IO_DSYNC         = 0x00200
	IO_ALTSEMANTICS  = 0x00400
	IO_NORMAL        = 0x00800
	IO_EXT           = 0x01000
	IO_DIRECT        = 0x02000
	IO_JOURNALLOCKED = 0x04000
)

// Access modes.
const (
	VREAD  = 04
	VWRITE = 02
	VEXEC  = 01
)

// Flags of vflush, vinvalbuf, revoke and fsync.
const (
	SKIPSYSTEM     = 0x0001
	FORCECLOSE     = 0x0002
	WRITECLOSE     = 0x0004
	V_SAVE         = 0x0001
	REVOKEALL      = 0x0001
	FSYNC_WAIT     = 0x0001
	FSYNC_DATAONLY = 0x0002
	FSYNC_RECLAIM  = 0x0004
	FSYNC_LAZY     = 0x0008
	FSYNC_NOLOG    = 0x0010
	FSYNC_CACHE    = 0x0100
)

// VSIZENOTSET is a size that is not known or not to be changed.
const VSIZENOTSET = int64(-1)

// Vnode is the kernel's object for a file in use. File systems hang their
// own data off Data. The letters give what guards a field:
//
//	:  stable while a reference is held
//	a  atomic
//	c  the claim on a vnode nobody uses, see vfs_vnode.go
//	f  System.freeLock
//	i  Interlock (the object lock)
//	m  System.mntvnodeLock
//	r  System.releLock
//	s  System.syncerLock
//	v  the vnode lock, VLock
//	w  written under both v and i, read under either
//
// Refs, embedded with the object, is v_usecount and the state of the vnode
// in one word. Nobody outside this package touches it.
type Vnode struct {
	uvm.Object // i: pages; Interlock is v_interlock, Refs v_usecount

	Size      int64 // w: size of the file in bytes
	WriteSize int64 // w: size after the write in progress

	mount       atomic.Pointer[Mount] // a: changed under v and i
	op          atomic.Pointer[Ops]   // a: changed under v and i
	vtype       atomic.Uint32         // a: changed under v and i
	vflag       atomic.Uint32         // a: VV_*, changed under v
	iflag       atomic.Uint32         // a: VI_* but for viGate, changed under i
	writecount  atomic.Int32          // a: references for writing, changed under i
	mountedhere atomic.Pointer[Mount] // a: changed under v
	VLock       kern.RWLock           // the vnode lock

	Data any        // :  the file system's own
	Dev  DeviceNode // :  of VBLK and VCHR
	Tag  Vtag       // :  until the vnode is cleaned

	sys       *System // :  the kernel's vnode layer
	cv        kern.CV // i: waiting for a change of state or for output
	numoutput int     // i: writes in progress
	holdcnt   int     // i: page and buffer references

	freeNext, freePrev *Vnode        // f
	freeList           *freeList     // f: which list, nil for none
	freeAge            uint64        // f: where in the list: unused when inserted
	unused             uint64        // c: when the last reference went
	releNext           *Vnode        // r
	mntNext, mntPrev   *Vnode        // m
	mntList            *mntVnodeList // m: which list, nil for none
	marker             bool          // :  a marker in a list, not a vnode
	cleanblk, dirtyblk bufList       // i: buffers of the cache, with the cache's own lock
	syncSlot           int           // s
	syncNext, syncPrev *Vnode        // s

	Klist    kern.Klist          // i: filters of kevent(2)
	Fifoinfo atomic.Pointer[any] // a: what fifofs has of a fifo that is open; changed under v

	// Nclist are the entries of the name cache that lead to the vnode, and
	// Dnclist those of names in it. Owned by namei and its lock.
	Nclist, Dnclist *Namecache

	// Names is the directory's name table, owned by namei; nil for none.
	Names atomic.Pointer[NameTable] // a

	genfs any // :  genfs_node, see SetGenfs

	refs, writers kern.Tally // what a Checkup has found
}

// NameTable is what namei remembers of a directory beside the name cache, for
// walks that take no locks. Both calls come when the change is made, with or
// without the vnode's lock, and must be cheap.
type NameTable interface {
	// NamesChanged says that a name of the directory, or its "..", may
	// mean something else now.
	NamesChanged()
	// AttrsChanged says that who may search the directory may have
	// changed.
	AttrsChanged()
}

// DeviceNode is what specfs attaches to a device vnode.
type DeviceNode interface {
	// Rdev is the device number.
	Rdev() kern.Dev
	// Mounted reports whether a file system is mounted on the block device.
	Mounted() bool
	// Revoke is called by vclean, with vp locked, when others still use it:
	// it closes the device, before vp loses its operations.
	Revoke(l *kern.Lwp, vp *Vnode)
	// Destroy is called when the last trace of the vnode goes.
	Destroy(l *kern.Lwp, vp *Vnode)
}

// Type returns the vnode's type. It stays what it was when the vnode dies.
func (vp *Vnode) Type() Vtype { return Vtype(vp.vtype.Load()) }

// SetType gives a new vnode its type, before anybody else can see it.
func (vp *Vnode) SetType(t Vtype) { vp.vtype.Store(uint32(t)) }

// Mount returns the mount the vnode belongs to; a dead vnode belongs to
// the dead mount, a device without a file system to none.
func (vp *Vnode) Mount() *Mount { return vp.mount.Load() }

// Mountedhere returns what is mounted on this directory, or nil.
func (vp *Vnode) Mountedhere() *Mount { return vp.mountedhere.Load() }

// SetMountedhere covers the directory with mp, or uncovers it.
//
// Preconditions: vp is locked exclusively, or mp's reference to vp is all
// there is.
func (vp *Vnode) SetMountedhere(mp *Mount) { vp.mountedhere.Store(mp) }

// Vflag returns the VV_ flags.
func (vp *Vnode) Vflag() uint32 { return vp.vflag.Load() }

// SetVflag sets VV_ flags. The vnode is locked or not yet visible.
func (vp *Vnode) SetVflag(f uint32) { vp.vflag.Or(f) }

// ClearVflag clears VV_ flags. The vnode is locked.
func (vp *Vnode) ClearVflag(f uint32) { vp.vflag.And(^f) }

// Iflag returns the VI_ flags. They stay as they are while the interlock is
// held; VI_CHANGING may still appear on a vnode that others use.
func (vp *Vnode) Iflag() uint32 {
	f := vp.iflag.Load()
	u := vp.Refs.Load()
	if u&refChanging != 0 {
		f |= VI_CHANGING
	}
	if u&refXlock != 0 {
		f |= VI_XLOCK
	}
	if u&refClean != 0 {
		f |= VI_CLEAN
	}
	if vp.marker {
		f |= VI_MARKER
	}
	return f
}

// SetIflag sets VI_ flags other than those that say the vnode's state.
//
// Preconditions: the interlock is held.
func (vp *Vnode) SetIflag(f uint32) {
	kern.KASSERTOf(f&(viGate|VI_MARKER) == 0, "(f & viGate) == 0", vp)
	vp.iflag.Or(f)
}

// ClearIflag clears VI_ flags other than those that say the vnode's state.
//
// Preconditions: the interlock is held.
func (vp *Vnode) ClearIflag(f uint32) {
	kern.KASSERTOf(f&(viGate|VI_MARKER) == 0, "(f & viGate) == 0", vp)
	vp.iflag.And(^f)
}

// Usecount returns the number of references. Unless it is the caller who
// holds the only one, the answer may be old.
func (vp *Vnode) Usecount() int { return int(vp.Refs.Load() & refCount) }

// Writecount returns how many times the file is open for writing.
func (vp *Vnode) Writecount() int { return int(vp.writecount.Load()) }

// AddWritecount counts an opening for writing (1) or takes it back (-1).
//
// Preconditions: the caller holds a reference. The interlock is not held.
func (vp *Vnode) AddWritecount(l *kern.Lwp, n int) {
	vp.Interlock.Enter(l)
	left := vp.writecount.Add(int32(n))
	kern.KASSERTOf(left >= 0, "vp->v_writecount >= 0", vp)
	vp.Interlock.Exit(l)
}

// System returns the vnode layer of the kernel that vp belongs to.
func (vp *Vnode) System() *System { return vp.sys }

// SetGenfs attaches genfs's part of a node.
func (vp *Vnode) SetGenfs(gp any) { vp.genfs = gp }

// Genfs returns what SetGenfs attached.
func (vp *Vnode) Genfs() any { return vp.genfs }

func (vp *Vnode) ops() *Ops { return vp.op.Load() }

// Ops returns the vnode's operation vector: its file system's, or the dead
// one. Callers other than layers use the front ends.
func (vp *Vnode) Ops() *Ops { return vp.op.Load() }

// locksWork reports whether the file system follows the locking discipline.
func (vp *Vnode) locksWork() bool { return vp.vflag.Load()&VV_LOCKSWORK != 0 }

// Knote tells filters of kevent(2) what has happened to the file: any of NOTE_.
//
// Preconditions: the interlock is not held.
//
//netbsd:sys/sys/vnode.h VN_KNOTE
func (vp *Vnode) Knote(l *kern.Lwp, hint uint32) {
	if vp.Klist.Empty() {
		return
	}
	vp.Interlock.Enter(l)
	vp.Klist.Note(l, hint)
	vp.Interlock.Exit(l)
}

// namesChanged tells the name table that names of the directory may have
// changed.
func (vp *Vnode) namesChanged(*kern.Lwp) {
	if t := vp.Names.Load(); t != nil {
		(*t).NamesChanged()
	}
}

// attrsChanged tells the name table that attributes may have changed.
func (vp *Vnode) attrsChanged(*kern.Lwp) {
	if t := vp.Names.Load(); t != nil {
		(*t).AttrsChanged()
	}
}

// KernelState describes the vnode as vprint does.
//
//netbsd:sys/kern/vfs_subr.c vprint
func (vp *Vnode) KernelState() string {
	return fmt.Sprintf("vnode %v tag %d usecount %d holdcnt %d writecount %d vflag %#x iflag %#x size %d",
		vp.Type(), vp.Tag, vp.Usecount(), vp.holdcnt, vp.Writecount(), vp.Vflag(), vp.Iflag(), vp.Size)
}

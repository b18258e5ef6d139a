package vnode

import "rumpvfs/kern"

// VNOVAL in a field of a Vattr means: not available, or not to be changed.
// Each field compares with the value of its own width.
const (
	VNOVAL      = -1
	VNOVALMode  = ^uint32(0)
	VNOVALID    = ^uint32(0)
	VNOVALFlags = ^uint64(0)
)

// Flags of Vattr.Vaflags.
const (
	VA_UTIMES_NULL = 0x01 // utimes was called with NULL
	VA_EXCLUSIVE   = 0x02 // exclusive create
)

// Vattr is a vnode's attributes: all of them from getattr, those to change
// for setattr, those to begin with for the creating operations.
type Vattr struct {
	Type      Vtype
	Mode      uint32 // permission bits
	Nlink     uint32
	UID, GID  uint32
	Fsid      uint64
	Fileid    uint64
	Size      uint64 // bytes; ^0 is VNOVAL
	Blocksize int64
	Atime     kern.Timespec
	Mtime     kern.Timespec
	Ctime     kern.Timespec
	Birthtime kern.Timespec
	Gen       uint64
	Flags     uint64
	Rdev      kern.Dev
	Bytes     uint64 // of storage held
	Filerev   uint64
	Vaflags   uint32
}

// Null makes va an attribute set that changes nothing.
//
//netbsd:sys/kern/vfs_subr.c vattr_null
func (va *Vattr) Null() {
	none := kern.Timespec{Sec: VNOVAL, Nsec: VNOVAL}
	*va = Vattr{
		Type: VNON, Mode: VNOVALMode, Nlink: VNOVALMode, UID: VNOVALID, GID: VNOVALID,
		Fsid: ^uint64(0), Fileid: ^uint64(0), Size: ^uint64(0), Blocksize: VNOVAL,
		Atime: none, Mtime: none, Ctime: none, Birthtime: none,
		Gen: ^uint64(0), Flags: VNOVALFlags, Rdev: kern.NODEV, Bytes: ^uint64(0), Filerev: ^uint64(0),
	}
}

var iftovt = [16]Vtype{
	VNON, VFIFO, VCHR, VNON, VDIR, VNON, VBLK, VNON,
	VREG, VNON, VLNK, VNON, VSOCK, VNON, VNON, VBAD,
}

var vttoif = [...]uint32{
	0, kern.S_IFREG, kern.S_IFDIR, kern.S_IFBLK, kern.S_IFCHR, kern.S_IFLNK, kern.S_IFSOCK, kern.S_IFIFO, kern.S_IFMT,
}

// IFTOVT converts the type bits of a mode.
func IFTOVT(mode uint32) Vtype { return iftovt[mode&kern.S_IFMT>>12] }

// VTTOIF converts a vnode type to the type bits of a mode.
func VTTOIF(t Vtype) uint32 { return vttoif[t] }

// MAKEIMODE joins type and permissions to a mode.
func MAKEIMODE(t Vtype, mode uint32) uint32 { return VTTOIF(t) | mode }

// DirentType is the d_type of a vnode type.
//
//netbsd:sys/kern/vfs_subr.c vtype2dt
func DirentType(t Vtype) uint8 {
	switch t {
	case VREG:
		return kern.DT_REG
	case VDIR:
		return kern.DT_DIR
	case VBLK:
		return kern.DT_BLK
	case VCHR:
		return kern.DT_CHR
	case VLNK:
		return kern.DT_LNK
	case VSOCK:
		return kern.DT_SOCK
	case VFIFO:
		return kern.DT_FIFO
	}
	return kern.DT_UNKNOWN
}

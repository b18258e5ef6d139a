package vnode

import "rumpvfs/kern"

// The operations of namei.
const (
	LOOKUP = iota
	CREATE
	DELETE
	RENAME
)

// Modifiers of namei, kept in Componentname.Flags.
const (
	LOCKLEAF    = 0x00000004 // return the leaf locked
	LOCKPARENT  = 0x00000008 // return the parent locked
	TRYEMULROOT = 0x00000010 // look below the emulation root first
	NOCACHE     = 0x00000020 // do not leave the name in the cache
	FOLLOW      = 0x00000040 // follow a symlink at the end
	NOFOLLOW    = 0x00000000
	EMULROOTSET = 0x00000080 // the emulation root is set by the caller
	NOCHROOT    = 0x01000000 // an absolute path ignores chroot
	MODMASK     = 0x010000fc
)

// What namei says of the component looked up.
const (
	NOCROSSMOUNT = 0x0000100
	RDONLY       = 0x0000200
	ISDOTDOT     = 0x0002000 // the component is ..
	MAKEENTRY    = 0x0004000 // to be entered into the name cache
	ISLASTCN     = 0x0008000 // the last component of the path
	ISWHITEOUT   = 0x0020000 // a whiteout was found
	DOWHITEOUT   = 0x0040000 // leave a whiteout
	REQUIREDIR   = 0x0080000 // must be a directory
	CREATEDIR    = 0x0200000 // trailing slashes are fine
	INRENAME     = 0x0400000
	INRELOOKUP   = 0x0800000
	PARAMASK     = 0x0eee300
)

// Componentname is the part of a lookup that file systems see.
type Componentname struct {
	Nameiop uint32
	Flags   uint32
	Cred    *kern.Cred
	// Nameptr is the rest of the path from this component on; the
	// component itself is Name().
	Nameptr string
	Namelen int
	// Consume is set by a file system that took more (or fewer) bytes of
	// the path than the component has.
	Consume int
}

// Name returns the component.
func (cnp *Componentname) Name() string { return cnp.Nameptr[:cnp.Namelen] }

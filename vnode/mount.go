package vnode

import (
	"sync/atomic"

	"rumpvfs/kern"
)

// VFSOps is what a file system does for its mounts: the vfsops of the C
// kernel. Embed [BaseVFS] for the defaults.
type VFSOps interface {
	// Name is the type that mount(2) is given.
	Name() string
	// Mount mounts (or with MNT_UPDATE updates) mp at path. data is the
	// file system's own argument, already decoded.
	Mount(l *kern.Lwp, mp *Mount, path string, data any) error
	Start(l *kern.Lwp, mp *Mount, flags int) error
	Unmount(l *kern.Lwp, mp *Mount, mntflags int) error
	// Root returns the root vnode referenced and locked exclusively.
	Root(l *kern.Lwp, mp *Mount) (*Vnode, error)
	Statvfs(l *kern.Lwp, mp *Mount, sbp *kern.Statvfs) error
	Sync(l *kern.Lwp, mp *Mount, waitfor int, cred *kern.Cred) error
	// Vget returns the vnode of a file number referenced and locked.
	Vget(l *kern.Lwp, mp *Mount, ino uint64) (*Vnode, error)
	Fhtovp(l *kern.Lwp, mp *Mount, fid []byte) (*Vnode, error)
	Vptofh(l *kern.Lwp, vp *Vnode) (fid []byte, err error)
	// Mountroot mounts the file system as root at boot.
	Mountroot(l *kern.Lwp, sys *System) error
	RenamelockEnter(l *kern.Lwp, mp *Mount) error
	RenamelockExit(l *kern.Lwp, mp *Mount)
}

// Mount is a mounted file system. The letters give what guards a field:
//
//	:  stable after mounting
//	a  atomic
//	l  System.mountlistLock
//	u  Unmounting
type Mount struct {
	Op      VFSOps
	Covered *Vnode // :  the directory mounted on, referenced; nil for the root
	Syncer  *Vnode // u: the syncer's vnode of this mount
	Data    any    // :  the file system's own

	Unmounting kern.Mutex // no new activity while it is held
	Renamelock kern.Mutex // renames of directories, one at a time
	Updating   kern.Mutex // mount updates, one at a time

	Stat      kern.Statvfs // statistics, the cached part
	FsBshift  int          // :
	DevBshift int          // :
	Trans     any          // fstrans(9) state

	flag  atomic.Uint32 // a: MNT_*
	iflag atomic.Uint32 // a: IMNT_*

	sys        *System
	refcnt     atomic.Int32 // a: references to this structure
	busynest   int          // u: nested vfs_busy
	gen        uint64       // :
	next, prev *Mount       // l: mount list
	vnodes     mntVnodeList // m of Vnode
}

// Flag returns the MNT_ flags.
func (mp *Mount) Flag() uint32 { return mp.flag.Load() }

// SetFlag sets MNT_ flags.
func (mp *Mount) SetFlag(f uint32) { mp.flag.Or(f) }

// ClearFlag clears MNT_ flags.
func (mp *Mount) ClearFlag(f uint32) { mp.flag.And(^f) }

// Iflag returns the IMNT_ flags.
func (mp *Mount) Iflag() uint32 { return mp.iflag.Load() }

// SetIflag sets IMNT_ flags.
func (mp *Mount) SetIflag(f uint32) { mp.iflag.Or(f) }

// ClearIflag clears IMNT_ flags.
func (mp *Mount) ClearIflag(f uint32) { mp.iflag.And(^f) }

// System returns the vnode layer that mp belongs to.
func (mp *Mount) System() *System { return mp.sys }

package rumpfs

import (
	"math/bits"
	"slices"
	"strings"

	"rumpvfs/blkdev"
	"rumpvfs/hypercall"
	"rumpvfs/kern"
	"rumpvfs/vnode"
)

// EtfsType says as what a host file is mapped.
type EtfsType int

const (
	RUMP_ETFS_REG         EtfsType = iota // a regular file
	RUMP_ETFS_BLK                         // a block device
	RUMP_ETFS_CHR                         // the raw device of a block device
	RUMP_ETFS_DIR                         // a directory with the files in it
	RUMP_ETFS_DIR_SUBDIRS                 // a directory with all that is below it
)

// RUMP_ETFS_SIZE_ENDOFF is the size of a window that goes to the end of the host file.
const RUMP_ETFS_SIZE_ENDOFF = ^uint64(0)

func (t EtfsType) isDir() bool    { return t == RUMP_ETFS_DIR || t == RUMP_ETFS_DIR_SUBDIRS }
func (t EtfsType) isDevice() bool { return t == RUMP_ETFS_BLK || t == RUMP_ETFS_CHR }

// vtype is the type of the vnode that stands for a mapping.
//
//netbsd:sys/rump/librump/rumpvfs/rumpfs.c ettype_to_vtype
func (t EtfsType) vtype() vnode.Vtype {
	switch t {
	case RUMP_ETFS_REG:
		return vnode.VREG
	case RUMP_ETFS_BLK:
		return vnode.VBLK
	case RUMP_ETFS_CHR:
		return vnode.VCHR
	case RUMP_ETFS_DIR, RUMP_ETFS_DIR_SUBDIRS:
		return vnode.VDIR
	}
	kern.Panicf("invalid et type: %d", int(t))
	return vnode.VNON
}

// vtypeOfHost is the type of the vnode for a host file of a type.
//
//netbsd:sys/rump/librump/rumpvfs/rumpfs.c hft_to_vtype
func vtypeOfHost(ft hypercall.FileType) vnode.Vtype {
	switch ft {
	case hypercall.FileDir:
		return vnode.VDIR
	case hypercall.FileReg:
		return vnode.VREG
	case hypercall.FileBlk:
		return vnode.VBLK
	case hypercall.FileChr:
		return vnode.VCHR
	}
	return vnode.VNON
}

// An etfs maps a key, the rest of a path from the root directory on, to a file of the host. The letters give what guards a
// field:
//
//	:  stable
//	e  FS.etfsLock
type etfs struct {
	key      string // :  without leading slashes
	prefix   bool   // :  matches what goes on below the key too
	removing bool   // e: somebody is about to take it off the list
	minor    int32  // :  of a device, else -1
	node     *node  // :
}

// window is the part of a host file that is mapped.
type window struct {
	begin, size uint64
	bounded     bool // was asked for, so it does not end with the file
}

// etfsFind returns the newest mapping that a name begins with, or nil. A key that is not one of a directory must be all of the
// name, unless any is good (forceprefix).
//
// Preconditions: etfsLock is held.
//
//netbsd:sys/rump/librump/rumpvfs/rumpfs.c etfs_find
func (fs *FS) etfsFind(l *kern.Lwp, name string, forceprefix bool) *etfs {
	kern.KASSERT(fs.etfsLock.Owned(l), "mutex_owned(&etfs_lock)")
	for _, et := range fs.etfs {
		n := len(et.key)
		if len(name) != n && !et.prefix && !forceprefix || !strings.HasPrefix(name, et.key) {
			continue
		}
		if len(name) == n || name[n] == '/' || fs.quirk(kern.QuirkEtfsKey) {
			return et
		}
	}
	return nil
}

// etfsKey returns a key as it is kept. The error is EINVAL for one that is no absolute path.
func (fs *FS) etfsKey(key string) (string, error) {
	if !strings.HasPrefix(key, "/") {
		return "", kern.EINVAL
	}
	key = strings.TrimLeft(key, "/")
	switch {
	case key == "" && !fs.quirk(kern.QuirkEtfsKey):
		return "", kern.EINVAL
	case len(key) >= kern.MAXPATHLEN && !fs.quirk(kern.QuirkEtfsKeyLong):
		return "", kern.ENAMETOOLONG
	}
	return key, nil
}

// etfsWindow finds out what of a host file of fsize bytes is to be mapped.
//
// Errors: ENOTDIR for a directory's mapping of what is none, EISDIR for a window on a directory, EINVAL for one that does not
// lie within the file.
func (fs *FS) etfsWindow(t EtfsType, ft hypercall.FileType, fsize uint64, w window) (window, error) {
	if t.isDir() {
		switch {
		case ft != hypercall.FileDir:
			return w, kern.ENOTDIR
		case w.begin != 0 || w.size != RUMP_ETFS_SIZE_ENDOFF:
			return w, kern.EISDIR
		}
		return window{size: fsize}, nil
	}
	if w.begin > fsize {
		return w, kern.EINVAL
	}
	w.bounded = w.size != RUMP_ETFS_SIZE_ENDOFF
	if !w.bounded {
		w.size = fsize - w.begin
	}
	end, overflow := bits.Add64(w.begin, w.size, 0)
	if end > fsize || overflow != 0 && !fs.quirk(kern.QuirkEtfsWindow) {
		return w, kern.EINVAL
	}
	return w, nil
}

// EtfsRegister maps the host file hostpath to the path key of the root file system, see [FS.EtfsRegisterWithsize].
//
//netbsd:sys/rump/librump/rumpvfs/rumpfs.c rump_etfs_register
func (fs *FS) EtfsRegister(l *kern.Lwp, key, hostpath string, t EtfsType) error {
	return fs.doregister(l, key, hostpath, t, window{size: RUMP_ETFS_SIZE_ENDOFF})
}

// EtfsRegisterWithsize maps size bytes from begin on of the host file hostpath to the path key of the root file system. The
// mapping shows in no directory, and hides what is there under its name from lookup and creation.
//
// Errors: EINVAL for a key that does not begin with a slash and for a window that does not lie within the file; what the host
// says about the file; ENOTDIR for a directory's mapping of what is none; EISDIR for a window on a directory; EBUSY if there
// are no more devices; ENOMEM; EEXIST if the key is taken. An unknown type is a kernel panic.
//
//netbsd:sys/rump/librump/rumpvfs/rumpfs.c rump_etfs_register_withsize
func (fs *FS) EtfsRegisterWithsize(l *kern.Lwp, key, hostpath string, t EtfsType, begin, size uint64) error {
	return fs.doregister(l, key, hostpath, t, window{begin: begin, size: size})
}

// doregister makes a mapping. A block device that fails to be mapped is given up even if it was mapped before, see
// QuirkEtfsMinor.
//
//netbsd:sys/rump/librump/rumpvfs/rumpfs.c doregister
func (fs *FS) doregister(l *kern.Lwp, key, hostpath string, t EtfsType, w window) error {
	key, err := fs.etfsKey(key)
	if err != nil {
		return err
	}
	fsize, ft, err := fs.hostFileInfo(l, hostpath)
	if err != nil {
		return err
	}
	if w, err = fs.etfsWindow(t, ft, uint64(fsize), w); err != nil {
		return err
	}
	et := &etfs{key: key, prefix: t.isDir(), minor: -1}
	rdev := kern.NODEV
	if t.isDevice() {
		if et.minor, err = fs.registerDevice(l, hostpath, w); err != nil {
			return err
		}
		rdev = kern.Makedev(blkdev.RUMPBLK_DEVMAJOR, et.minor)
	}
	if len(key) >= kern.MAXPATHLEN {
		kern.QuirkEtfsKeyLong.Undefined()
	}
	if et.node = fs.makeprivate(&fs.etfsMem, t.vtype(), defaultMode, rdev, int64(w.size)); et.node == nil {
		fs.deregisterDevice(l, et, hostpath)
		return kern.ENOMEM
	}
	et.node.host = &hostFile{
		path: hostpath, window: w, phones: true, names: t.isDir(), subdirs: t == RUMP_ETFS_DIR_SUBDIRS, readfd: -1, writefd: -1,
	}
	return fs.etfsInsert(l, et)
}

// etfsInsert enters a mapping, or undoes it and answers EEXIST if its key is taken.
func (fs *FS) etfsInsert(l *kern.Lwp, et *etfs) error {
	fs.etfsLock.Enter(l)
	if fs.etfsFind(l, et.key, et.prefix) == nil {
		fs.etfs = slices.Insert(fs.etfs, 0, et)
		fs.etfsLock.Exit(l)
		return nil
	}
	fs.etfsLock.Exit(l)
	fs.deregisterDevice(l, et, et.node.host.path)
	et.node.freeprivate()
	return kern.EEXIST
}

// registerDevice makes the device of a mapping. Without QuirkEtfsMinor there is none with another window.
func (fs *FS) registerDevice(l *kern.Lwp, hostpath string, w window) (minor int32, err error) {
	if !fs.quirk(kern.QuirkEtfsMinor) {
		fs.etfsLock.Enter(l)
		other := fs.etfsDevice(hostpath, nil)
		fs.etfsLock.Exit(l)
		if other != nil && (other.node.host.begin != w.begin || other.node.host.size != w.size) {
			return 0, kern.EBUSY
		}
	}
	return fs.blk.Register(l, hostpath, int64(w.begin), int64(w.size))
}

// deregisterDevice gives the device of a mapping up, if it is one's. Without QuirkEtfsMinor it stays while another mapping
// needs it.
func (fs *FS) deregisterDevice(l *kern.Lwp, et *etfs, hostpath string) error {
	if et.minor == -1 {
		return nil
	}
	if !fs.quirk(kern.QuirkEtfsMinor) {
		fs.etfsLock.Enter(l)
		other := fs.etfsDevice(hostpath, et)
		fs.etfsLock.Exit(l)
		if other != nil {
			return nil
		}
	}
	return fs.blk.Deregister(l, hostpath)
}

// etfsDevice returns a mapping of a host file to a device other than but, or nil.
//
// Preconditions: etfsLock is held.
func (fs *FS) etfsDevice(hostpath string, but *etfs) *etfs {
	for _, et := range fs.etfs {
		if et != but && et.minor != -1 && et.node.host.path == hostpath {
			return et
		}
	}
	return nil
}

// EtfsRemove ends the mapping of a key: ENOENT if there is none, EINVAL if it does not begin with a slash. Whoever has the file
// open has a dead one from then on. Files below a directory's mapping that are open stay as they are.
//
//netbsd:sys/rump/librump/rumpvfs/rumpfs.c rump_etfs_remove
func (fs *FS) EtfsRemove(l *kern.Lwp, key string) error {
	if !strings.HasPrefix(key, "/") {
		return kern.EINVAL
	}
	et := fs.etfsTake(l, strings.TrimLeft(key, "/"))
	if et == nil {
		return kern.ENOENT
	}
	err := fs.deregisterDevice(l, et, et.node.host.path)
	kern.KASSERT(err == nil, "rv == 0")
	fs.etfsLock.Enter(l)
	fs.etfs = slices.DeleteFunc(fs.etfs, func(e *etfs) bool { return e == et })
	fs.etfsLock.Exit(l)
	vp := fs.freeMapped(l, et.node)
	switch {
	case et.minor == -1 && vp != nil:
		vp.Gone(l)
	case et.minor != -1:
		fs.revokeDevice(l, et, vp)
	}
	et.node.freeprivate()
	return nil
}

// etfsTake returns the mapping of a key, which from then on is the caller's to remove, or nil.
func (fs *FS) etfsTake(l *kern.Lwp, key string) *etfs {
	fs.etfsLock.Enter(l)
	defer fs.etfsLock.Exit(l)
	for _, et := range fs.etfs {
		if et.key == key {
			if et.removing {
				return nil
			}
			et.removing = true
			return et
		}
	}
	return nil
}

// freeMapped marks the node of a mapping as gone, so that it gets no vnode any more, and returns the one it has, or nil.
//
// Postconditions: the vnode is referenced.
func (fs *FS) freeMapped(l *kern.Lwp, rn *node) *vnode.Vnode {
	fs.reclock.Enter(l)
	rn.freed.Store(true)
	vp := rn.vp.Load()
	if vp == nil {
		fs.reclock.Exit(l)
		return nil
	}
	vp.Interlock.Enter(l)
	fs.reclock.Exit(l)
	if vp.Get(l, 0) != nil {
		return nil
	}
	return vp
}

// revokeDevice ends the use of the device that et mapped, through whichever vnode. Without QuirkEtfsMinor, while something else
// maps the device only the vnode of the mapping dies.
//
// Preconditions: vp, the vnode of the mapping, is referenced, or nil.
// Postconditions: the reference is given up.
func (fs *FS) revokeDevice(l *kern.Lwp, et *etfs, vp *vnode.Vnode) {
	fs.etfsLock.Enter(l)
	shared := fs.etfsDevice(et.node.host.path, et) != nil && !fs.quirk(kern.QuirkEtfsMinor)
	fs.etfsLock.Exit(l)
	char := !fs.quirk(kern.QuirkEtfsChar)
	if !shared {
		fs.vsys.DevGone(l, blkdev.RUMPBLK_DEVMAJOR, et.minor, et.minor, vnode.VBLK)
		if char {
			fs.vsys.DevGone(l, blkdev.RUMPBLK_DEVMAJOR, et.minor, et.minor, vnode.VCHR)
		}
	}
	switch {
	case vp == nil:
	case shared && (char || et.node.va.Type == vnode.VBLK):
		vp.Gone(l)
	default:
		vp.Rele(l)
	}
}

// etfsDone ends all mappings. No vnode stands for any of them.
func (fs *FS) etfsDone(l *kern.Lwp) {
	for _, et := range fs.etfs {
		if et.minor != -1 {
			_ = fs.blk.Deregister(l, et.node.host.path) // others may have it given up already
		}
		et.node.freeprivate()
	}
	fs.etfs = nil
}

package namei

import (
	"encoding/binary"

	"rumpvfs/kern"
	"rumpvfs/vnode"
)

// In this file "lower" is the directory we come from and "upper" the one
// above it, since we go up.

// A tail is a path written from its end to its beginning, and what is needed
// to find the names in it.
type tail struct {
	buf []byte
	pos int // where the path begins in buf

	va    vnode.Vattr // of the directory whose name is looked for
	uio   kern.Uio
	iov   [1][]byte
	block []byte // of the directory that is read
}

// newTail has room for n bytes, the NUL at the end of the path included.
func newTail(n int) *tail { return &tail{buf: make([]byte, n), pos: n - 1} }

func (t *tail) String() string { return string(t.buf[t.pos : len(t.buf)-1]) }

func (t *tail) slash() {
	t.pos--
	t.buf[t.pos] = '/'
}

// name puts a name in front. ERANGE if there would be no room for a slash
// before it.
func (t *tail) name(name []byte) error {
	if t.pos-len(name) <= 0 {
		return kern.ERANGE
	}
	t.pos -= len(name)
	copy(t.buf[t.pos:], name)
	return nil
}

// Getcwd returns the path of the working directory below the root of the
// process, for a caller with length bytes of room (a NUL is counted): at most
// 4*MAXPATHLEN of them are used. ERANGE if that is not enough, ENOENT if the
// directory, or one above it, has been removed, or if it is not below the root,
// EACCES if a directory on the way may not be read or searched, and what file
// systems return.
//
// Preconditions: l holds no vnode lock.
//
//netbsd:sys/kern/vfs_getcwd.c sys___getcwd
func Getcwd(l *kern.Lwp, length uint64) (string, error) {
	n := int(int32(length)) // an int in the reference
	if n < 2 {
		return "", kern.ERANGE
	}
	n = min(n, 4*kern.MAXPATHLEN)
	t := newTail(n)
	cwdi := cwdinfoOf(l.Proc)
	cwdi.lock.REnter(l)
	// Each directory takes at least two bytes.
	err := getcwdCommon(l, cwdi.Cdir, nil, t, n/2, true)
	cwdi.lock.Exit(l)
	if err != nil {
		return "", err
	}
	return t.String(), nil
}

// PathOf returns the path of the directory vp below the kernel's root, in
// less than MAXPATHLEN bytes (ERANGE); ENOENT if it or one above it was removed.
//
// Preconditions: the caller keeps vp referenced; l holds no vnode lock.
func PathOf(l *kern.Lwp, vp *vnode.Vnode) (string, error) {
	t := newTail(kern.MAXPATHLEN)
	if err := getcwdCommon(l, vp, rootvnode(vp), t, kern.MAXPATHLEN/2, false); err != nil {
		return "", err
	}
	return t.String(), nil
}

// VnIsUnder reports whether the directory lower is rvp or below it; rvp nil
// stands for the root of l's process. With QuirkGetcwdLimit what is 512 levels
// down counts as below.
//
// Preconditions: the caller keeps both referenced; l holds no vnode lock; with
// rvp nil, the process's Cwdinfo does not change.
//
//netbsd:sys/kern/vfs_getcwd.c vn_isunder
func VnIsUnder(l *kern.Lwp, lower, rvp *vnode.Vnode) bool {
	return getcwdCommon(l, lower, rvp, nil, kern.MAXPATHLEN/2, false) == nil
}

// ProcIsUnder reports whether the root directory of p1 is that of l2's
// process or below it.
//
// Preconditions: l2 holds no vnode lock, and neither root changes.
//
//netbsd:sys/kern/vfs_getcwd.c proc_isunder
func ProcIsUnder(l2 *kern.Lwp, p1 *kern.Proc) bool {
	r1, r2 := cwdinfoOf(p1).Rdir, cwdinfoOf(l2.Proc).Rdir
	if r1 == nil || r2 == nil {
		return r2 == nil
	}
	return VnIsUnder(l2, r1, r2)
}

// getcwdCommon goes up from lower to rvp (nil: the root of the process), with
// QuirkGetcwdLimit at most limit directories far, and puts their names in front
// of t, unless that is nil. With access, every directory must let the caller search it, and all
// but the first read it.
//
// Preconditions: the caller keeps lower and rvp referenced; l holds no vnode
// lock.
//
//netbsd:sys/kern/vfs_getcwd.c getcwd_common
func getcwdCommon(l *kern.Lwp, lower, rvp *vnode.Vnode, t *tail, limit int, access bool) error {
	if rvp == nil {
		if rvp = cwdinfoOf(l.Proc).Rdir; rvp == nil {
			rvp = rootvnode(lower)
		}
	}
	rvp.Ref(l)
	lower.Ref(l)
	lockRetry(l, lower)
	lower, err := goUp(l, lower, rvp, t, limit, access)
	if lower != nil {
		lower.Put(l)
	}
	rvp.Rele(l)
	return err
}

// goUp is the loop of getcwdCommon.
//
// Preconditions: lower is referenced and locked exclusively.
// Postconditions: so is the directory returned, unless nil.
func goUp(l *kern.Lwp, lower, rvp *vnode.Vnode, t *tail, limit int, access bool) (*vnode.Vnode, error) {
	if lower == rvp {
		if t != nil {
			t.slash()
		}
		return lower, nil
	}
	var err error
	perms := vnode.VEXEC
	for {
		if access {
			if err = vnode.VOP_ACCESS(l, lower, perms, l.Cred); err != nil {
				return lower, err
			}
			perms = vnode.VEXEC | vnode.VREAD
		}
		if lower, err = leaveMounts(l, lower, rvp); err != nil || lower == rvp && lower.Vflag()&vnode.VV_ROOT != 0 {
			return lower, err
		}
		if lower, err = goUpOne(l, lower, t, access); err != nil {
			return lower, err
		}
		if t != nil {
			t.slash()
		}
		limit--
		if lower == rvp || limit <= 0 && l.K.Quirks.Has(kern.QuirkGetcwdLimit) {
			return lower, nil
		}
	}
}

// goUpOne goes from a directory to the one above it, the short way if the name
// cache knows it. If t is not nil, it puts the name that the directory has
// there in front. searchable says that the caller may search the directory.
//
// Preconditions: lower is referenced and locked exclusively.
// Postconditions: so is the directory returned, unless nil.
func goUpOne(l *kern.Lwp, lower *vnode.Vnode, t *tail, searchable bool) (*vnode.Vnode, error) {
	upper, err := getcwdGetcache(l, lower, t, searchable)
	if upper != nil || err != nil {
		return upper, err
	}
	if lower.Type() != vnode.VDIR {
		return lower, kern.ENOTDIR
	}
	return getcwdScandir(l, lower, t)
}

// getcwdGetcache goes up as the name cache says. Who may not search the
// directory does not learn its parent so, for then the long way fails.
//
// Preconditions: lower is referenced and locked exclusively.
// Postconditions: if both results are nil, the same. Otherwise that is over;
// upper, unless nil, is referenced and locked exclusively.
//
//netbsd:sys/kern/vfs_getcwd.c getcwd_getcache
func getcwdGetcache(l *kern.Lwp, lower *vnode.Vnode, t *tail, searchable bool) (upper *vnode.Vnode, err error) {
	c := cacheOf(lower)
	if c == nil || !searchable && vnode.VOP_ACCESS(l, lower, vnode.VEXEC, l.Cred) != nil {
		return nil, nil
	}
	upper, err = c.revlookup(l, lower, t)
	if upper == nil && err == nil {
		return nil, nil
	}
	lower.Put(l)
	if err != nil {
		return nil, err
	}
	if err = upper.Lock(l, vnode.LK_EXCLUSIVE); err != nil {
		upper.Rele(l)
		return nil, err
	}
	return upper, nil
}

// leaveMounts goes from the root of a mounted file system to the directory
// that it covers, until that is no such root or rvp. ENOENT if nothing is
// covered.
//
// Preconditions: lower is referenced and locked exclusively.
// Postconditions: so is the result, unless nil.
//
//netbsd:sys/kern/vfs_getcwd.c getcwd_common
func leaveMounts(l *kern.Lwp, lower, rvp *vnode.Vnode) (*vnode.Vnode, error) {
	for lower.Vflag()&vnode.VV_ROOT != 0 && lower != rvp {
		covered := lower.Mount().Covered
		if covered == nil {
			return lower, kern.ENOENT
		}
		covered.Ref(l)
		lower.Put(l)
		lockRetry(l, covered)
		lower = covered
	}
	return lower, nil
}

// getcwdScandir goes from a directory to the one above it. If t is not nil,
// it puts the name that the directory has there in front. ENOENT if it has
// none.
//
// Preconditions: lower is referenced and locked exclusively.
// Postconditions: that is over; the upper directory, unless nil, is referenced
// and locked exclusively, on failure too.
//
//netbsd:sys/kern/vfs_getcwd.c getcwd_scandir
func getcwdScandir(l *kern.Lwp, lower *vnode.Vnode, t *tail) (*vnode.Vnode, error) {
	if t != nil {
		if err := vnode.VOP_GETATTR(l, lower, &t.va, l.Cred); err != nil {
			return lower, err
		}
	}
	upper, err := lookupParent(l, lower)
	lower.Put(l)
	if err != nil {
		return nil, err
	}
	if err = upper.Lock(l, vnode.LK_EXCLUSIVE); err != nil {
		upper.Rele(l)
		return nil, err
	}
	if t != nil {
		err = t.scan(l, upper)
	}
	return upper, err
}

// lookupParent asks the file system for the "..".
//
// Preconditions: lower is locked exclusively.
// Postconditions: the result is referenced, not locked.
func lookupParent(l *kern.Lwp, lower *vnode.Vnode) (*vnode.Vnode, error) {
	nd := Acquire(l)
	nd.Init(l, vnode.LOOKUP, vnode.ISLASTCN|vnode.ISDOTDOT|vnode.RDONLY, "")
	nd.Cnd.Nameptr, nd.Cnd.Namelen = "..", 2
	upper, err := vnode.VOP_LOOKUP(l, lower, &nd.Cnd)
	nd.Release(l)
	return upper, err
}

// dirblksiz is how much of a directory is read at once, in bytes, if the file
// system does not say more (UFS_DIRBLKSIZ).
const dirblksiz = 512

// scan reads directory upper for the first name with the file number that va
// has and puts it in front of the path.
//
// Preconditions: upper is referenced and locked exclusively.
//
//netbsd:sys/kern/vfs_getcwd.c getcwd_scandir
func (t *tail) scan(l *kern.Lwp, upper *vnode.Vnode) error {
	if size := max(dirblksiz, t.va.Blocksize); int64(len(t.block)) != size {
		t.block = make([]byte, size)
	}
	var off int64
	for tries := 0; ; {
		t.uio.InitUio(&t.iov, t.block, off, kern.UIO_READ)
		t.uio.System = true
		eof, err := vnode.VOP_READDIR(l, upper, &t.uio, l.Cred, nil)
		switch {
		case err == nil:
			read := t.block[:len(t.block)-int(t.uio.Resid)]
			name, err := findFileno(read, t.va.Fileid)
			if err != nil {
				return err
			}
			if name != nil {
				return t.name(name)
			}
			if len(read) == 0 && t.uio.Offset == off {
				return kern.ENOENT // reading on would never end
			}
			off, tries = t.uio.Offset, 0
		case err == kern.EINVAL && tries < 3:
			// A file system that has forgotten what its offsets
			// meant: once more from the beginning.
			off = 0
			tries++
		default:
			return err
		}
		if eof {
			return kern.ENOENT
		}
	}
}

// Where things are in a directory entry, see [kern.Dirent].
const (
	dirReclen = 8
	dirNamlen = 10
	dirType   = 12
	dirName   = 13
)

// findFileno returns the first name in a block of directory entries that has
// the file number and is not a whiteout; nil if there is none. EINVAL if an
// entry is malformed.
func findFileno(block []byte, fileno uint64) ([]byte, error) {
	for len(block) > 0 {
		if len(block) < dirName {
			return nil, kern.EINVAL
		}
		reclen := int(binary.LittleEndian.Uint16(block[dirReclen:]))
		namlen := int(binary.LittleEndian.Uint16(block[dirNamlen:]))
		if reclen < kern.DirentReclen(0) || reclen > len(block) || dirName+namlen > reclen {
			return nil, kern.EINVAL
		}
		if block[dirType] != kern.DT_WHT && binary.LittleEndian.Uint64(block) == fileno {
			return block[dirName : dirName+namlen], nil
		}
		block = block[reclen:]
	}
	return nil, nil
}

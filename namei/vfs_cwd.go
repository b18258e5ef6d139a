package namei

import (
	"sync/atomic"

	"rumpvfs/hypercall"
	"rumpvfs/kern"
	"rumpvfs/vnode"
)

var cwdiLockClass = hypercall.LockClass{Name: "cwdi_lock", Rank: 200}

// Cwdinfo is where a process, or several that share it, stands in the file
// system: kern.Proc.Cwdi holds one. The letters give what guards a field:
//
//	:  set before a second lwp can see it
//	a  atomic
//	l  lock, which is taken before vnode locks
type Cwdinfo struct {
	Cdir  *vnode.Vnode // l: working directory, referenced
	Rdir  *vnode.Vnode // l: root directory, referenced; nil: the kernel's
	Edir  *vnode.Vnode // l: emulation root, referenced; nil: none
	Magic *MagicLinks  // :  nil: magic strings in symbolic links mean themselves

	cmask  atomic.Uint32 // a: permissions that new files do not get; changes under l
	refcnt atomic.Int32  // a: processes that share it, and passing users
	lock   kern.RWLock
	k      *kern.Kernel // :
	refs   kern.Tally   // uses that a Checkup has found
}

// cwdinfoOf returns p's Cwdinfo.
func cwdinfoOf(p *kern.Proc) *Cwdinfo { return p.Cwdi.(*Cwdinfo) }

// NewCwdinfo makes the Cwdinfo of the first process: the umask is CMASK, and
// there is no directory yet. [Cwdinfo.Chdir] gives it one once there is a root
// file system.
//
//netbsd:sys/kern/vfs_cwd.c cwd_sys_init, cwdi_ctor
func NewCwdinfo(k *kern.Kernel) *Cwdinfo {
	cwdi := &Cwdinfo{k: k}
	cwdi.lock.Init(k.Sys, &cwdiLockClass)
	cwdi.cmask.Store(kern.CMASK)
	cwdi.refcnt.Store(1)
	return cwdi
}

// Copy makes a Cwdinfo with the same contents, for a child process.
//
// Postconditions: it has references of its own to the directories.
//
//netbsd:sys/kern/vfs_cwd.c cwdinit
func (cwdi *Cwdinfo) Copy(l *kern.Lwp) *Cwdinfo {
	n := NewCwdinfo(cwdi.k)
	n.Magic = cwdi.Magic
	cwdi.lock.REnter(l)
	n.Cdir, n.Rdir, n.Edir = cwdi.Cdir, cwdi.Rdir, cwdi.Edir
	for _, vp := range [...]*vnode.Vnode{n.Cdir, n.Rdir, n.Edir} {
		if vp != nil {
			vp.Ref(l)
		}
	}
	n.cmask.Store(cwdi.cmask.Load())
	cwdi.lock.Exit(l)
	return n
}

// Share counts another user, who will end with Free, and returns cwdi.
//
//netbsd:sys/kern/vfs_cwd.c cwdshare
func (cwdi *Cwdinfo) Share() *Cwdinfo {
	cwdi.refcnt.Add(1)
	return cwdi
}

// Free ends one use of cwdi; the last one drops the directories.
//
// Preconditions: l holds no vnode lock.
//
//netbsd:sys/kern/vfs_cwd.c cwdfree
func (cwdi *Cwdinfo) Free(l *kern.Lwp) {
	if cwdi.refcnt.Add(-1) > 0 {
		return
	}
	rele(l, cwdi.Cdir)
	rele(l, cwdi.Rdir)
	rele(l, cwdi.Edir)
	cwdi.lock.Destroy(l)
}

// rele drops a reference that there need not be.
func rele(l *kern.Lwp, vp *vnode.Vnode) {
	if vp != nil {
		vp.Rele(l)
	}
}

// Cwdunshare makes sure that nobody else uses the Cwdinfo of p, copying it if
// need be.
//
// Preconditions: l holds no vnode lock; p is l's process, or has no lwp
// running.
//
//netbsd:sys/kern/vfs_cwd.c cwdunshare
func Cwdunshare(l *kern.Lwp, p *kern.Proc) {
	cwdi := cwdinfoOf(p)
	if cwdi.refcnt.Load() > 1 {
		p.Cwdi = cwdi.Copy(l)
		cwdi.Free(l)
	}
}

// Cwdexec readies the Cwdinfo of p for a new program: it is p's alone and has
// no emulation root. (The reference keeps a pointer to the emulation root that
// it released, for its caller to overwrite.)
//
// Preconditions: those of [Cwdunshare].
//
//netbsd:sys/kern/vfs_cwd.c cwdexec
func Cwdexec(l *kern.Lwp, p *kern.Proc) {
	Cwdunshare(l, p)
	cwdinfoOf(p).SetEdir(l, nil)
}

// Cmask returns the umask.
func (cwdi *Cwdinfo) Cmask() uint32 { return cwdi.cmask.Load() }

// SetCmask sets the umask and returns the old one.
func (cwdi *Cwdinfo) SetCmask(l *kern.Lwp, mask uint32) (old uint32) {
	cwdi.lock.Enter(l)
	old = cwdi.cmask.Swap(mask)
	cwdi.lock.Exit(l)
	return old
}

// SetEdir sets the emulation root, nil for none.
//
// Preconditions: l holds no vnode lock.
// Postconditions: the caller's reference to vp belongs to cwdi.
func (cwdi *Cwdinfo) SetEdir(l *kern.Lwp, vp *vnode.Vnode) {
	cwdi.lock.Enter(l)
	old := cwdi.Edir
	cwdi.Edir = vp
	cwdi.lock.Exit(l)
	rele(l, old)
}

// Chdir makes vp the working directory.
//
// Preconditions: vp is a directory and is not locked; l holds no vnode lock.
// Postconditions: the caller's reference to vp belongs to cwdi.
//
//netbsd:sys/kern/vfs_syscalls.c sys_chdir
func (cwdi *Cwdinfo) Chdir(l *kern.Lwp, vp *vnode.Vnode) {
	cwdi.lock.Enter(l)
	rele(l, cwdi.Cdir)
	cwdi.Cdir = vp
	cwdi.lock.Exit(l)
}

// ChdirUnder is Chdir for a directory that need not be below the root: EPERM
// if there is a root and vp is not below it.
//
// Preconditions: those of Chdir; cwdi is that of l's process.
// Postconditions: the caller's reference to vp belongs to cwdi, or is dropped
// if there is an error.
//
//netbsd:sys/kern/vfs_syscalls.c sys_fchdir
func (cwdi *Cwdinfo) ChdirUnder(l *kern.Lwp, vp *vnode.Vnode) error {
	cwdi.lock.Enter(l)
	defer cwdi.lock.Exit(l)
	if cwdi.Rdir != nil && !VnIsUnder(l, vp, cwdi.Rdir) {
		vp.Rele(l)
		return kern.EPERM
	}
	rele(l, cwdi.Cdir)
	cwdi.Cdir = vp
	return nil
}

// ChangeRoot makes vp the root directory. A working directory that is not
// below it becomes the root too, so that nobody is outside to begin with.
//
// Preconditions: vp is a directory and is not locked; l holds no vnode lock
// and may change the root.
// Postconditions: the caller's reference to vp belongs to cwdi.
//
//netbsd:sys/kern/vfs_syscalls.c change_root
func (cwdi *Cwdinfo) ChangeRoot(l *kern.Lwp, vp *vnode.Vnode) {
	cwdi.lock.Enter(l)
	rele(l, cwdi.Rdir)
	cwdi.Rdir = vp
	if !VnIsUnder(l, cwdi.Cdir, vp) {
		cwdi.Cdir.Rele(l)
		vp.Ref(l)
		cwdi.Cdir = vp
	}
	cwdi.lock.Exit(l)
}

// Replace puts newdp in the place of olddp, which something was mounted on,
// where that is working or root directory, and reports whether it was.
//
// Preconditions: l holds no vnode lock; the caller keeps both referenced.
//
//netbsd:sys/kern/vfs_mount.c mount_checkdirs
func (cwdi *Cwdinfo) Replace(l *kern.Lwp, olddp, newdp *vnode.Vnode) bool {
	n := 0
	cwdi.lock.Enter(l)
	for _, vpp := range [...]**vnode.Vnode{&cwdi.Cdir, &cwdi.Rdir} {
		if *vpp == olddp {
			newdp.Ref(l)
			*vpp = newdp
			n++
		}
	}
	cwdi.lock.Exit(l)
	for range n {
		olddp.Rele(l)
	}
	return n > 0
}

// Dirs returns working and root directory (nil: the kernel's), each with a
// reference for the caller.
func (cwdi *Cwdinfo) Dirs(l *kern.Lwp) (cdir, rdir *vnode.Vnode) {
	cwdi.lock.REnter(l)
	cdir, rdir = cwdi.Cdir, cwdi.Rdir
	cdir.Ref(l)
	if rdir != nil {
		rdir.Ref(l)
	}
	cwdi.lock.Exit(l)
	return cdir, rdir
}

// ChdirLookup walks along path to a directory that the caller may search, for
// chdir and chroot. The errors are those of [Nameidata.Namei], ENOTDIR and
// EACCES.
//
// Preconditions: l holds no vnode lock; path has been through [Copyin].
// Postconditions: the result is referenced and not locked.
//
//netbsd:sys/kern/vfs_syscalls.c chdir_lookup
func ChdirLookup(l *kern.Lwp, path string) (*vnode.Vnode, error) {
	nd := Acquire(l)
	nd.Init(l, vnode.LOOKUP, vnode.FOLLOW|vnode.LOCKLEAF|vnode.TRYEMULROOT, path)
	err := nd.Namei(l)
	vp := nd.Vp
	nd.Release(l)
	if err != nil {
		return nil, err
	}
	if vp.Type() != vnode.VDIR {
		err = kern.ENOTDIR
	} else {
		err = vnode.VOP_ACCESS(l, vp, vnode.VEXEC, l.Cred)
	}
	if err != nil {
		vp.Put(l)
		return nil, err
	}
	vnode.VOP_UNLOCK(l, vp)
	return vp, nil
}

package vfs

import (
	"math"

	"rumpvfs/hypercall"
	"rumpvfs/kern"
	"rumpvfs/vnode"
)

// VnodeOps are the operations of open files that are vnodes.
//
//netbsd:sys/kern/vfs_vnops.c vnops
type VnodeOps struct{}

// Read reads under a shared vnode lock.
//
//netbsd:sys/kern/vfs_vnops.c vn_read
func (VnodeOps) Read(l *kern.Lwp, fp *File, uio *kern.Uio, flags int) error {
	vp := fp.Vnode()
	fp.Touch(l, hypercall.Read)
	fflag := fp.Flag()
	ioflag := int(fp.advice.Load())&vnode.IO_ADV_MASK | commonIoflag(fflag)
	const rsync = kern.FFSYNC | kern.FRSYNC
	if fflag&rsync == rsync {
		ioflag |= vnode.IO_SYNC
	}
	_ = vp.Lock(l, vnode.LK_SHARED|vnode.LK_RETRY)
	if flags&FOF_UPDATE_OFFSET != 0 {
		fp.Touch(l, hypercall.Read)
		uio.Offset = fp.Offset()
	}
	count := uio.Resid
	err := vnode.VOP_READ(l, vp, uio, ioflag, fp.Cred)
	if flags&FOF_UPDATE_OFFSET != 0 {
		fp.advance(l, count-uio.Resid)
	}
	_ = vnode.VOP_UNLOCK(l, vp)
	return err
}

// Write writes under an exclusive vnode lock; appending happens there, so
// two writers do not overwrite each other.
//
//netbsd:sys/kern/vfs_vnops.c vn_write
func (VnodeOps) Write(l *kern.Lwp, fp *File, uio *kern.Uio, flags int) error {
	vp := fp.Vnode()
	fp.Touch(l, hypercall.Read)
	fflag := fp.Flag()
	ioflag := int(fp.advice.Load())&vnode.IO_ADV_MASK | vnode.IO_UNIT | commonIoflag(fflag)
	if vp.Type() == vnode.VREG && fflag&kern.O_APPEND != 0 {
		ioflag |= vnode.IO_APPEND
	}
	mp := vp.Mount() // of a device without a name none
	if fflag&kern.FFSYNC != 0 || mp != nil && mp.Flag()&kern.MNT_SYNCHRONOUS != 0 {
		ioflag |= vnode.IO_SYNC
	} else if fflag&kern.FDSYNC != 0 {
		ioflag |= vnode.IO_DSYNC
	}
	_ = vp.Lock(l, vnode.LK_EXCLUSIVE|vnode.LK_RETRY)
	if flags&FOF_UPDATE_OFFSET != 0 {
		fp.Touch(l, hypercall.Read)
		uio.Offset = fp.Offset()
	}
	count := uio.Resid
	if err := enforceRlimitFsize(vp, uio, ioflag); err != nil {
		_ = vnode.VOP_UNLOCK(l, vp)
		return err
	}
	err := vnode.VOP_WRITE(l, vp, uio, ioflag, fp.Cred)
	switch {
	case flags&FOF_UPDATE_OFFSET == 0:
	case ioflag&vnode.IO_APPEND == 0:
		fp.advance(l, count-uio.Resid)
	case count > 0: // a write of nothing has no effect at all
		fp.Touch(l, hypercall.Write)
		fp.SetOffset(uio.Offset)
	}
	_ = vnode.VOP_UNLOCK(l, vp)
	return err
}

// enforceRlimitFsize refuses with EFBIG to write a regular file beyond
// RLIMIT_FSIZE, which in a rump kernel is the largest offset there is.
//
//netbsd:sys/kern/vfs_vnops.c enforce_rlimit_fsize
func enforceRlimitFsize(vp *vnode.Vnode, uio *kern.Uio, ioflag int) error {
	if vp.Type() != vnode.VREG {
		return nil
	}
	off := uio.Offset
	if ioflag&vnode.IO_APPEND != 0 {
		off = vp.Size
	}
	if uint64(off)+uint64(uio.Resid) > math.MaxInt64 {
		return kern.EFBIG
	}
	return nil
}

// commonIoflag is what an open file's flags mean for reads and writes alike.
func commonIoflag(fflag int32) (ioflag int) {
	if fflag&kern.FNONBLOCK != 0 {
		ioflag |= vnode.IO_NDELAY
	}
	if fflag&kern.FALTIO != 0 {
		ioflag |= vnode.IO_ALTSEMANTICS
	}
	if fflag&kern.FDIRECT != 0 {
		ioflag |= vnode.IO_DIRECT
	}
	return ioflag
}

// Stat stats the vnode.
//
//netbsd:sys/kern/vfs_vnops.c vn_statfile
func (VnodeOps) Stat(l *kern.Lwp, fp *File, sb *kern.Stat) error {
	vp := fp.Vnode()
	_ = vp.Lock(l, vnode.LK_EXCLUSIVE|vnode.LK_RETRY)
	err := Stat(l, vp, sb)
	_ = vnode.VOP_UNLOCK(l, vp)
	return err
}

// Fcntl passes the command to the file system.
//
//netbsd:sys/kern/vfs_vnops.c vn_fcntl
func (VnodeOps) Fcntl(l *kern.Lwp, fp *File, com uint32, data any) error {
	return vnode.VOP_FCNTL(l, fp.Vnode(), com, data, int(fp.Flag()), l.Cred)
}

// Ioctl serves the generic commands on files and directories, and passes
// everything else to the file system. data is an *int32, for FIOGETBMAP an
// *int64; EFAULT for anything else.
//
//netbsd:sys/kern/vfs_vnops.c vn_ioctl
func (VnodeOps) Ioctl(l *kern.Lwp, fp *File, com uint64, data any) error {
	vp := fp.Vnode()
	switch vp.Type() {
	case vnode.VREG, vnode.VDIR:
		if done, err := fileIoctl(l, fp, vp, com, data); done {
			return err
		}
	case vnode.VFIFO, vnode.VCHR, vnode.VBLK:
	default:
		return kern.EPASSTHROUGH
	}
	return vnode.VOP_IOCTL(l, vp, com, data, int(fp.Flag()), l.Cred)
}

// fileIoctl does what can be asked of a file or directory, if com is that.
func fileIoctl(l *kern.Lwp, fp *File, vp *vnode.Vnode, com uint64, data any) (done bool, err error) {
	switch com {
	case kern.FIONREAD:
		n, ok := data.(*int32)
		if !ok {
			return true, kern.EFAULT
		}
		size, err := Size(l, vp)
		if err == nil {
			*n = int32(size - fp.Offset())
		}
		return true, err
	case kern.FIONWRITE, kern.FIONSPACE:
		n, ok := data.(*int32)
		if !ok {
			return true, kern.EFAULT
		}
		*n = 0
		return true, nil
	case kern.FIOGETBMAP, kern.OFIOGETBMAP:
		return true, bmapIoctl(l, vp, data)
	case kern.FIONBIO, kern.FIOASYNC:
		return true, nil
	}
	return false, nil
}

// bmapIoctl replaces a block number of the file with one of the device.
func bmapIoctl(l *kern.Lwp, vp *vnode.Vnode, data any) error {
	var bn int64
	switch p := data.(type) {
	case *int64:
		bn = *p
		defer func() { *p = bn }()
	case *int32:
		bn = int64(*p)
		defer func() { *p = int32(bn) }()
	default:
		return kern.EFAULT
	}
	if bn < 0 {
		return kern.EINVAL
	}
	_, to, _, err := vnode.VOP_BMAP(l, vp, bn)
	if err == nil {
		bn = to
	}
	return err
}

// Poll asks the file system.
//
//netbsd:sys/kern/vfs_vnops.c vn_poll
func (VnodeOps) Poll(l *kern.Lwp, fp *File, events int) (int, error) {
	return vnode.VOP_POLL(l, fp.Vnode(), events)
}

// Close closes the vnode and gives up the file's reference to it.
//
//netbsd:sys/kern/vfs_vnops.c vn_closefile
func (VnodeOps) Close(l *kern.Lwp, fp *File) error {
	return Close(l, fp.Vnode(), fp.Flag(), fp.Cred)
}

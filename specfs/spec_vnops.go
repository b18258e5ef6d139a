package specfs

import (
	"rumpvfs/blkdev"
	"rumpvfs/genfs"
	"rumpvfs/kern"
	"rumpvfs/vnode"
)

// vnodeOps is spec_vnodeop_entries, but for what [System.vector] adds. What
// only makes sense in a directory is a panic to call; attributes belong to the
// file system that a device's name is in, so there are none here.
//
//netbsd:sys/miscfs/specfs/spec_vnops.c spec_vnodeop_entries
var vnodeOps = vnode.Ops{
	Name:     "spec",
	Lookup:   lookup,
	Create:   vnode.AdaptCreate(genfs.Badop),
	Mknod:    vnode.AdaptMknod(genfs.Badop),
	Access:   vnode.AdaptAccess(genfs.Ebadf),
	Getattr:  vnode.AdaptGetattr(genfs.Ebadf),
	Setattr:  vnode.AdaptSetattr(genfs.Ebadf),
	Fcntl:    genfs.Fcntl,
	Kqfilter: kqfilter,
	Revoke:   genfs.Revoke,
	Fsync:    fsync,
	Seek:     seek,
	Remove:   vnode.AdaptRemove(genfs.Badop),
	Link:     vnode.AdaptLink(genfs.Badop),
	Rename:   vnode.AdaptRename(genfs.Badop),
	Mkdir:    vnode.AdaptMkdir(genfs.Badop),
	Rmdir:    vnode.AdaptRmdir(genfs.Badop),
	Symlink:  vnode.AdaptSymlink(genfs.Badop),
	Readdir:  vnode.AdaptReaddir(genfs.Badop),
	Readlink: vnode.AdaptReadlink(genfs.Badop),
	Abortop:  vnode.AdaptAbortop(genfs.Badop),
	Inactive: inactive,
	Reclaim:  reclaim,
	Lock:     genfs.Nolock,
	Unlock:   genfs.Nounlock,
	Islocked: genfs.Noislocked,
	Bmap:     bmap,
	Print:    reclaim,
	Pathconf: pathconf,
	Advlock:  advlock,
	Getpages: genfs.Getpages,
	Putpages: genfs.Putpages,
}

// vector returns the operations of the devices of a kernel.
func (s *System) vector() vnode.Ops {
	ops := vnodeOps
	ops.Open = s.open
	ops.Close = s.close
	ops.Read = s.read
	ops.Write = s.write
	ops.Ioctl = s.ioctl
	ops.Poll = s.poll
	ops.Mmap = s.mmap
	ops.Bwrite = s.cache.VnBwrite
	ops.Strategy = s.strategy
	return ops
}

// lookup fails: a device is no directory.
//
//netbsd:sys/miscfs/specfs/spec_vnops.c spec_lookup
func lookup(*kern.Lwp, *vnode.Vnode, *vnode.Componentname) (*vnode.Vnode, error) {
	return nil, kern.ENOTDIR
}

// open opens the device: ENXIO for one without a driver and on a mount that
// has none, EBUSY for a block device that is open through any vnode.
//
//netbsd:sys/miscfs/specfs/spec_vnops.c spec_open
func (s *System) open(l *kern.Lwp, vp *vnode.Vnode, mode int, _ *kern.Cred) error {
	if mp := vp.Mount(); mp != nil && mp.Flag()&kern.MNT_NODEV != 0 {
		return kern.ENXIO
	}
	n := nodeOf(vp)
	if err := s.countOpen(l, n, vp); err != nil {
		return err
	}
	err := s.settleOpen(l, n, s.driverOpen(l, n, vp, mode))
	if err == nil {
		s.setSize(l, n, vp)
	}
	return err
}

// setSize gives the vnode of a disk the size of its partition. As in the
// reference, what is a disk is asked of the character device of the number.
func (s *System) setSize(l *kern.Lwp, n *node, vp *vnode.Vnode) {
	rdev := n.Rdev()
	char, err := s.devsw.Char(l, rdev)
	if err != nil || char.Type() != blkdev.D_DISK {
		return
	}
	driver := any(char)
	if vp.Type() == vnode.VBLK {
		if driver, err = s.devsw.Block(l, rdev); err != nil {
			return
		}
	}
	if pi, err := blkdev.Part(l, driver, rdev); err == nil {
		vp.SetSize(l, pi.Size())
	}
}

// settleOpen takes back what countOpen counted if the driver has answered with
// an error. Of a revoke in between it makes EBADF: whoever revokes has closed
// the device, and the count is gone.
func (s *System) settleOpen(l *kern.Lwp, n *node, err error) error {
	s.lock.Enter(l)
	defer s.lock.Exit(l)
	switch {
	case n.gone:
		if err == nil {
			err = kern.EBADF
		}
	case err != nil:
		n.opencnt--
		n.dev.opencnt--
		n.dev.bdevvp.Store(nil) // of a character device it always is
	}
	return err
}

// countOpen counts an open before the driver is asked, so that a revoke that
// comes in between finds it. EBADF if there was one already.
func (s *System) countOpen(l *kern.Lwp, n *node, vp *vnode.Vnode) error {
	s.lock.Enter(l)
	defer s.lock.Exit(l)
	if n.gone {
		return kern.EBADF
	}
	if vp.Type() == vnode.VBLK {
		// The buffer cache knows a device by its vnode, so there is
		// but one that may be open.
		if n.dev.opencnt != 0 {
			return kern.EBUSY
		}
		n.dev.bdevvp.Store(vp)
	}
	n.opencnt++
	n.dev.opencnt++
	return nil
}

// driverOpen asks the driver. A character device may sleep there, so it is
// unlocked meanwhile.
func (s *System) driverOpen(l *kern.Lwp, n *node, vp *vnode.Vnode, mode int) error {
	rdev := n.Rdev()
	if vp.Type() == vnode.VBLK {
		d, err := s.devsw.Block(l, rdev)
		if err != nil {
			return err
		}
		return d.Open(l, rdev, mode)
	}
	d, err := s.devsw.Char(l, rdev)
	if err != nil {
		return err
	}
	if d.Type() == blkdev.D_TTY {
		vp.SetVflag(vnode.VV_ISTTY)
	}
	_ = vnode.VOP_UNLOCK(l, vp)
	err = d.Open(l, rdev, mode)
	_ = vp.Lock(l, vnode.LK_EXCLUSIVE|vnode.LK_RETRY)
	return err
}

// close closes the device when the last vnode of it is closed. A driver may
// sleep in that, so the vnode is unlocked meanwhile, unless it is being
// revoked or the caller does not want to wait (FNONBLOCK).
//
//netbsd:sys/miscfs/specfs/spec_vnops.c spec_close
func (s *System) close(l *kern.Lwp, vp *vnode.Vnode, flags int, cred *kern.Cred) error {
	n := nodeOf(vp)
	t := vp.Type()
	vp.Interlock.Enter(l)
	if vp.Dying() {
		flags |= kern.FNONBLOCK
	}
	vp.Interlock.Exit(l)
	if t == vnode.VBLK {
		if err := vp.InvalBuf(l, vnode.V_SAVE, cred); err != nil {
			return err
		}
	}
	s.lock.Enter(l)
	n.opencnt--
	n.dev.opencnt--
	last := n.dev.opencnt == 0
	if t == vnode.VBLK {
		n.dev.bdevvp.Store(nil)
	}
	s.lock.Exit(l)
	if !last {
		return nil
	}
	if flags&kern.FNONBLOCK != 0 {
		return s.driverClose(l, t, n.Rdev(), flags)
	}
	_ = vnode.VOP_UNLOCK(l, vp)
	err := s.driverClose(l, t, n.Rdev(), flags)
	_ = vp.Lock(l, vnode.LK_EXCLUSIVE|vnode.LK_RETRY)
	return err
}

func (s *System) driverClose(l *kern.Lwp, t vnode.Vtype, rdev kern.Dev, flags int) error {
	if t == vnode.VBLK {
		d, err := s.devsw.Block(l, rdev)
		if err != nil {
			return err
		}
		return d.Close(l, rdev, flags)
	}
	d, err := s.devsw.Char(l, rdev)
	if err != nil {
		return err
	}
	return d.Close(l, rdev, flags)
}

// read reads a character device with the vnode unlocked, for it may take
// long, and a block device through the buffer cache, up to its end.
//
// Errors: those of the driver; EINVAL for a negative offset on a block device
// and, as its driver says, beyond its end.
//
//netbsd:sys/miscfs/specfs/spec_vnops.c spec_read
func (s *System) read(l *kern.Lwp, vp *vnode.Vnode, uio *kern.Uio, ioflag int, _ *kern.Cred) error {
	if uio.Resid == 0 {
		return nil
	}
	switch vp.Type() {
	case vnode.VCHR:
		return s.readChar(l, vp, uio, ioflag)
	case vnode.VBLK:
		return s.readBlock(l, vp, uio)
	}
	kern.Panicf("spec_read type: %v", vp)
	return nil
}

func (s *System) readChar(l *kern.Lwp, vp *vnode.Vnode, uio *kern.Uio, ioflag int) error {
	rdev := vp.Dev.Rdev()
	d, err := s.devsw.Char(l, rdev)
	if err != nil {
		return err
	}
	_ = vnode.VOP_UNLOCK(l, vp)
	err = d.Read(l, rdev, uio, ioflag)
	_ = vp.Lock(l, vnode.LK_SHARED|vnode.LK_RETRY)
	return err
}

func (s *System) readBlock(l *kern.Lwp, vp *vnode.Vnode, uio *kern.Uio) error {
	s.assertOpen(vp)
	if uio.Offset < 0 {
		return kern.EINVAL
	}
	bsize := s.blockSize(l, vp)
	for uio.Resid > 0 {
		bn, on, n := blockOf(uio, bsize)
		bp, err := s.cache.Bread(l, vp, bn, bsize)
		if err != nil {
			return err
		}
		n = s.valid(bp, bsize, on, n)
		err = uio.Move(bp.Data[on : on+n])
		s.cache.Brelse(l, bp, 0)
		if err != nil || n == 0 {
			return err
		}
	}
	return nil
}

// write writes to a character device with the vnode unlocked, and to a block
// device through the buffer cache: what ends a block at once, without waiting
// for it, all else when somebody synchronises it.
//
// Errors: those of [System.read].
//
//netbsd:sys/miscfs/specfs/spec_vnops.c spec_write
func (s *System) write(l *kern.Lwp, vp *vnode.Vnode, uio *kern.Uio, ioflag int, _ *kern.Cred) error {
	switch vp.Type() {
	case vnode.VCHR:
		return s.writeChar(l, vp, uio, ioflag)
	case vnode.VBLK:
		return s.writeBlock(l, vp, uio)
	}
	kern.Panicf("spec_write type: %v", vp)
	return nil
}

func (s *System) writeChar(l *kern.Lwp, vp *vnode.Vnode, uio *kern.Uio, ioflag int) error {
	rdev := vp.Dev.Rdev()
	d, err := s.devsw.Char(l, rdev)
	if err != nil {
		return err
	}
	_ = vnode.VOP_UNLOCK(l, vp)
	err = d.Write(l, rdev, uio, ioflag)
	_ = vp.Lock(l, vnode.LK_EXCLUSIVE|vnode.LK_RETRY)
	return err
}

func (s *System) writeBlock(l *kern.Lwp, vp *vnode.Vnode, uio *kern.Uio) error {
	s.assertOpen(vp)
	if uio.Resid == 0 {
		return nil
	}
	if uio.Offset < 0 {
		return kern.EINVAL
	}
	bsize := s.blockSize(l, vp)
	for uio.Resid > 0 {
		n, err := s.writeOne(l, vp, uio, bsize)
		if err != nil || n == 0 {
			return err
		}
	}
	return nil
}

// writeOne writes to one block, which it reads unless all of it is written. n
// is how many bytes of it could be written.
func (s *System) writeOne(l *kern.Lwp, vp *vnode.Vnode, uio *kern.Uio, bsize int) (n int, err error) {
	var bp *vnode.Buf
	tail := s.quirk(kern.QuirkBlkTail)
	bn, on, n := blockOf(uio, bsize)
	if n == bsize && (tail || uio.Offset+int64(bsize) <= vp.Size) {
		bp = s.cache.Getblk(l, vp, bn, bsize)
	} else if bp, err = s.cache.Bread(l, vp, bn, bsize); err != nil {
		return 0, err
	}
	n = s.valid(bp, bsize, on, n)
	err = uio.Move(bp.Data[on : on+n])
	if err != nil || n == 0 && !tail {
		s.cache.Brelse(l, bp, 0)
		return 0, err
	}
	if on+n == bsize {
		return n, s.cache.Bawrite(l, bp)
	}
	s.cache.Bdwrite(l, bp)
	return n, nil
}

// valid returns how many of the n bytes from on on there are in a block. With
// QuirkBlkTail that is just not more than there are in all of it.
func (s *System) valid(bp *vnode.Buf, bsize, on, n int) int {
	if s.quirk(kern.QuirkBlkTail) {
		return min(n, bsize-bp.Resid)
	}
	return min(n, max(bsize-bp.Resid-on, 0))
}

func (s *System) quirk(q kern.Quirk) bool { return s.v.K.Quirks.Has(q) }

// assertOpen asserts that the block device is open through vp.
func (s *System) assertOpen(vp *vnode.Vnode) {
	kern.KASSERTOf(vp == nodeOf(vp).dev.bdevvp.Load(), "vp == vp->v_specnode->sn_dev->sd_bdevvp", vp)
}

// blockSize returns the size in bytes of the blocks that a block device is
// cached in: those of its file system if that is FFS.
func (s *System) blockSize(l *kern.Lwp, vp *vnode.Vnode) int {
	rdev := vp.Dev.Rdev()
	d, err := s.devsw.Block(l, rdev)
	if err != nil {
		return kern.BLKDEV_IOSIZE
	}
	pi, err := blkdev.Part(l, d, rdev)
	if err != nil || pi.Part.Fstype != blkdev.FS_BSDFFS || pi.Part.Frag == 0 || pi.Part.Fsize == 0 {
		return kern.BLKDEV_IOSIZE
	}
	return int(pi.Part.Frag) * int(pi.Part.Fsize)
}

// blockOf returns the block that a transfer comes to next, the offset in it,
// and how many of its bytes are asked for.
func blockOf(uio *kern.Uio, bsize int) (bn int64, on, n int) {
	bscale := int64(bsize >> kern.DEV_BSHIFT)
	bn = kern.Btodb(uio.Offset) &^ (bscale - 1)
	on = int(uio.Offset % int64(bsize))
	return bn, on, int(min(int64(bsize-on), uio.Resid))
}

// rdevOf returns the device of vp, NODEV if it is being revoked.
func rdevOf(l *kern.Lwp, vp *vnode.Vnode) kern.Dev {
	vp.Interlock.Enter(l)
	defer vp.Interlock.Exit(l)
	if vp.Dying() || vp.Dev == nil {
		return kern.NODEV
	}
	return vp.Dev.Rdev()
}

// ioctl passes the command to the driver; ENXIO if the device is being
// revoked.
//
//netbsd:sys/miscfs/specfs/spec_vnops.c spec_ioctl
func (s *System) ioctl(l *kern.Lwp, vp *vnode.Vnode, com uint64, data any, fflag int, _ *kern.Cred) error {
	rdev := rdevOf(l, vp)
	if rdev == kern.NODEV {
		return kern.ENXIO
	}
	if vp.Type() == vnode.VBLK {
		s.assertOpen(vp)
		d, err := s.devsw.Block(l, rdev)
		if err != nil {
			return err
		}
		return d.Ioctl(l, rdev, com, data, fflag)
	}
	d, err := s.devsw.Char(l, rdev)
	if err != nil {
		return err
	}
	return d.Ioctl(l, rdev, com, data, fflag)
}

// poll asks the driver of a character device, POLLERR if it has none or is
// being revoked; all else is always ready.
//
//netbsd:sys/miscfs/specfs/spec_vnops.c spec_poll
func (s *System) poll(l *kern.Lwp, vp *vnode.Vnode, events int) (int, error) {
	rdev := rdevOf(l, vp)
	if rdev == kern.NODEV {
		return kern.POLLERR, nil
	}
	if vp.Type() != vnode.VCHR {
		return genfs.Poll(l, vp, events)
	}
	d, err := s.devsw.Char(l, rdev)
	if err != nil {
		return kern.POLLERR, nil
	}
	return d.Poll(l, rdev, events)
}

// kqfilter is for character devices whose driver supports it; none does.
//
//netbsd:sys/miscfs/specfs/spec_vnops.c spec_kqfilter
func kqfilter(*kern.Lwp, *vnode.Vnode, *kern.Knote) error { return kern.EOPNOTSUPP }

// mmap allows disks to be mapped.
//
//netbsd:sys/miscfs/specfs/spec_vnops.c spec_mmap
func (s *System) mmap(l *kern.Lwp, vp *vnode.Vnode, _ int, _ *kern.Cred) error {
	d, err := s.devsw.Block(l, vp.Dev.Rdev())
	if err != nil || d.Type() != blkdev.D_DISK {
		return kern.EINVAL
	}
	return nil
}

// A Fsyncer is a file system that does more than to write dirty buffers when the
// block device that it is mounted from is synchronised (VFS_FSYNC). EOPNOTSUPP
// stands for no more than that.
type Fsyncer interface {
	Fsync(l *kern.Lwp, mp *vnode.Mount, devvp *vnode.Vnode, flags int) error
}

// fsync writes what is dirty of a block device.
//
//netbsd:sys/miscfs/specfs/spec_vnops.c spec_fsync
func fsync(l *kern.Lwp, vp *vnode.Vnode, _ *kern.Cred, flags int, _, _ int64) error {
	if vp.Type() != vnode.VBLK {
		return nil
	}
	if mp := MountedFS(vp); mp != nil {
		if fs, ok := mp.Op.(Fsyncer); ok {
			if err := fs.Fsync(l, mp, vp, flags); err != kern.EOPNOTSUPP {
				return err
			}
		}
	}
	return vp.FlushBuf(l, flags)
}

// seek allows any offset: the reference does not look at it.
//
//netbsd:sys/miscfs/specfs/spec_vnops.c spec_seek
func seek(*kern.Lwp, *vnode.Vnode, int64, int64, *kern.Cred) error { return nil }

//netbsd:sys/miscfs/specfs/spec_vnops.c spec_inactive
func inactive(l *kern.Lwp, vp *vnode.Vnode) (recycle bool, err error) {
	return false, vnode.VOP_UNLOCK(l, vp)
}

func reclaim(*kern.Lwp, *vnode.Vnode) error { return nil }

// bmap maps each block to itself, with as long a run as a transfer may have.
//
//netbsd:sys/miscfs/specfs/spec_vnops.c spec_bmap
func bmap(_ *kern.Lwp, vp *vnode.Vnode, bn int64) (*vnode.Vnode, int64, int, error) {
	return vp, bn, kern.MAXBSIZE>>kern.DEV_BSHIFT - 1, nil
}

// strategy hands the buffer to the driver.
//
//netbsd:sys/miscfs/specfs/spec_vnops.c spec_strategy
func (s *System) strategy(l *kern.Lwp, vp *vnode.Vnode, bp *vnode.Buf) error {
	s.assertOpen(vp)
	bp.Dev = vp.Dev.Rdev()
	d, err := s.devsw.Block(l, bp.Dev)
	if err != nil {
		bp.Error = err
		bp.Resid = bp.Bcount
		vnode.Biodone(l, bp)
		return nil
	}
	d.Strategy(l, bp)
	return nil
}

// pathconf tells the limits that make sense for devices.
//
//netbsd:sys/miscfs/specfs/spec_vnops.c spec_pathconf
func pathconf(_ *kern.Lwp, _ *vnode.Vnode, name int) (int64, error) {
	switch name {
	case kern.PC_LINK_MAX:
		return kern.LINK_MAX, nil
	case kern.PC_MAX_CANON:
		return kern.MAX_CANON, nil
	case kern.PC_MAX_INPUT:
		return kern.MAX_INPUT, nil
	case kern.PC_PIPE_BUF:
		return kern.PIPE_BUF, nil
	case kern.PC_CHOWN_RESTRICTED, kern.PC_SYNC_IO:
		return 1, nil
	case kern.PC_VDISABLE:
		return kern.POSIX_VDISABLE, nil
	}
	return 0, kern.EINVAL
}

// advlock locks the device, whichever of its vnodes is used. A device has no
// size to lock from the end of.
//
//netbsd:sys/miscfs/specfs/spec_vnops.c spec_advlock
func advlock(l *kern.Lwp, vp *vnode.Vnode, id any, op int, fl *kern.Flock, flags int) error {
	return nodeOf(vp).dev.lockf.Advlock(l, vp, id, op, fl, flags, 0)
}

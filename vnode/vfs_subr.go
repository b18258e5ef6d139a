package vnode

import (
	"rumpvfs/kern"
	"rumpvfs/uvm"
)

// InvalBuf throws away what memory holds of the file, pages and buffers. With
// V_SAVE it is written first, and the errors are those of writing.
//
// Preconditions: vp is locked exclusively, so that nothing new gets dirty.
//
//netbsd:sys/kern/vfs_subr.c vinvalbuf
func (vp *Vnode) InvalBuf(l *kern.Lwp, flags int, cred *kern.Cred) error {
	put := uvm.PGO_ALLPAGES | uvm.PGO_FREE | uvm.PGO_SYNCIO
	if flags&V_SAVE != 0 {
		put |= uvm.PGO_CLEANIT | uvm.PGO_RECLAIM
	}
	vp.Interlock.Enter(l)
	if err := VOP_PUTPAGES(l, vp, 0, 0, put); err != nil {
		return err
	}
	if flags&V_SAVE != 0 {
		if err := VOP_FSYNC(l, vp, cred, FSYNC_WAIT|FSYNC_RECLAIM, 0, 0); err != nil {
			return err
		}
		dirty, _ := vp.hasBufs(l)
		kern.KASSERTOf(!dirty, "LIST_EMPTY(&vp->v_dirtyblkhd)", vp)
	}
	if dirty, clean := vp.hasBufs(l); !dirty && !clean {
		return nil
	}
	if err := vp.sys.Cache.InvalBufs(l, vp); err != nil {
		return err
	}
	if dirty, clean := vp.hasBufs(l); dirty || clean {
		kern.Panicf("vinvalbuf: flush failed, vp %v", vp)
	}
	return nil
}

// hasBufs reports whether the cache holds buffers of vp.
func (vp *Vnode) hasBufs(l *kern.Lwp) (dirty, clean bool) {
	vp.Interlock.Enter(l)
	defer vp.Interlock.Exit(l)
	return vp.dirtyblk.first != nil, vp.cleanblk.first != nil
}

// TruncBuf throws away the pages and buffers of the file from block lbn on.
// What is dirty among them is lost.
//
// Preconditions: vp is locked exclusively.
//
//netbsd:sys/kern/vfs_subr.c vtruncbuf
func (vp *Vnode) TruncBuf(l *kern.Lwp, lbn int64) error {
	off := kern.RoundPage(lbn << vp.Mount().FsBshift)
	vp.Interlock.Enter(l)
	if err := VOP_PUTPAGES(l, vp, off, 0, uvm.PGO_FREE|uvm.PGO_SYNCIO); err != nil {
		return err
	}
	if vp.sys.Cache == nil {
		return nil
	}
	return vp.sys.Cache.TruncBufs(l, vp, lbn)
}

// FlushBuf writes what is dirty of the file. With FSYNC_WAIT it returns when
// that is done; with FSYNC_LAZY there is no hurry.
//
// Preconditions: vp is locked exclusively.
//
//netbsd:sys/kern/vfs_subr.c vflushbuf
func (vp *Vnode) FlushBuf(l *kern.Lwp, flags int) error {
	put := uvm.PGO_CLEANIT | uvm.PGO_ALLPAGES
	if flags&FSYNC_WAIT != 0 {
		put |= uvm.PGO_SYNCIO
	}
	if flags&FSYNC_LAZY != 0 {
		put |= uvm.PGO_LAZY
	}
	vp.Interlock.Enter(l)
	_ = VOP_PUTPAGES(l, vp, 0, 0, put)
	for {
		if vp.sys.Cache != nil {
			vp.sys.Cache.FlushBufs(l, vp)
		}
		if flags&FSYNC_WAIT == 0 {
			return nil
		}
		vp.Interlock.Enter(l)
		vp.Waitoutput(l)
		dirty := vp.HasDirtyBufs()
		vp.Interlock.Exit(l)
		if !dirty {
			return nil
		}
	}
}

// Getvp makes bp, a buffer that belongs to no vnode, one of vp's clean ones.
//
// Preconditions: the buffer cache's lock and the interlock of vp are held; the
// caller owns bp.
//
//netbsd:sys/kern/vfs_subr.c bgetvp, bufinsvn
func (bp *Buf) Getvp(l *kern.Lwp, vp *Vnode) {
	kern.KASSERTOf(bp.Vp == nil, "bp->b_vp == NULL", vp)
	kern.KASSERTOf(bp.Cflags&BC_BUSY != 0, "(bp->b_cflags & BC_BUSY) != 0", vp)
	vp.Hold(l)
	bp.Vp, bp.Objlock, bp.Dev = vp, vp.Interlock, kern.NODEV
	if vp.Dev != nil {
		bp.Dev = vp.Dev.Rdev()
	}
	vp.cleanblk.insert(bp)
}

// Relvp makes bp a buffer that belongs to no vnode.
//
// Preconditions: the buffer cache's lock and the interlock of the vnode are
// held; the caller owns bp.
//
//netbsd:sys/kern/vfs_subr.c brelvp, bufremvn
func (bp *Buf) Relvp(l *kern.Lwp) {
	vp := bp.Vp
	kern.KASSERTOf(bp.Objlock == vp.Interlock, "bp->b_objlock == vp->v_interlock", vp)
	kern.KASSERTOf(bp.Cflags&BC_BUSY != 0, "(bp->b_cflags & BC_BUSY) != 0", vp)
	bp.onList.remove(bp)
	vp.syncerForget(l)
	bp.Objlock, bp.Vp = &vp.sys.bufs.objlock, nil
	vp.HoldRele(l)
}

// syncerForget takes vp off the syncer's worklist if it has neither pages nor
// dirty buffers.
//
// Preconditions: the interlock is held.
func (vp *Vnode) syncerForget(l *kern.Lwp) {
	if vp.NPages() == 0 && vp.Iflag()&VI_ONWORKLST != 0 && vp.dirtyblk.first == nil {
		vp.ClearIflag(VI_WRMAPDIRTY)
		vp.SyncerRemoveFromWorklist(l)
	}
}

// Reassign puts bp among the dirty or the clean buffers of its vnode, as
// BO_DELWRI says, and the vnode on the syncer's worklist, or off it.
//
// Preconditions: the buffer cache's lock and the interlock of the vnode are
// held; the caller owns bp.
//
//netbsd:sys/kern/vfs_subr.c reassignbuf
func (bp *Buf) Reassign(l *kern.Lwp) {
	vp := bp.Vp
	kern.KASSERTOf(bp.Objlock == vp.Interlock, "bp->b_objlock == vp->v_interlock", vp)
	kern.KASSERTOf(bp.Cflags&BC_BUSY != 0, "(bp->b_cflags & BC_BUSY) != 0", vp)
	bp.onList.remove(bp)
	if bp.Oflags&BO_DELWRI == 0 {
		vp.syncerForget(l)
		vp.cleanblk.insert(bp)
		return
	}
	mp := vp.Mount()
	if vp.Iflag()&VI_ONWORKLST == 0 && (mp == nil || mp.Flag()&kern.MNT_ASYNC == 0) {
		vp.SyncerAddToWorklist(l, vp.syncDelay())
	}
	vp.dirtyblk.insert(bp)
}

// syncDelay is how many seconds the syncer shall wait until it writes what is
// dirty of vp.
func (vp *Vnode) syncDelay() int {
	switch {
	case vp.Type() == VDIR:
		return Dirdelay
	case vp.Type() == VBLK && vp.Dev.Mounted():
		return Metadelay
	}
	return Filedelay
}

// Bdevvp makes a vnode of a block device that belongs to no file system.
//
// Postconditions: on success the vnode has one reference and is not locked.
//
//netbsd:sys/kern/vfs_subr.c bdevvp
func (sys *System) Bdevvp(l *kern.Lwp, dev kern.Dev) (*Vnode, error) {
	return sys.getdevvp(l, dev, VBLK)
}

// Cdevvp makes a vnode of a character device that belongs to no file system.
//
// Postconditions: on success the vnode has one reference and is not locked.
//
//netbsd:sys/kern/vfs_subr.c cdevvp
func (sys *System) Cdevvp(l *kern.Lwp, dev kern.Dev) (*Vnode, error) {
	return sys.getdevvp(l, dev, VCHR)
}

// getdevvp makes a vnode of a device; of NODEV there is none, nor an error.
//
//netbsd:sys/kern/vfs_subr.c getdevvp
func (sys *System) getdevvp(l *kern.Lwp, dev kern.Dev, t Vtype) (*Vnode, error) {
	if dev == kern.NODEV {
		return nil, nil
	}
	vp, err := sys.GetNewVnode(l, VT_NON, nil, sys.SpecOps, nil)
	if err != nil {
		return nil, err
	}
	vp.SetType(t)
	vp.SetVflag(VV_MPSAFE)
	vp.Size, vp.WriteSize = 0, 0
	sys.Devices.NodeInit(l, vp, dev)
	return vp, nil
}

// FindDev returns a vnode of the device, or nil.
//
// Postconditions: the vnode has one reference more.
//
//netbsd:sys/kern/vfs_subr.c vfinddev
func (sys *System) FindDev(l *kern.Lwp, dev kern.Dev, t Vtype) *Vnode {
	vp, err := sys.Devices.Lookup(l, t, dev)
	if err != nil {
		return nil
	}
	return vp
}

// DevGone revokes all vnodes of the devices with major number major and minor
// numbers first to last.
//
//netbsd:sys/kern/vfs_subr.c vdevgone
func (sys *System) DevGone(l *kern.Lwp, major, first, last int32, t Vtype) {
	for minor := first; minor <= last; minor++ {
		for {
			vp := sys.FindDev(l, kern.Makedev(major, minor), t)
			if vp == nil {
				break
			}
			VOP_REVOKE(l, vp, REVOKEALL)
			vp.Rele(l)
		}
	}
}

// MountedOn tells whether a file system is mounted on a block device: EBUSY,
// or nil. Other vnodes give ENOTBLK.
//
// Preconditions: the caller has a reference.
//
//netbsd:sys/kern/vfs_mount.c vfs_mountedon
func (vp *Vnode) MountedOn(l *kern.Lwp) error {
	if vp.Type() != VBLK {
		return kern.ENOTBLK
	}
	if vp.Dev.Mounted() {
		return kern.EBUSY
	}
	vq := vp.sys.FindDev(l, vp.Dev.Rdev(), VBLK)
	if vq == nil {
		return nil
	}
	mounted := vq.Dev.Mounted()
	vq.Rele(l)
	if mounted {
		return kern.EBUSY
	}
	return nil
}

// CopyStatvfsInfo copies to sbp what is the same for all mounts of a kind to know
// of mp: names, identifiers, owner, flags, transfers.
//
//netbsd:sys/kern/vfs_subr.c copy_statvfs_info
func (mp *Mount) CopyStatvfsInfo(sbp *kern.Statvfs) {
	m := &mp.Stat
	if sbp == m {
		return
	}
	sbp.Fsidx, sbp.Fsid, sbp.Owner, sbp.Flag = m.Fsidx, m.Fsid, m.Owner, m.Flag
	sbp.Syncwrites, sbp.Asyncwrites = m.Syncwrites, m.Asyncwrites
	sbp.Syncreads, sbp.Asyncreads = m.Syncreads, m.Asyncreads
	sbp.Fstypename, sbp.Mntonname, sbp.Mntfromname = m.Fstypename, m.Mntonname, m.Mntfromname
	sbp.Namemax = m.Namemax
}

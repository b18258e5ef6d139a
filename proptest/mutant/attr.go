package mutant

import (
	"rumpvfs/kern"
	"rumpvfs/proptest/call"
	"rumpvfs/vnode"
)

// attributes are bugs about what a file is said to be, and about changing it.
func attributes() []Mutant {
	return []Mutant{
		{Name: "symlink-size-counts-nul", What: "The size of a symbolic link counts the byte that ends its target.",
			Origin: "sys/fs/tmpfs/tmpfs_subr.c 1.96, not in 1.101", vector: symlinkSizeCountsNul},
		{Name: "remove-keeps-nlink", What: "An open file whose name is removed still has a link.",
			Origin: "sys/rump/librump/rumpvfs/rumpfs.c 1.141, not in 1.167", vector: removeKeepsNlink},
		{Name: "rmdir-keeps-nlink", What: "An open directory that is removed still has its links.",
			Origin: "sys/rump/librump/rumpvfs/rumpfs.c 1.141, not in 1.167", vector: rmdirKeepsNlink},
		{Name: "mkdir-parent-nlink", What: "Making a directory does not count as a link of its parent.", vector: mkdirParentNlink},
		{Name: "rmdir-parent-nlink", What: "Removing a directory leaves the link count of its parent.", vector: rmdirParentNlink},
		{Name: "blocks-round-down", What: "The storage of a file is counted in whole blocks, without the last one begun.", vector: blocksRoundDown},
		{Name: "size-to-page", What: "The size of a file that begins on a page and is just short of the next is given as whole.", vector: sizeToPage},
		{Name: "atime-for-mtime", What: "The time of the last change is given as that of the last reading.", vector: atimeForMtime},
		{Name: "flags-low-half", What: "Only the owner's half of the file flags is shown.", vector: flagsLowHalf},
		{Name: "rdev-minor-lost", What: "A device is made without its minor number.", vector: rdevMinorLost},
		{Name: "utimes-usec-lost", What: "utimes sets seconds only.", vector: utimesUsecLost},
		{Name: "utimes-swapped", What: "utimes mistakes the time of reading for that of writing.", vector: utimesSwapped},
		{Name: "utimes-pending-read", What: "A reading before utimes still sets the time of reading after it.",
			Origin: "sys/fs/tmpfs/tmpfs_subr.c 1.101, not in 1.117", vector: utimesPendingRead},
		{Name: "utimes-seconds-alone", What: "A time of -1 seconds is taken for none, its microseconds are not.",
			Origin: "sys/rump/librump/rumpvfs/rumpfs.c 1.141, not in 1.167", vector: utimesSecondsAlone},
		{Name: "utimes-null-owner", What: "Setting the times to the current one takes the owner, whoever else may write.", vector: utimesNullOwner},
		{Name: "chown-keeps-setid", What: "A change of owner leaves the file its set-id bits.", vector: chownKeepsSetid},
		{Name: "chown-uid-sets-gid", What: "Changing the owner alone changes the group to 0.", vector: chownUIDSetsGID},
		{Name: "chmod-drops-setgid", What: "chmod never sets the set-group-id bit.", vector: chmodDropsSetgid},
		{Name: "chmod-sticky-file", What: "A user may set the sticky bit of a file.", vector: chmodStickyFile},
		{Name: "chmod-directory-write", What: "chmod of a directory leaves others the right to write that they had.", vector: chmodDirectoryWrite},
		{Name: "chflags-adds", What: "chflags adds flags, and takes none away.", vector: chflagsAdds},
		{Name: "truncate-negative", What: "A file may be truncated to a negative size, which empties it.",
			Origin: "sys/kern/vfs_syscalls.c 1.482, not in 1.504", sysent: truncateNegative(call.Truncate)},
		{Name: "ftruncate-negative", What: "An open file may be truncated to a negative size, which empties it.",
			Origin: "sys/kern/vfs_syscalls.c 1.482, not in 1.504", sysent: truncateNegative(call.Ftruncate)},
		{Name: "truncate-same-size", What: "Truncating a file to the size that it has leaves the time of its last change.",
			Origin: "sys/fs/tmpfs/tmpfs_subr.c 1.101, not in 1.117", vector: truncateSameSize},
		{Name: "truncate-zero-mtime", What: "Emptying a file leaves the time of its last change.",
			Origin: "sys/rump/librump/rumpvfs/rumpfs.c 1.141, not in 1.167", vector: truncateZeroMtime},
		{Name: "truncate-keeps-setid", What: "A user who truncates a file leaves it its set-id bits.", vector: truncateKeepsSetid},
	}
}

func symlinkSizeCountsNul(v *vector) {
	v.getattr(func(vp *vnode.Vnode, vap *vnode.Vattr) {
		if vp.Type() == vnode.VLNK && vap.Size > 0 {
			vap.Size++
		}
	})
}

// keepsNlink has files seem to have a link when the last one is gone.
func (v *vector) keepsNlink(t vnode.Vtype, links uint32) {
	v.getattr(func(vp *vnode.Vnode, vap *vnode.Vattr) {
		if vap.Nlink == 0 && vp.Type() == t {
			vap.Nlink = links
		}
	})
}

func removeKeepsNlink(v *vector) { v.keepsNlink(vnode.VREG, 1) }

func rmdirKeepsNlink(v *vector) { v.keepsNlink(vnode.VDIR, 2) }

// miscounts has directories seem to have more links than they have.
func (v *vector) miscounts() {
	v.getattr(func(vp *vnode.Vnode, vap *vnode.Vattr) {
		if vap.Nlink > 0 {
			vap.Nlink += uint32(v.count[vap.Fileid])
		}
	})
}

func mkdirParentNlink(v *vector) {
	v.miscounts()
	v.mkdir(func(was making) making {
		return func(l *kern.Lwp, dvp *vnode.Vnode, cnp *vnode.Componentname, vap *vnode.Vattr) (*vnode.Vnode, error) {
			vp, err := was(l, dvp, cnp, vap)
			if err == nil {
				v.add(v.attributes(l, dvp).Fileid, -1)
			}
			return vp, err
		}
	})
}

func rmdirParentNlink(v *vector) {
	v.miscounts()
	v.rmdir(func(was removal) removal {
		return func(l *kern.Lwp, dvp, vp *vnode.Vnode, cnp *vnode.Componentname) error {
			parent := v.attributes(l, dvp).Fileid
			err := was(l, dvp, vp, cnp)
			if err == nil {
				v.add(parent, 1)
			}
			return err
		}
	})
}

func blocksRoundDown(v *vector) {
	v.getattr(func(vp *vnode.Vnode, vap *vnode.Vattr) {
		if vp.Type() == vnode.VREG {
			vap.Bytes = vap.Size &^ (kern.S_BLKSIZE - 1)
		}
	})
}

func sizeToPage(v *vector) {
	v.getattr(func(vp *vnode.Vnode, vap *vnode.Vattr) {
		if vp.Type() == vnode.VREG && vap.Size%kern.PAGE_SIZE == kern.PAGE_SIZE-1 {
			vap.Size++
		}
	})
}

func atimeForMtime(v *vector) {
	v.getattr(func(_ *vnode.Vnode, vap *vnode.Vattr) { vap.Mtime = vap.Atime })
}

func flagsLowHalf(v *vector) {
	v.getattr(func(_ *vnode.Vnode, vap *vnode.Vattr) { vap.Flags &= 0xffff })
}

func rdevMinorLost(v *vector) {
	v.create(func(was making) making {
		return func(l *kern.Lwp, dvp *vnode.Vnode, cnp *vnode.Componentname, vap *vnode.Vattr) (*vnode.Vnode, error) {
			va := *vap
			if va.Rdev != kern.NODEV {
				va.Rdev = kern.Makedev(va.Rdev.Major(), 0)
			}
			return was(l, dvp, cnp, &va)
		}
	})
}

// times has f change times that are to be set.
func (v *vector) times(f func(vap *vnode.Vattr)) {
	v.setattr(func(_ *kern.Lwp, _ *vnode.Vnode, vap *vnode.Vattr) {
		if vap.Atime.Sec != vnode.VNOVAL || vap.Mtime.Sec != vnode.VNOVAL {
			f(vap)
		}
	})
}

func utimesUsecLost(v *vector) {
	v.times(func(vap *vnode.Vattr) { vap.Atime.Nsec, vap.Mtime.Nsec = 0, 0 })
}

func utimesSwapped(v *vector) {
	v.times(func(vap *vnode.Vattr) { vap.Atime, vap.Mtime = vap.Mtime, vap.Atime })
}

func utimesPendingRead(v *vector) {
	v.read(func(l *kern.Lwp, vp *vnode.Vnode, uio *kern.Uio, ioflag int, cred *kern.Cred) error {
		if uio.Resid > 0 {
			v.put(vp, true)
		}
		return v.was.Read(l, vp, uio, ioflag, cred)
	})
	v.around(func(l *kern.Lwp, vp *vnode.Vnode, vap *vnode.Vattr, cred *kern.Cred) error {
		err := v.was.Setattr(l, vp, vap, cred)
		if err == nil && vap.Atime.Sec != vnode.VNOVAL && v.node[vp] == true {
			delete(v.node, vp)
			now := kern.Timespec{Sec: l.K.Sys.Now().Unix()}
			v.set(l, vp, func(va *vnode.Vattr) { va.Atime = now })
		}
		return err
	})
}

func utimesSecondsAlone(v *vector) {
	v.around(func(l *kern.Lwp, vp *vnode.Vnode, vap *vnode.Vattr, cred *kern.Cred) error {
		va := *vap
		old := v.attributes(l, vp)
		if va.Atime.Sec == vnode.VNOVAL && va.Atime.Nsec != vnode.VNOVAL {
			va.Atime.Sec = old.Atime.Sec
		}
		if va.Mtime.Sec == vnode.VNOVAL && va.Mtime.Nsec != vnode.VNOVAL {
			va.Mtime.Sec = old.Mtime.Sec
		}
		return v.was.Setattr(l, vp, &va, cred)
	})
}

func utimesNullOwner(v *vector) {
	v.setattr(func(_ *kern.Lwp, _ *vnode.Vnode, vap *vnode.Vattr) { vap.Vaflags &^= vnode.VA_UTIMES_NULL })
}

func chownKeepsSetid(v *vector) {
	v.setattr(func(_ *kern.Lwp, _ *vnode.Vnode, vap *vnode.Vattr) {
		if vap.UID != vnode.VNOVALID || vap.GID != vnode.VNOVALID {
			vap.Mode = vnode.VNOVALMode
		}
	})
}

func chownUIDSetsGID(v *vector) {
	v.setattr(func(_ *kern.Lwp, _ *vnode.Vnode, vap *vnode.Vattr) {
		if vap.UID != vnode.VNOVALID && vap.GID == vnode.VNOVALID {
			vap.GID = 0
		}
	})
}

// mode has f change a mode that is to be set.
func (v *vector) mode(f func(vp *vnode.Vnode, mode, old uint32) uint32) {
	v.setattr(func(l *kern.Lwp, vp *vnode.Vnode, vap *vnode.Vattr) {
		if vap.Mode != vnode.VNOVALMode {
			vap.Mode = f(vp, vap.Mode, v.attributes(l, vp).Mode)
		}
	})
}

func chmodDropsSetgid(v *vector) {
	v.mode(func(_ *vnode.Vnode, mode, _ uint32) uint32 { return mode &^ kern.S_ISGID })
}

func chmodStickyFile(v *vector) {
	v.around(func(l *kern.Lwp, vp *vnode.Vnode, vap *vnode.Vattr, cred *kern.Cred) error {
		if err := v.was.Setattr(l, vp, vap, cred); err != kern.EFTYPE {
			return err
		}
		v.set(l, vp, func(va *vnode.Vattr) { va.Mode = vap.Mode })
		return nil
	})
}

func chmodDirectoryWrite(v *vector) {
	v.mode(func(vp *vnode.Vnode, mode, old uint32) uint32 {
		if vp.Type() == vnode.VDIR {
			mode |= old & 0o002
		}
		return mode
	})
}

func chflagsAdds(v *vector) {
	v.setattr(func(l *kern.Lwp, vp *vnode.Vnode, vap *vnode.Vattr) {
		if vap.Flags != vnode.VNOVALFlags {
			vap.Flags |= v.attributes(l, vp).Flags
		}
	})
}

// truncateNegative has a call take a negative size for none.
func truncateNegative(op call.Op) func(*memory, do, *call.Call, *call.Result) {
	return func(_ *memory, next do, c *call.Call, r *call.Result) {
		changed := *c
		if c.Op == op && c.Size < 0 {
			changed.Size = 0
		}
		next(&changed, r)
	}
}

// resized has f be told when the size of a regular file is set.
func (v *vector) resized(f func(l *kern.Lwp, vp *vnode.Vnode, was vnode.Vattr, size uint64)) {
	v.around(func(l *kern.Lwp, vp *vnode.Vnode, vap *vnode.Vattr, cred *kern.Cred) error {
		old := v.attributes(l, vp)
		err := v.was.Setattr(l, vp, vap, cred)
		if err == nil && vap.Size != ^uint64(0) && vp.Type() == vnode.VREG {
			f(l, vp, old, vap.Size)
		}
		return err
	})
}

// untouched gives a file the time of its last change that it had.
func (v *vector) untouched(l *kern.Lwp, vp *vnode.Vnode, old vnode.Vattr) {
	v.set(l, vp, func(va *vnode.Vattr) { va.Mtime = old.Mtime })
}

func truncateSameSize(v *vector) {
	v.resized(func(l *kern.Lwp, vp *vnode.Vnode, old vnode.Vattr, size uint64) {
		if size == old.Size {
			v.untouched(l, vp, old)
		}
	})
}

func truncateZeroMtime(v *vector) {
	v.resized(func(l *kern.Lwp, vp *vnode.Vnode, old vnode.Vattr, size uint64) {
		if size == 0 {
			v.untouched(l, vp, old)
		}
	})
}

func truncateKeepsSetid(v *vector) {
	v.resized(func(l *kern.Lwp, vp *vnode.Vnode, old vnode.Vattr, _ uint64) {
		v.set(l, vp, func(va *vnode.Vattr) { va.Mode = old.Mode })
	})
}

package mutant

import (
	"rumpvfs/kern"
	"rumpvfs/vnode"
)

// mishandled are bugs that show when a file system fails: an error that is swallowed or taken for another, what had been done and
// stays, and what is not given back on the way out.
func mishandled() []Mutant {
	list := []Mutant{
		{Name: "fault-create-leak", What: "A file that cannot be made keeps a reference to its directory.", Oracle: Audit,
			Origin: "sys/rump/librump/rumpvfs/rumpfs.c 1.129, not in 1.130 (doc/CHANGES-7.0, ticket 51)", vector: faultCreateLeak},
		{Name: "fault-mkdir-leak", What: "A directory that cannot be made keeps a reference to its parent.", Oracle: Audit,
			Origin: "sys/rump/librump/rumpvfs/rumpfs.c 1.129, not in 1.141 (freeprivate)", vector: faultMkdirLeak},
		{Name: "fault-symlink-leak", What: "A symbolic link that cannot be made keeps a reference to its directory.", Oracle: Audit,
			Origin: "sys/rump/librump/rumpvfs/rumpfs.c 1.129, not in 1.141 (freeprivate)", vector: faultSymlinkLeak},
		{Name: "fault-mknod-put", What: "A device that cannot be made gives up its directory, which is its caller's.", Oracle: Contract,
			Origin: "sys/fs/tmpfs/tmpfs_vnops.c 1.118, not in 1.127", vector: faultMknodPut},
		{Name: "fault-lookup-leak", What: "A lookup that fails keeps a reference to the directory.", Oracle: Audit,
			Origin: "sys/kern/vfs_getcwd.c 1.50, not in 1.63", vector: faultLookupLeak},
		{Name: "fault-lookup-absent", What: "A lookup that fails answers that the name is not there.", vector: faultLookupAbsent},
		{Name: "fault-lookup-create", What: "A lookup that fails answers that the name may be made.", vector: faultLookupCreate},
		{Name: "fault-access-granted", What: "Access that cannot be checked is granted.", vector: faultAccessGranted},
		{Name: "fault-getattr-zeros", What: "Attributes that cannot be had are zeros.", vector: faultGetattrZeros},
		{Name: "fault-setattr-swallowed", What: "Attributes that cannot be changed are said to be.",
			Origin: "sys/miscfs/umapfs/umap_vfsops.c 1.93, not in 1.94 (doc/CHANGES-7.0, ticket 43)", vector: faultSetattrSwallowed},
		{Name: "fault-setattr-stays", What: "Attributes change although that fails.", vector: faultSetattrStays},
		{Name: "fault-open-swallowed", What: "A file that cannot be opened is open.", vector: faultOpenSwallowed},
		{Name: "fault-read-swallowed", What: "A reading that fails is at the end of the file.", vector: faultReadSwallowed},
		{Name: "fault-read-counts", What: "A reading that fails says that it has read.", vector: faultReadCounts},
		{Name: "fault-write-swallowed", What: "A write that fails has written nothing.", vector: faultWriteSwallowed},
		{Name: "fault-write-grows", What: "A write that fails leaves the file as long as it would be.", vector: faultWriteGrows},
		{Name: "fault-write-setid", What: "A write that fails takes the set-id bits away.", vector: faultWriteSetid},
		{Name: "fault-fsync-swallowed", What: "Data that cannot be written to the disk are said to be there.", vector: faultFsyncSwallowed},
		{Name: "fault-readdir-end", What: "A directory that cannot be read is at its end.", vector: faultReaddirEnd},
		{Name: "fault-readdir-rewinds", What: "Where a directory cannot be read, the next reading begins anew.", vector: faultReaddirRewinds},
		{Name: "fault-remove-stays", What: "A name goes although removing it fails.", vector: faultRemoveStays},
		{Name: "fault-remove-leak", What: "A file that cannot be removed keeps a reference.", Oracle: Audit, vector: faultRemoveLeak},
		{Name: "fault-rmdir-locked", What: "A directory that cannot be removed stays locked.", Oracle: Contract,
			Origin: "sys/miscfs/procfs/procfs_map.c 1.42, not in 1.43 (PR kern/48048)", vector: faultRmdirLocked},
		{Name: "fault-mkdir-stays", What: "A directory is there although making it fails.", vector: faultMkdirStays},
		{Name: "fault-readlink-empty", What: "A symbolic link that cannot be read leads nowhere.", vector: faultReadlinkEmpty},
		{Name: "fault-whiteout-swallowed", What: "A whiteout that cannot be taken away is said to be gone.", vector: faultWhiteoutSwallowed},
	}
	for i := range list {
		list[i].Kind = Fault
	}
	return list
}

// leaking keeps a reference to the directory where a file cannot be made.
func leaking(was making) making {
	return func(l *kern.Lwp, dvp *vnode.Vnode, cnp *vnode.Componentname, vap *vnode.Vattr) (*vnode.Vnode, error) {
		vp, err := was(l, dvp, cnp, vap)
		if err == kern.EIO {
			dvp.Ref(l)
		}
		return vp, err
	}
}

func faultCreateLeak(v *vector) { v.Ops.Create = leaking(v.was.Create) }

func faultMkdirLeak(v *vector) { v.mkdir(leaking) }

func faultSymlinkLeak(v *vector) {
	v.symlink(func(l *kern.Lwp, dvp *vnode.Vnode, cnp *vnode.Componentname, vap *vnode.Vattr, target string) (*vnode.Vnode, error) {
		vp, err := v.was.Symlink(l, dvp, cnp, vap, target)
		if err == kern.EIO {
			dvp.Ref(l)
		}
		return vp, err
	})
}

func faultMknodPut(v *vector) {
	v.Ops.Mknod = func(l *kern.Lwp, dvp *vnode.Vnode, cnp *vnode.Componentname, vap *vnode.Vattr) (*vnode.Vnode, error) {
		vp, err := v.was.Mknod(l, dvp, cnp, vap)
		if err == kern.EIO {
			dvp.Put(l)
		}
		return vp, err
	}
}

// lookupFails has f answer lookups that fail.
func (v *vector) lookupFails(f func(l *kern.Lwp, dvp *vnode.Vnode, cnp *vnode.Componentname) error) {
	v.lookup(func(l *kern.Lwp, dvp, vp *vnode.Vnode, cnp *vnode.Componentname, err error) (*vnode.Vnode, error) {
		if err == kern.EIO {
			err = f(l, dvp, cnp)
		}
		return vp, err
	})
}

func faultLookupLeak(v *vector) {
	v.lookupFails(func(l *kern.Lwp, dvp *vnode.Vnode, _ *vnode.Componentname) error {
		dvp.Ref(l)
		return kern.EIO
	})
}

func faultLookupAbsent(v *vector) {
	v.lookupFails(func(*kern.Lwp, *vnode.Vnode, *vnode.Componentname) error { return kern.ENOENT })
}

func faultLookupCreate(v *vector) {
	v.lookupFails(func(_ *kern.Lwp, _ *vnode.Vnode, cnp *vnode.Componentname) error {
		if cnp.Nameiop == vnode.CREATE && cnp.Flags&vnode.ISLASTCN != 0 {
			return kern.EJUSTRETURN
		}
		return kern.EIO
	})
}

func faultAccessGranted(v *vector) {
	v.access(func(_ *kern.Lwp, _ *vnode.Vnode, _ int, _ *kern.Cred, err error) error { return swallowed(err) })
}

// swallowed is an error, but for that of a file system that fails.
func swallowed(err error) error {
	if err == kern.EIO {
		return nil
	}
	return err
}

func faultGetattrZeros(v *vector) {
	v.Ops.Getattr = func(l *kern.Lwp, vp *vnode.Vnode, vap *vnode.Vattr, cred *kern.Cred) error {
		err := v.was.Getattr(l, vp, vap, cred)
		if err == kern.EIO {
			*vap, err = vnode.Vattr{Type: vp.Type()}, nil
		}
		return err
	}
}

func faultSetattrSwallowed(v *vector) {
	v.around(func(l *kern.Lwp, vp *vnode.Vnode, vap *vnode.Vattr, cred *kern.Cred) error {
		return swallowed(v.was.Setattr(l, vp, vap, cred))
	})
}

func faultSetattrStays(v *vector) {
	v.around(func(l *kern.Lwp, vp *vnode.Vnode, vap *vnode.Vattr, cred *kern.Cred) error {
		err := v.was.Setattr(l, vp, vap, cred)
		if err == kern.EIO {
			_ = v.was.Setattr(l, vp, vap, cred)
		}
		return err
	})
}

func faultOpenSwallowed(v *vector) {
	v.Ops.Open = func(l *kern.Lwp, vp *vnode.Vnode, mode int, cred *kern.Cred) error {
		return swallowed(v.was.Open(l, vp, mode, cred))
	}
}

func faultReadSwallowed(v *vector) {
	v.read(func(l *kern.Lwp, vp *vnode.Vnode, uio *kern.Uio, ioflag int, cred *kern.Cred) error {
		return swallowed(v.was.Read(l, vp, uio, ioflag, cred))
	})
}

func faultReadCounts(v *vector) {
	v.read(func(l *kern.Lwp, vp *vnode.Vnode, uio *kern.Uio, ioflag int, cred *kern.Cred) error {
		err := v.was.Read(l, vp, uio, ioflag, cred)
		if err == kern.EIO && uio.Resid > 0 && vp.Type() == vnode.VREG {
			return uio.Move([]byte{0})
		}
		return err
	})
}

func faultWriteSwallowed(v *vector) {
	v.write(func(l *kern.Lwp, vp *vnode.Vnode, uio *kern.Uio, ioflag int, cred *kern.Cred) error {
		return swallowed(v.was.Write(l, vp, uio, ioflag, cred))
	})
}

func faultWriteGrows(v *vector) {
	v.write(func(l *kern.Lwp, vp *vnode.Vnode, uio *kern.Uio, ioflag int, cred *kern.Cred) error {
		err := v.was.Write(l, vp, uio, ioflag, cred)
		end := uio.Offset + uio.Resid
		if err == kern.EIO && vp.Type() == vnode.VREG && ioflag&vnode.IO_APPEND == 0 && uio.Offset >= 0 && end > vp.Size {
			v.set(l, vp, func(va *vnode.Vattr) { va.Size = uint64(end) })
		}
		return err
	})
}

func faultWriteSetid(v *vector) {
	v.write(func(l *kern.Lwp, vp *vnode.Vnode, uio *kern.Uio, ioflag int, cred *kern.Cred) error {
		err := v.was.Write(l, vp, uio, ioflag, cred)
		if err == kern.EIO {
			mode := v.attributes(l, vp).Mode
			v.set(l, vp, func(va *vnode.Vattr) { va.Mode = mode &^ (kern.S_ISUID | kern.S_ISGID) })
		}
		return err
	})
}

func faultFsyncSwallowed(v *vector) {
	v.Ops.Fsync = func(l *kern.Lwp, vp *vnode.Vnode, cred *kern.Cred, flags int, lo, hi int64) error {
		return swallowed(v.was.Fsync(l, vp, cred, flags, lo, hi))
	}
}

func faultReaddirEnd(v *vector) {
	v.Ops.Readdir = func(l *kern.Lwp, vp *vnode.Vnode, uio *kern.Uio, cred *kern.Cred, cookies *vnode.Cookies) (bool, error) {
		eof, err := v.was.Readdir(l, vp, uio, cred, cookies)
		return eof || err == kern.EIO, swallowed(err)
	}
}

func faultReaddirRewinds(v *vector) {
	v.Ops.Readdir = func(l *kern.Lwp, vp *vnode.Vnode, uio *kern.Uio, cred *kern.Cred, cookies *vnode.Cookies) (bool, error) {
		if v.node[vp] == true {
			delete(v.node, vp)
			uio.Offset = 0
		}
		eof, err := v.was.Readdir(l, vp, uio, cred, cookies)
		if err == kern.EIO {
			v.put(vp, true)
		}
		return eof, err
	}
}

func faultRemoveStays(v *vector) {
	v.remove(func(was removal) removal {
		return func(l *kern.Lwp, dvp, vp *vnode.Vnode, cnp *vnode.Componentname) error {
			dvp.Ref(l)
			vp.Ref(l)
			err := was(l, dvp, vp, cnp)
			if err != kern.EIO {
				dvp.Rele(l)
				vp.Rele(l)
				return err
			}
			_ = dvp.Lock(l, vnode.LK_EXCLUSIVE|vnode.LK_RETRY)
			_ = vp.Lock(l, vnode.LK_EXCLUSIVE|vnode.LK_RETRY)
			_ = was(l, dvp, vp, cnp)
			return err
		}
	})
}

func faultRemoveLeak(v *vector) {
	v.remove(func(was removal) removal {
		return func(l *kern.Lwp, dvp, vp *vnode.Vnode, cnp *vnode.Componentname) error {
			vp.Ref(l)
			err := was(l, dvp, vp, cnp)
			if err != kern.EIO {
				vp.Rele(l)
			}
			return err
		}
	})
}

func faultRmdirLocked(v *vector) {
	v.rmdir(func(was removal) removal {
		return func(l *kern.Lwp, dvp, vp *vnode.Vnode, cnp *vnode.Componentname) error {
			vp.Ref(l)
			err := was(l, dvp, vp, cnp)
			if err == kern.EIO {
				_ = vp.Lock(l, vnode.LK_EXCLUSIVE|vnode.LK_RETRY)
			}
			vp.Rele(l)
			return err
		}
	})
}

func faultMkdirStays(v *vector) {
	v.mkdir(func(was making) making {
		return func(l *kern.Lwp, dvp *vnode.Vnode, cnp *vnode.Componentname, vap *vnode.Vattr) (*vnode.Vnode, error) {
			vp, err := was(l, dvp, cnp, vap)
			if err != kern.EIO {
				return vp, err
			}
			if vp, again := was(l, dvp, cnp, vap); again == nil {
				vp.Rele(l)
			}
			return nil, err
		}
	})
}

func faultReadlinkEmpty(v *vector) {
	v.Ops.Readlink = func(l *kern.Lwp, vp *vnode.Vnode, uio *kern.Uio, cred *kern.Cred) error {
		return swallowed(v.was.Readlink(l, vp, uio, cred))
	}
}

func faultWhiteoutSwallowed(v *vector) {
	v.whiteout(func(l *kern.Lwp, dvp *vnode.Vnode, cnp *vnode.Componentname, flags int) error {
		return swallowed(v.was.Whiteout(l, dvp, cnp, flags))
	})
}

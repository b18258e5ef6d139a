package mutant

import (
	"rumpvfs/kern"
	"rumpvfs/vnode"
)

// races are bugs that show when lwps meet: a lock that is not held, or not for long enough, taken in the wrong order, or waited
// for in the wrong way; what was looked at before and is believed after.
func races() []Mutant {
	list := []Mutant{
		{Name: "race-create", What: "Making a file lets go of the directory after the name was looked up.", vector: raceCreate},
		{Name: "race-mkdir", What: "Making a directory lets go of its parent after the name was looked up.", vector: raceMkdir},
		{Name: "race-symlink", What: "Making a symbolic link lets go of the directory after the name was looked up.", vector: raceSymlink},
		{Name: "race-remove", What: "Removing a file lets go of the directory after the name was looked up.", Oracle: Contract, vector: raceRemove},
		{Name: "race-rmdir", What: "Removing a directory lets go of its parent after the name was looked up.", Oracle: Contract, vector: raceRmdir},
		{Name: "race-append", What: "O_APPEND looks for the end before it has the file to itself.", vector: raceAppend},
		{Name: "race-write-halves", What: "A write lets go of the file in the middle.", vector: raceWriteHalves},
		{Name: "race-read-halves", What: "A reading lets go of the file in the middle.", vector: raceReadHalves},
		{Name: "race-write-extends", What: "A write makes the file longer, lets it go, and then fills it.", vector: raceWriteExtends},
		{Name: "race-truncate", What: "Truncating a file empties it first, and lets it go before it has its size.", vector: raceTruncate},
		{Name: "race-chmod", What: "chmod sets the bits of the owner first and lets go of the file before the others.", vector: raceChmod},
		{Name: "race-chown", What: "chown sets the user first and lets go of the file before the group.", vector: raceChown},
		{Name: "race-utimes", What: "utimes sets one time first and lets go of the file before the other.",
			Origin: "sys/fs/tmpfs/tmpfs_subr.c 1.101, not in 1.117", vector: raceUtimes},
		{Name: "race-getattr", What: "Attributes are read in two parts, and others change them in between.",
			Origin: "sys/fs/tmpfs/tmpfs_vnops.c 1.127, not in 1.150", vector: raceGetattr},
		{Name: "race-append-only", What: "A write looks whether a file may be overwritten, and writes later.", vector: raceAppendOnly},
		{Name: "race-create-mode", What: "A new file has no permissions until a little later.", vector: raceCreateMode},
		{Name: "race-mkdir-owner", What: "A new directory belongs to the superuser until a little later.", vector: raceMkdirOwner},
		{Name: "race-remove-nlink", What: "A file loses its link a little later than its name.", vector: raceRemoveNlink},
		{Name: "race-parent-nlink", What: "Counting the links of a directory lets it go between reading and writing the count.", vector: raceParentNlink},
		{Name: "race-file-number", What: "File numbers are given out without a lock, and one may be given twice.", vector: raceFileNumber},
		{Name: "cache-negative-name", What: "That a name does not exist is remembered after the directory was let go.", vector: cacheNegativeName},
		{Name: "cache-size", What: "The size of a file is remembered after the file was let go.", vector: cacheSize},
		{Name: "cache-permission", What: "Who may search a directory is remembered after it was let go.", vector: cachePermission},
		{Name: "order-mkdir-up", What: "Making a directory waits for the directory above its parent, which it has locked.", Oracle: Contract,
			Origin: "PR kern/40948 (lock order of directories, tests/fs/vfs/t_renamerace.c)", vector: orderMkdirUp},
		{Name: "order-chmod-up", What: "chmod of a directory waits for the one that it is in.", Oracle: Contract, vector: orderChmodUp},
		{Name: "order-rmdir-up", What: "Removing a directory waits for the one above that it is removed from.", Oracle: Contract, vector: orderRmdirUp},
		{Name: "lock-gives-up", What: "A vnode lock that somebody else has is taken for granted.", Oracle: Contract, vector: lockGivesUp},
		{Name: "lock-shared-instead", What: "A vnode that somebody else has locked is shared, whatever was asked for.", Oracle: Contract, vector: lockSharedInstead},
		{Name: "leak-lookup-retry", What: "A lookup that has to wait for a directory keeps a reference too many.", Oracle: Audit, vector: leakLookupRetry},
		{Name: "leak-create-busy", What: "Making a file in a directory that others wait for keeps a reference to it.", Oracle: Audit, vector: leakCreateBusy},
		{Name: "rename-replaces-late", What: "rename takes the old file away before it gives its name to the new one.", Tmpfs: true,
			Origin: "sys/fs/tmpfs/tmpfs_vnops.c 1.42, not in 1.43", vector: renameReplacesLate},
		{Name: "link-counts-late", What: "link makes the name, lets go of the file, and counts the link later.", Tmpfs: true, vector: linkCountsLate},
	}
	for i := range list {
		list[i].Kind = Concurrent
	}
	return list
}

// window lets go of a vnode that is locked exclusively, so that others may come in.
func window(l *kern.Lwp, vp *vnode.Vnode) {
	_ = vnode.VOP_UNLOCK(l, vp)
	l.Point()
	_ = vp.Lock(l, vnode.LK_EXCLUSIVE|vnode.LK_RETRY)
}

// letting has files be made after the directory was let go.
func letting(was making) making {
	return func(l *kern.Lwp, dvp *vnode.Vnode, cnp *vnode.Componentname, vap *vnode.Vattr) (*vnode.Vnode, error) {
		window(l, dvp)
		return was(l, dvp, cnp, vap)
	}
}

func raceCreate(v *vector) { v.create(letting) }

func raceMkdir(v *vector) { v.mkdir(letting) }

func raceSymlink(v *vector) {
	v.symlink(func(l *kern.Lwp, dvp *vnode.Vnode, cnp *vnode.Componentname, vap *vnode.Vattr, target string) (*vnode.Vnode, error) {
		window(l, dvp)
		return v.was.Symlink(l, dvp, cnp, vap, target)
	})
}

// lettingBoth has a name be taken away after both vnodes were let go.
func lettingBoth(was removal) removal {
	return func(l *kern.Lwp, dvp, vp *vnode.Vnode, cnp *vnode.Componentname) error {
		_ = vnode.VOP_UNLOCK(l, vp)
		window(l, dvp)
		_ = vp.Lock(l, vnode.LK_EXCLUSIVE|vnode.LK_RETRY)
		return was(l, dvp, vp, cnp)
	}
}

func raceRemove(v *vector) { v.remove(lettingBoth) }

func raceRmdir(v *vector) { v.rmdir(lettingBoth) }

func raceAppend(v *vector) {
	v.write(func(l *kern.Lwp, vp *vnode.Vnode, uio *kern.Uio, ioflag int, cred *kern.Cred) error {
		if ioflag&vnode.IO_APPEND != 0 {
			uio.Offset = vp.Size
			window(l, vp)
		}
		return v.was.Write(l, vp, uio, ioflag&^vnode.IO_APPEND, cred)
	})
}

// halves makes a transfer in two parts.
func halves(l *kern.Lwp, vp *vnode.Vnode, uio *kern.Uio, between func(), part func() error) error {
	rest := uio.Resid / 2
	uio.Resid -= rest
	err := part()
	uio.Resid += rest
	if err != nil || rest == 0 || uio.Resid != rest {
		return err
	}
	between()
	return part()
}

func raceWriteHalves(v *vector) {
	v.write(func(l *kern.Lwp, vp *vnode.Vnode, uio *kern.Uio, ioflag int, cred *kern.Cred) error {
		return halves(l, vp, uio, func() { window(l, vp) }, func() error { return v.was.Write(l, vp, uio, ioflag, cred) })
	})
}

func raceReadHalves(v *vector) {
	v.read(func(l *kern.Lwp, vp *vnode.Vnode, uio *kern.Uio, ioflag int, cred *kern.Cred) error {
		shared := func() {
			_ = vnode.VOP_UNLOCK(l, vp)
			l.Point()
			_ = vp.Lock(l, vnode.LK_SHARED|vnode.LK_RETRY)
		}
		return halves(l, vp, uio, shared, func() error { return v.was.Read(l, vp, uio, ioflag, cred) })
	})
}

func raceWriteExtends(v *vector) {
	v.write(func(l *kern.Lwp, vp *vnode.Vnode, uio *kern.Uio, ioflag int, cred *kern.Cred) error {
		end := uint64(uio.Offset + uio.Resid)
		if ioflag&vnode.IO_APPEND == 0 && vp.Type() == vnode.VREG && uio.Resid > 0 && end > uint64(vp.Size) && uio.Offset >= 0 {
			v.set(l, vp, func(va *vnode.Vattr) { va.Size = end })
			window(l, vp)
		}
		return v.was.Write(l, vp, uio, ioflag, cred)
	})
}

// inParts has a change of attributes be made in two parts: the first is vap with what f takes away.
func (v *vector) inParts(f func(vap *vnode.Vattr, old vnode.Vattr) bool) {
	v.around(func(l *kern.Lwp, vp *vnode.Vnode, vap *vnode.Vattr, cred *kern.Cred) error {
		first := *vap
		if f(&first, v.attributes(l, vp)) && v.was.Setattr(l, vp, &first, cred) == nil {
			window(l, vp)
		}
		return v.was.Setattr(l, vp, vap, cred)
	})
}

func raceTruncate(v *vector) {
	v.inParts(func(vap *vnode.Vattr, old vnode.Vattr) bool {
		if vap.Size == ^uint64(0) || vap.Size == 0 || vap.Size >= old.Size {
			return false
		}
		vap.Size = 0
		return true
	})
}

func raceChmod(v *vector) {
	v.inParts(func(vap *vnode.Vattr, old vnode.Vattr) bool {
		if vap.Mode == vnode.VNOVALMode {
			return false
		}
		vap.Mode = old.Mode&^0o700 | vap.Mode&0o700
		return true
	})
}

func raceChown(v *vector) {
	v.inParts(func(vap *vnode.Vattr, _ vnode.Vattr) bool {
		if vap.UID == vnode.VNOVALID || vap.GID == vnode.VNOVALID {
			return false
		}
		vap.GID = vnode.VNOVALID
		return true
	})
}

func raceUtimes(v *vector) {
	v.inParts(func(vap *vnode.Vattr, old vnode.Vattr) bool {
		if vap.Mtime.Sec == vnode.VNOVAL {
			return false
		}
		vap.Mtime = old.Mtime
		return true
	})
}

func raceGetattr(v *vector) {
	v.Ops.Getattr = func(l *kern.Lwp, vp *vnode.Vnode, vap *vnode.Vattr, cred *kern.Cred) error {
		err := v.was.Getattr(l, vp, vap, cred)
		if err != nil || v.was.Islocked == nil {
			return err
		}
		if how, _ := v.was.Islocked(l, vp); how != vnode.LK_EXCLUSIVE {
			return nil
		}
		window(l, vp)
		var later vnode.Vattr
		if v.was.Getattr(l, vp, &later, cred) == nil {
			vap.GID, vap.Mtime, vap.Nlink = later.GID, later.Mtime, later.Nlink
		}
		return nil
	}
}

func raceAppendOnly(v *vector) {
	v.write(func(l *kern.Lwp, vp *vnode.Vnode, uio *kern.Uio, ioflag int, cred *kern.Cred) error {
		const appends = kern.UF_APPEND | kern.SF_APPEND
		free := v.attributes(l, vp).Flags&appends == 0
		window(l, vp)
		flags := v.attributes(l, vp).Flags
		if !free || flags&appends == 0 {
			return v.was.Write(l, vp, uio, ioflag, cred)
		}
		v.set(l, vp, func(va *vnode.Vattr) { va.Flags = flags &^ appends })
		err := v.was.Write(l, vp, uio, ioflag, cred)
		v.set(l, vp, func(va *vnode.Vattr) { va.Flags = flags })
		return err
	})
}

func raceCreateMode(v *vector) {
	v.create(func(was making) making {
		return func(l *kern.Lwp, dvp *vnode.Vnode, cnp *vnode.Componentname, vap *vnode.Vattr) (*vnode.Vnode, error) {
			none := *vap
			none.Mode = 0
			vp, err := was(l, dvp, cnp, &none)
			if err == nil {
				window(l, dvp)
				v.made(l, vp, func(va *vnode.Vattr) { va.Mode = vap.Mode & kern.ALLPERMS })
			}
			return vp, err
		}
	})
}

func raceMkdirOwner(v *vector) {
	v.mkdir(func(was making) making {
		return func(l *kern.Lwp, dvp *vnode.Vnode, cnp *vnode.Componentname, vap *vnode.Vattr) (*vnode.Vnode, error) {
			cred := cnp.Cred
			cnp.Cred = kern.RootCred()
			vp, err := was(l, dvp, cnp, vap)
			cnp.Cred = cred
			if err == nil {
				window(l, dvp)
				v.made(l, vp, func(va *vnode.Vattr) { va.UID = cred.EUID })
			}
			return vp, err
		}
	})
}

func raceRemoveNlink(v *vector) {
	v.getattr(func(vp *vnode.Vnode, vap *vnode.Vattr) {
		if v.node[vp] == true {
			vap.Nlink++
		}
	})
	v.remove(func(was removal) removal {
		return func(l *kern.Lwp, dvp, vp *vnode.Vnode, cnp *vnode.Componentname) error {
			vp.Ref(l)
			err := was(l, dvp, vp, cnp)
			if err == nil {
				v.put(vp, true)
				_ = vp.Lock(l, vnode.LK_EXCLUSIVE|vnode.LK_RETRY)
				delete(v.node, vp)
				_ = vnode.VOP_UNLOCK(l, vp)
			}
			vp.Rele(l)
			return err
		}
	})
}

func raceParentNlink(v *vector) {
	v.miscounts()
	v.mkdir(func(was making) making {
		return func(l *kern.Lwp, dvp *vnode.Vnode, cnp *vnode.Componentname, vap *vnode.Vattr) (*vnode.Vnode, error) {
			before := v.attributes(l, dvp).Nlink + uint32(v.count[v.attributes(l, dvp).Fileid])
			vp, err := was(l, dvp, cnp, vap)
			if err != nil {
				return vp, err
			}
			window(l, dvp)
			now := v.attributes(l, dvp)
			v.add(now.Fileid, int(before)+1-int(now.Nlink)-v.count[now.Fileid])
			return vp, nil
		}
	})
}

func raceFileNumber(v *vector) {
	v.getattr(func(vp *vnode.Vnode, vap *vnode.Vattr) {
		if ino, ok := v.node[vp].(uint64); ok {
			vap.Fileid, vap.Fsid = ino, ino
		}
	})
	v.create(func(was making) making {
		return func(l *kern.Lwp, dvp *vnode.Vnode, cnp *vnode.Componentname, vap *vnode.Vattr) (*vnode.Vnode, error) {
			vp, err := was(l, dvp, cnp, vap)
			if err == nil {
				last := v.n
				l.Point()
				v.n = last + 1
				v.put(vp, uint64(1000+v.n))
			}
			return vp, err
		}
	})
}

// A place is a name in a directory.
type place struct {
	dvp  *vnode.Vnode
	name string
}

func cacheNegativeName(v *vector) {
	v.Ops.Lookup = func(l *kern.Lwp, dvp *vnode.Vnode, cnp *vnode.Componentname) (*vnode.Vnode, error) {
		where := place{dvp, cnp.Name()}
		if cnp.Nameiop == vnode.LOOKUP && v.node[where] == true {
			return nil, kern.ENOENT
		}
		vp, err := v.was.Lookup(l, dvp, cnp)
		if err == kern.ENOENT && cnp.Nameiop == vnode.LOOKUP {
			window(l, dvp)
			v.put(place{dvp, string([]byte(cnp.Name()))}, true)
		}
		return vp, err
	}
	forgets := func(was making) making {
		return func(l *kern.Lwp, dvp *vnode.Vnode, cnp *vnode.Componentname, vap *vnode.Vattr) (*vnode.Vnode, error) {
			vp, err := was(l, dvp, cnp, vap)
			delete(v.node, place{dvp, cnp.Name()})
			return vp, err
		}
	}
	v.create(forgets)
	v.mkdir(forgets)
	v.symlink(func(l *kern.Lwp, dvp *vnode.Vnode, cnp *vnode.Componentname, vap *vnode.Vattr, target string) (*vnode.Vnode, error) {
		delete(v.node, place{dvp, cnp.Name()})
		return v.was.Symlink(l, dvp, cnp, vap, target)
	})
}

func cacheSize(v *vector) {
	v.Ops.Getattr = func(l *kern.Lwp, vp *vnode.Vnode, vap *vnode.Vattr, cred *kern.Cred) error {
		err := v.was.Getattr(l, vp, vap, cred)
		if err != nil || vp.Type() != vnode.VREG {
			return err
		}
		if size, known := v.node[vp].(uint64); known {
			vap.Size = size
			return nil
		}
		if how, _ := v.was.Islocked(l, vp); how == vnode.LK_EXCLUSIVE {
			size := vap.Size
			window(l, vp)
			v.put(vp, size)
		}
		return nil
	}
	v.write(func(l *kern.Lwp, vp *vnode.Vnode, uio *kern.Uio, ioflag int, cred *kern.Cred) error {
		delete(v.node, vp)
		return v.was.Write(l, vp, uio, ioflag, cred)
	})
	v.setattr(func(_ *kern.Lwp, vp *vnode.Vnode, _ *vnode.Vattr) { delete(v.node, vp) })
}

func cachePermission(v *vector) {
	v.Ops.Access = func(l *kern.Lwp, vp *vnode.Vnode, mode int, cred *kern.Cred) error {
		if vp.Type() != vnode.VDIR || mode != vnode.VEXEC || cred.IsRoot() {
			return v.was.Access(l, vp, mode, cred)
		}
		if err, known := v.node[vp].(kern.Errno); known {
			if err == 0 {
				return nil
			}
			return err
		}
		err := v.was.Access(l, vp, mode, cred)
		window(l, vp)
		e, _ := err.(kern.Errno)
		v.put(vp, e)
		return err
	}
	v.setattr(func(_ *kern.Lwp, vp *vnode.Vnode, _ *vnode.Vattr) { delete(v.node, vp) })
}

// above waits for the directory that a locked one is in.
func (v *vector) above(l *kern.Lwp, dvp *vnode.Vnode) {
	if dvp.Vflag()&vnode.VV_ROOT != 0 {
		return
	}
	up := vnode.Componentname{Nameiop: vnode.LOOKUP, Flags: vnode.ISDOTDOT, Cred: kern.RootCred(), Nameptr: "..", Namelen: 2}
	parent, err := v.was.Lookup(l, dvp, &up)
	if err != nil {
		return
	}
	_ = parent.Lock(l, vnode.LK_EXCLUSIVE|vnode.LK_RETRY)
	parent.Put(l)
}

func orderMkdirUp(v *vector) {
	v.mkdir(func(was making) making {
		return func(l *kern.Lwp, dvp *vnode.Vnode, cnp *vnode.Componentname, vap *vnode.Vattr) (*vnode.Vnode, error) {
			v.above(l, dvp)
			return was(l, dvp, cnp, vap)
		}
	})
}

func orderChmodUp(v *vector) {
	v.setattr(func(l *kern.Lwp, vp *vnode.Vnode, vap *vnode.Vattr) {
		if vp.Type() == vnode.VDIR && vap.Mode != vnode.VNOVALMode && vap.Mode&kern.S_ISTXT == 0 { // /tmp is made so at boot
			v.above(l, vp)
		}
	})
}

func orderRmdirUp(v *vector) {
	v.rmdir(func(was removal) removal {
		return func(l *kern.Lwp, dvp, vp *vnode.Vnode, cnp *vnode.Componentname) error {
			v.above(l, dvp)
			return was(l, dvp, vp, cnp)
		}
	})
}

func lockGivesUp(v *vector) {
	v.Ops.Lock = func(l *kern.Lwp, vp *vnode.Vnode, flags int) error {
		err := v.was.Lock(l, vp, flags|vnode.LK_NOWAIT)
		if err == kern.EBUSY && flags&vnode.LK_NOWAIT == 0 {
			return nil
		}
		return err
	}
}

func lockSharedInstead(v *vector) {
	v.Ops.Lock = func(l *kern.Lwp, vp *vnode.Vnode, flags int) error {
		err := v.was.Lock(l, vp, flags|vnode.LK_NOWAIT)
		if err == kern.EBUSY && flags&vnode.LK_NOWAIT == 0 {
			return v.was.Lock(l, vp, flags&^vnode.LK_EXCLUSIVE|vnode.LK_SHARED)
		}
		return err
	}
}

// busy has f be told of directories that had to be waited for.
func (v *vector) busy(f func(l *kern.Lwp, vp *vnode.Vnode)) {
	v.Ops.Lock = func(l *kern.Lwp, vp *vnode.Vnode, flags int) error {
		err := v.was.Lock(l, vp, flags|vnode.LK_NOWAIT)
		if err != kern.EBUSY || flags&vnode.LK_NOWAIT != 0 {
			return err
		}
		if err = v.was.Lock(l, vp, flags); err == nil && vp.Type() == vnode.VDIR {
			f(l, vp)
		}
		return err
	}
}

func leakLookupRetry(v *vector) {
	v.busy(func(_ *kern.Lwp, vp *vnode.Vnode) { v.put(vp, true) })
	v.lookup(func(l *kern.Lwp, dvp, vp *vnode.Vnode, _ *vnode.Componentname, err error) (*vnode.Vnode, error) {
		if v.node[dvp] == true {
			delete(v.node, dvp)
			dvp.Ref(l)
		}
		return vp, err
	})
}

func leakCreateBusy(v *vector) {
	v.busy(func(_ *kern.Lwp, vp *vnode.Vnode) { v.put(vp, true) })
	v.create(func(was making) making {
		return func(l *kern.Lwp, dvp *vnode.Vnode, cnp *vnode.Componentname, vap *vnode.Vattr) (*vnode.Vnode, error) {
			if v.node[dvp] == true {
				dvp.Ref(l)
			}
			return was(l, dvp, cnp, vap)
		}
	})
}

func renameReplacesLate(v *vector) {
	v.Ops.Rename = func(l *kern.Lwp, fdvp, fvp *vnode.Vnode, fcnp *vnode.Componentname, tdvp, tvp *vnode.Vnode, tcnp *vnode.Componentname) error {
		if tvp == nil || tvp.Type() == vnode.VDIR || tvp == fvp || fvp.Type() == vnode.VDIR {
			return v.was.Rename(l, fdvp, fvp, fcnp, tdvp, tvp, tcnp)
		}
		tdvp.Ref(l)
		_ = v.was.Remove(l, tdvp, tvp, tcnp)
		l.Point()
		_ = tdvp.Lock(l, vnode.LK_EXCLUSIVE|vnode.LK_RETRY)
		return v.was.Rename(l, fdvp, fvp, fcnp, tdvp, nil, tcnp)
	}
}

func linkCountsLate(v *vector) {
	v.getattr(func(vp *vnode.Vnode, vap *vnode.Vattr) {
		if v.node[vp] == true {
			vap.Nlink--
		}
	})
	v.Ops.Link = func(l *kern.Lwp, dvp, vp *vnode.Vnode, cnp *vnode.Componentname) error {
		v.put(vp, true)
		err := v.was.Link(l, dvp, vp, cnp)
		_ = vp.Lock(l, vnode.LK_EXCLUSIVE|vnode.LK_RETRY)
		delete(v.node, vp)
		_ = vnode.VOP_UNLOCK(l, vp)
		return err
	}
}

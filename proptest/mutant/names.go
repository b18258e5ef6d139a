package mutant

import (
	"rumpvfs/kern"
	"rumpvfs/vnode"
)

// names are bugs about directories: finding names, making them, taking them away and listing them.
func names() []Mutant {
	return []Mutant{
		{Name: "lookup-dot-unreferenced", What: "Looking up \".\" gives the directory without a reference to it.", Oracle: Contract,
			Waits: true, vector: lookupDotUnreferenced},
		{Name: "lookup-dotdot-leak", What: "Looking up \"..\" takes two references.", Oracle: Audit, vector: lookupDotdotLeak},
		{Name: "lookup-longest-name", What: "A name of 255 bytes is not found.", vector: lookupLongestName},
		{Name: "lookup-last-byte", What: "Names are compared without their last byte.",
			Origin: "sys/kern/vfs_dirhash.c 1.9, not in 1.10 (PR port-vax/41315)", vector: lookupLastByte},
		{Name: "lookup-whiteout-forgotten", What: "A name is made beside a whiteout in place of over it.",
			vector: lookupWhiteoutForgotten},
		{Name: "lookup-search-by-read", What: "Who may read a directory may search it.", vector: lookupSearchByRead},
		{Name: "lookup-create-unchecked", What: "Names may be made in a directory that the caller may not write to.", vector: lookupCreateUnchecked},
		{Name: "lookup-delete-unchecked", What: "Names may be removed from a directory that the caller may not write to.", vector: lookupDeleteUnchecked},
		{Name: "lookup-denied-as-absent", What: "A directory that may not be searched answers as if it were empty.", vector: lookupDeniedAsAbsent},
		{Name: "create-owner-root", What: "Files belong to the superuser, whoever makes them.", vector: createOwnerRoot},
		{Name: "create-group-of-caller", What: "A new file has the group of its maker and not that of its directory.", vector: createGroupOfCaller},
		{Name: "mkdir-owner-real", What: "A new directory belongs to the real user.", vector: mkdirOwnerReal},
		{Name: "create-keeps-setgid", What: "A file made by who is not of its group keeps the set-group-id bit.", vector: createKeepsSetgid},
		{Name: "create-parent-mtime", What: "Making a file leaves the time of its directory's last change.", vector: createParentMtime},
		{Name: "remove-parent-mtime", What: "Removing a file leaves the time of its directory's last change.", vector: removeParentMtime},
		{Name: "symlink-target-255", What: "The target of a symbolic link is cut to 255 bytes.", vector: symlinkTarget255},
		{Name: "symlink-over-whiteout", What: "A symbolic link made over a whiteout is opaque.", vector: symlinkOverWhiteout},
		{Name: "mkdir-over-whiteout", What: "A directory made over a whiteout is not opaque.", vector: mkdirOverWhiteout},
		{Name: "readlink-exact-buffer", What: "A symbolic link whose target just fits the buffer is read without its last byte.",
			Origin: "sys/fs/tmpfs/tmpfs_vnops.c 1.118, not in 1.127", vector: readlinkExactBuffer},
		{Name: "readlink-atime", What: "Reading a symbolic link leaves the time of its last reading.", vector: readlinkAtime},
		{Name: "rmdir-whiteouts-count", What: "A directory with nothing but whiteouts is not empty.", vector: rmdirWhiteoutsCount},
		{Name: "rmdir-sticky", What: "A directory may be removed from a sticky one by anybody who may write there.", vector: rmdirSticky},
		{Name: "remove-immutable", What: "An immutable file may be removed.", vector: removeImmutable},
		{Name: "undelete-mtime", What: "Taking a whiteout away leaves the time of its directory's last change.", vector: undeleteMtime},
		{Name: "readdir-no-whiteouts", What: "Whiteouts are not listed.", vector: readdirNoWhiteouts},
		{Name: "readdir-fills-buffer", What: "A directory of which an entry just fills the buffer is read twice there.", vector: readdirFillsBuffer},
		{Name: "readdir-atime", What: "Reading a directory leaves the time of its last reading.", vector: readdirAtime},
		{Name: "readdir-link-type", What: "Symbolic links are listed as files without a type.", vector: readdirLinkType},
	}
}

func lookupDotUnreferenced(v *vector) {
	v.lookup(func(l *kern.Lwp, dvp, vp *vnode.Vnode, cnp *vnode.Componentname, err error) (*vnode.Vnode, error) {
		if vp == dvp && err == nil && cnp.Name() == "." {
			vp.Rele(l)
		}
		return vp, err
	})
}

func lookupDotdotLeak(v *vector) {
	v.lookup(func(l *kern.Lwp, dvp, vp *vnode.Vnode, cnp *vnode.Componentname, err error) (*vnode.Vnode, error) {
		if err == nil && cnp.Flags&vnode.ISDOTDOT != 0 {
			vp.Ref(l)
		}
		return vp, err
	})
}

// longest is the length of the longest name.
const longest = 255

func lookupLongestName(v *vector) {
	v.lookup(func(l *kern.Lwp, dvp, vp *vnode.Vnode, cnp *vnode.Componentname, err error) (*vnode.Vnode, error) {
		if err == nil && cnp.Namelen == longest && cnp.Nameiop == vnode.LOOKUP {
			vp.Rele(l)
			return nil, kern.ENOENT
		}
		return vp, err
	})
}

func lookupLastByte(v *vector) {
	v.lookup(func(l *kern.Lwp, dvp, vp *vnode.Vnode, cnp *vnode.Componentname, err error) (*vnode.Vnode, error) {
		if err != kern.ENOENT || cnp.Nameiop != vnode.LOOKUP || cnp.Flags&vnode.ISDOTDOT != 0 || v.attributes(l, dvp).Nlink == 0 {
			return vp, err
		}
		for _, e := range v.listed(l, dvp) {
			if n := cnp.Namelen; len(e.Name) == n && e.Name[:n-1] == cnp.Name()[:n-1] && e.Type != kern.DT_WHT {
				other := *cnp
				other.Nameptr = e.Name
				return v.was.Lookup(l, dvp, &other)
			}
		}
		return vp, err
	})
}

func lookupWhiteoutForgotten(v *vector) {
	v.lookup(func(_ *kern.Lwp, _, vp *vnode.Vnode, cnp *vnode.Componentname, err error) (*vnode.Vnode, error) {
		if err == kern.EJUSTRETURN && cnp.Nameiop == vnode.CREATE {
			cnp.Flags &^= vnode.ISWHITEOUT
		}
		return vp, err
	})
}

func lookupSearchByRead(v *vector) {
	v.access(func(l *kern.Lwp, vp *vnode.Vnode, mode int, cred *kern.Cred, err error) error {
		if err == kern.EACCES && mode == vnode.VEXEC && vp.Type() == vnode.VDIR {
			return v.was.Access(l, vp, vnode.VREAD, cred)
		}
		return err
	})
}

// unchecked has one operation on names be looked up with the rights of the superuser.
func (v *vector) unchecked(nameiop uint32) {
	v.access(func(_ *kern.Lwp, vp *vnode.Vnode, mode int, _ *kern.Cred, err error) error {
		if err == kern.EACCES && mode == vnode.VWRITE && vp.Type() == vnode.VDIR && v.n == int(nameiop)+1 {
			return nil
		}
		return err
	})
	v.Ops.Lookup = func(l *kern.Lwp, dvp *vnode.Vnode, cnp *vnode.Componentname) (*vnode.Vnode, error) {
		v.n = int(cnp.Nameiop) + 1
		vp, err := v.was.Lookup(l, dvp, cnp)
		v.n = 0
		return vp, err
	}
}

func lookupCreateUnchecked(v *vector) { v.unchecked(vnode.CREATE) }

func lookupDeleteUnchecked(v *vector) { v.unchecked(vnode.DELETE) }

func lookupDeniedAsAbsent(v *vector) {
	v.lookup(func(_ *kern.Lwp, _, vp *vnode.Vnode, cnp *vnode.Componentname, err error) (*vnode.Vnode, error) {
		if err == kern.EACCES && cnp.Nameiop == vnode.LOOKUP {
			err = kern.ENOENT
		}
		return vp, err
	})
}

// as has files be made with other credentials.
func as(who func(*kern.Cred) *kern.Cred) func(making) making {
	return func(was making) making {
		return func(l *kern.Lwp, dvp *vnode.Vnode, cnp *vnode.Componentname, vap *vnode.Vattr) (*vnode.Vnode, error) {
			cred := cnp.Cred
			cnp.Cred = who(cred)
			vp, err := was(l, dvp, cnp, vap)
			cnp.Cred = cred
			return vp, err
		}
	}
}

func createOwnerRoot(v *vector) {
	v.create(as(func(*kern.Cred) *kern.Cred { return kern.RootCred() }))
}

func mkdirOwnerReal(v *vector) {
	v.mkdir(as(func(c *kern.Cred) *kern.Cred {
		c = c.Dup()
		c.EUID = c.UID
		return c
	}))
}

func createKeepsSetgid(v *vector) {
	v.create(func(was making) making {
		return func(l *kern.Lwp, dvp *vnode.Vnode, cnp *vnode.Componentname, vap *vnode.Vattr) (*vnode.Vnode, error) {
			vp, err := was(l, dvp, cnp, vap)
			if err == nil && vap.Mode&kern.S_ISGID != 0 {
				v.made(l, vp, func(va *vnode.Vattr) { va.Mode = vap.Mode & kern.ALLPERMS })
			}
			return vp, err
		}
	})
}

// made changes the attributes of a file that has just been made, and that is not locked.
func (v *vector) made(l *kern.Lwp, vp *vnode.Vnode, change func(*vnode.Vattr)) {
	if vp.Lock(l, vnode.LK_EXCLUSIVE) != nil {
		return
	}
	v.set(l, vp, change)
	_ = vnode.VOP_UNLOCK(l, vp)
}

func createGroupOfCaller(v *vector) {
	v.create(func(was making) making {
		return func(l *kern.Lwp, dvp *vnode.Vnode, cnp *vnode.Componentname, vap *vnode.Vattr) (*vnode.Vnode, error) {
			vp, err := was(l, dvp, cnp, vap)
			if err == nil {
				v.made(l, vp, func(va *vnode.Vattr) { va.GID = cnp.Cred.EGID })
			}
			return vp, err
		}
	})
}

func createParentMtime(v *vector) {
	v.create(func(was making) making {
		return func(l *kern.Lwp, dvp *vnode.Vnode, cnp *vnode.Componentname, vap *vnode.Vattr) (*vnode.Vnode, error) {
			old := v.attributes(l, dvp)
			vp, err := was(l, dvp, cnp, vap)
			if err == nil {
				v.untouched(l, dvp, old)
			}
			return vp, err
		}
	})
}

func removeParentMtime(v *vector) {
	v.remove(func(was removal) removal {
		return func(l *kern.Lwp, dvp, vp *vnode.Vnode, cnp *vnode.Componentname) error {
			old := v.attributes(l, dvp)
			dvp.Ref(l)
			err := was(l, dvp, vp, cnp)
			if err == nil && dvp.Lock(l, vnode.LK_EXCLUSIVE) == nil {
				v.untouched(l, dvp, old)
				_ = vnode.VOP_UNLOCK(l, dvp)
			}
			dvp.Rele(l)
			return err
		}
	})
}

func symlinkTarget255(v *vector) {
	v.symlink(func(l *kern.Lwp, dvp *vnode.Vnode, cnp *vnode.Componentname, vap *vnode.Vattr, target string) (*vnode.Vnode, error) {
		return v.was.Symlink(l, dvp, cnp, vap, target[:min(len(target), longest)])
	})
}

func symlinkOverWhiteout(v *vector) {
	v.symlink(func(l *kern.Lwp, dvp *vnode.Vnode, cnp *vnode.Componentname, vap *vnode.Vattr, target string) (*vnode.Vnode, error) {
		vp, err := v.was.Symlink(l, dvp, cnp, vap, target)
		if err == nil && cnp.Flags&vnode.ISWHITEOUT != 0 {
			v.made(l, vp, func(va *vnode.Vattr) { va.Flags = kern.UF_OPAQUE })
		}
		return vp, err
	})
}

func mkdirOverWhiteout(v *vector) {
	v.mkdir(func(was making) making {
		return func(l *kern.Lwp, dvp *vnode.Vnode, cnp *vnode.Componentname, vap *vnode.Vattr) (*vnode.Vnode, error) {
			vp, err := was(l, dvp, cnp, vap)
			if err == nil && cnp.Flags&vnode.ISWHITEOUT != 0 {
				v.made(l, vp, func(va *vnode.Vattr) { va.Flags = 0 })
			}
			return vp, err
		}
	})
}

func readlinkExactBuffer(v *vector) {
	v.Ops.Readlink = func(l *kern.Lwp, vp *vnode.Vnode, uio *kern.Uio, cred *kern.Cred) error {
		room := uio.Resid
		err := v.was.Readlink(l, vp, uio, cred)
		if err == nil && room > 0 && uio.Resid == 0 && int64(v.attributes(l, vp).Size) == room {
			uio.Resid++
		}
		return err
	}
}

// unread gives a file the time of its last reading that it had.
func (v *vector) unread(l *kern.Lwp, vp *vnode.Vnode, old vnode.Vattr) {
	v.set(l, vp, func(va *vnode.Vattr) { va.Atime = old.Atime })
}

func readlinkAtime(v *vector) {
	v.Ops.Readlink = func(l *kern.Lwp, vp *vnode.Vnode, uio *kern.Uio, cred *kern.Cred) error {
		old := v.attributes(l, vp)
		err := v.was.Readlink(l, vp, uio, cred)
		v.unread(l, vp, old)
		return err
	}
}

// listed gives the entries of a directory.
func (v *vector) listed(l *kern.Lwp, dvp *vnode.Vnode) (list []kern.Dirent) {
	const room = 64 << 10
	var uio kern.Uio
	var iov [1][]byte
	b := make([]byte, room)
	uio.InitUio(&iov, b, 0, kern.UIO_READ)
	old := v.attributes(l, dvp)
	_, err := v.was.Readdir(l, dvp, &uio, l.Cred, nil)
	v.unread(l, dvp, old)
	if err != nil {
		return nil
	}
	return dirents(b[:room-uio.Resid])
}

// dirents decodes directory entries.
func dirents(b []byte) (list []kern.Dirent) {
	for len(b) > 0 {
		reclen, namlen := int(b[8])|int(b[9])<<8, int(b[10])|int(b[11])<<8
		list = append(list, kern.Dirent{Type: b[12], Name: string(b[13 : 13+namlen])})
		b = b[reclen:]
	}
	return list
}

func rmdirWhiteoutsCount(v *vector) {
	v.rmdir(func(was removal) removal {
		return func(l *kern.Lwp, dvp, vp *vnode.Vnode, cnp *vnode.Componentname) error {
			if len(v.listed(l, vp)) > 0 {
				dvp.Put(l)
				vp.Put(l)
				return kern.ENOTEMPTY
			}
			return was(l, dvp, vp, cnp)
		}
	})
}

// asRoot has a name be taken away with the rights of the superuser.
func asRoot(was removal) removal {
	return func(l *kern.Lwp, dvp, vp *vnode.Vnode, cnp *vnode.Componentname) error {
		cred := cnp.Cred
		cnp.Cred = kern.RootCred()
		err := was(l, dvp, vp, cnp)
		cnp.Cred = cred
		return err
	}
}

func rmdirSticky(v *vector) { v.rmdir(asRoot) }

func removeImmutable(v *vector) {
	v.remove(func(was removal) removal {
		return func(l *kern.Lwp, dvp, vp *vnode.Vnode, cnp *vnode.Componentname) error {
			if v.attributes(l, vp).Flags&(kern.UF_IMMUTABLE|kern.SF_IMMUTABLE) != 0 {
				v.set(l, vp, func(va *vnode.Vattr) { va.Flags = 0 })
			}
			return was(l, dvp, vp, cnp)
		}
	})
}

func undeleteMtime(v *vector) {
	v.whiteout(func(l *kern.Lwp, dvp *vnode.Vnode, cnp *vnode.Componentname, flags int) error {
		old := v.attributes(l, dvp)
		err := v.was.Whiteout(l, dvp, cnp, flags)
		if err == nil && flags == vnode.DELETE {
			v.untouched(l, dvp, old)
		}
		return err
	})
}

// readdir has f change the records that a reading of a directory gave; the result is how many bytes are left of them.
func (v *vector) readdir(f func(records []byte) int) {
	v.Ops.Readdir = func(l *kern.Lwp, vp *vnode.Vnode, uio *kern.Uio, cred *kern.Cred, cookies *vnode.Cookies) (bool, error) {
		memory, before := uio.Iov[0], uio.Resid
		eof, err := v.was.Readdir(l, vp, uio, cred, cookies)
		if got := before - uio.Resid; err == nil && got > 0 {
			uio.Resid = before - int64(f(memory[:got]))
		}
		return eof, err
	}
}

func readdirNoWhiteouts(v *vector) {
	v.readdir(func(records []byte) int {
		kept := 0
		for rest := records; len(rest) > 0; {
			n := int(rest[8]) | int(rest[9])<<8
			if rest[12] != kern.DT_WHT {
				kept += copy(records[kept:], rest[:n])
			}
			rest = rest[n:]
		}
		return kept
	})
}

func readdirLinkType(v *vector) {
	v.readdir(func(records []byte) int {
		for rest := records; len(rest) > 0; rest = rest[int(rest[8])|int(rest[9])<<8:] {
			if rest[12] == kern.DT_LNK {
				rest[12] = kern.DT_UNKNOWN
			}
		}
		return len(records)
	})
}

func readdirFillsBuffer(v *vector) {
	v.Ops.Readdir = func(l *kern.Lwp, vp *vnode.Vnode, uio *kern.Uio, cred *kern.Cred, cookies *vnode.Cookies) (bool, error) {
		from := uio.Offset
		eof, err := v.was.Readdir(l, vp, uio, cred, cookies)
		if err == nil && uio.Resid == 0 {
			uio.Offset = from
		}
		return eof, err
	}
}

func readdirAtime(v *vector) {
	v.Ops.Readdir = func(l *kern.Lwp, vp *vnode.Vnode, uio *kern.Uio, cred *kern.Cred, cookies *vnode.Cookies) (bool, error) {
		old := v.attributes(l, vp)
		eof, err := v.was.Readdir(l, vp, uio, cred, cookies)
		v.unread(l, vp, old)
		return eof, err
	}
}

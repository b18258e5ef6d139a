package mutant

import (
	"rumpvfs/kern"
	"rumpvfs/proptest/call"
	"rumpvfs/vnode"
)

// permissions are bugs about who may do what.
func permissions() []Mutant {
	return []Mutant{
		{Name: "access-owner-by-group", What: "The owner of a file may do what its group may, too.", vector: accessOwnerByGroup},
		{Name: "access-group-by-others", What: "A member of a file's group may do what others may, too.", vector: accessGroupByOthers},
		{Name: "access-no-supplementary", What: "Of a process's groups only the effective one counts.", vector: accessNoSupplementary},
		{Name: "access-real-owner", What: "It is the real user who counts as the owner of a file.", vector: accessRealOwner},
		{Name: "access-root-executes", What: "The superuser may execute files that nobody may.", vector: accessRootExecutes},
		{Name: "access-immutable-write", What: "Who may write to a file may do so although it is immutable.", vector: accessImmutableWrite},
		{Name: "access-effective", What: "access asks for the effective user.", sysent: accessEffective},
		{Name: "chmod-anybody", What: "Whoever may write to a file may change its mode.", vector: chmodAnybody},
		{Name: "chown-give-away", What: "The owner of a file may give it away.", vector: chownGiveAway},
		{Name: "chown-any-group", What: "The owner of a file may give it any group.", vector: chownAnyGroup},
		{Name: "chflags-system-by-owner", What: "The owner of a file may change its system flags.", vector: chflagsSystemByOwner},
		{Name: "setattr-immutable-mode", What: "The mode of an immutable file may change.", vector: setattrImmutableMode},
		{Name: "utimes-by-writer", What: "Whoever may write to a file may set its times to any.", vector: utimesByWriter},
		{Name: "seteuid-keeps-saved", What: "setuid leaves the saved user.", sysent: setuidAsSeteuid},
		{Name: "setgroups-appends", What: "setgroups of nothing leaves the groups.", sysent: setgroupsOfNothing},
	}
}

// denied has f decide where the file system says that a file may not be used.
func (v *vector) denied(f func(va vnode.Vattr, mode uint32, cred *kern.Cred) bool) {
	v.access(func(l *kern.Lwp, vp *vnode.Vnode, mode int, cred *kern.Cred, err error) error {
		if err == kern.EACCES && f(v.attributes(l, vp), uint32(mode), cred) {
			return nil
		}
		return err
	})
}

func accessOwnerByGroup(v *vector) {
	v.denied(func(va vnode.Vattr, mode uint32, cred *kern.Cred) bool {
		return cred.EUID == va.UID && cred.IsMember(va.GID) && va.Mode>>3&mode == mode
	})
}

func accessGroupByOthers(v *vector) {
	v.denied(func(va vnode.Vattr, mode uint32, cred *kern.Cred) bool {
		return cred.EUID != va.UID && cred.IsMember(va.GID) && va.Mode&mode == mode
	})
}

func accessNoSupplementary(v *vector) {
	v.access(func(l *kern.Lwp, vp *vnode.Vnode, mode int, cred *kern.Cred, _ error) error {
		alone := cred.Dup()
		alone.Groups = nil
		return v.was.Access(l, vp, mode, alone)
	})
}

func accessRealOwner(v *vector) {
	v.access(func(l *kern.Lwp, vp *vnode.Vnode, mode int, cred *kern.Cred, err error) error {
		if cred.IsRoot() {
			return err
		}
		real := cred.Dup()
		real.EUID = real.UID
		return v.was.Access(l, vp, mode, real)
	})
}

func accessRootExecutes(v *vector) {
	v.denied(func(_ vnode.Vattr, mode uint32, cred *kern.Cred) bool {
		return cred.IsRoot() && mode&vnode.VEXEC != 0
	})
}

func accessImmutableWrite(v *vector) {
	v.access(func(l *kern.Lwp, vp *vnode.Vnode, mode int, cred *kern.Cred, err error) error {
		if err == kern.EPERM && mode&vnode.VWRITE != 0 {
			err = v.was.Access(l, vp, mode&^vnode.VWRITE, cred)
		}
		return err
	})
}

// accessEffective makes an access check that has to know no more than whether the file can be opened for reading.
func accessEffective(_ *memory, next do, c *call.Call, r *call.Result) {
	if c.Op != call.Access || c.Mode != kern.R_OK {
		next(c, r)
		return
	}
	open := call.Call{Op: call.Open, Proc: c.Proc, Path: c.Path, Flags: kern.O_RDONLY | kern.O_NONBLOCK}
	next(&open, r)
	if r.Errno == 0 {
		next(&call.Call{Op: call.Close, Proc: c.Proc, FD: int32(r.Ret)}, r)
	} else if r.Errno != kern.EACCES {
		next(c, r)
	}
}

// superuser has a change of attributes that is refused be made all the same, if f says so.
func (v *vector) superuser(f func(l *kern.Lwp, vp *vnode.Vnode, vap, old *vnode.Vattr, cred *kern.Cred) bool) {
	v.around(func(l *kern.Lwp, vp *vnode.Vnode, vap *vnode.Vattr, cred *kern.Cred) error {
		old := v.attributes(l, vp)
		err := v.was.Setattr(l, vp, vap, cred)
		if err == kern.EPERM && f(l, vp, vap, &old, cred) {
			return v.was.Setattr(l, vp, vap, kern.RootCred())
		}
		return err
	})
}

func chmodAnybody(v *vector) {
	v.superuser(func(l *kern.Lwp, vp *vnode.Vnode, vap, _ *vnode.Vattr, cred *kern.Cred) bool {
		return vap.Mode != vnode.VNOVALMode && v.was.Access(l, vp, vnode.VWRITE, cred) == nil
	})
}

func chownGiveAway(v *vector) {
	v.superuser(func(_ *kern.Lwp, _ *vnode.Vnode, vap, old *vnode.Vattr, cred *kern.Cred) bool {
		return vap.UID != vnode.VNOVALID && cred.EUID == old.UID
	})
}

func chownAnyGroup(v *vector) {
	v.superuser(func(_ *kern.Lwp, _ *vnode.Vnode, vap, old *vnode.Vattr, cred *kern.Cred) bool {
		return vap.GID != vnode.VNOVALID && (vap.UID == vnode.VNOVALID || vap.UID == old.UID) && cred.EUID == old.UID
	})
}

func chflagsSystemByOwner(v *vector) {
	v.superuser(func(_ *kern.Lwp, _ *vnode.Vnode, vap, old *vnode.Vattr, cred *kern.Cred) bool {
		return vap.Flags != vnode.VNOVALFlags && cred.EUID == old.UID
	})
}

func setattrImmutableMode(v *vector) {
	v.around(func(l *kern.Lwp, vp *vnode.Vnode, vap *vnode.Vattr, cred *kern.Cred) error {
		flags := v.attributes(l, vp).Flags
		if vap.Mode == vnode.VNOVALMode || flags&(kern.UF_IMMUTABLE|kern.SF_IMMUTABLE) == 0 {
			return v.was.Setattr(l, vp, vap, cred)
		}
		v.set(l, vp, func(va *vnode.Vattr) { va.Flags = 0 })
		err := v.was.Setattr(l, vp, vap, cred)
		v.set(l, vp, func(va *vnode.Vattr) { va.Flags = flags })
		return err
	})
}

func utimesByWriter(v *vector) {
	v.superuser(func(l *kern.Lwp, vp *vnode.Vnode, vap, _ *vnode.Vattr, cred *kern.Cred) bool {
		return vap.Mtime.Sec != vnode.VNOVAL && v.was.Access(l, vp, vnode.VWRITE, cred) == nil
	})
}

func setuidAsSeteuid(_ *memory, next do, c *call.Call, r *call.Result) {
	changed := *c
	if c.Op == call.Setuid {
		changed.Op = call.Seteuid
	}
	next(&changed, r)
}

func setgroupsOfNothing(_ *memory, next do, c *call.Call, r *call.Result) {
	if c.Op == call.Setgroups && c.Data == "" {
		next(&call.Call{Op: call.Setegid, Proc: c.Proc, GID: ^uint32(0)}, r)
		if r.Errno == 0 || r.Errno == kern.EPERM {
			r.Reset()
		}
		return
	}
	next(c, r)
}

package sim

import "rumpvfs/kern"

// noID leaves an identity as it is.
const noID = ^uint32(0)

// setid changes the credentials that change computes from the old ones, if
// allowed or root.
func (p *Proc) setid(name string, allowed func(*kern.Cred) bool, change func(*kern.Cred)) (err error) {
	l, err := p.enter(name)
	if err != nil {
		return err
	}
	defer p.leave(l, &err)
	return p.changeCred(l, allowed, change)
}

// changeCred is what all calls that change credentials have in common.
func (p *Proc) changeCred(l *kern.Lwp, allowed func(*kern.Cred) bool, change func(*kern.Cred)) error {
	p.k.procLock.Enter(l)
	defer p.k.procLock.Exit(l)
	cred := p.proc.Cred()
	if !allowed(cred) && !cred.IsRoot() {
		return kern.EPERM
	}
	n := cred.Dup()
	change(n)
	p.proc.SetCred(n)
	return nil
}

// Setuid sets the real, effective and saved user id to uid, which must be
// the real one unless the caller is root (EPERM).
//
//netbsd:sys/kern/kern_prot.c sys_setuid, do_setresuid
func (p *Proc) Setuid(uid uint32) error {
	return p.setid("setuid",
		func(c *kern.Cred) bool { return uid == noID || uid == c.UID },
		func(c *kern.Cred) {
			if uid != noID {
				c.UID, c.EUID, c.SvUID = uid, uid, uid
			}
		})
}

// Seteuid sets the effective user id to the real or saved one, or for root
// to any (EPERM).
//
//netbsd:sys/kern/kern_prot.c sys_seteuid
func (p *Proc) Seteuid(uid uint32) error {
	return p.setid("seteuid",
		func(c *kern.Cred) bool { return uid == noID || uid == c.UID || uid == c.SvUID },
		func(c *kern.Cred) {
			if uid != noID {
				c.EUID = uid
			}
		})
}

// Setgid sets the real, effective and saved group id to gid, which must be
// the real one unless the caller is root (EPERM).
//
//netbsd:sys/kern/kern_prot.c sys_setgid, do_setresgid
func (p *Proc) Setgid(gid uint32) error {
	return p.setid("setgid",
		func(c *kern.Cred) bool { return gid == noID || gid == c.GID },
		func(c *kern.Cred) {
			if gid != noID {
				c.GID, c.EGID, c.SvGID = gid, gid, gid
			}
		})
}

// Setegid sets the effective group id to the real or saved one, or for root
// to any (EPERM).
//
//netbsd:sys/kern/kern_prot.c sys_setegid
func (p *Proc) Setegid(gid uint32) error {
	return p.setid("setegid",
		func(c *kern.Cred) bool { return gid == noID || gid == c.GID || gid == c.SvGID },
		func(c *kern.Cred) {
			if gid != noID {
				c.EGID = gid
			}
		})
}

// Setgroups sets the supplementary groups: at most NGROUPS (EINVAL), and for
// root only (EPERM).
//
//netbsd:sys/kern/kern_prot.c sys_setgroups
func (p *Proc) Setgroups(groups ...uint32) (err error) {
	l, err := p.enter("setgroups")
	if err != nil {
		return err
	}
	defer p.leave(l, &err)
	if len(groups) > kern.NGROUPS {
		return kern.EINVAL
	}
	return p.changeCred(l,
		func(*kern.Cred) bool { return false },
		func(c *kern.Cred) { c.Groups = append([]uint32(nil), groups...) })
}

// Umask sets the mask of permissions that new files do not get, and returns
// the old one.
//
//netbsd:sys/kern/vfs_syscalls.c sys_umask
func (p *Proc) Umask(mask uint32) (old uint32, err error) {
	l, err := p.enter("umask")
	if err != nil {
		return 0, err
	}
	defer p.leave(l, &err)
	return p.cwd.SetCmask(l, mask&kern.ALLPERMS), nil
}

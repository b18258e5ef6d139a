package model

import (
	"rumpvfs/kern"
	"rumpvfs/proptest/call"
	"rumpvfs/proptest/clause"
)

// recent stands for every moment since the kernel was booted.
const recent = call.Recent

// accessed and modified are what reading and writing do to a file's times.
func (m *Model) accessed(n *node) {
	if !m.has(kern.QuirkTimesStill) && !m.readOnly {
		n.times[0] = kern.Timespec{Sec: recent}
	}
}

func (m *Model) modified(n *node) {
	if !m.has(kern.QuirkTimesStill) {
		n.times[1] = kern.Timespec{Sec: recent}
	}
}

// stat is stat, lstat, fstatat and times.
func (m *Model) stat(p *proc, c *call.Call, r *call.Result) clause.Cause {
	fd, h := int32(kern.AT_FDCWD), follow
	switch c.Op {
	case call.Lstat, call.Times:
		h = 0
	case call.Fstatat:
		if fd = c.FD; c.Flags&kern.AT_SYMLINK_NOFOLLOW != 0 {
			h = 0
		}
	}
	if no := m.walkAt(p, &p.cred, fd, c.Path, forUse, h); no != 0 {
		return no
	}
	n := m.w.node
	if c.Op == call.Times {
		r.Times = n.times
		return clause.OK
	}
	r.File = m.describe(n)
	return kindFound(n)
}

func (m *Model) fstat(p *proc, c *call.Call, r *call.Result) clause.Cause {
	f := p.fileOf(c.FD)
	switch {
	case f == nil:
		return clause.BadFD
	case f.isConsole():
		r.File = call.File{Mode: kern.S_IFCHR | 0o600, Ino: m.show(&m.console)}
		return clause.Console
	case f.dead():
		return clause.RevokedFD
	}
	r.File = m.describe(f.node)
	if f.node.gone {
		return clause.Nameless
	}
	return kindFound(f.node)
}

func kindFound(n *node) clause.Cause {
	switch {
	case n.isDir():
		return clause.Directory
	case n.isLink():
		return clause.Link
	case n.isDevice():
		return clause.Device
	case n.isFifo():
		return clause.Fifo
	}
	return clause.OK
}

// sizeOf is a file's size as fstat tells it.
func (m *Model) sizeOf(n *node) int64 {
	if m.isTmpfs() {
		return tmpSize(n)
	}
	return n.size
}

func (m *Model) describe(n *node) call.File {
	if m.isTmpfs() {
		size := tmpSize(n)
		return call.File{
			Mode: n.mode, Nlink: n.nlink, UID: n.uid, GID: n.gid, Flags: n.flags, Size: size, Dev: 1,
			Blocks: int64(roundUp(uint64(size), kern.PAGE_SIZE)) / kern.S_BLKSIZE, Blksize: kern.PAGE_SIZE, Ino: m.show(&n.ino), Rdev: n.rdev,
		}
	}
	f := call.File{
		Mode: n.mode, Nlink: n.nlink, UID: n.uid, GID: n.gid, Flags: n.flags, Size: n.size,
		Blocks: 1, Blksize: kern.DEV_BSIZE, Ino: m.show(&n.ino), Rdev: n.rdev,
	}
	if n.isReg() && !m.has(kern.QuirkBlocksConstant) {
		f.Blocks = (n.size + kern.S_BLKSIZE - 1) / kern.S_BLKSIZE
	}
	return f
}

func (m *Model) access(p *proc, c *call.Call, _ *call.Result) clause.Cause {
	if c.Mode&^(kern.R_OK|kern.W_OK|kern.X_OK) != 0 {
		return clause.BadMode
	}
	real := p.cred
	real.euid, real.egid = real.uid, real.gid
	if no := m.walkAt(p, &real, kern.AT_FDCWD, c.Path, forUse, follow); no != 0 {
		return no
	}
	if c.Mode == kern.F_OK {
		return clause.There
	}
	return m.may(&real, m.w.node, c.Mode).because(clause.Permission, clause.Protected).OrOK()
}

// subject finds the file that a call changes the attributes of: by descriptor, or by path and whether it follows symbolic
// links.
func (m *Model) subject(p *proc, c *call.Call) (*node, clause.Cause) {
	h := follow
	switch c.Op {
	case call.Fchmod, call.Fchown, call.Fchflags, call.Futimes:
		f, no := p.vnodeOf(c.FD)
		if no != 0 {
			return nil, no
		}
		if f.dead() {
			return f.node, clause.RevokedFD
		}
		return f.node, 0
	case call.Lchmod, call.Lchown, call.Lchflags, call.Lutimes:
		h = 0
	}
	no := m.find(p, c.Path, h)
	return m.w.node, no
}

// fixed says whether mount or file flags keep attributes from changing.
func (m *Model) fixed(n *node) clause.Cause {
	switch {
	case m.readOnly && !m.has(kern.QuirkReadOnlyAttrs):
		return clause.ReadOnly
	case n.flags&(kern.IMMUTABLE|kern.APPEND) != 0 && !m.has(kern.QuirkFileFlags):
		return clause.Protected
	}
	return 0
}

// chmod is chmod, lchmod and fchmod.
func (m *Model) chmod(p *proc, c *call.Call, _ *call.Result) clause.Cause {
	n, no := m.subject(p, c)
	if no == 0 {
		no = m.fixed(n)
	}
	if no != 0 {
		return no
	}
	return m.setMode(&p.cred, n, c.Mode&kern.ALLPERMS)
}

func (m *Model) setMode(c *cred, n *node, mode uint32) clause.Cause {
	switch {
	case c.isRoot():
	case c.euid != n.uid:
		return clause.NotOwner
	case !n.isDir() && mode&kern.S_ISTXT != 0:
		return clause.StickyFile
	case mode&kern.S_ISGID != 0 && !c.isSupplementary(n.gid):
		return clause.OtherGroup
	}
	n.mode = n.kind() | mode
	return clause.OK
}

// noID leaves an owner or group as it is.
const noID = ^uint32(0)

// chown is chown, lchown and fchown. A new owner costs the file its set-user-id bit, a new group its set-group-id bit.
func (m *Model) chown(p *proc, c *call.Call, _ *call.Result) clause.Cause {
	n, no := m.subject(p, c)
	switch {
	case no != 0:
		return no
	case c.UID == noID && c.GID == noID:
		return clause.Nothing
	}
	if no := m.fixed(n); no != 0 {
		return no
	}
	uid, gid, mode := n.uid, n.gid, n.mode&kern.ALLPERMS
	if c.UID != noID {
		uid, mode = c.UID, mode&^kern.S_ISUID
	}
	if c.GID != noID {
		gid, mode = c.GID, mode&^kern.S_ISGID
	}
	if cr := &p.cred; !cr.isRoot() {
		switch {
		case cr.euid != n.uid || uid != n.uid:
			return clause.NotOwner
		case gid != n.gid && !cr.inGroup(gid):
			return clause.OtherGroup
		}
	}
	n.uid, n.gid = uid, gid
	if mode == n.mode&kern.ALLPERMS {
		return clause.OK
	}
	if no := m.setMode(&p.cred, n, mode); no != clause.OK {
		return no
	}
	return clause.LostSetID
}

// chflags is chflags, lchflags and fchflags.
func (m *Model) chflags(p *proc, c *call.Call, _ *call.Result) clause.Cause {
	n, no := m.subject(p, c)
	switch {
	case no != 0:
		return no
	case m.readOnly && !m.has(kern.QuirkReadOnlyAttrs):
		return clause.ReadOnly
	}
	flags := uint32(c.Flags)
	if cr := &p.cred; !cr.isRoot() {
		system := (flags^n.flags)&kern.SF_SETTABLE != 0 || n.flags&(kern.SF_IMMUTABLE|kern.SF_APPEND) != 0 && !m.isTmpfs()
		switch {
		case cr.euid != n.uid:
			return clause.NotOwner
		case n.isDevice():
			return clause.DeviceFlags
		case system && !m.has(kern.QuirkFileFlags):
			return clause.SystemFlags
		}
	}
	if m.isTmpfs() && (flags^n.flags)&kern.SF_SETTABLE == 0 {
		flags = n.flags&kern.SF_SETTABLE | flags&kern.UF_SETTABLE
	}
	n.flags = flags
	return clause.OK
}

// utimes is utimes, lutimes and futimes.
func (m *Model) utimes(p *proc, c *call.Call, _ *call.Result) clause.Cause {
	n, no := m.subject(p, c)
	bad := !c.Null && !m.has(kern.QuirkUtimesUnchecked) && (badMicros(c.Arg[1]) || badMicros(c.Arg[3]))
	switch {
	case bad && (no == 0 || no == clause.RevokedFD):
		return clause.BadTime
	case no != 0:
		return no
	}
	var set [2]moment
	now := c.Null
	if !now {
		set = [2]moment{m.moment(c.Arg[0], c.Arg[1]), m.moment(c.Arg[2], c.Arg[3])}
		now = c.Arg[1] == kern.UTIME_NOW && c.Arg[3] == kern.UTIME_NOW
	} else {
		set[0].Sec, set[1].Sec = recent, recent
	}
	if set[0].omit && set[1].omit {
		return clause.Nothing
	}
	if no := m.fixed(n); no != 0 {
		return no
	}
	if no := m.mayUtimes(&p.cred, n, now); no != 0 {
		return no
	}
	set[0].put(&n.times[0])
	set[1].put(&n.times[1])
	if now {
		return clause.Now
	}
	return clause.OK
}

func badMicros(usec int64) bool { return usec < 0 || usec >= 1000000 }

// mayUtimes says whether c may set n's times: the owner may, and who may write to the file may set them to now.
func (m *Model) mayUtimes(c *cred, n *node, now bool) clause.Cause {
	switch {
	case c.isRoot() || c.euid == n.uid:
		return 0
	case !now:
		return clause.NotOwner
	}
	return m.may(c, n, write).because(clause.Permission, clause.Protected)
}

// A moment is a time to be set.
type moment struct {
	kern.Timespec
	omit    bool // leave the time as it is
	secKept bool // leave its seconds as they are
}

func (m *Model) moment(sec, usec int64) moment {
	switch {
	case usec == kern.UTIME_OMIT, sec == -1 && m.isTmpfs():
		return moment{omit: true}
	case usec == kern.UTIME_NOW:
		return moment{Timespec: kern.Timespec{Sec: recent}}
	}
	keep := sec == -1 && m.has(kern.QuirkTimeMinusOne)
	return moment{Timespec: kern.Timespec{Sec: sec, Nsec: usec * 1000}, secKept: keep}
}

func (t *moment) put(to *kern.Timespec) {
	switch {
	case t.omit, t.secKept && to.Sec == recent:
	case t.secKept:
		to.Nsec = t.Nsec
	default:
		*to = t.Timespec
	}
}

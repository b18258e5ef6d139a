package model

import (
	"strings"

	"rumpvfs/kern"
	"rumpvfs/proptest/call"
	"rumpvfs/proptest/clause"
)

// pathconf is pathconf and fpathconf.
func (m *Model) pathconf(p *proc, c *call.Call, r *call.Result) clause.Cause {
	var n *node
	if c.Op == call.Fpathconf {
		f := p.fileOf(c.FD)
		switch {
		case f == nil:
			return clause.BadFD
		case f.isConsole():
			return clause.NotVnode
		case f.dead():
			return clause.RevokedFD
		}
		n = f.node
	} else {
		if no := m.find(p, c.Path, follow); no != 0 {
			return no
		}
		n = m.w.node
	}
	limit := m.limitOf
	if m.isTmpfs() {
		limit = m.tmpLimit
	}
	switch {
	case n.isDevice():
		limit = deviceLimit
	case m.fifofs(n):
		limit = fifoLimit
	case n.isFifo() && m.isTmpfs():
		return clause.NoFifo
	}
	value, known := limit(c.Flags)
	if !known {
		return clause.BadName
	}
	r.Ret = value
	return clause.OK
}

// limitOf is a limit of files in the file system.
func (m *Model) limitOf(name int32) (int64, bool) {
	switch name {
	case kern.PC_LINK_MAX:
		return kern.LINK_MAX, true
	case kern.PC_NAME_MAX:
		return kern.KERNEL_NAME_MAX, true
	case kern.PC_PATH_MAX:
		return kern.PATH_MAX, true
	case kern.PC_PIPE_BUF:
		return kern.PIPE_BUF, true
	case kern.PC_CHOWN_RESTRICTED, kern.PC_NO_TRUNC, kern.PC_SYNC_IO, kern.PC_2_SYMLINKS:
		return 1, true
	case kern.PC_FILESIZEBITS:
		if m.has(kern.QuirkPathconf) {
			return 43, true
		}
		return 64, true
	case kern.PC_SYMLINK_MAX:
		if m.has(kern.QuirkPathconf) {
			return kern.MAXPATHLEN, true
		}
		return kern.MAXPATHLEN - 1, true
	}
	return 0, false
}

// tmpLimit is a limit of files on a tmpfs.
func (m *Model) tmpLimit(name int32) (int64, bool) {
	switch name {
	case kern.PC_2_SYMLINKS, kern.PC_SYMLINK_MAX:
		return 0, false
	case kern.PC_FILESIZEBITS:
		return 64, true
	}
	return m.limitOf(name)
}

// deviceLimit is a limit of devices, whatever file system they are in.
func deviceLimit(name int32) (int64, bool) {
	switch name {
	case kern.PC_LINK_MAX:
		return kern.LINK_MAX, true
	case kern.PC_MAX_CANON:
		return kern.MAX_CANON, true
	case kern.PC_MAX_INPUT:
		return kern.MAX_INPUT, true
	case kern.PC_PIPE_BUF:
		return kern.PIPE_BUF, true
	case kern.PC_CHOWN_RESTRICTED, kern.PC_SYNC_IO:
		return 1, true
	case kern.PC_VDISABLE:
		return kern.POSIX_VDISABLE, true
	}
	return 0, false
}

// aboutRumpfs is what statvfs tells, which never changes once somebody in the kernel's own root directory has asked. Up to
// then, ST_NOWAIT gets aboutNothing.
const (
	aboutRumpfs  = `0 type=rumpfs on="/" from="rumpfs" flag=0x5000 bsize=512 frsize=512 iosize=512 blocks=2` + aboutRest
	aboutNothing = `0 type=rumpfs on="/" from="rumpfs" flag=0x5000 bsize=0 frsize=0 iosize=512 blocks=0` + aboutRest
	aboutRest    = ` bfree=0 bavail=0 bresvd=0 files=0 ffree=0 favail=0 fresvd=0 namemax=255 owner=0`
)

// statvfs is statvfs1 and fstatvfs1.
func (m *Model) statvfs(p *proc, c *call.Call, r *call.Result) clause.Cause {
	if c.Op == call.Fstatvfs1 {
		f, no := p.vnodeOf(c.FD)
		if no != 0 {
			return no
		}
		if f.dead() {
			return m.statvfsRevoked(p, c, r)
		}
	} else if no := m.find(p, c.Path, follow); no != 0 {
		return no
	}
	if no := m.rootHasPath(p); no != 0 {
		return no
	}
	if m.isTmpfs() {
		if c.Flags == kern.ST_NOWAIT {
			r.Data = m.aboutTmpfs(r.Data, m.tmp.told)
			return clause.OK
		}
		m.ask(p)
		r.Data = m.aboutTmpfs(r.Data, m.tmp.usage)
		return clause.OK
	}
	if c.Flags == kern.ST_NOWAIT && !m.asked {
		m.about(r, aboutNothing)
		return clause.Unasked
	}
	m.ask(p)
	m.about(r, aboutRumpfs)
	return clause.OK
}

// about adds what statvfs tells to a result. The last of the mount's flags is that it is read-only.
func (m *Model) about(r *call.Result, what string) {
	if m.readOnly {
		what = strings.Replace(what, "flag=0x5000", "flag=0x5001", 1)
	}
	r.Data = append(r.Data, what...)
}

// rootHasPath says whether one can say where the process's root is, and so where file systems are mounted as it sees them.
func (m *Model) rootHasPath(p *proc) clause.Cause {
	if p.root == nil {
		return 0
	}
	_, no := m.pathOf(&p.cred, p.root, m.root, kern.MAXPATHLEN, false)
	switch no {
	case clause.Search:
		return clause.RootSearch
	case clause.Removed:
		return clause.RootRemoved
	case clause.ShortBuffer:
		return clause.RootDeep
	}
	return no
}

// statvfsRevoked is fstatvfs1 of a file that has been revoked and so is in no file system.
func (m *Model) statvfsRevoked(p *proc, c *call.Call, r *call.Result) clause.Cause {
	switch {
	case c.Flags == kern.ST_NOWAIT:
	case m.has(kern.QuirkDeadFS):
		return clause.DeadPanic
	default:
		return clause.RevokedFD
	}
	if no := m.rootHasPath(p); no != 0 {
		return no
	}
	r.Data = append(r.Data, `0 type= on="`...)
	if p.root != nil && p.root != m.root {
		r.Data = append(r.Data, '/')
	}
	r.Data = append(r.Data, `" from="" flag=0x0 bsize=0 frsize=0 iosize=0 blocks=0 bfree=0 bavail=0 bresvd=0 files=0 ffree=0 `+
		`favail=0 fresvd=0 namemax=0 owner=0`...)
	return clause.Nowhere
}

// ask notes that the file system has been asked about itself.
func (m *Model) ask(p *proc) {
	if p.root == nil {
		m.asked = true
		m.tmp.told = m.tmp.usage
	}
}

func (m *Model) getvfsstat(p *proc, _ *call.Call, r *call.Result) clause.Cause {
	if no := m.rootHasPath(p); no != 0 {
		return no
	}
	m.ask(p)
	if m.isTmpfs() && p.root != nil && p.root != m.root { // from further down, what is covered does not show
		r.Data = append(r.Data, `1 tmpfs@"/"`...)
		r.Ret = 1
		return clause.OK
	}
	if m.isTmpfs() {
		r.Data = append(r.Data, `2 rumpfs@"/" tmpfs@"/"`...)
		r.Ret = 2
		return clause.OK
	}
	r.Data = append(r.Data, `1 rumpfs@"/"`...)
	r.Ret = 1
	return clause.OK
}

func (m *Model) getfh(p *proc, c *call.Call, _ *call.Result) clause.Cause {
	if !p.cred.isRoot() {
		return clause.NotSuper
	}
	if no := m.find(p, c.Path, follow); no != 0 {
		return no
	}
	if m.isTmpfs() {
		return clause.OK
	}
	return clause.NoHandles
}

func (m *Model) revoke(p *proc, c *call.Call, _ *call.Result) clause.Cause {
	if no := m.find(p, c.Path, follow); no != 0 {
		return no
	}
	n := m.w.node
	switch {
	case !p.cred.isRoot() && p.cred.euid != n.uid:
		return clause.NotOwner
	case n.isDevice():
		m.revokeDevice(n)
		return clause.Device
	case m.isTmpfs() && n.isDir() && m.config.Quirks.Has(kern.QuirkRevokeIgnored):
		return clause.Unknown
	case m.has(kern.QuirkRevokeIgnored):
		return clause.Ignored
	case n.isDir():
		return clause.IsDir
	}
	n.life++
	n.locks, n.fifo = n.locks[:0], nil
	m.ended(n)
	return clause.OK
}

// ended is what becomes of a file on a tmpfs whose uses have ended.
func (m *Model) ended(n *node) {
	if m.isTmpfs() {
		n.opens = 0
		m.unused(n)
	}
}

// revokeDevice ends all uses of the device and their locks, whichever node they came by.
func (m *Model) revokeDevice(n *node) {
	for _, o := range m.nodes.all[:m.nodes.used] {
		if o.kind() == n.kind() && o.rdev == n.rdev {
			o.life++
			m.ended(o)
		}
	}
	*m.locksOf(n) = nil
}

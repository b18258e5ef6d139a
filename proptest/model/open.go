package model

import (
	"rumpvfs/kern"
	"rumpvfs/proptest/call"
	"rumpvfs/proptest/clause"
)

// open is open and openat.
func (m *Model) open(p *proc, c *call.Call, r *call.Result) clause.Cause {
	if no := given(c.Path); no != 0 {
		return no
	}
	at := p.cwd
	if c.Op == call.Openat && c.FD != kern.AT_FDCWD {
		f, no := p.vnodeOf(c.FD)
		if no != 0 {
			return no
		}
		at = f.node
	}
	flags := kern.FFLAGS(c.Flags)
	if flags&(kern.FREAD|kern.FWRITE) == 0 {
		return clause.NoAccessMode
	}
	fd := p.table.free(0)
	if fd < 0 {
		return clause.TableFull
	}
	if flags&kern.O_CREAT != 0 && flags&kern.O_DIRECTORY != 0 {
		return clause.CreateDirectory
	}
	cause, no := m.openPath(p, c, at, flags)
	if no != 0 {
		return no
	}
	n := m.w.node
	f := m.newFile()
	f.ref, f.flags, f.super = m.use(n), flags&kern.FMASK, p.cred.isRoot()
	n.opens++
	if m.fifofs(n) {
		f.join()
		if no := f.meet(); no != 0 {
			m.release(f)
			return no
		}
	}
	if flags&(kern.O_SHLOCK|kern.O_EXLOCK) != 0 {
		if no := m.openLocked(f, flags); no != 0 {
			m.release(f)
			return no
		}
	}
	p.table.set(fd, f, flags&kern.O_CLOEXEC != 0)
	r.Ret = int64(fd)
	return cause
}

// openPath walks to the file to be opened, makes it if that is asked for, and says whether it may be opened, as what.
func (m *Model) openPath(p *proc, c *call.Call, at *node, flags int32) (cause, no clause.Cause) {
	why, h := forUse, follow
	if flags&kern.O_CREAT != 0 {
		why = forCreate
	}
	if flags&kern.O_NOFOLLOW != 0 || why == forCreate && flags&kern.O_EXCL != 0 {
		h = 0
	}
	if no = m.walk(p, &p.cred, at, c.Path, why, h); no != 0 {
		return 0, no
	}
	n := m.w.node
	if n == nil {
		perm := p.permissions(c.Mode, kern.ALLPERMS&^kern.S_ISTXT)
		made, no := m.make(&p.cred, kern.S_IFREG|perm, "")
		if m.w.node = made; made == nil {
			return 0, no
		}
		if m.w.white {
			return clause.OverWhiteout, 0
		}
		return clause.Created, 0
	}
	if flags&kern.O_CREAT != 0 && flags&kern.O_EXCL != 0 {
		return 0, clause.Exists
	}
	return m.openFound(p, n, flags)
}

// openFound says whether a file that is there may be opened.
func (m *Model) openFound(p *proc, n *node, flags int32) (cause, no clause.Cause) {
	if n.isLink() {
		return 0, clause.IsLink
	}
	if flags&kern.O_DIRECTORY != 0 && !n.isDir() {
		return 0, clause.WantedDir
	}
	want := uint32(0)
	if flags&kern.FREAD != 0 {
		want = read
	}
	if flags&(kern.FWRITE|kern.O_TRUNC) != 0 {
		if n.isDir() {
			return 0, clause.IsDir
		}
		want |= write
	}
	if no := m.may(&p.cred, n, want).because(clause.Permission, clause.Protected); no != 0 {
		return 0, no
	}
	cause = kindOpened(n)
	if flags&kern.O_TRUNC != 0 && n.isReg() {
		if no := m.setSize(p.cred.isRoot(), n, 0); no != clause.OK {
			return 0, no
		}
		cause = clause.Truncated
	}
	if m.isTmpfs() && !n.isDevice() && !n.isFifo() && n.flags&kern.APPEND != 0 && flags&(kern.FWRITE|kern.O_APPEND) == kern.FWRITE {
		return 0, clause.AppendOnly
	}
	return cause, m.opens(n)
}

func kindOpened(n *node) clause.Cause {
	switch n.kind() {
	case kern.S_IFDIR:
		return clause.Directory
	case kern.S_IFCHR, kern.S_IFBLK:
		return clause.Device
	case kern.S_IFIFO:
		return clause.Fifo
	}
	return clause.Existing
}

// opens says whether there is anything behind a name that can be opened.
func (m *Model) opens(n *node) clause.Cause {
	switch {
	case n.isFifo() && !m.has(kern.QuirkFifoIO) && !m.config.Caps.Fifos:
		return clause.NoFifo
	case n.isDevice() && (n.kind() == kern.S_IFBLK || n.rdev != devNull && n.rdev != devZero):
		return clause.NoDriver
	}
	return 0
}

// openLocked takes the lock that O_SHLOCK or O_EXLOCK asks for.
func (m *Model) openLocked(f *file, flags int32) clause.Cause {
	if m.fifofs(f.node) {
		return clause.NoLocks
	}
	q := lock{kind: kern.F_RDLCK, file: f, end: lockEnd}
	if flags&kern.O_EXLOCK != 0 {
		q.kind = kern.F_WRLCK
	}
	if !m.locksOf(f.node).set(q) {
		if flags&kern.O_NONBLOCK == 0 {
			return clause.Waits
		}
		return clause.Locked
	}
	f.flags |= kern.FHASLOCK
	return 0
}

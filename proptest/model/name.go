package model

import (
	"rumpvfs/kern"
	"rumpvfs/proptest/call"
	"rumpvfs/proptest/clause"
)

// walkNew walks to a name that is to be made.
func (m *Model) walkNew(p *proc, fd int32, path string, h how) clause.Cause {
	if no := m.walkAt(p, &p.cred, fd, path, forCreate, h); no != 0 {
		return no
	}
	if m.w.node != nil {
		return clause.Exists
	}
	return 0
}

// enter gives a file a name.
func (m *Model) enter(dir *node, name string, n *node) {
	dir.seq++
	dir.names = append(dir.names, entry{name, n, dir.seq})
	if n != nil && n.isDir() {
		n.parent = dir
		if !m.has(kern.QuirkDirNlink) {
			dir.nlink++
		}
	}
	m.modified(dir)
}

// leave takes entry i out of a directory.
func (m *Model) leave(dir *node, i int) {
	m.uncharge(entryRoom(dir.names[i].name))
	copy(dir.names[i:], dir.names[i+1:])
	dir.names[len(dir.names)-1] = entry{}
	dir.names = dir.names[:len(dir.names)-1]
	m.modified(dir)
}

// make gives a new file the name that the last walk has come to, if there is room. target is that of a symbolic link.
func (m *Model) make(c *cred, mode uint32, target string) (*node, clause.Cause) {
	if !m.room(string(m.w.name), target) {
		return nil, clause.NoSpace
	}
	n := m.newNode(mode)
	if n.isLink() {
		n.target, n.size = target, int64(len(target))
	}
	dir := m.w.dir
	if m.w.white {
		m.leave(dir, dir.find(m.w.name))
		if n.isDir() || m.has(kern.QuirkOpaqueFiles) {
			n.flags = kern.UF_OPAQUE
		}
	}
	if !m.has(kern.QuirkOwnerRoot) {
		n.uid, n.gid = c.euid, dir.gid
		if !n.isDir() && !c.isRoot() && !c.inGroup(n.gid) && !m.isTmpfs() {
			n.mode &^= kern.S_ISGID
		}
	}
	m.enter(dir, string(m.w.name), n)
	return n, m.made()
}

// made is the cause of having made a name.
func (m *Model) made() clause.Cause {
	if m.w.white {
		return clause.OverWhiteout
	}
	return clause.OK
}

// permissions are those of a new file: what was asked for without the umask.
func (p *proc) permissions(mode, mask uint32) uint32 { return mode & mask &^ p.umask }

func (m *Model) mkdir(p *proc, c *call.Call, _ *call.Result) clause.Cause {
	fd := int32(kern.AT_FDCWD)
	if c.Op == call.Mkdirat {
		fd = c.FD
	}
	if no := m.walkNew(p, fd, c.Path, makesDir); no != 0 {
		return no
	}
	_, no := m.make(&p.cred, kern.S_IFDIR|p.permissions(c.Mode, kern.ACCESSPERMS), "")
	return no
}

func (m *Model) mkfifo(p *proc, c *call.Call, _ *call.Result) clause.Cause {
	if no := m.walkNew(p, kern.AT_FDCWD, c.Path, 0); no != 0 {
		return no
	}
	_, no := m.make(&p.cred, kern.S_IFIFO|p.permissions(c.Mode, kern.ALLPERMS), "")
	return no
}

func (m *Model) symlink(p *proc, c *call.Call, _ *call.Result) clause.Cause {
	switch given(c.Path2) {
	case clause.Null:
		return clause.TargetNull
	case clause.PathLong:
		return clause.TargetLong
	}
	if no := m.walkNew(p, kern.AT_FDCWD, c.Path, 0); no != 0 {
		return no
	}
	_, no := m.make(&p.cred, kern.S_IFLNK|p.permissions(kern.ACCESSPERMS, kern.ACCESSPERMS), c.Path2)
	return no
}

func (m *Model) mknod(p *proc, c *call.Call, _ *call.Result) clause.Cause {
	if !p.cred.isRoot() {
		return clause.NotSuper
	}
	if no := m.walkNew(p, kern.AT_FDCWD, c.Path, 0); no != 0 {
		return no
	}
	perm := p.permissions(c.Mode, kern.ALLPERMS)
	switch kind := c.Mode & kern.S_IFMT; kind {
	case kern.S_IFCHR, kern.S_IFBLK:
		if kern.Dev(c.N) == kern.NODEV {
			return clause.NoDevice
		}
		n, no := m.make(&p.cred, kind|perm, "")
		if n == nil {
			return no
		}
		n.rdev = kern.Dev(c.N)
		return clause.Device
	case kern.S_IFREG:
		_, no := m.make(&p.cred, kind|perm, "")
		return no
	case kern.S_IFWHT:
		return m.makeWhiteout()
	}
	return clause.BadType
}

// makeWhiteout enters a whiteout, in the place of an older one if there is one, on a tmpfs beside it.
func (m *Model) makeWhiteout() clause.Cause {
	if m.isTmpfs() {
		if !m.chargeEntry(string(m.w.name)) {
			return clause.NoSpace
		}
	} else if m.w.white {
		m.leave(m.w.dir, m.w.dir.find(m.w.name))
	}
	m.enter(m.w.dir, string(m.w.name), nil)
	return clause.MadeWhiteout
}

func (m *Model) undelete(p *proc, c *call.Call, _ *call.Result) clause.Cause {
	if no := m.walkAt(p, &p.cred, kern.AT_FDCWD, c.Path, forDelete, whiteouts); no != 0 {
		return no
	}
	if m.w.node != nil {
		return clause.NotWhiteout
	}
	m.leave(m.w.dir, m.w.dir.find(m.w.name))
	return clause.OK
}

// remove is unlink, rmdir and unlinkat.
func (m *Model) remove(p *proc, c *call.Call, _ *call.Result) clause.Cause {
	fd, rmdir := int32(kern.AT_FDCWD), c.Op == call.Rmdir
	if c.Op == call.Unlinkat {
		fd, rmdir = c.FD, c.Flags&kern.AT_REMOVEDIR != 0
	}
	if no := m.walkAt(p, &p.cred, fd, c.Path, forDelete, 0); no != 0 {
		return no
	}
	dir, n := m.w.dir, m.w.node
	switch {
	case n == m.root:
		return clause.RootBusy
	case dir == n:
		return clause.Dot
	case n.isDir() && !rmdir:
		return clause.IsDir
	case !n.isDir() && rmdir:
		return clause.NotDir
	case rmdir && !n.empty():
		return clause.NotEmpty
	}
	if no := m.mayRemove(&p.cred, dir, n); no != 0 {
		return no
	}
	return m.unname(dir, n)
}

// empty reports whether a directory has no names but whiteouts.
func (n *node) empty() bool {
	for i := range n.names {
		if n.names[i].node != nil {
			return false
		}
	}
	return true
}

// unname takes the name that the last walk has found away from n.
func (m *Model) unname(dir, n *node) clause.Cause {
	m.leave(dir, dir.find(m.w.name))
	m.lose(dir, n)
	switch {
	case n.opens > 0:
		return clause.StillOpen
	case n.nlink > 0 && !n.gone:
		return clause.OtherNames
	}
	return clause.OK
}

// lose does to a file what losing a name in dir does.
func (m *Model) lose(dir, n *node) {
	if n.isDir() {
		n.gone, n.parent = true, nil
		for i := range n.names {
			m.uncharge(entryRoom(n.names[i].name))
		}
		clear(n.names)
		n.names = n.names[:0]
		if !m.has(kern.QuirkDirNlink) {
			dir.nlink--
		}
		if !m.has(kern.QuirkNlinkKept) {
			n.nlink = 0
		}
		m.unused(n)
		return
	}
	n.gone = n.nlink == 1
	if !m.has(kern.QuirkNlinkKept) {
		n.nlink--
	} else if !n.gone {
		n.nlink--
	}
	m.forget(n)
}

// forget gives a file's storage back if nobody can come to it any more.
func (m *Model) forget(n *node) {
	if m.isTmpfs() {
		m.unused(n)
		return
	}
	if n.gone && n.opens == 0 && n.isReg() {
		m.resize(n, 0)
	}
}

func (m *Model) readlink(p *proc, c *call.Call, r *call.Result) clause.Cause {
	if no := m.find(p, c.Path, 0); no != 0 {
		return no
	}
	n := m.w.node
	if !n.isLink() {
		return clause.NotLink
	}
	m.accessed(n)
	k := min(len(n.target), c.Buffer())
	r.Data = append(r.Data, n.target[:k]...)
	r.Ret = int64(k)
	if k < len(n.target) {
		return clause.Short
	}
	return clause.OK
}

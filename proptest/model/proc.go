package model

import (
	"strconv"

	"rumpvfs/kern"
	"rumpvfs/proptest/call"
	"rumpvfs/proptest/clause"
)

func (m *Model) rfork(p *proc, c *call.Call, r *call.Result) clause.Cause {
	child := *p
	m.lastPid++
	child.pid = m.lastPid
	cause := clause.Shared
	switch c.Flags {
	case call.RforkCopy:
		child.table = m.newTable()
		child.table.slots, child.table.top = p.table.slots, p.table.top
		for fd := range child.table.top {
			if f := child.table.slots[fd].file; f != nil {
				f.refs++
			}
		}
		cause = clause.Copied
	case call.RforkClear:
		child.table = m.newTable()
		cause = clause.Cleared
	default:
		p.table.procs++
	}
	r.Ret = child.pid
	m.procs = append(m.procs, child)
	return cause
}

func (m *Model) exit(p *proc, _ *call.Call, _ *call.Result) clause.Cause {
	cause := m.closeAll(p) // while it still is in its directories
	p.here = false
	m.unused(p.cwd)
	m.unused(p.root)
	return cause
}

// closeAll closes the descriptors of a process that has exited, unless others have them too.
func (m *Model) closeAll(p *proc) clause.Cause {
	if p.table.procs--; p.table.procs > 0 {
		return clause.StillOpen
	}
	for fd := range p.table.top {
		if p.table.slots[fd].file != nil {
			m.closeFD(p, fd)
		}
	}
	return clause.OK
}

func (m *Model) umask(p *proc, c *call.Call, r *call.Result) clause.Cause {
	r.Ret = int64(p.umask)
	p.umask = c.Mode & kern.ALLPERMS
	return clause.OK
}

func (m *Model) getpid(p *proc, _ *call.Call, r *call.Result) clause.Cause {
	r.Ret = p.pid
	return clause.OK
}

func (m *Model) getids(p *proc, _ *call.Call, r *call.Result) clause.Cause {
	c := &p.cred
	for _, id := range [...]struct {
		name string
		id   uint32
	}{{"uid=", c.uid}, {" euid=", c.euid}, {" gid=", c.gid}, {" egid=", c.egid}} {
		r.Data = append(r.Data, id.name...)
		r.Data = strconv.AppendUint(r.Data, uint64(id.id), 10)
	}
	return clause.OK
}

// setid is setuid, seteuid, setgid and setegid.
func (m *Model) setid(p *proc, c *call.Call, _ *call.Result) clause.Cause {
	cr, id := &p.cred, c.UID
	real, saved, effective := &cr.uid, &cr.svuid, &cr.euid
	if c.Op == call.Setgid || c.Op == call.Setegid {
		id = c.GID
		real, saved, effective = &cr.gid, &cr.svgid, &cr.egid
	}
	all := c.Op == call.Setuid || c.Op == call.Setgid
	switch {
	case id == noID:
		return clause.Nothing
	case id != *real && (all || id != *saved) && !cr.isRoot():
		return clause.NotSuper
	case all:
		*real, *saved = id, id
	}
	*effective = id
	return clause.OK
}

func (m *Model) setgroups(p *proc, c *call.Call, _ *call.Result) clause.Cause {
	switch {
	case len(c.Data)/4 > kern.NGROUPS:
		return clause.TooManyGroups
	case !p.cred.isRoot():
		return clause.NotSuper
	}
	p.cred.ngroups = len(c.AppendGroups(p.cred.groups[:0]))
	return clause.OK
}

// directory says whether a file may become the working or the root directory.
func (m *Model) directory(p *proc, n *node) clause.Cause {
	switch {
	case !n.isDir():
		return clause.NotDir
	case m.may(&p.cred, n, execute) != allowed:
		return clause.NotSearchable
	}
	return 0
}

func (m *Model) chdir(p *proc, c *call.Call, _ *call.Result) clause.Cause {
	if no := m.find(p, c.Path, follow); no != 0 {
		return no
	}
	if no := m.directory(p, m.w.node); no != 0 {
		return no
	}
	m.goTo(p, m.w.node)
	return clause.OK
}

func (m *Model) fchdir(p *proc, c *call.Call, _ *call.Result) clause.Cause {
	f, no := p.vnodeOf(c.FD)
	if no != 0 {
		return no
	}
	if no := m.directory(p, f.node); no != 0 {
		return no
	}
	if p.root != nil && !m.isUnder(&p.cred, f.node, p.root) {
		return clause.Outside
	}
	m.goTo(p, f.node)
	return clause.OK
}

// goTo makes a directory the working directory.
func (m *Model) goTo(p *proc, n *node) {
	old := p.cwd
	p.cwd = n
	m.unused(old)
}

// chroot is chroot and fchroot.
func (m *Model) chroot(p *proc, c *call.Call, _ *call.Result) clause.Cause {
	if !p.cred.isRoot() {
		return clause.NotSuper
	}
	var n *node
	if c.Op == call.Fchroot {
		f, no := p.vnodeOf(c.FD)
		if no != 0 {
			return no
		}
		n = f.node
	} else {
		if no := m.find(p, c.Path, follow); no != 0 {
			return no
		}
		n = m.w.node
	}
	if no := m.directory(p, n); no != 0 {
		return no
	}
	old := p.root
	p.root = n
	m.unused(old)
	if !m.isUnder(&p.cred, p.cwd, n) {
		m.goTo(p, n)
		return clause.Moved
	}
	return clause.OK
}

// getcwd goes up from the working directory, name by name.
func (m *Model) getcwd(p *proc, c *call.Call, r *call.Result) clause.Cause {
	room := int64(int32(c.N))
	if room < 2 {
		return clause.ShortBuffer
	}
	room = min(room, 4*kern.MAXPATHLEN)
	path, no := m.pathOf(&p.cred, p.cwd, p.rootDir(m), int(room), true)
	if no != 0 && no != clause.Partial {
		return no
	}
	r.Data = append(r.Data, path...)
	r.Ret = int64(len(path) + 1)
	return no.OrOK()
}

// pathOf is the path of a directory below top, whose length with its NUL must not be more than room. With checks c must
// be allowed to read every directory that is searched for a name. That is by reading them, so that their times move.
func (m *Model) pathOf(c *cred, dir, top *node, room int, checks bool) ([]byte, clause.Cause) {
	buf := m.bufs[0][:]
	at := len(buf)
	used := 1 // the NUL
	if dir == top {
		return append(buf[:0], '/'), 0
	}
	want := uint32(execute)
	for dir != top {
		up, name, no := m.goUp(c, dir, want, checks)
		if no != 0 {
			return nil, no
		}
		if checks {
			want = execute | read
		}
		used += len(name) + 1
		if used > room {
			return nil, clause.ShortBuffer
		}
		if used > len(buf) {
			grown := make([]byte, 2*len(buf)+used)
			copy(grown[len(grown)-(len(buf)-at):], buf[at:])
			at += len(grown) - len(buf)
			buf = grown
		}
		at -= len(name) + 1
		buf[at] = '/'
		copy(buf[at+1:], name)
		dir = up
		if used == room && room%2 != 0 && dir != top && m.has(kern.QuirkGetcwdLimit) {
			return buf[at:], clause.Partial
		}
	}
	return buf[at:], 0
}

// goUp gives the directory above dir, and the name that dir has there, each in a step of its own. With checks c must be allowed to use dir as want asks.
func (m *Model) goUp(c *cred, dir *node, want uint32, checks bool) (up *node, name string, no clause.Cause) {
	k := m.look(func() (k look) {
		switch {
		case checks && m.may(c, dir, want) != allowed:
			k.no = clause.Search
		case dir == m.root:
			k.no = clause.Outside
		case m.may(c, dir, execute) != allowed:
			k.no = clause.Search
		case dir.parent == nil:
			k.no = clause.Removed
		default:
			k.found = m.above(dir)
		}
		return k
	})
	if k.no != 0 {
		return nil, "", k.no
	}
	named := m.look(func() (n look) {
		if !m.isTmpfs() {
			m.accessed(k.found)
		}
		if n.name = dir.nameIn(k.found); n.name == "" {
			n.no = clause.Removed
		}
		return n
	})
	return k.found, named.name, named.no
}

// nameIn is the name that a directory has in its parent.
func (n *node) nameIn(parent *node) string {
	for i := len(parent.names) - 1; i >= 0; i-- {
		if parent.names[i].node == n {
			return parent.names[i].name
		}
	}
	return ""
}

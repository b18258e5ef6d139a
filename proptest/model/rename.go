package model

import (
	"rumpvfs/kern"
	"rumpvfs/proptest/call"
	"rumpvfs/proptest/clause"
)

func (m *Model) link(p *proc, c *call.Call, _ *call.Result) clause.Cause {
	if no := m.find(p, c.Path, follow); no != 0 {
		return no
	}
	n := m.w.node
	switch no := m.walkNew(p, kern.AT_FDCWD, c.Path2, 0); {
	case no != 0:
		return no
	case n.isDir():
		return clause.IsDir
	case !m.config.Caps.Link:
		return clause.NoLink
	case n.nlink >= kern.LINK_MAX:
		return clause.LinkMax
	case n.flags&(kern.IMMUTABLE|kern.APPEND) != 0:
		return clause.Protected
	}
	if m.w.white {
		m.leave(m.w.dir, m.w.dir.find(m.w.name))
	}
	n.nlink++
	m.enter(m.w.dir, string(m.w.name), n)
	return m.made()
}

// isDots reports whether a name is "." or "..".
func isDots(name []byte) bool {
	return len(name) == 1 && name[0] == '.' || len(name) == 2 && name[0] == '.' && name[1] == '.'
}

func (m *Model) rename(p *proc, c *call.Call, _ *call.Result) clause.Cause {
	if no := given(c.Path); no != 0 {
		return no
	}
	switch given(c.Path2) {
	case clause.Null:
		return clause.TargetNull
	case clause.PathLong:
		return clause.TargetLong
	}
	if no := m.walkAt(p, &p.cred, kern.AT_FDCWD, c.Path, forDelete, 0); no != 0 {
		return no
	}
	from := m.w
	if isDots(from.name) {
		return clause.Dot
	}
	name := string(from.name)
	h := how(0)
	if from.node.isDir() {
		h = makesDir
	}
	if no := m.walkAt(p, &p.cred, kern.AT_FDCWD, c.Path2, forRename, h); no != 0 {
		return no
	}
	if isDots(m.w.name) {
		return clause.Dot
	}
	if no := m.mayRename(p, from, name); no != 0 {
		return no
	}
	return m.move(from, name)
}

// mayRename says whether what from has found may get the name that the last walk has come to, or that this has happened.
func (m *Model) mayRename(p *proc, from walk, name string) clause.Cause {
	n, to := from.node, m.w.node
	switch {
	case to != nil && n.isDir() && !to.isDir():
		return clause.NotDir
	case to != nil && !n.isDir() && to.isDir():
		return clause.IsDir
	case n == m.w.dir:
		return clause.Within
	case to == n && from.dir == m.w.dir && name == string(m.w.name):
		return clause.SameName
	case n.isDir() && m.w.dir.isBelow(n):
		return clause.Within
	case to != nil && to.isDir() && to != n && !to.empty():
		return clause.NotEmpty
	}
	if no := m.mayRemove(&p.cred, from.dir, n); no != 0 {
		return no
	}
	if to != nil && to != n {
		return m.mayRemove(&p.cred, m.w.dir, to)
	}
	return 0
}

// isBelow reports whether a directory is in another, at any depth.
func (n *node) isBelow(top *node) bool {
	for d := n; d != nil; d = d.parent {
		if d == top {
			return true
		}
		if d.parent == d {
			break
		}
	}
	return false
}

// move gives what from has found the name that the last walk has come to. A file renamed to another name of itself loses the
// first.
func (m *Model) move(from walk, name string) clause.Cause {
	n, dir, to := from.node, m.w.dir, m.w.node
	if to == n && m.config.Caps.PosixRename {
		return clause.SameName
	}
	if to == n {
		m.leave(from.dir, from.dir.find([]byte(name)))
		m.lose(from.dir, n)
		return clause.SameFile
	}
	cause := clause.OK
	if to != nil {
		m.leave(dir, dir.find(m.w.name))
		m.lose(dir, to)
		cause = clause.Replaced
	}
	if m.w.white {
		m.leave(dir, dir.find(m.w.name))
	}
	m.leave(from.dir, from.dir.find([]byte(name)))
	if n.isDir() && !m.has(kern.QuirkDirNlink) {
		from.dir.nlink--
	}
	m.enter(dir, string(m.w.name), n)
	return cause
}

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
	if m.isTmpfs() && !m.chargeEntry(string(m.w.name)) {
		return clause.NoSpace
	}
	if m.w.white && !m.isTmpfs() {
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
	if no := m.walkAt(p, &p.cred, kern.AT_FDCWD, c.Path, forDelete, apart); no != 0 {
		return no
	}
	from := m.w
	if isDots(from.name) {
		return clause.Dot
	}
	name := string(from.name)
	h := apart
	if from.node.isDir() {
		h |= makesDir
	}
	if no := m.walkAt(p, &p.cred, kern.AT_FDCWD, c.Path2, forRename, h); no != 0 {
		return no
	}
	if isDots(m.w.name) {
		return clause.Dot
	}
	if m.steps != nil {
		if no := m.renameApart(p, &from, name); no != 0 {
			return no
		}
	}
	if no := m.mayRename(p, from, name); no != 0 {
		return no
	}
	return m.move(from, name)
}

// renameApart looks once more at what a rename in steps has found: first at what has the new name now, together with what is in the
// way, then, as the last step begins, at both names.
func (m *Model) renameApart(p *proc, from *walk, name string) clause.Cause {
	k := m.look(func() look {
		k := m.relook(m.w.dir, string(m.w.name))
		m.w.node, m.w.white = k.found, k.white
		if k.no = m.odd(*from, name); k.no == 0 && m.w.dir.gone {
			k.no = clause.DirRemoved
		}
		return k
	})
	if k.no != 0 {
		return k.no
	}
	if m.pause() {
		return unfinished
	}
	if from.dir.gone || m.w.dir.gone {
		return clause.DirRemoved
	}
	old := m.relook(from.dir, name)
	if old.found == nil {
		return clause.Absent
	}
	from.node = old.found
	k = m.relook(m.w.dir, string(m.w.name))
	m.w.node, m.w.white = k.found, k.white
	return 0
}

// relook looks a name up again.
func (m *Model) relook(dir *node, name string) (k look) {
	if i := dir.find([]byte(name)); i >= 0 {
		k.found = dir.names[i].node
		k.white = k.found == nil
	}
	return k
}

// odd says whether a rename makes no sense, or has happened.
func (m *Model) odd(from walk, name string) clause.Cause {
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
	}
	return 0
}

// mayRename says whether what from has found may get the name that the last walk has come to, or that this has happened.
func (m *Model) mayRename(p *proc, from walk, name string) clause.Cause {
	if no := m.odd(from, name); no != 0 {
		return no
	}
	if m.isTmpfs() {
		return m.tmpMayRename(p, from)
	}
	n, to := from.node, m.w.node
	switch {
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
	if m.isTmpfs() {
		return m.tmpMove(from, name)
	}
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

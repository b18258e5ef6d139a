package model

import (
	"math"

	"rumpvfs/kern"
	"rumpvfs/proptest/call"
	"rumpvfs/proptest/clause"
)

// getdents reads names, the newest first; "." and ".." are not among them.
//
// The offset of a directory is 0 at its beginning. From then on it is the seq of the last name read, so that names that
// come and go in between do not matter; with quirk readdir-index it counts names instead.
func (m *Model) getdents(p *proc, c *call.Call, r *call.Result) clause.Cause {
	f, no := p.vnodeOf(c.FD)
	switch {
	case no != 0:
		return no
	case f.flags&kern.FREAD == 0:
		return clause.NotReadable
	case !f.node.isDir():
		return clause.NotDir
	}
	n, room := f.node, int64(min(c.Buffer(), kern.MAXBSIZE))
	if m.isTmpfs() {
		return m.tmpGetdents(f, room, r)
	}
	at, pos := n.seek(f.off, m.has(kern.QuirkReaddirIndex))
	left, cookie := room, f.off
	for at >= 0 && left > 0 {
		e := &n.names[at]
		reclen := int64(kern.DirentReclen(len(e.name)))
		if reclen > left {
			break
		}
		m.give(r, e)
		left, cookie = left-reclen, int64(e.seq)
		at--
		pos++
	}
	r.Ret = room - left
	if r.Ret > 0 {
		m.accessed(n)
	}
	full := at >= 0 && left > 0 // an entry did not fit
	if full && m.has(kern.QuirkReaddirRepeats) {
		pos--
	}
	if f.off = cookie; m.has(kern.QuirkReaddirIndex) {
		f.off = int64(pos)
	}
	switch {
	case full && r.Ret == 0 && !m.has(kern.QuirkReaddirRepeats):
		return clause.ShortBuffer
	case full && r.Ret == 0:
		return clause.WentBack
	case full:
		return clause.Short
	case room == 0:
		return clause.Nothing
	case r.Ret == 0:
		return clause.EOF
	}
	return clause.OK
}

// seek gives the index of the name that an offset stands for, or -1 at the end, and the offset as a count of names.
func (n *node) seek(off int64, counts bool) (at int, pos uint32) {
	last := len(n.names) - 1
	if counts {
		if off > int64(last) {
			return -1, uint32(len(n.names))
		}
		return last - int(off), uint32(off)
	}
	if off == 0 {
		off = math.MaxInt64
	}
	for last >= 0 && n.names[last].seq >= uint64(off) {
		last--
	}
	return last, 0
}

// give appends an entry to a result.
func (m *Model) give(r *call.Result, e *entry) {
	if e.node == nil {
		r.Data = call.AppendEntry(r.Data, kern.DT_WHT, m.show(&m.white), e.name)
		return
	}
	r.Data = call.AppendEntry(r.Data, kern.IFTODT(e.node.mode), m.show(&e.node.ino), e.name)
}

// show gives the alias of an inode, which it gets when it is shown first.
func (m *Model) show(alias *uint32) uint32 {
	if *alias == 0 {
		m.seen++
		*alias = m.seen
	}
	return *alias
}

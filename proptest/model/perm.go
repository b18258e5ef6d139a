package model

import (
	"rumpvfs/kern"
	"rumpvfs/proptest/clause"
)

// What somebody wants to do to a file, as the low permission bits have it.
const (
	execute = 1
	write   = 2
	read    = 4
)

// isRoot reports whether the superuser's privileges are there.
func (c *cred) isRoot() bool { return c.euid == 0 }

// inGroup reports whether a group is the effective or a supplementary one.
func (c *cred) inGroup(gid uint32) bool { return c.egid == gid || c.isSupplementary(gid) }

func (c *cred) isSupplementary(gid uint32) bool {
	for _, g := range c.groups[:c.ngroups] {
		if g == gid {
			return true
		}
	}
	return false
}

// A right is the answer to whether somebody may.
type right uint8

const (
	allowed   right = iota
	denied          // by the permission bits
	protected       // by file flags
	frozen          // by a file system that is mounted read-only
)

// may says whether c may use n as want asks. The superuser may do everything but execute what nobody may execute.
func (m *Model) may(c *cred, n *node, want uint32) right {
	if want&write != 0 && m.readOnly && (n.isDir() || n.isLink() || n.isReg()) {
		return frozen
	}
	if want&write != 0 && n.flags&kern.IMMUTABLE != 0 && !m.has(kern.QuirkFileFlags) {
		return protected
	}
	if c.isRoot() && (want&execute == 0 || n.isDir() || n.mode&0o111 != 0) {
		return allowed
	}
	switch {
	case c.euid == n.uid:
		want <<= 6
	case c.inGroup(n.gid):
		want <<= 3
	}
	if n.mode&want != want {
		return denied
	}
	return allowed
}

// because turns a right into a cause: none, or one of two.
func (r right) because(bits, flags clause.Cause) clause.Cause {
	switch r {
	case denied:
		return bits
	case protected:
		return flags
	case frozen:
		return clause.ReadOnly
	}
	return 0
}

// mayRemove says whether c may take n out of dir, which it may write to.
func (m *Model) mayRemove(c *cred, dir, n *node) clause.Cause {
	const kept = kern.IMMUTABLE | kern.APPEND
	if !m.has(kern.QuirkFileFlags) && (n.flags&kept != 0 || dir.flags&kern.APPEND != 0) {
		return clause.Protected
	}
	if m.sticks(c, dir, n) {
		return clause.Sticky
	}
	return 0
}

// sticks reports whether the sticky bit of dir keeps c from taking n out of it.
func (m *Model) sticks(c *cred, dir, n *node) bool {
	sticky := dir.mode&kern.S_ISTXT != 0 && !m.has(kern.QuirkSticky)
	return sticky && !c.isRoot() && c.euid != dir.uid && c.euid != n.uid
}

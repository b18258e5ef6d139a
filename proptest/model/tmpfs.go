package model

import (
	"fmt"
	"math"
	"slices"

	"rumpvfs/kern"
	"rumpvfs/proptest/call"
	"rumpvfs/proptest/clause"
)

// What is otherwise on a tmpfs (Caps.Tmpfs) than on rumpfs, besides what other files ask it for: it accounts for what it
// uses, numbers its files, says so in statvfs, and lists directories in its own way.

// What things on a tmpfs count for, in bytes. Files count by the page.
const (
	tmpNode  = 216
	tmpEntry = 48
	tmpNames = 32 // names are rounded up to a multiple of it
	tmpFree  = (1<<20 - 1<<10) << kern.PAGE_SHIFT
)

// tmpNone is how many files there may be without a limit.
const tmpNone = math.MaxInt32

// A tmp is what a tmpfs keeps besides its files.
type tmp struct {
	usage
	told usage // what statvfs has told last
	// Numbers of files: the first is 2, whiteouts have 1. The one that was given up last is used again first, and is shown
	// by the same alias.
	lastID  uint64
	free    []uint64
	aliases []uint32 // by number
}

// A usage is what is in use.
type usage struct{ bytes, files uint64 }

// tmpfsQuirks are the quirks that a kernel with others has as far as a tmpfs goes. It shares three with rumpfs.
func tmpfsQuirks(s kern.Quirks) kern.Quirks {
	for _, q := range kern.AllQuirks() {
		if q.Info().Layer == "rumpfs" {
			s = s.Without(q)
		}
	}
	return s.With(kern.QuirkSetIDKept).With(kern.QuirkOpaqueFiles).With(kern.QuirkUndelete)
}

func (m *Model) isTmpfs() bool { return m.config.Caps.Tmpfs }

func (t *tmp) reset() {
	t.usage, t.told, t.lastID = usage{}, usage{}, 1
	t.free, t.aliases = t.free[:0], append(t.aliases[:0], 0, 0)
}

func (t *tmp) copyFrom(from *tmp) {
	free, aliases := append(t.free[:0], from.free...), append(t.aliases[:0], from.aliases...)
	*t = *from
	t.free, t.aliases = free, aliases
}

func roundUp(n, unit uint64) uint64 { return (n + unit - 1) / unit * unit }

// most is how many bytes may be in use.
func (m *Model) most() uint64 {
	most := roundUp(m.tmp.bytes, kern.PAGE_SIZE) + tmpFree
	if n := m.config.Caps.TmpBytes; n >= kern.PAGE_SIZE {
		return min(most, uint64(n))
	}
	return most
}

// mostFiles is how many files there may be.
func (m *Model) mostFiles() uint64 {
	switch c := &m.config.Caps; {
	case c.TmpFiles > 3:
		return min(uint64(c.TmpFiles), tmpNone)
	case c.TmpBytes >= kern.PAGE_SIZE:
		return min(3+uint64(c.TmpBytes)/1024, tmpNone)
	}
	return tmpNone
}

// charge counts n more bytes, unless there would be too many. Other file systems have room for all names.
func (m *Model) charge(n uint64) bool {
	switch {
	case !m.isTmpfs():
		return true
	case n > math.MaxInt64 || m.tmp.bytes+n >= m.most():
		return false
	}
	m.tmp.bytes += n
	return true
}

func (m *Model) uncharge(n uint64) {
	if m.isTmpfs() {
		m.tmp.bytes -= n
	}
}

func nameRoom(name string) uint64 { return roundUp(uint64(len(name)), tmpNames) }

func entryRoom(name string) uint64 { return tmpEntry + nameRoom(name) }

// targetRoom is what the target of a symbolic link counts for; an empty one has no NUL either.
func targetRoom(target string) uint64 {
	if target == "" {
		return 0
	}
	return roundUp(uint64(len(target))+1, tmpNames)
}

// room counts a new file with its target and its name, or says that there is none. A file of which the rest does not fit
// stays counted as a file.
func (m *Model) room(name, target string) bool {
	if !m.isTmpfs() {
		return true
	}
	if m.tmp.files+1 >= m.mostFiles() {
		return false
	}
	m.tmp.files++
	if !m.charge(tmpNode) {
		return false
	}
	if !m.charge(targetRoom(target)) {
		m.uncharge(tmpNode)
		m.tmp.files--
		return false
	}
	if !m.chargeEntry(name) {
		m.uncharge(tmpNode + targetRoom(target))
		m.tmp.files--
		return false
	}
	return true
}

// chargeEntry counts a directory entry.
func (m *Model) chargeEntry(name string) bool {
	if !m.charge(tmpEntry) {
		return false
	}
	if !m.charge(nameRoom(name)) {
		m.uncharge(tmpEntry)
		return false
	}
	return true
}

// number gives a new file its number, and the alias that goes with that.
func (t *tmp) number(n *node) {
	if k := len(t.free); k > 0 {
		n.id = t.free[k-1]
		t.free = t.free[:k-1]
	} else {
		t.lastID++
		n.id = t.lastID
		t.aliases = append(t.aliases, 0)
	}
	n.ino = t.aliases[n.id]
}

// unused gives back what a file has that has no name and that nobody uses.
func (m *Model) unused(n *node) {
	if !m.isTmpfs() || n == nil || !n.gone || n.opens > 0 || n.id == 0 {
		return
	}
	for i := range m.procs {
		if p := &m.procs[i]; p.here && (p.cwd == n || p.root == n) {
			return
		}
	}
	m.tmp.aliases[n.id] = n.ino
	m.tmp.free = append(m.tmp.free, n.id)
	n.id = 0
	m.tmp.files--
	m.uncharge(tmpNode)
	switch {
	case n.isLink():
		m.uncharge(targetRoom(n.target))
	case n.isReg():
		m.uncharge(roundUp(uint64(n.size), kern.PAGE_SIZE))
		m.cut(n, 0)
	}
}

// tmpResize changes the size of a file, if there is memory for that.
func (m *Model) tmpResize(n *node, size int64) bool {
	was, will := roundUp(uint64(n.size), kern.PAGE_SIZE), roundUp(uint64(size), kern.PAGE_SIZE)
	if will > was && !m.charge(will-was) {
		return false
	}
	if will < was {
		m.uncharge(was - will)
	}
	if size < n.size {
		m.cut(n, size)
	}
	n.size = size
	return true
}

// tmpSize is the size of a file: entries of a directory count, and the NUL of a link's target.
func tmpSize(n *node) int64 {
	switch {
	case n.isReg():
		return n.size
	case n.isDir():
		return int64(len(n.names)) * tmpEntry
	case n.isLink() && n.target != "":
		return int64(len(n.target)) + 1
	}
	return 0
}

// aboutTmpfs is what statvfs tells, now or what it has told last.
func (m *Model) aboutTmpfs(b []byte, u usage) []byte {
	now := m.tmp.usage
	m.tmp.usage = u
	most := m.most()
	m.tmp.usage = now
	pages := (most - u.bytes) / kern.PAGE_SIZE
	files := min(m.mostFiles()-u.files, pages*kern.PAGE_SIZE/tmpNode)
	return fmt.Appendf(b, `0 type=tmpfs on="/" from="tmpfs" flag=0x1000 bsize=4096 frsize=4096 iosize=4096 blocks=%d bfree=%d bavail=%d `+
		`bresvd=0 files=%d ffree=%d favail=%d fresvd=0 namemax=255 owner=0`, most/kern.PAGE_SIZE, pages, pages, u.files+files, files, files)
}

// Where "." and ".." are in a directory, and its end; names come from 3 on.
const (
	tmpDotdot = 1
	tmpEnd    = 2
)

// tmpGetdents reads names, "." and ".." and then the oldest first. The offset is that of the name to come; if that has gone
// meanwhile it is an error.
func (m *Model) tmpGetdents(f *file, room int64, r *call.Result) clause.Cause {
	n, left := f.node, room
	if n.gone {
		return clause.EOF
	}
	m.accessed(n)
	put := func(name string, give func(), next uint64) bool {
		reclen := int64(kern.DirentReclen(len(name)))
		if reclen > left {
			return false
		}
		give()
		left -= reclen
		f.off, r.Ret = int64(next), room-left
		return true
	}
	if f.off == 0 && !put(".", func() { m.giveDir(r, ".", n) }, tmpDotdot) {
		return clause.Short
	}
	if f.off == tmpDotdot && !put("..", func() { m.giveDir(r, "..", n.parent) }, n.next(0)) {
		return clause.Short
	}
	at := slices.IndexFunc(n.names, func(e entry) bool { return int64(e.seq) == f.off })
	switch {
	case f.off == tmpEnd && r.Ret == 0:
		return clause.EOF
	case f.off == tmpEnd:
		return clause.OK
	case at < 0:
		return clause.NoEntry
	}
	for ; at < len(n.names) && left > 0; at++ {
		e := &n.names[at]
		if !put(e.name, func() { m.give(r, e) }, n.next(at+1)) {
			return clause.Short
		}
	}
	return clause.OK
}

// place is which name of a directory an offset stands for, by its place among them.
func (n *node) place(off int64) uint64 {
	if off <= tmpEnd {
		return uint64(off)
	}
	return uint64(slices.IndexFunc(n.names, func(e entry) bool { return int64(e.seq) == off }) + tmpEnd + 2)
}

// next is the offset of name i of a directory.
func (n *node) next(i int) uint64 {
	if i < len(n.names) {
		return n.names[i].seq
	}
	return tmpEnd
}

func (m *Model) giveDir(r *call.Result, name string, n *node) {
	r.Data = call.AppendEntry(r.Data, kern.DT_DIR, m.show(&n.ino), name)
}

// tmpMayRename says whether what from has found may get the name that the last walk has come to, once that makes sense.
func (m *Model) tmpMayRename(p *proc, from walk) clause.Cause {
	const kept = kern.IMMUTABLE | kern.APPEND
	n, dir, to := from.node, m.w.dir, m.w.node
	if n == to {
		if (from.dir.flags|n.flags)&kept != 0 {
			return clause.Protected
		}
		return 0
	}
	if n.isDir() && dir.isBelow(n) {
		return clause.Within
	}
	if to != nil && to.isDir() && len(to.names) > 0 {
		return clause.NotEmpty
	}
	flags := (from.dir.flags|n.flags)&kept | dir.flags&kern.IMMUTABLE
	if to != nil {
		flags |= (dir.flags | to.flags) & kept
	}
	if flags != 0 {
		return clause.Protected
	}
	for _, d := range [...]*node{from.dir, dir} {
		if m.may(&p.cred, d, write) != allowed {
			return clause.DirWrite
		}
	}
	if n.isDir() && from.dir != dir && m.may(&p.cred, n, write) != allowed {
		return clause.Permission
	}
	return 0
}

// tmpMove gives what from has found the name that the last walk has come to. In one directory its entry keeps its place.
func (m *Model) tmpMove(from walk, name string) clause.Cause {
	n, dir, to := from.node, m.w.dir, m.w.node
	newName := string(m.w.name)
	if to == n {
		m.leave(from.dir, from.dir.find([]byte(name)))
		m.lose(from.dir, n)
		return clause.SameFile
	}
	if !m.charge(nameRoom(newName)) {
		return clause.NoSpace
	}
	cause := clause.OK
	if to != nil {
		m.leave(dir, dir.find(m.w.name))
		m.lose(dir, to)
		cause = clause.Replaced
	}
	at := from.dir.find([]byte(name))
	if dir == from.dir {
		dir.names[at].name = newName
		m.modified(dir)
	} else {
		m.charge(tmpEntry)
		m.leave(from.dir, at)
		if n.isDir() {
			from.dir.nlink--
		}
		m.tmp.bytes += nameRoom(name) // leave has given it back, and so does what follows
		m.enter(dir, newName, n)
	}
	m.uncharge(nameRoom(name))
	return cause
}

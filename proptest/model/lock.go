package model

import (
	"math"

	"rumpvfs/kern"
	"rumpvfs/proptest/call"
	"rumpvfs/proptest/clause"
)

// A lock excludes others from a range of a file. A process owns the locks of fcntl, an open file that of flock.
type lock struct {
	pid        int64
	file       *file
	kind       int16 // F_RDLCK or F_WRLCK
	start, end int64 // first and last byte
}

// lockEnd is the end of a lock that reaches as far as the file may ever do.
const lockEnd = math.MaxInt64

func (k *lock) sameOwner(q *lock) bool { return k.pid == q.pid && k.file == q.file }
func (k *lock) overlaps(q *lock) bool  { return k.start <= q.end && q.start <= k.end }

// locks are those of a file. The locks of an owner do not overlap and are in ascending order; which of several owners'
// comes first shows in what F_GETLK answers.
type locks []lock

// locksOf gives the locks of a file: those of a device belong to its number.
func (m *Model) locksOf(n *node) *locks {
	if !n.isDevice() {
		return &n.locks
	}
	for i := range m.devices {
		if d := &m.devices[i]; d.rdev == n.rdev && d.kind == n.kind() {
			return &m.devices[i].locks
		}
	}
	m.devices = append(m.devices, device{rdev: n.rdev, kind: n.kind()})
	return &m.devices[len(m.devices)-1].locks
}

// blocking is the first lock of somebody else that stands in the way of q, or nil.
func (ls locks) blocking(q *lock) *lock {
	for i := range ls {
		k := &ls[i]
		if !k.sameOwner(q) && k.overlaps(q) && (k.kind == kern.F_WRLCK || q.kind == kern.F_WRLCK) {
			return k
		}
	}
	return nil
}

func (ls *locks) insert(i int, k lock) {
	*ls = append(*ls, lock{})
	copy((*ls)[i+1:], (*ls)[i:])
	(*ls)[i] = k
}

func (ls *locks) delete(i int) { *ls = append((*ls)[:i], (*ls)[i+1:]...) }

// set gives q's owner the lock, in the place of what it has in that range, unless somebody else's is in the way.
func (ls *locks) set(q lock) bool {
	if ls.blocking(&q) != nil {
		return false
	}
	placed := false
	for i := 0; i < len(*ls); i++ {
		k := &(*ls)[i]
		switch {
		case !k.sameOwner(&q):
			continue
		case k.start > q.end:
			if !placed {
				ls.insert(i, q)
			}
			return true
		case !k.overlaps(&q):
			continue
		case k.start <= q.start && k.end >= q.end:
			ls.within(i, q)
			return true
		case k.start >= q.start && k.end <= q.end: // it is swallowed
			if placed {
				ls.delete(i)
				i--
			} else {
				*k, placed = q, true
			}
		case k.start < q.start:
			k.end = q.start - 1
			ls.insert(i+1, q)
			placed = true
			i++
		default:
			k.start = q.end + 1
			if !placed {
				ls.insert(i, q)
			}
			return true
		}
	}
	if !placed {
		*ls = append(*ls, q)
	}
	return true
}

// within changes the part of lock i that q covers. Of one that is of q's kind already nothing changes, unless both reach to
// the end: then it is split all the same.
func (ls *locks) within(i int, q lock) {
	k := (*ls)[i]
	if k.kind == q.kind && (q.end != lockEnd || k.start == q.start) {
		return
	}
	ls.delete(i)
	if k.end > q.end {
		ls.insert(i, lock{k.pid, k.file, k.kind, q.end + 1, k.end})
	}
	ls.insert(i, q)
	if k.start < q.start {
		ls.insert(i, lock{k.pid, k.file, k.kind, k.start, q.start - 1})
	}
}

// clear takes q's range away from the locks of its owner.
func (ls *locks) clear(q lock) {
	for i := 0; i < len(*ls); i++ {
		k := &(*ls)[i]
		if !k.sameOwner(&q) || !k.overlaps(&q) {
			continue
		}
		switch {
		case k.start >= q.start && k.end <= q.end:
			ls.delete(i)
			i--
		case k.start < q.start && k.end > q.end:
			rest := *k
			rest.start = q.end + 1
			k.end = q.start - 1
			ls.insert(i+1, rest)
			return
		case k.start < q.start:
			k.end = q.start - 1
		default:
			k.start = q.end + 1
		}
	}
}

// lockRange makes a range from what fcntl says.
func (m *Model) lockRange(f *file, c *call.Call) (start, end int64, no clause.Cause) {
	start, length := c.Arg[2], c.Arg[3]
	switch int16(c.Arg[1]) {
	case kern.SEEK_SET:
	case kern.SEEK_CUR:
		start += f.off
	case kern.SEEK_END:
		if !f.node.isDevice() {
			start += m.sizeOf(f.node)
		}
	default:
		return 0, 0, clause.BadWhence
	}
	switch {
	case length == 0:
		end = lockEnd
	case length > 0:
		end = start + length - 1
	default:
		start, end = start+length, start-1
	}
	if start < 0 {
		return 0, 0, clause.BadRange
	}
	return start, end, 0
}

// fcntlLock is fcntl with F_GETLK, F_SETLK and F_SETLKW.
func (m *Model) fcntlLock(p *proc, f *file, c *call.Call, r *call.Result) clause.Cause {
	kind := int16(c.Arg[0])
	switch {
	case f.isConsole():
		return clause.NotVnode
	case kind != kern.F_RDLCK && kind != kern.F_WRLCK && kind != kern.F_UNLCK:
		return clause.BadLockType
	case c.Flags != kern.F_GETLK && (kind == kern.F_RDLCK && f.flags&kern.FREAD == 0 || kind == kern.F_WRLCK && f.flags&kern.FWRITE == 0):
		return clause.WrongMode
	case f.dead():
		return clause.RevokedFD
	case m.fifofs(f.node):
		return clause.NoLocks
	}
	start, end, no := m.lockRange(f, c)
	if no != 0 {
		return no
	}
	q := lock{pid: p.pid, kind: kind, start: start, end: end}
	ls := m.locksOf(f.node)
	switch {
	case c.Flags == kern.F_GETLK:
		return ls.get(f, &q, c, r)
	case kind == kern.F_UNLCK:
		ls.clear(q)
		return clause.Unlocked
	case ls.set(q):
		return clause.LockSet
	case c.Flags == kern.F_SETLKW:
		return clause.Waits
	}
	return clause.Locked
}

// get answers F_GETLK.
func (ls *locks) get(f *file, q *lock, c *call.Call, r *call.Result) clause.Cause {
	b := ls.blocking(q)
	if b == nil {
		r.Lock = kern.Flock{Type: kern.F_UNLCK, Whence: int16(c.Arg[1]), Start: c.Arg[2], Len: c.Arg[3]}
		if r.Lock.Whence == kern.SEEK_CUR {
			r.Lock.Start += f.off
		}
		return clause.NoLock
	}
	r.Lock = kern.Flock{Type: b.kind, Start: b.start, Pid: int32(b.pid)}
	if b.end != lockEnd {
		r.Lock.Len = b.end - b.start + 1
	}
	if b.file != nil {
		r.Lock.Pid = -1
	}
	return clause.FoundLock
}

func (m *Model) flock(p *proc, c *call.Call, _ *call.Result) clause.Cause {
	f := p.fileOf(c.FD)
	switch {
	case f == nil:
		return clause.BadFD
	case f.isConsole():
		return clause.NotVnode
	}
	q := lock{file: f, end: lockEnd}
	switch c.Flags &^ kern.LOCK_NB {
	case kern.LOCK_UN:
		f.flags &^= kern.FHASLOCK
		if f.dead() {
			return clause.RevokedFD
		}
		if m.fifofs(f.node) {
			return clause.NoLocks
		}
		m.locksOf(f.node).clear(q)
		return clause.Unlocked
	case kern.LOCK_SH:
		q.kind = kern.F_RDLCK
	case kern.LOCK_EX:
		q.kind = kern.F_WRLCK
	default:
		return clause.BadOperation
	}
	f.flags |= kern.FHASLOCK
	switch {
	case f.dead():
		return clause.RevokedFD
	case m.fifofs(f.node):
		return clause.NoLocks
	case m.locksOf(f.node).set(q):
		return clause.LockSet
	case c.Flags&kern.LOCK_NB == 0:
		return clause.Waits
	}
	return clause.Locked
}

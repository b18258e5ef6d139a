package vnode

import (
	"fmt"
	"slices"

	"rumpvfs/hypercall"
	"rumpvfs/kern"
)

const (
	// maxLockDepth is how many processes of a chain of waiting ones are
	// looked at; a chain as long as this is taken for a deadlock.
	maxLockDepth = 50
	// maxLocksPerUID is how many locks a user other than root may hold.
	// Unlocking in the middle of a lock, which makes one more, may go to
	// twice as many.
	maxLocksPerUID = 1024

	lockEOF = -1 // the end of a lock that has none
)

var lockfLockClass = hypercall.LockClass{Name: "lockf_lock", Rank: 800}

// lockfSystem is what all advisory locks of a kernel share. One mutex guards
// them all, for finding a deadlock means looking at the locks of other files.
type lockfSystem struct {
	lock    kern.Mutex
	count   map[uint32]int         // lock: locks by effective user id
	waiting map[*kern.Proc][]*lock // lock: what the lwps of a process sleep for
	tally   kern.Tally             // locks that a Checkup has found
}

// Lockf is the list of advisory locks of a file: byte ranges owned by
// processes (F_POSIX) and whole-file locks owned by open files (F_FLOCK), in
// one space where they exclude each other. The zero Lockf is empty.
//
// The list has each owner's locks in the order of their offsets; between
// owners the order is that of arrival, and F_GETLK names the first conflict
// in it.
type Lockf struct{ head *lock }

// lock is a held or a wanted lock.
type lock struct {
	flags      int   // F_POSIX or F_FLOCK, F_WAIT
	kind       int16 // F_RDLCK, F_WRLCK; F_UNLCK in a request
	start, end int64 // bytes, both inclusive; end may be lockEOF
	id         any   // owner: *kern.Proc or open file
	uid        uint32

	next *lock // of a held lock: the next of the file; of one that waits: what blocks it

	cv      kern.CV
	blocked []*lock // who waits for this lock, the first comer first
}

// whose says which locks of a file to look at.
type whose uint8

const (
	self   whose = 1 // those of the same owner
	others whose = 2
)

// overlap is how a lock of the list relates to a request.
type overlap int

const (
	noOverlap    overlap = iota
	equals               // the same range
	contains             // the lock contains the request
	contained            // the request contains the lock
	startsBefore         // and ends within the request
	endsAfter            // and starts within the request
)

// Advlock does an advisory lock operation on the locks lf of a file of size
// bytes: F_GETLK, F_SETLK, F_UNLCK with the range *fl, whose start is already
// absolute if Whence is SEEK_CUR. id is the owner; flags say F_POSIX or
// F_FLOCK, and F_WAIT to sleep until a lock is free.
//
// Errors: EINVAL for a range or operation that makes no sense, EAGAIN for a
// conflict without F_WAIT, EDEADLK if waiting would never end, EINTR if it is
// interrupted, ENOMEM if the user has too many locks, EBADF if the vnode is
// dead. A range beyond the largest offset is no error: as in the reference it
// wraps around to a lock that excludes nobody, and that nothing releases.
//
// Preconditions: l holds no vnode lock that another lwp needs to unlock. With
// F_POSIX the owner is l's process.
//
//netbsd:sys/kern/vfs_lockf.c lf_advlock
func (lf *Lockf) Advlock(l *kern.Lwp, vp *Vnode, id any, op int, fl *kern.Flock, flags int, size int64) error {
	start, end, err := lockRange(fl, size)
	if err != nil {
		return err
	}
	if op != kern.F_SETLK && op != kern.F_UNLCK && op != kern.F_GETLK {
		return kern.EINVAL
	}
	if flags&kern.F_POSIX != 0 {
		kern.KASSERTOf(id == l.Proc, "curproc == (struct proc *)ap->a_id", vp)
	}
	ls := vp.sys.lockfs(l)
	ls.lock.Enter(l)
	defer ls.lock.Exit(l)
	if vp.Dying() { // Drop has been or will be there
		return kern.EBADF
	}
	req := &lock{flags: flags, kind: fl.Type, start: start, end: end, id: id, uid: l.Cred.EUID}
	if !ls.admits(req, op) {
		return kern.ENOMEM
	}
	if lf.head == nil && op != kern.F_SETLK {
		fl.Type = kern.F_UNLCK
		return nil
	}
	switch op {
	case kern.F_SETLK:
		req.cv.Init(l.K.Sys, "lockf")
		return lf.set(l, ls, req, vp)
	case kern.F_UNLCK:
		lf.clear(l, ls, req)
	case kern.F_GETLK:
		lf.get(req, fl)
	}
	return nil
}

// Drop releases every lock of a file whose vnode dies: file systems call it
// from VOP_RECLAIM. The reference leaves them behind, owned by open files that
// are gone and on the account of their user.
func (lf *Lockf) Drop(l *kern.Lwp, vp *Vnode) {
	ls := vp.sys.lockf.Load()
	if ls == nil {
		return
	}
	ls.lock.Enter(l)
	defer ls.lock.Exit(l)
	for lk := lf.head; lk != nil; lk = lk.next {
		ls.drop(lk)
		lk.wake(l)
	}
	lf.head = nil
}

// lockRange converts what the caller says to a first and a last byte.
func lockRange(fl *kern.Flock, size int64) (start, end int64, err error) {
	switch fl.Whence {
	case kern.SEEK_SET, kern.SEEK_CUR:
		start = fl.Start
	case kern.SEEK_END:
		start = size + fl.Start
	default:
		return 0, 0, kern.EINVAL
	}
	switch {
	case fl.Len == 0:
		end = lockEOF
	case fl.Len > 0:
		end = start + fl.Len - 1
	default:
		end = start - 1
		start += fl.Len
	}
	if start < 0 {
		return 0, 0, kern.EINVAL
	}
	return start, end, nil
}

// lockfs returns the kernel's state of advisory locks, made when the first
// lock is.
func (sys *System) lockfs(l *kern.Lwp) *lockfSystem {
	if ls := sys.lockf.Load(); ls != nil {
		return ls
	}
	ls := &lockfSystem{count: map[uint32]int{}, waiting: map[*kern.Proc][]*lock{}}
	ls.lock.Init(l.K.Sys, &lockfLockClass)
	if !sys.lockf.CompareAndSwap(nil, ls) {
		ls = sys.lockf.Load()
	}
	return ls
}

// admits reports whether the user may have the lock that op makes.
//
//netbsd:sys/kern/vfs_lockf.c lf_alloc
func (ls *lockfSystem) admits(req *lock, op int) bool {
	if req.uid == 0 {
		return true
	}
	n := ls.count[req.uid] + req.worth()
	switch {
	case op == kern.F_SETLK:
		return n <= maxLocksPerUID
	case op == kern.F_UNLCK && req.start != 0 && req.end != lockEOF:
		return n <= 2*maxLocksPerUID
	}
	return true
}

// worth is how many locks a request to set or clear counts for while it is
// under way: a byte-range operation sets one aside for a split.
func (lk *lock) worth() int {
	if lk.flags&kern.F_FLOCK == 0 {
		return 2
	}
	return 1
}

// drop takes a lock off its user's account.
func (ls *lockfSystem) drop(lk *lock) { ls.hold(lk, -1) }

// hold puts n locks on the account of lk's user.
func (ls *lockfSystem) hold(lk *lock, n int) {
	if ls.count[lk.uid] += n; ls.count[lk.uid] == 0 {
		delete(ls.count, lk.uid)
	}
}

// overlap says how lk, a lock of the list, relates to req.
func (lk *lock) overlap(req *lock) overlap {
	start, end := req.start, req.end
	switch {
	case lk.end != lockEOF && start > lk.end || end != lockEOF && lk.start > end:
		return noOverlap
	case lk.start == start && lk.end == end:
		return equals
	case lk.start <= start && end != lockEOF && (lk.end >= end || lk.end == lockEOF):
		return contains
	case start <= lk.start && (end == lockEOF || lk.end != lockEOF && end >= lk.end):
		return contained
	case lk.start < start && (lk.end >= start || lk.end == lockEOF):
		return startsBefore
	case lk.start > start && end != lockEOF && (lk.end > end || lk.end == lockEOF):
		return endsAfter
	}
	kern.Panicf("lf_findoverlap: default")
	return noOverlap
}

// findOverlap looks along the list that *prev begins for the first lock of
// the asked owners that overlaps req. prev is left pointing to the link to
// it; without one, to where a lock of req's owner belongs.
//
//netbsd:sys/kern/vfs_lockf.c lf_findoverlap
func findOverlap(prev **lock, req *lock, w whose) (**lock, *lock, overlap) {
	for lk := *prev; lk != nil; lk = *prev {
		if (lk.id == req.id) == (w == self) {
			how := lk.overlap(req)
			if how != noOverlap {
				return prev, lk, how
			}
			if w == self && req.end != lockEOF && lk.start > req.end {
				return prev, lk, noOverlap
			}
		}
		prev = &lk.next
	}
	return prev, nil, noOverlap
}

// block returns the first lock that stands in req's way, or nil.
//
//netbsd:sys/kern/vfs_lockf.c lf_getblock
func (lf *Lockf) block(req *lock) *lock {
	prev := &lf.head
	for {
		_, lk, how := findOverlap(prev, req, others)
		if how == noOverlap {
			return nil
		}
		if req.kind == kern.F_WRLCK || lk.kind == kern.F_WRLCK {
			return lk
		}
		prev = &lk.next
	}
}

// get describes the first conflicting lock in *fl.
//
//netbsd:sys/kern/vfs_lockf.c lf_getlock
func (lf *Lockf) get(req *lock, fl *kern.Flock) {
	b := lf.block(req)
	if b == nil {
		fl.Type = kern.F_UNLCK
		return
	}
	*fl = kern.Flock{Type: b.kind, Whence: kern.SEEK_SET, Start: b.start, Pid: -1}
	if b.end != lockEOF {
		fl.Len = b.end - b.start + 1
	}
	if p, ok := b.id.(*kern.Proc); ok {
		fl.Pid = p.Pid
	}
}

// wake wakes everybody who waits for lk; each looks again whether it can
// have what it wants.
//
//netbsd:sys/kern/vfs_lockf.c lf_wakelock
func (lk *lock) wake(l *kern.Lwp) {
	for _, w := range lk.blocked {
		w.next = nil
		w.cv.Broadcast(l)
	}
	lk.blocked = nil
}

// split makes room for in, which lies within lk and starts after it, and puts
// it in the list: behind lk, or between it and a new lock for what is left.
//
//netbsd:sys/kern/vfs_lockf.c lf_split
func (lk *lock) split(l *kern.Lwp, ls *lockfSystem, in *lock) {
	in.next = lk.next
	if lk.end != in.end {
		rest := &lock{flags: lk.flags, kind: lk.kind, start: in.end + 1, end: lk.end, id: lk.id, uid: lk.uid, next: lk.next}
		rest.cv.Init(l.K.Sys, "lockf")
		ls.hold(rest, 1)
		in.next = rest
	}
	lk.end = in.start - 1
	lk.next = in
}

// clear takes req's range away from the locks of its owner.
//
//netbsd:sys/kern/vfs_lockf.c lf_clearlock
func (lf *Lockf) clear(l *kern.Lwp, ls *lockfSystem, req *lock) {
	prev := &lf.head
	for {
		var lk *lock
		var how overlap
		prev, lk, how = findOverlap(prev, req, self)
		if how == noOverlap {
			return
		}
		lk.wake(l)
		switch how {
		case equals:
			*prev = lk.next
			ls.drop(lk)
			return
		case contains:
			if lk.start == req.start {
				lk.start = req.end + 1
				return
			}
			lk.split(l, ls, req)
			lk.next = req.next
			return
		case contained:
			*prev = lk.next
			ls.drop(lk)
		case startsBefore:
			lk.end = req.start - 1
			prev = &lk.next
		case endsAfter:
			lk.start = req.end + 1
			return
		}
	}
}

// set gives req's owner the lock, sleeping for it if it may, unless the vnode
// dies meanwhile.
//
//netbsd:sys/kern/vfs_lockf.c lf_setlock
func (lf *Lockf) set(l *kern.Lwp, ls *lockfSystem, req *lock, vp *Vnode) error {
	for b := lf.block(req); b != nil; b = lf.block(req) {
		if req.flags&kern.F_WAIT == 0 {
			return kern.EAGAIN
		}
		if req.flags&b.flags&kern.F_POSIX != 0 && ls.deadlock(l, b) {
			return kern.EDEADLK
		}
		if req.flags&kern.F_FLOCK != 0 && req.kind == kern.F_WRLCK {
			// An upgrade gives up the shared lock before it waits, so
			// two of them cannot wait for each other.
			req.kind = kern.F_UNLCK
			lf.clear(l, ls, req)
			req.kind = kern.F_WRLCK
		}
		if err := ls.sleep(l, req, b); err != nil {
			return err
		}
		if vp.Dying() {
			return kern.EBADF
		}
	}
	lf.insert(l, ls, req)
	return nil
}

// sleep waits until b, which blocks req, is released or shrinks: EINTR if l is
// interrupted first.
func (ls *lockfSystem) sleep(l *kern.Lwp, req, b *lock) (err error) {
	req.next = b
	b.blocked = append(b.blocked, req)
	ls.waiting[l.Proc] = append(ls.waiting[l.Proc], req)
	ls.hold(req, req.worth())
	for req.next != nil && err == nil {
		err = req.cv.WaitSig(l, &ls.lock)
	}
	if b := req.next; b != nil {
		i := slices.Index(b.blocked, req)
		b.blocked, req.next = slices.Delete(b.blocked, i, i+1), nil
	}
	ls.hold(req, -req.worth())
	ws := ls.waiting[l.Proc]
	i := slices.Index(ws, req)
	if ws = slices.Delete(ws, i, i+1); len(ws) > 0 {
		ls.waiting[l.Proc] = ws
	} else {
		delete(ls.waiting, l.Proc)
	}
	return err
}

// deadlock reports whether waiting for b's owner would be waiting for
// oneself: it follows who waits for whom through processes of one lwp, and
// takes a chain too long to follow for a circle.
func (ls *lockfSystem) deadlock(l *kern.Lwp, b *lock) bool {
	p := b.id.(*kern.Proc)
	for range maxLockDepth - 1 {
		ws := ls.waiting[p]
		if p.Nlwps() > 1 || len(ws) != 1 {
			return false
		}
		w := ws[0].next // nil: woken, only not running yet
		if w == nil || w.flags&kern.F_POSIX == 0 {
			return false
		}
		p = w.id.(*kern.Proc)
		if p == l.Proc {
			return true
		}
	}
	return true
}

// insert puts req in the list where nothing blocks it, and trims, replaces
// or splits what its owner already has in the range.
func (lf *Lockf) insert(l *kern.Lwp, ls *lockfSystem, req *lock) {
	prev, linked := &lf.head, false
	link := func(prev **lock, next *lock) {
		if !linked {
			*prev, req.next = req, next
			ls.hold(req, 1)
			linked = true
		}
	}
	for {
		var lk *lock
		var how overlap
		prev, lk, how = findOverlap(prev, req, self)
		switch how {
		case noOverlap:
			link(prev, lk)
			return
		case equals:
			lk.downgrade(l, req)
			lk.kind = req.kind
			return
		case contains:
			lk.carve(l, ls, prev, req)
			return
		case contained:
			if !lk.downgrade(l, req) {
				req.inherit(lk)
			}
			if linked {
				*prev = lk.next
			} else {
				link(prev, lk.next)
				prev = &req.next
			}
			ls.drop(lk)
		case startsBefore:
			link(&lk.next, lk.next)
			lk.end = req.start - 1
			prev = &req.next
			lk.wake(l)
		case endsAfter:
			link(prev, lk)
			lk.start = req.end + 1
			lk.wake(l)
			return
		}
	}
}

// downgrade wakes those who wait for lk if req makes it a shared lock. It
// reports whether req does.
func (lk *lock) downgrade(l *kern.Lwp, req *lock) bool {
	if req.kind != kern.F_RDLCK || lk.kind != kern.F_WRLCK {
		return false
	}
	lk.wake(l)
	return true
}

// carve gives the part of lk that req covers the kind of req. prev is the
// link to lk.
func (lk *lock) carve(l *kern.Lwp, ls *lockfSystem, prev **lock, req *lock) {
	if lk.kind == req.kind {
		return
	}
	if lk.start == req.start {
		*prev, req.next = req, lk
		lk.start = req.end + 1
	} else {
		lk.split(l, ls, req)
	}
	ls.hold(req, 1)
	lk.wake(l)
}

// inherit makes those who wait for old wait for lk instead.
func (lk *lock) inherit(old *lock) {
	for _, w := range old.blocked {
		w.next = lk
	}
	lk.blocked = append(lk.blocked, old.blocked...)
	old.blocked = nil
}

// Lockable is what a vnode stands for, if a file system has advisory locks. The
// locks go with [Lockf.Drop] when the vnode is reclaimed.
type Lockable interface{ AdvisoryLocks() *Lockf }

// Check verifies the locks of the file that a vnode stands for: nobody waits, those of
// an owner are in order and apart, those of different owners exclude nobody's.
//
// Preconditions: the kernel is at rest.
func (lf *Lockf) Check(c *kern.Checkup, of *Vnode) {
	if lf.head == nil {
		return
	}
	ls := of.sys.lockf.Load()
	if ls == nil {
		c.Brokenf(of, "has advisory locks in a kernel that has none")
		return
	}
	for lk := lf.head; lk != nil; lk = lk.next {
		c.Add(&ls.tally, 1)
		switch {
		case lk.kind != kern.F_RDLCK && lk.kind != kern.F_WRLCK:
			c.Brokenf(of, "%s is neither shared nor exclusive", lk)
		case len(lk.blocked) != 0:
			c.Brokenf(of, "%s has %d lwps waiting", lk, len(lk.blocked))
		case lk.clash() != nil:
			c.Brokenf(of, "%s and %s exclude each other", lk, lk.clash())
		}
	}
}

// clash returns a lock behind lk in its list that cannot be there with it.
func (lk *lock) clash() *lock {
	for other := lk.next; other != nil; other = other.next {
		if other.overlap(lk) == noOverlap {
			continue
		}
		if other.id == lk.id || lk.kind == kern.F_WRLCK || other.kind == kern.F_WRLCK {
			return other
		}
	}
	return nil
}

func (lk *lock) String() string {
	return fmt.Sprintf("lock %d of bytes %d to %d", lk.kind, lk.start, lk.end)
}

// check compares the account of locks with what was found.
func (ls *lockfSystem) check(c *kern.Checkup) {
	ls.lock.Enter(c.L)
	defer ls.lock.Exit(c.L)
	n := 0
	for _, held := range ls.count { //policy:unordered only summed up
		n += held
	}
	if found := c.Counted(&ls.tally); n != found {
		c.Brokenf("advisory locks", "%d on the accounts of users, but %d were found", n, found)
	}
	if len(ls.waiting) != 0 {
		c.Brokenf("advisory locks", "lwps of %d processes wait for one", len(ls.waiting))
	}
}

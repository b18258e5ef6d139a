package vfs

import (
	"math/bits"
	"slices"
	"sync/atomic"

	"rumpvfs/kern"
	"rumpvfs/vnode"
)

// ndfile is how many descriptors a table has room for at first; it doubles
// as needed.
const ndfile = 16

// Filedesc is a process's descriptor table. Several processes may share
// one. Looking a descriptor up takes no lock. The letters give what guards a
// field:
//
//	a  atomic
//	d  lock
type Filedesc struct {
	sys    *System
	lock   kern.Mutex
	limit  int                       // RLIMIT_NOFILE
	refcnt atomic.Int32              // a: processes
	dt     atomic.Pointer[[]*fdfile] // a: replaced under d when it grows; a slot once made stays
	used   []uint64                  // d: a bit for each descriptor in use
	last   int                       // d: the highest in use, -1 for none
	drain  kern.CV                   // d: a closer waits for users of the descriptor

	kqueues []*Kqueue // d: those of the table's descriptors

	settled  kern.CV      // d: who wants a descriptor number waits until it is open or free
	settling atomic.Int32 // a: how many do; changes under d

	uses kern.Tally // processes that a Checkup has found to use the table

	first struct { // what a table begins with
		dt    []*fdfile
		slots [ndfile]*fdfile
		files [ndfile]fdfile
		used  [1]uint64
	}
}

// fdfile is one descriptor.
type fdfile struct {
	file    atomic.Pointer[File] // a: nil while half open, closing or free
	refcnt  atomic.Int32         // a: calls that use the descriptor now
	closing atomic.Bool          // a: somebody waits for refcnt to drop to 0
	exclose bool                 // d: close on exec
}

// NewFiledesc makes an empty table for up to limit descriptors.
//
//netbsd:sys/kern/kern_descrip.c fd_init
func (s *System) NewFiledesc(limit int) *Filedesc {
	fdp := &Filedesc{sys: s, limit: limit, last: -1}
	fdp.lock.Init(s.K.Sys, &fdLockClass)
	fdp.drain.Init(s.K.Sys, "fdclose")
	fdp.settled.Init(s.K.Sys, "dup2")
	fdp.refcnt.Store(1)
	first := &fdp.first
	for i := range first.files {
		first.slots[i] = &first.files[i]
	}
	first.dt = first.slots[:min(ndfile, limit)]
	fdp.used = first.used[:]
	fdp.dt.Store(&first.dt)
	return fdp
}

// Share makes one more process use the table.
//
//netbsd:sys/kern/kern_descrip.c fd_share
func (fdp *Filedesc) Share() *Filedesc {
	fdp.refcnt.Add(1)
	return fdp
}

// Copy makes a table with the same descriptors on the same open files, but for
// kqueues.
//
//netbsd:sys/kern/kern_descrip.c fd_copy
func (fdp *Filedesc) Copy(l *kern.Lwp) *Filedesc {
	n := fdp.sys.NewFiledesc(fdp.limit)
	fdp.lock.Enter(l)
	old := *fdp.dt.Load()
	if len(*n.dt.Load()) < len(old) {
		n.grow(len(old))
	}
	slots := *n.dt.Load()
	for fd, ff := range old {
		fp := ff.file.Load()
		if fp == nil || fp.Type == DTYPE_KQUEUE {
			continue
		}
		fp.Ref()
		slots[fd].file.Store(fp)
		slots[fd].exclose = ff.exclose
		n.setUsed(fd)
	}
	fdp.lock.Exit(l)
	return n
}

// Free ends a process's use of the table. The last process closes what is
// open.
//
//netbsd:sys/kern/kern_descrip.c fd_free
func (fdp *Filedesc) Free(l *kern.Lwp) {
	if fdp.refcnt.Add(-1) > 0 {
		return
	}
	for fd := range *fdp.dt.Load() {
		if fdp.Get(l, fd) != nil {
			_ = fdp.Close(l, fd)
		}
	}
}

// grow makes room for n descriptors. The caller holds the lock or is the
// only user.
func (fdp *Filedesc) grow(n int) {
	old := *fdp.dt.Load()
	dt := make([]*fdfile, n)
	block := make([]fdfile, n-len(old))
	copy(dt, old)
	for i := range block {
		dt[len(old)+i] = &block[i]
	}
	for len(fdp.used) < (n+63)/64 {
		fdp.used = append(fdp.used, 0)
	}
	fdp.dt.Store(&dt)
}

// provide makes the table large enough for descriptor fd.
//
// Preconditions: the lock is held.
func (fdp *Filedesc) provide(fd int) {
	if n := len(*fdp.dt.Load()); fd >= n {
		fdp.grow(min(max(2*n, fd+1), fdp.limit))
	}
}

func (fdp *Filedesc) setUsed(fd int) {
	fdp.used[fd/64] |= 1 << (fd % 64)
	fdp.last = max(fdp.last, fd)
}

func (fdp *Filedesc) setUnused(fd int) {
	fdp.used[fd/64] &^= 1 << (fd % 64)
	for fdp.last >= 0 && fdp.used[fdp.last/64]&(1<<(fdp.last%64)) == 0 {
		fdp.last--
	}
}

// firstFree returns the lowest free descriptor from want on; it may be one
// that the table has no room for yet.
func (fdp *Filedesc) firstFree(want int) int {
	for w := want / 64; w < len(fdp.used); w++ {
		free := ^fdp.used[w]
		if w == want/64 {
			free &= ^uint64(0) << (want % 64)
		}
		if free != 0 {
			return w*64 + bits.TrailingZeros64(free)
		}
	}
	return max(want, len(fdp.used)*64)
}

// Alloc reserves the lowest free descriptor not below want; EMFILE if there
// is none. The descriptor is half open until Affix or Abort.
//
//netbsd:sys/kern/kern_descrip.c fd_alloc
func (fdp *Filedesc) Alloc(l *kern.Lwp, want int) (int, error) {
	fdp.lock.Enter(l)
	defer fdp.lock.Exit(l)
	fd := fdp.firstFree(want)
	if fd >= fdp.limit {
		return -1, kern.EMFILE
	}
	fdp.provide(fd)
	fdp.setUsed(fd)
	return fd, nil
}

// AllocFile reserves a descriptor and makes a file to go with it. EMFILE if
// the table is full, ENFILE if the kernel has too many open files.
//
// Postconditions: on success the file has no reference; Affix or Abort takes
// care of both.
//
//netbsd:sys/kern/kern_descrip.c fd_allocfile
func (fdp *Filedesc) AllocFile(l *kern.Lwp) (*File, int, error) {
	fd, err := fdp.Alloc(l, 0)
	if err != nil {
		return nil, -1, err
	}
	fp := fdp.sys.newFile(l)
	if fp == nil {
		fdp.Abort(l, nil, fd)
		return nil, -1, kern.ENFILE
	}
	return fp, fd, nil
}

// Affix makes fp visible as fd, which was reserved.
//
// Postconditions: the descriptor holds a reference of its own to fp.
//
//netbsd:sys/kern/kern_descrip.c fd_affix
func (fdp *Filedesc) Affix(l *kern.Lwp, fp *File, fd int) {
	ff := (*fdp.dt.Load())[fd]
	kern.KASSERT(ff.file.Load() == nil, "ff->ff_file == NULL")
	fp.Ref()
	ff.file.Store(fp)
	if fdp.settling.Load() != 0 {
		fdp.lock.Enter(l)
		fdp.settled.Broadcast(l)
		fdp.lock.Exit(l)
	}
}

// Abort gives back a reserved descriptor and the unreferenced file fp, if
// there is one.
//
//netbsd:sys/kern/kern_descrip.c fd_abort
func (fdp *Filedesc) Abort(l *kern.Lwp, fp *File, fd int) {
	fdp.lock.Enter(l)
	(*fdp.dt.Load())[fd].exclose = false
	fdp.setUnused(fd)
	fdp.settled.Broadcast(l)
	fdp.lock.Exit(l)
	if fp != nil {
		fp.sys.freeFileOf(l, fp)
	}
}

// Get returns the file of descriptor fd, or nil.
//
// Postconditions: if a file is returned, the caller uses the descriptor
// until it calls Putfile; a close waits for that.
//
//netbsd:sys/kern/kern_descrip.c fd_getfile
func (fdp *Filedesc) Get(l *kern.Lwp, fd int) *File {
	dt := *fdp.dt.Load()
	if uint(fd) >= uint(len(dt)) {
		return nil
	}
	ff := dt[fd]
	if ff.file.Load() == nil {
		return nil
	}
	ff.refcnt.Add(1)
	fp := ff.file.Load()
	if fp == nil { // closed in between
		fdp.Putfile(l, fd)
	}
	return fp
}

// Putfile ends the use of a descriptor that Get began.
//
//netbsd:sys/kern/kern_descrip.c fd_putfile
func (fdp *Filedesc) Putfile(l *kern.Lwp, fd int) {
	ff := (*fdp.dt.Load())[fd]
	if ff.refcnt.Add(-1) == 0 && ff.closing.Load() {
		fdp.lock.Enter(l)
		fdp.drain.Broadcast(l)
		fdp.lock.Exit(l)
	}
}

// GetVnode is Get for a descriptor that must be a living vnode: EBADF if it
// is not open or its vnode is dead, EINVAL if it is no vnode.
//
//netbsd:sys/kern/kern_descrip.c fd_getvnode
func (fdp *Filedesc) GetVnode(l *kern.Lwp, fd int) (*File, error) {
	fp := fdp.Get(l, fd)
	if fp == nil {
		return nil, kern.EBADF
	}
	var err error
	if fp.Type != DTYPE_VNODE {
		err = kern.EINVAL
	} else if fp.Vnode().Type() == vnode.VBAD {
		err = kern.EBADF
	}
	if err != nil {
		fdp.Putfile(l, fd)
		return nil, err
	}
	return fp, nil
}

// Close closes descriptor fd, waiting for other lwps that use it. As POSIX
// wants it, the process loses all its byte-range locks on the file.
//
// Preconditions: the caller uses the descriptor (Get).
// Postconditions: it does no more.
//
//netbsd:sys/kern/kern_descrip.c fd_close
func (fdp *Filedesc) Close(l *kern.Lwp, fd int) error {
	ff := (*fdp.dt.Load())[fd]
	fdp.lock.Enter(l)
	fp := ff.file.Load()
	if fp == nil {
		// Somebody else is closing it and waits for us.
		ff.refcnt.Add(-1)
		fdp.drain.Broadcast(l)
		fdp.lock.Exit(l)
		return kern.EBADF
	}
	ff.file.Store(nil)
	ff.exclose = false
	if ff.refcnt.Add(-1) != 0 {
		ff.closing.Store(true)
		for ff.refcnt.Load() != 0 {
			fdp.drain.Wait(l, &fdp.lock)
		}
		ff.closing.Store(false)
	}
	if l.Proc.AdvLocked.Load() && fp.Type == DTYPE_VNODE {
		fdp.lock.Exit(l)
		fl := wholeFile(kern.F_UNLCK)
		_ = vnode.VOP_ADVLOCK(l, fp.Vnode(), l.Proc, kern.F_UNLCK, &fl, kern.F_POSIX)
		fdp.lock.Enter(l)
	}
	for _, kq := range slices.Clone(fdp.kqueues) {
		fdp.lock.Exit(l)
		kq.fdclose(l, fd)
		fdp.lock.Enter(l)
	}
	fdp.setUnused(fd)
	fdp.settled.Broadcast(l)
	fdp.lock.Exit(l)
	return fp.Closef(l)
}

// Dup makes the lowest free descriptor not below min one for fp. EMFILE if
// there is none.
//
//netbsd:sys/kern/kern_descrip.c fd_dup
func (fdp *Filedesc) Dup(l *kern.Lwp, fp *File, min int, exclose bool) (int, error) {
	fd, err := fdp.Alloc(l, min)
	if err != nil {
		return -1, err
	}
	fdp.SetExclose(l, fd, exclose)
	fdp.Affix(l, fp, fd)
	return fd, nil
}

// Dup2 makes fd, closed first if it was open, a descriptor for fp. If another
// lwp is about to open or to close fd it waits for that. flags may have
// O_CLOEXEC and O_NONBLOCK; anything else is EINVAL.
//
// Preconditions: fd is not negative and below the limit; fp is not about to
// lose its last reference.
//
//netbsd:sys/kern/kern_descrip.c fd_dup2
func (fdp *Filedesc) Dup2(l *kern.Lwp, fp *File, fd int, flags int32) error {
	if flags&^(kern.O_CLOEXEC|kern.O_NONBLOCK) != 0 {
		return kern.EINVAL
	}
	kern.KASSERT(uint(fd) < uint(fdp.limit), "fd is below the limit")
	for {
		if fdp.Get(l, fd) != nil {
			_ = fdp.Close(l, fd)
		}
		fdp.lock.Enter(l)
		fdp.provide(fd)
		if fdp.used[fd/64]&(1<<(fd%64)) == 0 {
			break
		}
		fdp.settle(l, fd)
		fdp.lock.Exit(l)
	}
	fdp.setUsed(fd)
	(*fdp.dt.Load())[fd].exclose = flags&kern.O_CLOEXEC != 0
	fdp.lock.Exit(l)
	fp.SetFlag(flags & kern.FNONBLOCK)
	fdp.Affix(l, fp, fd)
	return nil
}

// settle waits while fd is in use but not open: another lwp is about to affix
// it, or to have closed it. The C kernel looks again with every tick of the
// clock; here a wait that never ends shall show as one.
//
// Preconditions: lock is held.
// Postconditions: the same; it was released meanwhile.
func (fdp *Filedesc) settle(l *kern.Lwp, fd int) {
	fdp.settling.Add(1)
	if (*fdp.dt.Load())[fd].file.Load() == nil { // Affix looks at settling after it has stored the file
		fdp.settled.Wait(l, &fdp.lock)
	}
	fdp.settling.Add(-1)
}

// SetExclose sets or clears close-on-exec of a descriptor that the caller has
// reserved or uses (Get).
//
//netbsd:sys/kern/kern_descrip.c fd_set_exclose
func (fdp *Filedesc) SetExclose(l *kern.Lwp, fd int, on bool) {
	fdp.lock.Enter(l)
	(*fdp.dt.Load())[fd].exclose = on
	fdp.lock.Exit(l)
}

// Exclose returns close-on-exec of a descriptor that the caller uses (Get).
func (fdp *Filedesc) Exclose(l *kern.Lwp, fd int) bool {
	fdp.lock.Enter(l)
	defer fdp.lock.Exit(l)
	return (*fdp.dt.Load())[fd].exclose
}

// Lastfile returns the highest descriptor in use, -1 for none.
func (fdp *Filedesc) Lastfile(l *kern.Lwp) int {
	fdp.lock.Enter(l)
	defer fdp.lock.Exit(l)
	return fdp.last
}

// Limit is how many descriptors the table may hold.
func (fdp *Filedesc) Limit() int { return fdp.limit }

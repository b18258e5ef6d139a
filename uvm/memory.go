package uvm

import (
	"fmt"
	"strconv"
	"sync/atomic"

	"rumpvfs/kern"
)

const (
	// MinMemLimit is the least memory that a kernel can be limited to,
	// in bytes.
	MinMemLimit = 1 << 20

	maxFree = 4096                         // pages on the free list: 16 MiB
	maxSlab = 4 * kern.MAXPHYS / PAGE_SIZE // so that few transfers reach into two
)

// Config describes the memory of a kernel.
type Config struct {
	// MemLimit is how much memory the kernel may use for pages and for
	// what is asked of Hypermalloc, in bytes; 0 is no limit. Less than
	// MinMemLimit is taken as that.
	MemLimit int64
	// StepDaemon leaves the page daemon to DaemonStep: no thread is
	// started for it.
	StepDaemon bool
	// Memory is where pages come from, nil for new memory. It is not used
	// under a MemLimit. Kernels that share it run one after the other.
	Memory *Memory
}

// System is the memory of one kernel: its pages, the queue of those in use,
// and the page daemon that gets some back.
//
//	:  stable after boot
//	a  atomic
//	d  pdaemonmtx
//	q  pageqlock
type System struct {
	// Kproc is the process that kernel threads belong to. The boot code
	// sets it, and this hook of the page daemon, if it likes to:
	Kproc *kern.Proc // :
	// DrainBuffers writes back and frees idle buffers until n bytes are free.
	DrainBuffers func(l *kern.Lwp, n int) // :

	k        *kern.Kernel // :
	memory   *Memory      // :
	limited  bool         // : memory is limited, and so there is a page queue
	pdlimit  int64        // : bytes the page daemon may use
	limit    int64        // : bytes everybody else may use
	dddlim   int64        // : bytes in use above which the page daemon works
	physmem  atomic.Int64 // a: bytes in use, of limited memory
	freed    atomic.Int64 // a: moves whenever memory comes free, also onto the free list
	inObject atomic.Int64 // a: pages that belong to objects

	pageqlock kern.Mutex
	lru       pageQueue // q: all pages of objects, if limited
	free      pageQueue // q: pages that belong to nobody, those last freed first
	lastFreed *Page     // q: where on the free list to put a neighbour, or nil
	nfree     int       // q: length of free
	slab      int       // q: how many pages to make next time, 0 for the first

	tally kern.Tally // pages that a Checkup has found

	pagedaemon // d unless it says otherwise
}

// NewSystem makes the memory of kernel k. Nothing is allocated but the
// System.
//
//netbsd:sys/rump/librump/rumpkern/vm.c uvm_init
func NewSystem(k *kern.Kernel, c Config) *System {
	s := &System{k: k, memory: c.Memory, limited: c.MemLimit > 0}
	s.pageqlock.Init(k.Sys, &pageqLockClass)
	s.pagedaemon.init(k, c.StepDaemon)
	if s.limited {
		s.pdlimit = max(c.MemLimit, MinMemLimit)
		s.limit = s.pdlimit - 2*kern.MAXPHYS // the rest is for writing pages
		s.dddlim = 9 * (s.limit / 10)
	}
	return s
}

// ParseMemLimit reads an amount of memory as RUMP_MEMLIMIT gives it: a
// decimal number of bytes, or with k, m or g behind it KiB, MiB or GiB. What
// it cannot read or hold is EINVAL.
//
//netbsd:sys/rump/librump/rumpkern/vm.c uvm_init
func ParseMemLimit(text string) (int64, error) {
	digits, shift := text, 0
	if n := len(text) - 1; n >= 0 {
		switch text[n] {
		case 'k':
			digits, shift = text[:n], 10
		case 'm':
			digits, shift = text[:n], 20
		case 'g':
			digits, shift = text[:n], 30
		}
	}
	v, err := strconv.ParseUint(digits, 10, 63-shift)
	if err != nil {
		return 0, kern.EINVAL
	}
	return int64(v) << shift, nil
}

// Audit names what is left over when a kernel is about to end: pages, memory
// that was asked for, lwps that wait for some.
//
// Preconditions: nobody else is in the kernel.
func (s *System) Audit(l *kern.Lwp) (left []string) {
	report := func(n int64, what string) {
		if n != 0 {
			left = append(left, fmt.Sprintf("%d %s", n, what))
		}
	}
	report(s.Pages(), "pages")
	s.reclaimFree(l)
	if s.limited {
		report(s.physmem.Load()-s.Pages()*PAGE_SIZE, "bytes of kernel memory")
	}
	s.pdaemonmtx.Enter(l)
	report(int64(s.waiters), "lwps that wait for memory")
	report(int64(s.paging), "pages on their way out")
	s.pdaemonmtx.Exit(l)
	return left
}

// Pages returns the number of pages that belong to objects.
func (s *System) Pages() int64 { return s.inObject.Load() }

// Hypermalloc accounts for n bytes of kernel memory. If the limit does not
// allow them, or the host refuses them, it fails, or with waitok sleeps, as
// wmesg, and tries again until they are there.
//
// Preconditions: with waitok no locks are held that freeing memory takes.
//
//netbsd:sys/rump/librump/rumpkern/vm.c rump_hypermalloc
func (s *System) Hypermalloc(l *kern.Lwp, n int64, waitok bool, wmesg string) bool {
	for !s.hypermalloc(l, n) {
		if !waitok {
			return false
		}
		s.Wait(l, wmesg)
	}
	return true
}

// patience is how many passes of the page daemon that free nothing
// TryHypermalloc waits for: the first may have been nearly over.
const patience = 2

// TryHypermalloc is Hypermalloc for memory that may be more than there is: it
// waits as long as the page daemon finds something to free, and then fails.
//
// Preconditions: no locks are held that freeing memory takes.
func (s *System) TryHypermalloc(l *kern.Lwp, n int64, wmesg string) bool {
	for dry := 0; !s.hypermalloc(l, n); dry++ {
		if dry == patience || s.limited && n > s.limit {
			return false
		}
		before := s.freed.Load()
		s.wait(l, wmesg, true)
		if s.freed.Load() != before {
			dry = -1
		}
	}
	return true
}

// hypermalloc asks the account, then the host.
func (s *System) hypermalloc(l *kern.Lwp, n int64) bool {
	if s.limited {
		s.KickPdaemon(l)
		limit := s.limit
		if s.IsPagedaemon(l) {
			limit = s.pdlimit
		}
		if !s.reserve(n, limit) {
			s.reclaimFree(l) // the page daemon may have put it there just now
			if !s.reserve(n, limit) {
				return false
			}
		}
	}
	if s.k.Sys.Malloc(n) {
		return true
	}
	if s.limited {
		s.physmem.Add(-n)
	}
	return false
}

func (s *System) reserve(n, limit int64) bool {
	for {
		used := s.physmem.Load()
		if n > limit-used {
			return false
		}
		if s.physmem.CompareAndSwap(used, used+n) {
			return true
		}
	}
}

// Hyperfree gives back n bytes of what Hypermalloc granted.
//
//netbsd:sys/rump/librump/rumpkern/vm.c rump_hyperfree
func (s *System) Hyperfree(n int64) {
	s.freed.Add(n)
	if s.limited {
		s.physmem.Add(-n)
	}
}

// getPage returns a zeroed page that belongs to nobody, or nil.
func (s *System) getPage(l *kern.Lwp) *Page {
	s.pageqlock.Enter(l)
	pg := s.free.head
	if pg != nil {
		s.free.remove(pg)
		s.nfree--
		if pg == s.lastFreed {
			s.lastFreed = nil
		}
	}
	s.pageqlock.Exit(l)
	if pg == nil {
		if pg = s.newPage(l); pg == nil {
			return nil
		}
	}
	if pg.stale {
		clear(pg.Data)
	}
	pg.stale = true
	s.inObject.Add(1)
	return pg
}

// newPage makes a page. Unlimited memory is made several pages at a time, the
// more the more there are, and handed out in order: the pages of an I/O then
// mostly lie one after the other in memory, and a device can be given them
// without a copy. Limited memory is made by the page, so that it is returned
// by the page.
func (s *System) newPage(l *kern.Lwp) *Page {
	if s.limited {
		if !s.Hypermalloc(l, PAGE_SIZE, false, "pgalloc") {
			return nil
		}
		pg := &Page{Data: make([]byte, PAGE_SIZE)}
		pg.unbusy.Init(s.k.Sys, "pagebusy")
		return pg
	}
	s.pageqlock.Enter(l)
	s.slab = min(max(2*s.slab, 1), maxSlab)
	n := s.slab
	s.pageqlock.Exit(l)
	if !s.hypermalloc(l, int64(n)*PAGE_SIZE) {
		return nil
	}
	s.pageqlock.Enter(l)
	pgs := s.memory.slab(n)
	for i := range pgs {
		pgs[i].unbusy.Init(s.k.Sys, "pagebusy")
	}
	for i := 1; i < n; i++ {
		s.insertFree(&pgs[i])
	}
	s.pageqlock.Exit(l)
	return &pgs[0]
}

// putPage takes a page that has left its object off the queue and keeps it
// for the next who wants one, unless there are plenty.
func (s *System) putPage(l *kern.Lwp, pg *Page) {
	s.inObject.Add(-1)
	s.pageqlock.Enter(l)
	if s.limited {
		s.lru.remove(pg)
	}
	pg.Object, pg.Flags = nil, 0
	keep := s.nfree < maxFree
	if keep {
		s.insertFree(pg)
		s.freed.Add(PAGE_SIZE)
	}
	s.pageqlock.Exit(l)
	if !keep {
		s.Hyperfree(PAGE_SIZE)
	}
}

// insertFree puts pg on the free list: in front, for its memory is warm, but
// behind the page freed last if it is the next in memory, so that a file's
// pages come back in order.
//
// Preconditions: pageqlock is held.
func (s *System) insertFree(pg *Page) {
	if last := s.lastFreed; last != nil && last.before(pg) {
		s.free.insertAfter(last, pg)
	} else {
		s.free.insertHead(pg)
	}
	s.lastFreed = pg
	s.nfree++
}

// before reports whether next follows pg in memory.
func (pg *Page) before(next *Page) bool {
	return cap(pg.Data) > PAGE_SIZE && &pg.Data[:PAGE_SIZE+1][PAGE_SIZE] == &next.Data[0]
}

// reclaimFree lets go of the free list.
//
//netbsd:sys/kern/subr_pool.c pool_cache_reclaim
func (s *System) reclaimFree(l *kern.Lwp) {
	s.pageqlock.Enter(l)
	n := s.nfree
	s.free, s.lastFreed, s.nfree = pageQueue{}, nil, 0
	s.pageqlock.Exit(l)
	s.Hyperfree(int64(n) * PAGE_SIZE)
}

// enqueue adds a new page to the page queue. Only the page daemon reads that
// queue, and it has nothing to do while memory is unlimited, so then there is
// none.
func (s *System) enqueue(l *kern.Lwp, pg *Page) {
	if !s.limited {
		return
	}
	s.pageqlock.Enter(l)
	s.lru.insertTail(pg)
	s.pageqlock.Exit(l)
}

// requeue notes that pg was used.
func (s *System) requeue(l *kern.Lwp, pg *Page) {
	if !s.limited || s.IsPagedaemon(l) {
		return
	}
	s.pageqlock.Enter(l)
	s.lru.remove(pg)
	s.lru.insertTail(pg)
	s.pageqlock.Exit(l)
}

package tmpfs

import (
	"math"

	"rumpvfs/kern"
)

// What the machine has, and what things count for. The numbers are those of
// the reference's machine, so that limits are met at the same call.
const (
	machinePages  = 1 << 20                          // pages of memory there are
	pagesReserved = 4 * 1024 * 1024 / kern.PAGE_SIZE // pages that tmpfs leaves to others
	nodeBytes     = 216
	direntBytes   = 48
	nameQuantum   = 32 // names are rounded up to a multiple of it
)

// memory is the account of what a mount uses.
type memory struct {
	lock  kern.Mutex
	limit uint64 // lock: bytes
	used  uint64 // lock: bytes
}

// set changes the limit; EBUSY if more is used already.
//
//netbsd:sys/fs/tmpfs/tmpfs_mem.c tmpfs_mntmem_set
func (m *memory) set(l *kern.Lwp, limit uint64) error {
	m.lock.Enter(l)
	defer m.lock.Exit(l)
	if roundPage(m.used) >= limit {
		return kern.EBUSY
	}
	m.limit = limit
	return nil
}

// bytesMax is how many bytes the mount may use, given what the machine has.
//
// Preconditions: the lock is held.
//
//netbsd:sys/fs/tmpfs/tmpfs_mem.c tmpfs_bytes_max, tmpfs_mem_info
func (m *memory) bytesMax() uint64 {
	const free = (machinePages - pagesReserved) << kern.PAGE_SHIFT
	return min(m.limit, roundPage(m.used)+free)
}

// pagesAvail is how many pages more the mount may use.
//
// Preconditions: the lock is held.
//
//netbsd:sys/fs/tmpfs/tmpfs_mem.c tmpfs_pages_avail
func (m *memory) pagesAvail() uint64 { return (m.bytesMax() - m.used) >> kern.PAGE_SHIFT }

// incr charges n bytes, or reports that this would reach the limit.
//
//netbsd:sys/fs/tmpfs/tmpfs_mem.c tmpfs_mem_incr
func (m *memory) incr(l *kern.Lwp, n uint64) bool {
	m.lock.Enter(l)
	defer m.lock.Exit(l)
	if n > math.MaxInt64 || m.used+n >= m.bytesMax() {
		return false
	}
	m.used += n
	return true
}

// decr gives n bytes back.
//
//netbsd:sys/fs/tmpfs/tmpfs_mem.c tmpfs_mem_decr
func (m *memory) decr(l *kern.Lwp, n uint64) {
	m.lock.Enter(l)
	kern.KASSERT(m.used >= n, "mp->tm_bytes_used >= sz")
	m.used -= n
	m.lock.Exit(l)
}

func roundPage(n uint64) uint64 { return (n + kern.PAGE_MASK) &^ kern.PAGE_MASK }

// nameBytes is what a name or link target of n bytes counts for.
//
//netbsd:sys/fs/tmpfs/tmpfs_mem.c tmpfs_strname_alloc
func nameBytes(n int) uint64 { return uint64(n+nameQuantum-1) &^ (nameQuantum - 1) }

// nodeGet charges a new node to the mount, or reports that there may be no
// more. As in the reference a node that memory is refused for stays counted.
//
//netbsd:sys/fs/tmpfs/tmpfs_mem.c tmpfs_node_get
func (m *tmpfsMount) nodeGet(l *kern.Lwp) bool {
	if m.nodesCnt.Add(1) >= m.nodesMax.Load() {
		m.nodesCnt.Add(-1)
		return false
	}
	return m.mem.incr(l, nodeBytes)
}

// nodePut gives back what nodeGet has charged.
//
//netbsd:sys/fs/tmpfs/tmpfs_mem.c tmpfs_node_put
func (m *tmpfsMount) nodePut(l *kern.Lwp) {
	m.nodesCnt.Add(-1)
	m.mem.decr(l, nodeBytes)
}

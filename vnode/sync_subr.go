package vnode

import (
	"time"

	"rumpvfs/hypercall"
	"rumpvfs/kern"
)

// How long the syncer leaves what is dirty alone, in seconds.
const (
	SYNCER_MAXDELAY = 32

	Syncdelay = 30 // what has just been synced
	Filedelay = 30 // files
	Dirdelay  = 15 // directories
	Metadelay = 10 // metadata
	Lockdelay = 1  // what could not be locked
)

const syncerLast = SYNCER_MAXDELAY + 2

var (
	syncerMutexClass = hypercall.LockClass{Name: "syncer_mutex", Rank: 140}
	syncerLockClass  = hypercall.LockClass{Name: "syncer_data_lock", Rank: 720}
)

// syncer is the syncer's worklist: a ring of queues, one for each second to
// come. VI_ONWORKLST says that a vnode is in one of them.
type syncer struct {
	mutex kern.Mutex // held while vnodes are synced; long

	lock    kern.Mutex
	delayno int         // lock: the queue that is due next
	pending []syncQueue // lock: syncerLast queues, made on first use
	queued  int         // lock: vnodes in all queues
	cv      kern.CV     // lock: there is something in a queue, or the end has come
	lwp     *kern.Lwp   // lock: the thread, started on first use

	start, incr, next int // lock: of SyncerScatter

	tally kern.Tally // vnodes that a Checkup has found to be on the worklist
}

func (s *syncer) init(hs *hypercall.System) {
	s.mutex.Init(hs, &syncerMutexClass)
	s.lock.Init(hs, &syncerLockClass)
	s.cv.Init(hs, "syncer")
}

// syncQueue holds vnodes in the order they were queued.
type syncQueue struct{ first, last *Vnode }

func (q *syncQueue) append(vp *Vnode) {
	vp.syncPrev, vp.syncNext = q.last, nil
	if q.last == nil {
		q.first = vp
	} else {
		q.last.syncNext = vp
	}
	q.last = vp
}

func (q *syncQueue) remove(vp *Vnode) {
	if vp.syncPrev == nil {
		q.first = vp.syncNext
	} else {
		vp.syncPrev.syncNext = vp.syncNext
	}
	if vp.syncNext == nil {
		q.last = vp.syncPrev
	} else {
		vp.syncNext.syncPrev = vp.syncPrev
	}
	vp.syncNext, vp.syncPrev = nil, nil
}

// add queues vp to be synced in delay seconds. One that is queued already
// moves; only then the interlock need not be held.
//
// Preconditions: lock is held.
//
//netbsd:sys/miscfs/syncfs/sync_subr.c vn_syncer_add1
func (s *syncer) add(l *kern.Lwp, vp *Vnode, delay int) {
	if s.pending == nil {
		s.pending = make([]syncQueue, syncerLast)
	}
	if vp.Iflag()&VI_ONWORKLST != 0 {
		s.pending[vp.syncSlot].remove(vp)
	} else {
		kern.KASSERTOf(vp.Interlock.Owned(l), "mutex_owned(vp->v_interlock)", vp)
		vp.SetIflag(VI_ONWORKLST)
		if s.queued++; s.queued == 1 {
			s.cv.Signal(l)
		}
	}
	vp.syncSlot = (s.delayno + min(delay, SYNCER_MAXDELAY-2)) % syncerLast
	s.pending[vp.syncSlot].append(vp)
}

// SyncerAddToWorklist has the syncer sync vp in delay seconds.
//
// Preconditions: the interlock is held.
//
//netbsd:sys/miscfs/syncfs/sync_subr.c vn_syncer_add_to_worklist
func (vp *Vnode) SyncerAddToWorklist(l *kern.Lwp, delay int) {
	s := &vp.sys.syncer
	s.lock.Enter(l)
	s.add(l, vp, delay)
	first := s.lwp == nil
	s.lock.Exit(l)
	if first {
		vp.sys.startWorker(l, &s.lock, &s.lwp, "ioflush", vp.sys.syncThread)
	}
}

// SyncerRemoveFromWorklist has the syncer forget vp.
//
// Preconditions: the interlock is held.
//
//netbsd:sys/miscfs/syncfs/sync_subr.c vn_syncer_remove_from_worklist
func (vp *Vnode) SyncerRemoveFromWorklist(l *kern.Lwp) {
	kern.KASSERTOf(vp.Interlock.Owned(l), "mutex_owned(vp->v_interlock)", vp)
	s := &vp.sys.syncer
	s.lock.Enter(l)
	if vp.Iflag()&VI_ONWORKLST != 0 {
		vp.ClearIflag(VI_ONWORKLST)
		s.pending[vp.syncSlot].remove(vp)
		s.queued--
	}
	s.lock.Exit(l)
}

// SyncerScatter returns a number for the next mount: when its vnode of the
// syncer's is to be synced first. The numbers are spread evenly over
// SYNCER_MAXDELAY seconds.
//
//netbsd:sys/miscfs/syncfs/sync_vnops.c vfs_allocate_syncvnode
func (sys *System) SyncerScatter(l *kern.Lwp) int {
	s := &sys.syncer
	s.lock.Enter(l)
	defer s.lock.Exit(l)
	s.next += s.incr
	if s.next == 0 || s.next > SYNCER_MAXDELAY {
		s.start /= 2
		s.incr /= 2
		if s.start == 0 {
			s.start = SYNCER_MAXDELAY / 2
			s.incr = SYNCER_MAXDELAY
		}
		s.next = s.start
	}
	return s.next
}

// FreezeSyncer keeps the syncer from syncing until [System.ThawSyncer], so
// that it has no vnode in hand.
//
// Preconditions: the caller holds no vnode lock, and no mount busy.
func (sys *System) FreezeSyncer(l *kern.Lwp) { sys.syncer.mutex.Enter(l) }

// ThawSyncer lets the syncer go on.
func (sys *System) ThawSyncer(l *kern.Lwp) { sys.syncer.mutex.Exit(l) }

// SyncerStep syncs what is due and moves on by one second, as the syncer's
// thread does every second. It returns how many vnodes it has synced.
//
// Preconditions: the caller holds no vnode lock.
//
//netbsd:sys/miscfs/syncfs/sync_subr.c sched_sync
func (sys *System) SyncerStep(l *kern.Lwp) (synced int) {
	s := &sys.syncer
	s.mutex.Enter(l)
	defer s.mutex.Exit(l)
	s.lock.Enter(l)
	defer s.lock.Exit(l)
	if s.pending == nil {
		return 0
	}
	due := &s.pending[s.delayno]
	s.delayno = (s.delayno + 1) % syncerLast
	for due.first != nil {
		vp := due.first
		done := s.syncVnode(l, vp)
		if done {
			synced++
		}
		if due.first != vp {
			continue
		}
		// Still dirty, or being written; or else it could not be locked.
		delay := Lockdelay
		if done {
			delay = Syncdelay
		}
		s.add(l, vp, delay)
	}
	return synced
}

// syncVnode syncs a vnode if it can be locked without waiting: the locks
// come in the wrong order here.
//
// Preconditions: lock is held.
// Postconditions: the same; it was released meanwhile.
func (s *syncer) syncVnode(l *kern.Lwp, vp *Vnode) bool {
	if !vp.Interlock.TryEnter(l) {
		return false
	}
	s.lock.Exit(l)
	err := vp.Get(l, LK_EXCLUSIVE|LK_NOWAIT)
	if err == nil {
		_ = VOP_FSYNC(l, vp, kern.RootCred(), FSYNC_LAZY, 0, 0)
		vp.Put(l)
	}
	s.lock.Enter(l)
	return err == nil
}

// syncThread syncs what is due every second while there is anything to
// sync.
//
//netbsd:sys/miscfs/syncfs/sync_subr.c sched_sync
func (sys *System) syncThread(l *kern.Lwp) {
	s := &sys.syncer
	for !sys.stopping.Load() {
		sys.work(l, func() { sys.SyncerStep(l) })
		s.lock.Enter(l)
		switch {
		case sys.stopping.Load():
		case s.queued == 0:
			s.cv.Wait(l, &s.lock)
		default:
			s.cv.TimedWait(l, &s.lock, time.Second)
		}
		s.lock.Exit(l)
	}
}

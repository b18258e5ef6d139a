package vnode

import (
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

var syncerLockClass = hypercall.LockClass{Name: "syncer_data_lock", Rank: 720}

// syncer is the syncer's worklist: a ring of queues, one for each second to
// come. VI_ONWORKLST says that a vnode is in one of them.
type syncer struct {
	lock    kern.Mutex
	delayno int         // lock: the queue that is due next
	pending []syncQueue // lock: syncerLast queues, made on first use
}

func (s *syncer) init(hs *hypercall.System) { s.lock.Init(hs, &syncerLockClass) }

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
	s.lock.Exit(l)
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
	}
	s.lock.Exit(l)
}

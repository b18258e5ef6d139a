package vnode

import (
	"fmt"
	"sync/atomic"

	"rumpvfs/hypercall"
	"rumpvfs/kern"
	"rumpvfs/uvm"
)

// DesiredVnodes is how many vnodes a kernel keeps unless told otherwise.
const DesiredVnodes = 1 << 10

// Config says how a kernel's vnode layer shall be.
type Config struct {
	// DesiredVnodes is how many vnodes to keep before unused ones are
	// cleaned; 0 is [DesiredVnodes].
	DesiredVnodes int
	// Stepped leaves the background work (cleaning, deferred releases)
	// to [System.DrainStep], [System.ReleStep] and [System.SyncerStep]: no
	// thread is started.
	Stepped bool
	// Wrap, if set, chooses the vector of each new vnode in place of the one
	// that its file system gives it: that vector with some operations in
	// the hands of a layer, a test or a seeded bug.
	Wrap func(*Ops) *Ops
}

// System is the vnode layer of one kernel: its vnodes, its mounts, its file
// system types. The letters give what guards a field:
//
//	:  set at boot
//	a  atomic
//	f  freeLock
//	l  mountlistLock
//	m  mntvnodeLock
//	n  mntidLock
//	r  releLock
//	t  vfsListLock
//
// The order of these locks, first to last: mntidLock, mountlistLock,
// Mount.Unmounting, mntvnodeLock, Vnode.Interlock, freeLock and releLock.
// vfsListLock is taken last. Vnode locks come before all of them.
type System struct {
	K   *kern.Kernel // :
	UVM *uvm.System  // :

	// Handed over at boot by the layers above.
	Root      atomic.Pointer[Vnode] // a: rootvnode, referenced
	DeadMount *Mount                // :  where dead vnodes go
	DeadOps   *Ops                  // :  the operations of a dead vnode
	SpecOps   *Ops                  // :  spec_vnodeop_p
	NameCache NameCache             // :  nil for none
	Cache     BufferCache           // :  nil for none
	Devices   DeviceTable           // :  nil for none

	stepped       bool            // :
	faithful      bool            // :  no shortcuts: every release takes and drops the vnode lock itself
	desiredvnodes int             // :
	wrap          func(*Ops) *Ops // :  Config.Wrap

	numvnodes atomic.Int64  // a: vnodes there are
	unuses    atomic.Uint64 // a: last references that went, the clock of the free lists
	mountgen  atomic.Uint64 // a: mounts there have been

	freeLock   kern.Mutex
	freeList   freeList // f: unused vnodes without pages or buffers
	holdList   freeList // f: unused vnodes with them
	drainCV    kern.CV  // f
	drainLwp   *kern.Lwp
	drainAsked bool       // f
	listed     kern.Tally // vnodes that a Checkup has found to be on a free list

	releLock   kern.Mutex
	releFirst  *Vnode   // r: last references to be released
	releTail   *Vnode   // r
	relePend   int      // r: length of that list and the next
	releSkip   []*Vnode // r: those of suspended file systems
	releActive int      // r: releases in progress
	releCV     kern.CV
	releDone   kern.CV
	releLwp    *kern.Lwp // r

	stopping atomic.Bool // a: the threads shall end
	threads  kern.RWLock // held shared by a thread while it works

	bufs   bufPool // buffers not in use, with locks of its own
	syncer syncer  // the syncer's worklist, with a lock of its own

	fstrans fstrans

	mountlistLock         kern.Mutex
	mountFirst, mountLast *Mount // l
	mountSeq              uint64 // l: places on the list given out

	mntvnodeLock kern.Mutex
	nomount      mntVnodeList // m: vnodes of no mount: devices without a file system

	mntidLock kern.Mutex
	mntid     uint16 // n: xxxfs_mntid

	lockf atomic.Pointer[lockfSystem] // a: advisory locks, made with the first

	vfsListLock kern.Mutex
	vfsList     []vfsEntry // t: the last attached first
}

// NameCache is the part of the name cache that the vnode layer needs.
type NameCache interface {
	// Purge forgets all names of vp, and in vp if it is a directory.
	Purge(l *kern.Lwp, vp *Vnode)
	// PurgeVFS forgets all names in a file system.
	PurgeVFS(l *kern.Lwp, mp *Mount)
}

// BufferCache is what the buffer cache, which is above, does for the vnode
// layer.
type BufferCache interface {
	// Brelse takes back a buffer that its owner is done with, after it has
	// set the BC_ flags set.
	Brelse(l *kern.Lwp, bp *Buf, set uint32)
	// InvalBufs throws away the buffers of vp, dirty ones too. vp is
	// locked.
	InvalBufs(l *kern.Lwp, vp *Vnode) error
	// TruncBufs throws away the buffers of vp from block lbn on. vp is
	// locked.
	TruncBufs(l *kern.Lwp, vp *Vnode, lbn int64) error
	// FlushBufs starts to write the dirty buffers of vp. vp is locked.
	FlushBufs(l *kern.Lwp, vp *Vnode)
}

// DeviceTable is the part of specfs that the vnode layer needs.
type DeviceTable interface {
	// NodeInit makes a new vnode, still without data, that of a device.
	NodeInit(l *kern.Lwp, vp *Vnode, rdev kern.Dev)
	// Lookup returns a vnode of the device, referenced, or ENOENT. Vnodes
	// that die are passed over; an open block device answers with the
	// vnode it is open through.
	Lookup(l *kern.Lwp, t Vtype, rdev kern.Dev) (*Vnode, error)
}

// The classes of this package's locks; ranks are in the order of locking.
var (
	threadsLockClass    = hypercall.LockClass{Name: "vnode_threads", Rank: 100}
	updatingLockClass   = hypercall.LockClass{Name: "mnt_updating", Rank: 150}
	renameLockClass     = hypercall.LockClass{Name: "mnt_renamelock", Rank: 340, Reorders: true}
	vnodeLockClass      = hypercall.LockClass{Name: "v_lock", Rank: 400, Nest: true}
	mntidLockClass      = hypercall.LockClass{Name: "mntid_lock", Rank: 410}
	mountlistLockClass  = hypercall.LockClass{Name: "mountlist_lock", Rank: 420}
	unmountingLockClass = hypercall.LockClass{Name: "mnt_unmounting", Rank: 430}
	mntvnodeLockClass   = hypercall.LockClass{Name: "mntvnode_lock", Rank: 500}
	interlockClass      = hypercall.LockClass{Name: "v_interlock", Rank: 600}
	freeLockClass       = hypercall.LockClass{Name: "vnode_free_list_lock", Rank: 700}
	releLockClass       = hypercall.LockClass{Name: "vrele_lock", Rank: 710}
	vfsListLockClass    = hypercall.LockClass{Name: "vfs_list_lock", Rank: 730}
)

// NewSystem makes the vnode layer of a kernel. The layers above fill in the
// exported fields before the first vnode is made.
//
//netbsd:sys/kern/vfs_subr.c vntblinit
func NewSystem(k *kern.Kernel, uvmsys *uvm.System, c Config) *System {
	sys := &System{K: k, UVM: uvmsys, stepped: c.Stepped, desiredvnodes: c.DesiredVnodes, wrap: c.Wrap}
	if sys.desiredvnodes == 0 {
		sys.desiredvnodes = DesiredVnodes
	}
	sys.faithful = k.Sys.Mode() != hypercall.Native
	sys.threads.Init(k.Sys, &threadsLockClass)
	sys.freeLock.Init(k.Sys, &freeLockClass)
	sys.drainCV.Init(k.Sys, "vdrain")
	sys.releLock.Init(k.Sys, &releLockClass)
	sys.releCV.Init(k.Sys, "vrele")
	sys.releDone.Init(k.Sys, "vrelefl")
	sys.mountlistLock.Init(k.Sys, &mountlistLockClass)
	sys.mntvnodeLock.Init(k.Sys, &mntvnodeLockClass)
	sys.mntidLock.Init(k.Sys, &mntidLockClass)
	sys.vfsListLock.Init(k.Sys, &vfsListLockClass)
	sys.bufs.init(k.Sys)
	sys.syncer.init(k.Sys)
	sys.fstrans.init(k.Sys)
	return sys
}

// DesiredVnodes returns how many vnodes there should be at most.
func (sys *System) DesiredVnodes() int { return sys.desiredvnodes }

// NumVnodes returns how many vnodes there are, unused ones included.
func (sys *System) NumVnodes() int { return int(sys.numvnodes.Load()) }

// HoldThreads waits until the threads that do background work have finished
// what they do, and keeps them from doing more until [System.LetThreads].
//
// Preconditions: the caller has no lock and no vnode that they may wait for.
func (sys *System) HoldThreads(l *kern.Lwp) { sys.threads.Enter(l) }

// LetThreads lets the threads work again.
func (sys *System) LetThreads(l *kern.Lwp) { sys.threads.Exit(l) }

// work does a piece of background work on a thread of the vnode layer.
func (sys *System) work(l *kern.Lwp, step func()) {
	sys.threads.REnter(l)
	step()
	sys.threads.Exit(l)
}

// StopThreads ends the threads that do background work. The work that is
// left is for [System.ReleStep], [System.DrainStep] and [System.SyncerStep].
func (sys *System) StopThreads(l *kern.Lwp) {
	sys.stopping.Store(true)
	sys.freeLock.Enter(l)
	drain := sys.drainLwp
	sys.drainCV.Broadcast(l)
	sys.freeLock.Exit(l)
	sys.releLock.Enter(l)
	rele := sys.releLwp
	sys.releCV.Broadcast(l)
	sys.releLock.Exit(l)
	sys.syncer.lock.Enter(l)
	sync := sys.syncer.lwp
	sys.syncer.cv.Broadcast(l)
	sys.syncer.lock.Exit(l)
	for _, w := range [...]*kern.Lwp{drain, rele, sync} {
		if w != nil {
			w.Join(&l.Thread)
		}
	}
}

// Audit names what is left over when a kernel is about to end and everybody
// has returned what they had: vnodes referenced, held, locked, open or with
// output in progress, releases not done, mounts in use. Nothing means
// nothing leaked.
//
// Preconditions: the caller holds no lock; nobody else is in the kernel.
func (sys *System) Audit(l *kern.Lwp) []string {
	var left []string
	report := func(format string, args ...any) { left = append(left, fmt.Sprintf(format, args...)) }
	sys.releLock.Enter(l)
	if n := sys.relePend + sys.releActive; n != 0 {
		report("%d releases of vnodes not done", n)
	}
	sys.releLock.Exit(l)
	for _, mp := range sys.Mounts(l) {
		sys.auditMount(l, mp, report)
	}
	if sys.DeadMount != nil {
		sys.auditVnodes(l, "dead", &sys.DeadMount.vnodes, report)
	}
	sys.auditVnodes(l, "without a mount", &sys.nomount, report)
	return left
}

func (sys *System) auditMount(l *kern.Lwp, mp *Mount, report func(string, ...any)) {
	name := mp.Stat.Mntonname
	mp.Unmounting.Enter(l)
	if mp.busynest != 0 {
		report("mount %s: busy %d times", name, mp.busynest)
	}
	mp.Unmounting.Exit(l)
	n := sys.auditVnodes(l, name, &mp.vnodes, report)
	if extra := int(mp.refcnt.Load()) - 1 - n; extra != 0 {
		report("mount %s: %d references too many", name, extra)
	}
	for _, m := range [...]struct {
		lock *kern.Mutex
		name string
	}{{&mp.Updating, "mnt_updating"}, {&mp.Renamelock, "mnt_renamelock"}} {
		if !m.lock.TryEnter(l) {
			report("mount %s: %s is held", name, m.name)
			continue
		}
		m.lock.Exit(l)
	}
}

// auditVnodes reports on the vnodes of a list and returns their number.
func (sys *System) auditVnodes(l *kern.Lwp, where string, list *mntVnodeList, report func(string, ...any)) int {
	n := 0
	sys.mntvnodeLock.Enter(l)
	for vp := list.first; vp != nil; vp = vp.mntNext {
		n++
		if vp.marker {
			report("%s: an iterator was not destroyed", where)
		} else if vp.leaked(l) {
			report("%s: %s", where, vp.KernelState())
		}
	}
	sys.mntvnodeLock.Exit(l)
	return n
}

// leaked reports whether anybody still has a claim on vp.
func (vp *Vnode) leaked(l *kern.Lwp) bool {
	if vp.VLock.Held() {
		return true
	}
	vp.Interlock.Enter(l)
	defer vp.Interlock.Exit(l)
	return vp.Usecount() != 0 || vp.Writecount() != 0 || vp.holdcnt != 0 || vp.numoutput != 0
}

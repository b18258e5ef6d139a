package vnode

import (
	"strings"
	"testing"

	"rumpvfs/hypercall"
	"rumpvfs/kern"
)

// checked is a kernel with two files: used is referenced by the test, unused is on a free list. used has a clean buffer, is on
// the syncer's worklist, and has an advisory lock.
type checked struct {
	*toyKernel
	used, unused *Vnode
	bp           *Buf
	lf           Lockf
}

func newChecked(t *testing.T) *checked {
	k := &checked{toyKernel: newToyKernel(t, hypercall.Config{}, Config{Stepped: true})}
	k.used, k.unused = k.find(0), k.find(1)
	k.unused.Rele(k.l)
	k.bp = k.sys.GetIOBuf(k.l)
	k.bp.Cflags = BC_BUSY
	k.used.Interlock.Enter(k.l)
	k.used.Size, k.used.WriteSize = 0, 0
	k.bp.Getvp(k.l, k.used)
	k.used.SyncerAddToWorklist(k.l, 1)
	k.used.Interlock.Exit(k.l)
	k.unused.Size, k.unused.WriteSize = 0, 0
	fl := kern.Flock{Type: kern.F_WRLCK, Len: 10}
	k.want("lock", k.lf.Advlock(k.l, k.used, k.l.Proc, kern.F_SETLK, &fl, kern.F_POSIX, 0), nil)
	return k
}

func (k *checked) check() []string {
	c := kern.NewCheckup(k.l, func(c *kern.Checkup) {
		k.used.HeldBy(c, "the test")
		k.sys.Count(c)
		k.lf.Check(c, k.used)
	})
	c.Begin()
	k.sys.Check(c)
	return c.End()
}

// TestCheckSees breaks each invariant on purpose: it is named, with its object.
func TestCheckSees(t *testing.T) {
	for _, c := range []struct {
		name string
		harm func(k *checked)
		want string // "" for nothing
	}{
		{"nothing", func(*checked) {}, ""},

		{"mount list", func(k *checked) { k.fs.mp.prev = k.sys.DeadMount }, `mount "/toyfs" flag 0x0 iflag 0x0 refcnt 3 busynest 0: the mount list is broken`},
		{"end of the mount list", func(k *checked) { k.sys.mountLast = nil }, "mount list: it does not end with its last"},
		{"covered directory", func(k *checked) { k.used.Ref(k.l); k.fs.mp.Covered = k.used }, "the directory that it covers does not know: vnode"},
		{"covered by nothing", func(k *checked) { k.used.SetMountedhere(k.sys.DeadMount) }, "is covered by a mount that does not cover it"},
		{"references of a mount", func(k *checked) { k.fs.mp.Ref() }, "refcnt 4, but 3 references"},
		{"busy mount", func(k *checked) { _ = k.fs.mp.Busy(k.l) }, "busy 1 times"},
		{"unmounting", func(k *checked) { k.fs.mp.SetIflag(kern.IMNT_UNMOUNT) }, "is being unmounted"},
		{"loading", func(k *checked) { k.fs.mp.loading++ }, "vnodes are being made or flushed"},
		{"transaction", func(k *checked) {
			k.fs.mp.FstransMount()
			k.fs.mp.FstransStart(k.l, FSTRANS_LAZY)
		}, "1 transactions of kind 1 run"},
		{"lock of a mount", func(k *checked) { k.fs.mp.Renamelock.Enter(k.l) }, "mnt_renamelock is held"},

		{"list of vnodes", func(k *checked) { k.fs.mp.vnodes.first.mntPrev = k.used }, "the list of vnodes of its mount is broken here"},
		{"end of the list of vnodes", func(k *checked) { k.fs.mp.vnodes.last = nil }, "vnodes of a mount: the list does not end with its last"},
		{"iterator", func(k *checked) { k.fs.mp.VnodeIterator(k.l) }, "an iterator was not destroyed"},
		{"mount of a vnode", func(k *checked) { k.used.mount.Store(k.sys.DeadMount) }, "is in the list of another mount"},
		{"number of vnodes", func(k *checked) { k.sys.numvnodes.Add(1) }, "vnodes: 2 of mounts, but numvnodes is 3"},

		{"release without a list", func(k *checked) { k.sys.releTail = k.used }, "releases: the list does not end with its tail"},
		{"release in progress", func(k *checked) { k.sys.releActive++ }, "releases: 1 in progress"},
		{"number of releases", func(k *checked) { k.sys.relePend++ }, "releases: 1 are due, but 0 in the list"},
		{"release due", func(k *checked) { k.used.Ref(k.l); k.used.Interlock.Enter(k.l); k.sys.deferRele(k.l, k.used) }, ""},
		{"release put off", func(k *checked) { k.used.Ref(k.l); k.sys.releSkip = []*Vnode{k.used}; k.sys.relePend++ }, ""},

		{"vnode lock", func(k *checked) { k.used.mustLock(k.l) }, "is locked"},
		{"interlock", func(k *checked) { k.used.Interlock.Enter(k.l) }, "its interlock is held"},
		{"reference too many", func(k *checked) { k.used.Ref(k.l) }, "usecount 2, but 1 references (the test)"},
		{"reference too few", func(k *checked) { k.used.Refs.Add(-1) }, "usecount 0, but 1 references (the test)"},
		{"writer", func(k *checked) { k.used.AddWritecount(k.l, 1) }, "writecount 1, but 0 uses for writing"},
		{"the syncer's vnode", func(k *checked) { k.fs.mp.Syncer = k.used }, "usecount 1, but 2 references (the test, the syncer)"},
		{"root", func(k *checked) { k.sys.Root.Store(k.used) }, "2 references (the test, the kernel, as root directory)"},
		{"changing", func(k *checked) { k.used.Refs.Or(refChanging) }, "changes its state"},
		{"listed and not", func(k *checked) { k.unused.Refs.And(^refListed) }, "refListed is false, but on a free list is true"},
		{"lost", func(k *checked) { k.sys.freeList.remove(k.unused); k.unused.Refs.Store(0) }, "is unused, but on no free list"},
		{"dead and not freed", func(k *checked) { k.sys.freeList.remove(k.unused); k.unused.Refs.Store(refClean) }, "is dead and unused, but not freed"},
		{"the wrong free list", func(k *checked) {
			k.sys.freeList.remove(k.unused)
			k.sys.holdList.insert(k.unused)
		}, "is on the wrong free list for its holdcnt"},
		{"clean with data", func(k *checked) { k.used.Refs.Or(refClean) }, "is clean, but not where the dead are"},
		{"dead operations", func(k *checked) { k.used.op.Store(k.sys.DeadOps) }, "is dead, but not clean"},
		{"output", func(k *checked) { k.used.Startoutput(k.l, 1) }, "1 writes in progress"},
		{"sizes", func(k *checked) { k.used.Size = 10 }, "size 10 above writesize 0"},

		{"holds", func(k *checked) { k.unused.holdcnt++ }, "holdcnt 1, but 0 buffers"},
		{"list of buffers", func(k *checked) { k.bp.vnbPrev = k.bp }, "the list of its buffers is broken at block 0"},
		{"vnode of a buffer", func(k *checked) { k.bp.Vp = k.unused }, "block 0 in its list of buffers belongs to another"},
		{"dirty among clean", func(k *checked) { k.bp.Oflags |= BO_DELWRI }, "block 0 is in the wrong list of buffers, dirty is true"},
		{"page", func(k *checked) {
			k.used.Interlock.Enter(k.l)
			k.used.PageAlloc(k.l, 0, 0)
			k.used.Interlock.Exit(k.l)
		}, "page at 0x0 lies beyond the end, 0x0"},

		{"free list", func(k *checked) { k.unused.freePrev = k.used }, "the free list is broken here"},
		{"end of the free list", func(k *checked) { k.sys.freeList.last = nil }, "free list: it does not end with its last"},
		{"age", func(k *checked) { k.unused.freeAge++ }, "its age on the free list"},
		{"order of the free list", func(k *checked) {
			vp := k.find(2)
			vp.Size, vp.WriteSize = 0, 0
			vp.Rele(k.l)
			k.unused.freeAge, k.unused.unused = 2, 2
			vp.freeAge, vp.unused = 1, 1
		}, "stands behind a younger one on the free list"},
		{"on the free list, and not listed", func(k *checked) {
			k.unused.Refs.And(^refListed)
		}, "is on a free list, but not refListed"},

		{"worklist", func(k *checked) { k.used.iflag.And(^uint32(VI_ONWORKLST)) }, "the syncer's worklist is broken here"},
		{"end of the worklist", func(k *checked) { k.sys.syncer.pending[k.used.syncSlot].last = nil }, "does not end with its last"},
		{"worklist, not in it", func(k *checked) { k.unused.iflag.Or(VI_ONWORKLST) }, "queued 1, but 1 in it, and 2 vnodes say so"},

		{"kind of a lock", func(k *checked) { k.lf.head.kind = kern.F_UNLCK }, "lock 2 of bytes 0 to 9 is neither shared nor exclusive"},
		{"waiting for a lock", func(k *checked) { k.lf.head.blocked = []*lock{{}} }, "has 1 lwps waiting"},
		{"locks that exclude each other", func(k *checked) {
			k.lf.head.next = &lock{kind: kern.F_RDLCK, start: 5, end: lockEOF, id: "other"}
			k.sys.lockf.Load().count[0]++
		}, "lock 3 of bytes 0 to 9 and lock 1 of bytes 5 to -1 exclude each other"},
		{"account of locks", func(k *checked) { k.sys.lockf.Load().count[7]++ }, "advisory locks: 2 on the accounts of users, but 1 were found"},
		{"who waits for locks", func(k *checked) { k.sys.lockf.Load().waiting[nil] = nil }, "advisory locks: lwps of 1 processes wait for one"},
		{"no locks", func(k *checked) { k.sys.lockf.Store(nil) }, "has advisory locks in a kernel that has none"},
	} {
		t.Run(c.name, func(t *testing.T) {
			k := newChecked(t)
			c.harm(k)
			broken := strings.Join(k.check(), "\n")
			if c.want == "" && broken != "" || !strings.Contains(broken, c.want) {
				t.Errorf("broken: %q, want %q", broken, c.want)
			}
		})
	}
}

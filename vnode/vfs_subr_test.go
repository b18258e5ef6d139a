package vnode

import (
	"fmt"
	"strings"
	"testing"

	"rumpvfs/kern"
	"rumpvfs/uvm"
)

// toyDevices is a table of devices, and toyNode what its vnodes have.
type toyDevices struct {
	k     *toyKernel
	nodes []*toyNode
}

type toyNode struct {
	d       *toyDevices
	vp      *Vnode
	rdev    kern.Dev
	mounted bool
}

func (d *toyDevices) NodeInit(_ *kern.Lwp, vp *Vnode, rdev kern.Dev) {
	n := &toyNode{d: d, vp: vp, rdev: rdev}
	d.nodes = append(d.nodes, n)
	vp.Dev = n
}

func (d *toyDevices) Lookup(l *kern.Lwp, t Vtype, rdev kern.Dev) (*Vnode, error) {
	for _, n := range d.nodes {
		if n.rdev == rdev && n.vp.Type() == t && !n.vp.Dying() {
			n.vp.Interlock.Enter(l)
			return n.vp, n.vp.Get(l, 0)
		}
	}
	return nil, kern.ENOENT
}

func (n *toyNode) Rdev() kern.Dev { return n.rdev }
func (n *toyNode) Mounted() bool  { return n.mounted }

func (n *toyNode) Revoke(l *kern.Lwp, vp *Vnode) {
	n.d.k.fs.note(l, "close(%v,locked=%v)", n.rdev.Minor(), vp.VLock.WriteHeld(l))
}

func (n *toyNode) Destroy(l *kern.Lwp, vp *Vnode) {
	for i, o := range n.d.nodes {
		if o == n {
			n.d.nodes = append(n.d.nodes[:i], n.d.nodes[i+1:]...)
		}
	}
	n.d.k.fs.note(l, "destroy(%v)", n.rdev.Minor())
}

// device makes file n of k the node of a device.
func (k *toyKernel) device(n int, t Vtype, rdev kern.Dev) *Vnode {
	vp := k.find(n)
	vp.SetType(t)
	k.sys.Devices.NodeInit(k.l, vp, rdev)
	return vp
}

func newDeviceStory(t *testing.T) *toyKernel {
	k := newStory(t)
	k.sys.Devices = &toyDevices{k: k}
	k.sys.SpecOps = toyOps()
	k.sys.SpecOps.Name = "spec"
	k.sys.SpecOps.Inactive = func(l *kern.Lwp, vp *Vnode) (bool, error) { return true, VOP_UNLOCK(l, vp) }
	k.sys.SpecOps.Reclaim = func(*kern.Lwp, *Vnode) error { return nil }
	return k
}

func TestDeviceWithoutFileSystem(t *testing.T) {
	k := newDeviceStory(t)
	for i, make := range []func(*kern.Lwp, kern.Dev) (*Vnode, error){k.sys.Bdevvp, k.sys.Cdevvp} {
		vp, err := make(k.l, kern.NODEV)
		k.want("of no device", fmt.Sprint(vp, err), "<nil> <nil>")
		vp, err = make(k.l, kern.Makedev(1, 7))
		if err != nil {
			t.Fatal(err)
		}
		k.want("type", vp.Type(), []Vtype{VBLK, VCHR}[i])
		k.want("mount", vp.Mount(), (*Mount)(nil))
		k.want("found", k.sys.FindDev(k.l, kern.Makedev(1, 7), vp.Type()), vp)
		if left := k.sys.Audit(k.l); !strings.HasPrefix(left[0], "without a mount: vnode") {
			t.Errorf("audit: %v", left)
		}
		vp.Rele(k.l)
		vp.Rele(k.l)
		k.wantTold("rele", "destroy(7)")
		k.want("found", k.sys.FindDev(k.l, kern.Makedev(1, 7), vp.Type()), (*Vnode)(nil))
	}
}

func TestDevGone(t *testing.T) {
	k := newDeviceStory(t)
	a, b := k.device(1, VCHR, kern.Makedev(1, 7)), k.device(2, VCHR, kern.Makedev(1, 7))
	c, other := k.device(3, VCHR, kern.Makedev(1, 8)), k.device(4, VCHR, kern.Makedev(1, 9))
	a.Rele(k.l)
	k.fs.told(k.l)
	k.sys.DevGone(k.l, 1, 7, 8, VCHR)
	k.want("dead", fmt.Sprint(a.Dying(), b.Dying(), c.Dying(), other.Dying()), "true true true false")
	k.wantTold("devgone", "close(7,locked=true) inactive(1) reclaim(1) "+
		"close(7,locked=true) inactive(2) reclaim(2) "+
		"destroy(7) close(8,locked=true) inactive(3) reclaim(3)")
	b.Rele(k.l)
	c.Rele(k.l)
	other.Rele(k.l)
}

// A block device that a file system is mounted from loses its node but lives
// on with the operations of devices.
func TestMountedDeviceOutlivesItsNode(t *testing.T) {
	k := newDeviceStory(t)
	vp := k.device(1, VBLK, kern.Makedev(1, 7))
	k.want("mounted on", vp.MountedOn(k.l), nil)
	vp.Dev.(*toyNode).mounted = true
	k.want("mounted on", vp.MountedOn(k.l), error(kern.EBUSY))
	alias, _ := k.sys.Bdevvp(k.l, kern.Makedev(1, 7))
	k.want("an alias", alias.MountedOn(k.l), error(kern.EBUSY))
	alias.Rele(k.l)
	none, _ := k.sys.Bdevvp(k.l, kern.Makedev(1, 8))
	none.Dev.(*toyNode).rdev = kern.Makedev(1, 9)
	k.sys.Devices.(*toyDevices).nodes = k.sys.Devices.(*toyDevices).nodes[:1]
	k.want("nobody", none.MountedOn(k.l), nil)
	none.Rele(k.l)
	file := k.find(2)
	k.want("a file", file.MountedOn(k.l), error(kern.ENOTBLK))
	file.Rele(k.l)
	k.fs.told(k.l)

	vp.Ref(k.l)
	vp.Gone(k.l)
	k.wantTold("gone", "inactive(1) reclaim(1)")
	k.want("operations", vp.Ops().Name, "spec")
	k.want("mount", vp.Mount(), k.sys.DeadMount)
	k.want("dead", vp.Dying(), false)
	vp.Dev.(*toyNode).mounted = false
	vp.Rele(k.l)
	k.wantTold("rele", "destroy(7)")
}

// toyCache is a buffer cache for vnodes that have one buffer.
type toyCache struct {
	k    *toyKernel
	err  error
	keep bool // does not throw anything away
}

func (c *toyCache) Brelse(*kern.Lwp, *Buf, uint32) {}

func (c *toyCache) drop(vp *Vnode) {
	if !c.keep {
		vp.cleanblk.first, vp.dirtyblk.first = nil, nil
	}
}

func (c *toyCache) InvalBufs(l *kern.Lwp, vp *Vnode) error {
	c.k.fs.note(l, "inval")
	c.drop(vp)
	return c.err
}

func (c *toyCache) TruncBufs(l *kern.Lwp, _ *Vnode, lbn int64) error {
	c.k.fs.note(l, "trunc(%d)", lbn)
	return c.err
}

func (c *toyCache) FlushBufs(l *kern.Lwp, vp *Vnode) {
	c.k.fs.note(l, "flush")
	if vp.cleanblk.first == nil { // the first write is not enough
		vp.cleanblk.first = vp.dirtyblk.first
	} else {
		c.drop(vp)
	}
}

func TestBuffersOfVnode(t *testing.T) {
	k := newStory(t)
	vp := k.find(1)
	k.fs.ops.Putpages = func(l *kern.Lwp, vp *Vnode, lo, hi int64, flags int) error {
		vp.Interlock.Exit(l)
		k.fs.note(l, "put(%#x,%#x)", lo, flags)
		if flags&uvm.PGO_RECLAIM != 0 {
			return k.fs.resist
		}
		return nil
	}
	put := func(flags int) string { return fmt.Sprintf("put(0x0,%#x)", flags) }
	inval := uvm.PGO_ALLPAGES | uvm.PGO_FREE | uvm.PGO_SYNCIO
	flush := uvm.PGO_ALLPAGES | uvm.PGO_CLEANIT

	vp.VLock.Enter(k.l)
	k.want("without a cache", vp.InvalBuf(k.l, 0, nil), nil)
	k.want("without a cache", vp.FlushBuf(k.l, FSYNC_LAZY), nil)
	k.want("without a cache", vp.TruncBuf(k.l, 1), nil)
	k.wantTold("without a cache", put(inval)+" "+put(flush|uvm.PGO_LAZY)+
		fmt.Sprintf(" put(0x1000,%#x)", uvm.PGO_FREE|uvm.PGO_SYNCIO))

	c := &toyCache{k: k}
	k.sys.Cache = c
	k.fs.mp.FsBshift = 9
	k.want("trunc", vp.TruncBuf(k.l, 9), nil)
	k.wantTold("trunc", fmt.Sprintf("put(0x2000,%#x) trunc(9)", uvm.PGO_FREE|uvm.PGO_SYNCIO))
	k.want("inval", vp.InvalBuf(k.l, V_SAVE, nil), nil)
	k.wantTold("inval of nothing", put(inval|uvm.PGO_CLEANIT|uvm.PGO_RECLAIM))
	vp.cleanblk.first = new(Buf)
	k.want("inval", vp.InvalBuf(k.l, V_SAVE, nil), nil)
	k.wantTold("inval", put(inval|uvm.PGO_CLEANIT|uvm.PGO_RECLAIM)+" inval")

	vp.dirtyblk.first = new(Buf)
	k.want("flush", vp.FlushBuf(k.l, FSYNC_WAIT), nil)
	k.wantTold("flush", put(flush|uvm.PGO_SYNCIO)+" flush flush")

	c.err, vp.cleanblk.first = kern.EIO, new(Buf)
	k.want("inval fails", vp.InvalBuf(k.l, 0, nil), error(kern.EIO))
	c.err, c.keep = nil, true
	vp.cleanblk.first = new(Buf)
	if msg := kernelPanic(t, func() { vp.InvalBuf(k.l, 0, nil) }); !strings.Contains(msg, "flush failed") {
		t.Errorf("a buffer left: %q", msg)
	}
	c.keep, vp.cleanblk.first = false, nil
	VOP_UNLOCK(k.l, vp)

	// What cannot be written is lost when the vnode goes.
	k.fs.resist = kern.EIO
	k.fs.told(k.l)
	vp.Data.(*toyFile).inactive = func(l *kern.Lwp, _ *Vnode) { k.fs.resist = nil }
	vp.Ref(k.l)
	vp.cleanblk.first = new(Buf)
	vp.Gone(k.l)
	k.wantTold("gone", put(inval|uvm.PGO_CLEANIT|uvm.PGO_RECLAIM)+" "+put(inval)+" inval inactive(1) reclaim(1)")
	vp.Rele(k.l)
}

func TestTruncBufFails(t *testing.T) {
	k := newStory(t)
	vp := k.find(1)
	k.fs.ops.Putpages = func(l *kern.Lwp, vp *Vnode, _, _ int64, _ int) error {
		vp.Interlock.Exit(l)
		return kern.EIO
	}
	k.want("trunc", vp.TruncBuf(k.l, 0), error(kern.EIO))
	k.fs.ops.Putpages = toyPutpages
	k.fs.ops.Fsync = func(*kern.Lwp, *Vnode, *kern.Cred, int, int64, int64) error { return kern.EIO }
	k.want("fsync", vp.InvalBuf(k.l, V_SAVE, nil), error(kern.EIO))
	vp.Rele(k.l)
}

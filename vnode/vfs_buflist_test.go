package vnode

import (
	"fmt"
	"testing"

	"rumpvfs/kern"
)

// cached returns a buffer as the cache would hand it over.
func (k *toyKernel) cached() *Buf {
	bp := new(Buf)
	k.sys.InitBuf(bp)
	bp.Cflags = BC_BUSY
	return bp
}

// with calls f with the interlock held.
func (vp *Vnode) with(l *kern.Lwp, f func()) {
	vp.Interlock.Enter(l)
	f()
	vp.Interlock.Exit(l)
}

// The buffers of a vnode hold it, and have it synchronised while one of them
// is dirty.
func TestCachedBuffersOfVnode(t *testing.T) {
	k := newStory(t)
	vp := k.find(1)
	a, b := k.cached(), k.cached()
	state := func() string {
		var clean, dirty []int
		for bp := vp.CleanBufs(); bp != nil; bp = bp.NextOfVnode() {
			clean = append(clean, int(bp.Lblkno))
		}
		for bp := vp.DirtyBufs(); bp != nil; bp = bp.NextOfVnode() {
			dirty = append(dirty, int(bp.Lblkno))
		}
		return fmt.Sprint(clean, dirty, vp.Iflag()&VI_ONWORKLST != 0, vp.Holdcnt())
	}
	vp.with(k.l, func() {
		a.Lblkno, b.Lblkno = 1, 2
		a.Getvp(k.l, vp)
		b.Getvp(k.l, vp)
		k.want("two clean ones", state(), "[2 1] [] false 2")
		k.want("device", a.Dev, kern.NODEV)
		a.Oflags |= BO_DELWRI
		a.Reassign(k.l)
		k.want("one dirty", state(), "[2] [1] true 2")
		b.Oflags |= BO_DELWRI
		b.Reassign(k.l)
		k.want("two dirty ones", state(), "[] [2 1] true 2")
		a.Oflags = 0
		a.Reassign(k.l)
		k.want("one clean", state(), "[1] [2] true 2")
		b.Relvp(k.l)
		k.want("the dirty one is gone", state(), "[1] [] false 1")
		b.Oflags = 0
		b.Getvp(k.l, vp)
		b.Oflags |= BO_DELWRI
		b.Reassign(k.l)
		b.Oflags = 0
		b.Reassign(k.l)
		k.want("written", state(), "[2 1] [] false 2")
		a.Relvp(k.l)
		b.Relvp(k.l)
		k.want("none", state(), "[] [] false 0")
	})
	vp.Rele(k.l)
}

// When the syncer comes depends on what is dirty, and to a file system that is
// mounted MNT_ASYNC it does not.
func TestWhenBuffersAreSynced(t *testing.T) {
	k := newDeviceStory(t)
	file := k.find(1)
	file.SetType(VREG)
	dir := k.find(2)
	dir.SetType(VDIR)
	dev := k.device(3, VBLK, kern.Makedev(1, 7))
	k.want("delays", fmt.Sprint(file.syncDelay(), dir.syncDelay(), dev.syncDelay()), fmt.Sprint(Filedelay, Dirdelay, Filedelay))
	dev.Dev.(*toyNode).mounted = true
	k.want("a mounted device", dev.syncDelay(), Metadelay)
	dev.Dev.(*toyNode).mounted = false
	bp := k.cached()
	k.fs.mp.SetFlag(kern.MNT_ASYNC)
	file.with(k.l, func() {
		bp.Getvp(k.l, file)
		bp.Oflags = BO_DELWRI
		bp.Reassign(k.l)
		k.want("on the worklist", file.Iflag()&VI_ONWORKLST != 0, false)
		bp.Relvp(k.l)
	})
	dev.with(k.l, func() {
		bp.Getvp(k.l, dev)
		k.want("device", bp.Dev, kern.Makedev(1, 7))
		bp.Relvp(k.l)
	})
	for _, vp := range []*Vnode{file, dir, dev} {
		vp.Rele(k.l)
	}
	k.fs.told(k.l)
}

// The outcome of an asynchronous transfer can be asked for after it is over,
// until the next is.
func TestAsyncError(t *testing.T) {
	k := newStory(t)
	k.sys.Cache = &releases{}
	bp := k.cached()
	for i, err := range []error{kern.EIO, nil, kern.ENOSPC} {
		n := bp.AsyncCount()
		k.want("count", n, uint64(i))
		k.want("not over", bp.AsyncError(n), nil)
		bp.Flags, bp.Oflags, bp.Error = B_READ|B_ASYNC, 0, err
		Biodone(k.l, bp)
		k.want("over", bp.AsyncError(n), err)
		if n > 0 {
			k.want("of one before", bp.AsyncError(n-1), nil)
		}
	}
	k.sys.Cache = nil
}

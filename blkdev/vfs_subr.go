package blkdev

import (
	"rumpvfs/kern"
	"rumpvfs/vnode"
)

// InvalBufs throws away the buffers of vp, dirty ones too.
//
// Preconditions: vp is locked exclusively.
//
//netbsd:sys/kern/vfs_subr.c vinvalbuf
func (c *Cache) InvalBufs(l *kern.Lwp, vp *vnode.Vnode) error {
	return c.discard(l, func() *vnode.Buf {
		if bp := vp.DirtyBufs(); bp != nil {
			return bp
		}
		return vp.CleanBufs()
	})
}

// TruncBufs throws away the buffers of vp from block lbn on, dirty ones too.
//
// Preconditions: vp is locked exclusively.
//
//netbsd:sys/kern/vfs_subr.c vtruncbuf
func (c *Cache) TruncBufs(l *kern.Lwp, vp *vnode.Vnode, lbn int64) error {
	return c.discard(l, func() *vnode.Buf {
		if bp := beyond(vp.DirtyBufs(), lbn); bp != nil {
			return bp
		}
		return beyond(vp.CleanBufs(), lbn)
	})
}

// beyond returns the first of a list of buffers whose block is lbn or more.
func beyond(bp *vnode.Buf, lbn int64) *vnode.Buf {
	for bp != nil && bp.Lblkno < lbn {
		bp = bp.NextOfVnode()
	}
	return bp
}

// discard makes the buffers invalid that next finds, until it finds none. It
// waits for those that somebody owns.
func (c *Cache) discard(l *kern.Lwp, next func() *vnode.Buf) error {
	c.lock.Enter(l)
	for bp := next(); bp != nil; bp = next() {
		h := headerOf(bp)
		mine, err := c.bbusy(l, h)
		if err != nil {
			c.lock.Exit(l)
			return err
		}
		if mine {
			c.brelsel(l, h, vnode.BC_INVAL|vnode.BC_VFLUSH)
		}
	}
	c.lock.Exit(l)
	return nil
}

// FlushBufs begins to write the dirty buffers of vp. One that somebody owns is
// passed over, and what cannot be written is lost.
//
// Preconditions: vp is locked exclusively.
//
//netbsd:sys/kern/vfs_subr.c vflushbuf
func (c *Cache) FlushBufs(l *kern.Lwp, vp *vnode.Vnode) {
	c.lock.Enter(l)
	for bp := idle(vp.DirtyBufs()); bp != nil; bp = idle(vp.DirtyBufs()) {
		if bp.Oflags&vnode.BO_DELWRI == 0 {
			kern.Panicf("vflushbuf: not dirty, bp of %v", vp)
		}
		bp.Cflags |= vnode.BC_BUSY | vnode.BC_VFLUSH
		c.lock.Exit(l)
		_ = c.Bawrite(l, bp) // as in the reference nobody is told
		c.lock.Enter(l)
	}
	c.lock.Exit(l)
}

// idle returns the first of a list of buffers that nobody owns.
func idle(bp *vnode.Buf) *vnode.Buf {
	for bp != nil && bp.Cflags&vnode.BC_BUSY != 0 {
		bp = bp.NextOfVnode()
	}
	return bp
}

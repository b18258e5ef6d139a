package blkdev

import (
	"bytes"
	"fmt"
	"testing"

	"pgregory.net/rapid"

	"rumpvfs/hypercall"
	"rumpvfs/kern"
	"rumpvfs/vnode"
)

// model is what a block device and its cache must look like from outside.
type model struct {
	disk   []byte         // what the file of the host holds
	cached map[int][]byte // blocks in memory
	dirty  map[int]bool   // of these, those that are to be written
}

// content returns what a read of block b must give.
func (mo *model) content(b int) []byte {
	if c := mo.cached[b]; c != nil {
		return c
	}
	c := make([]byte, bsize)
	copy(c, mo.disk[b*bsize:min(len(mo.disk), (b+1)*bsize)])
	return c
}

// written is block b on its way to the disk; if that fails it is lost.
func (mo *model) written(b int, fail bool) {
	if fail {
		delete(mo.cached, b)
	} else {
		copy(mo.disk[b*bsize:], mo.cached[b])
	}
	delete(mo.dirty, b)
}

func (mo *model) flush(fail bool) {
	for b := range mo.dirty {
		mo.written(b, fail)
	}
}

func (mo *model) discard(from int) {
	for b := range mo.cached {
		if b >= from {
			delete(mo.cached, b)
			delete(mo.dirty, b)
		}
	}
}

// TestCacheModel does at random what file systems do with blocks, on a disk
// that at times fails, and compares with the model: what is read, what the
// host's file holds, what is in memory.
func TestCacheModel(t *testing.T) {
	rapid.Check(t, func(rt *rapid.T) {
		h := hypercall.NewFaultHost(nil)
		m := newMachine(t, setup{Config: hypercall.Config{Mode: hypercall.Deterministic, Host: h}})
		mo := &model{disk: pattern(rapid.IntRange(1, 8*bsize/512).Draw(rt, "sectors") * 512), cached: map[int][]byte{}, dirty: map[int]bool{}}
		blocks := (len(mo.disk) + bsize - 1) / bsize
		vp := m.disk("/disk", mo.disk)
		failing := false
		must := func(what string, got, want any) {
			if fmt.Sprint(got) != fmt.Sprint(want) {
				rt.Fatalf("%s: %v, want %v", what, got, want)
			}
		}
		ioerr := func() error {
			if failing {
				return kern.EIO
			}
			return nil
		}
		pick := rapid.IntRange(0, blocks-1)
		// change draws a block, reads it and changes some of it.
		change := func() (int, *vnode.Buf) {
			b := pick.Draw(rt, "block")
			whole := rapid.Bool().Draw(rt, "whole")
			var bp *vnode.Buf
			if whole {
				bp = m.cache.Getblk(m.l, vp, blk(b), bsize)
				mo.cached[b] = make([]byte, bsize)
			} else {
				if failing && mo.cached[b] == nil {
					return b, nil
				}
				bp = m.bread(vp, b)
				mo.cached[b] = bytes.Clone(mo.content(b))
			}
			at, c := rapid.IntRange(0, bsize-1).Draw(rt, "at"), rapid.Byte().Draw(rt, "byte")
			if whole {
				clear(bp.Data)
			}
			bp.Data[at], mo.cached[b][at] = c, c
			return b, bp
		}
		rt.Repeat(map[string]func(*rapid.T){
			"": func(rt *rapid.T) {
				if !bytes.Equal(m.data("/disk"), mo.disk) {
					rt.Fatal("the host's file is another")
				}
				must("dirty", m.cache.Stats(m.l).Dirty, len(mo.dirty))
				for b := range blocks {
					must(fmt.Sprint("in core ", b), m.cache.Incore(m.l, vp, blk(b)), mo.cached[b] != nil)
				}
				m.checkCache()
			},
			"read": func(rt *rapid.T) {
				b := pick.Draw(rt, "block")
				bp, err := m.cache.Bread(m.l, vp, blk(b), bsize)
				if failing && mo.cached[b] == nil {
					must("read", err, kern.EIO)
					return
				}
				must("read", err, nil)
				mo.cached[b] = mo.content(b)
				if !bytes.Equal(bp.Data, mo.cached[b]) {
					rt.Fatalf("block %d is another", b)
				}
				m.cache.Brelse(m.l, bp, 0)
			},
			"bwrite": func(*rapid.T) {
				if b, bp := change(); bp != nil {
					must("bwrite", m.cache.Bwrite(m.l, bp), ioerr())
					mo.written(b, failing)
				}
			},
			"bawrite": func(*rapid.T) {
				if b, bp := change(); bp != nil {
					must("bawrite", m.cache.Bawrite(m.l, bp), ioerr())
					mo.written(b, failing)
				}
			},
			"bdwrite": func(*rapid.T) {
				if b, bp := change(); bp != nil {
					m.cache.Bdwrite(m.l, bp)
					mo.dirty[b] = true
				}
			},
			"flush": func(*rapid.T) {
				m.flush(vp)
				mo.flush(failing)
			},
			"save and invalidate": func(*rapid.T) {
				vp.VLock.Enter(m.l)
				must("inval", vp.InvalBuf(m.l, vnode.V_SAVE, nil), nil)
				vp.VLock.Exit(m.l)
				mo.flush(failing)
				mo.discard(0)
			},
			"invalidate": func(*rapid.T) {
				must("inval", m.cache.InvalBufs(m.l, vp), nil)
				mo.discard(0)
			},
			"truncate": func(rt *rapid.T) {
				b := pick.Draw(rt, "block")
				must("trunc", m.cache.TruncBufs(m.l, vp, blk(b)), nil)
				mo.discard(b)
			},
			"fail or not": func(*rapid.T) {
				if failing = !failing; failing {
					h.SetFaults(hypercall.Fault{Op: hypercall.OpReadAt, Err: hypercall.HostErrno(kern.EIO)},
						hypercall.Fault{Op: hypercall.OpWriteAt, Err: hypercall.HostErrno(kern.EIO)})
				} else {
					h.SetFaults()
				}
			},
		})
		h.SetFaults()
		m.end(vp)
	})
}

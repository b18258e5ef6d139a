package vfs_test

import (
	"testing"

	"rumpvfs/kern"
	"rumpvfs/sim"
	"rumpvfs/uvm"
	"rumpvfs/vfs"
	"rumpvfs/vnode"
)

// TestDeadVnode does everything to vnodes that were taken away.
func TestDeadVnode(t *testing.T) {
	tb := newTable(t, sim.Config{Without: kern.Rev1125})
	l := tb.l
	fp, fd := tb.open("/f", kern.O_RDWR|kern.O_CREAT, 0o644)
	vp := fp.Vnode()
	dvp := tb.gone("/d")
	tb.must(vnode.VOP_REVOKE(l, vp, vnode.REVOKEALL))
	tb.want("operations", vp.Ops(), &vfs.DeadOps)
	tb.want("file system", vp.Mount().Op.Name(), "dead")

	_, lookup := vnode.VOP_LOOKUP(l, dvp, &vnode.Componentname{})
	_, create := vnode.VOP_CREATE(l, dvp, &vnode.Componentname{}, &vnode.Vattr{})
	events, poll := vnode.VOP_POLL(l, vp, kern.POLLIN)
	_, _, _, bmap := vnode.VOP_BMAP(l, vp, 0)
	_, read := tb.move(fp, kern.UIO_READ, make([]byte, 1), 0)
	_, write := tb.move(fp, kern.UIO_WRITE, make([]byte, 1), 0)
	_, pathconf := vnode.VOP_PATHCONF(l, vp, kern.PC_LINK_MAX)
	tb.must(vp.Lock(l, vnode.LK_EXCLUSIVE|vnode.LK_RETRY))
	recycle, inactive := vnode.VOP_INACTIVE(l, vp)
	tb.want("recycle it", recycle, false)
	tb.want("still locked", vp.VLock.Held(), false)
	tb.must(vp.Lock(l, vnode.LK_EXCLUSIVE|vnode.LK_RETRY))
	open := vnode.VOP_OPEN(l, vp, kern.FREAD, l.Cred)
	getattr := vnode.VOP_GETATTR(l, vp, &vnode.Vattr{}, l.Cred)
	fsync := vnode.VOP_FSYNC(l, vp, l.Cred, vnode.FSYNC_WAIT, 0, 0)
	tb.must(vnode.VOP_UNLOCK(l, vp))
	for _, c := range []struct {
		what      string
		got, want error
	}{
		{"lock", vp.Lock(l, vnode.LK_EXCLUSIVE), kern.ENOENT},
		{"inactive", inactive, nil},
		{"lookup", lookup, kern.ENOENT},
		{"create", create, kern.EBADF},
		{"open", open, kern.ENXIO},
		{"read", read, kern.EIO},
		{"write", write, kern.EIO},
		{"getattr", getattr, kern.EBADF},
		{"fcntl", fp.Ops.Fcntl(l, fp, kern.F_SETFL, nil), nil},
		{"ioctl", vnode.VOP_IOCTL(l, vp, 1, nil, 0, l.Cred), kern.EBADF},
		{"poll", poll, nil},
		{"bmap", bmap, kern.EIO},
		{"fsync", fsync, nil},
		{"seek", vnode.VOP_SEEK(l, vp, 0, 1, l.Cred), nil},
		{"revoke", vnode.VOP_REVOKE(l, vp, vnode.REVOKEALL), nil},
		{"pathconf", pathconf, kern.EBADF},
		{"advlock", vnode.VOP_ADVLOCK(l, vp, fp, kern.F_SETLK, &kern.Flock{Type: kern.F_WRLCK}, kern.F_FLOCK), kern.EBADF},
		{"print", vnode.VOP_PRINT(l, vp), nil},
		{"bwrite", vnode.VOP_BWRITE(l, vp, nil), nil},
	} {
		if c.got != c.want {
			t.Errorf("%s: %v, want %v", c.what, c.got, c.want)
		}
	}
	tb.want("events", events, kern.POLLIN)
	vp.SetVflag(vnode.VV_ISTTY)
	tb.want("what was a terminal is at its end", tb.read(fp, 1, 0), "")
	tb.must(tb.strategy(vp))
	tb.pages(vp)
	tb.close(fd)
	dvp.Rele(l)
}

// gone returns the vnode of a new directory that was taken away.
func (t *table) gone(path string) *vnode.Vnode {
	t.Helper()
	t.must(t.k.Init().Mkdir(path, 0o755))
	fp, fd := t.open(path, kern.O_RDONLY, 0)
	vp := fp.Vnode()
	vp.Ref(t.l)
	t.must(vnode.VOP_REVOKE(t.l, vp, vnode.REVOKEALL))
	t.close(fd)
	return vp
}

// strategy starts a transfer, which fails at once.
func (t *table) strategy(vp *vnode.Vnode) error {
	bp := vnode.GetIOBuf(t.l, vp)
	defer vnode.PutIOBuf(t.l, bp)
	bp.Flags, bp.Cflags, bp.Bcount = vnode.B_READ, vnode.BC_BUSY, 512
	t.want("strategy", vnode.VOP_STRATEGY(t.l, vp, bp), kern.EIO)
	t.want("the transfer", vnode.Biowait(t.l, bp), kern.EIO)
	t.want("left of it", bp.Resid, 512)
	return nil
}

func (t *table) pages(vp *vnode.Vnode) {
	var pgs [1]*uvm.Page
	vp.Interlock.Enter(t.l)
	_, err := vnode.VOP_GETPAGES(t.l, vp, 0, pgs[:], 1, 0, uvm.VM_PROT_READ, 0, 0)
	t.want("getpages", err, kern.EFAULT)
	vp.Interlock.Enter(t.l)
	_, err = vnode.VOP_GETPAGES(t.l, vp, 0, pgs[:], 1, 0, uvm.VM_PROT_READ, 0, uvm.PGO_LOCKED)
	t.want("getpages, the interlock kept", err, kern.EFAULT)
	t.want("interlock", vp.Interlock.Owned(t.l), true)
	t.want("putpages", vnode.VOP_PUTPAGES(t.l, vp, 0, 0, 0), kern.EFAULT)
	t.want("interlock", vp.Interlock.Owned(t.l), false)
}

// TestDeadDirectory: operations that are to take locks and references along
// do so. The audit at shutdown sees it.
func TestDeadDirectory(t *testing.T) {
	tb := newTable(t, sim.Config{Without: kern.Rev1125})
	l := tb.l
	cn := &vnode.Componentname{}
	ref := func(vp *vnode.Vnode, locked bool) *vnode.Vnode {
		vp.Ref(l)
		if locked {
			tb.must(vp.Lock(l, vnode.LK_EXCLUSIVE|vnode.LK_RETRY))
		}
		return vp
	}
	a, b, c, d := tb.gone("/a"), tb.gone("/b"), tb.gone("/c"), tb.gone("/d")
	tb.want("remove", vnode.VOP_REMOVE(l, ref(a, true), ref(b, true), cn), kern.EIO)
	tb.want("rmdir", vnode.VOP_RMDIR(l, ref(a, true), ref(b, true), cn), kern.EIO)
	tb.want("link", vnode.VOP_LINK(l, ref(a, true), b, cn), kern.EIO)
	tb.want("rename", vnode.VOP_RENAME(l, ref(a, false), ref(b, false), cn, ref(c, true), nil, cn), kern.EIO)
	tb.want("rename over another", vnode.VOP_RENAME(l, ref(a, false), ref(b, false), cn, ref(c, true), ref(d, true), cn), kern.EIO)
	ref(c, false)
	tb.want("rename over the directory", vnode.VOP_RENAME(l, ref(a, false), ref(b, false), cn, ref(c, true), c, cn), kern.EIO)
	for _, vp := range []*vnode.Vnode{a, b, c, d} {
		tb.want("references", vp.Usecount(), 1)
		tb.want("locked", vp.VLock.Held(), false)
		vp.Rele(l)
	}
}

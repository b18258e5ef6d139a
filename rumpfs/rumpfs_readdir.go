package rumpfs

import (
	"math"

	"rumpvfs/kern"
	"rumpvfs/vnode"
)

// vopReaddir reads directory entries, newest first; "." and ".." are not among them.
//
// The offset counts entries with QuirkReaddirIndex. Without it, it is 0 at the beginning and from then on the seq of the last
// entry read, so that others coming and going do not matter. QuirkReaddirRepeats is the reference's loop, which steps its
// unsigned index back when an entry does not fit or cannot be moved, although it already is that entry's.
//
// Preconditions: vp is locked, shared or exclusively.
//
//netbsd:sys/rump/librump/rumpvfs/rumpfs.c rump_vop_readdir
func vopReaddir(l *kern.Lwp, vp *vnode.Vnode, uio *kern.Uio, cred *kern.Cred, cookies *vnode.Cookies) (bool, error) {
	rnd := dirOf(vp)
	dir := rnd.dir
	byIndex, repeats := rnd.fs.quirk(kern.QuirkReaddirIndex), rnd.fs.quirk(kern.QuirkReaddirRepeats)
	start := uio.Offset
	e, pos := dir.seekOffset(start, byIndex)
	begun, asked := false, uio.Resid > 0
	var err error
	for e != nil && uio.Resid > 0 {
		var n int
		if n, err = e.move(uio); n == 0 || err != nil { // does not fit, or has nowhere to go
			if repeats {
				pos--
			}
			break
		}
		begun = true
		if pos++; !byIndex {
			start = int64(e.seq)
		}
		e = dir.order.older(e)
	}
	if begun {
		rnd.wasRead(vp)
	}
	uio.Offset = start
	if byIndex {
		uio.Offset = int64(pos)
	}
	if err == nil && e != nil && asked && !begun && !repeats {
		uio.Offset = start
		return false, kern.EINVAL
	}
	return e == nil, err
}

// seekOffset returns the entry that an offset stands for, nil at the end, and its index as the reference counts it.
func (d *directory) seekOffset(off int64, byIndex bool) (*dirent, uint32) {
	switch {
	case !byIndex && off == 0:
		return d.order.seek(0), 0
	case !byIndex:
		return d.order.seekBelow(uint64(off)), 0
	case off >= int64(d.order.n):
		return nil, uint32(min(d.order.n, math.MaxUint32))
	}
	i := max(off, 0)
	return d.order.seek(int(i)), uint32(i)
}

// move hands the entry to a reader and returns the bytes it took, 0 if it does not fit.
func (e *dirent) move(uio *kern.Uio) (int, error) {
	de := kern.Dirent{Fileno: inoWhiteout, Type: kern.DT_WHT, Name: e.name}
	if !e.isWhiteout() {
		de.Fileno, de.Type = e.node.va.Fileid, vnode.DirentType(e.node.va.Type)
	}
	return de.Move(uio)
}

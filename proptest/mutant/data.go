package mutant

import (
	"rumpvfs/kern"
	"rumpvfs/vnode"
)

// contents are bugs about reading and writing files.
func contents() []Mutant {
	return []Mutant{
		{Name: "read-atime", What: "Reading a file leaves the time of its last reading.",
			Origin: "sys/rump/librump/rumpvfs/rumpfs.c 1.141, not in 1.167", vector: readAtime},
		{Name: "write-mtime", What: "Writing a file leaves the time of its last change.",
			Origin: "sys/rump/librump/rumpvfs/rumpfs.c 1.141, not in 1.167", vector: writeMtime},
		{Name: "read-at-end-zero", What: "Reading at the end of a file that is not empty gives a zero.", vector: readAtEndZero},
		{Name: "read-to-page", What: "A reading that begins within a page ends with it.", vector: readToPage},
		{Name: "read-hole-stale", What: "Where nothing was written, the byte after the last page that was reads as a one.", vector: readHoleStale},
		{Name: "write-over-page-last-byte", What: "A write that goes over the end of a page loses its last byte.", vector: writeOverPageLastByte},
		{Name: "write-append-at-offset", What: "O_APPEND writes where the offset is.", vector: writeAppendAtOffset},
		{Name: "write-append-whole-page", What: "O_APPEND to a file that ends with a page begins a page later.", vector: writeAppendWholePage},
		{Name: "write-keeps-setid", What: "A user who writes to a file leaves it its set-id bits.", vector: writeKeepsSetid},
		{Name: "write-nothing-grows", What: "A write of nothing behind the end makes the file grow.", vector: writeNothingGrows},
		{Name: "write-nothing-setid", What: "A write of nothing takes the set-id bits away.", vector: writeNothingSetid},
		{Name: "write-offset-31-bits", What: "Only 31 bits of an offset count.",
			Origin: "sys/fs/tmpfs/tmpfs_subr.c 1.101, not in 1.117", vector: writeOffset31Bits},
		{Name: "write-append-only", What: "A file that may only be appended to may be overwritten.", vector: writeAppendOnly},
		{Name: "truncate-stale-tail", What: "What a file is cut by comes back when it grows.", vector: truncateStaleTail},
		{Name: "truncate-grow-one-less", What: "A file that is made longer to a whole page lacks the last byte.", vector: truncateGrowOneLess},
		{Name: "truncate-cuts-page", What: "A file that is cut within its second page loses the first byte of that page too.", vector: truncateCutsPage},
	}
}

func readAtime(v *vector) {
	v.read(func(l *kern.Lwp, vp *vnode.Vnode, uio *kern.Uio, ioflag int, cred *kern.Cred) error {
		old := v.attributes(l, vp)
		err := v.was.Read(l, vp, uio, ioflag, cred)
		v.unread(l, vp, old)
		return err
	})
}

func writeMtime(v *vector) {
	v.write(func(l *kern.Lwp, vp *vnode.Vnode, uio *kern.Uio, ioflag int, cred *kern.Cred) error {
		old := v.attributes(l, vp)
		err := v.was.Write(l, vp, uio, ioflag, cred)
		v.untouched(l, vp, old)
		return err
	})
}

func readAtEndZero(v *vector) {
	v.read(func(l *kern.Lwp, vp *vnode.Vnode, uio *kern.Uio, ioflag int, cred *kern.Cred) error {
		if vp.Type() == vnode.VREG && uio.Offset == vp.Size && vp.Size > 0 && uio.Resid > 0 {
			return uio.Move([]byte{0})
		}
		return v.was.Read(l, vp, uio, ioflag, cred)
	})
}

func readToPage(v *vector) {
	v.read(func(l *kern.Lwp, vp *vnode.Vnode, uio *kern.Uio, ioflag int, cred *kern.Cred) error {
		held := int64(0)
		if left := kern.PAGE_SIZE - uio.Offset%kern.PAGE_SIZE; left < kern.PAGE_SIZE && uio.Resid > left {
			held = uio.Resid - left
		}
		uio.Resid -= held
		err := v.was.Read(l, vp, uio, ioflag, cred)
		uio.Resid += held
		return err
	})
}

func readHoleStale(v *vector) {
	v.write(func(l *kern.Lwp, vp *vnode.Vnode, uio *kern.Uio, ioflag int, cred *kern.Cred) error {
		end, hole := vp.Size, uio.Offset-vp.Size
		err := v.was.Write(l, vp, uio, ioflag, cred)
		if err == nil && ioflag&vnode.IO_APPEND == 0 && end%kern.PAGE_SIZE == 0 && end > 0 && hole > 0 {
			v.poke(l, vp, end, []byte{1})
		}
		return err
	})
}

// poke writes behind the caller's back, as the superuser, and leaves the times.
func (v *vector) poke(l *kern.Lwp, vp *vnode.Vnode, off int64, b []byte) {
	var uio kern.Uio
	var iov [1][]byte
	old := v.attributes(l, vp)
	uio.InitUio(&iov, b, off, kern.UIO_WRITE)
	_ = v.was.Write(l, vp, &uio, 0, kern.RootCred())
	v.untouched(l, vp, old)
}

// peek reads up to n bytes.
func (v *vector) peek(l *kern.Lwp, vp *vnode.Vnode, off, n int64) []byte {
	var uio kern.Uio
	var iov [1][]byte
	b := make([]byte, n)
	old := v.attributes(l, vp)
	uio.InitUio(&iov, b, off, kern.UIO_READ)
	_ = v.was.Read(l, vp, &uio, 0, kern.RootCred())
	v.unread(l, vp, old)
	return b[:n-uio.Resid]
}

func writeOverPageLastByte(v *vector) {
	v.write(func(l *kern.Lwp, vp *vnode.Vnode, uio *kern.Uio, ioflag int, cred *kern.Cred) error {
		from, last := uio.Offset, uio.Offset+uio.Resid-1
		err := v.was.Write(l, vp, uio, ioflag, cred)
		if err == nil && from >= 0 && from/kern.PAGE_SIZE != last/kern.PAGE_SIZE && last == uio.Offset-1 && last > from {
			v.poke(l, vp, last, []byte{0})
		}
		return err
	})
}

func writeAppendAtOffset(v *vector) {
	v.write(func(l *kern.Lwp, vp *vnode.Vnode, uio *kern.Uio, ioflag int, cred *kern.Cred) error {
		return v.was.Write(l, vp, uio, ioflag&^vnode.IO_APPEND, cred)
	})
}

func writeAppendWholePage(v *vector) {
	v.write(func(l *kern.Lwp, vp *vnode.Vnode, uio *kern.Uio, ioflag int, cred *kern.Cred) error {
		if ioflag&vnode.IO_APPEND != 0 && vp.Size > 0 && vp.Size%kern.PAGE_SIZE == 0 && uio.Resid > 0 {
			uio.Offset = vp.Size + kern.PAGE_SIZE
			ioflag &^= vnode.IO_APPEND
		}
		return v.was.Write(l, vp, uio, ioflag, cred)
	})
}

func writeKeepsSetid(v *vector) {
	v.write(func(l *kern.Lwp, vp *vnode.Vnode, uio *kern.Uio, ioflag int, cred *kern.Cred) error {
		old := v.attributes(l, vp)
		err := v.was.Write(l, vp, uio, ioflag, cred)
		v.set(l, vp, func(va *vnode.Vattr) { va.Mode = old.Mode })
		return err
	})
}

func writeNothingGrows(v *vector) {
	v.write(func(l *kern.Lwp, vp *vnode.Vnode, uio *kern.Uio, ioflag int, cred *kern.Cred) error {
		nothing, off := uio.Resid == 0, uio.Offset
		err := v.was.Write(l, vp, uio, ioflag, cred)
		if err == nil && nothing && ioflag&vnode.IO_APPEND == 0 && vp.Type() == vnode.VREG && off > vp.Size {
			v.set(l, vp, func(va *vnode.Vattr) { va.Size = uint64(off) })
		}
		return err
	})
}

func writeNothingSetid(v *vector) {
	v.write(func(l *kern.Lwp, vp *vnode.Vnode, uio *kern.Uio, ioflag int, cred *kern.Cred) error {
		nothing := uio.Resid == 0
		err := v.was.Write(l, vp, uio, ioflag, cred)
		if old := v.attributes(l, vp); err == nil && nothing && old.Mode&(kern.S_ISUID|kern.S_ISGID) != 0 {
			v.set(l, vp, func(va *vnode.Vattr) { va.Mode = old.Mode &^ (kern.S_ISUID | kern.S_ISGID) })
		}
		return err
	})
}

func writeOffset31Bits(v *vector) {
	v.write(func(l *kern.Lwp, vp *vnode.Vnode, uio *kern.Uio, ioflag int, cred *kern.Cred) error {
		high := uio.Offset &^ (1<<31 - 1)
		uio.Offset -= high
		err := v.was.Write(l, vp, uio, ioflag, cred)
		uio.Offset += high
		return err
	})
}

func writeAppendOnly(v *vector) {
	v.write(func(l *kern.Lwp, vp *vnode.Vnode, uio *kern.Uio, ioflag int, cred *kern.Cred) error {
		flags := v.attributes(l, vp).Flags
		if flags&(kern.UF_APPEND|kern.SF_APPEND) == 0 {
			return v.was.Write(l, vp, uio, ioflag, cred)
		}
		v.set(l, vp, func(va *vnode.Vattr) { va.Flags = 0 })
		err := v.was.Write(l, vp, uio, ioflag, cred)
		v.set(l, vp, func(va *vnode.Vattr) { va.Flags = flags })
		return err
	})
}

// cut is what a file has lost.
type cut struct {
	size uint64
	tail []byte
}

func truncateStaleTail(v *vector) {
	v.around(func(l *kern.Lwp, vp *vnode.Vnode, vap *vnode.Vattr, cred *kern.Cred) error {
		old := v.attributes(l, vp)
		sized := vp.Type() == vnode.VREG && vap.Size != ^uint64(0)
		var tail []byte
		if page := uint64(kern.RoundPage(int64(vap.Size))); sized && vap.Size < old.Size && page > vap.Size {
			tail = v.peek(l, vp, int64(vap.Size), int64(min(page, old.Size)-vap.Size))
		}
		err := v.was.Setattr(l, vp, vap, cred)
		switch {
		case err != nil || !sized:
		case tail != nil:
			v.put(vp, cut{vap.Size, tail})
		case vap.Size > old.Size:
			if c, ok := v.node[vp].(cut); ok && c.size == old.Size {
				v.poke(l, vp, int64(c.size), c.tail[:min(len(c.tail), int(vap.Size-c.size))])
			}
		}
		return err
	})
}

func truncateGrowOneLess(v *vector) {
	v.setattr(func(l *kern.Lwp, vp *vnode.Vnode, vap *vnode.Vattr) {
		if vp.Type() == vnode.VREG && vap.Size != ^uint64(0) && int64(vap.Size) > vp.Size && vap.Size%kern.PAGE_SIZE == 0 {
			vap.Size--
		}
	})
}

func truncateCutsPage(v *vector) {
	v.resized(func(l *kern.Lwp, vp *vnode.Vnode, old vnode.Vattr, size uint64) {
		if size < old.Size && size > kern.PAGE_SIZE && size < 2*kern.PAGE_SIZE {
			v.poke(l, vp, kern.PAGE_SIZE, []byte{0})
		}
	})
}

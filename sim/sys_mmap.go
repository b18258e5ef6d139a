package sim

import (
	"bytes"
	"fmt"
	"math"
	"slices"

	"rumpvfs/hypercall"
	"rumpvfs/kern"
	"rumpvfs/uvm"
	"rumpvfs/vnode"
)

// Mapping is a part of a file in the memory of a process, from [Proc.Mmap]. A
// slice of Go cannot fault, so its pages are reached in two ways. ReadAt and
// WriteAt touch them: each page is then brought in by the file system, as when a
// program touches its memory, and what was written is at once what others read.
// [Mapping.Bytes] is all of it as one slice, which is a copy: what is changed
// there reaches the pages with [Mapping.Msync].
//
// Pages that begin at or behind the end of the file cannot be touched, and may
// become such when the file is truncated: where a program would get SIGBUS, the
// error is a [BusError].
type Mapping struct {
	p     *Proc
	vp    *vnode.Vnode // :  referenced
	off   int64        // :  in the file, of the first byte; not always a page's
	n     int64        // :  bytes
	prot  int          // :
	flags int          // :

	// Guarded by process.maps.
	own       map[int64]*ownPage // pages of a private mapping that were written to, by their offset in the file
	buf, seen []byte             // what Bytes gave, and what was in the pages then
	gone      bool
}

type ownPage [kern.PAGE_SIZE]byte

// BusError says that memory was touched behind which there is no file.
type BusError struct {
	Off int64 // in the mapping, bytes
	Err error // of the file system: EINVAL behind the end of the file
}

func (e *BusError) Error() string {
	return fmt.Sprintf("SIGBUS at offset %d of a mapping: %v", e.Off, e.Err)
}

// Unwrap returns the error of the file system.
func (e *BusError) Unwrap() error { return e.Err }

var mapsLockClass = hypercall.LockClass{Name: "vm_map", Rank: 210}

// Mmap maps length bytes of an open file from off on, for what prot says.
// flags is MAP_SHARED or MAP_PRIVATE; neither is private. The file may be closed
// then. A child of the process does not get the mapping.
//
// EBADF; ENODEV for what is no file; EINVAL for a length below 1, a negative
// offset and both flags; EOVERFLOW; EACCES if the file is not open for prot,
// writing to a private mapping excepted; EPERM for writing to one that is
// immutable or append-only.
//
//netbsd:sys/uvm/uvm_mmap.c sys_mmap, uvm_mmap
func (p *Proc) Mmap(fd int, off, length int64, prot, flags int) (m *Mapping, err error) {
	l, err := p.enter("mmap")
	if err != nil {
		return nil, err
	}
	defer p.leave(l, &err)
	const either = kern.MAP_SHARED | kern.MAP_PRIVATE
	if flags&either == either || flags&^either != 0 || length <= 0 {
		return nil, kern.EINVAL
	}
	vp, err := p.getFile(l, fd, off, length, prot, flags)
	if err != nil {
		return nil, err
	}
	defer p.fd.Putfile(l, fd)
	if err := vnode.VOP_MMAP(l, vp, prot, l.Cred); err != nil {
		return nil, err
	}
	vp.Ref(l)
	markMapped(l, vp, prot&kern.PROT_WRITE != 0 && flags&kern.MAP_SHARED != 0)
	m = &Mapping{p: p, vp: vp, off: off, n: length, prot: prot, flags: flags, own: map[int64]*ownPage{}}
	p.maps.Enter(l)
	p.mapped = append(p.mapped, m)
	p.maps.Exit(l)
	return m, nil
}

// getFile finds the file to map and checks that it may be.
//
// Postconditions: on success the descriptor is in use, until Putfile.
func (p *Proc) getFile(l *kern.Lwp, fd int, off, length int64, prot, flags int) (vp *vnode.Vnode, err error) {
	fp, vp, err := p.getVnode(l, fd)
	if err == kern.EINVAL {
		err = kern.ENODEV
	}
	if err != nil {
		return nil, err
	}
	shared := flags&kern.MAP_SHARED != 0
	switch {
	case vp.Type() != vnode.VREG:
		err = kern.ENODEV
	case off < 0:
		err = kern.EINVAL
	case off > math.MaxInt64-length-kern.PAGE_SIZE:
		err = kern.EOVERFLOW
	case prot&kern.PROT_READ != 0 && fp.Flag()&kern.FREAD == 0,
		prot&kern.PROT_WRITE != 0 && shared && fp.Flag()&kern.FWRITE == 0:
		err = kern.EACCES
	case prot&kern.PROT_WRITE != 0 && shared:
		err = changeable(l, vp)
	}
	if err != nil {
		p.fd.Putfile(l, fd)
	}
	return vp, err
}

// changeable refuses with EPERM a file that its flags protect.
func changeable(l *kern.Lwp, vp *vnode.Vnode) error {
	var va vnode.Vattr
	_ = vp.Lock(l, vnode.LK_SHARED|vnode.LK_RETRY)
	err := vnode.VOP_GETATTR(l, vp, &va, l.Cred)
	_ = vnode.VOP_UNLOCK(l, vp)
	if err == nil && uint32(va.Flags)&(kern.SF_SNAPSHOT|kern.IMMUTABLE|kern.APPEND) != 0 {
		err = kern.EPERM
	}
	return err
}

// markMapped says that the file is mapped, and whether to be written to.
func markMapped(l *kern.Lwp, vp *vnode.Vnode, write bool) {
	_ = vp.Lock(l, vnode.LK_EXCLUSIVE|vnode.LK_RETRY)
	vp.SetVflag(vnode.VV_MAPPED)
	if write {
		vp.Interlock.Enter(l)
		vp.SetIflag(vnode.VI_WRMAP)
		vp.Interlock.Exit(l)
	}
	_ = vnode.VOP_UNLOCK(l, vp)
}

// Len returns how many bytes are mapped.
func (m *Mapping) Len() int64 { return m.n }

// call makes a system call on the mapping, of which no other of the process is
// in progress. EINVAL if it is unmapped.
func (m *Mapping) call(name string, f func(l *kern.Lwp) error) (err error) {
	p := m.p
	l, err := p.enter(name)
	if err != nil {
		return err
	}
	defer p.leave(l, &err)
	p.maps.Enter(l)
	defer p.maps.Exit(l)
	if m.gone {
		return kern.EINVAL
	}
	return f(l)
}

// ReadAt reads memory. EFAULT without PROT_READ or outside of the mapping, and
// a [BusError]; n bytes were read before.
func (m *Mapping) ReadAt(b []byte, off int64) (n int, err error) {
	err = m.call("touch", func(l *kern.Lwp) (err error) {
		n, err = m.touch(l, b, off, kern.UIO_READ)
		return err
	})
	return n, err
}

// WriteAt writes to memory. EFAULT without PROT_WRITE or outside of the mapping,
// and a [BusError]; n bytes were written before. What is written behind the end
// of the file, within its last page, does not become part of it.
func (m *Mapping) WriteAt(b []byte, off int64) (n int, err error) {
	err = m.call("touch", func(l *kern.Lwp) (err error) {
		n, err = m.touch(l, b, off, kern.UIO_WRITE)
		return err
	})
	return n, err
}

// touch moves bytes between b and memory.
func (m *Mapping) touch(l *kern.Lwp, b []byte, off int64, rw kern.UioRW) (n int, err error) {
	need := kern.PROT_READ
	if rw == kern.UIO_WRITE {
		need = kern.PROT_WRITE
	}
	if m.prot&need == 0 || off < 0 || off > m.n {
		return 0, kern.EFAULT
	}
	if int64(len(b)) > m.n-off {
		b, err = b[:m.n-off], kern.EFAULT
	}
	for n < len(b) {
		at := m.off + off + int64(n)
		part := b[n:min(len(b), n+int(kern.PAGE_SIZE-at&kern.PAGE_MASK))]
		k, err := m.touchPage(l, at, part, rw)
		if n += k; err != nil {
			return n, &BusError{off + int64(n), err}
		}
	}
	return n, err
}

// touchPage is touch within a page. The vnode's lock keeps the file as long as
// it is, and the vnode alive; in the C kernel a fault takes none.
func (m *Mapping) touchPage(l *kern.Lwp, at int64, b []byte, rw kern.UioRW) (int, error) {
	if pg := m.own[kern.TruncPage(at)]; pg != nil {
		return pg.move(at, b, rw), nil
	}
	if err := m.vp.Lock(l, vnode.LK_SHARED); err != nil {
		return 0, err
	}
	defer func() { _ = vnode.VOP_UNLOCK(l, m.vp) }()
	if rw == kern.UIO_READ || m.flags&kern.MAP_SHARED != 0 {
		return uvm.Fault(l, &m.vp.Object, at, b, rw)
	}
	pg := new(ownPage)
	if _, err := uvm.Fault(l, &m.vp.Object, kern.TruncPage(at), pg[:], kern.UIO_READ); err != nil {
		return 0, err
	}
	m.own[kern.TruncPage(at)] = pg
	return pg.move(at, b, rw), nil
}

func (pg *ownPage) move(at int64, b []byte, rw kern.UioRW) int {
	if rw == kern.UIO_WRITE {
		return copy(pg[at&kern.PAGE_MASK:], b)
	}
	return copy(b, pg[at&kern.PAGE_MASK:])
}

// Bytes touches all of the memory that can be and returns a copy of it, up to
// the first page that cannot; then the error is a [BusError]. The slice is the
// same at each call, with what is in the pages then: what was changed in it and
// not yet written by [Mapping.Msync] is lost.
func (m *Mapping) Bytes() (b []byte, err error) {
	err = m.call("touch", func(l *kern.Lwp) error {
		if int64(len(m.buf)) != m.n {
			m.buf = make([]byte, m.n)
		}
		n, err := m.touch(l, m.buf, 0, kern.UIO_READ)
		b, m.seen = m.buf[:n], append(m.seen[:0], m.buf[:n]...)
		return err
	})
	return b, err
}

// Msync puts what was changed in the slice of [Mapping.Bytes] into the pages,
// and writes the dirty ones of n bytes from off on to the file's storage: flags
// is MS_SYNC or MS_ASYNC, which does not wait, or MS_INVALIDATE, also together
// with one of them, to forget the pages as well. A private mapping has nothing
// to write. EINVAL for other flags and a range that is not mapped.
//
//netbsd:sys/uvm/uvm_mmap.c sys___msync13
func (m *Mapping) Msync(off, n int64, flags int) error {
	return m.call("msync", func(l *kern.Lwp) error {
		const both, all = kern.MS_SYNC | kern.MS_ASYNC, kern.MS_SYNC | kern.MS_ASYNC | kern.MS_INVALIDATE
		if flags&^all != 0 || flags == 0 || flags&both == both || off < 0 || n < 0 || n > m.n-off {
			return kern.EINVAL
		}
		if err := m.putBytes(l); err != nil || m.flags&kern.MAP_SHARED == 0 {
			return err
		}
		how := uvm.PGO_CLEANIT
		if flags&kern.MS_INVALIDATE != 0 {
			how |= uvm.PGO_FREE
		}
		if flags&kern.MS_ASYNC == 0 {
			how |= uvm.PGO_SYNCIO
		}
		m.vp.Interlock.Enter(l)
		return vnode.VOP_PUTPAGES(l, m.vp, kern.TruncPage(m.off+off), kern.RoundPage(m.off+off+n), how)
	})
}

// putBytes writes to memory what was changed in the slice of Bytes, and no other
// byte: others may have written to them.
func (m *Mapping) putBytes(l *kern.Lwp) error {
	if bytes.Equal(m.buf[:len(m.seen)], m.seen) {
		return nil
	}
	for i := 0; i < len(m.seen); i++ {
		j := i
		for j < len(m.seen) && m.buf[j] != m.seen[j] {
			j++
		}
		if j == i {
			continue
		}
		if _, err := m.touch(l, m.buf[i:j], int64(i), kern.UIO_WRITE); err != nil {
			return err
		}
		copy(m.seen[i:j], m.buf[i:j])
		i = j
	}
	return nil
}

// Munmap ends the mapping. What was changed in the slice of [Mapping.Bytes] and
// not put into the pages is lost.
//
//netbsd:sys/uvm/uvm_mmap.c sys_munmap
func (m *Mapping) Munmap() error {
	return m.call("munmap", func(l *kern.Lwp) error {
		p := m.p
		p.mapped = slices.DeleteFunc(p.mapped, func(o *Mapping) bool { return o == m })
		m.unmap(l)
		return nil
	})
}

func (m *Mapping) unmap(l *kern.Lwp) {
	m.gone, m.own, m.buf, m.seen = true, nil, nil, nil
	m.vp.Rele(l)
}

// unmapAll ends the mappings of a process that has exited.
func (p *process) unmapAll(l *kern.Lwp) {
	for _, m := range p.mapped {
		m.unmap(l)
	}
	p.mapped = nil
}

package mutant

import (
	"math"

	"rumpvfs/kern"
	"rumpvfs/proptest/call"
	"rumpvfs/vnode"
)

// corners are bugs that take several things to come together.
func corners() []Mutant {
	return []Mutant{
		{Name: "corner-readdir-many", What: "Of a directory with seven names or more the oldest is not listed.", vector: cornerReaddirMany},
		{Name: "corner-write-64k", What: "A write that begins at 64 KiB loses its first byte.", vector: cornerWrite64K},
		{Name: "corner-truncate-archived", What: "Truncating a file that has been archived forgets that it was.", vector: cornerTruncateArchived},
		{Name: "corner-write-nodump", What: "Writing to a file that is not to be dumped forgets that.", vector: cornerWriteNodump},
		{Name: "corner-rmdir-opaque", What: "A directory that was made over a whiteout cannot be removed.", vector: cornerRmdirOpaque},
		{Name: "corner-utimes-fifo", What: "The times of a fifo cannot be set, and that is not said.", vector: cornerUtimesFifo},
		{Name: "corner-append-long", What: "More than a page that is appended within a page loses its last byte.", vector: cornerAppendLong},
		{Name: "corner-dup2-last", What: "dup2 to the last descriptor that there may be makes none.", sysent: cornerDup2Last},
		{Name: "corner-chown-link-mode", What: "A symbolic link that is given away loses its permissions.", vector: cornerChownLinkMode},
		{Name: "corner-chmod-device", What: "The mode of a device that is open cannot be changed to none.", sysent: cornerChmodDevice},
		{Name: "truncate-page-overflow", What: "A size within a page of the largest is rounded up to none.",
			Origin: "sys/fs/tmpfs/tmpfs_subr.c 1.101, not in 1.117", vector: truncatePageOverflow},
		{Name: "pathconf-two-links", What: "pathconf does not know _PC_2_SYMLINKS.",
			Origin: "sys/fs/tmpfs/tmpfs_vnops.c 1.127, not in 1.150", vector: pathconfTwoLinks},
		{Name: "open-device-flags", What: "An open device forgets the status flags that it was opened with.",
			Origin: "sys/kern/kern_descrip.c 1.224, not in 1.229", sysent: openDeviceFlags},
	}
}

func cornerReaddirMany(v *vector) {
	v.readdir(func(records []byte) int {
		n, last := 0, 0
		for at := 0; at < len(records); at += int(records[at+8]) | int(records[at+9])<<8 {
			n, last = n+1, at
		}
		if n < 7 {
			return len(records)
		}
		return last
	})
}

func cornerWrite64K(v *vector) {
	v.write(func(l *kern.Lwp, vp *vnode.Vnode, uio *kern.Uio, ioflag int, cred *kern.Cred) error {
		from, n := uio.Offset, uio.Resid
		err := v.was.Write(l, vp, uio, ioflag, cred)
		if err == nil && from == 64<<10 && n > 0 && ioflag&vnode.IO_APPEND == 0 {
			v.poke(l, vp, from, []byte{0})
		}
		return err
	})
}

func cornerTruncateArchived(v *vector) {
	v.resized(func(l *kern.Lwp, vp *vnode.Vnode, old vnode.Vattr, _ uint64) {
		if old.Flags&kern.SF_ARCHIVED != 0 {
			v.set(l, vp, func(va *vnode.Vattr) { va.Flags = old.Flags &^ kern.SF_ARCHIVED })
		}
	})
}

func cornerWriteNodump(v *vector) {
	v.write(func(l *kern.Lwp, vp *vnode.Vnode, uio *kern.Uio, ioflag int, cred *kern.Cred) error {
		err := v.was.Write(l, vp, uio, ioflag, cred)
		if flags := v.attributes(l, vp).Flags; err == nil && flags&kern.UF_NODUMP != 0 {
			v.set(l, vp, func(va *vnode.Vattr) { va.Flags = flags &^ kern.UF_NODUMP })
		}
		return err
	})
}

func cornerRmdirOpaque(v *vector) {
	v.rmdir(func(was removal) removal {
		return func(l *kern.Lwp, dvp, vp *vnode.Vnode, cnp *vnode.Componentname) error {
			if v.attributes(l, vp).Flags&kern.UF_OPAQUE != 0 && len(v.listed(l, vp)) == 0 {
				dvp.Put(l)
				vp.Put(l)
				return kern.EPERM
			}
			return was(l, dvp, vp, cnp)
		}
	})
}

func cornerUtimesFifo(v *vector) {
	v.around(func(l *kern.Lwp, vp *vnode.Vnode, vap *vnode.Vattr, cred *kern.Cred) error {
		changed := *vap
		if vp.Type() == vnode.VFIFO && vap.Mtime.Sec != vnode.VNOVAL {
			old := v.attributes(l, vp)
			changed.Atime, changed.Mtime = old.Atime, old.Mtime
		}
		return v.was.Setattr(l, vp, &changed, cred)
	})
}

func cornerAppendLong(v *vector) {
	v.write(func(l *kern.Lwp, vp *vnode.Vnode, uio *kern.Uio, ioflag int, cred *kern.Cred) error {
		long := ioflag&vnode.IO_APPEND != 0 && uio.Resid > kern.PAGE_SIZE && vp.Size%kern.PAGE_SIZE != 0
		err := v.was.Write(l, vp, uio, ioflag, cred)
		if err == nil && long {
			v.poke(l, vp, uio.Offset-1, []byte{0})
		}
		return err
	})
}

func cornerDup2Last(_ *memory, next do, c *call.Call, r *call.Result) {
	next(c, r)
	if c.Op == call.Dup2 && r.Errno == 0 && c.N == kern.NOFILE-1 && int64(c.FD) != c.N {
		aside(next, call.Call{Op: call.Close, Proc: c.Proc, FD: int32(c.N)})
	}
}

func cornerChownLinkMode(v *vector) {
	v.setattr(func(_ *kern.Lwp, vp *vnode.Vnode, vap *vnode.Vattr) {
		if vp.Type() == vnode.VLNK && vap.UID != vnode.VNOVALID && vap.UID != 0 {
			vap.Mode = 0
		}
	})
}

func cornerChmodDevice(_ *memory, next do, c *call.Call, r *call.Result) {
	if c.Op == call.Fchmod && c.Mode&kern.ALLPERMS == 0 {
		st := aside(next, call.Call{Op: call.Fstat, Proc: c.Proc, FD: c.FD})
		if st.Errno == 0 && st.File.Mode&kern.S_IFMT == kern.S_IFCHR {
			changed := *c
			changed.Mode = st.File.Mode & kern.ALLPERMS
			next(&changed, r)
			return
		}
	}
	next(c, r)
}

func truncatePageOverflow(v *vector) {
	v.setattr(func(_ *kern.Lwp, vp *vnode.Vnode, vap *vnode.Vattr) {
		if vp.Type() == vnode.VREG && vap.Size != ^uint64(0) && vap.Size > math.MaxInt64-kern.PAGE_SIZE {
			vap.Size = 0
		}
	})
}

func pathconfTwoLinks(v *vector) {
	v.Ops.Pathconf = func(l *kern.Lwp, vp *vnode.Vnode, name int) (int64, error) {
		if name == kern.PC_2_SYMLINKS {
			return 0, kern.EINVAL
		}
		return v.was.Pathconf(l, vp, name)
	}
}

func openDeviceFlags(_ *memory, next do, c *call.Call, r *call.Result) {
	next(c, r)
	if c.Op != call.Fcntl || c.Flags != kern.F_GETFL || r.Errno != 0 {
		return
	}
	st := aside(next, call.Call{Op: call.Fstat, Proc: c.Proc, FD: c.FD})
	if st.Errno == 0 && st.File.Mode&kern.S_IFMT == kern.S_IFCHR {
		r.Ret &^= kern.O_NONBLOCK | kern.O_APPEND
	}
}

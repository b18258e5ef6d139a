package mutant

import (
	"math"

	"rumpvfs/kern"
	"rumpvfs/proptest/call"
	"rumpvfs/vnode"
)

// locks are bugs about advisory locks.
func locks() []Mutant {
	return []Mutant{
		{Name: "lock-end-overflow", Waits: true, What: "A lock counted from the end of a file may begin beyond the largest offset, and is taken at 0.",
			Origin: "sys/kern/vfs_lockf.c 1.73, not in 1.83", vector: lockEndOverflow},
		{Name: "lock-negative-start", Waits: true, What: "A lock of negative length that begins before the file is taken from its beginning.",
			Origin: "sys/kern/vfs_lockf.c 1.73, not in 1.83", vector: lockNegativeStart},
		{Name: "lock-negative-length", Waits: true, What: "A lock of negative length is taken behind its start.", vector: lockNegativeLength},
		{Name: "lock-shared-excludes", Waits: true, What: "Two processes cannot both have a shared lock.", vector: lockSharedExcludes},
		{Name: "lock-to-end-of-file", Waits: true, What: "A lock to the end goes to the end that the file has now.", vector: lockToEndOfFile},
		{Name: "unlock-one-short", Waits: true, What: "Unlocking a range leaves its last byte locked.", vector: unlockOneShort},
		{Name: "unlock-all", Waits: true, What: "Unlocking a range unlocks all of the file.", vector: unlockAll},
		{Name: "getlk-whence", What: "F_GETLK answers the start of a lock counted from where it was asked.", vector: getlkWhence},
		{Name: "getlk-no-flock", What: "F_GETLK does not see the locks of flock.", vector: getlkNoFlock},
		{Name: "flock-shared-is-exclusive", Waits: true, What: "flock takes a shared lock as an exclusive one.", vector: flockSharedIsExclusive},
		{Name: "flock-unlock-forgets", Waits: true, What: "flock does not release a lock.", sysent: flockUnlockForgets},
		{Name: "close-keeps-locks", Waits: true, What: "Closing a descriptor leaves the locks that the process has on the file.", vector: closeKeepsLocks},
		{Name: "setlk-read-only", What: "A process may lock a file exclusively through a descriptor for reading.", sysent: setlkReadOnly},
		{Name: "setlk-whence-current", Waits: true, What: "A lock counted from the current offset is counted from the beginning.", sysent: setlkWhenceCurrent},
	}
}

func lockEndOverflow(v *vector) {
	v.advlock(func(vp *vnode.Vnode, _ *int, fl *kern.Flock, _ *int) {
		if fl.Whence == kern.SEEK_END && fl.Start > math.MaxInt64-vp.Size || fl.Start < 0 && fl.Len > 0 {
			fl.Start, fl.Whence = 0, kern.SEEK_SET
		}
	})
}

func lockNegativeStart(v *vector) {
	v.advlock(func(_ *vnode.Vnode, _ *int, fl *kern.Flock, _ *int) {
		if fl.Len < 0 && fl.Whence == kern.SEEK_SET && fl.Start+fl.Len < 0 && fl.Start > 0 {
			fl.Len = -fl.Start
		}
	})
}

func lockNegativeLength(v *vector) {
	v.advlock(func(_ *vnode.Vnode, _ *int, fl *kern.Flock, _ *int) {
		if fl.Len < 0 && fl.Len != math.MinInt64 {
			fl.Len = -fl.Len
		}
	})
}

func lockSharedExcludes(v *vector) {
	v.advlock(func(_ *vnode.Vnode, op *int, fl *kern.Flock, flags *int) {
		if *op == kern.F_SETLK && fl.Type == kern.F_RDLCK && *flags&kern.F_POSIX != 0 {
			fl.Type = kern.F_WRLCK
		}
	})
}

func lockToEndOfFile(v *vector) {
	v.advlock(func(vp *vnode.Vnode, op *int, fl *kern.Flock, flags *int) {
		if *op == kern.F_SETLK && fl.Len == 0 && fl.Whence == kern.SEEK_SET && fl.Start < vp.Size && *flags&kern.F_POSIX != 0 {
			fl.Len = vp.Size - fl.Start
		}
	})
}

func unlockOneShort(v *vector) {
	v.advlock(func(_ *vnode.Vnode, op *int, fl *kern.Flock, flags *int) {
		switch {
		case *op != kern.F_UNLCK || *flags&kern.F_POSIX == 0:
		case fl.Len > 1:
			fl.Len--
		case fl.Len == 1: // there is nothing before the last byte
			fl.Start = math.MaxInt64
		}
	})
}

func unlockAll(v *vector) {
	v.advlock(func(_ *vnode.Vnode, op *int, fl *kern.Flock, _ *int) {
		if *op == kern.F_UNLCK && fl.Start >= 0 && fl.Len > 0 {
			fl.Start, fl.Len, fl.Whence = 0, 0, kern.SEEK_SET
		}
	})
}

// getlk has f see and change what F_GETLK found.
func (v *vector) getlk(f func(vp *vnode.Vnode, asked, found *kern.Flock)) {
	v.Ops.Advlock = func(l *kern.Lwp, vp *vnode.Vnode, id any, op int, fl *kern.Flock, flags int) error {
		asked := *fl
		err := v.was.Advlock(l, vp, id, op, fl, flags)
		if err == nil && op == kern.F_GETLK && fl.Type != kern.F_UNLCK {
			f(vp, &asked, fl)
		}
		return err
	}
}

func getlkWhence(v *vector) {
	v.getlk(func(vp *vnode.Vnode, asked, found *kern.Flock) {
		if asked.Whence == kern.SEEK_END {
			found.Start -= vp.Size
		}
	})
}

func getlkNoFlock(v *vector) {
	v.getlk(func(_ *vnode.Vnode, asked, found *kern.Flock) {
		if found.Pid == -1 {
			*found = *asked
			found.Type = kern.F_UNLCK
		}
	})
}

func flockSharedIsExclusive(v *vector) {
	v.advlock(func(_ *vnode.Vnode, op *int, fl *kern.Flock, flags *int) {
		if *op == kern.F_SETLK && fl.Type == kern.F_RDLCK && *flags&kern.F_FLOCK != 0 {
			fl.Type = kern.F_WRLCK
		}
	})
}

func flockUnlockForgets(_ *memory, next do, c *call.Call, r *call.Result) {
	changed := *c
	if c.Op == call.Flock && c.Flags&^kern.LOCK_NB == kern.LOCK_UN {
		changed = call.Call{Op: call.Fcntl, Proc: c.Proc, FD: c.FD, Flags: kern.F_GETFD}
		next(&changed, r)
		r.Ret = min(r.Ret, 0)
		return
	}
	next(&changed, r)
}

// wholeFile reports whether an unlocking is that of a closing descriptor: it names all of the file.
func wholeFile(op int, fl *kern.Flock, flags int) bool {
	return op == kern.F_UNLCK && flags&kern.F_POSIX != 0 && fl.Start == 0 && fl.Len == 0 && fl.Whence == kern.SEEK_SET
}

func closeKeepsLocks(v *vector) {
	v.Ops.Advlock = func(l *kern.Lwp, vp *vnode.Vnode, id any, op int, fl *kern.Flock, flags int) error {
		if wholeFile(op, fl, flags) {
			return nil
		}
		return v.was.Advlock(l, vp, id, op, fl, flags)
	}
}

func setlkReadOnly(_ *memory, next do, c *call.Call, r *call.Result) {
	next(c, r)
	if c.IsLock() && c.Flags == kern.F_SETLK && c.Arg[0] == kern.F_WRLCK && r.Errno == kern.EBADF {
		changed := *c
		changed.Arg[0] = kern.F_RDLCK
		next(&changed, r)
	}
}

func setlkWhenceCurrent(_ *memory, next do, c *call.Call, r *call.Result) {
	changed := *c
	if c.IsLock() && c.Flags != kern.F_GETLK && c.Arg[1] == kern.SEEK_CUR {
		changed.Arg[1] = kern.SEEK_SET
	}
	next(&changed, r)
}

package vnode

import "rumpvfs/kern"

// vfsEntry is a type of file system that the kernel knows.
type vfsEntry struct {
	op       VFSOps
	refcount int // mounts of it, and callers of GetOpsByName
}

// vfsEntryOf returns the entry of a name, nil for none.
//
// Preconditions: vfsListLock is held.
func (sys *System) vfsEntryOf(name string) *vfsEntry {
	for i := range sys.vfsList {
		if sys.vfsList[i].op.Name() == name {
			return &sys.vfsList[i]
		}
	}
	return nil
}

// Attach makes a type of file system known to the kernel. The error is EEXIST
// if there is one with its name.
//
//netbsd:sys/kern/vfs_init.c vfs_attach
func (sys *System) Attach(l *kern.Lwp, op VFSOps) error {
	sys.vfsListLock.Enter(l)
	defer sys.vfsListLock.Exit(l)
	if sys.vfsEntryOf(op.Name()) != nil {
		return kern.EEXIST
	}
	sys.vfsList = append([]vfsEntry{{op: op}}, sys.vfsList...)
	return nil
}

// Detach makes the kernel forget a type of file system. The error is EBUSY
// if it is in use and ESRCH if it is not known.
//
//netbsd:sys/kern/vfs_init.c vfs_detach
func (sys *System) Detach(l *kern.Lwp, op VFSOps) error {
	sys.vfsListLock.Enter(l)
	defer sys.vfsListLock.Exit(l)
	for i, e := range sys.vfsList {
		if e.op.Name() != op.Name() {
			continue
		}
		if e.refcount != 0 {
			return kern.EBUSY
		}
		sys.vfsList = append(sys.vfsList[:i:i], sys.vfsList[i+1:]...)
		return nil
	}
	return kern.ESRCH
}

// GetOpsByName returns the type of file system with a name, or nil.
//
// Postconditions: the type has a reference, which [System.DelRef] or the mount
// it is given to drops.
//
//netbsd:sys/kern/vfs_subr.c vfs_getopsbyname
func (sys *System) GetOpsByName(l *kern.Lwp, name string) VFSOps {
	sys.vfsListLock.Enter(l)
	defer sys.vfsListLock.Exit(l)
	e := sys.vfsEntryOf(name)
	if e == nil {
		return nil
	}
	e.refcount++
	return e.op
}

// DelRef drops a reference to a type of file system. Types that were never
// attached have none to count.
//
//netbsd:sys/kern/vfs_init.c vfs_delref
func (sys *System) DelRef(l *kern.Lwp, op VFSOps) {
	sys.vfsListLock.Enter(l)
	if e := sys.vfsEntryOf(op.Name()); e != nil {
		e.refcount--
	}
	sys.vfsListLock.Exit(l)
}

// Fstypes returns the names of the types of file system, the last attached
// first.
//
//netbsd:sys/kern/vfs_subr.c sysctl_vfs_generic_fstypes
func (sys *System) Fstypes(l *kern.Lwp) []string {
	sys.vfsListLock.Enter(l)
	defer sys.vfsListLock.Exit(l)
	names := make([]string, len(sys.vfsList))
	for i, e := range sys.vfsList {
		names[i] = e.op.Name()
	}
	return names
}

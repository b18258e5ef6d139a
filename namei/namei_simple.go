package namei

import (
	"rumpvfs/kern"
	"rumpvfs/vnode"
)

// SimpleFlags says how the simple forms of namei walk. It is a type of its
// own so that the flags of the full form cannot be passed.
type SimpleFlags uint8

const (
	NSM_NOFOLLOW_NOEMULROOT SimpleFlags = iota
	NSM_NOFOLLOW_TRYEMULROOT
	NSM_FOLLOW_NOEMULROOT
	NSM_FOLLOW_TRYEMULROOT
)

//netbsd:sys/kern/vfs_lookup.c namei_simple_convert_flags
func (f SimpleFlags) convert() uint32 {
	switch f {
	case NSM_NOFOLLOW_NOEMULROOT:
		return vnode.NOFOLLOW
	case NSM_NOFOLLOW_TRYEMULROOT:
		return vnode.NOFOLLOW | vnode.TRYEMULROOT
	case NSM_FOLLOW_NOEMULROOT:
		return vnode.FOLLOW
	case NSM_FOLLOW_TRYEMULROOT:
		return vnode.FOLLOW | vnode.TRYEMULROOT
	}
	kern.Panicf("namei_simple_convert_flags: bogus sflags")
	return 0
}

// Simple looks up a path of the kernel's own. The errors are those of
// [Nameidata.Namei].
//
// Preconditions: l holds no vnode lock.
// Postconditions: the result is referenced and not locked.
//
//netbsd:sys/kern/vfs_lookup.c namei_simple_kernel
func Simple(l *kern.Lwp, path string, flags SimpleFlags) (*vnode.Vnode, error) {
	return SimpleAt(l, nil, path, flags)
}

// SimpleAt is [Simple] with a relative path starting at dvp, unless that is
// nil.
//
//netbsd:sys/kern/vfs_lookup.c nameiat_simple_kernel
func SimpleAt(l *kern.Lwp, dvp *vnode.Vnode, path string, flags SimpleFlags) (*vnode.Vnode, error) {
	nd := Acquire(l)
	nd.Init(l, vnode.LOOKUP, flags.convert(), path)
	nd.At(dvp)
	err := nd.Namei(l)
	vp := nd.Vp
	nd.Release(l)
	return vp, err
}

// SimpleUser is [Simple] for a path as a user passes it, see [Copyin].
//
//netbsd:sys/kern/vfs_lookup.c namei_simple_user
func SimpleUser(l *kern.Lwp, path string, flags SimpleFlags) (*vnode.Vnode, error) {
	return SimpleAtUser(l, nil, path, flags)
}

// SimpleAtUser is [SimpleAt] for a path as a user passes it, see [Copyin].
//
//netbsd:sys/kern/vfs_lookup.c nameiat_simple_user
func SimpleAtUser(l *kern.Lwp, dvp *vnode.Vnode, path string, flags SimpleFlags) (*vnode.Vnode, error) {
	path, err := Copyin(path)
	if err != nil {
		return nil, err
	}
	return SimpleAt(l, dvp, path, flags)
}

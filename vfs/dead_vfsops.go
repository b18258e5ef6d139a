package vfs

import (
	"rumpvfs/kern"
	"rumpvfs/vnode"
)

// DeadFS is the file system of vnodes that have none: the operations of the
// mount to which every cleaned vnode belongs. Hardly anything is ever asked of
// it but its name.
//
//netbsd:sys/miscfs/deadfs/dead_vfsops.c dead_vfsops
type DeadFS struct{ vnode.BaseVFS }

// Name returns "dead".
func (DeadFS) Name() string { return "dead" }

// Statvfs knows no numbers.
func (DeadFS) Statvfs(l *kern.Lwp, _ *vnode.Mount, _ *kern.Statvfs) error { return deadUsed(l) }

// Vptofh makes no file handles.
func (DeadFS) Vptofh(l *kern.Lwp, _ *vnode.Vnode) ([]byte, error) {
	return nil, deadUsed(l)
}

// deadUsed is the answer to what a system call can ask of a dead file system.
//
//netbsd:sys/miscfs/deadfs/dead_vfsops.c dead_panic
func deadUsed(l *kern.Lwp) error {
	if l.K.Quirks.Has(kern.QuirkDeadFS) {
		kern.Panicf("dead fs operation used")
	}
	return kern.EBADF
}

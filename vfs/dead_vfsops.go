package vfs

import "rumpvfs/vnode"

// DeadFS is the file system of vnodes that have none: the operations of the
// mount to which every cleaned vnode belongs. Nothing is ever asked of it
// but its name.
//
//netbsd:sys/miscfs/deadfs/dead_vfsops.c dead_vfsops
type DeadFS struct{ vnode.BaseVFS }

// Name returns "dead".
func (DeadFS) Name() string { return "dead" }

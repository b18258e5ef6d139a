// Package vnode is the vnode layer: vnodes and their life cycle, mounts and
// the list of them, the vnode operation vector with its front ends, the
// vnode pager, fstrans, byte-range locks, I/O buffers and the syncer's
// worklist. See docs/vnode-lifecycle.md for who holds a reference and
// docs/locking.md for the order of locks.
package vnode

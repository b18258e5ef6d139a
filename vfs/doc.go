// Package vfs is the kernel above the vnode layer and below the system
// calls: opening, closing and moving data through vnodes (vn_*), open files
// and descriptor tables, and the dead file system that a vnode belongs to
// when its own is gone.
package vfs

package genfs

import (
	"rumpvfs/hypercall"
	"rumpvfs/kern"
	"rumpvfs/uvm"
	"rumpvfs/vnode"
)

// Flags of Ops.Size.
const GOP_SIZE_MEM = 0x4 // the size in memory, not on disk

// Flags of Ops.MarkUpdate.
const (
	GOP_UPDATE_ACCESSED = 1
	GOP_UPDATE_MODIFIED = 2
)

// Ops is what the page operations ask of a file system: genfs_ops of the C
// kernel.
type Ops struct {
	// Size returns where the last block of a file of size bytes ends.
	Size func(vp *vnode.Vnode, size int64, flags int) int64
	// Alloc allocates blocks for length bytes from offset on. It may be
	// nil if Bmap knows no holes.
	Alloc func(l *kern.Lwp, vp *vnode.Vnode, offset, length int64, flags int, cred *kern.Cred) error
	// Write writes busy pages that lie in a row, and lets them go, even
	// on an error.
	Write func(l *kern.Lwp, vp *vnode.Vnode, pgs []*uvm.Page, flags int) error
	// MarkUpdate says that the file's times are to move, as the
	// GOP_UPDATE flags say. The interlock is held. May be nil.
	MarkUpdate func(l *kern.Lwp, vp *vnode.Vnode, flags int)
}

// Node is genfs's part of a vnode. The letter gives what guards a field:
//
//	i  the vnode's interlock
//	:  stable
type Node struct {
	ops      *Ops        // :
	glock    kern.RWLock // blocks against their allocation and truncation
	dirtygen int         // i: counts when pages became dirty
}

var glockClass = hypercall.LockClass{Name: "g_glock", Rank: 450}

// NodeInit prepares a new vnode for [Getpages] and [Putpages].
//
//netbsd:sys/miscfs/genfs/genfs_vnops.c genfs_node_init
func NodeInit(vp *vnode.Vnode, ops *Ops) {
	gp := &Node{ops: ops}
	gp.glock.Init(vp.System().K.Sys, &glockClass)
	vp.SetGenfs(gp)
}

// NodeDestroy undoes [NodeInit] when the vnode is reclaimed.
//
//netbsd:sys/miscfs/genfs/genfs_vnops.c genfs_node_destroy
func NodeDestroy(l *kern.Lwp, vp *vnode.Vnode) {
	VTOG(vp).glock.Destroy(l)
	vp.SetGenfs(nil)
}

// VTOG returns genfs's part of a vnode.
//
//netbsd:sys/miscfs/genfs/genfs_node.h VTOG
func VTOG(vp *vnode.Vnode) *Node { return vp.Genfs().(*Node) }

// Wrlock holds off everybody who gets pages or allocates blocks, as a
// truncation does.
//
// Postconditions: the node's lock is held exclusively.
//
//netbsd:sys/miscfs/genfs/genfs_vnops.c genfs_node_wrlock
func (gp *Node) Wrlock(l *kern.Lwp) { gp.glock.Enter(l) }

// Rdlock holds off who changes where the blocks of the file are.
//
// Postconditions: the node's lock is held shared.
//
//netbsd:sys/miscfs/genfs/genfs_vnops.c genfs_node_rdlock
func (gp *Node) Rdlock(l *kern.Lwp) { gp.glock.REnter(l) }

// Rdtrylock is [Node.Rdlock] if that needs no sleep.
//
//netbsd:sys/miscfs/genfs/genfs_vnops.c genfs_node_rdtrylock
func (gp *Node) Rdtrylock(l *kern.Lwp) bool { return gp.glock.TryREnter(l) }

// Unlock releases the node's lock, however it is held.
//
//netbsd:sys/miscfs/genfs/genfs_vnops.c genfs_node_unlock
func (gp *Node) Unlock(l *kern.Lwp) { gp.glock.Exit(l) }

// Wrlocked reports whether the caller holds the node's lock exclusively.
//
//netbsd:sys/miscfs/genfs/genfs_vnops.c genfs_node_wrlocked
func (gp *Node) Wrlocked(l *kern.Lwp) bool { return gp.glock.WriteHeld(l) }

// markUpdate moves the file's times, if the file system wants that.
//
//netbsd:sys/miscfs/genfs/genfs_node.h GOP_MARKUPDATE
func (gp *Node) markUpdate(l *kern.Lwp, vp *vnode.Vnode, flags int) {
	if gp.ops.MarkUpdate != nil {
		gp.ops.MarkUpdate(l, vp, flags)
	}
}

// Size rounds a size up to file-system blocks. Sizes too near to 2^63 wrap
// around, as they do in C.
//
//netbsd:sys/miscfs/genfs/genfs_vnops.c genfs_size
func Size(vp *vnode.Vnode, size int64, _ int) int64 {
	bsize := int64(1) << vp.Mount().FsBshift
	return (size + bsize - 1) &^ (bsize - 1)
}

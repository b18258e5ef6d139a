package rumpfs

import (
	"rumpvfs/genfs"
	"rumpvfs/vnode"
)

// fifoOps is fifo_vnodeop_entries.
var fifoOps = vnode.Ops{Name: "fifo", Putpages: genfs.NullPutpages}

// FifoOps is the operation vector that a kernel without a fifo file system gives to those whose fifos need one. Nothing can
// be done with such a fifo. The fifos of rumpfs have the operations of its regular files instead.
func FifoOps() *vnode.Ops { return &fifoOps }

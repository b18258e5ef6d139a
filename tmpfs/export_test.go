package tmpfs

import "rumpvfs/vnode"

// SetLinks gives the file of vp a number of links, and returns the one that it
// had: 32,767 names take long to make.
func SetLinks(vp *vnode.Vnode, n uint32) (old uint32) {
	nd := nodeOf(vp)
	old, nd.links = nd.links, n
	return old
}

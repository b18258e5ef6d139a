package vnode

import "sync/atomic"

// NCHNAMLEN is the longest name that the name cache keeps, in bytes.
const NCHNAMLEN = 31

// NameKey says which name in which directory.
type NameKey struct {
	Dvp  *Vnode
	Nlen uint8
	Name [NCHNAMLEN]byte
}

// Namecache is an entry of the name cache: what a name leads to. It holds no
// reference. The name cache, which is above, keeps it; a vnode has the lists
// of its entries.
type Namecache struct {
	NameKey
	Vp       *Vnode // nil: the name does not exist
	Whiteout bool   // it does not exist because of a whiteout
	Hit      atomic.Bool

	// Its neighbours in the lists, which are rings: that of all entries,
	// Vnode.Nclist and Vnode.Dnclist.
	Next, Prev [NumNameLists]*Namecache
}

// The lists that an entry of the name cache is on.
const (
	ByAge = iota
	ByVnode
	ByDirectory
	NumNameLists
)

// Insert puts ncp at the end of the list which, of which head is the first.
func (ncp *Namecache) Insert(head **Namecache, which int) {
	first := *head
	if first == nil {
		ncp.Next[which], ncp.Prev[which], *head = ncp, ncp, ncp
		return
	}
	last := first.Prev[which]
	ncp.Next[which], ncp.Prev[which] = first, last
	first.Prev[which], last.Next[which] = ncp, ncp
}

// InsertHead puts ncp at the beginning.
func (ncp *Namecache) InsertHead(head **Namecache, which int) {
	ncp.Insert(head, which)
	*head = ncp
}

// Remove takes ncp off the list.
func (ncp *Namecache) Remove(head **Namecache, which int) {
	next, prev := ncp.Next[which], ncp.Prev[which]
	switch {
	case next == ncp:
		*head = nil
	case *head == ncp:
		*head = next
	}
	next.Prev[which], prev.Next[which] = prev, next
	ncp.Next[which], ncp.Prev[which] = nil, nil
}

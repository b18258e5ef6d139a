package tmpfs

import (
	"slices"

	"rumpvfs/kern"
	"rumpvfs/vnode"
)

// Sequence numbers of directory entries, which are directory offsets.
const (
	dirseqDot    = 0
	dirseqDotdot = 1
	dirseqEOF    = 2
	dirseqStart  = 3 // of entries; they count up
)

// dirent is a directory entry. A whiteout has no node.
type dirent struct {
	name string
	node *node // nil for a whiteout
	seq  int64 // place in the directory, dirseqStart or more
}

func (de *dirent) whiteout() bool { return de.node == nil }

// directory is the entries of a directory, by name and in the order of their
// sequence numbers. Two may have one name, for a link or a rename does not
// look for a whiteout; then the older is found. Those count up and are not used again, so that an offset
// always means the same entry; a 63-bit number needs no second range, which
// the reference has for when 2^30 are used up.
type directory struct {
	parent    *node // nil once removed; the root is its own
	names     map[string]*dirent
	order     []*dirent // ascending seq; nil where one was removed
	count     int       // entries, more than names if there are doubles
	next      int64     // the next sequence number
	whiteouts bool      // there has been one
}

func (d *directory) init() {
	d.names = make(map[string]*dirent)
	d.next = dirseqStart
}

// insert puts de at the end.
//
//netbsd:sys/fs/tmpfs/tmpfs_subr.c tmpfs_dir_getseq
func (d *directory) insert(de *dirent) {
	de.seq = d.next
	d.next++
	d.count++
	d.order = append(d.order, de)
	d.nameIt(de)
}

// nameIt makes the name of de, which is in order, lead to it or to an older
// entry.
func (d *directory) nameIt(de *dirent) {
	if old := d.names[de.name]; old == nil || old.seq > de.seq {
		d.names[de.name] = de
	}
}

// unnameIt makes the name of de lead to the next older double, if any.
func (d *directory) unnameIt(de *dirent) {
	if d.names[de.name] != de {
		return
	}
	delete(d.names, de.name)
	if len(d.names)+1 == d.count {
		return
	}
	for _, e := range d.order {
		if e != nil && e != de && e.name == de.name {
			d.names[e.name] = e
			return
		}
	}
}

// remove takes de out.
func (d *directory) remove(de *dirent) {
	d.unnameIt(de)
	d.order[d.index(de.seq)] = nil
	d.count--
	if len(d.order) > 2*d.count+32 {
		d.order = slices.DeleteFunc(d.order, func(e *dirent) bool { return e == nil })
	}
}

// rename gives de another name, in the same place.
func (d *directory) rename(de *dirent, name string) {
	d.unnameIt(de)
	de.name = name
	d.nameIt(de)
}

// index returns where in order the entry with sequence number seq is, or
// would be. Entries that were removed keep no number, so the search steps
// over them to the next one that is there.
func (d *directory) index(seq int64) int {
	lo, hi := 0, len(d.order)
	for lo < hi {
		mid := int(uint(lo+hi) >> 1)
		i := mid
		for i < hi && d.order[i] == nil {
			i++
		}
		if i == hi {
			hi = mid
		} else if d.order[i].seq < seq {
			lo = i + 1
		} else if d.order[i].seq == seq {
			return i
		} else {
			hi = mid
		}
	}
	return lo
}

// from returns the first entry at index i or behind, or nil.
func (d *directory) from(i int) (*dirent, int) {
	for ; i < len(d.order); i++ {
		if de := d.order[i]; de != nil {
			return de, i
		}
	}
	return nil, i
}

// lookupBySeq returns the entry with sequence number seq and its index;
// nil if it is gone.
//
//netbsd:sys/fs/tmpfs/tmpfs_subr.c tmpfs_dir_lookupbyseq
func (d *directory) lookupBySeq(seq int64) (*dirent, int) {
	de, i := d.from(d.index(seq))
	if de == nil || de.seq != seq {
		return nil, 0
	}
	return de, i
}

// first returns the sequence number of the first entry, dirseqEOF if there
// is none.
func (d *directory) first() int64 {
	de, _ := d.from(0)
	return seqOf(de)
}

func seqOf(de *dirent) int64 {
	if de == nil {
		return dirseqEOF
	}
	return de.seq
}

// allocDirent makes an entry for a name, or ENOSPC.
//
//netbsd:sys/fs/tmpfs/tmpfs_subr.c tmpfs_alloc_dirent
func (m *tmpfsMount) allocDirent(l *kern.Lwp, name string) (*dirent, error) {
	if !m.mem.incr(l, direntBytes) {
		return nil, kern.ENOSPC
	}
	if !m.mem.incr(l, nameBytes(len(name))) {
		m.mem.decr(l, direntBytes)
		return nil, kern.ENOSPC
	}
	return &dirent{name: string([]byte(name))}, nil
}

// freeDirent gives back what an entry has cost.
//
//netbsd:sys/fs/tmpfs/tmpfs_subr.c tmpfs_free_dirent
func (m *tmpfsMount) freeDirent(l *kern.Lwp, de *dirent) {
	m.mem.decr(l, direntBytes+nameBytes(len(de.name)))
}

// attach puts the entry de, for n or a whiteout if n is nil, into the
// directory dn. The links that this makes are counted; the caller has seen
// that LINK_MAX allows them.
//
// Preconditions: dn's vnode is locked.
//
//netbsd:sys/fs/tmpfs/tmpfs_subr.c tmpfs_dir_attach
func (dn *node) attach(l *kern.Lwp, de *dirent, n *node) {
	events := uint32(kern.NOTE_WRITE)
	de.node = n
	dn.dir.insert(de)
	if n == nil {
		dn.dir.whiteouts = true
	} else {
		n.links++
		if n.typ == vnode.VDIR {
			kern.KASSERT(n.dir.parent == nil, "node->tn_spec.tn_dir.tn_parent == NULL")
			n.dir.parent = dn
			dn.links++
			events |= kern.NOTE_LINK
		}
	}
	dn.setDirSize(l)
	dn.knote(l, events)
}

// detach takes the entry de out of the directory dn and uncounts its links.
//
// Preconditions: the vnodes of dn and of what de leads to are locked, if
// they have any.
//
//netbsd:sys/fs/tmpfs/tmpfs_subr.c tmpfs_dir_detach
func (dn *node) detach(l *kern.Lwp, de *dirent) {
	events := uint32(kern.NOTE_WRITE)
	if n := de.node; n != nil {
		kern.KASSERT(n.links > 0, "node->tn_links > 0")
		n.links--
		if n.links > 0 {
			n.knote(l, kern.NOTE_LINK)
		} else {
			n.knote(l, kern.NOTE_DELETE)
		}
		if n.typ == vnode.VDIR {
			kern.KASSERT(n.dir.parent == dn && dn.links > 0, "node->tn_spec.tn_dir.tn_parent == dnode")
			n.dir.parent = nil
			dn.links--
			events |= kern.NOTE_LINK
		}
	}
	dn.dir.remove(de)
	dn.setDirSize(l)
	dn.knote(l, events)
}

// setDirSize makes the size of a directory what its entries count for.
func (dn *node) setDirSize(l *kern.Lwp) {
	dn.size = int64(dn.dir.count) * direntBytes
	if vp := dn.vp.Load(); vp != nil {
		vp.SetSize(l, dn.size)
	}
}

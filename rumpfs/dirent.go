package rumpfs

import (
	"strings"

	"rumpvfs/kern"
	"rumpvfs/vnode"
)

// directory is what a directory holds: its names, in a map to find them and in slots to list them.
//
// Invariant: each entry is in both, except that of several entries with one name the map has the newest, which leads to the
// others by shadow.
type directory struct {
	names  map[string]*dirent
	order  slots
	seq    uint64 // of the newest entry that there has ever been
	parent *node  // nil once the directory is removed
}

// find returns the newest entry of a name, or nil.
func (d *directory) find(name string) *dirent { return d.names[name] }

func (d *directory) insert(e *dirent) {
	if d.names == nil {
		d.names = make(map[string]*dirent)
	}
	d.seq++
	e.seq = d.seq
	e.shadow = d.names[e.name]
	d.names[e.name] = e
	d.order.push(e)
}

// remove takes out e, which find finds.
func (d *directory) remove(e *dirent) {
	if e.shadow != nil {
		d.names[e.name] = e.shadow
	} else {
		delete(d.names, e.name)
	}
	d.order.remove(e)
}

// onlyWhiteouts reports whether the directory is empty as rmdir sees it.
func (d *directory) onlyWhiteouts() bool {
	for e := d.order.seek(0); e != nil; e = d.order.older(e) {
		if !e.isWhiteout() {
			return false
		}
	}
	return true
}

// direntBytes is what an entry counts against the limit, besides its name.
const direntBytes = 96

// makedir enters a name: rn, or a whiteout if rn is nil. A whiteout that lookup found in its place goes. The memory of the
// entry has been reserved with reserveEntry.
//
// Preconditions: the directory is locked exclusively.
//
//netbsd:sys/rump/librump/rumpvfs/rumpfs.c makedir
func (rnd *node) makedir(cnp *vnode.Componentname, rn *node) {
	if cnp.Flags&vnode.ISWHITEOUT != 0 {
		kern.KASSERT(cnp.Flags&vnode.DOWHITEOUT == 0, "(cnp->cn_flags & DOWHITEOUT) == 0")
		rnd.freedir(cnp)
	}
	rnd.dir.insert(&dirent{name: strings.Clone(cnp.Name()), node: rn})
}

// freedir takes a name out, or with DOWHITEOUT makes it a whiteout.
//
// Preconditions: the directory is locked exclusively and has the name.
//
//netbsd:sys/rump/librump/rumpvfs/rumpfs.c freedir
func (rnd *node) freedir(cnp *vnode.Componentname) {
	e := rnd.dir.find(cnp.Name())
	if e == nil {
		kern.Panicf("could not find directory entry: %s", cnp.Nameptr)
	}
	if cnp.Flags&vnode.DOWHITEOUT != 0 {
		e.node = nil
		return
	}
	rnd.dir.remove(e)
	rnd.releaseEntry(e)
}

// reserveEntry reserves the memory of an entry of the directory.
func (rnd *node) reserveEntry(name string) bool {
	return rnd.fs.reserve(rnd.mnt, direntBytes+int64(len(name)))
}

func (rnd *node) releaseEntry(e *dirent) {
	rnd.fs.release(rnd.mnt, direntBytes+int64(len(e.name)))
}

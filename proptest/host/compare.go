package host

import (
	"slices"
	"strings"

	"rumpvfs/kern"
	"rumpvfs/proptest/call"
	"rumpvfs/proptest/clause"
	"rumpvfs/proptest/driver"
)

// A Case is a call with what ours answered, why, and what the host did.
type Case struct {
	Call   *call.Call
	Ours   *call.Result
	Host   *call.Result
	Clause *clause.Clause

	at     int  // where in the script
	tmpfs  bool // ours is tmpfs, with what its authors did not see
	climbs bool // ".." is in a path, or in a symbolic link of the script
	reused bool // all is the same, but ours has given the number of an inode anew
}

// both reports whether both answered with an error.
func (x *Case) both() bool { return x.Ours.Errno != 0 && x.Host.Errno != 0 }

// is reports whether ours and the host answered with these errors, 0 for none.
func (x *Case) is(ours, host kern.Errno) bool { return x.Ours.Errno == ours && x.Host.Errno == host }

// because reports whether ours answered for one of the causes.
func (x *Case) because(causes ...clause.Cause) bool { return slices.Contains(causes, x.Clause.Cause) }

// differsIn reports whether the answers are about files that differ in nothing but what change makes alike.
func (x *Case) differsIn(change func(f *call.File)) bool {
	if x.Ours.File.Mode == 0 || x.Host.File.Mode == 0 {
		return false
	}
	a, b := plain(x.Ours.File), plain(x.Host.File)
	a.Ino, b.Ino = 0, 0
	if a == b {
		return false
	}
	change(&a)
	change(&b)
	return a == b
}

// plain is a file without what no two kernels have in common.
func plain(f call.File) call.File {
	f.Dev, f.Blocks, f.Blksize = 0, 0, 0
	if kind := f.Mode & kern.S_IFMT; kind != kern.S_IFREG && kind != kern.S_IFLNK {
		f.Size = 0
	}
	return f
}

// A Comparer holds answers of the host against ours, a script at a time.
type Comparer struct {
	// Seen counts how often each of Differences explained an answer.
	Seen []uint64

	fs         driver.FS
	ours, host map[uint32]uint32 // which inode is which
	climbs     bool              // a symbolic link has ".." in it
}

// NewComparer makes a comparer for a file system of ours.
func NewComparer(fs driver.FS) *Comparer {
	c := &Comparer{fs: fs, Seen: make([]uint64, len(Differences()))}
	c.Begin()
	return c
}

// Begin begins a script.
func (c *Comparer) Begin() {
	c.ours, c.host, c.climbs = map[uint32]uint32{}, map[uint32]uint32{}, false
}

// Leaves reports whether a call is not to be made on the host: Linux has none like it, or ours refused it and the host
// would not.
func (c *Comparer) Leaves(x *Case) bool {
	for i := range differences {
		if d := &differences[i]; d.Leaves != nil && d.Leaves(x) {
			c.Seen[i]++
			return true
		}
	}
	return false
}

// Compare says what to make of the answers to a call: whether they are the same, or differ as the table says, and whether
// what comes after them can be compared.
func (c *Comparer) Compare(x *Case) (ok, goesOn bool) {
	dotdot := strings.Contains(x.Call.Path, "..") || strings.Contains(x.Call.Path2, "..")
	c.climbs = c.climbs || dotdot && x.Call.Op == call.Symlink
	x.tmpfs = c.fs.Caps.Tmpfs
	if x.climbs = c.climbs || dotdot; c.same(x) {
		return true, !c.parts(x)
	}
	for i := range differences {
		if d := &differences[i]; d.Explains != nil && d.Explains(x) {
			c.Seen[i]++
			return true, !d.Ends
		}
	}
	return false, false
}

// parts reports whether the same answers hide a difference.
func (c *Comparer) parts(x *Case) bool {
	for i := range differences {
		if d := &differences[i]; d.Parts != nil && d.Parts(x) {
			c.Seen[i]++
			return true
		}
	}
	return false
}

// same reports whether the answers are the same, apart from what no two kernels have in common: the numbers of inodes, the
// order of directories, the size of directory entries, and the storage that files take.
func (c *Comparer) same(x *Case) bool {
	a, b := x.Ours, x.Host
	switch {
	case a.Errno != b.Errno || a.Stop != b.Stop:
		return false
	case a.Errno != 0:
		return true
	case x.Call.Op == call.Getdents:
		return c.sameEntries(x) && !x.reused
	case a.File.Mode != 0:
		return c.sameFile(x) && !x.reused
	}
	return a.Equal(b)
}

func (c *Comparer) sameFile(x *Case) bool {
	a, b := plain(x.Ours.File), plain(x.Host.File)
	if !c.sameInode(x, a.Ino, b.Ino) {
		return false
	}
	a.Ino, b.Ino = 0, 0
	x.reused = x.reused && a == b
	return a == b
}

// sameInode reports whether two numbers have always stood for each other. One of ours may begin to stand for a file that is
// new on the host; should the old one appear again that is a difference.
func (c *Comparer) sameInode(x *Case, ours, host uint32) bool {
	h, known := c.ours[ours]
	o, taken := c.host[host]
	switch {
	case taken:
		return known && h == host && o == ours
	case known:
		x.reused = true
		c.host[h] = 0
	}
	c.ours[ours], c.host[host] = host, ours
	return true
}

func (c *Comparer) sameEntries(x *Case) bool {
	ours, host := x.Ours.Entries(), x.Host.Entries()
	byName := func(a, b call.Entry) int { return strings.Compare(a.Name, b.Name) }
	slices.SortFunc(ours, byName)
	slices.SortFunc(host, byName)
	return slices.EqualFunc(ours, host, func(a, b call.Entry) bool {
		return a.Name == b.Name && a.Type == b.Type && c.sameInode(x, a.Ino, b.Ino)
	})
}

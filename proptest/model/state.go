package model

import (
	"slices"

	"rumpvfs/kern"
	"rumpvfs/proptest/call"
	"rumpvfs/proptest/clause"
)

// A node is a file of any type.
type node struct {
	mode  uint32 // S_IF type and permissions
	uid   uint32
	gid   uint32
	flags uint32 // of chflags
	nlink uint32
	rdev  kern.Dev
	size  int64
	times [2]kern.Timespec // of access and of modification

	target string // of a symbolic link
	data   data   // of a regular file
	fifo   *fifo  // nil unless somebody has it open
	locks  locks  // but of a device, whose locks are the device's

	// Of a directory: its names, oldest first; the newest seq given to one; and where ".." leads, nil once it is removed.
	names  []entry
	seq    uint64
	parent *node

	num   int    // which of the model's it is
	id    uint64 // number of a file on a tmpfs that is in use
	ino   uint32 // alias, 0 until a result showed it
	opens int    // open files
	life  uint32 // grows when all uses of the file are revoked
	gone  bool   // has no name any more
}

// An entry is a name in a directory.
type entry struct {
	name string
	node *node  // nil is a whiteout
	seq  uint64 // grows with each name the directory gets
}

func (n *node) kind() uint32   { return n.mode & kern.S_IFMT }
func (n *node) isDir() bool    { return n.kind() == kern.S_IFDIR }
func (n *node) isLink() bool   { return n.kind() == kern.S_IFLNK }
func (n *node) isReg() bool    { return n.kind() == kern.S_IFREG }
func (n *node) isFifo() bool   { return n.kind() == kern.S_IFIFO }
func (n *node) isDevice() bool { return n.kind() == kern.S_IFCHR || n.kind() == kern.S_IFBLK }

// find gives the index of a name in a directory, or -1. Of several entries of a name only the newest counts, on a tmpfs
// the oldest.
func (n *node) find(name []byte) int {
	if n.id != 0 {
		return slices.IndexFunc(n.names, func(e entry) bool { return e.name == string(name) })
	}
	for i := len(n.names) - 1; i >= 0; i-- {
		if n.names[i].name == string(name) {
			return i
		}
	}
	return -1
}

// A ref is an open file's use of a file, which ends when the file is revoked.
type ref struct {
	node *node
	life uint32
}

func (m *Model) use(n *node) ref { return ref{n, n.life} }

// dead reports whether the use has ended.
func (r ref) dead() bool { return r.life != r.node.life }

// A file is an open file: what descriptors stand for.
type file struct {
	ref         // of the console, the node is nil
	flags int32 // FREAD, FWRITE, O_APPEND and so on, FHASLOCK if an flock may be held
	off   int64
	refs  int  // descriptors
	super bool // opened by the superuser
	num   int  // which of the model's it is
}

func (f *file) isConsole() bool { return f.node == nil }

// A slot of a descriptor table.
type slot struct {
	file    *file
	cloexec bool
}

// A table is a descriptor table.
type table struct {
	slots [kern.NOFILE]slot
	procs int // that use it
	top   int // above all descriptors that are open
	num   int // which of the model's it is
}

// A cred is who a process is.
type cred struct {
	uid, euid, svuid uint32
	gid, egid, svgid uint32
	ngroups          int
	groups           [kern.NGROUPS]uint32
}

// A proc is a process.
type proc struct {
	pid   int64
	cwd   *node
	root  *node // nil: the kernel's root
	umask uint32
	cred  cred
	table *table
	here  bool // has not exited
}

// Config says what is modelled.
type Config struct {
	// Quirks are the deviations from POSIX that there are: kern.Rev1125, kern.Fixed, or any set.
	Quirks kern.Quirks
	// Caps are the capabilities of the file system. The zero Caps are those of rumpfs.
	Caps Caps
	// MemLimit is how many bytes files may hold together; 0 is 4 GiB.
	MemLimit int64
	// Tree are calls of process 1 that make what the file system begins with.
	Tree []call.Call
}

// Caps are the capabilities in which file systems differ.
type Caps struct {
	Rename bool // names can be renamed
	Link   bool // files can have several names
	// PosixRename has renaming a file to another name of itself do nothing, as POSIX wants. BSD takes the first name away.
	PosixRename bool
	Fifos       bool // fifos can be opened, and are those of fifofs
	ReadOnly    bool // nothing can be changed that is not in Config.Tree
	Bare        bool // there is nothing but the root directory, not even /dev and /tmp
	Tmpfs       bool // it is a tmpfs, with names and links and all
	// Of a tmpfs: the limits that it is mounted with. Less than a page of bytes, or 3 files or less, are none.
	TmpBytes int64
	TmpFiles int
}

// A Model answers system calls as a kernel should.
type Model struct {
	// Coverage counts how often each clause answered. Reset leaves it alone.
	Coverage clause.Coverage
	// Last is the clause of the last answer.
	Last clause.ID

	config Config
	quirks kern.Quirks
	limit  int64

	root      *node
	procs     []proc
	lastPid   int64
	stop      call.Stop // how the kernel has stopped, if it has
	console   uint32    // the alias of the console's inode
	white     uint32    // the alias of the inode of all whiteouts
	seen      uint32    // aliases given
	bytes     int64     // in files
	readOnly  bool      // mounted read-only
	asked     bool      // statvfs has been asked by a process without a root of its own
	undefined bool      // the call under way came to what is no more
	devices   []device  // that have locks
	w         walk      // what the last walk has come to
	tmp       tmp
	steps     *Steps // of the call under way, nil if it is made at once

	nodes  pool[node]
	files  pool[file]
	tables pool[table]
	pages  pool[page]
	spare  []*page
	bufs   [2][2 * kern.MAXPATHLEN]byte
	zeros  page
	state  state // being written
}

// A device is the locks of a device number, of which there may be a character and a block device.
type device struct {
	rdev  kern.Dev
	kind  uint32 // S_IFCHR or S_IFBLK
	locks locks
}

// A pool hands out objects that are all taken back at once.
type pool[T any] struct {
	all  []*T
	used int
}

func (p *pool[T]) get() *T {
	if p.used == len(p.all) {
		block := make([]T, min(max(p.used, 1), 16))
		for i := range block {
			p.all = append(p.all, &block[i])
		}
	}
	p.used++
	return p.all[p.used-1]
}

func (p *pool[T]) reset() { p.used = 0 }

// New makes a model of a kernel that has just been booted.
func New(c Config) *Model {
	m := &Model{config: c, quirks: c.Quirks, limit: c.MemLimit}
	if c.Caps.Tmpfs {
		m.config.Caps.Rename, m.config.Caps.Link = true, true
		m.quirks = tmpfsQuirks(c.Quirks)
	}
	if m.limit == 0 {
		m.limit = 4 << 30
	}
	m.boot()
	return m
}

// Reset begins anew.
func (m *Model) Reset() error {
	m.boot()
	return nil
}

// Close does nothing.
func (m *Model) Close() error { return nil }

// has reports whether the kernel has a quirk.
func (m *Model) has(q kern.Quirk) bool { return m.quirks.Has(q) }

// boot makes what a rump kernel boots with: /dev with null and zero, /tmp, and process 1 with the console as descriptors
// 0 to 2.
func (m *Model) boot() {
	m.nodes.reset()
	m.files.reset()
	m.tables.reset()
	m.pages.reset()
	m.spare = m.spare[:0]
	m.devices = m.devices[:0]
	m.procs = m.procs[:0]
	m.lastPid, m.stop, m.console, m.white, m.seen, m.bytes = 0, 0, 0, 0, 0, 0
	m.readOnly, m.asked, m.undefined = false, false, false

	m.tmp.reset()
	m.root = m.newNode(kern.S_IFDIR | 0o755)
	if m.isTmpfs() {
		m.tmp.usage = usage{bytes: tmpNode, files: 1}
		m.tmp.told = m.tmp.usage
	}
	m.root.parent = m.root
	if !m.config.Caps.Bare {
		dev := m.bootFile(m.root, "dev", kern.S_IFDIR|0o755, kern.NODEV)
		m.bootFile(m.root, "tmp", kern.S_IFDIR|0o1777, kern.NODEV)
		m.bootFile(dev, "null", kern.S_IFCHR|0o644, devNull)
		m.bootFile(dev, "zero", kern.S_IFCHR|0o644, devZero)
	}

	m.procs = append(m.procs, proc{})
	p := &m.procs[0]
	m.lastPid++
	*p = proc{pid: m.lastPid, cwd: m.root, umask: kern.CMASK, table: m.newTable(), here: true}
	f := m.newFile()
	f.flags, f.refs = kern.FWRITE, 3
	for fd := range 3 {
		p.table.slots[fd] = slot{file: f}
	}
	p.table.top = 3
	m.makeTree()
}

// makeTree makes what the file system begins with. It counts in no coverage, and no file has been seen yet.
func (m *Model) makeTree() {
	if len(m.config.Tree) > 0 {
		var r call.Result
		before := m.Coverage
		for i := range m.config.Tree {
			m.Do(&m.config.Tree[i], &r)
		}
		m.Coverage, m.Last, m.asked = before, 0, false
	}
	m.readOnly = m.config.Caps.ReadOnly
}

// The devices that there are.
const (
	devNull kern.Dev = 2<<8 | 2
	devZero kern.Dev = 2<<8 | 12
)

func (m *Model) bootFile(dir *node, name string, mode uint32, rdev kern.Dev) *node {
	m.room(name, "")
	n := m.newNode(mode)
	n.rdev = rdev
	m.enter(dir, name, n)
	return n
}

func (m *Model) newTable() *table {
	t := m.tables.get()
	*t = table{procs: 1, num: m.tables.used - 1}
	return t
}

// newFile makes an open file that no descriptor stands for yet.
func (m *Model) newFile() *file {
	f := m.files.get()
	*f = file{num: m.files.used - 1}
	return f
}

// newNode makes a file that has no name yet.
func (m *Model) newNode(mode uint32) *node {
	n := m.nodes.get()
	names, held := n.names[:0], n.locks[:0]
	*n = node{mode: mode, nlink: 1, rdev: kern.NODEV, size: otherSize, names: names, locks: held, num: m.nodes.used - 1}
	n.times[0].Sec, n.times[1].Sec = recent, recent
	switch n.kind() {
	case kern.S_IFDIR:
		n.nlink = 2
		if m.isTmpfs() {
			n.seq = tmpEnd
		}
	case kern.S_IFREG:
		n.size = 0
	}
	if m.isTmpfs() {
		m.tmp.number(n)
	}
	return n
}

// otherSize is the size of everything but regular files and symbolic links.
const otherSize = 512

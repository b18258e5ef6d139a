package model

import (
	"cmp"
	"encoding/binary"
	"slices"

	"rumpvfs/kern"
	"rumpvfs/proptest/call"
)

// AppendState appends the state to b in a form that is the same for two models if, and only if, they are in the same
// state: from then on both answer alike whatever is called, but for numbers that say nothing. Those are left out: by
// which alias an inode is shown, process ids, and where in a directory an offset is, of which only the place counts.
// Nor does it count what is out of reach: files without name and use, processes that have exited. How the states were
// come to, Coverage and Last are no part of them, nor is the configuration.
//
// rename, if it is not nil, gives the names in directories and in targets of symbolic links others, so that states that
// differ in what is called what can be told to be alike. It must not give two names the same one, and is called for ".",
// ".." and the names in /dev too.
func (m *Model) AppendState(b []byte, rename func(string) string) []byte {
	return m.appendState(b, rename, nil)
}

// AppendSteps is AppendState without another name for anything, for a model of which calls are under way, and with the
// aliases of inodes.
func (m *Model) AppendSteps(b []byte, calls []Steps) []byte { return m.appendState(b, nil, calls) }

func (m *Model) appendState(b []byte, rename func(string) string, calls []Steps) []byte {
	s := &m.state
	*s = state{m: m, b: b, rename: rename, nodes: s.nodes[:0], files: s.files[:0], tables: s.tables[:0]}
	s.number(uint64(m.stop))
	s.flag(m.asked)
	if m.isTmpfs() {
		for _, u := range [...]usage{m.tmp.usage, m.tmp.told} {
			s.number(u.bytes)
			s.number(u.files)
		}
	}
	s.ref(m.root)
	s.number(uint64(len(m.procs)))
	for i := range m.procs {
		s.process(&m.procs[i])
	}
	s.aliases = calls != nil
	for i := range calls {
		s.steps(&calls[i])
	}
	for i := 0; i < len(s.tables); i++ {
		s.table(s.tables[i])
	}
	for i := 0; i < len(s.files); i++ {
		s.file(s.files[i])
	}
	for i := 0; i < len(s.nodes); i++ {
		s.node(s.nodes[i])
	}
	s.devices()
	b, s.b = s.b, nil
	return b
}

// A state is being written. What a reference leads to is written once, after what refers to it; the reference is its
// number in the order of the first reference.
type state struct {
	m       *Model
	b       []byte
	rename  func(string) string
	aliases bool // those of inodes are part of the state
	nodes   []*node
	files   []*file
	tables  []*table
}

func (s *state) number(n uint64) { s.b = binary.AppendUvarint(s.b, n) }

func (s *state) flag(f bool) {
	if f {
		s.b = append(s.b, 1)
	} else {
		s.b = append(s.b, 0)
	}
}

func (s *state) text(t string) {
	s.number(uint64(len(t)))
	s.b = append(s.b, t...)
}

// reference writes which of the objects that have been referred to v is, counted from 1, adding it to them if it is new;
// nil is 0.
func reference[T any](s *state, seen *[]*T, v *T) {
	if v == nil {
		s.number(0)
		return
	}
	i := slices.Index(*seen, v)
	if i < 0 {
		i = len(*seen)
		*seen = append(*seen, v)
	}
	s.number(uint64(i) + 1)
}

func (s *state) ref(n *node) { reference(s, &s.nodes, n) }

func (s *state) steps(c *Steps) {
	s.number(uint64(len(c.looks)))
	for i := range c.looks {
		k := &c.looks[i]
		s.number(uint64(k.no))
		s.ref(k.dir)
		s.ref(k.found)
		s.flag(k.white)
		s.text(k.name)
		s.number(uint64(k.moved))
	}
}

func (s *state) process(p *proc) {
	s.flag(p.here)
	if !p.here {
		return
	}
	s.ref(p.cwd)
	s.ref(p.root)
	reference(s, &s.tables, p.table)
	c := &p.cred
	for _, n := range [...]uint32{p.umask, c.uid, c.euid, c.svuid, c.gid, c.egid, c.svgid, uint32(c.ngroups)} {
		s.number(uint64(n))
	}
	for _, g := range c.groups[:c.ngroups] {
		s.number(uint64(g))
	}
}

func (s *state) table(t *table) {
	s.number(uint64(t.top))
	for fd := range t.top {
		reference(s, &s.files, t.slots[fd].file)
		s.flag(t.slots[fd].cloexec)
	}
}

func (s *state) file(f *file) {
	s.number(uint64(f.flags))
	s.flag(f.super)
	s.ref(f.node)
	if f.isConsole() {
		return
	}
	s.flag(f.dead())
	if !f.node.isDir() || s.m.has(kern.QuirkReaddirIndex) {
		s.number(uint64(f.off))
		return
	}
	if s.m.isTmpfs() {
		s.number(f.node.place(f.off))
		return
	}
	at, _ := f.node.seek(f.off, false)
	s.flag(f.off != 0)
	s.number(uint64(at + 1))
}

func (s *state) node(n *node) {
	for _, v := range [...]uint32{n.mode, n.uid, n.gid, n.flags, n.nlink, uint32(n.opens)} {
		s.number(uint64(v))
	}
	s.number(uint64(n.rdev))
	s.number(uint64(n.size))
	if s.aliases {
		s.number(uint64(n.ino))
	}
	s.flag(n.gone)
	for _, t := range n.times {
		if s.flag(t.Sec == call.Recent); t.Sec != call.Recent {
			s.number(uint64(t.Sec))
		}
		s.number(uint64(t.Nsec))
	}
	s.locks(n.locks)
	switch {
	case n.isDir():
		s.directory(n)
	case n.isLink():
		s.text(s.renamePath(n.target))
	case n.isReg():
		s.data(&n.data)
	case n.fifo != nil:
		s.fifo(n.fifo)
	}
}

func (s *state) fifo(p *fifo) {
	s.number(uint64(p.readers))
	s.number(uint64(p.writers))
	s.flag(p.end)
	for _, pid := range p.owner {
		s.number(uint64(pid))
	}
	s.text(string(p.data))
}

func (s *state) directory(n *node) {
	s.ref(n.parent)
	s.number(uint64(len(n.names)))
	for i := range n.names {
		s.text(s.renamePath(n.names[i].name))
		s.ref(n.names[i].node)
	}
}

// renamePath renames the names in a path.
func (s *state) renamePath(path string) string {
	if s.rename == nil {
		return path
	}
	var b []byte
	for from := 0; ; {
		to := from
		for to < len(path) && path[to] != '/' {
			to++
		}
		b = append(b, s.rename(path[from:to])...)
		if to == len(path) {
			return string(b)
		}
		b = append(b, '/')
		from = to + 1
	}
}

// data writes what was ever written to a file and can come to light again, without zeros.
func (s *state) data(d *data) {
	for i, pg := range d.near {
		s.page(int64(i), pg)
	}
	var far []int64
	for i := range d.far { //policy:unordered sorted below
		far = append(far, i)
	}
	slices.Sort(far)
	for _, i := range far {
		s.page(i, d.far[i])
	}
	s.number(0)
}

func (s *state) page(i int64, pg *page) {
	if pg == nil {
		return
	}
	n := len(pg)
	for n >= 8 && binary.LittleEndian.Uint64(pg[n-8:]) == 0 {
		n -= 8
	}
	for n > 0 && pg[n-1] == 0 {
		n--
	}
	if n > 0 {
		s.number(uint64(i) + 1)
		s.text(string(pg[:n]))
	}
}

// devices writes the locks of devices, by number of the device.
func (s *state) devices() {
	if len(s.m.devices) == 0 {
		return
	}
	byNumber := func(a, b device) int { return cmp.Or(cmp.Compare(a.rdev, b.rdev), cmp.Compare(a.kind, b.kind)) }
	for _, d := range slices.SortedFunc(slices.Values(s.m.devices), byNumber) {
		if len(d.locks) > 0 {
			s.number(uint64(d.rdev))
			s.number(uint64(d.kind))
			s.locks(d.locks)
		}
	}
}

// locks writes locks and who has them.
func (s *state) locks(ls locks) {
	s.number(uint64(len(ls)))
	for i := range ls {
		k := &ls[i]
		reference(s, &s.files, k.file)
		if k.file == nil {
			s.number(uint64(s.owner(k.pid)))
		}
		s.number(uint64(k.kind))
		s.number(uint64(k.start))
		s.number(uint64(k.end))
	}
}

// owner is the number of the process with an id.
func (s *state) owner(pid int64) int {
	return slices.IndexFunc(s.m.procs, func(p proc) bool { return p.pid == pid })
}

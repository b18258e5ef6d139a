package model

import "slices"

// Clone makes a model in the same state, with a Coverage of its own in which nothing is counted yet.
func (m *Model) Clone() *Model {
	c := new(Model)
	c.CopyFrom(m)
	return c
}

// CopyFrom puts m in the state of another model and gives it its configuration. It reuses m's memory, and leaves m's
// Coverage alone.
func (m *Model) CopyFrom(from *Model) {
	m.Last, m.config, m.quirks, m.limit = from.Last, from.config, from.quirks, from.limit
	m.lastPid, m.stop, m.console, m.white, m.seen = from.lastPid, from.stop, from.console, from.white, from.seen
	m.bytes, m.readOnly, m.asked, m.undefined = from.bytes, from.readOnly, from.asked, from.undefined
	m.tmp.copyFrom(&from.tmp)
	m.nodes.resize(from.nodes.used)
	m.files.resize(from.files.used)
	m.tables.resize(from.tables.used)
	m.pages.reset()
	m.spare, m.w = m.spare[:0], walk{}

	m.root = m.nodes.twin(from.root, from.root.num)
	for i, n := range from.nodes.all[:from.nodes.used] {
		m.copyNode(m.nodes.all[i], n)
	}
	for i, f := range from.files.all[:from.files.used] {
		g := m.files.all[i]
		*g = *f
		g.node = m.twinOf(f.node)
	}
	for i, t := range from.tables.all[:from.tables.used] {
		m.copyTable(m.tables.all[i], t)
	}
	m.procs = append(m.procs[:0], from.procs...)
	for i := range m.procs {
		p := &m.procs[i]
		p.cwd, p.root, p.table = m.twinOf(p.cwd), m.twinOf(p.root), m.tables.twin(p.table, p.table.num)
	}
	m.copyDevices(from)
}

// resize makes n objects of the pool used.
func (p *pool[T]) resize(n int) {
	for p.used = min(p.used, n); p.used < n; {
		p.get()
	}
}

// twin is the object of a number, or nil for nil.
func (p *pool[T]) twin(of *T, num int) *T {
	if of == nil {
		return nil
	}
	return p.all[num]
}

// twinOf is the node that n of another model has been copied to.
func (m *Model) twinOf(n *node) *node {
	if n == nil {
		return nil
	}
	return m.nodes.all[n.num]
}

func (m *Model) copyNode(to, from *node) {
	names, held := append(to.names[:0], from.names...), m.copyLocks(to.locks, from.locks)
	*to = *from
	to.names, to.locks, to.parent = names, held, m.twinOf(from.parent)
	for i := range names {
		names[i].node = m.twinOf(names[i].node)
	}
	if from.fifo != nil {
		p := *from.fifo
		p.data = slices.Clone(p.data)
		to.fifo = &p
	}
	to.data = data{}
	for i, pg := range from.data.near {
		if pg != nil {
			*m.pageFor(&to.data, int64(i)) = *pg
		}
	}
	for i, pg := range from.data.far { //policy:unordered which page of memory a page gets shows nowhere
		*m.pageFor(&to.data, i) = *pg
	}
}

func (m *Model) copyLocks(to, from locks) locks {
	to = append(to[:0], from...)
	for i := range to {
		if f := to[i].file; f != nil {
			to[i].file = m.files.all[f.num]
		}
	}
	return to
}

func (m *Model) copyTable(to, from *table) {
	*to = *from
	for fd := range to.top {
		if f := to.slots[fd].file; f != nil {
			to.slots[fd].file = m.files.all[f.num]
		}
	}
}

func (m *Model) copyDevices(from *Model) {
	m.devices = m.devices[:0]
	for i := range from.devices {
		d := &from.devices[i]
		m.devices = append(m.devices, device{d.rdev, d.kind, m.copyLocks(nil, d.locks)})
	}
}

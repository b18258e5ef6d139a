package uvm

// Memory keeps pages of a kernel that has ended for the next. The zero value
// has none.
type Memory struct{ used, spare [][]Page }

// maxSpare is how many slabs are kept: half a megabyte, if they have grown as
// those of one kernel do.
const maxSpare = 8

// slab returns n pages whose data lie one after the other. A nil Memory makes
// new ones.
func (m *Memory) slab(n int) []Page {
	if m == nil {
		return newSlab(n)
	}
	pgs := m.take(n)
	if pgs == nil {
		pgs = newSlab(n)
	}
	if len(m.used) < maxSpare {
		m.used = append(m.used, pgs)
	}
	return pgs
}

func newSlab(n int) []Page {
	mem, pgs := make([]byte, n*PAGE_SIZE), make([]Page, n)
	for i := range pgs {
		// The capacity reaches to the end of the slab on purpose, see Contiguous.
		pgs[i].Data = mem[i*PAGE_SIZE : (i+1)*PAGE_SIZE]
	}
	return pgs
}

// take returns n spare pages, as new but for what is in them, or nil.
func (m *Memory) take(n int) []Page {
	for i, pgs := range m.spare {
		if len(pgs) == n {
			last := len(m.spare) - 1
			m.spare[i], m.spare[last] = m.spare[last], nil
			m.spare = m.spare[:last]
			for i := range pgs {
				pgs[i] = Page{Data: pgs[i].Data, stale: true}
			}
			return pgs
		}
	}
	return nil
}

// HandOn leaves pages of a kernel that has ended to the next one that is given
// the same Memory. Nobody uses them any more.
func (s *System) HandOn() {
	m := s.memory
	if m == nil {
		return
	}
	for _, pgs := range m.used {
		if len(m.spare) < maxSpare {
			m.spare = append(m.spare, pgs)
		}
	}
	clear(m.used)
	m.used = m.used[:0]
}

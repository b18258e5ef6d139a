package rumpfs

import (
	"math/bits"
	"sort"
)

// A dirent is a name in a directory.
type dirent struct {
	name   string
	node   *node   // nil: a whiteout
	shadow *dirent // an older entry of the same name, which nobody finds
	seq    uint64  // grows with each entry that the directory gets
	slot   int     // where slots keeps it
}

func (d *dirent) isWhiteout() bool { return d.node == nil }

// slots keeps a directory's entries in the order in which they came, newest first, and finds the i-th. Entries only ever
// come at the front, so they are appended to a slice, and one that goes leaves its slot empty. A bit a slot says whether it
// is taken, and a Fenwick tree counts the taken ones by blocks of 64 slots: coming, going and finding cost O(log n).
//
// Invariants:
//   - bit s%64 of live[s/64] is set if and only if ent[s] is not nil; then ent[s].slot is s
//   - fen is the Fenwick tree over the number of bits in each word of live; n is their sum
//   - seq grows with the slot
//   - len(ent) is at most 4n+65
type slots struct {
	ent  []*dirent
	live []uint64
	fen  []uint32
	n    int
	few  few
}

// few is where the entries of a directory that has had only a few are kept.
type few struct {
	ent  [4]*dirent
	live [1]uint64
	fen  [1]uint32
}

const slotsPerBlock = 64

// push makes d the newest entry.
func (s *slots) push(d *dirent) {
	if s.ent == nil {
		s.ent, s.live, s.fen = s.few.ent[:0], s.few.live[:0], s.few.fen[:0]
	}
	if len(s.ent) == cap(s.ent) && len(s.ent) > 2*s.n+slotsPerBlock {
		s.compact()
	}
	d.slot = len(s.ent)
	s.ent = append(s.ent, d)
	block := d.slot / slotsPerBlock
	if block == len(s.live) {
		s.live = append(s.live, 0)
		s.fen = append(s.fen, s.cellBefore(block+1))
	}
	s.live[block] |= 1 << (d.slot % slotsPerBlock)
	s.add(block, 1)
	s.n++
}

// cellBefore is what the i-th cell of the tree, counted from 1, begins with: the sum of its range without the last block,
// which is that of the cells it covers.
func (s *slots) cellBefore(i int) uint32 {
	var sum uint32
	for step := 1; step < i&-i; step <<= 1 {
		sum += s.fen[i-1-step]
	}
	return sum
}

func (s *slots) add(block int, delta int32) {
	for i := block + 1; i <= len(s.fen); i += i & -i {
		s.fen[i-1] += uint32(delta)
	}
}

// remove takes d out.
func (s *slots) remove(d *dirent) {
	block := d.slot / slotsPerBlock
	s.ent[d.slot] = nil
	s.live[block] &^= 1 << (d.slot % slotsPerBlock)
	s.add(block, -1)
	s.n--
	if len(s.ent) > 4*s.n+slotsPerBlock {
		s.compact()
	}
}

// compact closes the gaps. It costs as much as there are slots, and comes only after as many removals.
func (s *slots) compact() {
	old := s.ent
	*s = slots{ent: make([]*dirent, 0, 2*s.n)}
	for _, d := range old {
		if d != nil {
			s.push(d)
		}
	}
}

// seek returns the i-th newest entry, counted from 0, or nil.
func (s *slots) seek(i int) *dirent {
	if i < 0 || i >= s.n {
		return nil
	}
	left := s.n - 1 - i // older entries than the one sought
	block := 0
	for step := 1 << bits.Len(uint(len(s.fen))) >> 1; step > 0; step >>= 1 {
		if block+step <= len(s.fen) && int(s.fen[block+step-1]) <= left {
			left -= int(s.fen[block+step-1])
			block += step
		}
	}
	word := s.live[block]
	for ; left > 0; left-- {
		word &= word - 1
	}
	return s.ent[block*slotsPerBlock+bits.TrailingZeros64(word)]
}

// seekBelow returns the newest entry whose seq is less than seq, or nil.
func (s *slots) seekBelow(seq uint64) *dirent {
	return s.seek(sort.Search(s.n, func(i int) bool { return s.seek(i).seq < seq }))
}

// older returns the entry that came before d, or nil.
func (s *slots) older(d *dirent) *dirent {
	slot := d.slot - 1
	for slot >= 0 {
		if word := s.live[slot/slotsPerBlock] << (slotsPerBlock - 1 - slot%slotsPerBlock); word != 0 {
			return s.ent[slot-bits.LeadingZeros64(word)]
		}
		slot = slot/slotsPerBlock*slotsPerBlock - 1
	}
	return nil
}

package rumpfs

import (
	"fmt"
	"math/bits"
	"slices"
	"testing"

	"pgregory.net/rapid"
)

// check verifies the invariants of slots.
func (s *slots) check(t interface{ Fatalf(string, ...any) }) {
	live := 0
	sums := make([]uint32, len(s.live))
	for i, d := range s.ent {
		set := s.live[i/slotsPerBlock]>>(i%slotsPerBlock)&1 != 0
		if set != (d != nil) || d != nil && d.slot != i {
			t.Fatalf("slot %d: bit %v, entry %+v", i, set, d)
		}
	}
	for b, word := range s.live {
		live += bits.OnesCount64(word)
		for i := b + 1; i <= len(sums); i += i & -i {
			sums[i-1] += uint32(bits.OnesCount64(word))
		}
	}
	if live != s.n || !slices.Equal(sums, s.fen) {
		t.Fatalf("n is %d and the tree %v, want %d and %v", s.n, s.fen, live, sums)
	}
	if len(s.ent) > 4*s.n+slotsPerBlock+1 {
		t.Fatalf("%d slots for %d entries", len(s.ent), s.n)
	}
}

// TestSlotsModel compares slots with a slice that has the newest entry first.
func TestSlotsModel(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		var s slots
		var model []*dirent
		seq := uint64(0)
		t.Repeat(map[string]func(*rapid.T){
			"push": func(t *rapid.T) {
				for range rapid.IntRange(1, 200).Draw(t, "n") {
					seq++
					d := &dirent{seq: seq}
					s.push(d)
					model = slices.Insert(model, 0, d)
				}
			},
			"remove": func(t *rapid.T) {
				for range rapid.IntRange(0, len(model)).Draw(t, "n") {
					i := rapid.IntRange(0, len(model)-1).Draw(t, "i")
					s.remove(model[i])
					model = slices.Delete(model, i, i+1)
				}
			},
			"seek": func(t *rapid.T) {
				i := rapid.IntRange(-1, len(model)+1).Draw(t, "i")
				var want, below *dirent
				if i >= 0 && i < len(model) {
					want = model[i]
				}
				if got := s.seek(i); got != want {
					t.Fatalf("seek(%d) = %+v, want %+v", i, got, want)
				}
				below = nil
				cut := rapid.Uint64Range(0, seq+2).Draw(t, "seq")
				if j := slices.IndexFunc(model, func(d *dirent) bool { return d.seq < cut }); j >= 0 {
					below = model[j]
				}
				if got := s.seekBelow(cut); got != below {
					t.Fatalf("seekBelow(%d) = %+v, want %+v", cut, got, below)
				}
			},
			"": func(t *rapid.T) {
				s.check(t)
				i := 0
				for d := s.seek(0); d != nil; d = s.older(d) {
					if i >= len(model) || d != model[i] {
						t.Fatalf("entry %d in order is %+v", i, d)
					}
					i++
				}
				if i != len(model) {
					t.Fatalf("%d entries in order, want %d", i, len(model))
				}
			},
		})
	})
}

func BenchmarkSlots(b *testing.B) {
	for _, n := range []int{10, 1000, 100_000} {
		var s slots
		var all []*dirent
		for i := range n {
			d := &dirent{seq: uint64(i)}
			s.push(d)
			all = append(all, d)
		}
		b.Run(fmt.Sprintf("seek/%d", n), func(b *testing.B) {
			b.ReportAllocs()
			i := 0
			for b.Loop() {
				s.seek(i * 7919 % n)
				i++
			}
		})
		b.Run(fmt.Sprintf("replace/%d", n), func(b *testing.B) {
			b.ReportAllocs()
			i := 0
			for b.Loop() {
				d := all[i*7919%n]
				s.remove(d)
				s.push(d)
				i++
			}
		})
	}
}

package driver

import (
	"math"
	"math/bits"
)

// registers is a power of two. The error of what a sketch counts is about 1/sqrt(registers), here 1.6 in 100.
const registers = 4096

// A Sketch counts different things, about, in little memory: sketches of parts add up to that of the whole without
// counting twice what is in both. It is a HyperLogLog.
type Sketch [registers]uint8

// Put counts what has the hash h, of which every bit must be as good as random.
func (s *Sketch) Put(h uint64) {
	rank := uint8(bits.LeadingZeros64(h*registers|registers-1)) + 1
	if r := &s[h/(1<<64/registers)]; *r < rank {
		*r = rank
	}
}

// Add counts what o has counted.
func (s *Sketch) Add(o *Sketch) {
	for i, r := range o {
		s[i] = max(s[i], r)
	}
}

// Count is how many different things there were, about.
func (s *Sketch) Count() uint64 {
	sum, empty := 0.0, 0
	for _, r := range s {
		sum += math.Ldexp(1, -int(r))
		if r == 0 {
			empty++
		}
	}
	n := 0.7213 / (1 + 1.079/registers) * registers * registers / sum
	if empty > 0 && n < 2.5*registers {
		n = registers * math.Log(registers/float64(empty))
	}
	return uint64(n + 0.5)
}

// hash is FNV-1a, its bits mixed once more.
func hash(b []byte) uint64 {
	h := uint64(0xcbf29ce484222325)
	for _, c := range b {
		h = (h ^ uint64(c)) * 0x100000001b3
	}
	h ^= h >> 32
	h *= 0xd6e8feb86659fd93
	h ^= h >> 32
	h *= 0xd6e8feb86659fd93
	return h ^ h>>32
}

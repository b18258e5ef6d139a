package gen

import "math/bits"

// A Source makes choices.
type Source interface {
	// Choose gives a number from 0 to n-1; n is at least 1.
	Choose(n int) int
}

// A Rand is a source that a seed determines. The zero Rand is that of seed 0.
type Rand struct{ state uint64 }

// NewRand makes the source of a seed. Streams of one seed have nothing to do with each other.
func NewRand(seed, stream uint64) *Rand {
	return &Rand{seed*0x9e3779b97f4a7c15 ^ bits.RotateLeft64(stream*0xd1342543de82ef95, 32)}
}

// Uint64 gives 64 random bits.
func (r *Rand) Uint64() uint64 {
	r.state += 0xa0761d6478bd642f
	hi, lo := bits.Mul64(r.state, r.state^0xe7037ed1a0b428db)
	return hi ^ lo
}

// Choose gives each number from 0 to n-1 with nearly the same probability.
func (r *Rand) Choose(n int) int {
	hi, _ := bits.Mul64(r.Uint64(), uint64(n))
	return int(hi)
}

// Bytes is a source that reads its choices from what a fuzzer made. When it is read to its end every choice is 0.
type Bytes struct{ Rest []byte }

// Choose takes a byte, or as many as n needs.
func (b *Bytes) Choose(n int) int {
	v := uint64(0)
	for most := uint64(n - 1); most > 0 && len(b.Rest) > 0; most >>= 8 {
		v = v<<8 | uint64(b.Rest[0])
		b.Rest = b.Rest[1:]
	}
	return int(v % uint64(n))
}

// Empty reports whether nothing is left.
func (b *Bytes) Empty() bool { return len(b.Rest) == 0 }

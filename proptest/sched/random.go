package sched

import (
	"math/bits"

	"rumpvfs/hypercall"
)

// rng is the generator of Steele, Lea and Flood, which gives the same numbers everywhere.
type rng uint64

func (g *rng) next() uint64 {
	*g += 0x9e3779b97f4a7c15
	z := uint64(*g)
	z = (z ^ z>>30) * 0xbf58476d1ce4e5b9
	z = (z ^ z>>27) * 0x94d049bb133111eb
	return z ^ z>>31
}

// below is a number of 0..n-1.
func (g *rng) below(n int) int {
	hi, _ := bits.Mul64(g.next(), uint64(n))
	return int(hi)
}

// random chooses at each point among all threads that can run, each as likely.
type random struct{ rng rng }

func (r *random) choose(_ *Control, run []*hypercall.Thread) int {
	if len(run) == 1 {
		return 0
	}
	return r.rng.below(len(run))
}

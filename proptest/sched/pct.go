package sched

import (
	"rumpvfs/hypercall"
)

// pct chooses as Burckhardt, Kothari, Musuvathi and Nagarakatte do in "A Randomized Scheduler with Probabilistic Guarantees of Finding Bugs" (2010).
// Threads have random priorities, and at each point the one of the highest goes on. At depth-1 steps, drawn at random before the run, the thread that is
// to go on gets a priority below all others.
//
// A bug of depth d is one that shows whenever d steps come in a certain order, whatever else happens. Of n threads that make k steps together, a
// run finds it with a probability of at least 1/(n*k^(d-1)). That holds if k is not too small: it is the most steps that a run of the program has
// had so far.
type pct struct {
	rng      rng
	depth    int // d
	length   int // k
	changes  []int
	priority map[byte]int // the higher goes first
	lowest   int
	alone    int // steps that the last thread has made one after the other
}

// maxAlone is after how many steps a thread that goes on and on lets others pass, for it may be waiting for them in a loop.
const maxAlone = 2000

func (p *pct) begin() {
	p.changes, p.lowest, p.alone = p.changes[:0], 0, 0
	if p.priority == nil {
		p.priority = map[byte]int{}
	}
	clear(p.priority)
	for range p.depth - 1 {
		p.changes = append(p.changes, p.rng.below(max(p.length, 1)))
	}
}

func (p *pct) choose(c *Control, run []*hypercall.Thread) int {
	best := p.highest(c, run)
	step := len(c.steps)
	p.length = max(p.length, step+1)
	who := c.letter(run[best])
	if who != c.last {
		p.alone = 0
	}
	p.alone++
	for _, at := range p.changes {
		if at == step {
			best = p.lower(c, run, who)
		}
	}
	if p.alone > maxAlone {
		best = p.lower(c, run, who)
	}
	return best
}

// lower gives a thread a priority below all others, and chooses anew.
func (p *pct) lower(c *Control, run []*hypercall.Thread, who byte) int {
	p.lowest--
	p.priority[who] = p.lowest
	p.alone = 0
	return p.highest(c, run)
}

// highest is the thread to go on. One that is seen for the first time gets a priority at random.
func (p *pct) highest(c *Control, run []*hypercall.Thread) int {
	best, top := 0, 0
	for i, t := range run {
		who := c.letter(t)
		pr, known := p.priority[who]
		if !known {
			pr = 1 + p.rng.below(1<<30)
			p.priority[who] = pr
		}
		if i == 0 || pr > top {
			best, top = i, pr
		}
	}
	return best
}

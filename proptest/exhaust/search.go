package exhaust

import (
	"fmt"
	"math"

	"rumpvfs/hypercall"
	"rumpvfs/kern"
	"rumpvfs/proptest/call"
	"rumpvfs/proptest/driver"
)

// MaxDepth is how many calls scripts have at most.
const MaxDepth = 7

// Config says what to search.
type Config struct {
	Depth int      // calls of a script, up to MaxDepth
	Names []string // any of which may stand for any other
	Calls []call.Call
	FS    driver.FS
	// Quirks are those of kernel and model.
	Quirks kern.Quirks
	// Raw makes every script, each on a kernel of its own, and merges nothing.
	Raw bool
	// Record keeps all transitions for Audit.
	Record bool

	// System makes the system under test; nil is a native kernel.
	System func() (call.System, error)
}

// A Level is what the scripts of one length came to.
type Level struct {
	Depth       int    `json:"depth"`
	Transitions uint64 `json:"transitions"` // last calls of scripts
	States      uint64 `json:"states"`      // that no shorter script leads to
	Undone      uint64 `json:"undone"`      // transitions after which the kernel was led back
	Booted      uint64 `json:"booted"`      // kernels
}

// A Search goes through all scripts of a length, then through those that are longer by one. Its methods are called by one
// goroutine, but for Expand.
type Search struct {
	Levels   []Level // that are done
	Failures []*driver.Failure

	config   Config
	level    Level
	sym      *symmetry
	seen     map[Key]struct{} // states of the levels that are done
	fresh    map[Key]struct{} // and of this one
	frontier []script         // a script for each of the states to go on from
	next     []script
	record   map[transition]outcome
}

// A script is indexes of calls in the alphabet.
type script struct {
	n     uint8
	calls [MaxDepth]uint8
}

func (s script) then(c int) script {
	s.calls[s.n] = uint8(c)
	s.n++
	return s
}

// New makes a search that has been nowhere but at the beginning. The error says what is wrong with the configuration.
func New(c Config) (*Search, error) {
	switch {
	case c.Depth < 1 || c.Depth > MaxDepth:
		return nil, fmt.Errorf("exhaust: scripts have from 1 to %d calls, not %d", MaxDepth, c.Depth)
	case len(c.Calls) == 0 || len(c.Calls) > math.MaxUint8+1:
		return nil, fmt.Errorf("exhaust: %d calls; an alphabet has from 1 to %d", len(c.Calls), math.MaxUint8+1)
	}
	if c.FS.Name == "" {
		c.FS = driver.Rumpfs()
	}
	if c.System == nil {
		c.System = func() (call.System, error) { return c.FS.Kernel(c.Quirks, hypercall.Native) }
	}
	sym, err := newSymmetry(c.Names, c.Calls)
	if err != nil {
		return nil, err
	}
	s := &Search{config: c, sym: sym, seen: map[Key]struct{}{}, fresh: map[Key]struct{}{}, frontier: make([]script, 1)}
	key, _ := sym.key(c.FS.Model(c.Quirks))
	s.seen[key] = struct{}{}
	if c.Record {
		s.record = map[transition]outcome{}
	}
	return s, nil
}

// Run goes through all levels, until something is wrong.
func (s *Search) Run() error {
	for s.More() {
		for i := range s.Chunks() {
			p, err := s.Expand(i)
			if err != nil {
				return err
			}
			s.Merge(p)
		}
		s.Deepen()
	}
	return nil
}

// More reports whether there is a level to be gone through.
func (s *Search) More() bool {
	return len(s.Levels) < s.config.Depth && len(s.frontier) > 0 && len(s.Failures) == 0
}

// chunk is how many states are expanded at a time.
const chunk = 64

// Chunks is into how many parts the level is divided.
func (s *Search) Chunks() int { return (len(s.frontier) + chunk - 1) / chunk }

// Expand tries all calls in part i of the states that the last level came to. Several may be under way at a time. The error
// is that of a system that cannot be had.
func (s *Search) Expand(i int) (*Part, error) {
	w, err := newWalker(s)
	if err != nil {
		return nil, err
	}
	for _, from := range s.frontier[i*chunk : min((i+1)*chunk, len(s.frontier))] {
		if err := w.expand(from); err != nil {
			return nil, err
		}
	}
	return &w.part, w.close()
}

// A Part is what came of a part of a level.
type Part struct {
	level    Level
	found    []found
	failures []*driver.Failure
	record   []step
}

// found is a state that a script led to: one that no level before came to, or with Raw any.
type found struct {
	key    Key
	script script
}

// Merge adds a part to the level. Parts are added in order.
func (s *Search) Merge(p *Part) {
	l := &s.level
	l.Transitions += p.level.Transitions
	l.Undone += p.level.Undone
	l.Booted += p.level.Booted
	s.Failures = append(s.Failures, p.failures...)
	for _, f := range p.found {
		_, known := s.fresh[f.key]
		if _, before := s.seen[f.key]; !known && !before {
			s.fresh[f.key] = struct{}{}
			l.States++
		}
		if (!known || s.config.Raw) && len(s.Levels)+1 < s.config.Depth {
			s.next = append(s.next, f.script)
		}
	}
	for i := range p.record {
		if f := s.remember(&p.record[i]); f != nil {
			s.Failures = append(s.Failures, f)
		}
	}
}

// Deepen ends the level; the next goes on from the states that it has come to.
func (s *Search) Deepen() {
	for key := range s.fresh { //policy:unordered from set to set
		s.seen[key] = struct{}{}
	}
	clear(s.fresh)
	s.frontier, s.next = s.next, s.frontier[:0]
	s.level.Depth = len(s.Levels) + 1
	s.Levels = append(s.Levels, s.level)
	s.level = Level{}
}

// Totals adds up the levels, the one under way included.
func (s *Search) Totals() (t Level) {
	t = s.level
	t.States++ // the first
	for _, l := range s.Levels {
		t.Depth = max(t.Depth, l.Depth)
		t.Transitions += l.Transitions
		t.States += l.States
		t.Undone += l.Undone
		t.Booted += l.Booted
	}
	return t
}

package model

import (
	"rumpvfs/proptest/call"
	"rumpvfs/proptest/clause"
)

// Calls of a kernel in which others go on meanwhile are not made at once but in steps, of which each is: looking up a name in a directory, going
// up from a directory, finding a directory's name in the one above it, and at last what the call does to the file that it has come to. What a
// step has found the later ones go on with, whatever has become of it since.
//
// Where the kernel keeps a directory locked from looking a name up until it has made or removed that name, both are one step. A rename
// looks both its names up, then the second again, with what stands in the way of the rename; and in its last step it looks up both once
// more. A read moves the file's offset in another step than that in which it reads. All other calls that are given a descriptor have
// one step.

// Steps is a call under way. The zero Steps is one that has not begun.
type Steps struct {
	looks []look // what the steps so far have found
	next  int    // of looks, while the call is made up to there again
	live  bool   // the step has looked for itself
}

// A look is what a step has found.
type look struct {
	no         clause.Cause
	dir, found *node
	white      bool
	name       string // or what was read
	moved      int64  // by how much that moves the file's offset
}

// unfinished is the cause of a call that is to be continued in another step. It unwinds a handler before it has changed anything.
const unfinished clause.Cause = ^clause.Cause(0)

// Step makes the next step of a call that s has come to. It reports whether that was the last; then r is the answer.
func (m *Model) Step(c *call.Call, s *Steps, r *call.Result) (over bool) {
	s.next, s.live = 0, false
	*r = call.Result{Data: r.Data[:0]}
	m.steps = s
	cause := m.answer(c, r)
	m.steps = nil
	if cause == unfinished {
		return false
	}
	m.finish(c, cause, r)
	return true
}

// CopyFrom makes s, a call of a model that is a copy of another, what t is of the other.
func (s *Steps) CopyFrom(m *Model, t *Steps) {
	s.looks = append(s.looks[:0], t.looks...)
	for i := range s.looks {
		k := &s.looks[i]
		k.dir, k.found = m.twinOf(k.dir), m.twinOf(k.found)
	}
}

// look is what f finds, now or in an earlier step. If this step has looked already, it is unfinished.
func (m *Model) look(f func() look) look {
	s := m.steps
	switch {
	case s == nil:
		return f()
	case s.next < len(s.looks):
		s.next++
		return s.looks[s.next-1]
	case s.live:
		return look{no: unfinished}
	}
	k := f()
	s.looks = append(s.looks, k)
	s.next++
	s.live = true
	return k
}

// pause reports whether the call is to be continued in another step.
func (m *Model) pause() bool { return m.steps != nil && m.steps.live }

package exhaust

import (
	"fmt"

	"rumpvfs/proptest/driver"
)

// A transition is a call in a state, both with names as the state's key has them.
type transition struct {
	from Key
	call uint8
}

// An outcome is what comes of a transition: the answer, and the state that follows.
type outcome struct{ answer, to Key }

// A step is a transition that was made.
type step struct {
	transition
	outcome
	script script // that led to it, the call included
}

// transition describes what call i has just come to. Of several ways to name things, which there are in states that look
// the same with names exchanged, the one with the least call and answer counts.
func (w *walker) transition(i int, to Key) step {
	var t step
	for n, r := range w.renames {
		c := w.s.config.Calls[r.calls[i]]
		res := r.result(&c, &w.got)
		o := transition{w.key, r.calls[i]}
		answer := keyOf(fmt.Appendf(nil, "%+v", res))
		if n == 0 || o.call < t.call || o.call == t.call && string(answer[:]) < string(t.answer[:]) {
			t.transition, t.outcome = o, outcome{answer, to}
		}
	}
	t.script = w.from.then(i)
	return t
}

// remember keeps a transition. If it has come out otherwise before, the state does not stand for all that lead to it.
func (s *Search) remember(t *step) *driver.Failure {
	before, known := s.record[t.transition]
	if !known {
		s.record[t.transition] = t.outcome
	}
	if !known || before == t.outcome {
		return nil
	}
	f := &driver.Failure{Kind: driver.Invalid, Err: fmt.Errorf("after other calls that led to the same state, the last one came to something else")}
	for _, c := range t.script.calls[:t.script.n] {
		f.Script = append(f.Script, s.config.Calls[c])
	}
	f.Index = len(f.Script) - 1
	return f
}

// Audit compares a search with Raw to one without, both of them with Record: that they came to the same states, and that
// each call in each state had the same answer and led to the same state. The error says what differs.
func Audit(raw, merged *Search) error {
	if len(raw.Levels) != len(merged.Levels) {
		return fmt.Errorf("%d levels one by one, %d merged", len(raw.Levels), len(merged.Levels))
	}
	for i, l := range raw.Levels {
		if m := merged.Levels[i]; l.States != m.States {
			return fmt.Errorf("%d states after %d calls one by one, %d merged", l.States, l.Depth, m.States)
		}
	}
	for key := range raw.seen { //policy:unordered any that is missing will do
		if _, ok := merged.seen[key]; !ok {
			return fmt.Errorf("a state that was reached one by one was not reached merged")
		}
	}
	if len(raw.record) != len(merged.record) {
		return fmt.Errorf("%d transitions one by one, %d merged", len(raw.record), len(merged.record))
	}
	for t, o := range raw.record { //policy:unordered any that differs will do
		if m, ok := merged.record[t]; !ok || m != o {
			return fmt.Errorf("%v came to something else merged", merged.config.Calls[t.call])
		}
	}
	return nil
}

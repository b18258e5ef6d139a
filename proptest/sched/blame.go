package sched

import (
	"slices"

	"rumpvfs/proptest/clause"
)

// blame finds the call with the first answer that no order of steps explains, and the clauses by which the model could have answered
// it. Calls that were under way when it was given count as far as their effects go: they may have any answer.
//
// Preconditions: the history as a whole is not explained.
func (k *checker) blame(h *History) (*Done, []clause.ID) {
	var ends []int
	for i := range h.Calls {
		ends = append(ends, h.Calls[i].Over)
	}
	slices.Sort(ends)
	for _, end := range ends {
		past := h.until(end)
		if k.explained(past) {
			continue
		}
		at := slices.IndexFunc(past.Calls, func(d Done) bool { return d.Over == end })
		return &past.Calls[at], k.couldBe(past, &past.Calls[at])
	}
	return nil, nil
}

// explained reports whether some order of steps gives the answers of a history.
func (k *checker) explained(h *History) bool { return k.sequential(h) || k.linearizable(h) }

// couldBe are the clauses by which the model could answer a call of a history.
func (k *checker) couldBe(h *History, d *Done) (list []clause.ID) {
	k.because = map[clause.ID]bool{}
	d.want = notedAnswer
	k.explained(h)
	for id := clause.ID(1); int(id) <= len(clause.All()); id++ {
		if !k.because[id] {
			continue
		}
		d.want = answer(id) // the search may have seen it on a way that leads nowhere
		if k.explained(h) {
			list = append(list, id)
		}
	}
	d.want = ownAnswer
	return list
}

// until is what is known of a history at the moment at which a call ends: those that have begun, with their answers if they have ended.
func (h *History) until(end int) *History {
	past := &History{lwps: h.lwps, clock: h.clock}
	for _, d := range h.Calls {
		if d.Begin > end {
			continue
		}
		if d.Over > end {
			d.Over, d.want = past.clock, anyAnswer
			past.clock++
		}
		past.Calls = append(past.Calls, d)
	}
	return past
}

// An answer is what a call is taken to have answered: if it is none of these constants, whatever the model answers by that clause.
type answer int32

const (
	ownAnswer   answer = 0  // that of the history
	anyAnswer   answer = -1 // whatever the model answers
	notedAnswer answer = -2 // that too, and by which clause is noted
)

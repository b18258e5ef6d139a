package sched

import (
	"bytes"
	"encoding/binary"
	"slices"
	"strings"

	"github.com/anishathalye/porcupine"

	"rumpvfs/proptest/call"
	"rumpvfs/proptest/clause"
	"rumpvfs/proptest/model"
)

// A checker says whether a history is one of the specification.
type checker struct {
	on      *System
	program *Program
	start   state   // before the first call of an lwp
	path    []state // of an order that is tried, by how many calls it has
	tried   int
	res     call.Result
	because map[clause.ID]bool // by which clauses the model has answered a call whose answer is to be noted
}

// A state is what the model has come to.
type state struct {
	m     *model.Model
	alias aliases
	calls []model.Steps // under way, by their index in the history
	step  []int         // how many steps of each call have been made
	over  []bool        // which calls have ended
	key   []byte        // the same for equal states
}

// use prepares for the histories of a program.
func (k *checker) use(p *Program, on *System) {
	k.on, k.program = on, p
	k.start.copyFrom(&state{m: on.model()})
	for i := range p.Before {
		k.start.m.Do(&p.Before[i], &k.res)
	}
}

// copyFrom makes s what t is.
func (s *state) copyFrom(t *state) {
	if s.m == nil {
		s.m = new(model.Model)
	}
	s.m.CopyFrom(t.m)
	s.alias = append(s.alias[:0], t.alias...)
}

// sequential reports whether the calls, made whole one after the other in some order, answer as they did. It may give up.
func (k *checker) sequential(h *History) bool {
	if !h.complete() {
		return false
	}
	for len(k.path) <= len(h.Calls) {
		k.path = append(k.path, state{})
	}
	k.path[0].copyFrom(&k.start)
	k.tried = 0
	order := make([]int, len(h.Calls))
	for i := range order {
		order[i] = i
	}
	slices.SortFunc(order, func(a, b int) int { return h.Calls[a].Over - h.Calls[b].Over })
	return k.extend(h, order, 0)
}

// maxTried is after how many calls sequential gives up.
const maxTried = 2000

// extend reports whether the calls of rest can come after the first n, in the order in which they ended or another.
func (k *checker) extend(h *History, rest []int, n int) bool {
	if len(rest) == 0 {
		return true
	}
	first := rest[0]
	for i, at := range rest {
		d := &h.Calls[at]
		if d.Begin > h.Calls[first].Over {
			continue // first must come before it
		}
		if k.tried++; k.tried > maxTried {
			return false
		}
		k.path[n+1].copyFrom(&k.path[n])
		if !k.makes(&k.path[n+1], d) {
			continue
		}
		copy(rest[1:i+1], rest[:i])
		rest[0] = at
		if k.extend(h, rest[1:], n+1) {
			return true
		}
		copy(rest[:i], rest[1:i+1])
		rest[i] = at
	}
	return false
}

// makes reports whether the model, which makes the call, answers it as in the history.
func (k *checker) makes(s *state, d *Done) bool {
	k.res.Data = k.res.Data[:0]
	s.m.Do(d.Call, &k.res)
	return k.same(s, d, &k.res)
}

// same reports whether d is answered as the model in state s has answered it.
func (k *checker) same(s *state, d *Done, want *call.Result) bool {
	switch {
	case d.want == notedAnswer:
		k.because[s.m.Last] = true
		return true
	case d.want == anyAnswer:
		return true
	case d.want != ownAnswer:
		return s.m.Last == clause.ID(d.want)
	}
	got := d.Result
	if got.Errno == 0 && want.Errno == 0 {
		if !k.on.Renumbers && !s.alias.match(got.File.Ino, want.File.Ino) {
			return false
		}
		got.File.Ino = want.File.Ino
		if d.Call.Op == call.Getdents && !k.on.Renumbers {
			if !s.alias.matchEntries(got.Data, want.Data) {
				return false
			}
			got.Data = want.Data
		}
	}
	if k.on.Same != nil {
		return k.on.Same(d.Call, &got, want, s.m.Last)
	}
	return got.Equal(want)
}

// aliases says which inodes of the model are which of the kernel.
type aliases []struct{ kernel, model uint32 }

// match reports whether two inodes may be the same, and notes that they are.
func (a *aliases) match(kernel, model uint32) bool {
	for _, p := range *a {
		if p.kernel == kernel || p.model == model {
			return p.kernel == kernel && p.model == model
		}
	}
	if kernel != 0 || model != 0 {
		*a = append(*a, struct{ kernel, model uint32 }{kernel, model})
	}
	return true
}

// matchEntries is match for the entries of two directories, and whether they are otherwise equal.
func (a *aliases) matchEntries(kernel, model []byte) bool {
	k, m := (&call.Result{Data: kernel}).Entries(), (&call.Result{Data: model}).Entries()
	if len(k) != len(m) {
		return false
	}
	for i := range k {
		if k[i].Type != m[i].Type || k[i].Name != m[i].Name || !a.match(k[i].Ino, m[i].Ino) {
			return false
		}
	}
	return true
}

// A stepped is one step of a call, as porcupine is given it.
type stepped struct {
	call, step int
	last       bool // the steps that are left are all made
}

// linearizable reports whether the steps of the calls can be put in an order in which the model answers as in the history.
func (k *checker) linearizable(h *History) bool {
	if !h.complete() {
		return false
	}
	var ops []porcupine.Operation
	for i := range h.Calls {
		d := &h.Calls[i]
		n := k.steps(d)
		for j := range n {
			ops = append(ops, porcupine.Operation{
				ClientId: d.Lwp + 1, Input: stepped{i, j, j == n-1}, Call: int64(d.Begin), Return: int64(d.Over),
			})
		}
	}
	return porcupine.CheckOperations(porcupine.Model{
		Init:  func() any { return k.begin(len(h.Calls)) },
		Step:  func(s, in, _ any) (bool, any) { return k.step(h, s.(*state), in.(stepped)) },
		Equal: func(a, b any) bool { return bytes.Equal(a.(*state).key, b.(*state).key) },
		Hash: func(a any) uint64 {
			d := digest(offset)
			d.bytes(a.(*state).key)
			return uint64(d)
		},
	}, ops)
}

// steps is in how many steps a call is made at most: as many as there are names in its paths, with what each link that the program
// makes may add, and some for what else it does. Calls of process 0 are alone.
func (k *checker) steps(d *Done) int {
	if d.Lwp < 0 {
		return 1
	}
	names := func(path string) int { return strings.Count(path, "/") + 1 }
	n := 2 + names(d.Call.Path)
	if d.Call.Op == call.Rename || d.Call.Op == call.Link {
		n += names(d.Call.Path2)
	}
	if d.Call.Op == call.Getcwd {
		n += 8
	}
	for _, list := range append([][]call.Call{k.program.Before}, k.program.Lwps...) {
		for i := range list {
			if list[i].Op == call.Symlink {
				n += names(list[i].Path2)
			}
		}
	}
	return n
}

// begin is the first state of a history of n calls.
func (k *checker) begin(n int) *state {
	s := &state{calls: make([]model.Steps, n), step: make([]int, n), over: make([]bool, n)}
	s.copyFrom(&k.start)
	s.close()
	return s
}

// close ends a change of s.
func (s *state) close() {
	for i := range s.over {
		s.key = binary.AppendUvarint(s.key, uint64(s.step[i]))
	}
	for _, p := range s.alias {
		s.key = binary.AppendUvarint(binary.AppendUvarint(s.key, uint64(p.kernel)), uint64(p.model))
	}
	s.key = s.m.AppendSteps(s.key, s.calls)
}

// step makes a step, if it is the turn of that step. A call that has ended makes empty ones.
func (k *checker) step(h *History, s *state, in stepped) (bool, *state) {
	if s.step[in.call] != in.step {
		return false, s
	}
	t := &state{calls: make([]model.Steps, len(s.calls)), step: slices.Clone(s.step), over: slices.Clone(s.over)}
	t.copyFrom(s)
	for i := range t.calls {
		t.calls[i].CopyFrom(t.m, &s.calls[i])
	}
	t.step[in.call]++
	d := &h.Calls[in.call]
	var res call.Result
	for !t.over[in.call] {
		if t.m.Step(d.Call, &t.calls[in.call], &res) {
			t.over[in.call] = true
			t.calls[in.call] = model.Steps{}
			if !k.same(t, d, &res) {
				return false, s
			}
		}
		if !in.last {
			break
		}
	}
	t.close()
	return true, t
}

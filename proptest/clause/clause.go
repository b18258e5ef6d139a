// Package clause lists what a kernel promises: each way in which each call may be answered has a [Clause] with an ID such
// as mkdir.EEXIST.exists and a sentence. The model names the clause of every answer it gives, so that a run can say what
// it has exercised.
package clause

import (
	"strings"

	"rumpvfs/kern"
	"rumpvfs/proptest/call"
)

// An ID is a clause's number, from 1. Numbers change when clauses are added; what is kept is the name.
type ID uint16

// A Coverage counts the answers by clause.
type Coverage [Max]uint64

// Max is more than there are clauses.
const Max = 1280

// Add adds the counts of d.
func (c *Coverage) Add(d *Coverage) {
	for i, n := range d {
		c[i] += n
	}
}

// Hit returns how many clauses were exercised.
func (c *Coverage) Hit() (n int) {
	for id := range ID(len(all)) {
		if id > 0 && c[id] > 0 {
			n++
		}
	}
	return n
}

// Missing returns the clauses that were not exercised though they can be.
func (c *Coverage) Missing() (ids []ID) {
	for id := ID(1); int(id) < len(all); id++ {
		if c[id] == 0 && all[id].Unreachable == "" {
			ids = append(ids, id)
		}
	}
	return ids
}

// A Clause is one way in which a call may be answered.
type Clause struct {
	Op    call.Op // None for what holds for every call
	Cause Cause
	Errno kern.Errno // 0 of success, of a panic, and of a call that waits
	// Also are other errors that POSIX allows in its place.
	Also []kern.Errno
	// Sentence says when the call is answered so.
	Sentence string
	// Unreachable says why no call is answered so; empty if one can be.
	Unreachable string
}

// Name is the clause's ID: call, error and cause.
func (c *Clause) Name() string {
	op, outcome := "any", "ok"
	if c.Op != call.None {
		op = c.Op.String()
	}
	switch {
	case c.Errno != 0:
		outcome = c.Errno.Name()
	case causes[c.Cause].stop != "":
		outcome = causes[c.Cause].stop
	}
	return op + "." + outcome + "." + causes[c.Cause].name
}

// all holds the clauses by ID, index who has which.
//
//policy:static read only
var all, index = build()

func build() ([]Clause, *[call.NumOps][numCauses]ID) {
	list := make([]Clause, 1, Max)
	var at [call.NumOps][numCauses]ID
	for _, r := range table {
		for _, group := range r.causes {
			for _, cause := range group {
				if at[r.op][cause] != 0 {
					panic("clause: " + r.op.String() + " has twice " + causes[cause].name)
				}
				at[r.op][cause] = ID(len(list))
				list = append(list, r.clause(cause))
			}
		}
	}
	return list, &at
}

// clause makes the clause of a cause in a row of the table.
func (r *row) clause(cause Cause) Clause {
	info := &causes[cause]
	c := Clause{Op: r.op, Cause: cause, Errno: info.errno, Also: info.also, Sentence: info.sentence, Unreachable: info.unreachable}
	for i := range special {
		if s := &special[i]; s.cause == cause && s.covers(r.op) {
			s.apply(&c)
		}
	}
	return c
}

func (s *exception) covers(op call.Op) bool {
	for _, o := range s.ops {
		if o == op {
			return true
		}
	}
	return false
}

func (s *exception) apply(c *Clause) {
	if s.errno != 0 {
		c.Errno, c.Also = s.errno, nil
	}
	if s.also != nil {
		c.Also = s.also
	}
	if s.sentence != "" {
		c.Sentence = s.sentence
	}
	if s.unreachable != "" {
		c.Unreachable = s.unreachable
	}
}

// Of finds the clause by which a call is answered for a cause. A cause that the table does not give the call is a mistake
// of the table, and panics.
func Of(op call.Op, cause Cause) ID {
	if op < call.NumOps {
		if id := index[op][cause]; id != 0 {
			return id
		}
	}
	if id := index[call.None][cause]; id != 0 {
		return id
	}
	panic("clause: " + op.String() + " is not answered because of " + causes[cause].name)
}

// Info describes a clause.
func (id ID) Info() *Clause { return &all[id] }

// Errno is the error that a clause answers, 0 for none.
func (id ID) Errno() kern.Errno { return all[id].Errno }

// Allows reports whether an answer with error e, 0 for none, is as good as the clause's.
func (id ID) Allows(e kern.Errno) bool {
	c := &all[id]
	if e == c.Errno {
		return true
	}
	for _, also := range c.Also {
		if e == also {
			return true
		}
	}
	return false
}

func (id ID) String() string {
	if id == 0 || int(id) >= len(all) {
		return "none"
	}
	return all[id].Name()
}

// All returns every clause in the order of the table. IDs are positions in it, from 1.
func All() []Clause { return all[1:] }

// Named finds a clause by its name, or gives 0.
func Named(name string) ID {
	op, _, _ := strings.Cut(name, ".")
	for id := ID(1); int(id) < len(all); id++ {
		if c := &all[id]; (c.Op.String() == op || op == "any") && c.Name() == name {
			return id
		}
	}
	return 0
}

// Package learn finds the quirks of a kernel. A model that begins as POSIX is compared with a kernel that has them all; each
// difference is made as small as it gets and traced to the quirks without which the kernel would answer otherwise. Those the
// model takes over, so that the next difference shows others.
package learn

import (
	"context"
	"fmt"

	"rumpvfs/hypercall"
	"rumpvfs/kern"
	"rumpvfs/proptest/call"
	"rumpvfs/proptest/driver"
	"rumpvfs/proptest/model"
	"rumpvfs/proptest/repro"
	"rumpvfs/proptest/shrink"
	"rumpvfs/proptest/target"
	"rumpvfs/sim"
)

// A Lesson is what one difference has taught.
type Lesson struct {
	Quirks []kern.Quirk // none: it is no quirk, but a bug of kernel or model
	Case   *repro.Case  // the smallest script, with both answers
	Calls  uint64       // made until it was found
}

// A Learner learns the quirks of rumpfs 1.125.
type Learner struct {
	Known kern.Quirks // those that the model has learned

	seed   uint64
	stream uint64
}

// New makes a learner that knows nothing. The seed is that of the scripts.
func New(seed uint64) *Learner { return &Learner{seed: seed} }

// fewVnodes is how many vnodes a kernel wants that is to forget files that are not in use.
const fewVnodes = "1"

// kernel makes a kernel with quirks. A model that knows all that it can has only the size that a vnode forgets left to
// learn, which takes a kernel with few vnodes, and a deterministic one, so that they go in the same order each time.
func (l *Learner) kernel(quirks kern.Quirks) (call.System, error) {
	c := sim.Config{Without: kern.Rev1125 &^ quirks}
	if l.Known == kern.Rev1125.Without(kern.QuirkSizeForgotten) {
		c.Mode = hypercall.Deterministic
		c.Params = map[string]string{"RUMP_NVNODES": fewVnodes}
	}
	return target.New(c, nil)
}

// Wants reports whether there are quirks of a set left to learn. When of them only the size that a vnode forgets is left,
// the learner takes the others that it has not met for known.
func (l *Learner) Wants(of kern.Quirks) bool {
	if of&^l.Known == kern.Fixed.With(kern.QuirkSizeForgotten) {
		l.Known = kern.Rev1125.Without(kern.QuirkSizeForgotten)
	}
	return of&^l.Known != 0
}

// Next finds the next difference. There is none, nil, if ctx ends before.
func (l *Learner) Next(ctx context.Context) (*Lesson, error) {
	l.stream++
	c := driver.Config{
		Seed: l.seed, Stream: l.stream, Quirks: kern.Rev1125,
		Oracle: func() (call.System, error) { return model.New(model.Config{Quirks: l.Known}), nil },
		System: func() (call.System, error) { return l.kernel(kern.Rev1125) },
	}
	d, err := driver.New(c)
	if err != nil {
		return nil, err
	}
	defer func() { _ = d.Close() }() // what it has left over is a failure, and learned from
	list, err := d.Run(ctx)
	if err != nil || len(list) == 0 {
		return nil, err
	}
	calls := d.Stats.Calls
	small := shrink.Minimize(list[0].Script, d.Like(list[0]))
	f, err := d.Replay(small)
	if err != nil {
		return nil, err
	}
	if f == nil {
		return nil, fmt.Errorf("learn: it does not happen again: %v", list[0])
	}
	lesson := &Lesson{Calls: calls}
	if lesson.Quirks, err = l.causes(f); err != nil {
		return nil, err
	}
	if lesson.Case, err = l.describe(f, lesson.Quirks); err != nil {
		return nil, err
	}
	for _, q := range lesson.Quirks {
		l.Known = l.Known.With(q)
	}
	return lesson, nil
}

// causes finds the quirks without which the kernel would give another answer to the last call.
func (l *Learner) causes(f *driver.Failure) (list []kern.Quirk, err error) {
	for _, q := range kern.AllQuirks() {
		if l.Known.Has(q) {
			continue
		}
		k, err := l.kernel(kern.Rev1125.Without(q))
		if err != nil {
			return nil, err
		}
		var r call.Result
		for i := range f.Script {
			k.Do(&f.Script[i], &r)
		}
		if !r.Equal(&f.Got) {
			list = append(list, q)
		}
		_ = k.Close() // panics too are answers
	}
	return list, nil
}

// describe makes a case of a failure.
func (l *Learner) describe(f *driver.Failure, quirks []kern.Quirk) (*repro.Case, error) {
	k, err := l.kernel(kern.Rev1125)
	if err != nil {
		return nil, err
	}
	defer func() { _ = k.Close() }() // panics too are answers
	name := "no-quirk"
	if len(quirks) > 0 {
		name = quirks[0].String()
	}
	c, err := repro.New(name, f.Script, model.New(model.Config{Quirks: l.Known}), k)
	if err != nil {
		return nil, err
	}
	c.Why, c.FS, c.Quirks = fmt.Sprintf("%v", f.Clause), driver.Rumpfs().Name, l.Known
	return c, nil
}

package meta

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"hash/fnv"
	"maps"
	"slices"

	"rumpvfs/kern"
	"rumpvfs/proptest/call"
	"rumpvfs/proptest/driver"
	"rumpvfs/proptest/gen"
	"rumpvfs/proptest/model"
	"rumpvfs/proptest/shrink"
	"rumpvfs/sim"
)

// Config says what is run.
type Config struct {
	Seed     uint64
	Stream   uint64 // tells runners with one seed apart
	Calls    uint64 // to be made; 0: until the context ends
	Failures int    // that end the run; 0 is 1
	Quirks   kern.Quirks
	Rules    []Rule // nil is all

	FS     driver.FS  // that is tested; the zero FS is rumpfs
	Kernel sim.Config // boots kernels that know it
	Leave  []call.Op  // not to be made
}

// mounts says whether the file system is one that is mounted.
func (c *Config) mounts() bool { return !c.FS.Root && c.FS.Prepare != nil }

// A Failure is a script of which a rule does not hold.
type Failure struct {
	Rule   Rule
	Script []call.Call
	Other  []call.Call // what was made of it, up to where it shows
	Index  int         // of the call in Script
	Want   call.Result // what the call answered
	Got    call.Result // and what stands for it
	Err    error       // of a kernel with a broken invariant, or with something left over
}

// String tells both scripts and where they part.
func (f *Failure) String() string {
	var b bytes.Buffer
	fmt.Fprintf(&b, "rule %s does not hold: %s\n", f.Rule.Name, f.Rule.Sentence)
	for i := range f.Script {
		fmt.Fprintf(&b, "\tp%d %v\n", f.Script[i].Proc, f.Script[i])
	}
	if f.Err != nil {
		fmt.Fprintf(&b, "%v", f.Err)
		return b.String()
	}
	c, o := &f.Script[f.Index], &f.Other[len(f.Other)-1]
	fmt.Fprintf(&b, "\t=> %s\nand %v\n\t=> %s", f.Want.Format(c), o, f.Got.Format(o))
	return b.String()
}

// A Runner makes random scripts and tries rules on them. It is used by one goroutine.
type Runner struct {
	Calls   uint64
	Scripts uint64
	Tried   map[string]uint64 // how often each rule was

	config  Config
	gen     *gen.Gen
	seed    uint64 // of what rules choose
	model   *model.Model
	kernels map[string]call.System
	wrap    func(name string, k call.System) call.System // nil, or what becomes of a kernel that is booted
	script  []call.Call
	want    []call.Result
	got     call.Result
}

// NewRunner makes a runner, which Close ends. Kernels are booted when a rule needs them.
func NewRunner(c Config) *Runner {
	c.Failures = max(c.Failures, 1)
	if c.Rules == nil {
		c.Rules = rules
	}
	return &Runner{
		config: c, gen: gen.New(gen.NewRand(c.Seed, c.Stream), gen.Config{Leave: c.Leave, Fifos: c.FS.Caps.Fifos}), model: c.FS.Model(c.Quirks),
		kernels: map[string]call.System{}, Tried: map[string]uint64{},
	}
}

// Close shuts all kernels down. The error says what they have left over.
func (r *Runner) Close() (err error) {
	for _, name := range slices.Sorted(maps.Keys(r.kernels)) {
		err = errors.Join(err, r.kernels[name].Close())
	}
	return err
}

// Done reports whether the calls that were asked for are made.
func (r *Runner) Done() bool { return r.config.Calls > 0 && r.Calls >= r.config.Calls }

// Run makes scripts until ctx ends, or there are as many calls or failures as were asked for. The error is that of a kernel
// that cannot be had.
func (r *Runner) Run(ctx context.Context) (failures []*Failure, err error) {
	for ctx.Err() == nil && !r.Done() && len(failures) < r.config.Failures {
		r.make()
		f, err := r.tryAll()
		if err != nil {
			return failures, err
		}
		if f != nil {
			failures = append(failures, f)
		}
	}
	return failures, nil
}

// Script tries the rules on a script of somebody else's. There is no failure if all hold. The error is that of a kernel that cannot
// be had.
func (r *Runner) Script(script []call.Call) (*Failure, error) {
	r.script = append(r.script[:0], script...)
	r.seed += otherChoices
	r.Scripts++
	return r.tryAll()
}

// tryAll tries the rules on the script, until one does not hold.
func (r *Runner) tryAll() (*Failure, error) {
	for i := range r.config.Rules {
		f, err := r.try(&r.config.Rules[i])
		if err != nil {
			return nil, err
		}
		if f != nil {
			return r.shrunk(f), nil
		}
	}
	return nil, nil
}

// make makes a script up, as long as the model goes on.
func (r *Runner) make() {
	r.gen.Begin()
	r.seed += otherChoices
	r.script = r.script[:0]
	_ = r.model.Reset()
	var c call.Call
	for range r.gen.Length() {
		r.gen.Next(&c)
		if r.model.Do(&c, &r.got); r.got.Stop == call.Blocked {
			break
		}
		r.gen.Note(&c, &r.got)
		if writable(&c, &r.got) {
			r.script = append(r.script, c)
		}
		if r.got.Stop != call.Running {
			break
		}
	}
	r.Scripts++
}

// writable reports whether a call is one that a script can make: of a process that is there.
func writable(c *call.Call, r *call.Result) bool {
	return r.Errno != kern.ESRCH
}

// try makes the script and what the rule makes of it, and has both kernels check themselves then. There is no failure if the rule holds,
// or does not apply.
func (r *Runner) try(rule *Rule) (*Failure, error) {
	base, err := plainOr(rule.base)(r)
	if err != nil {
		return nil, err
	}
	other, err := plainOr(rule.other)(r)
	if err != nil || other == nil {
		return nil, err
	}
	r.Tried[rule.Name]++
	all := r.script
	defer func() { r.script = all }()
	r.script = slices.DeleteFunc(slices.Clone(all), func(c call.Call) bool { return slices.Contains(rule.leaves, c.Op) })
	if err := base.Reset(); err != nil {
		return &Failure{Rule: *rule, Script: slices.Clone(r.script), Err: err}, r.forget(base)
	}
	r.base(base)
	if err := driver.Invariants(base, nil); err != nil {
		return &Failure{Rule: *rule, Script: slices.Clone(r.script), Err: err}, nil
	}
	if err := other.Reset(); err != nil {
		return &Failure{Rule: *rule, Script: slices.Clone(r.script), Err: err}, r.forget(other)
	}
	f := r.compare(rule, other)
	if f == nil {
		if err := driver.Invariants(other, nil); err != nil {
			f = &Failure{Rule: *rule, Script: slices.Clone(r.script), Err: err}
		}
	}
	return f, nil
}

func plainOr(f func(*Runner) (call.System, error)) func(*Runner) (call.System, error) {
	if f == nil {
		return plain
	}
	return f
}

// forget lets go of a kernel that has something left over.
func (r *Runner) forget(k call.System) error {
	maps.DeleteFunc(r.kernels, func(_ string, o call.System) bool { return o == k })
	return nil
}

// base makes the script as it is.
func (r *Runner) base(k call.System) {
	for len(r.want) < len(r.script) {
		r.want = append(r.want, call.Result{})
	}
	for i := range r.script {
		k.Do(&r.script[i], &r.want[i])
		r.Calls++
	}
}

// compare makes the changed script.
func (r *Runner) compare(rule *Rule, k call.System) *Failure {
	s := &state{model: r.config.FS.Model(r.config.Quirks)}
	var made []call.Call
	for i := range r.script {
		c, want := &r.script[i], &r.want[i]
		list := []call.Call{*c}
		if rule.change != nil {
			s.Source = r.choices(c)
			list = rule.change(s, *c)
			s.model.Do(c, &s.r)
		}
		for n := range list {
			k.Do(&list[n], &r.got)
			r.Calls++
		}
		made = append(made, list...)
		if rule.answer != nil {
			rule.answer(c, &r.got)
		}
		same := want.Equal(&r.got)
		if rule.same != nil {
			same = rule.same(c, want, &r.got)
		}
		if !same {
			return &Failure{Rule: *rule, Script: slices.Clone(r.script[:i+1]), Other: made, Index: i, Want: keep(want), Got: keep(&r.got)}
		}
		if want.Stop != call.Running {
			break
		}
	}
	return nil
}

// choices are what a rule chooses by for a call: the same as long as it is the same call, so that leaving out others does
// not change what becomes of it.
func (r *Runner) choices(c *call.Call) gen.Source {
	h := fnv.New64a()
	fmt.Fprint(h, c.Op, c.FD, c.Path, c.Path2, c.Off)
	return gen.NewRand(r.config.Seed^h.Sum64(), r.seed)
}

// keep copies a result, whose data is used again.
func keep(r *call.Result) call.Result {
	c := *r
	c.Data = bytes.Clone(r.Data)
	return c
}

// shrunk makes the script of a failure as small as it gets.
func (r *Runner) shrunk(f *Failure) *Failure {
	calls, tried, seed := r.Calls, maps.Clone(r.Tried), r.seed
	again := func(script []call.Call) *Failure {
		r.script = append(r.script[:0], script...)
		for r.seed = seed; r.seed < seed+otherChoices; r.seed++ {
			if g, err := r.try(&f.Rule); err == nil && g != nil && g.alike(f) {
				return g
			}
		}
		return nil
	}
	if again(f.Script) != nil {
		if g := again(shrink.Minimize(f.Script, func(s []call.Call) bool { return again(s) != nil })); g != nil {
			f = g
		}
	}
	r.Calls, r.Tried, r.seed = calls, tried, seed // trying again does not count
	return f
}

// otherChoices is how many ways for a rule to choose are tried with a script that might fail.
const otherChoices = 6

// alike reports whether it is the same call that shows two failures.
func (f *Failure) alike(g *Failure) bool {
	if f.Err != nil || g.Err != nil {
		return f.Err != nil && g.Err != nil
	}
	return f.Script[f.Index].Op == g.Script[g.Index].Op
}

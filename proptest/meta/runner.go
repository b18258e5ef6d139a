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
	Other  []call.Call   // what was made of it, up to where it shows
	Index  int           // of the call in Script
	Want   call.Result   // what the call answered
	Got    call.Result   // and what stands for it
	Made   []call.Result // the answers to Other as they were
	Err    error         // of a kernel with a broken invariant, or with something left over

	FS            driver.FS
	Quirks        kern.Quirks
	Seed, Choices uint64 // by which the rule chose, for Replay
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
	fmt.Fprintf(&b, "\t=> %s\nand %v\n\t=> %s", f.Want.Format(c), o, f.got())
	return b.String()
}

// Signature is what failures have in common that are alike: the rule and the call.
func (f *Failure) Signature() string {
	if f.Err != nil {
		return f.Rule.Name + " broken"
	}
	return fmt.Sprintf("%s %v %v %v", f.Rule.Name, f.Script[f.Index].Op, f.Want.Errno, f.Got.Errno)
}

// got is what stands for the answer that is wanted, as text.
func (f *Failure) got() string {
	if f.Rule.text {
		return string(f.Got.Data)
	}
	return f.Got.Format(&f.Other[len(f.Other)-1])
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
	made    []call.Result // by the changed script
	got     call.Result
}

// NewRunner makes a runner, which Close ends. Kernels are booted when a rule needs them.
func NewRunner(c Config) *Runner {
	c.Failures = max(c.Failures, 1)
	if c.FS.Name == "" {
		c.FS = driver.Rumpfs()
	}
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
		f, err := r.Next()
		if err != nil {
			return failures, err
		}
		if f != nil {
			failures = append(failures, r.Shrunk(f))
		}
	}
	return failures, nil
}

// Next makes a random script and tries the rules on it, up to the first that does not hold. There is no failure if all hold.
func (r *Runner) Next() (*Failure, error) {
	r.make()
	return r.tryAll()
}

// Script tries the rules on a script of somebody else's, and makes it small if one does not hold. There is no failure if all hold. The error is
// that of a kernel that cannot be had.
func (r *Runner) Script(script []call.Call) (*Failure, error) {
	r.script = append(r.script[:0], script...)
	r.seed += otherChoices
	r.Scripts++
	f, err := r.tryAll()
	if f != nil {
		f = r.Shrunk(f)
	}
	return f, err
}

// tryAll tries the rules on the script, until one does not hold.
func (r *Runner) tryAll() (*Failure, error) {
	for i := range r.config.Rules {
		if f, err := r.try(&r.config.Rules[i]); f != nil || err != nil {
			return f, err
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
	if f, err := r.begin(rule, base); f != nil || err != nil {
		return f, err
	}
	r.base(base)
	if f := r.checked(rule, base); f != nil {
		return f, nil
	}
	if f, err := r.begin(rule, other); f != nil || err != nil {
		return f, err
	}
	if f := r.compare(rule, other); f != nil {
		return f, nil
	}
	return r.checked(rule, other), nil
}

// begin begins anew with a kernel, or lets go of one that has something left over.
func (r *Runner) begin(rule *Rule, k call.System) (*Failure, error) {
	err := k.Reset()
	if err == nil {
		return nil, nil
	}
	maps.DeleteFunc(r.kernels, func(_ string, o call.System) bool { return o == k })
	f := r.failure(rule, r.script)
	f.Err = err
	return f, nil
}

// checked has a kernel check itself.
func (r *Runner) checked(rule *Rule, k call.System) *Failure {
	err := driver.Invariants(k, nil)
	if err == nil {
		return nil
	}
	f := r.failure(rule, r.script)
	f.Err = err
	return f
}

func (r *Runner) failure(rule *Rule, script []call.Call) *Failure {
	return &Failure{Rule: *rule, Script: slices.Clone(script), FS: r.config.FS, Quirks: r.config.Quirks, Seed: r.config.Seed, Choices: r.seed}
}

func plainOr(f func(*Runner) (call.System, error)) func(*Runner) (call.System, error) {
	if f == nil {
		return plain
	}
	return f
}

// base makes the script as it is.
func (r *Runner) base(k call.System) {
	r.want = room(r.want, len(r.script))
	for i := range r.script {
		k.Do(&r.script[i], &r.want[i])
		r.Calls++
	}
}

// room gives a list of at least n results.
func room(list []call.Result, n int) []call.Result {
	return append(list, make([]call.Result, max(n-len(list), 0))...)
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
		r.made = room(r.made, len(made)+len(list))
		for n := range list {
			k.Do(&list[n], &r.made[len(made)+n])
			r.Calls++
		}
		made = append(made, list...)
		got := r.made[len(made)-1]
		if rule.answer != nil {
			rule.answer(c, &got)
		}
		if !rule.alike(c, want, &got) {
			f := r.failure(rule, r.script[:i+1])
			f.Other, f.Index, f.Want, f.Got = made, i, keep(want), keep(&got)
			for j := range made {
				f.Made = append(f.Made, keep(&r.made[j]))
			}
			return f
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

// Shrunk makes the script of a failure that Next has just found as small as it gets.
func (r *Runner) Shrunk(f *Failure) *Failure {
	calls, tried, seed := r.Calls, maps.Clone(r.Tried), f.Choices
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

package driver

import (
	"context"
	"errors"
	"fmt"
	"runtime/debug"

	"rumpvfs/hypercall"
	"rumpvfs/kern"
	"rumpvfs/proptest/call"
	"rumpvfs/proptest/clause"
	"rumpvfs/proptest/gen"
	"rumpvfs/proptest/model"
)

// Config says what is run.
type Config struct {
	Seed   uint64 // of the scripts
	Stream uint64 // tells drivers with one seed apart
	Calls  uint64 // to be made; 0: until the context ends
	// Failures is how many end the run; 0 is 1.
	Failures int

	FS     FS // the zero FS is Rumpfs
	Quirks kern.Quirks
	Mode   hypercall.Mode
	Gen    gen.Config

	// System makes the system under test; nil is FS.Kernel with Quirks and Mode.
	System func() (call.System, error)
	// Oracle makes what it is compared with; nil is FS.Model. It answers first: a call of which it does not know what comes
	// of it ends the script before, one at which it stops, after it. So does one of which it says that it waits for ever:
	// before, unless it is a model, and the system one that notices such calls as well.
	Oracle func() (call.System, error)
	// Same decides whether got is as good as want; nil is call.Result.Equal. id is the clause of want, 0 if the oracle is
	// no model.
	Same func(c *call.Call, want, got *call.Result, id clause.ID) bool
	// Check looks at the system under test after every call, or if Every is not 0 after so many calls of a script each, and after its
	// last one. What it finds wrong is a failure. Nil does not look.
	Check func(system call.System, c *call.Call) error
	Every int
}

// NewOracle makes the oracle.
func (c *Config) NewOracle() (call.System, error) {
	if c.Oracle != nil {
		return c.Oracle()
	}
	return c.FS.Model(c.Quirks), nil
}

// NewSystem makes the system under test.
func (c *Config) NewSystem() (call.System, error) {
	if c.System != nil {
		return c.System()
	}
	return c.FS.Kernel(c.Quirks, c.Mode)
}

// Stats are the figures of a run.
type Stats struct {
	Calls   uint64
	Scripts uint64
	Checks  uint64 // that Config.Check made
	// Of an oracle that is a model: how often clauses answered, and the states that scripts ended in, each of which the
	// sketch has counted by its hash.
	Coverage clause.Coverage
	States   Sketch
}

// Add adds the figures of another run.
func (s *Stats) Add(o *Stats) {
	s.Calls += o.Calls
	s.Scripts += o.Scripts
	s.Checks += o.Checks
	s.Coverage.Add(&o.Coverage)
	s.States.Add(&o.States)
}

// A Driver makes scripts on an oracle and a system. It is used by one goroutine.
type Driver struct {
	Stats Stats

	config  Config
	oracle  call.System
	model   *model.Model // the oracle, if it is one
	system  call.System
	gen     *gen.Gen
	script  []call.Call // under way
	at      int         // the call under way
	want    call.Result
	got     call.Result
	running bool // neither has stopped
	last    int  // the call after which to check when there are no more, -1 if there is none
	state   []byte

	choosing bool // a call is being made up
}

// New makes a driver, and with it oracle and system.
func New(c Config) (*Driver, error) {
	if c.Same == nil {
		c.Same = func(_ *call.Call, want, got *call.Result, _ clause.ID) bool { return want.Equal(got) }
	}
	c.Failures = max(c.Failures, 1)
	c.Gen.Fifos = c.FS.Caps.Fifos
	d := &Driver{config: c, gen: gen.New(gen.NewRand(c.Seed, c.Stream), c.Gen)}
	var err error
	if d.oracle, err = c.NewOracle(); err != nil {
		return nil, fmt.Errorf("driver: no oracle: %w", err)
	}
	d.model, _ = d.oracle.(*model.Model)
	return d, d.renew()
}

// renew makes a system in place of one that is of no more use.
func (d *Driver) renew() (err error) {
	if d.system, err = d.config.NewSystem(); err != nil {
		err = fmt.Errorf("driver: no system: %w", err)
	}
	return err
}

// Close ends oracle and system. The error says what they have left over.
func (d *Driver) Close() error { return errors.Join(d.system.Close(), d.oracle.Close()) }

// Run makes scripts until ctx ends, there are as many calls as Config.Calls says, or as many failures as Config.Failures.
// The error is that of a system or oracle that cannot be had; what went wrong in them is a failure.
func (d *Driver) Run(ctx context.Context) (failures []*Failure, err error) {
	for ctx.Err() == nil && !d.Done() && len(failures) < d.config.Failures {
		f, err := d.Next()
		if err != nil {
			return failures, err
		}
		if f != nil {
			failures = append(failures, f)
		}
	}
	return failures, nil
}

// Done reports whether the calls that were asked for are made.
func (d *Driver) Done() bool { return d.config.Calls > 0 && d.Stats.Calls >= d.config.Calls }

// Next makes one random script. There is no failure if nothing is wrong.
func (d *Driver) Next() (*Failure, error) {
	d.gen.Begin()
	d.script = d.script[:0]
	return d.run(d.gen.Length(), d.generated)
}

// NextFrom makes one script of a source's choices. One that can be empty, as gen.Bytes can, ends the script when it is.
func (d *Driver) NextFrom(src gen.Source) (*Failure, error) {
	d.gen.Use(src)
	end, _ := src.(interface{ Empty() bool })
	d.gen.Begin()
	d.script = d.script[:0]
	return d.run(d.gen.Length(), func(i int) *Failure {
		if end != nil && end.Empty() {
			d.running = false
			return nil
		}
		return d.generated(i)
	})
}

// generated makes call i of a script up and makes it.
func (d *Driver) generated(int) *Failure {
	d.script = append(d.script, call.Call{})
	c := &d.script[d.at]
	d.choosing = true
	d.gen.Next(c)
	d.choosing = false
	f := d.step(c)
	d.gen.Note(c, &d.want)
	return f
}

// Replay makes the calls of a script.
func (d *Driver) Replay(script []call.Call) (*Failure, error) {
	d.script = append(d.script[:0], script...)
	return d.run(len(script), func(i int) *Failure { return d.step(&d.script[i]) })
}

// Like returns a function that tells whether a script fails as f does, for package shrink: in the same way, and if by a
// difference then in the same call.
func (d *Driver) Like(f *Failure) func([]call.Call) bool {
	op := f.op()
	return func(script []call.Call) bool {
		g, err := d.Replay(script)
		return err == nil && g != nil && g.Kind == f.Kind && g.op() == op
	}
}

// run makes n calls, the last of them the one at which something fails or a system stops, on oracle and system that begin
// anew.
func (d *Driver) run(n int, one func(i int) *Failure) (f *Failure, err error) {
	d.at, d.running, d.last = 0, true, -1
	if err := d.oracle.Reset(); err != nil {
		return nil, fmt.Errorf("driver: no oracle: %w", err)
	}
	f = d.calls(n, one)
	d.Stats.Scripts++
	if d.model != nil {
		d.Stats.Coverage = d.model.Coverage
		d.state = d.model.AppendState(d.state[:0], nil)
		d.Stats.States.Put(hash(d.state))
	}
	left := d.reset()
	if left == nil {
		return f, nil
	}
	if f == nil {
		f = d.failure(Leftover)
		f.Err, f.Index = left, len(f.Script)
	}
	return f, d.renew()
}

// calls makes calls until one fails, and takes a Go panic for a failure.
func (d *Driver) calls(n int, one func(i int) *Failure) (f *Failure) {
	defer func() {
		if v := recover(); v != nil {
			if d.choosing { // it is the source's, which gives no more
				d.choosing = false
				_ = d.reset() // what is left over is found at the end of other scripts
				panic(v)
			}
			f = d.failure(Crash)
			f.Err = fmt.Errorf("%v\n%s", v, debug.Stack())
		}
	}()
	for ; d.at < n && d.running && f == nil; d.at++ {
		f = one(d.at)
		d.Stats.Calls++
	}
	if f == nil && d.last >= 0 {
		d.at = d.last
		f = d.check()
	}
	return f
}

// reset begins anew with the system. The error says what is left over of what was before.
func (d *Driver) reset() (err error) {
	defer func() {
		if v := recover(); v != nil {
			err = fmt.Errorf("%v\n%s", v, debug.Stack())
		}
	}()
	return d.system.Reset()
}

// step makes a call on both and compares.
func (d *Driver) step(c *call.Call) *Failure {
	d.oracle.Do(c, &d.want)
	if d.want.Stop == call.Unknown || d.want.Stop == call.Blocked && (d.model == nil || !call.NoticesWaits(d.system)) {
		d.running = false
		return nil
	}
	d.system.Do(c, &d.got)
	d.running = d.want.Stop == call.Running
	id := clause.ID(0)
	if d.model != nil {
		id = d.model.Last
	}
	if !d.config.Same(c, &d.want, &d.got, id) {
		if d.got.Stop != call.Panic {
			return d.failure(Differs)
		}
		f := d.failure(Panics)
		if s, ok := d.system.(interface{ Err() error }); ok {
			f.Err = s.Err()
			f.Kind = PanicKind(f.Err)
		}
		return f
	}
	d.last = -1
	switch {
	case d.config.Check == nil || !d.running:
	case d.config.Every > 1 && (d.at+1)%d.config.Every > 0:
		d.last = d.at
	default:
		return d.check()
	}
	return nil
}

// check looks at the system after the call under way.
func (d *Driver) check() *Failure {
	d.Stats.Checks++
	if err := d.config.Check(d.system, &d.script[d.at]); err != nil {
		f := d.failure(Invalid)
		f.Err = err
		return f
	}
	return nil
}

// failure describes what is wrong with the call under way.
func (d *Driver) failure(k Kind) *Failure {
	f := &Failure{Kind: k, Index: d.at, Want: keep(&d.want), Got: keep(&d.got)}
	f.Script = append(f.Script, d.script[:min(d.at+1, len(d.script))]...)
	if d.model != nil {
		f.Clause = d.model.Last
	}
	return f
}

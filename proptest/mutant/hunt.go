package mutant

import (
	"context"
	"fmt"
	"slices"
	"strings"

	"rumpvfs/hypercall"
	"rumpvfs/kern"
	"rumpvfs/proptest/call"
	"rumpvfs/proptest/driver"
	"rumpvfs/proptest/repro"
	"rumpvfs/proptest/sched"
	"rumpvfs/proptest/shrink"
)

// A Kill is what came of hunting a mutant.
type Kill struct {
	Mutant  *Mutant
	Tried   uint64          // calls that were made until it was noticed or in vain, of a concurrent mutant schedules
	Failure *driver.Failure // shrunk; nil if nothing was noticed
	Race    *sched.Failure  // the same of a concurrent mutant
	Minimal bool            // no call can be left out, and of a script none made simpler
}

// Killed reports whether the mutant was noticed.
func (k *Kill) Killed() bool { return k.Failure != nil || k.Race != nil }

// How says in a word what gave the mutant away.
func (k *Kill) How() string {
	switch {
	case k.Failure != nil:
		return k.Failure.Kind.String()
	case k.Race != nil:
		return k.Race.Kind.String()
	}
	return "alive"
}

// Hunt makes random calls on a mutant, of a file system that fails if that is what the bug is about, and on the model until
// they differ, or the mutant stops or leaves something over; until calls are made, if that is not 0; or until ctx ends. On a
// concurrent mutant it runs programs under one schedule after the other. The error is that of a kernel that does not boot.
func Hunt(ctx context.Context, m *Mutant, seed, calls uint64) (*Kill, error) {
	if m.Kind == Concurrent {
		return huntRace(ctx, m, seed)
	}
	d, err := m.driver(driver.Config{Seed: seed, Calls: calls, Mode: m.mode()})
	if err != nil {
		return nil, err
	}
	k := &Kill{Mutant: m}
	failures, err := d.Run(ctx)
	k.Tried = d.Stats.Calls
	if len(failures) > 0 {
		k.shrink(d, failures[0])
	}
	_ = d.Close() // a kernel with a bug may leave something over
	return k, err
}

// mode is how kernels with the bug run: as fast as can be, unless a call may wait for ever.
func (m *Mutant) mode() hypercall.Mode {
	if m.Waits || m.Oracle != Model {
		return hypercall.Deterministic
	}
	return hypercall.Native
}

// driver makes calls on mutant and model.
func (m *Mutant) driver(c driver.Config) (*driver.Driver, error) { return driver.New(m.config(c)) }

// config says what calls are made on: the mutant, of a file system that fails if that is what the bug is about, and the model.
func (m *Mutant) config(c driver.Config) driver.Config {
	if m != nil && m.Kind == Fault {
		return faultConfig(m, c)
	}
	c.Quirks, c.FS = kern.Fixed, driver.Rumpfs()
	if m != nil {
		c.FS = m.system()
	}
	c.System = func() (call.System, error) { return New(m, c.FS, Config{Quirks: c.Quirks, Mode: c.Mode}) }
	return c
}

// shrink makes the script that failed small.
func (k *Kill) shrink(d *driver.Driver, f *driver.Failure) {
	fails := d.Like(f)
	script := shrink.Minimize(f.Script, fails)
	k.Minimal = Minimal(script, fails)
	if small, err := d.Replay(script); err == nil && small != nil {
		f = small
	}
	k.Failure = f
}

// Minimal reports whether a script fails, and neither without any one call nor with any one made simpler.
func Minimal(script []call.Call, fails func([]call.Call) bool) bool {
	if !fails(script) {
		return false
	}
	for i := range script {
		if fails(slices.Delete(slices.Clone(script), i, i+1)) {
			return false
		}
		for _, simpler := range shrink.Simpler(script[i]) {
			changed := slices.Clone(script)
			if changed[i] = simpler; fails(changed) {
				return false
			}
		}
	}
	return true
}

// Replay makes the calls of a script on a mutant, or with m nil on a kernel without a bug, and on the model. There is no failure
// if nothing was noticed.
func Replay(m *Mutant, script []call.Call) (*driver.Failure, error) {
	return replay(m.driver, script)
}

// ReplayFaults makes the calls of a script on a mutant, or with m nil on a kernel without a bug, whose file system fails now and
// then, and on the model.
func ReplayFaults(m *Mutant, script []call.Call) (*driver.Failure, error) {
	return replay(func(c driver.Config) (*driver.Driver, error) { return driver.New(faultConfig(m, c)) }, script)
}

func replay(on func(driver.Config) (*driver.Driver, error), script []call.Call) (*driver.Failure, error) {
	d, err := on(driver.Config{Mode: hypercall.Deterministic})
	if err != nil {
		return nil, err
	}
	f, err := d.Replay(script)
	_ = d.Close() // a kernel with a bug may leave something over
	return f, err
}

// Files are the ways to write what gave the mutant away: a script with the answers of the model and of the mutant, or a program of several
// lwps with its schedule.
func (k *Kill) Files() ([]repro.File, error) {
	if k.Race != nil {
		r := Reproducer(k.Mutant)
		r.Again(k.Race, System(k.Mutant))
		return r.Files(), nil
	}
	c, err := k.script()
	if err != nil {
		return nil, err
	}
	return c.Files(), nil
}

func (k *Kill) script() (*repro.Case, error) {
	d := k.Mutant.config(driver.Config{Mode: hypercall.Deterministic})
	oracle, err := d.NewOracle()
	if err != nil {
		return nil, err
	}
	system, err := d.NewSystem()
	if err != nil {
		return nil, err
	}
	r, err := repro.New(k.Mutant.Name, k.Failure.Script, oracle, system)
	if err != nil {
		return nil, err
	}
	r.Why, r.FS, r.Setup, r.Fifofs, r.Quirks = k.Mutant.What, d.FS.Name, d.FS.Setup, d.FS.Caps.Fifos, kern.Fixed
	r.NoTrace = k.Mutant.Kind == Fault
	killers := string(WriteKillers([]Killer{{k.Mutant.Name, r.Script}}))
	r.Test = &repro.Test{
		Imports: []string{"rumpvfs/proptest/mutant"},
		Lines:   strings.Split(strings.TrimSuffix(killers, "\n"), "\n"),
		Body: `killers, err := mutant.ParseKillers(t.Name(), []byte(text))
	if err != nil {
		t.Fatal(err)
	}
	bug, err := mutant.Named(killers[0].Name)
	if err != nil {
		t.Fatal(err)
	}
	failure, err := mutant.Replay(bug, killers[0].Script)
	if failure != nil || err != nil {
		t.Error(failure, err)
	}`,
	}
	_ = system.Close() // a kernel with a bug may leave something over
	return r, nil
}

// Reproducer is what races on a mutant have in common, for package repro.
func Reproducer(m *Mutant) repro.Race {
	return repro.Race{
		Name: m.Name, On: fmt.Sprintf("%s with the bug %s (%s)", m.FS(), m.Name, m.What),
		Command: fmt.Sprintf("rumpvfs schedules --fs %s --mutant %s", m.FS(), m.Name),
		Imports: []string{"rumpvfs/proptest/mutant"},
		System: fmt.Sprintf(`bug, err := mutant.Named(%q)
	if err != nil {
		t.Fatal(err)
	}
	on := mutant.System(bug)`, m.Name),
	}
}

package proptest

import (
	"fmt"
	"slices"

	"rumpvfs/hypercall"
	"rumpvfs/kern"
	"rumpvfs/proptest/call"
	"rumpvfs/proptest/clause"
	"rumpvfs/proptest/driver"
	"rumpvfs/proptest/model"
	"rumpvfs/proptest/sched"
	"rumpvfs/proptest/story"
	"rumpvfs/proptest/target"
	"rumpvfs/sim"
)

// FS is a file system as a target: its name, how it is mounted, and what the model has to know of it.
type FS = driver.FS

// A Target is a file system to be tested: how to boot a kernel that knows it, how to mount it, and what it is not meant to do.
type Target struct {
	// FS is its name, how it is mounted over the root of a kernel, and its capabilities: what the model has to know of it.
	FS
	// Config boots kernels that know the file system (sim.Config.FileSystems). How lwps run, scheduler and hooks are set by the test, and
	// no kernel has a quirk of the reference.
	Config sim.Config
	// Small are other mounts of the file system, with limits that the model knows, so that it runs out of what it has little of.
	Small []FS
	// Leave are calls that are not made.
	Leave []call.Op
	// Deviations are where the file system is known to answer otherwise than the model, and may.
	Deviations []Deviation
	// NoNames says that no names can be made, so that there is nothing for several lwps to meet at.
	NoNames bool
}

// A Deviation is an answer other than the model's that is taken for right.
type Deviation struct {
	Clause string // by which the model answers, such as "rmdir.ENOTEMPTY.not-empty"
	Errno  kern.Errno
	Why    string // a sentence
}

// Built is a file system of the project as a target.
func Built(fs FS) Target {
	t := Target{FS: fs, NoNames: fs.Caps.ReadOnly}
	if fs.Name == driver.Tmpfs().Name {
		t.Small = []FS{driver.SmallTmpfs()}
	}
	return t
}

// told are the calls of a story, less those that are not made. guide is a model of the target. That files have as many names as they
// may is not told: it takes too long.
func (t *Target) told(guide *model.Model, s *story.Story) ([]call.Call, error) {
	calls, err := s.Calls(guide, false)
	return slices.DeleteFunc(calls, func(c call.Call) bool { return slices.Contains(t.Leave, c.Op) }), err
}

// check finds out whether a target makes sense.
func (t *Target) check() (map[clause.ID]kern.Errno, error) {
	if t.Name == "" {
		return nil, fmt.Errorf("proptest: the file system has no name")
	}
	allowed := map[clause.ID]kern.Errno{}
	for _, d := range t.Deviations {
		id := clause.Named(d.Clause)
		if id == 0 {
			return nil, fmt.Errorf("proptest: %s: no clause is called %q", t.Name, d.Clause)
		}
		allowed[id] = d.Errno
	}
	return allowed, nil
}

// config boots kernels of the target.
func (t *Target) config(mode hypercall.Mode) sim.Config {
	c := t.Config
	c.Mode, c.Without, c.CheckLocks = mode, kern.Rev1125, mode == hypercall.Deterministic
	c.Fifofs = c.Fifofs || t.Caps.Fifos
	return c
}

// compared is the model of a target and what has come of comparing it with the kernel.
type compared struct {
	*model.Model
	allowed  map[clause.ID]kern.Errno
	diverged bool      // an answer was another than the model's, and right: from here on there is nothing to compare with
	broken   clause.ID // by which the model gave an answer that was not given
}

// Do answers a call, or says that the script is over.
func (m *compared) Do(c *call.Call, r *call.Result) {
	if m.diverged {
		r.Fail(0)
		r.Stop = call.Blocked
		return
	}
	m.Model.Do(c, r)
}

// Reset begins anew.
func (m *compared) Reset() error {
	m.diverged = false
	return m.Model.Reset()
}

// same decides whether got is as good as want. Which device a file is on is for the kernel to say.
func (m *compared) same(_ *call.Call, want, got *call.Result, _ clause.ID) bool {
	g := *got
	g.File.Dev = want.File.Dev
	if want.Equal(&g) {
		return true
	}
	if e, ok := m.allowed[m.Last]; ok && e == got.Errno && got.Stop == call.Running {
		m.diverged = true
		return true
	}
	m.broken = m.Last
	return false
}

// driver makes calls on a kernel with the target and on the model, and looks at the whole kernel between calls.
func (t *Target) driver(m *compared, c driver.Config) (*driver.Driver, error) {
	c.FS, c.Quirks, c.Same, c.Check = t.FS, kern.Fixed, m.same, driver.Invariants
	c.Gen.Leave = t.Leave
	c.Oracle = func() (call.System, error) { return m, nil }
	c.System = func() (call.System, error) { return target.New(t.config(hypercall.Deterministic), t.Prepare) }
	return driver.New(c)
}

// system is the target for programs of several lwps.
func (t *Target) system(m *compared) *sched.System {
	return &sched.System{
		Name: t.Name,
		Boot: func(s hypercall.Scheduler) (*sim.Kernel, error) {
			c := t.config(hypercall.Deterministic)
			c.Scheduler, c.Hooks = s, &kern.Hooks{Check: true}
			k, err := sim.Boot(c)
			if err == nil && t.Prepare != nil {
				if err = t.Prepare(k.Init()); err != nil {
					_ = k.Shutdown()
				}
			}
			return k, err
		},
		Model: model.Config{Quirks: kern.Fixed, Caps: t.Caps, Tree: t.Tree},
		Same: func(_ *call.Call, got, want *call.Result, because clause.ID) bool {
			g := *got
			g.File.Dev, g.File.Ino = want.File.Dev, want.File.Ino
			e, allowed := m.allowed[because]
			return want.Equal(&g) || allowed && e == got.Errno
		},
	}
}

package mutant

import (
	"rumpvfs/hypercall"
	"rumpvfs/kern"
	"rumpvfs/proptest/call"
	"rumpvfs/proptest/driver"
	"rumpvfs/proptest/target"
	"rumpvfs/sim"
	"rumpvfs/vnode"
)

// Config says how kernels with a bug are booted.
type Config struct {
	Quirks kern.Quirks
	Mode   hypercall.Mode
	Hooks  *kern.Hooks
	Faults bool // the file system fails when Kernel.failing says so
}

// A Kernel is a kernel with a bug, or with none.
type Kernel struct {
	*target.Kernel
	mutant *Mutant
	memory memory

	was, now *vnode.Ops // the file system's vector, and its copy with the bug
	faults   bool
	failing  failing
}

// New boots a kernel with a bug; m nil is one without. Mount is the file system that the bug is in.
func New(m *Mutant, fs driver.FS, c Config) (*Kernel, error) {
	k := &Kernel{mutant: m}
	sc := sim.Config{Mode: c.Mode, Without: kern.Rev1125 &^ c.Quirks, Hooks: c.Hooks, Fifofs: fs.Caps.Fifos,
		CheckLocks: c.Mode == hypercall.Deterministic}
	if m != nil && m.vector != nil || c.Faults {
		sc.Wrap, k.faults = k.wrap, c.Faults
	}
	var err error
	k.Kernel, err = target.New(sc, func(p *sim.Proc) error {
		k.memory = memory{}
		if fs.Prepare == nil {
			return nil
		}
		return fs.Prepare(p)
	})
	return k, err
}

// wrap gives the vector of the file system that the bug is in a copy with the bug, over one that may fail.
func (k *Kernel) wrap(ops *vnode.Ops) *vnode.Ops {
	if k.mutant == nil && ops.Name != "rumpfs" || k.mutant != nil && ops.Name != k.mutant.ops() {
		return ops
	}
	if k.was != ops {
		was := ops
		if k.faults {
			was = k.failing.failable(ops)
		}
		now := *was
		if k.mutant != nil && k.mutant.vector != nil {
			k.mutant.vector(&vector{Ops: &now, was: *was, memory: &k.memory})
		}
		k.was, k.now = ops, &now
	}
	return k.now
}

// Do makes a call.
func (k *Kernel) Do(c *call.Call, r *call.Result) {
	if k.mutant == nil || k.mutant.sysent == nil {
		k.Kernel.Do(c, r)
		return
	}
	k.mutant.sysent(&k.memory, k.Kernel.Do, c, r)
}

package sim

import (
	"errors"
	"strings"

	"rumpvfs/kern"
)

// Check verifies the invariants of the whole kernel: references against the
// counts of vnodes, open files, descriptor tables, directories and mounts;
// that no lock is held; the free lists and all other lists; the tree of each
// file system; pages and buffers; advisory locks. The error names what is
// broken, each invariant with its object. A kernel that has stopped answers
// why, one with a call in progress EBUSY.
//
// It costs some microseconds on a small tree and allocates nothing when
// nothing is broken, so that a fuzzer can call it after every call.
//
// Preconditions: no call begins meanwhile.
func (k *Kernel) Check() (err error) {
	if err := k.K.Dead(); err != nil {
		return err
	}
	defer func() {
		if r := recover(); r != nil {
			err = k.died(r)
		}
	}()
	for _, p := range k.procs {
		if p.calls.Load() != 0 {
			return kern.EBUSY
		}
	}
	if k.checkup == nil {
		l := kern.NewLwp(k.K, nil, "check")
		l.Hooks = nil
		k.checkup = kern.NewCheckup(l, k.countRefs)
	}
	c := k.checkup
	k.V.HoldThreads(c.L)
	defer k.V.LetThreads(c.L)
	k.UVM.HoldDaemon(c.L)
	defer k.UVM.LetDaemon(c.L)
	c.Begin()
	k.check(c)
	if broken := c.End(); len(broken) > 0 {
		return errors.New("broken: " + strings.Join(broken, "; "))
	}
	return nil
}

// countRefs counts the references that processes and layers have.
func (k *Kernel) countRefs(c *kern.Checkup) {
	for _, p := range k.procs {
		p.fd.Count(c, p.name)
		p.cwd.Count(c, p.name)
		for _, m := range p.mapped {
			m.vp.HeldBy(c, "mapping")
		}
	}
	k.V.Count(c)
	k.spec.Count(c)
}

// check verifies each layer, after references were counted.
func (k *Kernel) check(c *kern.Checkup) {
	for _, p := range k.procs {
		p.fd.Check(c, p.name)
		p.cwd.Check(c, p.name)
	}
	k.F.Check(c)
	k.V.Check(c)
	k.spec.Check(c)
	k.Cache.Check(c)
	k.UVM.Check(c)
	if k.Names != nil {
		k.Names.Check(c)
	}
}

package namei

import "rumpvfs/kern"

// Count counts, in a Checkup, one use of cwdi and the references to vnodes
// that it has. who has it.
//
// Preconditions: the kernel is at rest.
func (cwdi *Cwdinfo) Count(c *kern.Checkup, who string) {
	c.Count(&cwdi.refs, who)
	cwdi.Cdir.HeldBy(c, "working directory")
	if cwdi.Rdir != nil {
		cwdi.Rdir.HeldBy(c, "root directory")
	}
	if cwdi.Edir != nil {
		cwdi.Edir.HeldBy(c, "emulation root")
	}
}

// Check verifies cwdi after all uses were counted. who has it.
func (cwdi *Cwdinfo) Check(c *kern.Checkup, who string) {
	if n := c.Counted(&cwdi.refs); n != int(cwdi.refcnt.Load()) {
		c.Miscounted(who, &cwdi.refs, "cwdinfo refcnt %d, but %d uses", cwdi.refcnt.Load(), n)
	}
	if cwdi.lock.Held() {
		c.Brokenf(who, "cwdi_lock is held")
	}
}

package specfs

import "rumpvfs/kern"

// Count verifies, in a Checkup, the advisory locks of devices, for those are
// counted.
//
// Preconditions: the kernel is at rest.
func (s *System) Count(c *kern.Checkup) {
	for _, vnodes := range s.nodes { //policy:unordered each device is on its own
		nodeOf(vnodes[0]).dev.lockf.Check(c, vnodes[0])
	}
}

// Check verifies which vnodes stand for which device, and how often it is
// open through each.
//
// Preconditions: the kernel is at rest.
func (s *System) Check(c *kern.Checkup) {
	s.lock.Enter(c.L)
	defer s.lock.Exit(c.L)
	for key, vnodes := range s.nodes { //policy:unordered each device is on its own
		d := nodeOf(vnodes[0]).dev
		opens := 0
		for _, vp := range vnodes {
			n := nodeOf(vp)
			switch {
			case n.key != key || n.dev != d || vp.Type() != key.t:
				c.Brokenf(vp, "is among the vnodes of another device")
			case n.opencnt < 0 || n.opencnt > 0 && vp.Usecount() == 0:
				c.Brokenf(vp, "unused, but its device is open through it %d times", n.opencnt)
			}
			opens += n.opencnt
		}
		if opens != d.opencnt {
			c.Brokenf(vnodes[0], "the device is open %d times, but through its vnodes %d times", d.opencnt, opens)
		}
		if open := d.bdevvp.Load(); open != nil && nodeOf(open).opencnt == 0 {
			c.Brokenf(open, "is what the device is open through, but not open")
		}
	}
}

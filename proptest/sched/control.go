package sched

import (
	"rumpvfs/hypercall"
)

// A chooser chooses the thread that makes the next step.
type chooser interface {
	choose(c *Control, run []*hypercall.Thread) int
}

// maxSteps is how many steps a run has at most: threads that make more do not come to an end.
const maxSteps = 100_000

// Control is the scheduler of one run. From Begin to End it does as a strategy wants and notes what it did; before and after, the thread that has
// been ready longest goes on.
type Control struct {
	chooser chooser
	watcher hypercall.Watcher // nil: nothing is watched

	on      bool
	endless bool   // has made maxSteps
	steps   []byte // who made each step
	ends    []bool // whether the one before could not go on
	unusual int    // steps up to the last that was not the usual choice
	last    byte   // who made the last step
	hub     string // the thread that prepares the run, and never makes a step of it
	others  []*hypercall.Thread
	kernel  []string // threads of the kernel, by letter
	letters []byte
}

// begin prepares for a run.
func (c *Control) begin(by chooser) {
	*c = Control{
		chooser: by, watcher: c.watcher, steps: c.steps[:0], ends: c.ends[:0], others: c.others[:0],
		kernel: c.kernel[:0], letters: c.letters[:0],
	}
}

// Scheduler is the control as the scheduler of a machine.
func (c *Control) Scheduler() hypercall.Scheduler {
	if c.watcher == nil {
		return c
	}
	return watched{c, c.watcher}
}

// watched is a control with its watcher.
type watched struct {
	*Control
	hypercall.Watcher
}

// Begin begins what is to be explored; the calling thread, whose name is hub, waits for it and is no part of it.
func (c *Control) Begin(hub string) { c.on, c.hub = true, hub }

// End ends it.
func (c *Control) End() { c.on = false }

// Pick implements hypercall.Scheduler.
func (c *Control) Pick(run []*hypercall.Thread) int {
	if !c.on {
		return 0
	}
	for i, t := range run {
		if t.Name() == c.hub && len(run) > 1 {
			return c.pickOther(run, i)
		}
	}
	return c.pick(run)
}

// pickOther is pick without the hub, which is the one at index hub.
func (c *Control) pickOther(run []*hypercall.Thread, hub int) int {
	c.others = append(append(c.others[:0], run[:hub]...), run[hub+1:]...)
	i := c.pick(c.others)
	if i >= hub {
		i++
	}
	return i
}

func (c *Control) pick(run []*hypercall.Thread) int {
	usual := c.usual(run)
	i := usual
	if len(c.steps) < maxSteps {
		i = c.chooser.choose(c, run)
	} else {
		c.endless = true
		i = 0
	}
	c.ends = append(c.ends, len(c.steps) == 0 || c.find(run, c.last) < 0)
	c.last = c.letter(run[i])
	c.steps = append(c.steps, c.last)
	if i != usual {
		c.unusual = len(c.steps)
	}
	return i
}

// usual is the choice that no schedule needs to mention.
func (c *Control) usual(run []*hypercall.Thread) int {
	if len(c.steps) > 0 {
		if i := c.find(run, c.last); i >= 0 {
			return i
		}
	}
	return 0
}

// find is the index of the thread with a letter, or -1.
func (c *Control) find(run []*hypercall.Thread, who byte) int {
	for i := len(run) - 1; i >= 0; i-- {
		if c.letter(run[i]) == who {
			return i
		}
	}
	return -1
}

// letter is the letter of a thread: for an lwp its name, for a thread of the kernel the first of its name that is free.
func (c *Control) letter(t *hypercall.Thread) byte {
	name := t.Name()
	if len(name) == 1 {
		return name[0]
	}
	for i, k := range c.kernel {
		if k == name {
			return c.letters[i]
		}
	}
	free := byte('Z')
	for _, b := range []byte(name) {
		if up := b &^ 0x20; up >= 'A' && up <= 'Z' && !contains(c.letters, up) {
			free = up
			break
		}
	}
	c.kernel, c.letters = append(c.kernel, name), append(c.letters, free)
	return free
}

func contains(list []byte, b byte) bool {
	for _, x := range list {
		if x == b {
			return true
		}
	}
	return false
}

// schedule is what has been done, as briefly as can be.
func (c *Control) schedule() (s Schedule) {
	for i := 0; i < c.unusual; {
		j := i + 1
		for j < len(c.steps) && c.steps[j] == c.steps[i] && j < c.unusual {
			j++
		}
		x := stretch{c.steps[i], j - i}
		if j == len(c.steps) || c.ends[j] || j == c.unusual {
			x.steps = 0
		}
		s.stretches = append(s.stretches, x)
		i = j
	}
	return s
}

package sched

import (
	"errors"
	"fmt"

	"rumpvfs/hypercall"
	"rumpvfs/kern"
	"rumpvfs/proptest/call"
	"rumpvfs/proptest/target"
	"rumpvfs/sim"
	"rumpvfs/vnode"
)

// Boot boots a deterministic kernel whose scheduler is s.
type Boot func(s hypercall.Scheduler) (*sim.Kernel, error)

// A run is one execution of a program.
type run struct {
	program *Program
	control *Control
	history History
}

// execute boots a kernel, runs the program and checks the whole kernel. Then it is shut down if the history is one that known does not
// know, which audits what it leaves, and else powered off. The error is why the kernel stopped, what was broken, or what was left over.
func (r *run) execute(boot Boot, known func() bool) error {
	r.history.reset(len(r.program.Lwps))
	k, err := boot(r.control.Scheduler())
	if err != nil {
		return fmt.Errorf("boot: %w", err)
	}
	if err = r.lwps(k); err == nil {
		err = k.Check()
	}
	if err == nil && known() {
		k.PowerOff()
		return nil
	}
	if e := k.Shutdown(); err == nil {
		err = e
	}
	return err
}

// lwps makes all calls of the program.
func (r *run) lwps(k *sim.Kernel) error {
	t := target.Of(k)
	var res call.Result
	for i := range r.program.Before {
		t.Do(&r.program.Before[i], &res)
	}
	if err := k.Err(); err != nil {
		return err
	}
	r.control.Begin(hubName)
	lwps := make([]*sim.Lwp, len(r.program.Lwps))
	for i, list := range r.program.Lwps {
		if len(list) == 0 {
			continue
		}
		p := t.Proc(list[0].Proc)
		if p == nil {
			return fmt.Errorf("lwp %s: there is no process p%d", lwpName(i), list[0].Proc)
		}
		lwps[i] = p.Go(lwpName(i), func(p *sim.Proc) { r.lwp(i, t.Lwp(list[0].Proc, p)) })
	}
	k.Run()
	for _, lwp := range lwps {
		if lwp == nil {
			continue
		}
		if err := k.Init().Join(lwp); err != nil {
			break
		}
	}
	r.control.End()
	if r.control.endless {
		return fmt.Errorf("no end after %d steps", maxSteps)
	}
	if err := k.Err(); err != nil {
		return err
	}
	for i := range r.program.After {
		c := &r.program.After[i]
		n := r.history.begin(-1, c)
		t.Do(c, &res)
		r.history.over(n, &res)
	}
	return k.Err()
}

// hubName is the thread that makes calls of processes from outside.
const hubName = "main"

// lwp makes the calls of an lwp, until the kernel stops.
func (r *run) lwp(i int, t *target.Kernel) {
	var res call.Result
	list := r.program.Lwps[i]
	for j := range list {
		n := r.history.begin(i, &list[j])
		t.Do(&list[j], &res)
		if res.Stop != call.Running {
			return
		}
		r.history.over(n, &res)
	}
}

// kindOf says what kind of failure an error of execute is.
func kindOf(err error) Kind {
	var blocked hypercall.Blocked
	var panicked *kern.Panic
	switch {
	case errors.As(err, &blocked):
		return Deadlock
	case errors.As(err, new(vnode.Breach)):
		return Contract
	case errors.As(err, new(hypercall.LockReport)):
		return Locks
	case errors.As(err, &panicked):
		return Panic
	}
	return Leftover
}

package vnode

import (
	"fmt"

	"rumpvfs/kern"
)

// maxVnodeArgs is how many vnodes an operation can take.
const maxVnodeArgs = 4

// contract verifies one call of an operation against its descriptor. A breach
// is a kernel panic that names the operation and the vnode.
//
// A vnode's lock is looked at only where its file system follows the locking
// discipline (VV_LOCKSWORK). One that is locked shared cannot be told from
// one that somebody else locked shared, so "not held" means: not exclusively
// by this lwp.
type contract struct {
	excl [maxVnodeArgs]bool // which vnodes the lwp held exclusively on entry
}

// enter verifies what the caller owes.
func (c *contract) enter(l *kern.Lwp, a Args) {
	needVnodes(a)
	eachVnode(a, func(n int, p *ParamDesc, vp *Vnode) {
		if (p.WillPut || p.WillRele) && vp.Usecount() <= 0 {
			breach(a, p, vp, "is to be released and has no reference")
		}
		if p.Interlock != InterlockNone && !vp.Interlock.Owned(l) {
			breach(a, p, vp, "comes without its interlock")
		}
		if vp.locksWork() {
			state := lockState(l, vp)
			c.excl[n] = state == LK_EXCLUSIVE
			verify(a, p, vp, p.LockIn, state, "on entry")
		}
	})
}

// needVnodes verifies that vnodes are there, but for those that need not.
func needVnodes(a Args) {
	n := 0
	for i, d := 0, a.Desc(); i < len(d.Params); i++ {
		p := &d.Params[i]
		if p.Kind != ParamVnode || p.Dir != DirIn {
			continue
		}
		if *a.VnodeArg(n) == nil && p.LockIn != LockIfSet {
			breach(a, p, nil, "is nil")
		}
		n++
	}
}

// leave verifies what the file system owes.
func (c *contract) leave(l *kern.Lwp, a Args, err error) {
	eachVnode(a, func(n int, p *ParamDesc, vp *Vnode) {
		if p.Interlock == InterlockDrop && vp.Interlock.Owned(l) {
			breach(a, p, vp, "still has its interlock held")
		}
		if vp.locksWork() {
			want := p.after(err)
			if want == LockSame {
				want = sameAs(c.excl[n])
			}
			verify(a, p, vp, want, stateAfter(l, p, vp), "on return")
		}
	})
	for i, d := 0, a.Desc(); i < len(d.Params); i++ {
		if p := &d.Params[i]; p.WillMake {
			verifyMade(l, a, p, *a.VnodeResult(), err)
		}
	}
}

// after returns the state that a vnode's lock must have on return.
func (p *ParamDesc) after(err error) LockState {
	if err != nil {
		return p.LockErr
	}
	return p.LockOut
}

func sameAs(excl bool) LockState {
	if excl {
		return LockExclusive
	}
	return LockNotHeld
}

// stateAfter returns how a vnode is locked on return. A vnode whose reference
// went may be gone, and its file system cannot be asked any more.
func stateAfter(l *kern.Lwp, p *ParamDesc, vp *Vnode) int {
	switch {
	case !p.WillPut && !p.WillRele:
		return lockState(l, vp)
	case vp.VLock.WriteHeld(l):
		return LK_EXCLUSIVE
	}
	return 0
}

// lockState asks the vnode's own file system how it is locked. Asking is no
// operation that anybody watches.
func lockState(l *kern.Lwp, vp *Vnode) int {
	a := IslockedArgs{Vp: vp}
	if err := vp.ops().Call(l, &a); err != nil {
		return 0
	}
	return a.State
}

// verify compares a vnode's lock with what the contract wants.
func verify(a Args, p *ParamDesc, vp *Vnode, want LockState, state int, when string) {
	switch want {
	case LockExclusive, LockIfSet:
		if state != LK_EXCLUSIVE {
			breach(a, p, vp, "is not locked exclusively "+when)
		}
	case LockHeld:
		if state == 0 {
			breach(a, p, vp, "is not locked "+when)
		}
	case LockNotHeld:
		if state == LK_EXCLUSIVE && !givenTwice(a, vp) {
			breach(a, p, vp, "is locked "+when)
		}
	}
}

// givenTwice reports whether vp is more than one of the arguments: its lock
// then follows the contract of the one that is locked.
func givenTwice(a Args, vp *Vnode) bool {
	times := 0
	eachVnode(a, func(_ int, _ *ParamDesc, other *Vnode) {
		if other == vp {
			times++
		}
	})
	return times > 1
}

// verifyMade looks at the vnode that an operation was to make or find.
func verifyMade(l *kern.Lwp, a Args, p *ParamDesc, vp *Vnode, err error) {
	switch {
	case err != nil && vp != nil:
		breach(a, p, vp, "comes back along with an error")
	case err == nil && vp == nil:
		breach(a, p, nil, "is nil on success")
	case err == nil && vp.Usecount() <= 0:
		breach(a, p, vp, "comes back without a reference")
	case err == nil && lockedForSure(l, vp):
		breach(a, p, vp, "comes back locked")
	case err == nil && !vp.sized(l):
		breach(a, p, vp, "comes back without a size")
	}
}

// lockedForSure reports whether the operation has locked the vnode that it
// returns: the caller may hold the lock already, but then it has a reference
// of its own too.
func lockedForSure(l *kern.Lwp, vp *Vnode) bool {
	return vp.Usecount() == 1 && vp.locksWork() && lockState(l, vp) == LK_EXCLUSIVE
}

// sized reports whether a vnode knows its size, as every new one must.
func (vp *Vnode) sized(l *kern.Lwp) bool {
	vp.Interlock.Enter(l)
	ok := vp.Size != VSIZENOTSET && vp.WriteSize != VSIZENOTSET
	vp.Interlock.Exit(l)
	return ok
}

// breach stops the kernel: parameter p of an operation is not as promised.
func breach(a Args, p *ParamDesc, vp *Vnode, what string) {
	op, state := a.Desc().Name, ""
	name := p.Name
	if vp != nil {
		name, state = fmt.Sprintf("%s (%s)", p.Name, vp.typeName()), vp.KernelState()
	}
	panic(&kern.Panic{Msg: fmt.Sprintf("%s: %s %s", op, name, what), State: state, Cause: Breach{op}})
}

// A Breach is why a kernel panics in which an operation was called, or has
// returned, otherwise than its descriptor promises.
type Breach struct {
	Op string // such as VOP_LOOKUP
}

func (b Breach) Error() string { return "the contract of " + b.Op + " is broken" }

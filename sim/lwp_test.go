package sim_test

import (
	"testing"

	"rumpvfs/kern"
	"rumpvfs/sim"
)

// Call runs on the vnode level what is no system call, with other credentials,
// and turns a panic into its error.
func TestCall(t *testing.T) {
	k, err := sim.Boot(sim.Config{})
	if err != nil {
		t.Fatal(err)
	}
	p := k.Init().Newlwp()
	who := &kern.Cred{UID: 7, EUID: 7}
	err = p.Call("test", who, func(l *kern.Lwp) error {
		if l.Cred != who || l.Proc.Pid != 1 {
			t.Errorf("credentials %+v, process %d", l.Cred, l.Proc.Pid)
		}
		return kern.EXDEV
	})
	if err != kern.EXDEV {
		t.Error(err)
	}
	err = p.Call("test", nil, func(l *kern.Lwp) error {
		if !l.Cred.IsRoot() {
			t.Errorf("credentials %+v", l.Cred)
		}
		return p.Mkdir("/d", 0o755) // an lwp that is busy gets another
	})
	if err != nil {
		t.Error(err)
	}
	p.Releaselwp()
	if err := k.Shutdown(); err != nil {
		t.Error(err)
	}
	if err := k.Init().Call("test", nil, func(*kern.Lwp) error { return nil }); err != kern.ESRCH {
		t.Errorf("after the shutdown: %v", err)
	}
}

func TestCallPanics(t *testing.T) {
	k, err := sim.Boot(sim.Config{})
	if err != nil {
		t.Fatal(err)
	}
	for range 2 { // this call, and every later one
		err = k.Init().Call("test", nil, func(*kern.Lwp) error {
			kern.Panicf("no way")
			return nil
		})
		if p, ok := err.(*kern.Panic); !ok || p.Msg != "no way" {
			t.Error(err)
		}
	}
	if err := k.Shutdown(); err != nil {
		t.Error(err)
	}
}

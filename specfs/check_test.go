package specfs

import (
	"strings"
	"testing"

	"rumpvfs/hypercall"
	"rumpvfs/kern"
	"rumpvfs/uvm"
	"rumpvfs/vnode"
)

// TestCheckSees breaks what two vnodes of one device say of it: it is named.
func TestCheckSees(t *testing.T) {
	for _, c := range []struct {
		name string
		harm func(l *kern.Lwp, s *System, vps []*vnode.Vnode)
		want string // "" for nothing
	}{
		{"nothing", func(*kern.Lwp, *System, []*vnode.Vnode) {}, ""},
		{"another device", func(_ *kern.Lwp, _ *System, vps []*vnode.Vnode) { nodeOf(vps[1]).key.rdev++ }, "is among the vnodes of another device"},
		{"open and unused", func(l *kern.Lwp, _ *System, vps []*vnode.Vnode) {
			nodeOf(vps[1]).opencnt--
		}, "unused, but its device is open through it -1 times"},
		{"opens", func(_ *kern.Lwp, _ *System, vps []*vnode.Vnode) { nodeOf(vps[0]).dev.opencnt++ },
			"the device is open 1 times, but through its vnodes 0 times"},
		{"open through", func(_ *kern.Lwp, _ *System, vps []*vnode.Vnode) { nodeOf(vps[0]).dev.bdevvp.Store(vps[0]) },
			"is what the device is open through, but not open"},
		{"advisory locks", func(l *kern.Lwp, s *System, vps []*vnode.Vnode) {
			fl := kern.Flock{Type: kern.F_WRLCK}
			_ = nodeOf(vps[0]).dev.lockf.Advlock(l, vps[0], l.Proc, kern.F_SETLK, &fl, kern.F_POSIX, 0)
		}, ""},
	} {
		t.Run(c.name, func(t *testing.T) {
			l, _, s, vps := device(t)
			c.harm(l, s, vps)
			ck := kern.NewCheckup(l, s.Count)
			ck.Begin()
			s.Check(ck)
			broken := strings.Join(ck.End(), "\n")
			if c.want == "" && broken != "" || !strings.Contains(broken, c.want) {
				t.Errorf("broken: %q, want %q", broken, c.want)
			}
		})
	}
}

// TestDestroyLocks: advisory locks of a device go with the last of its vnodes, from the accounts too.
func TestDestroyLocks(t *testing.T) {
	l, v, s, vps := device(t)
	fl := kern.Flock{Type: kern.F_WRLCK}
	if err := nodeOf(vps[0]).dev.lockf.Advlock(l, vps[0], l.Proc, kern.F_SETLK, &fl, kern.F_POSIX, 0); err != nil {
		t.Fatal(err)
	}
	for i, vp := range vps {
		nodeOf(vp).Destroy(l, vp)
		ck := kern.NewCheckup(l, s.Count)
		ck.Begin()
		v.Check(ck)
		if broken := strings.Join(ck.End(), "\n"); strings.Contains(broken, "advisory locks") {
			t.Errorf("after %d of 2: %s", i+1, broken)
		}
	}
}

// device makes two vnodes of a block device.
func device(t *testing.T) (*kern.Lwp, *vnode.System, *System, []*vnode.Vnode) {
	t.Helper()
	k := kern.NewKernel(hypercall.NewSystem(hypercall.Config{}), kern.Fixed)
	l := kern.NewLwp(k, kern.NewProc(k, kern.RootCred()), "test")
	v := vnode.NewSystem(k, uvm.NewSystem(k, uvm.Config{}), vnode.Config{Stepped: true})
	s := New(k, v, nil, nil)
	var vps []*vnode.Vnode
	for range 2 {
		vp, err := v.GetNewVnode(l, vnode.VT_NON, nil, s.Ops(), nil)
		if err != nil {
			t.Fatal(err)
		}
		vp.SetType(vnode.VBLK)
		s.NodeInit(l, vp, kern.Makedev(5, 3))
		vps = append(vps, vp)
	}
	return l, v, s, vps
}

package sim_test

import (
	"testing"

	"rumpvfs/kern"
	"rumpvfs/sim"
)

func TestIDs(t *testing.T) {
	const keep = ^uint32(0)
	ids := func(p *sim.Proc) [6]uint32 {
		c := p.Cred()
		return [6]uint32{c.UID, c.EUID, c.SvUID, c.GID, c.EGID, c.SvGID}
	}
	p := boot(t, sim.Config{}).Init()
	for _, c := range []struct {
		name string
		do   func() error
		err  error
		want [6]uint32
	}{
		{"setgid", func() error { return p.Setgid(5) }, nil, [6]uint32{0, 0, 0, 5, 5, 5}},
		{"setegid", func() error { return p.Setegid(6) }, nil, [6]uint32{0, 0, 0, 5, 6, 5}},
		{"seteuid", func() error { return p.Seteuid(7) }, nil, [6]uint32{0, 7, 0, 5, 6, 5}},
		{"no longer root: setegid", func() error { return p.Setegid(9) }, kern.EPERM, [6]uint32{0, 7, 0, 5, 6, 5}},
		{"back to the saved group", func() error { return p.Setegid(5) }, nil, [6]uint32{0, 7, 0, 5, 5, 5}},
		{"setgid to a foreign one", func() error { return p.Setgid(6) }, kern.EPERM, [6]uint32{0, 7, 0, 5, 5, 5}},
		{"setgid, the same", func() error { return p.Setgid(5) }, nil, [6]uint32{0, 7, 0, 5, 5, 5}},
		{"setgid, as it is", func() error { return p.Setgid(keep) }, nil, [6]uint32{0, 7, 0, 5, 5, 5}},
		{"setegid, as it is", func() error { return p.Setegid(keep) }, nil, [6]uint32{0, 7, 0, 5, 5, 5}},
		{"seteuid, a foreign one", func() error { return p.Seteuid(8) }, kern.EPERM, [6]uint32{0, 7, 0, 5, 5, 5}},
		{"seteuid, as it is", func() error { return p.Seteuid(keep) }, nil, [6]uint32{0, 7, 0, 5, 5, 5}},
		{"seteuid, the real one", func() error { return p.Seteuid(0) }, nil, [6]uint32{0, 0, 0, 5, 5, 5}},
		{"setuid", func() error { return p.Setuid(7) }, nil, [6]uint32{7, 7, 7, 5, 5, 5}},
		{"setuid, no way back", func() error { return p.Setuid(0) }, kern.EPERM, [6]uint32{7, 7, 7, 5, 5, 5}},
		{"seteuid, no way back", func() error { return p.Seteuid(0) }, kern.EPERM, [6]uint32{7, 7, 7, 5, 5, 5}},
		{"setuid, the same", func() error { return p.Setuid(7) }, nil, [6]uint32{7, 7, 7, 5, 5, 5}},
		{"setuid, as it is", func() error { return p.Setuid(keep) }, nil, [6]uint32{7, 7, 7, 5, 5, 5}},
		{"setgroups", func() error { return p.Setgroups(1) }, kern.EPERM, [6]uint32{7, 7, 7, 5, 5, 5}},
	} {
		check(t, c.name, c.do(), c.err)
		wants(t, c.name, ids(p), c.want)
	}
}

func TestSetgroups(t *testing.T) {
	p := boot(t, sim.Config{}).Init()
	check(t, "17", p.Setgroups(make([]uint32, kern.NGROUPS+1)...), kern.EINVAL)
	check(t, "16", p.Setgroups(make([]uint32, kern.NGROUPS)...), nil)
	groups := []uint32{3, 4}
	ok(t, p.Setgroups(groups...))
	groups[0] = 99
	wants(t, "the kernel's copy", p.Cred().IsMember(3), true)
	ok(t, p.Mkdir("/d", 0o750))
	ok(t, p.Chown("/d", 1, 4))
	child := value[*sim.Proc](t)(p.Rfork(sim.RUMP_RFFDG))
	ok(t, child.Setuid(7))
	check(t, "by a supplementary group", child.Access("/d", kern.X_OK), nil)
	ok(t, p.Setgroups())
	check(t, "the child keeps its own", child.Access("/d", kern.X_OK), nil)
	other := value[*sim.Proc](t)(p.Rfork(sim.RUMP_RFFDG))
	ok(t, other.Setuid(7))
	check(t, "without it", other.Access("/d", kern.X_OK), kern.EACCES)
}

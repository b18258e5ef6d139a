package sim_test

import (
	"testing"

	"rumpvfs/kern"
	"rumpvfs/sim"
)

func TestStatvfs(t *testing.T) {
	p := boot(t, sim.Config{}).Init()
	fd := create(t, p, "/f", "")
	for _, flags := range []int{kern.MNT_WAIT, kern.MNT_NOWAIT, kern.MNT_LAZY, 0, -1} {
		sb := value[kern.Statvfs](t)(p.Statvfs1("/tmp", flags))
		wants(t, "type", sb.Fstypename, "rumpfs")
		wants(t, "on", sb.Mntonname, "/")
		wants(t, "names", sb.Namemax, 255)
		f := value[kern.Statvfs](t)(p.Fstatvfs1(fd, flags))
		wants(t, "fstatvfs1", f, sb)
		list, err := p.Getvfsstat(flags)
		ok(t, err)
		if len(list) != 1 || list[0] != sb {
			t.Errorf("getvfsstat: %v, want [%v]", list, sb)
		}
	}
	_, err := p.Statvfs1("/none", kern.MNT_WAIT)
	check(t, "not there", err, kern.ENOENT)
	_, err = p.Fstatvfs1(99, kern.MNT_WAIT)
	check(t, "not open", err, kern.EBADF)
	_, err = p.Fstatvfs1(1, kern.MNT_WAIT)
	check(t, "the console", err, kern.EINVAL)
}

// TestStatvfsInJail: what is mounted outside is shown as mounted on "/".
func TestStatvfsInJail(t *testing.T) {
	p := boot(t, sim.Config{}).Init()
	ok(t, p.Mkdir("/jail", 0o755))
	child := value[*sim.Proc](t)(p.Rfork(sim.RUMP_RFFDG))
	ok(t, child.Chroot("/jail"))
	wants(t, "on", value[kern.Statvfs](t)(child.Statvfs1("/", kern.MNT_WAIT)).Mntonname, "/")
	list, err := child.Getvfsstat(kern.MNT_WAIT)
	ok(t, err)
	wants(t, "a root is made up", len(list), 1)
	// A root that was removed has no path.
	ok(t, p.Rmdir("/jail"))
	_, err = child.Statvfs1("/", kern.MNT_WAIT)
	check(t, "statvfs1", err, kern.ENOENT)
	_, err = child.Getvfsstat(kern.MNT_WAIT)
	check(t, "getvfsstat", err, kern.ENOENT)
}

func TestGetfh(t *testing.T) {
	p := boot(t, sim.Config{}).Init()
	_, err := p.Getfh("/")
	check(t, "rumpfs has no handles", err, kern.EOPNOTSUPP)
	_, err = p.Getfh("/none")
	check(t, "not there", err, kern.ENOENT)
	ok(t, p.Setuid(7))
	_, err = p.Getfh(sim.NullPath)
	check(t, "not root", err, kern.EPERM)
}

package vfs_test

import (
	"errors"
	"strings"
	"testing"

	"rumpvfs/kern"
	"rumpvfs/namei"
	"rumpvfs/sim"
	"rumpvfs/vfs"
	"rumpvfs/vnode"
)

// moodyfs is rumpfs with moods: it fails when it is told to, and writes down
// when it is synced.
type moodyfs struct {
	vnode.VFSOps
	mount, unmount, start, root, extattr error
	mounting                             func() // called while it is being mounted
	args                                 string // what MNT_GETARGS gives
	log                                  []string
}

func (fs *moodyfs) Name() string { return "moodyfs" }

func (fs *moodyfs) Mount(l *kern.Lwp, mp *vnode.Mount, path string, data any) error {
	if s, ok := data.(*string); ok && mp.Flag()&kern.MNT_GETARGS != 0 {
		*s = fs.args
	}
	if fs.mount != nil {
		return fs.mount
	}
	if fs.mounting != nil {
		fs.mounting()
	}
	return fs.VFSOps.Mount(l, mp, path, data)
}

func (fs *moodyfs) Unmount(l *kern.Lwp, mp *vnode.Mount, flags int) error {
	if fs.unmount != nil {
		return fs.unmount
	}
	return fs.VFSOps.Unmount(l, mp, flags)
}

func (fs *moodyfs) Start(*kern.Lwp, *vnode.Mount, int) error { return fs.start }

func (fs *moodyfs) Root(l *kern.Lwp, mp *vnode.Mount) (*vnode.Vnode, error) {
	if fs.root != nil {
		return nil, fs.root
	}
	return fs.VFSOps.Root(l, mp)
}

func (fs *moodyfs) Extattrctl(*kern.Lwp, *vnode.Mount, int) error { return fs.extattr }

func (fs *moodyfs) Sync(_ *kern.Lwp, mp *vnode.Mount, waitfor int, _ *kern.Cred) error {
	fs.log = append(fs.log, [...]string{"", "wait", "nowait", "lazy"}[waitfor])
	return nil
}

func (fs *moodyfs) told() string {
	s := strings.Join(fs.log, " ")
	fs.log = nil
	return s
}

// moody boots a kernel that knows a moodyfs and has a directory /m.
func moody(t *testing.T, c sim.Config) (*table, *moodyfs) {
	t.Helper()
	tb := newTable(t, c)
	fs := &moodyfs{VFSOps: tb.k.V.GetOpsByName(tb.l, "rumpfs")}
	tb.k.V.DelRef(tb.l, fs.VFSOps)
	tb.must(tb.k.V.Attach(tb.l, fs))
	tb.must(tb.k.Init().Mkdir("/m", 0o755))
	return tb, fs
}

// mountpoint is the mount whose root path leads to, without a reference.
func (t *table) mountpoint(path string) *vnode.Mount {
	t.Helper()
	vp, err := namei.Simple(t.l, path, namei.NSM_FOLLOW_NOEMULROOT)
	t.must(err)
	defer vp.Rele(t.l)
	return vp.Mount()
}

// refs are the references to the directory /m when nothing is mounted on it.
func (t *table) refs() int {
	t.Helper()
	vp, err := namei.Simple(t.l, "/m", namei.NSM_FOLLOW_NOEMULROOT)
	t.must(err)
	defer vp.Rele(t.l)
	return vp.Usecount() - 1
}

func TestMountFails(t *testing.T) {
	for _, c := range []struct {
		name string
		set  func(tb *table, fs *moodyfs)
		want error
	}{
		{"the file system refuses", func(_ *table, fs *moodyfs) { fs.mount = kern.EIO }, kern.EIO},
		{"the directory goes", func(tb *table, fs *moodyfs) {
			fs.mounting = func() { tb.must(tb.k.Init().Rmdir("/m")) }
		}, kern.ENOENT},
		{"another mount is faster", func(tb *table, fs *moodyfs) {
			fs.mounting = func() { tb.must(tb.k.Init().Mount("rumpfs", "/m", 0, nil)) }
		}, kern.EINVAL},
	} {
		t.Run(c.name, func(t *testing.T) {
			tb, fs := moody(t, sim.Config{})
			p := tb.k.Init()
			c.set(tb, fs)
			tb.want("mount", p.Mount("moodyfs", "/m", 0, nil), c.want)
			fs.mount, fs.mounting = nil, nil
			_ = p.Mkdir("/m", 0o755)
			if p.Unmount("/m", 0) == nil {
				t.Log("the other one is still there")
			}
			tb.want("references to the directory", tb.refs(), 0)
			tb.must(tb.k.V.Detach(tb.l, fs)) // the type has no references
		})
	}
}

// A file system that cannot take back its mounting stops the kernel.
func TestMountCannotUnmount(t *testing.T) {
	tb, fs := moody(t, sim.Config{})
	fs.mounting = func() { tb.must(tb.k.Init().Rmdir("/m")) }
	fs.unmount = kern.EBUSY
	err := tb.k.Init().Mount("moodyfs", "/m", 0, nil)
	if p := (*kern.Panic)(nil); !errors.As(err, &p) || !strings.Contains(p.Msg, "Unmounting fresh file system failed") {
		t.Errorf("%v", err)
	}
}

func TestLostMount(t *testing.T) {
	tb, fs := moody(t, sim.Config{})
	p := tb.k.Init()
	fs.root = kern.EIO
	tb.must(p.Mount("moodyfs", "/m", 0, nil)) // nobody is there
	fs.root = nil
	tb.must(p.Unmount("/m", 0))
	tb.must(p.Chdir("/m"))
	fs.root = kern.EIO
	err := p.Mount("moodyfs", ".", 0, nil)
	if p := (*kern.Panic)(nil); !errors.As(err, &p) || p.Msg != "mount: lost mount" {
		t.Errorf("%v", err)
	}
}

// What fails to start is mounted nevertheless.
func TestMountStartFails(t *testing.T) {
	tb, fs := moody(t, sim.Config{})
	p := tb.k.Init()
	fs.start = kern.EIO
	tb.want("mount", p.Mount("moodyfs", "/m", 0, nil), kern.EIO)
	tb.want("mounts", len(tb.k.V.Mounts(tb.l)), 2)
	tb.must(p.Unmount("/m", 0))
	tb.want("references to the directory", tb.refs(), 0)
}

func TestUpdate(t *testing.T) {
	tb, fs := moody(t, sim.Config{})
	p := tb.k.Init()
	tb.must(p.Mount("moodyfs", "/m", kern.MNT_NOATIME, nil))
	mp := tb.mountpoint("/m")
	const local = kern.MNT_LOCAL
	update := func(what string, flags int, want error, after uint32) {
		t.Helper()
		tb.want(what, p.Mount("ignored", "/m", kern.MNT_UPDATE|flags, nil), want)
		tb.want(what+": flags", mp.Flag(), after)
		tb.want(what+": wants to write", mp.Iflag()&kern.IMNT_WANTRDWR, uint32(0))
		tb.want(what+": has a syncer", mp.Syncer != nil, after&(kern.MNT_RDONLY|kern.MNT_ASYNC) == 0)
	}
	update("others", kern.MNT_NODEV, nil, local|kern.MNT_NODEV)
	fs.mount = kern.EIO
	update("refused", kern.MNT_RDONLY, kern.EIO, local|kern.MNT_NODEV)
	fs.mount = nil
	mp.ClearIflag(kern.IMNT_CAN_RWTORO)
	update("cannot", kern.MNT_RDONLY, kern.EOPNOTSUPP, local|kern.MNT_NODEV)
	update("cannot reload", kern.MNT_RELOAD, kern.EOPNOTSUPP, local|kern.MNT_NODEV)
	mp.SetIflag(kern.IMNT_CAN_RWTORO)
	update("read-only", kern.MNT_RDONLY, nil, local|kern.MNT_RDONLY)
	mp.ClearIflag(kern.IMNT_CAN_RWTORO)
	update("reload", kern.MNT_RDONLY|kern.MNT_RELOAD, nil, local|kern.MNT_RDONLY)
	fs.mount = kern.EIO
	update("refused to be written", 0, kern.EIO, local|kern.MNT_RDONLY)
	fs.mount = nil
	update("asynchronous", kern.MNT_ASYNC, nil, local|kern.MNT_ASYNC)
	update("back", 0, nil, local)
	root, err := namei.Simple(tb.l, "/m", namei.NSM_FOLLOW_NOEMULROOT)
	tb.must(err)
	mp.SetIflag(kern.IMNT_GONE)
	tb.want("unmounted meanwhile", tb.k.F.Update(tb.l, root, "/m", kern.MNT_UPDATE, nil), kern.EPERM)
	tb.want("unmounted meanwhile", tb.k.F.Getargs(tb.l, root, "/m", kern.MNT_GETARGS, nil), kern.EPERM)
	mp.ClearIflag(kern.IMNT_GONE)
	root.Rele(tb.l)
	tb.must(p.Unmount("/m", 0))
}

func TestGetargs(t *testing.T) {
	tb, fs := moody(t, sim.Config{})
	p := tb.k.Init()
	tb.must(p.Mount("moodyfs", "/m", 0, nil))
	tb.must(p.Mkdir("/m/d", 0o755))
	fs.args = "as it was"
	var got string
	tb.must(p.Mount("", "/m", kern.MNT_GETARGS, &got))
	tb.want("arguments", got, "as it was")
	tb.want("flags afterwards", tb.mountpoint("/m").Flag(), uint32(kern.MNT_LOCAL))
	tb.want("no root", p.Mount("", "/m/d", kern.MNT_GETARGS, &got), kern.EINVAL)
	tb.want("with another flag", p.Mount("", "/m", kern.MNT_GETARGS|kern.MNT_UPDATE, &got), kern.EINVAL)
	tb.must(p.Unmount("/m", 0))
}

func TestExtattr(t *testing.T) {
	tb, fs := moody(t, sim.Config{})
	p := tb.k.Init()
	const local, ext = uint32(kern.MNT_LOCAL), uint32(kern.MNT_EXTATTR)
	tb.must(p.Mount("moodyfs", "/m", kern.MNT_EXTATTR, nil))
	mp := tb.mountpoint("/m")
	tb.want("mounted with", mp.Flag(), local|ext)
	tb.must(p.Mount("", "/m", kern.MNT_UPDATE, nil))
	tb.want("without", mp.Flag(), local)
	tb.must(p.Mount("", "/m", kern.MNT_UPDATE|kern.MNT_EXTATTR, nil))
	tb.want("with", mp.Flag(), local|ext)
	fs.extattr = kern.EIO
	tb.must(p.Mount("", "/m", kern.MNT_UPDATE|kern.MNT_EXTATTR, nil))
	tb.want("no change", mp.Flag(), local|ext)
	tb.must(p.Unmount("/m", 0))
	tb.want("mount", p.Mount("moodyfs", "/m", kern.MNT_EXTATTR, nil), kern.EIO)
	tb.want("and yet", tb.mountpoint("/m").Flag(), local|ext)
	tb.must(p.Unmount("/m", 0))
}

// The syncer comes to a file system that is written to in its own time, and
// to no other; not while it is frozen, and not after the end.
func TestSyncer(t *testing.T) {
	tb, fs := moody(t, sim.Config{Stepped: true})
	p := tb.k.Init()
	run := func(seconds int) {
		for range seconds {
			tb.k.V.SyncerStep(tb.l)
		}
	}
	tb.must(p.Mount("moodyfs", "/m", 0, nil))
	run(16)
	tb.want("too early", fs.told(), "")
	run(1)
	tb.want("after 16 seconds", fs.told(), "lazy")
	run(vnode.Syncdelay)
	tb.want("before Syncdelay", fs.told(), "")
	run(1)
	tb.want("after Syncdelay", fs.told(), "lazy")
	syncvp := tb.mountpoint("/m").Syncer
	_ = syncvp.Lock(tb.l, vnode.LK_EXCLUSIVE)
	tb.must(vnode.VOP_FSYNC(tb.l, syncvp, tb.l.Cred, vnode.FSYNC_WAIT, 0, 0))
	_ = vnode.VOP_UNLOCK(tb.l, syncvp)
	tb.must(vnode.VOP_PRINT(tb.l, syncvp))
	syncvp.Ref(tb.l)
	tb.want("not the syncer", fs.told(), "")
	tb.must(p.Sync())
	tb.want("sync(2)", fs.told(), "nowait")

	tb.must(p.Mount("", "/m", kern.MNT_UPDATE|kern.MNT_RDONLY, nil))
	tb.want("the syncer's vnode", syncvp.Mount(), tb.k.V.DeadMount)
	syncvp.Rele(tb.l)
	run(100)
	tb.must(p.Sync())
	tb.want("read-only", fs.told(), "")
	tb.must(p.Mount("", "/m", kern.MNT_UPDATE, nil))
	run(33)
	tb.want("again", fs.told(), "lazy")
	fs.unmount = kern.EBUSY
	tb.want("unmount", p.Unmount("/m", 0), kern.EBUSY)
	tb.want("unmount", fs.told(), "wait")
	fs.unmount = nil
	run(33)
	tb.want("still mounted", fs.told(), "lazy")
	tb.must(p.Unmount("/m", 0))
	tb.want("unmount", fs.told(), "wait")
	run(100)
	tb.want("unmounted", fs.told(), "")
}

// Two lwps mount over the root at once: one above the other, or one is told
// that it came second.
func TestMountOverRootRace(t *testing.T) {
	seen := map[error]bool{}
	seeds(t, 100, func(t *testing.T, c sim.Config) {
		tb := newTable(t, c)
		var lwps []*sim.Lwp
		mounted := 0
		for range 2 {
			lwps = append(lwps, tb.k.Init().Go("mounter", func(p *sim.Proc) {
				err := p.Mount("rumpfs", "/", 0, nil)
				if seen[err] = true; err == nil {
					mounted++
				}
			}))
		}
		for _, lwp := range lwps {
			tb.must(tb.k.Init().Join(lwp))
		}
		tb.want("mounts", len(tb.k.V.Mounts(tb.l)), mounted+1)
	})
	for _, err := range []error{nil, kern.EBUSY} {
		if !seen[err] {
			t.Errorf("nobody got %v", err)
		}
	}
}

// Shutdown writes out and unmounts everything, by force if it is told to.
func TestShutdown(t *testing.T) {
	tb, fs := moody(t, sim.Config{})
	p := tb.k.Init()
	tb.must(p.Mount("moodyfs", "/m", 0, nil))
	fd, err := p.Open("/m/f", kern.O_RDWR|kern.O_CREAT, 0o644)
	tb.must(err)
	fs.told()
	tb.want("in use", vfs.Shutdown(tb.l, tb.k.V, 0), kern.EBUSY)
	tb.want("asked", fs.told(), "nowait wait")
	tb.must(vfs.Shutdown(tb.l, tb.k.V, kern.MNT_FORCE))
	tb.want("mounts", len(tb.k.V.Mounts(tb.l)), 0)
	_, err = p.Write(fd, []byte("x"))
	tb.want("write", err, kern.EIO)
	tb.must(p.Close(fd))
}

// What only the superuser may do, and what only roots of mounts are for.
func TestMountPermission(t *testing.T) {
	tb, fs := moody(t, sim.Config{})
	p := tb.k.Init()
	tb.must(p.Mount("moodyfs", "/m", 0, nil))
	tb.must(p.Mkdir("/d", 0o777))
	q, err := p.Rfork(sim.RUMP_RFCFDG)
	tb.must(err)
	tb.must(q.Setuid(1))
	tb.want("mount", q.Mount("moodyfs", "/d", 0, nil), kern.EPERM)
	tb.want("update", q.Mount("", "/m", kern.MNT_UPDATE, nil), kern.EPERM)
	tb.want("update of no root", q.Mount("", "/d", kern.MNT_UPDATE, nil), kern.EINVAL)
	tb.want("getargs", q.Mount("", "/m", kern.MNT_GETARGS, new(string)), kern.EPERM)
	tb.want("unmount", q.Unmount("/m", 0), kern.EPERM)
	tb.want("a file", p.Mount("moodyfs", "/dev/null", 0, nil), kern.ENOTDIR)
	tb.want("exported", p.Mount("moodyfs", "/d", kern.MNT_EXPORTED, nil), kern.EINVAL)
	tb.want("too much data", p.Mount("moodyfs", "/d", 0, make(vnode.MountData, kern.VFS_MAX_MOUNT_DATA+1)), kern.EINVAL)
	tb.want("no data", p.Mount("moodyfs", "/d", 0, vnode.MountData{}), kern.EINVAL)
	tb.must(p.Mount("", "/m", kern.MNT_UPDATE, vnode.MountData{}))
	tb.must(q.Exit())
	tb.must(p.Unmount("/m", 0))
	tb.must(tb.k.V.Detach(tb.l, fs))
}

// Without the quirks there is nothing that panics.
func TestMountFixed(t *testing.T) {
	tb, fs := moody(t, sim.Config{Without: kern.Rev1125})
	p := tb.k.Init()
	fs.extattr = kern.EOPNOTSUPP
	tb.must(p.Mount("moodyfs", "/m", kern.MNT_EXTATTR, nil))
	tb.want("without extended attributes", tb.mountpoint("/m").Flag(), uint32(kern.MNT_LOCAL))
	fd, err := p.Open("/m", kern.O_RDONLY, 0)
	tb.must(err)
	tb.must(p.Unmount("/m", kern.MNT_FORCE))
	_, err = p.Fstatvfs1(fd, kern.ST_WAIT)
	tb.want("statvfs", err, kern.EBADF)
	tb.must(p.Close(fd))
	tb.must(p.Mount("rumpfs", "/", kern.MNT_UPDATE|kern.MNT_UNION, nil))
	fd, err = p.Open("/dev/..", kern.O_RDONLY, 0)
	tb.must(err)
	buf := make([]byte, 512)
	for _, want := range []bool{true, false, false} {
		n, err := p.Getdents(fd, buf)
		tb.must(err)
		tb.want("entries", n > 0, want)
	}
	tb.must(p.Close(fd))
	tb.must(p.Mount("rumpfs", "/", 0, nil))
	tb.must(p.Unmount("/", kern.MNT_FORCE))
	_, err = p.Getfh("/")
	tb.want("getfh", err, kern.EBADF)
}

// The reference panics there.
func TestDeadFSUsed(t *testing.T) {
	tb, _ := moody(t, sim.Config{})
	p := tb.k.Init()
	tb.must(p.Mount("moodyfs", "/m", 0, nil))
	fd, err := p.Open("/m", kern.O_RDONLY, 0)
	tb.must(err)
	tb.must(p.Unmount("/m", kern.MNT_FORCE))
	_, err = p.Fstatvfs1(fd, kern.ST_WAIT)
	if p := (*kern.Panic)(nil); !errors.As(err, &p) || p.Msg != "dead fs operation used" {
		t.Errorf("%v", err)
	}
}

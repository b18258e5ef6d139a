package rumpfs

import (
	"fmt"
	"strings"
	"testing"

	"rumpvfs/hypercall"
	"rumpvfs/kern"
	"rumpvfs/namei"
	"rumpvfs/vnode"
)

func TestMountroot(t *testing.T) {
	m := boot(t, config{quirks: kern.Rev1125})
	var sb kern.Statvfs
	wantErr(t, "statvfs", vnode.VFS_STATVFS(m.l, m.mp, &sb), nil)
	if sb.Fstypename != "rumpfs" || sb.Mntonname != "/" || sb.Mntfromname != "rumpfs" || sb.Namemax != 255 || sb.Blocks != 2 || sb.Iosize != 512 {
		t.Errorf("%+v", sb)
	}
	if f := m.mp.Flag(); f&kern.MNT_RDONLY != 0 || f&kern.MNT_LOCAL == 0 {
		t.Errorf("flags %#x", f)
	}
	if m.root.Vflag()&vnode.VV_ROOT == 0 {
		t.Error("the root does not know that it is one")
	}
	_, err := vnode.VFS_VGET(m.l, m.mp, 3)
	wantErr(t, "vget", err, kern.EOPNOTSUPP)
	_, err = vnode.VFS_VPTOFH(m.l, m.root)
	wantErr(t, "vptofh", err, kern.EOPNOTSUPP)
	_, err = vnode.VFS_FHTOVP(m.l, m.mp, nil)
	wantErr(t, "fhtovp", err, kern.EOPNOTSUPP)
	wantErr(t, "start", vnode.VFS_START(m.l, m.mp, 0), nil)
	wantErr(t, "sync", vnode.VFS_SYNC(m.l, m.mp, kern.MNT_WAIT, m.cred), nil)
	wantErr(t, "renamelock", vnode.VFS_RENAMELOCK_ENTER(m.l, m.mp), nil)
	vnode.VFS_RENAMELOCK_EXIT(m.l, m.mp)
	m.end()
}

// mount mounts another rumpfs that covers nothing.
func (m *machine) mount(path string) (*vnode.Mount, error) {
	mp := m.vsys.MountAlloc(m.l, m.fs, nil)
	err := vnode.VFS_MOUNT(m.l, mp, path, nil)
	mp.Unbusy(m.l, false)
	return mp, err
}

func TestSecondMount(t *testing.T) {
	both(t, func(t *testing.T, m *machine, fixed bool) {
		mp, err := m.mount("/m")
		wantErr(t, "mount", err, nil)
		if mp.Stat.Mntonname != "/m" || mp.Stat.Fstypename != MOUNT_RUMPFS || mp.Stat.Fsid == m.mp.Stat.Fsid {
			t.Errorf("%+v", mp.Stat)
		}
		mp.SetFlag(kern.MNT_UPDATE)
		wantErr(t, "update", vnode.VFS_MOUNT(m.l, mp, "/elsewhere", nil), nil)
		root := must(vnode.VFS_ROOT(m.l, mp))
		vnode.VOP_UNLOCK(m.l, root)
		f := must(m.create(root, "f", 0o644))
		must(m.write(f, 0, "abc", 0))
		root.Rele(m.l)
		wantErr(t, "unmount in use", vnode.VFS_UNMOUNT(m.l, mp, 0), kern.EBUSY)
		wantErr(t, "forced unmount", vnode.VFS_UNMOUNT(m.l, mp, kern.MNT_FORCE), nil)
		m.lock(f)
		wantErr(t, "file of an unmounted file system", vnode.VOP_GETATTR(m.l, f, new(vnode.Vattr), m.cred), kern.EBADF)
		vnode.VOP_UNLOCK(m.l, f)
		f.Rele(m.l)
		if got := m.ls(m.root); got != "" {
			t.Errorf("ls: %s", got)
		}
		mp.Destroy(m.l)
		_, err = m.mount("/" + strings.Repeat("m", kern.VFS_MNAMELEN))
		wantErr(t, "mount with a long name", err, kern.ENAMETOOLONG)
	})
}

func TestUnmountWithRootInUse(t *testing.T) {
	m := boot(t, config{})
	mp, err := m.mount("/m")
	wantErr(t, "mount", err, nil)
	root := must(vnode.VFS_ROOT(m.l, mp))
	vnode.VOP_UNLOCK(m.l, root)
	wantErr(t, "unmount", vnode.VFS_UNMOUNT(m.l, mp, 0), kern.EBUSY)
	root.Rele(m.l)
	wantErr(t, "unmount", vnode.VFS_UNMOUNT(m.l, mp, 0), nil)
	mp.Destroy(m.l)
	m.end()
}

func TestMountWithoutMemory(t *testing.T) {
	m := boot(t, config{nodeLimit: nodeBytes + nodeBytes/2})
	mp, err := m.mount("/m")
	wantErr(t, "mount", err, kern.ENOMEM)
	mp.Destroy(m.l)
	m.end()
}

func TestDevices(t *testing.T) {
	m := boot(t, config{quirks: kern.Rev1125})
	rdev := kern.Makedev(40, 7)
	vp := must(m.mknod(m.root, "c", vnode.VCHR, rdev))
	if made := m.vsys.Devices.(*devices).made; len(made) != 1 || made[0] != rdev {
		t.Errorf("device nodes made: %v", made)
	}
	m.lock(vp)
	wantErr(t, "open", vnode.VOP_OPEN(m.l, vp, kern.FREAD, m.cred), kern.ENXIO)
	wantErr(t, "access", vnode.VOP_ACCESS(m.l, vp, vnode.VWRITE, m.cred), nil)
	_, err := vnode.VOP_PATHCONF(m.l, vp, kern.PC_NAME_MAX)
	wantErr(t, "pathconf", err, kern.EOPNOTSUPP)
	vnode.VOP_UNLOCK(m.l, vp)
	wantErr(t, "chmod", m.set(vp, func(va *vnode.Vattr) { va.Mode = 0o600 }), nil)
	if va := m.stat(vp); va.Mode != 0o600 || va.Rdev != rdev {
		t.Errorf("%+v", va)
	}
	wantErr(t, "remove", m.remove(m.root, "c"), nil)
	vp.Rele(m.l)
	m.end()
}

func TestPathconf(t *testing.T) {
	both(t, func(t *testing.T, m *machine, fixed bool) {
		for name, want := range map[int]int64{
			kern.PC_LINK_MAX: 32767, kern.PC_NAME_MAX: 255, kern.PC_PATH_MAX: 1024, kern.PC_PIPE_BUF: 512,
			kern.PC_CHOWN_RESTRICTED: 1, kern.PC_NO_TRUNC: 1, kern.PC_SYNC_IO: 1, kern.PC_2_SYMLINKS: 1,
			kern.PC_FILESIZEBITS: pick[int64](fixed, 43, 64), kern.PC_SYMLINK_MAX: pick[int64](fixed, 1024, 1023),
			kern.PC_MAX_CANON: -1, kern.PC_VDISABLE: -1, 0: -1, 99: -1, -1: -1,
		} {
			got, err := vnode.VOP_PATHCONF(m.l, m.root, name)
			if err == kern.EINVAL {
				got = -1
			}
			if got != want {
				t.Errorf("pathconf %d: %d, %v, want %d", name, got, err, want)
			}
		}
	})
}

func TestRevoke(t *testing.T) {
	both(t, func(t *testing.T, m *machine, fixed bool) {
		f := must(m.create(m.root, "f", 0o644))
		must(m.write(f, 0, "abc", 0))
		wantErr(t, "revoke", vnode.VOP_REVOKE(m.l, f, vnode.REVOKEALL), pick[error](fixed, kern.EOPNOTSUPP, nil))
		m.lock(f)
		wantErr(t, "use", vnode.VOP_GETATTR(m.l, f, new(vnode.Vattr), m.cred), pick[error](fixed, nil, kern.EBADF))
		vnode.VOP_UNLOCK(m.l, f)
		g := must(m.find(m.root, "f"))
		if got := must(m.read(g, 0, 10)); got != "abc" {
			t.Errorf("read %q", got)
		}
		g.Rele(m.l)
		f.Rele(m.l)
	})
}

func TestAdvisoryLocks(t *testing.T) {
	m := boot(t, config{quirks: kern.Rev1125})
	f := must(m.create(m.root, "f", 0o644))
	lock := func(id any, op int, kind int16) error {
		return vnode.VOP_ADVLOCK(m.l, f, id, op, &kern.Flock{Type: kind, Whence: kern.SEEK_SET, Len: 10}, kern.F_FLOCK)
	}
	a, b := new(int), new(int)
	wantErr(t, "lock", lock(a, kern.F_SETLK, kern.F_WRLCK), nil)
	wantErr(t, "conflict", lock(b, kern.F_SETLK, kern.F_RDLCK), kern.EAGAIN)
	wantErr(t, "unlock", lock(a, kern.F_UNLCK, kern.F_UNLCK), nil)
	wantErr(t, "lock again", lock(b, kern.F_SETLK, kern.F_RDLCK), nil)
	wantErr(t, "unlock", lock(b, kern.F_UNLCK, kern.F_UNLCK), nil)
	f.Rele(m.l)
	m.end()
}

func TestOtherOperations(t *testing.T) {
	m := boot(t, config{quirks: kern.Rev1125})
	f := must(m.create(m.root, "f", 0o644))
	m.lock(f)
	wantErr(t, "open", vnode.VOP_OPEN(m.l, f, kern.FREAD, m.cred), nil)
	wantErr(t, "fsync", vnode.VOP_FSYNC(m.l, f, m.cred, vnode.FSYNC_WAIT, 0, 0), nil)
	wantErr(t, "close", vnode.VOP_CLOSE(m.l, f, kern.FREAD, m.cred), nil)
	wantErr(t, "seek", vnode.VOP_SEEK(m.l, f, 0, -1, m.cred), kern.EINVAL)
	vnode.VOP_UNLOCK(m.l, f)
	f.Rele(m.l)
	m.end()
	if ops := FifoOps(); ops.Name != "fifo" || ops.Open != nil || ops.Putpages == nil {
		t.Errorf("fifo operations: %+v", ops)
	}
}

// TestManyLwps has lwps make, use and remove files in one directory, more than there are vnodes, while its vnode and
// those of its children come and go.
func TestManyLwps(t *testing.T) {
	for _, mode := range []hypercall.Mode{hypercall.Native, hypercall.Deterministic} {
		for _, q := range []kern.Quirks{kern.Rev1125, kern.Fixed} {
			t.Run(fmt.Sprint(mode, " ", q == kern.Fixed), func(t *testing.T) {
				m := boot(t, config{quirks: q.Without(kern.QuirkSizeForgotten), mode: mode, vnodes: 4})
				d := must(m.mkdir(m.root, "d", 0o777))
				d.Rele(m.l)
				var lwps []*kern.Lwp
				for i := range 6 {
					p := kern.NewProc(m.k, kern.RootCred())
					p.Cwdi = namei.NewCwdinfo(m.k)
					lwps = append(lwps, kern.StartLwp(m.k, p, fmt.Sprint("worker ", i), func(l *kern.Lwp) {
						w := *m
						w.l = l
						w.work(fmt.Sprint("f", i))
					}))
				}
				for _, l := range lwps {
					l.Join(&m.l.Thread)
				}
				wantErr(t, "rmdir", m.rmdir(m.root, "d"), nil)
				m.end()
			})
		}
	}
}

// work is what a worker of TestManyLwps does.
func (m *machine) work(name string) {
	for i := range 60 {
		d := must(m.find(m.root, "d"))
		f := must(m.create(d, name, 0o644))
		must(m.write(f, 0, name, 0))
		m.stat(d)
		m.ls(d)
		up := must(m.find(d, ".."))
		if up != m.root {
			m.t.Errorf(".. is %s", up.KernelState())
		}
		up.Rele(m.l)
		f.Rele(m.l)
		m.vsys.DrainStep(m.l)
		f = must(m.find(d, name))
		if got := must(m.read(f, 0, 10)); got != name {
			m.t.Errorf("round %d of %s: read %q", i, name, got)
		}
		sub := must(m.mkdir(d, name+"d", 0o755))
		d.Rele(m.l)
		m.vsys.DrainStep(m.l)
		up = must(m.find(sub, ".."))
		must(0, m.remove(up, name))
		sub.Rele(m.l)
		must(0, m.rmdir(up, name+"d"))
		up.Rele(m.l)
		f.Rele(m.l)
	}
}

func BenchmarkMountroot(b *testing.B) {
	b.ReportAllocs()
	for b.Loop() {
		boot(b, config{quirks: kern.Rev1125, unchecked: true})
	}
}

func TestNoVnodeToBeHad(t *testing.T) {
	m := boot(t, config{})
	before := m.fs.nodeBytes.Load()
	_, err := m.fs.makevnode(m.l, m.mp, nodeOf(m.root))
	wantErr(t, "a second vnode for a node", err, kern.ERESTART)
	m.mp.SetIflag(kern.IMNT_GONE)
	_, err = m.symlink(m.root, "l", "target")
	wantErr(t, "symlink on a mount that is gone", err, kern.ENOENT)
	wantErr(t, "mounting there", vnode.VFS_MOUNT(m.l, m.mp, "/", nil), kern.ENOENT)
	if got := m.fs.nodeBytes.Load(); got != before {
		t.Errorf("%d bytes of nodes reserved, before it were %d", got, before)
	}
	m.mp.ClearIflag(kern.IMNT_GONE)
	if got := m.ls(m.root); got != "" {
		t.Errorf("ls: %s", got)
	}
	m.end()
}

func TestMountrootFails(t *testing.T) {
	m := boot(t, config{nodeLimit: nodeBytes})
	if got := panics(t, func() { m.fs.Mountroot(m.l, m.vsys) }); !strings.Contains(got, "mounting rootfs failed: ENOMEM") {
		t.Error(got)
	}
	unattached := vnode.NewSystem(m.k, m.vsys.UVM, vnode.Config{Stepped: true})
	wantErr(t, "file system that is not attached", m.fs.Mountroot(m.l, unattached), kern.ENODEV)
}

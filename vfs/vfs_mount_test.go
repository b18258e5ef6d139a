package vfs_test

import (
	"strings"
	"testing"

	"rumpvfs/kern"
	"rumpvfs/namei"
	"rumpvfs/sim"
	"rumpvfs/vfs"
	"rumpvfs/vnode"
)

// toyfs is a file system without files.
type toyfs struct {
	vnode.BaseVFS
	name          string
	log           []string
	sync, unmount error
	async         bool // how MNT_ASYNC was set while it was asked
}

func (fs *toyfs) Name() string { return fs.name }

func (fs *toyfs) Sync(_ *kern.Lwp, mp *vnode.Mount, waitfor int, _ *kern.Cred) error {
	if waitfor == kern.MNT_WAIT {
		fs.log = append(fs.log, "sync")
	}
	fs.async = mp.Flag()&kern.MNT_ASYNC != 0
	return fs.sync
}

func (fs *toyfs) Unmount(_ *kern.Lwp, _ *vnode.Mount, flags int) error {
	s := "unmount"
	if flags&kern.MNT_FORCE != 0 {
		s = "force"
	}
	fs.log = append(fs.log, s)
	return fs.unmount
}

func (fs *toyfs) told() string {
	s := strings.Join(fs.log, " ")
	fs.log = nil
	return s
}

// mount mounts a toyfs over a new directory. The mount has one reference more
// than the list's.
func (t *table) mount(name string) (*toyfs, *vnode.Mount, *vnode.Vnode) {
	t.Helper()
	t.must(t.k.Init().Mkdir("/"+name, 0o755))
	covered, err := namei.Simple(t.l, "/"+name, namei.NSM_NOFOLLOW_NOEMULROOT)
	t.must(err)
	fs := &toyfs{name: name}
	mp := t.k.V.MountAlloc(t.l, fs, covered)
	mp.Stat.Mntonname = "/" + name
	t.k.V.MountlistAppend(t.l, mp)
	mp.Unbusy(t.l, true)
	covered.SetMountedhere(mp)
	return fs, mp, covered
}

func TestUnmount(t *testing.T) {
	tb := newTable(t, sim.Config{})
	fs, mp, covered := tb.mount("mnt")
	covered.Ref(tb.l)
	mp.SetFlag(kern.MNT_ASYNC)

	tb.must(mp.Busy(tb.l))
	tb.want("busy", vfs.Unmount(tb.l, mp, 0), kern.EBUSY)
	tb.want("busy, by force", vfs.Unmount(tb.l, mp, kern.MNT_FORCE), kern.EBUSY)
	tb.want("asked", fs.told(), "")
	mp.Unbusy(tb.l, false)

	fs.sync = kern.EIO
	tb.want("data that cannot be written", vfs.Unmount(tb.l, mp, 0), kern.EIO)
	tb.want("asked", fs.told(), "sync")
	fs.sync, fs.unmount = nil, kern.EBUSY
	tb.want("open files", vfs.Unmount(tb.l, mp, 0), kern.EBUSY)
	tb.want("asked", fs.told(), "sync unmount")
	tb.want("asynchronous while unmounting", fs.async, false)
	tb.want("flags", mp.Flag(), uint32(kern.MNT_ASYNC))
	tb.want("unmounting", mp.Iflag()&kern.IMNT_UNMOUNT, uint32(0))
	tb.want("mounted", covered.Mountedhere(), mp)
	tb.must(mp.Busy(tb.l))
	mp.Unbusy(tb.l, false)

	fs.sync, fs.unmount = kern.EIO, nil
	tb.must(vfs.Unmount(tb.l, mp, kern.MNT_FORCE))
	tb.want("asked", fs.told(), "sync force")
	if covered.Mountedhere() != nil || len(tb.k.V.Mounts(tb.l)) != 1 {
		t.Error("still mounted")
	}
	tb.want("again", vfs.Unmount(tb.l, mp, 0), kern.ENOENT)
	tb.want("busy", mp.Busy(tb.l), kern.ENOENT)
	tb.want("references to the mount", mp.Refcnt(), 1)
	tb.want("references to the directory", covered.Usecount(), 1)
	mp.Destroy(tb.l)
	covered.Rele(tb.l)
}

// TestUnmountReadOnly: there is nothing to write.
func TestUnmountReadOnly(t *testing.T) {
	tb := newTable(t, sim.Config{})
	fs, mp, _ := tb.mount("mnt")
	mp.SetFlag(kern.MNT_RDONLY)
	tb.must(vfs.Unmount(tb.l, mp, 0))
	tb.want("asked", fs.told(), "unmount")
	mp.Destroy(tb.l)
}

// TestUnmountDangling: a file system that leaves a vnode behind is a panic.
func TestUnmountDangling(t *testing.T) {
	tb := newTable(t, sim.Config{})
	_, mp, _ := tb.mount("mnt")
	_, err := tb.k.V.GetNewVnode(tb.l, vnode.VT_NON, mp, &vfs.DeadOps, nil)
	tb.must(err)
	p := panicOf(func() { _ = vfs.Unmount(tb.l, mp, 0) })
	if p == nil || !strings.Contains(p.Msg, "dangling vnode") || !strings.Contains(p.State, `"/mnt"`) {
		t.Errorf("panic %v", p)
	}
	_ = tb.k.K.Die(p)
}

// TestUnmountAll goes from the last mounted to the first, and on after an
// error.
func TestUnmountAll(t *testing.T) {
	tb := newTable(t, sim.Config{})
	k := tb.k
	var order []string
	var fss []*toyfs
	for _, name := range []string{"a", "b", "c"} {
		fs, mp, _ := tb.mount(name)
		mp.Destroy(tb.l) // only the list has it
		fss = append(fss, fs)
	}
	fss[1].unmount = kern.EBUSY
	tb.want("first error", vfs.UnmountAll(tb.l, k.V, 0), kern.EBUSY)
	for _, mp := range k.V.Mounts(tb.l) {
		order = append(order, mp.Stat.Mntonname)
	}
	tb.want("left", strings.Join(order, " "), "/ /b") // the root is in use
	for i, want := range []string{"sync unmount", "sync unmount", "sync unmount"} {
		tb.want(fss[i].name, fss[i].told(), want)
	}
	fss[1].unmount = nil
	tb.want("the root is in use", vfs.UnmountAll(tb.l, k.V, 0), kern.EBUSY)
	tb.want("mounts", len(k.V.Mounts(tb.l)), 1)
}

// TestUnmountWaits: whoever wants to use a file system that is being
// unmounted waits for the outcome.
func TestUnmountWaits(t *testing.T) {
	seeds(t, 30, func(t *testing.T, c sim.Config) {
		tb := newTable(t, c)
		fs, mp, covered := tb.mount("mnt")
		if c.Seed%2 == 0 {
			fs.unmount = kern.EBUSY
		}
		var busy []error
		for range 2 {
			kern.StartLwp(tb.k.K, tb.l.Proc, "busy", func(l *kern.Lwp) {
				mp.Ref()
				err := mp.Busy(l)
				if busy = append(busy, err); err == nil {
					l.Point()
					mp.Unbusy(l, false)
				}
				mp.Destroy(l)
			})
		}
		err := vfs.Unmount(tb.l, mp, 0)
		tb.k.Run()
		for _, b := range busy {
			if b != nil && (b != kern.ENOENT || err != nil) {
				t.Errorf("unmount %v, busy %v", err, b)
			}
		}
		if err != nil {
			fs.unmount = nil
			tb.must(vfs.Unmount(tb.l, mp, 0))
		}
		if covered.Mountedhere() != nil {
			t.Error("still mounted")
		}
		mp.Destroy(tb.l)
	})
}

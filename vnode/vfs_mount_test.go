package vnode

import (
	"fmt"
	"slices"
	"strings"
	"testing"

	"rumpvfs/hypercall"
	"rumpvfs/kern"
)

func TestVflush(t *testing.T) {
	// Files 0 and 1 are in use, 1 is open for writing, 2 is unused, 3 is
	// the kernel's own and in use.
	for _, c := range []struct {
		name  string
		flags int
		skip  int
		err   error
		want  string
	}{
		{"no flags", 0, -1, kern.EBUSY, "reclaim(2)"},
		{"skip one in use", 0, 0, kern.EBUSY, "reclaim(2)"},
		{"force", FORCECLOSE, -1, nil, "inactive(0) reclaim(0) inactive(1) reclaim(1) reclaim(2) inactive(3) reclaim(3)"},
		{"force but one", FORCECLOSE, 1, nil, "inactive(0) reclaim(0) reclaim(2) inactive(3) reclaim(3)"},
		{"skip the kernel's", FORCECLOSE | SKIPSYSTEM, -1, nil, "inactive(0) reclaim(0) inactive(1) reclaim(1) reclaim(2)"},
		{"those open for writing", FORCECLOSE | WRITECLOSE, -1, nil, "inactive(1) reclaim(1)"},
		{"those open for writing, gently", WRITECLOSE, -1, kern.EBUSY, ""},
	} {
		t.Run(c.name, func(t *testing.T) {
			k := newStory(t)
			var vps []*Vnode
			for n := range 4 {
				vps = append(vps, k.find(n))
			}
			vps[1].AddWritecount(k.l, 1)
			vps[2].Rele(k.l)
			vps[3].SetVflag(VV_SYSTEM)
			k.fs.told(k.l)
			var skip *Vnode
			if c.skip >= 0 {
				skip = vps[c.skip]
			}
			k.want("vflush", k.fs.mp.Vflush(k.l, skip, c.flags), c.err)
			k.wantTold("vflush", c.want)
			vps[1].AddWritecount(k.l, -1)
			for _, n := range []int{0, 1, 3} {
				vps[n].Rele(k.l)
			}
		})
	}
}

func TestVflushDoesDeferredReleases(t *testing.T) {
	k := newStory(t)
	k.find(1).ReleAsync(k.l)
	k.want("vflush", k.fs.mp.Vflush(k.l, nil, 0), nil)
	k.wantTold("vflush", "inactive(1) reclaim(1)")
}

func TestUnmount(t *testing.T) {
	k := newStory(t)
	mp := k.fs.mp
	vp := k.find(1)
	k.want("in use", k.unmount(k.l, mp, 0), error(kern.EBUSY))
	k.want("still mounted", mp.Busy(k.l), nil)
	k.want("busy", k.unmount(k.l, mp, kern.MNT_FORCE), error(kern.EBUSY))
	mp.Unbusy(k.l, false)
	k.want("vnodes", mp.HasVnodes(k.l), true)
	mp.Ref()
	k.want("by force", k.unmount(k.l, mp, kern.MNT_FORCE), nil)
	k.want("gone", mp.Busy(k.l), error(kern.ENOENT))
	k.want("gone", k.unmount(k.l, mp, 0), error(kern.ENOENT))
	_, err := k.fs.find(k.l, 2)
	k.want("new vnode", err, error(kern.ENOENT))
	k.want("the user's vnode", vp.Mount(), k.sys.DeadMount)
	k.want("mounts", len(k.sys.Mounts(k.l)), 0)
	mp.Destroy(k.l)
	vp.Rele(k.l)
}

// Who wants a mount while it is being unmounted waits for the outcome.
func TestBusyWaitsForUnmount(t *testing.T) {
	outcomes := map[string]bool{}
	for seed := range uint64(100) {
		k := newToyKernel(t, hypercall.Config{Mode: hypercall.Deterministic, Seed: seed}, Config{})
		k.verbose = false
		mp := k.fs.mp
		mp.Ref()
		var busy, unmounted error
		a := kern.StartLwp(k.k, k.l.Proc, "busy", func(l *kern.Lwp) {
			if busy = mp.Busy(l); busy == nil {
				l.Point()
				mp.Unbusy(l, false)
			}
			vp, err := k.fs.find(l, 1)
			if err == nil {
				vp.Rele(l)
			}
		})
		b := kern.StartLwp(k.k, k.l.Proc, "unmount", func(l *kern.Lwp) { unmounted = k.unmount(l, mp, 0) })
		a.Join(&k.l.Thread)
		b.Join(&k.l.Thread)
		outcomes[fmt.Sprint(busy, unmounted)] = true
		mp.Destroy(k.l)
		k.end()
	}
	want := map[string]bool{
		fmt.Sprint(nil, nil): true, fmt.Sprint(kern.ENOENT, nil): true, fmt.Sprint(nil, kern.EBUSY): true,
	}
	if fmt.Sprint(outcomes) != fmt.Sprint(want) {
		t.Errorf("outcomes %v, want %v", outcomes, want)
	}
}

func mountNames(mps []*Mount) string {
	var names []string
	for _, mp := range mps {
		names = append(names, mp.Stat.Mntonname)
	}
	return strings.Join(names, " ")
}

func TestMountList(t *testing.T) {
	k := newStory(t)
	a, b, c := k.mount("a"), k.mount("b"), k.mount("c")
	k.want("all", mountNames(k.sys.Mounts(k.l)), "/toyfs /a /b /c")
	k.want("generations", b.mp.Gen() < c.mp.Gen(), true)
	k.unmount(k.l, b.mp, 0)
	k.want("without b", mountNames(k.sys.Mounts(k.l)), "/toyfs /a /c")
	k.unmount(k.l, c.mp, 0)
	k.unmount(k.l, k.fs.mp, 0)
	k.want("a alone", mountNames(k.sys.Mounts(k.l)), "/a")
	k.unmount(k.l, a.mp, 0)
	k.want("none", mountNames(k.sys.Mounts(k.l)), "")
}

func TestBusyMounts(t *testing.T) {
	k := newStory(t)
	a, b := k.mount("a"), k.mount("b")
	a.mp.SetIflag(kern.IMNT_GONE)
	var seen []*Mount
	for mp := range k.sys.BusyMounts(k.l) {
		seen = append(seen, mp)
		k.want("unmount of a busy one", k.unmount(k.l, mp, 0), error(kern.EBUSY))
	}
	k.want("seen", mountNames(seen), "/toyfs /b")
	for mp := range k.sys.BusyMounts(k.l) {
		k.want("first", mp, k.fs.mp)
		break
	}
	a.mp.ClearIflag(kern.IMNT_GONE)
	k.want("references", b.mp.Refcnt(), 1)
	k.want("state", strings.HasPrefix(b.mp.KernelState(), `mount "/b"`), true)
}

func TestVnodeIterator(t *testing.T) {
	k := newStory(t)
	for n := range 5 {
		k.find(n)
	}
	even := func(vp *Vnode) bool { return vp.Data.(*toyFile).n%2 == 0 }
	first, second := k.fs.mp.VnodeIterator(k.l), k.fs.mp.VnodeIterator(k.l)
	var seen []int
	for vp := first.Next(k.l, even); vp != nil; vp = first.Next(k.l, even) {
		n := vp.Data.(*toyFile).n
		seen = append(seen, n)
		vp.Rele(k.l)
		if n == 0 { // the next one goes, another comes
			k.fs.cached(k.l, 2).Gone(k.l)
			k.find(6)
		}
	}
	k.want("seen", fmt.Sprint(seen), "[0 4 6]")
	k.want("at the end", first.Next(k.l, nil), (*Vnode)(nil))
	vp := second.Next(k.l, nil)
	k.want("the other one", vp.Data.(*toyFile).n, 0)
	vp.Rele(k.l)
	if left := k.sys.Audit(k.l); !slices.Contains(left, "/toyfs: an iterator was not destroyed") {
		t.Errorf("audit: %v", left)
	}
	first.Destroy(k.l)
	second.Destroy(k.l)
	for _, n := range []int{0, 1, 3, 4, 6} {
		k.fs.cached(k.l, n).Rele(k.l)
	}
}

func TestRootMountAlloc(t *testing.T) {
	k := newStory(t)
	_, err := k.sys.RootMountAlloc(k.l, k.fs, "dev")
	k.want("not attached", err, error(kern.ENODEV))
	if err := k.sys.Attach(k.l, k.fs); err != nil {
		t.Fatal(err)
	}
	mp, err := k.sys.RootMountAlloc(k.l, k.fs, "dev")
	if err != nil {
		t.Fatal(err)
	}
	k.want("names", mp.Stat.Fstypename+mp.Stat.Mntonname+mp.Stat.Mntfromname, "toyfs/dev")
	k.want("flags", mp.Flag(), uint32(kern.MNT_RDONLY))
	k.want("references", mp.Refcnt(), 2)
	k.want("in use", k.sys.Detach(k.l, k.fs), error(kern.EBUSY))
	mp.Unbusy(k.l, false)
	mp.Destroy(k.l)
	k.want("not in use", k.sys.Detach(k.l, k.fs), nil)
	k.want("long name", len(clip(strings.Repeat("x", 99), 32)), 31)
}

// The identifier that the kernel of 2014 gave the first rumpfs, and what
// happens when it is taken.
func TestGetNewFsid(t *testing.T) {
	k := newStory(t)
	a, b := k.mount("rumpfs"), k.mount("rumpfs")
	a.mp.GetNewFsid(k.l)
	b.mp.GetNewFsid(k.l)
	mtype := int32(makefstype("rumpfs"))
	k.want("type", mtype, ((((('r'<<2^'u')<<2^'m')<<2^'p')<<2^'f')<<2 ^ 's'))
	first := int32(kern.Makedev(mtype&0xff, 1))
	k.want("first", a.mp.Stat.Fsidx, kern.Fsid{Val: [2]int32{first, mtype}})
	k.want("second", b.mp.Stat.Fsidx, kern.Fsid{Val: [2]int32{first + 1, mtype}})
	k.want("fsid", a.mp.Stat.Fsid, uint64(first))
	k.want("by id", k.sys.GetVFS(k.l, b.mp.Stat.Fsidx), b.mp)
	k.want("by no id", k.sys.GetVFS(k.l, kern.Fsid{Val: [2]int32{9, 9}}), (*Mount)(nil))
	var sbp kern.Statvfs
	b.mp.CopyStatvfsInfo(&sbp)
	b.mp.CopyStatvfsInfo(&b.mp.Stat)
	k.want("copied", sbp, b.mp.Stat)
}

func TestRegistry(t *testing.T) {
	k := newStory(t)
	a, b := &toyfs{name: "a"}, &toyfs{name: "b"}
	k.want("attach", k.sys.Attach(k.l, a), nil)
	k.want("attach", k.sys.Attach(k.l, b), nil)
	k.want("twice", k.sys.Attach(k.l, &toyfs{name: "a"}), error(kern.EEXIST))
	k.want("names", fmt.Sprint(k.sys.Fstypes(k.l)), "[b a]")
	k.want("by name", k.sys.GetOpsByName(k.l, "a"), VFSOps(a))
	k.want("by no name", k.sys.GetOpsByName(k.l, "c"), VFSOps(nil))
	k.want("in use", k.sys.Detach(k.l, a), error(kern.EBUSY))
	k.sys.DelRef(k.l, a)
	k.want("detach", k.sys.Detach(k.l, a), nil)
	k.want("unknown", k.sys.Detach(k.l, a), error(kern.ESRCH))
	k.want("names", fmt.Sprint(k.sys.Fstypes(k.l)), "[b]")
}

type bareVFS struct{ BaseVFS }

func (bareVFS) Name() string { return "bare" }

func TestBaseVFS(t *testing.T) {
	k := newStory(t)
	mp := k.sys.MountAlloc(k.l, bareVFS{}, nil)
	vp, err := k.sys.GetNewVnode(k.l, VT_NON, mp, k.fs.ops, nil)
	if err != nil {
		t.Fatal(err)
	}
	no := error(kern.EOPNOTSUPP)
	k.want("mount", VFS_MOUNT(k.l, mp, "/", nil), no)
	k.want("start", VFS_START(k.l, mp, 0), nil)
	k.want("unmount", VFS_UNMOUNT(k.l, mp, 0), no)
	k.want("sync", VFS_SYNC(k.l, mp, kern.MNT_WAIT, nil), nil)
	k.want("statvfs", VFS_STATVFS(k.l, mp, nil), no)
	k.want("mountroot", mp.Op.Mountroot(k.l, k.sys), no)
	_, err = VFS_ROOT(k.l, mp)
	k.want("root", err, no)
	_, err = VFS_VGET(k.l, mp, 1)
	k.want("vget", err, no)
	_, err = VFS_FHTOVP(k.l, mp, nil)
	k.want("fhtovp", err, no)
	_, err = VFS_VPTOFH(k.l, vp)
	k.want("vptofh", err, no)
	k.want("renamelock", VFS_RENAMELOCK_ENTER(k.l, mp), nil)
	k.want("renamelock", mp.Renamelock.Owned(k.l), true)
	VFS_RENAMELOCK_EXIT(k.l, mp)
	k.want("renamelock", mp.Renamelock.Owned(k.l), false)
	vp.UngetNew(k.l)
	mp.Unbusy(k.l, false)
	mp.Destroy(k.l)
}

func TestAudit(t *testing.T) {
	k := newStory(t)
	k.want("nothing", fmt.Sprint(k.sys.Audit(k.l)), "[]")
	mp := k.fs.mp
	used, locked, unused := k.find(1), k.find(2), k.find(3)
	locked.Lock(k.l, LK_EXCLUSIVE)
	unused.Rele(k.l)
	mp.Busy(k.l)
	mp.Ref()
	mp.Updating.Enter(k.l)
	mp.Renamelock.Enter(k.l)
	other := kern.NewLwp(k.k, nil, "auditor")
	left := strings.Join(k.sys.Audit(other), "\n")
	for _, want := range []string{
		"mount /toyfs: busy 1 times", "mount /toyfs: 2 references too many", "mnt_updating is held",
		"mnt_renamelock is held", "/toyfs: " + used.KernelState(), "/toyfs: " + locked.KernelState(),
	} {
		if !strings.Contains(left, want) {
			t.Errorf("audit does not say %q:\n%s", want, left)
		}
	}
	if strings.Contains(left, unused.KernelState()) {
		t.Errorf("audit complains about an unused vnode:\n%s", left)
	}
	other.Exit()
	mp.Updating.Exit(k.l)
	mp.Renamelock.Exit(k.l)
	mp.Unbusy(k.l, false)
	mp.Destroy(k.l)
	locked.Put(k.l)
	used.Rele(k.l)
}

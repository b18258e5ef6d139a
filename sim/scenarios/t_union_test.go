package scenarios

import (
	"slices"
	"strings"
	"testing"

	"rumpvfs/hypercall"
	"rumpvfs/kern"
	"rumpvfs/sim"
	"rumpvfs/vnode"
)

// NetBSD's cases mount unionfs over the file system. There is none here, so
// the file system itself is mounted with MNT_UNION over a directory that has
// something in it, and asked for what unionfs wants of an upper layer.

// A union is a kernel with a file system on /mnt and the directory below it.
type union struct {
	t     *testing.T
	p     *sim.Proc
	lower int // a descriptor of what /mnt was before
	l     *kern.Lwp
	root  *vnode.Vnode // of the upper layer
}

// mountUnion makes what populate makes in /mnt the lower layer.
func (fs *fileSystem) mountUnion(t *testing.T, populate func(p *sim.Proc)) *union {
	t.Helper()
	k := boot(t, sim.Config{Mode: hypercall.Deterministic})
	u := &union{t: t, p: k.Init(), l: lwp(t, k)}
	ok(t, u.p.Mkdir("/mnt", 0o777))
	populate(u.p)
	u.lower = value[int](t)(u.p.Open("/mnt", kern.O_RDONLY, 0))
	ok(t, u.p.Mount(fs.name, "/mnt", kern.MNT_UNION, fs.args()))
	mounts := k.V.Mounts(u.l)
	root := value[*vnode.Vnode](t)(vnode.VFS_ROOT(u.l, mounts[len(mounts)-1]))
	ok(t, vnode.VOP_UNLOCK(u.l, root))
	u.root = root
	return u
}

// done takes the upper layer away again.
func (u *union) done() {
	u.t.Helper()
	u.root.Rele(u.l)
	ok(u.t, u.p.Unmount("/mnt", 0))
	ok(u.t, u.p.Close(u.lower))
}

// lookup asks the upper layer alone for a name, and says whether it hides the
// lower one's.
func (u *union) lookup(name string) (found, whiteout bool) {
	u.t.Helper()
	cnp := component(u.l, vnode.LOOKUP, name)
	ok(u.t, u.root.Lock(u.l, vnode.LK_EXCLUSIVE))
	vp, err := vnode.VOP_LOOKUP(u.l, u.root, cnp)
	ok(u.t, vnode.VOP_UNLOCK(u.l, u.root))
	if err == nil {
		vp.Rele(u.l)
	} else {
		wants(u.t, "lookup of "+name, err, error(kern.ENOENT))
	}
	return err == nil, cnp.Flags&vnode.ISWHITEOUT != 0
}

// hide makes a whiteout in the upper layer, as unionfs does when a file of
// the lower one is removed.
func (u *union) hide(name string) {
	u.t.Helper()
	ok(u.t, u.root.Lock(u.l, vnode.LK_EXCLUSIVE))
	ok(u.t, vnode.VOP_WHITEOUT(u.l, u.root, component(u.l, vnode.LOOKUP, ""), vnode.LOOKUP))
	cnp := component(u.l, vnode.CREATE, name)
	_, err := vnode.VOP_LOOKUP(u.l, u.root, cnp)
	wants(u.t, "lookup of "+name+" to create it", err, error(kern.EJUSTRETURN))
	ok(u.t, vnode.VOP_WHITEOUT(u.l, u.root, cnp, vnode.CREATE))
	ok(u.t, vnode.VOP_UNLOCK(u.l, u.root))
}

// listing returns the names of a directory, whiteouts with a tilde in front.
func (u *union) listing(path string) (names []string) {
	u.t.Helper()
	fd := value[int](u.t)(u.p.Open(path, kern.O_RDONLY, 0))
	b := make([]byte, 8192)
	b = b[:value[int](u.t)(u.p.Getdents(fd, b))]
	for len(b) > 0 {
		d, rest, err := kern.DecodeDirent(b)
		ok(u.t, err)
		name := d.Name
		if d.Type == kern.DT_WHT {
			name = "~" + name
		}
		names, b = append(names, name), rest
	}
	ok(u.t, u.p.Close(fd))
	slices.Sort(names)
	return names
}

// exists says whether the lower layer has a name.
func (u *union) exists(name string) bool {
	_, err := u.p.Fstatat(u.lower, name, 0)
	return err == nil
}

// TestUnionBasic reads the lower layer's file through the upper one, writes
// a file that only the upper one gets, and hides the lower one's.
func TestUnionBasic(t *testing.T) {
	each(t, func(t *testing.T, fs fileSystem) {
		u := fs.mountUnion(t, func(p *sim.Proc) { ok(t, p.Close(create(t, p, "/mnt/old", "from below"))) })
		wants(t, "old", content(t, u.p, "/mnt/old"), "from below")

		ok(t, u.p.Close(create(t, u.p, "/mnt/new", "from above")))
		wants(t, "new", content(t, u.p, "/mnt/new"), "from above")
		wants(t, "new in the lower layer", u.exists("new"), false)

		u.hide("old")
		found, whiteout := u.lookup("old")
		wants(t, "old in the upper layer", found, false)
		wants(t, "a whiteout for old", whiteout, true)
		names := strings.Join(u.listing("/mnt"), " ")
		if !strings.Contains(names, "~old") {
			t.Errorf("no whiteout for old among %s", names)
		}
		wants(t, "old in the lower layer", u.exists("old"), true)
		u.done()
	})
}

// TestUnionWhiteout hides a directory of the lower layer and makes one of
// that name in the upper: the whiteout is gone, the new directory is opaque
// and has nothing of the old one in it.
func TestUnionWhiteout(t *testing.T) {
	each(t, func(t *testing.T, fs fileSystem) {
		u := fs.mountUnion(t, func(p *sim.Proc) {
			ok(t, p.Mkdir("/mnt/dir", 0o777))
			ok(t, p.Mkdir("/mnt/dir/inner", 0o777))
		})
		// What unionfs checks first: it must not remove a directory that is not empty.
		wants(t, "rmdir", u.p.Rmdir("/mnt/dir"), error(kern.ENOTEMPTY))

		u.hide("dir")
		found, whiteout := u.lookup("dir")
		wants(t, "dir", found, false)
		wants(t, "a whiteout for dir", whiteout, true)

		ok(t, u.p.Mkdir("/mnt/dir", 0o777))
		found, whiteout = u.lookup("dir")
		wants(t, "dir, made anew", found, true)
		wants(t, "a whiteout for it", whiteout, false)
		wants(t, "flags", value[kern.Stat](t)(u.p.Stat("/mnt/dir")).FileFlags, kern.UF_OPAQUE)
		_, err := u.p.Stat("/mnt/dir/inner")
		wants(t, "stat of what the old one held", err, error(kern.ENOENT))
		_, err = u.p.Fstatat(u.lower, "dir/inner", 0)
		ok(t, err)
		u.done()
	})
}

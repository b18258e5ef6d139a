package scenarios

import (
	"strings"
	"testing"

	"rumpvfs/hypercall"
	"rumpvfs/kern"
	"rumpvfs/sim"
	"rumpvfs/vnode"
)

// lwp returns an lwp, with root's credentials, for calls below the system
// calls. It ends with the test.
func lwp(t *testing.T, k *sim.Kernel) *kern.Lwp {
	l := kern.NewLwp(k.K, nil, "below")
	l.Cred = kern.RootCred()
	t.Cleanup(l.Exit)
	return l
}

// component is what a walk hands to a file system for the last name of a
// path.
func component(l *kern.Lwp, op uint32, name string) *vnode.Componentname {
	return &vnode.Componentname{Nameiop: op, Flags: vnode.ISLASTCN, Cred: l.Cred, Nameptr: name, Namelen: len(name)}
}

// TestMakecn looks a name up in the root directory without a walk, first as
// it is, then from the head of a longer string: it is the length that says
// where a component ends, and the component keeps its name whatever becomes of
// the memory that the name was made from.
func TestMakecn(t *testing.T) {
	k := boot(t, sim.Config{Mode: hypercall.Deterministic})
	ok(t, k.Init().Mkdir("/name", 0o777))
	want := value[kern.Stat](t)(k.Init().Stat("/name"))
	l := lwp(t, k)
	root := k.V.Root.Load()

	memory := []byte("name")
	short := component(l, vnode.LOOKUP, string(memory))
	long := component(l, vnode.LOOKUP, string(memory)+"/muutakin")
	long.Namelen = len("name")
	copy(memory, "/oho")
	for _, cnp := range []*vnode.Componentname{short, long} {
		ok(t, root.Lock(l, vnode.LK_EXCLUSIVE))
		vp, err := vnode.VOP_LOOKUP(l, root, cnp)
		ok(t, vnode.VOP_UNLOCK(l, root))
		ok(t, err)
		wants(t, cnp.Nameptr, fileNumber(t, l, vp), want.Ino)
		wants(t, "the component", cnp.Name(), "name")
		wants(t, "the path behind it", strings.TrimPrefix(cnp.Nameptr, "name"), cnp.Nameptr[4:])
		vp.Rele(l)
	}
}

// fileNumber returns the number of a file.
//
// Preconditions: vp is referenced and not locked.
func fileNumber(t *testing.T, l *kern.Lwp, vp *vnode.Vnode) uint64 {
	t.Helper()
	var va vnode.Vattr
	ok(t, vp.Lock(l, vnode.LK_SHARED))
	err := vnode.VOP_GETATTR(l, vp, &va, l.Cred)
	ok(t, vnode.VOP_UNLOCK(l, vp))
	ok(t, err)
	return va.Fileid
}

// lookup finds a name in the root of what is mounted last.
//
// Postconditions: the vnode is referenced.
func (fs *fileSystem) lookup(t *testing.T, l *kern.Lwp, k *sim.Kernel, name string) *vnode.Vnode {
	t.Helper()
	mounts := k.V.Mounts(l)
	root := value[*vnode.Vnode](t)(vnode.VFS_ROOT(l, mounts[len(mounts)-1]))
	vp, err := vnode.VOP_LOOKUP(l, root, component(l, vnode.LOOKUP, name))
	root.Put(l)
	ok(t, err)
	return vp
}

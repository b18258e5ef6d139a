package tmpfs

import (
	"strings"
	"testing"

	"rumpvfs/hypercall"
	"rumpvfs/kern"
	"rumpvfs/uvm"
	"rumpvfs/vnode"
)

// tree is a tmpfs with the file f, the directory d, the symbolic link l and the whiteout w, made by hand.
type tree struct {
	l          *kern.Lwp
	mp         *vnode.Mount
	m          *tmpfsMount
	root, f, d *node
	link       *node
}

func newTree(t *testing.T) *tree {
	sys := kern.NewKernel(hypercall.NewSystem(hypercall.Config{}), kern.Fixed)
	l := kern.NewLwp(sys, kern.NewProc(sys, kern.RootCred()), "test")
	v := vnode.NewSystem(sys, uvm.NewSystem(sys, uvm.Config{}), vnode.Config{Stepped: true})
	fs := New(sys, v, &vnode.Ops{})
	k := &tree{l: l, mp: v.MountAlloc(l, fs, nil)}
	need(t, fs.mountNew(l, k.mp, DefaultArgs(), 1<<20, 100))
	k.m = mountOf(k.mp)
	k.root = k.m.root
	k.f, k.d, k.link = k.enter(t, "f", vnode.VREG, ""), k.enter(t, "d", vnode.VDIR, ""), k.enter(t, "l", vnode.VLNK, "f")
	de, err := k.m.allocDirent(l, "w")
	need(t, err)
	k.root.attach(l, de, nil)
	_, err = k.f.vnode(l, k.mp)
	need(t, err)
	return k
}

func need(t *testing.T, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}

func (k *tree) enter(t *testing.T, name string, typ vnode.Vtype, target string) *node {
	n, err := k.m.allocNode(k.l, typ, 0, 0, 0o755, target, kern.NODEV)
	need(t, err)
	de, err := k.m.allocDirent(k.l, name)
	need(t, err)
	k.root.attach(k.l, de, n)
	return n
}

// TestCheckSees breaks each invariant on purpose: it is named.
func TestCheckSees(t *testing.T) {
	for _, c := range []struct {
		name string
		harm func(k *tree)
		want string // "" for nothing
	}{
		{"nothing", func(*tree) {}, ""},
		{"list of nodes", func(k *tree) { k.m.nodes.prev = k.f }, "the list of nodes is broken here"},
		{"account of nodes", func(k *tree) { k.m.nodesCnt.Add(-1) }, "the account of nodes is 3, but there are 4"},
		{"account of memory", func(k *tree) { k.m.mem.used++ }, "the account of memory is"},
		{"length of a link", func(k *tree) { k.link.target = "long" }, "size 2, but its target has 4 bytes"},
		{"references to memory", func(k *tree) { k.f.aobj.Refs.Add(1) }, "its memory has 2 references"},
		{"page beyond the end", func(k *tree) {
			k.f.aobj.Interlock.Enter(k.l)
			k.f.aobj.PageAlloc(k.l, 0, 0)
			k.f.aobj.Interlock.Exit(k.l)
		}, "page at 0x0 lies beyond the end, 0x0"},
		{"order of entries", func(k *tree) { k.root.dir.order[0].seq = 99 }, `"f", number 99, is out of order`},
		{"name", func(k *tree) { delete(k.root.dir.names, "f") }, `"f" is an entry that its name does not lead to`},
		{"whiteouts", func(k *tree) { k.root.dir.whiteouts = false }, `"w" is a whiteout in a directory without`},
		{"number of entries", func(k *tree) { k.root.dir.count++ }, "count 5 and 4 names, but 4 entries and 4 names"},
		{"size of a directory", func(k *tree) { k.root.size++ }, "size 193, but 4 entries"},
		{"removed directory", func(k *tree) { k.root.dir.parent = nil }, "was removed with 4 entries"},
		{"parent", func(k *tree) { k.d.dir.parent = k.d }, `is in a directory, as "d", that is not its parent`},
		{"links of a file", func(k *tree) { k.f.links++ }, "2 links, but 1 were found"},
		{"links of a directory", func(k *tree) { k.d.links-- }, "1 links, but 2 were found"},
		{"locked", func(k *tree) { k.f.vlock.Enter(k.l) }, "is locked"},
		{"getters", func(k *tree) { k.f.keep(k.l) }, "1 lwps are about to get its vnode"},
		{"nothing leads to it", func(k *tree) { k.link.links = 0 }, "has neither name nor vnode, and was not freed"},
		{"vnode", func(k *tree) { k.d.vp.Store(k.f.vp.Load()) }, "its vnode is not its own: vnode VREG"},
		{"type of the vnode", func(k *tree) { k.f.vp.Load().SetType(vnode.VDIR) }, "its vnode has another type: vnode VDIR"},
		{"size of the vnode", func(k *tree) { k.f.vp.Load().SetSize(k.l, 1) }, "its vnode has another size"},
		{"interlock", func(k *tree) { k.f.aobj.SetLock(&k.d.vlock) }, "its vnode has another interlock than its memory"},
	} {
		t.Run(c.name, func(t *testing.T) {
			k := newTree(t)
			c.harm(k)
			ck := kern.NewCheckup(k.l, func(ck *kern.Checkup) { k.m.fs.Check(ck, k.mp) })
			ck.Begin()
			if broken := strings.Join(ck.End(), "\n"); c.want == "" && broken != "" || !strings.Contains(broken, c.want) {
				t.Errorf("broken: %q, want %q", broken, c.want)
			}
		})
	}
}

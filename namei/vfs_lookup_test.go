package namei

import (
	"errors"
	"fmt"
	"slices"
	"strings"
	"testing"

	"rumpvfs/hypercall"
	"rumpvfs/kern"
	"rumpvfs/vnode"
)

const tree = `
	/d/
	/d/f
	/d/e/
	/d/e/g
	/f
	/lf -> f
	/ld -> d
	/lde -> d/e/
	/lnone -> nosuch
	/root -> /
	/absd -> /d//e
	/self -> self
	/up -> ../d
	/tty @dev
	/m/ = fs1
	/m/x
	/m/sub/
	/m/out -> ../f
	/m/sub/deep/ = fs2
	/m/sub/deep/z`

func testWorld(t testing.TB) *world {
	w := newWorld(t, hypercall.Checked, tree)
	w.fs.root.add("empty", w.fs.new(vnode.VLNK)) // to nowhere
	w.rebase()
	return w
}

// result describes what a walk gave: "leaf" or "leaf in dir", each with "*"
// if it is locked, or the error.
func (w *world) result(nd *Nameidata, err error) string {
	if err != nil {
		if nd.Vp != nil || nd.Dvp != nil {
			return "left over: " + err.Error()
		}
		var e kern.Errno
		errors.As(err, &e)
		return e.Name()
	}
	s := w.describe(nd.Vp)
	if nd.Dvp != nil {
		s += " in " + w.describe(nd.Dvp)
	}
	return s
}

func (w *world) describe(vp *vnode.Vnode) string {
	s := w.name(nodeOf(vp))
	if vp != nil && vp.VLock.WriteHeld(w.l) {
		s += "*"
	}
	return s
}

// letGo drops what a walk has returned.
func (w *world) letGo(nd *Nameidata) {
	l := w.l
	vps := []*vnode.Vnode{nd.Dvp, nd.Vp}
	if nd.Dvp == nd.Vp {
		vps = vps[1:]
		rele(l, nd.Dvp)
	}
	for _, vp := range vps {
		switch {
		case vp == nil:
		case vp.VLock.WriteHeld(l):
			vp.Put(l)
		default:
			vp.Rele(l)
		}
	}
	nd.Release(l)
}

// walk makes one walk and checks that nothing stays behind.
func (w *world) walk(op, flags uint32, path string, prepare ...func(*Nameidata)) string {
	w.t.Helper()
	nd := Acquire(w.l)
	nd.Init(w.l, op, flags, path)
	for _, f := range prepare {
		f(nd)
	}
	err := nd.Namei(w.l)
	s := w.result(nd, err)
	w.letGo(nd)
	w.balanced(fmt.Sprintf("%s %q", nd.request(), path))
	return s
}

const (
	lookup, create, remove, rename = vnode.LOOKUP, vnode.CREATE, vnode.DELETE, vnode.RENAME

	leaf   = vnode.LOCKLEAF
	parent = vnode.LOCKPARENT
	both   = leaf | parent
	follow = vnode.FOLLOW
)

func TestNamei(t *testing.T) {
	w := testWorld(t)
	for _, c := range []struct {
		path      string
		op, flags uint32
		want      string
	}{
		// Plain names, and what is returned locked.
		{"/d/f", lookup, 0, "root:/d/f"},
		{"/d/f", lookup, leaf, "root:/d/f*"},
		{"/d/f", lookup, parent, "root:/d/f in root:/d*"},
		{"/d/f", lookup, both, "root:/d/f* in root:/d*"},
		{"d/f", lookup, leaf, "root:/d/f*"},
		{"./d/./f", lookup, leaf, "root:/d/f*"},
		{"", lookup, leaf, "ENOENT"},
		{"nosuch", lookup, leaf, "ENOENT"},
		{"/nosuch/x", lookup, leaf, "ENOENT"},
		{"/d/f/x", lookup, leaf, "ENOTDIR"},
		{"/d/f/.", lookup, leaf, "ENOTDIR"},
		{"/d/f/..", lookup, leaf, "ENOTDIR"},
		{"/tty", lookup, leaf, "root:/tty*"},
		{"/tty/", lookup, leaf, "ENOTDIR"},
		// Roots and "." have no directory of their own, or are it.
		{"/", lookup, leaf, "root:/*"},
		{"///", lookup, both, "root:/*"},
		{"/.", lookup, both, "root:/* in root:/*"},
		{"/.", lookup, parent, "root:/ in root:/"},
		{"/d/.", lookup, 0, "root:/d"},
		{"/", create, both, "EEXIST"},
		{"/", remove, both, "EBUSY"},
		{"/", rename, both, "EBUSY"},
		{"/d/.", remove, both, "root:/d* in root:/d*"},
		// "..".
		{"/..", lookup, leaf, "root:/*"},
		{"/../..", lookup, both, "root:/* in root:/*"},
		{"/d/e/../f", lookup, both, "root:/d/f* in root:/d*"},
		{"/d/e/..", lookup, both, "root:/d* in root:/d/e*"},
		{"../../d", lookup, leaf, "root:/d*"},
		// Slashes behind the last component.
		{"/d/", lookup, leaf, "root:/d*"},
		{"/d//", lookup, leaf, "root:/d*"},
		{"/f/", lookup, leaf, "ENOTDIR"},
		{"/nosuch/", lookup, leaf, "ENOENT"},
		{"/new/", create, both, "ENOENT"},
		{"/new//", create, both | vnode.CREATEDIR, "nil in root:/*"},
		{"/f/", create, both | vnode.CREATEDIR, "ENOTDIR"},
		{"/new/.", create, both | vnode.CREATEDIR, "ENOENT"},
		// Creating.
		{"/new", create, parent, "nil in root:/*"},
		{"/new", create, 0, "nil"},
		{"/d/e/new", create, both, "nil in root:/d/e*"},
		{"/new/x", create, both, "ENOENT"},
		{"/d/f", create, both, "root:/d/f* in root:/d*"},
		{"/new", rename, parent, "nil in root:/*"},
		{"/new", create, parent | vnode.RDONLY, "EROFS"},
		{"/d", create, both | vnode.RDONLY, "root:/d* in root:/*"},
		{"/d", remove, both | vnode.RDONLY, "EROFS"},
		{"/.", remove, both | vnode.RDONLY, "EROFS"},
		{"/d", rename, both | vnode.RDONLY, "EROFS"},
		{"/new", remove, parent, "ENOENT"},
		// Symbolic links.
		{"/lf", lookup, leaf, "root:/lf*"},
		{"/lf", lookup, leaf | follow, "root:/f*"},
		{"/lf/", lookup, leaf, "ENOTDIR"},
		{"/ld", lookup, leaf, "root:/ld*"},
		{"/ld/", lookup, leaf, "root:/d*"},
		{"/ld/f", lookup, both, "root:/d/f* in root:/d*"},
		{"/ld//e///g", lookup, leaf, "root:/d/e/g*"},
		{"/lde", lookup, leaf | follow, "root:/d/e*"},
		{"/lde/g", lookup, leaf, "root:/d/e/g*"},
		{"/lnone", lookup, leaf | follow, "ENOENT"},
		{"/lnone", create, both | follow, "nil in root:/*"},
		{"/lnone/", create, both | vnode.CREATEDIR, "nil in root:/*"},
		{"/lnone", create, both, "root:/lnone* in root:/*"},
		{"/root", lookup, both | follow, "root:/*"},
		{"/root/", lookup, leaf, "root:/*"},
		{"/root/lf", lookup, leaf, "root:/lf*"},
		{"/root/root/d", lookup, leaf, "root:/d*"},
		{"/root", remove, both | follow, "EBUSY"},
		{"/absd/g", lookup, both, "root:/d/e/g* in root:/d/e*"},
		{"/self", lookup, leaf | follow, "ELOOP"},
		{"/self/x", lookup, leaf, "ELOOP"},
		{"/empty", lookup, leaf | follow, "ENOENT"},
		{"/empty", lookup, leaf, "root:/empty*"},
		{"/up/e", lookup, leaf, "root:/d/e*"},
		// Mounts, both ways.
		{"/m", lookup, leaf, "fs1:/*"},
		{"/m", lookup, both, "fs1:/* in fs1:/*"},
		{"/m", lookup, leaf | vnode.NOCROSSMOUNT, "root:/m*"},
		{"/m", lookup, both | vnode.NOCROSSMOUNT, "root:/m* in root:/*"},
		{"/m/", lookup, leaf, "fs1:/*"},
		{"/m/.", lookup, both, "fs1:/* in fs1:/*"},
		{"/m/x", lookup, both, "fs1:/x* in fs1:/*"},
		{"/m/..", lookup, both, "root:/* in root:/m*"},
		{"/m/../d", lookup, leaf, "root:/d*"},
		{"/m/out", lookup, leaf | follow, "root:/f*"},
		{"/m/sub/deep", lookup, leaf, "fs2:/*"},
		{"/m/sub/deep/..", lookup, leaf, "fs1:/sub*"},
		{"/m/sub/deep/../../..", lookup, leaf, "root:/*"},
		{"/m/sub/deep/z", remove, both, "fs2:/z* in fs2:/*"},
		{"/m", remove, both, "fs1:/* in fs1:/*"},
		{"/m", create, both, "fs1:/* in fs1:/*"},
		{"/m/..", remove, both, "root:/* in root:/m*"},
		{"/m/sub/..", remove, both, "fs1:/* in fs1:/sub*"},
	} {
		if got := w.walk(c.op, c.flags, c.path); got != c.want {
			nd := Acquire(w.l)
			nd.Init(w.l, c.op, c.flags, c.path)
			t.Errorf("%s %q: %s, want %s", nd.request(), c.path, got, c.want)
			nd.Release(w.l)
		}
	}
}

func TestNameLength(t *testing.T) {
	w := testWorld(t)
	long := strings.Repeat("n", kern.KERNEL_NAME_MAX)
	for _, c := range []struct{ path, want string }{
		{"/" + long, "nil in root:/*"},
		{"/" + long + "n", "ENAMETOOLONG"},
		{"/" + long + "n/x", "ENAMETOOLONG"},
		{"/d/" + strings.Repeat("n", kern.NAME_MAX), "ENAMETOOLONG"},
		{strings.Repeat("/", kern.MAXPATHLEN-2) + "d", "root:/d* in root:/*"},
		{strings.Repeat("./", kern.MAXPATHLEN/2-1), "root:/* in root:/*"},
	} {
		if got := w.walk(create, both|vnode.CREATEDIR, c.path); got != c.want {
			t.Errorf("%.20q... (%d): %s, want %s", c.path, len(c.path), got, c.want)
		}
	}
	msg := panics(func() { w.walk(lookup, 0, strings.Repeat("/", kern.MAXPATHLEN)) })
	if !strings.Contains(msg, "kernel path too long") {
		t.Errorf("a path that no copyin lets through: %s", msg)
	}
}

func TestSymlinkLimits(t *testing.T) {
	w := newWorld(t, hypercall.Checked, "/k/\n/k/d -> .\n/t1023 -> "+strings.Repeat("t", 1023)+
		"\n/t1022 -> "+strings.Repeat("t/", 511)+"\n/t1000 -> "+strings.Repeat("./", 500))
	for _, c := range []struct{ path, want string }{
		{"/k/" + strings.Repeat("d/", 32), "root:/k*"},
		{"/k/" + strings.Repeat("d/", 33), "ELOOP"},
		{"/t1023", "ENAMETOOLONG"},
		{"/t1022", "ENOENT"},
		{"/t1022/", "ENAMETOOLONG"},
		{"/t1022/abcdef", "ENAMETOOLONG"},
		{"/t1000/" + strings.Repeat("k/../", 4) + "k", "root:/k*"},
		{"/t1000/" + strings.Repeat("k/../", 4) + "k/", "ENAMETOOLONG"},
	} {
		if got := w.walk(lookup, leaf|follow, c.path); got != c.want {
			t.Errorf("%.20q... (%d): %s, want %s", c.path, len(c.path), got, c.want)
		}
	}
}

func TestSymlinkReading(t *testing.T) {
	w := newWorld(t, hypercall.Checked, "/f\n/bad -> EIO\n/perm -> f\n/d/")
	nul := w.fs.root.add("nul", w.fs.new(vnode.VLNK))
	nul.target = "d\x00x"
	if got := w.walk(lookup, leaf, "/nul/y"); got != "root:/d*" {
		t.Errorf("a NUL in a link ends the path: %s", got)
	}
	nul.target = "\x00x"
	if got := w.walk(lookup, leaf, "/nul/y"); got != "root:/*" {
		t.Errorf("a link that begins with a NUL: %s", got)
	}
	if got := w.walk(lookup, leaf|follow, "/bad"); got != "EIO" {
		t.Errorf("a link that cannot be read: %s", got)
	}
	w.at("/perm").deny = vnode.VEXEC
	if got := w.walk(lookup, leaf|follow, "/perm"); got != "root:/f*" {
		t.Errorf("permissions of a link without MNT_SYMPERM: %s", got)
	}
	w.fs.mp.SetFlag(kern.MNT_SYMPERM)
	if got := w.walk(lookup, leaf|follow, "/perm"); got != "EACCES" {
		t.Errorf("permissions of a link with MNT_SYMPERM: %s", got)
	}
}

func TestAt(t *testing.T) {
	w := testWorld(t)
	d, f := w.vp("/d"), w.vp("/f")
	w.rebase()
	for _, c := range []struct {
		path string
		at   *vnode.Vnode
		want string
	}{
		{"f", d, "root:/d/f*"},
		{"/f", d, "root:/f*"},
		{"..", d, "root:/*"},
		{".", nil, "root:/*"},
		{"x", f, "ENOTDIR"},
		{"/d", f, "root:/d*"},
	} {
		if got := w.walk(lookup, leaf, c.path, func(nd *Nameidata) { nd.At(c.at) }); got != c.want {
			t.Errorf("%q at %s: %s, want %s", c.path, w.describe(c.at), got, c.want)
		}
	}
}

func TestChroot(t *testing.T) {
	w := testWorld(t)
	w.cwdi.ChangeRoot(w.l, w.vp("/m"))
	out := w.vp("/d/e")
	w.rebase()
	for _, c := range []struct {
		path  string
		flags uint32
		at    *vnode.Vnode
		want  string
	}{
		{"/", 0, nil, "fs1:/*"},
		{"/..", 0, nil, "fs1:/* in fs1:/*"},
		{"/sub/..", 0, nil, "fs1:/* in fs1:/sub*"},
		{"/sub/deep/../..", 0, nil, "fs1:/* in fs1:/sub*"},
		{"../../x", 0, nil, "fs1:/x* in fs1:/*"},
		{"/out", follow, nil, "ENOENT"},
		{"/d", vnode.NOCHROOT, nil, "root:/d* in root:/*"},
		{"/m/../f", vnode.NOCHROOT, nil, "root:/f* in root:/*"},
		// Somebody got out: "." still works, ".." leads back in.
		{".", 0, out, "root:/d/e* in root:/d/e*"},
		{"..", 0, out, "fs1:/* in fs1:/*"},
		{"../x", 0, out, "fs1:/x* in fs1:/*"},
		{"g", 0, out, "root:/d/e/g* in root:/d/e*"},
	} {
		if got := w.walk(lookup, both|c.flags, c.path, func(nd *Nameidata) { nd.At(c.at) }); got != c.want {
			t.Errorf("%q: %s, want %s", c.path, got, c.want)
		}
	}
}

func TestEmulationRoot(t *testing.T) {
	w := newWorld(t, hypercall.Checked, "/bin/\n/bin/sh\n/lib\n/emul/\n/emul/bin/\n/emul/bin/ls\n/emul/abs -> /bin\n/emul/real -> /../bin\n/emul/up -> ..\n/emul/self -> self")
	w.cwdi.SetEdir(w.l, w.vp("/emul"))
	bin := w.at("/bin")
	w.rebase()
	for _, c := range []struct {
		path  string
		flags uint32
		want  string
	}{
		{"/bin/ls", 0, "ENOENT"},
		{"/bin/ls", vnode.TRYEMULROOT, "root:/emul/bin/ls*"},
		{"/bin/sh", vnode.TRYEMULROOT, "root:/bin/sh*"}, // second try
		{"/lib", vnode.TRYEMULROOT, "root:/lib*"},
		{"/bin/nosuch", vnode.TRYEMULROOT, "ENOENT"},
		{"bin/ls", vnode.TRYEMULROOT, "ENOENT"}, // relative paths have no second root
		{"/../bin", vnode.TRYEMULROOT, "root:/bin*"},
		{"/abs", follow | vnode.TRYEMULROOT, "root:/emul/bin*"},
		{"/real", follow | vnode.TRYEMULROOT, "root:/bin*"},
		{"/self", follow | vnode.TRYEMULROOT, "ELOOP"}, // no second try
		// The emulation root never is the answer.
		{"/", vnode.TRYEMULROOT, "root:/*"},
		{"/.", vnode.TRYEMULROOT, "root:/*"},
		{"/bin/..", vnode.TRYEMULROOT, "root:/*"},
		{"/up", follow | vnode.TRYEMULROOT, "root:/*"},
		{"/emul", vnode.TRYEMULROOT, "root:/emul*"},
	} {
		if got := w.walk(lookup, leaf|c.flags, c.path); got != c.want {
			t.Errorf("%q: %s, want %s", c.path, got, c.want)
		}
	}
	set := func(nd *Nameidata) { nd.Erootdir = bin.vp }
	sh := w.vp("/bin") // so that bin.vp stays
	w.rebase()
	for path, want := range map[string]string{"/sh": "root:/bin/sh*", "/../sh": "root:/bin/sh*", "/lib": "root:/lib*"} {
		if got := w.walk(lookup, leaf|vnode.TRYEMULROOT|vnode.EMULROOTSET, path, set); path == "/../sh" {
			// ".." of the caller's emulation root is the real one.
			if got != "ENOENT" {
				t.Errorf("%q with EMULROOTSET: %s", path, got)
			}
		} else if got != want {
			t.Errorf("%q with EMULROOTSET: %s, want %s", path, got, want)
		}
	}
	// A root has no parent to remove it from, but the second try has.
	if got := w.walk(remove, both|vnode.TRYEMULROOT, "/bin/.."); got != "root:/* in root:/bin*" {
		t.Errorf("removing the emulation root: %s", got)
	}
	sh.Rele(w.l)
}

func TestUnionMount(t *testing.T) {
	w := newWorld(t, hypercall.Checked, "/u/\n/u/lower\n/u/both")
	covered := w.vp("/u")
	upper := w.mount("upper", covered)
	upper.root.add("both", upper.new(vnode.VREG))
	upper.root.add("d", upper.new(vnode.VDIR))
	w.rebase()
	lower := "ENOENT"
	for range 2 {
		for _, c := range []struct {
			path  string
			op    uint32
			want  string
			union bool
		}{
			{"/u/both", lookup, "upper:/both* in upper:/*", false},
			{"/u/lower", lookup, lower, true},
			{"/u/lower/", lookup, "ENOTDIR", true},
			{"/u/nosuch", lookup, "ENOENT", false},
			{"/u/d/lower", lookup, "ENOENT", false},
			{"/u/new", create, "nil in upper:/*", false},
		} {
			if c.union && lower == "ENOENT" {
				c.want = "ENOENT"
			}
			if got := w.walk(c.op, both, c.path); got != c.want {
				t.Errorf("%q: %s, want %s", c.path, got, c.want)
			}
		}
		upper.mp.SetFlag(kern.MNT_UNION)
		lower = "root:/u/lower* in root:/u*"
	}
	w.fs.mp.SetFlag(kern.MNT_UNION)
	if msg := panics(func() { w.walk(lookup, 0, "/nosuch") }); msg != "undefined: covered-by-root" {
		t.Errorf("a union that covers nothing: %s", msg)
	}
}

func TestMountTrouble(t *testing.T) {
	w := testWorld(t)
	fs1 := w.at("/m").fs
	fs1.rootErr = kern.EIO
	for _, path := range []string{"/m", "/m/x", "m/."} {
		if got := w.walk(lookup, both, path); got != "EIO" {
			t.Errorf("%q without a root: %s", path, got)
		}
	}
	fs1.rootErr = nil
	fs1.plainRoot = w.at("/m/x")
	if got := w.walk(lookup, both, "/m"); got != "fs1:/x* in root:/*" {
		t.Errorf("a root that is a file: %s", got)
	}
	fs1.plainRoot = nil
	fs1.mp.SetIflag(kern.IMNT_GONE)
	for _, path := range []string{"/m", "/m/x"} {
		if got := w.walk(lookup, both, path); got != "ENOENT" {
			t.Errorf("%q of a file system that goes: %s", path, got)
		}
	}
	vp := w.fs.vget(w.l, w.fs.root.find("m"))
	w.rebase()
	if got := w.walk(lookup, leaf, ".", func(nd *Nameidata) { nd.At(vp) }); got != "ENOENT" {
		t.Errorf("the covered directory itself, file system going: %s", got)
	}
}

func TestConsume(t *testing.T) {
	w := testWorld(t)
	host := w.fs.new(vnode.VREG)
	hostdir := w.fs.new(vnode.VDIR)
	hostdir.add("x", w.fs.new(vnode.VREG))
	w.fs.root.add("host", host)
	w.fs.root.add("hostdir", hostdir)
	w.fs.takes["k/e/y"] = host
	w.fs.takes["kd/e"] = hostdir
	w.fs.takes["s"] = host
	for _, c := range []struct{ path, want string }{
		{"/k/e/y", "root:/host* in root:/*"},
		{"/k/e/y/", "ENOTDIR"},
		{"/k/e/y/z", "ENOTDIR"},
		{"/k/e", "ENOENT"},
		{"/kd/e", "root:/hostdir* in root:/*"},
		{"/kd/e//", "root:/hostdir* in root:/*"},
		{"/kd/e//x", "root:/hostdir/x* in root:/hostdir*"},
		{"/s", "root:/host* in root:/*"},
		{"//s", "root:/host* in root:/*"},
		{"/s/", "ENOTDIR"},
	} {
		if got := w.walk(lookup, both, c.path); got != c.want {
			t.Errorf("%q: %s, want %s", c.path, got, c.want)
		}
	}
	for _, n := range []int{100, -100} {
		w.fs.consumed = n
		if msg := panics(func() { w.walk(lookup, both, "/k/e/y") }); msg != "undefined: cn-consume" {
			t.Errorf("consuming %d too many: %s", n, msg)
		}
		w = testWorld(t)
		w.fs.takes["k/e/y"] = w.fs.root
	}
}

func TestLookupFailures(t *testing.T) {
	w := testWorld(t)
	w.at("/d").deny = vnode.VEXEC
	if got := w.walk(lookup, both, "/d/f"); got != "EACCES" {
		t.Errorf("in a directory that may not be searched: %s", got)
	}
	w.fs.lockErr[w.at("/d/e")] = kern.ENOENT
	w.at("/d").deny = 0
	if got := w.walk(lookup, both, "/d/e/g"); got != "ENOENT" {
		t.Errorf("through a directory that dies before it is locked: %s", got)
	}
	w.fs.lockErr[w.at("/d")] = kern.ENOENT
	e := w.vp("/d/e")
	w.rebase()
	if got := w.walk(lookup, both, "..", func(nd *Nameidata) { nd.At(e) }); got != "ENOENT" {
		t.Errorf("to a parent that dies before it is locked: %s", got)
	}
	w.at("/d/e").parent = nil
	if got := w.walk(lookup, both, "..", func(nd *Nameidata) { nd.At(e) }); got != "ENOENT" {
		t.Errorf("to the parent of a removed directory: %s", got)
	}
	e.Gone(w.l)
	if got := w.walk(lookup, both, "/d"); got != "ENOENT" {
		t.Errorf("%s", got)
	}
}

func TestDeadStart(t *testing.T) {
	w := testWorld(t)
	d := w.vp("/d")
	d.Ref(w.l)
	d.Gone(w.l)
	w.rebase()
	got := w.walk(lookup, leaf, "f", func(nd *Nameidata) { nd.At(d) })
	if got != "ENOENT" {
		t.Errorf("from a dead directory: %s", got)
	}
}

// TestNoMount starts in a directory that belongs to no file system.
func TestNoMount(t *testing.T) {
	w := testWorld(t)
	vp, err := w.sys.GetNewVnode(w.l, vnode.VT_NON, nil, &memfsOps, nil)
	if err != nil {
		t.Fatal(err)
	}
	vp.SetType(vnode.VDIR)
	w.rebase()
	if got := w.walk(lookup, leaf, "f", func(nd *Nameidata) { nd.At(vp) }); got != "ENOENT" {
		t.Error(got)
	}
}

func TestWalkPanics(t *testing.T) {
	for what, c := range map[string]struct {
		want string
		do   func(w *world)
	}{
		"no credentials": {"namei: bad cred/proc", func(w *world) {
			w.walk(lookup, 0, "/", func(nd *Nameidata) { nd.Cnd.Cred = nil })
		}},
		"flags as operation":  {"namei: nameiop contaminated with flags", func(w *world) { w.walk(leaf, 0, "/") }},
		"operation as flags":  {"namei: flags contaminated with nameiops", func(w *world) { w.walk(lookup, rename, "/") }},
		"inside of relookup":  {"INRELOOKUP", func(w *world) { w.walk(lookup, vnode.INRELOOKUP, "/") }},
		"vnode with an error": {"leaf `d' should be empty", func(w *world) { w.fs.badLookup = answer(w.fs.root, kern.EIO); w.walk(lookup, 0, "/d") }},
		"neither":             {"foundobj != NULL", func(w *world) { w.fs.badLookup = answer(nil, nil); w.walk(lookup, 0, "/d") }},
		"above a covering root": {"undefined: covered-by-root", func(w *world) {
			nd := Acquire(w.l)
			nd.Init(w.l, lookup, 0, "..")
			other := w.mount("other", nil)
			nd.At(other.vget(w.l, other.root))
			nd.Namei(w.l)
		}},
	} {
		w := testWorld(t)
		if msg := panics(func() { c.do(w) }); !strings.Contains(msg, c.want) {
			t.Errorf("%s: %s, want %s", what, msg, c.want)
		}
	}
}

// answer makes the next lookups return n and err.
func answer(n *node, err error) func(*vnode.Componentname) (*node, error, bool) {
	return func(*vnode.Componentname) (*node, error, bool) { return n, err, true }
}

// TestNested has two walks in use at once, as rename has.
func TestNested(t *testing.T) {
	w := testWorld(t)
	one, two := Acquire(w.l), Acquire(w.l)
	one.Init(w.l, lookup, follow, "/lf")
	two.Init(w.l, create, 0, "/ld/new")
	if err := errors.Join(one.Namei(w.l), two.Namei(w.l)); err != nil {
		t.Fatal(err)
	}
	if one == two || one.Cnd.Name() != "f" || two.Cnd.Name() != "new" || w.name(nodeOf(one.Vp)) != "root:/f" {
		t.Errorf("walks mixed up: %q %q", one.Cnd.Name(), two.Cnd.Name())
	}
	w.letGo(two)
	w.letGo(one)
	if Acquire(w.l) != one || Acquire(w.l) != two {
		t.Error("the stock does not give back what was released")
	}
	w.balanced("two walks")
}

func TestCopyin(t *testing.T) {
	long := strings.Repeat("x", kern.MAXPATHLEN-1)
	for _, c := range []struct {
		in, out string
		err     error
	}{
		{"", "", nil}, {"/a", "/a", nil}, {"/a\x00b", "/a", nil}, {"\x00", "", nil},
		{long, long, nil}, {long + "x", "", kern.ENAMETOOLONG}, {long + "\x00" + long, long, nil},
	} {
		if out, err := Copyin(c.in); out != c.out || err != c.err {
			t.Errorf("Copyin of %d bytes: %d bytes, %v", len(c.in), len(out), err)
		}
	}
}

func TestSimple(t *testing.T) {
	w := testWorld(t)
	d := w.vp("/d")
	w.rebase()
	for _, c := range []struct {
		vp   func() (*vnode.Vnode, error)
		want string
	}{
		{func() (*vnode.Vnode, error) { return Simple(w.l, "/lf", NSM_FOLLOW_NOEMULROOT) }, "root:/f"},
		{func() (*vnode.Vnode, error) { return Simple(w.l, "/lf", NSM_NOFOLLOW_NOEMULROOT) }, "root:/lf"},
		{func() (*vnode.Vnode, error) { return Simple(w.l, "/nosuch", NSM_FOLLOW_TRYEMULROOT) }, "ENOENT"},
		{func() (*vnode.Vnode, error) { return SimpleAt(w.l, d, "f", NSM_FOLLOW_TRYEMULROOT) }, "root:/d/f"},
		{func() (*vnode.Vnode, error) { return SimpleUser(w.l, "/lf\x00x", NSM_NOFOLLOW_TRYEMULROOT) }, "root:/lf"},
		{func() (*vnode.Vnode, error) { return SimpleAtUser(w.l, d, "e\x00", NSM_FOLLOW_NOEMULROOT) }, "root:/d/e"},
		{func() (*vnode.Vnode, error) {
			return SimpleUser(w.l, strings.Repeat("/", kern.MAXPATHLEN), NSM_FOLLOW_NOEMULROOT)
		}, "ENAMETOOLONG"},
	} {
		vp, err := c.vp()
		if got := w.result(&Nameidata{Vp: vp}, err); got != c.want {
			t.Errorf("%s, want %s", got, c.want)
		}
		rele(w.l, vp)
		w.balanced(c.want)
	}
	if msg := panics(func() { Simple(w.l, "/", 99) }); msg != "namei_simple_convert_flags: bogus sflags" {
		t.Error(msg)
	}
}

func TestRelookup(t *testing.T) {
	w := testWorld(t)
	cn := func(op, flags uint32, name string) *vnode.Componentname {
		return &vnode.Componentname{Nameiop: op, Flags: flags | vnode.ISLASTCN, Cred: w.l.Cred, Nameptr: name, Namelen: componentLen(name)}
	}
	for _, c := range []struct {
		cnp  *vnode.Componentname
		want string
	}{
		{cn(lookup, 0, "f"), "root:/f*"},
		{cn(remove, 0, "f/"), "root:/f*"},
		{cn(lookup, 0, "."), "root:/*"},
		{cn(create, 0, "new"), "nil"},
		{cn(remove, 0, "new"), "ENOENT"},
		{cn(remove, vnode.RDONLY, "f"), "EROFS"},
		{cn(create, vnode.RDONLY, "new"), "EROFS"},
		{cn(lookup, vnode.RDONLY, "f"), "root:/f*"},
		{cn(lookup, 0, "tty"), "EIO"},
	} {
		w.fs.lockErr[w.at("/tty")] = kern.EIO
		dvp := w.vp("/")
		lockRetry(w.l, dvp)
		vp, err := Relookup(w.l, dvp, c.cnp)
		if got := w.result(&Nameidata{Vp: vp}, err); got != c.want || c.cnp.Flags&vnode.INRELOOKUP != 0 {
			t.Errorf("%q: %s, want %s", c.cnp.Nameptr, got, c.want)
		}
		w.letGo(&Nameidata{Vp: vp, Dvp: dvp})
		w.balanced(c.cnp.Nameptr)
	}
	bad := cn(lookup, 0, "f")
	bad.Namelen = 0
	for want, cnp := range map[string]*vnode.Componentname{
		"relookup: null name":           cn(lookup, 0, ""),
		"relookup: bad len":             bad,
		"relookup: not last component":  cn(lookup, 0, "d/f"),
		"relookup: lookup on dot-dot":   cn(lookup, vnode.ISDOTDOT, ".."),
		"relookup: symlink found":       cn(lookup, follow, "lf"),
		"leaf `broken' should be empty": cn(lookup, 0, "broken"),
	} {
		w := testWorld(t)
		if cnp.Nameptr == "broken" {
			w.fs.badLookup = answer(w.fs.root, kern.EIO)
		}
		dvp := w.vp("/")
		lockRetry(w.l, dvp)
		if msg := panics(func() { Relookup(w.l, dvp, cnp) }); msg != want {
			t.Errorf("%s, want %s", msg, want)
		}
	}
}

func TestLookupForNfsd(t *testing.T) {
	w := testWorld(t)
	w.cwdi.Magic = &MagicLinks{Machine: "d"}
	w.fs.root.add("mag", w.fs.new(vnode.VLNK)).target = "@machine"
	w.cwdi.ChangeRoot(w.l, w.vp("/d/e"))
	d := w.vp("/d")
	w.rebase()
	for _, c := range []struct {
		path  string
		flags uint32
		never bool
		want  string
	}{
		{"f", 0, false, "root:/d/f*"},
		{"/f", 0, false, "root:/d/f*"},
		{"..", 0, false, "root:/*"}, // no chroot
		{"../lf", follow, false, "root:/f*"},
		{"../lf", follow, true, "EINVAL"},
		{"../lf", 0, true, "root:/lf*"},
		{"../ld/f", 0, true, "EINVAL"},
		{"../mag", follow, false, "ENOENT"},
		{"", 0, false, "ENOENT"},
	} {
		nd := Acquire(w.l)
		nd.Init(w.l, lookup, leaf|c.flags, c.path)
		err := nd.LookupForNfsd(w.l, d, c.never)
		if got := w.result(nd, err); got != c.want {
			t.Errorf("%q: %s, want %s", c.path, got, c.want)
		}
		w.letGo(nd)
		w.balanced(c.path)
	}
	if msg := panics(func() { new(Nameidata).LookupForNfsd(w.l, nil, false) }); msg == "no panic" {
		t.Error("no directory to start from, no panic")
	}
}

func TestLookupForNfsdIndex(t *testing.T) {
	w := testWorld(t)
	w.fs.takes["long/er"] = w.fs.root.find("f")
	root, d := w.vp("/"), w.vp("/d")
	w.rebase()
	for _, c := range []struct {
		dvp       *vnode.Vnode
		path      string
		op, flags uint32
		want      string
	}{
		{d, "f", lookup, leaf, "root:/d/f*"},
		{d, "f", lookup, 0, "root:/d/f"},
		{d, ".", lookup, leaf, "root:/d*"},
		{d, "..", lookup, leaf, "root:/*"},
		{d, "..", lookup, 0, "root:/"},
		{root, "..", lookup, leaf, "root:/*"},
		{root, "m", lookup, leaf, "fs1:/*"},
		{root, "lf", lookup, leaf | follow, "root:/lf*"},
		{d, "nosuch", lookup, leaf, "ENOENT"},
		{d, "new", create, leaf, "nil"},
		{d, "a/b", lookup, leaf, "EINVAL"},
		{d, strings.Repeat("n", 256), lookup, leaf, "ENAMETOOLONG"},
	} {
		nd := Acquire(w.l)
		nd.Init(w.l, c.op, c.flags, c.path)
		err := nd.LookupForNfsdIndex(w.l, c.dvp)
		if got := w.result(nd, err); got != c.want {
			t.Errorf("%q: %s, want %s", c.path, got, c.want)
		}
		w.letGo(nd)
		w.balanced(c.path)
	}
}

// sink keeps the events of the walk as text.
type sink struct{ lines []string }

func (s *sink) Event(l *kern.Lwp, e *kern.Event) {
	if e.Kind != kern.EvNamei {
		return
	}
	line := e.Name + ": " + e.Text
	if e.Err != nil {
		line += ": " + e.Err.Error()
	}
	s.lines = append(s.lines, line)
}

// watch collects what a walk tells.
func (w *world) watch(f func()) []string {
	s := new(sink)
	w.l.Hooks = &kern.Hooks{Check: true, Sink: s}
	f()
	w.l.Hooks = nil
	return s.lines
}

func TestTrace(t *testing.T) {
	w := testWorld(t)
	for path, want := range map[string][]string{
		"/ld/../m/./../nosuch": {
			`start: "/ld/../m/./../nosuch", LOOKUP|LOCKLEAF|FOLLOW, from the root directory`,
			`component: "ld", more follows: it must be a directory`,
			`symlink: "ld" is a symbolic link, number 1 of 32: the path becomes "d/../m/./../nosuch"`,
			`component: "d", more follows: it must be a directory`,
			`component: "..", more follows: it must be a directory`,
			`component: "m", more follows: it must be a directory`,
			`down: "m" leads to the root of the fs1 mounted there`,
			`component: ".", more follows: it must be a directory`,
			`component: "..", more follows: it must be a directory`,
			`up: ".." at the root of a mounted fs1: from the directory that it covers`,
			`component: "nosuch", the last one`,
			`end: failed: ` + kern.ENOENT.Error(),
		},
		"d/e/": {
			`start: "d/e/", LOOKUP|LOCKLEAF|FOLLOW, from the working directory`,
			`component: "d", more follows: it must be a directory`,
			`component: "e", the last one, with a slash behind it: it must be a directory`,
			`end: VDIR, locked`,
		},
	} {
		if got := w.watch(func() { w.walk(lookup, leaf|follow, path) }); !slices.Equal(got, want) {
			t.Errorf("%s:\n%s\nwant:\n%s", path, strings.Join(got, "\n"), strings.Join(want, "\n"))
		}
	}
}

// printer is a sink that prints the steps of walks.
type printer struct{}

func (printer) Event(l *kern.Lwp, e *kern.Event) {
	if e.Kind == kern.EvNamei {
		fmt.Printf("%-10s%s\n", e.Name, e.Text)
	}
}

func ExampleNameidata_Namei() {
	w := newWorld(nil, hypercall.Native, "/a/\n/b -> a/../c\n/c")
	w.l.Hooks = &kern.Hooks{Sink: printer{}}
	nd := Acquire(w.l)
	nd.Init(w.l, vnode.LOOKUP, vnode.FOLLOW|vnode.LOCKLEAF, "/b")
	if err := nd.Namei(w.l); err != nil {
		fmt.Println(err)
	} else {
		nd.Vp.Put(w.l)
	}
	nd.Release(w.l)
	// Output:
	// start     "/b", LOOKUP|LOCKLEAF|FOLLOW, from the root directory
	// component "b", the last one
	// symlink   "b" is a symbolic link, number 1 of 32: the path becomes "a/../c"
	// component "a", more follows: it must be a directory
	// component "..", more follows: it must be a directory
	// component "c", the last one
	// end       VREG, locked
}

// TestTraceRare has the steps that few walks have.
func TestTraceRare(t *testing.T) {
	w := newWorld(t, hypercall.Native, "/f\n/emul/\n/u/ = union\n/jail/\n/out/")
	w.cwdi.SetEdir(w.l, w.vp("/emul"))
	w.at("/u").fs.mp.SetFlag(kern.MNT_UNION)
	w.fs.takes["k/e/y"] = w.at("/f")
	out := w.vp("/out")
	w.rebase()
	told := func(want string, f func()) {
		t.Helper()
		if got := w.watch(f); !slices.Contains(got, want) {
			t.Errorf("no %q in\n%s", want, strings.Join(got, "\n"))
		}
	}
	told(`retry: not below the emulation root: once more from the real root: `+kern.ENOENT.Error(), func() { w.walk(lookup, vnode.TRYEMULROOT, "/f") })
	told(`start: "/f", LOOKUP|TRYEMULROOT, from the emulation root`, func() { w.walk(lookup, vnode.TRYEMULROOT, "/f") })
	told(`union: "nosuch" is not in the root of the union: on to the directory that it covers`, func() { w.walk(lookup, 0, "/u/nosuch") })
	told(`consume: the file system took the path up to ""`, func() { w.walk(lookup, 0, "/k/e/y") })
	told(`dotdot: ".." of the root directory is the root directory`, func() { w.walk(lookup, 0, "..") })
	told(`end: "new" does not exist and may be created`, func() { w.walk(create, parent, "/new") })
	told(`start: ".", LOOKUP, from the directory that the caller gave`, func() { w.walk(lookup, 0, ".", func(nd *Nameidata) { nd.At(out) }) })
	w.cwdi.ChangeRoot(w.l, w.vp("/jail"))
	w.rebase()
	told(`escape: chrooted pid 1 uid 0 detected outside of its chroot: on from the root directory`, func() {
		w.walk(lookup, 0, "..", func(nd *Nameidata) { nd.At(out) })
	})
}

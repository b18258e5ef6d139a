package namei

import (
	"slices"
	"strings"
	"testing"

	"rumpvfs/hypercall"
	"rumpvfs/kern"
	"rumpvfs/uvm"
	"rumpvfs/vnode"
)

// A node is a file of a memfs.
type node struct {
	fs     *memfs
	typ    vnode.Vtype
	ino    uint64
	parent *node // directories: what ".." is; nil when removed
	names  []dirent
	target string
	deny   int          // access modes that are refused
	covers *memfs       // mounted here
	vp     *vnode.Vnode // fs.lock
}

type dirent struct {
	name string
	n    *node
}

func (n *node) find(name string) *node {
	for _, e := range n.names {
		if e.name == name {
			return e.n
		}
	}
	return nil
}

func (n *node) add(name string, c *node) *node {
	n.names = append(n.names, dirent{name, c})
	if c.typ == vnode.VDIR {
		c.parent = n
	}
	return c
}

func (n *node) remove(name string) {
	n.names = slices.DeleteFunc(n.names, func(e dirent) bool {
		if e.name == name && e.n.typ == vnode.VDIR {
			e.n.parent = nil
		}
		return e.name == name
	})
}

// memfs is a file system that keeps its tree in Go structures, for tests of
// the walk: it follows the locking discipline and can be told to misbehave.
type memfs struct {
	vnode.BaseVFS
	name    string
	mp      *vnode.Mount
	root    *node
	ops     *vnode.Ops
	lock    kern.Mutex
	lastIno uint64

	rootErr    error            // Root fails
	plainRoot  *node            // Root is this one
	lockErr    map[*node]error  // locking without LK_RETRY fails
	takes      map[string]*node // paths below the root that are taken as a whole
	consumed   int              // added to what is consumed
	badLookup  func(cnp *vnode.Componentname) (*node, error, bool)
	badReaddir func(uio *kern.Uio) (eof bool, err error, done bool)
	creating   error // in place of EJUSTRETURN
}

var memfsLockClass = hypercall.LockClass{Name: "memfs", Rank: 590}

func (fs *memfs) Name() string { return fs.name }

func (fs *memfs) Root(l *kern.Lwp, mp *vnode.Mount) (*vnode.Vnode, error) {
	if fs.rootErr != nil {
		return nil, fs.rootErr
	}
	n := fs.root
	if fs.plainRoot != nil {
		n = fs.plainRoot
	}
	vp := fs.vget(l, n)
	return vp, vp.Lock(l, vnode.LK_EXCLUSIVE|vnode.LK_RETRY)
}

func (fs *memfs) new(typ vnode.Vtype) *node {
	fs.lastIno++
	return &node{fs: fs, typ: typ, ino: fs.lastIno}
}

// vget returns n's vnode, referenced.
func (fs *memfs) vget(l *kern.Lwp, n *node) *vnode.Vnode {
	for {
		fs.lock.Enter(l)
		if vp := n.vp; vp != nil {
			vp.Interlock.Enter(l)
			fs.lock.Exit(l)
			if vp.Get(l, 0) == nil {
				return vp
			}
			continue
		}
		fs.lock.Exit(l)
		vp, err := fs.mp.System().GetNewVnode(l, vnode.VT_VFS, fs.mp, fs.ops, nil)
		if err != nil {
			panic(err)
		}
		vp.SetType(n.typ)
		vp.SetVflag(vnode.VV_LOCKSWORK)
		vp.SetSize(l, 0)
		if n == fs.root {
			vp.SetVflag(vnode.VV_ROOT)
		}
		fs.lock.Enter(l)
		if n.vp == nil {
			n.vp, vp.Data = vp, n
			fs.lock.Exit(l)
			return vp
		}
		fs.lock.Exit(l)
		vp.UngetNew(l)
	}
}

func nodeOf(vp *vnode.Vnode) *node {
	if vp == nil {
		return nil
	}
	return vp.Data.(*node)
}

var memfsOps = vnode.Ops{
	Name:     "memfs",
	Lookup:   memfsLookup,
	Access:   memfsAccess,
	Getattr:  memfsGetattr,
	Readdir:  memfsReaddir,
	Readlink: memfsReadlink,
	Inactive: func(l *kern.Lwp, vp *vnode.Vnode) (bool, error) {
		vnode.VOP_UNLOCK(l, vp)
		return false, nil
	},
	Reclaim: func(l *kern.Lwp, vp *vnode.Vnode) error {
		n := nodeOf(vp)
		n.fs.lock.Enter(l)
		n.vp, vp.Data = nil, nil
		n.fs.lock.Exit(l)
		return nil
	},
	Lock: memfsLock,
	Unlock: func(l *kern.Lwp, vp *vnode.Vnode) error {
		vp.VLock.Exit(l)
		return nil
	},
	Islocked: memfsIslocked,
	Putpages: func(l *kern.Lwp, vp *vnode.Vnode, offlo, offhi int64, flags int) error {
		vp.Interlock.Exit(l)
		return nil
	},
	Fsync: func(*kern.Lwp, *vnode.Vnode, *kern.Cred, int, int64, int64) error { return nil },
}

// deadOps are those of a vnode that was cleaned.
var deadOps = vnode.Ops{
	Name:   "dead",
	Lookup: func(*kern.Lwp, *vnode.Vnode, *vnode.Componentname) (*vnode.Vnode, error) { return nil, kern.ENOENT },
	Access: func(*kern.Lwp, *vnode.Vnode, int, *kern.Cred) error { return kern.EBADF },
	Inactive: func(l *kern.Lwp, vp *vnode.Vnode) (bool, error) {
		vnode.VOP_UNLOCK(l, vp)
		return false, nil
	},
	Lock:     memfsLock,
	Unlock:   memfsOps.Unlock,
	Islocked: memfsIslocked,
}

func memfsLock(l *kern.Lwp, vp *vnode.Vnode, flags int) error {
	vp.VLock.Enter(l)
	if flags&vnode.LK_RETRY != 0 {
		return nil
	}
	err := error(nil)
	if vp.Dying() {
		err = kern.ENOENT
	} else if n := nodeOf(vp); n.fs.lockErr != nil {
		err = n.fs.lockErr[n]
	}
	if err != nil {
		vp.VLock.Exit(l)
	}
	return err
}

func memfsIslocked(l *kern.Lwp, vp *vnode.Vnode) (int, error) {
	switch {
	case vp.VLock.WriteHeld(l):
		return vnode.LK_EXCLUSIVE, nil
	case vp.VLock.ReadHeld():
		return vnode.LK_SHARED, nil
	}
	return 0, nil
}

func memfsAccess(l *kern.Lwp, vp *vnode.Vnode, mode int, cred *kern.Cred) error {
	if nodeOf(vp).deny&mode != 0 {
		return kern.EACCES
	}
	return nil
}

func memfsLookup(l *kern.Lwp, dvp *vnode.Vnode, cnp *vnode.Componentname) (*vnode.Vnode, error) {
	d := nodeOf(dvp)
	if f := d.fs.badLookup; f != nil {
		if n, err, done := f(cnp); done {
			if n == nil {
				return nil, err
			}
			return d.fs.vget(l, n), err
		}
	}
	if err := vnode.VOP_ACCESS(l, dvp, vnode.VEXEC, cnp.Cred); err != nil {
		return nil, err
	}
	if cnp.Name() == "." {
		dvp.Ref(l)
		return dvp, nil
	}
	n := d.find(cnp.Name())
	if cnp.Flags&vnode.ISDOTDOT != 0 {
		n = d.parent
	} else if t := d.take(cnp); t != nil {
		n = t
	}
	if n != nil {
		return d.fs.vget(l, n), nil
	}
	if cnp.Flags&vnode.ISLASTCN == 0 || cnp.Nameiop != vnode.CREATE && cnp.Nameiop != vnode.RENAME {
		return nil, kern.ENOENT
	}
	if d.fs.creating != nil {
		return nil, d.fs.creating
	}
	return nil, kern.EJUSTRETURN
}

// take finds a path that is taken as a whole and consumes it, slashes behind
// it included.
func (d *node) take(cnp *vnode.Componentname) *node {
	if d != d.fs.root {
		return nil
	}
	for key, n := range d.fs.takes {
		if rest, ok := strings.CutPrefix(cnp.Nameptr, key); ok && (rest == "" || rest[0] == '/') {
			cnp.Consume = len(cnp.Nameptr) - len(strings.TrimLeft(rest, "/")) - cnp.Namelen + d.fs.consumed
			if rest == "" && n.typ != vnode.VDIR {
				cnp.Flags &^= vnode.REQUIREDIR
			}
			return n
		}
	}
	return nil
}

func memfsGetattr(l *kern.Lwp, vp *vnode.Vnode, vap *vnode.Vattr, cred *kern.Cred) error {
	n := nodeOf(vp)
	if n.ino == 0 {
		return kern.EIO
	}
	vap.Null()
	vap.Type, vap.Fileid, vap.Blocksize = n.typ, n.ino, 600
	return nil
}

func memfsReadlink(l *kern.Lwp, vp *vnode.Vnode, uio *kern.Uio, cred *kern.Cred) error {
	n := nodeOf(vp)
	if n.target == "EIO" {
		return kern.EIO
	}
	return uio.Move([]byte(n.target))
}

// memfsReaddir has offsets that count names.
func memfsReaddir(l *kern.Lwp, vp *vnode.Vnode, uio *kern.Uio, cred *kern.Cred, cookies *vnode.Cookies) (bool, error) {
	n := nodeOf(vp)
	if f := n.fs.badReaddir; f != nil {
		if eof, err, done := f(uio); done {
			return eof, err
		}
	}
	i := int(uio.Offset)
	for ; i < len(n.names); i++ {
		de := kern.Dirent{Fileno: n.names[i].n.ino, Type: vnode.DirentType(n.names[i].n.typ), Name: n.names[i].name}
		if int64(de.Reclen()) > uio.Resid {
			break
		}
		uio.Move(de.Append(nil))
	}
	uio.Offset = int64(i)
	return i == len(n.names), nil
}

// A world is a kernel with a tree of memfs, one process and one lwp.
type world struct {
	t    testing.TB
	k    *kern.Kernel
	sys  *vnode.System
	l    *kern.Lwp
	cwdi *Cwdinfo
	fs   *memfs
	base []string // what the audit says when nobody walks
}

// newWorld boots a kernel whose tree is described by one line a file: a path
// that ends in a slash is a directory, "/p -> target" a symbolic link, "/p/ =
// name" a directory with a memfs of that name mounted on it, and "/p @dev" a
// device.
func newWorld(t testing.TB, mode hypercall.Mode, tree string) *world {
	return newWorldSeed(t, hypercall.Config{Mode: mode}, tree)
}

func newWorldSeed(t testing.TB, c hypercall.Config, tree string) *world {
	w := &world{t: t, k: kern.NewKernel(hypercall.NewSystem(c), kern.Rev1125)}
	w.sys = vnode.NewSystem(w.k, uvm.NewSystem(w.k, uvm.Config{StepDaemon: true}), vnode.Config{Stepped: true})
	w.cwdi = NewCwdinfo(w.k)
	p := kern.NewProc(w.k, kern.RootCred())
	p.Cwdi = w.cwdi
	w.l = kern.NewLwp(w.k, p, "test")
	w.sys.DeadOps = &deadOps
	dead := w.mount("dead", nil)
	w.sys.DeadMount = dead.mp
	w.fs = w.mount("root", nil)
	root := w.fs.vget(w.l, w.fs.root)
	w.sys.Root.Store(root)
	root.Ref(w.l)
	w.cwdi.Chdir(w.l, root)
	for _, line := range strings.Split(tree, "\n") {
		if line = strings.TrimSpace(line); line != "" {
			w.plant(line)
		}
	}
	w.base = w.sys.Audit(w.l)
	if t != nil {
		t.Cleanup(func() {
			if w.k.Sys.Stopped() == nil {
				w.balanced("in the end")
			}
		})
	}
	return w
}

// mount makes a memfs; covered is the vnode of the directory it is mounted
// on, the reference to which it takes.
func (w *world) mount(name string, covered *vnode.Vnode) *memfs {
	fs := &memfs{name: name, ops: &memfsOps, takes: map[string]*node{}, lockErr: map[*node]error{}}
	fs.lock.Init(w.k.Sys, &memfsLockClass)
	fs.mp = w.sys.MountAlloc(w.l, fs, covered)
	fs.root = fs.new(vnode.VDIR)
	if covered != nil {
		covered.SetMountedhere(fs.mp)
		nodeOf(covered).covers = fs
	}
	return fs
}

func (w *world) plant(line string) {
	words := strings.Fields(line)
	dir, name := w.parentOf(words[0])
	fs := dir.fs
	switch {
	case len(words) == 3 && words[1] == "->":
		n := fs.new(vnode.VLNK)
		n.target = words[2]
		dir.add(name, n)
	case len(words) == 3 && words[1] == "=":
		n := dir.add(name, fs.new(vnode.VDIR))
		w.mount(words[2], fs.vget(w.l, n))
	case len(words) == 2:
		dir.add(name, fs.new(vnode.VCHR))
	case strings.HasSuffix(line, "/"):
		dir.add(name, fs.new(vnode.VDIR))
	default:
		dir.add(name, fs.new(vnode.VREG))
	}
}

// parentOf finds the directory of an absolute path without links.
func (w *world) parentOf(path string) (*node, string) {
	parts := strings.Split(strings.Trim(path, "/"), "/")
	n := w.fs.root
	for _, p := range parts[:len(parts)-1] {
		if n = n.find(p); n == nil {
			w.t.Fatalf("no directory for %s", path)
		}
		if n.covers != nil {
			n = n.covers.root
		}
	}
	return n, parts[len(parts)-1]
}

// at finds a node by an absolute path without links; at a mount point it is
// the root of what is mounted.
func (w *world) at(path string) *node {
	if path == "/" {
		return w.fs.root
	}
	d, name := w.parentOf(path)
	n := d.find(name)
	if n == nil {
		w.t.Fatalf("no %s", path)
	}
	if n.covers != nil {
		return n.covers.root
	}
	return n
}

// vp returns a referenced vnode.
func (w *world) vp(path string) *vnode.Vnode {
	n := w.at(path)
	return n.fs.vget(w.l, n)
}

// name is the path of a node, with the name of its file system before that of
// each root: "root:/a/b".
func (w *world) name(n *node) string {
	if n == nil {
		return "nil"
	}
	if n == n.fs.root {
		return n.fs.name + ":/"
	}
	if p, ok := findName(n.fs.root, n, ""); ok {
		return n.fs.name + ":" + p
	}
	return n.fs.name + ":gone"
}

func findName(d, n *node, prefix string) (string, bool) {
	for _, e := range d.names {
		if e.n == n {
			return prefix + "/" + e.name, true
		}
		if p, ok := findName(e.n, n, prefix+"/"+e.name); ok {
			return p, true
		}
	}
	return "", false
}

// balanced fails the test unless every lock and reference is back.
func (w *world) balanced(what string) {
	w.t.Helper()
	if now := w.sys.Audit(w.l); !slices.Equal(now, w.base) {
		w.t.Fatalf("%s: left over:\n%s\nwas:\n%s", what, strings.Join(now, "\n"), strings.Join(w.base, "\n"))
	}
}

// rebase takes what is held now as what shall be held.
func (w *world) rebase() { w.base = w.sys.Audit(w.l) }

// panics returns the message of the kernel panic in f.
func panics(f func()) (msg string) {
	defer func() {
		if p, ok := recover().(*kern.Panic); ok {
			msg = p.Msg
		}
	}()
	f()
	return "no panic"
}

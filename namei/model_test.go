package namei

import (
	"fmt"
	"strings"
	"testing"

	"pgregory.net/rapid"

	"rumpvfs/hypercall"
	"rumpvfs/kern"
	"rumpvfs/vnode"
)

// A model answers what a walk must answer by rewriting the path as a list of
// names, on the tree of nodes, without vnodes, locks and references.
type model struct {
	root, cwd *node
	op, flags uint32
	links     int
}

// top is what shows at n: the root of what is mounted there.
func top(n *node) *node {
	for n.covers != nil {
		n = n.covers.root
	}
	return n
}

// up is the directory above d.
func (m *model) up(w *world, d *node) *node {
	for d != m.root && d == d.fs.root && d.fs != w.fs {
		d = nodeOf(d.fs.mp.Covered)
	}
	if d == m.root || d == w.fs.root {
		return d
	}
	return d.parent
}

// resolve returns leaf and directory (nil if there is none), or the error. A
// leaf that may be created is nil.
func (m *model) resolve(w *world, path string) (dir, n *node, err error) {
	if path == "" {
		return nil, nil, kern.ENOENT
	}
	d := m.cwd
	if path[0] == '/' {
		d = m.root
	}
	names, slash := split(path)
	if len(names) == 0 {
		return nil, d, nil
	}
	for {
		name, last := names[0], len(names) == 1
		needDir := !last || slash
		if len(name) > kern.KERNEL_NAME_MAX {
			return nil, nil, kern.ENAMETOOLONG
		}
		dir, n = m.step(w, d, name)
		switch {
		case d.deny&vnode.VEXEC != 0 && !m.rootDotdot(w, d, name):
			return nil, nil, kern.EACCES
		case n == nil && last && m.op == vnode.CREATE && name != ".." && !(slash && m.flags&vnode.CREATEDIR == 0):
			return dir, nil, nil
		case n == nil:
			return nil, nil, kern.ENOENT
		case n.typ == vnode.VLNK && (needDir || m.flags&vnode.FOLLOW != 0):
			if m.links++; m.links > kern.MAXSYMLINKS {
				return nil, nil, kern.ELOOP
			}
			if n.target == "" {
				return nil, nil, kern.ENOENT
			}
			if n.target[0] == '/' {
				d = m.root
			} else {
				d = dir
			}
			more, slashed := split(n.target)
			slash = last && slashed || slash
			if names = append(more, names[1:]...); len(names) == 0 {
				return nil, d, nil
			}
			continue
		case needDir && n.typ != vnode.VDIR:
			return nil, nil, kern.ENOTDIR
		case last:
			return dir, n, nil
		}
		d, names = n, names[1:]
	}
}

// rootDotdot says that nobody asks the file system about "..".
func (m *model) rootDotdot(w *world, d *node, name string) bool {
	return name == ".." && (d == m.root || d == w.fs.root || d == d.fs.root)
}

// step looks up a name: the directory that it is in then, and what it is.
func (m *model) step(w *world, d *node, name string) (dir, n *node) {
	switch name {
	case ".":
		return d, d
	case "..":
		n = m.up(w, d)
		if n == d {
			return d, d
		}
		for d == d.fs.root {
			d = nodeOf(d.fs.mp.Covered)
		}
		return d, n
	}
	n = d.find(name)
	if n == nil {
		return d, nil
	}
	if n.covers != nil {
		return top(n), top(n)
	}
	return d, n
}

func split(path string) (names []string, slash bool) {
	names = strings.FieldsFunc(path, func(r rune) bool { return r == '/' })
	return names, strings.HasSuffix(path, "/")
}

// answer is what the walk must return, in the words of world.result.
func (m *model) answer(w *world, path string) string {
	dir, n, err := m.resolve(w, path)
	if err == nil && n != nil && m.op != vnode.LOOKUP && (dir == nil || dir.fs != n.fs) {
		if err = kern.EBUSY; m.op == vnode.CREATE {
			err = kern.EEXIST
		}
	}
	if err != nil {
		return err.(kern.Errno).Name()
	}
	s := w.name(n)
	if n != nil && (m.flags&vnode.LOCKLEAF != 0) {
		s += "*"
	}
	if m.flags&vnode.LOCKPARENT != 0 && dir != nil {
		s += " in " + w.name(dir)
		if dir != n || m.flags&vnode.LOCKLEAF != 0 {
			s += "*"
		}
	}
	return s
}

// compare makes the walk and asks the model.
func (w *world) compare(t interface{ Fatalf(string, ...any) }, op, flags uint32, path string) {
	m := &model{root: w.fs.root, cwd: nodeOf(w.cwdi.Cdir), op: op, flags: flags}
	if w.cwdi.Rdir != nil {
		m.root = nodeOf(w.cwdi.Rdir)
	}
	got, want := w.walk(op, flags, path), m.answer(w, path)
	if got != want {
		t.Fatalf("op %d flags %#x %q: %s, the model says %s", op, flags, path, got, want)
	}
}

var modelNames = []string{"a", "b", "c", "d"}

// drawTree makes a random tree on one file system and mounts others on some
// of its directories.
func drawTree(rt *rapid.T, w *world, fs *memfs, depth int) {
	var grow func(d *node, left int)
	grow = func(d *node, left int) {
		for _, name := range modelNames {
			switch kind := rapid.IntRange(0, 9).Draw(rt, "kind"); {
			case kind < 3 && left > 0:
				c := d.add(name, fs.new(vnode.VDIR))
				if rapid.IntRange(0, 5).Draw(rt, "mount") == 0 && depth > 0 {
					drawTree(rt, w, w.mount(fmt.Sprintf("%s%d", fs.name, c.ino), fs.vget(w.l, c)), depth-1)
				}
				grow(c, left-1)
			case kind < 5:
				d.add(name, fs.new(vnode.VREG))
			case kind < 8:
				n := d.add(name, fs.new(vnode.VLNK))
				n.target = drawPath(rt, 3)
			}
		}
	}
	grow(fs.root, 3)
}

func drawPath(rt *rapid.T, n int) string {
	return rapid.Custom(func(t *rapid.T) string {
		var b strings.Builder
		b.WriteString(rapid.SampledFrom([]string{"", "", "/"}).Draw(t, "start"))
		for i := range rapid.IntRange(0, n).Draw(t, "length") {
			if i > 0 {
				b.WriteString(rapid.SampledFrom([]string{"/", "/", "//"}).Draw(t, "between"))
			}
			b.WriteString(rapid.SampledFrom(append(modelNames, ".", "..", "..")).Draw(t, "name"))
		}
		b.WriteString(rapid.SampledFrom([]string{"", "", "", "/"}).Draw(t, "end"))
		return b.String()
	}).Draw(rt, "path")
}

// TestModel compares walks on random trees with the model, with the vnode
// layer checking every operation's locks and references.
func TestModel(t *testing.T) {
	rapid.Check(t, func(rt *rapid.T) {
		w := newWorld(t, hypercall.Checked, "")
		drawTree(rt, w, w.fs, 2)
		w.rebase()
		w.l.Hooks = &kern.Hooks{Check: true}
		for range 20 {
			if rapid.IntRange(0, 7).Draw(rt, "move") == 0 {
				w.wander(rt)
			}
			op := rapid.SampledFrom([]uint32{lookup, create, remove}).Draw(rt, "op")
			flags := rapid.SampledFrom([]uint32{0, leaf, parent, both}).Draw(rt, "locks") |
				rapid.SampledFrom([]uint32{0, follow}).Draw(rt, "follow") |
				rapid.SampledFrom([]uint32{0, vnode.CREATEDIR}).Draw(rt, "createdir")
			w.compare(rt, op, flags, drawPath(rt, 6))
		}
	})
}

// wander changes working or root directory, and sees that getcwd leads back.
func (w *world) wander(rt *rapid.T) {
	vp, err := ChdirLookup(w.l, drawPath(rt, 4))
	if err != nil {
		return
	}
	if rapid.IntRange(0, 3).Draw(rt, "chroot") == 0 {
		w.cwdi.ChangeRoot(w.l, vp)
	} else {
		w.cwdi.Chdir(w.l, vp)
	}
	w.rebase()
	path := w.getcwd(4096)
	if got, want := w.walk(lookup, 0, path), w.describe(w.cwdi.Cdir); got != want {
		rt.Fatalf("getcwd says %q, which is %s, not %s", path, got, want)
	}
}

// FuzzNamei walks along any path on a fixed tree and compares with the model.
func FuzzNamei(f *testing.F) {
	for _, path := range []string{
		"/", "/d/e/../f", "ld/../m/x", "/m/sub/deep/../../../lf/", "/lnone/", "/self", "root/root//absd/g", "../up/./e", "/nosuch/..",
		strings.Repeat("d/../", 200), strings.Repeat("n", 256), "m/out", "tty/x", "empty",
	} {
		f.Add(path, uint8(0), uint8(0))
		f.Add(path, uint8(1), uint8(7))
		f.Add(path, uint8(2), uint8(15))
	}
	w := testWorld(f)
	f.Fuzz(func(t *testing.T, path string, op, how uint8) {
		w.t = t
		path, err := Copyin(path)
		if err != nil {
			return
		}
		var flags uint32
		for i, f := range []uint32{leaf, parent, follow, vnode.CREATEDIR} {
			if how>>i&1 != 0 {
				flags |= f
			}
		}
		w.compare(t, []uint32{lookup, create, remove}[op%3], flags, path)
	})
}

package rumpfs

import (
	"strings"
	"testing"

	"rumpvfs/kern"
	"rumpvfs/vnode"
)

// broken is what Check says of the machine's root file system.
func (m *machine) broken() string {
	c := kern.NewCheckup(m.l, func(c *kern.Checkup) { m.fs.Check(c, m.mp) })
	c.Begin()
	return strings.Join(c.End(), "\n")
}

// TestCheckSees breaks each invariant of a tree with the file f, the directory d and the whiteout w on purpose: it is named.
func TestCheckSees(t *testing.T) {
	type tree struct {
		*machine
		root, f, d *node
		dir        *directory // the root's
	}
	for _, c := range []struct {
		name string
		harm func(k *tree)
		want string // "" for nothing
	}{
		{"nothing", func(*tree) {}, ""},
		{"parent of the root", func(k *tree) { k.root.dir.parent = k.d }, "the root directory is not its own parent"},
		{"vnode of a node", func(k *tree) { k.f.vp.Store(nil) }, "its node has another vnode, or none"},
		{"node of a vnode", func(k *tree) { k.f.vp.Store(k.d.vp.Load()) }, "its vnode is not its own: vnode VDIR"},
		{"nameless", func(k *tree) { k.dir.remove(k.dir.find("f")) }, "no name leads to it, and it does not say so"},
		{"kernel", func(k *tree) { k.f.fs = new(FS) }, "belongs to another kernel"},
		{"directory", func(k *tree) { k.f.dir = new(directory) }, "a directory, or not"},
		{"freed", func(k *tree) { k.f.freed.Store(true) }, "is freed"},
		{"name not found", func(k *tree) { k.dir.names["f"] = &dirent{name: "f"} }, `"f" is in its slots, but cannot be found`},
		{"name not in slots", func(k *tree) { k.dir.names["g"] = k.dir.names["f"] }, "4 names, but 3 in its slots"},
		{"second name", func(k *tree) { k.dir.find("w").node = k.f }, `is a second name of it`},
		{"name of what has none", func(k *tree) { k.f.canReclaim = true }, `has the name "f" and does not know`},
		{"parent", func(k *tree) { k.d.dir.parent = k.d }, `is in a directory, as "d", that is not its parent`},
		{"links of a directory", func(k *tree) { k.root.va.Nlink = 9 }, "nlink 9, but 1 subdirectories"},
		{"account of nodes", func(k *tree) { k.root.mnt.nodeBytes.Add(1) }, "the account of nodes and names is"},
		{"account of data", func(k *tree) { k.root.mnt.dataBytes.Add(1) }, "the account of data is 9 bytes, but they take 8"},
		{"slot", func(k *tree) { k.dir.find("f").slot++ }, "its slots: slot 0 has another's entry, or none"},
		{"order of slots", func(k *tree) { k.dir.find("w").seq = 1 }, "its slots: slot 2 is older than the one before"},
		{"number of slots", func(k *tree) { k.dir.order.n++ }, "its slots: 3 entries, but n is 4"},
		{"tree of slots", func(k *tree) { k.dir.order.fen[0]++ }, "its slots: cell 0 of the tree counts 4"},
		{"order of chunks", func(k *tree) { k.f.data.chunks = append(k.f.data.chunks, k.f.data.chunks[0]) }, "its data: chunk 0 is not behind the one before"},
		{"pages of a chunk", func(k *tree) { k.f.data.chunks[0].used++ }, "its data: chunk 0 has 1 pages, not 2"},
		{"page beyond the end", func(k *tree) { k.f.data.chunks[0].pages[1] = new(dataPage) }, "its data: page 1 lies beyond the end, 8"},
	} {
		t.Run(c.name, func(t *testing.T) {
			m := boot(t, config{quirks: kern.Fixed})
			f, err := m.create(m.root, "f", 0o644)
			wantErr(t, "create", err, nil)
			d, err := m.mkdir(m.root, "d", 0o755)
			wantErr(t, "mkdir", err, nil)
			wantErr(t, "whiteout", m.whiteout(m.root, "w", vnode.CREATE), nil)
			_, err = m.write(f, 0, "contents", 0)
			wantErr(t, "write", err, nil)
			nodeOf(f).data.writeAt([]byte("contents"), 0)
			k := &tree{machine: m, root: nodeOf(m.root), f: nodeOf(f), d: nodeOf(d), dir: nodeOf(m.root).dir}
			c.harm(k)
			if broken := m.broken(); c.want == "" && broken != "" || !strings.Contains(broken, c.want) {
				t.Errorf("broken: %q, want %q", broken, c.want)
			}
		})
	}
}

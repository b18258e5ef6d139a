package proptest_test

import (
	"math/rand/v2"
	"strings"
	"testing"

	"rumpvfs/kern"
	"rumpvfs/proptest/call"
	"rumpvfs/proptest/model"
	"rumpvfs/proptest/target"
	"rumpvfs/sim"
	"rumpvfs/tmpfs"
)

// nameCall makes a call about names that means the same on every system.
func nameCall(p *picker) (c call.Call) {
	names := []string{"a", "b", "c", "d"}
	path := func() string {
		if p.rarely(25) {
			return pick(p, ".", "a/.", "b/..")
		}
		list := make([]string, 1+p.IntN(3))
		for i := range list {
			list[i] = pick(p, names...)
		}
		return strings.Join(list, "/")
	}
	c.Op = pick(p, call.Mkdir, call.Mkdir, call.Rmdir, call.Unlink, call.Symlink, call.Link, call.Link, call.Rename, call.Rename, call.Rename,
		call.Open, call.Open, call.Lstat, call.Lstat)
	switch c.Path = path(); c.Op {
	case call.Symlink:
		c.Path2 = pick(p, "a", "b", "a/c", "d", ".")
	case call.Link, call.Rename:
		c.Path2 = path()
	case call.Open:
		c.Flags, c.Mode = kern.O_CREAT|kern.O_EXCL|kern.O_RDWR, 0o644
	case call.Mkdir:
		c.Mode = 0o755
	case call.Lstat:
		c.Path = strings.ReplaceAll(c.Path, "..", ".")
	}
	return c
}

// TestNamesOnTmpfs makes, renames and links names in a tmpfs, which answers as the model does.
func TestNamesOnTmpfs(t *testing.T) {
	k, err := target.New(sim.Config{}, func(p *sim.Proc) error {
		if err := p.Mount(tmpfs.MOUNT_TMPFS, "/tmp", 0, tmpfs.DefaultArgs()); err != nil {
			return err
		}
		if err := p.Mkdir("/tmp/w", 0o755); err != nil {
			return err
		}
		return p.Chdir("/tmp/w")
	})
	if err != nil {
		t.Fatal(err)
	}
	m := model.New(model.Config{Quirks: kern.Fixed, Caps: model.Caps{Rename: true, Link: true}})
	p := &picker{rand.New(rand.NewPCG(13, 14))}
	for range 400 {
		if m.Reset() != nil || k.Reset() != nil {
			t.Fatal("no reset")
		}
		var r, got call.Result
		m.Do(&call.Call{Op: call.Mkdir, Path: "/w", Mode: 0o755}, &r)
		m.Do(&call.Call{Op: call.Chdir, Path: "/w"}, &r)
		var story []string
		for range 150 {
			c := nameCall(p)
			story = append(story, c.String())
			m.Do(&c, &r)
			last := m.Last
			k.Do(&c, &got)
			if c.Op == call.Open && r.Errno == 0 {
				shut := call.Call{Op: call.Close, FD: int32(r.Ret)}
				m.Do(&shut, new(call.Result))
				k.Do(&shut, new(call.Result))
			}
			if !last.Allows(got.Errno) || (r.File.Mode^got.File.Mode)&kern.S_IFMT != 0 || r.File.Nlink != got.File.Nlink {
				t.Fatalf("%s\n=> %s (%v), on tmpfs %s", strings.Join(story, "\n"), r.Format(&c), last, got.Format(&c))
			}
		}
	}
	if err := k.Close(); err != nil {
		t.Error(err)
	}
}

package driver

import (
	"context"
	"testing"

	"rumpvfs/hypercall"
	"rumpvfs/kern"
	"rumpvfs/proptest/call"
	"rumpvfs/proptest/clause"
	"rumpvfs/proptest/model"
	"rumpvfs/sim"
)

// readOnly is rumpfs with a few files in it, mounted read-only.
func readOnly() FS {
	return FS{
		Name: "read-only rumpfs",
		Caps: model.Caps{ReadOnly: true},
		Tree: []call.Call{
			{Op: call.Mkdir, Path: "/a", Mode: 0o777},
			{Op: call.Mkdir, Path: "/a/b", Mode: 0o700},
			{Op: call.Open, Path: "/b", Flags: kern.O_CREAT | kern.O_RDWR, Mode: 0o666},
			{Op: call.Write, FD: 3, Data: "hello, world\n"},
			{Op: call.Close, FD: 3},
			{Op: call.Symlink, Path: "/c", Path2: "a"},
			{Op: call.Mkfifo, Path: "/a/f", Mode: 0o666},
			{Op: call.Mknod, Path: "/d", Mode: kern.S_IFWHT},
		},
		Prepare: func(p *sim.Proc) error {
			fd := 0
			for _, step := range []func() error{
				func() error { return p.Mkdir("/a", 0o777) },
				func() error { return p.Mkdir("/a/b", 0o700) },
				func() (err error) { fd, err = p.Open("/b", kern.O_CREAT|kern.O_RDWR, 0o666); return err },
				func() error { _, err := p.Write(fd, []byte("hello, world\n")); return err },
				func() error { return p.Close(fd) },
				func() error { return p.Symlink("a", "/c") },
				func() error { return p.Mkfifo("/a/f", 0o666) },
				func() error { return p.Mknod("/d", kern.S_IFWHT, 0) },
				func() error { return p.Mount("rumpfs", "/", kern.MNT_UPDATE|kern.MNT_RDONLY, nil) },
			} {
				if err := step(); err != nil {
					return err
				}
			}
			return nil
		},
	}
}

// TestReadOnly: nothing changes on a file system that is mounted read-only; with the quirk, attributes do.
func TestReadOnly(t *testing.T) {
	for _, quirks := range []kern.Quirks{0, kern.Rev1125} {
		d, err := New(Config{Calls: 40000, FS: readOnly(), Quirks: quirks, Mode: hypercall.Deterministic})
		if err != nil {
			t.Fatal(err)
		}
		failures, err := d.Run(context.Background())
		if err != nil {
			t.Fatal(err)
		}
		for _, f := range failures {
			t.Errorf("%v", f)
		}
		if err := d.Close(); err != nil {
			t.Error(err)
		}
		for i, c := range clause.All() {
			if c.Cause == clause.ReadOnly && quirks == 0 && d.Stats.Coverage[i+1] == 0 {
				t.Errorf("%s never came", c.Name())
			}
		}
	}
}

package hellofs_test

import (
	"context"
	"fmt"
	"log"
	"testing"

	"rumpvfs/examples/hellofs"
	"rumpvfs/gofs"
	"rumpvfs/hypercall"
	"rumpvfs/kern"
	"rumpvfs/proptest/call"
	"rumpvfs/proptest/clause"
	"rumpvfs/proptest/driver"
	"rumpvfs/proptest/gen"
	"rumpvfs/proptest/model"
	"rumpvfs/proptest/target"
	"rumpvfs/sim"
	"rumpvfs/vnode"
)

// boot makes a kernel that knows hellofs with some files.
func boot(c sim.Config, files map[string]string) sim.Config {
	c.FileSystems = append(c.FileSystems, func(_ *kern.Kernel, sys *vnode.System) vnode.VFSOps { return hellofs.New(sys, files) })
	return c
}

func Example() {
	k, err := sim.Boot(boot(sim.Config{}, map[string]string{"hello": "hello, world\n"}))
	if err != nil {
		log.Fatal(err)
	}
	p := k.Init()
	fmt.Println(p.Mkdir("/mnt", 0o755), p.Mount("hellofs", "/mnt", 0, nil))
	files := gofs.New(p)
	text, err := files.ReadFile("/mnt/hello")
	fmt.Printf("%q %v\n", text, err)
	fmt.Println(files.Remove("/mnt/hello"))
	fmt.Println(p.Unmount("/mnt", 0), k.Shutdown())
	// Output:
	// <nil> <nil>
	// "hello, world\n" <nil>
	// remove /mnt/hello: EROFS: the file system is mounted read-only
	// <nil> <nil>
}

// greetings are the files of the tests.
var greetings = map[string]string{"a": "hello, world\n", "b": "goodbye\n"}

// mounted is hellofs over the root, as the model sees it.
func mounted() driver.FS {
	fs := driver.FS{
		Name: "hellofs", Caps: model.Caps{ReadOnly: true, Bare: true},
		Prepare: func(p *sim.Proc) error {
			if err := p.Mount("hellofs", "/", 0, nil); err != nil {
				return err
			}
			if err := p.Chroot("/"); err != nil {
				return err
			}
			return p.Chdir("/")
		},
	}
	for _, name := range []string{"a", "b"} {
		fs.Tree = append(fs.Tree,
			call.Call{Op: call.Open, Path: "/" + name, Flags: kern.O_CREAT | kern.O_WRONLY, Mode: 0o644},
			call.Call{Op: call.Write, FD: 3, Data: greetings[name]}, call.Call{Op: call.Close, FD: 3})
	}
	return fs
}

// TestModel: random calls answer as the model of a read-only file system says.
func TestModel(t *testing.T) {
	fs := mounted()
	d, err := driver.New(driver.Config{
		Calls: 30000, FS: fs,
		// The model takes every file for a device of its own, as rumpfs has it.
		Same: func(_ *call.Call, want, got *call.Result, _ clause.ID) bool {
			g := *got
			g.File.Dev = want.File.Dev
			return want.Equal(&g)
		},
		Gen: gen.Config{Leave: []call.Op{call.Statvfs1, call.Fstatvfs1, call.Getvfsstat}},
		System: func() (call.System, error) {
			c := sim.Config{Mode: hypercall.Deterministic, Fixed: kern.Rev1125}
			return target.New(boot(c, greetings), fs.Prepare)
		},
	})
	if err != nil {
		t.Fatal(err)
	}
	failures, err := d.Run(context.Background())
	if err != nil {
		t.Fatal(err)
	}
	for _, f := range failures {
		t.Error(f)
	}
	if err := d.Close(); err != nil {
		t.Error(err)
	}
}

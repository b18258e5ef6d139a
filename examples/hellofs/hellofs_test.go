package hellofs_test

import (
	"bytes"
	"fmt"
	"log"
	"os"
	"testing"

	"rumpvfs/examples/hellofs"
	"rumpvfs/gofs"
	"rumpvfs/kern"
	"rumpvfs/proptest"
	"rumpvfs/proptest/call"
	"rumpvfs/proptest/driver"
	"rumpvfs/proptest/model"
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

// conforming is hellofs for the conformance kit.
func conforming() proptest.Target {
	return proptest.Target{
		FS: mounted(), Config: boot(sim.Config{}, greetings), NoNames: true,
		Leave: []call.Op{call.Statvfs1, call.Fstatvfs1, call.Getvfsstat}, // the model knows how rumpfs answers them
	}
}

// TestConform: hellofs keeps what a read-only file system promises.
func TestConform(t *testing.T) { proptest.Conform(t, conforming()) }

// TestOnePage: whoever brings a file system over reads hellofs first, so it is short.
func TestOnePage(t *testing.T) {
	src, err := os.ReadFile("hellofs.go")
	if n := bytes.Count(src, []byte("\n")); n > 200 || err != nil {
		t.Errorf("%d lines, %v", n, err)
	}
}

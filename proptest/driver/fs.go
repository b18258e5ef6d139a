package driver

import (
	"fmt"
	"strings"

	"rumpvfs/hypercall"
	"rumpvfs/kern"
	"rumpvfs/proptest/call"
	"rumpvfs/proptest/model"
	"rumpvfs/proptest/target"
	"rumpvfs/sim"
	"rumpvfs/tmpfs"
)

// A FS is a file system to be tested, as the root of a kernel or mounted over it.
type FS struct {
	Name string
	Caps model.Caps // what the model has to know of it
	// Prepare mounts it over the root of a kernel that has just been booted, and makes what rumpfs begins with: /dev with
	// null and zero, and /tmp. Nil is rumpfs itself.
	Prepare func(*sim.Proc) error
	// Setup is what Prepare does, as lines of the script language that answer 0.
	Setup []string
	// Tree are the calls that make what Prepare has made, for the model.
	Tree []call.Call
	// Root says that it is the kernel's own root: Prepare mounts nothing.
	Root bool
}

// Rumpfs is the root file system.
func Rumpfs() FS { return FS{Name: "rumpfs", Root: true} }

// Tmpfs is a tmpfs without limits.
func Tmpfs() FS { return tmpfsOf("tmpfs", "", tmpfs.Args{}) }

// SmallTmpfs is a tmpfs in which there is room for little.
func SmallTmpfs() FS {
	return tmpfsOf("tmpfs-small", " size=65536 nodes=24", tmpfs.Args{SizeMax: 65536, NodesMax: 24})
}

// FifoTmpfs is a tmpfs of which the fifos can be opened.
func FifoTmpfs() FS {
	fs := tmpfsOf("tmpfs-fifofs", "", tmpfs.Args{})
	fs.Caps.Fifos = true
	return fs
}

func tmpfsOf(name, options string, args tmpfs.Args) FS {
	args.RootMode = 0o755
	return FS{
		Name: name,
		Caps: model.Caps{Tmpfs: true, TmpBytes: args.SizeMax, TmpFiles: int(args.NodesMax)},
		Prepare: func(p *sim.Proc) error {
			own := args
			if err := p.Mount(tmpfs.MOUNT_TMPFS, "/", 0, &own); err != nil {
				return err
			}
			return populate(p)
		},
		Setup: []string{`mount "tmpfs" "/" 0` + options + ` mode=0755`, `mkdir "/dev" 0755`, `mkdir "/tmp" 0777`, `chmod "/tmp" 01777`,
			`mknod "/dev/null" S_IFCHR|0644 dev:2,2`, `mknod "/dev/zero" S_IFCHR|0644 dev:2,12`},
	}
}

// ReadOnlyRumpfs is rumpfs with a few files in it, mounted read-only.
func ReadOnlyRumpfs() FS {
	return FS{
		Name: "rumpfs-readonly",
		Root: true,
		Caps: model.Caps{ReadOnly: true},
		Tree: []call.Call{
			{Op: call.Mkdir, Path: "/a", Mode: 0o777},
			{Op: call.Mkdir, Path: "/a/b", Mode: 0o700},
			{Op: call.Mknod, Path: "/b", Mode: kern.S_IFREG | 0o666},
			{Op: call.Truncate, Path: "/b", Size: 5000},
			{Op: call.Symlink, Path: "/c", Path2: "a"},
			{Op: call.Mkfifo, Path: "/a/f", Mode: 0o666},
			{Op: call.Mknod, Path: "/d", Mode: kern.S_IFWHT},
		},
		Prepare: func(p *sim.Proc) error {
			for _, step := range []func() error{
				func() error { return p.Mkdir("/a", 0o777) },
				func() error { return p.Mkdir("/a/b", 0o700) },
				func() error { return p.Mknod("/b", kern.S_IFREG|0o666, 0) },
				func() error { return p.Truncate("/b", 5000) },
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
		Setup: []string{`mkdir "/a" 0777`, `mkdir "/a/b" 0700`, `mknod "/b" S_IFREG|0666`,
			`truncate "/b" 5000`, `symlink "a" "/c"`, `mkfifo "/a/f" 0666`, `mknod "/d" S_IFWHT`,
			`mount "rumpfs" "/" MNT_UPDATE|MNT_RDONLY`},
	}
}

// populate makes what a kernel's own root has.
func populate(p *sim.Proc) error {
	for _, err := range []error{
		p.Mkdir("/dev", 0o755), p.Mkdir("/tmp", 0o777), p.Chmod("/tmp", 0o1777),
		p.Mknod("/dev/null", kern.S_IFCHR|0o644, kern.Makedev(2, 2)), p.Mknod("/dev/zero", kern.S_IFCHR|0o644, kern.Makedev(2, 12)),
	} {
		if err != nil {
			return err
		}
	}
	return nil
}

// FileSystems are those that the project has.
func FileSystems() []FS { return []FS{Rumpfs(), ReadOnlyRumpfs(), Tmpfs(), SmallTmpfs(), FifoTmpfs()} }

// FSNames are their names, as a sentence lists them.
func FSNames() string {
	var names []string
	for _, fs := range FileSystems() {
		names = append(names, fs.Name)
	}
	return strings.Join(names, ", ")
}

// FSNamed finds a file system of the project. The error lists their names.
func FSNamed(name string) (FS, error) {
	for _, fs := range FileSystems() {
		if fs.Name == name {
			return fs, nil
		}
	}
	return FS{}, fmt.Errorf("no file system is called %q, only %s", name, FSNames())
}

// Kernel is the usual system under test: a kernel with the file system and the quirks. In mode hypercall.Native it is
// fastest; in hypercall.Deterministic a call that would wait for ever, which in the other modes does, says so.
func (fs FS) Kernel(quirks kern.Quirks, mode hypercall.Mode) (call.System, error) {
	return target.New(sim.Config{Mode: mode, Without: kern.Rev1125 &^ quirks, Fifofs: fs.Caps.Fifos}, fs.Prepare)
}

// Model is the usual oracle: a model of the file system with the quirks.
func (fs FS) Model(quirks kern.Quirks) *model.Model {
	return model.New(model.Config{Quirks: quirks, Caps: fs.Caps, Tree: fs.Tree})
}

// Invariants is a [Config.Check] for systems that can check themselves, as a [target.Kernel] does: every invariant of the kernel holds.
func Invariants(system call.System, _ *call.Call) error {
	if k, ok := system.(interface{ Check() error }); ok {
		return k.Check()
	}
	return nil
}

package scenarios

import (
	"context"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"rumpvfs/hypercall"
	"rumpvfs/kern"
	"rumpvfs/sim"
	"rumpvfs/sim/replay"
	"rumpvfs/sim/script"
	"rumpvfs/tmpfs"
)

// imageSize is how many bytes a file system may have where a case fills it.
const imageSize = 10000 * 512

// A fileSystem is one that the cases are tried on.
type fileSystem struct {
	name    string // as mount takes it
	handles bool   // has file handles
	renames bool   // has rename
}

var fileSystems = []fileSystem{
	{name: "rumpfs"},
	{name: "tmpfs", handles: true, renames: true},
}

// args is what it is mounted with.
func (fs *fileSystem) args() any {
	if fs.name == tmpfs.MOUNT_TMPFS {
		return &tmpfs.Args{SizeMax: imageSize, RootMode: 0o777}
	}
	return nil
}

// each runs a test for every file system.
func each(t *testing.T, test func(t *testing.T, fs fileSystem)) {
	for _, fs := range fileSystems {
		t.Run(fs.name, func(t *testing.T) { test(t, fs) })
	}
}

// mounted boots a kernel with the file system on /mnt. When the test ends,
// it must go again without force, and the kernel must be clean.
func (fs *fileSystem) mounted(t *testing.T, c sim.Config) *sim.Kernel {
	t.Helper()
	k := boot(t, c)
	p := k.Init()
	ok(t, p.Mkdir("/mnt", 0o777))
	ok(t, p.Mount(fs.name, "/mnt", 0, fs.args()))
	t.Cleanup(func() {
		if k.Err() == nil {
			ok(t, p.Chdir("/"))
			ok(t, p.Unmount("/mnt", 0))
			ok(t, p.Rmdir("/mnt"))
		}
	})
	return k
}

// boot boots a kernel that must be clean when the test ends.
func boot(t *testing.T, c sim.Config) *sim.Kernel {
	t.Helper()
	k, err := sim.Boot(c)
	ok(t, err)
	t.Cleanup(func() {
		if err := k.Err(); err != nil {
			t.Error(err)
		}
		if err := k.Shutdown(); err != nil {
			t.Error(err)
		}
	})
	return k
}

// ok stops the test at an error.
func ok(t *testing.T, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}

// value stops the test at an error of a call that returns something.
func value[T any](t *testing.T) func(v T, err error) T {
	return func(v T, err error) T {
		t.Helper()
		ok(t, err)
		return v
	}
}

// wants compares what came with what is expected.
func wants[T comparable](t *testing.T, what string, got, want T) {
	t.Helper()
	if got != want {
		t.Errorf("%s: %v, want %v", what, got, want)
	}
}

// create makes a file that holds text and returns a descriptor for it.
func create(t *testing.T, p *sim.Proc, path, text string) int {
	t.Helper()
	fd := value[int](t)(p.Open(path, kern.O_RDWR|kern.O_CREAT, 0o666))
	wants(t, "write "+path, value[int](t)(p.Write(fd, []byte(text))), len(text))
	return fd
}

// content reads all of a file.
func content(t *testing.T, p *sim.Proc, path string) string {
	t.Helper()
	fd := value[int](t)(p.Open(path, kern.O_RDONLY, 0))
	b := make([]byte, 1<<16)
	n := value[int](t)(p.Read(fd, b))
	ok(t, p.Close(fd))
	return string(b[:n])
}

// traces reads the traces of a file system.
func traces(t *testing.T, fs string) (all []*script.Script) {
	t.Helper()
	files := value[[]string](t)(filepath.Glob("testdata/" + fs + "/*.trace"))
	for _, file := range files {
		src := value[[]byte](t)(os.ReadFile(file))
		all = append(all, value[*script.Script](t)(script.ParseTrace(file, src)))
	}
	return all
}

// caseOf is the name of the case that a section tells.
func caseOf(sec *script.Section) string {
	name, _, _ := strings.Cut(sec.Name, ":")
	return name
}

// sections returns a file system's sections by the names of their cases,
// without the comments in front of a file's first.
func sections(t *testing.T, fs string) map[string]*script.Section {
	t.Helper()
	all := map[string]*script.Section{}
	for _, tr := range traces(t, fs) {
		for i := range tr.Sections {
			if sec := &tr.Sections[i]; sec.Header != "" {
				all[caseOf(sec)] = sec
			}
		}
	}
	return all
}

// TestScripts runs all sections: each call answers what the trace says, and
// every kernel shuts down with nothing left over.
func TestScripts(t *testing.T) {
	each(t, func(t *testing.T, fs fileSystem) {
		for _, tr := range traces(t, fs.name) {
			for i := range tr.Sections {
				runSection(t, tr, i, sim.Config{Mode: hypercall.Deterministic})
			}
		}
	})
}

func runSection(t *testing.T, tr *script.Script, i int, c sim.Config) {
	t.Helper()
	o := replay.Run(context.Background(), &tr.Sections[i], c)
	var b strings.Builder
	ok(t, o.Explain(&b, tr.File, 3))
	if b.Len() > 0 {
		t.Error("\n" + b.String())
	}
}

// TestSameScripts compares the scripts of the file systems: the calls of a
// case are the same everywhere, but for what is mounted.
func TestSameScripts(t *testing.T) {
	rumpfs := sections(t, "rumpfs")
	for _, fs := range fileSystems[1:] {
		for name, sec := range sections(t, fs.name) {
			of := rumpfs[name]
			if of == nil {
				t.Errorf("%s: %s: no such case for rumpfs", fs.name, name)
				continue
			}
			if got, want := calls(sec), calls(of); !slices.Equal(got, want) {
				t.Errorf("%s: %s: calls\n%s\nwant\n%s", fs.name, name, strings.Join(got, "\n"), strings.Join(want, "\n"))
			}
		}
	}
}

// calls returns the calls of a section as they were written, mounts without
// what they mount.
func calls(sec *script.Section) (all []string) {
	for _, l := range sec.Lines {
		switch {
		case l.Call == nil:
		case l.Call.Name == "mount":
			all = append(all, "mount")
		default:
			all = append(all, l.Text)
		}
	}
	return all
}

package policy

import (
	"bytes"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"testing"
)

// The tree is parsed once for all tests, and type-checked once.
var (
	tree = sync.OnceValues(func() (*Tree, error) {
		root, err := FindRoot()
		if err != nil {
			return nil, err
		}
		return Load(root)
	})
	loader = sync.OnceValues(func() (*Loader, error) {
		t, err := tree()
		if err != nil {
			return nil, err
		}
		return NewLoader(t, "context", "fmt", "io/fs", "iter", "log", "maps", "runtime", "slices", "sync", "sync/atomic", "time")
	})
	packages = sync.OnceValues(func() ([]*Package, error) {
		l, err := loader()
		if err != nil {
			return nil, err
		}
		return l.Packages()
	})
)

// must returns what a function gave, or ends the test.
func must[T any](t *testing.T) func(v T, err error) T {
	return func(v T, err error) T {
		t.Helper()
		if err != nil {
			t.Fatal(err)
		}
		return v
	}
}

func report(t *testing.T, found []Finding) {
	t.Helper()
	for _, f := range found {
		t.Error(f)
	}
}

func read(t *testing.T, name string) []byte {
	t.Helper()
	root := must[*Tree](t)(tree()).Root
	return must[[]byte](t)(os.ReadFile(filepath.Join(root, filepath.FromSlash(name))))
}

func TestImportsGoDownTheLayers(t *testing.T) {
	tr := must[*Tree](t)(tree())
	report(t, must[[]Finding](t)(Imports(tr, Layers)))
}

func TestEveryLayerExists(t *testing.T) {
	tr := must[*Tree](t)(tree())
	below := must[map[string][]string](t)(Below(Layers))
	for _, f := range tr.Go {
		delete(below, f.Package())
	}
	for name := range below {
		if !strings.HasSuffix(name, "/...") {
			t.Errorf("package %s of the table does not exist", name)
		}
	}
}

func TestRumpfsAndVfsStandBesideEachOther(t *testing.T) {
	below := must[map[string][]string](t)(Below(Layers))
	if slices.Contains(below["rumpfs"], "vfs") || slices.Contains(below["vfs"], "rumpfs") {
		t.Error("rumpfs and vfs must not import each other")
	}
}

func TestKernelCodeIsDeterministic(t *testing.T) {
	for _, p := range must[[]*Package](t)(packages()) {
		if kernelCode(p.Path) {
			report(t, Lint(p))
		}
	}
}

func TestNoPackageLevelState(t *testing.T) {
	for _, p := range must[[]*Package](t)(packages()) {
		if !strings.HasPrefix(p.Path, "internal/") {
			report(t, State(p))
		}
	}
}

func TestFilesKeepTheHouseRules(t *testing.T) {
	for _, name := range must[*Tree](t)(tree()).All {
		report(t, FileName(name))
		text := read(t, name)
		report(t, Text(name, text))
		generated := bytes.HasPrefix(text, []byte("// Code generated "))
		if n := bytes.Count(text, []byte("\n")); strings.HasSuffix(name, ".go") && !generated && n > maxLines {
			t.Errorf("%s: %d lines; more than %d belong in several files", name, n, maxLines)
		}
	}
}

func TestDirectivesNameTheirOrigin(t *testing.T) {
	all, found := Origins(must[*Tree](t)(tree()))
	report(t, found)
	if len(all) == 0 {
		t.Error("no directives at all")
	}
}

// Every function of the reference has its counterpart.
func TestReferenceIsPorted(t *testing.T) {
	const file = "sys/rump/librump/rumpvfs/rumpfs.c"
	done := map[string]bool{}
	all, _ := Origins(must[*Tree](t)(tree()))
	for _, o := range all {
		if o.File == file {
			done[o.C] = true
		}
	}
	n := 0
	for line := range strings.Lines(string(read(t, "internal/policy/testdata/rumpfs-1.125.txt"))) {
		name := strings.TrimSpace(line)
		if name == "" || name[0] == '#' {
			continue
		}
		n++
		if !done[name] {
			t.Errorf("no //netbsd:%s directive for %s", file, name)
		}
		delete(done, name)
	}
	for name := range done {
		t.Errorf("directive for %s, which %s does not have", name, file)
	}
	if n != 47 {
		t.Errorf("%d functions in the list, want 47", n)
	}
}

func TestNamesAreUpToDate(t *testing.T) {
	all, _ := Origins(must[*Tree](t)(tree()))
	if !bytes.Equal(Names(all), read(t, "docs/NAMES.md")) {
		t.Error("docs/NAMES.md is stale: run go generate ./internal/policy")
	}
}

func TestLockOrderIsWrittenDown(t *testing.T) {
	code, found := Classes(must[*Tree](t)(tree()))
	report(t, found)
	table := ClassTable("docs/locking.md", string(read(t, "docs/locking.md")))
	report(t, CompareClasses(code, table))
}

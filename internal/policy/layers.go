package policy

import (
	"fmt"
	"go/ast"
	"path"
	"slices"
	"strconv"
	"strings"
)

// Layers says which package may import which: those after ">" and all that
// they may import. A package that is not here may not exist. "x/..." stands for
// the packages x and below, which may import each other too.
const Layers = `
hypercall
kern        > hypercall
uvm         > kern
vnode       > uvm
namei       > vnode
genfs       > vnode
blkdev      > vnode
specfs      > genfs, blkdev
rumpfs      > specfs, namei
tmpfs       > specfs, namei
fifofs      > genfs
examples/hellofs > genfs, namei
vfs         > specfs, namei
sim         > rumpfs, tmpfs, fifofs, vfs
fusefs      > sim
sim/script  > kern
sim/replay  > sim, sim/script
sim/scenarios > sim/replay
gofs > sim
aferofs > gofs
proptest/... > sim/replay
cmd/rumpvfs/internal/shell > sim/replay
cmd/rumpvfs > cmd/rumpvfs/internal/shell, fusefs, proptest/...

internal/clauses > proptest/...
internal/policy
internal/policy/cmd/names   > internal/policy
internal/vnodeif
internal/vnodeif/cmd/vnodeif > internal/vnodeif
`

// Modules are the modules of others that a package may import.
var Modules = map[string][]string{
	"hypercall":         {"github.com/sasha-s/go-deadlock"},
	"proptest/host":     {"golang.org/x/sys"},
	"aferofs":           {"github.com/spf13/afero"},
	"proptest/gen/draw": {"pgregory.net/rapid"},
	"uvm":               {"github.com/google/btree"},
	"proptest/sched":    {"github.com/anishathalye/porcupine"},
	"cmd/rumpvfs":       {"github.com/peterh/liner", "github.com/spf13/cobra", "golang.org/x/sync", "golang.org/x/sys", "golang.org/x/term"},
	"fusefs":            {"github.com/hanwen/go-fuse", "golang.org/x/sys"},
}

// TestModules are those that any test may import besides.
var TestModules = []string{
	"github.com/google/go-cmp",
	"github.com/rogpeppe/go-internal",
	"pgregory.net/rapid",
}

// TestLayers are the packages that the tests of a package may import besides
// what the package itself may.
var TestLayers = map[string][]string{
	"blkdev":           {"sim"},
	"examples/hellofs": {"gofs", "sim", "proptest", "proptest/call", "proptest/driver", "proptest/model"},
	"fifofs":           {"sim", "tmpfs", "vfs"},      // system calls are the natural way to a fifo of some file system
	"sim":              {"sim/replay", "sim/script"}, // traces are stories too
	"specfs":           {"sim", "rumpfs"},
	"tmpfs":            {"sim"},
	"vfs":              {"sim"}, // system calls are the natural way to an open file
}

// Below returns, for each package of the table, all that it may import.
func Below(table string) (map[string][]string, error) {
	below := map[string][]string{}
	for line := range strings.Lines(table) {
		name, deps, _ := strings.Cut(line, ">")
		name = strings.TrimSpace(name)
		if name == "" {
			continue
		}
		if _, dup := below[name]; dup {
			return nil, fmt.Errorf("%s is twice in the table", name)
		}
		all := []string{}
		for _, d := range strings.FieldsFunc(deps, func(r rune) bool { return r == ',' || r == ' ' || r == '\n' }) {
			more, ok := below[d]
			if !ok {
				return nil, fmt.Errorf("%s stands on %s, which is not above it in the table", name, d)
			}
			all = append(append(all, d), more...)
		}
		slices.Sort(all)
		below[name] = slices.Compact(all)
	}
	return below, nil
}

// Imports finds the imports of t that the table does not allow.
func Imports(t *Tree, table string) ([]Finding, error) {
	below, err := Below(table)
	if err != nil {
		return nil, err
	}
	var all []Finding
	for _, f := range t.Go {
		row, ok := rowOf(below, f.Package())
		if !ok {
			all = append(all, Finding{t.Position(f.AST.Package), "package " + f.Package() + " is not in the table of layers"})
			continue
		}
		allowed := below[row]
		if strings.HasSuffix(row, "/...") {
			allowed = append([]string{row}, allowed...)
		}
		for _, spec := range f.AST.Imports {
			if what := importOf(f, spec, allowed); what != "" {
				all = append(all, Finding{t.Position(spec.Pos()), what})
			}
		}
	}
	return all, nil
}

// rowOf finds the row of the table that holds for a package.
func rowOf(below map[string][]string, pkg string) (row string, ok bool) {
	if _, ok := below[pkg]; ok {
		return pkg, true
	}
	for p := pkg; p != "."; p = path.Dir(p) {
		if _, ok := below[p+"/..."]; ok {
			return p + "/...", true
		}
	}
	return "", false
}

// covers reports whether pkg is one of rows.
func covers(rows []string, pkg string) bool {
	return slices.ContainsFunc(rows, func(row string) bool {
		above, many := strings.CutSuffix(row, "/...")
		return row == pkg || many && (pkg == above || strings.HasPrefix(pkg, above+"/"))
	})
}

// importOf says why f may not have the import spec, "" if it may.
func importOf(f *File, spec *ast.ImportSpec, below []string) string {
	p, err := strconv.Unquote(spec.Path.Value)
	if err != nil {
		return err.Error()
	}
	local, ours := strings.CutPrefix(p, Module+"/")
	first, _, _ := strings.Cut(p, "/")
	switch {
	case ours:
		if covers(below, local) || f.Test() && (local == f.Package() || slices.Contains(TestLayers[f.Package()], local)) {
			return ""
		}
		return f.Package() + " may not import " + local
	case strings.Contains(first, "."):
		if within(p, Modules[f.Package()]) || f.Test() && within(p, TestModules) {
			return ""
		}
		return f.Package() + " may not use module of " + p
	case f.Package() == "proptest" && p == "testing":
		return "" // the conformance kit is for the tests of others
	case hostPackage(p) && kernelCode(f.Package()) && !f.Test():
		return f.Package() + " may not import " + p + ": only hypercall, fusefs, proptest/host and commands reach the host"
	}
	return ""
}

// within reports whether package p belongs to one of modules.
func within(p string, modules []string) bool {
	return slices.ContainsFunc(modules, func(m string) bool { return p == m || strings.HasPrefix(p, m+"/") })
}

// kernelCode reports whether the rules for code that runs inside a kernel
// hold for a package: all but hypercall, commands, what builds the project,
// what makes a kernel look like the host's file system, and what makes the
// host look like a kernel.
func kernelCode(pkg string) bool {
	if pkg == "proptest/host" {
		return false
	}
	switch first, _, _ := strings.Cut(pkg, "/"); first {
	case "hypercall", "cmd", "internal", "gofs", "aferofs", "fusefs":
		return false
	}
	return true
}

// hostPackage reports whether p of the standard library reaches the host or
// gives what differs between two runs.
func hostPackage(p string) bool {
	switch p {
	case "math/rand", "math/rand/v2", "crypto/rand", "unsafe", "syscall", "plugin", "log", "testing":
		return true
	}
	first, _, _ := strings.Cut(p, "/")
	return first == "os" || first == "net" || path.Base(p) == "exec"
}

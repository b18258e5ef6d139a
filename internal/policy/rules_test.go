package policy

import (
	"go/parser"
	"go/token"
	"strings"
	"testing"
)

// source makes a tree of one file.
func source(t *testing.T, name, text string) *Tree {
	t.Helper()
	tr := &Tree{Fset: token.NewFileSet()}
	f, err := parser.ParseFile(tr.Fset, name, text, parser.ParseComments)
	if err != nil {
		t.Fatal(err)
	}
	tr.Go = []*File{{Path: name, AST: f}}
	return tr
}

// wants fails unless there is exactly one finding and it says want; for ""
// unless there is none.
func wants(t *testing.T, found []Finding, want string) {
	t.Helper()
	if want == "" {
		report(t, found)
		return
	}
	if len(found) != 1 || !strings.Contains(found[0].What, want) {
		t.Errorf("found %q, want one with %q", found, want)
	}
}

func TestImportRules(t *testing.T) {
	const table = "low\nmid > low\nhigh > mid\nbeside > low\nhypercall\nmany/... > mid\ntop > many/...\n"
	for _, c := range []struct{ file, imports, want string }{
		{"mid/a.go", "rumpvfs/low", ""},
		{"high/a.go", "rumpvfs/low", ""},
		{"high/a.go", "fmt", ""},
		{"low/a.go", "rumpvfs/mid", "low may not import mid"},
		{"mid/a.go", "rumpvfs/beside", "mid may not import beside"},
		{"mid/a.go", "rumpvfs/mid", "mid may not import mid"},
		{"mid/a_test.go", "rumpvfs/mid", ""},
		{"mid/a_test.go", "rumpvfs/high", "mid may not import high"},
		{"many/x/a.go", "rumpvfs/many", ""},
		{"many/x/y/a.go", "rumpvfs/many/z", ""},
		{"many/a.go", "rumpvfs/low", ""},
		{"many/a.go", "rumpvfs/high", "many may not import high"},
		{"many/a.go", "rumpvfs/manymore", "many may not import manymore"},
		{"top/a.go", "rumpvfs/many/x", ""},
		{"none/a.go", "fmt", "package none is not in the table"},
		{"low/a.go", "os", "low may not import os"},
		{"low/a.go", "net/http", "low may not import net/http"},
		{"low/a.go", "math/rand/v2", "low may not import math/rand/v2"},
		{"low/a_test.go", "os", ""},
		{"hypercall/a.go", "os", ""},
		{"low/a.go", "example.org/other", "low may not use module of example.org/other"},
		{"low/a.go", "pgregory.net/rapid", "low may not use module"},
		{"low/a_test.go", "pgregory.net/rapid", ""},
	} {
		tr := source(t, c.file, "package p\n\nimport _ \""+c.imports+"\"\n")
		found, err := Imports(tr, table)
		if err != nil {
			t.Fatal(err)
		}
		t.Run(c.file+" "+c.imports, func(t *testing.T) { wants(t, found, c.want) })
	}
}

func TestLayerTableMistakes(t *testing.T) {
	for table, want := range map[string]string{
		"a\na\n":         "a is twice",
		"a > b\nb\n":     "a stands on b, which is not above it",
		"a > a\n":        "a stands on a",
		"a\nb > a, c\n":  "b stands on c",
		"\n a \nb > a\n": "",
	} {
		_, err := Below(table)
		if (err == nil) != (want == "") || err != nil && !strings.Contains(err.Error(), want) {
			t.Errorf("%q: error %v, want %q", table, err, want)
		}
	}
}

// Each case is what stands in a function of kernel code.
func TestLintRules(t *testing.T) {
	l := must[*Loader](t)(loader())
	for _, c := range []struct{ body, want string }{
		{`var d time.Duration; _ = d`, ""},
		{`go func() {}()`, "go statement"},
		{`var c chan int; _ = c`, "channel"},
		{`select {}`, "channel"},
		{`c := given(); for range c {}`, "channel"},
		{`<-given()`, "channel"},
		{`given() <- 1`, "channel"},
		{`var m sync.Mutex; _ = &m`, "sync.Mutex"},
		{`var p sync.Pool; _ = &p`, ""},
		{`_ = time.Now()`, "time.Now"},
		{`f := time.Sleep; _ = f`, "time.Sleep"},
		{`_, _ = iter.Pull(maps.Keys(table)) //policy:unordered a test`, "iter.Pull"},
		{`for range table {}`, "order of a map"},
		{`for range table { //policy:unordered only counted
		}`, ""},
		{`//policy:unordered only counted
		for range table {}`, ""},
		{`for range table { //policy:unordered
		}`, "order of a map"},
		{`for range list {}`, ""},
		{`_ = slices.Collect(maps.Keys(table))`, "order of a map"},
		{`_ = slices.Sorted(maps.Keys(table))`, ""},
		{`runtime.Gosched()`, "runtime.Gosched"},
		{`fmt.Println()`, "fmt.Println"},
		{`_ = fmt.Sprint()`, ""},
		{`var now = struct{ Now func() }{}; now.Now()`, ""},
	} {
		p, err := l.Source("lint", `package lint
import ("fmt"; "iter"; "maps"; "runtime"; "slices"; "sync"; "time")
var (_ = fmt.Sprint; _ = iter.Pull[int]; _ sync.Pool; _ time.Duration; _ = runtime.NumCPU; _ = slices.Sorted[int])
var table = map[int]int{}
var list []int
var _ = maps.Clone[map[int]int]
func f() {
	`+c.body+`
}
`+given)
		if err != nil {
			t.Fatalf("%s: %v", c.body, err)
		}
		var found []Finding
		for _, f := range Lint(p) {
			if l := f.Pos.Line; l >= 8 && l < bodyEnd(c.body) {
				found = append(found, f)
			}
		}
		t.Run(c.body, func(t *testing.T) { wants(t, found, c.want) })
	}
}

// given is a function that gives a channel, outside of what the cases judge.
const given = "func given() chan int { return nil }\n"

// bodyEnd is the line after the body of a case.
func bodyEnd(body string) int { return 9 + strings.Count(body, "\n") }

func TestStateRules(t *testing.T) {
	l := must[*Loader](t)(loader())
	for _, c := range []struct{ text, want string }{
		{`var a = []int{1}; func f() int { return a[0] }`, ""},
		{`func init() {}`, "init function"},
		{`type t int; func (t) init() {}`, ""},
		{`var a [4]int; func f(n int) int { return a[n] }`, ""},
		{`var a [4]int; func f() []int { return a[:2] }`, "address of package-level variable a"},
		{`var a = 1; func f() { a = 2 }`, "assignment to package-level variable a"},
		{`var a = 1; func f() { a := 2; a = 3; _ = a }`, ""},
		{`var a = []int{1}; func f() { a[0]++ }`, "assignment to package-level variable a"},
		{`var a = map[int]int{}; func f() { delete(a, 1) }`, "assignment to package-level variable a"},
		{`var a = []int{1}; func f() { copy(a[1:], a) }`, "assignment to package-level variable a"},
		{`var a = &struct{ n int }{}; func f() { a.n = 1 }`, "assignment to package-level variable a"},
		{`var a = 1; func f() { for a = range 3 {} }`, "assignment to package-level variable a"},
		{`var a = 1; func f() *int { return &a }`, "address of package-level variable a"},
		{`//policy:static read only
var a = 1
func f() *int { return &a }`, ""},
		{`//policy:static
var a = 1
func f() *int { return &a }`, "address of package-level variable a"},
		{`type t int; func (p *t) set() { *p = 1 }; var a = t(1); func f() { a.set() }`, "address of package-level variable a"},
		{`type t int; func (p t) get() {}; var a = t(1); func f() { a.get() }`, ""},
		{`import "sync/atomic"; var a = atomic.Int32{}`, "a of type sync/atomic.Int32"},
		{`import "rumpvfs/hypercall"; var a = hypercall.LockClass{Name: "a"}; func f() *hypercall.LockClass { return &a }`, ""},
		{`import "rumpvfs/uvm"; func f() { *uvm.PGO_DONTCARE = uvm.Page{} }`, "assignment to package-level variable PGO_DONTCARE"},
	} {
		p, err := l.Source("state", "package state; "+c.text+"\n")
		if err != nil {
			t.Fatalf("%s: %v", c.text, err)
		}
		t.Run(c.text, func(t *testing.T) { wants(t, State(p), c.want) })
	}
}

func TestDirectiveShape(t *testing.T) {
	for _, c := range []struct{ text, want string }{
		{"//netbsd:sys/kern/a.c f\nfunc F() {}", ""},
		{"// F does.\n//\n//netbsd:sys/kern/a.c f, g\n//netbsd:lib/x/b.c h\nfunc F() {}", ""},
		{"//netbsd:sys/kern/a.c f\ntype F int", ""},
		{"type (\n//netbsd:sys/sys/a.h f\nF int\n)", ""},
		{"//netbsd:sys/kern/a.c\nfunc F() {}", "want //netbsd:FILE NAME"},
		{"//netbsd:kern/a.c f\nfunc F() {}", "want //netbsd:FILE NAME"},
		{"//netbsd:sys/kern/a.c f,g\nfunc F() {}", "want //netbsd:FILE NAME"},
		{"//netbsd:sys/kern/a.c f(x)\nfunc F() {}", "want //netbsd:FILE NAME"},
		{"//netbsd:sys/kern/a.c f\n// F does.\nfunc F() {}", "directives come last"},
		{"//netbsd:sys/kern/a.c f\n\nfunc F() {}", "not in the doc comment"},
		{"func F() {\n//netbsd:sys/kern/a.c f\n}", "not in the doc comment"},
	} {
		_, found := Origins(source(t, "p/a.go", "package p\n\n"+c.text+"\n"))
		t.Run(c.text, func(t *testing.T) { wants(t, found, c.want) })
	}
}

func TestNamesTable(t *testing.T) {
	all, _ := Origins(source(t, "p/a.go", `package p

//netbsd:sys/kern/b.c m
func (t *T) M() {}

//netbsd:sys/kern/b.c f, a
//netbsd:sys/kern/a.c z
func F() {}

//netbsd:sys/kern/b.c g
func (t G[K]) M() {}
`))
	got := string(Names(all))
	_, got, _ = strings.Cut(got, "\n## ")
	const want = `sys/kern/a.c

| C | Go |
|---|---|
| ` + "`z` | `p.F` in [p/a.go](../p/a.go)" + ` |

## sys/kern/b.c

| C | Go |
|---|---|
| ` + "`a` | `p.F` in [p/a.go](../p/a.go)" + ` |
| ` + "`f` | `p.F` in [p/a.go](../p/a.go)" + ` |
| ` + "`g` | `p.G.M` in [p/a.go](../p/a.go)" + ` |
| ` + "`m` | `(*p.T).M` in [p/a.go](../p/a.go)" + ` |
`
	if got != want {
		t.Errorf("got\n%s\nwant\n%s", got, want)
	}
}

func TestTextRules(t *testing.T) {
	for _, c := range []struct{ name, text, want string }{
		{"a.md", "an open mark is no mark\n", ""},
		{"a.md", "// TO" + "DO: this\n", "mark of open work"},
		{"a.go", "// XX" + "X\n", "mark of open work"},
		{"a.md", "see /ho" + "me/me/x/y\n", "path of a machine"},
		{"a.md", "see \"/Us" + "ers/me/x\"\n", "path of a machine"},
		{"a.md", "example.org/ho" + "me/me/x\n", ""},
		{"a_test.go", "\tt.Sk" + "ip(\"later\")\n", "test that skips itself"},
		{"a_test.go", "\tt.Sk" + "ip(err) //policy:skip\n", "test that skips itself"},
		{"a_test.go", "\tt.Sk" + "ip(err) //policy:skip needs a device\n", ""},
		{"a.bin", "\x00TO" + "DO", ""},
	} {
		t.Run(c.text, func(t *testing.T) { wants(t, Text(c.name, []byte(c.text)), c.want) })
	}
	wants(t, FileName("kern/a_netbsd.go"), "only built on NetBSD")
	wants(t, FileName("kern/a_netbsd_test.go"), "only built on NetBSD")
	wants(t, FileName("kern/util/a.go"), "package util says nothing")
	wants(t, FileName("kern/a.go"), "")
}

func TestLockTableRules(t *testing.T) {
	const class = "package p\n\nimport \"rumpvfs/hypercall\"\n\nvar c = hypercall.LockClass{"
	code, found := Classes(source(t, "p/a.go", class+`Name: "a", Rank: 10}`))
	report(t, found)
	for _, c := range []struct{ table, want string }{
		{"| 10 | `a` | `p` | all |\n", ""},
		{"| 11 | `a` | `p` | all |\n", "is not so in the table"},
		{"| 10 | `a` | `q` | all |\n", "is not so in the table"},
		{"", "is not so in the table"},
		{"| 10 | `a` | `p` | all |\n| 20 | `b` | `p` | all |\n", "is not in the code"},
	} {
		t.Run(c.table, func(t *testing.T) { wants(t, CompareClasses(code, ClassTable("t", c.table)), c.want) })
	}
	twice := ClassTable("t", "| 10 | `a` | `p` |\n| 9 | `a` | `p` |\n")
	if n := len(CompareClasses(nil, twice)); n != 4 {
		t.Errorf("%d findings in a table with a class twice, ranked upwards, and not in the code, want 4", n)
	}
	if n := len(CompareClasses(append(code, code...), twice[:1])); n != 1 {
		t.Errorf("%d findings for a class declared twice, want 1", n)
	}
	for fields, want := range map[string]string{
		`"a", 10`:            "without field names",
		`Name: "a"`:          "without name or rank",
		`Rank: 10`:           "without name or rank",
		`Name: x, Rank: 10`:  "not static data",
		`Name: "a", Rank: 5`: "",

		`Name: "a", Rank: 5, Nest: true, Reorders: true`: "",
	} {
		_, found := Classes(source(t, "p/a.go", class+fields+"}"))
		wants(t, found, want)
	}
}

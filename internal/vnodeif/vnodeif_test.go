package vnodeif

import (
	"bytes"
	"errors"
	"flag"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

var update = flag.Bool("update", false, "rewrite the golden files")

// TestStale fails when the table was changed and not compiled.
func TestStale(t *testing.T) {
	vnodeDir := filepath.Join("..", "..", "vnode")
	src := readFile(t, filepath.Join(vnodeDir, "vnode_if.src"))
	code, doc, err := Compile("vnode_if.src", src)
	if err != nil {
		t.Fatal(err)
	}
	for path, want := range map[string][]byte{
		filepath.Join(vnodeDir, "vnode_if.go"):       code,
		filepath.Join("..", "..", "docs", "VOPS.md"): doc,
	} {
		if !bytes.Equal(readFile(t, path), want) {
			t.Errorf("%s is stale: run go generate ./vnode", path)
		}
	}
}

func readFile(t *testing.T, path string) []byte {
	t.Helper()
	b, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	return b
}

func TestGolden(t *testing.T) {
	code, doc, err := Compile("small.src", readFile(t, "testdata/small.src"))
	if err != nil {
		t.Fatal(err)
	}
	for path, got := range map[string][]byte{
		"testdata/small.go.golden": code,
		"testdata/small.md.golden": doc,
	} {
		if *update {
			if err := os.WriteFile(path, got, 0o666); err != nil {
				t.Fatal(err)
			}
		}
		if diff := cmp.Diff(string(readFile(t, path)), string(got)); diff != "" {
			t.Errorf("%s (-want +got):\n%s", path, diff)
		}
	}
}

// The list of 2014, in its order.
const ops2014 = `bwrite lookup create mknod open close access getattr setattr read write ioctl fcntl poll
	kqfilter revoke mmap fsync seek remove link rename mkdir rmdir symlink readdir readlink abortop inactive reclaim
	lock unlock bmap strategy print islocked pathconf advlock whiteout getpages putpages closeextattr getextattr
	listextattr openextattr deleteextattr setextattr`

func TestTableHasEveryOperation(t *testing.T) {
	f, err := Parse("vnode_if.src", readFile(t, filepath.Join("..", "..", "vnode", "vnode_if.src")))
	if err != nil {
		t.Fatal(err)
	}
	var got []string
	for _, op := range f.Ops {
		got = append(got, op.Name)
	}
	if diff := cmp.Diff(strings.Fields(ops2014), got); diff != "" {
		t.Errorf("operations (-want +got):\n%s", diff)
	}
}

// oneOp wraps parameter lines, which then begin in line 4.
func oneOp(params ...string) string {
	return "import \"rumpvfs/kern\"\n// Does it.\nop probe {\n" + strings.Join(params, "\n") + "\n}\n"
}

const good = "in vp *Vnode lock L L L"

func TestErrors(t *testing.T) {
	for _, tt := range []struct{ name, src, want string }{
		{"empty table", `import "rumpvfs/kern"`, "t.src:1: no operations"},
		{"no kern", "// Does it.\nop probe {\n" + good + "\n}", "t.src:1: package kern is not imported"},
		{"stray word", "vop_lookup {", `t.src:1: unexpected "vop_lookup": want import, op or a // text`},
		{"import without path", "import", `t.src:1: want: import "path"`},
		{"import unquoted", "import kern", "t.src:1: bad import path kern"},
		{"import twice", "import \"rumpvfs/kern\"\n" + oneOp(good), "t.src:2: kern is imported twice"},
		{"import not used", "import \"rumpvfs/uvm\"\n" + oneOp(good), "t.src:1: uvm is imported and not used"},
		{"type not imported", oneOp(good, "in m []*uvm.Page"), "t.src:5: type []*uvm.Page of m: package uvm is not imported"},
		{"no brace", "op probe", "t.src:1: want: op NAME [nofault] {"},
		{"unknown operation mark", "op probe fast {\n}", `t.src:1: unknown mark "fast" of operation probe`},
		{"no end", "# a\nop probe {\n" + good, "t.src:2: operation probe has no closing }"},
		{"word after end", "op probe {\n" + good + "\n} ;", `t.src:3: unexpected ";" after }`},
		{"text inside", oneOp(good, "// more"), "t.src:5: text inside operation probe: it belongs before the op line"},
		{"no text", "import \"rumpvfs/kern\"\nop probe {\n" + good + "\n}", "t.src:2: operation probe has no text"},
		{"reserved operation", "import \"rumpvfs/kern\"\n// Does it.\nop default {\n" + good + "\n}", `t.src:3: "default" cannot name an operation`},
		{"operation twice", oneOp(good) + "// Again.\nop probe {\n" + good + "\n}", "t.src:7: operation probe stands already in line 3"},
		{"short parameter", oneOp("in vp"), "t.src:4: want: DIRECTION NAME TYPE [MARK...]"},
		{"direction", oneOp("IN vp *Vnode"), `t.src:4: unknown direction "IN": want in, ref, out or inout`},
		{"type syntax", oneOp("in vp *"), `t.src:4: bad type "*"`},
		{"type that is none", oneOp("in x 7"), `t.src:4: bad type "7"`},
		{"array type", oneOp("in x [4]int"), `t.src:4: bad type "[4]int"`},
		{"nested qualifier", oneOp("in x a.b.c"), `t.src:4: bad type "a.b.c"`},
		{"unknown mark", oneOp(good + " willput"), `t.src:4: unknown mark "willput" of vp`},
		{"mark twice", oneOp("in vp *Vnode lock L U U put put"), "t.src:4: put of vp is said twice"},
		{"lock twice", oneOp(good + " lock L L L"), "t.src:4: lock of vp is said twice"},
		{"lock short", oneOp("in vp *Vnode lock L L"), "t.src:4: lock of vp wants three states: entry, success, error"},
		{"lock state", oneOp("in vp *Vnode lock L Q L"), `t.src:4: lock state "Q" of vp: want one of L S U = -`},
		{"lock X on return", oneOp("in vp *Vnode lock L X U"), `t.src:4: lock state "X" of vp: want one of L S U = -`},
		{"interlock", oneOp(good + " interlock"), "t.src:4: interlock of vp wants entry or drop"},
		{"namei without flags", oneOp(good, "in cnp *Componentname namei"), "t.src:5: namei of cnp wants its flags"},
		{"namei of other", oneOp(good, "in x int namei CREATE"), "t.src:5: namei of x, which is no component name"},
		{"first no vnode", oneOp("in x int", good), "t.src:3: operation probe: the first parameter must be a vnode going in, never nil"},
		{"first nilable", oneOp("in vp *Vnode lock X U U put"), "t.src:3: operation probe: the first parameter must be a vnode going in, never nil"},
		{"no parameters", oneOp(), "t.src:3: operation probe: the first parameter must be a vnode going in, never nil"},
		{"five vnodes", oneOp(good, "in a1 *Vnode lock = = =", "in a2 *Vnode lock = = =", "in a3 *Vnode lock = = =", "in a4 *Vnode lock = = ="),
			"t.src:3: operation probe takes 5 vnodes, more than 4"},
		{"two results", oneOp(good, "out a1 *Vnode lock - U -", "out a2 *Vnode lock - U -"), "t.src:3: operation probe returns 2 vnodes, more than 1"},
		{"parameter twice", oneOp(good, "in x int", "in x int"), "t.src:6: parameter x stands already in operation probe"},
		{"result name taken", oneOp(good, "inout x int", "in xOut int"), "t.src:6: parameter xOut stands already in operation probe"},
		{"reserved parameter", oneOp(good, "in ops int"), `t.src:5: "ops" cannot name a parameter`},
		{"parameter hides method", oneOp(good, "in param int"), `t.src:5: "param" cannot name a parameter`},
		{"parameter capital", oneOp(good, "in X int"), `t.src:5: "X" cannot name a parameter`},
		{"parameter hides package", oneOp(good, "in kern int"), "t.src:5: parameter kern hides the package of that name"},
		{"marks of other", oneOp(good, "in x int put"), "t.src:5: x is no vnode and has a vnode's marks"},
		{"no lock", oneOp("in vp *Vnode"), "t.src:4: vnode vp has no lock states"},
		{"ref vnode", oneOp(good, "ref xp *Vnode lock L L L"), "t.src:5: vnode xp can be in or out, not ref"},
		{"absent argument", oneOp("in vp *Vnode lock - L L"), "t.src:4: vnode vp goes in: its lock state cannot be -"},
		{"made argument", oneOp(good + " makes"), "t.src:4: vnode vp goes in: it cannot be made"},
		{"put keeps lock", oneOp("in vp *Vnode lock L L U put"), "t.src:4: put vnode vp has lock states L L U: want L U U or X U U"},
		{"unlock keeps lock", oneOp("in vp *Vnode lock L U L unlock"), "t.src:4: unlocked vnode vp has lock states L U L: want L U U"},
		{"rele locked", oneOp("in vp *Vnode lock L U U rele"), "t.src:4: released vnode vp has lock states L U U: want U U U"},
		{"put and unlock", oneOp("in vp *Vnode lock L U U put unlock"), "t.src:4: vnode vp: only one of put, rele and unlock"},
		{"nil not put", oneOp(good, "in xp *Vnode lock X U U"), "t.src:5: vnode xp is locked if not nil (X): it must be put"},
		{"result states", oneOp(good, "out xp *Vnode lock U U -"), "t.src:5: vnode result xp: want lock states -, one of L S U, and -"},
		{"result marks", oneOp(good, "out xp *Vnode lock - U - names"), "t.src:5: vnode result xp can only be marked makes"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			_, _, err := Compile("t.src", []byte(tt.src))
			if err == nil {
				t.Fatalf("no error, want %s", tt.want)
			}
			if first, _, _ := strings.Cut(err.Error(), "\n"); first != tt.want {
				t.Errorf("got  %s\nwant %s", err, tt.want)
			}
			var e *Error
			if !errors.As(err, &e) || e.File != "t.src" || e.Line == 0 {
				t.Errorf("error %v has no position", err)
			}
		})
	}
}

// TestAllErrors: one run reports every faulty line.
func TestAllErrors(t *testing.T) {
	_, err := Parse("t.src", []byte(oneOp("IN vp *Vnode", "in x", "in y int odd")))
	want := `t.src:4: unknown direction "IN": want in, ref, out or inout
t.src:5: want: DIRECTION NAME TYPE [MARK...]
t.src:6: unknown mark "odd" of y`
	if err == nil || err.Error() != want {
		t.Errorf("got %v\nwant %s", err, want)
	}
}

func TestGenerate(t *testing.T) {
	dir := t.TempDir()
	code, doc := filepath.Join(dir, "a.go"), filepath.Join(dir, "a.md")
	if err := Generate("testdata/small.src", code, doc); err != nil {
		t.Fatal(err)
	}
	if !bytes.Equal(readFile(t, code), readFile(t, "testdata/small.go.golden")) {
		t.Error("the Go file differs from what Compile gives")
	}
	if !bytes.Equal(readFile(t, doc), readFile(t, "testdata/small.md.golden")) {
		t.Error("the documentation differs from what Compile gives")
	}
}

func TestGenerateErrors(t *testing.T) {
	dir := t.TempDir()
	bad := filepath.Join(dir, "bad.src")
	if err := os.WriteFile(bad, []byte("op"), 0o666); err != nil {
		t.Fatal(err)
	}
	missing := filepath.Join(dir, "missing", "file")
	out := filepath.Join(dir, "out")
	for _, paths := range [][3]string{
		{missing, out, out},
		{bad, out, out},
		{"testdata/small.src", missing, out},
		{"testdata/small.src", out, missing},
	} {
		if err := Generate(paths[0], paths[1], paths[2]); err == nil {
			t.Errorf("Generate(%q) succeeded", paths)
		}
	}
}

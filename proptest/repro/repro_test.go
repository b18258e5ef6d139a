package repro

import (
	"bytes"
	"context"
	"go/parser"
	"go/token"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strings"
	"testing"

	"rumpvfs/hypercall"
	"rumpvfs/kern"
	"rumpvfs/proptest/call"
	"rumpvfs/proptest/driver"
	"rumpvfs/proptest/gen"
	"rumpvfs/sim"
	"rumpvfs/sim/replay"
	"rumpvfs/sim/script"
)

// story has a bit of everything, and one call that kernels with and without quirks answer differently.
var story = []call.Call{
	{Op: call.Mkdir, Path: "/a", Mode: 0o755},
	{Op: call.Open, Path: "/a/f", Flags: kern.O_CREAT | kern.O_RDWR, Mode: 0o644},
	{Op: call.Write, FD: 3, Data: "it's \"a\\line\"?"},
	{Op: call.Pread, FD: 3, N: 100},
	{Op: call.Pread, FD: 3, N: 10, Off: 100}, // behind the end
	{Op: call.Rfork, Flags: call.RforkShare},
	{Op: call.Chdir, Path: "/a", Proc: 1},
	{Op: call.Stat, Path: "f", Proc: 1},
	{Op: call.Dup, FD: 3, Proc: 1},
	{Op: call.Exit, Proc: 1},
	{Op: call.Lseek, FD: 4, Flags: kern.SEEK_END},
	{Op: call.Fcntl, FD: 3, Flags: kern.F_SETLK, Arg: [4]int64{kern.F_WRLCK, 0, 2, 3}},
	{Op: call.Mknod, Path: "/n", Mode: kern.S_IFCHR | 0o666, N: 2<<8 | 12},
	{Op: call.Symlink, Path: "/s", Path2: "a//f"},
	{Op: call.Open, Path: "/s", Flags: kern.O_RDONLY | kern.O_NOFOLLOW},
	{Op: call.Rmdir, Path: "/a"},
	{Op: call.Utimes, Path: "/a/f", Arg: [4]int64{1, 2, 3, 4}},
	{Op: call.Setgroups, Data: call.Groups(1, 2)},
	{Op: call.Chflags, Path: "/a/f", Flags: kern.UF_NODUMP},
	{Op: call.Getids},
	{Op: call.Stat, Path: call.NullPath},
}

// of makes a case of a script: what POSIX wants, and what a kernel with quirks answers.
func of(t *testing.T, script []call.Call) *Case {
	t.Helper()
	fs := driver.Rumpfs()
	k, err := fs.Kernel(kern.Rev1125, hypercall.Deterministic)
	if err != nil {
		t.Fatal(err)
	}
	c, err := New("a-story", script, fs.Model(kern.Fixed), k)
	if err != nil {
		t.Fatal(err)
	}
	c.Why, c.FS, c.Quirks = "reading behind the end", fs.Name, kern.Fixed
	if err := k.Close(); err != nil {
		t.Error(err)
	}
	return c
}

// replayed is what comes of a trace in a kernel.
func replayed(t *testing.T, trace []byte, quirks kern.Quirks) replay.Totals {
	t.Helper()
	s, err := script.ParseTrace("story", trace)
	if err != nil {
		t.Fatalf("%v\n%s", err, trace)
	}
	o := replay.Run(context.Background(), &s.Sections[0], sim.Config{Mode: hypercall.Deterministic, Without: kern.Rev1125 &^ quirks})
	if o.Err != nil {
		t.Fatal(o.Err)
	}
	return o.Compare()
}

// TestTrace replays a case: a kernel that answers as the oracle does agrees, one that does not differs.
func TestTrace(t *testing.T) {
	c := of(t, story)
	if o := replayed(t, c.Trace(), kern.Fixed); o.Differ != 0 || o.Calls < len(story) {
		t.Errorf("%v\n%s", o, c.Trace())
	}
	if o := replayed(t, c.Trace(), kern.Rev1125); o.Differ == 0 {
		t.Errorf("no difference\n%s", c.Trace())
	}
	if text := string(c.Text()); strings.Count(text, "but got") < 1 || !strings.Contains(text, "reading behind the end") {
		t.Error(text)
	}
}

func TestGoTest(t *testing.T) {
	c := of(t, story)
	for _, c.Fifofs = range []bool{false, true} {
		src := c.GoTest()
		if _, err := parser.ParseFile(token.NewFileSet(), "x_test.go", src, parser.AllErrors); err != nil || !bytes.Contains(src, []byte("TestAStory(")) ||
			bytes.Contains(src, []byte("Fifofs: true")) != c.Fifofs {
			t.Errorf("%v\n%s", err, src)
		}
	}
}

// want is how a program or shell script ends.
var want = regexp.MustCompile(`steps=\d+ (done=\d+ )?differ=(\d+) skipped=\d+\n$`)

// ran checks what a program has printed: all calls, and as many differences as its status says.
func ran(t *testing.T, c *Case, out []byte, err error) {
	t.Helper()
	m := want.FindSubmatch(out)
	if m == nil {
		t.Fatalf("%v\n%s", err, out)
	}
	if differ := string(m[2]) != "0"; differ != (err != nil) {
		t.Errorf("%v\n%s", err, out)
	}
	if lines := bytes.Count(out, []byte("same ")) + bytes.Count(out, []byte("DIFFERS p")) + bytes.Count(out, []byte("DIFFERS 'p")) +
		bytes.Count(out, []byte("skipped p")) + bytes.Count(out, []byte("left ")); lines < len(c.Script) {
		t.Errorf("%d lines for %d calls\n%s", lines, len(c.Script), out)
	}
}

// program compiles a case and runs it with a file as standard input, or none.
func program(t *testing.T, cc string, c *Case, stdin *os.File) {
	t.Helper()
	dir := t.TempDir()
	src := filepath.Join(dir, "repro.c")
	if err := os.WriteFile(src, c.C(), 0o644); err != nil {
		t.Fatal(err)
	}
	bin := filepath.Join(dir, "repro")
	if out, err := exec.Command(cc, "-std=gnu11", "-Wall", "-Wno-unused", "-Wno-nonnull", "-Werror", "-o", bin, src).CombinedOutput(); err != nil {
		t.Fatalf("%v\n%s\n%s", err, out, c.C())
	}
	if os.Geteuid() != 0 {
		return // it needs a root directory of its own
	}
	cmd := exec.Command(bin)
	if stdin != nil {
		cmd.Stdin = stdin
	}
	cmd.Env = append(os.Environ(), "TMPDIR="+dir)
	out, err := cmd.CombinedOutput()
	ran(t, c, out, err)
}

func shell(t *testing.T, sh string, c *Case) []byte {
	t.Helper()
	dir := t.TempDir()
	src := filepath.Join(dir, "repro.sh")
	if err := os.WriteFile(src, c.Shell(), 0o644); err != nil {
		t.Fatal(err)
	}
	cmd := exec.Command(sh, src)
	cmd.Env = append(os.Environ(), "TMPDIR="+dir)
	out, err := cmd.CombinedOutput()
	ran(t, c, out, err)
	return out
}

// TestPrograms compiles and runs a story in C and runs it in the shell.
func TestPrograms(t *testing.T) {
	c := of(t, story)
	if sh, err := exec.LookPath("sh"); err == nil {
		if out := shell(t, sh, c); !bytes.Contains(out, []byte(`same    p0 mkdir "/a" 0755 => 0`)) || !bytes.Contains(out, []byte(`same    p0 rmdir "/a" => failed`)) {
			t.Errorf("%s", out)
		}
	}
	if cc, err := exec.LookPath("cc"); err == nil {
		program(t, cc, c, nil)
	}
}

// TestConsole: what the C program calls on descriptors 0 to 2 does nothing to those that it was started with.
func TestConsole(t *testing.T) {
	cc, err := exec.LookPath("cc")
	if err != nil || os.Geteuid() != 0 {
		t.Skip("without a compiler, or not as root") //policy:skip needs cc, and the superuser for a root of its own
	}
	stdin, err := os.CreateTemp(t.TempDir(), "stdin")
	if err != nil {
		t.Fatal(err)
	}
	defer stdin.Close()
	before, err := stdin.Stat()
	if err != nil {
		t.Fatal(err)
	}
	program(t, cc, of(t, []call.Call{
		{Op: call.Fchmod, FD: 0, Mode: 0o111}, {Op: call.Ftruncate, FD: 1, Size: 100}, {Op: call.Futimes, FD: 2}, {Op: call.Fchown, FD: 0, UID: 7, GID: 7},
	}), stdin)
	after, err := stdin.Stat()
	if err != nil {
		t.Fatal(err)
	}
	if before.Mode() != after.Mode() || after.Size() != 0 || !before.ModTime().Equal(after.ModTime()) {
		t.Errorf("%v %d %v, was %v 0 %v", after.Mode(), after.Size(), after.ModTime(), before.Mode(), before.ModTime())
	}
}

// TestGoesOut checks what the shell script leaves out, lest it touch what is not its own.
func TestGoesOut(t *testing.T) {
	for path, want := range map[string]bool{"": false, "/a/..": false, "/..": true, "../a": true, "a/./..": false, "a//../../b": true} {
		if goesOut(path, false) != want {
			t.Errorf("%q: %v", path, !want)
		}
	}
	if !goesOut("a/..", true) {
		t.Error("a may be a symbolic link to .")
	}
}

// TestRandom writes random scripts in all forms, as they come from the generator.
func TestRandom(t *testing.T) {
	cc, noCC := exec.LookPath("cc")
	sh, noSh := exec.LookPath("sh")
	g := gen.New(gen.NewRand(9, 9), gen.Config{})
	m := driver.Rumpfs().Model(kern.Fixed)
	var r call.Result
	for i := range 2 {
		g.Begin()
		_ = m.Reset()
		var list []call.Call
		for len(list) < 60 {
			var c call.Call
			g.Next(&c)
			m.Do(&c, &r)
			g.Note(&c, &r)
			list = append(list, c)
		}
		c := of(t, list)
		for _, f := range c.Files() {
			if len(f.Text) == 0 {
				t.Errorf("nothing in %s", f.Suffix)
			}
		}
		if o := replayed(t, c.Trace(), kern.Fixed); o.Differ != 0 {
			t.Errorf("script %d: %v", i, o)
		}
		if noSh == nil {
			shell(t, sh, c)
		}
		if noCC == nil {
			program(t, cc, c, nil)
		}
	}
}

package repro

import (
	"go/parser"
	"go/token"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strings"
	"testing"

	"rumpvfs/kern"
	"rumpvfs/proptest/sched"
)

// tells is a program whose answers are all that there are: of one lwp, so that nothing else can come of it.
const tells = `
mkdir "d" 0755
fd = open "d/f" O_CREAT|O_RDWR 0640
write fd "it's a \"\\ and \x01"
symlink "f" "d/l"
dir = open "d" O_RDONLY
p1 = rfork COPY
seteuid 100
switch p0
p2 = rfork COPY
lwp p1
	pread fd 100 1
	pread fd 5 -1
	chdir "d"
	getcwd 64
	readlink "l" 10
	getdents dir 4096
	getdents dir 4096
	stat "l"
	lstat "l"
	stat "."
	mkdir "x" 0700
	open "f" O_RDWR
	open "no" O_RDONLY
	fcntl fd F_SETLK F_WRLCK SEEK_SET 0 1
lwp p2
	umask 077
after
	utimes "d/f" 1 0 86400 0
	times "d/f"
	times "d/l"
	fstat fd
	rmdir "d"
	unlink "d/l"
`

// race makes a race of a program as it goes if one lwp comes after the other.
func race(t *testing.T, text string) *Race {
	t.Helper()
	on := sched.Rumpfs(kern.Fixed, nil)
	p, err := sched.Parse("program", text, on)
	if err != nil {
		t.Fatal(err)
	}
	s, err := sched.ParseSchedule("ab")
	if err != nil {
		t.Fatal(err)
	}
	r := &Race{
		Name: "a-race", On: "rumpfs", Command: "rumpvfs schedules", System: "on := sched.Rumpfs(kern.Fixed, nil)", Imports: []string{"rumpvfs/kern"},
	}
	r.Again(&sched.Failure{Kind: sched.Difference, Why: "no\nreason", Program: p, Schedule: s, History: "a 0..1 what */ happened\n"}, on)
	return r
}

// TestRaceText reads what was written.
func TestRaceText(t *testing.T) {
	r := race(t, tells)
	p, err := sched.Parse("again", string(r.Text()), sched.Rumpfs(kern.Fixed, nil))
	if err != nil || p.String() != r.Failure.Program.String() {
		t.Errorf("%v\n%s", err, r.Text())
	}
	for _, want := range []string{"# difference: no\n# reason\n", "# rumpvfs schedules --replay ab FILE runs it again.\n"} {
		if !strings.Contains(string(r.Text()), want) {
			t.Errorf("no %q\n%s", want, r.Text())
		}
	}
	if src := r.GoTest(); !strings.Contains(string(src), "func TestARace(") {
		t.Errorf("%s", src)
	} else if _, err := parser.ParseFile(token.NewFileSet(), "x_test.go", src, parser.AllErrors); err != nil {
		t.Errorf("%v\n%s", err, src)
	}
}

// TestRaceC has Linux make the calls: what it answers is written as what the kernel did, and races come to what they can.
func TestRaceC(t *testing.T) {
	cc, err := exec.LookPath("cc")
	if err != nil || os.Geteuid() != 0 {
		t.Skip("no C compiler, or not the superuser:", err) //policy:skip compiles C, which needs a root directory of its own
	}
	for _, tc := range []struct{ name, text, want string }{
		{"answers", tells, `rounds=30 outcomes=1 alike=30`},
		{"race", "p1 = rfork COPY\nswitch p0\np2 = rfork SHARE\nlwp p1\n\tmkdir \"d\" 0755\nlwp p2\n\tmkdir \"d\" 0755\n\tchflags \"d\" 0\n", `rounds=30 outcomes=[12] alike=\d+`},
		{"the first process", "p1 = rfork COPY\nlwp p0\n\tmkdir \"d\" 0755\nlwp p1\n\tsync\n", `rounds=30 outcomes=1 alike=30`},
	} {
		dir := t.TempDir()
		src, bin := filepath.Join(dir, "race.c"), filepath.Join(dir, "race")
		c := race(t, tc.text).C()
		if err := os.WriteFile(src, c, 0o644); err != nil {
			t.Fatal(err)
		}
		if out, err := exec.Command(cc, "-std=gnu11", "-Wall", "-Wno-unused", "-Werror", "-o", bin, src).CombinedOutput(); err != nil {
			t.Fatalf("%s: %v\n%s\n%s", tc.name, err, out, c)
		}
		cmd := exec.Command(bin, "30")
		cmd.Env = append(os.Environ(), "TMPDIR="+dir)
		out, err := cmd.CombinedOutput()
		if err != nil || !regexp.MustCompile(`\n`+tc.want+`\n$`).Match(out) {
			t.Errorf("%s: %v\n%s\n%s", tc.name, err, out, race(t, tc.text).outcome())
		}
		if left, err := filepath.Glob(filepath.Join(dir, "repro.*")); err != nil || len(left) > 0 {
			t.Errorf("%s: left over: %v, %v", tc.name, left, err)
		}
	}
}

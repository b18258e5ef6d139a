package shell

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"strings"
	"testing"

	"rumpvfs/hypercall"
	"rumpvfs/kern"
	"rumpvfs/sim"
)

// A terminal is a shell under test and what it has written.
type terminal struct {
	*Shell
	t   *testing.T
	out bytes.Buffer
}

func newTerminal(t *testing.T, c sim.Config) *terminal {
	t.Helper()
	term := &terminal{t: t}
	sh, err := New(c, &term.out)
	if err != nil {
		t.Fatal(err)
	}
	term.Shell = sh
	t.Cleanup(func() {
		if err := sh.Close(); err != nil {
			t.Error(err)
		}
	})
	return term
}

var deterministic = sim.Config{Mode: hypercall.Deterministic}

// types gives what lines write, and the error of the last as text.
func (term *terminal) types(lines ...string) string {
	term.out.Reset()
	for _, line := range lines {
		if err := term.Exec(context.Background(), line); err != nil {
			fmt.Fprintln(&term.out, "error:", err)
		}
	}
	return term.out.String()
}

// wants checks what lines write.
func (term *terminal) wants(want string, lines ...string) {
	term.t.Helper()
	if got := term.types(lines...); got != want {
		term.t.Errorf("%s:\n%s\nwant:\n%s", strings.Join(lines, "\n"), got, want)
	}
}

func TestCommandErrors(t *testing.T) {
	term := newTerminal(t, deterministic)
	term.types("mkdir /d", "touch /f", "ln -s /nosuch /dangling", "ln -s /d /tod")
	for line, want := range map[string]string{
		"cat":                      "usage: cat FILE...",
		"cat /d":                   "cat: /d: EISDIR: a directory cannot be used so",
		"cd /f":                    "cd: /f: ENOTDIR: a directory is needed here",
		"cd a b":                   "usage: cd [DIR]",
		"pwd x":                    "usage: pwd",
		"id x":                     "usage: id",
		"ps x":                     "usage: ps",
		"df x":                     "usage: df",
		"exit x":                   "usage: exit",
		"reboot x":                 "usage: reboot",
		"chmod 644":                "usage: chmod MODE FILE...",
		"chmod 77777 /f":           "chmod: 77777: expected permission bits in octal",
		"chmod 644 /nosuch":        "chmod: /nosuch: ENOENT: nothing has that name",
		"chown 1":                  "usage: chown UID[:GID] FILE...",
		"chown root /f":            "chown: root: expected a number",
		"chown 1:wheel /f":         "chown: wheel: expected a number",
		"cp /f":                    "usage: cp FROM TO",
		"cp /nosuch /g":            "cp: /nosuch: ENOENT: nothing has that name",
		"cp /d /g":                 "cp: /d: EISDIR: a directory cannot be used so",
		"cp /f /f":                 "cp: /f and /f are the same file",
		"cp /f /nosuch/f":          "cp: /nosuch/f: ENOENT: nothing has that name",
		"mv /f":                    "usage: mv FROM TO",
		"mv /f /g":                 "mv: /f: EOPNOTSUPP: the object does not offer this operation",
		"ln /f":                    "usage: ln [-s] FROM TO",
		"ln -x /f /g":              "usage: ln [-s] FROM TO",
		"ln -s /f /tod":            "",
		"readlink":                 "usage: readlink FILE...",
		"readlink /d":              "readlink: /d: EINVAL: an argument makes no sense",
		"rm":                       "usage: rm [-fr] FILE...",
		"rm -x":                    "usage: rm [-fr] FILE...",
		"rm -f":                    "",
		"rm -f /nosuch":            "",
		"rm -- -f":                 "rm: -f: ENOENT: nothing has that name",
		"rm /nosuch":               "rm: /nosuch: ENOENT: nothing has that name",
		"rmdir /f /nosuch":         "rmdir: /f: ENOTDIR: a directory is needed here\n/nosuch: ENOENT: nothing has that name",
		"mkdir -x /g":              "usage: mkdir [-p] DIR...",
		"mkdir -p /f/g":            "mkdir: /f/g: ENOTDIR: a directory is needed here",
		"mkdir /d":                 "mkdir: /d: EEXIST: the name is taken",
		"stat /nosuch":             "stat: /nosuch: ENOENT: nothing has that name",
		"su":                       "usage: su UID [GID]",
		"su 1 2 3":                 "usage: su UID [GID]",
		"su 1 wheel":               "su: wheel: expected a number",
		"touch /nosuch/f":          "touch: /nosuch/f: ENOENT: nothing has that name",
		"tree /nosuch":             "tree: /nosuch: ENOENT: nothing has that name",
		"umask 1 2":                "usage: umask [MODE]",
		"umask x":                  "umask: x: expected permission bits in octal",
		"help a b":                 "usage: help [COMMAND | CALL | ERROR]",
		"help nosuch":              "help: nosuch is no command, system call or error",
		"ls /nosuch /dangling":     "ls: /nosuch: ENOENT: nothing has that name",
		"echo x > /d":              "/d: EISDIR: a directory cannot be used so",
		"echo > ":                  "expected one file to write to, at the end",
		"> /f":                     `no command or system call is called ">"; help lists them`,
		`stat "/f" "/g"`:           "", // the call's syntax is not the only one
		`f = nosuch`:               "nosuch: expected the name of a call",
		`open "/f"`:                "end of line: expected FLAGS, a number",
		"echo 'open":               "expected a closing quote",
		"nosuch > /f":              `no command or system call is called "nosuch"; help lists them`,
		`switch p7`:                "p7: expected p0 or a name that rfork was bound to",
		`cat "nul` + "\x00" + `" `: "cat: \"nul\\x00\": EINVAL: an argument makes no sense",
	} {
		got := ""
		if err := term.Exec(context.Background(), line); err != nil {
			got = err.Error()
		}
		if want == "" && line == `stat "/f" "/g"` {
			want = "stat: /g: ENOENT: nothing has that name"
		}
		if got != want {
			t.Errorf("%s: %q, want %q", line, got, want)
		}
	}
}

func TestNothingToDo(t *testing.T) {
	term := newTerminal(t, deterministic)
	term.wants("", "", "  ", "# a comment", " # another")
}

func TestExitLeavesFromTheFirstProcess(t *testing.T) {
	term := newTerminal(t, deterministic)
	ctx := context.Background()
	term.wants("0 pid=2\nnow p0\n", "p1 = rfork COPY", "exit")
	for _, line := range []string{"exit", "quit"} {
		if err := term.Exec(ctx, line); !errors.Is(err, ErrExit) {
			t.Errorf("%s: %v", line, err)
		}
	}
	// A process without a name ends too.
	term.wants("0 pid=3\nnow p0\n", "rfork COPY", "exit")
}

func TestSu(t *testing.T) {
	term := newTerminal(t, deterministic)
	term.wants("su1 = rfork COPY => 0 pid=2\nsetgroups => 0\nsetgid 5 => 0\nsetuid 5 => 0\nuid=5 gid=5\n", "su 5", "id")
	if p := term.Prompt(); p != "rumpvfs:/$ " {
		t.Errorf("prompt %q", p)
	}
	// Who is not the superuser becomes nobody else.
	term.wants("su2 = rfork COPY => 0 pid=3\nsetgroups => EPERM\nexit => now p0\nerror: su: EPERM: the caller may not do this\n", "su 6")
	term.wants("uid=0(root) gid=0(wheel)\n", "id")
	term.wants("0\n0\n0\nuid=0(root) gid=0(wheel) euid=7 egid=8 groups=1,0(wheel)\n", "setgroups 1 0", "setegid 8", "seteuid 7", "id")
}

func TestPromptTellsWhereOneIs(t *testing.T) {
	term := newTerminal(t, deterministic)
	term.types("mkdir /a", `mkdir "/a/b c"`, `cd "/a/b c"`)
	if p := term.Prompt(); p != "rumpvfs:/a/b c# " {
		t.Errorf("prompt %q", p)
	}
	term.types("rmdir '/a/b c'")
	if p := term.Prompt(); p != "rumpvfs:?# " {
		t.Errorf("prompt in a directory that was removed: %q", p)
	}
	term.wants("   pid  name  user  group  directory\n*  1    p0    root  wheel  ?\n", "ps")
	term.wants("error: pwd: ENOENT: nothing has that name\n", "pwd")
}

func TestPanicAndReboot(t *testing.T) {
	for _, c := range []sim.Config{deterministic, {}} {
		term := newTerminal(t, c)
		out := term.types(`mkfifo "/p" 0600`, `p = open "/p" O_RDWR`, `echo x > /p`)
		if !strings.Contains(out, "panic: kernel diagnostic assertion") || !strings.Contains(out, errStopped.Error()) {
			t.Errorf("panic: %s", out)
		}
		if p := term.Prompt(); p != "rumpvfs (stopped)> " {
			t.Errorf("prompt %q", p)
		}
		term.wants("error: "+errStopped.Error()+"\n", "ls")
		term.wants("error: expected a closing quote\n", "ls '")
		term.wants("ENOENT: nothing has that name (2)\n", "help ENOENT")
		if _, found, _ := term.Complete("cat /", 5); found != nil {
			t.Errorf("files of a stopped kernel: %v", found)
		}
		if err := term.Exec(context.Background(), "exit"); !errors.Is(err, ErrExit) {
			t.Errorf("exit: %v", err)
		}
		term.wants("dev\ntmp\n", "reboot", "ls")
		// Names are those of the new kernel.
		term.wants("error: p: expected a number, a constant's name or a name bound before\n", "close p")
	}
}

func TestInterruptEndsWhatGoesOn(t *testing.T) {
	term := newTerminal(t, deterministic)
	term.types("mkdir -p /a/b/c", "touch /f /g")
	ctx, cancel := context.WithCancel(context.Background())
	cancel()
	for _, line := range []string{"cat /dev/zero", "tree /", "rm -r /a", "touch /x /y"} {
		if err := term.Exec(ctx, line); err != (Interrupted{}) {
			t.Errorf("%s: %v", line, err)
		}
	}
	term.wants("a\ndev\nf\ng\ntmp\n", "ls")

	// A call of a native kernel that waits is only ended with its kernel.
	native := newTerminal(t, sim.Config{})
	native.types(`f = open "/f" O_CREAT|O_RDWR 0600`, `flock f LOCK_EX`, `g = open "/f" O_RDWR`)
	if err := native.Exec(ctx, "flock g LOCK_EX"); !errors.Is(err, Interrupted{}) || !errors.Is(err, errStopped) {
		t.Errorf("flock: %v", err)
	}
	native.wants("tmp\n", "reboot", "ls -d tmp")
}

func TestListing(t *testing.T) {
	term := newTerminal(t, deterministic)
	term.types("cd /tmp", "mkdir d d/e", "touch .hidden d/x", "ln -s d link", "echo text > f",
		`mknod "null" S_IFCHR|0666 dev:2,2`, `mkfifo "fifo" 0600`, `mknod "gone" S_IFWHT`, `mkdir "\x01\n" 0700`)
	term.wants("\"\\x01\\n\"\nd\nf\nfifo\nlink\nnull\n", "ls")
	term.wants("\"\\x01\\n\"\n.hidden\nd\nf\nfifo\nlink\nnull\n", "ls -a")
	term.wants("\"\\x01\\n\"\nd\nf\nfifo\nlink\nnull\ngone (whiteout)\n", "ls -W")
	term.wants("\"\\x01\\n\"\ngone (whiteout)\nfifo\nnull\nf\nlink\n.hidden\nd\n", "ls -f")
	term.wants("e\nx\n", "ls link")
	term.wants("link\n", "ls -d link")
	term.wants("lrwxr-xr-x 1 root wheel 1 2014-07-15 00:00 link -> d\n", "ls -l link")
	term.wants("f\n\nd:\ne\nx\n\nlink:\ne\nx\n", "ls d f link")
	term.wants("crw-r--r-- 1 root wheel 2,2 2014-07-15 00:00 null\n"+
		"prw------- 1 root wheel 512 2014-07-15 00:00 fifo\n"+
		"-rw-r--r-- 1 root wheel   5 2014-07-15 00:00 f\n", "ls -l null fifo f")
	term.wants(".\n├── \"\\x01\\n\"\n├── .hidden\n├── d\n│   ├── e\n│   └── x\n├── f\n├── fifo\n├── link -> d\n└── null\n", "tree")
	term.wants("from    type    bytes  free  mounted on\nrumpfs  rumpfs  1024   0     /\n", "df")
	if out := term.types("stat null"); !strings.Contains(out, "stands for device 2,2") {
		t.Errorf("stat: %s", out)
	}
}

func TestAccessIsTheKernels(t *testing.T) {
	term := newTerminal(t, deterministic)
	term.types("mkdir /tmp/private", "touch /tmp/private/f", "chmod 700 /tmp/private", "mkdir /tmp/open", "touch /tmp/open/f", "su 5")
	term.wants("error: ls: /tmp/private: EACCES: the permission bits refuse it\n", "ls /tmp/private")
	term.wants("/tmp\n├── open\n│   └── f\n└── private\nerror: tree: /tmp: /tmp/private: EACCES: the permission bits refuse it\n", "tree /tmp")
	term.wants("error: rm: /tmp/open: /tmp/open/f: EACCES: the permission bits refuse it\n", "rm -r /tmp/open")
	term.wants("error: cat: /tmp/private/f: EACCES: the permission bits refuse it\n", "cat /tmp/private/f")
}

func TestFiles(t *testing.T) {
	term := newTerminal(t, deterministic)
	term.types("cd /tmp")
	term.wants("", "echo -n "+strings.Repeat("0123456789", 20000)+" > big", "cp big copy", "mkdir d", "cp copy d", "ln -s ../copy d/l")
	if got := term.types("cat d/copy"); got != strings.Repeat("0123456789", 20000) {
		t.Errorf("%d bytes were copied", len(got))
	}
	term.wants("../copy\n", "readlink d/l")
	term.wants("copy\nd\n", "rm big", "ls")
	term.wants("copy\n", "rm -fr d", "ls")
	term.wants("a b\nc'd\\e\n", `echo 'a b' > "a b"`, `echo "c'd\\e" >>a\ b`, `cat 'a b'`)
	term.wants("0022\n0022\n0077\n0077\n", "umask", "umask 77", "umask 077", "umask")
	term.wants("0077\n0700\n", "umask 0400|0300", "umask")
	term.types("umask 077")
	term.wants("-rw------- 1 7 8 0 2014-07-15 00:00 mine\n", "touch mine", "chown 7:8 mine", "ls -l mine")
	term.wants("-rw------- 1 7 9 0 2014-07-15 00:00 mine\n", "chown :9 mine", "ls -l mine")
	term.wants("ENOENT\n3\n", `stat "nosuch"`, `open "copy" O_RDONLY`)
}

// TestLargeDirectory has more entries than one buffer: each is seen once.
func TestLargeDirectory(t *testing.T) {
	term := newTerminal(t, deterministic)
	p := term.proc()
	for i := range 1000 {
		if err := p.Mkdir(fmt.Sprintf("/tmp/%04d", i), 0o700); err != nil {
			t.Fatal(err)
		}
	}
	out := strings.Fields(term.types("ls /tmp"))
	if len(out) != 1000 || out[0] != "0000" || out[999] != "0999" {
		t.Errorf("%d names from %s", len(out), out[0])
	}
}

func TestModeString(t *testing.T) {
	for mode, want := range map[uint32]string{
		kern.S_IFDIR | 0o755:  "drwxr-xr-x",
		kern.S_IFREG | 0o4755: "-rwsr-xr-x",
		kern.S_IFREG | 0o4644: "-rwSr--r--",
		kern.S_IFREG | 0o2755: "-rwxr-sr-x",
		kern.S_IFDIR | 0o1777: "drwxrwxrwt",
		kern.S_IFDIR | 0o1776: "drwxrwxrwT",
		kern.S_IFBLK:          "b---------",
		kern.S_IFSOCK:         "s---------",
		kern.S_IFWHT:          "w---------",
		0:                     "?---------",
		0o170000 | 0o001:      "?--------x",
	} {
		if got := modeString(mode); got != want {
			t.Errorf("%#o: %s, want %s", mode, got, want)
		}
	}
}

func TestComplete(t *testing.T) {
	term := newTerminal(t, deterministic)
	term.types("mkdir /tmp/alpha", "touch /tmp/alpine /tmp/.hidden '/tmp/a file'")
	for line, want := range map[string]string{
		"rea":                      "|read |readlink ",
		"f = ftru":                 "f = |ftruncate ",
		"help EXD":                 "help |EXDEV ",
		"help rb":                  "help ",
		"open \"/f\" O_EXCL":       "open \"/f\" |O_EXCL",
		"open \"/f\" O_RDWR|O_NOF": "open \"/f\" O_RDWR||O_NOFOLLOW",
		"ls /t":                    "ls |/tmp/",
		"ls /tmp/al":               "ls |/tmp/alpha/|/tmp/alpine ",
		"cat \"/tmp/alpi":          "cat |\"/tmp/alpine\" ",
		"cat '/tmp/a f":            "cat |'/tmp/a file' ",
		"echo x >/tmp/alpi":        "echo x >|/tmp/alpine ",
		"ls /tmp/.":                "ls |/tmp/.hidden ",
		"cat \"\\\"/tmp/al":        "cat ",
		"ls d":                     "ls |dev/",
		"ls /nosuch/x":             "ls ",
	} {
		head, found, tail := term.Complete(line+"REST", len(line))
		got := head
		for _, f := range found {
			got += "|" + f
		}
		if got != want || tail != "REST" {
			t.Errorf("%s: %q and %q, want %q", line, got, tail, want)
		}
	}
}

func TestHelp(t *testing.T) {
	term := newTerminal(t, deterministic)
	out := term.types("help")
	for _, c := range commands() {
		if !strings.Contains(out, "  "+c.usage+"  ") {
			t.Errorf("help does not list %s", c.name)
		}
	}
	if !strings.Contains(out, " posix_fadvise ") {
		t.Error("help does not list posix_fadvise")
	}
	out = term.types("help chmod")
	if !strings.HasPrefix(out, "chmod MODE FILE...\n") || !strings.Contains(out, "system call: chmod P MODE\n") ||
		!strings.Contains(out, "EPERM        the caller may not do this\n") {
		t.Errorf("help chmod: %s", out)
	}
}

func TestNewNeedsAKernel(t *testing.T) {
	if _, err := New(sim.Config{Params: map[string]string{"RUMP_NVNODES": "-"}}, nil); err == nil {
		t.Error("a shell without a kernel")
	}
}

package repro

import (
	"bytes"
	"fmt"
	"strings"

	"rumpvfs/kern"
	"rumpvfs/proptest/call"
)

// cCalls are the calls in C. What stands in braces is: p, q the paths; s a link's target; fd; m mode; u, g identities; n, o, z
// numbers N, Off and Size; d, l data and its length; t times; a digit an argument as the script language has it.
//
//policy:static read only
var cCalls = [call.NumOps]string{
	call.Open: "open({p}, {1}, {m})", call.Openat: "openat({fd}, {p}, {2}, {m})", call.Close: "close({fd})",
	call.Dup: "dup({fd})", call.Dup2: "dup2({fd}, {n})", call.Read: "read({fd}, mem, {n})",
	call.Pread: "pread({fd}, mem, {n}, {o})", call.Write: "write({fd}, {d}, {l})", call.Pwrite: "pwrite({fd}, {d}, {l}, {o})",
	call.Lseek: "lseek({fd}, {o}, {2})", call.Mkdir: "mkdir({p}, {m})", call.Mkdirat: "mkdirat({fd}, {p}, {m})",
	call.Rmdir: "rmdir({p})", call.Unlink: "unlink({p})", call.Unlinkat: "unlinkat({fd}, {p}, {2})",
	call.Symlink: "symlink({s}, {p})", call.Readlink: "readlink({p}, mem, {n})", call.Link: "link({p}, {q})",
	call.Rename: "rename({p}, {q})", call.Mknod: "mknod({p}, {1}, {2})", call.Mkfifo: "mkfifo({p}, {m})",
	call.Stat: "stat({p}, &st)", call.Lstat: "lstat({p}, &st)", call.Fstat: "fstat({fd}, &st)",
	call.Fstatat: "fstatat({fd}, {p}, &st, {2})", call.Times: "lstat({p}, &st)", call.Access: "access({p}, {1})",
	call.Chmod: "chmod({p}, {m})", call.Fchmod: "fchmod({fd}, {m})", call.Chown: "chown({p}, {u}, {g})",
	call.Lchown: "lchown({p}, {u}, {g})", call.Fchown: "fchown({fd}, {u}, {g})", call.Truncate: "truncate({p}, {z})",
	call.Ftruncate: "ftruncate({fd}, {z})", call.Utimes: "utimes({p}, {t})", call.Lutimes: "lutimes({p}, {t})",
	call.Futimes: "futimes({fd}, {t})", call.Fsync: "fsync({fd})", call.Fdatasync: "fdatasync({fd})", call.Sync: "(sync(), 0)",
	call.Chdir: "chdir({p})", call.Fchdir: "fchdir({fd})", call.Getcwd: "cwd({n})",
	call.Umask: "umask({m})", call.Setuid: "setuid({u})", call.Seteuid: "seteuid({u})", call.Setgid: "setgid({g})",
	call.Setegid: "setegid({g})", call.Setgroups: "setgroups({groups})", call.Pathconf: "pathconf({p}, {1})",
	call.Fpathconf: "fpathconf({fd}, {1})", call.PosixFadvise: "advise({fd}, {o}, {z}, {3})", call.Statvfs1: "statvfs({p}, &vfs)",
	call.Fstatvfs1: "fstatvfs({fd}, &vfs)", call.Fcntl: "fcntl({fd}, {1}, {n})", call.Flock: "flock({fd}, {1})",
	call.Rfork: "start({child}, {0})",
}

// netbsdCalls are those that only NetBSD has, and chroot, which elsewhere is a way out of the program's own directory.
//
//policy:static read only
var netbsdCalls = [call.NumOps]string{
	call.Lchmod: "lchmod({p}, {m})", call.Chflags: "chflags({p}, {1})", call.Lchflags: "lchflags({p}, {1})",
	call.Fchflags: "fchflags({fd}, {1})", call.FsyncRange: "fsync_range({fd}, {1}, {o}, {z})", call.Chroot: "chroot({p})",
	call.Fchroot: "fchroot({fd})",
	call.Revoke:  "revoke({p})", call.Undelete: "undelete({p})",
}

// mostMemory is how many bytes the program reads at a time.
const mostMemory = 1 << 20

// cValue gives what stands for a word of a template.
func cValue(c *call.Call, child int) func(string) string {
	path := func(p string) string {
		if p == call.NullPath {
			return "NULL"
		}
		return cString(p)
	}
	return func(word string) string {
		switch word {
		case "p":
			return path(c.Path)
		case "q":
			return path(c.Path2)
		case "s":
			return path(c.Path2)
		case "fd":
			if c.FD == kern.AT_FDCWD {
				return "AT_FDCWD"
			}
			return decimal(int64(c.FD))
		case "m":
			return octal(c.Mode)
		case "u":
			return decimal(int64(int32(c.UID)))
		case "g":
			return decimal(int64(int32(c.GID)))
		case "n":
			return decimal(c.N)
		case "o":
			return decimal(c.Off)
		case "z":
			return decimal(c.Size)
		case "d":
			return cString(c.Data)
		case "l":
			return decimal(int64(len(c.Data)))
		case "t":
			if c.Null {
				return "NULL"
			}
			return fmt.Sprintf("(struct timeval[2]){{%d, %d}, {%d, %d}}", c.Arg[0], c.Arg[1], c.Arg[2], c.Arg[3])
		case "groups":
			return cGroups(c)
		case "child":
			return fmt.Sprint(child)
		}
		return argument(c, int(word[0]-'0'))
	}
}

func cGroups(c *call.Call) string {
	list := c.AppendGroups(nil)
	if len(list) == 0 {
		return "0, NULL"
	}
	text := strings.Trim(strings.ReplaceAll(fmt.Sprint(list), " ", ", "), "[]")
	return fmt.Sprintf("%d, (gid_t[]){%s}", len(list), text)
}

// C is the case as a C program for NetBSD and Linux, for the superuser: a new directory becomes its root. It ends with status
// 0 if everything was answered as the oracle did, 1 if not, 2 if it could not begin.
func (c *Case) C() []byte {
	var b bytes.Buffer
	var head bytes.Buffer
	c.head(&head, " * ")
	cComment(&b, head.String())
	b.WriteString(cIncludes)
	b.WriteString(cHead)
	b.WriteString(cStart)
	var owners []string
	children := 0
	b.WriteString("\nstatic void\nstep(int i)\n{\n\tswitch (i) {\n")
	for i := range c.Script {
		k := &c.Script[i]
		owners = append(owners, fmt.Sprint(k.Proc))
		if k.Op == call.Rfork {
			children++
		}
		fmt.Fprintf(&b, "\tcase %d:\n", i)
		c.cStep(&b, i, children)
		b.WriteString("\t\tbreak;\n")
	}
	b.WriteString("\t}\n}\n")
	if len(owners) == 0 {
		owners = []string{"0"}
	}
	fmt.Fprintf(&b, "\nstatic const int owners[] = { %s };\n", strings.Join(owners, ", "))
	fmt.Fprintf(&b, "#define STEPS %d\n", len(c.Script))
	b.WriteString(cMain)
	return b.Bytes()
}

// cStep writes a call with what is checked of its answer.
func (c *Case) cStep(b *bytes.Buffer, i, child int) {
	k, want := &c.Script[i], &c.Want[i]
	text := cString(k.String())
	if k.Op == call.Exit {
		fmt.Fprintf(b, "\t\tleave();\n")
		return
	}
	expr, netbsd := cCall(k, child)
	if expr == "" || want.Stop != call.Running {
		fmt.Fprintf(b, "\t\tskip(%s);\n", text)
		return
	}
	if netbsd {
		b.WriteString("#ifdef __NetBSD__\n")
	}
	ret := want.Ret
	if k.Op == call.Rfork || k.Op == call.Exit || k.Op == call.Fcntl && k.Flags == kern.F_GETFL {
		ret = anything
	}
	errno := "0"
	if want.Errno != 0 {
		errno, ret = want.Errno.Name(), -1
	}
	fmt.Fprintf(b, "\t\tIS(%s, %s, %s, %s);\n", text, expr, cNumber(ret), errno)
	if want.Errno == 0 {
		c.cAnswer(b, k, want)
	}
	if netbsd {
		fmt.Fprintf(b, "#else\n\t\tskip(%s);\n#endif\n", text)
	}
}

// cCall is a call in C, empty if there is none, and whether only NetBSD has it. Child is the number of the process that it makes.
func cCall(k *call.Call, child int) (expr string, netbsd bool) {
	expr = cCalls[k.Op]
	if expr == "" {
		expr, netbsd = netbsdCalls[k.Op], true
	}
	switch {
	case k.IsLock():
		expr = "locking({fd}, {1}, {2}, {3}, {4}, {5})"
	case k.Op == call.Fcntl && (k.Flags < 0 || k.Flags > kern.F_SETLKW || k.Flags == kern.F_GETOWN || k.Flags == kern.F_SETOWN):
		netbsd = true
	case (k.Op == call.Read || k.Op == call.Pread || k.Op == call.Readlink || k.Op == call.Getcwd) && (k.N < 0 || k.N > mostMemory):
		expr = ""
	}
	return fill(expr, cValue(k, child)), netbsd
}

// cComment begins a program with lines that begin with " * " as a comment. Go is told that it is not meant, so that the Go test can stand beside it.
func cComment(b *bytes.Buffer, lines string) {
	fmt.Fprintf(b, "//go:build ignore\n\n/*\n%s */\n", strings.ReplaceAll(lines, "*/", "* /"))
}

// anything is the return value that is not compared.
const anything = -77

func cNumber(n int64) string {
	if n == anything {
		return "ANYTHING"
	}
	return decimal(n)
}

// cAnswer writes the checks of what a call tells besides its return value.
func (c *Case) cAnswer(b *bytes.Buffer, k *call.Call, want *call.Result) {
	switch k.Op {
	case call.Read, call.Pread, call.Readlink:
		if len(want.Data) <= mostMemory/256 {
			fmt.Fprintf(b, "\t\tbytes(%s, %d);\n", cString(string(want.Data)), len(want.Data))
		}
	case call.Stat, call.Lstat, call.Fstat, call.Fstatat:
		f := &want.File
		fmt.Fprintf(b, "\t\tfile(%s, %d, %d, %d, %d);\n", octal(f.Mode), f.Nlink, int32(f.UID), int32(f.GID), f.Size)
	}
}

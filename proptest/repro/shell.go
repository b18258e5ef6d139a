package repro

import (
	"bytes"
	"fmt"
	"slices"
	"strings"

	"rumpvfs/kern"
	"rumpvfs/proptest/call"
)

// shCalls are the calls in the shell, with words in braces as in cCalls, but for permissions, which go without type.
//
//policy:static read only
var shCalls = [call.NumOps]string{
	call.Close: "shut {fd}", call.Read: "get {fd} {n}", call.Write: "put {fd} {d}", call.Mkdir: "mkdir -m {m} {p}",
	call.Rmdir: "rmdir {p}", call.Unlink: "unlink {p}", call.Symlink: "symlink {s} {p}", call.Readlink: "[ -L {p} ]",
	call.Link: "link {p} {q}", call.Rename: "rename {p} {q}", call.Mkfifo: "mkfifo -m {m} {p}", call.Stat: "ls -Ld {p}",
	call.Lstat: "ls -d {p}", call.Times: "ls -d {p}", call.Chmod: "chmod {m} {p}", call.Chown: "chown {u}:{g} {p}",
	call.Lchown: "chown -h {u}:{g} {p}", call.Truncate: "resize {p} {z}", call.Sync: "sync", call.Chdir: "cd -P {p}",
	call.Getcwd: "pwd -P", call.Umask: "umask {m}",
}

// shValue gives what stands for a word of a template.
func shValue(c *call.Call) func(string) string {
	return func(word string) string {
		switch word {
		case "p":
			return shPath(c.Path)
		case "q", "s":
			return shPath(c.Path2)
		case "fd":
			return decimal(int64(c.FD))
		case "m":
			return octal(c.Mode & kern.ALLPERMS)
		case "u":
			return decimal(int64(c.UID))
		case "g":
			return decimal(int64(c.GID))
		case "n":
			return decimal(c.N)
		case "d":
			return shString(c.Data)
		}
		return decimal(c.Size) // z
	}
}

// shPath is a path in the shell: absolute ones go into the directory that stands for the root.
func shPath(p string) string {
	if strings.HasPrefix(p, "/") {
		return `"$R"` + shString(p)
	}
	if strings.HasPrefix(p, "-") {
		return "./" + shString(p)
	}
	return shString(p)
}

// Shell is the case as a POSIX shell script. It works in a directory of its own, of which it takes paths to be in, and ends
// with status 0 if what was to work did and what was to fail failed, 1 if not. The shell has no words for much.
func (c *Case) Shell() []byte {
	var b bytes.Buffer
	b.WriteString("#!/bin/sh\n")
	c.head(&b, "# ")
	b.WriteString(shHead)
	links := slices.ContainsFunc(c.Script, func(k call.Call) bool { return k.Op == call.Symlink })
	for i := range c.Script {
		k, want := &c.Script[i], &c.Want[i]
		text := shString(fmt.Sprintf("p%d %v", k.Proc, k))
		command := shCommand(k)
		if command == "" || goesOut(k.Path, links) || goesOut(k.Path2, links) || want.Stop != call.Running {
			fmt.Fprintf(&b, "skip %s\n", text)
			continue
		}
		fmt.Fprintf(&b, "try %s %s %s\n", text, shString(want.Format(k)), command)
	}
	b.WriteString(shEnd)
	return b.Bytes()
}

// goesOut reports whether a path may lead out of the directory of its own that the script works in.
func goesOut(path string, links bool) bool {
	depth := 0
	for _, name := range strings.Split(path, "/") {
		switch name {
		case "", ".":
		case "..":
			if depth--; depth < 0 || links {
				return true
			}
		default:
			depth++
		}
	}
	return false
}

// shCommand is a call in the shell, empty if there are no words for it. Only the first process is there, with descriptors
// of one digit.
func shCommand(c *call.Call) string {
	switch {
	case c.Proc != 0, c.Op.TakesFD() && (c.FD < 3 || c.FD > 9), c.Path == call.NullPath, c.Path2 == call.NullPath:
		return ""
	case c.Op == call.Open:
		return shOpen(c)
	case c.Op == call.Mknod:
		return shMknod(c)
	case c.Op == call.Utimes && c.Null:
		return fill("touch -c {p}", shValue(c))
	case strings.Contains(c.Data, "\x00"), c.UID == ^uint32(0), c.GID == ^uint32(0), c.N < 0:
		return ""
	}
	return fill(shCalls[c.Op], shValue(c))
}

// shOpen opens with the redirections that there are, which all follow symbolic links.
func shOpen(c *call.Call) string {
	const known = kern.O_ACCMODE | kern.O_CREAT | kern.O_TRUNC | kern.O_APPEND | kern.O_EXCL
	var how string
	switch c.Flags & (kern.O_ACCMODE | kern.O_TRUNC | kern.O_APPEND) {
	case kern.O_RDONLY:
		how = "<"
	case kern.O_RDWR:
		how = "<>"
	case kern.O_WRONLY | kern.O_TRUNC:
		how = ">"
	case kern.O_WRONLY | kern.O_APPEND:
		how = ">>"
	}
	if how == "" || c.Flags&^known != 0 || c.Flags&kern.O_CREAT != 0 && how == "<" {
		return ""
	}
	must := "any"
	switch {
	case c.Flags&kern.O_CREAT == 0:
		must = "there"
	case c.Flags&kern.O_EXCL != 0:
		must = "absent"
	}
	return fill("opens "+must+" '"+how+"' {p}", shValue(c))
}

func shMknod(c *call.Call) string {
	kind := map[uint32]string{kern.S_IFCHR: "c", kern.S_IFBLK: "b"}[c.Mode&kern.S_IFMT]
	if kind == "" || kern.Dev(c.N) == kern.NODEV {
		return ""
	}
	d := kern.Dev(c.N)
	return fmt.Sprintf("mknod -m %s %s %s %d %d", octal(c.Mode&kern.ALLPERMS), shPath(c.Path), kind, d.Major(), d.Minor())
}

// shHead and shEnd are what is around the calls of a shell script.
const (
	shHead = `R=${TMPDIR:-/tmp}/repro.$$
mkdir "$R" "$R/dev" "$R/tmp" && cd -P "$R" || exit 2
R=$(pwd -P)
trap 'cd / && rm -rf "$R"' EXIT
umask 022
steps=0 differ=0 skipped=0 fd=

# try CALL WANTED COMMAND...: runs the command, which is to fail if an error is wanted.
try() {
	call=$1 want=$2 got=0
	shift 2
	"$@" >/dev/null 2>&1 || got=failed
	steps=$((steps + 1))
	case $want in
	[EP]*) wanted=failed ;;
	*) wanted=0 ;;
	esac
	if [ $got = $wanted ]; then
		echo "same    $call => $got"
	else
		echo "DIFFERS $call => $got, wanted $want"
		differ=$((differ + 1))
	fi
}
skip() {
	echo "skipped $1"
	skipped=$((skipped + 1))
}
exists() { [ -e "$1" ] || [ -L "$1" ]; }
lowest() {
	for fd in 3 4 5 6 7 8 9; do
		eval "command : <&$fd" || return 0
	done
	return 1
}
# opens any|there|absent HOW FILE; a fifo would wait
opens() {
	[ ! -p "$3" ] || return 1
	case $1 in
	there) exists "$3" || return 1 ;;
	absent) exists "$3" && return 1 ;;
	esac
	lowest && file=$3 && eval "command exec $fd$2\"\$file\""
}
shut() { eval "command : <&$1" && eval "command exec $1>&-"; }
get() { eval "command : <&$1" && eval "dd bs=$2 count=1 <&$1"; }
put() { eval "command : >&$1" && eval "printf %s \"\$2\" >&$1"; }
resize() { exists "$1" && dd if=/dev/null of="$1" bs=1 seek="$2"; }
symlink() { ! exists "$2" && ln -s "$1" "$2"; }
# mv would move into a directory that is there
rename() {
	if [ -d "$2" ] && [ ! -L "$2" ]; then
		[ -d "$1" ] && [ ! -L "$1" ] && rmdir "$2" || return 1
	fi
	mv -f "$1" "$2"
}

`
	shEnd = `echo "steps=$steps differ=$differ skipped=$skipped"
[ $differ = 0 ]
`
)

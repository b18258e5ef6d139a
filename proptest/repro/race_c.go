package repro

import (
	"bytes"
	"fmt"
	"slices"
	"strconv"
	"strings"

	"rumpvfs/kern"
	"rumpvfs/proptest/call"
)

// C is the race as a C program for NetBSD and Linux, for the superuser: processes make the calls of the lwps at the same time, a thousand times or as
// often as its argument says, each time in a new directory that becomes their root. It prints each outcome with how often it came to that, and marks
// the one that the race came to: which is wrong by itself, or only for the order in time in which the calls were made. It ends with status 0, or 2 if
// it could not begin.
func (r *Race) C() []byte {
	var b bytes.Buffer
	cComment(&b, r.head(" * ")+" *\n"+r.history(" * "))
	b.WriteString(cIncludes)
	b.WriteString(raceHead)
	b.WriteString(cStart)
	p := r.Failure.Program
	before, children := slices.Concat(r.Home, p.Before), 0
	var owners []string
	b.WriteString("\nstatic void\nprepare(int i)\n{\n\tswitch (i) {\n")
	for i := range before {
		k := &before[i]
		if k.Op == call.Rfork {
			children++
		}
		owners = append(owners, fmt.Sprint(k.Proc))
		fmt.Fprintf(&b, "\tcase %d:\n", i)
		expr, netbsd := cCall(k, children)
		cOnly(&b, netbsd, fmt.Sprintf("\t\t(void)!(%s);\n", expr), "")
		b.WriteString("\t\tbreak;\n")
	}
	fmt.Fprintf(&b, "\t}\n}\n\nstatic const int owners[] = { %s };\n#define STEPS %d\n", strings.Join(append(owners, "-1"), ", "), len(before))
	var procs []string
	b.WriteString("\nstatic void\nlwp(int i)\n{\n\tswitch (i) {\n")
	for i, list := range p.Lwps {
		proc := -1
		fmt.Fprintf(&b, "\tcase %d:\n", i)
		for j := range list {
			proc = int(list[j].Proc)
			cDo(&b, string(rune('a'+i)), &list[j])
		}
		procs = append(procs, fmt.Sprint(proc))
		b.WriteString("\t\tbreak;\n")
	}
	fmt.Fprintf(&b, "\t}\n}\n\nstatic const int procs[] = { %s };\n#define LWPS %d\n", strings.Join(procs, ", "), len(p.Lwps))
	b.WriteString("\nstatic void\nafter(void)\n{\n")
	for i := range p.After {
		cDo(&b, "-", &p.After[i])
	}
	fmt.Fprintf(&b, "}\n\nstatic const char failing[] =%s;\n", cLines(r.outcome()))
	b.WriteString(raceMain)
	return b.Bytes()
}

// cOnly writes what is only for NetBSD, if netbsd, and what is there elsewhere.
func cOnly(b *bytes.Buffer, netbsd bool, text, other string) {
	if !netbsd {
		b.WriteString(text)
		return
	}
	fmt.Fprintf(b, "#ifdef __NetBSD__\n%s", text)
	if other != "" {
		fmt.Fprintf(b, "#else\n%s", other)
	}
	b.WriteString("#endif\n")
}

// cDo writes a call whose answer is part of the outcome.
func cDo(b *bytes.Buffer, who string, k *call.Call) {
	text := cString(who + " " + k.String())
	expr, netbsd := cCall(k, 0)
	tells := "NULL"
	switch k.Op {
	case call.Read, call.Pread, call.Readlink:
		tells = "data"
	case call.Getcwd:
		tells = "path"
	case call.Stat, call.Lstat, call.Fstat, call.Fstatat:
		tells = "file"
	case call.Times:
		tells = "times"
	case call.Getdents:
		expr, netbsd, tells = fill("entries({fd})", cValue(k, 0)), false, "entry"
	}
	skip := fmt.Sprintf("\t\tsay(\"%%s => skipped\\n\", %s);\n", text)
	if expr == "" {
		b.WriteString(skip)
		return
	}
	cOnly(b, netbsd, fmt.Sprintf("\t\tDO(%s, %s, %s);\n", text, expr, tells), skip)
}

// cLines is a string literal, a line of the text each.
func cLines(text string) string {
	var b strings.Builder
	for l := range strings.Lines(text) {
		fmt.Fprintf(&b, "\n\t%s", cString(l))
	}
	if text == "" {
		return ` ""`
	}
	return b.String()
}

// outcome is what the program prints if its calls answer as in the history, empty if not all were over.
func (r *Race) outcome() string {
	lines := map[int]string{}
	for i := range r.History.Calls {
		d := &r.History.Calls[i]
		if d.Over < 0 || d.Result.Stop != call.Running {
			return ""
		}
		who := "-"
		if d.Lwp >= 0 {
			who = string(rune('a' + d.Lwp))
		}
		lines[d.Lwp] += fmt.Sprintf("%s %s => %s\n", who, d.Call, told(d.Call, &d.Result))
	}
	var b strings.Builder
	for i := range r.Failure.Program.Lwps {
		b.WriteString(lines[i])
	}
	return b.String() + lines[-1]
}

// told is a result as the C program prints it.
func told(c *call.Call, r *call.Result) string {
	if r.Errno != 0 {
		return r.Errno.Name()
	}
	switch c.Op {
	case call.Read, call.Pread, call.Readlink:
		return decimal(r.Ret) + " " + quoted(r.Data)
	case call.Getcwd:
		return decimal(r.Ret) + " " + quoted(bytes.TrimRight(r.Data, "\x00"))
	case call.Stat, call.Lstat, call.Fstat, call.Fstatat:
		f := r.File
		if f.Mode&kern.S_IFMT == kern.S_IFLNK {
			f.Mode = kern.S_IFLNK // the permissions of a symbolic link are not the same everywhere
		}
		text := fmt.Sprintf("mode=%06o uid=%d gid=%d", f.Mode, int32(f.UID), int32(f.GID))
		if f.Mode&kern.S_IFMT != kern.S_IFDIR {
			text += fmt.Sprintf(" nlink=%d", f.Nlink)
		}
		if f.Mode&kern.S_IFMT == kern.S_IFREG {
			text += fmt.Sprintf(" size=%d", f.Size)
		}
		return text
	case call.Times:
		return "atime=" + second(r.Times[0].Sec) + " mtime=" + second(r.Times[1].Sec)
	case call.Getdents:
		var names []string
		for _, e := range r.Entries() {
			if e.Name != "." && e.Name != ".." {
				names = append(names, quoted([]byte(e.Name)))
			}
		}
		slices.Sort(names)
		return strings.Join(append([]string{"entries"}, names...), " ")
	}
	return decimal(r.Ret)
}

// second is a time stamp, unless it is of today.
func second(sec int64) string {
	if sec == call.Recent || sec > 1<<30 {
		return "now"
	}
	return decimal(sec)
}

// quoted is a string as the C program prints it.
func quoted(data []byte) string {
	b := []byte{'"'}
	for _, c := range data {
		switch {
		case c == '"' || c == '\\':
			b = append(b, '\\', c)
		case c < ' ' || c > '~':
			b = append(b, '\\', 'x')
			b = append(b, strconv.FormatUint(uint64(c)|0x100, 16)[1:]...)
		default:
			b = append(b, c)
		}
	}
	return string(append(b, '"'))
}

package namei

import (
	"fmt"
	"strings"

	"rumpvfs/kern"
	"rumpvfs/vnode"
)

// The routines here tell the steps of a walk to whoever watches it. They are
// called only when somebody does.

var opNames = [...]string{vnode.LOOKUP: "LOOKUP", vnode.CREATE: "CREATE", vnode.DELETE: "DELETE", vnode.RENAME: "RENAME"}

var flagNames = [...]struct {
	flag uint32
	name string
}{
	{vnode.LOCKLEAF, "LOCKLEAF"}, {vnode.LOCKPARENT, "LOCKPARENT"}, {vnode.TRYEMULROOT, "TRYEMULROOT"},
	{vnode.NOCACHE, "NOCACHE"}, {vnode.FOLLOW, "FOLLOW"}, {vnode.EMULROOTSET, "EMULROOTSET"},
	{vnode.NOCHROOT, "NOCHROOT"}, {vnode.NOCROSSMOUNT, "NOCROSSMOUNT"}, {vnode.RDONLY, "RDONLY"},
	{vnode.DOWHITEOUT, "DOWHITEOUT"}, {vnode.CREATEDIR, "CREATEDIR"}, {vnode.INRENAME, "INRENAME"},
}

// request writes what is asked for: CREATE|LOCKPARENT.
func (nd *Nameidata) request() string {
	var b strings.Builder
	b.WriteString(opNames[nd.Cnd.Nameiop])
	for _, f := range flagNames {
		if nd.Cnd.Flags&f.flag != 0 {
			b.WriteByte('|')
			b.WriteString(f.name)
		}
	}
	return b.String()
}

func (nd *Nameidata) traceStart(l *kern.Lwp, startdir *vnode.Vnode) {
	from := "the working directory"
	switch startdir {
	case nd.Erootdir:
		from = "the emulation root"
	case nd.atdir:
		from = "the directory that the caller gave"
	}
	if nd.path[0] == '/' && startdir == nd.Rootdir {
		from = "the root directory"
	}
	l.Emit(kern.EvNamei, "start", fmt.Sprintf("%q, %s, from %s", nd.path, nd.request(), from), nil)
}

func (nd *Nameidata) traceComponent(l *kern.Lwp) {
	place := "more follows: it must be a directory"
	switch {
	case nd.Cnd.Flags&vnode.ISLASTCN == 0:
	case nd.slashes > 0:
		place = "the last one, with a slash behind it: it must be a directory"
	default:
		place = "the last one"
	}
	l.Emit(kern.EvNamei, "component", fmt.Sprintf("%q, %s", nd.Cnd.Name(), place), nil)
}

func (nd *Nameidata) traceConsume(l *kern.Lwp) {
	l.Emit(kern.EvNamei, "consume", fmt.Sprintf("the file system took the path up to %q", nd.path[nd.next:]), nil)
}

func (nd *Nameidata) traceSymlink(l *kern.Lwp, text []byte, rest string) {
	l.Emit(kern.EvNamei, "symlink", fmt.Sprintf("%q is a symbolic link, number %d of %d: the path becomes %q",
		nd.Cnd.Name(), nd.loopcnt, kern.MAXSYMLINKS, string(text)+rest), nil)
}

// traceMount tells of a step between a directory and the root of the file
// system mp that is mounted on it: up for "..", down, or union for a name that
// mp does not have.
func (nd *Nameidata) traceMount(l *kern.Lwp, way string, mp *vnode.Mount) {
	format := "%q leads to the root of the %s mounted there"
	switch way {
	case "up":
		format = "%q at the root of a mounted %s: from the directory that it covers"
	case "union":
		format = "%q is not in the root of the %s: on to the directory that it covers"
	}
	l.Emit(kern.EvNamei, way, fmt.Sprintf(format, nd.Cnd.Name(), mp.Op.Name()), nil)
}

// traceEscape is the kernel's warning about a process outside of its root.
func (nd *Nameidata) traceEscape(l *kern.Lwp) {
	l.Emit(kern.EvNamei, "escape", fmt.Sprintf("chrooted pid %d uid %d detected outside of its chroot: on from the root directory",
		l.Proc.Pid, l.Cred.EUID), nil)
}

func (nd *Nameidata) traceResult(l *kern.Lwp, err error) {
	text := "failed"
	switch {
	case err != nil:
	case nd.Vp == nil:
		text = fmt.Sprintf("%q does not exist and may be created", nd.Cnd.Name())
	default:
		text = nd.Vp.Type().String()
		if nd.Cnd.Flags&vnode.LOCKLEAF != 0 {
			text += ", locked"
		}
	}
	l.Emit(kern.EvNamei, "end", text, err)
}

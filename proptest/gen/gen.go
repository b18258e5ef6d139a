package gen

import (
	"path"
	"slices"
	"strings"

	"rumpvfs/kern"
	"rumpvfs/proptest/call"
)

// Config says what calls to make. The zero Config makes all there are.
type Config struct {
	Leave []call.Op // not to be made
	Procs int       // processes at most; 0 is 4
	Fifos bool      // fifos can be opened, and half of the scripts are about them
}

// A Gen makes scripts, a call at a time.
type Gen struct {
	src    Source
	config Config

	// What the script under way is made of.
	ops   []call.Op // those that it has, as often as they shall come
	piped bool      // it is about fifos
	paths []string  // most paths are one of these

	// What is known from the results.
	procs  int
	gone   [maxProcs]bool
	fds    [maxProcs]ring[int32]
	dirfds [maxProcs]ring[int32]
	known  ring[string] // names that were made
	dirs   ring[string]
	timed  ring[string]          // files whose times were set: only they show when a time moves
	whites ring[string]          // whiteouts
	fifos  ring[string]          // of a script that is about them
	ends   [maxProcs]ring[int32] // descriptors of fifos
}

const maxProcs = 8

// A ring keeps the last few of what it is given.
type ring[T any] struct {
	list [8]T
	n    int
}

func (r *ring[T]) add(v T) {
	r.list[r.n%len(r.list)] = v
	r.n++
}

func (r *ring[T]) len() int { return min(r.n, len(r.list)) }

// New makes a generator. Begin starts its first script.
func New(src Source, c Config) *Gen {
	if c.Procs <= 0 || c.Procs > maxProcs {
		c.Procs = 4
	}
	g := &Gen{src: src, config: c}
	g.Begin()
	return g
}

// Use makes the choices that follow come from another source.
func (g *Gen) Use(src Source) { g.src = src }

func pick[T any](g *Gen, list ...T) T { return list[g.src.Choose(len(list))] }

// rarely is true once in n times.
func (g *Gen) rarely(n int) bool { return g.src.Choose(n) == n-1 }

// Begin starts a script: with calls and paths of its own choice, so that each script has few of both and meets the same
// files again and again, while together they have all.
func (g *Gen) Begin() {
	g.procs = 1
	g.gone = [maxProcs]bool{}
	for i := range g.fds {
		g.fds[i].n, g.dirfds[i].n, g.ends[i].n = 0, 0, 0
	}
	g.known.n, g.dirs.n, g.timed.n, g.whites.n, g.fifos.n = 0, 0, 0, 0, 0
	g.swarm()
	g.paths = g.paths[:0]
	for n := pick(g, 4, 8, 16, 48); n > 0; n-- {
		g.paths = append(g.paths, universe[g.src.Choose(len(universe))])
	}
}

// swarm chooses the calls of a script: all, or about half or a quarter of them.
func (g *Gen) swarm() {
	g.ops = g.ops[:0]
	how := g.src.Choose(4)
	var bits [3]int
	for i := range bits {
		if how > 0 {
			bits[i] = g.src.Choose(1 << 30)
		}
		if how == 3 {
			bits[i] |= g.src.Choose(1 << 30)
		}
	}
	g.piped = g.config.Fifos && g.rarely(2)
	for o := call.None + 1; o < call.NumOps; o++ {
		weight := weights[o]
		if g.piped && piped[o] != 0 {
			weight = piped[o]
		} else if bits[o/30]>>(o%30)&1 != 0 && o != call.Open && o != call.Mkdir || g.leaves(o) {
			continue
		}
		for range weight {
			g.ops = append(g.ops, o)
		}
	}
}

func (g *Gen) leaves(o call.Op) bool {
	for _, l := range g.config.Leave {
		if l == o {
			return true
		}
	}
	return false
}

// Length chooses how many calls a script has: most have some, some have many.
func (g *Gen) Length() int {
	switch g.src.Choose(8) {
	case 0:
		return 1 + g.src.Choose(8)
	case 1, 2:
		return 10 + g.src.Choose(30)
	case 7:
		return 800 + g.src.Choose(400)
	}
	return 50 + g.src.Choose(350)
}

// weights are how often calls come.
//
//policy:static read only
var weights = [call.NumOps]uint8{
	call.Open: 60, call.Openat: 10, call.Close: 12, call.Dup: 4, call.Dup2: 4, call.Read: 15, call.Pread: 15, call.Write: 20,
	call.Pwrite: 15, call.Lseek: 12, call.Getdents: 20, call.Mkdir: 25, call.Mkdirat: 6, call.Rmdir: 12, call.Unlink: 15,
	call.Unlinkat: 8, call.Symlink: 15, call.Readlink: 5, call.Link: 6, call.Rename: 10, call.Mknod: 12, call.Mkfifo: 4,
	call.Stat: 12, call.Lstat: 12, call.Fstat: 10, call.Fstatat: 6, call.Times: 6, call.Access: 8, call.Chmod: 10, call.Lchmod: 2,
	call.Fchmod: 3, call.Chown: 8, call.Lchown: 2, call.Fchown: 3, call.Chflags: 5, call.Lchflags: 1, call.Fchflags: 2,
	call.Truncate: 6, call.Ftruncate: 8, call.Utimes: 4, call.Lutimes: 1, call.Futimes: 2, call.Fsync: 1, call.Fdatasync: 1,
	call.FsyncRange: 1, call.Sync: 1, call.Chdir: 8, call.Fchdir: 5, call.Chroot: 1, call.Fchroot: 1, call.Getcwd: 6,
	call.Umask: 2, call.Setuid: 1, call.Seteuid: 5, call.Setgid: 1, call.Setegid: 3, call.Setgroups: 2, call.Getids: 1,
	call.Getpid: 1, call.Pathconf: 1, call.Fpathconf: 1, call.PosixFadvise: 2, call.Statvfs1: 1, call.Fstatvfs1: 1,
	call.Getvfsstat: 1, call.Getfh: 1, call.Revoke: 2, call.Fcntl: 22, call.Flock: 8, call.Undelete: 4, call.Rfork: 3, call.Exit: 1,
}

// piped are how often those calls come that a script about fifos has.
//
//policy:static read only
var piped = [call.NumOps]uint8{call.Mkfifo: 30, call.Open: 100, call.Close: 70, call.Read: 70, call.Write: 80, call.Fcntl: 40}

// Next makes a call.
func (g *Gen) Next(c *call.Call) {
	*c = call.Call{Op: g.ops[g.src.Choose(len(g.ops))]}
	if g.procs > 1 {
		c.Proc = uint8(g.src.Choose(g.procs))
		if g.gone[c.Proc] && !g.rarely(40) {
			c.Proc = 0
		}
	}
	if c.Op == call.Rfork && g.procs == g.config.Procs || c.Op == call.Exit && !g.rarely(3) {
		c.Op = call.Open
	}
	if c.Op.TakesPath() {
		c.Path = g.pathFor(c.Op)
	}
	if c.Op.TakesPath2() {
		c.Path2 = g.path()
	}
	if c.Op.TakesFD() {
		c.FD = g.fd(c.Proc)
	}
	g.arguments(c)
}

// Note tells what came of a call, which guides those that follow.
func (g *Gen) Note(c *call.Call, r *call.Result) {
	if r.Errno != 0 || r.Stop != call.Running || c.Proc >= maxProcs {
		return
	}
	switch c.Op {
	case call.Open, call.Openat:
		g.fds[c.Proc].add(int32(r.Ret))
		if g.isFifo(c.Path) {
			g.ends[c.Proc].add(int32(r.Ret))
		}
		if c.Flags&kern.O_CREAT != 0 {
			g.known.add(c.Path)
		} else if c.Flags&kern.O_ACCMODE == 0 {
			g.dirfds[c.Proc].add(int32(r.Ret))
		}
	case call.Dup, call.Dup2:
		g.fds[c.Proc].add(int32(r.Ret))
	case call.Mkdir, call.Chdir:
		g.known.add(c.Path)
		g.dirs.add(c.Path)
	case call.Symlink:
		g.known.add(c.Path)
	case call.Mkfifo:
		g.known.add(c.Path)
		if g.piped {
			g.fifos.add(c.Path)
		}
	case call.Mknod:
		g.known.add(c.Path)
		if c.Mode&kern.S_IFMT == kern.S_IFWHT {
			g.whites.add(c.Path)
		}
	case call.Utimes, call.Lutimes:
		g.timed.add(c.Path)
	case call.Link, call.Rename:
		g.known.add(c.Path2)
	case call.Rfork:
		g.forked(c)
	case call.Exit:
		g.gone[c.Proc] = true
	}
}

func (g *Gen) forked(c *call.Call) {
	if g.procs >= maxProcs {
		return
	}
	if c.Flags != call.RforkClear {
		g.fds[g.procs], g.dirfds[g.procs], g.ends[g.procs] = g.fds[c.Proc], g.dirfds[c.Proc], g.ends[c.Proc]
	}
	g.procs++
}

// pathFor chooses a path for a call: half of the time one of those that show something, if that call has such, and now and
// then the directory of a name for its times to be set.
func (g *Gen) pathFor(o call.Op) string {
	r := (*ring[string])(nil)
	switch o {
	case call.Utimes:
		if n := g.known.len(); n > 0 && g.rarely(4) {
			return path.Dir(g.known.list[g.src.Choose(n)])
		}
	case call.Times:
		r = &g.timed
	case call.Undelete:
		r = &g.whites
	case call.Open, call.Openat:
		r = &g.fifos
	}
	if r != nil && r.len() > 0 && g.rarely(2) {
		return r.list[g.src.Choose(r.len())]
	}
	return g.path()
}

// path chooses a path: of the script's, one that is known to exist, one below a directory that is known to exist, or
// one made up for the occasion.
func (g *Gen) path() string {
	switch g.src.Choose(16) {
	case 11, 12, 13:
		if n := g.known.len(); n > 0 {
			return g.known.list[g.src.Choose(n)]
		}
	case 14:
		if n := g.dirs.len(); n > 0 {
			if dir := g.dirs.list[g.src.Choose(n)]; len(dir) < 100 {
				return dir + below[g.src.Choose(len(below))]
			}
		}
	case 15:
		return g.fresh()
	}
	return g.paths[g.src.Choose(len(g.paths))]
}

// below is what may follow a directory's path.
//
//policy:static read only
var below = []string{"/a", "/b", "/a", "/b", "/..", "/../a", "/./b", "/", "//", "/../b", "/b/..", "/a/b", "/."}

// fresh makes up a path, the odd ones among them.
func (g *Gen) fresh() string {
	switch g.src.Choose(40) {
	case 35:
		return ""
	case 36:
		return call.NullPath
	case 37:
		return longPaths[g.src.Choose(len(longPaths))]
	case 38:
		return pick(g, "/", "//", "/..", "/.", "..", ".")
	case 39:
		return pick(g, "/dev/null", "/dev/zero", "/dev", "/tmp", "/dev/null/")
	}
	return compose(g)
}

// name is one of few, so that calls meet; now and then one as long as names may be, or longer.
func (g *Gen) name() string {
	if g.rarely(60) {
		return longNames[g.src.Choose(len(longNames))]
	}
	return pick(g, "a", "b", "a", "b", "c", "d", "e", ".", "..")
}

// compose makes a path of one to four names.
func compose(g *Gen) string {
	var b strings.Builder
	if g.rarely(2) {
		b.WriteByte('/')
	}
	for i := range 1 + g.src.Choose(4)*g.src.Choose(2) {
		if i > 0 {
			b.WriteString(pick(g, "/", "/", "/", "//"))
		}
		b.WriteString(g.name())
	}
	if g.rarely(12) {
		b.WriteString(pick(g, "/", "//", "/."))
	}
	return b.String()
}

// universe are the paths that scripts choose theirs from, longNames and longPaths those at a limit.
//
//policy:static read only
var (
	longNames = []string{strings.Repeat("n", 255), strings.Repeat("n", 256)}
	longPaths = []string{strings.Repeat("./", 511) + "a", strings.Repeat("./", 511) + "ab", strings.Repeat("a/", 500), strings.Repeat("../", 300)}
	universe  = makeUniverse()
)

func makeUniverse() []string {
	g := &Gen{src: NewRand(1, 0)}
	list := []string{"a", "b", "/a", "/b", "a", "b", "/a", "/b", "a/b", "/a/b", "c", "/c", "a/a", "b/a"}
	for len(list) < 600 {
		if p := compose(g); len(p) < 200 || len(list)%8 == 0 {
			list = append(list, p)
		}
	}
	return append(list, "/dev/null", "/dev/zero", "/tmp", "/tmp/a", "/dev", "/", ".", "..")
}

// isFifo reports whether a script about fifos has made one by that name.
func (g *Gen) isFifo(path string) bool { return slices.Contains(g.fifos.list[:g.fifos.len()], path) }

// fd chooses a descriptor: mostly one that is open.
func (g *Gen) fd(proc uint8) int32 {
	if r := &g.ends[proc%maxProcs]; r.len() > 0 && g.rarely(2) {
		return r.list[g.src.Choose(r.len())]
	}
	switch g.src.Choose(32) {
	case 31:
		return pick[int32](g, -1, 99, 127, 128, kern.AT_FDCWD, 1<<30)
	case 24, 25, 26, 27, 28, 29, 30:
		return int32(g.src.Choose(11))
	}
	if r := &g.fds[proc%maxProcs]; r.len() > 0 {
		return r.list[g.src.Choose(r.len())]
	}
	return 3
}

// at chooses the directory of an at call.
func (g *Gen) at(proc uint8) int32 {
	switch g.src.Choose(6) {
	case 0, 1:
		return kern.AT_FDCWD
	case 2:
		return g.fd(proc)
	}
	if r := &g.dirfds[proc%maxProcs]; r.len() > 0 {
		return r.list[g.src.Choose(r.len())]
	}
	return kern.AT_FDCWD
}

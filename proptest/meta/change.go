package meta

import (
	"strings"

	"rumpvfs/kern"
	"rumpvfs/proptest/call"
)

// roomy is how long a path may be that is made longer: what is longer yet meets a limit.
const roomy = 500

// onPaths changes the paths of a call that lead somewhere and are not near a limit.
func onPaths(c call.Call, change func(path string, fd int32) string) []call.Call {
	fd := int32(kern.AT_FDCWD)
	if c.Op.TakesFD() {
		fd = c.FD
	}
	if c.Op.TakesPath() && changeable(c.Path) {
		c.Path = change(c.Path, fd)
	}
	if c.Op.TakesPath2() && c.Op != call.Symlink && changeable(c.Path2) {
		c.Path2 = change(c.Path2, kern.AT_FDCWD)
	}
	return []call.Call{c}
}

func changeable(path string) bool {
	return path != call.NullPath && strings.Trim(path, "/") != "" && len(path) < roomy
}

// throughParent makes a path lead into a directory and out of it again.
func throughParent(s *state, c call.Call) []call.Call {
	return onPaths(c, func(path string, fd int32) string {
		root, rest := "", path
		if path[0] == '/' {
			root, rest, fd = "/", strings.TrimLeft(path, "/"), kern.AT_FDCWD
		}
		dir := root + [...]string{"a", "b", "c", "d", "e", "tmp"}[s.Choose(6)]
		if !s.goesBack(c.Proc, fd, dir, root+".") {
			return path
		}
		return dir + "/../" + rest
	})
}

// goesBack reports whether dir is a directory, and what its ".." leads to is here.
func (s *state) goesBack(proc uint8, fd int32, dir, here string) bool {
	stat := call.Call{Op: call.Fstatat, Proc: proc, FD: fd, Path: dir, Flags: kern.AT_SYMLINK_NOFOLLOW}
	if r, ok := s.look(stat); !ok || r.File.Mode&kern.S_IFMT != kern.S_IFDIR {
		return false
	}
	stat.Path = dir + "/.."
	r, ok := s.look(stat)
	up := r.File.Ino
	stat.Path = here
	r, found := s.look(stat)
	return ok && found && r.File.Ino == up
}

// insertDots puts "./" before names; not before "..", which in a root directory needs no permission, where "." does, nor
// before a name that is too long, which is found out before permissions are looked at.
func insertDots(s *state, c call.Call) []call.Call {
	return s.between(c, "./")
}

// insertSlashes puts slashes before names that are not the first.
func insertSlashes(s *state, c call.Call) []call.Call {
	return s.between(c, "/")
}

// between puts something before names of a path. The first of a relative path does not begin with a slash.
func (s *state) between(c call.Call, what string) []call.Call {
	return onPaths(c, func(path string, _ int32) string {
		var b strings.Builder
		for i := range len(path) {
			begins := path[i] != '/' && (i == 0 || path[i-1] == '/')
			name, _, _ := strings.Cut(path[i:], "/")
			if begins && (i > 0 || what != "/") && name != ".." && len(name) <= kern.KERNEL_NAME_MAX && s.Choose(2) == 0 {
				b.WriteString(what)
			}
			b.WriteByte(path[i])
		}
		return b.String()
	})
}

// rotated are names that are called as the next one is.
const rotated = "abcden"

// rotate gives names others: of one letter, or of the same letter many times.
func rotate(path string, by int) string {
	names := strings.Split(path, "/")
	for i, name := range names {
		if name == "" || strings.Trim(name, name[:1]) != "" {
			continue
		}
		if at := strings.IndexByte(rotated, name[0]); at >= 0 {
			names[i] = strings.Repeat(string(rotated[(at+by)%len(rotated)]), len(name))
		}
	}
	return strings.Join(names, "/")
}

func rotateCall(_ *state, c call.Call) []call.Call {
	c.Path, c.Path2 = rotate(c.Path, 1), rotate(c.Path2, 1)
	return []call.Call{c}
}

// rotateAnswer gives names in an answer others.
func rotateAnswer(by int) func(c *call.Call, r *call.Result) {
	return func(c *call.Call, r *call.Result) {
		switch c.Op {
		case call.Readlink, call.Getcwd:
			r.Data = []byte(rotate(string(r.Data), by))
		case call.Getdents:
			var b []byte
			for _, e := range r.Entries() {
				b = call.AppendEntry(b, e.Type, e.Ino, rotate(e.Name, by))
			}
			r.Data = b
		}
	}
}

// insertSync puts a sync or fsync before some calls.
func insertSync(s *state, c call.Call) []call.Call {
	switch s.Choose(4) {
	case 0:
		return []call.Call{{Op: call.Sync, Proc: c.Proc}, c}
	case 1:
		return []call.Call{{Op: call.Fsync, Proc: c.Proc, FD: int32(3 + s.Choose(4))}, c}
	}
	return []call.Call{c}
}

package shrink

import (
	"slices"
	"strings"

	"rumpvfs/proptest/call"
)

// together makes what several calls have in common simpler in all of them: a name, the beginning of a path, a descriptor,
// an identity. One by one they would no longer be about the same file.
func (m *minimizer) together() {
	m.names()
	m.eachPath(func(p string) string { return strings.ReplaceAll(p, "//", "/") })
	m.eachPath(func(p string) string {
		if len(p) > 1 {
			return strings.TrimPrefix(p, "/")
		}
		return p
	})
	m.descriptors()
	m.identities()
}

// simpleNames are what names become if that loses nothing.
//
//policy:static read only
var simpleNames = []string{"a", "b", "c", "d", "e"}

// names replaces each name by a simpler one that no path has, or leaves it out of all paths.
func (m *minimizer) names() {
	for _, name := range m.used() {
		m.eachPath(func(p string) string { return withoutName(p, name) })
		if name == "." || name == ".." || name == "dev" {
			continue
		}
		used := m.used()
		for _, simple := range simpleNames {
			shorter := len(simple) < len(name) || len(simple) == len(name) && simple < name
			if shorter && !slices.Contains(used, simple) && m.eachPath(func(p string) string { return renamed(p, name, simple) }) {
				break
			}
		}
	}
}

// used are the names in paths, sorted.
func (m *minimizer) used() (names []string) {
	for i := range m.list {
		for _, p := range [...]string{m.list[i].Path, m.list[i].Path2} {
			for _, e := range strings.Split(p, "/") {
				if e != "" && e != call.NullPath {
					names = append(names, e)
				}
			}
		}
	}
	slices.Sort(names)
	return slices.Compact(names)
}

func renamed(path, name, simple string) string {
	elems := strings.Split(path, "/")
	for i, e := range elems {
		if e == name {
			elems[i] = simple
		}
	}
	return strings.Join(elems, "/")
}

// withoutName is the path without the name, unless nothing is left.
func withoutName(path, name string) string {
	elems := slices.DeleteFunc(strings.Split(path, "/"), func(e string) bool { return e == name })
	if rest := strings.Join(elems, "/"); rest != "" {
		return rest
	}
	return path
}

// eachPath tries the script with all paths changed, if that changes any.
func (m *minimizer) eachPath(change func(string) string) bool {
	list, same := m.copied(), true
	for i := range list {
		for _, p := range [...]*string{&list[i].Path, &list[i].Path2} {
			if *p == call.NullPath {
				continue
			}
			to := change(*p)
			same = same && to == *p
			*p = to
		}
	}
	return !same && m.try(list)
}

// descriptors tries each descriptor and all above it one lower.
func (m *minimizer) descriptors() {
	for fd := int32(firstFD + 1); fd < manyFDs; fd++ {
		list, same := m.copied(), true
		for i := range list {
			if c := &list[i]; c.Op.TakesFD() && c.FD >= fd && c.FD < manyFDs {
				c.FD--
				same = false
			}
		}
		if !same {
			m.try(list)
		}
	}
}

// identities tries each user and group as the superuser's, and as 1.
func (m *minimizer) identities() {
	for _, to := range []uint32{0, 1} {
		for i := range m.list {
			id := max(m.list[i].UID, m.list[i].GID)
			if id <= to || id == ^uint32(0) {
				continue
			}
			list := m.copied()
			for k := range list {
				if list[k].UID == id {
					list[k].UID = to
				}
				if list[k].GID == id {
					list[k].GID = to
				}
			}
			m.try(list)
		}
	}
}

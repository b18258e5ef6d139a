package exhaust

import (
	"bytes"
	"crypto/sha256"
	"fmt"
	"strings"

	"rumpvfs/proptest/call"
	"rumpvfs/proptest/model"
)

// A Key stands for a state, whatever its names are called.
type Key [16]byte

// A symmetry is the ways to call names otherwise.
type symmetry struct {
	renames []rename
	buf     [2][]byte // states, the least first
	best    []*rename
}

// A rename gives names others.
type rename struct {
	name  func(string) string
	calls []uint8 // what each call of the alphabet becomes
}

// newSymmetry makes the symmetry of names, any of which may stand for any other. The error is that of an alphabet in which
// some call has no counterpart.
func newSymmetry(names []string, calls []call.Call) (*symmetry, error) {
	index := map[call.Call]int{}
	for i, c := range calls {
		index[c] = i
	}
	s := &symmetry{}
	for _, to := range permutations(names) {
		r := rename{name: renamer(names, to)}
		for _, c := range calls {
			i, ok := index[r.call(c)]
			if !ok {
				return nil, fmt.Errorf("exhaust: %v is among the calls, and %v, with other names, is not", c, r.call(c))
			}
			r.calls = append(r.calls, uint8(i))
		}
		s.renames = append(s.renames, r)
	}
	return s, nil
}

// permutations gives the orders of a list, as it is first. Of nothing there is one.
func permutations(list []string) (all [][]string) {
	if len(list) == 0 {
		return [][]string{nil}
	}
	for i, first := range list {
		rest := append(append([]string(nil), list[:i]...), list[i+1:]...)
		for _, p := range permutations(rest) {
			all = append(all, append([]string{first}, p...))
		}
	}
	return all
}

func renamer(from, to []string) func(string) string {
	return func(name string) string {
		for i, n := range from {
			if n == name {
				return to[i]
			}
		}
		return name
	}
}

// path renames the names in a path.
func (r *rename) path(p string) string {
	parts := strings.Split(p, "/")
	for i := range parts {
		parts[i] = r.name(parts[i])
	}
	return strings.Join(parts, "/")
}

func (r *rename) call(c call.Call) call.Call {
	c.Path, c.Path2 = r.path(c.Path), r.path(c.Path2)
	return c
}

// result gives the names in what a call answered others, and takes out the numbers that say nothing.
func (r *rename) result(c *call.Call, res *call.Result) call.Result {
	out := *res
	out.File.Ino, out.File.Dev = 0, 0
	switch c.Op {
	case call.Readlink, call.Getcwd:
		out.Data = []byte(r.path(string(res.Data)))
	case call.Getdents:
		out.Data = nil
		for _, e := range res.Entries() {
			out.Data = call.AppendEntry(out.Data, e.Type, 0, r.name(e.Name))
		}
	}
	return out
}

// key gives the key of a model's state, and by which renamings the state becomes the one that the key is of.
func (s *symmetry) key(m *model.Model) (Key, []*rename) {
	s.best = s.best[:0]
	for i := range s.renames {
		r := &s.renames[i]
		s.buf[1] = m.AppendState(s.buf[1][:0], r.name)
		switch order := bytes.Compare(s.buf[1], s.buf[0]); {
		case len(s.best) == 0 || order < 0:
			s.buf[0], s.buf[1] = s.buf[1], s.buf[0]
			s.best = append(s.best[:0], r)
		case order == 0:
			s.best = append(s.best, r)
		}
	}
	return keyOf(s.buf[0]), s.best
}

func keyOf(b []byte) Key {
	sum := sha256.Sum256(b)
	return Key(sum[:len(Key{})])
}

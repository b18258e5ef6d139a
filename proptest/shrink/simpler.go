package shrink

import (
	"strings"

	"rumpvfs/kern"
	"rumpvfs/proptest/call"
)

const (
	firstFD = 3 // the first that is not the console
	manyFDs = kern.NOFILE
)

// Simpler gives the calls that differ from c in one argument, which is simpler. None of them is twice in the list, and
// going on to simpler ones comes to an end.
func Simpler(c call.Call) (list []call.Call) {
	s := simpler{c: c}
	for proc := range c.Proc {
		s.with(func(c *call.Call) { c.Proc = proc })
	}
	if !c.Null && (c.Op == call.Utimes || c.Op == call.Lutimes || c.Op == call.Futimes) {
		s.with(func(c *call.Call) { c.Null, c.Arg = true, [4]int64{} })
	}
	if c.Op.TakesFD() {
		s.descriptor()
	}
	if c.Op.TakesPath() {
		for _, p := range simplerPaths(c.Path) {
			s.with(func(c *call.Call) { c.Path = p })
		}
	}
	if c.Op.TakesPath2() {
		for _, p := range simplerPaths(c.Path2) {
			s.with(func(c *call.Call) { c.Path2 = p })
		}
	}
	s.flags()
	s.data()
	s.numbers()
	return s.list
}

// A simpler collects calls that are simpler than c.
type simpler struct {
	c    call.Call
	list []call.Call
}

// with adds the call that change makes of it.
func (s *simpler) with(change func(*call.Call)) {
	c := s.c
	if change(&c); c == s.c {
		return
	}
	for i := range s.list {
		if s.list[i] == c {
			return
		}
	}
	s.list = append(s.list, c)
}

// isAt reports whether the descriptor is the directory of an at call.
func isAt(o call.Op) bool {
	return o == call.Openat || o == call.Mkdirat || o == call.Unlinkat || o == call.Fstatat
}

// descriptor lowers the descriptor, to which a negative one is not simpler; for a directory the working directory is
// simplest.
func (s *simpler) descriptor() {
	fd := s.c.FD
	if fd == kern.AT_FDCWD && isAt(s.c.Op) {
		return
	}
	if isAt(s.c.Op) {
		s.with(func(c *call.Call) { c.FD = kern.AT_FDCWD })
	}
	if fd < 0 {
		fd = firstFD + 1
	}
	for low := int32(0); low < min(fd, manyFDs); low++ {
		s.with(func(c *call.Call) { c.FD = low })
	}
}

// simplerPaths are paths with an element less or an element simpler, shortest first. The null pointer and the empty path
// are as simple as can be.
func simplerPaths(path string) (list []string) {
	if path == call.NullPath || path == "" {
		return nil
	}
	add := func(p string) {
		if p != "" && (len(p) < len(path) || len(p) == len(path) && p < path) {
			list = append(list, p)
		}
	}
	for _, p := range []string{"a", "/", "/a"} {
		add(p)
	}
	elems := strings.Split(path, "/")
	if n := len(elems) / 2; n > 1 {
		add(strings.Join(elems[n:], "/"))
		add(strings.Join(elems[:n], "/"))
	}
	for i, e := range elems {
		rest := append(append([]string(nil), elems[:i]...), elems[i+1:]...)
		add(strings.Join(rest, "/"))
		if e == "" {
			continue
		}
		for _, simple := range []string{"a", "b", e[:len(e)/2], e[:len(e)-1]} {
			with := append([]string(nil), elems...)
			with[i] = simple
			add(strings.Join(with, "/"))
		}
	}
	return list
}

// flags clears bits of flags and mode. Commands and other words that are no bits stay.
func (s *simpler) flags() {
	switch s.c.Op {
	case call.Fcntl, call.Rfork:
	case call.Lseek, call.Pathconf, call.Fpathconf, call.PosixFadvise, call.Statvfs1, call.Fstatvfs1:
		for _, v := range nearer(int64(s.c.Flags)) {
			s.with(func(c *call.Call) { c.Flags = int32(v) })
		}
	default:
		s.with(func(c *call.Call) { c.Flags = 0 })
		for bit := uint32(1); bit != 0; bit <<= 1 {
			s.with(func(c *call.Call) { c.Flags = int32(uint32(c.Flags) &^ bit) })
		}
	}
	s.with(func(c *call.Call) { c.Mode = 0 })
	for bit := uint32(1); bit != 0; bit <<= 1 {
		s.with(func(c *call.Call) { c.Mode &^= bit })
	}
}

// data leaves out data, then makes it all the same.
func (s *simpler) data() {
	d := s.c.Data
	if d == "" {
		return
	}
	unit := 1
	if s.c.Op == call.Setgroups {
		unit = 4
	}
	s.with(func(c *call.Call) { c.Data = "" })
	s.with(func(c *call.Call) { c.Data = d[:len(d)/unit/2*unit] })
	s.with(func(c *call.Call) { c.Data = d[:len(d)-unit] })
	if unit == 1 {
		s.with(func(c *call.Call) { c.Data = strings.Repeat("x", len(d)) })
	} else {
		s.with(func(c *call.Call) { c.Data = strings.Repeat("\x00", len(d)) })
	}
}

func (s *simpler) numbers() {
	for _, v := range nearer(s.c.N) {
		s.with(func(c *call.Call) { c.N = v })
	}
	for _, v := range nearer(s.c.Off) {
		s.with(func(c *call.Call) { c.Off = v })
	}
	for _, v := range nearer(s.c.Size) {
		s.with(func(c *call.Call) { c.Size = v })
	}
	for _, v := range nearer(int64(int32(s.c.UID))) {
		s.with(func(c *call.Call) { c.UID = uint32(v) })
	}
	for _, v := range nearer(int64(int32(s.c.GID))) {
		s.with(func(c *call.Call) { c.GID = uint32(v) })
	}
	for i := range s.c.Arg {
		for _, v := range nearer(s.c.Arg[i]) {
			s.with(func(c *call.Call) { c.Arg[i] = v })
		}
	}
}

// nearer gives numbers nearer to zero, and for a negative one its positive one.
func nearer(v int64) []int64 {
	switch {
	case v == 0:
		return nil
	case v == -1<<63:
		return []int64{0, 1, v / 2, v + 1}
	case v < 0:
		return []int64{0, 1, -v, v / 2, v + 1}
	}
	return []int64{0, v / 2, v - 1}
}

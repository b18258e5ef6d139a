// Package shrink makes a script that fails as small as it gets: delta debugging on its calls, then on their arguments,
// until leaving out any one call or making any one argument simpler loses the failure.
//
// What is simpler [Simpler] says: fewer names in a path, shorter names, the first process, lower descriptors, numbers
// nearer to zero, fewer flags, less data.
package shrink

import "rumpvfs/proptest/call"

// Minimize gives a script that fails if script does, and of which fails is false for each script with one call less and for
// each with one call in a simpler form. It makes new scripts and leaves the one it is given alone.
func Minimize(script []call.Call, fails func([]call.Call) bool) []call.Call {
	m := minimizer{list: append([]call.Call(nil), script...), fails: fails}
	for {
		m.changed = false
		m.remove()
		m.together()
		m.simplify()
		if !m.changed {
			return m.list
		}
	}
}

// A minimizer has the smallest script so far.
type minimizer struct {
	list    []call.Call
	fails   func([]call.Call) bool
	changed bool
	buf     []call.Call
}

// try goes on with another script if that fails too.
func (m *minimizer) try(list []call.Call) bool {
	if !m.fails(list) {
		return false
	}
	m.list = append(m.list[:0], list...)
	m.changed = true
	return true
}

// copied is the script in a buffer that may be changed.
func (m *minimizer) copied() []call.Call {
	m.buf = append(m.buf[:0], m.list...)
	return m.buf
}

// without is the script without n calls from i on.
func (m *minimizer) without(i, n int) []call.Call {
	m.buf = append(append(m.buf[:0], m.list[:i]...), m.list[i+n:]...)
	return m.buf
}

// remove leaves out calls: halves, quarters, and so on down to single ones, from the end on since what comes last depends
// on what came first.
func (m *minimizer) remove() {
	for size := max(len(m.list)/2, 1); ; {
		removed := false
		for end := len(m.list); end > 0; {
			n := min(size, end)
			if m.try(m.without(end-n, n)) || n == 1 && m.try(m.renumbered(end-1)) {
				removed = true
			}
			end -= n
		}
		switch {
		case size > 1:
			size /= 2
		case !removed:
			return
		}
	}
}

// renumbered is the script without call i, and with what the call made gone from the numbers that follow: the descriptor
// that an open would have given, or the process of an rfork, whose calls its parent makes.
func (m *minimizer) renumbered(i int) []call.Call {
	gone := m.list[i]
	list := m.without(i, 1)
	switch gone.Op {
	case call.Rfork:
		child := uint8(1)
		for _, c := range list[:i] {
			if c.Op == call.Rfork {
				child++
			}
		}
		for k := i; k < len(list); k++ {
			switch c := &list[k]; {
			case c.Proc == child:
				c.Proc = gone.Proc
			case c.Proc > child:
				c.Proc--
			}
		}
	case call.Open, call.Openat, call.Dup, call.Fcntl:
		for k := i; k < len(list); k++ {
			if c := &list[k]; c.Op.TakesFD() && c.FD > firstFD && c.FD < manyFDs {
				c.FD--
			}
		}
	}
	return list
}

// simplify makes arguments simpler, call by call, each as far as it gets.
func (m *minimizer) simplify() {
	for i := range m.list {
		for again := true; again; {
			again = false
			for _, c := range Simpler(m.list[i]) {
				list := m.copied()
				if list[i] = c; m.try(list) {
					again = true
					break
				}
			}
		}
	}
}

package kern

import (
	"fmt"
	"strings"
)

// Checkup looks for broken invariants in a kernel at rest, while no call is
// in progress and no kernel thread works. Layers have Check methods that are
// handed one and say what is broken. A Checkup is used again and again; one
// that finds nothing allocates nothing.
//
// References are recounted: first whoever has a reference to an object says
// so (Count), then the object's owner compares what it has counted itself
// with what was found (Counted, Miscounted).
type Checkup struct {
	L *Lwp // who looks

	count  func(c *Checkup) // has everybody count their references
	round  uint32
	broken []string
	asked  []miscount

	wanted  *Tally // whose holders are looked for; nothing is reported then
	holders []string
}

// miscount is a broken invariant that names holders of references.
type miscount struct {
	broken int // index of what is said
	of     *Tally
}

// Tally counts the references to an object, or the objects of a kind, that a
// Checkup finds.
type Tally struct{ round, n uint32 }

// NewCheckup makes a Checkup by l. count has everybody count their
// references, and verify what else they know of themselves.
func NewCheckup(l *Lwp, count func(c *Checkup)) *Checkup { return &Checkup{L: l, count: count} }

// Begin begins anew, with all references counted.
func (c *Checkup) Begin() {
	c.broken, c.asked = c.broken[:0], c.asked[:0]
	c.round++
	c.count(c)
}

// End returns what was found to be broken, the first first.
func (c *Checkup) End() []string {
	for _, m := range c.asked {
		c.round++
		c.wanted, c.holders = m.of, c.holders[:0]
		c.count(c)
		c.wanted = nil
		if len(c.holders) > 0 {
			c.broken[m.broken] += " (" + strings.Join(c.holders, ", ") + ")"
		}
	}
	return c.broken
}

// Count counts a reference that who has to the object of t.
func (c *Checkup) Count(t *Tally, who string) {
	if c.wanted == t {
		c.holders = append(c.holders, who)
	}
	c.Add(t, 1)
}

// Add counts n nameless references or objects.
func (c *Checkup) Add(t *Tally, n int) {
	if t.round != c.round {
		*t = Tally{round: c.round}
	}
	t.n += uint32(n)
}

// Counted returns how many were counted.
func (c *Checkup) Counted(t *Tally) int {
	if t.round != c.round {
		return 0
	}
	return int(t.n)
}

// Brokenf says that an invariant of an object is broken; of is a [Stater], or
// prints as the object's name.
func (c *Checkup) Brokenf(of any, format string, args ...any) {
	if c.wanted != nil {
		return
	}
	name := ""
	if s, ok := of.(Stater); ok {
		name = s.KernelState()
	} else {
		name = fmt.Sprint(of)
	}
	c.broken = append(c.broken, name+": "+fmt.Sprintf(format, args...))
}

// Miscounted is Brokenf for references counted in t: those who hold one are
// named.
func (c *Checkup) Miscounted(of any, t *Tally, format string, args ...any) {
	c.Brokenf(of, format, args...)
	if c.wanted == nil {
		c.asked = append(c.asked, miscount{len(c.broken) - 1, t})
	}
}

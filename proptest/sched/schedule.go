package sched

import (
	"fmt"
	"strconv"
	"strings"

	"rumpvfs/hypercall"
)

// A stretch is so many steps of one thread; 0 is as many as it can make.
type stretch struct {
	who   byte
	steps int
}

// A Schedule is in which order threads make their steps. A step goes from one scheduling point to the next. What a schedule does not say is decided
// thus: who runs goes on as long as it can; then comes the one that has been ready to run longest.
type Schedule struct{ stretches []stretch }

// String is the schedule in the form of "a12ba3": a runs for 12 steps, b until it waits or ends, a for 3 more, then as nothing is said. Small
// letters are the lwps of the program, capital ones threads of the kernel.
func (s Schedule) String() string {
	var b strings.Builder
	for _, x := range s.stretches {
		b.WriteByte(x.who)
		if x.steps > 0 {
			b.WriteString(strconv.Itoa(x.steps))
		}
	}
	if b.Len() == 0 {
		return "-"
	}
	return b.String()
}

// ParseSchedule reads what String has written.
func ParseSchedule(text string) (s Schedule, err error) {
	if text == "-" {
		return s, nil
	}
	for rest := text; rest != ""; {
		who := rest[0]
		if (who < 'a' || who > 'z') && (who < 'A' || who > 'Z') {
			return s, fmt.Errorf("schedule %q: %q is not the letter of a thread", text, who)
		}
		n := 1
		for n < len(rest) && rest[n] >= '0' && rest[n] <= '9' {
			n++
		}
		x := stretch{who: who}
		if n > 1 {
			if x.steps, err = strconv.Atoi(rest[1:n]); err != nil || x.steps == 0 {
				return s, fmt.Errorf("schedule %q: %s is not a number of steps", text, rest[1:n])
			}
		}
		s.stretches, rest = append(s.stretches, x), rest[n:]
	}
	return s, nil
}

// Preemptions counts the threads that the schedule stops although they could go on.
func (s Schedule) Preemptions() (n int) {
	for _, x := range s.stretches {
		if x.steps > 0 {
			n++
		}
	}
	return n
}

// without is the schedule less one stretch.
func (s Schedule) without(i int) Schedule {
	var list []stretch
	for j, x := range s.stretches {
		if last := len(list) - 1; j != i && last >= 0 && list[last].who == x.who {
			if list[last].steps > 0 {
				list[last].steps += x.steps
			}
			if x.steps == 0 {
				list[last].steps = 0
			}
		} else if j != i {
			list = append(list, x)
		}
	}
	return Schedule{list}
}

// A follower is the chooser that follows a schedule. Stretches of threads that cannot run are left out.
type follower struct {
	rest  []stretch
	begun bool // the first of rest has had a step
	left  int  // steps of it that are to come
}

func (f *follower) begin(s Schedule) { *f = follower{rest: s.stretches} }

func (f *follower) choose(c *Control, run []*hypercall.Thread) int {
	for len(f.rest) > 0 {
		x := f.rest[0]
		if !f.begun {
			f.left = x.steps
		}
		if x.steps == 0 || f.left > 0 {
			if i := c.find(run, x.who); i >= 0 {
				f.begun = true
				f.left--
				return i
			}
		}
		f.rest, f.begun = f.rest[1:], false
	}
	return c.usual(run)
}

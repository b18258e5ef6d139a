package sched

import (
	"errors"
	"fmt"
	"strings"

	"rumpvfs/proptest/call"
	"rumpvfs/proptest/model"
	"rumpvfs/sim/script"
)

// A Program is what lwps do at the same time: the calls of each, after calls that prepare the kernel and before calls that look at what has come
// of it.
type Program struct {
	Before []call.Call
	Lwps   [][]call.Call // all calls of an lwp are of one process, which Before has made and which no other lwp has
	After  []call.Call
}

// MaxLwps is how many lwps a program has at most: each is a letter of a schedule.
const MaxLwps = 26

// Calls counts the calls that lwps make.
func (p *Program) Calls() (n int) {
	for _, list := range p.Lwps {
		n += len(list)
	}
	return n
}

// Check says what is wrong with a program.
func (p *Program) Check() error {
	procs := 1
	for _, c := range p.Before {
		if c.Op == call.Rfork {
			procs++
		}
	}
	owner := map[uint8]int{}
	switch {
	case len(p.Lwps) == 0:
		return errors.New("there is no lwp")
	case len(p.Lwps) > MaxLwps:
		return fmt.Errorf("%d lwps, of at most %d", len(p.Lwps), MaxLwps)
	}
	for i, list := range p.Lwps {
		for _, c := range list {
			other, taken := owner[c.Proc]
			switch {
			case c.Op == call.Rfork || c.Op == call.Exit:
				return fmt.Errorf("lwp %s: %v cannot be called by an lwp", lwpName(i), c.Op)
			case int(c.Proc) >= procs:
				return fmt.Errorf("lwp %s: there is no process p%d", lwpName(i), c.Proc)
			case taken && other != i:
				return fmt.Errorf("lwps %s and %s are both of process p%d", lwpName(other), lwpName(i), c.Proc)
			case c.Proc != list[0].Proc:
				return fmt.Errorf("lwp %s: calls of p%d and p%d", lwpName(i), list[0].Proc, c.Proc)
			}
			owner[c.Proc] = i
		}
	}
	return nil
}

// lwpName is the letter that stands for an lwp in schedules.
func lwpName(i int) string { return string(rune('a' + i)) }

// Forked is a program whose lwps, which the calls name as processes 1 and on, are children of process 0 with copies of its descriptors. before
// is what process 0 does first.
func Forked(before []call.Call, after []call.Call, lwps ...[]call.Call) *Program {
	p := &Program{Before: append([]call.Call(nil), before...), After: after}
	for i, list := range lwps {
		p.Before = append(p.Before, call.Call{Op: call.Rfork, Flags: call.RforkCopy})
		list = append([]call.Call(nil), list...)
		for j := range list {
			list[j].Proc = uint8(i + 1)
		}
		p.Lwps = append(p.Lwps, list)
	}
	return p
}

// String is the program as Parse reads it: lines of a script, where "lwp pN" begins the calls of an lwp, which is of process N, and "after" those
// that process 0 makes in the end.
func (p *Program) String() string {
	var b strings.Builder
	lines, _ := call.Scripts(p.Before)
	for _, l := range lines {
		fmt.Fprintln(&b, l)
	}
	for _, list := range p.Lwps {
		if len(list) == 0 {
			continue
		}
		fmt.Fprintf(&b, "lwp p%d\n", list[0].Proc)
		for _, c := range list {
			fmt.Fprintf(&b, "\t%s\n", c)
		}
	}
	if len(p.After) > 0 {
		b.WriteString("after\n")
	}
	for _, c := range p.After {
		fmt.Fprintf(&b, "\t%s\n", c)
	}
	return b.String()
}

// Parse reads a program that is to run on a system. Names that the first lines bind can be used in all lines. Errors name file and line.
func Parse(file, text string, on *System) (*Program, error) {
	r := &reader{
		p: new(Program), m: new(model.Model), lines: script.NewParser(file), calls: call.NewReader(),
	}
	r.m.CopyFrom(on.model())
	for i, line := range strings.Split(text, "\n") {
		if err := r.line(strings.TrimSpace(line)); err != nil {
			if se := (*script.SyntaxError)(nil); errors.As(err, &se) {
				return nil, err
			}
			return nil, fmt.Errorf("%s:%d: %w", file, i+1, err)
		}
	}
	if err := r.p.Check(); err != nil {
		return nil, fmt.Errorf("%s: %w", file, err)
	}
	return r.p, nil
}

// A reader reads a program line by line. The model says what names are bound to.
type reader struct {
	p     *Program
	m     *model.Model
	lines *script.Parser
	calls *call.Reader
	part  int // 0 before, 1 lwps, 2 after
	proc  uint8
}

func (r *reader) line(text string) error {
	word, rest, _ := strings.Cut(text, " ")
	switch {
	case word == "lwp" && r.part < 2:
		var n uint8
		if _, err := fmt.Sscanf(strings.TrimSpace(rest), "p%d", &n); err != nil {
			return fmt.Errorf("lwp wants a process such as p1, not %q", rest)
		}
		r.part, r.proc = 1, n
		r.p.Lwps = append(r.p.Lwps, nil)
		_, err := r.lines.Line("# an lwp")
		return err
	case text == "after" && r.part == 1:
		r.part, r.proc = 2, 0
		_, err := r.lines.Line("# after")
		return err
	}
	l, err := r.lines.Line(text)
	if err != nil || l.Call == nil {
		return err
	}
	c, ok, err := r.calls.Call(l.Call)
	if err != nil || !ok {
		return err
	}
	if r.part == 0 {
		var res call.Result
		r.m.Do(&c, &res)
		r.calls.Note(l.Call, &c, &res)
		r.p.Before = append(r.p.Before, c)
		return nil
	}
	c.Proc = r.proc
	if r.part == 2 {
		r.p.After = append(r.p.After, c)
		return nil
	}
	last := len(r.p.Lwps) - 1
	r.p.Lwps[last] = append(r.p.Lwps[last], c)
	return nil
}

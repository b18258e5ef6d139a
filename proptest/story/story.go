// Package story has scripts that lead where random calls seldom get to, for any file system: together they reach most clauses of the
// model. A story is told in the language of scripts, and a line that begins with @ stands for many calls (many.go).
package story

import (
	_ "embed"
	"fmt"
	"strings"

	"rumpvfs/proptest/call"
	"rumpvfs/proptest/model"
	"rumpvfs/sim/script"
)

//go:embed stories.txt
var rare string

//go:embed lives.txt
var lives string

// A Story is a script with a title.
type Story struct {
	Title string
	lines string
}

// Lives are what files and directories usually go through. They are short, so that something can be done to each of their calls in
// turn.
func Lives() []Story { return told(lives) }

// Rare are the stories of what is rare: limits, odd descriptors, directories that have gone.
func Rare() []Story { return told(rare) }

// All are Lives and Rare.
func All() []Story { return append(Lives(), Rare()...) }

func told(text string) (list []Story) {
	for _, section := range strings.Split("\n"+text, "\n=== ")[1:] {
		title, lines, _ := strings.Cut(section, "\n")
		list = append(list, Story{title, lines})
	}
	return list
}

// Calls are the calls of the story on the system of a model, which begins anew and says what descriptors and processes they make.
// They end with the one at which it stops. links says whether files can have many names. The error is that of a story that cannot
// be read.
func (s *Story) Calls(m *model.Model, links bool) ([]call.Call, error) {
	if err := m.Reset(); err != nil {
		return nil, err
	}
	t := teller{m: m, parser: script.NewParser(s.Title), rd: call.NewReader(), links: links}
	for line := range strings.Lines(s.lines) {
		more, err := t.line(strings.TrimSpace(line))
		if err != nil {
			return nil, fmt.Errorf("story: %w", err)
		}
		if !more {
			break
		}
	}
	return t.calls, nil
}

// A teller makes the calls of a story.
type teller struct {
	m      *model.Model
	parser *script.Parser
	rd     *call.Reader
	links  bool
	calls  []call.Call
	r      call.Result
	now    uint8 // the process that makes calls
}

// line makes the calls of a line, and reports whether there is anything to be made after them.
func (t *teller) line(line string) (more bool, err error) {
	if strings.HasPrefix(line, "@") {
		for _, c := range many(line, t.links) {
			c.Proc = t.now
			if !t.do(&c) {
				return false, nil
			}
		}
		return true, nil
	}
	l, err := t.parser.Line(line)
	if err != nil {
		return false, err
	}
	c, ok, err := t.rd.Call(l.Call)
	if err != nil || !ok {
		return err == nil, err
	}
	t.now = c.Proc
	more = t.do(&c)
	if t.rd.Note(l.Call, &c, &t.r); c.Op == call.Rfork {
		t.now++
	}
	return more, nil
}

// do makes a call, unless nobody knows what would come of it, and reports whether the system goes on.
func (t *teller) do(c *call.Call) bool {
	t.m.Do(c, &t.r)
	if t.r.Stop != call.Unknown {
		t.calls = append(t.calls, *c)
	}
	return t.r.Stop == call.Running
}

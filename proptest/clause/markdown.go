package clause

import (
	"bytes"
	"fmt"
	"strings"

	"rumpvfs/proptest/call"
)

//go:generate go run rumpvfs/internal/clauses ../../docs/CLAUSES.md

// Markdown renders the table of all clauses, as docs/CLAUSES.md has it.
func Markdown() []byte {
	var b bytes.Buffer
	all := All()
	unreachable := 0
	for i := range all {
		if all[i].Unreachable != "" {
			unreachable++
		}
	}
	fmt.Fprintf(&b, `# Clauses

Each way in which each call may be answered is a clause: call, outcome, cause. The model of package proptest/model names the
clause of every answer it gives, so a run can say what it has exercised. There are %d; %d of them no call comes to, for the
reason in brackets. Where POSIX allows other errors, they stand behind "or".

This file is written by "go generate ./proptest/clause".
`, len(all), unreachable)
	op := call.NumOps
	for i := range all {
		c := &all[i]
		if c.Op != op {
			op = c.Op
			heading := "any call"
			if op != call.None {
				heading = op.String()
			}
			fmt.Fprintf(&b, "\n## %s\n\n", heading)
		}
		b.WriteString(c.markdown())
	}
	return b.Bytes()
}

func (c *Clause) markdown() string {
	var b strings.Builder
	fmt.Fprintf(&b, "- `%s`", c.Name())
	for i, e := range c.Also {
		word := ","
		if i == 0 {
			word = " or"
		}
		name := "success"
		if e != 0 {
			name = e.Name()
		}
		b.WriteString(word + " " + name)
	}
	b.WriteString(": " + c.Sentence)
	if c.Unreachable != "" {
		b.WriteString(" [" + c.Unreachable + "]")
	}
	b.WriteByte('\n')
	return b.String()
}

package sched

import (
	_ "embed"
	"fmt"
	"strings"
)

//go:embed programs.txt
var programsText string

// A Titled is a program with a title.
type Titled struct {
	*Program
	Title string
}

// Programs are two lwps each with a call or two, of every kind that has something to do with others: for a file system of which
// nothing else is known. Those that are not for the system are left out. The error is that of a program that cannot be read.
func Programs(on *System) (list []Titled, err error) {
	for _, section := range strings.Split("\n"+programsText, "\n=== ")[1:] {
		title, text, _ := strings.Cut(section, "\n")
		if strings.HasSuffix(title, "(rumpfs)") && on.Name != "rumpfs" {
			continue
		}
		p, err := Parse(title, processes(text), on)
		if err != nil {
			return nil, err
		}
		list = append(list, Titled{p, title})
	}
	return list, nil
}

// processes gives each lwp of a program a process of its own.
func processes(text string) string {
	before, rest, _ := strings.Cut(text, "lwp\n")
	var b strings.Builder
	b.WriteString(before)
	parts := strings.Split(rest, "lwp\n")
	for i := range parts {
		fmt.Fprintf(&b, "p%d = rfork COPY\nswitch p0\n", i+1)
	}
	for i, part := range parts {
		fmt.Fprintf(&b, "lwp p%d\n%s", i+1, part)
	}
	return b.String()
}

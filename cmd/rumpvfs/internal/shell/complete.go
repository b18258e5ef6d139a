package shell

import (
	"slices"
	"strings"

	"rumpvfs/kern"
	"rumpvfs/sim/script"
)

// Complete completes the word that ends at pos in line: a command or call at
// the beginning, then NetBSD names in capitals and files of the kernel. What
// each completion stands for is what is between head and tail.
func (s *Shell) Complete(line string, pos int) (head string, completions []string, tail string) {
	head, tail = line[:pos], line[pos:]
	start := wordStart(head)
	head, typed := head[:start], head[start:]
	switch before := strings.TrimSpace(head); {
	case before == "" || strings.HasSuffix(before, "="):
		return head, withPrefix(names(), typed, " "), tail
	case before == "help":
		return head, withPrefix(topics(), typed, " "), tail
	}
	if i := strings.LastIndexByte(typed, '|') + 1; len(typed) > i && 'A' <= typed[i] && typed[i] <= 'Z' {
		return head + typed[:i], withPrefix(script.Constants(), typed[i:], ""), tail
	}
	return head, s.completeFile(typed), tail
}

// wordStart is where the last word of a line begins. A quote that is open
// keeps blanks in the word.
func wordStart(line string) int {
	start, quote := 0, byte(0)
	for i := 0; i < len(line); i++ {
		switch c := line[i]; {
		case quote != 0 && c == '\\':
			i++
		case quote != 0:
			if c == quote {
				quote = 0
			}
		case c == '"' || c == '\'':
			quote = c
		case c == ' ' || c == '\t' || c == '>':
			start = i + 1
		}
	}
	return start
}

func withPrefix(names []string, prefix, after string) (found []string) {
	for _, n := range names {
		if strings.HasPrefix(n, prefix) {
			found = append(found, n+after)
		}
	}
	return found
}

// names are the first words that a line can have.
func names() (all []string) {
	for _, c := range commands() {
		all = append(all, c.name)
	}
	for i := range script.Calls {
		all = append(all, script.Calls[i].Name)
	}
	slices.Sort(all)
	return slices.Compact(all)
}

// topics are what there is help on.
func topics() []string {
	all := names()
	for e := kern.EPERM; e <= kern.ELAST; e++ {
		all = append(all, e.Name())
	}
	return all
}

// completeFile completes a path, which may have a quote before it that is
// closed once the path is that of a file.
func (s *Shell) completeFile(typed string) (found []string) {
	quote := ""
	if typed != "" && (typed[0] == '"' || typed[0] == '\'') {
		quote, typed = typed[:1], typed[1:]
	}
	dir, prefix := "", typed
	if i := strings.LastIndexByte(typed, '/'); i >= 0 {
		dir, prefix = typed[:i+1], typed[i+1:]
	}
	all, err := s.readdir(join(dir, "."))
	if err != nil {
		return nil
	}
	for _, d := range sorted(all) {
		if !strings.HasPrefix(d.Name, prefix) || strings.HasPrefix(d.Name, ".") && prefix == "" {
			continue
		}
		after := quote + " "
		if d.Type == kern.DT_DIR {
			after = "/"
		}
		found = append(found, quote+dir+d.Name+after)
	}
	return found
}

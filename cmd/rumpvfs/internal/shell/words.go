package shell

import (
	"errors"
	"strings"
)

// A word is one argument of a command. bare says that none of it was quoted,
// so that it may be an operator.
type word struct {
	text string
	bare bool
}

var (
	errQuote  = errors.New("expected a closing quote")
	errTarget = errors.New("expected one file to write to, at the end")
)

// split cuts a line into words: blanks part them, quotes of either kind and
// backslashes keep what follows together, and a "#" that begins a word begins
// a comment. ">" and ">>" are words of their own.
func split(line string) ([]word, error) {
	sp := splitter{rest: line}
	for sp.rest != "" {
		if err := sp.step(); err != nil {
			return nil, err
		}
	}
	sp.end()
	return sp.words, nil
}

type splitter struct {
	rest   string
	words  []word
	b      strings.Builder
	inside bool // a word has begun
	quoted bool
}

// end ends the word that has begun.
func (sp *splitter) end() {
	if sp.inside {
		sp.words = append(sp.words, word{sp.b.String(), !sp.quoted})
	}
	sp.b.Reset()
	sp.inside, sp.quoted = false, false
}

// take takes n bytes of the line.
func (sp *splitter) take(n int) string {
	s := sp.rest[:n]
	sp.rest = sp.rest[n:]
	return s
}

func (sp *splitter) step() error {
	switch c := sp.rest[0]; {
	case c == ' ' || c == '\t':
		sp.end()
		sp.take(1)
	case c == '#' && !sp.inside:
		sp.rest = ""
	case c == '>':
		sp.end()
		n := 1
		if strings.HasPrefix(sp.rest, ">>") {
			n = 2
		}
		sp.words = append(sp.words, word{sp.take(n), true})
	case c == '"' || c == '\'':
		return sp.quote(c)
	case c == '\\' && len(sp.rest) > 1:
		sp.inside, sp.quoted = true, true
		sp.b.WriteString(sp.take(2)[1:])
	default:
		sp.inside = true
		sp.b.WriteString(sp.take(1))
	}
	return nil
}

// quote takes what is between quotes; within double ones, a backslash keeps
// the next byte from ending them.
func (sp *splitter) quote(q byte) error {
	sp.inside, sp.quoted = true, true
	sp.take(1)
	for sp.rest != "" {
		c := sp.take(1)[0]
		switch {
		case c == q:
			return nil
		case c == '\\' && q == '"' && sp.rest != "":
			c = sp.take(1)[0]
		}
		sp.b.WriteByte(c)
	}
	return errQuote
}

// A target is a file that output goes to.
type target struct {
	path string
	add  bool
}

// redirection takes "> FILE" or ">> FILE" off the end of words.
func redirection(words []word) ([]word, *target, error) {
	for i, w := range words {
		if !w.bare || w.text != ">" && w.text != ">>" {
			continue
		}
		if i != len(words)-2 {
			return nil, nil, errTarget
		}
		return words[:i], &target{words[i+1].text, w.text == ">>"}, nil
	}
	return words, nil, nil
}

// options takes the options off args: letters behind a dash, each one of
// allowed. "--" ends them.
func options(args []string, allowed string) (set string, rest []string, err error) {
	for i, a := range args {
		if a == "--" {
			return set, args[i+1:], nil
		}
		if len(a) < 2 || a[0] != '-' {
			return set, args[i:], nil
		}
		for _, c := range a[1:] {
			if !strings.ContainsRune(allowed, c) {
				return "", nil, errUsage
			}
		}
		set += a[1:]
	}
	return set, nil, nil
}

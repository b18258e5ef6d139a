package repro

import (
	"fmt"
	"strconv"
	"strings"

	"rumpvfs/proptest/call"
	"rumpvfs/sim/script"
)

// fill replaces the words in braces of a template by what value says of them.
func fill(template string, value func(word string) string) string {
	var b strings.Builder
	for {
		before, rest, found := strings.Cut(template, "{")
		b.WriteString(before)
		if !found {
			return b.String()
		}
		word, after, _ := strings.Cut(rest, "}")
		b.WriteString(value(word))
		template = after
	}
}

// cText is an argument of the script language in C, where names, numbers and their bars are written the same.
func cText(a script.Arg) string {
	if a.Kind == script.ArgNull {
		return "NULL"
	}
	var terms []string
	for _, t := range a.Terms {
		text := t.Text
		if dev, is := strings.CutPrefix(text, "dev:"); is {
			text = "makedev(" + dev + ")"
		}
		terms = append(terms, text)
	}
	if len(terms) > 0 {
		return strings.Join(terms, "|")
	}
	return a.Word
}

// argument is argument i of a call in C, or 0 if it is left out.
func argument(c *call.Call, i int) string {
	args := c.Script().Args
	if i >= len(args) {
		return "0"
	}
	return cText(args[i])
}

// cString is a string literal of C.
func cString(s string) string {
	var b strings.Builder
	b.WriteByte('"')
	for i := range len(s) {
		switch ch := s[i]; {
		case ch == '"' || ch == '\\':
			b.WriteByte('\\')
			b.WriteByte(ch)
		case ch < ' ' || ch > '~' || ch == '?': // a question mark may begin a trigraph
			fmt.Fprintf(&b, `\%03o`, ch)
		default:
			b.WriteByte(ch)
		}
	}
	b.WriteByte('"')
	return b.String()
}

// shString is a word of the shell.
func shString(s string) string { return "'" + strings.ReplaceAll(s, "'", `'\''`) + "'" }

func decimal(n int64) string { return strconv.FormatInt(n, 10) }

func octal(n uint32) string { return "0" + strconv.FormatUint(uint64(n), 8) }

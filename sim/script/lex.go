package script

import (
	"math"
	"strings"

	"rumpvfs/kern"
)

// A token is a word of a line: a string with its parts, or anything else
// between blanks.
type token struct {
	text  string
	shape shape
	parts []Part
}

// A badToken is why a line cannot be read.
type badToken struct{ token, expected string }

// lex cuts a line into tokens and the comment behind them.
func lex(line string) (tokens []token, comment string, bad *badToken) {
	for {
		line = strings.TrimLeft(line, blanks)
		if line == "" || line[0] == '#' {
			return tokens, line, nil
		}
		if line[0] == '"' {
			parts, n, bad := lexString(line)
			if bad != nil {
				return nil, "", bad
			}
			tokens = append(tokens, token{line[:n], shapeString, parts})
			line = line[n:]
			continue
		}
		n := strings.IndexAny(line, blanks)
		if n < 0 {
			n = len(line)
		}
		tokens = append(tokens, token{line[:n], bareShape(line[:n]), nil})
		line = line[n:]
	}
}

func bareShape(text string) shape {
	if text == "NULL" {
		return shapeNull
	}
	if name, _, ok := strings.Cut(text, "="); ok && isName(name) {
		return shapeOption
	}
	return shapeBare
}

// lexString reads a joined string at the start of line; n is its length.
func lexString(line string) (parts []Part, n int, bad *badToken) {
	total := int64(0)
	for {
		text, used, bad := unquote(line[n:])
		if bad != nil {
			return nil, 0, bad
		}
		n += used
		p := Part{text, 1}
		if strings.HasPrefix(line[n:], "*") {
			n++
			if p.Repeat, used, bad = lexRepeat(line[n:]); bad != nil {
				return nil, 0, bad
			}
			n += used
		}
		parts = append(parts, p)
		if total = p.addLength(total); total > MaxString {
			return nil, 0, &badToken{line[:n], expectedLength}
		}
		switch {
		case n == len(line), strings.Contains(blanks, line[n:n+1]):
			return parts, n, nil
		case strings.HasPrefix(line[n:], `+"`):
			n++
		case line[n] == '+':
			return nil, 0, &badToken{line[n:], `expected a quoted string right after "+"`}
		default:
			return nil, 0, &badToken{line[n:], `expected a blank, "*" or "+" after the string`}
		}
	}
}

// lexRepeat reads the number behind "*".
func lexRepeat(text string) (count int64, n int, bad *badToken) {
	for n < len(text) && isNameByte(text[n]) {
		n++
	}
	count, expected := parseLiteral(text[:n])
	if expected != "" || count < 0 {
		return 0, 0, &badToken{"*" + text, `expected a count right after "*"`}
	}
	return count, n, nil
}

// escapes are the letters that may follow a backslash.
var escapes = map[byte]byte{
	'n': '\n', 't': '\t', 'r': '\r', 'a': '\a', 'b': '\b', 'f': '\f', 'v': '\v', '\\': '\\', '"': '"',
}

// unquote reads the quoted string at the start of text; n is its length with
// the quotes.
func unquote(text string) (s string, n int, bad *badToken) {
	var b []byte
	for n = 1; n < len(text); {
		switch text[n] {
		case '"':
			return string(b), n + 1, nil
		case '\\':
			c, used, bad := unescape(text[n:])
			if bad != nil {
				return "", 0, bad
			}
			b = append(b, c)
			n += used
		default:
			b = append(b, text[n])
			n++
		}
	}
	return "", 0, &badToken{text, "expected a closing quote"}
}

// unescape reads the escape sequence at the start of text; n is its length.
func unescape(text string) (c byte, n int, bad *badToken) {
	bad = &badToken{text[:min(len(text), 4)], `expected \n \t \r \a \b \f \v \\ \", \x and two hex digits, or \ and three octal digits`}
	if len(text) < 2 {
		return 0, 0, bad
	}
	if c, ok := escapes[text[1]]; ok {
		return c, 2, nil
	}
	if len(text) < 4 {
		return 0, 0, bad
	}
	base, digits := uint64(8), text[1:4]
	if text[1] == 'x' {
		base, digits = 16, text[2:4]
	}
	value, ok := parseDigits(digits, base)
	if !ok || value > math.MaxUint8 {
		return 0, 0, bad
	}
	return byte(value), 4, nil
}

// parseDigits converts digits of a base; not ok if there are none, if one is
// not of the base, or if the value does not fit 64 bits.
func parseDigits(digits string, base uint64) (value uint64, ok bool) {
	for i := range len(digits) {
		d := uint64(digits[i])
		switch {
		case d >= '0' && d <= '9':
			d -= '0'
		case d >= 'a' && d <= 'f':
			d -= 'a' - 10
		case d >= 'A' && d <= 'F':
			d -= 'A' - 10
		default:
			return 0, false
		}
		if d >= base || value > (math.MaxUint64-d)/base {
			return 0, false
		}
		value = value*base + d
	}
	return value, digits != ""
}

// parseLiteral converts a decimal, octal or hexadecimal number, negative or
// not. From 2^63 to 2^64-1 it is the 64-bit pattern that counts.
func parseLiteral(text string) (value int64, expected string) {
	digits, negative := strings.CutPrefix(text, "-")
	base := uint64(10)
	if hex, ok := strings.CutPrefix(digits, "0x"); ok {
		base, digits = 16, hex
	} else if len(digits) > 1 && digits[0] == '0' {
		base = 8
	}
	u, ok := parseDigits(digits, base)
	if !ok || negative && u > 1<<63 {
		return 0, "expected a number of at most 64 bits: decimal, octal after 0, or hexadecimal after 0x"
	}
	if negative {
		u = -u
	}
	return int64(u), ""
}

// parseTerm converts one term of a number.
func parseTerm(text string) (t Term, expected string) {
	t.Text = text
	if v, ok := constants[text]; ok {
		t.Value = v
		return t, ""
	}
	if isName(text) {
		t.Bound = true
		return t, ""
	}
	if pair, ok := strings.CutPrefix(text, "dev:"); ok {
		t.Value, expected = parseDevice(pair)
		return t, expected
	}
	t.Value, expected = parseLiteral(text)
	return t, expected
}

// parseDevice converts "MAJOR,MINOR".
func parseDevice(pair string) (value int64, expected string) {
	majorText, minorText, _ := strings.Cut(pair, ",")
	major, bad1 := parseLiteral(majorText)
	minor, bad2 := parseLiteral(minorText)
	if bad1 != "" || bad2 != "" || int64(int32(major)) != major || int64(int32(minor)) != minor {
		return 0, "expected dev:MAJOR,MINOR, two numbers"
	}
	return int64(kern.Makedev(int32(major), int32(minor))), ""
}

// isName reports whether text can be bound.
func isName(text string) bool {
	if text == "" || text[0] >= '0' && text[0] <= '9' {
		return false
	}
	for i := range len(text) {
		if !isNameByte(text[i]) {
			return false
		}
	}
	return true
}

func isNameByte(c byte) bool {
	return c == '_' || c >= '0' && c <= '9' || c >= 'a' && c <= 'z' || c >= 'A' && c <= 'Z'
}

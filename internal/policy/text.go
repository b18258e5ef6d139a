package policy

import (
	"bytes"
	"go/token"
	"path"
	"regexp"
	"slices"
	"strings"
	"unicode/utf8"
)

// In pieces, so that this file keeps its own rules.
var (
	openMark    = regexp.MustCompile(`\b(` + "TO" + `DO|` + "FIX" + `ME|` + "XX" + `X)\b`)
	machinePath = regexp.MustCompile(`(^|[^\w.$/])/(home|Users|work|workspace)/[\w.-]+/`)
	skipCall    = regexp.MustCompile(`\b[tb]\.(Skip|Skipf|SkipNow)\(`)
	skipExcuse  = regexp.MustCompile(`//policy:skip \S`)
)

// Text finds what no file may hold: marks of work left open, paths of
// somebody's machine, tests that skip themselves without a reason that lies in
// the machine.
func Text(name string, text []byte) (all []Finding) {
	if bytes.IndexByte(text, 0) >= 0 || !utf8.Valid(text) {
		return nil
	}
	n := 0
	for line := range bytes.Lines(text) {
		n++
		at := token.Position{Filename: name, Line: n}
		if m := openMark.Find(line); m != nil {
			all = append(all, Finding{at, "mark of open work: " + string(m)})
		}
		if m := machinePath.Find(line); m != nil {
			all = append(all, Finding{at, "path of a machine: " + string(m)})
		}
		if m := skipCall.Find(line); m != nil && strings.HasSuffix(name, "_test.go") && !skipExcuse.Match(line) {
			all = append(all, Finding{at, "test that skips itself"})
		}
	}
	return all
}

// vague are names of packages that say nothing of what is in them.
var vague = []string{"util", "utils", "common", "helper", "helpers", "misc", "base"}

// maxLines is how long a Go file that somebody writes may be.
const maxLines = 1000

// FileName finds what is wrong with the name of a file: _netbsd.go, which
// the Go tool leaves out elsewhere, and directories with vague names.
func FileName(name string) (all []Finding) {
	at := token.Position{Filename: name}
	stem := strings.TrimSuffix(strings.TrimSuffix(path.Base(name), ".go"), "_test")
	if strings.HasSuffix(name, ".go") && strings.HasSuffix(stem, "_netbsd") {
		all = append(all, Finding{at, "only built on NetBSD"})
	}
	if dir := path.Base(path.Dir(name)); slices.Contains(vague, dir) {
		all = append(all, Finding{at, "package " + dir + " says nothing of what is in it"})
	}
	return all
}

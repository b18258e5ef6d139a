package clause

import (
	"bytes"
	"os"
	"regexp"
	"strings"
	"testing"

	"rumpvfs/kern"
	"rumpvfs/proptest/call"
	"rumpvfs/sim/script"
)

// least is how many clauses there are to be.
const least = 300

// TestTable checks that clauses are named and told apart, and that each has a sentence.
func TestTable(t *testing.T) {
	name := regexp.MustCompile(`^[a-z_0-9]+\.[A-Za-z0-9]+\.[a-z-]+$`)
	seen := map[string]bool{}
	for i, c := range All() {
		if n := c.Name(); !name.MatchString(n) || seen[n] {
			t.Errorf("%s: malformed, or there twice", n)
		} else {
			seen[n] = true
		}
		if !strings.HasSuffix(c.Sentence, ".") {
			t.Errorf("%s: %q is no sentence", c.Name(), c.Sentence)
		}
		if id := Named(c.Name()); id != ID(i+1) || id.Info().Op != c.Op || Of(c.Op, c.Cause) != id || id.Errno() != c.Errno {
			t.Errorf("%s has ID %d, and is found as %d", c.Name(), i+1, id)
		}
	}
	if len(seen) < least || len(seen) >= Max {
		t.Errorf("%d clauses", len(seen))
	}
	for o := call.None + 1; o < call.NumOps; o++ {
		if !strings.Contains(string(Markdown()), "\n## "+o.String()+"\n") {
			t.Errorf("%v has no clauses", o)
		}
	}
}

// TestErrorsAreKnown checks that the script language knows every error that a clause gives a call.
func TestErrorsAreKnown(t *testing.T) {
	for _, c := range All() {
		if c.Op == call.None || c.Errno == 0 {
			continue
		}
		known := false
		for _, e := range script.Lookup(c.Op.String()).Errors {
			known = known || e == c.Errno
		}
		if !known {
			t.Errorf("%s is not among the errors of the script language", c.Name())
		}
	}
}

func TestAllows(t *testing.T) {
	unlink := Named("unlink.EPERM.directory")
	for e, want := range map[kern.Errno]bool{kern.EPERM: true, kern.EISDIR: true, kern.ENOENT: false, 0: false} {
		if unlink.Allows(e) != want {
			t.Errorf("%v allows %v: %v", unlink, e, !want)
		}
	}
	if Named("unlink.EPERM.nothing") != 0 || ID(0).String() != "none" || ID(Max-1).String() != "none" {
		t.Error("what is not there is found")
	}
	if Cause(0).OrOK() != OK || BadFD.OrOK() != BadFD {
		t.Error("OrOK")
	}
}

func TestCoverage(t *testing.T) {
	var a, b Coverage
	all := len(a.Missing())
	a[Named("mkdir.EEXIST.exists")] = 2
	b[Named("mkdir.EEXIST.exists")] = 3
	b[Named("sync.ok.done")] = 1
	a.Add(&b)
	if a[Named("mkdir.EEXIST.exists")] != 5 || a.Hit() != 2 || len(a.Missing()) != all-2 {
		t.Errorf("%d hit, %d missing of %d", a.Hit(), len(a.Missing()), all)
	}
}

// TestNoSuchClause checks that an answer for which there is no clause is a panic, not a wrong number.
func TestNoSuchClause(t *testing.T) {
	defer func() {
		if r := recover(); r == nil {
			t.Error("a clause for mkdir.eof")
		}
	}()
	Of(call.Mkdir, EOF)
}

func TestDocIsUpToDate(t *testing.T) {
	doc, err := os.ReadFile("../../docs/CLAUSES.md")
	if err != nil {
		t.Fatal(err)
	}
	if !bytes.Equal(doc, Markdown()) {
		t.Error("docs/CLAUSES.md is stale: run go generate ./proptest/clause")
	}
}

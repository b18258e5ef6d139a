package policy

import (
	"os"
	"path"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
)

var link = regexp.MustCompile(`\]\(([^)#: ]+)(#[^)]*)?\)`)

func TestLinksLeadSomewhere(t *testing.T) {
	tr := must[*Tree](t)(tree())
	n := 0
	for _, name := range tr.All {
		if !strings.HasSuffix(name, ".md") {
			continue
		}
		for _, m := range link.FindAllStringSubmatch(string(read(t, name)), -1) {
			n++
			to := path.Join(path.Dir(name), m[1])
			if _, err := os.Stat(filepath.Join(tr.Root, filepath.FromSlash(to))); err != nil {
				t.Errorf("%s: link to %s, which is not there", name, m[1])
			}
		}
	}
	if n == 0 {
		t.Error("no links found")
	}
}

// The program in the README is one that compiles.
func TestReadmeProgramCompiles(t *testing.T) {
	_, text, ok := strings.Cut(string(read(t, "README.md")), "\n```go\n")
	text, _, end := strings.Cut(text, "\n```")
	if !ok || !end {
		t.Fatal("README.md has no block of Go")
	}
	if _, err := must[*Loader](t)(loader()).Source("readme", text+"\n"); err != nil {
		t.Error(err)
	}
}

// What a newcomer types is the same everywhere it is written.
func TestReadmeOpensWithItsTwoCommands(t *testing.T) {
	blocks := strings.Split(string(read(t, "README.md")), "\n```")
	if len(blocks) < 5 || blocks[1] != "\ngo run ./cmd/rumpvfs run examples/tour.rvs" || blocks[3] != "\ngo test ./..." {
		t.Error("README.md does not open with its two commands")
	}
}

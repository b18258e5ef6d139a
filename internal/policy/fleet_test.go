package policy

import (
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"
)

// TestFuzzTargetsAreBuilt runs the build script of ClusterFuzzLite with a compiler that only says what it is to compile: all
// fuzz targets of the project, of which there are 8 at least.
func TestFuzzTargetsAreBuilt(t *testing.T) {
	bash, err := exec.LookPath("bash")
	if err != nil {
		t.Skip("no bash") //policy:skip the script is for a machine that has one
	}
	const root = "../.."
	bin := t.TempDir()
	const compiler = "#!/bin/sh\necho \"$1 $2 $3\"\n"
	if err := os.WriteFile(filepath.Join(bin, "compile_native_go_fuzzer"), []byte(compiler), 0o755); err != nil {
		t.Fatal(err)
	}
	cmd := exec.Command(bash, "-eu", ".clusterfuzzlite/build.sh")
	cmd.Dir = root
	cmd.Env = append(os.Environ(), "PATH="+bin+string(os.PathListSeparator)+os.Getenv("PATH"))
	out, err := cmd.CombinedOutput()
	if err != nil {
		t.Fatalf("%v\n%s", err, out)
	}
	var built []string
	for line := range strings.Lines(string(out)) {
		words := strings.Fields(line)
		if len(words) != 3 || !strings.HasPrefix(words[0], "rumpvfs/") {
			t.Fatalf("%q", line)
		}
		built = append(built, words[0]+" "+words[1])
	}
	want := fuzzTargets(t, root)
	slices.Sort(built)
	if !slices.Equal(built, want) || len(want) < 8 {
		t.Errorf("built %v, want %v", built, want)
	}
}

// fuzzTargets are the packages and names of the project's fuzz targets, sorted.
func fuzzTargets(t *testing.T, root string) (list []string) {
	t.Helper()
	target := regexp.MustCompile(`(?m)^func (Fuzz\w+)\(`)
	err := filepath.WalkDir(root, func(path string, d os.DirEntry, err error) error {
		if err != nil || d.IsDir() || !strings.HasSuffix(path, "_test.go") {
			return err
		}
		src, err := os.ReadFile(path)
		if err != nil {
			return err
		}
		dir, err := filepath.Rel(root, filepath.Dir(path))
		for _, m := range target.FindAllSubmatch(src, -1) {
			list = append(list, "rumpvfs/"+filepath.ToSlash(dir)+" "+string(m[1]))
		}
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	slices.Sort(list)
	return list
}

package main

import (
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"strconv"
	"strings"
	"testing"

	"github.com/rogpeppe/go-internal/testscript"

	"rumpvfs/proptest/host"
)

func TestMain(m *testing.M) {
	host.Child()
	testscript.Main(m, map[string]func(){"rumpvfs": main})
}

// TestScripts runs the command as its users do; see testdata/script.
func TestScripts(t *testing.T) {
	module, err := filepath.Abs("../..")
	if err != nil {
		t.Fatal(err)
	}
	caches := []string{"GOCACHE", "GOMODCACHE"}
	dirs, err := exec.Command("go", append([]string{"env"}, caches...)...).Output()
	if err != nil {
		t.Fatal(err)
	}
	testscript.Run(t, testscript.Params{
		Dir:       "testdata/script",
		Cmds:      map[string]func(*testscript.TestScript, bool, []string){"exits": exits, "signalled": signalled},
		Condition: condition,
		Setup: func(env *testscript.Env) error {
			env.Setenv("MODULE", module)
			env.Setenv("GOFLAGS", os.Getenv("GOFLAGS"))
			for i, name := range caches {
				env.Setenv(name, strings.Fields(string(dirs))[i])
			}
			return os.Mkdir(filepath.Join(env.WorkDir, "home"), 0o755)
		},
	})
}

// condition knows [superuser]: whether a child of ours may have a Linux to itself.
func condition(name string) (bool, error) {
	if name != "superuser" {
		return false, fmt.Errorf("no condition is called %q", name)
	}
	return runtime.GOOS == "linux" && os.Geteuid() == 0, nil
}

// exits is the command "exits STATUS PROGRAM ARG...": PROGRAM must end with
// that status.
func exits(ts *testscript.TestScript, neg bool, args []string) {
	if neg || len(args) < 2 {
		ts.Fatalf("usage: exits STATUS PROGRAM ARG...")
	}
	want, err := strconv.Atoi(args[0])
	ts.Check(err)
	got := 0
	err = ts.Exec(args[1], args[2:]...)
	if e := (*exec.ExitError)(nil); errors.As(err, &e) {
		got = e.ExitCode()
	} else {
		ts.Check(err)
	}
	if got != want {
		ts.Fatalf("exit status %d, want %d", got, want)
	}
}

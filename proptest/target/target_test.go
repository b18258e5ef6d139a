package target

import (
	"bytes"
	"compress/gzip"
	"io"
	"os"
	"path/filepath"
	"testing"

	"rumpvfs/hypercall"
	"rumpvfs/kern"
	"rumpvfs/proptest/call"
	"rumpvfs/sim"
	"rumpvfs/sim/script"
)

func recorded(t testing.TB, file string) *script.Script {
	t.Helper()
	src, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	z, err := gzip.NewReader(bytes.NewReader(src))
	if err != nil {
		t.Fatal(err)
	}
	if src, err = io.ReadAll(z); err != nil {
		t.Fatal(err)
	}
	tr, err := script.ParseTrace(filepath.Base(file), src)
	if err != nil {
		t.Fatal(err)
	}
	return tr
}

// TestRecorded makes the calls of the recorded traces through calls in place of script lines; each line also survives
// being written anew.
func TestRecorded(t *testing.T) {
	files, err := filepath.Glob("../../sim/replay/testdata/[adflnt]*.trace.gz")
	if err != nil || len(files) < 6 {
		t.Fatalf("traces %v, %v", files, err)
	}
	k, err := New(sim.Config{Mode: hypercall.Deterministic}, nil)
	if err != nil {
		t.Fatal(err)
	}
	for _, file := range files {
		tr := recorded(t, file)
		calls := 0
		for i := range tr.Sections {
			calls += testSection(t, k, &tr.Sections[i])
		}
		t.Logf("%s: %d calls", filepath.Base(file), calls)
	}
	if err := k.Close(); err != nil {
		t.Error(err)
	}
}

func testSection(t *testing.T, k *Kernel, sec *script.Section) (calls int) {
	if err := k.Reset(); err != nil {
		t.Fatal(err)
	}
	rd := call.NewReader()
	var r call.Result
	for i := range sec.Lines {
		l := &sec.Lines[i]
		if l.Call == nil {
			continue
		}
		c, ok, err := rd.Call(l.Call)
		if err != nil {
			return calls
		}
		if !ok {
			continue
		}
		again, err := call.FromScript(c.Script())
		if again.Proc = c.Proc; err != nil || again != c {
			t.Fatalf("%s:%d: %s: %+v is %+v, %v", sec.Name, l.Number, l.Echo(), c, again, err)
		}
		k.Do(&c, &r)
		rd.Note(l.Call, &c, &r)
		calls++
		if got := r.Format(&c); got != l.Result {
			t.Fatalf("%s:%d: %s => %s, want %s", sec.Name, l.Number, l.Echo(), got, l.Result)
		}
		if r.Stop != call.Running {
			return calls
		}
	}
	return calls
}

func TestNoSuchProcess(t *testing.T) {
	k, err := New(sim.Config{}, func(p *sim.Proc) error { return p.Mkdir("/here", 0o755) })
	if err != nil {
		t.Fatal(err)
	}
	var r call.Result
	for _, c := range []call.Call{{Op: call.Getpid, Proc: 1}, {Op: call.Exit}} {
		if k.Do(&c, &r); r.Errno != kern.ESRCH {
			t.Errorf("%v: %v", c, r)
		}
	}
	if k.Do(&call.Call{}, &r); r.Errno != kern.ENOSYS {
		t.Errorf("no call: %v", r)
	}
	if k.Do(&call.Call{Op: call.Rmdir, Path: "/here"}, &r); r.Errno != 0 {
		t.Errorf("rmdir of what was prepared: %v", r)
	}
	if err := k.Close(); err != nil {
		t.Error(err)
	}
	if k.Do(&call.Call{Op: call.Sync}, &r); r.Errno == 0 {
		t.Error("a kernel that is down answers")
	}
}

package draw

import (
	"flag"
	"fmt"
	"runtime"
	"strings"
	"testing"

	"pgregory.net/rapid"

	"rumpvfs/kern"
	"rumpvfs/proptest/call"
	"rumpvfs/proptest/driver"
)

// TestKernelIsModel has rapid draw scripts for kernel and model.
func TestKernelIsModel(t *testing.T) {
	for _, fs := range driver.FileSystems() {
		for name, quirks := range map[string]kern.Quirks{"rev1125": kern.Rev1125, "fixed": kern.Fixed} {
			t.Run(fs.Name+"/"+name, func(t *testing.T) { Check(t, driver.Config{FS: fs, Quirks: quirks}) })
		}
	}
}

// TestEven draws choices of which each comes about as often as any other, but for the first.
func TestEven(t *testing.T) {
	const n, draws = 10, 200
	var seen [n]int
	total := 0
	rapid.Check(t, func(t *rapid.T) {
		s := NewSource(t)
		for range draws {
			seen[s.Choose(n)]++
			total++
		}
		if s.Choose(1) != 0 {
			t.Error("of one choice")
		}
	})
	for i, got := range seen {
		if want := total / n; i > 0 && (got < want*7/10 || got > want*13/10) || i == 0 && got > 4*want {
			t.Errorf("choice %d came %d times of %d", i, got, total)
		}
	}
}

// A recorder is a test that may fail.
type recorder struct {
	*testing.T
	failed bool
	text   strings.Builder
}

func (r *recorder) Failed() bool { return r.failed }
func (r *recorder) Fail()        { r.failed = true }
func (r *recorder) Error(args ...any) {
	r.Fail()
	fmt.Fprintln(&r.text, args...)
}
func (r *recorder) Errorf(form string, args ...any) {
	r.Fail()
	fmt.Fprintf(&r.text, form+"\n", args...)
}
func (r *recorder) Fatal(args ...any) {
	r.Error(args...)
	r.FailNow()
}
func (r *recorder) Fatalf(form string, args ...any) {
	r.Errorf(form, args...)
	r.FailNow()
}
func (r *recorder) FailNow() {
	r.Fail()
	runtime.Goexit()
}

// TestFailure has rapid find that a kernel with quirks is not POSIX, and checks that what is shown is small.
func TestFailure(t *testing.T) {
	t.Chdir(t.TempDir()) // rapid writes a file
	const limit = "rapid.shrinktime"
	before := flag.Lookup(limit).Value.String()
	if err := flag.Set(limit, "1s"); err != nil {
		t.Fatal(err)
	}
	defer func() { _ = flag.Set(limit, before) }()
	r := &recorder{T: t}
	done := make(chan struct{})
	go func() {
		defer close(done)
		fs := driver.Rumpfs()
		Check(r, driver.Config{FS: fs, Quirks: kern.Fixed, System: func() (call.System, error) { return fs.Kernel(kern.Rev1125, 0) }})
	}()
	<-done
	text := r.text.String()
	if at := strings.Index(text, "differs\n"); !r.failed || at < 0 || strings.Count(text[at:], " => ") > 12 || !strings.Contains(text, "but got") {
		t.Errorf("failed: %v\n%s", r.failed, text)
	}
}

// BenchmarkRapid makes calls on kernel and model as rapid draws them.
func BenchmarkRapid(b *testing.B) {
	d, err := driver.New(driver.Config{Quirks: kern.Rev1125})
	if err != nil {
		b.Fatal(err)
	}
	b.ReportAllocs()
	b.ResetTimer()
	for d.Stats.Calls < uint64(b.N) {
		rapid.Check(b, func(t *rapid.T) {
			if f, err := d.NextFrom(NewSource(t)); f != nil || err != nil {
				t.Fatal(f, err)
			}
		})
	}
	b.ReportMetric(float64(d.Stats.Calls)/b.Elapsed().Seconds(), "calls/s")
}

package learn

import (
	"context"
	"testing"

	"rumpvfs/kern"
	"rumpvfs/proptest/call"
	"rumpvfs/proptest/driver"
	"rumpvfs/proptest/model"
	"rumpvfs/proptest/shrink"
)

// TestLearn learns every quirk that POSIX promises otherwise, each from a script of a few calls.
func TestLearn(t *testing.T) {
	l := New(1)
	calls, learned := uint64(0), kern.Fixed
	for l.Wants(kern.POSIXQuirks()) {
		known := l.Known
		lesson, err := l.Next(context.Background())
		if err != nil {
			t.Fatal(err)
		}
		if calls += lesson.Calls; len(lesson.Quirks) == 0 || calls > 1_000_000 {
			t.Fatalf("after %d calls, of %v:\n%s", calls, kern.POSIXQuirks()&^l.Known, lesson.Case.Text())
		}
		for _, q := range lesson.Quirks {
			learned = learned.With(q)
		}
		if n := len(lesson.Case.Script); n > 10 {
			t.Errorf("%v takes %d calls:\n%s", lesson.Quirks, n, lesson.Case.Text())
		}
		minimal(t, known, lesson)
	}
	if missing := kern.POSIXQuirks() &^ learned; missing != 0 {
		t.Errorf("not learned: %v", missing)
	}
}

// minimal checks that no call can be left out of a lesson.
func minimal(t *testing.T, known kern.Quirks, lesson *Lesson) {
	t.Helper()
	l := &Learner{Known: known}
	d, err := driver.New(driver.Config{
		Oracle: func() (call.System, error) { return model.New(model.Config{Quirks: known}), nil },
		System: func() (call.System, error) { return l.kernel(kern.Rev1125) },
	})
	if err != nil {
		t.Fatal(err)
	}
	script := lesson.Case.Script
	f, err := d.Replay(script)
	if err != nil || f == nil {
		t.Fatalf("%v: not again, %v", lesson.Quirks, err)
	}
	if again := shrink.Minimize(script, d.Like(f)); len(again) != len(script) {
		t.Errorf("%v:\n%s\nis %v", lesson.Quirks, lesson.Case.Text(), again)
	}
	_ = d.Close() // panics too are answers
}

// TestLearnStops checks that there is no lesson when there is no time.
func TestLearnStops(t *testing.T) {
	ctx, cancel := context.WithCancel(context.Background())
	cancel()
	if lesson, err := New(1).Next(ctx); lesson != nil || err != nil {
		t.Error(lesson, err)
	}
}

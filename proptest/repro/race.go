package repro

import (
	"bytes"
	"fmt"
	"strings"

	"rumpvfs/proptest/call"
	"rumpvfs/proptest/sched"
)

// A Race is a program of several lwps that goes wrong under a schedule.
type Race struct {
	Name    string // of the test and so on, as that of a Case
	On      string // what it runs on, for people
	Command string // that runs it again, up to the schedule
	Failure *sched.Failure
	History *sched.History // what the calls answered
	Home    []call.Call    // those that lead where process 0 is at first

	// System are Go statements that make on, the *sched.System that the program runs on, Imports the packages that they need.
	System  string
	Imports []string
}

// Again runs what has failed on a system once more, so that its answers are known.
func (r *Race) Again(f *sched.Failure, on *sched.System) {
	r.Home, r.Failure = on.Home, f
	r.History, _ = sched.Replay(f.Program, on, f.Schedule)
}

// Files are all the ways to write the race.
func (r *Race) Files() []File {
	return []File{{".txt", r.Text()}, {"_test.go", r.GoTest()}, {".c", r.C()}}
}

// head says what the race is about, in comments.
func (r *Race) head(comment string) string {
	var b strings.Builder
	lines := []string{
		fmt.Sprintf("%v: %s", r.Failure.Kind, r.Failure.Why),
		fmt.Sprintf("on %s, under schedule %v", r.On, r.Failure.Schedule),
	}
	for _, l := range strings.Split(strings.Join(lines, "\n"), "\n") {
		b.WriteString(strings.TrimRight(comment+l, " ") + "\n")
	}
	return b.String()
}

// history says in comments what the calls answered, and in which order they began and ended.
func (r *Race) history(comment string) string {
	var b strings.Builder
	for l := range strings.Lines(r.Failure.History) {
		b.WriteString(comment + l)
	}
	return b.String()
}

// Text is the race for people, and the program for whoever runs it again.
func (r *Race) Text() []byte {
	var b bytes.Buffer
	b.WriteString(r.head("# "))
	fmt.Fprintf(&b, "# %s --replay %v FILE runs it again.\n", r.Command, r.Failure.Schedule)
	b.WriteString(r.Failure.Program.String())
	fmt.Fprintf(&b, "# What happened: who, from when to when, what.\n%s", r.history("# "))
	return b.Bytes()
}

// GoTest is the race as a Go test of a module that requires this one. It fails as long as the program goes wrong under the schedule.
func (r *Race) GoTest() []byte {
	t := Test{
		Imports: append([]string{"rumpvfs/proptest/sched"}, r.Imports...),
		Lines:   strings.Split(strings.TrimSuffix(r.Failure.Program.String(), "\n"), "\n"),
		Body: fmt.Sprintf(`%s
	program, err := sched.Parse(t.Name(), text, on)
	if err != nil {
		t.Fatal(err)
	}
	schedule, err := sched.ParseSchedule(%q)
	if err != nil {
		t.Fatal(err)
	}
	if _, failure := sched.Replay(program, on, schedule); failure != nil {
		t.Error(failure)
	}`, r.System, r.Failure.Schedule.String()),
	}
	return t.write(r.Name, r.head("// "))
}

package meta

import (
	"errors"
	"fmt"

	"rumpvfs/kern"
	"rumpvfs/proptest/call"
	"rumpvfs/proptest/driver"
	"rumpvfs/proptest/repro"
	"rumpvfs/sim/script"
)

// Reproducer is a failure as a case for package repro: the changed script with what it must answer, and what it was made of as a comment.
// The Go test tries the rule again. If a kernel is broken after the script, it is a case of the script and the model's answers.
func Reproducer(name string, f *Failure) *repro.Case {
	c := &repro.Case{
		Name: name, FS: f.FS.Name, Setup: f.FS.Setup, Fifofs: f.FS.Caps.Fifos, Quirks: f.Quirks, Why: fmt.Sprintf("rule %s does not hold: %s", f.Rule.Name, f.Rule.Sentence),
		Script: f.Other, Got: f.Made, NoTrace: f.Err != nil || f.Rule.base != nil || f.Rule.other != nil,
	}
	if f.Err != nil {
		c.Why = fmt.Sprintf("rule %s: %v", f.Rule.Name, f.Err)
		c.Script, c.Got = f.Script, answers(f)
	}
	if f.Rule.text {
		c.Got = answers(f) // the other kernel's are text
	}
	c.Want = append(c.Want, c.Got...)
	lines := text(f.Script)
	if f.Err == nil {
		if f.Rule.change != nil {
			c.About = append([]string{"made of"}, lines...)
		}
		last, want := len(c.Want)-1, keep(&f.Want)
		if f.Rule.changed != nil {
			f.Rule.changed(&f.Script[f.Index], &want)
		}
		c.Want[last] = want
		if f.Rule.text {
			c.About = append(c.About, "to the last of which is answered "+f.got())
			c.Got[last] = want
		}
	}
	c.Test = &repro.Test{
		Imports: []string{"rumpvfs/kern", "rumpvfs/proptest/meta"},
		Lines:   lines,
		Body: fmt.Sprintf(`quirks, err := kern.ParseQuirks(%q)
	if err != nil {
		t.Fatal(err)
	}
	failure, err := meta.Replay(%q, %q, quirks, %d, %d, text)
	if failure != nil || err != nil {
		t.Error(failure, err)
	}`, f.Quirks.String(), f.Rule.Name, f.FS.Name, f.Seed, f.Choices),
	}
	return c
}

// answers are those of the model to the script.
func answers(f *Failure) []call.Result {
	list := make([]call.Result, len(f.Script))
	m := f.FS.Model(f.Quirks)
	for i := range f.Script {
		m.Do(&f.Script[i], &list[i])
	}
	return list
}

// text is a script in lines.
func text(calls []call.Call) (list []string) {
	lines, _ := call.Scripts(calls)
	for _, l := range lines {
		list = append(list, l.String())
	}
	return list
}

// Replay tries a rule on a script, on kernels with a file system of the project and quirks, and chooses as it did when it did not hold: by
// [Failure.Seed] and [Failure.Choices]. There is no failure if it holds.
func Replay(rule, fsName string, quirks kern.Quirks, seed, choices uint64, script string) (*Failure, error) {
	fs, err := driver.FSNamed(fsName)
	if err != nil {
		return nil, err
	}
	chosen, ok := RuleNamed(rule)
	if !ok {
		return nil, fmt.Errorf("meta: no rule is called %q", rule)
	}
	r := NewRunner(Config{Quirks: quirks, Seed: seed, FS: fs})
	r.seed = choices
	if err := r.read(script); err != nil {
		return nil, err
	}
	f, err := r.try(&chosen)
	if f == nil {
		err = errors.Join(err, r.Close())
	}
	return f, err
}

// read makes a script that is text the one that rules are tried on.
func (r *Runner) read(text string) error {
	s, err := script.Parse("script", []byte(text))
	if err == nil {
		r.script, err = call.ReadSection(&s.Sections[0], r.model, nil)
	}
	return err
}

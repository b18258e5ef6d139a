//go:build deadlock

package hypercall

import (
	"strings"
	"testing"
)

// voice is a goroutine that acts as a thread: to go-deadlock a thread is a goroutine.
type voice struct {
	acts chan func()
	done chan any // what it panicked with
}

func newVoice(t *testing.T) voice {
	v := voice{make(chan func()), make(chan any)}
	go func() {
		for act := range v.acts {
			func() {
				defer func() { v.done <- recover() }()
				act()
			}()
		}
	}()
	t.Cleanup(func() { close(v.acts) })
	return v
}

// TestSecondOpinion: of the stories that a LockChecker reports, go-deadlock objects to those where two locks are waited for in two
// orders, and to none that the LockChecker does not report.
func TestSecondOpinion(t *testing.T) {
	objections := 0
	for _, c := range lockStories {
		t.Run(c.name, func(t *testing.T) {
			var first reports
			cast := newLockCast(NewSystem(Config{Mode: Checked, Checker: newSecondOpinion(first.collecting())}))
			voices := [4]voice{newVoice(t), newVoice(t), newVoice(t), newVoice(t)}
			objection := ""
			cast.act = func(i int, act func()) {
				voices[i].acts <- act
				if e, ok := (<-voices[i].done).(LockError); ok {
					objection = e.Op
				}
			}
			cast.play(c.story)
			if objection != "" && c.rule == "" {
				t.Errorf("go-deadlock objects to what is right: %s", objection)
			}
			if strings.Contains(objection, "Inconsistent locking") {
				objections++
			} else if c.name == "two threads, two locks" {
				t.Errorf("go-deadlock does not object, it says %q", objection)
			}
		})
	}
	if objections < 5 {
		t.Errorf("go-deadlock objects to %d stories", objections)
	}
}

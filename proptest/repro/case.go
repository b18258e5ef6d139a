package repro

import (
	"bytes"
	"cmp"
	"fmt"
	"strings"

	"rumpvfs/kern"
	"rumpvfs/proptest/call"
	"rumpvfs/sim/script"
)

// A Case is a script with what it shows.
type Case struct {
	Name   string // of the section, the test and so on: letters, digits and dashes
	Why    string // one line: what is wrong
	Quirks kern.Quirks
	FS     string   // the file system's name
	Fifofs bool     // the kernel has fifofs
	Setup  []string // lines of the script language, answering 0, that prepare a kernel that has just been booted
	Script []call.Call
	Want   []call.Result // the oracle's answers
	Got    []call.Result // the system's
	Notes  []string      // nil, or for people what else happens in a call, a line each; empty for nothing

	System  string   // what gave Got, if it is no kernel of ours: the name of an operating system
	About   []string // more lines that say what is wrong
	Test    *Test    // how a Go test shows it; nil: a kernel with the quirks answers otherwise than the oracle
	NoTrace bool     // a trace does not show it, as it takes another kernel than those that traces are replayed on
}

// New makes the calls of a script on an oracle and a system that begin anew, and keeps the answers of both. The script ends
// with the first call that one of them stops at.
func New(name string, script []call.Call, oracle, system call.System) (*Case, error) {
	c := &Case{Name: name}
	for _, s := range []call.System{oracle, system} {
		if err := s.Reset(); err != nil {
			return nil, fmt.Errorf("repro: %w", err)
		}
	}
	var want, got call.Result
	for i := range script {
		k := &script[i]
		if oracle.Do(k, &want); want.Stop == call.Unknown || want.Stop == call.Blocked && !call.NoticesWaits(system) {
			break
		}
		system.Do(k, &got)
		c.Script = append(c.Script, *k)
		c.Want, c.Got = append(c.Want, keep(&want)), append(c.Got, keep(&got))
		if want.Stop != call.Running || got.Stop != call.Running {
			break
		}
	}
	return c, nil
}

func keep(r *call.Result) call.Result {
	k := *r
	k.Data = bytes.Clone(r.Data)
	return k
}

// A line is a line of a case's script.
type line struct {
	text string
	call int // index of the call; -1 of a line of the setup, and of a switch
	want string
}

// lines are the lines of the script, with the switches between processes and the oracle's answers.
func (c *Case) lines() (list []line) {
	for _, l := range c.Setup {
		list = append(list, line{l, -1, "0"})
	}
	pids := map[string]int32{"p0": 1}
	scripts, which := call.Scripts(c.Script)
	for i, s := range scripts {
		l := line{text: s.String(), call: which[i]}
		if l.call < 0 {
			l.want = script.FormatSwitch(pids[s.Args[0].Word])
		} else {
			l.want = c.Want[l.call].Format(&c.Script[l.call])
			if s.Bind != "" {
				pids[s.Bind] = int32(c.Want[l.call].Ret)
			}
		}
		list = append(list, l)
	}
	return list
}

// Text is the case for people: each call with the oracle's answer, and where the system gives another, that too.
func (c *Case) Text() []byte {
	var b bytes.Buffer
	c.head(&b, "# ")
	for _, l := range c.lines() {
		if l.call >= 0 && l.call < len(c.Notes) && c.Notes[l.call] != "" {
			fmt.Fprintf(&b, "# %s:\n", c.Notes[l.call])
		}
		fmt.Fprintf(&b, "%s => %s\n", l.text, l.want)
		if l.call < 0 {
			continue
		}
		if got := c.Got[l.call].Format(&c.Script[l.call]); got != l.want {
			fmt.Fprintf(&b, "\tbut %s => %s\n", cmp.Or(c.System, "got"), got)
		}
	}
	return b.Bytes()
}

// Trace is the case as a trace with the oracle's answers. Replaying it with the case's quirks shows the difference.
func (c *Case) Trace() []byte {
	var b bytes.Buffer
	fmt.Fprintf(&b, "=== %s\n", c.Name)
	c.head(&b, "# ")
	for _, l := range c.lines() {
		fmt.Fprintf(&b, "%s => %s\n", l.text, l.want)
	}
	return b.Bytes()
}

// head says what the case is about, in comments.
func (c *Case) head(b *bytes.Buffer, comment string) {
	if c.Why != "" {
		fmt.Fprintf(b, "%s%s\n", comment, strings.ReplaceAll(c.Why, "\n", " "))
	}
	for _, l := range c.About {
		fmt.Fprintf(b, "%s%s\n", comment, l)
	}
	fifofs := ""
	if c.Fifofs {
		fifofs = ", with fifofs"
	}
	fmt.Fprintf(b, "%sfile system %s, quirks %v%s\n", comment, c.FS, c.Quirks, fifofs)
}

// A File is a failure as it is written to a file.
type File struct {
	Suffix string // of the file's name
	Text   []byte
}

// Files are all the ways to write the case.
func (c *Case) Files() []File {
	files := []File{{".txt", c.Text()}, {"_test.go", c.GoTest()}, {".sh", c.Shell()}, {".c", c.C()}}
	if !c.NoTrace {
		files = append(files, File{".trace", c.Trace()})
	}
	return files
}

package mutant

import (
	"bytes"
	"fmt"

	"rumpvfs/kern"
	"rumpvfs/proptest/call"
	"rumpvfs/proptest/model"
	"rumpvfs/sim/script"
)

// A Killer is a script that shows a mutant.
type Killer struct {
	Name   string // the mutant's
	Script []call.Call
}

// ParseKillers reads killers, each a section of a script with the mutant's name. The model says what descriptors and processes
// the calls make.
func ParseKillers(file string, src []byte) ([]Killer, error) {
	s, err := script.Parse(file, src)
	if err != nil {
		return nil, err
	}
	var list []Killer
	for i := range s.Sections {
		sec := &s.Sections[i]
		caps := model.Caps{Rename: true, Link: true}
		if m, err := Named(sec.Name); err == nil && m.Fifofs {
			caps = m.system().Caps
		}
		m := model.New(model.Config{Quirks: kern.Fixed, Caps: caps})
		calls, err := call.ReadSection(sec, m, nil)
		if err != nil {
			return nil, fmt.Errorf("%s: %s: line %w", file, sec.Name, err)
		}
		list = append(list, Killer{sec.Name, calls})
	}
	return list, nil
}

// WriteKillers writes killers as ParseKillers reads them.
func WriteKillers(list []Killer) []byte {
	var b bytes.Buffer
	for _, k := range list {
		fmt.Fprintf(&b, "=== %s\n", k.Name)
		lines, _ := call.Scripts(k.Script)
		for _, l := range lines {
			fmt.Fprintln(&b, l)
		}
	}
	return b.Bytes()
}

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
		k := Killer{Name: s.Sections[i].Name}
		if err := k.read(&s.Sections[i]); err != nil {
			return nil, fmt.Errorf("%s: %s: %w", file, k.Name, err)
		}
		list = append(list, k)
	}
	return list, nil
}

func (k *Killer) read(s *script.Section) error {
	m, rd := model.New(model.Config{Quirks: kern.Fixed, Caps: model.Caps{Rename: true, Link: true}}), call.NewReader()
	var r call.Result
	for _, line := range s.Lines {
		if line.Call == nil {
			continue
		}
		c, ok, err := rd.Call(line.Call)
		if err != nil {
			return fmt.Errorf("line %d: %w", line.Number, err)
		}
		if !ok {
			continue
		}
		k.Script = append(k.Script, c)
		m.Do(&c, &r)
		rd.Note(line.Call, &c, &r)
	}
	return nil
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

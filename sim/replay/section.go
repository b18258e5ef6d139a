package replay

import (
	"context"
	"errors"
	"io"

	"rumpvfs/hypercall"
	"rumpvfs/sim"
	"rumpvfs/sim/script"
)

// An Outcome is what came of a section.
type Outcome struct {
	Section *script.Section
	// Results holds the text of each line that is a call, in the places of
	// Section.Lines. Fewer than there are lines means that the section ended
	// early, for the reason in Stop.
	Results []string
	// Stop is the kernel panic or the deadlock that ended the section.
	Stop error
	// Err is why the section was not run to where it ends: no kernel, or ctx.
	Err error
	// Left says which invariants did not hold after the last call, and what
	// the kernel left over when it was shut down.
	Left error
}

// Run boots a kernel that c describes and makes the calls of a section on it,
// until one of them stops the kernel or ctx ends.
func Run(ctx context.Context, sec *script.Section, c sim.Config) (o Outcome) {
	o.Section = sec
	s, err := NewSession(c)
	if err != nil {
		o.Err = err
		return o
	}
	// A call of a native kernel may wait for ever; a kernel that stops wakes
	// it. Only one lwp of a deterministic kernel ever runs, so there it is
	// enough to look between calls.
	if s.Kernel.Sys.Mode() != hypercall.Deterministic {
		defer context.AfterFunc(ctx, func() { s.Kernel.K.Die(ctx.Err()) })()
	}
	o.calls(ctx, s)
	if o.Stop == nil && o.Err == nil {
		o.Left = s.Kernel.Check()
	}
	o.Left = errors.Join(o.Left, s.Close())
	return o
}

func (o *Outcome) calls(ctx context.Context, s *Session) {
	for i := range o.Section.Lines {
		if o.Err = ctx.Err(); o.Err != nil {
			return
		}
		call := o.Section.Lines[i].Call
		if call == nil {
			o.Results = append(o.Results, "")
			continue
		}
		r, err := s.Do(call)
		if err != nil {
			o.Err = err
			return
		}
		o.Results = append(o.Results, r.Text)
		if o.Stop = r.Stop; r.Stop != nil {
			return
		}
	}
}

// WriteTo writes the section's trace as far as it went.
func (o *Outcome) WriteTo(w io.Writer) (int64, error) {
	var b []byte
	if o.Section.Header != "" {
		b = append(append(b, o.Section.Header...), '\n')
	}
	for i, result := range o.Results {
		l := &o.Section.Lines[i]
		b = append(b, l.Echo()...)
		if l.Call != nil {
			b = append(append(b, " => "...), result...)
		}
		b = append(b, '\n')
	}
	n, err := w.Write(b)
	return int64(n), err
}

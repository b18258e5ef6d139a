package host

import (
	"errors"

	"rumpvfs/kern"
	"rumpvfs/proptest/call"
	"rumpvfs/proptest/driver"
	"rumpvfs/proptest/model"
)

// Explained is the host as an oracle: it makes each call on a model without quirks and on the host, and answers as the model
// if the host's answer is the same or differs as the table says; otherwise as the host. From where the table says that
// both part, and for what the host does not have, the model answers alone, until the next Reset.
type Explained struct {
	*Comparer
	model  *model.Model
	host   call.System
	got    call.Result
	parted bool
}

// NewExplained makes an oracle of a host for a file system. Closing it closes the host.
func NewExplained(fs driver.FS, host call.System) *Explained {
	return &Explained{Comparer: NewComparer(fs), model: fs.Model(kern.Fixed), host: host}
}

// Do makes a call.
func (e *Explained) Do(c *call.Call, r *call.Result) {
	x := Case{Call: c, Clause: &noClause}
	leave := e.Leaves(&x)
	e.model.Do(c, r)
	if e.parted = e.parted || leave && r.Errno == 0; leave || e.parted || r.Stop != call.Running {
		return
	}
	x.Ours, x.Host, x.Clause = r, &e.got, e.model.Last.Info()
	if e.Leaves(&x) {
		return
	}
	e.host.Do(c, &e.got)
	ok, goesOn := e.Compare(&x)
	if e.parted = !goesOn; !ok {
		*r = *keep(&e.got)
	}
}

// Reset begins anew.
func (e *Explained) Reset() error {
	e.parted = false
	e.Begin()
	return errors.Join(e.model.Reset(), e.host.Reset())
}

// Close ends the host.
func (e *Explained) Close() error { return errors.Join(e.model.Close(), e.host.Close()) }

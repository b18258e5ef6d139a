//go:build !linux || (!amd64 && !arm64)

package host

import (
	"errors"

	"rumpvfs/proptest/call"
)

// A Host is a Linux kernel, of which there is none here.
type Host struct{ call.System }

// Child does nothing where there are no children.
func Child() {}

// New says that there is no Linux kernel.
func New() (*Host, error) { return nil, errors.New("host: this is not Linux") }

// Send is never called.
func (h *Host) Send([]call.Call) error { return errors.New("host: this is not Linux") }

// Receive is never called.
func (h *Host) Receive() ([]call.Result, error) { return nil, errors.New("host: this is not Linux") }

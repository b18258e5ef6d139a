//go:build amd64 || arm64

package host

import (
	"bufio"
	"encoding/gob"
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"syscall"

	"rumpvfs/kern"
	"rumpvfs/proptest/call"
)

// childEnv tells a process that it is the child, and where it finds an empty directory.
const childEnv = "RUMPVFS_HOST_CHILD"

// A Host is a Linux kernel that executes calls in a child process. It is used by one goroutine.
type Host struct {
	cmd   *exec.Cmd
	to    *bufio.Writer
	pipe  io.WriteCloser
	enc   *gob.Encoder
	dec   *gob.Decoder
	dir   string
	reset bool // the next call begins anew
	one   [1]call.Call
}

// New starts the child. The error says what is missing: the superuser's privileges, or a namespace that may be made.
func New() (h *Host, err error) {
	if os.Geteuid() != 0 {
		return nil, errors.New("host: only the superuser can give a child process its own root directory and credentials")
	}
	h = &Host{reset: true}
	if h.dir, err = os.MkdirTemp("", "rumpvfs-host"); err != nil {
		return nil, fmt.Errorf("host: %w", err)
	}
	if err := h.start(); err != nil {
		_ = os.Remove(h.dir)
		return nil, fmt.Errorf("host: %w", err)
	}
	if _, err := h.Batch(nil); err != nil {
		return nil, errors.Join(err, h.Close())
	}
	return h, nil
}

// start starts the child, whose standard input and output are the pipes.
func (h *Host) start() error {
	h.cmd = exec.Command("/proc/self/exe")
	h.cmd.Env = []string{childEnv + "=" + h.dir}
	h.cmd.Stderr = os.Stderr
	null, err := os.Open(os.DevNull)
	if err != nil {
		return err
	}
	defer null.Close()
	for range kern.NOFILE { // the child's own descriptors come behind those that scripts see
		h.cmd.ExtraFiles = append(h.cmd.ExtraFiles, null)
	}
	h.cmd.SysProcAttr = &syscall.SysProcAttr{Cloneflags: syscall.CLONE_NEWNS, Setpgid: true}
	if h.pipe, err = h.cmd.StdinPipe(); err != nil {
		return err
	}
	out, err := h.cmd.StdoutPipe()
	if err != nil {
		return err
	}
	h.to = bufio.NewWriterSize(h.pipe, 1<<16)
	h.enc, h.dec = gob.NewEncoder(h.to), gob.NewDecoder(bufio.NewReaderSize(out, 1<<16))
	return h.cmd.Start()
}

// Send has the child make calls, one after the other, while the caller does something else. The error says why the child
// cannot; after it the host is of no more use.
func (h *Host) Send(calls []call.Call) error {
	err := h.enc.Encode(request{h.reset, calls})
	if err == nil {
		err = h.to.Flush()
	}
	if h.reset = false; err != nil {
		return fmt.Errorf("host: the child has gone: %w", err)
	}
	return nil
}

// Receive gives the results of the calls that Send has sent; nothing more is to be sent before.
func (h *Host) Receive() ([]call.Result, error) {
	var r reply
	if err := h.dec.Decode(&r); err != nil {
		return nil, fmt.Errorf("host: the child has gone: %w", err)
	}
	if r.Err != "" {
		return nil, errors.New("host: " + r.Err)
	}
	return r.Results, nil
}

// Batch makes calls one after the other and gives their results.
func (h *Host) Batch(calls []call.Call) ([]call.Result, error) {
	if err := h.Send(calls); err != nil {
		return nil, err
	}
	return h.Receive()
}

// Do makes a call.
func (h *Host) Do(c *call.Call, r *call.Result) {
	h.one[0] = *c
	list, err := h.Batch(h.one[:])
	if r.Reset(); err != nil {
		r.Stop = call.Broken
		r.Data = append(r.Data, err.Error()...)
		return
	}
	*r = list[0]
}

// Reset begins anew: with the next call, in a new and empty world.
func (h *Host) Reset() error {
	h.reset = true
	return nil
}

// Close ends the child.
func (h *Host) Close() error {
	return errors.Join(h.pipe.Close(), h.cmd.Wait(), os.Remove(h.dir))
}

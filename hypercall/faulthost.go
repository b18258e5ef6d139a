package hypercall

import (
	"path"
	"strings"
	"sync"
	"time"
)

// HostOp names a method of Host that kernels call; the others, which prepare and look at the host's files, never fail on purpose.
type HostOp int

const (
	OpAny HostOp = iota
	OpFileInfo
	OpOpen
	OpClose
	OpReadAt
	OpWriteAt
	OpSync
	OpMalloc

	numHostOps
)

func (op HostOp) String() string {
	switch op {
	case OpFileInfo:
		return "fileinfo"
	case OpOpen:
		return "open"
	case OpClose:
		return "close"
	case OpReadAt:
		return "readat"
	case OpWriteAt:
		return "writeat"
	case OpSync:
		return "sync"
	case OpMalloc:
		return "malloc"
	}
	return "any"
}

// A Fault says which calls of a host go wrong, and how. Of the conditions all that are set must hold.
type Fault struct {
	Op   HostOp // OpAny: all
	Path string // pattern of path.Match for the file's path, or without a slash for its last element; "" any
	Nth  int64  // only the n-th call that Op and Path admit, from 1 on; 0 each of them
	From bool   // and all after it
	Rate int    // so many of 10,000 calls that Op and Path admit, at random; 0 each of them
	Seed uint64 // of the random choice

	Err   HostErrno     // what the call answers; 0 no error
	Short bool          // a transfer moves at most Limit bytes, and then answers Err
	Limit int           // bytes
	Delay time.Duration // passes before the call is made
}

// FaultHost is a host some of whose calls go wrong. The first fault that meets a call decides. A call with an error has no
// effect, but for the part of a transfer that Short lets through, and for Close, which closes: nobody would call it again.
//
// Fields are guarded by: (m) mu; (c) constant.
type FaultHost struct {
	Host                      // (c) does what does not fail
	sleep func(time.Duration) // (c)

	mu       sync.Mutex
	faults   []fault           // (m)
	calls    [numHostOps]int64 // (m) made so far; OpAny counts all
	injected int64             // (m)
	paths    map[int]string    // (m) of open descriptors
}

// fault is a Fault and its state.
type fault struct {
	Fault
	met int64 // calls that Op and Path admitted
	gen splitmix
}

// NewFaultHost returns the host h, or an empty in-memory one if that is nil, with faults.
func NewFaultHost(h Host, faults ...Fault) *FaultHost {
	if h == nil {
		h = NewMemHost()
	}
	f := &FaultHost{Host: h, sleep: time.Sleep, paths: map[int]string{}}
	f.SetFaults(faults...)
	return f
}

// SetFaults replaces the faults and starts counting anew.
func (h *FaultHost) SetFaults(faults ...Fault) {
	h.mu.Lock()
	defer h.mu.Unlock()
	h.faults, h.calls, h.injected = nil, [numHostOps]int64{}, 0
	for _, f := range faults {
		h.faults = append(h.faults, fault{Fault: f, gen: splitmix(f.Seed)})
	}
}

// Calls returns how many calls of op there were since SetFaults.
func (h *FaultHost) Calls(op HostOp) int64 {
	h.mu.Lock()
	defer h.mu.Unlock()
	return h.calls[op]
}

// Injected returns how many calls met a fault since SetFaults.
func (h *FaultHost) Injected() int64 {
	h.mu.Lock()
	defer h.mu.Unlock()
	return h.injected
}

// decide counts a call and returns the fault that it meets, the zero one if none.
func (h *FaultHost) decide(op HostOp, file string) Fault {
	h.mu.Lock()
	h.calls[OpAny]++
	h.calls[op]++
	var hit Fault
	for i := range h.faults {
		if f := &h.faults[i]; f.meets(op, file) {
			h.injected++
			hit = f.Fault
			break
		}
	}
	h.mu.Unlock()
	if hit.Delay > 0 {
		h.sleep(hit.Delay)
	}
	return hit
}

func (f *fault) meets(op HostOp, file string) bool {
	if f.Op != OpAny && f.Op != op || f.Path != "" && !matches(f.Path, file) {
		return false
	}
	f.met++
	return (f.Nth == 0 || f.Nth == f.met || f.From && f.Nth < f.met) && (f.Rate == 0 || f.gen.below(10000) < f.Rate)
}

// matches is path.Match, but a pattern without a slash is for the last element.
func matches(pattern, file string) bool {
	if !strings.Contains(pattern, "/") {
		file = path.Base(file)
	}
	ok, _ := path.Match(pattern, file)
	return ok
}

// err is Err as an error.
func (f *Fault) err() error {
	if f.Err == 0 {
		return nil
	}
	return f.Err
}

func (h *FaultHost) pathOf(fd int) string {
	h.mu.Lock()
	defer h.mu.Unlock()
	return h.paths[fd]
}

// FileInfo implements Host.
func (h *FaultHost) FileInfo(name string) (int64, FileType, error) {
	f := h.decide(OpFileInfo, name)
	if err := f.err(); err != nil {
		return 0, 0, err
	}
	return h.Host.FileInfo(name)
}

// Open implements Host.
func (h *FaultHost) Open(name string, mode OpenMode) (int, error) {
	f := h.decide(OpOpen, name)
	if err := f.err(); err != nil {
		return -1, err
	}
	fd, err := h.Host.Open(name, mode)
	if err == nil {
		h.mu.Lock()
		h.paths[fd] = name
		h.mu.Unlock()
	}
	return fd, err
}

// Close implements Host.
func (h *FaultHost) Close(fd int) error {
	f := h.decide(OpClose, h.pathOf(fd))
	h.mu.Lock()
	delete(h.paths, fd)
	h.mu.Unlock()
	if err := h.Host.Close(fd); err != nil {
		return err
	}
	return f.err()
}

// ReadAt implements Host.
func (h *FaultHost) ReadAt(fd int, b []byte, off int64) (int, error) {
	return h.transfer(OpReadAt, h.Host.ReadAt, fd, b, off)
}

// WriteAt implements Host.
func (h *FaultHost) WriteAt(fd int, b []byte, off int64) (int, error) {
	return h.transfer(OpWriteAt, h.Host.WriteAt, fd, b, off)
}

func (h *FaultHost) transfer(op HostOp, do func(int, []byte, int64) (int, error), fd int, b []byte, off int64) (int, error) {
	f := h.decide(op, h.pathOf(fd))
	if f.Short {
		n, err := do(fd, b[:min(len(b), f.Limit)], off)
		if err == nil {
			err = f.err()
		}
		return n, err
	}
	if err := f.err(); err != nil {
		return 0, err
	}
	return do(fd, b, off)
}

// Sync implements Host.
func (h *FaultHost) Sync(fd int, flags SyncFlags, off, n int64) error {
	f := h.decide(OpSync, h.pathOf(fd))
	if err := f.err(); err != nil {
		return err
	}
	return h.Host.Sync(fd, flags, off, n)
}

// Malloc implements Mallocer. Memory has no path.
func (h *FaultHost) Malloc(int64) error {
	f := h.decide(OpMalloc, "")
	return f.err()
}

var (
	_ Host     = (*FaultHost)(nil)
	_ Mallocer = (*FaultHost)(nil)
)

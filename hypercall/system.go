// Package hypercall is the host below a kernel: threads and what they block on, clock, random numbers, memory account,
// parameters, console and files. It is the only package of the project that starts goroutines, touches the locks of
// package sync or asks for the time; everything above blocks through the locks, condition variables and Park defined here.
//
// A System is one machine, in one of three modes. In Native mode threads are goroutines. Checked mode is the same, with
// each lock operation reported to a Checker. In Deterministic mode one thread runs at a time, a seed chooses the next at
// every scheduling point, and time is virtual, so that the same seed and the same calls give the same run.
//
// Reading order: system.go, thread.go, park.go (native blocking), sched.go (deterministic blocking), turnstile.go,
// lock.go, mutex.go, rwlock.go, cv.go, lockcheck.go; then host.go, memhost.go, realhost.go, bio.go.
package hypercall

import (
	"fmt"
	"io"
	"math/bits"
	"math/rand/v2"
	"sync"
	"sync/atomic"
	"time"
)

// Mode says how the threads of a System run.
type Mode int

const (
	Native        Mode = iota // goroutines, real time
	Checked                   // as Native, every lock operation goes to the Checker
	Deterministic             // coroutines, one at a time, virtual time
)

func (m Mode) String() string {
	switch m {
	case Native:
		return "native"
	case Checked:
		return "checked"
	case Deterministic:
		return "deterministic"
	}
	return fmt.Sprintf("Mode(%d)", int(m))
}

// DefaultMemLimit is the memory account's limit, in bytes, if Config sets none.
const DefaultMemLimit = 4 << 30

// Config describes a machine. The zero value is a native one with an empty in-memory host.
type Config struct {
	Mode     Mode
	Seed     uint64            // Deterministic: scheduler and random numbers
	Pick     func(n int) int   // Deterministic: replaces the seeded choice among n runnable threads; 0 <= result < n
	Host     Host              // files; nil is a fresh MemHost
	MemLimit int64             // logical bytes that Reserve may hand out; 0 is DefaultMemLimit
	Params   map[string]string // what Param answers; not copied, do not change it afterwards
	Epoch    time.Time         // Deterministic: the clock at boot; zero is 2014-07-15 00:00:00 UTC
	Checker  Checker           // Checked and Deterministic: told of every lock operation
	Console  io.Writer         // what ConsoleWrite writes to; nil discards

	// Coroutines, in Deterministic mode, are what threads run on; nil makes new ones. Machines that share them run one at a time.
	Coroutines *Coroutines
	// Scheduler, in Deterministic mode, replaces Seed and Pick. If it is a Watcher too, it is told what threads do.
	Scheduler Scheduler
}

// System is one machine.
//
// Fields are guarded by: (m) mu; (a) atomic; (d) only the one thread that runs, Deterministic; (c) constant after NewSystem.
type System struct {
	mode    Mode              // (c)
	slow    uint64            // (c) slowBit where every lock operation takes the slow path
	host    Host              // (c)
	mallocs Mallocer          // (c) the host, if it has a say
	params  map[string]string // (c)
	checker Checker           // (c)
	boot    time.Time         // (c)
	console io.Writer         // (c)
	memHost MemHost           // the host if Config names none
	rand    splitmix          // (d) random numbers

	memLimit int64        // (c)
	memUsed  atomic.Int64 // (a)

	conMu sync.Mutex // serializes writes to console

	mu      sync.Mutex
	threads *Thread                    // (m) first of the live threads, in order of arrival
	lastThr *Thread                    // (m)
	lastID  uint32                     // (m) highest id given out so far
	freeIDs []uint32                   // (m) ids of threads that are gone
	onPanic func(any)                  // (m)
	started sync.WaitGroup             // native threads that Start began
	death   atomic.Pointer[death]      // (a) why the machine stopped, nil while it runs
	turn    atomic.Pointer[turnstiles] // (a) made on first use

	sched sched // (d)
}

// NewSystem makes a machine. It costs one small allocation; whatever is big is made on first use.
func NewSystem(c Config) *System {
	s := &System{
		mode: c.Mode, host: c.Host, params: c.Params, console: c.Console, memLimit: c.MemLimit, boot: c.Epoch,
	}
	if s.host == nil {
		s.host = &s.memHost
	}
	s.mallocs, _ = s.host.(Mallocer)
	if s.memLimit == 0 {
		s.memLimit = DefaultMemLimit
	}
	if c.Mode != Native {
		s.slow, s.checker = slowBit, c.Checker
	}
	if c.Mode == Checked && c.Checker != nil {
		s.checker = watched(c.Checker)
	}
	if c.Mode != Deterministic {
		s.boot = time.Now()
		return s
	}
	if s.boot.IsZero() {
		s.boot = time.Date(2014, time.July, 15, 0, 0, 0, 0, time.UTC)
	}
	s.sched.pickFn, s.sched.rand, s.rand = c.Pick, splitmix(c.Seed), splitmix(^c.Seed)
	s.sched.picker, s.sched.coroutines = c.Scheduler, c.Coroutines
	s.sched.watcher, _ = c.Scheduler.(Watcher)
	return s
}

// Mode returns how the machine's threads run.
func (s *System) Mode() Mode { return s.mode }

// Host returns the machine's files.
func (s *System) Host() Host { return s.host }

// Param returns a configuration parameter. The two mandatory parameters of the hypercall interface, the number of virtual CPUs
// and the host name, have defaults.
//
//netbsd:lib/librumpuser/rumpuser.c rumpuser_getparam
func (s *System) Param(name string) (string, bool) {
	if v, ok := s.params[name]; ok {
		return v, true
	}
	switch name {
	case ParamNCPU:
		return "2", true
	case ParamHostname:
		return "rump-00001", true
	}
	return "", false
}

// Names of the mandatory parameters.
const (
	ParamNCPU     = "_RUMPUSER_NCPU"
	ParamHostname = "_RUMPUSER_HOSTNAME"
)

// Now is the wall clock: virtual in Deterministic mode, where it moves only while every thread waits.
//
//netbsd:lib/librumpuser/rumpuser.c rumpuser_clock_gettime
func (s *System) Now() time.Time {
	if s.mode == Deterministic {
		return s.boot.Add(s.sched.now)
	}
	return time.Now()
}

// Uptime is the monotonic clock: the time since NewSystem.
func (s *System) Uptime() time.Duration {
	if s.mode == Deterministic {
		return s.sched.now
	}
	return time.Since(s.boot)
}

// Random returns 64 random bits, in Deterministic mode the next of a sequence that the seed determines.
//
//netbsd:lib/librumpuser/rumpuser_random.c rumpuser_getrandom
func (s *System) Random() uint64 {
	if s.mode == Deterministic {
		return s.rand.next()
	}
	return rand.Uint64()
}

// splitmix is the generator of Steele, Lea and Flood: the same numbers on every machine and in every release of Go.
type splitmix uint64

func (g *splitmix) next() uint64 {
	*g += 0x9e3779b97f4a7c15
	z := uint64(*g)
	z = (z ^ z>>30) * 0xbf58476d1ce4e5b9
	z = (z ^ z>>27) * 0x94d049bb133111eb
	return z ^ z>>31
}

// below returns a number of 0..n-1.
func (g *splitmix) below(n int) int {
	hi, _ := bits.Mul64(g.next(), uint64(n))
	return int(hi)
}

// Mallocer is a Host that may refuse memory.
type Mallocer interface {
	// Malloc is nil if the host has n bytes to give.
	Malloc(n int64) error
}

// Malloc reports whether the host gives a kernel n bytes more: always, unless it is a Mallocer that refuses.
//
//netbsd:lib/librumpuser/rumpuser_mem.c rumpuser_malloc
func (s *System) Malloc(n int64) bool { return s.mallocs == nil || s.mallocs.Malloc(n) == nil }

// Reserve accounts for n more bytes and reports whether the limit allows them; if not, nothing changes.
//
//netbsd:lib/librumpuser/rumpuser_mem.c rumpuser_malloc
func (s *System) Reserve(n int64) bool {
	for {
		used := s.memUsed.Load()
		if n < 0 || n > s.memLimit-used {
			return false
		}
		if s.memUsed.CompareAndSwap(used, used+n) {
			return true
		}
	}
}

// Release gives back n bytes of what Reserve granted.
//
//netbsd:lib/librumpuser/rumpuser_mem.c rumpuser_free
func (s *System) Release(n int64) {
	if left := s.memUsed.Add(-n); n < 0 || left < 0 {
		panic(fmt.Sprintf("hypercall: release of %d bytes, %d more than were reserved", n, -left))
	}
}

// Reserved returns the bytes accounted for.
func (s *System) Reserved() int64 { return s.memUsed.Load() }

// ConsoleWrite writes to the machine's console. What the host's writer answers does not concern the kernel.
//
//netbsd:lib/librumpuser/rumpuser.c rumpuser_putchar
func (s *System) ConsoleWrite(b []byte) {
	if s.console == nil {
		return
	}
	s.conMu.Lock()
	defer s.conMu.Unlock()
	s.console.Write(b)
}

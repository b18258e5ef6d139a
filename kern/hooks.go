package kern

// Hooks is how a kernel is watched and disturbed. An lwp without hooks pays
// one test an operation.
type Hooks struct {
	// Check verifies the contract of each vnode operation on entry and
	// return: who must be locked, what is put, released or made.
	Check bool
	// Points makes each vnode operation a scheduling point.
	Points bool
	// Sink receives events; nil for none.
	Sink Sink
	// Fault, if set, is asked before each vnode operation; an error other
	// than nil is returned to the caller in place of the operation.
	Fault func(l *Lwp, op string) error
}

// Sink receives the events of a kernel in the order they happen. It must
// not call into the kernel.
type Sink interface{ Event(l *Lwp, e *Event) }

// EventKind says what an [Event] reports.
type EventKind uint8

const (
	EvSyscall   EventKind = iota // a system call begins
	EvSysret                     // and returns
	EvVopEnter                   // a vnode operation begins
	EvVopLeave                   // and returns
	EvNamei                      // a step of the path walk
	EvLock                       // a vnode lock is taken
	EvUnlock                     // and released
	EvRef                        // a vnode gains a reference
	EvRele                       // and loses it
	EvPage                       // a page enters or leaves the cache, or is written
	EvBlock                      // block I/O
	EvHypercall                  // a call to the host
)

// Event is one thing that happened. Events are only made when there is a
// sink; the sink must not keep the pointer.
type Event struct {
	Kind  EventKind
	Name  string // the operation or step
	Depth int    // nesting of vnode operations
	Text  string // arguments or results in words
	Err   error
	Args  any // of a vnode operation: its vnode.Args, valid during the call
}

// Noticed reports whether somebody may want to know what l does: hooks, or a
// scheduler that watches.
func (l *Lwp) Noticed() bool { return l.Hooks != nil || l.Deterministic() }

// Watched reports whether events of l go anywhere.
func (l *Lwp) Watched() bool { return l.Hooks != nil && l.Hooks.Sink != nil }

// Emit hands an event to the sink, if there is one. Build costly arguments
// only when [Lwp.Watched].
func (l *Lwp) Emit(kind EventKind, name, text string, err error) {
	if l.Watched() {
		l.Hooks.Sink.Event(l, &Event{Kind: kind, Name: name, Depth: l.Depth, Text: text, Err: err})
	}
}

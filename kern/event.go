package kern

import "sync/atomic"

// Filters of kevent(2).
const (
	EVFILT_READ  = 0
	EVFILT_WRITE = 1
	EVFILT_VNODE = 3
)

// Flags of an event.
const (
	EV_ADD     = 0x0001 // watch, or change what is watched
	EV_DELETE  = 0x0002
	EV_ENABLE  = 0x0004
	EV_DISABLE = 0x0008
	EV_ONESHOT = 0x0010 // reported once, then deleted
	EV_CLEAR   = 0x0020 // forgotten once reported

	EV_SYSFLAGS = 0xf000 // what only the kernel sets
	EV_EOF      = 0x8000
	EV_ERROR    = 0x4000 // Data is an errno
)

// What EVFILT_VNODE tells of a file.
const (
	NOTE_DELETE = 0x0001 // the last name was removed
	NOTE_WRITE  = 0x0002 // its data, or the names in it, have changed
	NOTE_EXTEND = 0x0004 // it has grown
	NOTE_ATTRIB = 0x0008 // attributes have changed
	NOTE_LINK   = 0x0010 // the number of links has changed
	NOTE_RENAME = 0x0020 // it has another name
	NOTE_REVOKE = 0x0040 // it cannot be used any more
)

// NOTE_SUBMIT is the hint of an object that just says that it has changed.
const NOTE_SUBMIT = 0x01000000

// Kevent is an event as kevent(2) takes and gives it.
type Kevent struct {
	Ident  int    // which object: a descriptor
	Filter uint32 // EVFILT_
	Flags  uint32 // EV_
	Fflags uint32 // NOTE_
	Data   int64  // bytes, for EVFILT_READ and EVFILT_WRITE
	Udata  any    // the caller's
}

// Knote is a filter on an object, in a kqueue. The object has it on a list,
// and says when something has changed; then the filter decides whether that is
// an event. Locks are taken from the object to the kqueue. The letters give what
// guards a field:
//
//	:  set when the filter is attached
//	o  the object's lock
//	q  the kqueue's lock
type Knote struct {
	Kevent
	Kq      NoteQueue
	Sfflags uint32                      // q: NOTE_ that the caller wants
	Obj     interface{ Offset() int64 } // :  the open file
	Fop     Filterops                   // :
	Hook    any                         // :  the filter's own

	next   *Knote // o: on the object's list
	Status uint32 // q: the kqueue's own
}

// NoteQueue is what a kqueue is to filters.
type NoteQueue interface {
	Lock(l *Lwp)
	Unlock(l *Lwp)
	// Activate makes kn an event that is to be reported.
	//
	// Preconditions: the kqueue is locked.
	Activate(l *Lwp, kn *Knote)
}

// Filterops is what a filter does.
type Filterops interface {
	// Lock and Unlock are those of the object.
	Lock(l *Lwp, kn *Knote)
	Unlock(l *Lwp, kn *Knote)
	// List is the object's list of filters.
	List(kn *Knote) *Klist
	// Event reports whether there is an event, and puts what it is into kn.
	// hint is what has changed, 0 if that is only being asked.
	//
	// Preconditions: object and kqueue are locked.
	Event(kn *Knote, hint uint32) bool
}

// Attach puts kn on the list of its object.
func (kn *Knote) Attach(l *Lwp, fop Filterops, hook any) {
	kn.Fop, kn.Hook = fop, hook
	fop.Lock(l, kn)
	list := fop.List(kn)
	kn.next = list.first.Load()
	list.first.Store(kn)
	fop.Unlock(l, kn)
}

// Detach takes kn off it.
func (kn *Knote) Detach(l *Lwp) {
	kn.Fop.Lock(l, kn)
	defer kn.Fop.Unlock(l, kn)
	list := kn.Fop.List(kn)
	if list.first.Load() == kn {
		list.first.Store(kn.next)
		return
	}
	prev := list.first.Load()
	for prev.next != kn {
		prev = prev.next
	}
	prev.next = kn.next
}

// Ask asks the filter whether there is an event now.
//
// Preconditions: neither object nor kqueue is locked.
func (kn *Knote) Ask(l *Lwp) bool {
	kn.Fop.Lock(l, kn)
	defer kn.Fop.Unlock(l, kn)
	kn.Kq.Lock(l)
	defer kn.Kq.Unlock(l)
	return kn.Fop.Event(kn, 0)
}

// Klist are the filters on an object. Its lock guards the list; that there are
// none can be seen without.
type Klist struct{ first atomic.Pointer[Knote] }

// Empty reports whether there is no filter.
func (k *Klist) Empty() bool { return k.first.Load() == nil }

// Note tells the filters what has changed.
//
// Preconditions: the object's lock is held.
//
//netbsd:sys/kern/kern_event.c knote
func (k *Klist) Note(l *Lwp, hint uint32) {
	for kn := k.first.Load(); kn != nil; kn = kn.next {
		kn.Kq.Lock(l)
		if kn.Fop.Event(kn, hint) {
			kn.Kq.Activate(l, kn)
		}
		kn.Kq.Unlock(l)
	}
}

package hypercall

// RWLock is a lock held by one writer or by any number of readers. Readers queue behind a waiting writer. The zero value is an
// unlocked lock of a native machine; on others, Init comes first.
type RWLock struct{ lockWord }

// Init makes rw an unlocked lock of s. Its version goes on from what it was before.
//
//netbsd:lib/librumpuser/rumpuser_pth.c rumpuser_rw_init
func (rw *RWLock) Init(s *System, c *LockClass) { rw.init(s, c, rw.s.load()&^lowMask+verOne) }

// Destroy ends rw's use; only Init makes it usable again. It panics with LockError if rw is held.
//
//netbsd:lib/librumpuser/rumpuser_pth.c rumpuser_rw_destroy
func (rw *RWLock) Destroy(t *Thread) { rw.destroy(t) }

// Enter takes rw as op says and waits for it if need be. It panics with LockError if t holds it as writer already. A reader
// that enters again may wait for ever, behind a writer that waits for it.
//
// Postconditions: t holds rw.
//
//netbsd:lib/librumpuser/rumpuser_pth.c rumpuser_rw_enter
func (rw *RWLock) Enter(t *Thread, op RWOp) {
	if op == Writer {
		rw.WEnter(t)
	} else {
		rw.REnter(t)
	}
}

// WEnter is Enter as Writer.
func (rw *RWLock) WEnter(t *Thread) {
	w := rw.s.load()
	if w&lowMask != 0 || !rw.s.cas(w, w|t.me) {
		rw.enter(t, Writer)
	}
}

// REnter is Enter as Reader.
func (rw *RWLock) REnter(t *Thread) {
	w := rw.s.load()
	if w&flagMask != 0 || !rw.s.cas(w, w+rOne) {
		rw.enter(t, Reader)
	}
}

// TryEnter takes rw as op says if that needs no waiting.
//
// Postconditions: t holds rw if the result is true.
//
//netbsd:lib/librumpuser/rumpuser_pth.c rumpuser_rw_tryenter
func (rw *RWLock) TryEnter(t *Thread, op RWOp) bool { return rw.tryEnter(t, op) }

// Exit lets go of rw, however t holds it. It panics with LockError if t cannot be holding it.
//
// Preconditions: t holds rw.
// Postconditions: it does not.
//
//netbsd:lib/librumpuser/rumpuser_pth.c rumpuser_rw_exit
func (rw *RWLock) Exit(t *Thread) {
	if rw.s.load()&wBit != 0 {
		rw.WExit(t)
	} else {
		rw.RExit(t)
	}
}

// WExit is Exit of a writer.
func (rw *RWLock) WExit(t *Thread) {
	w := rw.s.load()
	if w&lowMask != t.me || !rw.s.cas(w, w+verOne-t.me) {
		rw.exit(t, Writer, verOne)
	}
}

// RExit is Exit of a reader.
func (rw *RWLock) RExit(t *Thread) {
	w := rw.s.load()
	if w&flagMask != 0 || w&ownMask == 0 || !rw.s.cas(w, w-rOne) {
		rw.exit(t, Reader, verOne)
	}
}

// WriteHeld reports whether t itself holds rw as writer.
//
//netbsd:lib/librumpuser/rumpuser_pth.c rumpuser_rw_held
func (rw *RWLock) WriteHeld(t *Thread) bool { return rw.s.load()&(ownMask|wBit) == t.me }

// ReadHeld reports whether any thread holds rw as reader.
func (rw *RWLock) ReadHeld() bool { w := rw.s.load(); return w&wBit == 0 && w&ownMask != 0 }

// Held reports whether any thread holds rw.
func (rw *RWLock) Held() bool { return rw.s.load()&ownMask != 0 }

// Seq returns how many exclusive holds are over, for those who read without the lock: what they read between two calls that answer the
// same version, both ok, no writer changed. ok is false while a writer holds rw, and always on machines that are not native.
func (rw *RWLock) Seq() (version uint64, ok bool) {
	w := rw.s.load()
	return w >> 32, w&(wBit|slowBit|deadBit) == 0
}

// Downgrade makes t, the writer, a reader without letting another writer in between. Readers whose turn it is enter too.
//
// Preconditions: t holds rw as writer.
// Postconditions: t holds rw as reader.
//
//netbsd:lib/librumpuser/rumpuser_pth.c rumpuser_rw_downgrade
func (rw *RWLock) Downgrade(t *Thread) {
	if !rw.WriteHeld(t) {
		panic(rw.error(t, "downgrading a lock that is not held as writer"))
	}
	t.Touch(&rw.lockWord, Try)
	b := t.sys.bucket(&rw.s)
	b.mu.Lock()
	var wake *Thread
	for {
		w := rw.s.load()
		n := release(w, Writer, verOne) + rOne
		first, count, rest := b.turn(&rw.s)
		if first != nil && first.op == Reader {
			n = grantTo(n, first, count)
			if !rest {
				n &^= waitBit
			}
		} else {
			count = 0
		}
		if rw.s.cas(w, n) {
			wake = b.take(&rw.s, count, true)
			break
		}
	}
	b.mu.Unlock()
	if c := t.sys.checker; c != nil {
		c.Changed(t, &rw.lockWord, Reader)
	}
	wakeChain(wake)
}

// TryUpgrade makes t, the only reader, the writer. It fails if there are other readers or a writer waits.
//
// Preconditions: t holds rw as reader.
// Postconditions: t holds rw as writer if the result is true, as reader otherwise.
//
//netbsd:lib/librumpuser/rumpuser_pth.c rumpuser_rw_tryupgrade
func (rw *RWLock) TryUpgrade(t *Thread) bool {
	t.Touch(&rw.lockWord, Try)
	for {
		w := rw.s.load()
		if w&wBit != 0 || w&ownMask == 0 {
			panic(rw.error(t, "upgrading a lock that is not held as reader"))
		}
		if w&ownMask != rOne || w&waitBit != 0 {
			return false
		}
		if rw.s.cas(w, (w-rOne)|t.me) {
			break
		}
	}
	if c := t.sys.checker; c != nil {
		c.Changed(t, &rw.lockWord, Writer)
	}
	return true
}

package hypercall

// Mutex is a lock that one thread holds at a time. The zero value is an unlocked mutex of a native machine; on others, Init
// comes first.
type Mutex struct{ lockWord }

// Init makes m an unlocked mutex of s.
//
//netbsd:lib/librumpuser/rumpuser_pth.c rumpuser_mutex_init
func (m *Mutex) Init(s *System, c *LockClass) { m.init(s, c, 0) }

// Destroy ends m's use; only Init makes it usable again. It panics with LockError if m is held.
//
//netbsd:lib/librumpuser/rumpuser_pth.c rumpuser_mutex_destroy
func (m *Mutex) Destroy(t *Thread) { m.destroy(t) }

// Enter takes m and waits for it if need be. It panics with LockError if t holds m already.
//
// Postconditions: t holds m.
//
//netbsd:lib/librumpuser/rumpuser_pth.c rumpuser_mutex_enter
func (m *Mutex) Enter(t *Thread) {
	if m.s.load() != 0 || !m.s.cas(0, t.me) {
		m.enter(t, Writer)
	}
}

// TryEnter takes m if nobody holds it.
//
// Postconditions: t holds m if the result is true.
//
//netbsd:lib/librumpuser/rumpuser_pth.c rumpuser_mutex_tryenter
func (m *Mutex) TryEnter(t *Thread) bool {
	return m.s.load() == 0 && m.s.cas(0, t.me) || m.tryEnter(t, Writer)
}

// Exit lets go of m. It panics with LockError if t does not hold it.
//
// Preconditions: t holds m.
// Postconditions: it does not.
//
//netbsd:lib/librumpuser/rumpuser_pth.c rumpuser_mutex_exit
func (m *Mutex) Exit(t *Thread) {
	if m.s.load() != t.me || !m.s.cas(t.me, 0) {
		m.exit(t, Writer, 0)
	}
}

// Owned reports whether t holds m.
//
//netbsd:lib/librumpuser/rumpuser_pth.c rumpuser_mutex_owner
func (m *Mutex) Owned(t *Thread) bool { return m.s.load()&(ownMask|wBit) == t.me }

// Held reports whether any thread holds m.
func (m *Mutex) Held() bool { return m.s.load()&ownMask != 0 }

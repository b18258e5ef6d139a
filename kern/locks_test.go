package kern_test

import (
	"testing"

	"rumpvfs/hypercall"
	"rumpvfs/kern"
)

// An interrupt ends a sleep that it finds, or keeps the next from beginning,
// whoever comes first.
func TestWaitSig(t *testing.T) {
	class := hypercall.LockClass{Name: "test", Rank: 1}
	for seed := range uint64(50) {
		k := newKernel(hypercall.Config{Mode: hypercall.Deterministic, Seed: seed})
		p := kern.NewProc(k, kern.RootCred())
		hub := kern.NewLwp(k, p, "hub")
		var m kern.Mutex
		var cv kern.CV
		m.Init(k.Sys, &class)
		cv.Init(k.Sys, "test")
		var interrupted, woken error = nil, kern.EIO
		sleeper := kern.StartLwp(k, p, "sleeper", func(l *kern.Lwp) {
			m.Enter(l)
			interrupted = cv.WaitSig(l, &m)
			l.ClearInterrupt()
			woken = cv.WaitSig(l, &m)
			m.Exit(l)
		})
		kern.StartLwp(k, p, "interrupter", func(l *kern.Lwp) { sleeper.Interrupt(l) }).Join(&hub.Thread)
		k.Sys.Run() // it sleeps for the second time
		m.Enter(hub)
		cv.Broadcast(hub)
		m.Exit(hub)
		sleeper.Join(&hub.Thread)
		if interrupted != kern.EINTR || woken != nil {
			t.Errorf("seed %d: %v, then %v", seed, interrupted, woken)
		}
		hub.Exit()
	}
}

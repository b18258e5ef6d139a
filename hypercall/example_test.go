package hypercall_test

import (
	"fmt"
	"time"

	"rumpvfs/hypercall"
)

// Two threads share a lock on a deterministic machine: the seed decides who comes first, and an hour's sleep takes no time.
func Example() {
	s := hypercall.NewSystem(hypercall.Config{Mode: hypercall.Deterministic, Seed: 1})
	var hub, a, b hypercall.Thread
	s.Adopt(&hub, "hub")
	var m hypercall.Mutex
	m.Init(s, &hypercall.LockClass{Name: "printer"})
	body := func(t *hypercall.Thread) func() {
		return func() {
			m.Enter(t)
			t.Sleep(time.Hour)
			fmt.Println(t.Name(), "is done after", s.Uptime())
			m.Exit(t)
		}
	}
	s.Start(&a, "a", body(&a))
	s.Start(&b, "b", body(&b))
	a.Join(&hub)
	b.Join(&hub)
	hub.Exit()
	fmt.Println("left over:", s.Shutdown())
	// Output:
	// b is done after 1h0m0s
	// a is done after 2h0m0s
	// left over: []
}

// A thread that waits for what will never come is a result, not a hang.
func ExampleBlocked() {
	s := hypercall.NewSystem(hypercall.Config{Mode: hypercall.Deterministic})
	var hub hypercall.Thread
	s.Adopt(&hub, "hub")
	defer func() { fmt.Println(recover()) }()
	hub.Park("godot", 0)
	// Output:
	// hypercall: blocked for ever: hub: godot
}

//go:build !deadlock

package hypercall

// watched is where deadlock.go has a second opinion.
func watched(c Checker) Checker { return c }

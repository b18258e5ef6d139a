// Package scenarios holds NetBSD's own tests of file systems, told anew: what
// each of their cases asks is a section of a trace in testdata, or, where a
// script cannot say it, a test in Go. docs/SCENARIOS.md lists all cases with
// what they come to here; the tests hold it to the truth.
//
// The directories of testdata are named for the file system that is mounted.
// To see what another one answers, mount it in their place:
//
//	rumpvfs replay sim/scenarios/testdata/tmpfs/*.trace
package scenarios

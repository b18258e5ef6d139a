// Package replay runs scripts of system calls on kernels and compares what
// they answer with recorded traces.
//
// A [Session] is what one section of a script runs on: a fresh kernel with
// its processes, a private host directory and the names that were bound. [Run]
// makes all calls of a section, and [Compare] holds the results against those
// of a trace. Sections have nothing in common, so a caller may run many of them
// at a time.
//
// Reading order: session.go, section.go, compare.go; then calls.go, the table
// that binds the names of calls to system calls, and the files of its entries.
package replay

// Package driver makes random scripts of system calls on a system under test and on an oracle, usually the model, and
// compares after every call. What differs is a [Failure]: a script that shows it.
//
// A [Driver] is one loop on one goroutine, for ever or until it is told to stop; programs with more processors run several
// with streams of their own, and add up their [Stats].
package driver

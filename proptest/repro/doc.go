// Package repro writes a failure for people and machines: as text with both answers, as a trace for rumpvfs replay, as a Go
// test, as a POSIX shell script, and as a C program for a real NetBSD or Linux.
//
// All forms say of each call what the oracle answered. Trace and Go test run on the kernel of this project and pass once
// it agrees. The shell script and the C program ask a real system, and report where it answers otherwise; what it has no
// words for they skip and say so.
package repro

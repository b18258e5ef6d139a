// Package repro writes a failure for people and machines. A [Case] is a script, written as text with both answers, as a trace for rumpvfs
// replay, as a Go test, as a POSIX shell script, and as a C program for a real NetBSD or Linux. A [Race] is a program of several lwps,
// written as text that can be run again under its schedule, as a Go test that does so, and as a C program.
//
// All forms of a case say of each call what the oracle answered. Trace and Go test run on the kernel of this project and pass once
// it agrees. The shell script and the C program ask a real system, and report where it answers otherwise; what it has no
// words for they skip and say so. A race in C is run again and again, and what comes of it is counted: a real system chooses schedules itself.
// There is none for the shell, whose calls are processes that hardly ever meet.
package repro

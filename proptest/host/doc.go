// Package host makes Linux a [call.System]: the same script, in a directory of a Linux tmpfs, in a child process with a root,
// working directory, descriptors and credentials of its own; and holds a kernel against it.
//
// [New] starts the program anew as the child, which takes calls from a pipe, many at a time if there are many, and answers
// with results. The child has a mount namespace of its own in which nothing is mounted but what scripts see, and makes
// system calls by number, from a thread that shares neither directories nor descriptors nor credentials with the others:
// each script has a new thread and a new tmpfs. The superuser is needed for that. A program that uses the package calls
// [Child] before all else.
//
// NetBSD and Linux differ. How, is a table, [Differences]: a name, a sentence, and when it applies. What differs otherwise is
// a failure of a [Runner].
package host

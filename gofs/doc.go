// Package gofs shows a kernel's files to Go programs in the ways they know: [OS] has what package os has, and [FS] is a
// directory tree for package io/fs, with methods to write besides.
//
// Neither decides anything. Every path goes to the kernel as it is: ".." of a symbolic link's target is where the target
// is, permissions are those of the process, a removed file that is open can still be read. Errors are *fs.PathError or
// *os.LinkError around a kern.Errno, which answers errors.Is for the errors of io/fs.
//
// The methods of a native kernel may be called by any number of goroutines at once. A deterministic kernel belongs to one.
package gofs

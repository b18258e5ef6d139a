// Package shell is a shell over a live kernel: every line is either a system
// call as scripts write it, or one of the familiar commands, which are made of
// system calls too.
//
// The package reads no terminal: the caller hands it one line after the other.
package shell

// Command rumpvfs boots NetBSD's file-system kernel and makes system calls on
// it: from a script, to compare with a recorded trace, or typed into a shell.
package main

import (
	"os"

	"rumpvfs/proptest/host"
)

func main() {
	host.Child()
	os.Exit(Main(os.Args[1:], Streams{os.Stdin, os.Stdout, os.Stderr}))
}

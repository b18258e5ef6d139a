// Package script is the language in which system calls are written down and
// their results recorded: one call a line, and after " => " what it
// answered. It knows every call's name and arguments, but no kernel: the
// caller runs the calls and hands typed results back to be rendered.
//
//	=== what a section is called: a fresh kernel and host directory
//	# a comment
//	f = open "/"+"x"*200 O_CREAT|O_RDWR 0644
//	write f "one\n\x00two"
//
// [Parse] reads a script, [ParseTrace] one with results, [Parser] a line at
// a time. A parsed [Call] is resolved to [Args] when it is run, since a
// bound name has a value only then. [Script.String] writes canonical text
// that parses to the same calls.
package script

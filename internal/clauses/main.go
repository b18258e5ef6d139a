// Clauses writes the table of all clauses as a document.
//
// Usage: clauses MARKDOWN-FILE
package main

import (
	"fmt"
	"os"

	"rumpvfs/proptest/clause"
)

func main() {
	if len(os.Args) != 2 {
		fmt.Fprintln(os.Stderr, "usage: clauses MARKDOWN-FILE")
		os.Exit(2)
	}
	if err := os.WriteFile(os.Args[1], clause.Markdown(), 0o644); err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
}

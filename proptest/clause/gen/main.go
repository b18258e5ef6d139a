// Gen writes docs/CLAUSES.md. It is run in the directory of package clause.
package main

import (
	"fmt"
	"os"

	"rumpvfs/proptest/clause"
)

func main() {
	if err := os.WriteFile("../../docs/CLAUSES.md", clause.Markdown(), 0o644); err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
}

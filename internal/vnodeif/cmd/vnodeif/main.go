// Vnodeif compiles the table of vnode operations.
//
// Usage: vnodeif TABLE GO-FILE MARKDOWN-FILE
package main

import (
	"fmt"
	"os"

	"rumpvfs/internal/vnodeif"
)

func main() {
	if len(os.Args) != 4 {
		fmt.Fprintln(os.Stderr, "usage: vnodeif TABLE GO-FILE MARKDOWN-FILE")
		os.Exit(2)
	}
	if err := vnodeif.Generate(os.Args[1], os.Args[2], os.Args[3]); err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
}

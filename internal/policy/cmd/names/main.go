// Command names writes docs/NAMES.md from the //netbsd: directives of the
// tree.
package main

import (
	"fmt"
	"os"
	"path/filepath"

	"rumpvfs/internal/policy"
)

func main() {
	if err := run(); err != nil {
		fmt.Fprintln(os.Stderr, "names:", err)
		os.Exit(1)
	}
}

func run() error {
	root, err := policy.FindRoot()
	if err != nil {
		return err
	}
	tree, err := policy.Load(root)
	if err != nil {
		return err
	}
	all, findings := policy.Origins(tree)
	if len(findings) > 0 {
		return fmt.Errorf("%v", findings[0])
	}
	return os.WriteFile(filepath.Join(root, "docs", "NAMES.md"), policy.Names(all), 0o666)
}

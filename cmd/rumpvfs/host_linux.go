package main

import "github.com/spf13/cobra"

// hostCommands are those that need more of the host than files.
func hostCommands() []*cobra.Command { return []*cobra.Command{newMount(), newUmount()} }

package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"os/signal"
	"strings"
	"syscall"

	"github.com/spf13/cobra"

	"rumpvfs/sim/script"
)

// Exit statuses.
const (
	exitOK          = 0
	exitFailed      = 1 // a difference, or something else that went wrong
	exitMalformed   = 2 // a script that is not of the language, or a command line that is not of this command
	exitInterrupted = 130
)

// Streams are the standard streams of a command.
type Streams struct {
	In       io.Reader
	Out, Err io.Writer
}

// usageError is a command line that makes no sense.
type usageError struct{ error }

func (e usageError) Unwrap() error { return e.error }

// errReported is a failure about which everything has been written already.
var errReported = errors.New("reported")

// Main runs the command with its arguments and returns the exit status. The
// first interrupt, or SIGTERM, ends what is going on; a second one kills.
func Main(args []string, std Streams) int {
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	defer stop()
	context.AfterFunc(ctx, stop)
	root := newRoot()
	root.SetArgs(goFlags(root, args))
	root.SetIn(std.In)
	root.SetOut(std.Out)
	root.SetErr(std.Err)
	return status(root.ExecuteContext(ctx), std.Err)
}

// status reports err and turns it into an exit status.
func status(err error, w io.Writer) int {
	var (
		syntax *script.SyntaxError
		usage  usageError
	)
	switch {
	case err == nil:
		return exitOK
	case errors.Is(err, errReported):
		return exitFailed
	case errors.Is(err, context.Canceled):
		fmt.Fprintln(w, "rumpvfs: interrupted")
		return exitInterrupted
	case errors.As(err, &syntax):
		fmt.Fprintln(w, err)
		return exitMalformed
	}
	fmt.Fprintln(w, "rumpvfs:", err)
	if errors.As(err, &usage) {
		return exitMalformed
	}
	return exitFailed
}

func newRoot() *cobra.Command {
	root := &cobra.Command{
		Use:   "rumpvfs",
		Short: "NetBSD's file-system kernel, in memory",
		Long: `rumpvfs boots NetBSD's file-system kernel of 2014, with rumpfs as its root,
and makes system calls on it.

Exit status: 0, or 1 if a trace differs or anything else fails, or 2 for a
malformed script or command line, or 130 if an interrupt or SIGTERM ended it,
which what runs for long does with its results so far. A second one kills.`,
		Example: `  rumpvfs run examples/tour.rvs
  rumpvfs replay recorded.trace.gz
  rumpvfs sh`,
		Args: func(_ *cobra.Command, args []string) error {
			if len(args) > 0 {
				return usageError{fmt.Errorf("no command is called %q; rumpvfs --help lists them", args[0])}
			}
			return nil
		},
		RunE:          func(cmd *cobra.Command, _ []string) error { return cmd.Help() },
		SilenceErrors: true,
		SilenceUsage:  true,
	}
	root.SetFlagErrorFunc(func(cmd *cobra.Command, err error) error {
		return usageError{fmt.Errorf("%w; see %s --help", err, cmd.CommandPath())}
	})
	root.CompletionOptions.HiddenDefaultCmd = true
	root.AddCommand(newRun(), newReplay(), newShell(), newClauses(), newSchedules(), newFuzz(), newMinimize(), newQuirks(), newExhaust(),
		newHost(), newMeta(), newMutants(), newConform(), newVersion())
	root.AddCommand(hostCommands()...)
	return root
}

// atLeastOne wants a file or more.
func atLeastOne(what string) cobra.PositionalArgs {
	return func(cmd *cobra.Command, args []string) error {
		if len(args) == 0 {
			return usageError{fmt.Errorf("%s wants %s; see %s --help", cmd.Name(), what, cmd.CommandPath())}
		}
		return nil
	}
}

// none wants no argument.
func none(cmd *cobra.Command, args []string) error {
	if len(args) > 0 {
		return usageError{fmt.Errorf("%s takes no argument, not %q; see %s --help", cmd.Name(), args[0], cmd.CommandPath())}
	}
	return nil
}

// goFlags lets the long flags of root's commands be written with one dash, as
// Go's own tools have them.
func goFlags(root *cobra.Command, args []string) []string {
	args = append([]string(nil), args...)
	for i, a := range args {
		if a == "--" {
			break
		}
		name, _, _ := strings.Cut(strings.TrimPrefix(a, "-"), "=")
		if len(name) < 2 || name[0] == '-' || a[0] != '-' {
			continue
		}
		for _, c := range root.Commands() {
			if c.Flags().Lookup(name) != nil || name == "help" {
				args[i] = "-" + a
			}
		}
	}
	return args
}

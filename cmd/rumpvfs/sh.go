package main

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"os/signal"
	"path/filepath"
	"strings"
	"syscall"

	"github.com/peterh/liner"
	"github.com/spf13/cobra"
	"golang.org/x/term"

	"rumpvfs/cmd/rumpvfs/internal/shell"
)

// newShell makes the command that is a shell over a live kernel.
func newShell() *cobra.Command {
	var kernel kernelFlags
	cmd := &cobra.Command{
		Use:   "sh",
		Short: "A shell over a live kernel",
		Long: `sh boots a kernel and takes lines: system calls as in a script, and the familiar
commands (ls, cat, echo, mkdir, ln, ...; help lists them). On a terminal there
are line editing, a history and completion. A kernel that panics ends neither
the shell nor the program: reboot boots another.

From a pipe or file it reads lines in the same way; the exit status is that of
the last line.`,
		Example: `  rumpvfs sh
  echo 'ls -l /dev' | rumpvfs sh
  rumpvfs sh --quirks fixed`,
		Args: none,
		RunE: func(cmd *cobra.Command, _ []string) error {
			config, err := kernel.config()
			if err != nil {
				return err
			}
			sh, err := shell.New(config, cmd.OutOrStdout())
			if err != nil {
				return err
			}
			if f, ok := cmd.InOrStdin().(*os.File); ok && term.IsTerminal(int(f.Fd())) {
				err = interactive(cmd, sh)
			} else {
				err = lines(cmd, sh)
			}
			return errors.Join(err, sh.Close())
		},
	}
	kernel.add(cmd)
	return cmd
}

// lines runs the lines of standard input, which is no terminal.
func lines(cmd *cobra.Command, sh *shell.Shell) error {
	ctx := cmd.Context()
	var last error
	number := 0
	for line := range inputLines(ctx, cmd.InOrStdin()) {
		number++
		last = nil
		switch err := sh.Exec(ctx, line); {
		case ctx.Err() != nil:
			return ctx.Err()
		case errors.Is(err, shell.ErrExit):
			return nil
		case err != nil:
			fmt.Fprintf(cmd.ErrOrStderr(), "sh:%d: %v\n", number, err)
			last = errReported
		}
	}
	if ctx.Err() != nil {
		return ctx.Err()
	}
	return last
}

// inputLines sends the lines of r until there are no more or ctx ends. Reading
// goes on in a goroutine of its own, since nothing interrupts it.
func inputLines(ctx context.Context, r io.Reader) <-chan string {
	read, sent := make(chan string), make(chan string)
	go func() {
		defer close(read)
		for b := bufio.NewReader(r); ; {
			line, err := b.ReadString('\n')
			if line != "" {
				select {
				case read <- strings.TrimRight(line, "\r\n"):
				case <-ctx.Done():
					return
				}
			}
			if err != nil {
				return
			}
		}
	}()
	go func() {
		defer close(sent)
		for {
			select {
			case line, ok := <-read:
				if !ok {
					return
				}
				sent <- line
			case <-ctx.Done():
				return
			}
		}
	}()
	return sent
}

// interactive runs lines that are typed. An interrupt ends the command that
// runs, or the line that is typed, SIGTERM the shell, which has no results.
func interactive(cmd *cobra.Command, sh *shell.Shell) error {
	signal.Reset(syscall.SIGTERM)
	t := liner.NewLiner()
	defer t.Close()
	t.SetCtrlCAborts(true)
	t.SetTabCompletionStyle(liner.TabPrints)
	t.SetWordCompleter(sh.Complete)
	history := historyFile()
	loadHistory(t, history)
	defer saveHistory(t, history)
	fmt.Fprintln(cmd.OutOrStdout(), "A NetBSD kernel with rumpfs as its root. help lists commands and system calls; exit leaves.")
	for {
		line, err := t.Prompt(sh.Prompt())
		switch {
		case errors.Is(err, liner.ErrPromptAborted):
			continue
		case errors.Is(err, io.EOF):
			fmt.Fprintln(cmd.OutOrStdout())
			return nil
		case err != nil:
			return err
		}
		if strings.TrimSpace(line) != "" {
			t.AppendHistory(line)
		}
		err = execInterruptible(cmd, sh, line)
		if errors.Is(err, shell.ErrExit) {
			return nil
		}
		if err != nil {
			fmt.Fprintln(cmd.ErrOrStderr(), err)
		}
	}
}

// execInterruptible runs a line that an interrupt ends without ending the
// shell.
func execInterruptible(cmd *cobra.Command, sh *shell.Shell, line string) error {
	ctx, stop := signal.NotifyContext(context.WithoutCancel(cmd.Context()), os.Interrupt)
	defer stop()
	return sh.Exec(ctx, line)
}

// historyFile is where the lines of earlier shells are kept, or "" if this
// user has no place for it.
func historyFile() string {
	dir, err := os.UserCacheDir()
	if err != nil {
		return ""
	}
	return filepath.Join(dir, "rumpvfs", "history")
}

// loadHistory reads the history. A missing one is an empty one.
func loadHistory(t *liner.State, file string) {
	f, err := os.Open(file)
	if err != nil {
		return
	}
	defer f.Close()
	_, _ = t.ReadHistory(f)
}

// saveHistory writes the history where it can: a shell that cannot keep it is
// a shell nevertheless.
func saveHistory(t *liner.State, file string) {
	if file == "" || os.MkdirAll(filepath.Dir(file), 0o700) != nil {
		return
	}
	f, err := os.OpenFile(file, os.O_WRONLY|os.O_CREATE|os.O_TRUNC, 0o600)
	if err != nil {
		return
	}
	defer f.Close()
	_, _ = t.WriteHistory(f)
}

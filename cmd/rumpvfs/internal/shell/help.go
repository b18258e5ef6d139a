package shell

import (
	"fmt"
	"strings"
	"text/tabwriter"

	"rumpvfs/kern"
	"rumpvfs/sim/script"
)

// helpWidth is how many columns lists of names take.
const helpWidth = 80

func (s *Shell) help(args []string) error {
	switch len(args) {
	case 0:
		return s.helpAll()
	case 1:
		return s.helpOn(args[0])
	}
	return errUsage
}

func (s *Shell) helpAll() error {
	fmt.Fprintln(s.out, "Commands:")
	w := tabwriter.NewWriter(s.out, 0, 1, 2, ' ', 0)
	for _, c := range commands() {
		fmt.Fprintf(w, "  %s\t%s\n", c.usage, c.help)
	}
	if err := w.Flush(); err != nil {
		return err
	}
	fmt.Fprintln(s.out, "\nSystem calls, written as in a script, with paths between quotes:")
	line := " "
	for i := range script.Calls {
		name := script.Calls[i].Name
		if len(line)+1+len(name) > helpWidth {
			fmt.Fprintln(s.out, line)
			line = " "
		}
		line += " " + name
	}
	fmt.Fprintln(s.out, line)
	_, err := fmt.Fprint(s.out, `
help open explains a call with its errors, help ENOENT an error.
  f = open "/tmp/f" O_CREAT|O_RDWR 0644
  write f "hello\n"
  cat /tmp/f
`)
	return err
}

func (s *Shell) helpOn(name string) error {
	found := false
	if c := find(name); c != nil {
		found = true
		fmt.Fprintf(s.out, "%s\n  %s\n", c.usage, c.help)
	}
	if spec := script.Lookup(name); spec != nil {
		found = true
		s.helpCall(spec)
	}
	if e, ok := kern.ErrnoByName(name); ok {
		found = true
		fmt.Fprintf(s.out, "%v (%d)\n", e.Error(), int(e))
	}
	if !found {
		return fmt.Errorf("%s is no command, system call or error", printable(name))
	}
	return nil
}

// helpCall explains a system call.
func (s *Shell) helpCall(spec *script.Spec) {
	fmt.Fprintf(s.out, "system call: %s\n  %s\n", spec.Usage(), spec.Help)
	for _, e := range spec.Errors {
		name, says, _ := strings.Cut(e.Error(), ": ")
		fmt.Fprintf(s.out, "  %-12s %s\n", name, says)
	}
}

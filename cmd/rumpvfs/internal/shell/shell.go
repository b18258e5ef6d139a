package shell

import (
	"context"
	"errors"
	"fmt"
	"io"
	"strings"

	"rumpvfs/hypercall"
	"rumpvfs/kern"
	"rumpvfs/sim"
	"rumpvfs/sim/replay"
	"rumpvfs/sim/script"
)

// ErrExit is what Exec returns when the shell is to end.
var ErrExit = errors.New("exit")

// Interrupted is the error of a command that an interrupt has ended.
type Interrupted struct{}

func (Interrupted) Error() string { return "interrupted" }

// errStopped is why a stopped kernel takes no command.
var errStopped = errors.New("the kernel has stopped; reboot boots another")

// A Shell has a kernel and runs one line at a time on it.
type Shell struct {
	config  sim.Config
	session *replay.Session
	parser  *script.Parser
	out     io.Writer       // of the command that runs
	ctx     context.Context // of the command that runs
	forked  int             // processes that su has made
}

// New boots a kernel for a shell that writes to out.
func New(config sim.Config, out io.Writer) (*Shell, error) {
	s := &Shell{config: config, out: out}
	return s, s.boot()
}

// boot boots a kernel in place of the one there may be.
func (s *Shell) boot() (err error) {
	if s.session, err = replay.NewSession(s.config); err != nil {
		return err
	}
	s.parser = script.NewParser("sh")
	s.forked = 0
	return nil
}

// Close shuts the kernel down. The error says what it left over.
func (s *Shell) Close() error { return s.session.Close() }

// Prompt tells where the shell stands: the working directory, and whether the
// process is the superuser's.
func (s *Shell) Prompt() string {
	if s.session.Kernel.Err() != nil {
		return "rumpvfs (stopped)> "
	}
	p := s.session.Proc()
	cwd, err := p.Getcwd()
	if err != nil {
		cwd = "?"
	}
	mark := '$'
	if p.Cred().EUID == 0 {
		mark = '#'
	}
	return fmt.Sprintf("rumpvfs:%s%c ", printable(cwd), mark)
}

// Exec runs a line, until ctx ends. The error is [ErrExit] or [Interrupted], or
// says what failed; that a system call of the line's answered an error is no failure if
// the line was just that call.
func (s *Shell) Exec(ctx context.Context, line string) error {
	line = strings.TrimSpace(line)
	if line == "" || line[0] == '#' {
		return nil
	}
	if strings.HasPrefix(line, "===") {
		return errors.New("a shell has no sections; reboot boots a new kernel")
	}
	s.ctx = ctx
	if s.session.Kernel.Err() != nil {
		return s.withoutKernel(line)
	}
	err := s.run(line)
	if stop := s.session.Kernel.Err(); stop != nil {
		return fmt.Errorf("%w\n%w", stop, errStopped)
	}
	if err != nil && err != ErrExit && ctx.Err() != nil {
		return Interrupted{}
	}
	return err
}

// withoutKernel runs the lines that make sense after the kernel has stopped.
func (s *Shell) withoutKernel(line string) error {
	words, err := split(line)
	if err != nil || len(words) == 0 {
		return err
	}
	switch words[0].text {
	case "reboot", "help":
		return s.command(words)
	case "exit", "quit":
		return ErrExit
	}
	return errStopped
}

// run takes a line for a system call if it is one, and for a command if not.
// A command that has the name of a call can so be told from it by its
// arguments: a path of a call is quoted.
func (s *Shell) run(line string) error {
	words, bad := split(line)
	known := len(words) > 0 && find(words[0].text) != nil
	if known && octalUmask(words) {
		return s.command(words)
	}
	l, syntax := s.parser.Line(line)
	first, _, _ := strings.Cut(line, " ")
	switch {
	case syntax == nil:
		return s.call(&l)
	case known:
		return s.command(words)
	case bad != nil && find(first) != nil:
		return bad
	}
	return notUnderstood(first, line, syntax)
}

// octalUmask recognises an umask whose number, in octal as everywhere in a
// shell, a call would take for decimal.
func octalUmask(words []word) bool {
	if words[0].text != "umask" || len(words) != 2 {
		return false
	}
	_, err := octal(words[1].text)
	return err == nil
}

// notUnderstood is the error of a line that is neither command nor call. What
// is wrong with it as a call is of interest only if it was meant as one.
func notUnderstood(first, line string, syntax error) error {
	_, rest, _ := strings.Cut(line, "=")
	if script.Lookup(first) == nil && !strings.HasPrefix(rest, " ") {
		return fmt.Errorf("no command or system call is called %q; help lists them", first)
	}
	var e *script.SyntaxError
	if errors.As(syntax, &e) {
		return fmt.Errorf("%s: %s", e.Token, e.Expected)
	}
	return syntax
}

// call makes a system call and prints what it answers.
func (s *Shell) call(l *script.Line) error {
	if s.config.Mode == hypercall.Native {
		// A call may wait for ever; a kernel that stops wakes it.
		defer context.AfterFunc(s.ctx, func() { s.session.Kernel.K.Die(Interrupted{}) })()
	}
	r, err := s.session.Do(l.Call)
	if err != nil {
		return err
	}
	_, err = fmt.Fprintln(s.out, r.Text)
	return err
}

// script runs a line that a command is made of, and shows it. Unlike that of a
// line that was typed, an error that it answers is a failure.
func (s *Shell) script(line string) error {
	l, err := s.parser.Line(line)
	if err != nil {
		return err
	}
	r, err := s.session.Do(l.Call)
	if err != nil {
		return err
	}
	fmt.Fprintln(s.out, line, "=>", r.Text)
	return r.Errno.Err()
}

// proc is the process that commands run in.
func (s *Shell) proc() *sim.Proc { return s.session.Proc() }

// command runs the familiar command that the first of words names, with its
// output where they redirect it.
func (s *Shell) command(words []word) error {
	words, to, err := redirection(words)
	if err != nil {
		return err
	}
	c := find(words[0].text)
	args := make([]string, len(words)-1)
	for i, w := range words[1:] {
		args[i] = w.text
	}
	if to != nil {
		return s.redirected(to, func() error { return c.do(s, args) })
	}
	return c.do(s, args)
}

// do runs a command and says in the error whose it is.
func (c *command) do(s *Shell, args []string) error {
	err := c.run(s, args)
	switch {
	case errors.Is(err, errUsage):
		return fmt.Errorf("usage: %s", c.usage)
	case err != nil && err != ErrExit:
		return fmt.Errorf("%s: %w", c.name, err)
	}
	return err
}

// redirected runs f with its output going to a file of the kernel.
func (s *Shell) redirected(to *target, f func() error) error {
	flags := kern.O_WRONLY | kern.O_CREAT | kern.O_TRUNC
	if to.add {
		flags = kern.O_WRONLY | kern.O_CREAT | kern.O_APPEND
	}
	p := s.proc()
	fd, err := p.Open(to.path, flags, 0o666)
	if err != nil {
		return fmt.Errorf("%s: %w", to.path, err)
	}
	out := s.out
	s.out = fileWriter{p, fd}
	err = f()
	s.out = out
	return errors.Join(err, p.Close(fd))
}

// fileWriter writes to an open file of the kernel.
type fileWriter struct {
	p  *sim.Proc
	fd int
}

func (w fileWriter) Write(b []byte) (int, error) {
	n, err := w.p.Write(w.fd, b)
	if err == nil && n < len(b) {
		err = io.ErrShortWrite
	}
	return n, err
}

package shell

import (
	"errors"
	"fmt"
	"text/tabwriter"
)

func (s *Shell) cd(args []string) error {
	switch len(args) {
	case 0:
		return s.proc().Chdir("/")
	case 1:
		return named(args[0], s.proc().Chdir(args[0]))
	}
	return errUsage
}

func (s *Shell) pwd(args []string) error {
	if len(args) > 0 {
		return errUsage
	}
	cwd, err := s.proc().Getcwd()
	if err == nil {
		_, err = fmt.Fprintln(s.out, printable(cwd))
	}
	return err
}

func (s *Shell) id(args []string) error {
	if len(args) > 0 {
		return errUsage
	}
	c := s.proc().Cred()
	line := fmt.Sprintf("uid=%s gid=%s", both(c.UID, "root"), both(c.GID, "wheel"))
	if c.EUID != c.UID {
		line += " euid=" + both(c.EUID, "root")
	}
	if c.EGID != c.GID {
		line += " egid=" + both(c.EGID, "wheel")
	}
	sep := " groups="
	for _, g := range c.Groups {
		line += sep + both(g, "wheel")
		sep = ","
	}
	_, err := fmt.Fprintln(s.out, line)
	return err
}

// both is the number of a user or group, with the name that 0 has.
func both(id uint32, zero string) string {
	if id == 0 {
		return "0(" + zero + ")"
	}
	return fmt.Sprint(id)
}

// su changes identity in a process of its own, so that there is a way back.
// Its calls go through the parser, which has to know the process.
func (s *Shell) su(args []string) error {
	if len(args) < 1 || len(args) > 2 {
		return errUsage
	}
	uid, err := identity(args[0])
	if err != nil {
		return err
	}
	gid := uid
	if len(args) == 2 {
		if gid, err = identity(args[1]); err != nil {
			return err
		}
	}
	s.forked++
	lines := []string{fmt.Sprintf("su%d = rfork COPY", s.forked), "setgroups", fmt.Sprintf("setgid %d", gid), fmt.Sprintf("setuid %d", uid)}
	for i, line := range lines {
		if err := s.script(line); err != nil {
			if i > 0 {
				err = errors.Join(err, s.script("exit"))
			}
			return err
		}
	}
	return nil
}

func (s *Shell) exit(args []string) error {
	if len(args) > 0 {
		return errUsage
	}
	if s.proc() == s.session.Kernel.Init() {
		return ErrExit
	}
	return s.script("exit")
}

func (s *Shell) ps(args []string) error {
	if len(args) > 0 {
		return errUsage
	}
	w := tabwriter.NewWriter(s.out, 0, 1, 2, ' ', 0)
	fmt.Fprintln(w, "\tpid\tname\tuser\tgroup\tdirectory")
	for _, p := range s.session.Kernel.Procs() {
		mark := ""
		if p == s.proc() {
			mark = "*"
		}
		cwd, err := p.Getcwd()
		if err != nil {
			cwd = "?"
		}
		c := p.Cred()
		fmt.Fprintf(w, "%s\t%d\t%s\t%s\t%s\t%s\n", mark, p.Getpid(), s.session.Name(p), user(c.EUID), group(c.EGID), printable(cwd))
	}
	return w.Flush()
}

func (s *Shell) reboot(args []string) error {
	if len(args) > 0 {
		return errUsage
	}
	err := s.session.Close()
	return errors.Join(err, s.boot())
}

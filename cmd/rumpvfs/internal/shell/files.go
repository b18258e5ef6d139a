package shell

import (
	"errors"
	"fmt"
	"path"
	"slices"
	"strings"

	"rumpvfs/kern"
	"rumpvfs/sim/script"
)

// named says in an error which file it is about.
func named(file string, err error) error {
	if err == nil {
		return nil
	}
	return fmt.Errorf("%s: %w", printable(file), err)
}

// printable is a name as it can be shown in a line.
func printable(name string) string {
	if name == "" {
		return `""`
	}
	if q := script.Quote(name); q != `"`+name+`"` {
		return q
	}
	return name
}

// join is the path of a name in a directory.
func join(dir, name string) string {
	if dir == "" || strings.HasSuffix(dir, "/") {
		return dir + name
	}
	return dir + "/" + name
}

// into is where a file goes if to may be a directory to hold it.
func (s *Shell) into(from, to string) string {
	if st, err := s.proc().Stat(to); err == nil && kern.S_ISDIR(st.Mode) {
		return join(to, path.Base(from))
	}
	return to
}

// direntsBuffer is the least buffer in bytes to read a directory with.
const direntsBuffer = 16 << 10

// readdir reads a directory, in the kernel's order. It takes a buffer that
// holds it whole: rumpfs repeats an entry when a buffer ends within the next.
func (s *Shell) readdir(dir string) ([]kern.Dirent, error) {
	p := s.proc()
	for size := direntsBuffer; ; size *= 2 {
		fd, err := p.Open(dir, kern.O_RDONLY, 0)
		if err != nil {
			return nil, err
		}
		b := make([]byte, size)
		n, err := p.Getdents(fd, b)
		if err := errors.Join(err, p.Close(fd)); err != nil {
			return nil, err
		}
		if n+kern.DirentReclen(kern.MAXNAMLEN) > size {
			continue
		}
		return entries(b[:n])
	}
}

func entries(b []byte) (all []kern.Dirent, err error) {
	for len(b) > 0 {
		var d kern.Dirent
		if d, b, err = kern.DecodeDirent(b); err != nil {
			return nil, err
		}
		all = append(all, d)
	}
	return all, nil
}

// sorted sorts entries by name and leaves out whiteouts, "." and "..".
func sorted(all []kern.Dirent) []kern.Dirent {
	all = slices.DeleteFunc(all, func(d kern.Dirent) bool { return d.Type == kern.DT_WHT || d.Name == "." || d.Name == ".." })
	slices.SortStableFunc(all, func(a, b kern.Dirent) int { return strings.Compare(a.Name, b.Name) })
	return all
}

// copyBuffer is how many bytes are read and written at a time.
const copyBuffer = 64 << 10

// copyOut reads a file to its end and hands it to write, piece by piece.
func (s *Shell) copyOut(file string, write func([]byte) (int, error)) error {
	p := s.proc()
	fd, err := p.Open(file, kern.O_RDONLY, 0)
	if err != nil {
		return named(file, err)
	}
	b := make([]byte, copyBuffer)
	for {
		n, rerr := p.Read(fd, b)
		err = named(file, rerr)
		if err != nil || n == 0 {
			break
		}
		if _, err = write(b[:n]); err != nil {
			break
		}
		if err = s.ctx.Err(); err != nil {
			break
		}
	}
	return errors.Join(err, p.Close(fd))
}

func (s *Shell) cat(args []string) error {
	if len(args) == 0 {
		return errUsage
	}
	var errs []error
	for _, file := range args {
		errs = append(errs, s.copyOut(file, s.out.Write))
	}
	return errors.Join(errs...)
}

func (s *Shell) echo(args []string) error {
	end := "\n"
	if len(args) > 0 && args[0] == "-n" {
		args, end = args[1:], ""
	}
	_, err := fmt.Fprint(s.out, strings.Join(args, " ")+end)
	return err
}

func (s *Shell) cp(args []string) error {
	if len(args) != 2 {
		return errUsage
	}
	p := s.proc()
	st, err := p.Stat(args[0])
	if err != nil {
		return named(args[0], err)
	}
	if kern.S_ISDIR(st.Mode) {
		return named(args[0], kern.EISDIR)
	}
	to := s.into(args[0], args[1])
	if dst, err := p.Stat(to); err == nil && dst.Ino == st.Ino && dst.Dev == st.Dev {
		return fmt.Errorf("%s and %s are the same file", printable(args[0]), printable(to))
	}
	fd, err := p.Open(to, kern.O_WRONLY|kern.O_CREAT|kern.O_TRUNC, st.Mode&kern.ACCESSPERMS)
	if err != nil {
		return named(to, err)
	}
	return errors.Join(s.copyOut(args[0], fileWriter{p, fd}.Write), p.Close(fd))
}

func (s *Shell) mv(args []string) error {
	if len(args) != 2 {
		return errUsage
	}
	return named(args[0], s.proc().Rename(args[0], s.into(args[0], args[1])))
}

func (s *Shell) touch(args []string) error {
	p := s.proc()
	return s.each(args, func(file string) error {
		err := p.Utimes(file, nil)
		if !errors.Is(err, kern.ENOENT) {
			return err
		}
		fd, err := p.Open(file, kern.O_WRONLY|kern.O_CREAT, 0o666)
		if err != nil {
			return err
		}
		return p.Close(fd)
	})
}

func (s *Shell) mkdir(args []string) error {
	set, dirs, err := options(args, "p")
	if err != nil {
		return err
	}
	return s.each(dirs, func(dir string) error {
		if set == "" {
			return s.proc().Mkdir(dir, 0o777)
		}
		return s.mkdirAll(dir)
	})
}

// mkdirAll makes a directory and those above it, as far as they are missing.
func (s *Shell) mkdirAll(dir string) error {
	for i := 1; i <= len(dir); i++ {
		if i < len(dir) && dir[i] != '/' {
			continue
		}
		err := s.proc().Mkdir(dir[:i], 0o777)
		if err == nil {
			continue
		}
		st, serr := s.proc().Stat(dir[:i])
		switch {
		case serr == nil && kern.S_ISDIR(st.Mode):
		case serr == nil && i < len(dir):
			return kern.ENOTDIR
		default:
			return err
		}
	}
	return nil
}

func (s *Shell) rmdir(args []string) error {
	return s.each(args, func(dir string) error { return s.proc().Rmdir(dir) })
}

func (s *Shell) rm(args []string) error {
	set, files, err := options(args, "fr")
	if err != nil {
		return err
	}
	force, all := strings.Contains(set, "f"), strings.Contains(set, "r")
	if force && len(files) == 0 {
		return nil
	}
	return s.each(files, func(file string) error {
		st, err := s.proc().Lstat(file)
		switch {
		case force && errors.Is(err, kern.ENOENT):
			return nil
		case err != nil:
			return err
		case kern.S_ISDIR(st.Mode) && !all:
			return kern.EISDIR
		}
		return s.remove(file, kern.S_ISDIR(st.Mode))
	})
}

// remove removes a file, and if it is a directory everything in it first.
func (s *Shell) remove(file string, dir bool) error {
	if !dir {
		return s.proc().Unlink(file)
	}
	if err := s.ctx.Err(); err != nil {
		return err
	}
	all, err := s.readdir(file)
	if err != nil {
		return err
	}
	var errs []error
	for _, d := range sorted(all) {
		name := join(file, d.Name)
		errs = append(errs, named(name, s.remove(name, d.Type == kern.DT_DIR)))
	}
	if err := errors.Join(errs...); err != nil {
		return err
	}
	return s.proc().Rmdir(file)
}

func (s *Shell) ln(args []string) error {
	set, files, err := options(args, "s")
	if err != nil || len(files) != 2 {
		return errUsage
	}
	to := s.into(files[0], files[1])
	if set != "" {
		return named(to, s.proc().Symlink(files[0], to))
	}
	return named(to, s.proc().Link(files[0], to))
}

func (s *Shell) readlink(args []string) error {
	return s.each(args, func(file string) error {
		target, err := s.linkTarget(file)
		if err == nil {
			_, err = fmt.Fprintln(s.out, printable(target))
		}
		return err
	})
}

// linkTarget is where a symbolic link leads.
func (s *Shell) linkTarget(file string) (string, error) {
	b := make([]byte, kern.MAXPATHLEN)
	n, err := s.proc().Readlink(file, b)
	if err != nil {
		return "", err
	}
	return string(b[:n]), nil
}

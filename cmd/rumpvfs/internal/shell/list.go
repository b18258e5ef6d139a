package shell

import (
	"errors"
	"fmt"
	"io"
	"strings"
	"time"

	"rumpvfs/kern"
)

// A listed file is one that ls shows.
type listed struct {
	name  string // as shown
	path  string // to ask the kernel with
	dtype uint8
	ino   uint64
	st    kern.Stat
}

func (s *Shell) ls(args []string) error {
	set, files, err := options(args, "adfilW")
	if err != nil {
		return err
	}
	if len(files) == 0 {
		files = []string{"."}
	}
	plain, dirs, errs := s.sortOut(files, set)
	errs = append(errs, s.show(plain, set))
	for i, dir := range dirs {
		if len(files) > 1 {
			if i > 0 || len(plain) > 0 {
				fmt.Fprintln(s.out)
			}
			fmt.Fprintf(s.out, "%s:\n", printable(dir))
		}
		errs = append(errs, s.lsDir(dir, set))
	}
	return errors.Join(errs...)
}

// sortOut tells directories, whose contents are listed, from other files. A
// link to a directory is one, unless the link itself is to be shown.
func (s *Shell) sortOut(files []string, set string) (plain []listed, dirs []string, errs []error) {
	itself := strings.Contains(set, "d")
	for _, file := range files {
		st, err := s.proc().Lstat(file)
		if err == nil && kern.S_ISLNK(st.Mode) && !strings.ContainsAny(set, "dl") {
			if to, err := s.proc().Stat(file); err == nil && kern.S_ISDIR(to.Mode) {
				st = to
			}
		}
		switch {
		case err != nil:
			errs = append(errs, named(file, err))
		case kern.S_ISDIR(st.Mode) && !itself:
			dirs = append(dirs, file)
		default:
			plain = append(plain, listed{printable(file), file, kern.IFTODT(st.Mode), st.Ino, st})
		}
	}
	return plain, dirs, errs
}

func (s *Shell) lsDir(dir, set string) error {
	all, err := s.readdir(dir)
	if err != nil {
		return named(dir, err)
	}
	if !strings.Contains(set, "f") {
		whiteouts := all
		all = sorted(append([]kern.Dirent(nil), all...))
		if strings.Contains(set, "W") {
			all = withWhiteouts(all, whiteouts)
		}
	}
	var files []listed
	for _, d := range all {
		if strings.HasPrefix(d.Name, ".") && !strings.ContainsAny(set, "af") {
			continue
		}
		f := listed{printable(d.Name), join(dir, d.Name), d.Type, d.Fileno, kern.Stat{Mode: kern.DTTOIF(d.Type)}}
		if d.Type != kern.DT_WHT {
			if f.st, err = s.proc().Lstat(f.path); err != nil {
				return named(f.path, err)
			}
		}
		files = append(files, f)
	}
	return s.show(files, set)
}

// withWhiteouts adds the whiteouts among entries to those in order.
func withWhiteouts(files, entries []kern.Dirent) []kern.Dirent {
	for _, d := range entries {
		if d.Type == kern.DT_WHT {
			files = append(files, d)
		}
	}
	return files
}

// show prints a line for each file, long ones in columns.
func (s *Shell) show(files []listed, set string) error {
	rows := make([][]string, len(files))
	for i := range files {
		f := &files[i]
		name := f.name
		if strings.Contains(set, "i") {
			rows[i] = append(rows[i], fmt.Sprint(f.ino))
		}
		if strings.Contains(set, "l") {
			rows[i] = append(rows[i], long(&f.st)...)
			name += s.arrow(f.dtype, f.path)
		}
		if f.dtype == kern.DT_WHT {
			name += " (whiteout)"
		}
		rows[i] = append(rows[i], name)
	}
	return writeRows(s.out, rows)
}

// arrow shows where a symbolic link leads; of anything else, nothing.
func (s *Shell) arrow(dtype uint8, file string) string {
	if dtype != kern.DT_LNK {
		return ""
	}
	target, err := s.linkTarget(file)
	if err != nil {
		return ""
	}
	return " -> " + printable(target)
}

// long is what ls -l shows of a file before its name.
func long(st *kern.Stat) []string {
	size := fmt.Sprint(st.Size)
	if t := st.Mode & kern.S_IFMT; t == kern.S_IFCHR || t == kern.S_IFBLK {
		size = fmt.Sprintf("%d,%d", st.Rdev.Major(), st.Rdev.Minor())
	}
	return []string{modeString(st.Mode), fmt.Sprint(st.Nlink), user(st.UID), group(st.GID), size, timeOf(st.Mtim)}
}

// writeRows writes rows of as many cells each, all but the last cell flush
// right in their columns.
func writeRows(w io.Writer, rows [][]string) error {
	var widths []int
	for _, row := range rows {
		widths = append(widths, make([]int, len(row)-len(widths))...)
		for i, cell := range row {
			widths[i] = max(widths[i], len(cell))
		}
	}
	for _, row := range rows {
		last := len(row) - 1
		for i, cell := range row[:last] {
			if _, err := fmt.Fprintf(w, "%*s ", widths[i], cell); err != nil {
				return err
			}
		}
		if _, err := fmt.Fprintln(w, row[last]); err != nil {
			return err
		}
	}
	return nil
}

// modeString is a mode as ls shows it.
func modeString(mode uint32) string {
	b := []byte("?rwxrwxrwx")
	if i := int(kern.IFTODT(mode)); i < len(modeTypes) {
		b[0] = modeTypes[i]
	}
	for i := range 9 {
		if mode>>(8-i)&1 == 0 {
			b[1+i] = '-'
		}
	}
	special := func(at int, bit uint32, with, without byte) {
		if mode&bit == 0 {
			return
		}
		if b[at] == '-' {
			b[at] = without
		} else {
			b[at] = with
		}
	}
	special(3, kern.S_ISUID, 's', 'S')
	special(6, kern.S_ISGID, 's', 'S')
	special(9, kern.S_ISTXT, 't', 'T')
	return string(b)
}

// modeTypes are the letters of file types, by their DT_ numbers.
const modeTypes = "?pc?d?b?-?l?s?w"

// user names the superuser, and gives all others as numbers.
func user(uid uint32) string {
	if uid == 0 {
		return "root"
	}
	return fmt.Sprint(uid)
}

// group names the superuser's group, and gives all others as numbers.
func group(gid uint32) string {
	if gid == 0 {
		return "wheel"
	}
	return fmt.Sprint(gid)
}

// timeOf is a file's time, in UTC.
func timeOf(ts kern.Timespec) string {
	return time.Unix(ts.Sec, ts.Nsec).UTC().Format("2006-01-02 15:04")
}

func (s *Shell) tree(args []string) error {
	if len(args) == 0 {
		args = []string{"."}
	}
	return s.each(args, func(dir string) error {
		fmt.Fprintln(s.out, printable(dir))
		return s.below(dir, "")
	})
}

// below shows what is below a directory, every line after indent.
func (s *Shell) below(dir, indent string) error {
	if err := s.ctx.Err(); err != nil {
		return err
	}
	all, err := s.readdir(dir)
	if err != nil {
		return err
	}
	all = sorted(all)
	var errs []error
	for i, d := range all {
		branch, next := "├── ", "│   "
		if i == len(all)-1 {
			branch, next = "└── ", "    "
		}
		fmt.Fprintln(s.out, indent+branch+printable(d.Name)+s.arrow(d.Type, join(dir, d.Name)))
		if d.Type == kern.DT_DIR {
			sub := join(dir, d.Name)
			errs = append(errs, named(sub, s.below(sub, indent+next)))
		}
	}
	return errors.Join(errs...)
}

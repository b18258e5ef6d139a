package shell

import (
	"fmt"
	"strconv"
	"strings"
	"text/tabwriter"

	"rumpvfs/kern"
	"rumpvfs/sim/script"
)

// octal reads permission bits.
func octal(mode string) (uint32, error) {
	n, err := strconv.ParseUint(mode, 8, 32)
	if err != nil || n > kern.ALLPERMS {
		return 0, fmt.Errorf("%s: expected permission bits in octal", printable(mode))
	}
	return uint32(n), nil
}

// identity reads the number of a user or group.
func identity(id string) (uint32, error) {
	n, err := strconv.ParseUint(id, 10, 32)
	if err != nil {
		return 0, fmt.Errorf("%s: expected a number", printable(id))
	}
	return uint32(n), nil
}

func (s *Shell) chmod(args []string) error {
	if len(args) < 2 {
		return errUsage
	}
	mode, err := octal(args[0])
	if err != nil {
		return err
	}
	return s.each(args[1:], func(file string) error { return s.proc().Chmod(file, mode) })
}

func (s *Shell) chown(args []string) error {
	if len(args) < 2 {
		return errUsage
	}
	owner, members, both := strings.Cut(args[0], ":")
	uid, gid := ^uint32(0), ^uint32(0)
	var err error
	if owner != "" || !both {
		if uid, err = identity(owner); err != nil {
			return err
		}
	}
	if both {
		if gid, err = identity(members); err != nil {
			return err
		}
	}
	return s.each(args[1:], func(file string) error { return s.proc().Chown(file, uid, gid) })
}

// umask prints what the call answers, but reads every number as octal.
func (s *Shell) umask(args []string) error {
	if len(args) > 1 {
		return errUsage
	}
	var mask uint32
	var err error
	if len(args) == 1 {
		if mask, err = octal(args[0]); err != nil {
			return err
		}
	}
	old, err := s.proc().Umask(mask)
	if err == nil && len(args) == 0 {
		// No call only tells the mask.
		_, err = s.proc().Umask(old)
	}
	if err != nil {
		return err
	}
	_, err = fmt.Fprintln(s.out, script.FormatUmask(old))
	return err
}

func (s *Shell) stat(args []string) error {
	return s.each(args, func(file string) error {
		st, err := s.proc().Lstat(file)
		if err != nil {
			return err
		}
		fmt.Fprintf(s.out, "%s\n", printable(file))
		fmt.Fprintf(s.out, "  mode %04o %s  links %d  owner %s:%s  flags %#x\n",
			st.Mode&kern.ALLPERMS, modeString(st.Mode), st.Nlink, user(st.UID), group(st.GID), st.FileFlags)
		fmt.Fprintf(s.out, "  size %d  blocks %d of 512  block size %d\n", st.Size, st.Blocks, st.Blksize)
		fmt.Fprintf(s.out, "  inode %d  device %#x", st.Ino, st.Dev)
		if st.Rdev != kern.NODEV {
			fmt.Fprintf(s.out, "  stands for device %d,%d", st.Rdev.Major(), st.Rdev.Minor())
		}
		fmt.Fprintf(s.out, "\n  accessed %s  modified %s  changed %s\n", timeOf(st.Atim), timeOf(st.Mtim), timeOf(st.Ctim))
		return nil
	})
}

func (s *Shell) df(args []string) error {
	if len(args) > 0 {
		return errUsage
	}
	list, err := s.proc().Getvfsstat(kern.ST_WAIT)
	if err != nil {
		return err
	}
	w := tabwriter.NewWriter(s.out, 0, 1, 2, ' ', 0)
	fmt.Fprintln(w, "from\ttype\tbytes\tfree\tmounted on")
	for i := range list {
		sb := &list[i]
		fmt.Fprintf(w, "%s\t%s\t%d\t%d\t%s\n", printable(sb.Mntfromname), sb.Fstypename,
			sb.Blocks*sb.Frsize, sb.Bavail*sb.Frsize, printable(sb.Mntonname))
	}
	return w.Flush()
}

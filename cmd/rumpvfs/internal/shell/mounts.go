package shell

import (
	"errors"
	"fmt"
	"strconv"
	"strings"
	"text/tabwriter"

	"rumpvfs/kern"
	"rumpvfs/sim"
	"rumpvfs/tmpfs"
)

// mountOptions are what mount -o takes, and what mount calls a flag that is
// set, empty for none.
var mountOptions = []struct {
	name, shown string
	flag        int
}{
	{"async", "asynchronous", kern.MNT_ASYNC},
	{"sync", "synchronous", kern.MNT_SYNCHRONOUS},
	{"noatime", "noatime", kern.MNT_NOATIME},
	{"nodev", "nodev", kern.MNT_NODEV},
	{"noexec", "noexec", kern.MNT_NOEXEC},
	{"nosuid", "nosuid", kern.MNT_NOSUID},
	{"ro", "read-only", kern.MNT_RDONLY},
	{"rdonly", "", kern.MNT_RDONLY},
	{"rw", "", 0},
	{"union", "union", kern.MNT_UNION},
	{"extattr", "extattr", kern.MNT_EXTATTR},
	{"update", "", kern.MNT_UPDATE},
	{"", "local", kern.MNT_LOCAL},
}

// mountFlag is the flag of an option.
func mountFlag(option string) (int, error) {
	for _, o := range mountOptions {
		if o.name == option && option != "" {
			return o.flag, nil
		}
	}
	return 0, fmt.Errorf("%s: no such option", printable(option))
}

// A mounting is what the arguments of mount ask for.
type mounting struct {
	fstype string
	flags  int
	tmpfs  *tmpfs.Args
	limits bool // tmpfs holds options that are for tmpfs alone
	rest   []string
}

// option is one of those behind -o.
func (m *mounting) option(o string) error {
	name, value, ok := strings.Cut(o, "=")
	if !ok {
		flag, err := mountFlag(o)
		m.flags |= flag
		return err
	}
	base := 0
	if name == "mode" {
		base = 8
	}
	n, err := strconv.ParseUint(value, base, 63)
	if err != nil {
		return fmt.Errorf("%s: expected a number", printable(o))
	}
	switch name {
	case "size":
		m.tmpfs.SizeMax = int64(n)
	case "nodes":
		m.tmpfs.NodesMax = n
	case "mode":
		m.tmpfs.RootMode = uint32(n & kern.ALLPERMS)
	default:
		return fmt.Errorf("%s: no such option", printable(o))
	}
	m.limits = true
	return nil
}

// data is what the file system is told besides the flags.
func (m *mounting) data() (any, error) {
	switch {
	case m.fstype == tmpfs.MOUNT_TMPFS:
		return m.tmpfs, nil
	case m.limits:
		return nil, fmt.Errorf("size, nodes and mode are options of %s", tmpfs.MOUNT_TMPFS)
	}
	return nil, nil
}

// parseMount reads mount's options, whose arguments follow them.
func parseMount(args []string) (m mounting, err error) {
	m.fstype, m.tmpfs = "rumpfs", tmpfs.DefaultArgs()
	for len(args) > 0 && strings.HasPrefix(args[0], "-") {
		option := args[0]
		args = args[1:]
		switch {
		case option == "-r":
			m.flags |= kern.MNT_RDONLY
		case option == "-u":
			m.flags |= kern.MNT_UPDATE
		case option == "-t" && len(args) > 0:
			m.fstype, args = args[0], args[1:]
		case option == "-o" && len(args) > 0:
			for _, o := range strings.Split(args[0], ",") {
				if err := m.option(o); err != nil {
					return m, err
				}
			}
			args = args[1:]
		default:
			return m, errUsage
		}
	}
	m.rest = args
	return m, nil
}

// mount lists what is mounted, or mounts. What a file system that has no use
// for it is mounted from may be named before the directory, as one is used to.
func (s *Shell) mount(args []string) error {
	if len(args) == 0 {
		return s.listMounts()
	}
	m, err := parseMount(args)
	if err != nil {
		return err
	}
	if len(m.rest) < 1 || len(m.rest) > 2 {
		return errUsage
	}
	data, err := m.data()
	if err != nil {
		return err
	}
	dir := m.rest[len(m.rest)-1]
	return named(dir, s.proc().Mount(m.fstype, dir, m.flags, data))
}

func (s *Shell) listMounts() error {
	list, err := s.proc().Getvfsstat(kern.ST_NOWAIT)
	if err != nil {
		return err
	}
	for i := range list {
		sb := &list[i]
		var flags []string
		for _, o := range mountOptions {
			if o.shown != "" && sb.Flag&uint64(o.flag) != 0 {
				flags = append(flags, o.shown)
			}
		}
		line := fmt.Sprintf("%s on %s type %s", printable(sb.Mntfromname), printable(sb.Mntonname), sb.Fstypename)
		if flags != nil {
			line += " (" + strings.Join(flags, ", ") + ")"
		}
		if _, err := fmt.Fprintln(s.out, line); err != nil {
			return err
		}
	}
	return nil
}

func (s *Shell) umount(args []string) error {
	set, dirs, err := options(args, "f")
	if err != nil {
		return err
	}
	flags := 0
	if set != "" {
		flags = kern.MNT_FORCE
	}
	return s.each(dirs, func(dir string) error { return s.proc().Unmount(dir, flags) })
}

// lsof lists what every process has open, with its working directory.
func (s *Shell) lsof(args []string) error {
	if len(args) > 0 {
		return errUsage
	}
	var table strings.Builder
	w := tabwriter.NewWriter(&table, 0, 1, 2, ' ', 0)
	fmt.Fprintln(w, "pid\tuser\tfd\ttype\toffset\tsize\tnumber\ton\tpath")
	var errs []error
	for _, p := range s.session.Kernel.Procs() {
		files, err := p.Files()
		errs = append(errs, err)
		for i := range files {
			f := &files[i]
			fd := "cwd"
			if f.FD >= 0 {
				fd = fmt.Sprint(f.FD) + access(f)
			}
			fmt.Fprintf(w, "%d\t%s\t%s\t%s\t%s\n", p.Getpid(), user(p.Cred().EUID), fd, f.Type, place(f))
		}
	}
	errs = append(errs, w.Flush())
	for line := range strings.Lines(table.String()) {
		if _, err := fmt.Fprintln(s.out, strings.TrimRight(line, " \n")); err != nil {
			return err
		}
	}
	return errors.Join(errs...)
}

// access is a letter for how a file is open, as lsof has it.
func access(f *sim.OpenFile) string {
	switch f.Flags & (kern.FREAD | kern.FWRITE) {
	case kern.FREAD:
		return "r"
	case kern.FWRITE:
		return "w"
	}
	return "u"
}

// place is where in a file its user is, and where the file.
func place(f *sim.OpenFile) string {
	switch {
	case f.Type == "console":
		return "\t\t\t\t"
	case f.Err != nil:
		return "\t\t\t\t(its file system is gone)"
	case f.Path == "":
		return fmt.Sprintf("%d\t%d\t%d\t%s\t", f.Offset, f.Stat.Size, f.Stat.Ino, printable(f.On))
	}
	return fmt.Sprintf("%d\t%d\t%d\t%s\t%s", f.Offset, f.Stat.Size, f.Stat.Ino, printable(f.On), printable(f.Path))
}

package shell

import "errors"

// errUsage is the error of a command whose arguments make no sense.
var errUsage = errors.New("usage")

// A command is one that is no system call.
type command struct {
	name  string
	usage string
	help  string
	run   func(s *Shell, args []string) error
}

// commands lists the familiar commands. It is a function because help, which
// is one of them, shows them all.
func commands() []command {
	return []command{
		{"cat", "cat FILE...", "Writes what is in files.", (*Shell).cat},
		{"cd", "cd [DIR]", "Changes the working directory, to / if no DIR is given.", (*Shell).cd},
		{"chmod", "chmod MODE FILE...", "Sets the permission bits, in octal.", (*Shell).chmod},
		{"chown", "chown UID[:GID] FILE...", "Sets the owner, by number.", (*Shell).chown},
		{"cp", "cp FROM TO", "Copies a file.", (*Shell).cp},
		{"df", "df", "Lists the file systems that are mounted.", (*Shell).df},
		{"echo", "echo [-n] [TEXT...] [> FILE | >> FILE]", "Writes its arguments.", (*Shell).echo},
		{"exit", "exit", "Ends the process if su or rfork made it, and the shell if not.", (*Shell).exit},
		{"help", "help [COMMAND | CALL | ERROR]", "Explains a command, a system call or an error.", (*Shell).help},
		{"id", "id", "Tells who the process is.", (*Shell).id},
		{"ln", "ln [-s] FROM TO", "Makes TO a hard link to FROM, or a symbolic one.", (*Shell).ln},
		{"ls", "ls [-adfilW] [FILE...]", "Lists files: -a hidden ones too, -d directories themselves, " +
			"-f in the kernel's order, -i with numbers, -l with attributes, -W whiteouts too.", (*Shell).ls},
		{"lsof", "lsof", "Lists the files that processes have open.", (*Shell).lsof},
		{"mkdir", "mkdir [-p] DIR...", "Makes directories, with -p those above them too.", (*Shell).mkdir},
		{"mount", "mount [-ru] [-t TYPE] [-o OPTION,...] [FROM] [DIR]", "Lists what is mounted, or mounts a file system (rumpfs, if no TYPE is given) on DIR, " +
			"-r read-only; -u changes what is mounted there. Options: async, extattr, noatime, nodev, noexec, nosuid, ro, rw, sync, union, update; " +
			"of tmpfs also size=BYTES, nodes=N, mode=OCTAL.", (*Shell).mount},
		{"mv", "mv FROM TO", "Renames a file.", (*Shell).mv},
		{"ps", "ps", "Lists the processes of the kernel.", (*Shell).ps},
		{"pwd", "pwd", "Tells the working directory.", (*Shell).pwd},
		{"quit", "quit", "Ends the shell.", func(*Shell, []string) error { return ErrExit }},
		{"readlink", "readlink FILE...", "Tells where symbolic links lead.", (*Shell).readlink},
		{"reboot", "reboot", "Shuts the kernel down and boots another, with nothing in it.", (*Shell).reboot},
		{"rm", "rm [-fr] FILE...", "Removes files, with -r directories and what is in them.", (*Shell).rm},
		{"rmdir", "rmdir DIR...", "Removes empty directories.", (*Shell).rmdir},
		{"stat", "stat FILE...", "Tells the attributes of files.", (*Shell).stat},
		{"su", "su UID [GID]", "Makes a process of another user and goes on in it; exit comes back.", (*Shell).su},
		{"touch", "touch FILE...", "Makes files, or sets their times to now.", (*Shell).touch},
		{"tree", "tree [DIR...]", "Shows everything below directories.", (*Shell).tree},
		{"umount", "umount [-f] DIR...", "Unmounts what is mounted on directories, -f even if it is in use.", (*Shell).umount},
		{"umask", "umask [MODE]", "Tells which permission bits new files do not get, and makes it MODE, in octal.", (*Shell).umask},
	}
}

// find finds a command by its name, or nil.
func find(name string) *command {
	for _, c := range commands() {
		if c.name == name {
			return &c
		}
	}
	return nil
}

// each does f with each of args, of which there is at least one, and gives
// the errors of all.
func (s *Shell) each(args []string, f func(arg string) error) error {
	if len(args) == 0 {
		return errUsage
	}
	var errs []error
	for _, a := range args {
		if err := s.ctx.Err(); err != nil {
			return errors.Join(append(errs, err)...)
		}
		errs = append(errs, named(a, f(a)))
	}
	return errors.Join(errs...)
}

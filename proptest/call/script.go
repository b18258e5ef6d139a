package call

import (
	"fmt"

	"rumpvfs/kern"
	"rumpvfs/sim/script"
)

// A flagName is a constant of the script language.
type flagName struct {
	name  string
	value int64
}

//policy:static read only
var (
	oflagNames = []flagName{{"O_CREAT", kern.O_CREAT}, {"O_EXCL", kern.O_EXCL}, {"O_TRUNC", kern.O_TRUNC}, {"O_APPEND", kern.O_APPEND},
		{"O_DIRECTORY", kern.O_DIRECTORY}, {"O_NOFOLLOW", kern.O_NOFOLLOW}, {"O_NONBLOCK", kern.O_NONBLOCK},
		{"O_CLOEXEC", kern.O_CLOEXEC}, {"O_SHLOCK", kern.O_SHLOCK}, {"O_EXLOCK", kern.O_EXLOCK}, {"O_SYNC", kern.O_SYNC},
		{"O_DSYNC", kern.O_DSYNC}, {"O_RSYNC", kern.O_RSYNC}, {"O_ASYNC", kern.O_ASYNC}, {"O_NOCTTY", kern.O_NOCTTY},
		{"O_DIRECT", kern.O_DIRECT}}
	accessNames = []flagName{{"R_OK", kern.R_OK}, {"W_OK", kern.W_OK}, {"X_OK", kern.X_OK}}
	atNames     = []flagName{{"AT_REMOVEDIR", kern.AT_REMOVEDIR}, {"AT_SYMLINK_NOFOLLOW", kern.AT_SYMLINK_NOFOLLOW}}
	lockOpNames = []flagName{{"LOCK_SH", kern.LOCK_SH}, {"LOCK_EX", kern.LOCK_EX}, {"LOCK_UN", kern.LOCK_UN}, {"LOCK_NB", kern.LOCK_NB}}
	syncNames   = []flagName{{"FDATASYNC", kern.FDATASYNC}, {"FFILESYNC", kern.FFILESYNC}, {"FDISKSYNC", kern.FDISKSYNC}}
	fileNames   = []flagName{{"UF_NODUMP", kern.UF_NODUMP}, {"UF_IMMUTABLE", kern.UF_IMMUTABLE}, {"UF_APPEND", kern.UF_APPEND},
		{"UF_OPAQUE", kern.UF_OPAQUE}, {"SF_ARCHIVED", kern.SF_ARCHIVED}, {"SF_IMMUTABLE", kern.SF_IMMUTABLE}, {"SF_APPEND", kern.SF_APPEND}}
	typeNames = []flagName{{"S_IFIFO", kern.S_IFIFO}, {"S_IFCHR", kern.S_IFCHR}, {"S_IFDIR", kern.S_IFDIR}, {"S_IFBLK", kern.S_IFBLK},
		{"S_IFREG", kern.S_IFREG}, {"S_IFLNK", kern.S_IFLNK}, {"S_IFSOCK", kern.S_IFSOCK}, {"S_IFWHT", kern.S_IFWHT}}
	whenceNames = []flagName{{"SEEK_SET", kern.SEEK_SET}, {"SEEK_CUR", kern.SEEK_CUR}, {"SEEK_END", kern.SEEK_END}}
	stNames     = []flagName{{"ST_WAIT", kern.ST_WAIT}, {"ST_NOWAIT", kern.ST_NOWAIT}}
	lockNames   = []flagName{{"F_RDLCK", kern.F_RDLCK}, {"F_WRLCK", kern.F_WRLCK}, {"F_UNLCK", kern.F_UNLCK}}
	cmdNames    = []flagName{{"F_DUPFD", kern.F_DUPFD}, {"F_GETFD", kern.F_GETFD}, {"F_SETFD", kern.F_SETFD}, {"F_GETFL", kern.F_GETFL},
		{"F_SETFL", kern.F_SETFL}, {"F_GETOWN", kern.F_GETOWN}, {"F_SETOWN", kern.F_SETOWN}, {"F_GETLK", kern.F_GETLK},
		{"F_SETLK", kern.F_SETLK}, {"F_SETLKW", kern.F_SETLKW}, {"F_CLOSEM", kern.F_CLOSEM}, {"F_MAXFD", kern.F_MAXFD},
		{"F_DUPFD_CLOEXEC", kern.F_DUPFD_CLOEXEC}, {"F_GETNOSIGPIPE", kern.F_GETNOSIGPIPE}, {"F_SETNOSIGPIPE", kern.F_SETNOSIGPIPE}}
	pcNames = []flagName{{"_PC_LINK_MAX", kern.PC_LINK_MAX}, {"_PC_MAX_CANON", kern.PC_MAX_CANON}, {"_PC_MAX_INPUT", kern.PC_MAX_INPUT},
		{"_PC_NAME_MAX", kern.PC_NAME_MAX}, {"_PC_PATH_MAX", kern.PC_PATH_MAX}, {"_PC_PIPE_BUF", kern.PC_PIPE_BUF},
		{"_PC_CHOWN_RESTRICTED", kern.PC_CHOWN_RESTRICTED}, {"_PC_NO_TRUNC", kern.PC_NO_TRUNC}, {"_PC_VDISABLE", kern.PC_VDISABLE},
		{"_PC_SYNC_IO", kern.PC_SYNC_IO}, {"_PC_FILESIZEBITS", kern.PC_FILESIZEBITS}, {"_PC_SYMLINK_MAX", kern.PC_SYMLINK_MAX},
		{"_PC_2_SYMLINKS", kern.PC_2_SYMLINKS}, {"_PC_ACL_EXTENDED", kern.PC_ACL_EXTENDED}, {"_PC_MIN_HOLE_SIZE", kern.PC_MIN_HOLE_SIZE}}
	copyWords = [...]string{RforkCopy: "COPY", RforkClear: "CLEAR", RforkShare: "SHARE"}
)

// oneOf names a value if it has a name.
func oneOf(names []flagName, v int64) script.Arg {
	for _, n := range names {
		if n.value == v {
			return script.Flags(n.name)
		}
	}
	return script.Number(v)
}

// orOf names the bits of a value that have names; rest makes what is left an argument, zero what nothing is.
func orOf(names []flagName, v int64, zero string, rest func(int64) script.Arg) script.Arg {
	var args []script.Arg
	for _, n := range names {
		if v&n.value == n.value {
			args = append(args, script.Flags(n.name))
			v &^= n.value
		}
	}
	switch {
	case v != 0:
		args = append(args, rest(v))
	case len(args) == 0 && zero != "":
		return script.Flags(zero)
	case len(args) == 0:
		return script.Number(0)
	}
	return script.Or(args...)
}

func oflags(v int64) script.Arg {
	rest := orOf(oflagNames, v&^kern.O_ACCMODE, "", script.Number)
	if v&kern.O_ACCMODE == kern.O_ACCMODE {
		return script.Or(script.Number(kern.O_ACCMODE), rest)
	}
	access := script.Flags([...]string{"O_RDONLY", "O_WRONLY", "O_RDWR"}[v&kern.O_ACCMODE])
	if v&^kern.O_ACCMODE == 0 {
		return access
	}
	return script.Or(access, rest)
}

// fileType is a mode with its type, which is one of eight and not bits.
func fileType(mode uint32) script.Arg {
	perm := script.Octal(mode &^ kern.S_IFMT)
	if mode&kern.S_IFMT == 0 {
		return perm
	}
	for _, n := range typeNames {
		if int64(mode&kern.S_IFMT) == n.value {
			return script.Or(script.Flags(n.name), perm)
		}
	}
	return script.Octal(mode)
}

// longRun is from how many equal bytes on a string is written with "*".
const longRun = 16

// text is a string argument, or NULL.
func text(s string) script.Arg {
	if s == NullPath {
		return script.Null()
	}
	return Bytes(s)
}

// Bytes is a string argument in which long runs of a byte are written as such.
func Bytes(s string) script.Arg {
	var parts []script.Part
	from := 0
	for i := 0; i < len(s); {
		j := i + 1
		for j < len(s) && s[j] == s[i] {
			j++
		}
		if j-i >= longRun {
			if from < i {
				parts = append(parts, script.Part{Text: s[from:i], Repeat: 1})
			}
			parts = append(parts, script.Part{Text: s[i : i+1], Repeat: int64(j - i)})
			from = j
		}
		i = j
	}
	if from < len(s) || len(parts) == 0 {
		parts = append(parts, script.Part{Text: s[from:], Repeat: 1})
	}
	return script.Strings(parts...)
}

func id(n uint32) script.Arg { return script.Number(int64(int32(n))) }

// args is the argument or arguments that a field of the call is written as.
func (c *Call) args(f field) []script.Arg {
	one := func(a script.Arg) []script.Arg { return []script.Arg{a} }
	v := int64(c.Flags)
	switch f {
	case fPath:
		return one(text(c.Path))
	case fPath2:
		return one(text(c.Path2))
	case fData:
		return one(Bytes(c.Data))
	case fFD:
		if c.FD == kern.AT_FDCWD {
			return one(script.Flags("AT_FDCWD"))
		}
		return one(script.Number(int64(c.FD)))
	case fN, fBuf:
		return one(script.Number(c.N))
	case fOff:
		return one(script.Number(c.Off))
	case fSize:
		return one(script.Number(c.Size))
	case fDev:
		if d := kern.Dev(c.N); kern.Makedev(d.Major(), d.Minor()) == d {
			return one(script.Device(d.Major(), d.Minor()))
		}
		return one(script.Number(c.N))
	case fMode:
		return one(script.Octal(c.Mode))
	case fType:
		return one(fileType(c.Mode))
	case fAccess:
		return one(orOf(accessNames, int64(c.Mode), "F_OK", script.Number))
	case fOflags:
		return one(oflags(v))
	case fAtFlags:
		return one(orOf(atNames, v, "", script.Number))
	case fWhence:
		return one(oneOf(whenceNames, v))
	case fSyncFlags:
		return one(orOf(syncNames, v, "", script.Number))
	case fFileFlags:
		return one(orOf(fileNames, int64(uint32(v)), "", script.Number))
	case fLockOp:
		return one(orOf(lockOpNames, v, "", script.Number))
	case fStFlags:
		return one(oneOf(stNames, v))
	case fAdvice:
		return one(script.Number(v))
	case fName:
		return one(oneOf(pcNames, v))
	case fCmd:
		return c.cmdArgs()
	case fCopy:
		return one(script.Word(copyWords[c.Flags]))
	case fUID:
		return one(id(c.UID))
	case fGID:
		return one(id(c.GID))
	case fTimes:
		return c.timesArgs()
	}
	return c.groupArgs()
}

func (c *Call) groupArgs() (args []script.Arg) {
	for _, g := range c.AppendGroups(nil) {
		args = append(args, id(g))
	}
	return args
}

func (c *Call) timesArgs() (args []script.Arg) {
	if c.Null {
		return []script.Arg{script.Null()}
	}
	for _, n := range c.Arg {
		args = append(args, script.Number(n))
	}
	return args
}

func (c *Call) cmdArgs() []script.Arg {
	cmd := oneOf(cmdNames, int64(c.Flags))
	switch {
	case c.IsLock():
		return []script.Arg{cmd, oneOf(lockNames, c.Arg[0]), oneOf(whenceNames, c.Arg[1]), script.Number(c.Arg[2]), script.Number(c.Arg[3])}
	case c.Flags == kern.F_SETFL:
		return []script.Arg{cmd, orOf(oflagNames, c.N, "", script.Number)}
	case c.Flags == kern.F_SETFD:
		return []script.Arg{cmd, orOf([]flagName{{"FD_CLOEXEC", kern.FD_CLOEXEC}}, c.N, "", script.Number)}
	case c.N != 0 || c.Flags == kern.F_DUPFD || c.Flags == kern.F_DUPFD_CLOEXEC:
		return []script.Arg{cmd, script.Number(c.N)}
	}
	return []script.Arg{cmd}
}

// isDefault reports whether a field may be left out.
func (c *Call) isDefault(f field) bool {
	switch f {
	case fMode:
		return (c.Op == Open || c.Op == Openat) && c.Mode == 0
	case fDev:
		return c.N == 0
	case fBuf:
		return c.N == defaultBuffer(c.Op)
	case fStFlags:
		return c.Flags == kern.ST_WAIT
	}
	return false
}

func defaultBuffer(o Op) int64 {
	if o == Getcwd {
		return kern.MAXPATHLEN
	}
	return readlinkBuffer
}

// readlinkBuffer is how many bytes a readlink reads that does not say.
const readlinkBuffer = 4096

// Script is the call as a line of the script language, without saying who makes it (see [Scripts]).
func (c Call) Script() *script.Call {
	if c.Op == None || c.Op >= NumOps {
		panic(fmt.Sprintf("call: no call has number %d", c.Op))
	}
	var args []script.Arg
	for _, f := range specs[c.Op].fields {
		if !c.isDefault(f) {
			args = append(args, c.args(f)...)
		}
	}
	s, err := script.NewCall(specs[c.Op].name, args...)
	if err != nil {
		panic("call: " + err.Error())
	}
	return s
}

// String is the call as it is written in a script.
func (c Call) String() string { return c.Script().String() }

// procName is the name that a process has in scripts.
func procName(proc uint8) string { return fmt.Sprintf("p%d", proc) }

// Scripts writes calls as lines of a script: with a switch where another process goes on, and names for the processes.
// It gives for each line which call it is, or -1 for a switch. Calls of processes that are not there, and an exit of
// process 0, cannot be written and are left out.
func Scripts(calls []Call) (lines []*script.Call, which []int) {
	now, live, made := uint8(0), map[uint8]bool{0: true}, uint8(0)
	for i := range calls {
		c := &calls[i]
		if !live[c.Proc] || c.Op == Exit && c.Proc == 0 {
			continue
		}
		if c.Proc != now {
			sw, err := script.NewCall("switch", script.Word(procName(c.Proc)))
			if err != nil {
				panic("call: " + err.Error())
			}
			lines, which = append(lines, sw), append(which, -1)
			now = c.Proc
		}
		line := c.Script()
		switch c.Op {
		case Rfork:
			made++
			line.Bind = procName(made)
			live[made] = true
			now = made
		case Exit:
			delete(live, now)
			now = 0
		}
		lines, which = append(lines, line), append(which, i)
	}
	return lines, which
}

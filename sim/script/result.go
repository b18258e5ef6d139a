package script

import (
	"fmt"
	"hash/fnv"
	"strconv"
	"strings"

	"rumpvfs/kern"
)

// Results that are no call's answer. A section ends with either.
const (
	PANIC   = "PANIC"   // the kernel panicked in this call
	BLOCKED = "BLOCKED" // the call can never return, since nobody else runs
)

// FormatInt renders a plain number.
func FormatInt(n int64) string { return strconv.FormatInt(n, 10) }

// FormatErrno renders an error, by name.
func FormatErrno(e kern.Errno) string { return e.Name() }

// AppendQuoted appends s as results show it: between quotes, with \", \\ and
// \n, and \xhh for every other byte that is not printable ASCII.
func AppendQuoted[S string | []byte](b []byte, s S) []byte {
	const hex = "0123456789abcdef"
	b = append(b, '"')
	for i := range len(s) {
		switch c := s[i]; {
		case c == '"' || c == '\\':
			b = append(b, '\\', c)
		case c == '\n':
			b = append(b, `\n`...)
		case c < 0x20 || c > 0x7e:
			b = append(b, '\\', 'x', hex[c>>4], hex[c&15])
		default:
			b = append(b, c)
		}
	}
	return append(b, '"')
}

// Quote gives s as [AppendQuoted] appends it.
func Quote[S string | []byte](s S) string { return string(AppendQuoted(nil, s)) }

// wholeData is the length in bytes up to which data is shown whole, endData
// what is shown of longer data at either end.
const (
	wholeData = 128
	endData   = 16
)

// FormatData renders what read, pread, readlink and host_read gave: the count
// and the bytes, or of many bytes both ends, how many are not zero, and
// their FNV-1a hash.
func FormatData(data []byte) string {
	if len(data) <= wholeData {
		return FormatInt(int64(len(data))) + " " + Quote(data)
	}
	nonzero := 0
	for _, c := range data {
		if c != 0 {
			nonzero++
		}
	}
	h := fnv.New64a()
	h.Write(data)
	return fmt.Sprintf("%d head=%s tail=%s nonzero=%d fnv1a64=%016x", len(data),
		Quote(data[:endData]), Quote(data[len(data)-endData:]), nonzero, h.Sum64())
}

// FormatCwd renders what getcwd gave: the length with the NUL, and the path.
func FormatCwd(path string) string { return FormatInt(int64(len(path)+1)) + " " + Quote(path) }

// typeNames are the file types by the four type bits of a mode, which are the
// types of directory entries too.
var typeNames = [16]string{
	kern.DT_FIFO: "fifo", kern.DT_CHR: "chr", kern.DT_DIR: "dir", kern.DT_BLK: "blk",
	kern.DT_REG: "reg", kern.DT_LNK: "lnk", kern.DT_SOCK: "sock", kern.DT_WHT: "wht",
}

// typeName gives "none" for what is no type.
func typeName(dtype uint8) string {
	if name := typeNames[dtype&15]; name != "" && dtype < 16 {
		return name
	}
	return "none"
}

// FormatStat renders what the stat family gave. Seeing a file and its device
// for the first time numbers them.
func FormatStat(st *kern.Stat, aliases *Aliases) string {
	rdev := "none"
	if st.Rdev != kern.NODEV {
		rdev = fmt.Sprintf("%d,%d", st.Rdev.Major(), st.Rdev.Minor())
	}
	ino := aliases.inode(st, st.Ino)
	return fmt.Sprintf("0 type=%s mode=%04o nlink=%d uid=%d gid=%d size=%d blksize=%d blocks=%d flags=0x%x gen=%d rdev=%s ino=%s dev=%s",
		typeName(kern.IFTODT(st.Mode)), st.Mode&kern.ALLPERMS, st.Nlink, st.UID, st.GID, st.Size,
		st.Blksize, st.Blocks, st.FileFlags, st.Gen, rdev, ino, aliases.device(st))
}

// FormatTimes renders what times gave.
func FormatTimes(st *kern.Stat) string {
	return fmt.Sprintf("0 atime=%d.%09d mtime=%d.%09d", st.Atim.Sec, st.Atim.Nsec, st.Mtim.Sec, st.Mtim.Nsec)
}

// FormatDirents renders what getdents gave: n bytes that hold entries of the
// directory whose attributes are dir.
func FormatDirents(n int, entries []kern.Dirent, dir *kern.Stat, aliases *Aliases) string {
	b := strconv.AppendInt(nil, int64(n), 10)
	for i := range entries {
		d := &entries[i]
		b = append(b, ' ')
		b = AppendQuoted(b, d.Name)
		b = append(b, ':')
		b = append(b, typeName(d.Type)...)
		b = append(b, ':')
		b = append(b, aliases.inode(dir, d.Fileno)...)
	}
	return string(b)
}

// FormatStatvfs renders what statvfs1 and fstatvfs1 gave.
func FormatStatvfs(sb *kern.Statvfs) string {
	return fmt.Sprintf("0 type=%s on=%s from=%s flag=0x%x bsize=%d frsize=%d iosize=%d blocks=%d bfree=%d bavail=%d bresvd=%d "+
		"files=%d ffree=%d favail=%d fresvd=%d namemax=%d owner=%d",
		sb.Fstypename, Quote(sb.Mntonname), Quote(sb.Mntfromname), sb.Flag, sb.Bsize, sb.Frsize, sb.Iosize,
		sb.Blocks, sb.Bfree, sb.Bavail, sb.Bresvd, sb.Files, sb.Ffree, sb.Favail, sb.Fresvd, sb.Namemax, sb.Owner)
}

// FormatMounts renders what getvfsstat gave.
func FormatMounts(mounts []kern.Statvfs) string {
	var b strings.Builder
	b.WriteString(strconv.Itoa(len(mounts)))
	for i := range mounts {
		fmt.Fprintf(&b, " %s@%s", mounts[i].Fstypename, Quote(mounts[i].Mntonname))
	}
	return b.String()
}

// FormatFlock renders what F_GETLK gave: the lock in the way, or what was
// asked if F_UNLCK says that none is.
func FormatFlock(fl kern.Flock) string {
	where := fmt.Sprintf("whence=%d start=%d len=%d", fl.Whence, fl.Start, fl.Len)
	switch fl.Type {
	case kern.F_UNLCK:
		return "0 F_UNLCK " + where
	case kern.F_RDLCK:
		return fmt.Sprintf("0 F_RDLCK %s pid=%d", where, fl.Pid)
	}
	return fmt.Sprintf("0 F_WRLCK %s pid=%d", where, fl.Pid)
}

// FormatFlags renders what F_GETFL gave: flags of open(2).
func FormatFlags(oflags int32) string { return fmt.Sprintf("0x%x", uint32(oflags)) }

// FormatUmask renders what umask gave: the mask before.
func FormatUmask(mask uint32) string { return fmt.Sprintf("0%03o", mask) }

// FormatIDs renders what getids gave.
func FormatIDs(c *kern.Cred) string {
	return fmt.Sprintf("uid=%d euid=%d gid=%d egid=%d", c.UID, c.EUID, c.GID, c.EGID)
}

// FormatFadvise renders what posix_fadvise gave: its error as a number.
func FormatFadvise(e kern.Errno) string { return FormatInt(int64(e)) }

// FormatRfork renders what rfork gave to whom it made.
func FormatRfork(pid int32) string { return fmt.Sprintf("0 pid=%d", pid) }

// FormatSwitch renders a switch to the process pid.
func FormatSwitch(pid int32) string { return fmt.Sprintf("pid=%d", pid) }

// FormatExit renders an exit.
func FormatExit() string { return "now p0" }

package story

import (
	"fmt"
	"strings"

	"rumpvfs/kern"
	"rumpvfs/proptest/call"
)

// pathCalls are what @paths makes of each of pathKinds.
//
//policy:static read only
var pathCalls = []call.Call{
	{Op: call.Open, Flags: kern.O_RDONLY}, {Op: call.Open, Flags: kern.O_RDWR | kern.O_CREAT, Mode: 0o644}, {Op: call.Openat, FD: kern.AT_FDCWD},
	{Op: call.Openat, FD: kern.AT_FDCWD, Flags: kern.O_RDWR | kern.O_CREAT}, {Op: call.Mkdir, Mode: 0o755}, {Op: call.Mkdirat, FD: kern.AT_FDCWD},
	{Op: call.Rmdir}, {Op: call.Unlink}, {Op: call.Unlinkat, FD: kern.AT_FDCWD}, {Op: call.Unlinkat, FD: kern.AT_FDCWD, Flags: kern.AT_REMOVEDIR},
	{Op: call.Symlink, Path2: "t"}, {Op: call.Readlink, N: 10}, {Op: call.Link, Path2: "/tmp/new"}, {Op: call.Rename, Path2: "/tmp/new"},
	{Op: call.Mknod, Mode: kern.S_IFREG | 0o644}, {Op: call.Mknod, Mode: kern.S_IFWHT}, {Op: call.Mkfifo, Mode: 0o644}, {Op: call.Stat},
	{Op: call.Lstat}, {Op: call.Fstatat, FD: kern.AT_FDCWD}, {Op: call.Times}, {Op: call.Access, Mode: kern.R_OK}, {Op: call.Chmod, Mode: 0o644},
	{Op: call.Lchmod, Mode: 0o755}, {Op: call.Chown, UID: 0, GID: 0}, {Op: call.Lchown, UID: 0, GID: 0}, {Op: call.Chflags}, {Op: call.Lchflags},
	{Op: call.Truncate}, {Op: call.Utimes, Null: true}, {Op: call.Lutimes, Null: true}, {Op: call.Chdir}, {Op: call.Chroot},
	{Op: call.Pathconf, Flags: kern.PC_NAME_MAX}, {Op: call.Statvfs1, Flags: kern.ST_WAIT}, {Op: call.Getfh}, {Op: call.Revoke}, {Op: call.Undelete},
}

//policy:static read only
var pathKinds = []string{
	"", call.NullPath, strings.Repeat("/", 1024), "/" + strings.Repeat("n", 256), "/closed/f", "/closed/new", "/none/x", "/dir/file/x", "/dir/file/",
	"/loop", "/loop/x", "/empty/x", "/empty/", "/long/abcdefgh", "/none", "/white", "/white/x", "/", "/dir", "/new/", "/tmp/..", "/dir/.", "/dev/null",
}

// fdCalls are what @descriptors makes.
//
//policy:static read only
var fdCalls = []call.Call{
	{Op: call.Openat, Path: "x"}, {Op: call.Mkdirat, Path: "x"}, {Op: call.Unlinkat, Path: "x"}, {Op: call.Fstatat, Path: "x"}, {Op: call.Dup},
	{Op: call.Dup2, N: 128}, {Op: call.Read, N: 5}, {Op: call.Pread, N: 5}, {Op: call.Pread, N: 5, Off: -1}, {Op: call.Write, Data: "x"},
	{Op: call.Pwrite, Data: "x"}, {Op: call.Pwrite, Data: "x", Off: -1}, {Op: call.Write}, {Op: call.Pwrite}, {Op: call.Lseek}, {Op: call.Lseek, Flags: kern.SEEK_END}, {Op: call.Lseek, Flags: 9},
	{Op: call.Lseek, Off: -1}, {Op: call.Getdents, N: 100}, {Op: call.Getdents, N: 1}, {Op: call.Fstat}, {Op: call.Fchmod, Mode: 0o644},
	{Op: call.Fchown}, {Op: call.Fchflags}, {Op: call.Ftruncate}, {Op: call.Ftruncate, Size: -1}, {Op: call.Ftruncate, Size: -2}, {Op: call.Futimes, Null: true},
	{Op: call.Futimes, Arg: [4]int64{0, -1}}, {Op: call.Fsync}, {Op: call.Fdatasync}, {Op: call.FsyncRange, Flags: kern.FFILESYNC}, {Op: call.FsyncRange},
	{Op: call.FsyncRange, Flags: kern.FFILESYNC, Off: 5, Size: -1}, {Op: call.Fchdir}, {Op: call.Fpathconf, Flags: kern.PC_NAME_MAX}, {Op: call.Fpathconf, Flags: 99},
	{Op: call.PosixFadvise}, {Op: call.PosixFadvise, Flags: 77}, {Op: call.PosixFadvise, Size: -1}, {Op: call.Fstatvfs1, Flags: kern.ST_NOWAIT},
	{Op: call.Fstatvfs1, Flags: kern.ST_WAIT}, {Op: call.Fcntl, Flags: kern.F_GETFL}, {Op: call.Fcntl, Flags: kern.F_SETFL, N: kern.O_NONBLOCK},
	{Op: call.Fcntl, Flags: kern.F_SETFL}, {Op: call.Fcntl, Flags: kern.F_GETOWN}, {Op: call.Fcntl, Flags: kern.F_SETOWN, N: 1}, {Op: call.Fcntl, Flags: -1 << 31},
	{Op: call.Fcntl, Flags: 77}, {Op: call.Fcntl, Flags: kern.F_DUPFD, N: 128}, {Op: call.Fcntl, Flags: kern.F_GETLK, Arg: [4]int64{kern.F_RDLCK}},
	{Op: call.Fcntl, Flags: kern.F_SETLK, Arg: [4]int64{kern.F_WRLCK}}, {Op: call.Fcntl, Flags: kern.F_SETLK, Arg: [4]int64{9}},
	{Op: call.Fcntl, Flags: kern.F_SETLK, Arg: [4]int64{kern.F_UNLCK, 9}}, {Op: call.Fcntl, Flags: kern.F_SETLK, Arg: [4]int64{kern.F_UNLCK, 0, -1}},
	{Op: call.Flock, Flags: kern.LOCK_SH | kern.LOCK_NB}, {Op: call.Flock, Flags: kern.LOCK_UN}, {Op: call.Flock}, {Op: call.Fchroot},
}

// protectedCalls try to change what file flags protect.
//
//policy:static read only
var protectedCalls = []call.Call{
	{Op: call.Chmod, Path: "/f", Mode: 0o600}, {Op: call.Lchmod, Path: "/l", Mode: 0o600}, {Op: call.Fchmod, FD: 3, Mode: 0o600},
	{Op: call.Chown, Path: "/f", UID: 100, GID: 0}, {Op: call.Lchown, Path: "/l", UID: 100, GID: 0}, {Op: call.Fchown, FD: 3, UID: 100, GID: 0},
	{Op: call.Utimes, Path: "/f", Null: true}, {Op: call.Lutimes, Path: "/l", Null: true}, {Op: call.Futimes, FD: 3, Null: true},
	{Op: call.Truncate, Path: "/f", Size: 3}, {Op: call.Ftruncate, FD: 3, Size: 3}, {Op: call.Open, Path: "/f", Flags: kern.O_RDWR},
	{Op: call.Openat, FD: kern.AT_FDCWD, Path: "/f", Flags: kern.O_RDWR}, {Op: call.Access, Path: "/f", Mode: kern.W_OK},
	{Op: call.Unlink, Path: "/f"}, {Op: call.Unlink, Path: "/d/x"}, {Op: call.Unlinkat, FD: kern.AT_FDCWD, Path: "/d/x"}, {Op: call.Rmdir, Path: "/d/e"}, {Op: call.Rmdir, Path: "/d/x"}, {Op: call.Undelete, Path: "/d/x"},
	{Op: call.Rename, Path: "/d/x", Path2: "/y"}, {Op: call.Mkdir, Path: "/d/e"}, {Op: call.Mkdirat, FD: kern.AT_FDCWD, Path: "/d/e2"}, {Op: call.Open, Path: "/d/n", Flags: kern.O_CREAT | kern.O_RDWR},
	{Op: call.Openat, FD: kern.AT_FDCWD, Path: "/d/n", Flags: kern.O_CREAT | kern.O_RDWR}, {Op: call.Symlink, Path: "/d/s", Path2: "x"},
	{Op: call.Mkfifo, Path: "/d/p"}, {Op: call.Mknod, Path: "/d/w", Mode: kern.S_IFWHT}, {Op: call.Link, Path: "/f", Path2: "/d/l"},
	{Op: call.Pwrite, FD: 3, Data: "x", Off: 3}, {Op: call.Write, FD: 3, Data: "x"},
}

// many are the calls that a line with @ stands for.
func many(line string, links bool) (list []call.Call) {
	word := strings.Fields(line)
	switch word[0] {
	case "@paths":
		return paths()
	case "@descriptors":
		for _, c := range fdCalls {
			c.FD = int32(number(word[1]))
			list = append(list, c)
		}
	case "@protected":
		list = append(list, protectedCalls...)
	case "@fill":
		for range kern.NOFILE {
			list = append(list, call.Call{Op: call.Dup, FD: 3})
		}
	case "@files":
		for i := range number(word[1]) {
			list = append(list, call.Call{Op: call.Mknod, Path: fmt.Sprintf("/d/%d", i), Mode: kern.S_IFREG | 0o644})
		}
	case "@links":
		n := number(word[1])
		if !links {
			n = 1
		}
		return linked(n)
	case "@deep":
		name := strings.Repeat("d", number(word[1]))
		for range number(word[2]) {
			list = append(list, call.Call{Op: call.Mkdir, Path: name, Mode: 0o755}, call.Call{Op: call.Chdir, Path: name})
		}
	}
	return list
}

// paths makes each of pathCalls with each of pathKinds.
func paths() (list []call.Call) {
	for _, path := range pathKinds {
		for _, c := range pathCalls {
			if c.Path = path; c.Op == call.Chroot && strings.Contains("/dir/. /tmp/..", path) && path != "" {
				continue // it works, and nothing would be found any more
			}
			list = append(list, c)
			if c.Op == call.Link || c.Op == call.Rename || c.Op == call.Symlink {
				c.Path, c.Path2 = "/dir/file", path
				list = append(list, c)
			}
			if c.Op == call.Open || c.Op == call.Openat {
				list = append(list, call.Call{Op: call.Fcntl, FD: 20, Flags: kern.F_CLOSEM})
			}
		}
	}
	return list
}

// linked gives /f so many names more, a thousand in a directory.
func linked(n int) (list []call.Call) {
	const each = 1000
	for i := range n {
		if i%each == 0 {
			list = append(list, call.Call{Op: call.Mkdir, Path: fmt.Sprintf("/%d", i/each), Mode: 0o755})
		}
		list = append(list, call.Call{Op: call.Link, Path: "/f", Path2: fmt.Sprintf("/%d/%d", i/each, i)})
	}
	return list
}

func number(word string) (n int) {
	for _, d := range word {
		n = 10*n + int(d-'0')
	}
	return n
}

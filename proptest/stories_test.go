package proptest_test

import (
	"fmt"
	"os"
	"slices"
	"strings"
	"testing"

	"rumpvfs/hypercall"
	"rumpvfs/kern"
	"rumpvfs/proptest/call"
	"rumpvfs/proptest/clause"
	"rumpvfs/proptest/driver"
	"rumpvfs/proptest/gen"
	"rumpvfs/proptest/model"
	"rumpvfs/sim/script"
)

// stories lead where random calls seldom get to.
const stories = `
=== paths at their limits, by every call that takes one
symlink "" "/empty"
symlink "x"*1020 "/long"
symlink "loop" "/loop"
mknod "/white" S_IFWHT 0
mkdir "/dir" 0755
open "/dir/file" O_CREAT|O_RDWR 0644
mkdir "/closed" 0700
open "/closed/f" O_CREAT|O_RDWR 0644
@paths
seteuid 100
@paths
=== descriptors of the wrong kind
open "/f" O_CREAT|O_RDWR 0644
mknod "/null" S_IFCHR|0666 dev:2,2
open "/null" O_RDWR
revoke "/null"
@descriptors 99
@descriptors 1
@descriptors 3
@descriptors 4
mkfifo "/fifo" 0644
mkdir "/d" 0755
open "/d" O_RDONLY
@descriptors 5
open "/f" O_WRONLY
@descriptors 6
open "/f" O_RDONLY
@descriptors 7
=== no descriptor is left
open "/f" O_CREAT|O_RDWR 0644
fcntl 3 F_DUPFD 127
fcntl 3 F_DUPFD 127
@fill
open "/f" O_RDWR
openat AT_FDCWD "/f" O_RDWR
dup 3
=== a chroot that has gone
mkdir "/r" 0755
mkdir "/r/s" 0755
p1 = rfork COPY
chroot "/r/s"
switch p0
rmdir "/r/s"
switch p1
statvfs1 "."
getvfsstat
open "/" O_RDONLY
fstatvfs1 3
getcwd
=== a chroot that one cannot look up to
mkdir "/r" 0700
mkdir "/r/s" 0755
p1 = rfork COPY
chroot "/r/s"
open "." O_RDONLY
seteuid 100
statvfs1 "."
fstatvfs1 3
getvfsstat
fchdir 3
=== a root further down than a path can say
@deep 255 5
chroot "."
open "." O_RDONLY
statvfs1 "."
fstatvfs1 3
getvfsstat
getcwd
=== a directory below nothing counts as below everything, 512 levels down
@deep 1 520
open "." O_RDONLY
chroot "/tmp"
getcwd 4096
fchdir 3
stat ".."
=== a directory that nobody uses any more
mkdir "/a" 0755
chdir "/a"
rmdir "/a"
mkdir "b" 0755
chdir "b"
getcwd
stat ".."
stat "/"
=== names in a directory that has been removed
open "/f" O_CREAT|O_RDWR 0644
mkdir "/a" 0755
open "/a" O_RDONLY
chdir "/a"
rmdir "/a"
openat 4 "x" O_CREAT|O_RDWR 0644
mkdirat 4 "y" 0755
link "/f" "z"
getdents 4 100
=== chroot goes along paths too
symlink "" "/empty"
symlink "x"*1020 "/long"
mknod "/white" S_IFWHT 0
chroot "/empty/x"
chroot "/long/abcdefgh"
lchflags "/white" 0
undelete "/white/"
undelete "/white"
undelete "/white"
=== a new root that the working directory is not in
mkdir "/r" 0755
open "/r" O_RDONLY
fchroot 3
getcwd
=== as much of a path as fits
mkdir "/a" 0755
mkdir "/a/e" 0755
chdir "/a/e"
getcwd 3
getcwd 4
getcwd 5
=== advice about a file that has been revoked
open "/f" O_CREAT|O_RDWR 0644
revoke "/f"
posix_fadvise 3 0 0 4
posix_fadvise 3 0 4095 4
=== a fifo takes nothing
mkfifo "/p" 0644
open "/p" O_RDWR
read 3 10
write 3 ""
write 3 "x"
getpid
=== readers and writers of a fifo that wait for nobody
mkfifo "/p" 0644
open "/p" O_WRONLY|O_NONBLOCK
openat AT_FDCWD "/p" O_WRONLY|O_NONBLOCK
open "/p" O_RDONLY|O_NONBLOCK
read 3 10
open "/p" O_WRONLY
open "/p" O_WRONLY|O_NONBLOCK
read 3 10
read 3 0
write 4 ""
write 4 "hello"
read 3 4
read 3 4
write 4 "x"*3800
write 5 "y"*512
write 5 "y"*296
write 5 "y"
fstat 3
read 3 2048
read 3 1
write 5 "z"*2049
write 5 "z"*3000
read 3 5000
read 3 5000
close 5
close 4
read 3 10
read 3 10
times "/p"
=== what is in a fifo stays for as long as somebody has it open
mkfifo "/p" 0644
open "/p" O_RDONLY|O_NONBLOCK
open "/p" O_WRONLY
write 4 "one"
close 3
write 4 "two"
write 4 ""
open "/p" O_RDONLY
read 3 10
write 4 "three"
close 4
open "/p" O_RDONLY
read 4 3
p1 = rfork COPY
close 3
close 4
switch p0
close 3
close 4
switch p1
open "/p" O_RDONLY|O_NONBLOCK
read 3 10
exit
open "/p" O_RDWR|O_NONBLOCK
read 3 10
=== a fifo has no locks, other limits, and somebody who owns it
mkfifo "/p" 0644
open "/p" O_RDWR|O_EXLOCK
openat AT_FDCWD "/p" O_RDWR|O_SHLOCK
open "/p" O_RDONLY|O_NONBLOCK
open "/p" O_RDWR
@descriptors 3
@descriptors 4
open "/p" O_WRONLY|O_NONBLOCK
fcntl 3 F_SETLK F_RDLCK SEEK_SET 0 1
flock 3 LOCK_SH
fpathconf 3 6
pathconf "/p" 4
fcntl 3 F_SETOWN 1
fcntl 4 F_GETOWN
fcntl 5 F_SETOWN 1
fcntl 4 F_GETOWN
fcntl 4 F_SETOWN 0
fcntl 3 F_GETOWN
fcntl 3 F_SETOWN 99
fcntl 3 F_SETOWN -1
fcntl 4 F_SETFL O_NONBLOCK
read 4 1
=== a fifo under other names, and revoked
mkfifo "/p" 0644
open "/p" O_RDWR|O_NONBLOCK
write 3 "abc"
link "/p" "/q"
open "/q" O_RDONLY
unlink "/p"
rename "/q" "/r"
read 4 1
unlink "/r"
mkfifo "/r" 0644
open "/r" O_WRONLY|O_NONBLOCK
read 4 1
fstat 4
open "/r" O_RDWR|O_NONBLOCK
write 5 "de"
revoke "/r"
write 5 "f"
read 5 1
lseek 5 0 SEEK_SET
fcntl 5 F_GETOWN
open "/r" O_RDONLY|O_NONBLOCK
close 5
read 6 9
=== reading a fifo that had a writer
mkfifo "/p" 0644
open "/p" O_RDONLY|O_NONBLOCK
open "/p" O_WRONLY
open "/p" O_WRONLY|O_EXLOCK
close 4
open "/p" O_RDONLY
read 4 1
read 4 1
=== waiting for a writer to open a fifo
mkfifo "/p" 0644
open "/p" O_RDONLY
=== waiting with openat
mkfifo "/p" 0644
openat AT_FDCWD "/p" O_RDONLY
=== waiting for a reader to open a fifo
mkfifo "/p" 0644
open "/p" O_WRONLY
=== waiting for a reader with openat
mkfifo "/p" 0644
openat AT_FDCWD "/p" O_WRONLY
=== waiting for what is written to a fifo
mkfifo "/p" 0644
open "/p" O_RDWR
read 3 1
=== waiting for room in a fifo
mkfifo "/p" 0644
open "/p" O_RDWR
write 3 "x"*5000
=== waiting for a lock with flock
open "/f" O_CREAT|O_RDWR 0644
flock 3 LOCK_EX
open "/f" O_RDWR
flock 4 LOCK_SH
=== waiting for a lock with open
open "/f" O_CREAT|O_RDWR|O_EXLOCK 0644
open "/f" O_RDWR|O_SHLOCK
=== waiting for a lock with openat
open "/f" O_CREAT|O_RDWR|O_EXLOCK 0644
openat AT_FDCWD "/f" O_RDWR|O_SHLOCK
=== waiting for a lock with fcntl
open "/f" O_CREAT|O_RDWR 0644
fcntl 3 F_SETLKW F_WRLCK SEEK_SET 0 4
p1 = rfork COPY
fcntl 3 F_SETLKW F_RDLCK SEEK_SET 2 4
=== a lock to the end within another of its kind
open "/f" O_CREAT|O_RDWR 0644
fcntl 3 F_SETLK F_WRLCK SEEK_SET 0 0
fcntl 3 F_SETLK F_WRLCK SEEK_SET 5 0
fcntl 3 F_SETLK F_WRLCK SEEK_SET 7 2
p1 = rfork COPY
fcntl 3 F_GETLK F_RDLCK SEEK_SET 0 0
fcntl 3 F_GETLK F_RDLCK SEEK_SET 5 0
=== more than memory holds
open "/f" O_CREAT|O_RDWR 0644
ftruncate 3 3000000000
ftruncate 3 5000000000
truncate "/f" 5000000000
pwrite 3 "x" 5000000000
lseek 3 5000000000 SEEK_SET
write 3 "x"
unlink "/f"
open "/g" O_CREAT|O_RDWR 0644
ftruncate 4 2000000000
close 3
ftruncate 4 2000000000
ftruncate 4 67108865
read 4 67108865
pread 4 67108865 0
open "/dev/zero" O_RDONLY
read 3 67108865
pread 3 67108865 0
read 3 -1
pread 3 -1 0
lseek 4 9223372036854775807 SEEK_SET
write 4 "x"
pwrite 4 "x" 9223372036854775807
=== set-id bits and the sticky bit
open "/f" O_CREAT|O_RDWR 0644
chmod "/f" 07777
chown "/f" 100 50
chmod "/f" 07777
symlink "f" "/l"
lchown "/l" 100 50
lchmod "/l" 07777
setgroups 50 60
seteuid 100
open "/f" O_RDWR
fchown 4 -1 60
chown "/f" -1 60
lchown "/l" -1 60
chmod "/f" 02777
lchmod "/f" 02777
fchmod 4 02777
chmod "/f" 01777
lchmod "/f" 01777
fchmod 4 01777
chmod "/f" 06777
write 4 "x"
fstat 4
chmod "/f" 06777
fchown 4 -1 60
chown "/f" -1 70
fchown 4 -1 70
lchown "/l" -1 70
=== file flags
open "/f" O_CREAT|O_RDWR 0644
write 3 "0123456789"
chown "/f" 100 0
symlink "f" "/l"
lchown "/l" 100 0
mkdir "/d" 0777
chmod "/d" 0777
open "/d/x" O_CREAT|O_RDWR 0644
mknod "/d/dev" S_IFCHR|0644 dev:2,2
open "/d/dev" O_RDWR
chown "/d/dev" 100 0
chflags "/f" UF_APPEND
write 3 "x"
pwrite 3 "x" 3
@protected
chflags "/f" UF_IMMUTABLE
lchflags "/l" UF_IMMUTABLE
@protected
chflags "/f" SF_IMMUTABLE
lchflags "/l" SF_IMMUTABLE
@protected
chflags "/f" 0
lchflags "/l" 0
lchflags "/l" SF_ARCHIVED
fchflags 3 SF_ARCHIVED
chflags "/d" UF_IMMUTABLE
@protected
seteuid 100
@protected
chflags "/f" SF_ARCHIVED
fchflags 3 SF_ARCHIVED
lchflags "/l" 0
chflags "/d/dev" UF_NODUMP
lchflags "/d/dev" UF_NODUMP
fchflags 5 UF_NODUMP
seteuid 0
chflags "/d" UF_APPEND
@protected
unlink "/d/x"
=== other people's names in a sticky directory
mkdir "/d" 0777
chmod "/d" 01777
open "/d/f" O_CREAT|O_RDWR 0644
mkdir "/d/e" 0755
seteuid 100
unlink "/d/f"
unlinkat AT_FDCWD "/d/f" 0
rmdir "/d/e"
=== two devices of one number have locks of their own
mknod "/b" S_IFBLK|0666 dev:2,2
open "/dev/null" O_RDWR|O_SHLOCK
open "/dev/null" O_RDWR
revoke "/b"
flock 4 LOCK_EX|LOCK_NB
revoke "/dev/null"
flock 4 LOCK_EX|LOCK_NB
open "/dev/null" O_RDWR
flock 5 LOCK_EX|LOCK_NB
=== names beside whiteouts
open "/f" O_CREAT|O_RDWR 0644
mkdir "/d" 0755
mknod "/w" S_IFWHT
mknod "/d/w" S_IFWHT
link "/f" "/w"
stat "/w"
rename "/f" "/d/w"
stat "/d/w"
open "/" O_RDONLY
getdents 4 4096
mkdir "/w" 0755
rename "/w" "/d/w"
rmdir "/d/w"
rmdir "/d"
getdents 4 4096
=== as many names of a file as there may be, and a longer one
open "/f" O_CREAT|O_RDWR 0644
@links 32767
fstat 3
rename "/f" "/nnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnn"
=== times left alone
open "/f" O_CREAT|O_RDWR 0644
utimes "/f" 1 1073741822 1 1073741822
lutimes "/f" 1 1073741822 1 1073741822
futimes 3 1 1073741822 1 1073741822
utimes "/f" 1 1073741823 1 1073741823
utimes "/f" 1 1073741823 5 7
times "/f"
futimes 3 NULL
chown "/f" 100 100
seteuid 101
utimes "/f" NULL
lutimes "/f" NULL
futimes 3 NULL
utimes "/f" 1 0 1 0
lutimes "/f" 1 0 1 0
futimes 3 1 0 1 0
`

// pathCalls are what @paths makes of each of pathKinds.
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

var pathKinds = []string{
	"", call.NullPath, strings.Repeat("/", 1024), "/" + strings.Repeat("n", 256), "/closed/f", "/closed/new", "/none/x", "/dir/file/x", "/dir/file/",
	"/loop", "/loop/x", "/empty/x", "/empty/", "/long/abcdefgh", "/none", "/white", "/white/x", "/", "/dir", "/new/", "/tmp/..", "/dir/.", "/dev/null",
}

// fdCalls are what @descriptors makes.
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

// A teller makes the calls of stories on kernel and model.
type teller struct {
	t      *testing.T
	m      *model.Model
	k      call.System
	fs     string
	ra, rb call.Result
	now    uint8
}

// do makes a call on both and reports whether they go on.
func (s *teller) do(where string, c *call.Call) bool {
	if s.m.Do(c, &s.ra); s.ra.Stop == call.Unknown {
		return false
	}
	s.k.Do(c, &s.rb)
	if !s.ra.Equal(&s.rb) {
		s.t.Errorf("%s, on %s: %v => %s (%v), kernel => %s", where, s.fs, c, s.ra.Format(c), s.m.Last, s.rb.Format(c))
		return false
	}
	return s.ra.Stop == call.Running
}

// many makes calls that a line with @ stands for.
func (s *teller) many(where, line string) {
	word := strings.Fields(line)
	var list []call.Call
	switch word[0] {
	case "@paths":
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
	case "@descriptors":
		for _, c := range fdCalls {
			c.FD = int32(number(word[1]))
			list = append(list, c)
		}
	case "@protected":
		list = protectedCalls
	case "@fill":
		for range kern.NOFILE {
			list = append(list, call.Call{Op: call.Dup, FD: 3})
		}
	case "@links":
		const each = 1000 // names of a directory
		n := number(word[1])
		if !strings.HasPrefix(s.fs, "tmpfs") || s.fs == "tmpfs-fifofs" {
			n = 1 // there are no links, or they are those of tmpfs
		}
		for i := range n {
			if i%each == 0 {
				list = append(list, call.Call{Op: call.Mkdir, Path: fmt.Sprintf("/%d", i/each), Mode: 0o755})
			}
			list = append(list, call.Call{Op: call.Link, Path: "/f", Path2: fmt.Sprintf("/%d/%d", i/each, i)})
		}
	case "@deep":
		name := strings.Repeat("d", number(word[1]))
		for range number(word[2]) {
			list = append(list, call.Call{Op: call.Mkdir, Path: name, Mode: 0o755}, call.Call{Op: call.Chdir, Path: name})
		}
	}
	for i := range list {
		list[i].Proc = s.now
		if !s.do(where, &list[i]) {
			return
		}
	}
}

func number(word string) (n int) {
	for _, d := range word {
		n = 10*n + int(d-'0')
	}
	return n
}

// tell makes the calls of one story.
func (s *teller) tell(story string) {
	title, text, _ := strings.Cut(story, "\n")
	if s.m.Reset() != nil || s.k.Reset() != nil {
		s.t.Fatalf("%s: no reset", title)
	}
	parser, rd := script.NewParser(title), call.NewReader()
	s.now = 0
	for line := range strings.Lines(text) {
		if line = strings.TrimSpace(line); strings.HasPrefix(line, "@") {
			s.many(title, line)
			continue
		}
		l, err := parser.Line(line)
		if err != nil {
			s.t.Fatal(err)
		}
		c, ok, err := rd.Call(l.Call)
		if err != nil {
			s.t.Fatal(err)
		}
		if !ok {
			continue
		}
		if s.now = c.Proc; !s.do(title, &c) {
			s.do(title, &call.Call{Op: call.Sync}) // a kernel that has stopped goes on saying so
			return
		}
		if rd.Note(l.Call, &c, &s.ra); c.Op == call.Rfork {
			s.now++
		}
	}
}

// wander makes random calls on a model.
func wander(m *model.Model, seed uint64, calls int, c gen.Config) {
	g := gen.New(gen.NewRand(seed, 0), c)
	var r call.Result
	for calls > 0 {
		_ = m.Reset()
		g.Begin()
		for range g.Length() {
			var c call.Call
			g.Next(&c)
			m.Do(&c, &r)
			g.Note(&c, &r)
			if calls--; r.Stop != call.Running {
				break
			}
		}
	}
}

// covered is the share of the clauses, of those that can be reached, which the tests of this package reach: 97 in 100 at
// least.
const covered = 0.97

// TestStories tells the stories to kernel and model, on each file system as it is and without quirks, then makes random
// calls on the model, and counts the clauses. testdata/missed.txt lists the clauses that are not reached so.
func TestStories(t *testing.T) {
	var all clause.Coverage
	for i, fs := range driver.FileSystems() {
		for _, q := range []kern.Quirks{kern.Rev1125, kern.Fixed} {
			m := fs.Model(q)
			k, err := fs.Kernel(q, hypercall.Deterministic)
			if err != nil {
				t.Fatal(err)
			}
			s := &teller{t: t, m: m, k: k, fs: fs.Name}
			for _, story := range strings.Split(stories, "\n=== ")[1:] {
				s.tell(story)
			}
			if err := k.Close(); err != nil {
				t.Error(err)
			}
			if testing.Short() {
				continue
			}
			wander(m, uint64(i), 150_000, gen.Config{Fifos: fs.Caps.Fifos})
			m.Do(&call.Call{}, &s.ra)
			all.Add(&m.Coverage)
		}
	}
	if !testing.Short() { // else the clauses that only wandering reaches are missing
		checkCoverage(t, &all)
	}
}

// checkCoverage compares the clauses that were not reached with the list of those that need not be.
func checkCoverage(t *testing.T, all *clause.Coverage) {
	t.Helper()
	src, err := os.ReadFile("testdata/missed.txt")
	if err != nil {
		t.Fatal(err)
	}
	var excused []string
	for line := range strings.Lines(string(src)) {
		if line = strings.TrimSpace(line); line != "" && line[0] != '#' {
			excused = append(excused, line)
		}
	}
	for _, name := range excused {
		if id := clause.Named(name); id == 0 || all[id] > 0 {
			t.Errorf("%s is on the list of what is missed, and is reached or no clause", name)
		}
	}
	missing := all.Missing()
	for _, id := range missing {
		if !slices.Contains(excused, id.String()) {
			t.Errorf("%v is not reached any more: %s", id, id.Info().Sentence)
		}
	}
	if hit := all.Hit(); float64(hit) < covered*float64(hit+len(missing)) {
		t.Errorf("%d clauses reached, %d not", hit, len(missing))
	}
	for id := clause.ID(1); int(id) <= len(clause.All()); id++ {
		if all[id] > 0 && id.Info().Unreachable != "" {
			t.Errorf("%v is reached: %s", id, id.Info().Unreachable)
		}
	}
}

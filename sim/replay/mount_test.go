package replay

import (
	"fmt"
	"strings"
	"testing"

	"rumpvfs/hypercall"
	"rumpvfs/kern"
	"rumpvfs/sim"
)

// Stories of mounting, told as traces.

func TestStoryMounts(t *testing.T) {
	testStory(t, `
	=== what is below a mount point is hidden
	mkdir "/m" 0755 => 0
	mkdir "/m/under" 0755 => 0
	mount "rumpfs" "/m" 0 => 0
	stat "/m/under" => ENOENT
	statvfs1 "/m" => 0 type=rumpfs on="/m" from="rumpfs" flag=0x1000 bsize=512 frsize=512 iosize=512 blocks=2 bfree=0 bavail=0 bresvd=0 files=0 ffree=0 favail=0 fresvd=0 namemax=255 owner=0
	mkdir "/m/sub" 0755 => 0
	mount "rumpfs" "/m/sub" 0 => 0
	chdir "/m/sub" => 0
	getcwd => 7 "/m/sub"
	stat "../../m/sub/.." => 0 type=dir mode=0755 nlink=2 uid=0 gid=0 size=512 blksize=512 blocks=1 flags=0x0 gen=0 rdev=none ino=i1 dev=ino
	stat "/m" => 0 type=dir mode=0755 nlink=2 uid=0 gid=0 size=512 blksize=512 blocks=1 flags=0x0 gen=0 rdev=none ino=i1 dev=ino
	rmdir "/m/sub" => EBUSY
	rmdir "/m" => EBUSY
	chdir "/" => 0
	unmount "/m" => EBUSY
	unmount "/m/sub" => 0
	f = open "/m/inner" O_RDWR|O_CREAT 0644 => 3
	unmount "/m" => EBUSY
	close f => 0
	rmdir "/m/sub" => 0
	link "/m/inner" "/x" => EXDEV
	unmount "/m" => 0
	unmount "/m" => EINVAL
	stat "/m/under" => 0 type=dir mode=0755 nlink=2 uid=0 gid=0 size=512 blksize=512 blocks=1 flags=0x0 gen=0 rdev=none ino=i2 dev=ino

	=== what cannot be mounted, and where
	mkdir "/m" 0755 => 0
	f = open "/f" O_RDWR|O_CREAT 0644 => 3
	mount "rumpfs" "/f" 0 => ENOTDIR
	mount "rumpfs" "/nosuch" 0 => ENOENT
	mount "nosuchfs" "/m" 0 => ENODEV
	mount "ufs" "/m" 0 => ENODEV
	mount "" "/m" 0 => ENODEV
	mount NULL "/m" 0 => ENODEV
	mount "rumpfs" NULL 0 => EFAULT
	mount "rumpfs" "/m" MNT_EXPORTED => EINVAL
	mount "rumpfs" "/m" MNT_UPDATE => EINVAL
	mount "rumpfs" "/m" MNT_GETARGS => EINVAL
	mount "rumpfs" "/m" MNT_GETARGS datalen=8 => EINVAL
	mount "rumpfs" "/" MNT_GETARGS|MNT_RDONLY datalen=8 => EINVAL
	mount "rumpfs" "/" MNT_GETARGS datalen=8 => 0
	mount "rumpfs" "/m" 0 datalen=0 => 0
	mount "rumpfs" "/m" 0 datalen=8192 => 0
	mount "rumpfs" "/m" 0 datalen=8193 => EINVAL
	mount "rumpfs" "/m" 0 datalen=-1 => EINVAL
	mount "rumpfs" "/m" MNT_UPDATE datalen=9000 => EINVAL
	getvfsstat => 3 rumpfs@"/" rumpfs@"/m" rumpfs@"/m"
	unmount "/" => EINVAL
	unmount "/f" => EINVAL
	unmount "/nosuch" => ENOENT
	unmount "/m" => 0
	unmount "/m" => 0

	=== only the superuser mounts
	mkdir "/m" 0777 => 0
	mkdir "/n" 0777 => 0
	mount "rumpfs" "/n" 0 => 0
	p1 = rfork COPY => 0 pid=2
	setuid 100 => 0
	mount "rumpfs" "/m" 0 => EPERM
	mount "rumpfs" "/n" MNT_UPDATE => EPERM
	mount "rumpfs" "/n" MNT_GETARGS datalen=8 => EPERM
	unmount "/n" => EPERM
	unmount "/" => EPERM
	mount "nosuchfs" "/m" 0 => ENODEV

	=== an owner other than root
	mkdir "/m" 0777 => 0
	seteuid 0 => 0
	mount "rumpfs" "/m" MNT_NOSUID|MNT_NODEV => 0
	fstatvfs1 0 => EINVAL
	statvfs1 "/m" ST_NOWAIT => 0 type=rumpfs on="/m" from="rumpfs" flag=0x1018 bsize=512 frsize=512 iosize=512 blocks=2 bfree=0 bavail=0 bresvd=0 files=0 ffree=0 favail=0 fresvd=0 namemax=255 owner=0
	sync => 0
	`)
}

func TestStoryReadOnly(t *testing.T) {
	testStory(t, `
	=== read-only and back
	mkdir "/m" 0755 => 0
	mount "rumpfs" "/m" MNT_RDONLY => 0
	open "/m/x" O_RDWR|O_CREAT 0644 => EROFS
	mkdir "/m/x" 0755 => EROFS
	rmdir "/m/x" => EROFS
	mount "rumpfs" "/m" MNT_UPDATE => 0
	f = open "/m/x" O_RDWR|O_CREAT 0644 => 3
	mount "rumpfs" "/m" MNT_UPDATE|MNT_RDONLY => 0
	statvfs1 "/m" => 0 type=rumpfs on="/m" from="rumpfs" flag=0x1001 bsize=512 frsize=512 iosize=512 blocks=2 bfree=0 bavail=0 bresvd=0 files=0 ffree=0 favail=0 fresvd=0 namemax=255 owner=0
	open "/m/x" O_RDWR => EROFS
	access "/m/x" W_OK => EROFS
	write f "x" => 1
	unmount "/m" MNT_FORCE => 0
	write f "x" => EIO
	mount "rumpfs" "/" MNT_UPDATE|MNT_RDONLY => 0
	mkdir "/q" 0755 => EROFS
	mount "rumpfs" "/" MNT_UPDATE|MNT_ASYNC|MNT_NOATIME => 0
	statvfs1 "/" => 0 type=rumpfs on="/" from="rumpfs" flag=0x4005040 bsize=512 frsize=512 iosize=512 blocks=2 bfree=0 bavail=0 bresvd=0 files=0 ffree=0 favail=0 fresvd=0 namemax=255 owner=0
	mkdir "/q" 0755 => 0

	=== asynchronous and back: the syncer comes and goes
	mkdir "/m" 0755 => 0
	mount "rumpfs" "/m" MNT_ASYNC => 0
	f = open "/m/f" O_RDWR|O_CREAT 0644 => 3
	unmount "/m" => EBUSY
	statvfs1 "/m" => 0 type=rumpfs on="/m" from="rumpfs" flag=0x1040 bsize=512 frsize=512 iosize=512 blocks=2 bfree=0 bavail=0 bresvd=0 files=0 ffree=0 favail=0 fresvd=0 namemax=255 owner=0
	mount "rumpfs" "/m" MNT_UPDATE => 0
	unmount "/m" => EBUSY
	close f => 0
	unmount "/m" => 0
	`)
}

func TestStoryForcedUnmount(t *testing.T) {
	testStory(t, `
	=== everything that was in use is dead
	mkdir "/m" 0755 => 0
	mount "rumpfs" "/m" 0 => 0
	f = open "/m/f" O_RDWR|O_CREAT 0644 => 3
	write f "abc" => 3
	mkdir "/m/d" 0755 => 0
	d = open "/m/d" O_RDONLY => 4
	mknod "/m/z" S_IFCHR|0666 dev:2,12 => 0
	z = open "/m/z" O_RDWR => 5
	fcntl f F_SETLK F_WRLCK SEEK_SET 0 0 => 0
	chdir "/m/d" => 0
	p1 = rfork COPY => 0 pid=2
	chroot "/m" => 0
	switch p0 => pid=1
	unmount "/m" MNT_FORCE => 0
	fstat f => EBADF
	pread f 3 0 => EIO
	write f "x" => EIO
	fsync f => 0
	ftruncate f 0 => EBADF
	getdents d 512 => EBADF
	fstat d => EBADF
	openat d "x" O_RDWR|O_CREAT 0644 => ENOENT
	read z 3 => EIO
	write z "x" => EIO
	fstatvfs1 f ST_NOWAIT => 0 type= on="" from="" flag=0x0 bsize=0 frsize=0 iosize=0 blocks=0 bfree=0 bavail=0 bresvd=0 files=0 ffree=0 favail=0 fresvd=0 namemax=0 owner=0
	stat "." => ENOENT
	stat ".." => ENOENT
	open "x" O_RDONLY|O_CREAT 0644 => ENOENT
	getcwd => EBADF
	fchdir d => EBADF
	mount "rumpfs" "." 0 => ENOENT
	unmount "." => ENOENT
	mount "rumpfs" "/m" 0 => 0
	stat "/m/f" => ENOENT
	close f => 0
	close d => 0
	close z => 0
	chdir "/" => 0
	switch p1 => pid=2
	stat "/" => EBADF
	stat "/f" => ENOENT
	mount "rumpfs" "/" MNT_UPDATE => EINVAL
	unmount "/" => EINVAL
	exit => now p0
	unmount "/m" => 0

	=== a mount on a directory of a dead file system is found no more, and still there
	mkdir "/m" 0755 => 0
	mount "rumpfs" "/m" 0 => 0
	mkdir "/m/n" 0755 => 0
	mount "rumpfs" "/m/n" 0 => 0
	chdir "/m/n" => 0
	f = open "f" O_RDWR|O_CREAT 0644 => 3
	unmount "/m" => EBUSY
	unmount "/m" MNT_FORCE => 0
	write f "alive" => 5
	getvfsstat => 2 rumpfs@"/" rumpfs@"/m/n"
	unmount "." => EBUSY
	stat ".." => ENOENT
	getcwd => EBADF
	close f => 0
	unmount "." MNT_FORCE => 0
	getvfsstat => 1 rumpfs@"/"
	`)
}

func TestStoryOverRoot(t *testing.T) {
	testStory(t, `
	=== mounted over the root: everybody is moved, and nobody back
	mkdir "/m" 0755 => 0
	f = open "/f" O_RDWR|O_CREAT 0644 => 3
	d = open "/" O_RDONLY => 4
	p1 = rfork COPY => 0 pid=2
	chdir "/m" => 0
	switch p0 => pid=1
	mount "rumpfs" "/" 0 => 0
	getvfsstat => 2 rumpfs@"/" rumpfs@"/"
	stat "/f" => ENOENT
	stat "f" => ENOENT
	mkdir "new" 0755 => 0
	stat "/new/.." => 0 type=dir mode=0755 nlink=2 uid=0 gid=0 size=512 blksize=512 blocks=1 flags=0x0 gen=0 rdev=none ino=i1 dev=ino
	stat "/" => 0 type=dir mode=0755 nlink=2 uid=0 gid=0 size=512 blksize=512 blocks=1 flags=0x0 gen=0 rdev=none ino=i1 dev=ino
	fstatat d "m" 0 => 0 type=dir mode=0755 nlink=2 uid=0 gid=0 size=512 blksize=512 blocks=1 flags=0x0 gen=0 rdev=none ino=i2 dev=ino
	fstatat d "f" 0 => 0 type=reg mode=0644 nlink=1 uid=0 gid=0 size=0 blksize=512 blocks=1 flags=0x0 gen=0 rdev=none ino=i3 dev=ino
	getdents d 4096 => 80 "f":reg:i3 "m":dir:i2 "tmp":dir:i4 "dev":dir:i5
	fchdir d => 0
	stat "new" => 0 type=dir mode=0755 nlink=2 uid=0 gid=0 size=512 blksize=512 blocks=1 flags=0x0 gen=0 rdev=none ino=i6 dev=ino
	switch p1 => pid=2
	stat "." => 0 type=dir mode=0755 nlink=2 uid=0 gid=0 size=512 blksize=512 blocks=1 flags=0x0 gen=0 rdev=none ino=i2 dev=ino
	getcwd => ENOENT
	chdir "/" => 0
	getcwd => 2 "/"
	switch p0 => pid=1
	unmount "/" => EBUSY
	unmount "/" MNT_FORCE => 0
	stat "/f" => ENOENT
	stat "/" => EBADF
	mkdir "/x" 0755 => ENOENT
	chdir "/" => EBADF
	mount "rumpfs" "/" 0 => EFAULT
	fstatat d "f" 0 => 0 type=reg mode=0644 nlink=1 uid=0 gid=0 size=0 blksize=512 blocks=1 flags=0x0 gen=0 rdev=none ino=i3 dev=ino
	fchdir d => 0
	stat "f" => 0 type=reg mode=0644 nlink=1 uid=0 gid=0 size=0 blksize=512 blocks=1 flags=0x0 gen=0 rdev=none ino=i3 dev=ino
	getvfsstat => 1 rumpfs@"/"

	=== three deep
	mount "rumpfs" "/" 0 => 0
	mkdir "/one" 0755 => 0
	mount "rumpfs" "/" 0 => 0
	stat "/one" => ENOENT
	mkdir "/m" 0755 => 0
	mount "rumpfs" "/m" 0 => 0
	chdir "/m" => 0
	stat "../../.." => 0 type=dir mode=0755 nlink=2 uid=0 gid=0 size=512 blksize=512 blocks=1 flags=0x0 gen=0 rdev=none ino=i1 dev=ino
	getcwd => 3 "/m"
	getvfsstat => 4 rumpfs@"/" rumpfs@"/" rumpfs@"/" rumpfs@"/m"

	=== a working directory is moved, and a root
	mkdir "/m" 0755 => 0
	chdir "/m" => 0
	p1 = rfork COPY => 0 pid=2
	chroot "/m" => 0
	p2 = rfork COPY => 0 pid=3
	chroot "." => 0
	switch p0 => pid=1
	mount "rumpfs" "." 0 => 0
	mkdir "x" 0755 => 0
	getcwd => 3 "/m"
	statvfs1 "." => 0 type=rumpfs on="." from="rumpfs" flag=0x1000 bsize=512 frsize=512 iosize=512 blocks=2 bfree=0 bavail=0 bresvd=0 files=0 ffree=0 favail=0 fresvd=0 namemax=255 owner=0
	switch p1 => pid=2
	stat "/x" => 0 type=dir mode=0755 nlink=2 uid=0 gid=0 size=512 blksize=512 blocks=1 flags=0x0 gen=0 rdev=none ino=i1 dev=ino
	getcwd => 2 "/"
	mkdir "/in" 0755 => 0
	mount "rumpfs" "/in" 0 => 0
	getvfsstat => 2 rumpfs@"/in" rumpfs@"/"
	statvfs1 "/in" => 0 type=rumpfs on="/in" from="rumpfs" flag=0x1000 bsize=512 frsize=512 iosize=512 blocks=2 bfree=0 bavail=0 bresvd=0 files=0 ffree=0 favail=0 fresvd=0 namemax=255 owner=0
	switch p2 => pid=3
	stat "x" => 0 type=dir mode=0755 nlink=2 uid=0 gid=0 size=512 blksize=512 blocks=1 flags=0x0 gen=0 rdev=none ino=i1 dev=ino
	switch p0 => pid=1
	getvfsstat => 3 rumpfs@"/" rumpfs@"." rumpfs@"/m/in"
	`)
}

func TestStoryUnion(t *testing.T) {
	testStory(t, `
	=== names of both, the upper first
	mkdir "/m" 0755 => 0
	l = open "/m/lower" O_RDWR|O_CREAT 0644 => 3
	write l "low" => 3
	open "/m/both" O_RDWR|O_CREAT 0600 => 4
	mkdir "/m/dir" 0755 => 0
	mount "rumpfs" "/m" MNT_UNION => 0
	stat "/m/lower" => 0 type=reg mode=0644 nlink=1 uid=0 gid=0 size=3 blksize=512 blocks=1 flags=0x0 gen=0 rdev=none ino=i1 dev=ino
	d = open "/m" O_RDONLY => 5
	getdents d 4096 => 72 "dir":dir:i2 "both":reg:i3 "lower":reg:i1
	getdents d 4096 => 0
	open "/m/new" O_RDWR|O_CREAT 0644 => 6
	mount "rumpfs" "/m" MNT_UPDATE => 0
	stat "/m/lower" => ENOENT
	mkdir "/m/up" 0755 => 0
	u = open "/m/both" O_RDWR|O_CREAT 0644 => 7
	mount "rumpfs" "/m" MNT_UPDATE|MNT_UNION => 0
	stat "/m/both" => 0 type=reg mode=0644 nlink=1 uid=0 gid=0 size=0 blksize=512 blocks=1 flags=0x0 gen=0 rdev=none ino=i4 dev=ino
	e = open "/m" O_RDONLY => 8
	getdents e 4096 => 64 "both":reg:i4 "up":dir:i5 "new":reg:i6
	getdents e 4096 => 72 "dir":dir:i2 "both":reg:i3 "lower":reg:i1
	getdents e 4096 => 0
	stat "/m/new" => 0 type=reg mode=0644 nlink=1 uid=0 gid=0 size=0 blksize=512 blocks=1 flags=0x0 gen=0 rdev=none ino=i6 dev=ino
	chdir "/m" => 0
	stat "dir/../both" => 0 type=reg mode=0644 nlink=1 uid=0 gid=0 size=0 blksize=512 blocks=1 flags=0x0 gen=0 rdev=none ino=i4 dev=ino
	stat "up/../lower" => 0 type=reg mode=0644 nlink=1 uid=0 gid=0 size=3 blksize=512 blocks=1 flags=0x0 gen=0 rdev=none ino=i1 dev=ino
	stat "nosuch" => ENOENT

	=== a union over a union
	mkdir "/m" 0755 => 0
	open "/m/0" O_RDWR|O_CREAT 0644 => 3
	mount "rumpfs" "/m" 0 => 0
	open "/m/1" O_RDWR|O_CREAT 0644 => 4
	mount "rumpfs" "/m" MNT_UPDATE|MNT_UNION => 0
	mount "rumpfs" "/m" MNT_UNION => 0
	d = open "/m" O_RDONLY => 5
	getdents d 4096 => 16 "1":reg:i1
	getdents d 4096 => 16 "0":reg:i2
	getdents d 4096 => 0
	stat "/m/0" => 0 type=reg mode=0644 nlink=1 uid=0 gid=0 size=0 blksize=512 blocks=1 flags=0x0 gen=0 rdev=none ino=i2 dev=ino
	`)
}

// Quirks of mounting: with them as in the reference, and without.
func TestMountQuirks(t *testing.T) {
	const extattr = `=== extended attributes
mkdir "/m" 0755
mount "rumpfs" "/m" MNT_EXTATTR
mount "rumpfs" "/m" MNT_UPDATE
mkdir "/m/x" 0755
mount "rumpfs" "/m" MNT_UPDATE|MNT_EXTATTR
statvfs1 "/m"
`
	const below = `=== below the root
d = open "/" O_RDONLY
mkdir "/m" 0755
mount "rumpfs" "/" 0
fstatat d "m/../.." 0
fstatat d ".." 0
fstatat d "../../m/." 0
`
	const union = `=== union of the root
mount "rumpfs" "/" MNT_UPDATE|MNT_UNION
stat "/dev/.."
%s
mkdir "/x" 0755
stat "/x"
`
	const dead = `=== dead
mkdir "/m" 0755
mount "rumpfs" "/m" 0
f = open "/m/f" O_RDWR|O_CREAT 0644
unmount "/m" MNT_FORCE
fstatvfs1 f
`
	const deadRoot = `=== dead root
mount "rumpfs" "/" 0
unmount "/" MNT_FORCE
%s
`
	for _, c := range []struct {
		name, script  string
		rev1125, none string // the results, in words
	}{
		{"dead-fs", dead, "0 0 3 0 PANIC", "0 0 3 0 EBADF"},
		{"dead-fs", fmt.Sprintf(deadRoot, `statvfs1 "/"`), "0 0 PANIC", "0 0 EBADF"},
		{"dead-fs", fmt.Sprintf(deadRoot, `getfh "/"`), "0 0 PANIC", "0 0 EBADF"},
		{"mount-extattr", extattr, "0 EOPNOTSUPP 0 EROFS 0 0", "0 0 0 0 0 0"},
		{"covered-by-root", below, "3 0 0 0 PANIC", "3 0 0 0 0 0"},
		{"covered-by-root", fmt.Sprintf(union, `stat "/nosuch"`), "0 0 PANIC", "0 0 ENOENT 0 0"},
		{"covered-by-root", fmt.Sprintf(union, "d = open \"/tmp/..\" O_RDONLY\ngetdents d 512\ngetdents d 512"), "0 0 3 48 PANIC", "0 0 3 48 0 0 0"},
	} {
		for _, k := range []struct {
			c    sim.Config
			want string
		}{
			{sim.Config{Mode: hypercall.Deterministic}, c.rev1125},
			{sim.Config{Mode: hypercall.Deterministic, Without: kern.Rev1125}, c.none},
		} {
			var results []string
			for line := range strings.Lines(traceOf(t, c.script, k.c)) {
				if _, result, ok := strings.Cut(line, " => "); ok {
					results = append(results, strings.Fields(result)[0])
				}
			}
			if got := strings.Join(results, " "); got != k.want {
				t.Errorf("%s, without the quirks %v: %s, want %s", c.name, k.c.Without, got, k.want)
			}
		}
	}
}

package script

import (
	"bytes"
	"strings"
	"testing"

	"rumpvfs/kern"
)

func check(t *testing.T, got, want string) {
	t.Helper()
	if got != want {
		t.Errorf("got  %s\nwant %s", got, want)
	}
}

func TestFormatData(t *testing.T) {
	check(t, FormatData(nil), `0 ""`)
	check(t, FormatData([]byte("a\"\\\n\t\x00\x7f~ \xff")), `10 "a\"\\\n\x09\x00\x7f~ \xff"`)
	check(t, FormatData(bytes.Repeat([]byte("x"), 128)), `128 "`+strings.Repeat("x", 128)+`"`)
	check(t, FormatData(bytes.Repeat([]byte("A"), 512)),
		`512 head="AAAAAAAAAAAAAAAA" tail="AAAAAAAAAAAAAAAA" nonzero=512 fnv1a64=3beb2df904f68d25`)
	zeros := make([]byte, 60001)
	zeros[60000] = 'Z'
	check(t, FormatData(zeros), `60001 head="`+strings.Repeat(`\x00`, 16)+`" tail="`+strings.Repeat(`\x00`, 15)+
		`Z" nonzero=1 fnv1a64=3a8edd404883f74d`)
	check(t, FormatData(zeros[:129])[:12], `129 head="\x`)
}

func TestFormatSmallResults(t *testing.T) {
	check(t, FormatInt(-1), "-1")
	check(t, FormatErrno(kern.EFTYPE), "EFTYPE")
	check(t, FormatCwd("/a\n"), `4 "/a\n"`)
	check(t, FormatUmask(0), "0000")
	check(t, FormatUmask(0o22), "0022")
	check(t, FormatUmask(0o777), "0777")
	check(t, FormatFlags(0x8a), "0x8a")
	check(t, FormatFlags(-1), "0xffffffff")
	check(t, FormatIDs(&kern.Cred{UID: 1, EUID: 2, GID: 3, EGID: 1<<32 - 1}), "uid=1 euid=2 gid=3 egid=4294967295")
	check(t, FormatFadvise(0), "0")
	check(t, FormatFadvise(kern.EINVAL), "22")
	check(t, FormatRfork(2), "0 pid=2")
	check(t, FormatSwitch(1), "pid=1")
	check(t, FormatExit(), "now p0")
}

func TestFormatTimes(t *testing.T) {
	st := &kern.Stat{Atim: kern.Timespec{Sec: 5, Nsec: -1000}, Mtim: kern.Timespec{Sec: -1, Nsec: 1000000000}}
	check(t, FormatTimes(st), "0 atime=5.-00001000 mtime=-1.1000000000")
	st = &kern.Stat{Atim: kern.Timespec{Sec: 1000000000, Nsec: 123456000}, Mtim: kern.Timespec{Sec: 6}}
	check(t, FormatTimes(st), "0 atime=1000000000.123456000 mtime=6.000000000")
}

func TestFormatFlock(t *testing.T) {
	fl := kern.Flock{Type: kern.F_UNLCK, Whence: 2, Start: -6, Pid: 7}
	check(t, FormatFlock(fl), "0 F_UNLCK whence=2 start=-6 len=0")
	fl = kern.Flock{Type: kern.F_RDLCK, Start: 3, Len: 1, Pid: 1}
	check(t, FormatFlock(fl), "0 F_RDLCK whence=0 start=3 len=1 pid=1")
	fl = kern.Flock{Type: kern.F_WRLCK, Pid: -1}
	check(t, FormatFlock(fl), "0 F_WRLCK whence=0 start=0 len=0 pid=-1")
}

func TestFormatStatvfs(t *testing.T) {
	sb := kern.Statvfs{Fstypename: "rumpfs", Mntonname: "/a\"", Mntfromname: "rumpfs", Flag: 0x5000, Bsize: 512, Frsize: 513,
		Iosize: 514, Blocks: 1, Bfree: 2, Bavail: 3, Bresvd: 4, Files: 5, Ffree: 6, Favail: 7, Fresvd: 8, Namemax: 255, Owner: 9}
	check(t, FormatStatvfs(&sb), `0 type=rumpfs on="/a\"" from="rumpfs" flag=0x5000 bsize=512 frsize=513 iosize=514 `+
		`blocks=1 bfree=2 bavail=3 bresvd=4 files=5 ffree=6 favail=7 fresvd=8 namemax=255 owner=9`)
	check(t, FormatMounts([]kern.Statvfs{{Fstypename: "rumpfs", Mntonname: "/"}, sb}), `2 rumpfs@"/" rumpfs@"/a\""`)
	check(t, FormatMounts(nil), "0")
}

// A file system whose files are each their own device, as rumpfs, and two
// whose files share one.
func TestAliases(t *testing.T) {
	var a Aliases
	own := func(ino uint64, mode uint32) *kern.Stat {
		return &kern.Stat{Dev: ino, Ino: ino, Mode: mode, Rdev: kern.NODEV}
	}
	on := func(dev, ino uint64) *kern.Stat {
		return &kern.Stat{Dev: dev, Ino: ino, Mode: kern.S_IFDIR, Rdev: kern.NODEV}
	}
	tail := func(st *kern.Stat) string {
		_, ids, _ := strings.Cut(FormatStat(st, &a), " rdev=none ")
		return ids
	}
	check(t, tail(own(100, 0)), "ino=i1 dev=ino")
	check(t, tail(own(2, 0)), "ino=i2 dev=ino")
	check(t, tail(own(100, 0)), "ino=i1 dev=ino")
	check(t, tail(on(77, 2)), "ino=i3 dev=d1")
	check(t, tail(on(78, 2)), "ino=i4 dev=d2")
	check(t, tail(on(77, 3)), "ino=i5 dev=d1")

	entries := []kern.Dirent{
		{Fileno: 2, Type: kern.DT_DIR, Name: "two"},
		{Fileno: 9, Type: kern.DT_REG, Name: "\x01\xff"},
		{Fileno: 1, Type: kern.DT_WHT, Name: "gone"},
	}
	check(t, FormatDirents(72, entries, own(100, 0), &a), `72 "two":dir:i2 "\x01\xff":reg:i6 "gone":wht:i7`)
	check(t, FormatDirents(72, entries, on(78, 5), &a), `72 "two":dir:i4 "\x01\xff":reg:i8 "gone":wht:i9`)
	check(t, FormatDirents(0, nil, on(79, 5), &a), "0")
	check(t, tail(on(80, 1)), "ino=i10 dev=d3")

	var other Aliases
	check(t, FormatDirents(24, entries[1:2], own(100, 0), &other), `24 "\x01\xff":reg:i1`)
}

func TestFormatStat(t *testing.T) {
	st := &kern.Stat{Dev: 4, Ino: 4, Mode: kern.S_IFCHR | 0o6755, Nlink: 2, UID: 1<<32 - 1, GID: 7, Rdev: kern.Makedev(255, 4095),
		Size: -1, Blksize: 512, Blocks: 3, FileFlags: kern.SF_APPEND | kern.UF_OPAQUE, Gen: 9}
	check(t, FormatStat(st, &Aliases{}), "0 type=chr mode=6755 nlink=2 uid=4294967295 gid=7 size=-1 blksize=512 blocks=3 "+
		"flags=0x40008 gen=9 rdev=255,4095 ino=i1 dev=ino")
	for mode, name := range map[uint32]string{
		kern.S_IFREG: "reg", kern.S_IFDIR: "dir", kern.S_IFLNK: "lnk", kern.S_IFCHR: "chr", kern.S_IFBLK: "blk",
		kern.S_IFIFO: "fifo", kern.S_IFSOCK: "sock", kern.S_IFWHT: "wht", 0: "none", kern.S_IFMT: "none",
	} {
		got := FormatStat(&kern.Stat{Mode: mode}, &Aliases{})
		if !strings.HasPrefix(got, "0 type="+name+" mode=0000 ") {
			t.Errorf("mode %o: %s", mode, got)
		}
	}
	if typeName(16|kern.DT_REG) != "none" {
		t.Error("a directory entry's type that does not exist has a name")
	}
}

package shell

import (
	"strings"
	"testing"
)

func TestMountCommands(t *testing.T) {
	term := newTerminal(t, deterministic)
	term.wants("rumpfs on / type rumpfs (local)\nrumpfs on /m type rumpfs (noatime, union, local)\n",
		"mkdir -p /m /n", "mount -o union,noatime /m", "mount")
	term.wants("from    type    bytes  free  mounted on\n"+
		"rumpfs  rumpfs  1024   0     /\nrumpfs  rumpfs  1024   0     /m\nrumpfs  rumpfs  1024   0     /n\n",
		"mount -t rumpfs tank /n", "df")
	term.wants("error: mkdir: /n/d: EROFS: the file system is mounted read-only\n",
		"mount -u -r /n", "mkdir /n/d", "mount -u -o rw /n", "mkdir /n/d")
	term.wants("error: umount: /n: EBUSY: something is using it\n/nosuch: ENOENT: nothing has that name\n",
		"cd /n/d", "umount /n /nosuch")
	term.wants("rumpfs on / type rumpfs (local)\n", "umount -f /n /m", "mount")
	term.wants("error: umount: /n: EINVAL: an argument makes no sense\n", "umount -f /n")
	term.wants("rumpfs on / type rumpfs (local)\ntmpfs on /m type tmpfs (nosuid, local)\ndrwx------ 2 root wheel 0 2014-07-15 00:00 /m\nerror: echo: ENOSPC: no room is left\n",
		"mount -t tmpfs -o nosuid,size=0x4000,nodes=10,mode=700 tmpfs /m", "mount", "ls -ld /m", "echo "+strings.Repeat("x", 20000)+" > /m/f")
	for line, want := range map[string]string{
		"mount -o size=1 /m":          "mount: size, nodes and mode are options of tmpfs",
		"mount -t tmpfs -o size=x /m": "mount: size=x: expected a number",
		"mount -t tmpfs -o mode=8 /m": "mount: mode=8: expected a number",
		"mount -o inodes=3 /m":        "mount: inodes=3: no such option",
		"mount -x /m":                 "usage: mount [-ru] [-t TYPE] [-o OPTION,...] [FROM] [DIR]",
		"mount -t":                    "usage: mount [-ru] [-t TYPE] [-o OPTION,...] [FROM] [DIR]",
		"mount -r":                    "usage: mount [-ru] [-t TYPE] [-o OPTION,...] [FROM] [DIR]",
		"mount a b c":                 "usage: mount [-ru] [-t TYPE] [-o OPTION,...] [FROM] [DIR]",
		"mount -o ro, /m":             "mount: \"\": no such option",
		"mount -o quota /m":           "mount: quota: no such option",
		"mount -t ext2fs /m":          "mount: /m: ENODEV: the device or file system cannot do this",
		"umount":                      "usage: umount [-f] DIR...",
		"umount -r /m":                "usage: umount [-f] DIR...",
		"lsof x":                      "usage: lsof",
	} {
		term.wants("error: "+want+"\n", line)
	}
}

func TestLsof(t *testing.T) {
	term := newTerminal(t, deterministic)
	term.wants("3\n3\n4\npid  user  fd   type     offset  size  number  on  path\n"+
		"1    root  cwd  dir      0       512   9       /m  /m\n"+
		"1    root  0w   console\n"+
		"1    root  1w   console\n"+
		"1    root  2w   console\n"+
		"1    root  3u   reg      3       3     10      /m\n"+
		"1    root  4r   dir      0       512   4       /   /dev\n",
		"mkdir /m", "mount /m", "cd /m", "f = open \"/m/f\" O_RDWR|O_CREAT 0644", "write f \"abc\"", "d = open \"/dev\" O_RDONLY", "lsof")
	term.wants("0\n0\n0\n0\npid  user  fd   type  offset  size  number  on  path\n"+
		"1    root  cwd  dir                             (its file system is gone)\n"+
		"1    root  3u   reg                             (its file system is gone)\n",
		"umount -f /m", "close 0", "close 1", "close 2", "close d", "lsof")
}

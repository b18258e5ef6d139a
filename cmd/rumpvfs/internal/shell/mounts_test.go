package shell

import "testing"

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
	for line, want := range map[string]string{
		"mount -x /m":        "usage: mount [-ru] [-t TYPE] [-o OPTION,...] [FROM] [DIR]",
		"mount -t":           "usage: mount [-ru] [-t TYPE] [-o OPTION,...] [FROM] [DIR]",
		"mount -r":           "usage: mount [-ru] [-t TYPE] [-o OPTION,...] [FROM] [DIR]",
		"mount a b c":        "usage: mount [-ru] [-t TYPE] [-o OPTION,...] [FROM] [DIR]",
		"mount -o ro, /m":    "mount: \"\": no such option",
		"mount -o quota /m":  "mount: quota: no such option",
		"mount -t ext2fs /m": "mount: /m: ENODEV: the device or file system cannot do this",
		"umount":             "usage: umount [-f] DIR...",
		"umount -r /m":       "usage: umount [-f] DIR...",
		"lsof x":             "usage: lsof",
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

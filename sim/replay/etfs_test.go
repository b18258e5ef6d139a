package replay

import (
	"context"
	"fmt"
	"strings"
	"testing"

	"rumpvfs/hypercall"
	"rumpvfs/kern"
	"rumpvfs/sim"
	"rumpvfs/sim/script"
)

// parse reads a trace of one section.
func parse(t *testing.T, trace string) *script.Section {
	t.Helper()
	trace = strings.TrimLeft(strings.ReplaceAll(trace, "\t", ""), "\n")
	tr, err := script.ParseTrace(t.Name(), []byte(trace))
	if err != nil {
		t.Fatal(err)
	}
	return &tr.Sections[0]
}

// agree makes the calls of a trace: each must answer what the trace says, and
// the kernel stop for the reason in want, or go on to the end, if that is "",
// and leave nothing over.
func agree(t *testing.T, c sim.Config, trace, want string) {
	t.Helper()
	o := Run(context.Background(), parse(t, trace), c)
	if u := o.Compare(); u.Differ > 0 || o.Err != nil || o.Left != nil {
		var b strings.Builder
		if err := o.Explain(&b, "story", 3); err != nil {
			t.Fatal(err)
		}
		t.Errorf("%v, %v\n%s", o.Err, o.Left, b.String())
	}
	stop := ""
	if o.Stop != nil {
		stop, _, _ = strings.Cut(strings.TrimPrefix(o.Stop.Error(), "panic: "), "\n")
	}
	if stop != want {
		t.Errorf("stopped for %q, want %q", stop, want)
	}
}

// regular is what stat says of the first file that a story looks at, a mapped
// one of some size.
func regular(size int) string {
	return fmt.Sprintf("0 type=reg mode=0755 nlink=1 uid=0 gid=0 size=%d blksize=512 blocks=1 "+
		"flags=0x0 gen=0 rdev=none ino=i1 dev=ino", size)
}

// TestEtfsQuirks tells each quirk of mapped files twice: as the reference has
// it, with the panic that the story ends in, and as it was meant.
func TestEtfsQuirks(t *testing.T) {
	const prepare = `
			host_mkdir "$H/d" => 0
			host_mkdir "$H/d/s" => 0
			host_write "$H/d/a" "aaa" => 3
			host_write "$H/d/s/b" "bbbb" => 4
			host_write "$H/f" "0123456789abcdef" => 16
			host_write "$H/disk" "D"*1024 => 1024
			`
	long := `"/` + `k"+"x"*1024`
	for _, c := range []struct {
		quirk         kern.Quirk
		name          string
		rev1125, stop string
		fixed         string
	}{
		{kern.QuirkEtfsKey, "longer name", `
			etfs_register "/hd" "$H/d" DIR => 0
			mkdir "/hdx" 0755 => PANIC`, `kernel diagnostic assertion "*cp == '\0' || *cp == '/'" failed`, `
			etfs_register "/hd" "$H/d" DIR => 0
			mkdir "/hdx" 0755 => 0
			stat "/hd/a" => ` + regular(3)},
		{kern.QuirkEtfsKey, "keys that stand in the way", `
			etfs_register "/hd" "$H/d" DIR => 0
			etfs_register "/hdx" "$H/d" DIR => EEXIST
			etfs_register "/hdy" "$H/f" REG => EEXIST
			etfs_register "/hd/a" "$H/f" REG => EEXIST`, "", `
			etfs_register "/hd" "$H/d" DIR => 0
			etfs_register "/hdx" "$H/d" DIR => 0
			etfs_register "/hdy" "$H/f" REG => 0
			etfs_register "/hd/a" "$H/f" REG => EEXIST
			etfs_register "/" "$H/f" REG => EINVAL`},
		{kern.QuirkEtfsKey, "empty key", `
			etfs_register "//" "$H/f" REG => 0
			etfs_register "/hd" "$H/d" DIR => EEXIST
			etfs_register "/f" "$H/f" REG => 0
			etfs_remove "/" => 0
			etfs_register "/hd" "$H/d" DIR => 0
			etfs_remove "/hd" => 0
			etfs_remove "/f" => 0
			etfs_register "/" "$H/d" DIR => 0
			stat "/dev" => PANIC`, `kernel diagnostic assertion "*cp == '\0' || *cp == '/'" failed`, `
			etfs_register "//" "$H/f" REG => EINVAL
			etfs_remove "/" => ENOENT`},
		{kern.QuirkEtfsKeyLong, "", `
			etfs_register ` + long + ` "$H/f" REG => PANIC`, "undefined: etfs-key-long", `
			etfs_register ` + long + ` "$H/f" REG => ENAMETOOLONG
			etfs_register "/k"+"x"*1022 "$H/f" REG => 0`},
		{kern.QuirkEtfsDirData, "stat", `
			etfs_register "/hd" "$H/d" DIR => 0
			stat "/hd/a" => PANIC`, "undefined: etfs-dir-data", `
			etfs_register "/hd" "$H/d" DIR => 0
			stat "/hd/a" => ` + regular(3)},
		{kern.QuirkEtfsDirData, "read, then write", `
			etfs_register "/hd" "$H/d" DIR => 0
			f = open "/hd/a" O_RDWR => 3
			read f 10 => 0 ""
			pread f 3 1 => 3 "\x00\x00\x00"
			write f "" => 0
			ftruncate f 0 => 0
			write f "x" => PANIC`, "undefined: etfs-dir-data", `
			etfs_register "/hd" "$H/d" DIR => 0
			f = open "/hd/a" O_RDWR => 3
			read f 10 => 3 "aaa"
			write f "x" => 1
			host_read "$H/d/a" => 4 "aaax"
			ftruncate f 2 => 0
			host_read "$H/d/a" => 2 "aa"`},
		{kern.QuirkEtfsDirData, "truncate", `
			etfs_register "/hd" "$H/d" DIR => 0
			f = open "/hd/a" O_RDWR => 3
			ftruncate f 0x7fffffffffffffff => ENOSPC
			ftruncate f 5 => PANIC`, "undefined: etfs-dir-data", `
			etfs_register "/hd" "$H/d" DIR => 0
			f = open "/hd/a" O_RDWR|O_TRUNC => 3
			host_read "$H/d/a" => 0 ""`},
		{kern.QuirkEtfsDirSubdir, "", `
			etfs_register "/hd" "$H/d" DIR => 0
			d = open "/hd/s" O_RDONLY => 3
			getdents d 100 => 0
			mkdirat d "x" 0755 => 0
			e = openat d "x" O_RDONLY => 4
			fstatat e ".." 0 => 0 type=dir mode=0755 nlink=2 uid=0 gid=0 size=4096 blksize=512 blocks=1 flags=0x0 gen=0 rdev=none ino=i1 dev=ino
			close d => 0
			fstatat e ".." 0 => PANIC`, "undefined: etfs-dir-subdir", `
			etfs_register "/hd" "$H/d" DIR => 0
			open "/hd/s" O_RDONLY => ENOENT
			open "/hd/s/b" O_RDONLY => ENOENT`},
		{kern.QuirkEtfsUnlink, "file below DIR_SUBDIRS", `
			etfs_register "/hd" "$H/d" DIR_SUBDIRS => 0
			chdir "/hd" => 0
			unlink "a" => PANIC`, "undefined: etfs-unlink", `
			etfs_register "/hd" "$H/d" DIR_SUBDIRS => 0
			chdir "/hd" => 0
			unlink "a" => EOPNOTSUPP
			rmdir "s" => EOPNOTSUPP
			unlink "b" => ENOENT
			host_read "$H/d/a" => 3 "aaa"`},
		{kern.QuirkEtfsUnlink, "directory", `
			etfs_register "/hd" "$H/d" DIR_SUBDIRS => 0
			d = open "/hd" O_RDONLY => 3
			unlinkat d "s" AT_REMOVEDIR => PANIC`, "could not find directory entry: s", `
			etfs_register "/hd" "$H/d" DIR_SUBDIRS => 0
			d = open "/hd" O_RDONLY => 3
			unlinkat d "s" AT_REMOVEDIR => EOPNOTSUPP`},
		{kern.QuirkEtfsUnlink, "file below DIR", `
			etfs_register "/hd" "$H/d" DIR => 0
			d = open "/hd" O_RDONLY => 3
			unlinkat d "a" 0 => PANIC`, "could not find directory entry: a", `
			etfs_register "/hd" "$H/d" DIR => 0
			d = open "/hd" O_RDONLY => 3
			unlinkat d "a" 0 => EOPNOTSUPP`},
		{kern.QuirkEtfsWindow, "", `
			etfs_register_withsize "/w" "$H/f" REG 4 6 => 0
			f = open "/w" O_RDWR => 3
			read f 100 => 12 "456789abcdef"
			pwrite f "ZZ" 5 => 2
			pwrite f "!" 6 => 1
			host_read "$H/f" => 16 "012345678Z!bcdef"
			etfs_register_withsize "/o" "$H/f" REG 4 -3 => 0
			stat "/o" => ` + regular(-3), "", `
			etfs_register_withsize "/w" "$H/f" REG 4 6 => 0
			f = open "/w" O_RDWR => 3
			read f 100 => 6 "456789"
			read f 100 => 0 ""
			pwrite f "ZZ" 5 => 1
			pwrite f "!" 6 => ENOSPC
			pread f 1 100 => 0 ""
			host_read "$H/f" => 16 "012345678Zabcdef"
			lseek f 0 SEEK_END => 6
			ftruncate f 6 => 0
			ftruncate f 5 => EINVAL
			etfs_register_withsize "/o" "$H/f" REG 4 -3 => EINVAL`},
		{kern.QuirkEtfsSize, "", `
			etfs_register "/f" "$H/f" REG => 0
			a = open "/f" O_RDWR|O_APPEND => 3
			write a "tail" => 4
			stat "/f" => ` + regular(16) + `
			write a "TAIL" => 4
			host_read "$H/f" => 20 "0123456789abcdefTAIL"
			truncate "/f" 0 => 0
			host_read "$H/f" => 20 "0123456789abcdefTAIL"`, "", `
			etfs_register "/f" "$H/f" REG => 0
			a = open "/f" O_RDWR|O_APPEND => 3
			write a "tail" => 4
			stat "/f" => ` + regular(20) + `
			write a "TAIL" => 4
			host_read "$H/f" => 24 "0123456789abcdeftailTAIL"
			truncate "/f" 2 => 0
			host_read "$H/f" => 2 "01"
			truncate "/f" 0x7fffffffffffffff => EINVAL
			host_unlink "$H/f" => 0
			lseek a 0 SEEK_END => 16
			truncate "/f" 3 => ENOENT`},
		{kern.QuirkEtfsOpen, "", `
			etfs_register "/f" "$H/f" REG => 0
			r = open "/f" O_RDONLY => 3
			rw = open "/f" O_RDWR => 4
			write rw "x" => EBADF`, "", `
			etfs_register "/f" "$H/f" REG => 0
			r = open "/f" O_RDONLY => 3
			rw = open "/f" O_RDWR => 4
			write rw "x" => 1
			host_read "$H/f" => 16 "x123456789abcdef"`},
		{kern.QuirkEtfsMinor, "remove one of two", `
			etfs_register "/b" "$H/disk" BLK => 0
			etfs_register_withsize "/c" "$H/disk" CHR 512 512 => 0
			etfs_remove "/b" => 0
			open "/c" O_RDONLY => ENXIO
			etfs_remove "/c" => PANIC`, `kernel diagnostic assertion "rv == 0" failed`, `
			etfs_register "/b" "$H/disk" BLK => 0
			etfs_register_withsize "/c" "$H/disk" CHR 512 512 => EBUSY
			etfs_register "/c" "$H/disk" CHR => 0
			f = open "/b" O_RDONLY => 3
			etfs_remove "/b" => 0
			read f 512 => EIO
			g = open "/c" O_RDONLY => 4
			pread g 1024 0 => 1024 head="DDDDDDDDDDDDDDDD" tail="DDDDDDDDDDDDDDDD" nonzero=1024 fnv1a64=7ce6ce261eda8325
			etfs_remove "/c" => 0
			fstat g => EBADF`},
		{kern.QuirkEtfsMinor, "register again", `
			etfs_register "/b" "$H/disk" BLK => 0
			etfs_register "/b" "$H/disk" BLK => EEXIST
			open "/b" O_RDONLY => ENXIO
			etfs_remove "/b" => PANIC`, `kernel diagnostic assertion "rv == 0" failed`, `
			etfs_register "/b" "$H/disk" BLK => 0
			etfs_register "/b" "$H/disk" BLK => EEXIST
			open "/b" O_RDONLY => 3
			etfs_remove "/b" => 0`},
		{kern.QuirkEtfsChar, "", `
			etfs_register "/c" "$H/disk" CHR => 0
			f = open "/c" O_RDONLY => 3
			etfs_remove "/c" => 0
			open "/c" O_RDONLY => ENOENT
			fstat f => PANIC`, "undefined: etfs-char", `
			etfs_register "/c" "$H/disk" CHR => 0
			f = open "/c" O_RDONLY => 3
			etfs_remove "/c" => 0
			open "/c" O_RDONLY => ENOENT
			fstat f => EBADF`},
	} {
		for _, mode := range []hypercall.Mode{hypercall.Native, hypercall.Deterministic} {
			t.Run(fmt.Sprint(c.quirk, "/", c.name, "/", mode), func(t *testing.T) {
				agree(t, sim.Config{Mode: mode}, prepare+c.rev1125, c.stop)
				agree(t, sim.Config{Mode: mode, Without: kern.Rev1125}, prepare+c.fixed, "")
			})
		}
	}
}

// TestEtfsRemovedParent is about ".." of a directory that was made in one that
// is gone: the reference follows a pointer to freed memory.
func TestEtfsRemovedParent(t *testing.T) {
	agree(t, sim.Config{}, `
		mkdir "/d" 0755 => 0
		d = open "/d" O_RDONLY => 3
		rmdir "/d" => 0
		mkdirat d "x" 0755 => 0
		e = openat d "x" O_RDONLY => 4
		fstatat e ".." 0 => 0 type=dir mode=0755 nlink=2 uid=0 gid=0 size=512 blksize=512 blocks=1 flags=0x0 gen=0 rdev=none ino=i1 dev=ino
		close d => 0
		fstatat e ".." 0 => PANIC`, "undefined: removed-dir-create")
}

// TestEtfsBadKeysAndWindows has what registration refuses.
func TestEtfsBadKeysAndWindows(t *testing.T) {
	for _, fixed := range []kern.Quirks{kern.Fixed, kern.Rev1125} {
		agree(t, sim.Config{Without: fixed}, `
			host_mkdir "$H/d" => 0
			host_write "$H/f" "0123456789" => 10
			host_mkfifo "$H/fifo" => 0
			etfs_register "" "$H/f" REG => EINVAL
			etfs_register "f" "$H/f" REG => EINVAL
			etfs_register "f" "$H/nosuch" REG => EINVAL
			etfs_register "../f" "$H/f" REG => EINVAL
			etfs_register "/f" "" REG => ENOENT
			etfs_register "/f" "$H/nosuch" BLK => ENOENT
			etfs_register "/f" "$H/"+"x"*2000 REG => ENAMETOOLONG
			etfs_register "/f" "$H/f/x" REG => ENOTDIR
			etfs_register "/f" "$H/f" DIR => ENOTDIR
			etfs_register "/f" "$H/fifo" DIR_SUBDIRS => ENOTDIR
			etfs_register "/f" "$H/d" BLK => EINVAL
			etfs_register "/f" "$H/fifo" CHR => EINVAL
			etfs_register_withsize "/f" "$H/d" DIR 1 ENDOFF => EISDIR
			etfs_register_withsize "/f" "$H/d" DIR_SUBDIRS 0 1 => EISDIR
			etfs_register_withsize "/f" "$H/f" REG 11 0 => EINVAL
			etfs_register_withsize "/f" "$H/f" REG 11 ENDOFF => EINVAL
			etfs_register_withsize "/f" "$H/f" REG -1 0 => EINVAL
			etfs_register_withsize "/f" "$H/f" REG 10 1 => EINVAL
			etfs_register_withsize "/f" "$H/f" BLK 0 11 => EINVAL
			etfs_register_withsize "/f" "$H/f" CHR 4 7 => EINVAL
			etfs_remove "/f" => ENOENT
			etfs_remove "f" => EINVAL
			etfs_remove "" => EINVAL
			stat "/f" => ENOENT
			etfs_register "/a/../f" "$H/f" REG => 0
			open "/f" O_RDONLY => ENOENT
			f = open "/a/../f" O_RDONLY => 3
			read f 3 => 3 "012"
			etfs_register "/.." "$H/d" DIR => 0
			d = open "/.." O_RDONLY => 4
			getdents d 100 => 48 "tmp":dir:i1 "dev":dir:i2
			etfs_remove "/a/../f" => 0
			etfs_remove "/a/../f" => ENOENT`, "")
	}
}

// TestEtfsSixteenDevices runs out of minor numbers.
func TestEtfsSixteenDevices(t *testing.T) {
	var b strings.Builder
	for i := range 16 {
		fmt.Fprintf(&b, "host_write \"$H/%d\" \"x\" => 1\netfs_register \"/%d\" \"$H/%d\" BLK => 0\n", i, i, i)
	}
	agree(t, sim.Config{}, b.String()+`
		host_write "$H/f" "x" => 1
		etfs_register "/f" "$H/f" BLK => EBUSY
		etfs_remove "/3" => 0
		etfs_register "/f" "$H/f" BLK => 0`, "")
}

// TestEtfsHostChanges has host files that change below their mappings.
func TestEtfsHostChanges(t *testing.T) {
	for _, fixed := range []kern.Quirks{kern.Fixed, kern.Rev1125} {
		agree(t, sim.Config{Without: fixed}, `
			host_mkdir "$H/d" => 0
			host_mkdir "$H/d/s" => 0
			host_write "$H/d/a" "aaa" => 3
			host_mkfifo "$H/d/p" => 0
			host_write "$H/f" "0123456789" => 10
			host_mkfifo "$H/fifo" => 0
			etfs_register "/hd" "$H/d" DIR_SUBDIRS => 0
			etfs_register "/f" "$H/f" REG => 0
			etfs_register "/fifo" "$H/fifo" REG => 0
			etfs_register "/dir" "$H/d" REG => 0
			# a fifo and a directory that are to be regular files
			open "/fifo" O_RDONLY => ENXIO
			open "/hd/p" O_RDONLY => ENOENT
			open "/dir" O_RDWR => EISDIR
			x = open "/dir" O_RDONLY => 3
			read x 1 => EISDIR
			close x => 0
			# one that shrinks
			f = open "/f" O_RDWR => 3
			read f 4 => 4 "0123"
			host_truncate "$H/f" 6 => 0
			read f 100 => 2 "45"
			read f 100 => 0 ""
			# one that vanishes: open files stay
			host_unlink "$H/f" => 0
			pread f 3 0 => 3 "012"
			pwrite f "x" 0 => 1
			close f => 0
			open "/f" O_RDONLY => ENOENT
			# a name that becomes another kind of file
			host_unlink "$H/d/a" => 0
			open "/hd/a" O_RDONLY => ENOENT
			host_symlink "s" "$H/d/a" => 0
			d = open "/hd/a" O_RDONLY => 3
			getdents d 100 => 0
			# what is open below a mapping outlives it
			host_write "$H/d/s/b" "bbbb" => 4
			b = open "/hd/s/b" O_RDONLY => 4
			etfs_remove "/hd" => 0
			read b 10 => 4 "bbbb"
			openat d "b" O_RDONLY => 5
			open "/hd/s/b" O_RDONLY => ENOENT`, "")
	}
}

// TestEtfsHostFaults has a host that refuses or fails.
func TestEtfsHostFaults(t *testing.T) {
	const (
		eIO    = hypercall.HostErrno(kern.EIO)
		eACCES = hypercall.HostErrno(kern.EACCES)
	)
	for _, c := range []struct {
		name   string
		faults []hypercall.Fault
		fixed  kern.Quirks
		trace  string
	}{
		{"unreadable", []hypercall.Fault{{Op: hypercall.OpOpen, Path: "f", Err: eACCES}}, 0, `
			etfs_register "/f" "$H/f" REG => 0
			open "/f" O_RDONLY => EACCES
			open "/f" O_RDWR => EACCES
			etfs_register "/b" "$H/f" BLK => EACCES`},
		{"unreadable, opened for both", []hypercall.Fault{{Op: hypercall.OpOpen, Path: "f", Nth: 1, Err: eACCES}}, 0, `
			etfs_register "/f" "$H/f" REG => 0
			f = open "/f" O_RDWR => 3
			read f 1 => EBADF
			write f "x" => 1`},
		{"unreadable, opened for both, as meant", []hypercall.Fault{{Op: hypercall.OpOpen, Path: "f", Nth: 1, Err: eACCES}}, kern.Rev1125, `
			etfs_register "/f" "$H/f" REG => 0
			open "/f" O_RDWR => EACCES
			f = open "/f" O_RDWR => 3
			read f 1 => 1 "0"`},
		{"unwritable", []hypercall.Fault{{Op: hypercall.OpOpen, Path: "f", Nth: 2, Err: eACCES}}, 0, `
			etfs_register "/f" "$H/f" REG => 0
			open "/f" O_RDWR => EACCES
			f = open "/f" O_RDWR => 3
			read f 1 => 1 "0"`},
		{"no information", []hypercall.Fault{{Op: hypercall.OpFileInfo, Nth: 1, Err: eIO}, {Op: hypercall.OpFileInfo, Path: "/*/d/a", Err: eACCES}}, 0, `
			etfs_register "/f" "$H/f" REG => EIO
			etfs_register "/d" "$H/d" DIR_SUBDIRS => 0
			open "/d/a" O_RDONLY => EACCES`},
		{"transfers fail", []hypercall.Fault{{Op: hypercall.OpReadAt, Nth: 2, Err: eIO}, {Op: hypercall.OpWriteAt, Nth: 1, Err: eIO}}, 0, `
			etfs_register "/f" "$H/f" REG => 0
			f = open "/f" O_RDWR => 3
			read f 4 => 4 "0123"
			read f 4 => EIO
			read f 4 => 4 "4567"
			pwrite f "x" 0 => EIO
			pwrite f "y" 0 => 1
			host_read "$H/f" => 10 "y123456789"`},
		{"transfers end early", []hypercall.Fault{{Op: hypercall.OpReadAt, Short: true, Limit: 3}, {Op: hypercall.OpWriteAt, Short: true, Limit: 2}}, 0, `
			etfs_register "/f" "$H/f" REG => 0
			f = open "/f" O_RDWR => 3
			read f 100 => 3 "012"
			write f "xyz" => 2
			lseek f 0 SEEK_CUR => 5
			host_read "$H/f" => 10 "012xy56789"`},
		{"a transfer fails in the middle", []hypercall.Fault{{Op: hypercall.OpWriteAt, Short: true, Limit: 2, Err: eIO}}, 0, `
			etfs_register "/f" "$H/f" REG => 0
			f = open "/f" O_RDWR => 3
			write f "xyz" => EIO
			lseek f 0 SEEK_CUR => 3
			host_read "$H/f" => 10 "xy23456789"`},
		{"close fails", []hypercall.Fault{{Op: hypercall.OpClose, Err: eIO}}, 0, `
			etfs_register "/f" "$H/f" REG => 0
			etfs_register "/b" "$H/f" BLK => 0
			f = open "/f" O_RDWR => 3
			close f => 0
			etfs_remove "/b" => 0`},
	} {
		t.Run(c.name, func(t *testing.T) {
			agree(t, sim.Config{Faults: c.faults, Without: c.fixed}, `
				host_mkdir "$H/d" => 0
				host_write "$H/d/a" "aaa" => 3
				host_write "$H/f" "0123456789" => 10`+c.trace, "")
		})
	}
}

// TestEtfsSweep makes the calls of one story again and again, and each time
// another call to the host fails: nothing may stop the kernel or be left over,
// and the kernel answers afterwards.
func TestEtfsSweep(t *testing.T) {
	const story = `
		host_mkdir "$H/d" => 0
		host_mkdir "$H/d/s" => 0
		host_write "$H/d/s/b" "bbbb" => 4
		host_write "$H/f" "0123456789" => 10
		host_write "$H/disk" "D"*8192 => 8192
		etfs_register "/f" "$H/f" REG => 0
		etfs_register "/hd" "$H/d" DIR_SUBDIRS => 0
		etfs_register "/blk" "$H/disk" BLK => 0
		etfs_register "/chr" "$H/d/s/b" CHR => 0
		f = open "/f" O_RDWR => 3
		read f 100 => 0
		write f "tail" => 0
		b = open "/hd/s/b" O_RDWR => 0
		read b 100 => 0
		pwrite b "B" 0 => 0
		d = open "/blk" O_RDWR => 0
		read d 100 => 0
		pwrite d "x"*3000 1000 => 0
		fsync d => 0
		c = open "/chr" O_RDONLY => 0
		read c 512 => 0
		close f => 0
		close d => 0
		etfs_remove "/blk" => 0
		etfs_remove "/f" => 0
		etfs_remove "/nosuch" => 0
		mkdir "/after" 0755 => 0
		rmdir "/after" => 0
		`
	sec := parse(t, story)
	for _, fixed := range []kern.Quirks{kern.Fixed, kern.Rev1125} {
		for _, short := range []bool{false, true} {
			calls, hit := int64(0), false
			for n := int64(1); n == 1 || hit; n++ {
				host := hypercall.NewFaultHost(nil, hypercall.Fault{Nth: n, Err: hypercall.HostErrno(kern.EIO), Short: short, Limit: 1})
				o := Run(context.Background(), sec, sim.Config{Mode: hypercall.Deterministic, Host: host, Without: fixed})
				hit, calls = host.Injected() > 0, host.Calls(hypercall.OpAny)
				last := len(o.Results) - 1
				if o.Stop != nil || o.Err != nil || o.Left != nil || o.Results[last] != "0" || o.Results[last-1] != "0" {
					t.Errorf("failing call %d of %d: %v, %v, %v, %q", n, calls, o.Stop, o.Err, o.Left, o.Results)
				}
			}
			if calls < 20 {
				t.Errorf("%d calls to the host", calls)
			}
		}
	}
}

// TestEtfsFaultRate runs the same story against a host that fails one time in
// ten: the same seed gives the same answers.
func TestEtfsFaultRate(t *testing.T) {
	sec := parse(t, `host_write "$H/f" "0123456789" => 10
		etfs_register "/f" "$H/f" REG => 0
		f = open "/f" O_RDWR => 3
		`+strings.Repeat("pread f 4 2 => 0\n", 200))
	run := func(seed uint64) (all string, failed int) {
		o := Run(context.Background(), sec, sim.Config{
			Faults: []hypercall.Fault{{Op: hypercall.OpReadAt, Rate: 1000, Seed: seed, Err: hypercall.HostErrno(kern.EIO)}},
		})
		all = strings.Join(o.Results, "\n")
		return all, strings.Count(all, "EIO")
	}
	one, failed := run(1)
	if failed < 5 || failed > 50 {
		t.Errorf("%d of 200 reads failed", failed)
	}
	if again, _ := run(1); again != one {
		t.Error("the same seed gives other failures")
	}
	if other, _ := run(2); other == one {
		t.Error("another seed gives the same failures")
	}
}

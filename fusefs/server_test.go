//go:build linux

package fusefs

import (
	"errors"
	"fmt"
	"os"
	"slices"
	"sync"
	"syscall"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/hanwen/go-fuse/v2/fuse"

	"rumpvfs/hypercall"
	"rumpvfs/kern"
	"rumpvfs/sim"
)

// A file is made, written, found again under its number, and read through
// another handle; the kernel's own processes see it.
func TestFile(t *testing.T) {
	h := newHost(t, "/mnt")
	d := h.mkdir(root, "d", 0o755)
	c := h.create(d.NodeId, "f", syscall.O_RDWR, 0o640)
	h.write(c.NodeId, c.Fh, 0, "hello, host", syscall.O_RDWR)
	if a := h.stat(c.NodeId); a.Size != 11 || a.Mode != kern.S_IFREG|0o640 || a.Nlink != 1 || a.Blocks != 8 {
		t.Errorf("%+v", a)
	}
	if e := h.lookup(d.NodeId, "f"); e.NodeId != c.NodeId || e.Generation != c.Generation || e.Ino != c.Ino {
		t.Errorf("found %+v, made %+v", e, c)
	}
	fh := h.open(c.NodeId, syscall.O_RDONLY)
	if got := h.read(c.NodeId, fh, 7); got != "host" {
		t.Errorf("read %q", got)
	}
	h.want("fsync", h.Fsync(nil, &fuse.FsyncIn{InHeader: h.header(c.NodeId), Fh: fh}), 0)
	h.close(c.NodeId, fh)
	h.close(c.NodeId, c.Fh)
	sb, err := h.k.Init().Stat("/mnt/d/f")
	if err != nil || sb.Size != 11 || sb.Ino != c.Ino {
		t.Errorf("the kernel sees %+v, %v", sb, err)
	}
	if _, status := h.tryOpen(c.NodeId, syscall.O_RDONLY|syscall.O_TRUNC); !status.Ok() {
		t.Error(status)
	}
	if a := h.stat(c.NodeId); a.Size != 0 {
		t.Errorf("%d bytes after O_TRUNC", a.Size)
	}
}

// Writes to a file that was opened to be appended to go to its end, whatever
// offset the host thinks that is; pages that it writes back go where they belong.
func TestAppend(t *testing.T) {
	h := newHost(t, "/mnt")
	c := h.create(root, "f", syscall.O_RDWR|syscall.O_APPEND, 0o644)
	h.write(c.NodeId, c.Fh, 0, "one ", syscall.O_APPEND)
	h.write(c.NodeId, c.Fh, 0, "two", syscall.O_APPEND)
	n, status := h.Write(nil, &fuse.WriteIn{InHeader: h.header(c.NodeId), Fh: c.Fh, Flags: syscall.O_APPEND, WriteFlags: fuse.WRITE_CACHE}, []byte("ONE"))
	if n != 3 || !status.Ok() {
		t.Fatal(n, status)
	}
	if got := h.read(c.NodeId, c.Fh, 0); got != "ONE two" {
		t.Errorf("read %q", got)
	}
	_, status = h.Write(nil, &fuse.WriteIn{InHeader: h.header(c.NodeId), Fh: c.Fh, Offset: 1<<63 - 2}, []byte("x\n"))
	h.want("write beyond the largest offset", status, syscall.EFBIG)
}

// A file that was removed lives as long as the host has it open, and its vnode
// as long as the host knows it.
func TestUnlinkedFile(t *testing.T) {
	h := newHost(t, "/mnt")
	c := h.create(root, "f", syscall.O_RDWR, 0o644)
	h.write(c.NodeId, c.Fh, 0, "still here", 0)
	h.want("unlink", h.unlink(root, "f"), 0)
	_, status := h.tryLookup(root, "f")
	h.want("lookup", status, syscall.ENOENT)
	if got := h.read(c.NodeId, c.Fh, 0); got != "still here" {
		t.Errorf("read %q", got)
	}
	if a := h.stat(c.NodeId); a.Nlink != 0 {
		t.Errorf("%d links", a.Nlink)
	}
	h.close(c.NodeId, c.Fh)
	h.Forget(c.NodeId, 1)
	var a fuse.AttrOut
	h.want("getattr", h.GetAttr(nil, &fuse.GetAttrIn{InHeader: h.header(c.NodeId)}, &a), syscall.ESTALE)
	again := h.touch(root, "f", 0o644)
	if again == c.NodeId {
		t.Error("the number of a file that the host forgot was given out again")
	}
}

// A node is held for as many times as the host was told of it.
func TestForget(t *testing.T) {
	h := newHost(t, "/mnt")
	f := h.touch(root, "f", 0o644)
	for range 3 {
		h.lookup(root, "f")
	}
	if st := h.stats(); st.Nodes != 2 || st.Lookups != 5 {
		t.Errorf("%+v", st)
	}
	h.Forget(f, 3)
	h.stat(f)
	h.Forget(f, 1)
	if st := h.stats(); st.Nodes != 1 || st.Lookups != 1 {
		t.Errorf("%+v", st)
	}
	h.Forget(f, 1)
	h.Forget(12345, 1)
	h.stat(h.lookup(root, "f").NodeId)
}

// The root has nothing above it, and what is mounted below it belongs to it,
// with numbers of its own.
func TestMountsBelow(t *testing.T) {
	h := newHost(t, "/")
	mnt := h.lookup(root, "mnt")
	f := h.touch(mnt.NodeId, "f", 0o644)
	if up := h.lookup(root, ".."); up.NodeId != root {
		t.Errorf(".. of the root is %d", up.NodeId)
	}
	if up := h.lookup(mnt.NodeId, ".."); up.NodeId != root {
		t.Errorf(".. of the mount is %d", up.NodeId)
	}
	inos := map[uint64]string{}
	for _, name := range []string{"dev", "tmp", "mnt"} {
		inos[h.lookup(root, name).Ino] = name
	}
	if inos[h.stat(f).Ino] = "f"; len(inos) != 4 {
		t.Errorf("numbers of files: %v", inos)
	}
	h.want("rmdir of a mount", h.rmdir(root, "mnt"), syscall.EBUSY)
	h.want("rename out of it", h.rename(mnt.NodeId, "f", root, "f", 0), syscall.EOPNOTSUPP) // rumpfs never gets to compare mounts
	var e fuse.EntryOut
	h.want("link out of it", h.Link(nil, &fuse.LinkIn{InHeader: h.header(root), Oldnodeid: f}, "f", &e), syscall.EXDEV)
}

// Directories are read through small buffers, from any offset, and while what
// was read is removed.
func TestReaddir(t *testing.T) {
	h := newHost(t, "/mnt")
	d := h.mkdir(root, "d", 0o755).NodeId
	want := []string{".", ".."}
	for i := range 300 {
		name := fmt.Sprintf("a name of some length, number %d", i)
		want = append(want, name)
		h.touch(d, name, 0o644)
	}
	for _, size := range []int{100, 512, 1 << 20} {
		if diff := cmp.Diff(want, h.list(d, size)); diff != "" {
			t.Errorf("buffers of %d bytes (-want +got):\n%s", size, diff)
		}
	}
	fh := h.opendir(d)
	first, off := h.readdir(d, fh, 0, 1000)
	second, _ := h.readdir(d, fh, off, 1000)
	for _, name := range append(first[2:], second[0]) {
		h.want("unlink", h.unlink(d, name), 0)
	}
	if again, _ := h.readdir(d, fh, off, 1000); !slices.Equal(again, second) {
		t.Errorf("the same offset gives %q, gave %q", again, second)
	}
	if rewound, _ := h.readdir(d, fh, 0, 1000); rewound[2] != second[1] {
		t.Errorf("rewound, the directory begins with %q", rewound[2])
	}
	h.ReleaseDir(&fuse.ReleaseIn{InHeader: h.header(d), Fh: fh})
	var o fuse.OpenOut
	h.want("opendir of a file", h.OpenDir(nil, &fuse.OpenIn{InHeader: h.header(h.touch(root, "f", 0o644))}, &o), syscall.ENXIO)
}

// READDIRPLUS counts as a lookup of each name but . and ..
func TestReaddirplus(t *testing.T) {
	h := newHost(t, "/mnt")
	f := h.touch(root, "f", 0o604)
	h.k.Init().Mknod("/mnt/gone", kern.S_IFWHT, 0)
	fh := h.opendir(root)
	before := h.stats()
	b := make([]byte, 4096)
	l := fuse.NewDirEntryList(b, 0)
	h.want("readdirplus", h.ReadDirPlus(nil, &fuse.ReadIn{InHeader: h.header(root), Fh: fh}, l), 0)
	if after := h.stats(); after.Lookups != before.Lookups+1 || l.Offset != 3 {
		t.Errorf("%+v, before %+v, offset %d", after, before, l.Offset)
	}
	h.ReleaseDir(&fuse.ReleaseIn{InHeader: h.header(root), Fh: fh})
	h.Forget(f, 2)
	if st := h.stats(); st.Nodes != 1 {
		t.Errorf("%+v", st)
	}
}

func TestNames(t *testing.T) {
	h := newHost(t, "/mnt")
	f := h.touch(root, "f", 0o644)
	d := h.mkdir(root, "d", 0o755).NodeId
	var e fuse.EntryOut
	h.want("link", h.Link(nil, &fuse.LinkIn{InHeader: h.header(d), Oldnodeid: f}, "g", &e), 0)
	if e.NodeId != f || e.Nlink != 2 {
		t.Errorf("%+v", e)
	}
	h.want("link over it", h.Link(nil, &fuse.LinkIn{InHeader: h.header(root), Oldnodeid: f}, "f", &e), syscall.EEXIST)
	h.want("link of a directory", h.Link(nil, &fuse.LinkIn{InHeader: h.header(root), Oldnodeid: d}, "e", &e), syscall.EPERM)
	in := h.header(root)
	h.want("symlink", h.Symlink(nil, &in, "d/g", "s", &e), 0)
	link := h.header(e.NodeId)
	if to, status := h.Readlink(nil, &link); string(to) != "d/g" || !status.Ok() {
		t.Errorf("%q %v", to, status)
	}
	file := h.header(f)
	_, status := h.Readlink(nil, &file)
	h.want("readlink of a file", status, syscall.EINVAL)
	h.want("unlink of a directory", h.unlink(root, "d"), syscall.EPERM)
	h.want("rmdir of a file", h.rmdir(root, "f"), syscall.ENOTDIR)
	h.want("rmdir of .", h.rmdir(root, "."), syscall.EBUSY)
	h.want("rmdir of . of a directory", h.rmdir(d, "."), syscall.EINVAL)
	h.want("rmdir of a full one", h.rmdir(root, "d"), syscall.ENOTEMPTY)
	h.want("rename", h.rename(root, "f", d, "f", 0), 0)
	h.want("rename of .", h.rename(d, ".", root, "x", 0), syscall.EINVAL)
	h.want("rename into itself", h.rename(root, "d", d, "x", 0), syscall.EINVAL)
	h.want("rename of nothing", h.rename(root, "f", d, "f", 0), syscall.ENOENT)
	h.want("RENAME_NOREPLACE", h.rename(d, "f", d, "h", 1), syscall.EINVAL)
	h.want("RENAME_EXCHANGE", h.rename(d, "f", d, "g", 2), syscall.EINVAL)
	if got := h.list(d, 4096); !slices.Equal(got, []string{".", "..", "g", "f"}) {
		t.Errorf("%q", got)
	}
	for _, name := range []string{"a/b", "a\x00b"} {
		_, status := h.tryLookup(root, name)
		h.want(fmt.Sprintf("lookup %q", name), status, syscall.EINVAL)
	}
	_, status = h.tryLookup(root, string(make([]byte, 256)))
	h.want("lookup of zeros", status, syscall.EINVAL)
	_, status = h.tryLookup(f, "x")
	h.want("lookup in a file", status, syscall.ENOTDIR)
	_, status = h.tryCreate(root, "d", syscall.O_EXCL|syscall.O_RDWR, 0o644)
	h.want("create over a directory", status, syscall.EEXIST)
}

func TestMknod(t *testing.T) {
	h := newHost(t, "/mnt")
	for _, c := range []struct {
		mode   uint32
		uid    uint32
		status syscall.Errno
	}{
		{kern.S_IFREG | 0o600, 100, 0},
		{kern.S_IFIFO | 0o600, 100, 0},
		{kern.S_IFSOCK | 0o600, 100, 0},
		{kern.S_IFCHR | 0o600, 0, 0},
		{kern.S_IFBLK | 0o600, 0, 0},
		{kern.S_IFCHR | 0o600, 100, syscall.EPERM},
		{kern.S_IFDIR | 0o600, 0, syscall.EINVAL},
		{kern.S_IFLNK | 0o600, 0, syscall.EINVAL},
	} {
		h := h.as(c.uid, 100)
		name := fmt.Sprintf("%o by %d", c.mode, c.uid)
		var e fuse.EntryOut
		const dev = 0x12300456 // major 0x004, minor 0x12356
		h.want("mknod "+name, h.Mknod(nil, &fuse.MknodIn{InHeader: h.header(root), Mode: c.mode, Rdev: dev}, name, &e), c.status)
		if c.status != 0 {
			continue
		}
		rdev := uint32(0)
		if kern.S_ISCHR(c.mode) || kern.S_ISBLK(c.mode) {
			rdev = dev
		}
		if e.Mode != c.mode || e.Rdev != rdev || e.Uid != c.uid {
			t.Errorf("%s: %+v", name, e)
		}
		if _, status := h.tryOpen(e.NodeId, syscall.O_RDONLY); !kern.S_ISREG(c.mode) {
			h.want("open "+name, status, syscall.ENXIO)
		}
	}
}

// The kernel's rules decide, by user, group and the groups of the process.
func TestPermissions(t *testing.T) {
	h := newHost(t, "/mnt")
	d := h.mkdir(root, "d", 0o750).NodeId
	h.touch(d, "f", 0o644)
	_, status := h.as(1, 1).tryLookup(d, "f")
	h.want("a stranger looks", status, syscall.EACCES)
	h.as(1, 0).lookup(d, "f")
	_, status = h.as(1, 0).tryCreate(d, "g", syscall.O_RDWR, 0o644)
	h.want("the group writes", status, syscall.EACCES)
	f := h.lookup(d, "f").NodeId
	_, status = h.as(1, 1).tryOpen(f, syscall.O_WRONLY)
	h.want("open", status, syscall.EACCES)
	h.want("access", h.as(1, 1).Access(nil, &fuse.AccessIn{InHeader: h.as(1, 1).header(f), Mask: fuse.W_OK}), syscall.EACCES)
	h.want("access", h.as(1, 1).Access(nil, &fuse.AccessIn{InHeader: h.as(1, 1).header(f), Mask: fuse.R_OK}), 0)
	h.want("access", h.Access(nil, &fuse.AccessIn{InHeader: h.header(f), Mask: fuse.R_OK | fuse.W_OK}), 0)
	h.want("chmod", h.as(1, 1).chmod(f, 0o777), syscall.EPERM)
	// The sticky root directory.
	mine := h.as(7, 7).touch(root, "mine", 0o666)
	h.want("unlink", h.as(8, 8).unlink(root, "mine"), syscall.EPERM)
	h.want("rename", h.as(8, 8).rename(root, "mine", root, "yours", 0), syscall.EPERM)
	if a := h.stat(mine); a.Uid != 7 || a.Gid != 0 { // the group of the directory
		t.Errorf("owner %d, group %d", a.Uid, a.Gid)
	}
	// A program that may be executed need not be readable.
	h.want("chmod", h.chmod(f, 0o711), 0)
	_, status = h.as(1, 1).tryOpen(f, syscall.O_RDONLY)
	h.want("open to read", status, syscall.EACCES)
	fh := h.as(1, 1).open(f, syscall.O_RDONLY|hostExec)
	h.close(f, fh)
	// The groups are those of the calling process.
	groups, err := os.Getgroups()
	ok(t, err)
	h2 := h.as(1, 1)
	h2.caller.Pid = uint32(os.Getpid())
	in := h2.header(f)
	if got := h.creds.of(&in).Groups; len(got) != len(groups) {
		t.Errorf("groups %v, want %v", got, groups)
	}
}

func TestParseGroups(t *testing.T) {
	for text, want := range map[string][]uint32{
		"Name:\tx\nGroups:\t4 24 1000 \nNStgid:\t1\n": {4, 24, 1000},
		"Groups:\t\n":               nil,
		"Groups:\tx 4294967296 5\n": {5},
		"":                          nil,
	} {
		if got := parseGroups([]byte(text)); !slices.Equal(got, want) {
			t.Errorf("%q: %v, want %v", text, got, want)
		}
	}
	if got := groupsOf(1 << 30); got != nil {
		t.Errorf("groups %v of no process", got)
	}
}

func TestAttributes(t *testing.T) {
	h := newHost(t, "/mnt")
	f := h.as(7, 7).touch(root, "f", 0o644)
	a, status := h.setattr(f, func(in *fuse.SetAttrIn) {
		in.Valid = fuse.FATTR_ATIME | fuse.FATTR_MTIME
		in.Atime, in.Atimensec, in.Mtime, in.Mtimensec = 1000, 1, 2000, 2
	})
	h.want("utimensat", status, 0)
	if a.Atime != 1000 || a.Atimensec != 1 || a.Mtime != 2000 || a.Mtimensec != 2 {
		t.Errorf("%+v", a)
	}
	// UTIME_OMIT for the access time, UTIME_NOW for the other.
	now := time.Now()
	a, status = h.setattr(f, func(in *fuse.SetAttrIn) { in.Valid = fuse.FATTR_MTIME | fuse.FATTR_MTIME_NOW })
	h.want("utimensat", status, 0)
	if a.Atime != 1000 || int64(a.Mtime) < now.Unix()-1 {
		t.Errorf("%+v", a)
	}
	// Both now: for who may write. Otherwise for the owner.
	both := uint32(fuse.FATTR_ATIME | fuse.FATTR_MTIME | fuse.FATTR_ATIME_NOW | fuse.FATTR_MTIME_NOW)
	_, status = h.as(8, 8).setattr(f, func(in *fuse.SetAttrIn) { in.Valid = both })
	h.want("touch", status, syscall.EACCES)
	h.want("chmod", h.as(7, 7).chmod(f, 0o666), 0)
	_, status = h.as(8, 8).setattr(f, func(in *fuse.SetAttrIn) { in.Valid = both })
	h.want("touch", status, 0)
	_, status = h.as(8, 8).setattr(f, func(in *fuse.SetAttrIn) { in.Valid = fuse.FATTR_ATIME })
	h.want("utimensat", status, syscall.EPERM)

	// chown takes set-id bits away, if it is not the superuser's.
	h.want("chmod", h.chmod(f, 0o6755), 0)
	a, status = h.setattr(f, func(in *fuse.SetAttrIn) { in.Valid, in.Uid, in.Gid = fuse.FATTR_UID|fuse.FATTR_GID, 9, 10 })
	h.want("chown", status, 0)
	if a.Uid != 9 || a.Gid != 10 || a.Mode != kern.S_IFREG|0o6755 {
		t.Errorf("%+v", a)
	}
	a, status = h.as(9, 9).setattr(f, func(in *fuse.SetAttrIn) { in.Valid, in.Gid = fuse.FATTR_GID, 9 })
	h.want("chgrp", status, 0)
	if a.Gid != 9 || a.Mode != kern.S_IFREG|0o755 {
		t.Errorf("%+v", a)
	}
	_, status = h.as(9, 9).setattr(f, func(in *fuse.SetAttrIn) { in.Valid, in.Uid = fuse.FATTR_UID, 11 })
	h.want("giving away", status, syscall.EPERM)
	h.want("chmod of nothing", h.chmod(999, 0o644), syscall.ESTALE)
}

func TestTruncate(t *testing.T) {
	h := newHost(t, "/mnt")
	c := h.create(root, "f", syscall.O_RDWR, 0o600)
	h.write(c.NodeId, c.Fh, 0, "0123456789", 0)
	size := func(n uint64) func(in *fuse.SetAttrIn) {
		return func(in *fuse.SetAttrIn) { in.Valid, in.Size = fuse.FATTR_SIZE, n }
	}
	a, status := h.setattr(c.NodeId, size(4))
	h.want("truncate", status, 0)
	if a.Size != 4 {
		t.Errorf("%+v", a)
	}
	_, status = h.as(1, 1).setattr(c.NodeId, size(2))
	h.want("truncate by another", status, syscall.EACCES)
	// Through a handle whoever has it may.
	_, status = h.as(1, 1).setattr(c.NodeId, func(in *fuse.SetAttrIn) {
		in.Valid, in.Size, in.Fh = fuse.FATTR_SIZE|fuse.FATTR_FH, 6, c.Fh
	})
	h.want("ftruncate", status, 0)
	if got := h.read(c.NodeId, c.Fh, 0); got != "0123\x00\x00" {
		t.Errorf("%q", got)
	}
	fh := h.open(c.NodeId, syscall.O_RDONLY)
	_, status = h.setattr(c.NodeId, func(in *fuse.SetAttrIn) { in.Valid, in.Size, in.Fh = fuse.FATTR_SIZE|fuse.FATTR_FH, 6, fh })
	h.want("ftruncate of what is open to be read", status, syscall.EINVAL)
	_, status = h.setattr(c.NodeId, func(in *fuse.SetAttrIn) { in.Valid, in.Fh = fuse.FATTR_SIZE|fuse.FATTR_FH, 999 })
	h.want("ftruncate of nothing", status, syscall.EBADF)
	_, status = h.setattr(root, size(0))
	h.want("truncate of a directory", status, syscall.EISDIR)
}

// The host says when set-id bits go with a write, and then they do.
func TestKillPriv(t *testing.T) {
	h := newHost(t, "/mnt")
	c := h.create(root, "f", syscall.O_RDWR, 0o666)
	for _, m := range []struct{ before, after uint32 }{{0o6777, 0o777}, {0o2666, 0o2666}, {0o4666, 0o666}} {
		h.want("chmod", h.chmod(c.NodeId, m.before), 0)
		_, status := h.as(5, 5).Write(nil, &fuse.WriteIn{InHeader: h.header(c.NodeId), Fh: c.Fh, WriteFlags: fuse.WRITE_KILL_SUIDGID}, []byte("x"))
		h.want("write", status, 0)
		if a := h.stat(c.NodeId); a.Mode != kern.S_IFREG|m.after {
			t.Errorf("%o after a write to %o", a.Mode, m.before)
		}
		h.want("chmod", h.chmod(c.NodeId, m.before), 0)
		a, status := h.setattr(c.NodeId, func(in *fuse.SetAttrIn) { in.Valid = fuse.FATTR_SIZE | fuse.FATTR_KILL_SUIDGID })
		h.want("truncate", status, 0)
		if a.Mode != kern.S_IFREG|m.after {
			t.Errorf("%o after truncating %o", a.Mode, m.before)
		}
	}
	h.want("chmod", h.chmod(c.NodeId, 0o4666), 0)
	var o fuse.OpenOut
	in := fuse.OpenIn{InHeader: h.header(c.NodeId), Flags: syscall.O_WRONLY | syscall.O_TRUNC, Mode: openKillPriv}
	h.want("open", h.Open(nil, &in, &o), 0)
	if a := h.stat(c.NodeId); a.Mode != kern.S_IFREG|0o666 {
		t.Errorf("%o after O_TRUNC", a.Mode)
	}
}

func TestStatfs(t *testing.T) {
	h := newHost(t, "/mnt")
	in := h.header(root)
	var out fuse.StatfsOut
	h.want("statfs", h.StatFs(nil, &in, &out), 0)
	if out.Bsize != 4096 || out.NameLen != 255 || out.Bfree == 0 || out.Bfree > out.Blocks || out.Ffree >= out.Files {
		t.Errorf("%+v", out)
	}
}

// What the kernel of 2014 does not have is not made up.
func TestWhatThereIsNot(t *testing.T) {
	h := newHost(t, "/mnt")
	c := h.create(root, "f", syscall.O_RDWR, 0o644)
	in := h.header(c.NodeId)
	_, status := h.GetXAttr(nil, &in, "user.x", nil)
	h.want("getxattr", status, syscall.ENOSYS)
	h.want("fallocate", h.Fallocate(nil, &fuse.FallocateIn{InHeader: in, Fh: c.Fh, Length: 1}), syscall.ENOSYS)
}

// A panic of the kernel answers this and all later requests with EIO.
func TestPanic(t *testing.T) {
	k, err := sim.Boot(sim.Config{Hooks: &kern.Hooks{Fault: func(_ *kern.Lwp, op string) error {
		if op == "VOP_SYMLINK" {
			kern.Panicf("the disk is on fire")
		}
		return nil
	}}})
	ok(t, err)
	var told logWriter
	s, err := newServer(k, "/tmp", &Options{Logger: told.logger()})
	ok(t, err)
	h := &host{server: s, t: t, k: k}
	f := h.touch(root, "f", 0o644)
	var e fuse.EntryOut
	for range 2 {
		in := h.header(root)
		h.want("symlink", h.Symlink(nil, &in, "f", "s", &e), syscall.EIO)
	}
	var a fuse.AttrOut
	h.want("getattr", h.GetAttr(nil, &fuse.GetAttrIn{InHeader: h.header(f)}, &a), syscall.EIO)
	h.Forget(f, 1)
	s.OnUnmount()
	if told.lines() != 1 {
		t.Errorf("%d lines in the log", told.lines())
	}
	if err := k.Shutdown(); err != nil {
		t.Error(err)
	}
}

func TestServerErrors(t *testing.T) {
	k, err := sim.Boot(sim.Config{Mode: hypercall.Deterministic})
	ok(t, err)
	if _, err := newServer(k, "/", &Options{}); !errors.Is(err, errMode) {
		t.Error(err)
	}
	ok(t, k.Shutdown())
	k, err = sim.Boot(sim.Config{})
	ok(t, err)
	for path, want := range map[string]error{
		"/nothing": kern.ENOENT, "/dev/null": kern.ENOTDIR, string(make([]byte, 2000)): kern.ENOENT,
	} {
		if _, err := newServer(k, path, &Options{}); err != want {
			t.Errorf("%.10q: %v, want %v", path, err, want)
		}
	}
	ok(t, k.Shutdown())
	if _, err := newServer(k, "/", &Options{}); err != kern.ESRCH {
		t.Error(err)
	}
}

// Many programs at once, on files of their own and on one that they share.
func TestManyCallers(t *testing.T) {
	h := newHost(t, "/mnt")
	shared := h.create(root, "shared", syscall.O_RDWR, 0o666)
	var wg sync.WaitGroup
	for i := range 8 {
		wg.Go(func() {
			h := h.as(uint32(i), 1)
			name := fmt.Sprintf("f%d", i)
			for range 50 {
				c, status := h.tryCreate(root, name, syscall.O_RDWR, 0o644)
				if !status.Ok() {
					t.Error(status)
					return
				}
				n, status := h.Write(nil, &fuse.WriteIn{InHeader: h.header(shared.NodeId), Fh: shared.Fh, Flags: syscall.O_APPEND}, []byte{'x'})
				if n != 1 || !status.Ok() {
					t.Error(n, status)
				}
				if status := h.unlink(root, name); !status.Ok() {
					t.Error(status)
				}
				h.close(c.NodeId, c.Fh)
				h.Forget(c.NodeId, 1)
			}
		})
	}
	wg.Wait()
	if a := h.stat(shared.NodeId); a.Size != 400 {
		t.Errorf("%d bytes appended", a.Size)
	}
	if st := h.stats(); st.Nodes != 2 {
		t.Errorf("%+v", st)
	}
}

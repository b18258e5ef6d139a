package tmpfs_test

import (
	"fmt"
	"math"
	"strings"
	"testing"

	"rumpvfs/kern"
	"rumpvfs/sim"
	"rumpvfs/tmpfs"
	"rumpvfs/uvm"
	"rumpvfs/vnode"
)

// A tmpfs is full when it is full, to the call, and what is removed makes room.
func TestNodesLimit(t *testing.T) {
	w := newWorld(t, &tmpfs.Args{NodesMax: 5, RootMode: 0o755})
	w.make("a", "b", "c") // and the root: one less than the limit
	w.want("mkdir", w.p.Mkdir("d", 0o755), kern.ENOSPC)
	w.want("create", reopen(w.p, "d", kern.O_CREAT|kern.O_WRONLY), kern.ENOSPC)
	w.want("symlink", w.p.Symlink("x", "d"), kern.ENOSPC)
	w.ok(w.p.Link("a", "d")) // takes no node
	if sb := w.statvfs(); sb.Files != 5 || sb.Ffree != 1 {
		t.Errorf("%d files, %d free", sb.Files, sb.Ffree)
	}
	w.ok(w.p.Unlink("b"))
	w.make("e/")
}

func TestSizeLimit(t *testing.T) {
	const pages = 16
	w := newWorld(t, &tmpfs.Args{SizeMax: pages * kern.PAGE_SIZE, RootMode: 0o755})
	fd, err := w.p.Open("f", kern.O_CREAT|kern.O_RDWR, 0o644)
	w.ok(err)
	_, err = w.p.Write(fd, make([]byte, pages*kern.PAGE_SIZE))
	w.want("write", err, kern.ENOSPC)
	if sb := w.stat("f"); sb.Size != 0 {
		t.Errorf("%d bytes are left of it", sb.Size)
	}
	w.want("truncate", w.p.Ftruncate(fd, pages*kern.PAGE_SIZE), kern.ENOSPC) // holes are charged too
	w.ok(w.p.Ftruncate(fd, (pages-1)*kern.PAGE_SIZE))
	_, err = w.p.Pwrite(fd, []byte("x"), pages*kern.PAGE_SIZE)
	w.want("write behind the end", err, kern.ENOSPC)
	_, err = w.p.Pwrite(fd, []byte("x"), math.MaxInt64-1)
	w.want("write at the end of all offsets", err, kern.ENOSPC)
	sb := w.statvfs()
	if sb.Blocks != pages || sb.Bfree != 0 || sb.Bavail != 0 || sb.Bsize != kern.PAGE_SIZE || sb.Namemax != 255 {
		t.Errorf("%+v", sb)
	}
	for i := range 1000 { // until the last page is full of names
		if err = w.p.Link("f", fmt.Sprintf("name%d", i)); err != nil {
			break
		}
	}
	w.want("link", err, kern.ENOSPC)
	w.want("symlink", w.p.Symlink(strings.Repeat("x", 500), "s"), kern.ENOSPC)
	w.want("rename to a longer name", w.p.Rename("f", strings.Repeat("f", 250)), kern.ENOSPC)
	w.want("whiteout", w.p.Mknod("w", kern.S_IFWHT, 0), kern.ENOSPC)
	// On the way to enough room there is some for a node, but not for its
	// name as well.
	for i := 0; ; i++ {
		if err = w.p.Mkdir("dir", 0o755); err == nil {
			break
		}
		w.want("mkdir", err, kern.ENOSPC)
		w.ok(w.p.Unlink(fmt.Sprintf("name%d", i)))
	}
	w.ok(w.p.Ftruncate(fd, 1))
	if sb := w.statvfs(); sb.Bfree != pages-2 {
		t.Errorf("%d pages free", sb.Bfree)
	}
	w.ok(w.p.Close(fd))
	w.make("d/", "s->x")
}

// What a mount was given is what it answers; an update gives less only if less
// is in use.
func TestMountArgs(t *testing.T) {
	for _, c := range []struct{ given, got tmpfs.Args }{
		{tmpfs.Args{}, tmpfs.Args{NodesMax: math.MaxInt32, SizeMax: -1}},
		{tmpfs.Args{NodesMax: 3, SizeMax: 1 << 20}, tmpfs.Args{NodesMax: 3 + 1<<10, SizeMax: 1 << 20}},
		{tmpfs.Args{NodesMax: 4, SizeMax: 4095}, tmpfs.Args{NodesMax: 4, SizeMax: -1}},
		{tmpfs.Args{NodesMax: math.MaxUint64, SizeMax: -8192}, tmpfs.Args{NodesMax: math.MaxInt32, SizeMax: -1}},
		{tmpfs.Args{RootUID: 3, RootGID: 4, RootMode: 0o17777}, tmpfs.Args{NodesMax: math.MaxInt32, SizeMax: -1, RootUID: 3, RootGID: 4, RootMode: 0o7777}},
	} {
		w := newWorld(t, &c.given)
		var got tmpfs.Args
		w.ok(w.p.Mount(tmpfs.MOUNT_TMPFS, "/t", kern.MNT_GETARGS, &got))
		if got != c.got {
			t.Errorf("mounted with %+v, got %+v, want %+v", c.given, got, c.got)
		}
	}
	w := newWorld(t, tmpfs.DefaultArgs())
	w.make("a", "b", "c/")
	update := func(a tmpfs.Args) error { return w.p.Mount(tmpfs.MOUNT_TMPFS, "/t", kern.MNT_UPDATE, &a) }
	w.want("fewer nodes", update(tmpfs.Args{NodesMax: 4 - 1}), nil) // 3 is as many as memory allows
	w.write("big", strings.Repeat("x", 10000))
	w.want("less memory", update(tmpfs.Args{SizeMax: 8192}), kern.EBUSY)
	w.want("fewer nodes", update(tmpfs.Args{NodesMax: 4}), kern.EBUSY)
	w.ok(update(tmpfs.Args{NodesMax: 6, SizeMax: 1 << 20, RootUID: 5, RootGID: 6, RootMode: 0o700}))
	if sb := w.stat("."); sb.UID != 5 || sb.GID != 6 || sb.Mode != kern.S_IFDIR|0o700 {
		t.Errorf("%+v", sb)
	}
	w.want("no arguments", w.p.Mount(tmpfs.MOUNT_TMPFS, "/t/c", 0, nil), kern.EINVAL)
	w.want("bytes for arguments", w.p.Mount(tmpfs.MOUNT_TMPFS, "/t/c", 0, vnode.MountData("x")), kern.EINVAL)
	w.want("a null pointer", w.p.Mount(tmpfs.MOUNT_TMPFS, "/t/c", 0, (*tmpfs.Args)(nil)), kern.EINVAL)
	w.want("too little memory for a root", w.p.Mount(tmpfs.MOUNT_TMPFS, "/t/c", 0, &tmpfs.Args{NodesMax: 5, SizeMax: 4096}), nil)
	w.ok(w.p.Unmount("/t/c", 0))
}

// A mount ends with all that is in it, but not while it is in use, unless that
// is forced.
func TestUnmount(t *testing.T) {
	w := newWorld(t, tmpfs.DefaultArgs())
	w.make("a/", "a/b/", "a/b/c", "d", "d=e", "s->a/b")
	w.ok(w.p.Mknod("w", kern.S_IFWHT, 0))
	w.ok(w.p.Mknod("zero", kern.S_IFCHR|0o666, kern.Makedev(2, 12)))
	w.ok(w.p.Mkfifo("fifo", 0o644))
	w.want("unmount", w.p.Unmount("/t", 0), kern.EBUSY)
	w.ok(w.p.Chdir("/"))
	fd, err := w.p.Open("/t/a/b/c", kern.O_RDWR, 0)
	w.ok(err)
	gone, err := w.p.Open("/t/d", kern.O_RDWR, 0)
	w.ok(err)
	w.ok(w.p.Unlink("/t/d"))
	w.ok(w.p.Unlink("/t/e"))
	w.want("unmount", w.p.Unmount("/t", 0), kern.EBUSY)
	w.ok(w.p.Unmount("/t", kern.MNT_FORCE))
	for _, fd := range []int{fd, gone} {
		_, err = w.p.Pread(fd, make([]byte, 10), 0)
		w.want("read", err, kern.EIO)
		w.ok(w.p.Close(fd))
	}
	_, err = w.p.Stat("/t/a")
	w.want("stat", err, kern.ENOENT)
}

// A read-only mount lets nothing change, and everything be read.
func TestReadOnly(t *testing.T) {
	w := newWorld(t, tmpfs.DefaultArgs())
	w.make("f", "d/", "s->f")
	w.want("update", w.p.Mount(tmpfs.MOUNT_TMPFS, "/t", kern.MNT_UPDATE|kern.MNT_RDONLY, tmpfs.DefaultArgs()), kern.EOPNOTSUPP)
	w.ok(w.in(".", func(_ *kern.Lwp, vp *vnode.Vnode) error {
		vp.Mount().SetFlag(kern.MNT_RDONLY) // as if it had been mounted so with its files
		return nil
	}))
	for call, err := range map[string]error{
		"create":   reopen(w.p, "g", kern.O_CREAT|kern.O_WRONLY),
		"write":    reopen(w.p, "f", kern.O_WRONLY),
		"unlink":   w.p.Unlink("f"),
		"rename":   w.p.Rename("f", "g"),
		"mkdir":    w.p.Mkdir("e", 0o755),
		"rmdir":    w.p.Rmdir("d"),
		"chmod":    w.p.Chmod("f", 0o600),
		"chown":    w.p.Chown("f", 1, 1),
		"chflags":  w.p.Chflags("f", 1),
		"utimes":   w.p.Utimes("f", nil),
		"truncate": w.p.Truncate("f", 0),
	} {
		w.want(call, err, kern.EROFS)
	}
	if got := w.read("s"); got != "f" {
		t.Errorf("%q", got)
	}
}

// A file handle leads to its file for as long as the file has a name or a
// user, and never to another that has its number.
func TestFileHandles(t *testing.T) {
	w := newWorld(t, tmpfs.DefaultArgs())
	w.make("f", "d/")
	fh, err := w.p.Getfh("f")
	w.ok(err)
	find := func(fh []byte) (ino uint64, err error) {
		err = w.in(".", func(l *kern.Lwp, dvp *vnode.Vnode) error {
			vp, err := vnode.VFS_FHTOVP(l, dvp.Mount(), fh)
			if err != nil {
				return err
			}
			var va vnode.Vattr
			err = vnode.VOP_GETATTR(l, vp, &va, l.Cred)
			ino = va.Fileid
			vp.Put(l)
			return err
		})
		return ino, err
	}
	was := w.stat("f").Ino
	if ino, err := find(fh); ino != was || err != nil {
		t.Errorf("file %d, want %d: %v", ino, was, err)
	}
	_, err = find(fh[:8])
	w.want("half a handle", err, kern.EINVAL)
	fd, err := w.p.Open("f", kern.O_RDWR, 0)
	w.ok(err)
	w.ok(w.p.Unlink("f"))
	if ino, err := find(fh); ino != was || err != nil {
		t.Errorf("open, but without a name: file %d, want %d: %v", ino, was, err)
	}
	w.ok(w.p.Close(fd))
	_, err = find(fh)
	w.want("a file that is gone", err, kern.ESTALE)
	w.make("g")
	if ino := w.stat("g").Ino; ino != was {
		t.Fatalf("the number %d was not used again, but %d", was, ino)
	}
	_, err = find(fh)
	w.want("another file of the same number", err, kern.ESTALE)
	err = w.in(".", func(l *kern.Lwp, dvp *vnode.Vnode) error {
		_, err := vnode.VFS_VGET(l, dvp.Mount(), 2)
		return err
	})
	w.want("vget", err, kern.EOPNOTSUPP)
}

// A directory is read on from any entry, whatever happens to the others; an
// offset is never that of another entry.
func TestReaddirCookies(t *testing.T) {
	w := newWorld(t, tmpfs.DefaultArgs())
	for i := range 100 {
		w.make(fmt.Sprintf("f%d", i))
	}
	type entry struct {
		name string
		next int64
	}
	read := func(off int64, size int) (ents []entry, eof bool, err error) {
		err = w.in(".", func(l *kern.Lwp, vp *vnode.Vnode) error {
			_ = vp.Lock(l, vnode.LK_SHARED|vnode.LK_RETRY)
			defer vnode.VOP_UNLOCK(l, vp)
			var uio kern.Uio
			var iov [1][]byte
			var cookies vnode.Cookies
			b := make([]byte, size)
			uio.InitUio(&iov, b, off, kern.UIO_READ)
			var err error
			eof, err = vnode.VOP_READDIR(l, vp, &uio, l.Cred, &cookies)
			for i, d := range decode(t, b[:size-int(uio.Resid)]) {
				ents = append(ents, entry{d.Name, cookies[i]})
			}
			if len(ents) > 0 && ents[len(ents)-1].next != uio.Offset {
				t.Errorf("the offset is %d, the last cookie %d", uio.Offset, ents[len(ents)-1].next)
			}
			return err
		})
		return ents, eof, err
	}
	all, eof, err := read(0, 1<<16)
	if len(all) != 102 || !eof || err != nil {
		t.Fatalf("%d entries, end %t: %v", len(all), eof, err)
	}
	for i, e := range all[:101] {
		if ents, _, err := read(e.next, 40); err != nil || len(ents) == 0 || ents[0] != all[i+1] {
			t.Fatalf("behind %v: %v, want %v: %v", e, ents, all[i+1], err)
		}
	}
	// Those before go, those behind come.
	for _, e := range all[2:50] {
		w.ok(w.p.Unlink(e.name))
	}
	w.make("new")
	rest, eof, err := read(all[49].next, 1<<16)
	if err != nil || !eof || len(rest) != 53 || rest[0].name != all[50].name || rest[52].name != "new" {
		t.Errorf("%d entries, end %t: %v", len(rest), eof, err)
	}
	// The entry of the offset itself is gone.
	_, _, err = read(all[20].next, 1<<16)
	w.want("readdir", err, kern.EINVAL)
	if ents, _, err := read(all[0].next, 40); err != nil || ents[0].name != ".." || ents[0].next != all[49].next {
		t.Errorf("%v %v", ents, err)
	}
	if ents, eof, err := read(all[101].next, 100); len(ents) != 0 || !eof || err != nil {
		t.Errorf("at the end: %v, end %t: %v", ents, eof, err)
	}
	if ents, eof, err := read(0, 10); len(ents) != 0 || eof || err != nil {
		t.Errorf("without room: %v, end %t: %v", ents, eof, err)
	}
	err = w.in("new", func(l *kern.Lwp, vp *vnode.Vnode) error {
		_ = vp.Lock(l, vnode.LK_SHARED|vnode.LK_RETRY)
		defer vnode.VOP_UNLOCK(l, vp)
		_, err := vnode.VOP_READDIR(l, vp, &kern.Uio{}, l.Cred, nil)
		return err
	})
	w.want("readdir of a file", err, kern.ENOTDIR)
}

// A whiteout is no file, but holds a name that can be seen, taken away and
// covered.
func TestWhiteouts(t *testing.T) {
	w := newWorld(t, tmpfs.DefaultArgs())
	w.make("d/")
	w.ok(w.p.Mknod("d/w", kern.S_IFWHT, 0))
	w.ok(w.p.Mknod("d/v", kern.S_IFWHT, 0))
	_, err := w.p.Stat("d/w")
	w.want("stat", err, kern.ENOENT)
	if ents := w.list("d"); len(ents) != 4 || ents[2].Type != kern.DT_WHT || ents[2].Fileno != 1 {
		t.Errorf("%v", ents)
	}
	w.make("d/w")
	if got := w.stat("d/w").FileFlags; got != kern.UF_OPAQUE {
		t.Errorf("flags %#x of what covers a whiteout", got)
	}
	w.want("rmdir", w.p.Rmdir("d"), kern.ENOTEMPTY)
	w.want("undelete of a file", w.p.Undelete("d/w"), kern.EEXIST)
	w.want("undelete", w.p.Undelete("d/v"), kern.ENOENT) // lookup says so, in the reference too
	w.ok(w.whiteout("d", "v", vnode.DELETE))
	w.ok(w.whiteout("d", "v", vnode.LOOKUP))
	w.want("delete of no whiteout", w.whiteout("d", "v", vnode.DELETE), kern.ENOENT)
	w.ok(w.whiteout("d", "v", vnode.CREATE))
	// Removing with DOWHITEOUT leaves one.
	for _, op := range []string{"remove", "rmdir"} {
		name := op
		if op == "rmdir" {
			w.make("d/rmdir/")
		} else {
			w.make("d/remove")
		}
		w.ok(w.in("d", func(l *kern.Lwp, dvp *vnode.Vnode) error { return w.removeWhiteout(l, dvp, name) }))
	}
	if got := names(w.list("d")); strings.Join(got, " ") != ". .. w v remove rmdir" {
		t.Errorf("%q", got)
	}
	// A link does not look for one, and covers it with a second entry that
	// nobody finds before the first is gone.
	w.ok(w.p.Link("d/w", "d/remove"))
	_, err = w.p.Stat("d/remove")
	w.want("stat", err, kern.ENOENT)
	w.ok(w.whiteout("d", "remove", vnode.DELETE))
	w.ok(w.p.Unlink("d/remove"))
	w.ok(w.p.Unlink("d/w"))
	w.ok(w.p.Rmdir("d")) // with the whiteouts that are left
}

// whiteout asks a directory for whiteouts.
func (w *world) whiteout(dir, name string, op int) error {
	return w.in(dir, func(l *kern.Lwp, dvp *vnode.Vnode) error {
		_ = dvp.Lock(l, vnode.LK_EXCLUSIVE|vnode.LK_RETRY)
		defer vnode.VOP_UNLOCK(l, dvp)
		cnp := vnode.Componentname{Nameiop: vnode.CREATE, Flags: vnode.LOCKPARENT, Cred: l.Cred, Nameptr: name, Namelen: len(name)}
		return vnode.VOP_WHITEOUT(l, dvp, &cnp, op)
	})
}

// removeWhiteout removes a name as a union mount does.
func (w *world) removeWhiteout(l *kern.Lwp, dvp *vnode.Vnode, name string) error {
	_ = dvp.Lock(l, vnode.LK_EXCLUSIVE|vnode.LK_RETRY)
	cnp := vnode.Componentname{
		Nameiop: vnode.DELETE, Flags: vnode.LOCKPARENT | vnode.LOCKLEAF | vnode.ISLASTCN | vnode.DOWHITEOUT,
		Cred: l.Cred, Nameptr: name, Namelen: len(name),
	}
	vp, err := vnode.VOP_LOOKUP(l, dvp, &cnp)
	if err != nil {
		_ = vnode.VOP_UNLOCK(l, dvp)
		return err
	}
	_ = vp.Lock(l, vnode.LK_EXCLUSIVE|vnode.LK_RETRY)
	dvp.Ref(l)
	if vp.Type() == vnode.VDIR {
		return vnode.VOP_RMDIR(l, dvp, vp, &cnp)
	}
	return vnode.VOP_REMOVE(l, dvp, vp, &cnp)
}

// Devices and fifos keep their attributes here and do their work elsewhere.
func TestSpecialFiles(t *testing.T) {
	w := newWorld(t, tmpfs.DefaultArgs())
	zero := kern.Makedev(2, 12)
	w.ok(w.p.Mknod("zero", kern.S_IFCHR|0o644, zero))
	w.ok(w.p.Mkfifo("fifo", 0o600))
	before := w.stat("zero")
	if before.Rdev != zero || before.Mode != kern.S_IFCHR|0o644 {
		t.Errorf("%+v", before)
	}
	fd, err := w.p.Open("zero", kern.O_RDWR, 0)
	w.ok(err)
	_, err = w.p.Read(fd, make([]byte, 10))
	w.ok(err)
	if got := moved(before, w.stat("zero")); got != "a" {
		t.Errorf("a read moved %q", got)
	}
	before = w.stat("zero")
	_, err = w.p.Write(fd, make([]byte, 10))
	w.ok(err)
	if got := moved(before, w.stat("zero")); got != "m" {
		t.Errorf("a write moved %q", got)
	}
	w.ok(w.p.Close(fd))
	w.ok(w.p.Chmod("zero", 0o600))
	w.ok(w.p.Truncate("zero", 100)) // changes nothing
	w.want("chmod", w.as(1, 1).p.Chmod("fifo", 0o666), kern.EPERM)
	if sb := w.stat("fifo"); sb.Mode != kern.S_IFIFO|0o600 || sb.Size != 0 {
		t.Errorf("%+v", sb)
	}
	w.want("truncate of a directory", w.p.Truncate(".", 0), kern.EISDIR)
	_, err = w.p.Open(".", kern.O_RDWR, 0)
	w.want("open of a directory to write", err, kern.EISDIR)
}

// A file reads zeros where nothing was written, also where it was cut off
// before.
func TestHoles(t *testing.T) {
	w := newWorld(t, tmpfs.DefaultArgs())
	fd, err := w.p.Open("f", kern.O_CREAT|kern.O_RDWR|kern.O_APPEND, 0o644)
	w.ok(err)
	_, err = w.p.Write(fd, []byte(strings.Repeat("x", 5000)))
	w.ok(err)
	w.ok(w.p.Ftruncate(fd, 10))
	w.ok(w.p.Ftruncate(fd, 9000))
	_, err = w.p.Write(fd, []byte("end"))
	w.ok(err)
	b := make([]byte, 10000)
	n, err := w.p.Pread(fd, b, 0)
	w.ok(err)
	if want := strings.Repeat("x", 10) + strings.Repeat("\x00", 8990) + "end"; string(b[:n]) != want {
		t.Errorf("%d bytes, want %d", n, len(want))
	}
	if sb := w.stat("f"); sb.Blocks != 3*kern.PAGE_SIZE/kern.S_BLKSIZE {
		t.Errorf("%d blocks", sb.Blocks)
	}
	n, err = w.p.Pread(fd, b, 9003)
	if n != 0 || err != nil {
		t.Errorf("%d bytes behind the end: %v", n, err)
	}
	w.ok(w.p.PosixFadvise(fd, 0, 0, kern.POSIX_FADV_DONTNEED))
	w.ok(w.p.Close(fd))
}

// The pages of a file are those of its memory, and getting them moves its
// times.
func TestGetpages(t *testing.T) {
	w := newWorld(t, tmpfs.DefaultArgs())
	w.write("f", strings.Repeat("y", 5000))
	get := func(off int64, count, flags, access int) (pages []*uvm.Page, err error) {
		err = w.in("f", func(l *kern.Lwp, vp *vnode.Vnode) error {
			pages = make([]*uvm.Page, count)
			vp.Interlock.Enter(l)
			n, err := vnode.VOP_GETPAGES(l, vp, off, pages, count, 0, access, 0, flags)
			if flags&uvm.PGO_LOCKED != 0 {
				vp.Interlock.Exit(l)
			}
			pages = pages[:n]
			if err == nil {
				vp.Interlock.Enter(l)
				uvm.PageUnbusy(l, pages)
				vp.Interlock.Exit(l)
			}
			return err
		})
		return pages, err
	}
	before := w.stat("f")
	pages, err := get(0, 4, 0, uvm.VM_PROT_READ|uvm.VM_PROT_WRITE)
	if len(pages) != 2 || err != nil || pages[1].Data[0] != 'y' || pages[1].Data[1000] != 0 {
		t.Errorf("%d pages: %v", len(pages), err)
	}
	if got := moved(before, w.stat("f")); got != "am" {
		t.Errorf("moved %q", got)
	}
	_, err = get(8192, 1, 0, uvm.VM_PROT_READ)
	w.want("behind the end", err, kern.EINVAL)
	_, err = get(8192, 1, uvm.PGO_LOCKED, uvm.VM_PROT_READ)
	w.want("behind the end", err, kern.EINVAL)
	_, err = get(0, 1, uvm.PGO_LOCKED, uvm.VM_PROT_READ)
	w.want("what is at hand", err, kern.EBUSY)
	w.ok(w.p.Fsync(mustOpen(w, "f")))
}

// What reads and writes answer that system calls do not let through, or that
// fail half way.
func TestTransfers(t *testing.T) {
	w := newWorld(t, tmpfs.DefaultArgs())
	w.make("f", "d/")
	for _, c := range []struct {
		name        string
		off, resid  int64
		memory      int
		read, write error
		sizeAfter   int64
	}{
		{"f", 0, 0, 0, nil, nil, 1},
		{"f", -1, 1, 1, kern.EINVAL, kern.EINVAL, 1},
		{"d", 0, 1, 1, kern.EISDIR, kern.EINVAL, 0},
		{"f", 0, 1, 0, kern.EFAULT, kern.EFAULT, 1},
		{"f", 1, 10, 5, nil, kern.EFAULT, 1}, // what has grown is cut back
		{"f", math.MaxInt64 - 5, 10, 10, nil, kern.ENOSPC, 1},
	} {
		err := w.in(c.name, func(l *kern.Lwp, vp *vnode.Vnode) error {
			_ = vp.Lock(l, vnode.LK_EXCLUSIVE|vnode.LK_RETRY)
			defer vnode.VOP_UNLOCK(l, vp)
			for _, rw := range []kern.UioRW{kern.UIO_READ, kern.UIO_WRITE} {
				uio := kern.Uio{Iov: [][]byte{make([]byte, c.memory)}, Offset: c.off, Resid: c.resid, RW: rw}
				if rw == kern.UIO_READ {
					w.want(fmt.Sprintf("read %+v", c), vnode.VOP_READ(l, vp, &uio, 0, l.Cred), c.read)
				} else {
					w.want(fmt.Sprintf("write %+v", c), vnode.VOP_WRITE(l, vp, &uio, 0, l.Cred), c.write)
				}
			}
			return nil
		})
		w.ok(err)
		if sb := w.stat(c.name); sb.Size != c.sizeAfter && c.name == "f" {
			t.Errorf("%+v: %d bytes", c, sb.Size)
		}
	}
}

// Owners and locks.
func TestOwners(t *testing.T) {
	w := newWorld(t, tmpfs.DefaultArgs())
	w.make("f")
	w.want("chown", w.as(1, 1).p.Chown("f", 1, 1), kern.EPERM)
	w.ok(w.p.Chown("f", 1, ^uint32(0)))
	w.ok(w.p.Chown("f", ^uint32(0), 2))
	if sb := w.stat("f"); sb.UID != 1 || sb.GID != 2 {
		t.Errorf("%+v", sb)
	}
	w.want("utimes", w.as(2, 2).p.Utimes("f", &[2]sim.Timeval{}), kern.EPERM)
	fd := mustOpen(w, "f")
	w.ok(w.p.FcntlLock(fd, kern.F_SETLK, &kern.Flock{Type: kern.F_WRLCK, Len: 5}))
	other := w.as(0, 0)
	fl := kern.Flock{Type: kern.F_RDLCK}
	w.ok(other.p.FcntlLock(mustOpen(other, "f"), kern.F_GETLK, &fl))
	if fl.Type != kern.F_WRLCK || fl.Len != 5 || fl.Pid != 1 {
		t.Errorf("%+v", fl)
	}
}

// What lookup says where no system call asks it.
func TestLookup(t *testing.T) {
	w := newWorld(t, tmpfs.DefaultArgs())
	w.make("f", "d/")
	for _, c := range []struct {
		name string
		op   uint32
		last bool
		want error
	}{
		{".", vnode.LOOKUP, true, nil},
		{".", vnode.RENAME, true, kern.EISDIR},
		{"f", vnode.LOOKUP, false, kern.ENOTDIR},
		{"d", vnode.LOOKUP, false, nil},
		{"new", vnode.CREATE, true, kern.EJUSTRETURN},
		{"new", vnode.RENAME, true, kern.EJUSTRETURN},
		{"new", vnode.DELETE, true, kern.ENOENT},
	} {
		err := w.in(".", func(l *kern.Lwp, dvp *vnode.Vnode) error {
			_ = dvp.Lock(l, vnode.LK_EXCLUSIVE|vnode.LK_RETRY)
			defer vnode.VOP_UNLOCK(l, dvp)
			cnp := vnode.Componentname{Nameiop: c.op, Cred: l.Cred, Nameptr: c.name, Namelen: len(c.name)}
			if c.last {
				cnp.Flags = vnode.ISLASTCN
			}
			vp, err := vnode.VOP_LOOKUP(l, dvp, &cnp)
			if err == nil {
				vp.Rele(l)
			}
			return err
		})
		w.want(fmt.Sprintf("%+v", c), err, c.want)
	}
	w.want("rmdir", w.as(1, 1).p.Rmdir("d"), kern.EPERM) // sticky
	w.ok(w.p.Chmod("/t", 0o700))
	_, err := w.as(1, 1).p.Stat("/t/f")
	w.want("stat", err, kern.EACCES)
	w.ok(w.p.Chmod("/t", 0o755))
	w.want("create", reopen(w.as(1, 1).p, "/t/g", kern.O_CREAT|kern.O_WRONLY), kern.EACCES)
	w.want("mknod of no device", w.in(".", func(l *kern.Lwp, dvp *vnode.Vnode) error {
		_ = dvp.Lock(l, vnode.LK_EXCLUSIVE|vnode.LK_RETRY)
		defer vnode.VOP_UNLOCK(l, dvp)
		var va vnode.Vattr
		va.Null()
		va.Type = vnode.VBAD
		_, err := vnode.VOP_MKNOD(l, dvp, &vnode.Componentname{Cred: l.Cred, Nameptr: "x", Namelen: 1}, &va)
		return err
	}), kern.EINVAL)
}

// mustOpen opens a file that the end of the process closes.
func mustOpen(w *world, name string) int {
	w.Helper()
	fd, err := w.p.Open(name, kern.O_RDWR, 0)
	w.ok(err)
	return fd
}

func TestPathconf(t *testing.T) {
	w := newWorld(t, tmpfs.DefaultArgs())
	for name, want := range map[int]int64{
		kern.PC_LINK_MAX: kern.LINK_MAX, kern.PC_NAME_MAX: 255, kern.PC_PATH_MAX: kern.PATH_MAX,
		kern.PC_PIPE_BUF: kern.PIPE_BUF, kern.PC_CHOWN_RESTRICTED: 1, kern.PC_NO_TRUNC: 1, kern.PC_SYNC_IO: 1,
		kern.PC_FILESIZEBITS: 64,
	} {
		if got, err := w.p.Pathconf(".", name); got != want || err != nil {
			t.Errorf("%d: %d, want %d: %v", name, got, want, err)
		}
	}
	_, err := w.p.Pathconf(".", 99)
	w.want("pathconf", err, kern.EINVAL)
}

// A file has at most LINK_MAX names, a directory as many directories in it less
// its own two names.
func TestLinkMax(t *testing.T) {
	w := newWorld(t, tmpfs.DefaultArgs())
	w.make("f", "d/")
	full := func(name string, then func()) {
		var old uint32
		set := func(n uint32) error {
			return w.in(name, func(_ *kern.Lwp, vp *vnode.Vnode) error {
				old = tmpfs.SetLinks(vp, n)
				return nil
			})
		}
		w.ok(set(kern.LINK_MAX))
		then()
		w.ok(set(old))
	}
	full("f", func() { w.want("link", w.p.Link("f", "g"), kern.EMLINK) })
	full("d", func() {
		w.want("mkdir", w.p.Mkdir("d/x", 0o755), kern.EMLINK)
		w.want("rename", w.p.Rename("f", "d/f"), nil)
	})
}

// What an attribute call may not set.
func TestSetattrRefuses(t *testing.T) {
	w := newWorld(t, tmpfs.DefaultArgs())
	w.make("s->f", "f")
	for what, set := range map[string]func(*vnode.Vattr){
		"type":  func(va *vnode.Vattr) { va.Type = vnode.VDIR },
		"links": func(va *vnode.Vattr) { va.Nlink = 2 },
		"ctime": func(va *vnode.Vattr) { va.Ctime.Sec = 1 },
		"size":  func(va *vnode.Vattr) { va.Size = math.MaxUint64 - 1 },
	} {
		err := w.in("f", func(l *kern.Lwp, vp *vnode.Vnode) error {
			_ = vp.Lock(l, vnode.LK_EXCLUSIVE|vnode.LK_RETRY)
			defer vnode.VOP_UNLOCK(l, vp)
			var va vnode.Vattr
			va.Null()
			set(&va)
			return vnode.VOP_SETATTR(l, vp, &va, l.Cred)
		})
		w.want(what, err, kern.EINVAL)
	}
	err := w.in("s", func(l *kern.Lwp, vp *vnode.Vnode) error {
		_ = vp.Lock(l, vnode.LK_EXCLUSIVE|vnode.LK_RETRY)
		defer vnode.VOP_UNLOCK(l, vp)
		_ = vnode.VOP_PRINT(l, vp)
		var va vnode.Vattr
		va.Null()
		va.Size = 1
		return vnode.VOP_SETATTR(l, vp, &va, l.Cred)
	})
	w.want("size of a symbolic link", err, kern.EOPNOTSUPP)
}

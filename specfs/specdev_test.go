package specfs_test

import (
	"fmt"
	"strings"
	"testing"

	"rumpvfs/blkdev"
	"rumpvfs/hypercall"
	"rumpvfs/kern"
	"rumpvfs/sim"
	"rumpvfs/specfs"
	"rumpvfs/vnode"
)

const toyMajor = 50

// toy is a driver that writes down what it is asked. Minor 13 cannot be
// opened; minor 5 sleeps in its operations until it is told to go on.
type toy struct {
	t     blkdev.DevType
	log   []string
	fail  error
	sleep bool
}

func (d *toy) Type() blkdev.DevType { return d.t }

func (d *toy) note(l *kern.Lwp, what string, dev kern.Dev) error {
	d.log = append(d.log, fmt.Sprint(what, dev.Minor()))
	for d.sleep {
		l.Sleep(1e6)
	}
	if dev.Minor() == 13 {
		return kern.EIO
	}
	return d.fail
}

func (d *toy) told() string {
	s := strings.Join(d.log, " ")
	d.log = nil
	return s
}

func (d *toy) Open(l *kern.Lwp, dev kern.Dev, _ int) error { return d.note(l, "open", dev) }

func (d *toy) Close(l *kern.Lwp, dev kern.Dev, flag int) error {
	if flag&kern.FNONBLOCK != 0 {
		d.log = append(d.log, "at-once")
	}
	return d.note(l, "close", dev)
}

func (d *toy) Read(l *kern.Lwp, dev kern.Dev, uio *kern.Uio, _ int) error {
	if err := d.note(l, "read", dev); err != nil {
		return err
	}
	return uio.Move([]byte("toy"))
}

func (d *toy) Write(l *kern.Lwp, dev kern.Dev, uio *kern.Uio, _ int) error {
	uio.Resid = 0
	return d.note(l, "write", dev)
}

func (d *toy) Ioctl(l *kern.Lwp, dev kern.Dev, com uint64, _ any, _ int) error {
	return d.note(l, fmt.Sprintf("ioctl%d:", com), dev)
}

func (d *toy) Poll(l *kern.Lwp, dev kern.Dev, events int) (int, error) {
	return events & kern.POLLIN, d.note(l, "poll", dev)
}

func (d *toy) Strategy(l *kern.Lwp, bp *vnode.Buf) {
	bp.Error = d.note(l, "strategy", bp.Dev)
	vnode.Biodone(l, bp)
}

// machine is a kernel whose devices are toys.
type machine struct {
	testing.TB
	k    *sim.Kernel
	p    *sim.Proc
	l    *kern.Lwp
	char *toy
	blk  *toy
	spec *specfs.System
}

// boot boots a kernel and gives it devices of its own: /c1 to /c3 are names of
// one character device, /b1 and /b2 of one block device.
func boot(t testing.TB, c sim.Config) *machine {
	t.Helper()
	c.Without = kern.Rev1125
	k, err := sim.Boot(c)
	if err != nil {
		t.Fatal(err)
	}
	m := &machine{TB: t, k: k, p: k.Init(), char: &toy{}, blk: &toy{}}
	m.l = kern.NewLwp(k.K, kern.NewProc(k.K, kern.RootCred()), "test")
	sw := blkdev.NewDevsw(k.K)
	m.spec = specfs.New(k.K, k.V, sw, k.Cache)
	k.V.SpecOps, k.V.Devices = m.spec.Ops(), m.spec
	m.must(sw.AttachChar(m.l, "toy", toyMajor, m.char))
	m.must(sw.AttachBlock(m.l, "toy", toyMajor, m.blk))
	for _, name := range []string{"c1", "c2", "c3", "b1", "b2"} {
		mode := uint32(kern.S_IFCHR)
		if name[0] == 'b' {
			mode = kern.S_IFBLK
		}
		m.must(m.p.Mknod("/"+name, mode|0o600, kern.Makedev(toyMajor, 1)))
	}
	t.Cleanup(func() {
		if k.Err() == nil {
			m.l.Exit()
		}
		if err := k.Shutdown(); err != nil {
			t.Error(err)
		}
	})
	return m
}

func (m *machine) must(err error) {
	m.Helper()
	if err != nil {
		m.Fatal(err)
	}
}

func (m *machine) open(path string) int {
	m.Helper()
	fd, err := m.p.Open(path, kern.O_RDWR, 0)
	m.must(err)
	return fd
}

func (m *machine) want(what string, got, want any) {
	m.Helper()
	if got != want {
		m.Errorf("%s: %v, want %v", what, got, want)
	}
}

// ExampleSystem has two names of one device. Taking it away by one takes it
// from those who came by the other.
func ExampleSystem() {
	k, err := sim.Boot(sim.Config{Without: kern.Rev1125})
	if err != nil {
		fmt.Println(err)
		return
	}
	p := k.Init()
	fmt.Println(p.Mknod("/zero", kern.S_IFCHR|0o666, kern.Makedev(blkdev.NullMajor, blkdev.DEV_ZERO)))
	fd, _ := p.Open("/zero", kern.O_RDONLY, 0)
	b := []byte("text")
	n, err := p.Read(fd, b)
	fmt.Printf("%d %v %q\n", n, err, b)
	fmt.Println(p.Revoke("/dev/zero"))
	_, err = p.Read(fd, b)
	fmt.Println(err == kern.EIO, p.Close(fd), k.Shutdown())
	// Output:
	// <nil>
	// 4 <nil> "\x00\x00\x00\x00"
	// <nil>
	// true <nil> <nil>
}

// TestOpenCounts: a character device is opened as often as somebody does, and
// closed when the last has closed it, whatever its name.
func TestOpenCounts(t *testing.T) {
	m := boot(t, sim.Config{})
	a, b := m.open("/c1"), m.open("/c1")
	m.want("opened twice", m.char.told(), "open1 open1")
	c := m.open("/c2")
	m.want("by another name", m.char.told(), "open1")
	m.must(m.p.Close(a))
	m.must(m.p.Close(b))
	m.want("closed by the first name", m.char.told(), "")
	m.must(m.p.Close(c))
	m.want("closed", m.char.told(), "close1")
	m.char.fail = kern.EBUSY
	_, err := m.p.Open("/c1", kern.O_RDONLY, 0)
	m.want("a driver that refuses", err, kern.EBUSY)
	m.char.fail = nil
	m.want("asked", m.char.told(), "open1")
	m.must(m.p.Close(m.open("/c1")))
	m.want("and then not", m.char.told(), "open1 close1")
	d := m.open("/c1")
	m.char.fail = kern.ENXIO
	m.want("a driver that fails to close", m.p.Close(d), kern.ENXIO)
	m.want("it is closed all the same", m.p.Close(d), kern.EBADF)
	m.char.fail = nil
}

// TestBlockDeviceIsExclusive: only one vnode may have it open, and only once.
func TestBlockDeviceIsExclusive(t *testing.T) {
	m := boot(t, sim.Config{})
	fd := m.open("/b1")
	for _, path := range []string{"/b1", "/b2"} {
		_, err := m.p.Open(path, kern.O_RDWR, 0)
		m.want("again "+path, err, kern.EBUSY)
	}
	vp, err := m.spec.Lookup(m.l, vnode.VBLK, kern.Makedev(toyMajor, 1))
	m.must(err)
	sb, err := m.p.Stat("/b1")
	m.must(err)
	m.want("looked up: the open one", vnodeIno(m, vp), sb.Ino)
	vp.Rele(m.l)
	m.must(m.p.Close(fd))
	m.blk.fail = kern.EIO
	_, err = m.p.Open("/b2", kern.O_RDONLY, 0)
	m.want("a driver that refuses", err, kern.EIO)
	m.blk.fail = nil
	m.must(m.p.Close(m.open("/b2")))
	m.want("asked", m.blk.told(), "open1 close1 open1 open1 close1")
}

func vnodeIno(m *machine, vp *vnode.Vnode) uint64 {
	m.Helper()
	var va vnode.Vattr
	m.must(vp.Lock(m.l, vnode.LK_SHARED|vnode.LK_RETRY))
	m.must(vnode.VOP_GETATTR(m.l, vp, &va, m.l.Cred))
	m.must(vnode.VOP_UNLOCK(m.l, vp))
	return va.Fileid
}

// TestNoDriver: devices whose number nobody serves, and mounts without
// devices.
func TestNoDriver(t *testing.T) {
	m := boot(t, sim.Config{})
	for _, mode := range []uint32{kern.S_IFCHR, kern.S_IFBLK} {
		path := fmt.Sprint("/none", mode)
		m.must(m.p.Mknod(path, mode|0o600, kern.Makedev(99, 0)))
		_, err := m.p.Open(path, kern.O_RDWR, 0)
		m.want(path, err, kern.ENXIO)
		sb, err := m.p.Stat(path)
		m.must(err)
		m.want("device", sb.Rdev, kern.Makedev(99, 0))
	}
	mp := m.k.V.Mounts(m.l)[0]
	mp.SetFlag(kern.MNT_NODEV)
	for _, path := range []string{"/c1", "/b1", "/dev/null"} {
		_, err := m.p.Open(path, kern.O_RDWR, 0)
		m.want(path+" with MNT_NODEV", err, kern.ENXIO)
	}
	m.want("asked", m.char.told()+m.blk.told(), "")
	mp.ClearFlag(kern.MNT_NODEV)
}

// TestDriverIsAsked: what goes through to the driver, and what does not.
func TestDriverIsAsked(t *testing.T) {
	m := boot(t, sim.Config{})
	fd := m.open("/c1")
	b := make([]byte, 8)
	n, err := m.p.Read(fd, b)
	m.want("read", fmt.Sprintf("%d %v %s", n, err, b[:3]), "3 <nil> toy")
	off, err := m.p.Lseek(fd, 0, kern.SEEK_CUR)
	m.want("offset", fmt.Sprint(off, err), "3 <nil>")
	n, err = m.p.Read(fd, nil)
	m.want("read nothing", fmt.Sprint(n, err), "0 <nil>")
	n, err = m.p.Write(fd, b)
	m.want("write", fmt.Sprint(n, err), "8 <nil>")
	_, err = m.p.Lseek(fd, 1<<40, kern.SEEK_SET)
	m.want("lseek anywhere", err, nil)
	m.want("fsync", m.p.Fsync(fd), nil)
	m.want("asked", m.char.told(), "open1 read1 write1")
	for name, want := range map[int]int64{kern.PC_LINK_MAX: kern.LINK_MAX, kern.PC_MAX_CANON: 255, kern.PC_MAX_INPUT: 255,
		kern.PC_PIPE_BUF: 512, kern.PC_CHOWN_RESTRICTED: 1, kern.PC_SYNC_IO: 1, kern.PC_VDISABLE: kern.POSIX_VDISABLE} {
		got, err := m.p.Fpathconf(fd, name)
		if got != want || err != nil {
			t.Errorf("pathconf %d: %d, %v, want %d", name, got, err, want)
		}
	}
	_, err = m.p.Fpathconf(fd, kern.PC_NAME_MAX)
	m.want("pathconf of a name", err, kern.EINVAL)
	m.char.fail = kern.EIO
	_, err = m.p.Read(fd, b)
	m.want("read fails", err, kern.EIO)
	m.char.fail = nil
	m.must(m.p.Close(fd))
}

// device returns a vnode of a device that has no name, locked.
func (m *machine) device(t vnode.Vtype, major int32) *vnode.Vnode {
	m.Helper()
	make := m.k.V.Cdevvp
	if t == vnode.VBLK {
		make = m.k.V.Bdevvp
	}
	vp, err := make(m.l, kern.Makedev(major, 1))
	m.must(err)
	m.must(vp.Lock(m.l, vnode.LK_EXCLUSIVE|vnode.LK_RETRY))
	return vp
}

// TestNamelessDevice does to a device what no system call does.
func TestNamelessDevice(t *testing.T) {
	m := boot(t, sim.Config{})
	l := m.l
	m.char.t = blkdev.D_TTY
	tty, blk, none := m.device(vnode.VCHR, toyMajor), m.device(vnode.VBLK, toyMajor), m.device(vnode.VCHR, 99)
	m.must(vnode.VOP_OPEN(l, tty, kern.FREAD, l.Cred))
	m.want("a terminal", tty.Vflag()&vnode.VV_ISTTY != 0, true)
	_, lookup := vnode.VOP_LOOKUP(l, tty, &vnode.Componentname{})
	uio := &kern.Uio{Iov: [][]byte{make([]byte, 4)}, Resid: 4, RW: kern.UIO_READ}
	read := vnode.VOP_READ(l, none, uio, 0, l.Cred)
	uio.RW = kern.UIO_WRITE
	write := vnode.VOP_WRITE(l, none, uio, 0, l.Cred)
	got, poll := vnode.VOP_POLL(l, tty, kern.POLLIN|kern.POLLOUT)
	m.want("poll", got, kern.POLLIN)
	got, nopoll := vnode.VOP_POLL(l, none, kern.POLLIN)
	m.want("poll without a driver", got, kern.POLLERR)
	to, bn, run, bmap := vnode.VOP_BMAP(l, blk, 12345)
	if to != blk || bn != 12345 || run != 127 {
		t.Errorf("bmap: %v %d %d", to, bn, run)
	}
	for _, c := range []struct {
		what      string
		got, want error
	}{
		{"lookup", lookup, kern.ENOTDIR},
		{"read without a driver", read, kern.ENXIO},
		{"write without a driver", write, kern.ENXIO},
		{"open without a driver", vnode.VOP_OPEN(l, none, kern.FREAD, l.Cred), kern.ENXIO},
		{"ioctl without a driver", vnode.VOP_IOCTL(l, none, 1, nil, 0, l.Cred), kern.ENXIO},
		{"getattr", vnode.VOP_GETATTR(l, tty, &vnode.Vattr{}, l.Cred), kern.EBADF},
		{"setattr", vnode.VOP_SETATTR(l, tty, &vnode.Vattr{}, l.Cred), kern.EBADF},
		{"access", vnode.VOP_ACCESS(l, tty, vnode.VREAD, l.Cred), kern.EBADF},
		{"poll", poll, nil},
		{"poll without a driver", nopoll, nil},
		{"kqfilter", vnode.VOP_KQFILTER(l, tty, nil), kern.EOPNOTSUPP},
		{"ioctl", vnode.VOP_IOCTL(l, tty, 7, nil, 0, l.Cred), nil},
		{"bmap", bmap, nil},
		{"print", vnode.VOP_PRINT(l, tty), nil},
		{"mmap of what is no disk", vnode.VOP_MMAP(l, blk, 0, l.Cred), kern.EINVAL},
		{"locks", vnode.VOP_ADVLOCK(l, tty, "f", kern.F_SETLK, &kern.Flock{Type: kern.F_WRLCK}, kern.F_FLOCK), nil},
		{"from the end, where there is none", vnode.VOP_ADVLOCK(l, tty, "f", kern.F_SETLK, &kern.Flock{Type: kern.F_WRLCK, Whence: kern.SEEK_END, Start: -1}, kern.F_FLOCK), kern.EINVAL},
	} {
		if c.got != c.want {
			t.Errorf("%s: %v, want %v", c.what, c.got, c.want)
		}
	}
	m.want("asked", m.char.told(), "open1 poll1 ioctl7:1")
	m.blk.t = blkdev.D_DISK
	m.want("mmap of a disk", vnode.VOP_MMAP(l, blk, 0, l.Cred), nil)
	for _, f := range []func(){
		func() { _, _ = vnode.VOP_CREATE(l, tty, &vnode.Componentname{}, &vnode.Vattr{}) },
		func() { _ = vnode.VOP_READLINK(l, tty, uio, l.Cred) },
	} {
		if panicOf(f) == nil {
			t.Error("what only makes sense in a directory is no panic")
		}
	}
	m.must(vnode.VOP_CLOSE(l, tty, kern.FREAD, l.Cred))
	for _, vp := range []*vnode.Vnode{tty, blk, none} {
		vp.Put(l)
	}
}

func panicOf(f func()) (p *kern.Panic) {
	defer func() {
		if r := recover(); r != nil {
			p, _ = r.(*kern.Panic)
		}
	}()
	f()
	return nil
}

// TestAliasesShareLocks: an advisory lock is on the device, not on its name.
func TestAliasesShareLocks(t *testing.T) {
	m := boot(t, sim.Config{})
	q, err := m.p.Rfork(sim.RUMP_RFCFDG)
	m.must(err)
	fd := m.open("/c1")
	m.must(m.p.FcntlLock(fd, kern.F_SETLK, &kern.Flock{Type: kern.F_WRLCK}))
	theirs, err := q.Open("/c2", kern.O_RDWR, 0)
	m.must(err)
	m.want("by another name", q.FcntlLock(theirs, kern.F_SETLK, &kern.Flock{Type: kern.F_RDLCK}), kern.EAGAIN)
	m.must(m.p.Close(fd))
	m.must(q.FcntlLock(theirs, kern.F_SETLK, &kern.Flock{Type: kern.F_RDLCK}))
	m.must(q.Exit())
}

// TestMountedFS: what is mounted from a block device is known by all its
// names.
func TestMountedFS(t *testing.T) {
	m := boot(t, sim.Config{})
	a, b := m.device(vnode.VBLK, toyMajor), m.device(vnode.VBLK, toyMajor)
	c := m.device(vnode.VCHR, toyMajor)
	mp := m.k.V.Mounts(m.l)[0]
	m.want("before", specfs.MountedFS(b) == nil && !b.Dev.Mounted(), true)
	specfs.SetMountedFS(a, mp)
	m.want("by the other", specfs.MountedFS(b), mp)
	m.want("MountedOn", b.MountedOn(m.l), kern.EBUSY)
	m.want("the character device", c.Dev.Mounted(), false)
	if panicOf(func() { specfs.SetMountedFS(b, mp) }) == nil {
		t.Error("mounted twice")
	}
	specfs.SetMountedFS(b, nil)
	m.want("MountedOn", a.MountedOn(m.l), nil)
	for _, vp := range []*vnode.Vnode{a, b, c} {
		vp.Put(m.l)
	}
}

// TestRevoke takes a device away by one of its names, from all who have it
// open by any.
func TestRevoke(t *testing.T) {
	m := boot(t, sim.Config{})
	a, b, c := m.open("/c1"), m.open("/c1"), m.open("/c2")
	m.char.told()
	m.must(m.p.Revoke("/c3"))
	m.want("closed once, without waiting", m.char.told(), "at-once close1")
	for _, fd := range []int{a, b, c} {
		_, rerr := m.p.Read(fd, make([]byte, 3))
		_, werr := m.p.Write(fd, make([]byte, 3))
		_, serr := m.p.Fstat(fd)
		m.want("what is left", fmt.Sprint(rerr == kern.EIO, werr == kern.EIO, serr == kern.EBADF), "true true true")
		m.must(m.p.Close(fd))
	}
	m.want("asked", m.char.told(), "")
	m.must(m.p.Close(m.open("/c1")))
	m.want("opened anew", m.char.told(), "open1 close1")
	fd := m.open("/b1")
	m.blk.told()
	m.must(m.p.Revoke("/b2"))
	m.want("a block device", strings.HasPrefix(m.blk.told(), "at-once close1"), true)
	_, err := m.p.Read(fd, make([]byte, 3))
	m.want("read", err, kern.EIO)
	m.must(m.p.Close(fd))
	m.must(m.p.Close(m.open("/b2")))
	if _, err := m.spec.Lookup(m.l, vnode.VCHR, kern.Makedev(toyMajor, 77)); err != kern.ENOENT {
		t.Errorf("an unknown device: %v", err)
	}
}

// TestRevokeRaces takes the device away while others open, read, poll and
// close it. The driver is closed as often as it is opened, but that one close
// serves several opens; nothing is left over.
func TestRevokeRaces(t *testing.T) {
	for seed := range uint64(100) {
		t.Run(fmt.Sprint(seed), func(t *testing.T) {
			m := boot(t, sim.Config{Mode: hypercall.Deterministic, Seed: seed})
			for i := range 3 {
				m.p.Go(fmt.Sprint("user", i), func(p *sim.Proc) {
					for n := range 3 {
						fd, err := p.Open(fmt.Sprint("/c", 1+(i+n)%3), kern.O_RDWR, 0)
						if err != nil {
							if err != kern.EBADF && err != kern.ENOENT && err != kern.ENXIO {
								t.Errorf("open: %v", err)
							}
							continue
						}
						if _, err := p.Read(fd, make([]byte, 3)); err != nil && err != kern.EIO {
							t.Errorf("read: %v", err)
						}
						if err := p.Close(fd); err != nil {
							t.Errorf("close: %v", err)
						}
					}
				})
			}
			m.p.Go("revoke", func(p *sim.Proc) {
				for n := range 2 {
					if err := p.Revoke(fmt.Sprint("/c", 1+n)); err != nil && err != kern.EBADF {
						t.Errorf("revoke: %v", err)
					}
				}
			})
			m.k.Run()
			open := 0
			for _, s := range m.char.log {
				switch {
				case strings.HasPrefix(s, "open"):
					open++
				case strings.HasPrefix(s, "close"):
					open = 0
				}
			}
			m.want("open at the end", open, 0)
		})
	}
}

// TestCloseOfADeadDevice: what a dead vnode had open is closed already.
func TestCloseOfADeadDevice(t *testing.T) {
	m := boot(t, sim.Config{Mode: hypercall.Deterministic})
	m.char.sleep = true
	var err error
	m.p.Go("open", func(p *sim.Proc) {
		// The driver sleeps in its open, the vnode is unlocked meanwhile.
		_, err = p.Open("/c1", kern.O_RDWR, 0)
	})
	m.k.Run()
	m.want("asked", m.char.told(), "open1")
	m.p.Go("revoke", func(p *sim.Proc) {
		if err := p.Revoke("/c1"); err != nil {
			t.Error(err)
		}
	})
	m.k.Run()
	m.char.sleep = false
	m.l.Sleep(1e9)
	m.want("asked", m.char.told(), "at-once close1")
	m.want("an open that was overtaken", err, kern.EBADF)
}

package rumpfs

import (
	"errors"
	"rumpvfs/genfs"
	"testing"

	"rumpvfs/hypercall"
	"rumpvfs/kern"
	"rumpvfs/vnode"
)

// minors is a block driver that only gives out minor numbers.
type minors struct {
	open []string // host paths, by minor number
	err  error    // of registering
}

func (d *minors) Register(_ *kern.Lwp, path string, _, _ int64) (int32, error) {
	if d.err != nil {
		return 0, d.err
	}
	d.open = append(d.open, path)
	return int32(len(d.open) - 1), nil
}

func (d *minors) Deregister(_ *kern.Lwp, path string) error {
	for i, p := range d.open {
		if p == path {
			d.open[i] = ""
			return nil
		}
	}
	return kern.ENOENT
}

func (d *minors) left() (n int) {
	for _, p := range d.open {
		if p != "" {
			n++
		}
	}
	return n
}

// mapped boots a machine whose host has the directory /d with the file a, and the file /f.
func mapped(t *testing.T, c config) (*machine, *minors) {
	t.Helper()
	m, d := boot(t, c), new(minors)
	m.fs.blk = d
	host := m.k.Sys.Host()
	if err := host.Mkdir("/d"); err != nil {
		t.Fatal(err)
	}
	must(host.WriteFile("/d/a", []byte("aaa")))
	must(host.WriteFile("/f", []byte("0123456789")))
	return m, d
}

func TestVtypeOfHost(t *testing.T) {
	for ft, want := range map[hypercall.FileType]vnode.Vtype{
		hypercall.FileOther: vnode.VNON, hypercall.FileDir: vnode.VDIR, hypercall.FileReg: vnode.VREG,
		hypercall.FileBlk: vnode.VBLK, hypercall.FileChr: vnode.VCHR, 99: vnode.VNON,
	} {
		if got := vtypeOfHost(ft); got != want {
			t.Errorf("%v: %v, want %v", ft, got, want)
		}
	}
}

func TestHostError(t *testing.T) {
	for _, c := range []struct{ in, want error }{
		{nil, nil}, {hypercall.HostErrno(13), kern.EACCES}, {errors.New("what no host says"), kern.EIO},
	} {
		wantErr(t, "error of the host", hostError(c.in), c.want)
	}
}

// TestRegisterWithoutMemory refuses nodes: the device is given up again, and nothing is counted.
func TestRegisterWithoutMemory(t *testing.T) {
	m, d := mapped(t, config{nodeLimit: 2 * nodeBytes})
	wantErr(t, "one fits", m.fs.EtfsRegister(m.l, "/d", "/d", RUMP_ETFS_DIR_SUBDIRS), nil)
	wantErr(t, "register", m.fs.EtfsRegister(m.l, "/f", "/f", RUMP_ETFS_REG), kern.ENOMEM)
	wantErr(t, "register", m.fs.EtfsRegister(m.l, "/b", "/f", RUMP_ETFS_BLK), kern.ENOMEM)
	dir := must(m.find(m.root, "d"))
	_, err := m.find(dir, "a")
	wantErr(t, "lookup on the host", err, kern.ENOMEM)
	dir.Rele(m.l)
	d.err = kern.EBUSY
	wantErr(t, "no device", m.fs.EtfsRegister(m.l, "/b", "/f", RUMP_ETFS_CHR), kern.EBUSY)
	if d.left() != 0 {
		t.Errorf("devices left: %q", d.open)
	}
	wantErr(t, "remove", m.fs.EtfsRemove(m.l, "/d"), nil)
	m.end()
}

// TestDoneEndsMappings gives up the devices of mappings that nobody removed.
func TestDoneEndsMappings(t *testing.T) {
	m, d := mapped(t, config{quirks: kern.Rev1125})
	wantErr(t, "register", m.fs.EtfsRegister(m.l, "/b", "/f", RUMP_ETFS_BLK), nil)
	wantErr(t, "register", m.fs.EtfsRegister(m.l, "/c", "/d/a", RUMP_ETFS_CHR), nil)
	wantErr(t, "register", m.fs.EtfsRegister(m.l, "/f", "/f", RUMP_ETFS_REG), nil)
	if d.left() != 2 {
		t.Errorf("devices: %q", d.open)
	}
	m.fs.etfsDone(m.l)
	if d.left() != 0 || m.fs.etfsMem.nodeBytes.Load() != 0 {
		t.Errorf("left: devices %q, %d bytes", d.open, m.fs.etfsMem.nodeBytes.Load())
	}
	m.end()
}

// TestRemovingMapping is what a second removal sees while the first is under way.
func TestRemovingMapping(t *testing.T) {
	m, _ := mapped(t, config{})
	wantErr(t, "register", m.fs.EtfsRegister(m.l, "/f", "/f", RUMP_ETFS_REG), nil)
	et := m.fs.etfsTake(m.l, "f")
	wantErr(t, "remove while removing", m.fs.EtfsRemove(m.l, "/f"), kern.ENOENT)
	et.removing = false
	wantErr(t, "remove", m.fs.EtfsRemove(m.l, "/f"), nil)
	m.end()
}

// TestFreedMappingGetsNoVnode is a lookup that found a mapping just before it was removed.
func TestFreedMappingGetsNoVnode(t *testing.T) {
	both(t, func(t *testing.T, m *machine, fixed bool) {
		must(m.k.Sys.Host().WriteFile("/f", []byte("0123456789")))
		wantErr(t, "register", m.fs.EtfsRegister(m.l, "/f", "/f", RUMP_ETFS_REG), nil)
		rn := m.fs.etfs[0].node
		wantErr(t, "remove", m.fs.EtfsRemove(m.l, "/f"), nil)
		_, err := m.fs.getvnode(m.l, m.mp, rn)
		wantErr(t, "vnode of a freed node", err, kern.ENOENT)
	})
}

// TestHostLookupOnceDead gives back the node when its vnode cannot be made.
func TestHostLookupOnceDead(t *testing.T) {
	m, _ := mapped(t, config{})
	wantErr(t, "register", m.fs.EtfsRegister(m.l, "/d", "/d", RUMP_ETFS_DIR_SUBDIRS), nil)
	dir := must(m.find(m.root, "d"))
	before := m.fs.nodeBytes.Load()
	m.mp.SetIflag(kern.IMNT_GONE)
	_, err := m.find(dir, "a")
	m.mp.ClearIflag(kern.IMNT_GONE)
	wantErr(t, "lookup in a file system that is gone", err, kern.ENOENT)
	if after := m.fs.nodeBytes.Load(); after != before {
		t.Errorf("%d bytes counted, %d before", after, before)
	}
	dir.Rele(m.l)
	wantErr(t, "remove", m.fs.EtfsRemove(m.l, "/d"), nil)
	m.end()
}

// TestTransferInPieces reads into and writes from memory that is not in one piece, or less than was asked for.
func TestTransferInPieces(t *testing.T) {
	both(t, func(t *testing.T, m *machine, fixed bool) {
		host := m.k.Sys.Host()
		must(host.WriteFile("/f", []byte("0123456789")))
		wantErr(t, "register", m.fs.EtfsRegister(m.l, "/f", "/f", RUMP_ETFS_REG), nil)
		vp := must(m.find(m.root, "f"))
		m.lock(vp)
		wantErr(t, "open", vnode.VOP_OPEN(m.l, vp, kern.FREAD|kern.FWRITE, m.cred), nil)
		move := func(rw kern.UioRW, resid int64, pieces ...string) (string, error) {
			u := kern.Uio{Resid: resid, RW: rw}
			var mem [][]byte
			for _, p := range pieces {
				mem = append(mem, []byte(p))
				u.Iov = append(u.Iov, mem[len(mem)-1])
			}
			if rw == kern.UIO_WRITE {
				return "", vnode.VOP_WRITE(m.l, vp, &u, 0, m.cred)
			}
			err := vnode.VOP_READ(m.l, vp, &u, 0, m.cred)
			all := ""
			for _, b := range mem {
				all += string(b)
			}
			return all, err
		}
		for _, c := range []struct {
			resid int64
			want  string
			err   error
		}{{5, "01234", nil}, {6, "01234", kern.EFAULT}, {1 << 60, "01234", kern.EFAULT}, {0, ".....", nil}} {
			if got, err := move(kern.UIO_READ, c.resid, "..", "..."); got != c.want || err != c.err {
				t.Errorf("read of %d: %q, %v, want %q, %v", c.resid, got, err, c.want, c.err)
			}
		}
		_, err := move(kern.UIO_WRITE, 5, "ab", "cde")
		wantErr(t, "write in pieces", err, nil)
		_, err = move(kern.UIO_WRITE, 1<<60, "XY", "Z")
		wantErr(t, "write of more than there is", err, kern.EFAULT)
		_, err = move(kern.UIO_WRITE, 0)
		wantErr(t, "write of nothing", err, nil)
		if data := must(host.ReadFile("/f")); string(data) != "abcde56789" {
			t.Errorf("file is %q", data)
		}
		vnode.VOP_UNLOCK(m.l, vp)
		vp.Rele(m.l)
		if n := host.OpenFDs(); n != 0 {
			t.Errorf("%d host descriptors open", n)
		}
		wantErr(t, "remove", m.fs.EtfsRemove(m.l, "/f"), nil)
	})
}

// TestOpenForNothing is an open for neither reading nor writing.
func TestOpenForNothing(t *testing.T) {
	both(t, func(t *testing.T, m *machine, fixed bool) {
		must(m.k.Sys.Host().WriteFile("/f", nil))
		wantErr(t, "register", m.fs.EtfsRegister(m.l, "/f", "/f", RUMP_ETFS_REG), nil)
		vp := must(m.find(m.root, "f"))
		m.lock(vp)
		wantErr(t, "open", vnode.VOP_OPEN(m.l, vp, 0, m.cred), kern.EINVAL)
		vnode.VOP_UNLOCK(m.l, vp)
		vp.Rele(m.l)
		wantErr(t, "remove", m.fs.EtfsRemove(m.l, "/f"), nil)
	})
}

// TestAdvlockOfDeadNode is an advisory lock that arrives when a forced unmount has taken the node: EBADF, as of a dead vnode.
func TestAdvlockOfDeadNode(t *testing.T) {
	both(t, func(t *testing.T, m *machine, fixed bool) {
		f := must(m.create(m.root, "f", 0o644))
		fl := &kern.Flock{Type: kern.F_WRLCK}
		wantErr(t, "lock", genfs.Advlock(m.l, f, m.l.Proc, kern.F_SETLK, fl, kern.F_POSIX), nil)
		fl.Type = kern.F_UNLCK
		wantErr(t, "unlock", genfs.Advlock(m.l, f, m.l.Proc, kern.F_UNLCK, fl, kern.F_POSIX), nil)
		f.Gone(m.l)
		f = must(m.find(m.root, "f"))
		f.Ref(m.l)
		f.Gone(m.l)
		fl.Type = kern.F_WRLCK
		wantErr(t, "lock without a node", genfs.Advlock(m.l, f, m.l.Proc, kern.F_SETLK, fl, kern.F_POSIX), kern.EBADF)
		f.Rele(m.l)
	})
}

package blkdev

import (
	"bytes"
	"testing"

	"rumpvfs/kern"
	"rumpvfs/vnode"
)

func TestDevsw(t *testing.T) {
	m := newMachine(t, setup{})
	d := m.devsw
	m.want("char", d.AttachChar(m.l, "null", NullMajor, Null{}), nil)
	m.want("the major number is taken", d.AttachChar(m.l, "other", NullMajor, Null{}), kern.EEXIST)
	m.want("the name is taken", d.AttachChar(m.l, "null", 77, Null{}), kern.EINVAL)
	m.want("block devices have numbers of their own", d.AttachBlock(m.l, "null", NullMajor, m.blk), nil)
	c, err := d.Char(m.l, kern.Makedev(NullMajor, 99))
	m.want("driver", c == Null{}, true)
	m.want("driver", err, nil)
	_, err = d.Char(m.l, kern.Makedev(3, 0))
	m.want("no driver", err, kern.ENXIO)
	_, err = d.Block(m.l, kern.Makedev(3, 0))
	m.want("no driver", err, kern.ENXIO)

	// A block device whose driver is not there.
	vp, err := m.Bdevvp(m.l, kern.Makedev(3, 0))
	m.want("vnode", err, nil)
	m.cache.Brelse(m.l, m.cache.Getblk(m.l, vp, 0, bsize), vnode.BC_INVAL)
	m.want("delayed write", m.cache.onTape(m.l, &vnode.Buf{Dev: kern.Makedev(3, 0)}), false)
	m.want("delayed write", m.cache.onTape(m.l, &vnode.Buf{Dev: kern.NODEV}), false)
	m.end(vp)
}

func TestNull(t *testing.T) {
	m := newMachine(t, setup{})
	null, zero, other := kern.Makedev(NullMajor, DEV_NULL), kern.Makedev(NullMajor, DEV_ZERO), kern.Makedev(NullMajor, 0)
	var d Null
	m.want("type", d.Type(), D_OTHER)
	m.want("open", d.Open(m.l, null, kern.FREAD), nil)
	m.want("open", d.Open(m.l, zero, kern.FREAD), nil)
	m.want("open", d.Open(m.l, other, kern.FREAD), kern.ENXIO)
	m.want("close", d.Close(m.l, null, 0), nil)
	m.want("ioctl", d.Ioctl(m.l, null, DIOCGDINFO, nil, 0), kern.ENODEV)

	u := m.uio(kern.UIO_READ, 0, 1000)
	b := u.Iov[0]
	copy(b, bytes.Repeat([]byte{'x'}, 1000))
	m.want("read", d.Read(m.l, null, u, 0), nil)
	m.want("nothing read", u.Resid, 1000)
	m.want("read", d.Read(m.l, other, u, 0), kern.ENXIO)
	m.want("read", d.Read(m.l, zero, u, 0), nil)
	m.want("all read", u.Resid, 0)
	m.want("zeros", bytes.Count(b, []byte{0}), 1000)
	u = m.uio(kern.UIO_READ, 0, 10)
	u.Resid = 20
	m.want("less memory than promised", d.Read(m.l, zero, u, 0), kern.EFAULT)

	u = m.uio(kern.UIO_WRITE, 7, 1000)
	m.want("write", d.Write(m.l, other, u, 0), kern.ENXIO)
	m.want("write", d.Write(m.l, null, u, 0), nil)
	m.want("all written", u.Resid, 0)
	m.want("the offset stays", u.Offset, 7)
	events, err := d.Poll(m.l, null, kern.POLLIN|kern.POLLPRI)
	m.want("poll", err, nil)
	m.want("ready", events, kern.POLLIN)
	m.end()
}

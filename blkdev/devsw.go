package blkdev

import (
	"rumpvfs/hypercall"
	"rumpvfs/kern"
	"rumpvfs/vnode"
)

// DevType says what a device is good for.
type DevType int

const (
	D_OTHER DevType = iota
	D_TAPE
	D_DISK
	D_TTY
)

// CharDriver is a character device driver (cdevsw). flag has FREAD, FWRITE
// and FNONBLOCK.
type CharDriver interface {
	Type() DevType
	Open(l *kern.Lwp, dev kern.Dev, flag int) error
	Close(l *kern.Lwp, dev kern.Dev, flag int) error
	Read(l *kern.Lwp, dev kern.Dev, uio *kern.Uio, ioflag int) error
	Write(l *kern.Lwp, dev kern.Dev, uio *kern.Uio, ioflag int) error
	Ioctl(l *kern.Lwp, dev kern.Dev, com uint64, data any, flag int) error
	Poll(l *kern.Lwp, dev kern.Dev, events int) (int, error)
}

// BlockDriver is a block device driver (bdevsw).
type BlockDriver interface {
	Type() DevType
	Open(l *kern.Lwp, dev kern.Dev, flag int) error
	Close(l *kern.Lwp, dev kern.Dev, flag int) error
	// Strategy starts the transfer that bp describes; it ends in
	// [vnode.Biodone].
	Strategy(l *kern.Lwp, bp *vnode.Buf)
	Ioctl(l *kern.Lwp, dev kern.Dev, com uint64, data any, flag int) error
}

// Devsw is the device switch of one kernel. It has few entries, so it looks
// through them.
type Devsw struct {
	lock  kern.Mutex
	char  []entry[CharDriver]  // lock
	block []entry[BlockDriver] // lock
}

type entry[D any] struct {
	name   string
	major  int32
	driver D
}

var devswLockClass = hypercall.LockClass{Name: "devsw_lock", Rank: 560}

// NewDevsw makes an empty switch.
func NewDevsw(k *kern.Kernel) *Devsw {
	d := &Devsw{}
	d.lock.Init(k.Sys, &devswLockClass)
	return d
}

// AttachChar makes driver serve the character devices of major. EEXIST if
// another does, EINVAL if the driver of this name serves another major.
//
//netbsd:sys/kern/subr_devsw.c devsw_attach
func (d *Devsw) AttachChar(l *kern.Lwp, name string, major int32, driver CharDriver) error {
	d.lock.Enter(l)
	defer d.lock.Exit(l)
	return attach(&d.char, name, major, driver)
}

// AttachBlock makes driver serve the block devices of major, with the same
// errors.
//
//netbsd:sys/kern/subr_devsw.c devsw_attach
func (d *Devsw) AttachBlock(l *kern.Lwp, name string, major int32, driver BlockDriver) error {
	d.lock.Enter(l)
	defer d.lock.Exit(l)
	return attach(&d.block, name, major, driver)
}

func attach[D any](list *[]entry[D], name string, major int32, driver D) error {
	for _, e := range *list {
		switch {
		case e.major == major:
			return kern.EEXIST
		case e.name == name:
			return kern.EINVAL
		}
	}
	*list = append(*list, entry[D]{name, major, driver})
	return nil
}

// Char returns the driver of a character device: ENXIO if there is none.
//
//netbsd:sys/kern/subr_devsw.c cdevsw_lookup
func (d *Devsw) Char(l *kern.Lwp, dev kern.Dev) (CharDriver, error) {
	d.lock.Enter(l)
	defer d.lock.Exit(l)
	return find(d.char, dev)
}

// Block returns the driver of a block device: ENXIO if there is none.
//
//netbsd:sys/kern/subr_devsw.c bdevsw_lookup
func (d *Devsw) Block(l *kern.Lwp, dev kern.Dev) (BlockDriver, error) {
	d.lock.Enter(l)
	defer d.lock.Exit(l)
	return find(d.block, dev)
}

func find[D any](list []entry[D], dev kern.Dev) (driver D, err error) {
	for _, e := range list {
		if e.major == dev.Major() {
			return e.driver, nil
		}
	}
	return driver, kern.ENXIO
}

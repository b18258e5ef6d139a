package blkdev

import "rumpvfs/kern"

// The null driver's major number, and its minor numbers.
const (
	NullMajor = 2
	DEV_NULL  = 2
	DEV_ZERO  = 12
)

// Null is the driver of /dev/null and /dev/zero.
//
//netbsd:sys/rump/librump/rumpvfs/devnull.c null_cdevsw
type Null struct{}

// Type returns D_OTHER.
func (Null) Type() DevType { return D_OTHER }

// Open lets the two devices be opened; ENXIO for others.
//
//netbsd:sys/rump/librump/rumpvfs/devnull.c rump_devnullopen
func (Null) Open(_ *kern.Lwp, dev kern.Dev, _ int) error {
	if m := dev.Minor(); m != DEV_NULL && m != DEV_ZERO {
		return kern.ENXIO
	}
	return nil
}

// Close has nothing to close.
func (Null) Close(*kern.Lwp, kern.Dev, int) error { return nil }

// Read finds nothing in /dev/null, and as many NUL bytes as wanted in
// /dev/zero. EFAULT if the reader's memory ends before.
//
//netbsd:sys/rump/librump/rumpvfs/devnull.c rump_devnullrw
func (Null) Read(_ *kern.Lwp, dev kern.Dev, uio *kern.Uio, _ int) error {
	switch dev.Minor() {
	case DEV_NULL:
		return nil
	case DEV_ZERO:
		return readZeros(uio)
	}
	return kern.ENXIO
}

func readZeros(uio *kern.Uio) error {
	var zeros [512]byte
	for uio.Resid > 0 {
		if err := uio.Move(zeros[:min(int64(len(zeros)), uio.Resid)]); err != nil {
			return err
		}
	}
	return nil
}

// Write swallows everything. The offset stays, as in the reference.
//
//netbsd:sys/rump/librump/rumpvfs/devnull.c rump_devnullrw
func (Null) Write(_ *kern.Lwp, dev kern.Dev, uio *kern.Uio, _ int) error {
	if m := dev.Minor(); m != DEV_NULL && m != DEV_ZERO {
		return kern.ENXIO
	}
	uio.Resid = 0
	return nil
}

// Ioctl knows no commands.
func (Null) Ioctl(*kern.Lwp, kern.Dev, uint64, any, int) error { return kern.ENODEV }

// Poll finds both devices always ready.
//
//netbsd:sys/kern/sys_select.c seltrue
func (Null) Poll(_ *kern.Lwp, _ kern.Dev, events int) (int, error) {
	return events & (kern.POLLIN | kern.POLLOUT | kern.POLLRDNORM | kern.POLLWRNORM), nil
}
